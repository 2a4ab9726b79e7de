"""The starting cells of a domain as a value, which is chosen once and sent with every piece that is cut from them.

A bounded domain is its own starting cell. A whole line, plane or space, or its directions, begins as the cones of some
neurons of the first layer. Any choice of neurons and charts is valid, but a piece is identified by its path from its
cone, so pieces of two choices cannot be added. The choice is made in floats, from sums in a fixed order and from
integers, so that processors agree as far as possible. Whoever counts a piece is given the choice, and proves in
integers that the cells are those of the domain (`starting_cells`).
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, NamedTuple

import numpy as np

from creases.engine.problem import Problem
from creases.engine.starts.bounded import root_tile
from creases.engine.starts.chart import AnyStart, RationalStart
from creases.engine.starts.first_layer import (
    FirstLayer,
    axes_across,
    first_layer_forms,
    linear_rank,
    rational_first,
    restricted_to,
    steady_product,
)
from creases.engine.starts.starting import cone_of_directions, cones, cones_of_directions
from creases.engine.starts.tiles import Tile, cone_in_chart, directions_in_chart, tile_of_cone
from creases.errors import ComputationError

__all__ = ["Cone", "Root", "Roots", "Undivided", "choose_roots", "starting_cells", "within"]


class Undivided(NamedTuple):
    """A whole space that a network's first layer does not cut into bounded cones: additional walls divide it while it
    is counted (`whole_space`), so it is one piece."""


Root = Tile | AnyStart | RationalStart | Undivided


class Cone(NamedTuple):
    """One starting cone: the set on which the neurons `rows` of the first layer have these `signs` (True for active).
    chart : the coordinates in which it is halved, row by row, shape (d + 1, k). None if it is never halved.
    """

    signs: tuple[bool, ...]
    chart: tuple[tuple[float, ...], ...] | None


class Roots(NamedTuple):
    """The starting cells of a domain: plain numbers, equal if they are the same.

    axes : the coordinates of the domain that remain after the lines in every region are divided out. rows : neurons of
        the first layer, independent on these. cones : one for each choice of their signs. A bounded domain has all
        axes, and neither rows nor cones; the same holds for a whole space that the first layer does not cut into
        bounded cones. A constant network has no axes.
    """

    axes: tuple[int, ...]
    rows: tuple[int, ...]
    cones: tuple[Cone, ...]

    @property
    def text(self) -> str:
        """The roots as JSON, whose numbers are exactly the floats."""
        cones = [{"signs": cone.signs, "chart": cone.chart} for cone in self.cones]
        return json.dumps({"axes": self.axes, "rows": self.rows, "cones": cones}, allow_nan=False)

    @property
    def sha256(self) -> str:
        """The hash of the text, which identifies this choice."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def read(cls, text: Any) -> Roots:
        """The roots with this `text`. Raises ValueError if `text` could not have written it."""
        try:
            fields = json.loads(text)
            cones = tuple(Cone(tuple(cone["signs"]), as_chart(cone["chart"])) for cone in fields["cones"])
            roots = cls(tuple(fields["axes"]), tuple(fields["rows"]), cones)
            whole = all(type(x) is int for x in (*roots.axes, *roots.rows))
            told = all(type(on) is bool for cone in cones for on in cone.signs)
            if not (whole and told and roots.text == text):
                raise ValueError("they are written otherwise")
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise ValueError(f"these are no starting cells: {str(text)[:60]!r} ({error})") from error
        return roots


def as_chart(rows: Any) -> tuple[tuple[float, ...], ...] | None:
    """A chart from JSON. Raises ValueError unless it is None or rows of finite floats."""
    if rows is None:
        return None
    chart = tuple(tuple(row) for row in rows)
    if not all(isinstance(x, float) and math.isfinite(x) for row in chart for x in row):
        raise ValueError("a chart has an entry that is no finite float")
    if len({len(row) for row in chart}) != 1:
        raise ValueError("a chart has rows of different lengths")
    return chart


