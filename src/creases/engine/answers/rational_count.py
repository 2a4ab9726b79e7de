"""A count in rational arithmetic alone, for starting cells whose numbers are not representable in floats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.double_description import dot
from creases.engine.proof.rational import Cuttable, Form
from creases.engine.proof.rational_forms import RationalForms

__all__ = ["RationalTally", "count_below"]

# A part of a cell, and the known signs of units of the current layer there.
Part = tuple[Cuttable, dict[int, bool]]


class RationalTally:
    """The counts: regions after each layer, by neuron, and unbounded regions."""

    def __init__(self, widths: Sequence[int]) -> None:
        self.by_layer = [0] * len(widths)
        self.by_neuron = [[0] * width for width in widths]
        self.unbounded = 0


def count_below(
    forms: RationalForms,
    cell: Cuttable,
    layer: int,
    known: dict[int, bool],
    pattern: list[NDArray[np.bool_]],
    tally: RationalTally,
) -> None:
    """Cut a cell by the rest of its layer and by all layers above, and add its regions to the tally.

    layer : the lowest layer that is not decided on the cell.
    known : the neurons of that layer whose sign on the cell is known.
    pattern : bool arrays of the layers below.
    """
    rows, groups = forms.forms(layer, pattern), forms.graph.layer(layer).groups
    finished: list[Part] = [(cell, dict(known))]
    if groups is None:
        for j in range(len(rows)):
            if j not in known:
                finished = [part for piece in finished for part in by_neuron(piece, j, rows[j])]
                tally.by_neuron[layer][j] += len(by_neuron((cell, {}), j, rows[j])) > 1
    else:
        for switch in np.unique(groups):
            candidates = np.flatnonzero(groups == switch).tolist()
            finished = [part for piece in finished for part in by_switch(piece, candidates, rows)]
            parts = len(list(by_switch((cell, {}), candidates, rows)))
            tally.by_neuron[layer][candidates[0]] += parts > 1
    tally.by_layer[layer] += len(finished)
    last = layer + 1 == len(forms.widths)
    for piece, active in finished:
        if last:
            tally.unbounded += any(ray[-1] == 0 for ray in piece.rays)
        else:
            below = np.array([active[j] for j in range(len(rows))], dtype=np.bool_)
            count_below(forms, piece, layer + 1, {}, [*pattern, below], tally)


def by_neuron(part: Part, neuron: int, row: Form) -> list[Part]:
    """The part, or the two parts into which a neuron's zero set divides it, with its sign."""
    piece, active = part
    values = [dot(row, ray) for ray in piece.rays]
    if max(values) > 0 > min(values):
        return [(piece.part(row, values, sign), {**active, neuron: sign > 0}) for sign in (1, -1)]
    return [(piece, {**active, neuron: max(values) > 0})]


def by_switch(part: Part, candidates: list[int], rows: list[Form]) -> Iterator[Part]:
    """For each candidate of a switch that wins somewhere in the part, the set where it wins."""
    for winner in candidates:
        piece: Cuttable | None = part[0]
        for other in candidates:
            if other != winner and piece is not None:
                piece = where_above(piece, winner, other, rows)
        if piece is not None:
            yield piece, {**part[1], **{candidate: candidate == winner for candidate in candidates}}


def where_above(piece: Cuttable, one: int, other: int, rows: list[Form]) -> Cuttable | None:
    """The set where one candidate exceeds another; if the two are equal, the first wins. None if it is empty."""
    row = tuple(a - b for a, b in zip(rows[one], rows[other], strict=True))
    values: list[Any] = [dot(row, ray) for ray in piece.rays]
    if max(values) > 0 > min(values):
        return piece.part(row, values, 1)
    if max(values) > 0 or (min(values) == 0 and one < other):
        return piece
    return None
