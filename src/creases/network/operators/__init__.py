"""Linear maps between the values of two levels; each file is about one kind."""

from __future__ import annotations

from creases.network.operators.convolution import Conv, ConvTranspose
from creases.network.operators.operator import Operator
from creases.network.operators.plain import Dense, Divide, Scale, Select, Sparse
from creases.network.operators.pooling import AveragePool

__all__ = [
    "OPERATORS",
    "AveragePool",
    "Conv",
    "ConvTranspose",
    "Dense",
    "Divide",
    "Operator",
    "Scale",
    "Select",
    "Sparse",
]

# By their names in files and hashes.
OPERATORS: dict[str, type[Operator]] = {
    kind.__name__: kind for kind in (AveragePool, Conv, ConvTranspose, Dense, Divide, Scale, Select, Sparse)
}
