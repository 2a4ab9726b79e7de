"""Kinks: ReLU and similar functions, clips, and maxima. Each shares its level with the sum below it if possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from creases.errors import NetworkError
from creases.network.builder.flows import Flow, bend, checked, total
from creases.network.builder.numbers import spread
from creases.network.kinks import Abs, Clip, LeakyReLU, Max, ReLU
from creases.network.operators import Operator, Scale, Select
from creases.network.operators.operator import Floats, as_finite, as_input_shape, as_sides, whole
from creases.network.operators.windows import Windows, as_padding

__all__ = [
    "abs",
    "at_least",
    "at_most",
    "clip",
    "hard_sigmoid",
    "hard_tanh",
    "largest_of",
    "leaky_relu",
    "max_pool",
    "maximum",
    "maxout",
    "prelu",
    "relu",
    "relu6",
]

SIXTH_NOTE = (
    "A hard sigmoid scales by 1/6, which is no float64: what is counted has the nearest one, as float64 programs have."
)


def relu(x: Flow, *, name: str = "") -> Flow:
    """max(x, 0), elementwise."""
    flow = checked(x, "build.relu")
    return bend(flow, ReLU(), flow.shape, name)


def leaky_relu(x: Flow, slope: float = 0.01, *, name: str = "") -> Flow:
    """Leaky ReLU: x above zero, slope * x below. Raises NetworkError if the slope is not a finite number."""
    flow = checked(x, "build.leaky_relu")
    return bend(flow, LeakyReLU(slope), flow.shape, name)


def prelu(x: Flow, slope: ArrayLike, *, name: str = "") -> Flow:
    """Leaky ReLU with given slopes: one number, one per channel (the first axis), or an array of x's shape.

    Raises NetworkError if a slope is not finite or the shapes do not fit.
    """
    flow = checked(x, "build.prelu")
    # torch stores a single slope for all channels as an array of length one.
    slopes = np.squeeze(as_finite(slope, "build.prelu: slope")) if np.size(slope) == 1 else slope
    return bend(flow, LeakyReLU(one_or_spread(slopes, flow, "build.prelu: slope")), flow.shape, name)


def abs(x: Flow, *, name: str = "") -> Flow:
    """The absolute value |x|, elementwise."""
    flow = checked(x, "build.abs")
    return bend(flow, Abs(), flow.shape, name)


def clip(x: Flow, low: ArrayLike, high: ArrayLike, *, name: str = "") -> Flow:
    """min(max(x, low), high), elementwise, with two neurons per unit.

    low, high : one number, one per channel (the first axis of x), or an array of x's shape.
    Raises NetworkError unless low < high everywhere and both are finite.
    """
    flow = checked(x, "build.clip")
    bounds = (one_or_spread(bound, flow, f"build.clip: {what}") for what, bound in (("low", low), ("high", high)))
    return bend(flow, Clip(*bounds), flow.shape, name)


def one_or_spread(values: Any, flow: Flow, name: str) -> Any:
    """A single number unchanged; several numbers broadcast to the values of a flow."""
    array = as_finite(values, name)
    return float(array) if array.ndim == 0 else spread(array, flow.shape, name)


def at_least(flow: Flow, low: Floats, what: str, name: str = "") -> Flow:
    """max(x, low) = low + relu(x - low), with low float64, one number per value; only a ReLU if all are zero.

    what : the function or node that calls it, for errors.
    """
    if not low.any():
        return bend(flow, ReLU(), flow.shape, name)
    above = total([(flow, Select.all(flow.size))], flow.shape, what, 0.0 - low.reshape(-1))
    bent = bend(above, ReLU(), flow.shape, name)
    return total([(bent, Select.all(flow.size))], flow.shape, what, low.reshape(-1), name)


def at_most(flow: Flow, high: Floats, what: str, name: str = "") -> Flow:
    """min(x, high) = high - relu(high - x), with high float64, one number per value; `what` as in `at_least`."""
    high = high.reshape(-1)
    turned = Scale(np.full(flow.size, -1.0))
    bent = bend(total([(flow, turned)], flow.shape, what, high), ReLU(), flow.shape, name)
    return total([(bent, turned)], flow.shape, what, high, name)


def relu6(x: Flow, *, name: str = "") -> Flow:
    """min(max(x, 0), 6): a clip, with two neurons per unit."""
    return clip(x, 0.0, 6.0, name=name)


def hard_tanh(x: Flow, low: float = -1.0, high: float = 1.0, *, name: str = "") -> Flow:
    """min(max(x, low), high) for two numbers low < high: a clip, with two neurons per unit."""
    return clip(x, low, high, name=name)


def hard_sigmoid(x: Flow, alpha: float = 1 / 6, beta: float = 0.5, *, name: str = "") -> Flow:
    """min(max(alpha * x + beta, 0), 1). In torch alpha is 1/6 (rounded, with a note), in ONNX 0.2."""
    flow = checked(x, "build.hard_sigmoid")
    shifts = spread(beta, flow.shape, "build.hard_sigmoid: beta")
    factors = Scale(spread(alpha, flow.shape, "build.hard_sigmoid: alpha"))
    notes = (SIXTH_NOTE,) if np.any(np.asarray(alpha) == 1 / 6) else ()
    return clip(total([(flow, factors)], flow.shape, "build.hard_sigmoid", shifts, notes=notes), 0.0, 1.0, name=name)


def max_pool(
    x: Flow,
    kernel: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    name: str = "",
) -> Flow:
    """Max pooling: maxima over windows of x, shape (channels, *sides). Padding counts as minus infinity, as in torch.

    kernel, stride, dilation : one integer or one per side; a stride of None means the kernel.
    padding : one number, one per side, or pairs (before, after).
    ceil_mode : whether the last window may extend beyond the padding.
    Raises NetworkError if the kernel does not fit, or a window would contain padding only.
    """
    flow = checked(x, "build.max_pool")
    shape = as_input_shape(flow.shape, "build.max_pool: the shape of x")
    sides = len(shape) - 1
    taps = as_sides(kernel, "build.max_pool: kernel", sides, 1)
    windows = Windows.over(
        shape[1:],
        taps,
        taps if stride is None else as_sides(stride, "build.max_pool: stride", sides, 1),
        as_padding(padding, "build.max_pool: padding", sides),
        as_sides(dilation, "build.max_pool: dilation", sides, 1),
        "build.max_pool",
        bool(ceil_mode),
    )
    places = windows.places()
    if (places < 0).all(axis=1).any():
        raise NetworkError(
            f"build.max_pool: a window would see padding only; padding {windows.padding} is too much for a kernel of "
            f"{taps}."
        )
    seen = [row[row >= 0] for row in places]
    size = int(np.prod(shape[1:]))
    groups = tuple(tuple((row + channel * size).tolist()) for channel in range(shape[0]) for row in seen)
    return bend(flow, Max(groups), (shape[0], *windows.counts), name)


def maxout(x: Flow, size: int, *, name: str = "") -> Flow:
    """The elementwise maximum of every `size` consecutive channels (the first axis of x).

    Raises NetworkError unless size divides the number of channels.
    """
    flow = checked(x, "build.maxout")
    channels, k = flow.shape[0], whole(size, "build.maxout: size", 1)
    if channels % k:
        raise NetworkError(f"build.maxout: groups of {k} do not divide {channels} channels.")
    places = np.arange(flow.size).reshape(channels // k, k, -1).swapaxes(1, 2).reshape(-1, k)
    return bend(flow, Max(tuple(map(tuple, places.tolist()))), (channels // k, *flow.shape[1:]), name)


def maximum(*flows: Flow, name: str = "") -> Flow:
    """The elementwise maximum of two or more flows of the same shape. Raises NetworkError if their shapes differ."""
    kept = [checked(flow, "build.maximum") for flow in flows]
    if not kept or len({flow.shape for flow in kept}) > 1:
        shapes = " and ".join(str(flow.shape) for flow in kept) or "none"
        raise NetworkError(f"build.maximum takes flows of one shape, got {shapes}.")
    return largest_of(kept, None, "build.maximum", name)


def largest_of(flows: Sequence[Flow], constants: Floats | None, what: str, name: str = "") -> Flow:
    """The elementwise maximum of flows of one shape and, if given, of constants, float64 with one number per value.

    what : the function or node that calls it, for errors.
    """
    size, count = flows[0].size, len(flows) + (constants is not None)
    terms: list[tuple[Flow, Operator]] = []
    for i, flow in enumerate(flows):
        indices = np.full(size * count, -1)
        indices[i * size : (i + 1) * size] = np.arange(size)
        terms.append((flow, Select(indices, size)))
    bias = None if constants is None else np.concatenate((np.zeros(size * len(flows)), constants.reshape(-1)))
    side_by_side = total(terms, (size * count,), what, bias)
    groups: Sequence[Sequence[int]] = np.arange(size * count).reshape(count, size).T.tolist()
    return bend(side_by_side, Max(tuple(map(tuple, groups))), flows[0].shape, name)
