"""The values in the graph of an `.onnx` file: constants are arrays, and values that depend on the input are flows.

This module decides what a node may ask for, and how a refusal is phrased. A flow has the full shape that ONNX gives it
at batch size 1, so axis numbers are the same here as in the file. Its values are flat in C order, so an axis of length
1 costs nothing. If the file takes several inputs at once, their axis is tracked (`batch`), and operators that would mix
them are refused, because the network of one input would be another function.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from creases.arrays import first_not_finite
from creases.errors import ModelFileError, NetworkError, UnsupportedModelError
from creases.network.builder.flows import Flow, total
from creases.network.operators import Select
from creases.network.operators.operator import Floats, Integers
from creases.readers.onnx.tensor import MOST_AXES
from creases.readers.weights.state_dict import check_claims

__all__ = [
    "FIXED_BATCH",
    "Array",
    "Context",
    "Given",
    "Node",
    "Value",
    "cut_off",
    "kept_axis",
    "places_of",
    "selected",
    "shaped",
    "spread_to",
]

Array: TypeAlias = NDArray[Any]

MOST_VALUE_NUMBERS = 1 << 24  # numbers of one value: 64 channels of 512 x 512
MOST_IN_ALL = 3 << 26  # indices and numbers that are written while a file is read, 1.6 GB
FIXED_BATCH = "If the model was exported with a fixed batch size, export it with size 1."


@dataclass(frozen=True)
class Value:
    """A value that depends on the input. flow : its numbers, in the shape that ONNX gives it at batch size 1.

    batch : the axis of the file's inputs; None if there is none, or none any more.
    """

    flow: Flow
    batch: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape at batch size 1."""
        return self.flow.shape

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.flow.size


Given: TypeAlias = Value | Array


@dataclass
class Context:
    """What all nodes of a file share.

    entry : the name of the input that is not fixed.
    opset : the version of ONNX's own operators. n_bytes : bytes of the file, with those beside it.
    several : whether the batch axis of the inputs has a fixed length above 1.
    """

    source: str
    entry: str
    opset: int
    n_bytes: int
    several: bool = False
    notes: list[str] = field(default_factory=list)
    rounded: list[tuple[str, str]] = field(default_factory=list)  # nodes that rounded constants, and the type
    claimed: int = 0  # bytes of the constants that nodes took, counted each time
    written: int = 0
    # Number types of values by name, where the file or `folding` gives them: a float32 array may hold BFLOAT16s.
    kinds: dict[str, str] = field(default_factory=dict)
    # Number types of flows, passed on from node to node; the nodes that round flows, and the type.
    flowing: dict[str, str] = field(default_factory=dict)
    narrowed: list[tuple[str, str]] = field(default_factory=list)

    def take(self, n_bytes: int) -> None:
        """Count constants that become part of the network. Raises ModelFileError if a few constants are repeated too
        often."""
        self.claimed += n_bytes
        check_claims(self.claimed, self.n_bytes, self.source)

    def note(self, text: str) -> None:
        """Add a sentence to the network's notes, once."""
        if text not in self.notes:
            self.notes.append(text)


