"""`creases stats`: what there is to say of all regions of a network on a domain."""

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
            help="Regions that 'creases subdivide' has written as .npz; or a network, as of 'creases count', to be cut "
            "first.",
            show_default=False,
        ),
    ],
    domain: DomainOptions,
    weights: WeightOptions,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Say in numbers what the regions are like: how many there are, how they meet, and which layer made them.

    \b
    [bold]Examples[/bold]
    creases stats regions.npz
    creases stats regions.npz --json
    creases stats net.onnx --box -1:1,-1:1
    creases stats net.onnx --plane origin a.npy b.npy

    Facets and vertices are counted once each, by proof. A network is cut on a domain that is given as in 'creases
    count', whose --help lists the forms.
    """
    from json import dumps

    from creases.cli.show import facts, out

    complex = complex_of(file, domain, weights, threads)
    if json:
        typer.echo(dumps(numbers(complex), indent=2))
    elif hasattr(complex, "summary"):
        typer.echo(complex.summary())
    else:
        out().print(facts(lines(complex, file)))


def complex_of(file: Path, domain: DomainOptions, weights: WeightOptions, threads: int | None) -> Complex:
    """The complex in a file, or that of the network in it. Raises DomainError for regions with a domain beside them."""
    from creases.complex import Complex
    from creases.complex.archive import is_saved_complex
    from creases.errors import DomainError
    from creases.subdivision import subdivide

    if not is_saved_complex(file):
        network = weights.load(file)
        return subdivide(network, domain.as_domain(network), threads=threads)
    if given := domain.given():
        raise DomainError(
            f"{file.name} holds regions that were found on a domain, and {given[0]} gives another. Leave it out, or "
            "give the network instead."
        )
    return Complex.load(file)


def numbers(complex: Complex) -> dict[str, Any]:
    """What --json prints."""
    from creases.complex.births import layers_of_birth

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
        "certified": complex.certified,
        "dimension": complex.dimension,
        "domain": complex.domain.to_dict(),
        "network": complex.network.sha256,
    }


def lines(complex: Complex, file: Path) -> list[tuple[str, object]]:
    """The rows for people."""
    found = numbers(complex)
    inner = found["inner_facets"]
    born = zip(["no layer", *complex.network.layer_names], found["born_in_layer"], strict=True)
    return [
        ("file", f"{file.name}: {complex.network!r}"),
        ("domain", repr(complex.domain)),
        ("regions", f"{found['regions']:,}: {found['bounded']:,} bounded + {found['unbounded']:,} unbounded"),
        ("by layer", ", ".join(f"{value:,}" for value in complex.by_layer)),
        ("born", ", ".join(f"{name} {value:,}" for name, value in born if value)),
        ("facets", f"{found['facets']:,}, {inner:,} of them between two regions"),
        ("neighbours", f"{2 * inner / len(complex):.3g} of a region, on average"),
        ("vertices", f"{found['vertices']:,}, and {found['vertices_at_infinity']:,} directions at infinity"),
        ("certified", "yes, every sign proved" if complex.certified else "NO"),
    ]
