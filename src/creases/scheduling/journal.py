"""Results of pieces in a database, each on the disk before it is counted: a run that dies goes on where it was.

SQLite by default, any database that SQLAlchemy opens by URL. A piece is known by network, domain, hash of the engine's
sources and its place in the plan, so nothing is counted twice and nothing of another engine is taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creases.engine.parts import Part
from creases.errors import JournalError, require_extra
from creases.scheduling.piece import PieceResult
from creases.scheduling.plan import Plan
from creases.version import __version__

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

__all__ = ["Journal"]

SCHEMA = 1


class Journal:
    """The results at `place`: a path (SQLite) or a database URL. A context manager; it closes the database.

    Raises JournalError if the database cannot be opened, or is no journal of this version.
    """

    def __init__(self, place: str | Path) -> None:
        try:
            import sqlalchemy
        except ImportError as error:
            raise require_extra("sqlalchemy", "cluster", "A journal") from error
        self._sql = sqlalchemy
        if not str(place):
            raise JournalError("The journal needs a place: the path of a SQLite file, or a database URL.")
        url = str(place) if "://" in str(place) else f"sqlite:///{place}"
        # What messages say of it; a password stays where it is.
        self.place = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", str(place))
        self.tables = tables(sqlalchemy)
        with self.told("opened"):
            self._engine = sqlalchemy.create_engine(url)
            self.tables["counts"].metadata.create_all(self._engine)
            with self._engine.begin() as connection:
                self.check_schema(connection)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Turn a database's errors into a JournalError that says what could not be done."""
        try:
            yield
        except (self._sql.exc.SQLAlchemyError, ImportError) as error:
            reason = getattr(error, "orig", None) or error
            raise JournalError(
                f"The journal {self.place} could not be {what}: {reason}. What is in it is safe. Free some space, see "
                "to the database, or give another journal; the same command then goes on from there."
            ) from error

    def check_schema(self, connection: Connection) -> None:
        """See that the tables are of this version; write it into new ones."""
        meta = self.tables["meta"]
        found = connection.execute(self._sql.select(meta.c.value).where(meta.c.name == "schema")).scalar()
        if found is None:
            connection.execute(meta.insert().values(name="schema", value=str(SCHEMA)))
        elif found != str(SCHEMA):
            raise JournalError(
                f"The journal {self.place} has schema {found}, and this version of Creases ({__version__}) writes "
                f"{SCHEMA}. Give another file, or open it with the version that wrote it."
            )

    def begin(self, plan: Plan) -> int:
        """The number of a plan's count in the journal, a new one if there is none.

        Raises JournalError if there are results for this network and domain, but of another engine only.
        """
        counts, select, key = self.tables["counts"], self._sql.select, plan.key
        same = (counts.c.network == key["network"]) & (counts.c.domain == key["domain"])
        with self.told("read"), self._engine.begin() as connection:
            rows = connection.execute(select(counts).where(same)).mappings().all()
            for row in rows:
                if all(row[name] == value for name, value in key.items()):
                    return int(row["id"])
            others = [row for row in rows if row["engine"] != key["engine"]]
            if others and len(others) == len(rows):
                raise JournalError(
                    f"The journal {self.place} holds this count as another engine made it (Creases "
                    f"{others[-1]['version']}, sources {others[-1]['engine']}; here {__version__}, {key['engine']}). "
                    "Results of two engines are not mixed: give another journal, or go on with that version."
                )
            now = datetime.now(UTC).isoformat(timespec="seconds")
            values = {**key, "domain_text": plan.domain_text, "version": __version__, "begun": now}
            made = connection.execute(counts.insert().values(**values)).inserted_primary_key
            assert made is not None
            return int(made[0])

    def plan_for(self, plan: Plan) -> Plan:
        """The plan with the depth that the journal already has for this network, domain and engine, if it has one."""
        counts, key = self.tables["counts"], plan.key
        same = [counts.c[name] == key[name] for name in ("network", "domain", "engine")]
        with self.told("read"), self._engine.begin() as connection:
            row = connection.execute(self._sql.select(counts).where(*same).order_by(counts.c.id)).mappings().first()
        return plan if row is None else Plan(plan.network, plan.domain, row["depth"], row["drop"])

    def results(self, number: int) -> dict[Part, PieceResult]:
        """The pieces of a count that are done."""
        pieces = self.tables["pieces"]
        with self.told("read"), self._engine.begin() as connection:
            rows = connection.execute(self._sql.select(pieces).where(pieces.c.count == number)).mappings().all()
        return {Part(row["root"], row["path"]): as_result(row) for row in rows}

    def record(self, number: int, result: PieceResult) -> None:
        """Write a piece's result; it is on the disk when this returns. One that is there already stays."""
        pieces = self.tables["pieces"]
        values = {
            "count": number,
            "root": result.part.root,
            "path": result.part.path,
            "by_layer": json.dumps(result.by_layer),
            "unbounded": result.unbounded,
            "exact_cells": result.exact_cells,
            "certified": result.certified,
            "seconds": result.seconds,
            "worker": result.worker,
        }
        with self.told("written to"):
            try:
                with self._engine.begin() as connection:
                    connection.execute(pieces.insert().values(**values))
            except self._sql.exc.IntegrityError:
                return  # another process on this journal was faster; the result is the same


def as_result(row: Any) -> PieceResult:
    """A row of the table of pieces as it was recorded."""
    part = Part(row["root"], row["path"])
    return PieceResult(
        part,
        tuple(json.loads(row["by_layer"])),
        row["unbounded"],
        row["exact_cells"],
        bool(row["certified"]),
        row["seconds"],
        row["worker"],
        "",
    )


def tables(sql: Any) -> dict[str, Any]:
    """The journal's tables: what was counted, its pieces, and which version of the tables this is."""
    metadata, column = sql.MetaData(), sql.Column
    text, whole = sql.Text, sql.BigInteger
    meta = sql.Table("meta", metadata, column("name", sql.String(40), primary_key=True), column("value", text))
    counts = sql.Table(
        "counts",
        metadata,
        column("id", sql.Integer, primary_key=True),
        column("network", sql.String(64), nullable=False),
        column("domain", sql.String(64), nullable=False),
        column("engine", sql.String(64), nullable=False),
        column("depth", sql.Integer, nullable=False),
        column("drop", sql.Integer, nullable=False),
        column("domain_text", text, nullable=False),
        column("version", text, nullable=False),
        column("begun", text, nullable=False),
        sql.UniqueConstraint("network", "domain", "engine", "depth", "drop"),
    )
    pieces = sql.Table(
        "pieces",
        metadata,
        column("count", sql.Integer, sql.ForeignKey("counts.id"), primary_key=True),
        column("root", sql.Integer, primary_key=True),
        column("path", sql.String(64), primary_key=True),
        column("by_layer", text, nullable=False),
        column("unbounded", whole),
        column("exact_cells", whole, nullable=False),
        column("certified", sql.Boolean, nullable=False),
        column("seconds", sql.Float, nullable=False),
        column("worker", text, nullable=False),
    )
    return {"meta": meta, "counts": counts, "pieces": pieces}
