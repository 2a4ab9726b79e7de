"""Maximum counts against values worked out elsewhere, and the laws that tie them to each other."""

from fractions import Fraction
from itertools import product
from math import comb, prod

import numpy as np
import pytest

from creases.errors import CreasesError, NetworkError
from creases.theory import (
    arora_lower,
    central,
    faces,
    hanin_rolnick_estimate,
    hinz_upper,
    maxout_upper,
    montufar_2014_lower,
    montufar_2017_upper,
    one_dimensional_maximum,
    pascanu_lower,
    raghu_order,
    serra_lower,
    serra_upper,
    trivial,
    xiong_one_layer,
    zaslavsky,
)


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
    assert zaslavsky(neurons, n_in) == pieces


@pytest.mark.parametrize(
    ("n_in", "neurons", "pieces"),
    [(2, 60, 120), (3, 60, 3542), (3, 40, 1562), (4, 64, 83_456), (6, 60, 10_991_584), (1, 7, 2), (2, 0, 1)],
)
def test_known_central(n_in, neurons, pieces):
    assert central(neurons, n_in) == pieces


@pytest.mark.parametrize(
    ("n_in", "widths", "bound"),
    [(2, [3, 3], 40), (3, [4, 4], 161), (2, [4, 3, 2], 275), (1, [20, 20, 20], 9261), (2, [7], 29)],
)
def test_known_serra(n_in, widths, bound):
    assert serra_upper(widths, n_in) == bound


@pytest.mark.parametrize(("widths", "bound"), [([20] * 3, 9.394e6), ([32] * 3, 1.48e8), ([32] * 4, 7.831e10)])
def test_known_serra_to_the_digits_in_print(widths, bound):
    assert serra_upper(widths, 2) == pytest.approx(bound, rel=2e-3)


def test_known_estimate():
    assert hanin_rolnick_estimate(96, 2) == 4608
    assert hanin_rolnick_estimate(5, 3) == Fraction(125, 6)


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
    bound = serra_upper(widths, n_in)
    assert bound == serra_sum(n_in, widths)
    assert bound <= montufar_2017(n_in, widths) <= 2 ** sum(widths)
    if len(widths) == 1:
        assert bound == zaslavsky(widths[0], n_in)


@pytest.mark.parametrize("n_in", range(1, 6))
@pytest.mark.parametrize("neurons", range(1, 12))
def test_laws_adding_one_hyperplane(n_in, neurons):
    # A new hyperplane cuts as many pieces as the others leave on it (deletion and restriction).
    below = zaslavsky(neurons - 1, n_in - 1) if n_in > 1 else 1
    assert zaslavsky(neurons, n_in) == zaslavsky(neurons - 1, n_in) + below
    # Coning: N affine hyperplanes in R^n are the upper half of N + 1 central ones in R^(n + 1).
    assert central(neurons + 1, n_in + 1) == 2 * zaslavsky(neurons, n_in)
    assert central(neurons, n_in) <= zaslavsky(neurons, n_in)


def test_laws_the_estimate_leads_zaslavsky():
    for n_in in (1, 2, 3, 4):
        ratio = zaslavsky(100_000, n_in) / hanin_rolnick_estimate(100_000, n_in)
        assert float(ratio) == pytest.approx(1, rel=1e-3)


def test_laws_a_deep_network_needs_no_deep_stack():
    assert serra_upper([3] * 3000, 2) > 1
    assert serra_upper([2, 2], 10**9) == serra_upper([2, 2], 2)


def test_laws_numpy_whole_numbers_are_welcome():
    assert zaslavsky(np.int64(3), np.int64(2)) == 7
    assert serra_upper(np.array([3, 3]), 2) == 40


@pytest.mark.parametrize("function", [zaslavsky, central, hanin_rolnick_estimate])
def test_bad_input_numbers(function):
    with pytest.raises(NetworkError, match=r"input_dim must be a whole number, at least 1; got 0\."):
        function(3, 0)
    with pytest.raises(NetworkError, match=r"neurons must be a whole number, at least 0; got -1\."):
        function(-1, 2)
    with pytest.raises(NetworkError, match=r"got 2\.0\."):
        function(3, 2.0)
    with pytest.raises(NetworkError, match=r"got True\."):
        function(True, 2)
    assert issubclass(NetworkError, CreasesError)
    assert issubclass(NetworkError, ValueError)


def test_bad_input_widths():
    with pytest.raises(NetworkError, match=r"widths is empty; give the neurons"):
        serra_upper([], 2)
    with pytest.raises(NetworkError, match=r"widths\[1\] must be a whole number, at least 1; got 0\."):
        serra_upper([3, 0], 2)


# What some networks have, and the other upper bounds: paper.md's values, worked out there by hand and by machine.


