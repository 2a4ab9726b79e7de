"""Small and large squares in the planes of the papers: choices of domains, as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from creases.domain import Domain, Plane
from creases.paper.choices import DomainChoice, ExamplePlanes, OriginPlanes
from creases.training import Task, circumcentre_square

__all__ = ["ExampleSquares", "OriginSquares", "half_width_of"]

# Separates the name of a plane from the half-width of a square in it.
HALF_WIDTH = ", half-width "


@dataclass(frozen=True)
class OriginSquares:
    """Squares around the origin in the planes of `OriginPlanes`.

    half_widths : in units of the plane's basis vectors, which are 1.25 times as long as the larger of its two examples:
        0.8 is the norm of that example, and the square of size 1 contains both. count : number of planes.
    """

    half_widths: tuple[float, ...]
    count: int = 5

    def build(self, task: Task) -> dict[str, Domain]:
        """See `DomainChoice`."""
        return {
            f"{name}{HALF_WIDTH}{half:g}": plane.square(half)
            for name, plane in planes_of(OriginPlanes(self.count), task)
            for half in self.half_widths
        }


@dataclass(frozen=True)
class ExampleSquares:
    """Squares around the three examples in the planes of `ExamplePlanes`: about their circumcentre.

    half_widths : in units of 1.25 circumradii: 1 is the square in the papers' figures. count : number of planes.
    """

    half_widths: tuple[float, ...]
    count: int = 5

    def build(self, task: Task) -> dict[str, Domain]:
        """See `DomainChoice`."""
        found: dict[str, Domain] = {}
        for name, plane in planes_of(ExamplePlanes(self.count), task):
            drawn = circumcentre_square(*plane.slice.points([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])).domain
            # In the coordinates of the whole plane, so the square is a part of that domain.
            corners = plane.slice.coordinates(drawn.slice.points(drawn.vertices))
            centre = corners.mean(axis=0)
            for half in self.half_widths:
                found[f"{name}{HALF_WIDTH}{half:g}"] = plane.polygon(centre + half * (corners - centre))
        return found


def planes_of(choice: DomainChoice, task: Task) -> Iterator[tuple[str, Plane]]:
    """The planes of a choice of planes, each with its name."""
    for name, plane in choice.build(task).items():
        if isinstance(plane, Plane):
            yield name, plane


def half_width_of(name: str) -> float:
    """The half-width of the square with this name, in the units of its choice; infinite for the name of a whole
    plane."""
    _, _, half = name.partition(HALF_WIDTH)
    return float(half) if half else inf
