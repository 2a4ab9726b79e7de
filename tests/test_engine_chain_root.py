"""The first local network of a chain, entry by entry, in fractions."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from creases.engine.graph import Graph
from creases.engine.problem import Problem
from creases.engine.starts import chain_root
from creases.engine.state.network_layout import (
    BLOCK,
    ERROR_G,
    ERROR_W,
    FIELDS,
    FIRST,
    FORM,
    HEADER,
    IDS,
    LOWEST,
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
from creases.engine.state.work import allocate, allocate_in_space
from engine_twins import exactly

INFINITIES = {"signs": [-1.0, -1.0, -1.0, -1.0, 1.0], "bounded": [0.0, 0.0, 0.0, 0.0, 1.0], "any": [0.1] * 4 + [0.7]}


def layers_of(work, problem):
    """Of each layer its record, its rows and its couplings."""
    wide, base = coupled_numbers(work), 0
    for layer, rows in enumerate(problem.widths):
        base = HEADER + FIELDS * layer
        at, stride = int(work.ints[base + BLOCK]), int(work.ints[base + STRIDE])
        block = work.reals[at : at + rows * stride].reshape(rows, stride)
        yield work.ints[base : base + FIELDS], block[:, :wide], block[:, wide:]


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("infinity", INFINITIES.values(), ids=INFINITIES)
@pytest.mark.parametrize("scale", [1.0, 2.0**-600], ids=["", "tiny"])
def test_against_exact_root_network_of_a_chain(d, infinity, scale):
    rng = np.random.default_rng(d)
    widths, numbers = [d, 3, 5, 1, 4], infinity[-d - 1 :]
    weights = tuple(rng.standard_normal((b, a)) * scale for a, b in pairwise(widths))
    biases = tuple(rng.standard_normal(b) * rng.integers(0, 2, b) for b in widths[1:])
    weights[1][2], biases[1][2], weights[2][0, 1] = 0.0, 0.0, 0.0
    problem = Problem(Graph.chain(weights, biases), np.zeros(d), np.eye(d), np.zeros((d, d)), None)
    work = (allocate if d < 3 else allocate_in_space)(problem.widths, d, 8)
    work.reals[:] = np.nan  # what an earlier cut has left
    work.state[[REALS_TOP, INTS_TOP]] = 77
    forms = np.column_stack([weights[0], biases[0]])
    bounds = rng.uniform(0, 1e-9, (3, 2))
    chain_root.root_network(work, problem, np.array(numbers), forms, bounds)
    below, place = None, X if d < 3 else FORM
    for layer, (record, rows, couplings) in enumerate(layers_of(work, problem)):
        ids = int(record[IDS])
        assert record[[ROWS, FIRST, PAIRS]].tolist() == [widths[layer + 1], max(layer - 1, 0), 0]
        assert work.ints[ids : ids + len(rows)].tolist() == list(range(len(rows)))
        assert np.array_equal(couplings, weights[layer] if layer else np.zeros((3, 0)))
        sizes = []
        for i, row in enumerate(exactly(rows)):
            form, held = [*row[place : place + d], row[ONE]], [row[SIZE_G], row[SIZE_W]]
            true = (
                exactly(forms[i]) if layer == 0 else [Fraction(float(biases[layer][i])) * x for x in exactly(numbers)]
            )
            off = [abs(a - b) for a, b in zip(form, true, strict=True)]
            errors = exactly(bounds[i]) if layer == 0 else [Fraction(0), Fraction(0)]
            assert [sum(off[:-1]) + errors[0] <= row[ERROR_G], off[-1] + errors[1] <= row[ERROR_W]] == [True, True]
            if layer and (set(numbers) <= {0.0, 1.0, -1.0} or biases[layer][i] == 0.0):
                assert row[ERROR_G] == row[ERROR_W] == 0
            most = [sum(map(abs, form[:-1])) + row[ERROR_G], abs(form[-1]) + row[ERROR_W]]
            if layer:
                for factor, under in zip(exactly(weights[layer][i]), below, strict=True):
                    most = [total + abs(factor) * size for total, size in zip(most, under, strict=True)]
            for size, bound in zip(held, most, strict=True):
                assert bound <= size <= bound * (1 + Fraction(1, 2**15)) + Fraction(1, 2**900)
                assert (size == 0) == (bound == 0)
            sizes.append(held)
        below = sizes
    assert work.ints[LOWEST] == 0
    assert work.state[INTS_TOP] == HEADER + FIELDS * 4 + sum(problem.widths)
    assert np.isnan(work.reals[work.state[REALS_TOP]])
