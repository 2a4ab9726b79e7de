"""Run the loop: answer its questions, grow its arrays, report the regions it counts."""

from __future__ import annotations

from collections.abc import Callable

from creases.engine.loop.cut import cut
from creases.engine.loop.oracle import Oracle
from creases.engine.proof.bounds import flushes_to_zero
from creases.engine.state.growth import grown
from creases.engine.state.slots import (
    FULL,
    MORE,
    UNPROVED_CELL,
    VANISHING_ROW,
)
from creases.engine.state.work import (
    AnyWork,
)

__all__ = ["Report", "drive"]

# Called with the number of new regions; a negative one where those of a wall are subtracted.
Report = Callable[[int], None]

# Questions that are answered between two looks at progress and Ctrl-C: some tenths of a second.
MOST_QUESTIONS = 1000


def drive(work: AnyWork, oracle: Oracle, budget: int, report: Report) -> tuple[AnyWork, int]:
    """Run the loop for about `budget` cells, answering its questions and growing its arrays; DONE or MORE."""
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
        else:
            report(int(work.by_layer[-1]) - before)
            return work, status
