"""Run the benchmarks and print one table of ratios: python -m benchmarks [--quick] [--only THEME] [--write]."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import floor, machine, table
from benchmarks.child import ROOT
from benchmarks.settings import FULL, QUICK
from benchmarks.timing import share_of_core
from benchmarks.works import cliffs, complexes, graphs, lines, others, pieces, processes, scaling, space, trained

THEMES = {
    "others": others.rows,
    "scaling": scaling.rows,
    "space": space.rows,
    "complexes": complexes.rows,
    "graphs": graphs.rows,
    "cliffs": cliffs.rows,
    "trained": trained.rows,
    "pieces": pieces.rows,
    "lines": lines.rows,
    "processes": processes.rows,
}


def say(text):
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Print ratios, checked and certified.")
    parser.add_argument("--quick", action="store_true", help="what fits into a minute")
    parser.add_argument("--only", choices=sorted(THEMES), help="one theme")
    parser.add_argument("--write", action="store_true", help="write the tables into benchmarks/README.md too")
    given = parser.parse_args()
    if given.write and given.only:
        parser.error("--write writes whole tables; it does not go with --only")
    return given


def measure(themes, settings):
    """The rows of the themes, said as they come."""
    found, start = [], time.perf_counter()
    for name in themes:
        say(f"bench: {name}")
        for row in THEMES[name](settings):
            found.append(row)
            say(f"{time.perf_counter() - start:6.1f} s  " + "  ".join(filter(None, table.cells(row))))
    return found


def main():
    """Measure, print, and keep the results."""
    given = arguments()
    settings = QUICK if given.quick else FULL
    from creases.compilation import compile_kernels

    say(f"bench: kernels ready after {compile_kernels():.1f} s")
    start, about = time.perf_counter(), machine.describe()
    rows = measure([given.only] if given.only else list(THEMES), settings)
    about |= {"load_after": machine.load(), "seconds": round(time.perf_counter() - start, 1)}
    about["share_of_core"] = round(share_of_core(), 2)
    print(table.as_text(rows))
    print(f"\n{table.machine_line(about)} {about['seconds']} s in all.")
    results = {"machine": about, "rows": [row.to_dict() for row in rows]}
    path = Path(ROOT, "build", "bench-quick.json" if given.quick else "bench.json")
    if given.write:
        floors = others.floors(settings)
        results["floors"] = [asdict(item) for item in floors]
        table.write_between("floor", table.floor_table(floors, floor.bare_seconds()))
        measured = table.as_markdown(table.HEAD, map(table.cells, rows))
        table.write_between("results", f"{table.machine_line(about)}\n\n{measured}")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    say(f"bench: also in {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
