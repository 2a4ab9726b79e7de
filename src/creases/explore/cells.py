"""A view that has been cut, as arrays to draw, and one of its cells in words and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.complex.births import layers_of_birth, layers_of_walls
from creases.complex.maps import map_blocks, norms_of
from creases.errors import DomainError
from creases.explore.view import View
from creases.network import Network

if TYPE_CHECKING:
    from creases.complex import Complex
    from creases.plot import Column, Shades

__all__ = ["COLOURS", "Cut", "area_factor", "legend_of", "picture_of"]

Floats = NDArray[np.float64]

COLOURS = ("pattern", "layer", "gradient", "class", "activity")
# The number of colours in a legend of numbers.
STEPS = 32
# With more cells than this, each has the class of its centre, because cutting them by the boundary may take seconds.
MOST_CUT = 30_000
# A view narrower than this, relative to its coordinates, is cut in coordinates around its centre: corners have errors
# up to 1e-9 of the coordinates, which would be visible.
NEAR = 1e-3
# The largest number of values of one level when points of a picture are evaluated.
NUMBERS_AT_ONCE = 1 << 22
# A picture has at most as many pixels as can be evaluated in this many seconds, but at least this many. The speed is
# measured on TRIED points.
PICTURE_SECONDS, LEAST_PIXELS, TRIED = 3.0, 48 * 48, (16, 8)
# The full gradient is computed if a map has no more entries than this.
LARGEST_MAP = 1 << 22


@dataclass(frozen=True, eq=False)
class Cut:
    """The cells of a network in a view.

    network : the given one. complex : in the plane's coordinates if floats are fine enough for the view's domain,
        otherwise from `View.subdivide`, in coordinates around the view's centre. (Corners that floats cannot separate
        are computed in double-double for chains of layers, and in rationals for other networks; a chain with the levels
        that a view adds is not a chain. So cutting in the plane's coordinates, where possible, is forty times as fast.)
    """

    network: Network
    view: View
    complex: Complex

    @classmethod
    def of(
        cls, network: Network, view: View, threads: int | None = None, progress: Callable[[int], None] | None = None
    ) -> Cut:
        """Cut a view. Raises the exceptions of `creases.subdivide` and of `progress`."""
        from creases.subdivision import subdivide

        options: dict[str, Any] = {"threads": threads, "progress": False if progress is None else progress}
        domain, (x, y) = view.domain, view.centre
        size = max(abs(float(x)), abs(float(y)), *view.half)
        if domain is None or min(view.half) < NEAR * size:
            return cls(network, view, view.subdivide(network, **options))
        return cls(network, view, subdivide(network, domain, **options))

    @property
    def is_direct(self) -> bool:
        """Whether the complex is of the given network itself."""
        return self.complex.network is self.network

    @property
    def centre(self) -> Floats:
        """The view's centre in the complex's coordinates, float64 (2,)."""
        return np.array([float(value) for value in self.view.centre]) if self.is_direct else np.zeros(2)

    def frame(self, directions: Floats) -> Floats:
        """Directions in the plane's coordinates, float64 (2, 2), and the centre, as a frame for `map_blocks`."""
        if not self.is_direct:
            return np.vstack([directions, np.zeros(2)])
        basis = self.view.plane.basis + np.asarray(self.view.plane.basis_tail)
        return np.vstack([directions @ basis, self.view.inputs(np.zeros(2))])

    @cached_property
    def finer(self) -> Complex:
        """The cells cut by the decision boundary as well."""
        from creases.plot.boundary import with_boundary

        return with_boundary(self.complex)

    @cached_property
    def born(self) -> NDArray[np.int64]:
        """The layer of birth of each cell, int64 (cells,)."""
        return layers_of_birth(self.complex.network, self.complex.first, self.complex.edges)

    @cached_property
    def gradients(self) -> Floats:
        """The norm of the network's gradient in the plane on each cell, per unit of length in input space: float64
        (cells,)."""
        frame = self.frame(unit_directions(self.view))
        blocks = map_blocks(self.complex.network, self.complex.patterns, frame)
        return norms_of(maps.matrices for maps in blocks).frobenius

    def column(self, color_by: str) -> Column | str:
        """The column by which `creases.plot.shades_of` colours. Raises DomainError if there is no such colouring."""
        from creases.plot import Column

        if color_by not in COLOURS:
            raise DomainError(f"Colours tell one of {', '.join(COLOURS)}; got {color_by!r}.")
        if color_by == "gradient":
            return Column(self.gradients, "gradient norm in the plane", unit="output / input")
        return color_by

    def arrays(self, color_by: str, boundary: bool) -> tuple[dict[str, NDArray[Any]], dict[str, Any] | None]:
        """The arrays to draw, and the legend of the colours.

        corners : float32 (corners, 2), in units of the view's half width. first : uint32 (cells + 1,). colours : uint8
        (cells, 3). walls : int32 (corners,), as `Complex.edges`. layers : int32 (corners,), those of the walls; 0 for
        none. With classes or the boundary also finer_first, finer_corners, finer_colours, and boundary, float32
        (pieces, 2, 2).
        """
        from creases.plot import shades_of

        complex, size = self.complex, self.view.half[0]
        arrays: dict[str, NDArray[Any]] = {
            "corners": ((complex.corners - self.centre) / size).astype(np.float32),
            "first": complex.first.astype(np.uint32),
            "walls": complex.edges.astype(np.int32),
            "layers": layers_of_walls(complex.network, complex.edges).astype(np.int32),
        }
        wanted = self.column(color_by)
        if (color_by == "class" or boundary) and self.is_coarse:
            from creases.plot.kinks import facets_in

            facets, classes = complex.facets, self.coarse_classes
            parted = facets.inner & (classes[facets.cells[:, 0]] != classes[facets.cells[:, 1]])
            pieces = facets_in(complex, parted, self.window)[0]
            arrays["boundary"] = ((pieces - self.centre) / size).astype(np.float32)
        elif color_by == "class" or boundary:
            from creases.plot.boundary import boundary_in

            pieces = boundary_in(self.finer, self.window)
            arrays["boundary"] = ((pieces - self.centre) / size).astype(np.float32)
        if color_by == "class" and not self.is_coarse:
            shades = self.class_shades(self.finer)
            arrays["finer_corners"] = ((self.finer.corners - self.centre) / size).astype(np.float32)
            arrays["finer_first"] = self.finer.first.astype(np.uint32)
            arrays["finer_colours"] = as_bytes(shades.colours)
            arrays["colours"] = np.zeros((len(complex), 3), np.uint8)
        else:
            shades = self.class_shades(complex) if color_by == "class" else shades_of(complex, wanted)
            arrays["colours"] = as_bytes(shades.colours)
        return arrays, legend_of(shades)

    @property
    def is_coarse(self) -> bool:
        """Whether there are so many cells that each is drawn in the class of its centre, instead of being cut by the
        boundary."""
        return len(self.complex) > MOST_CUT

    @property
    def window(self) -> tuple[float, float, float, float]:
        """The view in the complex's coordinates: xmin, xmax, ymin, ymax."""
        (x, y), (w, h) = self.centre.tolist(), self.view.half
        return x - w, x + w, y - h, y + h

    @cached_property
    def coarse_classes(self) -> NDArray[np.int64]:
        """The class at the mean of each cell's corners, to float64: int64 (cells,)."""
        complex = self.complex
        means = np.add.reduceat(complex.corners, complex.first[:-1]) / np.diff(complex.first)[:, None] - self.centre
        found, at = [np.zeros(0, np.int64)], 0
        for maps in map_blocks(complex.network, complex.patterns, self.frame(np.eye(2))):
            some = means[at : at + len(maps.offsets)]
            outputs = (maps.matrices @ some[:, :, None])[:, :, 0] + maps.offsets
            found.append(outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0).astype(np.int64))
            at += len(some)
        return np.concatenate(found)

    def class_shades(self, complex: Complex) -> Shades:
        """The colours of classes: those of the finer cells, each of which has one class, or those at the centres of the
        cells."""
        from creases.plot import Column, shades_of
        from creases.plot.boundary import classes_of_cells

        classes = self.coarse_classes if complex is self.complex else classes_of_cells(complex)
        most = max(self.network.n_out, 2) - 1
        return shades_of(complex, Column(classes, "class", kind="class", most=most))

    def cell(self, index: int, neighbours: bool = True) -> dict[str, Any]:
        """All facts about one cell. Raises DomainError if there is no cell with this number.

        neighbours : whether to include the cells across its sides, for which all cells are connected once.
        """
        complex = self.complex
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(complex):
            raise DomainError(f"This view has cells 0 to {len(complex) - 1}; got {index!r}.")
        cell = complex.cell(index)
        maps = next(iter(map_blocks(complex.network, complex.patterns[index : index + 1], self.frame(np.eye(2)))))
        corners = cell.vertices
        x, y = (corners - corners[0]).T
        area = 0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
        full = None
        if (self.network.n_in + 1) * max(level.n_values for level in self.network.levels) <= LARGEST_MAP:
            full = float(np.linalg.norm(self.network.affine_map_of(cell.pattern)[0]))
        return {
            "cell": index,
            "layer_of_birth": int(self.born[index]),
            "layers": [
                {
                    "name": name,
                    "width": len(part),
                    "active": int(np.count_nonzero(part)) if part.dtype == np.bool_ else None,
                    "bits": "".join("1" if bit else "0" for bit in part) if part.dtype == np.bool_ else None,
                    "winners": None if part.dtype == np.bool_ else part.tolist(),
                }
                for name, part in zip(self.network.layer_names, cell.pattern, strict=True)
            ],
            "matrix": finite(maps.matrices[0]),
            "offset": finite(maps.offsets[0]),
            "gradient_in_plane": number(float(np.linalg.norm(maps.matrices[0] @ unit_directions(self.view).T))),
            "gradient": None if full is None else number(full),
            "area": number(area * area_factor(self.view)),
            "vertices": len(corners),
            "neighbours": self.neighbours(index) if neighbours else None,
        }

    def neighbours(self, index: int) -> list[dict[str, Any]]:
        """For each side of a cell: the cell across it, -1 on the boundary of the view, and the wall in words."""
        complex = self.complex
        facets = complex.facets
        numbers = complex.side_facets[complex.sides.first[index] : complex.sides.first[index + 1]]
        found = []
        for facet in numbers.tolist():
            one, other = facets.cells[facet].tolist()
            wall = int(facets.walls[facet])
            behind = other if one == index else one
            words = complex.wall_name(wall)
            said = "the end of the view" if wall < 0 else f"{words[1]}, {words[0]} {words[2]}"
            found.append({"cell": behind if wall >= 0 else -1, "wall": wall, "says": said})
        return found


