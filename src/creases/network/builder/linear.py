"""Linear layers: dense, convolutions, average pools, batch norms, sums of flows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from creases.errors import NetworkError
from creases.network.builder.exact import batch_norm_numbers
from creases.network.builder.flows import Flow, checked, several, total
from creases.network.builder.numbers import spread
from creases.network.operators import AveragePool, Conv, ConvTranspose, Dense, Divide, Operator, Scale, Select, Sparse
from creases.network.operators.operator import Integers, as_finite

__all__ = [
    "add",
    "average_pool",
    "batch_norm",
    "conv",
    "conv_transpose",
    "dense",
    "divide",
    "global_average_pool",
    "linear_combination",
    "rows_of",
    "scale",
    "shift",
    "sparse",
    "subtract",
]

BATCH_NORM_NOTE = (
    "A batch norm's scale, weight / sqrt(variance + eps), is no float64: the network's is the nearest one. "
    "Nothing else of it is rounded."
)


def apply(flow: Flow, operator: Operator, what: str, bias: Any = None, name: str = "", shape: Any = None) -> Flow:
    """One operator applied to one flow, with a bias in a form that `spread` accepts."""
    result = operator.output_shape if shape is None else shape
    biases = None if bias is None else spread(bias, result, f"build.{what}: bias")
    return total([(flow, operator)], result, f"build.{what}", biases, name)


def dense(x: Flow, weight: ArrayLike, bias: ArrayLike | None = None, *, name: str = "") -> Flow:
    """A dense layer, weight @ x + bias, on the values of x, flat in C order; the result has shape (n_out,).

    weight : (n_out, n_in). bias : (n_out,), or None for zeros.
    Raises NetworkError if the weight does not have one column per value of x.
    """
    flow, operator = checked(x, "build.dense"), Dense(weight)  # type: ignore[arg-type]
    fits(flow, operator, "dense")
    return apply(flow, operator, "dense", bias, name)


def sparse(x: Flow, weight: Any, bias: ArrayLike | None = None, *, name: str = "") -> Flow:
    """`dense` with a weight of scipy.sparse, shape (n_out, n_in). Raises NetworkError if shapes do not fit."""
    flow, operator = checked(x, "build.sparse"), Sparse(weight)
    fits(flow, operator, "sparse")
    return apply(flow, operator, "sparse", bias, name)


def rows_of(columns: Integers, numbers: ArrayLike, counts: Integers, n_in: int) -> Sparse:
    """The operator with these rows: numbers at these columns, row after row, with `counts` entries each.

    columns, numbers : (terms,). counts : (n_out,), with the sum `terms`.
    Raises NetworkError if a row has a column twice, or a column out of range.
    """
    from scipy.sparse import csr_array

    starts = np.concatenate(([0], np.cumsum(counts)))
    return Sparse(csr_array((np.asarray(numbers, dtype=np.float64), columns, starts), shape=(len(counts), n_in)))


def fits(flow: Flow, operator: Operator, what: str) -> None:
    """Raise NetworkError unless a matrix has one column per value."""
    if operator.n_in != flow.size:
        raise NetworkError(
            f"build.{what}: weight has {operator.n_in} columns, but {flow!r} has {flow.size} values. Weights have "
            "shape (n_out, n_in)."
        )


def conv(
    x: Flow,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    name: str = "",
) -> Flow:
    """A convolution of one, two or three dimensions; x has shape (in, *sides), the result (out, *sides).

    weight : (out, in / groups, *kernel), as in torch. bias : (out,), or None for zeros.
    stride, padding, dilation, groups : as for `creases.network.Conv`.
    Raises NetworkError if shapes do not fit or the kernel is larger than the padded image.
    """
    flow = checked(x, "build.conv")
    operator = Conv(weight, flow.shape, stride, padding, dilation, groups)  # type: ignore[arg-type]
    return apply(flow, operator, "conv", bias, name)


def conv_transpose(
    x: Flow,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    name: str = "",
) -> Flow:
    """A transposed convolution; x has shape (in, *sides), the result (out, *sides).

    weight : (in, out / groups, *kernel), as in torch. bias : (out,), or None for zeros.
    The other arguments are those of `creases.network.ConvTranspose`. Raises NetworkError if shapes do not fit.
    """
    flow = checked(x, "build.conv_transpose")
    operator = ConvTranspose(weight, flow.shape, stride, padding, output_padding, dilation, groups)  # type: ignore[arg-type]
    return apply(flow, operator, "conv_transpose", bias, name)


def average_pool(
    x: Flow,
    kernel: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = True,
    ceil_mode: bool = False,
    name: str = "",
) -> Flow:
    """Average pooling: means over windows of x, shape (channels, *sides).

    The arguments and errors are those of `creases.network.AveragePool`.
    """
    flow = checked(x, "build.average_pool")
    return apply(
        flow, AveragePool(kernel, flow.shape, stride, padding, count_include_pad, ceil_mode), "average_pool", None, name
    )


def global_average_pool(x: Flow, *, name: str = "") -> Flow:
    """The mean of each channel; x has shape (channels, *sides), the result (channels, 1, ..., 1)."""
    flow = checked(x, "build.global_average_pool")
    return apply(flow, AveragePool(flow.shape[1:], flow.shape), "global_average_pool", None, name)


def batch_norm(
    x: Flow,
    mean: ArrayLike,
    variance: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    name: str = "",
) -> Flow:
    """Batch norm in evaluation mode, (x - mean) / sqrt(variance + eps) * weight + bias, per channel.

    mean, variance, weight, bias : one number per channel (the first axis of x); None is 1 for weight and 0 for bias.
    Shift, scale and bias are separate levels if necessary, so that only the scale is rounded: if weight / sqrt(variance
    + eps) is not a float64, the nearest one is used, and a note says so. If the root is a float64, the division is
    exact.
    Raises NetworkError if a variance + eps is not positive, a number is not finite, or there is not one per channel.
    """
    flow = checked(x, "build.batch_norm")
    channels = flow.shape[:1]
    given = []
    for what, values in (
        ("mean", mean),
        ("variance", variance),
        ("weight", np.ones(channels) if weight is None else weight),
        ("bias", np.zeros(channels) if bias is None else bias),
    ):
        array = as_finite(values, f"build.batch_norm: {what}")
        if array.shape != channels:
            raise NetworkError(
                f"build.batch_norm: {what} must have shape {channels}, one number a channel, got shape {array.shape}."
            )
        given.append(array)
    means, variances, weights, biases = given
    factors, divisors, exact = batch_norm_numbers(variances, weights, eps)
    if means.any():
        flow = shift(flow, 0.0 - means)
    if (divisors != 1.0).any():
        flow = divide(flow, divisors)
    return total(
        [(flow, Scale(spread(factors, flow.shape, "scale")))],
        flow.shape,
        "build.batch_norm",
        spread(biases, flow.shape, "bias"),
        name,
        () if exact else (BATCH_NORM_NOTE,),
    )


def scale(x: Flow, factors: ArrayLike, *, name: str = "") -> Flow:
    """x * factors, elementwise.

    factors : one number, one per channel (the first axis of x), or an array of x's shape. Raises NetworkError if
        they do not fit.
    """
    flow = checked(x, "build.scale")
    return apply(flow, Scale(spread(factors, flow.shape, "build.scale: factors")), "scale", None, name, flow.shape)


def divide(x: Flow, numbers: ArrayLike, *, name: str = "") -> Flow:
    """x / numbers, exactly, elementwise.

    numbers : one number, one per channel (the first axis of x), or an array of x's shape.
    Raises NetworkError if a number is zero, not finite, or too small for `creases.network.Divide`.
    """
    flow = checked(x, "build.divide")
    return apply(flow, Divide(spread(numbers, flow.shape, "build.divide: numbers")), "divide", None, name, flow.shape)


def shift(x: Flow, numbers: ArrayLike, *, name: str = "") -> Flow:
    """x + numbers, elementwise.

    numbers : one number, one per channel (the first axis of x), or an array of x's shape. Raises NetworkError if
        they do not fit.
    """
    flow = checked(x, "build.shift")
    return apply(flow, Select.all(flow.size), "shift", numbers, name, flow.shape)


def add(*flows: Flow, name: str = "") -> Flow:
    """The sum of two or more flows of the same shape. Raises NetworkError if their shapes differ."""
    return combined("add", flows, [None] * len(flows), name)


def subtract(x: Flow, y: Flow, *, name: str = "") -> Flow:
    """x - y for two flows of the same shape. Raises NetworkError if their shapes differ."""
    return combined("subtract", (x, y), [None, -1.0], name)


def linear_combination(flows: Sequence[Flow], factors: Sequence[float], *, name: str = "") -> Flow:
    """The sum of flows of the same shape, each times a factor. Raises NetworkError if shapes or the number of
    factors do not fit.
    """
    kept = several(flows, "build.linear_combination")
    if not isinstance(factors, (Sequence, np.ndarray)) or len(kept) != len(factors):
        raise NetworkError(f"build.linear_combination: {len(kept)} flows need as many factors, got {factors!r}.")
    return combined("linear_combination", kept, factors, name)


def combined(what: str, flows: Sequence[Flow], factors: Sequence[float | None], name: str) -> Flow:
    """A sum of flows, each times a factor; None means without a factor."""
    kept = [checked(flow, f"build.{what}") for flow in flows]
    if not kept:
        raise NetworkError(f"build.{what} needs at least one flow.")
    shapes = [flow.shape for flow in kept]
    if len(set(shapes)) > 1:
        raise NetworkError(f"build.{what} takes flows of one shape, got {' and '.join(map(str, shapes))}.")
    terms: list[tuple[Flow, Operator]] = []
    for flow, factor in zip(kept, factors, strict=True):
        terms.append((flow, Select.all(flow.size) if factor is None else Scale(factor, flow.size)))  # type: ignore[arg-type]
    return total(terms, shapes[0], f"build.{what}", None, name)
