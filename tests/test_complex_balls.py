"""Balls: the regions that meet them, against rational distances to the cells of the reference."""

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest

import graph_cases
import networks
import reference
from creases import (
    Ball,
    Box,
    Complex,
    DomainError,
    Line,
    Network,
    Plane,
    Polygon,
    Segment,
    Space,
    Subspace,
    audit,
    count,
    count_in_pieces,
    count_many,
    subdivide,
    theory,
)
from creases.complex import balls, nearest
from creases.domain import domain_from_dict
from creases.domain.ball import above, factored, root_above
from creases.subdivision import subdivide_flat
from engine_twins import LONG
from graph_networks import as_network

# The specification: the squared distance of the nearest point of a hull, in fractions.


def solved(rows):
    """x with rows (a, b) meaning a . x = b; None if there is not exactly one."""
    rows, n = [list(row) for row in rows], len(rows[0]) - 1
    for i in range(n):
        pivot = next((row for row in rows[i:] if row[i]), None)
        if pivot is None:
            return None
        rows.remove(pivot)
        pivot = [x / pivot[i] for x in pivot]
        rows = [[x - row[i] * y for x, y in zip(row, pivot, strict=True)] for row in rows]
        rows.insert(i, pivot)
    return [row[-1] for row in rows]


def plain(p, q):
    return sum(x * y for x, y in zip(p, q, strict=True))


def table_of(points, gram):
    """All products of points."""
    lowered = [[plain(row, q) for row in gram] for q in points]
    return [[plain(p, q) for q in lowered] for p in points]


def squared_distance(table, tights, d):
    """Of a hull in R^d from zero: the nearest point is that of the flat through some of the points, with weights >= 0.

    table : products of the points. tights : of each the walls on which it lies.
    """
    best = min(table[i][i] for i in range(len(table)))
    for size in range(2, d + 2):
        for some in itertools.combinations(range(len(table)), size):
            if not all(is_first_of_face(some[k:], tights, d) for k in range(size)):
                continue
            # The gradient is one and the same along all of them.
            rows = [[Fraction(1)] * size + [Fraction(1)]]
            rows += [[table[i][k] - table[some[0]][k] for k in some] + [Fraction(0)] for i in some[1:]]
            weights = solved(rows)
            if weights is not None and min(weights) >= 0:
                best = min(best, sum(a * table[i][some[0]] for a, i in zip(weights, some, strict=True)))
    return best


def is_first_of_face(some, tights, d):
    """Whether corners may be a simplex of the face that their common walls make: one with its first corner.

    A face is the union of the hulls of its first corner and its own faces, which are unions of the same kind; so it is
    enough to look at such simplices.
    """
    shared = frozenset.intersection(*(tights[i] for i in some))
    return len(shared) > d - len(some) and not any(shared <= tights[i] for i in range(some[0]))


class Exact:
    """A ball in fractions: center in coordinates, the square of its radius, the Gram matrix."""

    def __init__(self, center, radius, basis):
        self.center, self.square = [Fraction(x) for x in center], Fraction(radius) ** 2
        self.gram = [[sum(Fraction(x) * Fraction(y) for x, y in zip(p, q, strict=True)) for q in basis] for p in basis]
        self.reach = Fraction(radius) * 4
        self.on_sphere = 0

    def meets(self, region):
        rays = [[x - c for x, c in zip(ray[:-1], self.center, strict=True)] for ray in region.rays]
        table = table_of(rays, self.gram)
        if any(row[i] < self.square for i, row in enumerate(table)):
            return True
        # A direction in which all of the hull is beyond the sphere; the search is slow.
        if any(min(row) > 0 and min(row) ** 2 > self.square * row[i] for i, row in enumerate(table)):
            return False
        distance = squared_distance(table, [ray.tight for ray in region.cone.rays], len(self.gram))
        self.on_sphere += distance == self.square
        return distance < self.square


def around(exact, slack=2):
    """The reference's box around the ball, in coordinates of the slice; not the one that is cut."""
    d = len(exact.gram)
    inverse = [solved([[*row, Fraction(int(i == j))] for j, row in enumerate(exact.gram)])[i] for i in range(d)]
    halves = []
    for value in inverse:
        half = Fraction(1)
        while half**2 < value * exact.square:
            half *= 2
        while half**2 > 4 * value * exact.square:
            half /= 2
        halves.append(half * slack)
    lower = [c - h for c, h in zip(exact.center, halves, strict=True)]
    return reference.box(lower, [c + h for c, h in zip(exact.center, halves, strict=True)])


