"""Worlds in which the claims of `theory` and `initialisations` are so, and worlds in which each of them is not."""

import numpy as np
import pytest

from creases import Box, Network, count
from creases.paper.choices import Digits, Principal
from creases.paper.figures import initialisations, theory
from creases.paper.law_constants import constants_of, variance_of
from creases.paper.natural import NaturalCubes, NaturalSquares, explicit_in_units, t_in_units
from creases.theory import (
    explicit_bound,
    gaussian_bias_density,
    gaussian_gradient_constant,
    gradient_norms,
    smallest_t,
    t_of,
    theorem5_bound,
)
from creases.training import (
    BandBiases,
    CorrelatedBiases,
    GaussianBiases,
    GlorotWeights,
    HeUniformWeights,
    HeWeights,
    Initialisation,
    LeCunWeights,
    OneSidedBiases,
    OrthogonalWeights,
    UniformBiases,
    ZeroBiases,
)
from networks import random_network
from planted import jitter, refuted, verdicts

# Theory: counts in squares of s units.


def squares(regions, constants=(2.0, 400.0)):
    """A world in which a square of s units has `regions(moment, s)` regions, around the origin and an example."""

    def world(moment):
        rows = [("C_grad", "R^2", constants[0]), ("C_bias", "layers", constants[1])]
        for scale in theory.SCALES:
            value = regions(moment, scale) * jitter(moment)
            rows += [(f"regions at {scale:g}", "origin", value), (f"regions at {scale:g}", "example 1", 0.9 * value)]
        return rows

    return world


def saturating(moment, scale):
    """One region in the smallest square, all N^2 / 2 from 600 units on."""
    return min(1.0 + 0.02 * scale**1.6, 0.95 * moment.neurons**2 / 2)


LIES_OF_THEORY = {
    "N^2 / 2 in every square": squares(lambda moment, scale: moment.neurons**2 / 2),
    "exponentially many": squares(lambda moment, scale: 2.0 ** (moment.neurons / 2)),
    "half of every count": squares(lambda moment, scale: saturating(moment, scale) / 2),
    "nothing": squares(lambda moment, scale: 0.0),
    "as many as there is room": squares(lambda moment, scale: 1.0 + scale**2 / 100),
}


def test_planted_theory():
    found = refuted(theory.FIGURE, squares(saturating), LIES_OF_THEORY)
    bounds = {what for what in verdicts(squares(saturating), theory.FIGURE) if "largest over squares from" in what}
    assert len(bounds) == 12
    assert bounds <= found["exponentially many"]  # T-hat above 32 C_grad C_bias, and the explicit bound
    explicit = {what for what in bounds if "explicit" in what}
    assert explicit <= found["N^2 / 2 in every square"]
    whole = {what for what in verdicts(squares(saturating), theory.FIGURE) if "(N² / 2)" in what}
    assert whole <= found["half of every count"]
    assert whole <= found["nothing"]
    window = {what for what in verdicts(squares(saturating), theory.FIGURE) if "exponent" in what}
    assert window <= found["as many as there is room"]


def test_planted_theory_at_the_end_alone():
    """Training that gives exponentially many is not hidden by a start that has few."""
    world = squares(lambda moment, s: saturating(moment, s) if moment.first else 2.0 ** (moment.neurons / 2))
    said = verdicts(world, theory.FIGURE)
    assert {word for what, word in said.items() if "at the end" in what} == {"differs"}
    assert {word for what, word in said.items() if "at the start" in what} == {"holds", "check"}


def test_planted_theory_does_not_see_the_smallest_square():
    """One region there, which it has whatever the network, moves no verdict; nor do a hundred."""
    one = verdicts(squares(saturating), theory.FIGURE)
    many = verdicts(squares(lambda moment, s: saturating(moment, s) if s > 1 else 100.0), theory.FIGURE)
    assert one == many


@pytest.mark.parametrize("excess", [0.98, 1.02])
def test_planted_theory_at_the_very_edge(excess):
    """T-hat a little below and above 32 C_grad C_bias, in the second square."""
    allowed = (32.0 * theory.SCALES[1]) ** 2 / 2
    world = squares(lambda moment, s: saturating(moment, s) if s != theory.SCALES[1] else excess**2 * allowed)
    said = {word for what, word in verdicts(world, theory.FIGURE).items() if "smallest T / (2⁵" in what}
    assert said == ({"holds"} if excess < 1 else {"differs"})


# Initialisations: regions over those of He's with the same seed, and squares.

SMALL = {8.0: 2.5, 64.0: 30.0, 512.0: 900.0}


