"""Nested dictionaries of arrays in memory: the parameters of Flax and Haiku.

This module decides which arrays are a layer: "kernel" or "w" is a weight of shape (n_in, n_out), which is transposed,
and "bias" or "b" its bias; "scale" and "bias", with "mean" and "var" under the same name, are a BatchNorm. A note says
which kernels were transposed. Everything else is as for state dicts, since such a dictionary holds weights and no
graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.arrays import as_floats
from creases.errors import ModelFileError, NetworkError
from creases.network import Network
from creases.readers.weights.answers import Answers
from creases.readers.weights.layer_order import natural_order
from creases.readers.weights.state_dict import from_tensors

__all__ = ["as_tensors", "is_nested", "read_nested", "with_kernels_noted"]

Floats = NDArray[np.float64]

DEEPEST = 16
MOST_ENTRIES = 100_000
SOURCE = "The dictionary"
# Collections of Flax, all of which have entries for the same layers.
COLLECTIONS = ("params", "batch_stats")
# Names in Flax and Haiku, and the same in a state dict; a kernel is transposed.
LEAVES = {"kernel": "weight", "w": "weight", "bias": "bias", "b": "bias", "scale": "weight", "gamma": "weight"}
STATISTICS = {"mean": "running_mean", "var": "running_var"}
KERNELS = ("kernel", "w")


def is_nested(loaded: Mapping[Any, Any]) -> bool:
    """Whether a dictionary is one of layers with kernels rather than a state dict."""
    try:
        return any(path[-1] in KERNELS and len(path) > 1 for path, _ in arrays_in(loaded))
    except ModelFileError:
        return False


def read_nested(loaded: Mapping[Any, Any], answers: Answers) -> Network:
    """The network in nested dictionaries of arrays, the form of parameters in Flax and Haiku.

    loaded : {"Dense_0": {"kernel": (n_in, n_out), "bias": (n_out,)}, ...}, perhaps under "params".
    answers : the caller's arguments for weights without a graph. Raises ModelFileError and UnsupportedModelError as for
        state dicts, NetworkError on arrays that do not hold real numbers.
    """
    entries: dict[str, Any] = {}
    for path, array in arrays_in(loaded):
        name = ".".join(path)
        if name in entries:
            raise ModelFileError(f"{SOURCE} has two arrays that would be named {name!r}. Leave out one of them.")
        entries[name] = array
    network = from_tensors(as_tensors(entries, SOURCE), SOURCE, answers, stored=False)
    return with_kernels_noted(network, entries, SOURCE, KERNELS)


def with_kernels_noted(network: Network, names: Iterable[str], source: str, kernels: Iterable[str]) -> Network:
    """The network with a note that these kernels were transposed, if any of the names is that of a kernel."""
    leaves = {name.rpartition(".")[2] for name in names}
    if not (noted := [kernel for kernel in kernels if kernel in leaves]):
        return network
    note = (
        f"{source}: what is named {' or '.join(map(repr, noted))} is read as (n_in, n_out), as Flax, Haiku and Keras "
        "have it: it is transposed."
    )
    return replace(network, notes=(*network.notes, note))


def arrays_in(loaded: Mapping[Any, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All arrays and the names that lead to them, without those of Flax's collections.

    Raises ModelFileError if the dictionary is nested too deep, or contains itself.
    """
    waiting: list[tuple[tuple[str, ...], Any]] = [((), loaded)]
    count = 0
    while waiting:
        path, one = waiting.pop()
        count += 1
        if count > MOST_ENTRIES or len(path) > DEEPEST:
            raise ModelFileError(
                f"{SOURCE} has more than {MOST_ENTRIES} entries, or is nested more than {DEEPEST} deep."
            )
        if isinstance(one, Mapping):
            inner = [((*path, str(key)), value) for key, value in one.items()]
            waiting += reversed([(keys[1:] if keys[0] in COLLECTIONS else keys, value) for keys, value in inner])
        elif hasattr(one, "__array__"):
            yield path, one


def as_tensors(entries: Mapping[str, Any], source: str, turned: Iterable[str] = KERNELS) -> dict[str, Floats]:
    """Arrays under a state dict's names: 'Dense_0.weight' for 'Dense_0.kernel', transposed.

    turned : the names of weights that are transposed.
    """
    beside: dict[str, set[str]] = {}
    for name in entries:
        layer, _, leaf = name.rpartition(".")
        beside.setdefault(layer, set()).add(leaf)
    tensors: dict[str, Floats] = {}
    named: dict[str, str] = {}  # the original name for each new one
    for name in sorted(entries, key=natural_order):
        layer, dot, leaf = name.rpartition(".")
        array = as_floats(np.asarray(entries[name]), f"{source}: array '{name}'", NetworkError)
        known = {**LEAVES, **(STATISTICS if STATISTICS.keys() <= beside[layer] else {})}
        if leaf in turned and array.ndim == 2:
            array = array.T
        key = f"{layer}{dot}{known.get(leaf, leaf)}"
        if key in named:
            raise ModelFileError(
                f"{source}: arrays {named[key]!r} and {name!r} are both the {key.rpartition('.')[2]} of {layer!r}. "
                "Leave out one of them."
            )
        named[key] = name
        tensors[key] = array
    return tensors
