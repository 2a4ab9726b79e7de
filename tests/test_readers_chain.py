"""Chains of pieces: one layer where that is exact, else a level for each piece; nothing is rounded."""

import math
from fractions import Fraction

import numpy as np
import pytest

from creases import Abs, Divide, LeakyReLU, Scale, Space, build, count
from creases.errors import NetworkError
from creases.readers.chain import Chain

RNG = np.random.default_rng(5)


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


def exact_output(network, point):
    """The outputs at a point in fractions, by the levels' operators: what is stored, and nothing else."""
    values = [[Fraction(x) for x in point]]
    for level in network.levels:
        sums = [Fraction(b) for b in level.bias.tolist()]
        for source, operator in level.sources.items():
            matrix = operator.matrix if isinstance(operator.matrix, np.ndarray) else operator.matrix.toarray()
            divisors = [1] * operator.n_out if operator.divisors is None else operator.divisors.tolist()
            for i, row in enumerate(matrix.tolist()):
                total = sum((Fraction(w) * x for w, x in zip(row, values[source], strict=True)), Fraction(0))
                sums[i] += total / divisors[i]
        below, above = level.kink.slopes(level.n_units).tolist()
        values.append([Fraction(b if x < 0 else a) * x for x, a, b in zip(sums, above, below, strict=True)])
    return values[-1]


def test_laws_pieces_that_are_not_one_layer_are_levels_and_nothing_is_rounded():
    """Weights that were rounded would show in fractions."""
    first, b_first, second, b_second = numbers(4, 3), numbers(4), numbers(5, 4), numbers(5)
    chain = Chain("here")
    chain.shift("centre", numbers(3))
    centre = chain.segments[0].pieces[0].numbers
    chain.divide("range", np.abs(numbers(3)))
    width = chain.segments[0].pieces[1].numbers
    chain.dense("first", first, b_first)
    chain.dense("second", second, b_second)
    chain.relu()
    network = chain.network()
    assert network.notes == ()
    assert network.widths == (5,)
    for point in numbers(4, 3).tolist():
        values = [(Fraction(x) + Fraction(c)) / Fraction(w) for x, c, w in zip(point, centre, width, strict=True)]
        for weight, bias in ((first, b_first), (second, b_second)):
            values = [
                sum((Fraction(w) * x for w, x in zip(row, values, strict=True)), Fraction(b))
                for row, b in zip(weight.tolist(), bias.tolist(), strict=True)
            ]
        assert exact_output(network, point) == [max(value, Fraction(0)) for value in values]


def test_laws_whole_numbers_stay_a_chain():
    """Products that float64 holds are one layer, the same as in fractions."""
    for _ in range(5):
        first, second, third = (RNG.integers(-9, 10, shape).astype(float) for shape in ((4, 3), (5, 4), (6, 5)))
        shift, factors, divisors = np.array([1.0, -2.0, 0.5]), np.array([2.0, -1.0, 0.75, 4.0]), 2.0 ** np.arange(-2, 3)
        chain = Chain("here")
        chain.shift("shift", shift)
        chain.dense("first", first, np.arange(4.0))
        chain.multiply("factors", factors)
        chain.dense("second", second, np.ones(5))
        chain.divide("divisors", divisors)
        chain.dense("third", third)
        chain.relu()
        (layer,) = chain.network().hidden
        assert (layer.weight == (third / divisors) @ second @ (factors[:, None] * first)).all()
        middle = second @ (factors * (first @ shift + np.arange(4.0))) + np.ones(5)
        assert (layer.bias == third @ (middle / divisors)).all()


def test_known_a_batch_norm_keeps_what_the_file_holds():
    """The mean is subtracted, the scale is a float64 beside the true one, and the weights are as stored."""
    weight, mean, beta = numbers(4, 2), numbers(4), numbers(4)
    gamma, variance = numbers(4), np.abs(numbers(4))
    chain = Chain("here")
    chain.dense("dense", weight)
    chain.batch_norm("norm", mean, variance, gamma, beta, 1e-5)
    chain.relu()
    network = chain.network()
    below, above = network.levels
    assert (below.sources[0].weight == weight).all()
    assert (below.bias == -mean).all()
    assert (above.bias == beta).all()
    for factor, g, v in zip(above.sources[1].factors.tolist(), gamma.tolist(), variance.tolist(), strict=True):
        squared = Fraction(g) ** 2 / (Fraction(v) + Fraction(1e-5))
        near, beyond = (Fraction(abs(factor)) + Fraction(math.ulp(factor)) / 2 * sign for sign in (-1, 1))
        assert near**2 <= squared <= beyond**2
        assert (factor > 0) == (g > 0)
    assert network.notes == (
        "norm: its scale, weight / sqrt(variance + eps), is no float64; the network's is the nearest one. "
        "Nothing else of it is rounded.",
    )


def test_known_a_root_that_is_a_float_is_divided_by():
    chain = Chain("here")
    chain.dense("dense", [[0.1]], [0.0])
    chain.batch_norm("norm", [0.0], [9.0], [0.3], [0.0], 0.0)
    chain.relu()
    network = chain.network()
    assert network.notes == ()
    assert [type(next(iter(level.sources.values()))) for level in network.levels[1:]] == [Divide, Scale]


