"""Count in pieces: the front door. The same number as `count`, by Euler's relation over the pieces."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from creases.compilation import compile_kernels, say_if_compiling
from creases.counting import LESS, Count, count
from creases.domain import Domain
from creases.engine.answers.pieces import Piece
from creases.engine.warm import must_compile
from creases.errors import ComputationError, DomainError
from creases.memory import enough_memory
from creases.network import Network
from creases.packing import check_threads
from creases.progress import Follower, following
from creases.scheduling.cluster import check_address, dask_workers
from creases.scheduling.journal import Journal
from creases.scheduling.laws import check_sum
from creases.scheduling.piece import PieceResult
from creases.scheduling.plan import Plan
from creases.scheduling.workers import ThreadWorkers, Workers

__all__ = ["count_in_pieces"]


def count_in_pieces(
    network: Network,
    domain: Domain,
    *,
    pieces: int | None = None,
    threads: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    journal: str | Path | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Count:
    """Count the activation regions of `network` on `domain` in independent pieces, every sign proved.

    The domain is cut by walls that are not neurons. A region that meets a wall is counted on both sides, and subtracted
    once on the wall. The result is that of `count`, for any number of pieces and workers.

    pieces : the minimal number of pieces, up to 65,536; None chooses it by the expected number of regions, or as in the
        journal.
    threads : number of threads of this process; None means all cores.
    workers : number of processes to use instead, each with one thread, on a local Dask cluster. They are new Python
        processes, so a script must have its main part under `if __name__ == "__main__":`.
    cluster : address of the scheduler of a Dask cluster to use instead.
    journal : a path (SQLite) or database URL where the result of each piece is stored when it is finished. An
        interrupted run continues from there, also on another machine with the same versions, and no piece is counted
        twice. `seconds` of the result is the time of this run, `seconds_from_journal` that of the stored pieces.
    progress : as for `count`; the bar counts pieces and shows an estimate of the remaining time.
    Returns a `Count`. Raises DomainError as `count` does, and on a Polyline or a Ball; JournalError if the journal
    cannot be read or written, has this count from another engine, or has damaged rows of it; ComputationError if a
    cluster does not answer or pieces fail there.

    Examples
    --------
    >>> from creases import Box, Network, count_in_pieces
    >>> network = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
    >>> count_in_pieces(network, Box([-1, -1], [1, 1]), pieces=4).regions
    4
    """
    check_threads(threads)
    if workers is not None and not (isinstance(workers, int) and not isinstance(workers, bool) and workers >= 1):
        raise DomainError(f"workers must be a whole number of at least 1, or None for threads; got {workers!r}.")
    if workers is not None and cluster is not None:
        raise DomainError("Give workers (processes of this machine) or cluster (a scheduler's address), not both.")
    check_address(cluster)
    plan = Plan.of(network, domain, pieces)
    if network.depth == 0:  # no neuron cuts: the whole domain is one piece
        return count(network, domain, threads=threads, progress=progress)
    say_if_compiling(progress)
    start = time.perf_counter()
    with enough_memory("A count in pieces", LESS), ExitStack() as stack:
        kept = stack.enter_context(Journal(journal)) if journal is not None else None
        if kept is not None:
            plan = kept.plan_for(plan, any_depth=pieces is None)
        number = kept.begin(plan) if kept is not None else 0
        done = dict(kept.results(number, plan)) if kept is not None else {}
        before = math.fsum(result.seconds for result in done.values())
        left = [piece for piece in plan.pieces if piece not in done]
        follower = stack.enter_context(following(progress, len(plan.pieces)))
        follower.finish_some(len(done))
        if left:
            for result in stack.enter_context(results(plan, left, threads, workers, cluster, follower, done)):
                if kept is not None:
                    kept.record(number, result)
                done[result.piece] = result
                follower.found(result.piece.sign * result.by_layer[-1])
                follower.finish_one()
    return summed(plan, [done[piece] for piece in plan.pieces], time.perf_counter() - start, before)


@contextmanager
def results(
    plan: Plan,
    left: list[Piece],
    threads: int | None,
    workers: int | None,
    cluster: str | None,
    follower: Follower,
    done: dict[Piece, PieceResult],
) -> Iterator[Iterable[PieceResult]]:
    """The results of the remaining pieces, from threads or a cluster; `follower` gets an estimate of the remaining
    time.
    """
    with ExitStack() as stack:
        hands: Workers = ThreadWorkers(threads)
        if workers is not None or cluster is not None:
            if cluster is None and must_compile():
                compile_kernels()  # once in this process, rather than in every worker at the same time
            hands = stack.enter_context(dask_workers(cluster, workers))

        def told() -> Generator[PieceResult, None, None]:
            for result in hands.work(plan, left):
                yield result
                follower.say(time_left(left, done, hands.count))

        yield stack.enter_context(closing(told()))


def time_left(pieces: list[Piece], done: dict[Piece, PieceResult], workers: int) -> str:
    """A rough estimate of the time for the remaining pieces, from finished pieces of the same dimension."""
    spent: dict[int, list[float]] = {}
    for piece, result in done.items():
        spent.setdefault(piece.path.count("0"), []).append(result.seconds)
    means = {walls: sum(times) / len(times) for walls, times in spent.items()}
    # A wall takes less time than the piece that it bounds, which is the estimate until the first wall is finished.
    guess = min(means.values(), default=0.0)
    rest = sum(means.get(piece.path.count("0"), guess) for piece in pieces if piece not in done) / workers
    return f"about {rest:,.0f} s left" if rest < 120 else f"about {rest / 60:,.0f} min left"


def summed(plan: Plan, of_pieces: list[PieceResult], seconds: float, before: float) -> Count:
    """The sum of the pieces' results, each with its sign. before : seconds of the results from the journal."""
    by_layer = [0] * plan.network.depth
    for result in of_pieces:
        by_layer = [total + result.piece.sign * value for total, value in zip(by_layer, result.by_layer, strict=True)]
    bounded = unbounded = None
    if all(result.unbounded is not None for result in of_pieces):
        unbounded = sum(result.piece.sign * (result.unbounded or 0) for result in of_pieces)
        bounded = by_layer[-1] - unbounded
    try:
        check_sum(by_layer, unbounded)
    except ValueError as error:
        raise ComputationError(
            f"The results of the {len(of_pieces):,} pieces do not fit together ({error}), so some of them are wrong. "
            "Count again, into another journal if there is one, and on another machine if this one fails again."
        ) from error
    return Count(
        regions=by_layer[-1],
        by_layer=tuple(by_layer),
        certified=(certified := all(result.certified for result in of_pieces)),
        unproved_signs=0 if certified else None,
        exact_cells=sum(result.exact_cells for result in of_pieces),
        seconds=seconds,
        domain=plan.domain,
        network=plan.network.sha256,
        bounded=bounded,
        unbounded=unbounded,
        pieces=len(of_pieces),
        seconds_from_journal=before,
        notes=plan.network.notes,
    )
