"""Numbers written as text, for the `.nnet` and `.polar` readers.

A number is what Python's `float` and `int` accept, without underscores; decimals are read as the nearest float64. A
text cannot claim more numbers than it contains, so counts are compared before an array is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError
from creases.readers.chain import Chain

__all__ = ["LONGEST", "expect_count", "floats", "is_number", "note_decimals", "note_open_end", "whole"]

LONGEST = 30  # characters of an invalid word that an error shows


def floats(words: Sequence[str], what: str, source: str) -> NDArray[np.float64]:
    """Words as float64 of shape (n,). Raises ModelFileError, with `what` they are, if one is not a number."""
    try:
        return np.array([number(word) for word in words], dtype=np.float64)
    except ValueError:
        bad = next(word for word in words if not is_number(word))
        raise ModelFileError(f"{source}: {bad[:LONGEST]!r} in {what} is not a number.") from None


def number(word: str) -> float:
    """One word as a float. Raises ValueError if it is not a number."""
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
    """Add a note that decimals were rounded, if one is not exactly a float64 (0.1, or 1e-400, which is read as 0)."""
    if not all(map(is_exact, words)):
        chain.note(
            f"{chain.source}: its decimals are read as the nearest float64 numbers, which are what is certified."
        )


def is_exact(word: str) -> bool:
    """True if the number in a word is a float64; Python compares decimals and floats exactly."""
    try:
        return Decimal(word) == float(word)
    except InvalidOperation:  # an absurdly large exponent
        return False


def whole(word: str, what: str, source: str, least: int = 1) -> int:
    """One word as an integer of at least `least` and at most 18 digits. Raises ModelFileError if it is not one."""
    if not (word.isascii() and word.isdecimal() and len(word) <= 18 and int(word) >= least):
        raise ModelFileError(f"{source}: {what} must be a whole number of at least {least}, got {word[:LONGEST]!r}.")
    return int(word)


def expect_count(count: int, expected: int, sizes: Sequence[int], source: str) -> None:
    """Raise ModelFileError unless a file has as many weights and biases as its sizes require."""
    if count != expected:
        problem = "it is truncated" if count < expected else "it has too many, or its sizes are wrong"
        raise ModelFileError(
            f"{source}: layers of sizes {shown(sizes)} need {expected} weights and biases, the file has "
            f"{count}: {problem}."
        )


def note_open_end(text: str, chain: Chain) -> None:
    """Add a note that the text may have been cut off within its last number, because nothing follows it, not even a
    line end."""
    if text and not (text[-1].isspace() or text[-1] == ","):
        last = text.replace(",", " ").split()[-1]
        chain.note(f"The file ends in {last[:LONGEST]!r} without a line end: were it cut there, nothing would show it.")


def shown(sizes: Sequence[int]) -> str:
    """Sizes as '2-25-25-1'; in a long list the middle is left out."""
    words = [str(size) for size in sizes]
    return "-".join(words if len(words) <= 12 else [*words[:6], "...", *words[-5:]])
