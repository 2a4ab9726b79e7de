"""Constants of networks and of laws, and the tables that put a count beside its theory."""

import json
from itertools import pairwise
from math import pi, sqrt

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from creases import Box, Directions, Network, Plane, Polyline, Segment, Space, count
from creases.errors import NetworkError
from creases.theory import (
    bias_constant,
    bounds,
    compare,
    empirical_bias_density,
    explicit_bound,
    first_layer_moment,
    gaussian_bias_density,
    gradient_constant,
    gradient_norms,
    mean_gradient_constant,
    serra_upper,
    smallest_t,
    t_of,
    theorem5_bound,
    uniform_bias_density,
)
from creases.theory.constants import top_of_density
from creases.theory.table import readable
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
    assert abs(estimate.value - sqrt(2)) < 3 * estimate.error
    assert estimate.rests_on == "150 networks where 150 others are steepest, of 240 neurons and points"
    assert float(estimate) == estimate.value


@pytest.mark.parametrize("seed", range(4))
def test_against_exact_top_of_density(seed):
    """SciPy's kernel density estimate, kernel by kernel, at many places."""
    rng = np.random.default_rng(seed)
    values = (rng.standard_normal(300), rng.random(40), rng.standard_t(2, 200), rng.exponential(size=2))[seed]
    places = np.linspace(values.min(), values.max(), 20_001)
    assert top_of_density(values) == pytest.approx(gaussian_kde(values)(places).max(), rel=1e-3)


