"""`count_last_in_space` against building the pieces in fractions: on cells of cuts, on a cube with planes of one's own,
and where a proof must be missing."""

from fractions import Fraction

import numpy as np
import pytest

import reference
from creases.engine.cells.last_in_space import count_last_in_space
from creases.engine.rows.scan import cell_reach, forget_answers
from creases.engine.starts.chart import RationalStart
from creases.engine.starts.starting import starts
from creases.engine.starts.workshop import Workshop
from creases.engine.state.cell_layout import MOST_CHORDS
from creases.engine.state.network_layout import ERROR_G, ERROR_W
from creases.engine.state.slots import CORNERS, DEPTH, HAVE, SIMPLE, UNPROVED_COUNT
from engine_states import FORM, Cut, block, copied, cube, found_by_scan, local_network, problem_of, scan
from engine_twins import amount, dot
from networks import as_lists, he, table

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT


def counted(work, net=0, layer=0):
    """(pieces, how many reach infinity) as the kernel finds them."""
    return count_last_in_space(work, net, layer, *cell_reach(work))


def pieces_of(cone, forms):
    """The cones into which forms cut a cone, built one after the other."""
    found = [cone]
    for i, form in enumerate(forms):
        parts = []
        for part in found:
            if reference.cuts(form, part):
                opposite = tuple(-x for x in form)
                parts += [reference.half(part, form, ("last", i)), reference.half(part, opposite, ("last", i))]
            else:
                parts.append(part)
        found = parts
    return found


def true_count(cut, forms):
    """(pieces, how many reach infinity) that the last layer's forms make of the current cell."""
    corners, facets = cut.true_corners(forms), cut.facets()
    rays = [
        reference.Ray(reference.primitive(corner), frozenset(names))
        for corner, names in zip(corners, facets, strict=True)
    ]
    found = pieces_of(reference.Cone((), tuple(rays), frozenset().union(*facets)), forms[-1])
    infinity = cut.walls().get(-1)
    if infinity is None:
        return len(found), 0
    return len(found), sum(any(not dot(infinity, ray.vector) for ray in part.rays) for part in found)


def finished_cells(cut, budget):
    """Copies of the workspace on whose cells all layers but the last are decided, and the last has no other columns."""
    for _ in cut.steps(limit=budget):
        lowest = local_network(cut.work)[0]
        if not cut.work.state[HAVE] or lowest + 2 != int(cut.work.state[DEPTH]):
            continue
        forget_answers(cut.work)
        work, net = copied(cut.work), int(cut.work.state[1])
        scan(work, net, lowest, *cell_reach(work))
        if found_by_scan(work) == (0, 0, 0):
            before, cut.work = cut.work, work
            yield work, net, lowest
            cut.work = before


def check_cells(cut, budget):
    """(answers, refusals) on the finished cells of a cut; whatever is answered is right."""
    answers = refusals = 0
    for work, net, layer in finished_cells(cut, budget):
        found = counted(work, net, layer)
        if found[0] == UNPROVED_COUNT:
            refusals += 1
        else:
            answers += 1
            assert found == true_count(cut, cut.twin.forms(cut.pattern()))
    return answers, refusals


@pytest.mark.parametrize("d", [3, 4])
def test_against_exact_last_layers_of_generic_networks(d):
    """On generic cells it answers."""
    answers = refusals = 0
    for seed in range(amount(12, 5)):
        rng = np.random.default_rng([seed, d])
        weights, biases = as_lists(he(rng, d, widths=((4, 5), (3, 3, 4))[seed % 2] if d == 3 else (3, 4), bias=0.5))
        more = check_cells(Cut(problem_of(weights, biases, [0.0] * d, np.eye(d), cube(d))), 30)
        answers, refusals = answers + more[0], refusals + more[1]
    assert answers > 10
    assert refusals <= 0.05 * answers


