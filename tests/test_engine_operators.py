"""Large networks: products in slices, norms, and roots made operator by operator, which count as written rows do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import creases
from creases import build, lowering, packing
from creases.domain import Box, Plane, Segment
from creases.engine.answers import driver
from creases.engine.columns.norms import norm_of, norm_of_scaled, schur
from creases.engine.columns.prepared import prepared
from creases.engine.columns.sliced import SlicedMatrix
from creases.engine.columns.sparse import SparseMatrix, length
from creases.engine.columns.values import Columns, summed_columns
from creases.engine.convolution import Convolution
from creases.errors import ComputationError
from creases.network.operators.convolution import Conv

GEOMETRIES = [
    {"input_shape": (2, 6, 5), "kernel": (3, 3), "padding": 1},
    {"input_shape": (4, 7, 7), "kernel": (3, 3), "padding": 1, "stride": 2, "groups": 2},
    {"input_shape": (3, 8), "kernel": (4,), "padding": 2, "stride": 3},
    {"input_shape": (1, 9, 6), "kernel": (2, 3), "dilation": (2, 1)},
    {"input_shape": (2, 4, 4, 4), "kernel": (2, 2, 2), "stride": 2},
    {"input_shape": (3, 5, 5), "kernel": (1, 1)},
    {"input_shape": (1, 21), "kernel": (3,), "stride": 2, "dilation": 2},
]


def convolution_of(rng, input_shape, kernel, groups=1, **settings):
    """A random convolution as the engine has it, and its matrix."""
    weight = rng.normal(size=(2 * groups, input_shape[0] // groups, *kernel))
    operator = Conv(weight, input_shape, groups=groups, **settings)
    return Convolution(operator.kernel, operator.windows), operator.matrix.toarray()


@pytest.fixture
def unwritten(monkeypatch):
    """Counts a network with its convolutions as they are, whatever its size."""

    def count(network, domain, **settings):
        monkeypatch.setattr(lowering, "MOST_ENTRIES", -1)
        packing.graphs.pop(network, None)
        found = creases.count(network, domain, progress=False, **settings)
        monkeypatch.undo()
        packing.graphs.pop(network, None)
        return found

    return count


def exact_product(matrix, hi, lo):
    """A matrix times hi + lo, in fractions."""
    values = [Fraction(a) + Fraction(b) for a, b in zip(hi.tolist(), lo.tolist(), strict=True)]
    return [sum((Fraction(w) * v for w, v in zip(row, values, strict=True)), Fraction(0)) for row in matrix.tolist()]


def true_length(numbers):
    """The Euclidean length of fractions, as a float."""
    return float(sum(number * number for number in numbers)) ** 0.5


@pytest.mark.parametrize("settings", GEOMETRIES, ids=str)
@pytest.mark.parametrize("numbers", ["random", "wide", "whole", "local"])
def test_property_a_product_in_slices_is_no_further_off_than_it_says(settings, numbers):
    rng = np.random.default_rng(1)
    convolution, matrix = convolution_of(rng, **settings)
    hi = rng.normal(size=(4, matrix.shape[1]))
    if numbers == "wide":
        hi *= 10.0 ** rng.uniform(-20, 0, hi.shape)
    if numbers == "whole":
        hi = np.rint(hi * 8)
    if numbers == "local":  # but for one place zeros: a box of windows
        hi[:, rng.permutation(matrix.shape[1])[1:]] = 0.0
    lo = hi * rng.uniform(-1, 1, hi.shape) * 2.0**-54
    hi[3] = lo[3] = 0.0
    for some, precise in ((convolution, 2), (matrix, 1)):
        found_hi, found_lo, lost = SlicedMatrix(some).times(hi, lo, precise)
        for row in range(4):
            exact = exact_product(matrix, hi[row], lo[row])
            off = [
                Fraction(a) + Fraction(b) - c
                for a, b, c in zip(found_hi[row].tolist(), found_lo[row].tolist(), exact, strict=True)
            ]
            assert true_length(off) <= lost[row]
        size = np.abs(matrix).max() * np.abs(hi).max(axis=1) * matrix.shape[1]
        assert (lost <= 2.0**-60 * size + 2.0**-900).all()
        assert (lost[:precise] <= 2.0**-80 * size[:precise] + 2.0**-900).all()
        assert not found_hi[3].any()


def test_known_a_value_on_the_edge_of_two_slices_is_no_further_off():
    """What is left of hi is half a unit, and lo adds to it."""
    matrix = np.concatenate([[1.0], np.full(59, 2.0**-24)])[None]
    hi = np.full((1, 60), 1.0 + 2.0**-48)
    lo = np.full((1, 60), 2.0**-53)
    found_hi, found_lo, lost = SlicedMatrix(matrix).times(hi, lo, 0)
    exact = exact_product(matrix, hi[0], lo[0])[0]
    assert abs(Fraction(found_hi[0, 0]) + Fraction(found_lo[0, 0]) - exact) <= Fraction(lost[0])


def test_known_float32_weights_take_two_slices_and_few_rows_more():
    weight = np.random.default_rng(0).normal(size=(64, 288)).astype(np.float32).astype(np.float64)
    rows = len(next(SlicedMatrix(weight).steps(3))[2])
    assert 128 <= rows <= 140
    assert len(next(SlicedMatrix(np.rint(weight * 10)).steps(3))[2]) == 64


def test_known_values_out_of_range_are_far_off_or_tiny():
    matrix = np.ones((2, 3))
    hi = np.array([[1e150, 0, 0], [1e-150, 0, 0], [1.0, 2.0, 3.0], [np.nan, 1, 1], [np.inf, 1, 1], [0, 0, 0]])
    found, _, lost = SlicedMatrix(matrix).times(hi, np.zeros_like(hi), 3)
    assert lost[[0, 3, 4]].tolist() == [np.inf] * 3
    assert 0 < lost[1] < 1e-148
    assert found[2].tolist() == [6.0, 6.0]
    assert lost[5] == 0.0
    for scale in (1e200, 1e300, 1e-303, 5e-324):
        lost = SlicedMatrix(scale * matrix).times(hi, np.zeros_like(hi), 1)[2]
        assert lost.tolist() == [np.inf] * 5 + [0.0]


def test_known_copies_of_any_size_are_copies():
    """Splitting a number of 2^996 or more overflows."""
    from scipy.sparse import csr_array

    hi = np.array([[1e305, -1.5, 0.0, 5e-324]])
    copies = SparseMatrix(csr_array(np.array([[0, 1.0, 0, 0], [-1.0, 0, 0, 0], [0, 0, 0, 1.0]])))
    found, low, lost = copies.times(hi, np.zeros_like(hi), 1)
    assert found.tolist() == [[-1.5, -1e305, 5e-324]]
    assert not low.any()
    assert lost.tolist() == [0.0]
    assert SparseMatrix(csr_array(np.array([[3.0, 0, 0, 0]]))).times(hi, np.zeros_like(hi), 1)[2] == [np.inf]


def test_known_numbers_that_overflow_are_not_taken_for_zero(unwritten):
    x = build.take(build.input(2), [0, 1])
    h = build.relu(build.conv(build.reshape(x, 1, 2), np.full((1, 1, 1), 1e100), np.zeros(1)))
    network = build.network(build.flatten(h))
    domain = Segment([-1e305, 1e305], [1e305, 5e304])
    wanted, found = creases.count(network, domain, progress=False), unwritten(network, domain)
    assert wanted.certified
    assert found.by_layer == wanted.by_layer or not found.certified


@pytest.mark.parametrize("settings", GEOMETRIES, ids=str)
def test_property_a_norm_is_a_bound_and_not_far_off(settings):
    rng = np.random.default_rng(2)
    for scale in (1.0, 1e-200, 1e150):
        convolution, matrix = convolution_of(rng, **settings)
        convolution = Convolution(convolution.kernel * scale, convolution.geometry)
        true = np.linalg.norm(matrix, 2) * scale
        assert true <= norm_of(convolution) <= 3.0 * true
        assert true <= norm_of(matrix * scale) * (1 + 1e-12)
        assert true <= schur(matrix * scale) * (1 + 1e-12)


def test_known_norms():
    assert 2.0 <= norm_of(np.diag([1.0, -2.0])) < 2.001
    assert norm_of(np.zeros((2, 2))) < 1e-290
    # A kernel of ones over a long row: each frequency is looked at, and zero has the largest.
    ones = Conv(np.ones((1, 1, 3)), (1, 50), padding=1)
    assert 2.9 < np.linalg.norm(ones.matrix.toarray(), 2) <= norm_of(Convolution(ones.kernel, ones.windows)) < 3.6


@pytest.mark.parametrize("settings", GEOMETRIES, ids=str)
def test_property_a_norm_after_factors_is_a_bound_and_less_than_two(settings):
    """Factors that differ over a channel too; those of a batch norm level a kernel that has one long direction."""
    rng = np.random.default_rng(4)
    convolution, matrix = convolution_of(rng, **settings)
    channels = convolution.kernel.shape[0] * convolution.kernel.shape[1]
    of_channels = np.repeat(10.0 ** rng.uniform(-2, 0, channels), len(matrix) // channels)
    for factors in (of_channels, of_channels * rng.uniform(-1, 1, len(matrix)), np.zeros(len(matrix))):
        true = np.linalg.norm(factors[:, None] * matrix, 2)
        for some in (convolution, matrix):
            assert true <= norm_of_scaled(factors, some) * (1 + 1e-12)
    longest = np.linspace(1, 50, channels)
    kernel = convolution.kernel * longest.reshape(*convolution.kernel.shape[:2], *(1,) * (convolution.kernel.ndim - 2))
    long = Convolution(kernel, convolution.geometry)
    factors = np.repeat(1 / longest, len(matrix) // channels)
    assert norm_of_scaled(factors, long) == pytest.approx(norm_of(convolution), rel=1e-5)
    assert norm_of(long) * factors.max() > 2 * norm_of_scaled(factors, long)


def test_property_a_batch_norm_carries_errors_as_far_as_it_says(monkeypatch):
    """Columns that are off, times a convolution and factors: no further off than is said, and that is less than the
    product of the two norms."""
    rng = np.random.default_rng(5)
    x = build.input(2, 6, 6)
    kernel = rng.normal(size=(4, 2, 3, 3)) * np.array([1.0, 3.0, 10.0, 30.0])[:, None, None, None]
    h = build.conv(x, kernel, rng.normal(size=4), padding=1)
    h = build.batch_norm(h, mean=np.zeros(4), variance=np.array([1, 9, 100, 900.0]), weight=np.ones(4), bias=np.ones(4))
    monkeypatch.setattr(lowering, "MOST_ENTRIES", -1)
    graph = lowering.lowered(build.network(build.relu(h)).levels)
    wrong = rng.normal(size=(2, 72)) * 1e-9
    hi = rng.normal(size=(2, 72))
    some = np.ones((2, 72), np.bool_)
    columns = {0: Columns(hi + wrong, np.zeros((2, 72)), np.linalg.norm(wrong, axis=1) * 1.01, some, some)}
    for number, level in enumerate(graph.levels, 1):
        sources = [columns[source] for source in level.sources]
        columns[number] = summed_columns(level, prepared(graph, number), sources, 1)
    exact = hi
    for level in graph.levels:
        exact = exact @ dense(level.matrices[0]).T
        exact[1] += level.bias
    last = columns[len(graph.levels)]
    off = np.linalg.norm(last.hi - exact, axis=1)
    assert (off <= last.off).all()
    norms = [matrix.norm for number in range(1, len(graph.levels) + 1) for matrix in prepared(graph, number)]
    assert (last.off < 0.5 * np.prod(norms) * columns[0].off).all()


def dense(matrix):
    """A matrix of a graph, written out."""
    if isinstance(matrix, Convolution):
        weight = matrix.kernel.reshape(-1, *matrix.kernel.shape[2:])
        return Conv(weight, (2, 6, 6), padding=1).matrix.toarray()
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def test_property_sparse_products_lose_what_they_say():
    from scipy.sparse import csr_array

    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(5, 7)) * (rng.uniform(size=(5, 7)) < 0.5)
    hi = rng.normal(size=(3, 7))
    lo = hi * 2.0**-54
    found_hi, found_lo, lost = SparseMatrix(csr_array(matrix)).times(hi, lo, 1)
    for row in range(3):
        exact = exact_product(matrix, hi[row], lo[row])
        pairs = zip(found_hi[row].tolist(), found_lo[row].tolist(), exact, strict=True)
        assert true_length([Fraction(a) + Fraction(b) - c for a, b, c in pairs]) <= lost[row] < 1e-26


def test_known_lengths():
    found = length(np.array([[3.0, 4.0], [0.0, 0.0], [3e200, 4e200], [np.inf, 1.0], [np.nan, 1.0]]))
    assert found == pytest.approx([5.0, 0.0, 5e200, np.inf, np.inf], rel=1e-5)
    assert found[0] >= 5.0


def test_known_windows_of_a_stride_that_dilation_shares():
    ones = Conv(np.ones((1, 1, 3)), (1, 81), stride=2, dilation=2)
    assert 2.9 < np.linalg.norm(ones.matrix.toarray(), 2) <= norm_of(Convolution(ones.kernel, ones.windows))


def residual(seed, kinks="relu", pool=None, channels=3, side=5, blocks=2, stride=1):
    """A small residual convolutional network."""
    rng = np.random.default_rng(seed)

    def weights(*shape):
        found = rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        return found.astype(np.float32) if seed % 2 else found

    def kink(flow):
        if kinks == "relu":
            return build.relu(flow)
        if kinks == "leaky":
            return build.leaky_relu(flow, 0.25)
        if kinks == "abs":
            return build.abs(flow)
        return build.relu6(flow)

    x = build.input(1, side, side)
    h = kink(build.conv(x, weights(channels, 1, 3, 3), weights(channels, 1)[:, 0] * 0.3, padding=1))
    for _ in range(blocks):
        g = build.conv(h, weights(channels, channels, 3, 3), weights(channels, 1)[:, 0] * 0.1, padding=1)
        if seed % 3 == 0:
            ones = np.ones(channels)
            g = build.batch_norm(g, mean=0.1 * ones, variance=ones, weight=1.5 * ones, bias=0.1 * ones, eps=1e-5)
        more = build.conv(kink(g), weights(channels, channels, 3, 3), weights(channels, 1)[:, 0] * 0.1, padding=1)
        h = kink(build.add(h, more))
    if stride > 1:
        h = kink(build.conv(h, weights(channels, channels, 3, 3), weights(channels, 1)[:, 0], padding=1, stride=stride))
    if pool == "max":
        h = build.max_pool(h, 2)
    if pool == "average":
        h = build.average_pool(h, 2)
    h = build.flatten(h)
    h = kink(build.dense(h, weights(6, h.shape[0]), weights(6, 1)[:, 0] * 0.1))
    return build.network(build.dense(h, weights(2, 6)))


# How many units may be seen to bend before a cell is halved: in planes and more, on lines.
SEEN = ("MOST_SEEN", "MOST_SEEN_ON_LINE")
CASES = [
    *({"seed": seed} for seed in range(8)),
    *({"seed": seed, "pool": "max"} for seed in range(6)),
    *({"seed": seed, "pool": "average"} for seed in range(4)),
    *({"seed": seed, "kinks": "leaky", "stride": 2} for seed in range(4)),
    *({"seed": seed, "kinks": "abs", "blocks": 1} for seed in range(3)),
    *({"seed": seed, "kinks": "relu6", "pool": "average"} for seed in range(5)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_differential_roots_from_operators_count_as_written_out_rows(case, unwritten):
    network = residual(**case)
    assert network.depth > 2
    rng = np.random.default_rng(case["seed"] + 50)
    points = rng.uniform(size=(3, network.n_in))
    for domain in (Plane.through(*points).square(0.3), Segment(points[0], points[1])):
        wanted = creases.count(network, domain, progress=False)
        found = unwritten(network, domain)
        assert (found.by_layer, found.certified) == (wanted.by_layer, True)
        assert found.unproved_signs == 0
        assert found.regions > 5


@pytest.mark.parametrize("seed", range(5))
def test_known_a_pool_over_a_sum_is_no_copy_of_what_is_added(seed, unwritten):
    """The sum's first source is the identity; what stands behind it is not looked at."""
    rng = np.random.default_rng(seed)
    x = build.input(1, 4, 4)
    h = build.relu(build.conv(x, rng.normal(size=(2, 1, 3, 3)), rng.normal(size=2), padding=1))
    g = build.relu(build.conv(h, rng.normal(size=(2, 2, 3, 3)), rng.normal(size=2), padding=1))
    top = build.add(h, build.conv(g, rng.normal(size=(2, 2, 3, 3)), rng.normal(size=2), padding=1))
    network = build.network(build.max_pool(top, 2))
    points = rng.normal(size=(2, 16))
    domain = Segment(points[0], points[1])
    assert unwritten(network, domain).by_layer == creases.count(network, domain, progress=False).by_layer


