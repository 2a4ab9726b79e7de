"""Statistics of cells: a table with one row per region, and a summary of one screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.complex import births
from creases.complex.maps import map_blocks
from creases.complex.skeleton import sides_of
from creases.complex.volumes import bounded_cells, facets_per_cell
from creases.domain import Ball, Directions
from creases.errors import require_extra

if TYPE_CHECKING:
    import pandas

    from creases.complex.complex import Complex

__all__ = ["COLUMNS", "classes_of", "columns_of", "frame_of_cells", "layers_of_birth", "spread_of", "summary_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUANTILES = {"least": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "largest": 1.0}
# The largest number of layers that a summary lists.
MOST_LAYERS = 12
POINTS_AT_ONCE = 4096


def layers_of_birth(complex: Complex) -> Ints:
    """The layer of birth of each cell (`births`), int64 (cells,), from 1 on; 0 if no neuron or switch bounds it."""
    sides = sides_of(complex)[0]
    return births.layers_of_birth(complex.network, sides.first, sides.walls)


def vertices_per_cell(complex: Complex) -> Ints:
    """The number of vertices of each cell, int64 (cells,); 0 for a cell that contains a line."""
    if len(complex.lineality):
        return np.zeros(len(complex), np.int64)
    return np.add.reduceat((~complex.at_infinity).astype(np.int64), complex.first[:-1])


def classes_of(complex: Complex) -> Ints:
    """The largest output at each cell's interior point, the first if several are equal; for a single output its sign,
    -1, 0 or 1: int64 (cells,). Other points of the cell may have another class. For directions, the class far from the
    origin."""
    network, points, at = complex.network, complex.interior_points, 0
    classes = np.zeros(len(points), np.int64)
    for outputs in outputs_at(complex, points):
        end = at + len(outputs)
        classes[at:end] = np.sign(outputs[:, 0]) if network.n_out == 1 else outputs.argmax(axis=1)
        at = end
    return classes


def outputs_at(complex: Complex, points: Floats) -> Iterator[Floats]:
    """The outputs at one point of each cell, in blocks; for directions, the part that grows with the distance."""
    if isinstance(complex.domain, Directions):
        at = 0
        for matrices, _ in map_blocks(complex.network, complex.patterns):
            yield (matrices @ points[at : at + len(matrices), :, None])[..., 0]
            at += len(matrices)
        return
    for at in range(0, len(points), POINTS_AT_ONCE):
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            outputs = complex.network.forward(complex.domain.slice.points(points[at : at + POINTS_AT_ONCE]))
        yield outputs


# The columns of `Complex.table`, in their order: arrays with one entry per cell.
COLUMNS: dict[str, Callable[[Complex], NDArray[Any]]] = {
    "layer_of_birth": layers_of_birth,
    "volume": lambda complex: complex.volumes,
    "facets": facets_per_cell,
    "vertices": vertices_per_cell,
    "bounded": bounded_cells,
    "gradient_norm": lambda complex: complex.gradient_norms,
    "class": classes_of,
}


def columns_of(complex: Complex, data: ArrayLike | None = None) -> dict[str, NDArray[Any]]:
    """The columns of `Complex.table`, as arrays with one entry per cell."""
    columns = {name: make(complex) for name, make in COLUMNS.items()}
    if data is not None:
        cells = complex.locate(data)
        columns["points"] = np.bincount(cells[cells >= 0], minlength=len(complex))
    return columns


def frame_of_cells(complex: Complex, data: ArrayLike | None = None) -> pandas.DataFrame:
    """`Complex.table`."""
    try:
        import pandas
    except ImportError as error:
        raise require_extra("pandas", "pandas", "A table of regions") from error
    return pandas.DataFrame(columns_of(complex, data), index=pandas.RangeIndex(len(complex), name="region"))


def summary_of(complex: Complex) -> str:
    """`Complex.summary`."""
    facets, volumes, bounded = complex.facets, complex.volumes, bounded_cells(complex)
    n, inner = len(complex), int(facets.inner.sum())
    far = int(complex.vertices_at_infinity.sum())
    dimension = complex.domain.dimension if isinstance(complex.domain, Directions) else complex.dimension
    lines = [
        f"{complex.network!r}",
        f"on {complex.domain!r}",
        "",
        line("regions", f"{n:,}", "certified" if complex.certified else "NOT certified"),
        line("", f"{n - int(bounded.sum()):,}", "unbounded"),
        line("vertices", f"{len(complex.vertices) - far:,}", f"and {far:,} at infinity" if far else ""),
        line("facets", f"{len(facets):,}", f"{inner:,} part two regions"),
        line("a region", f"{facets_per_cell(complex).mean():.2f}", "facets on average"),
        line("dual graph", f"{2 * inner / n:.2f}", f"neighbours on average; 2 d is {2 * dimension}"),
        "",
        f"{'':14}" + "".join(f"{name:>11}" for name in (*QUANTILES, "total")),
        quantiles("volume", volumes[bounded], total=True),
        quantiles("gradient norm", complex.gradient_norms),
    ]
    if isinstance(complex.domain, Ball):
        lines.insert(2, "whole regions: those that meet the sphere are not clipped by it")
    numbers = np.bincount(layers_of_birth(complex), minlength=complex.network.depth + 1)
    names = ["none", *complex.network.layer_names]
    names = [f"layer '{name}'" if name.isdigit() else name for name in names]  # '5' in an nn.Sequential
    born = [f"{name} {count:,}" for name, count in zip(names, numbers.tolist(), strict=True) if count]
    if len(born) > MOST_LAYERS:
        born = [*born[:MOST_LAYERS], f"and {len(born) - MOST_LAYERS} more layers"]
    lines += ["", "born in       " + ", ".join(born)]
    return "\n".join(text.rstrip() for text in lines)


def line(name: str, number: str, said: str) -> str:
    """A line of the summary."""
    return f"{name:<14}{number:>11}  {said}"


def quantiles(name: str, values: Floats, total: bool = False) -> str:
    """A line with quantiles of the finite values."""
    spread = spread_of(values, total)
    if not spread:
        return line(name, "none", "")
    return f"{name:<14}" + "".join(f"{number:>11.4g}" for number in spread.values())


def spread_of(values: Floats, total: bool = False) -> dict[str, float]:
    """The quantiles of the finite values, by name, and their sum if `total`; empty if there are none."""
    values = values[np.isfinite(values)]
    if not len(values):
        return {}
    with np.errstate(over="ignore"):
        found = dict(zip(QUANTILES, np.quantile(values, list(QUANTILES.values())).tolist(), strict=True))
        return {**found, "total": float(values.sum())} if total else found
