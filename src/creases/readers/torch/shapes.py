"""Torch operators that only move values: torch itself runs each of them, on the indices of the entries.

The indices of a value are 1, 2, 3, ...; the operator's result shows where each entry came from, and zero means that it
is not from this value. Constants that an operator fills in are found by running it on zeros. So one handler is enough
for all of them, and `pixel_shuffle` or a reflecting pad is not implemented a second time. Only the axis of the batch
needs rules of its own. Its length is one; a longer one was merged with another axis (tensordot does that, and separates
them again).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from creases.network.operators import Select
from creases.readers.torch.graph import Arguments, Shape, TorchValue, Trace

__all__ = [
    "SHAPES",
    "SHAPES_AND_NUMBERS",
    "attempted",
    "batch_of_view",
    "called",
    "leaves",
    "moved",
    "places_of",
    "replaced",
]

Rule = Callable[[Trace, TorchValue, Arguments, Shape], int | None]


def places_of(value: TorchValue) -> Any:
    """The index of each entry, from 1, as float64 in the value's shape."""
    import torch

    return torch.arange(1, math.prod(value.shape) + 1, dtype=torch.float64).reshape(value.shape)


def called(operator: Any, arguments: Arguments) -> Any:
    """Run a torch operator on arguments by name."""
    positional, named = [], {}
    for argument in operator._schema.arguments:
        if argument.kwarg_only:
            named[argument.name] = arguments[argument.name]
        else:
            positional.append(arguments[argument.name])
    return operator(*positional, **named)


