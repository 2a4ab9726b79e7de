"""Nodes of an `.onnx` graph whose inputs are all constants are computed in advance: mostly shapes and how they are
made.

Integers remain integers. Floats are computed in the number type of the file, as every program that runs the file
computes them: sums, products, quotients and square roots are correctly rounded there. Operations that are not (an
exponential, a matrix product, any rounding to BFLOAT16) are refused. A note names the nodes whose results were rounded
or may have been. Every shape is checked before an array is made, because a node of a few bytes may ask for 10^12
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from creases.readers.onnx.moves import MOVES, concatenated, moved_constant, padded, split
from creases.readers.onnx.tensor import BRIEF, KINDS, MOST_AXES, dtype_of, is_brief, kind_of, tensor_values
from creases.readers.onnx.values import Array, Node, Value

__all__ = ["FOLDED", "MEASURED", "fold", "kind_made", "measured"]

# These take only the shape of a flow, which is constant.
MEASURED = ("Shape", "Size")


def fold(node: Node) -> list[Array]:
    """The constants that a node computes from constants. Raises UnsupportedModelError on an operator that is not
    computed here."""
    if node.op in MOVES:
        return [moved_constant(node)]
    if node.op == "Split":
        return split(node, node.constant(0, "input"))
    if node.op not in FOLDED:
        node.refuse("takes constants only, and is not worked out ahead. Fold constants before export.")
    try:
        with np.errstate(all="ignore"):
            result = FOLDED[node.op](node)
    except TypeError as error:  # for example a difference of booleans
        node.damaged(f"has no such operation on its numbers: {error}")
    node.room(result.shape)
    return [result]


def kind_made(node: Node, array: Array) -> str:
    """The number type of a constant that a node computed; "" if it is a type that is not read."""
    if node.op == "Cast":
        return kind_of(node.whole("to", 0))
    if node.op == "CastLike":
        return node.kind(1) or ""
    told = {node.kind(place) for place in range(len(node.inputs))}
    told |= {kind_of(value.data_type) for value in node.attributes.values() if hasattr(value, "data_type")}
    if BRIEF in told and array.dtype == np.float32:
        return BRIEF
    return next((kind for kind, (_, _, dtype) in KINDS.items() if array.dtype == dtype), "")


def measured(node: Node) -> Array:
    """Shape and Size of any value, at batch size 1."""
    value = node.given(0)
    if node.op == "Size":
        return np.array(value.size, dtype=np.int64)
    rank = len(value.shape)
    start, end = (node.whole(name, default) for name, default in (("start", 0), ("end", rank)))
    return np.array(value.shape[start:end], dtype=np.int64)


def constants(node: Node, count: int | None) -> list[Array]:
    """The inputs, which must be constants of one number type; `count` of them, or any number if None."""
    if count is not None and len(node.inputs) != count:
        node.damaged(f"takes {len(node.inputs)} inputs; it needs {count}.")
    arrays = [node.constant(place, "input") for place in range(len(node.inputs))]
    if not arrays or len({array.dtype for array in arrays}) > 1:
        node.damaged(f"combines numbers of types {', '.join(str(array.dtype) for array in arrays[:8]) or 'none'}.")
    broadcast(node, arrays)
    return arrays


def broadcast(node: Node, arrays: Sequence[Array]) -> None:
    """Raise ModelFileError unless the shapes broadcast, and to an array that is not too large."""
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        node.damaged(f"combines constants of shapes {', '.join(str(array.shape) for array in arrays[:8])}.")
    node.room(shape)


def combined(function: Callable[..., Any], arrays: list[Array], count: int | None) -> Array:
    """A function of one array, of two, or applied from the left to two arrays at a time (count None)."""
    return np.asarray(function(*arrays) if count is not None else reduce(function, arrays))


def arithmetic(function: Callable[..., Any], count: int | None = 2) -> Callable[[Node], Array]:
    """An elementwise operator on constants that rounds floats."""

    def folded(node: Node) -> Array:
        result = combined(function, constants(node, count), count)
        if any(node.kind(place) == BRIEF for place in range(len(node.inputs))):
            node.refuse(f"computes constants in {BRIEF}, which is not worked out ahead. Fold constants before export.")
        if result.dtype.kind == "f":
            node.context.rounded.append((node.label, str(result.dtype)))
        return result

    return folded


def exact(function: Callable[..., Any], count: int | None = 2) -> Callable[[Node], Array]:
    """An elementwise operator on constants that never rounds."""
    return lambda node: combined(function, constants(node, count), count)


def divide(first: Array, second: Array) -> Array:
    """A quotient; integers are rounded towards zero. Raises ZeroDivisionError on an integer division by zero."""
    if first.dtype.kind == "f":
        return np.asarray(first / second)
    if not second.all():
        raise ZeroDivisionError("a whole number divided by zero")
    quotient = np.abs(first) // np.abs(second)
    return np.asarray(np.where((first < 0) != (second < 0), -quotient, quotient), dtype=first.dtype)


def modulo(node: Node) -> Array:
    """Mod: the result has the sign of the divisor, or of the dividend (fmod), as in C."""
    first, second = constants(node, 2)
    if first.dtype.kind != "f" and not second.all():
        node.damaged("divides by zero.")
    if first.dtype.kind == "f" and not node.flag("fmod", 0):
        node.damaged("takes a remainder of floats, for which ONNX asks for fmod=1.")
    return np.asarray(np.fmod(first, second) if node.flag("fmod", 0) else np.mod(first, second))


def quotient(node: Node) -> Array:
    """Div."""
    try:
        return arithmetic(divide)(node)
    except ZeroDivisionError:
        node.damaged("divides by zero.")


def cast(node: Node) -> Array:
    """Cast: to the number type in `to`."""
    return converted(node, kind_of(node.whole("to", 0)), dtype_of(node.whole("to", 0), node.label, node.context.source))


def cast_like(node: Node) -> Array:
    """CastLike: to the number type of the other input, which may be a flow."""
    other, kind = node.given(1), node.kind(1)
    if isinstance(other, Value) and kind not in KINDS:
        node.refuse(
            f"gives a constant the number type of '{node.names[1]}', which the file does not tell (value_info). Infer "
            "shapes before export, or fold constants."
        )
    return converted(node, kind, KINDS[kind][2] if kind in KINDS else np.asarray(other).dtype.type)


def converted(node: Node, kind: str | None, dtype: type) -> Array:
    """A constant in another number type; a note says where a float was rounded."""
    array = node.constant(0, "input")
    if array.dtype.kind == "f" and np.dtype(dtype).kind == "i":
        end = 2.0 ** (8 * np.dtype(dtype).itemsize - 1)
        whole = np.trunc(array.astype(np.float64))
        if not ((whole >= -end) & (whole < end)).all():  # a NaN fails this too
            node.refuse(
                f"makes {kind} of constants that are not finite or beyond it, which programs do differently. Fold "
                "constants before export."
            )
    result: Array = array.astype(dtype)
    if result.dtype.kind != "f":
        return result
    with np.errstate(all="ignore"):  # infinities are not integers
        changed = (result.astype(array.dtype) != array) & (array == array)
    if kind == BRIEF and (changed.any() or not is_brief(result)):
        node.refuse(f"rounds constants to {BRIEF}, which is not worked out ahead. Fold constants before export.")
    if changed.any():
        node.context.rounded.append((node.label, str(result.dtype)))
    return result


def filled(node: Node) -> Array:
    """ConstantOfShape: an array of one number, by default 0.0."""
    sides = node.constant(0, "shape")
    if sides.dtype.kind not in "iu" or sides.size > MOST_AXES:
        node.damaged("needs a shape of whole numbers, and not too many.")
    shape = [int(side) for side in sides.ravel().tolist()]
    value = np.zeros(1, dtype=np.float32)
    if "value" in node.attributes:
        value = tensor_values(node.attributes["value"], f"{node.label}: value", node.context.source, None)
    if value.size != 1:
        node.damaged(f"repeats {value.size} numbers; it repeats one.")
    node.room(shape)
    return np.full(shape, value.reshape(()))


def counted(node: Node) -> Array:
    """Range: integers from start to limit in steps."""
    ends = [node.constant(place, "bound") for place in range(3)]
    if any(end.size != 1 or end.dtype.kind not in "iu" for end in ends):
        node.refuse("counts in numbers that are not whole.")
    start, limit, step = (int(end.reshape(())) for end in ends)
    if step == 0:
        node.damaged("counts in steps of 0.")
    numbers = range(start, limit, step)
    node.room([len(numbers)])
    return np.arange(start, limit, step, dtype=ends[0].dtype)


def where(node: Node) -> Array:
    """Where, with constants only: the first where the condition is true, else the second."""
    arrays = [node.constant(place, "input") for place in range(3)]
    broadcast(node, arrays)
    return np.where(arrays[0] != 0, arrays[1], arrays[2])


def put_together(node: Node) -> Array:
    """Concat of constants."""
    return concatenated(node, [node.constant(place, "input") for place in range(len(node.inputs))])


def put_around(node: Node) -> Array:
    """Pad of a constant."""
    array = node.constant(0, "input")
    value = node.constant(2, "value") if node.has(2) else np.array(node.attributes.get("value", 0))
    if value.size != 1:
        node.damaged(f"pads with {value.size} numbers; it takes one.")
    return padded(node, array, value.astype(array.dtype).reshape(()).item())


def product(node: Node) -> Array:
    """ReduceProd of integers: the number of entries of a shape."""
    array = node.constant(0, "input")
    if array.dtype.kind not in "iu":
        node.refuse("takes a product of floats, which may round in any order.")
    wanted = node.integers(1, "axes") or []
    if not wanted and node.flag("noop_with_empty_axes", 0):
        return array
    axes = tuple(node.axes(wanted or list(range(array.ndim)), array.ndim))
    return np.asarray(np.prod(array, axis=axes, keepdims=node.flag("keepdims", 1), dtype=array.dtype))


def as_it_is(node: Node) -> Array:
    """Identity, and Dropout of a constant."""
    return node.constant(0, "input")


# On integers these wrap around and are otherwise exact; on floats they round.
FOLDED: dict[str, Callable[[Node], Array]] = {
    "Abs": exact(np.abs, 1),
    "Add": arithmetic(np.add),
    "And": exact(np.logical_and),
    "Cast": cast,
    "CastLike": cast_like,
    "Ceil": exact(np.ceil, 1),
    "Concat": put_together,
    "ConstantOfShape": filled,
    "Div": quotient,
    "Equal": exact(np.equal),
    "Floor": exact(np.floor, 1),
    "Greater": exact(np.greater),
    "GreaterOrEqual": exact(np.greater_equal),
    "Identity": as_it_is,
    "Less": exact(np.less),
    "LessOrEqual": exact(np.less_equal),
    "Max": exact(np.maximum, None),
    "Min": exact(np.minimum, None),
    "Mod": modulo,
    "Mul": arithmetic(np.multiply),
    "Neg": exact(np.negative, 1),
    "Not": exact(np.logical_not, 1),
    "Or": exact(np.logical_or),
    "Pad": put_around,
    "Range": counted,
    "Reciprocal": arithmetic(lambda array: np.divide(np.ones((), array.dtype), array), 1),
    "ReduceProd": product,
    "Relu": exact(lambda array: np.maximum(array, np.zeros((), array.dtype)), 1),
    "Sign": exact(np.sign, 1),
    "Sqrt": arithmetic(np.sqrt, 1),
    "Sub": arithmetic(np.subtract),
    "Sum": arithmetic(np.add, None),
    "Where": where,
}
