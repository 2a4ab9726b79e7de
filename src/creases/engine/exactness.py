"""What can be known of a network before it is cut: layers without rounding, neurons that are multiples of others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creases.engine.exact import as_integers

__all__ = ["exact_layers", "twins"]

Floats = NDArray[np.float64]

# Every number that exact arithmetic meets is a multiple of a power of two above this, so none underflows.
FINEST = -900


def exact_layers(forms: Floats, bounds: Floats, weights: tuple[Floats, ...], biases: tuple[Floats, ...]) -> list[bool]:
    """For each layer, whether all sums and products in its affine forms and couplings are exact for every pattern.

    forms, bounds : the first layer's forms (n, k) on the chart and the pairs of their bounds (n, 2).

    Where all numbers that are added are multiples of 2^g, and their absolute values add up to at most 2^(53 + g),
    every partial sum is a float. A product's g is the sum of its factors'; the sizes below multiply in the maximum
    norm. The same holds for couplings that skip layers: they are products of the weight matrices in between.
    """
    exact = [False] * len(weights)
    if bounds.any() or not np.isfinite(forms).all():
        return exact
    size, grid = largest_row(forms), finest_bit(forms)
    exact[0] = fits(size, grid)
    skips: list[tuple[float, int]] = []
    for layer, (weight, bias) in enumerate(zip(weights[1:], biases[1:], strict=True), 1):
        if not exact[layer - 1]:
            break
        factor, step = largest_row(weight), finest_bit(weight)
        skips = [(factor, step), *((factor * size_below, step + below) for size_below, below in skips)]
        grid = min(grid + step, finest_bit(bias))
        size = factor * size + float(np.abs(bias).max(initial=0.0))
        exact[layer] = fits(size, grid) and all(fits(*skip) for skip in skips)
    return exact


def fits(size: float, grid: int) -> bool:
    """Whether multiples of 2^grid up to this size are floats."""
    return grid > FINEST and size <= 2.0 ** min(53 + grid, 900)


def largest_row(matrix: Floats) -> float:
    """The largest sum of absolute values of a row."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.abs(matrix).sum(axis=1).max(initial=0.0)
    return float(total) if total < np.inf else np.inf


def finest_bit(numbers: Floats) -> int:
    """The largest g for which all numbers are multiples of 2^g; 0 if they are all zero."""
    mantissas, exponents = np.frexp(numbers[numbers != 0])
    if not mantissas.size or not np.isfinite(mantissas).all():
        return 0 if not mantissas.size else FINEST - 1
    whole = (np.abs(mantissas) * 2.0**53).astype(np.int64)
    trailing = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
    return int((exponents - 53 + trailing).min())


def twins(weight: Floats, bias: Floats) -> NDArray[np.int64]:
    """For each neuron of a layer 1 + the first neuron that it is exactly a multiple of, negative for a negative factor.

    0 where there is none. Two such neurons have one zero set, whatever the layers below do.
    A row divided by its first number that is not zero is the same row of floats for all multiples, because division
    rounds correctly; the rows that agree so are compared in integers.
    """
    rows = np.concatenate([weight, bias[:, None]], axis=1) + 0.0
    found = np.zeros(len(rows), dtype=np.int64)
    with np.errstate(all="ignore"):
        quotients = rows[:, 0] / rows[:, 1]
    quotients[np.isinf(quotients)] = np.inf  # opposites have opposite ones
    # Multiples have equal quotients too; where all differ, as they mostly do, there is no more to look at.
    if not np.isnan(quotients).any() and len(set(quotients.tolist())) == len(rows):
        return found
    nonzero = weight != 0
    lead = nonzero.argmax(axis=1)
    with np.errstate(all="ignore"):
        shapes = rows / rows[np.arange(len(rows)), lead][:, None] + 0.0
    # Equal rows have equal sums of their bits; seldom has any other pair.
    keys = shapes.view(np.int64).sum(axis=1).tolist()
    if len(set(keys)) == len(rows):
        return found
    seen: dict[int, list[int]] = {}
    for i, key in enumerate(keys):
        if not nonzero[i, lead[i]]:
            continue
        others = seen.setdefault(key, [])
        for j in others:
            if lead[i] == lead[j] and are_multiples(rows[i], rows[j], int(lead[i])):
                found[i] = (j + 1) * (1 if (rows[i, lead[i]] > 0) == (rows[j, lead[i]] > 0) else -1)
                break
        else:
            others.append(i)
    return found


def are_multiples(row: Floats, other: Floats, lead: int) -> bool:
    """Whether two rows are proportional, exactly."""
    if np.array_equal(row, other) or np.array_equal(row, -other):
        return True
    (ours, theirs), _ = as_integers(row, other)
    a, b = ours[lead], theirs[lead]
    return all(x * b == y * a for x, y in zip(ours, theirs, strict=True))
