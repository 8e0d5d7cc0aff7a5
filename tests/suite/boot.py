"""Boots: every mode of both machines, CPUs and memory sizes; the shell; panics and hangs; cost."""
import os
import re
import subprocess

from suite.base import (BUILD, TOP, Guest, boot, both, check, equal, figure, fresh_disk, machine,
                        shell, test)

MODES = {"riscv-sv39": ("riscv", {"paging": "sv39"}), "riscv-sv48": ("riscv", {"paging": "sv48"}),
         "riscv-sv57": ("riscv", {"paging": "sv57"}), "arm64-gicv2": ("arm64", {"gic": "2"}),
         "arm64-gicv3": ("arm64", {"gic": "3"})}
CPUS, MEM = (1, 2, 4, 8), ("64M", "256M", "8G")
MIB = {"64M": 64, "256M": 256, "8G": 8192}
# Every CPU count and every size with every mode; the rest in the campaign.
SAMPLE = {(1, "64M"), (2, "256M"), (4, "8G"), (8, "64M")}


def boots(mode, cpus, mem):
    """Boots to the shell; sees all CPUs, the memory and the paging mode."""
    arch, options = MODES[mode]
    out = boot(arch, "cat /proc/cpuinfo /proc/meminfo && echo the shell works", cpus=cpus, mem=mem, **options).output
    check("the shell works\n" in out, f"no shell: {out[-200:]!r}")
    equal("CPUs", cpus, len(re.findall(r"^processor\s*:", out, re.M)))
    total = int(re.search(r"^MemTotal:\s+(\d+) kB", out, re.M)[1]) / 1024
    initrd = os.path.getsize(f"{BUILD}/{arch}/initrd.img") / 2**20     # stays where the loader put it
    check(0.95 * (MIB[mem] - initrd) - 1 < total <= MIB[mem], f"MemTotal is {total:.0f} MiB of {mem}")
    if "paging" in options:
        equal("mmu", [options["paging"]] * cpus, re.findall(r"^mmu\s*: (\S+)", out, re.M))


for mode in MODES:
    for cpus in CPUS + (16,):
        for mem in MEM:
            if not (mode == "arm64-gicv2" and cpus > 8):
                test(f"boot-{mode}-cpus{cpus}-{mem}", mode, cpus, mem, needs=[MODES[mode][0]],
                     campaign=(cpus, mem) not in SAMPLE)(boots)


@both("boot-default-paging", timeout=150)
def default_paging(arch):
    """Without paging= the deepest mode is chosen, and a wrong word is no harm."""
    if arch == "riscv":
        check("sv57" in boot(arch, "cat /proc/cpuinfo").output, "the default is not sv57")
    boot(arch, "true", append="paging=sv99 nonsense=1 =")


@both("boot-disk")
def boot_disk(arch):
    """Boots from the disk, and what it writes is there at the next boot."""
    disk = fresh_disk(arch)
    boot(arch, "mkdir /root/d && echo kept > /root/d/f", disk=disk)
    equal("file", "kept\n", boot(arch, "cat /root/d/f", disk=disk).output)
    check("/dev/vda" in boot(arch, "cat /proc/mounts", disk=disk).output, "root is not /dev/vda")


@both("boot-interactive")
def interactive(arch):
    """A person at the console gets a prompt, answers, Ctrl-C, and power-off."""
    with Guest(machine(arch), typing=True) as guest:
        check(guest.wait_for(r"^\$ \Z", 60), f"no prompt: {guest.text[-300:]!r}")

        def ask(line, answer):
            start = len(guest.text)
            guest.type(line)
            check(guest.wait_for(answer, 30, start), f"{line!r}: expected {answer!r}, got {guest.text[start:]!r}")
        ask("echo first | cat\n", r"^first\n\$ \Z")
        ask("sleep 1000\n", "sleep 1000\n")
        # The shell may not have started it yet, and it does not care for Ctrl-C: then type it again.
        start = len(guest.text)
        guest.type("\x03")
        if not guest.wait_for(r"\$ \Z", 5, start):
            ask("\x03", r"\$ \Z")
        ask("echo status $?\n", r"^status 130\n\$ \Z")
        ask("cat\n", "cat\n")
        ask("line\n", "line\nline\n")
        ask("\x04", r"\$ \Z")
        guest.type("poweroff\n")
        equal("QEMU's exit status", 0, guest.wait_end(30))


