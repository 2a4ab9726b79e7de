"""`.onnx` files: a graph of operators, read if it is one chain from its input to its output.

Decides which graphs are chains of affine maps and ReLUs. The nodes are walked in an order in which each comes after
what it takes (a file need not keep one) with the shape of what flows, at batch size 1; each must take what the last
one gave, beside constants, which may be transposed. What acts on one input as a dense layer is one, on whichever side
its weight stands. Beside the one file only those in its own folder are read that it keeps its numbers in, and a
tensor's declared shape is compared with its bytes before an array is made.
"""

from __future__ import annotations

import heapq
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, UnsupportedModelError, require_extra
from creases.network import Network
from creases.readers.chain import Chain
from creases.readers.onnx_external import Beside
from creases.readers.onnx_operators import OPERATORS, Flow, Node
from creases.readers.onnx_tensor import MOST_AXES, attributes_of, constant_value, tensor_values
from creases.readers.state_dict import check_claims

__all__ = ["read_onnx"]

Array = NDArray[Any]

MOVED = ("Identity", "Transpose")  # what makes a constant of a constant


def read_onnx(data: bytes, source: str, folder: Path | None = None) -> Network:
    """The network in an .onnx file; its `input_shape` is the graph input's, without a batch axis of 1 or
    unknown.

    data : the whole file. source : its name, for messages. folder : where it is, and what it keeps in other files.
    Raises UnsupportedModelError, naming node and operator, if the graph is no such chain; ModelFileError if
    the file is damaged or keeps its weights elsewhere; MissingExtraError without the onnx package.
    """
    try:
        import onnx
    except ImportError as error:
        raise require_extra("onnx", "onnx", "Reading .onnx files") from error
    try:
        model = onnx.load_model_from_string(data)
    except MemoryError:
        raise
    except Exception as error:  # protobuf's DecodeError, which is not ours to import
        raise ModelFileError(f"{source} is truncated or damaged: {error}") from error
    graph = model.graph
    if not graph.node:
        raise ModelFileError(f"{source} is empty: its graph has no nodes.")
    if graph.sparse_initializer:
        raise UnsupportedModelError(
            f"{source} keeps sparse constants (sparse_initializer), which are not read. Make them dense before export."
        )
    nodes = in_order(graph, source)
    check_operators(graph, nodes, source)
    if model.functions:
        raise UnsupportedModelError(
            f"{source} defines functions of its own, {model.functions[0].name!r}; inline them first."
        )
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    entry = the_input(graph, tensors, source)
    beside = Beside(folder, source)
    size = len(data) + beside.size(graph.initializer)
    shape, input_shape = shapes_of(entry, size, source)
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    flow = Flow(entry.name, shape, Chain(source), max(versions, default=1))
    constants: dict[str, Array] = {}
    for node in nodes:
        if node.op_type == "Constant":
            constants[node.output[0]] = constant_value(node, described(node), source, beside)
        elif node.op_type in MOVED and (node.input[0] in tensors or node.input[0] in constants):
            value = constant(node.input[0], tensors, constants, source, beside)
            constants[node.output[0]] = value if node.op_type == "Identity" else transposed(node, value, source)
        else:
            step(node, flow, tensors, constants, beside)
            check_claims(flow.claimed, size, source)
    outputs = [str(output.name) for output in graph.output]  # bytes where it is no UTF-8
    if outputs != [flow.value]:
        raise UnsupportedModelError(
            f"{source} must have one output, the last node's {flow.value!r}; it has {', '.join(outputs) or 'none'}."
        )
    return flow.chain.network(input_shape=input_shape)


def described(node: Any) -> str:
    """A node by operator and name, as in "Gemm node 'fc1'"."""
    if node.name:
        return f"{node.op_type} node '{node.name}'"
    return f"{node.op_type} node without a name, with output '{next(iter(node.output), '')}'"


def in_order(graph: Any, source: str) -> list[Any]:
    """The nodes, each after those whose outputs it takes, else in the file's order. Raises ModelFileError if a name
    is given twice: it would then depend on the order what it stands for."""
    nodes = list(graph.node)
    tensors = [tensor.name for tensor in graph.initializer]
    if len(set(tensors)) < len(tensors):
        raise ModelFileError(f"{source} is damaged: two of its tensors have one name.")
    names = {*tensors, *(entry.name for entry in graph.input)}
    maker: dict[str, int] = {}
    for i, node in enumerate(nodes):
        for name in filter(None, node.output):
            if name in maker or name in names:
                raise ModelFileError(
                    f"{source} is damaged: {described(node)} gives '{name}', which stands for another."
                )
            maker[name] = i
    missing = [{maker[name] for name in node.input if name in maker} for node in nodes]
    takers: list[list[int]] = [[] for _ in nodes]
    for i, makers in enumerate(missing):
        for made in makers:
            takers[made].append(i)
    ready = [i for i, makers in enumerate(missing) if not makers]
    heapq.heapify(ready)
    taken: list[int] = []
    while ready:
        taken.append(heapq.heappop(ready))
        for i in takers[taken[-1]]:
            missing[i].discard(taken[-1])
            if not missing[i]:
                heapq.heappush(ready, i)
    if len(taken) < len(nodes):
        first = min(set(range(len(nodes))) - set(taken))
        raise ModelFileError(f"{source} is damaged: {described(nodes[first])} takes what is made from its own output.")
    return [nodes[i] for i in taken]