def unit_directions(view: View) -> Floats:
    """Two directions in the plane's coordinates, float64 (2, 2), as rows, that are orthonormal in input space."""
    basis = view.plane.basis + np.asarray(view.plane.basis_tail)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(basis @ basis.T)))


def area_factor(view: View) -> float:
    """The area in input space of a unit square in the plane's coordinates."""
    basis = view.plane.basis
    return float(np.sqrt(np.linalg.det(basis @ basis.T)))


def picture_of(
    network: Network, view: View, color_by: str, size: tuple[int, int], look_up: Callable[[int], None] | None = None
) -> NDArray[np.uint8]:
    """A picture of too many regions to draw: each pixel has the colour of its centre, computed in float64.

    color_by : "class", or the pattern. size : the largest numbers of columns and rows; there are fewer if the network
        is slow to evaluate. look_up : called with the number of pixels at intervals; an exception from it ends the
        picture. Returns uint8 (rows, columns, 3), the top row first.
    """
    seen = view.network(network)
    step = max(256, NUMBERS_AT_ONCE // max(level.n_units for level in seen.levels))

    def drawn(columns: int, rows: int) -> NDArray[np.uint8]:
        places, parts = middles(view, columns, rows), []
        for start in range(0, len(places), step):
            if look_up is not None:
                look_up(start)
            parts.append(as_bytes(colours_at(seen, places[start : start + step], color_by)))
        return np.concatenate(parts).reshape(rows, columns, 3)

    drawn(1, 1)
    begin = perf_counter()
    drawn(*TRIED)
    pace = (perf_counter() - begin) / (TRIED[0] * TRIED[1])
    columns, rows = size
    share = sqrt(max(PICTURE_SECONDS / max(pace, 1e-9), LEAST_PIXELS) / (columns * rows))
    return drawn(*(max(1, round(number * min(share, 1.0))) for number in size))


def middles(view: View, columns: int, rows: int) -> Floats:
    """The centres of the pixels of a picture of a view, relative to the view's centre, the top row first: (pixels,
    2)."""
    w, h = view.half
    x = w * ((np.arange(columns) + 0.5) / columns * 2 - 1)
    y = h * (1 - (np.arange(rows) + 0.5) / rows * 2)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def colours_at(seen: Network, places: Floats, color_by: str) -> Floats:
    """The colours of the classes, or of the patterns, at points of a view's network: float64 (places, 3)."""
    from creases.plot.colours import colours_of_patterns
    from creases.plot.shades import class_colours

    if color_by != "class":
        return colours_of_patterns(seen, seen.packed_pattern(places))
    outputs = seen.forward(places)
    winners = outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0).astype(np.int64)
    return np.asarray(class_colours(max(seen.n_out, 2))[winners])


