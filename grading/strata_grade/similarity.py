"""Which submissions are nearly the same: winnowing (Schleimer, Wilkerson, Aiken 2003) over normalised tokens of C.

A submission becomes a sequence of tokens without comments, layout and #include lines. A name that the student may choose
is V, a number N, a string S. What cannot be renamed stays: the kernel's functions, members and structures, as its
headers declare them. Every run of K tokens within a function has a hash; of each WINDOW hashes in a row the smallest is kept. So
any run of K + WINDOW - 1 tokens that two submissions share is found, wherever it stands, and none shorter than K.

Score. What everybody was given does not count: any hash that occurs in the starter or in the kernel's other sources. Of
what is left, the score of A against B is the share of A's fingerprints that B has, too; the same for each file
of A, for one file may be copied and the others not. A score says that code is alike, not who wrote it: a short task
with one obvious solution makes honest submissions alike. The report shows the places; a person decides.

Why not Debian's similarity-tester (sim_c): it has no notion of code that was handed out, so that all submissions
resemble each other by their starter; it trusts file names with blanks or newlines; it has not changed since 2018.
"""
import glob
import os
import re
import zlib
from dataclasses import dataclass, field

from .lab import Submission, Trouble

K, WINDOW = 18, 8
FEW = 12                # fingerprints: who has fewer of their own has written too little to tell
BASE, MODULUS = 1000003, (1 << 61) - 1
# Nothing is read twice, whatever is left open: a hostile file costs no more than its length. (No possessive groups,
# "(...)*+": those of Python 3.11.2 forget alternatives.)
TOKEN = re.compile(r"""
    (?P<skip>\s+|//[^\n]*|/\*.*?(?:\*/|\Z)|\\\n)
  | (?P<directive>^[ \t]*\#[^\\\n]*(?:\\.[^\\\n]*)*)
  | (?P<string>L?"[^"\\\n]*(?:\\.[^"\\\n]*)*"?)
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*|'[^'\\\n]*(?:\\.[^'\\\n]*)*'?)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<sign>->|\+\+|--|<<=?|>>=?|[<>=!+\-*/%&|^]=|&&|\|\||[^\w\s])
""", re.X | re.M | re.S)
KEYWORDS = set("""auto break case char const continue default do double else enum extern float for goto if inline int
    long register return short signed sizeof static struct switch typedef union unsigned void volatile while bool true
    false NULL u8 u16 u32 u64 s8 s16 s32 s64 size_t likely unlikely""".split())


def lex(text, line=1):
    """(kind, word, line) of every token; kind "end": what comes next may stand elsewhere as well."""
    at, depth = 0, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at, kind, word = match.start(), match.lastgroup, match[0]
        if kind == "skip":
            continue
        if kind == "directive":
            yield "end", "", line
            if not re.match(r"[ \t]*#[ \t]*include\b", word):
                yield from lex(word.replace("#", " "), line)
                yield "end", "", line
            continue
        yield kind, word, line
        if word in "{}":
            depth = max(0, depth + (1 if word == "{" else -1))
        if not depth and word in ";}":
            yield "end", "", line


def vocabulary(top):
    """Names that the kernel's headers use: of those a student cannot rename functions, members and structures."""
    names = set()
    for path in glob.glob(f"{top}/kernel/**/*.h", recursive=True):
        with open(path, encoding="utf-8", errors="replace") as file:
            names.update(re.findall(r"[A-Za-z_]\w*", file.read()))
    return names - KEYWORDS


def pieces(text, fixed):
    """[[(token, line)]]: a list for each function, declaration or directive, in which tokens are comparable."""
    out, before, raw = [[]], "", list(lex(text))
    for at, (kind, word, line) in enumerate(raw):
        if kind == "end":
            out.append([])
            continue
        token = {"number": "N", "string": "S"}.get(kind, word)
        if kind == "name" and word not in KEYWORDS:
            after = raw[at + 1][1] if at + 1 < len(raw) else ""
            kept = word in fixed and (after == "(" or before in ("->", ".", "struct", "enum", "union"))
            token = word if kept else "V"
        out[-1].append((token, line))
        before = word
    return [piece for piece in out if len(piece) >= K]


