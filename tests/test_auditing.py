"""The audit: it proves what is right, and says of each kind of fault what and where it is."""

import dataclasses
import json
import re
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpz

import reference
from children import python
from creases import (
    Audit,
    Box,
    Complex,
    Count,
    DomainError,
    Line,
    ModelFileError,
    Network,
    Plane,
    Polygon,
    Polyline,
    Segment,
    Space,
    audit,
    count,
    subdivide,
)
from creases.auditing import AuditError
from creases.auditing.cells import cell_of, just_across, well_inside
from creases.auditing.forms import ExactNetwork, packed
from creases.auditing.ledger import Ledger
from creases.auditing.points import middle, random_points
from creases.auditing.recount import recount, recount_path
from creases.errors import ComputationError
from networks import KINDS, table
from shared_networks import shared

SQUARE = Box([-1, -1], [1, 1])
POLYGON = Polygon([[-1, -1], [2, -0.5], [0.5, 1.5], [-1, 1]])
SEGMENT = Segment([-1, 0.75], [2, -0.3])
NETWORK = Network.he([2, 7, 6, 1], seed=3, bias_std=0.3)
LARGE = Network.he([2, 40, 40, 1], seed=1)


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def every_kind(rounds, seed, n_in=2, without=()):
    rows = table(rounds * len(KINDS), seed, n_in)
    cases = [pytest.param(w, b, id=name) for name, w, b in rows if name.split("-")[0] not in without]
    return pytest.mark.parametrize(("weights", "biases"), cases)


def texts(found):
    return "\n".join(map(str, found.findings))


def check(found, *, complete=True):
    assert found.agrees, texts(found)
    assert found.complete == complete
    assert found.cells > 0
    return found


def flat(pattern):
    return bytes(on for layer in pattern for on in layer)


# The second arithmetic against the third.


@every_kind(1, seed=91)
def test_against_reference_recount(weights, biases):
    """Walking from cell to cell meets the regions of the reference, all of them and no others."""
    for domain, specification in [
        (SQUARE, reference.box([-1, -1], [1, 1])),
        (SEGMENT, reference.segment([-1, 0.75], [2, -0.3])),
        (Space(2), reference.space(2)),
    ]:
        walked = recount(hidden(weights, biases), domain, 10**6, Ledger(), int)
        regions = reference.regions(weights, biases, specification)
        assert walked.closed
        assert {row.tobytes() for row in walked.patterns} == {packed(flat(region.pattern)) for region in regions}
        assert walked.unbounded == sum(not region.bounded for region in regions)


@every_kind(1, seed=92)
def test_against_reference_cells(weights, biases):
    """The corners of each region; and a pattern with one bit flipped has a cell where the reference has one."""
    exact = ExactNetwork(hidden(weights, biases), SQUARE)
    regions = reference.regions(weights, biases, reference.box([-1, -1], [1, 1]))
    by_pattern = {flat(region.pattern): region for region in regions}
    for bits, region in by_pattern.items():
        cell = cell_of(exact, bits)
        found = {tuple(Fraction(int(x), int(corner[-1])) for x in corner) for corner in cell.corners}
        assert found == set(region.rays)
        assert len(cell.facets) == len(cell.corners) == len(found)
        for neuron in range(len(bits)):
            flipped = bytes(bit ^ (i == neuron) for i, bit in enumerate(bits))
            assert (cell_of(exact, flipped) is not None) == (flipped in by_pattern)


@every_kind(1, seed=93, without=("extreme", "nudged"))
def test_against_reference_points(weights, biases):
    """A point just across a facet has the pattern of a point not far across it."""
    exact = ExactNetwork(hidden(weights, biases), SQUARE)
    (bits,) = exact.patterns([middle(SQUARE.vertices, 2)])
    cell = cell_of(exact, bits)
    assert exact.patterns([well_inside(cell.inside)]) == [bits]
    for facet in cell.facets:
        if facet.on_the_wall:
            continue
        (across,) = exact.patterns([just_across(facet)])
        u = [Fraction(int(x), int(facet.point[-1])) for x in facet.point[:-1]]
        size = sum(abs(int(x)) for x in facet.form[:-1])
        near = [x - Fraction(int(slope), size * 10**90) for x, slope in zip(u, facet.form, strict=False)]
        assert across == flat(reference.pattern_at(weights, biases, near))


