"""Initial networks that are not drawn from a distribution: constructions, with noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.streams import stream
from creases.theory.constructions import perturb, sawtooth
from creases.training import TrainingError
from creases.training.initialisations import check_scale
from creases.training.networks import chain_of

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Sawtooth"]


@dataclass(frozen=True)
class Sawtooth:
    """Telgarsky's sawtooth, as deep as there are hidden layers, with noise N(0, noise^2) on every weight and bias.

    noise : finite, at least 0. Without noise every number is exact in float32 and there are 2^depth pieces on [0, 1].
    """

    noise: float = 0.0

    def __post_init__(self) -> None:
        check_scale(self.noise, "noise")

    def build(self, widths: Sequence[int], seed: int, inputs: NDArray[np.float32] | None = None) -> nn.Sequential:
        """A torch chain with one output, whatever the number of outputs in `widths`: regions depend on hidden neurons
        only.

        Raises TrainingError unless there is one input and every hidden layer has two neurons.
        """
        if widths[0] != 1 or len(widths) < 3 or any(width != 2 for width in widths[1:-1]):
            raise TrainingError(f"A sawtooth has one input and two neurons in each hidden layer; got widths {widths}.")
        network = perturb(sawtooth(len(widths) - 2), self.noise, stream("noise on a construction", seed))
        assert network.output is not None
        return chain_of([(layer.weight, layer.bias) for layer in (*network.hidden, network.output)])