@dataclass(frozen=True)
class Node:
    """One operator: its name in errors, its attributes and its inputs, None for an input that is left out.

    names : the names of its inputs. outputs : the number of its outputs that may be used.
    The functions that read a node raise their errors through it: UnsupportedModelError (`refuse`) if it is not
    piecewise linear or not supported, ModelFileError (`damaged`) if it breaks the rules of ONNX, NetworkError (`real`)
    on numbers that are not finite.
    """

    op: str
    label: str
    name: str
    attributes: dict[str, Any]
    inputs: tuple[Given | None, ...]
    names: tuple[str, ...]
    outputs: int
    context: Context

    def refuse(self, text: str) -> NoReturn:
        """Raise UnsupportedModelError: the node is not piecewise linear or not supported. The message suggests an
        alternative."""
        named = zip(self.names, self.inputs, strict=True)
        before = next((name for name, given in named if isinstance(given, Value)), "")
        raise UnsupportedModelError(f"{self.context.source}: {self.label} {text}{cut_off(before, self.context.entry)}")

    def damaged(self, text: str) -> NoReturn:
        """Raise ModelFileError: the node breaks the rules of ONNX."""
        raise ModelFileError(f"{self.context.source}: {self.label} {text}")

    def has(self, place: int) -> bool:
        """Whether the node has this input."""
        return place < len(self.inputs) and self.inputs[place] is not None

    def given(self, place: int) -> Given:
        """An input, constant or flow."""
        value = self.inputs[place] if self.has(place) else None
        if value is None:
            self.damaged(f"needs {'two inputs' if place == 1 else f'an input {place}'}.")
        return value

    def kind(self, place: int) -> str | None:
        """The number type of an input, None if it is not known."""
        return self.context.kinds.get(self.names[place])

    def flow(self, place: int = 0) -> Value:
        """An input that must depend on the network's input."""
        value = self.given(place)
        if not isinstance(value, Value):
            self.refuse(f"takes a constant as input {place} where what depends on the network's input is read.")
        return value

    def constant(self, place: int, what: str) -> Array:
        """An input that must be constant; `what` is its name in errors."""
        value = self.given(place)
        if isinstance(value, Value):
            self.refuse(f"needs a constant {what}, and this one depends on the network's input.")
        return value

    def integers(self, place: int, name: str, what: str | None = None) -> list[int] | None:
        """Integers in an attribute or, in later versions, in a constant input; None if both are missing."""
        if name in self.attributes:
            values = self.attributes[name]
            if not isinstance(values, list) or not all(type(value) is int for value in values):
                self.damaged(f"has an attribute '{name}' that is no list of whole numbers.")
            return list(values)
        if place <= 0 or not self.has(place):
            return None
        array = self.constant(place, what or name)
        if array.dtype.kind not in "iu" or array.ndim > 1:
            self.refuse(f"needs a constant {what or name} of integers.")
        if array.size > MOST_VALUE_NUMBERS:
            self.damaged(f"has {array.size:,} numbers as {what or name}.")
        return [int(value) for value in array.ravel().tolist()]

    def number(self, name: str, default: float) -> float:
        """A finite float attribute. Defaults are float32, as in the operator's definition."""
        value = self.attributes.get(name, float(np.float32(default)))
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.damaged(f"has an attribute '{name}' that is no number.")
        if not math.isfinite(value):
            self.damaged(f"has a factor that is not finite, '{name}'.")
        return float(value)

    def whole(self, name: str, default: int) -> int:
        """An attribute that is an integer."""
        value = self.attributes.get(name, default)
        if type(value) is not int:
            self.damaged(f"has an attribute '{name}' that is no whole number.")
        return value

    def flag(self, name: str, default: int) -> bool:
        """An attribute that is 0 or 1."""
        value = self.whole(name, default)
        if value not in (0, 1):
            self.damaged(f"has {value} as its attribute '{name}'; 0 and 1 are allowed.")
        return value == 1

    def word(self, name: str, default: str) -> str:
        """An attribute that is text."""
        value = self.attributes.get(name, default)
        if isinstance(value, bytes):
            value = value.decode("ascii", "replace")
        if not isinstance(value, str):
            self.damaged(f"has an attribute '{name}' that is no text.")
        return value

    def axis(self, number: int, rank: int) -> int:
        """An axis, counted from the front."""
        if not -rank <= number < rank:
            self.damaged(f"has axis {number}, but there are {rank} axes.")
        return number % rank

    def axes(self, numbers: list[int], rank: int) -> list[int]:
        """Axes, counted from the front, each at most once."""
        axes = [self.axis(number, rank) for number in numbers]
        if len(set(axes)) < len(axes):
            self.damaged(f"names an axis twice: {numbers}.")
        return axes

    def real(self, values: Array, what: str = "constant") -> Floats:
        """Constants that become part of the network, float64 without loss. Raises NetworkError unless all are
        finite."""
        if values.dtype.kind != "f":
            self.refuse(f"has a {what} of integers; weights are floats.")
        self.context.take(values.nbytes)
        wide = values.astype(np.float64)
        if wrong := first_not_finite(wide, f"{self.context.source}: {self.label}: {what}"):
            raise NetworkError(f"{wrong}; every number must be finite. The network may have diverged in training.")
        return wide

    def fits(self, given: Given, shape: tuple[int, ...]) -> bool:
        """Whether an input broadcasts to a shape, as in NumPy."""
        try:
            return np.broadcast_shapes(given.shape, shape) == shape
        except ValueError:
            return False

    def joint_shape(self) -> tuple[int, ...]:
        """The shape to which all inputs broadcast, as in NumPy."""
        shapes = [given.shape for given in self.inputs if given is not None]
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError:
            self.damaged(f"combines shapes {' and '.join(map(str, shapes[:8]))}, which do not fit each other.")
        self.room(shape)
        return shape

    def room(self, shape: tuple[int, ...] | list[int], times: int = 1) -> int:
        """The number of entries of a shape; `times` numbers are about to be written for each entry.

        Raises ModelFileError if they are too many: a file of a few bytes may ask for any number of them.
        """
        if len(shape) > MOST_AXES:
            self.damaged(f"makes {len(shape)} axes; {MOST_AXES} are the most.")
        size = math.prod(shape)
        if size > MOST_VALUE_NUMBERS or min(shape, default=0) < 0:
            self.damaged(f"makes {size:,} numbers, shape {tuple(shape)}; {MOST_VALUE_NUMBERS:,} are the most.")
        self.context.written += size * times
        if self.context.written > MOST_IN_ALL:
            self.damaged(f"and the nodes before it make more than {MOST_IN_ALL:,} numbers; the file is too large.")
        return size


