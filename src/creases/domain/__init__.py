"""Domains, on which regions are counted: segments, paths, circles, lines, polygons, planes, boxes, simplices,
polytopes, balls, whole spaces, subspaces, and directions.
"""

from __future__ import annotations

from typing import Any

from creases.domain.ball import Ball
from creases.domain.box import Box
from creases.domain.circle import Circle
from creases.domain.directions import Directions
from creases.domain.line import Line, Polyline, Segment
from creases.domain.plane import Plane, Polygon
from creases.domain.polytope import Polytope, Simplex
from creases.domain.slice import Slice
from creases.domain.space import Space
from creases.domain.subspace import Subspace
from creases.errors import DomainError

__all__ = [
    "Ball",
    "Box",
    "Circle",
    "Directions",
    "Domain",
    "Line",
    "Plane",
    "Polygon",
    "Polyline",
    "Polytope",
    "Segment",
    "Simplex",
    "Slice",
    "Space",
    "Subspace",
    "domain_from_dict",
]

Domain = (
    Segment
    | Polyline
    | Circle
    | Line
    | Polygon
    | Plane
    | Box
    | Simplex
    | Polytope
    | Ball
    | Space
    | Subspace
    | Directions
)


def domain_from_dict(data: dict[str, Any]) -> Domain:
    """The domain from the output of its `to_dict`. Raises DomainError if its kind is unknown."""
    fields = {key: value for key, value in data.items() if key != "kind"}
    kinds: dict[str, Any] = {
        "segment": Segment,
        "polyline": Polyline,
        "line": Line,
        "plane": Plane,
        "box": Box,
        "space": Space,
        "subspace": Subspace,
        "directions": Directions,
    }
    inner: dict[str, Any] = {
        "polygon": Polygon,
        "simplex": Simplex,
        "polytope": Polytope,
        "ball": Ball,
        "circle": Circle,
    }
    kind = str(data.get("kind"))
    if kind not in inner and kind not in kinds:
        raise DomainError(f"Unknown kind of domain {data.get('kind')!r}; known are {', '.join(sorted(kinds | inner))}.")
    try:
        if kind not in inner:
            return kinds[kind](**fields)  # type: ignore[no-any-return]
        place = "plane" if kind == "polygon" else "inside"
        outer = fields.pop(place)
        if outer:
            fields[place] = domain_from_dict({"kind": place if kind == "polygon" else "subspace", **outer})
        return inner[kind](**fields)  # type: ignore[no-any-return]
    except (KeyError, TypeError, AttributeError) as error:
        raise DomainError(f"This is not a {kind} as to_dict describes one: {error}.") from error
