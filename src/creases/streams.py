"""Random numbers: each use of a seed has a stream of its own, so that no two uses draw the same numbers.

Numpy gives one generator a seed. Two parts of the project that ask for the generator of the same seed would draw the
same numbers, and what should be independent would not be: noise images that are the weights of the first layer, say.
So every use has a tag here, and its numbers are those of `SeedSequence(seed, spawn_key=(tag, ...))`, which numpy keeps
apart from each other and from the seed alone. The weights of a network are the seed's own, `default_rng(seed)`: this is
what the documentation of `Network.he` and `he_network` promises.
"""

from __future__ import annotations

import numpy as np

__all__ = ["TAGS", "stream"]

# A tag is never used again for another purpose: results made with it would change without a word.
TAGS: dict[str, tuple[int, ...]] = {
    "network": (),
    "inputs for a law of biases": (1,),
    "split into training and test": (2,),
    "label noise": (3,),
    "random points": (4,),
    "pixel noise": (5,),
    "order of examples": (6,),
    "planes through the origin": (7,),
    "planes through examples": (8,),
    "lines through examples": (9,),
    "points for distances": (10,),
    "points for gradients": (11,),
    "noise on a construction": (12,),
    "resampling of biases": (13,),
    "networks for C_grad": (14,),
    "networks for Kac-Rice": (15,),
    "points of a table": (16,),
    "networks in cubes": (17,),
    "points in cubes": (18,),
    "audited cells": (19,),
    "audited points": (20,),
    "resampling of runs": (21,),
    "networks that warm the kernels": (22,),
    "keys of patterns": (23,),
    "oblique directions": (24,),
    "keys of bits": (25,),
    "keys of vertices": (26,),
    "biases for C_bias": (32,),
    "checked cells": (48,),
    "keys of faces": (49,),
    "sums of outputs": (50,),
    "directions of cross-polytopes": (51,),
    "noise of local complexity": (52,),
    "keys of walls": (53,),
    "planes of the explorer": (54,),
}


def stream(use: str, seed: int, *parts: int) -> np.random.Generator:
    """The generator of one use of a seed.

    use : a key of `TAGS`. seed : whole number, at least 0. parts : whole numbers, at least 0, that tell apart several
    streams of one use, as the epochs of a training.
    Raises KeyError on a use that has no tag, ValueError on a negative seed or part.

    Examples
    --------
    >>> int(stream("network", 3).integers(1000)), int(np.random.default_rng(3).integers(1000))
    (811, 811)
    >>> int(stream("pixel noise", 3).integers(1000)) == int(stream("label noise", 3).integers(1000))
    False
    """
    key = (*TAGS[use], *parts)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key) if key else seed)
