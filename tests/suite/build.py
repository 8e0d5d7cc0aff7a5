"""Builds: both machines, three compilers, dependencies, symbol table, time."""
import json
import os
import re
import struct
import time

from suite.base import ARCHES, BUILD, TOP, both, check, equal, figure, make, scratch, shell, test

for arch in ARCHES:
    @test(f"build-{arch}", arch, rank=0, provides=arch, timeout=300)
    def build(arch):
        """The machine builds with the distribution's gcc, without a warning."""
        out = make(f"ARCH={arch}")
        equal("warnings", [], re.findall(r"^.*warning:.*$", out, re.M))


@test("build-time", rank=1, timeout=200)
def build_time():
    """A full rebuild of one machine takes less than 30 s of 2 cores' time, whatever else they do."""
    begin, before = time.monotonic(), os.times()
    make("ARCH=riscv", build=f"{scratch()}/b")
    seconds, after = time.monotonic() - begin, os.times()
    spent = sum(after[2:4]) - sum(before[2:4])     # processor time of children
    figure(f"full rebuild in {seconds:.1f} s, {spent:.1f} s of processor time")
    check(min(seconds, spent / 2) < 30, f"a full rebuild took {seconds:.1f} s and {spent:.1f} s of processor time")


@both("build-clang", timeout=300)
def build_clang(arch):
    """The machine builds with clang and ld.lld."""
    make(f"ARCH={arch}", "LLVM=1", build=f"{scratch()}/b")


@both("build-debug", timeout=300)
def build_debug(arch):
    """DEBUG=1 builds."""
    make(f"ARCH={arch}", "DEBUG=1", build=f"{scratch()}/b")


@test("build-unknown-elf", timeout=300)
def build_elf():
    """The kernel builds with the bare-metal cross compiler."""
    make("ARCH=riscv", "CROSS_COMPILE=riscv64-unknown-elf-", "kernel", build=f"{scratch()}/b")


@both("build-nothing-to-do")
def build_nothing(arch):
    """A second make does nothing."""
    equal("second make", "", make(f"ARCH={arch}").strip())


def includes_of(source, arch, seen):
    """Every header that a source file includes, directly or not; an answer found without the compiler."""
    with open(f"{TOP}/{source}", encoding="utf-8") as file:
        names = re.findall(r'^\s*#\s*include\s+[<"]([^">]+)[">]', file.read(), re.M)
    for name in names:
        for base in (os.path.dirname(source), "kernel", f"kernel/arch/{arch}/include"):
            path = os.path.normpath(f"{base}/{name}")
            if os.path.exists(f"{TOP}/{path}"):
                if path not in seen:
                    seen.add(path)
                    includes_of(path, arch, seen)
                break
    return seen


