"""`.keras` and `.h5` files, written here as Keras writes them, against the layers' definitions in numpy."""

import io
import json
import os
import re
import zipfile

import numpy as np
import pytest

import creases
from creases.errors import CreasesError, ModelFileError, NetworkError, UnsupportedModelError
from creases.readers.keras import hdf5
from creases.readers.keras.file import read_keras
from damaged_files import forked
from keras_files import after, begin, dense, functional, h5_bytes, keras_bytes, layer, put, sequential
from kink_points import projected

h5py = pytest.importorskip("h5py", reason="h5py is not installed")

RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def _hdf5_in_forks(monkeypatch):
    """A new interpreter for each file takes most of the time of these tests; those of damaged files have some."""
    if hasattr(os, "fork"):
        monkeypatch.setattr(hdf5.subprocess, "run", forked)


def numbers(*shape):
    return RNG.standard_normal(shape).astype("float32")


@pytest.fixture
def load(tmp_path):
    def opened(data, name="net.keras"):
        (tmp_path / name).write_bytes(data)
        return creases.load(tmp_path / name)

    return opened


def of_layers(load, *layers, **options):
    return load(keras_bytes(sequential(*layers), layers, **options))


def relu(x):
    return np.maximum(x, 0)


# What the layers are.


@pytest.mark.parametrize("options", [{}, {"named": False}, {"named": False, "top": "_layer_checkpoint_dependencies"}])
def test_known_a_sequential_of_dense_layers(load, options):
    """Kernels are (n_in, n_out); weights are found by the layers' names, or by the numbers of their classes."""
    w1, b1, w2, b2 = numbers(2, 5), numbers(5), numbers(5, 3), numbers(3)
    layers = [begin(2), dense("first", w1, b1, "relu"), layer("Dropout", "d", rate=0.5), dense("out", w2, b2)]
    network = of_layers(load, *layers, **options)
    assert network.is_chain
    assert network.sha256 == creases.Network.from_arrays([w1.T, w2.T], [b1, b2]).sha256
    assert network.notes == ()


def test_known_the_older_format(load):
    w1, b1, w2, b2 = numbers(2, 5), numbers(5), numbers(5, 3), numbers(3)
    layers = [dense("first", w1, b1, "relu"), dense("out", w2, b2)]
    config = sequential(*layers)
    config["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 2]
    for entry in config["config"]["layers"]:
        del entry["module"]
    data = h5_bytes(config, layers, {"first": ("kernel", "bias"), "out": ("kernel", "bias")})
    assert load(data, "net.h5").sha256 == creases.Network.from_arrays([w1.T, w2.T], [b1, b2]).sha256


ACTIVATIONS = {
    "relu": relu,
    "relu6": lambda x: np.clip(x, 0, 6),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, float(np.float32(0.2)) * x),
    "linear": lambda x: x,
}


@pytest.mark.parametrize("word", ACTIVATIONS)
def test_known_activations(load, word):
    w, b, points = numbers(3, 8) * 4, numbers(8), RNG.standard_normal((50, 3))
    inside = of_layers(load, begin(3), dense("first", w, b, word))
    apart = of_layers(load, begin(3), dense("first", w, b), layer("Activation", "a", activation=word))
    points = np.concatenate([points, projected(points, w.astype(float).T, b)])
    expected = ACTIVATIONS[word](points @ w.astype(float) + b)
    np.testing.assert_allclose(inside.forward(points), expected, rtol=1e-12, atol=1e-12)
    assert inside.sha256 == apart.sha256
    assert any("default slope, 0.2" in note for note in inside.notes) == (word == "leaky_relu")


KINKS = [
    (("ReLU", {"negative_slope": 0.0, "max_value": None, "threshold": 0.0}), relu),
    (
        ("ReLU", {"negative_slope": 0.1, "max_value": None, "threshold": 0.0}),
        lambda x: np.where(x > 0, x, float(np.float32(0.1)) * x),
    ),
    (("ReLU", {"negative_slope": 0.0, "max_value": 2.0, "threshold": 0.0}), lambda x: np.clip(x, 0, 2)),
    (("LeakyReLU", {"negative_slope": 0.3}), lambda x: np.where(x > 0, x, float(np.float32(0.3)) * x)),
    (("LeakyReLU", {"alpha": 0.25}), lambda x: np.where(x > 0, x, 0.25 * x)),
]


