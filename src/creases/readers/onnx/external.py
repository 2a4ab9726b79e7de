"""Numbers of an `.onnx` file that are stored in another file, as torch stores them for all but small networks.

This module decides which other files may be opened: plain files in the model's own folder or below it, given by a
relative path without '..', and with no link that leads out of the folder. Before a byte is read, it checks that the
bytes that a tensor claims exist. All tensors together may not claim more than the files have, so that a small model
cannot read one large file a thousand times.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from creases.errors import ModelFileError

__all__ = ["Beside"]

REMEDY = "Save the model as one file: onnx.save(onnx.load(path), path, save_as_external_data=False)."
LOCATION_KEYS = ("location", "offset", "length", "checksum")


class Beside:
    """The files beside a model. folder : the model's folder; None if it was not read from a folder."""

    def __init__(self, folder: Path | None, source: str) -> None:
        self.folder, self.source = folder, source
        self.claimed: dict[Path, int] = {}

    def size(self, tensors: Any) -> int:
        """The total number of bytes of the files that these tensors name."""
        paths = {self.path_of(tensor, "tensor")[0] for tensor in tensors if is_outside(tensor)}
        return sum(path.stat().st_size for path in paths)

    def filled(self, tensor: Any, needed: int, label: str) -> Any:
        """A copy of the tensor that contains its own numbers, `needed` bytes. Raises ModelFileError if the file does
        not have them."""
        import onnx

        path, entries = self.path_of(tensor, label)
        offset, length = (self.whole(entries.get(word), word, label) for word in ("offset", "length"))
        length = needed if entries.get("length") is None else length
        data = self.read(path, offset, length, needed, label)
        copy = onnx.TensorProto()
        copy.CopyFrom(tensor)
        copy.ClearField("external_data")
        copy.data_location = onnx.TensorProto.DEFAULT
        copy.raw_data = data
        return copy

    def path_of(self, tensor: Any, label: str) -> tuple[Path, dict[str, str]]:
        """The file that a tensor names, after it was checked that it may be opened, and the tensor's entries."""
        entries = {str(entry.key): str(entry.value) for entry in tensor.external_data}
        location = entries.get("location", "")
        if self.folder is None:
            raise ModelFileError(f"{self.source}: {label} keeps its numbers in another file. {REMEDY}")
        parts = PurePosixPath(location).parts
        if (
            not parts
            or ".." in parts
            or "\\" in location
            or "\0" in location
            or PurePosixPath(location).is_absolute()
            or PureWindowsPath(location).drive
            or not set(entries) <= set(LOCATION_KEYS)
        ):
            raise ModelFileError(
                f"{self.source}: {label} keeps its numbers in {location[:200]!r}, which is not opened: only a file in "
                f"the model's own folder is, named without '..'. {REMEDY}"
            )
        path = Path(self.folder, *parts)
        try:
            real = path.resolve(strict=True)
            inside = real.is_relative_to(self.folder.resolve(strict=True))
            regular = stat.S_ISREG(real.stat().st_mode)
        except (OSError, RuntimeError) as error:
            raise ModelFileError(
                f"{self.source} keeps its numbers in {location[:200]!r}, which cannot be opened beside it: {error}. "
                "Put that file into the model's folder."
            ) from error
        if not inside or not regular:
            what = "leads out of the model's folder" if not inside else "is not a plain file"
            raise ModelFileError(
                f"{self.source}: {label} keeps its numbers in {location[:200]!r}, which {what}. {REMEDY}"
            )
        return real, entries

    def whole(self, text: str | None, word: str, label: str) -> int:
        """A number of bytes as the format writes it; 0 if it is missing."""
        if text is None:
            return 0
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise ModelFileError(f"{self.source}: {label} has {word} {text[:30]!r}, which is no number of bytes.")
        return int(text)

    def read(self, path: Path, offset: int, length: int, needed: int, label: str) -> bytes:
        """The bytes at an offset of a file. Raises ModelFileError if they do not exist or are not as many as the
        tensor's shape needs."""
        try:
            # The file may have been replaced after its path was checked: do not follow a link, do not wait for a pipe.
            flags = (
                os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            )
            with open(os.open(path, flags), "rb") as file:
                status = os.fstat(file.fileno())
                size = status.st_size
                self.claimed[path] = self.claimed.get(path, 0) + length
                if not stat.S_ISREG(status.st_mode) or length != needed or offset + length > size:
                    raise ModelFileError(
                        f"{self.source}: {label} needs {needed} bytes and is placed at {offset} to {offset + length} "
                        f"of {path.name}, which has {size}: one is truncated, or they do not belong together."
                    )
                if self.claimed[path] > size:
                    raise ModelFileError(
                        f"{self.source}: its tensors together claim more than the {size} bytes of {path.name}: it is "
                        "damaged."
                    )
                file.seek(offset)
                data = file.read(length)
        except OSError as error:
            raise ModelFileError(f"{self.source}: {path.name} cannot be read: {error}") from error
        if len(data) != length:
            raise ModelFileError(f"{self.source}: {path.name} is truncated.")
        return data


def is_outside(tensor: Any) -> bool:
    """True if a tensor's numbers are in another file."""
    import onnx

    return bool(tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data)
