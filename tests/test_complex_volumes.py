"""Volumes, centroids, diameters and balls of cells: sums, closed forms, rationals, hulls and one program a cell."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import OptimizeResult, linprog
from scipy.spatial import ConvexHull, Delaunay
from scipy.spatial.distance import pdist

import reference
from complex_cases import case_of, corners_of, hidden
from creases import (
    Box,
    Directions,
    Line,
    Network,
    Plane,
    Polygon,
    Polytope,
    Segment,
    Simplex,
    Space,
    Subspace,
    count,
    subdivide,
)
from creases.complex import volumes
from creases.complex.pulling import wedge
from creases.complex.volumes import bounded_cells, facets_per_cell, sizes_of
from creases.domain.volume import volume_of
from creases.errors import NetworkError
from creases.theory import compare_strata
from engine_twins import determinant
from networks import KINDS, random_network, table

SQUARE = Box([-1, -1], [1, 1])
# The square and its two diagonals.
DIAGONALS = hidden([[[1.0, 1.0], [1.0, -1.0]]], [[0.0, 0.0]])
# Kinds with numbers so large or lines so nearly parallel that floats do not hold their corners well.
HARD = ("extreme", "mixed_scales", "nudged", "parallel")
KINDS_OF_SPACE = [kind for kind in KINDS if kind.__name__ not in HARD]


def he(widths, bias=0.3, seed=1):
    return Network.from_arrays(*random_network(widths, seed, bias))


rng = np.random.default_rng(7)
BOUNDED = {
    "segment": (he([3, 9, 8, 2]), Segment([-1, 0, 1], [1, 2, -0.5])),
    "interval": (he([1, 9, 8, 2]), Box([-1], [2])),
    "square": (he([2, 9, 8, 2]), SQUARE),
    "polygon": (he([2, 9, 8, 2]), Polygon([[-1, -1], [2, -0.5], [0.5, 1.5], [-1, 1]])),
    "a square of a plane": (he([5, 9, 8, 2]), Plane(rng.standard_normal(5), rng.standard_normal((2, 5))).square(1.5)),
    "cube": (he([3, 9, 8, 2]), Box([-1, -1, -1], [1, 2, 0.5])),
    "simplex": (he([3, 9, 8, 2]), Simplex([[0, 0, 0], [2, 0, 0], [0, 1, 0], [1, 1, 3]])),
    "a cube of a subspace": (
        he([6, 8, 7, 2]),
        Polytope(
            [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 2)],
            Subspace(rng.standard_normal(6), rng.standard_normal((3, 6))),
        ),
    ),
    "box of four": (he([4, 7, 5, 2]), Box([-1] * 4, [1, 1, 1, 2])),
    "cross-polytope": (he([4, 7, 5, 2]), Polytope(np.vstack([np.eye(4), -np.eye(4)]))),
    "simplex of five": (he([5, 6, 4, 2]), Simplex(np.vstack([np.zeros(5), 2 * np.eye(5)]))),
}


@pytest.mark.parametrize("name", BOUNDED)
def test_laws_volumes_add_up(name):
    network, domain = BOUNDED[name]
    cells = subdivide(network, domain)
    assert len(cells) > 8
    assert (cells.volumes > 0).all()
    assert cells.volumes.sum() == pytest.approx(volume_of(domain), rel=1e-11)
    # So do their moments: the centre of the domain is that of its cells.
    middle = cells.volumes @ cells.centroids / cells.volumes.sum()
    whole = subdivide(hidden([[[0.0] * network.n_in]], [[1.0]]), domain)
    assert middle == pytest.approx(whole.centroids[0], rel=1e-9, abs=1e-11)


def exact_simplices(rays):
    """The simplices of a polytope of the reference, by pulling: lists of rays."""
    if len(rays) < 2:
        return [rays]
    apex, found, seen = rays[0], [], set()
    for wall in sorted(set().union(*(ray.tight for ray in rays)) - apex.tight, key=str):
        face = tuple(ray for ray in rays if wall in ray.tight)
        if face and face not in seen:
            seen.add(face)
            found += [[apex, *simplex] for simplex in exact_simplices(face)]
    return found


def exact_size(region):
    """The volume and the centre of mass of a bounded region, Fractions."""
    d = len(region.cone.rays[0].vector) - 1
    total, moment = Fraction(0), [Fraction(0)] * d
    for simplex in exact_simplices(region.cone.rays):
        if len(simplex) == d + 1:
            points = [[Fraction(x, ray.vector[-1]) for x in ray.vector[:-1]] for ray in simplex]
            volume = abs(determinant([[a - b for a, b in zip(p, points[0], strict=True)] for p in points[1:]]))
            total += volume
            moment = [m + volume * sum(xs) / (d + 1) for m, xs in zip(moment, zip(*points, strict=True), strict=True)]
    return total / math.factorial(d), [m / total for m in moment]


def cells_by_pattern(cells):
    return {tuple(bool(on) for layer in cells.pattern(i) for on in layer): i for i in range(len(cells))}


@pytest.mark.parametrize(
    ("weights", "biases", "n"),
    [
        pytest.param(w, b, n, id=name)
        for n, seed in ((1, 51), (2, 52), (3, 53))
        for name, w, b in table(2 * len(KINDS_OF_SPACE) if n < 3 else len(KINDS_OF_SPACE), seed, n, KINDS_OF_SPACE)
    ],
)
def test_against_exact_sizes(weights, biases, n):
    cells = subdivide(hidden(weights, biases), Box([-1] * n, [1] * n), threads=1)
    numbers = cells_by_pattern(cells)
    for region in reference.regions(weights, biases, reference.box([-1] * n, [1] * n)):
        i = numbers[tuple(on for layer in region.pattern for on in layer)]
        volume, centre = exact_size(region)
        corners, _ = corners_of(cells, i)
        size = np.abs(corners - corners[0]).max()
        assert cells.volumes[i] == pytest.approx(float(volume), rel=1e-6, abs=1e-9 * size**n)
        if volume > 1e-6 * size**n:
            assert cells.centroids[i] == pytest.approx([float(x) for x in centre], abs=1e-7)


@pytest.mark.parametrize("widths", [[3, 9, 8], [4, 7, 5], [5, 6, 4]])
def test_against_hulls(widths):
    """The volume of the corners' hull, and the mean of its simplices."""
    n = widths[0]
    cells = subdivide(he(widths), Box([-1] * n, [1] * n))
    for i in range(0, len(cells), 7):
        corners, _ = corners_of(cells, i)
        if cells.volumes[i] < 1e-12:  # qhull drops the corners of thin ones
            continue
        assert cells.volumes[i] == pytest.approx(ConvexHull(corners).volume, rel=1e-7)
        simplices = corners[Delaunay(corners).simplices]
        weights = np.abs(np.linalg.det(simplices[:, 1:] - simplices[:, :1]))
        assert cells.centroids[i] == pytest.approx(weights @ simplices.mean(axis=1) / weights.sum(), abs=1e-7)


