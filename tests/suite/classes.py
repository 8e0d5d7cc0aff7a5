"""Grading a class: every form of submission, kills and changes, late work, hostile archives, and the page in a browser."""
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from suite.base import BUILD, TOP, Skip, check, equal, figure, scratch, test

sys.path[:0] = [f"{TOP}/tests/class", f"{TOP}/grading"]
import generate  # noqa: E402
from browser import Browser, chromium  # noqa: E402
from generate import DEADLINE, HOUR, Kit  # noqa: E402
from strata_grade import record  # noqa: E402

TOOL = f"{TOP}/grading/grade-class"
UNCHANGED_SECONDS, CLASS_MINUTES = 10, 40


# ---- running it ---------------------------------------------------------------------------------


def environment():
    return dict(os.environ, BUILD=BUILD)


def grade_class(out, *words, status=0, lab=2):
    """What it printed, both streams."""
    command = [TOOL, "--lab", str(lab), "--out", out, *map(str, words)]
    done = subprocess.run(command, cwd=TOP, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    print("+", *command, "\n" + done.stdout, flush=True)
    equal(f"exit status ({(done.stdout.strip() or 'no output').splitlines()[-1]})", status, done.returncode)
    check("Traceback" not in done.stdout, "a traceback")
    return done.stdout


def load(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return json.load(file)


def rows(out):
    return {row["id"]: row for row in load(f"{out}/grades.json")["students"]}


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def reports(out):
    """What two runs must agree on, to the byte: of the page all but what the host's own threads did."""
    found = {}
    for name in ("grades.json", "moodle.csv", "canvas.csv", "report.html"):
        with open(f"{out}/{name}", encoding="utf-8") as file:
            found[name] = re.sub(r'<div class="host">.*?</div>\n', "", file.read().replace(out, "OUT"), flags=re.S)
    return found


def same_reports(one, other):
    for (name, text), again in zip(reports(one).items(), reports(other).values()):
        for line, (want, got) in enumerate(zip(text.splitlines(), again.splitlines()), 1):
            equal(f"{name}, line {line}", want[:300], got[:300])
        check(text == again, f"{name} differs")


def results_of(path):
    return record.results(load(path))


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def started(out, *words, lab=2):
    with open(f"{scratch()}/killed.log", "a", encoding="utf-8") as log:
        return subprocess.Popen([TOOL, "--lab", str(lab), "--out", out, *map(str, words)], cwd=TOP, env=environment(),
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def graded(out):
    """{submission: when its grade was finished}"""
    found = {}
    for name in os.listdir(out) if os.path.isdir(out) else ():
        path = f"{out}/{name}/state.json"
        if os.path.exists(path) and load(path)["status"] == "graded":
            found[name] = os.stat(path).st_mtime_ns
    return found


def kill_after(process, out, number):
    """Kills the run as soon as so many are graded; which."""
    while process.poll() is None and len(graded(out)) < number:
        time.sleep(0.1)
    check(process.poll() is None, f"it ended before {number} were graded")
    process.kill()
    process.wait()
    return graded(out)


# ---- a small class ------------------------------------------------------------------------------


def small(kit, folder):
    """Students with one of everything; who needs the machines needs them briefly."""
    sub, before = f"{folder}/in", DEADLINE - HOUR
    os.makedirs(sub)
    broken = {**kit.starter(), kit.owned[0]: b"int x\n"}
    starter = kit.signed(kit.starter(), "</pre><script>alert(1)</script>")
    generate.pack(kit.reference(), "zip", sub, "ada", before)
    wrong = kit.mutant(f"{kit.lab}/mutants/order-not-recorded.patch", scratch())
    generate.pack(wrong, "deep.tar.gz", sub, "Ben B\u00f6hm", DEADLINE + 30 * HOUR)
    generate.pack(starter, "folder", sub, "cyd@example.org", before)
    line = generate.pack(kit.reference(), "git", sub, "dan", before)
    generate.commit(f"{sub}-git/dan", kit.starter(), DEADLINE + HOUR, "dan")
    generate.tar_of(f"{sub}/eve.tar", [(generate.member("../../eve", 1), b"x")])
    generate.pack(broken, "tar", sub, "g1", before)
    for form in ("zip", "tar"):
        generate.pack(kit.starter(), form, sub, "ivy", before)
    generate.pack(starter, "deep folder", sub, "<b>stranger\n", before)
    with open(f"{folder}/in.list", "w", encoding="utf-8") as file:
        file.write(f"# repositories\n{line}")
    people = [{"id": "ada", "name": "Ada Lovelace", "email": "ada@example.org", "canvas_id": "77", "section": "A"},
              {"id": "ben", "name": "Ben B\u00f6hm", "email": "b@example.org"},
              {"id": "cyd", "name": "=1+1", "email": "cyd@example.org"}, {"id": "dan", "name": "Dan"},
              {"id": "eve", "name": "Eve"}, {"id": "fay", "name": "Fay"}, {"id": "gus", "name": "Gus", "group": "g1"},
              {"id": "hal", "name": "Hal", "group": "g1"}, {"id": "ivy", "name": "Ivy"}]
    generate.write_course(f"{folder}/course.toml", people, "[late]\npoints_per_day = 10\nmaximum = 15\n")
    return people


def one_worker_dies(out, words, done):
    """The second run: what is graded stays, a worker that is killed costs nobody anything."""
    begin, victim = os.stat(f"{out}/.work").st_mtime_ns, None
    process = started(out, *words)
    try:
        while process.poll() is None and not victim:
            if os.stat(f"{out}/.work").st_mtime_ns != begin:    # all is collected
                victim = next((pid for pid in children(process.pid) if children(pid)), None)
            time.sleep(0.1)
        check(victim, "no worker was seen")
        print(f"killing {victim}", flush=True)
        os.kill(victim, signal.SIGKILL)
        process.wait()
    finally:
        process.kill()
        process.wait()
    with open(f"{scratch()}/killed.log", encoding="utf-8") as file:
        text = file.read()
    print(text, flush=True)
    equal("exit status of the run that went on", 0, process.returncode)
    check("once more later" in text, "nobody says that the worker's submission is tried again")
    after = graded(out)
    for name, when in done.items():
        equal(f"when {name} was graded", when, after[name])


@test("class-small", timeout=900)
def class_small():
    """A class in every form: killed, resumed, run again, changed; late work, a group, strangers; as each alone."""
    kit, folder, out = Kit(TOP), f"{scratch()}/class", f"{scratch()}/out"
    people, words = small(kit, folder), ("--roster", f"{folder}/course.toml", f"{folder}/in", f"{folder}/in.list")
    done = kill_after(started(out, *words), out, 1)
    one_worker_dies(out, words, done)
    verdicts = rows(out)
    equal("statuses", {"ada": "graded", "ben": "graded", "cyd": "graded", "dan": "graded", "eve": "refused", "fay": "missing",
                       "gus": "graded", "hal": "graded", "ivy": "unclear", "<b>stranger\n": "graded"},
          {who: row["status"] for who, row in verdicts.items()})
    ben = verdicts["ben"]
    check(0 < ben["earned"] < 100, f"the wrong solution earned {ben['earned']}")
    equal("scores", {"ada": 100, "ben": max(0, ben["earned"] - 15), "cyd": 0, "dan": 100, "eve": 0, "fay": None, "gus": 0, "hal": 0,
                     "ivy": None, "<b>stranger\n": 0}, {who: row["score"] for who, row in verdicts.items()})
    equal("days late", 2, ben["days_late"])
    check_tables(out, people)
    first, begin = reports(out), time.monotonic()
    text = grade_class(out, *words)
    seconds = time.monotonic() - begin
    check("; 0 graded now" in text, "something was graded again")
    equal("reports of a run with nothing to do", first, reports(out))
    changes(kit, folder, out, words)
    alone(kit, folder, out)
    if chromium():
        look(out, f"{scratch()}/browser", students=10)
    figure(f"nothing changed: {seconds:.1f} s")


def check_tables(out, people):
    head, *lines = table(f"{out}/moodle.csv")
    equal("Moodle's columns", ["First name", "Last name", "ID number", "Email address", "Assignment: Lab 2 (Real)",
                               "Assignment: Lab 2 (Feedback)"], head)
    expected = [p["id"] for p in people if p["id"] not in ("fay", "ivy")]
    equal("who is in Moodle's file", expected, [line[2] for line in lines])
    equal("Ada's line", ["Ada", "Lovelace", "ada", "ada@example.org", "100"], lines[0][:5])
    check("2 days late: 15 points less" in lines[1][5], f"feedback for Ben: {lines[1][5]}")
    equal("a name that is a formula", "'=1+1", lines[2][1])
    head, maximum, *lines = table(f"{out}/canvas.csv")
    equal("Canvas's columns", ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Lab 2"], head)
    equal("Canvas's second row", ["    Points Possible", "", "", "", "", "100"], maximum)
    equal("Ada's line", ["Lovelace, Ada", "77", "ada", "ada@example.org", "A", "100"], lines[0])
    equal("who is in Canvas's file", expected, [line[2] for line in lines])


def changes(kit, folder, out, words):
    """A new date is no change; a new file is one, and only its own; points and penalties need no grading."""
    os.utime(f"{folder}/in/ada.zip")
    generate.set_time(f"{folder}/in/ada.zip", DEADLINE - 2 * HOUR)
    generate.pack(kit.signed(kit.starter(), "cyd, again"), "folder", f"{folder}/in", "cyd@example.org", DEADLINE - HOUR)
    before = graded(out)
    text = grade_class(out, *words)
    check("; 1 graded now" in text, "not the one that changed, and no other, was graded")
    equal("graded anew", {"cyd"}, {name for name, when in graded(out).items() if before[name] != when})
    with open(f"{folder}/course.toml", encoding="utf-8") as file:
        course = file.read()
    course = course.replace("maximum = 15", "last_day = 1") + '\n[parts]\nsplit = 25\n'
    with open(f"{folder}/course.toml", "w", encoding="utf-8") as file:
        file.write(course.replace('id = "dan"', 'id = "dan"\nscore = 7\nnote = "told me"'))
    check("0 graded now" in grade_class(out, *words, "--gather"), "new points are no reason to grade")
    row = rows(out)
    equal("scores under new rules", {"ada": 110, "ben": 0, "dan": 7}, {who: row[who]["score"] for who in ("ada", "ben", "dan")})


def alone(kit, folder, out):
    """Grades are equal to grading/grade's of what was handed in."""
    broken, tree = {**kit.starter(), kit.owned[0]: b"int x\n"}, f"{scratch()}/g1"
    generate.write_tree(tree, broken)
    for name, where in (("g1", tree), ("cyd", f"{folder}/in/cyd@example.org")):
        subprocess.run([f"{TOP}/grading/grade", "--lab", "2", "--json", f"{scratch()}/alone.json", where], cwd=TOP, check=False,
                       env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        equal(f"{name} alone", results_of(f"{scratch()}/alone.json"), results_of(f"{out}/{name}/grade.json"))


@test("class-steps", timeout=900)
def class_steps():
    """--prepare, --only and --gather grade a class in pieces; the grader's trouble is no score, and never a zero."""
    kit, folder, out = Kit(TOP), f"{scratch()}/class", f"{scratch()}/out"
    os.makedirs(folder)
    generate.pack(kit.starter(), "zip", folder, "one", DEADLINE)
    generate.pack(kit.signed(kit.starter(), "two"), "tar", folder, "two", DEADLINE)
    equal("what is to be graded", ["one", "two"], grade_class(out, "--prepare", folder).split())
    shutil.rmtree(f"{out}/two/files")
    check("one: graded" in grade_class(out, "--only", "one"), "the first was not graded")
    check("two: trouble" in grade_class(out, "--only", "two", status=2), "no trouble with files that are gone")
    grade_class(out, "--only", "three", status=2)
    text = grade_class(out, "--gather", status=2)
    check("'two': trouble of the grader's own: no score" in text, "trouble is not listed apart")
    found = rows(out)
    equal("scores", {"one": 0, "two": None}, {who: row["score"] for who, row in found.items()})
    equal("who is in Moodle's file", ["one"], [line[2] for line in table(f"{out}/moodle.csv")[1:]])
    check('id="attention"' in reports(out)["report.html"], "the page does not ask for a person")
    for words, says in ((("--roster", "/nonexistent", folder), "No such file"), ((f"{scratch()}/nowhere",), "no such file"),
                        (("--deadline", "soon", folder), "is no time"), ((), "nothing was handed in")):
        check(says in grade_class(f"{scratch()}/other", *words, status=2), f"{words}: nobody says {says!r}")


@test("class-hostile", timeout=900)
def class_hostile():
    """Archives that lead outside, explode, lie or are broken get a clear verdict each, and touch nothing."""
    kit, folder, out, mark = Kit(TOP), f"{scratch()}/class", f"{scratch()}/out", f"{scratch()}/escaped"
    expected = generate.hostile(kit, folder, mark)
    links = {"inner-link": [(generate.member(kit.owned[0], 0, b"2", "x.c"), b""), (generate.member("x.c", 1), b"x")],
             "folder-link": [(generate.member("kernel", 0, b"2", "other"), b""), (generate.member(kit.owned[0].replace(
                 "kernel", "other", 1), 1), b"x")]}
    for name, members in links.items():
        generate.tar_of(f"{folder}/{name}.tar", members)
    before, begin = listing(folder), time.monotonic()
    grade_class(out, "--prepare", folder)
    figure(f"{len(expected)} in {time.monotonic() - begin:.1f} s")
    found = {one["name"]: one for one in load(f"{out}/class.json")["submissions"]}
    for name, words in expected.items():
        check(words in found[name].get("refused", ""), f"{name}: expected {words!r}, got {found[name]}")
        check(not found[name]["key"] and not os.path.exists(f"{out}/{found[name]['slug']}/files"), f"{name} left files behind")
    equal("what a link to a graded file becomes", "a link that was not followed", os.readlink(f"{out}/inner-link/files/{kit.owned[0]}"))
    check(found["folder-link"].get("refused") or os.path.islink(f"{out}/folder-link/files/kernel"), "a link to a folder was followed")
    check(not os.path.exists(mark), "an archive wrote outside")
    equal("what was handed in", before, listing(folder))
    for where, folders, names in os.walk(out):
        for name in folders + names:
            check(name.isprintable() and "<" not in name, f"{where}/{name!r} is called as a student wished")


def listing(folder):
    return sorted((os.path.join(where, name), os.lstat(os.path.join(where, name)).st_size) for where, folders, names in
                  os.walk(folder) for name in folders + names)


@test("class-roster")
def class_roster():
    """Whose a submission is, what late work costs, and which mistakes in the course file are found."""
    from strata_grade.classroom.course import Course, owners    # pylint: disable=import-outside-toplevel
    from strata_grade.lab import Trouble        # pylint: disable=import-outside-toplevel
    path = f"{scratch()}/course.toml"

    def course(more, *students):
        generate.write_course(path, students, more)
        return Course(path)
    people = [{"id": "s1", "name": "Ada Lovelace", "email": "ada@x.org", "canvas_id": "4711"}, {"id": "s2", "name": "Bo"},
              {"id": "s3", "name": "Bo", "login": "bo3"}, {"id": "s4", "name": "J\u00e4rvi  Ko", "group": "two"},
              {"id": "s5", "name": "E", "group": "two", "deadline": DEADLINE + 48 * HOUR}]
    roster = course("", *people)
    for name, whose in (("S1", "s1"), ("ada", "s1"), ("ada@x.org", "s1"), ("ada lovelace", "s1"), ("x_4711_99_lab2", "s1"),
                        ("x_LATE_4711_99_lab2", "s1"), ("Ada Lovelace_812_assignsubmission_file", "s1"), ("Bo", ""), ("bo3", "s3"),
                        ("Jarvi Ko", "s4"), ("TWO", "s4 s5"), ("nobody", ""), ("", ""), ("x_12_99_lab2", "")):
        equal(f"whose {name!r} is", whose, " ".join(s["id"] for s in owners(roster, name)[0]))
    equal("the group's deadline", DEADLINE + 48 * HOUR, roster.deadline_of(owners(roster, "two")[0]))
    late = "[late]\n"
    for rule, hours, days, cost in (
            ("points_per_day = 10", -1, 0, 0), ("points_per_day = 10", 1, 1, 10), ("points_per_day = 10", 24, 1, 10),
            ("points_per_day = 10", 25, 2, 20), ("points_per_day = 10\nmaximum = 15", 25, 2, 15),
            ("points_per_day = 50", 30, 2, 80), ("percent_per_day = 10", 30, 2, 16), ("percent_per_day = 60", 30, 2, 80),
            ("percent_per_day = 60\nmaximum = 50", 30, 2, 40), ("points_per_day = 10\ngrace_minutes = 60", 1, 0, 0),
            ("points_per_day = 10\ngrace_minutes = 60", 1.1, 1, 10), ("points_per_day = 1\nlast_day = 1", 25, 2, 80)):
        this = course(late + rule, people[0])
        equal(f"days late: {hours} h, {rule}", days, this.days_late(this.students[0], DEADLINE + hours * HOUR))
        equal(f"penalty of 80 points: {hours} h, {rule}", cost, this.penalty(80, days))
    equal("days late for who has an extension", 0, roster.days_late(roster.students[4], DEADLINE + 47 * HOUR))
    for more, says in (("[late]\npoints_per_day = -1", "points_per_day"), ("[late]\nper_day = 1", "per_day"), ("colour = 1", "colour"),
                       ('missing = "1"', "missing"), ("[late]\npoints_per_day = 1\npercent_per_day = 1", "not both"), ("= 1", "course.toml"),
                       ("[[student]]\nname = 'x'", "has no id"), ("[[student]]\nid = 's1'", "is there twice"),
                       ("[[student]]\nid = 's9'\ndeadline = 'soon'", "is no time")):
        try:
            course(more, people[0])
        except Trouble as trouble:
            check(says in str(trouble), f"{more!r}: {trouble}")
        else:
            check(False, f"{more!r} was accepted")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@test("class-progress")
def class_progress():
    """On a terminal a bar with the time left, and lines for trouble alone; elsewhere a line for each submission."""
    os.environ["TERM"] = "xterm"
    from strata_grade.classroom.work import Progress    # pylint: disable=import-outside-toplevel
    one, good = {"slug": "ada"}, {"status": "graded", "score": 85, "max_score": 100, "seconds": 9}
    for stream in (Terminal(), io.StringIO()):
        progress = Progress(4, 2, stream)
        progress.draw(2)
        progress.begin -= 600
        progress.finished(one, good, False)
        progress.draw(2)
        progress.finished(one, {"status": "trouble", "why": "no disk"}, True)
        progress.end()
        text = stream.getvalue()
        check("30 min left" in text, f"10 minutes for the first of four, and yet {text!r}")
        check("trouble  ada: no disk; once more later" in text, f"no word about the trouble in {text!r}")
        equal("there is a bar", stream.isatty(), "\r" in text and "1/4" in text and "#" in text)
        equal("lines", 1 if stream.isatty() else 2, text.count("\n"))


# ---- the page -----------------------------------------------------------------------------------


HOSTILE = '</script></style></pre>"\'><img src=x onerror=alert(1)><script>alert(1)</script>\u202e\x07&amp;'


def invented(kit, out, students=60):
    """A class that nobody graded: names, reasons and output as bad as can be."""
    verdicts = ("passed", "failed", "timed out", "not run")
    submissions = []
    for i in range(students):
        name = f"{HOSTILE} {i}" if i % 7 == 0 else f"Student Number {i} of a Long Name" if i % 7 == 1 else f"student{i:02}"
        slug = f"s{i:02}"
        os.makedirs(f"{out}/{slug}")
        submissions.append({"slug": slug, "name": name, "kind": "folder", "source": HOSTILE, "group": False, "students": [],
                            "key": slug, "files": slug, "handed_in": int(DEADLINE.timestamp()) + i})
        if i % 13 == 5:
            submissions[-1].update(key=None, refused=HOSTILE)
        elif i % 13 != 6:
            save(f"{out}/{slug}/grade.json", grade_of(kit, i, verdicts))
            save(f"{out}/{slug}/state.json", {"key": slug, "status": "graded", "why": ""})
    save(f"{out}/class.json", {"lab": 2, "grader": "0" * 64, "seed": 1, "sandbox": False, "submissions": submissions})


def grade_of(kit, i, verdicts):
    parts, tests = [], []
    for p, part in enumerate(kit.toml["part"]):
        good = (i * 7 + p * 5) % 11 > i % 6
        for t, name in enumerate(part["tests"]):
            verdict = "passed" if good or (i + t) % 3 else verdicts[1 + (i + p) % 3]
            place = {"verdict": verdict, "why": "" if verdict == "passed" else f"{HOSTILE}: actual 3, expected 4", "log":
                     [] if verdict == "passed" else [HOSTILE, "seed 42"]}
            tests.append({"name": name, "part": part["name"], "about": f"what {name} asks", "verdict": verdict, "hidden": False,
                          "spoofed": i % 9 == 0, "host_counts": True, "places": {"riscv": place, "arm64": place}, "instructions": {}})
        mine = [test for test in tests if test["part"] == part["name"]]
        score = part["points"] if all(test["verdict"] == "passed" for test in mine) else 0
        parts.append({"name": part["name"], "title": part["title"], "score": score, "max_score": part["points"],
                      "passed": sum(test["verdict"] == "passed" for test in mine), "tests": len(mine)})
    return {"lab": 2, "title": "Buddy allocator", "score": sum(p["score"] for p in parts), "max_score": 100, "parts": parts,
            "tests": tests, "problems": {kit.owned[0]: [HOSTILE]} if i % 5 == 0 else {},
            "build": {"host": HOSTILE} if i % 8 == 0 else {},
            "spoofs": [{"place": "host", "test": None, "times": 2, "line": HOSTILE}] if i % 9 == 0 else [], "seed": 1,
            "tools": {"gcc": HOSTILE}}


def save(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)


def look(out, folder, students):
    """Opens report.html on a desk, on a phone and on paper; screenshots in FOLDER."""
    os.makedirs(folder, exist_ok=True)
    url = f"file://{out}/report.html"
    with Browser(f"{folder}/profile") as browser:
        for name, size in (("desktop", (1280, 900)), ("phone", (390, 844, True))):
            browser.open(url, *size)
            equal(f"the browser's complaints ({name})", [], browser.complaints())
            check(browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"the page is wider than a {name}")
            equal(f"reports on a {name}", students, browser.evaluate("document.querySelectorAll('.student').length"))
            made = "document.querySelectorAll('img, main script, b b, main style').length"
            equal("markup that a student made", 0, browser.evaluate(made))
            browser.screenshot(f"{folder}/{name}.png")
            browser.evaluate("document.querySelector('#rows a').click()")
            check(browser.evaluate("document.querySelectorAll('.student[open]').length === 1"), "a click on a name opens no report")
            browser.evaluate("document.querySelector('.student[open]').querySelectorAll('details').forEach(d => d.open = true)")
            browser.screenshot(f"{folder}/{name}-student.png", whole=False)
            check(browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"a report is wider than a {name}")
        browser.evaluate("document.getElementById('open').click()")
        check(browser.evaluate("document.querySelectorAll('.student:not([open])').length === 0"), "not all reports open")
        browser.evaluate("find.value = 'nobody is called so'; find.dispatchEvent(new Event('input'))")
        check(browser.evaluate("[...document.querySelectorAll('.student')].every(s => s.hidden)"), "the search finds what is not there")
        browser.evaluate("find.value = ''; find.dispatchEvent(new Event('input'))")
        browser.evaluate("order.value = 'best'; order.dispatchEvent(new Event('change'))")
        check(browser.evaluate("(s => s.every((x, i) => !i || x <= s[i - 1]))([...document.querySelectorAll('.student')]"
                               ".map(s => Number(s.dataset.score)))"), "best first is not in order")
        equal("things without a name", [], browser.evaluate(UNNAMED))
        browser.pdf(f"{folder}/paper.pdf")
        equal("the browser's complaints", [], browser.complaints())


# What a screen reader needs: names of controls and pictures, heads of tables, no two equal ids, one language.
UNNAMED = """[...document.querySelectorAll('input, select')].filter(e => !e.labels.length).map(e => e.outerHTML)
.concat([...document.querySelectorAll('svg')].filter(e => !e.getAttribute('aria-label')).map(e => 'svg'))
.concat([...document.querySelectorAll('button, a, summary')].filter(e => !e.textContent.trim()).map(e => e.outerHTML))
.concat([...document.querySelectorAll('th')].filter(e => !e.scope).map(e => e.outerHTML))
.concat([...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i))
.concat(document.documentElement.lang && document.title ? [] : ['no language or title'])"""


@test("class-report", timeout=900)
def class_report():
    """The page opens without a complaint, on a desk and on a phone, and lets no student's text become markup."""
    out = f"{scratch()}/out"
    invented(Kit(TOP), out)
    grade_class(out, "--gather", status=2)
    with open(f"{out}/report.html", encoding="utf-8") as file:
        page = file.read()
    for word in ("<img", "onerror=alert(1)>", "<script>alert", "http://", "https://", "\u202e", "\x07"):
        check(word not in page, f"the page holds {word!r}")
    if not chromium():
        raise Skip("no chromium here: the page was not opened in a browser")
    kept = f"{BUILD}/screenshots/class"
    look(out, kept, students=60)
    shutil.rmtree(f"{kept}/profile", ignore_errors=True)
    figure(f"{len(page) >> 10} KiB; screenshots in {kept}")


# ---- a hundred ----------------------------------------------------------------------------------


@test("class-100", timeout=3600, campaign=True)
def class_100():
    """A hundred submissions in 40 minutes, twice, once killed halfway; equal, right, and as each alone."""
    kit, folder = Kit(TOP), f"{scratch()}/class"
    os.makedirs(folder)
    kinds = generate.make(kit, folder, scratch())
    equal("submissions", 100, len(kinds))
    words, outs = ("--roster", f"{folder}/course.toml", f"{folder}/in", f"{folder}/in.list"), [f"{scratch()}/{n}" for n in "ab"]
    begin = time.monotonic()
    grade_class(outs[0], *words)
    minutes = (time.monotonic() - begin) / 60
    begin = time.monotonic()
    check("; 0 graded now" in grade_class(outs[0], *words), "something was graded again")
    seconds = time.monotonic() - begin
    done = kill_after(started(outs[1], *words), outs[1], 45)
    grade_class(outs[1], *words)
    for name, when in done.items():
        equal(f"when {name} was graded", when, graded(outs[1])[name])
    same_reports(*outs)
    found = rows(outs[0])
    for name, kind in kinds.items():
        row = found[name]
        equal(f"status of {name} ({kind})", "refused" if kind == generate.BROKEN else "graded", row["status"])
        right = {generate.RIGHT: row["earned"] == 100, generate.STARTER: row["earned"] == 0, generate.BROKEN: row["score"] == 0}
        check(right.get(kind, row["earned"] < 100), f"{name} ({kind}) earned {row['earned']}")
        if row["status"] == "graded":
            equal(f"both grades of {name}", *(results_of(f"{out}/{row['submission']}/grade.json") for out in outs))
    each_alone(outs[0], [row["submission"] for row in found.values() if row["status"] == "graded"])
    if chromium():
        look(outs[0], f"{BUILD}/screenshots/class-100", students=100)
    figure(f"{minutes:.1f} min, nothing changed {seconds:.1f} s")
    check(minutes <= CLASS_MINUTES and seconds <= UNCHANGED_SECONDS, f"{minutes:.1f} min, then {seconds:.1f} s")


def each_alone(out, names):
    for name in names:
        subprocess.run([f"{TOP}/grading/grade", "--lab", "2", "--json", f"{scratch()}/alone.json", f"{out}/{name}/files"], cwd=TOP,
                       env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        equal(f"{name} alone", results_of(f"{scratch()}/alone.json"), results_of(f"{out}/{name}/grade.json"))
