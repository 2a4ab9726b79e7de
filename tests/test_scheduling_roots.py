"""Starting cells: chosen once, sent with every piece, kept in the journal; pieces of two choices are not put together.

Which neurons cut a whole space into cones, and in which coordinates, is chosen by floats: another processor may choose
otherwise, and a piece is named by its way down from its cone.
"""

import json
import sqlite3
from itertools import pairwise

import pytest

from children import python
from counts_in_pieces import known
from creases import Box, Directions, JournalError, Space, count, count_in_pieces
from creases.engine.starts.first_layer import independent_rows
from creases.engine.starts.roots import choose_roots
from creases.errors import ComputationError
from creases.packing import as_problem
from creases.scheduling import Journal
from creases.scheduling.cluster import dask_workers
from creases.scheduling.journal_rows import KEY, as_count
from creases.scheduling.piece import Shipped, count_piece, divided_once
from creases.scheduling.plan import Plan, halvings
from other_roots import CASES, elsewhere, network_of, whole_spaces

# Rows that permute one vector: along (1, ..., 1) all are equal, but for what adding them in some order loses.
TIED = """
import numpy as np
from creases import Network, Plane
rng = np.random.default_rng(1000)
w = rng.standard_normal(64)
weights = np.array([rng.permutation(w) for _ in range(12)])
network = Network.from_arrays([weights], [rng.standard_normal(12)], output_layer=False)
plane = Plane(np.zeros(64), np.vstack([0.1 * np.ones(64), 0.01 * rng.standard_normal(64)]))
"""
CHOSEN = """
import threadpoolctl
from creases.engine.starts.first_layer import independent_rows
from creases.packing import as_problem
kinds = {one.get("architecture") for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"}
print(*sorted(map(str, kinds)), independent_rows(as_problem(network, plane)), sep="|")
"""
IN_PIECES = """
import sys
from creases import count_in_pieces
found = count_in_pieces(network, plane, pieces=32, threads=1, journal=sys.argv[1])
print(found.regions, found.certified)
"""


def on(processor, script, *arguments):
    """The lines that a script prints in a process whose BLAS is that of another processor."""
    done = python(TIED + script, *arguments, check=False, OPENBLAS_CORETYPE=processor)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def two_processors():
    """Names of two whose BLAS breaks the ties of TIED otherwise."""
    found = {name: on(name, CHOSEN)[-1] for name in ("Haswell", "Nehalem")}
    if not all(line.lower().startswith(name.lower() + "|") for name, line in found.items()):
        pytest.skip(f"NumPy's BLAS is no OpenBLAS that can be told which processor's kernels to take: {found}")
    if len({line.partition("|")[2] for line in found.values()}) == 1:
        pytest.skip(f"the kernels of both processors break the ties alike: {found}")
    return list(found)


def test_known_a_journal_of_two_processors(tmp_path, two_processors):
    """79 regions, whoever begins and whoever goes on; it said 91, certified."""
    for begins, goes_on in (two_processors, two_processors[::-1]):
        place = tmp_path / f"{begins}.db"
        assert on(begins, IN_PIECES, place)[-1] == "79 True"
        with sqlite3.connect(place) as connection:
            assert connection.execute("delete from pieces where root in (1, 3)").rowcount > 20
        assert on(goes_on, IN_PIECES, place)[-1] == "79 True"
        with sqlite3.connect(place) as connection:
            assert connection.execute("select count(*) from counts").fetchone() == (1,)
            assert len(set(connection.execute("select roots from pieces"))) == 1


@pytest.mark.long
def test_known_pieces_sent_from_one_processor_to_the_other(tmp_path, two_processors):
    """As Dask sends them: 79 regions, half of the pieces counted by either, whatever either would have chosen."""
    planned = """
import pickle, sys
from creases.scheduling.piece import Shipped, count_piece, divided_once
from creases.scheduling.plan import Plan
if len(sys.argv) > 2:
    plan = Plan.of(network, plane, 32)
    pickle.dump((Shipped("a name", plan.problem, plan.roots), plan.pieces), open(sys.argv[1], "wb"))
shipped, parts = pickle.load(open(sys.argv[1], "rb"))
divided = divided_once(shipped)
print(sum(part.sign * count_piece(divided, part).by_layer[-1] for part in parts if part.root % 2 == len(sys.argv) % 2))
"""
    first, other = two_processors
    counts = [on(first, planned, tmp_path / "sent", "plan"), on(other, planned, tmp_path / "sent")]
    assert sum(int(lines[-1]) for lines in counts) == 79


