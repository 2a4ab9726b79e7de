"""Torch operators that are linear in the values that run through a program, as flows of `creases.build`.

No two numbers of a module are multiplied or added here: a matrix, a kernel, a divisor stand in the network as the
module has them. A product with a matrix along one axis of several is a sparse matrix that repeats the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases import build
from creases.errors import NetworkError, NotEnoughMemoryError
from creases.network.builder.flows import Flow
from creases.network.operators import Scale, Select, Sparse
from creases.network.operators.operator import as_sparse
from creases.readers.torch_graph import Floats, Shape, Trace, Value, aligned

__all__ = ["LINEAR", "affine", "image_of", "reduced_axes", "reduction"]

Arguments = Mapping[str, Any]
MOST_PRODUCTS = 2**28
Integers = NDArray[np.int64]


# Products.


def linear(trace: Trace, a: Arguments) -> Value:
    """x @ weight.T + bias along the last axis."""
    return along_last(trace, value_in(trace, a, "input"), trace.numbers(constant(trace, a, "weight")), a["bias"])


def along_last(trace: Trace, value: Value, weight: Floats, bias: Any) -> Value:
    """weight @ x along the last axis, for each of the others; weight (m, k)."""
    if value.batch == len(value.shape) - 1:
        raise trace.mixes()
    if weight.ndim == 1:  # a Linear of one output may be stored as a vector
        weight = weight[None, :]
    shape = (*value.shape[:-1], len(weight))
    if math.prod(shape) == len(weight):
        biases = None if bias is None else np.broadcast_to(trace.numbers(bias, "bias"), shape).reshape(-1)
        return Value(build.dense(build.flatten(value.flow), weight, biases, name=trace.label), shape, value.batch)
    columns = places(value)[..., None, :]
    return products(trace, value, columns, weight, shape, value.batch, bias)


def products(
    trace: Trace, value: Value, columns: Integers, weight: Floats, shape: Shape, batch: int | None, bias: Any = None
) -> Value:
    """Sums over the last axis of values at `columns` times numbers; both broadcast to (*shape, terms)."""
    terms = columns.shape[-1]
    full = (*shape, terms)
    if math.prod(full) > MOST_PRODUCTS:
        raise NotEnoughMemoryError(
            f"{trace.program.source}: {trace.call.told} is a sparse matrix of {math.prod(full):,} numbers; "
            f"{MOST_PRODUCTS:,} are allowed."
        )
    data = np.broadcast_to(weight, full).reshape(-1)
    where = np.broadcast_to(columns, full).reshape(-1)
    rows = math.prod(shape)
    starts = np.arange(rows + 1) * terms
    order = np.lexsort((where, np.repeat(np.arange(rows), terms)))
    operator = Sparse(as_sparse(np.array(data[order]), where[order], starts, (rows, value.flow.size)))
    biases = None if bias is None else np.broadcast_to(trace.numbers(bias, "bias"), shape)
    return trace.sum_of([(value.flow, operator)], shape, batch, biases)


def matmul(trace: Trace, a: Arguments) -> Value:
    """A product with a constant on either side, as torch.matmul broadcasts them."""
    first, second = (a["self"], a.get("other", a.get("mat2", a.get("vec"))))
    if isinstance(first, Value) and isinstance(second, Value):
        raise product_of_flows(trace)
    return product(trace, first, second, None)


def addmm(trace: Trace, a: Arguments) -> Value:
    """beta * self + alpha * (first @ second), where only one of the three is a value."""
    first, second = (a[name] for name in (("mat1", "mat2") if "mat1" in a else ("batch1", "batch2")))
    if isinstance(first, Value) and isinstance(second, Value):
        raise product_of_flows(trace)
    plain = a.get("beta", 1) == 1 and a.get("alpha", 1) == 1
    if plain and not isinstance(a["self"], Value):
        return product(trace, first, second, a["self"])
    if not isinstance(first, Value) and not isinstance(second, Value):
        raise trace.refuse("adds a value to a product of constants with factors, which is not read.")
    made = affine(trace, product(trace, first, second, None), a.get("alpha", 1))
    added = (
        a["self"] if a.get("beta", 1) == 1 or not isinstance(a["self"], Value) else affine(trace, a["self"], a["beta"])
    )
    if not isinstance(added, Value) and a.get("beta", 1) != 1:
        added = exact_product(trace, added, a["beta"])
    return summed(trace, made, added, 1)


def exact_product(trace: Trace, numbers: Any, factor: Any) -> Floats:
    """A constant times a number, where that does not round."""
    array, by = trace.numbers(numbers), trace.number(factor, "beta")
    if by not in (0.0, 1.0, -1.0):
        raise trace.refuse(f"has a factor beta={factor} of a constant, which is not read. Put it into the constant.")
    return array * by


def product(trace: Trace, first: Any, second: Any, bias: Any) -> Value:
    """first @ second (+ bias), one of them a value and the other a constant."""
    if isinstance(first, Value):
        weight = trace.numbers(second)
        if weight.ndim == 1:
            made = along_last(trace, first, weight[None, :], bias)
            return Value(made.flow, made.shape[:-1], made.batch)
        if weight.ndim == 2 and len(first.shape) > 1:
            return along_last(trace, first, np.ascontiguousarray(weight.T), bias)
        if len(first.shape) < 2:
            raise trace.refuse("multiplies a value of one axis with a matrix, which is not read.")
        columns, numbers = places(first)[..., :, None, :], np.swapaxes(weight, -1, -2)[..., None, :, :]
        shape = (*np.broadcast_shapes(first.shape[:-2], weight.shape[:-2]), first.shape[-2], weight.shape[-1])
        inner, value = len(first.shape) - 1, first
    else:
        weight, value = trace.numbers(first), second
        if weight.ndim < 2 or len(value.shape) < 2:
            raise trace.refuse("multiplies a vector with a value, which is not read. Use x @ matrix, or nn.Linear.")
        columns, numbers = np.swapaxes(places(value), -1, -2)[..., None, :, :], weight[..., :, None, :]
        shape = (*np.broadcast_shapes(weight.shape[:-2], value.shape[:-2]), weight.shape[-2], value.shape[-1])
        inner = len(value.shape) - 2
    if value.batch == inner:
        raise trace.mixes()
    return products(trace, value, columns, numbers, shape, aligned(trace, value, shape), bias)


def einsum(trace: Trace, a: Arguments) -> Value:
    """A product of a value and one constant, by letters. (What einsum is made of treats a batch of one as a sum.)"""
    operands = a["tensors"]
    if len(operands) != 2 or sum(isinstance(part, Value) for part in operands) == 2:
        raise product_of_flows(trace) if len(operands) == 2 else trace.refuse("joins more than two, which is not read.")
    inputs, _arrow, output = a["equation"].replace(" ", "").partition("->")
    letters = inputs.split(",")
    if not _arrow or "." in inputs or any(len(set(part)) < len(part) for part in (*letters, output)):
        raise trace.refuse("has dots, a letter twice, or no '->', which is not read. Write out all axes.")
    (own, value), (others, numbers) = sorted(
        zip(letters, operands, strict=True), key=lambda pair: not isinstance(pair[1], Value)
    )
    weight = trace.numbers(numbers)
    sums = [letter for letter in own if letter not in output]
    if not set(output) | set(sums) >= set(others):
        raise trace.refuse("sums numbers of a constant, which may round. Sum them before.")
    sizes = {**dict(zip(others, weight.shape, strict=True)), **dict(zip(own, value.shape, strict=True))}
    batch = None if value.batch is None else own[value.batch]
    if batch is not None and (batch in sums or batch in others):
        raise trace.mixes()
    full = [*output, *sums]

    def spread_over(array: Any, names: str) -> Any:
        order = sorted(range(len(names)), key=lambda axis: full.index(names[axis]))
        shape = [sizes[letter] if letter in names else 1 for letter in full]
        spread_out = np.broadcast_to(array.transpose(order).reshape(shape), [sizes[letter] for letter in full])
        return spread_out.reshape(*(sizes[letter] for letter in output), -1)

    shape = tuple(sizes[letter] for letter in output)
    where = None if batch is None else output.index(batch)
    return products(trace, value, spread_over(places(value), own), spread_over(weight, others), shape, where)


def product_of_flows(trace: Trace) -> Exception:
    """The error for what is quadratic in the input."""
    return trace.refuse(
        "multiplies two values that both depend on the input (attention, gating, a squared norm), which is not "
        "piecewise linear."
    )


# Sums, factors, shifts.


def add(trace: Trace, a: Arguments) -> Value:
    """self + alpha * other."""
    return summed(trace, a["self"], a["other"], a.get("alpha", 1))


def subtract(trace: Trace, a: Arguments) -> Value:
    """self - alpha * other."""
    return summed(trace, a["self"], a["other"], -trace.number(a.get("alpha", 1), "alpha"))


def subtract_from(trace: Trace, a: Arguments) -> Value:
    """other - alpha * self."""
    return summed(trace, a["other"], a["self"], -trace.number(a.get("alpha", 1), "alpha"))


def summed(trace: Trace, first: Any, second: Any, alpha: Any) -> Value:
    """first + alpha * second; one of them at least is a value, and both broadcast."""
    factor = trace.number(alpha, "alpha")
    values = [part for part in (first, second) if isinstance(part, Value)]
    shape = np.broadcast_shapes(
        *(part.shape if isinstance(part, Value) else np.shape(part) for part in (first, second))
    )
    batch = aligned(trace, values[0], shape, values[-1])
    terms: list[tuple[Flow, Any]] = []
    bias: Floats | None = None
    for part, by in ((first, 1.0), (second, factor)):
        if isinstance(part, Value):
            flow = spread(trace, part, shape)
            terms.append((flow, Select.all(flow.size) if by == 1.0 else Scale(np.full(flow.size, by))))
        else:
            numbers = trace.numbers(part)
            if by not in (1.0, -1.0):
                numbers = exact_product(trace, numbers, by)
            bias = np.broadcast_to(numbers * by if abs(by) == 1.0 else numbers, shape)
    return trace.sum_of(terms, shape, batch, bias)


def spread(trace: Trace, value: Value, shape: Shape) -> Flow:
    """The flow of a value broadcast to a shape, flat."""
    if value.shape == shape or math.prod(shape) == value.flow.size:
        return build.flatten(value.flow)
    where = np.broadcast_to(places(value), shape).reshape(-1)
    return trace.sum_of([(value.flow, Select(where, value.flow.size))], shape, None).flow


def multiply(trace: Trace, a: Arguments) -> Value:
    """A value times constants."""
    first, second = a["self"], a["other"]
    if isinstance(first, Value) and isinstance(second, Value):
        raise product_of_flows(trace)
    return affine(trace, *((first, second) if isinstance(first, Value) else (second, first)))


def affine(trace: Trace, value: Value, factors: Any) -> Value:
    """A value times one number, or numbers that broadcast."""
    numbers = trace.numbers(factors)
    shape = np.broadcast_shapes(value.shape, numbers.shape)
    batch = aligned(trace, value, shape)
    flow = spread(trace, value, shape)
    if (numbers == 1.0).all():
        return Value(flow, shape, batch)
    scales = Scale(np.ascontiguousarray(np.broadcast_to(numbers, shape)).reshape(-1))
    return trace.sum_of([(flow, scales)], shape, batch)


def divide(trace: Trace, a: Arguments) -> Value:
    """A value divided by constants."""
    if isinstance(a["other"], Value):
        raise trace.refuse("divides by a value that depends on the input, which is not piecewise linear.")
    if a.get("rounding_mode") is not None:
        raise trace.refuse("rounds, which is not piecewise linear.")
    return divided(trace, a["self"], trace.numbers(a["other"]))


def divided(trace: Trace, value: Value, numbers: Floats) -> Value:
    """A value divided by one number, or numbers that broadcast."""
    if not numbers.all():
        raise NetworkError(f"{trace.program.source}: {trace.call.told} divides by zero.")
    shape = np.broadcast_shapes(value.shape, numbers.shape)
    flow, batch = spread(trace, value, shape), aligned(trace, value, shape)
    mantissas, _ = np.frexp(numbers)
    if (
        (np.abs(mantissas) == 0.5).all()
        and np.isfinite(1.0 / numbers).all()
        and (1.0 / (1.0 / numbers) == numbers).all()
    ):
        return affine(trace, Value(flow, shape, batch), 1.0 / numbers)
    made = build.divide(flow, np.ascontiguousarray(np.broadcast_to(numbers, shape)).reshape(-1), name=trace.label)
    return Value(build.flatten(made), shape, batch)


def negate(trace: Trace, a: Arguments) -> Value:
    """-x."""
    return affine(trace, a["self"], -1.0)


# Convolutions.


def convolve(trace: Trace, a: Arguments) -> Value:
    """conv1d, conv2d, conv3d and `convolution`, transposed or not; padding may be "same" or "valid"."""
    if a.get("transposed"):
        return convolve_transposed(trace, a)
    value = value_in(trace, a, "input")
    weight = trace.numbers(constant(trace, a, "weight"), "weight")
    flow, lead, batch = image_of(trace, value, weight.ndim - 1)
    padding = a["padding"]
    dilation = one_a_side(a["dilation"], weight.ndim - 2)
    if isinstance(padding, str):
        reach = [gap * (taps - 1) for gap, taps in zip(dilation, weight.shape[2:], strict=True)]
        padding = [(side // 2, side - side // 2) if padding == "same" else (0, 0) for side in reach]
    else:
        padding = one_a_side(padding, weight.ndim - 2)
    made = build.conv(
        flow,
        weight,
        None if a["bias"] is None else trace.numbers(a["bias"], "bias"),
        stride=one_a_side(a["stride"], weight.ndim - 2),
        padding=padding,
        dilation=dilation,
        groups=a["groups"],
        name=trace.label,
    )
    return Value(made, (*lead, *made.shape), batch)


def convolve_transposed(trace: Trace, a: Arguments) -> Value:
    """conv_transpose1d, conv_transpose2d, conv_transpose3d."""
    value = value_in(trace, a, "input")
    weight = trace.numbers(constant(trace, a, "weight"), "weight")
    flow, lead, batch = image_of(trace, value, weight.ndim - 1)
    sides = weight.ndim - 2
    made = build.conv_transpose(
        flow,
        weight,
        None if a["bias"] is None else trace.numbers(a["bias"], "bias"),
        stride=one_a_side(a["stride"], sides),
        padding=one_a_side(a["padding"], sides),
        output_padding=one_a_side(a["output_padding"], sides),
        dilation=one_a_side(a["dilation"], sides),
        groups=a["groups"],
        name=trace.label,
    )
    return Value(made, (*lead, *made.shape), batch)


def image_of(trace: Trace, value: Value, rank: int) -> tuple[Flow, Shape, int | None]:
    """A value as an image (channels, *sides) of `rank` axes, the axes before it, and the batch's among these."""
    lead = value.shape[: len(value.shape) - rank]
    if math.prod(lead) != 1 or (value.batch is not None and value.batch >= len(lead)):
        raise trace.mixes("takes an image for each of several inputs")
    return build.reshape(value.flow, *value.shape[len(lead) :]), lead, value.batch


