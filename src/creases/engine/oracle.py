"""Answers for the cells on which floats cannot prove a sign: rationals decide, for that cell's open questions only.

The kernel stops with UNPROVED_CELL and lists (row, corner) pairs in `asks`. The corner is where two known
forms vanish, so its sign under the row's form is a determinant of integers. The corners' coordinates are then
set to the floats nearest to the true ones, so that most later signs on the cell need no rationals.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.engine.bounds import UNIT
from creases.engine.exact import ExactForms, dot, exact_corners, scaled
from creases.engine.signs import NEGATIVE, POSITIVE, ZERO
from creases.engine.work import ASKED, CELL, CORNERS, DIMENSION, EXACT_CELLS, FIELDS, HEADER, IDS, LOWEST, NETWORK, Work

__all__ = ["Oracle"]


class Oracle:
    """Decides the questions of one starting cell's workspace.

    forms : the exact forms in the cell's chart. walls : exact forms of edges that are not neurons.
    """

    def __init__(self, forms: ExactForms, walls: list[Any]) -> None:
        self._forms = forms
        self._walls = [forms.infinity, *walls[1:]]
        self._first = np.concatenate([[0], np.cumsum(forms.widths)])

    def answer(self, work: Work) -> None:
        """Write the sign of every asked pair into answers_cn, and sharpen the cell's corners."""
        state = work.state
        pattern = self.pattern(work.pattern)
        corners = self.corners(work, pattern)
        net = int(state[NETWORK])
        layer = int(work.ints[net + LOWEST])
        ids = int(work.ints[net + HEADER + FIELDS * layer + IDS])
        rows = self._forms.forms(layer, pattern)
        for row, corner in work.asks[: int(state[ASKED])].tolist():
            value = dot(rows[int(work.ints[ids + row])], corners[corner])
            work.answers_cn[corner, row] = POSITIVE if value > 0 else NEGATIVE if value < 0 else ZERO
        self.sharpen(work, corners)
        state[EXACT_CELLS] += 1

    def pattern(self, words: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
        """The bits of a packed pattern, one bool array a layer."""
        bits = np.unpackbits(words.astype("<i8").view(np.uint8), bitorder="little").astype(np.bool_)
        return [bits[a:b] for a, b in zip(self._first, self._first[1:], strict=False)]

    def edge(self, edge_id: int, pattern: list[NDArray[np.bool_]]) -> Any:
        """The exact inward form of an edge of a cell with this pattern."""
        if edge_id < 0:
            return self._walls[-1 - edge_id]
        layer = int(np.searchsorted(self._first, edge_id, side="right")) - 1
        neuron = edge_id - int(self._first[layer])
        form = self._forms.forms(layer, pattern)[neuron]
        return form if pattern[layer][neuron] else scaled(form, -1)

    def corners(self, work: Work, pattern: list[NDArray[np.bool_]]) -> list[Any]:
        """The exact corners of the current cell as rays with positive last coordinate."""
        edges = [self.edge(int(i), pattern) for i in work.cell_ints[CELL, : int(work.state[CORNERS]), 0]]
        return exact_corners(edges)

    def sharpen(self, work: Work, corners: list[Any]) -> None:
        """Set the current cell's corners to the floats nearest to the true ones."""
        d = int(work.state[DIMENSION])
        for v, ray in enumerate(corners):
            worst = 0.0
            for c in range(d):
                true = Fraction(int(ray[c]), int(ray[-1]))
                near = float(true)
                work.cell_reals[CELL, v, c] = near
                if Fraction(near) != true:
                    worst = max(worst, 2.0 * UNIT * abs(near) + 2.0**-1070)
            work.cell_reals[CELL, v, d] = worst
