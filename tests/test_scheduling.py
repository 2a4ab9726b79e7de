"""Counts in pieces: Euler's relation over walls, workers, the journal, and deaths on the way."""

import json
import os
import re
import resource
import signal
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from logging import CRITICAL
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from creases import (
    Box,
    Count,
    Directions,
    DomainError,
    JournalError,
    Line,
    Network,
    Polygon,
    Polyline,
    Polytope,
    Segment,
    Simplex,
    Space,
    Subspace,
    count,
    count_in_pieces,
)
from creases.engine.parts import Divided, Part
from creases.engine.tiles import halved, root_tile
from creases.errors import ComputationError
from creases.packing import as_problem
from creases.scheduling import Journal, plan
from creases.scheduling.cluster import dask_workers
from creases.scheduling.plan import Plan, halvings
from creases.scheduling.workers import DaskWorkers, ThreadWorkers
from networks import KINDS, integer_networks, random_network, table

CUBE = Box([-1] * 3, [1] * 3)


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def known(widths=(3, 16, 16, 1)):
    return Network.from_arrays(*random_network(widths, 0, 0.1))


def in_parts(network, domain, depth, drop):
    """(by_layer, unbounded) summed over the parts, each with its sign."""
    divided = Divided(as_problem(network, domain))
    by_layer, unbounded = np.zeros(len(network.hidden), np.int64), 0
    for part in divided.parts(depth, drop):
        found = divided.tally(part, 1, lambda regions: None)
        by_layer += part.sign * np.array(found.by_layer)
        unbounded += part.sign * (found.unbounded or 0)
    return by_layer.tolist(), unbounded


def domains(d):
    """One of each kind; the first wall of the boxes and simplices goes through the origin."""
    box, corner = Box([-1] * d, [1] * d), np.vstack([-np.ones(d), 2 * np.eye(d)])
    if d == 1:
        return [Segment([-1], [1]), Line([0], [1]), Directions(1)]
    if d == 2:
        return [box, Polygon([[-1, -1], [2, 0], [0, 3]]), Space(2), Directions(2)]
    return [box, Simplex(corner), Space(d), Directions(d)]


# Laws of parts.


@pytest.mark.jit
@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_laws_parts_add_up(kind, d):
    """Whatever the walls meet: in every domain, on degenerate networks, walls through zero sets too."""
    for _, weights, biases in table(2 if d < 3 else 1, 41, d, [kind]):
        network = hidden(weights, biases)
        for domain in domains(d):
            whole = count(network, domain, threads=1)
            for depth in (1, 3) if d < 3 else (2,):
                assert in_parts(network, domain, depth, depth % 2) == (list(whole.by_layer), whole.unbounded or 0)


@pytest.mark.jit
@pytest.mark.parametrize("d", [1, 2, 3])
@settings(max_examples=40)
@given(st.data())
def test_laws_parts_of_integer_networks_add_up(d, data):
    """Walls through the origin, where small whole numbers vanish."""
    network = hidden(*data.draw(integer_networks(d)))
    domain = data.draw(st.sampled_from(domains(d)))
    whole = count(network, domain, threads=1)
    assert in_parts(network, domain, data.draw(st.integers(1, 3)), 1) == (list(whole.by_layer), whole.unbounded or 0)


@pytest.mark.jit
def test_known_a_wall_inside_a_zero_set():
    """x = 0 is a wall and the first neuron's zero set: no region meets it, though three regions of its plane do."""
    network = hidden([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]])
    divided = Divided(as_problem(network, Box([-1, -1], [1, 1])))
    assert [part.path for part in divided.parts(1, 0)] == ["-", "0", "+"]
    found = [divided.tally(part, 1, lambda regions: None).by_layer for part in divided.parts(1, 0)]
    assert found == [[2], [0], [2]]
    # Twice the neuron less itself vanishes everywhere, on the wall and around it: it is inactive, and ends nothing.
    silent = hidden([[[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]], [[2.0, -1.0, 0.0]]], [[-0.5, -1.0, 0.0], [0.0]])
    divided = Divided(as_problem(silent, Box([-1, -1], [1, 1])))
    assert divided.tally(Part(0, "0"), 1, lambda regions: None).by_layer == [2, 2]


