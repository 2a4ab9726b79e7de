"""Readers: `load` makes a network from a file, from a model of torch, Keras or scikit-learn, or from weights.

This module chooses the reader by the file's extension, and makes sure that a file raises only errors of this package:
whatever else a reader raises on a damaged file becomes a `ModelFileError`. A file is read once, as a whole, and its
readers get its bytes, so that the bytes that were checked are the bytes that are used. Files that hold only weights
contain no graph: the caller gives what is missing (`Answers`). Where a file does contain that information, an argument
for it is refused rather than ignored.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from creases.errors import CreasesError, ModelFileError, NetworkError, NotEnoughMemoryError, UnsupportedModelError
from creases.network import Network
from creases.readers.weights.answers import Answers

if TYPE_CHECKING:
    import torch

__all__ = ["load"]

# Extension: the reader's module and function. Modules are imported on first use.
READERS = {
    ".npz": ("archive", "read_archive"),
    ".nnet": ("nnet", "read_nnet"),
    ".onnx": ("onnx.graph", "read_onnx"),
    ".onnx.gz": ("onnx.packed", "read_onnx_gz"),
    ".polar": ("polar", "read_polar"),
    ".pt": ("torch.file", "read_torch_file"),
    ".pth": ("torch.file", "read_torch_file"),
    ".ckpt": ("torch.file", "read_torch_file"),
    ".safetensors": ("weights.safetensors", "read_safetensors"),
    ".pt2": ("torch.archive", "read_torch_archive"),
    ".keras": ("keras.file", "read_keras"),
    ".h5": ("keras.file", "read_keras_h5"),
    ".zip": ("torch.policy_zip", "read_policy_zip"),
}
# Readers of files that hold weights and no graph.
WEIGHTS_ONLY = (".pt", ".pth", ".ckpt", ".safetensors", ".zip")
# Readers of graphs, whose values have names.
GRAPHS = (".onnx", ".onnx.gz")


def load(
    source: str | os.PathLike[str] | torch.nn.Module | Mapping[str, Any] | Any,
    *,
    activation: str | Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    prefix: str | None = None,
    final_kink: bool = False,
    batch_norm_eps: float | None = None,
    apply_normalisation: bool = False,
    input_shape: Sequence[int] | None = None,
    output: str | None = None,
    inputs: Mapping[str, ArrayLike] | None = None,
) -> Network:
    """Read a network from a file, by its extension, or from a model in memory.

    source : the path of a .onnx, .onnx.gz, .pt2, .keras, .h5, .nnet, .polar, .npz, .pt, .pth, .ckpt, .safetensors or
        .zip file; any torch `nn.Module` that is piecewise linear; a state dict; nested dictionaries of arrays (Flax,
        Haiku); a built model of Keras; or a fitted MLPClassifier or MLPRegressor of scikit-learn. Weights become
        float64 without loss. Assumptions and roundings (a BatchNorm's scale that is not a float64) are listed in
        `network.notes` and in the notes of its counts.

    A .pt, .pth, .ckpt or .safetensors file, a policy's .zip (stable-baselines3), a .npz not written by `Network.save`
    and a dictionary in memory hold weights but no graph. The missing information is given by arguments; the error for a
    missing argument names it:

    activation : the activation between the layers of a chain: "relu", "leaky:0.01" (a leaky ReLU with this slope below
        zero), "abs" (the absolute value) or "linear" (none). A list gives the activation after each layer, one entry
        per Linear, as in ["relu", "abs", "linear"].
    order : the names of the layers in the order in which they are applied, such as ["encoder", "decoder"]; other layers
        are left out. Activations such as "relu" in the list stand at their positions, and nowhere else. The default is
        the order of the numbers in the names or of a .pt file, if nothing contradicts it.
    prefix : the prefix of the names of the network to read, such as "actor.", if the file has several.
    final_kink : True if an activation follows the last layer too, so that it is hidden and there is no output layer.
    batch_norm_eps : eps of the BatchNorms, which a state dict does not contain; default 1e-5, as in torch.

    apply_normalisation : for a file that describes the normalisation of raw inputs (.nnet). False (default) gives the
        network on normalised inputs, with the description in `network.normalisation`; True adds shift and scale before
        the first and after the last layer, exactly, so that inputs and outputs are raw values.
    input_shape : the shape of one input without the batch axis, such as (1, 28, 28), if the source does not contain it.
        A torch module is traced with a symbolic input of this shape; a module that begins with a Linear does not need
        it.

    For .onnx files:

    output : the name of the value that is the output of the network, one of several outputs or any intermediate value.
    inputs : constant arrays by name for all inputs but one.

    Returns a `Network`.
    Raises ModelFileError if the file is missing, damaged, unsafe or of unknown kind, or needs further arguments (the
    message shows the call); UnsupportedModelError, with the name of the node, if the model is not piecewise linear or
    not supported; MissingExtraError if an optional package is needed; NetworkError if a number is not finite or shapes
    do not fit; NotEnoughMemoryError if the model does not fit into memory.

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

    if output is not None and not isinstance(output, str):
        raise ModelFileError(f"output must be the name of one value, got {output!r}.")
    if inputs is not None and not (isinstance(inputs, Mapping) and all(isinstance(name, str) for name in inputs)):
        raise ModelFileError(f"inputs must be arrays by the names of the inputs that they fix, got {inputs!r:.100}.")
    target = os.fsdecode(source) if isinstance(source, str | os.PathLike) else None
    answers = Answers.checked(target, activation, order, prefix, final_kink, batch_norm_eps)
    named = {"output": output, "inputs": inputs}
    shape = None if input_shape is None else as_input_shape(input_shape)
    if target is None:
        refuse_names(named, "A model in memory")
        network = read_model(source, answers, shape)
    else:
        network = read_file(Path(target), answers, named)
    if apply_normalisation:
        network = normalised(network)
    return network if shape is None else replace(network, input_shape=shape)


def as_input_shape(input_shape: Sequence[int]) -> tuple[int, ...]:
    """`input_shape` as a tuple. Raises NetworkError unless its entries are positive integers."""
    try:
        shape = tuple(index(side) for side in input_shape)
    except TypeError:
        shape = ()
    if not shape or min(shape) < 1:
        raise NetworkError(f"input_shape must be integers of at least 1, such as (1, 28, 28), got {input_shape!r}.")
    return shape


def read_model(source: Any, answers: Answers, input_shape: tuple[int, ...] | None = None) -> Network:
    """The network of a model in memory."""
    from creases.readers.keras.memory import is_keras_model, read_keras_model
    from creases.readers.sklearn_model import is_estimator, read_estimator
    from creases.readers.torch.module import is_module, read_module

    if isinstance(source, Mapping):
        from creases.readers.torch.file import read_state_dict
        from creases.readers.weights.nested_arrays import is_nested, read_nested

        return read_nested(source, answers) if is_nested(source) else read_state_dict(source, answers)
    if is_keras_model(source):  # before torch: with torch as its backend it is a module too
        refuse_answers(answers, "A model of Keras")
        return read_keras_model(source)
    if is_module(source):
        refuse_answers(answers, "A torch module")
        return read_module(source, input_shape)
    if is_estimator(source):
        refuse_answers(answers, "A model of scikit-learn")
        return read_estimator(source)
    raise UnsupportedModelError(
        f"load takes the path of a file ({', '.join(READERS)}), a torch.nn.Module, a state dict, a model of Keras, "
        f"or a fitted MLPClassifier or MLPRegressor, got a {type(source).__name__}. For arrays, use "
        "Network.from_arrays."
    )


def refuse_answers(answers: Answers, what: str) -> None:
    """Raise ModelFileError if an argument was given that the model itself determines. If it were ignored, the caller
    would believe that it had an effect."""
    if told := answers.told():
        raise ModelFileError(
            f"{what} says itself what it computes; {' and '.join(told)} {'is' if len(told) == 1 else 'are'} for files "
            f"that hold weights alone ({', '.join(WEIGHTS_ONLY)}). Leave {'it' if len(told) == 1 else 'them'} out."
        )


def refuse_names(named: Mapping[str, Any], what: str) -> None:
    """Raise ModelFileError if `output` or `inputs` is given for a source whose values have no names."""
    if told := [name for name, value in named.items() if value is not None]:
        raise ModelFileError(
            f"{what} has no values with names; {' and '.join(told)} {'is' if len(told) == 1 else 'are'} for files of "
            f"graphs ({', '.join(GRAPHS)}). Leave {'it' if len(told) == 1 else 'them'} out."
        )


def read_file(path: Path, answers: Answers, named: Mapping[str, Any]) -> Network:
    """Read a file as a whole and pass it to its reader."""
    from creases.readers.weights.plain_arrays import is_plain

    known, suffix = ", ".join(READERS), suffix_of(path)
    try:
        if path.is_dir():
            raise ModelFileError(f"{path} is a directory. Give the path of one file in it ({known}).")
        if not path.exists():
            raise ModelFileError(f"There is no file {path}. Check the path; relative ones start from {Path.cwd()}.")
        if suffix not in READERS:
            raise ModelFileError(
                f"{path.name} has extension {suffix!r}; known ones are {known}. Rename it if it is one of these."
            )
        if not path.is_file():
            raise ModelFileError(f"{path} is not a regular file.")
        data = path.read_bytes()
    except MemoryError as error:
        raise no_room(path) from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path; ModelFileError is one too
        if isinstance(error, CreasesError):
            raise
        raise ModelFileError(f"{path} cannot be opened: {error}") from error
    if not data:
        raise ModelFileError(f"{path} is empty.")
    module, name = READERS[suffix]
    more: tuple[object, ...] = ()
    if suffix == ".npz" and is_plain(data):
        module, name, more = "weights.plain_arrays", "read_plain", (answers,)
    elif suffix in WEIGHTS_ONLY:
        more = (answers,)
    else:
        refuse_answers(answers, path.name)
    if suffix in GRAPHS:
        more = (path.parent, named["output"], named["inputs"])
    else:
        refuse_names(named, path.name)
    reader = getattr(import_module(f"creases.readers.{module}"), name)
    try:
        network: Network = reader(data, path.name, *more)
        return network
    except CreasesError:
        raise
    except MemoryError as error:
        raise no_room(path) from error
    except Exception as error:  # the last resort for all readers: what a damaged file raises is not foreseeable
        raise ModelFileError(f"{path.name} cannot be read as {suffix}; {type(error).__name__}: {error}") from error


def suffix_of(path: Path) -> str:
    """The extension, which determines the reader."""
    name, suffix = path.name.lower(), path.suffix.lower()
    return next((known for known in GRAPHS if known.count(".") > 1 and name.endswith(known)), suffix)


def no_room(path: Path) -> NotEnoughMemoryError:
    """The error if a file, or its content, does not fit into memory."""
    return NotEnoughMemoryError(
        f"{path} has {path.stat().st_size:,} bytes, and reading it takes more memory than is free. Free some, or read "
        "it on a larger machine."
    )