def agrees(levels, network, ball, origin, basis):
    """Compare patterns and counts; returns (regions, cells that touch the sphere, cells decided in rationals)."""
    exact = Exact(ball.center.tolist(), ball.radius, basis)
    domain = reference.affine(origin, basis, around(exact))
    by_layer = [
        [region for region in found if exact.meets(region)] for found, _ in reference.graph_layers(levels, domain)
    ]
    expected = {region.pattern for region in by_layer[-1]} if by_layer else {()}
    found = subdivide(network, ball)
    patterns = [tuple(tuple(layer.tolist()) for layer in found.pattern(i)) for i in range(len(found))]
    assert len(set(patterns)) == len(patterns)
    assert set(patterns) == expected
    assert found.by_layer == tuple(len({region.pattern for region in layer}) for layer in by_layer)
    counted = count(network, ball)
    assert (counted.regions, counted.by_layer) == (len(expected), found.by_layer)
    assert counted.certified
    return len(expected), exact.on_sphere, found.exact_cells


def unit(n):
    return [[float(i == j) for j in range(n)] for i in range(n)]


def rational_ball(rng, d, kind):
    """Balls whose center and radius are short dyadic numbers, so that spheres touch what is on a grid."""
    center = (rng.integers(-4, 5, d) / 4).tolist()
    return center, float(rng.choice([0.25, 0.5, 0.75, 1.0, 1.25])) if kind else float(rng.uniform(0.05, 1.5))


@pytest.mark.parametrize(("d", "number"), [(1, 60), (2, 120 if LONG else 40), (3, 20)])
def test_against_exact_networks(d, number):
    """Every kind of degenerate network; some spheres touch cells, and these do not count."""
    total = np.zeros(3, np.int64)
    for i, (_, weights, biases) in enumerate(networks.table(number, 31, d)):
        rng = np.random.default_rng([i, d])
        network = Network.from_arrays(weights, biases, output_layer=False)
        ball = Ball(*rational_ball(rng, d, i % 2))
        total += agrees(reference.chain(weights, biases), network, ball, [0.0] * d, unit(d))
    assert total[0] > 2 * number
    assert total[1] > 0 or d == 3
    assert total[2] > 0


@pytest.mark.parametrize(("d", "number"), [(2, 40 if LONG else 20), (3, 10 if LONG else 5)])
def test_against_exact_tangent_spheres(d, number):
    total = np.zeros(3, np.int64)
    for i in range(number):
        weights, biases = networks.touching(np.random.default_rng([i, d, 7]), d)
        network = Network.from_arrays(weights, biases, output_layer=False)
        total += agrees(reference.chain(weights, biases), network, Ball([0.0] * d, 5), [0.0] * d, unit(d))
    assert total[1] > number / 2
    assert total[2] > number / 2


def test_against_exact_balls_in_slices():
    """Lines, planes and subspaces whose bases are no orthonormal ones, oblique too."""
    total = np.zeros(3, np.int64)
    for i, (_, weights, biases) in enumerate(networks.table(30, 32, 3)):
        rng = np.random.default_rng([i, 5])
        network = Network.from_arrays(weights, biases, output_layer=False)
        d = 1 + i % 3
        basis = np.zeros((d, 3))
        while np.linalg.matrix_rank(basis) < d:
            basis = rng.integers(-2, 3, (d, 3)) / 2
        if i % 4 == 0 and d > 1:
            basis[1] = basis[0] + basis[1] / 64
        origin = rng.integers(-2, 3, 3) / 4
        inside = Line(origin, basis[0]) if d == 1 else Plane(origin, basis) if d == 2 else Subspace(origin, basis)
        center, radius = rational_ball(rng, d, i % 2)
        ball = Ball(center, radius, inside)
        total += agrees(reference.chain(weights, biases), network, ball, origin.tolist(), basis.tolist())
    assert total[1] > 0