@pytest.mark.parametrize("n", range(2, 9))
def test_known_cubes_cut_in_the_middle(n):
    """Cubes of up to 256 corners, more than one or two words hold, and what their halves and quarters are."""
    for cuts in (1, 2):
        cells = subdivide(hidden([np.eye(n)[:cuts].tolist()], [[0.0] * cuts]), Box([-1] * n, [1] * n))
        assert len(cells) == 2**cuts
        assert cells.volumes == pytest.approx([2.0 ** (n - cuts)] * len(cells))
        centres = np.abs(cells.centroids)
        assert centres[:, :cuts] == pytest.approx(np.full((len(cells), cuts), 0.5))
        assert centres[:, cuts:] == pytest.approx(np.zeros((len(cells), n - cuts)), abs=1e-14)
        assert cells.diameters == pytest.approx([math.sqrt(4 * n - 3 * cuts)] * len(cells))
        assert cells.inradii == pytest.approx([0.5] * len(cells))
        assert facets_per_cell(cells).tolist() == [2 * n] * len(cells)


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_known_cross_polytopes(n):
    """Of 2^n sides, n of which meet at an edge and 2^(n - 1) at a corner."""
    cells = subdivide(hidden([[[1.0] * n]], [[5.0 * n]]), Polytope(np.vstack([np.eye(n), -np.eye(n)])))
    assert cells.volumes == pytest.approx([2.0**n / math.factorial(n)])
    assert cells.centroids == pytest.approx(np.zeros((1, n)), abs=1e-15)
    assert cells.diameters == pytest.approx([2.0])
    assert cells.inradii == pytest.approx([1 / math.sqrt(n)])


def in_order(points):
    """Points one below the other, by their angles."""
    return points[np.argsort(np.arctan2(points[:, 1] + 1e-12, points[:, 0]))]


def test_known_the_square_and_its_diagonals():
    cells = subdivide(DIAGONALS, SQUARE)
    assert cells.volumes.tolist() == [1.0] * 4
    assert in_order(cells.centroids) == pytest.approx(in_order(np.vstack([np.eye(2), -np.eye(2)]) * 2 / 3))
    assert cells.diameters == pytest.approx([2.0] * 4)
    assert cells.inradii == pytest.approx([math.sqrt(2) - 1] * 4)
    distance = 2 - math.sqrt(2)
    assert in_order(cells.chebyshev_centres) == pytest.approx(in_order(np.vstack([np.eye(2), -np.eye(2)]) * distance))


