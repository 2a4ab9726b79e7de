"""The content of a Complex's file besides its cells: the network, and a digest of everything.

A chain is stored as weights and biases; a graph is stored as its levels, as JSON in the array `levels` (bytes of
UTF-8), and every array of a level under the numbers of the level and of the source, as in the file of a network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.complex.skeleton import Given
from creases.digests import digest_of, digest_of_array
from creases.network import Network
from creases.network.saving import levels_from, parts_of
from creases.npz import check_npz

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = [
    "FORMATS",
    "LIMITS",
    "arrays_of",
    "cells_from",
    "digest_of_archive",
    "is_saved_complex",
    "network_from",
    "network_parts",
]

Arrays = dict[str, NDArray[Any]]

# Formats, by whether the network is a chain, and whether the cells have at most two dimensions.
FORMATS = {
    (True, True): "creases-complex-2",
    (False, True): "creases-complex-graph-1",
    (True, False): "creases-complex-space-1",
    (False, False): "creases-complex-graph-space-1",
}
MOST_COORDINATES = 64
CELL_FIELDS = ("first", "corners", "at_infinity", "patterns")
# The largest sizes in bytes. The header has four bytes per character, and with a domain of 100,000 corners some
# millions of characters; the levels take about a hundred bytes per source.
LIMITS = {"header": 1 << 26, "levels": 1 << 24}


def is_saved_complex(path: Path) -> bool:
    """Whether a file claims to be a complex, of any version; `Complex.load` finds out whether it is intact."""
    try:
        check_npz(path, LIMITS)
        with np.load(path, allow_pickle=False) as data:
            return str(json.loads(str(data["header"]))["format"]).startswith("creases-complex")
    except Exception:  # whatever is raised on another kind of file
        return False


def network_parts(network: Network) -> tuple[dict[str, Any], Arrays]:
    """The parts of a file that describe the network: fields of the header, and arrays by name."""
    if not network.is_chain:
        described, arrays = parts_of(network.levels)
        return {}, {**arrays, "levels": np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)}
    fields: dict[str, Any] = {"output_layer": network.output is not None}
    arrays = {}
    for i, layer in enumerate([*network.hidden, *([network.output] if network.output else [])]):
        arrays[f"weight_{i}"], arrays[f"bias_{i}"] = layer.weight, layer.bias
    return fields, arrays


def network_from(header: dict[str, Any], arrays: Arrays) -> Network:
    """The network from the results of `network_parts`. Raises various errors if they are damaged."""
    notes = [str(note) for note in header.get("notes", [])]
    if header["format"] in (FORMATS[False, True], FORMATS[False, False]):
        described = json.loads(arrays["levels"].tobytes().decode())
        left = {name: array for name, array in arrays.items() if name.startswith("level_")}
        return Network.from_levels(levels_from(described, left), input_shape=header["input_shape"], notes=notes)
    layers = sum(name.startswith("weight_") for name in arrays)
    return Network.from_arrays(
        [arrays[f"weight_{i}"] for i in range(layers)],
        [arrays[f"bias_{i}"] for i in range(layers)],
        output_layer=header["output_layer"],
        input_shape=header["input_shape"],
        notes=notes,
    )


def digest_of_archive(header: dict[str, Any], arrays: Arrays) -> str:
    """The digest of everything in a file except the digest itself."""
    fields = {name: value for name, value in header.items() if name != "digest"}
    return digest_of({"header": fields, "arrays": {name: digest_of_array(array) for name, array in arrays.items()}})


def arrays_of(complex: Complex) -> Arrays:
    """The arrays of a complex's cells, by name."""
    arrays: Arrays = {name: getattr(complex, name) for name in CELL_FIELDS}
    if complex.given is None:
        return {**arrays, "edges": complex.edges}
    sides = {f"side_{name}": array for name, array in complex.given.sides._asdict().items()}
    return {**arrays, **sides, "lineality": complex.given.lineality}


def cells_from(arrays: Arrays, network: Network) -> dict[str, Any]:
    """The arguments of `Complex` from the arrays of `arrays_of`.

    Raises ValueError unless they fit one another and the network, KeyError if one is missing.
    """
    fields: dict[str, Any] = {name: arrays[name] for name in CELL_FIELDS}
    first, corners = fields["first"], fields["corners"]
    cells, width = len(first) - 1, (network.bits + 7) // 8
    check_lists(first, len(corners), "the cells' corners")
    if corners.ndim != 2 or not 1 <= corners.shape[1] <= MOST_COORDINATES:
        raise ValueError(f"corners have shape {corners.shape}")
    if fields["at_infinity"].shape != (len(corners),):
        raise ValueError(f"at_infinity has shape {fields['at_infinity'].shape}, not one entry a corner")
    if fields["patterns"].shape != (cells, width):
        raise ValueError(f"patterns have shape {fields['patterns'].shape}, not ({cells}, {width})")
    if "side_first" not in arrays:
        if corners.shape[1] > 2 or arrays["edges"].shape != (len(corners),):
            raise ValueError(f"edges have shape {arrays['edges'].shape}, not one entry a corner")
        return {**fields, "edges": arrays["edges"]}
    from creases.engine.answers.sides import Sides

    sides = Sides(*(arrays[f"side_{name}"] for name in Sides._fields))
    if len(sides.first) != cells + 1:
        raise ValueError(f"there are sides of {len(sides.first) - 1} cells, and {cells} cells")
    check_lists(sides.first, len(sides.walls), "the cells' sides", least=0)
    check_lists(sides.corner_first, len(sides.corners), "the sides' corners", least=0)
    owners = np.repeat(np.arange(cells), np.diff(sides.first))
    inside = np.repeat(owners, np.diff(sides.corner_first))
    if (
        len(sides.corner_first) != len(sides.walls) + 1
        or not ((sides.corners >= first[inside]) & (sides.corners < first[inside + 1])).all()
    ):
        raise ValueError("sides do not have corners of their own cells")
    if arrays["lineality"].ndim != 2 or arrays["lineality"].shape[1] != corners.shape[1]:
        raise ValueError(f"lineality has shape {arrays['lineality'].shape}")
    return {**fields, "edges": np.zeros(0, np.int64), "given": Given(sides, arrays["lineality"])}


def check_lists(first: NDArray[Any], total: int, what: str, least: int = 1) -> None:
    """Raise ValueError unless the lists that begin at `first` are consecutive, with at least `least` entries each."""
    if first.ndim != 1 or not len(first) or first[0] != 0 or (np.diff(first) < least).any() or first[-1] != total:
        raise ValueError(f"{what} are not numbered one after the other")
