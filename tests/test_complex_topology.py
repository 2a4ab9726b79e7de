"""Betti numbers, persistence and critical points: shapes with known answers, and two ways to the same numbers."""

import sys
from fractions import Fraction

import numpy as np
import pytest

from creases import (
    Ball,
    Box,
    Directions,
    Network,
    Space,
    build,
    level_topology,
    load,
    subdivide,
)
from creases.complex.decisions import classes_of
from creases.complex.topology import (
    boundary_topology,
    critical_points,
    decision_topology,
    exact_values,
    persistence,
    topology_of,
)
from creases.errors import DomainError, MissingExtraError, NetworkError
from shared_networks import shared
from some_complexes import CASES, complex_of

pytest.importorskip("gudhi", reason="Betti numbers need the extra topology")

SQUARE = Box([-3, -3], [3, 3])
CUBE = Box([-3] * 3, [3] * 3)


def network_of(make, n_in):
    """The network of a function of the single coordinates."""
    x = build.input(n_in)
    return build.network(make(*(build.take(x, [i]) for i in range(n_in))))


def plus(x, number):
    return build.shift(x, [number])


def annulus(x, y):
    """|max(|x|, |y|) - 2|: at most 1/2 on a square ring."""
    return build.abs(plus(build.maximum(build.abs(x), build.abs(y)), -2.0))


def torus(x, y, z):
    """At most 1/2 on a solid torus with square sections."""
    return build.maximum(annulus(x, y), build.abs(z))


def two_discs(x, y):
    """At most 1/2 on two squares."""
    return build.maximum(build.abs(plus(build.abs(x), -1.5)), build.abs(y))


SHAPES = [
    # function, inputs, level, Betti numbers of the sublevel set, of its boundary, of the superlevel set in all of space
    (lambda x, y: build.maximum(build.abs(x), build.abs(y)), 2, 1.0, (1, 0, 0), (1, 1, 0), (1, 1, 0)),
    (annulus, 2, 0.5, (1, 1, 0), (2, 2, 0), (2, 1, 0)),
    (two_discs, 2, 0.5, (2, 0, 0), (2, 2, 0), (1, 2, 0)),
    (torus, 3, 0.5, (1, 1, 0, 0), (1, 2, 1, 0), (1, 1, 1, 0)),
    (lambda x, y, z: build.abs(torus(x, y, z)), 3, 0.25, (1, 1, 0, 0), (1, 2, 1, 0), (1, 1, 1, 0)),
]


@pytest.mark.parametrize(("make", "n_in", "level", "inside", "border", "outside"), SHAPES)
@pytest.mark.parametrize("bounded", [True, False])
def test_shapes_have_their_betti_numbers(make, n_in, level, inside, border, outside, bounded):
    domain = Box([-3] * n_in, [3] * n_in) if bounded else Space(n_in)
    sets = level_topology(network_of(make, n_in), domain, level)
    assert sets.sublevel.betti == inside
    assert sets.level_set.betti == border
    assert sets.superlevel.betti == outside


def test_a_level_that_is_only_touched_is_a_point():
    """|x| + |y| <= 0 is the origin, where no cell lies; and what is at least 0 is everything."""
    sets = level_topology(network_of(lambda x, y: build.add(build.abs(x), build.abs(y)), 2), SQUARE, 0.0)
    assert sets.sublevel.betti == sets.level_set.betti == (1, 0, 0)
    assert sets.superlevel.betti == (1, 0, 0)


def test_a_flat_part_at_the_level_belongs_to_both_sides():
    """relu(|x| - 1) is zero on [-1, 1]."""
    flat = network_of(lambda x: build.relu(plus(build.abs(x), -1.0)), 1)
    sets = level_topology(flat, Box([-3], [3]), 0.0)
    assert sets.level_set == sets.sublevel
    assert sets.sublevel.betti == (1, 0)
    assert sets.superlevel.betti == (1, 0)


def test_the_torus_of_others():
    """Its boundary f = 0 is said to have the Betti numbers of a torus."""
    network = load(shared("relucent_torus_boundary.pt"), activation="relu")
    assert level_topology(network, CUBE).level_set.betti == (1, 2, 1, 0)


def rank(rows):
    """The rank of rows over the field of two elements, each given as the set of its ones."""
    pivots = {}
    for row in rows:
        ones = set(row)
        while ones and max(ones) in pivots:
            ones ^= pivots[max(ones)]
        if ones:
            pivots[max(ones)] = ones
    return len(pivots)


