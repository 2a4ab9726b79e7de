"""The figures of counts through training, each with tiny runs: drawn, found, and judged on what is there."""

from dataclasses import replace

import numpy as np
import pandas
import pytest

from creases.paper.choices import Digits, Fewer, Mnist, OriginPlanes, PixelNoise, RandomPoints, task_of
from creases.paper.claims import CHECK, DIFFERS, NOTED, UNCHECKED, UNDECIDED, between
from creases.paper.curves import at_epoch, factor_finding, largest_mean, last_of_each, paired_ratio, paired_slope
from creases.paper.experiment import Experiment
from creases.paper.figure import SIZES, Size, data_of, last_step, units_of
from creases.paper.figures import FIGURES
from creases.paper.measures import Regions, WithoutBiases
from creases.paper.report import write_report
from creases.paper.runs import run
from creases.paper.steps import AUTHORS_MOMENTS, AUTHORS_STEPS, moments_at, steps_per_epoch
from creases.paper.store import Store
from creases.paper.sweep import crew_of, sweep
from creases.training import GaussianBiases, Initialisation, Settings, ZeroBiases

TINY = Size("smoke", 0, images=Digits(), small=Digits())
NAMES = ("counts", "memorization", "points", "rates", "initialisations", "zero_bias", "theory", "patterns")


def shrunk(name, seeds=(0,)):
    """A figure with networks of a few neurons that are trained for an epoch."""
    lines = []
    for i, line in enumerate(FIGURES[name].lines(TINY)):
        widths = tuple(min(width, 4 + i % 5) for width in line.experiment.widths[:3])
        some = replace(line.experiment, widths=widths, moments=(0, 1), kept=(), seeds=seeds, batch_size=256)
        lines.append(line._replace(experiment=some))
    return replace(FIGURES[name], lines=lambda size: lines)


def stored(opened, figure):
    """Do its runs; what there is for it then."""
    with crew_of(threads=1) as crew:
        summary = sweep([line.experiment for line in figure.lines(TINY)], opened, crew)
    assert summary.failed == []
    return data_of(figure, TINY, opened)


@pytest.mark.jit
@pytest.mark.parametrize("name", NAMES)
def test_known_figures(name, tmp_path):
    """Of one run nothing is judged but what a theorem says of each; the picture has its axes, the report all of it."""
    figure = shrunk(name)
    with Store(tmp_path / "runs.db") as opened:
        empty = data_of(figure, TINY, opened)
        assert empty.missing == len(units_of(empty.lines))
        assert all(finding.verdict in (NOTED, UNDECIDED, UNCHECKED) for finding in figure.findings(empty))
        data = stored(opened, figure)
        assert data.missing == 0
        found = figure.findings(data)
        assert found
        judged = [finding.verdict for finding in found if not finding.verdict.rule.startswith("exactly")]
        assert set(judged) <= {NOTED, UNDECIDED, UNCHECKED}
        picture = figure.draw(data)
        assert all(ax.get_xlabel() for ax in picture.axes)
        assert any(ax.lines for ax in picture.axes)
        _, (section,) = write_report([figure], TINY, opened, tmp_path / "report")
    assert section.certified in (True, None)
    assert section.svg.startswith("<svg")


@pytest.mark.jit
def test_known_verdicts_of_three_runs(tmp_path):
    """Three runs of a tiny network decide some of the claims; part of a store is enough to draw."""
    figure = shrunk("zero_bias", seeds=(0, 1, 2))
    with Store(tmp_path / "runs.db") as opened:
        data = stored(opened, figure)
        fewer = [finding for finding in figure.findings(data) if "without its biases" in finding.what]
        assert {finding.verdict for finding in fewer} == {CHECK}  # it is a theorem
        partial = replace(figure, lines=lambda size: [*figure.lines(size), *shrunk("zero_bias", (7,)).lines(size)[:1]])
        assert data_of(partial, TINY, opened).missing == 1
        cones = data.growth(["hidden", "biases"], biases="without")
        assert (cones["value"] <= 2 * cones["neurons"] * 3).all()
        assert (cones[cones["epoch"] == 0]["factor"] == 1).all()
        ends = last_of_each(cones, ["hidden"])
        assert (ends["epoch"] == 1).all()
        assert len(ends) == 9


def grown(rows):
    """Rows (label, seed, epoch, count, training accuracy) as `Data.growth` gives them."""
    runs = pandas.DataFrame(rows, columns=["noise", "seed", "epoch", "value", "train_accuracy"])
    return runs.assign(factor=runs["value"] / runs.groupby(["noise", "seed"])["value"].transform("first"))


def test_known_factors():
    """Judged where the mean is largest; of what was to be learned by heart, only if it was."""
    counts = {0.0: 100, 1.0: 900, 2.0: 300}
    runs = grown([(0, seed, at, count, 0.9) for seed in range(3) for at, count in counts.items()])
    small = between(0.5, 4.0, "small")
    found = factor_finding(runs, "none", small)
    assert found.verdict == DIFFERS
    assert found.what == "none: count where its mean is largest / the first"
    assert found.measured == "9 ± 0 (3 runs) after 1 epochs; at the end 3, training accuracy 90%"
    forgotten = factor_finding(runs, "none", small, learned=True)
    assert forgotten.verdict == NOTED
    assert forgotten.what.startswith("none, not learned by heart: ")
    learned = factor_finding(runs.assign(train_accuracy=0.96), "none", small, learned=True)
    assert learned.verdict == DIFFERS
    assert learned.what.startswith("none, learned by heart: ")


