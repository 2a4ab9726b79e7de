"""The files that the explorer writes: pictures, tables, and the Python code that makes the same picture."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import DomainError
from creases.explore.cells import Cut, area_factor
from creases.explore.planes import Chosen
from creases.explore.view import View, is_identity
from creases.network import Network

if TYPE_CHECKING:
    from creases.complex import Complex

__all__ = ["FORMS", "file_of", "python_of"]

Floats = NDArray[np.float64]

PICTURES, TABLES = ("png", "svg", "pdf"), ("csv", "geojson")
FORMS = (*PICTURES, *TABLES)
# Inches, and dots per inch of a .png: suitable for a slide.
WIDTH, DPI = 6.6, 300
GRADIENT = "gradient norm in the plane"


def file_of(
    network: Network,
    view: View,
    form: Any,
    look: dict[str, Any],
    points: Floats | None,
    labels: list[str] | None,
    name: str,
    most: int,
) -> tuple[str, bytes]:
    """The name and the bytes of a view as a file.

    form : one of `FORMS`. look : color_by, kinks, boundary. points : data to mark, (m, n_in), or None. most : the
        largest number of cells. Raises DomainError on another form, or if there are more cells.
    """
    if form not in FORMS:
        raise DomainError(f"A view is saved as one of {', '.join(FORMS)}; got {form!r}.")
    count = view.count(network, progress=False).regions
    if count > most:
        raise DomainError(f"{count:,} cells in view are too many for a file; zoom in until there are {most:,} at most.")
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(name).stem) or "view"
    if form == "csv":
        return f"{stem}.csv", table_of(Cut.of(network, view)).encode()
    complex = in_own_coordinates(network, view)
    if form == "geojson":
        with tempfile.TemporaryDirectory() as folder:
            return f"{stem}.geojson", complex.to_geojson(Path(folder) / "cells.geojson").read_bytes()
    return f"{stem}.{form}", drawn(complex, view, form, look, points, labels)


def in_own_coordinates(network: Network, view: View) -> Complex:
    """The cells in the plane's coordinates, or relative to the view's centre if floats are too coarse for these."""
    from creases.subdivision import subdivide

    domain = view.domain
    return view.subdivide(network) if domain is None else subdivide(network, domain, progress=False)


def table_of(cut: Cut) -> str:
    """The cells as CSV, one row per cell: its position relative to the view's centre, and its properties."""
    complex = cut.complex
    area = complex.volumes * (1.0 if cut.is_direct else area_factor(cut.view))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    (x, y), (w, h) = cut.view.centre, cut.view.half
    table.writerow([f"# centre {float(x)!r} {float(y)!r} half {w!r} {h!r} regions {len(complex)}"])
    titles = [
        "cell",
        "layer_of_birth",
        "area",
        "gradient_norm_in_plane",
        "vertices",
        "from_centre_x",
        "from_centre_y",
        "pattern",
    ]
    table.writerow(titles)
    columns: list[Any] = [
        range(len(complex)),
        cut.born.tolist(),
        area.tolist(),
        cut.gradients.tolist(),
        np.diff(complex.first).tolist(),
        *(complex.centroids - cut.centre).T.tolist(),
        [row.tobytes().hex() for row in complex.patterns],
    ]
    table.writerows(zip(*columns, strict=True))
    return text.getvalue()


def drawn(
    complex: Complex, view: View, form: str, look: dict[str, Any], points: Floats | None, labels: list[str] | None
) -> bytes:
    """The cells as a picture by `creases.plot`."""
    from creases.complex.maps import gradient_norms_along_slice
    from creases.plot import Column, plot_complex
    from creases.plot.figure import figure_of, house_style, write_figure

    color_by: Any = look["color_by"]
    if color_by == "gradient":
        color_by = Column(gradient_norms_along_slice(complex).frobenius, GRADIENT, unit="output / input")
    marks, names = None, None
    if points is not None and view.domain is not None:
        marks, inside = marked(points, view)
        if labels is not None and len(set(kept := [labels[i] for i in inside])) <= MOST_CLASSES:
            names = kept
    ax = plot_complex(
        complex,
        color_by=color_by,
        kinks=look["kinks"],
        boundary=look["boundary"] or color_by == "class",
        points=marks,
        labels=names,
        width=WIDTH,
    )
    if view.domain is None:
        with house_style():
            for axis, value, place in zip("xy", view.centre, (1, 2), strict=True):
                getattr(ax, f"set_{axis}label")(f"$u_{place}$ from {float(value):.17g}")
    buffer = io.BytesIO()
    write_figure(figure_of(ax), buffer, dpi=DPI, format=form)
    return buffer.getvalue()


MOST_CLASSES = 24


def marked(points: Floats, view: View) -> tuple[Floats, list[int]]:
    """The positions of the data points in view, float64 (k, 2), in the plane's coordinates, and their rows."""
    places = view.plane.slice.coordinates(points)
    middle = np.array([float(value) for value in view.centre])
    inside = np.flatnonzero((np.abs(places - middle) <= view.half).all(axis=1))
    return places[inside], inside.tolist()


def python_of(
    network: str, chosen: Chosen, view: View, look: dict[str, Any], points: str | None, labels: list[str] | None
) -> str:
    """The Python code that makes the same picture; network and points are given as code."""
    uses_points = points is not None and "points" in chosen.code
    domain, marks = view.domain, look["marks"] and points is not None and view.domain is not None
    lines = ["import creases", "from creases import plot", ""]
    if uses_points or marks or "np." in network:
        lines.insert(0, "import numpy as np")
        lines.insert(1, "")
    lines.append(f"network = {network}")
    if uses_points or marks:
        lines.append(f"points = {points}")
    (x, y), (w, h) = view.centre, view.half
    if domain is not None and is_identity(view.plane):
        box = domain.to_dict()
        lines.append(f"cells = creases.subdivide(network, creases.Box({box['lower']}, {box['upper']}))")
    elif domain is not None:
        lines += [chosen.code, f"rectangle = {np.asarray(domain.vertices).tolist()}"]
        lines.append("cells = creases.subdivide(network, plane.polygon(rectangle))")
    else:
        lines.insert(0, "from fractions import Fraction")
        lines.insert(1, "")
        lines += [chosen.code, f"centre = [{x!r}, {y!r}]"]
        lines.append(f"view = creases.explore.View.of(plane, centre, [{w!r}, {h!r}])")
        lines.append("cells = view.subdivide(network)  # in coordinates around the centre")
    color_by = repr(look["color_by"])
    if look["color_by"] == "gradient":
        lines.append("steep = creases.complex.maps.gradient_norms_along_slice(cells).frobenius")
        color_by = f'plot.Column(steep, "{GRADIENT}", unit="output / input")'
    options = [f"color_by={color_by}"]
    options += ["kinks=True"] if look["kinks"] else []
    options += ["boundary=True"] if look["boundary"] or look["color_by"] == "class" else []
    if marks:
        lines.append("marks = cells.domain.slice.coordinates(points)")
        options.append("points=marks, window=plot.window_of(cells)")
    options.append(f"width={WIDTH}")
    lines += [f"ax = plot.plot_complex(cells, {', '.join(options)})", 'plot.save_figure(ax, "view.png")']
    return "\n".join(lines) + "\n"
