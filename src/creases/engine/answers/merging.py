"""Merge cells that additional walls have divided: the cells of a whole line or plane without walls that are not
neurons.

A region is convex, so its parts have one pattern, and it is the intersection of the half-planes of their true edges. An
additional wall among a part's edges is inside the region, or lies on a true wall, which then has another number.
Regions whose parts have such an edge are computed again from exact forms: these are sorted by the angles of their
normals, and neighbours meet in the corners. All other cells remain as they are, except for the numbers of their walls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.problem import INFINITY, Floats, Ints, Pattern, Problem
from creases.engine.proof.edges import RationalEdges, difference
from creases.engine.proof.rational import cross, nearest_float
from creases.engine.state.pattern import bits_of_bytes, bytes_of_bits
from creases.lists import spans

if TYPE_CHECKING:
    from creases.engine.starts.whole_space import Walled

__all__ = ["DRAWN", "Cells", "merged", "without_drawn"]

Bools = NDArray[np.bool_]


class Cells(NamedTuple):
    """The fields of a `cell_table.CellTable`, without its tally."""

    first: Ints
    corners: Floats
    at_infinity: Bools
    edges: Ints
    patterns: NDArray[np.uint8]


class Outline(NamedTuple):
    """One cell: its corners in order, and the wall after each."""

    corners: list[Floats]
    at_infinity: list[bool]
    edges: list[int]


class Side(NamedTuple):
    """A facet of a cell: its number, and its exact inward form."""

    number: int
    form: Any


def without_drawn(patterns: NDArray[np.uint8], part: Walled) -> NDArray[np.uint8]:
    """The patterns of cells of `part.problem`, in bytes, without the bits of its additional walls."""
    kept = np.delete(np.arange(sum(part.problem.widths)), drawn_units(part))
    return bytes_of_bits(bits_of_bytes(patterns, sum(part.problem.widths))[:, kept])


def drawn_units(part: Walled) -> Ints:
    """The numbers of the additional walls among the units of `part.problem`: the last ones of the first layer."""
    first = part.problem.widths[0]
    return np.arange(first - part.drawn, first)


def merged(cells: Cells, part: Walled, problem: Problem) -> Cells:
    """The cells of a problem of one or two dimensions from those of `part.problem`, which has additional walls.

    They are in the order of their first parts.
    """
    patterns = without_drawn(cells.patterns, part)
    edges = renumbered(cells.edges, part)
    has_drawn = np.logical_or.reduceat(edges == DRAWN, cells.first[:-1])
    parts: dict[bytes, list[int]] = {}
    for cell in np.flatnonzero(has_drawn).tolist():
        parts.setdefault(patterns[cell].tobytes(), []).append(cell)
    exact, bits = RationalEdges.of(problem), bits_of_bytes(patterns, sum(problem.widths))
    walls, outlines = dict(drawn_walls(part)), dict[int, Outline]()
    for group in parts.values():
        pattern = exact.pattern(bits[group[0]])
        around = np.concatenate([np.arange(cells.first[cell], cells.first[cell + 1]) for cell in group])
        numbers = set(edges[around].tolist())
        drawn = [walls[wall] for wall in sorted(set(cells.edges[around[edges[around] == DRAWN]].tolist()))]
        outlines[group[0]] = outline(facets(exact, numbers, drawn, pattern), problem.dimension)
    gone = np.zeros(len(patterns), np.bool_)
    for group in parts.values():
        gone[group[1:]] = True
    return assembled(cells._replace(edges=edges, patterns=patterns), np.flatnonzero(~gone), outlines)


# The number of an additional wall among renumbered edges: far from those of walls of a domain, which a whole space does
# not have.
DRAWN = -2


def renumbered(edges: Ints, part: Walled) -> Ints:
    """Edges of cells of `part.problem`, numbered without the additional walls, which become DRAWN."""
    total, drawn = sum(part.problem.widths), drawn_units(part)
    own = edges >= 0
    further, unit = np.divmod(np.where(own, edges, 0), total)
    moved = unit - np.where(unit >= part.problem.widths[0], part.drawn, 0)
    numbers = np.where(own, further * (total - part.drawn) + moved, edges)
    numbers[own & (further == 0) & np.isin(unit, drawn)] = DRAWN
    return numbers


def drawn_walls(part: Walled) -> Iterator[tuple[int, Any]]:
    """The additional walls of a part: their numbers among its units, and their exact forms."""
    forms = RationalEdges.of(part.problem).forms.forms(0, [])
    return ((unit, forms[unit]) for unit in drawn_units(part).tolist())


def facets(exact: RationalEdges, numbers: set[int], drawn: Sequence[Any], pattern: Pattern) -> list[Side]:
    """The facets of a region, each once: those with a number of their own, and those on additional walls (forms)."""
    sides: list[Side] = []
    for number in sorted(numbers - {INFINITY, DRAWN}):
        form = exact.edge(number, pattern)
        if not any(is_multiple(form, side.form) for side in sides):
            sides.append(Side(number, form))
    for form in drawn:
        if any(is_multiple(form, side.form) for side in sides):
            continue
        matching = next((n for n, other in bounding(exact, pattern) if is_multiple(form, other)), None)
        if matching is not None:
            sides.append(Side(matching, exact.edge(matching, pattern)))
    return sides


def bounding(exact: RationalEdges, pattern: Pattern) -> Iterator[tuple[int, Any]]:
    """All forms that may bound a region with this pattern, with their numbers, of either sign."""
    total = sum(exact.forms.widths)
    for layer, on in enumerate(pattern):
        rows, first = exact.forms.forms(layer, pattern), exact.first_neuron(layer)
        groups = exact.forms.graph.layer(layer).groups
        if groups is None:
            yield from ((first + i, row) for i, row in enumerate(rows))
            continue
        for winner in np.flatnonzero(on).tolist():
            for i in np.flatnonzero(groups == groups[winner]).tolist():
                low, high = sorted((winner, i))
                if low < high:
                    yield total * (1 + high - low) + first + low, difference(rows[low], rows[high])


def is_multiple(form: Any, other: Any) -> bool:
    """Whether two forms, of which only the second may be zero, vanish in the same places of the line or plane."""
    k = len(form)
    return any(other[:-1]) and all(form[i] * other[j] == form[j] * other[i] for i in range(k) for j in range(i))


def outline(sides: Sequence[Side], dimension: int) -> Outline:
    """The cell with these facets."""
    if dimension == 1:
        return interval(sides)
    if not sides:
        axes = [np.array(axis) for axis in ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0])]
        return Outline(axes, [True] * 4, [INFINITY] * 4)
    if all(turn(sides[0].form, side.form) == 0 for side in sides):
        return strip(sides)
    return polygon(sorted(sides, key=cmp_to_key(by_angle)))


def interval(sides: Sequence[Side]) -> Outline:
    """The interval with these ends, from left to right."""
    border = Outline([], [], [])
    for sign in (1, -1):
        side = next((side for side in sides if sign * side.form[0] > 0), None)
        border.corners.append(np.array([-sign * 1.0 if side is None else quotient(-side.form[1], side.form[0])]))
        border.at_infinity.append(side is None)
        border.edges.append(INFINITY if side is None else side.number)
    return border


def strip(sides: Sequence[Side]) -> Outline:
    """The cell between parallel lines, or on one side of one, in the form of `cell_table.strips`."""
    p, q = direction(sides[0].form[:2])
    across, along = np.array([p, q]), np.array([-q, p])
    corners, far, edges = [-along, across, along, -across], [True] * 4, [INFINITY] * 4
    for side in sides:
        a, b, c = side.form
        # The first one is on the left: its inward normal is the transversal direction.
        at = 3 if a * sides[0].form[0] + b * sides[0].form[1] > 0 else 1
        corners[at] = np.array([quotient(-a * c, a * a + b * b), quotient(-b * c, a * a + b * b)])
        far[at] = False
        edges[at] = edges[at - 1] = side.number
    return Outline(corners, far, edges)


def polygon(sides: Sequence[Side]) -> Outline:
    """The cell with these facets, in the order of their inward normals' angles; not all are parallel."""
    border = Outline([], [], [])
    for i, side in enumerate(sides):
        before = sides[i - 1].form
        turned = turn(before, side.form)
        if turned > 0:
            *u, w = cross(before, side.form)
            corner = (np.array([quotient(x, w) for x in u]), False)
        else:
            # Half a turn or more: the cell is unbounded between them, first along the previous one.
            if turned < 0:
                border.corners.append(direction((before[1], -before[0])))
                border.at_infinity.append(True)
                border.edges.append(INFINITY)
            corner = (direction((-side.form[1], side.form[0])), True)
        border.corners.append(corner[0])
        border.at_infinity.append(corner[1])
        border.edges.append(side.number)
    return border


