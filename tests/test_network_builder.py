"""`creases.build`: what it computes beside numpy and torch, which levels it makes, what it refuses."""

import inspect
from fractions import Fraction

import numpy as np
import pytest

from creases import build
from creases.errors import NetworkError
from creases.network import Abs, Clip, Conv, Dense, Divide, LeakyReLU, Linear, Max, ReLU, Scale, Select
from creases.network.builder.bends import at_least, at_most
from creases.network.builder.exact import batch_norm_numbers, nearest_root
from engine_twins import LONG

RNG = np.random.default_rng(5)


def numbers(*shape):
    return RNG.standard_normal(shape)


def described(network):
    """Each level in short: the kinds of its operators by source, and its kink."""
    return [
        ({source: type(operator) for source, operator in level.sources.items()}, type(level.kink))
        for level in network.levels
    ]


# Beside torch.


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")


def check(torch, network, module, points):
    """Outputs of a network built here and of a torch module, in float64."""
    with torch.no_grad():
        expected = module(torch.from_numpy(points)).numpy().reshape(len(points), -1)
    np.testing.assert_allclose(network.forward(points), expected, rtol=1e-12, atol=1e-12)


def kinks(nn):
    slopes = numbers(3)
    prelu = nn.PReLU(3).double()
    prelu.weight.data[:] = prelu.weight.new_tensor(slopes)
    return {
        "relu": (build.relu, nn.ReLU()),
        "leaky": (lambda x: build.leaky_relu(x, 0.2), nn.LeakyReLU(0.2)),
        "default leaky": (build.leaky_relu, nn.LeakyReLU()),
        "prelu": (lambda x: build.prelu(x, prelu.weight), prelu),
        "one prelu": (lambda x: build.prelu(x, [0.25]), nn.PReLU().double()),
        "relu6": (build.relu6, nn.ReLU6()),
        "hardtanh": (lambda x: build.hard_tanh(x, -0.5, 0.75), nn.Hardtanh(-0.5, 0.75)),
        "default hardtanh": (build.hard_tanh, nn.Hardtanh()),
        "hardsigmoid": (build.hard_sigmoid, nn.Hardsigmoid()),
        "flatten": (build.flatten, nn.Flatten()),
        "upsample": (lambda x: build.upsample(x, (2, 3)), nn.Upsample(scale_factor=(2, 3), mode="nearest")),
        "pad": (lambda x: build.pad(x, (0, (1, 2), (0, 3)), 0.5), nn.ConstantPad2d((0, 3, 1, 2), 0.5)),
        "global average": (build.global_average_pool, nn.AdaptiveAvgPool2d(1)),
        "average": (lambda x: build.average_pool(x, 3, stride=2, padding=1), nn.AvgPool2d(3, 2, 1)),
    }


KINK_NAMES = (
    "relu",
    "leaky",
    "default leaky",
    "prelu",
    "one prelu",
    "relu6",
    "hardtanh",
    "default hardtanh",
    "hardsigmoid",
    "flatten",
    "upsample",
    "pad",
    "global average",
    "average",
)


