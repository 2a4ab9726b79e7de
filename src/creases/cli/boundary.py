"""`creases boundary`: where a classifier's decision changes, or an output has one value, as lines or a mesh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from creases.cli.options import DomainOptions, Json, Model, Threads, WeightOptions

if TYPE_CHECKING:
    from creases.complex import Mesh, Polylines
    from creases.domain import Domain
    from creases.network import Network


@dataclass(frozen=True)
class BoundaryOptions:
    """Which boundary."""

    level: Annotated[
        float | None,
        typer.Option(
            "--level",
            metavar="VALUE",
            help="Where an output has this value; if not given, where classes meet, or 0 of a single output.",
            show_default=False,
        ),
    ] = None
    output_index: Annotated[
        int | None,
        typer.Option(
            "--output-index",
            min=0,
            metavar="I",
            help="Which output has the level, counted from 0; the first, if not given.",
            show_default=False,
        ),
    ] = None

    def is_of_classes(self, network: Network) -> bool:
        """Whether it is a decision boundary, not a level set."""
        return self.level is None and self.output_index is None and network.n_out > 1

    def find(self, network: Network, domain: Domain, threads: int | None) -> tuple[Polylines | Mesh, dict[str, Any]]:
        """The boundary, and what is said of it beside its size."""
        from creases.cli.show import working
        from creases.complex import decision_boundary, decision_regions
        from creases.level_sets import level_set
        from creases.subdivision import subdivide

        if not self.is_of_classes(network):
            level, index = self.level or 0.0, self.output_index or 0
            found = level_set(network, domain, level, index, threads=threads)
            return found, {"boundary of": f"output {index} > {level:g}"}
        cells = subdivide(network.with_argmax(), domain, threads=threads)
        with working("joining what is of one class"):
            regions = decision_regions(cells)
            return decision_boundary(cells), {"boundary of": "classes", "decision regions": regions.regions}


@dataclass(frozen=True)
class BoundaryFileOptions:
    """Where the boundary goes, and how it is told."""

    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write: .geojson or .npz in two dimensions, .ply, .stl or .obj in three.",
        ),
    ]
    json: Json = False

    def tell(self, facts: dict[str, Any], rows: list[tuple[str, object]]) -> None:
        """Print JSON of the facts, or a table of some rows and of them."""
        if self.json:
            from json import dumps

            named = {name.replace(" ", "_"): value for name, value in facts.items()}
            typer.echo(dumps({**named, "file": str(self.output)}))
            return
        from creases.cli.show import facts as table
        from creases.cli.show import out

        out().print(table((name, as_text(value)) for name, value in [*rows, *facts.items()]))
        typer.echo(f"saved to {self.output}")


def boundary(
    model: Model,
    file: BoundaryFileOptions,
    domain: DomainOptions,
    weights: WeightOptions,
    asked: BoundaryOptions,
    threads: Threads = None,
) -> None:
    """Write the decision boundary of a classifier, or a level set of an output, as lines or as a mesh.

    \b
    [bold]Examples[/bold]
    creases boundary net.onnx --box -1:1,-1:1 -o lines.geojson
    creases boundary net.onnx --plane a.npy b.npy c.npy --square 2 -o lines.npz
    creases boundary shape.onnx --box -1:1,-1:1,-1:1 -o mesh.ply
    creases boundary shape.onnx --box -1:1,-1:1,-1:1 --level 0.25 -o mesh.stl
    creases boundary net.onnx --box -1:1,-1:1,-1:1,0,0 --output-index 2 -o mesh.obj

    Domains are given as in 'creases count', whose --help lists their forms; they have two or three dimensions here,
    and coordinates in the file are those of the domain: the inputs that vary, or u in the plane of three points. A mesh
    is watertight where the boundary does not reach the border of the domain.
    """
    from creases.cli.show import writable

    writable(file.output)
    network = weights.load(model)
    where = domain.as_domain(network)
    check_suffix(file.output, where.slice.dimension)
    border, said = asked.find(network, where, threads)
    border.save(file.output)
    rows: list[tuple[str, object]] = [("network", f"{model.name}: {network!r}"), ("domain", repr(where))]
    rows += [("note", note) for note in network.notes]
    if not len(border):
        rows.append(("note", f"There is no boundary of {said['boundary of']} on this domain, and the file holds none."))
    file.tell({**said, **measured(border)}, rows)


def check_suffix(path: Path, dimension: int) -> None:
    """Say that a file of this name cannot hold the boundary, or lacks its writer, before anything is subdivided."""
    from creases.complex.surfaces import check_name
    from creases.errors import DomainError

    if dimension not in (2, 3):
        raise DomainError(
            f"A boundary is written in two or three dimensions, and this domain has {dimension}. Cut a slice: "
            "--plane, or --box with all but three inputs held fixed."
        )
    check_name(path, dimension)


def measured(border: Polylines | Mesh) -> dict[str, Any]:
    """What there is of a boundary."""
    from creases.complex import Mesh

    if isinstance(border, Mesh):
        return {
            "vertices": len(border.vertices),
            "triangles": len(border),
            "area": border.area,
            "watertight": border.is_watertight,
            "Euler characteristic": border.euler_characteristic,
            "parts": border.components,
        }
    return {"lines": len(border), "closed": int(border.closed.sum()), "length": border.length}


def as_text(value: object) -> object:
    """A value as a row of the table shows it; whole numbers are left to the table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else value
