"""Random numbers: each use of a seed has a stream of its own, so that no two uses draw the same numbers.

NumPy's generator takes a seed. If two parts of the package used the generator of the same seed, they would draw the
same numbers, and quantities that should be independent would not be: noise images could equal the weights of the first
layer. So every use has a tag here, and its numbers are those of `SeedSequence(seed, spawn_key=(tag, ...))`, which are
independent of those of other tags and of the seed alone. The weights of a network are drawn from the seed alone,
`default_rng(seed)`, as the documentation of `Network.he` and `he_network` says.
"""

from __future__ import annotations

import numpy as np

__all__ = ["TAGS", "stream"]

# A tag must never be used for another purpose, because existing results would change silently.
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

    use : a key of `TAGS`. seed : integer, at least 0. parts : integers, at least 0, that distinguish several streams of
        one use, such as the epochs of a training.
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
