"""The distance of inputs to the nearest boundary of an activation region: min over walls of |height| / ||gradient||.

The region of a point is a polytope whose facets lie on the zero sets of the pre-activations as affine functions on that
region; redundant ones are farther away. So the minimum over all neurons with a gradient is the exact distance to its
boundary (Hanin and Rolnick 2019, Complexity of Linear Regions, lemma on distances). This holds for every network whose
regions are convex: a clip has two walls, and a switch has one between its winner and each other candidate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import NetworkError
from creases.memory import enough_memory
from creases.network import Network
from creases.theory.forms import Walk, all_directions, directions_along

__all__ = ["boundary_distance", "gradient_norms"]

Floats = NDArray[np.float64]

LESS = "Take fewer directions (along=), or a network of fewer inputs."


def boundary_distance(network: Network, points: ArrayLike, *, norm: float = 2.0) -> Floats:
    """The distance from each point to the boundary of its activation region, in floating-point arithmetic.

    network : any network, a chain or a graph. A boundary is where a neuron's pre-activation vanishes, where the sum of
        a clip equals one of its bounds, or where the winner of a switch equals another candidate, unless they are equal
        on the whole region.
    points : shape (..., n_in) or (..., *input_shape). norm : 1, 2 or inf, the norm on inputs.
    Returns float64 of shape (...): infinity if no pre-activation has a gradient, 0 on a boundary.
    Raises NetworkError if the points do not fit the network, or the norm is another one; NotEnoughMemoryError if the
    derivatives do not fit into memory.

    Examples
    --------
    >>> network = Network.from_arrays([[[3.0, 4.0]]], [[-5.0]], output_layer=False)
    >>> boundary_distance(network, [[0.0, 0.0], [3.0, 4.0]])
    array([1., 4.])
    """
    if norm not in (1, 2, np.inf):
        raise NetworkError(f"norm must be 1, 2 or inf, got {norm!r}.")
    flat, shape = as_rows(network, points)
    distances = np.full(len(flat), np.inf)
    with enough_memory("Distances to boundaries", LESS):
        walk = Walk(network, all_directions(network, euclidean=norm == 2))
        step = walk.at_a_time
        for begin in range(0, len(flat), step):
            some = slice(begin, begin + step)
            for forms in walk.at(flat[some]):
                for heights, gradients, euclidean in forms.walls():
                    lengths = dual_lengths(gradients, euclidean, norm)
                    with np.errstate(divide="ignore", invalid="ignore"):
                        away = np.where(lengths > 0, np.abs(heights) / lengths, np.inf)
                    distances[some] = np.minimum(distances[some], away.min(axis=1))
    return distances.reshape(shape)


def gradient_norms(network: Network, points: ArrayLike, *, along: ArrayLike | None = None) -> Floats:
    """The Euclidean norms of the gradients of all pre-activations at every point: float64 (..., N).

    network : any network, a chain or a graph; N is `network.neurons`. The two neurons of a clip have the same norm; all
        low bounds of a layer come first, then all high ones. For a switch it is the largest norm of its candidates'
        gradients, as in the bounds of Tseran and Montúfar (2021) for maxout.
    along : float64 (d, n_in); gradients are projected onto the span of these rows, as on a slice with this basis. None
        for all of input space.
    Other arguments and errors as for `boundary_distance`.
    """
    flat, shape = as_rows(network, points)
    norms = np.empty((len(flat), network.neurons))
    with enough_memory("Gradients", LESS):
        along_all = along is None
        directions = all_directions(network, euclidean=True) if along_all else directions_along(network, along)  # type: ignore[arg-type]
        walk = Walk(network, directions)
        step = walk.at_a_time
        for begin in range(0, len(flat), step):
            some, start = slice(begin, begin + step), 0
            for forms in walk.at(flat[some]):
                lengths = forms.neuron_lengths()
                norms[some, start : start + lengths.shape[1]] = lengths
                start += lengths.shape[1]
    return norms.reshape(*shape, network.neurons)


def as_rows(network: Network, points: ArrayLike) -> tuple[Floats, tuple[int, ...]]:
    """The points as rows, and the shape of a result with one entry per point."""
    inputs = network.points(points)
    return np.ascontiguousarray(inputs.reshape(-1, network.n_in)), inputs.shape[:-1]


def dual_lengths(gradients: Floats, lengths: Floats, norm: float) -> Floats:
    """Lengths of gradients (p, k, n) in the dual norm of the inputs' norm: the largest increase over a step of length
    1.

    lengths : shape (p, n), the Euclidean lengths, for norm 2.
    """
    if norm == 2.0:
        return lengths
    if norm == 1.0:
        return np.asarray(np.abs(gradients).max(axis=1))
    return np.asarray(np.abs(gradients).sum(axis=1))