def legend_of(shades: Shades) -> dict[str, Any] | None:
    """The legend of colours as plain numbers: steps with one colour each, or a scale from low to high; None for
    patterns."""
    column, norm, colormap = shades.column, shades.norm, shades.colormap
    if column is None or norm is None or colormap is None:
        return None
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 0.0)
    if column.kind == "amount":
        stops = as_bytes(np.asarray(colormap(np.linspace(0, 1, STEPS)))[:, :3]).tolist()
        is_log = type(norm).__name__ == "LogNorm"
        return {"title": column.title, "low": number(low), "high": number(high), "log": is_log, "stops": stops}
    steps = np.arange(int(np.ceil(low)), int(np.ceil(high)))
    colours = as_bytes(np.asarray(colormap(norm(steps)))[:, :3]).tolist()
    return {"title": column.title, "steps": [[int(step), colour] for step, colour in zip(steps, colours, strict=True)]}


def as_bytes(colours: Floats) -> NDArray[np.uint8]:
    """Colours in [0, 1] as bytes."""
    return np.round(np.asarray(colours) * 255).astype(np.uint8)


def number(value: float) -> float | None:
    """A number for JSON; None if it is not finite."""
    return value if np.isfinite(value) else None


def finite(values: Floats) -> Any:
    """Numbers as lists for JSON, with None for numbers that are not finite."""
    return [finite(value) if value.ndim else number(float(value)) for value in map(np.asarray, values)]
