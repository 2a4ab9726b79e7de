"""What a figure says, the report that holds it, and the commands."""

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from creases import cli
from creases.errors import DomainError
from creases.paper import figures as figures_room
from creases.paper.choices import Digits, OriginPlanes
from creases.paper.claims import UNDECIDED, Claim, judged
from creases.paper.experiment import Experiment
from creases.paper.figure import SIZES, Figure, TableLine, data_of
from creases.paper.figures import FIGURES, figures_named
from creases.paper.measures import Regions
from creases.paper.regime import regime_of
from creases.paper.report import SECONDS, write_report
from creases.paper.store import Store
from creases.paper.sweep import crew_of, sweep
from creases.training import SGD


def test_laws_every_figure_says_what_it_is():
    """Each has experiments at each size, with labels that tell them apart, and more runs of each at larger sizes.

    Kinds of runs need not be more: with all of MNIST, of the size "paper", 20 epochs are the authors' steps already.
    """
    for name, figure in FIGURES.items():
        assert figure.name == name
        assert figure.claim.endswith(".")
        before = {}
        for size in SIZES.values():
            lines = figure.lines(size)
            assert len({line.experiment.sha256 for line in lines}) == len(lines)
            # Data have the number of neurons beside the labels.
            said = [{"neurons": line.experiment.neurons, **line.labels} for line in lines]
            names = [json.dumps(labels, sort_keys=True, default=str) for labels in said]
            runs = {label: len(line.experiment.seeds) for label, line in zip(names, lines, strict=True)}
            assert len(runs) == len(lines)
            shared = before.keys() & runs.keys()
            assert shared or not before
            assert all(runs[label] >= before[label] for label in shared), name
            before = runs


@pytest.mark.parametrize("name", FIGURES)
def test_laws_every_regime_is_in_words(name):
    """Networks, what is learned and where is counted, with no name of a class and no number left out."""
    pytest.importorskip("mlxtend")
    said = regime_of(FIGURES[name].lines(SIZES["laptop"]))
    assert said.startswith("[") or re.match(r"\d+ networks of ", said)
    assert said.endswith(" of each kind.")
    assert "#" not in said
    assert not re.search(r"\b[A-Z][a-z]+[A-Z]", said)


def test_bad_input_names():
    with pytest.raises(DomainError, match=r"no figure 'memorisation'\. Did you mean 'memorization'\?"):
        figures_named(["counts", "memorisation"])
    assert figures_named([]) == list(FIGURES.values())
    assert figures_named(["counts", "counts"]) == [FIGURES["counts"]]


# A figure of two tiny experiments, one of which diverges.


def tiny_lines(size):
    good = Experiment(Digits(), (4, 3), (Regions(OriginPlanes(2)),), (0, 1), seeds=(0, 1, 2), batch_size=256)
    return [
        TableLine(good, {"rate": "small"}),
        TableLine(replace(good, optimiser=SGD(lr=1e38, momentum=0.9), seeds=(0,)), {"rate": "huge"}),
    ]


def replace_seeds(line, seeds):
    return TableLine(replace(line.experiment, seeds=seeds), line.labels)


def tiny_draw(data):
    from creases.plot import new_figure, plot_band

    figure = new_figure(5.0, 3.0)
    runs = data.runs("regions", ["rate", "epoch"], rate="small")
    plot_band(figure.add_subplot(), runs["epoch"], runs["value"])
    return figure


def tiny_findings(data):
    runs = data.runs("regions", ["rate", "epoch"], rate="small", epoch=0.0)
    return [judged("regions < 100 & positive", runs["value"], SOME, steps=data.steps(data.lines[0]))]


# Seven neurons in a plane: at most 29 regions. The authors would have trained for longer.
SOME = Claim("<b>", 1.0, 100.0, steps=1000)
TINY = Figure("tiny", "A tiny figure", "new", "It is tiny.", tiny_lines, tiny_draw, tiny_findings, "tinier <still>.")


