"""Counts in three dimensions and more: against the specification, known numbers, laws, and bad input."""

import time
from dataclasses import replace
from fractions import Fraction
from math import comb

import numpy as np
import pytest

import reference
from creases import Box, Directions, DomainError, Network, Polytope, Simplex, Space, Subspace, count
from creases.domain import domain_from_dict
from engine_twins import LONG, amount
from networks import KINDS, as_lists, he, random_network, table


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


PLANE = hidden([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]])


def cube(d):
    return Box([-1] * d, [1] * d)


def check(weights, biases, domain, specification, **options):
    """The count, its layers, its neurons and what reaches infinity, against the reference; returns the count."""
    found = count(hidden(weights, biases), domain, by_neuron=True, **options)
    *_, (last, _) = layers = list(reference.layers(weights, biases, specification))
    assert found.by_layer == tuple(len(regions) for regions, _ in layers), (weights, biases, domain)
    assert [list(row) for row in found.by_neuron] == [cutting for _, cutting in layers]
    assert found.certified
    # Neurons are not tallied where the last layer is counted at once: that is a path of its own.
    at_once = count(hidden(weights, biases), domain, **options)
    assert (at_once.by_layer, at_once.unbounded, at_once.certified) == (found.by_layer, found.unbounded, True)
    if found.unbounded is not None:
        assert found.unbounded == sum(not region.bounded for region in last)
    return found


# Against the specification.


@pytest.mark.jit
@pytest.mark.parametrize("d", [3, 4])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_against_reference_in_space(kind, d):
    """Boxes, simplices and whole spaces, degenerate networks too."""
    corner = np.vstack([np.zeros(d), np.eye(d)])
    for _, weights, biases in table(2 if d == 3 else 1, 31, d, [kind]):
        check(weights, biases, cube(d), reference.box([-1] * d, [1] * d))
        check(weights, biases, Simplex(corner), reference.simplex(corner.astype(int).tolist()))
        check(weights, biases, Space(d), reference.space(d), threads=1)


@pytest.mark.jit
@pytest.mark.parametrize("d", [5, 6])
def test_against_reference_in_many_dimensions(d):
    for seed in range(2):
        weights, biases = as_lists(he(np.random.default_rng(seed), d, (5, 3), 0.5))
        check(weights, biases, cube(d), reference.box([-1] * d, [1] * d))
    check(weights, biases, Space(d), reference.space(d))


@pytest.mark.jit
@pytest.mark.parametrize("d", [3, 4])
def test_against_reference_a_domain_that_is_not_simple(d):
    """The cross-polytope: 2^(d - 1) walls meet in every corner, and walls through it touch corners of cells."""
    corners = np.vstack([np.eye(d), -np.eye(d)]).astype(int).tolist()
    signs = list(np.ndindex(*(2,) * d))
    tights = [{sign for sign in signs if np.dot(2 * np.array(sign) - 1, corner) == 1} for corner in corners]
    domain = Polytope(corners)
    assert len(domain.corners.walls) == 2**d
    for _, weights, biases in table(len(KINDS), 11, d):
        check(weights, biases, domain, reference.polytope(corners, tights))


@pytest.mark.jit
def test_against_reference_slices_of_larger_inputs():
    """A box in some of the inputs, a subspace, and a simplex inside it, through a network of six inputs."""
    rng = np.random.default_rng(3)
    origin, basis = rng.integers(-3, 4, 6) / 4, rng.integers(-4, 5, (3, 6)) / 4
    vertices = [[0, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 1]]
    inside = Subspace(origin, basis)
    for _, weights, biases in table(len(KINDS), 7, 6):
        lower = [0.5, -1, -1, 0.25, -1, -0.5]
        upper = [0.5, 1, 1, 0.25, 1, -0.5]
        check(weights, biases, Box(lower, upper), reference.box(lower, upper))
        rows = [list(map(Fraction, row)) for row in basis.tolist()]
        start = list(map(Fraction, origin.tolist()))
        check(weights, biases, inside, reference.affine(start, rows, reference.space(3)))
        check(weights, biases, Simplex(vertices, inside), reference.affine(start, rows, reference.simplex(vertices)))


