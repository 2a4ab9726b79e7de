"""Folding: between two ReLUs there is one affine map, exact and rounded once."""

import decimal
import math
from fractions import Fraction

import numpy as np
import pytest

from creases.errors import NetworkError
from creases.readers.chain import Chain, root

RNG = np.random.default_rng(5)


def layers_of(network):
    """Weights and biases of all layers, the output layer last."""
    return [(layer.weight, layer.bias) for layer in [*network.hidden, *([network.output] if network.output else [])]]


def fractions_of(array):
    return [[Fraction(value) for value in row] for row in np.atleast_2d(array).tolist()]


def true_product(second, first):
    """The matrix product in fractions, rounded once: what folding must give, entry by entry."""
    first, second = fractions_of(first), fractions_of(second)
    columns = list(zip(*first, strict=True))
    return np.array([[float(sum(a * b for a, b in zip(row, col, strict=True))) for col in columns] for row in second])


def numbers(*shape):
    """Floats of very different sizes, so that sums in floats would lose digits."""
    return RNG.standard_normal(shape) * 2.0 ** RNG.integers(-40, 40, shape)


def test_known_a_single_layer_between_relus_is_copied_bit_for_bit():
    weight, bias = numbers(3, 2), numbers(3)
    chain = Chain("here")
    chain.dense("first", weight, bias)
    chain.relu()
    network = chain.network()
    assert (network.hidden[0].weight == weight).all()
    assert (network.hidden[0].bias == bias).all()
    assert network.output is None
    assert network.notes == ()


def test_laws_two_layers_in_a_row_are_their_product_rounded_once():
    for _ in range(5):
        first, b_first, second, b_second = numbers(4, 3), numbers(4), numbers(5, 4), numbers(5)
        chain = Chain("here")
        chain.dense("first", first, b_first)
        chain.dense("second", second, b_second)
        chain.relu()
        network = chain.network()
        weight, bias = layers_of(network)[0]
        assert (weight == true_product(second, first)).all()
        row = np.hstack([second, b_second[:, None]])
        assert (bias == true_product(row, np.append(b_first, 1.0)[:, None]).ravel()).all()
        (note,) = network.notes
        assert "Hidden layer 1 is first, then second, made one layer" in note
        assert "rounded once to float64" in note


@pytest.mark.parametrize("before", [True, False])
def test_laws_batch_norm_is_folded_with_correct_rounding(before):
    """Against 80 decimal digits, on either side of the layer."""
    weight, bias = numbers(4, 4), numbers(4)
    mean, beta, gamma = numbers(3, 4)
    variance, eps = np.abs(numbers(4)), 1e-5
    chain = Chain("here")
    if not before:
        chain.dense("dense", weight, bias)
    chain.batch_norm("norm", mean, variance, gamma, beta, eps)
    if before:
        chain.dense("dense", weight, bias)
    chain.relu()
    ((folded, shift),) = layers_of(chain.network())
    with decimal.localcontext(prec=1200):
        D = decimal.Decimal
        scales = [D(g) / (D(v) + D(eps)).sqrt() for g, v in zip(gamma.tolist(), variance.tolist(), strict=True)]
        moves = [D(b) - D(m) * s for b, m, s in zip(beta.tolist(), mean.tolist(), scales, strict=True)]
        rows = [[D(w) for w in row] for row in weight.tolist()]
        if before:
            wanted = [[w * s for w, s in zip(row, scales, strict=True)] for row in rows]
            moved = [sum((w * m for w, m in zip(row, moves, strict=True)), D(0)) for row in rows]
            biases = [m + D(b) for m, b in zip(moved, bias.tolist(), strict=True)]
        else:
            wanted = [[w * s for w in row] for row, s in zip(rows, scales, strict=True)]
            biases = [s * D(b) + m for s, b, m in zip(scales, bias.tolist(), moves, strict=True)]
        assert folded.tolist() == [[float(value) for value in row] for row in wanted]
        assert shift.tolist() == [float(value) for value in biases]


@pytest.mark.parametrize(
    "value", [Fraction(2), Fraction(1, 3), Fraction(10) ** -300, Fraction(10) ** 300, Fraction(7, 11)]
)
def test_laws_roots_are_good_to_255_bits(value):
    assert abs(root(value) ** 2 / value - 1) < Fraction(1, 2**253)
    assert root(value**2) == value


def test_known_a_shift_after_a_layer_without_bias_is_its_bias_and_no_fold():
    chain = Chain("here")
    chain.dense("product", [[1.0, 2.0]])
    chain.shift("sum", [0.1])
    chain.relu()
    network = chain.network()
    assert network.hidden[0].bias.tolist() == [0.1]
    assert network.notes == ()


def test_known_pieces_without_a_dense_layer_become_a_diagonal_one():
    chain = Chain("here")
    chain.dense("dense", np.eye(2), [0.0, 0.0])
    chain.relu()
    chain.batch_norm("norm", [1.0, 0.0], [4.0, 1.0], [1.0, 3.0], [0.0, 2.0], 0.0)
    chain.relu()
    network = chain.network()
    assert network.hidden[1].weight.tolist() == [[0.5, 0.0], [0.0, 3.0]]
    assert network.hidden[1].bias.tolist() == [-0.5, 2.0]
    assert "Hidden layer 2 is norm, made one layer" in network.notes[0]


