"""A short run of `make fuzz`, and whether it would notice: a wrong count, an error, a warning, a hang, a crash."""

import dataclasses
import functools
import itertools
import json
import os
import time
import warnings
from fractions import Fraction

import numpy as np
import pytest

import creases
import reference
from creases.domain import domain_from_dict
from creases.errors import ComputationError
from fuzz import __main__ as command
from fuzz import complexes, extremes, flat, limits, running, solids
from fuzz.cases import FACETS, LATTICES, LIMITS, ROUND, Case, family_of, make
from fuzz.checking import Outcome, check, effective_biases
from fuzz.domains import FRAMES, KINDS, is_whole, specification
from fuzz.layers import FAMILIES
from fuzz.running import Totals, outcomes
from fuzz.shrinking import shrunk

# Plain Python kernels warn of overflow where compiled ones are silent, and a warning is a failure here.
pytestmark = pytest.mark.jit

SEED, CASES, PARTS = 12, 480, 4
LARGEST = 1.7976931348623157e308


@pytest.mark.parametrize("part", range(PARTS))
def test_fuzz_short_run(part):
    totals = Totals()
    for number in range(part * CASES // PARTS, (part + 1) * CASES // PARTS):
        if family_of(number) in FACETS:
            continue
        outcome = check(make(SEED, number))
        assert outcome.kind == "right", f"{outcome.case.name}: {outcome.message}"
        totals.add(outcome)
    assert min(totals.by_tag[0, family]["cases"] for family in (*FAMILIES, *LIMITS, *LATTICES)) >= 5
    assert totals.cells > 660
    assert totals.refused < totals.subdivided / 4


def test_fuzz_short_run_of_corners_and_facets():
    """In another process: where room is not asked for, it ends in a crash."""
    found = outcomes(SEED, processes=1, families=list(FACETS))
    for _ in range(2 * len(FACETS)):
        outcome = next(found)
        assert outcome.kind == "right", f"{outcome.case.name}: {outcome.message}"
    found.close()


# What the fuzzer found of sums at the limit of exactness and of sizes that overflow, made small. On the code before
# each was certified and wrong, or an error.
FOUND = {
    "one unit above, in the plane": (
        [[[2.0**200, 0.0], [2.0**200, 0.0]], [[2.0**47, 2.0**-6], [2.0**47, 0.0]]],
        [[0.0, 0.0], [-(2.0**196), -(2.0**196)]],
        {"kind": "box", "lower": [-3.0, -3.0], "upper": [3.0, 3.0]},
    ),
    "two lines that meet nowhere": (
        [[[2.0**-250, 0.0], [2.0**-250, 0.0], [0.0, -(2.0**-250)]], [[2.0**47, 0.0, 0.0], [2.0**47, 2.0**-6, 0.0]]],
        [[0.0, 0.0, 0.0], [-(2.0**-236), -(2.0**-236)]],
        {
            "kind": "polygon",
            "vertices": [
                [866551.4093328367, 590423.8162195648],
                [-1029477.8811819693, -199215.76226062805],
                [1099.0988490325901, -1048575.4239718381],
                [262689.51113746915, -1015138.3395943419],
                [1038634.4378823979, -144049.0618529513],
            ],
            "plane": None,
        },
    ),
    "a slope that overflows, on a segment": (
        [[[-2.0, 0.0], [-LARGEST, 0.0], [-2.0, 0.0], [-2.0, 0.0]], [[-1.0, 0.0, -(2.0**53), 2.0**53]], [[1.0]]],
        [[1.0, 0.0, 1.0, 1.0], [3.0], [-9e-17]],
        {"kind": "segment", "start": [-1.0, 0.0], "end": [-0.9999999999999999, 5e-324]},
    ),
    "a bias that overflows, on the line": (
        [[[1e-300], [0.0]], [[1.0, 0.0]], [[1.0]]],
        [[-1.0, LARGEST], [0.0], [0.0]],
        {"kind": "space", "n": 1},
    ),
    "a bias that overflows, on a line in pieces": (
        [
            [[0.0], [0.0], [0.0], [-7e-155], [0.0]],
            [[-(2.0**53), 1.0, 0.0, 1.0, 2.0**53], [-(2.0**53), 2.0**53, 5e-324, -1.0, 2.0]],
            [[2.0, 2.0]],
        ],
        [[1.0, 1.0, -LARGEST, 0.0, 1.0], [-2.0, -1.0], [-0.4553470061309292]],
        {"kind": "line", "point": [-2.5e153], "direction": [-7.85520533010365e153]},
    ),
    "a bias that overflows, on a plane": (
        [[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [-0.2, 0.5, 1.0]], [[9e15, 0.0, 0.0]], [[1.0]]],
        [[0.0, LARGEST, -1.0], [0.0], [-3.0]],
        {
            "kind": "plane",
            "origin": [0.25, 0.0, -4.0],
            "basis": [[-2.7577339221829207, -1.586003535097326, 0.5676967425672819], [3.0, 1.5, 3.0]],
            "basis_tail": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        },
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_known_fuzz_findings(name):
    weights, biases, domain = FOUND[name]
    for pieces in (2, 9):
        outcome = check(Case(0, 0, [name], weights, biases, domain, subdivide=True, pieces=pieces))
        assert outcome.kind == "right", outcome.message


@functools.cache
def made_once():
    return [make(SEED, number) for number in range(CASES)]


def test_fuzz_makes_every_kind_again_and_again():
    made = made_once()
    tags = {tag for case in made for tag in case.tags}
    kinds = {kind.__name__ for module in (limits, extremes) for kinds in module.KINDS.values() for kind in kinds}
    kinds |= {kind.__name__ for kinds in KINDS.values() for kind in kinds} | {"polytope"}
    kinds -= {"cube"}  # a box
    scales = {"not scaled", "neurons scaled", "layers scaled", "denormal layers"}
    frames = {frame.__name__ for frame in FRAMES} | {"plain", "enormous", "round"}
    assert tags == {*ROUND, *kinds, *frames, *scales}
    for number in (0, 11, 12, 17, 60, 61, 62, 333):
        assert make(SEED, number) == made[number]
        assert make(SEED + 1, number) != made[number]
    sizes = np.abs([x for case in made for rows in case.weights for row in rows for x in row if x])
    assert sizes.min() < 1e-310
    assert sizes.max() == LARGEST
    for name in ("domain", "pieces", "subdivide"):  # every family goes through every door
        for family in {*ROUND}:
            assert len({str(getattr(case, name)) for case in made if case.tags[0] == family}) > 1


def test_fuzz_stands_at_the_limit_of_exactness():
    """Of rows of whole numbers some sum up to 2^53, some to one less or more; sizes overflow in some networks."""
    totals = set()
    for case in made_once():
        if case.tags[0] == "at the limit":
            totals |= {sum(abs(Fraction(x)) for x in row) for row in case.weights[1]}
    assert {2**53 - 1, 2**53, 2**53 + 1} <= totals
    monsters = [case for case in made_once() if case.tags[0] == "monsters"]
    assert sum(LARGEST in np.abs([x for bias in case.biases for x in bias]) for case in monsters) > 10


def test_fuzz_domains_are_the_same_for_both():
    """What is handed to creases has the corners that the reference cuts."""
    for number in [*range(60), 60, 61, 62, 123, 124, 125]:
        case = made_once()[number]
        ours, theirs = domain_from_dict(case.domain), specification(case.domain, case.factors)
        assert ours.slice.n_in == len(theirs.inputs)
        if is_whole(case.domain) or case.domain["kind"] == "directions":
            continue
        if case.domain["kind"] in ("simplex", "polytope"):
            corners = [tuple(Fraction(int(x), int(ray[-1])) for x in ray[:-1]) for ray in ours.corners.rays]
        elif case.domain["kind"] == "box" and ours.dimension > 2:
            sides = zip(case.domain["lower"], case.domain["upper"], strict=True)
            corners = list(itertools.product(*([Fraction(x) for x in side] for side in sides)))
        else:
            corners = [tuple(map(Fraction, vertex)) for vertex in ours.vertices.tolist()]
        assert sorted(corners) == sorted(ray[:-1] for ray in reference.Region((), theirs.cone).rays)


def test_fuzz_flat_reference_says_what_the_reference_says():
    checked = 0
    for case in made_once()[:200]:
        if case.domain["kind"] != "polygon" or case.domain["plane"] or case.tags[0] in FACETS:
            continue
        domain = specification(case.domain)
        pairs = zip(
            flat.layers(case.weights, case.biases, domain.inputs, case.domain["vertices"]),
            reference.layers(case.weights, effective_biases(case), domain),
            strict=True,
        )
        for (ours, mine), (cells, cutting) in itertools.islice(pairs, 2):
            assert mine == cutting
            assert sorted(cell.pattern for cell in ours) == sorted(cell.pattern for cell in cells)
            corners = {cell.pattern: set(cell.corners) for cell in ours}
            assert corners == {cell.pattern: {ray.vector for ray in cell.cone.rays} for cell in cells}
        checked += 1
    assert checked > 10


def test_fuzz_hull_is_that_of_a_cube():
    points = [*itertools.product((-1.0, 1.0), repeat=3), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 1.0)]
    corners, tights = solids.hull(points)
    assert sorted(corners) == sorted(points[:8])
    assert [len(tight) for tight in tights] == [3] * 8
    assert len(set().union(*tights)) == 6


def test_fuzz_cases_survive_their_file(tmp_path):
    for number in range(20):
        case = make(SEED, number)
        assert Case.read(case.write(tmp_path / "case.json")) == case


def cases_of(count):
    return (make(SEED, number) for number in range(count))


# Whether it would notice. `count` is made to lie; everything is checked in this process.


def lying(monkeypatch, change):
    """`creases.count` answers with what `change` makes of the true Count."""
    true = creases.count
    monkeypatch.setattr(creases, "count", lambda *args, **options: change(true(*args, **options)))


def one_more(found):
    return dataclasses.replace(found, regions=found.regions + 1, by_layer=(*found.by_layer[:-1], found.regions + 1))


def test_fuzz_reports_a_wrong_count_and_replays_it(monkeypatch, tmp_path, capsys):
    folder = str(tmp_path)
    with monkeypatch.context() as patched:
        lying(patched, lambda found: one_more(found) if found.regions > 4 else found)
        arguments = ["--processes", "0", "--cells", "60", "--seed", "5", "--failures", folder, "--every", "0"]
        assert command.main(arguments) == 1
        printed = capsys.readouterr().out
        files = sorted(tmp_path.glob("wrong-5-*.json"))
        assert f"{len(files)} wrong" in printed.splitlines()[-1]
        assert "but the reference says" in printed
        assert str(files[0]) in printed
        assert command.main(["--replay", str(files[0])]) == 1
        assert command.main(["--replay", str(files[0]), "--shrink", "--failures", folder]) == 1
        small = Case.read(tmp_path / "small" / files[0].name)
        whole = Case.read(files[0])
        assert len(json.dumps(small.weights)) < len(json.dumps(whole.weights))
        assert check(small).kind == "wrong"
    assert command.main(["--replay", str(files[0])]) == 0
    assert "right" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [("certified", False), ("unbounded", 77), ("by_neuron", ((0,),)), ("by_layer", (1,)), ("regions", 0)],
)
def test_fuzz_compares_each_part(monkeypatch, name, value):
    lying(monkeypatch, lambda found: dataclasses.replace(found, **{name: value}))
    outcome = check(make(SEED, 1))
    assert outcome.kind == "wrong"
    assert outcome.message.startswith(f"{name}: {value}, but the reference says")


def test_fuzz_compares_patterns(monkeypatch):
    true = creases.subdivide

    def turned(*args, **options):
        cells = true(*args, **options)
        return dataclasses.replace(cells, patterns=cells.patterns ^ 1)

    monkeypatch.setattr(creases, "subdivide", turned)
    outcome = check(make(SEED, 0))
    assert outcome.kind == "wrong"
    assert "are not there" in outcome.message


def test_fuzz_compares_interior_points(monkeypatch):
    """A corner of a cell is not inside it."""
    corners = property(lambda cells: cells.corners[cells.first[:-1]])
    monkeypatch.setattr(creases.Complex, "interior_points", corners)
    monkeypatch.setattr(creases.Complex, "exact_interior_points", {})
    cases = [case for case in cases_of(100) if case.subdivide and case.domain["kind"] == "polygon"][:8]
    outcomes = [check(case) for case in cases]
    # Where nothing is cut a corner has the pattern of the cell.
    assert sum(outcome.kind == "wrong" and "interior point" in outcome.message for outcome in outcomes) > 2


def test_fuzz_reports_errors_and_warnings(monkeypatch):
    def fails(*args, **options):
        raise IndexError("out of room")

    def warns(found):
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(creases, "count", fails)
        outcome = check(make(SEED, 1))
        assert outcome.kind == "error"
        assert "IndexError: out of room" in outcome.message
    lying(monkeypatch, warns)
    outcome = check(make(SEED, 1))
    assert outcome.kind == "warning"
    assert "overflow" in outcome.message


def test_fuzz_lets_subdivide_refuse_whole_spaces_only(monkeypatch):
    def refuses(*args, **options):
        raise ComputationError("no chart")

    monkeypatch.setattr(creases, "subdivide", refuses)
    cases = [make(SEED, number) for number in range(0, 100, 5)]
    assert all(case.subdivide for case in cases)
    for case in cases:
        outcome = check(case)
        whole = is_whole(case.domain) or case.domain["kind"] == "directions"
        assert (outcome.kind, outcome.refused) == (("right", True) if whole else ("error", False))


def test_fuzz_shrinks_to_what_matters(monkeypatch):
    """A count that is wrong only where a third neuron is in the first layer keeps three."""
    lying(monkeypatch, lambda found: one_more(found) if found.by_neuron and len(found.by_neuron[0]) >= 3 else found)
    case = next(case for case in cases_of(100) if len(case.biases[0]) > 4)
    small = shrunk(case, "wrong")
    assert [len(bias) for bias in small.biases] == [3]
    assert set(small.biases[0]) == {0.0}


def hang_or_crash(connection, seed):
    """A worker that answers case 0, hangs on 1, dies on 2 and hangs in the reference on 3."""
    connection.send(running.READY)
    while True:
        number = connection.recv()
        if number == 2:
            os._exit(3)
        if number != 3:
            connection.send(running.DECIDED)
        if number in (1, 3):
            time.sleep(1000)
        connection.send(Outcome(make(seed, number), "right"))


def test_fuzz_ends_what_hangs_and_replaces_what_crashes(monkeypatch):
    monkeypatch.setattr(running, "answer", hang_or_crash)
    monkeypatch.setattr(running, "REFERENCE_LIMIT", 0.5)
    found = outcomes(SEED, processes=1, limit=0.5)
    kinds = [next(found).kind for _ in range(5)]
    found.close()
    assert kinds == ["right", "hang", "crash", "undecided", "right"]


def test_fuzz_works_in_processes_and_survives_ctrl_c(monkeypatch, capsys):
    arguments = ["--processes", "2", "--seed", "5", "--every", "0"]
    assert command.main([*arguments, "--cells", "50"]) == 0
    assert "0 wrong" in capsys.readouterr().out.splitlines()[-1]

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(Totals, "add", interrupted)
    assert command.main([*arguments, "--cells", "50"]) == 130
    assert "interrupted after 0 cells" in capsys.readouterr().out


# Complexes.


@pytest.mark.parametrize("first", [0, 1042, 1900])
def test_fuzz_complexes_short_run(first, capsys):
    assert complexes.main(["--networks", "8", "--first", str(first)]) == 0
    assert "8 networks, 0 wrong" in capsys.readouterr().out


def test_fuzz_complexes_two_opposite_directions_are_two():
    """They vanish in the same places, and were one vertex once: no other corner was near either."""
    assert complexes.check(complexes.make(504, seed=1))["complexes"] == 1


def test_fuzz_complexes_notices_a_wrong_linear_region(monkeypatch, capsys):
    monkeypatch.setattr(creases.Complex, "linear_regions", property(lambda cells: np.arange(len(cells))))
    assert complexes.main(["--networks", "12"]) == 1
    assert "WRONG" in capsys.readouterr().out
