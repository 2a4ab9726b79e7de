"""Sums, products with constants and means of an `.onnx` graph as linear levels. Nothing is folded where that rounds.

Decides which of them are linear maps of one input. A product with a matrix is a dense level where it acts on one
vector, else a sparse one; a factor is put into a weight only if every product is a float64 (one of two float32 always
is), and a level of its own otherwise; a quotient is a division by the number as it is stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from creases.network import builder as build
from creases.network.builder.flows import Flow, total
from creases.network.operators import AveragePool, Dense, Divide, Operator, Scale, Select, Sparse
from creases.network.operators.operator import Floats, Integers
from creases.readers.onnx_values import FIXED_BATCH, Array, Node, Value, places_of, selected, shaped, spread_to

__all__ = [
    "add",
    "batch_normalization",
    "constant_flow",
    "divide",
    "gemm",
    "joined",
    "matmul",
    "multiply",
    "negate",
    "negative",
    "reduce_mean",
    "reduce_sum",
    "reduced",
    "rows_of",
    "shifted",
    "subtract",
]

# Products between these are exact if the error below says so: nothing underflows in working it out.
SMALLEST, LARGEST = 2.0**-400, 2.0**400
SPLITTER = 2.0**27 + 1


# Number by number.


def add(node: Node) -> Value:
    """Add and Sum: of flows and constants."""
    return summed(node, [1.0] * len(node.inputs))


def subtract(node: Node) -> Value:
    """Sub: the first less the second."""
    node.given(1)
    return summed(node, [1.0, -1.0])


def summed(node: Node, signs: list[float]) -> Value:
    """The sum of all inputs, each with its sign."""
    if len(node.inputs) != len(signs) or any(given is None for given in node.inputs):
        node.damaged("needs two inputs.")
    shape = node.joint_shape()
    if len(signs) == 2 and node.op != "Sum":
        node.given(1)
    terms: list[tuple[Flow, Operator]] = []
    batch = None
    for place, sign in enumerate(signs):
        given = node.given(place)
        if isinstance(given, Value):
            term = spread_to(node, given, shape)
            batch = term.batch if batch is None else batch
            terms.append((term.flow, Select.all(term.size) if sign > 0 else Scale(np.full(term.size, -1.0))))
    if len(terms) > 1 or isinstance(terms[0][1], Scale):
        value = Value(total(terms, shape, node.label, None, node.name), batch)
    else:
        value = Value(Flow(shape, terms[0][0].node), batch)
    for place, sign in enumerate(signs):
        given = node.given(place)
        if not isinstance(given, Value):
            value = shifted(node, value, sign * spread(node, given, shape))
    return value


def spread(node: Node, values: Array, shape: tuple[int, ...]) -> Floats:
    """Constants of a network, repeated to a shape that they fit, flat."""
    return np.broadcast_to(node.real(values), shape).reshape(-1)


def shifted(node: Node, value: Value, numbers: Floats) -> Value:
    """A flow plus a constant for each of its numbers; zeros change nothing."""
    if not numbers.any():
        return value
    node.room(value.shape)
    flow = total([(value.flow, Select.all(value.size))], value.shape, node.label, numbers, node.name)
    return Value(flow, value.batch)


def scaled(node: Node, value: Value, factors: Floats) -> Value:
    """A flow times a constant for each of its numbers; ones change nothing."""
    if (factors == 1.0).all():
        return value
    node.room(value.shape)
    return Value(total([(value.flow, Scale(factors))], value.shape, node.label, None, node.name), value.batch)


def negative(node: Node, value: Value) -> Value:
    """All signs turned."""
    return scaled(node, value, np.full(value.size, -1.0))


def negate(node: Node) -> Value:
    """Neg."""
    return negative(node, node.flow())


def factor_and_flow(node: Node, what: str) -> tuple[Value, Floats]:
    """The flow among two inputs, and the other as constants, both of their joint shape."""
    places = [place for place in (0, 1) if isinstance(node.given(place), Value)]
    if len(places) != 1:
        node.refuse(f"{what}, which is not piecewise linear.")
    shape = node.joint_shape()
    value = spread_to(node, node.flow(places[0]), shape)
    return value, spread(node, node.constant(1 - places[0], "factor"), shape)


def multiply(node: Node) -> Value:
    """Mul: by constants."""
    return scaled(node, *factor_and_flow(node, "multiplies two values that both depend on the input"))


def divide(node: Node) -> Value:
    """Div: by constants, as they are stored."""
    if isinstance(node.given(1), Value):
        node.refuse("divides by a value that depends on the input, which is not piecewise linear.")
    value, numbers = factor_and_flow(node, "divides two values")
    if not numbers.all():
        node.damaged("divides by zero.")
    return divided(node, value, numbers)


def divided(node: Node, value: Value, numbers: Floats) -> Value:
    """A flow divided by a constant for each of its numbers; ones change nothing."""
    if (numbers == 1.0).all():
        return value
    node.room(value.shape, 2)
    return Value(total([(value.flow, Divide(numbers))], value.shape, node.label, None, node.name), value.batch)


def constant_flow(node: Node, value: Value, numbers: Floats, shape: tuple[int, ...]) -> Value:
    """Constants as if they came from a flow, all of whose numbers are multiplied by zero."""
    node.room(shape)
    nothing = Select(np.full(numbers.size, -1), value.size)
    return Value(total([(value.flow, nothing)], shape, node.label, numbers.reshape(-1), node.name))


def joined(node: Node, first: Value, function: Callable[[list[Array]], Array], begin: int = 0) -> Value:
    """What a function makes of all inputs from `begin` on if it only moves their numbers; constants become biases.

    first : the flow whose batch axis is followed.
    """
    givens = [node.given(place) for place in range(begin, len(node.inputs))]
    ends = np.cumsum([given.size for given in givens])
    # Every number of every input has a code of its own.
    starts = ends - [given.size for given in givens]
    codes = function(
        [np.arange(start, end).reshape(given.shape) for given, start, end in zip(givens, starts, ends, strict=True)]
    )
    if codes.size == 0:
        node.refuse("leaves nothing.")
    node.room(codes.shape, len(givens))
    flat = codes.reshape(-1)
    terms: list[tuple[Flow, Operator]] = []
    bias = np.zeros(flat.size)
    for given, start, end in zip(givens, starts, ends, strict=True):
        here = (flat >= start) & (flat < end)
        if isinstance(given, Value):
            terms.append((given.flow, Select(np.where(here, flat - start, -1), given.size)))
        else:
            bias[here] = node.real(given).reshape(-1)[flat[here] - start]
    batch = None if first.batch is None else first.batch + codes.ndim - len(first.shape)
    flow = total(terms, codes.shape, node.label, bias if bias.any() else None, node.name)
    return Value(flow, batch)


# By matrices.


def matmul(node: Node) -> Value:
    """MatMul: x @ W or W @ x, as NumPy has it."""
    left = isinstance(node.given(0), Value)
    if left and isinstance(node.given(1), Value):
        node.refuse("multiplies two values that both depend on the input, which is not piecewise linear.")
    value, weight = node.flow(0 if left else 1), node.real(node.constant(1 if left else 0, "weight"), "weight")
    return product(node, value, weight, left)


def gemm(node: Node) -> Value:
    """Gemm: alpha A' @ B' + beta C, where ' transposes if so told."""
    left = isinstance(node.given(0), Value)
    if isinstance(node.given(1), Value) == left:
        node.refuse("needs a constant factor beside what flows.")
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    value, weight = node.flow(0 if left else 1), node.real(node.constant(1 if left else 0, "weight"), "weight")
    if len(value.shape) != 2 or weight.ndim != 2:
        node.refuse(f"needs two axes, not shapes {value.shape} and {weight.shape}; put a Flatten before it.")
    turn_a, turn_b = (node.flag(name, 0) for name in ("transA", "transB"))
    if turn_a if left else turn_b:
        batch = None if value.batch is None else 1 - value.batch
        value = selected(node, value, places_of(value).T, batch)
    if turn_b if left else turn_a:
        weight = weight.T
    result = product(node, value, weight, left, alpha)
    if not node.has(2) or beta == 0.0:
        return result
    other = node.given(2)
    try:
        fits = np.broadcast_shapes(other.shape, result.shape) == result.shape
    except ValueError:
        fits = False
    if not fits:
        node.damaged(f"adds shape {other.shape} to {result.shape}, which it does not fit.")
    if isinstance(other, Value):
        other = spread_to(node, other, result.shape)
        if beta != 1.0:
            other = scaled(node, other, np.full(other.size, beta))
        terms: list[tuple[Flow, Operator]] = [(part.flow, Select.all(part.size)) for part in (result, other)]
        return Value(total(terms, result.shape, node.label, None, node.name), result.batch)
    numbers = spread(node, other, result.shape)
    bias = exact_product(numbers, beta)
    if bias is not None:
        return shifted(node, result, bias)
    # A product that float64 does not hold: the constant becomes a level of its own, and the factor its operator.
    whole = constant_flow(node, value, numbers, result.shape)
    terms = [(result.flow, Select.all(result.size)), (whole.flow, Scale(np.full(whole.size, beta)))]
    return Value(total(terms, result.shape, node.label, None, node.name), result.batch)


