"""Functions that only move values. Reshaping adds no level; the others are selections, zero where nothing is
selected.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from creases.errors import NetworkError
from creases.network.builder.flows import Flow, checked, several, total
from creases.network.operators import Operator, Select
from creases.network.operators.operator import LARGEST_WHOLE, Integers, as_finite, as_sides, whole
from creases.network.operators.windows import as_padding

__all__ = ["concatenate", "flatten", "pad", "reshape", "slice", "take", "transpose", "upsample"]


def flatten(x: Flow) -> Flow:
    """All values in C order, shape (n,). No level is added."""
    flow = checked(x, "build.flatten")
    return Flow((flow.size,), flow.node)


def reshape(x: Flow, *shape: int) -> Flow:
    """The values in another shape, in C order; one side may be -1. No level is added.

    Raises NetworkError if the shape does not have the same number of values.
    """
    flow = checked(x, "build.reshape")
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    sides = [side if side == -1 else whole(side, "build.reshape: a side", 1) for side in given]
    known = math.prod(side for side in sides if side != -1)
    if sides.count(-1) == 1 and flow.size % known == 0:
        sides[sides.index(-1)] = flow.size // known
    if -1 in sides or math.prod(sides) != flow.size or not sides:
        raise NetworkError(f"build.reshape: shape {tuple(given)} does not hold the {flow.size} values of {flow!r}.")
    return Flow(tuple(sides), flow.node)


def transpose(x: Flow, *axes: int, name: str = "") -> Flow:
    """Permute the axes: transpose(x, 1, 2, 0) puts the channels last; without axes the order is reversed.

    Raises NetworkError unless every axis is given once.
    """
    flow = checked(x, "build.transpose")
    rank = len(flow.shape)
    given = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    order = tuple(whole(axis, "build.transpose: an axis", 0) for axis in given) or tuple(range(rank))[::-1]
    if sorted(order) != list(range(rank)):
        raise NetworkError(f"build.transpose: axes must name each of 0 to {rank - 1} once, got {order}.")
    return selected(flow, places_of(flow).transpose(order), "transpose", name)


def slice(
    x: Flow, start: int | None, stop: int | None, step: int | None = None, *, axis: int = 0, name: str = ""
) -> Flow:
    """x[start:stop:step] along one axis, as in Python.

    Raises NetworkError if the result is empty, a number is not an integer, or the step is zero.
    """
    flow = checked(x, "build.slice")
    along = axis_of(flow, axis, "slice")
    for what, number in (("start", start), ("stop", stop), ("step", step)):
        if number is not None:
            whole(number, f"build.slice: {what}", -LARGEST_WHOLE)
    if step == 0:
        raise NetworkError("build.slice: step must not be 0; -1 takes the values in the opposite order.")
    cut = builtins.slice(start, stop, step)
    places = places_of(flow)[(*[builtins.slice(None)] * along, cut)]
    if not places.size:
        raise NetworkError(
            f"build.slice: nothing is left of axis {axis}, {flow.shape[along]} long, by {start}:{stop}:{step}."
        )
    return selected(flow, places, "slice", name)


def take(x: Flow, indices: int | Sequence[int], *, axis: int = 0, name: str = "") -> Flow:
    """The entries at the given indices along one axis, in that order; a single index drops the axis, unless it is the
    only one.

    Raises NetworkError if an index is out of range.
    """
    flow = checked(x, "build.take")
    along = axis_of(flow, axis, "take")
    wanted = np.asarray(indices)
    if wanted.dtype.kind not in "iu" or wanted.ndim > 1 or not wanted.size:
        raise NetworkError(f"build.take: indices must be a whole number or a flat sequence of them, got {indices!r}.")
    side = flow.shape[along]
    if ((wanted < -side) | (wanted >= side)).any():
        raise NetworkError(f"build.take: axis {axis} has indices {-side} to {side - 1}, got {indices!r}.")
    return selected(flow, np.atleast_1d(np.take(places_of(flow), wanted, axis=along)), "take", name)


def pad(x: Flow, padding: Any, value: float = 0.0, *, name: str = "") -> Flow:
    """Pad x with a constant value.

    padding : one pair (before, after) per axis of x, not negative.
    value : a finite number. Raises NetworkError otherwise.
    """
    flow = checked(x, "build.pad")
    pairs = as_padding(padding, "build.pad: padding", len(flow.shape))
    number = as_finite(value, "build.pad: value")
    if number.ndim:
        raise NetworkError(f"build.pad: value must be one number, got shape {number.shape}.")
    places = np.pad(places_of(flow), pairs, constant_values=-1)
    bias = np.where(places < 0, float(number), 0.0).reshape(-1) if number else None
    operator = Select(places.reshape(-1), flow.size)
    return total([(flow, operator)], places.shape, "build.pad", bias, name)


def upsample(x: Flow, factor: Any, *, name: str = "") -> Flow:
    """Nearest-neighbour upsampling: repeat each value along each side of x, shape (channels, *sides).

    factor : positive integer, one for all sides or one per side.
    """
    flow = checked(x, "build.upsample")
    places = places_of(flow)
    for axis, times in enumerate(as_sides(factor, "build.upsample: factor", len(flow.shape) - 1, 1), start=1):
        places = np.repeat(places, times, axis=axis)
    return selected(flow, places, "upsample", name)


def concatenate(flows: Sequence[Flow], axis: int = 0, *, name: str = "") -> Flow:
    """Concatenate flows along one axis. Raises NetworkError if their other sides differ."""
    kept = several(flows, "build.concatenate")
    if not kept:
        raise NetworkError("build.concatenate needs at least one flow.")
    along = axis_of(kept[0], axis, "concatenate")
    rests = {(*flow.shape[:along], *flow.shape[along + 1 :]) for flow in kept}
    if len(rests) > 1 or len({len(flow.shape) for flow in kept}) > 1:
        raise NetworkError(
            f"build.concatenate: all sides but axis {axis} must agree, got "
            f"{' and '.join(str(flow.shape) for flow in kept)}."
        )
    shape = list(kept[0].shape)
    shape[along] = sum(flow.shape[along] for flow in kept)
    terms: list[tuple[Flow, Operator]] = []
    begin = 0
    for flow in kept:
        places = np.full(shape, -1)
        end = begin + flow.shape[along]
        places[(*[builtins.slice(None)] * along, builtins.slice(begin, end))] = places_of(flow)
        terms.append((flow, Select(places.reshape(-1), flow.size)))
        begin = end
    return total(terms, tuple(shape), "build.concatenate", None, name)


def places_of(flow: Flow) -> Integers:
    """The index of each value, in the flow's shape."""
    return np.arange(flow.size, dtype=np.int64).reshape(flow.shape)


def selected(flow: Flow, places: Integers, what: str, name: str) -> Flow:
    """The values at some indices, in the shape of `places`."""
    return total([(flow, Select(places.reshape(-1), flow.size))], places.shape, f"build.{what}", None, name)


def axis_of(flow: Flow, axis: Any, what: str) -> int:
    """An axis of a flow, counted from the front. Raises NetworkError if there is no such axis."""
    rank = len(flow.shape)
    number = whole(axis, f"build.{what}: axis", -rank)
    if number >= rank:
        raise NetworkError(f"build.{what}: {flow!r} has axes {-rank} to {rank - 1}, got {axis}.")
    return number % rank
