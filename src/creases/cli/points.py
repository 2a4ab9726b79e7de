"""Points given on the command line: as numbers, as a file, or as one row of a file.

A POINT is one of
  0.5,-1,2        its coordinates
  origin          all coordinates zero
  point.npy       a file that holds one point (.npy or .csv), flat or in the network's input shape
  points.npy:3    row 3 (counted from 0) of a file that holds many
POINTS are "0,0 1,0 0,1" (a space between points) or a file with one point a row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from creases.errors import DomainError, ModelFileError

__all__ = ["number", "read_inputs", "read_labels", "read_point", "read_points"]

Floats = NDArray[np.float64]

ORIGIN = "origin"
FILE = re.compile(r"(?P<path>.*\.(?:npy|csv))(?::(?P<row>\d+))?", re.IGNORECASE)
FORMS = "Give numbers like 0.5,-1 or a .npy or .csv file, with :ROW for one row of it"


def number(text: str, option: str) -> float:
    """One decimal number. Raises DomainError, with the option, on anything else."""
    try:
        return float(text)
    except ValueError:
        raise DomainError(f"{option}: {text.strip()!r} is not a number. {FORMS}.") from None


def read_point(text: str, n: int, option: str) -> Floats:
    """The point that `text` describes, shape (n,). Raises DomainError, with the option, if it describes none."""
    if text.strip().lower() == ORIGIN:
        return np.zeros(n)
    if match := FILE.fullmatch(text.strip()):
        rows = read_file(Path(match["path"]), n, option)
        if match["row"] is None and len(rows) != 1:
            raise DomainError(
                f"{option}: {match['path']} holds {len(rows)} points and one is needed. "
                f"Choose one by its row: {match['path']}:0 to {match['path']}:{len(rows) - 1}."
            )
        row = int(match["row"] or 0)
        if row >= len(rows):
            raise DomainError(f"{option}: {match['path']} has rows 0 to {len(rows) - 1}, so {row} is past its end.")
        return np.asarray(rows[row])
    point = np.array([number(part, option) for part in text.split(",")])
    check_size(point.size, n, f"the point {text.strip()!r}", option)
    return point


def read_points(text: str, n: int, option: str) -> Floats:
    """The points that `text` describes, shape (m, n). Raises DomainError, with the option, if it describes none."""
    parts = text.split()
    if not parts:
        raise DomainError(f"{option}: no points in {text!r}. Give points like '0,0 1,0 0,1' or a file.")
    match = FILE.fullmatch(text.strip())
    # A text with spaces is the name of a file only if there is such a file; otherwise it is a list of points.
    if match and match["row"] is None and (len(parts) == 1 or Path(match["path"]).is_file()):
        return read_file(Path(match["path"]), n, option)
    return np.array([read_point(part, n, option) for part in parts])


def read_labels(text: str, n: int, option: str) -> list[str] | NDArray[np.generic]:
    """The classes of n points: words separated by spaces, or a file. Raises DomainError, with the option, if they are
    not n, ModelFileError if there is no such file."""
    labels: list[str] | NDArray[np.generic] = text.split()
    if FILE.fullmatch(text.strip()):
        path = Path(text.strip())
        if not path.is_file():
            raise ModelFileError(f"{option}: there is no file {path}. Check the name and the folder.")
        labels = read_npy(path).ravel() if path.suffix.lower() == ".npy" else words_of(path)
    if len(labels) != n:
        raise DomainError(f"{option}: {len(labels)} labels for {n} points; one is needed for each, in their order.")
    return labels


def words_of(path: Path) -> list[str]:
    """The non-empty lines of a text file, each one label."""
    try:
        lines = [line.split("#")[0].strip().rstrip(",") for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{path} is not text. A .csv file of labels holds one label a line.") from error
    return [line for line in lines if line]


def check_size(size: int, n: int, what: str, option: str) -> None:
    """Raise DomainError unless a point has n coordinates."""
    if size != n:
        raise DomainError(f"{option}: {what} has {size} coordinate{'s' * (size != 1)}, but {n} are needed here.")


def read_file(path: Path, n: int, option: str) -> Floats:
    """All points of a file as float64, shape (m, n). An array of n numbers is one point."""
    if not path.is_file():
        raise ModelFileError(f"{option}: there is no file {path}. Check the name and the folder.")
    values = read_npy(path) if path.suffix.lower() == ".npy" else read_csv(path)
    if values.dtype.kind not in "fiub":
        raise ModelFileError(f"{path} must hold real numbers, got dtype {values.dtype}.")
    if values.size == n:
        return np.array(values, dtype=np.float64).reshape(1, n)
    if values.ndim == 0 or values.size == 0 or values.size != len(values) * n:
        raise DomainError(
            f"{option}: {path} holds an array of shape {values.shape}; points of {n} coordinates need "
            f"a shape like ({n},) or (m, {n})."
        )
    return np.array(values, dtype=np.float64).reshape(-1, n)


def read_inputs(texts: Sequence[str], option: str) -> dict[str, NDArray[np.generic]]:
    """Arrays by name, each from NAME=FILE.npy. Raises ModelFileError, with the option, if one cannot be read."""
    inputs: dict[str, NDArray[np.generic]] = {}
    for text in texts:
        name, equals, file = text.rpartition("=")
        path = Path(file)
        if not equals or not name or name in inputs or path.suffix.lower() != ".npy":
            raise ModelFileError(f"{option} takes NAME=FILE.npy, each name once, got {text!r}.")
        if not path.is_file():
            raise ModelFileError(f"{option}: there is no file {path}. Check the name and the folder.")
        inputs[name] = read_npy(path)
    return inputs


def read_npy(path: Path) -> NDArray[np.generic]:
    """The array of a .npy file; pickles are refused, and so is a header that claims more than the file has."""
    try:
        # Mapped, not read: a file that is shorter than its header claims fails here, before memory is allocated.
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ModelFileError(
            f"{path} is not a .npy file of plain numbers ({error}). Write it with numpy.save(path, array)."
        ) from error
    if not isinstance(values, np.ndarray):
        raise ModelFileError(f"{path} is an archive, not one array. Write it with numpy.save(path, array).")
    return values


def read_csv(path: Path) -> Floats:
    """The numbers of a .csv file, one point per line; blank lines, # comments and one line of titles are skipped."""
    rows: list[list[float]] = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{path} is not text. A .csv file holds one point a line, like 0.5,-1,2.") from error
    titles_allowed = True
    for i, line in enumerate(lines, start=1):
        text = line.split("#")[0].strip().rstrip(",")
        if not text:
            continue
        fields = [field.strip() for field in text.split(",")]
        if titles_allowed and not any(is_number(field) for field in fields):
            titles_allowed = False
            continue
        titles_allowed = False
        wrong = next((field for field in fields if not is_number(field)), None)
        if wrong is not None:
            raise ModelFileError(f"{path}, line {i}: {wrong!r} is not a number. Write one point a line, like 0.5,-1,2.")
        if rows and len(fields) != len(rows[0]):
            raise ModelFileError(
                f"{path}, line {i}: {len(fields)} numbers where the first point has {len(rows[0])}. "
                "All points need the same number of coordinates."
            )
        rows.append([float(field) for field in fields])
    if not rows:
        raise ModelFileError(f"{path} holds no points. Write one point a line, like 0.5,-1,2.")
    return np.array(rows)


def is_number(text: str) -> bool:
    """Whether Python accepts the text as a float."""
    try:
        float(text)
    except ValueError:
        return False
    return True
