"""Damaged archives: whatever the libraries beneath raise on their bytes becomes one error of ours.

Decides nothing of a file; it names it. zipfile, zlib, lzma, struct and numpy raise a dozen kinds on flipped bytes, most
of them undocumented: OverflowError on an offset of 2^63, NotImplementedError on a method of compression that there is
not, RuntimeError where a flag says that a member is encrypted. So the net is Exception itself, and stands here once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from creases.errors import CreasesError, ModelFileError

__all__ = ["damage_named"]


@contextmanager
def damage_named(source: str, remedy: str = "") -> Iterator[None]:
    """Raise ModelFileError, with the file's name, for all that the block raises; what is ours passes, and MemoryError.

    source : the file's name. remedy : what to do, a sentence.
    """
    try:
        yield
    except (CreasesError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join([f"{type(error).__name__}:", *str(error).strip().splitlines()[:1]]).rstrip(".:")
        raise ModelFileError(f"{source} is truncated or damaged: {reason}. {remedy}".rstrip()) from error