def test_known_halves_of_a_tile():
    """Exact, with their true facets, and an end that no halving reaches."""
    tile = root_tile(np.array([[-1.0], [3.0]]))
    below, above, wall = halved(tile)
    assert (len(below.facets), len(above.facets), wall.dimension) == (2, 2, 0)
    (x, w), (other, one) = wall.chart.ravel().tolist(), (float(v) for v in below.rays[1])
    assert (x, w) == (1.0, 1.0)  # the middle of the segment
    assert other / one * tile.chart[0, 0] == 1.0
    depth = 0
    while tile is not None and depth < 2000:
        halves = halved(tile)
        tile, depth = (None if halves is None else halves[0]), depth + 1
    assert 30 < depth < 2000


def test_known_a_half_with_too_many_facets_is_not_made():
    """A pyramid of 61 sides cut across has a lower part of 63 facets, and a cell has room for 62."""
    angles = 2 * np.pi * np.arange(61) / 61
    base = np.round(np.column_stack([np.cos(angles), np.sin(angles)]) * 4096) / 4096
    pyramid = Polytope(np.vstack([np.column_stack([base, np.zeros(61)]), [[0.0, 0.0, 8.0]]]))
    tile = root_tile(as_problem(known(), pyramid).vertices)
    assert len(tile.facets) == 62
    assert halved(tile) is None
    prism = Polytope(np.vstack([np.column_stack([base[:60], np.full(60, z)]) for z in (-4.0, 4.0)]))
    assert [len(part.facets) for part in halved(root_tile(as_problem(known(), prism).vertices))] == [62, 62, 60]


@pytest.mark.jit
def test_against_reference_in_pieces():
    weights, biases = random_network([3, 8, 8], 0, 0.1)
    for domain, specification in (
        (CUBE, reference.box([-1] * 3, [1] * 3)),
        (Space(3), reference.space(3)),
        (Polytope([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]), None),
        (Subspace([0.5, 0, 0], [[1, 0, 0], [0, 1, 1]]), None),
    ):
        found = count_in_pieces(hidden(weights, biases), domain, pieces=16, threads=2)
        whole = count(hidden(weights, biases), domain)
        assert (found.by_layer, found.unbounded) == (whole.by_layer, whole.unbounded)
        assert found.certified
        assert found.pieces > 16
        if specification is not None:
            assert found.regions == reference.count(weights, biases, specification)


# Workers.


@pytest.mark.jit
def test_known_processes_and_threads_agree(tmp_path):
    whole = count(known(), CUBE)
    for options in ({"threads": 1}, {"threads": 3}, {"workers": 2, "journal": tmp_path / "runs.db"}):
        heard = []
        found = count_in_pieces(known(), CUBE, pieces=8, progress=heard.append, **options)
        assert found.by_layer == whole.by_layer
        assert heard[-1] == whole.regions
    with Journal(tmp_path / "runs.db") as journal:
        made = Plan.of(known(), CUBE, 8)
        results = journal.results(journal.begin(made), made)
    assert set(results) == set(made.parts)
    assert {result.worker.split(":")[1] for result in results.values()}.isdisjoint({str(os.getpid())})


@pytest.mark.jit
def test_known_a_cluster_by_address():
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        found = count_in_pieces(known(), CUBE, pieces=4, cluster=cluster.scheduler_address)
    assert found.regions == count(known(), CUBE).regions


@pytest.mark.jit
def test_known_a_cluster_of_ones_own_listens_to_this_machine_only():
    with dask_workers(None, 1) as workers:
        info = workers._client.scheduler_info()
        addresses = [info["address"], *info["workers"]]
        assert all(address.startswith("tcp://127.0.0.1:") for address in addresses)
        assert workers._client.dashboard_link.startswith("http://127.0.0.1:")


@pytest.mark.jit
def test_laws_a_killed_worker_loses_nothing(tmp_path):
    """Its pieces go to the others."""
    network = known((3, 32, 32, 1))
    made = Plan.of(network, CUBE, 64)
    with dask_workers(None, 2) as workers, Journal(tmp_path / "runs.db") as journal:
        number, killed = journal.begin(made), False
        for result in workers.work(made, made.parts):
            journal.record(number, result)
            if not killed:
                os.kill(int(result.worker.split(":")[1]), signal.SIGKILL)
                killed = True
        done = journal.results(number, made)
    assert set(done) == set(made.parts)
    assert sum(part.sign * result.by_layer[-1] for part, result in done.items()) == 40141