@pytest.mark.jit
@pytest.mark.parametrize("d", [3, 4])
@pytest.mark.parametrize("bias", [2.0**-1000, -(2.0**-1000), 0.0])
def test_against_reference_residuals_that_underflow(d, bias):
    """Walls so near one point that every product of an error with the inverse underflows: no corner is exact."""
    weights = [[[2.0**100 * (i == j) for j in range(d)] for i in range(d)] + [[1.0] * d]]
    check(weights, [[bias] * d + [0.0]], cube(d), reference.box([-1] * d, [1] * d))


@pytest.mark.jit
@pytest.mark.parametrize("d", [3, 4])
@pytest.mark.parametrize(("below", "above"), [(1e-150, 1e-200), (1e-160, 1e-170), (1.3e-150, 0.7e-200)])
def test_against_reference_a_last_layer_that_underflows(d, below, above):
    """What comes in from below underflows to zero, its bound too; it cuts all the same: x = y."""
    weights = [
        [*([below * (i == j) for j in range(d)] for i in range(2)), [0.3] * d],
        [[above, -above, 0.0], [0.0, 0.0, 1.0]],
    ]
    biases = [[2 * below, 2 * below, -0.1], [0.0, -0.2]]
    check(weights, biases, cube(d), reference.box([-1] * d, [1] * d))


@pytest.mark.jit
def test_against_reference_a_first_layer_of_low_rank():
    """Directions along which the network is constant are divided out of a whole space."""
    rng = np.random.default_rng(4)
    for rank in (0, 1, 2, 3):
        gradients = (rng.integers(-2, 3, (5, rank)) @ rng.integers(-2, 3, (rank, 4))).astype(float)
        upper = rng.standard_normal((3, 5))
        weights = [gradients.tolist(), upper.tolist()]
        biases = [rng.standard_normal(5).tolist(), rng.standard_normal(3).tolist()]
        found = count(hidden(weights, biases), Space(4))
        assert found.by_layer == tuple(reference.by_layer(weights, biases, reference.space(4)))


@pytest.mark.jit
def test_against_reference_threads(monkeypatch):
    """Cells given away to other threads, with their facets, count as those that were kept."""
    from creases.engine.loop import frontier

    monkeypatch.setattr(frontier, "ALONE", 100)
    monkeypatch.setattr(frontier, "SHARED_BUDGET", 50)
    for d, widths in ((3, (16, 16)), (4, (9, 9))):
        network = Network.from_arrays(*random_network([d, *widths, 1], 0, 0.1))
        for domain in (cube(d), Space(d)):
            one = count(network, domain, threads=1, by_neuron=True)
            assert one.by_layer[0] > 100
            for threads in (2, 5):
                other = count(network, domain, threads=threads, by_neuron=True)
                assert replace(other, seconds=one.seconds).to_dict() == one.to_dict()


@pytest.mark.jit
@pytest.mark.parametrize("d", [3, 4, 5, 6])
@pytest.mark.parametrize("part", range(5))
def test_against_reference_five_hundred(d, part):
    """Every kind of network in every kind of domain: boxes, simplices, spaces, directions, slices of larger inputs."""
    corner = np.vstack([np.full(d, -1), 2 * np.eye(d, dtype=int)])
    for index in range(0, {3: 50, 4: 30, 5: 14, 6: 6}[d], 1 if LONG else 3):
        seed = 100 * part + index
        rng, sliced = np.random.default_rng([d, seed]), seed % 5 == 4
        weights, biases = as_lists(KINDS[seed % len(KINDS)](rng, d + 2 * sliced))
        if d > 4:  # the reference is slow
            weights, biases = narrower(weights, biases, {5: 6, 6: 5}[d])
        if sliced:
            origin, basis = rng.integers(-2, 3, d + 2), np.eye(d, d + 2, dtype=int)
            basis[:, d:] = rng.integers(-2, 3, (d, 2))
            specification = reference.affine(origin.tolist(), basis.tolist(), reference.box([-1] * d, [1] * d))
            sides = np.vstack([np.eye(d), -np.eye(d)])
            check(weights, biases, Polytope.where(sides, np.ones(2 * d), Subspace(origin, basis)), specification)
        elif seed % 5 == 3:
            silent = [[0.0] * len(row) for row in biases]
            found = count(hidden(weights, biases), Directions(d))
            assert found.by_layer == tuple(reference.by_layer(weights, silent, reference.space(d)))
        else:
            choices = [
                (cube(d), reference.box([-1] * d, [1] * d)),
                (Simplex(corner), reference.simplex(corner.tolist())),
                (Space(d), reference.space(d)),
            ]
            check(weights, biases, *choices[seed % 5])


