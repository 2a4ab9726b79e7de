"""Bad input of networks, domains and the front doors: the error's type, and its text."""

import numpy as np
import pytest

from creases import (
    Box,
    CreasesError,
    DomainError,
    Line,
    ModelFileError,
    Network,
    NetworkError,
    Plane,
    Polygon,
    Polyline,
    Segment,
    Slice,
    Space,
    count,
    count_many,
    subdivide,
)
from creases.domain import domain_from_dict

NAN, INF = np.nan, np.inf
NETWORK = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0]]], [[0.0, 0.5], [0.0]])
IN_SPACE = Network.from_arrays([[[1.0, 0.0, 2.0]]], [[0.5]], output_layer=False)
IN_NINE = Network.from_arrays([np.eye(9)[:4]], [np.zeros(4)], output_layer=False)
SQUARE = Box([-1, -1], [1, 1])
R2 = ([0, 0], [[1, 0], [0, 1]])


def chain(*weights, biases=None, **options):
    biases = [np.zeros(len(weight)) for weight in weights] if biases is None else biases
    return Network.from_arrays(weights, biases, **options)


# Networks.

BAD_NETWORKS = [
    ({"weights": [], "biases": []}, "Got no layers: weights and biases are empty"),
    ({"weights": [[[1.0]]], "biases": []}, "Got 1 weights but 0 biases; each layer needs one of each"),
    ({"weights": [[[1.0], [NAN]]]}, r"layer 1 \(output\): weight\[1, 0\] is nan; every weight must be finite"),
    ({"weights": [[[1.0]], [[-INF]]]}, r"layer 2 \(output\): weight\[0, 0\] is -inf"),
    ({"weights": [[[1.0]], [[1.0]]], "biases": [[INF], [0]]}, r"layer 1 \(hidden\): bias\[0\] is inf"),
    ({"weights": [[[1.0]], [[1.0]]], "biases": [[0], [NAN]]}, r"layer 2 \(output\): bias\[0\] is nan"),
    ({"weights": [np.array([[NAN]], np.float32)]}, r"weight\[0, 0\] is nan"),
    ({"weights": [[1.0, 2.0]], "biases": [[0.0]]}, r"weight must have shape \(n_out, n_in\), got shape \(2,\)"),
    ({"weights": [np.zeros((2, 2, 2))]}, r"weight must have shape \(n_out, n_in\), got shape \(2, 2, 2\)"),
    (
        {"weights": [np.zeros((0, 2))]},
        r"weight has shape \(0, 2\); every layer needs at least one input and one neuron",
    ),
    ({"weights": [np.zeros((2, 0))]}, r"weight has shape \(2, 0\); every layer needs"),
    (
        {"weights": [[[1.0, 2.0]]], "biases": [[0, 0, 0]]},
        r"bias must have shape \(1,\), one number a neuron, got shape \(3,\)",
    ),
    (
        {"weights": [[[1.0, 2.0]]], "biases": [[0, 0]]},
        r"All weights are transposed: of shapes \(1, 2\) they fit one another and their biases only as \(n_in, n_out\)",
    ),
    (
        {"weights": [np.ones((2, 5)), np.ones((5, 5)), np.ones((5, 1))], "biases": [np.zeros(5), np.zeros(5), [0]]},
        r"All weights are transposed: of shapes \(2, 5\), \(5, 5\), \(5, 1\).*give \[np\.transpose\(w\) for",
    ),
    (
        {"weights": [np.ones((2, 5)), np.ones((5, 4)), np.ones((3, 1))], "biases": [np.zeros(5), np.zeros(4), [0]]},
        r"layer 1 \(hidden\): bias must have shape \(2,\), one number a neuron, got shape \(5,\).*transpose them",
    ),
    ({"weights": [[[1.0, 2.0]]], "biases": [0.0]}, r"bias must have shape \(1,\), one number a neuron, got shape \(\)"),
    ({"weights": [[[1.0, 2.0]], [[1.0, 2.0]]]}, r"layer 2 takes 2 inputs but layer 1 has 1 neurons.*transpose"),
    ({"weights": [np.ones((1, 1), np.complex64)]}, "weight must hold real numbers, got dtype complex64"),
    ({"weights": [[["1"]]]}, "weight must hold real numbers, got dtype <U1. Convert it to float64 first"),
    ({"weights": [[[None]]]}, "weight must hold real numbers, got dtype object"),
    ({"weights": [np.ones((1, 1), object)]}, "weight must hold real numbers, got dtype object"),
    ({"weights": [[[1.0]]], "biases": [["0"]]}, "bias must hold real numbers, got dtype <U1"),
    ({"weights": [np.ones((1, 1), np.longdouble)]}, r"wider than float64. Round it first: \.astype\('float64'\)"),
    ({"weights": [[[2**80]]]}, "weight must hold real numbers, got dtype object"),
    ({"weights": [[[1, 2]], [[1]]], "input_shape": (3,)}, r"input_shape \(3,\) does not hold the 2 inputs of layer 1"),
    ({"weights": [[[1, 2]], [[1]]], "input_shape": ()}, r"input_shape \(\) does not hold the 2 inputs of layer 1"),
]
ODD_NETWORKS = [
    ({"weights": [[[2**53 + 1]], [[1]]]}, "weight holds an integer that float64 cannot represent exactly"),
    ({"weights": [[[1, 2]], [[1]]], "input_shape": (-1, -2)}, "input_shape"),
    ({"weights": [[[1, 2]], [[1]]], "input_shape": (2.7,)}, "input_shape"),
    ({"weights": [[[1.0, 2.0], [1.0]]]}, "layer 1"),
]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [*BAD_NETWORKS, *ODD_NETWORKS],
)
def test_bad_input_networks(arguments, message):
    weights = arguments["weights"]
    biases = arguments.get("biases", [np.zeros(len(weight)) for weight in weights])
    options = {name: arguments[name] for name in arguments if name not in ("weights", "biases")}
    with pytest.raises(NetworkError, match=message):
        Network.from_arrays(weights, biases, **options)


