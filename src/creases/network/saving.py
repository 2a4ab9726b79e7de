"""Networks as bytes: the hash, and the `.npz` file that `Network.save` writes.

Chains have had the same hash and file format from the beginning (`creases-network-1`); other networks are saved as
`creases-graph-1`. Both contain plain arrays and JSON, no pickles. The file of a graph has its levels as JSON in the
array `levels` (bytes of UTF-8), and every array of a level under the numbers of the level and of the source.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, NetworkError
from creases.files import replace_file
from creases.network.chain import DenseChain
from creases.network.kinks import KINKS
from creases.network.levels import Level
from creases.network.operators import OPERATORS

if TYPE_CHECKING:
    from creases.network.network import Network

__all__ = ["FORMAT", "GRAPH_FORMAT", "Normalisation", "hash_of_chain", "hash_of_levels", "levels_from", "write_network"]

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]

FORMAT = "creases-network-1"
GRAPH_FORMAT = "creases-graph-1"


@dataclass(frozen=True, eq=False)
class Normalisation:
    """The normalisation of raw inputs and outputs that a file describes: x = (clip(raw) - mean) / range.

    minimum, maximum, mean, range : float64, shape (n_in,). Clipping limits, shift and scale of the inputs.
    output_mean, output_range : floats; raw output = network output * output_range + output_mean.
    applied : True if shift and scale are part of the network, so that its inputs and outputs are raw; False if its
        inputs are normalised.
    """

    minimum: Floats
    maximum: Floats
    mean: Floats
    range: Floats
    output_mean: float
    output_range: float
    applied: bool = False


def hash_of_chain(chain: DenseChain) -> str:
    """SHA-256 of a chain's numbers; the same on every platform and in every version."""
    # Little-endian float64 bytes in C order: the same on every platform. Shapes first, so that no two
    # networks share a byte stream.
    digest = hashlib.sha256(f"{FORMAT}|{len(chain.hidden)} hidden".encode())
    for layer in [*chain.hidden, *([chain.output] if chain.output else [])]:
        digest.update(f"|{layer.n_out},{layer.n_in}|".encode())
        digest.update(layer.weight.astype("<f8").tobytes())
        digest.update(layer.bias.astype("<f8").tobytes())
    return digest.hexdigest()


def hash_of_levels(levels: Sequence[Level], n_in: int) -> str:
    """SHA-256 of a graph: sources, operators, biases and kinks of its levels. Names are not included."""
    described, arrays = parts_of(levels)
    for entry in described:
        del entry["name"]
    # First the text, which names every array, then each array with its shape, so that no two graphs share a byte
    # stream.
    text = json.dumps([n_in, described], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(f"{GRAPH_FORMAT}|{text}".encode())
    for name, array in arrays.items():
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        digest.update(f"|{name}|{little.dtype.str}|{array.shape}|".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()


def parts_of(levels: Sequence[Level]) -> tuple[list[dict[str, Any]], Arrays]:
    """Levels as JSON, and their arrays by name: level_2_source_0_weight, level_2_bias, level_2_kink_slope."""
    described, arrays = [], {}
    for number, level in enumerate(levels, start=1):
        sources = []
        for source, operator in level.sources.items():
            sources.append({"level": source, "operator": type(operator).__name__, "settings": operator.settings()})
            for name, array in operator.arrays().items():
                arrays[f"level_{number}_source_{source}_{name}"] = array
        arrays[f"level_{number}_bias"] = level.bias
        for name, array in level.kink.arrays().items():
            arrays[f"level_{number}_kink_{name}"] = array
        described.append({"name": level.name, "sources": sources, "kink": type(level.kink).__name__})
    return described, arrays


def levels_from(described: Any, arrays: Arrays) -> tuple[Level, ...]:
    """The levels from the two results of `parts_of`.

    Raises NetworkError, with level and source, if they are not valid levels, or an array is missing or superfluous.
    """
    if not isinstance(described, list) or not described:
        raise NetworkError("the levels must be a list of at least one.")
    left = dict(arrays)

    def take(prefix: str) -> Arrays:
        return {name.removeprefix(prefix): left.pop(name) for name in list(left) if name.startswith(prefix)}

    levels = []
    for number, entry in enumerate(described, start=1):
        at = f"level {number}"
        try:
            sources = {}
            for source in entry["sources"]:
                at = f"level {number}, source {source['level']} ({source['operator']})"
                made = OPERATORS[source["operator"]].from_parts(
                    source["settings"], take(f"level_{number}_source_{source['level']}_")
                )
                if source["level"] in sources:
                    raise NetworkError("it names this source twice.")
                sources[source["level"]] = made
            at = f"level {number} ({entry['kink']})"
            kink = KINKS[entry["kink"]].from_arrays(take(f"level_{number}_kink_"))
            levels.append(Level(sources, left.pop(f"level_{number}_bias"), kink, entry["name"]))
        except NetworkError as error:
            raise NetworkError(f"{at}: {error}") from error
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
            raise NetworkError(f"{at} lacks a part, or has one of the wrong kind: {error!r}.") from error
    if left:
        raise NetworkError(f"no level has the array {next(iter(left))!r}.")
    return tuple(levels)


def write_network(network: Network, path: Path) -> None:
    """Write the file, completely or not at all. Raises ModelFileError if its name does not end with .npz."""
    if path.suffix != ".npz":
        raise ModelFileError(f"Networks are saved as .npz, got {path.name!r}. Rename it {path.stem}.npz.")
    arrays: dict[str, Any] = {}
    header: dict[str, Any] = {
        "format": FORMAT if network.is_chain else GRAPH_FORMAT,
        "output_layer": network.is_chain and network.output is not None,
        "input_shape": list(network.input_shape),
        "notes": list(network.notes),
        "sha256": network.sha256,
    }
    if network.is_chain:
        chain = [*network.hidden, *([network.output] if network.output else [])]
        for i, layer in enumerate(chain, start=1):
            arrays[f"weight_{i}"], arrays[f"bias_{i}"] = layer.weight, layer.bias
        if any(level.name for level in network.levels):
            header["names"] = [level.name for level in network.levels]
    else:
        del header["output_layer"]
        described, arrays = parts_of(network.levels)
        arrays["levels"] = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
    if network.normalisation is not None:
        norm = network.normalisation
        for name in ("minimum", "maximum", "mean", "range"):
            arrays[f"normalisation_{name}"] = getattr(norm, name)
        header["normalisation"] = {
            "output_mean": norm.output_mean,
            "output_range": norm.output_range,
            "applied": norm.applied,
        }
    arrays["header"] = np.array(json.dumps(header))

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez_compressed(file, **arrays)

    replace_file(path, write)
