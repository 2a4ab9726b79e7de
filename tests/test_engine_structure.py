"""Ties that are known from structure, without a question: sums of one sign, copies of copies, charts of few bits, and
determinants modulo primes."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import reference
from creases import Box, Directions, Network, Space, count, subdivide
from creases.engine.graph import Graph
from creases.engine.proof.exact_layers import is_exact_product
from creases.engine.proof.twins import twins_of
from creases.engine.rows.exact_zeros import BITS_A_PRIME, MOST_WHOLE_BITS, PRIMES, is_exact_zero
from creases.engine.starts import starting
from creases.engine.state.cell_layout import CELL, FACET_TAIL
from creases.engine.state.network_layout import FORM, ONE
from creases.engine.state.slots import DIMENSION, PLACES
from creases.engine.state.work import allocate_in_space
from engine_twins import amount, determinant

KINDS = ["identity", "scaled", "pruned", "one sign"]
# Those whose second layer vanishes exactly where the first does.
HANDED_ON = ["identity", "scaled"]


def layers(rng, widths, whole, bias=True):
    """Random layers, of whole numbers or not."""
    for n_in, n_out in pairwise(widths):
        weight = rng.integers(-2, 3, (n_out, n_in)).astype(float) if whole else rng.standard_normal((n_out, n_in))
        more = rng.integers(-2, 3, n_out).astype(float) if whole else rng.standard_normal(n_out) * 0.3
        yield weight, more * bias


def counted(pairs, domain):
    """Our count by layer, and the reference's; and the whole Count."""
    weights, biases = [w for w, _ in pairs], [b for _, b in pairs]
    found = count(Network.from_arrays(weights, biases), domain, threads=1, progress=False)
    d = weights[0].shape[1]
    shape = reference.space(d) if isinstance(domain, Space) else reference.box([-1] * d, [1] * d)
    return found, reference.graph_by_layer(reference.chain(weights[:-1], biases[:-1]), shape)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_against_reference_layers_that_pass_on(d, kind, monkeypatch):
    """Layers that hand on, scale or turn round single neurons below, and sums of one sign, on boxes and whole spaces;
    rationals are asked by no row that is handed on, and by some if signs of sums are not known."""
    rng, asked = np.random.default_rng([d, KINDS.index(kind)]), 0
    for _ in range(amount(10, 2)):
        n = 4 if d < 3 else 3
        first, second, out = layers(rng, [d, n, n, 1], whole=False)
        if kind == "identity":
            second = np.eye(n), np.zeros(n)
        elif kind == "scaled":
            second = np.eye(n)[rng.permutation(n)] * rng.choice([-1.0, 0.1, 3.0], n), np.zeros(n)
        elif kind == "pruned":
            second = second[0] * (rng.random((n, n)) < 0.4), second[1] * (rng.random(n) < 0.5)
        else:
            second = np.abs(second[0]) * rng.choice([-1.0, 1.0], (n, 1)), np.zeros(n)
        for domain in (Box([-1] * d, [1] * d), Space(d)):
            found, expected = counted([first, second, out], domain)
            assert found.certified
            assert list(found.by_layer) == expected
            if kind in HANDED_ON:
                assert found.exact_cells == 0
                with monkeypatch.context() as patch:
                    patch.setattr(starting, "write_signs", lambda work, *_: work)
                    asked += counted([first, second, out], domain)[0].exact_cells
    assert (asked > 0) == (kind in HANDED_ON)


def test_known_a_bias_is_nothing_among_directions():
    """relu(a) - 1 looks like a sum of two signs; seen from far out it is relu(a)."""
    network = Network.from_arrays([np.eye(2), np.eye(2), np.ones((1, 2))], [np.zeros(2), -np.ones(2), np.zeros(1)])
    assert count(network, Directions(2), progress=False).regions == 4
    network = Network.from_arrays([np.eye(2), -np.eye(2), np.ones((1, 2))], [np.zeros(2), np.ones(2), np.zeros(1)])
    assert count(network, Directions(2), progress=False).regions == 4
    assert count(network, Space(2), progress=False).by_layer == (4, 9)