@pytest.mark.parametrize(("told", "function"), KINKS)
def test_known_layers_that_bend(load, told, function):
    kind, config = told
    points = RNG.standard_normal((50, 3)) * 4
    network = of_layers(load, begin(3), layer(kind, "kink", **config))
    np.testing.assert_allclose(network.forward(points), function(points), rtol=1e-12)


@pytest.mark.parametrize("last", ["softmax", "sigmoid", "tanh", "log_softmax", "layer"])
def test_known_what_cuts_nothing_is_dropped_where_it_stands_last(load, last):
    layers = [begin(2), dense("first", numbers(2, 4), numbers(4), "relu")]
    w, b = numbers(4, 3), numbers(3)
    plain = of_layers(load, *layers, dense("out", w, b))
    if last == "layer":
        network, name = (
            of_layers(load, *layers, dense("out", w, b), layer("Softmax", "last", axis=-1)),
            "Softmax 'last'",
        )
    else:
        network, name = of_layers(load, *layers, dense("out", w, b, last)), f"the {last} of Dense 'out'"
    assert network.sha256 == plain.sha256
    assert network.notes == (f"The outputs are what the network gives before {name}, which cuts nothing.",)
    end = dense("end", numbers(3, 1))
    inside = (
        [*layers, dense("out", w, b), layer("Softmax", "last")]
        if last == "layer"
        else [*layers, dense("out", w, b, last)]
    )
    with pytest.raises(UnsupportedModelError, match=rf"{name} stands inside the network, before Dense 'end'"):
        of_layers(load, *inside, end)


@pytest.mark.parametrize("last", ["softmax", "log_softmax", None])
def test_bad_input_a_softmax_over_one_number_is_constant(load, last):
    end = [dense("out", numbers(2, 1), numbers(1), last or "linear")]
    name = "Dense 'out'"
    if last is None:
        end.append(layer("Softmax", "last", axis=-1))
        name = "Softmax 'last'"
    with pytest.raises(
        UnsupportedModelError, match=rf"^net\.keras: {name} has a softmax over one number.* is constant"
    ):
        of_layers(load, begin(2), *end)
    assert of_layers(load, begin(2), dense("out", numbers(2, 1), numbers(1), "sigmoid")).n_out == 1


@pytest.mark.parametrize(
    ("shape", "axis", "text"),
    [
        ((1, 4), 1, r"one number of \(1, 4\)"),
        ((1, 4), [1, 2], None),
        ((1, 1, 4), [1, -2], "constant"),
        ((1, 4), -1, None),
        ((4, 1), -1, "constant"),
        ((4, 1), 1, None),
        ((1, 4), 0, "goes along the batch"),
        ((1, 4), -3, "goes along the batch"),
        ((1, 4), [0, 1], "goes along the batch"),
        ((1, 4), 3, r"has axis 3 for \(1, 4\)"),
        ((1, 4), [], "has axis"),
        ((1, 4), "last", "has axis"),
    ],
)
def test_known_the_axes_of_a_softmax(load, shape, axis, text):
    layers = [begin(*shape), layer("ReLU", "r"), layer("Softmax", "last", axis=axis)]
    if text is None:
        assert of_layers(load, *layers).n_out == 4
        return
    with pytest.raises((ModelFileError, UnsupportedModelError), match=text):
        of_layers(load, *layers)


def policy(name, kind="DTypePolicy"):
    return {"module": "keras", "class_name": kind, "config": {"name": name}, "registered_name": None}


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("plain", [True, False])
def test_known_a_mixed_policy_is_noted_once(load, name, plain):
    """Its layers keep float32s."""
    w, b, told = numbers(2, 4), numbers(4), {"dtype": name if plain else policy(name)}
    end = [layer("LeakyReLU", "l", negative_slope=0.1, **told), layer("Dropout", "d", rate=0.5, **told)]
    layers = [begin(2), layer("Dense", "out", w, b, use_bias=True, activation="linear", **told), *end]
    network = of_layers(load, *layers)
    (note,) = network.notes
    assert note.startswith(f"net.keras: layers compute in {name.removeprefix('mixed_')} (dtype policy {name}), which")
    assert network.forward(np.zeros(2)).tolist() == pytest.approx(np.where(b > 0, b, np.float32(0.1) * b).tolist())


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("float16", "float16"),
        (policy("bfloat16"), "bfloat16"),
        (policy("float16", "FloatDTypePolicy"), "float16"),
        (
            {"module": "keras.dtype_policies", "class_name": "DTypePolicyMap", "config": {"policy_map": {}}},
            "DTypePolicyMap",
        ),
        ({"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}}, "QuantizedDTypePolicy"),
        (7, "7"),
    ],
)
def test_bad_input_policies_of_narrow_numbers(load, told, shown):
    layers = [begin(2), layer("Dense", "out", numbers(2, 1), use_bias=False, activation="linear", dtype=told)]
    with pytest.raises(UnsupportedModelError, match=rf"Dense 'out' has dtype policy '{shown}'.*set_dtype_policy"):
        of_layers(load, *layers)


