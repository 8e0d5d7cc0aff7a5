"""Fairness: a grade says where it came from, one test can be replayed and told, copies are found."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

from suite.base import ARCHES, BUILD, TOP, check, equal, figure, make, scratch, shell, test
from suite.grading import FOLDERS, FREELIST, command, grade, last_line, owned, source, starters, submission, with_code

ALIKE = 0.5             # grading/similarity flags from there on
COPIES = {(4, "batches", "plain")}      # designs that are one work with small changes
DISTINCT = 0.3          # two people's own work stays below


def copy_tree(target, *parts):
    """What git knows of this tree, as it stands."""
    out = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard", *parts],
                         capture_output=True, check=True).stdout.decode().split("\0")
    for path in filter(None, out):
        if os.path.lexists(f"{TOP}/{path}"):
            os.makedirs(os.path.dirname(f"{target}/{path}"), exist_ok=True)
            shutil.copy2(f"{TOP}/{path}", f"{target}/{path}", follow_symlinks=False)
    return target


# ---- the record ---------------------------------------------------------------------------------


def grader_of(tree, lab):
    return json.loads(shell(sys.executable, "-c", "import json, sys; sys.path.insert(0, 'grading');"
                            "from strata_grade import record; from strata_grade.lab import Lab;"
                            f"print(json.dumps(record.grader(Lab({lab}))))", cwd=tree).strip())["version"]


@test("grader-version")
def grader_version():
    """The grader's version changes with whatever can change a grade, and with nothing else."""
    tree = copy_tree(f"{scratch()}/tree", "Makefile", "grading", "kernel", "labs", "tools", "user")
    first = grader_of(tree, 2)
    equal("version of the same tree", first, grader_of(tree, 2))
    equal("version in another folder", first, grader_of(TOP, 2))
    check(grader_of(tree, 3) != first, "two labs have the same version")
    buddy = "kernel/mm/phys/buddy.c"
    for path, matters in (("labs/2-buddy/tests/pcp.c", True), ("labs/2-buddy/lab.toml", True),
                          ("labs/2-buddy/starter/pcp.c", True), ("kernel/mm/phys/zone.c", True),
                          ("kernel/test/ktest/run.c", True), ("grading/strata_grade/rules.py", True),
                          ("grading/strata_grade/grade.py", True), ("tools/ktest", True), ("tools/make/ktest.mk", True),
                          ("user/bootcheck/main.c", True),
                          (buddy, False), ("labs/2-buddy/README.md", False), ("labs/2-buddy/mutants/no-reserve.patch", False),
                          ("labs/3-slab/tests/hidden/trace.c", False), ("grading/strata_grade/similarity.py", False),
                          ("grading/strata_grade/mutants.py", False)):
        with open(f"{tree}/{path}", "a", encoding="utf-8") as file:
            file.write("\n")
        now = grader_of(tree, 2)
        equal(f"a new version after {path} changed", matters, now != first)
        first = now
    before = grader_of(tree, 3)
    with open(f"{tree}/{buddy}", "a", encoding="utf-8") as file:
        file.write("\n")
    check(grader_of(tree, 3) != before, "the reference below a lab does not count")


