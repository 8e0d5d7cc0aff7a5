"""Wrong solutions, each a patch of the reference whose first line names the mistake; all must lose points.

A mutant is applied to copies of the graded files alone, so a patch that touches anything else is refused. By
default it stops at its first lost point (the host's tests all run at once, so they fill their columns). A full
run asks for more: that some test kills it on every machine, and not the host's threads and sanitizers alone.
"""
import concurrent.futures
import glob
import json
import os
import string
import subprocess
import tempfile

from . import record
from .classroom.work import write_json
from .grade import Base, Grade
from .lab import ARCHES, Trouble, copy_graded

LETTERS = string.ascii_letters + string.digits + "!#$%&+=?@"
SHOWN = 2               # tests named in a row of the page; the matrix has all of them


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
    # What the host says of a test of several CPUs costs no points, and hangs on its load.
    counts = {p["name"]: lab.host_counts(p) for p in lab.parts}
    killers = {test["name"]: sorted(p for p, r in test["places"].items() if r["verdict"] in ("failed", "timed out")
                                    and (p != "host" or counts[test["part"]])) for test in result["tests"]}
    killers = {name: places for name, places in killers.items() if places}
    killed = any(t["verdict"] in ("failed", "timed out") for t in result["tests"])
    if full:
        killed = killed and any(set(ARCHES) <= set(places) for places in killers.values())
    return {"name": mutant.name, "mistake": mutant.mistake, "killed": killed, "tests": killers,
            "seconds": result["times"]["total"]}


def run(lab, names=(), jobs=2, full=False, say=print, keep=None):
    """The results of all; with @keep, a file's name, they are kept there, and what it has of an interrupted run of the same
    grader, reference and mutant is not run again."""
    mutants = all_of(lab, names)
    if not mutants:
        raise Trouble(f"lab {lab.number} has no mutants")
    if keep and os.path.exists(keep) and not os.path.isfile(keep):
        raise Trouble(f"{keep} is no file to keep results in")
    base = Base(lab, 1)
    result = {"lab": lab.number, "full": full, "grader": base.grader["version"],
              "reference": {path: record.digest(f"{lab.top}/{path}") for path in lab.owned},
              "mutants": [], "order": [t["name"] for t in base.all_tests], "survivors": [], "broken": []}
    old = kept(keep, result)

    def attempt(mutant):
        patch = record.digest(mutant.path)
        if old.get(mutant.name, {}).get("patch") == patch:
            return old[mutant.name]
        try:
            return run_one(lab, base, mutant, full) | {"patch": patch}
        except Trouble as trouble:      # its own: the others still run
            return trouble

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in pool.map(attempt, mutants):
            if isinstance(done, Trouble):
                result["broken"].append(str(done))
                say(f"BROKEN   {done}", flush=True)
            else:
                result["mutants"].append(done)
                if not done["killed"]:
                    result["survivors"].append(done["name"])
                say(f"{'killed  ' if done['killed'] else 'SURVIVED'} {done['name']}: {done['mistake']}"
                    f"  [{len(done['tests'])} tests, {done['seconds']:.0f} s]", flush=True)
            if keep:
                write_json(result, keep)
    return result


def kept(path, like):
    """{name: result} of a run that this one continues."""
    try:
        with open(path or "", encoding="utf-8") as file:
            old = json.load(file)
        same = all(old[key] == like[key] for key in ("lab", "full", "grader", "reference"))
        return {done["name"]: done for done in old["mutants"]} if same else {}
    except (OSError, ValueError, KeyError):
        return {}


def matrix(result):
    """Lines: a row for each mutant, a column for each test that kills one, each with a letter."""
    tests = [t for t in result["order"] if any(t in m["tests"] for m in result["mutants"])]
    letters = dict(zip(tests, LETTERS.ljust(len(tests), "-")))
    width = max(len(m["name"]) for m in result["mutants"])
    yield " " * width + " " + "".join(letters.values())
    for mutant in result["mutants"]:
        yield f"{mutant['name']:{width}} " + "".join(cell(mutant["tests"].get(t, [])) for t in tests)
    yield ""
    yield from (f"{letter} {name}" for name, letter in letters.items())


def cell(places):
    """Where a test kills: . nowhere, * on both machines and the host, m on both machines, else h, r or a."""
    if set(ARCHES) <= set(places):
        return "*" if "host" in places else "m"
    return places[0][0] if places else "."


def markdown(result):
    """Lines of the page that keeps a full run. Tests that kill few mutants come first: they say most."""
    kills = {t: sum(t in m["tests"] for m in result["mutants"]) for t in result["order"]}
    yield from f"""\
# Lab {result["lab"]}: the wrong solutions and what kills them

Each is the reference with one realistic mistake; all must lose points on both machines. Made by
`grading/mutants --lab {result["lab"]} --full --markdown FILE`; not to be edited by hand.

{len(result["mutants"])} mutants, {sum("concurrency" in m["mistake"] for m in result["mutants"])} of them mistakes of \
concurrency; {len(result["mutants"]) - len(result["survivors"])} killed on both machines.

| mutant | mistake | killed by |
| --- | --- | --- |""".splitlines()
    for mutant in result["mutants"]:
        tests = sorted(mutant["tests"], key=kills.get)
        more = f" and {len(tests) - SHOWN} more" if len(tests) > SHOWN else ""
        names = ", ".join(f"`{t}`" for t in tests[:SHOWN]) + more
        yield f"| {mutant['name']} | {mutant['mistake']} | {names or '**nothing**'} |"
    yield from ("", "The whole matrix: `*` killed on both machines and on the host, `m` on both machines, `r`, `a`, `h`",
                "on RISC-V, ARM64 or the host alone. Of tests of several CPUs the host's verdict is left out: it hangs",
                "on the host's load and costs no points.",
                "", "```", *matrix(result), "```")
