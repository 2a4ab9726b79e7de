"""The supported ONNX operators: what each may have, and the function that makes a flow of it.

This module decides what is refused without further inspection: an operator that is not in the table, an unknown
attribute, or too many inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from creases.readers.onnx import kinks as kinks
from creases.readers.onnx import linear as linear
from creases.readers.onnx import matrices as matrices
from creases.readers.onnx import windows as windows
from creases.readers.onnx.folding import FOLDED, fold
from creases.readers.onnx.moves import MOVES, concatenated, moved_flow, padded, split
from creases.readers.onnx.resize import resize, upsample
from creases.readers.onnx.tensor import FLOATS, kind_of
from creases.readers.onnx.values import Array, Given, Node, Value, places_of, selected

__all__ = ["OPERATORS", "OnnxOperator", "is_folded"]


@dataclass(frozen=True)
class OnnxOperator:
    """A supported operator.

    attributes : the supported attributes. most : the largest number of inputs. make : the function that makes the flow.
    """

    make: Callable[[Node], Value | list[Given]]
    attributes: tuple[str, ...] = ()
    most: int = 1


def is_folded(op: str) -> bool:
    """Whether a node is computed in advance if it takes only constants."""
    return op in FOLDED or op in MOVES or op in ("Split", "Constant")


def identity(node: Node) -> Value:
    """x."""
    return node.flow()


def dropout(node: Node) -> list[Given]:
    """x, and a mask of ones. Raises UnsupportedModelError in training mode."""
    training = node.has(2) and node.constant(2, "training_mode").any()
    if training or (node.context.opset < 7 and not node.attributes.get("is_test", 0)):
        node.refuse("is in training mode; export the model in evaluation mode.")
    value = node.flow()
    if node.outputs == 1:
        return [value]
    return [value, np.ones(value.shape, dtype=np.bool_)]


def cast(node: Node) -> Value:
    """Cast between floats: as real numbers they are unchanged."""
    kind = kind_of(node.whole("to", 0))
    if kind not in FLOATS:
        node.refuse(f"rounds what flows to {kind}, which is not piecewise linear.")
    return node.flow()


def cast_like(node: Node) -> Value | list[Given]:
    """CastLike: Cast to the number type of the other input; a constant may take the type of a flow."""
    other = node.given(1)
    if not isinstance(node.given(0), Value):
        return [*fold(node)]
    if not isinstance(other, Value) and other.dtype.kind != "f":
        node.refuse(f"rounds what flows to {other.dtype}, which is not piecewise linear.")
    return node.flow()


def parts(node: Node) -> list[Given]:
    """Split."""
    value = node.flow()
    axis = node.axis(node.whole("axis", 0), len(value.shape))
    if value.batch == axis and not node.context.several and value.shape[axis] != 1:
        node.refuse("parts the batch axis.")
    arrays = split(node, places_of(value))
    # An unused part may be empty.
    return [selected(node, value, array, value.batch) if array.size else np.empty(array.shape) for array in arrays]


def concat(node: Node) -> Value:
    """Concat: of flows and constants."""
    first = next(given for given in node.inputs if isinstance(given, Value))
    axis = node.axis(node.whole("axis", 0), len(first.shape))
    if len(node.inputs) > 1 and first.batch == axis and not node.context.several:
        node.refuse("puts values together along the batch axis, so that several inputs at once are mixed.")
    return linear.joined(node, first, lambda arrays: concatenated(node, arrays))


def pad(node: Node) -> Value:
    """Pad: with a constant, or with the values at the edge."""
    value = node.flow()
    if node.has(2):
        filling = node.real(node.constant(2, "value"), "value").reshape(-1)
    else:
        filling = np.array([node.number("value", 0.0)])
    if filling.size != 1:
        node.damaged(f"pads with {filling.size} numbers; it takes one.")
    return selected(node, value, padded(node, places_of(value), -1), value.batch, float(filling[0]))


def where(node: Node) -> Value:
    """Where: a constant condition chooses between two inputs."""
    choice = node.constant(0, "condition")
    first = next((given for given in (node.given(1), node.given(2)) if isinstance(given, Value)), None)
    if first is None:
        node.damaged("chooses between two constants by what depends on the input.")
    shape = node.joint_shape()

    def chosen(arrays: list[Array]) -> Array:
        return np.broadcast_to(np.where(choice != 0, arrays[0], arrays[1]), shape)

    return linear.joined(node, first, chosen, 1)


AXES = ("axes", "keepdims", "noop_with_empty_axes")
WINDOW = ("auto_pad", "dilations", "kernel_shape", "pads", "strides")

OPERATORS: dict[str, OnnxOperator] = {
    "Abs": OnnxOperator(kinks.absolute),
    "Add": OnnxOperator(linear.add, (), 2),
    "AveragePool": OnnxOperator(windows.average_pool, (*WINDOW, "ceil_mode", "count_include_pad")),
    "BatchNormalization": OnnxOperator(
        linear.batch_normalization, ("epsilon", "momentum", "spatial", "training_mode"), 5
    ),
    "Cast": OnnxOperator(cast, ("to", "saturate", "round_mode")),
    "CastLike": OnnxOperator(cast_like, ("saturate", "round_mode"), 2),
    "Clip": OnnxOperator(kinks.clip, ("min", "max"), 3),
    "Concat": OnnxOperator(concat, ("axis",), 1 << 30),
    "Conv": OnnxOperator(windows.conv, (*WINDOW, "group"), 3),
    "ConvTranspose": OnnxOperator(windows.conv_transpose, (*WINDOW, "group", "output_padding", "output_shape"), 3),
    "DepthToSpace": OnnxOperator(moved_flow, ("blocksize", "mode")),
    "Div": OnnxOperator(linear.divide, (), 2),
    "Dropout": OnnxOperator(dropout, ("ratio", "is_test", "seed"), 3),
    "Expand": OnnxOperator(moved_flow, (), 2),
    "Flatten": OnnxOperator(moved_flow, ("axis",)),
    "Gather": OnnxOperator(moved_flow, ("axis",), 2),
    "Gemm": OnnxOperator(matrices.gemm, ("alpha", "beta", "transA", "transB"), 3),
    "GlobalAveragePool": OnnxOperator(linear.reduce_mean),
    "GlobalMaxPool": OnnxOperator(windows.global_max_pool),
    "HardSigmoid": OnnxOperator(kinks.hard_sigmoid, ("alpha", "beta")),
    "Identity": OnnxOperator(identity),
    "LeakyRelu": OnnxOperator(kinks.leaky_relu, ("alpha",)),
    "MatMul": OnnxOperator(matrices.matmul, (), 2),
    "Max": OnnxOperator(kinks.maximum, (), 1 << 30),
    "MaxPool": OnnxOperator(windows.max_pool, (*WINDOW, "ceil_mode", "storage_order")),
    "Min": OnnxOperator(kinks.minimum, (), 1 << 30),
    "Mul": OnnxOperator(linear.multiply, (), 2),
    "Neg": OnnxOperator(linear.negate),
    "PRelu": OnnxOperator(kinks.prelu, (), 2),
    "Pad": OnnxOperator(pad, ("mode", "pads", "value"), 4),
    "ReduceMax": OnnxOperator(kinks.reduce_max, AXES, 2),
    "ReduceMean": OnnxOperator(linear.reduce_mean, AXES, 2),
    "ReduceMin": OnnxOperator(kinks.reduce_min, AXES, 2),
    "ReduceSum": OnnxOperator(linear.reduce_sum, AXES, 2),
    "Relu": OnnxOperator(kinks.relu),
    "Reshape": OnnxOperator(moved_flow, ("shape", "allowzero"), 2),
    "Resize": OnnxOperator(
        resize,
        (
            "antialias",
            "axes",
            "coordinate_transformation_mode",
            "cubic_coeff_a",
            "exclude_outside",
            "extrapolation_value",
            "keep_aspect_ratio_policy",
            "mode",
            "nearest_mode",
        ),
        4,
    ),
    "Slice": OnnxOperator(moved_flow, ("starts", "ends", "axes"), 5),
    "SpaceToDepth": OnnxOperator(moved_flow, ("blocksize",)),
    "Split": OnnxOperator(parts, ("axis", "split", "num_outputs"), 2),
    "Squeeze": OnnxOperator(moved_flow, ("axes",), 2),
    "Sub": OnnxOperator(linear.subtract, (), 2),
    "Sum": OnnxOperator(linear.add, (), 1 << 30),
    "Tile": OnnxOperator(moved_flow, (), 2),
    "Transpose": OnnxOperator(moved_flow, ("perm",)),
    "Unsqueeze": OnnxOperator(moved_flow, ("axes",), 2),
    "Upsample": OnnxOperator(upsample, ("mode", "scales"), 2),
    "Where": OnnxOperator(where, (), 3),
}