def test_against_exact_graphs():
    """Clips, switches, any slopes, residual sums."""
    for seed in range(40 if LONG else 20):
        rng = np.random.default_rng([seed, 9])
        d = 1 + seed % 2
        levels = graph_cases.random_graph(rng, d, degenerate=bool(seed % 3), most_units=4)
        agrees(levels, as_network(levels, d), Ball(*rational_ball(rng, d, seed % 2)), [0.0] * d, unit(d))


# What floats say is what rationals say.


def test_against_exact_hulls():
    """Random hulls around distance one: floats are never wrong, and seldom silent."""
    rng = np.random.default_rng(3)
    silent = 0
    for d in (1, 2, 3, 5):
        gram = [[Fraction(int(i == j)) for j in range(d)] for i in range(d)]
        for _ in range(25):
            points = rng.standard_normal((rng.integers(1, d + 4), d)) * rng.choice([0.1, 1.0]) + rng.standard_normal(d)
            hull = balls.Hulls(points, np.array([0, len(points)]), 1e-13)
            exact = [[Fraction(x) for x in point] for point in points.tolist()]
            # Of points without walls all subsets are looked at.
            tights = [frozenset(range(9)) - {i} for i in range(len(points))]
            answer = balls.by_floats(hull)[0]
            nearer = nearest.is_nearer(exact, nearest.Metric(gram), Fraction(1))
            assert nearer == (squared_distance(table_of(exact, gram), tights, d) < 1)
            silent += answer == balls.UNDECIDED
            assert answer in (balls.UNDECIDED, balls.MEETS if nearer else balls.MISSES)
    assert silent == 0


def test_known_tangent_hulls():
    """The hull of (1, -1) and (1, 1) touches the circle; floats do not say so, and a hair decides."""
    one = [[Fraction(int(i == j)) for j in range(2)] for i in range(2)]
    for move, nearer in ((0, False), (-1, True), (1, False)):
        x = 1 + Fraction(move, 10**30)
        assert nearest.is_nearer([[x, Fraction(-1)], [x, Fraction(1)]], nearest.Metric(one), Fraction(1)) == nearer
    points = np.array([[1.0, -1.0], [1.0, 1.0]])
    assert balls.by_floats(balls.Hulls(points, np.array([0, 2]), 1e-12))[0] == balls.UNDECIDED
    assert balls.by_floats(balls.Hulls(points, np.array([0, 2]), np.inf))[0] == balls.UNDECIDED


def test_against_exact_without_floats(monkeypatch):
    """All cells in rationals: the same regions."""
    network = Network.he([2, 6, 5, 1], seed=4)
    ball = Ball([0.1, 0.2], 0.7)
    expected = subdivide(network, ball)
    monkeypatch.setattr(balls, "SMALLEST", np.inf)
    found = subdivide(network, ball)
    assert found.exact_cells > expected.exact_cells
    assert np.array_equal(found.patterns, expected.patterns)


# What must be so.


def test_laws_between_polygons():
    """A disc has no fewer regions than a polygon in it, and no more than one around it."""
    for seed in range(6):
        network = Network.he([2, 16, 16, 1], seed=seed, bias_std=0.5)
        angles = np.arange(64) * np.pi / 32
        circle = np.column_stack([np.cos(angles), np.sin(angles)])
        counts = [
            count(network, Polygon(0.8 * (1 - 1e-9) * circle)).regions,
            count(network, Ball([0, 0], 0.8)).regions,
            count(network, Polygon(0.8 * circle / np.cos(np.pi / 64) * (1 + 1e-9))).regions,
        ]
        assert counts == sorted(counts)
        assert counts[2] - counts[0] < 0.1 * counts[0]


def test_laws_grow_with_the_radius():
    network = Network.he([3, 8, 8, 1], seed=2, bias_std=0.5)
    sizes = [count(network, Ball([0, 0, 0], radius)).regions for radius in (0.01, 0.3, 1, 3, 1e6)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1] < sizes[2]
    assert sizes[-1] <= count(network, Space(3)).regions
    assert sizes[-1] == count(network, Box([-1e6] * 3, [1e6] * 3)).regions


