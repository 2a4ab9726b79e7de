"""`creases count`: how many activation regions a network has on a domain."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from creases.cli.count_options import AskedOptions, OutputOptions, WorkOptions
from creases.cli.options import DomainOptions, Model, WeightOptions

if TYPE_CHECKING:
    from rich.table import Table

    from creases.counting import Count
    from creases.network import Network


def count(
    model: Model,
    domain: DomainOptions,
    weights: WeightOptions,
    asked: AskedOptions,
    work: WorkOptions,
    output: OutputOptions,
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
    creases count net.onnx --ball 0.1,0.2,0.3 0.5
    creases count net.onnx --simplex "0,0,0 1,0,0 0,1,0 0,0,1"
    creases count net.onnx --subspace "images.npy:0 a.npy b.npy c.npy"
    creases count net.onnx --box -1:1,-1:1,-1:1,-1:1 --journal runs.db --workers 2

    A .onnx file says what the network computes. A .pt, .pth, .ckpt or .safetensors file holds weights alone:
    --activation relu says that they are a chain of layers with ReLU between them and nothing else. If the order of the
    layers, or which of several networks to read, is not clear either, the error shows the options for it.

    \b
    [bold]Points[/bold]
    0.5,-1,2       the coordinates, one for each input
    origin         all coordinates zero
    a.npy, a.csv   a file that holds one point
    a.npy:3        row 3, counted from 0, of a file of many points
    POINTS         such points in quotes, with spaces between them ("a.npy:0 a.npy:3"), or a file of many
    """
    from creases.cli.theory import show_table

    output.check()
    network = weights.load(model)
    result = work.count(network, domain.as_domain(network), asked.by_neuron)
    output.write(result)
    beside = asked.compare(result, network)
    if output.json:
        typer.echo(output.as_json(result, beside))
        return
    show(result, network, model, output.save)
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
    if network.depth:
        console.print(layers(result, network))
    if saved is not None:
        typer.echo(f"saved to {saved}")


def unit_of(result: Count) -> str:
    """The name of a volume of the domain's dimension."""
    d = result.domain.slice.dimension
    return {1: "length", 2: "area", 3: "volume"}.get(d, f"{d}-dimensional volume")


def certainty(result: Count) -> str:
    """What the proof used, in words."""
    if not result.certified:
        some = f"{result.unproved_signs:,}" if result.unproved_signs else "some"
        return f"NO: {some} signs could not be proved"
    if result.exact_cells:
        return f"yes, every sign proved; {result.exact_cells:,} cells decided in rational arithmetic"
    return "yes, every sign proved"


def scale(result: Count, network: Network) -> list[tuple[str, object]]:
    """The count compared with the power of the number of neurons in Hanin and Rolnick (2019), if it applies."""
    from creases.domain import Directions

    domain, neurons = result.domain, network.neurons
    if not neurons:
        return []
    d = max(domain.dimension, 1) if isinstance(domain, Directions) else domain.slice.dimension
    power = "N" if d == 1 else f"N^{d}"
    return [(f"regions / {power}", f"{result.regions / neurons**d:.3g} with N = {neurons} {units_of(network)}")]


def units_of(network: Network) -> str:
    """The name of the units that N counts."""
    return "neurons and switches" if any(level.switches for level in network.levels) else "neurons"


def layers(result: Count, network: Network) -> Table:
    """Regions after each layer; with --by-neuron, the number of regions that the neurons of each layer cut."""
    from creases.cli.show import table

    units = units_of(network)
    titles = ["layer", units, "regions after it"]
    # The column's title is "layer". A name that is a number, such as '5' in an nn.Sequential, is not the layer's
    # position.
    names = [f"'{name}'" if name.isdigit() else name.removeprefix("layer ") for name in network.layer_names]
    rows = [[*pair] for pair in zip(network.widths, result.by_layer, strict=True)]
    if result.by_neuron is not None:
        titles += [f"cut by {'a neuron' if units == 'neurons' else 'one'}: least", "median", "most"]
        for row, cuts in zip(rows, result.by_neuron, strict=True):
            row += [min(cuts), round(statistics.median(cuts)), max(cuts)]
    written = [[name, *(f"{value:,}" for value in row)] for name, row in zip(names, rows, strict=True)]
    return table(titles, written, words=() if all(name.isdigit() for name in names) else ("layer",))
