"""The grader: full marks for the reference, none for the starter, a clear report for whatever else comes."""
import contextlib
import copy
import ctypes
import glob
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import types
import xml.etree.ElementTree as ET

from suite.base import ARCHES, BUILD, CAMPAIGN, TOP, both, check, equal, figure, scratch, test

FOLDERS = {int(os.path.basename(path).split("-")[0]): path for path in sorted(glob.glob(f"{TOP}/labs/[0-9]-*"))}
PHYS = "kernel/mm/phys"
SET_CHILD_SUBREAPER = 36
GRADE_SECONDS, HOST_SECONDS = 20, 5
YARDSTICK_SECONDS = 3.4     # of slowness(), on the machine that these limits are for
EVERY = 9       # of the wrong solutions every ninth is tried in `make test`


def lab_of(number):
    with open(f"{FOLDERS[number]}/lab.toml", "rb") as file:
        return tomllib.load(file)


def owned(number=1):
    return lab_of(number)["owned"]


def each_lab(name, **options):
    """Mark a function as one test for each lab; it gets the lab's number."""
    def mark(function):
        for number in FOLDERS:
            test(f"{name}-{number}", number, **options)(function)
        return function
    return mark


# ---- submissions --------------------------------------------------------------------------------


def submission(name, lab=1, **changed):
    """A folder with the reference's files; changed: freelist=text or a function of the path that makes it, None for
    a file that is missing."""
    folder = f"{scratch()}/{name}"
    for path in owned(lab):
        target, stem = f"{folder}/{path}", os.path.basename(path).removesuffix(".c")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        change = changed[stem] if stem in changed else source(path)
        if callable(change):
            change(target)
        elif change is not None:
            with open(target, "w", encoding="utf-8") as file:
                file.write(change)
    return folder


def starters(lab):
    folder = f"{scratch()}/starter"
    for path in owned(lab):
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        shutil.copy2(f"{FOLDERS[lab]}/starter/{os.path.basename(path)}", f"{folder}/{path}")
    return folder


def source(path):
    with open(f"{TOP}/{path}", encoding="utf-8") as file:
        return file.read()


FREELIST = source(f"{PHYS}/freelist.c")
HEADERS = '#include "mm/phys/page_alloc.h"\n'
ON_ALLOC = "	page = list_first_entry"
ON_DOUBLE_FREE = '	if (PageBuddy(page))\n		return "free of a free page'


def with_code(code, where=ON_ALLOC, headers=(), before=""):
    """The free list with a few statements more at one place."""
    for old in (where, HEADERS):
        equal(f"places of {old!r} in freelist.c", 1, FREELIST.count(old))
    more = "".join(f'#include "{header}"\n' for header in headers)
    return FREELIST.replace(where, code + where).replace(HEADERS, HEADERS + more + before)


# ---- grading ------------------------------------------------------------------------------------


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


def command(*words, **env):
    """Exit status and output, both streams together; an output that has no line is a mistake."""
    done = subprocess.run([str(w) for w in words], cwd=TOP, env=dict(os.environ, **{"BUILD": BUILD, **env}), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                          check=False)
    print("+", *words, "\n" + done.stdout, flush=True)
    return done.returncode, done.stdout


def last_line(text):
    return (text.strip() or "no output").splitlines()[-1]


def grade(tree, status, *options, lab=1):
    """The grade and what was printed; the exit status is as expected, and the tree is as it was."""
    out, before = f"{scratch()}/grade.json", tree_state()
    code, text = command(f"{TOP}/grading/grade", "--lab", lab, "--json", out, *options, tree)
    equal(f"exit status ({last_line(text)})", status, code)
    equal("the pristine tree", before, tree_state())
    if status == 2:
        check(not os.path.exists(out), "trouble, and yet a grade was written")
        return None, text
    with open(out, encoding="utf-8") as file:
        return json.load(file), text


def points(result):
    return {part["name"]: part["score"] for part in result["parts"]}


def without_times(result):
    result = copy.deepcopy(result)
    del result["times"]
    return result


# ---- right and wrong ----------------------------------------------------------------------------


