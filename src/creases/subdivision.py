"""List the activation regions of a network on a domain as a Complex."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from creases.complex import Complex
from creases.complex.balls import within_ball
from creases.complex.skeleton import Given
from creases.domain import Ball, Directions, Domain, Polyline
from creases.errors import DomainError, NotEnoughMemoryError
from creases.memory import as_bytes, enough_memory, free_memory
from creases.network import Network
from creases.packing import as_problem, check_fit, check_size, check_threads

if TYPE_CHECKING:
    from creases.engine.answers.tally import Tally
    from creases.engine.problem import Problem
    from creases.progress import Follower
    from creases.result import Count
    from creases.streaming import OnCells

__all__ = ["subdivide", "subdivide_flat"]

Report = Callable[[int], None]

DOING = "A subdivision"
REMEDY = (
    "Count the regions instead (creases.count keeps none), take them as they are found, in bounded memory "
    "(creases.subdivide_to_parquet, or `creases subdivide --stream`, writes them to a file; subdivide(..., "
    "on_cells=...) hands them over), or cut a smaller domain or a slice of fewer dimensions."
)
# The cells of a ball are known only when all have been found, so they cannot be streamed.
REMEDY_OF_BALL = (
    "Count the regions instead (creases.count keeps none), or take a smaller ball, or one in a slice of fewer "
    "dimensions."
)
# Below this number of bytes, the memory is not checked, which takes some tenths of a millisecond.
NEGLIGIBLE = 64 << 20


@overload
def subdivide(
    network: Network,
    domain: Domain,
    *,
    threads: int | None = None,
    progress: bool | Callable[[int], None] | None = None,
    on_cells: None = None,
) -> Complex: ...


@overload
def subdivide(
    network: Network,
    domain: Domain,
    *,
    threads: int | None = None,
    progress: bool | Callable[[int], None] | None = None,
    on_cells: OnCells,
) -> Count: ...


def subdivide(
    network: Network,
    domain: Domain,
    *,
    threads: int | None = None,
    progress: bool | Callable[[int], None] | None = None,
    on_cells: OnCells | None = None,
) -> Complex | Count:
    """List all activation regions of `network` on `domain`, with proved patterns.

    Each region has its corners, the walls that bound it, and an interior point that is proved to lie inside. Facets and
    vertices are computed when they are first used (`Complex.facets`, `Complex.vertices`).

    network, domain, threads, progress : as for `creases.count`.
    on_cells : a function that is called with a `CellBlock` of some thousand regions at a time, in order. The regions
        are then not kept, and a Count is returned instead of a Complex.
    The regions are those of `creases.count`. The pattern of a network with switches has the winner of each switch, and
    a facet may lie where two candidates of a switch are equal (`Complex.wall_name`).
    On a Ball, the regions are those that meet the ball. They are kept as polytopes inside the polytope around the ball
    (`Ball.corners`) and not clipped by the sphere, so a facet has only one cell if the cell on its other side does not
    meet the ball.
    Memory grows with the number of regions (about 200 bytes each in a plane, plus the pattern). If the regions might
    not fit into memory, by the number that hyperplanes in general position would have, they are counted first. Both the
    count and the subdivision stop as soon as it is certain that the regions do not fit.
    Raises DomainError if the domain does not fit the network, has more than eight dimensions, or is a Polyline;
    NotEnoughMemoryError (a subclass of MemoryError) if the regions do not fit into memory. With `on_cells` also
    DomainError if more than one thread is requested, or if cells are complete only after all have been found: where
    walls are needed that are not neurons, on whole lines, and on a Ball.

    Examples
    --------
    >>> from creases import Network, Segment
    >>> network = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[-1.0, -1.0], [0.0]])
    >>> subdivide(network, Segment([-2.0], [2.0])).intervals()
    array([[0.  , 0.25],
           [0.25, 0.75],
           [0.75, 1.  ]])
    """
    check_threads(threads)
    check_fit(network, domain)
    check_size(network, domain, listed=True)
    if on_cells is not None:
        from creases.streaming import stream_cells

        if not callable(on_cells):
            raise DomainError(f"on_cells is a function that takes a CellBlock, got {type(on_cells).__name__}.")
        if threads not in (None, 1):
            raise DomainError(
                f"Cells are handed over in their order by one thread, got threads={threads}. Leave it out."
            )
        return stream_cells(network, domain, on_cells, progress=progress)
    cut = subdivide_flat if is_flat(domain) else subdivide_space
    return cut(network, domain, threads=threads, progress=progress)


def is_flat(domain: Domain) -> bool:
    """Whether a domain is a part of a line or a plane."""
    return domain.slice.dimension <= 2 and not isinstance(domain, Directions)


def subdivide_flat(
    network: Network,
    domain: Domain,
    *,
    threads: int | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Complex:
    """`subdivide` for a domain of one or two dimensions, for pictures and measurements.

    Raises DomainError as `subdivide` does, and if the domain has more dimensions; NotEnoughMemoryError as it does.
    """
    check_threads(threads)
    check_fit(network, domain)
    check_size(network, domain, listed=True)
    if isinstance(domain, Polyline):
        raise DomainError("A Polyline is subdivided segment by segment: subdivide(network, path.segments[i]).")
    if not is_flat(domain):
        raise DomainError(
            f"{domain!r} has more than two dimensions, or is no part of a plane: it cannot be drawn flat. "
            "Take a slice, like Plane.through(a, b, c).square(1) or a Box that holds all but two inputs fixed; of "
            "three dimensions, plot_cut_away and plot_exploded draw what subdivide gives."
        )
    from creases.compilation import say_if_compiling
    from creases.engine.answers.cell_table import cut_into_cells
    from creases.progress import following

    say_if_compiling(progress)
    start, problem = time.perf_counter(), as_problem(network, domain)
    d, neurons = domain.slice.dimension, network.bits
    # An interval has two corners, a piece of a plane three or more, each with its neuron and a flag.
    room = Room((d + 1) * (8 * d + 9) + 8 + (neurons + 7) // 8, (d + 1) * 8 * d, remedy_for(domain))
    with enough_memory(DOING, room.remedy), following(progress, 1, doing="subdividing") as follower:
        check_before(problem, expected(neurons, d, False), room, threads, follower)
        table = cut_into_cells(problem, threads=threads, report=room.watched(follower.found))
    cells = Complex(
        network=network,
        domain=domain,
        first=table.first,
        corners=table.corners,
        at_infinity=table.at_infinity,
        edges=table.edges,
        patterns=table.patterns,
        **facts(table.tally, start),
    )
    return within_ball(cells) if isinstance(domain, Ball) else cells


def subdivide_space(
    network: Network,
    domain: Domain,
    *,
    threads: int | None,
    progress: bool | Callable[[int], None] | None,
) -> Complex:
    """`subdivide` for a domain of three dimensions or more, or `Directions`."""
    from creases.compilation import say_if_compiling
    from creases.engine.answers.polytope_table import cut_into_polytopes
    from creases.progress import following

    say_if_compiling(progress)
    start, problem = time.perf_counter(), as_problem(network, domain)
    d, neurons, sphere = domain.slice.dimension, network.bits, isinstance(domain, Directions)
    # The signs of its neurons, and at least as many corners and sides as a simplex; directions have one dimension less.
    ends = d + 1 - sphere
    kept = (neurons + 7) // 8 + ends * (8 * d + 9 + 16 + 8 * (ends - 1))
    room = Room(kept, 8 * d * ends, remedy_for(domain))
    with enough_memory(DOING, room.remedy), following(progress, 1, doing="subdividing") as follower:
        check_before(problem, expected(neurons, d - sphere, sphere), room, threads, follower)
        table = cut_into_polytopes(problem, threads=threads, report=room.watched(follower.found))
    cells = Complex(
        network=network,
        domain=domain,
        first=table.first,
        corners=table.corners,
        at_infinity=table.at_infinity,
        edges=np.zeros(0, np.int64),
        patterns=table.patterns,
        given=Given(table.sides, table.lineality),
        **facts(table.tally, start),
    )
    return within_ball(cells) if isinstance(domain, Ball) else cells


def remedy_for(domain: Domain) -> str:
    """The remedy if the regions do not fit into memory."""
    return REMEDY_OF_BALL if isinstance(domain, Ball) else REMEDY


def facts(tally: Tally, start: float) -> dict[str, Any]:
    """The fields that both kinds of result have in addition to their regions; `start` is the time at which the cut
    began.
    """
    return {
        "by_layer": tuple(tally.by_layer),
        "certified": tally.certified,
        "exact_cells": tally.exact_cells,
        "seconds": time.perf_counter() - start,
    }


class TooMany(Exception):
    """Raised inside a count with more regions than fit into memory."""


@dataclass(frozen=True)
class Room:
    """A lower bound on the memory per region, in bytes.

    kept : in the result. joined : in addition, while the blocks are joined.
    remedy : advice for the error if it does not fit.
    """

    kept: int
    joined: int
    remedy: str

    def watched(self, report: Report) -> Report:
        """`report` with a check that stops the work as soon as the regions found so far can no longer be joined in
        memory.

        This is certain at that time, because the blocks exist until their largest array has been copied.
        """
        counted, look_at = 0, NEGLIGIBLE // self.joined

        def watch(regions: int) -> None:
            nonlocal counted, look_at
            report(regions)
            counted += regions
            if counted > look_at:
                free = free_memory()
                if free is not None and counted * self.joined > free:
                    raise NotEnoughMemoryError(
                        f"{DOING} has found {counted:,} regions so far, and to put them together takes "
                        f"{as_bytes(counted * self.joined)} more at least; {as_bytes(free)} of memory are free. "
                        f"{self.remedy}"
                    )
                look_at = counted + NEGLIGIBLE // self.joined

        return watch


def expected(neurons: int, dimension: int, sphere: bool) -> int:
    """The number of regions of as many hyperplanes in general position, about that of a random network on the whole
    space.
    """
    lines = max(neurons - 1, 0) if sphere else neurons
    return (1 + sphere) * sum(math.comb(lines, k) for k in range(dimension + 1))


def check_before(problem: Problem, expected: int, room: Room, threads: int | None, follower: Follower) -> None:
    """Raise NotEnoughMemoryError, before a region is stored, if it is certain that the regions do not fit.

    The expected number only decides whether to check, because a small domain, or a network with few regions, must not
    be refused. If the expected number does not fit, the regions are counted, which needs no memory, until there are
    more than fit.
    """
    if expected * room.kept <= NEGLIGIBLE:
        return
    free = free_memory()
    if free is None or expected * room.kept <= free:
        return
    from creases.engine.answers.tally import tally

    so_far, most = 0, free // room.kept

    def report(regions: int) -> None:
        nonlocal so_far
        so_far += regions
        if so_far > most:
            raise TooMany
        follower.say(f"first a count: {so_far:,}; memory for {most:,}")

    follower.say(f"first a count; memory for {most:,}")
    try:
        tally(problem, threads=threads, by_neuron=False, report=report)
    except TooMany:
        raise NotEnoughMemoryError(
            f"{DOING} of this domain has {so_far:,} regions at least, which take {as_bytes(so_far * room.kept)} at "
            f"least, and {as_bytes(free)} of memory are free. A random network of as many neurons has about "
            f"{expected:,} regions on the whole space, or {as_bytes(expected * room.kept)}. {room.remedy}"
        ) from None
    follower.say("")
