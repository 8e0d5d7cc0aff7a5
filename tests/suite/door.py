"""The door itself: tools/run with a fake guest, doctor, setup, images, the Makefile's errors."""
import glob
import os
import shutil
import subprocess
import time

from suite.base import TOP, E2FS, check, equal, make, scratch, shell, test

TROUBLE, TIMEOUT, DIED, PANICKED = 122, 124, 125, 254


def fake(part, status, *, output=None, says="", command="true", seconds=10, options=()):
    """tools/run against tests/fake-qemu playing a part: exit status, output, message, and no hang."""
    build = f"{scratch()}/build"
    os.makedirs(build, exist_ok=True)
    for name in ("Image", "initrd.img"):
        open(f"{build}/{name}", "w", encoding="ascii").close()
    begin = time.monotonic()
    done = subprocess.run([f"{TOP}/tools/run", "--build", build, "--disk", "none", *options, command],
                          env=dict(os.environ, QEMU=f"{TOP}/tests/fake-qemu", FAKE=part),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    print(part, done)
    equal(f"{part}: exit status", status, done.returncode)
    if output is not None:
        equal(f"{part}: output", output, done.stdout)
    check(says in done.stderr, f"{part}: expected {says!r} on standard error, got {done.stderr!r}")
    check(time.monotonic() - begin < seconds, f"{part}: took {time.monotonic() - begin:.1f} s")


@test("run-status")
def run_status():
    """make run prints the command's output alone and ends with its exit status."""
    fake("echo", 0, output="<echo 'a b' \"$?\" | wc>\n", command="echo 'a b' \"$?\" | wc")
    fake("status7", 7, output="")
    fake("status255", 255)
    fake("no-newline", 0, output="foo")
    fake("slow", 0, output="line 0\nline 1\nline 2\n")


@test("run-command-cannot-lie")
def run_spoof():
    """A command that prints an exit line or the word panic does not fool make run."""
    fake("spoof", 9, output="strata: run: exit status 0\nand more\n"
         "Kernel panic - only a word in a file\nmore\n")
    fake("spoof-die", DIED, says="killed by signal 9")


@test("run-timeout")
def run_timeout():
    """A hang ends with a message that says what hung and what it said last."""
    fake("hang", TIMEOUT, output="working on it\n", options=["--timeout", "1"],
         says="timed out after 1 s: the command did not end (last output: working on it)")
    fake("boot-hang", TIMEOUT, options=["--timeout", "1"], says="the boot did not end (last output: [    0.000000] Strata boots)")
    fake("chatter", TIMEOUT, options=["--timeout", "1"], says="last output: again")
    fake("no-power-off", TIMEOUT, says="did not power off", seconds=40)


@test("run-panic")
def run_panic():
    """A panic ends the run within seconds, and its text is shown."""
    fake("panic", PANICKED, output="half\n", says="free_one+0x1c")
    fake("panic-off", PANICKED, output="", says="Kernel panic - not syncing: bad page")
    fake("boot-panic", PANICKED, says="mount_root+0x10")


@test("run-died")
def run_died():
    """A machine that resets, dies or does not start is named."""
    fake("killed", DIED, says="QEMU was killed by signal 11 before the command ended")
    fake("boot-reset", DIED, says="triple fault")
    fake("no-firmware", DIED, says="QEMU says: qemu: could not load firmware")


@test("run-trouble")
def run_trouble():
    """A missing image, disk or command is the host's trouble, told in one line."""
    fake("status0", TROUBLE, command=" ", says="no command")
    fake("status0", TROUBLE, options=["--disk", "/nonexistent"], says="there is no /nonexistent")
    fake("status0", TROUBLE, command="x" * 5000, says="4000 is the most")
    shell(f"{TOP}/tools/run", "--gic", "7", "x", status=TROUBLE)


@test("make-run-passes-command")
def make_passes():
    """make run hands CMD over as typed, and fails when it fails."""
    build = f"{scratch()}/b"
    os.makedirs(build)
    with open(f"{build}/python", "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nprintf '%s' \"$STRATA_CMD\"\nexit 7\n")
    os.chmod(f"{build}/python", 0o755)
    command = "echo $? \"$HOME\" 'a  b' | wc -l; exit 7"
    out = make("-o", "kernel", "-o", "images", "run", f"CMD={command}", f"PYTHON={build}/python", status=2)
    check(command in out and "Error 7" in out, f"expected {command!r} to arrive, got {out!r}")


@test("make-errors")
def make_errors():
    """A wrong value of a variable is one clear line."""
    for words, says in [(["ARCH=vax"], "ARCH='vax' is not valid; use one of: riscv arm64"),
                        (["LAB=9"], "LAB='9' is not valid"),
                        (["LAB=3", "SLAB=slap"], "SLAB='slap' is not valid; use one of: page slab"),
                        (["PAGING=sv40"], "PAGING='sv40' is not valid"),
                        (["ARCH=arm64", "PAGING=sv39"], "PAGING is for ARCH=riscv"),
                        (["KASAN=2"], "KASAN='2' is not valid; use one of: 0 1"),
                        (["KASAN=1", "LLVM=1"], "KASAN=1 is for gcc"),
                        (["CROSS_COMPILE=nothere-"], "nothere-gcc is not installed"),
                        (["ARCH=arm64", "GIC=2", "CPUS=16"], "GICv2 has 8 CPU interfaces")]:
        out = make("-n", *words, status=2)
        check(says in out and len(out.splitlines()) == 1, f"make {words}: expected one line with {says!r}, got {out!r}")


@test("make-help")
def make_help():
    """make help names every command and every variable."""
    out = make("help")
    with open(f"{TOP}/Makefile", encoding="utf-8") as file:
        text = file.read()
    names = [line.split()[0] for line in text.splitlines() if " ?=" in line and not line.startswith("PYTHON")]
    names += "qemu run gdb doctor test campaign bench clean clean-disk compile_commands.json".split()
    equal("missing in make help", [], [n for n in names if n not in out])


def fake_tools(**versions):
    """A PATH in which every tool is a link to the real one, but for these fakes (None: missing)."""
    folder = f"{scratch()}/bin"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in {*os.listdir("/usr/bin"), *os.listdir("/usr/sbin")}:
        target = shutil.which(name, path="/usr/bin:/usr/sbin")
        if target and name not in versions:
            os.symlink(target, f"{folder}/{name}")
    for name, version in versions.items():
        if version:
            with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\necho '{version}'\n")
            os.chmod(f"{folder}/{name}", 0o755)
    return folder


def doctor(*words, status, folder="", **env):
    return shell(f"{TOP}/tools/doctor", *words, status=status,
                 env=dict(os.environ, STRATA_DOCTOR_PATH=folder, **env))


@test("doctor-healthy")
def doctor_healthy():
    """doctor finds nothing missing here, and its quick part takes less than 0.1 s of a processor's time."""
    doctor(status=0)
    times = []
    for _ in range(9):
        before = os.times()
        for arch in ("riscv", "arm64"):
            doctor("--quick", arch, status=0)
        times.append((sum(os.times()[2:4]) - sum(before[2:4])) / 2)
    check(min(times) < 0.1, f"quick part took {min(times):.3f} s at best")


@test("doctor-names-what-is-wrong")
def doctor_names():
    """An old or missing tool is named with its version and the package that brings it."""
    qemu = "QEMU emulator version"
    cases = [({"qemu-system-riscv64": f"{qemu} 6.2.0 (Debian 1:6.2)"}, ["qemu-system-riscv64 is version 6.2.0, too old: 7.0", "qemu-system-misc"]),
             ({"qemu-system-aarch64": None}, ["qemu-system-aarch64 is missing", "qemu-system-arm"]),
             ({"riscv64-linux-gnu-gcc": "9.4.0"}, ["version 9.4.0, too old: 12", "gcc-riscv64-linux-gnu"]),
             ({"gdb-multiarch": None}, ["gdb-multiarch is missing"]),
             ({"mke2fs": "mke2fs 1.42.9 (2013)"}, ["version 1.42.9, too old: 1.46", "e2fsprogs"]),
             ({"e2fsck": None, "debugfs": None}, ["e2fsck is missing", "debugfs is missing"])]
    for versions, words in cases:
        out = doctor(status=3, folder=fake_tools(**versions))
        for word in words:
            check(word in out, f"{versions}: expected {word!r} in {out!r}")
    out = doctor("--quick", "riscv", status=3, folder=fake_tools(**{"qemu-system-riscv64": f"{qemu} 5.2.0"}))
    check("5.2.0, too old" in out, f"quick part: {out!r}")
    out = doctor("--quick", "riscv", status=3, STRATA_FIRMWARE_PATH="/nonexistent")
    check("opensbi" in out, f"firmware: {out!r}")


@test("doctor-before-boot")
def doctor_before_boot():
    """A boot command refuses an old QEMU before anything boots."""
    folder = fake_tools(**{"qemu-system-riscv64": "QEMU emulator version 6.2.0"})
    out = shell(f"{TOP}/tools/run", "true", status=123, env=dict(os.environ, STRATA_DOCTOR_PATH=folder))
    check("6.2.0, too old" in out, f"expected the old version to be named, got {out!r}")


@test("setup-check")
def setup_check():
    """tools/setup --check finds all packages here and changes nothing."""
    out = shell(f"{TOP}/tools/setup", "--check")
    check("nothing to do" in out, out)
    shell(f"{TOP}/tools/setup", "--help")
    shell(f"{TOP}/tools/setup", "--nonsense", status=2)


def sample_tree():
    root = f"{scratch()}/root"
    os.makedirs(f"{root}/bin", exist_ok=True)
    os.makedirs(f"{root}/etc", exist_ok=True)
    for i in range(5):
        with open(f"{root}/bin/p{i}", "wb") as file:
            file.write(os.urandom(10000 * i + 1))
    with open(f"{root}/etc/motd", "w", encoding="ascii") as file:
        file.write("hello\n")
    return root


def mkimage(out, root, *options):
    shell(f"{TOP}/tools/mkimage", "--size", "8M", "--out", out, *options, root)


def fsck_clean(image):
    done = subprocess.run(["e2fsck", "-fn", image], **E2FS)
    check(done.returncode == 0, f"e2fsck -fn {image}: status {done.returncode}\n{done.stdout}{done.stderr}")


@test("image-repeatable")
def image_repeatable():
    """The same folder gives the same image, byte for byte."""
    root, a, b = sample_tree(), f"{scratch()}/a.img", f"{scratch()}/b.img"
    mkimage(a, root)
    time.sleep(1.1)
    for path in glob.glob(f"{root}/*/*"):
        os.utime(path)
    mkimage(b, root)
    fsck_clean(a)
    with open(a, "rb") as one, open(b, "rb") as two:
        check(one.read() == two.read(), "two images of one folder differ")


@test("image-update-keeps")
def image_update():
    """A rebuilt program is written into an existing disk; the guest's files stay."""
    root, image = sample_tree(), f"{scratch()}/a.img"
    mkimage(image, root, "--update")
    shell("debugfs", "-w", "-R", f"write {TOP}/LICENSE /etc/mine", image)
    with open(f"{root}/bin/p1", "w", encoding="ascii") as file:
        file.write("new p1\n")
    os.makedirs(f"{root}/usr")
    shutil.copy(f"{root}/bin/p2", f"{root}/usr/p9")
    mkimage(image, root, "--update")
    fsck_clean(image)
    for path, source in [("/etc/mine", f"{TOP}/LICENSE"), ("/bin/p1", f"{root}/bin/p1"), ("/usr/p9", f"{root}/bin/p2")]:
        shell("debugfs", "-R", f"dump {path} {scratch()}/out", image)
        shell("cmp", source, f"{scratch()}/out")
    # A disk that is beyond repair is replaced.
    with open(image, "r+b") as file:
        file.write(b"\0" * (1 << 20))
    mkimage(image, root, "--update")
    fsck_clean(image)