@each_lab("grade-reference", timeout=1500)
def reference(lab):
    """The reference gets 100 of 100, and the same JSON each time, instructions included, but for the times."""
    first, _ = grade(TOP, 0, lab=lab)
    equal("score", (100, 100), (first["score"], first["max_score"]))
    for case in first["tests"]:
        for arch in ARCHES:
            check((case["instructions"].get(arch) or 0) > 0, f"{case['name']}: no instructions counted on {arch}")
    seconds = [first["times"]["total"]]
    for _ in range(49 if CAMPAIGN else 4):
        again, _ = grade(TOP, 0, lab=lab)
        equal("JSON but for times", without_times(first), without_times(again))
        seconds.append(again["times"]["total"])
    figure(f"{len(seconds)} runs, the fastest {min(seconds):.1f} s")


@each_lab("grade-starter", timeout=900)
def starter(lab):
    """The starter gets 0, and every failure says what is not written yet."""
    result, _ = grade(starters(lab), 1, lab=lab)
    equal("score", 0, result["score"])
    for case in result["tests"]:
        if case["verdict"] == "passed":
            continue
        for place in ARCHES:
            seen = case["places"][place]
            check(seen["why"] or seen["log"], f"{case['name']} fails on {place} without a word")


@contextlib.contextmanager
def competitors(n):
    """Busy loops of normal priority, ended whatever happens."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"], stdin=subprocess.DEVNULL) for _ in range(n)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@each_lab("grade-load", timeout=1500)
def load(lab):
    """The grade is the same, but for the times, beside two busy competitors for each CPU."""
    first, _ = grade(TOP, 0, lab=lab)
    with competitors(2 * os.cpu_count()):
        for _ in range(10 if CAMPAIGN else 1):
            again, _ = grade(TOP, 0, lab=lab)
            equal("JSON but for times", without_times(first), without_times(again))


# ---- bad submissions ----------------------------------------------------------------------------


def bad(name, says, keeps=("memblock", "memblock_alloc", "page_init"), **changed):
    """Graded with exit status 1 and a report that holds the words; of the parts these keep their points and no
    others."""
    result, out = grade(submission(name, **changed), 1)
    for words in [says] if isinstance(says, str) else says:
        check(words in out, f"{name}: expected {words!r} in the report")
    equal(f"{name}: parts that keep their points", set(keeps), {part for part, score in points(result).items() if score})
    check("Traceback" not in out, f"{name}: the grader stumbled")
    return result


@test("grade-bad-source", timeout=1500)
def bad_source():
    """A file that is missing, does not compile, or breaks a rule loses its points and no others."""
    bad("missing", "the file is missing", freelist=None)
    bad("calls", "may not call", freelist=FREELIST.replace(
        "	zone->free_pages = 0;", "	arch_poweroff();\n	zone->free_pages = 0;").replace(
            HEADERS, HEADERS + '#include "arch/arch.h"\n'))
    # Three at a time: each file has its own report.
    none = ()
    bad("words", ("does not compile", ".incbin", "only the kernel's own headers"), none,
        freelist=FREELIST.replace("	zone->free_pages--;", "	zone->free_pages--"),
        memblock=source(f"{PHYS}/memblock.c") + '\n__asm__(".incbin \\"/etc/passwd\\"");\n',
        page_init='#include "/etc/passwd"\n' + source(f"{PHYS}/page_init.c"))
    bad("names", ("belongs to the kernel or the harness", '"mm/phys/freelist.c": only the kernel', '"../../../Makefile": only'),
        none, freelist=FREELIST + "\nvoid ktest_fail(void);\nvoid ktest_fail(void) { }\n",
        memblock='#include "mm/phys/freelist.c"\n', page_init='#include "../../../Makefile"\n')
    bad("sizes", ("or a folder that it is in, is a link", "larger than 1048576 bytes", "its code and variables take 107374"),
        none, memblock=lambda path: os.symlink("/etc/passwd", path), page_init="/*\n" * (1 << 20),
        freelist=FREELIST + "\nchar huge[1 << 30];\n")


@test("grade-bad-compile", timeout=1500)
def bad_compile():
    """A source on which the compiler computes for ever or fills memory is refused for that, within limits."""
    def tower(word, times, height):
        lines = [f"#define X0 {word}"]
        lines += [f"#define X{i} " + f"X{i - 1} " * times for i in range(1, height + 1)]
        return "\n".join(lines) + "\n"
    # The third one is for the grader's own eyes: comments and strings that never end.
    bad("bombs", ("does not end within 10 s", "needs more than 2 GiB"), (),
        freelist=FREELIST + tower("+1", 16, 8) + "long bomb = 0 X8;\n",
        page_init=source(f"{PHYS}/page_init.c") + tower('"' + 64 * "x" + '"', 32, 6) + "const char *bomb = X6;\n",
        memblock='"\\"' + '\\"' * 200000 + "\n" + "/*" * 200000)


@test("grade-links", timeout=600)
def links():
    """A folder that is a link does not lead the grader out of the submission."""
    folder = f"{scratch()}/links"
    os.makedirs(f"{folder}/kernel/mm")
    os.symlink(f"{TOP}/{PHYS}", f"{folder}/{PHYS}")
    result, out = grade(folder, 1)
    equal("score", 0, result["score"])
    check("is a link" in out, "no word about the link")


@test("grade-bad-behaviour", timeout=900)
def bad_behaviour():
    """Loops, floods, panics, crashes and printed look-alikes are named, and nothing is earned by them."""
    begin, keeps = time.monotonic(), ("memblock", "memblock_alloc", "page_init")
    irqs, printk, panic = ("base/irq.h",), ("base/printk.h",), ("base/panic.h",)
    result = bad("loop", "TIMED OUT", freelist=with_code("	for (;;)\n		barrier();\n"))
    check(any(t["verdict"] == "timed out" for t in result["tests"]), "no test timed out")
    check(any(t["verdict"] == "not run" for t in result["tests"]), "a lost part was run to its end")
    bad("panic", "out of ideas", freelist=with_code('	panic("out of ideas");\n', headers=panic))
    result = bad("spoof", "attempt to spoof", freelist=with_code(
        '	printk(KERN_EMERG "ok 16 a_page_is_handed_out_once # 1 instructions mac=0123456789abcdef\\n");\n', headers=printk))
    check(result["spoofs"], "no spoof was noted")
    bad("flood", "floods the console", freelist=with_code(
        '	for (;;)\n		printk(KERN_EMERG "and on and on and on and on and on and on and on\\n");\n', headers=printk))
    bad("wild", "Kernel panic", freelist=with_code("	*(volatile long *)0x10 = 1;\n"))
    # Where only bad frees lead, the parts without any keep their points.
    keeps += ("freelist", "boot")
    result = bad("interrupts-off", "TIMED OUT", keeps, freelist=with_code(
        "	local_irq_disable();\n	for (; PageBuddy(page);)\n		barrier();\n", ON_DOUBLE_FREE, irqs))
    bad("recursion", "Kernel panic", keeps, freelist=with_code(
        "	if (PageBuddy(page))\n		deeper(page);\n", ON_DOUBLE_FREE,
        before="\nstatic int deeper(const struct page *page)\n{\n	volatile char room[256];\n\n"
               "	room[0] = 1;\n	return deeper(page) + room[0];\n}\n\n"))
    figure(f"{time.monotonic() - begin:.0f} s")


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


@test("grade-sandbox", timeout=600)
def sandbox():
    """In the sandbox nothing of the host can be read or written; without bubblewrap --sandbox is trouble."""
    code, out = command(f"{TOP}/grading/grade", "--lab", 1, "--sandbox", TOP, PATH="/nonexistent")
    equal("exit status without bubblewrap", 2, code)
    check("bwrap is not installed" in out and len(out.splitlines()) == 1, f"expected a line about bwrap, got {out!r}")
    if not shutil.which("bwrap"):
        figure("bubblewrap is not installed: its inside was not tested")
        return
    sys.path.insert(0, f"{TOP}/grading")
    from strata_grade.sandbox import Sandbox    # pylint: disable=import-outside-toplevel
    secret, work = f"{scratch()}/secret", f"{scratch()}/work"
    os.makedirs(work)
    with open(secret, "w", encoding="ascii") as file:
        file.write("secret\n")
    os.environ["STRATA_SECRET"] = "secret"
    box = Sandbox(TOP, work, compulsory=True)
    for what, script in (("the host's files", f"cat {secret}"), ("/etc/passwd", "cat /etc/passwd"),
                         ("a home", "ls /root /home"), ("the environment", 'test "$STRATA_SECRET"'),
                         ("the network", "grep -v lo: /proc/net/dev | grep :"), ("writing to the tree", "touch /strata/touched"),
                         ("writing to /usr", "touch /usr/touched"), ("the host's processes", f"test -d /proc/{os.getpid()}")):
        done = box.run("/bin/sh", "-c", script)
        check(done.status != 0, f"{what} can be reached: {script}: {done.output}")
    done = box.run("/bin/sh", "-c", "echo made >/work/made && cat /strata/README.md")
    equal("status of what is allowed", 0, done.status)
    check(os.path.exists(f"{work}/made") and not os.path.exists(f"{TOP}/touched"), "the work folder is not where it should be")
    grade(TOP, 0, "--sandbox")


# ---- trouble ------------------------------------------------------------------------------------


def descendants(pid):
    """{pid: name} of all processes below this one."""
    parent, name = {}, {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            one = int(text.split()[0])
            name[one] = text[text.index("(") + 1:text.rindex(")")]
            parent[one] = int(text[text.rindex(")") + 2:].split()[1])

    def below(one):
        while one in parent and one != pid:
            one = parent[one]
        return one == pid
    return {one: name[one] for one in name if one != pid and below(one)}


def trouble_with(says, *words, **env):
    code, out = command(*words, **env)
    equal(f"exit status ({last_line(out)})", 2, code)
    check(says in last_line(out), f"expected {says!r}, got {last_line(out)!r}")
    check(len(out.splitlines()) == 1, f"trouble takes more than a line: {out}")


@test("grade-trouble", timeout=900)
def trouble():
    """What is not the submission's fault ends with 2 and a line that names it, not with a grade."""
    tool = (f"{TOP}/grading/grade", "--lab")
    trouble_with("is no folder", *tool, 1, f"{scratch()}/nowhere")
    trouble_with("there is no lab 9", *tool, 9, TOP)
    trouble_with("cannot be written", *tool, 1, "--json", f"{scratch()}/no/grade.json", TOP)
    trouble_with("is not installed", *tool, 1, TOP, PATH="/nonexistent")
    grade(TOP, 0)       # what is built once is built
    # An older grade is not left standing.
    with open(f"{scratch()}/grade.json", "w", encoding="ascii") as file:
        file.write('{"score": 100}\n')
    grade(f"{scratch()}/nowhere", 2)
    qemu_killed()
    disk_full()


