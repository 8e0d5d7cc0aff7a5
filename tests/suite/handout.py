"""The handout: what a student receives builds, speaks, grades 0, and tells nothing of the solution."""
import fcntl
import glob
import json
import os
import re
import shutil
import subprocess
import tomllib

from suite.base import ARCHES, BUILD, CAMPAIGN, TOP, check, equal, scratch, shell, test
from suite.grading import tree_state

TELLING = 30        # characters: a shorter line may stand in any program
CHANCE = 2          # lines of the reference in a file that hold no solution: a test's page core counts pages, too


def labs():
    """{number: (folder, lab.toml)}"""
    found = {}
    for path in sorted(glob.glob(f"{TOP}/labs/[0-9]-*/lab.toml")):
        with open(path, "rb") as file:
            toml = tomllib.load(file)
        found[toml["number"]] = (os.path.dirname(path), toml)
    return found


def write_handout():
    """A handout of this tree, this test's own; it is made once for all tests."""
    out, ready = f"{scratch()}/handout", f"{BUILD}/handout/{tree_state()[:16]}"
    os.makedirs(os.path.dirname(ready), exist_ok=True)
    with open(f"{BUILD}/handout/.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(ready):
            for old in glob.glob(f"{BUILD}/handout/*"):
                shutil.rmtree(old)
            subprocess.run([f"{TOP}/grading/handout", "--out", f"{ready}.new"], check=True,
                           env=dict(os.environ, BUILD=BUILD))
            os.rename(f"{ready}.new", ready)
        shutil.copytree(ready, out, symlinks=True)
    return out


def texts(folder):
    """{path: text} of what is neither git's nor an object."""
    for root, folders, files in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
        for name in files:
            if not name.endswith(".o"):
                with open(f"{root}/{name}", encoding="utf-8", errors="replace") as file:
                    yield os.path.relpath(f"{root}/{name}", folder), file.read()


def lines_of(text):
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= TELLING}


def has_no_solution(out):
    """Lines that only the reference's files have are not found in the files of the handout."""
    listed = subprocess.run(["git", "-C", TOP, "ls-files", "kernel", "user", "tools", "docs", "grading"], check=True,
                            capture_output=True, text=True).stdout.split()
    owned = {path for _, toml in labs().values() for path in toml["owned"]}
    telling, common = {}, set()
    for path in listed:
        with open(f"{TOP}/{path}", encoding="utf-8", errors="replace") as file:
            lines = lines_of(file.read())
        if path in owned:
            telling.update({line: path for line in lines})
        else:
            common |= lines
    for folder, toml in labs().values():
        for path in toml["owned"]:
            with open(f"{folder}/starter/{os.path.basename(path)}", encoding="utf-8") as file:
                common |= lines_of(file.read())
    telling = {line: path for line, path in telling.items() if line not in common}
    check(len(telling) > 100, "the reference has hardly a line of its own: is it there?")
    for name, text in texts(out):
        found = sorted(lines_of(text) & set(telling))
        check(len(found) <= CHANCE, f"{name} tells of {telling[found[0]] if found else ''}: {found[:CHANCE + 1]}")


def objects_are_bare(out):
    objects = glob.glob(f"{out}/prebuilt/**/*.o", recursive=True)
    check(objects, "there are no prebuilt objects")
    for path in objects:
        names = shell("objdump", "-h", path)
        check(".debug" not in names, f"{path} has debugging information")


def links_lead_somewhere(out):
    for name, text in texts(out):
        if name.endswith(".md"):
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
                target = os.path.normpath(f"{out}/{os.path.dirname(name)}/{link}")
                check(os.path.exists(target), f"{name}: the link to {link} leads nowhere")


def in_handout(out, *words, status=0):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    return shell("make", "--no-print-directory", f"BUILD={scratch()}/b", *words, cwd=out, status=status, timeout=1500,
                 env=env)


