"""`.onnx` files: a graph of operators, read as levels at batch size 1.

The network consists of the nodes that its output needs, from the one input that is not fixed. The nodes are visited in
an order in which each comes after the nodes whose outputs it takes (a file may list them in another order). A node that
takes only constants is computed in advance (`folding`); any other node computes flows from flows (`operators`). A last
operator that is smooth and increasing, a Softmax or a Sigmoid, is left out: it does not cut the input space. A last
ArgMax does cut it; it is left out too, and the notes say so. Besides the file itself, only those files in its own
folder are read that hold its numbers, and a tensor's declared shape is compared with its number of bytes before an
array is made.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from creases.errors import ModelFileError, NetworkError, UnsupportedModelError, require_extra
from creases.network import Network
from creases.network import builder as build
from creases.network.builder.flows import Flow
from creases.readers.onnx.external import Beside
from creases.readers.onnx.folding import MEASURED, fold, kind_made, measured
from creases.readers.onnx.inputs import fixed_values, input_of
from creases.readers.onnx.operators import OPERATORS, is_folded
from creases.readers.onnx.tensor import BRIEF, FLOATS, attributes_of, constant_value, is_held, kind_of, tensor_values
from creases.readers.onnx.values import Context, Given, Node, Value, cut_off

__all__ = ["read_onnx"]

# Operators that are left out at the end: smooth and increasing ones, and those that give the index of the largest
# value.
SMOOTH = ("ArgMax", "Atan", "Erf", "Exp", "LogSoftmax", "Sigmoid", "Softmax", "Softplus", "Softsign", "Tanh")
ALONG = ("ArgMax", "LogSoftmax", "Softmax")  # those that combine all numbers along an axis
# Operators that may follow these. A Cast between floats has no effect; nor has a Cast of the indices that an ArgMax
# gives, to types that hold all of them.
PLACES = ("INT32", "INT64", "FLOAT", "DOUBLE")
PASSED_ON = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


def read_onnx(
    data: bytes,
    source: str,
    folder: Path | None = None,
    output: str | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Network:
    """The network in an .onnx file; its `input_shape` is that of the graph's input, without a batch axis of length 1 or
    unknown length.

    data : the whole file. source : its name, for messages. folder : its folder, with the other files that hold its
        numbers.
    output : the name of the value that is the network's output; by default the file's only output.
    inputs : arrays for all inputs but one, by name.
    Raises UnsupportedModelError, with node and operator, if the graph is not piecewise linear or not supported;
    ModelFileError if the file is damaged, its weights are in a file that may not be opened, or a name is wrong;
    MissingExtraError without the onnx package.
    """
    try:
        import onnx
    except ImportError as error:
        raise require_extra("onnx", "onnx", "Reading .onnx files") from error
    try:
        model = onnx.load_model_from_string(data)
    except MemoryError:
        raise
    except Exception as error:  # protobuf's DecodeError, which cannot be imported without protobuf
        raise ModelFileError(f"{source} is truncated or damaged: {error}") from error
    graph = model.graph
    if not graph.node:
        raise ModelFileError(f"{source} is empty: its graph has no nodes.")
    if graph.sparse_initializer:
        raise UnsupportedModelError(
            f"{source} keeps sparse constants (sparse_initializer), which are not read. Make them dense before export."
        )
    if model.functions:
        raise UnsupportedModelError(
            f"{source} defines functions of its own, {model.functions[0].name!r}; inline them first."
        )
    nodes = in_order(graph, source)
    wanted = the_output(graph, nodes, output, source)
    wanted, last = without_the_last(nodes, wanted, source)
    nodes = needed(nodes, wanted)
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    taken = {name for node in nodes for name in node.input} | {wanted}
    beside = Beside(folder, source)
    n_bytes = len(data) + beside.size(graph.initializer)
    fixed, entry = fixed_values(graph, tensors, taken, inputs, source)
    value = input_of(entry, n_bytes, source)
    versions = [each.version for each in model.opset_import if each.domain in ("", "ai.onnx")]
    several = value.batch is not None and value.shape[value.batch] > 1
    context = Context(source, str(entry.name), max(versions, default=1), n_bytes, several, kinds=number_types(graph))
    check_operators(nodes, {*tensors, *fixed}, context)
    values: dict[str, Given | None] = {**fixed, str(entry.name): value}
    for proto in nodes:
        for name in proto.input:
            if name in tensors and name not in values:
                values[name] = tensor_values(tensors[name], f"tensor '{name}'", source, beside)
        results = step(proto, values, context, beside)
        for place, name in enumerate(proto.output):
            if name:
                values[name] = results[place] if place < len(results) else None
    last_value = values.get(wanted)
    if not isinstance(last_value, Value):
        raise UnsupportedModelError(
            f"{source}: '{wanted}' does not depend on the input '{entry.name}', so there is nothing to count."
        )
    context.notes[:0] = left_out(last, last_value, context)
    return network_of(last_value.flow, value.flow, context)


def network_of(output: Flow, given: Flow, context: Context) -> Network:
    """The network from one flow to another, with the reader's notes."""
    if context.rounded:
        kinds = " and ".join(sorted({kind for _, kind in context.rounded}))
        context.note(
            f"{several([label for label, _ in context.rounded])}: constants computed of constants in the file's own "
            f"{kinds}, which rounds as programs that run it do; what is counted has these."
        )
    if context.narrowed:
        context.note(
            f"{several([label for label, _ in context.narrowed])}: what flows is rounded to "
            f"{' and '.join(sorted({kind for _, kind in context.narrowed}))} there by programs that run the file. That "
            "is not modelled: what is counted is the function of real numbers, which does not round."
        )
    try:
        network = build.network(output, notes=context.notes)
    except NetworkError as error:
        raise NetworkError(f"{context.source}: {error}") from error
    return network


