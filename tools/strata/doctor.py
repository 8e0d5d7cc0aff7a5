"""Name what is missing or too old on this machine, and the package that brings it."""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

PATH = os.environ.get("STRATA_DOCTOR_PATH") or os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
FIRMWARE = "opensbi-riscv64-generic-fw_dynamic.bin"

# program, how it tells its version, oldest that works, package, what for
TOOLS = [
    ("qemu-system-riscv64", ["--version"], (7, 0), "qemu-system-misc", "boots ARCH=riscv"),
    ("qemu-system-aarch64", ["--version"], (7, 0), "qemu-system-arm", "boots ARCH=arm64"),
    ("riscv64-linux-gnu-gcc", ["-dumpfullversion"], (12,), "gcc-riscv64-linux-gnu", "builds ARCH=riscv"),
    ("aarch64-linux-gnu-gcc", ["-dumpfullversion"], (12,), "gcc-aarch64-linux-gnu", "builds ARCH=arm64"),
    ("make", ["--version"], (4, 0), "make", "builds"),
    ("mke2fs", ["-V"], (1, 46), "e2fsprogs", "makes the disk image"),
    ("debugfs", ["-V"], (1, 46), "e2fsprogs", "updates the disk image"),
    ("e2fsck", ["-V"], (1, 46), "e2fsprogs", "checks the disk image"),
    ("gdb-multiarch", ["--version"], (12,), "gdb-multiarch", "make gdb"),
    ("python3", ["--version"], (3, 9), "python3", "runs the tools"),
]
OPTIONAL = [
    ("gcc", ["-dumpfullversion"], (10,), "gcc", "make test: kernel/lib on the host"),
    ("riscv64-unknown-elf-gcc", ["-dumpfullversion"], (12,), "gcc-riscv64-unknown-elf",
     "make CROSS_COMPILE=riscv64-unknown-elf-"),
    ("clang", ["--version"], (14,), "clang", "make LLVM=1"),
    ("ld.lld", ["--version"], (14,), "lld", "make LLVM=1"),
    ("clang-format", ["--version"], (14,), "clang-format", "formats C"),
    ("node", ["--version"], (18,), "nodejs", "make test: GitLab's pipelines"),
    ("npm", ["--version"], (7,), "npm", "make test: GitLab's pipelines"),
    ("rsync", ["--version"], (3,), "rsync", "make test: GitLab's pipelines"),
    ("chromium", ["--version"], (100,), "chromium", "make test: looks at the page of grade-class"),
]
HEADERS = [
    ("/usr/riscv64-linux-gnu/lib/libc.a", "libc6-dev-riscv64-cross", "glibc test programs, ARCH=riscv"),
    ("/usr/aarch64-linux-gnu/lib/libc.a", "libc6-dev-arm64-cross", "glibc test programs, ARCH=arm64"),
]


def dotted(version):
    return ".".join(map(str, version))


def check_tool(tool):
    """(what was found or None, complaint or None)"""
    name, option, oldest, package, purpose = tool
    path = shutil.which(name, path=PATH)
    if not path:
        return None, f"{name} is missing ({purpose}): apt package {package}"
    try:
        done = subprocess.run([path, *option], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=20)
        found = re.search(r"\d+(?:\.\d+)+|\b\d+\b", done.stdout + done.stderr)
    except (OSError, subprocess.TimeoutExpired):
        found = None
    if not found:
        return None, f"{path} does not tell its version ({purpose}): reinstall apt package {package}"
    version = tuple(int(part) for part in found[0].split("."))
    if version < oldest:
        return None, (f"{path} is version {dotted(version)}, too old: {dotted(oldest)} or later is "
                      f"needed ({purpose}): apt package {package}")
    return f"{name} {dotted(version)}", None


def check_firmware(all_folders):
    """OpenSBI where QEMU looks for `-bios default`."""
    qemu = shutil.which("qemu-system-riscv64", path=PATH)
    if not qemu:
        return None, None
    folders = ["/usr/share/qemu", os.path.dirname(os.path.realpath(qemu)) + "/../share/qemu"]
    if all_folders:
        done = subprocess.run([qemu, "-L", "help"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        folders = done.stdout.split() or folders
    folders = os.environ.get("STRATA_FIRMWARE_PATH", "").split() or folders
    for folder in folders:
        if os.path.exists(f"{folder}/{FIRMWARE}"):
            return f"OpenSBI in {os.path.realpath(folder)}", None
    return None, (f"the firmware {FIRMWARE} is in none of {', '.join(folders)} (boots ARCH=riscv): "
                  "apt package opensbi or qemu-system-data")


def quick(arch):
    """What a boot of this machine needs, in less than a tenth of a second: a list of complaints."""
    if os.environ.get("QEMU"):
        return []
    wanted = "qemu-system-riscv64" if arch == "riscv" else "qemu-system-aarch64"
    checks = [check_tool(tool) for tool in TOOLS if tool[0] == wanted]
    if arch == "riscv":
        checks.append(check_firmware(False))
    return [complaint for _, complaint in checks if complaint]


def full():
    """([found], [missing], [missing but optional])"""
    with ThreadPoolExecutor(4) as pool:
        needed = list(pool.map(check_tool, TOOLS)) + [check_firmware(True)]
        optional = list(pool.map(check_tool, OPTIONAL))
    for path, package, purpose in HEADERS:
        there = os.path.exists(path)
        needed.append((path, None) if there else
                      (None, f"{path} is missing ({purpose}): apt package {package}"))
    return ([found for found, _ in needed + optional if found],
            [complaint for _, complaint in needed if complaint],
            [complaint for _, complaint in optional if complaint])