def check_operators(graph: Any, nodes: list[Any], source: str) -> None:
    """Refuse a graph with operators other than ours; all such nodes are told, up to five."""
    known = {"Constant", *OPERATORS}
    fixed = {tensor.name for tensor in graph.initializer}
    strange = []
    for node in nodes:
        is_ours = node.domain in ("", "ai.onnx")
        if is_ours and (node.op_type == "Constant" or (node.op_type in MOVED and set(node.input) <= fixed)):
            fixed.update(node.output)
        elif node.op_type not in known or not is_ours:
            strange.append(node)
    if strange:
        more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
        # Only what stands last is no part of what cuts the input space.
        is_last = len(strange) == 1 and strange[0] is nodes[-1]
        remedy = " It stands last: if the network is wanted without it, export the model without it." if is_last else ""
        raise UnsupportedModelError(
            f"{source} is not supported: it has {', '.join(described(node) for node in strange[:5])}{more}. "
            f"Creases reads chains of {', '.join(sorted(known))}, and Transpose of constants.{remedy}"
        )
    for node in nodes:
        if not node.output or (not node.input and node.op_type != "Constant"):
            raise ModelFileError(f"{source}: {described(node)} has no input or no output.")


def the_input(graph: Any, tensors: dict[str, Any], source: str) -> Any:
    """The one input that is no initialiser's name (files of IR version 3 list those as inputs too)."""
    inputs = [entry for entry in graph.input if entry.name not in tensors]
    if len(inputs) != 1:
        names = ", ".join(str(entry.name) for entry in inputs) or "none"
        raise UnsupportedModelError(f"{source} must have one input beside its weights; it has {names}.")
    return inputs[0]


def shapes_of(entry: Any, size: int, source: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The input's shape at batch size 1, and that of one input, without the batch axis.

    The first of several axes is the batch if its length is 1 or not fixed. No other may be open.
    """
    kind = entry.type.tensor_type
    if len(kind.shape.dim) > MOST_AXES:
        raise ModelFileError(
            f"{source}: input '{entry.name}' has {len(kind.shape.dim)} axes; an array has {MOST_AXES} at most."
        )
    # An axis is fixed if it has a positive dim_value; 0, -1 and names leave it open.
    axes = [max(axis.dim_value, 0) for axis in kind.shape.dim]
    names = [str(axis.dim_param or axis.dim_value or "?") for axis in kind.shape.dim]
    batched = len(axes) > 1 and axes[0] <= 1
    one = tuple(axes[1:] if batched else axes)
    if not one or not all(one):
        raise UnsupportedModelError(
            f"{source}: input '{entry.name}' has shape ({', '.join(names)}); every axis but the first (the "
            "batch) must have a fixed length. Export the model with fixed axes."
        )
    if math.prod(one) > size:
        raise ModelFileError(
            f"{source}: input '{entry.name}' has shape ({', '.join(names)}), more numbers than the file has "
            f"bytes ({size}), so that no weights can belong to them: it is damaged."
        )
    return (1, *one) if batched else one, one


def constant(name: str, tensors: dict[str, Any], constants: dict[str, Array], source: str, beside: Beside) -> Array:
    """A constant's array: a Constant node's, or an initialiser's, converted on first use."""
    if name not in constants:
        constants[name] = tensor_values(tensors[name], f"tensor '{name}'", source, beside)
    return constants[name]


def transposed(node: Any, value: Array, source: str) -> Array:
    """A constant with its axes in the order of `perm`; turned round where none is given."""
    attributes = attributes_of(node)
    order = attributes.get("perm", list(range(value.ndim))[::-1])
    if set(attributes) - {"perm"} or len(node.input) != 1 or sorted(order) != list(range(value.ndim)):
        raise ModelFileError(
            f"{source}: {described(node)} must take one constant and an order of its {value.ndim} axes, got "
            f"{attributes}."
        )
    return np.transpose(value, order)


def step(proto: Any, flow: Flow, tensors: dict[str, Any], constants: dict[str, Array], beside: Beside) -> None:
    """Follow the flow through one node."""
    label, source = described(proto), flow.chain.source
    names = list(proto.input)
    places = [i for i, name in enumerate(names) if name == flow.value]
    foreign = [name for name in names if name and name != flow.value and not (name in tensors or name in constants)]
    if len(places) != 1 or foreign:
        what = f"takes '{foreign[0]}'" if foreign else f"takes it {len(places)} times"
        raise UnsupportedModelError(
            f"{source}: {label} should take what flows, '{flow.value}', once, beside constants, but {what}: "
            "the graph branches or has loose ends. Creases reads one chain from the input to the output."
        )
    given = {
        i: constant(name, tensors, constants, source, beside)
        for i, name in enumerate(names)
        if name and name != flow.value
    }
    flow.claimed += sum(value.nbytes for value in given.values())
    allowed, most, operator = OPERATORS[proto.op_type]
    attributes = attributes_of(proto)
    unknown = sorted(set(attributes) - set(allowed))
    if unknown or len(names) > most:
        what = f"attribute '{unknown[0]}'" if unknown else f"{len(names)} inputs"
        raise UnsupportedModelError(f"{source}: {label} has {what}, which is not supported.")
    operator(Node(label, attributes, given, places[0]), flow)
    flow.value = proto.output[0]
