"""The virtual machine: one place that knows QEMU's command line, and a guest that cannot hang us.

A Guest's console goes to a regular file that is read behind QEMU's back: QEMU never waits for a
slow reader, and a reader always has a deadline. Whatever happens, close() ends QEMU by SIGKILL.
"""
import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

QEMU = {"riscv": "qemu-system-riscv64", "arm64": "qemu-system-aarch64"}
PANIC = re.compile(r"^(?:<\d>)?(?:\[ *\d+\.\d+\] ?)?Kernel panic")
E2FS_ENV = dict(os.environ, LC_ALL="C", PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
OUTPUT_LIMIT = 512 << 20
LIBC = ctypes.CDLL(None)


def die_with_parent():
    """Runs in the child before exec: a killed test or tool leaves no QEMU behind."""
    LIBC.prctl(1, signal.SIGKILL)


def bytes_of(size):
    """64M in bytes; raise ValueError."""
    unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(size[-1:].upper())
    return int(size[:-1]) * unit if unit else int(size)


class Trouble(Exception):
    """Something is wrong with this host or with the request, not with the guest."""


@dataclass
class Machine:
    arch: str = "riscv"
    cpus: int = 4
    mem: str = "256M"
    gic: str = "3"
    paging: str = ""
    nodes: int = 0
    disk: str = ""          # "": the build's own; "none": boot from the initrd; else a file
    swap: str = ""          # size of a disk of its own to swap to, made anew at each boot
    build: str = "build/riscv"
    images: str = ""        # the build whose disk and initrd it takes; "": its own
    icount: bool = False
    append: str = ""
    extra: list = field(default_factory=list)
    _swap: object = None

    def qemu(self):
        return os.environ.get("QEMU") or QEMU[self.arch]

    def no_disks(self):
        """A RISC-V machine of several nodes wires its disks to the second socket's interrupt controller,
        which QEMU 7.2 does not connect to a CPU."""
        return self.arch == "riscv" and self.nodes > 1

    def disk_file(self):
        return None if self.no_disks() or self.disk == "none" else self.disk or f"{self.images or self.build}/disk.img"

    def initrd_file(self):
        return f"{self.images or self.build}/initrd.img"

    def swap_file(self):
        """An empty swap area, which goes with this object; raise Trouble."""
        if not self._swap:
            try:
                self._swap = tempfile.NamedTemporaryFile(prefix="strata-swap-")
                self._swap.truncate(bytes_of(self.swap))
                subprocess.run(["mkswap", "-q", self._swap.name], env=E2FS_ENV, check=True, text=True,
                               capture_output=True)
            except (OSError, subprocess.CalledProcessError, ValueError) as error:
                reason = getattr(error, "stderr", "") or error
                raise Trouble(f"cannot make a swap disk of {self.swap}: {reason}") from error
        return self._swap.name

    def command_line(self, *words):
        root = "root=/dev/vda" if self.disk_file() else "root=/dev/ram0"
        swap = ("swap=/dev/vdb" if self.disk_file() else "swap=/dev/vda") if self.swap else ""
        paging = f"paging={self.paging}" if self.paging else ""
        return " ".join(w for w in (root, swap, paging, self.append, *words) if w)

    def command(self, *append):
        """QEMU's argument vector but for the console."""
        line = self.command_line(*append)
        if len(line) > 4000:
            raise Trouble(f"the kernel command line has {len(line)} bytes; 4000 is the most")
        out = [self.qemu(), "-no-reboot", "-nic", "none", "-smp", str(self.cpus), "-m", self.mem]
        if self.arch == "riscv":
            out += ["-machine", "virt", "-cpu", "rv64", "-bios", "default"]
        else:
            out += ["-machine", f"virt,gic-version={self.gic}", "-cpu", "cortex-a76"]
        out += ["-kernel", f"{self.build}/Image", "-append", line,
                "-global", "virtio-mmio.force-legacy=false"]
        if self.disk_file():
            out += ["-drive", f"file={self.disk_file()},format=raw,if=none,id=hd0",
                    "-device", "virtio-blk-device,drive=hd0"]
        else:
            out += ["-initrd", self.initrd_file()]
        if self.swap:
            out += ["-drive", f"file={self.swap_file()},format=raw,if=none,id=swap",
                    "-device", "virtio-blk-device,drive=swap"]
        if self.nodes > 1:
            out += self._numa()
        if self.icount:
            out += ["-icount", "shift=0,sleep=off", "-rtc", "base=2020-01-01,clock=vm", "-seed", "1"]
        return out + self.extra

    def _numa(self):
        share = bytes_of(self.mem) // self.nodes
        out = []
        for node in range(self.nodes):
            cpus = [f"cpus={c}" for c in range(self.cpus) if c * self.nodes // self.cpus == node]
            out += ["-object", f"memory-backend-ram,id=mem{node},size={share}",
                    "-numa", ",".join(["node", f"nodeid={node}", f"memdev=mem{node}"] + cpus)]
        return out

    def check(self):
        """Raise Trouble for what would make QEMU fail."""
        disk = self.disk_file()
        for name in (f"{self.build}/Image", disk or self.initrd_file()):
            if not os.path.exists(name):
                raise Trouble(f"there is no {name}; `make ARCH={self.arch}` builds it")
        if self.no_disks() and (self.swap or self.disk not in ("", None, "none")):
            raise Trouble("a RISC-V machine with several nodes has no disks here; leave out DISK= and SWAP=, "
                          "or use ARCH=arm64")
        if self.swap:
            self.swap_file()
        if not shutil.which(self.qemu()):
            raise Trouble(f"{self.qemu()} is not installed: run ./tools/setup")


class DiskInUse:
    """Repair the disk if its last boot ended badly, and remember that it is in use until release()."""

    def __init__(self, path):
        self.mark = path + ".running"
        force = ["-f"] if os.path.exists(self.mark) else []
        done = subprocess.run(["e2fsck", "-p", *force, path], env=E2FS_ENV, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode > 1:
            print(f"{path}: e2fsck cannot repair it without help (status {done.returncode}); "
                  "`make clean-disk` makes a new one", flush=True)
        elif done.returncode == 1:
            print(f"{path}: repaired after the last boot ended without power-off", flush=True)
        open(self.mark, "w", encoding="ascii").close()

    def release(self):
        if os.path.exists(self.mark):
            os.unlink(self.mark)


class Guest:
    """A running machine. Use as a context manager; every wait takes seconds and returns."""

    def __init__(self, machine, *append, typing=False):
        self.dir = tempfile.TemporaryDirectory(prefix="strata-")
        self.console = os.path.join(self.dir.name, "console")
        self.errors = os.path.join(self.dir.name, "errors")
        self.position, self.text = 0, ""
        # Under instruction counting nothing may come from outside, not even an end of file.
        serial = f"file:{self.console}" if machine.icount else "stdio"
        command = machine.command(*append) + ["-display", "none", "-monitor", "none", "-serial", serial]
        with open(self.console, "wb") as out, open(self.errors, "wb") as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE if typing else subprocess.DEVNULL,
                stdout=err if machine.icount else out, stderr=err, preexec_fn=die_with_parent)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.dir.cleanup()

    def ended(self):
        return self.process.poll() is not None

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def read(self):
        """What the console said since the last read()."""
        if os.path.getsize(self.console) > OUTPUT_LIMIT:
            raise Trouble(f"the guest wrote more than {OUTPUT_LIMIT >> 20} MiB")
        with open(self.console, "rb") as file:
            file.seek(self.position)
            data = file.read(1 << 20)
        self.position += len(data)
        new = data.decode("utf-8", "replace").replace("\r", "")
        self.text += new
        return new

    def complaint(self):
        """What QEMU itself had to say."""
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    def wait_for(self, pattern, seconds, start=0):
        """Match of pattern in the console's text from `start` on; None: time over or QEMU ended."""
        deadline = time.monotonic() + seconds
        while True:
            over = self.ended() or time.monotonic() > deadline
            while self.read():
                pass
            match = re.compile(pattern, re.M).search(self.text, start)
            if match or over:
                return match
            time.sleep(0.01)

    def wait_end(self, seconds):
        """QEMU's exit status, or None if it still runs after that time."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        while self.read():
            pass
        return status
