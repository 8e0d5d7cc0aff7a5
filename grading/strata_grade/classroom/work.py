"""Grades what was collected: each submission in a process of its own, several at a time, none twice.

OUT/class.json is the plan: everything handed in, and for each the key of its grade, a hash over what the grade
depends on (the graded files, the tree that grades them, the versions of its tools, the seed). OUT/<submission>/
state.json says under which key grade.json was made; it is written last, so a kill at any moment costs the
submissions in work and no others. A process that dies or says "trouble" is the grader's affair: tried once more
after all the others, then listed apart.
"""
import contextlib
import ctypes
import errno
import fcntl
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from multiprocessing import connection

from .. import record, report
from ..grade import Base, Grade
from ..lab import Trouble
from .collect import plan

ATTEMPTS = 2
LOCK_SECONDS = 20
PR_SET_PDEATHSIG = 1


def write_json(value, path):
    """Whole or not at all."""
    with open(f"{path}.new", "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write("\n")
    os.replace(f"{path}.new", path)


def read_json(path):
    """None: it is not there, or not whole."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return json.load(file)
    except (FileNotFoundError, ValueError):
        return None


# ---- keys ---------------------------------------------------------------------------------------


def grader_of(lab):
    """(version, key): what grades record, and a hash over that, the tools and the reference's copy of the graded files,
    which runs in the kernel around the tests."""
    found = {"version": record.grader(lab)["version"], "tools": record.tools(),
             "reference": [record.digest(f"{lab.top}/{path}") for path in lab.owned]}
    return found["version"], hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def key_of(files, grader, options):
    return hashlib.sha256(json.dumps([files, grader, options], sort_keys=True).encode()).hexdigest() if files else None


def prepare(lab, out, arguments, course, seed, sandbox):
    """Collects everything and writes class.json."""
    os.makedirs(out, exist_ok=True)
    (grader, state), options = grader_of(lab), {"seed": seed, "sandbox": sandbox}
    submissions = plan(lab, out, arguments, course)
    for one in submissions:
        one["key"] = key_of(one.get("files"), state, options)
    whole = {"lab": lab.number, "grader": grader, **options, "submissions": submissions}
    write_json(whole, f"{out}/class.json")
    return whole


def load(out):
    whole = read_json(f"{out}/class.json")
    if not whole:
        raise Trouble(f"{out} has no class.json: run grading/grade-class --prepare first")
    return whole


def is_done(out, one):
    """There is nothing (more) to do for it."""
    if not one["key"]:
        return True
    state = read_json(f"{out}/{one['slug']}/state.json")
    return bool(state and state["key"] == one["key"] and state["status"] == "graded"
                and read_json(f"{out}/{one['slug']}/grade.json"))


# ---- one ----------------------------------------------------------------------------------------


def grade_one(lab, out, one, base, seed, sandbox):
    """Grades OUT/slug/files as grading/grade does, writes grade.json, junit.xml and then state.json; the state."""
    folder, begin = f"{out}/{one['slug']}", time.monotonic()
    state = {"key": one["key"], "status": "trouble", "why": "the process that graded it ended without a word"}
    for name in ("state.json", "grade.json", "junit.xml"):
        if os.path.exists(f"{folder}/{name}"):
            os.remove(f"{folder}/{name}")
    try:
        grade = Grade(lab, base, f"{folder}/files", seed=seed, sandbox=sandbox).run()
        report.write_junit(grade, f"{folder}/junit.xml.new")
        os.replace(f"{folder}/junit.xml.new", f"{folder}/junit.xml")
        write_json(grade, f"{folder}/grade.json")
        state.update(status="graded", why="")
    except (Trouble, OSError, MemoryError) as error:
        if isinstance(error, shutil.Error):     # a list of all that could not be copied
            error = error.args[0][0][2]
        state["why"] = str(error) or type(error).__name__
    except Exception as error:      # whatever it is, it is not a student's zero
        traceback.print_exc()
        state["why"] = f"{type(error).__name__}: {error}"
    state["seconds"] = round(time.monotonic() - begin, 1)
    write_json(state, f"{folder}/state.json")
    return state


def grade_only(lab, out, slug):
    """One element of an array job: what `--prepare` planned for this submission, with one more attempt if the
    grader stumbles. The state; nothing is done twice."""
    whole = load(out)
    one = next((o for o in whole["submissions"] if o["slug"] == slug or slug in o["students"] or o["name"] == slug), None)
    if not one:
        raise Trouble(f"nobody handed in anything as {slug}")
    if is_done(out, one):
        why = next((one[k] for k in ("refused", "nothing", "unclear", "trouble") if k in one), "")
        return {"status": "graded" if one["key"] else "trouble" if "trouble" in one else "refused", "why": why}
    base = Base(lab, 0 if lab.handout else 1)
    for _ in range(ATTEMPTS):
        state = grade_one(lab, out, one, base, whole["seed"], whole["sandbox"])
        if state["status"] == "graded":
            break
    return state


# ---- all ----------------------------------------------------------------------------------------


def end_all(*_):
    """Ends everything that this process started, then itself. Threads wait for QEMU: no exception reaches them."""
    for _ in range(2):      # what was started meanwhile
        parents = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                pass
        mine = {os.getpid()}
        while more := {pid for pid, parent in parents.items() if parent in mine and pid not in mine}:
            mine |= more
        for pid in mine - {os.getpid()}:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    os._exit(128 + signal.SIGTERM)


def child(parent, tmp, log, *args):
    """Ends with its parent, and everything it started with it."""
    signal.signal(signal.SIGTERM, end_all)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # the parent tells us
    if os.getppid() != parent:
        sys.exit(1)
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
    tempfile.tempdir = tmp
    grade_one(*args)
    if os.path.getsize(log) == 0:
        os.remove(log)


class Progress:
    """A bar and the time left on a terminal; elsewhere a line for each submission."""

    def __init__(self, total, jobs, stream=sys.stderr):
        self.total, self.jobs, self.stream, self.done = total, jobs, stream, 0
        self.begin, self.bar = time.monotonic(), stream.isatty() and os.environ.get("TERM") != "dumb"

    def left(self):
        """Words: from the pace so far."""
        if not self.done:
            return ""
        seconds = (time.monotonic() - self.begin) / self.done * (self.total - self.done)
        return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"

    def draw(self, running):
        if not self.bar:
            return
        width = max(10, min(40, shutil.get_terminal_size().columns - 50))
        full = width * self.done // max(1, self.total)
        self.stream.write(f"\r\033[K[{'#' * full}{'.' * (width - full)}] {self.done}/{self.total}  "
                          f"{running} in work  {self.left()}")
        self.stream.flush()

    def line(self, text):
        self.stream.write(f"\r\033[K{text}\n" if self.bar else f"{text}\n")
        self.stream.flush()

    def finished(self, one, state, again):
        if not again:
            self.done += 1
        if state["status"] != "graded":
            self.line(f"trouble  {one['slug']}: {state['why']}{'; once more later' if again else ''}")
        elif not self.bar:
            how = f"the same files as {state['same']}" if "same" in state else f"{state.get('seconds', 0):.0f} s"
            self.line(f"graded   {one['slug']}  {state['score']}/{state['max_score']}  "
                      f"({self.done} of {self.total}, {how}; {self.left()})")

    def end(self):
        if self.bar:
            self.stream.write("\r\033[K")
            self.stream.flush()


def work_folder(out):
    """For this run's temporary files; what a killed run left behind goes."""
    note = f"{out}/.work"
    if os.path.exists(note):
        with open(note, encoding="utf-8") as file:
            old = file.read().strip()
        if os.path.basename(old).startswith("strata-class-") and os.path.isdir(old) and os.stat(old).st_uid == os.geteuid():
            shutil.rmtree(old, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix="strata-class-")
    os.chmod(folder, 0o711)     # users of the sandbox pass through it to their own
    with open(note, "w", encoding="utf-8") as file:
        file.write(folder + "\n")
    return folder


def lock(out):
    """Two runs into the same folder would undo each other's work. Workers hold it, too: those of a run that was
    killed need a moment to end."""
    os.makedirs(out, exist_ok=True)
    file, end = open(f"{out}/.lock", "w", encoding="ascii"), time.monotonic() + LOCK_SECONDS    # until this process ends
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            if time.monotonic() > end:
                raise Trouble(f"{out}: another run is at work there") from None
        time.sleep(0.2)


class Class:
    """All that is not graded yet, as many at a time as there are jobs."""

    def __init__(self, lab, out, whole, jobs):
        self.lab, self.out, self.whole, self.jobs = lab, out, whole, jobs
        self.queue = [one for one in whole["submissions"] if not is_done(out, one)]
        self.running, self.attempts = {}, {}
        self.graded = {one["key"]: one["slug"] for one in whole["submissions"] if one["key"] and one not in self.queue}

    def run(self):
        """Submissions that were graded now."""
        if not self.queue:
            return 0
        self.progress = Progress(len(self.queue), self.jobs)
        if not self.progress.bar:
            self.progress.line(f"{len(self.queue)} of {len(self.whole['submissions'])} submissions to grade, "
                               f"{self.jobs} at a time")
        base, total, tmp = Base(self.lab, 0 if self.lab.handout else 1), len(self.queue), work_folder(self.out)
        try:
            while self.queue or self.running:
                while len(self.running) < self.jobs and self.start_next(base, tmp):
                    pass
                self.progress.draw(len(self.running))
                for sentinel in connection.wait(list(self.running), timeout=1):
                    self.finish(*self.running.pop(sentinel))
        finally:
            self.stop()
            self.progress.end()
            shutil.rmtree(tmp, ignore_errors=True)
        return total

    def start_next(self, base, tmp):
        """False: nothing can be started now. Equal files are graded once."""
        in_work = {one["key"] for one, _ in self.running.values()}
        for one in self.queue:
            if one["key"] in in_work:
                continue
            self.queue.remove(one)
            if one["key"] in self.graded:
                self.copy(self.graded[one["key"]], one)
                return True
            process = multiprocessing.get_context("fork").Process(target=child, args=(
                os.getpid(), tmp, f"{self.out}/{one['slug']}/trouble.txt", self.lab, self.out, one, base,
                self.whole["seed"], self.whole["sandbox"]))
            process.start()
            self.running[process.sentinel] = one, process
            return True
        return False

    def finish(self, one, process):
        process.join()
        state = read_json(f"{self.out}/{one['slug']}/state.json")
        if not state or state["key"] != one["key"]:
            state = {"key": one["key"], "status": "trouble", "seconds": 0,
                     "why": f"the process that graded it ended with status {process.exitcode}"}
            write_json(state, f"{self.out}/{one['slug']}/state.json")
        self.attempts[one["slug"]] = self.attempts.get(one["slug"], 0) + 1
        again = state["status"] != "graded" and self.attempts[one["slug"]] < ATTEMPTS
        if state["status"] == "graded":
            self.graded[one["key"]] = one["slug"]
        elif again:
            self.queue.append(one)
        self.tell(one, state, again)

    def tell(self, one, state, again=False):
        if state["status"] == "graded":
            grade = read_json(f"{self.out}/{one['slug']}/grade.json")
            state = {**state, "score": grade["score"], "max_score": grade["max_score"]}
        self.progress.finished(one, state, again)

    def copy(self, slug, one):
        for name in ("grade.json", "junit.xml", "state.json"):
            shutil.copyfile(f"{self.out}/{slug}/{name}", f"{self.out}/{one['slug']}/{name}.new")
            os.replace(f"{self.out}/{one['slug']}/{name}.new", f"{self.out}/{one['slug']}/{name}")
        self.tell(one, {**read_json(f"{self.out}/{one['slug']}/state.json"), "same": slug})

    def stop(self):
        for _, process in self.running.values():
            process.terminate()
        for _, process in self.running.values():
            process.join()
