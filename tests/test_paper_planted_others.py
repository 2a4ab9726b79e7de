"""Figures of partitions, zero biases, the sawtooth and patterns on made-up data: each verdict can be refuted."""

import numpy as np
import pytest

from creases.paper.claims import CHECK, DIFFERS, HOLDS, NOTED, UNDECIDED
from creases.paper.figures import FIGURES
from creases.paper.figures.sawtooth import LITTLE, SCALES, SHOWN
from creases.paper.sawtooth import ALMOST_NONE, TYPICAL, least_noise, share_of_weight
from planted import data_in, jitter, refuted, verdicts

# The partition.

PARTITION = FIGURES["partition"]
COUNT, SPREAD = "[8]⁵: regions of the plane / (N²/2)", "[8]⁵: (standard deviation / mean)² of the regions over networks"


def plane(factor=1.0, spread=0.35):
    """A world of counts of the whole plane: N²/2 times a factor, with this spread over networks."""
    return lambda moment: [("regions", "R^2", factor * jitter(moment, spread) * moment.neurons**2 / 2)]


def test_laws_partition_can_be_refuted():
    found = refuted(
        PARTITION,
        plane(),
        {
            "N²/2 for every network": plane(spread=0.0),
            "half of every count": plane(0.5),
            "five times": plane(5.0),
            "zeros": plane(0.0),
            "a fifth more": plane(1.2),
            "wild": plane(spread=0.7),
        },
        runs=None,
    )
    # A counter that returns N²/2 has the right mean; that networks differ tells it from one that counts.
    assert found["N²/2 for every network"] == {SPREAD}
    for lie in ("half of every count", "five times", "a fifth more"):
        assert found[lie] == {COUNT}
    assert COUNT in found["zeros"]
    assert found["wild"] == {SPREAD}


# Zero biases.

ZERO = FIGURES["zero_bias"]


def planes(cones=1.0, regions=1.0, power=1.0, end=1.0, wrong=None, spread=0.08):
    """A world of planes through the origin: 2N cones without biases, N²/2 regions with them.

    cones, regions : factors. power : of N in the cones. end : factor by which a training changes the cones. wrong : a
    seed in which there are more cones than regions, once.
    """

    def world(moment):
        biased, n = moment.labels["biases"] == "with biases", moment.neurons
        trained = 1.0 + (end - 1.0) * moment.epoch / 20
        free = cones * 2 * n * (n / 64) ** (power - 1.0) * trained * jitter(moment, spread)
        full = regions * n**2 / 2 * jitter(moment, spread)
        if moment.seed == wrong and moment.labels["hidden"] == "[16]⁶":
            free = full + 1
        rows = []
        for i in range(2):
            rows.append(("regions", f"origin plane {i}", full if biased else free))
            if biased:
                rows.append(("regions without biases", f"origin plane {i}", free))
        return rows

    return world


def test_laws_zero_bias_can_be_refuted():
    found = refuted(
        ZERO,
        planes(),
        {
            "N²/2 for every network": planes(power=2.0),
            "half of the cones": planes(cones=0.5),
            "training doubles": planes(end=2.0),
            "training halves": planes(end=0.5),
            "zeros": planes(cones=0.0),
            "linear with biases": lambda moment: [
                (
                    name,
                    domain,
                    10 * value / moment.neurons
                    if name == "regions" and "with biases" in moment.labels.values()
                    else value,
                )
                for name, domain, value in planes()(moment)
            ],
            "one counterexample": planes(wrong=3),
        },
    )
    starts = {f"{name}: cones in a plane / 2N at the start" for name in ("[8]³", "[16]³", "[32]³", "[64]³", "[16]⁶")}
    ends = {f"{name}: cones in a plane / 2N at the end" for name in ("[20]³", "[32]³", "[16]⁶")}
    theorem = {what for what in verdicts(planes(), ZERO) if "no more regions" in what}
    assert len(theorem) == 2
    assert found["half of the cones"] >= starts | ends
    assert found["training doubles"] == found["training halves"] == ends
    assert found["one counterexample"] == theorem
    free = {
        f"without biases, {pair}"
        for pair in ("[8]³ to [64]³: exponent of N at the start", "[20]³ to [32]³: exponent of N at the end")
    }
    assert found["N²/2 for every network"] >= free
    assert found["zeros"] >= starts | ends
    assert found["linear with biases"] >= {what.replace("without", "with") for what in free}


# The sawtooth.

SAWTOOTH = FIGURES["sawtooth"]


def teeth(left, exact=1.0):
    """A world of sawtooths: `left(depth, noise)` pieces under noise, and 2^depth times `exact` without."""

    def world(moment):
        depth, noise = moment.labels["depth"], moment.labels["noise"]
        if noise:
            return [("regions", "[0, 1]", left(depth, noise) * jitter(moment, 0.1))]
        return [("regions", "[0, 1]", exact * 2.0**depth)]

    return world


