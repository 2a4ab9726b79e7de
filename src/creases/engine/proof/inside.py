"""Whether points lie strictly inside their regions: a forward pass along each region's own pattern, with bounds.

Running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, section 3.3): a sum of m products of
numbers known up to e is off by at most sum |w| e + (m + 4) u sum |w| (|a| + e). The errors' own rounding is relative,
and ROUND_UP pays for it once a level; what overflows is infinite or NaN, and no sign is proved by it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.graph import COORDINATES, INPUTS, Level, Matrix, absolute, is_sparse
from creases.engine.problem import Floats, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT

__all__ = ["proved_by_floats"]

Bools = NDArray[np.bool_]


class Values(NamedTuple):
    """What a level hands on at each point, how far it may be off, and whether anything has come in at all."""

    at: Floats  # (points, n)
    off: Floats
    touched: Bools


def proved_by_floats(problem: Problem, rays: Floats, bits: Bools) -> Bools:
    """For each ray, whether floats prove that it lies strictly inside the region with its pattern.

    rays : float64 (points, d + 1), homogeneous coordinates of the slice: (u, 1), or (u, 0) for a direction. bits : bool
    (points, N). A unit that nothing comes into vanishes all around, and is inactive.
    """
    graph, splits = problem.graph, problem.graph.first_neurons[1:-1]
    proved: Bools = np.array(np.isfinite(rays).all(axis=1), np.bool_)
    patterns = np.split(bits, splits, axis=1) if graph.layers else []
    with np.errstate(all="ignore"):
        known = {INPUTS: inputs_at(problem, rays), COORDINATES: Values(rays, np.zeros_like(rays), present(rays))}
        for number, level in enumerate(graph.levels, 1):
            sums = summed(level, known, rays[:, -1:])
            if level.slopes is None:
                known[number] = sums
                continue
            on = patterns[graph.layer_of[number]]
            proved &= (told if level.groups is None else told_by_switches)(level, sums, on)
            factors = np.where(on, level.slopes[1], level.slopes[0])
            known[number] = Values(
                np.where(factors != 0.0, factors * sums.at, 0.0),
                np.where(
                    factors != 0.0,
                    np.abs(factors) * (sums.off + UNIT * np.abs(sums.at)) * ROUND_UP
                    + np.where(np.isin(factors, (0.0, 1.0, -1.0)) | ~sums.touched, 0.0, UNDERFLOW),
                    0.0,
                ),
                (factors != 0.0) & sums.touched,
            )
    return proved


def present(rays: Floats) -> Bools:
    """Which homogeneous coordinates change around a ray: all of the slice's, and the last of finite points. That a
    coordinate is zero at the point says nothing of what is around it."""
    changing: Bools = np.ones(rays.shape, np.bool_)
    changing[:, -1] = rays[:, -1] != 0
    return changing


def inputs_at(problem: Problem, rays: Floats) -> Values:
    """The network's inputs at rays of the slice."""
    axes = np.vstack([problem.basis, problem.basis_tail, problem.origin])
    whole = np.column_stack([rays[:, :-1], rays[:, :-1], rays[:, -1:]])
    sizes = np.abs(whole) @ np.abs(axes)
    there = present(rays)
    touched = np.column_stack([there[:, :-1], there]).astype(float) @ (axes != 0) > 0
    off = (len(axes) + 2) * UNIT * sizes * ROUND_UP + np.where(touched, UNDERFLOW, 0.0)
    return Values(whole @ axes, off, touched)


def summed(level: Level, known: dict[int, Values], constant: Floats) -> Values:
    """A level's sums at the points; biases count as often as `constant` says, float64 (points, 1)."""
    at = constant * level.bias
    sizes, off, touched = np.abs(at), np.zeros_like(at), at != 0
    terms = 4.0
    for source, matrix in level.terms:
        below, size = known[source], absolute(matrix)
        at = at + times_each(matrix, below.at)
        sizes = sizes + times_each(size, np.abs(below.at) + below.off)
        off = off + times_each(size, below.off)
        touched = touched | (times_each(nonzero(matrix), below.touched.astype(float)) > 0)
        terms += matrix.shape[1]
    off = (off + terms * UNIT * sizes) * ROUND_UP + np.where(touched, UNDERFLOW, 0.0)
    if level.divisors is not None:
        at, off = at / level.divisors, (off + 2.0 * UNIT * np.abs(at)) / level.divisors * ROUND_UP
        off = off + np.where(touched, UNDERFLOW, 0.0)
    return Values(at, off, touched)


def times_each(matrix: Matrix, values: Floats) -> Floats:
    """The products of a matrix with each row of values (points, m), as (points, n)."""
    return np.asarray((matrix @ values.T).T) if is_sparse(matrix) else values @ matrix.T


def nonzero(matrix: Matrix) -> Matrix:
    """One where a matrix is not zero."""
    return (matrix != 0).astype(np.float64)


def told(level: Level, sums: Values, on: Bools) -> Bools:
    """For each point whether every neuron's sign is proved to be that of the pattern."""
    return np.asarray(np.where(on, sums.at > sums.off, (sums.at < -sums.off) | ~sums.touched).all(axis=1))


def told_by_switches(level: Level, sums: Values, on: Bools) -> Bools:
    """For each point whether every switch's winner is proved to exceed all other candidates."""
    groups = level.groups
    assert groups is not None
    settled: Bools = np.ones(len(on), np.bool_)
    firsts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    for begin, end in zip(firsts.tolist(), [*firsts[1:].tolist(), len(groups)], strict=True):
        won = on[:, begin:end]
        most = np.where(won, sums.at[:, begin:end] - sums.off[:, begin:end], -np.inf).max(axis=1)
        others = np.where(won, -np.inf, sums.at[:, begin:end] + sums.off[:, begin:end]).max(axis=1)
        # With one candidate alone the others are minus infinity, and so is what rounds.
        ahead = (others == -np.inf) | (most - others > 2.0 * UNIT * (np.abs(most) + np.abs(others)))
        settled &= (won.sum(axis=1) == 1) & np.isfinite(most) & ahead
    return settled
