"""Workers of clusters: of one's own, at an address, of other versions, and what is no cluster at all."""

import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from logging import CRITICAL
from pathlib import Path

import pytest

from counts_in_pieces import CUBE, command, known, rows
from creases import (
    DomainError,
    count,
    count_in_pieces,
)
from creases.errors import ComputationError
from creases.scheduling import Journal
from creases.scheduling.cluster import dask_workers
from creases.scheduling.plan import Plan
from creases.scheduling.workers import DaskWorkers


@pytest.mark.jit
def test_known_a_cluster_by_address():
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        found = count_in_pieces(known(), CUBE, pieces=4, cluster=cluster.scheduler_address)
    assert found.regions == count(known(), CUBE).regions


@pytest.mark.jit
def test_known_a_cluster_of_ones_own_listens_to_this_machine_only():
    with dask_workers(None, 1) as workers:
        info = workers._client.scheduler_info()
        addresses = [info["address"], *info["workers"]]
        assert all(address.startswith("tcp://127.0.0.1:") for address in addresses)
        assert workers._client.dashboard_link.startswith("http://127.0.0.1:")


@pytest.mark.jit
def test_laws_a_killed_worker_loses_nothing(tmp_path):
    """Its pieces go to the others."""
    network = known((3, 32, 32, 1))
    made = Plan.of(network, CUBE, 64)
    with dask_workers(None, 2) as workers, Journal(tmp_path / "runs.db") as journal:
        number, killed = journal.begin(made), False
        for result in workers.work(made, made.pieces):
            journal.record(number, result)
            if not killed:
                os.kill(int(result.worker.split(":")[1]), signal.SIGKILL)
                killed = True
        done = journal.results(number, made)
    assert set(done) == set(made.pieces)
    assert sum(part.sign * result.by_layer[-1] for part, result in done.items()) == 40141


@pytest.mark.jit
def test_bad_input_another_engine_on_a_worker(monkeypatch):
    made = Plan.of(known(), CUBE, 4)
    made.key["engine"] = "0123456789abcdef"
    with dask_workers(None, 1) as workers, pytest.raises(ComputationError, match="runs another engine"):
        list(DaskWorkers(workers._client).work(made, made.pieces))


@pytest.mark.jit
def test_bad_input_a_script_without_a_guard(tmp_path):
    """Its workers import it anew; the error says what to do."""
    script = tmp_path / "script.py"
    script.write_text(
        "import creases\n"
        "network = creases.Network.he([3, 4, 1], seed=0)\n"
        "creases.count_in_pieces(network, creases.Box([-1] * 3, [1] * 3), workers=1, pieces=2)\n"
    )
    failed = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert failed.returncode == 1
    assert "must keep its work under `if __name__" in failed.stderr.splitlines()[-1]


