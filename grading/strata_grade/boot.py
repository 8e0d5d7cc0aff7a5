"""The part that boots the real kernel on the student's code.

The other parts see that code through a harness, beside a kernel that works. Here it *is* the allocator: the student's
files are compiled as they are, linked with the rest of the kernel, which is the reference's, and booted on
both machines with user/bootcheck as process 1 (tools/bootcheck tells how a verdict gets out). What is the same
for every submission, the rest of the kernel and the initrd, is built with the grader's base.
"""
import json
import os
import re
import shutil

from . import rules
from .lab import Trouble

SOURCE = "user/bootcheck/main.c"
CHECK = re.compile(r'\{"(\w+)",\s*"([^"]*)",\s*(\d+),\s*\w+\}')
CPU, WALL = 300, 3000       # seconds: the last resort


def part_of(lab):
    return next((part for part in lab.parts if part.get("kind") == "boot"), None)


def tests(lab):
    """As in tests.json; the names stand in lab.toml, what they mean in bootcheck's own table."""
    part = part_of(lab)
    if not part:
        return []
    with open(f"{lab.top}/{SOURCE}", encoding="utf-8") as file:
        text = file.read()
    found = [{"name": m[1], "part": part["name"], "about": m[2], "file": SOURCE, "line": text.count("\n", 0, m.start()) + 1,
              "hidden": False, "budget": int(m[3]), "seeds": 1} for m in CHECK.finditer(text)]
    missing = set(part["tests"]) - {test["name"] for test in found}
    if missing:
        raise Trouble(f"lab.toml: bootcheck has no {', '.join(sorted(missing))}")
    return [test for test in found if test["name"] in part["tests"]]


def base_object(lab, folder, arch):
    """folder: the machine's in the base's build."""
    ready = f"{lab.top}/prebuilt/lab{lab.number}/{arch}/boot-base.o"
    return ready if os.path.exists(ready) else f"{folder}/boot/base.o"


def copy_base(lab, folder, work, name, arch):
    """What Base built for this machine, for one submission."""
    if part_of(lab):
        os.makedirs(f"{work}/b/{name}/boot")
        shutil.copy2(base_object(lab, folder, arch), f"{work}/boot-{arch}.o")
        shutil.copy2(f"{folder}/boot/initrd.img", f"{work}/b/{name}/boot/initrd.img")


def run(grade, arch, name, tools):
    """name: the machine's folder in a build; tools: the prefix of its binutils."""
    if not part_of(grade.lab):
        return
    known = tests(grade.lab)
    why = build(grade, arch, name, tools)
    if why:
        for test in known:
            grade.put(test["name"], arch, "failed", f"no kernel: {why}")
        return
    out, folder = f"{grade.work}/b/{name}/boot/result.json", f"{grade.box.work}/b/{name}/boot"
    for attempt in (1, 2):
        done = grade.box.run("/usr/bin/python3", f"{grade.box.top}/tools/bootcheck", "--arch", arch,
                             "--image", f"{folder}/Image", "--initrd", f"{folder}/initrd.img",
                             "--json", f"{folder}/result.json", *(test["name"] for test in known), cpu=CPU, wall=WALL)
        if done.status in (0, 1) and os.path.exists(out):
            break
        if attempt == 2:
            raise Trouble(f"QEMU for {arch}: {first_of(grade.box.clean(done.output))}")
    with open(out, encoding="utf-8") as file:
        judge(grade, arch, json.load(file))


def judge(grade, arch, result):
    from .grade import tidy
    for name, test in result["results"].items():
        grade.put(name, arch, test["verdict"], test["why"], tidy(test["log"]), test["instructions"])
    for spoof in result["spoofs"]:
        grade.spoof(arch, spoof["test"], spoof["line"])


def build(grade, arch, name, tools):
    """None, or why the submission gives no kernel. Its objects obey the same rules as those of the tests: a
    file may have other contents where it is not tested."""
    ready = f"BOOT_BASE={grade.box.work}/boot-{arch}.o"
    done = grade.make(arch, "boot-student", ready)
    folder = f"{grade.work}/b/{name}/boot/student"
    objects = {path: f"{folder}/{path[:-2]}.o" for path in grade.lab.owned}
    if done.status == 0:
        wrong = broken_rules(grade, arch, objects, tools)
        if wrong:
            return wrong
        done = grade.make(arch, "boot-build", ready)
    if done.status == 0:
        return None
    text = grade.box.clean(done.output)
    if not re.search(r"error|undefined|multiple definition", text):
        raise Trouble(f"{arch}: {first_of(text)}")
    return first_of(text)


def broken_rules(grade, arch, objects, tools):
    found = rules.globals_of(tools, list(objects.values()))
    wrong = rules.check_symbols(grade.lab, {path: found[obj] for path, obj in objects.items()}, grade.base.reserved)
    for path, obj in objects.items():
        wrong.setdefault(path, []).extend(rules.check_sections(tools, obj))
        wrong.setdefault(path, []).extend(rules.check_instructions(arch, tools, obj))
    return "; ".join(f"{path}: {why}" for path, reasons in wrong.items() for why in reasons[:2]) or None


def first_of(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error|undefined|multiple definition|trouble", line)]
    return (errors or lines or ["no output"])[0][:300]


def replay(lab, test, arch):
    """The command by which a student sees it again."""
    below = " BASE=reference" if lab > 1 else ""
    return f"make run LAB={lab}{below} ARCH={arch} CPUS=2 MEM=64M DISK=none ICOUNT=1 CMD='bootcheck {test}'"
