"""Products with matrices in an `.onnx` graph, on either side of a flow, and Gemm's factors.

This module chooses the operator of a product: dense if it acts on one vector, otherwise sparse. A factor is multiplied
into a weight only if every product is a float64 (always true for two float32s), and is a level of its own otherwise.
"""

from __future__ import annotations

import math

import numpy as np

from creases.network.builder.exact import exact_product
from creases.network.builder.flows import Flow, total
from creases.network.builder.linear import rows_of
from creases.network.operators import Dense, Operator, Scale, Select
from creases.network.operators.operator import Floats, Integers
from creases.readers.onnx.linear import constant_flow, scaled, shifted, spread
from creases.readers.onnx.values import FIXED_BATCH, Node, Value, places_of, selected, spread_to

__all__ = ["gemm", "matmul"]


def matmul(node: Node) -> Value:
    """MatMul: x @ W or W @ x, as in NumPy."""
    left = isinstance(node.given(0), Value)
    if left and isinstance(node.given(1), Value):
        node.refuse("multiplies two values that both depend on the input, which is not piecewise linear.")
    value, weight = node.flow(0 if left else 1), node.real(node.constant(1 if left else 0, "weight"), "weight")
    return product(node, value, weight, left)


def gemm(node: Node) -> Value:
    """Gemm: alpha A' @ B' + beta C, where ' is a transposition if the attributes say so."""
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
    if not node.fits(other, result.shape):
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
    # A product is not a float64: the constant becomes a level of its own, with the factor as its operator.
    whole = constant_flow(node, value, numbers, result.shape)
    terms = [(result.flow, Select.all(result.size)), (whole.flow, Scale(np.full(whole.size, beta)))]
    return Value(total(terms, result.shape, node.label, None, node.name), result.batch)


def product(node: Node, value: Value, weight: Floats, left: bool, alpha: float = 1.0) -> Value:
    """A flow times a matrix, or times one matrix for each index of some axes; `left` if the flow is on the left."""
    places = places_of(value)
    if places.ndim == 0 or weight.ndim == 0 or weight.size == 0:
        node.damaged(f"multiplies shapes {value.shape} and {weight.shape}; both need an axis that is not empty.")
    # As in NumPy, a vector on the left is a row and one on the right a column; that axis is removed at the end.
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
    # The result's last two axes: (rows, n) for a flow on the left, (n, rows) for one on the right.
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
    """The batch axis after a product. Raises UnsupportedModelError if the product mixes inputs, or if the batch has a
    fixed length above 1."""
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
    """A matrix times a factor; the factor is returned separately if a product would round."""
    whole = exact_product(weight, alpha)
    return (Dense(weight), alpha) if whole is None else (Dense(whole), 1.0)


def sparse(entries: Floats, columns: Integers, n_in: int, alpha: float) -> tuple[Operator, float]:
    """Sparse rows with their entries at these columns, times a factor; the factor is returned separately if a product
    would round."""
    whole = exact_product(entries, alpha)
    numbers = entries if whole is None else whole
    operator = rows_of(columns.reshape(-1), numbers.reshape(-1), np.full(len(entries), entries.shape[1]), n_in)
    return operator, (alpha if whole is None else 1.0)
