"""Networks of creases from the levels of the specification, and the patterns of both in bits."""

import numpy as np

import reference
from creases import Network
from creases.network import Abs, Clip, Dense, LeakyReLU, Level, Linear, Max, ReLU

# Kinks of `graph_cases` that a network of creases has; any two slopes it has not.
KINKS = ("relu", "leaky", "abs", "clip", "max", "linear")


def as_kink(kink):
    """The kink of creases that does the same."""
    if isinstance(kink, reference.Clip):
        return Clip(kink.low, kink.high)
    if isinstance(kink, reference.Max):
        return Max(kink.groups)
    below, above = zip(*kink.pairs, strict=True)
    if set(above) != {1}:
        raise ValueError(f"no kink of creases has slopes {kink.pairs}")
    plain = {(0,): ReLU(), (1,): Linear(), (-1,): Abs()}
    return plain.get(tuple(set(below))) or LeakyReLU(list(below))


def as_network(levels, n_in):
    return Network.from_levels(
        [
            Level({p: Dense(matrix) for p, matrix in level.sources.items()}, level.bias, as_kink(level.kink))
            for level in levels
        ],
        n_in=n_in,
    )


def packed(network, pattern):
    """A pattern of the specification as a row of `Network.packed_pattern`."""
    kinks = [network.levels[number - 1].kink for number in network.layers]
    bits = [kink.bits(np.array(states)) for kink, states in zip(kinks, pattern, strict=True)]
    return np.packbits(np.concatenate([np.zeros(0, bool), *bits]), bitorder="little").tobytes()


def plain(pattern):
    """A pattern of creases as the specification has it."""
    return tuple(tuple(states.tolist()) for states in pattern)
