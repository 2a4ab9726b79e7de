"""The rounding-error bounds of `engine.proof.bounds` and `interval.zero_of` against the true errors, in rationals.

True forms and true corners are put where the bounds allow them at worst: at the ends of their intervals.
"""

import ctypes
import platform
import threading
from fractions import Fraction
from itertools import product
from math import inf, isfinite, nan, nextafter

import numpy as np
import pytest

from children import LONGEST
from creases.engine.cells.interval import zero_of
from creases.engine.proof.bounds import UNIT, flushes_to_zero, gamma, meeting_point, sign_threshold
from engine_twins import amount, cross, dot, exactly, some_float

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

ENDS = (Fraction(-1), Fraction(0), Fraction(1))
TINIEST = 5e-324


def some_bound(rng, size):
    """A non-negative bound: none, or a small or large part of things of this size."""
    return 0.0 if rng.integers(3) == 0 else abs(float(size)) * float(rng.choice([UNIT, 1e4 * UNIT, 1e-3, 0.2, 0.9]))


def test_laws_gamma_is_above_its_definition():
    for terms in (1, 2, 3, 17, 10**6, 2**24, 2**32):
        rounding = terms * Fraction(UNIT)
        assert rounding / (1 - rounding) <= Fraction(gamma(terms)) <= rounding * (1 + Fraction(1, 2**19))


# Signs.


def value_at(form, point):
    """h(v) as `scan.evaluate` computes it."""
    return form[0] * point[0] + form[-1] if len(form) == 2 else form[0] * point[0] + form[1] * point[1] + form[2]


def check_threshold(rng, form, point, pair, corner_error):
    """The threshold holds for true forms and corners as far away as their bounds allow; returns it."""
    gradient, constant, reach = sum(map(abs, form[:-1])), abs(form[-1]), max(map(abs, point))
    bound = sign_threshold(gradient, constant, *pair, reach, corner_error)
    if not bound < inf:  # refusing is allowed, guessing is not
        return bound
    computed = value_at(form, point)
    error_g, error_w = exactly(pair)
    for side in ENDS:
        # Along the form's own gradient, or to any corner of the box around the computed corner.
        steps = [side if h >= 0 else -side for h in form] if rng.integers(2) else rng.choice(ENDS, len(form))
        corner = [Fraction(x) + s * Fraction(corner_error) for x, s in zip(point, steps, strict=False)]
        moved = side * (error_g * max(map(abs, corner)) + error_w)
        true = dot(exactly(form), [*corner, 1]) + moved
        assert abs(true - Fraction(computed)) <= Fraction(bound), (form, point, pair, corner_error)
    return bound


@pytest.mark.parametrize("widest", [3, 30, 150])
def test_against_exact_sign_threshold(widest):
    """Cells lie in charts of size one, so corners are below 4; forms have any size."""
    rng, zeros = np.random.default_rng(widest), 0
    for _ in range(amount(4000, 1500)):
        k = int(rng.integers(2, 4))
        form = [some_float(rng, widest) for _ in range(k)]
        point = [(0.0 if rng.integers(4) == 0 else some_float(rng, widest)) for _ in range(k - 1)]
        point = [x if abs(x) < 4 else 1 / x for x in point]
        pair = [some_bound(rng, sum(map(abs, form))), some_bound(rng, form[-1])]
        if rng.integers(3) == 0:  # a form that nearly vanishes at the corner
            form[-1] = -value_at([*form[:-1], 0.0], point)
        corner_error = some_bound(rng, max(map(abs, point)) if rng.integers(4) else 1.0)
        zeros += check_threshold(rng, form, point, pair, corner_error) == 0.0
    assert zeros > 10  # exact zeros were among them


def test_against_exact_sign_threshold_far_corners_and_denormal_forms():
    """4 u times a denormal gradient underflows before a large reach can make it large again."""
    rng = np.random.default_rng(5)
    for _ in range(amount(500, 300)):
        form = [float(x) * TINIEST for x in rng.integers(1, 2**30, 3)]
        point = [float(x) for x in rng.uniform(1, 2, 2) * 10.0 ** rng.integers(0, 300)]
        check_threshold(rng, form, point, [0.0, 0.0], 0.0)


def test_laws_sign_threshold_is_not_wasteful():
    rng = np.random.default_rng(1)
    for _ in range(200):
        f0, f1, f2, x, y = rng.standard_normal(5).tolist()
        size = (abs(f0) + abs(f1)) * max(abs(x), abs(y)) + abs(f2)
        assert sign_threshold(abs(f0) + abs(f1), abs(f2), 0.0, 0.0, max(abs(x), abs(y)), 0.0) < 8 * UNIT * size


@pytest.mark.parametrize("bad", [nan, inf])
@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("other", [0.0, 1.0])
def test_bad_input_sign_threshold_proves_nothing(bad, place, other):
    arguments = [other] * 6
    arguments[place] = bad
    assert not isfinite(sign_threshold(*arguments))