@both("boot-idle-sleeps", timeout=150)
def idle(arch):
    """Idle CPUs are asleep: a machine that waits costs the host next to nothing."""
    with Guest(machine(arch, cpus=4), typing=True) as guest:
        check(guest.wait_for(r"^\$ \Z", 60), "no prompt")
        guest.wait_end(2)

        def ticks():
            with open(f"/proc/{guest.process.pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        before = ticks()
        guest.wait_end(5)
        share = (ticks() - before) / 500
        figure(f"4 idle CPUs: {share:.1%} of one host CPU")
        check(share < 0.5, f"4 idle CPUs use {share:.2f} of a host CPU")


@both("run-exit-status")
def exit_status(arch):
    """make run ends with the command's status, on the real machine."""
    boot(arch, "exit 7", status=7)
    boot(arch, "true", status=0)
    boot(arch, "nosuchprogram", status=127)
    equal("output", "a b\n", boot(arch, "echo a b | cat").output)


@both("run-guest-hangs", timeout=60)
def guest_hangs(arch):
    """A command that never ends is ended, with a message."""
    out = boot(arch, "echo going; sleep 1000", status=124, timeout=15).console
    check("timed out after 15 s: the command did not end (last output: going)" in out, out)


@both("run-guest-panics", timeout=60)
def guest_panics(arch):
    """A panic names itself, the registers, and a backtrace with function names; other CPUs stop."""
    out = boot(arch, "echo before; echo c > /proc/sysrq-trigger", status=254).console
    check("Kernel panic" in out and "before\n" in out, out)
    trace = re.findall(r"\b([a-z_]\w+)\+0x[0-9a-f]+", out)
    check(len(trace) >= 4 and any("syscall" in name or "write" in name for name in trace),
          f"backtrace: {trace}")
    register = r"\b(sp|ra|pc|epc)\s*[:=]" if arch == "riscv" else r"\b(sp|x29|pc|lr)\s*[:=]"
    check(re.search(register, out), "no registers in the panic")


@both("run-no-root", timeout=90)
def no_root(arch):
    """A missing disk is told, and the machine neither panics nor hangs."""
    m = machine(arch, append="root=/dev/vda")
    m.command_line = lambda *words: "root=/dev/vda"
    command = m.command()
    at = command.index("-initrd")
    m.command = lambda *words: command[:at] + command[at + 2:]
    with Guest(m) as guest:
        ended = guest.wait_end(40)
        print(guest.text)
        check("Kernel panic" not in guest.text, "the kernel panicked")
        check(re.search(r"(?i)root|vda", guest.text), "nothing is said about the root disk")
        equal("QEMU's exit status", 0, ended)


@both("boot-numa", timeout=90)
def numa(arch):
    """Two NUMA nodes boot, from a disk where the machine has one then, and refuse plainly a swap disk where not."""
    disk = fresh_disk(arch) if arch == "arm64" else None
    out = boot(arch, "mount", nodes=2, cpus=4, mem="256M", disk=disk).output
    check(("/dev/vda" if disk else "/dev/ram0") in out, f"root is on something else: {out}")
    if not disk:
        out = shell(f"{TOP}/tools/run", "--arch", arch, "--nodes", 2, "--swap", "16M", "--build", f"{BUILD}/{arch}", "true",
                    status=122)
        check("has no disks here" in out, out)


@both("boot-icount-repeatable", timeout=150)
def icount(arch):
    """Under instruction counting two boots print the same."""
    outs = []
    for _ in range(2):
        with Guest(machine(arch, icount=True), "strata.run=" + "ls /bin | wc; ps".encode().hex()) as guest:
            equal("QEMU's exit status", 0, guest.wait_end(60))
            outs.append(guest.text)
    equal("second console", outs[0].splitlines(), outs[1].splitlines())


@both("gdb-stops-at-entry", timeout=90)
def gdb(arch):
    """make gdb stops in start_kernel with names, and its helpers work."""
    done = subprocess.run([f"{TOP}/tools/run", "--arch", arch, "--build", f"{BUILD}/{arch}", "--disk", "none",
                           "--cpus", "2", "--gdb"], text=True, capture_output=True, timeout=80, cwd=TOP,
                          input="break start_kernel\ncontinue\nbt 1\nstrata ps\nkill\nquit\n")
    print(done.stdout, done.stderr)
    check("Breakpoint 1, start_kernel" in done.stdout, "gdb did not stop in start_kernel")
    check(re.search(r"^.*cpu +1 ", done.stdout, re.M), "strata ps does not list the CPUs")
