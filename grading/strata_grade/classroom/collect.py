"""Finds the submissions and takes the graded files out of them, into OUT/<submission>/files.

There they are what grading/grade sees, whatever form they came in. What is no plain file stays what it was in kind, so
that grading says the same of it as of the original: a link is a link (to nowhere), what is too long is too long.
An archive is read in a process of its own, within limits of time and memory.
"""
import datetime
import hashlib
import json
import os
import re
import resource
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass

from ..lab import Trouble
from . import sources
from .course import moment, owners
from .sources import ENDINGS, Nothing, Refused, printable

UNPACK_CPU, UNPACK_MEMORY, UNPACK_FILE = 60, 1 << 30, 16 << 20
OURS = ("grades.json", "moodle.csv", "canvas.csv", "report.html", "class.json")
SKIP = ("__macosx", "thumbs.db", "desktop.ini")


@dataclass
class Entry:
    """One thing handed in; name: as its folder, archive or line says."""
    name: str
    kind: str           # folder, archive, git
    place: str
    branch: str = ""


# ---- find ---------------------------------------------------------------------------------------


def find(lab, arguments, course):
    entries = []
    for argument in arguments:
        path = os.path.abspath(argument)
        if os.path.isdir(path):
            entries += in_folder(lab, path)
        elif not os.path.exists(path):
            raise Trouble(f"{argument}: there is no such file or folder")
        elif sources.is_archive(path):
            entries.append(Entry(stem(os.path.basename(path)), "archive", path))
        else:
            entries += in_list(path)
    entries += [Entry(s["id"], "git", s["repository"], s.get("branch", "")) for s in course.students if s.get("repository")]
    if not entries:
        raise Trouble("nothing was handed in: name folders, archives or a list of repositories")
    return entries


def in_folder(lab, path):
    if any(os.path.lexists(f"{path}/{owned}") for owned in lab.owned):
        return [Entry(os.path.basename(path), "folder", path)]
    found = []
    for name in sorted(os.listdir(path)):
        if not name.startswith(".") and name.casefold() not in SKIP:
            whole = f"{path}/{name}"
            folder = os.path.isdir(whole) and not os.path.islink(whole)
            found.append(Entry(name if folder else stem(name), "folder" if folder else "archive", whole))
    return found


def stem(name):
    return next((name[:-len(e)] for e in sorted(ENDINGS, key=len, reverse=True) if name.lower().endswith(e)), name)


