"""Boundaries as polylines in two dimensions and triangle meshes in three: how they are measured and written to
files.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, require_extra
from creases.files import replace_file

__all__ = ["Mesh", "Polylines", "check_name"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MESH_SUFFIXES = (".ply", ".stl", ".obj")
POLYLINE_SUFFIXES = (".geojson", ".npz")


@dataclass(frozen=True, eq=False, repr=False)
class Polylines:
    """Lines that separate cells with different labels, joined end to end.

    points : float64 (p, 2), in the coordinates of the domain's slice (`complex.domain.slice.points` converts them to
        inputs).
    first : int64 (lines + 1,); line i goes through points[first[i] : first[i + 1]], with the lower label on its left.
    closed : bool (lines,), whether the line returns from its last point to its first, which is not repeated.
    labels : int64 (lines, 2), the labels on both sides of each line, the lower one first.

    A line ends on the boundary of the domain, and where three labels meet or lines cross. If it only touches the
    boundary in one point, with the same labels before and after, it continues.
    """

    points: Floats
    first: Ints
    closed: Bools
    labels: Ints

    def __post_init__(self) -> None:
        for name in ("points", "first", "closed", "labels"):
            getattr(self, name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.closed)

    def __getitem__(self, index: int) -> Floats:
        """The points of one line, float64 (m, 2)."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"line {index} of {len(self)}")
        index %= len(self)
        return self.points[self.first[index] : self.first[index + 1]]

    def __repr__(self) -> str:
        lines = f"{len(self):,} line{'' if len(self) == 1 else 's'}"
        return f"Polylines({lines}, {int(self.closed.sum()):,} closed, length={self.length:.6g})"

    @cached_property
    def lengths(self) -> Floats:
        """The length of each line, float64 (lines,), in the units of the points."""
        after = np.arange(1, len(self.points) + 1)
        after[self.first[1:] - 1] = np.where(self.closed, self.first[:-1], self.first[1:] - 1)
        steps = np.linalg.norm(self.points[after] - self.points, axis=1)
        return np.add.reduceat(steps, self.first[:-1]) if len(self) else np.zeros(0)

    @property
    def length(self) -> float:
        """The length of all lines, in the units of the points."""
        return float(self.lengths.sum())

    def save(self, path: str | Path) -> Path:
        """Write the lines as .geojson (one LineString each, with `closed` and the two labels) or .npz (the arrays).

        Raises ModelFileError if the suffix is another one, SaveError if the file cannot be written.
        """
        path = check_name(Path(path), 2)
        if path.suffix.lower() == ".npz":
            arrays = {name: getattr(self, name) for name in ("points", "first", "closed", "labels")}

            def write(partial: Path) -> None:
                with partial.open("wb") as file:
                    np.savez_compressed(file, **arrays)

            replace_file(path, write)
            return path
        text = json.dumps({"type": "FeatureCollection", "features": [self._feature(i) for i in range(len(self))]})
        replace_file(path, lambda partial: partial.write_text(text + "\n", encoding="utf-8"))
        return path

    def _feature(self, index: int) -> dict[str, Any]:
        """One line as GeoJSON (RFC 7946): a closed line ends with its first point."""
        points = self[index].tolist()
        closed, (low, high) = bool(self.closed[index]), self.labels[index].tolist()
        return {
            "type": "Feature",
            "properties": {"closed": closed, "lower": low, "higher": high},
            "geometry": {"type": "LineString", "coordinates": points + points[:1] if closed else points},
        }


