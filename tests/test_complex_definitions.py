"""The six definitions of regions: the example of the paper, others that tell two of them apart, and fractions."""

import numpy as np
import pytest
from scipy.optimize import linprog

import reference
from complex_reference import Complex as TrueComplex
from creases import Box, Dense, Directions, Level, Linear, Network, Plane, ReLU, Segment, Space, build, subdivide
from creases.complex.closed import has_zero
from creases.complex.convex import Ridges
from creases.complex.exact_geometry import ExactGeometry
from creases.complex.linear import components
from creases.complex.vertex_states import VertexStates
from creases.domain import domain_from_dict
from engine_twins import seeds
from graph_cases import DOMAINS, random_domain, random_graph
from graph_networks import as_network, packed
from networks import random_network, table
from test_complex_linear import levels_of

SQUARE = Box([-1, -1], [1, 1])

# f = max(-y, min(0, -x)): min(0, -x) = -relu(x), and y is carried past it, by a skip or by two more neurons.
SKIPPING = Network.from_levels(
    [
        Level({0: Dense([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])}, None, ReLU()),
        Level({1: Dense([[-1.0, 1.0, -1.0]])}, None, ReLU()),
        Level({0: Dense([[0.0, -1.0]]), 2: Dense([[1.0]])}, None, Linear()),
    ]
)
CARRIED = Network.from_arrays(
    [[[1, 0], [0, 1], [0, -1]], [[-1, 1, -1], [0, 1, 0], [0, 0, 1]], [[1, -1, 1]]], [[0] * 3, [0] * 3, [0]]
)


def definitions(network, domain):
    found = subdivide(network, domain).definitions()
    assert found.certified
    assert found.open_connected <= found.convex_at_least <= found.convex_at_most <= found.activation_regions
    assert found.affine <= found.closed_connected <= found.open_connected
    assert found.activation_regions <= found.activation_patterns
    return found


@pytest.mark.parametrize("network", [SKIPPING, CARRIED], ids=["skipping", "carried"])
@pytest.mark.parametrize("domain", [Space(2), SQUARE, Directions(2), Plane([0, 0], [[1, 3], [-1, 1]])], ids=repr)
def test_known_the_example_of_the_paper(network, domain):
    found = definitions(network, domain)
    assert found.numbers == (7, 5, 4, 3, 3, 3)
    assert (found.activation_patterns, found.activation_regions, found.convex) == (7, 5, 4)
    assert (found.open_connected, found.closed_connected, found.affine) == (3, 3, 3)


def test_known_two_regions_that_touch_in_a_corner():
    """relu(x) + relu(y) - relu(x + y) is zero on two opposite quadrants: two open regions, one closed one."""
    network = Network.from_arrays([[[1, 0], [0, 1], [1, 1]], [[1, 1, -1]]], [[0] * 3, [0]])
    assert definitions(network, Space(2)).numbers[1:] == (6, 6, 6, 5, 5)
    assert definitions(network, SQUARE).numbers[1:] == (6, 6, 6, 5, 5)
    # On the sphere of directions they do not touch.
    assert definitions(network, Directions(2)).numbers[1:] == (6, 6, 6, 6, 5)


def between(*shifts):
    """For each shift y + shift, held between -a and a, where a = relu(1 - |x|)."""
    x = build.input(2)
    a = build.relu(build.dense(build.abs(build.dense(x, [[1.0, 0.0]])), [[-1.0]], [1.0]))
    low, parts = build.scale(a, -1.0), []
    for shift in shifts:
        # min(a, y) = -max(-a, -y)
        smaller = build.scale(build.maximum(low, build.dense(x, [[0.0, -1.0]], [-shift])), -1.0)
        parts.append(build.maximum(low, smaller))
    return build.network(build.concatenate(parts))


def test_known_two_regions_that_a_line_joins():
    """It is zero beyond |x| = 1, on both sides, and on a line between them, if y + shift is zero there."""
    found = definitions(between(0.0), Space(2))
    assert (found.open_connected, found.closed_connected, found.affine) == (7, 6, 6)
    apart = definitions(between(9.0), Box([-3, -3], [3, 3]))
    assert (apart.open_connected, apart.closed_connected, apart.affine) == (4, 4, 3)


def test_known_several_outputs_must_agree_at_once():
    """Of two outputs both must be zero in one place."""
    box = Box([-3, -3], [3, 3])
    both = definitions(between(0.0, 0.0), box)
    assert (both.open_connected, both.closed_connected, both.affine) == (7, 6, 6)
    apart = definitions(between(0.0, 0.25), box)
    assert apart.closed_connected == apart.open_connected == apart.affine + 1


