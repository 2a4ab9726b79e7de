"""Run the loop: answer its questions, grow its arrays, report what it finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from creases.engine.bounds import flushes_to_zero
from creases.engine.cut import cut
from creases.engine.oracle import Oracle
from creases.engine.signs import UNPROVED
from creases.engine.work import (
    FULL,
    FULL_ARRAY,
    MORE,
    NEEDED,
    UNPROVED_CELL,
    Work,
)

__all__ = ["Report", "drive", "grown"]

Report = Callable[[int], None]

# Questions that are answered between two looks at progress and Ctrl-C: some tenths of a second.
MOST_QUESTIONS = 1000

# Arrays with an axis of corners grow together: the axis, and what fills the new part.
PER_CORNER = {
    "cell_reals": (1, 0),
    "cell_ints": (1, 0),
    "values_nc": (1, 0),
    "answers_nc": (1, UNPROVED),
    "asks": (0, 0),
}


def drive(work: Work, oracle: Oracle, budget: int, report: Report) -> tuple[Work, int]:
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
        elif status == FULL:
            work = grown(work)
        else:
            report(int(work.by_layer[-1]) - before)
            return work, status


def grown(work: Work) -> Work:
    """The workspace with the array that was full made larger."""
    name, needed = Work._fields[int(work.state[FULL_ARRAY])], int(work.state[NEEDED])
    if name in PER_CORNER:
        more = needed - work.cell_reals.shape[1]
        larger = {}
        for field, (axis, fill) in PER_CORNER.items():
            old = getattr(work, field)
            pads = [(0, 0)] * old.ndim
            pads[axis] = (0, more * (work.row_ints.shape[1] if field == "asks" else 1))
            larger[field] = np.pad(old, pads, constant_values=fill)
        return work._replace(**larger)
    old = getattr(work, name)
    new = np.zeros(max(needed, 2 * old.size), old.dtype)
    new[: old.size] = old
    return work._replace(**{name: new})
