"""A count in independent pieces: the list of pieces, and the count of each of them.

The name of a piece is its starting cell (`roots`) and its path from there: "-" and "+" for the halves below and above a
wall, "0" for the wall itself. The regions of a piece are added if its path has an even number of zeros, and subtracted
if it is odd. Halving uses integers only (`walls.halved`), so every machine halves a cell in the same way.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from creases.engine.answers.driver import collect
from creases.engine.answers.tally import Tally, Totals, tally, tally_constant
from creases.engine.loop.drive import Report
from creases.engine.problem import Problem
from creases.engine.starts.roots import Root, Roots, Undivided, starting_cells, within
from creases.engine.starts.tiles import Tile
from creases.engine.starts.walls import halved
from creases.engine.starts.workshop import Workshop

__all__ = ["Divided", "Piece"]

# The number of cached cells on the paths to pieces: a polygon with thousands of corners takes a second to halve.
KEPT_CELLS = 64


class Piece(NamedTuple):
    """One piece of a domain. root : the index of its starting cell. path : its path from there."""

    root: int
    path: str

    @property
    def sign(self) -> int:
        """The sign with which its regions count: 1 or -1."""
        return -1 if self.path.count("0") % 2 else 1


class Divided:
    """A problem's domain, to be counted piece by piece from these roots. Threads may share one.

    roots : as chosen by `roots.choose_roots`, here or on another machine; in a Divided, their hash. The lines that lie
        in every region are divided out (`constant`).
    Raises ComputationError if the roots do not belong to the problem.
    """

    def __init__(self, problem: Problem, roots: Roots) -> None:
        self.roots = roots.sha256
        self._workshop = Workshop()
        self.constant = len(roots.axes) < problem.dimension
        self._whole = problem
        self._roots = starting_cells(problem, roots)
        self._problem = within(problem, roots)
        # Pieces are in an order in which successive ones have most of their paths in common.
        self._cell = lru_cache(maxsize=KEPT_CELLS)(self.cell)

    def pieces(self, depth: int, drop: int) -> list[Piece]:
        """All pieces, with each starting cell halved `depth` times.

        drop : the number by which a wall, which has fewer regions, is halved less often.
        """
        if not self._roots:
            return [Piece(0, "")]
        return [Piece(i, path) for i, root in enumerate(self._roots) for path in paths(root, depth, drop)]

    def tally(self, piece: Piece, threads: int, report: Report) -> Tally:
        """Count the regions of the problem that meet one of its pieces.

        threads, report : as for `tally`. The regions cut by each neuron are not counted, because these numbers do not
            add up.
        """
        problem = self._problem
        if problem is None:
            return tally_constant(self._whole)
        root = self._cell(piece.root, piece.path)
        if isinstance(root, Undivided):
            return tally(self._whole, threads=threads, by_neuron=False, report=report, workshop=self._workshop)
        total = Totals(problem)
        collect(problem, [root], total, threads=threads, by_neuron=False, report=report, workshop=self._workshop)
        return total.result(self._whole)

    def cell(self, root: int, path: str) -> Root:
        """The cell of a piece."""
        if not path:
            return self._roots[root]
        above = self._cell(root, path[:-1])
        halves = halved(above) if isinstance(above, Tile) else None
        assert halves is not None  # `paths` names no other pieces
        return halves["-+0".index(path[-1])]


def paths(root: Root, depth: int, drop: int, path: str = "") -> list[str]:
    """The names of a starting cell's pieces."""
    halves = halved(root) if isinstance(root, Tile) and depth > 0 and root.dimension > 0 else None
    if halves is None:
        return [path]
    below, above, wall = halves
    return [
        *paths(below, depth - 1, drop, path + "-"),
        *paths(wall, max(depth - 1 - drop, 0), drop, path + "0"),
        *paths(above, depth - 1, drop, path + "+"),
    ]
