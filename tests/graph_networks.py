"""The reference's levels as networks of creases."""

import numpy as np

import reference
from creases import Clip, Dense, Level, Max, Network, Slopes


def as_kink(kink):
    if isinstance(kink, reference.Slopes):
        below, above = np.array(kink.pairs, dtype=float).T
        return Slopes(below, above)
    if isinstance(kink, reference.Clip):
        return Clip(*(np.array(bound, dtype=float) for bound in kink))
    return Max(kink.groups)


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
