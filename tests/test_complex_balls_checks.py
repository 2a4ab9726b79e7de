"""Complexes on balls: `check` green on what is right and red on damages, what hangs together, and what is refused."""

import dataclasses
from fractions import Fraction
from unittest import mock

import numpy as np
import pytest

import graph_cases
import networks
from creases import (
    Ball,
    Box,
    DomainError,
    Network,
    Plane,
    Subspace,
    count_linear_regions,
    level_set,
    sliced,
    subdivide,
    subdivision,
    theory,
)
from creases.complex import boundary_of, decision_boundary, decision_regions
from creases.complex.balls import faces_in_ball, facets_in_ball, regions_by_layer, some_cells, within_ball
from creases.complex.measures import boundary_length, crossings
from creases.errors import ComputationError
from engine_twins import LONG
from graph_networks import as_network


def random_ball(rng, d, inside=None):
    """Centers and radii on a grid, so that spheres touch what is on it."""
    return Ball((rng.integers(-4, 5, d) / 4).tolist(), float(rng.choice([0.25, 0.5, 0.75, 1.0, 1.25])), inside)


def around(network, ball):
    """All cells of the polytope around a ball, as `subdivide` has them before it drops some."""
    with mock.patch.object(subdivision, "within_ball", lambda cells: cells):
        return subdivide(network, ball, threads=1, progress=False)


def lonely(cells):
    """How many facets of a neuron have one cell."""
    return int((~cells.facets.inner & (cells.facets.walls >= 0)).sum())


# Green.


@pytest.mark.parametrize(("d", "number"), [(1, 20), (2, 60 if LONG else 20), (3, 30 if LONG else 20), (4, 6)])
def test_laws_green_on_chains(d, number):
    """Every kind of degenerate network."""
    alone = 0
    for i, (_, weights, biases) in enumerate(networks.table(number, 41, d)):
        cells = subdivide(
            Network.from_arrays(weights, biases, output_layer=False), random_ball(np.random.default_rng([i, d]), d)
        )
        found = cells.check(sample=None if len(cells) < 60 else 30)
        assert found.volume_error is None
        assert found.corner_error <= 1e-9
        alone += lonely(cells)
    assert alone > number / 3 or d == 1


def test_laws_green_in_slices():
    for i, (_, weights, biases) in enumerate(networks.table(20, 42, 3)):
        rng = np.random.default_rng([i, 6])
        network = Network.from_arrays(weights, biases, output_layer=False)
        basis = [[1.0, 0.5, 0.0], [1.0, 0.5, 0.125], [0.0, 1.0, 1.0]]
        inside = Plane([0, 0, 0.25], basis[:2]) if i % 2 else Subspace([0, 0.5, 0], basis)
        subdivide(network, random_ball(rng, 3 - i % 2, inside)).check()


def test_laws_green_on_graphs():
    for seed in range(16):
        rng = np.random.default_rng([seed, 10])
        d = 2 + seed % 2
        network = as_network(graph_cases.random_graph(rng, d, degenerate=bool(seed % 3), most_units=4), d)
        if network.bits:
            subdivide(network, random_ball(rng, d)).check()


def test_laws_green_on_many_neurons():
    cells = subdivide(Network.he([2, 64, 64, 1], seed=1), Ball([0.3, 0.1], 0.4))
    assert lonely(cells) > 20
    cells.check(sample=40)


def test_known_tangent_ball():
    """A circle that touches an axis: the cell beyond it is not there, by no more than nothing."""
    cross = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
    cells = subdivide(cross, Ball([1, 0], 1))
    assert len(cells) == 2
    assert cells.check(sample=None).complete


# Red.

FLAT = Network.from_arrays(*networks.random_network([2, 9, 7, 1], 4, 0.4)), Ball([0.25, 0], 0.625)
SOLID = Network.from_arrays(*networks.random_network([3, 5, 4, 1], 4, 0.4)), Ball([0, 0.25, 0], 0.5)
BOTH = pytest.mark.parametrize(("network", "ball"), [FLAT, SOLID], ids=["flat", "solid"])


def red(cells, match):
    with pytest.raises(ComputationError, match=match):
        cells.check(sample=None)


def chosen(cells, some):
    """A complex of some cells that says itself how many it has."""
    some = np.asarray(some)
    return dataclasses.replace(some_cells(cells, some), by_layer=regions_by_layer(cells.network, cells.patterns[some]))


