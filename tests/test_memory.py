"""Memory that is not enough: said in words of ours, before the work where it is certain, never where it would fit."""

import re
import resource
import sys

import numpy as np
import pytest

from children import python
from creases import (
    Ball,
    Box,
    CreasesError,
    Directions,
    Network,
    Segment,
    count,
    count_in_pieces,
    memory,
    progress,
    subdivide,
    subdivision,
)
from creases.errors import NotEnoughMemoryError
from creases.memory import enough_memory, free_memory
from creases.theory.constructions import sawtooth

SQUARE = Box([-1, -1], [1, 1])


@pytest.fixture
def free(free_memory_of):
    return free_memory_of(subdivision)


def kept_of(cells):
    """Bytes of a result's regions, by the rule: the least that they can have."""
    d = cells.dimension
    if cells.is_flat:
        return (d + 1) * (8 * d + 9) + 8 + cells.patterns.shape[1]
    ends = d + 1 - isinstance(cells.domain, Directions)
    return ends * (8 * d + 9 + 16 + 8 * (ends - 1)) + cells.patterns.shape[1]


@pytest.mark.jit
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("network", "domain"),
    [
        (Network.he([2, 64, 64, 1], bias_std=0.1), SQUARE),
        (Network.he([1, 64, 1], bias_std=0.1), Segment([-9], [9])),
        (Network.he([3, 24, 1], bias_std=0.1), Box([-1] * 3, [1] * 3)),
        (Network.he([3, 24, 1]), Directions(3)),
    ],
    ids=repr,
)
def test_bad_input_foreseen(network, domain, threads, free):
    """One region fewer than fit: refused before a cell is kept. As many as fit: not refused, whatever is expected."""
    cells = subdivide(network, domain, threads=threads)
    fits = len(cells) * kept_of(cells)
    free(fits - 1)
    with pytest.raises(
        NotEnoughMemoryError,
        match=rf"A subdivision of this domain has {len(cells):,} regions at least, which .* Count the regions instead",
    ) as caught:
        subdivide(network, domain, threads=threads)
    assert isinstance(caught.value, (MemoryError, CreasesError))
    free(fits)
    assert len(subdivide(network, domain, threads=threads)) == len(cells)
    free(None)
    assert len(subdivide(network, domain, threads=threads)) == len(cells)


@pytest.mark.parametrize("n_in", [2, 3])
def test_bad_input_a_ball_has_no_remedy_that_it_would_refuse(n_in, free):
    """Its cells cannot be taken one by one."""
    network, ball = Network.he([n_in, 12, 1], bias_std=0.2), Ball([0.0] * n_in, 1.0)
    free(100)
    with pytest.raises(NotEnoughMemoryError, match="or take a smaller ball") as caught:
        subdivide(network, ball)
    assert "on_cells" not in str(caught.value)
    assert "parquet" not in str(caught.value)


