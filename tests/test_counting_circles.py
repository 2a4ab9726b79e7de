"""Pieces along circles: known ones, dense sampling, and all crossings with walls in many digits."""

from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from flint import arb, ctx, fmpq

import graph_cases
import networks
import reference
from creases import Box, Circle, DomainError, Network, Plane, audit, count, count_in_pieces, subdivide
from creases.domain import domain_from_dict
from creases.theory import compare
from graph_networks import as_network

pytestmark = pytest.mark.jit


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


CROSS = hidden([[[1, 0], [0, 1]]], [[0, 0]])


@pytest.mark.parametrize(
    ("center", "radius", "pieces", "distinct"),
    [
        ([0, 0], 1, 4, 4),
        ([0.5, 0.5], 1, 4, 4),
        ([0.5, 0], 1, 4, 4),
        ([3, 0], 1, 2, 2),
        ([1, 1], 1, 1, 1),  # touches both axes, and stays where it is
        ([3, 4], 5, 3, 3),  # passes through the corner at zero
        ([0, 5], 5, 2, 2),  # touches one axis where it crosses the other
        ([3, 3], 1, 1, 1),
    ],
)
def test_known_circles_on_a_cross(center, radius, pieces, distinct):
    found = count(CROSS, Circle(center, radius))
    assert (found.regions, found.distinct, found.by_layer, found.certified) == (pieces, distinct, (pieces,), True)


def test_known_a_corner_that_points_outward():
    """|x| + |y| = 5 inside of a circle of radius 5: four corners on the circle, which stays outside."""
    network = hidden([[[1, 0], [-1, 0], [0, 1], [0, -1]], [[1, 1, 1, 1]]], [[0] * 4, [-5]])
    found = count(network, Circle([0, 0], 5))
    assert (found.regions, found.distinct, found.by_layer) == (4, 4, (4, 4))
    assert count(network, Circle([0, 0], np.nextafter(5, 0))).by_layer == (4, 12)
    assert count(network, Circle([0, 0], np.nextafter(5, 9))).by_layer == (4, 4)


def test_known_circle_without_walls():
    constant = hidden([[[0, 0]]], [[1]])
    assert count(constant, Circle([2, 3], 0.1)).by_layer == (1,)


def test_laws_lines_are_crossed_twice():
    rng = np.random.default_rng(4)
    normals, offsets = rng.standard_normal((30, 2)), rng.uniform(-2, 2, 30)
    crossed = int((np.abs(offsets) < np.linalg.norm(normals, axis=1)).sum())
    assert count(hidden([normals], [offsets]), Circle([0, 0], 1)).regions == 2 * crossed


@pytest.mark.parametrize("seed", range(12))
def test_laws_dense_sampling(seed):
    """Pieces and regions by layer as sampled points of the circle see them."""
    rng = np.random.default_rng(seed)
    network = Network.he([2, 12, 10, 1], seed=seed, bias_std=0.4)
    circle = Circle(rng.uniform(-0.5, 0.5, 2), rng.uniform(0.2, 2))
    found = count(network, circle)
    angles = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    points = circle.center + circle.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    below = network.pattern(points)[0]
    assert found.by_layer[0] == max(1, int((below != np.roll(below, 1, axis=0)).any(axis=1).sum()))
    patterns = network.packed_pattern(points)
    assert found.regions == max(1, int((patterns != np.roll(patterns, 1, axis=0)).any(axis=1).sum()))
    assert found.distinct == len(np.unique(patterns, axis=0))
    assert found.regions == count(network, circle, threads=2).regions


def rounded(number):
    """The middle of an interval of many digits."""
    exact = number.mid().fmpq()
    return Fraction(int(exact.p), int(exact.q))


def brute_force(levels, center, radius):
    """(pieces by layer, regions) of a circle: the patterns between all its crossings with the lines of all walls.

    Angles are in units of half a turn, in 300 bits; those that are nearer than 1e-25 are one.
    """
    before, ctx.prec = ctx.prec, 300
    try:
        return between(levels, [Fraction(x) for x in center], Fraction(radius))
    finally:
        ctx.prec = before


def between(levels, center, radius):
    box = reference.box([x - 2 * radius for x in center], [x + 2 * radius for x in center])
    angles = {Fraction(0)}
    for region in reference.graph_regions(levels, box):
        for (p, on), (q, also) in combinations(((ray.vector, ray.tight) for ray in region.cone.rays), 2):
            if on & also:
                line = (p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0])
                angles |= crossings(line, center, radius)
    angles = sorted(angles)
    apart = [one for one, after in pairwise([*angles, Fraction(2)]) if after - one > Fraction(1, 10**25)]
    patterns = []
    for one, after in pairwise([*apart, 2 + apart[0]]):
        middle = as_arb((one + after) / 2)
        turns = rounded(middle.cos_pi()), rounded(middle.sin_pi())
        point = [x + radius * turn for x, turn in zip(center, turns, strict=True)]
        patterns.append(reference.graph_pattern_at(levels, point))
    around = list(pairwise([*patterns, patterns[0]]))
    depth = len(patterns[0])
    by_layer = [max(sum(one[:k] != after[:k] for one, after in around), 1) for k in range(1, depth + 1)]
    return tuple(by_layer), set(map(str, patterns))


