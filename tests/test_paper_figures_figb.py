"""Figures of partitions, growth, lines, distances, slices, the sawtooth and whole spaces: small runs of each."""

from dataclasses import replace

import numpy as np
import pytest

from creases.paper.choices import PictureSquare, RandomPoints, WholeSpace
from creases.paper.claims import CHECK, UNCHECKED, UNDECIDED
from creases.paper.experiment import Experiment
from creases.paper.exponents import exponents
from creases.paper.figure import SIZES, Size, TableLine, data_of
from creases.paper.figures import FIGURES
from creases.paper.measures import Distances, Regions
from creases.paper.runs import run_once
from creases.paper.starts import Sawtooth
from creases.paper.store import Store
from creases.paper.sweep import crew_of, sweep
from creases.theory import sawtooth, trivial, zaslavsky
from creases.training import GaussianBiases, HeWeights, Initialisation, TrainingError, ZeroBiases, digits_task

NAMES = ("partition", "growth", "fluctuations", "lines", "distances", "slices", "sawtooth", "spaces")
SMOKE = SIZES["smoke"]
# The digits stand for the images: eight times eight pixels.
TINY = Size("tiny", 0, images=SMOKE.small)


def shrunk(figure, keep=lambda line: True, seeds=1, moments=(0.0, 1.0)):
    """The figure with fewer runs, and trainings of one epoch."""

    def lines(size):
        found = []
        for line in figure.lines(size):
            one = line.experiment
            if one.epochs and figure.name != "slices":
                measures = tuple(
                    Distances(5) if isinstance(measure, Distances) else measure for measure in one.measures
                )
                one = replace(one, moments=moments, measures=measures)
            one = replace(one, seeds=one.seeds[:seeds])
            if keep(TableLine(one, line.labels)):
                found.append(TableLine(one, line.labels))
        return found

    return replace(figure, lines=lines)


def small(line):
    """Whether a line is cheap: tests are not figures."""
    return line.experiment.neurons <= 48 or line.labels.get("hidden") in ("[60]", "[20]³", "[32]³", "[16]⁴", "[64]³")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store.db") as opened:
        yield opened


def run(figure, store, size=TINY):
    with crew_of() as crew:
        summary = sweep([line.experiment for line in figure.lines(size)], store, crew)
    assert not summary.failed
    return data_of(figure, size, store)


@pytest.mark.jit
@pytest.mark.parametrize(("name", "seeds"), [*((name, 1) for name in NAMES), ("lines", 3), ("distances", 3)])
def test_laws_a_figure_of_few_runs(name, seeds, store):
    """It is drawn, every finding has a verdict, and one run decides nothing."""
    few = small
    if name in ("growth", "fluctuations"):
        few = lambda line: line.experiment.neurons <= 32  # noqa: E731
    if name == "spaces":
        few = lambda line: line.labels["inputs"] == 2  # noqa: E731
    figure = shrunk(FIGURES[name], few, seeds)
    data = run(figure, store)
    assert data.missing == 0
    assert figure.draw(data).get_size_inches()[0] == 10.5
    findings = figure.findings(data)
    assert findings
    if seeds == 1 and name != "sawtooth":
        # Networks of one hidden layer have one number, whatever n: three of them are three runs.
        spread = [finding for finding in findings if not finding.what.startswith("one hidden layer")]
        assert {finding.verdict for finding in spread} <= {UNDECIDED, UNCHECKED, "noted"}
    assert all("nan" not in finding.measured for finding in findings)


@pytest.mark.parametrize("name", NAMES)
def test_bad_input_nothing_in_the_store(name, store):
    figure = FIGURES[name]
    data = data_of(figure, TINY, store)
    assert data.missing > 0
    assert all(finding.verdict in (UNDECIDED, UNCHECKED, "noted") for finding in figure.findings(data))
    figure.draw(data)


@pytest.mark.jit
@pytest.mark.parametrize("name", ["lines", "distances", "growth", "fluctuations", "sawtooth", "spaces"])
def test_bad_input_some_experiments_missing(name, store):
    """Findings and pictures of a store in which most experiments are not."""
    figure = FIGURES[name]
    done = shrunk(figure, lambda line: line.experiment.neurons <= 60, 1)
    first = done.lines(TINY)[:1]
    with crew_of() as crew:
        sweep([line.experiment for line in first], store, crew)
    data = data_of(replace(done, lines=lambda size: [*first, *figure.lines(size)[1:]]), TINY, store)
    assert len(data.table)
    figure.findings(data)
    figure.draw(data)


