"""`creases info`: the content of a model file, and what theory says about its number of regions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from creases.cli.options import Json, Model, WeightOptions

if TYPE_CHECKING:
    from creases.network import Network

# With more inputs, the numbers for the whole input space have hundreds of digits, and are not informative.
FEW_INPUTS = 16


def info(model: Model, weights: WeightOptions, json: Json = False) -> None:
    """Show what a model file contains, and what theory says about its number of regions.

    \b
    [bold]Examples[/bold]
    creases info net.onnx
    creases info net.nnet --apply-normalisation
    creases info net.pt --activation relu --json
    """
    network = weights.load(model)
    if json:
        from json import dumps

        typer.echo(dumps(describe(network, model), indent=2))
    else:
        show(network, model)


def describe(network: Network, model: Path) -> dict[str, Any]:
    """All results of `info`, as plain numbers and lists."""
    return {
        "file": model.name,
        "inputs": network.n_in,
        "input_shape": list(network.input_shape),
        "widths": list(network.widths),
        "neurons": network.neurons,
        "layers": layers(network),
        "levels": levels(network),
        "outputs": network.n_out,
        "output_layer": has_output_layer(network),
        "normalisation": normalisation(network),
        "notes": list(network.notes),
        "sha256": network.sha256,
        "theory": theory(network),
    }


def has_output_layer(network: Network) -> bool:
    """Whether the last level has neither neurons nor switches."""
    return len(network.levels) not in network.layers


def normalisation(network: Network) -> dict[str, Any] | None:
    """The file's normalisation of raw inputs and outputs, or None."""
    norm = network.normalisation
    if norm is None:
        return None
    arrays = {name: getattr(norm, name).tolist() for name in ("minimum", "maximum", "mean", "range")}
    return {
        **arrays,
        "output_mean": norm.output_mean,
        "output_range": norm.output_range,
        "applied": norm.applied,
    }


def theory(network: Network) -> list[dict[str, int | None]]:
    """Estimates at initialization and upper bounds for a line, a plane, and an input space of few inputs.

    `estimate` is N^d / d! of Hanin and Rolnick (2019), rounded; `one_layer` is the number for N neurons in one generic
    layer (Zaslavsky 1975); both are None for a graph with switches or clips. `maximum` is the bound of Serra et al.
    (2018) for a chain, and that of its levels (`creases.theory.network_upper`) for a graph.
    """
    from creases.theory import hanin_rolnick_estimate, network_upper, serra_upper, zaslavsky
    from creases.theory.table import has_estimates

    known, neurons = network.is_chain or has_estimates(network), network.neurons
    return [
        {
            "dimension": d,
            "estimate": round(hanin_rolnick_estimate(neurons, d)) if known else None,
            "one_layer": zaslavsky(neurons, d) if known else None,
            "maximum": serra_upper(network.widths, d) if network.is_chain else network_upper(network, d),
        }
        for d in sorted({1, 2, network.n_in})
        if d <= min(network.n_in, FEW_INPUTS)
    ]


def layers(network: Network) -> list[dict[str, str | int]]:
    """The layers, first to last: name, kind, neurons and switches."""
    levels = [network.levels[number - 1] for number in network.layers]
    return [
        {"name": name, "kind": repr(level.kink), "neurons": level.neurons, "switches": level.switches}
        for name, level in zip(network.layer_names, levels, strict=True)
    ]


def levels(network: Network) -> list[dict[str, Any]]:
    """The levels, first to last: number, the layer's name or None, what it takes from each source level (the input is
    0), kind, shape, neurons, switches, and the numbers of the notes that name it."""
    names = dict(zip(network.layers, network.layer_names, strict=True))
    named = noted(network)
    return [
        {
            "number": number,
            "layer": names.get(number),
            "takes": {str(source): repr(operator) for source, operator in level.sources.items()},
            "kind": repr(level.kink),
            "shape": list(level.shape),
            "neurons": level.neurons,
            "switches": level.switches,
            "notes": [note for i, note in enumerate(network.notes) if number in named[i]],
        }
        for number, level in enumerate(network.levels, start=1)
    ]


