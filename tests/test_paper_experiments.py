"""The experiments that are commands: small runs of each, and what their tables say."""

from itertools import product

import pytest

from creases import cli
from creases.paper import looseness, sawtooth, spaces
from creases.theory import central, smallest_side, t_of, zaslavsky


@pytest.mark.jit
def test_known_spaces():
    """One hidden layer has exactly what hyperplanes have; deeper ones about that."""
    one_layer = spaces.mean_counts(2, [(3, (7,)), (4, (6,))])
    assert [row.ratio for row in one_layer] == [1.0] * 4
    assert [row.hyperplanes for row in one_layer] == [zaslavsky(7, 3), central(7, 3), zaslavsky(6, 4), central(6, 4)]
    assert all(row.deviation == row.ratio_error == 0.0 for row in one_layer)
    done = []
    (deep, _) = spaces.mean_counts(6, [(3, (8, 8))], done=lambda: done.append(1))
    assert len(done) == len(deep.counts) == 6
    assert 0.6 < deep.ratio < 1.4
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
    """The table of the documentation, and with fewer seeds."""
    lines = looseness.looseness(seeds)
    assert {(line.input_dim, line.biases, line.side) for line in lines} == set(
        product((1, 2, 3), ("Gaussian", "uniform"), (0.1, 1.0, 10.0))
    )
    for line in lines:
        assert line.mean + 3 * line.error < line.explicit < line.theorem5
        assert line.side > smallest_side(t_of(line.c_grad, line.c_bias), line.c_grad, line.c_bias)
    table = looseness.as_markdown(lines).splitlines()
    assert len(table) == 2 + len(lines)
    assert table[2].startswith("| 1 | Gaussian | 0.1 | ")


@pytest.mark.jit
@pytest.mark.parametrize("name", ["spaces", "bounds"])
def test_known_commands(name, capfd, tmp_path):
    saved = tmp_path / "table.md"
    assert cli.run(["paper", name, "--seeds", "1", "--save", str(saved)]) == 0
    assert "saved to" in capfd.readouterr().out
    assert saved.read_text().startswith("| ")


@pytest.mark.jit
def test_known_sawtooth_command(capfd, tmp_path):
    drawn = tmp_path / "curve.svg"
    assert cli.run(["paper", "sawtooth", "--depth", "4", "--seeds", "2", "--output", str(drawn)]) == 0
    assert "16" in capfd.readouterr().out
    assert drawn.read_text().startswith("<?xml")


def test_bad_input_output(capfd, tmp_path):
    assert cli.run(["paper", "sawtooth", "--output", str(tmp_path / "curve.txt")]) == 2
    assert cli.run(["paper", "spaces", "--save", str(tmp_path / "no" / "table.md")]) == 2
    assert "does not exist" in capfd.readouterr().err
