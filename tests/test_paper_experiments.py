"""The experiments that are commands: small runs of each, and what their tables say."""

from itertools import pairwise, product

import numpy as np
import pytest

from creases import cli
from creases.paper import looseness, sawtooth, spaces
from creases.paper.claims import BROKEN, CHECK, UNCHECKED
from creases.theory import central, smallest_side, smallest_t, t_of, zaslavsky


@pytest.mark.jit
def test_known_spaces():
    """One hidden layer has exactly what hyperplanes have; deeper ones about that."""
    one_layer = spaces.mean_counts(3, [(3, (7,)), (4, (6,))])
    assert [row.ratio.mean for row in one_layer] == [1.0] * 4
    assert [row.hyperplanes for row in one_layer] == [zaslavsky(7, 3), central(7, 3), zaslavsky(6, 4), central(6, 4)]
    assert all(row.deviation == row.ratio.sd == row.variation.mean == 0.0 for row in one_layer)
    done = []
    (deep, _) = spaces.mean_counts(6, [(3, (8, 8))], done=lambda: done.append(1))
    assert len(done) == len(deep.counts) == 6
    assert 0.6 < deep.ratio.mean < 1.4
    assert spaces.as_markdown([deep]).splitlines()[-1].startswith("| 3 | 8, 8 | R^3 | 6 | ")


@pytest.mark.jit
def test_known_sawtooth():
    curve = sawtooth.collapse(5, 3, (0.0, 1.0))
    assert curve.counts[0] == (32, 32, 32)
    assert max(curve.counts[1]) < 32
    axes = sawtooth.plot_collapse(sawtooth.collapse(3, 2, (0.01, 0.1)))
    assert axes.get_ylabel() == "pieces on [0, 1]"


@pytest.mark.jit
@pytest.mark.parametrize("seeds", [10, pytest.param(200, marks=pytest.mark.long)])
def test_laws_means_lie_below_the_bounds(seeds):
    """The table of the documentation, and with fewer seeds: sides from theorem 5's own unit on."""
    lines = looseness.looseness(seeds)
    assert [(line.input_dim, line.biases, line.scale) for line in lines] == list(
        product((1, 2, 3), ("Gaussian", "uniform"), looseness.SCALES)
    )
    for line in lines:
        assert line.verdict == CHECK
        assert line.counts.high < line.explicit < line.theorem5
        assert line.side == pytest.approx(line.scale / (line.c_grad * line.c_bias * 32))
        if line.scale >= 4:
            assert line.side > smallest_side(t_of(line.c_grad, line.c_bias), line.c_grad, line.c_bias)
        # Of the theorem's own size cubes have a T of about C_grad C_bias; large ones a T that is 1 / side.
        assert 0.4 < line.smallest_t < 1.5 or line.scale not in (4, 16)
    for first, second in pairwise(lines):
        if second.scale == looseness.SCALES[-1]:
            assert 0.25 < second.smallest_t / first.smallest_t < 0.28
    table = looseness.as_markdown(lines).splitlines()
    assert len(table) == 2 + len(lines)
    assert table[2].startswith("| 1 | Gaussian | 1 | 0.0347 | ")


@pytest.mark.parametrize("n", [1, 2, 3])
def test_known_looseness_of_planted_counts(n):
    """Its verdict can fail: half and twice what theorem 5 allows; T-hat says the same in units of C_grad C_bias."""
    allowed = looseness.line_of(n, "uniform", 4.0, [1.0] * 3).theorem5
    for factor, verdict in ((0.5, CHECK), (2.0, BROKEN)):
        line = looseness.line_of(n, "uniform", 4.0, factor * allowed * np.array([0.99, 1.0, 1.01]))
        assert line.verdict == verdict
        assert line.smallest_t == pytest.approx(32.0 * factor ** (1 / n))
        t = smallest_t(round(line.counts.mean), 32, n, volume=line.side**n) / (line.c_grad * line.c_bias)
        assert t == pytest.approx(line.smallest_t, rel=0.01)
    assert looseness.line_of(n, "uniform", 4.0, allowed * np.array([0.5, 1.0, 1.5])).verdict == UNCHECKED
    assert looseness.line_of(n, "uniform", 4.0, [1.0, 2.0]).verdict == UNCHECKED


@pytest.mark.jit
@pytest.mark.parametrize("name", ["spaces", "bounds"])
def test_known_commands(name, capfd, tmp_path):
    saved = tmp_path / "table.md"
    assert cli.run(["paper", name, "--seeds", "1", "--save", str(saved)]) == 0
    assert "saved to" in capfd.readouterr().out
    assert saved.read_text().startswith("| ")


@pytest.mark.jit
def test_known_sawtooth_command(capfd, tmp_path):
    """Counts beside 2^L, N + 1 and the weights, and the noise that leaves less than half and almost none."""
    drawn = tmp_path / "curve.svg"
    assert cli.run(["paper", "sawtooth", "--depth", "4", "--seeds", "2", "--output", str(drawn)]) == 0
    said = capfd.readouterr().out
    without = next(line for line in said.splitlines() if line.split()[:1] == ["0"])
    assert without.split() == ["0", "0.00%", "16", "16.0", "16", "1.0000", "1.78"]  # 16 / 9
    assert "31.62%" in next(line for line in said.splitlines() if line.split()[:1] == ["1"])
    assert "mean / 2^L falls below 0.5 at noise of " in said
    # A single piece is a sixteenth, which is more than one in a hundred.
    assert "mean / 2^L falls below 0.01 at none of these noises" in said
    assert drawn.read_text().startswith("<?xml")


def test_bad_input_output(capfd, tmp_path):
    assert cli.run(["paper", "sawtooth", "--output", str(tmp_path / "curve.txt")]) == 2
    assert cli.run(["paper", "spaces", "--save", str(tmp_path / "no" / "table.md")]) == 2
    assert "does not exist" in capfd.readouterr().err
