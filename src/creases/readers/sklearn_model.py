"""Fitted `MLPClassifier` and `MLPRegressor` of scikit-learn: their weights are read without importing the package.

The model must be one of the two; subclasses are refused, because their methods may compute anything. Its hidden
activation must be ReLU, or identity, which makes the network an affine map. What a classifier applies to the last
layer's values (softmax, logistic) is not part of the network: it does not cut the input space. scikit-learn stores
weights as (n_in, n_out); they are transposed.
"""

from __future__ import annotations

import sys
from typing import Any

from creases.errors import NetworkError, UnsupportedModelError
from creases.network import Network
from creases.readers.chain import Chain

__all__ = ["is_estimator", "read_estimator"]


def is_estimator(source: object) -> bool:
    """True if `source` is a model of scikit-learn; the package is not imported to find out."""
    base = sys.modules.get("sklearn.base")
    return base is not None and isinstance(source, base.BaseEstimator)


def read_estimator(model: Any) -> Network:
    """The network of a fitted MLPClassifier or MLPRegressor with activation="relu" or "identity".

    Raises UnsupportedModelError, with the name, on another model or activation; NetworkError if the model is not
    fitted.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    name = type(model).__name__
    if type(model) not in (MLPClassifier, MLPRegressor):
        raise UnsupportedModelError(
            f"{name} is not supported: of scikit-learn's models Creases reads MLPClassifier and MLPRegressor "
            "themselves. Of a Pipeline load the last step, pipeline[-1]; its inputs are what the steps before give."
        )
    if model.activation not in ("relu", "identity"):
        raise UnsupportedModelError(
            f'{name} has activation {model.activation!r}; Creases counts ReLU networks. Fit one with activation="relu".'
        )
    if not hasattr(model, "coefs_"):
        raise NetworkError(f"{name} is not fitted: it holds no weights yet. Call its fit(X, y) first.")
    chain = Chain(name)
    for number, (weight, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True), start=1):
        chain.dense(f"layer {number}", weight.T, bias)
        if model.activation == "relu" and number < len(model.coefs_):
            chain.relu()
    if model.out_activation_ != "identity":
        chain.note(f"The outputs are what {name}'s last layer gives, before its {model.out_activation_}.")
    return chain.network()
