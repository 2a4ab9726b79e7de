"""The cells of a plane as shapely polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from creases.complex.exports.facts import check_dimension, pieces_of
from creases.errors import require_extra

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["to_shapely"]


def to_shapely(complex: Complex, window: ArrayLike | None = None) -> list[Any]:
    """`Complex.to_shapely`."""
    check_dimension(complex.domain, (2,), "A list of polygons")
    try:
        import shapely
    except ImportError as error:
        raise require_extra("shapely", "files", "Making shapely polygons") from error
    polygons = pieces_of(complex, window)
    result = np.full(len(polygons), shapely.Polygon(), dtype=object)
    inside = np.flatnonzero([len(polygon) for polygon in polygons])
    if len(inside):
        owners = np.repeat(np.arange(len(inside)), [len(polygons[i]) for i in inside])
        rings = shapely.linearrings(np.concatenate([polygons[i] for i in inside]), indices=owners)
        result[inside] = shapely.polygons(rings)
    return list(result)