def test_known_batch_norms_keep_what_is_stored(load):
    """Ten lines through one point stay so: 20 regions of the plane, as torch's have."""
    mean, variance, w = numbers(2), np.abs(numbers(2)) + 0.1, np.random.default_rng(1).standard_normal((2, 10))
    norm = layer("BatchNormalization", "bn", mean, variance, axis=-1, epsilon=0.001, scale=False, center=False)
    network = of_layers(load, begin(2), norm, dense("first", w, None, "relu"))
    found = creases.count(network, creases.Space(2), threads=1, progress=False)
    assert (found.regions, found.certified) == (20, True)
    assert "sqrt(variance + eps), is no float64" in network.notes[0]
    gamma, beta, points = numbers(2), numbers(2), RNG.standard_normal((20, 2))
    whole = layer("BatchNormalization", "bn", gamma, beta, mean, variance, axis=[1], epsilon=0.001)
    expected = (points - mean) / np.sqrt(variance.astype(float) + 0.001) * gamma + beta
    np.testing.assert_allclose(of_layers(load, begin(2), whole).forward(points), expected, rtol=1e-6)


def test_known_normalisation_and_rescaling(load):
    mean, variance, points = numbers(3), np.abs(numbers(3)) + 0.1, RNG.standard_normal((20, 3))
    stored = layer("Normalization", "n", mean, variance, np.int32(7), axis=[-1], invert=False, mean=None, variance=None)
    told = layer("Normalization", "n", axis=[-1], mean=[mean.tolist()], variance=[variance.tolist()])
    scale, offset = float(np.float32(0.3)), float(np.float32(-0.1))
    expected = (points - mean) / np.sqrt(variance.astype(float)) * scale + offset
    for norm in (stored, told):
        network = of_layers(load, begin(3), norm, layer("Rescaling", "r", scale=0.3, offset=-0.1))
        np.testing.assert_allclose(network.forward(points), expected, rtol=1e-12, atol=1e-14)


# Images: channels last.