def grade(out, lab, status):
    path = f"{scratch()}/grade.json"
    shell(f"{out}/grading/grade", "--lab", lab, "--json", path, out, cwd=out, status=status, timeout=1500,
          env=dict(os.environ, BUILD=f"{scratch()}/b"))
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@test("handout", timeout=2400)
def handout():
    """A handout holds no solution, hidden test or mutant, is a git tree, and grades 0 with words for all of it."""
    out = write_handout()
    equal("git status", "", shell("git", "-C", out, "status", "--short"))
    for folder, toml in labs().values():
        for path in toml["owned"]:
            with open(f"{out}/{path}", encoding="utf-8") as file:
                check("is not written yet" in file.read(), f"{path} is no starter")
    for what in ("labs/*/mutants", "labs/*/tests/hidden", "labs/*/designs", "tests", "docs/instructor*"):
        check(not glob.glob(f"{out}/{what}"), f"the handout holds {what}")
    has_no_solution(out)
    objects_are_bare(out)
    links_lead_somewhere(out)
    said = in_handout(out, "help")
    check("make mutants" not in said and "make grade" in said, "make help speaks of what is not there")
    check("not in a student's tree" in in_handout(out, "test", status=2), "make test does not say why it cannot be")
    for number in labs():
        check("is not written yet" in in_handout(out, "host-test", f"LAB={number}", status=2),
              f"make host-test LAB={number} does not get as far as the starter")
        result = grade(out, number, 1)
        equal(f"score of lab {number}", 0, result["score"])
        for case in result["tests"]:
            for arch in ARCHES:
                seen = case["places"][arch]
                check(seen["why"] or seen["log"], f"{case['name']} fails on {arch} without a word")


@test("handout-next-lab", timeout=2400)
def next_lab():
    """With lab 1 not written, BASE=reference lets lab 2 boot, and the grader gives it all its points."""
    out = write_handout()
    check("lab 1: page allocator is not written yet" in in_handout(out, "run", "LAB=2", "CMD=ls", status=2),
          "without BASE the boot does not say that lab 1 is missing")
    check("lab 2: buddy allocator is not written yet" in
          in_handout(out, "run", "LAB=2", "BASE=reference", "CMD=ls", status=2),
          "with BASE=reference the boot does not say that lab 2 is missing")
    for path in labs()[2][1]["owned"]:
        shutil.copy(f"{TOP}/{path}", f"{out}/{path}")
    said = in_handout(out, "run", "LAB=2", "BASE=reference", "ICOUNT=1", "DISK=none",
                      "CMD=usertests cow_isolation && bootcheck")
    check("ok 4 blocks_merge_again" in said, "bootcheck does not pass")
    result = grade(out, 2, 0)
    equal("score of lab 2", 100, result["score"])
    equal("score of lab 1", 0, grade(out, 1, 1)["score"])


@test("handout-one-lab", timeout=2400)
def one_lab():
    """With one lab done and the others starters, that lab has all its points; BASE=reference boots it, with KASAN too."""
    out, known = write_handout(), labs()
    for number in known if CAMPAIGN else (3, 4, 5):
        shell("git", "-C", out, "checkout", "-q", ".")
        toml = known[number][1]
        for path in toml["owned"]:
            shutil.copy(f"{TOP}/{path}", f"{out}/{path}")
        equal(f"score of lab {number} alone", 100, grade(out, number, 0)["score"])
        for arch in ARCHES if CAMPAIGN else (ARCHES[number % 2],):
            said = in_handout(out, "ktest", f"LAB={number}", f"ARCH={arch}", f"TESTS={toml['part'][0]['name']}")
            check(" 0 failed" in said, f"make ktest LAB={number} ARCH={arch} fails")
            for options in BUILDS if CAMPAIGN else BUILDS[number == 5:][:1]:
                boots(out, number, arch, options)
    said = in_handout(out, "kernel", "LAB=5", "BASE=reference", "DEBUG=1", "KASAN=1", status=2)
    check("there are no ready-made objects" in said and len(said.splitlines()) == 1, "no word about what is not there")


BUILDS = ((), ("KASAN=1", "UBSAN=1"), ("DEBUG=1",))


def boots(out, number, arch, options):
    said = in_handout(out, "run", f"LAB={number}", "BASE=reference", f"ARCH={arch}", "DISK=none", "VERBOSE=1",
                      *options, "CMD=bootcheck programs_run_on_it")
    check("ok 1 programs_run_on_it" in said and "BUG:" not in said and "UBSAN:" not in said,
          f"lab {number} alone does not boot on {arch} with {' '.join(options) or 'BASE=reference'}")


@test("base-value")
def base_value():
    """BASE=reference means nothing in the instructor's tree; another value is one clear line."""
    objects = [shell("make", "--no-print-directory", f"BUILD={BUILD}", "--eval=show: ; @echo $(KERNEL_OBJ)", *words,
                     "show", env=plain()) for words in ((), ("BASE=reference",))]
    check("mm/phys/memblock.o" in objects[0], "make does not tell the kernel's objects")
    equal("objects of the kernel with BASE=reference", objects[0], objects[1])
    said = shell("make", "kernel", f"BUILD={BUILD}", "BASE=mine", status=2, env=plain())
    equal("lines about BASE=mine", 1, len(said.strip().splitlines()))
    check("use BASE=reference" in said, "a wrong BASE is not explained")


def plain():
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