def test_laws_sawtooth_can_be_refuted():
    few = teeth(lambda depth, noise: 2 * depth + 1)
    found = refuted(
        SAWTOOTH,
        few,
        {
            "noise does nothing": teeth(lambda depth, noise: 2.0**depth),
            "one piece in fifty is left": teeth(lambda depth, noise: 2.0**depth / 50),
            "one tooth is missed": teeth(lambda depth, noise: 2 * depth + 1, exact=1.0 - 2.0**-16),
            "half of every count": teeth(lambda depth, noise: depth + 0.5, exact=0.5),
        },
    )
    everything = set(verdicts(few, SAWTOOTH))
    exact = {"without noise: pieces / 2^L, all depths"}
    assert found["noise does nothing"] == found["one piece in fifty is left"] == everything - exact
    assert found["one tooth is missed"] == found["half of every count"] == exact
    little = [noise for noise in (*SCALES[1:], *SHOWN) if noise <= LITTLE]
    assert len(everything) == 1 + len(little) < 1 + len(SCALES) - 1 + len(SHOWN)


def test_known_sawtooth_by_scales():
    """Each scale is judged by itself: noise of 0.3 and more destroys here, less does not, and the least is named."""
    world = teeth(lambda depth, noise: 2.0**depth if noise < 0.3 else 1.0)
    said = verdicts(world, SAWTOOTH)
    for noise in SCALES[1:]:
        if noise > LITTLE:  # a sixth of a weight is no little noise
            assert not any(what.startswith(f"noise {noise:g} (") for what in said)
            continue
        (share,) = [word for what, word in said.items() if what.startswith(f"noise {noise:g} (")]
        assert share == (HOLDS if noise >= 0.3 else DIFFERS)
    found = {finding.what: finding for finding in SAWTOOTH.findings(data_in(world, SAWTOOTH))}
    text = found["noise that leaves 1% of the 2^L pieces, on average"].measured
    # A single piece of sixteen is more than one in a hundred.
    assert text.startswith("L = 4: none of these; L = 6: none of these; L = 8: 0.")
    (few,) = [one for what, one in found.items() if what.startswith("noise 1 (32 % of a weight), L = 16")]
    assert few.measured.endswith("(N + 1) pieces")


def test_known_least_noise():
    """Between two scales the share is a power of the noise; the last crossing counts; a scale of zero does not."""
    assert pytest.approx(np.sqrt((2**2 + 4**2) / 2)) == TYPICAL
    assert share_of_weight(0.03) == "0.95 % of a weight"
    assert share_of_weight(0.5) == "16 % of a weight"
    assert least_noise([0.0, 0.01, 0.1, 1.0], [1.0, 1.0, 0.1, 0.001], 0.01) == pytest.approx(10**-0.5)
    assert least_noise([0.01, 0.1, 1.0], [1e-3, 0.1, 1e-3], 0.01) == pytest.approx(10**-0.5)
    assert least_noise([0.01, 0.1], [1e-3, 1e-4], 0.01) == 0.01
    assert np.isnan(least_noise([0.01, 0.1], [1.0, 0.5], ALMOST_NONE))
    assert np.isnan(least_noise([0.0], [1.0], ALMOST_NONE))
    assert least_noise([0.1, 1.0], [1.0, 0.0], ALMOST_NONE) == 1.0


# Patterns.

PATTERNS = FIGURES["patterns"]
EXAMPLES = {"train": 4000, "test": 1000}


def visits(test=0.998, start=0.999, end=0.99):
    """A world of shares of the examples that have a pattern of their own."""

    def world(moment):
        share = start + (end - start) * moment.epoch / 20
        factor = 1 - 0.001 * abs(jitter(moment, 1.0) - 1)
        return [
            ("patterns", "train", EXAMPLES["train"] * share * factor),
            ("patterns", "test", EXAMPLES["test"] * test * factor),
        ]

    return world


def test_laws_patterns_can_be_refuted():
    pytest.importorskip("mlxtend")
    found = refuted(
        PATTERNS,
        visits(),
        {
            "the number of examples, always": lambda moment: [("patterns", part, n) for part, n in EXAMPLES.items()],
            "training spreads": visits(start=0.99, end=0.999),
            "zeros": lambda moment: [("patterns", part, 0) for part in EXAMPLES],
        },
    )
    said = set(verdicts(visits(), PATTERNS))
    assert len(said) == 5
    assert found["the number of examples, always"] == found["training spreads"] == found["zeros"] == said


def test_known_patterns_of_the_test_are_noted():
    """What others found for networks that are not known is no claim about these, however few have their own."""
    pytest.importorskip("mlxtend")
    found = PATTERNS.findings(data_in(visits(test=0.5), PATTERNS))
    tests = [finding for finding in found if "patterns of the test" in finding.what]
    assert len(tests) == 10
    assert {str(finding.verdict) for finding in tests} == {NOTED}
    assert all("Sattelberg" in finding.authors for finding in tests)


@pytest.mark.parametrize("name", ["partition", "zero_bias", "sawtooth", "patterns"])
def test_laws_two_runs_decide_nothing(name):
    """Except what one counterexample refutes."""
    if name == "patterns":
        pytest.importorskip("mlxtend")
    world = {"partition": plane(5.0), "zero_bias": planes(5.0), "sawtooth": teeth(lambda depth, noise: 5.0)}
    said = verdicts(world.get(name, visits(test=0.5)), FIGURES[name], runs=2)
    assert {word for what, word in said.items() if "no more regions" not in what} <= {UNDECIDED, HOLDS, CHECK}
    held = {what for what, word in said.items() if word in (HOLDS, CHECK)}
    # Runs without noise are those of all depths.
    assert all("without noise" in what or "no more regions" in what for what in held)
