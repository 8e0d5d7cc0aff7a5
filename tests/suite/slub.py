"""SLUB in the kernel: its reports, and its races under many seeds."""
import json
import re

from suite.base import ARCHES, Guest, both, check, equal, figure, machine, make, scratch, test

SEEDS = 50      # schedules in one boot

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



def schedules(arch, boots):
    """Lab 4's races, each under so many seeds: nothing is lost, and the runs do differ."""
    path, different, runs = f"{scratch()}/races.json", 0, 0
    for seed in range(1, boots + 1):
        make(f"ARCH={arch}", "LAB=4", "TESTS=races", f"SEEDS={SEEDS}", f"SEED={seed}", f"JSON={path}", "ktest",
             build=f"{scratch()}/b", timeout=1500)
        with open(path, encoding="utf-8") as file:
            tests = json.load(file)["tests"]
        equal("tests that failed", [], [t["name"] for t in tests if t["verdict"] != "passed"])
        for one in tests:
            match = re.match(r"(\d+) of (\d+) runs differ", one["why"])
            check(match or one["seeds"] == 1, f"{one['name']} does not say how many runs differ")
            different += int(match[1]) if match else 0
            runs += int(match[2]) if match else 0
    equal("runs", boots * SEEDS * sum(t["seeds"] > 1 for t in tests), runs)
    check(different > 0.9 * runs, f"only {different} of {runs} runs differ")
    figure(f"{boots * SEEDS} seeds of {len(tests)} tests: {different} of {runs} runs differ")


for ARCH in ARCHES:
    test(f"slub-schedules-{ARCH}", ARCH, 1, needs=[ARCH], timeout=600)(schedules)
    test(f"slub-schedules-long-{ARCH}", ARCH, 20, needs=[ARCH], timeout=3600, campaign=True)(schedules)