def test_against_exact_last_layers_of_whole_spaces():
    """Cones: how many pieces reach infinity is counted, too."""
    answers = refusals = 0
    for seed in range(amount(4, 3)):
        weights, biases = as_lists(he(np.random.default_rng(seed), 3, widths=(4, 4), bias=0.5))
        problem = problem_of(weights, biases, [0.0] * 3, np.eye(3), None)
        for start in list(starts(problem, Workshop())):
            assert not isinstance(start, RationalStart)
            more = check_cells(Cut(problem, start), 20)
            answers, refusals = answers + more[0], refusals + more[1]
    assert answers > 10
    assert refusals < 0.5 * answers  # where one neuron is active, planes are parallel: they meet at infinity


def test_against_exact_last_layers_of_degenerate_networks():
    """Where planes meet in corners and in each other it refuses, or is right."""
    answers = 0
    for _, weights, biases in table(amount(80, 40), 11, 3):
        if len(weights) > 1:
            answers += check_cells(Cut(problem_of(weights, biases, [0.0] * 3, np.eye(3), cube(3))), 25)[0]
    assert answers > 3


# A cube that a first layer leaves whole, and planes of one's own.


def planes_in_cube(forms, d=3, last_errors=0.0):
    """A cut of a cube by planes in the last layer, which come of x_i + 2, all active, and nothing else."""
    forms = np.array(forms, dtype=float)
    biases = forms[:, d] - 2.0 * forms[:, :d].sum(axis=1)
    cut = Cut(problem_of([np.eye(d), forms[:, :d]], [np.full(d, 2.0), biases], np.zeros(d), np.eye(d), cube(d)))
    block(cut.work, 0, 1)[:, [ERROR_G, ERROR_W]] = last_errors
    scan(cut.work, 0, 0, *cell_reach(cut.work))
    assert found_by_scan(cut.work) == (0, 0, 0)
    assert not cut.work.state[CORNERS] - 2**d
    cut.work.pattern[0] = (1 << d) - 1
    return cut


def generic_planes(rng, d, number):
    """Planes that cross the cube and miss its corners by a little at least."""
    corners, planes = np.array(cube(d).rays, dtype=float), []
    while len(planes) < number:
        plane = rng.standard_normal(d + 1) * [*[1.0] * d, 0.5]
        values = corners @ plane
        if np.abs(values).min() > 1e-2 and values.min() < 0 < values.max():
            planes.append(plane)
    return np.array(planes)


@pytest.mark.parametrize("d", [3, 4])
@pytest.mark.parametrize("errors", [0.0, 1e-12, 1e-7])
def test_against_exact_planes_in_a_cube(d, errors):
    for seed in range(amount(10, 4)):
        rng = np.random.default_rng([seed, d])
        cut = planes_in_cube(generic_planes(rng, d, int(rng.integers(1, 6))), d, errors)
        assert counted(cut.work) == true_count(cut, cut.twin.forms(cut.pattern()))


def test_known_planes_in_a_cube():
    assert counted(planes_in_cube([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]).work) == (8, 0)
    assert counted(planes_in_cube([[1, 0, 0, -0.5], [1, 0, 0, 0.25]]).work) == (3, 0)
    assert counted(planes_in_cube([[1, 0, 0, 5], [1, 0, 0, -5]]).work) == (1, 0)  # none crosses
    assert counted(planes_in_cube([[0, 0, 0, 0], [1, 0, 0, 0.25]]).work) == (2, 0)  # nothing cuts nothing


UNPROVED = {
    "three through one line": [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0.5, 0, 0]],
    "four through one point": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0.5, 0.25, 0]],
    "through a corner": [[1, 0.5, 0.25, -1.75], [1, 0, 0, 0]],
    "touches a corner": [[1, 1, 1, -3]],
    "along a wall": [[1, 0, 0, -1]],
    "nearly four through one point": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0.5, 0.25, 1e-17]],
}


@pytest.mark.parametrize("name", UNPROVED)
def test_known_planes_of_which_a_proof_is_missing(name):
    assert counted(planes_in_cube(UNPROVED[name]).work) == (UNPROVED_COUNT, 0)


def test_known_one_plane_twice():
    """Of rows that are multiples of each other only one is looked at; what floats do not know so is refused."""
    cut = planes_in_cube([[1, 0.5, 0.25, 0.125], [-2, -1, -0.5, -0.25]])
    assert counted(cut.work) == (2, 0)
    cut.work.twins[:] = 0
    assert counted(cut.work) == (UNPROVED_COUNT, 0)