def test_laws_density_of_biases():
    """Uniform biases have 1 / length, whatever the unit and the origin; the error falls with their number."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-2.0, 2.0, 5000)
    found = empirical_bias_density(values)
    assert found.value == pytest.approx(uniform_bias_density(4.0), rel=0.1)
    assert 0 < found.error < 0.1 * found.value
    assert empirical_bias_density(values * 1e-3 + 7.0).value == pytest.approx(1e3 * found.value, rel=1e-2)
    assert empirical_bias_density(values[:50]).error > 2 * found.error
    assert found.rests_on == "5000 biases, Gaussian kernel density, 100 bootstrap samples"


def test_laws_bias_constant_is_that_of_the_narrowest_layer():
    """All biases at once would hide it."""
    rng = np.random.default_rng(0)
    biases = [rng.standard_normal(200), 0.05 * rng.standard_normal(50), np.zeros(20)]
    network = Network.from_arrays(
        [rng.standard_normal((b, a)) for a, b in pairwise((2, 200, 50, 20))], biases, output_layer=False
    )
    found = bias_constant(network)
    assert abs(found.value - gaussian_bias_density(0.05)) < 3 * found.error + 0.1 * found.value
    assert found.rests_on.startswith("layer 2: 50 biases")
    assert empirical_bias_density(np.concatenate(biases[:2])).value < found.value / 2


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 2), (3, 3), (5, 3)])
def test_laws_moments_of_the_first_layer_are_estimated(n, m):
    """Of one neuron at one point, half of the networks at a time."""
    estimate = mean_gradient_constant(he_law(n, (1,)), np.zeros((1, n)), m, networks=4000)
    assert abs(estimate.value - first_layer_moment(n, m)) < 4 * estimate.error
    assert estimate.m == m


def test_known_largest_gradient_at_points():
    """A lower bound, of which nothing says how far below it is."""
    network = Network.from_arrays(*random_network([2, 6, 6, 1], 0, 0.5))
    points = np.random.default_rng(0).standard_normal((40, 2))
    found = gradient_constant(network, points)
    assert found.value == gradient_norms(network, points).max()
    assert np.isnan(found.error)
    assert (found.m, found.rests_on, found.kind) == (0, "40 points of one network", "lower bound")


def test_laws_gradient_constant_of_one_network():
    network = Network.from_arrays(*random_network([2, 6, 6, 1], 0, 0.5))
    points = np.random.default_rng(0).standard_normal((200, 2))
    few, many = gradient_constant(network, points[:10]), gradient_constant(network, points)
    first = np.linalg.norm(network.hidden[0].weight, axis=1).max()
    assert first <= few.value <= many.value
    assert gradient_constant(network, points, along=[[1.0, 0.0]]).value < many.value


@pytest.mark.jit
def test_known_comparison():
    network = Network.from_arrays(*random_network([2, 16, 16, 1], 0, 0.1))
    found = count(network, Box([-1, -1], [1, 1]))
    table = compare(found, network)
    assert table["regions"] == 412
    assert table["N^n / n!"] == 512
    assert table["no network has more"] == serra_upper([16, 16], 2)
    assert table["T-hat"] == smallest_t(412, 32, 2, volume=4.0)
    c_grad, c_bias = table["C_grad"], table["C_bias"]
    assert table["theorem 5, T = 32 C_grad C_bias"] == round(theorem5_bound(32, 2, t_of(c_grad, c_bias), volume=4.0))
    assert table["explicit bound"] == round(explicit_bound(32, 2, 2.0, c_grad, c_bias))
    assert table["side in units"] == pytest.approx(2.0 * c_grad * c_bias * 32)
    assert 412 < table["explicit bound"] < table["theorem 5, T = 32 C_grad C_bias"]
    kinds = {row.name: row.kind for row in table}
    assert kinds["theorem 5, T = 32 C_grad C_bias"] == f"bound on a mean, side >= {1 / (15 * c_grad * c_bias):.2g}"
    assert kinds["C_grad"] == "exact"
    assert kinds["C_bias"].startswith("± ")
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
    for domain in (Segment([0, 0], [1, 2]), Directions(2), Box([-1, -1], [1, 2]), Polyline([[0, 0], [1, 1], [1, 0]])):
        table = compare(count(network, domain), network)
        assert table["regions"] > 0
        assert ("explicit bound" in {row.name for row in table}) == isinstance(domain, Segment)


@pytest.mark.jit
def test_laws_comparisons_on_a_slice_are_those_of_the_network_on_it():
    """A plane through a space of many inputs, in coordinates of another length: gradients along it only."""
    weights, biases = random_network([40, 8, 8, 1], 0, 0.3)
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.standard_normal((40, 2)))[0].T
    network = Network.from_arrays(weights, biases)
    within = Network.from_arrays([np.array(weights[0]) @ directions.T, *weights[1:]], biases)
    in_plane = compare(count(network, Plane(np.zeros(40), 2.0 * directions).square(1.0)), network)
    flat = compare(count(within, Box([-2, -2], [2, 2])), within)
    for name in ("regions", "T-hat", "C_bias", "C_grad", "N^n / n!"):
        assert in_plane[name] == pytest.approx(flat[name])
    assert in_plane["C_grad"] < 0.6 * gradient_constant(network, np.zeros((1, 40))).value


def test_known_tables_of_widths():
    network = Network.from_arrays(*random_network([3, 6, 6, 1], 0, 0.1))
    assert [row.value for row in bounds(network)] == [row.value for row in bounds([6, 6], 3)]
    assert [row.value for row in bounds(network, 2)] == [row.value for row in bounds([6, 6], 2)]
    frame = bounds([6, 6], 3).to_pandas()
    assert frame.value.tolist() == [row.value for row in bounds([6, 6], 3)]
    assert set(frame.kind) == {"estimate", "estimate, no biases", "reached", "upper bound"}
    assert "Arora et al. 2018" in set(frame.source)
    assert "Arora et al. 2018" not in {row.source for row in bounds([1, 6], 3)}
    assert bounds([512] * 20, 10).to_pandas().value.iloc[-1] == 2**10240
    huge = bounds([512] * 20, 10)
    assert "e" in repr(huge)
    values = {row.kind: row.value for row in huge}
    assert values["upper bound"] == 2**10240


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (412.0, "412"),
        (0.25, "0.25"),
        (10**12 - 1, "999,999,999,999"),
        (10**12, "1.00e12"),
        (9_996 * 10**9, "9.99e12"),
        (10**300 - 1, "9.99e299"),
        (1e15, "1.00e15"),
    ],
)
def test_known_numbers_as_they_are_shown(value, text):
    assert readable(value) == text
    assert readable(10**6000) == "1.00e6000"  # which pytest cannot write as a parameter


@pytest.mark.jit
def test_bad_input_another_network():
    network, other = (Network.from_arrays(*random_network([2, 4, 1], seed, 0.1)) for seed in (0, 1))
    with pytest.raises(NetworkError, match="another network"):
        compare(count(network, Space(2)), other)
    with pytest.raises(NetworkError, match="samples must be a whole number, at least 1; got 0"):
        compare(count(network, Box([0, 0], [1, 1])), network, samples=0)


@pytest.mark.jit
def test_known_commands(capfd, tmp_path):
    from creases import cli

    assert cli.run(["theory", "20,20,20", "--input-dim", "2"]) == 0
    assert "9,393,931" in capfd.readouterr().out
    for bad, words in (
        (["20,x"], "no list of widths"),
        ([""], "no list of widths"),
        (["3,0"], r"widths[1] must be a whole number, at least 1; got 0"),
        (["3", "--input-dim", "0"], "greater than or equal to 1"),
        ([], "Missing argument 'WIDTHS'"),
    ):
        assert cli.run(["theory", *bad]) == 2
        assert words in capfd.readouterr().err
    assert cli.run(["theory", "20,20,20", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert [row["value"] for row in told["rows"]] == [row.value for row in bounds([20] * 3, 2)]
    assert cli.run(["theory", ",".join(["512"] * 40), "-n", "10", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["rows"][-1]["value"] == "1.24e6165"
    model = Network.from_arrays(*random_network([2, 16, 16, 1], 0, 0.1)).save(tmp_path / "net.npz")
    assert cli.run(["count", str(model), "--box", "-1:1,-1:1", "--theory"]) == 0
    assert "T-hat" in capfd.readouterr().out
    assert cli.run(["count", str(model), "--box", "-1:1,-1:1", "--theory", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["regions"] == 412
    assert {row["name"]: row["value"] for row in told["theory"]}["N^n / n!"] == 512
    assert cli.run(["count", str(model), "--space", "--theory"]) == 0
    assert "T-hat" not in capfd.readouterr().out
