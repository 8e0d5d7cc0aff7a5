"""Where a submission is built and run.

The compiler reads hostile source, the host's tests are hostile machine code, QEMU holds a hostile machine. What keeps
them in is the first of these that works here; the grade says which one it was:

  bubblewrap     The pristine tree stands at /strata, read-only; the work folder at /work. No network, no home, no
                 other process, and of the host only its programs, read-only. A grader that is root runs all
                 this under a number that no user has, so even who breaks out is nobody.
  separate user  Where namespaces cannot be made (many Docker runners) and the grader is root: two users that do not
                 exist. One builds and owns the work folder, the other runs the host's tests and owns nothing.
                 It can read what anybody may read, and the network is there.
  limits only    Neither: good enough for a student who grades their own tree.

In all three each process has limits of time, memory, files and output, and all of them together of memory and number;
the host's tests, the only machine code of the student's that meets this kernel, cannot write one byte, and under
bubblewrap see nothing but themselves. What a run leaves behind is ended.

STRATA_ISOLATION=user or =limits: as if nothing better worked here.
"""
import contextlib
import ctypes
import errno
import os
import pwd
import resource
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from dataclasses import dataclass

from .lab import Trouble

OUTPUT_LIMIT = 4 << 20
FILE_LIMIT = 256 << 20
TMP_SIZE = 1 << 30          # of /tmp, which is memory: more than the compiler may write
MEMORY_LIMIT = 8 << 30      # of all processes of a run together: several compilers
PROCESSES = 512             # of a run: make starts some for each processor
LOOK = 0.1                  # seconds between two looks at what they hold
STILL = 30                  # seconds in which no processor was used, nor wanted: of the host's tests
ROOM = 1 << 20              # bytes that must be left in the work folder
FIRST_USER, USERS = 58000, 400
BUBBLEWRAP, USER, LIMITS = "bubblewrap", "separate user", "limits only"
PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
NO_NEW_PRIVS, CHILD_SUBREAPER = 38, 36      # of prctl
LIBC = ctypes.CDLL(None)


@dataclass
class Done:
    status: int
    output: str
    late: bool = False      # out of time
    stuck: bool = False     # ... and not of processor time
    over: str = ""          # ended for what it took: "it …"


def bubblewrap(top, work, user, only):
    """only: the one folder below work that is seen, and not written; "": all. user: (uid, gid), of a grader that is
    root; None: the grader's own, in a namespace of users."""
    words = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
             "--die-with-parent", "--new-session", "--hostname", "strata", "--clearenv",
             "--setenv", "PATH", PATH, "--setenv", "LC_ALL", "C", "--setenv", "HOME", "/nonexistent",
             "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        if os.path.islink(f"/{name}"):
            words += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            words += ["--ro-bind", f"/{name}", f"/{name}"]
    words += ["--perms", "0755", "--dir", "/etc"]
    for name in ("/etc/alternatives", "/etc/ld.so.cache"):
        words += ["--ro-bind-try", name, name]
    if only:
        parts = f"work/{only}".split("/")
        for depth in range(1, len(parts)):
            words += ["--perms", "0755", "--dir", "/" + "/".join(parts[:depth])]
        words += ["--ro-bind", f"{work}/{only}", f"/work/{only}", "--chdir", "/"]
    else:
        words += ["--perms", "1777", "--size", str(TMP_SIZE), "--tmpfs", "/tmp", "--bind", work, "/work",
                  "--ro-bind", top, "/strata", "--chdir", "/strata"]
    words += ["--remount-ro", "/dev", "--remount-ro", "/"]
    if not user:
        return words + ["--unshare-user", "--cap-drop", "ALL", "--"]
    return words + ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--",
                    "/usr/bin/setpriv", f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups", "--inh-caps=-all",
                    "--no-new-privs", "--"]


class Users:
    """Two numbers without a name, this grader's alone until close(): of who builds, and of who runs."""

    def __init__(self):
        taken = {entry.pw_uid for entry in pwd.getpwall()}
        for first in range(FIRST_USER, FIRST_USER + USERS, 2):
            self.lock = socket.socket(socket.AF_UNIX)
            with contextlib.suppress(OSError):
                if not taken & {first, first + 1}:
                    self.lock.bind(f"\0strata-users-{first}")
                    self.builder, self.runner, self.group = first, first + 1, first
                    return
            self.lock.close()
        raise Trouble(f"all users from {FIRST_USER} to {FIRST_USER + USERS - 1} are taken")

    def close(self):
        self.lock.close()