def attempted(trace: Trace, arguments: Arguments, what: str = "does not fit what it is given") -> Any:
    """Run the operator of the current call. If torch raises an error, raises a refusal that begins with `what`."""
    try:
        return called(trace.call.operator, arguments)
    except (RuntimeError, NotImplementedError, TypeError, ValueError, IndexError, ArithmeticError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise trace.refuse(f"{what}; torch says: {reason.removesuffix('.')}.") from error


def replaced(given: Any, change: Callable[[Any], Any]) -> Any:
    """An argument with `change` applied to every leaf."""
    if isinstance(given, list | tuple):
        return [replaced(part, change) for part in given]
    return change(given)


def leaves(arguments: Arguments) -> list[TorchValue]:
    """The values among the arguments, each once, in order."""
    values: dict[TorchValue, None] = {}

    def look(leaf: Any) -> Any:
        if isinstance(leaf, TorchValue):
            values[leaf] = None
        return leaf

    for argument in arguments.values():
        replaced(argument, look)
    return list(values)


def moved(trace: Trace, arguments: Arguments, whole: Callable[[TorchValue], Exception | None]) -> Any:
    """The result of an operator that moves values and fills in constants: one value, or a list of them.

    whole : the error if a result has only some of the entries of a value, or None if this is allowed.
    """
    import torch

    operator, values = trace.call.operator, leaves(arguments)

    def run(chosen: TorchValue | None) -> list[Any]:
        def given(leaf: Any) -> Any:
            if isinstance(leaf, TorchValue):
                return places_of(leaf) if leaf is chosen else torch.zeros(leaf.shape, dtype=torch.float64)
            floating = isinstance(leaf, torch.Tensor) and leaf.is_floating_point()
            return leaf.detach().double() if floating else leaf

        result = attempted(trace, {name: replaced(argument, given) for name, argument in arguments.items()})
        return list(result) if isinstance(result, list | tuple) else [result]

    constants = run(None)
    moves = [(value, run(value)) for value in values]
    results = []
    for number, constant in enumerate(constants):
        shape = tuple(constant.shape)
        batches = {RULES.get(trace.call.name, same)(trace, value, arguments, shape) for value in values}
        batches = batches - {None} or {None}
        if len(batches) > 1:
            raise trace.mixes()
        terms = []
        for value, parts in moves:
            picked = (parts[number] - constant).reshape(-1).numpy().astype(np.int64) - 1
            if (picked >= 0).any():
                error = whole(value)
                if error is not None and len(np.unique(picked[picked >= 0])) < value.flow.size:
                    raise error
                terms.append((value, picked))
        bias = constant.reshape(-1).numpy()
        results.append(arranged(trace, terms, shape, batches.pop(), bias))
    returns = operator._schema.returns
    return results[0] if len(returns) == 1 and "List" not in str(returns[0].type) else results


def arranged(
    trace: Trace, terms: list[tuple[TorchValue, Any]], shape: Shape, batch: int | None, bias: Any
) -> TorchValue:
    """Values at some indices, with constants between them; entries that keep their order need no level."""
    alone = len(terms) == 1 and bool((terms[0][1] >= 0).all())
    if alone:
        value, picked = terms[0]
        if len(picked) == value.flow.size and (picked == np.arange(len(picked))).all():
            return TorchValue(value.flow, shape, batch, value.tail, value.ordered)
    tail = tuple(dict.fromkeys(call for value, _ in terms for call in value.tail))
    made = trace.sum_of([(value.flow, Select(picked, value.flow.size)) for value, picked in terms], shape, batch, bias)
    return TorchValue(made.flow, shape, batch, tail, terms[0][0].ordered if alone else not tail)


# The new position of the axis of the batch.


def same(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """It stays where it is. Refuses a result that is longer along it, or does not have it."""
    if value.batch is not None and (len(shape) != len(value.shape) or shape[value.batch] != value.shape[value.batch]):
        raise trace.mixes()
    return value.batch


def batch_of_view(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """After a reshape: the axis of length one with as many entries before it, otherwise the axis with which it was
    merged."""
    if value.batch is None:
        return None
    least, most = (math.prod(value.shape[: value.batch + more]) for more in (0, 1))
    before = [math.prod(shape[:axis]) for axis in range(len(shape))]
    fits = [axis for axis, side in enumerate(shape) if side == 1 and least <= before[axis] <= most]
    if fits:
        return value.batch if value.batch in fits else fits[0]
    return max((axis for axis in range(len(shape)) if before[axis] <= least), default=None)


def of_permutation(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """`dims` name the axes in their new order."""
    if value.batch is None:
        return None
    return [trace.axis(axis, len(shape)) for axis in arguments["dims"]].index(value.batch)


def of_transposition(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """Two axes change places."""
    rank = len(shape)
    first = trace.axis(arguments.get("dim0", 0), rank)
    second = trace.axis(arguments.get("dim1", 1), rank)
    return {first: second, second: first}.get(value.batch, value.batch) if value.batch is not None else None


def of_squeeze(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """Axes of length one are removed; the batch's too, if it is named or all are."""
    if value.batch is None:
        return None
    rank = len(value.shape)
    given = arguments.get("dim")
    dims = range(rank) if given is None else [given] if isinstance(given, int) else given
    gone = {trace.axis(axis, rank) for axis in dims if value.shape[axis] == 1}
    return None if value.batch in gone else value.batch - sum(axis < value.batch for axis in gone)


def of_unsqueeze(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """One axis is added."""
    if value.batch is None:
        return None
    return value.batch + (trace.axis(arguments["dim"], len(shape)) <= value.batch)


def of_selection(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """One axis is removed: `select`, `unbind`."""
    dim = trace.axis(arguments["dim"], len(value.shape))
    if dim == value.batch:
        raise trace.mixes("takes one input out of the batch")
    return None if value.batch is None else value.batch - (dim < value.batch)


def of_expansion(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """Axes are added at the beginning."""
    if value.batch is None:
        return None
    axis = value.batch + len(shape) - len(value.shape)
    if shape[axis] != value.shape[value.batch]:
        raise trace.mixes("repeats an input along the batch")
    return axis


def of_indexing(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """`x[:, indices]`: one array of indices replaces an axis, or several do, one after the other."""
    if value.batch is None:
        return None
    places = [axis for axis, index in enumerate(arguments["indices"]) if index is not None]
    if value.batch in places:
        raise trace.mixes("takes inputs out of the batch")
    if places != list(range(places[0], places[-1] + 1)):
        raise trace.refuse("takes indices along axes that do not follow one another, which is not read.")
    return value.batch if value.batch < places[0] else value.batch + len(shape) - len(value.shape)


def of_windows(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """One axis is added at the end: `unfold`."""
    if trace.axis(arguments["dimension"], len(value.shape)) == value.batch:
        raise trace.mixes()
    return value.batch


def of_triangle(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """It stays where it is, unless it is one of the last two: `tril`, `triu`."""
    if value.batch is not None and value.batch >= len(shape) - 2:
        raise trace.mixes()
    return value.batch


def of_stack(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """One axis is added, which is not the batch."""
    return of_unsqueeze(trace, value, arguments, shape)


def of_scatter(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """The batch axis of the larger value; the smaller one lacks one axis."""
    if value is arguments["self"]:
        return same(trace, value, arguments, shape)
    dim = trace.axis(arguments["dim"], len(shape))
    if value.batch is None or len(value.shape) == len(shape):
        return value.batch
    return value.batch + (dim <= value.batch)


def of_numbers(trace: Trace, value: TorchValue, arguments: Arguments, shape: Shape) -> int | None:
    """Like `of_expansion`: `where` and `masked_fill` broadcast."""
    return of_expansion(trace, value, arguments, shape)


RULES: dict[str, Rule] = {
    **dict.fromkeys(
        ("view", "reshape", "_unsafe_view", "flatten", "unflatten", "view_copy", "_reshape_copy"), batch_of_view
    ),
    **dict.fromkeys(("permute", "permute_copy"), of_permutation),
    **dict.fromkeys(("transpose", "t", "swapaxes", "transpose_copy", "numpy_T"), of_transposition),
    **dict.fromkeys(("squeeze", "squeeze_copy"), of_squeeze),
    **dict.fromkeys(("unsqueeze", "unsqueeze_copy"), of_unsqueeze),
    **dict.fromkeys(("select", "unbind", "select_copy"), of_selection),
    **dict.fromkeys(("expand", "expand_as", "repeat", "expand_copy", "broadcast_to"), of_expansion),
    "index": of_indexing,
    "unfold": of_windows,
    "tril": of_triangle,
    "triu": of_triangle,
    "stack": of_stack,
    "select_scatter": of_scatter,
    "slice_scatter": of_scatter,
    "where": of_numbers,
    "copy": of_numbers,
    "masked_fill": of_numbers,
}
# Some operators with these rules fill in constants, or take several values.
MORE_SHAPES = {"stack", "select_scatter", "slice_scatter", "where", "masked_fill", "copy", "tril", "triu"}
# Operators that only move the entries of one value, with a rule, or with every axis staying the same.
SHAPES = frozenset(RULES) - MORE_SHAPES | {
    "clone",
    "contiguous",
    "alias",
    "detach",
    "lift_fresh_copy",
    "slice",
    "narrow",
    "split",
    "split_with_sizes",
    "chunk",
    "tensor_split",
    "index_select",
    "gather",
    "flip",
    "roll",
    "pixel_shuffle",
    "pixel_unshuffle",
    "channel_shuffle",
    "upsample_nearest1d",
    "upsample_nearest2d",
    "upsample_nearest3d",
    "_upsample_nearest_exact1d",
    "_upsample_nearest_exact2d",
    "_upsample_nearest_exact3d",
    "reflection_pad1d",
    "reflection_pad2d",
    "reflection_pad3d",
    "replication_pad1d",
    "replication_pad2d",
    "replication_pad3d",
    "repeat_interleave",
}
SHAPES_AND_NUMBERS = SHAPES | MORE_SHAPES | {"cat", "concat", "concatenate", "constant_pad_nd", "pad"}
