"""What the tests of counts in pieces share: a network, a cube, the command, and a look into its journal."""

import sqlite3
import sys
from contextlib import closing

from creases import Box, Network
from creases.scheduling import Journal
from networks import random_network

CUBE = Box([-1] * 3, [1] * 3)


def known(widths=(3, 16, 16, 1)):
    return Network.from_arrays(*random_network(widths, 0, 0.1))


def command(model, journal, saved, *more):
    return [
        *(sys.executable, "-c", "from creases.cli import main; main()", "count", str(model)),
        *("--box", "-1:1,-1:1,-1:1", "--journal", str(journal), "--pieces", "64", "--save", str(saved), *more),
    ]


def recorded_anew(place, plan, change):
    """Record the results of a plan in its journal as `change` makes them of what is there, as if counted so."""
    with Journal(place) as journal:
        number = journal.begin(plan)
        found = journal.results(number, plan)
        with journal._engine.begin() as connection:
            connection.execute(journal.tables["pieces"].delete())
        for result in found.values():
            journal.record(number, change(result))


def rows(place):
    """Pieces in a journal, which another process may be making."""
    try:
        with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as connection:
            return connection.execute("select count(*) from pieces").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