def narrower(weights, biases, most):
    """At most so many neurons a layer."""
    kept = [len(row[:most]) for row in biases]
    below = [len(weights[0][0]), *kept]
    weights = [[row[:m] for row in weight[:n]] for weight, m, n in zip(weights, below, kept, strict=False)]
    return weights, [row[:n] for row, n in zip(biases, kept, strict=True)]


# Known numbers.

TABLE = {
    (3, 6, 6): (cube(3), 187),
    (3, 8, 8): (cube(3), 650),
    (3, 16, 16): (cube(3), 3524),
    (3, 32, 32): (cube(3), 40141),
    (4, 16, 16): (cube(4), 25009),
}


@pytest.mark.jit
@pytest.mark.parametrize("widths", TABLE, ids=str)
def test_known_cubes(widths):
    domain, regions = TABLE[widths]
    found = count(Network.from_arrays(*random_network([*widths, 1], 0, 0.1)), domain)
    assert (found.regions, found.certified, found.exact_cells) == (regions, True, 0)


@pytest.mark.jit
def test_known_whole_space():
    assert count(Network.from_arrays(*random_network([3, 8, 8, 1], 0, 0.1)), Space(3)).regions == 794


@pytest.mark.jit
@pytest.mark.parametrize(("d", "neurons"), [(3, 9), (4, 8), (5, 8), (6, 8), (7, 9)])
def test_known_zaslavsky(d, neurons):
    """Hyperplanes in general position: sum C(N, k) regions, of which C(N - 1, d) are bounded."""
    weights, biases = as_lists(he(np.random.default_rng(d), d, (neurons,), 1.0))
    found = count(hidden(weights, biases), Space(d))
    assert found.regions == sum(comb(neurons, k) for k in range(d + 1))
    assert found.bounded == comb(neurons - 1, d)


@pytest.mark.jit
@pytest.mark.parametrize(("d", "neurons"), [(3, 7), (4, 6)])
def test_known_central(d, neurons):
    """Hyperplanes through the origin: 2 sum C(N - 1, k) cones, none bounded; the same in every box around it."""
    weights, biases = as_lists(he(np.random.default_rng(d), d, (neurons,), 0.0))
    expected = 2 * sum(comb(neurons - 1, k) for k in range(d))
    whole = count(hidden(weights, biases), Space(d))
    assert (whole.regions, whole.bounded) == (expected, 0)
    assert count(hidden(weights, biases), Box([-1.0] * d, [2.0**-20] * d)).regions == expected


# Laws.


@pytest.mark.jit
def test_laws_linear_maps_of_the_domain():
    """A simplex moved by a map of powers of two, and the network's first layer by its inverse: the same count."""
    rng = np.random.default_rng(5)
    scales, shift = 2.0 ** rng.integers(-3, 4, 3), rng.integers(-4, 5, 3) / 4
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]) * 2.0 - 0.5
    for seed in range(amount(4, 1)):
        weights, biases = random_network([3, 9, 7, 1], seed, 0.3)
        moved = [weights[0] / scales, *weights[1:]], [biases[0] - weights[0] @ (shift / scales), *biases[1:]]
        before = count(Network.from_arrays(weights, biases), Simplex(vertices))
        after = count(Network.from_arrays(*moved), Simplex(vertices * scales + shift))
        assert before.by_layer == after.by_layer


