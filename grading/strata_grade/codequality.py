"""What tools say about a line of a student's file, and GitLab's Code Quality report of it.

A finding is what a compiler warned of or refused, or what a sanitizer caught: ASan and UBSan in the tests on the
host, KASAN and UBSAN in a kernel built with them. GitLab shows a finding beside its line, and in a merge
request those that are new. By a finding's fingerprint it tells new from old, so that must outlive whatever the
rest of the file does: it is made of the line's text, not of its number. Two findings with one fingerprint
would be shown as one; equal ones are counted.
"""
import hashlib
import json
import os
import re

DIAGNOSTIC = re.compile(r"^(\S+?):(\d+):(?:\d+:)? (fatal error|error|warning): (.*?)(?: \[-W([\w+=-]+)\])?$")
HOST_UBSAN = re.compile(r"^(\S+?):(\d+):\d+: runtime error: (.*)$")
HOST_ASAN = re.compile(r"^(?:==\d+==)?ERROR: AddressSanitizer: (\S+)(.*)$")
ACCESS = re.compile(r"^(?:==\d+==)?(?:The signal is caused by a )?(READ|WRITE)\b(?: of size \d+)?")
HOST_FRAME = re.compile(r"^\s+#\d+ 0x[0-9a-f]+ in \S+ (\S+?):(\d+)")
UBSAN = re.compile(r"UBSAN: (.*) in (\S+?):(\d+):\d+$")
KASAN = re.compile(r"BUG: KASAN: (.*) in \S+$")
KERNEL_ACCESS = re.compile(r"(Read|Write) of size \d+")
KERNEL_FRAME = re.compile(r"\[<[0-9a-f]+>\] \S+ (\S+?):(\d+)$")
END = re.compile(r"={40}|^(?:ok|not ok) \d|^Allocated by|^Freed by|^SUMMARY|^The buggy address|is located")
SEVERITY = {"error": "blocker", "warning": "minor", "rule": "blocker", "asan": "critical", "ubsan": "critical",
            "kasan": "critical"}


def plain(text):
    """The same words each time: no addresses."""
    return re.sub(r"0x[0-9a-f]{6,}|\b[0-9a-f]{16}\b", "0x…", text)


def finding(path, line, kind, check, text):
    text = plain(text)
    return {"path": os.path.normpath(path), "line": int(line), "kind": kind, "check": check,
            "text": re.sub(r"[^ -~…]", "?", text.replace("‘", "'").replace("’", "'"))[:300]}


def diagnostics(text, owned):
    """What the compiler said of these files."""
    for line in text.splitlines():
        match = DIAGNOSTIC.match(line)
        if match and match[1] in owned:
            kind = "warning" if match[3] == "warning" else "error"
            yield finding(match[1], match[2], kind, f"gcc-{match[5] or 'error'}", match[4])


def sanitizers(text, owned):
    """What sanitizers said, in a kernel's log or on the host. An address sanitizer's finding is put where the
    uppermost function of these files stands in the trace of calls: below it is the given code that it misused."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        for pattern, kind in ((HOST_UBSAN, "ubsan"), (UBSAN, "ubsan"), (HOST_ASAN, "asan"), (KASAN, "kasan")):
            match = pattern.search(line)
            if not match:
                continue
            if pattern is HOST_UBSAN:
                path, number, what = match[1], match[2], match[3]
            elif pattern is UBSAN:
                says = lines[at + 1:at + 2] or [""]
                path, number, what = match[2], match[3], f"{match[1]}: {after_time(says[0])}"
            else:
                path, number, access = trace(lines[at + 1:at + 60], owned)
                what = f"{match[1]}: {access}" if access else match[1]
            if path in owned:
                yield finding(path, number, kind, f"{kind}-{slug(match[1] if kind != 'ubsan' else what)}", what)


def after_time(line):
    return re.sub(r"^\[[ \d.]+\] ", "", line).strip()


def slug(text):
    return re.sub(r"[^a-z]+", "-", plain(text).replace("0x…", "").split(":")[0].lower())[:40].strip("-")


def trace(lines, owned):
    """(path, line, the kind of access) by the first frame in one of these files; (None, None, …): there is none."""
    access = ""
    for line in lines:
        if END.search(after_time(line)):
            break
        said = ACCESS.search(line) or KERNEL_ACCESS.search(line)
        access = access or (said[0].split("==")[-1].lower() if said else "")
        frame = HOST_FRAME.match(line) or KERNEL_FRAME.search(line)
        if frame and os.path.normpath(frame[1]) in owned:
            return os.path.normpath(frame[1]), frame[2], access
    return None, None, access


def unique(findings):
    """Once each, in the order of files and lines: three compilers say the same."""
    seen = {(f["path"], f["line"], f["check"], f["text"]): f for f in findings}
    return [seen[key] for key in sorted(seen)]


def of_grade(grade):
    """The findings in a grade, and the rules that its files break."""
    yield from grade["findings"]
    for path, reasons in grade["problems"].items():
        for why in reasons:
            if not why.startswith("it does not compile"):       # the compiler's own words are there
                yield finding(path, 1, "rule", "strata-rule", why)


def report(findings, tree):
    """GitLab's list of these findings; tree: where the files are whose lines they name."""
    out, times, texts = [], {}, {}
    for item in unique(findings):
        path = item["path"]
        if path not in texts:
            texts[path] = lines_of(f"{tree}/{path}")
        line = texts[path][item["line"] - 1] if item["line"] <= len(texts[path]) else ""
        same = "\0".join((path, item["check"], re.sub(r"\d+", "0", item["text"]), " ".join(line.split())))
        times[same] = times.get(same, 0) + 1
        out.append({"type": "issue", "check_name": item["check"], "description": item["text"],
                    "severity": SEVERITY[item["kind"]], "categories": ["Bug Risk"],
                    "fingerprint": hashlib.sha256(f"{same}\0{times[same]}".encode()).hexdigest(),
                    "location": {"path": path, "lines": {"begin": item["line"]}}})
    return out


def lines_of(path):
    """None is there where the file is missing, a link or a device."""
    if not os.path.isfile(path) or os.path.islink(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(1 << 20).splitlines()


def write(findings, tree, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(report(findings, tree), file, indent=1, ensure_ascii=False)
        file.write("\n")