def is_machine(pid):
    """Not just a question for the version."""
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return b"-kernel" in file.read().split(b"\0")


def qemu_killed():
    """Somebody ends every QEMU as soon as it is seen."""
    process = subprocess.Popen([f"{TOP}/grading/grade", "--lab", "1", TOP], env=dict(os.environ, BUILD=BUILD), cwd=TOP,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        while process.poll() is None:
            for pid, name in descendants(process.pid).items():
                with contextlib.suppress(OSError):
                    if name.startswith("qemu-system") and is_machine(pid):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
        out = process.communicate()[0]
    finally:
        process.kill()
        process.wait()
    print(out, flush=True)
    equal(f"exit status when QEMU is killed ({last_line(out)})", 2, process.returncode)
    check("QEMU was killed by SIGKILL" in out, "nobody says that QEMU was killed")


def disk_full():
    """Work folders on file systems that are too small in different ways."""
    small = f"{scratch()}/small"
    os.makedirs(small)
    mount = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c",
             'mount -t tmpfs -o size="$1" none "$2" || exit 99; shift; export TMPDIR="$1"; shift; exec "$@"', "sh"]
    for size in ("64k", "8m", "28m"):
        words = [*mount, size, small, f"{TOP}/grading/grade", "--lab", "1", TOP]
        code, out = command(*words)
        if code in (1, 99) and "score" not in out:
            figure("no small file system can be mounted here: a full disk was not tested")
            return
        if code == 0:
            break
        equal(f"exit status with {size} ({last_line(out)})", 2, code)
        check("No space left" in out or "no space left" in out, f"{size}: nobody says that the disk is full")
        check("Traceback" not in out, "a traceback instead of a line")
    check(size != "64k" or code == 2, "64 KiB are enough for a grade?")


