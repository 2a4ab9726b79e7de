"""Experiments, runs, the store and the sweep: a run is done once, whole, and the same wherever it is done."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import creases
from children import LONGEST
from creases.paper import store as store_room
from creases.paper import sweep as sweep_room
from creases.paper.choices import (
    Cube,
    Digits,
    ExamplePlanes,
    Fewer,
    IdxFiles,
    LabelNoise,
    OriginLines,
    OriginPlanes,
    PixelNoise,
    Principal,
    RandomPoints,
    UnitSegment,
    WholeSpace,
    task_of,
)
from creases.paper.experiment import Experiment
from creases.paper.measures import Constants, Distances, Patterns, Regions
from creases.paper.runs import COLUMNS, network_file, run, run_once
from creases.paper.store import Store, StoreError
from creases.paper.sweep import crew_of, sweep
from creases.training import SGD, TrainingError

SMALL = Experiment(
    Digits(), (4, 3), (Regions(OriginPlanes(2)), Patterns()), (0, 1), kept=(0, 1), seeds=(0, 1), batch_size=256
)
DIVERGES = replace(SMALL, optimiser=SGD(lr=1e38, momentum=0.9), seeds=(0,))
# Of what is measured; seconds are never the same twice.
SAME = [name for name in ("experiment", "seed", *COLUMNS) if name != "seconds"]
SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_paper_runs import experiments
from creases.paper.store import Store
from creases.paper.sweep import crew_of, sweep
print("begun", flush=True)
with Store(sys.argv[1]) as store, crew_of(threads=1) as crew:
    summary = sweep(experiments(), store, crew)
print(summary.done, summary.elsewhere + summary.there)
"""


def experiments():
    """What the processes of these tests share: ten runs."""
    return [SMALL, *(replace(SMALL, widths=(width, 4), seeds=(0, 1)) for width in (3, 5, 6, 7))]


def in_another_process(place):
    """A process that does all runs of `experiments` into a store, a group of its own."""
    command = [sys.executable, "-c", SCRIPT, str(place), str(Path(__file__).parent)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def table_in(place, some=None):
    """What a store says of these experiments, seconds left out."""
    with Store(place) as opened:
        return opened.table(one.sha256 for one in some or experiments())[SAME]


# Experiments.


def test_known_hashes():
    """Seeds are not part of an experiment's hash; everything else is."""
    assert replace(SMALL, seeds=(5,)).sha256 == SMALL.sha256
    others = [
        replace(SMALL, task=LabelNoise(Digits(), 0.5)),
        replace(SMALL, task=LabelNoise(Digits(), 0.25)),
        replace(SMALL, widths=(3, 4)),
        replace(SMALL, moments=(0, 2), kept=()),
        replace(SMALL, kept=()),
        replace(SMALL, optimiser=SGD()),
        replace(SMALL, measures=(Regions(OriginPlanes(3)),)),
    ]
    assert len({one.sha256 for one in [SMALL, *others]}) == 1 + len(others)
    assert json.loads(json.dumps(SMALL.description)) == SMALL.description
    assert IdxFiles("ab", "/here") == IdxFiles("ab", "/there")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"moments": ()}, "moments must be increasing epochs"),
        ({"moments": (1, 0)}, "moments must be increasing epochs"),
        ({"moments": (0, 0.5), "kept": ()}, "the last moment must be whole"),
        ({"kept": (7,)}, "kept at moments only"),
        ({"measures": ()}, "needs something to measure"),
        ({"seeds": ()}, "and a seed"),
        ({"widths": (4, 0)}, "widths must be those of the hidden layers"),
        ({"batch_size": 0}, "batch_size must be a whole number"),
    ],
)
def test_bad_input_experiments(change, message):
    with pytest.raises(TrainingError, match=message):
        replace(SMALL, **change)


def test_known_choices():
    """What the names stand for."""
    task = task_of(RandomPoints(20, 1, 2), 0)
    assert list(UnitSegment().build(task)) == ["[0, 1]"]
    assert list(WholeSpace().build(task)) == ["R^1"]
    assert list(Cube(2.0).build(task)) == ["cube of side 4"]
    digits = task_of(Digits(), 0)
    assert len(ExamplePlanes(3).build(digits)) == 3
    assert len(OriginLines(7).build(digits)) == 7
    assert task_of(Principal(Digits(), 2), 0).n_in == 2
    assert len(task_of(Fewer(Digits(), 9), 0).train_inputs) == 9
    assert sweep_room.about_examples(PixelNoise(Fewer(Digits(), 9))) == 9
    assert sweep_room.about_examples(RandomPoints(5)) == 5
    assert task_of(PixelNoise(Digits()), 1).sha256 != task_of(PixelNoise(Digits()), 2).sha256


