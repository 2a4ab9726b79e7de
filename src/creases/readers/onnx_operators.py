"""What the operators of an `.onnx` chain do to what flows through them.

Decides, operator by operator, which uses are affine maps of one input and which are refused. What acts on one
input as a dense layer is one, on whichever side its weight stands; Flatten and Reshape move no number, so
they only change the shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, UnsupportedModelError
from creases.readers.chain import Chain
from creases.readers.onnx_tensor import MOST_AXES

__all__ = ["OPERATORS", "Flow", "Node"]

Array = NDArray[Any]


@dataclass
class Flow:
    """What flows along the chain: the name of the value, its shape at batch size 1, and the pieces so far."""

    value: str
    shape: tuple[int, ...]
    chain: Chain
    opset: int
    claimed: int = 0  # bytes of the constants that the nodes took, each time anew

    @property
    def size(self) -> int:
        """How many numbers flow."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Node:
    """One operator: how errors name it, its attributes, its constants by place, and the place of the flow."""

    label: str
    attributes: dict[str, Any]
    constants: dict[int, Array]
    place: int


def the_constant(node: Node, flow: Flow) -> Array:
    """The other operand of a node of two."""
    if set(node.constants) != {1 - node.place}:
        raise ModelFileError(f"{flow.chain.source}: {node.label} needs two inputs.")
    return node.constants[1 - node.place]


def matmul(node: Node, flow: Flow) -> None:
    """x @ W or W @ x."""
    product(node, flow, flow.shape, the_constant(node, flow), node.place == 0, None)