def check_record(result, lab=1):
    """What a grade says of where it came from."""
    check(re.fullmatch("[0-9a-f]{64}", result["grader"]["version"]), f"version: {result['grader']}")
    head = subprocess.run(["git", "-C", TOP, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    equal("commit", head, result["grader"]["commit"].removesuffix("-changed"))
    for tool in ("gcc", "riscv64-linux-gnu-gcc", "aarch64-linux-gnu-gcc", "riscv64-linux-gnu-ld", "qemu-system-riscv64",
                 "qemu-system-aarch64", "make", "opensbi"):
        check(result["tools"].get(tool), f"no version of {tool}")
    steps = {re.search(r"#define SEED_STEP\s+(0x[0-9a-f]+)UL", source(f"kernel/test/ktest/{name}.c"))[1] for name in ("run", "host")}
    equal("seeds", {"first": 1, "step": int(steps.pop(), 16)}, result["seeds"])
    equal("other steps", set(), steps)
    check(all(case["seeds"] >= 1 for case in result["tests"]), "a test without a number of seeds")
    equal("graded files", set(owned(lab)), set(result["files"]))


# ---- replay -------------------------------------------------------------------------------------


def regrade(status, *words):
    code, out = command(f"{TOP}/grading/regrade", *words)
    equal(f"exit status ({last_line(out)})", status, code)
    return out


def says(out, *lines):
    for line in lines:
        check(line in out, f"expected {line!r} in what regrade says")


def write(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
    return path


@test("regrade", timeout=1500)
def regrade_one():
    """A lost test is replayed as on record, with its calls; other files, graders and verdicts are told."""
    # Freed pages go to the wrong end of the list.
    fifo = FREELIST.replace("	list_add(&p->list", "	list_add_tail(&p->list")
    check(fifo != FREELIST, "the free list has changed: write this test anew")
    tree, name = submission("fifo", freelist=fifo), "last_freed_is_first_out"
    result, _ = grade(tree, 1)
    check_record(result)
    record = write(f"{scratch()}/record.json", result)
    out = regrade(0, "--why", tree, name, "--grade", record)
    says(out, "the page freed last is the next one handed out", f"files {result['hash'][:12]}",
         "Replayed on riscv, seed 1: failed, as on record", "Replayed on arm64, seed 1: failed, as on record",
         "zone_core_alloc(zone=node 0 DMA32, order=0) = frame 0x", "FAILED here", "actual ", "expected ",
         f"make ktest LAB=1 ARCH=riscv TREE={tree} TESTS={name} SEED=1 CALLS=1")
    check("NOT" not in out and "then," not in out, "there is no difference to tell")
    check(re.search(r"labs/1-page/tests/freelist\.c:\d+:  EXPECT_EQ\(.*\n    .*actual", out), "no expectation with what came")
    equal("said a second time", out, regrade(0, "--why", tree, name, "--grade", record))

    # What a class's folder holds; a record that is not true; files that are not those.
    student = f"{scratch()}/out/ada"
    shutil.copytree(tree, f"{student}/files")
    write(f"{student}/grade.json", result)
    says(regrade(0, "--why", "ada", name, "--out", f"{scratch()}/out", "--place", "arm64"), "failed, as on record")
    write(f"{scratch()}/out/class.json", {"submissions": [{"slug": "ada", "name": "lab1-ada.zip", "students": ["s001"]}]})
    says(regrade(0, "--why", "s001", name, "--out", f"{scratch()}/out", "--place", "riscv"), "failed, as on record")
    case = next(c for c in result["tests"] if c["name"] == name)
    for place in case["places"].values():
        place["verdict"] = "passed"
    result["grader"]["version"] = "0" * 64
    write(f"{student}/grade.json", result)
    with open(f"{student}/files/kernel/mm/phys/memblock.c", "a", encoding="utf-8") as file:
        file.write("\n")
    says(regrade(1, "--why", "ada", name, "--out", f"{scratch()}/out", "--place", "riscv"),
         "FAILED, ON RECORD PASSED. THE SECOND RUN DOES NOT CONFIRM THE FIRST.", "THESE ARE NOT THE FILES THAT WERE GRADED",
         "The grader is not the one of the grade: 000000000000 then")
    says(regrade(2, "--why", "bob", name, "--out", f"{scratch()}/out"), "no submission of 'bob'")
    says(regrade(2, "--why", tree, "no_such_test", "--lab", 1), "has no test no_such_test")


@test("regrade-crash", timeout=1500)
def regrade_crash():
    """The call in which a submission hangs or crashes is the last one that is shown; so is what a boot test saw."""
    where = '	if (PageBuddy(page))\n		return "free of a free page'
    for kind, code in (("hang", "	while (PageBuddy(page))\n		barrier();\n"),
                       ("crash", "	if (PageBuddy(page))\n		*(volatile long *)0x10 = 1;\n")):
        tree = submission(kind, freelist=with_code(code, where))
        out = regrade(0, "--why", tree, "double_free_is_refused", "--lab", 1, "--place", ARCHES[kind == "crash"])
        lines = [line.strip() for line in out.splitlines()]
        last = [line for line in lines if line.startswith("zone_core_free(")][-1]
        check(last.endswith("does not come back"), f"{kind}: the last call is {last!r}")
        says(out, "timed out after" if kind == "hang" else "Kernel panic")
    out = regrade(0, "--why", TOP, "programs_run_on_it", "--lab", 1, "--place", "riscv")
    says(out, "Now: riscv passed", "CMD='bootcheck programs_run_on_it'")


@test("ktest-calls", timeout=1500)
def ktest_calls():
    """CALLS=1 shows the same calls on both machines; an image without it holds nothing of that."""
    tree, name, seen = submission("fifo-calls", freelist=FREELIST.replace(
        "	list_add(&p->list", "	list_add_tail(&p->list")), "last_freed_is_first_out", {}
    for arch in ARCHES:
        out = f"{scratch()}/{arch}.json"
        make(f"ARCH={arch}", "LAB=1", f"TREE={tree}", f"TESTS={name}", "CALLS=1", f"JSON={out}", "ktest", status=2)
        with open(out, encoding="utf-8") as file:
            seen[arch] = json.load(file)["tests"][0]["calls"]
        check(len(seen[arch]) > 5, f"{arch}: {seen[arch]}")
    equal("calls on arm64", seen["riscv"], seen["arm64"])
    make("ARCH=riscv", "LAB=1", f"TREE={tree}", "ktest-build")
    for image, there in (("ktest", False), ("ktest-calls", True)):
        elf, = glob.glob(f"{BUILD}/riscv*/{image}/ktest.elf") if not glob.glob(f"{BUILD}/riscv-lab1/{image}/ktest.elf") else \
            [f"{BUILD}/riscv-lab1/{image}/ktest.elf"]
        equal(f"{image} notes calls", there, "ktest_call_enter" in shell("riscv64-linux-gnu-nm", elf))


# ---- similarity ---------------------------------------------------------------------------------


def similarity(status, lab, *words):
    """What was found, by the pair's names."""
    out = f"{scratch()}/similarity.json"
    code, text = command(f"{TOP}/grading/similarity", "--lab", lab, "--out", out, *words)
    equal(f"exit status ({last_line(text)})", status, code)
    with open(out, encoding="utf-8") as file:
        found = json.load(file)
    return {tuple(sorted((p["a"], p["b"]))): p for p in found["pairs"]}, found


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|^[ \t]*#[^\n]*|[A-Za-z_]\w*|->|.', re.S | re.M)
WORDS = set("auto break case char const continue default do double else enum extern float for goto if inline int long "
            "register return short signed sizeof static struct switch typedef union unsigned void volatile while bool "
            "true false NULL u8 u16 u32 u64 size_t likely unlikely".split())


def disguise(text, header):
    """The same program in another dress: names changed, as far as the kernel's headers allow, comments everywhere,
    functions in reverse order, other layout."""
    tokens = [t for t in TOKEN.findall(text) if not t.startswith(("//", "/*"))]
    out, before = [], ""
    for at, token in enumerate(tokens):
        after = next((t for t in tokens[at + 1:] if not t.isspace()), "")
        free = re.fullmatch(r"[A-Za-z_]\w*", token) and token not in WORDS and not (
            token in header and (after == "(" or before in ("->", ".", "struct", "enum", "union") or token.isupper()
                                 or token.endswith("_t")))
        out.append(f"my_{token}" if free else token)
        before = token if not token.isspace() else before
    blocks = re.split(r"(?<=\n\})\n", "".join(out))
    head, *rest = blocks
    parts = [head, *reversed(rest)]
    return "\n/* a word of mine */\n\n".join(parts).replace(";\n", ";	/* indeed */\n").replace("\n\n", "\n")


def design_tree(lab, folder, name, change=None):
    """A design as a submission."""
    tree = f"{scratch()}/{name}"
    for path in owned(lab):
        own = f"{folder}/{os.path.basename(path)}"
        text = source(os.path.relpath(own, TOP) if os.path.exists(own) else path)
        os.makedirs(os.path.dirname(f"{tree}/{path}"), exist_ok=True)
        with open(f"{tree}/{path}", "w", encoding="utf-8") as file:
            file.write(change(text) if change else text)
    return tree


def header_names():
    names = set()
    for path in glob.glob(f"{TOP}/kernel/**/*.h", recursive=True):
        with open(path, encoding="utf-8") as file:
            names.update(re.findall(r"\w+", file.read()))
    return names


@test("similarity-finds", timeout=300)
def similarity_finds():
    """Names, comments, layout and order changed: a copy is a copy (80 % or more), of a student or of the reference."""
    header, least = header_names(), 1.0
    for lab in FOLDERS:
        folders = sorted(glob.glob(f"{FOLDERS[lab]}/designs/*/"))
        victim = design_tree(lab, folders[0], f"victim{lab}") if folders else None
        # A folder that holds none of the files stands for the reference.
        os.makedirs(f"{scratch()}/empty", exist_ok=True)
        trees = [design_tree(lab, f"{scratch()}/empty", f"thief{lab}", lambda text: disguise(text, header))]
        wanted = [(f"thief{lab}", "the reference")]
        if victim:
            trees += [victim, design_tree(lab, folders[0], f"copier{lab}", lambda text: disguise(text, header))]
            wanted.append((f"copier{lab}", f"victim{lab}"))
        pairs, _ = similarity(1, lab, *trees)
        for pair in wanted:
            found = pairs.get(tuple(sorted(pair)))
            check(found, f"lab {lab}: {pair} are not flagged")
            low = min(found["a_in_b"], found["b_in_a"])
            check(low >= 0.8, f"lab {lab}: {pair} are alike by {low:.0%} only")
            check(found["runs"] and found["runs"][0]["tokens"] > 25, f"lab {lab}: no place is shown for {pair}")
            least = min(least, low)
    figure(f"disguised copies: at least {least:.0%}")


@test("similarity-spares", timeout=600)
def similarity_spares():
    """Independent designs and starters are not flagged; wrong solutions are known for the reference they came from."""
    most = file = 0.0
    for lab in FOLDERS:
        folders = sorted(glob.glob(f"{FOLDERS[lab]}/designs/*/"))
        if folders:
            trees = [design_tree(lab, f, os.path.basename(f.rstrip("/"))) for f in folders]
            pairs, _ = similarity(1, lab, "--from", "0.0001", *trees)
            for (a, b), pair in pairs.items():
                known, whole = (lab, a, b) in COPIES, max(pair["a_in_b"], pair["b_in_a"])
                # One short file with one obvious solution may be more alike than the whole.
                check(pair["score"] >= ALIKE if known else whole < DISTINCT and pair["score"] < ALIKE,
                      f"lab {lab}: {a} and {b}: {whole:.0%}, {pair['file']} alone {pair['file_score']:.0%}")
                most, file = (most, file) if known else (max(most, whole), max(file, pair["file_score"]))
            for tree in trees:
                shutil.rmtree(tree)
        # Alone, what was handed out is nobody's.
        pairs, found = similarity(0, lab, starters(lab), design_tree(lab, f"{FOLDERS[lab]}/starter", f"same{lab}"))
        equal(f"lab {lab}: starters that are alike", {}, pairs)
        check(all(w["notes"] for w in found["submissions"] if w["name"] != "the reference"), "a starter has code of its own?")
        shutil.rmtree(f"{scratch()}/starter")
        trees = {}
        for patch in sorted(glob.glob(f"{FOLDERS[lab]}/mutants/*.patch"))[::9]:
            name = f"mutant{lab}-{os.path.basename(patch)[:-6]}"
            trees[name] = design_tree(lab, f"{scratch()}/none", name)
            shell("patch", "-p1", "-s", "-d", trees[name], "-i", patch)
        pairs, _ = similarity(1, lab, *trees.values())
        for name in trees:
            score = pairs[tuple(sorted((name, "the reference")))]["score"]
            check(score >= 0.9, f"{name}: {score:.0%}")
    figure(f"independent designs: at most {most:.0%}, a file of theirs {file:.0%}")


def handed_in(folder, data, lab=1):
    """A submission whose free list is these bytes."""
    tree = submission("plain-" + str(abs(hash(folder))), lab=lab)
    shutil.move(tree, folder)
    with open(f"{folder}/kernel/mm/phys/freelist.c", "wb") as file:
        file.write(data)


@test("similarity-hostile", timeout=300)
def similarity_hostile():
    """Binaries, emptiness, endless lines, links and names with markup stop nothing and do nothing to the page."""
    top = f"{scratch()}/class"
    os.makedirs(top)
    handed_in(f"{top}/binary", os.urandom(100000))
    handed_in(f"{top}/nul", b"int f(void);\0" * 100)
    handed_in(f"{top}/empty", b"")
    handed_in(f"{top}/long", b"a" * (10 << 20))
    handed_in(f"{top}/line", b"x = x + 1; " * 90000)
    handed_in(f"{top}/open", b"/*" * 500000)
    handed_in(f"{top}/quotes", b"\"\\" * 500000)
    body = FREELIST.replace("{\n", "{\n	/* <script>alert(1)</script> */\n").encode()
    handed_in(f"{top}/<img src=x onerror=alert(2)>\n&\"'", body)
    handed_in(f"{top}/twin", body)
    os.makedirs(f"{top}/link/kernel/mm/phys")
    os.symlink("/etc/passwd", f"{top}/link/kernel/mm/phys/freelist.c")
    os.symlink("/", f"{top}/root")
    page = f"{scratch()}/page.html"
    code, out = command(f"{TOP}/grading/similarity", "--lab", 1, "--out", page, top)
    equal(f"exit status ({last_line(out)})", 1, code)
    check("Traceback" not in out and "\x1b" not in out, "it stumbled")
    check("is a link" in out and "larger than" in out and "no text file" in out, "what cannot be compared is not told")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    check("<script" not in text, "markup of a submission reached the page")
    check("&lt;img src=x onerror=alert(2)&gt;" in text and "&lt;script&gt;alert(1)" in text, "the evidence is not there")
    check(not re.search(r"<[^>]*(?:src|href)=(?!\"#)", text) and "url(" not in text, "the page loads something")
    for words in (["--lab", 9, top], ["--lab", 1, f"{top}/nobody"], ["--lab", 1, "--out", "x.txt", top], ["--lab", 2, f"{scratch()}"]):
        equal(f"exit status of {words}", 2, command(f"{TOP}/grading/similarity", *words)[0])


@test("similarity-one-file", timeout=300)
def one_file():
    """One copied file of several is found by itself."""
    folders = sorted(glob.glob(f"{FOLDERS[2]}/designs/*/"))
    first = design_tree(2, folders[0], "first")
    second = design_tree(2, folders[1], "second")
    shutil.copy2(f"{first}/kernel/mm/phys/zonelist.c", f"{second}/kernel/mm/phys/zonelist.c")
    pairs, _ = similarity(1, 2, first, second)
    pair = pairs[("first", "second")]
    equal("the file", "kernel/mm/phys/zonelist.c", pair["file"])
    check(pair["file_score"] >= 0.95 > pair["a_in_b"], f"{pair['file_score']:.0%}, all: {pair['a_in_b']:.0%}")


# ---- the page -----------------------------------------------------------------------------------


@test("instructor-page")
def instructor_page():
    """Every command in docs/instructor.md exists and knows its options; every file that it names is there."""
    text = source("docs/instructor.md")
    commands = [line for block in re.findall(r"^```\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()]
    commands += re.findall(r"`((?:make|grading/|git|\./tools/)[^`]*)`", text)
    helps, goals, seen = {}, source("Makefile"), 0
    for line in commands:
        words = line.split("#")[0].split()
        if words and words[0].startswith("grading/") and os.path.isfile(f"{TOP}/{words[0]}") and os.access(f"{TOP}/{words[0]}", os.X_OK):
            program = words[0]
            if program not in helps:
                helps[program] = command(f"{TOP}/{program}", *(["zip"] if "zip" in words else []), "--help")[1]
            for option in (w for w in words if w.startswith("--")):
                check(option in helps[program], f"{line}: {program} knows no {option}")
            seen += 1
        elif words and words[0] == "make":
            goal = next(w for w in words[1:] if "=" not in w)
            check(re.search(rf"^(?:[\w.-]+ )*{re.escape(goal)}(?: [\w.-]+)*:", goals, re.M) or goal in ("host-test", "ktest"),
                  f"{line}: no goal {goal}")
            seen += 1
    check(seen > 12, f"only {seen} commands: is the page read right?")
    for path in re.findall(r"`((?:labs|kernel|grading|tools|docs|tests)/[\w./-]+)`", text) + \
            [f"docs/{name}" for name in re.findall(r"\]\(([\w.-]+\.md)\)", text)]:
        ours = re.search(r"runs|6-|tests/hidden|designs/$", path)       # of the lab that the page invents
        check(ours or os.path.exists(f"{TOP}/{path}"), f"{path} is not there")
    figure(f"{seen} commands")
