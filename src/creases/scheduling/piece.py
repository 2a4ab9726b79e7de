"""One piece of a count, wherever it is computed: its input and output are plain values."""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import lru_cache

from creases.engine.answers.pieces import Divided, Piece
from creases.engine.loop.drive import Report
from creases.engine.problem import Problem
from creases.engine.starts.roots import Roots
from creases.scheduling.sources import shaping_hash

__all__ = ["PieceResult", "Shipped", "count_piece", "count_piece_of"]


@dataclass(frozen=True)
class PieceResult:
    """The result of one piece.

    piece : which piece. by_layer, unbounded, exact_cells, certified : as in `Count`, of the regions that meet the
        piece.
    seconds : the time that it took. worker : host and process. engine : the worker's hash of everything that determines
        a piece (`sources`).
    roots : hash of the starting cells from which the piece was cut.
    """

    piece: Piece
    by_layer: tuple[int, ...]
    unbounded: int | None
    exact_cells: int
    certified: bool
    seconds: float
    worker: str
    engine: str
    roots: str


def count_piece(divided: Divided, piece: Piece, report: Report = lambda regions: None) -> PieceResult:
    """Count one piece in this thread. `report` is called with the numbers of regions, and may stop the count by raising
    an exception."""
    start = time.perf_counter()
    tally = divided.tally(piece, 1, report)
    return PieceResult(
        piece,
        tuple(tally.by_layer),
        tally.unbounded,
        tally.exact_cells,
        tally.certified,
        time.perf_counter() - start,
        f"{socket.gethostname()}:{os.getpid()}",
        shaping_hash(),
        divided.roots,
    )


class Shipped:
    """A problem and its starting cells, sent to a worker, with a name by which the worker recognises them later."""

    def __init__(self, name: str, problem: Problem, roots: Roots) -> None:
        self.name, self.problem, self.roots = name, problem, roots

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shipped) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


@lru_cache(maxsize=4)
def divided_once(shipped: Shipped) -> Divided:
    """A problem divided into the starting cells that were sent with it; computed once per process."""
    return Divided(shipped.problem, shipped.roots)


def count_piece_of(shipped: Shipped, piece: Piece) -> PieceResult:
    """`count_piece` on a worker of a Dask cluster to which the problem was sent; it stops when the worker closes."""
    from distributed import get_worker
    from distributed.core import Status

    worker = get_worker()

    def report(_: int) -> None:  # called between two budgets of cells, every few milliseconds
        if worker.status in (Status.closing, Status.closed):
            raise CancelledError

    return count_piece(divided_once(shipped), piece, report)
