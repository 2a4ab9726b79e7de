"""A program of torch operators is read call by call and becomes a network.

What depends on the input is a flow of `creases.build`; everything else is a constant. Constants (a weight norm, for
example) are computed by torch itself in the module's precision, as the module would compute them, and a note says so. A
call that cannot be read is an error only if the output needs it. Smooth functions at the end cut nothing and are left
out, with a note.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from creases import build
from creases.errors import CreasesError, NetworkError, UnsupportedModelError
from creases.network import Network
from creases.readers.torch.graph import Call, Name, Program, TorchValue, Trace
from creases.readers.torch.kinks import KINKS
from creases.readers.torch.linear import LINEAR
from creases.readers.torch.shapes import SHAPES_AND_NUMBERS, attempted, leaves, moved, replaced
from creases.readers.torch.windows import WINDOWS

__all__ = ["KNOWN", "network_of"]

# Smooth functions, which at the end cut nothing. In COUPLING, each result depends on all values along an axis, so a
# part of the results may not be taken; in the others, each result depends on one value. `argmax` chooses an output and
# changes none.
COUPLING = frozenset({"softmax", "_softmax", "log_softmax", "_log_softmax"})
TAILS = COUPLING | {"sigmoid", "log_sigmoid", "tanh", "softplus", "exp", "argmax"}
AFTER_TAILS = TAILS | {"mul", "div", "add", "sub", "rsub", "neg"}
NOTHING_IN_EVALUATION = frozenset(
    {"dropout", "native_dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"}
)
COPYING = frozenset({"alias", "clone", "contiguous", "detach", "lift_fresh_copy"})
CASTS = frozenset({"to", "_to_copy", "type_as", "float", "double", "half", "bfloat16"})
OF_A_SHAPE = frozenset({"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "fill", "zero"})
# Operators on constants that do not round.
EXACT_OPERATORS = (
    SHAPES_AND_NUMBERS
    | OF_A_SHAPE
    | {"zeros", "ones", "full", "arange", "scalar_tensor", "eye", "neg", "abs", "relu", "max", "min", "amax", "amin"}
)
# Arguments that choose numbers, or say how often they are repeated, and do not become results themselves.
CHOOSING = frozenset({"index", "indices", "condition", "mask", "repeats", "tensor_indices_or_sections"})
# The operators that are run on the constants of a file.
PLAIN = (
    EXACT_OPERATORS
    | CASTS
    | {"add", "sub", "mul", "div", "sqrt", "rsqrt", "reciprocal", "sum", "mean", "_weight_norm", "clamp"}
)
LARGEST_OF_A_FILE = 2**26  # total number of entries of its input and all results
WHY = {
    **dict.fromkeys(
        ("gelu", "silu", "mish", "elu", "celu", "selu", "hardswish", "softplus", "erf", "sin", "cos", "pow", "sqrt"), ""
    ),
    **dict.fromkeys(TAILS, ""),
    **dict.fromkeys(
        ("layer_norm", "native_layer_norm", "group_norm", "native_group_norm", "instance_norm", "rms_norm"),
        ": it divides by a deviation of the values themselves",
    ),
    **dict.fromkeys(
        ("scaled_dot_product_attention", "_native_multi_head_attention"), ": attention multiplies values with values"
    ),
    **dict.fromkeys(("std", "var", "linalg_vector_norm", "norm", "logsumexp", "_cdist_forward"), ""),
    **dict.fromkeys(("sign", "round", "floor", "ceil", "trunc", "hardshrink", "heaviside"), ": it jumps"),
    **dict.fromkeys(("gt", "lt", "ge", "le", "eq", "ne"), ": a comparison jumps"),
}
# Operators that are read, or refused by name: they need not be decomposed.
HANDLERS = {**LINEAR, **WINDOWS, **KINKS}
KNOWN = frozenset(HANDLERS) | PLAIN | AFTER_TAILS | NOTHING_IN_EVALUATION | frozenset(WHY)
PLACE = "Put a piecewise-linear one in its place (ReLU, LeakyReLU, PReLU, Hardtanh, Hardsigmoid, a maximum)"


def network_of(program: Program) -> Network:
    """The network that a program computes on a batch of one.

    Raises UnsupportedModelError, with the operator, its module and its line, if the program is not piecewise linear or
    mixes a batch; NetworkError on numbers that are not finite.
    """
    if not program.trusted and math.prod(program.shape) > LARGEST_OF_A_FILE:
        raise UnsupportedModelError(
            f"{program.source} takes inputs of {math.prod(program.shape):,} numbers; {LARGEST_OF_A_FILE:,} are allowed "
            "in a file."
        )
    root = build.input(*(program.shape[1:] or (1,)))
    trace = Trace(program, root)
    for note in program.notes:
        trace.note(note)
    known: dict[str, Any] = dict(program.tensors)
    known[program.input] = TorchValue(root, program.shape, 0)
    rounded: dict[str, list[str]] = {}
    for call in program.calls:
        trace.call = call
        bind(call, known, result_of(trace, call, known, rounded))
    for where, operators in rounded.items():
        trace.note(
            f"{where}: {', '.join(dict.fromkeys(operators))} on constants is computed by torch, in the precision that "
            "the module has; what is counted is the network with the results."
        )
    return finished(trace, [looked_up(output, known) for output in program.outputs])


def bind(call: Call, known: dict[str, Any], result: Any) -> None:
    """Name the result of a call, or each of its parts if these have names."""
    if len(call.results) == 1:
        known[call.results[0]] = result
        return
    for i, name in enumerate(call.results):
        known[name] = result[i] if isinstance(result, list | tuple) else result


def looked_up(argument: Any, known: Mapping[str, Any]) -> Any:
    """An argument with names replaced by the values that they refer to."""
    return replaced(argument, lambda leaf: known[leaf.text] if isinstance(leaf, Name) else leaf)


def result_of(trace: Trace, call: Call, known: Mapping[str, Any], rounded: dict[str, list[str]]) -> Any:
    """The result of a call: a value, a constant, a list of them, or the error to raise if the result is used."""
    arguments = {name: looked_up(argument, known) for name, argument in call.arguments.items()}
    errors: list[CreasesError] = []
    for argument in arguments.values():
        replaced(argument, lambda leaf: errors.append(leaf) if isinstance(leaf, CreasesError) else leaf)
    if errors:
        return errors[0]
    try:
        if call.operator is None:
            return arguments["self"][arguments["index"]]
        if isinstance(call.operator, str):
            raise refused_kind(trace, call)
        values = leaves(arguments)
        if not trace.program.trusted:
            check_small(trace, call, arguments)
        if not values:
            return folded(trace, call, arguments, rounded)
        return handled(trace, call, arguments, values)
    except UnsupportedModelError as error:
        return error
    except NetworkError as error:
        said = str(error)
        at_source = said.startswith(trace.program.source)
        raise NetworkError(said if at_source else f"{trace.program.source}: {call.told}: {said}") from error


def handled(trace: Trace, call: Call, arguments: dict[str, Any], values: list[TorchValue]) -> Any:
    """The result of a call that takes values."""
    name = call.name.removesuffix("_")
    arguments = computed_with(trace, arguments)
    tail = tuple(dict.fromkeys(part for value in values for part in value.tail))
    if name.startswith(("_assert", "sym_constrain")):
        return None
    if chosen := next((part for part in tail if part.name == "argmax"), None):
        return with_places(trace, arguments, values, chosen) if name in CASTS | COPYING else not_linear(trace, chosen)
    if name == "sym_size":
        return values[0].shape[arguments["dim"]]
    if tail and name not in SHAPES_AND_NUMBERS | AFTER_TAILS | NOTHING_IN_EVALUATION | CASTS:
        return not_linear(trace, tail[0])
    if name in TAILS or (tail and name in AFTER_TAILS):
        return left_out(trace, name, arguments, values)
    if name in NOTHING_IN_EVALUATION:
        if arguments.get("train", arguments.get("training")):
            raise trace.refuse("is random in training mode.", "Call model.eval(), or leave training=True out.")
        return [values[0], None] if name == "native_dropout" else values[0]
    if name in CASTS:
        kind = arguments.get("dtype") or call.dtype
        if kind is not None and not kind.is_floating_point:
            raise trace.refuse(f"makes {kind} of real numbers, which rounds them and is not piecewise linear.")
        return values[0]
    if name in OF_A_SHAPE:
        return of_a_shape(trace, arguments)
    if name in SHAPES_AND_NUMBERS:
        return moved(trace, arguments, lambda value: of_a_part(trace, value))
    if name not in HANDLERS:
        raise not_linear(trace, call)
    return HANDLERS[name](trace, arguments)


def computed_with(trace: Trace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call; numbers that are combined with values are rounded as torch rounds them."""
    given = dict(arguments)
    for argument in trace.call.operator._schema.arguments:
        if argument.name in CHOOSING:
            continue
        beside = argument.name == "value" or any(kind in str(argument.type) for kind in ("Tensor", "number"))
        if beside and argument.name in given and trace.call.name != "rrelu":
            given[argument.name] = replaced(given[argument.name], trace.computed_with)
    return given


