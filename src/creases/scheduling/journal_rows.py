"""Rows of a journal's table of pieces: results as they are written, and read with a check of every value.

A database keeps what it is given: a row that a failing disk or another hand has changed must not become a count.
"""

from __future__ import annotations

import json
import math
from typing import Any

from creases.engine.parts import Part
from creases.scheduling.piece import PieceResult

__all__ = ["as_result", "as_row", "is_count"]


def as_row(number: int, result: PieceResult) -> dict[str, Any]:
    """A result of count `number` as it is recorded."""
    return {
        "count": number,
        "root": result.part.root,
        "path": result.part.path,
        "by_layer": json.dumps(result.by_layer),
        "unbounded": result.unbounded,
        "exact_cells": result.exact_cells,
        "certified": result.certified,
        "seconds": result.seconds,
        "worker": result.worker,
        "roots": result.roots,
    }


def as_result(row: Any, layers: int, infinite: bool) -> PieceResult:
    """A row as it was recorded, of a network with so many hidden layers. infinite : whether regions may be unbounded.

    Raises ValueError, which says what is wrong with it, if it was not recorded so.
    """
    by_layer = read_layers(row["by_layer"], layers)
    unbounded = row["unbounded"]
    if not (is_count(unbounded) and unbounded <= by_layer[-1] if infinite else unbounded is None):
        allowed = f"a number of its {by_layer[-1]} regions" if infinite else "empty, as on a bounded domain"
        raise ValueError(f"unbounded is {unbounded!r}, not {allowed}")
    if not is_count(row["exact_cells"]):
        raise ValueError(f"exact_cells is {row['exact_cells']!r}")
    if row["certified"] not in (0, 1):
        raise ValueError(f"certified is {row['certified']!r}")
    seconds = row["seconds"]
    if not (isinstance(seconds, (int, float)) and math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"seconds is {seconds!r}")
    part = Part(row["root"], row["path"])
    certified = bool(row["certified"])
    return PieceResult(
        part, by_layer, unbounded, row["exact_cells"], certified, float(seconds), row["worker"], "", row["roots"]
    )


def read_layers(text: Any, layers: int) -> tuple[int, ...]:
    """The column by_layer. Raises ValueError if it is not a list of so many counts."""
    try:
        values = json.loads(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"by_layer is {str(text)[:60]!r}, no list of numbers in JSON") from error
    if not (isinstance(values, list) and all(map(is_count, values))):
        raise ValueError(f"by_layer is {str(text)[:60]!r}, no list of counts")
    if len(values) != layers:
        raise ValueError(f"by_layer has {len(values)} numbers, and the network {layers} hidden layers")
    return tuple(values)


def is_count(value: Any) -> bool:
    """Whether a value is a whole number of at least zero."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
