"""What a grade hangs on besides the submission: the record by which it can be repeated and defended.

The version is a hash of contents, not of a commit: of the grader's own modules, of the tools and rules by which it
builds and runs, of the lab (its lab.toml, starters and tests), and of the kernel and programs around the
submission. What says nothing about a grade is left out: handouts' texts, wrong solutions, documentation, and the
reference's own copy of the graded files. Two grades of the same files by the same version, tools and seed are the same
in all that results() leaves.
"""
import glob
import hashlib
import os
import re
import subprocess

from .lab import Lab, Trouble

SEED_STEP = 0x9e3779b9      # kernel/test/ktest/run.c and host.c: the seeds of a test are seed + i * SEED_STEP
TOOLS = (("gcc", "--version"), ("riscv64-linux-gnu-gcc", "--version"), ("aarch64-linux-gnu-gcc", "--version"),
         ("riscv64-linux-gnu-ld", "--version"), ("aarch64-linux-gnu-ld", "--version"),
         ("qemu-system-riscv64", "--version"), ("qemu-system-aarch64", "--version"), ("make", "--version"))
FIRMWARE = ("/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin",
            "/usr/share/opensbi/lp64/generic/firmware/fw_dynamic.bin")
BUILDS = ("Makefile", "tools/make/*.mk", "tools/strata/*.py", "tools/ktest", "tools/ktest-build", "tools/bootcheck",
          "tools/ksyms", "tools/mkimage", "user/**/*", "kernel/**/*")


def modules(start="grade"):
    """The module and those that it imports, themselves or through others."""
    folder, found, left = os.path.dirname(os.path.abspath(__file__)), set(), [start]
    while left:
        name = left.pop()
        if name in found or not os.path.isfile(f"{folder}/{name}.py"):
            continue
        found.add(name)
        with open(f"{folder}/{name}.py", encoding="utf-8") as file:
            for match in re.finditer(r"^\s*from \.(\w*) import ([\w, ]+)", file.read(), re.M):
                left += [match[1]] if match[1] else match[2].replace(" ", "").split(",")
    return sorted(f"grading/strata_grade/{name}.py" for name in found)


def files(lab):
    """Paths below the tree's top."""
    patterns = [*BUILDS, f"prebuilt/lab{lab.number}/**/*"]
    patterns += [f"{os.path.relpath(lab.folder, lab.top)}/{name}" for name in ("lab.toml", "starter/**/*", "tests/**/*")]
    found = {os.path.relpath(path, lab.top) for pattern in patterns
             for path in glob.glob(f"{lab.top}/{pattern}", recursive=True) if os.path.isfile(path)}
    # In a student's tree the files of the other labs are theirs, too, and do not take part.
    mine = [lab] if not lab.handout else [Lab(int(os.path.basename(f).split("-")[0]), lab.top)
                                          for f in glob.glob(f"{lab.top}/labs/[0-9]*-*")]
    return sorted(found - {path for one in mine for path in one.owned} | set(modules()))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def grader(lab):
    """{"version": 64 hex digits, "commit": of this tree or None}; "-changed" behind a commit: and more."""
    lines = "".join(f"{digest(f'{lab.top}/{path}')} {path}\n" for path in files(lab))
    return {"version": hashlib.sha256(lines.encode()).hexdigest(), "commit": None if lab.handout else commit(lab.top)}


def commit(top):
    def git(*words):
        return subprocess.run(["git", "--no-optional-locks", "-C", top, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
    try:
        if git("rev-parse", "--show-toplevel").stdout.strip() != os.path.realpath(top):
            return None
        head = git("rev-parse", "HEAD").stdout.strip()
        return head + ("-changed" if git("status", "--porcelain", "--untracked-files=no").stdout.strip() else "") \
            if head else None
    except FileNotFoundError:
        return None


def results(grade):
    """The grade without what no second run repeats: times, and what was seen on the host, whose threads and clock are its
    own. The host's verdicts stay where they count."""
    def place(test, name, seen):
        return seen if name != "host" else {"verdict": seen["verdict"]} if test["host_counts"] else {}

    kept = {key: value for key, value in grade.items() if key != "times"}
    kept["findings"] = [finding for finding in grade["findings"] if finding["kind"] not in ("asan", "ubsan")]
    kept["tests"] = [dict(test, places={name: place(test, name, seen) for name, seen in test["places"].items()})
                     for test in grade["tests"]]
    return kept


def seeds(first):
    return {"first": first, "step": SEED_STEP}


def tools():
    """{name: what it says of itself}; of firmware, which says nothing, a hash."""
    found = {words[0]: version(*words) for words in TOOLS}
    path = next((path for path in FIRMWARE if os.path.isfile(path)), None)
    found["opensbi"] = f"{os.path.basename(path)} sha256 {digest(path)[:16]}" if path else "built into QEMU"
    return found


def version(*words):
    try:
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=True).stdout.splitlines()[0]
    except FileNotFoundError:
        raise Trouble(f"{words[0]} is not installed: run ./tools/setup") from None
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise Trouble(f"{words[0]} does not work: {error}") from None
