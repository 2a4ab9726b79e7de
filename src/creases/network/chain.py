"""Chains: dense layers one after the other, each followed by ReLU, and an optional affine output layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats, first_not_finite
from creases.errors import NetworkError
from creases.network.kinks import Linear, ReLU
from creases.network.levels import Level
from creases.network.operators import Dense

__all__ = ["DenseChain", "DenseLayer", "are_transposed", "as_layer", "chain_of", "levels_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class DenseLayer:
    """One fully connected layer of a chain, x -> weight @ x + bias.

    weight : float64, shape (n_out, n_in). Read-only.
    bias : float64, shape (n_out,). Read-only.
    """

    weight: Floats
    bias: Floats

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.weight.shape[1])

    @property
    def n_out(self) -> int:
        """Number of neurons."""
        return int(self.weight.shape[0])

    def __repr__(self) -> str:
        return f"DenseLayer({self.n_in} -> {self.n_out})"


class DenseChain(NamedTuple):
    """The layers of a chain: the hidden ones, first to last, and the output layer or None."""

    hidden: tuple[DenseLayer, ...]
    output: DenseLayer | None


def chain_of(levels: Sequence[Level]) -> DenseChain | None:
    """The layers, if the levels are a chain: each is dense with ReLU, except perhaps an affine last one; otherwise
    None."""
    layers = []
    for number, level in enumerate(levels, start=1):
        operator = level.sources.get(number - 1)
        kinks = (ReLU, Linear) if number == len(levels) else (ReLU,)
        if len(level.sources) > 1 or not isinstance(operator, Dense) or not isinstance(level.kink, kinks):
            return None
        layers.append(DenseLayer(operator.weight, level.bias))
    output = layers.pop() if isinstance(levels[-1].kink, Linear) else None
    return DenseChain(tuple(layers), output) if layers else None


def levels_of(hidden: Sequence[DenseLayer], output: DenseLayer | None) -> tuple[Level, ...]:
    """The levels of a chain; an output layer alone is one affine level. Raises NetworkError if the shapes do not
    fit."""
    chain = [*hidden, *([output] if output else [])]
    for number, (below, above) in enumerate(pairwise(chain), start=2):
        if above.n_in != below.n_out:
            raise NetworkError(
                f"layer {number} takes {above.n_in} inputs but layer {number - 1} has {below.n_out} neurons. "
                "Weights have shape (n_out, n_in); transpose them if yours are (n_in, n_out)."
            )
    return tuple(
        Level({number: Dense.of_checked(layer.weight)}, layer.bias, ReLU() if number < len(hidden) else Linear())
        for number, layer in enumerate(chain)
    )


def are_transposed(weights: Sequence[ArrayLike], biases: Sequence[ArrayLike]) -> bool:
    """Whether the layers fit one another and their biases only if every weight is transposed.

    Raises nothing: an array that is not a matrix does not fit either way.
    """
    try:
        shapes, lengths = [np.shape(weight) for weight in weights], [np.shape(bias) for bias in biases]
    except (
        ValueError,
        RuntimeError,
        TypeError,
    ):  # lists of different lengths, or of tensors with gradients
        return False
    if any(len(shape) != 2 for shape in shapes):
        return False

    def fit(matrices: Sequence[tuple[int, ...]]) -> bool:
        chain = all(above[1] == below[0] for below, above in pairwise(matrices))
        return chain and all((matrix[0],) == length for matrix, length in zip(matrices, lengths, strict=True))

    return not fit(shapes) and fit([(n_in, n_out) for n_out, n_in in shapes])


def as_layer(weight: ArrayLike, bias: ArrayLike, name: str) -> DenseLayer:
    """One layer from its arrays. Raises NetworkError, with `name` ("layer 2 (hidden)"), if they do not fit."""
    weights = as_floats(weight, f"{name}: weight", NetworkError)
    if bias is None:
        raise NetworkError(
            f"{name}: bias is None. For a layer without biases give zeros: np.zeros({len(np.atleast_1d(weights))})."
        )
    biases = as_floats(bias, f"{name}: bias", NetworkError)
    if weights.ndim != 2:
        raise NetworkError(f"{name}: weight must have shape (n_out, n_in), got shape {weights.shape}.")
    if 0 in weights.shape:
        raise NetworkError(
            f"{name}: weight has shape {weights.shape}; every layer needs at least one input and one neuron."
        )
    if biases.shape != (weights.shape[0],):
        turned = (
            f" With weight of shape {weights.shape} the weights seem to stand as (n_in, n_out), as Keras, JAX and "
            "scikit-learn keep them; transpose them: [w.T for w in weights]."
        )
        raise NetworkError(
            f"{name}: bias must have shape ({weights.shape[0]},), one number a neuron, got shape {biases.shape}."
            f"{turned if biases.shape == (weights.shape[1],) else ''}"
        )
    for values, what in ((weights, "weight"), (biases, "bias")):
        if wrong := first_not_finite(values, f"{name}: {what}"):
            raise NetworkError(f"{wrong}; every weight must be finite. The network may have diverged in training.")
        values.setflags(write=False)
    return DenseLayer(weights, biases)