def test_laws_random_points_lie_inside():
    exact, rng = ExactNetwork(NETWORK, POLYGON), np.random.default_rng(0)
    points = list(random_points(exact, POLYGON.vertices, 300, rng))
    for ray, *_ in points:
        assert all(sum(a * b for a, b in zip(wall, ray, strict=True)) > 0 for wall in exact.walls)
    u = np.array([[int(x) / int(ray[-1]) for x in ray[:-1]] for ray, *_ in points])
    # Uniform: the mean is near the polygon's centroid.
    assert np.all(np.abs(u.mean(axis=0) - [0.192, 0.154]) < 0.15)
    far = list(random_points(ExactNetwork(NETWORK, Space(2)), None, 300, rng))
    sizes = [max(abs(int(x) / int(ray[-1])) for x in ray[:-1]) for ray, *_ in far]
    assert min(sizes) < 0.3 < 10 < max(sizes)


# What is right.


@every_kind(1, seed=94)
def test_laws_right_results_agree(weights, biases):
    network = hidden(weights, biases)
    for domain in (SQUARE, POLYGON, SEGMENT, Line([0.3, 0.1], [1, -0.5]), Plane([1, 0], [[2, 1], [1, 1]]).square(1.5)):
        check(audit(subdivide(network, domain)))
        check(audit(count(network, domain, by_neuron=True), network))


@every_kind(1, seed=95, without=("parallel",))
def test_laws_right_results_of_whole_planes_agree(weights, biases):
    network = hidden(weights, biases)
    check(audit(subdivide(network, Space(2))))
    check(audit(count(network, Space(2), by_neuron=True), network))


@every_kind(1, seed=96, n_in=3, without=("parallel",))
def test_laws_right_results_in_planes_of_space_agree(weights, biases):
    network = hidden(weights, biases)
    plane = Plane.through([0.5, 0, -1], [1, 1, 0.25], [-1, 0.5, 1])
    for domain in (plane, plane.square(1), Box([-1, 0.5, -1], [1, 0.5, 1]), Line([0, 0, 0], [1, 1, 0])):
        check(audit(subdivide(network, domain)))


def test_known_directions_of_extreme_networks_agree():
    """Products of 1e-200 and 1e200: a direction at infinity is off unless it is computed exactly."""
    rows = {name: (weights, biases) for name, weights, biases in table(60, 7, 3)}
    for name in ("extreme-3-7-19", "extreme-3-7-39", "extreme-3-7-59"):
        check(audit(subdivide(hidden(*rows[name]), Plane.through([0.5, 0, -1], [1, 1, 0.25], [-1, 0.5, 1]))))


@every_kind(1, seed=97)
def test_laws_paths_agree(weights, biases):
    network, path = hidden(weights, biases), Polyline([[-1, -1], [1, 1], [0, 1], [-1, -1], [1, 1]])
    found = count(network, path, by_neuron=True)
    assert check(audit(found, network)).recounted >= found.regions
    assert len(recount_path(network, path, Ledger(), int).patterns) == found.regions


