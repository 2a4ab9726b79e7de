"""The first local network of a chain: all of it, nothing skipped, every coefficient above exact.

In the workspace it is the network at offset 0, layer after layer; a kernel writes it, because a deep network has many
layers and a whole space many cones. What a chain's layers are made of is put together once.
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from creases.engine.graph import Graph
from creases.engine.kernel import inlined, kernel
from creases.engine.problem import Floats, Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT, or_infinite
from creases.engine.state.first_network import begin_network
from creases.engine.state.network_layout import (
    BLOCK,
    ERROR_G,
    ERROR_W,
    FIELDS,
    FIRST,
    FORM,
    HEADER,
    IDS,
    ONE,
    PAIRS,
    ROWS,
    SIZE_G,
    SIZE_W,
    STRIDE,
    X,
)
from creases.engine.state.record import coupled_numbers
from creases.engine.state.slots import INTS_TOP, REALS_TOP
from creases.engine.state.work import AnyWork

__all__ = ["is_signs", "root_network"]

# Chains of no more numbers than this are kept in one piece while they are in use; larger ones are put together each
# time, which takes no longer than to write them.
KEPT = 1 << 20


class Chain(NamedTuple):
    """A chain's layers one after the other."""

    widths: Ints
    weights: Floats  # of all layers but the first, row by row
    biases: Floats  # of all layers


known_chains: WeakKeyDictionary[Graph, Chain] = WeakKeyDictionary()


def chain_of(graph: Graph) -> Chain:
    """The layers of a graph that is a chain."""
    chain = known_chains.get(graph)
    if chain is None:
        chain = Chain(
            np.array([len(bias) for bias in graph.biases], np.int64),
            np.concatenate([np.zeros(0), *(weight.ravel() for weight in graph.weights[1:])]),
            np.concatenate(graph.biases),
        )
        if chain.weights.size <= KEPT:
            known_chains[graph] = chain
    return chain


def is_signs(infinity: Floats) -> bool:
    """Whether the form of infinity has entries 0, 1 and -1 only, so that its products with biases are exact.

    The entries are a chart's, which holds as it stands, whatever rounding chose it.
    """
    return all(entry in (0.0, 1.0, -1.0) for entry in infinity.tolist())


def root_network(work: AnyWork, problem: Problem, infinity: Floats, forms: Floats, bounds: Floats) -> None:
    """Write a whole chain as the first local network. There must be room.

    infinity : float64 (k,), the form that is 1 on finite points. forms : float64 (n, k), those of the first layer.
    bounds : float64 (n, 2), their pairs of bounds (E_g, E_w), none of them a NaN.
    """
    begin_network(work, 0)
    # Copies, because Numba compiles once more for what is read-only or has strides.
    last, first, pairs = (np.array(array, np.float64, order="C") for array in (infinity, forms, bounds))
    ends = np.array([work.state[REALS_TOP], work.state[INTS_TOP]])
    chain = chain_of(problem.graph)
    write_chain(
        work.reals,
        work.ints,
        chain.widths,
        chain.weights,
        chain.biases,
        last,
        first,
        pairs,
        coupled_numbers(work),
        is_signs(infinity),
        ends,
    )
    work.state[REALS_TOP], work.state[INTS_TOP] = ends


