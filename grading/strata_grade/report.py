"""What a grade looks like: a table, JSON, JUnit XML."""
import json
import re
import sys
import xml.etree.ElementTree as ET

from . import boot

PLACES = ("host", "riscv", "arm64")
MARK = {"passed": "ok", "failed": "FAILED", "timed out": "LATE", "not run": "-"}


def where_it_failed(test):
    order = {"failed": 0, "timed out": 1}
    places = [p for p in ("riscv", "arm64", "host") if test["places"].get(p, {}).get("verdict") in order]
    return min(places, key=lambda p: order[test["places"][p]["verdict"]], default=None)


def reason(test):
    """Lines for a person: what was expected, and how to see it again."""
    place = where_it_failed(test)
    if test["spoofed"]:
        yield "an attempt to spoof: during this test a line that looks like a verdict was printed"
    if place:
        result = test["places"][place]
        if result["why"]:
            yield f"{place}: {result['why']}"
        for line in result["log"][:4]:
            yield f"{place}: {line}"


def replay(grade, test):
    place = where_it_failed(test)
    seed = grade["seed"]
    if place:
        seeds = [line.split()[1] for line in test["places"][place]["log"] if re.match(r"seed \d+$", line)]
        seed = seeds[0] if seeds else seed
    if test["part"] == "boot":
        return boot.replay(grade["lab"], test["name"], place or "riscv")
    if place == "host":
        return f"make host-test LAB={grade['lab']} TESTS={test['name']} SEED={seed}"
    return f"make ktest LAB={grade['lab']} ARCH={place or 'riscv'} TESTS={test['name']} SEED={seed}"


def table(grade, out=sys.stdout):
    print(f"Lab {grade['lab']}: {grade['title']}\n", file=out)
    for path, reasons in grade["problems"].items():
        for why in reasons:
            print(f"  {path}: {why}", file=out)
        print("    (the starter was graded in its place)\n", file=out)
    for place, why in grade["build"].items():
        print(f"  not built for {place}: {why}\n", file=out)
    for part in grade["parts"]:
        print(f"  {part['score']:3}/{part['max_score']:<3} {part['title']}  ({part['passed']} of {part['tests']} tests)",
              file=out)
        for test in grade["tests"]:
            if test["part"] != part["name"] or test["verdict"] == "passed":
                continue
            if test["verdict"] == "not run":
                whys = sorted({r["why"] for r in test["places"].values() if r["verdict"] == "not run"})
                print(f"          NOT RUN {test['name']}: {whys[0] if whys else 'another part was lost first'}", file=out)
                continue
            marks = " ".join(f"{p} {MARK[test['places'].get(p, {}).get('verdict', 'not run')]}" for p in PLACES)
            print(f"          {test['verdict'].upper()} {test['name']}: {test['about']}\n            [{marks}]", file=out)
            for line in reason(test):
                print(f"            {line}", file=out)
            print(f"            again: {replay(grade, test)}", file=out)
    for spoof in grade["spoofs"]:
        print(f"\n  attempt to spoof ({spoof['place']}, during {spoof['test']}, {spoof['times']} lines): {spoof['line']}", file=out)
    print(f"\nscore {grade['score']}/{grade['max_score']}: {grade['verdict']}"
          f"   (seed {grade['seed']}, files {grade['hash'][:12]}, {grade['times']['total']:.1f} s"
          f"{', public tests only' if grade['handout'] else ''}; isolation: {grade['isolation']})", file=out)


def write_json(grade, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(grade, file, indent=1, ensure_ascii=False)
        file.write("\n")


def add_case(suite, name, classname, verdict, why, log):
    case = ET.SubElement(suite, "testcase", name=name, classname=classname, time="0")
    if verdict in ("failed", "timed out"):
        failure = ET.SubElement(case, "failure", type=verdict.replace(" ", "-"), message=why[:300])
        failure.text = "\n".join(log)
    elif verdict == "not run":
        ET.SubElement(case, "skipped", message=why[:300])


def write_junit(grade, path):
    """A case for each file and for each test on each place; a failure is what costs points."""
    name, time = f"lab{grade['lab']}", f"{grade['times']['total']:.2f}"
    suite = ET.Element("testsuite", name=name)
    for file in grade["files"]:
        reasons = grade["problems"].get(file, [])
        add_case(suite, file, f"{name}.files", "failed" if reasons else "passed", "; ".join(reasons), reasons)
    for test in grade["tests"]:
        for place in (p for p in PLACES if p in test["places"]):
            result = test["places"][place]
            verdict, why = result["verdict"], result["why"] or test["about"]
            if any((s["test"], s["place"]) == (test["name"], place) for s in grade["spoofs"]):
                verdict, why = "failed", "an attempt to spoof"
            elif place == "host" and verdict not in ("passed", "not run") and not (
                    verdict == "failed" and test["host_counts"]):
                verdict, why = "not run", f"{verdict} here, which does not count: {why}"
            add_case(suite, f"{test['name']}.{place}", f"{name}.{test['part']}", verdict, why, result["log"])
    counts = {"tests": len(suite), "failures": len(suite.findall("*/failure")), "errors": 0}
    for key, value in counts.items():
        suite.set(key, str(value))
    suite.set("skipped", str(len(suite.findall("*/skipped"))))
    suite.set("time", time)
    properties = ET.Element("properties")
    ET.SubElement(properties, "property", name="isolation", value=grade["isolation"])
    suite.insert(0, properties)
    root = ET.Element("testsuites", name="strata", time=time, **{k: str(v) for k, v in counts.items()})
    root.append(suite)
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