def choose_roots(problem: Problem) -> Roots:
    """The starting cells of a problem's domain, to be sent to all processes that count its parts."""
    every = tuple(range(problem.dimension))
    if problem.vertices is not None:
        return Roots(every, (), ())
    first = FirstLayer(problem, steady_product)
    if first.is_constant_somewhere:
        axes = tuple(axes_across(problem))
        return choose_roots(restricted_to(problem, axes))._replace(axes=axes) if axes else Roots((), (), ())
    if first.is_lacking_rows:
        return Roots(every, (), ())
    starting_cones, rows = [], first.rows
    for start in (cones_of_directions if problem.directions else cones)(problem, rows, first.forms):
        tile = start if isinstance(start, Tile) else None
        if not isinstance(start, (Tile, RationalStart)):
            tile = tile_of_cone(problem, start)
        chart = None if tile is None else as_chart(tile.chart.tolist())
        starting_cones.append(Cone(tuple(bool(on) for on in start.signs.values()), chart))
    return Roots(every, tuple(rows), tuple(starting_cones))


def within(problem: Problem, roots: Roots) -> Problem | None:
    """The problem on the coordinates that the roots keep; None if it is constant."""
    if len(roots.axes) == problem.dimension:
        return problem
    return restricted_to(problem, roots.axes) if roots.axes else None


def starting_cells(problem: Problem, roots: Roots) -> list[Root]:
    """The cells of the roots, as tiles if they can be cut by walls; empty if nothing divides the domain. It is proved
    again, in integers, that they cover the domain once. Raises ComputationError if they do not.
    """
    if not is_dividing(problem, roots):
        raise refused(roots)
    inside = within(problem, roots)
    if (inside is None or inside.vertices is not None) and (roots.rows or roots.cones):
        raise refused(roots)
    if inside is None:
        return []
    if inside.vertices is not None:
        return [root_tile(inside.vertices)]
    if not roots.rows and not roots.cones and FirstLayer(inside).is_lacking_rows:
        return [Undivided()]
    rows, d = list(roots.rows), inside.dimension
    neurons = range(inside.widths[0])
    signs = {cone.signs for cone in roots.cones if len(cone.signs) == d and set(map(type, cone.signs)) == {bool}}
    complete = len(rows) == d and len(roots.cones) == len(signs) == 2**d
    if not (complete and all(row in neurons for row in rows) and linear_rank(rational_first(inside, rows)) == d):
        raise refused(roots)
    whole: dict[tuple[bool, ...], Root] = {}
    if any(cone.chart is None for cone in roots.cones) and not inside.directions:
        # They are never halved, so their charts may differ from those of another process.
        whole = {tuple(start.signs.values()): start for start in cones(inside, rows, first_layer_forms(inside))}
    return [starting_cell(inside, roots, cone, whole) for cone in roots.cones]


def starting_cell(problem: Problem, roots: Roots, cone: Cone, whole: dict[tuple[bool, ...], Root]) -> Root:
    """One starting cell. whole : those of a whole space, in charts chosen by this process."""
    known = dict(zip(roots.rows, cone.signs, strict=True))
    if cone.chart is None:
        return cone_of_directions(problem, known) if problem.directions else whole[cone.signs]
    chart = np.array(cone.chart, dtype=np.float64)
    infinity = chart[-1:].ravel().tolist()
    if chart.shape != problem.frame.shape or infinity != infinity_of(problem):
        raise refused(roots)
    tile = (directions_in_chart if problem.directions else cone_in_chart)(problem, known, chart)
    if tile is None:
        raise refused(roots)
    return tile


def infinity_of(problem: Problem) -> list[float]:
    """The last row of a cone's chart: the form of infinity, which is zero everywhere on directions."""
    d = problem.dimension
    return [0.0] * d if problem.directions else [-1.0] * d + [1.0]


def is_dividing(problem: Problem, roots: Roots) -> bool:
    """Whether the roots' axes are transversal to the lines in every region, and contain none of them.

    If all axes are present, the d independent rows prove it.
    """
    if roots.axes == tuple(range(problem.dimension)):
        return True
    return problem.vertices is None and list(roots.axes) == axes_across(problem)


def refused(roots: Roots) -> ComputationError:
    """The error for roots that do not belong to a problem."""
    return ComputationError(
        f"The starting cells {roots.sha256[:16]} are none of this network and domain. They go with the network and the "
        "domain that they were chosen for."
    )
