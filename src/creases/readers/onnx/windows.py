"""Convolutions and pools of an `.onnx` graph: windows that slide over an image of shape (1, channels, *sides).

This module computes the positions of the windows; paddings are given or follow from `auto_pad`. An average is a sum
divided by an integer, and a maximum is a switch whose candidates never lie in the padding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from creases.network import builder as build
from creases.network.builder.flows import Flow, bend, total
from creases.network.builder.linear import rows_of
from creases.network.kinks import Max
from creases.network.operators.operator import LARGEST_WHOLE
from creases.network.operators.windows import Windows
from creases.readers.onnx.linear import divided, reduced
from creases.readers.onnx.values import FIXED_BATCH, Node, Value, selected

__all__ = ["average_pool", "conv", "conv_transpose", "global_max_pool", "max_pool", "maxima"]

Pairs = list[tuple[int, int]]


class Placing(NamedTuple):
    """The positions of windows; each field has one entry per side."""

    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: Pairs


def image_of(node: Node) -> tuple[Value, Flow]:
    """The input, as a value and as one image (channels, *sides)."""
    value = node.flow()
    if len(value.shape) < 3 or value.shape[0] != 1:
        node.refuse(f"needs shape (1, channels, side, ...), not {value.shape}. {FIXED_BATCH}")
    return value, Flow(value.shape[1:], value.flow.node)


def placing(node: Node, sides: Sequence[int], kernel: Sequence[int] | None, pads: bool = True) -> Placing:
    """The positions of the windows of a convolution or a pool; `kernel` is the kernel size of the weight, if there is
    one.

    pads : whether to read paddings; otherwise there are none.
    """
    count = len(sides)
    taps = node.integers(0, "kernel_shape") or (None if kernel is None else list(kernel))
    if taps is None or len(taps) != count or (kernel is not None and taps != list(kernel)):
        node.damaged(f"has kernel_shape {taps} for {count} sides{'' if kernel is None else f', weight {kernel}'}.")
    strides, dilations = (node.integers(0, name) or [1] * count for name in ("strides", "dilations"))
    if (
        len(strides) != count
        or len(dilations) != count
        or not all(1 <= number <= LARGEST_WHOLE for number in (*taps, *strides, *dilations))
    ):
        node.damaged(f"has kernel {taps}, strides {strides} and dilations {dilations} for {count} sides.")
    padding = paddings(node, sides, taps, strides, dilations) if pads else [(0, 0)] * count
    return Placing(taps, strides, dilations, padding)


def paddings(
    node: Node, sides: Sequence[int], taps: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Pairs:
    """Numbers of entries added before and after, one pair per side."""
    auto = node.word("auto_pad", "NOTSET")
    if auto in ("NOTSET", ""):
        pads = node.integers(0, "pads") or [0] * (2 * len(sides))
        if len(pads) != 2 * len(sides) or not all(0 <= number <= LARGEST_WHOLE for number in pads):
            node.damaged(f"has pads {pads} for {len(sides)} sides; two numbers of at least 0 are for each.")
        return [(pads[i], pads[len(sides) + i]) for i in range(len(sides))]
    if auto == "VALID":
        return [(0, 0)] * len(sides)
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        node.damaged(f"has auto_pad {auto!r}.")
    pairs = []
    for side, tap, stride, gap in zip(sides, taps, strides, dilations, strict=True):
        needed = (-(-side // stride) - 1) * stride + gap * (tap - 1) + 1 - side
        if needed < -1:
            node.refuse(
                f"has auto_pad {auto} with stride {stride} and kernel {tap} on a side of {side}: windows that leave "
                "numbers out stand differently from program to program. Export it with pads."
            )
        pairs.append(halves(max(needed, 0), auto == "SAME_UPPER"))
    return pairs


def halves(number: int, upper: bool) -> tuple[int, int]:
    """An integer split into two halves; the larger one is the second if `upper`."""
    small = number // 2
    return (small, number - small) if upper else (number - small, small)


def conv(node: Node) -> Value:
    """Conv."""
    value, image = image_of(node)
    weight = kernel_of(node)
    bias = node.real(node.constant(2, "bias"), "bias") if node.has(2) else None
    where = placing(node, image.shape[1:], weight.shape[2:])
    group = node.whole("group", 1)
    windows = windows_of(node, image, where)
    node.room((weight.shape[0], *windows.counts), 2)
    flow = build.conv(
        image,
        weight,
        bias,
        stride=where.strides,
        padding=where.pads,
        dilation=where.dilations,
        groups=group,
        name=node.name,
    )
    return batched(flow, value)


def kernel_of(node: Node) -> Any:
    """The weight of a convolution."""
    weight, value = node.real(node.constant(1, "weight"), "weight"), node.flow()
    if weight.ndim != len(value.shape):
        node.damaged(f"has a weight of shape {weight.shape} for what has shape {value.shape}.")
    if not 3 <= weight.ndim <= 5 or weight.size == 0:
        node.refuse(f"has a weight of shape {weight.shape}; one, two or three sides are read.")
    return weight


def windows_of(node: Node, image: Flow, where: Placing, ceil: bool = False) -> Windows:
    """The windows. Raises NetworkError if none fits, or if they are too many."""
    return Windows.over(
        image.shape[1:],
        tuple(where.kernel),
        tuple(where.strides),
        tuple(where.pads),
        tuple(where.dilations),
        node.op,
        ceil,
    )


def batched(flow: Flow, value: Value) -> Value:
    """An image as a value, with the batch axis in front."""
    return Value(Flow((1, *flow.shape), flow.node), value.batch)


def conv_transpose(node: Node) -> Value:
    """ConvTranspose; its pads are given, or follow from the output shape."""
    value, image = image_of(node)
    weight = kernel_of(node)
    bias = node.real(node.constant(2, "bias"), "bias") if node.has(2) else None
    sides, group = image.shape[1:], node.whole("group", 1)
    auto, wanted = node.word("auto_pad", "NOTSET"), node.integers(0, "output_shape")
    same = auto.startswith("SAME")
    where = placing(node, sides, weight.shape[2:], pads=wanted is None and not same)
    more = node.integers(0, "output_padding") or [0] * len(sides)
    if len(more) != len(sides) or not all(0 <= number <= LARGEST_WHOLE for number in more):
        node.damaged(f"has output_padding {more} for {len(sides)} sides.")
    full = [
        stride * (side - 1) + extra + gap * (tap - 1) + 1
        for side, tap, stride, gap, extra in zip(sides, where.kernel, where.strides, where.dilations, more, strict=True)
    ]
    pads = where.pads
    if wanted is not None and len(wanted) == len(sides) + 2:
        wanted = wanted[2:]
    if wanted is None and same:
        wanted = [side * stride for side, stride in zip(sides, where.strides, strict=True)]
    if wanted is not None:
        if len(wanted) != len(sides) or any(length < 1 for length in wanted):
            node.damaged(f"has output_shape {wanted} for {len(sides)} sides.")
        if any(length < goal for length, goal in zip(full, wanted, strict=True)):
            node.refuse(
                f"asks for sides {wanted} where there are {full}: what stands beyond differs from program to program. "
                "Export it with pads and output_padding."
            )
        pads = [halves(length - goal, auto == "SAME_UPPER") for length, goal in zip(full, wanted, strict=True)]
    node.room([weight.shape[1] * max(group, 1), *(max(length, 0) for length in full)], 2)
    flow = build.conv_transpose(
        image,
        weight,
        bias,
        stride=where.strides,
        padding=pads,
        output_padding=more,
        dilation=where.dilations,
        groups=group,
        name=node.name,
    )
    return batched(flow, value)


def pool(node: Node) -> tuple[Value, Flow, Placing, bool, Windows]:
    """The parts of a pool: its input, as a value and as an image; the positions of its windows; `ceil_mode`; and the
    windows."""
    value, image = image_of(node)
    where, ceil = placing(node, image.shape[1:], None), node.flag("ceil_mode", 0)
    return value, image, where, ceil, windows_of(node, image, where, ceil)


def max_pool(node: Node) -> Value:
    """MaxPool: the maxima. Its second output, the indices of the maxima, cannot be used."""
    value, image, where, ceil, windows = pool(node)
    node.room((image.shape[0], *windows.counts), 24 * math.prod(where.kernel))
    flow = build.max_pool(
        image,
        where.kernel,
        stride=where.strides,
        padding=where.pads,
        dilation=where.dilations,
        ceil_mode=ceil,
        name=node.name,
    )
    return batched(flow, value)


def average_pool(node: Node) -> Value:
    """AveragePool: the divisor counts the padding, or does not."""
    value, image, where, ceil, windows = pool(node)
    with_padding = node.flag("count_include_pad", 0)
    shape = (image.shape[0], *windows.counts)
    node.room(shape, 2)
    if all(gap == 1 for gap in where.dilations):
        flow = build.average_pool(
            image,
            where.kernel,
            stride=where.strides,
            padding=where.pads,
            count_include_pad=with_padding,
            ceil_mode=ceil,
            name=node.name,
        )
        return batched(flow, value)
    # With dilations: a sum, then a division by the number of entries.
    node.room(shape, math.prod(where.kernel) * 3)
    places = windows.places()
    seen = places >= 0
    if ceil or (with_padding and any(map(any, where.pads))) or not seen.any(axis=1).all():
        node.refuse("has dilations beside ceil_mode or a padding that counts, which is not read.")
    per_channel = math.prod(image.shape[1:])
    columns = (np.arange(image.shape[0])[:, None, None] * per_channel + places).reshape(-1, places.shape[1])
    there = np.tile(seen, (image.shape[0], 1))
    operator = rows_of(columns[there], np.ones(int(there.sum())), there.sum(axis=1), image.size)
    summed = Value(total([(image, operator)], shape, node.label, None, node.name))
    return batched(divided(node, summed, there.sum(axis=1).astype(np.float64)).flow, value)


def global_max_pool(node: Node) -> Value:
    """GlobalMaxPool and ReduceMax."""
    return maxima(node, *reduced(node))


def maxima(node: Node, value: Value, places: Any, shape: tuple[int, ...], batch: int | None) -> Value:
    """For each result, the maximum of the numbers of a flow at some indices; `places` has the shape (results,
    numbers)."""
    if places.shape[1] == 1:
        return selected(node, value, places.reshape(shape), batch)
    node.room(places.shape, 24)
    groups = tuple(map(tuple, places.tolist()))
    return Value(bend(value.flow, Max(groups), shape, node.name), batch)
