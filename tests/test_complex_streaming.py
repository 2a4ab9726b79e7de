"""Cells handed over as they are found: the same cells in the same order, none of them kept, and refusals."""

import json
import re
import weakref

import numpy as np
import pytest

from creases import (
    Ball,
    Box,
    Count,
    Line,
    Network,
    Polyline,
    Polytope,
    Space,
    count,
    subdivide,
    subdivide_to_parquet,
    subdivision,
)
from creases.complex import CellBlock
from creases.complex.blocks import blocks_of
from creases.domain import domain_from_dict
from creases.errors import DomainError, NotEnoughMemoryError, SaveError
from creases.network import Dense, Level, Max
from full_disks import no_file_above
from networks import KINDS, table
from some_complexes import CASES, case, complex_of, graph

NO_PYARROW = "pyarrow is not installed: pip install 'creases[files]'"
SQUARE = Box([-1, -1], [1, 1])
STREAMED = [name for name in CASES if not name.startswith("line")]
OF_CELLS = ("at_infinity", "walls", "corners", "patterns")


def check_stream(network, domain, whole):
    """The blocks follow one another and hold what the complex holds."""
    blocks = []
    found = subdivide(network, domain, on_cells=blocks.append)
    (expected,) = blocks_of(whole, len(whole), neighbours=False)
    assert all(isinstance(block, CellBlock) and len(block) for block in blocks)
    starts = np.cumsum([0, *map(len, blocks)])
    assert [block.start for block in blocks] == starts[:-1].tolist()
    assert starts[-1] == len(whole) == found.regions
    for name in OF_CELLS:
        assert np.array_equal(np.concatenate([getattr(block, name) for block in blocks]), getattr(expected, name)), name
    for first, of in [("first", "corners"), ("side_first", "walls"), ("corner_first", "side_corners")]:
        lengths = [np.diff(getattr(block, first)) for block in blocks]
        assert np.concatenate(lengths).tolist() == np.diff(getattr(expected, first)).tolist()
        assert all(getattr(block, first)[-1] == len(getattr(block, of)) for block in blocks)
    at = np.cumsum([0, *(len(block.corners) for block in blocks)])
    corners = [block.side_corners + here for block, here in zip(blocks, at, strict=False)]
    assert np.concatenate(corners).tolist() == expected.side_corners.tolist()
    for block in blocks:
        assert np.array_equal(block.lineality, whole.lineality)
        assert np.array_equal(block.is_bounded, whole.is_bounded[block.start : block.start + len(block)])
        assert block.neighbours is None
    counted = count(network, domain, threads=1)
    assert (found.by_layer, found.unbounded, found.bounded) == (counted.by_layer, counted.unbounded, counted.bounded)
    assert (found.certified, found.domain, found.network) == (True, domain, network.sha256)
    return blocks


@pytest.mark.parametrize("name", STREAMED)
def test_laws_the_same_cells(name):
    check_stream(*case(name), complex_of(name))


@pytest.mark.parametrize(("n_in", "rounds"), [(2, 2), (3, 1)])
def test_laws_the_same_cells_of_every_kind(n_in, rounds):
    domain = Box([-1] * n_in, [1] * n_in)
    for _, weights, biases in table(rounds * len(KINDS), 62, n_in):
        network = Network.from_arrays(weights, biases, output_layer=False)
        check_stream(network, domain, subdivide(network, domain))


def test_laws_the_same_cells_of_graphs():
    for seed in range(8):
        network = graph(seed, 2)
        check_stream(network, Box([-2, -2], [2, 2]), subdivide(network, Box([-2, -2], [2, 2])))


@pytest.mark.jit
def test_laws_nothing_is_kept():
    """Of all blocks but the last one nothing is left when the next comes."""
    network, seen, most = Network.he([2, 64, 64, 64, 1]), [], 0

    def look(block):
        nonlocal most
        seen.extend(weakref.ref(array) for array in (block.corners, block.at_infinity, block.walls))
        most = max(most, sum(ref() is not None for ref in seen))

    found = subdivide(network, Space(2), on_cells=look)
    assert found.regions > 14_000
    assert len(seen) >= 3 * 6
    assert most == 3