def test_laws_tasks_are_shared_where_nothing_is_drawn():
    """Images are read once, not once a seed; what draws from the seed is built for each."""
    for choice in (Digits(), Fewer(Digits(), 9), Principal(Digits(), 2)):
        assert task_of(choice, 0) is task_of(choice, 7)
        assert task_of(choice, 7).sha256 == choice.build(7).sha256
    for choice in (RandomPoints(5), PixelNoise(Digits()), LabelNoise(Digits(), 0.5), Fewer(PixelNoise(Digits()), 9)):
        assert task_of(choice, 0).sha256 != task_of(choice, 7).sha256
        assert task_of(choice, 7) is task_of(choice, 7)
        assert task_of(choice, 7).sha256 == choice.build(7).sha256


# Runs.


@pytest.mark.jit
def test_known_run(tmp_path):
    """A row a measurement; networks are kept under their hash, and are the ones that were measured."""
    result = run_once(SMALL, 0, tmp_path)
    assert [(row.epoch, row.measure, row.domain) for row in result.rows] == [
        (epoch, *what)
        for epoch in (0.0, 1.0)
        for what in (
            ("regions", "origin plane 1"),
            ("regions", "origin plane 2"),
            ("patterns", "train"),
            ("patterns", "test"),
        )
    ]
    assert [kept.sha256 for kept in result.kept] == [result.rows[0].network, result.rows[-1].network]
    network = creases.load(network_file(tmp_path, result.kept[1].sha256), activation="relu")
    assert network.sha256 == result.kept[1].sha256
    plane = OriginPlanes(2).build(task_of(Digits(), 0))["origin plane 2"]
    counted = creases.count(network, plane)
    assert (counted.regions, counted.certified) == (result.rows[5].value, True)
    assert 0 < result.rows[-1].train_accuracy < 1
    assert result.training > 0
    assert result.measuring > 0
    patterns = {tuple(row) for row in network.packed_pattern(task_of(Digits(), 0).test_inputs).tolist()}
    assert result.rows[-1].value == len(patterns)


@pytest.mark.jit
def test_laws_runs_repeat_themselves():
    table = run(SMALL)
    assert table[SAME].equals(run(SMALL)[SAME])
    assert sorted(set(table["seed"])) == [0, 1]


@pytest.mark.jit
def test_known_measures():
    """Distances have an order; constants are positive."""
    everything = replace(SMALL, measures=(Distances(50), Constants(20)), moments=(0,), kept=(), seeds=(0,))
    table = run(everything).set_index(["measure", "domain"])["value"]
    for kind in ("train", "test", "noise"):
        quantiles = [table[f"distance {share} %", kind] for share in (5, 25, 50, 75, 95)]
        assert quantiles == sorted(quantiles)
        assert np.log(table["distance", kind]) >= table["log distance", kind]  # Jensen
    assert table["C_grad", "train"] > 0
    assert table["C_bias", "train"] > 0


@pytest.mark.jit
def test_known_a_run_that_diverges(tmp_path):
    """The rows until then, and one that says so; the sweep goes on."""
    with Store(tmp_path / "runs.db") as opened, crew_of(threads=1) as crew:
        summary = sweep([DIVERGES, SMALL], opened, crew)
        assert (summary.done, summary.diverged, summary.failed) == (3, 1, [])
        table = opened.table([DIVERGES.sha256])
    assert table["measure"].tolist()[:2] == ["regions", "regions"]
    assert table["measure"].tolist()[-1] == "diverged"
    assert table["train_accuracy"].iloc[0] == pytest.approx(0.1, abs=0.1)


# The store and the sweep.


@pytest.mark.jit
def test_laws_threads_processes_and_one_after_the_other(tmp_path):
    """The same table, whoever does the runs."""
    tables = []
    for name, crew_options in (("one", {"threads": 1}), ("threads", {"threads": 2}), ("workers", {"workers": 1})):
        place = tmp_path / f"{name}.db"
        with Store(place) as opened, crew_of(**crew_options) as crew:
            assert sweep([SMALL], opened, crew).done == 2
        tables.append(table_in(place, [SMALL]))
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    assert tables[0].equals(run(SMALL)[SAME])


@pytest.mark.jit
def test_laws_what_is_done_is_not_done_again(tmp_path, monkeypatch):
    with Store(tmp_path / "runs.db") as opened, crew_of(threads=1) as crew:
        first = sweep([SMALL], opened, crew)
        more = replace(SMALL, seeds=(0, 1, 2))
        second = sweep([more], opened, crew)
        assert (first.done, second.done, second.there) == (2, 1, 2)
        monkeypatch.setattr(sweep_room, "run_once", None)
        assert sweep([more, SMALL], opened, crew).there == 3
        network = opened.network(SMALL.sha256, 2, 1.0)
        assert network.widths == (4, 3)
        assert opened.costs([SMALL.sha256])["seed"].tolist() == [0, 1, 2]


