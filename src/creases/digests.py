"""Digests of saved results, which detect numbers that were changed by a failing disk or by mistake.

They protect against accidents and not against manipulation: anyone who can write a file can write its digest.
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

    fields : text, numbers, booleans, None, and lists and mappings of these. Floats are written so that reading gives
        the same float, so the digest is the same after a round trip through JSON or a database.
    """
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_array(array: NDArray[Any]) -> str:
    """SHA-256 of an array of numbers with its shape and type; the same on every platform."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{little.dtype.str}|{array.shape}|".encode())
    digest.update(little.tobytes())
    return digest.hexdigest()