@pytest.mark.parametrize(
    "network",
    [
        hidden([[[2, -1], [-2, 1], [4, -2]]], [[0, 1, -6]]),
        hidden([[[2, -1], [4, -2]], [[1, -1], [0, 1]]], [[0, -6], [-1, -2]]),
        hidden([[[0, 0]], [[1.0]]], [[2], [-3]]),
        hidden([[[0, 3]]], [[1]]),
    ],
    ids=["strips", "strips of two layers", "constant", "two halves"],
)
def test_known_strips_agree(network):
    for domain in (Space(2), Plane([1, 0], [[1, 1], [0, 2]])):
        cells = subdivide(network, domain)
        check(audit(cells))
        moved = cells.corners.copy()
        moved[(~cells.at_infinity).nonzero()[0][:1]] += 0.01
        moved[cells.at_infinity, 0] += 0.5
        if cells.patterns[0, 0] & 1:
            flipped = changed(cells, "patterns", (0, 0), cells.patterns[0, 0] ^ 1)
            assert re.search("empty: cell 0|doubled|corners", texts(audit(flipped)))
        assert re.search(
            r"corners: cell 0: (the direction of )?corner \d (lies|is)",
            texts(audit(dataclasses.replace(cells, corners=moved))),
        )


@pytest.mark.jit
@pytest.mark.parametrize("domain", [SQUARE, Space(2)], ids=repr)
def test_known_samples_of_large_results(domain):
    cells = subdivide(LARGE, domain)
    assert len(cells) > 2000
    seen = []
    found = check(audit(cells, LARGE, cells=20, seed=1, progress=seen.append), complete=False)
    assert (found.kind, found.regions, found.cells, found.points) == ("subdivision", len(cells), 20, 20)
    assert seen == list(range(1, 21))
    assert 0 < found.worst_corner < 1e-12 or domain is not SQUARE
    assert found.corners >= found.neighbours + found.walls > 40
    assert "Of the other" in found.verdict()
    assert "more than 21 % of the cells" in found.verdict()
    assert f"subdivision of {len(cells):,} regions, 20 of them, agrees" in repr(found)
    counted = count(LARGE, domain, by_neuron=True)
    again = check(audit(counted, LARGE, cells=20, seed=1), complete=False)
    # The kernels propose the cells that they found before, and one seed draws the same of them.
    assert (again.kind, again.cells, again.corners, again.recounted) == ("count", 20, found.corners, None)
    assert any(text.startswith(f"regions {len(cells):,} as saved") for text in again.whole)
    wrong = dataclasses.replace(counted, regions=counted.regions + 1)
    assert f"regions: {len(cells) + 1:,} saved, {len(cells):,} found" in texts(audit(wrong, LARGE, cells=5))


def test_known_complete_audit():
    cells = subdivide(NETWORK, SQUARE)
    found = check(audit(cells, cells=None))
    assert (found.cells, found.regions, found.points, found.recounted) == (len(cells), len(cells), 0, None)
    assert found.corners == len(cells.corners)
    # Each edge inside is crossed from both of its sides.
    assert found.neighbours == np.sum(cells.edges >= 0)
    assert found.walls == np.sum(cells.edges < -1)
    assert "the number is proved" in found.verdict()
    data = json.loads(found.to_json())
    assert (data["agrees"], data["complete"], data["cells"]) == (True, True, len(cells))
    assert data["domain"] == SQUARE.to_dict()
    again = audit(count(NETWORK, SQUARE), NETWORK, cells=1)
    assert (again.recounted, again.complete) == (len(cells), True)
    assert "counted anew" in again.verdict()


@pytest.mark.jit
def test_known_trained_network():
    from creases import load

    network = load(shared("acasxu_1_1.nnet"))
    cells = subdivide(network, Box([-0.05, -0.05, 0, 0, 0], [0.05, 0.05, 0, 0, 0]))
    check(audit(cells, network, cells=10), complete=False)


# What is wrong.


def without(cells, index):
    """The subdivision without one of its cells."""
    keep = np.ones(len(cells), bool)
    keep[index] = False
    return rows_of(cells, np.flatnonzero(keep), by_layer=(*cells.by_layer[:-1], len(cells) - 1))


def rows_of(cells, chosen, **changes):
    """The subdivision of the chosen cells."""
    rows = np.concatenate([np.arange(cells.first[i], cells.first[i + 1]) for i in chosen])
    return dataclasses.replace(
        cells,
        first=np.cumsum([0, *np.diff(cells.first)[chosen]]),
        patterns=cells.patterns[chosen],
        **{name: getattr(cells, name)[rows] for name in ("corners", "at_infinity", "edges")},
        **changes,
    )


