"""Pipelines are executed, not only read: GitLab's by gitlab-ci-local, Gradescope's in a folder like its own, and a
cluster of one node.

gitlab-ci-local (npm; the version and all it needs are pinned in tests/gitlab) checks the files against GitLab's schema
and runs the jobs' scripts with this machine's shell. What it cannot show: images, caches, artifacts handed from
the parent's pipeline to the child's, and how GitLab displays reports; of these the files' form is checked.
"""
import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
import zipfile

from suite.base import BUILD, TOP, Failure, Skip, check, equal, figure, scratch, test
from suite.grading import FREELIST, owned, source, with_code
from suite.handout import write_handout

sys.path.insert(0, f"{TOP}/grading")
from strata_grade import codequality, gradescope  # noqa: E402

GIT = ("-c", "user.name=Strata", "-c", "user.email=strata@localhost", "-c", "commit.gpgsign=false",
       "-c", "core.hooksPath=/dev/null")
PATIENCE = 900


def run(*words, cwd=TOP, env=None, status=0, timeout=PATIENCE):
    """Output, both streams; in a process group of its own, which ends with it."""
    print("+", *words, flush=True)
    process = subprocess.Popen([str(w) for w in words], cwd=cwd, env=env, stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    print(output, flush=True)
    if status is not None:
        last = (output.strip() or "no output").splitlines()[-1]
        equal(f"exit status of {words[0]} ({last})", status, process.returncode)
    return output


# ---- GitLab -------------------------------------------------------------------------------------


def gitlab_ci_local():
    """The program, installed once for each package-lock.json."""
    with open(f"{TOP}/tests/gitlab/package-lock.json", "rb") as file:
        folder = f"{BUILD}/gitlab-ci-local-{hashlib.sha256(file.read()).hexdigest()[:12]}"
    program = f"{folder}/node_modules/.bin/gitlab-ci-local"
    if not os.path.exists(f"{folder}/ready"):
        for tool in ("npm", "node", "rsync"):
            check(shutil.which(tool), f"{tool} is not installed: run ./tools/setup")
        os.makedirs(folder, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy2(f"{TOP}/tests/gitlab/{name}", folder)
        run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", cwd=folder)
        run(program, "--version", cwd=folder)
        open(f"{folder}/ready", "w", encoding="ascii").close()
    return program


def pipeline(folder, *words, **variables):
    """Runs it; {job: "PASS" or "FAIL"} and the output."""
    env = {k: v for k, v in os.environ.items() if k not in ("BUILD", "MAKEFLAGS", "MAKELEVEL", "CI")}
    settings = [word for name, value in variables.items() for word in ("--variable", f"{name}={value}")]
    output = run(gitlab_ci_local(), "--force-shell-executor", "--home", f"{scratch()}/home", "--no-color",
                 "--concurrency", 2, *words, *settings, cwd=folder, env=env, status=None)
    output = re.sub(r"\x1b\[[0-9;]*m", "", output)
    check("json schema validated" in output, "gitlab-ci-local did not check the file")
    found = re.findall(r"^ (PASS|FAIL) +(?:\[\S+\] -> )?(.+?) *$", output, re.M)
    return {name: verdict for verdict, name in found}, output


def copy_of_tree(name):
    """A repository with this tree as it stands, times and all."""
    folder = f"{scratch()}/{name}"
    listed = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            check=True, capture_output=True).stdout.decode()
    for path in filter(None, listed.split("\0")):
        if os.path.lexists(f"{TOP}/{path}"):
            os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
            shutil.copy2(f"{TOP}/{path}", f"{folder}/{path}", follow_symlinks=False)
    commit(folder, init=True)
    return folder


def commit(folder, init=False):
    if init:
        run("git", "init", "-q", "-b", "main", cwd=folder)
    run("git", *GIT, "add", "-A", cwd=folder)
    run("git", *GIT, "commit", "-q", "--allow-empty", "-m", "Work", cwd=folder)


def put(folder, kind, lab=1, **changed):
    """The lab's files into a tree: starters, or the reference's with some changed."""
    here, = glob.glob(f"{TOP}/labs/{lab}-*")
    for path in owned(lab):
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        text = changed.get(os.path.basename(path)[:-2]) or source(path)
        if kind == "starter":
            text = source(f"{os.path.relpath(here, TOP)}/starter/{os.path.basename(path)}")
        with open(f"{folder}/{path}", "w", encoding="utf-8") as file:
            file.write(text)


def junit(path):
    """{name: failed} of the test cases; no two have one name, or GitLab would show one of them."""
    cases = [(case.get("name"), case.find("failure") is not None) for case in ET.parse(path).getroot().iter("testcase")]
    names = [name for name, _ in cases]
    equal("test cases that share a name", [], sorted({name for name in names if names.count(name) > 1}))
    return dict(cases)


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def check_quality(issues, folder):
    """As GitLab documents the report."""
    for issue in issues:
        for key in ("description", "check_name", "fingerprint"):
            check(isinstance(issue[key], str) and issue[key], f"{issue}: no {key}")
        check(issue["severity"] in ("info", "minor", "major", "critical", "blocker"), f"{issue}: severity")
        path, line = issue["location"]["path"], issue["location"]["lines"]["begin"]
        check(not path.startswith((".", "/")) and os.path.isfile(f"{folder}/{path}"), f"{path} is not in the repository")
        check(isinstance(line, int) and line > 0, f"{issue}: line")
    prints = [issue["fingerprint"] for issue in issues]
    equal("different fingerprints", len(prints), len(set(prints)))


# Each harmless in a kernel without sanitizers.
SHIFT = "	volatile unsigned int by = 32;\n	volatile int shifted = 1 << by;\n\n	(void)shifted;\n"
BEYOND = "	volatile char room[8];\n	volatile char *volatile at = room;\n\n	(void)at[8];\n"
UNUSED = "	int nobody_uses_it;\n"


def faulty():
    """Three files with a fault each, and where it must be shown: {(path, line): start of check names}."""
    add = "	return type_add(&memblock.memory, base, size, nid);\n"
    memblock = source("kernel/mm/phys/memblock.c").replace(add, SHIFT + add)
    page_init = source("kernel/mm/phys/page_init.c").replace("	u64 idx = 0;\n", "	u64 idx = 0;\n" + UNUSED)
    freelist = with_code(BEYOND)
    files, wanted = {"memblock": memblock, "page_init": page_init, "freelist": freelist}, {}
    for stem, mark, checks in (("memblock", "1 << by", ("ubsan",)), ("page_init", "nobody_uses_it", ("gcc-unused",)),
                               ("freelist", "(void)at[8]", ("asan", "kasan"))):
        line = next(i for i, text in enumerate(files[stem].splitlines(), 1) if mark in text)
        wanted[f"kernel/mm/phys/{stem}.c", line] = checks
    return files, wanted


@test("pipeline-handout", timeout=2400)
def pipeline_handout():
    """The handout's pipeline: red with failing tests on starters, green with the reference, findings at their lines."""
    begin, folder = time.monotonic(), write_handout()
    jobs, _ = pipeline(folder, SANITIZE="")
    equal("jobs on starters", {"grade": "FAIL"}, jobs)
    cases, grade = junit(f"{folder}/reports/lab1.xml"), read(f"{folder}/reports/lab1.json")
    for case in grade["tests"]:
        for arch in ("riscv", "arm64"):
            equal(f"{case['name']}.{arch} failed", case["places"][arch]["verdict"] in ("failed", "timed out"),
                  cases[f"{case['name']}.{arch}"])
    check(sum(cases.values()) > 40, "hardly a failure is listed")

    put(folder, "reference")
    jobs, output = pipeline(folder, SANITIZE="riscv")
    equal("jobs with the reference", {"grade": "PASS"}, jobs)
    equal("failures", [], [name for name, failed in junit(f"{folder}/reports/lab1.xml").items() if failed])
    equal("findings", [], read(f"{folder}/reports/codequality.json"))
    said = "Lab 1 with KASAN and UBSAN, riscv: 0 findings in your files\n"
    check(said in output, "the kernel with KASAN was not booted")

    files, wanted = faulty()
    put(folder, "reference", **files)
    jobs, _ = pipeline(folder, SANITIZE="riscv")
    equal("jobs with faults", {"grade": "FAIL"}, jobs)
    issues = read(f"{folder}/reports/codequality.json")
    check_quality(issues, folder)
    for (path, line), checks in wanted.items():
        found = {issue["check_name"].split("-")[0] for issue in issues
                 if (issue["location"]["path"], issue["location"]["lines"]["begin"]) == (path, line)}
        for name in checks:
            check(name.split("-")[0] in found, f"{path}:{line}: expected a finding of {name}, got {found or 'none'}")
    strange = {(i["location"]["path"], i["location"]["lines"]["begin"]) for i in issues} - set(wanted)
    equal("findings elsewhere", set(), strange)
    figure(f"{time.monotonic() - begin:.0f} s, {len(issues)} findings")


@test("pipeline-class", timeout=2400)
def pipeline_class():
    """The instructor's pipeline grades two repositories with hidden tests, a job each: one green, one red."""
    begin, folder = time.monotonic(), copy_of_tree("instructor")
    os.makedirs(f"{folder}/class")
    with open(f"{folder}/class/repositories.txt", "w", encoding="utf-8") as file:
        for name, kind in (("ada", "reference"), ("bob", "starter")):
            put(f"{scratch()}/{name}", kind, lab=3)
            commit(f"{scratch()}/{name}", init=True)
            file.write(f"{name} {scratch()}/{name}\n")
    file = "grading/gitlab/instructor.gitlab-ci.yml"
    jobs, _ = pipeline(folder, "--file", file, LAB=3, CI_PIPELINE_SOURCE="schedule")
    equal("jobs", {"collect": "PASS", "class": "PASS", "collected": "PASS", "grade ada": "PASS", "grade bob": "FAIL",
                   "gather": "PASS"}, jobs)
    equal("failures of the reference", 0, sum(junit(f"{folder}/graded/ada/junit.xml").values()))
    check(sum(junit(f"{folder}/graded/bob/junit.xml").values()) > 20, "the starter's failures are not listed")
    rows = {row["id"]: row for row in read(f"{folder}/graded/grades.json")["students"]}
    equal("scores", {"ada": 100, "bob": 0}, {name: row["score"] for name, row in rows.items()})
    check(any(case["hidden"] for case in read(f"{folder}/graded/ada/grade.json")["tests"]), "no hidden test was run")
    check_class_jobs(read(f"{folder}/child.yml"))
    run("git", *GIT, "-C", folder, "status", "--short")
    figure(f"{time.monotonic() - begin:.0f} s")


def check_class_jobs(jobs):
    """What gitlab-ci-local does not do: each job's artifacts hold what gather needs of it."""
    equal("needs", [{"pipeline": "$PARENT_PIPELINE_ID", "job": "collect"}], jobs["collected"]["needs"])
    equal("what the plan comes in", ["graded/"], jobs["collected"]["artifacts"]["paths"])
    for name in ("ada", "bob"):
        artifacts = jobs[f"grade {name}"]["artifacts"]
        equal("artifacts", ("always", [f"graded/{name}/"]), (artifacts["when"], artifacts["paths"]))
        check("needs" not in jobs[f"grade {name}"], "the plan's artifacts would not come")
    equal("gather", ("always", None), (jobs["gather"]["when"], jobs["gather"].get("needs")))
    # GitLab does not hand on variables with which somebody started the parent's pipeline.
    text = json.dumps(jobs).replace("$PARENT_PIPELINE_ID", "")
    equal("variables of the child's pipeline", [], re.findall(r"\$\w+", text))
    images = {job["image"] for job in jobs.values() if isinstance(job, dict) and "image" in job}
    equal("images", {"debian:bookworm"}, images)


@test("pipeline-own", timeout=1800)
def pipeline_own():
    """This repository's pipeline, with a few tests (the whole would run itself): green, and red on starters."""
    folder = copy_of_tree("own")
    quick = {"T": "phys", "SETUP": "--check"}       # host tests of kernel/mm/phys; installs nothing
    jobs, output = pipeline(folder, **quick)
    equal("jobs", {"test": "PASS"}, jobs)
    check("1 passed, 0 failed" in output, "the tests were not run")
    put(folder, "starter")
    jobs, output = pipeline(folder, **quick)
    equal("jobs on starters", {"test": "FAIL"}, jobs)
    check("0 passed, 1 failed" in output, "no word of what failed")
    equal("test cases", {"phys": True}, junit(f"{folder}/build/test-logs/junit.xml"))


# ---- Code Quality -------------------------------------------------------------------------------

LOG = """\
[    0.123456] ==================================================================
[    0.123456] BUG: KASAN: use-after-free in __memcpy+0x14/0x30
[    0.123460] Write of size 8 at addr ffffffd8481d7005
[    0.123461] CPU: 1
[    0.123462] Call trace:
[    0.123463]  [<ffffffff80063754>] __memcpy+0x14/0x30 kernel/lib/mem.c:16
[    0.123464]  [<ffffffff80063755>] zone_core_free+0x14/0x30 kernel/mm/phys/freelist.c:2
[    0.123465] Freed by task 2:
[    0.123466]  [<ffffffff80063756>] page_init+0x14/0x30 kernel/mm/phys/page_init.c:1
[    0.123467] ==================================================================
[    0.123468] UBSAN: shift in kernel/mm/phys/freelist.c:3:12
[    0.123469] shift of 1, a 'int', by 33
==77==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000014 at pc 0x0000004 bp 0x7ffc sp 0x7ff
READ of size 4 at 0x602000000014 thread T0
    #0 0x4011f1 in zone_core_alloc kernel/mm/phys/freelist.c:4
    #1 0x4011f2 in main kernel/test/ktest/host.c:10
kernel/mm/phys/freelist.c:5:7: runtime error: load of value 3, which is not a valid value for type 'bool'
"""
COMPILER = """\
In file included from kernel/mm/phys/freelist.c:9:
kernel/mm/phys/freelist.c:6:2: warning: unused variable 'i' [-Wunused-variable]
kernel/mm/phys/freelist.c:7: error: expected ';' before 'return'
kernel/test/ktest/host.c:1:1: warning: of no student's [-Wunused-variable]
make: *** [x] Error 1
"""


@test("codequality")
def quality():
    """Findings of five tools are read from what these print; fingerprints survive new lines, and tell twins apart."""
    path = "kernel/mm/phys/freelist.c"
    mine = [path, "kernel/mm/phys/page_init.c"]
    found = [*codequality.diagnostics(COMPILER, mine), *codequality.sanitizers(LOG, mine)]
    equal("findings", [(6, "gcc-unused-variable"), (7, "gcc-error"), (2, "kasan-use-after-free"), (3, "ubsan-shift"),
                       (4, "asan-heap-buffer-overflow"), (5, "ubsan-load-of-value-which-is-not-a-valid-value")],
          [(item["line"], item["check"]) for item in found])
    equal("files", {path}, {item["path"] for item in found})
    os.makedirs(f"{scratch()}/{os.path.dirname(path)}")

    def prints(text, findings):
        with open(f"{scratch()}/{path}", "w", encoding="utf-8") as file:
            file.write(text)
        issues = codequality.report(findings, scratch())
        check_quality(issues, scratch())
        return {issue["fingerprint"] for issue in issues}
    body = "".join(f"	line_{i}();\n" for i in range(9))
    before = prints(body, found)
    moved = [dict(item, line=item["line"] + 1) for item in found]
    equal("fingerprints of lines that moved", before, prints("\n" + body, moved))
    equal("fingerprints that stay when one line was changed", len(before) - 1,
          len(before & prints(body.replace("line_5", "other"), found)))
    twins = [dict(found[0], line=1), dict(found[0], line=2)]
    equal("findings that are shown of two like ones", 2, len(prints("	same();\n	same();\n", twins)))
    equal("findings that three compilers share", 1, len(codequality.unique([found[0]] * 3)))


# ---- Gradescope ---------------------------------------------------------------------------------

VISIBILITY = ("hidden", "after_due_date", "after_published", "visible")
FORMATS = ("text", "html", "simple_format", "md", "ansi")
NUMBER, STRING = (int, float), str
TOP_KEYS = {"score": NUMBER, "execution_time": NUMBER, "output": STRING, "output_format": FORMATS,
            "test_output_format": FORMATS, "test_name_format": FORMATS,
            "visibility": VISIBILITY, "stdout_visibility": VISIBILITY, "extra_data": dict,
            "tests": list, "leaderboard": list}
TEST_KEYS = {"score": NUMBER, "max_score": NUMBER, "status": ("passed", "failed"), "name": STRING,
             "name_format": FORMATS,
             "number": STRING, "output": STRING, "output_format": FORMATS, "tags": list, "visibility": VISIBILITY,
             "extra_data": dict}


def check_results(results):
    """As Gradescope's autograder specification has it."""
    def keys(what, value, known):
        for key in value:
            check(key in known, f"{what}: {key} is not in the specification")
            kind = known[key]
            right = value[key] in kind if kind and isinstance(kind[0] if isinstance(kind, tuple) else None, str) \
                else isinstance(value[key], kind) and not isinstance(value[key], bool)
            check(right, f"{what}: {key} = {value[key]!r}")
    keys("results.json", results, TOP_KEYS)
    check("score" in results or all("score" in case for case in results["tests"]), "no score")
    names = []
    for case in results["tests"]:
        keys(case.get("name"), case, TEST_KEYS)
        names.append(case["name"])
        check("\0" not in case.get("output", ""), "a zero byte in an output")
    equal("tests", len(names), len(set(names)))
    equal("sum of points", results["score"], sum(case.get("score", 0) for case in results["tests"]))
    return {case["name"]: case for case in results["tests"]}


def autograder(root):
    return dict(os.environ, AUTOGRADER_ROOT=root)


def set_up_autograder():
    """The archive, unpacked as Gradescope does, and its image made."""
    root = f"{scratch()}/autograder"
    os.makedirs(f"{root}/submission")
    run(f"{TOP}/grading/gradescope/autograder", "zip", "--lab", 3, "--out", f"{scratch()}/autograder.zip")
    with zipfile.ZipFile(f"{scratch()}/autograder.zip") as archive:
        for info in archive.infolist():
            archive.extract(info, f"{root}/source")
            os.chmod(f"{root}/source/{info.filename}", info.external_attr >> 16)
    for name in ("setup.sh", "run_autograder"):
        check(os.access(f"{root}/source/{name}", os.X_OK), f"{name} is not at the root of the archive, or no program")
    shutil.copy2(f"{root}/source/run_autograder", root)
    run(f"{root}/source/setup.sh", cwd=root, env=autograder(root))
    return root


def passed_tests(cases):
    return sum(case["status"] == "passed" and "score" not in case for case in cases.values())


def cut_short(root):
    """Ended in the middle: results.json is whole at every moment, and keeps what there was."""
    path = f"{root}/results/results.json"
    process = subprocess.Popen([f"{root}/run_autograder"], cwd=root, env=autograder(root), stdin=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        end, passed = time.monotonic() + PATIENCE, 0
        while not passed:
            check(process.poll() is None and time.monotonic() < end, "no verdict came before the end")
            time.sleep(0.05)
            if os.path.exists(path):
                passed = passed_tests(check_results(read(path)))
        process.send_signal(signal.SIGTERM)
        equal("exit status when time is over", 0, process.wait(60))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    results = read(path)
    kept = passed_tests(check_results(results))
    check(kept >= passed, f"{passed} tests had passed, {kept} are left")
    late = results["score"] == 100 or "before all tests had run" not in results["output"]
    check(not late, "the end came too late to show anything")
    return kept


def loose(root, put_there):
    shutil.rmtree(f"{root}/submission")
    os.makedirs(f"{root}/submission")
    put_there(f"{root}/submission/slab.c")


def check_visibility(cases):
    """Hidden tests, and parts that have some, are seen when grades are published; their names."""
    folder, = glob.glob(f"{TOP}/labs/3-*")
    with open(f"{folder}/lab.toml", "rb") as file:
        parts = tomllib.load(file)["part"]
    texts = [source(os.path.relpath(name, TOP)) for name in glob.glob(f"{folder}/tests/hidden/*.c")]
    secret = set(re.findall(r"^KTEST(?:_SEEDS)?\(\s*\w+,\s*(\w+),", "".join(texts), re.M))
    check(secret, "lab 3 has no hidden test")
    for part in parts:
        for case, is_secret in [(part["title"], secret & set(part["tests"]))] + [(n, n in secret) for n in part["tests"]]:
            equal(f"visibility of {case}", "after_published" if is_secret else "visible", cases[case]["visibility"])
    return secret


@test("gradescope", timeout=2400)
def gradescope_run():
    """Gradescope's archive in a layout like its own: points, hidden tests stay hidden, verdicts come one by one."""
    begin, root = time.monotonic(), set_up_autograder()
    path = f"{root}/results/results.json"
    put(f"{root}/submission", "reference", lab=3)
    kept = cut_short(root)

    slab, = owned(3)        # handed in alone
    loose(root, lambda path: shutil.copy2(f"{TOP}/{slab}", path))
    run(f"{root}/run_autograder", cwd=root, env=autograder(root))
    results, cases = read(path), check_results(read(path))
    equal("score of the reference", 100, results["score"])
    equal("parts", 100, sum(case["max_score"] for case in results["tests"] if "max_score" in case))
    secret = check_visibility(cases)

    loose(root, lambda path: os.symlink("/etc/passwd", path))
    run(f"{root}/run_autograder", cwd=root, env=autograder(root))
    results, cases = read(path), check_results(read(path))
    check("is a link" in results["output"] and "root:" not in json.dumps(results), "no word about the link")
    equal("score of a link", 0, results["score"])
    equal("hidden tests", secret, check_visibility(cases))
    for name in secret:
        check(name not in results["output"], f"all may read of {name}, which is hidden")

    config = read(f"{root}/source/{gradescope.CONFIG}")
    with open(f"{root}/source/{gradescope.CONFIG}", "w", encoding="utf-8") as file:
        json.dump({**config, "seconds": 0}, file)
    run(f"{root}/run_autograder", cwd=root, env=autograder(root), status=2)
    check(not os.path.exists(path), "not one verdict, and yet a result")
    figure(f"{time.monotonic() - begin:.0f} s; {kept} verdicts kept when cut short")


# ---- slurm --------------------------------------------------------------------------------------

DAEMONS = ("munged", "slurmctld", "slurmd")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def cluster():
    """A cluster of one node with two CPUs, for this user, on loopback; its environment."""
    folder = f"{scratch()}/cluster"
    for name in ("state", "spool"):
        os.makedirs(f"{folder}/{name}")
    os.chmod(folder, 0o755)
    with open(os.open(f"{folder}/key", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(os.urandom(1024))
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    with open(f"{folder}/slurm.conf", "w", encoding="utf-8") as file:
        file.write(f"""\
ClusterName=strata
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ReturnToService=2
NodeName=node0 NodeHostname={socket.gethostname().split('.')[0]} NodeAddr=127.0.0.1 CPUs=2
PartitionName=main Nodes=node0 Default=YES MaxTime=INFINITE State=UP
""")
    env = dict(os.environ, SLURM_CONF=f"{folder}/slurm.conf", BUILD=BUILD)
    munge = ["--foreground", "--force", "--num-threads=2", *(f"--{name}={folder}/{file}" for name, file in (
        ("key-file", "key"), ("socket", "munge.socket"), ("pid-file", "munged.pid"), ("log-file", "munged.log"),
        ("seed-file", "munged.seed")))]
    running = []

    def start(name, *words):
        with open(f"{folder}/{name}.out", "wb") as log:
            running.append(subprocess.Popen([name, *words], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
    try:
        start("munged", *munge)
        wait_for("munged", lambda: os.path.exists(f"{folder}/munge.socket"))
        start("slurmctld", "-D", "-c", "-f", f"{folder}/slurm.conf")
        start("slurmd", "-D", "-N", "node0", "-f", f"{folder}/slurm.conf")
        wait_for("the node", lambda: "idle" in subprocess.run(["sinfo", "-h", "-o", "%T"], env=env, capture_output=True,
                                                              text=True, check=False).stdout)
        yield env
    except Failure:
        for name in sorted(glob.glob(f"{folder}/*.log") + glob.glob(f"{folder}/*.out")):
            print(f"---- {name}\n{source(os.path.relpath(name, TOP))[-3000:]}", flush=True)
        raise
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for(what, ready, seconds=120):
    end = time.monotonic() + seconds
    while not ready():
        check(time.monotonic() < end, f"{what} did not come up within {seconds} s")
        time.sleep(0.2)


@test("slurm", timeout=2400)
def slurm():
    """grade-class --executor slurm: the same grades as without; an interrupted run leaves no task, and goes on."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = [name for name in (*DAEMONS, "sbatch") if not shutil.which(name)]
    if missing:
        raise Skip(f"{', '.join(missing)} not installed: run ./tools/setup --cluster")
    begin = time.monotonic()
    for name, kind in (("ada", "reference"), ("bob", "starter"), ("eve", "reference")):
        changed = {"freelist": FREELIST + "oops\n"} if name == "eve" else {}
        put(f"{scratch()}/class/{name}", kind, **changed)

    def grade(out, *words, **options):
        return run(f"{TOP}/grading/grade-class", "--lab", 1, "--out", f"{scratch()}/{out}", *words,
                   f"{scratch()}/class", **options)
    with cluster() as env:
        interrupted(env)
        said = grade("slurm", "--executor", "slurm", env=env)
        check("slurm: job " in said, "no job was submitted")
        again = grade("slurm", "--executor", "slurm", env=env)
        check("slurm: job " not in again and "0 graded now" in again, "what is graded was graded again")
        equal("jobs that are left", "", run("squeue", "-h", env=env))
    grade("local", env=dict(os.environ, BUILD=BUILD))
    for name in ("grades.json", "moodle.csv"):
        equal(name, *(without_moments(f"{scratch()}/{out}/{name}") for out in ("local", "slurm")))
    rows = {row["id"]: row["score"] for row in read(f"{scratch()}/slurm/grades.json")["students"]}
    equal("scores of ada and bob", (100, 0), (rows["ada"], rows["bob"]))
    check(0 < rows["eve"] < 100, f"eve has {rows['eve']} points")
    figure(f"{time.monotonic() - begin:.0f} s")


def interrupted(env):
    """SIGTERM as soon as the first task runs."""
    process = subprocess.Popen([f"{TOP}/grading/grade-class", "--lab", "1", "--out", f"{scratch()}/slurm",
                                "--executor", "slurm", f"{scratch()}/class"],
                               env=env, stdin=subprocess.DEVNULL, start_new_session=True)
    wait_for("a task", lambda: process.poll() is not None or "R" in subprocess.run(
        ["squeue", "-h", "-o", "%t"], env=env, capture_output=True, text=True, check=False).stdout.split(), 600)
    process.terminate()
    equal("exit status of what was interrupted", 128 + signal.SIGTERM, process.wait(60))
    wait_for("the end of the tasks", lambda: not subprocess.run(
        ["squeue", "-h"], env=env, capture_output=True, text=True, check=False).stdout.strip(), 120)


def without_moments(path):
    """Grades depend on when files were written, which is the same; and on nothing else that moves."""
    with open(path, encoding="utf-8") as file:
        return file.read().replace(f"{scratch()}/local", "OUT").replace(f"{scratch()}/slurm", "OUT")
