"""Write docs/papers.md from its template and the numbers of a report; with --check, only say whether it is current.

    python tools/make_papers_docs.py --report paper-report     take the report of `creases paper run`
    python tools/make_papers_docs.py                           write the page again from the reports that docs/ has

The prose is in papers.md.jinja; every number in it is looked up in docs/laptop.json, which a report of size laptop
wrote. A finding that the report does not have is an error, so no sentence outlives its number.

A report of any size is also kept whole in docs/report, numbers and pictures; tools/site/report.py makes the page of
the site that shows it.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from math import exp
from pathlib import Path
from typing import Any

import jinja2

TOOLS = Path(__file__).parent
DOCS = TOOLS.parent / "docs"
TEMPLATE, PAGE, NUMBERS = TOOLS / "papers.md.jinja", DOCS / "papers.md", DOCS / "laptop.json"
# What docs/ keeps of a report of size laptop, and under which name; and where it keeps the report that the site shows.
EMBEDDED = DOCS / "report"
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

    def interval(self, figure: str, what: str, form: str = ".2f") -> str:
        """Its mean and the 95 % interval of the mean, and its verdict unless it holds: "0.52 [0.48, 0.56]"."""
        return f"{self.number(figure, what, form)}{self.unless_it_holds(figure, what, ' ({})')}"

    def unless_it_holds(self, figure: str, what: str, around: str) -> str:
        """A verdict that is undecided, differs, or a check that is not met, put into `around`; else ""."""
        word = self.finding(figure, what)["verdict"]
        return "" if word in ("holds", "check", "noted") else around.format(f"*{word}*")

    def number(self, figure: str, what: str, form: str = ".2f") -> str:
        """Its mean and the 95 % interval of the mean: "0.52 [0.48, 0.56]"."""
        mean, _, low, high, _ = self.finding(figure, what)["mean, sd, low, high, runs"]
        if low is None or high is None or low == high:
            return f"{mean:{form}}"
        return f"{mean:{form}} [{low:{form}}, {high:{form}}]"

    def verdict(self, figure: str, what: str) -> str:
        """Its word, in italics."""
        return f"*{self.finding(figure, what)['verdict']}*"

    def rule(self, figure: str, what: str) -> str:
        """The range that is claimed of it: "0.4 to 2"."""
        return str(self.finding(figure, what)["rule"])

    def least(self, figure: str, *parts: str, but: str = "", form: str = ".2f") -> str:
        """The smallest mean of the findings that `among` gives, with its interval."""
        return self.interval(figure, self.by_mean(figure, parts, but)[0], form)

    def most(self, figure: str, *parts: str, but: str = "", form: str = ".2f") -> str:
        """The largest mean of the findings that `among` gives, with its interval."""
        return self.interval(figure, self.by_mean(figure, parts, but)[-1], form)

    def of_most(self, figure: str, *parts: str, but: str = "") -> str:
        """What `most` is of, as it stands before the colon: network and setting."""
        return self.by_mean(figure, parts, but)[-1].partition(":")[0]

    def by_mean(self, figure: str, parts: tuple[str, ...], but: str) -> list[str]:
        """What the findings that `among` gives are of, from the smallest mean to the largest."""
        found = self.among(figure, parts, but)
        return [what for what, _ in sorted(found, key=lambda one: one[1]["mean, sd, low, high, runs"][0])]

    def told(self, figure: str, word: str, *parts: str, but: str = "", form: str = ".2f") -> str:
        """Of the findings that `among` gives those with a verdict: "2 of 7 ([16]⁴: 0.89 [0.74, 1.04]; ...)"."""
        found = self.among(figure, parts, but)
        names = [what for what, one in found if one["verdict"] == word]
        some = "; ".join(f"{networks_in(what)}: {self.number(figure, what, form)}" for what in names)
        return f"{len(names)} of {len(found)}" + (f" ({some})" if some else "")

    def reaching(self, figure: str, side: str, level: float, *parts: str, but: str = "") -> str:
        """Of the findings that `among` gives, how many intervals reach below (or above) a level: "3 of 10"."""
        ends = [
            one["mean, sd, low, high, runs"][2 if side == "below" else 3] for _, one in self.among(figure, parts, but)
        ]
        return f"{sum(end < level if side == 'below' else end > level for end in ends)} of {len(ends)}"

    def networks(self, figure: str, *parts: str, but: str = "", form: str = ".2f") -> str:
        """The smallest and the largest mean of what `among` gives, with intervals and what they are of."""
        by_mean = self.by_mean(figure, parts, but)
        said = [
            f"{self.number(figure, what, form)} ({networks_in(what)}{self.unless_it_holds(figure, what, ', {}')})"
            for what in (by_mean[0], by_mean[-1])
        ]
        return " to ".join(said)

    def times(self, figure: str, what: str, form: str = ".2f") -> str:
        """e to the power of a slope of logarithms, and of the ends of its interval; its verdict unless it holds."""
        mean, _, low, high, _ = self.finding(figure, what)["mean, sd, low, high, runs"]
        verdict = self.unless_it_holds(figure, what, " ({})")
        return f"{exp(mean):{form}} [{exp(low):{form}}, {exp(high):{form}}]{verdict}"

    def accuracy(self, figure: str, what: str) -> str:
        """The training accuracy that stands beside a finding: "67 %"."""
        found = re.search(r"training accuracy ([0-9.]+) ?%", self.measured(figure, what))
        if found is None:
            raise KeyError(f"{figure}: {what!r} has no training accuracy")
        return f"{found.group(1)} %"

    def widest(self, depth: str = "") -> int:
        """The widest layer of the networks that are trained; depth : only of those that are so deep, "⁴"."""
        ours = [one["ours"] for one in self.found["figures"].values() if "nothing is trained" not in one["ours"]]
        pattern = rf"\[([0-9]+)\]{depth}" if depth else r"\[([0-9]+)\]"
        return max(int(width) for text in ours for width in re.findall(pattern, text))

    def among(self, figure: str, parts: tuple[str, ...], but: str) -> list[tuple[str, dict[str, Any]]]:
        """The findings with numbers whose text holds all parts, and not `but` if it is not ""; at least one."""
        findings = self.found["figures"][figure]["findings"].items()
        some = [
            (what, one)
            for what, one in findings
            if all(part in what for part in parts) and not (but and but in what) and one["mean, sd, low, high, runs"]
        ]
        if not some:
            raise KeyError(f"{figure} has no finding with {parts} in it")
        return some

    def certified(self) -> str:
        """Whether every count was proved: "every count is certified"."""
        failed = [name for name, one in self.found["figures"].items() if one["certified"] is False]
        return f"not every count is certified ({', '.join(failed)})" if failed else "every count is certified"

    def words(self, figure: str) -> str:
        """How many of a figure's verdicts say what: "12 hold, 1 differs"."""
        found: dict[str, int] = {}
        for one in self.found["figures"][figure]["findings"].values():
            found[one["verdict"]] = found.get(one["verdict"], 0) + 1
        found.pop("noted", None)
        plural = {"holds": "hold", "differs": "differ", "check": "checks", "check failed": "checks failed"}
        said = [f"{count} {plural.get(word, word) if count > 1 else word}" for word, count in found.items()]
        return ", ".join(said) or "none is judged"

    def ranges(self, figure: str) -> str:
        """What is claimed of the means of a figure, each claim once: "cones / 2N, about 1 (0.9 to 1.1)".

        The quantity is named where it is one, or where the words of the claim are a number and no more. Where the
        ranges of one quantity depend on the number of inputs n, that is said.
        """
        claims: dict[tuple[str, str], dict[str, list[str]]] = {}
        of_words: dict[tuple[str, str], list[str]] = {}
        judged = [
            (what, one)
            for what, one in self.found["figures"][figure]["findings"].items()
            if one["rule"] and not one["verdict"].startswith("check")
        ]
        for what, one in judged:
            of_words.setdefault((one["authors"], one["rule"]), []).append(quantity_in(what))
        for what, one in judged:
            words, rule = one["authors"], one["rule"]
            named = is_bare(words) or len(set(of_words[words, rule])) == 1
            claims.setdefault((quantity_in(what) if named else "", words), {}).setdefault(rule, []).append(what)
        quantities = [quantity for quantity, words in claims for _ in claims[quantity, words]]
        said = []
        for (quantity, words), rules in claims.items():
            several = len(rules) > 1 or (is_bare(words) and quantities.count(quantity) > 1)
            parts = [rule + (inputs_in(whats) if several else "") for rule, whats in rules.items()]
            head = ", ".join(part for part in (quantity, words) if part)
            # "above 1: it recovers" says its range already.
            done = len(parts) == 1 and re.match(rf"(ours: )?{re.escape(parts[0])}\b", words)
            said.append(head if done else f"{head} ({'; '.join(parts)})")
        return "; ".join(said)


