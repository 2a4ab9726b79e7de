"""Whether creases and the reference say the same about a case.

Compared are the regions after each layer, the neurons' own counts, how many regions reach infinity, and where the
case is subdivided, the set of patterns and a point inside each cell. Creases may refuse to subdivide a whole line
or plane (ComputationError is documented there); nothing else may be raised, and nothing warned of.
"""

import time
import traceback
import warnings
from typing import NamedTuple

import creases
import reference
from creases.domain import domain_from_dict
from creases.errors import ComputationError
from fuzz.cases import Case
from fuzz.domains import is_whole, specification

# The network of a case ends with the layer after which it has more regions: fractions are slow.
MOST_CELLS = 60

FAILURES = ("wrong", "error", "warning", "hang", "crash")


class Expected(NamedTuple):
    by_layer: tuple
    by_neuron: tuple
    unbounded: int
    patterns: list


class Outcome(NamedTuple):
    """case : as it was checked. kind : "right", one of FAILURES, or "undecided" if the reference took too long.
    cells : how many the reference decided. exact : for how many creases needed rationals."""

    case: Case
    kind: str
    message: str = ""
    cells: int = 0
    exact: int = 0
    refused: bool = False
    reference_seconds: float = 0.0
    seconds: float = 0.0


def check(case, decided=lambda: None):
    """The Outcome of a case. `decided` is called when the reference is done and creases begins."""
    start = time.perf_counter()
    case, expected = expect(case)
    decided()
    middle = time.perf_counter()
    kind, exact, refused = "right", 0, False
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            message, exact, refused = compare(case, expected)
        except Exception:
            kind, message = "error", traceback.format_exc()
        else:
            if message:
                kind = "wrong"
            elif warned:
                kind, message = "warning", "\n".join(str(warning) for warning in warned)
    cells = expected.by_layer[-1]
    return Outcome(case, kind, message, cells, exact, refused, middle - start, time.perf_counter() - middle)


def expect(case):
    """The case with as many layers as the reference decides quickly, and what the reference says."""
    found = []
    for layer in reference.layers(case.weights, case.biases, specification(case.domain)):
        found.append(layer)
        if len(layer[0]) > MOST_CELLS:
            break
    regions = found[-1][0]
    return case.cut_to(len(found)), Expected(
        tuple(len(cells) for cells, _ in found),
        tuple(tuple(cutting) for _, cutting in found),
        sum(not region.bounded for region in regions),
        sorted(region.pattern for region in regions),
    )


def compare(case, expected):
    """(what differs, or "", exact cells, whether `subdivide` refused)."""
    network = creases.Network.from_arrays(case.weights, case.biases, output_layer=False)
    domain, whole = domain_from_dict(case.domain), is_whole(case.domain)
    found = creases.count(network, domain, by_neuron=True, threads=1, progress=False)
    unbounded = expected.unbounded if whole else None
    different = [
        f"{name}: {got}, but the reference says {true}"
        for name, got, true in (
            ("certified", found.certified, True),
            ("regions", found.regions, expected.by_layer[-1]),
            ("by_layer", found.by_layer, expected.by_layer),
            ("by_neuron", found.by_neuron, expected.by_neuron),
            ("unbounded", found.unbounded, unbounded),
        )
        if got != true
    ]
    refused = False
    if case.subdivide:
        try:
            different += compare_cells(case, creases.subdivide(network, domain, threads=1, progress=False), expected)
        except ComputationError:
            if not whole:
                raise
            refused = True
    return "\n".join(different), found.exact_cells, refused


def compare_cells(case, cells, expected):
    """What differs in the cells of `subdivide`, line by line."""
    patterns = [tuple(tuple(map(bool, layer)) for layer in cells.pattern(i)) for i in range(len(cells))]
    if not cells.certified:
        yield "subdivide: not certified"
    if cells.by_layer != expected.by_layer:
        yield f"subdivide: by_layer {cells.by_layer}, but the reference says {expected.by_layer}"
    if sorted(patterns) != expected.patterns:
        more, less = set(patterns) - set(expected.patterns), set(expected.patterns) - set(patterns)
        yield f"subdivide: patterns {sorted(more)} are not there, {sorted(less)} are missing"
        return
    reaching = sum(cells.at_infinity[a:b].any() for a, b in zip(cells.first, cells.first[1:], strict=False))
    if reaching != (expected.unbounded if is_whole(case.domain) else 0):
        yield f"subdivide: {reaching} cells reach infinity, but the reference says {expected.unbounded}"
    domain, inside = specification(case.domain), cells.interior_points
    for i, pattern in enumerate(patterns):
        point = cells.exact_interior_points.get(i, inside[i].tolist())
        there = reference.pattern_at(case.weights, case.biases, domain.at(tuple(point)))
        if there != pattern:
            yield f"interior point {point} of cell {i} has pattern {there}, the cell has {pattern}"
