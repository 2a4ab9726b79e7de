"""Piecewise-linear networks: levels, kinks, operators, evaluation, building, hashing and saving.

`network` has the class `Network`; `levels`, `kinks` and `operators` have its parts; `chain` is about networks of dense
layers, `saving` about hashes and files; `builder` (`creases.build`) builds a network in a few lines.
"""

from __future__ import annotations

from creases.network.chain import DenseLayer
from creases.network.kinks import Abs, Clip, Kink, LeakyReLU, Linear, Max, ReLU, Slopes
from creases.network.levels import Level
from creases.network.network import Network
from creases.network.operators import AveragePool, Conv, ConvTranspose, Dense, Divide, Operator, Scale, Select, Sparse
from creases.network.saving import FORMAT, GRAPH_FORMAT, Normalisation

__all__ = [
    "FORMAT",
    "GRAPH_FORMAT",
    "Abs",
    "AveragePool",
    "Clip",
    "Conv",
    "ConvTranspose",
    "Dense",
    "DenseLayer",
    "Divide",
    "Kink",
    "LeakyReLU",
    "Level",
    "Linear",
    "Max",
    "Network",
    "Normalisation",
    "Operator",
    "ReLU",
    "Scale",
    "Select",
    "Slopes",
    "Sparse",
]
