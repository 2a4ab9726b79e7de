"""A view: a rectangle of a plane, with coordinates around its centre, and a network of these two coordinates.

A corner of a cell at 0.3 + 1e-20 is not a float64, and in floats the difference of two such corners is zero. So a view
is not cut in the plane's coordinates, but relative to its centre c, which is rational: the network

    v  ->  c + v  ->  origin + basis (c + v)  ->  the given network

is cut on the box |v_1| <= w, |v_2| <= h. The levels before the given network are linear and exact: c is a sum of
floats, with one level each, and no products are computed. So the regions are those of the given network in the
rectangle, with the usual proofs, and corners are relative to the centre, so their accuracy increases as the view
becomes smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.domain import Box, Plane, Polygon
from creases.errors import DomainError
from creases.network import Dense, Level, Linear, Network, Select

if TYPE_CHECKING:
    from creases.complex import Complex
    from creases.result import Count

__all__ = ["FINEST", "LARGEST", "View", "float_parts", "is_identity"]

Floats = NDArray[np.float64]

# The smallest and largest half width of a view. Below this the coordinates of corners would leave the range of float64.
FINEST, LARGEST = 1e-150, 1e100
# The largest ratio of a view's sides.
LONGEST = 1e4
# A view narrower than this, relative to its coordinates, is cut in its own coordinates.
COARSE = 1e-6
# The last bit of a centre is at least this; otherwise the parts of its sum could be subnormal.
LAST_BIT = -900


@dataclass(frozen=True, eq=False)
class View:
    """The rectangle centre + [-w, w] x [-h, h] in the coordinates of a plane.

    plane : the plane; `Plane([0, 0], [[1, 0], [0, 1]])` for a network of two inputs.
    centre : two rationals whose denominators are powers of two, such as floats, in the plane's coordinates.
    half : (w, h), floats, half of the width and height.
    Raises DomainError if a number is not finite, w or h is not positive or too small for float64, or a coordinate of
    the centre is not a sum of floats.
    """

    plane: Plane
    centre: tuple[Fraction, Fraction]
    half: tuple[float, float]

    def __post_init__(self) -> None:
        if not isinstance(self.plane, Plane):
            raise DomainError(
                f"A view lies in a Plane, got {type(self.plane).__name__}. Of two inputs that is "
                "Plane([0, 0], [[1, 0], [0, 1]])."
            )
        half = tuple(float(value) for value in self.half)
        if len(half) != 2 or not all(isfinite(value) and FINEST <= value <= LARGEST for value in half):
            raise DomainError(
                f"A view is as wide and as high as two finite numbers from {FINEST:g} to {LARGEST:g} say; got {half}."
            )
        if max(half) > LONGEST * min(half):
            raise DomainError(f"A view is at most {LONGEST:g} times as long as it is wide; got {half}.")
        try:
            centre = tuple(Fraction(value) for value in self.centre)
        except (TypeError, ValueError, OverflowError):
            raise DomainError(f"The centre of a view is two finite numbers, got {self.centre!r}.") from None
        if len(centre) != 2:
            raise DomainError(f"The centre of a view has two coordinates, got {len(centre)}.")
        for value in centre:
            size = value.denominator
            if abs(value) > LARGEST or size & (size - 1) or size.bit_length() - 1 > -LAST_BIT:
                raise DomainError(
                    f"A coordinate of a view's centre is at most {LARGEST:g} and a whole multiple of 2^{LAST_BIT}; "
                    f"got one near {float(min(max(value, Fraction(-1e300)), Fraction(1e300))):g}."
                )
        object.__setattr__(self, "centre", centre)
        object.__setattr__(self, "half", half)

    @classmethod
    def of(cls, plane: Plane, centre: Sequence[float | Fraction], half: Sequence[float]) -> View:
        """A view from sequences of two numbers, centre and half. Raises DomainError as the class does."""
        return cls(plane, tuple(centre), tuple(half))  # type: ignore[arg-type]

    @property
    def box(self) -> Box:
        """The rectangle around zero, in coordinates relative to the centre."""
        w, h = self.half
        return Box(np.array([-w, -h]), np.array([w, h]))

    def network(self, network: Network) -> Network:
        """The network as a function of the view's coordinates v, relative to the centre; neurons keep their numbers.

        Raises DomainError if the plane does not lie in the network's input space.
        """
        if network.n_in != self.plane.origin.size:
            raise DomainError(
                f"The plane lies in a space of {self.plane.origin.size} inputs, but {network!r} takes {network.n_in}."
            )
        before = [Level({0: Select.all(2)}, part, Linear(), "centre") for part in parts_of(self.centre)]
        for i in range(1, len(before)):
            before[i] = Level({i: Select.all(2)}, before[i].bias, Linear(), "centre")
        if not is_identity(self.plane):
            before += in_plane(self.plane, len(before))
        shift = len(before)
        after = [
            Level(
                {source + shift: operator for source, operator in level.sources.items()},
                level.bias,
                level.kink,
                level.name,
            )
            for level in network.levels
        ]
        return Network.from_levels([*before, *after], n_in=2, notes=network.notes)

    @property
    def domain(self) -> Box | Polygon | None:
        """The same rectangle as a domain of the given network. None if its corners are not float64 numbers, or too
        close to each other to be drawn in float64.
        """
        (x, y), (w, h) = self.centre, self.half
        ends = [x - Fraction(w), x + Fraction(w), y - Fraction(h), y + Fraction(h)]
        near = min(w, h) < COARSE * max(abs(float(end)) for end in ends)
        if near or any(Fraction(float(end)) != end for end in ends):
            return None
        left, right, low, high = map(float, ends)
        if is_identity(self.plane):
            return Box(np.array([left, low]), np.array([right, high]))
        return self.plane.polygon([[left, low], [right, low], [right, high], [left, high]])

    def count(
        self,
        network: Network,
        *,
        threads: int | None = None,
        progress: bool | Callable[[int], None] | None = False,
    ) -> Count:
        """`creases.count` on this rectangle."""
        from creases.counting import count

        return count(self.network(network), self.box, threads=threads, progress=progress)

    def subdivide(
        self,
        network: Network,
        *,
        threads: int | None = None,
        progress: bool | Callable[[int], None] | None = False,
    ) -> Complex:
        """`creases.subdivide` on this rectangle, with corners relative to the centre and patterns of the given
        network.
        """
        from creases.subdivision import subdivide

        return subdivide(self.network(network), self.box, threads=threads, progress=progress)

    def inputs(self, places: Floats) -> Floats:
        """The network's inputs at coordinates v relative to the centre, rounded: float64 (..., 2) -> (..., n_in)."""
        middle = np.array([float(value) for value in self.centre])
        return self.plane.slice.points(middle + np.asarray(places, dtype=np.float64))


