"""Results of pieces in a database. Each is on disk before it is counted, so an interrupted run can be resumed.

The database is SQLite by default, or any other that SQLAlchemy opens by URL. A piece is identified by the network, the
domain, the hash of everything that determines a piece, and its position in the plan, so no piece is counted twice and
no result of another engine is used. The starting cells of a count are stored too: another machine, which would choose
others, continues with these. Each row has a digest. If it does not match, the error names the row, and the count does
not continue until the row is removed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from creases.engine.answers.pieces import Piece
from creases.engine.starts.roots import Roots
from creases.errors import ComputationError, JournalError, require_extra
from creases.scheduling.database import Database, Place, check_file, check_owner, read_url
from creases.scheduling.journal_rows import Key, as_count, as_result, as_row, check_count, is_count
from creases.scheduling.piece import PieceResult
from creases.scheduling.plan import MOST_PIECES, Plan
from creases.scheduling.sources import maker

__all__ = ["Journal"]

SCHEMA = 2
# Damaged rows in one error; if there are more, the next error names them.
MOST_NAMED = 20


class Journal(Database):
    """The journal of counts in pieces at `place`: a path (SQLite) or a database URL. A context manager that closes the
    database.

    Raises JournalError if the database cannot be opened, belongs to another program, or is not a journal of this
    version.
    """

    def __init__(self, place: str | Path) -> None:
        try:
            import sqlalchemy
        except ImportError as error:
            raise require_extra("sqlalchemy", "cluster", "A journal") from error
        self._sql = sqlalchemy
        self.place = Place.of("journal", place, JournalError)
        url = read_url(sqlalchemy, str(place), self.place)
        self.tables = tables(sqlalchemy)
        check_file(url, self.place)
        self._keys: dict[int, Key] = {}
        with self.told("opened"):
            self._engine = sqlalchemy.create_engine(url)
            written = self.check_version(self.tables["meta"], SCHEMA)
            check_owner(sqlalchemy, self._engine, self.tables, self.place)
            self.tables["counts"].metadata.create_all(self._engine)
            if not written:
                self.write_version(self.tables["meta"], SCHEMA)

    def begin(self, plan: Plan) -> int:
        """The number of a plan's count in the journal, which is added if it is not there.

        Raises JournalError if the journal has results for this network and domain only from another engine, or from
        other starting cells.
        """
        key = plan.key
        if (number := self.number_of(key)) is None:
            with self.told("written to"):  # another process may have inserted the row already
                values = as_count(key, plan.domain_text, plan.roots.text, str(maker()), now())
                self.insert_once(self.tables["counts"], values)
            number = self.number_of(key)
            assert number is not None
        self._keys[number] = key
        return number

    def number_of(self, key: Key) -> int | None:
        """The number of the count with this key, or None.

        Raises JournalError as `begin` does, or if a count of this network and domain is damaged.
        """
        counts = self.tables["counts"]
        same = (counts.c.network == key["network"]) & (counts.c.domain == key["domain"])
        with self.told("read"), self._engine.begin() as connection:
            rows = connection.execute(self._sql.select(counts).where(same)).mappings().all()
        for row in rows:
            self.check_count(row)
            if all(row[name] == value for name, value in key.items() if name != "roots"):
                if row["roots"] != key["roots"]:
                    raise JournalError(
                        f"The journal {self.place.text} holds this count as cut from other starting cells "
                        f"({str(row['roots'])[:16]}; here {str(key['roots'])[:16]}): another process has begun it "
                        "meanwhile, on another processor. The same command goes on from those."
                    )
                return int(row["id"])
        others = [row for row in rows if row["engine"] != key["engine"]]
        if others and len(others) == len(rows):
            raise JournalError(
                f"The journal {self.place.text} holds this count as another engine made it ({others[-1]['version']}; "
                f"here {maker()}). Results of two engines are not mixed: give another journal, or go on with those "
                "versions."
            )
        return None

    def check_count(self, row: Any) -> Roots:
        """The starting cells of a count. Raises JournalError, naming the row, if its digest does not match."""
        try:
            depth, drop = row["depth"], row["drop"]
            if not (is_count(depth) and is_count(drop) and depth < MOST_PIECES.bit_length()):
                raise ValueError(f"depth is {depth!r}, drop {drop!r}")
            roots = Roots.read(row["roots_text"])
            if roots.sha256 != row["roots"]:
                raise ValueError(f"the starting cells have the hash {roots.sha256[:16]}, not {str(row['roots'])[:16]}")
            check_count(row)
        except ValueError as error:
            raise self.damaged_count(row, error) from error
        return roots

    def damaged_count(self, row: Any, error: Exception) -> JournalError:
        """The error for a damaged row of the table of counts."""
        return JournalError(
            f"The journal {self.place.text} has a damaged row in its table counts, id = {row['id']!r}: "
            f"{str(error).rstrip('.')}. Give another journal; or take it away with its pieces, and all is counted "
            f"again: DELETE FROM pieces WHERE count = {row['id']!r}; DELETE FROM counts WHERE id = {row['id']!r}"
        )

    def plan_for(self, plan: Plan, *, any_depth: bool = True) -> Plan:
        """The plan with the starting cells and the depth of the journal's count for the same network, domain and
        engine.

        any_depth : False if the depth must be that of the plan.
        Returns the plan itself if the journal has no such count. Raises JournalError if the count is damaged.
        """
        counts, key = self.tables["counts"], plan.known
        same = ["network", "domain", "engine"] if any_depth else ["network", "domain", "engine", "depth", "drop"]
        matching = [counts.c[name] == key[name] for name in same]
        with self.told("read"), self._engine.begin() as connection:
            row = connection.execute(self._sql.select(counts).where(*matching).order_by(counts.c.id)).mappings().first()
        if row is None:
            return plan
        stored = Plan(plan.network, plan.domain, row["depth"], row["drop"], self.check_count(row))
        try:
            _ = stored.divided  # proves that the cells belong to this problem
        except ComputationError as error:
            raise self.damaged_count(row, error) from error
        return stored

    def results(self, number: int, plan: Plan) -> dict[Piece, PieceResult]:
        """The finished pieces of a count, a dict from piece to result. number : the result of `begin(plan)`.

        Raises JournalError, naming the rows, if some are damaged.
        """
        pieces, sql = self.tables["pieces"], self._sql
        # Without conversion: not every value of a damaged row can be converted to a bool or a number.
        raw = [sql.type_coerce(column, sql.types.NullType).label(column.name) for column in pieces.c]
        with self.told("read"), self._engine.begin() as connection:
            rows = connection.execute(sql.select(*raw).where(pieces.c.count == number)).mappings().all()
        done, known, wrong = {}, set(plan.pieces), []
        for row in rows:
            try:
                piece = Piece(row["root"], row["path"])
                if piece not in known:
                    raise ValueError("the count has no such piece")
                done[piece] = as_result(row, plan)
            except ValueError as error:
                wrong.append((row, str(error)))
        if wrong:
            raise damaged(self.place, wrong)
        return done

    def record(self, number: int, result: PieceResult) -> None:
        """Write the result of a piece to disk before returning. An existing result is kept.

        number : the result of `begin`.
        """
        with self.told("written to"):
            # If another process has written the result already, it is the same.
            self.insert_once(self.tables["pieces"], as_row(number, result, self._keys[number]))


def now() -> str:
    """The current time in the form in which it is recorded."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def damaged(place: Place, wrong: list[tuple[Any, str]]) -> JournalError:
    """The error for damaged rows of the table of pieces, each with what is wrong with it."""

    def where(row: Any) -> str:
        return " AND ".join(is_in_sql(name, row[name]) for name in ("count", "root", "path"))

    (first, reason), named = wrong[0], [row for row, _ in wrong[:MOST_NAMED]]
    if len(wrong) == 1:
        rows, what, condition = "a damaged row", "the piece is", where(first)
    else:
        rows, what = f"{len(wrong):,} damaged rows", "the pieces are"
        condition = " OR ".join(f"({where(row)})" for row in named)
        reason += f"; and {len(wrong) - 1:,} more"
        if len(named) < len(wrong):
            what = f"the first {len(named)} are"
    return JournalError(
        f"The journal {place.text} has {rows} in its table pieces, {where(first)}: {reason}. Nothing damaged is "
        f"counted. Take it away, and {what} counted again: DELETE FROM pieces WHERE {condition}"
    )


