"""Maximum counts against values worked out elsewhere, and the laws that tie them to each other."""

from fractions import Fraction
from itertools import product
from math import comb, prod

import numpy as np
import pytest

from creases.errors import CreasesError, NetworkError
from creases.theory import central, hanin_rolnick_estimate, serra_upper, zaslavsky


@pytest.mark.parametrize(
    ("n_in", "neurons", "pieces"),
    [
        (1, 5, 6),
        (2, 60, 1831),
        (2, 96, 4657),
        (2, 64, 2081),
        (2, 128, 8257),
        (3, 60, 36_051),
        (4, 64, 679_121),
        (6, 60, 56_049_058),
        (5, 3, 8),
        (2, 0, 1),
    ],
)
def test_known_zaslavsky(n_in, neurons, pieces):
    assert zaslavsky(n_in, neurons) == pieces


@pytest.mark.parametrize(
    ("n_in", "neurons", "pieces"),
    [(2, 60, 120), (3, 60, 3542), (3, 40, 1562), (4, 64, 83_456), (6, 60, 10_991_584), (1, 7, 2), (2, 0, 1)],
)
def test_known_central(n_in, neurons, pieces):
    assert central(n_in, neurons) == pieces


@pytest.mark.parametrize(
    ("n_in", "widths", "bound"),
    [(2, [3, 3], 40), (3, [4, 4], 161), (2, [4, 3, 2], 275), (1, [20, 20, 20], 9261), (2, [7], 29)],
)
def test_known_serra(n_in, widths, bound):
    assert serra_upper(n_in, widths) == bound


@pytest.mark.parametrize(("widths", "bound"), [([20] * 3, 9.394e6), ([32] * 3, 1.48e8), ([32] * 4, 7.831e10)])
def test_known_serra_to_the_digits_in_print(widths, bound):
    assert serra_upper(2, widths) == pytest.approx(bound, rel=2e-3)


def test_known_estimate():
    assert hanin_rolnick_estimate(2, 96) == 4608
    assert hanin_rolnick_estimate(3, 5) == Fraction(125, 6)


def serra_sum(n_in, widths):
    """The bound as the theorem states it: a sum over all admissible (j_1, ..., j_L)."""
    total = 0
    for js in product(*(range(width + 1) for width in widths)):
        limits = [n_in, *(width - j for width, j in zip(widths, js, strict=True))]
        if all(j <= min(limits[: layer + 1]) for layer, j in enumerate(js)):
            total += prod(comb(width, j) for width, j in zip(widths, js, strict=True))
    return total


def montufar_2017(n_in, widths):
    """A coarser bound, Montúfar 2017, which Serra's must never exceed."""
    least = [min([n_in, *widths[: layer + 1]]) for layer in range(len(widths))]
    return prod(sum(comb(width, j) for j in range(d + 1)) for width, d in zip(widths, least, strict=True))


@pytest.mark.parametrize("n_in", [1, 2, 3, 6])
@pytest.mark.parametrize("widths", [[1], [4], [3, 2], [2, 5], [4, 3, 2], [1, 4, 4], [3, 3, 3, 3]])
def test_laws_serra_is_its_sum_and_lies_below_the_others(n_in, widths):
    bound = serra_upper(n_in, widths)
    assert bound == serra_sum(n_in, widths)
    assert bound <= montufar_2017(n_in, widths) <= 2 ** sum(widths)
    if len(widths) == 1:
        assert bound == zaslavsky(n_in, widths[0])


@pytest.mark.parametrize("n_in", range(1, 6))
@pytest.mark.parametrize("neurons", range(1, 12))
def test_laws_adding_one_hyperplane(n_in, neurons):
    # A new hyperplane cuts as many pieces as the others leave on it (deletion and restriction).
    below = zaslavsky(n_in - 1, neurons - 1) if n_in > 1 else 1
    assert zaslavsky(n_in, neurons) == zaslavsky(n_in, neurons - 1) + below
    # Coning: N affine hyperplanes in R^n are the upper half of N + 1 central ones in R^(n + 1).
    assert central(n_in + 1, neurons + 1) == 2 * zaslavsky(n_in, neurons)
    assert central(n_in, neurons) <= zaslavsky(n_in, neurons)


def test_laws_the_estimate_leads_zaslavsky():
    for n_in in (1, 2, 3, 4):
        ratio = zaslavsky(n_in, 100_000) / hanin_rolnick_estimate(n_in, 100_000)
        assert float(ratio) == pytest.approx(1, rel=1e-3)


def test_laws_a_deep_network_needs_no_deep_stack():
    assert serra_upper(2, [3] * 3000) > 1
    assert serra_upper(10**9, [2, 2]) == serra_upper(2, [2, 2])


def test_laws_numpy_whole_numbers_are_welcome():
    assert zaslavsky(np.int64(2), np.int64(3)) == 7
    assert serra_upper(2, np.array([3, 3])) == 40


@pytest.mark.parametrize("function", [zaslavsky, central, hanin_rolnick_estimate])
def test_bad_input_numbers(function):
    with pytest.raises(NetworkError, match=r"n_in must be a whole number, at least 1; got 0\."):
        function(0, 3)
    with pytest.raises(NetworkError, match=r"neurons must be a whole number, at least 0; got -1\."):
        function(2, -1)
    with pytest.raises(NetworkError, match=r"got 2\.0\."):
        function(2.0, 3)
    with pytest.raises(NetworkError, match=r"got True\."):
        function(2, True)
    assert issubclass(NetworkError, CreasesError)
    assert issubclass(NetworkError, ValueError)


def test_bad_input_widths():
    with pytest.raises(NetworkError, match=r"widths is empty; give the neurons"):
        serra_upper(2, [])
    with pytest.raises(NetworkError, match=r"widths\[1\] must be a whole number, at least 1; got 0\."):
        serra_upper(2, [3, 0])