# ---- doors --------------------------------------------------------------------------------------


def check_junit(path, cases, failures):
    """The shape that GitLab, Jenkins and GitHub read."""
    root = ET.parse(path).getroot()
    equal("root of the JUnit file", "testsuites", root.tag)
    suites = list(root)
    equal("below it", {"testsuite"}, {suite.tag for suite in suites})
    equal("cases", cases, len(root.findall("testsuite/testcase")))
    for element in [root, *suites]:
        below = list(element.iter("testcase"))
        equal(f"tests of {element.tag}", str(len(below)), element.get("tests"))
        equal(f"failures of {element.tag}", str(sum(c.find("failure") is not None for c in below)), element.get("failures"))
        equal(f"errors of {element.tag}", "0", element.get("errors"))
        check(element.get("name") and float(element.get("time")) >= 0, f"{element.tag} has no name or time")
    equal("skipped", str(len(root.findall(".//skipped"))), suites[0].get("skipped"))
    check((int(root.get("failures")) > 0) == failures, f"{root.get('failures')} failures")
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    equal("names that are there twice", len(names), len(set(names)))
    for case in root.iter("testcase"):
        check(len(case) <= 1 and all(child.tag in ("failure", "skipped") for child in case), f"{case.get('name')}: odd children")
        for failure in case.findall("failure"):
            check(failure.get("message") and failure.get("type"), f"{case.get('name')} fails without a word")


