"""`.npz` files as `Network.save` writes them: chains (`creases-network-1`) and graphs (`creases-graph-1`).

This module checks that the archive is one of ours and complete. The `.npy` header of every member is compared with the
member's size, and that size with what deflate can produce, before an array is made. JSON texts that describe arrays
have a limit on their length. Pickles are not read. The network's sha256, computed from the arrays, must equal the one
in the header.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, NetworkError
from creases.network import FORMAT, GRAPH_FORMAT, Network, Normalisation
from creases.network.saving import levels_from
from creases.readers.damage import damage_named

__all__ = ["read_archive"]

BLOWUP = 1032  # deflate writes no more than 1032 bytes for one
LONGEST = 2**20  # bytes of the JSON header: notes are sentences, and deflate could make gigabytes of a small file
NORMALISATION = ("minimum", "maximum", "mean", "range")
LONGEST_LEVELS = 2**24  # bytes of the JSON that describes a graph's levels: about 100 per source
LIMITS = {"header": LONGEST, "levels": LONGEST_LEVELS}
CHAIN_MEMBER = re.compile(r"(weight|bias)_[1-9][0-9]{0,8}|header|normalisation_(minimum|maximum|mean|range)")
GRAPH_MEMBER = re.compile(
    r"level_[1-9][0-9]{0,8}_(bias|source_[0-9]{1,9}_[a-z]{1,20}|kink_[a-z]{1,20})"
    r"|levels|header|normalisation_(minimum|maximum|mean|range)"
)
Arrays = dict[str, NDArray[Any]]


def read_archive(data: bytes, source: str) -> Network:
    """The network that `Network.save` wrote.

    data : the whole file. source : its name, for messages.
    Raises ModelFileError if the file is damaged, altered or another kind of archive, or if its levels are not a valid
    graph; NetworkError if the arrays of a chain are not a valid network.
    """
    with damage_named(source):
        check_members(data, source)
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays: Arrays = {name: archive[name] for name in archive.files}
    header = read_header(arrays, source)
    is_graph = header["format"] == GRAPH_FORMAT
    member = GRAPH_MEMBER if is_graph else CHAIN_MEMBER
    if strange := [name for name in arrays if not member.fullmatch(name)]:
        raise ModelFileError(f"{source} was not written by Network.save: it holds {strange[0][:60]!r}.")
    network = read_graph(arrays, header, source) if is_graph else read_chain(arrays, header, source)
    if network.sha256 != header["sha256"]:
        raise ModelFileError(
            f"{source}: the sha256 of its arrays is {network.sha256[:16]}..., not the one that it was saved "
            f"with, {header['sha256'][:16]}...: it was altered."
        )
    return network


def read_chain(arrays: Arrays, header: dict[str, Any], source: str) -> Network:
    """The chain of dense layers in an archive."""
    depth = sum(name.startswith("weight_") for name in arrays)
    wanted = {f"{kind}_{layer}" for layer in range(1, depth + 1) for kind in ("weight", "bias")}
    if {name for name in arrays if name.startswith(("weight_", "bias_"))} != wanted:
        raise ModelFileError(f"{source} lacks a weight or a bias: it holds {', '.join(sorted(arrays))[:200]}.")
    network = Network.from_arrays(
        [arrays[f"weight_{layer}"] for layer in range(1, depth + 1)],
        [arrays[f"bias_{layer}"] for layer in range(1, depth + 1)],
        output_layer=header["output_layer"],
        input_shape=header["input_shape"],
        normalisation=read_normalisation(arrays, header, source),
        notes=header["notes"],
    )
    if "names" not in header:
        return network
    names = header["names"]
    if not isinstance(names, list) or len(names) != depth or not all(isinstance(name, str) for name in names):
        raise ModelFileError(f"{source}: the header's 'names' must be one text for each of the {depth} layers.")
    named = zip(network.levels, names, strict=True)
    return replace(network, levels=tuple(replace(level, name=name) for level, name in named))


def read_graph(arrays: Arrays, header: dict[str, Any], source: str) -> Network:
    """The graph in an archive. Raises ModelFileError, with the level and the source, if its levels are not a valid
    graph."""
    left = {name: array for name, array in arrays.items() if name.startswith("level_")}
    text = arrays.get("levels")
    if text is None or text.dtype != np.uint8 or text.ndim != 1:
        raise ModelFileError(f"{source} lacks its levels, or they are no bytes.")
    try:
        described = json.loads(text.tobytes().decode())
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{source}: the levels are not JSON ({error}).") from error
    try:
        return Network.from_levels(
            levels_from(described, left),
            input_shape=header["input_shape"],
            normalisation=read_normalisation(arrays, header, source),
            notes=header["notes"],
        )
    except NetworkError as error:
        raise ModelFileError(f"{source} holds no network: {error}") from error


def check_members(data: bytes, source: str) -> None:
    """Compare each member's declared sizes with one another and with the bytes in the file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [member.filename.removesuffix(".npy") for member in archive.infolist()]
        strange = [name for name in names if not (CHAIN_MEMBER.fullmatch(name) or GRAPH_MEMBER.fullmatch(name))]
        if {"first", "corners", "patterns"} <= set(names):
            raise ModelFileError(
                f"{source} holds regions, as Complex.save and 'creases subdivide' write them, and no network. Open it "
                "with creases.Complex.load, or see what is in it with 'creases stats'; here give the network."
            )
        if strange or "header" not in names or len(set(names)) < len(names):
            what = f"holds {strange[0][:60]!r}" if strange else "lacks a header, or names a member twice"
            raise ModelFileError(f"{source} was not written by Network.save: it {what}.")
        if sum(member.compress_size for member in archive.infolist()) > len(data):
            raise ModelFileError(f"{source}: its members share bytes, which Network.save never writes: it is damaged.")
        for member in archive.infolist():
            if member.file_size > BLOWUP * member.compress_size or member.compress_size > len(data):
                raise ModelFileError(
                    f"{source}: {member.filename} claims {member.file_size} bytes, which cannot come from "
                    f"{member.compress_size} compressed ones: it is damaged."
                )
            name = member.filename.removesuffix(".npy")
            if member.file_size > LIMITS.get(name, member.file_size):
                what = "a header has" if name == "header" else "levels have"
                raise ModelFileError(
                    f"{source}: {name}.npy claims {member.file_size} bytes; {what} {LIMITS[name]} at most: it is "
                    "damaged."
                )
            with archive.open(member) as stream:
                version = np.lib.format.read_magic(stream)
                if version != (1, 0):  # later versions allow a description of 4 GiB for one array
                    raise ModelFileError(
                        f"{source}: {member.filename} has .npy version {version}; Network.save writes (1, 0)."
                    )
                shape, _fortran, dtype = np.lib.format.read_array_header_1_0(stream)
                needed = stream.tell() + math.prod(shape) * dtype.itemsize
            if dtype.hasobject or needed != member.file_size:
                raise ModelFileError(
                    f"{source}: {member.filename} declares {shape} numbers of type {dtype}, {needed} bytes "
                    f"with its header, but has {member.file_size}."
                )


