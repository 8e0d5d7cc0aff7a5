"""The attack corpus: every submission in tests/attacks ends in a clear verdict, none with full points, and the host
is as it was."""
import contextlib
import ctypes
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import time

import attacks
from attacks.archives import ARCHIVES, REFUSED
from suite.base import BUILD, CAMPAIGN, TOP, Failure, check, equal, figure, scratch, test
from suite.grading import command, grade, last_line, tree_state, without_times

sys.path.insert(0, f"{TOP}/grading")
CHILD_SUBREAPER = 36
LEAST = 30
# What it takes to see how it ends: the places where it is built, and whether anything is run.
PLACES = {"source": ("riscv",), "object": ("riscv",), "guest": ("riscv",), "host": ("host",), "starter": ("riscv",)}
SHARED = ("/tmp", "/var/tmp", "/dev/shm")


def canary():
    """A folder of the host's that the attacks know: what is in it is the grader's alone."""
    folder = f"{scratch()}/canary"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/secret", "w", encoding="ascii") as file:
        file.write("THE SECRET\n")
    os.chmod(f"{folder}/secret", 0o600)
    return folder


def host_state(folder):
    """What no submission may change: the pristine tree, the canary."""
    names = sorted(os.listdir(folder))
    with open(f"{folder}/secret", "rb") as file:
        return tree_state(), names, hashlib.sha256(file.read()).hexdigest(), [
            name for shared in SHARED for name in os.listdir(shared) if name.startswith(attacks.MARK)]


def left_behind():
    """Processes that nobody has ended below this one, to which orphans come; now they are ended."""
    from strata_grade.sandbox import children   # pylint: disable=import-outside-toplevel
    found = []
    for pid in children(os.getpid()):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").replace("\0", " ")
            if words:       # else it is dead, and nobody has asked for its status
                found.append(words)
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return found


class Corpus:
    """The grader's base, built once, and the host as it is to stay."""

    def __init__(self):
        os.environ["BUILD"] = BUILD
        from strata_grade import grade as grader, lab, report   # pylint: disable=import-outside-toplevel
        ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1, 0, 0, 0)
        self.lab, self.report, self.grade_class = lab.Lab(1), report, grader.Grade
        self.base, self.canary = grader.Base(self.lab, 1), canary()
        self.before, self.isolation = host_state(self.canary), None

    def run(self, one, everything=False):
        """One attack; everything: graded as if it were a submission like others."""
        folder = f"{scratch()}/submissions/{one.name}"
        one.write(folder, self.canary)
        options = {} if everything else {
            "stop_early": True, "places": PLACES[one.how], "tests": ("no test",) if one.how in ("source", "object") else one.tests}
        begin = time.monotonic()
        job = self.grade_class(self.lab, self.base, folder, **options)
        result, out = job.run(), io.StringIO()
        self.report.table(result, out)
        text = out.getvalue()
        print(f"---- {one.name}: {one.about}, {time.monotonic() - begin:.1f} s\n{text}", flush=True)
        self.isolation = result["isolation"]
        self.judge(one, result, text, everything)
        shutil.rmtree(folder)

    def judge(self, one, result, text, everything):
        says = (one.says,) if isinstance(one.says, str) else one.says
        check(result["verdict"] == "points lost", f"{one.name}: {result['verdict']}")
        check(result["score"] < 100 or result["problems"], f"{one.name}: full points")
        if not everything or one.how in ("source", "object", "starter"):
            check(any(words in text for words in says), f"{one.name}: expected {' or '.join(map(repr, says))} in the report")
        check(not one.never or one.never not in text, f"{one.name}: {one.never!r} is in the report")
        equal(f"{one.name}: processes left behind", [], left_behind())
        equal(f"{one.name}: the host (tree, canary's names and contents, new files)", self.before, host_state(self.canary))


@contextlib.contextmanager
def isolation(kind):
    os.environ["STRATA_ISOLATION"] = kind
    try:
        yield
    finally:
        del os.environ["STRATA_ISOLATION"]


