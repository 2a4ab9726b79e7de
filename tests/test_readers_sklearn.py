"""scikit-learn's multilayer perceptrons, and arrays as other frameworks keep them."""

import warnings

import numpy as np
import pytest

import creases
from creases.errors import NetworkError, UnsupportedModelError
from kink_points import with_kinks

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

POINTS = np.random.default_rng(0).standard_normal((60, 2))
LABELS = (POINTS.prod(axis=1) > 0).astype(int) + (POINTS[:, 0] > 1)


def fitted(kind=MLPClassifier, labels=LABELS, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few iterations: it need not converge
        return kind(hidden_layer_sizes=(7, 5), max_iter=20, random_state=0, **options).fit(POINTS, labels)


def test_known_regressors_compute_what_they_predict():
    model = fitted(MLPRegressor, POINTS.sum(axis=1))
    network = creases.load(model)
    assert network.widths == (7, 5)
    assert network.notes == ()
    points = with_kinks(network, POINTS)
    assert np.allclose(network.forward(points).ravel(), model.predict(points), rtol=1e-12)
    chain = [*network.hidden, network.output]
    assert all((layer.weight == weight.T).all() for layer, weight in zip(chain, model.coefs_, strict=True))
    assert all((layer.bias == bias).all() for layer, bias in zip(chain, model.intercepts_, strict=True))


@pytest.mark.parametrize(("labels", "ending"), [(LABELS, "softmax"), (LABELS > 0, "logistic")])
def test_known_classifiers_are_read_before_their_last_function(labels, ending):
    model = fitted(labels=labels)
    network = creases.load(model)
    assert network.notes == (f"The outputs are what MLPClassifier's last layer gives, before its {ending}.",)
    outputs = network.forward(POINTS)
    assert outputs.shape[1] == (3 if ending == "softmax" else 1)
    found = outputs.argmax(axis=1) if ending == "softmax" else outputs.ravel() > 0
    assert (found == model.predict(POINTS)).all()


class Mine(MLPRegressor):
    def predict(self, X):
        return -super().predict(X)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: fitted(activation="tanh"), "MLPClassifier has activation 'tanh'; Creases counts ReLU networks"),
        (lambda: fitted(MLPRegressor, LABELS, activation="logistic"), "MLPRegressor has activation 'logistic'"),
        (lambda: fitted(Mine, LABELS), "Mine is not supported: of scikit-learn's models Creases reads MLPClassifier"),
        (lambda: LogisticRegression().fit(POINTS, LABELS), "LogisticRegression is not supported"),
        (lambda: make_pipeline(StandardScaler(), MLPRegressor()), r"Pipeline is not supported.*pipeline\[-1\]"),
    ],
)
def test_bad_input_other_models_by_name(make, text):
    with pytest.raises(UnsupportedModelError, match=text):
        creases.load(make())


def test_bad_input_a_model_that_is_not_fitted_and_one_that_is_told():
    with pytest.raises(
        NetworkError, match=r"MLPRegressor is not fitted: it holds no weights yet. Call its fit\(X, y\)"
    ):
        creases.load(MLPRegressor())
    with pytest.raises(creases.ModelFileError, match=r"A model of scikit-learn says itself what it computes"):
        creases.load(fitted(), activation="relu")


# Arrays of other frameworks.


def test_bad_input_transposed_weights_have_a_remedy():
    model = fitted()
    with pytest.raises(NetworkError, match=r"All weights are transposed") as caught:
        creases.Network.from_arrays(model.coefs_, model.intercepts_)
    remedy = str(caught.value).split("give ")[1].removesuffix(".")
    turned = creases.Network.from_arrays(eval(remedy, {"np": np, "weights": model.coefs_}), model.intercepts_)
    assert turned.sha256 == creases.load(model).sha256
    # A square layer does not show it; the next one does.
    with pytest.raises(NetworkError, match=r"All weights are transposed: of shapes \(2, 2\), \(2, 5\)"):
        creases.Network.from_arrays([np.ones((2, 2)), np.ones((2, 5))], [np.ones(2), np.ones(5)])


def test_bad_input_biases_that_are_none_have_a_remedy():
    weights = [np.ones((3, 2)), np.ones((1, 3))]
    with pytest.raises(NetworkError, match=r"layer 2 \(output\): bias is None.*zeros: np\.zeros\(1\)"):
        creases.Network.from_arrays(weights, [np.ones(3), None])
    with pytest.raises(NetworkError, match=r"biases is None\. Give one array a layer.*np\.zeros"):
        creases.Network.from_arrays(weights, None)