def test_known_a_constant_that_is_computed_as_zero_may_be_none(unwritten):
    """2^-200 is left of 1 + 4 * 2^-50 + ... where double-double sees nothing."""
    x = build.flatten(build.conv(build.reshape(build.input(2), 1, 2), np.ones((1, 1, 1)), np.zeros(1)))
    first, second = build.take(x, [0]), build.take(x, [1])
    for _ in range(4):
        second = build.scale(second, 1.0 + 2.0**-50)
    for much in (-(1.0 + 2.0**-48), -6.0 * 2.0**-100, -(2.0**-148)):
        second = build.shift(second, much)
    a = build.relu(first)
    network = build.network(build.relu(build.add(build.add(first, a), second)))
    found = unwritten(network, Box([-1.0, 1.0], [1.0, 1.0]))
    assert found.by_layer == (2, 3) or not found.certified


def test_property_halves_and_neurons_add_up(unwritten, monkeypatch):
    network = residual(3, channels=4, pool="average")
    rng = np.random.default_rng(7)
    points = rng.uniform(size=(3, network.n_in))
    for domain in (Plane.through(*points).square(0.1), Segment(points[0], points[1])):
        wanted = creases.count(network, domain, progress=False, by_neuron=True)
        assert unwritten(network, domain, by_neuron=True).by_neuron == wanted.by_neuron
        for names, value in ((["MOST_OPEN"], 60), (SEEN, 40)):
            with monkeypatch.context() as patch:
                for name in names:
                    patch.setattr(driver, name, value)
                found = unwritten(network, domain)
            assert (found.by_layer, found.certified) == (wanted.by_layer, True)


