"""The volume of a domain, in the units of input space."""

from __future__ import annotations

from math import lgamma
from typing import TYPE_CHECKING

import numpy as np

from creases.domain.ball import Ball
from creases.domain.box import Box
from creases.domain.circle import Circle
from creases.domain.lengths import chart_of
from creases.domain.line import Polyline

if TYPE_CHECKING:
    from creases.domain import Domain

__all__ = ["volume_of"]


def volume_of(domain: Domain) -> float | None:
    """The d-dimensional volume of a domain in input space (a length, an area, a volume); None if it is infinite.

    The slice's coordinates are scaled by sqrt(det(basis basis^T)). The result is also None if the volume cannot be
    represented in floats: the domain is flat in floats, or its volume is outside their range.
    """
    with np.errstate(all="ignore"):
        volume = in_floats(domain)
    return volume if volume is not None and 0.0 < volume < np.inf else None


def in_floats(domain: Domain) -> float | None:
    """The volume computed in floats: zero, infinite or NaN if it cannot be represented."""
    if isinstance(domain, (Polyline, Circle)):
        return domain.length
    if isinstance(domain, Ball):  # a ball of input space, so there is no factor
        d = domain.dimension
        return float(np.exp(d / 2 * np.log(np.pi) + d * np.log(domain.radius) - lgamma(d / 2 + 1)))
    if isinstance(domain, Box):
        sides = domain.upper - domain.lower
        return float(np.prod(sides[sides > 0]))
    vertices = domain.vertices
    if vertices is None:
        return None
    stretch = float(np.prod(np.diag(chart_of(domain.slice))))
    if vertices.shape[1] == 1:
        return float(np.ptp(vertices)) * stretch
    from scipy.spatial import ConvexHull, QhullError

    try:
        return float(ConvexHull(vertices).volume) * stretch
    except (QhullError, ValueError):
        return None
