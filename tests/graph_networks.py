"""The reference's levels as networks of creases, and the patterns of both in bits."""

import numpy as np

import reference
from creases import Abs, Clip, Dense, LeakyReLU, Level, Linear, Max, Network, ReLU, Slopes
from graph_cases import KINKS

__all__ = ["KINKS", "as_kink", "as_network", "packed"]

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


def packed(network, pattern):
    """A pattern of the specification as a row of `Network.packed_pattern`."""
    kinks = [network.levels[number - 1].kink for number in network.layers]
    bits = [kink.bits(np.array(states)) for kink, states in zip(kinks, pattern, strict=True)]
    return np.packbits(np.concatenate([np.zeros(0, bool), *bits]), bitorder="little").tobytes()