def in_plane(plane: Plane, before: int) -> list[Level]:
    """The levels u -> origin + basis u, after level `before`; the tail of the basis is a level of its own."""
    tail = np.asarray(plane.basis_tail)
    if not tail.any():
        return [Level({before: Dense(plane.basis.T)}, plane.origin, Linear(), "plane")]
    rest = Level({before: Dense(tail.T)}, None, Linear(), "plane, tail")
    sources = {before: Dense(plane.basis.T), before + 1: Select.all(plane.origin.size)}
    return [rest, Level(sources, plane.origin, Linear(), "plane")]


def is_identity(plane: Plane) -> bool:
    """Whether the plane's coordinates are the two inputs, and there are no others."""
    same = plane.basis.shape == (2, 2) and (plane.basis == np.eye(2)).all()
    return bool(same and not plane.origin.any() and not np.any(plane.basis_tail))


def parts_of(centre: Sequence[Fraction]) -> list[Floats]:
    """Arrays of two floats whose sum is the centre, the largest first; none for a centre at zero."""
    one, other = (float_parts(value) for value in centre)
    length = max(len(one), len(other))
    return [np.array(pair) for pair in zip(padded(one, length), padded(other, length), strict=True)]


def padded(values: list[float], length: int) -> list[float]:
    """The values, followed by zeros."""
    return values + [0.0] * (length - len(values))


def float_parts(value: Fraction) -> list[float]:
    """Floats whose sum is a rational with a power of two as denominator, each the nearest to the remainder.

    >>> float_parts(Fraction(1) + Fraction(1, 2**70))
    [1.0, 8.470329472543003e-22]
    """
    parts = []
    while value:
        parts.append(float(value))
        value -= Fraction(parts[-1])
    return parts