def grams(words):
    """The hash of each run of K tokens, by the place where it begins: a polynomial that rolls along."""
    values = [zlib.crc32(w.encode("utf-8", "replace")) + 1 for w in words]
    top, value, out = pow(BASE, K - 1, MODULUS), 0, []
    for at, new in enumerate(values):
        if at >= K:
            value -= values[at - K] * top
        value = (value * BASE + new) % MODULUS
        if at >= K - 1:
            out.append(value)
    return out


def winnow(hashes):
    """Places of the fingerprints: of each window the smallest hash, the last one of equals."""
    kept, best = [], -1
    for end in range(min(WINDOW, len(hashes)) - 1, len(hashes)) if hashes else ():
        start = max(0, end - WINDOW + 1)
        if best < start:
            best = min(range(start, end + 1), key=lambda i: (hashes[i], -i))
        elif hashes[end] <= hashes[best]:
            best = end
        if not kept or kept[-1] != best:
            kept.append(best)
    return kept


@dataclass
class File:
    path: str
    text: str
    lines: list = field(default_factory=list)       # of each token
    hashes: list = field(default_factory=list)      # of each run of K tokens; None: everybody was given it
    prints: set = field(default_factory=set)


class Known:
    """What does not count, and the names that cannot be changed."""

    def __init__(self, lab):
        self.lab, self.fixed, self.given = lab, vocabulary(lab.top), set()
        owned = {path for folder in glob.glob(f"{lab.top}/labs/[0-9]*-*") for path in owned_by(folder)}
        paths = glob.glob(f"{lab.folder}/starter/**/*.c", recursive=True)
        paths += [p for e in ("c", "h") for p in glob.glob(f"{lab.top}/kernel/**/*.{e}", recursive=True)
                  if os.path.relpath(p, lab.top) not in owned]
        for path in paths:
            with open(path, encoding="utf-8", errors="replace") as file:
                for piece in pieces(file.read(), self.fixed):
                    self.given.update(grams([token for token, _ in piece]))

    def file(self, path, text):
        found = File(path, text)
        for piece in pieces(text, self.fixed):
            hashes = [None if h in self.given else h for h in grams([token for token, _ in piece])]
            # Windows run over what is the student's own: a given run in between hides nothing.
            own = [h for h in hashes if h is not None]
            found.prints.update(own[i] for i in winnow(own))
            found.lines += [line for _, line in piece]
            found.hashes += hashes + [None] * (K - 1)
        return found


def owned_by(folder):
    with open(f"{folder}/lab.toml", encoding="utf-8") as file:
        match = re.search(r"^owned\s*=\s*\[(.*?)\]", file.read(), re.M | re.S)
    return re.findall(r'"([^"]+)"', match[1]) if match else []


class Work:
    """One submission: its files, what is wrong with them, its fingerprints."""

    def __init__(self, name, folder, known):
        self.name, self.folder, self.files, self.notes = name, folder, [], []
        for path in known.lab.owned:
            place = path if os.path.lexists(f"{folder}/{path}") else os.path.basename(path)
            try:
                data = Submission.read(folder, place)
            except (ValueError, OSError) as error:
                self.notes.append(f"{path}: {error}")
                continue
            if b"\0" in data:
                self.notes.append(f"{path}: this is no text file")
                continue
            self.files.append(known.file(path, data.decode("utf-8", "replace")))
        self.prints = set().union(*(f.prints for f in self.files)) if self.files else set()
        if len(self.prints) < FEW:
            self.notes.append(f"only {len(self.prints)} fingerprints of its own beside what was handed out")


# ---- find submissions ---------------------------------------------------------------------------


def is_submission(lab, folder):
    return any(os.path.lexists(f"{folder}/{p}") or os.path.lexists(f"{folder}/{os.path.basename(p)}") for p in lab.owned)


