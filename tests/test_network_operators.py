"""Operators: each agrees with its exact matrix, and with torch's own layer in float64."""

import pickle
from fractions import Fraction

import numpy as np
import pytest

from creases.errors import NetworkError
from creases.network import AveragePool, Conv, ConvTranspose, Dense, Divide, Scale, Select, Sparse

sparse = pytest.importorskip("scipy.sparse")

RNG = np.random.default_rng(7)


def numbers(*shape):
    return RNG.standard_normal(shape)


OPERATORS = {
    "dense": Dense(numbers(3, 5)),
    "sparse": Sparse(sparse.random_array((6, 5), density=0.4, rng=RNG)),
    "select": Select([2, -1, 0, 2], 3),
    "scale": Scale(numbers(4)),
    "one scale": Scale(0.1, 3),
    "divide": Divide([0.1, -3.0, 0.75, 1e30]),
    "one division": Divide(0.1, 3),
    "conv 1": Conv(numbers(4, 1, 3), (2, 9), 2, ((1, 2),), 2, 2),
    "conv 2": Conv(numbers(3, 2, 3, 2), (2, 7, 6), (2, 1), (1, 0), (1, 2)),
    "conv 3": Conv(numbers(2, 1, 2, 2, 2), (1, 4, 3, 5), 1, 1),
    "transpose 1": ConvTranspose(numbers(2, 3, 4), (2, 5), 3, 1, 2),
    "transpose 2": ConvTranspose(numbers(4, 1, 3, 2), (4, 3, 4), (2, 1), (1, 0), (1, 0), (1, 3), 2),
    "transpose 3": ConvTranspose(numbers(1, 2, 2, 2, 2), (1, 2, 3, 2), 2),
    "pool 1": AveragePool(3, (2, 8), 2, 1, False),
    "pool 2": AveragePool((3, 2), (2, 7, 6), (2, 3), 1, True, True),
    "pool of pairs": AveragePool(3, (1, 7, 6), 2, ((1, 0), (2, 1))),
}


@pytest.fixture(params=OPERATORS.values(), ids=OPERATORS.keys())
def operator(request):
    return request.param


def test_laws_apply_is_the_matrix(operator):
    points = numbers(4, 3, operator.n_in)
    expected = points @ (operator.matrix if isinstance(operator, Dense) else operator.matrix.toarray()).T
    if operator.divisors is not None:
        assert operator.divisors.dtype == np.int64
        expected = expected / operator.divisors
    found = operator.apply(points)
    assert found.shape == (4, 3, operator.n_out)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
    assert operator.apply(points[:0]).shape == (0, 3, operator.n_out)
    assert operator.apply(points[0, 0]).shape == (operator.n_out,)


def test_laws_shapes_and_read_only(operator):
    assert operator.matrix.shape == (operator.n_out, operator.n_in)
    assert operator.matrix is operator.matrix
    assert operator.matrix.dtype == np.float64
    assert np.prod(operator.input_shape) == operator.n_in
    assert np.prod(operator.output_shape) == operator.n_out
    held = [operator.matrix] if isinstance(operator, Dense) else [operator.matrix.data, operator.matrix.indices]
    for array in [*held, *operator.arrays().values()]:
        assert isinstance(array, np.ndarray)
    for array in held:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(AttributeError, match="cannot assign"):
        operator.n_in = 3


def test_laws_the_matrix_holds_the_given_numbers_only(operator):
    """No coefficient is a sum or a product of others, and none stands twice in one place."""
    if isinstance(operator, Divide):
        assert set(np.frexp(np.abs(operator.matrix.data))[0].tolist()) == {0.5}  # powers of two
        return
    given = {0.0, 1.0} | {float(x) for array in operator.arrays().values() for x in array.ravel()}
    if isinstance(operator, Dense):
        return
    assert set(operator.matrix.data.tolist()) <= given
    assert operator.matrix.has_canonical_format
    assert operator.matrix.data.all()
    if operator.divisors is not None:
        assert set(operator.matrix.data.tolist()) == {1.0}