@kernel
def write_chain(
    reals: Floats,
    ints: Ints,
    widths: Ints,
    weights: Floats,
    biases: Floats,
    infinity: Floats,
    forms_nk: Floats,
    bounds_n2: Floats,
    wide: int,
    exact: bool,
    ends: Ints,
) -> None:
    """Write the layers' records and rows from the places `ends` of reals and ints on, which become those behind them.

    wide : numbers of a row before its couplings. exact : whether all entries of `infinity` are 0, 1 and -1.
    """
    at, ids, weight, bias = ends[0], ends[1], 0, 0
    before = at  # where the rows of the layer below begin
    for layer in range(widths.size):
        rows = widths[layer]
        columns = widths[layer - 1] if layer else 0
        stride = wide + columns
        base = HEADER + FIELDS * layer
        ints[base + ROWS], ints[base + FIRST], ints[base + IDS] = rows, max(layer - 1, 0), ids
        ints[base + BLOCK], ints[base + STRIDE], ints[base + PAIRS] = at, stride, 0
        stride_below = wide + (widths[layer - 2] if layer > 1 else 0)
        for i in range(rows):
            ints[ids + i] = i
            for c in range(wide):
                reals[at + c] = 0.0
            if layer == 0:
                write_first_row(reals, at, forms_nk, bounds_n2, i)
            else:
                write_bias(reals, at, infinity, biases[bias + i], exact)
                add_columns(reals, at + wide, at, weights, weight, before, stride_below, columns)
                weight += columns
            close_row(reals, at)
            at += stride
        before = at - rows * stride
        ids += rows
        bias += rows
    ends[0], ends[1] = at, ids


@inlined
def place_form(reals: Floats, at: int, c: int, last: int, value: float) -> None:
    """Write one number of a row's form: coordinate c, or the constant."""
    if c == last:
        reals[at + ONE] = value
        reals[at + SIZE_W] += abs(value)
    else:
        reals[at + (X if last < 3 else FORM) + c] = value
        reals[at + SIZE_G] += abs(value)


@inlined
def write_first_row(reals: Floats, at: int, forms_nk: Floats, bounds_n2: Floats, i: int) -> None:
    """Write a row of the first layer, which has no couplings."""
    last = forms_nk.shape[1] - 1
    for c in range(last + 1):
        place_form(reals, at, c, last, forms_nk[i, c])
    reals[at + ERROR_G], reals[at + ERROR_W] = bounds_n2[i, 0], bounds_n2[i, 1]


@inlined
def write_bias(reals: Floats, at: int, infinity: Floats, bias: float, exact: bool) -> None:
    """Write the form of a row above the first layer: its bias times the form that is 1 on finite points.

    A product loses a unit of itself, and UNDERFLOW where it is not exact.
    """
    last = infinity.size - 1
    for c in range(last + 1):
        place_form(reals, at, c, last, bias * infinity[c])
    if not exact and bias != 0.0:
        reals[at + ERROR_G] = reals[at + SIZE_G] * UNIT * ROUND_UP + UNDERFLOW
        reals[at + ERROR_W] = reals[at + SIZE_W] * UNIT * ROUND_UP + UNDERFLOW


@inlined
def add_columns(
    reals: Floats, coupling: int, at: int, weights: Floats, weight: int, below: int, stride: int, columns: int
) -> None:
    """Write a row's couplings, and add to its sizes what the rows below are at most.

    A product of two tiny numbers may underflow to an exact zero, which would be taken for one.
    """
    size_g = size_w = most_g = most_w = factors = 0.0
    for m in range(columns):
        factor = abs(weights[weight + m])
        below_g, below_w = reals[below + m * stride + SIZE_G], reals[below + m * stride + SIZE_W]
        reals[coupling + m] = weights[weight + m]
        size_g += factor * below_g
        size_w += factor * below_w
        most_g, most_w, factors = max(most_g, below_g), max(most_w, below_w), max(factors, factor)
    reals[at + SIZE_G] += size_g + (UNDERFLOW if factors > 0.0 and most_g > 0.0 else 0.0)
    reals[at + SIZE_W] += size_w + (UNDERFLOW if factors > 0.0 and most_w > 0.0 else 0.0)


@inlined
def close_row(reals: Floats, at: int) -> None:
    """Round a row's sizes and bounds up: sums of numbers that are not negative.

    What overflows, or is a NaN because something that overflowed is multiplied by zero, is infinite.
    """
    for size, error in ((SIZE_G, ERROR_G), (SIZE_W, ERROR_W)):
        total = or_infinite((reals[at + size] + reals[at + error]) * ROUND_UP)
        reals[at + size] = total + UNDERFLOW if total > 0.0 else total
        reals[at + error] = or_infinite(reals[at + error])
