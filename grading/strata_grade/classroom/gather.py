"""From the folders of graded submissions to the class: grades.json, and what Moodle and Canvas import.

Nothing is graded here, so points, deadlines and penalties can be changed and the reports made again at once. What
comes out depends on the grades alone, not on when or in what order they were made.
"""
import csv
import os
import re

from ..lab import Trouble
from .course import plain
from .collect import when
from .work import read_json, write_json

NO_POINTS = ("trouble", "unclear", "pending")       # nobody knows yet what these are worth: never a zero


def state_of(out, one):
    """graded, refused, missing, unclear, trouble or pending; why; and the grade."""
    for key, status in (("unclear", "unclear"), ("trouble", "trouble"), ("nothing", "missing"), ("refused", "refused")):
        if key in one:
            return status, one[key], None
    state = read_json(f"{out}/{one['slug']}/state.json")
    if not state or state["key"] != one["key"]:
        return "pending", "not graded yet", None
    grade = read_json(f"{out}/{one['slug']}/grade.json")
    if state["status"] == "graded" and grade:
        return "graded", "", grade
    return "trouble", state["why"] or "the grade is not there", None


def submission_of(student, submissions):
    """Their own, else their group's, else the only one that a member of the group handed in."""
    mine = [one for one in submissions if student["id"] in one["students"]]
    own = [one for one in mine if not one["group"]] or mine
    if own:
        return own[0], ""
    if student.get("group"):
        others = [one for one in submissions if one["students"] and one["of"] == student["group"]]
        if len(others) > 1:
            return None, f"several of {student['group']} handed in: {', '.join(one['name'] for one in others)}"
        if others:
            return others[0], ""
    return None, ""


def points_of(lab, course):
    """{part: points}, with the course's changes."""
    points = {part["name"]: part["points"] for part in lab.parts}
    unknown = set(course.points) - set(points)
    if unknown:
        raise Trouble(f"[parts]: lab {lab.number} has no part {', '.join(sorted(unknown))}")
    return {**points, **course.points}


def row_of(course, student, one, points, out):
    """What is known of one student (None: of a submission that is nobody's)."""
    who = student or {"id": one["name"], "name": one["name"]}
    row = {"id": who["id"], "name": who.get("name") or who["id"], "email": who.get("email", ""), "group": who.get("group", ""),
           "section": who.get("section", ""), "on_roster": bool(student), "submission": None, "source": "", "commit": None,
           "handed_in": None, "days_late": 0, "status": "missing", "why": "nothing was handed in", "earned": None,
           "penalty": 0, "score": None, "parts": {}, "tests": {}, "note": who.get("note", "")}
    if one:
        status, why, grade = state_of(out, one)
        moment = when(one)
        row.update(submission=one["slug"], source=one["source"], commit=one.get("commit"), status=status, why=why,
                   handed_in=moment.isoformat() if moment else None)
        if grade:
            row["parts"] = {p["name"]: plain(points[p["name"]] * p["score"] / p["max_score"]) for p in grade["parts"]}
            row["tests"] = {test["name"]: test["verdict"] for test in grade["tests"]}
            row["earned"] = plain(sum(row["parts"].values()))
            row["days_late"] = course.days_late(student, moment)
            row["penalty"] = course.penalty(row["earned"], row["days_late"])
            row["score"] = plain(row["earned"] - row["penalty"])
    if row["status"] == "refused" or row["status"] == "missing" and course.missing == "zero":
        row["earned"] = row["score"] = 0
    if "score" in who:
        row["score"], row["note"] = who["score"], row["note"] or "set by hand"
    return row


