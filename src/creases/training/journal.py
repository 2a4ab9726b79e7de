"""A file to which rows are appended one by one, so that kill -9 loses no row that was announced.

It has one JSON object per line. The first line describes the rows. A row is on disk (flush and fsync) before `append`
returns. Only the last line can be incomplete; it is dropped when the file is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from creases.files import not_written, replace_file
from creases.training.errors import TrainingError
from creases.training.files import Row

__all__ = ["RowJournal", "read_rows"]

FORMAT = "creases-rows-1"


class RowJournal:
    """The file at `path`, and its rows so far in `rows`.

    header : a description of the rows, as plain numbers and strings; it is written into the first line.
    resume : continue an existing file; its header must be the same. Without it, an existing file is an error: rows are
        not overwritten.
    Raises TrainingError if the file exists and `resume` is False, if it is of another kind, and if a line before the
    last is damaged.
    """

    def __init__(self, path: str | Path, header: dict[str, Any], *, resume: bool) -> None:
        self.path = Path(path)
        # Through JSON and back, so that the comparison is of values as a file holds them.
        self.header: dict[str, Any] = json.loads(json.dumps({"format": FORMAT, **header}))
        self.rows: list[Row] = []
        if resume and self.path.exists():
            header_found, self.rows = parse(self.path)
            if header_found is not None and header_found != self.header:
                differing = [key for key, value in self.header.items() if header_found.get(key) != value]
                raise TrainingError(
                    f"{self.path} holds rows of something else ({', '.join(differing)} differ). "
                    "Give the same as when it was begun, or another path."
                )
            self.replace(self.rows)
            return
        try:
            self.path.open("x").close()
        except FileExistsError:
            raise TrainingError(f"{self.path} exists. Pass resume=True to go on with it, or another path.") from None
        self.write([self.header])

    def append(self, rows: Sequence[Row]) -> None:
        """Write rows and wait until they are on disk. Raises SaveError, and writes none, if there is no space."""
        self.write(rows)
        self.rows.extend(rows)

    def write(self, lines: Sequence[dict[str, Any]]) -> None:
        """Append lines to the file."""
        before = self.path.stat().st_size
        try:
            with self.path.open("a", encoding="utf-8") as file:
                write_through(file, "".join(json.dumps(line) + "\n" for line in lines))
        except OSError as error:
            os.truncate(self.path, before)  # an incomplete line would damage the next one
            raise not_written(self.path, error) from error

    def replace(self, rows: Sequence[Row]) -> None:
        """Replace all rows of the file by these."""
        text = "".join(json.dumps(line) + "\n" for line in (self.header, *rows))
        replace_file(self.path, lambda partial: partial.write_text(text, encoding="utf-8"))
        self.rows = list(rows)


def read_rows(path: str | Path) -> list[Row]:
    """Read the rows of a file written by a `RegionTracker`; an incomplete last line is ignored.

    Raises TrainingError if the file is missing or damaged.
    """
    return parse(Path(path))[1]


def write_through(file: Any, text: str) -> None:
    """Write to the disk, not to a buffer."""
    file.write(text)
    file.flush()
    os.fsync(file.fileno())


def parse(path: Path) -> tuple[dict[str, Any] | None, list[Row]]:
    """Header and rows of a file; the header is None if even that line is incomplete."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror or error}.") from error
    *lines, _torn = text.split("\n")
    parsed: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or (number == 1 and entry.get("format") != FORMAT):
            raise TrainingError(f"{path}, line {number}, is not what a tracker writes. Move the file away.")
        parsed.append(entry)
    return (parsed[0], parsed[1:]) if parsed else (None, [])