@pytest.mark.parametrize("size", [1e-80, 1e-3, 1e60])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_laws_sizes_scale(n, size):
    """Where volumes, or products on the way to them, leave the range of float64 too."""
    weights, biases = random_network([n, 6, 5], 2, 0.3)
    scaled = [[[x / size for x in row] for row in weights[0]], *weights[1:]]
    cells = subdivide(hidden(weights, biases), Box([-1] * n, [1] * n))
    others = subdivide(hidden(scaled, biases), Box([-size] * n, [size] * n))
    assert len(cells) == len(others)
    for name, power in (("volumes", n), ("diameters", 1), ("inradii", 1), ("centroids", 1)):
        with np.errstate(under="ignore"):
            expected = getattr(cells, name) * (size**power if abs(power * math.log10(size)) < 300 else 0.0)
        assert getattr(others, name) == pytest.approx(expected, rel=1e-6, abs=1e-7 * size)


def test_known_units_of_input_space():
    """A slice's coordinates are stretched; lengths and areas are not."""
    network, plane = hidden([[[0.0, 1.0, 0.0]]], [[9.0]]), Plane([0, 0, 0], [[3, 0, 0], [0, 0, 4]])
    cells = subdivide(network, plane.polygon([[0, 0], [1, 0], [0, 1]]))
    assert cells.volumes == pytest.approx([6.0])
    assert cells.centroids == pytest.approx(np.array([[1 / 3, 1 / 3]]))
    assert cells.diameters == pytest.approx([5.0])
    assert cells.inradii == pytest.approx([1.0])
    assert cells.chebyshev_centres == pytest.approx(np.array([[1 / 3, 1 / 4]]))
    skew = Plane([0, 0, 0], [[1, 0, 0], [1, 0, 1]])
    cells = subdivide(network, skew.square(1))
    assert cells.volumes == pytest.approx([4.0])
    assert cells.diameters == pytest.approx([math.sqrt(20)])


@pytest.mark.parametrize(
    "domain", [Line([0, 0], [1, 1]), Space(2), Directions(2), Space(3), Directions(3)], ids=lambda d: repr(d)
)
def test_laws_unbounded(domain):
    cells = subdivide(he([domain.slice.n_in, 6, 5]), domain)
    bounded = bounded_cells(cells)
    assert bounded.any() != isinstance(domain, Directions)
    assert np.isinf(cells.volumes[~bounded]).all()
    assert np.isinf(cells.diameters[~bounded]).all()
    assert np.isnan(cells.centroids[~bounded]).all()
    for values in (cells.volumes, cells.diameters, cells.inradii):
        assert np.isfinite(values[bounded]).all()
        assert (values[bounded] > 0).all()
    assert np.isfinite(cells.centroids[bounded]).all()


def test_known_lines_in_every_cell():
    """Prisms over a triangle and around it: of infinite volume, but the largest ball in the first is as its disc."""
    network = hidden([[[1.0, 0, 0], [0, 1, 0], [-3, -4, 0]]], [[0.0, 0, 12]])
    for n, domain in (3, Space(3)), (2, Space(2)):
        cells = subdivide(hidden([[row[:n] for row in network.hidden[0].weight.tolist()]], [[0.0, 0, 12]]), domain)
        assert len(cells) == 7
        assert np.isinf(cells.volumes).sum() == (7 if n == 3 else 6)
        assert np.isinf(cells.diameters).sum() == (7 if n == 3 else 6)
        assert cells.inradii[np.isfinite(cells.inradii)] == pytest.approx([1.0])
        centre = cells.chebyshev_centres[np.isfinite(cells.inradii)]
        assert centre[:, :2] == pytest.approx(np.ones((1, 2)))