def test_bad_input_networks_are_gone(store, tmp_path):
    """Pictures that are drawn from kept networks say that there are none."""
    for name in ("partition", "slices"):
        data = data_of(FIGURES[name], TINY, store)
        assert any("kept" in text.get_text() for text in FIGURES[name].draw(data).texts)


def test_known_sawtooth_start():
    """Without noise the numbers of the construction, exactly; with it others, by the seed."""
    chain = Sawtooth().build([1, 2, 2, 2, 2], seed=0)
    for module, layer in zip([chain[0], chain[2], chain[4]], sawtooth(3).hidden, strict=True):
        assert np.array_equal(module.weight.detach().numpy(), layer.weight)
        assert np.array_equal(module.bias.detach().numpy(), layer.bias)
    one, same, other = (Sawtooth(0.1).build([1, 2, 2], seed)[0].weight.tolist() for seed in (0, 0, 1))
    assert one == same != other


def test_bad_input_sawtooth_start():
    with pytest.raises(TrainingError, match="one input and two neurons"):
        Sawtooth().build([2, 2, 2], seed=0)
    with pytest.raises(TrainingError, match="one input and two neurons"):
        Sawtooth().build([1, 3, 2], seed=0)
    with pytest.raises(TrainingError, match="noise must be finite"):
        Sawtooth(-1.0)


@pytest.mark.jit
def test_laws_sawtooth(store):
    """2^L pieces without noise, of every depth."""
    figure = shrunk(FIGURES["sawtooth"], lambda line: line.labels["noise"] in (0.0, 0.1), seeds=3)
    data = run(figure, store)
    exact = data.rows("regions", noise=0.0)
    assert (exact["value"] == 2.0 ** exact["depth"]).all()
    assert exact["certified"].astype(bool).all()
    assert figure.findings(data)[0].verdict == CHECK


@pytest.mark.jit
def test_laws_growth(store):
    """One hidden layer has just what hyperplanes have, and no network more than 2^N."""
    figure = shrunk(
        FIGURES["growth"], lambda line: line.experiment.neurons <= 24 and line.labels["inputs"] <= 3, seeds=2
    )
    table = run(figure, store).rows("regions")
    for row in table.itertuples():
        assert row.value <= trivial(row.neurons)
        if row.depth == 1:
            assert row.value == zaslavsky(row.neurons, row.inputs)


def test_known_exponents():
    """Of counts that are a power, the power, with no spread; of too few, nothing."""
    import pandas

    rows = [(N, L, seed, 3.0 * N**2 * L**0.5) for N in (10, 20, 40) for L in (1, 2) for seed in range(4)]
    runs = pandas.DataFrame(rows, columns=["neurons", "depth", "seed", "value"])
    assert exponents(runs) == pytest.approx(np.tile([2.0, 0.5], (4, 1)))
    assert exponents(runs[runs["seed"] == 0]) == pytest.approx(np.array([[2.0, 0.5]]))
    shallow = exponents(runs[runs["depth"] == 1])
    assert shallow[:, 0] == pytest.approx(np.full(4, 2.0))
    assert np.isnan(shallow[:, 1]).all()
    assert exponents(runs[runs["neurons"] == 10]).shape == exponents(runs[:0]).shape == (0, 2)


@pytest.mark.jit
def test_laws_zero_biases_in_a_plane():
    """At most 2 N cones, whatever the depth."""
    zero = Initialisation(HeWeights(), ZeroBiases())
    experiment = Experiment(RandomPoints(1), (8, 8, 8), (Regions(WholeSpace()),), initialisation=zero)
    for seed in range(3):
        (row,) = run_once(experiment, seed).rows
        assert 1 <= row.value <= 2 * experiment.neurons
    assert run_once(replace(experiment, initialisation=Initialisation(biases=GaussianBiases())), 0).rows[0].value > 48


def test_known_picture_square():
    (square,) = PictureSquare().build(digits_task()).values()
    assert square.slice.dimension == 2