def test_laws_made_again_from_its_parts(operator):
    again = type(operator).from_parts(operator.settings(), operator.arrays())
    unpickled = pickle.loads(pickle.dumps(operator))
    points = numbers(2, operator.n_in)
    for other in (again, unpickled):
        assert repr(other) == repr(operator)
        assert np.array_equal(other.apply(points), operator.apply(points))


def test_laws_what_was_given_may_change():
    weight = np.ones((1, 2))
    operator = Dense(weight)
    weight[0, 0] = 5.0
    assert operator.weight.tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match="read-only"):
        operator.weight[0, 0] = 2.0


def test_known_an_average_is_exact():
    """A mean of three is a division by three, not a product with the float nearest to a third."""
    pool = AveragePool(3, (1, 3))
    assert pool.divisors.tolist() == [3]
    assert pool.matrix.toarray().tolist() == [[1.0, 1.0, 1.0]]
    assert Fraction(1, 3) != Fraction(1 / 3)


FLOATS = [0.1, -0.1, 1.0, 3.0, 4.0, -0.25, 1e-290, 1e300, 2.0**53, 2.0**1023, -(2.0**-1023), 2.0**53 - 1, 1 + 2.0**-52]


def test_known_a_division_is_exact():
    """0.1 is 3602879701896397 / 2^55, and divided by it is multiplied by 2^55 and divided by the whole number."""
    tenth = Divide(0.1, 2)
    assert tenth.matrix.toarray().tolist() == [[2.0**55, 0.0], [0.0, 2.0**55]]
    assert tenth.divisors.tolist() == [3602879701896397] * 2
    numbers = [*FLOATS, *RNG.standard_normal(50), *np.ldexp(RNG.standard_normal(50), RNG.integers(-900, 900, 50))]
    operator = Divide(numbers)
    parts = zip(numbers, operator.matrix.data.tolist(), operator.divisors.tolist(), strict=True)
    for number, factor, divisor in parts:
        assert Fraction(factor) / divisor == 1 / Fraction(number)
        assert 0 < divisor < 2**53 or (number, divisor) == (2.0**53, 2**52)


def test_known_whole_numbers_need_no_factor():
    whole = Divide([1.0, 2.0, 3.0, 256.0, 2.0**53 - 1])
    assert (whole.matrix.data == 1.0).all()
    assert whole.divisors.tolist() == [1, 2, 3, 256, 2**53 - 1]


def test_known_a_division_rounds_once():
    """As torch divides, not as one multiplies by the float nearest to 1 / 49."""
    assert Divide(49.0, 1).apply([49.0]).tolist() == [1.0]
    assert 49.0 * (1.0 / 49.0) != 1.0


def test_known_select():
    assert Select([2, -1, 0, 2], 3).apply([1.0, 2.0, 3.0]).tolist() == [3.0, 0.0, 1.0, 3.0]
    assert Select.all(3).is_identity
    assert not Select([1, 0, 2], 3).is_identity
    assert not Select([0, 1], 3).is_identity


# Beside torch.

