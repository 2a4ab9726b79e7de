"""The choice of a plane: two inputs, through data points, through the origin, at random, or along two inputs.

All but the first have an orthonormal basis, so distances on the screen are those of input space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.domain import Plane
from creases.errors import DomainError
from creases.network import Network
from creases.streams import stream
from creases.training.planes import circumcentre_square

__all__ = ["KINDS", "Chosen", "plane_of", "plane_of_domain", "usual_plane"]

Floats = NDArray[np.float64]

KINDS = ("inputs", "points", "origin", "random", "coordinates")
# The margin of a first view around the points, as a factor, and half its width if there are no points.
MARGIN, USUAL = 1.25, 1.0


@dataclass(frozen=True, eq=False)
class Chosen:
    """A plane and its initial view in the explorer.

    plane : a Plane, its basis orthonormal or as given. kind : one of `KINDS`, or "given". says : a description.
    centre, half : centre and half-width of the initial view, in the plane's coordinates; half is that of the shorter
        side.
    anchors : float64 (k, 2), the positions of the points that define it. rows : their indices in the data, -1 for the
        origin.
    code : Python code that makes `plane`, where `points` are the data.
    """

    plane: Plane
    kind: str
    says: str
    centre: tuple[float, float]
    half: float
    anchors: Floats
    rows: tuple[int, ...]
    code: str


def usual_plane(network: Network, points: Floats | None) -> Chosen:
    """The initial plane of a session: both inputs; through three data points; or along the first two inputs.

    Raises DomainError for a network with one input.
    """
    if network.n_in == 2:
        return plane_of(network, points, {"kind": "inputs"})
    if points is not None:
        for third in range(2, min(len(points), 50)):
            try:
                return plane_of(network, points, {"kind": "points", "rows": [0, 1, third]})
            except DomainError:  # the points are collinear
                continue
    return plane_of(network, points, {"kind": "coordinates", "inputs": [0, 1]})


def plane_of(network: Network, points: Floats | None, wanted: dict[str, Any]) -> Chosen:
    """The plane of a request of the explorer.

    points : float64 (m, n_in), the data, or None.
    wanted : {"kind": "inputs"} for a network of two inputs; {"kind": "points", "rows": [a, b, c]} or {"kind": "origin",
        "rows": [a, b]}, with rows of the data; {"kind": "random", "seed": 0}, through the mean of the data; {"kind":
        "coordinates", "inputs": [i, j]}, through "row" of the data if given, else through zero.
    Raises DomainError if there is no such plane.
    """
    kind = wanted.get("kind")
    if network.n_in < 2:
        raise DomainError(
            f"{network!r} has one input, and so no plane. `creases draw MODEL --segment` draws it along a line."
        )
    if kind == "inputs":
        return of_inputs(network, points)
    if kind in ("points", "origin"):
        return through_points(network, points, rows_of(points, wanted.get("rows"), 3 if kind == "points" else 2), kind)
    if kind == "random":
        return at_random(network, points, whole(wanted.get("seed", 0), "seed", 0, 2**31))
    if kind == "coordinates":
        return along_inputs(network, points, wanted)
    raise DomainError(f"A plane is one of {', '.join(KINDS)}; got {kind!r}.")


def plane_of_domain(network: Network, domain: Any) -> Chosen:
    """The plane of a Plane, or of a piece of one, which then is the initial view.

    Raises DomainError unless the domain is two-dimensional and fits the network.
    """
    sliced = getattr(domain, "slice", None)
    if sliced is None or sliced.dimension != 2:
        raise DomainError(
            f"The explorer shows planes: give a Plane, a piece of one, or a Box that holds all but two inputs fixed; "
            f"got {domain!r}."
        )
    if sliced.n_in != network.n_in:
        raise DomainError(f"{domain!r} lies in a space of {sliced.n_in} inputs, but {network!r} takes {network.n_in}.")
    plane = Plane(sliced.origin, sliced.basis, sliced.basis_tail)
    corners = getattr(domain, "vertices", None)
    ends = np.asarray(corners) if corners is not None else np.array([[-USUAL, -USUAL], [USUAL, USUAL]])
    middle, half = seen(ends)
    numbers = [plane.origin, plane.basis, *([plane.basis_tail] if np.any(plane.basis_tail) else [])]
    code = f"plane = creases.Plane({', '.join(str(np.asarray(array).tolist()) for array in numbers)})"
    return Chosen(plane, "given", repr(domain), middle, half, np.zeros((0, 2)), (), code)


def of_inputs(network: Network, points: Floats | None) -> Chosen:
    """The whole input space of two inputs."""
    if network.n_in != 2:
        raise DomainError(
            f"{network!r} has {network.n_in} inputs: choose a plane through points of the data, at random, or along "
            "two of the inputs."
        )
    middle, half = ((0.0, 0.0), USUAL) if points is None or len(points) < 2 else seen(points)
    plane = Plane(np.zeros(2), np.eye(2))
    return Chosen(
        plane,
        "inputs",
        "the two inputs",
        middle,
        half,
        np.zeros((0, 2)),
        (),
        "plane = creases.Plane([0, 0], [[1, 0], [0, 1]])",
    )


def through_points(network: Network, points: Floats | None, rows: list[int], kind: str) -> Chosen:
    """The plane through three rows of the data, or through the origin and two rows."""
    assert points is not None
    chosen = points[rows]
    if kind == "origin":
        chosen = np.vstack([np.zeros(network.n_in), chosen])
    picture = circumcentre_square(*chosen)
    plane = picture.domain.plane
    assert plane is not None
    half = float(np.abs(picture.domain.vertices).max())
    listed = ", ".join(map(str, rows))
    given = f"*points[[{listed}]]" if kind == "points" else f"0 * points[0], *points[[{listed}]]"
    says = f"through points {listed}" if kind == "points" else f"through the origin and points {listed}"
    anchors = picture.points
    return Chosen(
        plane,
        kind,
        says,
        (0.0, 0.0),
        half,
        anchors,
        (*([-1] if kind == "origin" else []), *rows),
        f"plane = creases.training.planes.circumcentre_square({given}).domain.plane",
    )


def at_random(network: Network, points: Floats | None, seed: int) -> Chosen:
    """The plane through the mean of the data, or zero, in two random directions."""
    basis = np.linalg.qr(stream("planes of the explorer", seed).standard_normal((network.n_in, 2)))[0].T
    origin = np.zeros(network.n_in) if points is None else points.mean(axis=0)
    half = USUAL
    if points is not None and len(points) > 1:
        half = MARGIN * float(np.sqrt(((points - origin) ** 2).sum(axis=1).mean())) or USUAL
    code = f"plane = creases.explore.plane_of(network, {'points' if points is not None else None}, "
    code += f"{{'kind': 'random', 'seed': {seed}}}).plane"
    plane = Plane(origin, np.ascontiguousarray(basis))
    return Chosen(plane, "random", f"at random, seed {seed}", (0.0, 0.0), half, np.zeros((0, 2)), (), code)


def along_inputs(network: Network, points: Floats | None, wanted: dict[str, Any]) -> Chosen:
    """The plane along two inputs, through a row of the data or zero."""
    inputs = wanted.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 2:
        raise DomainError(f"A plane along coordinates needs two inputs, as [0, 1]; got {inputs!r}.")
    i, j = (whole(value, "an input", 0, network.n_in) for value in inputs)
    if i == j:
        raise DomainError(f"A plane along coordinates needs two different inputs, got {i} twice.")
    row = wanted.get("row")
    through = np.zeros(network.n_in)
    if row is not None:
        (number,) = rows_of(points, [row], 1)
        through = np.array(points[number])  # type: ignore[index]
    middle = (float(through[i]), float(through[j]))
    through[[i, j]] = 0.0
    basis = np.zeros((2, network.n_in))
    basis[0, i] = basis[1, j] = 1.0
    says = f"inputs {i} and {j}" + ("" if row is None else f" through point {row}")
    anchors = np.zeros((0, 2)) if row is None else np.array([middle])
    rows = () if row is None else (int(row),)
    asked = {"kind": "coordinates", "inputs": [i, j], **({} if row is None else {"row": int(row)})}
    code = f"plane = creases.explore.plane_of(network, {'points' if row is not None else None}, {asked}).plane"
    return Chosen(Plane(through, basis), "coordinates", says, middle, USUAL, anchors, rows, code)


def seen(places: Floats) -> tuple[tuple[float, float], float]:
    """The centre of points, float64 (m, 2), and half the side of a square that contains them."""
    low, high = places.min(axis=0), places.max(axis=0)
    middle = (low + high) / 2
    half = float((high - low).max()) / 2 or USUAL
    return (float(middle[0]), float(middle[1])), half


def rows_of(points: Floats | None, rows: Any, number: int) -> list[int]:
    """Rows of the data, as a list. Raises DomainError if there are no data, or not this number of different rows."""
    if points is None:
        raise DomainError(
            "This plane goes through points of the data, and none were given: creases explore MODEL POINTS."
        )
    if not isinstance(rows, list) or len(rows) != number:
        raise DomainError(f"This plane needs {number} rows of the data, got {rows!r}.")
    found = [whole(row, "a row of the data", 0, len(points)) for row in rows]
    if len(set(found)) < number:
        raise DomainError(f"This plane needs {number} different rows of the data, got {found}.")
    return found


def whole(value: Any, what: str, least: int, past: int) -> int:
    """An integer in [least, past). Raises DomainError, with `what`, otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < past:
        raise DomainError(f"{what} is a whole number from {least} to {past - 1}; got {value!r}.")
    return value
