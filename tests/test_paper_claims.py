"""Claims: when they hold, when data refute them, and that every figure makes its own with them."""

import warnings
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

import creases
from creases.paper.choices import task_of
from creases.paper.claims import (
    BROKEN,
    CHECK,
    DIFFERS,
    ELSEWHERE,
    HOLDS,
    NOTED,
    UNCHECKED,
    UNDECIDED,
    Claim,
    Numbers,
    Verdict,
    above,
    always,
    below,
    between,
    equal_to,
    interval,
    judged,
    noted,
    summary,
)
from creases.paper.figure import SIZES, Size
from creases.paper.figures import FIGURES
from creases.paper.report import chance
from planted import data_in, jitter

# Verdicts.


def around(mean, reach, runs=3):
    """Values with this mean, and a 95 % interval that reaches so far from it."""
    shape = np.linspace(-1.0, 1.0, runs)
    return mean + shape * reach / (interval(shape)[1])


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (around(1.0, 0.49), HOLDS),
        (around(1.0, 0.51), UNDECIDED),
        (around(1.45, 0.1), UNDECIDED),  # its mean is inside, its interval reaches over the edge
        (around(1.55, 0.1), UNDECIDED),
        (around(1.61, 0.1), DIFFERS),
        (around(0.39, 0.1), DIFFERS),
        (around(0.41, 0.1), UNDECIDED),
        ([1.0, 1.1], UNDECIDED),  # two runs decide nothing
        ([9.0, 9.0], UNDECIDED),
        ([], UNDECIDED),
        ([1.5] * 3, HOLDS),  # the ends are in the range
        ([1.5 + 1e-9] * 3, DIFFERS),
        ([9.0, 9.1, np.nan], UNDECIDED),  # a run without a number decides nothing about the mean
        ([1.0, 1.0, np.inf], UNDECIDED),
    ],
)
def test_known_verdicts_of_a_range(values, word):
    assert between(0.5, 1.5, "").verdict(values) == word


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (around(1.2, 0.19), HOLDS),
        (around(1.2, 0.21), UNDECIDED),
        (around(0.8, 0.19), DIFFERS),
        (around(0.8, 0.21), UNDECIDED),
        ([1.0] * 3, DIFFERS),  # no more than the level is not above it
        ([1.0 + 1e-9] * 3, HOLDS),
        ([2.0, 2.0], UNDECIDED),
    ],
)
def test_known_verdicts_of_a_level(values, word):
    """`below` is `above` in the mirror."""
    assert above(1.0, "").verdict(values) == word
    assert below(-1.0, "").verdict(-np.asarray(values)) == word


def test_known_verdicts_with_an_end():
    """At least and at most: the end itself is allowed."""
    for claim, sign in ((Claim("", low=1.0), 1), (Claim("", high=-1.0), -1)):
        assert claim.verdict([sign * 1.0] * 3) == HOLDS
        assert claim.verdict(sign * around(0.8, 0.1)) == DIFFERS
        assert claim.verdict(sign * around(1.0, 0.1)) == UNDECIDED


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([1.0, 1.0, 1.0], HOLDS),
        ([1.0, 1.0], UNDECIDED),
        ([], UNDECIDED),
        ([0.0], DIFFERS),  # one counterexample is enough, however few the runs
        ([1.0] * 1000 + [1.0 + 1e-15], DIFFERS),
        ([1.0, np.nan, 1.0], UNDECIDED),
        ([1.0, np.nan, 0.0], DIFFERS),
        ([np.nan], UNDECIDED),
        ([1.0, 1.0, np.inf], DIFFERS),
    ],
)
def test_known_verdicts_of_an_equation(values, word):
    assert always("").verdict(values) == word
    assert equal_to(5.0, "").verdict(np.asarray(values) * 5.0) == word