def several(labels: Sequence[str]) -> str:
    """Labels of nodes for a sentence, each once; at most five."""
    kept = list(dict.fromkeys(labels))
    return f"{', '.join(kept[:5])}{f' and {len(kept) - 5} more' if len(kept) > 5 else ''}"


def number_types(graph: Any) -> dict[str, str]:
    """The number types of values by their names, for the values whose type the file declares."""
    entries = [*graph.value_info, *graph.output, *graph.input]
    told = {str(entry.name): kind_of(entry.type.tensor_type.elem_type) for entry in entries}
    return told | {str(tensor.name): kind_of(tensor.data_type) for tensor in graph.initializer}


def described(node: Any) -> str:
    """A node's operator and name, as in "Gemm node 'fc1'"."""
    if node.name:
        return f"{node.op_type} node '{node.name}'"
    return f"{node.op_type} node without a name, with output '{next(iter(node.output), '')}'"


def in_order(graph: Any, source: str) -> list[Any]:
    """The nodes, each after those whose outputs it takes, otherwise in the file's order. Raises ModelFileError if two
    values have the same name, because its meaning would depend on the order."""
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


def the_output(graph: Any, nodes: list[Any], output: str | None, source: str) -> str:
    """The name of the value that is the network's output."""
    outputs = [str(each.name) for each in graph.output]  # bytes if it is not UTF-8
    if output is None:
        if len(outputs) != 1:
            raise UnsupportedModelError(
                f"{source} must have one output; it has {', '.join(outputs) or 'none'}. Choose one by its name: "
                f"load(..., output={next(iter(outputs), 'name')!r}), or --output-name."
            )
        return outputs[0]
    made = [str(name) for node in nodes for name in node.output if name]
    if output not in made:
        near = [name for name in made if output.lower() in name.lower()][-5:] or outputs
        raise ModelFileError(
            f"{source} has no value {output!r} that a node gives. Its outputs are {', '.join(outputs) or 'none'}; "
            f"names like this one: {', '.join(near) or 'none'}."
        )
    return output


