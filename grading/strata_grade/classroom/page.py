"""report.html: one file that needs no other, for a browser, a phone or paper.

What a student wrote, printed or named is hostile: all of it passes through text(), which leaves no character
that is markup or that is not printable; and should one slip through, the page's own policy lets the browser run no
script and fetch nothing but what this file brings. Verdicts are told by letters and words, not by colour alone.
"""
import base64
import hashlib
import html
import os
import re
import shlex
import statistics

from .. import report
from ..lab import ARCHES
from .work import read_json

HERE = os.path.dirname(os.path.abspath(__file__))
PLACES = (*ARCHES, "host")      # the seed repeats what the machines do; the host's threads go another way each time
CELL = {"passed": ("p", "·"), "failed": ("f", "F"), "timed out": ("t", "T"), "not run": ("x", "–")}
STATUS = {"graded": "p", "refused": "f", "missing": "x", "unclear": "t", "trouble": "t", "pending": "x"}
WORDS = {"refused": "could not be graded", "missing": "nothing handed in", "unclear": "needs a decision",
         "trouble": "trouble of the grader's", "pending": "not graded yet"}
HARDEST = 10
ACTUAL = re.compile(r"(.*?): actual (.*), expected (.*)")


def text(value):
    """Safe in an element and in a quoted attribute."""
    value = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(value))
    return html.escape(value.encode("utf-8", "replace").decode(), quote=True)


def local(name):
    with open(f"{HERE}/{name}", encoding="utf-8") as file:
        return file.read()


def digest(content):
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def points(row):
    return "–" if row["score"] is None else f"{row['score']}/{row['max_score']}"


def plural(n, word):
    return f"{n} {word}{'' if n == 1 else 's'}"


# ---- overview -----------------------------------------------------------------------------------


def tiles(grades):
    rows = grades["students"]
    scores = [row["score"] for row in rows if row["score"] is not None]
    shown = [("Students", len(rows))]
    if scores:
        shown += [("Mean", f"{statistics.mean(scores):.1f}"), ("Median", f"{statistics.median(scores):g}"),
                  ("Full marks", sum(score >= grades["max_score"] for score in scores))]
    shown += [(WORDS[status].capitalize(), grades["counts"][status]) for status in WORDS if grades["counts"].get(status)]
    late = sum(row["days_late"] > 0 for row in rows)
    shown += [("Late", late)] if late else []
    yield '<dl class="tiles">'
    yield from (f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in shown)
    yield "</dl>"


def attention(grades):
    """What a person must look at before grades go out."""
    items = [(row, row["why"]) for row in grades["students"] if row["status"] in ("trouble", "unclear", "pending")]
    items += [(row, "not on the roster") for row in grades["students"] if grades["roster"] and not row["on_roster"]]
    if not items:
        return
    yield '<h2 id="attention">Needs you</h2><div class="card"><p>To be settled before grades go out:</p><ul>'
    yield from (f"<li>{link(row)}: {text(why)}</li>" for row, why in items)
    yield "</ul></div>"


def anchor(row):
    return "s-" + hashlib.sha256(f"{row['id']}\0{row['on_roster']}".encode("utf-8", "surrogateescape")).hexdigest()[:12]


def link(row):
    return f'<a href="#{anchor(row)}">{text(row["name"])}</a>'


def bars(values, labels, title, width, height):
    """Columns as a picture; values: how many; the last column is what everybody wants."""
    most = max([*values, 1])
    step = width / len(values)
    yield f'<svg viewBox="0 0 {width} {height + 34}" role="img" aria-label="{text(title)}">'
    for i, (value, label) in enumerate(zip(values, labels)):
        tall, x = round(height * value / most, 1), round(i * step, 1)
        kind = "full" if i == len(values) - 1 else "bar"
        middle = round(x + step / 2, 1)
        yield f'<rect class="rail" x="{x + 1.5}" y="{height + 15}" width="{step - 3:.1f}" height="1.5"/>'
        if value:
            yield (f'<rect class="{kind}" x="{x + 1.5}" y="{height + 15 - tall:.1f}" width="{step - 3:.1f}" height="{tall}" '
                   f'rx="2"/><text class="n" x="{middle}" y="{height + 11 - tall:.1f}" text-anchor="middle">{value}</text>')
        if label:
            yield f'<text x="{middle}" y="{height + 30}" text-anchor="middle">{text(label)}</text>'
    yield "</svg>"


