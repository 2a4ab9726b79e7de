"""What can be known of a network before it is cut: layers without rounding, neurons that are multiples of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from creases.engine.convolution import Convolution
from creases.engine.graph import COORDINATES, INPUTS, Graph, Level, Matrix, is_sparse
from creases.engine.problem import Floats, Ints
from creases.engine.proof.rational import as_integers

__all__ = ["NOTHING", "exact_layers", "exact_levels", "is_exact_product", "largest_row", "twins", "twins_of"]


# A size is units * 2^grid, both whole numbers of Python's: sums and products of sizes do not round, and neither does
# their comparison with a limit.
Size = tuple[int, int]

# Multiples of 2^grid up to this many units are floats, and one more unit is not certain to be.
MOST_UNITS = 2**53
# Every number that exact arithmetic meets is a multiple of a power of two above the first and below the second: none
# underflows, none overflows, and the bounds of its layer are finite.
FINEST, COARSEST = -900, 900

# What stands for the neuron of a candidate that is zero everywhere.
NOTHING = -1

# The twins of each graph that is in use.
known_twins: WeakKeyDictionary[Graph, Ints] = WeakKeyDictionary()


def exact_layers(graph: Graph, inputs: dict[int, tuple[Floats, Floats]]) -> list[bool]:
    """For each layer, whether all sums and products in its affine forms and couplings are exact for every pattern.

    inputs : for each level that takes from the inputs the forms (n, k) that come of them on the chart, its biases
        included, and the pairs of their bounds (n, 2).

    Where all numbers that are added are multiples of 2^g, and their absolute values add up to at most 2^(53 + g),
    every partial sum is a float. A product's g is the sum of its factors'; the sizes below multiply in the maximum
    norm. The same holds for couplings that skip layers: they are products of the matrices in between, and of slopes.
    A bound that is a NaN is no zero (`any` takes it for true).
    """
    exact = exact_levels(graph, inputs)
    return [exact[number - 1] for number in graph.layers]


def exact_levels(graph: Graph, inputs: dict[int, tuple[Floats, Floats]]) -> list[bool]:
    """`exact_layers` for each level, linear ones too."""
    known: dict[int, Sizes | None] = {}
    for number, level in enumerate(graph.levels, 1):
        sizes = sizes_of(number, level, inputs, known)
        if sizes is not None and not all(map(fits, (sizes.form, *sizes.couplings.values()))):
            sizes = None
        known[number] = sizes
    return [sizes is not None for sizes in known.values()]


class Sizes(NamedTuple):
    """Of a level whose rows are exact: the largest sum of absolute values of a row's form, and of its couplings to each
    layer below, by the number of that level."""

    form: Size
    couplings: dict[int, Size]


def sizes_of(
    number: int, level: Level, inputs: dict[int, tuple[Floats, Floats]], known: dict[int, Sizes | None]
) -> Sizes | None:
    """The sizes of a level's rows from those of its sources; None if something is not exact."""
    if level.doubts is not None or any(known[source] is None for source in level.sources if source > INPUTS):
        return None
    if number in inputs:
        forms, bounds = inputs[number]
        if bounds.any() or not np.isfinite(forms).all():
            return None
        form = largest_row(forms)
    else:
        form = largest_row(level.bias[:, None])
    couplings: dict[int, Size] = {}
    for source, matrix in level.terms:
        if source == INPUTS:
            continue
        below = known[source] if source != COORDINATES else None  # charts with walls in them have all bits
        if below is None:
            return None
        factor = largest_row(matrix)
        form = plus(form, times(factor, below.form))
        for layer, size in below.couplings.items():
            couplings[layer] = plus(couplings.get(layer, (0, 0)), times(factor, size))
    if level.divisors is not None:
        factor = quotient(level.divisors)
        form, couplings = times(factor, form), {layer: times(factor, size) for layer, size in couplings.items()}
    if level.slopes is None:
        return Sizes(form, couplings)
    if not all(map(fits, (form, *couplings.values()))):
        return None
    # What the level hands on: its rows times their slopes, or its units themselves.
    steepest = largest_row(level.slopes.reshape(-1, 1))
    form, couplings = times(steepest, form), {layer: times(steepest, size) for layer, size in couplings.items()}
    return Sizes(form, {**couplings, number: (1, 0)})


