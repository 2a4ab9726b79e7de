"""`.pt`, `.pth` and `.ckpt` files: a state dict as `torch.save` writes it.

Such a file is a pickle, that is, a program; it is checked before torch opens it. torch's restricted interpreter
(`weights_only=True`) is trusted only from version 2.10 on, since files could overwrite memory in older ones. First the
instructions of the pickles are examined without running them, and every name that a state dict does not need is
refused, and every size that the file cannot hold.
"""

from __future__ import annotations

import io
import math
import pickletools
import re
import struct
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.arrays import as_floats
from creases.errors import ModelFileError, NetworkError, UnsupportedModelError, require_extra
from creases.network import Network
from creases.readers.torch.tensor import tensor_values
from creases.readers.weights.answers import Answers
from creases.readers.weights.state_dict import check_claims, from_tensors, state_dict_in

__all__ = ["read_state_dict", "read_torch_file"]

OLDEST = (2, 10)
REMEDY = "Save tensors only, torch.save(model.state_dict(), path), or use .safetensors."
NO_SCRIPTS = (
    "which is not read. Load the torch module that it was made from, creases.load(model), or save that as .onnx with "
    "torch.onnx.export(model, ...). Its weights alone are torch.jit.load(path).state_dict()."
)
# The names in state dicts. The others that weights_only allows can allocate unlimited memory (bytearray, Tensor,
# UntypedStorage).
PLAIN_NAMES = re.compile(
    r"collections\.(OrderedDict|Counter)|torch\._utils\._rebuild_(tensor|tensor_v2|parameter)"
    r"|torch\.((?!Untyped|Typed)[A-Z][A-Za-z0-9]*Storage|Size|device|u?int[0-9]+|b?float[0-9]+|bool)|torch\.serialization\._get_layout"
    r"|torch\.nn\.parameter\.Parameter|builtins\.(set|complex)|__builtin__\.(set|complex)|_codecs\.encode"
)
# Functions that torch calls to make other kinds of tensors, and how to convert these.
OTHER_FORMS = {
    "torch._utils._rebuild_sparse": ("sparse", ".to_dense()"),
    "torch._utils._rebuild_qtensor": ("quantized", ".dequantize()"),
}
DOUBLE = 8  # bytes
LEGACY_PICKLES = 5  # magic number, protocol, system, object, storage keys; then come the numbers
Instruction = tuple[str, Any]


