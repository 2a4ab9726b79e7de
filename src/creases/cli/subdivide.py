"""`creases subdivide`: the regions of a network on a domain, written to a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from creases.cli.options import DomainOptions, Model, Threads, WeightOptions

if TYPE_CHECKING:
    from creases.complex import Complex
    from creases.domain import Domain


@dataclass(frozen=True)
class FileOptions:
    """The options for the content and format of the file."""

    window: Annotated[
        str | None,
        typer.Option(
            "--window",
            metavar="RANGES",
            help="Which part of a plane to write to a .geojson or .vtu, in the coordinates of its slice: -1:1,0:2. "
            "Polygons are clipped to it.",
        ),
    ] = None
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="Write regions as they are computed, in one thread and in bounded memory, however many there are; "
            ".parquet only, without neighbours.",
        ),
    ] = False

    def check(self, output: Path, domain: Domain, threads: int | None) -> None:
        """Raise DomainError or ModelFileError, before anything is cut, if the file cannot be written."""
        from creases.complex.exports import check_domain
        from creases.domain import Polyline
        from creases.errors import DomainError

        if isinstance(domain, Polyline):
            raise DomainError("A path is written segment by segment. Give one --segment A B of it a file of its own.")
        check_domain(output, domain)
        if self.window is not None and (output.suffix not in (".geojson", ".vtu") or domain.slice.dimension != 2):
            raise DomainError("--window clips the polygons of a plane, in a .geojson or .vtu file. Leave it out here.")
        self.shown()
        if self.stream and output.suffix != ".parquet":
            raise DomainError(f"--stream writes a .parquet file, and this is {output.name}. Name one, or leave it out.")
        if self.stream and threads not in (None, 1):
            raise DomainError(f"--stream is the work of one thread, got --threads {threads}. Leave it out.")

    def shown(self) -> tuple[float, float, float, float] | None:
        """The window, or None if none was given. Raises DomainError if it is not valid."""
        from creases.cli.domains import as_ranges

        if self.window is None:
            return None
        across, up = as_ranges(self.window, 2, "--window")
        return *across, *up

    def write(self, complex: Complex, output: Path) -> str:
        """Write the file. Returns a remark on what it leaves out, or nothing."""
        shown = self.shown()
        if shown is None:
            complex.export(output)
        elif output.suffix == ".geojson":
            complex.to_geojson(output, shown)
        else:
            complex.to_vtu(output, shown)
        return self.remark(complex, output)

    def remark(self, complex: Complex, output: Path) -> str:
        """What the file leaves out of the regions, or contains beyond the domain, or nothing."""
        from creases.domain import Ball

        if self.window is not None:
            return "what is outside of the window is left out"
        if output.suffix in (".geojson", ".vtu") and not complex.is_bounded.all():
            return "regions without an end are clipped to where most corners are; --window chooses another part"
        if isinstance(complex.domain, Ball):
            return "regions are whole: those that meet the sphere are not clipped by it"
        return ""


def subdivide(
    model: Model,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The file to write: .npz, .parquet, .geojson or .vtu."),
    ],
    domain: DomainOptions,
    weights: WeightOptions,
    file: FileOptions,
    threads: Threads = None,
) -> None:
    """Write the regions of a network on a domain to a file: each with its corners, its sides and its pattern.

    \b
    [bold]Examples[/bold]
    creases subdivide net.onnx --box -1:1,-1:1 -o regions.npz
    creases subdivide net.onnx --box -1:1,-1:1,-1:1 -o regions.vtu
    creases subdivide net.onnx --plane origin a.npy b.npy --window -2:2,-2:2 -o plane.geojson
    creases subdivide net.pt --activation relu --box -1:1,-1:1,-1:1,-1:1 -o regions.parquet
    creases subdivide net.onnx --square 1 --stream -o millions.parquet

    \b
    [bold]Files[/bold]
    .npz       everything, for creases.Complex.load and 'creases stats'
    .parquet   a table for pandas, DuckDB, Spark: one row per region, with its neighbours; any dimension
    .geojson   polygons for maps and notebooks; two dimensions
    .vtu       polygons or polyhedra for ParaView; two or three dimensions

    Coordinates are those of the domain's slice: for a box, a square or the whole space, the inputs that are not fixed;
    for a plane through A, B and C, the coordinates in which they are 0,0 and 1,0 and 0,1. Domains and points are given
    as in 'creases count', whose --help lists their forms. A subdivision keeps all regions in memory. If they might not
    fit, they are counted first, and the command stops with an error as soon as there are too many; --stream writes any
    number of regions.
    """
    from creases.cli.show import several, working, writable
    from creases.complex.exports import check_suffix
    from creases.counting import Count
    from creases.errors import need_modules
    from creases.streaming import subdivide_to_parquet
    from creases.subdivision import subdivide

    if check_suffix(writable(output)) == ".parquet":
        need_modules("files", "Writing a .parquet file", "pyarrow")
    network = weights.load(model)
    where = domain.as_domain(network)
    file.check(output, where, threads)
    regions = (
        subdivide_to_parquet(network, where, output) if file.stream else subdivide(network, where, threads=threads)
    )
    with working(f"writing {output.name}"):
        remark = "" if isinstance(regions, Count) else file.write(regions, output)
    certified = "certified" if regions.certified else "NOT certified"
    typer.echo(f"{several(regions.regions, 'region')}, {certified}, saved to {output}")
    for note in [*([remark] if remark else []), *(f"note: {note}" for note in network.notes)]:
        typer.echo(note)
