"""`load`: a network from a file or from a torch module in memory.

Decides which reader a file goes to, by its extension, and that no file brings any error but ours: what a
reader did not foresee in a damaged file is still a `ModelFileError`. A file is read once, whole; its readers
see bytes, so that what was checked is what is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING

from creases.errors import CreasesError, ModelFileError, NetworkError, UnsupportedModelError
from creases.network import Network

if TYPE_CHECKING:
    import torch

__all__ = ["load"]

# Extension: module here, function in it. Modules are fetched on first use.
READERS = {
    ".npz": ("archive", "read_archive"),
    ".nnet": ("nnet", "read_nnet"),
    ".onnx": ("onnx_graph", "read_onnx"),
    ".polar": ("polar", "read_polar"),
    ".pt": ("torch_file", "read_torch_file"),
    ".pth": ("torch_file", "read_torch_file"),
    ".safetensors": ("safetensors", "read_safetensors"),
}


def load(
    source: str | os.PathLike[str] | torch.nn.Module,
    *,
    apply_normalisation: bool = False,
    input_shape: Sequence[int] | None = None,
) -> Network:
    """A network from a file, by its extension, or from a torch module.

    source : the path of a .onnx, .nnet, .polar, .pt, .pth, .safetensors or .npz file, or an `nn.Sequential`
        of Linear, ReLU, Flatten, Dropout, Identity, BatchNorm1d and further Sequentials. Weights become
        float64 without loss. What is not a plain copy (a folded BatchNorm, an assumed ReLU) is said in
        `network.notes`.
    apply_normalisation : with a file that says how raw inputs are normalised (.nnet): False (default) gives
        the network on normalised inputs, with the file's words in `network.normalisation`; True folds shift
        and scale into the first and the last layer, so that the network takes and gives raw values.
    input_shape : the shape of one input, where the file does not say it, such as (1, 28, 28).
    Returns a `Network`. Raises ModelFileError if the file is missing, damaged, unsafe or of unknown kind;
    UnsupportedModelError, with the node's name, if it is no chain of dense layers and ReLUs;
    MissingExtraError if an optional package is needed; NetworkError on numbers that are not finite or shapes
    that do not fit.

    Examples
    --------
    >>> import tempfile
    >>> from creases import Network, load
    >>> network = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load(network.save(f"{folder}/hat.npz"))
    Network(1 -> [2] -> 1, 2 neurons)
    """
    from creases.readers.nnet import normalised
    from creases.readers.torch_module import is_module, read_module

    if isinstance(source, str | os.PathLike):
        network = read_file(Path(source))
    elif is_module(source):
        network = read_module(source)
    else:
        raise UnsupportedModelError(
            f"load takes the path of a file ({', '.join(READERS)}) or a torch.nn.Module, got a "
            f"{type(source).__name__}. For arrays, use Network.from_arrays."
        )
    if apply_normalisation:
        network = normalised(network)
    if input_shape is not None:
        try:
            shape = tuple(index(side) for side in input_shape)
        except TypeError:
            shape = ()
        if not shape or min(shape) < 1:
            raise NetworkError(f"input_shape must be integers of at least 1, such as (1, 28, 28), got {input_shape!r}.")
        network = replace(network, input_shape=shape)
    return network


def read_file(path: Path) -> Network:
    """Read a file whole and hand it to its reader."""
    known = ", ".join(READERS)
    try:
        if path.is_dir():
            raise ModelFileError(f"{path} is a directory. Give the path of one file in it ({known}).")
        if not path.exists():
            raise ModelFileError(f"There is no file {path}. Check the path; relative ones start from {Path.cwd()}.")
        if path.suffix.lower() not in READERS:
            raise ModelFileError(
                f"{path.name} has extension {path.suffix!r}; known ones are {known}. Rename it if it is one of these."
            )
        if not path.is_file():
            raise ModelFileError(f"{path} is not a regular file.")
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path; ModelFileError is one too
        if isinstance(error, CreasesError):
            raise
        raise ModelFileError(f"{path} cannot be opened: {error}") from error
    if not data:
        raise ModelFileError(f"{path} is empty.")
    module, name = READERS[path.suffix.lower()]
    reader: Callable[[bytes, str], Network] = getattr(import_module(f"creases.readers.{module}"), name)
    try:
        return reader(data, path.name)
    except CreasesError:
        raise
    except Exception as error:  # the last net below all readers: what a damaged file raises is not foreseeable
        raise ModelFileError(
            f"{path.name} cannot be read as {path.suffix.lower()}; {type(error).__name__}: {error}"
        ) from error
