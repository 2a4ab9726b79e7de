"""The journal of a count in pieces: what may be wrong with its place, its database and its rows, each told apart."""

import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys

import pytest

from counts_in_pieces import CUBE, command, known
from creases import (
    Box,
    Count,
    JournalError,
    Space,
    count_in_pieces,
)
from creases.scheduling import Journal, plan, sources
from creases.scheduling.plan import Plan


@pytest.mark.jit
def test_bad_input_a_journal_of_another_engine(tmp_path, monkeypatch):
    place = tmp_path / "runs.db"
    for room in (plan, sources):
        monkeypatch.setattr(room, "shaping_hash", lambda: "0123456789abcdef")
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
        ("root = 'x'", "the count has no such piece"),
        ("worker = 5", "does not agree with its digest"),
        ("worker = x'00ff'", "worker is b"),
        ("seconds = seconds + 1", "does not agree with its digest"),
        ("exact_cells = exact_cells + 1", "does not agree with its digest"),
        ("exact_cells = 9223372036854775807 + 1", "exact_cells is 9.2"),
        ("certified = 0", "does not agree with its digest"),
        ("digest = ''", "does not agree with its digest"),
        ("digest = null", "does not agree with its digest"),
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
    assert 0 < len(before) < len(made.pieces)
    subprocess.run(run, check=True, capture_output=True, timeout=300)
    assert Count.from_dict(json.loads(saved.read_text())).regions == 40141
    with Journal(place) as journal:
        after = journal.results(journal.begin(made), made)
    assert all(after[part] == result for part, result in before.items())
