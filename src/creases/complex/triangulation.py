"""Cut cells into simplices, by their faces alone.

Of each face its lowest vertex is joined to the simplices of those faces of one dimension less on its boundary that do
not have it (Stanley 1980, pulling vertices one after the other).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creases.complex.faces import Lattice
from creases.engine.answers.sides import spans

__all__ = ["simplices_of"]

Ints = NDArray[np.int64]


def simplices_of(lattice: Lattice) -> Ints:
    """The vertices of simplices that make up all cells, int64 (simplices, d + 1); all cells are bounded."""
    owners = np.arange(len(lattice.levels[0]))
    simplices = lattice.levels[0].vertices[:, None]
    for faces, boundary, below in zip(lattice.levels[1:], lattice.boundaries[1:], lattice.levels, strict=False):
        pairs = np.repeat(np.arange(len(faces)), np.diff(boundary.first))
        lowest = faces.vertices[faces.first[pairs]]
        # Vertices are in ascending order, and the lowest of all is the lowest of what has it.
        without = below.vertices[below.first[boundary.values]] != lowest
        pairs, parts, lowest = pairs[without], boundary.values[without], lowest[without]
        begins = np.searchsorted(owners, np.arange(len(below) + 1))
        sizes = np.diff(begins)[parts]
        chosen = spans(begins[parts], sizes)
        simplices = np.column_stack([np.repeat(lowest, sizes), simplices[chosen]])
        owners = np.repeat(pairs, sizes)
    return simplices