def in_list(path):
    """Lines `NAME REPOSITORY [BRANCH]`; a path is relative to the list; # begins a comment."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read(1 << 20).splitlines()
    except UnicodeDecodeError:
        raise Trouble(f"{path} is neither a folder, an archive nor a list of repositories") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise Trouble(f"{path}:{number}: {error}") from None
        if not words:
            continue
        if not 2 <= len(words) <= 3:
            raise Trouble(f"{path}:{number}: expected NAME REPOSITORY [BRANCH], got {printable(line)}")
        name, place, branch = *words[:2], (words[2] if len(words) == 3 else "")
        beside = os.path.join(os.path.dirname(path), place)
        found.append(Entry(name, "git", beside if os.path.exists(beside) else place, branch))
    return found


def slugs(names):
    """{name: folder}: plain letters, no two alike on any file system, none of our own."""
    out, taken = {}, set(OURS)
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9._@+-]+", "-", name).strip("-.")[:60]
        if plain != name or plain.casefold() in taken:
            plain = f"{plain}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}".lstrip("-")
        taken.add(plain.casefold())
        out[name] = plain
    return out


# ---- take ---------------------------------------------------------------------------------------


def root_of(holder, owned):
    """"" or "folder/": where the graded files are."""
    def has(root):
        return any(holder.kind(root + path) for path in owned)
    if has(""):
        return ""
    found = [f"{top}/" for top in holder.tops() if has(f"{top}/")]
    if len(found) > 1:
        raise Refused(f"several folders hold the graded files: {', '.join(map(printable, found[:3]))}")
    if not found:
        raise Refused(f"none of the graded files is in it: {', '.join(owned)}")
    return found[0]


def take(holder, owned, target):
    root = root_of(holder, owned)
    for path in owned:
        parts = path.split("/")
        for i in range(1, len(parts) + 1):
            step = "/".join(parts[:i])
            kind, here = holder.kind(root + step), f"{target}/{step}"
            if os.path.lexists(here):
                if kind != "folder":
                    break
            elif kind == "link":
                os.symlink("a link that was not followed", here)
                break
            elif kind is None:
                break
            elif kind == "file" and i == len(parts):
                data = holder.read(root + path)
                with open(here, "wb") as file:
                    file.write(data or b"")
                if data is None:
                    os.chmod(here, 0)
            elif kind == "file":
                with open(here, "wb"):
                    break
            else:       # a device, a socket: as little a regular file as a folder
                os.mkdir(here)


def take_from(entry, owned, target, wanted_before, mirror):
    """{commit, handed_in (seconds)}"""
    if entry.kind == "git":
        members, commit, when = sources.read_git(mirror, entry.branch, wanted_before, owned)
        take(members, owned, target)
        return {"commit": commit, "handed_in": when}
    if os.path.islink(entry.place):
        raise Refused("this is a link")
    if entry.kind == "archive":
        take(sources.read_archive(entry.place, owned), owned, target)
        return {"handed_in": int(os.lstat(entry.place).st_mtime)}
    try:
        folder = sources.Folder(entry.place)
        try:
            root_of(folder, owned)
        except Refused:     # a folder that a learning platform made around an archive
            inside = [path for path in folder.files() if sources.is_archive(path)]
            if len(inside) != 1:
                raise
            return take_from(Entry(entry.name, "archive", inside[0]), owned, target, None, None)
        root = root_of(folder, owned)
        times = [os.lstat(f"{entry.place}/{root}{path}").st_mtime for path in owned if folder.kind(root + path)]
    except OSError as error:
        raise Refused(f"it cannot be read: {error.strerror}") from None
    take(folder, owned, target)
    return {"handed_in": int(max(times))}


def in_child(function, *args):
    """What the function returns, from a process of its own within limits; Refused and Trouble come back as such."""
    receive, send = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(receive)
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 2)
            resource.setrlimit(resource.RLIMIT_CPU, (UNPACK_CPU, UNPACK_CPU))
            resource.setrlimit(resource.RLIMIT_AS, (UNPACK_MEMORY, UNPACK_MEMORY))
            resource.setrlimit(resource.RLIMIT_FSIZE, (UNPACK_FILE, UNPACK_FILE))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            try:
                answer = {"result": function(*args)}
            except Refused as error:
                answer = {"nothing" if isinstance(error, Nothing) else "refused": str(error)}
            except MemoryError:
                answer = {"refused": "it takes too much memory to read"}
            except (Trouble, OSError) as error:
                answer = {"trouble": str(error)}
            os.write(send, json.dumps(answer).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(send)
    with os.fdopen(receive, "rb") as file:
        text = file.read()
    status = os.waitpid(pid, 0)[1]
    if not text:
        if os.WIFSIGNALED(status):
            raise Refused("it takes too much time or memory to read")
        raise Trouble("reading the submission ended without a word")
    answer = json.loads(text)
    if "nothing" in answer:
        raise Nothing(answer["nothing"])
    if "refused" in answer:
        raise Refused(answer["refused"])
    if "trouble" in answer:
        raise Trouble(answer["trouble"])
    return answer["result"]


def fingerprint(owned, folder):
    """Of what is graded: kinds and contents."""
    state = hashlib.sha256()
    for path in owned:
        holder, kind = sources.Folder(folder), None
        for i in range(len(path.split("/"))):
            kind = holder.kind("/".join(path.split("/")[:i + 1]))
            if kind != "folder":
                break
        data = holder.read(path) if kind == "file" and holder.kind(path) == "file" else None
        state.update(f"{path}\0{kind}\0{hashlib.sha256(data or b'').hexdigest()}\n".encode())
    return state.hexdigest()


def collect(lab, out, entry, slug, before):
    """One submission into OUT/slug/files: {files, commit, handed_in}, or why not: {nothing, refused or trouble}."""
    target, found = f"{out}/{slug}/files", {"files": None}
    os.makedirs(f"{out}/{slug}", exist_ok=True)
    fresh = tempfile.mkdtemp(prefix=".files-", dir=f"{out}/{slug}")
    os.chmod(fresh, 0o755)
    try:
        mirror = f"{out}/.repositories/{slug}"
        if entry.kind == "git":
            head = sources.fetch(entry.place, mirror)
            entry = Entry(entry.name, "git", entry.place, entry.branch or head or "")
        found.update(in_child(take_from, entry, lab.owned, fresh, before, mirror))
        found["files"] = fingerprint(lab.owned, fresh)
    except Refused as error:
        found["nothing" if isinstance(error, Nothing) else "refused"] = str(error)
    except Trouble as error:
        found["trouble"] = str(error)
    except OSError as error:
        found["trouble"] = f"{error.strerror}: {error.filename}"
    shutil.rmtree(target, ignore_errors=True)
    if found["files"]:
        os.rename(fresh, target)
    else:
        shutil.rmtree(fresh, ignore_errors=True)
    return found


# ---- the class ----------------------------------------------------------------------------------


def plan(lab, out, arguments, course):
    """Everything handed in, collected: a list that class.json keeps."""
    entries = find(lab, arguments, course)
    whose = [owners(course, entry.name) for entry in entries]
    # A student's folder is called as the roster calls them; what is nobody's, or a group's, as it was handed in.
    names = [students[0]["id"] if students and not group else entry.name for entry, (students, group) in zip(entries, whose)]
    known = {s["id"] for s in course.students}
    names = [f"{name} (not a student)" if name in known and (not students or group) else name
             for name, (students, group) in zip(names, whose)]
    folder, submissions = slugs(dict.fromkeys(names)), []
    for name in dict.fromkeys(names):
        same = [i for i, other in enumerate(names) if other == name]
        entry, (students, group) = entries[same[0]], whose[same[0]]
        one = {"slug": folder[name], "name": name, "kind": entry.kind, "source": os.path.basename(entry.place.rstrip("/")),
               "group": group, "students": [s["id"] for s in students]}
        if len(same) > 1:
            shutil.rmtree(f"{out}/{one['slug']}/files", ignore_errors=True)
            one["unclear"] = "handed in more than once: " + ", ".join(os.path.basename(entries[i].place) for i in same)
        else:
            before = course.deadline_of(students)
            one.update(collect(lab, out, entry, one["slug"], before + course.grace() if before else None))
        submitted = next((s["submitted"] for s in students if "submitted" in s), None)
        if submitted:
            one["handed_in"] = int(submitted.timestamp())
        submissions.append(one)
    return submissions


def when(one):
    """The moment that a submission of class.json was handed in, or None."""
    if one.get("handed_in") is None:
        return None
    return moment(datetime.datetime.fromtimestamp(one["handed_in"]), "")