@BOTH
def test_red_a_cell_that_is_missing(network, ball):
    cells = subdivide(network, ball)
    cells.check(sample=None)
    for gone in range(len(cells)):
        red(chosen(cells, np.delete(np.arange(len(cells)), gone)), "meets Ball.* and has one cell")


@BOTH
def test_red_a_cell_too_many(network, ball):
    """A cell of the polytope that the ball does not meet."""
    everything = around(network, ball)
    kept = within_ball(everything)
    there = {pattern.tobytes() for pattern in kept.patterns}
    numbers = np.arange(len(everything))
    inside = np.array([pattern.tobytes() in there for pattern in everything.patterns])
    assert len(numbers[~inside]) > 0
    for more in numbers[~inside]:
        red(chosen(everything, np.sort(np.append(numbers[inside], more))), "does not meet Ball")


@BOTH
def test_red_a_facet_that_is_seen_in_rationals_alone(network, ball, monkeypatch):
    from creases.complex import checking

    monkeypatch.setattr(checking, "check_faces_in_ball", lambda *_: None)
    monkeypatch.setattr(checking, "check_volumes_of_ball", lambda *_: None)
    cells = subdivide(network, ball)
    red(chosen(cells, np.arange(1, len(cells))), "has one cell, and the cell on its other side meets Ball")


