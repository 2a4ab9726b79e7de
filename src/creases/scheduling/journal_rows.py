"""Rows of a journal: how results are written, and how they are read, with a check of every value.

A row that was changed by a failing disk or by hand must not become a count. Each row has a digest of its content and of
the count to which it belongs, and its numbers are checked against laws that hold for every piece.
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
    """A count as a row, without its number. key : everything that determines its results."""
    row = {**key, "domain_text": domain_text, "roots_text": roots_text, "version": version, "begun": begun}
    return {**row, "digest": digest_of(row)}


def check_count(row: Mapping[str, Any]) -> None:
    """Raise ValueError unless the row of a count is as it was written."""
    texts = [row[name] for name in ("domain_text", "roots_text", "version", "begun")]
    try:
        expected = as_count({name: row[name] for name in KEY}, *texts)["digest"]
    except TypeError as error:  # not representable in JSON
        raise ValueError(DIGEST) from error
    if row["digest"] != expected:
        raise ValueError(DIGEST)


def as_row(number: int, result: PieceResult, key: Key) -> dict[str, Any]:
    """A result of count `number` as a row. key : everything that determines the results of the count."""
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
    # The digest has the key instead of the count's number, which depends on the database.
    return {"count": number, **row, "digest": digest_of({"count": dict(key), "piece": row})}


def as_result(row: Any, plan: Plan) -> PieceResult:
    """The result in a row for a piece of a plan.

    Raises ValueError, which says what is wrong, unless the row is as it was written.
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
        # The part of a result that belongs to its count is stored once, in the row of the count.
        **{name: str(value) for name, value in plan.key.items() if name in named},
    )
    if as_row(0, result, plan.key)["digest"] != row["digest"]:
        raise ValueError(DIGEST)
    return result


def read_layers(text: Any, layers: int) -> tuple[int, ...]:
    """The column by_layer. Raises ValueError if it is not a list of this many counts."""
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
    """Whether a value is an integer of at least zero."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
