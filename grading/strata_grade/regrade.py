"""Replays one test of a graded submission and tells what happened.

The test is run alone from the seed that the record names; if that ends otherwise, once more among all tests, as in
the grade. Then a second image is built, which also notes each call across the border of the student's files (make
ktest CALLS=1), and the same seed is run on it. Noting takes time, so a race may go another way there: what is said
about the verdict comes from the first image, and the second one is believed only if it fails as well.
"""
import json
import os
import re
import shutil
import subprocess
import threading

from . import boot, report
from .grade import FAILED, LATE, Base, Grade, last, plain_environment, tidy, variant
from .lab import ARCHES, TOP, Trouble

BAD = (FAILED, LATE)
MORE_SEEDS = 30         # tried to have a race happen while calls are noted
PLACES = ("riscv", "arm64", "host")


class Replay(Grade):
    """then: what is expected of each place, {place: verdict}; noted: {place: result with "calls"}."""

    def __init__(self, lab, base, tree, test, seed, places, then, sandbox):
        super().__init__(lab, base, tree, seed=seed, places=places, sandbox=sandbox, tests=(test["name"],))
        self.boots, self.all_names, self.turn = is_boot(test), [t["name"] for t in base.tests], threading.Lock()
        self.test, self.then, self.noted, self.among, self.raw = test["name"], then, {}, {}, {}

    def host(self):
        super().host()
        self.again("host", super().host)

    def machine(self, arch):
        with self.turn:     # names are every machine's
            super().machine(arch)
            if self.names and arch not in self.build_note:
                self.again(arch, lambda: super(Replay, self).machine(arch))
                self.note_calls(arch)

    def verdict_at(self, place):
        return self.results.get(self.test, {}).get(place, {}).get("verdict")

    def again(self, place, run):
        """Among the others, as it was graded, if alone it ends otherwise."""
        self.among[place] = False
        if self.then.get(place) in (None, self.verdict_at(place)):
            return
        alone, self.names = self.results[self.test][place], self.all_names
        run()
        self.names, self.among[place] = [self.test], True
        if self.verdict_at(place) != self.then[place]:      # no more faithful than alone
            self.results[self.test][place], self.among[place] = alone, False

    def read_host(self, done, names):
        self.raw["host"] = self.box.clean(done.output)
        return super().read_host(done, names)

    def note_calls(self, arch):
        if self.verdict_at(arch) not in BAD:
            return
        name = variant(self.lab, arch)
        shutil.copytree(f"{self.base.folder}/{name}/ktest-calls", f"{self.work}/b/{name}/ktest-calls", dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("*.d"))
        done = self.make(arch, "ktest-build", "CALLS=1")
        if done.status:
            raise Trouble(f"{arch}: the image that notes calls does not build: {last(self.box.clean(done.output))}")
        for options in ((), ("--seeds", MORE_SEEDS)):
            spoofs = list(self.spoofs)
            result, = self.run_ktest(arch, f"b/{name}/ktest-calls", "--calls", *options)
            self.spoofs = spoofs
            if result["verdict"] in BAD or result["seeds"] == 1:
                break
        self.noted[arch] = result


def is_boot(test):
    """Its part is one that boots the real kernel."""
    return test["file"] == boot.SOURCE


