"""What grading/similarity found: as JSON, and as one page of HTML that loads nothing from elsewhere.

Everything that comes from a submission, its name included, is escaped; the page has no script.
"""
import html
import json

SHOWN_RUNS, SHOWN_LINES = 12, 60
STYLE = """
:root { color-scheme: light dark; --line: #8884; --mark: #f5b94533 }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; padding: 0 1rem; max-width: 110rem }
table { border-collapse: collapse; width: 100% } td, th { border-bottom: 1px solid var(--line); padding: .3rem .5rem; text-align: left }
td.n { text-align: right; font-variant-numeric: tabular-nums } .wide { overflow-x: auto }
.pair { margin: 2rem 0; border-top: 2px solid var(--line) }
.both { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin: .5rem 0 1.2rem }
.both > div { min-width: 0 } .both h4 { margin: .2rem 0; font-size: .85rem; font-weight: 600; overflow-wrap: anywhere }
pre { margin: 0; padding: .5rem; background: var(--mark); overflow-x: auto; font-size: 12px; tab-size: 4 }
@media (max-width: 50rem) { .both { grid-template-columns: 1fr } }
"""


def percent(share):
    return f"{100 * share:.0f} %"


def plain(text):
    """For a terminal: no control characters of a submission's."""
    return "".join(c if c.isprintable() else "?" for c in text)


def as_dict(lab, works, flagged, threshold):
    return {
        "lab": lab.number, "title": lab.title, "threshold": threshold,
        "submissions": [{"name": w.name, "fingerprints": len(w.prints), "notes": w.notes} for w in works],
        "pairs": [{"a": p.a.name, "b": p.b.name, "score": round(p.height(), 3), "a_in_b": round(p.score, 3),
                   "b_in_a": round(p.back, 3), "file": p.file, "file_score": round(p.file_score, 3),
                   "runs": [{"a": r.a.path, "a_lines": r.a_lines, "b": r.b.path, "b_lines": r.b_lines, "tokens": r.tokens}
                            for r in p.runs]} for p in flagged]}


def write_json(value, path):
    with open(path, "w", encoding="utf-8", errors="replace") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def escape(text):
    return html.escape("".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text))


def excerpt(file, lines):
    first, last = lines
    text = file.text.split("\n")[first - 1:last]
    cut = text[:SHOWN_LINES]
    if len(text) > len(cut):
        cut.append(f"... and {len(text) - len(cut)} lines more")
    return "\n".join(f"{first + i:5} {line[:400]}" for i, line in enumerate(cut))


def run_html(pair, run):
    yield '<div class="both">'
    for work, file, lines in ((pair.a, run.a, run.a_lines), (pair.b, run.b, run.b_lines)):
        yield f"<div><h4>{escape(work.name)}: {escape(file.path)}, lines {lines[0]} to {lines[1]}</h4>"
        yield f"<pre>{escape(excerpt(file, lines))}</pre></div>"
    yield "</div>"


def pair_html(number, pair):
    yield f'<section class="pair" id="p{number}"><h2>{escape(pair.a.name)} and {escape(pair.b.name)}</h2>'
    yield f"<p>{percent(pair.score)} of what is {escape(pair.a.name)}'s own is in {escape(pair.b.name)}; " \
          f"{percent(pair.back)} the other way round." \
          + (f" {escape(pair.file)} alone: {percent(pair.file_score)}." if pair.file else "") + "</p>"
    for run in pair.runs[:SHOWN_RUNS]:
        yield from run_html(pair, run)
    if len(pair.runs) > SHOWN_RUNS:
        yield f"<p>and {len(pair.runs) - SHOWN_RUNS} shorter places</p>"
    yield "</section>"


def page(lab, works, flagged, threshold):
    title = f"Lab {lab.number}: submissions that are alike"
    yield f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>"
    yield f"<p>{len(works)} works were compared. Pairs with {percent(threshold)} or more of their code, or of one file, in " \
          f"common: {len(flagged)}. What was handed out does not count, nor do names, numbers, comments, layout and the order of functions. " \
          "Likeness is no proof: look at the places, and ask.</p>"
    yield '<div class="wide"><table><tr><th></th><th>A</th><th>B</th><th>A in B</th><th>B in A</th><th>one file</th></tr>'
    for number, pair in enumerate(flagged, 1):
        yield f'<tr><td class="n"><a href="#p{number}">{number}</a></td><td>{escape(pair.a.name)}</td><td>{escape(pair.b.name)}' \
              f'</td><td class="n">{percent(pair.score)}</td><td class="n">{percent(pair.back)}</td>' \
              f'<td>{escape(pair.file)}{" " + percent(pair.file_score) if pair.file else ""}</td></tr>'
    yield "</table></div>"
    noted = [w for w in works if w.notes]
    if noted:
        yield "<h2>What could not be compared</h2><ul>"
        yield from (f"<li>{escape(w.name)}: {escape('; '.join(w.notes))}</li>" for w in noted)
        yield "</ul>"
    for number, pair in enumerate(flagged, 1):
        if pair.runs:
            yield from pair_html(number, pair)
    yield "</body></html>"


def write_html(lab, works, flagged, threshold, path):
    with open(path, "w", encoding="utf-8", errors="replace") as file:
        file.write("\n".join(page(lab, works, flagged, threshold)) + "\n")