def distribution(grades):
    """Of the scores, and part by part."""
    maximum = grades["max_score"] or 1
    scores = [row["score"] for row in grades["students"] if row["score"] is not None]
    bins = [0] * 11
    for score in scores:
        bins[min(10, max(0, int(10 * score / maximum)))] += 1
    labels = [f"{maximum * i / 10:g}–" for i in range(10)] + [f"{maximum:g}"]
    told = ", ".join(f"{n} from {label.rstrip('–')}" for n, label in zip(bins, labels) if n)
    yield '<h2 id="distribution">Distribution</h2><div class="parts"><section class="card part scores"><div><h3>Scores</h3>'
    yield '<p class="soft small">How many students have which score; and beside it, part by part, how many passed how many of '
    yield 'its tests. A part is earned by passing all of them.</p></div>'
    yield from bars(bins, labels, f"Students by score: {told or 'none'}", 500, 100)
    yield "</section>"
    graded = [row for row in grades["students"] if row["status"] == "graded"]
    for part in grades["parts"]:
        names = [t["name"] for t in grades["tests"] if t["part"] == part["name"]]
        counts = [0] * (len(names) + 1)
        for row in graded:
            counts[sum(row["tests"].get(name) == "passed" for name in names)] += 1
        earned = sum(row["parts"].get(part["name"], 0) == part["points"] for row in graded)
        yield f'<section class="card part"><div><h3>{text(part["title"])}</h3><p class="soft small">{text(part["name"])}, '
        yield f'{part["points"]} points: earned by <b>{earned} of {len(graded)}</b></p></div>'
        yield from bars(counts, [str(i) for i in range(len(counts))],
                        f"{part['title']}: " + ", ".join(f"{n} passed {i}" for i, n in enumerate(counts) if n), 260, 70)
        yield "</section>"
    yield "</div>"


def failures(grades):
    """{test: how many failed it}"""
    return {test["name"]: sum(row["tests"].get(test["name"]) in ("failed", "timed out") for row in grades["students"])
            for test in grades["tests"]}


def hardest(grades):
    failed = failures(grades)
    tests = sorted((t for t in grades["tests"] if failed[t["name"]]), key=lambda t: -failed[t["name"]])
    if not tests:
        return
    yield '<h2 id="tests">Tests that were failed most</h2><div class="card">'
    yield from test_table(tests[:HARDEST], failed)
    if tests[HARDEST:]:
        yield f"<details><summary>{plural(len(tests[HARDEST:]), 'more test')}</summary>"
        yield from test_table(tests[HARDEST:], failed)
        yield "</details>"
    yield "</div>"


def test_table(tests, failed):
    yield '<table class="tests"><thead><tr><th scope="col" class="count">failed by</th><th scope="col">test</th>'
    yield '<th scope="col" class="wide">what it asks</th></tr></thead><tbody>'
    for test in tests:
        yield (f'<tr><td class="count">{failed[test["name"]]}</td><th scope="row"><code>{text(test["name"])}</code></th>'
               f'<td class="wide">{text(test["about"])}</td></tr>')
    yield "</tbody></table>"


# ---- matrix -------------------------------------------------------------------------------------


def found_by(row):
    """What the search looks through."""
    return text(" ".join(filter(None, (row["name"], row["id"], row["email"], row["group"], row["section"], row["status"],
                                       WORDS.get(row["status"]), "late" if row["days_late"] else ""))).lower())


def data(row, place):
    return f'data-find="{found_by(row)}" data-score="{-1 if row["score"] is None else row["score"]}" data-place="{place}"'


def matrix(grades):
    parts = [(part, [t for t in grades["tests"] if t["part"] == part["name"]]) for part in grades["parts"]]
    parts = [(part, tests) for part, tests in parts if tests]
    first = {tests[0]["name"] for _, tests in parts}
    names = [t["name"] for _, tests in parts for t in tests]
    mark = {name: " first" if name in first else "" for name in names}
    yield '<h2 id="matrix">Students and tests</h2><div class="scroll" tabindex="0" role="region" aria-label="Students and tests">'
    yield '<table class="matrix"><caption><span class="key p">·</span> passed <span class="key f gap">F</span> failed '
    yield '<span class="key t gap">T</span> timed out <span class="key x gap">–</span> not run</caption>'
    yield '<thead><tr><td class="who"></td><td></td>'
    yield "".join(f'<th scope="colgroup" colspan="{len(tests)}" class="group first">{text(part["name"])}</th>'
                  for part, tests in parts)
    yield '</tr><tr><th scope="col" class="who">student</th><th scope="col" class="points">score</th>'
    yield "".join(f'<th scope="col" class="test{mark[name]}"><span>{text(name)}</span></th>' for name in names)
    yield '</tr></thead><tbody id="rows">'
    for place, row in enumerate(grades["students"]):
        yield f'<tr {data(row, place)}><th scope="row" class="who">{link(row)}</th><td class="points">{points(row)}</td>'
        if row["tests"]:
            yield "".join(cell(row["tests"].get(name), mark[name]) for name in names)
        elif names:
            yield f'<td class="{STATUS[row["status"]]} whole" colspan="{len(names)}">{text(WORDS[row["status"]])}</td>'
        yield "</tr>"
    failed = failures(grades)
    yield '</tbody><tfoot><tr><th scope="row" class="who">failed by</th><td></td>'
    yield "".join(f'<td class="{mark[name].strip()}">{failed[name] or ""}</td>' for name in names)
    yield "</tr></tfoot></table></div>"


