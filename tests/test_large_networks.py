"""Networks too large for their matrices to be written out: with a journal, on a cluster, and what is not done.

Small ones are made large by the number of entries at which matrices are no longer written out, so that a count of
written-out matrices stands beside each.
"""

import numpy as np
import pytest

import creases
from creases import (
    Ball,
    Box,
    Circle,
    Directions,
    Line,
    Plane,
    Polyline,
    Segment,
    Simplex,
    Space,
    Subspace,
    build,
    count,
    count_in_pieces,
    count_linear_regions,
    count_many,
    lowering,
    packing,
    subdivide,
    subdivide_to_parquet,
)
from creases.errors import ComputationError
from creases.scheduling import Journal
from creases.scheduling import front as front_door
from creases.scheduling.plan import Plan
from creases.scheduling.workers import ThreadWorkers

pytestmark = pytest.mark.jit


def convolutional(side=4, seed=3):
    """Two convolutions with a skip over the second, a max pool (of four inputs none) and a dense layer."""
    rng = np.random.default_rng(seed)
    h = build.relu(build.conv(build.input(1, side, side), rng.normal(size=(2, 1, 3, 3)), [0.2, -0.1], padding=1))
    h = build.relu(build.add(h, build.conv(h, rng.normal(size=(2, 2, 3, 3)), [0.1, -0.3], padding=1)))
    h = build.flatten(build.max_pool(h, 2) if side > 2 else h)
    return build.network(build.dense(build.relu(build.dense(h, rng.normal(size=(5, h.shape[0])))), np.ones((1, 5))))


@pytest.fixture
def large(monkeypatch):
    """Makes a network large from then on; what is counted of it before is of written-out matrices."""

    def make(network):
        monkeypatch.setattr(lowering, "MOST_ENTRIES", -1)
        packing.graphs.pop(network, None)
        assert packing.graph_of(network).is_large
        return network

    return make


POINTS = np.random.default_rng(1).uniform(-1, 1, size=(4, 16))
PLANE = Plane.through(*POINTS[:3])
WINDOW = PLANE.square(0.5)


def known():
    """A network, and what counts of it must be."""
    network = convolutional()
    wanted = count(network, WINDOW, progress=False)
    assert wanted.certified
    assert wanted.regions > 50
    return network, wanted


def assert_same(found, wanted):
    assert (found.by_layer, found.certified, found.unproved_signs) == (wanted.by_layer, True, 0)


# In pieces.


def test_laws_a_journal_of_a_large_network_is_gone_on_from(large, tmp_path, monkeypatch):
    """What an interrupted count has written is not counted again, and the sum is what it would have been."""
    network, wanted = known()
    large(network)
    place = tmp_path / "runs.db"
    made = Plan.of(network, WINDOW, 8)
    assert len(made.pieces) > 4
    with Journal(place) as journal:
        number = journal.begin(made)
        for result in ThreadWorkers(1).work(made, made.pieces[:3]):
            journal.record(number, result)
    packing.graphs.pop(network, None)
    counted = []

    class Noting(ThreadWorkers):
        def work(self, plan, pieces):
            counted.extend(pieces)
            return super().work(plan, pieces)

    monkeypatch.setattr(front_door, "ThreadWorkers", Noting)
    found = count_in_pieces(network, WINDOW, pieces=8, threads=1, journal=place, progress=False)
    assert_same(found, wanted)
    assert sorted(map(str, counted)) == sorted(map(str, made.pieces[3:]))
    assert found.seconds_from_journal > 0
    counted.clear()
    assert_same(count_in_pieces(network, WINDOW, threads=1, journal=place, progress=False), wanted)
    assert counted == []


def test_bad_input_a_journal_keeps_a_large_network_apart_from_others(large, tmp_path):
    """Another network of the same shape is another count."""
    network, wanted = known()
    other = convolutional(seed=4)
    others = count(other, WINDOW, progress=False)
    assert others.by_layer != wanted.by_layer
    for one, counted in ((network, wanted), (other, others), (network, wanted)):
        found = count_in_pieces(large(one), WINDOW, pieces=4, threads=1, journal=tmp_path / "both.db", progress=False)
        assert_same(found, counted)


def test_known_a_cluster_counts_a_large_network(large):
    """Its worker is another process, where matrices of this size would be written out: it is sent none."""
    from distributed import LocalCluster

    network, wanted = known()
    large(network)
    settings = {"n_workers": 1, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**settings) as cluster:
        found = count_in_pieces(network, WINDOW, pieces=4, cluster=cluster.scheduler_address, progress=False)
    assert_same(found, wanted)
    assert found.pieces > 1