def changed(cells, name, index, value):
    array = getattr(cells, name).copy()
    array[index] = value
    return dataclasses.replace(cells, **{name: array})


CELLS = {}


def cells_of(domain):
    """A subdivision, made once."""
    if domain not in CELLS:
        CELLS[domain] = subdivide(NETWORK, domain)
    return CELLS[domain]


@pytest.mark.parametrize("domain", [SQUARE, Space(2), SEGMENT, Line([0, 0], [1, 2])], ids=repr)
@pytest.mark.parametrize("index", [0, 3])
def test_bad_input_a_missing_cell_is_noticed(domain, index):
    cells = cells_of(domain)
    found = audit(without(cells, index))
    assert not found.agrees
    assert re.search(r"neighbour: cell \d+: the region across its edge on neuron \d+ is not stored", texts(found))
    # As many cells see it missing as see it across a facet.
    rows = slice(cells.first[index], cells.first[index + 1])
    assert sum(finding.check == "neighbour" for finding in found.findings) == np.sum(cells.edges[rows] >= 0)
    measured = "areas" if cells.dimension == 2 else "lengths"
    assert (f"the cells' {measured} do not add up to the domain's" in texts(found)) == (domain.vertices is not None)


@pytest.mark.parametrize("domain", [SQUARE, Space(2), SEGMENT], ids=repr)
def test_bad_input_a_sample_meets_missing_cells_by_random_points(domain):
    cells = cells_of(domain)
    half = rows_of(cells, range(0, len(cells), 2))
    found = audit(half, cells=len(half) - 1)
    assert (found.complete, found.points) == (False, len(half) - 1)
    assert re.search(r"point: the region of the point u = \([-e., \d]+\) is not stored", texts(found))


