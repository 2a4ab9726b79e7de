"""Digests beside saved results: a number that a failing disk or a slip of the hand has changed is seen when it is read.

They are against accidents and not against enemies: who may write a file may write another digest into it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["digest_of", "digest_of_array"]


def digest_of(fields: Mapping[str, Any]) -> str:
    """SHA-256 of fields by name, in hexadecimal; the order of the names does not matter.

    fields : text, numbers, truth values, None, and lists and mappings of these. Floats are written so that they are
        read as they were, so what has been through JSON or a database has the digest of what was written.
    """
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_array(array: NDArray[Any]) -> str:
    """SHA-256 of an array of numbers, its shape and type included; the same on every platform."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{little.dtype.str}|{array.shape}|".encode())
    digest.update(little.tobytes())
    return digest.hexdigest()
