"""All activation regions of a network on a domain of one to eight dimensions, as plain arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.complex.archive import (
    FORMATS,
    LIMITS,
    arrays_of,
    cells_from,
    digest_of_archive,
    network_from,
    network_parts,
)
from creases.complex.clip import clip_to_window, usual_window
from creases.complex.names import name_of
from creases.complex.skeleton import Facets, Given, Skeleton, lineality_of_flat, skeleton_of
from creases.domain import Domain, Segment, domain_from_dict
from creases.errors import ModelFileError, NotEnoughMemoryError
from creases.files import replace_file
from creases.memory import enough_memory
from creases.network import Network
from creases.network.saving import FORMAT, GRAPH_FORMAT
from creases.npz import check_npz
from creases.version import __version__

if TYPE_CHECKING:
    import pandas

    from creases.complex.checking import Check
    from creases.complex.definitions import Definitions
    from creases.complex.faces import Faces, Lattice
    from creases.complex.inscribed import Balls
    from creases.complex.linear import LinearRegions
    from creases.complex.locating import Along
    from creases.complex.pulling import CellSizes
    from creases.complex.strata import BentHyperplanes, Strata
    from creases.engine.answers.sides import Sides

__all__ = ["Cell", "Complex"]

Floats = NDArray[np.float64]
ARRAYS = ("first", "corners", "at_infinity", "edges", "patterns")


@dataclass(frozen=True, eq=False)
class Cell:
    """One activation region of a Complex.

    index : its number in the complex.
    vertices : float64 (v, d), the finite corners in slice coordinates, with the accuracy of `Complex`;
        counter-clockwise for d = 2.
    rays : float64 (r, d), unit directions in which it is unbounded.
    pattern : one array per layer, bool for neurons, int64 for switches.
    """

    index: int
    vertices: Floats
    rays: Floats
    pattern: list[NDArray[Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Complex:
    """The activation regions of a network on a domain, as `creases.subdivide` returns them. They are called cells.

    network, domain : the arguments of `subdivide`.
    first : int64 (cells + 1,); the corners of cell i are rows first[i] to first[i + 1] of the arrays below.
    corners : float64 (corners, d), in slice coordinates. Each is proved to be within 1e-9 of the true corner, relative
        to the largest coordinate of a bounded domain's corners, or to the corner itself in a whole space; otherwise it
        is the nearest float64. Directions have length one and are within 1e-9 too.
    at_infinity : bool (corners,); True if the corner is a direction in which the cell is unbounded.
    edges : int64 (corners,); the wall between a corner and the next (d = 1: at the corner): the number of a neuron (its
        bit in the pattern), -1 for infinity, -2 - i for edge i of the domain. For two candidates of a switch, with the
        bits a and a + k of N, it is N (1 + k) + a. `wall_name` decodes it. Empty for d >= 3 and for directions, which
        have `sides`.
    patterns : uint8 (cells, ceil(N / 8)), as from `Network.packed_pattern`: neuron i is bit i % 8 of byte i // 8, and a
        switch has one bit per candidate; proved.
    by_layer, certified, exact_cells, seconds, version : as in `Count`.
    given : the walls of the cells for d >= 3 and for directions; else they are in `edges`.

    The order of the cells does not depend on the number of threads; on a line it is the order along the line.
    """

    network: Network
    domain: Domain
    first: NDArray[np.int64]
    corners: Floats
    at_infinity: NDArray[np.bool_]
    edges: NDArray[np.int64]
    patterns: NDArray[np.uint8]
    by_layer: tuple[int, ...]
    certified: bool
    exact_cells: int
    seconds: float
    version: str = field(default=__version__)

    given: Given | None = None

    def __post_init__(self) -> None:
        for name in ARRAYS:
            getattr(self, name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.first) - 1

    def __repr__(self) -> str:
        certified = "certified" if self.certified else "NOT certified"
        return f"Complex({len(self):,} regions, {certified}, {self.domain!r}, network={self.network.sha256[:12]})"

    def _repr_html_(self) -> str:
        from creases.complex.notebook import html_of

        return html_of(self)

    @property
    def regions(self) -> int:
        """Number of activation regions."""
        return len(self)

    @property
    def is_flat(self) -> bool:
        """Whether the cells are intervals or polygons, with corners in order and `edges`."""
        return self.given is None

    @property
    def dimension(self) -> int:
        """Dimension of the domain's slice."""
        return int(self.corners.shape[1])

    def pattern(self, index: int) -> list[NDArray[Any]]:
        """The activation pattern of a cell, one array per layer, as from `Network.pattern`: bool for neurons, int64
        for switches (the position of the winner in its group).
        """
        return self.network.unpacked_pattern(self.patterns[index])

    def wall_name(self, edge: int) -> tuple[str | int, ...]:
        """The wall that an entry of `edges`, `facets.walls` or `sides.walls` stands for.

        ("neuron", layer, index) : a neuron, by the name of its layer and its position in the pattern there.
        ("switch", layer, index, one, other) : two candidates of a switch, by their positions in its group; each wins on
        one side.
        ("infinity",), ("domain", index) : infinity, or a side of the domain.
        Raises IndexError if there is no such wall.

        Examples
        --------
        >>> from creases import Box, Network, subdivide
        >>> network = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[-1.0, -1.0], [0.0]])
        >>> cells = subdivide(network, Box([0], [2]))
        >>> [cells.wall_name(edge) for edge in cells.edges]
        [('domain', 0), ('neuron', 'layer 1', 0), ('neuron', 'layer 1', 0), ('domain', 1)]
        """
        return name_of(self.network, int(edge))

    def cell(self, index: int) -> Cell:
        """One cell with its corners and pattern. Raises IndexError if there is no cell with this index."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"cell {index} of a complex of {len(self)} cells")
        index %= len(self)
        rows = slice(self.first[index], self.first[index + 1])
        infinite = self.at_infinity[rows]
        return Cell(index, self.corners[rows][~infinite], self.corners[rows][infinite], self.pattern(index))

    def __iter__(self) -> Iterator[Cell]:
        return (self.cell(i) for i in range(len(self)))

    def affine_map(self, index: int) -> tuple[Floats, Floats]:
        """The affine map x -> matrix @ x + offset of the network on a cell, as from `Network.affine_map`."""
        return self.network.affine_map_of(self.pattern(index))

    @cached_property
    def lineality(self) -> Floats:
        """The directions in which every cell contains a line, float64 (lines, d), independent and of length one.
        They occur on whole lines, planes and spaces; a vertex then stands for all points that differ by these
        directions.
        """
        if self.given is not None:
            return self.given.lineality
        return lineality_of_flat(self.first, self.corners, self.at_infinity)

    @cached_property
    def _skeleton(self) -> Skeleton:
        with enough_memory("Putting the cells together", "Subdivide a smaller domain."):
            return skeleton_of(self)

    @property
    def vertices(self) -> Floats:
        """All vertices, each once, float64 (vertices, d), in slice coordinates; directions of length one where
        `vertices_at_infinity` is True. Which corners of cells are the same vertex is proved.
        """
        return self._skeleton.vertices

    @property
    def vertices_at_infinity(self) -> NDArray[np.bool_]:
        """Whether each of the `vertices` is a direction, bool (vertices,)."""
        return self._skeleton.vertices_at_infinity

    @property
    def vertex_numbers(self) -> NDArray[np.int64]:
        """The vertex number of each of the `corners`, int64 (corners,); -1 for corners that are not vertices, of
        cells that contain a line.
        """
        return self._skeleton.vertex_numbers

    @property
    def facets(self) -> Facets:
        """All facets, each once, with the cells on both sides and the walls on which they lie."""
        return self._skeleton.facets

    @property
    def sides(self) -> Sides:
        """The sides of each cell: their walls and corners."""
        return self._skeleton.sides

    @property
    def side_facets(self) -> NDArray[np.int64]:
        """The facet number of each of the `sides`, int64 (sides,)."""
        return self._skeleton.side_facets

    @cached_property
    def is_bounded(self) -> NDArray[np.bool_]:
        """Whether each cell is bounded, bool (cells,); False for cells of `Directions`."""
        return ~np.logical_or.reduceat(self.at_infinity, self.first[:-1]) & (not len(self.lineality))

    def bent_hyperplanes(self) -> BentHyperplanes:
        """The bent hyperplanes of all neurons and pairs of candidates: their facets, (d - 1)-volumes, connected
        components, and whether these are bounded. Computed at every call.

        Raises DomainError on a Ball.
        """
        from creases.complex.strata import bent_hyperplanes

        with enough_memory("Measuring bent hyperplanes", "Subdivide a smaller domain."):
            return bent_hyperplanes(self)

    def strata(self) -> Strata:
        """The strata: number and (d - k)-volume of the faces at which exactly k neurons vanish, for k = 0 ... d.
        Computed at every call.

        Raises DomainError on a Ball.
        """
        from creases.complex.strata import strata_of

        with enough_memory("Measuring strata", "Subdivide a smaller domain."):
            return strata_of(self)

    @cached_property
    def _lattice(self) -> Lattice:
        from creases.complex.faces import lattice_of

        with enough_memory("A list of all faces", "Subdivide a smaller domain."):
            return lattice_of(self)

    def faces(self, dimension: int) -> Faces:
        """The faces of one dimension, each once, with their vertices and cells.

        dimension : 0 to d. Faces of dimension d are the cells, those of dimension d - 1 the `facets`, and those of
            dimension 0 the vertices that are not at infinity, each in their own order.
        Unbounded faces and faces on the boundary of the domain are included, faces at infinity are not. For directions
        the faces are cones; the one of dimension 0 is the origin, which has no vertices.
        Raises ValueError if there is no such dimension.
        """
        return self._lattice.levels[self._checked_dimension(dimension, 0)]

    def incidence(self, dimension: int) -> Any:
        """The incidence matrix between faces of a dimension, 1 to d, and those of one dimension less: a
        scipy.sparse.csr_array of bool, (faces(dimension), faces(dimension - 1)).

        Raises ValueError if there is no such dimension.
        """
        from creases.complex.faces import incidence_of

        return incidence_of(self._lattice, self._checked_dimension(dimension, 1))

    def _checked_dimension(self, dimension: int, least: int) -> int:
        if dimension not in range(least, self.dimension + 1):
            raise ValueError(f"This complex has faces of dimension {least} to {self.dimension}, got {dimension}.")
        return int(dimension)

    def f_vector(self) -> NDArray[np.int64]:
        """The numbers of `faces` of dimension 0, 1, ... d, int64 (d + 1,).

        Examples
        --------
        >>> from creases import Box, Network, Space, subdivide
        >>> network = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
        >>> subdivide(network, Box([-1, -1], [1, 1])).f_vector()
        array([ 9, 12,  4])
        >>> subdivide(network, Space(2)).f_vector()
        array([1, 4, 4])
        """
        return np.array([len(level) for level in self._lattice.levels])

    def adjacency(self) -> Any:
        """The adjacency matrix of cells that share a facet: a symmetric scipy.sparse.csr_array of bool, (cells,
        cells). On a Ball the shared facet may lie outside of it.
        """
        from creases.complex.graphs import adjacency_of

        return adjacency_of(self)

    def dual_graph(self) -> Any:
        """The dual graph as a networkx.Graph: a node for each cell, 0 to cells - 1, and an edge for each facet between
        two.

        Edges have the attributes `facet`, the number of the facet, and `wall`, its wall, as `wall_name` reads it.
        Raises MissingExtraError if networkx is not installed.
        """
        from creases.complex.graphs import dual_graph_of

        return dual_graph_of(self)

    @cached_property
    def _linear(self) -> LinearRegions:
        from creases.complex.linear import linear_regions_of

        with enough_memory("Comparing the maps of cells", "Subdivide a smaller domain."):
            return linear_regions_of(self)

    @property
    def linear_regions(self) -> NDArray[np.int64]:
        """The linear region of each cell, int64 (cells,), numbered by their first cells.

        Linear regions are the connected components of the set on which the gradient of the network, restricted to the
        domain, is locally constant (Hanin and Rolnick 2019, section 2): cells connected across facets at which the
        gradient does not jump, which is proved. They need not be convex. On a Ball, cells are connected only across
        facets that meet it. For directions the gradient is that of `network.without_biases()`.
        """
        return self._linear.regions

    @property
    def affine_maps(self) -> NDArray[np.int64]:
        """The number of the affine map of each cell, int64 (cells,). Cells have equal numbers if their maps are
        equal on the domain, connected or not, which is proved. Numbered by their first cells.
        """
        return self._linear.maps

    @property
    def jumps(self) -> NDArray[np.bool_]:
        """Whether the gradient jumps at each of the `facets`, bool (facets,); False on the boundary of the domain."""
        return self._linear.jumps

    def definitions(self) -> Definitions:
        """The numbers of regions by the six definitions of the literature (Stargalla, Hertrich and Reichman 2025), as a
        `Definitions`. It lists all faces.

        Raises DomainError on a Ball.
        """
        from creases.complex.definitions import definitions_of

        with enough_memory("Comparing six definitions of regions", "Subdivide a smaller domain."):
            return definitions_of(self)

    def check(self, *, sample: int | None = 200, seed: int = 0) -> Check:
        """Verify the complex independently: connections (Euler's relation), volumes, and in rational arithmetic signs
        and coordinates.

        sample : number of cells, and of facets, that are verified in rational arithmetic, drawn with `seed`; None for
            all.
        Returns a `Check`. Raises ComputationError that names the first contradiction.
        """
        from creases.complex.checking import check_complex

        return check_complex(self, sample, seed)

    @cached_property
    def _interior(self) -> tuple[Floats, dict[int, tuple[Fraction, ...]]]:
        from creases.engine.answers.interior import interior_points, interior_points_in_space
        from creases.packing import as_problem

        with enough_memory("A search for points inside the cells", "Subdivide a smaller domain."):
            problem = as_problem(self.network, self.domain)
            if self.given is not None:
                cells = (self.first, self.corners, self.at_infinity, self.given.sides, self.patterns)
                return interior_points_in_space(problem, *cells)
            arrays = (self.first, self.corners, self.at_infinity, self.edges, self.patterns)
            return interior_points(problem, *arrays)

    @property
    def interior_points(self) -> Floats:
        """A point of each cell, float64 (cells, d) in slice coordinates, proved to lie strictly inside.

        If no float64 point lies inside a cell, it is the one nearest to a rational point inside; see
        `exact_interior_points`.
        """
        return self._interior[0]

    @property
    def exact_interior_points(self) -> dict[int, tuple[Fraction, ...]]:
        """Rational interior points of the cells in which no float64 point was found, by cell number."""
        return self._interior[1]

    @cached_property
    def _sizes(self) -> CellSizes:
        from creases.complex.volumes import sizes_of

        with enough_memory("Measuring cells", "Subdivide a smaller domain."):
            return sizes_of(self)

    @property
    def volumes(self) -> Floats:
        """The d-volume of each cell in the units of input space, float64 (cells,): a length, an area, ...; infinite
        if the cell is unbounded, such as the cones of `Directions`.
        """
        return self._sizes.volumes

    @property
    def centroids(self) -> Floats:
        """The centre of mass of each cell, float64 (cells, d), in slice coordinates; NaN if unbounded."""
        return self._sizes.centroids

    @cached_property
    def diameters(self) -> Floats:
        """The largest distance between two points of each cell, float64 (cells,), in the units of input space."""
        from creases.complex.volumes import diameters

        with enough_memory("Measuring cells", "Subdivide a smaller domain."):
            return diameters(self)

    @cached_property
    def gradient_norms(self) -> Floats:
        """The norm of the network's gradient on each cell, float64 (cells,): the Frobenius norm of the matrix of its
        affine map, in units of the outputs by inputs. `creases.complex.maps.gradient_norms` has spectral norms too.
        """
        from creases.complex.maps import gradient_norms

        return gradient_norms(self).frobenius

    @cached_property
    def _balls(self) -> Balls:
        from creases.complex.inscribed import balls_of

        return balls_of(self)

    @property
    def inradii(self) -> Floats:
        """The radius of the largest ball in each cell, float64 (cells,), in the units of input space; infinite if
        the cell contains balls of every size.
        """
        return self._balls.radii

    @property
    def chebyshev_centres(self) -> Floats:
        """The centre of the largest ball in each cell, float64 (cells, d), in slice coordinates; NaN if its radius
        is infinite.
        """
        return self._balls.centres

    def locate(self, points: ArrayLike) -> NDArray[np.int64]:
        """The cell in whose interior each point lies, int64 (n,), proved; -1 outside of the domain and on walls.

        points : (n, d), in slice coordinates; for `Directions` they stand for their directions.
        Raises DomainError if the shape is wrong or a coordinate is not finite.
        """
        from creases.complex.locating import locator_of

        return locator_of(self).locate(points)

    def along(self, segment: Segment | ArrayLike) -> Along:
        """The cells that a segment meets, in order, and the points at which it passes from one to the next.

        segment : two points, (2, d) in slice coordinates, or a Segment in the domain's slice. If the inputs of its ends
            are not float64 numbers they are rounded, and a piece has the cell of its rounded midpoint.
        Raises DomainError if it does not lie in the domain, or the domain is `Directions`.
        """
        from creases.complex.locating import along

        return along(self, segment)

    def table(self, data: ArrayLike | None = None) -> pandas.DataFrame:
        """A pandas DataFrame with one row per region, indexed by its number.

        data : points, (n, d) in slice coordinates, or None.

        The columns are:

        layer_of_birth : the highest layer whose neuron or switch bounds the region, from 1; 0 if none does.
        volume, gradient_norm : as `volumes` and `gradient_norms`.
        facets, vertices, bounded : the numbers of facets and vertices, and whether it is bounded.
        class : the largest output at its interior point; for a single output, its sign there.
        points : if data are given, the number of data points inside the region.
        Raises MissingExtraError if pandas is not installed, DomainError if the data have the wrong shape.
        """
        from creases.complex.table import frame_of_cells

        return frame_of_cells(self, data)

    def summary(self) -> str:
        """A summary in one screen of text: regions, vertices, facets, volumes, gradients."""
        from creases.complex.table import summary_of

        return summary_of(self)

    def polygons(self, window: ArrayLike | None = None) -> list[Floats]:
        """The cells as polygons for drawing (d = 2): a list of float64 (v, 2), counter-clockwise, in slice coordinates.

        window : (xmin, xmax, ymin, ymax); cells are clipped to it, and a cell outside becomes an empty array. None
            clips only unbounded cells, to a window around most corners.
        """
        if self.dimension != 2 or not self.is_flat:
            raise ValueError(f"polygons() needs a domain of dimension two; use {self._corners_by()}.")
        given = window is not None
        box = np.asarray(window if given else usual_window(self.corners[~self.at_infinity]), dtype=np.float64)
        result = []
        unbounded = np.add.reduceat(self.at_infinity, self.first[:-1]) > 0
        for i in range(len(self)):
            corners = self.corners[self.first[i] : self.first[i + 1]]
            if given or unbounded[i]:
                corners = clip_to_window(corners, self.at_infinity[self.first[i] : self.first[i + 1]], box)
            result.append(corners)
        return result

    def intervals(self) -> Floats:
        """The cells as intervals (d = 1): float64 (cells, 2), in slice coordinates; ends may be infinite."""
        if self.dimension != 1 or not self.is_flat:
            raise ValueError(f"intervals() needs a domain of dimension one; use {self._corners_by()}.")
        ends = np.where(self.at_infinity, np.copysign(np.inf, self.corners[:, 0]), self.corners[:, 0])
        # Each end is rounded separately; the order of the cells is proved, so rounding must not swap two ends.
        return np.asarray(np.maximum.accumulate(ends).reshape(-1, 2))

    def _corners_by(self) -> str:
        """How corners of cells of this dimension are given."""
        return ("intervals()", "polygons()")[self.dimension - 1] if self.is_flat else "cell(i).vertices and .rays"

    def save(self, path: str | Path) -> Path:
        """Write the complex with its network as `.npz` (plain arrays, no pickles), completely or not at all.

        Raises ModelFileError if the suffix is another one, SaveError if the file cannot be written.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise ModelFileError(f"A complex is saved as .npz, got {path.name!r}. Rename it {path.stem}.npz.")
        fields, parts = network_parts(self.network)
        header = {
            "format": FORMATS[self.network.is_chain, self.is_flat],
            **fields,
            "domain": self.domain.to_dict(),
            "input_shape": list(self.network.input_shape),
            "network": self.network.sha256,
            "by_layer": list(self.by_layer),
            "certified": self.certified,
            "exact_cells": self.exact_cells,
            "seconds": self.seconds,
            "version": self.version,
            "notes": list(self.network.notes),
        }
        arrays: dict[str, Any] = {**arrays_of(self), **parts}
        sealed = {**header, "digest": digest_of_archive(header, arrays)}

        def write(partial: Path) -> None:
            with partial.open("wb") as file:
                np.savez_compressed(file, header=np.array(json.dumps(sealed)), **arrays)

        replace_file(path, write)
        return path

    def export(self, path: str | Path) -> Path:
        """Write the cells in the format of the suffix: .npz (`save`), .parquet, .geojson or .vtu.

        Raises ModelFileError if the suffix is another one, and the errors of the method for that format.
        """
        from creases.complex.exports import export

        return export(self, path)

    def to_parquet(self, path: str | Path, *, neighbours: bool = True) -> Path:
        """Write the cells as a Parquet table, one row per cell: number, pattern, layer of birth, corners, sides and
        neighbours (`creases.complex.exports.parquet` lists the columns). The file is written completely or not at all.

        neighbours : whether to write the cell behind each side, for which all facets are computed.
        The metadata of the file has JSON under the key `creases`: the network's hash, the domain, by_layer, certified.
        Raises MissingExtraError without pyarrow, SaveError if the file cannot be written.
        """
        from creases.complex.exports.parquet import to_parquet

        return to_parquet(self, path, neighbours=neighbours)

    def to_geojson(self, path: str | Path, window: ArrayLike | None = None) -> Path:
        """Write the cells of a complex with d = 2 as GeoJSON polygons in slice coordinates, with number and layer of
        birth.

        window : as for `polygons`; cells outside are left out.
        Raises DomainError unless d = 2, SaveError if the file cannot be written.
        """
        from creases.complex.exports.geojson import to_geojson

        return to_geojson(self, path, window)

    def to_vtu(self, path: str | Path, window: ArrayLike | None = None) -> Path:
        """Write the cells as polygons (d = 2) or polyhedra (d = 3) for VTK and ParaView, in slice coordinates, with
        number and layer of birth.

        window : as for `polygons`, for d = 2; cells outside are left out.
        Raises DomainError unless d is 2 or 3, or if a cell is unbounded for d = 3; SaveError if the file cannot be
        written.
        """
        from creases.complex.exports.vtu import to_vtu

        return to_vtu(self, path, window)

    def to_shapely(self, window: ArrayLike | None = None) -> list[Any]:
        """The cells of a complex with d = 2 as a list of shapely polygons in slice coordinates.

        window : as for `polygons`; a cell outside becomes an empty polygon.
        Raises DomainError unless d = 2, MissingExtraError without shapely.
        """
        from creases.complex.exports.shapely_polygons import to_shapely

        return to_shapely(self, window)

    @classmethod
    def load(cls, path: str | Path) -> Complex:
        """Read a complex from a file written by `save`.

        Raises ModelFileError if the file is missing, truncated, of another kind, or changed since it was saved.
        """
        try:
            check_npz(Path(path), LIMITS)
            with np.load(Path(path), allow_pickle=False) as data:
                header = json.loads(str(data["header"]))
                if header.get("format") in (FORMAT, GRAPH_FORMAT):
                    raise ModelFileError(f"{path} holds a network, and no complex. Open it with creases.load.")
                if header.get("format") not in FORMATS.values():
                    raise ModelFileError(
                        f"{path} is not a complex of this version ({', '.join(FORMATS.values())}): it says "
                        f"{header.get('format')!r}. Subdivide again and save, or open it with the version that "
                        "wrote it."
                    )
                everything = {name: data[name] for name in data.files if name != "header"}
            network = network_from(header, everything)
        except ModelFileError:
            raise
        except MemoryError as error:
            raise NotEnoughMemoryError(
                f"{path} does not fit into the memory that is free ({error}). Subdivide a smaller domain."
            ) from error
        except FileNotFoundError as error:
            raise ModelFileError(
                f"{path} cannot be read as a saved complex: No such file. Check the path; relative ones start from "
                f"{Path.cwd()}."
            ) from error
        except Exception as error:  # whatever NumPy, zlib or json raise on a damaged archive
            remedy = "" if Path(path).suffix == ".npz" else ". Only the .npz of Complex.save can be loaded again."
            raise ModelFileError(f"{path} cannot be read as a saved complex: {error}{remedy}") from error
        if network.sha256 != header.get("network"):
            raise ModelFileError(f"{path} is damaged: its network does not have the hash that was saved with it.")
        if header.get("digest") != digest_of_archive(header, everything):
            raise ModelFileError(
                f"{path} does not agree with its digest: it is not as it was saved. Put back a copy of it, or "
                "subdivide again and save."
            )
        try:
            return cls(
                network=network,
                domain=domain_from_dict(header["domain"]),
                by_layer=tuple(header["by_layer"]),
                certified=header["certified"],
                exact_cells=header["exact_cells"],
                seconds=header["seconds"],
                version=header["version"],
                **cells_from(everything, network),
            )
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            raise ModelFileError(f"{path} does not describe the cells of a complex: {error}") from error
