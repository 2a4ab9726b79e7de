"""Torch operators with kinks: ReLU and similar operators, clips, maxima and minima, max pools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from creases import build
from creases.network.builder.bends import at_least, at_most
from creases.network.builder.flows import Flow, bend
from creases.network.kinks import Max
from creases.readers.torch.graph import Arguments, Floats, Handler, TorchValue, Trace, aligned
from creases.readers.torch.linear import affine, divided, spread, summed
from creases.readers.torch.windows import adaptive_windows, image_of, one_a_side, reduced_axes, reduction

__all__ = ["KINKS"]


def first(a: Arguments) -> TorchValue:
    """The value among the arguments of an operator that takes one value."""
    value: TorchValue = a["self"] if "self" in a else a["input"]
    return value


def like(value: TorchValue, flow: Any) -> TorchValue:
    """A flow in the shape of a value."""
    return TorchValue(flow, value.shape, value.batch)


def relu(trace: Trace, a: Arguments) -> TorchValue:
    """max(x, 0)."""
    return like(first(a), build.relu(first(a).flow, name=trace.label))


def leaky_relu(trace: Trace, a: Arguments) -> TorchValue:
    """A slope below zero."""
    slope = trace.number(a["negative_slope"], "negative_slope")
    return like(first(a), build.leaky_relu(first(a).flow, slope, name=trace.label))


def prelu(trace: Trace, a: Arguments) -> TorchValue:
    """Slopes below zero: a single one, or one per channel (axis 1)."""
    value = first(a)
    if isinstance(a["weight"], TorchValue):
        raise trace.refuse("has slopes that depend on the input, which is not piecewise linear.")
    slopes = trace.numbers(a["weight"], "weight")
    if trace.call.name == "prelu" and slopes.size > 1:
        slopes = slopes.reshape(-1, *[1] * (len(value.shape) - 2))
    slopes = np.broadcast_to(slopes, value.shape) if slopes.size > 1 else slopes
    flow = build.reshape(value.flow, *value.shape)
    return like(value, build.flatten(build.prelu(flow, slopes, name=trace.label)))


def randomised_relu(trace: Trace, a: Arguments) -> TorchValue:
    """In evaluation mode, a leaky ReLU with the mean of its two slopes."""
    if a.get("training"):
        raise trace.refuse("draws slopes by chance in training mode, and is no function.")
    slope = trace.computed_with((trace.number(a["lower"], "lower") + trace.number(a["upper"], "upper")) / 2)
    trace.note(f"{trace.call.told}: the slope {slope} is the mean of its two, as torch computes it.")
    return like(first(a), build.leaky_relu(first(a).flow, slope, name=trace.label))


def absolute(trace: Trace, a: Arguments) -> TorchValue:
    """|x|."""
    return like(first(a), build.abs(first(a).flow, name=trace.label))


def clamp(trace: Trace, a: Arguments) -> TorchValue:
    """Bounds on one side or on both: numbers, constants, or other values."""
    low, high = (a.get(name, a.get(other)) for name, other in (("min", "min_val"), ("max", "max_val")))
    value = first(a)
    if low is not None and high is not None and not isinstance(low, TorchValue) and not isinstance(high, TorchValue):
        return clipped(trace, value, low, high)
    if low is not None:
        value = larger(trace, value, low)
    return value if high is None else smaller(trace, value, high)


def clipped(trace: Trace, value: TorchValue, low: Any, high: Any) -> TorchValue:
    """min(max(x, low), high) with constant bounds; an infinite bound has no effect."""
    lows, highs = (np.broadcast_to(trace.numbers(bound), value.shape) for bound in (low, high))
    if np.isinf(lows).all():
        return value if np.isinf(highs).all() else smaller(trace, value, high)
    if np.isinf(highs).all():
        return larger(trace, value, low)
    aligned(trace, value, value.shape)
    if (lows == lows.flat[0]).all() and (highs == highs.flat[0]).all():
        return like(value, build.clip(value.flow, float(lows.flat[0]), float(highs.flat[0]), name=trace.label))
    flow = build.reshape(value.flow, *value.shape)
    return like(value, build.flatten(build.clip(flow, lows, highs, name=trace.label)))


def larger(trace: Trace, value: TorchValue, other: Any) -> TorchValue:
    """max(x, other)."""
    if isinstance(other, TorchValue):
        return extreme_of_two(trace, value, other, 1.0)
    if np.isinf(bounds := trace.numbers(other)).all() and (bounds < 0).all():
        return value
    return bounded(trace, value, bounds, at_least)


def smaller(trace: Trace, value: TorchValue, other: Any) -> TorchValue:
    """min(x, other)."""
    if isinstance(other, TorchValue):
        return extreme_of_two(trace, value, other, -1.0)
    if np.isinf(bounds := trace.numbers(other)).all() and (bounds > 0).all():
        return value
    return bounded(trace, value, bounds, at_most)


def bounded(
    trace: Trace, value: TorchValue, bounds: Floats, bound: Callable[[Flow, Floats, str, str], Flow]
) -> TorchValue:
    """A value with a constant bound on one side; both broadcast."""
    shape = np.broadcast_shapes(value.shape, bounds.shape)
    numbers = np.broadcast_to(bounds, shape).reshape(-1)
    batch = aligned(trace, value, shape)
    return TorchValue(bound(spread(trace, value, shape), numbers, trace.call.name, trace.label), shape, batch)


def extreme_of_two(trace: Trace, one: TorchValue, other: TorchValue, sign: float) -> TorchValue:
    """The maximum of two values, or, with sign -1, the minimum."""
    shape = np.broadcast_shapes(one.shape, other.shape)
    batch = aligned(trace, one, shape, other)
    parts = [affine(trace, TorchValue(spread(trace, value, shape), shape, batch), sign).flow for value in (one, other)]
    made = build.maximum(*(build.flatten(part) for part in parts), name=trace.label)
    return affine(trace, TorchValue(made, shape, batch), sign)


def maximum(trace: Trace, a: Arguments) -> TorchValue:
    """max(x, y), elementwise; one may be a constant."""
    one, other = a["self"], a["other"]
    return larger(trace, one, other) if isinstance(one, TorchValue) else larger(trace, other, one)


def minimum(trace: Trace, a: Arguments) -> TorchValue:
    """min(x, y), elementwise; one may be a constant."""
    one, other = a["self"], a["other"]
    return smaller(trace, one, other) if isinstance(one, TorchValue) else smaller(trace, other, one)


def threshold(trace: Trace, a: Arguments) -> TorchValue:
    """x above the threshold and `value` below it: continuous only if the two are equal."""
    at, value = (trace.number(a[name], name) for name in ("threshold", "value"))
    if at != value:
        raise trace.refuse(f"jumps from {value} to {at}, which is not continuous.")
    return relu(trace, a) if at == 0.0 else larger(trace, first(a), at)


def relu6(trace: Trace, a: Arguments) -> TorchValue:
    """min(max(x, 0), 6)."""
    return like(first(a), build.relu6(first(a).flow, name=trace.label))


def hard_sigmoid(trace: Trace, a: Arguments) -> TorchValue:
    """relu6(x + 3) / 6, with an exact division."""
    moved = summed(trace, first(a), 3.0, 1.0)
    return divided(trace, like(moved, build.relu6(moved.flow, name=trace.label)), np.array(6.0))


# Maxima over axes and windows.


def largest(trace: Trace, a: Arguments, sign: float = 1.0) -> TorchValue:
    """Maxima over axes: one switch for each."""
    value = affine(trace, first(a), sign)
    rows, shape, batch = reduction(trace, value, reduced_axes(trace, value, a.get("dim")), a.get("keepdim", False))
    if rows.shape[1] == 1:
        return TorchValue(first(a).flow, shape, batch)
    flow = bend(build.flatten(value.flow), Max(tuple(map(tuple, rows.tolist()))), (len(rows),), trace.label)
    return affine(trace, TorchValue(flow, shape, batch), sign)


def largest_of(trace: Trace, a: Arguments) -> Any:
    """`max`: over all of one value, over an axis (with the indices, which cannot be used), or of two values."""
    if "other" in a:
        return maximum(trace, a)
    return largest(trace, a) if "dim" not in a else [largest(trace, a), None]


def smallest_of(trace: Trace, a: Arguments) -> Any:
    """`min`, like `max`."""
    if "other" in a:
        return minimum(trace, a)
    return largest(trace, a, -1.0) if "dim" not in a else [largest(trace, a, -1.0), None]


def smallest(trace: Trace, a: Arguments) -> TorchValue:
    """Minima over axes."""
    return largest(trace, a, -1.0)


def max_pool(trace: Trace, a: Arguments) -> Any:
    """max_pool1d, max_pool2d, max_pool3d; also those that return indices, which cannot be used."""
    name = trace.call.name
    sides = int(name[len("max_pool")])
    flow, lead, batch = image_of(trace, first(a), sides + 1)
    made = build.max_pool(
        flow,
        one_a_side(a["kernel_size"], sides),
        stride=one_a_side(a["stride"] or a["kernel_size"], sides),
        padding=one_a_side(a["padding"], sides),
        dilation=one_a_side(a["dilation"], sides),
        ceil_mode=a["ceil_mode"],
        name=trace.label,
    )
    result = TorchValue(made, (*lead, *made.shape), batch)
    return [result, None] if name.endswith("indices") else result


def adaptive_max_pool(trace: Trace, a: Arguments) -> Any:
    """Maxima over windows that are as equal as the sides allow; the indices, which are returned too, cannot be used."""
    sides = int(trace.call.name[-2])
    flow, lead, batch = image_of(trace, first(a), sides + 1)
    wanted: Sequence[int] = one_a_side(a["output_size"], sides)
    groups = tuple(tuple(window.tolist()) for window in adaptive_windows(flow.shape, wanted))
    made = bend(build.flatten(flow), Max(groups), (len(groups),), trace.label)
    return [TorchValue(made, (*lead, flow.shape[0], *wanted), batch), None]


KINKS: dict[str, Handler] = {
    "relu": relu,
    "leaky_relu": leaky_relu,
    **dict.fromkeys(("prelu", "_prelu_kernel"), prelu),
    "rrelu": randomised_relu,
    **dict.fromkeys(("abs", "absolute"), absolute),
    **dict.fromkeys(("clamp", "clip", "hardtanh", "clamp_min", "clamp_max"), clamp),
    "relu6": relu6,
    "hardsigmoid": hard_sigmoid,
    "threshold": threshold,
    **dict.fromkeys(("maximum", "fmax"), maximum),
    **dict.fromkeys(("minimum", "fmin"), minimum),
    "max": largest_of,
    "min": smallest_of,
    "amax": largest,
    "amin": smallest,
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), max_pool),
    **dict.fromkeys(
        ("max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices"),
        max_pool,
    ),
    **dict.fromkeys(("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"), adaptive_max_pool),
}