def test_known_largest_mean_can_lie_below_the_first():
    """Of runs that wobble each has some count above its first; their mean at one moment has not."""
    rows = [(0, seed, at, 100 + 10 * (at == 1 + seed) - 5 * (at > 0), 1.0) for seed in range(3) for at in range(4)]
    runs = grown(rows)
    assert (runs.groupby("seed")["factor"].max() == 1.05).all()
    assert largest_mean(runs)["factor"].mean() == pytest.approx((1.05 + 0.95 + 0.95) / 3)
    assert largest_mean(runs[runs["epoch"] == 0]).empty


def test_known_moments():
    """The nearest moment, and only runs that came so far."""
    runs = grown([(0, 0, at, 100, 1.0) for at in (0, 4 / 31, 1)] + [(0, 1, 0, 100, 1.0)])
    assert at_epoch(runs, 1 / 8)["epoch"].tolist() == [4 / 31]
    assert at_epoch(runs, 0.01)["seed"].tolist() == [0, 1]


def test_known_paired_slopes():
    """Of each seed by itself, over those that have all labels; ten times a seed's counts are the same slope."""
    ends = grown(
        [(x, seed, at, 10**seed * (1 + at * x), 1.0) for x in (1, 10, 100) for seed in (0, 1) for at in (0, 1)]
    )
    ends = last_of_each(ends, ["noise"])
    slopes = paired_slope(ends, "noise", logarithm=True)
    assert slopes.tolist() == pytest.approx([np.log(101 / 2) / 2] * 2)
    assert paired_slope(ends[ends["seed"] + ends["noise"] != 2], "noise").index.tolist() == [0]
    assert paired_slope(ends[ends["noise"] == 1], "noise").empty
    assert paired_ratio(ends, "noise", 100, 1).tolist() == pytest.approx([101 / 2] * 2)


@pytest.mark.parametrize(
    "choice",
    [Mnist(), Digits(), RandomPoints(10), RandomPoints(300), Fewer(Mnist(), 3000), PixelNoise(Fewer(Digits(), 300))],
)
def test_laws_steps_of_an_epoch(choice):
    """As the training itself has them, though no task is made for it; so many epochs are at least so many steps."""
    per_epoch = Settings().steps_per_epoch(task_of(choice, 0))
    assert steps_per_epoch(choice) == per_epoch
    moments = moments_at((0, 7, 500), choice)
    assert Settings(epochs=round(moments[-1])).steps_at(moments[:2], task_of(choice, 0)) == [0, 7]
    assert 500 <= moments[-1] * per_epoch < 500 + per_epoch
    assert last_step(Experiment(choice, (3,), (Regions(OriginPlanes(1)),), moments)) == moments[-1] * per_epoch


def test_known_lengths_of_training():
    """The authors' 9,360 steps with our images; equal steps for all numbers of points, and one equal epoch."""
    assert AUTHORS_MOMENTS[-1] == AUTHORS_STEPS == 9360
    rates = [line for line in FIGURES["rates"].lines(SIZES["laptop"]) if line.labels["sweep"] == "learning rate"]
    assert [last_step(line.experiment) for line in rates] == [9362] * 5
    lines = FIGURES["points"].lines(SIZES["laptop"])
    assert {last_step(line.experiment) for line in lines} == {14000}
    assert all(2000.0 in line.experiment.moments for line in lines)
    counts = {line.experiment.sha256: line for line in FIGURES["counts"].lines(SIZES["laptop"])}
    (shared,) = [line for line in rates if line.experiment.sha256 in counts]  # is run once for both
    assert shared.labels["setting"] == "0.001"


@pytest.mark.jit
def test_known_noise_with_three_runs(tmp_path):
    """What is said of the end of each run, of noise images apart, and of the two ends of the sweep, seed by seed."""
    figure = shrunk("memorization", seeds=(0, 1, 2))
    with Store(tmp_path / "runs.db") as opened:
        data = stored(opened, figure)
        found = {finding.what: finding for finding in figure.findings(data)}
    assert "noise images: count at the end / the first" in found
    assert found["count at the end, all labels random / none, a run"].measured.endswith("(3 runs)")
    starts = data.growth(["noise", "kind"], kind="random labels", epoch=0)
    assert (starts.groupby(["neurons", "seed"])["value"].nunique() == 1).all()


@pytest.mark.jit
def test_laws_one_layer_without_biases():
    """N lines through the origin make 2N cones in a plane through it, drawn without biases or robbed of them."""
    experiment = Experiment(Digits(), (9,), (Regions(OriginPlanes(2)), WithoutBiases(OriginPlanes(2))), seeds=(0, 1, 2))
    table = run(experiment)
    assert (table[table["measure"] == "regions without biases"]["value"] == 18).all()
    assert (table[table["measure"] == "regions"]["value"] == 1 + 9 + 36).all()
    alone = run(
        replace(experiment, initialisation=Initialisation(biases=ZeroBiases()), measures=experiment.measures[:1])
    )
    assert (alone["value"] == 18).all()


@pytest.mark.jit
def test_laws_scale_of_biases():
    """In a whole plane through the origin all biases times c are the same regions, c times as large."""
    counts = []
    for std in (0.001, 0.1, 1.0):
        start = Initialisation(biases=GaussianBiases(std))
        counts.append(
            run(Experiment(Digits(), (8, 8), (Regions(OriginPlanes(2)),), initialisation=start))["value"].tolist()
        )
    assert counts[0] == counts[1] == counts[2]


def test_laws_experiments_are_shared():
    """A setting that two figures have is one experiment."""
    papers = {line.experiment.sha256 for line in FIGURES["rates"].lines(SIZES["laptop"])}
    assert len(papers) == len(FIGURES["rates"].lines(SIZES["laptop"]))