@pytest.mark.jit
def test_known_report(tmp_path):
    """One page with everything in it, files beside it, what is missing and what diverged told."""
    size = SIZES["smoke"]
    with Store(tmp_path / "runs.db") as opened, crew_of(threads=1) as crew:
        lines = tiny_lines(size)
        path, (section,) = write_report([TINY], size, opened, tmp_path / "empty")
        assert section.missing == 4
        assert "None of its runs is in the store" in path.read_text()
        sweep([replace(lines[0].experiment, seeds=(0, 1)), lines[1].experiment], opened, crew)
        data = data_of(TINY, size, opened)
        assert set(data.table["rate"]) == {"small", "huge"}
        assert data.runs("regions", ["rate", "epoch"])["value"].iloc[0] == pytest.approx(
            data.rows("regions", rate="huge")["value"].iloc[:2].mean()
        )
        path, (section,) = write_report([TINY], size, opened, tmp_path / "report")
        fewer = replace(TINY, lines=lambda size: [replace_seeds(line, (0,)) for line in tiny_lines(size)])
        _, (asked,) = write_report([fewer], size, opened, tmp_path / "fewer")
    assert (asked.runs, asked.missing, asked.findings[0].verdict) == (2, 0, UNDECIDED)  # seed 1 was not asked for
    assert "1 run)" in asked.findings[0].measured
    assert (section.missing, section.diverged, section.certified) == (1, 1, True)
    page = path.read_text()
    assert "1 missing" in page
    assert "1 diverged" in page
    assert "regions &lt; 100 &amp; positive" in page
    assert "&lt;b&gt;" in page
    assert UNDECIDED in page  # of two runs
    assert "1 to 100" in page
    assert "a 95 % interval of the mean below 1 or above 100, after 1,000 steps or more" in page
    assert "tinier &lt;still&gt;." in page
    assert section.ours == (
        "[4, 3]; digits of scikit-learn, 8 × 8 pixels; 2 whole planes through the origin and two training examples; "
        "1,438 examples, 5 steps of at most 256; 1 to 3 runs of each kind."
    )
    assert section.ours in page
    assert "one standard deviation over runs" in page
    assert "There are 1 verdicts." in page
    assert "<svg" in page
    assert not re.search(r'(src|href)="(?!#|http://www\.w3\.org)', page)  # all of it is in the one file
    assert len(set(re.findall(r'\bid="([^"]+)"', page))) == len(re.findall(r'\bid="([^"]+)"', page))
    assert {file.name for file in (tmp_path / "report").iterdir()} == {
        "report.html",
        "report.md",
        "report.json",
        "tiny.svg",
        "tiny.pdf",
        "tiny.csv",
    }
    said = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert (said["size"], said["command"]) == ("smoke", "creases paper run --size smoke")
    assert (said["runs"], said["seconds"]) == (3, SECONDS)
    assert any("MNIST" in text for text in said["data"])
    tiny = said["figures"]["tiny"]
    assert (tiny["authors"], tiny["ours"], tiny["runs"], tiny["missing"]) == ("tinier <still>.", section.ours, 3, 1)
    assert (tiny["command"], tiny["settings"]) == ("creases paper run tiny --size smoke", section.settings)
    assert all("seed" in line for line in tiny["settings"])
    (told,) = tiny["findings"].values()
    assert (told["verdict"], told["rule"]) == (UNDECIDED, "1 to 100")
    assert told["mean, sd, low, high, runs"] == list(section.findings[0].numbers)
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert SECONDS in text
    assert SECONDS in page
    assert f"| {section.findings[0].measured} | <b> | undecided (1 to 100) | {told['refuted by']} |" in text
    alone = json.loads((tmp_path / "fewer" / "report.json").read_text(encoding="utf-8"))
    (told,) = alone["figures"]["tiny"]["findings"].values()
    assert told["mean, sd, low, high, runs"][1:4] == [None] * 3  # JSON has no infinity


