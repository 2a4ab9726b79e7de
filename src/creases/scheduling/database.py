"""A database of Creases, given by path or URL: a journal of pieces or a store of runs.

Whatever is wrong with its location or with the database itself becomes an error that says what to do.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from creases.errors import CreasesError
from creases.version import __version__

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

__all__ = ["Database", "Place", "check_file", "check_owner", "read_url", "remedy"]

SAFE = "What is in it is safe."
AGAIN = "the same command then goes on from there."
# By SQLite's error code; its extended codes have the same lowest byte.
REMEDIES = {
    sqlite3.SQLITE_NOTADB: "It is some other file, and stays as it is. Give another place.",
    sqlite3.SQLITE_CORRUPT: "The file is damaged. Put back a copy of it, or give another place.",
    sqlite3.SQLITE_FULL: f"{SAFE} Free some space on its disk; {AGAIN}",
    sqlite3.SQLITE_IOERR: f"{SAFE} Free some space on its disk, or see to the disk; {AGAIN}",
    sqlite3.SQLITE_BUSY: f"{SAFE} Another program holds it; let that one end, and {AGAIN}",
    sqlite3.SQLITE_LOCKED: f"{SAFE} Another program holds it; let that one end, and {AGAIN}",
    sqlite3.SQLITE_READONLY: f"{SAFE} See that you may write to it and to its folder; {AGAIN}",
    sqlite3.SQLITE_PERM: f"{SAFE} See that you may write to it and to its folder; {AGAIN}",
    sqlite3.SQLITE_CANTOPEN: "See that you may read and write it, and write to its folder.",
}
ELSE = f"{SAFE} See to the database and to your rights in it; {AGAIN}"


class Place(NamedTuple):
    """The location of a database, for messages.

    noun : its name in messages, "journal" or "store". text : its path or URL, without a password. error : the error to
        raise.
    """

    noun: str
    text: str
    error: type[CreasesError]

    @classmethod
    def of(cls, noun: str, given: object, error: type[CreasesError]) -> Place:
        """The location that was given. Raises `error` if it is neither a path nor text."""
        if not (isinstance(given, (str, Path)) and str(given)):
            raise error(f"A {noun} needs a place: the path of a SQLite file, or a database URL; got {given!r}.")
        return cls(noun, re.sub(r"(://[^:/@]*):.*@", r"\1:***@", str(given)), error)

    def refused(self, what: str, reason: str) -> CreasesError:
        """The error that says what could not be done and why."""
        return self.error(f"The {self.noun} {self.text} could not be {what}: {reason}")


class Database:
    """The common part of a journal and a store: a context manager that closes the database, and errors that say what to
    do."""

    place: Place
    _sql: Any
    _engine: Engine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Convert a database's errors into errors of the place. what : what could not be done."""
        try:
            yield
        except (self._sql.exc.SQLAlchemyError, ImportError) as error:
            raise self.place.refused(what, remedy(self._sql, error)) from error

    def check_version(self, meta: Any, schema: int) -> bool:
        """Whether the tables exist, with this version. Raises the place's error if they have another version.

        meta : the table of names and values. This is checked first, because tables of another version have other
            columns.
        """
        inspector = self._sql.inspect(self._engine)
        if not (inspector.has_table(meta.name) and has_columns(inspector, meta.name, meta)):
            return False
        with self._engine.begin() as connection:
            version = connection.execute(self._sql.select(meta.c.value).where(meta.c.name == "schema")).scalar()
        if version is not None and version != str(schema):
            raise self.place.error(
                f"The {self.place.noun} {self.place.text} has schema {version}, and this version of Creases "
                f"({__version__}) writes {schema}. Give another place, or open it with the version that wrote it."
            )
        return version is not None

    def write_version(self, meta: Any, schema: int) -> None:
        """Write the version of new tables. Raises the place's error if another process wrote another version."""
        self.insert_once(meta, {"name": "schema", "value": str(schema)})
        self.check_version(meta, schema)

    def insert_once(self, table: Any, values: dict[str, Any]) -> bool:
        """Insert a row. Returns False if there is one with the same key."""
        try:
            with self._engine.begin() as connection:
                connection.execute(table.insert().values(**values))
        except self._sql.exc.IntegrityError:
            return False
        return True


def read_url(sql: Any, given: str, place: Place) -> URL:
    """A path (SQLite) or database URL as SQLAlchemy's URL. Raises the place's error if it is neither."""
    if "://" not in given:
        # Not as text: a path may contain characters that have a meaning in a URL.
        url: URL = sql.URL.create("sqlite", database=given)
        return url
    try:
        url = sql.make_url(given)
    except (sql.exc.ArgumentError, ValueError) as error:
        # Its own message may contain the password.
        raise place.refused(
            "opened",
            "this is no database URL. Write one like sqlite:///runs.db or postgresql://user@host/name, or give the "
            "path of a file.",
        ) from error
    return url


def check_file(url: URL, place: Place) -> None:
    """Raise the place's error if a SQLite file cannot be opened there; a new file needs a writable folder."""
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return
    path = Path(name)
    if path.is_dir():
        reason = f"it is a folder. Give the name of a file in it, like {path / 'runs.db'}."
    elif not path.parent.exists():
        reason = f"the folder {path.parent} does not exist. Make it, or give another place."
    elif not path.parent.is_dir():
        reason = f"{path.parent} is a file and no folder. Give another place."
    elif path.exists() and not os.access(path, os.R_OK | os.W_OK):
        reason = "you may not read and write it. See to its permissions, or give another place."
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        # An existing file needs it too: SQLite writes its rollback journal into the same folder.
        reason = f"you may not write to the folder {path.parent}. See to its permissions, or give another place."
    else:
        return
    raise place.refused("opened", reason)


def check_owner(sql: Any, engine: Engine, ours: dict[str, Any], place: Place) -> None:
    """Raise the place's error if the database belongs to another program, so that no tables are added to it.

    If a SQLite file has tables, some must be ours; a database on a server may have other tables beside ours. In both, a
    table with the name of one of ours must have its columns.
    """
    inspector = sql.inspect(engine)
    there = set(inspector.get_table_names())
    strange = [name for name in sorted(there & set(ours)) if not has_columns(inspector, name, ours[name])]
    if strange:
        reason = f"its table {strange[0]} is none of Creases'"
    elif there and not there & set(ours) and engine.dialect.name == "sqlite":
        reason = f"it has tables ({', '.join(sorted(there)[:3])}) but none of Creases'"
    else:
        return
    raise place.refused(
        "opened", f"the database is of another program, {reason}. It stays as it is. Give another place."
    )


def has_columns(inspector: Any, name: str, table: Any) -> bool:
    """Whether a table of the database has all columns of one of ours."""
    return {column.name for column in table.columns} <= {column["name"] for column in inspector.get_columns(name)}


def remedy(sql: Any, error: Exception) -> str:
    """The cause of a database error, and what to do about it."""
    if isinstance(error, sql.exc.NoSuchModuleError):
        kind = str(error).rpartition(":")[2]
        return (
            f"SQLAlchemy knows no database {kind!r}. Give the path of a file (SQLite), or a URL that begins with "
            "sqlite, postgresql, mysql, oracle or mssql; for others install their SQLAlchemy dialect."
        )
    if isinstance(error, ImportError):
        return (
            f"its driver, the module {error.name!r}, is not installed. Install it with pip, or name another driver in "
            "the URL, like postgresql+psycopg://user@host/name."
        )
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", None)
    advice = ELSE if code is None else REMEDIES.get(code & 0xFF, ELSE)
    return f"{' '.join(str(cause).split()).rstrip('.')}. {advice}"