def test_known_a_corner_cut_out():
    """min(0, max(x, y)) is zero on three quadrants, which are two convex pieces beside the line x = y."""
    x = build.input(2)
    parts = [build.dense(x, [row]) for row in ([1.0, 0.0], [0.0, 1.0])]
    network = build.network(build.scale(build.relu(build.scale(build.maximum(*parts), -1.0)), -1.0))
    found = definitions(network, Space(2))
    assert found.numbers == (found.activation_patterns, 4, 4, 3, 3, 3)
    # In space it is a wedge.
    x = build.input(3)
    parts = [build.dense(x, [row]) for row in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])]
    network = build.network(build.scale(build.relu(build.scale(build.maximum(*parts), -1.0)), -1.0))
    assert definitions(network, Space(3)).numbers[1:] == (4, 4, 3, 3, 3)


def test_known_bounds_that_do_not_agree():
    """A square hole, |x| and |y| at most 1, beside no walls but its own four lines: a ring takes more than two."""
    rows = [[1, 0], [-1, 0], [0, 1], [0, -1]]
    ring = Network.from_arrays([rows, [[-1, -1, -1, -1]], [[1.0]]], [[-1] * 4, [0.5], [0.0]])
    found = definitions(ring, Space(2))
    assert found.open_connected < found.convex_at_least < found.convex_at_most
    assert found.convex is None
    assert found.numbers[2] is None


def test_known_flat_regions_of_a_constant_network():
    constant = Network.from_arrays([np.zeros((2, 3)), [[1.0, 1.0]]], [[1.0, -1.0], [0.0]])
    for domain in (Space(3), Box([-1] * 3, [1] * 3), Directions(3), Segment([0, 0, 0], [1, 1, 1])):
        assert definitions(constant, domain).numbers == (1,) * 6
    # A wall along which nothing changes, and what lies on it: inactive, as on one side.
    slabs = Network.from_arrays([[[1.0, 2.0, 0.0]], [[1.0]]], [[0.5], [0.0]])
    for domain in (Space(3), Box([-1] * 3, [1] * 3), Directions(3)):
        assert definitions(slabs, domain).numbers == (2,) * 6
    # |x| as a unit is active on both sides, and not between them.
    absolute = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]], [[1.0]]], [[0.0] * 2, [0.0], [0.0]])
    assert definitions(absolute, Segment([-1.0], [1.0])).numbers == (3, 2, 2, 2, 2, 2)
    assert definitions(absolute, Space(1)).numbers == (3, 2, 2, 2, 2, 2)
    assert definitions(absolute, Directions(1)).numbers == (2, 2, 2, 2, 2, 2)


def test_known_generic_networks_have_one_number():
    """But for patterns: on a wall a neuron is inactive, as on one of its sides, so generic networks have no others."""
    found = definitions(Network.from_arrays(*random_network([2, 8, 4], 3, 0.5)), SQUARE)
    assert set(found.numbers) == {found.activation_regions}


def test_known_switches_on_boundaries():
    """max(x, y, 0): where two candidates are equal, the first wins."""
    x = build.input(2)
    parts = [build.dense(x, [row]) for row in ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0])]
    network = build.network(build.maximum(*parts))
    cells = subdivide(network, Space(2))
    states = VertexStates(cells)
    assert states.states[~cells.vertices_at_infinity].tolist() == [[True] * 4]
    # x and y are never alone the largest; on an axis with 0, or with x + y, they are one of two.
    assert definitions(network, Space(2)).activation_patterns == len(
        {reference.graph_pattern_at(levels(), point) for point in grid()}
    )


def levels():
    return [reference.Level({0: [[0, 0], [1, 0], [0, 1], [1, 1]]}, [0] * 4, reference.Max([[0, 1, 2, 3]]))]


def grid():
    return [(a, b) for a in range(-3, 4) for b in range(-3, 4)]


# In fractions.


def compare(network, domain, levels, specification):
    cells, true = subdivide(network, domain), TrueComplex(levels, specification)
    found = definitions(network, domain)
    patterns = {packed(network, pattern) for pattern in true.activation_patterns()}
    assert found.activation_patterns == len(patterns)
    assert found.activation_regions == len(true.patterns)
    assert found.open_connected == len(true.linear_regions())
    assert found.affine == len(set(true.outputs))
    if network.n_out == 1:
        assert found.closed_connected == true.closed_connected()
    check_convex(cells, true, network, found)
    return found


