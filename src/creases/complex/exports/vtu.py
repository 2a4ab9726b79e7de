"""The cells of a plane or of space as an unstructured grid of VTK (.vtu), which ParaView and PyVista open.

The XML is written here and not with meshio, which sorts polyhedra by their number of corners, makes a list of arrays
for each, and cannot read them back with their data unless all have the same number. The file is a header, followed by
the arrays as they are in memory.

Points are the vertices of the complex, each once, in slice coordinates; in a plane the third coordinate is zero. If
polygons are clipped to a window, each has points of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.complex.births import layers_of_birth
from creases.complex.exports.facts import check_dimension, check_form, check_has_end, facts_of, pieces_of, result_of
from creases.complex.exports.polyhedra import corners_around, turned_outward
from creases.complex.skeleton import sides_of
from creases.errors import DomainError
from creases.files import replace_file

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["to_vtu"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# VTK's numbers for types of cells.
POLYGON, POLYHEDRON = 7, 42
VTU_TYPES = {"f8": "Float64", "i8": "Int64", "i4": "Int32", "u1": "UInt8"}


class Grid(NamedTuple):
    """The arrays of a VTK grid. numbers : int64, the numbers of these cells in the complex.

    points : float64 (points, 3). connectivity : int64, the points of one cell after the other.
    offsets : int64 (cells,), the end of each cell's points.
    kind : the type of all cells. faces, faceoffsets : for polyhedra, the number of faces of each, and for each face the
        number of its points and the points; and the end of each polyhedron's entries. None for polygons.
    """

    numbers: Ints
    points: Floats
    connectivity: Ints
    offsets: Ints
    kind: int
    faces: Ints | None = None
    faceoffsets: Ints | None = None


def to_vtu(complex: Complex, path: str | Path, window: ArrayLike | None = None) -> Path:
    """`Complex.to_vtu`."""
    path = Path(path)
    check_form(path, ".vtu")
    check_dimension(complex.domain, (2, 3), "A .vtu file")
    check_has_end(complex.domain)
    grid = polyhedra(complex, window) if complex.dimension == 3 else polygons(complex, window)
    sides, _ = sides_of(complex)
    born = layers_of_birth(complex.network, sides.first, sides.walls)[grid.numbers]
    data: dict[str, NDArray[Any]] = {"cell": grid.numbers, "layer_of_birth": born.astype(np.int32)}
    facts = {**facts_of(complex.network, complex.domain), **result_of(complex)}
    replace_file(path, lambda partial: write_grid(partial, grid, data, facts))
    return path


def polygons(complex: Complex, window: ArrayLike | None) -> Grid:
    """The cells of a plane, without those outside of the window."""
    if window is None and complex.is_bounded.all():
        points, connectivity, offsets = complex.vertices, complex.vertex_numbers, complex.first[1:]
        numbers = np.arange(len(complex))
    else:
        pieces = pieces_of(complex, window)
        sizes = np.array([len(piece) for piece in pieces], np.int64)
        numbers = np.flatnonzero(sizes)
        points = np.concatenate([np.zeros((0, 2)), *pieces])
        connectivity, offsets = np.arange(len(points)), np.cumsum(sizes[numbers])
    return Grid(numbers, np.column_stack([points, np.zeros(len(points))]), connectivity, offsets, POLYGON)


def polyhedra(complex: Complex, window: ArrayLike | None) -> Grid:
    """The cells of a bounded piece of space. Raises DomainError if there is a window."""
    if window is not None:
        raise DomainError("A window clips polygons, and these cells are polyhedra. Cut the Box that is to be seen.")
    sides, first = complex.sides, complex.first
    around = turned_outward(corners_around(sides), sides, first, complex.corners)
    sizes, cells = np.diff(sides.corner_first), np.arange(len(complex))
    owners = np.repeat(cells, np.diff(sides.first))
    # The corners of a side are preceded by the numbers of faces of its cell and all previous ones, and the numbers of
    # corners of all sides so far.
    at_sides = owners + 1 + np.arange(len(sizes)) + sides.corner_first[:-1]
    faceoffsets = cells + 1 + sides.first[1:] + sides.corner_first[sides.first[1:]]
    faces = np.empty(faceoffsets[-1], np.int64)
    faces[np.concatenate([[0], faceoffsets[:-1]])] = np.diff(sides.first)
    faces[at_sides] = sizes
    faces[np.arange(len(around)) + np.repeat(owners + 2 + np.arange(len(sizes)), sizes)] = complex.vertex_numbers[
        around
    ]
    return Grid(cells, complex.vertices, complex.vertex_numbers, first[1:], POLYHEDRON, faces, faceoffsets)


def write_grid(path: Path, grid: Grid, data: dict[str, NDArray[Any]], facts: dict[str, Any]) -> None:
    """Write a grid as XML followed by its arrays. data : arrays with one number per cell, by name. facts : written as a
    comment."""
    arrays: list[NDArray[Any]] = []
    cells = [("connectivity", grid.connectivity), ("offsets", grid.offsets)]
    cells.append(("types", np.full(len(grid.offsets), grid.kind, np.uint8)))
    if grid.faces is not None and grid.faceoffsets is not None:
        cells += [("faces", grid.faces), ("faceoffsets", grid.faceoffsets)]
    # Two hyphens would end the comment; JSON has them only in strings, where the escape has the same meaning.
    told = json.dumps(facts).replace("--", "-\\u002d")
    lines = [
        '<?xml version="1.0"?>',
        f"<!-- {told} -->",
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt64">',
        "<UnstructuredGrid>",
        f'<Piece NumberOfPoints="{len(grid.points)}" NumberOfCells="{len(grid.offsets)}">',
        *section("Points", [("points", grid.points)], arrays),
        *section("Cells", cells, arrays),
        *section("CellData", list(data.items()), arrays),
        "</Piece>",
        "</UnstructuredGrid>",
        '<AppendedData encoding="raw">',
        "_",
    ]
    with path.open("wb") as file:
        file.write("\n".join(lines).encode())
        for array in arrays:
            file.write(np.array(array.nbytes, "<u8").tobytes())
            file.write(array.data)
        file.write(b"\n</AppendedData>\n</VTKFile>\n")


def section(name: str, named: Sequence[tuple[str, NDArray[Any]]], arrays: list[NDArray[Any]]) -> list[str]:
    """One section of the header; its arrays are appended to those that follow the header."""
    lines = [f"<{name}>"]
    for title, array in named:
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        offset = sum(8 + before.nbytes for before in arrays)
        components = f' NumberOfComponents="{array.shape[1]}"' if array.ndim == 2 else ""
        kind = VTU_TYPES[array.dtype.str[1:]]
        lines.append(f'<DataArray type="{kind}" Name="{title}"{components} format="appended" offset="{offset}"/>')
        arrays.append(little)
    return [*lines, f"</{name}>"]
