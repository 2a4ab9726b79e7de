"""`creases boundary`: the decision boundary of a classifier, or a level set of an output, as lines or a mesh."""

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
    """The options that choose the boundary."""

    level: Annotated[
        float | None,
        typer.Option(
            "--level",
            metavar="VALUE",
            help="The level set at this value; by default the decision boundary, or for a single output its zero set.",
            show_default=False,
        ),
    ] = None
    output_index: Annotated[
        int | None,
        typer.Option(
            "--output-index",
            min=0,
            metavar="I",
            help="The output of the level set, counted from 0; by default the first.",
            show_default=False,
        ),
    ] = None

    def is_of_classes(self, network: Network) -> bool:
        """Whether it is a decision boundary rather than a level set."""
        return self.level is None and self.output_index is None and network.n_out > 1

    def find(self, network: Network, domain: Domain, threads: int | None) -> tuple[Polylines | Mesh, dict[str, Any]]:
        """The boundary, and the facts about it that are printed besides its size."""
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
    """The options for the file and the form of the output."""

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
        """Print the facts as JSON, or a table of some rows and the facts."""
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

    Domains are given as in 'creases count', whose --help lists their forms; here they must have two or three
    dimensions. Coordinates in the file are those of the domain: the inputs that vary, or u in the plane of three
    points. A mesh is watertight if the decision boundary does not reach the boundary of the domain.
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
    """Raise an error, before anything is subdivided, if a file of this name cannot contain the boundary, or the package
    to write it is missing."""
    from creases.complex.surfaces import check_name
    from creases.errors import DomainError

    if dimension not in (2, 3):
        raise DomainError(
            f"A boundary is written in two or three dimensions, and this domain has {dimension}. Cut a slice: "
            "--plane, or --box with all but three inputs held fixed."
        )
    check_name(path, dimension)


def measured(border: Polylines | Mesh) -> dict[str, Any]:
    """The size of a boundary, as facts."""
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
    """A value as shown in a row of the table; integers are formatted by the table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else value