@pytest.mark.parametrize("domain", [SQUARE, Space(2), SEGMENT], ids=repr)
@pytest.mark.parametrize("neuron", range(NETWORK.neurons))
def test_bad_input_a_flipped_bit_is_noticed(domain, neuron):
    cells = cells_of(domain)
    flipped = changed(cells, "patterns", (2, neuron // 8), cells.patterns[2, neuron // 8] ^ (1 << neuron % 8))
    assert re.search(
        r"empty: cell 2: no open set of the domain has its pattern|doubled: cells \d+ and \d+ have one pattern|"
        r"corners: cell 2",
        texts(audit(flipped)),
    )


def test_bad_input_a_bit_beyond_the_last_neuron_is_noticed():
    cells = cells_of(SQUARE)
    stray = changed(cells, "patterns", (4, 1), cells.patterns[4, 1] | 128)
    assert "pattern: cell 4: a bit beyond the last of 13 neurons is set" in texts(audit(stray))


@pytest.mark.parametrize(("domain", "row"), [(SQUARE, 7), (Space(2), 5), (SEGMENT, 3)], ids=repr)
def test_bad_input_a_moved_corner_is_noticed(domain, row):
    cells = cells_of(domain)
    cell = int(np.searchsorted(cells.first, row, side="right")) - 1
    number = row - cells.first[cell]
    for step, seen in [(1e-6, True), (1e-12, False), (np.nan, True)]:
        moved = changed(cells, "corners", (row, 0), cells.corners[row, 0] + step)
        assert (f"corner {number} lies" in texts(audit(moved))) == seen
        assert (f"cell {cell}: " in texts(audit(moved))) == seen


def test_bad_input_a_turned_direction_is_noticed():
    cells = cells_of(Space(2))
    row = int(np.flatnonzero(cells.at_infinity)[0])
    turned = changed(cells, "corners", row, -cells.corners[row])
    assert re.search(r"the direction of corner \d is [12][.\d]* off, and 1e-09 is allowed", texts(audit(turned)))


def test_bad_input_corners_of_another_kind_or_order_are_noticed():
    cells = cells_of(Space(2))
    row = int(np.flatnonzero(cells.at_infinity)[0])
    finite = changed(cells, "at_infinity", row, False)
    assert re.search(r"corner \d is stored as finite, but the exact one is at infinity", texts(audit(finite)))
    infinite = changed(cells_of(SQUARE), "at_infinity", 0, True)
    assert "corner 0 is stored as at infinity, but the exact one is finite" in texts(audit(infinite))
    cells, row = cells_of(SQUARE), cells_of(SQUARE).first[2]
    swapped = changed(cells, "corners", [row, row + 1], cells.corners[[row + 1, row]])
    assert "corners: cell 2: corner" in texts(audit(swapped))
    turned = changed(cells, "corners", slice(row, cells.first[3]), np.roll(cells.corners[row : cells.first[3]], 1, 0))
    turned = changed(turned, "edges", slice(row, cells.first[3]), np.roll(cells.edges[row : cells.first[3]], 1))
    assert audit(turned).agrees  # a cell may begin at any corner
    fewer = rows_of(cells, range(len(cells)))
    first = fewer.first.copy()
    first[1] -= 1
    merged = dataclasses.replace(fewer, first=first)
    stored, true = first[1], first[1] + 1
    assert f"cell 0: {stored} corners are stored where the exact cell has {true}" in texts(audit(merged))


def test_bad_input_a_wrong_edge_is_noticed():
    cells = cells_of(SQUARE)
    for value, name in [(12, "neuron 12"), (-1, "infinity"), (-4, "edge 2 of the domain")]:
        row = int(np.flatnonzero((cells.edges != value) & (cells.edges >= 0))[0])
        cell = int(np.searchsorted(cells.first, row, side="right")) - 1
        found = audit(changed(cells, "edges", row, value))
        assert re.search(rf"corners: cell {cell}: the edge from corner \d is stored as {name}, but", texts(found))
        assert f"there it is neuron {cells.edges[row]}" in texts(found)


def test_bad_input_a_doubled_cell_is_noticed():
    cells = cells_of(SQUARE)
    more = rows_of(cells, [*range(len(cells)), 5], by_layer=(*cells.by_layer[:-1], len(cells) + 1))
    found = texts(audit(more, cells=1))
    assert f"doubled: cells 5 and {len(cells)} have one pattern" in found
    assert f"by_layer: the patterns make {cells.by_layer[0]}, {len(cells)} regions, layer by layer" in found


def test_bad_input_a_table_that_is_none_is_noticed():
    cells, line = cells_of(SQUARE), cells_of(SEGMENT)
    assert "1 coordinates do not lie in Box" in texts(audit(dataclasses.replace(line, domain=SQUARE)))
    space = dataclasses.replace(cells, domain=Box([0, 0, 0], [1, 1, 0]))
    assert "does not lie in the space of the network's 2 inputs" in texts(audit(space))
    assert "1 numbers are stored for 2 hidden layers" in texts(audit(dataclasses.replace(cells, by_layer=(3,))))
    names = ("corners", "at_infinity", "edges", "patterns")
    empty = dataclasses.replace(cells, first=np.array([0]), **{name: getattr(cells, name)[:0] for name in names})
    assert "the table is empty" in texts(audit(empty))


def test_bad_input_another_domain_is_noticed():
    other = dataclasses.replace(cells_of(SQUARE), domain=Box([-1, -1], [1, 1.5]))
    assert re.search(r"areas: the cells' areas do not add up to the domain's: 0.2 off", texts(audit(other)))


@pytest.mark.parametrize("domain", [SQUARE, Space(2), SEGMENT, Polyline([[-1, -1], [1, 1], [0, 1]])], ids=repr)
def test_bad_input_wrong_numbers_are_noticed(domain):
    right = count(NETWORK, domain, by_neuron=True)
    n = right.regions
    for off in (-1, 1):
        found = audit(dataclasses.replace(right, regions=n + off), NETWORK)
        assert f"regions: {n + off:,} saved, {n:,} found" in texts(found)
        assert found.verdict() == "The result does not agree with the network."
        assert "1 findings, the first: regions" in repr(found)
    lower = dataclasses.replace(right, by_layer=(right.by_layer[0] - 1, n))
    assert re.search(r"by_layer: \d+, \d+ saved, \d+, \d+ found", texts(audit(lower, NETWORK)))
    cuts = (tuple(value + (i == 2) for i, value in enumerate(right.by_neuron[0])), right.by_neuron[1])
    assert "by_neuron: some numbers" in texts(audit(dataclasses.replace(right, by_neuron=cuts), NETWORK))
    if right.unbounded is not None:
        far = dataclasses.replace(right, bounded=right.bounded - 1, unbounded=right.unbounded + 1)
        assert re.search(r"unbounded: \d+ saved, \d+ found\nbounded", texts(audit(far, NETWORK)))
    if right.distinct is not None:
        more = dataclasses.replace(right, distinct=right.distinct + 1)
        assert re.search(r"distinct: \d+ saved, \d+ found", texts(audit(more, NETWORK)))


def test_bad_input_a_count_far_too_small_is_noticed_early(monkeypatch):
    monkeypatch.setattr("creases.auditing.auditor.SMALL", 20)
    found = audit(dataclasses.replace(count(NETWORK, SQUARE), regions=5), NETWORK)
    assert re.search(r"regions: 5 are saved, and there are more than 3\d", texts(found))
    assert not found.complete


def test_bad_input_cells_that_the_kernels_cannot_propose(monkeypatch):
    """Two neurons so nearly parallel that no float cone holds their cells: rationals alone still count."""
    (_, weights, biases), network = parallel_beyond_floats()
    right = count(network, Space(2))
    check(audit(right, network))
    monkeypatch.setattr("creases.auditing.auditor.SMALL", 1)
    with pytest.raises(ComputationError, match=r"The kernels propose no cells here .* cells=None, or --cells all"):
        audit(right, network, cells=1)
    assert check(audit(right, network, cells=None)).recounted == reference.count(weights, biases, reference.space(2))


def parallel_beyond_floats():
    """A network of the shared table of which `subdivide` cannot hold the whole plane."""
    for row in table(6 * len(KINDS), 77):
        if row[0].startswith("parallel"):
            network = hidden(*row[1:])
            try:
                subdivide(network, Space(2))
            except ComputationError:
                return row, network
    pytest.skip("subdivide holds them all by now")


def test_bad_input_another_network_is_noticed():
    other = Network.he([2, 7, 6, 1], seed=4, bias_std=0.3)
    for result in (cells_of(SQUARE), count(NETWORK, SQUARE)):
        found = audit(result, other)
        assert f"network: the result is of {NETWORK.sha256[:12]}..., and this is {other.sha256[:12]}" in texts(found)
        assert found.cells == 0
    assert "no other was given to compare" in audit(cells_of(SQUARE)).whole[0]
    assert "the one that the result names" in audit(cells_of(SQUARE), NETWORK).whole[0]


def test_bad_input_what_is_no_audit():
    cells = cells_of(SQUARE)
    with pytest.raises(AuditError, match=r"A count names its network by a hash only. Give the network too"):
        audit(count(NETWORK, SQUARE))
    with pytest.raises(AuditError, match="An audit takes a Count, a Complex, or the file of one; got a int"):
        audit(7)
    for wrong in (0, -1, 2.5, True, "all"):
        with pytest.raises(AuditError, match="cells must be a whole number of at least 1, or None for all"):
            audit(cells, cells=wrong)
    with pytest.raises(AuditError, match="seed must be a whole number of at least 0, got -1"):
        audit(cells, seed=-1)
    solid = dataclasses.replace(count(NETWORK, SQUARE), domain=Box([0, 0, 0], [1, 1, 1]))
    with pytest.raises(DomainError, match="no part of a line or a plane"):
        audit(solid, NETWORK)


# Files and the command.


@pytest.fixture
def saved(tmp_path):
    """A count, a subdivision and the model, as files."""
    count(NETWORK, SQUARE).to_json(tmp_path / "count.json")
    subdivide(NETWORK, SQUARE).save(tmp_path / "cells.npz")
    NETWORK.save(tmp_path / "model.npz")
    return tmp_path


def plain(text):
    return " ".join(text.split())


def test_known_files(saved):
    assert isinstance(audit(saved / "cells.npz"), Audit)
    check(audit(str(saved / "count.json"), NETWORK))


def test_known_command(creases, saved):
    n = len(Complex.load(saved / "cells.npz"))
    code, out, err = creases("audit", saved / "cells.npz")
    assert (code, err) == (0, "")
    assert f"cells.npz: a subdivision of {n} regions" in plain(out)
    assert f"cells {n} built from the weights alone, none empty or of another pattern" in plain(out)
    assert f"{n} patterns, no two alike" in plain(out)
    assert "so there are no others: the number is proved." in plain(out)
    code, out, _ = creases("audit", saved / "count.json", saved / "model.npz", "--cells", "all", "--json")
    assert code == 0
    assert json.loads(out)["recounted"] == n
    code, out, _ = creases("audit", saved / "cells.npz", saved / "model.npz", "--cells", "5", "--seed", "3", "--json")
    found = json.loads(out)
    assert (code, found["cells"], found["points"], found["seed"], found["complete"]) == (0, 5, 5, 3, False)


def test_known_command_says_what_is_wrong(creases, saved):
    data = json.loads((saved / "count.json").read_text())
    n = data["regions"]
    (saved / "count.json").write_text(json.dumps({**data, "regions": n + 1}))
    code, out, err = creases("audit", saved / "count.json", saved / "model.npz")
    assert (code, err) == (1, "")
    assert f"WRONG regions: {n + 1} saved, {n} found" in plain(out)
    assert "The result does not agree with the network." in out
    code, out, _ = creases("audit", saved / "count.json", saved / "model.npz", "--json")
    assert (code, json.loads(out)["findings"][0]["check"]) == (1, "regions")
    cells = Complex.load(saved / "cells.npz")
    dataclasses.replace(cells, corners=cells.corners + 0.5).save(saved / "moved.npz")
    code, out, _ = creases("audit", saved / "moved.npz")
    assert code == 1
    assert f"and {n - 10} more, which --json lists" in plain(out)


def test_known_counts_that_are_not_as_they_were_saved(creases, saved):
    """An audit judges them all the same, and says what the digest says; nothing else takes them."""
    data = json.loads((saved / "count.json").read_text())
    n = data["regions"]
    assert Count.from_dict(data).regions == n
    for changed in ({**data, "by_layer": [*data["by_layer"][:-1], n + 1], "regions": n + 1}, {**data, "seconds": 1e9}):
        with pytest.raises(
            ModelFileError, match=r"does not agree with its digest: .* Count again, or have them decided"
        ):
            Count.from_dict(changed)
        (saved / "count.json").write_text(json.dumps(changed))
        found = audit(saved / "count.json", NETWORK)
        assert found.findings[-1].check == "digest"
        assert (found.recounted, found.agrees) == (n, False)
    assert [finding.check for finding in found.findings] == ["digest"]
    assert found.verdict().startswith("The file is not as it was saved. What was checked agrees with the network, so")
    code, out, _ = creases("audit", saved / "count.json", saved / "model.npz")
    assert (code, "WRONG digest: the file does not agree with its digest" in plain(out)) == (1, True)
    del data["digest"]
    with pytest.raises(
        ModelFileError, match=r"This count has no digest, so its numbers prove nothing\. Count again, or"
    ):
        Count.from_dict(data)
    (saved / "count.json").write_text(json.dumps(data))
    found = audit(saved / "count.json", NETWORK)
    assert (found.agrees, found.recounted) == (True, n)
    assert "no digest in the file, which may have been changed since it was saved" in found.whole


def test_known_command_with_a_normalised_network(creases, tmp_path):
    model, result = shared("acasxu_1_1.nnet"), tmp_path / "result.json"
    domain = ("--segment", "0,0,0,0,0", "500,1,1,100,100")
    assert creases("count", model, *domain, "--apply-normalisation", "--save", result)[0] == 0
    assert creases("audit", result, model, "--apply-normalisation")[0] == 0
    code, out, _ = creases("audit", result, model)
    assert code == 1
    assert "Was it counted with the other choice of --apply-normalisation?" in plain(out)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.json", None, r"There is no file .*none.json. Counts are saved by 'creases count --save FILE.json'"),
        ("result.txt", "", r"result.txt is neither .json nor .npz"),
        ("result.json", "{", r"result.json is not a count as Count.to_json writes it \(JSONDecodeError"),
        ("result.json", "[]", r"result.json is not a count as Count.to_json writes it \(TypeError"),
        ("result.json", "{}", r"result.json is not a count as Count.to_json writes it \(KeyError"),
        ("result.json", {"regions": "7"}, r"result.json is not a count: '7' stands where a whole number must be"),
        ("result.json", {"domain": {"kind": "torus"}}, r"does not hold the domain of a count: Unknown kind"),
        ("result.npz", "no archive", r"result.npz cannot be read as a saved complex"),
    ],
)
def test_bad_input_files(creases, saved, name, text, message):
    if isinstance(text, dict):
        text = json.dumps({**json.loads((saved / "count.json").read_text()), **text})
    if text is not None:
        (saved / name).write_text(text)
    with pytest.raises(ModelFileError, match=message):
        audit(saved / name, NETWORK)
    code, out, err = creases("audit", saved / name)
    assert (code, out) == (2, "")
    assert re.search(message, err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cells.npz", "--cells", "some"], r"--cells takes a whole number of at least 1, or 'all'; got 'some'"),
        (["cells.npz", "--cells", "0"], r"cells must be a whole number of at least 1"),
        (["cells.npz", "--seed", "-1"], r"Invalid value for '--seed'"),
        (["count.json"], r"Give the network too: .*creases audit RESULT MODEL"),
        (["count.json", "none.onnx"], r"no file none.onnx"),
        ([], r"Missing argument 'RESULT'"),
    ],
)
def test_bad_input_of_the_command(creases, saved, monkeypatch, arguments, message):
    monkeypatch.chdir(saved)
    code, out, err = creases("audit", *arguments)
    assert (code, out) == (2, "")
    assert re.search(message, err), err
    assert err.count("\n") == 1


# It shares nothing with what counts.


def test_house_an_audit_opens_no_kernel(saved):
    """Of a saved subdivision, and of a small count, not one module of the engine is imported, and no Numba."""
    program = (
        "import sys, creases; from creases.readers import load;"
        f"assert creases.audit({str(saved / 'cells.npz')!r}).agrees;"
        f"assert creases.audit({str(saved / 'count.json')!r}, load({str(saved / 'model.npz')!r})).recounted;"
        "print(*[name for name in sys.modules if name.startswith(('creases.engine', 'numba', 'llvmlite'))])"
    )
    done = python(program)
    assert done.stdout.strip() == ""


def test_house_integers_are_exact():
    """Weights are taken as they are: a third that is no third shows."""
    exact = ExactNetwork(hidden([[[1 / 3]]], [[-1.0]]), Box([0], [4]))
    ((number, form),) = exact.bounds(b"\1")
    assert number == 0
    assert Fraction(int(form[0]), -int(form[1])) == Fraction(1 / 3) != Fraction(1, 3)
    assert all(isinstance(value, fmpz) for value in form)
    assert isinstance(count(NETWORK, SQUARE), Count)
