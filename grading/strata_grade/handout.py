"""What a student receives: this tree without what only an instructor has.

Out: the files that students write (starters stand in their place), hidden tests, mutants, and whatever would tell
the solution: the old git history, notes, tests of ours. The kernel that runs the tests is the reference's,
so it comes as an object, prebuilt/labN/ARCH/ktest-base.o, without debugging information.
"""
import fnmatch
import glob
import os
import shutil
import subprocess

from .grade import ARCHES, CROSS, Base, base_object, plain_environment
from .lab import Lab, Trouble

SKIP = ("labs/*/mutants/*", "labs/*/tests/hidden/*", "labs/*/starter/*", "labs/*/solutions/*", "labs/*/designs/*",
        "tests/*", "docs/instructor*", "docs/mutants*", ".gitlab-ci.yml")


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
        starters = f"{out}/labs/{os.path.basename(lab.folder)}/starter"
        shutil.copytree(f"{lab.folder}/starter", starters)
        base = Base(lab, 1)
        for arch in ARCHES:
            target = f"{out}/prebuilt/lab{lab.number}/{arch}/ktest-base.o"
            os.makedirs(os.path.dirname(target))
            subprocess.run([CROSS[arch] + "objcopy", "--strip-debug", base_object(lab, base.folder, arch), target],
                           check=True)
    with open(f"{out}/labs/HANDOUT", "w", encoding="ascii") as file:
        file.write("A student's tree: starters, public tests, and the test kernel ready-made.\n")
    git(out)
    return labs


def git(out):
    env = plain_environment()
    env.update(GIT_AUTHOR_NAME="Strata", GIT_COMMITTER_NAME="Strata", GIT_AUTHOR_EMAIL="strata@localhost",
               GIT_COMMITTER_EMAIL="strata@localhost", GIT_AUTHOR_DATE="2020-01-01T00:00:00Z",
               GIT_COMMITTER_DATE="2020-01-01T00:00:00Z")
    for words in (["init", "-q", "-b", "main"], ["add", "-A", "-f"], ["commit", "-q", "-m", "The labs as handed out"]):
        subprocess.run(["git", "-C", out, "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgsign=false", *words],
                       check=True, env=env, stdin=subprocess.DEVNULL)
