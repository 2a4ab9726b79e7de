"""A count in independent pieces: which tiles there are, and what each of them has.

A piece is named by its starting cell (`roots`) and by its way down from there: "-" and "+" for the halves below and
above a wall, "0" for the wall itself. Its regions count as often as its name has zeros: once more if even, once less if
odd. The way down is one of whole numbers (`walls.halved`): every machine halves a cell alike.
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

# Cells that are kept on the way down to pieces: a polygon of thousands of corners takes a second to halve.
KEPT_CELLS = 64


class Piece(NamedTuple):
    """One piece of a domain. root : which of its starting cells. path : the way down from there."""

    root: int
    path: str

    @property
    def sign(self) -> int:
        """How often its regions count: 1 or -1."""
        return -1 if self.path.count("0") % 2 else 1


class Divided:
    """A problem's domain, to be counted piece by piece from these roots. Threads may share one.

    roots : as `roots.choose_roots` has chosen them, here or elsewhere; of a Divided their hash. The lines
    that lie in every region are divided out (`constant`).
    Raises ComputationError if the roots do not belong to the problem.
    """

    def __init__(self, problem: Problem, roots: Roots) -> None:
        self.roots = roots.sha256
        self._workshop = Workshop()
        self.constant = len(roots.axes) < problem.dimension
        self._whole = problem
        self._roots = starting_cells(problem, roots)
        self._problem = within(problem, roots)
        # Pieces come in an order in which neighbours have most of their way down in common.
        self._cell = lru_cache(maxsize=KEPT_CELLS)(self.cell)

    def pieces(self, depth: int, drop: int) -> list[Piece]:
        """All pieces, each starting cell halved `depth` times over.

        drop : how many halvings less a wall is worth, which has so many fewer regions.
        """
        if not self._roots:
            return [Piece(0, "")]
        return [Piece(i, path) for i, root in enumerate(self._roots) for path in paths(root, depth, drop)]

    def tally(self, piece: Piece, threads: int, report: Report) -> Tally:
        """Count the regions of the problem that meet one of its pieces.

        threads, report : as for `tally`. Regions cut by each neuron are not counted: they do not add up.
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
