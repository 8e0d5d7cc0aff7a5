"""KASAN, UBSAN: each kind of bug ends in one readable report; the kernel itself has none."""
import fcntl
import os
import re

from suite.base import BUILD, Guest, both, boot, check, equal, figure, fresh_disk, machine, make, scratch, shell

# What to provoke -> the report's first line, and what else it must name.
KASAN = {
    "kasan-uaf": ("slab-use-after-free", ["kmalloc-64", "Allocated by", "Freed by", "5 bytes inside"]),
    "kasan-oob": ("slab-out-of-bounds", ["kmalloc-64", "Allocated by", "61 bytes inside"]),
    "kasan-oob-memset": ("slab-out-of-bounds", ["kmalloc-64", "Write of size 65", "0 bytes behind"]),
    "kasan-double-free": ("double-free", ["kmalloc-64", "Allocated by", "Freed by"]),
    "kasan-invalid-free": ("invalid-free", ["kmalloc-64", "Allocated by", "8 bytes inside"]),
    "kasan-cache-uaf": ("slab-use-after-free", ["victim", "of size 200", "Freed by", "199 bytes inside"]),
    "kasan-page-uaf": ("use-after-free", ["no slab's"]),
    "kasan-stack": ("stack-out-of-bounds", ["kasan_stack"]),
    "kasan-global": ("global-out-of-bounds", ["write_byte"]),
}
UBSAN = {
    "ubsan-shift": ("shift-out-of-bounds", "shift of 1, a 'int', by 40"),
    "ubsan-bounds": ("array-index-out-of-bounds", "index 4 is out of range for type 'int [4]'"),
    "ubsan-divide": ("division-overflow", "division of 1 by 0"),
    "ubsan-bool": ("invalid-load", "load of value 7"),
}


def build(arch, *goals):
    """Both sanitizers in one kernel, built once for all tests of a machine."""
    os.makedirs(f"{scratch('sanitize')}-b", exist_ok=True)
    with open(f"{scratch('sanitize')}-b/.lock-{arch}", "w", encoding="ascii") as lock:   # two tests may come at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        make(f"ARCH={arch}", "KASAN=1", "UBSAN=1", "kernel", build=f"{scratch('sanitize')}-b")
    folder = f"{scratch('sanitize')}-b/{arch}-kasan-ubsan"
    for name in ("initrd.img", "rootfs"):
        if not os.path.lexists(f"{folder}/{name}"):
            os.symlink(f"{BUILD}/{arch}/{name}", f"{folder}/{name}")
    return folder


def console(arch, folder, name):
    with Guest(machine(arch, cpus=2, build=folder), "panic=-1", f"selftest={name}") as guest:
        equal("QEMU's exit status", 0, guest.wait_end(90))
        print(guest.text)
        check(f"selftest: survived {name}" in guest.text, f"{name}: the kernel did not live on")
        return guest.text


@both("sanitize-reports", timeout=900)
def reports(arch):
    """A use after free, an overflow by one byte, a double free … : one report with object, cache and both backtraces."""
    folder = build(arch)
    for name, (title, words) in KASAN.items():
        out = console(arch, folder, name)
        equal(f"{name}: reports", [title], re.findall(r"BUG: KASAN: (\S+) in ", out))
        for word in words:
            check(word in out, f"{name}: the report does not say {word!r}")
        check(re.search(r"selftest_sanitize\.c:\d+", out), f"{name}: no file and line in the backtrace")
    for name, (title, words) in UBSAN.items():
        out = console(arch, folder, name)
        check(f"UBSAN: {title} in kernel/test/selftest_sanitize.c:" in out, f"{name}: no {title}")
        check(words in out, f"{name}: the report does not say {words!r}")
    out = console(arch, folder, "kasan-quiet")
    check("KASAN: " not in out.replace("KASAN: kernel address sanitizer is on", "") and "UBSAN: " not in out,
          "a false alarm")
    figure(f"{len(KASAN) + len(UBSAN)} kinds of bugs reported")


@both("sanitize-usertests", timeout=1500)
def usertests(arch):
    """All user tests pass under KASAN and UBSAN, and neither finds anything."""
    folder = build(arch)
    done = boot(arch, "usertests", timeout=1200, cpus=4, build=folder)
    check("KASAN: " not in done.console.replace("KASAN: kernel address sanitizer is on", "") and
          "UBSAN: " not in done.console, "a report")
    figure(re.findall(r"usertests: .*", done.output)[-1])


@both("sanitize-faults", timeout=600)
def faults(arch):
    """With every twentieth allocation of programs failing, they fail or not, but the kernel finds no fault of its own."""
    folder = build(arch)
    command = "; ".join(["ls /bin", "cat /proc/meminfo | wc", "ps", "mkdir /tmp/d", "ls -l /dev"] * 6) + "; echo alive"
    done = boot(arch, command, status=None, timeout=300, cpus=2, build=folder,
                append="failslab=20,50,0,300 fail_page_alloc=40,50,0,100 fail_seed=3")
    check("Kernel panic" not in done.console and "BUG: KASAN" not in done.console and "UBSAN: " not in done.console,
          "the kernel stumbled")
    check("Cannot allocate memory" in done.console, "nothing failed")
    # The shell itself may have been one of those that failed; init lives.
    check("alive" in done.output or done.status not in (124, 125), "the machine did not live on")


@both("sanitize-faults-usertests", timeout=600, campaign=True)
def faults_usertests(arch):
    """usertests and random calls with allocations failing, by 18 seeds: the kernel lives, the disk is whole."""
    folder = build(arch)
    for seed in range(1, 19):
        words = f"{(400, 100, 30)[seed % 3]},{(50, 30)[seed % 2]},0,-1"
        disk = fresh_disk(arch)
        done = boot(arch, f"usertests; fuzz -s {seed} -n 4000; echo alive", status=None, timeout=900, cpus=1 + seed % 4,
                    build=folder, disk=disk,
                    append=f"failslab={words} fail_page_alloc={words} fail_seed={seed} kasan_multi_shot")
        equal("reports", [], re.findall(r"(?:Kernel panic|BUG|WARNING|UBSAN|ext2 \(\w+\)): .*", done.console))
        check(done.status not in (124, 125, 254), f"seed {seed}: the machine did not live on: status {done.status}")
        shell("e2fsck", "-fn", disk)