def test_laws_a_segment_is_a_ball_in_a_line():
    network = Network.he([4, 10, 10, 1], seed=1, bias_std=0.5)
    direction = np.array([0.5, -0.5, 0.5, 0.5])
    line = Line([0.1, 0.2, 0.3, 0.4], direction)
    ends = line.slice.points([[-1.5], [2.5]])
    ball = Ball([0.5], 2.0, line)
    assert count(network, ball).regions == count(network, Segment(*ends)).regions
    # Twice as long a basis vector is another coordinate, and the same ball.
    assert count(network, Ball([0.25], 2.0, Line(line.point, 2 * direction))).regions == count(network, ball).regions


def test_laws_samples_of_a_ball_are_in_its_regions():
    network = Network.he([5, 12, 12, 1], seed=3, bias_std=0.5)
    plane = Plane.through(*np.random.default_rng(0).uniform(-1, 1, (3, 5)))
    ball = Ball([0.3, 0.3], 0.8, plane)
    found = subdivide(network, ball)
    known = {pattern.tobytes() for pattern in found.patterns}
    points = plane.slice.points(np.random.default_rng(1).uniform(-2, 3, (4000, 2)))
    center = plane.slice.points(ball.center)
    near = np.linalg.norm(points - center, axis=1) < 0.8
    assert 50 < near.sum() < 2000
    assert all(pattern.tobytes() in known for pattern in network.packed_pattern(points[near]))
    assert not all(pattern.tobytes() in known for pattern in network.packed_pattern(points[~near]))


def test_laws_by_neuron_in_a_large_ball():
    """A ball with all that a box has."""
    network = Network.he([2, 8, 8, 1], seed=5, bias_std=0.2)
    box, ball = Box([-50, -50], [50, 50]), Ball([0, 0], 50)
    expected, found = count(network, box, by_neuron=True), count(network, ball, by_neuron=True)
    assert expected.regions == found.regions
    assert found.by_neuron == expected.by_neuron
    small = count(network, Ball([0, 0], 0.1), by_neuron=True)
    assert sum(map(sum, small.by_neuron)) < sum(map(sum, found.by_neuron))
    # Each cut of a region of the layers below adds at least one region.
    assert small.regions > max(small.by_neuron[1])


@pytest.mark.parametrize("d", [2, 3])
def test_laws_complex_of_a_ball(d, tmp_path):
    """Its cells hang together, each with a point inside; it is saved and loaded."""
    network = Network.he([d, 16, 8, 1] if d == 2 else [d, 7, 6, 1], seed=6, bias_std=0.4)
    ball = Ball([0.125] * d, 0.625)
    found, around_it = subdivide(network, ball), subdivide(network, Box([-0.5] * d, [0.75] * d))
    assert 1 < len(found) < len(around_it)
    for i, point in enumerate(found.interior_points):
        assert np.array_equal(network.packed_pattern(point), found.patterns[i])
    cells, walls = found.facets.cells, found.facets.walls
    assert (cells[:, 0] >= 0).all()
    assert (walls[found.facets.inner] >= 0).all()
    places = {pattern.tobytes(): i for i, pattern in enumerate(found.patterns)}
    # Facets without a second cell: the domain's, or between a cell that meets the ball and one that does not.
    beyond = around_it.facets
    gone = [p.tobytes() not in places for p in around_it.patterns]
    cut_off = sum(gone[a] != gone[b] for a, b in beyond.cells[beyond.inner].tolist())
    assert ((cells[:, 1] < 0) & (walls >= 0)).sum() == cut_off > 0
    again = Complex.load(found.save(tmp_path / "ball.npz"))
    assert again.domain == ball
    assert np.array_equal(again.patterns, found.patterns)
    assert repr(again) == repr(found)


@pytest.mark.parametrize("ball", [Ball([0, 0], 0.5), Ball([0.5], 0.25, Line([0, 0], [1, 1]))], ids=repr)
def test_laws_every_way_to_cut_keeps_what_meets_the_ball(ball):
    """What pictures are made of, too: they say how many regions there are."""
    network = Network.he([2, 16, 16, 1], seed=0, bias_std=0.3)
    found = subdivide_flat(network, ball)
    assert len(found) == count(network, ball).regions == len(subdivide(network, ball))
    assert np.array_equal(found.patterns, subdivide(network, ball).patterns)


