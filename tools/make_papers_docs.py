"""Write docs/papers.md from its template and the numbers of a report; with --check, only say whether it is current.

    python tools/make_papers_docs.py --report paper-report     take the report of `creases paper run --size laptop`
    python tools/make_papers_docs.py                           write the page again from the report that docs/ has

The prose is in papers.md.jinja; every number in it is looked up in docs/laptop.json, which the report wrote. A finding
that the report does not have is an error, so no sentence outlives its number.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import jinja2

TOOLS = Path(__file__).parent
DOCS = TOOLS.parent / "docs"
TEMPLATE, PAGE, NUMBERS = TOOLS / "papers.md.jinja", DOCS / "papers.md", DOCS / "laptop.json"
# What docs/ keeps of a report, and under which name.
KEPT = {"report.json": "laptop.json", "report.md": "laptop.md", "counts.svg": "counts.svg"}


class Report:
    """Looks up what a report found."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def finding(self, figure: str, what: str) -> dict[str, Any]:
        """One finding. Raises KeyError, naming the near ones, if the report does not have it."""
        findings: dict[str, Any] = self.found["figures"][figure]["findings"]
        if what not in findings:
            raise KeyError(f"{figure} has no finding {what!r}; it has: {', '.join(map(repr, findings))}")
        return dict(findings[what])

    def measured(self, figure: str, what: str) -> str:
        """Its number with spread, interval and runs, as the report says it."""
        return str(self.finding(figure, what)["measured"])

    def mean(self, figure: str, what: str, form: str = ".2f") -> str:
        """Its mean alone."""
        return f"{self.finding(figure, what)['mean, sd, low, high, runs'][0]:{form}}"

    def interval(self, figure: str, what: str, form: str = ".2f") -> str:
        """Its mean and the 95 % interval of the mean: "0.52 [0.48, 0.56]"."""
        mean, _, low, high, _ = self.finding(figure, what)["mean, sd, low, high, runs"]
        if low is None or high is None:
            return f"{mean:{form}}"
        return f"{mean:{form}} [{low:{form}}, {high:{form}}]"

    def verdict(self, figure: str, what: str) -> str:
        """Its word, in italics."""
        return f"*{self.finding(figure, what)['verdict']}*"

    def least(self, figure: str, part: str, form: str = ".2f") -> str:
        """The smallest mean of all findings whose text holds `part`."""
        return f"{min(self.means(figure, part)):{form}}"

    def most(self, figure: str, part: str, form: str = ".2f") -> str:
        """The largest mean of all findings whose text holds `part`."""
        return f"{max(self.means(figure, part)):{form}}"

    def means(self, figure: str, part: str) -> list[float]:
        """The means of all findings whose text holds `part`; at least one."""
        findings = self.found["figures"][figure]["findings"]
        numbers = [one["mean, sd, low, high, runs"] for what, one in findings.items() if part in what]
        means = [float(found[0]) for found in numbers if found and found[0] is not None]
        if not means:
            raise KeyError(f"{figure} has no finding with {part!r} in it")
        return means

    def words(self, figure: str) -> str:
        """How many of a figure's verdicts say what: "12 hold, 1 differs"."""
        found: dict[str, int] = {}
        for one in self.found["figures"][figure]["findings"].values():
            found[one["verdict"]] = found.get(one["verdict"], 0) + 1
        found.pop("noted", None)
        plural = {"holds": "hold", "differs": "differ"}
        said = [f"{count} {plural.get(word, word) if count > 1 else word}" for word, count in found.items()]
        return ", ".join(said) or "none is judged"

    def ranges(self, figure: str) -> str:
        """The ranges that are claimed of the means of a figure, each once."""
        findings = self.found["figures"][figure]["findings"].values()
        return "; ".join(dict.fromkeys(one["rule"] for one in findings if one["rule"]))


def page() -> str:
    """The whole page."""
    found = json.loads(NUMBERS.read_text(encoding="utf-8"))
    report = Report(found)
    environment = jinja2.Environment(
        autoescape=False, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    names = ("measured", "mean", "interval", "verdict", "least", "most", "words", "ranges")
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    text = template.render(figures=found["figures"], report=found, **{name: getattr(report, name) for name in names})
    return text.rstrip() + "\n"


def main() -> int:
    """Take a report if one is given, then write or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is not current")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="of `creases paper run --size laptop`")
    given = parser.parse_args()
    if given.report is not None:
        for there, here in KEPT.items():
            shutil.copyfile(given.report / there, DOCS / here)
    text = page()
    if given.check:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print("docs/papers.md is not what its template and docs/laptop.json make: run tools/make_papers_docs.py")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