@test("grade-doors", timeout=1200)
def doors():
    """make grade, mutants and handout: exit status, JSON, JUnit, help, and errors of one line."""
    json_file, junit = f"{scratch()}/grade.json", f"{scratch()}/junit.xml"
    make = ["make", "--no-print-directory", f"BUILD={BUILD}"]
    for tree, lab, status in ((TOP, 1, 0), (starters(2), 2, 2)):
        code, out = command(*make, "grade", f"LAB={lab}", f"TREE={tree}", f"JSON={json_file}", f"JUNIT={junit}")
        equal(f"exit status of make ({last_line(out)})", status, code)
        with open(json_file, encoding="utf-8") as file:
            result = json.load(file)
        equal("top level of the JSON", (lab, 100), (result["lab"], result["max_score"]))
        equal("score", 0 if status else 100, result["score"])
        check_junit(junit, len(owned(lab)) + sum(len(t["places"]) for t in result["tests"]), status != 0)
    for words, says in ((["grade", "LAB=9"], "no lab 9"), (["grade", "LAB=1", "TREE=/nonexistent"], "/nonexistent is no folder"),
                        (["mutants", "LAB=1", "M=no-such-mutant"], "no mutant is named no-such-mutant"),
                        (["mutants", "LAB=9"], "no lab 9"), (["handout"], "say where: OUT=dir"),
                        (["handout", f"OUT={TOP}/labs"], "is there already")):
        code, out = command(*make, *words)
        equal(f"exit status of make {' '.join(words)}", 2, code)
        lines = [line for line in out.splitlines() if not line.startswith("make: ***")]
        check(len(lines) == 1 and says in lines[0], f"make {' '.join(words)}: expected a line with {says!r}, got {out!r}")
    for name in ("grade", "mutants", "handout"):
        code, out = command(f"{TOP}/grading/{name}", "--help")
        equal(f"exit status of {name} --help", 0, code)
        check("Exit status" in out and f"grading/{name} --" in out, f"{name} --help says neither what to type nor what comes back")


@both("ktest-self", timeout=300)
def ktest_self(arch):
    """The harness's promises hold: interleavings, shortened traces, room for reasons."""
    code, out = command("make", "--no-print-directory", f"BUILD={BUILD}", f"ARCH={arch}", "LAB=1",
                        "LAB_DIR=kernel/test/ktest/self", "ktest")
    equal(f"exit status ({last_line(out)})", 0, code)
    check("5 passed, 0 failed" in out, last_line(out))


# ---- speed --------------------------------------------------------------------------------------


def processor_time(*words):
    """Wall and processor seconds of a command and of all it started, whoever waited for them."""
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    code, out = command(*words)
    equal(f"exit status ({last_line(out)})", 0, code)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - begin, sum(after[:2]) - sum(before[:2])