@pytest.mark.parametrize("name", ["segment", "a square of a plane", "a cube of a subspace", "cross-polytope"])
def test_against_scipy_diameters(name):
    cells = subdivide(*BOUNDED[name])
    for i in range(len(cells)):
        corners, _ = corners_of(cells, i)
        assert cells.diameters[i] == pytest.approx(pdist(cells.domain.slice.points(corners)).max(), rel=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_laws_sizes_of_graphs(seed):
    """Volumes of a bounded domain add up, switches and residual sums or not."""
    _, cells = case_of(seed)
    if (volume := volume_of(cells.domain)) is not None:
        assert cells.volumes.sum() == pytest.approx(volume, rel=1e-9)
        assert np.isfinite(cells.centroids).all()
        assert (cells.inradii <= cells.diameters / 2 * (1 + 1e-9)).all()
    assert (cells.volumes >= 0).all()
    assert (cells.diameters >= 0).all()
    assert len(cells.inradii) == len(cells)


def test_laws_blocks_do_not_show(monkeypatch):
    cells = subdivide(he([3, 9, 8]), Space(3))
    whole, diameters = sizes_of(cells), volumes.diameters(cells)
    monkeypatch.setattr(volumes, "AT_ONCE", 1)
    parts = sizes_of(cells)
    np.testing.assert_array_equal(whole.volumes, parts.volumes)
    np.testing.assert_array_equal(whole.centroids, parts.centroids)
    np.testing.assert_array_equal(diameters, volumes.diameters(cells))


def test_against_numpy_wedge():
    """d vectors of R^d wedged one by one are their determinant; two of R^3 their cross product, turned."""
    vectors = np.random.default_rng(0).standard_normal((20, 5, 5))
    product = vectors[:, 0]
    for k in range(2, 6):
        product = wedge(vectors[:, k - 1], product, k)
    assert np.abs(product[:, 0]) == pytest.approx(np.abs(np.linalg.det(vectors)))
    a, b = vectors[:, 0, :3], vectors[:, 1, :3]
    assert wedge(a, b, 2)[:, [2, 1, 0]] * [1, -1, 1] == pytest.approx(np.cross(a, b))


# Balls.


def program(corners):
    """The inradius of the hull of corners, by qhull's half-spaces and a program of its own."""
    if corners.shape[1] == 1:
        return np.ptp(corners) / 2
    equations = ConvexHull(corners).equations
    d = corners.shape[1]
    answer = linprog(
        [0] * d + [-1],
        A_ub=np.column_stack([equations[:, :-1], np.ones(len(equations))]),
        b_ub=-equations[:, -1],
        bounds=[(None, None)] * (d + 1),
    )
    return answer.x[-1]


@pytest.mark.parametrize("name", BOUNDED)
def test_against_one_program_a_cell(name):
    cells = subdivide(*BOUNDED[name])
    chart = volumes.lengths_of(cells)
    for i in range(0, len(cells), max(1, len(cells) // 60)):
        corners, _ = corners_of(cells, i)
        if cells.volumes[i] > 1e-9:
            assert cells.inradii[i] == pytest.approx(program(corners @ chart), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_laws_balls_lie_inside(seed):
    """Points on the ball, a little inwards, have the pattern of the cell; of directions there are none."""
    _, cells = case_of(seed)
    directions = np.random.default_rng(seed).standard_normal((12, cells.dimension))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    steps = np.linalg.solve(volumes.lengths_of(cells).T, directions.T).T
    finite = np.isfinite(cells.inradii) & (cells.inradii > 1e-6)
    assert np.isfinite(cells.chebyshev_centres[np.isfinite(cells.inradii)]).all()
    assert finite.any() or cells.at_infinity.any()
    for i in np.flatnonzero(finite).tolist():
        points = cells.chebyshev_centres[i] + 0.999 * cells.inradii[i] * steps
        assert (cells.locate(points) == i).all()


def test_known_balls_of_unbounded_cells():
    """Half-planes and wedges hold balls of every size; strips, and half of one, do not."""
    strips = subdivide(hidden([[[3.0, 4.0], [3.0, 4.0]]], [[0.0, 5.0]]), Space(2))
    assert sorted(strips.inradii) == pytest.approx([0.5, np.inf, np.inf])
    halves = subdivide(hidden([[[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]], [[0.0, -3.0, 0.0]]), Space(2))
    assert sorted(halves.inradii) == pytest.approx([1.5] * 2 + [np.inf] * 4)
    assert np.isnan(halves.chebyshev_centres).all(axis=1).sum() == 4
    constant = subdivide(hidden([[[0.0, 0.0]]], [[1.0]]), Space(2))
    assert constant.inradii.tolist() == [np.inf]
    assert np.isinf(subdivide(he([3, 5, 4]), Directions(3)).inradii).all()


def test_known_a_thin_triangle():
    """Its inradius is known as well as that of a stout one: programs are in units of each cell."""
    for height in (1.0, 1e-6, 1e-12):
        cells = subdivide(hidden([[[0.0, 1.0]]], [[9.0]]), Polygon([[0, 0], [3, 0], [0, height]]))
        area, around = 1.5 * height, 3 + height + math.hypot(3, height)
        assert cells.volumes == pytest.approx([area], rel=1e-9)
        assert cells.inradii == pytest.approx([2 * area / around], rel=1e-7)


def test_known_a_program_that_is_not_solved(monkeypatch):
    """Programs of several cells are tried again one by one; a cell whose own is not solved has no number."""
    asked = []

    def refuse(goal, **settings):
        asked.append(len(goal))
        return OptimizeResult(status=4, x=None) if len(goal) > 3 or len(asked) < 4 else linprog(goal, **settings)

    monkeypatch.setattr("scipy.optimize.linprog", refuse)
    cells = subdivide(DIAGONALS, SQUARE)
    assert np.isnan(cells.inradii).sum() == 1
    assert cells.inradii[~np.isnan(cells.inradii)] == pytest.approx([math.sqrt(2) - 1] * 3)
    assert asked == [12, 6, 3, 3, 6, 3, 3]


@pytest.mark.jit  # kernels as plain Python warn where compiled ones are silent
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [1, 2, 3])
def test_laws_hard_numbers(n):
    """Numbers of 1e-200 and 1e200, lines nearly parallel: volumes add up all the same, and balls are none too large."""
    kinds = [kind for kind in KINDS if kind.__name__ in HARD]
    for _, weights, biases in table(8, 71, n, kinds):
        cells = subdivide(hidden(weights, biases), Box([-1] * n, [1] * n), threads=1)
        assert (cells.volumes >= 0).all()
        assert cells.volumes.sum() == pytest.approx(2.0**n, rel=1e-7)
        known = ~np.isnan(cells.inradii)
        assert (cells.inradii[known] >= 0).all()
        assert (2 * cells.inradii[known] <= cells.diameters[known] * (1 + 1e-7)).all()
        assert np.isfinite(cells.centroids).all()
        assert len(cells.table()) == len(cells)


@pytest.mark.parametrize("bits", [1, 10, 20, 26, 40, 50])
def test_known_areas_where_basis_vectors_are_nearly_parallel(bits):
    """The angle is small by 2^-bits, and no digit of an area is lost to it: of cells, of the domain, of its strata."""
    plane = Plane([0.125, 0, 0], [[1, 0.5, 0.75], [1, 0.5, 0.75 + 2.0**-bits]])
    network = Network.he([3, 8, 1], seed=0, bias_std=0.2)
    square = plane.square(2.0)
    cells, area = subdivide(network, square), 16.0 * 2.0**-bits * np.sqrt(1.25)
    assert cells.volumes.sum() == pytest.approx(area, rel=1e-12)
    assert cells.strata().volume == pytest.approx(area, rel=1e-12)
    assert count(network, square).per_volume == pytest.approx(len(cells) / area, rel=1e-12)
    if bits == 1:  # as good as floats elsewhere
        basis = square.slice.basis
        assert area == pytest.approx(16.0 * np.sqrt(np.linalg.det(basis @ basis.T)))


def test_known_strata_of_a_domain_that_is_flat_in_floats():
    """It is bounded, so its volume is not infinite; in units of it there is nothing."""
    strata = subdivide(Network.he([3, 4, 1], seed=0), Box([-1, -1, 0], [1, 1, 5e-324])).strata()
    assert np.isfinite(strata.volume)
    assert np.isfinite(strata.volumes).all()
    thin = subdivide(Network.he([3, 4, 1], seed=0), Box([-1e-200] * 3, [1e-200] * 3))
    assert thin.strata().volume == 0.0
    assert np.isnan(thin.strata().per_volume).all()
    with pytest.raises(NetworkError, match="or floats do not hold its volume"):
        compare_strata(thin)


@pytest.mark.parametrize("size", [1e-200, 1e-3, 1e200])
def test_known_volumes_in_slices_of_other_units(size):
    """What a volume is in the coordinates of the slice may be beyond floats; in input space it is not."""
    network = Network.he([3, 6, 1], seed=0, bias_std=0.2)
    plane = Plane([0, 0, 0], size * np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]))
    cells = subdivide(network, plane.square(1 / size))
    assert cells.volumes.sum() == pytest.approx(4 * np.sqrt(2), rel=1e-9)
    assert cells.strata().volume == pytest.approx(4 * np.sqrt(2), rel=1e-9)
    assert (cells.locate(cells.centroids) == np.arange(len(cells))).all()
    space = Subspace([0, 0, 0], size * np.diag([1.0, 2.0, 4.0]))
    solid = Polytope(np.concatenate([np.zeros((1, 3)), np.eye(3)]) / size, inside=space)
    assert subdivide(network, solid).volumes.sum() == pytest.approx(8 / 6, rel=1e-9)
