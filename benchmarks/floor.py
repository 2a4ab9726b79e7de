"""The floor: what any program that counts cell by cell must touch at least once, timed bare on this machine.

Regions of the layers below the last are cells. Starting from one, every cut adds one: by_layer[-2] - 1 cuts, each
with two new corners whose errors are proved. Every neuron that crosses a cell of the layer below it must be met there:
its form substituted, evaluated at the corners, and its signs proved; how often that happens is exactly the sum of
`by_neuron`. Both operations are timed on quadrilaterals that stay in the first-level cache, with nothing around them:
no stack, no choice of a row, no bounds for rows that do not cross. For `subdivide` the floor is to write its arrays
once.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from functools import cache

import numba
import numpy as np

import creases
from benchmarks.timing import in_turns

UNIT = 2.0**-53
CELLS = 64  # quadrilaterals of 4 x 8 floats: 16 KB
LOOPS = 20_000


@numba.njit(error_model="numpy", cache=True)
def meeting_point(f, g):
    """Where two lines (three coefficients and two error bounds each) meet, and a proved bound on the error."""
    determinant = f[0] * g[1] - f[1] * g[0]
    trusted = abs(determinant) - 4.0 * UNIT * (abs(f[0] * g[1]) + abs(f[1] * g[0]))
    x = (f[1] * g[2] - f[2] * g[1]) / determinant
    y = (f[2] * g[0] - f[0] * g[2]) / determinant
    size = max(abs(x), abs(y))
    f_left = abs(f[0] * x + f[1] * y + f[2]) + 4.0 * UNIT * ((abs(f[0]) + abs(f[1])) * size + abs(f[2]))
    g_left = abs(g[0] * x + g[1] * y + g[2]) + 4.0 * UNIT * ((abs(g[0]) + abs(g[1])) * size + abs(g[2]))
    f_left += f[3] * size + f[4]
    g_left += g[3] * size + g[4]
    f_most, g_most = max(abs(f[0]), abs(f[1])), max(abs(g[0]), abs(g[1]))
    error = (g_most * f_left + f_most * g_left) / (trusted - g_most * f[3] - f_most * g[3])
    return x, y, error


@numba.njit(error_model="numpy", cache=True)
def cut_all(quads, lines, children, loops):
    """Cut `loops` quadrilaterals across two opposite edges; write both children, four corners each."""
    total = 0.0
    for i in range(loops):
        quad, line = quads[i % quads.shape[0]], lines[i % lines.shape[0]]
        x, y, error = meeting_point(quad[0, 3:], line)
        p, q, other = meeting_point(quad[2, 3:], line)
        for half in range(2):
            child = children[half]
            for corner in range(4):
                child[corner] = quad[corner]
            # One child keeps corners 1 and 2, the other 3 and 0; both get the two new corners.
            first, second = (0, 3) if half == 0 else (1, 2)
            child[first, 0], child[first, 1], child[first, 2] = x, y, error
            child[second, 0], child[second, 1], child[second, 2] = p, q, other
            child[second, 3:] = line
        total += error + other
    return total


@numba.njit(error_model="numpy", cache=True)
def look_at_all(quads, forms, loops):
    """Meet `loops` rows: substitute one neuron into the row's form, evaluate it at four corners, prove its signs."""
    crossing = 0
    for i in range(loops):
        quad, row = quads[i % quads.shape[0]], forms[i % forms.shape[0]]
        below = forms[(i + 1) % forms.shape[0]]
        weight = row[5]
        a, b, c = row[0] + weight * below[0], row[1] + weight * below[1], row[2] + weight * below[2]
        e_g, e_w = row[3] + abs(weight) * below[3], row[4] + abs(weight) * below[4]
        low, high, nearest, error = np.inf, -np.inf, np.inf, 0.0
        for v in range(4):
            value = a * quad[v, 0] + b * quad[v, 1] + c
            low, high, nearest = min(low, value), max(high, value), min(nearest, abs(value))
            error = max(error, quad[v, 2])
        gradient = abs(a) + abs(b)
        bound = e_g + 4.0 * UNIT * gradient + e_w + 4.0 * UNIT * abs(c) + (gradient + e_g) * error
        crossing += low < -bound and high > bound and nearest > bound
    return crossing


def bare_cells():
    """(quads (m, 4, 8), lines (m, 5), forms (m, 6)): near-squares, lines across edges 0 and 2, small rows."""
    rng = np.random.default_rng(0)
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    edges = np.array([[0.0, 1.0, 1.0], [-1.0, 0.0, 1.0], [0.0, -1.0, 1.0], [1.0, 0.0, 1.0]])
    quads = np.zeros((CELLS, 4, 8))
    quads[:, :, :2], quads[:, :, 3:6] = square, edges
    quads[:, :, 6:] = quads[:, :, 2:3] = 1e-15
    lines = np.zeros((CELLS, 5))
    lines[:, 0], lines[:, 1:3], lines[:, 3:] = 1.0, rng.uniform(-0.3, 0.3, (CELLS, 2)), 1e-15
    forms = np.zeros((CELLS, 6))
    forms[:, :3], forms[:, 3:5], forms[:, 5] = rng.standard_normal((CELLS, 3)), 1e-15, 0.1
    return quads, lines, forms


@cache
def bare_seconds():
    """(seconds of one cut, seconds of one look) on this machine."""
    quads, lines, forms = bare_cells()
    children = np.zeros((2, 4, 8))
    cut, look = in_turns(
        lambda: cut_all(quads, lines, children, LOOPS), lambda: look_at_all(quads, forms, LOOPS), runs=9
    )
    return min(cut.runs) / LOOPS, min(look.runs) / LOOPS  # a floor: the least that was seen


@dataclass(frozen=True)
class Floor:
    """How often a case needs either operation, and the seconds that they take bare."""

    name: str
    cuts: int
    looks: int
    seconds: float


def counting_floor(case):
    """The floor of counting a case in a plane."""
    found = creases.count(case.network, case.domain, threads=1, by_neuron=True, progress=False)
    cuts, looks = found.by_layer[-2] - 1, sum(map(sum, found.by_neuron))
    cut, look = bare_seconds()
    return Floor(case.name, cuts, looks, cuts * cut + looks * look)


def writing_floor(cells):
    """Seconds to write a Complex's arrays once, into memory that is new to the process."""
    size = sum(getattr(cells, name).nbytes for name in ("first", "corners", "at_infinity", "edges", "patterns"))

    def write():
        # Pages that the process has not had yet: an allocator would hand out old ones, which are in the cache.
        with mmap.mmap(-1, size) as pages:
            np.frombuffer(pages, np.uint8).fill(1)

    return min(in_turns(write)[0].runs)
