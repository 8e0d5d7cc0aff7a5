"""Grades one submission: stage, rules, build, host, two machines, points.

Places. A test is run on the host under sanitizers and on both machines in QEMU. The machines decide; what the
host finds counts against a test as well, but for timeouts and for parts that need several CPUs, because
both depend there on the load. A test has passed if no place that counts says otherwise.

Trust. The submission is judged by what it does in the pristine tree, built from the graded files alone.
"""
import concurrent.futures
import errno
import fcntl
import glob
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time

from . import boot, codequality, record, rules
from .lab import ARCHES, Submission, Trouble
from .record import TOOLS, version  # noqa: F401  (others look for them here)
from .sandbox import Sandbox

CROSS = {"riscv": "riscv64-linux-gnu-", "arm64": "aarch64-linux-gnu-", "host": ""}
BUILD_CPU, BUILD_WALL = 60, 600
# For each run of the compiler on a graded file: seconds of processor time, bytes, bytes of output.
COMPILE_CPU, COMPILE_MEMORY, COMPILE_OUTPUT = 10, 2 << 30, 64 << 20
COMPILER_SAYS = (("CPU time limit exceeded", f"the compiler does not end within {COMPILE_CPU} s of processor time"),
                 ("out of memory", f"the compiler needs more than {COMPILE_MEMORY >> 30} GiB of memory"),
                 ("virtual memory exhausted", f"the compiler needs more than {COMPILE_MEMORY >> 30} GiB of memory"),
                 ("Cannot allocate memory", f"the compiler needs more than {COMPILE_MEMORY >> 30} GiB of memory"),
                 ("File size limit exceeded", f"the compiler writes more than {COMPILE_OUTPUT >> 20} MiB"))
HOST_OUTPUT, HOST_MEMORY, HOST_PROCESSES = 2 << 20, 2 << 30, 64
HOST_LATE = 3           # tests without an end on the host before the others are left to QEMU
PASSED, FAILED, LATE, NOT_RUN = "passed", "failed", "timed out", "not run"


def build_folder(lab):
    return os.path.abspath(os.environ.get("BUILD") or f"{lab.top}/build") + f"/grade-lab{lab.number}"


def variant(lab, arch):
    """The build's folder for this stage: the newest one is the default and has no suffix."""
    with open(f"{lab.top}/Makefile", encoding="utf-8") as file:
        newest = re.search(r"^LABS\s*:=.*?(\d+)\s*$", file.read(), re.M)[1]
    return arch + ("" if lab.number == int(newest) else f"-lab{lab.number}")