class Sandbox:
    """work: a new folder of the grader's own, which becomes the users'."""

    launching = threading.Lock()    # nobody sweeps while a process is being made
    running = set()                 # process numbers, of all sandboxes of this grader

    def __init__(self, top, work, compulsory=False):
        state = os.stat(work)
        if state.st_mode & stat.S_ISVTX or state.st_uid != os.geteuid():
            raise Trouble(f"{work} is no folder of the grader's own")
        self.real_top, self.real_work, self.why, self.users = top, work, {}, None
        os.makedirs(f"{work}/b", exist_ok=True)
        for kind, own_users in ((BUBBLEWRAP, True), (BUBBLEWRAP, False), (USER, True), (LIMITS, False)):
            if self.works(kind, own_users):
                break
        if compulsory and self.kind != BUBBLEWRAP:
            raise Trouble(f"no sandbox: {self.why[BUBBLEWRAP]}")
        if self.kind == LIMITS:     # what a run's processes leave behind becomes a child of this one
            LIBC.prctl(CHILD_SUBREAPER, 1, 0, 0, 0)

    def works(self, kind, own_users):
        self.kind, wanted = kind, os.environ.get("STRATA_ISOLATION", "")
        self.top, self.work = ("/strata", "/work") if kind == BUBBLEWRAP else (self.real_top, self.real_work)
        if {"user": 1, "limits": 2}.get(wanted, 0) > (BUBBLEWRAP, USER, LIMITS).index(kind):
            return self.no(f"STRATA_ISOLATION={wanted}")
        if kind == BUBBLEWRAP and not shutil.which("bwrap"):
            return self.no("bwrap is not installed (Debian's package is bubblewrap)")
        if own_users and os.geteuid():
            return self.no("the grader is not root")
        if kind == LIMITS:
            return True
        if own_users:
            self.users = Users()
            self.hand_over()
        try:
            done = self.run("/bin/sh", "-c", f"test -r {self.top}/Makefile && : >{self.work}/probe && rm {self.work}/probe",
                            wall=60)
            done = self.run("/bin/ls", f"{self.work}/b", wall=60, only="b") if done.status == 0 else done
        except (OSError, subprocess.SubprocessError) as error:
            done = Done(1, str(error))
        if done.status == 0:
            return True
        self.close()
        if own_users:
            self.give(os.geteuid(), os.getegid())
        return self.no(done.output.strip() or "the tree or the folder for temporary files is not to be read by others")

    def no(self, why):
        self.why.setdefault(self.kind, why)
        return False

    def hand_over(self):
        """What the grader has put into the work folder becomes the builder's."""
        if self.users:
            os.chmod(self.real_work, 0o750)
            self.give(self.users.builder, self.users.group)

    def give(self, user, group):
        for folder, folders, files in os.walk(self.real_work):
            for name in [".", *folders, *files]:
                with contextlib.suppress(FileNotFoundError):    # a compiler's, which runs at the same time
                    os.chown(f"{folder}/{name}", user, group, follow_symlinks=False)

    def close(self):
        if self.users:
            if self.kind == USER:
                self.end_user(self.users.builder)
            self.users.close()
            self.users = None

    def check_room(self, output=""):
        """What fails for want of space on the disk or of memory is not the submission's fault."""
        free = os.statvfs(self.real_work)
        if free.f_bavail * free.f_frsize < ROOM or os.strerror(errno.ENOSPC) in output:
            raise Trouble(f"no space left in {os.path.dirname(self.real_work)}")

    # ---- one command ------------------------------------------------------------------------

    def run(self, *words, cpu=120, wall=1500, output_limit=OUTPUT_LIMIT, memory=0, file_limit=FILE_LIMIT,
            together=MEMORY_LIMIT, processes=PROCESSES, only=""):
        """cpu: seconds of processor time for each of its processes, whatever the load; memory: bytes of each (0: no limit);
        together: of all; wall: the backstop. only: it runs what is in this folder below the work folder, and writes nowhere."""
        self.check_room()
        user = (self.users.runner if only else self.users.builder, self.users.group) if self.users else None
        prefix = bubblewrap(self.real_top, self.real_work, user, only) if self.kind == BUBBLEWRAP else []
        limits = {resource.RLIMIT_CPU: (cpu, cpu + 5), resource.RLIMIT_CORE: (0, 0), resource.RLIMIT_NOFILE: (1024, 1024),
                  resource.RLIMIT_FSIZE: (0, 0) if only else (file_limit, file_limit)}
        if memory:
            limits[resource.RLIMIT_AS] = (memory, memory)
        if user:        # else it would count all that the grader's user runs
            limits[resource.RLIMIT_NPROC] = (processes, processes)
        with self.launching:
            process = subprocess.Popen(prefix + [str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, cwd=self.real_top, env=self.environment(),
                                       start_new_session=True, preexec_fn=lambda: self.become(user, limits))
            self.running.add(process.pid)
        try:
            return self.watch(process, wall, output_limit, together, processes, STILL if only else wall)
        finally:
            with contextlib.suppress(ProcessLookupError):   # in its session is all that did not flee from it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.running.discard(process.pid)
            if self.kind == USER and only:
                self.end_user(self.users.runner)
            elif self.kind == LIMITS:
                self.end_orphans()

    def environment(self):
        env = {"PATH": PATH, "LC_ALL": "C", "TMPDIR": self.real_work, "HOME": "/nonexistent"}
        if os.environ.get("QEMU") and self.kind != BUBBLEWRAP:
            env["QEMU"] = os.environ["QEMU"]
        return env

    def become(self, user, limits):
        """In the child, before the program."""
        for what, values in limits.items():
            hard = resource.getrlimit(what)[1]
            resource.setrlimit(what, values if hard == resource.RLIM_INFINITY else [min(v, hard) for v in values])
        os.umask(0o022)
        if self.kind == USER:
            os.setgroups([])
            os.setresgid(user[1], user[1], user[1])
            os.setresuid(user[0], user[0], user[0])
        if self.kind != BUBBLEWRAP:
            LIBC.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)

    def watch(self, process, wall, output_limit, together, processes, patience):
        output, flood, over, late = bytearray(), threading.Event(), "", False

        def read():
            with contextlib.suppress(OSError, ValueError):
                while chunk := process.stdout.read1(65536):
                    if len(output) <= output_limit:
                        output.extend(chunk)
                    else:
                        flood.set()
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        still = time.monotonic()
        end, look, spent_last = still + wall, still + LOOK, -1
        while process.poll() is None and not (late or over):
            late = time.monotonic() > end
            if flood.is_set():
                over = "it floods the console"
            elif time.monotonic() > look:
                members, look = [Member(pid) for pid in self.members(process.pid)], time.monotonic() + LOOK
                over = excess(members, together, processes)
                spent = sum(one.spent for one in members)
                if spent != spent_last or any(one.state in "RD" for one in members):
                    spent_last, still = spent, time.monotonic()
                elif time.monotonic() > still + patience:
                    over = f"it does nothing for {patience} s"
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(10)
        xcpu = process.returncode in (-signal.SIGXCPU, 128 + signal.SIGXCPU)
        return Done(process.returncode, output[:output_limit].decode("utf-8", "replace"), late or xcpu, late, over)

    def members(self, pid):
        found, new = set(), [pid]
        while new:
            one = new.pop()
            if one not in found:
                found.add(one)
                new += children(one)
        return found | processes_of(self.users.runner) if self.kind == USER else found

    # ---- what is left -----------------------------------------------------------------------

    def end_user(self, uid):
        """Every process of that user, and what it has left where everybody may write."""
        limits = {resource.RLIMIT_CORE: (0, 0)}
        for _ in range(100):
            if not processes_of(uid):
                break
            with self.launching:    # kill(-1) spares the one who calls it
                subprocess.run(["/usr/bin/python3", "-ISc", "import os; os.kill(-1, 9)"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                               preexec_fn=lambda: self.become((uid, uid), limits))
        for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock"):
            with contextlib.suppress(OSError):
                for entry in os.scandir(folder):
                    if entry.stat(follow_symlinks=False).st_uid == uid and entry.path != self.real_work:
                        shutil.rmtree(entry.path, True) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)

    def end_orphans(self):
        """Children of this process that it has not made: what fled from a run's session."""
        for _ in range(100):
            with self.launching:
                found = [pid for pid in children(os.getpid()) if pid not in self.running and flown(pid)]
                for pid in found:
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
                        os.waitpid(pid, 0)
            if not found:
                return

    def clean(self, text):
        """The same words wherever the grader runs."""
        for path in sorted({self.work, self.real_work, self.top, self.real_top}, key=len, reverse=True):
            text = text.replace(f"{path}/tree/", "").replace(f"{path}/", "")
        return text


def flown(pid):
    try:
        return os.getsid(pid) != os.getsid(0)
    except OSError:
        return False


def children(pid):
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    return found


def processes_of(uid):
    """Those that live: the dead ones wait for their parent, which may never ask."""
    found = set()
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == uid and Member(entry.name).state not in "ZX":
                found.add(int(entry.name))
    return found


class Member:
    """A process of a run: the time that it has spent, the memory that it holds, its state as in ps(1)."""

    def __init__(self, pid):
        self.spent, self.held, self.state = 0, 0, "X"
        with contextlib.suppress(OSError, IndexError):
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            self.spent, self.held = int(fields[11]) + int(fields[12]), int(fields[21]) * resource.getpagesize()
            self.state = fields[0]


def excess(members, together, processes):
    """What they have too much of, or nothing."""
    if len(members) >= processes:
        return f"it starts more than {processes} processes"
    if sum(one.held for one in members) > together:
        return f"it takes more than {together >> 30} GiB of memory"
    return ""