def test_bad_input_networks_count_output_layers():
    """A layer's name says whether it is hidden."""
    with pytest.raises(NetworkError, match=r"layer 1 \(hidden\): weight\[0, 0\] is nan"):
        chain([[NAN]], output_layer=False)
    with pytest.raises(NetworkError, match=r"layer 2 \(hidden\): weight\[0, 0\] is inf"):
        chain([[1.0]], [[INF]], [[1.0]])


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([1.0, 2.0, 3.0], r"Points must have shape \(\.\.\., 2\), got shape \(3,\)"),
        (1.0, r"Points must have shape .*, got shape \(\)"),
        ([NAN, 1.0], "A point has a coordinate that is not finite"),
        ([[0.0, 1.0], [INF, 1.0]], "A point has a coordinate that is not finite"),
        (["1", "2"], "real numbers"),
        (np.array([1j, 2]), "real numbers"),
        ([[0.0, 1.0], [1.0]], "[Pp]oint"),
    ],
)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("question", ["forward", "pre_activations", "pattern", "packed_pattern", "affine_map"])
def test_bad_input_points(question, points, message):
    with pytest.raises(NetworkError, match=message):
        getattr(NETWORK, question)(points)


def test_bad_input_affine_map_of_many_points():
    with pytest.raises(NetworkError, match=r"affine_map takes one point, got an array of shape \(2, 2\)"):
        NETWORK.affine_map([[0, 0], [1, 1]])


def test_bad_input_save(tmp_path):
    with pytest.raises(ModelFileError, match=r"Networks are saved as \.npz, got 'net\.pt'\. Rename it net\.npz"):
        NETWORK.save(tmp_path / "net.pt")


# Domains.

