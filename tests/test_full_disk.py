"""A disk that fills in the middle of work: the error names the place and the remedy, and nothing is lost or half there.

On a file system of its own, of some kilobytes, where this process may mount one. Where it may not, and beside it, the
same by SQLite's own limit on pages and by a limit on the size of files.
"""

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from children import LONGEST
from counts_in_pieces import CUBE, command, known
from creases import Box, Complex, Count, JournalError, Network, count, count_in_pieces, load, subdivide
from creases.errors import CreasesError, SaveError
from creases.files import replace_file
from creases.paper.runs import save_network
from creases.scheduling import Journal
from creases.scheduling.plan import Plan
from creases.training.journal import RowJournal as Rows
from creases.training.journal import read_rows
from full_disks import no_file_above, small_disk

__all__ = ["small_disk"]  # a fixture

SQUARE = Box([-1, -1], [1, 1])
NETWORK = Network.he([2, 16, 16, 1], bias_std=0.1)
FULL = r"could not be written to: database or disk is full\. What is in it is safe\. Free some space on its disk"


def done_in(place, pieces):
    """The results in a journal, each row read and checked, and how many there are to be."""
    plan = Plan.of(known(), CUBE, pieces)
    with Journal(place) as journal:
        return journal.results(journal.begin(plan), plan), len(plan.pieces)


def fill(folder, left):
    """Take all the room but so many bytes; the file that takes it."""
    room = os.statvfs(folder)
    filler = folder / "filler"
    filler.write_bytes(bytes(max(room.f_bavail * room.f_frsize - left, 0)))
    return filler


# Journals.


@pytest.mark.jit
@pytest.mark.parametrize(
    "how",
    [{"threads": 1}, {"threads": 2}, pytest.param({"workers": 2}, marks=pytest.mark.long)],
    ids=["one thread", "two threads", "workers"],
)
def test_bad_input_a_disk_that_fills_in_a_count(small_disk, how):
    """What was recorded stays, and the count goes on from there when there is room."""
    folder = small_disk(256 << 10)
    place = folder / "runs.db"
    Journal(place).close()
    filler = fill(folder, 20 << 10)
    with pytest.raises(JournalError, match=f"The journal {place} {FULL}"):
        count_in_pieces(known(), CUBE, pieces=64, journal=place, **how)
    with pytest.raises(JournalError, match="database or disk is full"):  # and it stays full
        count_in_pieces(known(), CUBE, pieces=64, journal=place, **how)
    filler.unlink()
    before, all_of_them = done_in(place, 64)
    assert 0 < len(before) < all_of_them
    found = count_in_pieces(known(), CUBE, pieces=64, journal=place, **how)
    assert found.by_layer == count(known(), CUBE).by_layer
    assert found.seconds_from_journal == pytest.approx(sum(result.seconds for result in before.values()))
    after, _ = done_in(place, 64)
    assert all(after[part] == result for part, result in before.items())


@pytest.mark.jit
def test_bad_input_no_more_pages_in_the_middle_of_a_count(tmp_path, monkeypatch):
    """SQLite's own limit, which it tells as a full disk, wherever nothing may be mounted."""
    from sqlalchemy import event

    place, open_journal = tmp_path / "runs.db", Journal.__init__

    def two_more(connection, _):
        (there,) = connection.execute("pragma page_count").fetchone()
        connection.execute(f"pragma max_page_count = {there + 2}")

    def limited(self, where):
        open_journal(self, where)
        self._engine.dispose()
        event.listen(self._engine, "connect", two_more)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "__init__", limited)
        with pytest.raises(JournalError, match=FULL):
            count_in_pieces(known(), CUBE, pieces=64, threads=2, journal=place)
    before, all_of_them = done_in(place, 64)
    assert 0 < len(before) < all_of_them
    assert count_in_pieces(known(), CUBE, pieces=64, journal=place).by_layer == count(known(), CUBE).by_layer