def test_property_walls_of_walls_add_up(unwritten, monkeypatch):
    """Halves of halves: a wall is parted by those that come later, and all of it is proved, ties in pools too."""
    network = residual(1, channels=3, side=6, blocks=1, pool="max")
    points = np.random.default_rng(101).normal(size=(3, network.n_in))
    slanted = Plane.through(*points).polygon([[-0.08, -0.04], [0.1, -0.06], [0.08, 0.08], [-0.04, 0.1]])
    for domain, seen in ((Plane.through(*points).square(0.05), 10), (slanted, 15), (Segment(points[0], points[1]), 60)):
        wanted = creases.count(network, domain, progress=False)
        halvings = []
        with monkeypatch.context() as patch:
            for name in SEEN:
                patch.setattr(driver, name, seen)
            patch.setattr(driver, "cut_halves", counted(driver.cut_halves, halvings))
            found = unwritten(network, domain)
        assert len(halvings) > 2
        assert (found.by_layer, found.certified) == (wanted.by_layer, True)


def counted(function, calls):
    """The function, which notes in `calls` that it is called."""

    def noting(*arguments, **options):
        calls.append(1)
        return function(*arguments, **options)

    return noting


def test_known_a_constant_that_is_far_from_zero_is_proved(unwritten):
    x = build.flatten(build.conv(build.reshape(build.input(2), 1, 2), np.ones((1, 1, 1)), np.zeros(1)))
    first, second = build.take(x, [0]), build.shift(build.scale(build.take(x, [1]), 1.0 + 2.0**-50), -0.5)
    network = build.network(build.relu(build.add(build.add(first, build.relu(first)), second)))
    found = unwritten(network, Box([-1.0, 1.0], [1.0, 1.0]))
    assert (found.by_layer, found.certified) == ((2, 3), True)