@pytest.mark.parametrize(
    ("widths", "n", "lower"),
    [
        ([20] * 3, 2, 3_089_251),
        ([32] * 3, 2, 44_182_609),
        ([16] * 4, 2, 72_807_417),
        ([32] * 4, 2, 12_768_774_001),
        ([20] * 3, 3, 158_943_799),
        ([16] * 4, 4, 614_501_953_125),
        ([5, 20], 2, 0),
    ],
)
def test_known_serra_lower(widths, n, lower):
    assert serra_lower(widths, n) == lower
    assert lower <= serra_upper(widths, n)


@pytest.mark.parametrize(
    ("n", "widths", "bound"), [(2, [3, 3], 49), (3, [4, 4], 225), (2, [4, 3, 2], 308), (1, [20] * 3, 9261)]
)
def test_known_montufar_2017(n, widths, bound):
    assert montufar_2017_upper(widths, n) == bound


def test_known_lower_bounds():
    assert montufar_2014_lower([20] * 3, 2) == 10**2 * 10**2 * 211
    assert pascanu_lower([20] * 3, 2) == 10 * 10 * 211
    assert pascanu_lower([1, 20], 2) == montufar_2014_lower([1, 20], 2) == 0
    assert arora_lower(3, 4, 3, 2) == 6 * 16
    assert one_dimensional_maximum([20, 20, 20]) == serra_upper([20, 20, 20], 1) == 9261


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("widths", [[1], [4], [3, 2], [2, 5], [4, 3, 2], [1, 4, 4], [6, 6, 6]])
def test_laws_all_bounds_in_order(widths, n):
    """Hinz and van de Geer's is Serra's from the other end; lower ones lie below upper ones, and all below 2^N."""
    upper = serra_upper(widths, n)
    assert hinz_upper(widths, n) == upper
    assert montufar_2017_upper(widths, n) == montufar_2017(n, widths) == maxout_upper(widths, 2, n)
    for lower in (pascanu_lower, montufar_2014_lower, serra_lower):
        assert lower(widths, n) <= upper
    assert pascanu_lower(widths, n) <= montufar_2014_lower(widths, n)
    assert upper <= trivial(sum(widths))
    assert serra_upper(widths, n, ranks=widths) == upper
    assert serra_upper(widths, n, ranks=[0] * len(widths)) == 1
    assert maxout_upper(widths, 3, n) >= maxout_upper(widths, 2, n)


@pytest.mark.parametrize("n", range(1, 6))
@pytest.mark.parametrize("neurons", range(6))
def test_laws_faces(neurons, n):
    counts = [faces(neurons, n, k) for k in range(n + 1)]
    assert counts[n] == zaslavsky(neurons, n)
    assert counts[0] == comb(neurons, n)
    assert sum((-1) ** k * f for k, f in enumerate(counts)) == (-1) ** n
    assert zaslavsky(neurons, n, rank=n) == zaslavsky(neurons, n, rank=n + 3) == zaslavsky(neurons, n)
    assert zaslavsky(neurons, n, rank=0) == 1


def test_known_xiong():
    """Positions that share no input multiply; one position is a dense layer; two positions by brute force."""
    assert xiong_one_layer(1, 4, 1, (1, 2), 3, stride=2) == zaslavsky(3, 2) ** 2
    assert xiong_one_layer(2, 2, 2, (2, 2), 5) == zaslavsky(5, 8)
    # A filter of two inputs slid over three: positions see {0, 1} and {1, 2}.
    d = 2
    by_hand = sum(
        comb(d, s) * comb(d, t) for s in range(d + 1) for t in range(d + 1) if s <= 2 and t <= 2 and s + t <= 3
    )
    assert xiong_one_layer(1, 3, 1, (1, 2), d) == by_hand
    with pytest.raises(NetworkError, match="at most 12"):
        xiong_one_layer(5, 5, 1, (2, 2), 2)


def test_laws_big_integers_do_not_overflow():
    widths = [512] * 20
    assert zaslavsky(sum(widths), 10) > 10**33
    assert serra_upper(widths, 10) < trivial(sum(widths))
    assert serra_lower(widths, 10) < serra_upper(widths, 10) < montufar_2017_upper(widths, 10) * 2
    assert raghu_order(512, 20, 10) == 512**200


@pytest.mark.parametrize("bound", [pascanu_lower, montufar_2014_lower, montufar_2017_upper, serra_lower, hinz_upper])
def test_bad_input_bounds(bound):
    with pytest.raises(NetworkError, match=r"widths\[0\] must be a whole number, at least 1; got 0"):
        bound([0, 3], 2)
    with pytest.raises(NetworkError, match="input_dim must be a whole number, at least 1"):
        bound([3, 3], 0)
    with pytest.raises(NetworkError, match="widths is empty"):
        bound([], 2)


def test_bad_input_others():
    with pytest.raises(NetworkError, match="k must be at most input_dim"):
        faces(3, 2, 3)
    with pytest.raises(NetworkError, match="one number a layer"):
        serra_upper([3, 3], 2, ranks=[1])
    with pytest.raises(NetworkError, match="pieces"):
        maxout_upper([3], 0, 2)