@pytest.mark.jit
@pytest.mark.long
def test_laws_two_processes_share(tmp_path):
    """Each run is done by one of them, and both end when all are done."""
    place = tmp_path / "runs.db"
    both = [in_another_process(place) for _ in range(2)]
    said = [process.communicate(timeout=300)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(int(words[1]) for words in said) == 10
    assert all(int(words[1]) + int(words[2]) == 10 for words in said)
    assert len(table_in(place)) == 80


@pytest.mark.jit
def test_laws_threads_are_left_at_once(tmp_path):
    """Ctrl-C does not wait for a long run in this process; its claim is given back."""
    long = replace(SMALL, moments=(0, 100_000), kept=(), seeds=(0, 1))
    begun = time.perf_counter()
    with Store(tmp_path / "runs.db") as opened:
        with pytest.raises(KeyboardInterrupt), crew_of(threads=1) as crew:  # noqa: PT012
            first = crew.executor.submit(run_once, long, 5, None, crew.stopped)
            sweep([long], opened, crew._replace(size=1), OneThenInterrupted())
        assert first.exception() is not None
    assert time.perf_counter() - begun < 60
    with Store(tmp_path / "runs.db") as opened:
        assert opened.claim((long.sha256, 0))


class OneThenInterrupted(sweep_room.Silent):
    """Lets one run begin, and is interrupted at the next."""

    def __init__(self):
        self.runs = 0

    def began(self, experiment, seed):
        self.runs += 1
        if self.runs == 2:
            raise KeyboardInterrupt


def killed_and_resumed(place, moments):
    """Begin, kill -9 the group after so many seconds of work, and so on; then to the end."""
    for moment in moments:
        process = in_another_process(place)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=LONGEST)
    process = in_another_process(place)
    process.communicate(timeout=300)
    assert process.returncode == 0
    return table_in(place)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The table of all runs, done in one go."""
    place = tmp_path_factory.mktemp("whole") / "runs.db"
    with Store(place) as opened, crew_of(threads=1) as crew:
        sweep(experiments(), opened, crew)
    return table_in(place)


@pytest.mark.jit
def test_laws_kill_nine_loses_nothing(tmp_path, uninterrupted):
    moments = np.random.default_rng(0).uniform(0.0, 3.0, 1)
    assert killed_and_resumed(tmp_path / "runs.db", moments).equals(uninterrupted)


@pytest.mark.jit
@pytest.mark.long
def test_laws_killed_at_twenty_moments(tmp_path, uninterrupted):
    """Five kills in each of four stores."""
    for i, moments in enumerate(np.random.default_rng(1).uniform(0.0, 2.0, (4, 5))):
        assert killed_and_resumed(tmp_path / f"{i}.db", moments).equals(uninterrupted)


def test_laws_claims(tmp_path, monkeypatch):
    """A claim of a living process holds; of a dead or silent one it does not."""
    place = tmp_path / "runs.db"
    with Store(place) as mine, Store(place) as other:
        other.owner = f"{mine.owner.rsplit('|', 2)[0]}|1|0.00"  # a process of this machine that is no more
        unit = (SMALL.sha256, 0)
        assert other.claim(unit)
        assert mine.claim(unit)
        other.owner = "elsewhere|1|0.00"
        assert not other.claim(unit)
        mine.give_back(unit)
        assert other.claim(unit)
        assert not mine.claim(unit)
        other.renew()
        now = time.time()
        monkeypatch.setattr(store_room.time, "time", lambda: now + 59)
        assert not mine.claim(unit)
        monkeypatch.setattr(store_room.time, "time", lambda: now + 61)
        assert mine.claim(unit)


POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []


@pytest.fixture
def postgres(tmp_path_factory):
    """A PostgreSQL server of this test alone, on the loopback; its URL."""
    pytest.importorskip("psycopg", reason="psycopg, the driver of PostgreSQL, is not installed")
    if not POSTGRES:
        pytest.skip("PostgreSQL is not installed (on Debian: apt install postgresql)")
    import pwd
    import shutil
    import socket
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="creases-postgres-"))
    prefix = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        names = [entry.pw_name for entry in pwd.getpwall()]
        if "postgres" not in names or shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        shutil.chown(folder, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, binaries = folder / "data", POSTGRES[-1]

    def call(program, *arguments):
        subprocess.run(
            [*prefix, str(binaries / program), *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            timeout=LONGEST,
        )

    call("initdb", "-D", str(data), "-A", "trust", "-U", "creases", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    call("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://creases@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.jit
def test_laws_two_processes_share_postgresql(postgres, tmp_path, uninterrupted, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the networks
    both = [in_another_process(postgres) for _ in range(2)]
    said = [process.communicate(timeout=300)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(int(words[1]) for words in said) == 10
    assert table_in(postgres).equals(uninterrupted)


# Bad input.


def test_bad_input_stores(tmp_path):
    import sqlite3

    with pytest.raises(StoreError, match=r"could not be opened: the folder .* does not exist\. Make it"):
        Store(tmp_path / "no" / "runs.db")
    (tmp_path / "text.db").write_text("no database, but a text that is long enough to be read as one" * 20)
    with pytest.raises(
        StoreError, match=r"The store .*text\.db could not be opened: file is not a database\. It is some"
    ):
        Store(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("create table addresses (name text)")
    with pytest.raises(StoreError, match=r"of another program, it has tables \(addresses\) but none of Creases'"):
        Store(tmp_path / "other.db")
    Store(tmp_path / "old.db").close()
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("update creases_store set value = '0'")
    with pytest.raises(StoreError, match=r"has schema 0, and this version of Creases .* writes 2"):
        Store(tmp_path / "old.db")
    with pytest.raises(StoreError, match="SQLAlchemy knows no database 'nosuchdatabase'"):
        Store("nosuchdatabase://somewhere")
    with pytest.raises(StoreError, match=r"postgresql\+psycopg://me:\*\*\*@127.0.0.1:1/x could not be opened"):
        Store("postgresql+psycopg://me:secret@127.0.0.1:1/x")
    with pytest.raises(StoreError, match="A store needs a place: the path of a SQLite file, or a database URL; got ''"):
        Store("")


@pytest.mark.jit
def test_bad_input_a_full_disk(tmp_path):
    """What is in the store stays; the same sweep goes on when there is room."""
    from sqlalchemy import event

    place = tmp_path / "runs.db"
    with Store(place) as opened, crew_of(threads=1) as crew:
        sweep([replace(SMALL, seeds=(0,))], opened, crew)
        opened._engine.dispose()

        def no_room(connection, _record):
            connection.execute("pragma max_page_count = 1")  # no more than there are

        event.listen(opened._engine, "connect", no_room)
        many = replace(SMALL, seeds=tuple(range(40)))
        with pytest.raises(StoreError, match=r"full\. What is in it is safe\. Free some space"):
            sweep([many], opened, crew)
    with Store(place) as opened, crew_of(threads=1) as crew:
        there = len(opened.done())
        assert there >= 1
        summary = sweep([SMALL], opened, crew)
        assert summary.there + summary.done == 2


@pytest.mark.jit
def test_bad_input_no_room_for_networks(tmp_path, monkeypatch):
    from creases.paper import runs

    def full(path, write):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs, "replace_file", full)
    with (
        Store(tmp_path / "runs.db") as opened,
        crew_of(threads=1) as crew,
        pytest.raises(StoreError, match=r"A network could not be written into .*: No space left on device"),
    ):
        sweep([SMALL], opened, crew)


@pytest.mark.jit
def test_bad_input_networks_that_are_gone(tmp_path):
    with Store(tmp_path / "runs.db") as opened, crew_of(threads=1) as crew:
        sweep([replace(SMALL, seeds=(0,))], opened, crew)
        with pytest.raises(StoreError, match=r"has no network of seed 0 at epoch 0\.5"):
            opened.network(SMALL.sha256, 0, 0.5)
        for file in opened.networks.iterdir():
            file.unlink()
        with pytest.raises(StoreError, match=r"is not in .*runs\.db\.networks"):
            opened.network(SMALL.sha256, 0, 0.0)


@pytest.mark.jit
def test_bad_input_a_run_that_fails(tmp_path, monkeypatch):
    """The others go on; it is told at the end, and open again."""

    def sometimes(experiment, seed, *others):
        if seed == 1:
            raise ZeroDivisionError("by chance")
        return run_once(experiment, seed, *others)

    monkeypatch.setattr(sweep_room, "run_once", sometimes)
    with Store(tmp_path / "runs.db") as opened, crew_of(threads=1) as crew:
        summary = sweep([replace(SMALL, seeds=(0, 1, 2))], opened, crew)
        assert summary.done == 2
        assert summary.failed == ["(4, 3) seed 1: ZeroDivisionError: by chance"]
        monkeypatch.undo()
        assert sweep([replace(SMALL, seeds=(0, 1, 2))], opened, crew).done == 1
