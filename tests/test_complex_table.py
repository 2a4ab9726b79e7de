"""The table and the summary of a Complex: what each column says, by definition, and known ones."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from complex_cases import case_of, hidden
from creases import Box, Dense, Directions, DomainError, Level, Max, MissingExtraError, Network, ReLU, Space, subdivide
from creases.complex.table import classes_of, columns_of, layers_of_birth, summary_of
from networks import random_network

SQUARE = Box([-1, -1], [1, 1])
DIAGONALS = hidden([[[1.0, 1.0], [1.0, -1.0]]], [[0.0, 0.0]])
DEEP = Network.from_arrays(*random_network([2, 9, 8, 3], 1, 0.3))
COLUMNS = ["layer_of_birth", "volume", "facets", "vertices", "bounded", "gradient_norm", "class"]


def test_known_the_square_and_its_diagonals():
    network = Network.from_arrays([[[1.0, 1.0], [1.0, -1.0]], [[3.0, 4.0]]], [[0.0, 0.0], [-0.125]])
    cells = subdivide(network, SQUARE)
    table = cells.table([[0.5, 0], [0.5, 0.1], [-0.5, 0.0], [0, 0], [0, -0.9], [3, 3]])
    assert list(table.columns) == [*COLUMNS, "points"]
    assert table.index.name == "region"
    rows = {
        tuple(pattern[0]): row for pattern, (_, row) in zip(map(cells.pattern, range(4)), table.iterrows(), strict=True)
    }
    for both, row in rows.items():
        assert row[["layer_of_birth", "volume", "facets", "vertices", "bounded"]].tolist() == [1, 1.0, 3, 3, True]
        # 3 relu(x + y) + 4 relu(x - y) - 1 / 8.
        slope = (3 * both[0] + 4 * both[1], 3 * both[0] - 4 * both[1])
        assert row["gradient_norm"] == pytest.approx(np.hypot(*slope))
        assert row["class"] == (1 if any(both) else -1)
    assert {both: row["points"] for both, row in rows.items()} == {
        (True, True): 2,
        (False, False): 1,
        (False, True): 1,
        (True, False): 0,
    }
    assert list(cells.table().columns) == COLUMNS


def prefixes(cells, layer):
    """The pattern of each cell in the layers up to one."""
    return [tuple(map(tuple, cells.pattern(i)[:layer])) for i in range(len(cells))]


@pytest.mark.parametrize("seed", range(60))
def test_laws_layers_of_birth(seed):
    """If two cells have one pattern in the layers up to l, the region of both is cut again: both are born later."""
    _, cells = case_of(seed)
    births = layers_of_birth(cells)
    for layer in range(cells.network.depth + 1):
        patterns = prefixes(cells, layer)
        alone = np.array([patterns.count(pattern) == 1 for pattern in patterns])
        assert (births[~alone] > layer).all()
        if layer:
            assert len(set(patterns)) == cells.by_layer[layer - 1]


def test_laws_layers_of_birth_of_generic_networks():
    """Of a generic network all that are not cut again are there already."""
    for domain in (SQUARE, Space(2), Directions(2)):
        cells = subdivide(DEEP, domain)
        births = layers_of_birth(cells)
        patterns = prefixes(cells, 1)
        assert ((births == 1) == np.array([patterns.count(pattern) == 1 for pattern in patterns])).all()
        assert set(births) == {1, 2}
    assert layers_of_birth(subdivide(hidden([[[0.0, 0.0]]], [[1.0]]), SQUARE)).tolist() == [0]


def test_known_births_at_a_switch():
    """max(x, y, 0), whose walls have numbers of pairs, and a neuron above it that cuts where it is 1 / 2."""
    switch = Level({0: Dense([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])}, None, Max([[0, 1, 2]]))
    network = Network.from_levels([switch, Level({1: Dense([[1.0]])}, [-0.5], ReLU())])
    cells = subdivide(network, SQUARE)
    born = dict(zip(prefixes(cells, 2), layers_of_birth(cells).tolist(), strict=True))
    assert born == {((2,), (False,)): 1, **{((i,), (on,)): 2 for i in (0, 1) for on in (False, True)}}


@pytest.mark.parametrize("n_out", [1, 2, 4])
def test_laws_classes(n_out):
    network = Network.from_arrays(*random_network([2, 9, 8, n_out], 1, 0.3))
    cells = subdivide(network, SQUARE)
    outputs = network.forward(cells.interior_points)
    expected = np.sign(outputs[:, 0]) if n_out == 1 else outputs.argmax(axis=1)
    assert classes_of(cells).tolist() == expected.tolist()
    # Of directions, what is largest far out.
    cells = subdivide(network, Directions(2))
    outputs = network.forward(1e9 * cells.interior_points)
    expected = np.sign(outputs[:, 0]) if n_out == 1 else outputs.argmax(axis=1)
    assert classes_of(cells).tolist() == expected.tolist()


def test_known_classes_that_are_equal():
    """The lowest of equal outputs; zero of one output."""
    for weights, expected in (([[2.0, 1.0], [2.0, 1.0]], 0), ([[0.0, 0.0]], 0)):
        network = Network.from_arrays([np.eye(2), weights], [[0.0, 0.0], np.zeros(len(weights))])
        assert (classes_of(subdivide(network, SQUARE)) == expected).all()


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_laws_columns(seed):
    _, cells = case_of(seed)
    columns = columns_of(cells, cells.interior_points)
    assert {len(values) for values in columns.values()} == {len(cells)}
    assert columns["points"].sum() >= len(cells) - len(cells.exact_interior_points)
    assert (columns["bounded"] == np.isfinite(columns["volume"])).all()
    if not len(cells.lineality):
        numbers = cells.vertex_numbers
        far = cells.vertices_at_infinity[numbers]
        owners = np.repeat(np.arange(len(cells)), np.diff(cells.first))
        assert columns["vertices"].tolist() == np.bincount(owners[~far], minlength=len(cells)).tolist()
    sides = np.concatenate([cells.facets.cells.ravel()])
    assert columns["facets"].tolist() == np.bincount(sides[sides >= 0], minlength=len(cells)).tolist()


def test_known_summary():
    # Of four maps: of none, one or both rows of (1, 1) and (1, -1).
    quantiles = np.quantile([0.0, 2**0.5, 2**0.5, 2.0], [0, 0.05, 0.5, 0.95, 1])
    norms = "".join(f"{number:>11.4g}" for number in quantiles)
    assert subdivide(DIAGONALS, SQUARE).summary().splitlines()[2:] == [
        "",
        "regions                 4  certified",
        "                        0  unbounded",
        "vertices                5",
        "facets                  8  4 part two regions",
        "a region             3.00  facets on average",
        "dual graph           2.00  neighbours on average; 2 d is 4",
        "",
        "                    least        5 %     median       95 %    largest      total",
        "volume                  1          1          1          1          1          4",
        "gradient norm " + norms,
        "",
        "born in       layer 1 4",
    ]


def test_known_summary_quotes_names_that_are_numbers():
    """In an nn.Sequential the second ReLU may have the name '5'."""
    named = Network.from_levels([replace(DIAGONALS.levels[0], name="5")])
    assert subdivide(named, SQUARE).summary().endswith("born in       layer '5' 4")


@pytest.mark.parametrize("domain", [SQUARE, Space(2), Directions(2), Box([-1, 0], [1, 0])], ids=repr)
def test_laws_summary(domain):
    cells = subdivide(DEEP, domain)
    text = cells.summary()
    assert text.startswith(f"{DEEP!r}\non {domain!r}\n")
    assert f"regions{len(cells):>18,}" in text
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 100
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_known_summary_of_many_layers(monkeypatch):
    """One neuron after the other, all of which cut: x, x - 1, x - 2, ..."""
    network = hidden([[[1.0]]] * 15, [[0.0], *[[-1.0]] * 14])
    cells = subdivide(network, Box([-1], [20]))
    assert len(cells) == 16
    assert cells.summary().splitlines()[-1].endswith("layer 12 1, and 3 more layers")
    monkeypatch.setattr("creases.complex.table.MOST_LAYERS", 15)
    assert cells.summary().splitlines()[-1].endswith("layer 14 1, layer 15 2")


def test_bad_input(monkeypatch):
    cells = subdivide(DEEP, SQUARE)
    with pytest.raises(DomainError, match=r"shape \(n, 2\)"):
        cells.table([[1.0, 2.0, 3.0]])
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"creases\[pandas\]"):
        cells.table()
    assert summary_of(cells)