def test_known_verdicts_of_another_regime():
    """Data of a shorter training may agree with a claim, but do not refute it."""
    claim = above(1.0, "after 20 epochs", steps=9360)
    for steps in (None, 0, 620, 9359):
        assert claim.verdict([0.5, 0.6, 0.7], steps) == ELSEWHERE
        assert claim.verdict([2.0, 2.1, 2.2], steps) == HOLDS
        assert claim.verdict([0.0, 1.0, 2.0], steps) == UNDECIDED
    for steps in (9360, 10_000):
        assert claim.verdict([0.5, 0.6, 0.7], steps) == DIFFERS
    assert Claim("", 1.0, 1.0, steps=5).verdict([0.0], 4) == ELSEWHERE
    assert above(1.0, "").verdict([0.5, 0.6, 0.7], 0) == DIFFERS  # no claim about steps


@pytest.mark.parametrize(
    ("claim", "rule", "refuted"),
    [
        (between(0.5, 1.5, ""), "0.5 to 1.5", "a 95 % interval of the mean below 0.5 or above 1.5"),
        (above(1.0, ""), "above 1", "a 95 % interval of the mean at or below 1"),
        (below(0.25, ""), "below 0.25", "a 95 % interval of the mean at or above 0.25"),
        (Claim("", low=2.0), "at least 2", "a 95 % interval of the mean below 2"),
        (Claim("", high=2.0), "at most 2", "a 95 % interval of the mean above 2"),
        (always(""), "exactly 1", "one run with another number"),
        (
            above(0.0, "", steps=9360),
            "above 0",
            "a 95 % interval of the mean at or below 0, after 9,360 steps or more",
        ),
    ],
)
def test_known_rules(claim, rule, refuted):
    """What is claimed and what would refute it go with the verdict, whatever it is."""
    for values in ([1.0, 1.1, 0.9], [-50.0] * 3, []):
        verdict = claim.verdict(values)
        assert (verdict.rule, verdict.refuted) == (rule, refuted)
        assert isinstance(verdict, str)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Claim("nothing"),
        lambda: Claim("backwards", 2.0, 1.0),
        lambda: Claim("none", np.nan, 1.0),
        lambda: Claim("empty", 1.0, 1.0, strict=True),
        lambda: above(np.inf, "never"),
        lambda: above(-np.inf, "ever"),
        lambda: below(np.inf, "ever"),
        lambda: below(np.nan, "none"),
        lambda: equal_to(np.inf, "never"),
        lambda: equal_to(np.nan, "none"),
        lambda: between(2.0, 1.0, "backwards"),
    ],
)
def test_bad_input_claims_that_no_data_decide(make):
    with pytest.raises(ValueError, match="needs a range that data can be in and leave"):
        make()


def test_bad_input_between_needs_two_ends():
    for low, high in ((-np.inf, 1.0), (1.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="between needs two numbers"):
            between(low, high, "")


# Numbers.


def test_known_interval():
    """Student's, as scipy has it, and by the table of two degrees of freedom."""
    stats = pytest.importorskip("scipy.stats")
    low, high = interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.303 / np.sqrt(3), 2 + 4.303 / np.sqrt(3)), abs=1e-3)
    values = np.random.default_rng(1).normal(3.0, 2.0, 17)
    for confidence in (0.5, 0.95, 0.99):
        theirs = stats.t.interval(confidence, 16, loc=values.mean(), scale=stats.sem(values))
        assert interval(values, confidence) == pytest.approx(theirs)
    assert interval([1.0]) == interval([]) == (-np.inf, np.inf)


def test_laws_interval_covers():
    """About 95 in 100 intervals hold the mean, of three runs and of ten; so a true claim at its edge differs in 2.5."""
    rng = np.random.default_rng(2)
    for runs in (3, 10):
        drawn = rng.normal(1.0, 0.3, (2000, runs))
        held = [low < 1.0 < high for low, high in map(interval, drawn)]
        assert np.mean(held) == pytest.approx(0.95, abs=0.015)
        said = [between(1.0, 9.0, "").verdict(values) for values in drawn]
        assert said.count(DIFFERS) / 2000 == pytest.approx(1 / 40, abs=0.012)
        assert said.count(HOLDS) / 2000 == pytest.approx(1 / 40, abs=0.012)


