"""Constants of networks and of laws, and the tables that put a count beside its theory."""

from itertools import pairwise
from math import pi, sqrt

import numpy as np
import pytest

from creases import Box, Directions, Network, Segment, Space, count
from creases.errors import NetworkError
from creases.theory import (
    bounds,
    compare,
    empirical_bias_density,
    first_layer_moment,
    gaussian_bias_density,
    gradient_constant,
    mean_gradient_constant,
    serra_upper,
    smallest_t,
    uniform_bias_density,
)
from networks import random_network


def he_law(n_in, widths, sigma=0.5):
    def draw(rng):
        layers = [
            (rng.standard_normal((above, below)) * sqrt(2 / below), rng.standard_normal(above) * sigma)
            for below, above in pairwise((n_in, *widths))
        ]
        return Network.from_arrays(*zip(*layers, strict=True), output_layer=False)

    return draw


def test_known_densities():
    assert gaussian_bias_density(0.5) == pytest.approx(2 / sqrt(2 * pi))
    assert uniform_bias_density(4.0) == 0.25


@pytest.mark.parametrize("n", [1, 2, 5, 50])
def test_known_moments_of_the_first_layer(n):
    """Second moment 2 at He initialisation; the fourth by the chi-square law: (2 / n)^2 n (n + 2)."""
    assert first_layer_moment(n, 2) == pytest.approx(sqrt(2))
    assert first_layer_moment(n, 4) ** 4 == pytest.approx(4 * (n + 2) / n)
    assert first_layer_moment(n, 2, variance=1.0) == pytest.approx(sqrt(n))


def test_laws_estimated_constants_meet_the_closed_forms():
    """Within three standard errors: densities of many draws, and the second moment of deep layers."""
    rng = np.random.default_rng(0)
    found = empirical_bias_density(rng.standard_normal(4000) * 0.5)
    assert abs(found.value - gaussian_bias_density(0.5)) < 5 * found.error + 0.03
    law = he_law(3, (20, 20, 20))
    estimate = mean_gradient_constant(law, rng.standard_normal((4, 3)), 2, networks=300)
    assert estimate.m == 2
    # The largest of 240 means errs upwards.
    assert -3 * estimate.error < estimate.value - sqrt(2) < 6 * estimate.error
    assert "300 networks" in estimate.rests_on
    assert float(estimate) == estimate.value


def test_laws_gradient_constant_of_one_network():
    network = Network.from_arrays(*random_network([2, 6, 6, 1], 0, 0.5))
    points = np.random.default_rng(0).standard_normal((200, 2))
    few, many = gradient_constant(network, points[:10]), gradient_constant(network, points)
    first = np.linalg.norm(network.hidden[0].weight, axis=1).max()
    assert first <= few.value <= many.value


@pytest.mark.jit
def test_known_comparison():
    network = Network.from_arrays(*random_network([2, 16, 16, 1], 0, 0.1))
    found = count(network, Box([-1, -1], [1, 1]))
    table = compare(found, network)
    assert table["regions"] == 412
    assert table["N^n / n!"] == 512
    assert table["no network has more"] == serra_upper([16, 16], 2)
    assert table["T-hat"] == smallest_t(412, 32, 2, volume=4.0)
    assert table["theorem 5, T = 32 C_grad C_bias"] > 412
    assert repr(table).startswith("Box(n_in=2, dimension=2), N = 32\nregions")
    frame = table.to_pandas()
    assert list(frame.columns) == ["name", "value", "kind", "source"]
    assert len(frame) == len(table)
    with pytest.raises(KeyError, match="no line 'depth'"):
        table["depth"]


@pytest.mark.jit
def test_known_comparisons_where_something_is_missing():
    """Infinite domains have no T-hat; networks without biases no density; segments and directions are domains too."""
    network = Network.from_arrays(*random_network([2, 6, 4, 1], 0, 0.1))
    names = {row.name for row in compare(count(network, Space(2)), network)}
    assert "T-hat" not in names
    silent = network.without_biases()
    names = {row.name for row in compare(count(silent, Box([-1, -1], [1, 1])), silent)}
    assert "T-hat" in names
    assert "C_bias" not in names
    for domain in (Segment([0, 0], [1, 2]), Directions(2)):
        assert compare(count(network, domain), network)["regions"] > 0


def test_known_tables_of_widths():
    network = Network.from_arrays(*random_network([3, 6, 6, 1], 0, 0.1))
    assert [row.value for row in bounds(network)] == [row.value for row in bounds([6, 6], 3)]
    assert [row.value for row in bounds(network, 2)] == [row.value for row in bounds([6, 6], 2)]
    huge = bounds([512] * 20, 10)
    assert "e" in repr(huge)
    values = {row.kind: row.value for row in huge}
    assert values["upper bound"] == 2**10240


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bounds([3, 3]), "Give input_dim"),
        (lambda: bounds([0], 2), r"widths\[0\]"),
        (lambda: bounds([3], 0), "input_dim"),
        (lambda: empirical_bias_density([0.0, 0.0]), "two different finite biases"),
        (lambda: empirical_bias_density([0.0, np.nan]), "two different finite biases"),
        (lambda: gaussian_bias_density(0.0), "sigma"),
        (lambda: uniform_bias_density(np.inf), "length"),
        (lambda: first_layer_moment(0, 2), "input_dim"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(NetworkError, match=words):
        call()


@pytest.mark.jit
def test_bad_input_another_network():
    network, other = (Network.from_arrays(*random_network([2, 4, 1], seed, 0.1)) for seed in (0, 1))
    with pytest.raises(NetworkError, match="another network"):
        compare(count(network, Space(2)), other)


@pytest.mark.jit
def test_known_commands(capfd, tmp_path):
    from creases import cli

    assert cli.run(["theory", "20,20,20", "--input-dim", "2"]) == 0
    assert "9,393,931" in capfd.readouterr().out
    assert cli.run(["theory", "20,x"]) == 2
    assert "no list of widths" in capfd.readouterr().err
    model = Network.from_arrays(*random_network([2, 16, 16, 1], 0, 0.1)).save(tmp_path / "net.npz")
    assert cli.run(["count", str(model), "--box", "-1:1,-1:1", "--theory"]) == 0
    assert "T-hat" in capfd.readouterr().out
