"""A lab's folder, and the submission: only the files that lab.toml lists leave the student's tree."""
import errno
import glob
import hashlib
import os
import shutil
import stat
import tomllib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCHES = ("riscv", "arm64")
FILE_LIMIT = 1 << 20


class Trouble(Exception):
    """The grader's own: never a student's zero."""


class Lab:
    def __init__(self, number, top=TOP):
        folders = glob.glob(f"{top}/labs/{number}-*")
        if len(folders) != 1:
            raise Trouble(f"there is no lab {number}")
        self.top, self.folder, self.number = top, folders[0], number
        try:
            with open(f"{self.folder}/lab.toml", "rb") as file:
                self.toml = tomllib.load(file)
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise Trouble(f"lab.toml: {error}") from None
        self.title, self.owned, self.parts = self.toml["title"], self.toml["owned"], self.toml["part"]
        # A handout has neither hidden tests nor solutions.
        self.handout = os.path.exists(f"{top}/labs/HANDOUT")

    def starter(self, path):
        return f"{self.folder}/starter/{os.path.basename(path)}"

    def host_counts(self, part):
        """Threads on the host interleave as the load wills: what needs several CPUs is judged where
        schedules can be replayed."""
        return part.get("host", part["name"] != "smp")


class Submission:
    """The stage: a folder with the graded files alone, each the student's or, if that one cannot be
    used, the starter; problems says why."""

    def __init__(self, lab, tree, stage):
        self.lab, self.stage, self.problems, self.hashes = lab, stage, {}, {}
        if not os.path.isdir(tree):
            raise Trouble(f"{tree} is no folder")
        for path in lab.owned:
            try:
                data = self.read(tree, path)
            except ValueError as error:
                self.hashes[path] = None
                self.reject(path, str(error))
                continue
            self.hashes[path] = hashlib.sha256(data).hexdigest()
            self.write(path, data)

    @staticmethod
    def read(tree, path):
        """No link that leads elsewhere, be it the file or a folder on the way; no device that never ends."""
        flags, at = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
        try:
            *folders, name = path.split("/")
            for folder in folders:
                below = os.open(folder, flags | os.O_DIRECTORY, dir_fd=at)
                os.close(at)
                at = below
            fd = os.open(name, flags, dir_fd=at)
        except FileNotFoundError:
            raise ValueError("the file is missing") from None
        except OSError as error:
            link = error.errno in (errno.ELOOP, errno.ENOTDIR)
            raise ValueError("the file, or a folder that it is in, is a link" if link else
                             f"the file cannot be read: {error.strerror}") from None
        finally:
            os.close(at)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise ValueError("this is not a regular file")
        with os.fdopen(fd, "rb") as file:
            data = file.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise ValueError(f"the file is larger than {FILE_LIMIT} bytes")
        return data

    def write(self, path, data):
        target = os.path.join(self.stage, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(data)

    def reject(self, path, why):
        """The starter stands in, so that parts that do without this file can still be earned."""
        self.problems.setdefault(path, []).append(why)
        with open(self.lab.starter(path), "rb") as file:
            self.write(path, file.read())

    def text(self, path):
        with open(os.path.join(self.stage, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def hash(self):
        lines = "".join(f"{self.hashes[p]} {p}\n" for p in self.lab.owned)
        return hashlib.sha256(lines.encode()).hexdigest()


def copy_graded(lab, source, target):
    for path in lab.owned:
        os.makedirs(os.path.dirname(f"{target}/{path}"), exist_ok=True)
        shutil.copy2(f"{source}/{path}", f"{target}/{path}")