@pytest.mark.jit
def test_bad_input_no_room_to_begin(small_disk):
    """Neither for the tables nor for the count's own row; and the same place is taken when there is room."""
    folder = small_disk(64 << 10)
    place = folder / "runs.db"
    filler = fill(folder, 0)
    with pytest.raises(JournalError, match=r"could not be opened: .*full.* Free some space"):
        count_in_pieces(known(), CUBE, pieces=8, journal=place)
    filler.unlink()
    Journal(place).close()
    filler = fill(folder, 0)
    with pytest.raises(JournalError, match=FULL):
        count_in_pieces(known(), CUBE, pieces=8, journal=place)
    filler.unlink()
    assert count_in_pieces(known(), CUBE, pieces=8, journal=place).by_layer == count(known(), CUBE).by_layer


@pytest.mark.jit
def test_bad_input_a_disk_that_fills_under_the_command(small_disk, tmp_path):
    """Exit code 2, one line with the remedy, and the same command goes on."""
    folder = small_disk(256 << 10)
    place, saved = folder / "runs.db", folder / "count.json"
    Journal(place).close()
    filler = fill(folder, 20 << 10)
    run = command(known().save(tmp_path / "network.npz"), place, saved, "--threads", "1")
    failed = subprocess.run(run, capture_output=True, text=True, timeout=300)
    assert (failed.returncode, failed.stdout, saved.exists()) == (2, "", False)
    assert failed.stderr.startswith(f"Error: The journal {place} could not be written to: database or disk is full.")
    assert failed.stderr.count("\n") == 1
    filler.unlink()
    subprocess.run(run, check=True, capture_output=True, timeout=300)
    assert Count.from_dict(json.loads(saved.read_text())).by_layer == count(known(), CUBE).by_layer


def test_bad_input_output_to_a_full_disk():
    """A table that cannot be printed is an error, and no traceback."""
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    program = "from creases.cli import main; main()"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, "theory", "8,8"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LONGEST,
        )
    assert done.returncode == 2, done.stderr
    assert "No space left on device. Free some space on its disk" in done.stderr
    assert "Traceback" not in done.stderr


# Files.


def writers(folder):
    """All that is written at once: a path, and what writes it."""
    cells, one = subdivide(NETWORK, SQUARE), count(NETWORK, SQUARE)

    def rows():
        with_many = Rows(folder / "rows.jsonl", {"of": "x" * 20_000}, resume=False)
        with_many.append([{"value": 1}])

    def picture(name):
        from creases.plot import plot_complex, save_figure
        from creases.plot.figure import figure_of

        return lambda: save_figure(figure_of(plot_complex(cells)), folder / name)

    return {
        "cells.npz": lambda: cells.save(folder / "cells.npz"),
        "net.npz": lambda: Network.he([2, 64, 64, 1]).save(folder / "net.npz"),
        "count.json": lambda: one.to_json(folder / "count.json"),
        "big.txt": lambda: replace_file(folder / "big.txt", lambda partial: partial.write_text("x" * 20_000)),
        "rows.jsonl": rows,
        f"{NETWORK.sha256}.safetensors": lambda: save_network(NETWORK, folder),
        "map.png": picture("map.png"),
        "map.pdf": picture("map.pdf"),
        "map.svg": picture("map.svg"),
    }


def refuse_all(folder, reason):
    """Nothing is written, the error says why and what to do, and what was there before is as it was."""
    for name, write in writers(folder).items():
        path = folder / name
        for old in (b"", b"what was there before"):
            if old and name != "rows.jsonl" and not name.endswith("safetensors"):
                path.write_bytes(old)
            with reason as words, pytest.raises(SaveError, match=f"{words}.* Free some space on its disk") as caught:
                write()
            assert isinstance(caught.value, (CreasesError, OSError))
            assert str(path) in str(caught.value)
            assert (path.read_bytes() if path.exists() else b"") in (old, b"")
            assert [p for p in folder.iterdir() if "partial" in p.name] == []
            path.unlink(missing_ok=True)