@pytest.mark.jit
def test_bad_input_another_engine_on_a_worker(monkeypatch):
    made = Plan.of(known(), CUBE, 4)
    made.key["engine"] = "0123456789abcdef"
    with dask_workers(None, 1) as workers, pytest.raises(ComputationError, match="runs another engine"):
        list(DaskWorkers(workers._client).work(made, made.parts))


@pytest.mark.jit
def test_bad_input_a_script_without_a_guard(tmp_path):
    """Its workers import it anew; the error says what to do."""
    script = tmp_path / "script.py"
    script.write_text(
        "import creases\n"
        "network = creases.Network.he([3, 4, 1], seed=0)\n"
        "creases.count_in_pieces(network, creases.Box([-1] * 3, [1] * 3), workers=1, pieces=2)\n"
    )
    failed = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert failed.returncode == 1
    assert "must keep its work under `if __name__" in failed.stderr.splitlines()[-1]


# Resuming.


def command(model, journal, saved, *more):
    return [
        *(sys.executable, "-c", "from creases.cli import main; main()", "count", str(model)),
        *("--box", "-1:1,-1:1,-1:1", "--journal", str(journal), "--pieces", "64", "--save", str(saved), *more),
    ]


def killed_and_resumed(tmp_path, moments, *more):
    """Kill the whole process group at each moment (seconds), the next one going on; then to the end: the Count."""
    model, saved = known((3, 32, 32, 1)).save(tmp_path / "network.npz"), tmp_path / "count.json"
    run = command(model, tmp_path / "runs.db", saved, *more)
    for moment in moments:
        with subprocess.Popen(
            run, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            time.sleep(moment)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.returncode == 0:
                break
    subprocess.run(run, check=True, capture_output=True, timeout=300)
    return Count.from_dict(json.loads(saved.read_text()))


@pytest.mark.jit
def test_laws_killed_and_resumed(tmp_path):
    """kill -9 to the process group, four times: the count is the uninterrupted one."""
    rng = np.random.default_rng(0)
    found = killed_and_resumed(tmp_path, rng.uniform(0.3, 1.6, 4), "--threads", "2")
    assert found.by_layer == (4932, 40141)
    assert found.certified


@pytest.mark.jit
@pytest.mark.long
@pytest.mark.parametrize("moment", np.random.default_rng(1).uniform(0.5, 5.0, 20).round(2))
def test_laws_killed_at_twenty_moments(moment, tmp_path):
    """Two Dask workers, the whole process group killed; nothing is lost, and nothing counted twice."""
    found = killed_and_resumed(tmp_path, [moment], "--workers", "2")
    assert (found.by_layer, found.certified) == ((4932, 40141), True)


def alive(group):
    """The processes of a group that run; those that have ended, and wait for init to see it, do not."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group, *_ = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(of_group) == group and state not in "ZX":
            found.append(place.parent.name)
    return found


@pytest.mark.jit
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes where Linux has them")
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("begun", [False, True])
def test_bad_input_ctrl_c_with_workers(tmp_path, begun, times):
    """A terminal sends it to the workers too, and some press it twice: one line, the code, and nobody left behind.

    begun : while pieces are counted, or while the workers start.
    """
    model = known((4, 128, 128, 1)).save(tmp_path / "network.npz")
    run = command(model, tmp_path / "runs.db", tmp_path / "count.json", "--workers", "2")
    run[run.index("--box") + 1] = "-1:1,-1:1,-1:1,-1:1"
    process = subprocess.Popen(run, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while (
            rows(tmp_path / "runs.db") < 1 if begun else len(alive(process.pid)) < 3
        ) and time.monotonic() < deadline:
            time.sleep(0.05)
        for _ in range(times):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.1)
        out, err = process.communicate(timeout=60)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert (process.returncode, out, err) == (130, b"", b"stopped\n")
    deadline = time.monotonic() + 5  # what watches over the others ends after them
    while alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(process.pid) == []


def rows(place):
    """Pieces in a journal, which another process may be making."""
    try:
        with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as connection:
            return connection.execute("select count(*) from pieces").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


@pytest.mark.jit
def test_laws_what_is_done_is_not_done_again(tmp_path, monkeypatch):
    """A journal that holds all pieces needs no worker; one that lacks some, only these."""
    place = tmp_path / "runs.db"
    first = count_in_pieces(known(), CUBE, pieces=8, journal=place)
    done = []
    divided_tally = Divided.tally

    def counted(self, part, threads, report):
        done.append(part)
        return divided_tally(self, part, threads, report)

    monkeypatch.setattr(Divided, "tally", counted)
    assert count_in_pieces(known(), CUBE, journal=place).by_layer == first.by_layer  # with the journal's own pieces
    assert done == []
    with sqlite3.connect(place) as connection:
        connection.execute("delete from pieces where path like '%+'")
    again = count_in_pieces(known(), CUBE, pieces=8, journal=place)
    assert again.by_layer == first.by_layer
    assert done
    assert all(part.path.endswith("+") for part in done)


@pytest.mark.jit
def test_known_seconds_of_a_resumed_count(tmp_path):
    """What earlier runs took for the pieces that are taken from the journal is said beside this run's own."""
    place, model = tmp_path / "runs.db", known().save(tmp_path / "network.npz")
    first = count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place)
    assert first.seconds_from_journal == 0.0
    assert "journal" not in repr(first)
    with sqlite3.connect(place) as connection:
        connection.execute("update pieces set seconds = 10")
        connection.execute("delete from pieces where path = '--'")
        (left,) = connection.execute("select count(*) from pieces").fetchone()
    again = count_in_pieces(known(), CUBE, journal=place)
    assert again.seconds_from_journal == 10 * left == 10 * (again.pieces - 1)
    assert again.seconds < 10
    assert Count.from_dict(json.loads(again.to_json())) == again
    assert f" s + {10 * left} s from the journal" in repr(again)
    run = command(model, place, tmp_path / "count.json")
    run[run.index("--pieces") : run.index("--pieces") + 2] = []
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert f"and {10 * left} s of one thread's work taken from the journal" in printed
    assert json.loads((tmp_path / "count.json").read_text())["seconds_from_journal"] > 10 * left