def table(lab, course, out, whole):
    """The whole class, as grades.json has it."""
    points, submissions = points_of(lab, course), whole["submissions"]
    groups = {s["id"]: s.get("group", "") for s in course.students}
    for one in submissions:
        one["of"] = groups.get(one["students"][0]) if one["students"] else None
    rows = []
    for student in course.students:
        one, unclear = submission_of(student, submissions)
        row = row_of(course, student, one, points, out)
        if unclear and not one:
            row.update(status="unclear", why=unclear, score=student.get("score"), earned=None)
        rows.append(row)
    rows += [row_of(course, None, one, points, out) for one in submissions if not one["students"]]
    for row in rows:
        row["max_score"] = plain(sum(points.values()))
    grades = [read_json(f"{out}/{one['slug']}/grade.json") for one in submissions if state_of(out, one)[0] == "graded"]
    first = grades[0] if grades else None
    counts = {}
    for row in rows:
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    return {"lab": lab.number, "title": lab.title, "course": course.title, "max_score": plain(sum(points.values())),
            "deadline": course.deadline.isoformat() if course.deadline else None,
            "grader": whole["grader"], "seed": whole["seed"], "tools": first["tools"] if first else {},
            "isolation": sorted({str(grade["isolation"]) for grade in grades if grade.get("isolation")}),
            "parts": [{"name": p["name"], "title": p["title"], "points": points[p["name"]]} for p in lab.parts],
            "tests": [{k: test[k] for k in ("name", "part", "about", "hidden")} for test in first["tests"]] if first else [],
            "roster": bool(course.students), "counts": counts, "students": rows}


# ---- CSV ----------------------------------------------------------------------------------------


def cell(text):
    """No spreadsheet takes a name for a formula, and no name ends a line."""
    text = re.sub(r"[\x00-\x1f\x7f]+", " ", str(text)).strip()
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def write_csv(path, rows):
    with open(f"{path}.new", "w", encoding="utf-8", errors="replace", newline="") as file:
        csv.writer(file).writerows(rows)
    os.replace(f"{path}.new", path)


def feedback(row, parts):
    words = [", ".join(f"{p['title']} {row['parts'][p['name']]}/{p['points']}" for p in parts if p["name"] in row["parts"])]
    if row["status"] != "graded":
        words.append(f"{row['status']}: {row['why']}")
    if row["penalty"]:
        words.append(f"{row['days_late']} day{'s' * (row['days_late'] > 1)} late: {row['penalty']} points less")
    if row["note"]:
        words.append(row["note"])
    return re.sub("[<>]", "", "; ".join(filter(None, words)))


def names(student, row):
    first, _, last = row["name"].rpartition(" ")
    return student.get("first_name", first), student.get("last_name", last)


def importable(grades, course):
    """Rows with a score, of the roster if there is one: a line without a score might clear what stands there."""
    students = {s["id"]: s for s in course.students}
    for row in grades["students"]:
        if row["score"] is not None and (row["on_roster"] or not grades["roster"]):
            yield students.get(row["id"], {}), row


def moodle(grades, course):
    """As Moodle exports a gradebook, so that its import finds the columns; students are known by their ID number or
    their address. Grade and feedback must both be mapped."""
    item = course.toml.get("moodle", {}).get("item") or f"Assignment: Lab {grades['lab']}"
    yield ["First name", "Last name", "ID number", "Email address", f"{item} (Real)", f"{item} (Feedback)"]
    for student, row in importable(grades, course):
        yield [*map(cell, (*names(student, row), row["id"], row["email"])), row["score"], cell(feedback(row, grades["parts"]))]


def canvas(grades, course):
    """As Canvas imports a gradebook: five columns that say who, then the assignment; the second row has its points."""
    item = course.toml.get("canvas", {}).get("assignment") or f"Lab {grades['lab']}"
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", item]
    yield ["    Points Possible", "", "", "", "", grades["max_score"]]
    for student, row in importable(grades, course):
        first, last = names(student, row)
        yield [*map(cell, (f"{last}, {first}" if first else last, student.get("canvas_id", ""), row["id"],
                           student.get("login") or row["email"], row["section"])), row["score"]]


def gather(lab, course, out, whole):
    """Writes all reports; the class."""
    from . import page
    grades = table(lab, course, out, whole)
    write_json(grades, f"{out}/grades.json")
    write_csv(f"{out}/moodle.csv", moodle(grades, course))
    write_csv(f"{out}/canvas.csv", canvas(grades, course))
    page.write(grades, out, f"{out}/report.html")
    return grades
