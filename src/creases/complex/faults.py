"""Errors of a complex that is inconsistent, or for which a question has no meaning; and the accuracy of stored
corners.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creases.domain import Ball, Box, Directions, Domain
from creases.errors import ComputationError, DomainError

__all__ = ["CORNER_TOLERANCE", "not_right", "refuse_ball", "size_of"]

# The largest distance of a stored corner from the true one (`Complex.corners`).
CORNER_TOLERANCE = 1e-9


def not_right(what: str) -> ComputationError:
    """The error of a failed check."""
    return ComputationError(f"This complex is not right: {what}. Subdivide again; if it stays, it is a bug of Creases.")


def refuse_ball(domain: Domain, what: str) -> None:
    """Raise DomainError on a Ball: its cells are not clipped, so what is measured or connected lies partly outside of
    it.

    what : the subject of the message, in the plural.
    """
    if isinstance(domain, Ball):
        around = "a Box" if domain.inside is None else "a Segment, Polygon or Polytope of the slice"
        raise DomainError(
            f"{what} have no meaning on {domain!r}: its cells are not clipped by the sphere, and beyond it some are "
            f"missing. Subdivide {around} around the ball."
        )


def size_of(domain: Domain) -> float:
    """The largest coordinate of a bounded domain's corners; NaN for other domains, whose corner errors are relative to
    the corners themselves."""
    if isinstance(domain, Box):
        free = domain.lower < domain.upper
        return float(np.abs([domain.lower[free], domain.upper[free]]).max())
    vertices: NDArray[np.float64] | None = None if isinstance(domain, Directions) else domain.vertices  # type: ignore[union-attr]
    return float("nan") if vertices is None else float(np.abs(vertices).max())
