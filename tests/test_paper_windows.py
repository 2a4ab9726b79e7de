"""Squares in the planes of the papers, their counts, and the histogram of distances."""

import numpy as np
import pytest

from creases.counting import count_many
from creases.network import Network
from creases.paper.choices import Digits, ExamplePlanes, OriginPlanes, PictureSquare, task_of
from creases.paper.experiment import Experiment
from creases.paper.measures import BINS, DistanceHistogram, Distances, Regions, bin_name
from creases.paper.runs import run
from creases.paper.squares import ExampleSquares, OriginSquares, half_width_of
from creases.theory import boundary_distance
from creases.training import GaussianBiases, Initialisation, circumcentre_square


@pytest.fixture(scope="module")
def task():
    return task_of(Digits(), 0)


def test_known_squares_at_the_origin(task):
    """The square of 1 holds the two images of the plane; the names say the half-widths."""
    squares = OriginSquares((0.5, 1.0), 2).build(task)
    assert list(squares) == [f"origin plane {i}, half-width {half}" for i in (1, 2) for half in ("0.5", "1")]
    assert [half_width_of(name) for name in squares] == [0.5, 1.0, 0.5, 1.0]
    assert half_width_of("origin plane 1") == np.inf
    for plane, square in zip(OriginPlanes(2).build(task).values(), list(squares.values())[1::2], strict=True):
        assert np.array_equal(square.plane.basis, plane.basis)
        assert np.abs(square.vertices).max() == 1.0


def test_known_squares_around_examples(task):
    """The square of 1 is the one that the papers draw, in the whole plane's coordinates; 2 is about its centre."""
    squares = ExampleSquares((1.0, 2.0), 1).build(task)
    ((_, plane),) = ExamplePlanes(1).build(task).items()
    examples = plane.slice.points([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    drawn = circumcentre_square(*examples).domain
    one, two = squares.values()
    corners = one.slice.points(one.vertices)
    expected = drawn.slice.points(drawn.vertices)
    for corner in corners:
        assert np.linalg.norm(expected - corner, axis=1).min() < 1e-9
    centre = corners.mean(axis=0)
    assert np.linalg.norm(examples - centre, axis=1) == pytest.approx(np.full(3, np.ptp(drawn.vertices[:, 0]) / 2.5))
    wide = two.slice.points(two.vertices)
    assert wide.mean(axis=0) == pytest.approx(centre, abs=1e-9)
    assert np.linalg.norm(wide - centre, axis=1) == pytest.approx(2 * np.linalg.norm(corners - centre, axis=1))


@pytest.mark.jit
def test_laws_of_squares(task):
    """A larger square has no fewer regions, and none more than the plane; at 1e6 it has what the plane has."""
    halves = (0.01, 0.3, 1.0, 1e6)
    kinds = ((OriginPlanes(2), OriginSquares(halves, 2)), (ExamplePlanes(2), ExampleSquares(halves, 2)))
    for planes, squares in kinds:
        table = run(Experiment(Digits(), (8, 8), (Regions(planes), Regions(squares)), seeds=(0, 1)))
        table["half"] = table["domain"].map(half_width_of)
        table["plane"] = table["domain"].str.partition(",")[0]
        for _, mine in table.groupby(["seed", "plane"]):
            counts = mine.sort_values("half")["value"].to_numpy()
            assert (np.diff(counts) >= 0).all()
            assert counts[-1] == counts[-2] > counts[0]


@pytest.mark.jit
def test_laws_of_scale():
    """Biases a hundred times as large make the same regions a hundred times as large."""
    counts = []
    for bias, half in ((1e-3, 0.01), (0.1, 1.0)):
        start = Initialisation(biases=GaussianBiases(bias))
        table = run(Experiment(Digits(), (12, 12), (Regions(OriginSquares((half,), 3)),), initialisation=start))
        counts.append(table["value"].tolist())
    assert counts[0] == counts[1]
    assert max(counts[0]) > 1


@pytest.mark.jit
def test_known_square_of_one_layer(task):
    """Hyperplanes that miss the images and meet the axis far out: 1 region around the images, 2 in the plane."""
    (name, square), *_ = ExampleSquares((1.0,), 1).build(task).items()
    (plane,) = ExamplePlanes(1).build(task).values()
    weight = plane.basis[0] / (plane.basis[0] @ plane.basis[0])
    network = Network.from_arrays([[weight]], [[-1e4]], output_layer=False)
    near, whole = count_many(network, [square, plane], threads=1, progress=False)
    assert name.startswith("example plane 1, half-width")
    assert (near.regions, whole.regions) == (1, 2)


def test_known_histogram(task):
    """Shares add up to one, agree with the distances, and leave what `Distances` says as it is."""
    weights = np.random.default_rng(3).standard_normal((64, 6))
    network = Network.from_arrays([weights.T], [np.linspace(-1, 1, 6)], output_layer=False)
    rows = DistanceHistogram(40).prepare(task)(network)
    plain = Distances(40).prepare(task)(network)
    bins = {bin_name(low): i for i, low in enumerate(BINS)}
    assert [row for row in rows if row.measure not in bins] == plain
    for kind in ("train", "test", "noise"):
        shares = {bins[row.measure]: row.value for row in rows if row.domain == kind and row.measure in bins}
        assert sum(shares.values()) == pytest.approx(1.0)
        assert all(share > 0 for share in shares.values())
    made = DistanceHistogram().rows("test", np.array([0.0, 1e-9, 0.1, 0.1, 1e9]), 10)
    shares = {row.measure: row.value for row in made if row.measure in bins}
    assert shares == {bin_name(BINS[0]): 0.4, bin_name(0.0): 0.4, bin_name(BINS[-1]): 0.2}


def test_known_histogram_of_one_neuron():
    """Of one neuron the distance is known: |w x + b| / |w|, and it is this that is in the bins."""
    network = Network.from_arrays([[[3.0, 4.0]]], [[-5.0]], output_layer=False)
    distance = boundary_distance(network, [[3.0, 4.0]])
    (share,) = [
        row
        for row in DistanceHistogram().rows("x", distance, network.neurons)
        if row.value == 1.0 and "share" in row.measure
    ]
    assert distance.tolist() == [4.0]
    assert share.measure == bin_name(0.5)


def test_known_descriptions():
    """Choices that experiments of before have are described as they were: their runs are known by this."""
    said = Experiment(Digits(), (4,), (Regions(OriginPlanes(2)), Distances(7), Regions(PictureSquare()))).description
    assert said["measures"] == [
        {"kind": "Regions", "domains": {"kind": "OriginPlanes", "count": 2}},
        {"kind": "Distances", "points": 7},
        {"kind": "Regions", "domains": {"kind": "PictureSquare", "labels": [0, 1, 2]}},
    ]
