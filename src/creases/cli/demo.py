"""`creases demo`: train a network and count its regions during the training, every count certified."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.live import Live

    from creases.paper.demo import Demo, DemoResult, Moment

NOT_CERTIFIED = 1
# Three lines of title for each column, and its width: 80 characters in total.
TITLES = (
    ("", "", "epoch"),
    ("test", "accu-", "racy"),
    ("regions:", "origin,", "2 examples"),
    ("regions:", "3", "examples"),
    ("", "origin", "/ N^2"),
    ("", "3 ex.", "/ N^2"),
    ("paper:", "", "N^2/2"),
    ("most that", "the depth", "allows"),
)
WIDTHS = (7, 6, 10, 9, 7, 7, 6, 12)


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where to write two pictures and results.json.")
    ] = Path("demo"),
    quick: Annotated[
        bool, typer.Option("--quick", help="A small network, counted three times: takes some seconds.")
    ] = False,
) -> None:
    """Train a network on handwritten digits, count its regions as it learns, and draw the result.

    \b
    [bold]Examples[/bold]
    creases demo
    creases demo --quick --out quick

    It needs the extras torch, data and plot: pip install 'creases\\[torch,data,plot]'. Exit code 1 if a count
    could not be certified.
    """
    from creases.paper.demo import FULL_DEMO, QUICK, run_demo

    start = time.perf_counter()
    chosen = QUICK if quick else FULL_DEMO
    with GrowingTable(chosen) as table:
        result = run_demo(chosen, out, table.say, table.add)
    typer.echo(verdict(chosen, result))
    typer.echo(
        f"Training took {result.training:.1f} s, counting {result.counting:.1f} s, drawing {result.drawing:.1f} s; "
        f"all together {time.perf_counter() - start:.0f} s."
    )
    typer.echo("Wrote " + ", ".join(str(path) for path in result.files) + ".")
    if not result.certified:
        typer.echo("NOT every count was certified: see results.json.", err=True)
        raise typer.Exit(NOT_CERTIFIED)
    typer.echo(f"All {result.counts} counts are certified: every sign that decided something was proved.")


def verdict(demo: Demo, result: DemoResult) -> str:
    """The finding in one sentence, with the numbers of this run."""
    ratios = [count / demo.neurons**2 for moment in result.moments for count in (moment.origin, moment.examples)]
    return (
        f"Through training the mean count stayed between {min(ratios):.2f} and {max(ratios):.2f} N^2 "
        f"(N^2/2 = {demo.estimate:,}); the depth would allow up to {demo.most:,}, which is "
        f"{demo.most / demo.neurons**2:,.0f} N^2."
    )


class GrowingTable:
    """A table whose rows are added one by one: redrawn in place on a terminal, line by line elsewhere."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.rows: list[list[str]] = []
        self.live: Live | None = None

    def __enter__(self) -> GrowingTable:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Leave the table as it is."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def say(self, text: str) -> None:
        """Print what is about to be done on stderr, under the table if there is one."""
        self.finish()
        typer.echo(f"demo: {text}", err=True)

    def add(self, moment: Moment) -> None:
        """Add one row."""
        square = self.demo.neurons**2
        row = [
            f"{moment.epoch:.4g}",
            f"{moment.test_accuracy:.1%}",
            f"{moment.origin:,.0f}",
            f"{moment.examples:,.0f}",
            f"{moment.origin / square:.3f}",
            f"{moment.examples / square:.3f}",
            f"{self.demo.estimate:,}",
            f"{self.demo.most:,}",
        ]
        self.rows.append(row)
        if sys.stdout.isatty():
            self.redraw()
            return
        lines = [row] if len(self.rows) > 1 else [*map(list, zip(*TITLES, strict=True)), row]
        for line in lines:
            typer.echo(" ".join(cell.rjust(width) for cell, width in zip(line, WIDTHS, strict=True)))

    def redraw(self) -> None:
        """Replace the last table by the whole present one."""
        from rich.live import Live

        from creases.cli.show import out, table

        if self.live is None:
            self.live = Live(console=out(), auto_refresh=False)
            self.live.start()
        titles = ["\n".join(title).strip() for title in TITLES]
        self.live.update(table(titles, self.rows), refresh=True)
