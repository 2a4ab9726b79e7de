"""Kinks of an `.onnx` graph: ReLU and similar operators, clips, maxima and minima.

A bound on one side is a ReLU between two shifts, max(x, c) = c + relu(x - c) and min(x, c) = c - relu(c - x). A minimum
of several flows is the negative of the maximum of their negatives. A bound equal to the largest float32 is no bound, as
in the operator's definition.
"""

from __future__ import annotations

import numpy as np

from creases.network.builder.bends import at_least, at_most, largest_of
from creases.network.builder.flows import bend
from creases.network.kinks import Abs, Clip, Kink, LeakyReLU, ReLU
from creases.network.operators.operator import Floats
from creases.readers.onnx.linear import constant_flow, negative, reduced, scaled, shifted, spread
from creases.readers.onnx.values import Node, Value, spread_to
from creases.readers.onnx.windows import global_max_pool, maxima

__all__ = [
    "absolute",
    "clip",
    "hard_sigmoid",
    "leaky_relu",
    "maximum",
    "minimum",
    "prelu",
    "reduce_max",
    "reduce_min",
    "relu",
]


def bent(node: Node, value: Value, kink: Kink) -> Value:
    """A kink applied to each number."""
    return Value(bend(value.flow, kink, value.shape, node.name), value.batch)


def relu(node: Node) -> Value:
    """Relu."""
    return rectified(node, node.flow())


def rectified(node: Node, value: Value) -> Value:
    """max(x, 0); a flow that is already the output of a ReLU stays as it is."""
    if isinstance(value.flow.node.kink, ReLU):
        node.context.note("A ReLU that directly follows another changes nothing and is left out.")
        return value
    return bent(node, value, ReLU())


def leaky_relu(node: Node) -> Value:
    """LeakyRelu."""
    return bent(node, node.flow(), LeakyReLU(node.number("alpha", 0.01)))


def prelu(node: Node) -> Value:
    """PRelu: a slope for each number, broadcast as in NumPy."""
    value, slope = node.flow(), node.constant(1, "slope")
    if node.context.opset < 7 and slope.size > 1:
        node.refuse(
            f"has {slope.size} slopes before version 7, where they are one a channel. Export the model with opset 7 or "
            "later."
        )
    if not node.fits(slope, value.shape):
        node.damaged(f"has slopes of shape {slope.shape} for {value.shape}, which they do not fit.")
    node.room(value.shape)
    return bent(node, value, LeakyReLU(spread(node, slope, value.shape)))


def absolute(node: Node) -> Value:
    """Abs."""
    return bent(node, node.flow(), Abs())


def clip(node: Node) -> Value:
    """Clip: its bounds are attributes, and inputs from version 11 on."""
    value = node.flow()
    low, high = bound(node, 1, "min", -1.0), bound(node, 2, "max", 1.0)
    if low is not None and high is not None:
        if low >= high:
            return constant_flow(node, value, np.full(value.size, high), value.shape)
        return bent(node, value, Clip(low, high))
    if low is not None:
        return bounded_below(node, value, np.full(value.size, low))
    return value if high is None else bounded_above(node, value, np.full(value.size, high))


def bound(node: Node, place: int, name: str, sign: float) -> float | None:
    """A bound of a Clip; None if it is missing, or is the largest number of its type on its side (`sign`)."""
    values = node.constant(place, name) if node.has(place) else np.float32(node.attributes.get(name, sign * np.inf))
    if values.size != 1 or values.dtype.kind != "f" or np.isnan(values).any():
        node.damaged(f"has a bound '{name}' that is not one float.")
    number = float(values.reshape(()))
    if number * sign >= float(np.finfo(values.dtype).max):
        return None
    if np.isinf(number):
        node.damaged(f"has {number} as its bound '{name}'.")
    return number


def bounded_below(node: Node, value: Value, low: Floats) -> Value:
    """max(x, low), elementwise; low is constant."""
    if not low.any():
        return rectified(node, value)
    node.room(value.shape, 2)
    return Value(at_least(value.flow, low, node.label, node.name), value.batch)


def bounded_above(node: Node, value: Value, high: Floats) -> Value:
    """min(x, high), elementwise; high is constant."""
    node.room(value.shape, 4)
    return Value(at_most(value.flow, high, node.label, node.name), value.batch)


def hard_sigmoid(node: Node) -> Value:
    """HardSigmoid: alpha x + beta between 0 and 1."""
    value, alpha, beta = node.flow(), node.number("alpha", 0.2), node.number("beta", 0.5)
    sums = scaled(node, value, np.full(value.size, alpha))
    return bent(node, shifted(node, sums, np.full(value.size, beta)), Clip(0.0, 1.0))


def maximum(node: Node) -> Value:
    """Max: of flows and constants."""
    return largest(node, 1.0)


def minimum(node: Node) -> Value:
    """Min: of flows and constants."""
    return largest(node, -1.0)


def largest(node: Node, sign: float) -> Value:
    """The maximum of all inputs, or, with sign -1, the minimum."""
    shape = node.joint_shape()
    flows: list[Value] = []
    constants: Floats | None = None  # the largest of several, elementwise
    for place in range(len(node.inputs)):
        given = node.given(place)
        if isinstance(given, Value):
            flows.append(spread_to(node, given, shape))
        else:
            numbers = spread(node, given, shape)
            constants = numbers if constants is None else sign * np.maximum(sign * constants, sign * numbers)
    if len(flows) == 1:
        if constants is None:
            return flows[0]
        return bounded_below(node, flows[0], constants) if sign > 0 else bounded_above(node, flows[0], constants)
    node.room((len(flows) + (constants is not None), *shape), 8)
    batch = next((value.batch for value in flows if value.batch is not None), None)
    if sign > 0:
        return Value(largest_of([value.flow for value in flows], constants, node.label, node.name), batch)
    turned = [negative(node, value).flow for value in flows]
    made = largest_of(turned, None if constants is None else 0.0 - constants, node.label, node.name)
    return negative(node, Value(made, batch))


def reduce_max(node: Node) -> Value:
    """ReduceMax."""
    return global_max_pool(node)


def reduce_min(node: Node) -> Value:
    """ReduceMin: the negative of the maximum of the negatives."""
    value, places, shape, batch = reduced(node)
    return negative(node, maxima(node, negative(node, value), places, shape, batch))
