"""The units in which a whole space is measured before it is cut: a power of two for each of its coordinates.

Inputs in raw units, a length in metres beside one in nanometres, make first layers whose columns differ by orders of
magnitude. What is square or near in such coordinates is neither for the network, and a cone's far rays, drawn at equal
lengths, are nearly parallel. So neurons and charts are chosen in coordinates v, u = scale v, in which the columns are
of like size, and a chart is multiplied by the scales at last. They are powers of two of at least one: what is
multiplied by them is exact unless it overflows, and then nothing is scaled. So this is a choice of charts alone; each
is proved as any other. A bounded domain is measured by its own size (`bounded`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from creases.engine.problem import Floats

__all__ = ["column_scales", "scaled_chart", "scaled_exactly", "scaled_forms"]

# Columns whose sizes are within 2^ALIKE of each other stay as they are: a cone is no rounder than that anyway.
ALIKE = 4
# The largest exponent: a chart has to hold the product of a scale and a length.
MOST = 500


def column_scales(forms: Floats) -> Floats:
    """Powers of two of at least one, float64 (d,), by which the columns of the linear parts of forms, float64
    (n, d + 1), become of like size: ones if they are, or if a product overflows.

    A column's size is the median of its entries, each in units of the largest in its row, so that a row counts by its
    direction alone; zeros are left out: rows that do not see the column. Sizes are whole exponents, so columns times
    powers of two get the same scales over these.
    """
    d = forms.shape[1] - 1
    linear = forms[:, :-1]
    seen = (linear != 0) & np.isfinite(linear)
    if not seen.any(axis=0).all():
        return np.ones(d)
    exponents = np.frexp(linear)[1]
    small = np.iinfo(np.int32).min // 4
    largest = np.where(seen, exponents, small).max(axis=0)
    of_rows = np.where(seen, exponents - largest, small).max(axis=1)
    sizes = np.array([np.floor(np.median((exponents[:, c] - of_rows)[seen[:, c]])) for c in range(d)])
    if np.ptp(sizes) < ALIKE:
        return np.ones(d)
    scales = np.ldexp(1.0, np.minimum(sizes.max() - sizes, MOST).astype(np.int64))
    with np.errstate(over="ignore"):
        return scales if np.isfinite(linear * scales).all() else np.ones(d)


def scaled_forms(forms: Floats, bounds: Floats, scales: Floats) -> tuple[Floats, Floats]:
    """Forms and bounds of their entries, float64 (n, d + 1) each, in the coordinates v; a bound may overflow."""
    with np.errstate(over="ignore"):
        factors = np.append(scales, 1.0)
        return forms * factors, bounds * factors


def scaled_exactly(rows: Sequence[Any], scales: Floats) -> list[Any]:
    """Exact forms, in whole numbers, in the coordinates v."""
    factors = [*map(int, scales), 1]
    return [tuple(value * factor for value, factor in zip(row, factors, strict=True)) for row in rows]


def scaled_chart(chart: Floats, scales: Floats) -> Floats:
    """A chart of the coordinates v, float64 (d + 1, k), as one of the domain's own; entries that overflow are
    infinite."""
    with np.errstate(over="ignore"):
        return chart * np.append(scales, 1.0)[:, None]