def read_header(arrays: Arrays, source: str) -> dict[str, Any]:
    """The JSON header. Raises ModelFileError if an entry has the wrong type."""
    kinds = {"format": str, "output_layer": bool, "input_shape": list, "notes": list, "sha256": str}
    try:
        header = json.loads(str(arrays["header"]))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{source}: the header is not JSON ({error}).") from error
    if not isinstance(header, dict):
        raise ModelFileError(f"{source}: the header is no JSON object.")
    if header.get("format") not in (FORMAT, GRAPH_FORMAT):
        raise ModelFileError(
            f"{source} has format {str(header.get('format'))[:60]!r}; this version of Creases reads {FORMAT!r} and "
            f"{GRAPH_FORMAT!r}."
        )
    if header["format"] == GRAPH_FORMAT:
        del kinds["output_layer"]
    wrong = [key for key, kind in kinds.items() if not isinstance(header.get(key), kind)]
    if not wrong and not all(type(side) is int and 0 < side < 2**31 for side in header["input_shape"]):
        wrong = ["input_shape"]
    if not wrong and not all(isinstance(note, str) for note in header["notes"]):
        wrong = ["notes"]
    if wrong:
        raise ModelFileError(f"{source}: the header's {wrong[0]!r} is missing or of the wrong type.")
    return header


def read_normalisation(arrays: Arrays, header: dict[str, Any], source: str) -> Normalisation | None:
    """The normalisation that was saved with the network, or None."""
    entry = header.get("normalisation")
    if entry is None:
        return None
    missing = [name for name in NORMALISATION if f"normalisation_{name}" not in arrays]
    try:
        minimum, maximum, mean, width = (
            np.asarray(arrays[f"normalisation_{name}"], dtype=np.float64) for name in NORMALISATION
        )
        output_mean, output_range = float(entry["output_mean"]), float(entry["output_range"])
        applied = entry["applied"]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{source}: the normalisation is incomplete ({missing or error}).") from error
    shape = (math.prod(header["input_shape"]),)
    numbers = (*minimum.ravel(), *maximum.ravel(), *mean.ravel(), *width.ravel(), output_mean, output_range)
    if (
        any(values.shape != shape for values in (minimum, maximum, mean, width))
        or not np.isfinite(numbers).all()
        or not (width > 0).all()
        or type(applied) is not bool
    ):
        raise ModelFileError(
            f"{source}: the normalisation must have {shape[0]} finite numbers each, with ranges above zero."
        )
    return Normalisation(minimum, maximum, mean, width, output_mean, output_range, applied)
