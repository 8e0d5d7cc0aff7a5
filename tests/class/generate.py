"""A class made of known parts: right and wrong solutions, starters, attacks and broken archives, handed in in every form.

What each must come to is known beforehand, so a test can ask more than that nothing fell over. Nothing is random:
the same class comes out each time, dates included.
"""
import datetime
import glob
import gzip
import io
import os
import shutil
import stat
import struct
import subprocess
import tarfile
import tomllib
import zipfile

DEADLINE = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
BAD = 11        # broken archives in a class of a hundred
FORMS = ("zip", "tar", "tar.gz", "folder", "deep.zip", "git", "deep.tar.gz", "deep folder")
RIGHT, STARTER, WRONG, ATTACK, BROKEN = "right", "starter", "wrong", "attack", "broken"


class Kit:
    """A lab's files in all their variants: {path: bytes}."""

    def __init__(self, top, number=2):
        self.top = top
        self.lab, = glob.glob(f"{top}/labs/{number}-*")
        with open(f"{self.lab}/lab.toml", "rb") as file:
            self.toml = tomllib.load(file)
        self.owned = self.toml["owned"]

    def read(self, folder):
        """Of the folder's files those that are graded; the reference where it has none."""
        out = {}
        for path in self.owned:
            own = f"{folder}/{os.path.basename(path)}"
            with open(own if os.path.exists(own) else f"{self.top}/{path}", "rb") as file:
                out[path] = file.read()
        return out

    def reference(self):
        return self.read("/nonexistent")

    def starter(self):
        return self.read(f"{self.lab}/starter")

    def designs(self):
        return [self.read(folder) for folder in sorted(glob.glob(f"{self.lab}/designs/*/"))]

    def mutants(self):
        return sorted(glob.glob(f"{self.lab}/mutants/*.patch"))

    def mutant(self, patch, scratch):
        tree = f"{scratch}/mutant"
        shutil.rmtree(tree, ignore_errors=True)
        write_tree(tree, self.reference())
        subprocess.run(["patch", "-p1", "-s", "-f", "-N", "-F0", "--no-backup-if-mismatch", "-d", tree, "-i", patch], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        out = {}
        for path in self.owned:
            with open(f"{tree}/{path}", "rb") as file:
                out[path] = file.read()
        return out

    def signed(self, files, name):
        """As every student's differs from every other's."""
        return {path: data + f"/* {name} */\n".encode() for path, data in files.items()}

    def changed(self, old, new, before=""):
        """The reference with one line changed in its first file."""
        files, path = self.reference(), self.owned[0]
        text = files[path].decode()
        assert text.count(old) == 1, old
        text = text.replace(old, new)
        include = text.index('#include "')
        files[path] = (text[:include] + before + text[include:]).encode()
        return files

    def attacks(self):
        """Sources that try for more than they deserve, or to be a nuisance."""
        files, path = self.starter(), self.owned[0]
        def more(text):
            return {**files, path: files[path] + text.encode()}
        return [more('\n__asm__(".incbin \\"/etc/passwd\\"");\n'), more('\n#include "/etc/passwd"\n'),
                more("\nvoid ktest_fail(void);\nvoid ktest_fail(void) { }\n"), more("\nchar huge[1 << 30];\n"),
                {**files, path: b'#include "base/printk.h"\n' + files[path] + b'''
static void __attribute__((constructor)) before_all(void)
{
	printk("ok 1 blocks_are_aligned_and_disjoint # 1 instructions mac=0123456789abcdef\\n");
}
'''}, {path: b"\0" * 100 for path in self.owned}]


def write_tree(folder, files):
    for path, data in files.items():
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        with open(f"{folder}/{path}", "wb") as file:
            file.write(data)


def set_time(path, moment):
    for where, _, names in os.walk(path):
        for name in names:
            os.utime(f"{where}/{name}", (moment.timestamp(),) * 2)
    os.utime(path, (moment.timestamp(),) * 2)


def pack(files, form, folder, name, moment):
    """Hands in; the line of the list of repositories, if that is how."""
    below = f"lab of {name}/" if form.startswith("deep") else ""
    files = {below + path: data for path, data in files.items()}
    form, target = form.removeprefix("deep").lstrip(". "), f"{folder}/{name}"
    if form == "folder":
        write_tree(target, files)
    elif form == "git":
        return commit(f"{folder}-git/{name}", files, moment, name)
    elif form == "zip":
        target += ".zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, data in files.items():
                archive.writestr(zipfile.ZipInfo(path, (2026, 3, 1, 0, 0, 0)), data)
    else:
        target += f".{form}"
        with tarfile.open(target, "w:gz" if form == "tar.gz" else "w") as archive:
            for path, data in files.items():
                archive.addfile(member(path, len(data)), io.BytesIO(data))
    set_time(target, moment)
    return None


def commit(folder, files, moment, name):
    """One more commit; the first makes the repository."""
    when = f"{int(moment.timestamp())} +0000"
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("GIT_")}, "GIT_AUTHOR_DATE": when,
           "GIT_COMMITTER_DATE": when, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    fresh = not os.path.isdir(folder)
    write_tree(folder, files)
    steps = [["add", "-A", "-f"], ["commit", "-q", "--allow-empty", "-m", "Work"]]
    for words in ([["init", "-q", "-b", "main"]] if fresh else []) + steps:
        subprocess.run(["git", "-C", folder, "-c", "user.name=S", "-c", "user.email=s@localhost", *words], check=True, env=env,
                       stdin=subprocess.DEVNULL)
    return f"{name} {os.path.basename(os.path.dirname(folder))}/{name}\n"