def product(node: Node, value: Value, weight: Floats, left: bool, alpha: float = 1.0) -> Value:
    """What flows times a matrix, or one matrix for each of some axes; `left` if the flow stands on the left."""
    places = places_of(value)
    if places.ndim == 0 or weight.ndim == 0 or weight.size == 0:
        node.damaged(f"multiplies shapes {value.shape} and {weight.shape}; both need an axis that is not empty.")
    # As NumPy does: a vector on the left is a row, one on the right a column, and that axis goes again at the end.
    vector, plain = places.ndim == 1, weight.ndim == 1
    if vector:
        places = places[None, :] if left else places[:, None]
    if plain:
        weight = weight[:, None] if left else weight[None, :]
    if not left:
        places = places.swapaxes(-1, -2)
    numbers = weight.swapaxes(-1, -2) if left else weight
    rows, k, n = places.shape[-2], places.shape[-1], numbers.shape[-2]
    try:
        ahead = np.broadcast_shapes(places.shape[:-2], numbers.shape[:-2])
    except ValueError:
        ahead = (-1,)
    if numbers.shape[-1] != k or ahead == (-1,):
        node.refuse(
            f"multiplies shape {value.shape} by a weight of shape {weight.shape}, which do not fit. {FIXED_BATCH}"
        )
    batch = followed_batch(node, value, vector, left, len(ahead), places.ndim - 2)
    # The result's last two axes: (rows, n) of a flow on the left, (n, rows) of one on the right.
    shape = (*ahead, rows, n) if left else (*ahead, n, rows)
    node.room(shape)
    if value.size == k and math.prod(ahead) == 1:
        operator, factor = dense(numbers.reshape(n, k), alpha)
    else:
        node.room([math.prod(shape), k], 3)
        across = (*ahead, *((rows, n) if left else (n, rows)), k)
        columns = np.broadcast_to(places[..., :, None, :] if left else places[..., None, :, :], across)
        entries = np.broadcast_to(numbers[..., None, :, :] if left else numbers[..., :, None, :], across)
        operator, factor = sparse(entries.reshape(-1, k), columns.reshape(-1, k), value.size, alpha)
    if vector:
        shape = (*ahead, n)
    if plain:
        shape = (*ahead, rows) if not vector else ahead
    result = Value(total([(value.flow, operator)], shape, node.label, None, node.name), batch)
    return result if factor == 1.0 else scaled(node, result, np.full(result.size, factor))