def cell(verdict, mark):
    kind, letter = CELL.get(verdict, CELL["not run"])
    return f'<td class="{kind}{mark}">{letter}</td>'


# ---- a student ----------------------------------------------------------------------------------


def student(grades, row, place, out):
    badge = "full marks" if row["status"] == "graded" and row["earned"] == row["max_score"] else \
        WORDS.get(row["status"], f"{sum(v == 'passed' for v in row['tests'].values())} of {plural(len(row['tests']), 'test')}")
    style = STATUS[row["status"]] if badge in ("full marks", WORDS.get(row["status"])) else "x"
    yield f'<details class="student" id="{anchor(row)}" {data(row, place)}><summary><span class="name">{text(row["name"])}</span>'
    yield f'<span class="badge {style}">{text(badge)}</span><span class="mark">{points(row)}</span></summary>'
    yield '<div class="inside"><dl class="facts">'
    yield from (f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in facts(grades, row))
    yield "</dl>"
    if row["status"] == "graded":
        grade = read_json(f"{out}/{row['submission']}/grade.json")
        yield '<ul class="bars">'
        yield from (f'<li><span>{text(part["title"])}</span><b>{row["parts"][part["name"]]}/{part["points"]}</b></li>'
                    for part in grades["parts"])
        yield "</ul>"
        yield from remarks(grade)
        for test in grade["tests"]:
            if test["verdict"] != "passed":
                yield from case(grade, test, f"{row['submission']} {test['name']} --out {shlex.quote(out)}")
    yield "</div></details>"


def facts(grades, row):
    yield "ID", row["id"]
    if row["email"]:
        yield "Address", row["email"]
    if row["group"]:
        yield "Group", row["group"]
    if row["source"]:
        yield "Handed in", row["source"] + (f", commit {row['commit'][:12]}" if row["commit"] else "")
    if row["handed_in"]:
        yield "On", row["handed_in"].replace("T", " ")
    if row["days_late"]:
        yield "Late", f"{plural(row['days_late'], 'day')}: {row['penalty']} of {row['earned']} points less"
    if row["why"]:
        yield WORDS.get(row["status"], "Why").capitalize(), row["why"]
    if row["note"]:
        yield "Note", row["note"]
    if row["status"] == "graded" and row["submission"]:
        yield "Seed", grades["seed"]


def remarks(grade):
    """What is wrong with the files, before any test."""
    for path, reasons in grade["problems"].items():
        whys = "".join(f"<pre>{text(why)}</pre>" for why in reasons)
        yield f'<div class="wrong"><b>{text(path)}</b> was not accepted; the starter was graded in its place.{whys}</div>'
    for place, why in grade["build"].items():
        yield f'<div class="wrong">Not built for <b>{text(place)}</b>:<pre>{text(why)}</pre></div>'
    for spoof in grade["spoofs"]:
        yield (f'<div class="wrong"><b>Attempt to spoof</b> ({text(spoof["place"])}, during {text(spoof["test"])}, '
               f'{plural(spoof["times"], "line")}):<pre>{text(spoof["line"])}</pre></div>')


def seen(test):
    """[(places, verdict, lines)]: what happened where; places that saw the same stand together, but the
    host alone."""
    found = {}
    for place in (p for p in PLACES if p in test["places"]):
        result = test["places"][place]
        if result["verdict"] != "passed":
            lines = ([result["why"]] if result["why"] else []) + [l for l in result["log"] if not re.match(r"seed \d+$", l)]
            found.setdefault((place == "host", result["verdict"], tuple(lines)), []).append(place)
    return [(places, verdict, list(lines)) for (_, verdict, lines), places in found.items()]


