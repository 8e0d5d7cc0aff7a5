"""report.html"""


def write(grades, out, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write("<!doctype html>\n")
