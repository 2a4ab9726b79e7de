"""Networks of the shared ONNX files, built with `creases.build`: just the operators that those files have.

Weights are float32 and are widened; nothing is folded. A subtraction is a shift, and a division by float32 constants
m 2^e, m a whole number, is a scale by 2^-e and a division by m: exact.
"""

import math

import numpy as np

from creases import build
from creases.network.builder.flows import Flow, total
from creases.network.operators import Scale


class Quotient(Scale):
    """Values times powers of two, divided by whole numbers."""

    @property
    def divisors(self):
        return self.whole

    def _apply(self, rows):
        return super()._apply(rows) / self.whole


def quotient(flow, constants):
    """flow / constants, one for all values, without rounding."""
    (constant,) = np.unique(constants).tolist()
    numerator, denominator = constant.as_integer_ratio()
    assert numerator > 0
    operator = Quotient(float(denominator), flow.size)
    object.__setattr__(operator, "whole", np.full(flow.size, numerator))
    return total([(flow, operator)], flow.shape, "quotient")


def onnx_network(name):
    """The network of a shared file; the test that asks is skipped where the file or onnx is absent."""
    import pytest

    from shared_networks import shared

    onnx = pytest.importorskip("onnx")
    return network_of(onnx.load(shared(name)))


def network_of(model):
    """The network of an ONNX model with one input that is no initializer, whose first axis is the batch."""
    from onnx import numpy_helper

    graph = model.graph
    values = {tensor.name: widened(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    (given,) = [value for value in graph.input if value.name not in values]
    values[given.name] = build.input(*(side.dim_value for side in given.type.tensor_type.shape.dim[1:]))
    for node in graph.node:
        (made,) = node.output
        values[made] = OPERATORS[node.op_type]([values[name] for name in node.input], attributes(node))
    return build.network(values[graph.output[0].name])


def widened(array):
    """float32 as float64; whole numbers as they are."""
    assert array.dtype in (np.float32, np.int32, np.int64), array.dtype
    return array.astype(np.float64) if array.dtype == np.float32 else array


def attributes(node):
    """The attributes of a node as Python values."""
    from onnx import helper, numpy_helper

    found = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    return {
        name: widened(numpy_helper.to_array(value)) if node.op_type == "Constant" else value
        for name, value in found.items()
    }


def one_flow(values):
    """The flow and the constant among two values."""
    flow, constant = values if isinstance(values[0], Flow) else values[::-1]
    return flow, constant


def padding_of(told):
    """(before, after) of each side."""
    assert told.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
    pads = told.get("pads", [0] * 2 * len(told["kernel_shape"]))
    return [tuple(pair) for pair in np.reshape(pads, (2, -1)).T.tolist()]


def conv(values, told):
    x, weight, *bias = values
    assert list(weight.shape[2:]) == told["kernel_shape"]
    return build.conv(
        x,
        weight,
        *bias,
        stride=told["strides"],
        padding=padding_of(told),
        dilation=told["dilations"],
        groups=told.get("group", 1),
    )


def max_pool(values, told):
    assert not told.get("ceil_mode", 0)
    return build.max_pool(values[0], told["kernel_shape"], stride=told["strides"], padding=padding_of(told))


def gemm(values, told):
    x, weight, bias = values
    assert (told["alpha"], told["beta"], told["transB"], told.get("transA", 0)) == (1.0, 1.0, 1, 0)
    return build.dense(x, weight, bias)


def matmul(values, told):
    x, weight = values
    assert len(x.shape) == 1
    return build.dense(x, weight.T)


def add(values, told):
    if all(isinstance(value, Flow) for value in values):
        return build.add(*values)
    flow, constant = one_flow(values)
    return build.shift(flow, spread(constant, flow.shape))


def subtract(values, told):
    flow, constant = values
    return build.shift(flow, -spread(constant, flow.shape))


def spread(constant, shape):
    """A constant, whose first axis may be the batch, in the shape of a flow."""
    return np.broadcast_to(constant, (1, *shape))[0]


def transpose(values, told):
    assert told["perm"][0] == 0
    return build.transpose(values[0], *(axis - 1 for axis in told["perm"][1:]))


def reshape(values, told):
    flow, shape = values
    assert math.prod(shape[1:].tolist()) == flow.size
    return build.reshape(flow, *shape[1:].tolist())


def flatten(values, told):
    assert told["axis"] == 1
    return build.flatten(values[0])


OPERATORS = {
    "Add": add,
    "Cast": lambda values, told: values[0],
    "Constant": lambda values, told: told["value"],
    "Conv": conv,
    "Div": lambda values, told: quotient(values[0], values[1]),
    "Flatten": flatten,
    "Gemm": gemm,
    "Identity": lambda values, told: values[0],
    "MatMul": matmul,
    "MaxPool": max_pool,
    "Relu": lambda values, told: build.relu(values[0]),
    "Reshape": reshape,
    "Sub": subtract,
    "Transpose": transpose,
}
