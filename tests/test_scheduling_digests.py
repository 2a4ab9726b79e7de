"""Rows of a journal that read well and are wrong: a flipped bit, a row of another count, numbers that cannot be."""

import itertools
import json
import sqlite3
from dataclasses import replace

import pytest

from counts_in_pieces import CUBE, known, recorded_anew
from creases import Box, JournalError, count_in_pieces
from creases.engine.answers.pieces import Piece
from creases.errors import ComputationError
from creases.scheduling import Journal
from creases.scheduling.laws import LARGEST_COUNT, check_layers, check_sum
from creases.scheduling.plan import Plan

pytestmark = pytest.mark.jit


@pytest.fixture
def counted(tmp_path):
    """A journal with all pieces of a count, and the count."""
    place = tmp_path / "runs.db"
    return place, count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place)


def changed(place, statement, *values):
    with sqlite3.connect(place) as other:
        assert other.execute(statement, values).rowcount > 0


def by_layer_of(place, path):
    with sqlite3.connect(place) as other:
        return json.loads(other.execute("select by_layer from pieces where path = ?", (path,)).fetchone()[0])


def refused(place, match, network=None, domain=CUBE):
    with pytest.raises(JournalError, match=match) as caught:
        count_in_pieces(network or known(), domain, pieces=4, threads=1, journal=place)
    return str(caught.value)


def reads_alike(text, other):
    try:
        return json.loads(text) == json.loads(other)
    except ValueError:
        return False


def test_bad_input_each_flipped_bit_of_by_layer(counted):
    """Whatever the bit makes of a digit, the row is named or reads as it did; it is never another number."""
    place, first = counted
    before = json.dumps(by_layer_of(place, "-+"))
    for at, bit in itertools.product(range(len(before)), (0, 1, 4)):
        text = before[:at] + chr(ord(before[at]) ^ (1 << bit)) + before[at + 1 :]
        changed(place, "update pieces set by_layer = ? where path = '-+'", text)
        if reads_alike(text, before):
            assert count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place).by_layer == first.by_layer
        else:
            refused(place, r"damaged row in its table pieces, count = 1 AND root = 0 AND path = '-\+'")


def test_bad_input_numbers_that_cannot_be(counted):
    place, _ = counted
    below, regions = by_layer_of(place, "-+")
    for by_layer, words in (
        ([below, regions + 1], "it does not agree with its digest: it is not as it was written"),
        ([below, below - 1], f"by_layer decreases to {below - 1:,} regions after layer 2, and no layer joins any"),
        (
            [below, 10**23],
            "by_layer has 100,000,000,000,000,000,000,000 regions after layer 2, where there are",
        ),
        ([10**3, 10**3], "by_layer has 1,000 regions after layer 1, where there are 697 at most"),
        ([0, regions], "by_layer decreases to 0 regions after layer 1"),
    ):
        changed(place, "update pieces set by_layer = ? where path = '-+'", json.dumps(by_layer))
        refused(place, rf"path = '-\+': {words}.* Nothing damaged is counted\. Take it away, and the piece is counted")


def test_bad_input_all_damaged_rows_are_taken_away_at_once(counted):
    place, first = counted
    changed(place, "update pieces set by_layer = '[117, 701]' where path like '%+'")
    said = refused(place, r"has 2 damaged rows in its table pieces, .* and 1 more\. .* the pieces are counted again")
    with sqlite3.connect(place) as other:
        assert other.execute(said[said.index("DELETE") :]).rowcount == 2
    assert count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place).by_layer == first.by_layer


def test_bad_input_a_row_of_another_piece_or_count(counted, tmp_path):
    """All its numbers are right, and they are not this piece's."""
    place, _ = counted
    changed(place, "delete from pieces where path = '-+'")
    changed(place, "insert into pieces select count, root, '-+', by_layer, unbounded, exact_cells, certified, seconds, "
            "worker, roots, digest from pieces where path = '--'")  # fmt: skip
    refused(place, r"path = '-\+': it does not agree with its digest")
    place = tmp_path / "two.db"
    count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place)
    count_in_pieces(known(), Box([-2] * 3, [2] * 3), pieces=4, threads=1, journal=place)
    changed(place, "delete from pieces where count = 1 and path = '--'")
    changed(place, "update pieces set count = 1 where count = 2 and path = '--'")
    refused(place, r"count = 1 AND root = 0 AND path = '--': it does not agree with its digest")


