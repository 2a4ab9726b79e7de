"""The domain that the options of a command describe.

At most one kind may be given. Without `--plane`, `--square`, `--polygon` and `--circle` are for networks of two inputs,
and `--ball` for any; with `--plane` their coordinates are those of the plane: u = (0, 0) at A, (1, 0) at B, (0, 1) at
C. Without any of these options the domain is the whole input space, if it has one or two dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creases.cli.points import FILE, number, read_point, read_points
from creases.domain import (
    Ball,
    Box,
    Circle,
    Directions,
    Domain,
    Line,
    Plane,
    Polygon,
    Polyline,
    Polytope,
    Segment,
    Simplex,
    Space,
    Subspace,
)
from creases.errors import DomainError
from creases.network import Network

if TYPE_CHECKING:
    from creases.cli.options import DomainOptions

__all__ = ["as_domain", "as_ranges"]

# The largest number of inputs for which an example shows all numbers.
WRITTEN_OUT = 8


def as_domain(options: DomainOptions, network: Network) -> Domain:
    """The domain that the options describe in the network's input space. Raises DomainError if they do not."""
    given = options.given()
    if not given:
        return whole_space(network)
    if options.plane is not None and len(given) <= 2:
        modifiers = set(given) - {"--plane"}
        if modifiers <= {"--square", "--polygon", "--ball", "--circle"}:
            return in_plane(options, network)
    if len(given) > 1:
        raise DomainError(
            f"Got {' and '.join(given)}; give one domain. Only --plane takes a second option, --square, --polygon, "
            "--ball or --circle, which is then read in the plane's coordinates."
        )
    n = network.n_in
    if options.segment is not None:
        return Segment(*(read_point(text, n, "--segment") for text in options.segment))
    if options.line is not None:
        return Line(*(read_point(text, n, "--line") for text in options.line))
    if options.polyline is not None:
        return Polyline(read_points(options.polyline, n, "--polyline"))
    if options.loop is not None:
        return Polyline(read_points(options.loop, n, "--loop"), closed=True)
    if options.box is not None:
        return as_box(options.box, n)
    if options.ball is not None:
        return as_ball(options.ball, n)
    if options.circle is not None:
        return as_circle(options.circle, n)
    if options.simplex is not None:
        return Simplex(read_points(options.simplex, n, "--simplex"))
    if options.polytope is not None:
        return Polytope(read_points(options.polytope, n, "--polytope"))
    if options.half_spaces is not None:
        rows = read_points(options.half_spaces, n + 1, "--half-spaces")
        return Polytope.where(rows[:, :-1], rows[:, -1])
    if options.subspace is not None:
        return as_subspace(options.subspace, n)
    if options.space:
        return Space(n)
    if options.directions:
        return Directions(n)
    return in_the_input_plane(options, network)


def whole_space(network: Network) -> Space:
    """The whole input space of a network of one or two inputs. Raises DomainError, with examples of options, for more
    inputs.

    A larger space may take long, so it has to be asked for explicitly.
    """
    if network.n_in <= 2:
        return Space(network.n_in)
    raise DomainError(
        f"Say where to cut: the network takes {network.n_in} inputs. "
        f"For example {examples(network.n_in)}; --help shows all forms."
    )


def examples(n: int) -> str:
    """Options that describe domains for a network of n inputs."""
    if n > WRITTEN_OUT:
        return "--segment a.npy b.npy, or --plane origin images.npy:0 images.npy:1"
    zeros, ones = ",".join("0" * n), ",".join("1" * n)
    sides = ",".join(["-1:1"] * 2 + ["0"] * (n - 2))
    return f"--segment {zeros} {ones}, --box {sides}, or --space"


def in_plane(options: DomainOptions, network: Network) -> Domain:
    """The whole plane through three points, or the square, polygon, ball or circle in its coordinates."""
    assert options.plane is not None
    plane = Plane.through(*(read_point(text, network.n_in, "--plane") for text in options.plane))
    if options.square is not None:
        return plane.square(options.square)
    if options.polygon is not None:
        return plane.polygon(read_points(options.polygon, 2, "--polygon"))
    if options.ball is not None:
        return as_ball(options.ball, 2, plane)
    if options.circle is not None:
        return as_circle(options.circle, 2, plane)
    return plane


def in_the_input_plane(options: DomainOptions, network: Network) -> Domain:
    """The domain of `--square` or `--polygon` without `--plane`: the network must have two inputs."""
    if network.n_in != 2:
        raise DomainError(
            f"{options.given()[0]} alone needs a network of two inputs, and this one takes {network.n_in}. "
            "Add --plane A B C to say in which plane it lies."
        )
    if options.polygon is not None:
        return Polygon(read_points(options.polygon, 2, "--polygon"))
    assert options.square is not None
    half = options.square
    if not (np.isfinite(half) and half > 0):
        raise DomainError(f"--square needs a finite positive half-width, got {half}.")
    return Box(np.full(2, -half), np.full(2, half))


def as_ball(text: tuple[str, str], d: int, inside: Plane | None = None) -> Ball:
    """The ball from a center of d coordinates and a radius."""
    center, radius = text
    return Ball(read_point(center, d, "--ball"), number(radius, "--ball"), inside)


def as_circle(text: tuple[str, str], d: int, inside: Plane | None = None) -> Circle:
    """The circle from a center of d coordinates and a radius."""
    center, radius = text
    return Circle(read_point(center, d, "--circle"), number(radius, "--circle"), inside)


def as_subspace(text: str, n: int) -> Subspace:
    """The subspace from a point and the directions that follow, one per row."""
    rows = read_points(text, n, "--subspace")
    if len(rows) < 2:
        raise DomainError("--subspace needs a point and at least one direction; for a single input use creases info.")
    return Subspace(rows[0], rows[1:])


def as_box(text: str, n: int) -> Box:
    """ "-1:1,-1:1,0" (a range or one fixed number for each input), or a file of two rows, lower and upper."""
    if FILE.fullmatch(text.strip()):
        rows = read_points(text, n, "--box")
        if len(rows) != 2:
            raise DomainError(f"--box: {text} holds {len(rows)} points; a box needs two rows, lower and upper.")
        return Box(rows[0], rows[1])
    sides = text.split(",")
    if len(sides) != n:
        raise DomainError(
            f"--box: {text!r} has {len(sides)} side{'s' * (len(sides) != 1)}, but the network takes {n} inputs. "
            "Give a range LOW:HIGH or one fixed number for each."
        )
    lower, upper = zip(*(as_range(side, "--box") for side in sides), strict=True)
    return Box(np.array(lower), np.array(upper))


def as_range(text: str, option: str) -> tuple[float, float]:
    """ "-1:1" as (-1.0, 1.0), and one number as both ends."""
    ends = [number(end, option) for end in text.split(":")]
    if len(ends) > 2:
        raise DomainError(f"{option}: {text!r} is not a range. Write LOW:HIGH, or one number to hold an input fixed.")
    return ends[0], ends[-1]


def as_ranges(text: str, dimension: int, option: str) -> list[tuple[float, float]]:
    """One finite range with LOW below HIGH for each coordinate of a slice: "-1:1,0:2"."""
    ranges = [as_range(side, option) for side in text.split(",")]
    if len(ranges) != dimension or any(not (np.isfinite([low, high]).all() and low < high) for low, high in ranges):
        example = ",".join(["-1:1", "0:2"][:dimension])
        raise DomainError(f"{option}: {text!r} must be {dimension} finite LOW:HIGH with LOW < HIGH, like {example}.")
    return ranges
