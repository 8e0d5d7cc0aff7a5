"""The look of the source: layers, length of files, whitespace."""
import os
import re

from suite.base import TOP, check, equal, scratch, shell, test

LONGEST_FILE = 800
LONGEST_LINE = 120      # 100 is the aim; a few columns more may read better than a break


def sources(*endings):
    out = []
    for folder, folders, names in os.walk(TOP):
        if folder == TOP:
            folders[:] = [name for name in folders if name not in (".git", "build")]
        out += [os.path.relpath(os.path.join(folder, name), TOP) for name in names if name.endswith(endings)]
    return sorted(out)


def lines_of(path):
    with open(f"{TOP}/{path}", encoding="utf-8") as file:
        return file.read().split("\n")


@test("style-layers")
def layers():
    """The kernel's layers point down."""
    shell(f"{TOP}/tools/check-layers", "kernel")


@test("style-layers-finds")
def layers_finds():
    """The layer check finds an include that points up."""
    os.makedirs(f"{scratch()}/k/base")
    with open(f"{scratch()}/k/base/a.c", "w", encoding="ascii") as file:
        file.write('#include "lib/list.h"\n#include "fs/vfs.h"\n')
    out = shell(f"{TOP}/tools/check-layers", f"{scratch()}/k", status=1)
    check("base/a.c:2: base includes \"fs/vfs.h\" of the higher layer fs" in out, out)
    equal("offences", 1, len(out.strip().splitlines()))


@test("style-file-length")
def file_length():
    """No source file has more than 800 lines, but for a reason in tools/long-files.txt."""
    excused = {line.split()[0] for line in lines_of("tools/long-files.txt")
               if line.strip() and not line.startswith("#") and len(line.split()) > 2}
    long = [f"{path} ({len(lines_of(path)) - 1})" for path in sources(".c", ".h", ".S", ".py", ".mk")
            if len(lines_of(path)) - 1 > LONGEST_FILE and path not in excused]
    equal("too long", [], long)


@test("style-whitespace")
def whitespace():
    """No trailing blanks, no C line beyond 120 columns, no C file indented by spaces."""
    bad = []
    for path in sources(".c", ".h", ".S", ".py", ".mk", ".md", ".sh"):
        for number, line in enumerate(lines_of(path), 1):
            if line != line.rstrip():
                bad.append(f"{path}:{number}: trailing blank")
            if path.endswith((".c", ".h")) and len(line.expandtabs(8)) > LONGEST_LINE:
                bad.append(f"{path}:{number}: {len(line.expandtabs(8))} columns")
            if path.endswith((".c", ".h")) and re.match(r" {8}", line):
                bad.append(f"{path}:{number}: indented by spaces")
    print("\n".join(bad))
    equal(f"lines at fault ({len(bad)})", [], bad[:3])