def test_bad_input_damaged_counts(counted):
    """A row of counts, wherever the bit is; with it and its pieces away, all is counted again."""
    place, first = counted
    for statement in ("domain_text = domain_text || ' '", '"drop" = "drop" + 1', "depth = depth + 1", "version = '9'"):
        changed(place, f"update counts set {statement}")
        for pieces in (4, None):
            with pytest.raises(
                JournalError, match=r"damaged row in its table counts, id = 1: it does not agree with"
            ) as e:
                count_in_pieces(known(), CUBE, pieces=pieces, threads=1, journal=place)
        with sqlite3.connect(place) as other:
            other.executescript(str(e.value)[str(e.value).index("DELETE") :])
        assert count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place).by_layer == first.by_layer


def test_bad_input_a_sum_that_cannot_be(tmp_path):
    """Rows that are as they were written, by a machine that counted wrong: together they show it."""
    place = tmp_path / "runs.db"
    count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place)
    recorded_anew(
        place, Plan.of(known(), CUBE, 4), lambda one: one if one.piece.sign < 0 else replace(one, by_layer=(9, 9))
    )
    with pytest.raises(
        ComputationError, match=r"do not fit together \(their sum after each layer is -.*Count again, into"
    ):
        count_in_pieces(known(), CUBE, pieces=4, journal=place)
    for by_layer, unbounded, words in (
        ([3, 2], None, "their sum after each layer is 3, 2"),
        ([0, 2], None, "their sum after each layer is 0, 2"),
        ([3, 4], 5, "of 4 regions in sum 5 are unbounded"),
        ([3, 4], -1, "of 4 regions in sum -1 are unbounded"),
    ):
        with pytest.raises(ValueError, match=words):
            check_sum(by_layer, unbounded)


def test_bad_input_an_old_journal(tmp_path):
    """One without digests is named as such, and not as another program's; it stays as it is."""
    place = tmp_path / "old.db"
    with sqlite3.connect(place) as old:
        old.executescript(
            "create table meta (name varchar(40) primary key, value text); insert into meta values ('schema', '1');"
            "create table counts (id integer primary key); create table pieces (count integer primary key);"
        )
    before = place.read_bytes()
    with pytest.raises(JournalError, match=r"has schema 1, and this version .* writes 2\. Give another place"):
        Journal(place)
    assert place.read_bytes() == before


def test_laws_of_pieces():
    """At each limit and one beyond it."""
    inside, wall = Piece(0, "-+"), Piece(0, "-0+")
    check_layers((1 + 5 + 10, 16 * 4), inside, (5, 2), 2)  # two lines cut each region into four
    for by_layer in ((17, 17), (16, 65)):
        with pytest.raises(ValueError, match="at most"):
            check_layers(by_layer, inside, (5, 2), 2)
    check_layers((6, 18), wall, (5, 2), 2)
    check_layers((6, 5), wall, (5, 2), 2)  # a wall that lies in a zero set loses regions
    check_layers((0, 0), wall, (5, 2), 2)
    for by_layer in ((7, 7), (6, 19), (0, 1)):
        with pytest.raises(ValueError, match="at most"):
            check_layers(by_layer, wall, (5, 2), 2)
    check_layers((LARGEST_COUNT,), inside, (1000,), 64)
    with pytest.raises(ValueError, match="at most"):
        check_layers((LARGEST_COUNT + 1,), inside, (1000,), 64)


@pytest.mark.parametrize("path", ["'it''s'", "X'302b'", "'-+'"])
def test_bad_input_rows_that_no_program_wrote_are_taken_away_as_told(counted, path):
    """Whatever stands there, the command that the error shows takes it away, and the count goes on."""
    place, first = counted
    changed(place, f"update pieces set path = {path}, by_layer = '{'[' * 200_000}' where path = '-+'")
    said = refused(place, "damaged row in its table pieces")
    with sqlite3.connect(place) as other:
        assert other.execute(said[said.index("DELETE") :]).rowcount == 1
    assert count_in_pieces(known(), CUBE, pieces=4, threads=1, journal=place).by_layer == first.by_layer