def test_property_threads_of_a_large_network_add_up(unwritten, monkeypatch):
    """The first layer does not bend: it has one region, whatever the number of workspaces."""
    from creases.engine.loop import frontier

    rng = np.random.default_rng(4)
    x = build.input(1, 5, 5)
    h = build.relu(build.conv(x, rng.uniform(0.1, 1, size=(2, 1, 3, 3)), np.full(2, 50.0), padding=1))
    h = build.relu(build.conv(h, rng.normal(size=(3, 2, 3, 3)), np.zeros(3), padding=1))
    h = build.relu(build.dense(build.flatten(h), rng.normal(size=(20, 75))))
    network = build.network(build.dense(h, rng.normal(size=(2, 20))))
    domain = Plane.through(*rng.normal(size=(3, 25))).square(2.0)
    wanted = creases.count(network, domain, progress=False)
    monkeypatch.setattr(frontier, "ALONE", 5)
    monkeypatch.setattr(frontier, "SHARED_BUDGET", 3)
    found = unwritten(network, domain, threads=2)
    assert found.by_layer[0] == 1
    assert (found.by_layer, found.certified) == (wanted.by_layer, True)


def test_differential_domains_of_many_corners_and_facets(unwritten):
    network = residual(5, channels=2, side=4, blocks=1)
    rng = np.random.default_rng(12)
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    plane = Plane.through(*rng.uniform(size=(3, 16)))
    domain = plane.polygon(0.3 * np.column_stack([np.cos(angles), np.sin(angles)]))
    wanted, found = creases.count(network, domain, progress=False), unwritten(network, domain)
    assert (found.by_layer, found.certified) == (wanted.by_layer, True)


