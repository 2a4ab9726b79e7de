"""What the engine is given: one network and one domain as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.graph import Graph

__all__ = ["FIRST_WALL", "INFINITY", "Floats", "IntegerPolytope", "Ints", "Pattern", "Problem"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Pattern = list[NDArray[np.bool_]]  # of one region: for each layer, which neurons are active

# Names of a cell's walls that are no neurons: infinity, and the domain's own, counted down from FIRST_WALL.
INFINITY, FIRST_WALL = -1, -2


class IntegerPolytope(NamedTuple):
    """A bounded convex domain, exactly.

    rays : corners in homogeneous coordinates, whole numbers, the last one positive.
    walls : inward forms, whole numbers. masks : for each corner, bit i if it lies on wall i.
    In one or two dimensions the corners are in order, from low to high or counter-clockwise, and wall i begins at
    corner i.
    """

    rays: tuple[tuple[int, ...], ...]
    walls: tuple[tuple[int, ...], ...]
    masks: tuple[int, ...]


class Problem(NamedTuple):
    """A network on the slice u -> origin + sum_i u_i (basis[i] + basis_tail[i]).

    graph : the network's levels, as far as they cut anything.
    origin : float64, shape (n_in,). basis, basis_tail : float64, shape (d, n_in).
    vertices : float64, shape (v, d), the convex domain's corners in u, counter-clockwise; an IntegerPolytope
        for d >= 3, and where floats do not hold them; None for all of R^d.
    directions : True for the sphere of directions of all of R^d: the cones that are left far out, where biases do not
        count.
    """

    graph: Graph
    origin: Floats
    basis: Floats
    basis_tail: Floats
    vertices: Floats | IntegerPolytope | None
    directions: bool = False

    @property
    def frame(self) -> Floats:
        """The chart in which cells have the domain's own homogeneous coordinates: float64 (d + 1, k)."""
        frame = np.eye(len(self.basis) + 1)
        return frame[:, :-1] if self.directions else frame

    @property
    def size(self) -> float:
        """The largest coordinate of a bounded domain's corners, rounded, and positive; 0.0 for all of R^d."""
        if self.vertices is None:
            return 0.0
        if isinstance(self.vertices, IntegerPolytope):
            return max(2.0**-1074, *(abs(x / ray[-1]) for ray in self.vertices.rays for x in ray[:-1]))
        return float(np.abs(self.vertices).max())

    @property
    def dimension(self) -> int:
        """d, the dimension of the slice; cells have as many, but those of directions one less."""
        return len(self.basis)

    @property
    def widths(self) -> list[int]:
        """Neurons or candidates of each layer."""
        return self.graph.widths

    @property
    def depth(self) -> int:
        """Layers."""
        return len(self.graph.layers)
