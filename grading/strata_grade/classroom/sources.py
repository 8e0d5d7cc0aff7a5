"""What a submission holds, be it a folder, an archive or a commit: the same few questions to each.

No name from an archive or a repository ever becomes a path here. Only members whose name is, after one leading
folder at most, that of a graded file are read, and what they hold is written where we say. What is wrong with a
submission as a whole is Refused, with words for the student: a name that leads outside, a bomb, a file that is
there twice.
"""
import errno
import gzip
import os
import resource
import stat
import subprocess
import tarfile
import zipfile
import zlib

from ..lab import FILE_LIMIT, Trouble

ARCHIVE_LIMIT = 64 << 20        # bytes of an archive
TOTAL_LIMIT = 512 << 20         # bytes that an archive says or turns out to hold
MEMBER_LIMIT = 50000            # files and folders
DEPTH_LIMIT = 32                # folders in folders
NAME_LIMIT = 1000               # bytes of a name
FETCH_SECONDS, PACK_LIMIT = 300, 1 << 30     # of a repository: time to fetch, bytes of a file of git's
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")


class Refused(Exception):
    """This submission cannot be graded, and it is the submission's fault."""


class Nothing(Refused):
    """There is nothing in it that was handed in in time."""


class Folder:
    """A tree on the disk, which may be anybody's: no link is followed."""

    def __init__(self, path):
        self.path = path

    def tops(self):
        with os.scandir(self.path) as entries:
            return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))

    def files(self):
        with os.scandir(self.path) as entries:
            return sorted(e.path for e in entries if e.is_file(follow_symlinks=False))

    def kind(self, path):
        """file, folder, link, other or None."""
        try:
            mode = os.lstat(f"{self.path}/{path}").st_mode
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None
        return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else \
            "link" if stat.S_ISLNK(mode) else "other"

    def read(self, path):
        """One byte more than allowed tells that it is too long; None: it cannot be read."""
        try:
            fd = os.open(f"{self.path}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except PermissionError:
            return None
        with os.fdopen(fd, "rb") as file:
            return file.read(FILE_LIMIT + 1)


class Members:
    """What has been listed before it is read: {path: kind} and contents of what may be graded."""

    def __init__(self, wanted):
        self.wanted, self.kinds, self.data = wanted, {}, {}

    def tops(self):
        return sorted({path.split("/")[0] for path, kind in self.kinds.items() if kind == "folder" or "/" in path})

    def files(self):
        return []

    def kind(self, path):
        return self.kinds.get(path)

    def read(self, path):
        return self.data[path]

    def is_wanted(self, path):
        """A graded file, at the top or one folder deep."""
        return path in self.wanted or path.partition("/")[2] in self.wanted

    def add(self, name, kind):
        """The member's path; refuses a name that means harm."""
        shown = printable(name)
        if len(self.kinds) >= 2 * MEMBER_LIMIT:
            raise Refused(f"it holds more than {MEMBER_LIMIT} files and folders")
        if any(ord(c) < 32 or ord(c) == 127 for c in name):
            raise Refused(f"a name in it holds control characters: {shown}")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or (name[1:2] == ":" and name[:1].isalpha()):
            raise Refused(f"a name in it leads outside: {shown}")
        if len(parts) > DEPTH_LIMIT or len(name) > NAME_LIMIT:
            raise Refused(f"its folders are too deep, or a name is too long: {shown}")
        path = "/".join(parts)
        for i in range(1, len(parts)):
            self.kinds.setdefault("/".join(parts[:i]), "folder")
        if self.kinds.get(path, kind) != "folder" and path in self.kinds and self.is_wanted(path):
            raise Refused(f"{shown} is there twice")
        if path and (kind != "folder" or path not in self.kinds):
            self.kinds[path] = kind
        return path


def check_link(path, target, start=None):
    """A link that stays inside is nobody's business; one that leads out shows what was meant. start: the folder that
    a target is seen from, if not the link's own."""
    start = os.path.dirname(path) if start is None else start
    if target.startswith("/") or os.path.normpath(os.path.join(start, target)).split("/")[0] == "..":
        raise Refused(f"a link in the archive leads outside: {printable(path)} -> {printable(target)}")


def printable(text):
    return "".join(c if c.isprintable() else "?" for c in text)[:120]


class Counted:
    """A stream that ends the reading when more comes out than any honest tree holds."""

    def __init__(self, file):
        self.file, self.left = file, TOTAL_LIMIT

    def read(self, size=-1):
        data = self.file.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self.left -= len(data)
        if self.left < 0:
            raise Refused(f"the archive unpacks to more than {TOTAL_LIMIT >> 20} MiB")
        return data


def read_tar(path, wanted, packed):
    members = Members(wanted)
    with open(path, "rb") as raw:
        stream = Counted(gzip.GzipFile(fileobj=raw) if packed else raw)
        with tarfile.open(fileobj=stream, mode="r|", errorlevel=1) as archive:
            for count, info in enumerate(archive):
                if count >= MEMBER_LIMIT:
                    raise Refused(f"it holds more than {MEMBER_LIMIT} files and folders")
                kind = "file" if info.isreg() else "folder" if info.isdir() else \
                    "link" if info.issym() or info.islnk() else "other"
                name = members.add(info.name, kind)
                if info.size > TOTAL_LIMIT:
                    raise Refused(f"the archive unpacks to more than {TOTAL_LIMIT >> 20} MiB")
                if kind == "link":
                    check_link(name, info.linkname, None if info.issym() else "")
                if kind == "file" and members.is_wanted(name):
                    members.data[name] = archive.extractfile(info).read(FILE_LIMIT + 1)
                archive.members.clear()     # a stream has no need of them, and they take memory
    return members


def read_zip(path, wanted):
    members = Members(wanted)
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if len(infos) > MEMBER_LIMIT:
            raise Refused(f"it holds more than {MEMBER_LIMIT} files and folders")
        if sum(info.file_size for info in infos) > TOTAL_LIMIT:
            raise Refused(f"the archive unpacks to more than {TOTAL_LIMIT >> 20} MiB")
        for info in infos:
            mode = info.external_attr >> 16 if info.create_system == 3 else 0
            link = stat.S_ISLNK(mode)
            name = members.add(info.orig_filename.replace("\\", "/"), "link" if link else "folder" if info.is_dir() else
                               "file" if not stat.S_IFMT(mode) or stat.S_ISREG(mode) else "other")
            if info.flag_bits & 1:
                raise Refused("the archive is encrypted")
            if link:
                with archive.open(info) as file:
                    check_link(name, file.read(4096).decode("utf-8", "replace"))
            elif members.kinds.get(name) == "file" and members.is_wanted(name):
                with archive.open(info) as file:
                    members.data[name] = file.read(FILE_LIMIT + 1)
    return members


def is_archive(path):
    """By what it holds; by its name, too, if that says so: then it is a broken one."""
    with open(path, "rb") as file:
        head = file.read(512)
    return head[:4] in (b"PK\3\4", b"PK\5\6") or head[:2] == b"\x1f\x8b" or head[257:262] == b"ustar" \
        or path.lower().endswith(ENDINGS)


def read_archive(path, wanted):
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise Refused("this is no regular file")
    if os.path.getsize(path) > ARCHIVE_LIMIT:
        raise Refused(f"the archive is larger than {ARCHIVE_LIMIT >> 20} MiB")
    try:
        with open(path, "rb") as file:
            head = file.read(512)
        if head[:2] == b"\x1f\x8b":
            return read_tar(path, wanted, True)
        if head[:2] == b"PK":
            return read_zip(path, wanted)
        return read_tar(path, wanted, False)
    except PermissionError as error:
        raise Refused(f"the archive cannot be read: {error.strerror}") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, IndexError,
            NotImplementedError, RuntimeError, OverflowError) as error:
        if getattr(error, "errno", None) not in (None, errno.EINVAL):
            raise       # the disk's fault, not the archive's
        raise Refused(f"this is no zip, tar or tar.gz archive, or it is broken: {printable(str(error))}") from None
    except MemoryError:
        raise Refused("the archive takes too much memory to read") from None