def read_torch_file(data: bytes, source: str, answers: Answers) -> Network:
    """The network whose state dict is in a .pt, .pth or .ckpt file.

    data : the whole file. source : its name, for messages. answers : the caller's arguments for weights without a
        graph. Raises ModelFileError if the file contains code or is damaged, or torch is older than 2.10;
        MissingExtraError without torch; UnsupportedModelError on tensors that do not belong to a Linear or BatchNorm.
    """
    torch = checked_torch(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old formats and unusual escapes, which the caller cannot change
            check_pickles(data, source)
            loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (ModelFileError, MemoryError):
        raise
    except Exception as error:  # pickle, zip and runtime errors, none of which torch documents
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelFileError(f"{source} is truncated or damaged; torch says: {reason}") from error
    tensors, narrow, claimed = {}, set(), 0
    for name, tensor in state_dict_in(loaded, source, lambda value: isinstance(value, torch.Tensor)).items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise ModelFileError(f"{source}: entry {name!r} is a {type(tensor).__name__}, not a tensor. {REMEDY}")
        claimed += tensor.numel() * tensor.element_size()
        tensors[name] = values_of(tensor, name, claimed, len(data), source)
        if tensor.dtype != torch.float64:
            narrow.add(name)
    return from_tensors(tensors, source, answers, narrow=narrow)


def read_state_dict(loaded: Mapping[Any, Any], answers: Answers) -> Network:
    """The network of a state dict, or of a checkpoint that holds one, in memory: torch tensors or arrays by name.

    Raises ModelFileError and UnsupportedModelError as for files; NetworkError on tensors that do not hold real numbers.
    """
    torch = sys.modules.get("torch")
    kinds = (np.ndarray,) if torch is None else (np.ndarray, torch.Tensor)
    source, tensors, narrow = "The state dict", {}, set()
    for name, tensor in state_dict_in(loaded, source, lambda value: isinstance(value, kinds)).items():
        if not isinstance(name, str) or not isinstance(tensor, kinds):
            raise ModelFileError(
                f"{source}: entry {name!r} is a {type(tensor).__name__}, not a torch tensor or a numpy array. Give "
                "what model.state_dict() gives, or use Network.from_arrays."
            )
        if name.endswith("num_batches_tracked"):
            tensors[name] = np.zeros(())
        elif isinstance(tensor, np.ndarray):
            tensors[name] = as_floats(tensor, f"{source}: array '{name}'", NetworkError)
        else:
            tensors[name] = tensor_values(tensor, f"{source}: tensor '{name}'")
        if tensor.dtype.itemsize < DOUBLE:
            narrow.add(name)
    return from_tensors(tensors, source, answers, narrow=narrow)


def checked_torch(source: str) -> Any:
    """The torch package, if it is new enough to open files of unknown origin."""
    try:
        import torch
    except ImportError as error:
        raise require_extra("torch", "torch", "Reading .pt, .pth and .ckpt files") from error
    version = tuple(int(part) for part in re.findall(r"[0-9]+", torch.__version__)[:2])
    if version < OLDEST:
        raise ModelFileError(
            f"{source}: torch {torch.__version__} does not open .pt files safely; Creases asks for 2.10 or "
            "newer. Upgrade with: pip install 'torch>=2.10', or save the tensors as .safetensors."
        )
    return torch


def values_of(tensor: Any, name: str, claimed: int, size: int, source: str) -> NDArray[np.float64]:
    """One tensor as float64, after a check that it is not a small storage that claims to be a large tensor or many
    tensors.

    claimed : bytes of the tensors so far, including this one. size : bytes of the file.
    """
    if name.endswith("num_batches_tracked"):
        return np.zeros(())
    if math.prod(tensor.shape) * tensor.element_size() > size:
        raise ModelFileError(
            f"{source}: tensor '{name}' has shape {tuple(tensor.shape)}, more numbers than the file's {size} "
            "bytes hold."
        )
    check_claims(claimed, size, source)
    return tensor_values(tensor, f"{source}: tensor '{name}'")


def check_pickles(data: bytes, source: str) -> None:
    """Refuse code and oversized storages in both of torch's formats, without running anything."""
    try:
        if data[:4] == b"PK\x03\x04":
            for pickled in zipped_pickles(data, source):
                for instructions in programs(pickled, 1):
                    check_names(instructions, source)
        else:
            for instructions in programs(data, LEGACY_PICKLES):
                check_names(instructions, source)
                check_storages(instructions, len(data), source)
    except (ModelFileError, MemoryError):
        raise
    except Exception as error:  # pickletools raises various errors: ValueError, IndexError, UnicodeDecodeError
        raise ModelFileError(f"{source} is truncated, or no torch file: {error}") from error


def zipped_pickles(data: bytes, source: str) -> Iterator[bytes]:
    """The pickles in torch's zip format. Refuses members that claim more than the file holds."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        # This check comes first: its code is compressed, and an error about compression would not help the user.
        if any(member.filename.endswith("/constants.pkl") for member in members):
            raise UnsupportedModelError(f"{source} is a TorchScript program (torch.jit.save), {NO_SCRIPTS}")
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ModelFileError(f"{source} has compressed members, which torch.save never writes. {REMEDY}")
        if sum(member.file_size for member in members) > len(data):
            raise ModelFileError(f"{source} has members that claim more bytes than the file has: it is damaged.")
        pickled = [member for member in members if member.filename.endswith(".pkl")]
        if not pickled:
            raise ModelFileError(f"{source} is a zip archive without data.pkl: no torch file.")
        for member in pickled:
            # Not archive.read(): torch has an option to write no checksums, and zipfile would raise an error.
            start = member.header_offset + 30 + sum(struct.unpack("<HH", data[member.header_offset + 26 :][:4]))
            yield data[start : start + member.file_size]


def programs(data: bytes, count: int) -> Iterator[list[Instruction]]:
    """The instructions of `count` consecutive pickles, as names and arguments."""
    stream = io.BytesIO(data)
    for _ in range(count):
        yield [(code.name, argument) for code, argument, _place in pickletools.genops(stream)]


def check_names(instructions: list[Instruction], source: str) -> None:
    """Refuse a pickle that names anything other than the parts of a state dict."""
    strings: list[str] = []
    for code, argument in instructions:
        if code in ("GLOBAL", "INST"):
            name = str(argument).replace(" ", ".")
        elif code == "STACK_GLOBAL":
            name = ".".join(strings[-2:])
        elif code.startswith("EXT"):
            name = f"extension {argument}"
        else:
            if isinstance(argument, str):
                strings.append(argument)
            continue
        if not PLAIN_NAMES.fullmatch(name):
            for maker, (form, way) in OTHER_FORMS.items():
                if name.startswith(maker):
                    raise UnsupportedModelError(
                        f"{source} holds {form} tensors, which are not read. Convert each before saving: tensor{way}."
                    )
            raise ModelFileError(
                f"{source} is a pickle that calls {name}, which is code and not a state dict; it was not run. {REMEDY} "
                "A module in memory needs no file: creases.load(model)."
            )


def check_storages(instructions: list[Instruction], size: int, source: str) -> None:
    """Refuse a legacy storage larger than the file: torch would allocate its memory before it reads a number.

    The number of elements must be written explicitly before the tuple ends ("n, None"), as torch.save does.
    """
    written = [(code, argument) for code, argument in instructions if "PUT" not in code and code != "MEMOIZE"]
    for i, (code, _argument) in enumerate(written):
        if code not in ("BINPERSID", "PERSID"):
            continue
        before = written[max(i - 3, 0) : i]
        count = before[0][1] if [code for code, _ in before[1:]] == ["NONE", "TUPLE"] else None
        if type(count) is not int or not 0 <= count <= size:
            raise ModelFileError(
                f"{source} has a storage of {count} numbers in a file of {size} bytes: it is truncated or "
                f"damaged. {REMEDY}"
            )
