"""Run the loop: answer its questions, grow its arrays, report what it finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from creases.engine.bounds import flushes_to_zero
from creases.engine.cut import cut
from creases.engine.oracle import Oracle
from creases.engine.signs import UNPROVED
from creases.engine.work import (
    CROWDED_CELL,
    DIMENSION,
    FULL,
    FULL_ARRAY,
    MORE,
    MOST_FACETS,
    NEEDED,
    UNPROVED_CELL,
    VANISHING_ROW,
    AnyWork,
)

__all__ = ["Report", "drive", "grown"]

Report = Callable[[int], None]

# Questions that are answered between two looks at progress and Ctrl-C: some tenths of a second.
MOST_QUESTIONS = 1000

# Arrays with an axis of corners grow together: the axis, and what fills the new part.
PER_CORNER = {
    "cell_reals": (1, 0),
    "cell_ints": (1, 0),
    "points": (2, 0),
    "masks": (1, 0),
    "sides": (0, 0),
    "edges": (0, 0),
    "row_values": (0, 0),
    "section_reals": (2, 0),
    "section_ints": (2, 0),
    "values_nc": (1, 0),
    "answers_nc": (1, UNPROVED),
    "asks": (0, 0),
}


def drive(work: AnyWork, oracle: Oracle, budget: int, report: Report) -> tuple[AnyWork, int]:
    """Run the loop for about `budget` cells, answering its questions and growing its arrays. DONE or MORE."""
    if flushes_to_zero(2.0**-1022):
        from creases.errors import ComputationError

        raise ComputationError(
            "This thread flushes denormal numbers to zero, so no sign can be proved. Something in the process "
            "(a library built with -ffast-math, or torch.set_flush_denormal(True)) has switched that on; switch it off."
        )
    before, questions = int(work.by_layer[-1]), 0
    while True:
        status = int(cut(work, budget))
        if status == UNPROVED_CELL:
            oracle.answer(work)
            questions += 1
            if questions == MOST_QUESTIONS:
                report(int(work.by_layer[-1]) - before)
                return work, MORE
        elif status == VANISHING_ROW:
            oracle.answer_vanishing(work)
        elif status == FULL:
            work = grown(work)
        elif status == CROWDED_CELL:
            from creases.errors import ComputationError

            raise ComputationError(
                f"A region of {int(work.state[DIMENSION])} dimensions has more than {MOST_FACETS} facets, more than a "
                "cell has room for. Cut a smaller domain, or a slice of fewer dimensions."
            )
        else:
            report(int(work.by_layer[-1]) - before)
            return work, status


def grown(work: AnyWork) -> AnyWork:
    """The workspace with the array that was full made larger."""
    name, needed = type(work)._fields[int(work.state[FULL_ARRAY])], int(work.state[NEEDED])
    if name in PER_CORNER:
        before, larger = work.values_nc.shape[1], {}
        for field, (axis, fill) in PER_CORNER.items():
            if field in work._fields:
                old = getattr(work, field)
                pads = [(0, 0)] * old.ndim
                pads[axis] = (0, old.shape[axis] // before * (needed - before))
                larger[field] = np.pad(old, pads, constant_values=fill)
        return work._replace(**larger)
    old = getattr(work, name)
    new = np.zeros(max(needed, 2 * old.size), old.dtype)
    new[: old.size] = old
    return work._replace(**{name: new})
