"""The layer of birth of each cell: the layer after which it is not cut any more.

Cells are cut out layer by layer. A cell is born with layer l if it equals the region of the first l layers that
contains it, and that of the first l - 1 is larger. As long as that region is larger than the cell, the cell ends inside
it, at a wall of a later layer; so the layer of birth is the last layer that has a wall among the cell's sides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creases.network import Network

__all__ = ["layers_of_birth", "layers_of_walls"]

Ints = NDArray[np.int64]


def layers_of_walls(network: Network, walls: Ints) -> Ints:
    """The layer of each wall, int64, counted from 1 as in `Network.layer_names`; 0 for walls of the domain.

    walls : int64, numbers as in `Complex.edges`.
    """
    ends = np.cumsum([int(places.sum()) for places in network.places], dtype=np.int64)
    own = walls >= 0
    bits = np.where(own, walls, 0) % max(network.bits, 1)
    return np.where(own, np.searchsorted(ends, bits, side="right") + 1, 0)


def layers_of_birth(network: Network, first: Ints, walls: Ints) -> Ints:
    """The layer of birth of each cell, int64 (cells,), counted from 1; 0 for a cell that is the whole domain.

    first : int64 (cells + 1,). walls : int64; the walls of cell i are walls[first[i] : first[i + 1]].
    """
    if not len(walls):  # a single cell, the whole space
        return np.zeros(len(first) - 1, np.int64)
    return np.asarray(np.maximum.reduceat(layers_of_walls(network, walls), first[:-1]))
