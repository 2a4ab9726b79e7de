"""The facts that every file of cells contains besides the cells, and the checks before a file is begun."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from creases.domain import Directions, Domain, Space, Subspace
from creases.errors import DomainError, ModelFileError
from creases.network import Network

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["check_dimension", "check_form", "check_has_end", "check_window", "facts_of", "pieces_of", "result_of"]

FILE_FORMS = (".npz", ".parquet", ".geojson", ".vtu")

Window = tuple[float, float, float, float]


def facts_of(network: Network, domain: Domain) -> dict[str, Any]:
    """A description of the network and the domain, for JSON.

    network : its hash. layers, bits_by_layer : the names of the layers, and the number of bits of each in a pattern,
        layer after layer: bit i of a pattern is bit i % 8 of byte i // 8. domain : in the form that
        `creases.domain.domain_from_dict` reads; coordinates are those of its slice.
    """
    return {
        "network": network.sha256,
        "domain": domain.to_dict(),
        "dimension": domain.slice.dimension,
        "layers": list(network.layer_names),
        "bits_by_layer": [int(places.sum()) for places in network.places],
        "notes": list(network.notes),
    }


def result_of(result: Any) -> dict[str, Any]:
    """The numbers of regions of a Complex or a Count, for JSON."""
    return {
        "regions": result.regions,
        "by_layer": list(result.by_layer),
        "certified": result.certified,
        "exact_cells": result.exact_cells,
        "seconds": result.seconds,
        "version": result.version,
    }


def check_dimension(domain: Domain, dimensions: tuple[int, ...], what: str) -> None:
    """Raise DomainError unless a domain's cells are intervals, polygons or polyhedra of one of these dimensions."""
    if isinstance(domain, Directions) or domain.slice.dimension not in dimensions:
        allowed = " or ".join(map(str, dimensions))
        kind = "are directions" if isinstance(domain, Directions) else f"have dimension {domain.slice.dimension}"
        solid = domain.slice.dimension == 3 and not isinstance(domain, Directions | Space | Subspace)
        others = ".vtu, " if solid else ""
        raise DomainError(
            f"{what} holds cells of dimension {allowed}, and those of {domain!r} {kind}. Save them as {others}.npz or "
            ".parquet, or cut a slice of fewer dimensions."
        )


def check_form(path: Path, suffix: str) -> None:
    """Raise ModelFileError if a file's name has the suffix of another of the four formats."""
    if path.suffix in FILE_FORMS and path.suffix != suffix:
        raise ModelFileError(f"{path.name} would hold a {suffix} file. Rename it {path.stem}{suffix}.")


def check_has_end(domain: Domain) -> None:
    """Raise DomainError on a whole three-dimensional space: its cells are not clipped to a window as polygons are."""
    if isinstance(domain, Space | Subspace) and domain.slice.dimension == 3:
        raise DomainError(
            f"{domain!r} has cells without an end, which a .vtu file does not hold. Cut the Box that is to be seen, or "
            "save them as .npz or .parquet."
        )


def check_window(window: ArrayLike) -> Window:
    """A window as (xmin, xmax, ymin, ymax). Raises DomainError unless it is finite and has a positive area."""
    given = np.asarray(window, dtype=np.float64)
    if given.shape != (4,) or not np.isfinite(given).all() or given[0] >= given[1] or given[2] >= given[3]:
        raise DomainError(
            f"A window is (xmin, xmax, ymin, ymax), finite and with xmin < xmax and ymin < ymax; got {window!r}."
        )
    xmin, xmax, ymin, ymax = given.tolist()
    return xmin, xmax, ymin, ymax


def pieces_of(complex: Complex, window: ArrayLike | None) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """`Complex.polygons`; a cell without interior points in the window becomes an empty array."""
    polygons = complex.polygons(None if window is None else check_window(window))
    nothing = np.zeros((0, 2))
    return [polygon if len(polygon) > 2 else nothing for polygon in polygons]
