"""Whether creases and the reference say the same about a case.

Compared are the regions after each layer, the neurons' own counts, how many regions reach infinity, the same in pieces
where the case asks for it, and where it is subdivided, the set of patterns and a point inside each cell. A plain count
and one by neurons go different ways through the engine, so both are asked; on a line the plain one is a sweep. Creases
may refuse to subdivide a whole line, plane or space, or directions (ComputationError is documented there); nothing
else may be raised, and nothing warned of.
"""

import time
import traceback
import warnings
from typing import NamedTuple

import creases
import reference
from creases.domain import domain_from_dict
from creases.errors import ComputationError
from fuzz import flat
from fuzz.cases import Case
from fuzz.domains import FEWER, is_whole, specification

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
    for layer in true_layers(case):
        found.append(layer)
        if len(layer[0]) > case.most:
            break
    regions = found[-1][0]
    return case.cut_to(len(found)), Expected(
        tuple(len(cells) for cells, _ in found),
        tuple(tuple(cutting) for _, cutting in found),
        sum(not region.bounded for region in regions),
        sorted(region.pattern for region in regions),
    )


def true_layers(case):
    """What `reference.layers` says of a case."""
    domain = specification(case.domain, case.factors)
    if case.domain["kind"] == "polygon" and len(case.domain["vertices"]) >= FEWER:
        return flat.layers(case.weights, case.biases, domain.inputs, case.domain["vertices"])
    return reference.layers(case.weights, effective_biases(case), domain)


def effective_biases(case):
    """The biases that count: none among directions."""
    among_directions = case.domain["kind"] == "directions"
    return [[0.0] * len(bias) for bias in case.biases] if among_directions else case.biases


def compare(case, expected):
    """(what differs, or "", exact cells, whether `subdivide` refused)."""
    network = creases.Network.from_arrays(case.weights, case.biases, output_layer=False)
    domain, whole = domain_from_dict(case.domain), is_whole(case.domain)
    unbounded = expected.unbounded if whole else None
    found = creases.count(network, domain, by_neuron=True, threads=1, progress=False)
    different = list(compare_counts("", found, expected, unbounded))
    if found.by_neuron != expected.by_neuron:
        different.append(f"by_neuron: {found.by_neuron}, but the reference says {expected.by_neuron}")
    plain = creases.count(network, domain, threads=1, progress=False)
    different += compare_counts("plain count: ", plain, expected, unbounded)
    refused = False
    if case.pieces:
        parted = creases.count_in_pieces(network, domain, pieces=case.pieces, threads=1, progress=False)
        different += compare_counts("count_in_pieces: ", parted, expected, unbounded)
    if case.subdivide:
        try:
            different += compare_cells(case, creases.subdivide(network, domain, threads=1, progress=False), expected)
        except ComputationError:
            if not whole and case.domain["kind"] != "directions":
                raise
            refused = True
    return "\n".join(different), found.exact_cells, refused


def compare_counts(door, found, expected, unbounded):
    """What differs in a Count, line by line; `door` says who counted."""
    for name, got, true in (
        ("certified", found.certified, True),
        ("regions", found.regions, expected.by_layer[-1]),
        ("by_layer", found.by_layer, expected.by_layer),
        ("unbounded", found.unbounded, unbounded),
    ):
        if got != true:
            yield f"{door}{name}: {got}, but the reference says {true}"


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
    among_directions = isinstance(cells.domain, creases.Directions)
    if not among_directions:
        yield from compare_infinity(case, cells, expected)
    inside, exact, w = cells.interior_points, cells.exact_interior_points, 0 if among_directions else 1
    points = [(i, (*exact.get(i, inside[i].tolist()), w)) for i in range(len(patterns))]
    inputs = specification(case.domain, case.factors).inputs
    for i, point in points:
        there = reference.pattern_at(case.weights, effective_biases(case), [exact_dot(form, point) for form in inputs])
        if there != patterns[i]:
            yield f"interior point {point} of cell {i} has pattern {there}, the cell has {patterns[i]}"


def compare_infinity(case, cells, expected):
    reaching = int((~cells.is_bounded).sum())
    if reaching != (expected.unbounded if is_whole(case.domain) else 0):
        yield f"subdivide: {reaching} cells reach infinity, but the reference says {expected.unbounded}"


def exact_dot(form, point):
    return reference.dot(map(reference.Fraction, form), map(reference.Fraction, point))