def is_in_sql(column: str, value: Any) -> str:
    """The SQL condition that a column has this value, whatever the damaged row contains, for copying."""
    if value is None:
        return f"{column} IS NULL"
    if isinstance(value, bytes):
        return f"{column} = X'{value.hex()}'"
    text = str(value).replace("'", "''")
    return f"{column} = '{text}'" if isinstance(value, str) else f"{column} = {text}"


def tables(sql: Any) -> dict[str, Any]:
    """The journal's tables: counts, pieces, and the version of the tables."""
    from sqlalchemy.dialects import mysql

    metadata, column = sql.MetaData(), sql.Column
    text, whole = sql.Text, sql.BigInteger
    # The 512 cones of a nine-dimensional space take a megabyte, and MySQL's default text type holds 64 kilobytes.
    long = sql.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
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
        column("roots", sql.String(64), nullable=False),
        column("domain_text", text, nullable=False),
        column("roots_text", long, nullable=False),
        column("version", text, nullable=False),
        column("begun", text, nullable=False),
        column("digest", sql.String(64), nullable=False),
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
        column("seconds", sql.Double, nullable=False),
        column("worker", text, nullable=False),
        column("roots", sql.String(64), nullable=False),
        column("digest", sql.String(64), nullable=False),
    )
    return {"meta": meta, "counts": counts, "pieces": pieces}