def calls_base(lab, base, arch):
    """The harness that notes calls, without anybody's files: built once, beside the base's."""
    done = subprocess.run(["make", "--no-print-directory", "-C", lab.top, "ktest-base", "CALLS=1", f"ARCH={arch}", "DEBUGINFO=0",
                           f"BUILD={base.folder}", f"LAB={lab.number}", f"HIDDEN={base.hidden}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, env=plain_environment(), check=False)
    if done.returncode:
        raise Trouble(f"the harness that notes calls does not build ({arch}): {last(done.stderr)}")


# ---- the record ---------------------------------------------------------------------------------


def stored(out, student):
    """Of a class that was graded: (tree with the graded files, the grade). student: as the folder in out is called, or
    the submission, or a student of the roster."""
    plan = read_json(f"{out}/class.json") or {}
    for one in plan.get("submissions", ()):
        if student in (one["slug"], one["name"], *one["students"]):
            student = one["slug"]
            break
    folder = os.path.join(out, student)
    if os.path.basename(os.path.normpath(folder)) != student or not os.path.isdir(folder):
        raise Trouble(f"{out} has no submission of {student!r}")
    if not os.path.isdir(f"{folder}/files"):
        raise Trouble(f"{folder}/files is missing: grade the class again, or give the files with --tree")
    return f"{folder}/files", read_record(f"{folder}/grade.json")


def read_json(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return json.load(file)
    except (FileNotFoundError, ValueError):
        return None


def read_record(path):
    found = read_json(path)
    return found if isinstance(found, dict) and "tests" in found else None


def seed_of(recorded, place):
    """The seed with which it failed there, if the record says."""
    lines = recorded["places"].get(place, {}).get("log", [])
    return next((int(line.split()[1]) for line in lines if re.match(r"seed \d+$", line)), None)


# ---- words --------------------------------------------------------------------------------------


def comment_above(text, line):
    """The comment that ends on the line before this one (from 1)."""
    lines = text.split("\n")[:line - 1]
    if not lines or not lines[-1].rstrip().endswith("*/"):
        return []
    start = next((i for i in range(len(lines) - 1, -1, -1) if "/*" in lines[i]), len(lines))
    return [re.sub(r"^\s*/?\*+/?\s?|\s*\*/\s*$", "", line) for line in lines[start:]]


def source_line(top, place):
    """What stands at "file:line" of this tree."""
    path, number = place.rsplit(":", 1)
    try:
        with open(f"{top}/{path}", encoding="utf-8", errors="replace") as file:
            return file.read().split("\n")[int(number) - 1].strip()
    except (OSError, IndexError):
        return None


def about(lab, test, recorded):
    part = next(p for p in lab.parts if p["name"] == test["part"])
    yield f"{test['name']}: {test['about']}"
    yield f"  lab {lab.number}, part \"{part['title']}\": {part['points']} points for all of its {len(part['tests'])} tests"
    yield f"  {os.path.relpath(os.path.join(lab.top, test['file']), lab.top)}:{test['line']}" \
          f"{', hidden: the student has not seen it' if test['hidden'] else ''}"
    with open(f"{lab.top}/{test['file']}", encoding="utf-8") as file:
        for line in comment_above(file.read(), test["line"]):
            yield f"    {line}".rstrip()
    yield ""


def on_record(grade, recorded, now):
    """now: (hash of the files, grader, tools) of today."""
    if not grade:
        yield "No grade is on record: this is what the test says today."
        return
    marks = ", ".join(f"{place} {result['verdict']}" for place, result in recorded["places"].items())
    yield f"On record: {recorded['verdict']} ({marks or 'it ran nowhere'}); seed {grade['seed']}, files {grade['hash'][:12]}"
    hashed, grader, tools = now
    if hashed != grade["hash"]:
        yield f"THESE ARE NOT THE FILES THAT WERE GRADED: today {hashed[:12]}"
    then = grade.get("grader", {}).get("version")
    if then != grader["version"]:
        yield f"The grader is not the one of the grade: {(then or 'unknown')[:12]} then, {grader['version'][:12]} now"
    for name in sorted(set(tools) & set(grade.get("tools", {}))):
        if tools[name] != grade["tools"][name]:
            yield f"{name} is not the one of the grade: {grade['tools'][name]} then, {tools[name]} now"


def expectation(lab, log):
    """Lines of a log, each failure with the line of the test that asked for it."""
    for line in log:
        match = re.match(r"(?:\.\./|/\S*?/)?((?:labs|kernel)/[\w./-]+\.c:\d+): (.*)", line)
        asked = match and source_line(lab.top, match[1])
        if asked:
            yield f"  {match[1]}:  {asked}"
            yield f"    {match[2]}"
        elif not re.match(r"seed \d+$", line):
            yield f"  {line}"


def shown_calls(calls, steps):
    fail = next((i for i, line in enumerate(calls) if line == "FAILED here"), len(calls))
    first = max(0, fail + 1 - steps)
    if first:
        before = re.match(r"\.\.\. (\d+) calls before", calls[0])
        yield f"  ... {first + (int(before[1]) - 1 if before else 0)} calls before (--steps shows more)"
    one_cpu = len({line.split()[0] for line in calls if line.startswith("cpu")}) < 2
    for line in calls[first:]:
        yield f"  {re.sub(r'^cpu0 ', '', line) if one_cpu else line}"


def happened(replay, place, steps):
    """The steps of a failed run at this place."""
    noted = replay.noted.get(place)
    if not noted or not noted["calls"]:
        return
    if noted["verdict"] not in BAD:
        yield "Calls cannot be shown: noting them takes time, and then this race goes another way. What the run says is below."
        return
    yield f"Calls of the student's functions on {place}, in order (\"asks\": what these call in turn):"
    yield from shown_calls(noted["calls"], steps)
    seed = next((line.split()[1] for line in noted["log"] if re.match(r"seed \d+$", line)), None)
    if seed and int(seed) != replay.seed:
        yield f"  (from seed {seed}: with {replay.seed} this race goes another way while calls are noted)"
    said = list(expectation(replay.lab, tidy(noted["log"])))
    if said[:2] != list(expectation(replay.lab, replay.results[replay.test][place]["log"]))[:2]:
        yield "  This run ended so:"
        yield from (f"  {line}" for line in said[:6])
    yield ""


def by_hand(lab, test, place, seed, tree):
    if is_boot(test):
        yield f"  {boot.replay(lab.number, test['name'], place if place in ARCHES else 'riscv')}"
        return
    if place == "host":
        yield f"  make host-test LAB={lab.number} TREE={tree} TESTS={test['name']} SEED={seed}"
        return
    line = f"make ktest LAB={lab.number} ARCH={place} TREE={tree} TESTS={test['name']} SEED={seed}"
    yield f"  {line}"
    yield f"  {line} CALLS=1"


# ---- all of it ----------------------------------------------------------------------------------


def why(lab, tree, name, grade=None, seed=None, steps=40, only=None, sandbox=False, say=print):
    """True if every place says what the record says."""
    base = Base(lab, 0 if lab.handout else 1)
    test = next((t for t in base.all_tests if t["name"] == name), None)
    if not test:
        close = ", ".join(t["name"] for t in base.all_tests if name in t["name"] or name == t["part"])
        raise Trouble(f"lab {lab.number} has no test {name}" + (f"; it has {close}" if close else ""))
    recorded = next((t for t in grade["tests"] if t["name"] == name), None) if grade else None
    if grade and not recorded:
        raise Trouble(f"the grade on record has no test {name}: it is of another lab or an older one")
    for line in about(lab, test, recorded):
        say(line)
    then = {p: r["verdict"] for p, r in recorded["places"].items()} if recorded else {}
    places = [p for p in PLACES if (p in then if then else p in ARCHES or not is_boot(test)) and only in (None, p)]
    if seed is None:
        seeds = [seed_of(recorded, p) for p in places if then.get(p) in BAD] if recorded else []
        seed = next((s for s in seeds if s is not None), grade["seed"] if grade else 1)
    for arch in ARCHES:
        if arch in places and not is_boot(test):
            calls_base(lab, base, arch)
    replay = Replay(lab, base, tree, test, seed, places, then, sandbox)
    replay.run()
    for line in on_record(grade, recorded, (replay.hash, base.grader, base.versions)):
        say(line)
    same = compare(replay, places, then, say)
    tell(lab, replay, test, places, steps, say)
    bad = [p for p in places if replay.verdict_at(p) in BAD] or places
    say("By hand:")
    for place in bad:
        for line in by_hand(lab, test, place, seed, tree):
            say(line)
    return same


def compare(replay, places, then, say):
    same = True
    for place in places:
        verdict, how = replay.verdict_at(place) or "not run", " among all tests" if replay.among.get(place) else ""
        if not then:
            say(f"Now: {place} {verdict}, seed {replay.seed}")
        elif verdict == then[place]:
            say(f"Replayed on {place}, seed {replay.seed}{how}: {verdict}, as on record")
        elif then[place] == "not run":
            say(f"Replayed on {place}, seed {replay.seed}: {verdict}; then it was not run, its part was lost already")
        elif place == "host":       # threads of the host interleave as the load wills
            say(f"Replayed on {place}: {verdict.upper()}, ON RECORD {then[place].upper()}")
            same = same and not replay.lab.host_counts(part_of(replay))
        else:
            say(f"Replayed on {place}, seed {replay.seed}, alone and among all tests: {verdict.upper()}, "
                f"ON RECORD {then[place].upper()}. THE SECOND RUN DOES NOT CONFIRM THE FIRST.")
            same = False
    say("")
    return same


def part_of(replay):
    return next(p for p in replay.lab.parts if replay.test in p["tests"])


def tell(lab, replay, test, places, steps, say):
    for path, reasons in replay.problems.items():
        for reason in reasons:
            say(f"{path} was replaced by the starter: {reason}")
    for place, why_not in replay.build_note.items():
        say(f"Not built for {place}: {why_not}")
    shown = next((p for p in places if p in replay.noted), None)
    for line in happened(replay, shown, steps) if shown else ():
        say(line)
    for place in places:
        result = replay.results.get(test["name"], {}).get(place)
        if not result or result["verdict"] not in BAD:
            continue
        say(f"Expected on {place}, and what came:" + (f" {result['why']}" if result["why"] else ""))
        log = result["log"]
        if place == "host":     # with the sanitizer's own trace, which a grade leaves out
            log = [line.removeprefix("#   ") for line in replay.raw.get("host", "").splitlines()
                   if not re.match(r"(not )?ok |KTAP|1\.\.|# \d+ passed", line)][:40]
        for line in expectation(lab, log):
            say(line)
        say("")
    for spoof in replay.spoofs:
        say(f"An attempt to spoof on {spoof['place']}: {spoof['line']}")
