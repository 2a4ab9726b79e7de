"""The page of the site that shows a whole report of `creases paper run`: its figures, its tables, and how it was made.

A hook of mkdocs (see mkdocs.yml). The page is written when the site is built, from what docs/report keeps of a report:
report.json and a picture a figure. Nothing is computed here; `tools/make_papers_docs.py --report FOLDER` keeps another.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

STORED = Path(__file__).resolve().parents[2] / "docs" / "report"
PAGE = "report.md"
# Verdicts as a page counts them, in this order, and what more than one of them do.
WORDS = {
    "holds": "hold",
    "differs": "differ",
    "undecided": "undecided",
    "another regime": "another regime",
    "check": "checks",
    "check failed": "checks failed",
    "check undecided": "checks undecided",
}

# Said of the smallest size.
SMOKE = (
    "**Few runs.** Size smoke takes minutes and shows that everything works: most figures have three runs of each "
    "kind and short trainings, so intervals are wide and many verdicts undecided. Conclusions rest on size laptop."
)


def on_files(files: Files, config: Any) -> Files:
    """Add the page."""
    files.append(File.generated(config, PAGE, content=page(STORED)))
    return files


def page(folder: Path) -> str:
    """The whole page of a stored report, as markdown. Raises PluginError if a figure has no picture."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    figures = report["figures"]
    if missing := [name for name in figures if not (folder / f"{name}.svg").is_file()]:
        tool = "python tools/make_papers_docs.py --report FOLDER"
        raise PluginError(f"docs/report has no picture of {', '.join(missing)}. {tool} keeps a whole report.")
    parts = [*head(report), summary(figures)]
    for number, (name, figure) in enumerate(figures.items(), 1):
        parts += section(number, name, figure)
    return "\n\n".join(parts) + "\n"


def head(report: dict[str, Any]) -> list[str]:
    """What the report is, how it is made again, and how its numbers are to be read."""
    proved = all(one["certified"] is not False for one in report["figures"].values())
    facts = {
        "command": f"`{report['command']}`",
        "runs": f"{report['runs']:,}; training {report['training']:,.0f} s, measuring {report['measuring']:,.0f} s. "
        f"{escape(report['seconds'], quote=False)}",
        "counts": "every count is certified" if proved else "**not every count is certified**",
        "seeds": "named with each experiment, under *Settings*; a seed and its versions make the same run again",
        "versions": "; ".join(map(escape, report["versions"])),
        "data": "; or ".join(map(escape, report["data"])),
    }
    rows = ["| | |", "| --- | --- |", *(f"| {what} | {said} |" for what, said in facts.items())]
    return [
        f"# The report itself, size {report['size']}",
        "What `creases paper run` writes, as it wrote it: each claim of Hanin and Rolnick (NeurIPS 2019 and ICML "
        "2019) beside what was measured, with a verdict that is computed from the data. "
        "[The papers again](papers.md) says in words what the data of size laptop say, and [every number](laptop.md) "
        "has the tables of that size.",
        *([SMOKE] if report["size"] == "smoke" else []),
        "\n".join(rows),
        escape(report["convention"], quote=False),
        escape(report["chance"], quote=False),
    ]


def summary(figures: dict[str, Any]) -> str:
    """A line a figure: what it shows, its runs, and how its verdicts fell."""
    rows = ["| figure | runs | verdicts |", "| --- | --- | --- |"]
    for name, figure in figures.items():
        rows.append(f"| [{figure['title']}](#{name}) | {figure['runs']:,} | {verdicts(figure)} |")
    return "\n".join(rows)


def verdicts(figure: dict[str, Any]) -> str:
    """How many of a figure's verdicts say what: "12 hold, 1 differs"."""
    found = [one["verdict"] for one in figure["findings"].values()]
    counts = {word: found.count(word) for word in WORDS if word in found}
    return ", ".join(f"{n} {WORDS[word] if n > 1 else word}" for word, n in counts.items()) or "none is judged"


def section(number: int, name: str, figure: dict[str, Any]) -> list[str]:
    """One figure: claim, picture, table, what it does not say, and the settings of its runs."""
    theirs = f" **The authors:** {escape(figure['authors'], quote=False)}" if figure["authors"] else ""
    missing = f", {figure['missing']} missing" if figure["missing"] else ""
    diverged = f", {figure['diverged']} diverged (taken as they last were)" if figure["diverged"] else ""
    proved = {True: " Every count is certified.", False: " **Not every count is certified.**", None: ""}
    settings = "".join(f"<li>{escape(line)}</li>" for line in figure["settings"])
    many = "" if len(figure["settings"]) == 1 else "s"
    return [
        f"## {number}. {figure['title']} {{ #{name} }}",
        f"{escape(figure['source'], quote=False)} · `{figure['command']}`",
        f"**Claim.** {escape(figure['claim'], quote=False)}",
        f"**Here:** {escape(figure['ours'], quote=False)}{theirs}",
        f"![{figure['title']}: what was measured](report/{name}.svg){{ .report }}",
        table(figure["findings"]),
        *([f"**The recipe.** {escape(figure['doubts'], quote=False)}"] if figure["doubts"] else []),
        f"{figure['runs']:,} runs{missing}{diverged}; training {figure['training']:,.0f} s, measuring "
        f"{figure['measuring']:,.0f} s.{proved[figure['certified']]} "
        f"Tasks: {escape('; '.join(figure['tasks']), quote=False)}.",
        f'<details class="settings"><summary>Settings ({len(figure["settings"])} experiment{many})</summary>'
        f"<ul>{settings}</ul></details>",
    ]


def table(findings: dict[str, Any]) -> str:
    """Findings with their verdicts, the range that is claimed and what would refute it under each."""
    rows = []
    for what, one in findings.items():
        rule = f"<small>{escape(one['rule'])}</small>" if one["rule"] else ""
        refuted = f"<small>refuted by {escape(one['refuted by'])}</small>" if one["rule"] else ""
        kind = one["verdict"].replace(" ", "-")
        rows.append(
            f"<tr><td>{escape(what)}</td><td>{escape(one['measured'])}</td><td>{escape(one['authors'])}</td>"
            f'<td><span class="verdict {kind}">{escape(one["verdict"])}</span>{rule}{refuted}</td></tr>'
        )
    titles = "".join(f"<th>{title}</th>" for title in ("what", "measured", "the authors, or theory", "verdict"))
    return f"<table><thead><tr>{titles}</tr></thead><tbody>\n{chr(10).join(rows)}\n</tbody></table>"
