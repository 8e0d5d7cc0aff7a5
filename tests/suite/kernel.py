"""The kernel's own self-tests, and failures on purpose: selftest=… on the kernel's command line."""
import os
import re

from suite.base import (ARCHES, BUILD, Guest, both, check, equal, figure, machine, make, scratch,
                        test)

# What to provoke -> what the report must say, and the function the backtrace must name.
CRASHES = {
    "panic": ("selftest", "crash_panic"),
    "null": ("Oops: .*address 0000000000000008", "crash_null"),
    "stackoverflow": ("kernel stack overflow", "overflow"),
    "writetext": ("Oops: .*ffffffff80000000", "crash_writetext"),
    "writeconst": ("Oops: ", "crash_writeconst"),
    "writealias": ("Oops: .*address ffffffd", "crash_writealias"),
    "execdata": ("Oops: ", "selftest_run"),
    "readuser": ("Oops: .*address 0000000000010000", "crash_readuser"),
    "deadlock": ("spinlock [0-9a-f]+ is taken again by its holder", "crash_deadlock"),
    "mutexdeadlock": ("recursive mutex_lock", "selftest_crash"),
}
# The same for DEBUG=1, after which the kernel lives on.
REPORTS = {
    "lockorder": "wrong lock order: lock_a .* lock_b",
    "irqlock": "not interrupt-safe: irq_lock",
    "sleepatomic": "sleeping function called from an atomic context at .*selftest_crash.c",
}


def console(arch, name, seconds=60, **options):
    """All that a boot with selftest=NAME says until the machine is off."""
    with Guest(machine(arch, **options), "panic=-1", f"selftest={name}") as guest:
        ended = guest.wait_end(seconds)
        print(guest.text)
        equal("QEMU's exit status", 0, ended)
        return guest.text


def sched(arch, cpus):
    """Threads, locks, timers, preemption, calls between CPUs, idle CPUs: the scheduler's self-test."""
    out = console(arch, "sched", cpus=cpus)
    check("selftest: sched passed" in out, "it did not pass")
    figure(re.search(r"idle: .*", out)[0])


for arch in ARCHES:
    for cpus in (1, 4, 8):
        test(f"kernel-sched-{arch}-cpus{cpus}", arch, cpus, needs=[arch], timeout=90,
             campaign=cpus == 8)(sched)


@both("kernel-crashes", timeout=150)
def crashes(arch):
    """Bad accesses, overflows and deadlocks panic with a reason, registers and a named backtrace."""
    for name, (reason, function) in CRASHES.items():
        out = console(arch, name, cpus=2)
        check(re.search("Kernel panic - not syncing: .*" + reason, out), f"{name}: no {reason!r}")
        trace = out.partition("Call trace:")[2]
        check(re.search(rf"\b{function}\+0x", trace), f"{name}: {function} is not in the backtrace")
        check(re.search(r"\bsp\s*: [0-9a-f]{16}", out), f"{name}: no registers")
        check("---[ end Kernel panic ]---" in out, f"{name}: the report is cut short")
    out = console(arch, "panicpanic", cpus=2)
    check(re.search(r"panic within a panic: \n.*Oops: ", out), "a fault in a panic is not told")


@both("kernel-lock-checker", timeout=300)
def lock_checker(arch):
    """With DEBUG=1 wrong locking is reported with names, and right locking is not."""
    make(f"ARCH={arch}", "DEBUG=1", "kernel", build=f"{scratch()}/b")
    build = f"{scratch()}/b/{arch}-debug"
    os.symlink(f"{BUILD}/{arch}/initrd.img", f"{build}/initrd.img")
    for name, report in REPORTS.items():
        out = console(arch, name, cpus=2, build=build)
        check(re.search(report, out), f"{name}: no {report!r}")
        check(re.search(rf"\bcrash_{name}\+0x|\btake_irq_lock\+0x", out), f"{name}: no backtrace")
        check(f"selftest: survived {name}" in out, f"{name}: the kernel did not live on")
    out = console(arch, "sched", cpus=4, build=build)
    check("selftest: sched passed" in out and "lockdep" not in out, "a false alarm")