def test_laws_threads_and_many():
    network = Network.he([2, 12, 12, 1], seed=7)
    domains = [Ball([0, 0], 0.5), Box([-1, -1], [1, 1]), Ball([0.5, 0], 0.1), Segment([0, 0], [1, 1])]
    assert [c.regions for c in count_many(network, domains)] == [count(network, domain).regions for domain in domains]
    one, two = (subdivide(network, domains[0], threads=threads) for threads in (1, 2))
    assert np.array_equal(one.patterns, two.patterns)
    seen = []
    assert count(network, domains[0], progress=seen.append).regions == seen[-1]


def test_known_balls():
    """Four quadrants: around a corner, an edge and inside one; and on a sphere that touches."""
    cross = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
    for center, radius, regions in (
        ([0, 0], 0.5, 4),
        ([1, 0], 0.5, 2),
        ([1, 0], 1, 2),  # the axis x = 0 is touched
        ([1, 1], 1, 1),
        ([1, 1], np.nextafter(1.0, 2.0), 3),
        ([1, 1], 1.4, 3),
        ([3, 4], 5, 3),  # the corner lies on the circle
        ([3, 4], np.nextafter(5.0, 6.0), 4),
    ):
        assert count(cross, Ball(center, radius)).regions == regions, (center, radius)
    constant = Network.from_arrays([[[0.0, 0.0]]], [[1.0]], output_layer=False)
    assert count(constant, Ball([7, 7], 3)).by_layer == (1,)
    linear = Network.from_arrays([[[1.0, 0.0]], [[1.0]]], [[1.0], [1.0]])
    assert count(linear, Ball([0, 0], 2)).regions == 2


def test_known_per_volume():
    cross = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
    assert count(cross, Ball([0, 0], 2)).per_volume == pytest.approx(4 / (4 * np.pi))
    # In a slice, of input space.
    plane = Plane([0, 0], [[3, 0], [1, 5]])
    assert count(cross, Ball([0, 0], 2, plane)).per_volume == pytest.approx(4 / (4 * np.pi))


def test_known_theory_of_a_ball():
    network = Network.he([2, 12, 12, 1], seed=1, bias_std=0.5)
    names = [row.name for row in theory.compare(count(network, Ball([0, 0], 1)), network).rows]
    assert {"T-hat", "C_grad", "C_bias"} <= set(names)


def test_laws_extreme_sizes():
    """Floats that underflow or overflow when they are squared."""
    for scale in (2.0**-600, 2.0**600):
        cross = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[-3 * scale, -4 * scale]], output_layer=False)
        assert count(cross, Ball([0, 0], 5 * scale)).regions == 3
        assert count(cross, Ball([0, 0], 5.0000001 * scale)).regions == 4
        assert count(cross, Ball([0, 0], 4 * scale)).regions == 2
    plane = Plane([0, 0], [[2.0**600, 0], [2.0**600, 1]])
    cross = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[-0.25, -0.5]], output_layer=False)
    assert count(cross, Ball([0, 0], 0.5, plane)).regions == 2
    assert count(cross, Ball([0, 0], 0.75, plane)).regions == 4


# The domain.


@pytest.mark.parametrize("seed", range(20))
def test_against_exact_corners_are_around_the_ball(seed):
    """On each wall of the polytope the ball stays on its inner side, in fractions; and it is not much larger."""
    rng = np.random.default_rng([seed, 1])
    d = 1 + seed % 4
    basis = rng.standard_normal((d, 6)) * np.exp(rng.uniform(-3, 3, (d, 1)))
    if seed % 5 == 4:
        basis[-1] = basis[0] + 1e-3 * basis[-1]
    ball = Ball(rng.standard_normal(d), float(np.exp(rng.uniform(-3, 3))), Subspace(rng.standard_normal(6), basis))
    exact = Exact(ball.center.tolist(), ball.radius, basis.tolist())
    assert [list(row) for row in ball.gram] == exact.gram
    for *normal, constant in ball.corners.walls:
        at = sum((a * c for a, c in zip(normal, exact.center, strict=True)), Fraction(constant))
        column = solved([[*row, Fraction(a)] for row, a in zip(exact.gram, normal, strict=True)])
        reach = sum(a * x for a, x in zip(normal, column, strict=True)) * exact.square
        assert at > 0
        assert at**2 >= reach
        assert at**2 <= reach * Fraction(1 + 1e-12)
    assert len(ball.corners.rays) == 2**d
    sides = (ball.vertices - ball.center) @ ball.unit_map.T
    assert np.linalg.norm(sides, axis=1).max() < (4 if d < 4 else 8)
    np.testing.assert_allclose(ball.unit_map.T @ ball.unit_map * ball.radius**2, basis @ basis.T, rtol=1e-9)