CONVOLUTIONS = [
    (1, {"kernel_size": 3}),
    (1, {"kernel_size": 4, "stride": 3, "padding": 2, "dilation": 2, "groups": 2}),
    (2, {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
    (2, {"kernel_size": 3, "padding": 1, "groups": 4}),
    (2, {"kernel_size": (1, 3), "dilation": (1, 2), "padding": (0, 2), "groups": 2, "bias": False}),
    (3, {"kernel_size": 2, "stride": (1, 2, 2), "padding": 1, "dilation": (2, 1, 1)}),
]
SIDES = {1: (11,), 2: (9, 8), 3: (5, 6, 4)}
EXTRA = [
    {"kernel_size": 3},
    {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
    {"kernel_size": 4, "stride": 3, "padding": 2, "groups": 2, "output_padding": 2},
    {"kernel_size": 2, "dilation": 3, "padding": 1, "output_padding": 2},
]


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")


def images(channels, rank):
    return numbers(3, channels, *SIDES[rank])


def check_beside(torch, module, operator, points, bias=None):
    with torch.no_grad():
        expected = module.double()(torch.from_numpy(points)).numpy()
    assert operator.output_shape == expected.shape[1:]
    found = operator.apply(points.reshape(len(points), -1)).reshape(expected.shape)
    if bias is not None:
        found = found + bias.detach().numpy().reshape(-1, *[1] * (expected.ndim - 2))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("rank", "options"), CONVOLUTIONS)
def test_against_torch_convolutions(torch, rank, options):
    module = getattr(torch.nn, f"Conv{rank}d")(4, 8, **options).double()
    given = {name: options[name] for name in ("stride", "padding", "dilation", "groups") if name in options}
    points = images(4, rank)
    operator = Conv(module.weight.detach(), points.shape[1:], **given)
    check_beside(torch, module, operator, points, module.bias)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("options", EXTRA)
def test_against_torch_transposed_convolutions(torch, rank, options):
    module = getattr(torch.nn, f"ConvTranspose{rank}d")(4, 6, **options).double()
    given = {name: value for name, value in options.items() if name != "kernel_size"}
    points = images(4, rank)
    operator = ConvTranspose(module.weight.detach(), points.shape[1:], **given)
    check_beside(torch, module, operator, points, module.bias)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), (3, 2, 1), (3, 1, 1), (4, 3, 2), (2, 3, 1)])
