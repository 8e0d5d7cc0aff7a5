"""Archives that are submissions of a class, and want to be more: for whoever unpacks them.

Each is written by make(path) and says what must come of it: REFUSED, a clear word about the archive and no
points; or GRADED, the files in it that are wanted are those of lab 1's starter, and whatever else is there is left
out. In neither case does a file appear outside the folder for what is unpacked, nor does anything take
more room or time than a submission may.
"""
import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
from dataclasses import dataclass

from attacks import MARK, PHYS, starters

REFUSED, GRADED = "refused", "graded"
ARCHIVES = []
CHUNK = 1 << 24


@dataclass
class Archive:
    name: str       # with the ending that tells its kind; without it, a student's
    about: str
    becomes: str
    make: object

    def write(self, folder):
        path = f"{folder}/{self.name}"
        self.make(path)
        return path


def archive(name, becomes, about):
    def mark(function):
        ARCHIVES.append(Archive(name, about, becomes, function))
        return function
    return mark


def tar_of(path, *members, mode="w:gz"):
    """members: (name, bytes), or a TarInfo, which stands in the place of a file of that name; the starter's files come first."""
    special_ones = {one.name for one in members if isinstance(one, tarfile.TarInfo)}
    first = [(name, text) for name, text in starters().items() if name not in special_ones]
    with tarfile.open(path, mode) as tar:
        for one in [*first, *members]:
            info, data = (one, b"") if isinstance(one, tarfile.TarInfo) else (tarfile.TarInfo(one[0]), one[1])
            data = data.encode() if isinstance(data, str) else data
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def special(name, kind, target="", **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    for key, value in more.items():
        setattr(info, key, value)
    return info


def zip_of(path, *members):
    """members: (name, bytes) or (ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in [*starters().items(), *members]:
            file.writestr(name, data)


def link_in_zip(name, target):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info, target


@archive("parents.tar.gz", REFUSED, "a file whose name leads out by ../")
def tar_parents(path):
    tar_of(path, (f"../../{MARK}", b"out\n"), (f"{PHYS}/../../../../../{MARK}", b"out\n"))


@archive("parents-zip.zip", REFUSED, "... in a zip file")
def zip_parents(path):
    zip_of(path, (f"../../{MARK}", b"out\n"), (f"..\\..\\{MARK}", b"out\n"))


@archive("absolute.tar", REFUSED, "a file whose name begins at the root")
def tar_absolute(path):
    tar_of(path, (f"/tmp/{MARK}", b"out\n"), mode="w")


@archive("absolute-zip.zip", REFUSED, "... in a zip file")
def zip_absolute(path):
    zip_of(path, (f"/tmp/{MARK}", b"out\n"))


@archive("link-then-file.tar.gz", REFUSED, "a link to a folder of the host's, and a file behind it")
def tar_through_link(path):
    tar_of(path, special("door", tarfile.SYMTYPE, "/tmp"), (f"door/{MARK}", b"out\n"))


@archive("link-graded.tar.gz", REFUSED, "a graded file is a link to one of the host's")
def tar_link(path):
    tar_of(path, special(f"{PHYS}/freelist.c", tarfile.SYMTYPE, "/etc/passwd"))


@archive("link-graded-zip.zip", REFUSED, "... in a zip file")
def zip_link(path):
    with zipfile.ZipFile(path, "w") as file:
        for name, text in starters().items():
            if not name.endswith("freelist.c"):
                file.writestr(name, text)
        file.writestr(*link_in_zip(f"{PHYS}/freelist.c", "/etc/passwd"))


@archive("hard-link.tar.gz", REFUSED, "a graded file is another name of a file of the host's")
def tar_hard_link(path):
    tar_of(path, special(f"{PHYS}/freelist.c", tarfile.LNKTYPE, "/etc/passwd"))


@archive("device.tar.gz", GRADED, "a graded file is a device that never ends")
def tar_device(path):
    tar_of(path, special(f"{PHYS}/freelist.c", tarfile.CHRTYPE, devmajor=1, devminor=5, mode=0o666))


@archive("fifo.tar.gz", GRADED, "a graded file is a pipe on which a reader waits for ever")
def tar_fifo(path):
    tar_of(path, special(f"{PHYS}/freelist.c", tarfile.FIFOTYPE, mode=0o666))


@archive("bomb.tar.gz", REFUSED, "a graded file of 4 GiB of zeros")
def tar_bomb(path):
    """gzip files in a row are one: so the zeros are packed once."""
    info = tarfile.TarInfo(f"{PHYS}/freelist.c")
    info.size = 4 << 30
    zeros = gzip.compress(bytes(CHUNK))
    with open(path, "wb") as file:
        file.write(gzip.compress(info.tobuf()))
        for _ in range(info.size // CHUNK):
            file.write(zeros)
        file.write(gzip.compress(bytes(1024)))


@archive("bomb-zip.zip", REFUSED, "a graded file of 256 MiB in a zip file that says that it has 10 bytes")
def zip_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open(f"{PHYS}/freelist.c", "w") as member:
            for _ in range(256 << 20 >> 24):
                member.write(bytes(CHUNK))
    with open(path, "r+b") as file:     # the size in the central directory
        data = file.read()
        file.seek(data.rindex(b"PK\1\2") + 24)
        file.write(struct.pack("<I", 10))


@archive("many.zip", GRADED, "thirty thousand other files")
def zip_many(path):
    zip_of(path, *((f"many/{n // 1000}/{n}", b"") for n in range(30000)))


@archive("deep.tar.gz", REFUSED, "folders in folders, ten thousand deep")
def tar_deep(path):
    tar_of(path, ("d/" * 10000 + "file", b""))


@archive("twice.tar.gz", REFUSED, "the same graded file twice, the second one another")
def tar_twice(path):
    tar_of(path, (f"{PHYS}/freelist.c", b"#error the second one\n"))


@archive("names.tar.gz", REFUSED, "other files whose names hold newlines, control characters, commands and no UTF-8")
def tar_names(path):
    tar_of(path, ("free\nlist.c", b""), ("\033[2Jcleared", b""), ("-rf", b""), (f"$(touch /tmp/{MARK})", b""),
           (f"; touch /tmp/{MARK}", b""), ("\udcff\udcfe", b""), ("<script>alert(1)</script>", b""))


@archive("student\n\033[2J<b>name.zip", GRADED, "the archive's own name holds a newline, a control character and HTML")
def zip_name(path):
    zip_of(path)


@archive("truncated.tar.gz", REFUSED, "half an archive")
def tar_truncated(path):
    tar_of(path)
    os.truncate(path, os.path.getsize(path) // 2)


@archive("truncated-zip.zip", REFUSED, "... of zip's kind")
def zip_truncated(path):
    zip_of(path)
    os.truncate(path, os.path.getsize(path) // 2)


@archive("nothing.zip", REFUSED, "no archive at all")
def no_archive(path):
    with open(path, "wb") as file:
        file.write(b"I have sent it by mail.\n")


@archive("empty.tar", REFUSED, "a file without a byte")
def empty(path):
    with open(path, "wb"):
        pass


@archive("encrypted.zip", REFUSED, "a zip file with a password, so it says")
def zip_encrypted(path):
    zip_of(path)
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        for magic, flag in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            at = -1
            while (at := data.find(magic, at + 1)) >= 0:
                data[at + flag] |= 1
        file.seek(0)
        file.write(data)
