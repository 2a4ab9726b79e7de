"""Files that are written completely or not at all: if the disk is full, an error says so, and the previous file
remains.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from pathlib import Path

from creases.errors import SaveError

__all__ = ["not_written", "remedy_of", "replace_file"]

# A counter of the files that this process has begun.
numbers = itertools.count()

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_FOLDER = (errno.ENOENT, errno.ENOTDIR)


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make the file under another name, then put it in the place of `path` in one step.

    Readers of `path` see the old file or the new one, never a part, even after kill -9 or a power cut. Special files
    such as /dev/stdout are written directly.
    Raises SaveError, with its remedy, if `write` or the system fails; no partial file is left behind.
    """
    try:
        device = path.is_relative_to("/dev") and not path.is_relative_to("/dev/shm")
        if device or (path.exists() and not path.is_file()):
            write(path)
            return
        # For a link, the file to which it leads. The suffix stays last, because writers choose the format by it. The
        # name is unique, so that two processes that write the same file do not write into one temporary file.
        target = Path(os.path.realpath(path))
        partial = target.with_name(f".partial_{os.getpid()}_{next(numbers)}_{path.name}")
        try:
            write(partial)
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(partial, target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> SaveError:
    """The error for a file that could not be written, with what to do about it."""
    if isinstance(error, SaveError):
        return error
    kept = " What was there before is as it was." if path.is_file() else ""
    said = SaveError(f"{path} could not be written: {error.strerror or error}. {remedy_of(error)}{kept}")
    said.errno = error.errno
    return said


def remedy_of(error: OSError) -> str:
    """What to do if a file cannot be written."""
    if error.errno in NO_ROOM:
        return "Free some space on its disk, or save elsewhere."
    if error.errno in NO_FOLDER:
        return "Make its folder first, or save elsewhere."
    if error.errno in FORBIDDEN:
        return "Check its permissions and those of its folder, or save elsewhere."
    return "Check the name and its disk, or save elsewhere."
