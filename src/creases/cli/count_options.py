"""The options of `creases count` besides the network and the domain: what else to compute, how, and where the results
go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from creases.cli.options import Json, Threads

if TYPE_CHECKING:
    from creases.counting import Count
    from creases.domain import Domain
    from creases.network import Network
    from creases.theory.table import Table

__all__ = ["AskedOptions", "OutputOptions", "WorkOptions"]

# A panel of its own on the help page.
piece_option = partial(typer.Option, rich_help_panel="In pieces (the result is the same)")


@dataclass(frozen=True)
class AskedOptions:
    """The options for results besides the number of regions."""

    by_neuron: Annotated[
        bool,
        typer.Option("--by-neuron", help="Also count, for each neuron, how many regions of the layers below it cuts."),
    ] = False
    theory: Annotated[
        bool,
        typer.Option(
            "--theory",
            help="Also print what the theory says: bounds, estimates, and its constants T-hat, C_grad and C_bias.",
        ),
    ] = False

    def compare(self, result: Count, network: Network) -> Table | None:
        """The comparison with theory, if it was asked for."""
        if not self.theory:
            return None
        from creases.theory import compare

        return compare(result, network)


@dataclass(frozen=True)
class WorkOptions:
    """The options for threads, or for processes and clusters that count in pieces, and the journal of finished
    pieces."""

    threads: Threads = None
    journal: Annotated[
        str | None,
        piece_option(
            "--journal",
            metavar="PLACE",
            help="Count in pieces and keep each result in this SQLite file or database URL. After an interruption the "
            "same command continues from there.",
        ),
    ] = None
    pieces: Annotated[
        int | None, piece_option("--pieces", min=1, metavar="N", help="Count in at least N pieces, up to 65,536.")
    ] = None
    workers: Annotated[
        int | None,
        piece_option(
            "--workers", min=1, metavar="N", help="Run the pieces in N processes of this machine instead of threads."
        ),
    ] = None
    cluster: Annotated[
        str | None,
        piece_option(
            "--cluster",
            metavar="ADDRESS",
            help="Run the pieces on the Dask cluster with this scheduler, like tcp://127.0.0.1:8786.",
        ),
    ] = None

    @property
    def in_one_piece(self) -> bool:
        """Whether no option requires a count in pieces."""
        return (self.journal, self.pieces, self.workers, self.cluster) == (None, None, None, None)

    def count(self, network: Network, domain: Domain, by_neuron: bool) -> Count:
        """The count. Raises DomainError if it is to be by neuron and in pieces."""
        from creases.counting import count
        from creases.errors import DomainError
        from creases.scheduling import count_in_pieces

        if self.in_one_piece:
            return count(network, domain, by_neuron=by_neuron, threads=self.threads)
        if by_neuron:
            raise DomainError("--by-neuron is counted in one piece: the cuts of a neuron do not add up over pieces.")
        return count_in_pieces(network, domain, **vars(self))


@dataclass(frozen=True)
class OutputOptions:
    """The options for the file and the form of the output."""

    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="FILE", help="Write the result to this JSON file before it is printed."),
    ] = None
    json: Json = False

    def check(self) -> None:
        """Raise an error, before anything is counted, if the file cannot be written."""
        from creases.cli.show import writable

        if self.save is not None:
            writable(self.save)

    def write(self, result: Count) -> None:
        """Write the file, if one was asked for."""
        if self.save is not None:
            result.to_json(self.save)

    def as_json(self, result: Count, beside: Table | None) -> str:
        """The output of --json."""
        from json import dumps

        if beside is None:
            return result.to_json()
        return dumps({**result.to_dict(), "theory": beside.to_dict()["rows"]}, indent=2)