def test_against_torch_average_pools(torch, rank, ceil_mode, count_include_pad, kernel, stride, padding):
    options = {"padding": padding, "ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
    module = getattr(torch.nn, f"AvgPool{rank}d")(kernel, stride, **options)
    points = images(2, rank)
    check_beside(torch, module, AveragePool(kernel, points.shape[1:], stride, **options), points)


# Bad input.

KERNEL = np.ones((2, 1, 3))


def naming_no_column():
    """A sparse matrix with an index that SciPy did not look at."""
    matrix = sparse.csr_array(np.eye(2))
    matrix.indices[0] = 7
    return matrix


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Dense([1.0, 2.0]), r"Dense: weight must have shape \(n_out, n_in\), both at least 1; got \(2,\)"),
        (lambda: Dense(np.ones((2, 0))), r"both at least 1; got \(2, 0\)"),
        (lambda: Dense([[np.nan]]), r"Dense: weight\[0, 0\] is nan; every number of a network must be finite"),
        (lambda: Dense([["a"]]), "must hold real numbers"),
        (lambda: Sparse(np.ones((2, 2))), r"Sparse takes a matrix of scipy\.sparse, got a ndarray"),
        (
            lambda: Sparse(sparse.coo_array(([1.0, 2.0], ([1, 1], [0, 0])), shape=(2, 2))),
            r"names entry \(1, 0\) twice, and adding the two might round",
        ),
        (lambda: Sparse(sparse.csr_array([[np.inf, 0.0]])), r"Sparse: stored number \[0\] is inf"),
        (lambda: Sparse(naming_no_column()), r"Sparse: weight of shape \(2, 2\) is no matrix"),
        (lambda: Select([0, 3], 3), r"Select: indices\[1\] is 3; allowed are -1 to 2"),
        (lambda: Select([0, -2], 3), r"Select: indices\[1\] is -2; allowed are -1 to 2"),
        (lambda: Select([0.5], 3), r"flat sequence of at least one whole number, got shape \(1,\) of float64"),
        (lambda: Select([], 3), "at least one whole number"),
        (lambda: Select([0], 0), "Select: n_in must be a whole number of at least 1, got 0"),
        (lambda: Scale(2.0), r"one factor for how many units\? Give n: Scale\(2\.0, n\)"),
        (lambda: Scale([1.0, 2.0], 3), r"factors must be one number or have shape \(3,\), got shape \(2,\)"),
        (lambda: Scale([1.0, np.inf]), r"Scale: factors\[1\] is inf"),
        (lambda: Divide(2.0), r"one number for how many units\? Give n: Divide\(2\.0, n\)"),
        (lambda: Divide([1.0, 2.0], 3), r"numbers must be one number or have shape \(3,\), got shape \(2,\)"),
        (lambda: Divide([1.0, np.inf]), r"Divide: numbers\[1\] is inf"),
        (lambda: Divide([1.0, 0.0]), r"Divide: numbers\[1\] is 0.0; nothing is divided by zero"),
        (
            lambda: Divide(5e-324, 2),
            r"Divide: numbers\[0\] is 5e-324; its last bit is below 2\^-1023, so that what it is",
        ),
        (lambda: Conv(KERNEL, (2, 9)), r"takes 1 channels.*input_shape is \(2, 9\)"),
        (lambda: Conv(KERNEL, (1, 9, 9)), r"Conv: input_shape must be \(channels, side\), got \(1, 9, 9\)"),
        (lambda: Conv(np.ones((2, 2)), (1, 9)), "with one, two or three sides, none of them empty; got"),
        (lambda: Conv(KERNEL, (1, 9), stride=0), "Conv: stride must be a whole number of at least 1, got 0"),
        (lambda: Conv(KERNEL, (1, 9), stride=10**30), r"Conv: stride may be 2,147,483,647 at most, got 1,000,"),
        (lambda: Conv(KERNEL, (1, 9), padding=10**12), "Conv: padding may be 2,147,483,647 at most"),
        (
            lambda: Conv(KERNEL, (1, 9), padding=2 * 10**9),
            "Conv: 4,000,000,007 windows fit; 2,147,",
        ),
        (lambda: Conv(KERNEL, (1, 9), dilation=-1), "Conv: dilation must be a whole number of at least 1, got -1"),
        (lambda: Conv(KERNEL, (1, 9), padding=-1), "Conv: padding must be a whole number of at least 0, got -1"),
        (
            lambda: Conv(KERNEL, (1, 9), padding=((1, -2),)),
            "Conv: padding must be a whole number of at least 0, got -2",
        ),
        (lambda: Conv(KERNEL, (1, 9), padding=(1, 1)), "must be one number, 1 .one a side., or 1 pairs"),
        (lambda: Conv(KERNEL, (1, 9), stride=(1, 1)), "stride must be one number or 1, one a side; got 2"),
        (lambda: Conv(KERNEL, (2, 9), groups=2, dilation=2.0), "dilation must be a whole number"),
        (lambda: Conv(np.ones((3, 1, 3)), (2, 9), groups=2), "its 3 outputs must be a multiple of groups"),
        (
            lambda: Conv(KERNEL, (1, 2)),
            r"a kernel of 3 .* does not fit into a side of 2 with padding \(0, 0\), 2 in all",
        ),
        (lambda: Conv(KERNEL, (1, 4), dilation=2), r"dilation 2, so 5 wide"),
        (lambda: Conv(KERNEL * np.nan, (1, 9)), r"Conv: weight\[0, 0, 0\] is nan"),
        (lambda: ConvTranspose(KERNEL, (1, 9)), r"takes 2 channels.*input_shape is \(1, 9\)"),
        (
            lambda: ConvTranspose(KERNEL, (2, 9), output_padding=1),
            "output_padding must be less than stride or dilation",
        ),
        (lambda: ConvTranspose(KERNEL, (2, 1), padding=2), r"padding \(2, 2\) cuts off all of a side: 3 numbers"),
        (lambda: AveragePool(3, (9,)), r"input_shape must be \(channels, side, \.\.\.\), got \(9,\)"),
        (lambda: AveragePool(10, (1, 9)), "does not fit into a side of 9"),
        (lambda: AveragePool(2, (1, 9), padding=2), r"padding must be less than the kernel, got \(2, 2\)"),
        (lambda: AveragePool(2, (1, 9), stride=0), "stride must be a whole number of at least 1, got 0"),
        (
            lambda: Dense([[1.0, 2.0]]).apply([1.0]),
            r"Dense\(2 -> 1\) takes values of shape \(\.\.\., 2\), got shape \(1,\)",
        ),
    ],
)
def test_bad_input_operators(make, text):
    with pytest.raises(NetworkError, match=text):
        make()