def test_known_plans():
    """As many pieces as the expected count asks for, and the same ones every time."""
    assert [halvings(60, 3, pieces) for pieces in (1, 2, 3, 64, 65)] == [0, 1, 2, 6, 7]
    assert halvings(64, 3, None) == 4
    assert halvings(512, 4, None) == 8
    assert halvings(5000, 8, None) == 12
    one, other = (Plan.of(known(), CUBE, None) for _ in range(2))
    assert one.parts == other.parts
    assert one.key == other.key
    assert one.key != Plan.of(known(), Box([-1] * 3, [1, 1, 2]), None).key
    walls = [part.path.count("0") for part in one.parts]
    assert walls == sorted(walls)


# Bad input.


@pytest.mark.jit
def test_bad_input_a_journal_of_another_engine(tmp_path, monkeypatch):
    place = tmp_path / "runs.db"
    monkeypatch.setattr(plan, "source_hash", lambda: "0123456789abcdef")
    count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place)
    monkeypatch.undo()
    with pytest.raises(JournalError, match=r"another engine .*0123456789abcdef.*not mixed: give another journal"):
        count_in_pieces(known(), CUBE, pieces=4, journal=place)
    # Another domain has nothing to do with it.
    assert count_in_pieces(known(), Box([0] * 3, [1] * 3), pieces=4, journal=place).certified