def with_places(trace: Trace, arguments: Mapping[str, Any], values: list[TorchValue], chosen: Call) -> Any:
    """The indices that an argmax gives, in a type that can hold all of them."""
    import torch

    kind = arguments.get("dtype") or trace.call.dtype
    if len(values) > 1:
        return not_linear(trace, chosen)
    if kind not in (None, torch.int32, torch.int64, torch.float32, torch.float64):
        raise trace.refuse(
            f"makes {kind} of the places that {chosen.told} gives, of which several may become one. Leave it out: "
            "int32, int64, float32 and float64 hold them all."
        )
    return values[0]


def left_out(trace: Trace, name: str, arguments: Mapping[str, Any], values: list[TorchValue]) -> Any:
    """A smooth function of one value: the value itself, marked. All later operations must be left out too."""
    value, ordered = values[0], values[0].ordered and name in TAILS
    if len(values) > 1 or (name not in TAILS and not keeps_places(trace, name, arguments, value)):
        return not_linear(trace, next((tail for part in values for tail in part.tail), trace.call))
    if name in COUPLING or name == "argmax":
        rank, dim = len(value.shape), arguments["dim"]
        axis = value.batch if dim is None else trace.axis(dim, rank)
        if value.batch is not None and axis == value.batch:
            raise trace.mixes()
        length = value.flow.size if axis is None or not rank else value.shape[axis]
        if length == 1:
            raise trace.refuse(
                "goes over one number, so that its result is constant.",
                "Leave it out: load a module whose forward returns what stands before it.",
            )
        ordered = ordered and length == value.flow.size
    return TorchValue(value.flow, value.shape, value.batch, (*value.tail, trace.call), ordered)


