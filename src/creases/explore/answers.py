"""The answer to a request: facts as JSON, and arrays in binary form.

4 bytes   the length of the JSON, little-endian
JSON      the facts; "arrays" has the name, type, offset and length of each array
arrays    each begins at a multiple of eight bytes after the end of the JSON
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import CreasesError

__all__ = ["Answer", "Superseded"]

ALIGNED = 8
# The types for which the front end has typed arrays.
KINDS = {"f4": "Float32Array", "f8": "Float64Array", "u1": "Uint8Array", "u4": "Uint32Array", "i4": "Int32Array"}


class Superseded(CreasesError, RuntimeError):
    """Raised when a newer request of the same pane has arrived, so that this answer is not needed."""


@dataclass
class Answer:
    """facts : anything that JSON can represent. arrays : by name, of a type in `KINDS`. content : the bytes of a file,
    if one was requested."""

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    content: bytes = b""

    def packed(self) -> tuple[dict[str, Any], bytes]:
        """The facts with a list of the arrays, and all arrays as one sequence of bytes."""
        parts, listed, at = [], [], 0
        arrays = dict(self.arrays)
        if self.content:
            arrays["content"] = np.frombuffer(self.content, np.uint8)
        for name, array in arrays.items():
            kept = np.ascontiguousarray(array)
            data = kept.astype(kept.dtype.newbyteorder("<"), copy=False).tobytes()
            listed.append({"name": name, "kind": KINDS[kept.dtype.str[1:]], "at": at, "length": kept.size})
            data += b"\0" * (-len(data) % ALIGNED)
            parts.append(data)
            at += len(data)
        return {**self.facts, "arrays": listed}, b"".join(parts)

    def as_bytes(self) -> bytes:
        """The whole answer in the format described at the head of this file."""
        facts, data = self.packed()
        text = json.dumps(facts, allow_nan=False).encode()
        text += b" " * (-(len(text) + 4) % ALIGNED)
        return struct.pack("<I", len(text)) + text + data
