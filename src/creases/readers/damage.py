"""Damaged archives: whatever the underlying libraries raise on their bytes becomes one error of this package.

zipfile, zlib, lzma, struct and numpy raise a dozen kinds of errors on changed bytes, most of them undocumented:
OverflowError on an offset of 2^63, NotImplementedError on an unknown compression method, RuntimeError if a flag says
that a member is encrypted. So `Exception` itself is caught, here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from creases.errors import CreasesError, ModelFileError

__all__ = ["damage_named"]


@contextmanager
def damage_named(source: str, remedy: str = "") -> Iterator[None]:
    """Raise ModelFileError, with the file's name, for any exception in the block except errors of this package and
    MemoryError.

    source : the file's name. remedy : a sentence that says what to do.
    """
    try:
        yield
    except (CreasesError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join([f"{type(error).__name__}:", *str(error).strip().splitlines()[:1]]).rstrip(".:")
        raise ModelFileError(f"{source} is truncated or damaged: {reason}. {remedy}".rstrip()) from error