def page_of(findings, **given):
    """What tools/make_papers_docs.py looks up in a report of a figure; findings : (verdict, rule, authors) by name."""
    path = Path(__file__).parents[1] / "tools" / "make_papers_docs.py"
    spec = importlib.util.spec_from_file_location("make_papers_docs", path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    made = {
        what: {
            "verdict": verdict,
            "rule": rule,
            "authors": authors,
            "measured": "1.00; training accuracy 26%",
            "mean, sd, low, high, runs": [1.0, 0.1, 0.9, 1.1, 5],
        }
        for what, (verdict, rule, authors) in findings.items()
    }
    return tool.Report({"figures": {"some": {"findings": made, "ours": "[64]⁴, [80]³", "certified": None, **given}}})


def test_known_verdicts_of_the_page():
    """No number of the page is without its word where it does not hold."""
    words = ("holds", "undecided", "differs", "noted", "check", "check failed")
    page = page_of({f"[{i}]²: x": (word, "below 1", "") for i, word in enumerate(words)})
    said = [page.interval("some", f"[{i}]²: x", ".1f") for i in range(len(words))]
    after = ["", " (*undecided*)", " (*differs*)", "", "", " (*check failed*)"]
    assert said == [f"1.0 [0.9, 1.1]{word}" for word in after]
    assert page.networks("some", "[1]", form=".1f") == " to ".join(["1.0 [0.9, 1.1] ([1]², *undecided*)"] * 2)
    assert page.times("some", "[1]²: x").endswith(" (*undecided*)")
    assert page.accuracy("some", "[1]²: x") == "26 %"
    assert (page.widest(), page.widest("⁴")) == (80, 64)
    assert page.certified() == "every count is certified"
    assert page_of({}, certified=False).certified() == "not every count is certified (some)"


def test_known_ranges_of_the_page():
    """Each claim once, with what it is about where its words are a number, and n where the range depends on it."""
    page = page_of(
        {
            "[8]²: regions / Σ C(N, k), at once": ("holds", "0.4 to 0.6", "about 1/2"),
            "[9]²: regions / Σ C(N, k), at once": ("differs", "0.4 to 0.6", "about 1/2"),
            "[8]²: a / b": ("holds", "0.5 to 2", "a small factor"),
            "[8]²: c / d": ("holds", "0.5 to 2", "a small factor"),
            "[8]²: e at the end": ("holds", "above 1", "above 1: it recovers"),
            "n = 1: slope": ("holds", "-1.2 to -0.8", "-1"),
            "n = 2: slope": ("holds", "-1.2 to -0.8", "-1"),
            "n = 3: slope": ("holds", "-1.3 to -0.7", "-1"),
            "[8]²: share": ("undecided", "0 to 1", ""),
            "[8]²: theorem": ("check", "below 1", "a theorem"),
            "[8]²: much": ("noted", "", ""),
        }
    )
    assert page.ranges("some").split("; ") == [
        "regions / Σ C(N, k), about 1/2 (0.4 to 0.6)",
        "a small factor (0.5 to 2)",
        "e at the end, above 1: it recovers",
        "slope, -1 (-1.2 to -0.8 for n = 1, 2",
        "-1.3 to -0.7 for n = 3)",
        "share (0 to 1)",
    ]


@pytest.mark.jit
def test_known_commands(tmp_path, capfd, monkeypatch):
    """list, run, report; what is done is not done again."""
    monkeypatch.setitem(figures_room.FIGURES, "tiny", TINY)
    assert cli.run(["paper", "list"]) == 0
    assert "A tiny figure" in capfd.readouterr().out
    store, out = str(tmp_path / "runs.db"), str(tmp_path / "report")
    assert cli.run(["paper", "run", "tiny", "--store", store, "--threads", "1", "-o", out]) == 0
    said = capfd.readouterr().out
    assert "4 runs done, 0 in the store before" in said
    assert "1 training diverged" in said
    assert "1 holds" in said
    assert cli.run(["paper", "run", "tiny", "--store", store, "--threads", "1", "--no-report"]) == 0
    assert "0 runs done, 4 in the store before" in capfd.readouterr().out
    assert cli.run(["paper", "report", "tiny", "--store", store, "-o", out]) == 0
    assert "report.html" in capfd.readouterr().out
    assert cli.run(["paper", "report", "tiny", "theory", "--store", store, "-o", out]) == 0
    assert re.search("theory +no runs in the store", capfd.readouterr().out)
    assert cli.run(["paper", "report", "theory", "--store", store, "-o", str(tmp_path / "none")]) == 2
    said = " ".join(capfd.readouterr().err.split())
    assert (
        f"has no run of what is asked for. Do them with: creases paper run theory --size smoke --store {store}" in said
    )
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "count"], "There is no figure 'count'. Did you mean 'counts'?"),
        (["run", "--size", "small"], "There is no size 'small'. There are: smoke, laptop, paper."),
        (["run", "--size", "paper"], "give the folder of its four idx files with --data"),
        (["run", "--data", "nowhere"], "nowhere has no file train-images-idx3-ubyte"),
        (["run", "--workers", "2", "--threads", "2"], "give one of --workers, --threads and --cluster"),
        (["report", "--store", "nowhere.db"], "There is no store nowhere.db. Make one with"),
        (["run", "--store", "nowhere/runs.db"], "the folder nowhere does not exist"),
    ],
)
def test_bad_input_commands(arguments, message, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["paper", *arguments]) == 2
    assert message in capfd.readouterr().err


