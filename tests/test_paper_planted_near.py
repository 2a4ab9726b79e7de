"""Verdicts of the figures near the data: each holds in one made-up world and differs in another."""

from math import log

import numpy as np
import pytest

from creases.paper.choices import RandomPoints
from creases.paper.figure import Size
from creases.paper.figures import FIGURES
from creases.paper.figures.windows import NEAR
from creases.paper.measures import BINS, bin_name
from planted import data_in, jitter, refuted, verdicts

# The median of the exponential law over its mean.
EXPONENTIAL = log(2)
HALF_WIDTHS = {"origin": (None, 1e-3, NEAR, 0.1, 0.3, 1.0, 3.0, 20.0), "example": (None, 0.1, 1.0, 3.0, 20.0)}


def distances(power=-1.0, level=0.7, growth=1.0, noise=1.0, median=EXPONENTIAL):
    """Mean distances that go with a power of N, level / N for 60 neurons, and grow in training; and their median."""

    def world(moment):
        N, rows = moment.neurons, []
        mean = level / 60 * (N / 60) ** power * jitter(moment) * (1.0 if moment.first else growth)
        for kind in ("train", "test", "noise"):
            value = mean * (noise if kind == "noise" else 1.0)
            rows += [("distance", kind, value), ("distance 50 %", kind, value * median), (bin_name(-0.5), kind, 1.0)]
        return rows

    return world


def test_planted_distances():
    figure = FIGURES["distances"]
    found = refuted(
        figure,
        distances(),
        {
            "half the exponent": distances(power=-0.5),
            "one and a half times the exponent": distances(power=-1.5),
            "a third of every distance": distances(level=0.2),
            "five times": distances(level=3.5),
            "grows twofold": distances(growth=2.0, level=0.5),
            "falls to half": distances(growth=0.5, level=1.2),
            "noise is far": distances(noise=2.0),
            "all points alike": distances(median=1.0),
            "heavier tail": distances(median=0.5),
        },
    )
    # Each lie meets what it is about, at both scales of the biases and wherever it is asked.
    everything = set().union(*found.values())
    for lie, words in {
        "half the exponent": "exponent",
        "one and a half times the exponent": "exponent",
        "grows twofold": "that at the start",
        "falls to half": "that at the start",
        "noise is far": "noise / from test",
        "all points alike": "median",
        "heavier tail": "median",
    }.items():
        assert {what for what in everything if words in what} <= found[lie], lie
    products = {what for what in everything if what.endswith("distance × N")}
    assert products <= found["a third of every distance"]
    assert products <= found["five times"]


def test_planted_distances_of_a_broken_network():
    """Distances that are zero leave exponents and ratios without values: undecided, and the products differ."""
    said = verdicts(distances(level=0.0), FIGURES["distances"])
    assert {word for what, word in said.items() if what.endswith("distance × N")} == {"differs"}
    assert not [what for what, word in said.items() if word == "holds"]


def test_planted_distances_shorter_training():
    """Less training than the authors' does not refute what they say of theirs, and the start is the start."""
    said = verdicts(distances(growth=2.0, level=0.5), FIGURES["distances"], size="smoke")
    assert {word for what, word in said.items() if "that at the start" in what} == {
        "differs"
    }  # their epoch 1 is reached
    assert not any("epoch 20" in what for what in said)


def test_known_shares_in_bins():
    """The histogram of the picture is the mean over runs; the law beside it adds up to one."""
    from creases.paper.distance_picture import exponential_shares, shares_in_bins

    data = data_in(distances(), FIGURES["distances"], runs=2)
    runs = data.rows("distance", domain="test", bias=0.1, epoch=0)
    shares = shares_in_bins(data, runs, 0)
    assert shares[BINS.index(-0.5)] == pytest.approx(1.0)
    assert shares.sum() == pytest.approx(1.0)
    law = exponential_shares(0.7)
    assert law.sum() == pytest.approx(1.0)
    edge = BINS.index(0.0)
    assert law[edge:].sum() == pytest.approx(np.exp(-1 / 0.7))


def slices(start=0.2, growth=1.0):
    """A count that is a part of N^2 at the start, and times a factor afterwards."""
    return lambda moment: [
        ("regions", "square", start * moment.neurons**2 * jitter(moment) * (1.0 if moment.first else growth))
    ]


def test_planted_slices():
    found = refuted(
        FIGURES["slices"],
        slices(growth=0.85),
        {
            "N²/2 always": slices(0.5),
            "half of every count": slices(0.1),
            "grows fivefold": slices(growth=5.0),
            "falls to a third": slices(growth=0.3),
            "zero once trained": slices(growth=0.0),
        },
    )
    assert len(found["N²/2 always"]) == len(found["half of every count"]) == 1
    for lie in ("grows fivefold", "falls to a third", "zero once trained"):
        assert len(found[lie]) == 2, lie


def test_planted_slices_shorter_training():
    said = verdicts(slices(growth=5.0), FIGURES["slices"], size="smoke")
    assert sorted(said.values()) == ["differs", "holds"]


def lines(level=1.0, growth=1.0, labels=1.0, pixels=1.0, one_layer=0):
    """Counts on a line: level x N, times growth once trained, times a factor for noise; of one layer N + 1 and more."""

    def world(moment):
        if moment.labels["hidden"] == "[60]" and level == 1.0 and growth == 1.0:
            return [("regions", f"line {i}", 61 + one_layer) for i in range(2)]
        factor = {"random labels": labels, "noise images": pixels}.get(moment.labels["learned"], 1.0)
        value = level * moment.neurons * jitter(moment) * (1.0 if moment.first else growth * factor)
        return [("regions", f"line {i}", value) for i in range(2)]

    return world