@pytest.mark.jit
@pytest.mark.parametrize("threads", [1, 2])
def test_known_progress_of_the_count_before(threads, free, capsys, monkeypatch):
    """While regions are counted to see whether they fit, progress goes on and says so."""
    monkeypatch.setattr(progress, "FIRST_LINE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    free(1 << 20)
    with pytest.raises(NotEnoughMemoryError, match="creases subdivide --stream"):
        subdivide(Network.he([2, 64, 64, 64, 1], bias_std=0.1), SQUARE, threads=threads, progress=True)
    said = capsys.readouterr().err
    assert re.search(r"subdividing: 0 regions in 0\.\d s so far, first a count: \d,\d{3}; memory for \d,\d{3}\n", said)


@pytest.mark.jit
def test_laws_a_small_domain_of_a_large_network_is_not_refused(free):
    """Two thousand lines in general position have two million regions; here are a few."""
    free(1 << 20)
    assert 0 < len(subdivide(Network.he([2, 1000, 1000, 1]), Box([0.5, 0.5], [0.5001, 0.5001]))) < 1000


@pytest.mark.jit
def test_bad_input_measured_as_it_goes(free):
    """A sawtooth has 2^14 pieces where theory expects 29: it is left when these can no longer be put together."""
    network = sawtooth(14)
    domain = Segment([0], [1])
    assert subdivision.expected(network.neurons, 1, False) < 100
    assert len(subdivide(network, domain)) > 16_000
    free(100_000)
    with pytest.raises(NotEnoughMemoryError, match=r"has found [\d,]+ regions so far, and to put them together takes"):
        subdivide(network, domain)


def test_bad_input_numpy_s_own_error(monkeypatch):
    from creases.engine.answers import cell_table

    def none_left(*_):
        return np.empty(1 << 50)

    monkeypatch.setattr(cell_table, "run_together", none_left)
    with pytest.raises(
        NotEnoughMemoryError, match=r"A subdivision has run out of memory \(Unable to allocate .* Count"
    ):
        subdivide(Network.he([2, 8, 1]), SQUARE)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")])
def test_bad_input_memory_in_a_count(error, monkeypatch):
    from creases.engine.loop import frontier

    def none_left(*_):
        raise error

    monkeypatch.setattr(frontier, "drive", none_left)
    network = Network.he([2, 8, 8, 1])
    for name, work in (("A count", count), ("A count in pieces", count_in_pieces), ("A subdivision", subdivide)):
        with pytest.raises(NotEnoughMemoryError, match=rf"{name} has (run out of|no) memory.*smaller domain"):
            work(network, SQUARE)


def test_laws_points_are_looked_at_some_at_a_time(monkeypatch):
    """However many at a time: the same points, and the memory that this takes does not grow with their number."""
    from creases.engine.answers import interior

    network, domain = Network.he([3, 6, 4, 1], bias_std=0.1), Box([-1] * 3, [1] * 3)
    found = subdivide(network, domain, threads=1)
    points, looked_at, proved_by_floats = found.interior_points, [], interior.proved_by_floats

    def counted(problem, rays, bits):
        looked_at.append(len(rays))
        return proved_by_floats(problem, rays, bits)

    monkeypatch.setattr(interior, "CELLS_AT_ONCE", 7)
    monkeypatch.setattr(interior, "proved_by_floats", counted)
    again = subdivide(network, domain, threads=1).interior_points
    assert (max(looked_at), sum(looked_at)) == (7, len(found))
    assert np.array_equal(again, points)


def test_laws_other_errors_pass():
    with pytest.raises(RuntimeError, match=r"^other$") as caught, enough_memory("Work", "Do less."):
        raise RuntimeError("other")
    assert type(caught.value) is RuntimeError


ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
SCRIPT = """
import resource, sys
from pathlib import Path
import numpy as np
from creases import Box, Network, subdivide
from creases.errors import NotEnoughMemoryError
np.ones((500, 500)) @ np.ones((500, 500))  # OpenBLAS ends the process if it cannot have its own memory
subdivide(Network.he([2, 8, 1]), Box([-1, -1], [1, 1]), threads=1)
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (int(sys.argv[1]) << 20), resource.RLIM_INFINITY))
try:
    subdivide(Network.he([2, 1024, 1], bias_std=0.1), Box([-1, -1], [1, 1]), threads=1)
except MemoryError as error:
    assert isinstance(error, NotEnoughMemoryError), repr(error)
    print(error)
"""


@pytest.mark.jit
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says what a process has taken")
@pytest.mark.parametrize(("megabytes", "words"), [(24, "of this domain has"), (150, "has run out of memory")])
def test_bad_input_a_limit_on_the_address_space(megabytes, words):
    """Half a million regions take 101 MB at least, and 250 as they are put together."""
    done = python(SCRIPT, megabytes, check=False, **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"A subdivision {words}"), done.stdout
    assert "Count the regions instead (creases.count keeps none)" in done.stdout


def test_known_free_memory(monkeypatch, tmp_path):
    """The least of machine, container and limit; and None where nothing says."""
    if sys.platform.startswith("linux"):
        assert 1 << 20 < free_memory() < 1 << 50
        taken, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (1 << 50, hard))
        try:
            assert 1 << 49 < memory.limited() < 1 << 50
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (taken, hard))
    for name, text in (("max", "5000"), ("now", "3000"), ("stat", "active_file 100\ninactive_file 20\nanon 7\n")):
        (tmp_path / name).write_text(text)
    assert memory.group(*(str(tmp_path / name) for name in ("max", "now", "stat"))) == 2120
    (tmp_path / "max").write_text("max")
    assert memory.group(*(str(tmp_path / name) for name in ("max", "now", "stat"))) is None
    monkeypatch.setattr(memory, "GROUPS", ())
    monkeypatch.setattr(memory, "machine", lambda: None)
    monkeypatch.setattr(memory, "limited", lambda: None)
    assert free_memory() is None
