"""The reference's levels as networks of creases, and the patterns of both in bits."""

from fractions import Fraction

import numpy as np

import reference
from creases import Abs, Clip, Dense, Divide, LeakyReLU, Level, Linear, Max, Network, ReLU, Slopes
from graph_cases import KINKS

__all__ = ["KINKS", "as_kink", "as_network", "packed", "with_divisions"]

PLAIN = {(0, 1): ReLU(), (1, 1): Linear(), (-1, 1): Abs()}


def as_kink(kink):
    """The kink of creases that does the same."""
    if isinstance(kink, reference.Clip):
        return Clip(*(np.array(bound, dtype=float) for bound in kink))
    if isinstance(kink, reference.Max):
        return Max(kink.groups)
    below, above = np.array(kink.pairs, dtype=float).T
    if (above == 1).all():
        return (PLAIN.get(kink.pairs[0]) if len(set(kink.pairs)) == 1 else None) or LeakyReLU(below)
    return Slopes(below, above)


def as_network(levels, n_in):
    """A network of dense operators with these levels of the reference."""
    return Network.from_levels(
        [
            Level(
                {source: Dense(np.array(matrix, dtype=float)) for source, matrix in level.sources.items()},
                level.bias,
                as_kink(level.kink),
            )
            for level in levels
        ],
        n_in=n_in,
    )


def with_divisions(levels, n_in, draw):
    """The levels of the reference with a division after the inputs and after each level, and the network of dense
    operators that divides so. draw : a function of a size to the numbers to divide by.
    """
    numbers = draw(n_in)
    specified, made = [quotient(0, numbers)], [Level({0: Divide(numbers)}, None, Linear())]
    at = [1]
    for level in levels:
        # Each level takes the quotients of the levels that it took.
        specified.append(level._replace(sources={at[p]: matrix for p, matrix in level.sources.items()}))
        operators = {p: Dense(np.array(matrix, dtype=float)) for p, matrix in specified[-1].sources.items()}
        made.append(Level(operators, level.bias, as_kink(level.kink)))
        numbers = draw(made[-1].n_values)
        specified.append(quotient(len(made), numbers))
        made.append(Level({len(made): Divide(numbers)}, None, Linear()))
        at.append(len(made))
    return specified, Network.from_levels(made, n_in=n_in)


def quotient(source, numbers):
    """A level of the reference: the values of another one divided by numbers."""
    rows = [[1 / Fraction(x) if i == j else 0 for j in range(len(numbers))] for i, x in enumerate(numbers)]
    return reference.Level({source: rows}, [0] * len(numbers), reference.linear(len(numbers)))


def packed(network, pattern):
    """A pattern of the specification as a row of `Network.packed_pattern`."""
    kinks = [network.levels[number - 1].kink for number in network.layers]
    bits = [kink.bits(np.array(states)) for kink, states in zip(kinks, pattern, strict=True)]
    return np.packbits(np.concatenate([np.zeros(0, bool), *bits]), bitorder="little").tobytes()
