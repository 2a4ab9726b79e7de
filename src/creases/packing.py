"""What the front doors share: a network and a domain are checked against each other and packed for the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.domain import Domain, Polyline
from creases.errors import DomainError
from creases.network import Network

if TYPE_CHECKING:
    from creases.engine.problem import Problem

__all__ = ["as_lines", "as_problem", "check_fit", "check_threads", "is_line"]

WHOLE = np.array([[-np.inf], [np.inf]])


def check_fit(network: Network, domain: Domain) -> None:
    """Raise DomainError unless the domain lies in the network's input space and has at most two dimensions."""
    if not isinstance(network, Network):
        raise DomainError(
            f"count needs a Network, got {type(network).__name__}. Open a model with creases.load(path_or_module)."
        )
    if not isinstance(domain, Domain):
        raise DomainError(
            f"count needs a domain, got {type(domain).__name__}. Domains are Segment, Polyline, Line, Polygon, "
            "Plane, Box and Space."
        )
    dimension, n_in = domain.slice.basis.shape
    if n_in != network.n_in:
        raise DomainError(f"{domain!r} lies in a space of {n_in} inputs, but {network!r} takes {network.n_in}.")
    if dimension > 2:
        raise DomainError(
            f"{domain!r} has {dimension} dimensions; this version cuts domains of one and two. "
            "Cut a slice instead: Segment, Line, Plane.through(a, b, c), or a Box that holds all but two inputs fixed."
        )


def check_threads(threads: int | None) -> None:
    """Raise DomainError unless `threads` is None or a whole number of at least one."""
    whole = isinstance(threads, int) and not isinstance(threads, bool)
    if threads is not None and not (whole and threads >= 1):
        raise DomainError(f"threads must be a whole number of at least 1, or None for all cores; got {threads!r}.")


def as_problem(network: Network, domain: Domain) -> Problem:
    """The arrays that the engine works on."""
    from creases.engine.problem import Problem

    sliced = domain.slice
    return Problem(
        weights=tuple(layer.weight for layer in network.hidden),
        biases=tuple(layer.bias for layer in network.hidden),
        origin=sliced.origin,
        basis=sliced.basis,
        basis_tail=sliced.basis_tail,
        vertices=None if isinstance(domain, Polyline) else domain.vertices,
    )


def is_line(domain: Domain) -> bool:
    """Whether a domain is one interval or one whole line."""
    return not isinstance(domain, Polyline) and domain.slice.dimension == 1


def as_lines(
    domains: Sequence[Domain], room: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Origins and directions, float64 (l, n_in), and ends, float64 (l, 2), of domains of one dimension.

    room : float64 (2, at least l, n_in), where the first two are put: fresh memory for each block costs as much time as
    the copy.
    """
    slices = [domain.slice for domain in domains]
    vertices = [None if isinstance(domain, Polyline) else domain.vertices for domain in domains]
    origins, directions = room[:, : len(slices)]
    np.concatenate([sliced.origin for sliced in slices], out=origins.reshape(-1))
    np.concatenate([sliced.basis for sliced in slices], out=directions)
    ends = np.concatenate([WHOLE if corners is None else corners for corners in vertices])
    return origins, directions, ends.reshape(-1, 2)
