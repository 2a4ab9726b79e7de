"""Count the activation regions of a network on a domain.

The number is that of Hanin and Rolnick (2019), section 2: non-empty open sets of inputs (open relative to
the domain) on which every hidden neuron has one strict sign; a neuron that vanishes identically on a piece is inactive
there and cuts nothing.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from creases.domain import Ball, Circle, Domain, Polyline
from creases.errors import DomainError
from creases.memory import enough_memory
from creases.network import Network
from creases.packing import as_lines, as_problem, by_unit, check_fit, check_size, check_threads, graph_of, is_line
from creases.result import Count

if TYPE_CHECKING:
    from creases.complex import Complex
    from creases.engine.problem import Problem
    from creases.engine.starts.workshop import Workshop
    from creases.progress import Follower

__all__ = ["Count", "count", "count_many"]

Progress = bool | Callable[[int], None] | None

LESS = "Count on a smaller domain, or on a slice of fewer dimensions."


def count(
    network: Network,
    domain: Domain,
    *,
    by_neuron: bool = False,
    threads: int | None = None,
    progress: Progress = None,
) -> Count:
    """Count the activation regions of `network` on `domain`, every sign proved.

    domain : Segment, Polyline, Circle, Line, Polygon, Plane, Box, Simplex, Polytope, Ball, Space, Subspace or
        Directions, of at most eight dimensions; the directions of nine inputs are a sphere of eight.
    by_neuron : also count, for every neuron, the regions of the layers below that it cuts; not on closed paths.
    threads : number of threads; None means all cores. The result does not depend on it.
    progress : True shows a progress bar on stderr (lines, if stderr is a file), None only if the count takes longer
        than a second and stderr is a terminal, False never. A function is called with the number of regions found so
        far.
    Returns a `Count`.
    Raises DomainError if the domain does not fit the network's inputs, has more than eight dimensions, or is a closed
    path and `by_neuron` is True; NotEnoughMemoryError (a subclass of MemoryError) if the computation does not fit into
    memory.

    Examples
    --------
    >>> from creases import Network, Segment
    >>> network = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[-1.0, -1.0], [0.0]])
    >>> count(network, Segment([-2.0], [2.0])).by_layer
    (3,)
    """
    check_fit(network, domain, circles=True)
    return count_many(network, [domain], by_neuron=by_neuron, threads=threads, progress=progress)[0]


def count_many(
    networks: Network | Sequence[Network],
    domains: Domain | Iterable[Domain],
    *,
    by_neuron: bool = False,
    threads: int | None = None,
    progress: Progress = None,
) -> list[Count]:
    """Count one network on many domains, many networks on one domain, or both lists pair by pair.

    networks, domains : one of each, or lists; two lists must have the same length.
    The other arguments are those of `count`; one progress bar covers all counts. Returns a list with one Count per
    pair, in order.
    """
    check_threads(threads)
    pairs = as_pairs(networks, domains)
    for network, domain in pairs:
        check_fit(network, domain, circles=True)
    from creases.compilation import say_if_compiling
    from creases.engine.starts.workshop import Workshop
    from creases.progress import following

    say_if_compiling(progress)
    counts: list[Count] = []
    with enough_memory("A count", LESS), following(progress, len(pairs)) as follower:
        workshop = Workshop(follower.say)
        for network, group in itertools.groupby(pairs, lambda pair: pair[0]):
            together = [domain for _, domain in group]
            lines = not by_neuron and any(map(is_line, together))
            count_lines = _line_counter(network, threads, workshop) if lines else None
            for swept, some in itertools.groupby(together, is_line if count_lines else lambda domain: False):
                if swept and count_lines:
                    counts += count_lines(list(some), follower)
                else:
                    counts += [_count_one(network, domain, by_neuron, threads, follower, workshop) for domain in some]
    return counts


def as_pairs(networks: Network | Sequence[Network], domains: Domain | Iterable[Domain]) -> list[tuple[Network, Domain]]:
    """The pairs of network and domain that `count_many` counts."""
    nets = [networks] if isinstance(networks, Network) else list(networks)
    doms: list[Domain] = list(domains) if isinstance(domains, Iterable) else [domains]
    if len(nets) == 1:
        nets = nets * len(doms)
    if len(doms) == 1:
        doms = doms * len(nets)
    if len(nets) != len(doms):
        raise DomainError(
            f"Got {len(nets)} networks and {len(doms)} domains; give one of either, or lists of one length."
        )
    return list(zip(nets, doms, strict=True))


def _count_one(
    network: Network, domain: Domain, by_neuron: bool, threads: int | None, follower: Follower, workshop: Workshop
) -> Count:
    start = time.perf_counter()
    distinct = None
    check_size(network, domain)
    if isinstance(domain, Ball):
        return _count_in_ball(network, domain, by_neuron, threads, follower)
    if isinstance(domain, Circle):
        return _count_on_circle(network, domain, by_neuron, threads, follower)
    if isinstance(domain, Polyline):
        if by_neuron and domain.closed:
            raise DomainError("What each neuron cuts is counted on open paths only. Leave out by_neuron, or `closed`.")
        from creases.engine.answers.path import tally_path

        problems = [as_problem(network, segment) for segment in domain.segments]
        path_tally, distinct = tally_path(problems, threads=threads, report=follower.found, workshop=workshop)
        if domain.closed:
            closing = borders_where_closed(problems, threads, workshop)
            by_layer = [max(pieces - 1 + more, 1) for pieces, more in zip(path_tally.by_layer, closing, strict=True)]
            path_tally = path_tally._replace(by_layer=by_layer)
    else:
        from creases.engine.answers.tally import tally

        path_tally = tally(
            as_problem(network, domain),
            threads=threads,
            by_neuron=by_neuron,
            report=follower.found,
            workshop=workshop,
        )
    follower.finish_one()
    cut = by_unit(network, path_tally.by_neuron) if by_neuron else None
    return Count.of_tally(network, domain, path_tally, time.perf_counter() - start, by_neuron=cut, distinct=distinct)


def borders_where_closed(problems: Sequence[Problem], threads: int | None, workshop: Workshop) -> list[int]:
    """For each layer, 1 if two pieces meet where a path returns to its first point, and 0 otherwise.

    The number of borders on the last segment followed by the first one is the sum of those on both, plus that one if it
    exists.
    """
    from creases.engine.answers.path import tally_path

    def borders(*segments: Problem) -> list[int]:
        found, _ = tally_path(segments, threads=threads, report=lambda regions: None, workshop=workshop)
        return [pieces - 1 for pieces in found.by_layer]

    last, first = problems[-1], problems[0]
    each = zip(borders(last, first), borders(last), borders(first), strict=True)
    return [both - one - other for both, one, other in each]


def _listed(network: Network, ball: Ball, threads: int | None, follower: Follower) -> Complex:
    """The regions that meet a ball; their number is reported to the follower."""
    from creases.subdivision import subdivide

    seen = 0

    def follow(total: int) -> None:
        nonlocal seen
        follower.found(total - seen)
        seen = total

    cells = subdivide(network, ball, threads=threads, progress=follow)
    follow(cells.regions)
    follower.finish_one()
    return cells


def _count_in_ball(network: Network, ball: Ball, by_neuron: bool, threads: int | None, follower: Follower) -> Count:
    """Count the regions that meet a ball. The engine cuts only polytopes, so the regions of a polytope around the ball
    are listed, and those that meet the ball are counted."""
    start = time.perf_counter()
    cells = _listed(network, ball, threads, follower)
    cut = None
    if by_neuron:
        from creases.engine.answers.tally import cutting

        numbers = cutting(graph_of(network), map(bytes, cells.patterns)).tolist()
        ends = list(itertools.accumulate(graph_of(network).widths, initial=0))
        cut = by_unit(network, [numbers[begin:end] for begin, end in itertools.pairwise(ends)])
    return Count(
        regions=cells.regions,
        by_layer=cells.by_layer,
        certified=cells.certified,
        exact_cells=cells.exact_cells,
        seconds=time.perf_counter() - start,
        domain=ball,
        network=network.sha256,
        by_neuron=cut,
        notes=network.notes,
    )


def _count_on_circle(
    network: Network, circle: Circle, by_neuron: bool, threads: int | None, follower: Follower
) -> Count:
    """Count the pieces of a circle: the regions of its disc are listed, and their arcs on the circle are counted."""
    from creases.complex.circles import pieces_of_circle

    start = time.perf_counter()
    if by_neuron:
        raise DomainError("What each neuron cuts is counted on open paths only. Leave out by_neuron, or the Circle.")
    cells = _listed(network, circle.ball, threads, follower)
    pieces = pieces_of_circle(cells)
    return Count(
        regions=pieces.pieces,
        by_layer=pieces.by_layer,
        certified=cells.certified,
        exact_cells=cells.exact_cells + pieces.exact,
        seconds=time.perf_counter() - start,
        domain=circle,
        network=network.sha256,
        distinct=pieces.distinct,
        notes=network.notes,
    )


def _line_counter(
    network: Network, threads: int | None, workshop: Workshop
) -> Callable[[list[Domain], Follower], list[Count]] | None:
    """A function that counts the network on many lines and segments together; those that it does not prove are counted
    one by one.

    None if the network is too large for it.
    """
    from creases.engine.lines.together import lines_together, prepared, sweep_together

    if not network.is_chain:
        return None
    together = lines_together([len(layer.bias) for layer in network.hidden])
    if not together:
        return None
    shared = prepared([layer.weight for layer in network.hidden], [layer.bias for layer in network.hidden])

    room = np.empty((2, together, network.n_in))

    def count_lines(domains: list[Domain], follower: Follower) -> list[Count]:
        counts: list[Count] = []
        for begin in range(0, len(domains), together):
            some = domains[begin : begin + together]
            start = time.perf_counter()
            origins, directions, ends = as_lines(some, room)
            swept = sweep_together(shared, origins, directions, ends)
            seconds = (time.perf_counter() - start) / len(some)
            proved = swept[:, -1] > 0
            follower.found(int(swept[proved, -1].sum()))
            follower.finish_some(int(proved.sum()))
            for domain, by_layer, whole in zip(some, swept.tolist(), np.isinf(ends[:, 0]).tolist(), strict=True):
                regions = by_layer[-1]
                if regions < 1:
                    counts.append(_count_one(network, domain, False, threads, follower, workshop))
                    continue
                unbounded = min(regions, 2) if whole else None
                bounded = None if unbounded is None else regions - unbounded
                counts.append(
                    Count(
                        regions=regions,
                        by_layer=tuple(by_layer),
                        certified=True,
                        exact_cells=0,
                        seconds=seconds,
                        domain=domain,
                        network=network.sha256,
                        bounded=bounded,
                        unbounded=unbounded,
                        notes=network.notes,
                    )
                )
        return counts

    return count_lines