def betti_by_boundary_matrices(complex, cells, near):
    """Betti numbers from the ranks of the boundary matrices of the faces themselves, without a triangulation.

    near : whether to take bounded faces only.
    """
    d = complex.dimension
    faces = [complex.faces(k) for k in range(d + 1)]
    own = [
        {i for i in range(len(level)) if cells & set(level.cells[slice(*level.cell_first[i : i + 2])].tolist())}
        for level in faces
    ]
    if near:
        far = set(np.flatnonzero(complex.vertices_at_infinity).tolist())
        own = [
            {i for i in some if not far & set(level.vertices[slice(*level.first[i : i + 2])].tolist())}
            for level, some in zip(faces, own, strict=True)
        ]
    ranks = [0]
    for k in range(1, d + 1):
        matrix = complex.incidence(k)
        ranks.append(rank([matrix.indices[matrix.indptr[i] : matrix.indptr[i + 1]].tolist() for i in own[k]]))
    ranks.append(0)
    return tuple(len(own[k]) - ranks[k] - ranks[k + 1] for k in range(d + 1))


POINTED = [name for name in CASES if not len(complex_of(name).lineality) and name != "directions"]


@pytest.mark.parametrize("name", POINTED)
def test_against_the_boundary_matrices_of_faces(name):
    complex = complex_of(name)
    rng = np.random.default_rng(1)
    for share in (0.2, 0.5, 0.8):
        chosen = rng.random(len(complex)) < share
        numbers = set(np.flatnonzero(chosen).tolist())
        found = topology_of(complex, chosen)
        assert found.betti == betti_by_boundary_matrices(complex, numbers, near=True)
        assert topology_of(complex, sorted(numbers)) == found


@pytest.mark.parametrize(("name", "reach"), [("plane", 60.0), ("space", 60.0), ("line", 60.0)])
def test_a_whole_space_is_as_a_box_that_holds_all_vertices(name, reach):
    """By class of a pattern's first neurons, which is the same in both."""
    complex = complex_of(name)
    reach = 2.0 * max(reach, float(np.abs(complex.vertices[~complex.vertices_at_infinity]).max()))
    n = complex.dimension
    inside = subdivide(complex.network, Box([-reach] * n, [reach] * n))
    for bit in range(4):
        labels = [cells.patterns[:, 0] >> bit & 1 for cells in (complex, inside)]
        assert topology_of(complex, labels[0] == 1) == topology_of(inside, labels[1] == 1)
        assert boundary_topology(complex, labels[0]) == boundary_topology(inside, labels[1])


@pytest.mark.parametrize("name", ["line of strips", "sheets", "prisms", "constant", "constant on a square"])
def test_lines_in_every_cell_are_divided_out(name):
    complex = complex_of(name)
    everything = topology_of(complex)
    assert everything.betti[0] == 1
    assert not any(everything.betti[1:])


def test_directions_are_faces_of_the_sphere():
    complex = complex_of("directions")
    assert topology_of(complex).betti == (1, 0, 1)  # the sphere itself
    one = np.zeros(len(complex), np.bool_)
    one[0] = True
    assert topology_of(complex, one).betti == (1, 0, 0)
    assert topology_of(complex, ~one).betti == (1, 0, 0)  # a disc
    # Great circles of the first layer: the two sides of each are discs, and it is a circle.
    side = complex.patterns[:, 0] & 1
    assert topology_of(complex, side == 1).betti == (1, 0, 0)
    assert boundary_topology(complex, side).betti == (1, 1, 0)


def test_decision_regions_and_their_boundary():
    """max(|x|, |y|) - 1 against 0: a square within the rest."""

    def outputs(x, y):
        return build.concatenate([plus(build.maximum(build.abs(x), build.abs(y)), -1.0), build.scale(x, 0.0)])

    both = network_of(outputs, 2)
    cells = subdivide(both.with_argmax(), SQUARE)
    found = decision_topology(cells)
    assert found[0].betti == (1, 1, 0)
    assert found[1].betti == (1, 0, 0)
    assert boundary_topology(cells, classes_of(cells)).betti == (1, 1, 0)


@pytest.mark.parametrize("seed", range(3))
def test_against_a_cubical_grid(seed):
    """Of two inputs, where all pixels of 300 x 300 have the sign of their centre."""
    gudhi = pytest.importorskip("gudhi")
    network = Network.he([2, 6, 6, 1], seed=seed, bias_std=0.5)
    ticks = (np.arange(300) + 0.5) / 150.0 - 1.0
    grid = network.forward(np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2))[:, 0].reshape(300, 300)
    level = float(np.quantile(grid, 0.3))
    complex = gudhi.CubicalComplex(top_dimensional_cells=np.where(grid <= level, 0.0, 1.0))
    complex.compute_persistence(homology_coeff_field=2, min_persistence=-1)
    pairs = [complex.persistence_intervals_in_dimension(k).reshape(-1, 2) for k in range(2)]
    by_pixels = tuple(int(((own[:, 0] <= 0.5) & (own[:, 1] > 0.5)).sum()) for own in pairs)
    found = level_topology(network, Box([-1, -1], [1, 1]), level).sublevel.betti
    assert found[:2] == by_pixels


def betti_from_diagrams(found, level):
    """Betti numbers of the sublevel set at a value, from the diagrams."""
    return tuple(int(((own[:, 0] <= level) & (own[:, 1] > level)).sum()) for own in found.diagrams)


