"""The report: one HTML file that contains everything, and each figure as SVG, PDF and CSV."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from math import ceil, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creases.errors import require_extra
from creases.files import replace_file
from creases.paper.choices import task_of
from creases.paper.claims import FigureFinding
from creases.paper.experiment import described
from creases.paper.figure import Data, Figure, Size, chosen, data_of, units_of
from creases.paper.regime import regime_of
from creases.paper.store import Store
from creases.plot import save_figure
from creases.version import __version__

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["Section", "write_report"]


@dataclass(frozen=True, eq=False)
class Section:
    """The section of the report on one figure.

    svg : its picture as text; "" if there are no data. findings : with verdicts. settings : a line an experiment.
    ours : the regime of its runs, in words, to be read beside the authors'. tasks : what was learned, by name.
    runs, missing, diverged : how many. training, measuring : seconds of all its runs. certified : whether every count
    was proved; None if nothing was counted.
    """

    figure: Figure
    svg: str
    findings: Sequence[FigureFinding]
    settings: Sequence[str]
    ours: str
    tasks: Sequence[str]
    runs: int
    missing: int
    diverged: int
    training: float
    measuring: float
    certified: bool | None


def write_report(figures: Sequence[Figure], size: Size, store: Store, folder: Path) -> tuple[Path, list[Section]]:
    """Write `report.html`, its findings as `report.md` and `report.json`, and NAME.svg, .pdf and .csv for each figure.

    folder : created if it does not exist. Returns the path of the page and its sections. Raises MissingExtraError
    without jinja2, matplotlib or pandas; StoreError if the store cannot be read.
    """
    try:
        import jinja2
    except ImportError as error:
        raise require_extra("jinja2", "paper", "The report") from error
    folder.mkdir(parents=True, exist_ok=True)
    sections = [section_of(figure, data_of(figure, size, store), folder) for figure in figures]
    lines = [line for figure in figures for line in figure.lines(size)]
    costs = chosen(store.costs(line.experiment.sha256 for line in lines), lines)
    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        resources.files("creases.paper").joinpath("report.html.jinja").read_text(encoding="utf-8")
    )
    page = template.render(
        sections=sections,
        size=size,
        data=provenance(size),
        version=__version__,
        versions=versions_in(costs),
        store=store.place.text,
        runs=len(costs),
        training=costs["training"].sum(),
        measuring=costs["measuring"].sum(),
        now=f"{datetime.now():%Y-%m-%d %H:%M}",
        convention=CONVENTION,
        chance=chance(sections),
        seconds=SECONDS,
    )
    path = folder / "report.html"
    replace_file(path, lambda partial: partial.write_text(page, encoding="utf-8"))
    text = as_markdown(sections, size, versions_in(costs))
    replace_file(folder / "report.md", lambda partial: partial.write_text(text, encoding="utf-8"))
    found = json.dumps(as_json(sections, size, costs), indent=1, ensure_ascii=False) + "\n"
    replace_file(folder / "report.json", lambda partial: partial.write_text(found, encoding="utf-8"))
    return path, sections


# Written once on each page, for all tables and pictures.
CONVENTION = (
    "Numbers are means over runs; ± and the bands of the pictures are one standard deviation over runs, and [ , ] is "
    "the 95 % interval of the mean (Student). A claim about a mean holds if that interval lies inside the claimed "
    "range, differs if it lies outside, and is undecided if it contains an end of the range or there are fewer than "
    "three runs. 'Holds' means inside the range, not equal to the number named. If a claim is about a training of more "
    "steps than ours, our runs can confirm it but not refute it: another regime. A theorem or an identity is a check "
    "of the program, and is not counted as a verdict."
)


# Written where seconds are given.
SECONDS = (
    "Seconds are wall time, summed over runs of one core each. They include the time that a run waited while the "
    "machine did other work, so the runs alone may take less."
)


def chance(sections: Sequence[Section]) -> str:
    """The number of verdicts that may be wrong by chance, and of those that cannot say 'differs', in words."""
    verdicts = [finding.verdict for section in sections for finding in section.findings if finding.verdict.counted]
    short = sum(verdict.short for verdict in verdicts)
    able = len(verdicts) - short
    unable = f" Of these, {short:,} claim something of more steps than were run: they can hold, but not differ."
    return (
        f"There are {len(verdicts):,} verdicts.{unable if short else ''} At most 1 in 40 verdicts on a true claim says "
        f"'differs' by chance, and only if the mean lies at the edge of its range: at most {ceil(able / 40):,} of "
        f"{'the other ' if short else ''}{able:,} on average. Verdicts of one figure share seeds, so such errors come "
        "together."
    )


def as_json(sections: Sequence[Section], size: Size, costs: pandas.DataFrame) -> dict[str, Any]:
    """The report as plain data: figures by name, findings by their quantity.

    costs : one row per run; a run that several figures share occurs once.
    """
    figures = {}
    for section in sections:
        findings = {}
        for finding in section.findings:
            numbers = None if finding.numbers is None else [as_number(value) for value in finding.numbers]
            findings[finding.what] = {
                "measured": finding.measured,
                "authors": finding.authors,
                "verdict": str(finding.verdict),
                "rule": finding.verdict.rule,
                "refuted by": finding.verdict.refuted,
                "mean, sd, low, high, runs": numbers,
            }
        figures[section.figure.name] = {
            "title": section.figure.title,
            "source": section.figure.source,
            "claim": section.figure.claim,
            "doubts": section.figure.doubts,
            "ours": section.ours,
            "authors": section.figure.regime,
            "runs": section.runs,
            "missing": section.missing,
            "diverged": section.diverged,
            "certified": section.certified,
            "training": round(section.training, 1),
            "measuring": round(section.measuring, 1),
            "command": f"creases paper run {section.figure.name} {size.options}",
            "tasks": list(section.tasks),
            "settings": list(section.settings),
            "findings": findings,
        }
    said = {"command": f"creases paper run {size.options}", "convention": CONVENTION, "chance": chance(sections)}
    made = {"creases": __version__, "versions": versions_in(costs), "data": provenance(size)}
    spent = {name: round(float(costs[name].sum()), 1) for name in ("training", "measuring")}
    return {"size": size.name, **said, **made, "runs": len(costs), **spent, "seconds": SECONDS, "figures": figures}


def provenance(size: Size) -> list[str]:
    """The sources of the data of a size: the images and the digits."""
    return [task_of(choice, 0).provenance for choice in (size.images, size.small)]


def as_number(value: float) -> float | None:
    """A number for JSON: null if it is not finite."""
    return value if isfinite(value) else None


def as_markdown(sections: Sequence[Section], size: Size, versions: Sequence[str]) -> str:
    """Only claims and findings, for a page of the documentation."""
    parts = [
        f"# The papers again, size {size.name}\n",
        f"Written by `creases paper run {size.options}`, Creases {__version__}; runs made with "
        f"{'; '.join(versions) or 'nothing yet'}. See [papers.md](papers.md).\n",
        f"{CONVENTION}\n",
        f"{chance(sections)}\n",
        f"{SECONDS}\n",
    ]
    for section in sections:
        parts.append(f"## {section.figure.title}\n\n{section.figure.source}. {section.figure.claim}\n")
        theirs = f" The authors: {section.figure.regime}" if section.figure.regime else ""
        parts.append(f"Here: {section.ours}{theirs}\n")
        rows = ["| what | measured | the authors, or theory | verdict | would refute it |", "| --- " * 5 + "|"]
        for finding in section.findings:
            rule = finding.verdict.rule
            verdict = f"{finding.verdict} ({rule})" if rule else str(finding.verdict)
            cells = [finding.what, finding.measured, finding.authors, verdict, finding.verdict.refuted]
            rows.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
        parts.append("\n".join(rows) + "\n")
        missing = f", {section.missing} missing" if section.missing else ""
        diverged = f", {section.diverged} diverged (taken as they last were)" if section.diverged else ""
        costs = f"training {section.training:,.0f} s, measuring {section.measuring:,.0f} s"
        parts.append(f"{section.runs} runs{missing}{diverged}; {costs}. {section.figure.doubts}".strip() + "\n")
    return "\n".join(parts)


def section_of(figure: Figure, data: Data, folder: Path) -> Section:
    """Draw a figure, write its files, and collect its section."""
    svg, findings = "", list[FigureFinding]()
    if len(data.table):
        picture = figure.draw(data)
        svg = as_svg(picture, figure.name)
        replace_file(folder / f"{figure.name}.svg", lambda partial: partial.write_text(svg, encoding="utf-8"))
        save_figure(picture, folder / f"{figure.name}.pdf", dpi=round(picture.dpi))
        replace_file(folder / f"{figure.name}.csv", lambda partial: data.table.to_csv(partial, index=False))
        findings = figure.findings(data)
    costs = data.costs()
    proved = data.table["certified"].dropna()
    return Section(
        figure,
        svg,
        findings,
        [settings_of(line.experiment) for line in data.lines],
        regime_of(data.lines),
        list(dict.fromkeys(brief(described(line.experiment.task)) for line in data.lines)),
        len(units_of(data.lines)) - data.missing,
        data.missing,
        len(data.diverged),
        float(costs["training"].sum()),
        float(costs["measuring"].sum()),
        bool(proved.astype(bool).all()) if len(proved) else None,
    )


def as_svg(picture: Picture, name: str) -> str:
    """A picture as SVG text for a page with many pictures: its ids are unique, and its text is text."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        picture.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # Pictures on one page must not share ids of clip paths and markers.
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    return re.sub(r'href="#', f'href="#{name}-', text)


def settings_of(experiment: Any) -> str:
    """An experiment in one line, from which it can be repeated."""
    parts = []
    for key, value in experiment.description.items():
        if key not in ("format", "kind"):
            parts.append(f"{key.replace('_', ' ')} {brief(value)}")
    seeds = experiment.seeds
    parts.append(f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}")
    return f"{experiment.sha256[:12]}: {', '.join(parts)}"


def brief(value: Any) -> str:
    """The output of `described` as short text."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key}={brief(one)}" for key, one in value.items() if key != "kind")
        return f"{value.get('kind', '')}({inner})" if inner else str(value.get("kind", ""))
    if isinstance(value, list):
        return f"[{', '.join(map(brief, value))}]"
    return f"{value:.4g}" if isinstance(value, float) else str(described(value))


def versions_in(costs: pandas.DataFrame) -> list[str]:
    """The versions with which the runs were made."""
    found = {", ".join(f"{name} {number}" for name, number in json.loads(text).items()) for text in costs["versions"]}
    return sorted(found)
