"""ONNX operators that move numbers without computing any: each is one function of arrays.

For a constant the function moves its numbers; for a flow it moves their indices, and the result is a selection. So the
two cannot differ, and a test of one is a test of both. An index of -1 is a number that was filled in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from creases.readers.onnx.tensor import MOST_AXES
from creases.readers.onnx.values import Array, Node, Value, kept_axis, places_of, selected

__all__ = ["MOVES", "concatenated", "moved_constant", "moved_flow", "new_shape", "padded", "split"]


@dataclass(frozen=True)
class Move:
    """A function that moves numbers.

    array : the operator as a function of the node and an array.
    axis : the batch axis of the result, as a function of (node, shape before, shape after, axis).
    """

    array: Callable[[Node, Array], Array]
    axis: Callable[[Node, tuple[int, ...], tuple[int, ...], int], int | None]


def moved_constant(node: Node) -> Array:
    """The operator on a constant."""
    return MOVES[node.op].array(node, node.constant(0, "input"))


def moved_flow(node: Node) -> Value:
    """The operator on a flow."""
    value, move = node.flow(), MOVES[node.op]
    places = move.array(node, places_of(value))
    batch = None if value.batch is None else move.axis(node, value.shape, places.shape, value.batch)
    return selected(node, value, places, batch)


def same(_node: Node, _before: tuple[int, ...], after: tuple[int, ...], axis: int) -> int | None:
    """The batch axis if axes stay where they are, counted from the end; new ones may be added in front."""
    return axis + len(after) - len(_before)


def without_squeezed(node: Node, before: tuple[int, ...], _after: tuple[int, ...], axis: int) -> int | None:
    """The new number of an axis after a Squeeze."""
    gone = squeezed(node, before)
    return None if axis in gone else axis - sum(each < axis for each in gone)


def with_unsqueezed(node: Node, _before: tuple[int, ...], after: tuple[int, ...], axis: int) -> int | None:
    """The new number of an axis after an Unsqueeze."""
    new = node.axes(node.integers(1, "axes") or [], len(after))
    return [i for i in range(len(after)) if i not in new][axis]


def followed(_node: Node, before: tuple[int, ...], after: tuple[int, ...], axis: int) -> int | None:
    """The batch axis if the order of the numbers stays the same."""
    return kept_axis(before, after, axis)


# The same numbers in another shape.


def new_shape(node: Node, array: Array) -> Array:
    """Reshape: 0 copies a length, and -1 is the length that remains."""
    wanted = node.integers(1, "shape")
    if wanted is None:
        node.damaged("needs two inputs, or a shape.")
    if len(wanted) > MOST_AXES:
        node.damaged(f"makes {len(wanted)} axes; {MOST_AXES} are the most.")
    sides = list(wanted)
    if not node.flag("allowzero", 0):
        sides = [array.shape[i] if side == 0 and i < array.ndim else side for i, side in enumerate(sides)]
    if sides.count(-1) == 1:
        rest = math.prod(side for side in sides if side != -1)
        sides[sides.index(-1)] = array.size // rest if rest > 0 else 0
    if math.prod(sides) != array.size or min(sides, default=1) < (0 if array.size == 0 else 1):
        node.refuse(
            f"makes shape {tuple(wanted)} of {array.shape}, which has {array.size} numbers at batch size 1. If the "
            "model was exported with a fixed batch size, export it with size 1."
        )
    return array.reshape(sides)


def flatten(node: Node, array: Array) -> Array:
    """Flatten: to two axes, split at `axis`."""
    axis = node.whole("axis", 1)
    if not -array.ndim <= axis <= array.ndim:
        node.damaged(f"has axis {axis}, but shape {array.shape} flows.")
    axis += array.ndim if axis < 0 else 0
    return array.reshape(math.prod(array.shape[:axis]), math.prod(array.shape[axis:]))


def squeeze(node: Node, array: Array) -> Array:
    """Squeeze: removes axes of length 1, all of them if none is named."""
    gone = squeezed(node, array.shape)
    return array.reshape([side for i, side in enumerate(array.shape) if i not in gone])


def squeezed(node: Node, shape: tuple[int, ...]) -> list[int]:
    """The axes that a Squeeze removes."""
    wanted = node.integers(1, "axes")
    axes = [i for i, side in enumerate(shape) if side == 1] if wanted is None else node.axes(wanted, len(shape))
    if any(shape[axis] != 1 for axis in axes):
        node.damaged(f"leaves out axes {axes} of shape {shape}; only one of length 1 can be.")
    return axes


def unsqueeze(node: Node, array: Array) -> Array:
    """Unsqueeze: adds axes of length 1, numbered as in the result."""
    wanted = node.integers(1, "axes")
    if wanted is None:
        node.damaged("needs axes.")
    rank = array.ndim + len(wanted)
    if rank > MOST_AXES:
        node.damaged(f"makes {rank} axes; {MOST_AXES} are the most.")
    return np.expand_dims(array, tuple(node.axes(wanted, rank)))


# Operators that change the order or the number of entries.


def transpose(node: Node, array: Array) -> Array:
    """Transpose: reverses the axes if no order is given."""
    order = permutation(node, array.ndim)
    return np.transpose(array, order)


def permutation(node: Node, rank: int) -> list[int]:
    """The order of axes that a Transpose names."""
    order = node.integers(0, "perm")
    order = list(range(rank))[::-1] if order is None else order
    if sorted(order) != list(range(rank)):
        node.damaged(f"must give an order of its {rank} axes, got {order}.")
    return order


def turned(node: Node, before: tuple[int, ...], _after: tuple[int, ...], axis: int) -> int | None:
    """The new number of an axis after a Transpose."""
    return permutation(node, len(before)).index(axis)


def expand(node: Node, array: Array) -> Array:
    """Expand: repeats along axes of length 1, and along new ones in front."""
    wanted = node.integers(1, "shape")
    if wanted is None:
        node.damaged("needs two inputs.")
    try:
        shape = np.broadcast_shapes(array.shape, tuple(wanted)) if len(wanted) <= MOST_AXES else (-1,)
    except ValueError:
        node.damaged(f"cannot repeat shape {array.shape} to {tuple(wanted[:MOST_AXES])}.")
    node.room(shape)
    return np.broadcast_to(array, shape)


def tile(node: Node, array: Array) -> Array:
    """Tile: repeats the whole array along each axis."""
    times = node.integers(1, "repeats")
    if times is None or len(times) != array.ndim or min(times, default=0) < 0:
        node.damaged(f"must say how often to repeat each of {array.ndim} axes.")
    node.room([side * count for side, count in zip(array.shape, times, strict=True)])
    return np.tile(array, times)


def cut(node: Node, array: Array) -> Array:
    """Slice: from start to end in steps along some axes."""
    starts, ends = node.integers(1, "starts"), node.integers(2, "ends")
    if starts is None or ends is None or len(starts) != len(ends):
        node.damaged("needs as many starts as ends.")
    wanted, steps = node.integers(3, "axes"), node.integers(4, "steps")
    axes = node.axes(list(range(len(starts))) if wanted is None else wanted, array.ndim)
    steps = [1] * len(starts) if steps is None else steps
    if not len(axes) == len(steps) == len(starts) or 0 in steps:
        node.damaged("needs one axis and one step, not 0, for each start.")
    index = [slice(None)] * array.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        side = array.shape[axis]
        # As in ONNX: negative numbers count from the end, then all are limited to the axis; -1 is before the first.
        first, last = (place + side if place < 0 else place for place in (start, end))
        if step > 0:
            index[axis] = slice(min(max(first, 0), side), min(max(last, 0), side), step)
        else:
            first, last = min(max(first, 0), side - 1), min(max(last, -1), side - 1)
            index[axis] = slice(first, None if last == -1 else last, step)
    return array[tuple(index)]


def gather(node: Node, array: Array) -> Array:
    """Gather: entries along an axis at constant indices."""
    if array.ndim == 0:
        node.damaged("takes entries of a single number.")
    axis, indices = node.axis(node.whole("axis", 0), array.ndim), node.constant(1, "indices")
    side = array.shape[axis]
    if indices.dtype.kind not in "iu":
        node.refuse("needs constant indices of integers.")
    if indices.size and not -side <= int(indices.min()) <= int(indices.max()) < side:
        node.damaged(f"has indices {indices.min()} to {indices.max()}; axis {axis} of {array.shape} has {side}.")
    node.room([*array.shape[:axis], *indices.shape, *array.shape[axis + 1 :]])
    return np.asarray(np.take(array, indices.astype(np.int64), axis=axis))


def gathered(node: Node, before: tuple[int, ...], _after: tuple[int, ...], axis: int) -> int | None:
    """The new number of an axis after another one was replaced by those of the indices."""
    along = node.axis(node.whole("axis", 0), len(before))
    if axis == along:
        return None
    return axis if axis < along else axis + node.constant(1, "indices").ndim - 1


def depth_to_space(node: Node, array: Array) -> Array:
    """DepthToSpace: channels become blocks of pixels."""
    block, n, c, h, w = blocks(node, array)
    if c % block**2:
        node.damaged(f"parts {c} channels into blocks of {block} x {block}.")
    if node.word("mode", "DCR") == "CRD":
        parts = array.reshape(n, c // block**2, block, block, h, w).transpose(0, 1, 4, 2, 5, 3)
    else:
        parts = array.reshape(n, block, block, c // block**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    return parts.reshape(n, c // block**2, h * block, w * block)


def space_to_depth(node: Node, array: Array) -> Array:
    """SpaceToDepth: blocks of pixels become channels."""
    block, n, c, h, w = blocks(node, array)
    if h % block or w % block:
        node.damaged(f"parts {h} x {w} into blocks of {block} x {block}.")
    parts = array.reshape(n, c, h // block, block, w // block, block).transpose(0, 3, 5, 1, 2, 4)
    return parts.reshape(n, c * block**2, h // block, w // block)


def blocks(node: Node, array: Array) -> tuple[int, int, int, int, int]:
    """The side length of a block and the shape of the images (n, c, h, w)."""
    block = node.whole("blocksize", 0)
    if array.ndim != 4 or not 1 <= block <= 1 << 20:
        node.damaged(f"needs images of four axes and a block of at least 1, got {array.shape} and {block}.")
    n, c, h, w = array.shape
    return block, n, c, h, w


# Operators with several outputs or several inputs.


def split(node: Node, array: Array) -> list[Array]:
    """Split: parts along an axis; without given lengths all are equal, except perhaps the last."""
    axis = node.axis(node.whole("axis", 0), array.ndim)
    side, lengths = array.shape[axis], node.integers(1, "split")
    if lengths is None:
        count = node.whole("num_outputs", node.outputs)
        if not 1 <= count <= side:
            node.damaged(f"parts {side} entries into {count}.")
        each = -(-side // count)
        lengths = [each] * (count - 1) + [side - each * (count - 1)]
    if sum(lengths) != side or min(lengths, default=0) < 0 or len(lengths) < node.outputs:
        node.damaged(f"parts {side} entries of axis {axis} into {lengths}.")
    return np.split(array, np.cumsum(lengths)[:-1], axis=axis)


def concatenated(node: Node, arrays: Sequence[Array]) -> Array:
    """Concat along an axis."""
    if "axis" not in node.attributes or not arrays:
        node.damaged("needs an axis.")
    axis = node.axis(node.whole("axis", 0), arrays[0].ndim)
    rests = {(*array.shape[:axis], *array.shape[axis + 1 :]) for array in arrays}
    if len(rests) > 1 or len({array.ndim for array in arrays}) > 1:
        node.damaged(f"puts shapes {', '.join(str(array.shape) for array in arrays[:8])} together along axis {axis}.")
    node.room([*arrays[0].shape[:axis], sum(array.shape[axis] for array in arrays), *arrays[0].shape[axis + 1 :]])
    return np.concatenate(arrays, axis=axis)


def padded(node: Node, array: Array, filling: float | int) -> Array:
    """Pad: adds numbers on all sides, or removes some if the padding is negative."""
    pads = node.integers(1, "pads")
    if pads is None:
        node.damaged("needs pads.")
    wanted = node.integers(3, "axes")
    axes = list(range(array.ndim)) if wanted is None else node.axes(wanted, array.ndim)
    if len(pads) != 2 * len(axes):
        node.damaged(f"has {len(pads)} pads for {len(axes)} axes; two are for each.")
    pairs = [(0, 0)] * array.ndim
    for i, axis in enumerate(axes):
        pairs[axis] = (pads[i], pads[len(axes) + i])
    shape = [side + sum(pair) for side, pair in zip(array.shape, pairs, strict=True)]
    if min(shape, default=1) < 0:
        node.damaged(f"cuts off more than there is of {array.shape}.")
    node.room(shape)
    added = [(max(before, 0), max(after, 0)) for before, after in pairs]
    node.room([side + sum(pair) for side, pair in zip(array.shape, added, strict=True)])
    kept = tuple(slice(max(-before, 0), max(-before, 0) + side) for side, (before, _) in zip(shape, pairs, strict=True))
    mode = node.word("mode", "constant")
    if mode == "constant":
        return np.pad(array, added, constant_values=filling)[kept]
    if mode not in ("reflect", "edge", "wrap"):
        node.damaged(f"has mode {mode!r}.")
    if min(pads, default=0) < 0:
        node.refuse(f"cuts off numbers and repeats others (mode {mode!r}), for which programs differ.")
    if 0 in array.shape:
        node.damaged(f"repeats the edge of shape {array.shape}, which is empty.")
    return np.pad(array, added, mode=mode)[kept]  # type: ignore[call-overload, no-any-return]


MOVES: dict[str, Move] = {
    "DepthToSpace": Move(depth_to_space, same),
    "Expand": Move(expand, same),
    "Flatten": Move(flatten, followed),
    "Gather": Move(gather, gathered),
    "Reshape": Move(new_shape, followed),
    "Slice": Move(cut, same),
    "SpaceToDepth": Move(space_to_depth, same),
    "Squeeze": Move(squeeze, without_squeezed),
    "Tile": Move(tile, same),
    "Transpose": Move(transpose, turned),
    "Unsqueeze": Move(unsqueeze, with_unsqueezed),
}
