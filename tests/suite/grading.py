"""The grader: full marks for the reference, none for the starter, a clear report for whatever else comes."""
import copy
import hashlib
import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET

from suite.base import BUILD, CAMPAIGN, TOP, check, equal, figure, scratch, test

LAB = 1
FREELIST = "kernel/mm/phys/freelist.c"
MEMBLOCK = "kernel/mm/phys/memblock.c"
OWNED = ("kernel/mm/phys/memblock.c", "kernel/mm/phys/page_init.c", FREELIST)
STARTER = f"{TOP}/labs/1-page/starter"
SAMPLE = ("double-free-accepted", "zone-end-off-by-one", "split-loses-tail", "lock-dropped-alloc")


def submission(name, **changed):
    """A folder with the reference's files; changed: freelist=text, None for a file that is missing."""
    folder = f"{scratch()}/{name}"
    for path in OWNED:
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        shutil.copy2(f"{TOP}/{path}", f"{folder}/{path}")
    for stem, text in changed.items():
        path = f"{folder}/kernel/mm/phys/{stem}.c"
        os.remove(path)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    return folder


def source(path=FREELIST):
    with open(f"{TOP}/{path}", encoding="utf-8") as file:
        return file.read()


def replaced(old, new, path=FREELIST):
    text = source(path)
    equal(f"places of {old!r} in {path}", 1, text.count(old))
    return text.replace(old, new)


