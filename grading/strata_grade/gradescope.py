"""Gradescope: the archive that is uploaded there, and what runs there in its container.

Gradescope unpacks the archive into /autograder/source, runs setup.sh once for the image and run_autograder for each
submission, which it finds in /autograder/submission, and reads /autograder/results/results.json. If the container
runs out of its time, whatever that file holds then is all there is: so it is written anew as verdicts come, and
some time before the end the run is closed by itself. A test that has no verdict yet earns nothing.

Trouble of the grader's own leaves no results.json: Gradescope then tells the instructor that the autograder has
failed, and no student gets a zero for it.
"""
import contextlib
import copy
import json
import os
import shutil
import signal
import threading
import time

from . import report
from .grade import Base, Grade, variant
from .lab import ARCHES, Lab, Trouble
from .sandbox import children

CONFIG = "gradescope.json"      # beside setup.sh: lab, seconds, hidden
VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
INTERVAL = 0.5                  # seconds between two looks at what there is


# ---- results.json -------------------------------------------------------------------------------


def results(grade, seconds, hidden, note=""):
    """The grade in Gradescope's words. hidden: what students see of hidden tests. A part is an entry with its points,
    its tests are entries without; a part that has hidden tests is shown as these are, since its points tell of them."""
    entries, secret = [], {test["name"] for test in grade["tests"] if test["hidden"]}
    for number, part in enumerate(grade["parts"], 1):
        tests = [test for test in grade["tests"] if test["part"] == part["name"]]
        entries.append({
            "name": part["title"], "number": str(number), "score": part["score"], "max_score": part["max_score"],
            "status": "passed" if part["score"] == part["max_score"] else "failed", "output_format": "text",
            "output": f"{part['passed']} of {part['tests']} tests passed; the part is earned as a whole.",
            "visibility": hidden if secret & {test["name"] for test in tests} else "visible"})
        for index, test in enumerate(tests, 1):
            lines = [test["verdict"] + ": " + test["about"], *report.reason(test)]
            if test["verdict"] == "not run":
                lines += sorted({r["why"] for r in test["places"].values() if r["why"]}) or ["no verdict yet"]
            elif test["verdict"] != "passed":
                lines.append("again: " + report.replay(grade, test))
            entries.append({
                "name": test["name"], "number": f"{number}.{index}",
                "output": "\n".join(lines), "output_format": "text",
                "status": "passed" if test["verdict"] == "passed" else "failed", "tags": [part["name"]],
                "visibility": hidden if test["hidden"] else "visible"})
    lines = [note] if note else []
    for path, reasons in grade["problems"].items():
        lines += [f"{path}: {why}" for why in reasons] + ["  (the starter was graded in its place)"]
    lines += [f"not built for {place}: {why}" for place, why in grade["build"].items()]
    return {"score": grade["score"], "execution_time": round(seconds, 1),
            "output": "\n".join(lines), "output_format": "text", "test_output_format": "text",
            "stdout_visibility": "hidden", "tests": entries,
            "extra_data": {key: grade[key] for key in ("lab", "hash", "seed", "grader", "tools", "isolation", "verdict")}}


def replace(path, data):
    """Whoever reads it, at any moment, sees the old one or the new one."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.write("\n")
    os.replace(f"{path}.new", path)


# ---- what is known so far -----------------------------------------------------------------------


def so_far(grade):
    """The grade if nothing came any more; None before the first verdict."""
    partial = copy.copy(grade)
    partial.results, partial.spoofs = copy.deepcopy(grade.results), copy.deepcopy(grade.spoofs)
    partial.problems = copy.deepcopy(grade.submission.problems)
    partial.hashes, partial.hash, partial.times = grade.submission.hashes, grade.submission.hash(), {}
    partial.findings, partial.instructions = [], {}
    for arch in ARCHES:
        try:
            with open(f"{grade.work}/b/{variant(grade.lab, arch)}/ktest/progress.json", encoding="utf-8") as file:
                known = json.load(file)
        except (OSError, ValueError):
            continue
        for name, test in known["tests"].items():
            if arch not in partial.results.get(name, {}):
                partial.put(name, arch, test["verdict"], test["why"], test["log"][:20])
        for spoof in known["spoofs"]:
            partial.spoof(arch, spoof["test"], spoof["line"])
    return partial.verdict() if partial.results else None


class Writer(threading.Thread):
    """Writes results.json whenever there is more to say, and ends the run when its time is over."""

    def __init__(self, grade, path, config):
        super().__init__(daemon=True)
        self.grade, self.path, self.config = grade, path, config
        self.begin, self.over, self.written = time.monotonic(), threading.Event(), None
        self.ended = False      # somebody wants this run to end

    def run(self):
        while not self.over.wait(INTERVAL):
            late = self.ended or self.seconds() > self.config["seconds"]
            self.look(f"The time was over after {self.seconds():.0f} s, before all tests had run." if late else
                      "Not all tests have run: these are the verdicts so far.", late)
            if late:
                print(f"out of time after {self.seconds():.0f} s", flush=True)
                end_descendants()
                os._exit(0 if self.written else 2)

    def end(self, *_):
        self.ended = True

    def seconds(self):
        return time.monotonic() - self.begin

    def look(self, note, late):
        try:
            known = so_far(self.grade)
        except (AttributeError, RuntimeError, OSError):     # not that far, or something came just now
            known = None
        if known and (late or known != self.written):
            self.written = known
            replace(self.path, results(known, self.seconds(), self.config["hidden"], note))


def end_descendants():
    """In the container its end does that."""
    found, todo = [], [os.getpid()]
    while todo:
        more = children(todo.pop())
        found, todo = found + more, todo + more
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


# ---- a run --------------------------------------------------------------------------------------


def find_tree(lab, submission, work):
    """Students upload their tree, or an archive of it with one folder around all, or just the graded files."""
    folders = [submission, *(f"{submission}/{name}" for name in sorted(os.listdir(submission)))]
    for folder in folders:
        if os.path.isdir(f"{folder}/kernel"):
            return folder
    for path in lab.owned:
        loose = f"{submission}/{os.path.basename(path)}"
        if os.path.islink(loose) or os.path.isfile(loose):
            os.makedirs(os.path.dirname(f"{work}/{path}"), exist_ok=True)
            shutil.copy2(loose, f"{work}/{path}", follow_symlinks=False)
    return work


def run(root, config):
    """Exit status."""
    lab, path, loose = Lab(config["lab"]), f"{root}/results/results.json", f"{root}/loose"
    os.makedirs(f"{root}/results", exist_ok=True)
    shutil.rmtree(loose, ignore_errors=True)
    os.makedirs(loose)
    if os.path.exists(path):
        os.remove(path)
    grade = Grade(lab, Base(lab, 1), find_tree(lab, f"{root}/submission", loose), seed=config["seed"], progress=True)
    writer = Writer(grade, path, config)
    signal.signal(signal.SIGTERM, writer.end)   # as when a container is stopped
    writer.start()
    try:
        whole = grade.run()
    except Trouble as trouble:
        writer.over.set()
        writer.join()
        if os.path.exists(path):
            os.remove(path)
        print(f"trouble of the grader's own, not the submission's: {trouble}", flush=True)
        return 2
    writer.over.set()
    writer.join()
    replace(path, results(whole, writer.seconds(), config["hidden"]))
    report.table(whole)
    return 0