def keeps_places(trace: Trace, name: str, arguments: Mapping[str, Any], value: TorchValue) -> bool:
    """Whether an affine call gives, for each entry of a value, one result that depends on it."""
    if name == "neg":
        return True
    first, second = arguments["self"], arguments["other"]
    if first is second or (name == "div" and (second is value or arguments.get("rounding_mode") is not None)):
        return False
    numbers = trace.numbers(second if first is value else first)
    multiplied = first if name == "rsub" else second  # by alpha
    factor = numbers if name in ("mul", "div") else trace.number(arguments.get("alpha", 1), "alpha")
    if not np.isfinite(numbers).all() or np.broadcast_shapes(value.shape, numbers.shape) != value.shape:
        return False
    return bool(np.all(factor)) or (name not in ("mul", "div") and multiplied is not value)


def of_a_part(trace: Trace, value: TorchValue) -> UnsupportedModelError | None:
    """The error for taking a part of a value whose tail couples its entries."""
    coupling = next((tail for tail in value.tail if tail.name in COUPLING), None)
    return None if coupling is None else not_linear(trace, coupling)


def of_a_shape(trace: Trace, arguments: Mapping[str, Any]) -> Any:
    """A constant that depends only on the shape of a value."""
    import torch

    def shaped(leaf: Any) -> Any:
        return (
            torch.zeros(leaf.shape, dtype=trace.call.dtype or torch.float64) if isinstance(leaf, TorchValue) else leaf
        )

    return attempted(trace, {name: replaced(argument, shaped) for name, argument in arguments.items()})


def not_linear(trace: Trace, call: Call) -> UnsupportedModelError:
    """The error for an operator that is not piecewise linear or not supported."""
    known = call.name in WHY and call.name != "argmax"
    why = f"is not piecewise linear{WHY[call.name]}." if known else "is an operator that is not read."
    if call.name == "argmax":
        why = "is not the end of the module; only there it is left out (see network.with_argmax())."
    head = call.path.partition(".")[0]
    if trace.program.sequential and head.isdigit() and int(head) > 0:
        cut = f"or cut it off: creases.load(model[:{head}])."
    else:
        cut = "or cut it off: load a module whose forward returns what stands before it."
    return trace.refuse(why, f"{PLACE} and train again, {cut}" if known else f"Leave it out, {cut}", call)


def refused_kind(trace: Trace, call: Call) -> UnsupportedModelError:
    """The error for a call that is not of a torch operator: control flow and custom operators."""
    said = f"{trace.program.source}: {call.operator}{f' ({call.line})' if call.line else ''}"
    if str(call.operator).startswith("aten."):
        return UnsupportedModelError(f"{said} is an operator that is not read.")
    return UnsupportedModelError(
        f"{said} is no operator of torch's own (control flow that looks at its input, or a custom operator), and what "
        "it computes is not read."
    )


