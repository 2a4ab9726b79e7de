"""The commands. Each is in a file of its own, and imports large packages only when it is called."""

from __future__ import annotations

from typing import Annotated

import typer

from creases.cli.audit import audit
from creases.cli.boundary import boundary
from creases.cli.cite import cite
from creases.cli.count import count
from creases.cli.demo import demo
from creases.cli.doctor import doctor
from creases.cli.draw import draw
from creases.cli.explore import explore
from creases.cli.info import info
from creases.cli.objects import flattened
from creases.cli.paper import paper
from creases.cli.stats import stats
from creases.cli.subdivide import subdivide
from creases.cli.theory import theory
from creases.cli.train import train
from creases.cli.warm import warm
from creases.version import __version__

__all__ = ["app"]

app = typer.Typer(
    name="creases",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    """Print the version and exit."""
    if wanted:
        typer.echo(f"creases {__version__}")
        raise typer.Exit


@app.callback(epilog="Each command teaches with examples: creases count --help")
def creases(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Into how many pieces does a ReLU network fold its inputs? Exact, proven counts."""


for command in (info, count, subdivide, stats, draw, explore, boundary, audit, theory, train, demo, warm, doctor, cite):
    app.command()(flattened(command))
app.add_typer(paper)