def member(path, size=0, kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(path)
    info.size, info.type, info.linkname = size, kind, target
    return info


# ---- archives that nobody should send ------------------------------------------------------------


def tar_of(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))


def zip_of(path, members, level=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", level) as archive:
        for info, data in members:
            archive.writestr(info, data)


def link_in_zip(path, target):
    info = zipfile.ZipInfo(path)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info, target


def patched(path, old, new):
    """Every place where these bytes stand."""
    with open(path, "rb") as file:
        data = file.read()
    assert old in data
    with open(path, "wb") as file:
        file.write(data.replace(old, new))


def hostile(kit, folder, mark):
    """{name: words of the verdict}; mark: a file on the host that must not appear."""
    os.makedirs(folder)
    files = kit.reference()
    good = [(member(path, len(data)), data) for path, data in files.items()]
    zipped = list(files.items())
    first, out = kit.owned[0], {}

    def tar(name, words, extra, base=tuple(good)):
        tar_of(f"{folder}/{name}.tar", [*base, *extra])
        out[name] = words

    tar("outside", "leads outside", [(member(f"{'../' * 12}{mark.lstrip('/')}", 4), b"gone")])
    tar("absolute", "leads outside", [(member(mark, 4), b"gone")])
    tar("link-out", "a link in the archive leads outside", [(member("notes", 0, tarfile.SYMTYPE, "/etc"), b""),
                                                           (member("notes/passwd", 4), b"gone")])
    tar("link-up", "a link in the archive leads outside", [(member("a/notes", 0, tarfile.SYMTYPE, "../../x"), b"")])
    tar("hard-link", "a link in the archive leads outside", [(member("a/b", 0, tarfile.LNKTYPE, mark), b"")])
    tar("twice", "is there twice", [(member(first, 1), b"x")])
    tar("newline", "control characters", [(member("a\nok 1 all tests", 1), b"x")])
    tar("deep", "too deep", [(member("a/" * 40 + "b", 1), b"x")])
    tar("many", "more than 50000", [(member(f"f{i}"), b"") for i in range(50010)])
    out["bomb"] = "unpacks to more than 512 MiB"
    zip_of(f"{folder}/bomb.zip", [*zipped, *((f"zeros{i}", bytes(64 << 20)) for i in range(9))])
    out["packed-bomb"] = "unpacks to more than 512 MiB"
    huge = member("zeros", 1 << 40)
    with tarfile.open(f"{folder}/packed-bomb.tar.gz", "w:gz") as archive:
        archive.fileobj.write(huge.tobuf())
    out["zeros"] = "unpacks to more than 512 MiB"
    with gzip.open(f"{folder}/zeros.tgz", "wb", 1) as file:
        for i in range(9):
            file.write(member(f"zeros{i}", 64 << 20).tobuf() + bytes(64 << 20))
    out["lies"] = "broken"
    zip_of(f"{folder}/lies.zip", [*zipped[1:], (first, bytes(4 << 20))])
    patched(f"{folder}/lies.zip", struct.pack("<L", 4 << 20), struct.pack("<L", 100))
    out["zip-link"] = "leads outside"
    zip_of(f"{folder}/zip-link.zip", [*zipped[1:], link_in_zip(first, "/etc/passwd")])
    out["backslash"] = "leads outside"
    zip_of(f"{folder}/backslash.zip", [*zipped, ("..\\..\\..\\x", b"gone")])
    out["encrypted"] = "encrypted"
    zip_of(f"{folder}/encrypted.zip", zipped)
    patched(f"{folder}/encrypted.zip", b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0")
    out["junk"] = "broken"
    with open(f"{folder}/junk.zip", "wb") as file:
        file.write(b"PK\3\4" + bytes(range(256)) * 20)
    out["text"] = "broken"
    with open(f"{folder}/text.docx", "w", encoding="ascii") as file:
        file.write("Dear professor,\n")
    out["text.docx"] = out.pop("text")
    out["cut"] = "broken"
    tar_of(f"{folder}/whole.tar.gz", good, "w:gz")
    with open(f"{folder}/whole.tar.gz", "rb") as whole, open(f"{folder}/cut.tar.gz", "wb") as file:
        file.write(whole.read()[:900])
    os.remove(f"{folder}/whole.tar.gz")
    out["empty"] = "none of the graded files"
    os.makedirs(f"{folder}/empty")
    out["too-deep"] = "none of the graded files"
    write_tree(f"{folder}/too-deep/a/b", files)
    out["two-trees"] = "several folders hold the graded files"
    write_tree(f"{folder}/two-trees/a", files)
    write_tree(f"{folder}/two-trees/b", files)
    out["a-link"] = "this is a link"
    os.symlink("/etc", f"{folder}/a-link")
    out["pipe"] = "no regular file"
    os.mkfifo(f"{folder}/pipe")
    out["new\nline <b>"] = "none of the graded files"
    os.makedirs(f"{folder}/new\nline <b>")
    return out


# ---- a class ------------------------------------------------------------------------------------


def toml_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_course(path, students, more=""):
    """students: [{key: text, or a time}]"""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'title = "Operating systems"\ndeadline = {DEADLINE.isoformat()}\n{more}\n')
        for student in students:
            file.write("\n[[student]]\n")
            for key, value in student.items():
                file.write(f"{key} = {toml_string(value) if isinstance(value, str) else value.isoformat()}\n")


def make(kit, folder, scratch):
    """A hundred: {id: what it is}. Handed in below FOLDER/in, repositories in FOLDER/in.list, the course in
    FOLDER/course.toml. After the deadline every repository gets the reference, which must not count."""
    patches = kit.mutants()
    kinds = [(RIGHT, kit.reference())] * 8 + [(STARTER, kit.starter())] * 10 + [(RIGHT, files) for files in kit.designs()] * 2
    kinds += [(ATTACK, files) for files in kit.attacks()]
    wrong = patches[::max(1, len(patches) // (100 - len(kinds) - BAD))][:100 - len(kinds) - BAD]
    kinds += [(WRONG, kit.mutant(patch, scratch)) for patch in wrong]
    kinds += [(RIGHT, kit.reference())] * (100 - len(kinds) - BAD)
    os.makedirs(f"{folder}/in")
    students, found, lines = [], {}, []
    # Not all of a kind after each other: 37 and 89 have no common factor.
    order = [kinds[i * 37 % len(kinds)] for i in range(len(kinds))]
    assert len({i * 37 % len(kinds) for i in range(len(kinds))}) == len(kinds), len(kinds)
    for i, (kind, files) in enumerate(order):
        name = f"s{i + 1:03}"
        form = FORMS[i % len(FORMS)]
        line = pack(kit.signed(files, name) if kind != ATTACK else files, form, f"{folder}/in", name, DEADLINE - HOUR * (1 + i))
        if line:
            commit(f"{folder}/in-git/{name}", kit.reference(), DEADLINE + HOUR * 24, name)
            lines.append(line)
        found[name] = kind
        students.append({"id": name, "name": f"Student {name[1:]}", "email": f"{name}@example.org"})
        if i % 10 == 3:     # handed in late, with penalties of a day or two
            students[-1]["submitted"] = DEADLINE + HOUR * (20 + i % 20)
    bad = hostile(kit, f"{scratch}/hostile", f"{scratch}/escaped")
    for name in sorted(os.listdir(f"{scratch}/hostile"))[:BAD]:
        stem = name.split(".")[0]
        os.rename(f"{scratch}/hostile/{name}", f"{folder}/in/{name}")
        if not os.path.islink(f"{folder}/in/{name}"):
            set_time(f"{folder}/in/{name}", DEADLINE - HOUR)
        found[stem] = BROKEN
        students.append({"id": stem, "name": f"Broken {stem}", "email": f"{stem}@example.org"})
        assert stem in bad
    with open(f"{folder}/in.list", "w", encoding="utf-8") as file:
        file.writelines(lines)
    write_course(f"{folder}/course.toml", students, "[late]\npoints_per_day = 10\nmaximum = 50\ngrace_minutes = 15")
    return found
