"""The maximum counts against counting: arrangements cut by hand in fractions, and certified counts of networks."""

from fractions import Fraction
from functools import partial
from itertools import combinations, pairwise
from math import prod

import numpy as np
import pytest

import reference
from creases import Directions, Network, Space, count
from creases.theory import (
    arora_lower,
    central,
    faces,
    hinz_upper,
    maxout_upper,
    montufar_2014_lower,
    montufar_2017_upper,
    one_dimensional_maximum,
    pascanu_lower,
    serra_lower,
    serra_upper,
    trivial,
    xiong_one_layer,
    zaslavsky,
    zonotope,
)
from creases.theory.constructions import arrangement_in_cube, zigzag_layer


def hyperplanes(rng, number, n, size=50):
    """Affine forms (linear part, constant) of whole numbers, so large that no n + 1 of them meet in a point."""
    return rng.integers(-size, size + 1, (number, n + 1)).tolist()


def regions(forms, n):
    """Pieces of R^n that they cut, by the reference."""
    return reference.count([[form[:-1] for form in forms]], [[form[-1] for form in forms]], reference.space(n))


# Arrangements.


def restricted(forms, to):
    """The forms on the hyperplane to = 0, in one coordinate less: that one is solved for and put in."""
    place = next(i for i, x in enumerate(to[:-1]) if x)
    reduced = [[x - Fraction(form[place], to[place]) * y for x, y in zip(form, to, strict=True)] for form in forms]
    return [form[:place] + form[place + 1 :] for form in reduced]


def count_faces(forms, n, k):
    """k-dimensional faces: every n - k hyperplanes meet in a flat, which the others cut into its faces."""
    total = 0
    for chosen in combinations(range(len(forms)), n - k):
        walls = [forms[i] for i in chosen]
        others = [form for i, form in enumerate(forms) if i not in chosen]
        while walls:
            first, *walls = walls
            together = restricted([*walls, *others], first)
            walls, others = together[: len(walls)], together[len(walls) :]
        total += regions(others, k) if k and others else 1
    return total


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("number", [1, 2, 4, 5])
def test_against_exact_faces(number, n):
    forms = hyperplanes(np.random.default_rng([number, n]), number, n)
    for k in range(n + 1):
        assert faces(number, n, k) == count_faces(forms, n, k), k


@pytest.mark.parametrize("n", [2, 3])
def test_against_exact_zaslavsky_of_low_rank(n):
    """Normals in a plane or a line of R^n: the count is that of the plane, and the sum ends there."""
    rng = np.random.default_rng(0)
    for rank in range(1, n):
        normals = rng.integers(1, 10, (5, rank)) @ rng.integers(1, 10, (rank, n))
        forms = np.column_stack([normals, rng.integers(-50, 50, 5)]).tolist()
        assert regions(forms, n) == zaslavsky(5, n, rank=rank) < zaslavsky(5, n)


@pytest.mark.jit
@pytest.mark.parametrize(("number", "n"), [(5, 1), (12, 2), (9, 3), (7, 4), (3, 5)])
def test_known_one_generic_layer(number, n):
    """Zaslavsky's number with biases, the central one on the sphere and without; all certified."""
    network = Network.he([n, number, 1], seed=0, bias_std=0.5)
    for domain, expected in ((Space(n), zaslavsky(number, n)), (Directions(n), central(number, n))):
        found = count(network if isinstance(domain, Space) else network.without_biases(), domain, progress=False)
        assert (found.regions, found.certified) == (expected, True)


# Maxout: each unit is the largest of k affine functions, and a region says which.


def maxout_regions(layers, n):
    """Regions of a maxout network: layers of units of k integer forms (linear part, constant), exactly."""
    levels = []
    for depth, units in enumerate(layers):
        forms = [form for unit in units for form in unit]
        groups = np.arange(len(forms)).reshape(len(units), -1).tolist()
        matrix, bias = [form[:-1] for form in forms], [form[-1] for form in forms]
        levels.append(reference.Level({depth: matrix}, bias, reference.Max(groups)))
    return reference.graph_count(levels, reference.space(n))


