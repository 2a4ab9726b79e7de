"""Ties decided without an oracle: exact signs of determinants, layers without rounding, neurons that are multiples."""

from fractions import Fraction

import numpy as np
import pytest

from creases.engine.graph import Graph
from creases.engine.proof.exact_layers import exact_layers
from creases.engine.proof.signs import UNPROVED
from creases.engine.proof.ties import exact_sign_at_corner, exact_sign_at_zero
from creases.engine.proof.twins import twins
from creases.engine.state.network_layout import (
    SCRATCH,
)
from engine_twins import cross, dot, sign


def scratch(*forms):
    """The forms one after the other, with rubbish behind them."""
    room = np.full(SCRATCH + 3, 7.0)
    numbers = np.concatenate(forms)
    room[3 : 3 + numbers.size] = numbers
    return room


def sign_between(f, g, h):
    """The true sign of det(f, g, h)."""
    f, g, h = ([Fraction(float(x)) for x in form] for form in (f, g, h))
    return sign(dot(cross(f, g), h))


def triples(rng, kind):
    """Three forms: of any floats, of whole numbers, or with one that is a sum of the others up to some bits."""
    if kind == "whole":
        return rng.integers(-3, 4, (3, 3)).astype(float)
    forms = rng.standard_normal((3, 3)) * 2.0 ** rng.integers(-80, 80, (3, 1))
    if kind == "nearly dependent":
        a, b = rng.integers(-4, 5, 2)
        forms[2] = a * forms[0] + b * forms[1]
        forms[2, rng.integers(3)] *= 1.0 + rng.integers(-1, 2) * 2.0**-52
    return forms


@pytest.mark.parametrize("kind", ["any", "whole", "nearly dependent"])
def test_against_exact_sign_at_corner_of_exact_forms(kind):
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(300):
        f, g, h = triples(rng, kind)
        found = exact_sign_at_corner(scratch(f, g, h), 3)
        assert found == sign_between(f, g, h)
        seen.add(found)
    assert seen >= ({-1, 1} if kind == "any" else {-1, 0, 1})


def test_against_exact_sign_at_zero_of_exact_forms():
    rng = np.random.default_rng(2)
    seen = set()
    for i in range(300):
        f, h = triples(rng, "whole" if i % 2 else "any")[:2, :2]
        found = exact_sign_at_zero(scratch(f, h), 3)
        if f[0] == 0:
            assert found == UNPROVED
            continue
        true = [Fraction(float(x)) for x in (*f, *h)]
        assert found == sign(true[3] - true[2] * true[1] / true[0])
        seen.add(found)
    assert seen == {-1, 0, 1}


@pytest.mark.parametrize("bad", [np.nan, np.inf, 2.0**-300, 2.0**300, 5e-324])
@pytest.mark.parametrize("place", range(9))
def test_bad_input_numbers_whose_products_are_not_exact_prove_nothing(bad, place):
    room = scratch([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    assert exact_sign_at_corner(room.copy(), 3) == 1
    room[3 + place] = bad
    assert exact_sign_at_corner(room, 3) == UNPROVED


def test_known_twins():
    weight = np.array(
        [[1.0, 3.0], [2.0, 6.0], [-1.0, -3.0], [0.0, 0.0], [1.0, 3.0], [1.0, np.nextafter(3.0, 4)], [0, 0]]
    )
    bias = np.array([1.0, 2.0, -1.0, 5.0, 1.5, 1.0, 5.0])
    assert twins(weight, bias).tolist() == [0, 1, -1, 0, 0, 0, 0]
    # Multiples that rounding has spoilt are none; those that it has not are.
    third = np.array([[0.1, 0.3], [0.1 * 3, 0.3 * 3], [0.1 * 4, 0.3 * 4]])
    assert twins(third, np.zeros(3)).tolist() == [0, 0, 1]


def test_against_exact_twins():
    rng = np.random.default_rng(3)
    for _ in range(60):
        weight, bias = rng.integers(-2, 3, (8, 2)).astype(float), rng.integers(-1, 2, 8).astype(float)
        rows = [[Fraction(x) for x in (*w, b)] for w, b in zip(weight.tolist(), bias.tolist(), strict=True)]
        for i, found in enumerate(twins(weight, bias).tolist()):
            same = [
                j
                for j in range(i)
                if any(rows[i][:-1])
                and all(
                    a * d == b * c
                    for a, b in zip(rows[i], rows[j], strict=True)
                    for c, d in zip(rows[i], rows[j], strict=True)
                )
                and any(rows[j][:-1])
            ]
            assert abs(found) == (same[0] + 1 if same else 0)


def forms_by_floats_and_fractions(first, weights, biases, rng):
    """The forms of all layers on one random pattern, both ways."""
    floats, exact = first, [[Fraction(x) for x in row] for row in first.tolist()]
    yield floats, exact
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        on = rng.integers(0, 2, len(floats)).astype(bool)
        floats = weight[:, on] @ floats[on] + np.outer(bias, [0, 0, 1])
        kept = [row for row, active in zip(exact, on, strict=True) if active]
        exact = [
            [
                sum((Fraction(w) * row[c] for w, row in zip(line, kept, strict=True)), Fraction(b) * (c == 2))
                for c in range(3)
            ]
            for line, b in zip(weight[:, on].tolist(), bias.tolist(), strict=True)
        ]
        yield floats, exact


@pytest.mark.parametrize("size", [2, 2**10, 2**20])
def test_against_exact_layers_without_rounding(size):
    """Where a layer is called exact, floats give its true forms for every pattern."""
    rng = np.random.default_rng(size)
    flags = []
    for _ in range(40):
        shapes = [(5, 2), (5, 5), (4, 5)]
        weights = tuple(rng.integers(-size, size + 1, shape) / 8.0 for shape in shapes)
        biases = tuple(rng.integers(-size, size + 1, shape[0]) / 8.0 for shape in shapes)
        first = np.column_stack([weights[0], biases[0]])
        exact = exact_layers(Graph.chain(weights, biases), {1: (first, np.zeros((5, 2)))})
        for flag, (floats, true) in zip(exact, forms_by_floats_and_fractions(first, weights, biases, rng), strict=True):
            assert not flag or [[Fraction(x) for x in row] for row in floats.tolist()] == true
        flags += exact
    assert any(flags)
    assert all(flags) == (size < 2**20)


def test_known_layers_without_rounding():
    rng = np.random.default_rng(5)
    first, weights, biases = np.eye(3), (np.eye(3)[:, :2], rng.standard_normal((3, 3))), (np.zeros(3), np.zeros(3))
    assert exact_layers(Graph.chain(weights, biases), {1: (first, np.zeros((3, 2)))}) == [True, False]
    assert exact_layers(Graph.chain(weights, biases), {1: (first, np.full((3, 2), 1e-300))}) == [False, False]
    assert exact_layers(Graph.chain(weights, biases), {1: (np.full((3, 3), np.inf), np.zeros((3, 2)))}) == [
        False,
        False,
    ]