def one_a_side(given: Any, sides: int) -> list[int]:
    """One whole number a side; torch takes one for all, or a list of one."""
    numbers = list(given) if isinstance(given, Sequence) else [given]
    return numbers * sides if len(numbers) == 1 else numbers


def normalise(trace: Trace, a: Arguments) -> Any:
    """A batch norm by its running statistics."""
    value = value_in(trace, a, "input")
    if a.get("training") or a.get("running_mean") is None or a.get("running_var") is None:
        raise trace.refuse(
            "keeps no running statistics (track_running_stats=False), so its output depends on the batch and it is no "
            "fixed function.",
            "Train it with track_running_stats=True.",
        )
    if value.batch not in (0, None) or len(value.shape) < 2 or value.shape[0] != 1:
        raise trace.mixes()
    mean, variance, weight, bias = (
        None if a.get(name) is None else trace.numbers(a[name], name)
        for name in ("running_mean", "running_var", "weight", "bias")
    )
    flow = build.reshape(value.flow, value.shape[1], -1)
    normal = build.batch_norm(flow, mean, variance, weight, bias, a["eps"], name=trace.label)  # type: ignore[arg-type]
    made = Value(build.flatten(normal), value.shape, value.batch)
    return [made, None, None, None, None]


def normalise_alone(trace: Trace, a: Arguments) -> Any:
    """`batch_norm`, which gives no statistics beside its result."""
    return normalise(trace, a)[0]


