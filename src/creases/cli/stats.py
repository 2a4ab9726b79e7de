"""`creases stats`: statistics of all regions of a network on a domain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from creases.cli.options import DomainOptions, Json, Threads, WeightOptions

if TYPE_CHECKING:
    from creases.complex import Complex


def stats(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Regions written by 'creases subdivide' as .npz; or a network, as for 'creases count', which is "
            "subdivided first.",
            show_default=False,
        ),
    ],
    domain: DomainOptions,
    weights: WeightOptions,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Print statistics of the regions: their numbers, vertices and facets, and the layers that created them.

    \b
    [bold]Examples[/bold]
    creases stats regions.npz
    creases stats regions.npz --json
    creases stats net.onnx --box -1:1,-1:1
    creases stats net.onnx --plane origin a.npy b.npy

    Facets and vertices are counted once each, by proof. The domain of a network is given as in 'creases count', whose
    --help lists the forms.
    """
    from json import dumps

    from creases.cli.show import working

    complex = complex_of(file, domain, weights, threads)
    with working("putting the regions together"):
        said = dumps(numbers(complex), indent=2) if json else complex.summary()
    typer.echo(said)


def complex_of(file: Path, domain: DomainOptions, weights: WeightOptions, threads: int | None) -> Complex:
    """The complex in a file, or that of the network in it. Raises DomainError if a domain is given for a complex."""
    from creases.cli.show import working
    from creases.complex import Complex
    from creases.complex.archive import is_saved_complex
    from creases.domain import Polyline
    from creases.errors import DomainError, ModelFileError
    from creases.subdivision import subdivide

    if file.suffix in (".parquet", ".geojson", ".vtu"):
        raise ModelFileError(
            f"Regions are read from .npz files only, got {file.name}. Write them with 'creases subdivide' as "
            f"{file.stem}.npz, or give the network and a domain."
        )
    if not is_saved_complex(file):
        network = weights.load(file)
        where = domain.as_domain(network)
        if isinstance(where, Polyline):
            raise DomainError("A path is cut segment by segment. Give one --segment A B of it.")
        return subdivide(network, where, threads=threads)
    if given := domain.given():
        raise DomainError(
            f"{file.name} holds regions that were found on a domain, and {given[0]} gives another. Leave it out, or "
            "give the network instead."
        )
    with working(f"reading {file.name}"):
        return Complex.load(file)


def numbers(complex: Complex) -> dict[str, Any]:
    """The output of --json."""
    from creases.complex.births import layers_of_birth
    from creases.complex.table import spread_of

    facets, far = complex.facets, complex.vertices_at_infinity
    born = layers_of_birth(complex.network, complex.sides.first, complex.sides.walls).tolist()
    bounded = int(complex.is_bounded.sum())
    return {
        "regions": len(complex),
        "bounded": bounded,
        "unbounded": len(complex) - bounded,
        "facets": len(facets),
        "inner_facets": int(facets.inner.sum()),
        "vertices": int((~far).sum()),
        "vertices_at_infinity": int(far.sum()),
        "by_layer": list(complex.by_layer),
        "born_in_layer": [born.count(layer) for layer in range(complex.network.depth + 1)],
        "volume": spread_of(complex.volumes, total=True),
        "gradient_norm": spread_of(complex.gradient_norms),
        "certified": complex.certified,
        "dimension": complex.dimension,
        "domain": complex.domain.to_dict(),
        "network": complex.network.sha256,
    }
