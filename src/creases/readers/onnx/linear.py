"""Sums, products with constants and means of an `.onnx` graph as linear levels, with the stored numbers.

This module decides which of these operators are linear maps of one input. A quotient is a division by the stored
number, and a mean is a sum divided by an integer: no reciprocal is computed. Operations without effect, such as adding
zeros, make no level.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from creases.network import builder as build
from creases.network.builder.flows import Flow, total
from creases.network.builder.linear import rows_of
from creases.network.operators import AveragePool, Divide, Operator, Scale, Select
from creases.network.operators.operator import Floats, Integers
from creases.readers.onnx.values import FIXED_BATCH, Array, Node, Value, places_of, selected, shaped, spread_to

__all__ = [
    "add",
    "batch_normalization",
    "constant_flow",
    "divide",
    "divided",
    "joined",
    "multiply",
    "negate",
    "negative",
    "reduce_mean",
    "reduce_sum",
    "reduced",
    "scaled",
    "shifted",
    "spread",
    "subtract",
]

# Elementwise operators.


def add(node: Node) -> Value:
    """Add and Sum: of flows and constants."""
    if node.op == "Add":
        node.given(1)
    return summed(node, [1.0] * len(node.inputs))


def subtract(node: Node) -> Value:
    """Sub: the first minus the second."""
    node.given(1)
    return summed(node, [1.0, -1.0])


def summed(node: Node, signs: list[float]) -> Value:
    """The sum of all inputs, each with its sign: one level for all flows, then the constants one after the other."""
    shape = node.joint_shape()
    terms: list[tuple[Value, float]] = []
    constants: list[Floats] = []
    for place, sign in enumerate(signs):
        given = node.given(place)
        if isinstance(given, Value):
            terms.append((spread_to(node, given, shape), sign))
        else:
            constants.append(sign * spread(node, given, shape))
    (value, sign), *others = terms
    if others or sign < 0:
        operators = [Select.all(term.size) if sign > 0 else Scale(np.full(term.size, -1.0)) for term, sign in terms]
        flows = [(term.flow, operator) for (term, _), operator in zip(terms, operators, strict=True)]
        batch = next((term.batch for term, _ in terms if term.batch is not None), None)
        value = Value(total(flows, shape, node.label, None, node.name), batch)
    for numbers in constants:
        value = shifted(node, value, numbers)
    return value


def spread(node: Node, values: Array, shape: tuple[int, ...]) -> Floats:
    """Constants of a network, broadcast to a shape, flat."""
    return np.broadcast_to(node.real(values), shape).reshape(-1)


def shifted(node: Node, value: Value, numbers: Floats) -> Value:
    """A flow plus a constant for each number; zeros make no level."""
    if not numbers.any():
        return value
    node.room(value.shape)
    flow = total([(value.flow, Select.all(value.size))], value.shape, node.label, numbers, node.name)
    return Value(flow, value.batch)


def scaled(node: Node, value: Value, factors: Floats) -> Value:
    """A flow times a constant for each number; ones make no level."""
    if (factors == 1.0).all():
        return value
    node.room(value.shape)
    return Value(total([(value.flow, Scale(factors))], value.shape, node.label, None, node.name), value.batch)


def negative(node: Node, value: Value) -> Value:
    """The negative of a flow."""
    return scaled(node, value, np.full(value.size, -1.0))


def negate(node: Node) -> Value:
    """Neg."""
    return negative(node, node.flow())


def factor_and_flow(node: Node, what: str) -> tuple[Value, Floats]:
    """The flow among two inputs, and the other one as constants, both broadcast to their joint shape."""
    places = [place for place in (0, 1) if isinstance(node.given(place), Value)]
    if len(places) != 1:
        node.refuse(f"{what}, which is not piecewise linear.")
    shape = node.joint_shape()
    value = spread_to(node, node.flow(places[0]), shape)
    return value, spread(node, node.constant(1 - places[0], "factor"), shape)


def multiply(node: Node) -> Value:
    """Mul: by constants."""
    return scaled(node, *factor_and_flow(node, "multiplies two values that both depend on the input"))


def divide(node: Node) -> Value:
    """Div: by constants, with the stored numbers."""
    if isinstance(node.given(1), Value):
        node.refuse("divides by a value that depends on the input, which is not piecewise linear.")
    value, numbers = factor_and_flow(node, "divides two values")
    if not numbers.all():
        node.damaged("divides by zero.")
    return divided(node, value, numbers)


def divided(node: Node, value: Value, numbers: Floats) -> Value:
    """A flow divided by a constant for each number; ones make no level."""
    if (numbers == 1.0).all():
        return value
    node.room(value.shape, 2)
    return Value(total([(value.flow, Divide(numbers))], value.shape, node.label, None, node.name), value.batch)


def constant_flow(node: Node, value: Value, numbers: Floats, shape: tuple[int, ...]) -> Value:
    """Constants as a flow: the given flow times zero, plus the constants."""
    node.room(shape)
    nothing = Select(np.full(numbers.size, -1), value.size)
    return Value(total([(value.flow, nothing)], shape, node.label, numbers.reshape(-1), node.name))


def joined(node: Node, first: Value, function: Callable[[list[Array]], Array], begin: int = 0) -> Value:
    """The result of a function that only moves numbers, on all inputs from `begin` on; constants become biases.

    first : the flow whose batch axis is followed.
    """
    givens = [node.given(place) for place in range(begin, len(node.inputs))]
    ends = np.cumsum([given.size for given in givens])
    # Every number of every input gets a code of its own.
    starts = ends - [given.size for given in givens]
    codes = function(
        [np.arange(start, end).reshape(given.shape) for given, start, end in zip(givens, starts, ends, strict=True)]
    )
    if codes.size == 0:
        node.refuse("leaves nothing.")
    node.room(codes.shape, len(givens))
    flat = codes.reshape(-1)
    terms: list[tuple[Flow, Operator]] = []
    bias = np.zeros(flat.size)
    for given, start, end in zip(givens, starts, ends, strict=True):
        here = (flat >= start) & (flat < end)
        if isinstance(given, Value):
            terms.append((given.flow, Select(np.where(here, flat - start, -1), given.size)))
        else:
            bias[here] = node.real(given).reshape(-1)[flat[here] - start]
    batch = None if first.batch is None else first.batch + codes.ndim - len(first.shape)
    flow = total(terms, codes.shape, node.label, bias if bias.any() else None, node.name)
    return Value(flow, batch)


# Batch normalisation, and reductions along axes.


def batch_normalization(node: Node) -> Value:
    """BatchNormalization in evaluation mode: a scale and a shift for each channel (the second axis)."""
    if node.flag("training_mode", 0) or node.outputs > 1:
        node.refuse("is in training mode; export the model in evaluation mode.")
    if node.whole("spatial", 1) != 1:
        node.refuse("has its statistics for each place apart (spatial=0), which is not read.")
    value = node.flow()
    if len(value.shape) < 2 or value.shape[0] != 1:
        node.refuse(f"needs shape (1, channels, ...), not {value.shape}. {FIXED_BATCH}")
    weight, bias, mean, variance = (
        node.real(node.constant(place, what), what)
        for place, what in ((1, "scale"), (2, "bias"), (3, "mean"), (4, "variance"))
    )
    node.room(value.shape, 4)
    inner = Flow(value.shape[1:], value.flow.node)
    flow = build.batch_norm(inner, mean, variance, weight, bias, node.number("epsilon", 1e-5), name=node.name)
    return Value(Flow(value.shape, flow.node), value.batch)


def reduced(node: Node) -> tuple[Value, Integers, tuple[int, ...], int | None]:
    """The input of a Reduce or a global pool, and how it is reduced.

    Returns the flow; for each result the indices of the numbers that it combines, shape (results, numbers); the shape
    of the result; and its batch axis. Raises UnsupportedModelError if the batch axis is reduced.
    """
    value = node.flow()
    rank = len(value.shape)
    if node.op.startswith("Global"):
        if rank < 3:
            node.damaged(f"needs shape (1, channels, side, ...), not {value.shape}.")
        axes, keep = list(range(2, rank)), True
    else:
        wanted, keep = node.integers(1, "axes"), node.flag("keepdims", 1)
        if not wanted and node.flag("noop_with_empty_axes", 0):
            axes = []
        else:
            axes = node.axes(wanted or list(range(rank)), rank)
    if value.batch in axes and not node.context.several:
        node.refuse("reduces the batch axis, so that several inputs at once are mixed.")
    others = [axis for axis in range(rank) if axis not in axes]
    count = math.prod(value.shape[axis] for axis in axes)
    node.room(value.shape, 2)
    places = places_of(value).transpose(*others, *axes).reshape(-1, count)
    shape = tuple(1 if axis in axes else side for axis, side in enumerate(value.shape) if keep or axis not in axes)
    batch = value.batch
    if batch in axes:
        batch = None
    elif batch is not None and not keep:
        batch = others.index(batch)
    return value, places, shape, batch


def reduce_sum(node: Node) -> Value:
    """ReduceSum: along the named axes, or along all axes if none is named."""
    value, places, shape, batch = reduced(node)
    if places.shape[1] == 1:
        return shaped(value, shape, batch)
    counts = np.full(len(places), places.shape[1])
    operator = rows_of(places.reshape(-1), np.ones(places.size), counts, value.size)
    return Value(total([(value.flow, operator)], shape, node.label, None, node.name), batch)


def reduce_mean(node: Node) -> Value:
    """ReduceMean and GlobalAveragePool: sums divided by an integer."""
    value, places, shape, batch = reduced(node)
    results, count = places.shape
    if count == 1:
        return shaped(value, shape, batch)
    row = selected(node, value, places, None)
    operator = AveragePool(count, (results, count))
    return Value(total([(row.flow, operator)], shape, node.label, None, node.name), batch)
