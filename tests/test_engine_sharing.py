"""One unit for all that are the same function: the same regions, fewer units, and floats that are exact or none."""

import numpy as np
import pytest

import reference
from creases import Box, Directions, Network, Space, count
from creases.engine.graph import Graph, Level, relu_slopes
from creases.engine.proof import sharing
from creases.engine.proof.choices import choices_of
from creases.engine.proof.exact_layers import exact_levels
from creases.engine.proof.rational_forms import RationalForms
from creases.engine.proof.sharing import shared_units
from creases.engine.starts.exact_root import exact_root
from creases.engine.starts.first_layer import composed_forms
from creases.engine.starts.starting import starts
from creases.engine.starts.workshop import Workshop
from creases.packing import as_problem, graph_of
from engine_twins import amount, dot, exactly
from graph_cases import random_graph
from graph_networks import as_network
from lattices import KINDS, lattice_chain, lattice_levels


def counted(network, domain, **options):
    return count(network, domain, threads=1, progress=False, **options)


def relus(*sources, bias):
    """A level of ReLUs with these (source, matrix)."""
    numbers, matrices = zip(*sources, strict=True)
    return Level(
        numbers, tuple(np.array(m, dtype=float) for m in matrices), np.array(bias, float), relu_slopes(len(bias))
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_against_reference_lattices(d, kind):
    """On boxes, whole spaces and directions; no question is left to rationals where functions are short."""
    rng = np.random.default_rng([d, len(kind)])
    for _ in range(amount(4 if d < 3 else 2, 1, 2 if d < 3 else 1)):
        groups, slots = [(2, 4), (4, 2), (1, 4)][rng.integers(3)] if d < 3 else (2, 2)
        levels = lattice_levels(rng, 4 if d < 3 else 3, groups, slots, d, kind)
        network = as_network(levels, d)
        assert shared_units(graph_of(network)) is not None
        for domain, place in (
            (Box([-2] * d, [2] * d), reference.box([-2] * d, [2] * d)),
            (Space(d), reference.space(d)),
        ):
            found = counted(network, domain)
            assert found.certified
            assert list(found.by_layer) == reference.graph_by_layer(levels, place)
            assert kind == "long" or d != 2 or found.exact_cells == 0


@pytest.mark.parametrize("kind", KINDS)
def test_against_reference_lattices_as_chains(kind):
    """Multiplied out; where floats are exact the chain is a graph of fewer units."""
    rng = np.random.default_rng(len(kind))
    smaller = 0
    for _ in range(amount(6, 1, 3)):
        layers = lattice_chain(rng, 4, 2, 2, 2, kind)
        weights, biases = [w for w, _ in layers], [b for _, b in layers]
        network = Network.from_arrays([*weights, np.ones((1, 4))], [*biases, np.zeros(1)])
        smaller += shared_units(graph_of(network)) is not None
        levels = reference.chain(weights, biases)
        found = counted(network, Box([-2, -2], [2, 2]))
        assert list(found.by_layer) == reference.graph_by_layer(levels, reference.box([-2, -2], [2, 2]))
        assert counted(network, Directions(2)).by_layer == counted(network, Directions(2), by_neuron=True).by_layer
    assert smaller


@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_against_counts_without_sharing(n_in, monkeypatch):
    """Random graphs with copies, opposites, dead and constant units; counts by neuron look at every unit."""
    monkeypatch.setattr(sharing, "WORTH", 1.0)
    monkeypatch.setattr(sharing, "WORTH_NO_CHAIN", 1.0)
    smaller = 0
    for i in range(amount(150 if n_in < 3 else 60, 4)):
        rng = np.random.default_rng([5, n_in, i])
        network = as_network(random_graph(rng, n_in, degenerate=True, kinks=("relu", "leaky", "linear", "relu")), n_in)
        small = shared_units(graph_of(network))
        smaller += small is not None and sum(small.graph.widths) < sum(graph_of(network).widths)
        domain = (Box([-2] * n_in, [2] * n_in), Space(n_in))[i % 2]
        assert counted(network, domain).by_layer == counted(network, domain, by_neuron=True).by_layer, i
    assert smaller >= amount(10, 0)


def test_known_minimum_of_two():
    """The four neurons of a pair are two, and the minimum is x - relu(x - y): no half is left."""
    levels = lattice_levels(np.random.default_rng(1), 2, 1, 2, 2, "short")[:3]
    levels[1] = levels[1]._replace(sources={1: np.eye(2)})
    levels.append(reference.Level({3: [[0.5, -0.5, -0.5, -0.5]]}, [1.0], reference.relu(1)))
    small = shared_units(graph_of(as_network(levels, 2)))
    assert small.layers == [1, 2]
    first, second = (small.graph.layer(i) for i in range(2))
    assert first.matrices[0].tolist() == [[1, 1], [-1, 1]]
    assert [source for source, _ in second.terms] == [1, 2]
    assert [matrix.tolist() for matrix in second.matrices] == [[[0, 1]], [[0, -1]]]


def test_known_layers_that_cut_nothing_new():
    """A layer whose neurons are those below again has no layer of its own; its regions are those below."""
    twice = relus((1, [[1.0], [2.0]]), bias=[0, 0])
    graph = Graph((relus((0, [[1.0, 2.0], [2.0, 4.0]]), bias=[1, 2]), relus((0, [[2.0, 4.0]]), bias=[2])))
    small = shared_units(graph)
    assert (small.graph.widths, small.layers) == ([1], [1, 1])
    # relu(relu(z)) is another neuron: on a cell where z is below zero it vanishes, and it has no line of its own.
    graph = Graph((relus((0, [[1.0, 2.0], [1.0, 2.0]]), bias=[1, 1]), twice._replace(matrices=(np.eye(2),))))
    assert shared_units(graph).graph.widths == [1, 1]


def test_known_nothing_that_rounds():
    """Sums and products that are no floats leave the network as it is; so do factors that are none."""
    first = relus((0, [[1.0, 2.0], [1.0, 2.0]]), bias=[1, 1])
    for above in ([[0.1, 0.2]], [[1.0, 2.0**-60]]):
        assert shared_units(Graph((first, relus((1, above), bias=[0])))) is None
    assert shared_units(Graph((first, relus((1, [[0.5, 0.25]]), bias=[0])))).graph.weights[1].tolist() == [[0.75]]
    tripled = relus((0, [[1.0, 2.0], [3.0, 6.0]]), bias=[1, 3])
    assert shared_units(Graph((tripled, relus((1, [[0.0, 0.1]]), bias=[0])))) is None  # 0.3 is no float
    assert shared_units(Graph((tripled, relus((1, [[0.0, 0.5]]), bias=[0])))).graph.weights[1].tolist() == [[1.5]]
    third = relus((0, [[3.0, 9.0], [1.0, 3.0], [0.5, 1.0], [0.25, 0.5]]), bias=[3, 1, 0, 0])
    assert shared_units(Graph((third,))).graph.widths == [3]  # a third is no float, and a half is one
    assert shared_units(Graph((relus((0, np.random.default_rng(0).standard_normal((4, 2))), bias=[0] * 4),))) is None


def test_known_denormal_factors():
    """Factors whose products may be lost are none."""
    graph = Graph((relus((0, [[1.0, 1.0], [5e-324, 5e-324]]), bias=[0, 0]), relus((1, [[1.0, 1.0]]), bias=[0])))
    assert shared_units(graph) is None


# What chooses does not grow.


def exact_with(graph, bits):
    """Which levels are exact where the functions are whole numbers of so many bits."""
    forms = np.full((len(graph.levels[0].bias), 3), 2.0**bits - 1.0)
    forms[0, 0] = 1.0
    return exact_levels(graph, {1: (forms, np.zeros((len(forms), 2)))})


def test_known_levels_that_choose():
    """All linear levels of a tournament but the first choose, so they are exact for functions nearly as long as floats;
    by the sizes of what is added up they would not be."""
    levels = lattice_levels(np.random.default_rng(4), 16, 16, 16, 2, "short")
    graph = shared_units(graph_of(as_network(levels, 2))).graph
    linear = [number for number, level in enumerate(graph.levels, 1) if level.slopes is None]
    assert sorted(choices_of(graph)) == linear[1:]
    assert all(exact_with(graph, 44))
    assert not all(exact_with(graph, 48))
    assert sum(exact_with(graph, 51)) < 3


def test_known_what_is_substituted_fits():
    """z = min(min(a, b), c) + b is a - relu(w) - relu(v) + b: where both are substituted at once, six times the largest
    number is added up. By the sizes of all that is added from the inputs on it would be eight."""
    eye, more = np.eye(3), {"bias": [0.0]}
    graph = Graph(
        (
            Level((0,), (eye,), np.zeros(3)),
            relus((1, [[1.0, -1.0, 0.0]]), **more),
            Level((1, 2), (eye[:1], -np.ones((1, 1))), np.zeros(1)),
            relus((1, [[0.0, 0.0, -1.0]]), (3, [[1.0]]), **more),
            Level((3, 4), (np.ones((1, 1)), -np.ones((1, 1))), np.zeros(1)),
            relus((1, [[0.0, 1.0, 0.0]]), (5, [[1.0]]), **more),
        )
    )
    assert choices_of(graph) == {3: (1,), 5: (1, 3)}
    for units, exact in ((2**53 // 8, True), (2**53 // 6, True), (2**53 // 6 + 1, False)):
        forms = np.array([[units, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
        assert all(exact_levels(graph, {1: (forms, np.zeros((3, 2)))})) is exact


@pytest.mark.parametrize(
    "changed", [{"bias": [1.0]}, {"matrices": ([[1.0, 0.0]], [[1.0]])}, {"matrices": ([[2.0, 0.0]], [[-2.0]])}]
)
def test_known_no_choice(changed):
    """A bias, a wrong sign and a factor of two are no choice."""
    x = Level((0,), (np.eye(2),), np.zeros(2))
    y = Level((1, 2), (np.array([[1.0, 0.0]]), np.array([[-1.0]])), np.zeros(1))
    changed = {name: np.array(v) if name == "bias" else tuple(map(np.array, v)) for name, v in changed.items()}
    for level, chooses in ((y, True), (y._replace(**changed), False)):
        assert bool(choices_of(Graph((x, relus((1, [[1.0, -1.0]]), bias=[0]), level)))) is chooses


# The first local network without rounding.


def open_values(rows, point):
    """The sums of all neurons at a point, layer by layer, from the rows of a first local network, exactly."""
    ray, values = exactly([*point, 1.0]), []
    for layer in rows:
        sums = [dot(exactly(form), ray) for form in layer.forms]
        for below, coupling in layer.couplings.items():
            acts = [max(z, 0) for z in values[below]]
            sums = [total + dot(exactly(row), acts) for total, row in zip(sums, coupling, strict=True)]
        values.append(sums)
    return values


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("domain", [Box([-2, -2], [2, 2]), Space(2)], ids=["box", "space"])
def test_against_exact_first_networks(kind, domain):
    """What its rows say at points of the starting cells is what the network does; where functions are long there is
    none."""
    rng = np.random.default_rng(len(kind))
    levels = lattice_levels(rng, 4, 2, 4, 2, kind)
    graph = shared_units(graph_of(as_network(levels, 2))).graph
    problem = as_problem(as_network(levels, 2), domain)._replace(graph=graph)
    found = 0
    for start in starts(problem, Workshop()):
        root = exact_root(problem, start)
        assert (root is None) == (kind == "long") or isinstance(domain, Space)
        if root is None:
            continue
        found += 1
        for point in rng.integers(-8, 9, (5, 2)) / 8:
            ray = [dot(exactly(row), exactly([*point, 1.0])) for row in start.chart]
            values, expected = {0: ray[:-1]}, []
            for number, level in enumerate(graph.levels, 1):
                sums = [ray[-1] * exactly(b) for b in level.bias]
                for source, matrix in level.terms:
                    sums = [s + dot(exactly(row), values[source]) for s, row in zip(sums, matrix, strict=True)]
                values[number] = sums if level.slopes is None else [max(z, 0) for z in sums]
                expected += [sums] if level.slopes is not None else []
            assert open_values(root.layers, point) == expected
    assert found or kind == "long"


def test_known_first_networks_of_others():
    """None on a wall, where another kink than ReLU stands, or with too many neurons."""
    levels = lattice_levels(np.random.default_rng(0), 4, 2, 4, 2, "short")
    network = as_network(levels, 2)
    problem = as_problem(network, Box([-2, -2], [2, 2]))
    (start,) = starts(problem, Workshop())
    assert exact_root(problem, start) is not None
    assert exact_root(problem, start._replace(chart=start.chart[:, 1:])) is None
    assert exact_root(problem, start._replace(chart=start.chart * [[1.0], [1.0], [0.3]])) is None
    bent = problem.graph.levels[2]._replace(slopes=np.add(problem.graph.levels[2].slopes, [[0.5], [0.0]]))
    leaky = Graph((*problem.graph.levels[:2], bent, *problem.graph.levels[3:]))
    assert exact_root(problem._replace(graph=leaky), start) is None


def test_against_exact_forms_of_a_layer_on_a_linear_level():
    """The first layer's forms by floats, where nothing rounds, are those by rationals."""
    levels = lattice_levels(np.random.default_rng(0), 4, 2, 2, 2, "short")
    problem = as_problem(as_network(levels, 2), Space(2))
    graph = shared_units(problem.graph).graph
    problem = problem._replace(graph=graph)
    forms, bounds = composed_forms(problem, graph.layer(0))
    expected, off = RationalForms.of(problem).floats(0)
    assert np.array_equal(forms, expected)
    assert not bounds.any()
    assert not off.any()
    long = graph.levels[0]._replace(matrices=(graph.levels[0].matrices[0] * 0.1,))
    assert composed_forms(problem._replace(graph=Graph((long, *graph.levels[1:]))), graph.layer(0)) is None