def check_convex(cells, true, network, found):
    """What the bounds rest on: which linear regions are convex, and that what is left of facets makes convex sets."""
    parts = true.linear_regions()
    bent = [part for part in parts if not true.is_convex(part)]
    assert found.convex_at_least >= len(parts) + len(bent)
    smooth = cells.facets.inner & ~cells.jumps
    if cells.dimension - len(cells.lineality) < 2 or not smooth.any():
        return
    ridges = Ridges(cells, ExactGeometry(cells), smooth)
    kept = ridges.with_few_facets(np.flatnonzero(smooth).tolist())
    joined = components(len(cells), cells.facets.cells[cells.facets.inner & ~kept])
    assert joined.max() + 1 >= found.convex_at_most
    order = {packed(network, pattern): cell for cell, pattern in enumerate(true.patterns)}
    names = np.array([order[row.tobytes()] for row in cells.patterns])
    for part in range(int(joined.max()) + 1):
        mine = set(names[joined == part].tolist())
        assert len({true.outputs[cell] for cell in mine}) == 1
        assert true.is_convex(mine)


@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_against_exact_definitions_of_chains(n_in):
    different = 0
    for i, (name, weights, biases) in enumerate(table(24 if n_in < 3 else 12, 78, n_in)):
        if sum(map(len, biases)) > (11 if n_in < 3 else 8):
            continue
        last = np.random.default_rng(i).integers(-1, 2, (1, len(biases[-1]))).astype(float).tolist()
        network = Network.from_arrays([*weights, last], [*biases, [0.0]])
        hard = name.split("-")[0] in ("extreme", "mixed_scales", "nudged", "parallel")
        whole = i % 2 and not hard
        specification = reference.space(n_in) if whole else reference.box([-1] * n_in, [1] * n_in)
        domain = Space(n_in) if whole else Box([-1] * n_in, [1] * n_in)
        different += len(set(compare(network, domain, levels_of(network), specification).numbers)) > 1
    assert different > 2


@pytest.mark.parametrize("seed", seeds(40, 18))
def test_against_exact_definitions_of_graphs(seed):
    rng = np.random.default_rng([815, seed])
    n_in = int(rng.integers(1, 4))
    levels = random_graph(rng, n_in, degenerate=seed % 3 > 0, most_units=3)
    network = as_network(levels, n_in)
    if not network.bits:
        pytest.skip("nothing bends in it")
    place = random_domain(rng, n_in, DOMAINS[n_in][int(rng.integers(len(DOMAINS[n_in])))])
    if reference.graph_count(levels, place.specification) > 60:
        pytest.skip("too large for fractions")
    compare(network, domain_from_dict(place.data), levels, place.specification)


def test_against_linear_programs():
    """Whether zero is a combination of vectors, with more than nothing of one that is near."""
    rng = np.random.default_rng(5)
    answers = []
    for _ in range(200):
        n, m = rng.integers(1, 7), rng.integers(1, 4)
        values, near = rng.integers(-2, 3, (n, m)), rng.random(n) < 0.6
        found = has_zero(values.tolist(), near.tolist())
        rows = np.vstack([values.T, near.astype(float)])
        solved = linprog(np.zeros(n), A_eq=rows, b_eq=[*[0] * m, 1], bounds=(0, None))
        assert found == (solved.status == 0)
        answers.append(found)
    assert 20 < sum(answers) < 180


def test_known_two_regions_end_on_a_facet_of_another():
    """f = 0 for y <= 0; above it is -|x| where |x| < y, else -y. All regions are convex, but that below has the whole
    line y = 0 as a facet, of which others have half: it must be cut in two."""
    first = [[1, 0], [-1, 0], [0, 1]]
    second = [[1, -1, -1], [-1, 1, -1], [1, 0, 0], [0, 1, 0]]
    network = Network.from_arrays([first, second, [[1, 1, -1, -1]]], [[0] * 3, [0] * 4, [0]])
    assert definitions(network, SQUARE).numbers == (8, 6, 6, 5, 4, 4)


def test_known_sums_that_overflow_on_their_way():
    """The neuron is negative on all of the segment, and its sum in floats is infinite."""
    weights = np.repeat([1e308, -1.7e308], 8)[None]
    network = Network.from_arrays([weights], [[0.0]], output_layer=False)
    assert definitions(network, Segment(np.full(16, 1.0), np.full(16, 2.0))).activation_patterns == 1
