"""Complex.check: green on what is right, in all dimensions and however degenerate; red on each of many damages."""

import dataclasses

import numpy as np
import pytest

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
    build,
    subdivide,
)
from creases.complex.checking import Check
from creases.complex.faces import Faces, Lattice, Lists
from creases.complex.skeleton import Facets, Given
from creases.domain import domain_from_dict
from creases.errors import ComputationError
from engine_twins import LONG, seeds
from graph_cases import DOMAINS, random_domain, random_graph
from graph_networks import as_network
from networks import KINDS, random_network, table


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


PLACES = {
    1: [Segment([-1.0], [1.0]), Space(1), Line([0.25], [2.0]), Directions(1)],
    2: [
        Box([-1, -1], [1, 1]),
        Space(2),
        Polygon([[-1, -1], [2, -0.5], [0.5, 1.5], [-1, 1]]),
        Segment([-1, -1], [1, 0.5]),
        Directions(2),
        Plane([0.25, 0], [[1, 2], [-1, 1]]),
    ],
    3: [
        Box([-1] * 3, [1] * 3),
        Space(3),
        Simplex([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]]),
        Directions(3),
        Plane([0, 0, 0.0], [[1, 2, 0], [0, 1, 1]]).square(1),
        Polytope([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1.0]]),
    ],
    4: [
        Box([-1] * 4, [1] * 4),
        Subspace([0, 0, 0, 0.5], [[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0]]),
        Directions(4),
        Space(4),
    ],
}
# Where floats hold no cells of the first layer, a whole space is refused.
REFUSED = ("extreme", "nudged", "parallel", "mixed_scales")


def green(cells, sample=None):
    found = cells.check(sample=sample)
    assert isinstance(found, Check)
    assert found.complete == (sample is None)
    assert found.corner_error <= 1e-9
    assert found.euler == sum((-1) ** k * count for k, count in enumerate(found.f_vector))
    assert found.volume_error is None or found.volume_error < 1e-6
    return found


