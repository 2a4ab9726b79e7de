"""The planes on which the papers count: through the origin and two examples, or through three examples.

Source: Hanin and Rolnick 2019, section 3.1 and 3.2. A `Plane` is the whole plane, so the count needs no
window; the papers take a square of forty times its size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.domain import Plane, Polygon
from creases.domain.slice import as_point
from creases.errors import DomainError
from creases.streams import stream
from creases.training.errors import TrainingError
from creases.training.tasks import Task

__all__ = [
    "Picture",
    "circumcentre_square",
    "picture_square",
    "plane_through_origin_and",
    "planes_through_examples",
    "planes_through_origin",
]

Floats = NDArray[np.float64]

REACH = 1.25  # the papers' factor on the length of the larger example, or on the circumradius
NEARLY_PARALLEL = 1e-7  # sine of an angle that cannot be distinguished from zero in float32 data
ATTEMPTS = 100


class Picture(NamedTuple):
    """A square in a plane through three points, for pictures.

    domain : the square. The basis of its plane is orthonormal, so distances in the picture are those in input space.
    points : float64, shape (3, 2), the three points in the plane's coordinates.
    """

    domain: Polygon
    points: Floats


def plane_through_origin_and(a: ArrayLike, b: ArrayLike) -> Plane:
    """The plane through 0, a and b, in the coordinates of Hanin and Rolnick (2019).

    a, b : shape (n_in,) or the network's input shape.
    Returns the Plane with origin 0 and basis v1, v2: v1 is 1.25 times the longer of the two points; v2 is perpendicular
    to it, of the same length, on the side of the shorter point. v2 is rounded to float64, so the shorter point lies in
    the plane only up to rounding errors.
    Raises DomainError if the points and 0 are collinear, or so nearly that the plane would depend on rounding errors.
    Source: Hanin and Rolnick 2019, section 3.2.

    Examples
    --------
    >>> plane_through_origin_and([0.0, 4.0], [1.0, 1.0]).basis.tolist()
    [[0.0, 5.0], [5.0, 0.0]]
    """
    long, short = as_points((a, "a"), (b, "b"))
    if short @ short > long @ long:
        long, short = short, long
    first = REACH * long
    second = perpendicular(short, long, "0, a and b") * np.linalg.norm(first)
    return Plane(np.zeros_like(first), np.array([first, second]))


def planes_through_origin(task: Task, count: int, seed: int = 0) -> list[Plane]:
    """A list of `count` planes, each through the origin and two different random training examples.

    The same task and seed give the same planes, and a larger `count` begins with the same planes.
    Raises TrainingError if count < 1 or the examples span no plane.
    Source: Hanin and Rolnick 2019, section 3.2: five planes, shared by all networks.
    """
    return drawn(task, count, 2, seed, plane_through_origin_and, "planes through the origin")


def planes_through_examples(task: Task, count: int, seed: int = 0) -> list[Plane]:
    """A list of `count` planes, each through three different random training examples.

    The examples have the coordinates u = (0, 0), (1, 0) and (0, 1), exactly. The same task and seed give the same
    planes.
    Raises TrainingError if count < 1 or the examples span no plane.
    """
    return drawn(task, count, 3, seed, Plane.through, "planes through examples")


def circumcentre_square(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> Picture:
    """The square around three points, as in the figures of Hanin and Rolnick (2019).

    a, b, c : shape (n_in,) or the network's input shape.
    Returns a `Picture`: the square of half-side 1.25 circumradii around the circumcentre, which has coordinates u = (0,
    0), with b - a along the first axis; and the coordinates of the points, which have the same distance from it.
    Raises DomainError if the points are collinear, or nearly.
    Source: Hanin and Rolnick 2019, figures of regions in a plane through three examples.

    Examples
    --------
    >>> picture = circumcentre_square([0.0, 0.0], [2.0, 0.0], [0.0, 2.0])
    >>> picture.points.tolist()
    [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]
    """
    start, second, third = as_points((a, "a"), (b, "b"), (c, "c"))
    base, side = second - start, third - start
    length = np.linalg.norm(base)
    if length == 0:
        raise DomainError("The points a and b are equal; three points not in a line are needed.")
    along = base / length
    across = perpendicular(side, along, "a, b and c")
    x, y = side @ along, side @ across
    centre = np.array([length / 2, (x * x + y * y - length * x) / (2 * y)])
    plane = Plane(start + centre @ np.array([along, across]), np.array([along, across]))
    points = np.array([[0.0, 0.0], [length, 0.0], [x, y]]) - centre
    return Picture(plane.square(REACH * float(np.linalg.norm(centre))), points)


def picture_square(task: Task, labels: Sequence[int] = (0, 1, 2)) -> Picture:
    """The `circumcentre_square` of the first training examples of three labels.

    Raises TrainingError if there are not three labels or one has no example.
    """
    if len(labels) != 3:
        raise TrainingError(f"A plane needs three examples, so three labels; got {list(labels)}.")
    for label in labels:
        if label not in task.train_labels:
            raise TrainingError(f"{task!r} has no training example with label {label}.")
    a, b, c = (task.train_inputs[int(np.argmax(task.train_labels == label))] for label in labels)
    return circumcentre_square(a, b, c)


def as_points(*named: tuple[ArrayLike, str]) -> list[Floats]:
    """Named points as float64 arrays. Raises DomainError if they do not lie in the same space."""
    points = [as_point(values, name) for values, name in named]
    if len({point.size for point in points}) > 1:
        sizes = ", ".join(str(point.size) for point in points)
        raise DomainError(f"The points must be of one space, got {sizes} coordinates.")
    return points


def perpendicular(vector: Floats, axis: Floats, names: str) -> Floats:
    """The unit vector perpendicular to `axis` on the side of `vector`, in their plane."""
    square = axis @ axis
    rest = vector - (vector @ axis / square) * axis if square > 0 else 0.0 * vector
    rest = rest - (rest @ axis / square) * axis if square > 0 else rest  # two passes are enough (Kahan; Parlett 1980)
    length = np.linalg.norm(rest)
    if length <= NEARLY_PARALLEL * np.linalg.norm(vector):
        raise DomainError(f"The points {names} lie in a line, or too nearly so; choose others.")
    return np.asarray(rest / length)


def drawn(task: Task, count: int, examples: int, seed: int, make: Callable[..., Plane], use: str) -> list[Plane]:
    """`count` planes, each through this many random training examples; if some span no plane, others are drawn."""
    if count < 1:
        raise TrainingError(f"Give a count of at least one plane, got {count}.")
    if len(task.train_inputs) < examples:
        raise TrainingError(f"{task!r} has fewer than the {examples} training examples that a plane needs.")
    rng = stream(use, seed)
    planes: list[Plane] = []
    failures = 0
    while len(planes) < count:
        chosen = rng.choice(len(task.train_inputs), size=examples, replace=False)
        try:
            planes.append(make(*task.train_inputs[chosen]))
            failures = 0
        except DomainError as error:
            failures += 1
            if failures == ATTEMPTS:
                raise TrainingError(
                    f"{ATTEMPTS} draws of {examples} training examples of {task!r} spanned no plane. {error}"
                ) from error
    return planes
