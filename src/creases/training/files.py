"""Tables of rows as .csv, as .json or as a pandas DataFrame."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creases.errors import require_extra
from creases.files import replace_file
from creases.training.errors import TrainingError

if TYPE_CHECKING:
    import pandas

__all__ = ["Row", "as_frame", "save_table"]

Row = dict[str, Any]  # column name -> a number, a bool, a string, None, or a list of numbers


def save_table(rows: Sequence[Row], columns: Sequence[str], path: str | Path) -> Path:
    """Write rows as .csv (lists as JSON text, None as an empty field) or .json (a list of objects).

    Raises TrainingError on any other extension.
    """
    path = Path(path)
    if path.suffix == ".json":
        text = json.dumps([{name: row[name] for name in columns} for row in rows], indent=1) + "\n"
    elif path.suffix == ".csv":
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            cells = (row[name] for name in columns)
            writer.writerow(json.dumps(cell) if isinstance(cell, list) else cell for cell in cells)
        text = buffer.getvalue()
    else:
        raise TrainingError(f"Tables are saved as .csv or .json, got {path.name!r}.")
    replace_file(path, lambda partial: partial.write_text(text, encoding="utf-8"))
    return path


def as_frame(rows: Sequence[Row], columns: Sequence[str]) -> pandas.DataFrame:
    """The rows as a pandas DataFrame. Raises MissingExtraError if pandas is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise require_extra("pandas", "pandas", "A table as a DataFrame") from error
    return pandas.DataFrame(list(rows), columns=list(columns))
