"""Compile every kernel ahead, so that the first count of a new process does not wait for it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from creases.engine.answers.cell_table import cut_into_cells
from creases.engine.answers.gluing import glued, sort_lists
from creases.engine.answers.polytope_table import cut_into_polytopes
from creases.engine.answers.sharp import Sharpener
from creases.engine.answers.tally import tally
from creases.engine.graph import Graph
from creases.engine.jit.quick import at_usual_level
from creases.engine.kernel import CACHE_FOLDER, settings
from creases.engine.lines.together import prepared, sweep_together
from creases.engine.loop.cut import cut
from creases.engine.problem import IntegerPolytope, Problem
from creases.engine.proof.band import bands
from creases.engine.proof.doubled import DoubledForms, add_product, edge_sign, nothing, scale_rows
from creases.engine.proof.edges import RationalEdges
from creases.streams import stream

__all__ = ["must_compile", "warm", "warm_lines", "warm_space"]

# Two small networks with coincident neurons reach every kernel, those behind a tie included.
FIRST_WEIGHTS = np.array([[1.0, 1.0], [1.0, -1.0], [2.0, 2.0], [0.25, 0.5]])
FIRST_BIASES = np.array([0.0, 0.0, 0.0, 0.5])
SECOND_WEIGHTS = np.array([[1.0, -1.0, 0.5, 0.5], [1.0, 1.0, 0.0, -1.0]])
SECOND_BIASES = np.array([0.0, 0.1])
SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
INTERVAL = np.array([[-1.0], [1.0]])

# The main loop is compiled for two kinds of workspace: of lines and planes, and of polytopes.
LOOPS = 2


def must_compile() -> bool:
    """True until the main loop has been compiled for the plane and for space, here or by an earlier process."""
    if settings.DISABLE_JIT:
        return False
    loop: Any = cut  # a dispatcher of Numba
    if len(loop.signatures) >= LOOPS:
        return False
    if loop._cache.ships(loop.py_func) >= LOOPS:
        return False
    # Numba keeps one subfolder for each place that the sources are installed in, and there a file a signature.
    folder = Path(loop._cache.cache_path) if CACHE_FOLDER is not None else None
    return folder is None or len(list(folder.glob("cut.cut-*.nbc"))) < LOOPS


def warm(processes: int = 2) -> float:
    """Compile what is not in the cache yet; returns the seconds that took.

    processes : 2 compiles lines and planes in this process and spaces in another, which takes about as long: Numba
        compiles on one core. 1 compiles all in this one.
    """
    with at_usual_level():
        return warmed(processes)


def warmed(processes: int) -> float:
    """`warm`, at the level of compiling that is set."""
    start = time.perf_counter()
    other = None
    if processes > 1 and CACHE_FOLDER is not None and must_compile():
        program = "from creases.engine.warm import at_usual_level, warm_space\nwith at_usual_level():\n    warm_space()"
        other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for d in (1, 2):
        for vertices in (small(d).vertices, None):
            domain = small(d)._replace(vertices=vertices)
            tally(domain, threads=1, by_neuron=True, report=ignore)
            cut_into_cells(domain, threads=1, report=ignore)
    warm_lines()
    if other is not None:
        other.wait()
    warm_space()  # what the other process has not done, this one does
    return time.perf_counter() - start


def warm_lines() -> None:
    """Compile what sweeps lines, and what computes ill-conditioned corners in double-double."""
    from scipy.sparse import csr_array  # counts of chains do without

    none = np.empty(0, np.int64), np.empty((0, 2)), np.empty(0, np.bool_), np.empty(0, np.int64)
    Sharpener(small(2), RationalEdges.of(small(2))).sharpen(
        np.empty((0, 2), np.int64), 1.0, *none, np.empty((0, 1), np.int64)
    )
    rows = DoubledForms(small(2), np.eye(3)).forms(0, [])
    edge_sign([rows.row(0), rows.row(1)], rows.row(2))
    total = nothing(3, 3)  # sparse matrices and slopes, as graphs have them
    add_product(csr_array(np.eye(3)), nothing(3, 3), total)
    scale_rows(np.ones(3), np.zeros(3), np.zeros(3), *total)
    bands(*np.array([[-1.0], [1.0], [0.5], [1.0]]))  # of units with two slopes
    ends = np.array([[-1.0, 1.0]])
    sweep_together(
        prepared([FIRST_WEIGHTS, SECOND_WEIGHTS], [FIRST_BIASES, SECOND_WEIGHTS[:, 0]]),
        np.ones((1, 2)),
        np.ones((1, 2)),
        ends,
    )


def warm_space() -> None:
    """Compile what cuts three dimensions and more: a cube and a whole space, with coincident planes in them."""
    rng = stream("networks that warm the kernels", 0)
    weights = (np.vstack([np.eye(3), np.eye(3)[:1]]), rng.standard_normal((3, 4)))
    problem = Problem(Graph.chain(weights, (np.zeros(4), np.ones(3))), np.zeros(3), np.eye(3), np.zeros((3, 3)), None)
    rays = [(x, y, z, 1) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    walls = [(*(sign * (i == j) for j in range(3)), 1) for i in range(3) for sign in (1, -1)]
    masks = [sum(1 << w for w, wall in enumerate(walls) if np.dot(wall, ray) == 0) for ray in rays]
    cube = IntegerPolytope(tuple(rays), tuple(walls), tuple(masks))
    for vertices in (cube, None):
        tally(problem._replace(vertices=vertices), threads=1, by_neuron=True, report=ignore)
    # Cells are put together by the same kernels in any dimension. The arrays of a Complex are read-only.
    inside = problem._replace(vertices=cube)
    table = cut_into_polytopes(inside, threads=1, report=ignore)
    for array in (table.at_infinity, table.patterns):
        array.flags.writeable = False
    glued(inside, table.first, table.corners, table.at_infinity, table.patterns, table.sides, 0)
    sort_lists(np.array([0, 1]), np.array([0]))


def small(d: int) -> Problem:
    """A network of two layers on the interval (d = 1) or the square."""
    return Problem(
        graph=Graph.chain((np.ascontiguousarray(FIRST_WEIGHTS[:, :d]), SECOND_WEIGHTS), (FIRST_BIASES, SECOND_BIASES)),
        origin=np.zeros(d),
        basis=np.eye(d),
        basis_tail=np.zeros((d, d)),
        vertices=SQUARE if d == 2 else INTERVAL,
    )


def ignore(regions: int) -> None:
    """A progress report that nobody reads."""
