"""A count in independent parts: which tiles there are, and what each of them has.

A part is named by its starting cell and by its way down from there: "-" and "+" for the halves below and above a wall,
"0" for the wall itself. Its regions count as often as its name has zeros: once more if even, once less if odd.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.chart import AnyStart, ExactStart
from creases.engine.driving import Report
from creases.engine.exact import ExactForms
from creases.engine.first_layer import independent_rows, restricted
from creases.engine.frontier import run
from creases.engine.problem import Problem
from creases.engine.start import starts
from creases.engine.tally import Tally, Totals, tally_constant
from creases.engine.tiles import Tile, halved, root_tile, start_of, tile_of_cone
from creases.engine.workshop import Workshop

__all__ = ["Part", "parts", "tally_part"]

Root = Tile | AnyStart | ExactStart


class Part(NamedTuple):
    """One part of a domain. root : which of its starting cells. path : the way down from there."""

    root: int
    path: str

    @property
    def sign(self) -> int:
        """How often its regions count: 1 or -1."""
        return -1 if self.path.count("0") % 2 else 1


def parts(problem: Problem, depth: int, drop: int) -> list[Part]:
    """All parts of a problem's domain, each starting cell halved `depth` times over.

    drop : how many halvings less a wall is worth, which has so many fewer regions.
    """
    across, _ = divided(problem)
    if across is None:
        return [Part(0, "")]
    found = []
    for number, root in enumerate(roots(across, Workshop())):
        found += [Part(number, path) for path in paths(root, depth, drop)]
    return found


def paths(root: Root, depth: int, drop: int, path: str = "") -> list[str]:
    """The names of a starting cell's parts."""
    pieces = halved(root) if isinstance(root, Tile) and depth > 0 and root.dimension > 0 else None
    if pieces is None:
        return [path]
    below, above, wall = pieces
    return [
        *paths(below, depth - 1, drop, path + "-"),
        *paths(wall, max(depth - 1 - drop, 0), drop, path + "0"),
        *paths(above, depth - 1, drop, path + "+"),
    ]


def roots(problem: Problem, workshop: Workshop) -> list[Root]:
    """The starting cells of a problem, as tiles where they can be cut by walls."""
    if problem.vertices is not None:
        return [root_tile(problem.vertices)]
    found: list[Root] = []
    for start in starts(problem, workshop):
        tile = None if isinstance(start, ExactStart) else tile_of_cone(problem, start)
        found.append(start if tile is None else tile)
    return found


def divided(problem: Problem) -> tuple[Problem | None, bool]:
    """The problem with the directions divided out along which the network is constant, and whether there are some."""
    if problem.vertices is None and len(independent_rows(problem)) < problem.dimension:
        return restricted(problem), True
    return problem, False


def tally_part(problem: Problem, part: Part, threads: int, report: Report, workshop: Workshop) -> Tally:
    """Count the regions of the problem that meet one of its parts.

    threads, report, workshop : as for `tally`. Regions cut by each neuron are not counted: they do not add up.
    """
    across, constant = divided(problem)
    if across is None:
        return tally_constant(problem)
    root = roots(across, workshop)[part.root]
    for step in part.path:
        pieces = halved(root) if isinstance(root, Tile) else None
        assert pieces is not None  # `parts` has been here
        root = pieces["-+0".index(step)]
    total = Totals(across.widths)
    if isinstance(root, ExactStart):
        total.add_exact(ExactForms.of(across), root)
    elif isinstance(root, Tile) and root.dimension == 0:
        total.by_layer += count_point(across, root)
    else:
        start = start_of(root) if isinstance(root, Tile) else root
        for work, _ in run(across, start, threads, False, False, report, workshop):
            total.add(work)
    found = total.result(across)
    return found._replace(unbounded=found.by_layer[-1]) if constant else found


def count_point(problem: Problem, tile: Tile) -> list[int]:
    """For each layer 1 if a region meets the tile's one point; 0 from where one ends there: where a neuron is zero that
    is not zero all around."""
    forms, parent = ExactForms.of(problem, tile.chart), ExactForms.of(problem)
    found: list[int] = [0] * len(problem.widths)
    pattern: list[NDArray[np.bool_]] = []
    for layer in range(len(found)):
        here, around = forms.forms(layer, pattern), parent.forms(layer, pattern)
        if any(value == 0 and any(form) for (value,), form in zip(here, around, strict=True)):
            break
        found[layer] = 1
        pattern.append(np.array([value > 0 for (value,) in here]))
    return found
