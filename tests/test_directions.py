"""The sphere of directions, networks without biases, regions listed in any dimension, and the map between them."""

import json
from fractions import Fraction
from math import comb

import numpy as np
import pytest

import reference
from creases import (
    Box,
    Count,
    Directions,
    DomainError,
    Network,
    Polytope,
    Segment,
    Simplex,
    Space,
    Subspace,
    audit,
    count,
    count_in_pieces,
    count_many,
    subdivide,
)
from creases.domain import domain_from_dict
from creases.errors import ComputationError
from creases.subdivision import subdivide_flat
from creases.theory import central, has_full_recession_cone, unbounded_cones, zero_bias_map
from networks import KINDS, as_lists, he, random_network, table


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def zeros(biases):
    return [[0.0] * len(row) for row in biases]


def bools(pattern):
    return tuple(tuple(map(bool, layer)) for layer in pattern)


# Against the specification: the regions of a network without biases are cones, as many as on the sphere.


@pytest.mark.jit
@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_against_reference_directions(kind, d):
    """With and without its biases a network has the same directions."""
    for _, weights, biases in table(3 if d < 4 else 1, 5, d, [kind]):
        network = hidden(weights, biases)
        cones = list(reference.layers(weights, zeros(biases), reference.space(d)))
        for one in (network, network.without_biases()):
            found = count(one, Directions(d), by_neuron=True, threads=1)
            assert found.by_layer == tuple(len(regions) for regions, _ in cones)
            assert [list(row) for row in found.by_neuron] == [cutting for _, cutting in cones]
            assert found.certified
            assert found.bounded is None
            assert found.unbounded is None


@pytest.mark.jit
@pytest.mark.parametrize("d", [5, 6])
def test_against_reference_directions_of_many_dimensions(d):
    weights, biases = as_lists(he(np.random.default_rng(d), d, (7, 3), 0.5))
    found = count(hidden(weights, biases), Directions(d))
    assert found.regions == reference.count(weights, zeros(biases), reference.space(d))


@pytest.mark.jit
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_against_reference_listed_patterns(kind):
    """Each region once, with its own pattern, and a point inside it."""
    corner = np.vstack([np.zeros(3), np.eye(3)])
    for name, weights, biases in table(2, 9, 3, [kind]):
        network = hidden(weights, biases)
        for domain, specification in (
            (Box([-1] * 3, [1] * 3), reference.box([-1] * 3, [1] * 3)),
            (Simplex(corner), reference.simplex(corner.astype(int).tolist())),
            (Space(3), reference.space(3)),
        ):
            if isinstance(domain, Space) and name.startswith("parallel"):
                continue  # `test_bad_input_no_chart`
            found = subdivide(network, domain)
            wanted = sorted(bools(region.pattern) for region in reference.regions(weights, biases, specification))
            assert sorted(bools(found.pattern(i)) for i in range(len(found))) == wanted
            for index, point in enumerate(found.interior_points.tolist()):
                u = found.exact_interior_points.get(index, tuple(map(Fraction, point)))
                assert bools(reference.pattern_at(weights, biases, u)) == bools(found.pattern(index))
            assert found.by_layer == count(network, domain).by_layer


# The map between regions with biases and without.


@pytest.mark.jit
@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_against_exact_zero_bias_map(d):
    """One to one onto the regions that hold an open cone: 200 networks, those with ties too."""
    for name, weights, biases in table(65 if d < 4 else 15, 17, d):
        if name.startswith(("parallel", "extreme")):
            continue  # some have no cells in floats (`test_bad_input_no_chart`)
        network = hidden(weights, biases)
        pairs = zero_bias_map(network)
        images = [bools(pair.biased) for pair in pairs]
        assert len(set(images)) == len(images) == count(network, Directions(d)).regions, name
        assert set(images) == {bools(pattern) for pattern in unbounded_cones(network)}, name


@pytest.mark.jit
def test_against_reference_recession_cones():
    """Full-dimensional or not, by the rays of the regions themselves."""
    for _, weights, biases in table(40, 23, 2):
        network = hidden(weights, biases)
        for region in reference.regions(weights, biases, reference.space(2)):
            far = [ray[:-1] for ray in region.rays if ray[-1] == 0] + [line[:-1] for line in region.lines] * 2
            turns = [a[0] * b[1] - a[1] * b[0] for a in far for b in far]
            full = any(turns) if not region.lines else len(region.rays) + 2 * len(region.lines) > 2 and fills(region)
            assert has_full_recession_cone(network, [np.array(layer) for layer in region.pattern]) == full


def fills(region):
    """Whether a region of the plane that holds a line is a half-plane or all of it, not a strip."""
    points = [ray for ray in region.rays if ray[-1] != 0]
    return len(region.lines) == 2 or len(points) < 2


# Known answers.