# Where two lines meet.


def worst_points(f, g, f_pair, g_pair):
    """Points v* with |f(v*)| <= E_g max|v*_c| + E_w and g likewise, at the ends of both: f* and g* may vanish there."""
    for axis, side, f_end, g_end in product((0, 1), ENDS[::2], ENDS, ENDS):
        # With max|v*_c| = side * v*_axis the two conditions are linear.
        rows = []
        for form, (error_g, error_w), end in ((f, f_pair, f_end), (g, g_pair, g_end)):
            row = exactly(form)
            row[axis] -= end * side * Fraction(error_g)
            row[2] -= end * Fraction(error_w)
            rows.append(row)
        x, y, w = cross(*rows)
        if w != 0:
            point = (x / w, y / w)
            if side * point[axis] >= abs(point[1 - axis]):
                yield point


def check_meeting_point(f, g, f_pair, g_pair):
    """The error that is returned holds for every true point that the bounds allow; returns it."""
    x, y, error = meeting_point(*f, *f_pair, *g, *g_pair)
    assert error >= 0.0
    if error < inf:
        for true in worst_points(f, g, f_pair, g_pair):
            apart = max(abs(Fraction(x) - true[0]), abs(Fraction(y) - true[1]))
            assert apart <= Fraction(error), (f, g, f_pair, g_pair)
    return error


def in_order(f, g):
    """The two forms, one turned round if need be, so that f0 g1 - f1 g0 >= 0."""
    return (f, g) if cross(exactly(f), exactly(g))[2] >= 0 else (f, [-x for x in g])


def pair_of(rng, form):
    return [some_bound(rng, max(map(abs, form[:-1]))), some_bound(rng, form[-1])]


@pytest.mark.parametrize("widest", [0, 3, 30, 140])
def test_against_exact_meeting_point(widest):
    rng, proved, samples = np.random.default_rng(widest + 7), 0, amount(500, 200)
    for _ in range(samples):
        f, g = (
            [float(x) * 10.0 ** rng.uniform(-widest, widest) for x in rng.standard_normal(3)]
            if rng.integers(2)
            else [some_float(rng, widest) for _ in range(3)]
            for _ in range(2)
        )
        f, g = in_order(f, g)
        proved += check_meeting_point(f, g, pair_of(rng, f), pair_of(rng, g)) < inf
    assert proved > samples / 4


@pytest.mark.parametrize("angle", [1e-8, 1e-11, 1e-14, 1e-15, 1e-16, 1e-17, 0.0])
def test_against_exact_meeting_point_of_nearly_parallel_lines(angle):
    rng = np.random.default_rng([3, round(-np.log10(angle or 1e-99))])
    for _ in range(amount(200, 60)):
        f = rng.standard_normal(3)
        g = rng.choice([1.0, -3.0, 0.1]) * (f + angle * rng.standard_normal(3))
        if rng.integers(2):
            g[2] = rng.standard_normal()
        f, g = in_order(f.tolist(), g.tolist())
        scale = rng.choice([0.0, 1.0, 10.0])
        pairs = [[abs(form[0]) * UNIT * scale, abs(form[2]) * UNIT * scale] for form in (f, g)]
        error = check_meeting_point(f, g, *pairs)
        if angle <= 1e-17:
            assert error > 1e-3


@pytest.mark.parametrize("pairs", [(0.0, 0.0), (UNIT, 0.0), (0.0, UNIT), (UNIT, UNIT), (3 * UNIT, 7 * UNIT)])
@pytest.mark.parametrize("left", [1.0, 1.0 + 2.0**-52, 1.0 - 2.0**-53, 1.0 / 3.0])
def test_against_exact_meeting_point_at_the_limit_of_proof(pairs, left):
    """Two lines that are turned apart unit by unit: from where a point is proved on, it holds, also just there."""
    g = nextafter(left, 0)
    proved = []
    for _ in range(40):
        error = check_meeting_point([1.0, left, -0.5], [1.0, g, -0.25], [pairs[0], 0.0], [pairs[1], UNIT])
        proved.append(error < inf)
        g = nextafter(g, 2)
    assert not any(proved[:3])
    assert proved[-1]
    assert proved == sorted(proved)  # never before, always after


def test_laws_meeting_point_is_proved_and_sharp_on_generic_lines():
    rng, sharp = np.random.default_rng(2), 0
    for _ in range(300):
        f, g = in_order(rng.standard_normal(3).tolist(), rng.standard_normal(3).tolist())
        x, y, error = meeting_point(*f, 1e-15, 1e-15, *g, 1e-15, 1e-15)
        assert error < inf
        sharp += error < 1e-12 * (1 + max(abs(x), abs(y)))
    assert sharp > 280


