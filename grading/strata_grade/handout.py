"""What a student receives: this tree without what only an instructor has.

Out: the files that students write (starters stand in their place), hidden tests, mutants, and whatever would tell
the solution: the old git history, notes, tests of ours. What the reference must lend comes as objects without
debugging information, in prebuilt/labN/ARCH/: the kernel that runs the tests (ktest-base.o), the kernel without
the lab's files for the boot part (boot-base.o), what the labs below own, for BASE=reference (below/, and the same
for builds that look for bugs), and those of them around which this lab's tests are built (given/).
"""
import fnmatch
import glob
import os
import platform
import re
import shutil
import subprocess

from . import boot
from .grade import ARCHES, CROSS, Base, base_object, last, plain_environment, variant
from .lab import Lab, Trouble

SKIP = ("labs/*/mutants/*", "labs/*/tests/hidden/*", "labs/*/starter/*", "labs/*/solutions/*", "labs/*/designs/*",
        "tests/*", "docs/instructor*", "docs/mutants*", "docs/grading-security*", "grading/handout*", "grading/mutants",
        "grading/grade-class", "grading/strata_grade/handout.py", "grading/strata_grade/mutants.py",
        "grading/strata_grade/classroom/*", "grading/new-lab", "grading/skeleton/*", "grading/regrade", "grading/similarity",
        "grading/strata_grade/newlab.py", "grading/strata_grade/regrade.py", "grading/strata_grade/similarity*",
        "grading/strata_grade/gradescope.py", "grading/strata_grade/slurm.py", "grading/gradescope/*",
        "grading/gitlab/*.yml", "grading/gitlab/class-pipeline", "README.md", ".gitlab-ci.yml", ".ci/*", "prebuilt/*")
PIPELINE = "grading/gitlab/handout.gitlab-ci.yml"       # becomes the student's .gitlab-ci.yml
# The builds for which BASE=reference has objects.
BUILDS = {"": (), "-debug": ("DEBUG=1",), "-kasan": ("KASAN=1",), "-ubsan": ("UBSAN=1",),
          "-kasan-ubsan": ("KASAN=1", "UBSAN=1")}
OURS = ("test", "campaign", "handout", "mutants", "new-lab")       # commands that need what is left out