def test_known_numbers():
    assert Numbers.of([1.0, 2.0, 3.0])[:2] == (2.0, 1.0)
    assert Numbers.of([1.0, 2.0, 3.0])[2:4] == interval([1.0, 2.0, 3.0])
    assert Numbers.of([4.0, 4.0, 4.0]) == (4.0, 0.0, 4.0, 4.0, 3)
    assert Numbers.of([0.0, 0.0]) == (0.0, 0.0, 0.0, 0.0, 2)
    tenths = Numbers.of([0.1 + 0.2, 0.3, 0.3])  # equal but for rounding
    assert (tenths.sd, tenths.low, tenths.high) == (0.0, 0.3, 0.1 + 0.2)
    one = Numbers.of([1.5])
    assert (one.mean, one.low, one.high, one.runs) == (1.5, -np.inf, np.inf, 1)
    assert np.isnan(one.sd)
    none = Numbers.of([])
    assert (none.low, none.high, none.runs) == (-np.inf, np.inf, 0)
    assert np.isnan(none.mean)
    assert np.isnan(Numbers.of([1.0, np.nan, 2.0]).mean)


def test_known_summaries():
    """Mean, standard deviation over runs, interval of the mean, runs: in this order, everywhere."""
    assert summary([1.0, 2.0, 3.0]) == "2 ± 1 [-0.484, 4.48] (3 runs)"
    assert summary([1.0, 2.0, 3.0], ".1f") == "2.0 ± 1.0 [-0.5, 4.5] (3 runs)"
    assert summary(Numbers(0.5, 0.25, 0.25, 0.75, 8)) == "0.5 ± 0.25 [0.25, 0.75] (8 runs)"
    assert summary([1.5]) == "1.5 (1 run)"
    assert summary([2.0, 2.0]) == "2 ± 0 (2 runs)"
    assert summary([]) == "no runs"


