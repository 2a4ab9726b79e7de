"""Torch operators that are linear in the values of a program, as flows of `creases.build`.

Numbers of a module are never multiplied or added here: matrices, kernels and divisors become part of the network as the
module has them. A product with a matrix along one of several axes is a sparse matrix in which its numbers are repeated.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from creases import build
from creases.errors import NetworkError, NotEnoughMemoryError
from creases.network.builder.exact import exact_product
from creases.network.builder.flows import Flow
from creases.network.builder.linear import rows_of
from creases.network.operators import Scale, Select
from creases.readers.torch.graph import Arguments, Floats, Handler, Integers, Shape, TorchValue, Trace, aligned

__all__ = ["LINEAR", "affine", "constant", "divided", "places", "products", "spread", "summed", "value_in"]

MOST_PRODUCTS = 2**28


# Products.


def linear(trace: Trace, a: Arguments) -> TorchValue:
    """x @ weight.T + bias along the last axis."""
    return along_last(trace, value_in(trace, a, "input"), trace.numbers(constant(trace, a, "weight")), a["bias"])


def along_last(trace: Trace, value: TorchValue, weight: Floats, bias: Any) -> TorchValue:
    """weight @ x along the last axis, for each index of the other axes; weight has the shape (m, k)."""
    if value.batch == len(value.shape) - 1:
        raise trace.mixes()
    if weight.ndim == 1:  # a Linear with one output may be stored as a vector
        weight = weight[None, :]
    shape = (*value.shape[:-1], len(weight))
    if math.prod(shape) == len(weight):
        biases = None if bias is None else np.broadcast_to(trace.numbers(bias, "bias"), shape).reshape(-1)
        return TorchValue(build.dense(build.flatten(value.flow), weight, biases, name=trace.label), shape, value.batch)
    columns = places(value)[..., None, :]
    return products(trace, value, columns, weight, shape, value.batch, bias)


def products(
    trace: Trace,
    value: TorchValue,
    columns: Integers,
    weight: Floats,
    shape: Shape,
    batch: int | None,
    bias: Any = None,
) -> TorchValue:
    """Sums of products over the last axis: values at the indices `columns` times `weight`; both broadcast to (*shape,
    terms).

    Raises NotEnoughMemoryError if there are more than MOST_PRODUCTS products.
    """
    terms = columns.shape[-1]
    full = (*shape, terms)
    if math.prod(full) > MOST_PRODUCTS:
        raise NotEnoughMemoryError(
            f"{trace.program.source}: {trace.call.told} is a sparse matrix of {math.prod(full):,} numbers; "
            f"{MOST_PRODUCTS:,} are allowed."
        )
    data = np.broadcast_to(weight, full).reshape(-1)
    where = np.broadcast_to(columns, full).reshape(-1)
    operator = rows_of(where, data, np.full(math.prod(shape), terms), value.flow.size)
    biases = None if bias is None else np.broadcast_to(trace.numbers(bias, "bias"), shape)
    return trace.sum_of([(value.flow, operator)], shape, batch, biases)


def matmul(trace: Trace, a: Arguments) -> TorchValue:
    """A product with a constant on either side; broadcasts as torch.matmul does."""
    first, second = (a["self"], a.get("other", a.get("mat2", a.get("vec"))))
    if isinstance(first, TorchValue) and isinstance(second, TorchValue):
        raise product_of_flows(trace)
    return product(trace, first, second, None)


def addmm(trace: Trace, a: Arguments) -> TorchValue:
    """beta * self + alpha * (first @ second), where only one of the three is a value."""
    first, second = (a[name] for name in (("mat1", "mat2") if "mat1" in a else ("batch1", "batch2")))
    if isinstance(first, TorchValue) and isinstance(second, TorchValue):
        raise product_of_flows(trace)
    plain = a.get("beta", 1) == 1 and a.get("alpha", 1) == 1
    if plain and not isinstance(a["self"], TorchValue):
        return product(trace, first, second, a["self"])
    if not isinstance(first, TorchValue) and not isinstance(second, TorchValue):
        raise trace.refuse("adds a value to a product of constants with factors, which is not read.")
    made = affine(trace, product(trace, first, second, None), a.get("alpha", 1))
    return summed(trace, made, a["self"], a.get("beta", 1))


def product(trace: Trace, first: Any, second: Any, bias: Any) -> TorchValue:
    """first @ second (+ bias), one of them a value and the other a constant."""
    if isinstance(first, TorchValue):
        weight = trace.numbers(second)
        if weight.ndim == 1:
            made = along_last(trace, first, weight[None, :], bias)
            return TorchValue(made.flow, made.shape[:-1], made.batch)
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


def einsum(trace: Trace, a: Arguments) -> TorchValue:
    """A product of a value and one constant, by letters. (torch's own decomposition of einsum sums over a batch of
    one.)"""
    operands = a["tensors"]
    if len(operands) != 2 or sum(isinstance(part, TorchValue) for part in operands) == 2:
        raise product_of_flows(trace) if len(operands) == 2 else trace.refuse("joins more than two, which is not read.")
    inputs, _arrow, output = a["equation"].replace(" ", "").partition("->")
    letters = inputs.split(",")
    if not _arrow or "." in inputs or any(len(set(part)) < len(part) for part in (*letters, output)):
        raise trace.refuse("has dots, a letter twice, or no '->', which is not read. Write out all axes.")
    (own, value), (others, numbers) = sorted(
        zip(letters, operands, strict=True), key=lambda pair: not isinstance(pair[1], TorchValue)
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
    """The error for an operation that is quadratic in the input."""
    return trace.refuse(
        "multiplies two values that both depend on the input (attention, gating, a squared norm), which is not "
        "piecewise linear."
    )


# Sums, factors, shifts.


def add(trace: Trace, a: Arguments) -> TorchValue:
    """self + alpha * other."""
    return summed(trace, a["self"], a["other"], a.get("alpha", 1))


def subtract(trace: Trace, a: Arguments) -> TorchValue:
    """self - alpha * other."""
    return summed(trace, a["self"], a["other"], -trace.number(a.get("alpha", 1), "alpha"))


def subtract_from(trace: Trace, a: Arguments) -> TorchValue:
    """other - alpha * self."""
    return summed(trace, a["other"], a["self"], -trace.number(a.get("alpha", 1), "alpha"))


def summed(trace: Trace, first: Any, second: Any, alpha: Any) -> TorchValue:
    """first + alpha * second; at least one of them is a value, and both broadcast."""
    factor = trace.number(alpha, "alpha")
    values = [part for part in (first, second) if isinstance(part, TorchValue)]
    shape = np.broadcast_shapes(
        *(part.shape if isinstance(part, TorchValue) else np.shape(part) for part in (first, second))
    )
    batch = aligned(trace, values[0], shape, values[-1])
    terms: list[tuple[Flow, Any]] = []
    bias: Floats | None = None
    for part, by in ((first, 1.0), (second, factor)):
        if isinstance(part, TorchValue):
            flow = spread(trace, part, shape)
            terms.append((flow, Select.all(flow.size) if by == 1.0 else Scale(np.full(flow.size, by))))
        else:
            numbers = np.broadcast_to(trace.numbers(part), shape)
            bias = exact_product(numbers, by)
            if bias is None:  # the product becomes a level of its own
                terms.append((trace.sum_of([], shape, None, numbers).flow, Scale(np.full(numbers.size, by))))
    return trace.sum_of(terms, shape, batch, bias)


def spread(trace: Trace, value: TorchValue, shape: Shape) -> Flow:
    """The flow of a value broadcast to a shape, flat."""
    if value.shape == shape or math.prod(shape) == value.flow.size:
        return build.flatten(value.flow)
    where = np.broadcast_to(places(value), shape).reshape(-1)
    return trace.sum_of([(value.flow, Select(where, value.flow.size))], shape, None).flow


def multiply(trace: Trace, a: Arguments) -> TorchValue:
    """A value times constants."""
    first, second = a["self"], a["other"]
    if isinstance(first, TorchValue) and isinstance(second, TorchValue):
        raise product_of_flows(trace)
    return affine(trace, *((first, second) if isinstance(first, TorchValue) else (second, first)))


def affine(trace: Trace, value: TorchValue, factors: Any) -> TorchValue:
    """A value times one number, or times numbers that broadcast."""
    numbers = trace.numbers(factors)
    shape = np.broadcast_shapes(value.shape, numbers.shape)
    batch = aligned(trace, value, shape)
    flow = spread(trace, value, shape)
    if (numbers == 1.0).all():
        return TorchValue(flow, shape, batch)
    scales = Scale(np.ascontiguousarray(np.broadcast_to(numbers, shape)).reshape(-1))
    return trace.sum_of([(flow, scales)], shape, batch)


def divide(trace: Trace, a: Arguments) -> TorchValue:
    """A value divided by constants."""
    if isinstance(a["other"], TorchValue):
        raise trace.refuse("divides by a value that depends on the input, which is not piecewise linear.")
    if a.get("rounding_mode") is not None:
        raise trace.refuse("rounds, which is not piecewise linear.")
    return divided(trace, a["self"], trace.numbers(a["other"]))


def divided(trace: Trace, value: TorchValue, numbers: Floats) -> TorchValue:
    """A value divided by one number, or by numbers that broadcast. Raises NetworkError if one is zero."""
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
        return affine(trace, TorchValue(flow, shape, batch), 1.0 / numbers)
    made = build.divide(flow, np.ascontiguousarray(np.broadcast_to(numbers, shape)).reshape(-1), name=trace.label)
    return TorchValue(build.flatten(made), shape, batch)


def negate(trace: Trace, a: Arguments) -> TorchValue:
    """-x."""
    return affine(trace, a["self"], -1.0)


# Arguments.


def places(value: TorchValue) -> Integers:
    """The index of each entry, from 0, as an array of the value's shape."""
    return np.arange(math.prod(value.shape)).reshape(value.shape)


def value_in(trace: Trace, a: Arguments, name: str) -> TorchValue:
    """An argument that must be a value. Raises UnsupportedModelError if it is a constant."""
    given = a[name]
    if not isinstance(given, TorchValue):
        raise trace.refuse("has a weight that depends on the input, which is not piecewise linear.")
    return given


def constant(trace: Trace, a: Arguments, name: str) -> Any:
    """An argument that must be a constant. Raises UnsupportedModelError if it is a value."""
    if isinstance(a[name], TorchValue):
        raise product_of_flows(trace)
    return a[name]


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
}