def test_known_meeting_point_is_exact_where_lines_meet_in_the_origin():
    assert meeting_point(3.0, 1.0, 0.0, 1e-16, 0.0, -1.0, 0.3, 0.0, 1e-17, 0.0) == (0.0, 0.0, 0.0)
    assert meeting_point(3.0, 1.0, 0.0, 0.0, 1e-30, -1.0, 0.3, 0.0, 0.0, 0.0)[2] > 1e-31


def test_against_exact_meeting_point_that_underflows():
    """The lines x = 1e-330 and y = 0 do not meet in the origin, though the floats nearest to their point are zeros."""
    check_meeting_point([1e200, 0.0, -1e-130], [0.0, 1e100, 0.0], [0.0, 0.0], [0.0, 0.0])


def test_against_exact_meeting_point_of_lines_with_underflowing_bounds():
    rng = np.random.default_rng(8)
    for _ in range(amount(300, 100)):
        f = [some_float(rng) * float(scale) for scale in rng.choice([1.0, 1e150, 1e-150], 3)]
        g = [some_float(rng) * float(scale) for scale in rng.choice([1.0, 1e150, 1e-150], 3)]
        if all(map(isfinite, (*f, *g))):
            f, g = in_order(f, g)
            check_meeting_point(f, g, [abs(f[0]) * UNIT, abs(f[2]) * UNIT], [0.0, 0.0])


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize("place", range(10))
def test_bad_input_meeting_point_is_nowhere(bad, place):
    arguments = [1.0, 0.3, 0.2, 1e-16, 1e-16, -0.2, 1.0, 0.5, 1e-16, 1e-16]
    arguments[place] = bad if place % 5 < 3 else abs(bad)  # bounds are not negative
    assert meeting_point(*arguments) == (0.0, 0.0, inf)


def test_bad_input_meeting_point_of_lines_turned_the_wrong_way():
    assert meeting_point(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0)[2] == inf


# The zero of a form on a line.


@pytest.mark.parametrize("widest", [0, 3, 30, 150, 300])
def test_against_exact_zero_of(widest):
    rng, proved, samples = np.random.default_rng(widest + 70), 0, amount(3000, 1000)
    for _ in range(samples):
        form = [some_float(rng, widest), some_float(rng, widest)]
        error_g, error_w = pair = pair_of(rng, form)
        x, error = zero_of(*form, *pair)
        if not error < inf:
            continue
        proved += 1
        for side, f_end in product(ENDS[::2], ENDS):
            # |x*| = side x* and |f(x*)| = f_end (E_g |x*| + E_w)
            slope = Fraction(form[0]) - f_end * side * Fraction(error_g)
            true = (f_end * Fraction(error_w) - Fraction(form[1])) / slope
            if side * true >= 0:
                assert abs(Fraction(x) - true) <= Fraction(error), (form, pair)
    assert proved > samples / 3


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize("place", range(4))
def test_bad_input_zero_of_is_nowhere(bad, place):
    arguments = [1.0, 0.3, 1e-16, 1e-16]
    arguments[place] = bad if place < 2 else abs(bad)
    assert zero_of(*arguments)[1] == inf


def test_known_zero_of():
    assert zero_of(2.0, 0.0, 0.0, 0.0) == (0.0, 0.0)
    assert zero_of(-2.0, 0.0, 1.0, 0.0) == (0.0, 0.0)
    assert zero_of(2.0, 0.0, 2.0, 0.0)[1] == inf
    assert zero_of(0.0, 1.0, 0.0, 0.0)[1] == inf


# Flushing to zero.


def with_flushing(test):
    """What `test` returns in a thread of its own whose arithmetic flushes denormals to zero (x86 with glibc)."""
    if platform.machine() not in ("x86_64", "AMD64") or platform.libc_ver()[0] != "glibc":
        pytest.skip("needs x86-64 and glibc")
    found = []

    def perform():
        libm = ctypes.CDLL("libm.so.6")
        environment = (ctypes.c_uint32 * 8)()
        libm.fegetenv(environment)
        environment[7] |= 0x8040  # MXCSR: flush to zero, denormals are zero
        libm.fesetenv(environment)
        found.append(test())

    thread = threading.Thread(target=perform)
    thread.start()
    thread.join(LONGEST)
    return found[0]


def test_known_flushing_to_zero_is_noticed():
    assert not flushes_to_zero(2.0**-1022)
    assert with_flushing(lambda: flushes_to_zero(2.0**-1022))
    assert not flushes_to_zero(2.0**-1022)


def test_bad_input_a_thread_that_flushes_to_zero_counts_nothing():
    from creases import Box, Network, count
    from creases.errors import ComputationError

    def refused():
        network = Network.from_arrays([[[1.0]]], [[0.0]], output_layer=False)
        with pytest.raises(ComputationError, match="flushes denormal numbers to zero"):
            count(network, Box([-1.0], [1.0]), threads=1)
        return True

    assert with_flushing(refused)
