"""Resize and Upsample of an `.onnx` graph: each result is a weighted mean of a few numbers at fixed positions.

Positions and weights are computed in rational numbers: a scale is the float in the file, or the quotient of two
lengths, so the position of result i on an axis is rational. A nearest neighbour is a selection. Linear weights are
integers over a common denominator, by which the sums are divided; programs compute these weights in float32, and differ
by its rounding where the weights are not float32 (thirds, for example). If this rounding could change which neighbour
is nearest, the operator is refused.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from creases.network.builder.flows import total
from creases.network.builder.linear import rows_of
from creases.readers.onnx.linear import divided
from creases.readers.onnx.values import Node, Value, places_of, selected

__all__ = ["resize", "upsample"]

HALF = Fraction(1, 2)
LARGEST_DIVISOR = 1 << 53
# The largest distance of a position in float32 from the rational one: this number, or this part of the position.
OFF, PART_OFF = Fraction(1, 100_000), Fraction(1, 1 << 21)
# The weights of one result along one axis: indices and rational numbers.
Row = list[tuple[int, Fraction]]


def upsample(node: Node) -> Value:
    """Upsample, before version 10: indices are i / scale, rounded down."""
    value = node.flow()
    if "scales" in node.attributes:
        scales = [float(number) for number in node.attributes["scales"]]
    else:
        scales = [float(number) for number in node.constant(1, "scales").reshape(-1).tolist()]
    return resized(node, value, scales, None, "asymmetric", "floor")


def resize(node: Node) -> Value:
    """Resize: by scales or to given sizes, on some axes or on all."""
    value = node.flow()
    if node.context.opset < 11:
        return upsample(node)
    rank = len(value.shape)
    wanted = node.attributes.get("axes")
    axes = list(range(rank)) if wanted is None else node.axes([int(axis) for axis in wanted], rank)
    sizes = node.integers(3, "", "sizes") if node.has(3) else None
    scales: list[float] | None = None
    if not sizes:
        sizes = None
        scales = [float(number) for number in node.constant(2, "scales").reshape(-1).tolist()]
    if len(sizes or scales or []) != len(axes):
        node.damaged(f"has {len(sizes or scales or [])} scales or sizes for {len(axes)} axes.")
    if node.flag("antialias", 0) or node.word("keep_aspect_ratio_policy", "stretch") != "stretch":
        node.refuse("has antialias or keeps the aspect ratio, which is not read.")
    spread_scales = [1.0] * rank if scales is not None else None
    spread_sizes = list(value.shape) if sizes is not None else None
    for place, axis in enumerate(axes):
        if spread_scales is not None and scales is not None:
            spread_scales[axis] = scales[place]
        if spread_sizes is not None and sizes is not None:
            spread_sizes[axis] = sizes[place]
    how = node.word("coordinate_transformation_mode", "half_pixel")
    return resized(node, value, spread_scales, spread_sizes, how, node.word("nearest_mode", "round_prefer_floor"))


def resized(
    node: Node, value: Value, scales: list[float] | None, sizes: list[int] | None, how: str, rounding: str
) -> Value:
    """The flow with other lengths of its axes, given by one scale or one size per axis."""
    mode, rank = node.word("mode", "nearest"), len(value.shape)
    if mode not in ("nearest", "linear", "bilinear"):
        node.refuse(f"has mode {mode!r}; nearest and linear are read.")
    if len(scales if scales is not None else sizes or []) != rank:
        node.damaged(f"needs a scale or a size for each of {rank} axes.")
    steps, lengths = [], []
    for axis, side in enumerate(value.shape):
        if scales is not None:
            if not (math.isfinite(scales[axis]) and scales[axis] > 0):
                node.damaged(f"has scale {scales[axis]}.")
            steps.append(Fraction(scales[axis]))
            lengths.append(length_of(node, side, steps[-1]))
        elif sizes is not None:
            if sizes[axis] < 1:
                node.damaged(f"has size {sizes[axis]}.")
            steps.append(Fraction(sizes[axis], side))
            lengths.append(sizes[axis])
    if min(lengths, default=1) < 1:
        node.damaged(f"leaves nothing of shape {value.shape}.")
    if lengths == list(value.shape) and any(step != 1 for step in steps):
        node.refuse("has scales other than 1 and leaves all sizes, for which programs differ.")
    node.room(lengths, 4)
    # Each rational takes microseconds.
    node.room([sum(lengths)], 600)
    near = mode == "nearest"
    rows = [
        [row_of(node, i, side, length, step, how, rounding if near else None) for i in range(length)]
        for side, length, step in zip(value.shape, lengths, steps, strict=True)
    ]
    if near:
        index = np.ix_(*[[row[0][0] for row in axis] for axis in rows])
        return selected(node, value, places_of(value)[index], value.batch)
    return blended(node, value, rows, tuple(lengths))


def length_of(node: Node, side: int, scale: Fraction) -> int:
    """The length of an axis after scaling. Raises UnsupportedModelError if float32 gives another one."""
    length = side * scale
    if math.floor(length * (1 + PART_OFF)) != math.floor(length):
        node.refuse(
            f"has a scale, {float(scale):.9g}, that makes {float(length):.9g} of {side}: rounded, the product may be "
            "the next whole number. Give sizes."
        )
    return math.floor(length)


def row_of(node: Node, i: int, side: int, length: int, scale: Fraction, how: str, rounding: str | None) -> Row:
    """The sources of result i of an axis; `rounding` of the nearest index, or None for two indices and their
    weights."""
    if length == side and scale == 1:
        return [(i, Fraction(1))]
    x = coordinate(node, i, side, length, scale, how)
    if rounding is not None:
        return [(neighbour(node, i, side, x, scale, how, rounding), Fraction(1))]
    x = min(max(x, Fraction(0)), Fraction(side - 1))
    first = math.floor(x)
    weight = x - first
    return [(first, 1 - weight), (first + 1, weight)] if weight else [(first, Fraction(1))]


def coordinate(node: Node, i: int, side: int, length: int, scale: Fraction, how: str) -> Fraction:
    """The position of result i on the axis before scaling."""
    if how == "asymmetric":
        return i / scale
    if how == "half_pixel" or (how == "pytorch_half_pixel" and length > 1):
        return (i + HALF) / scale - HALF
    if how == "pytorch_half_pixel":
        return Fraction(0)
    if how == "align_corners":
        return Fraction(i * (side - 1), length - 1) if length > 1 else Fraction(0)
    if how == "tf_half_pixel_for_nn":
        return (i + HALF) / scale
    if how == "half_pixel_symmetric":
        centre = Fraction(side, 2)
        return centre * (1 - length / (side * scale)) + (i + HALF) / scale - HALF
    node.refuse(f"has coordinate_transformation_mode {how!r}, which is not read.")


def neighbour(node: Node, i: int, side: int, x: Fraction, scale: Fraction, how: str, rounding: str) -> int:
    """The index nearest to x on an axis. Raises UnsupportedModelError if programs could choose another one."""
    if node.context.opset < 11 and scale < 1 and x.denominator > 1:
        node.refuse(
            f"makes an axis shorter by {float(scale):.6g} before version 11, which does not say which neighbour is the "
            "nearest, and programs differ. Export the model with opset 11 or later."
        )
    off = max(OFF, abs(x) * PART_OFF)
    below, at, above = (min(max(rounded(node, y, rounding), 0), side - 1) for y in (x - off, x, x + off))
    jump = x + HALF if rounding.startswith("round") else x
    # All programs agree on a position exactly halfway only if the scale is a float32, or is not used.
    held = how == "align_corners" or Fraction(float(np.float32(float(scale)))) == scale
    if how == "half_pixel_symmetric":
        held = held and (side * scale).denominator == 1
    if below != above and (jump.denominator > 1 or not held):
        node.refuse(
            f"takes result {i} of an axis from place {float(x):.9g}, so near to a jump from {below} to {above} that "
            "programs, which compute in float32, may take the other one."
        )
    return at


def rounded(node: Node, x: Fraction, rounding: str) -> int:
    """A position rounded to an integer."""
    if rounding == "floor":
        return math.floor(x)
    if rounding == "ceil":
        return math.ceil(x)
    if rounding == "round_prefer_floor":
        return math.ceil(x - HALF)
    if rounding == "round_prefer_ceil":
        return math.floor(x + HALF)
    node.damaged(f"has nearest_mode {rounding!r}.")


def blended(node: Node, value: Value, rows: list[list[Row]], shape: tuple[int, ...]) -> Value:
    """Sums of products of the weights along all axes, as integers over a common denominator for each result."""
    rank = len(shape)
    strides = [math.prod(value.shape[axis + 1 :]) for axis in range(rank)]
    mixed = sum(any(len(row) > 1 for row in side) for side in rows)
    node.room([*shape, 2**mixed], 6)
    # First the axes of the result, then for each of them an axis of length 1 or 2: the indices that are combined along
    # it.
    places, weights = np.zeros((1,) * (2 * rank), np.int64), np.ones((1,) * (2 * rank), np.int64)
    divisors, largest = np.ones((1,) * rank, np.int64), 1
    for axis, side in enumerate(rows):
        taken = max(len(row) for row in side)
        whole = [math.lcm(*(weight.denominator for _, weight in row)) for row in side]
        largest *= max(whole)
        if largest >= LARGEST_DIVISOR:
            node.refuse("has weights finer than float64 holds.")
        here = np.zeros((2, len(side), taken), np.int64)
        for i, (row, common) in enumerate(zip(side, whole, strict=True)):
            for k, (place, weight) in enumerate(row):
                here[:, i, k] = place * strides[axis], weight * common
        across = [1] * (2 * rank)
        across[axis], across[rank + axis] = len(side), taken
        places = places + here[0].reshape(across)
        weights = weights * here[1].reshape(across)
        divisors = divisors * np.array(whole, np.int64).reshape(across[:rank])
    size = math.prod(shape)
    columns, numbers = places.reshape(size, -1), weights.reshape(size, -1)
    over = divisors.reshape(size)
    shared = np.gcd(np.gcd.reduce(numbers, axis=1), over)
    kept = numbers != 0
    operator = rows_of(columns[kept], (numbers // shared[:, None])[kept], kept.sum(axis=1), value.size)
    summed = Value(total([(value.flow, operator)], shape, node.label, None, node.name), value.batch)
    return divided(node, summed, (over // shared).astype(np.float64))
