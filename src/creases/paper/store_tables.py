"""The tables of a store, and the digest of a run: of its rows in all tables, without numbers assigned by the
database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from creases.digests import digest_of

__all__ = ["digest_of_run", "tables"]

Rows = Iterable[Mapping[str, Any]]


def digest_of_run(tables: dict[str, Any], run: Mapping[str, Any], rows: Rows, kept: Rows) -> str:
    """The digest of a run, its measurements and its saved networks.

    Raises TypeError or ValueError if a value is not of its column's type.
    """
    by_number = sorted((plain(tables["measurements"], row) for row in rows), key=lambda row: row["number"])
    by_epoch = sorted((plain(tables["networks"], one) for one in kept), key=lambda one: one["epoch"])
    return digest_of({"run": plain(tables["runs"], run), "rows": by_number, "networks": by_epoch})


def plain(table: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row, each of its column's type, without the numbers of runs and the digest.

    A database may return an integer as a float, or the other way round, and a NaN as None.
    """
    kinds = {column.name: column.type.python_type for column in table.columns}
    found = {}
    for name, value in values.items():
        if name not in ("id", "run", "digest"):
            found[name] = None if value is None or value != value else kinds[name](value)
            if found[name] is not None and found[name] != value:
                raise ValueError(f"{name} is {value!r}, no {kinds[name].__name__}")
    return found


def tables(sql: Any) -> dict[str, Any]:
    """The store's tables."""
    metadata, column = sql.MetaData(), sql.Column
    text, number, whole = sql.Text, sql.Double, sql.Integer

    def table(name: str, *columns: Any) -> Any:
        return sql.Table(name, metadata, *columns)

    def run() -> Any:
        return column("run", whole, sql.ForeignKey("runs.id"), primary_key=True)

    return {
        "creases_store": table(
            "creases_store", column("name", sql.String(40), primary_key=True), column("value", text)
        ),
        "runs": table(
            "runs",
            column("id", whole, primary_key=True),
            column("experiment", sql.String(64), nullable=False),
            column("seed", sql.BigInteger, nullable=False),
            column("description", text, nullable=False),
            column("diverged", sql.Boolean, nullable=False),
            column("training", number, nullable=False),
            column("measuring", number, nullable=False),
            column("versions", text, nullable=False),
            column("worker", text, nullable=False),
            column("finished", text, nullable=False),
            column("digest", sql.String(64), nullable=False),
            sql.UniqueConstraint("experiment", "seed"),
        ),
        "measurements": table(
            "measurements",
            run(),
            column("number", whole, primary_key=True),
            column("step", sql.BigInteger, nullable=False),
            column("epoch", number, nullable=False),
            column("loss", number),
            column("train_accuracy", number),
            column("test_accuracy", number),
            column("measure", sql.String(80), nullable=False),
            column("domain", text, nullable=False),
            column("value", number, nullable=False),
            column("certified", sql.Boolean),
            column("seconds", number, nullable=False),
            column("network", sql.String(64), nullable=False),
        ),
        "networks": table(
            "networks",
            run(),
            column("epoch", number, primary_key=True),
            column("sha256", sql.String(64), nullable=False),
        ),
        "claims": table(
            "claims",
            column("experiment", sql.String(64), primary_key=True),
            column("seed", sql.BigInteger, primary_key=True),
            column("owner", text, nullable=False),
            column("renewed", number, nullable=False),
        ),
    }