def windows(image, kernel, stride, dilation, pairs, fill=0.0):
    """Windows (out_h, out_w, kh, kw, channels) of an image (h, w, channels) with a border."""
    whole = np.pad(image, (*pairs, (0, 0)), constant_values=fill)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    rows, columns = ((whole.shape[i] - reach[i]) // stride[i] + 1 for i in (0, 1))
    return np.array(
        [
            [
                whole[
                    i * stride[0] : i * stride[0] + reach[0] : dilation[0],
                    j * stride[1] : j * stride[1] + reach[1] : dilation[1],
                ]
                for j in range(columns)
            ]
            for i in range(rows)
        ]
    )


def same(sides, kernel, stride, dilation=(1, 1)):
    """TensorFlow's padding: ceil(side / stride) windows, the odd zero behind."""
    pairs = []
    for side, k, s, d in zip(sides, kernel, stride, dilation, strict=True):
        both = max((-(-side // s) - 1) * s + (k - 1) * d + 1 - side, 0)
        pairs.append((both // 2, both - both // 2))
    return tuple(pairs)


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "padding"),
    [((3, 2), (1, 1), (1, 1), "valid"), ((3, 2), (2, 3), (1, 1), "same"), ((2, 3), (1, 1), (2, 1), "same")],
)
def test_known_convolutions(load, kernel, stride, dilation, padding):
    image, w, b, head = RNG.standard_normal((7, 6, 2)), numbers(*kernel, 2, 3), numbers(3), numbers(3, 2)
    pairs = same((7, 6), kernel, stride, dilation) if padding == "same" else ((0, 0), (0, 0))
    config = {"strides": list(stride), "dilation_rate": list(dilation), "padding": padding, "groups": 1}
    conv = layer("Conv2D", "conv", w, b, activation="relu", data_format="channels_last", **config)
    expected = relu(np.einsum("ijklc,klcd->ijd", windows(image, kernel, stride, dilation, pairs), w) + b)
    network = of_layers(load, begin(7, 6, 2), conv)
    assert network.input_shape == (7, 6, 2)
    np.testing.assert_allclose(network.forward(image), expected.ravel(), rtol=1e-6, atol=1e-6)
    # A Dense acts on the channels, and Flatten keeps Keras's order.
    above = of_layers(load, begin(7, 6, 2), conv, dense("dense", head), layer("Flatten", "flat"))
    np.testing.assert_allclose(above.forward(image), (expected @ head).ravel(), rtol=1e-6, atol=1e-6)


def test_known_depthwise_and_separable_convolutions(load):
    image, w, point, b = RNG.standard_normal((6, 5, 2)), numbers(3, 3, 2, 2), numbers(1, 1, 4, 3), numbers(3)
    config = {"strides": [1, 1], "dilation_rate": [1, 1], "padding": "valid"}
    seen = np.einsum("ijklc,klcm->ijcm", windows(image, (3, 3), (1, 1), (1, 1), ((0, 0), (0, 0))), w)
    flat = seen.reshape(*seen.shape[:2], 4)
    depthwise = of_layers(load, begin(6, 5, 2), layer("DepthwiseConv2D", "d", w, use_bias=False, **config))
    np.testing.assert_allclose(depthwise.forward(image), flat.ravel(), rtol=1e-6, atol=1e-6)
    both = of_layers(load, begin(6, 5, 2), layer("SeparableConv2D", "s", w, point, b, **config))
    np.testing.assert_allclose(both.forward(image), (flat @ point[0, 0] + b).ravel(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["MaxPooling2D", "AveragePooling2D"])
def test_known_pools(load, kind, padding):
    """Zeros that "same" puts around never win, and never count: the mean of a corner is of what is there."""
    image, size, stride = RNG.standard_normal((7, 6, 2)) - 3.0, (3, 2), (2, 2)
    pairs = same((7, 6), size, stride) if padding == "same" else ((0, 0), (0, 0))
    seen = windows(image, size, stride, (1, 1), pairs, np.nan)
    expected = (np.nanmax if kind[0] == "M" else np.nanmean)(seen, axis=(2, 3))
    pool = layer(kind, "pool", pool_size=list(size), strides=list(stride), padding=padding)
    np.testing.assert_allclose(of_layers(load, begin(7, 6, 2), pool).forward(image), expected.ravel(), rtol=1e-12)
    for name, take in (("Max", np.max), ("Average", np.mean)):
        whole = of_layers(load, begin(7, 6, 2), layer(f"Global{name}Pooling2D", "pool", keepdims=False))
        np.testing.assert_allclose(whole.forward(image), take(image, axis=(0, 1)), rtol=1e-12)


def test_known_shapes_are_those_of_keras(load):
    image = RNG.standard_normal((4, 3, 2))
    slopes = numbers(1, 1, 2)
    cases = [
        (layer("Reshape", "r", target_shape=[-1, 6]), image),
        (layer("Permute", "p", dims=[3, 1, 2]), image.transpose(2, 0, 1)),
        (layer("ZeroPadding2D", "z", padding=[[1, 0], [0, 2]]), np.pad(image, ((1, 0), (0, 2), (0, 0)))),
        (layer("Cropping2D", "c", cropping=[[1, 0], [0, 1]]), image[1:, :2]),
        (layer("UpSampling2D", "u", size=[2, 1], interpolation="nearest"), image.repeat(2, axis=0)),
        (layer("PReLU", "k", slopes, shared_axes=[1, 2]), np.where(image > 0, image, image * slopes)),
        (layer("Flatten", "f"), image),
    ]
    for one, expected in cases:
        np.testing.assert_allclose(of_layers(load, begin(4, 3, 2), one).forward(image), expected.ravel(), rtol=1e-7)
        # And where a convolution has put the channels first below it.
        conv = layer(
            "Conv2D",
            "conv",
            np.eye(2, dtype="float32")[None, None],
            use_bias=False,
            strides=[1, 1],
            dilation_rate=[1, 1],
        )
        above = of_layers(load, begin(4, 3, 2), conv, one)
        np.testing.assert_allclose(above.forward(image), expected.ravel(), rtol=1e-7)


# Models with branches, and models within.


def test_known_merges(load):
    w1, w2, points = numbers(3, 4), numbers(3, 4), RNG.standard_normal((20, 3))
    a, b = relu(points @ w1.astype(float)), points @ w2.astype(float)
    cases = {
        "Add": a + b,
        "Subtract": a - b,
        "Average": (a + b) / 2,
        "Maximum": np.maximum(a, b),
        "Minimum": np.minimum(a, b),
        "Concatenate": np.concatenate([a, b], axis=1),
    }
    for kind, expected in cases.items():
        layers = [begin(3), dense("a", w1, None, "relu"), dense("b", w2), layer(kind, "end", axis=-1)]
        taken = {"a": ["input_layer"], "b": ["input_layer"], "end": ["a", "b"]}
        data = keras_bytes(functional(layers, taken, "end"), layers)
        np.testing.assert_allclose(load(data).forward(points), expected, rtol=1e-12, atol=1e-12)


def test_known_the_average_of_three_is_exact(load):
    """Three times the mean of x, x and x is x, at every x: divided by three, not multiplied by a rounded third."""
    layers = [begin(1), layer("Average", "end")]
    network = load(keras_bytes(functional(layers, {"end": ["input_layer"] * 3}, "end"), layers))
    assert network.levels[-1].sources[len(network.levels) - 1].divisors.tolist() == [3]


def test_known_a_model_within_and_a_layer_used_twice(load):
    w1, w2, w3, points = numbers(3, 4), numbers(4, 3), numbers(3, 1), RNG.standard_normal((20, 3))
    within = [begin(3), dense("a", w1, None, "relu"), dense("b", w2)]
    inner = (sequential(*within, name="inner"), within)
    layers = [begin(3), inner, layer("Add", "sum"), dense("out", w3)]
    config = functional(layers, {"inner": ["input_layer"], "sum": ["inner", "input_layer"], "out": ["sum"]}, "out")
    once = relu(points @ w1.astype(float)) @ w2 + points
    network = load(keras_bytes(config, layers))
    np.testing.assert_allclose(network.forward(points), once @ w3, rtol=1e-6, atol=1e-6)
    # The same model again, on what it gave: its second node.
    nodes = config["config"]["layers"][1]["inbound_nodes"]
    nodes.append(after(inner[0], "inner")["inbound_nodes"][0])
    config["config"]["layers"][2]["inbound_nodes"][0]["args"][0][0]["config"]["keras_history"] = ["inner", 1, 0]
    twice = relu((once - points) @ w1.astype(float)) @ w2 + points
    network = load(keras_bytes(config, layers))
    np.testing.assert_allclose(network.forward(points), twice @ w3, rtol=1e-6, atol=1e-6)
    assert network.depth == 2


def test_known_nodes_of_keras_2(load):
    """inbound_nodes as lists, each tensor as [layer, node, tensor, arguments]."""
    w1, points = numbers(3, 3), RNG.standard_normal((20, 3))
    layers = [begin(3), dense("a", w1, None, "relu"), layer("Add", "sum")]
    config = functional(layers, {}, "sum")
    entries = config["config"]["layers"]
    entries[1]["inbound_nodes"] = [[["input_layer", 0, 0, {}]]]
    entries[2]["inbound_nodes"] = [[["a", 0, 0, {}], ["input_layer", 0, 0, {}]]]
    config["config"] |= {"input_layers": [["input_layer", 0, 0]], "output_layers": [["sum", 0, 0]]}
    names = {"a": ("kernel",)}
    expected = relu(points @ w1.astype(float)) + points
    np.testing.assert_allclose(load(h5_bytes(config, layers, names), "net.h5").forward(points), expected, rtol=1e-12)


# Bad input.

FIRST, OUT = dense("first", numbers(2, 3), numbers(3), "relu"), dense("out", numbers(3, 1), numbers(1))


@pytest.mark.parametrize(
    ("middle", "text"),
    [
        (
            layer("Lambda", "evil", function={"class_name": "__lambda__"}),
            r"Lambda 'evil' holds Python code, which is never",
        ),
        (
            layer("LayerNormalization", "ln"),
            r"LayerNormalization 'ln' is not supported\. Creases counts piecewise-linear",
        ),
        (layer("Multiply", "times"), r"Multiply 'times' is not supported"),
        (dense("d", numbers(3, 3), None, "gelu"), r"Dense 'd' has activation 'gelu', which is not supported"),
        (dense("d", numbers(3, 3), None, {"class_name": "Mine"}), r"Dense 'd' has activation 'Mine'"),
        (dense("d", numbers(4, 3)), r"Dense 'd' has weights of shapes \[\(4, 3\)\], and needs \[\(3, 3\)\]"),
        (dense("d", numbers(3, 3) * np.nan), r"Dense 'd': Dense: weight\[0, 0\] is nan"),
        (dense("d", np.ones((3, 3), int)), r"'layers/dense_1/vars/0' holds int64, and weights are floats"),
        (layer("ReLU", "r", threshold=1.0), r"ReLU 'r' has a threshold"),
        (layer("LeakyReLU", "r", alpha="much"), r"LeakyReLU 'r' has negative_slope 'much', which is no finite number"),
        (layer("Conv2D", "c", numbers(1, 1, 1, 1)), r"Conv2D 'c' takes an image, and \(3,\) flows"),
        (layer("BatchNormalization", "b", numbers(3), axis=2), r"BatchNormalization 'b' has axis 2"),
        (
            layer("Normalization", "n", numbers(3), np.zeros(3, "float32")),
            r"Normalization 'n' has a variance of zero, so that it divides by Keras's epsilon",
        ),
    ],
)
def test_bad_input_layers(load, middle, text):
    with pytest.raises(CreasesError, match=text):
        of_layers(load, begin(2), FIRST, middle, OUT)


def with_module(module):
    """A layer named Dense that is somebody's own."""
    (entry, weights) = dense("mine", numbers(3, 3))
    return {**entry, "module": module}, weights


def test_bad_input_classes_of_others(load):
    for module in ("my_package", "keras.src.ops.numpy", "keras.layersx.evil", 3):
        with pytest.raises(UnsupportedModelError, match=r"Dense 'mine' is no layer of Keras but"):
            of_layers(load, begin(2), FIRST, with_module(module), OUT)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"module": "mine.models"}, "is a 'Sequential' of 'mine.models', a class of its own"),
        ({"module": "kerasy"}, "is a 'Sequential' of 'kerasy', a class of its own"),
        ({"module": 3}, "is a 'Sequential' of '3', a class of its own"),
        ({"registered_name": "mine>Sequential"}, "is a 'Sequential' of 'mine>Sequential', a class of its own"),
        ({"module": None, "registered_name": "Custom>Net"}, "is a 'Sequential' of 'Custom>Net', a class of its own"),
        ({"module": None, "registered_name": "Sequential"}, "is a 'Sequential' of '__main__', a class of its own"),
    ],
)
@pytest.mark.parametrize("within", [False, True])
def test_bad_input_models_of_others_by_a_name_of_keras(load, told, text, within):
    config = sequential(FIRST, OUT)
    if within:
        inner = ({**config, "config": {**config["config"], "name": "inner"}, **told}, [FIRST, OUT])
        layers = [begin(2), inner]
        data = keras_bytes(sequential(*layers), layers)
    else:
        data = keras_bytes({**sequential(begin(2), FIRST, OUT), **told}, [begin(2), FIRST, OUT])
    with pytest.raises(UnsupportedModelError, match=re.escape(text)):
        load(data)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"module": "keras.src.models.sequential", "registered_name": "Sequential"},
        {"module": "tensorflow.python.keras.engine.sequential"},
        {"module": "tf_keras.src.engine.sequential"},
    ],
)
def test_known_models_of_keras_by_their_modules(load, told):
    layers = [begin(2), FIRST, OUT]
    assert load(keras_bytes({**sequential(*layers), **told}, layers)).widths == (3,)


