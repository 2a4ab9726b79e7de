"""Numbers written as text, for the `.nnet` and `.polar` readers.

Decides what counts as a number: what Python's `float` and `int` take, but no underscores; decimals are read
as the nearest float64. A text cannot claim more numbers than it shows, so counts are compared before any
array.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError
from creases.readers.chain import Chain

__all__ = ["LONGEST", "expect_count", "floats", "is_number", "note_decimals", "note_open_end", "whole"]

LONGEST = 30  # characters of a bad word that an error shows


def floats(words: Sequence[str], what: str, source: str) -> NDArray[np.float64]:
    """Words as float64 (n,); `what` they are goes into the error. Raises ModelFileError if one is no number."""
    try:
        return np.array([number(word) for word in words], dtype=np.float64)
    except ValueError:
        bad = next(word for word in words if not is_number(word))
        raise ModelFileError(f"{source}: {bad[:LONGEST]!r} in {what} is not a number.") from None


def number(word: str) -> float:
    """One word as a float; ValueError if it is none."""
    if "_" in word or not word.isascii():
        raise ValueError(word)
    return float(word)


def is_number(word: str) -> bool:
    """True if the word is a number."""
    try:
        number(word)
    except ValueError:
        return False
    return True


def note_decimals(words: Iterable[str], chain: Chain) -> None:
    """Note that decimals were rounded, where one is not a float64 as it is written (0.1, or 1e-400, read as 0)."""
    if not all(map(is_exact, words)):
        chain.note(
            f"{chain.source}: its decimals are read as the nearest float64 numbers, which are what is certified."
        )


def is_exact(word: str) -> bool:
    """True if float64 holds the number that a word says; Python compares decimals and floats exactly."""
    try:
        return Decimal(word) == float(word)
    except InvalidOperation:  # an exponent beyond all reason
        return False


def whole(word: str, what: str, source: str, least: int = 1) -> int:
    """One word as an integer of at least `least` and at most 18 digits. Raises ModelFileError if it is none."""
    if not (word.isascii() and word.isdecimal() and len(word) <= 18 and int(word) >= least):
        raise ModelFileError(f"{source}: {what} must be a whole number of at least {least}, got {word[:LONGEST]!r}.")
    return int(word)


def expect_count(count: int, expected: int, sizes: Sequence[int], source: str) -> None:
    """Raise ModelFileError if a file has fewer or more weights and biases than its sizes ask for."""
    if count != expected:
        problem = "it is truncated" if count < expected else "it has too many, or its sizes are wrong"
        raise ModelFileError(
            f"{source}: layers of sizes {shown(sizes)} need {expected} weights and biases, the file has "
            f"{count}: {problem}."
        )


def note_open_end(text: str, chain: Chain) -> None:
    """Note that a text may have been cut within its last number: nothing, not even a line end, follows it."""
    if text and not (text[-1].isspace() or text[-1] == ","):
        last = text.replace(",", " ").split()[-1]
        chain.note(f"The file ends in {last[:LONGEST]!r} without a line end: were it cut there, nothing would show it.")


def shown(sizes: Sequence[int]) -> str:
    """Sizes as '2-25-25-1', the middle left out if they are many."""
    words = [str(size) for size in sizes]
    return "-".join(words if len(words) <= 12 else [*words[:6], "...", *words[-5:]])
