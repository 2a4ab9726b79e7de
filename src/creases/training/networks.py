"""Networks before training: He initialisation, with the same numbers on every machine."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from math import isfinite, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.streams import stream
from creases.training.errors import TrainingError, need_torch

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NORM_EPS", "as_widths", "chain_of", "he_network"]

Floats = NDArray[np.float64]

# torch's BatchNorm adds this to a variance before it divides by its square root.
NORM_EPS = 1e-5


def he_network(
    widths: Sequence[int], seed: int = 0, *, weight_scale: float = 1.0, bias_std: float = 1e-3
) -> nn.Sequential:
    """A torch chain Linear, ReLU, ..., Linear at He initialisation, in float32 on the CPU.

    widths : number of inputs, neurons of each hidden layer, number of outputs: [784, 32, 32, 32, 10] has three hidden
        layers.
    seed : seed of weights and biases. torch's random generator is neither used nor changed.
    weight_scale : a factor on every weight; 1 gives the variance of He et al., 2 / fan-in.
    bias_std : standard deviation of the biases; 0 makes them zero.
    The output layer is drawn like the others.
    Raises MissingExtraError if torch is not installed, TrainingError if there is no hidden layer or a number is out of
    its range.

    Layer by layer, numpy's default_rng(seed) draws W = standard_normal((n_out, n_in)) sqrt(2 / n_in) weight_scale, then
    b = standard_normal(n_out) bias_std, in float64; each number is rounded once to float32. Source: He et al. 2015;
    Hanin and Rolnick 2019, section 3.2 (biases of variance 1e-6).

    Examples
    --------
    >>> he_network([2, 3, 1], seed=0)
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    """
    sizes = as_widths(widths)
    for value, name in ((weight_scale, "weight_scale"), (bias_std, "bias_std")):
        if not (isfinite(value) and value >= 0):
            raise TrainingError(f"{name} must be finite and at least 0, got {value}.")
    rng = stream("network", seed)
    layers = []
    for n_in, n_out in pairwise(sizes):
        weight = rng.standard_normal((n_out, n_in)) * sqrt(2 / n_in) * weight_scale
        layers.append((weight, rng.standard_normal(n_out) * bias_std))
    return chain_of(layers)


def chain_of(
    layers: Sequence[tuple[Floats, Floats]], *, statistics: Sequence[tuple[Floats, Floats]] | None = None
) -> nn.Sequential:
    """A torch chain Linear, ReLU, ..., Linear with these weights and biases, rounded to float32, on the CPU.

    layers : weight of shape (n_out, n_in) and bias of shape (n_out,), first layer first.
    statistics : for each hidden layer, the running mean and variance, each of shape (n_out,), of a BatchNorm1d before
        its ReLU, with scale 1 and shift 0; None for no BatchNorm.
    Raises MissingExtraError if torch is not installed.
    """
    need_torch("Training")
    import torch
    from torch import nn

    modules: list[nn.Module] = []
    for i, (weight, bias) in enumerate(layers):
        n_out, n_in = weight.shape
        # Not nn.Linear(n_in, n_out): it would draw its own weights from torch's global generator.
        linear = nn.utils.skip_init(nn.Linear, n_in, n_out, dtype=torch.float32)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.astype(np.float32)))
            linear.bias.copy_(torch.from_numpy(bias.astype(np.float32)))
        modules.append(linear)
        if i == len(layers) - 1:
            break
        if statistics is not None:
            modules.append(norm_with(*statistics[i]))
        modules.append(nn.ReLU())
    return nn.Sequential(*modules)


def norm_with(mean: Floats, variance: Floats) -> nn.BatchNorm1d:
    """torch's default BatchNorm1d with these running statistics, each of shape (neurons,)."""
    import torch
    from torch import nn

    norm = nn.BatchNorm1d(len(mean), eps=NORM_EPS)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.copy_(torch.from_numpy(mean.astype(np.float32)))
    norm.running_var.copy_(torch.from_numpy(variance.astype(np.float32)))
    return norm


def as_widths(widths: Sequence[int]) -> list[int]:
    """Numbers of inputs, of neurons in each hidden layer and of outputs as ints. Raises TrainingError if they are
    invalid."""
    try:
        sizes = [operator.index(width) for width in widths]
    except TypeError:
        sizes = []
    if len(sizes) < 3 or min(sizes) < 1:
        raise TrainingError(
            "widths must be whole numbers of at least 1: the inputs, the neurons of one or more hidden layers, "
            f"the outputs, as in [784, 32, 32, 10]; got {widths!r}."
        )
    return sizes
