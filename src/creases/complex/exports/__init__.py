"""Files of cells for other programs: Parquet tables, GeoJSON, VTK's .vtu; and polygons for shapely.

Each file is written completely or not at all, and identifies its cells: the network's hash, the domain, and whether
every sign was proved (`facts`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from creases.complex.exports.facts import check_dimension, check_has_end
from creases.domain import Domain
from creases.errors import ModelFileError

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["FORM_DIMENSIONS", "SUFFIXES", "check_domain", "check_suffix", "export"]

SUFFIXES = {
    ".npz": "all of it, to be loaded again",
    ".parquet": "a table, a row a cell",
    ".geojson": "polygons",
    ".vtu": "polygons or polyhedra for ParaView",
}
# The cells that a format supports, if it does not support all.
FORM_DIMENSIONS = {".geojson": (2,), ".vtu": (2, 3)}


def check_suffix(path: Path) -> str:
    """The suffix of a file's name. Raises ModelFileError, which lists the supported suffixes, on another one."""
    if path.suffix not in SUFFIXES:
        known = ", ".join(f"{suffix} ({what})" for suffix, what in SUFFIXES.items())
        raise ModelFileError(f"{path.name!r} does not say what to write. Give it one of these endings: {known}.")
    return path.suffix


def check_domain(path: Path, domain: Domain) -> None:
    """Raise DomainError unless the cells of a domain can be written in the format of a file's name."""
    if path.suffix in FORM_DIMENSIONS:
        check_dimension(domain, FORM_DIMENSIONS[path.suffix], f"A {path.suffix} file")
    if path.suffix == ".vtu":
        check_has_end(domain)


def export(complex: Complex, path: str | Path) -> Path:
    """`Complex.export`."""
    path = Path(path)
    suffix = check_suffix(path)
    if suffix == ".parquet":
        return complex.to_parquet(path)
    if suffix == ".geojson":
        return complex.to_geojson(path)
    return complex.to_vtu(path) if suffix == ".vtu" else complex.save(path)
