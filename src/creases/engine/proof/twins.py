"""Which neurons are multiples of others, found before a network is cut.

Neurons whose weights and biases are proportional have one zero set, whatever the layers below do; so have neurons that
become proportional once units below that are multiples of each other are written as multiples of one. That rows are
proportional is decided in whole numbers, and no sum is formed that might round.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from creases.engine.convolution import Convolution
from creases.engine.graph import Graph, Level, Matrix, is_sparse
from creases.engine.problem import Floats, Ints
from creases.engine.proof.exact_layers import COARSEST, FINEST, are_powers_of_two
from creases.engine.proof.rational import as_integers

__all__ = ["NOTHING", "twins", "twins_of"]

# What stands for the neuron of a candidate that is zero everywhere.
NOTHING = -1

# The twins of each graph that is in use.
known_twins: WeakKeyDictionary[Graph, Ints] = WeakKeyDictionary()


def twins_of(graph: Graph) -> Ints:
    """For each unit which other it is a multiple of (`twins`), layer after layer; for each candidate of a switch 1 +
    the neuron with ReLU, counted through all layers, whose activation it is a positive multiple of, NOTHING where it is
    zero everywhere, or 0."""
    twins = known_twins.get(graph)
    if twins is None:
        twins = known_twins[graph] = find_twins(graph)
    return twins


def find_twins(graph: Graph) -> Ints:
    """`twins_of`."""
    by_layer = [np.zeros(0, np.int64)]
    copied: dict[int, Ints] = {}
    merged: dict[int, Floats] = {}
    switches = any(level.groups is not None for level in graph.levels)
    for number, level in enumerate(graph.levels, 1):
        if switches:
            copied[number] = copies(level, copied)
        if level.slopes is not None:
            if level.groups is not None:
                by_layer.append(copied[number])
            else:
                rows = merged_rows(level, merged)
                by_layer.append(twins_in(level, graph.is_large) if rows is None else twins(*rows))
                note_merged(number, level, by_layer[-1], rows, merged)
        if switches and level.slopes is not None:
            copied[number] = activations(number, level, graph)
    return np.concatenate(by_layer)


def merged_rows(level: Level, merged: dict[int, Floats]) -> tuple[Floats, Floats] | None:
    """A level's weights and biases, with the weights of source units that are multiples of others put into the columns
    of those others, times the factor: rows that are one function by that are then the same.

    None where no source has such units, and where two weights of a row come into one column: sums are not formed.
    merged : for each level that has such units how its values are made of the others (`note_merged`).
    """
    if level.doubts is not None or not any(source in merged for source in level.sources):
        return None
    matrices = []
    for source, matrix in level.terms:
        if is_sparse(matrix) or isinstance(matrix, Convolution):
            return None
        matrices.append(exact_product(matrix, merged[source]) if source in merged else matrix)
    if any(matrix is None for matrix in matrices):
        return None
    return np.concatenate([matrix for matrix in matrices if matrix is not None], axis=1), level.bias


def exact_product(matrix: Floats, factors: Floats) -> Floats | None:
    """matrix @ factors, where every entry of it is zero or one product with a power of two, far from under- and
    overflow; None where an entry is a sum of several. `factors` has one entry a row, a power of two."""
    terms = (matrix != 0).astype(np.float64) @ (factors != 0).astype(np.float64)  # whole numbers, which do not round
    with np.errstate(all="ignore"):  # what is not finite is not moderate
        product = matrix @ factors
    return product if (terms <= 1).all() and all(map(is_moderate, (matrix, factors, product))) else None


def is_moderate(numbers: Floats) -> bool:
    """Whether all numbers are zero, or so far from under- and overflow that products of two of them are, too."""
    sizes = np.abs(numbers[numbers != 0])  # a NaN is in no range
    return bool((sizes >= 2.0 ** (FINEST // 2)).all() and (sizes <= 2.0 ** (COARSEST // 2)).all())


def note_merged(
    number: int, level: Level, twin_of: Ints, rows: tuple[Floats, Floats] | None, merged: dict[int, Floats]
) -> None:
    """Note how the activations of a layer are made of those of fewer neurons, if some are positive multiples of others.

    A neuron that is f > 0 times another one has f times its activation, where both have the same slopes: those of the
    kink do not see the scale.
    """
    if level.slopes is None or level.divisors is not None or not (twin_of > 0).any():
        return
    if rows is None:
        if len(level.matrices) != 1 or is_sparse(level.matrices[0]) or isinstance(level.matrices[0], Convolution):
            return
        rows = level.matrices[0], level.bias
    whole = np.concatenate([rows[0], rows[1][:, None]], axis=1)
    factors = np.eye(len(whole))
    for unit in np.flatnonzero(twin_of > 0).tolist():
        other = int(twin_of[unit]) - 1
        if not np.array_equal(level.slopes[:, unit], level.slopes[:, other]):
            continue
        lead = int((whole[other] != 0).argmax())
        with np.errstate(all="ignore"):
            factor = whole[unit, lead] / whole[other, lead]
        # Otherwise the products with the factor might round.
        moderate = are_powers_of_two(factor) and is_moderate(whole[[unit, other]])
        if moderate and np.array_equal(whole[unit], factor * whole[other]):
            factors[unit] = factor * factors[other]
    merged[number] = factors


def copies(level: Level, copied: dict[int, Ints]) -> Ints:
    """For each unit's sum 1 + the neuron whose activation it is a positive multiple of, or NOTHING; 0 where it is
    neither."""
    origins, entries = np.zeros(len(level.bias), np.int64), np.zeros(len(level.bias), np.int64)
    if any(isinstance(matrix, Convolution) for matrix in level.matrices):
        return origins
    for source, matrix in level.terms:
        rows, columns = matrix.nonzero()
        values = matrix.data[matrix.data != 0] if is_sparse(matrix) else matrix[rows, columns]
        np.add.at(entries, rows, 1)
        if source in copied:
            below = copied[source][columns]
            origins[rows] = np.where((values > 0) | (below == NOTHING), below, 0)
    exact = True if level.doubts is None else level.doubts.is_exact
    origins[entries == 0] = NOTHING
    return np.where((entries <= 1) & (level.bias == 0) & exact, origins, 0)


def activations(number: int, level: Level, graph: Graph) -> Ints:
    """`copies` of a layer's activations."""
    assert level.slopes is not None
    if level.groups is not None:
        return np.zeros(len(level.bias), np.int64)  # one of several: which, the pattern says
    first = graph.first_neurons[graph.layer_of[number]]
    plain = (level.slopes[0] == 0) & (level.slopes[1] > 0)
    return np.where(plain, 1 + first + np.arange(len(level.bias)), 0)