class Base:
    """What is the same for every submission, built once: the test kernel, the harness, the tests."""

    def __init__(self, lab, hidden):
        self.versions, self.grader = record.tools(), record.grader(lab)
        self.lab, self.hidden, self.folder = lab, hidden, build_folder(lab) + f"/base{hidden}"
        os.makedirs(self.folder, exist_ok=True)
        with open(f"{self.folder}/.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for place in ARCHES + ("host",):
                self.make(place)
            self.reserved = self.harness_symbols()
            with open(f"{self.folder}/host/lab{lab.number}/tests.json", encoding="utf-8") as file:
                self.tests = json.load(file)["tests"]
            self.all_tests = self.tests + boot.tests(lab)

    def make(self, place):
        goal = ["host-test-base"] if place == "host" else ["ktest-base", "boot-base", f"ARCH={place}", "DEBUGINFO=0"]
        # One at a time: a recipe that ends early on two cores leaves nothing half-written behind.
        done = subprocess.run(
            ["make", "--no-print-directory", "-C", self.lab.top, *goal, f"BUILD={self.folder}",
             f"LAB={self.lab.number}", f"HIDDEN={self.hidden}"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, env=plain_environment(), check=False)
        if done.returncode:
            raise Trouble(f"the pristine tree does not build ({place}): {last(done.stderr)}")

    def harness_symbols(self):
        found = set()
        for place, prefix in (("host", f"host/lab{self.lab.number}"), ("riscv", variant(self.lab, "riscv") + "/ktest")):
            objects = [f"{self.folder}/{prefix}/{group}/{name}" for group in ("given", "world", "core")
                       for name in sorted(os.listdir(f"{self.folder}/{prefix}/{group}")) if name.endswith(".o")]
            ready = f"{self.lab.top}/prebuilt/lab{self.lab.number}/" + \
                (f"host-{platform.machine()}" if place == "host" else f"{place}/given")
            objects += sorted(glob.glob(f"{ready}/*.o"))
            if place != "host":
                objects.append(base_object(self.lab, self.folder, place))
            for defined, _ in rules.globals_of(CROSS[place], objects).values():
                found |= defined
        return found

    def copy_to(self, work):
        """A build folder that is up to date but for the submission."""
        for arch in ARCHES:
            name = variant(self.lab, arch)
            os.makedirs(f"{work}/b/{name}")
            for file in os.listdir(f"{self.folder}/{name}"):
                if file.startswith(("ksyms0.", "kernel.lds", ".kernel-flags")):
                    shutil.copy2(f"{self.folder}/{name}/{file}", f"{work}/b/{name}/{file}")
            shutil.copytree(f"{self.folder}/{name}/ktest", f"{work}/b/{name}/ktest",
                            ignore=shutil.ignore_patterns("*.d"))
            shutil.copy2(base_object(self.lab, self.folder, arch), f"{work}/base-{arch}.o")
            boot.copy_base(self.lab, f"{self.folder}/{name}", work, name, arch)
        shutil.copytree(f"{self.folder}/host", f"{work}/b/host", ignore=shutil.ignore_patterns("*.d"))


def base_object(lab, folder, arch):
    ready = f"{lab.top}/prebuilt/lab{lab.number}/{arch}/ktest-base.o"
    return ready if os.path.exists(ready) else f"{folder}/{variant(lab, arch)}/ktest-base.o"


def plain_environment():
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}


def last(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error|trouble|ktest:", line)]
    return (errors or lines or ["no output"])[0][:300]


class Grade:
    """stop_early: a lost point is enough; places, tests: the others are not run (tests: names, or names of parts);
    progress: write b/VARIANT/ktest/progress.json in the work folder while the tests run."""

    def __init__(self, lab, base, tree, seed=1, sandbox=False, stop_early=False, places=("host",) + ARCHES, tests=(),
                 progress=False):
        self.lab, self.base, self.tree, self.seed = lab, base, tree, seed
        self.names = [t["name"] for t in base.tests if not tests or {t["name"], t["part"]} & set(tests)]
        self.boots = not tests or "boot" in tests
        self.compulsory, self.stop_early, self.want = sandbox, stop_early, places
        self.build_note, self.spoofs, self.results, self.instructions, self.times = {}, [], {}, {}, {}
        self.findings, self.progress = [], progress

    def run(self):
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="strata-grade-") as work:
            self.work = work
            self.submission = Submission(self.lab, self.tree, f"{work}/tree")
            headers = [f"{self.lab.top}/kernel", *(f"{self.lab.top}/kernel/arch/{a}/include" for a in ARCHES)]
            for path in self.lab.owned:
                for why in rules.scan_source(self.submission.text(path), headers):
                    self.submission.reject(path, why)
            self.base.copy_to(work)
            self.box = Sandbox(self.lab.top, work, self.compulsory)
            self.isolation = self.box.kind
            try:
                self.build_and_run()
            finally:
                self.box.close()
            self.hashes, self.hash = self.submission.hashes, self.submission.hash()
            self.problems = self.submission.problems
        self.times["total"] = round(time.monotonic() - begin, 2)
        return self.verdict()

    def build_and_run(self):
        enough = lambda: self.stop_early and (self.submission.problems or self.lost())
        if not enough():
            self.compile_and_check()
        if enough():
            return
        self.timed("host", self.host)
        if not enough():
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                for future in [pool.submit(self.timed, arch, self.machine, arch) for arch in ARCHES]:
                    future.result()

    def timed(self, place, function, *args):
        if place in self.want:
            begin = time.monotonic()
            function(*args)
            self.times[place] = round(time.monotonic() - begin, 2)

    def make(self, place, *goals, **limits):
        words = [f"BUILD={self.box.work}/b", f"LAB={self.lab.number}", f"TREE={self.box.work}/tree",
                 f"HIDDEN={self.base.hidden}"]
        if place != "host":
            words += [f"ARCH={place}", "DEBUGINFO=0", f"KTEST_BASE={self.box.work}/base-{place}.o"]
        self.box.hand_over()
        done = self.box.run("make", "--no-print-directory", "-Otarget", "-C", self.box.top, "-k", *goals, *words,
                            **{"cpu": BUILD_CPU, "wall": BUILD_WALL, **limits})
        if done.late:       # none of its processes can have computed for so long
            raise Trouble(f"{place}: the build did not end within {BUILD_WALL} s")
        if done.status:
            # Words that the submission itself holds prove nothing.
            self.box.check_room("" if os.strerror(errno.ENOSPC) in "".join(map(self.submission.text, self.lab.owned))
                                else done.output)
        return done

    def objects(self, place):
        folder = f"host/lab{self.lab.number}" if place == "host" else variant(self.lab, place) + "/ktest"
        return {path: f"{self.work}/b/{folder}/student/{path.replace('/', '+')[:-2]}.o" for path in self.lab.owned}

    # ---- build ------------------------------------------------------------------------------

    def compile_and_check(self):
        """Twice at most: a file that breaks a rule is replaced by its starter, which breaks none."""
        for _ in range(2):
            before = sum(map(len, self.submission.problems.values()))
            for place in self.want:
                self.compile(place)
            if sum(map(len, self.submission.problems.values())) == before:
                return

    def compile(self, place):
        goal = "host-test-student" if place == "host" else "ktest-student"
        done = self.make(place, goal, cpu=COMPILE_CPU, memory=COMPILE_MEMORY, file_limit=COMPILE_OUTPUT)
        objects, text = self.objects(place), self.box.clean(done.output)
        theirs = [path for path in self.lab.owned if path not in self.submission.problems]     # no starter in its place
        self.findings += codequality.diagnostics(text, theirs)
        for path, obj in objects.items():
            if not os.path.exists(obj):
                why = why_no_object(path, obj, text)
                if not why or path in self.submission.problems:     # the starter does compile
                    raise Trouble(f"{place}: no object for {path}: {last(text)}")
                self.submission.reject(path, why)
        self.check_objects(place, {path: obj for path, obj in objects.items() if os.path.exists(obj)})

    def check_objects(self, place, objects):
        found = rules.globals_of(CROSS[place], list(objects.values()))
        wrong = rules.check_symbols(self.lab, {path: found[obj] for path, obj in objects.items()}, self.base.reserved)
        for path, obj in objects.items():
            if os.path.exists(obj[:-2] + ".d"):
                with open(obj[:-2] + ".d", encoding="utf-8", errors="replace") as file:
                    text = file.read()
                wrong.setdefault(path, []).extend(rules.check_headers(text, self.box.top, f"{self.box.work}/tree"))
            if place in ARCHES:
                wrong.setdefault(path, []).extend(rules.check_sections(CROSS[place], obj))
                wrong.setdefault(path, []).extend(rules.check_size(CROSS[place], obj))
                wrong.setdefault(path, []).extend(rules.check_instructions(place, CROSS[place], obj))
        for path, reasons in wrong.items():
            for why in reasons[:5]:
                if why not in self.submission.problems.get(path, []):
                    self.submission.reject(path, why)
                    os.utime(os.path.join(self.submission.stage, path))

    def build(self, place, *goals):
        """True if it is built; else every test has failed there, and build_note says why."""
        done = self.make(place, *goals)
        if done.status == 0:
            return True
        text = self.box.clean(done.output)
        if "ktest: trouble" in text or not re.search(r"error|ktest:", text):
            raise Trouble(f"{place}: {last(text)}")
        self.build_note[place] = last(text)
        for test in self.base.tests:
            self.put(test["name"], place, FAILED, f"not built: {self.build_note[place]}")
        return False

    # ---- run --------------------------------------------------------------------------------

    def put(self, name, place, verdict, why="", log=(), instructions=None):
        result = {"verdict": verdict, "why": re.sub(r"[^ -~…]", "?", why)[:400], "log": list(log)}
        if place in ARCHES:
            self.instructions.setdefault(name, {})[place] = instructions
        self.results.setdefault(name, {})[place] = result

    def host(self):
        """The only machine code of the student's that meets the host's kernel: nothing is writable for it."""
        if not self.build("host", "host-test-build"):
            return
        names, late, again = list(self.names), 0, True
        while names and late < HOST_LATE:
            asked = names[:60]
            done = self.box.run("/usr/bin/env", "ASAN_OPTIONS=detect_leaks=0:abort_on_error=0:color=never",
                                f"{self.box.work}/b/host/lab{self.lab.number}/ktest-host", "-s", self.seed, *asked,
                                cpu=60, wall=300, output_limit=HOST_OUTPUT, together=HOST_MEMORY,
                                processes=HOST_PROCESSES, only="b/host")
            found, why = self.read_host(done, asked), done.over or ("no end" if done.late else "")
            if not why and (done.status not in (0, 1) or len(found) < len(asked)):
                if "KTAP version" not in done.output:
                    raise Trouble(f"the host tests gave no verdict: {last(done.output)}")
                if again:       # somebody may have killed it
                    again = False
                    continue
                why = "it ends or garbles the program that runs the tests"
            if why:
                name = asked[min(len(found), len(asked) - 1)]
                found[name] = (FAILED if done.over or not done.late else LATE, why, [])
            for name, result in found.items():
                self.put(name, "host", *result)
            late += HOST_LATE if done.stuck else sum(verdict == LATE for verdict, *_ in found.values())
            names = [n for n in names if n not in found]
        for name in names:
            self.put(name, "host", NOT_RUN, "too many tests ran out of time on the host")

    def read_host(self, done, asked):
        """{test: what to put}, in the order asked for. A child ends before its parent says how: a verdict that is
        followed by another one for the same test was not the parent's."""
        log, found, text = [], [], self.box.clean(done.output)
        self.findings += codequality.sanitizers(text, self.lab.owned)
        for line in text.splitlines():
            match = re.match(r"(ok|not ok) (\d+) (\w+) - (.*)$", line)
            right = match and len(found) < len(asked) and match[3] == asked[len(found)] \
                and int(match[2]) == len(found) + 1
            if not right:
                if re.match(r"\s*(ok|not ok)\s+\d", line) or re.search(r"mac=[0-9a-f]{4}", line):
                    if found and match and match[3] == found[-1][0]:
                        self.spoof("host", match[3], line)      # the one before it was the forgery
                        found[-1] = (match[3], match[1], match[4], found[-1][3])
                    else:
                        self.spoof("host", asked[len(found)] if len(found) < len(asked) else None, line)
                elif len(log) < 400:
                    log.append(line)
                continue
            found.append((match[3], match[1], match[4], log))
            log = []
        judged = {}
        for name, kind, rest, text in found:
            why = rest.rsplit(" # ", 1)[1] if " # " in rest else ""
            verdict = PASSED if kind == "ok" else LATE if why == "timed out" else \
                NOT_RUN if why.startswith("not run: ") else FAILED
            judged[name] = (verdict, why.removeprefix("not run: "), [] if kind == "ok" else tidy(text))
        return judged

    def spoof(self, place, test, line):
        """The first of each test and place is shown, the others are counted."""
        for known in self.spoofs:
            if (known["place"], known["test"]) == (place, test):
                known["times"] += 1
                return
        self.spoofs.append({"place": place, "test": test, "times": 1, "line": re.sub(r"[^ -~]", "?", line)[:160]})

    def machine(self, arch):
        if self.build(arch, "ktest-build") and self.names:
            self.run_tests(arch)
        if self.boots and not (self.stop_early and self.lost()):
            boot.run(self, arch, variant(self.lab, arch), CROSS[arch])

    def run_tests(self, arch):
        for test in self.run_ktest(arch, f"b/{variant(self.lab, arch)}/ktest"):
            self.put(test["name"], arch, test["verdict"], test["why"], tidy(test["log"]), test["instructions"])

    def run_ktest(self, arch, folder, *options):
        """The image in that folder of the work folder."""
        out = f"{folder}/result.json"
        for attempt in (1, 2):
            done = self.box.run("/usr/bin/python3", f"{self.box.top}/tools/ktest", "--arch", arch, "--lab", self.lab.number,
                                "--image", f"{self.box.work}/{folder}/Image", "--tests-json",
                                f"{self.box.work}/{folder}/tests.json", "--seed", self.seed, *options,
                                "--json", f"{self.box.work}/{out}",
                                *(["--progress", f"{self.box.work}/{folder}/progress.json"] if self.progress else []),
                                *self.names, cpu=900, wall=3000)
            if done.status in (0, 1) and os.path.exists(f"{self.work}/{out}"):
                break
            if attempt == 2:
                self.box.check_room()
                raise Trouble(f"QEMU for {arch}: {last(self.box.clean(done.output))}")
        with open(f"{self.work}/{out}", encoding="utf-8") as file:
            result = json.load(file)
        for spoof in result["spoofs"]:
            self.spoof(arch, spoof["test"], spoof["line"])
        return result["tests"]

    # ---- judge ------------------------------------------------------------------------------

    def lost(self):
        return any(self.judge(test["name"], part) not in (PASSED, NOT_RUN) for part in self.lab.parts
                   for test in self.tests_of(part))

    def tests_of(self, part):
        known = {t["name"]: t for t in self.base.all_tests}
        return [known[name] for name in part["tests"] if name in known]

    def judge(self, name, part):
        places, verdict = self.results.get(name, {}), PASSED
        if any(s["test"] == name for s in self.spoofs):
            return FAILED
        for place in self.want:
            result = places.get(place, {"verdict": NOT_RUN})
            if place == "host":
                if not self.lab.host_counts(part) or result["verdict"] != FAILED:
                    continue
            elif result["verdict"] == NOT_RUN and verdict == PASSED:
                verdict = NOT_RUN
            if result["verdict"] == FAILED:
                return FAILED
            if result["verdict"] == LATE:
                verdict = LATE
        return verdict

    def verdict(self):
        parts, tests, score, maximum = [], [], 0, 0
        touched = bool(self.problems)
        for part in self.lab.parts:
            mine = self.tests_of(part)
            if not mine:
                raise Trouble(f"part {part['name']} has no test")
            verdicts = [self.judge(t["name"], part) for t in mine]
            good = all(v == PASSED for v in verdicts)
            points = part["points"] if good else 0
            score, maximum = score + points, maximum + part["points"]
            parts.append({"name": part["name"], "title": part["title"], "score": points, "max_score": part["points"],
                          "passed": verdicts.count(PASSED), "tests": len(mine)})
            for test, verdict in zip(mine, verdicts):
                tests.append({"name": test["name"], "part": part["name"], "about": test["about"], "verdict": verdict,
                              "hidden": test["hidden"], "seeds": test["seeds"],
                              "spoofed": any(s["test"] == test["name"] for s in self.spoofs),
                              "host_counts": self.lab.host_counts(part), "places": self.results.get(test["name"], {}),
                              "instructions": self.instructions.get(test["name"], {})})
        if maximum != 100:
            raise Trouble(f"lab.toml: the parts are worth {maximum} points, not 100")
        full = score == maximum and not touched
        return {"lab": self.lab.number, "title": self.lab.title, "score": score, "max_score": maximum,
                "verdict": "full marks" if full else "points lost", "parts": parts, "tests": tests,
                "problems": self.problems, "build": self.build_note, "findings": codequality.unique(self.findings),
                "spoofs": sorted(self.spoofs, key=lambda s: (s["place"], str(s["test"]))), "seed": self.seed,
                "seeds": record.seeds(self.seed), "files": self.hashes, "hash": self.hash,
                "grader": self.base.grader, "tools": self.base.versions,
                "handout": self.lab.handout, "isolation": self.isolation, "times": self.times}


def why_no_object(path, obj, text):
    """What is wrong with a file that did not compile, in words; None: it is not the file."""
    blocks = re.split(r"^(make(?:\[\d+\])?: \*\*\* .*)$", text, flags=re.M)
    for before, error in zip(blocks[::2], blocks[1::2]):
        if f"/{os.path.basename(obj)}] Error" not in error:
            continue
        for phrase, why in COMPILER_SAYS:
            if phrase in before:
                return why
        # A header may be where a file's macros do their harm.
        lines = [line for line in before.splitlines() if re.search(r":\d+: .*error:", line)]
        lines = [line for line in lines if path in line] + lines
        return f"it does not compile: {lines[0][:300]}" if lines else None
    return None


def tidy(log):
    """The lines that say something and are the same each time: no addresses, no process numbers."""
    kept = []
    for line in log:
        line = line.removeprefix("#   ").rstrip()
        if re.match(r"={3,}|==\d+==ABORT|\s+#\d|\s*0x|Shadow byte|  \w.*:\s+[0-9a-f]{2}$|=>0x", line) or not line:
            continue
        line = re.sub(r"==\d+==", "", re.sub(r"0x[0-9a-f]{6,}", "0x…", line))
        kept.append(re.sub(r"[^ -~…]", "?", line)[:300])
    return kept[:20]


def grade(lab, tree, **options):
    if options.get("sandbox"):      # before anything is built
        with tempfile.TemporaryDirectory(prefix="strata-grade-") as work:
            Sandbox(lab.top, work, compulsory=True)
    base = Base(lab, 0 if lab.handout else 1)
    return Grade(lab, base, os.path.abspath(tree), **options).run()