@pytest.mark.parametrize("name", KINK_NAMES)
def test_against_torch_one_module(torch, name):
    made, module = kinks(torch.nn)[name]
    points = 3 * numbers(4, 3, 5, 4)
    check(torch, build.network(made(build.input(3, 5, 4))), module, points)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [(2, None, 0, 1), (3, 2, 1, 1), (3, 1, 1, 1), (2, 3, 1, 2), (4, 3, 2, 1)],
)
def test_against_torch_max_pools(torch, rank, ceil_mode, kernel, stride, padding, dilation):
    options = {"padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    module = getattr(torch.nn, f"MaxPool{rank}d")(kernel, stride, **options)
    points = numbers(3, 2, *((11,), (9, 8), (5, 6, 4))[rank - 1])
    # Negative numbers lose against zeros, if the padding were any.
    points = -np.abs(points)
    x = build.input(*points.shape[1:])
    check(torch, build.network(build.max_pool(x, kernel, stride=stride, **options)), module, points)


@pytest.mark.parametrize("affine", [True, False])
def test_against_torch_batch_norm(torch, affine):
    norm = torch.nn.BatchNorm2d(3, eps=1e-3, affine=affine).double()
    for name, value in {"running_mean": numbers(3), "running_var": np.abs(numbers(3)), "weight": numbers(3)}.items():
        if getattr(norm, name) is not None:
            getattr(norm, name).data[:] = torch.from_numpy(value)
    made = build.batch_norm(build.input(3, 4, 4), norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.eps)
    check(torch, build.network(made), norm.eval(), numbers(5, 3, 4, 4))


def test_against_torch_residual_network(torch):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.norm = nn.BatchNorm2d(outputs)
            self.second = nn.Conv2d(outputs, outputs, 3, 1, 1)
            self.short = nn.Conv2d(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()

        def forward(self, x):
            return torch.relu(self.second(torch.relu(self.norm(self.first(x)))) + self.short(x))

    torch.manual_seed(0)
    blocks = [Block(4, 4, 1), Block(4, 6, 2)]
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), *blocks, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24, 5)
    )
    model = model.double().eval()

    def convolution(x, module):
        return build.conv(x, module.weight, module.bias, stride=module.stride, padding=module.padding)

    def block(x, module):
        norm = module.norm
        h = convolution(x, module.first)
        h = build.relu(build.batch_norm(h, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.eps))
        short = x if isinstance(module.short, nn.Identity) else convolution(x, module.short)
        return build.relu(build.add(convolution(h, module.second), short))

    h = build.relu(convolution(build.input(3, 8, 8), model[0]))
    for module in blocks:
        h = block(h, module)
    network = build.network(build.dense(build.max_pool(h, 2), model[-1].weight, model[-1].bias))
    check(torch, network, model, numbers(6, 3, 8, 8))
    # A batch norm and its ReLU are one level; a sum of two convolutions of different levels, and its ReLU, are one.
    assert described(network) == [
        ({0: Conv}, ReLU),
        ({1: Conv}, Linear),
        ({2: Scale}, ReLU),
        ({1: Select, 3: Conv}, ReLU),
        ({4: Conv}, Linear),
        ({5: Scale}, ReLU),
        ({4: Conv, 6: Conv}, ReLU),
        ({7: Select}, Max),
        ({8: Dense}, Linear),
    ]
    assert network.depth == 6
    assert len(network.notes) == 1


# Beside numpy.

