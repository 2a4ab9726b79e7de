"""One piece of a count, wherever it is worked on: what goes there and what comes back are plain values."""

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
    """What one piece has.

    piece : which piece. by_layer, unbounded, exact_cells, certified : as in `Count`, of the regions that meet it.
    seconds : how long it took. worker : host and process. engine : hash of what shapes a piece there (`sources`).
    roots : hash of the starting cells that it was cut from.
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
    """Count one piece, in this thread; `report` hears of regions as they are found, and may stop it by an exception."""
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
    """A problem and its starting cells on their way to a worker, with a name by which it knows both again."""

    def __init__(self, name: str, problem: Problem, roots: Roots) -> None:
        self.name, self.problem, self.roots = name, problem, roots

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shipped) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


@lru_cache(maxsize=4)
def divided_once(shipped: Shipped) -> Divided:
    """A problem's starting cells, those that were sent with it, made once in each process."""
    return Divided(shipped.problem, shipped.roots)


def count_piece_of(shipped: Shipped, piece: Piece) -> PieceResult:
    """`count_piece` for a worker of a Dask cluster that has been sent the problem; it stops when the worker closes."""
    from distributed import get_worker
    from distributed.core import Status

    worker = get_worker()

    def report(_: int) -> None:  # between two budgets of cells: some milliseconds
        if worker.status in (Status.closing, Status.closed):
            raise CancelledError

    return count_piece(divided_once(shipped), piece, report)