def without_the_last(nodes: list[Any], wanted: str, source: str) -> tuple[str, list[Any]]:
    """The output before the last operators that are left out, and those nodes, last to first.

    Raises UnsupportedModelError if a Cast makes several indices of an ArgMax equal.
    """
    maker = {name: node for node in nodes for name in node.output if name}
    last: list[Any] = []
    at, jumps, moves = wanted, False, False  # what comes after `at` and before the node that was left out last
    merging: Any = None  # a Cast, anywhere after `at`, to a type in which several indices may become one
    while (node := maker.get(at)) is not None and node.input and node.domain in ("", "ai.onnx"):
        if node.op_type not in (*SMOOTH, *PASSED_ON) or at != node.output[0]:
            break
        if node.op_type in SMOOTH:
            # A Cast to integers jumps, after a Sigmoid for example; the indices that an ArgMax gives are integers
            # already. The axes of two operators that are left out are compared, so nothing may move the axes between
            # them. None may follow an ArgMax: a Softmax of indices is another number, and a Tanh of them rounds to one.
            chooses = node.op_type == "ArgMax"
            turned = moves and any(each.op_type in ALONG for each in (node, *last))
            if (jumps and not chooses) or (last and (turned or chooses)):
                break
            if merging is not None and chooses:
                before = str(node.input[0])
                raise UnsupportedModelError(
                    f"{source}: {described(merging)} makes {cast_to(merging)} of the places that {described(node)} "
                    f"gives; {', '.join(PLACES)} hold them all, and others may make one of several."
                    f"{cut_off(before, '' if before in maker else before)}"
                )
            last.append(node)
            wanted, jumps, moves = str(node.input[0]), False, False
        elif node.op_type == "Cast":
            jumps = jumps or cast_to(node) not in FLOATS
            merging = merging or (None if cast_to(node) in PLACES else node)
        elif node.op_type != "Identity":
            moves = True
        at = str(node.input[0])
    return wanted, last


def cast_to(node: Any) -> str:
    """The number type to which a Cast converts."""
    return kind_of(attributes_of(node).get("to", 0))


def left_out(last: list[Any], output: Value, context: Context) -> list[str]:
    """What the notes say about the nodes that were left out, last to first; `output` is the input of the first of them.

    Raises UnsupportedModelError if one of them combines numbers along the batch axis, because it is then not a function
    of one input, or along an axis of length 1, because it is then constant.
    """
    texts: list[str] = []
    rank = len(output.shape)
    axis_of_argmax: int | None = None
    for node in last:
        label, more = described(node), ""
        if node.op_type in ALONG:
            axis = along(node, context)
            if not -rank <= axis < max(rank, 1):
                raise ModelFileError(f"{context.source}: {label} has axis {axis}, but there are {rank} axes.")
            axis %= max(rank, 1)
            # Before version 13 a Softmax combines its own axis and all later ones.
            flat = node.op_type != "ArgMax" and context.opset < 13
            taken = range(axis, rank) if flat else [axis] if rank else []
            ends = cut_off(str(last[-1].input[0]), context.entry)
            if output.batch in taken and not context.several:
                raise UnsupportedModelError(
                    f"{context.source}: {label} goes along the batch axis, so that several inputs at once are "
                    f"mixed.{ends}"
                )
            if math.prod(output.shape[each] for each in taken) == 1:
                raise UnsupportedModelError(
                    f"{context.source}: {label} goes along axis {axis} of shape {output.shape}, over one number, so "
                    f"that its result is constant.{ends}"
                )
            if node.op_type == "ArgMax":
                axis_of_argmax = axis
                if rank and output.shape[axis] == output.flow.size:
                    more = "; decision regions are those of network.with_argmax()"
            elif axis_of_argmax is not None and axis_of_argmax not in taken:
                raise UnsupportedModelError(
                    f"{context.source}: {label} goes along axis {axis}, and the ArgMax behind it along "
                    f"{axis_of_argmax}: without it the largest would be another.{ends}"
                )
        if node.op_type == "ArgMax":
            texts.append(
                f"{label} stands last and is left out, though it cuts where the largest changes. The outputs are the "
                f"values before it{more}."
            )
        else:
            texts.append(
                f"{label} stands last and is left out: it is no kink and cuts nothing. The outputs are the values "
                "before it."
            )
    return texts


def along(node: Any, context: Context) -> int:
    """The axis along which a node combines all numbers."""
    default = 0 if node.op_type == "ArgMax" else -1 if context.opset >= 13 else 1
    axis = attributes_of(node).get("axis", default)
    if type(axis) is not int:
        raise ModelFileError(f"{context.source}: {described(node)} has an axis that is no whole number.")
    return axis


def needed(nodes: list[Any], wanted: str) -> list[Any]:
    """The nodes that a value needs, in their order."""
    names, kept = {wanted}, []
    for node in reversed(nodes):
        if names.intersection(filter(None, node.output)):
            kept.append(node)
            names.update(node.input)
    return kept[::-1]