@pytest.mark.long
def test_laws_two_processors_choose_the_same(two_processors):
    """So that they seldom meet another's choice at all: what is added is added in a fixed order."""
    script = """
from creases import Subspace
from creases.engine.starts.roots import choose_roots
spaces = [Subspace(rng.standard_normal(64), rng.standard_normal((d, 64))) for d in (1, 2, 3, 4)]
spaces += [Subspace(np.zeros(64), np.vstack([0.1 * np.ones(64), rng.standard_normal((d, 64))])) for d in (1, 2, 3)]
print([choose_roots(as_problem(network, space)).sha256 for space in [plane, *spaces]])
"""
    assert len({on(name, CHOSEN + script)[-1] for name in two_processors}) == 1


@pytest.mark.jit
@pytest.mark.parametrize(
    ("d", "rank", "seed"),
    [pytest.param(*case, marks=[pytest.mark.long] if case[0] > 2 and case[2] else []) for case in CASES],
)
def test_laws_a_journal_goes_on_elsewhere(tmp_path, d, rank, seed):
    """With what it has, and with the starting cells that it was begun with."""
    network = network_of(d, rank, seed)
    for number, domain in enumerate(whole_spaces(d)):
        place, truth = tmp_path / f"{number}.db", count(network, domain)
        count_in_pieces(network, domain, pieces=4 << d, threads=1, journal=place)
        with sqlite3.connect(place) as connection:
            connection.execute("delete from pieces where root % 2 = 1 or path like '%+'")
            before = connection.execute("select roots, roots_text from counts").fetchall()
        with elsewhere():
            for pieces in (4 << d, None):
                found = count_in_pieces(network, domain, pieces=pieces, threads=1, journal=place)
                assert (found.by_layer, found.unbounded) == (truth.by_layer, truth.unbounded)
        with sqlite3.connect(place) as connection:
            assert connection.execute("select roots, roots_text from counts").fetchall() == before


@pytest.mark.jit
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("roots_text = replace(roots_text, '-1.0', '-1.5')", "the starting cells have the hash"),
        ("roots = 'abc'", "the starting cells have the hash .*, not abc"),
        ("roots_text = 'abc'", "these are no starting cells: 'abc'"),
        ("roots_text = null", "these are no starting cells: 'None'"),
        ("roots = '{hash}', roots_text = '{text}'", "are none of this network and domain"),
    ],
)
def test_bad_input_damaged_roots_in_a_journal(tmp_path, change, words):
    place, other = tmp_path / "runs.db", choose_roots(as_problem(known((3, 5, 1)), Directions(3)))
    count_in_pieces(known(), Space(3), pieces=8, threads=1, journal=place)
    with sqlite3.connect(place) as connection:
        connection.execute("create table fresh as select * from counts")  # without the rules of its columns
        connection.execute("drop table counts")
        connection.execute("alter table fresh rename to counts")
        connection.execute("update counts set " + change.format(hash=other.sha256, text=other.text))
        connection.row_factory = sqlite3.Row
        row = connection.execute("select * from counts").fetchone()
        texts = [row[name] for name in ("domain_text", "roots_text", "version", "begun")]
        digest = as_count({name: row[name] for name in KEY}, *texts)["digest"]  # what it holds is looked at too
        connection.execute("update counts set digest = ?", (digest,))
    for pieces in (8, None):
        with pytest.raises(JournalError, match=rf"damaged row in its table counts, id = 1: .*{words}.*Give another"):
            count_in_pieces(known(), Space(3), pieces=pieces, journal=place)


@pytest.mark.jit
def test_bad_input_a_piece_of_other_roots_in_a_journal(tmp_path):
    place = tmp_path / "runs.db"
    first = count_in_pieces(known(), Space(3), pieces=8, threads=1, journal=place)
    with sqlite3.connect(place) as connection:
        connection.execute("update pieces set roots = 'abcdef' where root = 3")
    with pytest.raises(
        JournalError, match=r"root = 3 .*cut from other starting cells \(abcdef\)\. .*Take it away"
    ) as e:
        count_in_pieces(known(), Space(3), journal=place)
    with sqlite3.connect(place) as connection:
        assert connection.execute(str(e.value)[str(e.value).index("DELETE") :]).rowcount == 1
    assert count_in_pieces(known(), Space(3), journal=place).by_layer == first.by_layer


