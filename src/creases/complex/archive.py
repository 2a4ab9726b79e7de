"""What the file of a Complex holds beside its cells: the network, and a digest of it all.

A chain is its weights and biases, as it always was; a graph is its levels as JSON in the array `levels` (bytes of
UTF-8), and every array of a level under the number of the level and of the source, as in the file of a network.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.digests import digest_of, digest_of_array
from creases.network import Network
from creases.network.saving import levels_from, parts_of

__all__ = ["FORMAT", "GRAPH_FORMAT", "LIMITS", "check_arrays", "digest_of_archive", "network_from", "network_parts"]

Arrays = dict[str, NDArray[Any]]

FORMAT = "creases-complex-2"
GRAPH_FORMAT = "creases-complex-graph-1"
# Bytes at most: of the header four for a character, and a domain of 100,000 corners has some millions; of the levels
# some hundred a source.
LIMITS = {"header": 1 << 26, "levels": 1 << 24}


def network_parts(network: Network) -> tuple[dict[str, Any], Arrays]:
    """What a file says of a network: fields of the header, and arrays by name."""
    fields: dict[str, Any] = {"format": FORMAT if network.is_chain else GRAPH_FORMAT}
    if not network.is_chain:
        described, arrays = parts_of(network.levels)
        return fields, {**arrays, "levels": np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)}
    fields["output_layer"] = network.output is not None
    arrays = {}
    for i, layer in enumerate([*network.hidden, *([network.output] if network.output else [])]):
        arrays[f"weight_{i}"], arrays[f"bias_{i}"] = layer.weight, layer.bias
    return fields, arrays


def network_from(header: dict[str, Any], arrays: Arrays) -> Network:
    """The network of which `network_parts` made these. Raises whatever its parts make of damage."""
    notes = [str(note) for note in header.get("notes", [])]
    if header["format"] == GRAPH_FORMAT:
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
    """Of all that a file holds but the digest itself."""
    fields = {name: value for name, value in header.items() if name != "digest"}
    return digest_of({"header": fields, "arrays": {name: digest_of_array(array) for name, array in arrays.items()}})


def check_arrays(arrays: Arrays, network: Network) -> None:
    """Raise ValueError unless the arrays of a file's cells fit together and the network."""
    first, corners = arrays["first"], arrays["corners"]
    cells, width = len(first) - 1, (network.bits + 7) // 8
    if first[0] != 0 or (np.diff(first) < 1).any() or first[-1] != len(corners):
        raise ValueError("the cells' corners are not numbered one after the other")
    if corners.ndim != 2 or corners.shape[1] not in (1, 2):
        raise ValueError(f"corners have shape {corners.shape}")
    for name in ("at_infinity", "edges"):
        if arrays[name].shape != (len(corners),):
            raise ValueError(f"{name} has shape {arrays[name].shape}, not one entry a corner")
    if arrays["patterns"].shape != (cells, width):
        raise ValueError(f"patterns have shape {arrays['patterns'].shape}, not ({cells}, {width})")
