"""The figures of counts through training, each with tiny runs: drawn, found, and judged on what is there."""

from dataclasses import replace

import pytest

from creases.paper.choices import Digits, OriginPlanes
from creases.paper.curves import factor_findings, last_of_each
from creases.paper.experiment import Experiment, run
from creases.paper.figure import DIFFERS, HOLDS, NOTED, SIZES, TOO_FEW, Size, above, data_of, units_of
from creases.paper.figures import FIGURES
from creases.paper.measures import Regions, WithoutBiases
from creases.paper.report import write_report
from creases.paper.store import Store
from creases.paper.sweep import crew_of, sweep
from creases.training import GaussianBiases, Initialisation, ZeroBiases

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
    """Of one run nothing is judged; the picture has its axes, the report all of it."""
    figure = shrunk(name)
    with Store(tmp_path / "runs.db") as opened:
        empty = data_of(figure, TINY, opened)
        assert empty.missing == len(units_of(empty.lines))
        assert all(finding.verdict in (NOTED, TOO_FEW) for finding in figure.findings(empty))
        data = stored(opened, figure)
        assert data.missing == 0
        found = figure.findings(data)
        assert found
        assert {finding.verdict for finding in found} <= {NOTED, TOO_FEW}
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
        assert [finding.verdict for finding in fewer] == [HOLDS] * 3  # it is a theorem
        partial = replace(figure, lines=lambda size: [*figure.lines(size), *shrunk("zero_bias", (7,)).lines(size)[:1]])
        assert data_of(partial, TINY, opened).missing == 1
        cones = data.growth(["hidden", "biases"], biases="without")
        assert (cones["value"] <= 2 * cones["neurons"] * 3).all()
        assert (cones[cones["epoch"] == 0]["factor"] == 1).all()
        ends = last_of_each(cones, ["hidden"])
        assert (ends["epoch"] == 1).all()
        assert len(ends) == 9


def test_known_factors():
    import pandas

    rows = [(0, seed, 0.0, 1.0, 0.1) for seed in range(3)] + [(0, seed, 1.0, 9.0, 0.9) for seed in range(3)]
    runs = pandas.DataFrame(rows, columns=["noise", "seed", "epoch", "factor", "train_accuracy"])
    (found,) = factor_findings(runs, "noise", [0, 1], 4.0, "small", "{:.0%} noise")
    assert found.verdict == DIFFERS
    assert found.what.startswith("0% noise")
    assert found.measured == "9 ± 0 (3 runs); at the end 9, training accuracy 90%"


def test_known_verdicts_on_a_level():
    """An interval on one side decides; one that holds the level, a number that is none, or two runs do not."""
    assert above([1.2, 1.3, 1.25], 1.0) == HOLDS
    assert above([0.8, 0.7, 0.75], 1.0) == DIFFERS
    assert above([1.0, 1.0, 1.0], 1.0) == DIFFERS
    assert [above(some, 1.0) for some in ([0.5, 1.6, 1.2], [1.2, float("nan"), 1.3], [2.0, 2.0], [])] == [TOO_FEW] * 4


@pytest.mark.jit
def test_known_noise_with_three_runs(tmp_path):
    """What is said of the end of each run, of noise images apart, and of the two ends of the sweep, seed by seed."""
    figure = shrunk("memorization", seeds=(0, 1, 2))
    with Store(tmp_path / "runs.db") as opened:
        data = stored(opened, figure)
        found = {finding.what: finding for finding in figure.findings(data)}
    assert "noise images: regions at the end / at the start" in found
    assert found["regions at the end, 100% of labels random / 0%"].measured.endswith("(3 runs)")
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
