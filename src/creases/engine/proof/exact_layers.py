"""Which layers of a network have no rounding: decided before it is cut, from the sizes of its numbers.

All numbers that are added are multiples of a power of two, and their absolute values add up to so few units of it that
every partial sum is a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from creases.engine.graph import COORDINATES, INPUTS, Graph, Level, Matrix, is_sparse
from creases.engine.problem import Floats, Ints
from creases.engine.proof.choices import choices_of

__all__ = [
    "COARSEST",
    "FINEST",
    "Size",
    "are_powers_of_two",
    "exact_from_sizes",
    "exact_layers",
    "exact_levels",
    "fits",
    "is_exact_product",
    "largest",
    "largest_row",
    "plus",
    "size_of_forms",
    "times",
]


# A size is units * 2^grid, both whole numbers of Python's: sums and products of sizes do not round, and neither does
# their comparison with a limit.
Size = tuple[int, int]

# Multiples of 2^grid up to this many units are floats, and one more unit is not certain to be.
MOST_UNITS = 2**53
# Every number that exact arithmetic meets is a multiple of a power of two above the first and below the second: none
# underflows, none overflows, and the bounds of its layer are finite.
FINEST, COARSEST = -900, 900

# Which levels are exact, of each graph that is in use, for some sizes of the forms of its inputs.
KEPT_ANSWERS = 64
known_exact: WeakKeyDictionary[Graph, dict[tuple[tuple[int, Size | None], ...], list[bool]]] = WeakKeyDictionary()


def exact_layers(graph: Graph, inputs: dict[int, tuple[Floats, Floats]]) -> list[bool]:
    """For each layer, whether all sums and products in its affine forms and couplings are exact for every pattern.

    inputs : for each level that takes from the inputs the forms (n, k) that come of them on the chart, its biases
        included, and the pairs of their bounds (n, 2).

    Where all numbers that are added are multiples of 2^g, and their absolute values add up to at most 2^(53 + g),
    every partial sum is a float. A product's g is the sum of its factors'; the sizes below multiply in the maximum
    norm. The same holds for couplings that skip layers: they are products of the matrices in between, and of slopes.
    A bound that is a NaN is no zero (`any` takes it for true).
    """
    if graph.is_chain and any(bounds.any() for _, bounds in inputs.values()):
        return [False] * len(graph.layers)  # of a chain no layer is exact, where the first one is not
    exact = exact_levels(graph, inputs)
    return [exact[number - 1] for number in graph.layers]


def exact_levels(graph: Graph, inputs: dict[int, tuple[Floats, Floats]]) -> list[bool]:
    """`exact_layers` for each level, linear ones too."""
    return exact_from_sizes(graph, {number: size_of_forms(*forms) for number, forms in inputs.items()})


def exact_from_sizes(graph: Graph, inputs: dict[int, Size | None]) -> list[bool]:
    """`exact_levels`. inputs : for each level that takes from the inputs the size of the forms that come of them."""
    kept, key = known_exact.setdefault(graph, {}), tuple(inputs.items())
    if key not in kept:
        if len(kept) == KEPT_ANSWERS:
            kept.clear()
        kept[key] = find_exact(graph, inputs)
    return kept[key]


def size_of_forms(forms: Floats, bounds: Floats) -> Size | None:
    """The size of the largest of some forms; None if they are not exact."""
    return None if bounds.any() or not np.isfinite(forms).all() else largest_row(forms)


def find_exact(graph: Graph, inputs: dict[int, Size | None]) -> list[bool]:
    """`exact_from_sizes`."""
    known: dict[int, Sizes | None] = {}
    for number, level in enumerate(graph.levels, 1):
        sizes = sizes_of(number, level, inputs, known)
        if sizes is not None and not all(map(fits, (sizes.form, *sizes.couplings.values()))):
            sizes = None
        known[number] = sizes
    exact = [sizes is not None for sizes in known.values()]
    choices = {} if all(exact) else choices_of(graph)
    return exact_where_chosen(graph, inputs, choices, exact) if choices else exact


def exact_where_chosen(
    graph: Graph, inputs: dict[int, Size | None], choices: dict[int, tuple[int, ...]], exact: list[bool]
) -> list[bool]:
    """`exact_levels` by sizes of what rows can be, and not of all that is added up from the inputs on.

    choices : the levels that choose (`choices`). exact : for each level whether it is known to be exact.

    A row of a local network is what its unit is, over the neurons that are open, where the others below are decided in
    some way. If F bounds its form for every way to decide them, and A_m the sum of its couplings to layer m, then where
    neurons of all layers are substituted at most F + sum of A_m F_m is added up, and A_l + sum of A_m A_ml in the
    couplings to layer l. The form of a unit that chooses is one of those it chooses from, and so are its couplings, but
    for one to the neuron that decides.
    """
    known: dict[int, Sizes | None] = {}
    for number, level in enumerate(graph.levels, 1):
        plain = level.slopes is None or bool(np.isin(level.slopes, (0.0, 1.0)).all())
        sizes = sizes_of(number, level, inputs, known) if plain else None
        if sizes is not None and not all(map(fits, (sizes.form, *sizes.couplings.values()))):
            sizes = None
        if sizes is not None and number in choices:
            sizes = sizes_of_choice(level, graph, choices[number], known)
        known[number] = sizes if sizes is not None and fit_where_substituted(number, sizes, known) else None
    return [before or known[number] is not None for number, before in enumerate(exact, 1)]


def sizes_of_choice(level: Level, graph: Graph, chosen: tuple[int, ...], known: dict[int, Sizes | None]) -> Sizes:
    """The sizes of a level that chooses between units of some levels."""
    form, couplings = (0, 0), dict[int, Size]()
    for source in chosen:
        below = known[source]
        assert below is not None  # a source, or the source of one
        form = largest(form, below.form)
        for layer, size in below.couplings.items():
            couplings[layer] = largest(couplings.get(layer, (0, 0)), size)
    for source in level.sources:
        if graph.levels[source - 1].slopes is not None:
            couplings[source] = largest(couplings.get(source, (0, 0)), (1, 0))
    return Sizes(form, couplings)


def fit_where_substituted(number: int, sizes: Sizes, known: dict[int, Sizes | None]) -> bool:
    """Whether all sums are floats that are made where neurons below a level are substituted into its rows."""
    form, couplings = sizes.form, {layer: size for layer, size in sizes.couplings.items() if layer != number}
    sums = dict(couplings)
    for layer, factor in couplings.items():
        below = known[layer]
        assert below is not None  # it is below a source
        form = plus(form, times(factor, below.form))
        for lower, size in below.couplings.items():
            if lower != layer:
                sums[lower] = plus(sums.get(lower, (0, 0)), times(factor, size))
    return all(map(fits, (form, *sums.values())))


class Sizes(NamedTuple):
    """Of a level whose rows are exact: the largest sum of absolute values of a row's form, and of its couplings to each
    layer below, by the number of that level."""

    form: Size
    couplings: dict[int, Size]


def sizes_of(number: int, level: Level, inputs: dict[int, Size | None], known: dict[int, Sizes | None]) -> Sizes | None:
    """The sizes of a level's rows from those of its sources; None if something is not exact."""
    if level.doubts is not None or any(known[source] is None for source in level.sources if source > INPUTS):
        return None
    if number in inputs:
        begin = inputs[number]
        if begin is None:
            return None
        form = begin
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


