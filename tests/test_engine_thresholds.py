"""The limits at which the engine changes its mind: what a bound proves, and what has overflowed.

Each is looked at where it stands and one unit to either side; what is wrong there would be certified. Random networks,
with extreme entries or without, do not come near.
"""

from fractions import Fraction
from math import inf, nan, nextafter

import numpy as np
import pytest

import reference
from creases import Plane
from creases.engine.cells import last_in_plane, last_in_space
from creases.engine.graph import Graph
from creases.engine.problem import Problem
from creases.engine.proof import ties
from creases.engine.proof.bounds import (
    FAR,
    HUGE,
    UNDERFLOW,
    UNIT,
    all_or_infinite,
    is_exact,
    or_infinite,
    sign_threshold,
)
from creases.engine.proof.signs import NEGATIVE, POSITIVE, UNPROVED, ZERO
from creases.engine.rows import scan
from creases.engine.starts import bounded, chain_root, chart, first_layer, starting, tiles
from creases.engine.starts.first_layer import first_layer_forms, in_chart, is_axis
from creases.engine.starts.workshop import Workshop
from creases.engine.state.cell_layout import (
    CELL,
    CORNER_ERROR,
    EDGE,
    EDGE_G,
    EDGE_W,
)
from creases.engine.state.network_layout import (
    BLOCK,
    COUPLED,
    ERROR_G,
    ERROR_W,
    FIELDS,
    FORM,
    HEADER,
    ONE,
    ROWS,
    SCRATCH,
    SIZE_G,
    SIZE_W,
    STRIDE,
    X,
    Y,
)
from creases.engine.state.row_layout import (
    ACTIVE,
    ACTIVE_ERRORS,
    KEPT,
    STATUS,
)
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
)
from creases.engine.state.work import (
    allocate,
    allocate_in_space,
)
from engine_twins import exactly
from front_doors import check_all_doors, cube

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

LARGEST = float(np.finfo(np.float64).max)
TINIEST = 5e-324
T = 2.0**53


# What a bound proves.


def test_laws_no_threshold_is_a_nan():
    """Whatever comes in: a NaN would compare false, here and there where false means that nothing was lost."""
    values = [0.0, 1.0, TINIEST, 2.0**-500, FAR, HUGE, LARGEST, inf, nan]
    for gradient in values:
        for constant in values:
            for pair in ((0.0, 0.0), (0.0, inf), (inf, 0.0), (nan, 0.0), (0.0, nan), (LARGEST, LARGEST)):
                for reach in values:
                    for corner_error in values:
                        bound = sign_threshold(gradient, constant, *pair, reach, corner_error)
                        assert bound >= 0.0
                        bad = [gradient, constant, *pair, reach, corner_error]
                        assert bound == inf or np.isfinite(bad).all()
    for bound in (nan, inf, TINIEST):
        assert not is_exact(0.0, bound)
        assert not is_exact(bound, 0.0)
    assert is_exact(0.0, -0.0)
    assert or_infinite(nan) == or_infinite(inf) == inf
    assert all_or_infinite(np.array([nan, inf, 1.0, 0.0])).tolist() == [inf, inf, 1.0, 0.0]