@pytest.mark.jit
def test_known_train(tmp_path, capfd, monkeypatch):
    """Trained, counted, kept, written and drawn; again from the store."""
    monkeypatch.chdir(tmp_path)
    options = ["train", "--task", "digits", "--hidden", "4,3", "--epochs", "1", "--batch-size", "256"]
    everywhere = ["--planes", "1", "--example-planes", "1", "--lines", "3", "--label-noise", "0.5"]
    files = ["--csv", "rows.csv", "--picture", "counts.png"]
    assert cli.run([*options, *everywhere, *files, "--seeds", "2"]) == 0
    said = capfd.readouterr().out
    assert "all certified" in said
    assert "2 runs done, 0 in the store before" in said
    assert (tmp_path / "rows.csv").read_text().startswith("experiment,seed,step,epoch")
    assert (tmp_path / "counts.png").stat().st_size > 5000
    assert len(list((tmp_path / "creases-train.db.networks").iterdir())) == 4
    assert cli.run([*options, *everywhere, "--seeds", "3"]) == 0
    assert "1 run done, 2 in the store before" in capfd.readouterr().out
    assert cli.run([*options, *everywhere, "--seeds", "1"]) == 0
    assert "counts of 1 run," in capfd.readouterr().out  # not of the three that are there


@pytest.mark.jit
def test_bad_input_train_nothing_done(tmp_path, capfd):
    """No table and no word of certified counts where none is."""
    options = ["train", "--task", "digits", "--hidden", "4", "--epochs", "0", "--space"]
    assert cli.run([*options, "--store", str(tmp_path / "runs.db")]) != 0
    said = capfd.readouterr()
    assert "Space(64) has 64 dimensions" in said.err
    assert said.out == ""


@pytest.mark.jit
def test_known_train_diverged(tmp_path, capfd):
    options = ["--task", "digits", "--hidden", "4,3", "--epochs", "1", "--optimiser", "sgd", "--learning-rate", "1e38"]
    assert cli.run(["train", *options, "--planes", "1", "--store", str(tmp_path / "runs.db")]) == 0
    assert "seed 0 diverged at epoch 0" in capfd.readouterr().out


@pytest.mark.jit
@pytest.mark.parametrize(
    "options",
    [
        ["--task", "points", "--points", "20", "--space", "--epochs", "2", "--weights", "orthogonal"],
        ["--task", "digits", "--components", "2", "--space", "--epochs", "0", "--zero-bias"],
        ["--task", "digits", "--noise-images", "--epochs", "1", "--batch-norm", "--optimiser", "sgd"],
    ],
)
def test_known_train_variants(options, tmp_path, capfd):
    store = ["--store", str(tmp_path / "runs.db")]
    assert (
        cli.run(["train", *options, "--hidden", "4", "--planes", "1" if "--space" not in options else "0", *store]) == 0
    )
    assert "all certified" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "mnsit"], "--task must be one of mnist, digits, points; got 'mnsit'"),
        (["--hidden", "32;32"], "--hidden must be whole numbers with commas"),
        (["--weights", "magic"], "--weights must be one of he, he-uniform"),
        (["--weights", "lecun", "--weight-scale", "2"], "--weight-scale is of --weights he only"),
        (["--optimiser", "sgdm"], "--optimiser must be one of adam, sgd"),
        (["--learning-rate", "-1"], "The learning rate must be finite and positive"),
        (["--csv", "no/rows.csv"], "The folder no does not exist"),
        (["--picture", "counts.bmp"], "Pictures are saved as"),
        (["--data", "nowhere"], "nowhere has no file train-images-idx3-ubyte"),
        (["--data", ".", "--task", "digits"], "give --data, which is a task of its own, or --task digits"),
    ],
)
def test_bad_input_train(options, message, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["train", *options]) == 2
    assert message in capfd.readouterr().err
