"""How activation patterns are packed: in words where cells are cut, in bytes where they are given out.

Neuron i, counted through the layers, is bit i % 64 of word i // 64, and bit i % 8 of byte i // 8: the bytes are those
of the words, lowest first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creases.engine.problem import Ints

__all__ = ["bits_of_bytes", "bits_of_words", "bytes_of_bits", "bytes_of_words", "number_of_words", "set_active"]

Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]


def bytes_of_words(words: Ints, neurons: int) -> Bytes:
    """Patterns in words, int64 (cells, ceil(N / 64)), as uint8 (cells, ceil(N / 8)): a view where that is possible."""
    return np.ascontiguousarray(words, "<i8").view(np.uint8)[:, : (neurons + 7) // 8]


def bytes_of_bits(bits: Bools) -> Bytes:
    """Patterns, bool (cells, N), as uint8 (cells, ceil(N / 8))."""
    return np.packbits(bits, axis=1, bitorder="little")


def bits_of_bytes(patterns: Bytes, neurons: int) -> Bools:
    """Patterns in bytes, uint8 (cells, ceil(N / 8)), as bool (cells, N): True where a neuron is active."""
    return np.unpackbits(patterns, axis=1, bitorder="little", count=neurons).view(np.bool_)


def bits_of_words(words: Ints) -> Bools:
    """One pattern in words, int64 (ceil(N / 64),), as bool: N neurons, then what is left of the last word."""
    return np.unpackbits(words.astype("<i8").view(np.uint8), bitorder="little").view(np.bool_)


def number_of_words(words: Ints) -> int:
    """One pattern in words as a whole number, bit i of which is neuron i."""
    return int.from_bytes(words.astype("<i8").tobytes(), "little")


def set_active(words: Ints, neuron: int) -> None:
    """Set a neuron's bit in one pattern, where no kernel runs (`record.mark_active` is one)."""
    words[neuron >> 6] |= np.int64(np.uint64(1) << np.uint64(neuron & 63))
