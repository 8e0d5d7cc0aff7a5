"""Where a submission is built and run: under bubblewrap if there is one, and under limits always.

Inside, the pristine tree stands at /strata and is read-only, the work folder at /work; there is no
network, no home, no other process, and of the host only its programs. Without bubblewrap the same commands run
with the same limits on the host itself: good enough for a student who grades their own tree.
"""
import errno
import os
import resource
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

from .lab import Trouble

OUTPUT_LIMIT = 4 << 20
FILE_LIMIT = 1 << 30
ROOM = 1 << 20          # bytes that must be left in the work folder


@dataclass
class Done:
    status: int
    output: str
    late: bool = False      # out of time
    flood: bool = False     # ended for what it printed


def bubblewrap(top, work):
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv",
             "--setenv", "PATH", "/usr/bin:/bin:/usr/sbin:/sbin", "--setenv", "LC_ALL", "C",
             "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        if os.path.islink(f"/{name}"):
            words += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            words += ["--ro-bind", f"/{name}", f"/{name}"]
    for name in ("/etc/alternatives", "/etc/ld.so.cache"):
        words += ["--ro-bind-try", name, name]
    return words + ["--ro-bind", top, "/strata", "--bind", work, "/work", "--chdir", "/strata"]


class Sandbox:
    def __init__(self, top, work, compulsory=False):
        self.real_top, self.real_work = top, work
        self.prefix = []
        if shutil.which("bwrap"):
            prefix = bubblewrap(top, work)
            done = subprocess.run(prefix + ["/bin/true"], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, check=False)
            self.prefix = prefix if done.returncode == 0 else []
            self.why = done.stderr.strip()
        else:
            self.why = "bwrap is not installed (Debian's package is bubblewrap)"
        if compulsory and not self.prefix:
            raise Trouble(f"no sandbox: {self.why}")
        self.top, self.work = ("/strata", "/work") if self.prefix else (top, work)

    def name(self):
        return "bubblewrap" if self.prefix else "none"

    def check_room(self, output=""):
        """What fails for want of space on the disk or of memory is not the submission's fault."""
        free = os.statvfs(self.real_work)
        if free.f_bavail * free.f_frsize < ROOM or os.strerror(errno.ENOSPC) in output:
            raise Trouble(f"no space left in {os.path.dirname(self.real_work)}")

    def run(self, *words, cpu=120, wall=1500, output_limit=OUTPUT_LIMIT, memory=0, file_limit=FILE_LIMIT):
        """One command. cpu: seconds of processor time for each of its processes, whatever the load;
        memory: bytes of each (0: no limit); wall: the backstop."""
        def limits():
            resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
            if memory:
                resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

        env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TMPDIR": self.real_work,
               "HOME": "/nonexistent"}
        if os.environ.get("QEMU") and not self.prefix:
            env["QEMU"] = os.environ["QEMU"]
        self.check_room()
        process = subprocess.Popen(self.prefix + [str(w) for w in words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.real_top,
                                   env=env, start_new_session=True, preexec_fn=limits)
        done, late = bytearray(), False
        flood = threading.Event()

        def read():
            while chunk := process.stdout.read1(65536):
                if len(done) <= output_limit:
                    done.extend(chunk)
                else:
                    flood.set()
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        end = time.monotonic() + wall
        try:
            while process.poll() is None:
                late = time.monotonic() > end
                if late or flood.is_set():
                    break
                time.sleep(0.02)
        finally:
            try:    # all that it started is in its session
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        reader.join(10)
        late = late or process.returncode in (-signal.SIGXCPU, 128 + signal.SIGXCPU)
        return Done(process.returncode, done[:output_limit].decode("utf-8", "replace"), late, flood.is_set())

    def clean(self, text):
        """The same words wherever the grader runs."""
        for path in sorted({self.work, self.real_work, self.top, self.real_top}, key=len, reverse=True):
            text = text.replace(f"{path}/tree/", "").replace(f"{path}/", "")
        return text
