"""The store of runs: a database, SQLite in a file or any other by its URL, and beside it the networks as files.

A run is a unit: its rows, the names of its networks and everything that determines it are committed together or not at
all, with one digest of all of it. A run that does not match its digest is reported and not read. Before a run begins it
is claimed, so that two processes with one store do not both do it; a claim is renewed as long as its process lives, and
is void afterwards. So after kill -9 only the unfinished runs are repeated.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creases.errors import CreasesError, require_extra
from creases.network import Network
from creases.paper.experiment import Experiment
from creases.paper.runs import COLUMNS, RunResult, network_file
from creases.paper.store_tables import digest_of_run, tables
from creases.readers import load
from creases.scheduling.database import Database, Place, check_file, check_owner, read_url

if TYPE_CHECKING:
    import pandas
    from sqlalchemy import Connection

__all__ = ["SCHEMA", "Store", "StoreError", "Unit"]

SCHEMA = 2
# A claim that was not renewed for this many seconds is void, on whatever machine its process was.
STALE_SECONDS = 60.0
# Seconds to wait for another process that is writing.
BUSY_SECONDS = 60

Fields = dict[str, Any]
Unit = tuple[str, int]  # hash of the experiment, seed


class StoreError(CreasesError, RuntimeError):
    """Raised when a store cannot be read or written, or is of another version."""


class Store(Database):
    """The runs at a place.

    place : the path of a SQLite file, which is created if it does not exist, or a database URL for SQLAlchemy.
    networks : folder of the networks; default: beside a SQLite file, with its name and ".networks", else
        "creases-networks".
    Raises StoreError if it cannot be opened, or was written with another version of its tables; MissingExtraError
    without SQLAlchemy.
    """

    def __init__(self, place: str | Path, networks: str | Path | None = None) -> None:
        try:
            import sqlalchemy
        except ImportError as error:
            raise require_extra("sqlalchemy", "paper", "A store of runs") from error
        self._sql = sqlalchemy
        self.place = Place.of("store", place, StoreError)
        url = read_url(sqlalchemy, str(place), self.place)
        file = url.database if url.get_backend_name() == "sqlite" else None
        self.networks = Path(networks if networks is not None else f"{file}.networks" if file else "creases-networks")
        self.tables = tables(sqlalchemy)
        check_file(url, self.place)
        with self.told("opened"):
            waiting = {"timeout": BUSY_SECONDS} if file else {}
            self._engine = sqlalchemy.create_engine(url, connect_args=waiting)
            written = self.check_version(self.tables["creases_store"], SCHEMA)
            check_owner(sqlalchemy, self._engine, self.tables, self.place)
            self.make_tables()
            if not written:
                self.write_version(self.tables["creases_store"], SCHEMA)
        self.owner = owner_of_this_process()

    def close(self) -> None:
        """Release the claims of this process and close the database."""
        claims = self.tables["claims"]
        try:
            with self._engine.begin() as connection:
                connection.execute(claims.delete().where(claims.c.owner == self.owner))
        except self._sql.exc.SQLAlchemyError:
            pass  # they become void after a time
        super().close()

    def make_tables(self) -> None:
        """Create missing tables; another process may be doing the same."""
        metadata = self.tables["creases_store"].metadata
        for _ in range(len(metadata.tables)):
            try:
                metadata.create_all(self._engine)
                return
            except (self._sql.exc.OperationalError, self._sql.exc.ProgrammingError, self._sql.exc.IntegrityError):
                there = self._sql.inspect(self._engine).get_table_names()
                if not there:
                    raise
        metadata.create_all(self._engine)

    def done(self) -> set[Unit]:
        """The runs that are in the store."""
        runs = self.tables["runs"]
        with self.told("read"), self._engine.connect() as connection:
            found = connection.execute(self._sql.select(runs.c.experiment, runs.c.seed))
            return {(experiment, seed) for experiment, seed in found}

    def claim(self, unit: Unit) -> bool:
        """Claim a run for this process; False if it is done, or claimed by another living process."""
        experiment, seed = unit
        claims, runs = self.tables["claims"], self.tables["runs"]
        now = time.time()
        with self.told("written to"):
            mine = self.insert_once(
                claims, {"experiment": experiment, "seed": seed, "owner": self.owner, "renewed": now}
            ) or self.take_over(unit, now)
            if not mine:
                return False
            # Only now: a process that finished it between our check and our claim has committed it by this time.
            with self._engine.connect() as connection:
                there = runs.c.experiment == experiment, runs.c.seed == seed
                if connection.execute(self._sql.select(runs.c.id).where(*there)).first() is None:
                    return True
        self.give_back(unit)
        return False

    def take_over(self, unit: Unit, now: float) -> bool:
        """Take over a claim whose process is dead or silent; False if it is alive, or another process was faster."""
        claims = self.tables["claims"]
        this = (claims.c.experiment == unit[0]) & (claims.c.seed == unit[1])
        with self._engine.begin() as connection:
            row = connection.execute(self._sql.select(claims.c.owner, claims.c.renewed).where(this)).first()
            if row is None or not (now - row.renewed > STALE_SECONDS or is_dead(row.owner)):
                return False
            same = this & (claims.c.owner == row.owner) & (claims.c.renewed == row.renewed)
            changed = connection.execute(claims.update().where(same).values(owner=self.owner, renewed=now))
            return bool(changed.rowcount == 1)

    def renew(self) -> None:
        """Renew the claims of this process; call it well within `STALE_SECONDS`."""
        claims = self.tables["claims"]
        with self.told("written to"), self._engine.begin() as connection:
            mine = claims.c.owner == self.owner
            connection.execute(claims.update().where(mine).values(renewed=time.time()))

    def give_back(self, unit: Unit) -> None:
        """Release a run for other processes."""
        claims = self.tables["claims"]
        mine = (claims.c.experiment == unit[0]) & (claims.c.seed == unit[1]) & (claims.c.owner == self.owner)
        with self.told("written to"), self._engine.begin() as connection:
            connection.execute(claims.delete().where(mine))

    def add(self, experiment: Experiment, result: RunResult) -> bool:
        """Commit a run, and release its claim in the same transaction; False if another process has committed it."""
        claims = self.tables["claims"]
        unit = (claims.c.experiment == result.experiment) & (claims.c.seed == result.seed)
        with self.told("written to"):
            try:
                with self._engine.begin() as connection:
                    self.insert_run(connection, experiment, result)
                    connection.execute(claims.delete().where(unit & (claims.c.owner == self.owner)))
            except self._sql.exc.IntegrityError:
                return False
        return True

    def insert_run(self, connection: Connection, experiment: Experiment, result: RunResult) -> None:
        """The rows of a run in all tables."""
        runs, rows, networks = (self.tables[name] for name in ("runs", "measurements", "networks"))
        values = {
            "experiment": result.experiment,
            "seed": result.seed,
            "description": json.dumps(experiment.description, sort_keys=True),
            "diverged": result.diverged,
            "training": result.training,
            "measuring": result.measuring,
            "versions": json.dumps(result.versions),
            "worker": result.worker,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        numbered = [{"number": i, **row._asdict()} for i, row in enumerate(result.rows)]
        kept = [one._asdict() for one in result.kept]
        values["digest"] = digest_of_run(self.tables, values, numbered, kept)
        made = connection.execute(runs.insert().values(**values)).inserted_primary_key
        assert made is not None
        run = made[0]
        if numbered:
            connection.execute(rows.insert(), [{"run": run, **row} for row in numbered])
        if kept:
            connection.execute(networks.insert(), [{"run": run, **one} for one in kept])

    def checked(self, connection: Connection, experiment: str) -> list[tuple[Fields, list[Fields]]]:
        """The runs of an experiment, each with its measurements, in the order of seeds.

        Raises StoreError, naming the run, if a digest does not match.
        """
        select, runs, found = self._sql.select, self.tables["runs"], []
        chosen = select(runs).where(runs.c.experiment == experiment).order_by(runs.c.seed)
        for run in map(dict, connection.execute(chosen).mappings().all()):
            rows, kept = (
                [dict(row) for row in connection.execute(select(table).where(table.c.run == run["id"])).mappings()]
                for table in (self.tables["measurements"], self.tables["networks"])
            )
            try:
                rows.sort(key=lambda row: row["number"])
                agrees = digest_of_run(self.tables, run, rows, kept) == run["digest"]
            except (TypeError, ValueError):  # a value is not even of its type
                agrees = False
            if not agrees:
                raise self.damaged(run)
            found.append((run, rows))
        return found

    def damaged(self, run: Fields) -> StoreError:
        """The error for a run whose digest does not match."""
        number = run["id"]
        away = [f"DELETE FROM {name} WHERE run = {number}" for name in ("measurements", "networks")]
        return StoreError(
            f"The store {self.place.text} has a damaged run, seed {run['seed']} of the experiment "
            f"{run['experiment'][:12]}: it does not agree with its digest, so some of it is not as it was written. "
            f"Take it away, and the same command does it again: {'; '.join(away)}; DELETE FROM runs WHERE id = {number}"
        )

    def table(self, experiments: Iterable[str]) -> pandas.DataFrame:
        """The measurements of some experiments, by hash, in the order of experiment, seed and number.

        Raises StoreError, naming the run, if one of theirs is damaged.
        """
        import pandas

        found: list[Sequence[Any]] = []
        with self.told("read"), self._engine.connect() as connection:
            for experiment in dict.fromkeys(experiments):
                for run, rows in self.checked(connection, experiment):
                    found += [(experiment, run["seed"], *(row[name] for name in COLUMNS)) for row in rows]
        return pandas.DataFrame(found, columns=["experiment", "seed", *COLUMNS])

    def costs(self, experiments: Iterable[str]) -> pandas.DataFrame:
        """Per run: experiment, seed, diverged, training and measuring seconds, versions, when and where.

        Raises StoreError, naming the run, if one of theirs is damaged.
        """
        import pandas

        names = ("experiment", "seed", "diverged", "training", "measuring", "versions", "worker", "finished")
        with self.told("read"), self._engine.connect() as connection:
            each = [self.checked(connection, experiment) for experiment in dict.fromkeys(experiments)]
        found = sorted((run for runs in each for run, _ in runs), key=lambda run: run["id"])
        return pandas.DataFrame([tuple(run[name] for name in names) for run in found], columns=list(names))

    def network(self, experiment: str, seed: int, epoch: float) -> Network:
        """The network that a run saved at an epoch.

        Raises StoreError if none was saved, or its file is missing or has another network.
        """
        runs, networks = self.tables["runs"], self.tables["networks"]
        asked = self._sql.select(networks.c.sha256).join(runs, networks.c.run == runs.c.id)
        asked = asked.where(runs.c.experiment == experiment, runs.c.seed == seed, networks.c.epoch == epoch)
        with self.told("read"), self._engine.connect() as connection:
            sha256 = connection.execute(asked).scalar()
        if sha256 is None:
            raise StoreError(f"The store {self.place.text} has no network of seed {seed} at epoch {epoch:g}.")
        path = network_file(self.networks, sha256)
        if not path.exists():
            raise StoreError(
                f"The network file {path.name} is not in {self.networks}. Give the folder where it is, or run again "
                "with another store."
            )
        # Written by `save_network`: a chain of numbered layers with ReLU between them.
        network = load(path, activation="relu")
        if network.sha256 != sha256:
            raise StoreError(
                f"The network file {path.name} in {self.networks} is damaged: it holds another network than its name "
                "says. Put back a copy of it, or take it away and run again with another store."
            )
        return network


def owner_of_this_process() -> str:
    """Host, process id and start time; a process id alone may be reused."""
    import psutil

    return f"{socket.gethostname()}|{os.getpid()}|{psutil.Process().create_time():.2f}"


def is_dead(owner: str) -> bool:
    """Whether a process of this machine has ended; False for processes of other machines, which cannot be checked."""
    import psutil

    host, number, began = owner.rsplit("|", 2)
    if host != socket.gethostname():
        return False
    try:
        process = psutil.Process(int(number))
        return bool(process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - float(began)) > 1.0)
    except psutil.NoSuchProcess:
        return True