@pytest.mark.parametrize(("n", "widths"), [(1, [2]), (1, [2, 2]), (2, [2]), (2, [2, 1]), (3, [2]), (2, [1, 2])])
def test_against_exact_maxout_upper(n, widths):
    most = 0
    for pieces in (2, 3, 4):
        for seed in range(4):
            rng = np.random.default_rng([seed, n, pieces])
            layers = [
                [hyperplanes(rng, pieces, m, size=9) for _ in range(width)] for m, width in pairwise((n, *widths))
            ]
            found = maxout_regions(layers, n)
            assert found <= maxout_upper(widths, pieces, n)
            most = max(most, found if pieces == 2 else 0)
    if len(widths) == 1:  # of two pieces a unit is one hyperplane
        assert most == zaslavsky(widths[0], n) == maxout_upper(widths, 2, n)


def test_laws_maxout_of_zero_and_a_form_is_relu():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        layers = [[[[0] * (m + 1), form] for form in hyperplanes(rng, 3, m, size=4)] for m in (2, 3)]
        weights = [[form[:-1] for _, form in layer] for layer in layers]
        biases = [[form[-1] for _, form in layer] for layer in layers]
        assert maxout_regions(layers, 2) == reference.count(weights, biases, reference.space(2))


# One convolutional layer, as the dense layer that it is: weights and biases are shared by all positions.


def convolution(height, width, channels, kernel, filters, stride, draw):
    rows, columns = kernel
    shared, biases = draw((filters, rows, columns, channels)), draw(filters)
    dense, offsets = [], []
    for i in range(0, height - rows + 1, stride):
        for j in range(0, width - columns + 1, stride):
            for weight, bias in zip(shared, biases, strict=True):
                row = np.zeros((height, width, channels))
                row[i : i + rows, j : j + columns] = weight
                dense.append(row.ravel())
                offsets.append(bias)
    return Network.from_arrays([np.array(dense)], [np.array(offsets)], output_layer=False)


@pytest.mark.jit
@pytest.mark.parametrize(
    ("shape", "kernel", "filters", "stride"),
    [
        ((1, 3, 1), (1, 2), 2, 1),
        ((1, 3, 1), (1, 2), 3, 1),
        ((1, 4, 1), (1, 2), 3, 1),
        ((1, 4, 1), (1, 2), 3, 2),
        ((1, 4, 1), (1, 3), 3, 1),
        ((2, 2, 1), (1, 1), 2, 1),
        ((1, 2, 2), (1, 1), 4, 1),
        ((2, 2, 1), (2, 1), 3, 1),
    ],
)
def test_known_xiong_is_attained(shape, kernel, filters, stride):
    """By every draw of normal weights; whole numbers, which need not be generic, have no more."""
    expected, n = xiong_one_layer(*shape, kernel, filters, stride), prod(shape)
    for seed in range(3):
        normal = np.random.default_rng(seed).standard_normal
        found = count(convolution(*shape, kernel, filters, stride, normal), Space(n), progress=False)
        assert (found.regions, found.certified) == (expected, True)
        signs = partial(np.random.default_rng(seed).choice, [-1.0, 0.0, 1.0])
        assert count(convolution(*shape, kernel, filters, stride, signs), Space(n), progress=False).regions <= expected


# What some networks have.


