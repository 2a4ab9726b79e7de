"""Counts in pieces: Euler's relation over walls, workers, the journal, and deaths on the way."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from children import LONGEST
from counts_in_pieces import CUBE, command, known, recorded_anew
from creases import (
    Box,
    Count,
    Directions,
    DomainError,
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
from creases.engine.answers.pieces import Divided, Piece
from creases.engine.starts.bounded import root_tile
from creases.engine.starts.roots import choose_roots
from creases.engine.starts.walls import halved
from creases.packing import as_problem
from creases.scheduling import Journal
from creases.scheduling.plan import Plan, halvings
from creases.scheduling.workers import ThreadWorkers
from engine_twins import LONG
from networks import KINDS, integer_networks, random_network, table


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def divided_of(network, domain):
    problem = as_problem(network, domain)
    return Divided(problem, choose_roots(problem))


def in_parts(network, domain, depth, drop):
    """(by_layer, unbounded) summed over the parts, each with its sign."""
    divided = divided_of(network, domain)
    by_layer, unbounded = np.zeros(len(network.hidden), np.int64), 0
    for part in divided.pieces(depth, drop):
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
    """Whatever the walls meet: in every domain, on degenerate networks, walls through zero sets too.

    Every day each kind of network in space has half of the domains, and the next kind the others.
    """
    some = domains(d) if d < 3 or LONG else domains(d)[KINDS.index(kind) % 2 :: 2]
    for _, weights, biases in table(2 if d < 3 else 1, 41, d, [kind]):
        network = hidden(weights, biases)
        for domain in some:
            whole = count(network, domain, threads=1)
            for depth in (1, 3) if d < 3 and LONG else (2,):
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
    divided = divided_of(network, Box([-1, -1], [1, 1]))
    assert [part.path for part in divided.pieces(1, 0)] == ["-", "0", "+"]
    found = [divided.tally(part, 1, lambda regions: None).by_layer for part in divided.pieces(1, 0)]
    assert found == [[2], [0], [2]]
    # Twice the neuron less itself vanishes everywhere, on the wall and around it: it is inactive, and ends nothing.
    silent = hidden([[[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]], [[2.0, -1.0, 0.0]]], [[-0.5, -1.0, 0.0], [0.0]])
    divided = divided_of(silent, Box([-1, -1], [1, 1]))
    assert divided.tally(Piece(0, "0"), 1, lambda regions: None).by_layer == [2, 2]


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


@pytest.mark.jit
def test_known_halves_of_many_facets():
    """A pyramid and a prism whose halves have more facets than a word of a mask has bits."""
    angles = 2 * np.pi * np.arange(70) / 70
    base = np.round(np.column_stack([np.cos(angles), np.sin(angles)]) * 4096) / 4096
    pyramid = Polytope(np.vstack([np.column_stack([8 * base, np.zeros(70)]), [[0.0, 0.0, 8.0]]]))
    prism = Polytope(np.vstack([np.column_stack([base, np.full(70, z)]) for z in (-4.0, 4.0)]))
    for domain in (pyramid, prism):
        assert len(root_tile(as_problem(known(), domain).vertices).facets) > 62
        assert count_in_pieces(known(), domain, pieces=2, threads=1).by_layer == count(known(), domain).by_layer


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
    assert set(results) == set(made.pieces)
    assert {result.worker.split(":")[1] for result in results.values()}.isdisjoint({str(os.getpid())})


# Resuming.


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
            process.wait(LONGEST)
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
    recorded_anew(place, Plan.of(known(), CUBE, 4), lambda result: replace(result, seconds=10.0))
    with sqlite3.connect(place) as connection:
        connection.execute("delete from pieces where path = '--'")
        (left,) = connection.execute("select count(*) from pieces").fetchone()
    again = count_in_pieces(known(), CUBE, journal=place)
    assert again.seconds_from_journal == 10 * left == 10 * (again.pieces - 1)
    assert again.seconds < 10
    assert Count.from_dict(json.loads(again.to_json())) == again
    assert f" s + {10 * left} s from the journal" in repr(again)
    run = command(model, place, tmp_path / "count.json")
    run[run.index("--pieces") : run.index("--pieces") + 2] = []
    printed = subprocess.run(run, capture_output=True, text=True, check=True, timeout=LONGEST).stdout
    assert f"and {10 * left} s of one thread's work taken from the journal" in printed
    assert json.loads((tmp_path / "count.json").read_text())["seconds_from_journal"] > 10 * left


def test_known_plans():
    """As many pieces as the expected count asks for, and the same ones every time."""
    assert [halvings(60, 3, pieces) for pieces in (1, 2, 3, 64, 65)] == [0, 1, 2, 6, 7]
    assert halvings(64, 3, None) == 4
    assert halvings(512, 4, None) == 8
    assert halvings(5000, 8, None) == 12
    one, other = (Plan.of(known(), CUBE, None) for _ in range(2))
    assert one.pieces == other.pieces
    assert one.key == other.key
    assert one.key != Plan.of(known(), Box([-1] * 3, [1, 1, 2]), None).key
    walls = [part.path.count("0") for part in one.pieces]
    assert walls == sorted(walls)


# Bad input.


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
def test_laws_leaving_early_stops_what_has_begun():
    """A caller that goes away, by Ctrl-C say, waits for milliseconds and not for pieces."""
    made = Plan.of(known((4, 64, 64, 1)), Box([-1] * 4, [1] * 4), 2)
    work = ThreadWorkers(2).work(made, [*made.pieces[-1:], *made.pieces])
    next(work)  # the wall; the halves take seconds each
    start = time.perf_counter()
    work.close()
    assert time.perf_counter() - start < 2.0