def test_laws_an_error_ends_the_work():
    seen = []

    def stop(block):
        seen.append(block)
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        subdivide(*case("space"), on_cells=stop)
    assert len(seen) == 1


def test_known_progress():
    """Called with the regions found so far."""
    told = []
    subdivide(*case("plane"), on_cells=lambda _: None, progress=told.append)
    assert told[-1] == len(complex_of("plane"))


# To Parquet.


@pytest.mark.parametrize("name", ["plane", "prisms", "directions", "constant", "four dimensions"])
def test_laws_the_same_table(name, tmp_path):
    """What `Complex.to_parquet` writes, but the neighbours."""
    arrow = pytest.importorskip("pyarrow.parquet", reason=NO_PYARROW)
    network, domain = case(name)
    found = subdivide_to_parquet(network, domain, tmp_path / "streamed.parquet")
    streamed = arrow.read_table(tmp_path / "streamed.parquet")
    whole = arrow.read_table(complex_of(name).to_parquet(tmp_path / "whole.parquet"))
    assert "neighbours" not in streamed.column_names
    assert streamed.equals(whole.drop_columns(["neighbours"]))
    told, expected = (json.loads(read.schema.metadata[b"creases"]) for read in (streamed, whole))
    for field in ("seconds", "neighbours"):
        del told[field], expected[field]
    assert told == expected
    assert isinstance(found, Count)
    assert (told["regions"], domain_from_dict(told["domain"])) == (found.regions, domain)


@pytest.mark.jit
def test_known_row_groups(tmp_path, monkeypatch):
    """Small blocks are put together, and no more than that waits to be written."""
    from creases.complex.exports import parquet

    arrow = pytest.importorskip("pyarrow.parquet", reason=NO_PYARROW)
    monkeypatch.setattr(parquet, "MOST_ROWS", 2000)
    found = subdivide_to_parquet(Network.he([2, 64, 64, 64, 1]), SQUARE, tmp_path / "cells.parquet")
    groups = arrow.ParquetFile(tmp_path / "cells.parquet").metadata
    rows = [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]
    assert sum(rows) == found.regions == 14_353
    assert len(rows) > 1
    assert min(rows[:-1]) >= 2000
    monkeypatch.setattr(parquet, "MOST_ROWS", 10**9)
    monkeypatch.setattr(parquet, "MOST_BYTES", 100_000)
    subdivide_to_parquet(Network.he([2, 64, 64, 64, 1]), SQUARE, tmp_path / "cells.parquet")
    assert arrow.ParquetFile(tmp_path / "cells.parquet").metadata.num_row_groups > len(rows)


def test_bad_input_a_stream_that_breaks_off(tmp_path, monkeypatch):
    """On a full disk, and where cells cannot be handed over: what was there stays, and nothing is left beside it."""
    pytest.importorskip("pyarrow", reason=NO_PYARROW)
    path = tmp_path / "cells.parquet"
    path.write_text("old")
    with no_file_above(2000), pytest.raises(SaveError, match="could not be written"):
        subdivide_to_parquet(Network.he([2, 16, 16, 1]), SQUARE, path)
    with pytest.raises(DomainError, match="Pieces that have no end"):
        subdivide_to_parquet(Network.he([1, 8, 1]), Space(1), path)
    assert path.read_text() == "old"
    assert [left.name for left in tmp_path.iterdir()] == [path.name]


# Refusals.


def test_bad_input_threads():
    with pytest.raises(DomainError, match=r"by one thread, got threads=2\. Leave it out"):
        subdivide(*case("square"), on_cells=print, threads=2)
    with pytest.raises(DomainError, match="on_cells is a function that takes a CellBlock, got int"):
        subdivide(*case("square"), on_cells=3)
    assert subdivide(*case("square"), on_cells=lambda _: None, threads=1).regions == 412


def switch(rows):
    """The largest of some linear functions of the inputs."""
    matrix = np.array(rows)
    return Network.from_levels([Level({0: Dense(matrix)}, None, Max([[*range(len(matrix))]]))], n_in=matrix.shape[1])


