"""Dask clusters: a local one, or an existing one, whose versions are compared before it is given work."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from logging import CRITICAL
from typing import TYPE_CHECKING, Any

from creases.errors import ComputationError, DomainError, require_extra
from creases.interrupts import children_undisturbed, uninterrupted
from creases.scheduling.workers import DaskWorkers

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["check_address", "dask_workers"]

# Seconds within which a scheduler must answer, and the additional seconds for whatever else may be at its address.
PATIENCE, LONGER = 10.0, 2.0
ADDRESS = "Give the address of a scheduler, like tcp://127.0.0.1:8786."


def check_address(cluster: str | None) -> None:
    """Raise DomainError unless `cluster` is None or a non-empty string."""
    if cluster is not None and not (isinstance(cluster, str) and cluster.strip()):
        raise DomainError(
            "cluster must be the address of a Dask scheduler, like 'tcp://127.0.0.1:8786' (of a Cluster of Dask's: "
            f"cluster.scheduler_address), or None; got {cluster!r}."
        )


@contextmanager
def dask_workers(cluster: str | None, processes: int | None) -> Iterator[DaskWorkers]:
    """Workers of the cluster at an address, or of a local cluster of `processes` processes, which ends with the
    context.

    A local cluster listens on the loopback only, and so does its dashboard.
    Raises ComputationError if no scheduler answers at the address, it has no workers, or some have another engine.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise require_extra("distributed", "cluster", "Work on a cluster") from error
    with own_cluster(processes) if cluster is None else cluster_at(cluster) as client:
        yield DaskWorkers(client)


@contextmanager
def cluster_at(address: str) -> Iterator[Client]:
    """A client of the cluster whose scheduler has this address. Raises ComputationError as `dask_workers` does."""
    from distributed import Client

    # A client would wait for ever for the first message of a server that is not a scheduler.
    check_scheduler(address)
    try:
        with uninterrupted():
            client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise ComputationError(f"No Dask scheduler answers at {address} ({error}). {ADDRESS}") from error
    with ended(client):
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise ComputationError(
                f"The Dask scheduler at {address} has no workers. Start some: dask worker {address}"
            ) from error
        check_makers(client, address)
        yield client


def check_makers(client: Client, address: str) -> None:
    """Raise ComputationError unless all present workers have this process's engine, and the scheduler has Creases.

    This is checked before any work is distributed: a worker that cannot unpickle a task closes, the next worker gets
    the task, and finally none is left and the client waits for more without a message.
    """
    from creases.scheduling.sources import Maker, maker

    scheduler = f"the scheduler at {address}"

    async def ask() -> dict[str, Any]:
        engines = dict(await client.run(maker, on_error="return"))
        try:
            engines[scheduler] = await client.run_on_scheduler(maker)
        except Exception as error:
            engines[scheduler] = error
        return engines

    try:
        engines = client.sync(ask, callback_timeout=2 * PATIENCE)
    except TimeoutError as error:
        raise ComputationError(
            f"The workers of {scheduler} have not said within {2 * PATIENCE:g} s which Creases they have. Look at "
            "their logs, or start others."
        ) from error
    here, others = maker(), []
    for name, one in engines.items():
        if not isinstance(one, Maker):
            others.append(f"{name} cannot use it ({one})")
        elif one.engine != here.engine and name != scheduler:  # the scheduler only passes on tasks
            others.append(f"{name} has {one}")
    if others:
        raise ComputationError(
            f"{len(others)} of {len(engines)} processes of the cluster cannot do this count: {others[0]}; here is "
            f"{here}. Install the same there, and start the cluster anew: "
            f"pip install 'creases[cluster]=={here.version}'"
        )


def check_scheduler(address: str) -> None:
    """Raise ComputationError, soon after PATIENCE seconds, unless a Dask scheduler answers at an address."""

    async def answer() -> Any:
        return await asyncio.wait_for(identity(address), PATIENCE + LONGER)

    try:
        kind = waited_for(answer())
    except Exception as error:  # of many kinds, depending on the server at the address
        raise ComputationError(f"No Dask scheduler answers at {address} ({why_not(error)}). {ADDRESS}") from error
    if kind != "Scheduler":
        raise ComputationError(f"At {address} a Dask {kind} answers, and no scheduler. {ADDRESS}")


def why_not(error: Exception) -> str:
    """The reason why no scheduler answered."""
    if isinstance(error, TimeoutError) and not error.args:
        return f"what listens there does not answer as one within {PATIENCE + LONGER:g} s"
    if isinstance(error, MemoryError):
        # The first bytes of its answer (of HTTP, for example) were read as the length of a message.
        return "what listens there speaks another protocol"
    return " ".join(str(error).split())


async def identity(address: str) -> str:
    """The kind of the Dask server at an address."""
    from distributed import rpc
    from distributed.security import Security

    arguments = Security().get_connection_args("client")
    async with rpc(address, timeout=PATIENCE, connection_args=arguments) as server:
        found = await server.identity()
    return str(found["type"])


def waited_for(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine; in a notebook, whose thread already runs an event loop, it runs in another thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@contextmanager
def own_cluster(processes: int | None) -> Iterator[Client]:
    """A client of a new local cluster with this many processes; None means one per core.

    Only this process receives Ctrl-C, and it waits until the cluster has started or stopped: if one of its steps is
    interrupted, Dask leaves processes behind and prints tracebacks.
    """
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        try:
            with children_undisturbed():
                local = stack.enter_context(
                    ended(
                        LocalCluster(
                            n_workers=processes or os.cpu_count() or 1,
                            threads_per_worker=1,
                            host="127.0.0.1",
                            dashboard_address="127.0.0.1:0",
                            silence_logs=CRITICAL,
                        )
                    )
                )
                client = stack.enter_context(ended(Client(local)))
        except RuntimeError as error:
            raise ComputationError(
                "The workers did not start. They are new Python processes: a script that asks for them must keep its "
                'work under `if __name__ == "__main__":`, or use threads instead of workers.'
            ) from error
        yield client


@contextmanager
def ended(closable: Any) -> Iterator[Any]:
    """A context in which a client or cluster is open; at its end even a second Ctrl-C waits until it is closed."""
    try:
        yield closable
    finally:
        with uninterrupted():
            closable.close()
