"""What is cut: segments, paths, lines, polygons, planes, boxes, whole spaces."""

from __future__ import annotations

from typing import Any

from creases.domain.box import Box
from creases.domain.line import Line, Polyline, Segment
from creases.domain.plane import Plane, Polygon
from creases.domain.slice import Slice
from creases.domain.space import Space
from creases.errors import DomainError

__all__ = [
    "Box",
    "Domain",
    "Line",
    "Plane",
    "Polygon",
    "Polyline",
    "Segment",
    "Slice",
    "Space",
    "domain_from_dict",
]

Domain = Segment | Polyline | Line | Polygon | Plane | Box | Space


def domain_from_dict(data: dict[str, Any]) -> Domain:
    """The domain that `to_dict` described. Raises DomainError on an unknown kind."""
    fields = {key: value for key, value in data.items() if key != "kind"}
    kinds = {"segment": Segment, "polyline": Polyline, "line": Line, "plane": Plane, "box": Box, "space": Space}
    kind = data.get("kind")
    if kind != "polygon" and kind not in kinds:
        raise DomainError(f"Unknown kind of domain {kind!r}; known are {', '.join(sorted([*kinds, 'polygon']))}.")
    try:
        if kind == "polygon":
            plane = fields["plane"]
            inside = Plane(**{key: value for key, value in plane.items() if key != "kind"}) if plane else None
            return Polygon(fields["vertices"], inside)
        return kinds[kind](**fields)  # type: ignore[no-any-return]
    except (KeyError, TypeError, AttributeError) as error:
        raise DomainError(f"This is not a {kind} as to_dict describes one: {error}.") from error