# What is not done, with what is done instead.

LINE, PATH = Line(POINTS[0], POINTS[1]), Polyline(POINTS)
SUBSPACES = [Subspace(POINTS[0], POINTS[1 : 1 + d]) for d in (1, 2, 3)]
ROUND = Polyline(POINTS, closed=True)

# Of four inputs where they are all cut: of more than eight dimensions a Space is refused in any case.
REMEDIES = [
    (LINE, "Segment(line.point, line.point + line.direction)", [Segment(LINE.point, LINE.point + LINE.direction)]),
    (PLANE, "plane.square(1.0)", [PLANE.square(1.0)]),
    *(
        (one, "Simplex(np.eye(d + 1, d), inside=subspace)", [Simplex(np.eye(d + 1, d), inside=one)])
        for d, one in enumerate(SUBSPACES, start=1)
    ),
    (Space(4), "Box([-1.0] * n, [1.0] * n)", [Box([-1.0] * 4, [1.0] * 4)]),
    (PATH, "creases.count_many(network, path.segments)", PATH.segments),
    (ROUND, "creases.count_many(network, path.segments)", ROUND.segments),
    (Ball([0.0, 0.0], 0.5, inside=PLANE), "plane.square(radius)", [PLANE.square(0.5)]),
    (Circle([0.0, 0.0], 0.5, inside=PLANE), "plane.square(radius)", [PLANE.square(0.5)]),
]


def of_inputs(domain):
    return convolutional(2 if domain.slice.basis.shape[1] == 4 else 4)


@pytest.mark.parametrize(("domain", "remedy", "instead"), REMEDIES, ids=lambda value: repr(value)[:40])
def test_bad_input_domains_of_large_networks_are_refused_with_what_is_counted_instead(domain, remedy, instead, large):
    network = of_inputs(domain)
    wanted = count_many(network, list(instead), progress=False)
    large(network)
    with pytest.raises(ComputationError) as caught:
        count(network, domain, progress=False)
    told = str(caught.value)
    assert told.startswith(f"{domain!r} ")
    assert repr(network) in told
    assert remedy in told
    # The remedy is one.
    for found, plain in zip(count_many(network, list(instead), progress=False), wanted, strict=True):
        assert_same(found, plain)
        assert found.regions > 1


def test_bad_input_directions_of_large_networks(large):
    """Counted in a box around zero, where it is said that not all is proved."""
    network = of_inputs(Directions(4))
    wanted = count(network, Directions(4), progress=False)
    with pytest.raises(
        ComputationError, match=r"Directions\(4\) has no bounds.*count\(network\.without_biases\(\), Box"
    ):
        count(large(network), Directions(4), progress=False)
    found = count(large(network.without_biases()), Box([-1.0] * 4, [1.0] * 4), progress=False)
    assert found.regions == wanted.regions
    assert not found.certified


@pytest.mark.parametrize("domain", [LINE, PLANE, SUBSPACES[2]], ids=repr)
def test_bad_input_domains_without_bounds_are_no_more_in_pieces(domain, large):
    with pytest.raises(ComputationError, match=r"has no bounds: the matrices of Network.* are too large"):
        count_in_pieces(large(convolutional()), domain, pieces=4, threads=1, progress=False)


@pytest.mark.parametrize("list_all", [subdivide, subdivide_to_parquet, count_linear_regions], ids=lambda f: f.__name__)
def test_bad_input_regions_of_large_networks_are_not_listed(list_all, large, tmp_path):
    network, wanted = known()
    large(network)
    more = [tmp_path / "cells"] if list_all is subdivide_to_parquet else []
    for domain, remedy in (
        (WINDOW, "Use creases.count(network, domain)."),
        (PATH, "creases.count_many(network, path.segments)."),
        (LINE, "as in Segment(line.point, line.point + line.direction)."),
    ):
        with pytest.raises(ComputationError) as caught:
            list_all(network, domain, *more, progress=False)
        told = str(caught.value)
        assert told.startswith(f"{domain!r} ")
        assert told.endswith(remedy)
    assert_same(creases.count(network, WINDOW, progress=False), wanted)


def test_known_small_networks_are_not_refused():
    """The same domains, of the same network, while its matrices are written out."""
    for domain, _, _ in REMEDIES:
        assert count(of_inputs(domain), domain, progress=False).regions > 1