def case(grade, test, whose):
    kind = {"timed out": " late", "not run": " skipped"}.get(test["verdict"], "")
    style = CELL[test["verdict"]][0]
    yield f'<details class="case{kind}"><summary><span class="badge {style}">{text(test["verdict"])}</span> '
    yield f'<code>{text(test["name"])}</code> <span class="soft small">{text(test["part"])}</span></summary>'
    yield f'<dl class="versus"><dt class="want">expected</dt><dd>{text(test["about"])}</dd>'
    where = seen(test)
    first = next((lines[0] for places, verdict, lines in where
                  if lines and verdict != "not run" and (test["host_counts"] or places != ["host"])), "")
    values = ACTUAL.fullmatch(first)
    if values:
        yield f'<dt class="want">value</dt><dd><code>{text(values[1])}</code> is <code>{text(values[3])}</code></dd>'
        yield f'<dt class="got">got</dt><dd><code>{text(values[2])}</code></dd>'
    elif first:
        yield f'<dt class="got">got</dt><dd>{text(first)}</dd>'
    seed = re.search(r"SEED=(\d+)", report.replay(grade, test))
    yield f"<dt>seed</dt><dd>{text(seed[1] if seed else grade['seed'])}</dd></dl>"
    if test["spoofed"]:
        yield '<p class="small">During this test a line that looks like a verdict was printed.</p>'
    for places, verdict, lines in where:
        host = places == ["host"]
        note = "" if not host or test["host_counts"] else ", which does not count"
        yield f'<div class="{"host" if host else "machine"}"><p class="small"><b>{text(", ".join(places))}</b>: {text(verdict)}{note}</p>'
        yield f"<pre>{text(chr(10).join(lines))}</pre></div>" if lines else "</div>"
    if test["verdict"] != "not run":
        again = report.replay(grade, test)
        yield f'<p class="small">The student sees it again with</p><pre>{text(again)}</pre>'
        yield f'<p class="small">and you, step by step, with</p><pre>grading/regrade --why {text(whose)}</pre>'
    yield "</details>"


# ---- the page -----------------------------------------------------------------------------------


def body(grades, out):
    title = f"Lab {grades['lab']}: {grades['title']}"
    yield f'<header><h1>{text(title)}</h1><p class="soft">{text(grades["course"])}'
    if grades["deadline"]:
        yield f'{" · " if grades["course"] else ""}deadline {text(grades["deadline"].replace("T", " "))}'
    yield "</p>"
    yield from tiles(grades)
    yield '<nav aria-label="Sections"><ul><li><a href="#distribution">Distribution</a></li><li><a href="#matrix">Matrix</a></li>'
    yield '<li><a href="#students">Students</a></li></ul></nav></header><main>'
    yield from attention(grades)
    yield from distribution(grades)
    yield from hardest(grades)
    yield from matrix(grades)
    yield """<h2 id="students">Students</h2><div class="tools" id="tools" hidden>
<label>Find <input type="search" id="find" autocomplete="off" placeholder="name, group, late…"></label>
<label>Sort <select id="order"><option value="roster">as listed</option><option value="best">best first</option>
<option value="worst">worst first</option></select></label>
<button type="button" id="open">Open all</button> <button type="button" id="close">Close all</button>
<span id="found" role="status"></span></div><div id="reports">"""
    for place, row in enumerate(grades["students"]):
        yield from student(grades, row, place, out)
    yield "</div></main><footer><p>"
    yield f"Grader {text(grades['grader'][:12])}, seed {text(grades['seed'])}. Made by grading/grade-class with "
    yield text("; ".join(sorted(set(grades["tools"].values()))) or "no tool yet") + "."
    if grades["isolation"]:
        yield f"Isolation in force: {text(', '.join(grades['isolation']))}."
    yield "</p></footer>"


def write(grades, out, path):
    style, script = local("page.css"), local("page.js")
    policy = (f"default-src 'none'; img-src data:; style-src '{digest(style)}'; script-src '{digest(script)}'; "
              "base-uri 'none'; form-action 'none'")
    page = ['<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">',
            f"<title>{text(grades['title'])}, lab {grades['lab']}: grades</title>", f"<style>{style}</style></head><body>",
            *body(grades, out), f"<script>{script}</script></body></html>"]
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write("\n".join(page) + "\n")
    os.replace(f"{path}.new", path)
