"""Lattices: maxima over minima of affine functions, written as tournaments of ReLUs, as levels of the reference.

min(x, y) = (relu(x + y) - relu(-x - y) - relu(y - x) - relu(x - y)) / 2, and max with plus for the last two. The
benchmark networks of the VNN-COMP's family tll are written so.
"""

import numpy as np

import reference

__all__ = ["KINDS", "lattice_chain", "lattice_levels"]

KINDS = ("short", "long", "whole", "no biases", "repeated")
PAIR = np.array([[1.0, 1.0], [-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])


def meeting(pairs, sign):
    """Matrices from the values of so many pairs to their neurons, and from these to minima (-1) or maxima (1)."""
    return np.kron(np.eye(pairs), PAIR), np.kron(np.eye(pairs), [[0.5, -0.5, 0.5 * sign, 0.5 * sign]])


def functions(rng, n, n_in, kind):
    """Affine functions: with 24 bits, with 53, whole, without biases, or some of them twice."""
    weight, bias = rng.standard_normal((n, n_in)), rng.standard_normal(n)
    if kind == "whole":
        weight, bias = rng.integers(-3, 4, (n, n_in)).astype(float), rng.integers(-3, 4, n).astype(float)
    if kind != "long":
        weight, bias = (numbers.astype(np.float32).astype(float) for numbers in (weight, bias))
    if kind == "no biases":
        bias[:] = 0.0
    if kind == "repeated":
        weight[n // 2 :], bias[n // 2 :] = -weight[: n - n // 2], -bias[: n - n // 2]
    return weight, bias


def chosen(rng, n, groups, slots):
    """Which functions stand in the slots of each group: some, in order, the last one as often as there is room."""
    places = []
    for _ in range(groups):
        some = np.sort(rng.choice(n, rng.integers(1, min(n, slots) + 1), replace=False))
        places += [*some, *[some[-1]] * (slots - len(some))]
    matrix = np.zeros((len(places), n))
    matrix[np.arange(len(places)), places] = 1.0
    return matrix


def stages(groups, slots):
    """For each round of the tournament its number of pairs, and whether it has minima (-1) or maxima (1)."""
    width = groups * slots
    while width > 1:
        width //= 2
        yield width, -1.0 if width >= groups else 1.0


def lattice_levels(rng, n, groups, slots, n_in, kind):
    """Levels of the reference: linear, linear, then ReLUs and linear levels in turns. groups, slots : powers of two."""

    def linear(matrix, bias=None):
        levels.append(reference.Level({len(levels): matrix}, np.zeros(len(matrix)) if bias is None else bias, None))
        levels[-1] = levels[-1]._replace(kink=reference.linear(len(matrix)))

    levels = []
    linear(*functions(rng, n, n_in, kind))
    linear(chosen(rng, n, groups, slots))
    for pairs, sign in stages(groups, slots):
        compared, handed = meeting(pairs, sign)
        levels.append(reference.Level({len(levels): compared}, np.zeros(4 * pairs), reference.relu(4 * pairs)))
        linear(handed)
    return levels[:-1]


def lattice_chain(rng, n, groups, slots, n_in, kind):
    """Weights and biases of the same as a chain of ReLUs, its matrices multiplied out in floats."""
    weight, bias = functions(rng, n, n_in, kind)
    below, layers = chosen(rng, n, groups, slots), []
    for pairs, sign in stages(groups, slots):
        compared, handed = meeting(pairs, sign)
        matrix = compared @ below
        layers.append((matrix, np.zeros(4 * pairs)) if layers else (matrix @ weight, matrix @ bias))
        below = handed
    return layers