def cut_off(before: str, entry: str) -> str:
    """A sentence that says how to read the part before a node, up to its input `before`; "" if there is no such
    part."""
    if not before or before == entry:
        return ""
    return (
        f" What stands before it can be read alone, with load(..., output={before!r}) or --output-name "
        f"{shlex.quote(before)}."
    )


def shaped(value: Value, shape: tuple[int, ...], batch: int | None) -> Value:
    """The same numbers in the same order, in another shape."""
    return Value(Flow(shape, value.flow.node), batch)


def places_of(value: Value) -> Integers:
    """The index of each number, as an array of the value's shape."""
    return np.arange(value.size, dtype=np.int64).reshape(value.shape)


def selected(node: Node, value: Value, places: Integers, batch: int | None, filling: float = 0.0) -> Value:
    """The numbers at some indices, in the shape of `places`, with `filling` where the index is -1. Nothing is added to
    the network if they are all numbers in order."""
    if places.size == 0:
        node.refuse(f"leaves nothing of shape {value.shape}.")
    node.room(places.shape)
    flat = places.reshape(-1)
    if flat.size == value.size and bool((flat == np.arange(value.size)).all()):
        return shaped(value, places.shape, batch)
    bias = np.where(flat < 0, filling, 0.0) if filling else None
    flow = total([(value.flow, Select(flat, value.size))], places.shape, node.label, bias, node.name)
    return Value(flow, batch)


def kept_axis(before: tuple[int, ...], after: tuple[int, ...], axis: int | None) -> int | None:
    """The number of an axis after a reshape; None if it is no longer an axis of its own."""
    if axis is None:
        return None
    ahead, length = math.prod(before[:axis]), before[axis]
    fits = [i for i, side in enumerate(after) if side == length and math.prod(after[:i]) == ahead]
    return axis if axis in fits else next(iter(fits), None)


def spread_to(node: Node, value: Value, shape: tuple[int, ...]) -> Value:
    """A flow broadcast to a shape: repeated along axes of length 1, and along new ones in front."""
    batch = None if value.batch is None else value.batch + len(shape) - len(value.shape)
    if batch is not None and shape[batch] != value.shape[value.batch or 0]:
        node.refuse(f"combines shape {value.shape}, whose batch axis has length 1, with {shape[batch]} on that axis.")
    return selected(node, value, np.broadcast_to(places_of(value), shape), batch)