def followed_batch(node: Node, value: Value, vector: bool, left: bool, rank: int, own: int) -> int | None:
    """Where the batch axis is after a product. Raises UnsupportedModelError if inputs are mixed, or are several."""
    if value.batch is None:
        return None
    last = len(value.shape) - 1
    summed = last if left or vector else last - 1
    if value.batch == summed:
        if not node.context.several:
            node.refuse("adds up along the batch axis, so that several inputs at once are mixed.")
        return None
    if node.context.several:
        node.refuse(
            f"acts on each of the {value.shape[value.batch]} entries of the first axis of {value.shape} alone, as on a "
            f"batch of inputs. {FIXED_BATCH}"
        )
    return value.batch + rank - own


def dense(weight: Floats, alpha: float) -> tuple[Operator, float]:
    """A matrix times a factor, and the factor where that would round."""
    whole = exact_product(weight, alpha)
    return (Dense(weight), alpha) if whole is None else (Dense(whole), 1.0)


def sparse(entries: Floats, columns: Integers, n_in: int, alpha: float) -> tuple[Operator, float]:
    """Rows of as many entries, at these columns, times a factor; the factor where that would round."""
    whole = exact_product(entries, alpha)
    numbers = entries if whole is None else whole
    operator = rows_of(columns.reshape(-1), numbers.reshape(-1), np.full(len(entries), entries.shape[1]), n_in)
    return operator, (alpha if whole is None else 1.0)