@dataclass(frozen=True, eq=False, repr=False)
class Mesh:
    """A surface of triangles that separates cells with different labels.

    vertices : float64 (v, 3), each once, in the coordinates of the domain's slice (`complex.domain.slice.points`
        converts them to inputs).
    triangles : int64 (t, 3), rows of `vertices`, counter-clockwise as seen from the side of the higher label.
    labels : int64 (t, 2), the labels on both sides of each triangle, the lower one first.
    facets : int64 (t,), the facet of the complex of which each triangle is a part.
    """

    vertices: Floats
    triangles: Ints
    labels: Ints
    facets: Ints

    def __post_init__(self) -> None:
        for name in ("vertices", "triangles", "labels", "facets"):
            getattr(self, name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.triangles)

    def __repr__(self) -> str:
        tight = "watertight" if self.is_watertight else "not watertight"
        return f"Mesh({len(self.vertices):,} vertices, {len(self):,} triangles, {tight}, area={self.area:.6g})"

    @cached_property
    def _edges(self) -> Ints:
        """The first and last vertex of each side of each triangle, int64 (3 t, 2)."""
        return np.concatenate([self.triangles[:, [0, 1]], self.triangles[:, [1, 2]], self.triangles[:, [2, 0]]])

    @cached_property
    def is_watertight(self) -> bool:
        """Whether the mesh is closed: at each edge exactly two triangles meet, in opposite orientation. False if it
        is empty.
        """
        if not len(self):
            return False
        _, both = np.unique(np.sort(self._edges, axis=1), axis=0, return_counts=True)
        return bool((both == 2).all()) and len(np.unique(self._edges, axis=0)) == len(self._edges)

    @property
    def euler_characteristic(self) -> int:
        """Vertices minus edges plus triangles: 2 for a sphere, 0 for a torus, the sum over connected components."""
        edges = len(np.unique(np.sort(self._edges, axis=1), axis=0))
        return len(np.unique(self.triangles)) - edges + len(self)

    @property
    def components(self) -> int:
        """Number of connected components; components have no vertex in common."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        count = len(self.vertices)
        graph = coo_array((np.ones(len(self._edges), np.bool_), self._edges.T), shape=(count, count))
        labels = connected_components(graph, directed=False)[1]
        return len(np.unique(labels[np.unique(self.triangles)]))

    @cached_property
    def _normals(self) -> Floats:
        """A normal vector of each triangle, with twice the triangle's area as its length, float64 (t, 3)."""
        a, b, c = (self.vertices[self.triangles[:, i]] for i in range(3))
        return np.cross(b - a, c - a)

    @property
    def area(self) -> float:
        """The area of all triangles, in the units of the vertices."""
        return float(np.linalg.norm(self._normals, axis=1).sum() / 2.0)

    @property
    def volume(self) -> float:
        """The volume that a watertight mesh encloses, in the units of the vertices; negative if the higher label is
        inside.
        """
        middle = self.vertices.mean(axis=0) if len(self.vertices) else np.zeros(3)
        return float(((self.vertices[self.triangles[:, 0]] - middle) * self._normals).sum() / 6.0)

    def save(self, path: str | Path) -> Path:
        """Write the mesh as .ply, .stl or .obj, with trimesh, or with meshio if only that is installed.

        A .stl file stores the corners of each triangle separately and in single precision, so vertices that are close
        may become equal.
        Raises ModelFileError if the suffix is another one, MissingExtraError if neither package is installed, SaveError
        if the file cannot be written.
        """
        path = check_name(Path(path), 3)
        write = writer_of_meshes(path.suffix.lower()[1:])
        data = write(self.vertices, self.triangles)
        replace_file(path, lambda partial: partial.write_bytes(data))
        return path


def check_name(path: Path, dimension: int) -> Path:
    """The path, if a boundary of this dimension can be saved under its name; checked before a long computation.

    Raises ModelFileError on another suffix, MissingExtraError if the package that writes it is not installed.
    """
    suffixes, subject = (
        (POLYLINE_SUFFIXES, "A boundary in two dimensions is") if dimension == 2 else (MESH_SUFFIXES, "A mesh is")
    )
    if path.suffix.lower() not in suffixes:
        raise ModelFileError(f"{subject} saved as {', '.join(suffixes)}; {path.name!r} needs one of these.")
    if dimension == 3:
        writer_of_meshes(path.suffix.lower()[1:])
    return path


def writer_of_meshes(kind: str) -> Callable[[Floats, Ints], bytes]:
    """The function that gives the bytes of a file of this kind. Raises MissingExtraError if no package can write it."""
    if find_spec("trimesh") is not None:
        return lambda vertices, triangles: with_trimesh(kind, vertices, triangles)
    if find_spec("meshio") is not None:
        return lambda vertices, triangles: with_meshio(kind, vertices, triangles)
    raise require_extra("trimesh", "mesh", f"Writing a mesh as .{kind}")


def with_trimesh(kind: str, vertices: Floats, triangles: Ints) -> bytes:
    """The bytes that trimesh writes."""
    import trimesh

    mesh = trimesh.Trimesh(vertices, triangles, process=False)  # process=True would merge nearby vertices
    options: dict[str, Any] = {"digits": 17} if kind == "obj" else {}
    data = mesh.export(file_type=kind, **options)
    return data.encode() if isinstance(data, str) else bytes(data)


def with_meshio(kind: str, vertices: Floats, triangles: Ints) -> bytes:
    """The bytes that meshio writes, in memory or through a file."""
    import tempfile

    import meshio

    mesh = meshio.Mesh(vertices, [("triangle", triangles)])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"mesh.{kind}"
        meshio.write(place, mesh)
        return place.read_bytes()
