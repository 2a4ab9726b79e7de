"""`creases theory`: what the theory says about networks of these widths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from creases.cli.options import Json

if TYPE_CHECKING:
    from creases.theory.table import Table

__all__ = ["show_table", "theory"]


def theory(
    widths: Annotated[
        str, typer.Argument(metavar="WIDTHS", help="Neurons of each hidden layer, like 32,32,32.", show_default=False)
    ],
    input_dim: Annotated[
        int,
        typer.Option("--input-dim", "-n", min=1, metavar="N", help="Number of inputs, or dimensions of a slice."),
    ] = 2,
    json: Json = False,
) -> None:
    """Print what the theory says about networks with these hidden layers: estimates, constructions, upper bounds.

    The layers are those of a chain of dense layers with ReLU. For a graph (residual, convolutional, with switches) see
    `creases info MODEL`. All numbers are computed as integers (N^n / n! is rounded), and shown rounded beyond twelve
    digits. `creases count MODEL --theory` compares them with the count of a trained network.

    \b
    [bold]Examples[/bold]
    creases theory 32,32,32
    creases theory 64,64 --input-dim 3
    creases theory 64,64 --input-dim 3 --json
    """
    from creases.errors import NetworkError
    from creases.theory import bounds

    try:
        layers = [int(width) for width in widths.split(",")]
    except ValueError as error:
        raise NetworkError(
            f"{widths!r} is no list of widths. Give the hidden layers' neurons, like 32,32,32."
        ) from error
    bounds_table = bounds(layers, input_dim)
    if json:
        from json import dumps

        typer.echo(dumps(bounds_table.to_dict(), indent=2))
    else:
        show_table(bounds_table)


def show_table(bounds: Table) -> None:
    """Print a table of the theory."""
    from creases.cli.show import out, table
    from creases.theory.table import readable

    rows = [[row.name, readable(row.value), row.kind, row.source] for row in bounds]
    shown = table(["", "value", "", ""], rows)
    shown.title = bounds.title
    console = out()
    console.print(shown)
    for note in bounds.notes:
        console.print(note)