STRICTLY = "The polygon is not strictly convex: vertex .* does not lie strictly on the inner side of the edge"
PARALLEL = r"parallel \(three points in a line, or equal points\)\. Choose points that are not collinear"
BAD_DOMAINS = [
    (
        lambda: Segment([0, 0], [0, 0]),
        "of one space, got the same point twice. For .* use network.pattern",
    ),
    (lambda: Segment([0], [0, 1]), "different points of one space, got points of 1 and 2 coordinates"),
    (lambda: Segment([0, NAN], [0, 0]), "start has coordinate 1 = nan; every coordinate must be finite"),
    (lambda: Segment([0, 0], [INF, 0]), "end has coordinate 0 = inf"),
    (lambda: Segment([], []), "start is empty; a point needs at least one coordinate"),
    (lambda: Segment("here", [0]), "start must hold real numbers, got dtype <U4"),
    (lambda: Segment([0], None), "end must hold real numbers, got dtype object"),
    (lambda: Segment(np.ones(1, np.complex64), [0]), "start must hold real numbers, got dtype complex64"),
    (lambda: Segment([1e308], [-1e308]), "so far apart that their difference overflows float64"),
    (lambda: Polyline([[0, 0]]), "Polyline needs at least two points, got 1"),
    (lambda: Polyline([]), "Polyline needs at least two points, got 0"),
    (lambda: Polyline([[0, 0], [1, 0], [1, 0]]), "Polyline: points 1 and 2 are equal. Remove one of them"),
    (lambda: Polyline([[0, 0], [1, NAN]]), "point 1 has coordinate 1 = nan"),
    (lambda: Line([0, 0], [0, 0]), "The direction is zero; a line needs two different points"),
    (lambda: Line([0, 0], [1]), r"Line needs a point and a direction of one space, got shapes \(2,\) and \(1,\)"),
    (lambda: Line([0, 0], [1, INF]), "direction has coordinate 1 = inf"),
    (lambda: Line.through([0, 0], [1]), r"Line.through needs points of one space, got shapes \(2,\) and \(1,\)"),
    (lambda: Line.through([0, 1], [0, 1]), "The direction is zero"),
    (lambda: Plane([0, 0], [[1, 0], [2, 0]]), PARALLEL),
    (lambda: Plane([0, 0], [[1, 0], [0, 0]]), PARALLEL),
    (lambda: Plane([0, 0], [[0.1, 0.3], [-0.2, -0.6]]), PARALLEL),
    (lambda: Plane([0, 0], [[1, 0]]), r"The basis of a plane has two rows, got an array of shape \(1, 2\)"),
    (lambda: Plane([0, 0], [1, 0]), r"The basis of a plane has two rows, got an array of shape \(2,\)"),
    (lambda: Plane([0, 0, 0], R2[1]), "got 3 coordinates for the origin and 2 for basis vector 1"),
    (lambda: Plane([0, NAN], R2[1]), "origin has coordinate 1 = nan"),
    (lambda: Plane([0, 0], [[1, 0], [0, INF]]), "basis vector 2 has coordinate 1 = inf"),
    (lambda: Plane.through([0, 0, 0], [1, 1, 1], [3, 3, 3]), PARALLEL),
    (lambda: Plane.through([0, 0], [1, 1], [1, 1]), PARALLEL),
    (lambda: Plane.through([0.1, 0.1], [0.2, 0.2], [0.7, 0.7]), PARALLEL),
    (lambda: Plane.through([0, 0], [1, 1], [1, 1, 1]), "three points of one space, got 2, 2, 3 coordinates"),
    (lambda: Plane(*R2).square(0), "half_width must be a finite positive number, got 0"),
    (lambda: Plane(*R2).square(-1), "half_width must be a finite positive number, got -1"),
    (lambda: Plane(*R2).square(INF), "half_width must be a finite positive number, got inf"),
    (lambda: Polygon([[0, 0], [1, 0]]), r"at least three vertices of two coordinates, shape \(m, 2\); got \(2, 2\)"),
    (lambda: Polygon([[0, 0, 0], [1, 0, 0], [0, 1, 0]]), r"shape \(m, 2\); got \(3, 3\)"),
    (lambda: Polygon([[0, 0], [1, 0], [NAN, 1]]), "A polygon's vertex has a coordinate that is not finite"),
    (lambda: Polygon([[0, 0], [1, 0], [2, 0]]), STRICTLY),
    (lambda: Polygon([[0, 0], [2, 0], [1, 0.5], [1, 2]]), STRICTLY),
    (lambda: Polygon([[0, 0], [1, 1], [1, 0], [0, 1]]), STRICTLY),
    (lambda: Polygon([[0, 0], [1, 0], [2, 0], [2, 2], [0, 2]]), STRICTLY),
    (lambda: Polygon([[0, 0], [1, 0], [1, 0], [0, 1]]), STRICTLY),
    (lambda: Polygon([[np.cos(4 * np.pi * i / 5), np.sin(4 * np.pi * i / 5)] for i in range(5)]), STRICTLY),
    (lambda: Box([0, 1], [1, 0]), r"Box has lower\[1\] = 1.0 > upper\[1\] = 0.0. Swap them"),
    (lambda: Box([1, 2], [1, 2]), "Every side of the box has lower = upper; for a single input use network.pattern"),
    (lambda: Box([0], [1, 1]), "Box needs bounds of one space, got 1 coordinates for lower and 2 for upper"),
    (lambda: Box([0, 0], [1, INF]), "upper has coordinate 1 = inf"),
    (lambda: Space(0), "Space needs a whole number of dimensions, at least 1; got 0"),
    (lambda: Space(2.5), "Space needs a whole number of dimensions, at least 1; got 2.5"),
    (lambda: Space(True), "Space needs a whole number of dimensions, at least 1; got True"),
    (lambda: Box([0] * 3, [1] * 3).vertices, "corners of a box of dimension 3 are not listed; use lower and upper"),
    (
        lambda: Slice(np.zeros(2), np.ones((1, 3)), np.zeros((1, 3))),
        r"one row of 2 coordinates a dimension, got \(1, 3\)",
    ),
    (
        lambda: domain_from_dict({"kind": "torus"}),
        "Unknown kind of domain 'torus'; known are ball, box, circle, directions, line, plane, polygon",
    ),
    (lambda: domain_from_dict({}), "Unknown kind of domain None"),
]
ODD_DOMAINS = [
    (lambda: Segment([2**53 + 1], [1]), "float64 cannot"),
    (lambda: Segment(np.ones(1, np.longdouble) / 3, [1]), "wider than float64"),
    (lambda: Segment([[0], [1, 2]], [1]), "start"),
    (lambda: Polyline([[0, 0], [1, 2, 3]]), "one space"),
    (lambda: Polyline(3), "two points"),
    (lambda: Polygon([["a", "b"]] * 3), "real numbers"),
    (lambda: Polygon([["0", "0"], ["1", "0"], ["0", "1"]]), "real numbers"),
    (lambda: Polygon(np.array([[0, 0], [1, 0], [0, 1 + 1j]])), "real numbers"),
    (lambda: Polygon([[0, 0], [1], [0, 1]]), "vertices"),
    (lambda: Polygon([[0, 0], [1, 0], [0, 1]], plane=SQUARE), "plane"),
    (lambda: Plane([0, 0], R2[1], [[NAN, 0], [0, 0]]), "basis_tail"),
    (lambda: Plane([0, 0], R2[1], [[0, 0]]), "basis_tail"),
    (lambda: Plane(*R2).square("wide"), "half_width"),
    (lambda: Space("two"), "whole number of dimensions"),
    (lambda: Space(None), "whole number of dimensions"),
    (lambda: Space(NAN), "whole number of dimensions"),
    (lambda: domain_from_dict({"kind": "segment", "start": [0]}), "segment"),
]


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize(
    ("make", "message"),
    [*BAD_DOMAINS, *ODD_DOMAINS],
)
def test_bad_input_domains(make, message):
    with pytest.raises(DomainError, match=message):
        make()