def test_known_units_that_see_only_dead_ones_are_zero_on_walls_too(unwritten, monkeypatch):
    rng = np.random.default_rng(6)
    x = build.input(1, 4, 4)
    h = build.relu(build.conv(x, rng.normal(size=(2, 1, 3, 3)), [-500.0, 0.3], padding=1))
    h = build.relu(build.conv(h, rng.normal(size=(2, 1, 3, 3)), [0.0, 0.2], padding=1, groups=2))
    network = build.network(build.dense(build.flatten(h), rng.normal(size=(2, 32))))
    points = rng.normal(size=(3, 16))
    for domain in (Segment(points[0], points[1]), Plane.through(*points).square(0.5)):
        wanted = creases.count(network, domain, progress=False)
        with monkeypatch.context() as patch:
            for name in SEEN:
                patch.setattr(driver, name, 5)
            found = unwritten(network, domain)
        assert (found.by_layer, found.certified) == (wanted.by_layer, True)


def test_property_no_more_units_are_seen_to_bend_than_are_open():
    from creases.engine.columns.sampling import bending_at_least
    from creases.engine.proof.twins import twins_of
    from creases.engine.starts.cell import cell_of
    from creases.engine.starts.operator_root import small_graph
    from creases.engine.starts.workshop import Workshop

    for pool in (None, "max", "average"):
        network = residual(2, pool=pool)
        points = np.random.default_rng(11).uniform(size=(3, network.n_in))
        problem = packing.as_problem(network, Plane.through(*points).square(0.1))
        cell = cell_of(problem, Workshop().bounded_start(problem.vertices))
        seen = bending_at_least(problem, cell.samples)
        found = small_graph(problem, cell, twins_of(problem.graph))
        assert 0 < seen <= sum(map(len, found.units))
        # What is decided is what the network does at the samples.
        inputs = problem.origin + cell.samples @ problem.basis
        active = np.concatenate([layer.ravel() for layer in network.pattern(inputs[0])])
        undecided = np.concatenate(
            [problem.graph.first_neurons[layer] + units for layer, units in zip(found.layers, found.units, strict=True)]
        )
        decided = np.setdiff1d(np.arange(len(active)), undecided)
        if pool != "max":  # a pool's winner is one bit a candidate in the engine, and a number in the network
            assert (found.active[decided] == active[decided]).all()