def test_against_exact_numbers():
    assert root_above(Fraction(0)) == 0
    for value in (Fraction(1), Fraction(2), Fraction(9, 4), Fraction(1, 3**99), Fraction(7**300), Fraction(10**40, 3)):
        root = root_above(value)
        assert value <= root**2 <= value * (1 + Fraction(1, 2**78))
    assert above(Fraction(1, 3)) == np.nextafter(1 / 3, 1)
    assert above(Fraction(-1, 3)) == -1 / 3
    assert above(Fraction(10**400)) == np.inf
    assert above(-Fraction(10**400)) == -np.finfo(float).max
    below, pivots = factored(((Fraction(4), Fraction(2)), (Fraction(2), Fraction(3))))
    assert (below, pivots) == ([[1, 0], [Fraction(1, 2), 1]], [4, 2])


def test_known_domain():
    ball = Ball([1, 2], 0.5)
    assert (ball.dimension, ball.slice.n_in, repr(ball)) == (2, 2, "Ball(dimension=2, radius=0.5)")
    assert ball.vertices.tolist() == [[0.5, 1.5], [1.5, 1.5], [1.5, 2.5], [0.5, 2.5]]
    inside = Ball([0], 1, Line([0, 0, 0], [3, 0, 4]))
    assert repr(inside) == "Ball(dimension=1, radius=1, n_in=3)"
    assert inside.vertices.ravel().tolist() == pytest.approx([-0.2, 0.2])
    for one in (ball, inside, Ball([0, 0], 2, Plane.through([0.1, 0.2], [1e17, 3], [4, 5]))):
        again = domain_from_dict(json.loads(json.dumps(one.to_dict())))
        assert again == one
        assert hash(again) == hash(one)
    assert Ball([1, 2], 0.5) != Ball([1, 2], 0.25)
    image = Network.from_arrays([np.ones((1, 4))], [[0.0]], input_shape=(2, 2), output_layer=False)
    assert count(image, Ball(np.zeros((2, 2)), 1)).regions == 2


def test_bad_input():
    for radius in (0, -1, np.nan, np.inf, [1, 2]):
        with pytest.raises(DomainError, match="radius of a ball must be a finite positive number"):
            Ball([0, 0], radius)
    with pytest.raises(DomainError, match="radius must hold real numbers"):
        Ball([0, 0], "1")
    with pytest.raises(DomainError, match="center has coordinate 1 = nan"):
        Ball([0, np.nan], 1)
    with pytest.raises(DomainError, match=r"center has 3 coordinates, but Plane\(n_in=3\) has 2"):
        Ball([0, 0, 0], 1, Plane([0, 0, 0], [[1, 0, 0], [0, 1, 0]]))
    with pytest.raises(DomainError, match="`inside` must be a Line, a Plane, a Subspace or None, got Box"):
        Ball([0, 0], 1, Box([0, 0], [1, 1]))
    with pytest.raises(DomainError, match="not a ball as to_dict describes one"):
        domain_from_dict({"kind": "ball", "center": [0]})
    network = Network.he([2, 4, 1])
    with pytest.raises(DomainError, match="lies in a space of 3 inputs"):
        count(network, Ball([0, 0, 0], 1))
    with pytest.raises(DomainError, match="has 9 dimensions; domains of up to 8"):
        count(Network.he([9, 4, 1]), Ball(np.zeros(9), 1))
    with pytest.raises(DomainError, match="reaches beyond what float64 holds"):
        count(network, Ball([1.5e308, 0], 1e308))
    with pytest.raises(DomainError, match="A Ball is not counted in pieces"):
        count_in_pieces(network, Ball([0, 0], 1))
    with pytest.raises(DomainError, match="is round, and an audit"):
        audit(count(network, Ball([0, 0], 1)), network)