@pytest.mark.parametrize("crossing", [MOST_CHORDS, MOST_CHORDS + 1])
def test_known_as_many_planes_as_there_is_room_for(crossing):
    planes = [[1, 0, 0, -1 + 2 * (i + 1) / (crossing + 1)] for i in range(crossing)]
    found = counted(planes_in_cube(planes).work)
    assert found == ((crossing + 1 if crossing == MOST_CHORDS else UNPROVED_COUNT), 0)


def test_laws_bounds_that_leave_the_count_open_refuse():
    """Bounds of the last layer, of the layer below it, or of corners: what they leave open is not answered."""
    planes = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0.5, 0.25, 0.01]]  # 0.01 / 1.75 from the others' corner
    assert counted(planes_in_cube(planes).work)[0] == 15
    for errors in ([0.01, 0.0], [0.0, 0.02], [np.inf, 0.0], [0.0, np.nan]):
        assert counted(planes_in_cube(planes, last_errors=errors).work) == (UNPROVED_COUNT, 0)
    for column in (ERROR_G, ERROR_W):
        cut = planes_in_cube(planes)
        block(cut.work, 0, 0)[:, column] = 0.02  # each of x, y and z may be off by as much
        assert counted(cut.work) == (UNPROVED_COUNT, 0)
    cut = planes_in_cube([[1, 0, 0, 0.99]])
    assert counted(cut.work) == (2, 0)
    cut.work.points[0, 3, :8] = 0.02
    assert counted(cut.work) == (UNPROVED_COUNT, 0)


def test_laws_a_cell_that_is_not_simple_refuses():
    cut = planes_in_cube([[1, 0, 0, 0]])
    cut.work.state[SIMPLE] = 0
    assert counted(cut.work) == (UNPROVED_COUNT, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308])
@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("layer", [0, 1])
def test_bad_input_rows_that_overflowed_are_refused(bad, place, layer):
    cut = planes_in_cube([[1, 0, 0, 0.25], [0, 1, 0, 0.25]])
    block(cut.work, 0, layer)[0, FORM[4][place]] = bad
    with np.errstate(all="ignore"):
        assert counted(cut.work)[0] == UNPROVED_COUNT


@pytest.mark.parametrize("size", [-900, -300, 0, 300, 900])
def test_against_exact_planes_of_any_size(size):
    """The same planes, times a power of two: counted alike, or refused where their products leave the floats."""
    rng = np.random.default_rng(3)
    planes = generic_planes(rng, 3, 4)
    cut = planes_in_cube(np.ldexp(planes, size))
    found = counted(cut.work)
    expected = true_count(cut, cut.twin.forms(cut.pattern()))
    assert found == (expected if abs(size) <= 150 or size == 300 else (UNPROVED_COUNT, 0))


def test_against_exact_planes_that_cancel():
    """What comes from below is taken away again: planes are left that roundings move, and are refused or right."""
    rng, answers = np.random.default_rng(5), 0
    for _ in range(amount(40, 15)):
        plane = rng.standard_normal(4) * [1, 1, 1, 0.2]
        cut = planes_in_cube(np.vstack([plane, generic_planes(rng, 3, 2)]))
        first, last = block(cut.work, 0, 0), block(cut.work, 0, 1)
        size = float(rng.choice([1.0, 1e8, 1e16]))
        # x_1 + 2 times a large number, and the same taken away in the last layer's own form.
        forms = [list(form) for form in cut.twin.forms(cut.pattern())[-1]]
        last[0, FORM[4][0]] -= size
        last[0, FORM[4][3]] -= 2.0 * size
        last[0, -3] += size
        true = [
            Fraction(float(last[0, FORM[4][c]]))
            + sum(Fraction(float(last[0, q - 3])) * Fraction(float(first[q, FORM[4][c]])) for q in range(3))
            for c in range(4)
        ]
        forms[0] = true
        found = counted(cut.work)
        if found[0] != UNPROVED_COUNT:
            answers += 1
            assert found == true_count(cut, [*cut.twin.forms(cut.pattern())[:-1], forms])
    assert answers > 3