X = numbers(4, 6)
SHAPES = {
    "transpose": (lambda x: build.transpose(x), X.T),
    "transpose of axes": (lambda x: build.transpose(x, 1, 0), X.T),
    "reshape": (lambda x: build.transpose(build.reshape(x, 3, -1)), X.reshape(3, 8).T),
    "reshape by a tuple": (lambda x: build.reshape(x, (2, 3, 4)), X),
    "slice": (lambda x: build.slice(x, 1, None, 2, axis=1), X[:, 1::2]),
    "slice backwards": (lambda x: build.slice(x, None, None, -1), X[::-1]),
    "take": (lambda x: build.take(x, [3, 0, 0, -1], axis=-1), X[:, [3, 0, 0, -1]]),
    "take one": (lambda x: build.take(x, 2), X[2]),
    "take the last axis": (lambda x: build.take(build.take(x, 2), 1), X[2, 1]),
    "pad": (lambda x: build.pad(x, ((1, 0), 2)), np.pad(X, ((1, 0), (2, 2)))),
    "concatenate": (
        lambda x: build.concatenate([x, build.scale(x, 2.0), x], axis=1),
        np.concatenate([X, 2 * X, X], axis=1),
    ),
    "add": (lambda x: build.add(x, x, x), 3 * X),
    "subtract": (lambda x: build.subtract(build.abs(x), x), np.abs(X) - X),
    "combination": (lambda x: build.linear_combination([x, build.relu(x)], [0.5, -3]), 0.5 * X - 3 * np.maximum(X, 0)),
    "scale a channel": (lambda x: build.scale(x, [1, 2, 3, 4]), X * [[1], [2], [3], [4]]),
    "scale": (lambda x: build.scale(x, X), X * X),
    "divide a channel": (lambda x: build.divide(x, [1, 0.1, -3, 4]), X / [[1], [0.1], [-3], [4]]),
    "divide": (lambda x: build.divide(x, X + 0.1), X / (X + 0.1)),
    "divide by one number": (lambda x: build.divide(x, 0.1), X / 0.1),
    "shift": (lambda x: build.shift(x, [1, 2, 3, 4]), X + np.array([[1], [2], [3], [4]])),
    "maxout": (lambda x: build.maxout(x, 2), np.maximum(X[::2], X[1::2])),
    "maximum": (lambda x: build.maximum(x, build.scale(x, -1.0), build.relu(x)), np.abs(X)),
    "clip a channel": (lambda x: build.clip(x, [-1, 0, 0, 0], 1.0), np.clip(X, [[-1], [0], [0], [0]], 1)),
    "sparse": (
        lambda x: build.sparse(x, pytest.importorskip("scipy.sparse").csr_array(np.eye(2, 24, 3)), [1, 2]),
        X.ravel()[3:5] + np.array([1, 2]),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_known_beside_numpy(name):
    made, expected = SHAPES[name]
    flow = made(build.input(4, 6))
    assert flow.size == np.size(expected)
    np.testing.assert_allclose(build.network(flow).forward(X), np.ravel(expected), rtol=1e-14, atol=1e-14)


def test_known_shapes():
    x = build.input(3, 8, 8)
    assert repr(x) == "Flow(3x8x8)"
    assert build.conv(x, numbers(5, 3, 3, 3), stride=2, padding=1).shape == (5, 4, 4)
    assert build.conv_transpose(x, numbers(3, 2, 2, 2), stride=2).shape == (2, 16, 16)
    assert build.max_pool(x, 3, stride=2, padding=1).shape == (3, 4, 4)
    assert build.global_average_pool(x).shape == (3, 1, 1)
    assert build.flatten(x).shape == (192,)
    assert build.dense(x, numbers(7, 192)).shape == (7,)
    assert build.upsample(x, 2).shape == (3, 16, 16)
    assert build.maxout(x, 3).shape == (1, 8, 8)
    assert build.network(build.relu(x)).input_shape == (3, 8, 8)
    assert build.network(build.relu(build.flatten(x))).input_shape == (3, 8, 8)


# Which levels it makes.


def test_known_a_kink_shares_the_level_of_its_sum():
    x = build.input(1, 5)
    h = build.relu(build.conv(x, numbers(2, 1, 3), [1.0, 2.0]), name="stem")
    network = build.network(build.dense(h, numbers(2, 6), [3.0, 4.0]))
    assert described(network) == [({0: Conv}, ReLU), ({1: Dense}, Linear)]
    assert network.levels[0].bias.tolist() == [1.0] * 3 + [2.0] * 3
    assert network.layer_names == ("stem",)


def test_known_a_sum_that_is_used_twice_is_a_level():
    x = build.input(2)
    sums = build.dense(x, numbers(3, 2), name="sums")
    network = build.network(build.add(build.relu(sums), build.abs(sums)))
    assert described(network) == [
        ({0: Dense}, Linear),
        ({1: Select}, ReLU),
        ({1: Select}, Abs),
        ({2: Select, 3: Select}, Linear),
    ]
    assert network.levels[0].name == "sums"


def test_known_one_operator_a_source():
    """What would need two operators on one source takes from a copy; nothing is added up."""
    x = build.input(2)
    h = build.relu(x)
    network = build.network(build.relu(build.add(h, h)))
    assert described(network) == [({0: Select}, ReLU), ({1: Select}, Linear), ({1: Select, 2: Select}, ReLU)]
    w = numbers(2, 2)
    network = build.network(build.relu(build.add(h, build.dense(h, w))))
    assert described(network) == [({0: Select}, ReLU), ({1: Dense}, Linear), ({1: Select, 2: Select}, ReLU)]
    assert np.array_equal(network.levels[1].sources[1].weight, w)
    two_dense = build.network(build.add(build.dense(x, w), build.dense(x, w)))
    assert described(two_dense) == [({0: Dense}, Linear), ({0: Dense, 1: Select}, Linear)]


def test_known_biases_are_added_only_where_that_is_exact():
    def network(first, second):
        x = build.input(1)
        return build.network(build.abs(build.shift(build.dense(build.relu(x), [[2.0]], [first]), [second])))

    exact, rounded = network(0.5, 0.25), network(1.0, 1e-30)
    assert described(exact) == [({0: Select}, ReLU), ({1: Dense}, Abs)]
    assert exact.levels[1].bias.tolist() == [0.75]
    assert described(rounded) == [({0: Select}, ReLU), ({1: Dense}, Linear), ({2: Select}, Abs)]
    assert [level.bias.tolist() for level in rounded.levels] == [[0.0], [1.0], [1e-30]]
    assert len(network(1e308, 1e308).levels) == 3


def test_known_reshapes_cost_no_level():
    x = build.input(2, 3)
    network = build.network(build.relu(build.reshape(build.flatten(build.dense(x, numbers(6, 6))), 3, 2)))
    assert described(network) == [({0: Dense}, ReLU)]
    assert network.is_chain


def test_known_what_the_output_does_not_need_is_left_out():
    x = build.input(2)
    h = build.relu(build.dense(x, numbers(3, 2)))
    build.relu(build.dense(h, numbers(4, 3)))
    network = build.network(h)
    assert described(network) == [({0: Dense}, ReLU)]
    # A sum that an unneeded kink also takes shares its level all the same.
    sums = build.dense(x, numbers(3, 2))
    build.abs(sums)
    assert described(build.network(build.relu(sums))) == [({0: Dense}, ReLU)]


def test_known_the_input_as_output():
    network = build.network(build.input(2, 2))
    assert described(network) == [({0: Select}, Linear)]
    assert network.forward([[1.0, 2.0], [3.0, 4.0]]).tolist() == [1.0, 2.0, 3.0, 4.0]


def test_known_kinks_keep_their_numbers():
    x = build.input(2, 2)
    kinks = [
        (build.leaky_relu(x, 0.1), LeakyReLU, {"slope": 0.1}),
        (build.prelu(x, [0.5, 2.0]), LeakyReLU, {"slope": [0.5, 0.5, 2.0, 2.0]}),
        (build.relu6(x), Clip, {"low": 0.0, "high": 6.0}),
        (build.clip(x, [0.0, 1.0], 3.0), Clip, {"low": [0.0, 0.0, 1.0, 1.0], "high": 3.0}),
    ]
    for flow, kind, wanted in kinks:
        kink = build.network(flow).levels[0].kink
        assert isinstance(kink, kind)
        for name, value in wanted.items():
            found = getattr(kink, name)
            assert (found.tolist() if isinstance(found, np.ndarray) else found) == value


@pytest.mark.parametrize("seed", range(300 if LONG else 100))
def test_laws_any_graph_computes_what_was_written(seed):
    """Random flows, each beside its numbers on a few points; whole numbers, so that every sum is exact."""
    rng = np.random.default_rng(seed)
    points = rng.integers(-4, 5, (6, 3)).astype(float)
    made = [(build.input(3), points)]
    for _ in range(rng.integers(1, 14)):
        (x, a), (y, b) = (made[rng.integers(max(0, len(made) - 4), len(made))] for _ in range(2))
        weight, bias = rng.integers(-2, 3, (3, 3)).astype(float), rng.integers(-2, 3, 3).astype(float)
        choices = [
            lambda x=x, a=a, w=weight, c=bias: (build.dense(x, w, c), a @ w.T + c),
            lambda x=x, a=a, w=weight: (build.dense(x, w), a @ w.T),
            lambda x=x, a=a: (build.relu(x), np.maximum(a, 0)),
            lambda x=x, a=a: (build.abs(x), np.abs(a)),
            lambda x=x, a=a: (build.clip(x, -3, 5), np.clip(a, -3, 5)),
            lambda x=x, a=a, y=y, b=b: (build.add(x, y), a + b),
            lambda x=x, a=a, y=y, b=b: (build.add(x, y, x), 2 * a + b),
            lambda x=x, a=a, y=y, b=b: (build.subtract(x, y), a - b),
            lambda x=x, a=a, y=y, b=b: (build.maximum(x, y), np.maximum(a, b)),
            lambda x=x, a=a, c=bias: (build.shift(x, c), a + c),
            lambda x=x, a=a: (build.slice(x, None, None, -1), a[:, ::-1]),
            lambda x=x, a=a, y=y, b=b: (
                build.take(build.concatenate([x, y]), [5, 0, 3]),
                np.concatenate([a, b], axis=1)[:, [5, 0, 3]],
            ),
        ]
        made.append(choices[rng.integers(len(choices))]())
    flow, expected = made[-1]
    network = build.network(flow)
    assert np.array_equal(network.forward(points), expected)
    # Every operator and every bias is one that was given, or a selection of values.
    used = {source for level in network.levels for source in level.sources}
    assert set(range(1, len(network.levels))) <= used
    for level in network.levels:
        for operator in level.sources.values():
            assert isinstance(operator, Dense | Select | Scale)
    for point in points:
        matrix, offset = network.affine_map(point)
        np.testing.assert_allclose(matrix @ point + offset, network.forward(point), atol=1e-9)


def test_laws_deep_networks_are_built_without_recursion():
    h = build.input(1)
    for _ in range(3000):
        h = build.abs(h)
    assert build.network(h).depth == 3000


# The numbers of a batch norm.


@pytest.mark.parametrize(
    "square", [Fraction(2), Fraction(1, 3), Fraction(10) ** 40 + 1, Fraction(1, 10**200), Fraction(9, 4)]
)
def test_known_nearest_root(square):
    root = nearest_root(square)
    below, above = (Fraction(root) + Fraction(float(np.nextafter(root, to))) for to in (0.0, np.inf))
    assert (below / 2) ** 2 <= square <= (above / 2) ** 2


def test_known_batch_norm_numbers():
    one = np.ones(1)
    # sqrt(3 + 1) = 2: nothing is rounded.
    assert batch_norm_numbers(3.0 * one, -one, 1.0) == ([-0.5], [1.0], True)
    # 1 / 3 is no float, but 3 is one to divide by.
    assert batch_norm_numbers(9.0 * one, one, 0.0) == ([1.0], [3.0], True)
    assert batch_norm_numbers(one, one, 1.0) == ([np.sqrt(0.5)], [1.0], False)
    assert batch_norm_numbers(one, 0.0 * one, 1.0) == ([0.0], [1.0], True)
    # The root is 1 + 2^-53: rational, and no float.
    assert batch_norm_numbers((1 + 2.0**-52) * one, one, 2.0**-106) == ([1 - 2.0**-53], [1.0], False)


def test_known_a_batch_norm_folds_nothing():
    """The mean is subtracted before the scale, in a level of its own or in that of the sum below."""
    x = build.input(2)
    network = build.network(build.relu(build.batch_norm(x, [0.1, 0.7], [1.0, 3.0], [0.3, -2.0], [0.5, 0.0])))
    below, above = network.levels
    assert below.bias.tolist() == [-0.1, -0.7]
    assert above.sources[1].factors.tolist() == [0.3 / np.sqrt(1 + 1e-5), -2.0 / np.sqrt(3 + 1e-5)]
    assert above.bias.tolist() == [0.5, 0.0]
    joined = build.network(build.batch_norm(build.dense(x, np.eye(2)), [0.1, 0.7], [1.0, 3.0]))
    assert [level.bias.tolist() for level in joined.levels] == [[-0.1, -0.7], [0.0, 0.0]]
    thirds = build.network(build.batch_norm(x, [0.0, 0.0], [9.0, 1.0], eps=0.0))
    assert [type(level.sources[i]) for i, level in enumerate(thirds.levels)] == [Divide, Scale]
    assert thirds.notes == ()


def test_known_a_bound_at_one_side_is_a_relu_between_shifts():
    """min(x, c) = c - relu(c - x) rounds nothing and needs no third level for the signs."""
    x, bounds = build.input(2), np.array([0.1, -3.0])
    low, high = (build.network(bound(x, bounds, "here")) for bound in (at_least, at_most))
    assert described(low) == [({0: Select}, ReLU), ({1: Select}, Linear)]
    assert described(high) == [({0: Scale}, ReLU), ({1: Scale}, Linear)]
    assert [level.bias.tolist() for level in (*low.levels, *high.levels)] == [
        [-0.1, 3.0],
        [0.1, -3.0],
        [0.1, -3.0],
        [0.1, -3.0],
    ]
    points = np.array([[0.0, -4.0], [0.1, -3.0], [8.0, 2.0]])
    np.testing.assert_allclose(low.forward(points), np.maximum(points, bounds), rtol=1e-15)
    np.testing.assert_allclose(high.forward(points), np.minimum(points, bounds), rtol=1e-15)
    assert described(build.network(at_least(x, np.zeros(2), "here"))) == [({0: Select}, ReLU)]


def test_known_rounding_is_noted():
    x = build.input(2)
    exact = build.network(build.batch_norm(x, [0.0, 1.0], [1.0, 3.0], eps=1.0, weight=[0.0, 1.0]))
    assert exact.notes == ()
    once = build.batch_norm(x, [0.0, 1.0], [1.0, 3.0])
    twice = build.network(build.batch_norm(once, [0.0, 1.0], [1.0, 3.0]), notes=["mine"])
    assert twice.notes[0] == "mine"
    assert "weight / sqrt(variance + eps), is no float64" in twice.notes[1]
    assert len(twice.notes) == 2
    assert "1/6" in build.network(build.hard_sigmoid(x)).notes[0]
    assert build.network(build.hard_sigmoid(x, 0.25)).notes == ()
    assert build.network(build.hard_sigmoid(x, [0.25, 0.5])).notes == ()
    assert len(build.network(build.hard_sigmoid(x, [0.25, 1 / 6])).notes) == 1


# Bad input.

IMAGE = build.input(2, 4, 4)
FLAT = build.input(4)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: build.input(), r"build\.input needs the shape of one input: input\(2\)"),
        (lambda: build.input(3, 0), r"build\.input: a side must be a whole number of at least 1, got 0"),
        (lambda: build.input(2.0), "a side must be a whole number of at least 1, got 2.0"),
        (lambda: build.relu(np.zeros(3)), r"build\.relu takes a flow, as build\.input\(\.\.\.\).*got a ndarray"),
        (lambda: build.network(3), r"build\.network takes a flow"),
        (lambda: build.dense(FLAT, np.ones((2, 3))), r"build\.dense: weight has 3 columns, but Flow\(4\) has 4 values"),
        (
            lambda: build.dense(FLAT, np.ones((2, 4)), np.ones(3)),
            r"build\.dense: bias must be one number, 2 .* got shape \(3,\)",
        ),
        (
            lambda: build.conv(FLAT, np.ones((2, 2, 3, 3))),
            r"Conv: input_shape must be \(channels, side, side\), got \(4,\)",
        ),
        (lambda: build.conv(IMAGE, np.ones((2, 3, 3, 3))), "takes 3 channels"),
        (lambda: build.conv(IMAGE, np.ones((2, 2, 5, 5))), "does not fit into a side of 4"),
        (lambda: build.add(), r"build\.add needs at least one flow"),
        (
            lambda: build.add(FLAT, build.slice(FLAT, 0, 3)),
            r"build\.add takes flows of one shape, got \(4,\) and \(3,\)",
        ),
        (
            lambda: build.add(FLAT, build.input(4)),
            r"build\.add joins flows of two inputs, but a network has exactly one",
        ),
        (
            lambda: build.concatenate([build.relu(FLAT), build.input(4)]),
            r"build\.concatenate joins flows of two inputs",
        ),
        (lambda: build.maximum(FLAT, build.input(4)), r"build\.maximum joins flows of two inputs"),
        (lambda: build.maximum(), r"build\.maximum takes flows of one shape, got none"),
        (lambda: build.linear_combination([FLAT], [1.0, 2.0]), r"1 flows need as many factors, got \[1.0, 2.0\]"),
        (lambda: build.linear_combination([FLAT], 2.0), "1 flows need as many factors, got 2.0"),
        (lambda: build.linear_combination(FLAT, [1.0]), r"build\.linear_combination takes a list of flows, got a Flow"),
        (lambda: build.concatenate(FLAT), r"build\.concatenate takes a list of flows, got a Flow"),
        (lambda: build.linear_combination([FLAT], [np.nan]), "Scale: factors is nan"),
        (lambda: build.concatenate([]), r"build\.concatenate needs at least one flow"),
        (
            lambda: build.concatenate([IMAGE, build.slice(IMAGE, 0, 2, axis=2)]),
            r"all sides but axis 0 must agree, got \(2, 4, 4\) and \(2, 4, 2\)",
        ),
        (lambda: build.concatenate([IMAGE], axis=3), r"Flow\(2x4x4\) has axes -3 to 2, got 3"),
        (lambda: build.reshape(FLAT, 3, -1), r"build\.reshape: shape \(3, -1\) does not hold the 4 values"),
        (lambda: build.reshape(FLAT, -1, -1), "does not hold the 4 values"),
        (lambda: build.reshape(FLAT, 5), "does not hold the 4 values"),
        (lambda: build.transpose(IMAGE, 0, 1), r"axes must name each of 0 to 2 once, got \(0, 1\)"),
        (lambda: build.slice(FLAT, 3, 2), "nothing is left of axis 0, 4 long, by 3:2:None"),
        (lambda: build.slice(FLAT, 0, 2, 0), r"build\.slice: step must not be 0"),
        (lambda: build.slice(FLAT, 0.5, 2), r"build\.slice: start must be a whole number .* got 0\.5"),
        (lambda: build.transpose(IMAGE, 0, None, 2), r"build\.transpose: an axis must be a whole number"),
        (lambda: build.hard_sigmoid(IMAGE, np.ones(3)), r"build\.hard_sigmoid: alpha must be one number, 2"),
        (lambda: build.take(FLAT, 4), "axis 0 has indices -4 to 3, got 4"),
        (lambda: build.take(FLAT, [0.5]), "indices must be a whole number or a flat sequence"),
        (lambda: build.pad(FLAT, ((-1, 0),)), r"build\.pad: padding must be a whole number of at least 0, got -1"),
        (lambda: build.pad(FLAT, ((1, 0),), np.nan), r"build\.pad: value is nan"),
        (lambda: build.upsample(IMAGE, 0), "factor must be a whole number of at least 1, got 0"),
        (lambda: build.max_pool(FLAT, 2), r"the shape of x must be \(channels, side, \.\.\.\), got \(4,\)"),
        (lambda: build.max_pool(IMAGE, 5), r"build\.max_pool: a kernel of 5"),
        (lambda: build.max_pool(IMAGE, 1, padding=1), "a window would see padding only"),
        (lambda: build.maxout(IMAGE, 3), "groups of 3 do not divide 2 channels"),
        (lambda: build.prelu(IMAGE, [1.0, 2.0, 3.0]), r"build\.prelu: slope must be one number, 2 \(one a channel\)"),
        (lambda: build.leaky_relu(FLAT, np.inf), "LeakyReLU: slope is inf"),
        (lambda: build.clip(FLAT, 1.0, 0.0), "Clip needs low < high"),
        (lambda: build.divide(IMAGE, np.ones(4)), r"build\.divide: numbers must be one number, 2"),
        (lambda: build.divide(FLAT, [1, 1, 0, 1]), r"Divide: numbers\[2\] is 0.0; nothing is divided by zero"),
        (lambda: build.scale(IMAGE, np.ones(4)), r"build\.scale: factors must be one number, 2"),
        (lambda: build.batch_norm(IMAGE, np.ones(3), np.ones(2)), r"build\.batch_norm: mean must have shape \(2,\)"),
        (lambda: build.batch_norm(IMAGE, np.ones(2), [1.0, -1.0]), r"variance\[1\] \+ eps must be positive"),
        (lambda: build.batch_norm(IMAGE, np.ones(2), np.ones(2), eps=np.nan), "eps must be a finite number, got nan"),
        (
            lambda: build.batch_norm(IMAGE, np.full(2, 1e300), np.full(2, 1e-300), np.full(2, 1e200), eps=0.0),
            "channel 0 has a scale beyond float64",
        ),
    ],
)
def test_bad_input_builder(make, text):
    with pytest.raises(NetworkError, match=text):
        make()


@pytest.mark.parametrize("name", build.__all__)
def test_house_every_function_says_what_it_does(name):
    thing = getattr(build, name)
    assert len(inspect.getdoc(thing)) > 12
    assert name == "Flow" or inspect.isfunction(thing)