def noted(network: Network) -> list[set[int]]:
    """For each note of the network, the numbers of the levels that it names; empty for notes on the whole network.

    A note names a level by its name in the file, in quotes, or by the number of a hidden layer.
    """
    found = []
    for note in network.notes:
        named = {
            number for number, level in enumerate(network.levels, start=1) if level.name and f"'{level.name}'" in note
        }
        layers = [int(number) for number in re.findall(r"[Hh]idden layer ([0-9]{1,9})\b", note)]
        named.update(network.layers[layer - 1] for layer in layers if 1 <= layer <= network.depth)
        found.append(named | ({len(network.levels)} if note.startswith("The output layer is ") else set()))
    return found


def graph_rows(network: Network) -> list[list[str]]:
    """The levels as rows of a table; if the network has notes, the last column has their numbers."""
    noting = bool(network.notes)
    return [
        [
            str(level["number"]),
            " + ".join(f"{operator} of {source}" for source, operator in level["takes"].items()),
            level["kind"],
            "x".join(map(str, level["shape"])),
            f"{level['neurons']:,}" if level["neurons"] else "",
            f"{level['switches']:,}" if level["switches"] else "",
            f"'{level['layer']}'" if (level["layer"] or "").isdigit() else level["layer"] or "",
            *([", ".join(str(i) for i, note in enumerate(network.notes, 1) if note in level["notes"])] * noting),
        ]
        for level in levels(network)
    ]


def show(network: Network, model: Path) -> None:
    """Print the tables for people."""
    from creases.cli.show import facts, out, table
    from creases.theory import bounds
    from creases.theory.table import readable

    shape = f" of shape {network.input_shape}" if len(network.input_shape) > 1 else ""
    output = str(network.n_out) if has_output_layer(network) else "none: every layer in the file is hidden"
    numbered = not network.is_chain  # notes have numbers for the graph's table
    rows: list[tuple[str, object]] = [
        ("file", model.name),
        ("inputs", f"{network.n_in}{shape}"),
        *sizes(network),
        ("outputs", output),
        ("normalisation", told(network)),
        *((f"note {i}" if numbered else "note", note) for i, note in enumerate(network.notes, start=1)),
        ("sha256", network.sha256),
    ]
    console = out()
    console.print(facts(rows))
    if not network.is_chain:
        words = ["takes (0 is the input)", "kind", "layer", "notes"]
        titles = ["level", words[0], words[1], "shape", "neurons", "switches", words[2]]
        console.print(table([*titles, *(["notes"] if network.notes else [])], graph_rows(network), words))
    names = {1: "a line", 2: "a plane"}
    console.print("\nRegions on domains of dimension d, by theory:")
    console.print(
        table(
            ["", "d", "random: about N^d/d!", "one layer of N", "at most"],
            [
                [
                    names.get(row["dimension"] or 0, "all inputs"),
                    str(row["dimension"]),
                    *("-" if row[key] is None else readable(row[key]) for key in ("estimate", "one_layer", "maximum")),
                ]
                for row in theory(network)
            ],
        )
    )
    for note in [] if network.is_chain else bounds(network, 1).notes:
        console.print(note)


def sizes(network: Network) -> list[tuple[str, object]]:
    """Layers and neurons; for a graph also its levels and switches."""
    from creases.cli.show import several

    if network.is_chain:
        return [
            ("hidden layers", f"{network.depth}: {', '.join(map(str, network.widths))}"),
            ("neurons", network.neurons),
        ]
    switches = sum(level.switches for level in network.levels)
    return [
        ("graph", f"{several(len(network.levels), 'level')}, {network.depth} of them layers with neurons or switches"),
        ("neurons", network.neurons - switches),
        ("switches", switches),
    ]


def told(network: Network) -> str:
    """The file's normalisation in words."""
    norm = network.normalisation
    if norm is None:
        return "none in the file"
    if norm.applied:
        return "applied: the network takes raw inputs and gives raw outputs"
    return "in the file, not applied: domains are in normalised units (see --apply-normalisation)"
