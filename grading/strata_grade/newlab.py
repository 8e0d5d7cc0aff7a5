"""Writes the skeleton of a new lab: a toy stratum of one function with all that a lab consists of.

What grading/skeleton/ holds is copied, with @N@, @NAME@ and @TITLE@ filled in; three lines tell the build of the
new stage, which is the last one and links what the stage before it links, and the new file.
"""
import os
import re

from .lab import Trouble
from .similarity import KEYWORDS

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")


def places(number, name):
    """{file of the skeleton: where it goes}"""
    lab = f"labs/{number}-{name.replace('_', '-')}"
    return {"stratum.h": f"kernel/mm/phys/{name}.h", "reference.c": f"kernel/mm/phys/{name}.c",
            "lab.toml": f"{lab}/lab.toml", "README.md": f"{lab}/README.md", "starter.c": f"{lab}/starter/{name}.c",
            "tests.c": f"{lab}/tests/{name}.c", "mutant.patch": f"{lab}/mutants/run-at-the-end-forgotten.patch"}


def edits(top, number, name):
    """[(file, old, new)]: the old text stands there once."""
    before = number - 1
    with open(f"{top}/Makefile", encoding="utf-8") as file:
        labs = re.search(r"^LABS\s*:=\s*(.*)$", file.read(), re.M)
    if not labs or not labs[1].split() or labs[1].split()[-1] != str(before):
        raise Trouble(f"the newest lab is {labs[1].split()[-1] if labs else '?'}: the next one has the number after it, "
                      f"not {number}")
    kernel = f"{top}/tools/make/kernel.mk"
    with open(kernel, encoding="utf-8") as file:
        union = re.search(r"^LAB_SRC\s*:=.*$", file.read(), re.M)
    if not union:
        raise Trouble("tools/make/kernel.mk: where are the stages?")
    with open(f"{top}/tools/make/config.mk", encoding="utf-8") as file:
        slab = re.search(rf"^SLAB_{before}\s*:=.*$", file.read(), re.M)
    if not slab:
        raise Trouble(f"tools/make/config.mk: SLAB_{before} is not there")
    return [("Makefile", labs[0], f"{labs[0].rstrip()} {number}"),
            ("tools/make/kernel.mk", union[0], f"LAB_SRC_{number} := $(LAB_SRC_{before}) mm/phys/{name}.c\n{union[0]}"),
            ("tools/make/config.mk", slab[0], f"{slab[0]}\nSLAB_{number} := $(SLAB_{before})")]


def check(top, number, name, targets):
    if not NAME.fullmatch(name) or name in KEYWORDS:
        raise Trouble(f"NAME={name!r}: small letters, digits and _, no word of C: it becomes a file and the beginning of names")
    if not 1 <= number <= 9:
        raise Trouble(f"N={number}: labs have one digit")
    for target in targets:
        if os.path.lexists(f"{top}/{target}"):
            raise Trouble(f"{target} is there already")
    if os.path.exists(f"{top}/labs/HANDOUT"):
        raise Trouble("this is a student's tree")


def new_lab(top, number, name):
    """The paths that were written or changed."""
    targets = places(number, name)
    check(top, number, name, targets.values())
    changes = edits(top, number, name)
    values = {"@N@": str(number), "@NAME@": name, "@TITLE@": name.replace("_", " ").capitalize()}
    for source, target in targets.items():
        with open(f"{HERE}/skeleton/{source}", encoding="utf-8") as file:
            text = file.read()
        for key, value in values.items():
            text = text.replace(key, value)
        os.makedirs(os.path.dirname(f"{top}/{target}"), exist_ok=True)
        with open(f"{top}/{target}", "w", encoding="utf-8") as file:
            file.write(text)
    for path, old, new in changes:
        with open(f"{top}/{path}", encoding="utf-8") as file:
            text = file.read()
        with open(f"{top}/{path}", "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))
    return [*targets.values(), *(path for path, _, _ in changes)]