def rows_of(columns: Integers, numbers: Array, counts: Integers, n_in: int) -> Sparse:
    """The operator whose rows have these numbers at these columns, one row after the other, so many each."""
    from scipy.sparse import csr_array

    starts = np.concatenate(([0], np.cumsum(counts)))
    return Sparse(csr_array((numbers.astype(np.float64), columns, starts), shape=(len(counts), n_in)))


def exact_product(values: Floats, factor: float) -> Floats | None:
    """values * factor if float64 holds every product, else None (Dekker's product leaves no error)."""
    if factor in (1.0, -1.0):
        return values * factor
    if factor == 0.0:
        return np.zeros_like(values)
    sizes = np.abs(values[values != 0.0])
    if not SMALLEST <= abs(factor) <= LARGEST or (sizes.size and not SMALLEST <= sizes.min() <= sizes.max() <= LARGEST):
        return None
    result = values * factor
    high, factor_high = upper_half(values), upper_half(factor)
    low, factor_low = values - high, factor - factor_high
    error = ((high * factor_high - result) + high * factor_low + low * factor_high) + low * factor_low
    return result if not error.any() else None


def upper_half(value: Any) -> Any:
    """The upper 26 bits of a float64 (Veltkamp's splitting)."""
    large = SPLITTER * value
    return large - (large - value)


def batch_normalization(node: Node) -> Value:
    """BatchNormalization in evaluation: a scale and a shift for each channel, the second axis."""
    if node.flag("training_mode", 0) or node.outputs > 1:
        node.refuse("is in training mode; export the model in evaluation mode.")
    if node.whole("spatial", 1) != 1:
        node.refuse("has its statistics for each place apart (spatial=0), which is not read.")
    value = node.flow()
    if len(value.shape) < 2 or value.shape[0] != 1:
        node.refuse(f"needs shape (1, channels, ...), not {value.shape}. {FIXED_BATCH}")
    weight, bias, mean, variance = (
        node.real(node.constant(place, what), what)
        for place, what in ((1, "scale"), (2, "bias"), (3, "mean"), (4, "variance"))
    )
    node.room(value.shape, 4)
    inner = Flow(value.shape[1:], value.flow.node)
    flow = build.batch_norm(inner, mean, variance, weight, bias, node.number("epsilon", 1e-5), name=node.name)
    return Value(Flow(value.shape, flow.node), value.batch)


# Along axes.


def reduced(node: Node) -> tuple[Value, Integers, tuple[int, ...], int | None]:
    """The flow of a Reduce or a global pool; the places of each result's numbers, (results, numbers); its shape.

    Last comes where the batch axis is then. Raises UnsupportedModelError if it is one of those that are reduced.
    """
    value = node.flow()
    rank = len(value.shape)
    if node.op.startswith("Global"):
        if rank < 3:
            node.damaged(f"needs shape (1, channels, side, ...), not {value.shape}.")
        axes, keep = list(range(2, rank)), True
    else:
        wanted, keep = node.integers(1, "axes"), node.flag("keepdims", 1)
        if not wanted and node.flag("noop_with_empty_axes", 0):
            axes = []
        else:
            axes = node.axes(wanted or list(range(rank)), rank)
    if value.batch in axes and not node.context.several:
        node.refuse("reduces the batch axis, so that several inputs at once are mixed.")
    others = [axis for axis in range(rank) if axis not in axes]
    count = math.prod(value.shape[axis] for axis in axes)
    node.room(value.shape, 2)
    places = places_of(value).transpose(*others, *axes).reshape(-1, count)
    shape = tuple(1 if axis in axes else side for axis, side in enumerate(value.shape) if keep or axis not in axes)
    batch = value.batch
    if batch in axes:
        batch = None
    elif batch is not None and not keep:
        batch = others.index(batch)
    return value, places, shape, batch


def reduce_sum(node: Node) -> Value:
    """ReduceSum: along some axes, all where none is named."""
    value, places, shape, batch = reduced(node)
    if places.shape[1] == 1:
        return shaped(value, shape, batch)
    operator, _ = sparse(np.ones(places.shape), places, value.size, 1.0)
    return Value(total([(value.flow, operator)], shape, node.label, None, node.name), batch)


def reduce_mean(node: Node) -> Value:
    """ReduceMean and GlobalAveragePool: sums that are divided by a whole number."""
    value, places, shape, batch = reduced(node)
    results, count = places.shape
    if count == 1:
        return shaped(value, shape, batch)
    row = selected(node, value, places, None)
    operator = AveragePool(count, (results, count))
    return Value(total([(row.flow, operator)], shape, node.label, None, node.name), batch)