# As many examples as the authors have: they learn noise for 200 epochs of 468 steps.
AS_LONG = Size("paper", 2, images=RandomPoints(60_000, n_in=1))
WORLDS_OF_LINES = {
    "half of every count": lines(level=0.5),
    "one and a half of every count": lines(level=1.5),
    "falls to half": lines(growth=0.5),
    "grows by a half": lines(growth=1.5),
    "zeros": lines(level=0.0),
    "one more in one layer": lines(one_layer=1),
    "random labels make more": lines(labels=1.4),
    "noise makes fewer": lines(pixels=0.7),
}


def test_planted_lines():
    found = refuted(FIGURES["lines"], lines(), WORLDS_OF_LINES, size=AS_LONG)
    everything = set().union(*found.values())
    starts = {what for what in everything if "start" in what}
    assert starts <= found["half of every count"] & found["one and a half of every count"] & found["zeros"]
    trained = {what for what in everything if "steps: regions / N" in what and "[60]" not in what}
    assert len(trained) == 8  # [20]³, [80]³ and [16]⁴ and [32]³, twice each
    assert trained <= found["falls to half"] & found["grows by a half"]
    by_heart = {what for what in everything if "end: regions / N" in what}
    assert by_heart <= found["falls to half"] & found["grows by a half"]
    assert found["one more in one layer"] == {what for what in everything if "N + 1" in what}
    assert not any("[60]" in what and "N + 1" not in what for what in everything)
    assert any("random labels / with true" in what for what in found["random labels make more"])
    assert any("noise images / with true" in what for what in found["noise makes fewer"])


def test_planted_lines_shorter_training():
    """At laptop noise is learned in fewer steps than the authors', which refutes nothing; all else can differ there."""
    said = {name: verdicts(world, FIGURES["lines"]) for name, world in WORLDS_OF_LINES.items()}
    words = {what: {found[what] for found in said.values()} for what in verdicts(lines(), FIGURES["lines"])}
    elsewhere = {what for what, found in words.items() if "another regime" in found}
    assert len(elsewhere) == 4
    assert all("random labels" in what or "noise images" in what for what in elsewhere)
    assert {what for what, found in words.items() if found & {"differs", "check failed"}} == set(words) - elsewhere


def test_planted_lines_not_learned():
    """Where noise is not learned nothing is judged of learning it by heart, and the report says how much was."""
    data = data_in(lines(labels=3.0), FIGURES["lines"], train_accuracy=0.48)
    found = {finding.what: finding for finding in FIGURES["lines"].findings(data)}
    assert found["[32]³, random labels, end: training accuracy"].measured.endswith("not learned")
    assert found["[32]³, random labels, end: regions / N, not learned"].verdict == "noted"
    assert "[32]³, random labels, end: regions / N" not in found


def windows(level=0.5, examples=0.5, near=0.78, scaled=0.78, after=None, everywhere=1.0):
    """Whole planes over N^2, shares of the windows; after : factors once trained, by kind of plane and half-width."""

    def world(moment):
        rows, small = [], moment.labels["bias"] == 1e-3
        for kind, halves in HALF_WIDTHS.items():
            whole = (level if kind == "origin" else examples) * moment.neurons**2 * jitter(moment)
            for half in halves:
                part = 1.0 if half is None else 0.4
                if kind == "origin" and half == (NEAR if small else 1.0):
                    part = near if small else scaled
                factor = 1.0 if moment.first else everywhere * (after or {}).get((kind, half), 1.0)
                name = f"{kind} plane 1" + ("" if half is None else f", half-width {half:g}")
                rows.append(("regions", name, whole * part * factor))
        return rows

    return world


def test_planted_windows():
    found = refuted(
        FIGURES["windows"],
        windows(),
        {
            "N² everywhere": windows(1.0, 1.0, near=1.0, scaled=1.0),
            "half of every count": windows(0.25, 0.25),
            "planes apart from the origin have fewer": windows(examples=0.3),
            "the square near the origin counts the whole plane": windows(near=1.0, scaled=1.0),
            "few regions near the origin": windows(near=0.3, scaled=0.3),
            "biases change the regions": windows(scaled=0.5),
            "training multiplies by five": windows(everywhere=5.0),
            "training leaves a third": windows(everywhere=0.33),
            "training empties the origin": windows(after={("origin", NEAR): 0.1}),
            "training empties the squares around images": windows(after={("example", 1.0): 0.1}),
        },
    )
    starts = {what for what in set().union(*found.values()) if "regions / N²" in what}
    assert len(starts) == 6  # through the origin at one scale of the biases: at the other the regions are the same
    assert starts <= found["N² everywhere"] & found["half of every count"]
    assert all("near" not in what for what in found["planes apart from the origin have fewer"])
    assert len(found["training multiplies by five"]) == len(found["training leaves a third"]) == 20
    assert len(found["training empties the origin"]) == len(found["training empties the squares around images"]) == 4
    assert len(found["biases change the regions"]) == 2


def test_planted_windows_shorter_training():
    """496 steps do not refute what the authors say of 9,360 with their biases; of their first epoch they do."""
    said = verdicts(windows(everywhere=5.0), FIGURES["windows"], size="smoke")
    at_end = {what: word for what, word in said.items() if "steps: regions" in what}
    assert {word for what, word in at_end.items() if "biases 0.1," in what} == {"differs"}
    assert {word for what, word in at_end.items() if "biases 0.001," in what} == {"another regime"}