def as_arb(number):
    return arb(fmpq(number.numerator, number.denominator))


def crossings(line, center, radius):
    """The angles at which a circle meets a line a x + b y + c = 0."""
    a, b, c = map(Fraction, line)
    height, square = a * center[0] + b * center[1] + c, a * a + b * b
    if not square or height * height > radius * radius * square:
        return set()
    share = as_arb(height * height / (radius * radius * square)).sqrt()
    away = arb.pi() - share.acos() if height < 0 else share.acos()
    middle = arb.atan2(as_arb(-b), as_arb(-a))
    return {rounded((middle + turn) / arb.pi()) % 2 for turn in (away, -away)}


def agrees(levels, network, center, radius):
    by_layer, patterns = brute_force(levels, center, radius)
    found = count(network, Circle(center, radius))
    assert (found.by_layer, found.distinct) == (by_layer, len(patterns))
    assert found.regions == by_layer[-1]
    assert found.certified
    return found.exact_cells


def test_against_exact_degenerate_networks():
    exact = 0
    for i, (name, weights, biases) in enumerate(networks.table(60, 51, 2)):
        if name.split("-")[0] in ("extreme", "nudged", "mixed_scales"):  # numbers of more than sixty digits
            continue
        rng = np.random.default_rng(i)
        center, radius = (rng.integers(-4, 5, 2) / 4).tolist(), float(rng.choice([0.25, 0.5, 1.0, 1.25]))
        exact += agrees(reference.chain(weights, biases), hidden(weights, biases), center, radius)
    assert exact > 20


def test_against_exact_lines_that_touch():
    exact = 0
    for seed in range(30):
        weights, biases = networks.touching(np.random.default_rng([seed, 3]), 2)
        exact += agrees(reference.chain(weights, biases), hidden(weights, biases), [0.0, 0.0], 5.0)
    assert exact > 30


def test_against_exact_graphs():
    for seed in range(30):
        rng = np.random.default_rng([seed, 12])
        levels = graph_cases.random_graph(rng, 2, degenerate=bool(seed % 3), most_units=4)
        network = as_network(levels, 2)
        if network.bits:
            agrees(levels, network, (rng.integers(-4, 5, 2) / 4).tolist(), 0.75)


def test_laws_a_circle_in_a_plane():
    """As of the network on the plane's coordinates, whose basis is orthonormal."""
    network = Network.he([3, 10, 8, 1], seed=2, bias_std=0.3)
    plane = Plane([0.5, 0, 0.25], [[0.6, 0.8, 0], [0, 0, 1]])
    basis = np.array([[0.6, 0.8, 0], [0, 0, 1]])
    weights = [level.sources[i].matrix for i, level in enumerate(network.levels)]
    biases = [level.bias for level in network.levels]
    flat = Network.from_arrays(
        [weights[0] @ basis.T, *weights[1:]], [biases[0] + weights[0] @ [0.5, 0, 0.25], *biases[1:]]
    )
    one, other = count(network, Circle([0.1, 0.2], 1.5, plane)), count(flat, Circle([0.1, 0.2], 1.5))
    assert (one.by_layer, one.distinct) == (other.by_layer, other.distinct)
    # With twice as long a basis it is the same circle.
    twice = Plane([0.5, 0, 0.25], [[1.2, 1.6, 0], [0, 0, 2]])
    assert count(network, Circle([0.05, 0.1], 1.5, twice)).by_layer == one.by_layer


def test_known_what_a_circle_says():
    circle = Circle([1, 2], 0.5, Plane([0, 0, 0], [[1, 0, 0], [0, 1, 0]]))
    assert domain_from_dict(circle.to_dict()) == circle
    assert repr(circle) == "Circle(radius=0.5, length=3.14, n_in=3)"
    assert count(CROSS, Circle([0, 0], 1)).per_volume == pytest.approx(4 / (2 * np.pi))


def test_bad_input():
    with pytest.raises(DomainError, match="this center has 3 coordinates"):
        Circle([0, 0, 0], 1)
    with pytest.raises(DomainError, match="finite positive number"):
        Circle([0, 0], 0)
    with pytest.raises(DomainError, match="must be a Plane or None, got Box"):
        Circle([0, 0], 1, Box([0, 0], [1, 1]))
    with pytest.raises(DomainError, match="open paths only"):
        count(CROSS, Circle([0, 0], 1), by_neuron=True)
    for refused in (subdivide, count_in_pieces):
        with pytest.raises(DomainError, match=r"For the regions of its disc take `circle\.ball`"):
            refused(CROSS, Circle([0, 0], 1))
    with pytest.raises(DomainError, match="the bounds are for straight domains"):
        compare(count(CROSS, Circle([0, 0], 1)), CROSS)
    with pytest.raises(DomainError, match="is round"):
        audit(count(CROSS, Circle([0, 0], 1)), CROSS)


def test_known_on_the_command_line(creases, tmp_path):
    path = CROSS.save(tmp_path / "cross.npz")
    code, out, _ = creases("count", path, "--circle", "3,4", "5", "--json")
    assert code == 0
    assert '"regions": 3' in out
    assert creases("count", path, "--circle", "3,4", "5", "--square", "1")[0] == 2