def quotient(divisors: Ints) -> Size:
    """What a division multiplies sizes by; some size that does not fit, if they are not all powers of two."""
    exponents = [int(divisor).bit_length() - 1 for divisor in divisors]
    if any(1 << e != divisor for e, divisor in zip(exponents, divisors.tolist(), strict=True)):
        return 2 * MOST_UNITS, 0
    return 1 << max(exponents) - min(exponents), -max(exponents)


def fits(size: Size) -> bool:
    """Whether multiples of 2^grid up to this size are floats; whole numbers are compared, so nothing rounds."""
    units, grid = size
    return units == 0 or (grid > FINEST and units <= MOST_UNITS and units.bit_length() + grid <= COARSEST)


def times(one: Size, other: Size) -> Size:
    """The product of two sizes."""
    return one[0] * other[0], one[1] + other[1]


def plus(one: Size, other: Size) -> Size:
    """The sum of two sizes, on the finer of their grids; a zero has none."""
    if not (one[0] and other[0]):
        return one if one[0] else other
    grid = min(one[1], other[1])
    return (one[0] << one[1] - grid) + (other[0] << other[1] - grid), grid


def largest_row(matrix: Matrix) -> Size:
    """The largest sum of absolute values of a row, exactly, if it fits; else some size that does not fit.

    The sum of floats decides only whether 63 bits hold the sum of units: n < 2^24 terms lose a relative n u, so a row
    whose sum seems no more than 2 MOST_UNITS is below 3 MOST_UNITS, and one that seems more is above MOST_UNITS.
    """
    grid = finest_bit(matrix.data if is_sparse(matrix) else matrix)
    if not FINEST < grid <= COARSEST:
        return 2 * MOST_UNITS, grid
    with np.errstate(over="ignore", invalid="ignore"):
        units = abs(matrix) * 2.0**-grid  # whole numbers, or infinite
        if not np.asarray(units.sum(axis=1)).max(initial=0.0) <= 2.0 * MOST_UNITS:  # NaN lands here too
            return 2 * MOST_UNITS, grid
    return int(np.asarray(units.astype(np.int64).sum(axis=1)).max(initial=0)), grid


def is_exact_product(forms: Floats, chart: Floats) -> bool:
    """Whether no product and no sum in forms @ chart rounds: all are short numbers."""
    if not (np.isfinite(forms).all() and np.isfinite(chart).all()):
        return False
    return fits(times(largest_row(forms), largest_row(chart.reshape(-1, 1))))


def finest_bit(numbers: Floats) -> int:
    """The largest g for which all numbers are multiples of 2^g; 0 if they are all zero.

    A number is taken apart by frexp, which rounds nothing, and so is the lowest bit of its mantissa: below FINEST what
    is no number.
    """
    mantissas, exponents = np.frexp(numbers[numbers != 0])
    if not mantissas.size or not np.isfinite(mantissas).all():
        return 0 if not mantissas.size else FINEST - 1
    whole = (np.abs(mantissas) * 2.0**53).astype(np.int64)
    _, above = np.frexp((whole & -whole).astype(np.float64))  # a power of two has the mantissa 1/2
    return int((exponents - 54 + above).min())


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
    """A level's weights and biases with the columns of source units that are multiples of each other added up, so that
    rows which are one function by that are the same; None where there are none, or where a sum is no float.

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
    """matrix @ factors where every entry of it is one product with a power of two, or a sum of such without rounding;
    None elsewhere. `factors` has one entry a row."""
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
        moderate = is_power_of_two(factor) and is_moderate(whole[[unit, other]])
        if moderate and np.array_equal(whole[unit], factor * whole[other]):
            factors[unit] = factor * factors[other]
    merged[number] = factors


def is_power_of_two(number: float) -> bool:
    """Whether a positive number is one."""
    return bool(np.frexp(number)[0] == 0.5)


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