@pytest.mark.jit
def test_bad_input_no_journal(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("Not a database, and long enough to be told from an empty one. " * 20)
    nowhere = tmp_path / "no" / "folder" / "runs.db"
    for where, words in (
        (text, "could not be opened: file is not a database. It is some other file, and stays as it is"),
        (nowhere, f"could not be opened: the folder {nowhere.parent} does not exist. Make it"),
        (f"sqlite:///{nowhere}", f"could not be opened: the folder {nowhere.parent} does not exist. Make it"),
        (tmp_path, f"could not be opened: it is a folder. Give the name of a file in it, like {tmp_path}/runs.db"),
        (text / "runs.db", "notes.txt is a file and no folder"),
        ("nonsense://host/name", "SQLAlchemy knows no database 'nonsense'. Give the path of a file (SQLite), or a URL"),
        ("postgresql://u:secret@host:port/runs", "u:***@host:port/runs could not be opened: this is no database URL"),
        ("", "needs a place: the path of a SQLite file, or a database URL; got ''"),
        (3, "got 3"),
    ):
        with pytest.raises(JournalError, match=re.escape(words)) as caught:
            Journal(where)
        assert "secret" not in str(caught.value)
    assert text.read_text().startswith("Not a database")
    place = tmp_path / "old.db"
    with Journal(place) as journal, journal._engine.begin() as connection:
        connection.execute(journal.tables["meta"].update().values(value="99"))
    with pytest.raises(JournalError, match="has schema 99"):
        Journal(place)


def test_bad_input_no_driver(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(JournalError, match=r"its driver, the module 'psycopg', is not installed\. Install it with pip"):
        Journal("postgresql+psycopg://user:secret@127.0.0.1:9/runs")


def test_bad_input_no_server():
    pytest.importorskip("psycopg")  # no extra of ours, as each database has a driver of its own
    with pytest.raises(
        JournalError, match=r"user:\*\*\*@127\.0\.0\.1:9/runs could not be opened: .*database"
    ) as caught:
        Journal("postgresql+psycopg://user:secret@127.0.0.1:9/runs")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_input_no_permission(tmp_path, monkeypatch):
    place = tmp_path / "runs.db"
    Journal(place).close()
    refused = [place]
    monkeypatch.setattr(os, "access", lambda path, mode: path not in refused)  # tests may run as root, who may do all
    with pytest.raises(JournalError, match=r"runs\.db could not be opened: you may not read and write it"):
        Journal(place)
    refused[:] = [tmp_path]
    for one in (place, tmp_path / "new.db"):
        with pytest.raises(JournalError, match=r"you may not write to the folder .* See to its permissions"):
            Journal(one)


def test_bad_input_a_locked_or_broken_journal(tmp_path):
    place = tmp_path / "runs.db"
    with Journal(place) as journal, sqlite3.connect(place) as other, Journal(f"sqlite:///{place}?timeout=0.1") as late:
        made = Plan.of(known(), CUBE, 4)
        number = journal.begin(made)
        other.execute("begin exclusive")
        with pytest.raises(JournalError, match=r"read: database is locked\. .* Another program holds it; let that one"):
            late.results(number, made)
        other.rollback()
    content = bytearray(place.read_bytes())
    content[100:2000] = bytes(1900)
    place.write_bytes(content)
    with pytest.raises(JournalError, match=r"malformed\. The file is damaged\. Put back a copy"):
        Journal(place)


def test_bad_input_somebody_elses_database(tmp_path):
    """It is not given our tables, whatever its own are called."""
    place = tmp_path / "mail.db"
    for made, words in (
        ("create table letters (name, value)", r"another program, it has tables \(letters\) but none of Creases'"),
        ("create table meta (key, value)", "another program, its table meta is none of Creases'"),
    ):
        with sqlite3.connect(place) as other:
            other.execute(made)
        before = place.read_bytes()
        with pytest.raises(JournalError, match=words + r"\. It stays as it is\. Give another place"):
            Journal(place)
        assert place.read_bytes() == before
    # Ours that a death left without some tables, and an empty file, are taken.
    half = tmp_path / "half.db"
    Journal(half).close()
    with sqlite3.connect(half) as ours:
        ours.execute("drop table pieces")
        ours.execute("delete from meta")
    (tmp_path / "empty.db").touch()
    for one in (half, tmp_path / "empty.db"):
        with Journal(one) as journal:
            made = Plan.of(known(), CUBE, 4)
            assert journal.results(journal.begin(made), made) == {}


@pytest.mark.jit
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("by_layer = '[1, 2'", "by_layer is '[1, 2', no list of numbers in JSON"),
        ("by_layer = null", "no list of numbers"),
        ("by_layer = '7'", "no list of counts"),
        ("by_layer = '[1, -2]'", "no list of counts"),
        ("by_layer = '[true, 2]'", "no list of counts"),
        ("by_layer = '[1]'", "by_layer has 1 numbers, and the network 2 hidden layers"),
        ("unbounded = 3", "unbounded is 3, not empty, as on a bounded domain"),
        ("exact_cells = 'few'", "exact_cells is 'few'"),
        ("certified = 'maybe'", "certified is 'maybe'"),
        ("seconds = 'long'", "seconds is 'long'"),
        ("seconds = 9e999", "seconds is inf"),
        ("path = '-+x'", "the count has no such piece"),
        ("root = 7", "the count has no such piece"),
    ],
)
def test_bad_input_damaged_rows(tmp_path, change, words):
    """The row is named, and the piece is counted again once the row is away."""
    place = tmp_path / "runs.db"
    first = count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place)
    with sqlite3.connect(place) as other:
        other.execute("pragma ignore_check_constraints = on")
        other.execute("create table fresh as select * from pieces")  # without the rule that by_layer is not null
        other.execute("drop table pieces")
        other.execute("alter table fresh rename to pieces")
        other.execute(f"update pieces set {change} where path = '-+'")
    with pytest.raises(
        JournalError, match=rf"damaged row in its table pieces, count = 1 AND .*{re.escape(words)}"
    ) as e:
        count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place)
    with sqlite3.connect(place) as other:
        assert other.execute(str(e.value)[str(e.value).index("DELETE") :]).rowcount == 1
    assert count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place).by_layer == first.by_layer