def gemm(node: Node, flow: Flow) -> None:
    """alpha * A' @ B' + beta * C, where A or B flows and ' transposes if so told."""
    alpha, beta = (float(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    source = flow.chain.source
    if node.place == 2 or 1 - node.place not in node.constants or len(flow.shape) != 2:
        raise UnsupportedModelError(
            f"{source}: {node.label} needs a constant factor beside what flows, which must have two axes, "
            f"not shape {flow.shape}; put a Flatten before it."
        )
    turned = [bool(node.attributes.get(name, 0)) for name in ("transA", "transB")]
    other = node.constants[1 - node.place]
    other = other.T if turned[1 - node.place] and other.ndim == 2 else other
    shape = flow.shape[::-1] if turned[node.place] else flow.shape
    product(node, flow, shape, other, node.place == 0, alpha)
    if 2 in node.constants:
        added(node, flow, node.constants[2], beta)


def real(node: Node, flow: Flow, values: Array) -> Array:
    """The values, if they are floats: integers are not what a float operator takes, and may not fit into one."""
    if values.dtype.kind != "f":
        raise UnsupportedModelError(
            f"{flow.chain.source}: {node.label} has a constant of integers; weights are floats."
        )
    return values


def product(node: Node, flow: Flow, shape: tuple[int, ...], weight: Array, left: bool, alpha: float | None) -> None:
    """Multiply what flows, of the given shape, by a weight; `left` if the flow stands on the left."""
    source, weight = flow.chain.source, real(node, flow, weight)
    vector = shape if len(shape) == 1 else (shape[-1:] if left else shape[-2:-1])
    inner = weight.shape[0 if left else 1] if weight.ndim == 2 else 0
    if inner != flow.size or vector != (flow.size,):
        raise UnsupportedModelError(
            f"{source}: {node.label} multiplies {flow.size} numbers of shape {shape} by a weight of shape "
            f"{weight.shape}; supported is one vector by one matrix, all inputs with all neurons. If the "
            "model was exported with a fixed batch size, export it with size 1; if an image flows, put a "
            "Flatten before it."
        )
    flow.chain.dense(node.label, weight.T if left else weight)
    n_out = weight.shape[1 if left else 0]
    flow.shape = (n_out,) if len(shape) == 1 else (*shape[:-1], n_out) if left else (*shape[:-2], n_out, 1)
    if alpha is not None and alpha != 1.0:
        rescale(node, flow, alpha)


def rescale(node: Node, flow: Flow, factor: float) -> None:
    """Multiply all that flows by one finite factor."""
    if not math.isfinite(factor):
        raise ModelFileError(f"{flow.chain.source}: {node.label} has a factor that is not finite.")
    flow.chain.scale(f"{node.label}'s factor {factor:g}", [Fraction(factor)] * flow.size, [Fraction(0)] * flow.size)


def add(node: Node, flow: Flow) -> None:
    """x + c or c + x."""
    added(node, flow, the_constant(node, flow), 1.0)


def subtract(node: Node, flow: Flow) -> None:
    """x - c, or c - x, which turns the sign of all that flows."""
    other = the_constant(node, flow)
    if node.place == 1:
        rescale(node, flow, -1.0)
    added(node, flow, other, 1.0 if node.place == 1 else -1.0)


def added(node: Node, flow: Flow, other: Array, factor: float) -> None:
    """Add factor * constant, broadcast as numpy does, so long as no more numbers flow than before."""
    try:
        shape = np.broadcast_shapes(flow.shape, other.shape)
    except ValueError:
        shape = ()
    if math.prod(shape) != flow.size or shape == ():
        raise UnsupportedModelError(
            f"{flow.chain.source}: {node.label} combines {flow.shape} with a constant of shape "
            f"{other.shape}; the constant must have one number for each of the {flow.size}, or fewer that "
            "broadcast to them."
        )
    values = np.broadcast_to(real(node, flow, other), shape).ravel()
    flow.shape = shape
    if factor in (1.0, -1.0):
        flow.chain.shift(node.label, factor * values)
    elif math.isfinite(factor) and np.isfinite(values).all():
        exact = [Fraction(factor) * Fraction(value) for value in values.tolist()]
        flow.chain.scale(f"{node.label}'s bias, by {factor:g}", [Fraction(1)] * flow.size, exact)
    else:
        raise ModelFileError(f"{flow.chain.source}: {node.label} has a factor or a bias that is not finite.")


def relu(_node: Node, flow: Flow) -> None:
    """max(x, 0)."""
    flow.chain.relu()


def identity(_node: Node, _flow: Flow) -> None:
    """x."""


def dropout(node: Node, flow: Flow) -> None:
    """x, if the node is not in training mode."""
    training = node.constants.get(2, np.False_).any() or (flow.opset < 7 and not node.attributes.get("is_test", 0))
    if training:
        raise UnsupportedModelError(
            f"{flow.chain.source}: {node.label} is in training mode; export the model in evaluation mode."
        )


def flatten(node: Node, flow: Flow) -> None:
    """Two axes, split at `axis`; no number moves."""
    axis = int(node.attributes.get("axis", 1))
    if not -len(flow.shape) <= axis <= len(flow.shape):
        raise ModelFileError(f"{flow.chain.source}: {node.label} has axis {axis}, but shape {flow.shape} flows.")
    axis += len(flow.shape) if axis < 0 else 0
    flow.shape = (math.prod(flow.shape[:axis]), math.prod(flow.shape[axis:]))


def reshape(node: Node, flow: Flow) -> None:
    """Other axes, in the same order; 0 copies a length and -1 takes the rest."""
    wanted = node.constants[1].ravel().tolist() if 1 in node.constants else node.attributes.get("shape")
    if not isinstance(wanted, list) or not all(type(side) is int for side in wanted):
        raise UnsupportedModelError(f"{flow.chain.source}: {node.label} needs a constant shape of integers.")
    if len(wanted) > MOST_AXES:
        raise ModelFileError(f"{flow.chain.source}: {node.label} makes {len(wanted)} axes; {MOST_AXES} are the most.")
    sides = list(wanted)
    if not node.attributes.get("allowzero", 0):
        sides = [flow.shape[i] if side == 0 and i < len(flow.shape) else side for i, side in enumerate(sides)]
    if sides.count(-1) == 1:
        rest = math.prod(side for side in sides if side != -1)
        sides[sides.index(-1)] = flow.size // rest if rest > 0 else 0
    if math.prod(sides) != flow.size or min(sides, default=0) < 1:
        raise UnsupportedModelError(
            f"{flow.chain.source}: {node.label} makes shape {tuple(wanted)} of {flow.shape}, which has "
            f"{flow.size} numbers at batch size 1. If the model was exported with a fixed batch size, export "
            "it with size 1."
        )
    flow.shape = tuple(sides)


# Operator: its attributes that are understood, the most inputs it has, what it does.
OPERATORS: dict[str, tuple[tuple[str, ...], int, Callable[[Node, Flow], None]]] = {
    "Add": ((), 2, add),
    "Dropout": (("ratio", "is_test", "seed"), 3, dropout),
    "Flatten": (("axis",), 1, flatten),
    "Gemm": (("alpha", "beta", "transA", "transB"), 3, gemm),
    "Identity": ((), 1, identity),
    "MatMul": ((), 2, matmul),
    "Relu": ((), 1, relu),
    "Reshape": (("shape", "allowzero"), 2, reshape),
    "Sub": ((), 2, subtract),
}
