"""SLUB in the kernel: its reports."""
import re

from suite.base import Guest, both, check, equal, machine

# What selftest=slub does -> what the report says, and who must be named in it.
MISUSES = {
    "overflow": ("Right Redzone overwritten: byte 60 .* is 01", "Allocated by", "victim_alloc"),
    "underflow": ("Left Redzone overwritten: byte -1 .* is 01", "Allocated by", "victim_alloc"),
    "double free": ("already free", "Freed by", "victim_free"),
    "invalid free": ("not the start of an object", "Call trace", "victim_free"),
    "use after free": ("Poison overwritten: byte 20 .* is 01, not 6b", "Freed by", "victim_free"),
}


@both("slub-reports", timeout=150)
def reports(arch):
    """Each misuse of an object ends in one report that names the object, its cache and who did it."""
    with Guest(machine(arch, cpus=1), "panic=-1", "selftest=slub", "slub_debug=FZPU,victim") as guest:
        equal("QEMU's exit status", 0, guest.wait_end(60))
        print(guest.text)
    parts = re.split(r"selftest: (.*)", guest.text)
    seen = dict(zip(parts[1::2], parts[2::2]))
    for name, (what, whom, function) in MISUSES.items():
        text = seen.get(name, "")
        check(len(re.findall("BUG victim: ", text)) == 1, f"{name}: not one report")
        check(re.search(what, text), f"{name}: the report does not say {what}")
        trace = text.partition(whom)[2]
        check(re.search(rf"\b{function}\+", trace), f"{name}: {function} is not named behind {whom!r}")
    check("slub passed" in guest.text, "the kernel did not live on")