def alive(group):
    """The processes of a group that run; those that have ended, and wait for init to see it, do not."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group, *_ = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(of_group) == group and state not in "ZX":
            found.append(place.parent.name)
    return found


@pytest.mark.jit
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes where Linux has them")
@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.long), 2])
@pytest.mark.parametrize("begun", [False, True])
def test_bad_input_ctrl_c_with_workers(tmp_path, begun, times):
    """A terminal sends it to the workers too, and some press it twice: one line, the code, and nobody left behind.

    begun : while pieces are counted, or while the workers start.
    """
    model = known((4, 128, 128, 1)).save(tmp_path / "network.npz")
    run = command(model, tmp_path / "runs.db", tmp_path / "count.json", "--workers", "2")
    run[run.index("--box") + 1] = "-1:1,-1:1,-1:1,-1:1"
    process = subprocess.Popen(run, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while (
            rows(tmp_path / "runs.db") < 1 if begun else len(alive(process.pid)) < 3
        ) and time.monotonic() < deadline:
            time.sleep(0.05)
        for _ in range(times):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.1)
        out, err = process.communicate(timeout=60)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert (process.returncode, out, err) == (130, b"", b"stopped\n")
    deadline = time.monotonic() + 5  # what watches over the others ends after them
    while alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(process.pid) == []


@pytest.mark.jit
def test_bad_input_a_scheduler_without_workers(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr("creases.scheduling.cluster.PATIENCE", 1.0)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster,
        pytest.raises(ComputationError, match=r"has no workers\. Start some: dask worker"),
    ):
        count_in_pieces(known(), CUBE, cluster=cluster.scheduler_address)


class Mute(socketserver.BaseRequestHandler):
    """Takes a call and says nothing."""

    def handle(self):
        while self.request.recv(1000):
            pass


class Http(socketserver.BaseRequestHandler):
    """Answers as a server of pages answers what is no request."""

    def handle(self):
        self.request.recv(10)
        self.request.sendall(b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (Mute, "what listens there does not answer as one within 2 s"),
        (Http, "what listens there speaks another protocol"),
    ],
)
def test_bad_input_no_scheduler_but_something_else_listens(monkeypatch, handler, words):
    """What has taken the call is not waited for, for ever."""
    monkeypatch.setattr("creases.scheduling.cluster.PATIENCE", 1.0)
    monkeypatch.setattr("creases.scheduling.cluster.LONGER", 1.0)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(ComputationError, match=rf"No Dask scheduler answers at {address} \({words}\)\. Give the"):
            count_in_pieces(known(), CUBE, cluster=address)
        server.shutdown()


@pytest.mark.jit
def test_bad_input_workers_without_creases(tmp_path, monkeypatch):
    """They would close one after the other, and the client wait for more."""
    from distributed import LocalCluster

    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['creases'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    words = (
        r"1 of 2 processes .* cannot do this count: tcp://.* cannot use it \(.*No module named .creases.*pip install"
    )
    with (
        LocalCluster(n_workers=1, dashboard_address=None, silence_logs=CRITICAL) as cluster,
        pytest.raises(ComputationError, match=words),
    ):
        count_in_pieces(known(), CUBE, cluster=cluster.scheduler_address)


@pytest.mark.jit
def test_bad_input_workers_of_another_version(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr("creases.scheduling.sources.shaping_hash", lambda: "0123456789abcdef")
    words = r"1 of 2 .*: tcp://.* has Creases .*, sources .*, Numba .*; here is Creases .*, sources 0123456789abcdef"
    with (
        LocalCluster(n_workers=1, dashboard_address=None, silence_logs=CRITICAL) as cluster,
        pytest.raises(ComputationError, match=words),
    ):
        count_in_pieces(known(), CUBE, cluster=cluster.scheduler_address)


@pytest.mark.jit
def test_bad_input_workers_that_do_not_answer(monkeypatch):
    from distributed import LocalCluster

    def slow():
        time.sleep(2)

    monkeypatch.setattr("creases.scheduling.cluster.PATIENCE", 0.5)
    monkeypatch.setattr("creases.scheduling.sources.maker", slow)
    with (
        LocalCluster(n_workers=1, dashboard_address=None, silence_logs=CRITICAL) as cluster,
        pytest.raises(ComputationError, match=r"have not said within 1 s which Creases they have\. Look at their logs"),
    ):
        count_in_pieces(known(), CUBE, cluster=cluster.scheduler_address)


@pytest.mark.jit
def test_bad_input_a_workers_address():
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        address = cluster.workers[0].address
        with pytest.raises(ComputationError, match="a Dask Worker answers, and no scheduler"):
            count_in_pieces(known(), CUBE, cluster=address)


def test_bad_input_no_address():
    for cluster in (5, "", b"tcp://127.0.0.1:8786", ["tcp://127.0.0.1:8786"]):
        with pytest.raises(DomainError, match=r"cluster must be the address .*, or None; got "):
            count_in_pieces(known(), CUBE, cluster=cluster)
    for cluster in ("nowhere", "tcp://127.0.0.1", "http://127.0.0.1:9", "tls://127.0.0.1:9"):
        with pytest.raises(
            ComputationError, match=rf"No Dask scheduler answers at {cluster} \(.*\)\. Give the address"
        ):
            count_in_pieces(known(), CUBE, cluster=cluster)


def test_bad_input_no_scheduler(monkeypatch):
    monkeypatch.setattr("creases.scheduling.cluster.PATIENCE", 1.0)
    with pytest.raises(ComputationError, match="No Dask scheduler answers"):
        count_in_pieces(known(), CUBE, cluster="tcp://127.0.0.1:9")