def is_bare(words: str) -> bool:
    """Whether the words of a claim are a number and no more: "-1", "about 1/2", "0.06 to 0.10"."""
    return not re.sub(r"\b(about|above|below|ours|to)\b|\W|\d", "", words)


def quantity_in(what: str) -> str:
    """The quantity that a finding is of, without network and setting: "cones in a plane / 2N at the start"."""
    return re.split(r", (?![^(]*\))", what.rpartition(": ")[2])[0]


def inputs_in(whats: list[str]) -> str:
    """For which n: " for n = 1 and 2"; "" if findings do not say."""
    found = dict.fromkeys(n for what in whats for n in re.findall(r"\bn = ([0-9])", what))
    return f" for n = {', '.join(found)}" if found else ""


def networks_in(what: str) -> str:
    """The network that a finding names, "[16]⁴", or else what stands before its colon."""
    found = re.search(r"\[[0-9]+\][²³⁴⁵⁶]?", what)
    return found.group() if found else what.partition(":")[0]


def page() -> str:
    """The whole page."""
    found = json.loads(NUMBERS.read_text(encoding="utf-8"))
    report = Report(found)
    environment = jinja2.Environment(
        autoescape=False, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    names = (report.measured, report.interval, report.verdict, report.least, report.most, report.told, report.words)
    names = (*names, report.ranges, report.reaching, report.networks, report.times, report.accuracy, report.widest)
    names = (*names, report.number, report.of_most, report.certified, report.rule)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    text = template.render(figures=found["figures"], report=found, **{look_up.__name__: look_up for look_up in names})
    return text.rstrip() + "\n"


def take(folder: Path, docs: Path = DOCS) -> None:
    """Keep a report in docs/: its numbers and its pictures. Ends the program if a picture is not there."""
    found = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    pictures = [folder / f"{name}.svg" for name in found["figures"]]
    if missing := [path.name for path in pictures if not path.is_file()]:
        sys.exit(f"The report in {folder} is not whole: it has no {', '.join(missing)}.")
    if found["size"] == "laptop":
        for there, here in KEPT.items():
            shutil.copyfile(folder / there, docs / here)
    embedded = docs / EMBEDDED.name
    shutil.rmtree(embedded, ignore_errors=True)
    embedded.mkdir()
    for path in (folder / "report.json", *pictures):
        shutil.copyfile(path, embedded / path.name)


def main() -> int:
    """Take a report if one is given, then write or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is not current")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="what `creases paper run` wrote")
    given = parser.parse_args()
    if given.report is not None:
        take(given.report)
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
