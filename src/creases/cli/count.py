"""`creases count`: how many activation regions a network has on a domain."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from creases.cli.options import (
    Activation,
    ApplyNormalisation,
    BatchNormEps,
    BoxOption,
    DirectionsOption,
    DomainOptions,
    FinalKink,
    HalfSpacesOption,
    LineOption,
    Model,
    Order,
    PlaneOption,
    PolygonOption,
    PolylineOption,
    PolytopeOption,
    Prefix,
    SegmentOption,
    SimplexOption,
    SpaceOption,
    SquareOption,
    SubspaceOption,
    Threads,
    WeightOptions,
)

if TYPE_CHECKING:
    from rich.table import Table

    from creases.counting import Count
    from creases.network import Network


PIECES = "In pieces (the result is the same)"


def count(
    model: Model,
    segment: SegmentOption = None,
    line: LineOption = None,
    polyline: PolylineOption = None,
    plane: PlaneOption = None,
    square: SquareOption = None,
    polygon: PolygonOption = None,
    box: BoxOption = None,
    simplex: SimplexOption = None,
    polytope: PolytopeOption = None,
    half_spaces: HalfSpacesOption = None,
    subspace: SubspaceOption = None,
    space: SpaceOption = False,
    directions: DirectionsOption = False,
    activation: Activation = None,
    order: Order = None,
    prefix: Prefix = None,
    final_kink: FinalKink = False,
    batch_norm_eps: BatchNormEps = None,
    apply_normalisation: ApplyNormalisation = False,
    by_neuron: Annotated[
        bool, typer.Option("--by-neuron", help="Also count, for each neuron, the regions of the layer below it cuts.")
    ] = False,
    theory: Annotated[
        bool, typer.Option("--theory", help="Print what the theory says beside the count: bounds, T-hat, constants.")
    ] = False,
    threads: Threads = None,
    journal: Annotated[
        str | None,
        typer.Option(
            "--journal",
            metavar="PLACE",
            help="Count in pieces and keep each result in this SQLite file or database URL. The same command goes on "
            "from there, whatever has ended it.",
            rich_help_panel=PIECES,
        ),
    ] = None,
    pieces: Annotated[
        int | None,
        typer.Option(
            "--pieces", min=1, metavar="N", help="Count in at least N pieces, up to 65,536.", rich_help_panel=PIECES
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            metavar="N",
            help="Give the pieces to N processes of this machine instead of threads.",
            rich_help_panel=PIECES,
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Give the pieces to the Dask cluster whose scheduler is there, like tcp://127.0.0.1:8786.",
            rich_help_panel=PIECES,
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="FILE", help="Write the result to this JSON file before it is printed."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs, not a table for people.")] = False,
) -> None:
    """Count the activation regions of a network on a domain, with a proof of every sign.

    \b
    [bold]Examples[/bold]
    creases count net.onnx --box -1:1,-1:1
    creases count net.nnet --box -.5:.5,-.5:.5,0,0,0
    creases count net.pt --activation relu --segment a.npy b.npy
    creases count net.safetensors --activation relu --order fc1,fc2,out --square 1
    creases count net.ckpt --activation relu --prefix actor. --space
    creases count net.onnx --line 0,0 1,-1
    creases count net.onnx --plane origin images.npy:0 images.npy:1
    creases count net.onnx --plane a.npy b.npy c.npy --square 2
    creases count net.onnx --polyline walk.csv --save walk.json
    creases count net.onnx --polygon "0,0 1,0 0,1" --json
    creases count net.onnx --simplex "0,0,0 1,0,0 0,1,0 0,0,1"
    creases count net.onnx --subspace "images.npy:0 a.npy b.npy c.npy"
    creases count net.onnx --box -1:1,-1:1,-1:1,-1:1 --journal runs.db --workers 2

    A .onnx file says what the network computes. A .pt, .pth, .ckpt or .safetensors file holds weights alone:
    --activation relu says that they are a chain with ReLU between the layers and nothing else. Where order or network
    are not clear either, the error shows the options that say it.

    \b
    [bold]Points[/bold]
    0.5,-1,2       the coordinates, one for each input
    origin         all coordinates zero
    a.npy, a.csv   a file that holds one point
    a.npy:3        row 3, counted from 0, of a file of many points
    POINTS         such points with spaces between them, or a file of many
    """
    from json import dumps

    from creases.cli.domains import as_domain
    from creases.cli.show import writable
    from creases.cli.theory import show_table
    from creases.counting import count as count_regions
    from creases.errors import DomainError
    from creases.scheduling import count_in_pieces
    from creases.theory import compare

    if save is not None:
        writable(save)
    weights = WeightOptions(activation, order, prefix, final_kink, batch_norm_eps)
    network = weights.load(model, apply_normalisation)
    options = DomainOptions(
        segment,
        line,
        polyline,
        plane,
        square,
        polygon,
        box,
        simplex,
        polytope,
        half_spaces,
        subspace,
        space,
        directions,
    )
    domain = as_domain(options, network)
    if (journal, pieces, workers, cluster) == (None, None, None, None):
        result = count_regions(network, domain, by_neuron=by_neuron, threads=threads)
    elif by_neuron:
        raise DomainError("--by-neuron is counted in one piece: the cuts of a neuron do not add up over pieces.")
    else:
        result = count_in_pieces(
            network, domain, pieces=pieces, threads=threads, workers=workers, cluster=cluster, journal=journal
        )
    if save is not None:
        result.to_json(save)
    beside = compare(result, network) if theory else None
    if json and beside is not None:
        typer.echo(dumps({**result.to_dict(), "theory": beside.to_dict()["rows"]}, indent=2))
    elif json:
        typer.echo(result.to_json())
    else:
        show(result, network, model, save)
        if beside is not None:
            show_table(beside)


def show(result: Count, network: Network, model: Path, saved: Path | None) -> None:
    """Print the tables for people."""
    from creases.cli.show import facts, out

    rows: list[tuple[str, object]] = [
        ("network", f"{model.name}: {network!r}"),
        ("domain", repr(result.domain)),
        ("regions", result.regions),
    ]
    if result.distinct is not None:
        rows.append(("distinct", f"{result.distinct:,} different regions along the path"))
    if result.unbounded is not None:
        rows.append(("", f"{result.bounded:,} bounded + {result.unbounded:,} unbounded"))
    if result.pieces > 1:
        rows.append(("pieces", result.pieces))
    if result.per_volume is not None:
        rows.append(("per volume", f"{result.per_volume:.4g} regions a unit of {unit_of(result)}"))
    rows += [
        ("certified", certainty(result)),
        *(("note", note) for note in result.notes),
        *scale(result, network),
        ("seconds", f"{result.seconds:.3g}"),
    ]
    if result.seconds_from_journal:
        rows.append(("", f"and {result.seconds_from_journal:.3g} s of one thread's work taken from the journal"))
    console = out()
    console.print(facts(rows))
    console.print(layers(result, network))
    if saved is not None:
        typer.echo(f"saved to {saved}")


def unit_of(result: Count) -> str:
    """What a volume of the domain's dimension is called."""
    d = result.domain.slice.dimension
    return {1: "length", 2: "area", 3: "volume"}.get(d, f"{d}-dimensional volume")


