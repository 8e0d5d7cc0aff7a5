"""A new lab's skeleton: it builds, its starter earns nothing, its reference everything, and nothing else has changed."""
import glob
import json
import os
import subprocess

from suite.base import ARCHES, check, equal, scratch, shell, test
from suite.fairness import copy_tree

NAME = "page_runs"


def in_tree(tree, *words, status=0):
    return shell(*words, cwd=tree, status=status, timeout=1200, env=dict(os.environ, BUILD=f"{scratch()}/b"))


def grade(tree, submission, status):
    out = f"{scratch()}/grade.json"
    text = in_tree(tree, f"{tree}/grading/grade", "--lab", number(tree), "--json", out, submission, status=status)
    with open(out, encoding="utf-8") as file:
        return json.load(file), text


def number(tree):
    return 1 + max(int(os.path.basename(p).split("-")[0]) for p in glob.glob(f"{tree}/labs/[0-9]-*") if NAME not in p.replace("-", "_"))


def new_lab(tree, n, name, status=0):
    return in_tree(tree, "make", "--no-print-directory", "new-lab", f"N={n}", f"NAME={name}", status=status)


@test("new-lab", timeout=1500)
def skeleton():
    """make new-lab: the reference gets 100, the starter 0, on both machines, the wrong solution is killed; the stages below do not change."""
    tree = copy_tree(f"{scratch()}/tree")
    n = number(tree)
    for words in ((n + 1, NAME), (n - 1, NAME), (n, "int"), (n, "../up"), (n, "buddy"), (n, "X"), ("x", NAME)):
        new_lab(tree, *words, status=2)
    shell("git", "init", "-q", cwd=tree)
    shell("git", "add", "-A", cwd=tree)
    shell("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "first", cwd=tree)
    new_lab(tree, n, NAME)
    changed = subprocess.run(["git", "status", "--porcelain", "--untracked-files=all"], cwd=tree, capture_output=True, text=True,
                             check=True).stdout.split("\n")
    equal("changed files", {"Makefile", "tools/make/kernel.mk", "tools/make/config.mk"},
          {line[3:] for line in changed if line.startswith(" M")})
    new_lab(tree, n + 1, NAME, status=2)

    result, _ = grade(tree, tree, 0)
    equal("score of the reference", (100, 100), (result["score"], result["max_score"]))
    for case in result["tests"]:
        check(all(case["places"][arch]["verdict"] == "passed" for arch in ARCHES), f"{case['name']}: {case['places']}")
    starter = f"{scratch()}/starter/kernel/mm/phys"
    os.makedirs(starter)
    shell("cp", f"{tree}/labs/{n}-{NAME.replace('_', '-')}/starter/{NAME}.c", starter)
    result, text = grade(tree, f"{scratch()}/starter", 1)
    equal("score of the starter", 0, result["score"])
    check(f"lab {n}: {NAME} is not written yet" in text, "the starter does not say what is missing")
    check(not result["problems"], f"the starter has problems: {result['problems']}")
    check("1 killed, 0 survived" in in_tree(tree, f"{tree}/grading/mutants", "--lab", n), "the wrong solution lives")

    in_tree(tree, f"{tree}/tools/check-layers", "kernel")
    for stage, linked in ((n, True), (n - 1, False)):       # the stage below is without it
        would = in_tree(tree, "make", "-n", "--no-print-directory", "ARCH=riscv", f"LAB={stage}", f"BUILD={scratch()}/none", "kernel")
        equal(f"stage {stage} links {NAME}", linked, f"kernel/mm/phys/{NAME}.c" in would)
