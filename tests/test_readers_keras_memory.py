"""Models of Keras in memory, against what Keras computes, and against the files that it writes."""

import os

import numpy as np
import pytest

import creases
from creases.errors import ModelFileError, NetworkError, UnsupportedModelError
from kink_points import with_kinks

pytest.importorskip("h5py", reason="h5py is not installed")
# Read when Keras is imported; the default is a package that the tests do not install.
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="Keras is not installed")


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)


def chain():
    """A Sequential model of two hidden layers."""
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((3,)), layers.Dense(8, "relu"), layers.Dense(6, "relu"), layers.Dense(2, bias_initializer="ones")]
    )


def residual():
    """A functional model of images: convolutions, a batch norm with moments of its own, a sum, pools."""
    layers, given = keras.layers, keras.Input((8, 8, 2))
    h = layers.Conv2D(4, 3, padding="same", activation="relu")(given)
    norm = layers.BatchNormalization()
    inner = layers.LeakyReLU(0.125)(norm(layers.Conv2D(4, 3, padding="same")(h)))
    h = layers.MaxPooling2D()(layers.Add()([h, inner]))
    out = layers.Dense(3)(layers.Flatten()(h))
    model = keras.Model(given, out)
    norm.moving_mean.assign(np.array([0.5, -0.25, 1.0, 0.0]))
    norm.moving_variance.assign(np.array([1.0, 2.0, 0.5, 4.0]))
    return model


@pytest.mark.parametrize("make", [chain, residual])
def test_known_as_its_own_file(make, tmp_path):
    model = make()
    model.save(tmp_path / "net.keras")
    network, of_file = creases.load(model), creases.load(tmp_path / "net.keras")
    assert network.sha256 == of_file.sha256
    assert network.notes == of_file.notes


def convolutional():
    """A model of convolutions and a pool: with torch Keras computes hardly any other layers in float64."""
    layers = keras.layers
    first, second = layers.Conv2D(4, 3, padding="same", activation="relu"), layers.Conv2D(4, 3, padding="same")
    begin = [keras.Input((8, 8, 2)), first, layers.MaxPooling2D(), second, layers.LeakyReLU(0.125)]
    return keras.Sequential([*begin, layers.Conv2D(3, 3, strides=2)])


@pytest.fixture
def dtype(request):
    """What Keras computes in."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


@pytest.mark.parametrize(
    ("make", "dtype"),
    [(residual, "float32"), (convolutional, "float32"), (convolutional, "float64")],
    indirect=["dtype"],
)
def test_against_keras_forward(make, dtype):
    model = make()
    network = creases.load(model)
    points = with_kinks(network, np.random.default_rng(0).normal(size=(20, 128))).reshape(-1, 8, 8, 2).astype(dtype)
    theirs = keras.ops.convert_to_numpy(model(points, training=False)).reshape(len(points), -1)
    close = {"float32": 1e-5, "float64": 1e-13}[dtype]
    np.testing.assert_allclose(network.forward(points), theirs, rtol=0, atol=close * np.abs(theirs).max())


def test_known_with_the_numbers_of_now():
    """A model that was trained on, or set, is read as it is at that moment."""
    model = chain()
    before = creases.load(model).sha256
    weight, bias = model.layers[0].get_weights()
    model.layers[0].set_weights([2 * weight, bias + 1])
    network = creases.load(model)
    assert network.sha256 != before
    np.testing.assert_array_equal(network.levels[0].bias, bias + 1)


def test_counts():
    network = creases.load(chain())
    assert creases.count(network, creases.Box([-1] * 3, [1] * 3)).certified


class Doubled(keras.layers.Layer):
    """A layer whose code is its own."""

    def call(self, x):
        return x * x


def relu(x):
    """Not Keras's, whatever its name says."""
    return x * x


def own_in_dense(layers):
    return [layers.Dense(3, activation=relu), layers.Dense(1)]


def own_in_activation(layers):
    return [layers.Dense(3), layers.Activation(relu), layers.Dense(1)]


def own_in_a_nested_model(layers):
    return [keras.Sequential([keras.Input((3,)), layers.Dense(3, activation=relu)]), layers.Dense(1)]


@pytest.mark.parametrize("make", [own_in_dense, own_in_activation, own_in_a_nested_model])
def test_bad_a_function_of_ones_own_is_not_taken_for_the_one_of_that_name(make):
    """The file of such a model says "relu"."""
    with pytest.raises(UnsupportedModelError, match=r"activation relu of .*which is not Keras's"):
        creases.load(keras.Sequential([keras.Input((3,)), *make(keras.layers)]))


def test_bad_a_call_that_was_replaced():
    model = chain()
    model.layers[1].call = lambda x: x
    with pytest.raises(UnsupportedModelError, match="has a call of its own"):
        creases.load(model)


@pytest.mark.parametrize("activation", ["relu", keras.activations.relu, keras.ops.relu])
def test_known_relu_in_all_its_spellings(activation):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation=activation), keras.layers.Dense(1)])
    wanted = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    wanted.set_weights(model.get_weights())
    points = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    theirs = keras.ops.convert_to_numpy(wanted(points))
    np.testing.assert_allclose(creases.load(model).forward(points), theirs, rtol=0, atol=1e-6)


def test_bad_input():
    with pytest.raises(NetworkError, match=r"Sequential is not built.*model\.build\(input_shape\)"):
        creases.load(keras.Sequential([keras.layers.Dense(3)]))
    with pytest.raises(UnsupportedModelError, match="Doubled"):
        creases.load(keras.Sequential([keras.Input((3,)), Doubled()]))
    with pytest.raises(UnsupportedModelError, match="gelu"):
        creases.load(keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "gelu"), keras.layers.Dense(1)]))
    with pytest.raises(ModelFileError, match=r"A model of Keras says itself what it computes; activation"):
        creases.load(chain(), activation="relu")
    with pytest.raises(NetworkError, match="input_shape"):
        creases.load(chain(), input_shape=(4,))
    np.testing.assert_equal(creases.load(residual(), input_shape=(8, 8, 2)).input_shape, (8, 8, 2))


class Own(keras.Model):
    """A model whose forward is code."""

    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(3)

    def call(self, x):
        return abs(self.first(x))


def test_a_forward_of_ones_own_is_refused():
    model = Own()
    model(np.zeros((1, 2), np.float32))
    with pytest.raises(UnsupportedModelError, match="Own"):
        creases.load(model)