# Means and sums.


def reduced_axes(trace: Trace, value: Value, given: Any) -> list[int]:
    """The axes that a reduction takes away; all of them where none is named. Refuses the batch's."""
    rank = len(value.shape)
    axes = [given] if isinstance(given, int) else list(range(rank)) if given is None or not len(given) else given
    kept = sorted({trace.axis(axis, rank) for axis in axes})
    if value.batch in kept:
        raise trace.mixes("reduces over the batch")
    return kept


def reduction(trace: Trace, value: Value, axes: list[int], keepdim: bool) -> tuple[Integers, Shape, int | None]:
    """Places (results, terms) that each result of a reduction takes, the shape of the results, and the batch's axis."""
    kept = [axis for axis in range(len(value.shape)) if axis not in axes]
    rows = places(value).transpose([*kept, *axes]).reshape(math.prod(value.shape[axis] for axis in kept), -1)
    batch = value.batch
    if keepdim:
        return rows, tuple(1 if axis in axes else side for axis, side in enumerate(value.shape)), batch
    return rows, tuple(value.shape[axis] for axis in kept), None if batch is None else kept.index(batch)


def mean(trace: Trace, a: Arguments) -> Value:
    """Means over axes: sums, divided by whole numbers."""
    value = a["self"]
    rows, shape, batch = reduction(trace, value, reduced_axes(trace, value, a.get("dim")), a.get("keepdim", False))
    flow = build.flatten(value.flow)
    if not (rows.reshape(-1) == np.arange(flow.size)).all():
        flow = trace.sum_of([(flow, Select(rows.reshape(-1), flow.size))], (flow.size,), None).flow
    made = build.average_pool(build.reshape(flow, *rows.shape), rows.shape[1], name=trace.label)
    return Value(build.flatten(made), shape, batch)


