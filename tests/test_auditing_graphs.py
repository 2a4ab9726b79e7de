"""The audit of graphs: its arithmetic against the specification, and that it finds what is wrong."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

import graph_cases
import reference
from creases import Box, Complex, Line, Network, Plane, Polyline, Segment, Space, audit, count, subdivide
from creases.auditing.cells import cell_of
from creases.auditing.forms import ExactNetwork, unpacked
from creases.auditing.ledger import Ledger
from creases.auditing.recount import recount
from creases.domain import domain_from_dict
from creases.network import AveragePool, Clip, Conv, Dense, LeakyReLU, Level, Linear, Max, ReLU, Scale
from graph_networks import as_network, packed, with_divisions

SQUARE = Box([-1, -1], [1, 1])


def flat_case(seed):
    """A network of one or two dimensions, or on a domain of such."""
    rng = np.random.default_rng(seed)
    n_in = int(rng.integers(1, 5))
    levels = graph_cases.random_graph(rng, n_in, degenerate=bool(rng.integers(2)))
    kinds = [k for k in graph_cases.DOMAINS[n_in] if n_in < 3 or k not in ("box", "space", "simplex")]
    place = graph_cases.random_domain(rng, n_in, kinds[rng.integers(len(kinds))])
    return as_network(levels, n_in), levels, domain_from_dict(place.data), place.specification


def texts(found):
    return "\n".join(map(str, found.findings))


@pytest.mark.parametrize("part", range(4))
def test_against_reference_recount(part):
    """Walking from cell to cell meets the regions of the specification, with their corners."""
    for seed in range(8):
        network, levels, domain, specification = flat_case([21, part, seed])
        walked = recount(network, domain, 10**6, Ledger(), int)
        regions = {packed(network, r.pattern): r for r in reference.graph_regions(levels, specification)}
        assert {row.tobytes() for row in walked.patterns} == set(regions)
        assert walked.unbounded == sum(not region.bounded for region in regions.values())
        exact = ExactNetwork(network, domain)
        for row in walked.patterns:
            cell, region = cell_of(exact, unpacked(row, network.bits)), regions[row.tobytes()]
            if cell.normal is None and not region.lines:
                corners = {tuple(Fraction(int(x), int(c[-1])) for x in c) for c in cell.corners if c[-1]}
                assert corners == {ray for ray in region.rays if ray[-1]}


def agrees(result, network, **options):
    """Whether an audit looked at all that it was asked for, and found nothing wrong."""
    found = audit(result, network, **options)
    assert found.agrees, texts(found)
    assert found.complete, texts(found)
    return True


def both_agree(seed):
    network, _, domain, _ = flat_case(seed)
    cells, found = subdivide(network, domain, threads=1), count(network, domain, threads=1, by_neuron=True)
    return agrees(cells, network, cells=None) and agrees(found, network, cells=None)


@pytest.mark.parametrize("part", range(4))
def test_laws_audits_of_graphs_agree(part):
    for seed in range(8):
        assert both_agree([22, part, seed])


@pytest.mark.long
@pytest.mark.parametrize("part", range(20))
def test_laws_audits_of_graphs_agree_table(part):
    for seed in range(100):
        assert both_agree([23, part, seed])


@pytest.mark.parametrize("seed", range(6))
def test_laws_audits_along_a_path(seed):
    rng = np.random.default_rng([24, seed])
    network = as_network(graph_cases.random_graph(rng, 2, degenerate=bool(seed % 2)), 2)
    path = Polyline((rng.integers(-8, 9, (4, 2)) / 4 + np.arange(4)[:, None] / 64).tolist())
    assert agrees(count(network, path, by_neuron=True), network)


def images():
    """A convolution, an average of three, slopes one a unit, a skip with a scale, a clip, and a maximum."""
    rng = np.random.default_rng(5)
    conv = Conv(rng.standard_normal((2, 1, 2, 2)), (1, 4, 4), padding=1)
    pool = AveragePool(3, conv.output_shape, stride=1, padding=1, count_include_pad=False)
    n = pool.n_out
    levels = [
        Level({0: Dense(rng.standard_normal((16, 16)) / 4)}, None, Linear()),
        Level({1: conv}, rng.standard_normal(conv.n_out) * 0.1, LeakyReLU(rng.choice([0.1, -0.3, 1.0], conv.n_out))),
        Level({2: pool}, np.full(n, -0.05), ReLU(), "pooled"),
        Level({2: Scale(np.full(n, 1 / 3)), 3: Scale(np.full(n, -0.7))}, None, Clip(-0.1, 0.2)),
        Level({4: Dense(rng.standard_normal((6, n)))}, None, Max([[0, 1, 2], [3, 4, 5, 1]]), "best"),
        Level({5: Dense([[1.0, -1.0]])}, None, Linear()),
    ]
    return Network.from_levels(levels, input_shape=(1, 4, 4))


def test_laws_audit_of_convolutions_and_averages():
    network, rng = images(), np.random.default_rng(6)
    start, end, third = rng.standard_normal((3, 16))
    cells = subdivide(network, Segment(start, end))
    assert len(cells) > 20
    for result in (cells, count(network, Line(start, end), by_neuron=True)):
        assert agrees(result, network, cells=None)
    found = audit(subdivide(network, Plane.through(start, end, third)), cells=20)
    assert found.agrees, texts(found)


@pytest.mark.parametrize("seed", range(4))
def test_laws_audit_of_divisions(seed):
    """Divisors of 53 bits: the audit's integers share nothing with the engine's, and both are the specification's."""
    rng = np.random.default_rng([25, seed])
    levels = graph_cases.random_graph(rng, 2, degenerate=bool(seed % 2))
    specified, network = with_divisions(levels, 2, lambda n: rng.choice([0.1, -0.3, 0.229, 7.0, 0.5], n))
    assert agrees(count(network, SQUARE, by_neuron=True), network)
    cells = subdivide(network, SQUARE)
    assert agrees(cells, network, cells=None)
    assert len(cells) == reference.graph_count(specified, reference.box([-1, -1], [1, 1]))