def whole_network(seed, n_in):
    """Small whole weights: many equal values and flat parts."""
    rng = np.random.default_rng([seed, 23])
    shapes = [(5, n_in), (4, 5), (1, 4)]
    return Network.from_arrays(
        [rng.integers(-1, 2, shape).astype(float) for shape in shapes],
        [rng.integers(-1, 2, shape[0]).astype(float) for shape in shapes],
    )


@pytest.mark.parametrize("n_in", [1, 2, 3])
@pytest.mark.parametrize("kind", ["random", "whole"])
def test_diagrams_agree_with_level_sets(n_in, kind):
    """A diagram says how many holes each sublevel set has: so does that set, cut anew with its own bent hyperplane."""
    network = Network.he([n_in, 6, 6, 1], seed=2, bias_std=0.5) if kind == "random" else whole_network(4, n_in)
    domain = Box([-2] * n_in, [2] * n_in)
    complex = subdivide(network, domain)
    up, down = persistence(complex), persistence(complex, superlevel=True)
    values = np.unique(np.concatenate([own[np.isfinite(own)] for own in (*up.diagrams, *down.diagrams)]))
    levels = [*values[:: max(1, len(values) // 6)].tolist(), *np.linspace(values[0] - 1, values[-1] + 1, 5).tolist()]
    if kind == "random":
        levels = levels[-5:]  # a float is not the value itself
    for level in levels:
        sets = level_topology(network, domain, level)
        assert betti_from_diagrams(up, level) == sets.sublevel.betti
        above = tuple(int(((own[:, 0] >= level) & (own[:, 1] < level)).sum()) for own in down.diagrams)
        assert above == sets.superlevel.betti


def test_the_diagram_of_a_known_function():
    """| |x| - 1 | on [-3, 3]: two minima, joined at x = 0."""
    found = persistence(subdivide(network_of(lambda x: build.abs(plus(build.abs(x), -1.0)), 1), Box([-3], [3])))
    assert found.diagrams[0].tolist() == [[0.0, np.inf], [0.0, 1.0]]
    assert not len(found.diagrams[1])


def test_values_that_floats_cannot_tell_apart_are_ordered():
    """Two minima whose values differ by the last bit."""
    step = 2.0**-52
    bent = network_of(
        lambda x: build.maximum(build.abs(plus(build.abs(x), -1.0)), build.scale(plus(x, -1.0 + step), -step)), 1
    )
    complex = subdivide(bent, Box([-3], [3]))
    found = persistence(complex)
    births = exact_values(complex, found.vertices[0][:, 0])
    assert births == sorted(births)
    assert births[0] < births[1] < births[0] + Fraction(1, 2**40)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_critical_points_add_up_to_the_euler_characteristic(seed, n_in):
    complex = subdivide(Network.he([n_in, 7, 7, 1], seed=seed, bias_std=0.4), Box([-1] * n_in, [1] * n_in))
    found = critical_points(complex)
    signs = (-1.0) ** np.arange(n_in + 1)
    assert (found.indices @ signs).sum() == 1.0
    assert (np.diff(found.values) >= 0).all()
    lowest = complex.network.forward(complex.domain.slice.points(complex.vertices))[:, 0].min()
    assert found.values[0] == pytest.approx(lowest)
    assert found.indices[0].tolist() == [1] + [0] * n_in


def test_a_saddle_is_critical():
    """|x| - |y| at the origin, and nothing else inside of the square."""
    cells = subdivide(network_of(lambda x, y: build.subtract(build.abs(x), build.abs(y)), 2), SQUARE)
    found = critical_points(cells)
    inner = np.flatnonzero(found.inside)
    assert len(inner) == 1
    assert found.indices[inner[0]].tolist() == [0, 1, 0]
    assert found.values[inner[0]] == 0.0


def test_bad_input():
    cells = complex_of("square")
    with pytest.raises(ValueError, match=r"cells must be bool of shape \(\d+,\)"):
        topology_of(cells, [len(cells)])
    with pytest.raises(ValueError, match=r"labels must be of shape"):
        boundary_topology(cells, [0, 1])
    with pytest.raises(NetworkError, match="output must be from 0 to 0"):
        persistence(cells, output=1)
    with pytest.raises(DomainError, match="followed on a bounded domain"):
        persistence(complex_of("plane"))
    with pytest.raises(DomainError, match="Betti numbers have no meaning on Ball"):
        level_topology(Network.he([2, 4, 1]), Ball([0, 0], 1.0))
    constant = Network.from_arrays([[[1.0, 0.0, 0.0]]], [[0.0]], output_layer=False)
    with pytest.raises(DomainError, match="constant along 2 directions"):
        topology_of(subdivide(constant, Directions(3)))


def test_no_cells_have_no_topology():
    assert topology_of(complex_of("square"), []) == ((0, 0, 0), 0)


def test_bad_input_without_gudhi(monkeypatch):
    monkeypatch.setitem(sys.modules, "gudhi", None)
    with pytest.raises(MissingExtraError, match=r"Homology needs the package 'gudhi'.*creases\[topology\]"):
        topology_of(complex_of("square"))
