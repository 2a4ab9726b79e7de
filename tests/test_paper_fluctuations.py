"""The laws of spreads, beside closed forms and samples; the jackknife, beside means."""

import numpy as np
import pandas
import pytest

from creases.network import Network
from creases.paper.choices import RandomPoints
from creases.paper.claims import Numbers, between
from creases.paper.exponents import exponents
from creases.paper.fluctuations import (
    SquaredGradient,
    gradient_relative_variance,
    handed_up,
    log_gradient_law,
    relative_variance,
)
from creases.paper.jackknife import as_text, estimated, pseudo_values
from creases.training import he_network


def test_known_handed_up():
    for depth, width in ((1, 7), (2, 16), (5, 10)):
        assert handed_up([width] * depth) == pytest.approx((depth - 1) * (2 * depth - 1) / (6 * depth * width))


def test_known_gradient_relative_variance():
    """For n = 2 a product of 1 + 5 / width; for small sums of 1 / width, 5 n^2 / 4 times them."""
    assert gradient_relative_variance((8, 16), 2) == pytest.approx((1 + 5 / 8) * (1 + 5 / 16) - 1)
    for n in (1, 2, 3, 4):
        assert gradient_relative_variance((512, 512), n) == pytest.approx(1.25 * n**2 * 2 / 512, rel=0.1)


def test_known_log_gradient_law():
    """Wide layers have Hanin and Nica's variance, 5 / width each, and a mean of half of it below 0."""
    mean, variance = log_gradient_law((512,) * 4)
    assert variance == pytest.approx(5 * 4 / 512, rel=0.02)
    assert mean == pytest.approx(-variance / 2, rel=0.02)


@pytest.mark.parametrize(("n", "widths"), [(1, (8, 8, 8)), (3, (12, 6))])
def test_against_samples_of_squared_gradients(n, widths):
    """Those of He networks are spread as the law says."""
    task = RandomPoints(1, n_in=n).build(0)
    measure = SquaredGradient().prepare(task)
    values = []
    for seed in range(600):
        network = he_network([n, *widths, 2], seed=seed)
        arrays = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in network[::2]]
        values.append(measure(Network.from_arrays(*map(list, zip(*arrays, strict=True))))[0].value)
    values = np.array(values)
    logs = np.log(values[values > 0] * n / widths[-1])
    mean, variance = log_gradient_law(widths)
    low, high = Numbers.of(logs)[2:4]
    assert low < mean < high
    assert logs.var() == pytest.approx(variance, rel=0.25)


def test_known_squared_gradient():
    """One that is worked out by hand: the second neuron is off."""
    network = Network.from_arrays([[[3.0], [-1.0]], [[2.0, 5.0]], [[1.0]]], [[1.0, -2.0], [1.0], [0.0]])
    task = RandomPoints(1, n_in=1).build(0)
    (measured,) = SquaredGradient().prepare(task)(network)
    x = float(task.train_inputs[0, 0])
    expected = 36.0 if x > -1 / 3 else 25.0 if x < -2 else 0.0
    assert measured.value == expected


def test_known_jackknife_of_means():
    """For a mean, pseudo-values are the values themselves, whatever the blocks."""
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    found = pseudo_values(range(6), lambda some: np.array([values[sorted(some)].mean()]))
    assert found[:, 0] == pytest.approx(values)
    blocks = pseudo_values(range(6), lambda some: np.array([values[sorted(some)].mean()]), blocks=3)
    assert blocks[:, 0] == pytest.approx([2.0, 3.0, 6.5])
    assert pseudo_values([4], lambda some: np.array([float(len(some))])).shape == (1, 1)


def test_against_samples_of_the_jackknife():
    """The interval of a relative variance holds the true one about as often as it says."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        values = 1 + 0.3 * rng.standard_normal(100)
        found = pseudo_values(range(100), lambda some, v=values: np.array([relative_variance(v[sorted(some)])]))[:, 0]
        low, high = Numbers.of(found)[2:4]
        held += low < 0.09 < high
    assert 0.88 * 200 <= held <= 200


def test_known_estimates_in_words():
    claim = between(0.0, 1.0, "some")
    assert estimated("a", np.empty(0), claim).measured == "too few runs"
    assert estimated("a", np.array([np.nan, 1.0, 2.0]), claim).verdict == "undecided"
    assert estimated("a", np.array([0.4, 0.5, 0.6, 0.5]), claim).verdict == "holds"
    assert estimated("a", np.array([0.5]), None).measured == "0.5 (1 run)"
    assert as_text(np.array([0.4, 0.6]), ".1f", short=True) == "0.5 [-0.8, 1.8]"


def test_known_exponents_of_unequal_numbers_of_seeds():
    """Few seeds of many neurons: as many groups as they are, and the power."""
    rows = [
        (N, L, seed, N**4 * L**0.5 * (1 + 0.1 * np.random.default_rng([N, L, seed]).standard_normal()))
        for N, seeds in ((32, 20), (64, 20), (128, 6), (256, 4))
        for L in (2, 4)
        for seed in range(seeds)
    ]
    found = exponents(pandas.DataFrame(rows, columns=["neurons", "depth", "seed", "value"]))
    assert found.shape == (4, 2)
    low, high = Numbers.of(found[:, 0])[2:4]
    assert low < 4 < high
    assert high - low < 0.5
