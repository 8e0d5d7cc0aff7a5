"""Wrong solutions, each a patch of the reference whose first line names the mistake; all must lose points.

A mutant is applied to copies of the graded files alone, so a patch that touches anything else is refused. By
default it stops at its first lost point (the host's tests all run at once, so they fill their columns).
"""
import concurrent.futures
import glob
import os
import subprocess
import tempfile

from .grade import Base, Grade
from .lab import Trouble, copy_graded


class Mutant:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path).removesuffix(".patch")
        with open(path, encoding="utf-8") as file:
            self.mistake = file.readline().strip()
        if not self.mistake or self.mistake.startswith(("---", "diff", "+++")):
            raise Trouble(f"{self.name}: the first line must name the mistake")


def all_of(lab, names=()):
    found = [Mutant(path) for path in sorted(glob.glob(f"{lab.folder}/mutants/*.patch"))]
    unknown = set(names) - {m.name for m in found}
    if unknown:
        raise Trouble(f"no mutant is named {', '.join(sorted(unknown))}")
    return [m for m in found if not names or m.name in names]


def run_one(lab, base, mutant, full):
    with tempfile.TemporaryDirectory(prefix="strata-mutant-") as tree:
        copy_graded(lab, lab.top, tree)
        done = subprocess.run(["patch", "-p1", "-s", "-f", "-N", "-F0", "--no-backup-if-mismatch", "-d", tree, "-i", mutant.path],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Trouble(f"{mutant.name} does not apply: {' '.join((done.stdout + done.stderr).split())[:200]}")
        result = Grade(lab, base, tree, stop_early=not full).run()
    if result["problems"] or result["build"]:
        raise Trouble(f"{mutant.name} does not build: {result['problems'] or result['build']}")
    killers = {test["name"]: sorted(p for p, r in test["places"].items() if r["verdict"] in ("failed", "timed out"))
               for test in result["tests"]}
    return {"name": mutant.name, "mistake": mutant.mistake, "killed": any(
        t["verdict"] in ("failed", "timed out") for t in result["tests"]),
        "tests": {k: v for k, v in killers.items() if v}, "seconds": result["times"]["total"]}


def run(lab, names=(), jobs=2, full=False, say=print):
    mutants = all_of(lab, names)
    if not mutants:
        raise Trouble(f"lab {lab.number} has no mutants")
    base, results = Base(lab, 1), []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in pool.map(lambda m: run_one(lab, base, m, full), mutants):
            results.append(done)
            say(f"{'killed  ' if done['killed'] else 'SURVIVED'} {done['name']}: {done['mistake']}"
                f"  [{len(done['tests'])} tests, {done['seconds']:.0f} s]", flush=True)
    return {"lab": lab.number, "full": full, "mutants": results, "order": [t["name"] for t in base.all_tests],
            "survivors": [r["name"] for r in results if not r["killed"]]}


def matrix(result):
    """Lines: a row for each mutant, a column for each test; h host, r riscv, a arm64, several: *."""
    tests = [t for t in result["order"] if any(t in m["tests"] for m in result["mutants"])]
    for number, name in enumerate(tests):
        yield f"{chr(97 + number % 26)}{number // 26 or ' '} {name}"
    width = max(len(m["name"]) for m in result["mutants"])
    yield ""
    yield " " * width + " " + " ".join(f"{chr(97 + n % 26)}{n // 26 or ' '}" for n in range(len(tests)))
    for mutant in result["mutants"]:
        cells = (mutant["tests"].get(t, []) for t in tests)
        yield f"{mutant['name']:{width}} " + " ".join(f"{('.' if not c else c[0][0] if len(c) == 1 else '*'):2}" for c in cells)