def turn(f: Any, g: Any) -> Any:
    """Positive if g's normal is to the left of f's, zero if they are parallel."""
    return f[0] * g[1] - f[1] * g[0]


def by_angle(one: Side, other: Side) -> int:
    """Compare the angles of two normals, counter-clockwise from the first axis."""
    upper = [form[1] > 0 or (form[1] == 0 and form[0] > 0) for form in (one.form, other.form)]
    if upper[0] != upper[1]:
        return -1 if upper[0] else 1
    turned = turn(one.form, other.form)
    return -1 if turned > 0 else int(turned < 0)


def quotient(above: Any, below: Any) -> float:
    """The float nearest to a fraction of integers."""
    return nearest_float(Fraction(int(above), int(below)))


def direction(vector: Sequence[Any]) -> Floats:
    """An integer vector, normalised."""
    longest = max(abs(int(value)) for value in vector)
    floats = np.array([int(value) / longest for value in vector])
    return np.asarray(floats / np.linalg.norm(floats))


def assembled(cells: Cells, kept: Ints, outlines: dict[int, Outline]) -> Cells:
    """The kept cells in order, with an outline in place of those that have one."""
    sizes = np.diff(cells.first)
    for cell, made in outlines.items():
        sizes[cell] = len(made.edges)
    first = np.concatenate([[0], np.cumsum(sizes[kept])])
    corners = np.empty((first[-1], cells.corners.shape[1]))
    at_infinity, edges = np.empty(first[-1], np.bool_), np.empty(first[-1], np.int64)
    as_they_were = np.array([cell not in outlines for cell in kept.tolist()], np.bool_)
    old = spans(cells.first[kept[as_they_were]], sizes[kept[as_they_were]])
    new = spans(first[:-1][as_they_were], sizes[kept[as_they_were]])
    corners[new], at_infinity[new], edges[new] = cells.corners[old], cells.at_infinity[old], cells.edges[old]
    for place in np.flatnonzero(~as_they_were).tolist():
        made, rows = outlines[int(kept[place])], slice(first[place], first[place + 1])
        corners[rows], at_infinity[rows], edges[rows] = made
    return Cells(first, corners, at_infinity, edges, cells.patterns[kept])
