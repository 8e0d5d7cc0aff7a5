"""Submissions that want more than they have earned, or something of the host's. Each must end in a clear verdict, none
with full points, and the host must stay as it was.

An attack is a change of lab 1's reference, which would get 100: so what it loses, it loses for the attack. It names
what the report must say. `how` is what it takes to see that: "source" and "object" are refused before anything
runs; "guest" runs some tests on one machine, "host" on the host; "starter" brings no solution, but other files.
"""
import os
import tomllib
from dataclasses import dataclass, field

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PHYS = "kernel/mm/phys"
MARK = f"strata-attack-{os.getpid()}"     # several tests may run at the same time
ATTACKS = []
ON_ALLOC = "	page = list_first_entry"
HEADERS = '#include "mm/phys/page_alloc.h"\n'


@dataclass
class Attack:
    name: str
    about: str
    how: str
    says: object            # words of the report, or a tuple of them
    make: object            # {path: text, or a function of the path that makes it}, or a function of a canary's path
    tests: tuple = ("freelist",)    # names, or parts, that are run
    slow: bool = False      # in `make campaign` only
    never: str = ""         # words that the report must not say
    extra: dict = field(default_factory=dict)   # other files that the submission brings

    def write(self, folder, canary):
        """The submission; canary: a folder of the host's that it may want to read or to change. In its texts @CANARY@ is
        that folder, @TREE@ the pristine tree, @MARK@ what the names of new files begin with."""
        files = self.make(canary) if callable(self.make) else self.make
        files = {**(starters() if self.how == "starter" else reference()), **files, **self.extra}
        for path, text in files.items():
            target = f"{folder}/{path}"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if callable(text):
                text(target)
            else:
                with open(target, "w", encoding="utf-8") as file:
                    file.write(text.replace("@CANARY@", canary).replace("@TREE@", TOP).replace("@MARK@", MARK))
        return folder


def attack(name, how, says, make, about, **options):
    ATTACKS.append(Attack(name, about, how, says, make, **options))


def owned():
    with open(f"{TOP}/labs/1-page/lab.toml", "rb") as file:
        return tomllib.load(file)["owned"]


def text_of(path):
    with open(f"{TOP}/{path}", encoding="utf-8") as file:
        return file.read()


def reference():
    return {path: text_of(path) for path in owned()}


def starters():
    return {path: text_of(f"labs/1-page/starter/{os.path.basename(path)}") for path in owned()}


def freelist(code="", before="", headers=(), top="", end="", where=ON_ALLOC):
    """The free list with a few lines more: at the top of the file, behind the headers, in zone_core_alloc(), at the end."""
    text = text_of(f"{PHYS}/freelist.c")
    assert text.count(where) == text.count(HEADERS) == 1
    more = "".join(f'#include "{header}"\n' for header in headers)
    text = text.replace(where, code + where).replace(HEADERS, HEADERS + more + before)
    return {f"{PHYS}/freelist.c": top + text + end}


def load():
    """All of them."""
    from attacks import files, guest, host, names, reading  # noqa: F401  pylint: disable=unused-import,import-outside-toplevel
    return ATTACKS
