"""What every test uses: the mark @test, and short ways to build, boot and compare."""
import inspect
import os
import re
import shutil
import subprocess
import sys
import traceback
from dataclasses import dataclass, field

from strata.machine import Guest, Machine  # noqa: F401  (tests import Guest from here)

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD") or f"{TOP}/build")
CAMPAIGN = bool(os.environ.get("CAMPAIGN"))
CAMPAIGN_PATIENCE = 30      # times the normal time limit
SKIPPED = 77                # exit status of a test that could not be run here
ARCHES = ("riscv", "arm64")
TESTS = {}
E2FS = {"env": dict(os.environ, LC_ALL="C"), "stdin": subprocess.DEVNULL, "capture_output": True, "text": True}


@dataclass
class Test:
    name: str
    about: str
    timeout: float = 120
    run: object = None
    args: tuple = ()
    script: str = ""
    needs: list = field(default_factory=list)   # machines that must have been built
    campaign: bool = False
    rank: int = 2           # 0: builds what others need; 1: runs alone; 2: beside others
    provides: str = ""


class Failure(Exception):
    """A test's verdict: what was expected, what was seen."""


class Skip(Exception):
    """This machine lacks what the test, or the rest of it, needs; what it could check was right."""


def test(name, *args, **options):
    """Mark a function as a test; with args, one of several tests of the same function."""
    def mark(function):
        about = (inspect.getdoc(function) or "").split("\n")[0]
        TESTS[name] = Test(name=name, about=about, run=function, args=args, **options)
        return function
    return mark


def run_one(name):
    this = TESTS[name]
    shutil.rmtree(scratch(name), ignore_errors=True)
    os.makedirs(scratch(name))
    try:
        this.run(*this.args)
    except Failure as failure:
        print(f"failed: {failure}")
        return 1
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Exception:   # a test's own mistake is a failure as well
        traceback.print_exc()
        return 1
    shutil.rmtree(scratch(name), ignore_errors=True)
    return 0


def scratch(name=None):
    """The running test's own folder; kept if the test fails."""
    return f"{BUILD}/tests/{name or sys.argv[sys.argv.index('--one') + 1]}"


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(what, expected, actual):
    check(expected == actual, f"{what}: expected {expected!r}, got {actual!r}")


def figure(text):
    """What this test measured: shown behind its `ok`."""
    print(f"figure: {text}", flush=True)


def shell(*words, timeout=600, status=0, **options):
    """Run a program on this machine; its output. `status` None: any."""
    print("+", " ".join(map(str, words)), flush=True)
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout,
                          cwd=options.pop("cwd", TOP), **options)
    print(done.stdout, flush=True)
    if status is not None and done.returncode != status:
        tail = (done.stdout.strip() or "no output").splitlines()[-1]
        raise Failure(f"{os.path.basename(str(words[0]))} ended with status {done.returncode}, expected {status}: {tail}")
    return done.stdout


def make(*words, build=BUILD, **options):
    return shell("make", "--no-print-directory", f"BUILD={build}", *words, **options)


def fresh_disk(arch, name="disk.img"):
    """A disk as `make` first made it, this test's own."""
    path = f"{scratch()}/{name}"
    shell(f"{TOP}/tools/mkimage", "--size", "64M", "--out", path, f"{BUILD}/{arch}/rootfs")
    return path


def machine(arch, **options):
    options.setdefault("disk", "none")
    options.setdefault("build", f"{BUILD}/{arch}")
    return Machine(arch=arch, **options)


@dataclass
class Result:
    status: int
    output: str     # the command's own
    console: str    # everything the guest and the tool said


def boot(arch, command, status=0, timeout=100, **options):
    """Boot, run a shell command through tools/run, check its exit status."""
    m = machine(arch, **options)
    words = [f"{TOP}/tools/run", "--arch", arch, "--cpus", m.cpus, "--mem", m.mem, "--gic", m.gic,
             "--build", m.build, "--disk", m.disk or "none", "--timeout", timeout, "--no-fsck"]
    words += ["--paging", m.paging] if m.paging else []
    words += ["--nodes", m.nodes] if m.nodes else []
    words += ["--swap", m.swap] if m.swap else []
    words += ["--qemu", " ".join(m.extra)] if m.extra else []
    words += ["--append", m.append] if m.append else []
    words += ["--icount"] if m.icount else []
    print("+", " ".join(map(str, words)), repr(command), flush=True)
    done = subprocess.run([str(w) for w in words] + [command], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, errors="replace", cwd=TOP)
    print(done.stdout + done.stderr, flush=True)
    if status is not None and done.returncode != status:
        told = re.findall(r"^run: (.*)", done.stderr, re.M)
        panic = re.findall(r"^.*Kernel panic.*", done.stderr, re.M)
        raise Failure(f"{command!r} ended with status {done.returncode}, expected {status}: "
                      + " ".join(told + panic or done.stdout.splitlines()[-1:]))
    return Result(done.returncode, done.stdout, done.stdout + done.stderr)


def both(name, **options):
    """Mark a function as two tests, one on each machine; it gets the machine's name."""
    def mark(function):
        for arch in ARCHES:
            test(f"{name}-{arch}", arch, needs=[arch], **options)(function)
        return function
    return mark
