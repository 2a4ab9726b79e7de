"""A failing case made small: layers, neurons and digits are taken away while it fails in the same way."""

import math
from dataclasses import replace

from fuzz.checking import check


def shrunk(case, kind):
    """The smallest case found, one step at a time, that `check` answers with the same kind of failure."""
    while True:
        smaller = next((other for other in simpler(case) if check(other).kind == kind), None)
        if smaller is None:
            return check(case).case
        case = smaller


def simpler(case):
    """Cases with less in them, those with much less first."""
    if case.subdivide:
        yield replace(case, subdivide=False)
    if case.pieces:
        yield replace(case, pieces=0)
    for depth in range(1, len(case.weights)):
        yield case.cut_to(depth)
    for layer, bias in enumerate(case.biases):
        if len(bias) > 1:
            yield from (without(case, layer, neuron) for neuron in range(len(bias)))
    yield from with_fewer_digits(case)


def without(case, layer, neuron):
    """The case without one neuron: its row, and the column above."""
    weights = [[list(row) for row in rows] for rows in case.weights]
    biases = [list(bias) for bias in case.biases]
    del weights[layer][neuron], biases[layer][neuron]
    if layer + 1 < len(weights):
        for row in weights[layer + 1]:
            del row[neuron]
    return replace(case, weights=weights, biases=biases)


def with_fewer_digits(case):
    """The case with one number replaced by 0, by a power of two near it, or by three decimal digits of it."""
    for layer, (rows, bias) in enumerate(zip(case.weights, case.biases, strict=True)):
        for j in range(len(rows)):
            for i, x in enumerate((*rows[j], bias[j])):
                for y in simpler_numbers(x):
                    row = [*rows[j], bias[j]]
                    row[i] = y
                    weights, biases = [list(map(list, w)) for w in case.weights], [list(b) for b in case.biases]
                    weights[layer][j], biases[layer][j] = row[:-1], row[-1]
                    yield replace(case, weights=weights, biases=biases)


def simpler_numbers(x):
    """Numbers to try in the place of x; each is simpler than the one after it."""
    chain = [y for y in (0.0, 1.0, -1.0, float(f"{x:.0e}"), float(f"{x:.2e}")) if math.isfinite(y)]
    return chain[: chain.index(x)] if x in chain else chain
