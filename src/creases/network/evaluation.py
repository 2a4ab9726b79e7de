"""Evaluation of levels in float64, one after the other: values at points, and the affine map of one pattern.

Nothing here is proved. Values that no later level takes are released, so a deep network needs only the memory of its
widest part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from creases.errors import NetworkError
from creases.network.levels import Level
from creases.network.operators.operator import Floats

__all__ = ["affine_map_of_levels", "evaluate", "last_uses"]


def evaluate(levels: Sequence[Level], points: Floats) -> Iterator[tuple[Level, Floats, Floats]]:
    """The levels in order, each with its sums (..., n_units) and its values (..., n_values).

    points : float64 (..., n_in).
    """
    values: list[Floats | None] = [points]
    for level, unneeded in zip(levels, last_uses(levels), strict=True):
        z = level.sums(values)
        result = level.kink.apply(z)
        values.append(result)
        for source in unneeded:
            values[source] = None
        yield level, z, result


def affine_map_of_levels(levels: Sequence[Level], pattern: Sequence[ArrayLike], n_in: int) -> tuple[Floats, Floats]:
    """Matrix (n_out, n_in) and offset (n_out,) of the affine map of the levels on one pattern, given as one array per
    layer.

    Raises NetworkError if an array of the pattern does not fit its layer.
    """
    parts = iter(pattern)
    # Rows: the derivative by each input, and last the constant.
    values = np.eye(n_in + 1, n_in)
    forms: list[Floats | None] = [values]
    for level, unneeded in zip(levels, last_uses(levels), strict=True):
        linear = level.linear(forms)
        linear[-1] += level.bias
        here = np.zeros(0, dtype=bool)
        if places := level.neurons + level.switches:
            here = np.asarray(next(parts))
            if here.shape != (places,):
                raise NetworkError(f"The pattern of {level!r} has shape ({places},), got {here.shape}.")
        branch = level.kink.branch(here, level.n_units)
        values = (linear if branch.units is None else linear[:, branch.units]) * branch.slopes
        values[-1] += branch.offsets
        forms.append(values)
        for source in unneeded:
            forms[source] = None
    return np.ascontiguousarray(values[:-1].T), values[-1].copy()


def last_uses(levels: Sequence[Level]) -> list[list[int]]:
    """For each level, those of its sources that no later level takes."""
    last: dict[int, int] = {}
    for number, level in enumerate(levels):
        last.update(dict.fromkeys(level.sources, number))
    result: list[list[int]] = [[] for _ in levels]
    for source, number in last.items():
        result[number].append(source)
    return result
