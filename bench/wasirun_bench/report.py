"""report.html, self-contained, and the Markdown tables."""
import json
import pathlib

import jinja2

from . import markdown, paths, summary

PAGE = pathlib.Path(__file__).resolve().parent / "page"
D3 = pathlib.Path("/usr/share/nodejs/d3/dist/d3.min.js")  # Debian's node-d3
DOCS = paths.ROOT / "docs" / "performance.md"
README = paths.ROOT / "README.md"
BEGIN, END = "<!-- bench/run --update-docs writes below -->", "<!-- bench/run --update-docs writes above -->"


def for_script(value):
    """JSON that may stand inside of a script element."""
    return json.dumps(value).replace("<", "\\u003c")


def page_data(data):
    ours = summary.main_contender(data)
    return {
        "ours": ours,
        "contenders": data["contenders"],
        "benchmarks": data["benchmarks"],
        "rows": summary.rows(data),
        "toNative": summary.geometric_means(data, "native"),
        "growth": summary.growth(data),
    }


def check():
    """Before hours of measuring: that a report can be made."""
    if not D3.exists():
        raise SystemExit(f"bench: {D3} is missing: install the package node-d3, or let tools/dev bench do it")


def html(data):
    check()
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(PAGE), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True)
    environment.filters |= {"number": summary.number, "ratio": summary.ratio}
    measured = {one["measure"] for one in data["series"]}
    return environment.get_template("report.html").render(
        data=data, warnings=summary.warnings(data), against=summary.against_us(data),
        native={one["contender"]: one for one in summary.geometric_means(data, "native")},
        ours=summary.main_contender(data), measures=[(key, title) for key, title in summary.MEASURES.items() if key in measured],
        growth=summary.growth(data), style=(PAGE / "report.css").read_text(encoding="utf-8"),
        d3=D3.read_text(encoding="utf-8"), script=(PAGE / "report.js").read_text(encoding="utf-8"),
        json=for_script(page_data(data)))


def write_all(data, path):
    """NAME.html and NAME.md beside NAME.json, and report.html as the last one; the paths."""
    page = html(data)
    written = [path.parent / "report.html", path.with_suffix(".html"), path.with_suffix(".md")]
    for place in written[:2]:
        place.write_text(page, encoding="utf-8")
    written[2].write_text(markdown.document(data), encoding="utf-8")
    return written


def put_between(file, text):
    """Replaces what stands between the two markers of a file."""
    old = file.read_text(encoding="utf-8")
    begin, end = old.find(BEGIN), old.find(END)
    if begin < 0 or end < begin:
        raise SystemExit(f"bench: {file} has no markers {BEGIN!r} and {END!r}")
    file.write_text(old[:begin + len(BEGIN)] + "\n\n" + text + "\n" + old[end:], encoding="utf-8")


def update_docs(data, docs=DOCS, readme=README):
    """Puts the tables into docs/performance.md and the first of them into the README; the paths."""
    put_between(docs, markdown.document(data, "###"))
    if summary.series_of(data, "peak"):
        put_between(readme, markdown.short(data))
    return [docs, readme]