def starts(factor, ends, bounded=SMALL):
    """A world: factor(name) N^2 / 2 regions at the start, ends(name) of them after training; squares by scale."""

    def world(moment):
        labels, half = moment.labels, moment.neurons**2 / 2
        if labels["where"] == initialisations.SQUARE:
            return [("regions", f"{scale:g}", value * jitter(moment)) for scale, value in bounded.items()]
        value = (factor if moment.first else ends)(labels["start"])
        # Pairs share what a seed draws; what is left of the ratio has a spread of its own.
        own = 1.0 + 0.02 * np.random.default_rng([moment.seed, len(labels["start"])]).standard_normal()
        exact = labels["start"] in (*initialisations.SCALED, "He", "Glorot", "LeCun")
        return [("regions", "origin plane 1", value * half * jitter(moment, 0.05) * (1.0 if exact else own))]

    return world


def told(name):
    """What is so: all as He's, but for cones of zero biases, and more of the laws of biases that raise the count."""
    return 4 / 96 if name == "biases zero" else 1.4 if name in initialisations.RAISING else 0.97


def ending(name):
    """The same after training."""
    return 1.2 if name in initialisations.RAISING else 0.85


def unlike(factor, ends=None):
    """All but He's have another number."""
    return starts(
        lambda name: told(name) * (1 if name == "He" else factor),
        lambda name: ending(name) * (1 if name == "He" else ends or factor),
    )


LIES_OF_STARTS = {
    "twice He's": unlike(2.0),
    "half of He's": unlike(0.5),
    "nothing": starts(lambda name: 0.0, lambda name: 0.0),
    "LeCun apart from Glorot": starts(lambda name: told(name) * (1.05 if name == "LeCun" else 1), ending),
    "no law of biases has more": starts(
        lambda name: 0.9 if name in initialisations.RAISING else told(name),
        lambda name: 0.8 if name in initialisations.RAISING else ending(name),
    ),
    "half of every count": starts(lambda name: told(name) / 2, lambda name: 0.4),
    "squares as full as planes": starts(told, ending, dict.fromkeys(SMALL, 4608.0)),
    "exponentially many in squares": starts(told, ending, dict.fromkeys(SMALL, 2.0**30)),
    "the scale of biases matters": starts(
        lambda name: told(name) * (1.05 if name in initialisations.SCALED else 1), ending
    ),
}


def test_planted_initialisations():
    truth = starts(told, ending)
    found = refuted(initialisations.FIGURE, truth, LIES_OF_STARTS)
    held = verdicts(truth, initialisations.FIGURE)
    beside = {what for what in held if "He's of the same seed" in what}
    raising = {what for what in beside if what.startswith(initialisations.RAISING)}
    assert (len(beside), len(raising)) == (8 + 7, 2 + 2)
    assert beside - raising <= found["twice He's"]
    assert beside <= found["half of He's"]
    assert raising == found["no law of biases has more"]
    assert found["LeCun apart from Glorot"] == {"LeCun: regions / Glorot's of the same seed, at the start"}
    bounds = {what for what in held if "explicit bound" in what}
    assert len(bounds) == 9
    assert {held[what] for what in bounds} == {"check"}  # a bound that is proved is no verdict
    assert bounds <= found["squares as full as planes"]
    assert "He: regions / N² at the start" in found["half of every count"]
    assert "He: regions / N² at the start" in found["nothing"]
    assert "biases zero: regions / 2 N at the start" in found["half of every count"]
    scaled = {what for what in held if what.startswith(initialisations.SCALED) and "at the start" in what}
    assert found["the scale of biases matters"] == scaled


def test_planted_pairs_are_finer_than_ranges():
    """Runs that differ fourfold from seed to seed, all by the same factor in all laws: the pairs say so."""

    def world(moment):
        if moment.labels["where"] == initialisations.SQUARE:
            return [("regions", f"{scale:g}", value) for scale, value in SMALL.items()]
        return [("regions", "origin plane 1", 2.0 ** (moment.seed % 3) * 1000 * told(moment.labels["start"]))]

    said = verdicts(world, initialisations.FIGURE)
    assert {word for what, word in said.items() if "at the start" in what and "He's" in what} == {"holds", "check"}


# What they measure.


@pytest.mark.parametrize("n", [1, 2, 3])
def test_laws_units(n):
    """The constants cancel: the smallest T, the explicit bound and theorem 5 in squares of s units."""
    c_grad, c_bias, neurons = 1.7, 300.0, 40
    for scale in (0.5, 4.0, 100.0):
        side = scale / (c_grad * c_bias * neurons)
        explicit = float(explicit_bound(neurons, n, side, c_grad, c_bias))
        assert explicit_in_units(neurons, scale, n) == pytest.approx(explicit)
        t = smallest_t(700, neurons, n, volume=side**n)
        assert t_in_units(700, scale, n) == pytest.approx(t / (c_grad * c_bias))
        theorem = float(theorem5_bound(neurons, n, t_of(c_grad, c_bias), volume=side**n))
        assert t_in_units(theorem, scale, n) == pytest.approx(32.0)
    for neurons in (32, 48, 96, 10_000):  # the explicit bound implies theorem 5 from the smallest square on
        assert t_in_units(explicit_in_units(neurons, 1.0, n), 1.0, n) < 32.0