def find(lab, paths):
    """{name: folder}. A folder that holds a graded file is a submission; so is one whose files/ does (what
    grading/grade-class writes); else the folders in it are looked at."""
    found = {}

    def add(folder, name):
        while name in found:
            name += "'"
        found[name] = folder

    def look(folder, name, depth):
        if is_submission(lab, folder):
            add(folder, name)
        elif os.path.isdir(f"{folder}/files"):
            add(f"{folder}/files", name)
        elif depth:
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda e: e.name):
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                        look(entry.path, entry.name, depth - 1)

    for path in paths:
        if not os.path.isdir(path):
            raise Trouble(f"{path} is no folder; archives become folders by grading/grade-class")
        look(os.path.abspath(path), os.path.basename(os.path.abspath(path)), 2)
    return found


# ---- compare ------------------------------------------------------------------------------------


@dataclass
class Pair:
    a: Work
    b: Work
    score: float            # of a's fingerprints, those that b has
    back: float             # and of b's those that a has
    file: str = ""          # the file by which they are alike, if one alone is
    file_score: float = 0.0
    runs: list = field(default_factory=list)

    def height(self):
        return max(self.score, self.back, self.file_score)


def share(mine, theirs):
    return len(mine & theirs) / len(mine) if len(mine) >= FEW else 0.0


def compare(works):
    """Every pair that has a fingerprint in common, the most alike first."""
    holders, pairs = {}, []
    for at, work in enumerate(works):
        for value in work.prints:
            holders.setdefault(value, []).append(at)
    meet = {(a, b) for held in holders.values() for i, a in enumerate(held) for b in held[i + 1:]}
    for a, b in sorted(meet):
        pair = Pair(works[a], works[b], share(works[a].prints, works[b].prints), share(works[b].prints, works[a].prints))
        by_file = [(share(f.prints, other.prints), f.path) for one, other in ((pair.a, pair.b), (pair.b, pair.a))
                   for f in one.files]
        best = max(by_file, default=(0.0, ""))
        if best[0] > max(pair.score, pair.back):
            pair.file_score, pair.file = best
        pairs.append(pair)
    return sorted(pairs, key=lambda p: (-p.height(), p.a.name, p.b.name))


@dataclass
class Run:
    """The same tokens at two places; lines from 1, both ends included."""
    a: File
    b: File
    a_lines: tuple
    b_lines: tuple
    tokens: int


def runs(pair):
    """The longest first; no token of a stands in two of them."""
    places = {}
    for file in pair.b.files:
        for at, value in enumerate(file.hashes):
            if value is not None:
                places.setdefault(value, []).append((file, at))
    found = []
    for file in pair.a.files:
        at = 0
        while at < len(file.hashes):
            best = (0, None, 0)
            for other, start in places.get(file.hashes[at], ())[:20]:
                length = extent(file.hashes, at, other.hashes, start)
                if length > best[0]:
                    best = (length, other, start)
            length, other, start = best
            if length:
                count = length + K - 1
                found.append(Run(file, other, (file.lines[at], file.lines[at + count - 1]),
                                 (other.lines[start], other.lines[start + count - 1]), count))
            at += length or 1
    return sorted(found, key=lambda r: (-r.tokens, r.a.path, r.a_lines))


def extent(a, i, b, j):
    length = 0
    while i + length < len(a) and j + length < len(b) and a[i + length] is not None and a[i + length] == b[j + length]:
        length += 1
    return length


def report(lab, paths, threshold, reference=True, most=50):
    """What was compared and what was found, for JSON and for the page."""
    known, folders = Known(lab), find(lab, paths)
    if not folders:
        raise Trouble(f"no submission of lab {lab.number} is in {', '.join(paths)}")
    works = [Work(name, folder, known) for name, folder in folders.items()]
    if reference and not lab.handout:
        works.append(Work("the reference", lab.top, known))
    pairs = compare(works)
    flagged = [pair for pair in pairs if pair.height() >= threshold]
    for pair in flagged[:most]:
        pair.runs = runs(pair)
    return works, pairs, flagged
