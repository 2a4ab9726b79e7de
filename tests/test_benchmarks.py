"""The benchmarks: peers count what Creases counts, networks are those of the known counts, the table reads."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import table
from benchmarks.child import peak_megabytes
from benchmarks.floor import bare_cells, cut_all, look_at_all
from benchmarks.networks import (
    DEGENERATE,
    SQUARE,
    Case,
    WrongCount,
    as_network,
    check,
    checked,
    degenerate,
    on_plane,
    on_square,
    random_layers,
)
from benchmarks.peers import edge_subdivision, numpy_lines, rational
from benchmarks.rows import costs, faster, missing, within
from benchmarks.timing import Sample, in_turns
from creases import Line, Network, Segment, count, count_many


def test_every_theme_imports_what_there_is():
    # The benchmarks run by hand only; what is renamed in the package must not wait for that.
    from benchmarks.__main__ import THEMES

    assert all(callable(rows) for rows in THEMES.values())


def counted(layers):
    return count(as_network(layers), SQUARE, threads=1, progress=False).regions


@pytest.mark.parametrize("widths", [[2, 1, 1], [2, 3, 3, 1], [2, 8, 8, 8, 1], [2, 20, 5, 1]])
@pytest.mark.parametrize("seed", range(3))
def test_against_exact_edge_subdivision(widths, seed):
    layers = random_layers(widths, seed)
    assert edge_subdivision.count_on_square(layers[:-1]) == counted(layers)


def test_against_exact_rational_peers():
    layers = random_layers([2, 5, 4, 1], 3)
    right = counted(layers)
    assert rational.count_on_square(layers[:-1]) == right
    assert rational.reference_on_square(layers[:-1]) == right


@pytest.mark.parametrize("widths", [[1, 4, 1], [5, 12, 12, 1], [9, 8, 8, 8, 1]])
def test_against_exact_numpy_lines(widths):
    layers = random_layers(widths, 2)
    network, rng = as_network(layers), np.random.default_rng(0)
    points, directions = rng.standard_normal((2, 10, widths[0]))
    lines = [Line(point, direction) for point, direction in zip(points, directions, strict=True)]
    segments = [Segment(point, point + direction) for point, direction in zip(points, directions, strict=True)]
    for domains, ends in ((lines, ()), (segments, (0.0, 1.0))):
        right = [found.regions for found in count_many(network, domains, threads=1, progress=False)]
        assert numpy_lines.count_on_lines(layers[:-1], points, directions, *ends).tolist() == right


def test_known_networks_by_formula():
    assert checked(on_square(16, 16)).by_layer == (126, 412)
    assert checked(on_plane(8, 8)).by_layer == (37, 111)
    assert as_network(random_layers([2, 7, 7, 1], 5)).sha256 == Network.he([2, 7, 7, 1], seed=5).sha256


@pytest.mark.jit
@pytest.mark.parametrize("name", sorted(DEGENERATE))
def test_known_degenerate_networks(name):
    checked(degenerate(name))


def test_bad_input_wrong_counts_end_the_run():
    case = on_square(16, 16)
    wrong = Case(case.name, case.layers, case.domain, (126, 411))
    with pytest.raises(WrongCount, match=r"16 x 2: .*412 regions.*\(126, 411\) is known"):
        checked(wrong)
    unproved = SimpleNamespace(by_layer=(126, 412), regions=412, certified=False)
    with pytest.raises(WrongCount, match=r"\(126, 412\) is known"):
        check(unproved, case)


def test_known_bare_operations():
    """The floor's cut makes two children that share an edge; its look finds the rows that cross."""
    quads, lines, _ = bare_cells()
    cut, look = (getattr(kernel, "py_func", kernel) for kernel in (cut_all, look_at_all))  # compiling takes seconds
    children = np.zeros((2, 4, 8))
    assert 0 < cut(quads, lines, children, 1) < 1e-12
    left, right = children[:, :, :2]
    assert left[0].tolist() == right[1].tolist()
    assert left[3].tolist() == right[2].tolist()
    assert np.allclose(lines[0, :2] @ left[[0, 3]].T + lines[0, 2], 0.0)
    rows = np.array([[1.0, 0.0, 0.5, 0.0, 0.0, 0.0], [1.0, 0.0, 2.0, 0.0, 0.0, 0.0]])
    assert look(quads, rows, 2) == 1


def test_known_turns():
    calls = []
    first, second = in_turns(lambda: calls.append("a") or sum(range(10**6)), lambda: sum(range(10**5)), runs=3)
    assert len(first.runs) == len(second.runs) == 3
    assert first.median > second.median
    assert Sample([3.0, 1.0, 2.0]).median == 2.0


def test_known_rows_and_table(tmp_path):
    rows = [
        faster("a", "b", 0.01, 0.2, at_least=15),
        costs("c", "d", 9.0, 3.0, at_most=2, unit="ns"),
        within("e", 200.0, 400, unit="MB"),
        missing("f", "g", "absent"),
    ]
    assert [row.met for row in rows] == [True, False, True, None]
    assert table.as_text(rows).splitlines()[1] == "a     b          10 ms   0.2 s   20.00  >= 15   yes"
    page = tmp_path / "page.md"
    page.write_text("x\n<!-- results -->\nold\n<!-- /results -->\ny\n", encoding="utf-8")
    table.write_between("results", table.as_markdown(table.HEAD, map(table.cells, rows)), page)
    text = page.read_text(encoding="utf-8")
    assert "| c | d | 9 ns | 3 ns | 3.00 | <= 2 | NO |  |\n" in text
    assert "old" not in text
    assert text.endswith("y\n")


def test_known_peak_memory():
    before = peak_megabytes()
    block = np.ones(10_000_000)
    assert block.sum() == 1e7
    assert peak_megabytes() >= before > 10


def speeds(network):
    """Of a network in the table of results: (program, theirs / ours), the nearest first; the floor is no program."""
    rows = re.findall(rf"^\| count {network} \| ([^|]*) \|[^|]*\|[^|]*\| ([\d,.]+) \|", table.README.read_text(), re.M)
    return sorted(
        ((name, float(ratio.replace(",", ""))) for name, ratio in rows if name != "the floor"), key=lambda row: row[1]
    )


def test_house_readme_says_what_the_table_says():
    """The speeds on the first page are those of the nearest programs in benchmarks/README.md, whoever wrote them."""
    page = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
    said = re.search(
        r"takes (\d+) times as long; the\s+fastest program by others takes (\d+) times as long\. "
        r".*?the fastest\s+alternative (\d+) times as long",
        page,
        re.S,
    )
    small, large = speeds("64 x 3"), speeds("256 x 3")
    assert "ours, numpy" in small[0][0]
    others = next(ratio for name, ratio in small if "ours" not in name)
    assert [int(number) for number in said.groups()] == pytest.approx([small[0][1], others, large[0][1]], rel=0.1)
    ours = re.findall(
        r"^\| count (?:64|256) x 3 \| [^|]*numpy[^|]* \| ([\d.]+) (m?)s \|", table.README.read_text(), re.M
    )
    assert len(ours) == 2
    seconds = [float(number) / (1000 if milli else 1) for number, milli in ours]
    took = re.search(
        r"takes (\d+) milliseconds on one thread.*?neurons per layer it takes ([\d.]+) seconds", page, re.S
    )
    assert [int(took[1]) / 1000, float(took[2])] == pytest.approx(seconds, rel=0.1)