@both("build-header-dependency")
def header_dependency(arch):
    """A changed header rebuilds the objects that include it, and no other."""
    with open(f"{BUILD}/{arch}/kernel/main.d", encoding="utf-8") as file:
        headers = sorted(set(re.findall(r"kernel/[\w/.-]+\.h", file.read())))
    sources = [os.path.relpath(os.path.join(folder, name), TOP) for folder, _, names in os.walk(f"{TOP}/kernel")
               for name in names if name.endswith((".c", ".S")) and not name.endswith(".lds.S")]
    sources = [s for s in sources if os.path.exists(f"{BUILD}/{arch}/{os.path.splitext(s)[0]}.o")]
    reach = {source: includes_of(source, arch, set()) for source in sources}
    for header in headers[:: max(1, len(headers) // 6)]:
        out = make(f"ARCH={arch}", "-n", "-W", header, "kernel")
        rebuilt = {os.path.relpath(o, f"{BUILD}/{arch}") for o in re.findall(r"-c -o (\S+/kernel/\S+\.o) ", out)}
        expected = {os.path.splitext(s)[0] + ".o" for s, found in reach.items() if header in found}
        check(rebuilt <= expected and rebuilt, f"{header}: rebuilds {sorted(rebuilt - expected) or 'nothing'}")
        # An include under #ifdef may be of the other machine; most must be there.
        check(len(rebuilt) >= 0.9 * len(expected), f"{header}: does not rebuild {sorted(expected - rebuilt)}")


@test("build-flag-change", timeout=300, needs=["riscv"])
def flag_change():
    """A changed flag or compiler rebuilds every object, once."""
    out = make("ARCH=riscv", "-n", "CROSS_COMPILE=riscv64-unknown-elf-", "kernel")
    objects = [n for f, _, names in os.walk(f"{BUILD}/riscv/kernel") for n in names if n.endswith(".o")]
    # -n cannot rewrite the stamp, so ask with the stamp named as new.
    out = make("ARCH=riscv", "-n", "-W", f"{BUILD}/riscv/.kernel-flags", "kernel")
    equal("objects rebuilt", len(objects), len(set(re.findall(r"-c -o (\S+/kernel/\S+\.o) ", out))))


@both("build-symbols")
def symbols(arch):
    """The kernel's symbol table equals what nm says of the final kernel."""
    elf, image = f"{BUILD}/{arch}/kernel.elf", f"{BUILD}/{arch}/Image"
    prefix = {"riscv": "riscv64-linux-gnu-", "arm64": "aarch64-linux-gnu-"}[arch]
    known, table = {}, {}
    for line in shell(f"{prefix}nm", elf).splitlines():
        address, kind, name = re.match(r"([0-9a-f]* *) (\w) (.*)", line).groups()
        if address.strip():
            known.setdefault((int(address, 16)), []).append((kind, name))
            table[name] = int(address, 16)
    with open(image, "rb") as file:     # the image begins at _text
        data = file.read()[table["ksyms_count"] - table["_text"]:]
    at = lambda name, form: struct.unpack_from(form, data, table[name] - table["ksyms_count"])
    count, = at("ksyms_count", "<Q")
    check(count > 100, f"only {count} symbols")
    addresses, offsets = at("ksyms_addrs", f"<{count}I"), at("ksyms_name_off", f"<{count}I")
    names = data[table["ksyms_names"] - table["ksyms_count"]:]
    equal("sorted", sorted(addresses), list(addresses))
    for address, offset in zip(addresses, offsets):
        name = names[offset:names.index(b"\0", offset)].decode()
        check(any(n == name and kind in "tTwW" for kind, n in known.get(table["_text"] + address, [])),
              f"{name} at _text+{address:#x}: nm says {known.get(table['_text'] + address)}")
    code = {a - table["_text"] for a, all_ in known.items() for kind, n in all_
            if kind in "tTwW" and not n.startswith(("$", ".L")) and 0 <= a - table["_text"] < 1 << 32}
    equal("addresses without a name", set(), code - set(addresses))


@both("build-image-header")
def image_header(arch):
    """The raw image carries the Linux Image header."""
    with open(f"{BUILD}/{arch}/Image", "rb") as file:
        head = file.read(64)
    if arch == "riscv":
        equal("magic2", b"RSC\x05", head[56:60])
        equal("magic", b"RISCV\0\0\0", head[48:56])
    else:
        equal("magic", b"ARM\x64", head[56:60])
    size = struct.unpack_from("<Q", head, 16)[0]
    check(size >= os.path.getsize(f"{BUILD}/{arch}/Image"), f"image_size {size:#x} is less than the file's size")


@test("build-compile-commands", needs=["riscv"])
def compile_commands():
    """compile_commands.json names every C file, with a command that works."""
    make("ARCH=riscv", f"{scratch()}/none", "-n", status=None)
    existed = os.path.exists(f"{TOP}/compile_commands.json")
    make("ARCH=riscv", "compile_commands.json")
    with open(f"{TOP}/compile_commands.json", encoding="utf-8") as file:
        entries = json.load(file)
    if not existed:
        os.unlink(f"{TOP}/compile_commands.json")
    files = {entry["file"] for entry in entries}
    for wanted in ("kernel/main.c", "user/cat.c", "user/lib/stdio.c"):
        check(wanted in files, f"{wanted} is missing")
    entry = next(e for e in entries if e["file"] == "kernel/main.c")
    shell(*entry["arguments"], "-fsyntax-only", cwd=entry["directory"])