@pytest.mark.jit
def test_bad_input_files_on_a_full_disk(small_disk):
    pytest.importorskip("safetensors")
    pytest.importorskip("matplotlib")
    folder = small_disk(64 << 10)
    filler = folder / "filler"

    class Full:
        def __enter__(self):
            fill(folder, 0)
            return "No space left on device"

        def __exit__(self, *_):
            filler.unlink()

    refuse_all(folder, Full())


@pytest.mark.jit
def test_bad_input_files_that_may_not_grow(tmp_path):
    pytest.importorskip("safetensors")
    pytest.importorskip("matplotlib")

    class Full:
        def __enter__(self):
            self.limit = no_file_above(100)
            self.limit.__enter__()
            return "File too large"

        def __exit__(self, *_):
            self.limit.__exit__(*_)

    refuse_all(tmp_path, Full())


def test_laws_rows_before_a_full_disk_stay(tmp_path):
    """A part of a row is taken back, so that the next one is not damaged by it."""
    path = tmp_path / "rows.jsonl"
    rows = Rows(path, {"of": "a test"}, resume=False)
    rows.append([{"value": 1}])
    before = path.read_bytes()
    with (
        no_file_above(len(before) + 10),
        pytest.raises(SaveError, match=r"could not be written: File too large\. Free"),
    ):
        rows.append([{"value": 2, "text": "x" * 100}])
    assert path.read_bytes() == before
    assert rows.rows == [{"value": 1}]
    rows.append([{"value": 3}])
    assert read_rows(path) == [{"value": 1}, {"value": 3}]


def test_laws_files_are_put_in_the_place_of_others(tmp_path):
    """Of a link the file that it leads to; what is no file is written to."""
    path, link = tmp_path / "file.txt", tmp_path / "link.txt"
    path.write_text("old")
    link.symlink_to(path)
    replace_file(link, lambda partial: partial.write_text("new"))
    assert (path.read_text(), link.is_symlink()) == ("new", True)
    replace_file(tmp_path / "fresh.txt", lambda partial: partial.write_text("fresh"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.txt", "fresh.txt", "link.txt"]
    Count.to_json(count_of_nothing(), "/dev/null")
    assert not os.path.isfile("/dev/null")
    with pytest.raises(SaveError, match=r"No such file or directory\. Make its folder first, or save elsewhere"):
        replace_file(tmp_path / "no" / "file.txt", lambda partial: partial.write_text("x"))
    with pytest.raises(SaveError, match=r"Is a directory"):
        replace_file(tmp_path, lambda partial: partial.write_text("x"))
    with pytest.raises(ZeroDivisionError):
        replace_file(path, lambda partial: partial.write_text("half") / 0)
    assert path.read_text() == "new"
    assert not list(tmp_path.glob(".partial*"))


def count_of_nothing():
    return Count(1, (1,), True, 0, 0.0, SQUARE, "")


@pytest.mark.jit
def test_laws_what_is_saved_is_read(tmp_path):
    cells = subdivide(NETWORK, SQUARE)
    again = Complex.load(cells.save(tmp_path / "cells.npz"))
    assert np.array_equal(again.corners, cells.corners)
    assert load(NETWORK.save(tmp_path / "net.npz")).sha256 == NETWORK.sha256


def test_laws_two_that_write_one_file_at_once(tmp_path):
    """Whoever reads it sees what one of them wrote, whole."""
    path, seen = tmp_path / "file.txt", set()
    path.write_text("a" * 100_000)

    def write(letter):
        def slowly(partial):
            with partial.open("w") as file:
                for _ in range(100):
                    file.write(letter * 1000)
                    file.flush()

        for _ in range(5):
            replace_file(path, slowly)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen.add(path.read_text())
    assert seen | {path.read_text()} <= {"a" * 100_000, "b" * 100_000}
    assert list(tmp_path.iterdir()) == [path]
