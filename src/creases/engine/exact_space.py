"""Cones of three dimensions and more in rational arithmetic: for whole spaces that floats hold no chart of.

The double description method on whole numbers (Motzkin, Raiffa, Thompson and Thrall 1953): a cell is its rays, and for
each a mask of the forms that vanish on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from creases.engine.exact import ExactForms, ExactTally, dot, meeting_ray, primitive, scaled

__all__ = ["ExactPolytope", "count_below_in_space", "exact_cone"]


class ExactPolytope(NamedTuple):
    """A convex cell as a pointed cone: rays in homogeneous coordinates, their masks, and the next free bit."""

    rays: list[Any]
    masks: list[int]
    walls: int


def exact_cone(independent: Sequence[Any], signs: Sequence[bool]) -> ExactPolytope:
    """The cone of R^d on which d independent forms have these signs: its apex and d far rays."""
    d = len(independent)
    inward = [scaled(form, 1 if on else -1) for form, on in zip(independent, signs, strict=True)]
    infinity = (*(fmpz(0),) * d, fmpz(1))
    rays = [meeting_ray(inward)]
    for i, form in enumerate(inward):
        ray = meeting_ray([infinity, *inward[:i], *inward[i + 1 :]])
        rays.append(ray if dot(form, ray) > 0 else scaled(ray, -1))
    whole = (1 << (d + 1)) - 1
    return ExactPolytope(rays, [whole & ~1, *(whole & ~(2 << i) for i in range(d))], d + 1)


def half(cell: ExactPolytope, values: list[Any], sign: int) -> ExactPolytope:
    """The part of a cell on which a form, given by its values at the rays, has this sign or is zero."""
    k, bit = len(cell.rays[0]), 1 << cell.walls
    values = [sign * value for value in values]
    rays, masks = [], []
    for ray, mask, value in zip(cell.rays, cell.masks, values, strict=True):
        if value >= 0:
            rays.append(ray)
            masks.append(mask | bit if value == 0 else mask)
    for u, high in enumerate(values):
        for v, low in enumerate(values):
            shared = cell.masks[u] & cell.masks[v]
            if not high > 0 > low or shared.bit_count() < k - 2:
                continue
            if sum(mask & shared == shared for mask in cell.masks) == 2:
                pair = zip(cell.rays[u], cell.rays[v], strict=True)
                rays.append(primitive(tuple(high * y - low * x for x, y in pair)))
                masks.append(shared | bit)
    return ExactPolytope(rays, masks, cell.walls + 1)


def count_below_in_space(
    forms: ExactForms,
    cell: ExactPolytope,
    layer: int,
    known: dict[int, bool],
    pattern: list[NDArray[np.bool_]],
    tally: ExactTally,
) -> None:
    """`exact.count_below` for three dimensions or more."""
    rows = forms.forms(layer, pattern)
    finished = [(cell, dict(known))]
    for j, row in enumerate(rows):
        if j in known:
            continue
        pieces = []
        for piece, signs in finished:
            values = [dot(row, ray) for ray in piece.rays]
            if max(values) > 0 > min(values):
                pieces += [(half(piece, values, s), {**signs, j: s > 0}) for s in (1, -1)]
            else:
                pieces.append((piece, {**signs, j: max(values) > 0}))
        finished = pieces
        values = [dot(row, ray) for ray in cell.rays]
        tally.by_neuron[layer][j] += max(values) > 0 > min(values)
    tally.by_layer[layer] += len(finished)
    last = layer + 1 == len(forms.widths)
    for piece, signs in finished:
        if last:
            tally.unbounded += any(ray[-1] == 0 for ray in piece.rays)
        else:
            below = np.array([signs[j] for j in range(len(rows))], dtype=np.bool_)
            count_below_in_space(forms, piece, layer + 1, {}, [*pattern, below], tally)