def largest(one: Size, other: Size) -> Size:
    """A size that bounds both, on the finer of their grids; a zero has none."""
    if not (one[0] and other[0]):
        return one if one[0] else other
    grid = min(one[1], other[1])
    return max(one[0] << one[1] - grid, other[0] << other[1] - grid), grid


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
    """Whether no product and no sum in forms @ chart rounds: all are short numbers.

    If all rows fit, so does the first, which has no finer grid and no larger sum; it rejects most matrices at once.
    """
    if not (np.isfinite(forms).all() and np.isfinite(chart).all()):
        return False
    if has_many_bits(chart.ravel().tolist()) and forms.any():
        return False
    factor = largest_row(chart.reshape(-1, 1))
    return all(fits(times(largest_row(rows), factor)) for rows in (forms[:1], forms))


def has_many_bits(numbers: Sequence[float]) -> bool:
    """Whether some number is more than MOST_UNITS times the finest bit of all of them, and that bit is below 1.

    For few numbers faster than `largest_row`, whose answer it is: such numbers do not fit. The denominators of floats
    are powers of two up to 2^1074, so the largest one says where the finest bit is, and the quotient is exact.
    """
    finest = max(number.as_integer_ratio()[1] for number in numbers)
    return finest > 1 and max(map(abs, numbers)) > MOST_UNITS / finest


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


def are_powers_of_two(numbers: Floats) -> bool:
    """Whether all numbers are powers of two, or their opposites: frexp finds the mantissa 1/2, and rounds nothing."""
    return bool((np.abs(np.frexp(numbers)[0]) == 0.5).all())