# ---- git ----------------------------------------------------------------------------------------


def no_giants():
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    if most == resource.RLIM_INFINITY or most > PACK_LIMIT:
        resource.setrlimit(resource.RLIMIT_FSIZE, (PACK_LIMIT, PACK_LIMIT))


def git(*words, **options):
    """Somebody else's repository: none of its hooks, helpers or questions."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(GIT_TERMINAL_PROMPT="0", GIT_ALLOW_PROTOCOL="file:git:http:https:ssh", LC_ALL="C",
               GIT_SSH_COMMAND="ssh -oBatchMode=yes", GIT_LFS_SKIP_SMUDGE="1")
    return subprocess.run(["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0",
                           "-c", "transfer.fsckObjects=false", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, env=env, check=False, preexec_fn=no_giants, **options)


def fetch(place, mirror):
    """A mirror of the repository that is up to date. That it cannot be reached is nobody's zero."""
    place = os.path.abspath(place) if os.path.exists(place) else place
    if place.startswith("-"):
        raise Trouble(f"{printable(place)} is no repository")
    try:
        if not os.path.isdir(mirror):
            done = git("init", "-q", "--bare", mirror, timeout=60)
        done = git("-C", mirror, "fetch", "-q", "--prune", "--no-tags", "--force", "--no-recurse-submodules", "--", place,
                   "+refs/heads/*:refs/heads/*", timeout=FETCH_SECONDS)
        head = git("ls-remote", "--symref", "--", place, "HEAD", timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        raise Trouble(f"{printable(place)}: git fetch did not end within {FETCH_SECONDS} s") from None
    if done.returncode or head.returncode:
        words = (done.stderr or head.stderr).decode("utf-8", "replace").strip().splitlines() or ["git fetch failed"]
        raise Trouble(f"{printable(place)}: {printable(words[0])}")
    for line in head.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("ref: refs/heads/"):
            return line.split()[1].removeprefix("refs/heads/")
    return None


def read_git(mirror, branch, before, wanted):
    """The commit's members, its hash and its time (seconds); before: None, or the last second that counts."""
    limit = [f"--before={int(before.timestamp())}"] if before else []
    found = git("-C", mirror, "rev-list", "-1", "--first-parent", *limit, f"refs/heads/{branch}", "--", timeout=60) \
        if branch else None
    if not found or found.returncode:
        raise Nothing(f"the repository has no branch {printable(branch)}" if branch else "the repository is empty")
    commit = found.stdout.decode().strip()
    if not commit:
        raise Nothing("no commit before the deadline")
    when = int(git("-C", mirror, "show", "-s", "--format=%ct", commit).stdout)
    members, listed = Members(wanted), git("-C", mirror, "ls-tree", "-r", "-z", "-t", "-l", "--full-tree", commit, timeout=60)
    for line in listed.stdout.decode("utf-8", "replace").split("\0")[:-1]:
        about, _, name = line.partition("\t")
        mode, _, blob, size = about.split()
        kind = {"040000": "folder", "120000": "link", "160000": "other"}.get(mode, "file")
        members.add(name, kind)
        if kind == "file" and members.is_wanted(name):
            data = git("-C", mirror, "cat-file", "blob", blob, timeout=60).stdout if int(size) <= FILE_LIMIT else None
            members.data[name] = data if data is not None else bytes(FILE_LIMIT + 1)
    return members, commit, when
