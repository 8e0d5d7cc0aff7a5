"""Right solutions that are written differently from the reference, and from each other, get full marks."""
import glob
import json
import os
import shutil
import subprocess
import tomllib

from suite.base import BUILD, CAMPAIGN, TOP, check, equal, figure, scratch, test

LEAST = 3       # designs a lab
SLOW = "5"      # labs of which one grading takes so long that all designs are for the campaign


def owned(lab):
    with open(f"{lab}/lab.toml", "rb") as file:
        return tomllib.load(file)["owned"]


def tree_of(lab, design):
    """The design's files, and the reference's where it has none."""
    tree = f"{scratch()}/{os.path.basename(design)}"
    paths = owned(lab)
    strange = set(os.listdir(design)) - {os.path.basename(path) for path in paths}
    equal(f"files in {design} that nobody grades", set(), strange)
    for path in paths:
        own = f"{design}/{os.path.basename(path)}"
        os.makedirs(os.path.dirname(f"{tree}/{path}"), exist_ok=True)
        shutil.copy2(own if os.path.exists(own) else f"{TOP}/{path}", f"{tree}/{path}")
        if os.path.exists(own):
            with open(own, encoding="utf-8") as file:
                check("another right design" in file.read(600), f"{own} does not begin with what is different")
    return tree


def grade(number, tree):
    out = f"{tree}/grade.json"
    done = subprocess.run([f"{TOP}/grading/grade", "--lab", number, "--json", out, tree], cwd=TOP,
                          env=dict(os.environ, BUILD=BUILD), stdin=subprocess.DEVNULL, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(done.stdout, flush=True)
    equal(f"exit status for {os.path.basename(tree)}", 0, done.returncode)
    with open(out, encoding="utf-8") as file:
        return json.load(file)


def designs(number):
    """Every design of the lab gets 100 of 100; of a slow lab, one in `make test`."""
    lab, = glob.glob(f"{TOP}/labs/{number}-*")
    folders = sorted(glob.glob(f"{lab}/designs/*/"))
    check(len(folders) >= LEAST, f"expected at least {LEAST} designs of lab {number}, found {len(folders)}")
    if number in SLOW and not CAMPAIGN:
        folders = folders[:1]
    for folder in folders:
        result = grade(number, tree_of(lab, folder.rstrip("/")))
        equal(f"score of {folder}", (100, 100), (result["score"], result["max_score"]))
    figure(f"{len(folders)} designs")


for NUMBER in "12345":
    test(f"grade-designs-{NUMBER}", NUMBER, timeout=1500)(designs)
