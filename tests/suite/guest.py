"""What runs inside: usertests, glibc programs, the fuzzer, hostile programs."""
import random
import re
import time

from suite.base import ARCHES, BUILD, CAMPAIGN, boot, both, check, equal, figure, fresh_disk, make, scratch, shell, test


def usertests(arch, cpus, **options):
    """usertests passes, on a disk, with an area to swap to, and leaves a clean disk."""
    disk = fresh_disk(arch)
    out = boot(arch, "usertests -t", cpus=cpus, disk=disk, append="ramdisk=8M", timeout=400, **options).output
    passed, failed = re.search(r"^usertests: (\d+) passed, (\d+) failed", out, re.M).groups()
    equal("failed", 0, int(failed))
    figure(f"{passed} cases")
    check(int(passed) >= 60, f"only {passed} cases")
    shell("e2fsck", "-fn", disk)


for arch in ARCHES:
    for cpus in (1, 4):
        test(f"usertests-{arch}-cpus{cpus}", arch, cpus, needs=[arch], timeout=450)(usertests)
    test(f"usertests-{arch}-cpus8", arch, 8, needs=[arch], timeout=450, campaign=True)(usertests)


@both("usertests-lab1", timeout=900)
def usertests_lab1(arch):
    """The first stage, single pages only, passes usertests too."""
    make(f"ARCH={arch}", "LAB=1", "kernel", build=f"{scratch()}/b")
    for cpus in (1, 4):
        usertests(arch, cpus, build=f"{scratch()}/b/{arch}-lab1")


@both("usertests-time", rank=1, timeout=300)
def usertests_time(arch):
    """The whole suite takes at most 120 s at 4 CPUs on 2 cores, boot included."""
    begin = time.monotonic()
    boot(arch, "usertests -q", cpus=4, disk=fresh_disk(arch), timeout=120)
    figure(f"{time.monotonic() - begin:.0f} s")


@both("usertests-debug", timeout=900, campaign=True)
def usertests_debug(arch):
    """usertests passes with lock checking on."""
    make(f"ARCH={arch}", "DEBUG=1", build=f"{scratch()}/b")
    boot(arch, "usertests", cpus=4, build=f"{scratch()}/b/{arch}-debug", timeout=800)


def glibc(arch, cpus):
    """Static programs built against glibc run unmodified."""
    out = boot(arch, "/glibc/run-all", cpus=cpus, disk=fresh_disk(arch)).output
    passed, failed = re.search(r"^glibc: (\d+) passed, (\d+) failed", out, re.M).groups()
    equal("failed", 0, int(failed))
    figure(f"{passed} programs")
    check(int(passed) >= 8, f"only {passed} programs")


for arch in ARCHES:
    for cpus in (1, 4):
        test(f"glibc-{arch}-cpus{cpus}", arch, cpus, needs=[arch], timeout=200)(glibc)


@both("fuzz", timeout=300)
def fuzz(arch):
    """20 000 random system calls (1 000 000 in the campaign) end in an errno or a killed process."""
    seeds = range(1, 51) if CAMPAIGN else (1,)
    for seed in seeds:
        print(f"replay: make run ARCH={arch} CMD='fuzz -s {seed} -n 20000'", flush=True)
        disk = fresh_disk(arch)
        boot(arch, f"fuzz -s {seed} -n 20000", cpus=1 + seed % 4, disk=disk, timeout=250)
        shell("e2fsck", "-fn", disk)


@both("hostile-elf", timeout=200)
def hostile_elf(arch):
    """A corrupt ELF ends in an errno or a killed process."""
    disk, source = fresh_disk(arch), f"{BUILD}/{arch}/rootfs/bin/echo"
    with open(source, "rb") as file:
        good = file.read()
    rng, script, commands = random.Random(1), [], []
    for i in range(200 if CAMPAIGN else 40):
        bad = bytearray(good)
        kind = i % 4
        if kind == 0:
            bad = bad[:rng.randrange(len(bad))]
        for _ in range(rng.randrange(1, 6)):
            if kind in (1, 2):      # the headers: ELF, then program headers
                at = rng.randrange(0, 64 + 56 * 4)
                if at < len(bad):
                    bad[at] = rng.choice((0, 0x7f, 0x80, 0xff, rng.randrange(256)))
            elif kind == 3:         # a 64-bit field to an extreme
                at = 64 + 8 * rng.randrange(28)
                bad[at:at + 8] = rng.choice((0, 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 4096, 1 << 47, 4095,
                                             0xffffffff80000000)).to_bytes(8, "little")
        with open(f"{scratch()}/e{i}", "wb") as file:
            file.write(bad)
        script += [f"write {scratch()}/e{i} /root/e{i}", f"set_inode_field /root/e{i} mode 0100755"]
        commands.append(f"/root/e{i} x")
    with open(f"{scratch()}/script", "w", encoding="ascii") as file:
        file.write("\n".join(script) + "\n")
    shell("debugfs", "-w", "-f", f"{scratch()}/script", disk)
    for start in range(0, len(commands), 40):
        line = "; ".join(commands[start:start + 40]) + "; echo still here"
        check("still here" in boot(arch, line, disk=disk, timeout=60).output, "the shell is gone")


@both("hostile-script", timeout=100)
def hostile_misc(arch):
    """Odd commands leave the machine alive."""
    for command in ("cat /nonexistent /bin /dev/null; echo still here",
                    "cat < /bin | wc; ls /proc/1 /proc/self; cat /proc/999999/maps; echo still here",
                    "kill -9 1; rm /proc/uptime /dev/null; mkdir /proc/x; cat /proc/*/status | wc; echo still here"):
        check("still here" in boot(arch, command).output, f"{command!r}")