def summation(trace: Trace, a: Arguments) -> Value:
    """Sums over axes."""
    value = a["self"]
    rows, shape, batch = reduction(trace, value, reduced_axes(trace, value, a.get("dim")), a.get("keepdim", False))
    columns = np.sort(rows, axis=1).reshape(*shape, -1)
    return products(trace, value, columns, np.ones(1), shape, batch)


def average_pool(trace: Trace, a: Arguments) -> Value:
    """avg_pool1d, avg_pool2d, avg_pool3d."""
    value, sides = a["self"], int(trace.call.name[-2])
    if a.get("divisor_override") is not None:
        raise trace.refuse("has divisor_override, which is not read.", "Leave it out, and scale after it.")
    flow, lead, batch = image_of(trace, value, sides + 1)
    made = build.average_pool(
        flow,
        one_a_side(a["kernel_size"], sides),
        stride=one_a_side(a["stride"] or a["kernel_size"], sides),
        padding=one_a_side(a["padding"], sides),
        count_include_pad=a["count_include_pad"],
        ceil_mode=a["ceil_mode"],
        name=trace.label,
    )
    return Value(made, (*lead, *made.shape), batch)


def adaptive_average_pool(trace: Trace, a: Arguments) -> Value:
    """Means over windows that are as even as the sides allow."""
    value, sides = a["self"], int(trace.call.name[-2])
    flow, lead, batch = image_of(trace, value, sides + 1)
    wanted = one_a_side(a["output_size"], sides)
    if all(side % count == 0 for side, count in zip(flow.shape[1:], wanted, strict=True)):
        kernel = [side // count for side, count in zip(flow.shape[1:], wanted, strict=True)]
        made = build.average_pool(flow, kernel, name=trace.label)
        return Value(made, (*lead, *made.shape), batch)
    windows = adaptive_windows(flow.shape, wanted)
    columns = np.concatenate(windows)
    starts = np.cumsum([0, *map(len, windows)])
    matrix = as_sparse(np.ones(len(columns)), columns, starts, (len(windows), flow.size))
    shape = (*lead, flow.shape[0], *wanted)
    sums = trace.sum_of([(flow, Sparse(matrix))], shape, batch)
    return divided(trace, sums, np.array([len(window) for window in windows], dtype=np.float64).reshape(shape))


def adaptive_windows(shape: Shape, wanted: Sequence[int]) -> list[Integers]:
    """The places that each adaptive window sees: from floor(i n / m) to ceil((i + 1) n / m) along a side."""
    where = np.arange(math.prod(shape)).reshape(shape)
    windows = [where[channel] for channel in range(shape[0])]
    for axis, count in enumerate(wanted):
        side = shape[axis + 1]
        windows = [
            np.take(window, range(i * side // count, -(-(i + 1) * side // count)), axis=axis)
            for window in windows
            for i in range(count)
        ]
    return [window.reshape(-1) for window in windows]


# Arguments.


def places(value: Value) -> Integers:
    """The number of each place, from 0, in the value's shape."""
    return np.arange(math.prod(value.shape)).reshape(value.shape)


def value_in(trace: Trace, a: Arguments, name: str) -> Value:
    """An argument that must be a value."""
    given = a[name]
    if not isinstance(given, Value):
        raise trace.refuse("has a weight that depends on the input, which is not piecewise linear.")
    return given


def constant(trace: Trace, a: Arguments, name: str) -> Any:
    """An argument that must be a constant."""
    if isinstance(a[name], Value):
        raise product_of_flows(trace)
    return a[name]


Handler = Callable[[Trace, Arguments], Any]
LINEAR: dict[str, Handler] = {
    "linear": linear,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv"), matmul),
    **dict.fromkeys(("addmm", "baddbmm"), addmm),
    "einsum": einsum,
    "add": add,
    "sub": subtract,
    "subtract": subtract,
    "rsub": subtract_from,
    **dict.fromkeys(("mul", "multiply"), multiply),
    **dict.fromkeys(("div", "divide", "true_divide"), divide),
    **dict.fromkeys(("neg", "negative"), negate),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution"), convolve),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), convolve_transposed),
    "batch_norm": normalise_alone,
    **dict.fromkeys(
        ("_native_batch_norm_legit_no_training", "_native_batch_norm_legit", "native_batch_norm", "cudnn_batch_norm"),
        normalise,
    ),
    "mean": mean,
    "sum": summation,
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), average_pool),
    **dict.fromkeys(
        (
            "adaptive_avg_pool1d",
            "adaptive_avg_pool2d",
            "adaptive_avg_pool3d",
            "_adaptive_avg_pool2d",
            "_adaptive_avg_pool3d",
        ),
        adaptive_average_pool,
    ),
}