@pytest.mark.parametrize("affine", [True, False])
def test_known_a_batch_norm_before_a_layer_without_biases(affine):
    """Ten lines through one point of the plane: 20 regions. A bias that was rounded made 56 of them."""
    weight = np.random.default_rng(1).standard_normal((10, 2))
    chain = Chain("here")
    gamma = [0.7, -1.3] if affine else [1.0, 1.0]
    chain.batch_norm("norm", [0.1, 0.7], [0.9, 2.3], gamma, [0.0, 0.0], 1e-5)
    chain.dense("dense", weight)
    chain.relu()
    found = count(chain.network(), Space(2), progress=False, threads=1)
    assert (found.regions, found.certified) == (20, True)


def test_known_a_pair_of_layers_keeps_what_coincides():
    """Linear after Linear: rows that are multiples after the product only. A rounded product made two lines of one."""
    first, second = np.array([[0.1, 0.3], [0.7, -0.2]]), np.array([[1.0, 3.0], [3.0, 9.0], [1.0, -1.0]])
    chain = Chain("here")
    chain.dense("first", first, [0.1, 0.2])
    chain.dense("second", second, [0.1, 3 * 0.1, 0.0])
    chain.relu()
    network = chain.network()
    assert not network.is_chain
    coincide = 3 * Fraction(0.1) == Fraction(3 * 0.1)
    expected = 4 if coincide else 6
    assert count(network, Space(2), progress=False, threads=1).regions == expected


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


def test_known_what_is_one_layer_exactly_says_so():
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
    assert chain.network().notes == ()  # nothing was rounded, nothing was made one
    for variance, exact in ((4.0, True), (3.0, False)):
        chain = Chain("here")
        chain.dense("dense", [[1.0]], [0.0])
        chain.batch_norm("norm", [1.0], [variance], [1.0], [0.0], 0.0)
        chain.relu()
        network = chain.network()
        assert network.is_chain == exact
        assert ("exactly: no number was rounded" in network.notes[0]) == exact


def test_known_scales_of_rationals():
    """As a pair of fractions: a factor, a divisor, and what no float says is rounded and noted."""
    third, tenth = Fraction(1, 3), 1 / Fraction(0.1)
    chain = Chain("here")
    chain.scale("some", [tenth, Fraction(1)], [Fraction(0), Fraction(0.7)])
    chain.dense("dense", np.eye(2))
    network = chain.network()
    assert exact_output(network, [0.3, 0.4]) == [Fraction(0.3) * tenth, Fraction(0.4) + Fraction(0.7)]
    assert network.notes == ()
    chain = Chain("here")
    chain.scale("some", [third * Fraction(0.1)], [third])
    network = chain.network()
    assert network.notes == ("some: a number that is no float64 is rounded to the nearest one.",)
    assert network.levels[-1].bias.tolist() == [1 / 3]


def test_known_kinks_of_every_kind():
    """One segment a kink, none left out that does something."""
    chain = Chain("here")
    chain.bend(LeakyReLU(0.1))
    chain.dense("dense", [[1.0, -2.0], [0.5, 1.0]], [0.1, 0.2])
    chain.bend(Abs())
    chain.relu()
    chain.relu()
    chain.dense("out", [[1.0, 1.0]])
    network = chain.network()
    assert [type(level.kink).__name__ for level in network.levels] == ["LeakyReLU", "Abs", "ReLU", "Linear"]
    x = build.input(2)
    built = build.relu(build.abs(build.dense(build.leaky_relu(x, 0.1), [[1.0, -2.0], [0.5, 1.0]], [0.1, 0.2])))
    assert network.sha256 == build.network(build.dense(built, [[1.0, 1.0]], [0.0])).sha256
    assert network.notes == ("A ReLU that directly follows another changes nothing and is left out.",)


def test_known_a_chain_without_a_kink_is_one_region():
    for pieces in (1, 2):
        chain = Chain("here")
        for i in range(pieces):
            chain.dense(f"dense {i}", numbers(2, 2), numbers(2))
        network = chain.network()
        assert network.layers == ()
        assert count(network, Space(2), progress=False, threads=1).regions == 1


def test_known_products_beyond_float64_are_levels():
    chain = Chain("here")
    chain.dense("first", [[1e200]])
    chain.dense("second", [[1e200]])
    chain.relu()
    assert len(chain.network().levels) == 2


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


def test_bad_input_numbers_of_one_piece():
    chain = Chain("here")
    with pytest.raises(NetworkError, match=r"here: range divides by zero"):
        chain.divide("range", [1.0, 0.0])
    with pytest.raises(NetworkError, match=r"here: norm has a scale beyond float64"):
        chain.batch_norm("norm", [0.0], [1e-300], [1e200], [0.0], 0.0)
    chain.multiply("factors", [1.0, 2.0])
    with pytest.raises(NetworkError, match=r"here: range takes 1 numbers but what stands before it gives 2"):
        chain.divide("range", [2.0])


def test_bad_input_nothing_to_count():
    with pytest.raises(NetworkError, match=r"here is empty: it has no layer with weights"):
        Chain("here").network()
