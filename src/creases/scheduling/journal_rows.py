"""Rows of a journal: results as they are written, and read with a check of every value.

A database keeps what it is given: a row that a failing disk or another hand has changed must not become a count. Each
has a digest of all that it says and of the count that it belongs to, and its numbers obey what every piece must.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from creases.digests import digest_of
from creases.engine.answers.pieces import Piece
from creases.scheduling.laws import LARGEST_COUNT, check_layers
from creases.scheduling.piece import PieceResult
from creases.scheduling.plan import Plan

__all__ = ["as_count", "as_result", "as_row", "check_count", "is_count"]

Key = Mapping[str, str | int]
KEY = ("network", "domain", "engine", "depth", "drop", "roots")  # the columns of a plan's key
DIGEST = "it does not agree with its digest: it is not as it was written"


def as_count(key: Key, domain_text: str, roots_text: str, version: str, begun: str) -> dict[str, Any]:
    """A count as it is recorded, without its number. key : what its results rest on."""
    row = {**key, "domain_text": domain_text, "roots_text": roots_text, "version": version, "begun": begun}
    return {**row, "digest": digest_of(row)}


def check_count(row: Mapping[str, Any]) -> None:
    """Raise ValueError if a count was not recorded so."""
    texts = [row[name] for name in ("domain_text", "roots_text", "version", "begun")]
    try:
        expected = as_count({name: row[name] for name in KEY}, *texts)["digest"]
    except TypeError as error:  # what no JSON can hold
        raise ValueError(DIGEST) from error
    if row["digest"] != expected:
        raise ValueError(DIGEST)


def as_row(number: int, result: PieceResult, key: Key) -> dict[str, Any]:
    """A result of count `number` as it is recorded. key : what the count's results rest on."""
    row = {
        "root": result.piece.root,
        "path": result.piece.path,
        "by_layer": json.dumps(result.by_layer),
        "unbounded": result.unbounded,
        "exact_cells": result.exact_cells,
        "certified": result.certified,
        "seconds": result.seconds,
        "worker": result.worker,
        "roots": result.roots,
    }
    # Not the count's number, which is the database's own; the key is what it stands for.
    return {"count": number, **row, "digest": digest_of({"count": dict(key), "piece": row})}


def as_result(row: Any, plan: Plan) -> PieceResult:
    """A row as it was recorded for a piece of a plan.

    Raises ValueError, which says what is wrong with it, if it was not recorded so.
    """
    network, piece = plan.network, Piece(row["root"], row["path"])
    walls = [network.levels[number - 1].hyperplanes for number in network.layers]
    by_layer = read_layers(row["by_layer"], len(walls))
    check_layers(by_layer, piece, walls, plan.problem.dimension)
    infinite = plan.problem.vertices is None and not plan.problem.directions
    unbounded = row["unbounded"]
    if not (is_count(unbounded) and unbounded <= by_layer[-1] if infinite else unbounded is None):
        allowed = f"a number of its {by_layer[-1]} regions" if infinite else "empty, as on a bounded domain"
        raise ValueError(f"unbounded is {unbounded!r}, not {allowed}")
    if not (is_count(row["exact_cells"]) and row["exact_cells"] <= LARGEST_COUNT):
        raise ValueError(f"exact_cells is {row['exact_cells']!r}")
    if row["certified"] not in (0, 1):
        raise ValueError(f"certified is {row['certified']!r}")
    seconds = row["seconds"]
    if not (isinstance(seconds, (int, float)) and math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"seconds is {seconds!r}")
    if not isinstance(row["worker"], str):
        raise ValueError(f"worker is {row['worker']!r}")
    if row["roots"] != plan.key["roots"]:
        raise ValueError(f"it was cut from other starting cells ({str(row['roots'])[:16]})")
    named = {field.name for field in fields(PieceResult)}
    result = PieceResult(
        piece=piece,
        by_layer=by_layer,
        unbounded=unbounded,
        exact_cells=row["exact_cells"],
        certified=bool(row["certified"]),
        seconds=float(seconds),
        worker=row["worker"],
        # What a result says of its count stands once, in the row of the count.
        **{name: str(value) for name, value in plan.key.items() if name in named},
    )
    if as_row(0, result, plan.key)["digest"] != row["digest"]:
        raise ValueError(DIGEST)
    return result


def read_layers(text: Any, layers: int) -> tuple[int, ...]:
    """The column by_layer. Raises ValueError if it is not a list of so many counts."""
    try:
        values = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"by_layer is {str(text)[:60]!r}, no list of numbers in JSON") from error
    if not (isinstance(values, list) and all(map(is_count, values))):
        raise ValueError(f"by_layer is {str(text)[:60]!r}, no list of counts")
    if len(values) != layers:
        raise ValueError(f"by_layer has {len(values)} numbers, and the network {layers} hidden layers")
    return tuple(values)


def is_count(value: Any) -> bool:
    """Whether a value is a whole number of at least zero."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
