"""Output for people: facts in two columns, and tables, all on stdout."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from creases.errors import ModelFileError

__all__ = ["facts", "out", "several", "table", "working", "writable", "writable_folder"]


def out() -> Console:
    """The console for results."""
    return Console(highlight=False, markup=False, soft_wrap=False)


def facts(rows: Iterable[tuple[str, object]]) -> Table:
    """Two columns, name and value; long values are wrapped."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    return table


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[str] = ("",)) -> Table:
    """Columns with titles, numbers aligned right. words : titles of columns of words, which are aligned left."""
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        result.add_column(title, justify="left" if title in words else "right")
    for row in rows:
        result.add_row(*row)
    return result


@contextmanager
def working(doing: str) -> Iterator[None]:
    """Show on a terminal's stderr what is being done, for work without a known length."""
    with Console(stderr=True, highlight=False, markup=False).status(doing):
        yield


def several(number: int, noun: str) -> str:
    """A number with its noun: 1 run, 2,000 runs."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def writable(path: Path) -> Path:
    """The path, if a file can be written there; checked before a long computation, so that no result is lost."""
    if not path.parent.is_dir():
        raise ModelFileError(f"The folder {path.parent} does not exist. Make it first, or save elsewhere.")
    if path.is_dir():
        raise ModelFileError(f"{path} is a folder. Give the name of a file in it.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ModelFileError(f"{path} cannot be written to. Check its permissions, or save elsewhere.")
    return path


def writable_folder(path: Path) -> Path:
    """The path, if it is a writable folder, or one could be created there; nothing is created."""
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise ModelFileError(f"{nearest} is a file, and a folder is needed there. Choose another with --output.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ModelFileError(f"{nearest} cannot be written to. Check its permissions, or choose another folder.")
    return path