# Copies of copies.


def two_streams(rng, n, factor):
    """Two copies of a network side by side, the second one's first layer `factor` times the first one's."""
    (a, b), (c, e) = layers(rng, [2, n, n], whole=False)
    return (np.vstack([a, factor * a]), np.concatenate([b, factor * b])), (
        np.block([[c, np.zeros((n, n))], [np.zeros((n, n)), c / factor]]),
        np.concatenate([e, e]),
    )


@pytest.mark.parametrize("factor", [1.0, 0.5, 4.0, -1.0, 3.0])
def test_against_reference_two_streams(factor):
    """Twins of twins are known where the factor is a power of two, and counted rightly in any case."""
    rng = np.random.default_rng(3)
    for _ in range(amount(6, 1)):
        first, second = two_streams(rng, 4, factor)
        twins = twins_of(Graph.chain((first[0], second[0]), (first[1], second[1])))
        known = factor in (1.0, 0.5, 4.0)
        assert (twins[12:] == (np.arange(4) + 1 if known else 0)).all()
        last = np.ones((1, 8)), np.zeros(1)
        for domain in (Box([-1, -1], [1, 1]), Space(2)):
            found, expected = counted([first, second, last], domain)
            assert list(found.by_layer) == expected
            # Far out in the whole plane entire layers vanish, and some of that is still asked.
            assert not known or isinstance(domain, Space) or found.exact_cells == 0


def test_known_copies_that_floats_cannot_tell():
    """No twins of twins where a product may have lost a bit: denormal weights, sums of two columns."""
    for second in ([[5e-324, 0.0], [0.0, 5e-324]], [[1.0, 1.0], [2.0, 0.0]]):
        first = np.array([[1.0, 2.0], [0.5, 1.0]])
        twins = twins_of(Graph.chain((first, np.array(second)), (np.zeros(2), np.zeros(2))))
        assert twins.tolist() == [0, 1, 0, 0]
    first = np.array([[1.0, 2.0], [0.5, 1.0]])
    twins = twins_of(Graph.chain((first, np.array([[1.0, 0.0], [0.0, 2.0]])), (np.zeros(2), np.ones(2))))
    assert twins.tolist() == [0, 1, 0, 1]


# Charts of few bits.


@pytest.mark.parametrize("d", [2, 3])
def test_against_reference_whole_numbers_in_whole_spaces(d, monkeypatch):
    """In charts of few bits small whole weights have no rounding, so that no question is left to rationals; in others
    some is."""
    rng, asked = np.random.default_rng(d), 0
    for i in range(amount(12 if d == 2 else 6, 2)):
        pairs = list(layers(rng, [d, 4, 3, 1], whole=True, bias=i % 2 == 0))
        found, expected = counted(pairs, Space(d))
        assert list(found.by_layer) == expected
        assert found.certified
        assert found.exact_cells == 0
        with monkeypatch.context() as patch:
            patch.setattr(starting, "bits_of_grid", lambda *_: 0)  # in the plane
            patch.setattr(starting, "has_few_bits", lambda *_: False)  # in space
            asked += counted(pairs, Space(d))[0].exact_cells
    assert asked > 0


def test_against_fractions_exact_products():
    """What is said to be exact is."""
    rng = np.random.default_rng(5)
    said = set()
    for bits in (8, 20, 26, 27, 40, 52):
        for _ in range(20):
            forms, chart = (rng.integers(-(2**bits), 2**bits, shape).astype(float) for shape in ((4, 3), (3, 3)))
            exact = is_exact_product(forms, chart * 2.0 ** float(rng.integers(-5, 5)))
            said.add(exact)
            if exact:
                true = [[sum(Fraction(a) * Fraction(b) for a, b in zip(f, c)) for c in chart.T] for f in forms]  # noqa: B905
                assert [[Fraction(x) for x in row] for row in (forms @ chart).tolist()] == true
    assert said == {True, False}
    assert not is_exact_product(np.array([[np.inf]]), np.eye(1))