@pytest.mark.parametrize(
    ("network", "domain", "said"),
    [
        (Network.he([1, 8, 1]), Space(1), "Pieces that have no end"),
        (Network.he([2, 8, 1]), Line([0, 0], [1, 1]), "Pieces that have no end"),
        (*case("line of strips"), "Pieces that have no end"),
        (switch([[1.0], [-1.0], [0.0]]), Box([-1], [2]), "Pieces of a network with switches"),
        # A switch first: no neuron cuts the plane into cones.
        (switch([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), Space(2), "by walls that are no neurons"),
        (switch([*np.eye(3), [-1.0, -2.0, -3.0]]), Space(3), "by walls that are no neurons"),
    ],
    ids=["line", "line in a plane", "strips", "switches on a segment", "switch in a plane", "switch in space"],
)
def test_bad_input_cells_that_are_put_together_at_the_end(network, domain, said):
    """Before any cell is handed over, with the remedy, which works."""
    seen = []
    with pytest.raises(
        DomainError, match=f"{said}.*" + re.escape("Keep all of them in memory instead: subdivide(network, domain)")
    ):
        subdivide(network, domain, on_cells=seen.append)
    assert seen == []
    assert len(subdivide(network, domain)) == count(network, domain).regions


def tangents(n):
    normals = np.random.default_rng(0).standard_normal((n, 3))
    return normals / np.linalg.norm(normals, axis=1)[:, None]


@pytest.mark.jit
@pytest.mark.parametrize("sides", [66, 70])
def test_known_cells_of_many_facets_are_streamed(sides):
    """A domain of more facets than a word of a mask has bits, and a cell that gets as many on the way."""
    domain = Polytope.where(np.round(tangents(sides) * 2**20), np.full(sides, 2.0**20))
    crowded = Network.from_arrays([tangents(sides)], [-np.ones(sides)], output_layer=False)
    for network, where in ((Network.he([3, 4, 1]), domain), (crowded, Box([-2] * 3, [2] * 3))):
        blocks = []
        found = subdivide(network, where, on_cells=blocks.append)
        assert sum(map(len, blocks)) == found.regions == count(network, where).regions


def test_bad_input_no_domain_and_paths():
    with pytest.raises(DomainError, match="segment by segment"):
        subdivide(Network.he([2, 4, 1]), Polyline([[0, 0], [1, 1], [0, 1]]), on_cells=print)
    with pytest.raises(DomainError, match="lies in a space of 3 inputs"):
        subdivide(Network.he([2, 4, 1]), Space(3), on_cells=print)
    with pytest.raises(DomainError, match="lies in a space of 3 inputs"):
        subdivide_to_parquet(Network.he([2, 4, 1]), Space(3), "never.parquet")


@pytest.mark.jit
def test_bad_input_too_large_for_memory(free_memory_of):
    """The refusal names the size that is to be expected, and the way that takes no memory, which is open."""
    free = free_memory_of(subdivision)
    network = Network.he([2, 64, 64, 1], bias_std=0.1)
    free(10_000)
    with pytest.raises(
        NotEnoughMemoryError,
        match=r"has about 8,257 regions on the whole space, or [\d.]+ MB\. .*subdivide_to_parquet, or .*--stream",
    ):
        subdivide(network, SQUARE)
    assert subdivide(network, SQUARE, on_cells=lambda _: None).regions == count(network, SQUARE).regions


def test_bad_input_balls(tmp_path):
    """Cells that do not meet the ball would be among those that are handed over."""
    network, ball = Network.he([2, 16, 16, 1], seed=0, bias_std=0.3), Ball([0, 0], 0.5)
    with pytest.raises(DomainError, match="Or take a Box around the ball"):
        subdivide_to_parquet(network, ball, tmp_path / "ball.parquet")
    with pytest.raises(DomainError, match="Or take a Box around the ball"):
        subdivide(network, ball, on_cells=print)
    assert not list(tmp_path.iterdir())