def slowness():
    """How many times slower this machine is now than the one that the limits are for: a fixed piece of compiling."""
    lines = (f"int f{i}(const int *a, int n) {{ int s = {i}; for (int k = 0; k < n; k++) "
             f"s = s * {i % 97 + 3} ^ a[k] + (s >> {i % 29 + 1}); return s; }}" for i in range(1000))
    path = f"{scratch()}/yardstick.c"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    spent = processor_time("gcc", "-O2", "-c", "-o", f"{path}.o", path)[1]
    return max(1, spent / YARDSTICK_SECONDS)


@test("grade-speed", timeout=900, rank=1)
def speed():
    """make grade LAB=2 takes 20 s on two processors, all built anew; make host-test LAB=2 takes 5 s."""
    make = ["make", "--no-print-directory", f"BUILD={scratch()}/b", "LAB=2"]
    for goal, limit in (("grade", GRADE_SECONDS), ("grade", GRADE_SECONDS), ("host-test", None), ("host-test", HOST_SECONDS)):
        seconds, spent = processor_time(*make, goal)
        figure(f"{goal} {seconds:.1f} s, {spent:.1f} s of processor time")
        # On a busy machine: what two processors would have taken.
        if limit and min(seconds, spent / 2) > limit:
            slow = slowness()
            figure(f"a machine {slow:.2f} times slower than the limit's")
            check(min(seconds, spent / 2) <= limit * slow,
                  f"make {goal} took {seconds:.1f} s, {spent:.1f} s of processor time")


# ---- wrong solutions ----------------------------------------------------------------------------


def kill(lab, names):
    code, out = command(f"{TOP}/grading/mutants", "--lab", lab, "--jobs", 1, *names)
    equal("exit status", 0, code)
    figure(last_line(out))


def mutants_of(lab):
    return sorted(os.path.basename(path).removesuffix(".patch") for path in glob.glob(f"{FOLDERS[lab]}/mutants/*.patch"))


@each_lab("mutants-sample", timeout=900)
def mutants_sample(lab):
    """A sample of the lab's wrong solutions loses points."""
    kill(lab, mutants_of(lab)[::EVERY])


@test("mutants-broken")
def mutants_broken():
    """A mutant that cannot be run does not stop the others, and a run goes on where an earlier one stopped."""
    sys.path.insert(0, f"{TOP}/grading")
    from strata_grade import mutants    # pylint: disable=import-outside-toplevel
    from strata_grade.lab import Lab, Trouble    # pylint: disable=import-outside-toplevel
    lab, keep, ran, said = Lab(1), f"{scratch()}/kept.json", [], []
    names, bad = mutants_of(1)[:4], mutants_of(1)[1]

    def one(_lab, _base, mutant, _full):
        ran.append(mutant.name)
        if mutant.name == bad:
            raise Trouble(f"{bad} does not build")
        return {"name": mutant.name, "mistake": mutant.mistake, "killed": mutant.name != names[0], "tests": {}, "seconds": 1}

    mutants.run_one, mutants.Base = one, lambda *_: types.SimpleNamespace(all_tests=[], grader={"version": "0"})
    for again, expected in ((names[:3], names[:3]), (names, [bad, names[3]])):
        ran.clear()
        result = mutants.run(lab, again, say=lambda line, **_: said.append(line), keep=keep)
        equal("run", sorted(expected), sorted(ran))
    equal("survivors", [names[0]], result["survivors"])
    equal("broken", [f"{bad} does not build"], result["broken"])
    equal("said of it", [f"BROKEN   {bad} does not build"] * 2, [line for line in said if bad in line])
    with open(keep, encoding="utf-8") as file:
        equal("kept", result, json.load(file))
    try:
        mutants.run(lab, names, keep="/dev/null")
        check(False, "a device is written over")
    except Trouble as trouble:
        check("/dev/null is no file" in str(trouble), str(trouble))
    equal("results", [name for name in names if name != bad], [done["name"] for done in result["mutants"]])


@each_lab("mutants-all", timeout=7200, campaign=True)
def mutants_all(lab):
    """Every wrong solution of the lab loses points, and there are at least 25."""
    check(len(mutants_of(lab)) >= 25, f"lab {lab} has {len(mutants_of(lab))} mutants")
    kill(lab, ())