def certainty(result: Count) -> str:
    """What the proof rests on, in words."""
    if not result.certified:
        return "NO: some signs could not be proved"
    if result.exact_cells:
        return f"yes, every sign proved; {result.exact_cells:,} cells decided in rational arithmetic"
    return "yes, every sign proved"


def scale(result: Count, network: Network) -> list[tuple[str, object]]:
    """The count beside the power of the number of neurons that Hanin and Rolnick (2019) compare it with."""
    from creases.domain import Directions

    domain, neurons = result.domain, network.neurons
    d = max(domain.dimension, 1) if isinstance(domain, Directions) else domain.slice.dimension
    power = "N" if d == 1 else f"N^{d}"
    return [(f"regions / {power}", f"{result.regions / neurons**d:.3g} with N = {neurons} neurons")]


def layers(result: Count, network: Network) -> Table:
    """Regions after each layer; with --by-neuron, how many regions the neurons of a layer cut."""
    from creases.cli.show import table

    titles = ["layer", "neurons", "regions after it"]
    rows = [[i, *pair] for i, pair in enumerate(zip(network.widths, result.by_layer, strict=True), start=1)]
    if result.by_neuron is not None:
        titles += ["cut by a neuron: least", "median", "most"]
        for row, cuts in zip(rows, result.by_neuron, strict=True):
            row += [min(cuts), round(statistics.median(cuts)), max(cuts)]
    return table(titles, [[f"{value:,}" for value in row] for row in rows])
