"""HDF5 files of unknown origin: a separate process reads their groups, texts and numbers with h5py.

A damaged file must do no harm: on some of them the HDF5 library loops without end or crashes. The process has limits on
time and memory and is stopped if it has not finished by then (`hdf5_child` says which datasets it does not read).
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, UnsupportedModelError, require_extra

__all__ = ["Hdf5", "opened"]

Floats = NDArray[np.float64]

MAGIC = b"\x89HDF\r\n\x1a\n"
CHILD_PROGRAM = Path(__file__).with_name("hdf5_child.py")
SECONDS, BYTES_A_SECOND = 8.0, 2e7
MEMORY = 2 * 10**9  # bytes, beyond what Python and its imports take; 8 bytes are added for each byte of the file
LENGTH = 8


@dataclass(frozen=True, eq=False)
class Hdf5:
    """The content of a file. Paths look like "layers/dense/vars/0"; the root's path is "".

    source : the file's name, for messages. numbers : the numbers of all datasets, one after the other.
    """

    source: str
    attributes: dict[str, dict[str, Any]]
    members: dict[str, list[str]]
    datasets: dict[str, dict[str, Any]]
    numbers: memoryview

    def within(self, path: str) -> list[str]:
        """The names in a group. Raises ModelFileError if there is no such group."""
        if path not in self.members:
            raise ModelFileError(f"{self.source} holds no group {path!r}: it is damaged, or was written by hand.")
        return self.members[path]

    def text(self, path: str, name: str) -> str | None:
        """An attribute as text; None if there is no such text."""
        value = self.attributes.get(path, {}).get(name)
        return value if isinstance(value, str) else None

    def texts(self, path: str, name: str) -> list[str]:
        """An attribute as a list of texts; empty if there is no such list."""
        value = self.attributes.get(path, {}).get(name)
        return [str(one) for one in value] if isinstance(value, list) else []

    def array(self, path: str) -> NDArray[Any]:
        """The numbers of a dataset. Raises ModelFileError if the dataset is missing or damaged, UnsupportedModelError
        if it holds something other than numbers."""
        told = self.datasets.get(path)
        if told is None:
            raise ModelFileError(f"{self.source} holds no {path!r}: it is damaged, or was written by hand.")
        if "refused" in told:
            kind = UnsupportedModelError if told["refused"].startswith("holds ") else ModelFileError
            raise kind(f"{self.source}: {path!r} {told['refused']}.")
        shape, dtype = tuple(told["shape"]), np.dtype(told["type"])
        return np.frombuffer(self.numbers, dtype, math.prod(shape), told["place"]).reshape(shape)


def opened(data: bytes, source: str) -> Hdf5:
    """The content of an HDF5 file.

    data : the whole file. source : its name, for messages.
    Raises MissingExtraError without h5py, ModelFileError if the file is damaged or the library does not finish in time.
    """
    if find_spec("h5py") is None:
        raise require_extra("h5py", "keras", "Reading .keras and .h5 files")
    if not data.startswith(MAGIC):
        raise ModelFileError(f"{source} is truncated or damaged at its beginning, or no HDF5 file.")
    command = [sys.executable, "-I", str(CHILD_PROGRAM), json.dumps(sys.path), str(MEMORY + 8 * len(data))]
    try:
        child = subprocess.run(
            command, input=data, capture_output=True, timeout=SECONDS + len(data) / BYTES_A_SECOND, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelFileError(f"{source} is damaged: HDF5 did not come to an end with it, and was stopped.") from error
    except OSError as error:
        raise ModelFileError(f"{source} cannot be read: no process could be started for HDF5 ({error}).") from error
    length = int.from_bytes(child.stdout[:LENGTH], "little")
    try:
        told = json.loads(child.stdout[LENGTH : LENGTH + length])
    except (ValueError, RecursionError) as error:
        last = child.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {child.returncode}"]
        raise ModelFileError(f"{source} is truncated or damaged: HDF5 could not read it ({last[0][:200]}).") from error
    if "memory" in told:
        raise ModelFileError(
            f"{source} would take more than {MEMORY // 10**9} GB of memory to read, beside its own size: it is "
            "damaged, or compressed beyond reason. If it is neither, save it anew without compression."
        )
    if "damaged" in told:
        raise ModelFileError(f"{source} is truncated or damaged: {told['damaged']}")
    numbers = memoryview(child.stdout)[LENGTH + length :]
    return Hdf5(source, told["attributes"], told["members"], told["datasets"], numbers)