@pytest.mark.parametrize("domain", [SQUARE, Space(2), Segment([0, 0], [1, 1]), Line([0, 0], [1, 0])])
def test_known_networks_without_layers(domain):
    plain = Network.from_levels([Level({0: Dense([[1.0, 1.0]])}, None, Linear())])
    for result in (subdivide(plain, domain), count(plain, domain)):
        assert agrees(result, plain)


# What is wrong.

NETWORK = Network.from_levels(
    [
        Level({0: Dense([[1.0, 0.3], [-0.2, 1.0], [0.7, -0.9]])}, [0.1, -0.2, 0.3], LeakyReLU(0.25), "bends"),
        Level(
            {1: Dense([[1.0, 0.5, -1.0], [0.2, 1.0, 0.4], [-1.0, 0.3, 0.6]]), 0: Dense(np.eye(3, 2))},
            [0.0, 0.1, -0.1],
            Max([[0, 1, 2]]),
            "best",
        ),
        Level({2: Dense([[1.0]])}, [-0.5], Clip(-0.25, 0.25), "last"),
    ]
)
CELLS = subdivide(NETWORK, SQUARE)
COUNT = count(NETWORK, SQUARE, by_neuron=True)


def checks(found):
    return {finding.check for finding in found.findings}


@pytest.mark.parametrize(
    ("fields", "check"),
    [
        ({"regions": COUNT.regions + 1}, "regions"),
        ({"regions": COUNT.regions - 1}, "regions"),
        ({"by_layer": (COUNT.by_layer[0], COUNT.by_layer[1] + 1, COUNT.by_layer[2])}, "by_layer"),
        ({"by_neuron": (COUNT.by_neuron[0], (COUNT.by_neuron[1][0] - 1,), COUNT.by_neuron[2])}, "by_neuron"),
    ],
)
def test_bad_counts_are_found_out(fields, check):
    found = audit(dataclasses.replace(COUNT, **fields), NETWORK)
    assert not found.agrees
    assert check in checks(found)


def test_bad_counts_of_another_network_are_found_out():
    """The numbers of the network with ReLU in the place of the leaky slope."""
    levels = [NETWORK.levels[0], *NETWORK.levels[1:]]
    levels[0] = Level(levels[0].sources, levels[0].bias, ReLU(), "bends")
    other = count(Network.from_levels(levels), SQUARE, by_neuron=True)
    assert other.by_layer != COUNT.by_layer
    found = audit(dataclasses.replace(other, network=NETWORK.sha256), NETWORK)
    assert not found.agrees


def altered(**arrays):
    return dataclasses.replace(CELLS, **{name: array.copy() for name, array in arrays.items()})


def flipped(cell, *bits):
    patterns = CELLS.patterns.copy()
    for bit in bits:
        patterns[cell, bit // 8] ^= np.uint8(1 << bit % 8)
    return patterns


def test_bad_patterns_of_switches_are_found_out():
    on = np.unpackbits(CELLS.patterns[4], bitorder="little")[3:6].tolist()
    winner, other = 3 + on.index(1), 3 + on.index(0)
    for patterns in (flipped(4, winner), flipped(4, other), flipped(4, winner, other)):
        found = audit(altered(patterns=patterns), NETWORK, cells=None)
        assert not found.agrees
        assert checks(found) & {"empty", "corners", "pattern", "neighbour"}


def test_bad_walls_of_switches_are_found_out():
    place = int(np.flatnonzero(CELLS.edges >= NETWORK.bits)[0])
    edges = CELLS.edges.copy()
    edges[place] = next(e for e in (8 * 2 + 3, 8 * 2 + 4, 8 * 3 + 3) if e != edges[place])
    found = audit(altered(edges=edges), NETWORK, cells=None)
    assert checks(found) == {"corners"}
    assert "candidates 3 and" in texts(found) or "candidates 4 and" in texts(found)


def test_missing_regions_of_switches_are_found_out():
    """Without one cell its neighbours lead out of the table, across a switch too, and that is said in words."""
    place = int(np.flatnonzero(CELLS.edges >= NETWORK.bits)[0])
    gone = int(np.searchsorted(CELLS.first, place, side="right")) - 1
    kept = np.delete(np.arange(len(CELLS)), gone)
    rows = np.concatenate([np.arange(CELLS.first[i], CELLS.first[i + 1]) for i in kept])
    cells = Complex(
        network=NETWORK,
        domain=SQUARE,
        first=np.concatenate([[0], np.cumsum(np.diff(CELLS.first)[kept])]),
        corners=CELLS.corners[rows],
        at_infinity=CELLS.at_infinity[rows],
        edges=CELLS.edges[rows],
        patterns=CELLS.patterns[kept],
        by_layer=CELLS.by_layer,
        certified=True,
        exact_cells=0,
        seconds=0.0,
    )
    found = audit(cells, cells=None)
    assert {"areas", "neighbour"} <= checks(found)
    assert "the region across its edge on candidates" in texts(found)