def test_bad_input_two_begin_one_journal(tmp_path):
    """The one that comes later, on another processor, is told; its next run goes on with the other's cells."""
    network = network_of(2, 2, 0)
    with elsewhere():
        theirs = Plan.of(network, Space(2), 8)
        assert theirs.roots.rows
    ours = Plan.of(network, Space(2), 8)
    assert theirs.roots != ours.roots
    with Journal(tmp_path / "runs.db") as journal:
        assert journal.plan_for(ours) is ours
        number = journal.begin(theirs)
        with pytest.raises(JournalError, match=r"cut from other starting cells .* The same command goes on from those"):
            journal.begin(ours)
        again = journal.plan_for(ours, any_depth=False)
        assert again.roots == theirs.roots
        assert journal.begin(again) == number


def test_bad_input_a_journal_of_schema_1(tmp_path):
    """Its pieces name no starting cells; it is told from another program's database."""
    place = tmp_path / "old.db"
    with sqlite3.connect(place) as connection:
        connection.executescript(
            "create table meta (name varchar(40) primary key, value text);"
            "insert into meta values ('schema', '1');"
            "create table counts (id integer primary key, network text, domain text, engine text, depth integer);"
            "create table pieces (count integer, root integer, path text, by_layer text);"
        )
    with pytest.raises(JournalError, match=r"has schema 1, and this version .* writes 2\. Give another place, or open"):
        Journal(place)


# Workers.


@pytest.mark.jit
def test_laws_one_worker_for_two_planners():
    """It keeps the starting cells of both apart, which another machine has chosen otherwise."""
    network = network_of(3, 3, 1)
    truth = count(network, Space(3)).by_layer
    ours = Plan.of(network, Space(3), 32)
    with elsewhere():
        theirs = Plan.of(network, Space(3), 32)
        _ = theirs.roots
    assert theirs.key != ours.key
    with dask_workers(None, 1) as workers:
        for plan in (ours, theirs, ours):
            results = list(workers.work(plan, plan.pieces))
            assert {result.roots for result in results} == {plan.roots.sha256}
            assert sum(result.piece.sign * result.by_layer[-1] for result in results) == truth[-1]


@pytest.mark.jit
def test_laws_a_worker_chooses_nothing():
    """It counts from what it was sent, whatever it would have chosen."""
    network = network_of(3, 3, 0)
    plan = Plan.of(network, Space(3), 32)
    shipped = Shipped("a name", plan.problem, plan.roots)
    results = [count_piece(plan.divided, part) for part in plan.pieces[0::2]]
    with elsewhere():
        divided_once.cache_clear()
        divided = divided_once(shipped)
        results += [count_piece(divided, part) for part in plan.pieces[1::2]]
    assert {result.roots for result in results} == {plan.roots.sha256}
    assert sum(result.piece.sign * result.by_layer[-1] for result in results) == count(network, Space(3)).regions


@pytest.mark.jit
def test_bad_input_other_roots_on_a_worker():
    plan = Plan.of(known(), Space(3), 8)
    plan.key["roots"] = "0123456789abcdef"
    with (
        dask_workers(None, 1) as workers,
        pytest.raises(ComputationError, match=r"has cut its piece from other starting cells .*, here 0123456789abcdef"),
    ):
        list(workers.work(plan, plan.pieces))


# Depths.


def test_laws_depths_are_whole_logarithms():
    """The least depth with so many pieces; logarithms in floats may be one off, on some machines only."""
    for pieces in range(1, 5000):
        depth = halvings(8, 2, pieces)
        assert 2**depth >= pieces > 2**depth // 2
    for neurons, following in pairwise(range(1, 300)):
        drops = [Plan.of(known((2, n, 1)), Box([-1, -1], [1, 1]), 1).drop for n in (neurons, following)]
        assert drops[0] <= drops[1]
        assert 2 ** drops[0] <= max(neurons / 2, 2) < 2 ** (drops[0] + 1)


def test_known_what_a_plan_is_known_by():
    plan = Plan.of(known(), Space(3), 8)
    assert plan.key == {**plan.known, "roots": plan.roots.sha256}
    assert json.loads(plan.roots.text)["rows"] == list(plan.roots.rows)
    assert sorted(independent_rows(plan.problem)) == sorted(plan.roots.rows)  # of no ties there
    assert Plan.of(known(), Space(3), 8).key == plan.key
