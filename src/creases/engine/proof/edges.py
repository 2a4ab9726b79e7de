"""The exact edges of a cell: neurons by their number on the cell's pattern, walls, and infinity."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.engine.problem import FIRST_WALL, INFINITY, IntegerPolytope, Pattern, Problem
from creases.engine.proof.rational import scaled, vertex_cell
from creases.engine.proof.rational_forms import RationalForms

__all__ = ["RationalEdges", "difference"]


def difference(form: Any, less: Any) -> Any:
    """What one exact form of a layer exceeds another by."""
    return tuple(a - b for a, b in zip(form, less, strict=True))


class RationalEdges:
    """Inward forms of edges by their ids: a neuron's number (counted through the layers), INFINITY, FIRST_WALL - i,
    or that of the wall between two candidates of a switch (`units`).

    forms : the exact forms of the neurons. walls : exact inward forms of the domain's own edges.
    """

    def __init__(self, forms: RationalForms, walls: Sequence[Any]) -> None:
        self.forms = forms
        self._walls = walls
        self._starts: list[int] = np.cumsum([0, *forms.widths]).tolist()

    @classmethod
    def of(cls, problem: Problem) -> RationalEdges:
        """The edges of a problem's cells, in the domain's own coordinates."""
        if isinstance(problem.vertices, IntegerPolytope):
            walls: Sequence[Any] = problem.vertices.walls
        else:
            walls = [] if problem.vertices is None else vertex_cell(problem.vertices).edges
        return cls(RationalForms.of(problem), walls)

    @property
    def walls(self) -> int:
        """How many edges the domain has of its own."""
        return len(self._walls)

    def pattern(self, bits: NDArray[np.bool_]) -> Pattern:
        """Bits of all neurons as one bool array a layer."""
        return [bits[a:b] for a, b in zip(self._starts, self._starts[1:], strict=False)]

    def neuron(self, number: int) -> tuple[int, int]:
        """Layer and index of a neuron."""
        layer = bisect_right(self._starts, number) - 1
        return layer, number - self._starts[layer]

    def units(self, number: int) -> tuple[int, int, int | None]:
        """Layer of an edge that is no wall of the domain, and the index of its neuron, or of its two candidates: on the
        inner side the first is the larger where its bit is set in the pattern.

        N units have the numbers below N. The wall between candidate a and candidate a + k is N (1 + k) + a.
        """
        total = self._starts[-1]
        if number < total:
            return *self.neuron(number), None
        layer, one = self.neuron(number % total)
        return layer, one, one + number // total - 1

    def layer(self, number: int) -> int:
        """Layer of an edge; 0 for the domain's own."""
        return self.units(number)[0] if number >= 0 else 0

    def first_neuron(self, layer: int) -> int:
        """The number of a layer's first neuron."""
        return self._starts[layer]

    def wall(self, number: int) -> Any:
        """The form of an edge that is not a neuron (number < 0)."""
        return self.forms.infinity if number == INFINITY else self._walls[FIRST_WALL - number]

    def edge(self, number: int, pattern: Pattern) -> Any:
        """The form of an edge of a cell with this pattern."""
        if number < 0:
            return self.wall(number)
        layer, index, other = self.units(number)
        rows = self.forms.some(layer, [index] if other is None else [index, other], pattern)
        form = rows[index] if other is None else difference(rows[index], rows[other])
        assert form is not None
        return form if pattern[layer][index] else scaled(form, -1)
