"""Data that are reused from one cut to the next: workspaces, and facts about a network or a domain.

Planes through one network share the multiples among its neurons; checkpoints of one run share the domain's starting
cell. Both share the arrays, which have already grown to the required sizes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from creases.engine.problem import Floats, IntegerPolytope, Problem
from creases.engine.proof.signs import UNPROVED
from creases.engine.starts.bounded import bounded_start
from creases.engine.starts.chart import AnyStart
from creases.engine.starts.first_layer import FirstLayer, restricted
from creases.engine.state.growth import check_room
from creases.engine.state.row_layout import (
    FIRST_NEURON,
)
from creases.engine.state.slots import (
    DEPTH,
    DIMENSION,
    WORDS,
)
from creases.engine.state.work import (
    AnyWork,
    allocate,
    allocate_in_space,
    arena_numbers,
)

__all__ = ["Workshop"]


class Workshop:
    """Provides the workspaces of cuts. Threads of one cut may use it at the same time.

    say : called with a word about the present long step, and with "" when it is finished.
    """

    def __init__(self, say: Callable[[str], None] = lambda _: None) -> None:
        self.say = say
        # By dimension, because a cut in space may also need one for a wall. Append and pop are atomic.
        self._spare: defaultdict[int, list[AnyWork]] = defaultdict(list)
        self._first: FirstLayer | None = None
        self._start: tuple[Floats | IntegerPolytope, AnyStart] | None = None

    def take(self, widths: list[int], dimension: int, corners: int, rows: list[int]) -> AnyWork:
        """An empty workspace: a returned one if it has these widths and room for such cells and rows."""
        spare = self._spare[dimension]
        while spare:
            try:
                work = spare.pop()
            except IndexError:  # another thread took it first
                break
            room = work.row_ints.shape[1] >= max([*rows, 1]) and work.open_ints.shape[1] >= sum(rows)
            if hidden_widths(work) == widths and work.values_nc.shape[1] >= corners and room:
                return emptied(work)
        # Values and answers of the lowest layer's rows at the corners, and the questions about them.
        check_room(arena_numbers(rows) + 4 * max([*rows, 1]) * corners, rows)
        return (allocate if dimension < 3 else allocate_in_space)(widths, dimension, corners, rows)

    def take_like(self, work: AnyWork) -> AnyWork:
        """An empty workspace for the same cut, for another thread."""
        rows = [work.row_ints.shape[1], work.open_ints.shape[1] - work.row_ints.shape[1]]
        mine = self.take(hidden_widths(work), int(work.state[DIMENSION]), work.values_nc.shape[1], rows)
        if mine.out_reals.size < work.out_reals.size:
            mine = mine._replace(out_reals=np.zeros_like(work.out_reals), out_ints=np.zeros_like(work.out_ints))
        mine.state[:], mine.layer_ints[:] = work.state, work.layer_ints
        mine = mine._replace(signs=work.signs)
        mine.twins[:], mine.slopes[:], mine.switches[:] = work.twins, work.slopes, work.switches
        return mine

    def give_back(self, work: AnyWork) -> None:
        """Return a workspace whose sums are no longer needed."""
        self._spare[int(work.state[DIMENSION])].append(work)

    def first_layer(self, problem: Problem) -> FirstLayer:
        """The first layer of a problem; it is reused as long as the problem is the same."""
        first = self._first
        if first is None or first.problem is not problem:
            self._first = first = FirstLayer(problem)
        return first

    def across(self, problem: Problem) -> Problem | None:
        """A problem without the lines of a whole space that lie in every region, usually the problem itself. None if no
        dimension remains, or the network has no layer, so that nothing cuts.
        """
        if not problem.graph.layers:
            return None
        return restricted(problem) if self.first_layer(problem).is_constant_somewhere else problem

    def bounded_start(self, vertices: Floats | IntegerPolytope) -> AnyStart:
        """The starting cell of a bounded domain (`bounded.bounded_start`)."""
        if self._start is None or not same_domain(self._start[0], vertices):
            self._start = vertices, bounded_start(vertices)
        return self._start[1]


def hidden_widths(work: AnyWork) -> list[int]:
    """The widths for which a workspace was allocated."""
    widths: list[int] = np.diff(work.layer_ints[:, FIRST_NEURON]).tolist()
    return widths


def same_domain(one: Floats | IntegerPolytope, other: Floats | IntegerPolytope) -> bool:
    """Whether two bounded domains have the same corners."""
    if isinstance(one, IntegerPolytope) or isinstance(other, IntegerPolytope):
        return one is other or (type(one) is type(other) and bool(one == other))
    return np.array_equal(one, other)


def emptied(work: AnyWork) -> AnyWork:
    """A used workspace in the state after `allocate`, except for entries that are written before they are read."""
    state = work.state
    depth, dimension, words = state[DEPTH], state[DIMENSION], state[WORDS]
    state[:] = 0
    state[DEPTH], state[DIMENSION], state[WORDS] = depth, dimension, words
    work.layer_ints[:, FIRST_NEURON + 1 :] = 0
    for array in (work.pattern, work.row_ints, work.by_layer, work.by_neuron):
        array[:] = 0
    work.answers_nc[:] = UNPROVED
    return work