@pytest.mark.jit
def test_bad_input_damaged_rows_of_counts_and_of_spaces(tmp_path):
    place = tmp_path / "runs.db"
    count_in_pieces(known(), Space(3), pieces=8, threads=1, journal=place)
    with sqlite3.connect(place) as other:
        other.execute("update pieces set unbounded = null where root = 3")
    with pytest.raises(JournalError, match=r"root = 3 .*: unbounded is None, not a number of its"):
        count_in_pieces(known(), Space(3), journal=place)
    with sqlite3.connect(place) as other:
        other.execute("update counts set depth = 60")
    with pytest.raises(
        JournalError, match=r"damaged row in its table counts, id = 1: depth is 60, drop \d\. Give another"
    ):
        count_in_pieces(known(), Space(3), journal=place)


@pytest.mark.jit
def test_bad_input_a_full_disk(tmp_path):
    """The journal's error is said; what was recorded stays, and the count goes on from there when there is room."""
    model = known((3, 32, 32, 1)).save(tmp_path / "network.npz")
    saved, place = tmp_path / "count.json", tmp_path / "runs.db"
    run = command(model, place, saved, "--threads", "1")
    Journal(place).close()

    def no_more_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (place.stat().st_size + 4096, resource.RLIM_INFINITY))

    failed = subprocess.run(run, capture_output=True, text=True, preexec_fn=no_more_room, timeout=300)
    assert failed.returncode == 2, failed.stderr
    assert "could not be written to" in " ".join(failed.stderr.split())
    assert "What is in it is safe. Free some space on its disk" in " ".join(failed.stderr.split())
    made = Plan.of(known((3, 32, 32, 1)), CUBE, 64)
    with Journal(place) as journal:
        before = journal.results(journal.begin(made), made)
    assert 0 < len(before) < len(made.parts)
    subprocess.run(run, check=True, capture_output=True, timeout=300)
    assert Count.from_dict(json.loads(saved.read_text())).regions == 40141
    with Journal(place) as journal:
        after = journal.results(journal.begin(made), made)
    assert all(after[part] == result for part, result in before.items())


def test_bad_input_pieces():
    for pieces in (0, -1, 1.5, True):
        with pytest.raises(DomainError, match="pieces must be a whole number"):
            count_in_pieces(known(), CUBE, pieces=pieces)
    for pieces in (65_537, 10**30):
        with pytest.raises(DomainError, match=r"at most 65,536, or None; got .*: every piece takes memory and time"):
            count_in_pieces(known(), CUBE, pieces=pieces)
    for workers in (0, -1, "2", 1.5):
        with pytest.raises(DomainError, match="workers must be a whole number"):
            count_in_pieces(known(), CUBE, workers=workers)
    with pytest.raises(DomainError, match="not counted in pieces"):
        count_in_pieces(known(), Polyline([[0, 0, 0], [1, 0, 0]]))
    with pytest.raises(DomainError, match="not both"):
        count_in_pieces(known(), CUBE, workers=2, cluster="tcp://127.0.0.1:1")
    with pytest.raises(DomainError, match="9 dimensions"):
        count_in_pieces(known((9, 4, 1)), Box([-1] * 9, [1] * 9))


@pytest.mark.jit
def test_bad_input_a_scheduler_without_workers(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr("creases.scheduling.cluster.PATIENCE", 1.0)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster,
        pytest.raises(ComputationError, match=r"has no workers\. Start some: dask worker"),
    ):
        count_in_pieces(known(), CUBE, cluster=cluster.scheduler_address)