def processor_time():
    """Seconds, of this process and of all that it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def corpus(*hows):
    return [one for one in attacks.load() if one.how in hows and (CAMPAIGN or not one.slow)]


def run_all(found, **options):
    mine, begin, before, failed = Corpus(), time.monotonic(), processor_time(), []
    for one in found:
        try:
            mine.run(one, **options)
        except Failure as failure:
            print(f"failed: {failure}", flush=True)
            failed.append(str(failure))
    check(not failed, f"{len(failed)} of {len(found)}: {'; '.join(failed)[:600]}")
    figure(f"{len(found)} attacks in {time.monotonic() - begin:.0f} s, {processor_time() - before:.0f} s of processor "
           f"time, isolation: {mine.isolation}")


@test("attacks-refused", timeout=900)
def refused():
    """What reads files, takes names, hides assembly or is no file is refused before anything runs."""
    names = [one.name for one in attacks.load()]
    check(len(names) >= LEAST, f"{len(names)} attacks, {LEAST} are the least")
    equal("names that are there twice", len(names), len(set(names)))
    run_all(corpus("source", "object", "starter"))


@test("attacks-guest", timeout=900)
def guest():
    """What wants to look right in the machine, or to keep it from saying that it is not, loses its points."""
    run_all(corpus("guest"))


@test("attacks-archives", timeout=600)
def archives_refused():
    """Archives that lead outside, never end or are none are refused by name; not one leaves a file where it should not."""
    folder, out = f"{scratch()}/handed-in", f"{scratch()}/out"
    os.makedirs(folder)
    before = host_state(canary())
    paths = [one.write(folder) for one in ARCHIVES]
    code, text = command(f"{TOP}/grading/grade-class", "--lab", 1, "--out", out, folder)
    equal(f"exit status ({last_line(text)})", 0, code)
    equal("the host (tree, canary's names and contents, new files)", before, host_state(canary()))
    equal("beside what was handed in", {"canary", "handed-in", "out"}, set(os.listdir(scratch())))
    equal("what was handed in", sorted(os.path.basename(path) for path in paths), sorted(os.listdir(folder)))
    with open(f"{out}/grades.json", encoding="utf-8") as file:
        students = {row["id"]: row for row in json.load(file)["students"]}
    for one in ARCHIVES:
        row = students[one.name.removesuffix(".gz").rsplit(".", 1)[0]]
        equal(f"{one.name!r} ({row['why']})", (one.becomes, 0), (row["status"], row["score"]))
        check(one.becomes != REFUSED or row["why"], f"{one.name}: refused without a word")
    figure(f"{len(ARCHIVES)} archives")


def host_attacks(kind):
    found = corpus("host")
    with isolation(kind):
        from strata_grade.sandbox import LIMITS, Sandbox    # pylint: disable=import-outside-toplevel
        work = f"{scratch()}/probe"
        os.makedirs(work)
        box = Sandbox(TOP, work)
        box.close()
        if box.kind == LIMITS or (kind == "user" and box.kind != "separate user"):
            figure(f"neither bubblewrap nor root here ({box.why}): not tried")
            return
        run_all([one for one in found if not (kind == "user" and one.name == "host-reads-tree")])


@test("attacks-host", timeout=900)
def host():
    """Machine code that does its worst on the host gets at nothing under bubblewrap."""
    host_attacks("")


@test("attacks-host-user", timeout=900)
def host_user():
    """... nor, as root without bubblewrap, under users that do not exist."""
    host_attacks("user")


SAYS_NO = (("a file of the grader's", "cat @CANARY@/secret"), ("writing to the tree", "echo attacked >> @TREE@/README.md"),
           ("writing to the canary", "echo attacked > @CANARY@/new"), ("a process of the grader's", f"kill -0 {os.getpid()}"),
           ("writing to what is built", "echo attacked > @WORK@/b/base"), ("more room in /tmp", "echo x > /tmp/@MARK@"),
           ("root", "test $(id -u) = 0"), ("a privilege", "grep -q 'CapEff.*[1-9a-f]' /proc/self/status"),
           ("new privileges", "! grep -q 'NoNewPrivs.*1' /proc/self/status"))


@test("attacks-shell", timeout=300)
def shells():
    """A shell in the place of the host's tests, under bubblewrap and without, reads and writes nothing and leaves nothing."""
    from strata_grade.sandbox import BUBBLEWRAP, LIMITS, Sandbox, processes_of     # pylint: disable=import-outside-toplevel
    folder, seen = canary(), []
    before = host_state(folder)
    for kind in ("", "user"):
        work = f"{scratch()}/work{kind}"
        os.makedirs(f"{work}/b")
        os.chmod(scratch(), 0o755)
        with open(f"{work}/b/base", "w", encoding="ascii") as file:
            file.write("built\n")
        with isolation(kind):
            box = Sandbox(TOP, work)
        seen.append(box.kind)
        if box.kind == LIMITS:
            continue
        for what, script in SAYS_NO:
            for old, new in (("@CANARY@", folder), ("@TREE@", box.top), ("@WORK@", box.work), ("@MARK@", attacks.MARK)):
                script = script.replace(old, new)
            if what != "root" or os.geteuid() == 0:
                done = box.run("/bin/sh", "-c", script, only="b")
                check(done.status != 0, f"{box.kind}: {what} can be had: {script}: {done.output}")
        done = box.run("/bin/sh", "-c", "cat b/base /work/b/base 2>/dev/null; setsid sleep 1000 & : >/tmp/" + attacks.MARK, only="b")
        if box.kind == BUBBLEWRAP:
            check("built" in done.output, f"what is built cannot be read: {done.output}")
        elif box.users:
            equal("processes that are left", set(), processes_of(box.users.runner))
            equal("what the builder may do", 0, box.run("/bin/sh", "-c", f"echo rebuilt > {box.work}/b/base; setsid sleep 1000 &").status)
        users = box.users
        box.close()
        check(not users or not processes_of(users.builder) | processes_of(users.runner), f"{box.kind}: a user lives on")
        equal(f"{box.kind}: the host", before, host_state(folder))
    figure(", ".join(seen))


@test("grade-isolation", timeout=900)
def isolations():
    """The grade is the same under bubblewrap, as another user and under limits only; JSON, table and JUnit say which it was."""
    grades = {}
    for kind in ("", "user", "limits"):
        junit = f"{scratch()}/junit{kind}.xml"
        with isolation(kind):
            result, text = grade(TOP, 0, "--junit", junit)
        with open(junit, encoding="utf-8") as file:
            check(f'<property name="isolation" value="{result["isolation"]}"' in file.read(), "the JUnit file does not say it")
        check(f"isolation: {result['isolation']}" in text, "the table does not say it")
        kind = result.pop("isolation")
        grades[kind] = without_times(result)
    check("limits only" in grades, f"isolations seen: {sorted(grades)}")
    for kind, result in grades.items():
        equal(f"the grade under {kind}", grades["limits only"], result)
    figure(", ".join(grades))


@test("attacks-all", timeout=7200, campaign=True)
def everything():
    """Each attack is graded as a whole, like any submission."""
    run_all(attacks.load(), everything=True)
