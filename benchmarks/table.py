"""The results for people: on the terminal, and between the markers of README.md."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).parent / "README.md"


def number(value, unit):
    """A measured number with its unit, in three digits."""
    if value is None:
        return "-"
    if unit == "s" and value < 0.1:
        value, unit = 1000 * value, "ms"
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{shown} {unit}".strip()


def cells(row):
    """A row as the strings of its columns."""
    ratio = "-" if row.ratio is None else f"{row.ratio:,.0f}" if row.ratio >= 100 else f"{row.ratio:.2f}"
    met = {True: "yes", False: "NO", None: ""}[row.met]
    target = str(row.target) if row.target else ""
    return (
        row.work,
        row.against,
        number(row.ours, row.unit),
        number(row.theirs, row.unit),
        ratio,
        target,
        met,
        row.note,
    )


HEAD = ("work", "against", "ours", "theirs", "ratio", "target", "met", "note")


def as_text(rows):
    """The table for a terminal."""
    lines = [HEAD, *map(cells, rows)]
    sizes = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join("  ".join(map(str.ljust, line, sizes)).rstrip() for line in lines)


def as_markdown(head, lines):
    """A table in markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def machine_line(machine):
    """What it was measured on, in one sentence."""
    versions = ", ".join(f"{name} {machine[name]}" for name in ("python", "numpy", "numba", "regioncam", "affinitree"))
    return (
        f"{machine['date']}, {machine['processor']} ({machine['cores']} cores, {machine['system']}), "
        f"creases {machine['creases']}, {versions}; "
        f"load before {machine['load_before']}, after {machine['load_after']}; "
        f"what was timed had {machine['share_of_core']:.0%} of a core."
    )


def floor_table(floors, bare):
    """The floor of each size, in markdown."""
    lines = [(floor.name, f"{floor.cuts:,}", f"{floor.looks:,}", number(floor.seconds, "s")) for floor in floors]
    cut, look = (f"{1e9 * seconds:.1f} ns" for seconds in bare)
    table = as_markdown(("network", "cuts", "looks", "floor"), lines)
    return f"On the machine below a cut takes {cut} and a look {look}.\n\n{table}"


def write_between(name, text, path=README):
    """Put text between the markers <!-- name --> and <!-- /name --> of a page."""
    page = path.read_text(encoding="utf-8")
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = page.split(opening)
    _, after = rest.split(closing)
    path.write_text(f"{before}{opening}\n{text}\n{closing}{after}", encoding="utf-8")