def test_differential_in_space(unwritten):
    network = residual(5, channels=2, side=4, blocks=1)
    low = np.full(16, 0.4)
    low[3:] = 0.5
    domain = Box(low, np.where(low < 0.5, 0.7, 0.5))
    wanted = creases.count(network, domain, progress=False)
    found = unwritten(network, domain)
    assert (found.by_layer, found.certified) == (wanted.by_layer, True)
    assert found.regions > 50


def test_known_what_is_not_proved_is_said(unwritten):
    """Channels that are one and the same: their hyperplanes are one, which numbers that are off cannot prove."""
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(1, 1, 3, 3))
    x = build.input(1, 4, 4)
    h = build.relu(build.conv(x, np.concatenate([kernel, kernel]), [0.1, 0.1], padding=1))
    network = build.network(build.relu(build.dense(build.flatten(h), rng.normal(size=(3, 32)))))
    points = rng.normal(size=(3, 16))
    domain = Plane.through(*points).square(1.0)
    wanted, found = creases.count(network, domain, progress=False), unwritten(network, domain)
    assert wanted.certified
    assert found.regions == wanted.regions
    assert not found.certified
    assert found.unproved_signs > 0
    assert "NOT certified, unproved_signs=" in repr(found)
    assert creases.Count.from_dict(found.to_dict()).unproved_signs == found.unproved_signs