@pytest.mark.jit
def test_laws_leaving_early_stops_what_has_begun():
    """A caller that goes away, by Ctrl-C say, waits for milliseconds and not for pieces."""
    made = Plan.of(known((4, 64, 64, 1)), Box([-1] * 4, [1] * 4), 2)
    work = ThreadWorkers(2).work(made, [*made.parts[-1:], *made.parts])
    next(work)  # the wall; the halves take seconds each
    start = time.perf_counter()
    work.close()
    assert time.perf_counter() - start < 2.0


class Mute(socketserver.BaseRequestHandler):
    """Takes a call and says nothing."""

    def handle(self):
        while self.request.recv(1000):
            pass


class Http(socketserver.BaseRequestHandler):
    """Answers as a server of pages answers what is no request."""

    def handle(self):
        self.request.recv(10)
        self.request.sendall(b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (Mute, "what listens there does not answer as one within 2 s"),
        (Http, "what listens there speaks another protocol"),
    ],
)
def test_bad_input_no_scheduler_but_something_else_listens(monkeypatch, handler, words):
    """What has taken the call is not waited for, for ever."""
    monkeypatch.setattr("creases.scheduling.cluster.PATIENCE", 1.0)
    monkeypatch.setattr("creases.scheduling.cluster.LONGER", 1.0)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(ComputationError, match=rf"No Dask scheduler answers at {address} \({words}\)\. Give the"):
            count_in_pieces(known(), CUBE, cluster=address)
        server.shutdown()


@pytest.mark.jit
def test_bad_input_workers_without_creases(tmp_path, monkeypatch):
    """They would close one after the other, and the client wait for more."""
    from distributed import LocalCluster

    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['creases'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    words = (
        r"1 of 2 processes .* cannot do this count: tcp://.* cannot use it \(.*No module named .creases.*pip install"
    )
    with (
        LocalCluster(n_workers=1, dashboard_address=None, silence_logs=CRITICAL) as cluster,
        pytest.raises(ComputationError, match=words),
    ):
        count_in_pieces(known(), CUBE, cluster=cluster.scheduler_address)


@pytest.mark.jit
def test_bad_input_workers_of_another_version(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr("creases.scheduling.piece.source_hash", lambda: "0123456789abcdef")
    words = r"1 of 2 .*: tcp://.* has Creases .*, sources .*, Numba .*; here is Creases .*, sources 0123456789abcdef"
    with (
        LocalCluster(n_workers=1, dashboard_address=None, silence_logs=CRITICAL) as cluster,
        pytest.raises(ComputationError, match=words),
    ):
        count_in_pieces(known(), CUBE, cluster=cluster.scheduler_address)


@pytest.mark.jit
def test_bad_input_workers_that_do_not_answer(monkeypatch):
    from distributed import LocalCluster

    def slow():
        time.sleep(2)

    monkeypatch.setattr("creases.scheduling.cluster.PATIENCE", 0.5)
    monkeypatch.setattr("creases.scheduling.piece.maker", slow)
    with (
        LocalCluster(n_workers=1, dashboard_address=None, silence_logs=CRITICAL) as cluster,
        pytest.raises(ComputationError, match=r"have not said within 1 s which Creases they have\. Look at their logs"),
    ):
        count_in_pieces(known(), CUBE, cluster=cluster.scheduler_address)


@pytest.mark.jit
def test_bad_input_a_workers_address():
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        address = cluster.workers[0].address
        with pytest.raises(ComputationError, match="a Dask Worker answers, and no scheduler"):
            count_in_pieces(known(), CUBE, cluster=address)


def test_bad_input_no_address():
    for cluster in (5, "", b"tcp://127.0.0.1:8786", ["tcp://127.0.0.1:8786"]):
        with pytest.raises(DomainError, match=r"cluster must be the address .*, or None; got "):
            count_in_pieces(known(), CUBE, cluster=cluster)
    for cluster in ("nowhere", "tcp://127.0.0.1", "http://127.0.0.1:9", "tls://127.0.0.1:9"):
        with pytest.raises(
            ComputationError, match=rf"No Dask scheduler answers at {cluster} \(.*\)\. Give the address"
        ):
            count_in_pieces(known(), CUBE, cluster=cluster)


def test_bad_input_no_scheduler(monkeypatch):
    monkeypatch.setattr("creases.scheduling.cluster.PATIENCE", 1.0)
    with pytest.raises(ComputationError, match="No Dask scheduler answers"):
        count_in_pieces(known(), CUBE, cluster="tcp://127.0.0.1:9")