@pytest.mark.jit
def test_known_natural_squares():
    """Sides by the network's own constants, around the origin and examples; without biases there is C_grad alone."""
    task = Principal(Digits(), 2).build(0)
    measure = NaturalSquares((1.0, 64.0), examples=2).prepare(task)
    network = Network.from_arrays(*random_network([2, 8, 8, 1], 0, 0.3))
    rows = {(row.measure, row.domain): row.value for row in measure(network)}
    assert len(rows) == 2 + 2 * 3
    c_grad, c_bias = rows["C_grad", "R^2"], rows["C_bias", "layers"]
    assert c_grad >= gradient_norms(network, task.train_inputs.astype(float)).max()
    half = 64.0 / (c_grad * c_bias * 16) / 2
    assert rows["regions at 64", "origin"] == count(network, Box([-half] * 2, [half] * 2)).regions
    assert [row.measure for row in measure(network.without_biases())] == ["C_grad"]
    silent = Network.from_arrays([np.zeros((2, 2))], [[0.5, 1.0]], output_layer=False)
    assert {row.measure for row in measure(silent)} == {"C_grad", "C_bias"}
    cubes = NaturalCubes(0.01, (8.0, 64.0)).build(task)
    assert {name: box.upper.tolist() for name, box in cubes.items()} == {"8": [0.04] * 2, "64": [0.32] * 2}


WIDTHS = (6, 6, 6)


# Laws of weights and of biases: all of those, each with what is exact for even biases; biases of one sign with two.
EVEN, ONE_SIGN = CorrelatedBiases(0.3, 0.99), OneSidedBiases(-0.3)
LAWS = [HeWeights(), OrthogonalWeights(), HeWeights(2.0), HeUniformWeights(), GlorotWeights(), LeCunWeights()]
EVERYDAY = [*((weights, EVEN) for weights in LAWS), *((weights, ONE_SIGN) for weights in LAWS[:2])]
MORE = [(weights, biases) for biases in (GaussianBiases(0.3), OneSidedBiases(0.3)) for weights in LAWS]
MORE += [(weights, ONE_SIGN) for weights in LAWS[2:]]


@pytest.mark.parametrize(
    ("weights", "biases"), [*EVERYDAY, *(pytest.param(*both, marks=pytest.mark.long) for both in MORE)], ids=repr
)
def test_laws_second_moments_of_gradients(weights, biases):
    """Exact of even biases, whether they are independent or not; an upper bound of those of one sign."""
    start, rng = Initialisation(weights, biases), np.random.default_rng(0)
    points = np.array([[0.0, 0.0], [0.5, -2.0]])
    squares_of = []
    for _ in range(1500):
        layers, values = [], points
        for below, above in zip((2, *WIDTHS), WIDTHS, strict=False):
            weight = weights.draw(rng, above, below)
            bias = biases.draw(rng, values @ weight.T)
            layers.append((weight, bias))
            values = np.maximum(values @ weight.T + bias, 0.0)
        network = Network.from_arrays(*zip(*layers, strict=True), output_layer=False)
        squares_of.append(gradient_norms(network, points).reshape(2, 3, 6) ** 2)
    per_layer = np.array(squares_of).mean(axis=3)
    means, errors = per_layer.mean(axis=0), per_layer.std(axis=0, ddof=1) / np.sqrt(len(per_layer))
    known = constants_of(start, 2, WIDTHS)
    assert (means < known.c_grad**2 + 4 * errors).all()
    if not isinstance(biases, OneSidedBiases):
        largest = means.max(axis=1)
        assert (largest > known.c_grad**2 - 4 * errors.max()).all()


def test_known_law_constants():
    """He's in closed form; densities by hand; a law without one, and one that is not known."""
    he = constants_of(Initialisation(), 2, WIDTHS)
    assert he == pytest.approx((np.sqrt(2), gaussian_bias_density(1e-3)))
    assert he.unit(18) == pytest.approx(1 / (he.c_grad * he.c_bias * 18))
    variances = [variance_of(GlorotWeights(), below, 6) for below in (2, 6, 6)]
    glorot = constants_of(Initialisation(GlorotWeights()), 2, WIDTHS)
    assert glorot.c_grad == pytest.approx(gaussian_gradient_constant(2, WIDTHS, variances=variances))
    densities = {UniformBiases(0.1): 5.0, OneSidedBiases(-0.1): 2 * gaussian_bias_density(0.1)}
    densities[CorrelatedBiases(0.1, 0.99)] = gaussian_bias_density(0.01)
    for law, density in densities.items():
        assert constants_of(Initialisation(biases=law), 2, WIDTHS).c_bias == pytest.approx(density)
    for law in (ZeroBiases(), BandBiases()):
        assert constants_of(Initialisation(biases=law), 2, WIDTHS) is None
    with pytest.raises(TypeError, match="is not known"):
        variance_of(object(), 2, 3)