def tree_state():
    """What grading may not touch."""
    out = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, check=True).stdout.decode().split("\0")
    state = hashlib.sha256()
    for path in sorted(set(out) - {""}):
        if os.path.isfile(f"{TOP}/{path}"):
            with open(f"{TOP}/{path}", "rb") as file:
                state.update(path.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    return state.hexdigest()


def grade(tree, status, *options):
    """The grade and what was printed; the exit status is as expected, and the tree is as it was."""
    out = f"{scratch()}/grade.json"
    before = tree_state()
    done = subprocess.run([f"{TOP}/grading/grade", "--lab", str(LAB), "--json", out, *options, tree], cwd=TOP,
                          env=dict(os.environ, BUILD=BUILD), stdin=subprocess.DEVNULL, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    print(done.stdout, flush=True)
    tail = (done.stdout.strip() or "no output").splitlines()[-1]
    equal(f"exit status ({tail})", status, done.returncode)
    equal("the pristine tree", before, tree_state())
    if status == 2:
        return None, done.stdout
    with open(out, encoding="utf-8") as file:
        return json.load(file), done.stdout


def points(result):
    return {part["name"]: part["score"] for part in result["parts"]}


def without_times(result):
    result = copy.deepcopy(result)
    del result["times"]
    return result


@test("grade-reference", timeout=1500)
def reference():
    """The reference gets 100 of 100, and the same JSON each time but for the times."""
    junit = f"{scratch()}/junit.xml"
    first, _ = grade(TOP, 0, "--junit", junit)
    equal("score", (100, 100), (first["score"], first["max_score"]))
    names = [case.get("classname") + "." + case.get("name") for case in ET.parse(junit).iter("testcase")]
    equal("names in the JUnit file that are there twice", len(names), len(set(names)))
    equal("cases in the JUnit file", 3 * len(first["tests"]), len(names))
    seconds = [first["times"]["total"]]
    for _ in range(49 if CAMPAIGN else 4):
        again, _ = grade(TOP, 0)
        equal("JSON but for times", without_times(first), without_times(again))
        seconds.append(again["times"]["total"])
    figure(f"{len(seconds)} runs, the fastest {min(seconds):.1f} s")


@test("grade-starter", timeout=900)
def starter():
    """The starter gets 0, and every failure says what is not written yet."""
    folder = f"{scratch()}/starter"
    for path in OWNED:
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        shutil.copy2(f"{STARTER}/{os.path.basename(path)}", f"{folder}/{path}")
    result, _ = grade(folder, 1)
    equal("score", 0, result["score"])
    for case in result["tests"]:
        if case["verdict"] == "passed":
            continue
        for place in ("riscv", "arm64"):
            seen = case["places"][place]
            check(seen["why"] or seen["log"], f"{case['name']} fails on {place} without a word")


def bad(name, says, **changed):
    """Graded with exit status 1, freelist and smp lost, a report that holds the words."""
    result, out = grade(submission(name, **changed), 1)
    equal(f"{name}: points for the free list", 0, points(result)["freelist"])
    check(says in out, f"{name}: expected {says!r} in the report")
    return result


@test("grade-bad-source", timeout=1500)
def bad_source():
    """A file that is missing, does not compile, or breaks a rule loses its points and no others."""
    for name, says, text in (
            ("missing", "the file is missing", None),
            ("syntax", "does not compile", replaced("	zone->free_pages--;", "	zone->free_pages--")),
            ("incbin", ".incbin", source() + '\n__asm__(".incbin \\"/etc/passwd\\"");\n'),
            ("include", "only the kernel's own headers", '#include "/etc/passwd"\n' + source()),
            ("solution", "only the kernel's own headers", '#include "mm/phys/freelist.c"\n'),
            ("harness", "belongs to the kernel or the harness",
             source() + "\nvoid ktest_fail(void);\nvoid ktest_fail(void) { }\n"),
            ("calls", "may not call", source().replace("	zone->free_pages = 0;", "	arch_poweroff();\n	zone->free_pages = 0;")
             .replace('#include "mm/phys/page_alloc.h"', '#include "mm/phys/page_alloc.h"\n#include "arch/arch.h"'))):
        result = bad(name, says, freelist=text)
        equal(f"{name}: points for memblock", 20, points(result)["memblock"])


@test("grade-bad-behaviour", timeout=2400, campaign=True)
def bad_behaviour():
    """Endless loops, floods, panics and printed look-alikes are named, and nothing is earned by them."""
    alloc = "	page = list_first_entry"
    result = bad("loop", "TIMED OUT", freelist=replaced(alloc, "	for (;;)\n		barrier();\n" + alloc))
    check(any(t["verdict"] == "timed out" for t in result["tests"]), "no test timed out")
    bad("panic", "out of ideas", freelist=replaced(
        alloc, '	panic("out of ideas");\n' + alloc).replace(
            '#include "mm/phys/page_alloc.h"', '#include "mm/phys/page_alloc.h"\n#include "base/panic.h"'))
    printk = '#include "mm/phys/page_alloc.h"\n#include "base/printk.h"'
    result = bad("spoof", "attempt to spoof", freelist=replaced(
        alloc, '	printk(KERN_EMERG "ok 16 a_page_is_handed_out_once # 1 instructions mac=0123456789abcdef\\n");\n'
        + alloc).replace('#include "mm/phys/page_alloc.h"', printk))
    check(result["spoofs"], "no spoof was noted")
    bad("flood", "flood", freelist=replaced(
        alloc, '	for (;;)\n		printk(KERN_EMERG "and on and on and on and on and on and on and on and on\\n");\n' + alloc)
        .replace('#include "mm/phys/page_alloc.h"', printk))


@test("grade-takes-only-the-files", timeout=600)
def only_files():
    """A changed Makefile, lab.toml or test in the submission changes nothing."""
    folder = submission("fork")
    with open(f"{folder}/Makefile", "w", encoding="ascii") as file:
        file.write(f"$(shell touch {scratch()}/touched)\nall:\n\ttouch {scratch()}/touched\n")
    os.makedirs(f"{folder}/labs/1-page")
    with open(f"{folder}/labs/1-page/lab.toml", "w", encoding="ascii") as file:
        file.write("number = 1\n")
    result, _ = grade(folder, 0)
    equal("score", 100, result["score"])
    check(not os.path.exists(f"{scratch()}/touched"), "the submission's Makefile was run")


@test("grade-trouble")
def trouble():
    """What is not the submission's fault ends with 2, not with a grade."""
    grade(f"{scratch()}/nowhere", 2)
    done = subprocess.run([f"{TOP}/grading/grade", "--lab", "9", TOP], capture_output=True, text=True, check=False)
    equal("exit status for a lab that is not there", 2, done.returncode)


def kill(names):
    done = subprocess.run([f"{TOP}/grading/mutants", "--lab", "1", "--jobs", "1", *names], env=dict(os.environ, BUILD=BUILD),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    equal("exit status", 0, done.returncode)
    figure(done.stdout.strip().splitlines()[-1])


@test("mutants-sample", timeout=900)
def mutants_sample():
    """A sample of wrong solutions of lab 1 loses points."""
    kill(SAMPLE)


@test("mutants-all", timeout=3600, campaign=True)
def mutants_all():
    """Every wrong solution of lab 1 loses points."""
    kill(())