def test_known_pieces_of_a_large_network_add_up(monkeypatch):
    network = residual(2)
    rng = np.random.default_rng(8)
    domain = Plane.through(*rng.uniform(size=(3, network.n_in))).square(0.3)
    wanted = creases.count(network, domain, progress=False)
    monkeypatch.setattr(lowering, "MOST_ENTRIES", -1)
    packing.graphs.pop(network, None)
    found = creases.count_in_pieces(network, domain, pieces=4, workers=1, progress=False)
    packing.graphs.pop(network, None)
    assert (found.by_layer, found.certified, found.unproved_signs) == (wanted.by_layer, True, 0)


def test_bad_input_whole_spaces_and_lists_are_refused(unwritten, monkeypatch):
    network = residual(2, side=4)
    with pytest.raises(ComputationError, match="bounded domains only"):
        unwritten(network, Plane.through(*np.eye(3, 16)))
    monkeypatch.setattr(lowering, "MOST_ENTRIES", -1)
    monkeypatch.setattr("creases.engine.starts.operator_root.small_graph", None)  # refused before any work
    packing.graphs.pop(network, None)
    with pytest.raises(ComputationError, match="counted, not listed"):
        creases.subdivide(network, Plane.through(*np.eye(3, 16)).square(0.1), progress=False)
    packing.graphs.pop(network, None)


def test_known_a_window_in_which_nothing_bends_is_one_region(unwritten):
    network = residual(4)
    points = np.random.default_rng(9).uniform(size=(3, network.n_in))
    for domain in (Plane.through(*points).square(1e-9), Segment(points[0], points[0] + 1e-9)):
        found = unwritten(network, domain)
        assert (found.regions, found.certified) == (1, True)
