"""Plain `.npz` files of arrays: named weights and biases, and nothing else.

This module interprets the names. '<layer>.weight' and '<layer>.bias' are those of a state dict, (n_out, n_in);
'<layer>/kernel' and '<layer>.kernel' have the shape (n_in, n_out), as in Flax and Keras. '<layer>/w' is a weight in
Haiku and elsewhere. Any other names have no meaning, so `order=` lists the arrays in the order in which they act: a
weight, its bias if it has one, the next weight. Whether these last two kinds have to be transposed is decided by their
shapes, and asked if both ways fit.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from creases.arrays import as_floats
from creases.errors import CreasesError, ModelFileError, NetworkError
from creases.network import Network
from creases.npz import check_members
from creases.readers.damage import damage_named
from creases.readers.weights.activations import is_activation
from creases.readers.weights.answers import Answers
from creases.readers.weights.nested_arrays import as_tensors, with_kernels_noted
from creases.readers.weights.state_dict import from_tensors

__all__ = ["is_plain", "read_plain"]

Floats = NDArray[np.float64]

UNDECIDED = "w"  # (n_in, n_out) to Haiku, (n_out, n_in) to others
LEAVES = ("weight", "kernel", UNDECIDED)


def is_plain(data: bytes) -> bool:
    """Whether a .npz holds arrays that `Network.save` did not write, because it has no header. False if it is
    damaged."""
    try:
        with damage_named("the file"), zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except ModelFileError:
        return False
    return bool(names) and "header.npy" not in names and all(name.endswith(".npy") for name in names)


def read_plain(data: bytes, source: str, answers: Answers) -> Network:
    """The network whose weights and biases are the arrays of a .npz file.

    data : the whole file. source : its name, for messages. answers : the caller's arguments; `order` lists the arrays
        if their names have no meaning.
    Raises ModelFileError if the file is damaged, or if an argument is missing (the message shows the call);
    UnsupportedModelError and NetworkError as for state dicts.
    """
    with damage_named(source):
        check_members(io.BytesIO(data), len(data), {})
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {
                name: as_floats(archive[name], f"{source}: array '{name}'", NetworkError) for name in archive.files
            }
    dotted = {name.replace("/", "."): array for name, array in arrays.items()}
    if any(name.rpartition(".")[2] in LEAVES and "." in name for name in dotted):
        if len(dotted) < len(arrays):
            again = next(name for name in arrays if "/" in name and name.replace("/", ".") in arrays)
            raise ModelFileError(
                f"{source}: arrays {again!r} and {again.replace('/', '.')!r} have one name, as '/' means '.'. Leave "
                "out one of them."
            )
        return from_named(dotted, source, answers)
    return from_ordered(arrays, source, answers)


def from_named(arrays: Mapping[str, Floats], source: str, answers: Answers) -> Network:
    """The network of arrays whose names say what they are; for a 'w' the name does not say whether it is transposed."""

    def read(turned: Sequence[str]) -> Network | CreasesError:
        try:
            return from_tensors(as_tensors(arrays, source, turned), source, answers, stored=False)
        except CreasesError as error:
            return error

    undecided = any(name.rpartition(".")[2] == UNDECIDED for name in arrays)
    ways = [("kernel", UNDECIDED), ("kernel",)] if undecided else [("kernel",)]
    readings = [read(turned) for turned in ways]
    # A NetworkError means that the shapes do not fit; other errors ask for an argument and do not decide whether they
    # fit.
    fits = [i for i, one in enumerate(readings) if not isinstance(one, NetworkError)]
    one = readings[fits[0] if fits else 0]
    if len(fits) > 1 and any(isinstance(other, Network) for other in readings):
        raise both_fit(source)
    if isinstance(one, CreasesError):
        # The last one has each 'w' as it is stored, so the shapes in its error are those of the file.
        raise NetworkError(f"{readings[-1]} Nor does 'w' fit the other way round.") if undecided and not fits else one
    network = with_kernels_noted(one, arrays, source, ("kernel",))
    if not undecided:
        return network
    return with_way_noted(network, source, one is readings[0], f"what is named {UNDECIDED!r} is")


def from_ordered(arrays: Mapping[str, Floats], source: str, answers: Answers) -> Network:
    """The network of arrays in the order that the caller gives."""
    order = answers.order
    if order is not None and answers.activation is None and not any(map(is_activation, set(order) - set(arrays))):
        raise answers.question(source)
    if order is None:
        raise answers.question(
            source, "order= names its arrays as they act: a weight, its bias, the next weight.", order=list(arrays)
        )
    if strange := [name for name in order if name not in arrays and not is_activation(name)]:
        raise ModelFileError(f"{source} has no array {strange[0]!r} for order=; it has {', '.join(map(repr, arrays))}.")
    tensors: dict[str, Floats] = {}
    names: list[str] = []
    last = ""
    for name in order:
        if name not in arrays:
            names.append(name)
        elif arrays[name].ndim == 1 and last:
            tensors[f"{last}.bias"] = arrays[name]
            last = ""
        elif arrays[name].ndim == 2 and f"{name}.weight" not in tensors:
            tensors[f"{name}.weight"] = arrays[name]
            names.append(name)
            last = name
        else:
            raise ModelFileError(
                f"{source}: order= has {name!r} of shape {arrays[name].shape} where a weight with two axes must stand, "
                "or the bias of one behind it."
            )
    layers = [name for name in names if f"{name}.weight" in tensors]
    turned = which_way(layers, tensors, source)
    if turned:
        tensors = {name: array.T for name, array in tensors.items()}
    return with_way_noted(from_tensors(tensors, source, replace(answers, order=tuple(names))), source, turned)


def with_way_noted(network: Network, source: str, turned: bool, which: str = "its weights are") -> Network:
    """The network with a note that says whether weights were transposed; `which` of them, and a verb."""
    way = "(n_in, n_out)" if turned else "(n_out, n_in)"
    note = f"{source}: {which} read as {way}, the only way round in which the weights fit."
    return replace(network, notes=(*network.notes, note))


def both_fit(source: str) -> ModelFileError:
    """The error that asks whether weights are transposed."""
    return ModelFileError(
        f"{source}: its weights fit one another as (n_out, n_in) and as (n_in, n_out). Save them by names that say "
        "it: '<layer>.weight' and '<layer>.bias' for the first, '<layer>.kernel' and '<layer>.bias' for the second."
    )


def which_way(layers: Sequence[str], tensors: Mapping[str, Floats], source: str) -> bool:
    """Whether weights have the shape (n_in, n_out). Raises ModelFileError if both ways fit, or neither."""

    def fit(turned: bool) -> bool:
        shapes = [tensors[f"{name}.weight"].shape[:: -1 if turned else 1] for name in layers]
        biases = [tensors.get(f"{name}.bias") for name in layers]
        chain = all(above[1] == below[0] for below, above in pairwise(shapes))
        return chain and all(b is None or b.shape == (s[0],) for s, b in zip(shapes, biases, strict=True))

    fits = fit(False), fit(True)
    if all(fits):
        raise both_fit(source)
    if not any(fits):
        shapes = ", ".join(f"{name!r} {tensors[f'{name}.weight'].shape}" for name in layers)
        raise ModelFileError(f"{source}: in the order of order= its weights do not fit one another: {shapes}.")
    return fits[1]