@pytest.mark.jit
@pytest.mark.parametrize(("d", "neurons"), [(2, 60), (3, 40), (4, 20), (5, 12), (6, 10), (7, 9)])
def test_known_central(neurons, d):
    network = Network.from_arrays(*random_network([d, neurons, 1], 3, 0.5))
    assert count(network, Directions(d)).regions == central(neurons, d)
    assert central(neurons, d) == 2 * sum(comb(neurons - 1, k) for k in range(d))


@pytest.mark.jit
def test_known_directions_of_nine_inputs():
    """Their sphere has eight dimensions, as many as cells may have; in pieces, listed and of low rank too."""
    weights, _ = random_network([9, 11], 3, 0.5)
    network = hidden(weights, [[0.0] * 11])
    assert count(network, Directions(9)).regions == central(11, 9) == 2026
    assert count_in_pieces(network, Directions(9), pieces=2, threads=2).regions == 2026
    assert len(subdivide(network, Directions(9))) == 2026
    flat = hidden([np.insert(random_network([3, 7], 1, 0.5)[0][0], [0, 1, 1, 2, 3, 3], 0.0, axis=1)], [[1.0] * 7])
    assert count(flat, Directions(9)).regions == central(7, 3)


@pytest.mark.jit
def test_against_reference_directions_of_nine_inputs():
    """Two layers, with ties."""
    weights = [np.eye(9).tolist(), [[1.0, -1.0, *[0.0] * 7], [0.5, 0.0, 0.0, 2.0, -1.0, *[0.0] * 4]]]
    found = count(hidden(weights, [[1.0] * 9, [0.0] * 2]), Directions(9))
    assert found.by_layer == tuple(reference.by_layer(weights, zeros([[1.0] * 9, [0.0] * 2]), reference.space(9)))


def test_known_directions_of_a_line():
    steps = hidden([[[1.0], [-1.0]], [[1.0, -1.0], [1.0, 1.0]]], [[1.0, 2.0], [0.0, -1.0]])
    assert count(steps, Directions(1), by_neuron=True).by_neuron == ((1, 1), (0, 0))
    assert count(steps, Directions(1)).by_layer == (2, 2)
    assert count(hidden([[[0.0]]], [[1.0]]), Directions(1)).by_layer == (1,)
    assert len(subdivide(steps, Directions(1))) == 2


def test_known_without_biases():
    network = Network.from_arrays(*random_network([3, 5, 4, 2], 0, 1.0))
    linear = network.without_biases()
    point = np.array([0.3, -0.2, 0.9])
    assert np.allclose(linear.forward(4.0 * point), 4.0 * linear.forward(point), rtol=1e-14)
    assert linear.sha256 != network.sha256
    assert not any(layer.bias.any() for layer in linear.hidden)


def test_known_round_trips():
    assert domain_from_dict(json.loads(json.dumps(Directions(4).to_dict()))) == Directions(4)
    network = Network.from_arrays(*random_network([2, 6, 1], 0, 0.5))
    found = count(network, Directions(2))
    assert Count.from_dict(json.loads(found.to_json())) == found
    assert found.per_volume is None


def test_known_volumes():
    """Regions a unit of input space, whatever coordinates the domain is given in."""
    network = Network.from_arrays(*random_network([3, 6, 4, 1], 0, 0.5))
    cube = Box([0, 0, 0], [1, 1, 2])
    assert count(network, cube).per_volume == count(network, cube).regions / 2
    stretched = Polytope.where(
        np.vstack([np.eye(3), -np.eye(3)]), [1, 1, 1, 0, 0, 0], Subspace([0, 0, 0], np.diag([1, 1, 2]))
    )
    assert count(network, stretched).per_volume == pytest.approx(count(network, cube).per_volume)
    segment = Segment([0, 0, 0], [3, 0, 4])
    assert count(network, segment).per_volume == pytest.approx(count(network, segment).regions / 5)
    assert count(network, Space(3)).per_volume is None


@pytest.mark.jit
def test_known_no_volume_in_floats():
    """A domain that is flat, or too small, in floats has regions, and no density."""
    network = Network.from_arrays(*random_network([3, 6, 1], 0, 0.1))
    for domain in (
        Simplex([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1e-17]]),
        Box([0] * 3, [1e-200] * 3),
    ):
        assert count(network, domain).per_volume is None
    assert count(network, Segment([0, 0, 0], [1e-200, 0, 0])).per_volume == 1e200


@pytest.mark.jit
def test_known_corners_of_a_flat_polytope_are_in_order():
    """Counter-clockwise, however it was given, so that an audit can follow them."""
    network = Network.from_arrays(*random_network([2, 8, 1], 0, 0.1))
    for square in (
        Polytope.where([[1, 0], [-1, 0], [0, 1], [0, -1]], [1, 1, 1, 1]),
        Polytope([[1, 1], [-1, -1], [-1, 1], [1, -1]]),
    ):
        a, b = (np.roll(square.vertices, -steps, 0) - square.vertices for steps in (1, 2))
        assert (a[:, 0] * b[:, 1] > a[:, 1] * b[:, 0]).all()
        assert audit(count(network, square), network).agrees


# Laws.


