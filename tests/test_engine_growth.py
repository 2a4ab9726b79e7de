"""Every write into a workspace asks for room: starting cells and waiting ones larger than what an array had at first.

Where an index is not checked, what is written beyond an array is another's memory; so each kind of start has a case
here, for `make test-bounds` and for kernels that are plain Python.
"""

import threading
import time

import numpy as np
import pytest

from creases import Box, Network, Plane, Polygon, Polytope, count, count_in_pieces, subdivide
from creases.engine.loop import frontier
from creases.engine.loop.frontier import run
from creases.engine.starts.bounded import root_tile
from creases.engine.starts.starting import starts, workspace
from creases.engine.starts.tiles import start_of
from creases.engine.starts.walls import halved
from creases.engine.starts.workshop import Workshop
from creases.engine.state.cell_layout import (
    CELL,
)
from creases.engine.state.growth import grown
from creases.engine.state.handing import give, load
from creases.engine.state.slots import (
    CORNERS,
    FULL,
    HAVE,
    WAITING,
)
from creases.engine.state.stack import copy_cell_to_child, pop, push
from creases.packing import as_problem
from engine_states import Cut, one_layer
from networks import random_network


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def disc(corners):
    angles = 2 * np.pi * np.arange(corners) / corners
    return np.column_stack([np.cos(angles), np.sin(angles)])


def product_of_polygons(sides, times):
    """A product of regular polygons, each around the origin: sides ** times corners in R^(2 times)."""
    return Polytope.where(np.kron(np.eye(times), np.round(disc(sides) * 64)), np.full(sides * times, 64.0))


STARTS = {
    "polygon": lambda: Polygon(disc(513)),
    "polygon of thousands": lambda: Polygon(disc(3000)),
    "polygon in a plane of four inputs": lambda: Polygon(disc(600), Plane(np.zeros(4), np.eye(4)[:2])),
    "polytope of two dimensions": lambda: Polytope.where(np.round(disc(530) * 2**40), [2.0**40 / 3] * 530),
    "product of three polygons": lambda: product_of_polygons(9, 3),
    "product of four polygons": lambda: product_of_polygons(5, 4),
}


@pytest.fixture(scope="module", params=STARTS, ids=lambda name: name.replace(" ", "-"))
def domain(request):
    return STARTS[request.param]()


def test_laws_a_starting_cell_is_whole(domain):
    """In a new workspace, and in one that a small domain has left."""
    n_in = domain.slice.n_in
    problem = as_problem(hidden([np.ones((2, n_in))], [np.ones(2)]), domain)
    workshop = Workshop()
    small = as_problem(hidden([np.ones((2, n_in))], [np.ones(2)]), Box([-1] * n_in, [0] * n_in))
    if small.dimension == problem.dimension:
        workshop.give_back(workspace(small, workshop.bounded_start(small.vertices), workshop))
    (start,) = starts(problem, workshop)
    for _ in range(2):
        work = workspace(problem, start, workshop)
        corners = len(start.corners)
        assert work.state[CORNERS] == corners > 500
        assert (work.state[HAVE], work.state[WAITING]) == (1, 0)
        places = work.points[CELL, :-1, :corners].T if problem.dimension > 2 else work.cell_reals[CELL, :corners, :2]
        assert np.array_equal(places, start.corners[:, :-1])
        workshop.give_back(work)


def test_laws_a_half_of_a_tile_is_whole():
    """What work in pieces begins with."""
    problem = one_layer([[1.0, 2.0, 0.0]], disc(1200))
    for part in halved(root_tile(problem.vertices)):
        start = start_of(part)
        work = workspace(problem, start, Workshop())
        assert work.state[CORNERS] == len(start.corners)


@pytest.mark.parametrize("d", [2, 3])
def test_laws_a_cell_is_handed_to_a_workspace_that_has_not_grown(d):
    """A thread's arrays grow with its own cells; what it is given may be larger."""
    if d == 2:
        domain, small = Polygon(disc(700)), Box([-1] * 2, [1] * 2)
    else:
        points = disc(20)
        domain = Polytope(np.vstack([np.column_stack([points, np.full(20, z)]) for z in (-1.0, 1.0)]))
        small = Box([-1] * 3, [1] * 3)
    network = hidden([np.eye(d)], [np.zeros(d)])
    giver, taker = (Cut(as_problem(network, one)).work for one in (domain, small))
    corners = len(Cut(as_problem(network, domain)).start.corners)
    assert taker.values_nc.shape[1] < corners
    copy_cell_to_child(giver, corners)
    while push(giver, corners, d) == FULL:
        giver = grown(giver)
    taken = load(taker, give(giver))
    pop(taken)
    assert taken.state[CORNERS] == corners <= taken.values_nc.shape[1]


@pytest.mark.jit
def test_known_counts_of_discs():
    """Lines through the middle of a disc, and one beside it: 2 n + 2 regions, whatever its corners."""
    angles = np.pi * (np.arange(5) + 0.3) / 5
    lines = np.column_stack([np.cos(angles), np.sin(angles)])
    network = hidden([np.vstack([lines, [[1.0, 0.0]]])], [np.array([0.0] * 5 + [-0.999999])])
    for corners in (513, 10_000):
        shape = Polygon(disc(corners))
        assert count(network, shape).by_layer == subdivide(network, shape).by_layer == (11,)
    assert count_in_pieces(network, Polygon(disc(1500)), pieces=3, threads=1).by_layer == (11,)


@pytest.mark.jit
@pytest.mark.parametrize(("sides", "times"), [(9, 3), (5, 4)])
def test_known_counts_of_products(sides, times):
    """A neuron of one factor's coordinates each: the regions multiply."""
    weights = np.kron(np.eye(times), [[1.0, 0.5]])
    assert count(hidden([weights], [np.zeros(times)]), product_of_polygons(sides, times)).by_layer == (2**times,)


@pytest.mark.jit
def test_laws_a_first_thread_that_comes_late(monkeypatch):
    """The stack is its own: another thread that is there before it has nothing to do yet."""

    class Late(threading.Thread):
        made = 0

        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.number, Late.made = Late.made, Late.made + 1

        def run(self):
            time.sleep(0.0 if self.number else 0.5)
            super().run()

    network = Network.from_arrays(*random_network([2, 30, 30, 1], 0, 0.3))
    problem = as_problem(network, Box([-1] * 2, [1] * 2))
    expected = count(network, Box([-1] * 2, [1] * 2), threads=1).by_layer
    monkeypatch.setattr(frontier, "ALONE", 100)
    monkeypatch.setattr(frontier.threading, "Thread", Late)
    workshop = Workshop()
    (start,) = starts(problem, workshop)
    sums = [work.by_layer.copy() for work, _ in run(problem, start, 3, False, None, lambda _: None, workshop)]
    assert tuple(sum(sums).tolist()) == expected