def test_known_a_fold_says_whether_it_rounded():
    """Certified is the folded network; where float64 holds every product, that is the file's own."""
    chain = Chain("here")
    chain.shift("centre", [0.5, -1.0])
    chain.dense("dense", [[1.0, 3.0], [-2.0, 0.25]], [0.0, 1.0])
    chain.relu()
    (note,) = chain.network().notes
    assert note == "Hidden layer 1 is centre, then dense, made one layer exactly: no number was rounded."
    chain = Chain("here")
    chain.shift("centre", [0.1, 0.7])
    chain.dense("dense", [[0.3, 3.0]], [1.0])
    chain.relu()
    (note,) = chain.network().notes
    assert "each number rounded once to float64. Certified is the network with these folded weights" in note
    # A rational root is exact, and so is what is made of it; an irrational one is not, whatever rounding makes of it.
    for variance, exact in ((4.0, True), (3.0, False)):
        chain = Chain("here")
        chain.dense("dense", [[1.0]], [0.0])
        chain.batch_norm("norm", [1.0], [variance], [1.0], [0.0], 0.0)
        chain.relu()
        assert ("exactly: no number was rounded" in chain.network().notes[0]) == exact
    for entry in (0.0, 1.0):  # a product that is zero hides the root; it is said all the same
        chain = Chain("here")
        chain.dense("dense", [[entry]], [0.0])
        chain.batch_norm("norm", [0.0], [3.0], [1.0], [0.0], 0.0)
        chain.relu()
        assert "Certified is the network with these folded weights" in chain.network().notes[0]


def test_known_a_rounded_output_layer_cuts_nothing():
    chain = Chain("here")
    chain.dense("dense", [[0.3]], [0.0])
    chain.relu()
    chain.dense("out", [[0.1]], [0.0])
    chain.dense("more", [[0.7]], [0.0])
    (note,) = chain.network().notes
    assert note.endswith(
        "The output layer is out, then more, made one layer: computed in rationals, each number rounded "
        "once to float64. It cuts nothing."
    )


def test_known_relu_on_the_inputs_is_an_identity_layer_and_a_second_relu_nothing():
    chain = Chain("here")
    chain.relu()
    chain.dense("dense", [[1.0, -1.0]], [0.5])
    chain.relu()
    chain.relu()
    network = chain.network()
    assert network.widths == (2, 1)
    assert network.output is None
    assert network.forward([3.0, -2.0]).tolist() == [3.5]
    assert any("weight the identity" in note for note in network.notes)
    assert any("follows another changes nothing" in note for note in network.notes)


@pytest.mark.parametrize(
    ("weight", "bias", "text"),
    [
        ([[1.0, math.nan]], [0.0], r"here: fc: weight\[0, 1\] is nan; every number must be finite"),
        ([[1.0, -math.inf]], [0.0], r"weight\[0, 1\] is -inf"),
        ([[1.0, 2.0]], [math.inf], r"bias\[0\] is inf"),
        ([[1.0, 2.0]], [0.0, 0.0], r"bias of shape \(2,\) beside a weight of shape \(1, 2\); it must be \(1,\)"),
        ([1.0, 2.0], [0.0], r"weight of shape \(2,\); a dense layer's has two axes"),
        (np.zeros((0, 2)), [], r"weight of shape \(0, 2\)"),
        ([[1.0, 2.0, 3.0]], [0.0], "fc takes 3 numbers but what stands before it gives 2"),
    ],
)
def test_bad_input_layers(weight, bias, text):
    chain = Chain("here")
    chain.dense("before", np.eye(2), np.zeros(2))
    with pytest.raises(NetworkError, match=text):
        chain.dense("fc", weight, bias)


def test_bad_input_batch_norms():
    chain = Chain("here")
    with pytest.raises(NetworkError, match=r"norm has a negative variance or eps"):
        chain.batch_norm("norm", [0.0], [-1.0], [1.0], [0.0], 1e-5)
    with pytest.raises(NetworkError, match=r"variance of zero and eps 0; it divides by zero"):
        chain.batch_norm("norm", [0.0], [0.0], [1.0], [0.0], 0.0)
    with pytest.raises(
        NetworkError, match=r"four arrays of one shape \(n,\), got running_mean \(2,\), running_var \(1,\)"
    ):
        chain.batch_norm("norm", [0.0, 0.0], [1.0], [1.0], [0.0], 1e-5)
    with pytest.raises(NetworkError, match=r"norm: running_var\[0\] is nan"):
        chain.batch_norm("norm", [0.0], [math.nan], [1.0], [0.0], 1e-5)


def test_bad_input_a_fold_that_leaves_the_range_of_floats():
    chain = Chain("here")
    chain.dense("first", [[1e200]])
    chain.dense("second", [[1e200]])
    chain.relu()
    with pytest.raises(
        NetworkError, match=r"hidden layer 1, folded from first, then second, leaves the range of float64"
    ):
        chain.network()


def test_bad_input_nothing_to_count():
    with pytest.raises(NetworkError, match=r"here is empty: it has no layer with weights"):
        Chain("here").network()
    chain = Chain("here")
    chain.dense("dense", [[1.0]])
    with pytest.raises(NetworkError, match=r"here has no ReLU: it is an affine map, with one activation region"):
        chain.network()