def test_laws_no_warnings():
    """Numbers that are none are said, not warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for values in ([1.0, np.inf, 2.0], [np.nan] * 3, [], [1.0], [np.inf]):
            assert above(0.0, "").verdict(values) == UNDECIDED
            assert summary(values)


def test_known_findings():
    claim = above(1.0, "more", steps=10, why="ours")
    finding = judged("growth", [0.5, 0.5, 0.5], claim, steps=9, form=".2f", more="; at the end")
    assert finding.what == "growth"
    assert finding.measured == "0.50 ± 0 (3 runs); at the end"
    assert (finding.authors, finding.verdict, finding.verdict.rule) == ("more", ELSEWHERE, "above 1")
    assert finding.numbers == (0.5, 0.0, 0.5, 0.5, 3)
    found = noted("count", [1.0, 3.0], "2", more="!")
    assert (found.measured[-1], found.authors, found.verdict, found.verdict.rule) == ("!", "2", NOTED, "")
    words = noted("count", "many")
    assert (words.measured, words.verdict, words.verdict.refuted, words.numbers) == ("many", NOTED, "", None)


def test_laws_a_verdict_is_its_word():
    """It counts, compares and prints as the word; the rule goes with it."""
    verdict = Verdict(HOLDS, "above 1", "at or below 1")
    assert verdict == HOLDS
    assert {verdict: 1}[HOLDS] == 1
    assert str(verdict) == f"{verdict}" == "holds"
    assert (Verdict(NOTED).rule, Verdict(NOTED).refuted) == ("", "")


def test_known_checks():
    """What a theorem says is met, broken or undecided in words of its own, and never counted."""
    for claim, met, broken in (
        (between(0.99, 1.01, "one", check=True), [1.0] * 3, [1.1] * 3),
        (equal_to(1.0, "one", check=True), [1.0] * 3, [1.0, 2.0]),
        (always("so", check=True), [1.0] * 3, [0.0]),
    ):
        assert [claim.verdict(values) for values in (met, broken, [1.0])] == [CHECK, BROKEN, UNCHECKED]
        assert not any(claim.verdict(values).counted for values in (met, broken, [1.0]))
        assert claim.verdict(met).rule
        assert claim.verdict(met).refuted
    assert all(Verdict(word).counted for word in (HOLDS, DIFFERS, UNDECIDED, ELSEWHERE))
    assert not Verdict(NOTED).counted


def test_known_chance():
    """One in forty of those that are judged."""
    findings = [judged(f"{i}", [1.0, 1.1, 1.2], above(0.0, "")) for i in range(60)]
    sections = [SimpleNamespace(findings=findings), SimpleNamespace(findings=[*findings[:20], noted("n", "much")])]
    assert chance(sections).startswith("There are 80 verdicts.")
    assert "at most 2 of 80 on average." in chance(sections)
    theorem = equal_to(1.0, "a theorem", check=True)
    checks = [judged("c", values, theorem) for values in ([1.0] * 3, [2.0] * 3, [1.0])]
    assert chance([*sections, SimpleNamespace(findings=checks)]) == chance(sections)
    assert chance([]).startswith("There are 0 verdicts.")


def test_known_chance_of_short_trainings():
    """Verdicts on a longer training cannot differ, and are said to be so; undecided ones and those in regime too."""
    claim = above(1.0, "", steps=1000)
    short = [judged(f"s{i}", [1.1, 1.2, 1.3], claim, steps=999) for i in range(7)]
    short.append(judged("lower", [0.1, 0.2, 0.3], claim, steps=999))
    long = [judged(f"l{i}", [0.1, 0.2, 0.3], claim, steps=1000) for i in range(40)]
    assert short[-1].verdict == ELSEWHERE
    assert [finding.verdict.short for finding in (short[0], short[-1], long[0])] == [True, True, False]
    said = chance([SimpleNamespace(findings=[*short, *long])])
    assert said.startswith("There are 48 verdicts. Of these, 8 claim something of more steps than were run:")
    assert "at most 1 of the other 40 on average." in said
    assert "more steps" not in chance([SimpleNamespace(findings=long)])


# Every figure.


@cache
def shape_of(measure, choice):
    """What a measure gives of this task: names and domains, from a network of three neurons."""
    task = task_of(choice, 0)
    small = creases.Network.he([task.n_in, 3, task.classes])
    return [(row.measure, row.domain) for row in measure.prepare(task)(small)]


def middling(moment):
    """A world in which every measure is half of N squared, or less, and runs differ a little."""
    experiment = moment.line.experiment
    rows = [row for measure in experiment.measures for row in shape_of(measure, experiment.task)]
    size = moment.neurons**2 / 2
    return [(name, domain, jitter(moment) * size / (1 + i)) for i, (name, domain) in enumerate(rows)]


@pytest.mark.jit
@pytest.mark.parametrize("name", FIGURES)
def test_laws_every_figure_can_be_refuted(name):
    """Each of its judged findings says what is claimed and what would refute it; no two findings are of one thing."""
    pytest.importorskip("torch")
    figure, smoke = FIGURES[name], SIZES["smoke"]
    size = Size("smoke", 0, images=smoke.small, small=smoke.small)
    findings = figure.findings(data_in(middling, figure, size=size, runs=3))
    assert findings
    names = [finding.what for finding in findings]
    assert len(set(names)) == len(names)
    judged_here = [finding for finding in findings if finding.verdict != NOTED]
    assert judged_here or name in ("theory",)
    for finding in findings:
        said = (finding.verdict.rule, finding.verdict.refuted)
        assert all(said) if finding.verdict != NOTED else not any(said), finding.what
        assert isinstance(finding.verdict, Verdict), finding.what
        assert finding.verdict in (HOLDS, DIFFERS, UNDECIDED, ELSEWHERE, NOTED, CHECK, BROKEN, UNCHECKED)
        if finding.verdict != NOTED:
            assert finding.numbers is not None, finding.what


@pytest.mark.parametrize("name", FIGURES)
def test_laws_every_figure_of_a_paper_says_its_regime(name):
    """What the authors did, beside what is done here."""
    figure = FIGURES[name]
    assert figure.regime or not figure.source.startswith("Hanin"), figure.source
    assert figure.regime.endswith(".") or not figure.regime
    assert figure.claim.endswith(".")