@BOTH
def test_red_damages_of_any_complex(network, ball):
    cells = subdivide(network, ball)
    corners, patterns = cells.corners.copy(), cells.patterns.copy()
    corners[len(corners) // 2] += 1e-6
    red(dataclasses.replace(cells, corners=corners), "is not right")
    patterns[0, 0] ^= 1
    red(dataclasses.replace(cells, patterns=patterns), "is not right")
    red(dataclasses.replace(cells, by_layer=(cells.by_layer[0] + 1, *cells.by_layer[1:])), "up to layer 1")
    red(dataclasses.replace(cells, by_layer=cells.by_layer[1:]), "by_layer has 1 numbers, and the network has 2")
    red(dataclasses.replace(cells, domain=Ball(ball.center, 0.75)), "is not right")


def test_red_volumes():
    """The cells of a smaller ball do not cover a larger one."""
    from creases.complex.ball_checks import check_volumes_of_ball

    ball, extents = Ball([0, 0], 1), np.array([2.0, 2.0])
    check_volumes_of_ball(ball, np.pi / 4, 1.0, extents, 1e-7)
    check_volumes_of_ball(ball, 1.0, 1.0, extents, 1e-7)
    for total in (0.785, 1.001):
        with pytest.raises(ComputationError, match=f"{total / 1:.3g} of that of the polytope|volumes add up"):
            check_volumes_of_ball(ball, total, 1.0, extents, 1e-7)


# What hangs together inside a ball.


def squared_distance_to_segment(one, other, center):
    """Of a point from a segment in the plane, in fractions."""
    step = [b - a for a, b in zip(one, other, strict=True)]
    away = [c - a for a, c in zip(one, center, strict=True)]
    square = sum(x * x for x in step)
    share = min(max(sum(x * y for x, y in zip(step, away, strict=True)) / square, Fraction(0)), Fraction(1))
    return sum((x - share * y) ** 2 for x, y in zip(away, step, strict=True))


def components_by_hand(count, pairs):
    parent = list(range(count))

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    for one, other in pairs:
        parent[root(one)] = root(other)
    return len({root(i) for i in range(count)})


def test_against_exact_facets_and_what_they_join():
    """Which facets meet a disc, against distances in fractions of floats; and linear regions that they join."""
    for i, (name, weights, biases) in enumerate(networks.table(60, 44, 2)):
        if name.split("-")[0] in ("extreme", "nudged", "mixed_scales"):
            continue
        rng = np.random.default_rng([i, 8])
        network = Network.from_arrays(weights, biases, output_layer=False)
        ball = Ball(rng.uniform(-1, 1, 2), float(rng.uniform(0.2, 0.8)))
        cells = subdivide(network, ball)
        center, square = [Fraction(x) for x in ball.center.tolist()], Fraction(ball.radius) ** 2
        ends = cells.vertices[cells.facets.vertices].reshape(-1, 2, 2).tolist()
        distances = [
            squared_distance_to_segment([Fraction(x) for x in a], [Fraction(x) for x in b], center) for a, b in ends
        ]
        meets = facets_in_ball(cells)
        own = cells.facets.walls >= 0  # walls of the square touch the circle, and their ends are rounded
        assert not meets[~own].any()
        assert np.array_equal(np.array([d < square for d in distances])[own], meets[own])
        joined = cells.facets.cells[meets & cells.facets.inner & ~cells.jumps]
        assert int(cells.linear_regions.max()) + 1 == components_by_hand(len(cells), joined.tolist())
        assert count_linear_regions(network, ball).linear_regions == int(cells.linear_regions.max()) + 1
        assert len(set(cells.affine_maps.tolist())) <= int(cells.linear_regions.max()) + 1


def test_known_regions_that_meet_outside():
    """relu(2 - |x - y| - (x + y)), which is above zero where x < 1 and y < 1: its zeros left and right of there meet on
    the diagonal behind (1, 1), which is outside of the disc and inside of the square around it."""
    weights = [
        [[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]],
        [[-1.0, -1.0, -1.0, 1.0]],
        [[1.0]],
    ]
    network = Network.from_arrays(weights, [[0.0] * 4, [2.0], [0.0]])
    found = count_linear_regions(network, Ball([0, 0], 1.25))
    assert (found.linear_regions, found.affine_maps) == (4, 3)
    assert count_linear_regions(network, Ball([0, 0], 1.5)).linear_regions == 3
    assert count_linear_regions(network, Box([-1.25, -1.25], [1.25, 1.25])).linear_regions == 3
    cells = subdivide(network, Ball([0, 0], 1.25))
    assert cells.check(sample=None).complete
    left, right = cells.locate([[0.25, 1.125], [1.125, 0.25]])
    assert cells.adjacency()[left, right]
    assert cells.linear_regions[left] != cells.linear_regions[right]
    assert cells.affine_maps[left] == cells.affine_maps[right]


def test_known_decision_regions_of_a_disc():
    """|x| - 1 against 0: three parts of a disc that reaches beyond, one of one that does not."""
    bent = Network.from_arrays([[[1.0, 0.0], [-1.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]]], [[0.0, 0.0], [-1.0, 0.0]])
    found = decision_regions(subdivide(bent.with_argmax(), Ball([0, 0], 2)))
    assert sorted(found.classes.tolist()) == [0, 0, 1]
    assert np.isnan(found.volumes).all()
    assert found.is_bounded.all()
    assert decision_regions(subdivide(bent.with_argmax(), Ball([0, 0], 1))).classes.tolist() == [1]


def test_known_faces_in_a_ball():
    cross = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
    cells = subdivide(cross, Ball([0.25, 0], 0.5))
    assert facets_in_ball(cells).sum() == 4
    points = cells.faces(0)
    assert faces_in_ball(cells, points.first, points.vertices).sum() == 1


# Refused.


def test_bad_input_refused_on_balls():
    network = Network.he([2, 6, 2], seed=0)
    cells = subdivide(network, Ball([0, 0], 1))
    classes = subdivide(network.with_argmax(), Ball([0, 0], 1))
    for what, ask in (
        ("Strata", cells.strata),
        ("Strata", lambda: theory.compare_strata(cells)),
        ("Bent hyperplanes", cells.bent_hyperplanes),
        ("Six definitions of regions", cells.definitions),
        ("Measures of boundaries", lambda: boundary_length(cells)),
        ("Measures of boundaries", lambda: crossings(cells)),
        ("Boundaries between cells", lambda: boundary_of(cells, np.arange(len(cells)))),
        ("Boundaries between cells", lambda: decision_boundary(classes)),
        ("Level sets", lambda: level_set(network, Ball([0, 0], 1))),
    ):
        with pytest.raises(
            DomainError, match=rf"{what} have no meaning on Ball\(dimension=2, radius=1\): .* a Box around the ball"
        ):
            ask()
    plane = Plane([0, 0, 0], [[1, 0, 0], [0, 1, 0]])
    inside = subdivide(Network.he([3, 4, 1]), Ball([0, 0], 1, plane))
    with pytest.raises(DomainError, match="a Segment, Polygon or Polytope of the slice around the ball"):
        inside.strata()
    with pytest.raises(DomainError, match="Ball"):
        sliced(subdivide(Network.he([3, 4, 1]), Ball([0, 0, 0], 1)), plane)
