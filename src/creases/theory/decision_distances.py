"""Distances of inputs to the nearest decision boundary: lower and upper bounds, which are equal if it is near.

Within the region of a point the outputs are affine, so the boundary between classes a and j is the hyperplane z_a = z_j
there. Let d be the distance to the nearest of these, where a is the point's class, and r the distance to the boundary
of the region. The ball of radius min(d, r) lies in the region and has one class. If d <= r, the foot of the
perpendicular to the hyperplane lies in the closed region, and d is the distance. Otherwise r is a lower bound, even if
the foot lies in the region, because beyond a nearer wall the decision boundary may turn towards the point. If d = r,
the outputs may be equal on everything beyond the wall, as behind a ReLU, and the class does not change; this case is
checked by evaluating the network there.

The distance to any point of another class is an upper bound, because the largest output must change on the way. Such
points are searched along the normals of the nearest hyperplanes, and on the way to the nearest given point of another
class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.memory import enough_memory
from creases.network import Network
from creases.theory.distances import LESS, as_rows
from creases.theory.forms import Forms, Walk, all_directions

__all__ = ["DecisionDistances", "decision_distance"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The number of hyperplanes along whose normals the search goes, and its reach in multiples of the distance to the
# hyperplane.
NORMALS = 3
FARTHEST = 2.0**12
# The search starts at this multiple of the distance, in case rounding leaves the foot on the near side.
BEYOND = 1.0 + 2.0**-30
# Distances with a smaller relative difference may be equal.
LIKE = 2.0**-24
# Halvings after which an interval cannot be shorter in floats.
HALVINGS = 60


class DecisionDistances(NamedTuple):
    """Euclidean distances of points to the nearest decision boundary.

    lower : float64 (...), lower bounds; infinite if there is no boundary.
    upper : float64 (...), upper bounds; infinite if no boundary was found.
    exact : bool (...), whether both bounds are the distance, because it is at most the distance to the boundary of the
        point's region; also True if there is no boundary at all.
    """

    lower: Floats
    upper: Floats
    exact: Bools


def decision_distance(network: Network, points: ArrayLike) -> DecisionDistances:
    """Bounds on the Euclidean distance of each point to the decision boundary, in floating-point arithmetic.

    network : any network, a chain or a graph. The class is the largest output; for one output, whether it is above 0.
    points : shape (..., n_in) or (..., *input_shape), in the units of the network's inputs, as are distances. The
        nearest point of another class gives an upper bound too, so upper bounds may be lower with more points.
    Where `exact` is False, `lower` is the distance to the boundary of the point's activation region. `upper` is the
    nearest change of class found along the normals of three hyperplanes, the nearest ones between the point's class and
    others in its region, and on the segment to the nearest point of another class.
    Returns a `DecisionDistances`. Raises NetworkError if the points do not fit the network; NotEnoughMemoryError if the
    derivatives do not fit into memory.

    See Also
    --------
    boundary_distance : to the nearest boundary of the activation region.

    Examples
    --------
    >>> network = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [-2.0]])  # |x| - 2
    >>> found = decision_distance(network, [[1.5], [0.5]])
    >>> found.lower, found.upper.round(6), found.exact
    (array([0.5, 0.5]), array([0.5, 1.5]), array([ True, False]))
    """
    flat, shape = as_rows(network, points)
    decider = network.with_level_set() if network.n_out == 1 else network.with_argmax()
    lower, upper, exact = np.full(len(flat), np.inf), np.full(len(flat), np.inf), np.zeros(len(flat), np.bool_)
    with enough_memory("Distances to decision boundaries", LESS):
        walk = Walk(decider, all_directions(decider, euclidean=True))
        for begin in range(0, len(flat), walk.at_a_time):
            some = slice(begin, begin + walk.at_a_time)
            lower[some], upper[some], exact[some] = around(decider, walk, flat[some])
        left = np.flatnonzero(~exact)
        upper[left] = np.minimum(upper[left], towards_others(decider, flat, left))
    # Corrects rounding: there is no change of class within the distance to the region's boundary.
    upper = np.where(exact, lower, np.maximum(upper, lower))
    return DecisionDistances(lower.reshape(shape), upper.reshape(shape), exact.reshape(shape))


def around(decider: Network, walk: Walk, points: Floats) -> tuple[Floats, Floats, Bools]:
    """The bounds for some points from their own regions and along normals: lower, upper, exact."""
    region = np.full(len(points), np.inf)
    for number, forms in enumerate(walk.at(points), 1):
        away, normals = distances_of(forms)
        if number < decider.depth:  # the last layer is the switch over the outputs
            region = np.minimum(region, away.min(axis=1, initial=np.inf))
    nearest = away.min(axis=1, initial=np.inf)
    exact = nearest <= region
    exact[exact] = nearest[exact] * (1.0 + LIKE) < region[exact]
    touching = np.flatnonzero((nearest <= region * (1.0 + LIKE)) & ~exact & np.isfinite(nearest))
    steps = normals[touching, :, away[touching].argmin(axis=1)] @ walk.directions
    places = points[touching] + (nearest[touching] * (1.0 + 2.0 * LIKE))[:, None] * steps
    exact[touching] = classes_at(decider, places) != classes_at(decider, points[touching])
    exact |= np.isinf(nearest) & np.isinf(region)
    upper = np.where(exact, nearest, np.inf)
    for place in np.argsort(away, axis=1)[:, :NORMALS].T:
        rows = np.arange(len(points))
        start = away[rows, place]
        left = np.flatnonzero(~exact & np.isfinite(start))
        steps = normals[left, :, place[left]] @ walk.directions
        upper[left] = np.minimum(upper[left], along(decider, points[left], steps, start[left]))
    return np.minimum(nearest, region), upper, exact


def distances_of(forms: Forms) -> tuple[Floats, Floats]:
    """Distances to a layer's walls, (p, w), infinite for walls without a gradient; and the unit vectors towards them,
    in the coordinates of the directions, (p, k, w)."""
    distances, towards = [], []
    for heights, gradients, lengths in forms.walls():
        with np.errstate(divide="ignore", invalid="ignore"):
            distances.append(np.where(lengths > 0, np.abs(heights) / lengths, np.inf))
            units = np.where((lengths > 0)[:, None, :], gradients / lengths[:, None, :], 0.0)
        towards.append(-np.where(heights < 0, -1.0, 1.0)[:, None, :] * units)
    return np.concatenate(distances, axis=1), np.concatenate(towards, axis=2)


def along(decider: Network, points: Floats, steps: Floats, start: Floats) -> Floats:
    """The distance to a change of class along unit steps, float64 (p,); infinite if none is found.

    start : the first distance that is tried; then twice that distance, and so on.
    """
    own, ends = classes_at(decider, points), np.full(len(points), np.inf)
    far = 1.0
    while far <= FARTHEST:
        left = np.flatnonzero(np.isinf(ends) & (start > 0))
        if not len(left):
            break
        away = start[left] * (far * BEYOND)
        changed = classes_at(decider, points[left] + away[:, None] * steps[left]) != own[left]
        ends[left[changed]] = away[changed]
        far *= 2.0
    found = np.flatnonzero(np.isfinite(ends))
    ends[found] = halved(decider, points[found], steps[found], ends[found], own[found])
    ends[start == 0] = 0.0
    return ends


def halved(decider: Network, points: Floats, steps: Floats, ends: Floats, own: Ints) -> Floats:
    """A nearer distance than `ends`, at which the class differs from the point's own, by bisection."""
    low, high = np.zeros(len(points)), ends.copy()
    for _ in range(HALVINGS if len(points) else 0):
        middle = (low + high) / 2.0
        changed = classes_at(decider, points + middle[:, None] * steps) != own
        low, high = np.where(changed, low, middle), np.where(changed, middle, high)
    return high


def towards_others(decider: Network, points: Floats, left: Ints) -> Floats:
    """The distance to a change of class on the way to the nearest point of another class, float64 (left,)."""
    from scipy.spatial import KDTree

    classes, lengths = classes_at(decider, points), np.full(len(left), np.inf)
    for label in np.unique(classes[left]).tolist():
        mine, others = np.flatnonzero(classes[left] == label), points[classes != label]
        if not len(others):
            continue
        distances, places = KDTree(others).query(points[left[mine]])
        here = points[left[mine]]
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = (others[places] - here) / distances[:, None]
        lengths[mine] = halved(decider, here, steps, distances, classes[left[mine]])
    return lengths


def classes_at(decider: Network, points: Floats) -> Ints:
    """The class at each point, int64 (p,)."""
    return np.asarray(decider.pattern(points)[-1][:, 0], dtype=np.int64)