def check_operators(nodes: list[Any], known: set[str], context: Context) -> None:
    """Refuse a graph with unsupported operators; the message lists up to five of the nodes."""
    source, constants = context.source, set(known)
    strange = []
    for node in nodes:
        if not node.output or (not node.input and node.op_type != "Constant"):
            raise ModelFileError(f"{source}: {described(node)} has no input or no output.")
        is_ours = node.domain in ("", "ai.onnx")
        if is_ours and (node.op_type in MEASURED or (is_folded(node.op_type) and set(node.input) <= constants | {""})):
            constants.update(node.output)
        elif node.op_type not in OPERATORS or not is_ours:
            strange.append(node)
    if not strange:
        return
    more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
    before = next((str(name) for name in strange[0].input if name and name not in constants), "")
    raise UnsupportedModelError(
        f"{source} is not supported: it has {', '.join(described(node) for node in strange[:5])}{more}, which is not "
        f"piecewise linear or not read. Creases reads {', '.join(OPERATORS)}, and Constants and what is computed of "
        f"constants and shapes.{cut_off(before, context.entry)}"
    )


def step(proto: Any, values: dict[str, Given | None], context: Context, beside: Beside) -> Sequence[Given]:
    """The results of one node, from the values computed so far."""
    label, source = described(proto), context.source
    if proto.op_type == "Constant":
        array = constant_value(proto, label, source, beside)
        told = {BRIEF} & {kind_of(each.t.data_type) for each in proto.attribute if each.HasField("t")}
        context.kinds[str(proto.output[0])] = next(iter(told), "")
        return [array]
    names = [str(name) for name in proto.input]
    for name in names:
        if name and values.get(name) is None:
            raise UnsupportedModelError(f"{source}: {label} takes '{name}', which no node gives, or none that is read.")
    node = Node(
        proto.op_type,
        label,
        str(proto.name),
        attributes_of(proto),
        tuple(values[name] if name else None for name in names),
        tuple(names),
        len(proto.output),
        context,
    )
    if node.op in MEASURED:
        return [measured(node)]
    operator = OPERATORS.get(node.op)
    if operator is not None:
        unknown = sorted(set(node.attributes) - set(operator.attributes))
        if unknown or len(names) > operator.most:
            what = f"attribute '{unknown[0]}'" if unknown else f"{len(names)} inputs"
            node.refuse(f"has {what}, which is not supported.")
    if operator is None or not any(isinstance(given, Value) for given in node.inputs):
        return noted(node, proto, fold(node))
    try:
        result = operator.make(node)
    except NetworkError as error:
        if str(error).startswith(source):
            raise
        raise NetworkError(f"{source}: {label}: {error}") from error
    return noted(node, proto, [result] if isinstance(result, Value) else result)


def noted(node: Node, proto: Any, results: Sequence[Given]) -> Sequence[Given]:
    """The results of a node; their number types are recorded, and so is the rounding of flows."""
    for name, made in zip(proto.output, results, strict=False):
        if isinstance(made, Value):
            flowing, kind = kind_flowing(node)
            node.context.flowing[str(name)] = kind
            if not is_held(flowing, kind):
                node.context.narrowed.append((node.label, kind))
        else:
            node.context.kinds[str(name)] = kind_made(node, made)
    return results


def kind_flowing(node: Node) -> tuple[str, str]:
    """The number type of the first flow that a node takes, and that of the flows that it makes; every operator except a
    Cast keeps the type."""

    def of(name: str) -> str:
        return context.flowing.get(name) or context.kinds.get(name, "UNDEFINED")

    context = node.context
    flows = (name for name, given in zip(node.names, node.inputs, strict=True) if isinstance(given, Value))
    taken = of(next(flows))
    if node.op == "Cast":
        return taken, kind_of(node.whole("to", 0))
    if node.op == "CastLike":
        other, name = node.given(1), node.names[1]
        if isinstance(other, Value):
            return taken, of(name)
        return taken, context.kinds.get(name) or {"f2": "FLOAT16", "f4": "FLOAT"}.get(other.dtype.str[1:], "DOUBLE")
    return taken, taken
