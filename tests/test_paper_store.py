"""Runs in a store that are not as they were written: named with their remedy, in whichever table the damage is."""

import sqlite3

import pytest

from creases import Network
from creases.paper.choices import Digits, OriginPlanes
from creases.paper.experiment import Experiment
from creases.paper.measures import Regions
from creases.paper.runs import COLUMNS, Kept, MeasuredRow, RunResult, network_file, save_network
from creases.paper.store import Store, StoreError
from creases.paper.store_tables import plain

pytest.importorskip("psutil")
pytest.importorskip("pandas")

TWO = Experiment(Digits(), (4, 3), (Regions(OriginPlanes(2)),), (0, 1), kept=(0,), seeds=(0, 1), batch_size=256)
NETWORK = Network.he([2, 4, 3, 1], seed=3)


def result(seed, kept=()):
    """What a run might have found, with all that a database may give back in another way."""
    rows = [
        MeasuredRow(0, 0.0, None, None, None, "regions", "origin plane 1", 117.0, True, 0.25, "ab" * 32),
        MeasuredRow(8, 1 / 3, 0.1, 0.5, float("nan"), "regions", "origin plane 1", 701, None, 1e-300, "cd" * 32),
        MeasuredRow(9, 1.0, None, None, None, "diverged", "", float("inf"), False, 0, ""),
    ]
    return RunResult(TWO.sha256, seed, rows, list(kept), False, 1.5, 2, {"creases": "0.1.0", "numpy": "2"}, "hier:1")


@pytest.fixture
def place(tmp_path):
    """A store with two runs, of which one has kept a network."""
    place = tmp_path / "runs.db"
    with Store(place) as opened:
        save_network(NETWORK, opened.networks)
        for seed in (0, 1):
            assert opened.add(TWO, result(seed, [Kept(0.0, NETWORK.sha256)] if seed == 0 else []))
    return place


def test_laws_what_is_written_is_read(place):
    with Store(place) as opened:
        table, costs = opened.table([TWO.sha256]), opened.costs([TWO.sha256, "another"])
        assert opened.network(TWO.sha256, 0, 0.0).sha256 == NETWORK.sha256
    assert list(table.columns) == ["experiment", "seed", *COLUMNS]
    assert table["value"].tolist() == [117.0, 701.0, float("inf")] * 2
    assert table["seed"].tolist() == [0, 0, 0, 1, 1, 1]
    assert costs["training"].tolist() == [1.5, 1.5]


@pytest.mark.parametrize(
    "statement",
    [
        "update measurements set value = 118 where run = 1 and number = 0",
        "update measurements set value = 'many' where run = 1 and number = 0",
        "update measurements set certified = 0 where run = 1 and number = 0",
        "update measurements set certified = 1 where run = 1 and number = 2",
        "update measurements set epoch = 0.34 where run = 1 and number = 1",
        "update measurements set step = 7.5 where run = 1 and number = 1",
        "update measurements set domain = 'origin plane 2' where run = 1 and number = 0",
        "update measurements set network = '' where run = 1 and number = 0",
        "update measurements set number = 3 - number where run = 1 and number > 0",
        "delete from measurements where run = 1 and number = 1",
        "update measurements set run = 1, number = 4 where run = 2 and number = 1",
        "update networks set epoch = 1",
        "update networks set sha256 = 'ff'",
        "delete from networks",
        "update runs set seed = 5 where id = 1",
        "update runs set training = 1 where id = 1",
        "update runs set diverged = 1 where id = 1",
        "update runs set description = '{}' where id = 1",
        "update runs set versions = '{}' where id = 1",
        "update runs set digest = '' where id = 1",
    ],
)
def test_bad_input_a_damaged_run(place, statement):
    with sqlite3.connect(place) as other:
        if "3 - number" in statement:
            other.execute("update measurements set number = -number where run = 1")
            other.execute("update measurements set number = 3 + number where number < 0")
        else:
            other.execute(statement)
    with Store(place) as opened:
        for read in (opened.table, opened.costs):
            with pytest.raises(
                StoreError, match=r"damaged run, seed \d of the experiment .* Take it away, and"
            ) as caught:
                read([TWO.sha256])
        assert opened.table(["another"]).empty
    # The remedy: what is right stays, and the run is open again.
    with sqlite3.connect(place) as other:
        other.executescript(str(caught.value)[str(caught.value).index("DELETE") :])
    with Store(place) as opened:
        assert len(opened.done()) == 1
        if "run = 2" not in statement:  # there both are damaged
            assert len(opened.table([TWO.sha256])) == 3
            assert opened.add(TWO, result(0))


def test_bad_input_a_damaged_network(place):
    """Its name says what it has to be."""
    with Store(place) as opened:
        path = network_file(opened.networks, NETWORK.sha256)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        with pytest.raises(StoreError, match=r"is damaged: it holds another network than its name says\. Put back a"):
            opened.network(TWO.sha256, 0, 0.0)


def test_bad_input_an_old_store(tmp_path):
    """One without digests is named as such, and not as another program's."""
    place = tmp_path / "old.db"
    with sqlite3.connect(place) as old:
        old.executescript(
            "create table creases_store (name varchar(40) primary key, value text);"
            "insert into creases_store values ('schema', '1'); create table runs (id integer primary key);"
        )
    with pytest.raises(StoreError, match=r"has schema 1, and this version of Creases .* writes 2\. Give another place"):
        Store(place)


def test_bad_input_values_of_another_kind(place):
    with Store(place) as opened:
        table = opened.tables["measurements"]
    assert plain(table, {"run": 3, "step": 7.0, "value": 5, "certified": 1, "loss": float("nan"), "digest": "x"}) == {
        "step": 7,
        "value": 5.0,
        "certified": True,
        "loss": None,
    }
    for values in ({"step": 7.5}, {"value": "5"}, {"certified": 3}, {"measure": 4}, {"domain": b"x"}):
        with pytest.raises((TypeError, ValueError)):
            plain(table, values)