def test_known_limits_of_sign_threshold():
    """Corners up to 2^30 and forms up to 2^990 prove something, the next floats nothing."""
    below, above = nextafter(FAR, 0), nextafter(HUGE, 0)
    assert sign_threshold(1.0, 1.0, 0.0, 0.0, below, 0.0) < inf == sign_threshold(1.0, 1.0, 0.0, 0.0, FAR, 0.0)
    assert sign_threshold(1.0, 1.0, 0.0, 0.0, 0.0, below) < inf == sign_threshold(1.0, 1.0, 0.0, 0.0, 0.0, FAR)
    assert sign_threshold(above, 0.0, 0.0, 0.0, 1.0, 0.0) < inf == sign_threshold(HUGE, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert sign_threshold(0.0, above, 0.0, 0.0, 1.0, 0.0) < inf == sign_threshold(0.0, HUGE, 0.0, 0.0, 1.0, 0.0)
    # At both limits together no value overflows, and no bound.
    assert above * below < 2.0**1021
    assert sign_threshold(above, 0.0, 0.0, 0.0, below, 0.0) < inf


def cell_at(x, y, edges, row, bounds=(0.0, 0.0)):
    """A workspace whose cell has one corner of interest, number 0, between edges 1 and 0, and one row."""
    work = allocate([1], 2, 4)
    work.state[CORNERS] = 2
    work.cell_reals[CELL, 0, [X, Y, CORNER_ERROR]] = x, y, 0.0
    for v, (form, pair) in enumerate(edges):
        work.cell_reals[CELL, v, EDGE : EDGE + 3], work.cell_reals[CELL, v, EDGE_G : EDGE_W + 1] = form, pair
    work.reals[[X, Y, ONE]], work.reals[ERROR_G : ERROR_W + 1] = row, bounds
    return work


def sign_of_row(work, value):
    work.values_nc[0, 0] = value
    return scan.corner_sign(work.state, work.reals, work.cell_reals, work.values_nc, work.answers_nc, 0, 0, 0)


def test_known_signs_at_their_bound():
    """A value that equals its bound proves nothing, the next float does."""
    inexact = [((1.0, 0.0, 0.0), (1e-20, 0.0)), ((0.0, 1.0, 0.0), (0.0, 0.0))]
    work = cell_at(0.5, 0.25, inexact, (1.0, -1.0, 0.125), (1e-17, 1e-18))
    bound = sign_threshold(2.0, 0.125, 1e-17, 1e-18, 0.5, 0.0)
    for side, sign in ((1, POSITIVE), (-1, NEGATIVE)):
        assert sign_of_row(work, side * bound) == UNPROVED
        assert sign_of_row(work, side * nextafter(bound, 0)) == UNPROVED
        assert sign_of_row(work, side * nextafter(bound, 1)) == sign
    assert sign_of_row(work, nan) == UNPROVED
    # A bound of zero proves a zero, and the smallest number next to it.
    work = cell_at(0.0, 0.0, inexact, (1.0, 1.0, 0.0))
    assert [sign_of_row(work, value) for value in (0.0, TINIEST, -TINIEST)] == [ZERO, POSITIVE, NEGATIVE]


@pytest.mark.parametrize("bound", [nan, inf, TINIEST, 0.0])
@pytest.mark.parametrize("place", range(6))
def test_laws_only_exact_forms_have_exact_signs(bound, place):
    """Of the row, of either edge; E_g or E_w: where something is not known to be zero there is no exact sign."""
    pairs = np.zeros((3, 2))
    pairs[divmod(place, 2)] = bound
    # Turned so that the true corner is (1, 1), which floats know to some units; the row vanishes there.
    work = cell_at(1.0, 1.0, [((0.0, 1.0, -1.0), pairs[0]), ((1.0, 0.0, -1.0), pairs[1])], (3.0, -1.0, -2.0), pairs[2])
    assert sign_of_row(work, 0.0) == (ZERO if bound == 0.0 else UNPROVED)
    work.state[DIMENSION] = 1  # on a line edge 0 alone makes the corner
    work.cell_reals[CELL, 0, EDGE : EDGE + 3], work.reals[[X, Y, ONE]] = (1.0, 0.0, -1.0), (2.0, 0.0, -2.0)
    work.cell_reals[CELL, 0, Y] = 0.0
    assert sign_of_row(work, 0.0) == (ZERO if bound == 0.0 or place in (2, 3) else UNPROVED)


@pytest.mark.parametrize("limit", [ties.SMALLEST_FACTOR, ties.LARGEST_FACTOR])
def test_against_exact_signs_at_the_ends_of_their_range(limit):
    """Determinants of numbers at the limit, with all their bits, that cancel up to the last: right, and none beyond."""
    full = limit * (2.0 - 2.0**-52) if limit < 1 else limit * (1.0 - 2.0**-53)
    beyond = nextafter(limit, 0) if limit < 1 else nextafter(limit, inf)
    room = np.zeros(SCRATCH)

    def signs(f, g, h):
        room[:9] = *f, *g, *h
        (a, b, c), (d, e, i) = exactly(f), exactly(g)
        minors = b * i - c * e, c * d - a * i, a * e - b * d
        true = sum(x * y for x, y in zip(minors, exactly(h), strict=True))
        return ties.exact_sign_at_corner(room, 0), (true > 0) - (true < 0)

    for h0 in (nextafter(full, 0), full, limit):
        f, g = (full, limit, -full), (limit, full, -limit)
        for h in ((h0, limit, -full), (h0, limit, -h0), (full, limit, -h0), (full, h0, -full)):
            found, true = signs(f, g, h)
            assert found == true
        assert signs(f, g, (beyond, limit, limit))[0] == UNPROVED
    for place in range(4):
        numbers = [full, -full, limit, -limit]
        room[:4] = numbers
        assert ties.exact_sign_at_zero(room, 0) == ZERO
        numbers[place] = beyond
        room[:4] = numbers
        assert ties.exact_sign_at_zero(room, 0) == UNPROVED


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("scale", [2.0**-251, 2.0**-250, 1.0, 2.0**248, 2.0**249, 2.0**250])
def test_against_exact_counts_of_zeros_in_one_point_where_exact_signs_end(d, scale):
    """Every row vanishes where all coordinates are 1/3, which no float is; x is split into two neurons."""
    first = np.eye(d)[[0, 0, *range(1, d)]]
    rows = [[1.0, 2.0, *[0.0] * (d - 1)], [3.0, *[0.0] * d], *(3 * np.eye(d + 1)[2:]).tolist()]
    biases = np.full(len(rows), -1.0)
    if d > 1:
        rows, biases = [*rows, [1.0, 0.0, -1.0, *[0.0] * (d - 2)]], np.append(biases, 0.0)
    check_all_doors([first, scale * np.array(rows)], [np.zeros(d + 1), scale * biases], *cube(d))


@pytest.mark.parametrize(
    ("value", "scale", "exact"),
    [
        (2**53, 2**53, True),
        (2**53 - 1, 2**53, True),
        (2**53 - 1, 2**54, True),
        (2**54 - 1, 2**54, False),
        (2**53 + 1, 2**54, False),
        (1, 3, False),
        (-1, 2**1074, True),
        (1, 2**1075, False),
        (3, 2**1075, False),
        (1, 2**3000, False),
        (2**53 + 1, 2**1076 * 3, False),
        (0, 7, True),
    ],
)
def test_against_exact_nearest_quotient(value, scale, exact):
    near, lost = chart.nearest_quotient(value, scale)
    assert (lost == 0.0) == exact
    assert abs(Fraction(value, scale) - Fraction(near)) <= Fraction(lost)


# The first layer.


def first_problem(weights, biases, basis, tail=None, origin=None):
    basis = np.array(basis, dtype=float)
    n = basis.shape[1]
    return Problem(
        graph=Graph.chain([np.array(weights, dtype=float)], [np.array(biases, dtype=float)]),
        origin=np.zeros(n) if origin is None else np.array(origin, dtype=float),
        basis=basis,
        basis_tail=np.zeros_like(basis) if tail is None else np.array(tail, dtype=float),
        vertices=None,
    )


def test_known_axes_of_the_input():
    tail = np.zeros(2)
    for value in (1.0, -1.0, 2.0, 2.0**1023):
        assert is_axis(np.array([0.0, value]), tail)
    for value in (0.5, nextafter(1.0, 0), nextafter(1.0, 2), 3.0, nextafter(2.0**1023, 0), TINIEST):
        assert not is_axis(np.array([0.0, value]), tail)
    assert not is_axis(np.array([0.0, 1.0]), np.array([0.0, TINIEST]))
    assert not is_axis(np.array([1.0, 1.0]), tail)


@pytest.mark.parametrize("weight", [2.0**512, nextafter(2.0**512, 0)])
def test_known_forms_that_overflow_are_bounded_by_nothing(weight):
    """The product with a power of two is exact, if it is a float."""
    forms, bounds = first_layer_forms(first_problem([[weight]], [0.0], [[2.0**512]]))
    assert (forms[0, 0] < inf) == (weight < 2.0**512)
    assert bounds[0, 0] == (0.0 if weight < 2.0**512 else inf)
    for frame in (np.eye(2), np.array([[1.0, 0.0], [-1.0, 1.0]])):
        _, pairs = in_chart(forms, bounds, frame)
        assert not np.isnan(pairs).any()
        assert (pairs[0, 0] < inf) == (weight < 2.0**512)


def test_laws_bounds_in_a_chart_are_numbers_or_infinite():
    """Whatever overflowed in the domain's coordinates, and wherever the chart has zeros."""
    values = [0.0, 1.0, -LARGEST, LARGEST, TINIEST, inf, -inf, nan]
    forms = np.array([[a, b, 1.0] for a in values for b in values])
    for bound in (0.0, 1.0, inf, nan):
        for frame in (np.eye(3), np.diag([2.0**-40, 2.0**-40, 1.0]), [[1, 0, 0], [0, 2, 0], [-1, -1, 1]]):
            bounds = np.zeros_like(forms)
            bounds[:, 0] = bound
            moved, pairs = in_chart(forms, bounds, np.array(frame, dtype=float))
            assert not np.isnan(pairs).any()
            bad = ~np.isfinite(moved).all(axis=1) | ~np.isfinite(bound)
            assert (pairs[bad].max(axis=1, initial=0.0) == inf).all()


@pytest.mark.parametrize("number", [2.0**-900, nextafter(2.0**-900, 0), 2.0**-1000, TINIEST])
def test_known_products_in_a_chart_that_may_underflow(number):
    """With powers of two exact from 2^-900 on; what is smaller may have lost bits, and says so."""
    forms = np.array([[1.0, number]])
    _, pairs = in_chart(forms, np.zeros((1, 2)), np.eye(2))
    assert pairs[0, 0] == 0.0
    assert pairs[0, 1] == (0.0 if number == 2.0**-900 else UNDERFLOW)


@pytest.mark.parametrize("scale", [1.0, nextafter(1.0, 0), nextafter(1.0, 2), 3.0, 0.1])
def test_against_exact_diagonal_charts(scale):
    """Only powers of two multiply without rounding: a diagonal of other numbers is bounded like any chart."""
    third = np.array([[1 / 3, 1 / 7]])
    moved, pairs = in_chart(third, np.zeros((1, 2)), np.diag([scale, 1.0]))
    lost = abs(Fraction(1 / 3) * Fraction(scale) - Fraction(moved[0, 0]))
    assert lost <= Fraction(pairs[0, 0])
    assert (pairs[0, 0] == 0.0) == (scale == 1.0)


def test_known_forms_of_infinity_that_multiply_exactly():
    assert chain_root.is_signs(np.array([-1.0, -0.0, 0.0, 1.0]))
    for value in (nextafter(1.0, 0), nextafter(1.0, 2), TINIEST, 0.5, 2.0):
        assert not chain_root.is_signs(np.array([-1.0, value]))


@pytest.mark.parametrize("infinity", [(0.0, 0.0, 1.0), (-1.0, -1.0, 1.0), (-0.3, 0.7, 1.0), (0.0, 0.0, 0.0)])
@pytest.mark.parametrize("value", [1e200, LARGEST, TINIEST])
def test_laws_sizes_of_the_root_are_numbers_or_infinite(value, infinity):
    """A size that overflows, times a coupling of zero, is infinite; what is not zero has none of zero."""
    layers = [np.array([[value, 0.0], [0.0, 1.0]]), np.array([[value, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0]])]
    biases = [np.array([value, 1.0]), np.array([LARGEST, 0.0]), np.array([value])]
    problem = first_problem(layers[0], biases[0], np.eye(2))._replace(graph=Graph.chain(layers, biases))
    work = allocate([2, 2, 1], 2, 4)
    with np.errstate(all="ignore"):
        forms = np.column_stack([layers[0], np.zeros(2)]) + np.outer(biases[0], infinity)
        chain_root.root_network(work, problem, np.array(infinity), forms, np.zeros((2, 2)))
    for layer, rows in enumerate(problem.widths):
        at, stride = (int(work.ints[HEADER + FIELDS * layer + name]) for name in (BLOCK, STRIDE))
        block = work.reals[at : at + rows * stride].reshape(rows, stride)
        assert not np.isnan(block[:, ERROR_G : SIZE_W + 1]).any()
        for row in block.tolist():
            assert row[SIZE_G] >= abs(row[X]) + abs(row[Y])
            assert row[SIZE_W] >= abs(row[ONE])


# The last layer.


@pytest.mark.parametrize("bad", [nan, inf])
@pytest.mark.parametrize("place", [ERROR_G, ERROR_W, SIZE_G, SIZE_W])
@pytest.mark.parametrize("factor", [0.0, 1.0, TINIEST, LARGEST])
def test_laws_last_row_of_what_has_no_bound_is_not_exact(bad, place, factor):
    work = allocate([1, 1], 2, 4)
    at = COUPLED + 1
    work.reals[[X, Y, ONE]] = 1.0, -2.0, 0.5
    work.reals[at : at + COUPLED] = factor
    work.reals[place] = bad
    work.row_ints[KEPT, 0] = 0
    *_, error_g, error_w = last_in_plane.affine_row(work, at, 0, COUPLED, 1, 2.0**-50)
    assert (error_g if place in (ERROR_G, SIZE_G) else error_w) == inf


@pytest.mark.parametrize("bad", [nan, inf])
@pytest.mark.parametrize("place", [ERROR_G, ERROR_W, SIZE_G, SIZE_W])
@pytest.mark.parametrize("factor", [0.0, 1.0, TINIEST, LARGEST])
def test_laws_last_row_in_space_of_what_has_no_bound_proves_nothing(bad, place, factor):
    work = allocate_in_space([1, 1], 3, 4)
    stride = FORM + 3
    work.reals[[ONE, FORM, FORM + 1, FORM + 2]] = 0.5, 1.0, -2.0, 1.0
    work.reals[place] = bad
    work.reals[stride + FORM : 2 * stride], work.reals[2 * stride] = 1.0, factor
    work.row_ints[STATUS, 0] = ACTIVE
    work.ints[[HEADER + ROWS, HEADER + BLOCK, HEADER + STRIDE]] = 1, 0, stride
    assert last_in_space.list_active(work, 0, 0, 2.0**-50) == 1
    assert work.open_reals[ACTIVE_ERRORS : ACTIVE_ERRORS + 2, 0].max() == inf
    assert last_in_space.put_together(work, stride, 1, 2.0**-50, 1.0, 0.0) == inf


# What has overflowed, through the front doors.


def cancelling(d, overflow):
    """T + 1 - T + x + 2 - 2 is above zero on the cube, but not for floats: only bounds know. Beside it a size overflows
    that nothing above is coupled to: of a bias, or of two layers whose weights do not."""
    x = np.eye(d)[0]
    first = np.array([0 * x, 0 * x, 0 * x, x, 0 * x if overflow == "bias" else 1e200 * x])
    weights, biases = [first], [np.array([1, 1, 1, 2, LARGEST if overflow == "bias" else 1e200])]
    if overflow == "layers":
        weights.append(np.diag([1, 1, 1, 1, 1e200]))
        biases.append(np.zeros(5))
    return [*weights, np.array([[T, 1, -T, 1, 0]]), np.ones((1, 1))], [*biases, np.zeros(1), np.array([-2.0])]


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("overflow", ["bias", "layers"])
def test_against_exact_counts_beside_a_size_that_overflows(d, overflow):
    weights, biases = cancelling(d, overflow)
    check_all_doors(weights, biases, *cube(d))


@pytest.mark.parametrize("whole", [True, False])
def test_against_exact_counts_on_a_plane_whose_products_overflow(whole):
    """The third neuron is 10^300 u_1 + u_2 + 1, of which floats see u_1 + u_2 + 1: the other products, with a basis of
    10^300 and weights of 10^8, cancel, but the sum of their sizes overflows, and what bounds them is infinite."""
    head, tail = np.eye(4)[[0, 3]], np.array([[0, 1e300, 1e300, 0], [0, 0, 0, 0]])
    weights = [np.array([[0, 0, 0, 1.0], [1, 0, 0, 0], [1, 1e8, -99999999, 1]]), np.array([[0, 0, 1.0], [1, -4, 0]])]
    biases = [np.array([0, 0, 1.0]), np.array([-3.0, 1.0])]
    plane = Plane(np.zeros(4), head, tail)
    inner = reference.space(2) if whole else reference.polygon([[-4, -4], [4, -4], [4, 4], [-4, 4]])
    basis = [[Fraction(x) + Fraction(y) for x, y in zip(*rows, strict=True)] for rows in zip(head, tail, strict=True)]
    check_all_doors(weights, biases, plane if whole else plane.square(4.0), reference.affine([0] * 4, basis, inner))


def test_known_charts_that_overflow_when_rounded_are_refused():
    """Rounded up to the next multiple of 2^-36 of itself the largest float is no float; pieces take the cone whole."""
    assert not np.isfinite(tiles.rounded(np.array([[LARGEST, 0.0], [0.0, 1.0]]))).all()
    problem = first_problem([[1.0]], [0.0], [[1.0]])
    cone = next(iter(starting.starts(problem, Workshop())))
    far = cone._replace(chart=np.array([[LARGEST, 0.0], [-1.0, 1.0]]))
    assert tiles.tile_of_cone(problem, far) is None


@pytest.mark.parametrize("far", [1.0, nextafter(1.0, 0), nextafter(1.0, 2), 2.0**-1022, TINIEST, 2.0**1023, LARGEST])
def test_against_exact_tiles_of_domains_of_any_size(far):
    """Scaled by a power of two, no less than the farthest corner where floats have one: coordinates stay below 2."""
    tile = bounded.root_tile(np.array([[-far / 4], [far]]))
    assert first_layer.are_powers_of_two(tile.chart.diagonal())
    near = [Fraction(int(x), int(w)) for x, w in tile.rays]
    assert [x * Fraction(tile.chart[0, 0]) for x in near] == [Fraction(-far / 4), Fraction(far)]
    assert max(near) <= (1 if far <= 2.0**1023 else 2)
    assert max(near) > Fraction(1, 2) or far < 2.0**-1022
    for point, corner in zip(tiles.start_of(tile).corners.tolist(), near, strict=True):
        assert point == [corner, 0.0]


def test_laws_units_are_what_the_bounds_say():
    assert Fraction(UNIT) == Fraction(1, 2**53)
    assert nextafter(1.0, 2) - 1.0 == 2 * UNIT
