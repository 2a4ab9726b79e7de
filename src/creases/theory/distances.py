"""How far inputs are from the nearest boundary of an activation region: min over neurons of |z| / ||grad z||.

The region of a point is a polytope whose facets lie on zero sets of pre-activations as they are on that region, and
redundant ones lie further off; so the minimum over all neurons with a gradient is the exact distance to its boundary
(Hanin and Rolnick 2019, Complexity of Linear Regions, lemma on distances).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.errors import NetworkError
from creases.network import Network

__all__ = ["boundary_distance", "gradient_norms"]

Floats = NDArray[np.float64]

# Numbers of the Jacobians that are held at a time.
AT_A_TIME = 10_000_000

# A gradient that is this part of the sum of the lengths it is made of, or less, is what rounding left of zero.
NOTHING = 2.0**-40


def boundary_distance(network: Network, points: ArrayLike, *, norm: float = 2.0) -> Floats:
    """Distance from each point to the nearest boundary of its activation region, in floats.

    points : shape (..., n_in) or (..., *input_shape). norm : 1, 2 or inf, how lengths of inputs are measured.
    Returns float64 of shape (...): infinity where no neuron has a gradient, 0 on a boundary.
    Raises NetworkError if the points do not fit the network, or for another norm.

    Examples
    --------
    >>> network = Network.from_arrays([[[3.0, 4.0]]], [[-5.0]], output_layer=False)
    >>> boundary_distance(network, [[0.0, 0.0], [3.0, 4.0]])
    array([1., 4.])
    """
    if norm not in (1, 2, np.inf):
        raise NetworkError(f"norm must be 1, 2 or inf, got {norm!r}.")
    flat, shape = as_rows(network, points)
    found = np.full(len(flat), np.inf)
    first = first_gradients(network, norm)
    step = at_a_time(network, first)
    for begin in range(0, len(flat), step):
        some = slice(begin, begin + step)
        for z, gradients, euclidean in forms_at(network, flat[some], first):
            lengths = dual_lengths(gradients, euclidean, norm)
            with np.errstate(divide="ignore", invalid="ignore"):
                away = np.where(lengths > 0, np.abs(z) / lengths, np.inf)
            found[some] = np.minimum(found[some], away.min(axis=1))
    return found.reshape(shape)


def gradient_norms(network: Network, points: ArrayLike, *, along: ArrayLike | None = None) -> Floats:
    """Euclidean length of every pre-activation's gradient at every point: float64 (..., N).

    along : float64 (d, n_in); only the part of each gradient that lies in the span of these rows, as on a slice with
    this basis. None for all of input space. Other arguments and errors as for `boundary_distance`.
    """
    flat, shape = as_rows(network, points)
    first = first_gradients(network, 2.0) if along is None else first_along(network, along)
    step = at_a_time(network, first)
    found = np.empty((len(flat), network.neurons))
    for begin in range(0, len(flat), step):
        some = slice(begin, begin + step)
        found[some] = np.concatenate([lengths for _, _, lengths in forms_at(network, flat[some], first)], axis=1)
    return found.reshape(*shape, network.neurons)


def as_rows(network: Network, points: ArrayLike) -> tuple[Floats, tuple[int, ...]]:
    """The points one a row, and the shape of what is said of each."""
    inputs = network.points(points)
    return np.ascontiguousarray(inputs.reshape(-1, network.n_in)), inputs.shape[:-1]


def first_gradients(network: Network, norm: float) -> Floats:
    """The gradients of the first layer (n_1, k), in coordinates of inputs in which lengths are the same.

    All gradients are combinations of these rows. Where there are fewer rows than inputs, Euclidean lengths can be taken
    in an orthonormal basis of what they span: k = n_1 numbers a gradient, not n_in.
    """
    weight = network.hidden[0].weight
    if norm == 2.0 and weight.shape[0] < weight.shape[1]:
        return np.ascontiguousarray(np.transpose(np.linalg.qr(weight.T, mode="r")))
    return weight


def first_along(network: Network, along: ArrayLike) -> Floats:
    """The first layer's gradients (n_1, d) along an orthonormal basis of the span of the rows `along` (d, n_in)."""
    rows = as_floats(along, "along", NetworkError)
    if rows.ndim != 2 or rows.shape[1] != network.n_in or not np.isfinite(rows).all():
        raise NetworkError(f"along must hold finite directions, shape (d, {network.n_in}); got shape {rows.shape}.")
    return np.asarray(network.hidden[0].weight @ np.linalg.qr(rows.T)[0])


def at_a_time(network: Network, first: Floats) -> int:
    """How many points are worked on together."""
    return max(1, AT_A_TIME // (int(first.shape[1]) * max(network.widths)))


def forms_at(network: Network, points: Floats, first: Floats) -> Iterator[tuple[Floats, Floats, Floats]]:
    """For each hidden layer pre-activations (p, n_l), their gradients (p, n_l, k) and the lengths of these (p, n_l).

    points : shape (p, n_in). first : shape (n_1, k), the gradients of the first layer.
    """
    values, jacobian, below = points, np.empty(0), np.empty(0)
    for i, layer in enumerate(network.hidden):
        z = values @ layer.weight.T + layer.bias
        gradients = np.broadcast_to(first, (len(points), *first.shape)) if i == 0 else layer.weight @ jacobian
        lengths = np.sqrt(np.einsum("pnk,pnk->pn", gradients, gradients))
        if i > 0:
            # A neuron that cancels has no boundary; what rounding leaves of its gradient would make one, at distance 0.
            nothing = (lengths <= NOTHING * (below @ np.abs(layer.weight).T)) & (lengths > 0)
            if nothing.any():
                gradients[nothing], lengths[nothing] = 0.0, 0.0
        yield z, gradients, lengths
        active = z > 0
        values, jacobian, below = np.where(active, z, 0.0), gradients * active[:, :, None], lengths * active


def dual_lengths(gradients: Floats, lengths: Floats, norm: float) -> Floats:
    """Lengths of gradients (..., n) in the norm that is dual to that of inputs: how fast a step of length 1 climbs.

    lengths : shape (...), the Euclidean ones, for norm 2.
    """
    if norm == 2.0:
        return lengths
    if norm == 1.0:
        return np.asarray(np.abs(gradients).max(axis=-1))
    return np.asarray(np.abs(gradients).sum(axis=-1))