@pytest.mark.jit
def test_laws_one_polytope_given_in_three_ways():
    """By half-spaces (some of them redundant), by vertices (some of them inside), and as a box."""
    weights, biases = random_network([3, 9, 7, 1], 0, 0.3)
    network, d = Network.from_arrays(weights, biases), 3
    corners = [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    ways = [
        cube(d),
        Polytope([*corners, [0, 0, 0], [1, 0, 0], [1, 1, 1]]),
        Polytope.where(np.vstack([np.eye(d), -np.eye(d), np.ones((1, d)), np.eye(d)]), [1] * 6 + [3] + [1, 1, 9]),
    ]
    assert [len(way.corners.walls) for way in ways[1:]] == [6, 6]
    assert len({count(network, way).by_layer for way in ways}) == 1


def test_laws_domains_are_what_they_say():
    inside = Subspace([0, 0, 0, 1], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    simplex = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    for domain in (
        inside,
        Simplex(simplex),
        Simplex(simplex, inside),
        Polytope([*simplex, [1, 1, 1]]),
        Polytope.where(np.vstack([np.eye(3), -np.eye(3)]), np.ones(6), inside),
    ):
        again = domain_from_dict(domain.to_dict())
        assert again == domain
        assert repr(again) == repr(domain)
        assert again.dimension == 3


@pytest.mark.jit
def test_laws_flat_polytopes_are_segments_and_polygons():
    network = Network.from_arrays(*random_network([2, 9, 7, 1], 0, 0.3))
    square = Polytope.where([[1, 0], [-1, 0], [0, 1], [0, -1]], [1, 1, 1, 1])
    assert count(network, square).by_layer == count(network, cube(2)).by_layer
    line = Network.from_arrays(*random_network([1, 9, 7, 1], 0, 0.3))
    assert count(line, Simplex([[1.0], [-1.0]])).by_layer == count(line, cube(1)).by_layer


# Bad input.


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Simplex([[0, 0, 0], [1, 0, 0], [0, 1, 0]]), "4 vertices, got 3"),
        (lambda: Simplex([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]), "flat"),
        (lambda: Simplex([[0, 0], [1, 0], [np.nan, 1]]), "not finite"),
        (lambda: Polytope([[0, 0, 0], [1, 1, 1]]), "flat"),
        (lambda: Polytope([1.0, 2.0]), "shape"),
        (lambda: Polytope.where([[1, 0, 0], [-1, 0, 0]], [1, 1]), "whole line"),
        (lambda: Polytope.where([[1, 0], [0, 1], [-1, 0]], [1, 1, 1]), r"unbounded in the direction \[0.0, -1.0\]"),
        (lambda: Polytope.where([[1, 0], [-1, 0], [0, 1], [0, -1]], [-1, -1, 1, 1]), "empty"),
        (lambda: Polytope.where([[1, 0], [-1, 0], [0, 1], [0, -1]], [1, -1, 1, 1]), "flat"),
        (lambda: Polytope.where([[1, 0], [-1, 0]], [1]), "offsets"),
        (lambda: count(PLANE, Polytope.where([[1e-300, 0], [-1, 0], [0, 1], [0, -1]], [1e300, 1, 1, 1])), "too far"),
        (lambda: Subspace([0, 0, 0], [[1, 0, 0], [0, 1, 0], [1, 1, 0]]), "linearly dependent"),
        (lambda: Subspace([0, 0, 0], [[1, 0]]), "coordinates"),
        (lambda: Simplex([[0, 0], [1, 0], [0, 1]], Subspace([0], [[1]])), "2 coordinates"),
        (lambda: Simplex([[0, 0], [1, 0], [0, 1]], "plane"), "Subspace or None"),
    ],
)
def test_bad_input_domains(make, words):
    with pytest.raises(DomainError, match=words):
        make()


def test_bad_input_too_many_dimensions():
    """The message says how many regions there would be, and what to cut instead."""
    image = Network.from_arrays(*random_network([784, 32, 32, 1], 0, 0.1))
    with pytest.raises(DomainError, match=r"784 dimensions; .* 1.8e19 here .*Subspace"):
        count(image, Space(784))
    nine = Network.from_arrays(*random_network([9, 5, 1], 0, 0.1))
    with pytest.raises(DomainError, match="9 dimensions; domains of up to 8"):
        count(nine, cube(9))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Polytope.where(np.vstack([np.eye(14), -np.eye(14)]), np.ones(28)), "polytope of 14 dimensions"),
        (lambda: Polytope(np.random.default_rng(0).standard_normal((400, 9))), "polytope of 9 dimensions"),
        (lambda: Simplex(np.vstack([np.zeros(300), np.eye(300)])), "simplex of 300 dimensions"),
    ],
)
def test_bad_input_polytopes_of_too_many_dimensions(make, words):
    """Refused before their exact corners and walls are made, which takes minutes."""
    start = time.perf_counter()
    with pytest.raises(DomainError, match=rf"{words} cannot be cut, only one of up to 8: .* inside a Subspace"):
        make()
    assert time.perf_counter() - start < 0.5
