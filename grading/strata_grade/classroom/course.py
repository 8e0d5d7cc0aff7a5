"""The course file: one TOML with the roster, the deadline, the rule for late work and changed points.

    title = "Operating systems"
    deadline = 2026-11-20T23:59:00+01:00        # a time without a zone is this machine's
    missing = "blank"                           # or "zero": what nothing handed in is worth
    [late]
    grace_minutes = 15
    points_per_day = 10                         # or percent_per_day, of the points earned
    maximum = 50                                # no more is taken away, in the same unit
    last_day = 7                                # work that is later than so many days earns nothing
    [parts]                                     # other points than lab.toml's
    split = 20
    [moodle]
    item = "Assignment: Lab 2"
    [canvas]
    assignment = "Lab 2 (12345)"
    [[student]]
    id = "s001"
    name = "Ada Lovelace"
    # and, if wanted: email, group, repository, branch, section, login, canvas_id, first_name, last_name,
    # deadline (an extension), submitted (when it was handed in), score and note (the instructor's own word)

A begun day counts as a day. Who hands in later than the grace is late from the deadline on.
"""
import datetime
import math
import re
import tomllib
import unicodedata

from ..lab import Trouble

KEYS = {"title", "deadline", "missing", "late", "parts", "moodle", "canvas", "student"}
LATE_KEYS = {"grace_minutes", "points_per_day", "percent_per_day", "maximum", "last_day"}
STUDENT_KEYS = {"id", "name", "email", "group", "repository", "branch", "section", "login", "canvas_id", "first_name",
                "last_name", "deadline", "submitted", "score", "note"}
TEXTS = STUDENT_KEYS - {"deadline", "submitted", "score"}


def moment(value, what):
    """A point in time from TOML or from the command line."""
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            raise Trouble(f"{what}: {value!r} is no time; write 2026-11-20T23:59:00+01:00") from None
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time(23, 59, 59))     # the whole day
    if not isinstance(value, datetime.datetime):
        raise Trouble(f"{what}: {value!r} is no time")
    return value.astimezone()


def number(value, what):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e6:
        raise Trouble(f"{what}: {value!r} is no number of zero or more")
    return value


def only(table, known, what):
    if not isinstance(table, dict):
        raise Trouble(f"{what} is no table")
    for key in table:
        if key not in known:
            raise Trouble(f"{what}: nobody knows {key!r}; known are {', '.join(sorted(known))}")


class Course:
    def __init__(self, path=None, deadline=None):
        self.toml = self.read(path) if path else {}
        only(self.toml, KEYS, path)
        self.title = self.toml.get("title", "")
        self.missing = self.toml.get("missing", "blank")
        if self.missing not in ("blank", "zero"):
            raise Trouble(f'missing = {self.missing!r}: it must be "blank" or "zero"')
        self.deadline = deadline or self.toml.get("deadline")
        self.deadline = moment(self.deadline, "deadline") if self.deadline else None
        self.late = self.toml.get("late", {})
        only(self.late, LATE_KEYS, "[late]")
        for key, value in self.late.items():
            number(value, f"[late] {key}")
        if {"points_per_day", "percent_per_day"} <= set(self.late):
            raise Trouble("[late]: points_per_day or percent_per_day, not both")
        if "percent_per_day" in self.late and self.late.get("maximum", 0) > 100:
            raise Trouble("[late] maximum: more than 100 percent")
        self.points = {name: number(value, f"[parts] {name}") for name, value in self.toml.get("parts", {}).items()}
        self.students = self.check_students(self.toml.get("student", []))

    @staticmethod
    def read(path):
        try:
            with open(path, "rb") as file:
                return tomllib.load(file)
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise Trouble(f"{path}: {error}") from None

    @staticmethod
    def check_students(students):
        seen = set()
        for student in students:
            only(student, STUDENT_KEYS, "[[student]]")
            for key in set(student) & TEXTS:
                if not isinstance(student[key], str):
                    raise Trouble(f"[[student]]: {key} = {student[key]!r} is no text")
            if not student.get("id"):
                raise Trouble(f"[[student]]: {student.get('name') or 'one of them'} has no id")
            if student["id"] in seen:
                raise Trouble(f"[[student]]: {student['id']} is there twice")
            seen.add(student["id"])
            for key in ("deadline", "submitted"):
                if key in student:
                    student[key] = moment(student[key], f"{student['id']}: {key}")
            if "score" in student:
                number(student["score"], f"{student['id']}: score")
        return students

    def deadline_of(self, students):
        """Of a submission for these students: the latest of theirs; None: there is none."""
        times = [s.get("deadline") or self.deadline for s in students] or [self.deadline]
        return None if None in times else max(times)

    def grace(self):
        return datetime.timedelta(minutes=self.late.get("grace_minutes", 0))

    def days_late(self, student, handed_in):
        """Begun days after the deadline; 0 within the grace."""
        deadline = self.deadline_of([student] if student else [])
        if not deadline or not handed_in or handed_in <= deadline + self.grace():
            return 0
        return max(1, math.ceil((handed_in - deadline) / datetime.timedelta(days=1)))

    def penalty(self, earned, days):
        """Points that are taken from those earned."""
        if not days:
            return 0
        if days > self.late.get("last_day", math.inf):
            return earned
        maximum = self.late.get("maximum", math.inf)
        if "percent_per_day" in self.late:
            taken = earned * min(self.late["percent_per_day"] * days, maximum, 100) / 100
        else:
            taken = min(self.late.get("points_per_day", 0) * days, maximum)
        return plain(min(earned, taken))


def plain(points):
    """Two decimals at most, and none where there is nothing behind the point."""
    points = round(points, 2)
    return int(points) if points == int(points) else points


# ---- whose submission is it ----------------------------------------------------------------------


def fold(text):
    """For comparing names: no case, no accents, one blank."""
    text = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).casefold().split())


def names_in(name):
    """What an entry's name may say, best first: itself; Moodle's `Full Name_123_assignsubmission_file`;
    Canvas's `lovelaceada_123_456_file.zip`, whose first number is Canvas's own for the student."""
    yield "name", name
    moodle = re.match(r"(.+?)_\d+_assignsubmission_", name)
    if moodle:
        yield "name", moodle[1]
    canvas = re.match(r"[^_]+_(?:LATE_)?(\d+)_\d+_", name)
    if canvas:
        yield "canvas_id", canvas[1]


def owners(course, name):
    """The students whose submission is called so, and whether it is a group's. Without a roster: nobody."""
    for kind, text in names_in(name):
        if kind == "canvas_id":
            found = [s for s in course.students if s.get("canvas_id") == text]
            if found:
                return found, False
            continue
        for key in ("id", "login", "email", "name"):
            found = [s for s in course.students if fold(s.get(key, "")) == fold(text) != ""]
            if not found and key == "email":
                found = [s for s in course.students if "@" in s.get("email", "")
                         and fold(s["email"].split("@")[0]) == fold(text)]
            if len(found) == 1:     # a name that two have says nothing
                return found, False
        found = [s for s in course.students if fold(s.get("group", "")) == fold(text) != ""]
        if found:
            return found, True
    return [], False