@pytest.mark.parametrize("n_in", [1, 2, 3, 4])
def test_laws_green_on_chains(n_in):
    done = 0
    for i, (name, weights, biases) in enumerate(table(2 * len(KINDS) if n_in < 4 and LONG else len(KINDS), 19, n_in)):
        place = PLACES[n_in][(i + i // len(KINDS)) % len(PLACES[n_in])]
        try:
            cells = subdivide(hidden(weights, biases), place)
        except ComputationError:
            assert name.split("-")[0] in REFUSED
            continue
        done += green(cells, None if len(cells) < 60 else 20).cells
    assert done > (200 if n_in > 1 else 100) / (1 if LONG else 2)


@pytest.mark.parametrize("seed", seeds(40, 20))
def test_laws_green_on_graphs(seed):
    rng = np.random.default_rng([813, seed])
    n_in = (2, 3, 2, 4, 1)[seed % 5]
    network = as_network(random_graph(rng, n_in, degenerate=bool(seed % 2), most_units=5), n_in)
    if not network.bits:
        pytest.skip("nothing bends in it")
    place = random_domain(rng, n_in, DOMAINS[n_in][int(rng.integers(len(DOMAINS[n_in])))])
    cells = subdivide(network, domain_from_dict(place.data))
    green(cells, None if len(cells) < 60 else 20)


# A network of few neurons whose cells are all checked: in eight dimensions a box alone has 256 corners.
UNITS_OF = {5: (5, 3), 6: (4, 2), 7: (3, 2), 8: (3, 1)}


@pytest.mark.parametrize("n_in", UNITS_OF)
def test_laws_green_in_up_to_eight_dimensions(n_in):
    rng = np.random.default_rng([814, n_in])
    first, second = UNITS_OF[n_in]
    for degenerate in (False, True):
        draw = (lambda shape: rng.integers(-2, 3, shape).astype(float)) if degenerate else rng.standard_normal
        network = hidden([draw((first, n_in)), draw((second, first))], [draw(first) / 2, draw(second) / 2])
        places = [Simplex(np.vstack([np.zeros(n_in), np.eye(n_in)]) - 0.25)]
        places += [Box([-1] * n_in, [1] * n_in)] if n_in < 8 or LONG else []
        for place in places:
            cells = subdivide(network, place)
            green(cells, None if len(cells) < 30 else 15)
        assert len(cells) > 1


def test_known_report():
    cells = subdivide(hidden([[[1, 0], [0, 1]]], [[0, 0]]), Box([-1, -1], [1, 1]))
    found = cells.check()
    assert (found.cells, found.facets, found.f_vector, found.euler) == (4, 12, (9, 12, 4), 1)
    assert (found.volume_error, found.exact_cells, found.exact_facets, found.corner_error) == (0.0, 4, 12, 0.0)
    assert repr(found) == (
        "Check(4 cells, 12 facets, faces (9, 12, 4), Euler 1, volumes 0 off; in rationals 4 cells and 12 facets, "
        "corners 0 off)"
    )
    sample = cells.check(sample=1, seed=3)
    assert (sample.exact_cells, sample.exact_facets, sample.complete) == (1, 1, False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.cells = 5
    with pytest.raises(ValueError, match="sample is a number of cells, or None for all, got -1"):
        cells.check(sample=-1)


# Damages. Each is made of a complex that is right, and must be found.

FLAT = subdivide(Network.from_arrays(*random_network([2, 5, 4, 1], 4, 0.4)), Box([-1, -1], [1, 1]))
WHOLE = subdivide(Network.from_arrays(*random_network([2, 5, 4, 1], 4, 0.4)), Space(2))
SOLID = subdivide(Network.from_arrays(*random_network([3, 4, 3, 1], 4, 0.4)), Box([-1] * 3, [1] * 3))
CONES = subdivide(Network.from_arrays(*random_network([3, 5, 3, 1], 4, 0.0)), Directions(3))
x = build.input(2)
SWITCH = subdivide(
    build.network(build.maximum(*(build.dense(x, [row]) for row in ([1.0, 0.5], [-1.0, 1.0], [0.0, -1.0])))),
    Box([-1, -1], [1, 1]),
)
ALL = pytest.mark.parametrize(
    "cells", [FLAT, WHOLE, SOLID, CONES, SWITCH], ids=["flat", "whole", "solid", "cones", "switch"]
)


def red(cells, match="is not right"):
    with pytest.raises(ComputationError, match=match):
        cells.check(sample=None)


def changed(array, at, value):
    found = array.copy()
    found[at] = value
    return found


@ALL
def test_red_nothing_is_wrong(cells):
    green(cells)


@ALL
@pytest.mark.parametrize("by", [1e-6, 1e-3, 0.5])
def test_red_a_corner_that_has_moved(cells, by):
    corners = cells.corners.copy()
    corners[len(corners) // 2, 0] += by
    if cells.at_infinity[len(corners) // 2]:
        corners[len(corners) // 2] /= np.linalg.norm(corners[len(corners) // 2])
    red(dataclasses.replace(cells, corners=corners), "corner")


@ALL
def test_red_corners_that_have_moved_together(cells):
    """A vertex at another place, in all its cells: only the walls tell."""
    numbers, corners = cells.vertex_numbers, cells.corners.copy()
    near = np.flatnonzero(~cells.vertices_at_infinity)
    vertex = near[len(near) // 2] if len(near) else 0
    corners[numbers == vertex] += 1e-7 * (1.0 + np.abs(corners[numbers == vertex]).max())
    corners[numbers == vertex] /= np.linalg.norm(corners[numbers == vertex][0]) if not len(near) else 1.0
    red(dataclasses.replace(cells, corners=corners), "corner")


@ALL
def test_red_a_bit_of_a_pattern(cells):
    red(
        dataclasses.replace(
            cells, patterns=changed(cells.patterns, (3 % len(cells), 0), cells.patterns[3 % len(cells), 0] ^ 1)
        )
    )


@ALL
def test_red_two_patterns_that_are_exchanged(cells):
    patterns = cells.patterns.copy()
    patterns[[0, 1]] = patterns[[1, 0]]
    red(dataclasses.replace(cells, patterns=patterns))


@ALL
def test_red_a_pattern_twice(cells):
    red(dataclasses.replace(cells, patterns=changed(cells.patterns, 0, cells.patterns[1])), "have one pattern")


@ALL
def test_red_a_bit_beyond_the_last(cells):
    patterns = changed(cells.patterns, (0, -1), cells.patterns[0, -1] | 128)
    if cells.network.bits % 8:
        red(dataclasses.replace(cells, patterns=patterns), "a bit beyond the last")


def without(cells, cell):
    """The complex without one cell."""
    kept = np.ones(len(cells.corners), bool)
    kept[cells.first[cell] : cells.first[cell + 1]] = False
    count = int(cells.first[cell + 1] - cells.first[cell])
    first = np.delete(cells.first, cell + 1)
    first[cell + 1 :] -= count
    given = cells.given
    if given is not None:
        sides = given.sides
        own = slice(sides.first[cell], sides.first[cell + 1])
        on = slice(sides.corner_first[own.start], sides.corner_first[own.stop])
        gone = own.stop - own.start
        side_first = np.delete(sides.first, cell + 1)
        side_first[cell + 1 :] -= gone
        corner_first = np.delete(sides.corner_first, np.arange(own.start + 1, own.stop + 1))
        corner_first[own.start + 1 :] -= on.stop - on.start
        corners = np.delete(sides.corners, on)
        corners[corners >= cells.first[cell + 1]] -= count
        walls = np.delete(sides.walls, own)
        given = Given(type(sides)(side_first, walls, corner_first, corners), given.lineality)
    return dataclasses.replace(
        cells,
        first=first,
        corners=cells.corners[kept],
        at_infinity=cells.at_infinity[kept],
        edges=cells.edges[kept] if given is None else cells.edges,
        patterns=np.delete(cells.patterns, cell, axis=0),
        by_layer=(*cells.by_layer[:-1], len(cells) - 1),
        given=given,
    )


@ALL
def test_red_a_cell_that_is_missing(cells):
    for cell in (0, len(cells) // 2):
        red(without(cells, cell), "has one cell|is not the side")


@ALL
def test_red_a_wrong_number_of_cells(cells):
    red(dataclasses.replace(cells, by_layer=(*cells.by_layer[:-1], len(cells) + 1)), "the last layer is said to have")


@ALL
def test_red_another_network(cells):
    """One weight that is a little different: the cells are those of another network."""
    level = cells.network.levels[0]
    operator = level.sources[0]
    weight = np.array(operator.matrix.todense() if hasattr(operator.matrix, "todense") else operator.matrix)
    weight[0, 0] += 1e-3
    from creases import Dense, Level

    levels = (Level({0: Dense(weight)}, level.bias, level.kink), *cells.network.levels[1:])
    if len(cells.network.levels[0].sources) == 1:
        other = Network.from_levels(levels, n_in=cells.network.n_in)
        if other.bits == cells.network.bits:
            red(dataclasses.replace(cells, network=other))


@pytest.mark.parametrize("cells", [FLAT, WHOLE, SWITCH], ids=["flat", "whole", "switch"])
def test_red_an_edge_of_another_name(cells):
    own = np.flatnonzero(cells.edges >= 0)
    red(dataclasses.replace(cells, edges=changed(cells.edges, own[3], (cells.edges[own[3]] + 1) % cells.network.bits)))
    red(dataclasses.replace(cells, edges=changed(cells.edges, own[0], 10**6)), "has no wall with the number 1000000")
    red(dataclasses.replace(cells, edges=changed(cells.edges, own[0], -9)), r"\('domain', 7\), and .* walls of its own")


@pytest.mark.parametrize("cells", [SOLID, CONES], ids=["solid", "cones"])
def test_red_a_side_of_another_name(cells):
    sides = cells.given.sides
    own = np.flatnonzero(sides.walls >= 0)

    def with_wall(value):
        walls = changed(sides.walls, own[2], value)
        return dataclasses.replace(cells, given=Given(sides._replace(walls=walls), cells.lineality))

    red(with_wall((sides.walls[own[2]] + 1) % cells.network.bits))
    red(with_wall(10**6), "has no wall with the number 1000000")


@pytest.mark.parametrize("cells", [WHOLE, CONES], ids=["whole", "cones"])
def test_red_a_direction(cells):
    far = np.flatnonzero(cells.at_infinity)[0]
    red(dataclasses.replace(cells, at_infinity=changed(cells.at_infinity, far, False)))
    red(dataclasses.replace(cells, corners=changed(cells.corners, far, cells.corners[far] * 1.5)), "not length one")
    red(dataclasses.replace(cells, corners=changed(cells.corners, far, -cells.corners[far])))


def test_red_what_is_bounded_reaches_infinity():
    red(dataclasses.replace(FLAT, at_infinity=changed(FLAT.at_infinity, 2, True)), "direction|bounded")
    red(
        dataclasses.replace(FLAT, corners=changed(FLAT.corners, (2, 0), np.nan)),
        "corner 2 has a coordinate that is not",
    )
    red(dataclasses.replace(FLAT, first=changed(FLAT.first, 1, 0)), "not listed one after the other")


@ALL
def test_red_facets_put_together_wrongly(cells):
    """What hangs together is looked at as well: two facets that have exchanged a cell."""
    facets = cells.facets
    inner = np.flatnonzero(facets.inner)
    wrong = facets.cells.copy()
    wrong[inner[0], 1], wrong[inner[-1], 1] = wrong[inner[-1], 1], wrong[inner[0], 1]
    copy = dataclasses.replace(cells)
    copy.__dict__["_skeleton"] = cells._skeleton._replace(facets=Facets(wrong, *tuple(facets)[1:]))
    if not np.array_equal(wrong, facets.cells):
        red(copy, "has other cells than those that have it as a side")


@ALL
def test_red_a_face_that_is_missing(cells):
    """Euler's relation, and what lies between faces, look at the lattice alone."""
    lattice = cells._lattice
    k = 1 if isinstance(cells.domain, Directions) else 0
    levels, boundaries = list(lattice.levels), list(lattice.boundaries)
    low, below, above = levels[k], boundaries[k], boundaries[k + 1]
    levels[k] = Faces(
        low.first[:-1], low.vertices[: low.first[-2]], low.cell_first[:-1], low.cells[: low.cell_first[-2]]
    )
    boundaries[k] = Lists(below.first[:-1], below.values[: below.first[-2]])
    kept = above.values < len(low) - 1
    boundaries[k + 1] = Lists(np.concatenate([[0], np.cumsum(kept)])[above.first], above.values[kept])
    copy = dataclasses.replace(cells)
    copy.__dict__["_lattice"] = Lattice(levels, boundaries)
    red(copy, "Euler characteristic|faces lie between them")


@ALL
def test_red_a_point_that_is_not_inside(cells):
    points = changed(cells.interior_points, 1, cells.interior_points[2])
    copy = dataclasses.replace(cells)
    copy.__dict__["_interior"] = (points, {})
    red(copy, "the point inside cell 1 is not on the inner side of")


@pytest.mark.parametrize("cells", [FLAT, SOLID], ids=["flat", "solid"])
def test_red_a_larger_domain(cells):
    """The cells of a small box are not those of a larger one."""
    d = cells.dimension
    red(dataclasses.replace(cells, domain=Box([-1] * d, [1] * (d - 1) + [1.5])), "volumes|corner|beyond")


def test_red_lines_that_are_none():
    d = SOLID.dimension
    copy = dataclasses.replace(SOLID, given=SOLID.given._replace(lineality=np.eye(d)[:1]))
    red(copy)
    flat = subdivide(hidden([[[1.0, 2.0, 0.0], [0.0, 1.0, 0.0]]], [[0.0, 1.0]]), Space(3))
    green(flat)
    red(dataclasses.replace(flat, given=flat.given._replace(lineality=np.eye(3)[:1])))


def test_laws_a_sample_finds_what_it_sees():
    """A damage in every cell is found by any sample."""
    corners = FLAT.corners + np.where(np.abs(FLAT.corners) < 1, 1e-6, 0.0)
    with pytest.raises(ComputationError, match="corner"):
        dataclasses.replace(FLAT, corners=corners).check(sample=5)