# The front doors.

BAD_PAIRS = [
    (NETWORK, Space(1), r"Space\(1\) lies in a space of 1 inputs, but Network\(2 -> \[2\] -> 1, 2 neurons\) takes 2"),
    (NETWORK, Segment([0, 0, 0], [1, 1, 1]), r"Segment\(n_in=3.* lies in a space of 3 inputs, but .* takes 2"),
    (NETWORK, Polyline([[0], [1]]), "lies in a space of 1 inputs, but .* takes 2"),
    (IN_SPACE, Polygon([[0, 0], [1, 0], [0, 1]]), r"Polygon\(3 vertices\) lies in a space of 2 inputs, but .* takes 3"),
    (IN_SPACE, Space(9), r"Space\(9\) lies in a space of 9 inputs, but .* takes 3"),
    (IN_NINE, Space(9), r"Space\(9\) has 9 dimensions; domains of up to 8 are cut.* about 16 here.* Cut a slice"),
    (IN_NINE, Box([-1] * 9, [1] * 9), r"Box\(n_in=9, dimension=9\) has 9 dimensions; .* all but a few inputs fixed"),
    (
        NETWORK,
        None,
        "needs a domain, got NoneType. Domains are Segment, .* Space, Subspace and Directions",
    ),
    (NETWORK, SQUARE.slice, "needs a domain, got Slice"),
    (NETWORK, 3, "needs a domain, got int"),
    (SQUARE, NETWORK, r"needs a Network, got Box. Give the network first"),
    ("net.onnx", SQUARE, r"needs a Network, got str. Open a model with creases.load\(path_or_module\)"),
]


@pytest.mark.parametrize(("network", "domain", "message"), BAD_PAIRS)
@pytest.mark.parametrize("door", [count, subdivide])
def test_bad_input_pairs(door, network, domain, message):
    with pytest.raises(DomainError, match=message):
        door(network, domain)


@pytest.mark.parametrize("door", [count, subdivide])
def test_bad_input_no_network(door):
    with pytest.raises(DomainError, match="needs a Network, got NoneType"):
        door(None, SQUARE)


def test_bad_input_count_many():
    with pytest.raises(DomainError, match="Got 2 networks and 3 domains; give one of either, or lists of one length"):
        count_many([NETWORK] * 2, [SQUARE] * 3)
    # All pairs are looked at before the first is counted.
    seen = []
    with pytest.raises(DomainError, match=r"Space\(1\) lies in a space of 1 inputs"):
        count_many(NETWORK, [SQUARE, Space(1)], progress=seen.append)
    assert seen == []


def test_bad_input_subdivide_a_path():
    with pytest.raises(DomainError, match=r"subdivided segment by segment: subdivide\(network, path.segments\[i\]\)"):
        subdivide(NETWORK, Polyline([[0, 0], [1, 1]]))


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", [1]])
@pytest.mark.parametrize("door", [count, subdivide])
def test_bad_input_threads(door, threads):
    with pytest.raises(CreasesError, match="threads"):
        door(NETWORK, SQUARE, threads=threads)


@pytest.mark.parametrize("error", [NetworkError, DomainError, ModelFileError])
def test_bad_input_errors_are_value_errors_of_ours(error):
    """What a caller would expect, and one family."""
    assert issubclass(error, ValueError)
    assert issubclass(error, CreasesError)