@pytest.mark.jit
def test_laws_zero_bias_in_every_domain():
    """With 0 inside, every box and simplex meets all cones."""
    for seed in range(6):
        network = Network.from_arrays(*random_network([3, 8, 6, 1], seed, 0.5)).without_biases()
        cones = count(network, Directions(3)).regions
        simplex = Simplex(np.vstack([-np.ones(3), 4 * np.eye(3)]) + 2.0**-seed / 8)
        for domain in (Box([-1, -2, -0.5], [3, 1, 0.25]), simplex, Space(3)):
            assert count(network, domain).regions == cones


@pytest.mark.jit
def test_laws_linear_maps_of_directions():
    rng = np.random.default_rng(1)
    for seed in range(5):
        weights, biases = random_network([4, 7, 5, 1], seed, 0.5)
        turned = [np.array(weights[0]) @ rng.integers(-3, 4, (4, 4)).astype(float), *weights[1:]]
        if np.linalg.matrix_rank(turned[0]) < 4:
            continue
        one, other = Network.from_arrays(weights, biases), Network.from_arrays(turned, biases)
        assert count(one, Directions(4)).regions == count(other, Directions(4)).regions


@pytest.mark.jit
def test_laws_no_more_cones_than_regions():
    for seed in range(5):
        network = Network.from_arrays(*random_network([3, 9, 9, 1], seed, 0.5))
        directions, space = count_many(network, [Directions(3), Space(3)])
        assert directions.regions <= space.unbounded < space.regions


@pytest.mark.jit
def test_laws_threads_list_the_same_cells(monkeypatch):
    from creases.engine.loop import frontier

    monkeypatch.setattr(frontier, "ALONE", 20)
    monkeypatch.setattr(frontier, "SHARED_BUDGET", 20)
    network = Network.from_arrays(*random_network([3, 10, 10, 1], 0, 0.5))
    one, more = (subdivide(network, Box([-1] * 3, [1] * 3), threads=threads) for threads in (1, 3))
    assert np.array_equal(one.patterns, more.patterns)
    assert np.array_equal(one.corners, more.corners)
    for mine, theirs in zip(
        (*one.sides, *one.facets, one.vertices), (*more.sides, *more.facets, more.vertices), strict=True
    ):
        assert np.array_equal(mine, theirs)


def test_laws_cells_of_directions_are_cones():
    """Flat cells have edges in order, cones have sides; a point stands for its direction."""
    network = Network.from_arrays(*random_network([2, 6, 1], 0, 0.5))
    assert subdivide(network, Space(2)).is_flat
    cones = subdivide(network, Directions(2))
    assert not cones.is_flat
    assert cones.at_infinity.all()
    assert not cones.exact_interior_points
    assert repr(cones).startswith(f"Complex({len(cones)} regions, certified")
    assert cones.regions == count(network, Directions(2)).regions
    for pattern, direction in zip(map(cones.pattern, range(len(cones))), cones.interior_points, strict=True):
        assert bools(network.without_biases().pattern(direction)) == bools(pattern)


# Bad input.


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "3", None])
def test_bad_input_directions(n):
    with pytest.raises(DomainError, match="Directions needs a whole number of dimensions, at least 1"):
        Directions(n)


def test_bad_input_directions_of_too_many_inputs():
    """The message speaks of the sphere's dimensions, of cones, and of what can be cut of it."""
    network = Network.from_arrays(*random_network([10, 12, 1], 0, 0.1))
    words = rf"is a sphere of 9 dimensions; domains of up to 8 .* about {central(12, 10)} here .* on a Subspace through"
    with pytest.raises(DomainError, match=words):
        count(network, Directions(10))


def test_bad_input_flat_only():
    network = Network.from_arrays(*random_network([3, 5, 1], 0, 0.1))
    for domain in (Directions(3), Box([-1] * 3, [1] * 3)):
        with pytest.raises(DomainError, match="more than two dimensions"):
            subdivide_flat(network, domain)


@pytest.mark.jit
def test_bad_input_no_chart():
    """Two neurons parallel but for 2^-52: counted in rationals, but not listed."""
    rows = [[1.0, 1.0, 0.0], [1.0, 1.0 + 2.0**-52, 0.0], [0.0, 0.0, 1.0]]
    network = hidden([rows], [[1.0, 2.0, 0.0]])
    assert count(network, Space(3)).exact_cells == 8
    with pytest.raises(ComputationError, match="nearly parallel"):
        subdivide(network, Space(3))


@pytest.mark.jit
def test_known_a_chart_of_far_rays_in_whole_numbers():
    """Two neurons parallel but for 1e-300: floats hold the far rays, though the inverse that gave them did not."""
    network = hidden([[[1.0, 0.0, 0.0], [1.0, 1e-300, 0.0], [0.0, 0.0, 1.0]]], [[0.0, 0.0, 0.0]])
    found = subdivide(network, Space(3))
    assert found.certified
    assert len(np.unique(found.patterns, axis=0)) == len(found) == count(network, Space(3)).regions == 8
