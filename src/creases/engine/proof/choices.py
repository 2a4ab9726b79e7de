"""Levels that choose: linear units whose value is one of two others' everywhere, as a minimum's is, or a maximum's.

    x_a - relu(x_a - x_b) = min(x_a, x_b),        x_b + relu(x_a - x_b) = max(x_a, x_b).

On a cell such a unit has the form of x_a or of x_b, whatever is added up to get it, and over an open neuron that of x_a
and one coupling. So its numbers do not grow from level to level, as they would by the sizes of what is added
(`exact_layers`).
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from creases.engine.convolution import Convolution
from creases.engine.graph import INPUTS, Graph, Level, entries_of

__all__ = ["choices_of"]

# The levels that choose, of each graph that is in use.
known: WeakKeyDictionary[Graph, dict[int, tuple[int, ...]]] = WeakKeyDictionary()

# A unit: its level, and its place there. A sum: a number for each unit.
Sum = dict[tuple[int, int], float]
Sums = list[Sum | None] | None


def choices_of(graph: Graph) -> dict[int, tuple[int, ...]]:
    """The linear levels of which every unit is a choice between two others, or a copy of one; for each the levels of
    all that is chosen from. Empty where there is none."""
    if graph not in known:
        known[graph] = find_choices(graph)
    return known[graph]


def find_choices(graph: Graph) -> dict[int, tuple[int, ...]]:
    """`choices_of`."""
    found: dict[int, tuple[int, ...]] = {}
    sums: dict[int, Sums] = {}
    for number, level in enumerate(graph.levels, 1):
        sums[number] = sums_of(level)
        mine = sums[number]
        if level.slopes is not None or mine is None:
            continue
        chosen = [chosen_from(graph, row, sums) for row in mine]
        if all(chosen):
            found[number] = tuple(sorted({source for each in chosen for source in each}))
    return found


def sums_of(level: Level) -> Sums:
    """The sums of a level's units, None for one of more than two units, or with a bias; None if more is done in it than
    to add units up."""
    plain = level.groups is None and level.divisors is None and level.doubts is None
    if not plain or any(source <= INPUTS or isinstance(matrix, Convolution) for source, matrix in level.terms):
        return None
    sums: list[Sum | None] = [None if bias else {} for bias in level.bias.tolist()]
    for source, matrix in level.terms:
        for row, column, factor in entries_of(matrix):
            total = sums[row]
            if total is None or not factor:
                continue
            again = (source, column) in total  # stored in parts
            total[source, column] = factor
            sums[row] = total if len(total) <= 2 and not again else None
    return sums


def chosen_from(graph: Graph, row: Sum | None, sums: dict[int, Sums]) -> tuple[int, ...]:
    """The levels of the units that a sum is one of, up to their signs; none if it is no choice.

    f x + g relu(w), w = s x + t y, is f x where the neuron is inactive, and f x + g s x + g t y where it is active,
    which is g t y if f + g s is zero.
    """
    if not row or any(abs(factor) != 1.0 for factor in row.values()):
        return ()
    if len(row) == 1:
        ((level, _),) = row
        return (level,) if graph.levels[level - 1].slopes is None else ()
    (one, f), (other, g) = row.items()
    if graph.levels[one[0] - 1].slopes is not None:
        one, f, other, g = other, g, one, f
    slopes = graph.levels[other[0] - 1].slopes
    if slopes is None or graph.levels[one[0] - 1].slopes is not None or slopes[:, other[1]].tolist() != [0.0, 1.0]:
        return ()
    compared = sums[other[0]]
    pair = None if compared is None else compared[other[1]]
    if pair is None or len(pair) != 2 or f + g * pair.get(one, 0.0) != 0.0:
        return ()
    if any(abs(factor) != 1.0 for factor in pair.values()):
        return ()
    return tuple(level for level, _ in pair)