@pytest.mark.parametrize("rows", [[[100 + i, 1] for i in range(5)], [[1, 0], [2000, 1], [30, 1]]])
def test_known_narrow_cones_have_charts(rows):
    """Where a cone is too narrow for a chart of few bits it gets another one: no cone is left to rationals whole."""
    weight, bias = np.array(rows, float), np.arange(len(rows)) ** 2.0
    network = Network.from_arrays([weight, np.ones((1, len(rows)))], [bias, np.zeros(1)])
    found = count(network, Space(2), progress=False)
    assert 2 * found.exact_cells < found.regions
    assert len(subdivide(network, Space(2), progress=False)) == found.regions


# Determinants modulo primes.


def at_a_corner(facets, row):
    """A workspace whose only corner lies on all facets, with an exact row; where the row begins."""
    d = len(row) - 1
    work = allocate_in_space([4], d, 8)
    work.state[DIMENSION] = d
    for i, facet in enumerate(facets):
        work.slots[i] = i
        work.facet_reals[i * (d + FACET_TAIL) : i * (d + FACET_TAIL) + d + 1] = facet
    work.masks[CELL, 0, 0], work.state[PLACES] = (1 << len(facets)) - 1, len(facets)
    work.reals[FORM : FORM + d], work.reals[ONE] = row[:d], row[d]
    return work


@pytest.mark.parametrize("d", [3, 4, 6])
def test_against_fractions_exact_zeros(d):
    """Zero exactly where the determinant is: sums of the facets' forms, the same off by one bit, any others; facets
    that depend on each other come first."""
    rng = np.random.default_rng(d)
    seen = set()
    for i in range(amount(200, 20)):
        size = 2 ** int(rng.integers(1, 20))
        facets = [rng.integers(-size, size + 1, d + 1).astype(float) for _ in range(d)]
        row = sum(f * float(rng.integers(-2, 3)) for f in facets)
        if i % 3 == 0:
            row[rng.integers(d + 1)] += 1.0
        scales = 2.0 ** rng.integers(-60, 60, d + 1).astype(float)
        facets, row = [f * s for f, s in zip(facets, scales, strict=False)], row * scales[d]
        true = determinant([*facets, row]) == 0 and row.any()
        independent = any(determinant([*facets, e]) != 0 for e in np.eye(d + 1).tolist())
        if not independent or not row.any():
            continue
        found = is_exact_zero(at_a_corner([facets[0], 2 * facets[0], *facets[1:]], row), 0, 0)
        assert found == true
        seen.add(found)
    assert seen == {True, False}


def test_bad_input_exact_zeros():
    """Numbers that are none, too large, too small or too far apart, facets with bounds, too few facets: not proved."""
    facets = [[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0]]
    assert is_exact_zero(at_a_corner(facets, [1.0, 2.0, 3.0, 0.0]), 0, 0)
    for bad in (np.nan, np.inf, 1e300, 5e-324):
        assert not is_exact_zero(at_a_corner(facets, [1.0, bad, 0.0, 0.0]), 0, 0)
    assert not is_exact_zero(at_a_corner(facets, [2.0**40, 2.0**-40, 0.0, 0.0]), 0, 0)
    assert not is_exact_zero(at_a_corner(facets[:2], [1.0, 2.0, 0.0, 0.0]), 0, 0)
    work = at_a_corner(facets, [1.0, 2.0, 3.0, 0.0])
    work.facet_reals[4] = 1e-300
    assert not is_exact_zero(work, 0, 0)


def test_known_primes():
    """All different, all prime, none smaller than is said; and enough of them for the largest rows that there are: of
    nine whole numbers in eight dimensions, whose sum has four bits more than they."""
    assert len(set(PRIMES.tolist())) == PRIMES.size
    for prime in PRIMES.tolist():
        assert 2**BITS_A_PRIME < prime < 2**31
        assert all(pow(a, prime - 1, prime) == 1 for a in (2, 3, 5, 7, 11))
        assert all(prime % p for p in range(3, 50_000, 2))
    assert PRIMES.size * BITS_A_PRIME > 9 * (MOST_WHOLE_BITS + 4) + 1