def twins_in(level: Level, large: bool) -> NDArray[np.int64]:
    """`twins` of a level's neurons. A switch has none; of too many numbers, or such as are not exact, none are known.

    large : whether the graph's matrices are not written out.
    """
    if level.groups is not None or level.doubts is not None or large:
        return np.zeros(len(level.bias), np.int64)
    if any(map(is_sparse, level.matrices)):
        return twins_of_sparse(level.matrices, level.bias)
    matrices = level.matrices
    return twins(matrices[0] if len(matrices) == 1 else np.concatenate(matrices, axis=1), level.bias)


def twins_of_sparse(matrices: Sequence[Matrix], bias: Floats) -> NDArray[np.int64]:
    """`twins` of rows that stand in several matrices side by side: their numbers are compared where there are any."""
    from scipy.sparse import csr_array, hstack  # which a chain does without

    rows = csr_array(hstack([*map(csr_array, matrices), csr_array(bias[:, None])]))
    rows.eliminate_zeros()
    rows.sort_indices()
    twin_of, columns = np.zeros(len(bias), np.int64), rows.shape[1]
    counts, starts = np.diff(rows.indptr), rows.indptr[:-1]
    used = np.flatnonzero(counts)
    if not used.size:
        return twin_of
    with np.errstate(all="ignore"):
        shapes = rows.data / np.repeat(rows.data[starts[used]], counts[used]) + 0.0
        keys = np.add.reduceat(shapes.view(np.int64) * (2 * rows.indices.astype(np.int64) + 1), starts[used]).tolist()
    if len(set(keys)) == len(keys):
        return twin_of
    seen: dict[int, list[int]] = {}
    for i, key in zip(used.tolist(), keys, strict=True):
        ours = slice(rows.indptr[i], rows.indptr[i + 1])
        if rows.indices[ours.start] == columns - 1:  # a bias alone
            continue
        others = seen.setdefault(key, [])
        for j in others:
            theirs = slice(rows.indptr[j], rows.indptr[j + 1])
            one, other = rows.data[ours], rows.data[theirs]
            if np.array_equal(rows.indices[ours], rows.indices[theirs]) and are_multiples(one, other, 0):
                twin_of[i] = (j + 1) * (1 if (one[0] > 0) == (other[0] > 0) else -1)
                break
        else:
            others.append(i)
    return twin_of


def twins(weight: Floats, bias: Floats) -> NDArray[np.int64]:
    """For each neuron of a layer 1 + the first neuron that it is exactly a multiple of, negative for a negative factor.

    0 where there is none. Two such neurons have one zero set, whatever the layers below do.
    A row divided by its first number that is not zero is the same row of floats for all multiples, because division
    rounds correctly; the rows that agree so are compared in integers.
    """
    rows = np.concatenate([weight, bias[:, None]], axis=1) + 0.0
    twin_of = np.zeros(len(rows), dtype=np.int64)
    with np.errstate(all="ignore"):
        quotients = rows[:, 0] / rows[:, 1]
    quotients[np.isinf(quotients)] = np.inf  # opposites have opposite ones
    # Multiples have equal quotients too; where all differ, as they mostly do, there is no more to look at.
    if not np.isnan(quotients).any() and len(set(quotients.tolist())) == len(rows):
        return twin_of
    nonzero = weight != 0
    lead = nonzero.argmax(axis=1)
    with np.errstate(all="ignore"):
        shapes = rows / rows[np.arange(len(rows)), lead][:, None] + 0.0
    # Equal rows have equal sums of their bits; seldom has any other pair.
    keys = shapes.view(np.int64).sum(axis=1).tolist()
    if len(set(keys)) == len(rows):
        return twin_of
    seen: dict[int, list[int]] = {}
    for i, key in enumerate(keys):
        if not nonzero[i, lead[i]]:
            continue
        others = seen.setdefault(key, [])
        for j in others:
            if lead[i] == lead[j] and are_multiples(rows[i], rows[j], int(lead[i])):
                twin_of[i] = (j + 1) * (1 if (rows[i, lead[i]] > 0) == (rows[j, lead[i]] > 0) else -1)
                break
        else:
            others.append(i)
    return twin_of


def are_multiples(row: Floats, other: Floats, lead: int) -> bool:
    """Whether two rows are proportional, exactly."""
    if np.array_equal(row, other) or np.array_equal(row, -other):
        return True
    (ours, theirs), _ = as_integers(row, other)
    a, b = ours[lead], theirs[lead]
    return all(x * b == y * a for x, y in zip(ours, theirs, strict=True))