def folded(trace: Trace, call: Call, arguments: dict[str, Any], rounded: dict[str, list[str]]) -> Any:
    """The result of an operator on constants, computed by torch."""
    import torch

    name = call.name
    if name.startswith(("_assert", "sym_constrain")):
        return None
    if torch.Tag.nondeterministic_seeded in call.operator.tags and not dropout_is_off(name, arguments):
        raise trace.refuse("draws random numbers, so that the module is no function of its input.")
    if not trace.program.trusted and name.removesuffix("_") not in PLAIN:
        raise trace.refuse("is computed from constants, which of a file is not done. Load the torch module itself.")
    if "device" in arguments:
        arguments["device"] = None
    if name.endswith("_") and isinstance(arguments.get("self"), torch.Tensor):
        arguments["self"] = arguments["self"].clone()  # it may be the module's own
    with torch.no_grad():
        result = attempted(trace, arguments, "cannot be computed on constants")
    if isinstance(result, torch.Tensor) and result.is_floating_point() and not is_exact(call, arguments, result):
        rounded.setdefault(f"{call.kind} '{call.path}'" if call.path else trace.program.source, []).append(name)
    return result


def dropout_is_off(name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a random operator is a dropout in evaluation."""
    return name in NOTHING_IN_EVALUATION and not arguments.get("train", arguments.get("training"))


def is_exact(call: Call, arguments: Mapping[str, Any], result: Any) -> bool:
    """Whether an operator on constants certainly did not round."""
    import torch

    if call.name in CASTS:
        given = arguments["self"]
        return not given.is_floating_point() or torch.promote_types(given.dtype, result.dtype) == result.dtype
    return call.name.removesuffix("_") in EXACT_OPERATORS or call.name in NOTHING_IN_EVALUATION


def check_small(trace: Trace, call: Call, arguments: Mapping[str, Any]) -> None:
    """Raise an error before a call of a file is run if the results so far, and its own, would be very large."""
    import torch

    if call.name.startswith(("_assert", "sym_")):
        return

    def described(leaf: Any) -> Any:
        if isinstance(leaf, TorchValue):
            return torch.empty(leaf.shape, device="meta", dtype=torch.float64)
        if not isinstance(leaf, torch.Tensor):
            return leaf
        return leaf.to("meta", torch.float64) if leaf.is_floating_point() else leaf.to("meta")

    given = {name: replaced(argument, described) for name, argument in arguments.items()}
    if "device" in given:
        given["device"] = torch.device("meta")
    result = attempted(trace, given)
    parts = result if isinstance(result, list | tuple) else [result]
    size = sum(part.numel() for part in parts if isinstance(part, torch.Tensor))
    if trace.made + size > LARGEST_OF_A_FILE:
        raise trace.refuse(
            f"makes {size:,} numbers, {trace.made + size:,} with the input and all results before; "
            f"{LARGEST_OF_A_FILE:,} are allowed in a file. Load the torch module itself, which has no such bound."
        )
    trace.made += size


def finished(trace: Trace, outputs: list[Any]) -> Network:
    """The network of the one output that depends on the input."""
    source = trace.program.source
    for output in outputs:
        if isinstance(output, CreasesError):
            raise output
    values = list({id(output): output for output in outputs if isinstance(output, TorchValue)}.values())
    if not values:
        raise UnsupportedModelError(f"{source} gives nothing that depends on its input.")
    if len(values) > 1:
        shapes = " and ".join(str(value.shape) for value in values)
        raise UnsupportedModelError(
            f"{source} gives {len(values)} results, of shapes {shapes}; a network has one. Load a module whose forward "
            "returns one of them, or all side by side: torch.cat([a.flatten(1), b.flatten(1)], 1)."
        )
    value = values[0]
    if value.batch is not None and value.shape[value.batch] != 1:
        raise UnsupportedModelError(
            f"{source} gives one result for a whole batch, of shape {value.shape}; a network gives one for each input. "
            "Keep the first axis: x.flatten(1), not x.flatten()."
        )
    if value.tail:
        trace.note(
            f"The end of {source} is left out: {', then '.join(call.told for call in value.tail)}. {told(value)}"
        )
    try:
        return build.network(value.flow, notes=tuple(trace.notes))
    except NetworkError as error:
        raise NetworkError(f"{source}: {error}") from error


def told(value: TorchValue) -> str:
    """The note on a tail that was left out."""
    if value.tail[-1].name != "argmax":
        return "It is smooth, so it cuts nothing."
    classes = "; the regions of each class are those of network.with_argmax()" if value.ordered else ""
    return f"The network's outputs are the values before it{classes}."