def tracked(top):
    done = subprocess.run(["git", "-C", top, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                          capture_output=True, check=False)
    if done.returncode:
        raise Trouble("make handout works in the instructor's git tree")
    return sorted(set(done.stdout.decode().split("\0")) - {""})


def skipped(path):
    return any(fnmatch.fnmatch(path, pattern) for pattern in SKIP)


def handout(top, out):
    """Writes the tree; the labs in it."""
    if os.path.exists(f"{top}/labs/HANDOUT"):
        raise Trouble("this is a handout already")
    out = os.path.abspath(out)
    if os.path.exists(out) and (not os.path.isdir(out) or os.listdir(out)):
        raise Trouble(f"{out} is there already")
    if out.startswith(f"{top}/") and not out.startswith(f"{top}/build/"):
        raise Trouble("a handout inside the instructor's tree would be handed out itself: choose another OUT")
    labs = [Lab(int(os.path.basename(f).split("-")[0]), top) for f in sorted(glob.glob(f"{top}/labs/[0-9]-*"))]
    owned = {path: lab for lab in labs for path in lab.owned}
    for path in tracked(top):
        if skipped(path) or path in owned or not os.path.lexists(f"{top}/{path}"):
            continue
        target = f"{out}/{path}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(f"{top}/{path}", target, follow_symlinks=False)
    for path, lab in owned.items():
        os.makedirs(os.path.dirname(f"{out}/{path}"), exist_ok=True)
        shutil.copy2(lab.starter(path), f"{out}/{path}")
    for lab in labs:
        shutil.copytree(f"{lab.folder}/starter", f"{out}/labs/{os.path.basename(lab.folder)}/starter")
        lend(lab, [path for path, owner in owned.items() if owner.number < lab.number], out)
    write_texts(top, labs, out)
    git(out)
    return labs


def lend(lab, below, out):
    """The reference's objects that this lab needs."""
    base = Base(lab, 1)
    given = [path for path in lab.toml["given"] if path in below]
    for arch in ARCHES:
        target, folder = f"{out}/prebuilt/lab{lab.number}/{arch}", f"{base.folder}/{variant(lab, arch)}"
        strip(arch, base_object(lab, base.folder, arch), f"{target}/ktest-base.o")
        if boot.part_of(lab):
            strip(arch, boot.base_object(lab, folder, arch), f"{target}/boot-base.o")
        lend_given(arch, given, f"{folder}/ktest/given", f"{target}/given")
        # Those that this stage links: a page core of lab 1 is no part of the kernel of lab 2.
        objects = [obj for obj in (path[:-2] + ".o" for path in below) if os.path.exists(f"{folder}/{obj}")]
        for suffix, options in BUILDS.items():
            built = f"{base.folder}/{variant(lab, arch).replace(arch, arch + suffix)}"
            if suffix:
                build(lab, base.folder, arch, [f"{built}/{obj}" for obj in objects], options)
            for obj in objects:
                strip(arch, f"{built}/{obj}", f"{target}/below{suffix}/{obj}")
    lend_given("host", given, f"{base.folder}/host/lab{lab.number}/given",
               f"{out}/prebuilt/lab{lab.number}/host-{platform.machine()}")


def lend_given(place, given, built, target):
    """Files of the labs below around which the tests are built."""
    for path in given:
        obj = path.replace("/", "+")[:-2] + ".o"
        strip(place, f"{built}/{obj}", f"{target}/{obj}")


def build(lab, folder, arch, goals, options):
    if goals:
        done = subprocess.run(["make", "--no-print-directory", "-C", lab.top, *goals, f"BUILD={folder}", f"ARCH={arch}",
                               f"LAB={lab.number}", "DEBUGINFO=0", *options], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=plain_environment(), check=False)
        if done.returncode:
            raise Trouble(f"the reference does not build with {' '.join(options)} ({arch}): {last(done.stderr)}")


def strip(arch, source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    subprocess.run([CROSS[arch] + "objcopy", "--strip-debug", source, target], check=True)


def write_texts(top, labs, out):
    """README.md, make help, the pipeline and the mark of a handout."""
    shutil.copyfile(f"{top}/{PIPELINE}", f"{out}/.gitlab-ci.yml")
    with open(f"{top}/grading/handout.md", encoding="utf-8") as file:
        text = file.read()
    rows = [f"| {lab.number}. {lab.title} | {', '.join(f'`{path}`' for path in lab.owned)} | "
            f"[labs/{os.path.basename(lab.folder)}](labs/{os.path.basename(lab.folder)}/README.md) |" for lab in labs]
    write(f"{out}/README.md", text.replace("@LABS@", "\n".join(rows)))
    with open(f"{top}/tools/make/help.txt", encoding="utf-8") as file:
        text = file.read()
    # A command, and the lines behind it that go on.
    gone = re.compile(rf"^  make (?:{'|'.join(OURS)})\b.*\n(?: {{20,}}.*\n)*", re.M)
    write(f"{out}/tools/make/help.txt", re.sub(r"^  JOBS=.*\n", "", gone.sub("", text), flags=re.M))
    write(f"{out}/labs/HANDOUT", "A student's tree: starters, public tests, and the reference as objects only.\n")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def git(out):
    env = plain_environment()
    env.update(GIT_AUTHOR_NAME="Strata", GIT_COMMITTER_NAME="Strata", GIT_AUTHOR_EMAIL="strata@localhost",
               GIT_COMMITTER_EMAIL="strata@localhost", GIT_AUTHOR_DATE="2020-01-01T00:00:00Z",
               GIT_COMMITTER_DATE="2020-01-01T00:00:00Z")
    for words in (["init", "-q", "-b", "main"], ["add", "-A", "-f"], ["commit", "-q", "-m", "The labs as handed out"]):
        subprocess.run(["git", "-C", out, "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgsign=false", *words],
                       check=True, env=env, stdin=subprocess.DEVNULL)