def test_known_files_without_modules_say_that_names_are_believed(load):
    layers = [begin(2), FIRST, OUT]
    config = sequential(*layers)
    assert load(keras_bytes(config, layers)).notes == ()
    for entry in (config, *config["config"]["layers"]):
        del entry["module"]
    (note,) = load(keras_bytes(config, layers)).notes
    assert "names classes without their modules; those named as Keras's are read as Keras's own" in note


def test_bad_input_layers_that_somebody_registered(load):
    (entry, weights) = dense("mine", numbers(3, 3))
    with pytest.raises(UnsupportedModelError, match=r"Dense 'mine' is no layer of Keras but mine>Dense"):
        of_layers(load, begin(2), FIRST, ({**entry, "registered_name": "mine>Dense"}, weights), OUT)
    # Of a class in a script of its own Keras 3 writes no module, and its plain name.
    with pytest.raises(UnsupportedModelError, match=r"Dense 'mine' is no layer of Keras but __main__"):
        of_layers(load, begin(2), FIRST, ({**entry, "module": None, "registered_name": "Dense"}, weights), OUT)


def of_function(**told):
    """An activation that is a function."""
    return {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": None, **told}


@pytest.mark.parametrize("told", [{}, {"module": "keras.src.activations", "registered_name": "relu"}])
def test_known_functions_of_keras(load, told):
    kernel = numbers(2, 3)
    network = of_layers(load, begin(2), dense("d", kernel, None, of_function(**told)))
    assert network.sha256 == of_layers(load, begin(2), dense("d", kernel, None, "relu")).sha256


@pytest.mark.parametrize(
    "told",
    [
        {"module": "mine"},
        {"registered_name": "mine>relu"},
        {"registered_name": "function"},
        {"module": 3},
        {"module": None},
    ],
)
def test_bad_input_functions_of_others(load, told):
    with pytest.raises(UnsupportedModelError, match=r"Dense 'd' has a function of its own as its activation, 'relu'"):
        of_layers(load, begin(2), dense("d", numbers(2, 3), None, of_function(**told)))


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [
        ("float32", np.float32),
        ({"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}, np.float32),
        ("float64", np.float64),
        ({"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float64"}}, np.float64),
    ],
)
def test_known_numbers_of_a_configuration_are_those_that_keras_computes_with(load, dtype, kept):
    """A slope of 0.1 is the float32 of a model of float32."""
    ways = [
        layer("ReLU", "r", negative_slope=0.1, dtype=dtype),
        layer("LeakyReLU", "r", negative_slope=0.1, dtype=dtype),
        layer("Rescaling", "r", scale=-0.1, offset=0.0, dtype=dtype),
        layer("Rescaling", "r", scale=0.0, offset=0.1, dtype=dtype),
    ]
    array = {"class_name": "__numpy__", "config": {"value": -0.1, "dtype": "float64"}}  # as Keras 3 writes one
    ways.append(layer("Rescaling", "r", scale=array, offset=0.0, dtype=dtype))
    for way, wanted in zip(ways, (-0.1, -0.1, 0.1, 0.1, 0.1), strict=True):
        assert of_layers(load, begin(1), way).forward(np.array([-1.0]))[0] == float(kept(wanted))


def test_bad_input_scales_of_an_image_whose_channels_may_stand_first(load):
    def scaled(shape, scale):
        return of_layers(load, begin(*shape), layer("Rescaling", "r", scale=scale, offset=0.0))

    points = np.ones(3 * 4 * 2)
    assert (scaled((3, 4, 2), [2.0, 4.0]).forward(points) == np.tile([2.0, 4.0], 12)).all()
    assert (scaled((2, 4, 2), [2.0, 2.0]).forward(points[:16]) == 2.0).all()
    assert (scaled((2,), [2.0, 4.0]).forward(points[:2]) == [2.0, 4.0]).all()
    for shape in ((2, 4, 2), (2, 4, 3)):
        with pytest.raises(UnsupportedModelError, match=r"Rescaling 'r' has several scales for an image, and the file"):
            scaled(shape, [2.0, 4.0])
    with pytest.raises(ModelFileError, match=r"Rescaling 'r' has a scale or offset that is no number"):
        scaled((2,), "much")


def test_bad_input_models(load):
    layers = [begin(2), FIRST, OUT]
    config = functional(layers, {"first": ["input_layer"], "out": ["first"]}, "out")
    two = json.loads(json.dumps(config))
    two["config"]["output_layers"] = [["out", 0, 0], ["first", 0, 0]]
    with pytest.raises(UnsupportedModelError, match=r"output_layers 'out' and 'first'\..*model\.get_layer\('out'\)"):
        load(keras_bytes(two, layers))
    two["config"] |= {"output_layers": ["out", 0, 0], "input_layers": [["input_layer", 0, 0], ["first", 0, 0]]}
    with pytest.raises(
        UnsupportedModelError, match=r"input_layers 'input_layer' and 'first'\. Creases counts networks of"
    ):
        load(keras_bytes(two, layers))
    lost = json.loads(json.dumps(config))
    lost["config"]["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = "nobody"
    with pytest.raises(ModelFileError, match=r"its output, 'out', does not follow from its input: it is damaged"):
        load(keras_bytes(lost, layers))
    called = json.loads(json.dumps(config))
    called["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"training": True}
    with pytest.raises(UnsupportedModelError, match=r"layer 'first' is called with \['training'\]"):
        load(keras_bytes(called, layers))
    added = json.loads(json.dumps(config))
    added["config"]["layers"][1]["inbound_nodes"][0]["args"].append(2.0)
    with pytest.raises(UnsupportedModelError, match=r"layer 'first' takes '2\.0', which is no tensor"):
        load(keras_bytes(added, layers))
    own = {"module": "mine", "class_name": "Net", "config": {"width": 3}}
    with pytest.raises(UnsupportedModelError, match=r"net\.keras is a 'Net' of 'mine', a class of its own"):
        load(keras_bytes(own, layers))
    del own["module"]
    with pytest.raises(UnsupportedModelError, match=r"net\.keras is a 'Net', a class of its own"):
        load(keras_bytes(own, layers))
    with pytest.raises(UnsupportedModelError, match=r"inputs of shape \(None, 2\), which is not fixed"):
        of_layers(load, begin(None, 2), FIRST)
    with pytest.raises(UnsupportedModelError, match=r"does not say the shape of its input"):
        of_layers(load, FIRST, OUT)


@pytest.mark.parametrize("place", ["class_name", "config", "name"])
@pytest.mark.parametrize("wrong", [None, 3, [], {}, "x", [[]]])
def test_bad_input_configurations_of_the_wrong_kind(load, place, wrong):
    """Any JSON may stand anywhere: one of our errors, or a network where it does not matter."""
    layers = [begin(2), FIRST, OUT]
    config = json.loads(json.dumps(sequential(*layers)))
    entry = config["config"]["layers"][1]
    (entry["config"] if place == "name" else entry)[place] = wrong
    with pytest.raises(CreasesError, match=r"^net\.keras"):
        load(keras_bytes(config, layers))


def outside(file):
    file["layers/dense/vars"].pop("0")
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "secret")


def huge(file):
    held = file["layers/dense/vars"]
    held.pop("0")
    held.create_dataset("0", shape=(2, 10**12), dtype="f4", chunks=(2, 1024))


def elsewhere(file):
    held = file["layers/dense/vars"]
    held.pop("0")
    held.create_dataset("0", shape=(2, 3), dtype="f4", external=[("/etc/passwd", 0, 24)])


@pytest.mark.parametrize(
    ("tamper", "text"),
    [
        (outside, r"'layers/dense/vars/0' is a link to elsewhere, which is not followed"),
        (huge, r"claims \(2, 1000000000000\) numbers, which its 0 bytes cannot hold"),
        (elsewhere, r"'layers/dense/vars/0' is not plainly in the file, and is not read"),
        (lambda file: file.pop("layers"), r"its weights name no layers: it is damaged"),
        (lambda file: file["layers"].pop("dense"), r"its weights name no layer 'first': it is damaged"),
    ],
)
def test_bad_input_weights_that_are_not_in_the_file(load, tamper, text):
    layers = [begin(2), FIRST, OUT]
    with pytest.raises(ModelFileError, match=text):
        load(keras_bytes(sequential(*layers), layers, tamper=tamper))


def test_bad_input_files(load):
    layers = [begin(2), FIRST, OUT]
    with pytest.raises(ModelFileError, match=r"its configuration is no JSON"):
        load(keras_bytes("{", layers))
    with pytest.raises(ModelFileError, match=r"its configuration is no JSON \(.*recursion"):
        load(keras_bytes("[" * 100_000, layers))
    with pytest.raises(ModelFileError, match=r"is truncated or damaged: BadZipFile: File is not a zip file"):
        load(b"nothing")
    with pytest.raises(ModelFileError, match=r"or no HDF5 file"):
        load(b"nothing", "net.h5")
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        put(file.create_group("layers"), layers)
    with pytest.raises(ModelFileError, match=r"holds weights alone.*model\.save\(\"net\.keras\"\)"):
        load(stream.getvalue(), "net.weights.h5")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data.pkl", b"")
    with pytest.raises(ModelFileError, match=r"lacks config\.json, so it is no \.keras file of Keras 3"):
        load(stream.getvalue())


def test_laws_every_truncation_is_one_of_our_errors():
    layers = [begin(2), FIRST, OUT]
    data = keras_bytes(sequential(*layers), layers)
    for end in range(1, len(data), len(data) // 9):
        with pytest.raises((ModelFileError, NetworkError)):
            read_keras(data[:end], "net.keras")