def serra_network(widths, n, rng):
    """Each coordinate goes through a zigzag of floor(n_l / n) neurons a layer, then an arrangement in the cube.

    A zigzag's pieces all run through (0, top), top being one more than the next one's neurons; 1 for the last layer.
    """
    read, constant, weights, biases = np.eye(n), np.zeros(n), [], []
    inner = [width // n for width in widths[:-1]]
    for breaks, above, width in zip(inner, [*(b + 1 for b in inner), 1][1:], widths[:-1], strict=True):
        into, bias, out, offset = zigzag_layer(breaks, float(above))
        idle = width - n * breaks
        weights.append(np.vstack([np.kron(np.eye(n), into) @ read, np.zeros((idle, read.shape[1]))]))
        biases.append(np.concatenate([np.kron(np.eye(n), into) @ constant + np.tile(bias, n), -np.ones(idle)]))
        read = np.hstack([np.kron(np.eye(n), out), np.zeros((n, idle))])
        constant = np.tile(offset, n)
    normals, offsets = arrangement_in_cube(widths[-1], n, rng)
    weights.append(normals @ read)
    biases.append(normals @ constant + offsets)
    return Network.from_arrays(weights, biases, output_layer=False)


@pytest.mark.jit
@pytest.mark.parametrize(
    ("widths", "n"), [([3], 1), ([4, 3], 1), ([3, 1], 1), ([6, 4], 2), ([7, 1], 2), ([6, 8, 5], 2), ([9, 2], 3)]
)
def test_known_serra_lower_is_reached(widths, n):
    """Also where the last layer is narrower than 3 n, of which the formula asks nothing."""
    found = count(serra_network(widths, n, np.random.default_rng(0)), Space(n), progress=False)
    assert (found.regions, found.certified) == (serra_lower(widths, n), True)
    assert found.regions >= max(montufar_2014_lower(widths, n), pascanu_lower(widths, n))


@pytest.mark.jit
@pytest.mark.parametrize(("m", "widths", "n"), [(3, [3], 2), (4, [3, 4], 2), (3, [4], 3), (2, [3, 3, 3], 1)])
def test_known_arora_lower_is_exceeded_by_its_network(m, widths, n):
    found = count(zonotope(m, widths, n, np.random.default_rng(0)), Space(n), progress=False).regions
    width = min(widths)
    assert arora_lower(m, width, len(widths) + 1, n) < found <= serra_upper([2 * m, *widths], n)


# No network exceeds a bound.


def exact_ranks(network):
    """Ranks of the weight matrices, in fractions."""
    ranks = []
    for layer in network.hidden:
        rows, rank = [[Fraction(x) for x in row] for row in layer.weight.tolist()], 0
        while rows:
            first, *rows = rows
            place = next((i for i, x in enumerate(first) if x), None)
            if place is not None:
                rank += 1
                rows = [[x - row[place] / first[place] * y for x, y in zip(row, first, strict=True)] for row in rows]
        ranks.append(rank)
    return ranks


def upper_bounds(widths, n, ranks):
    """Every upper bound by its name, for networks of these widths, and those of these ranks."""
    found = {
        "trivial": trivial(sum(widths)),
        "Montufar 2017": montufar_2017_upper(widths, n),
        "Serra": serra_upper(widths, n),
        "Serra, ranks": serra_upper(widths, n, ranks=ranks),
        "Hinz": hinz_upper(widths, n),
        "maxout of two pieces": maxout_upper(widths, 2, n),
    }
    if n == 1:
        found["line"] = one_dimensional_maximum(widths)
    if len(widths) == 1:
        found["Zaslavsky"] = zaslavsky(widths[0], n)
        found["Zaslavsky, rank"] = zaslavsky(widths[0], n, rank=ranks[0])
    return found


def small_network(rng, n):
    """Up to three layers of up to four neurons: normal weights, small whole ones, or ones of low rank."""
    widths, kind = rng.integers(1, 5, rng.integers(1, 4)).tolist(), rng.integers(3)
    layers = []
    for below, above in pairwise((n, *widths)):
        weight = rng.standard_normal((above, below)) if kind == 0 else rng.integers(-2, 3, (above, below)).astype(float)
        if kind == 2:  # rows that are multiples of one
            weight = weight[:1] * rng.integers(-2, 3, (above, 1))
        bias = rng.standard_normal(above) if kind == 0 else rng.integers(-2, 3, above).astype(float)
        layers.append((weight, bias))
    return Network.from_arrays(*zip(*layers, strict=True), output_layer=False)


def check_no_network_exceeds(samples, seed):
    """Networks of one to three inputs; also that every bound is met by some network, so none of them is vacuous."""
    rng, met = np.random.default_rng(seed), set()
    for sample in range(samples):
        network = small_network(rng, (1, 1, 2, 2, 3)[sample % 5])
        found = count(network, Space(network.n_in), threads=1, progress=False)
        assert found.certified
        for name, bound in upper_bounds(list(network.widths), network.n_in, exact_ranks(network)).items():
            assert found.regions <= bound, (name, network.widths, network.n_in)
            met |= {name} if found.regions == bound else set()
    assert met == set(upper_bounds([1], 1, [1]))


@pytest.mark.jit
def test_laws_no_small_network_exceeds_an_upper_bound():
    check_no_network_exceeds(500, 0)


@pytest.mark.long
@pytest.mark.jit
def test_laws_none_of_ten_thousand_small_networks_exceeds_an_upper_bound():
    check_no_network_exceeds(10_000, 1)
