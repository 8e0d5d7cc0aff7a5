"""Graded files that are none."""
import os
import socket

from attacks import PHYS, attack, freelist

FILE = f"{PHYS}/freelist.c"


def sparse(path):
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(os.path.dirname(path))     # a path may be too long for it
        try:
            one.bind(os.path.basename(path))
        finally:
            os.chdir(here)


def strange_names(path):
    """The free list is good; beside it lie files that no list in text can tell apart."""
    for name in ("free\nlist.c", "-o", "$(touch @CANARY@).c", "\udcff\udcfe.c", " "):
        with open(os.path.join(os.path.dirname(path), name), "wb"):
            pass


LINK = "the file, or a folder that it is in, is a link"
attack("link", "source", LINK, {FILE: lambda path: os.symlink("/etc/passwd", path)}, "the file is a link to one of the host's")
attack("link-canary", "source", LINK, lambda canary: {
    FILE: lambda path: os.symlink(f"{canary}/secret", path)},
       "... to one that only the grader may read")
attack("link-endless", "source", LINK, {FILE: lambda path: os.symlink("/dev/zero", path)}, "... to one that never ends")
attack("link-loop", "source", LINK, {FILE: lambda path: os.symlink("freelist.c", path)}, "... to itself")
attack("fifo", "source", "this is not a regular file", {FILE: os.mkfifo}, "the file is a pipe on which a reader waits for ever")
attack("socket", "source", "the file cannot be read", {FILE: a_socket}, "the file is a socket")
attack("folder", "source", "this is not a regular file", {FILE: os.mkdir}, "the file is a folder")
attack("sparse", "source", "larger than 1048576 bytes", {FILE: sparse}, "the file has a tebibyte, and takes no room")
attack("binary", "source", "this is no text file", freelist(end="\0"), "the file holds a zero")
attack("strange-names", "starter", "not written yet", {}, "files whose names hold newlines and commands", tests=("a_page_is_handed_out_once",),
       extra={f"{PHYS}/zone.c": strange_names})
