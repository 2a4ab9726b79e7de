"""`creases explore`: what it makes of its arguments, and what it refuses before a server starts."""

import numpy as np
import pytest

import creases as house

pytest.importorskip("uvicorn")
pytest.importorskip("matplotlib")

from creases.explore import server


@pytest.fixture
def served(monkeypatch):
    """The sessions that would have been served."""
    sessions = []

    def serve(session, port, ready):
        sessions.append(session)
        ready("http://127.0.0.1:1/token/")

    monkeypatch.setattr(server, "serve", serve)
    return sessions


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A network of four inputs with its training, another one, and data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    for step in (0, 100, 20):
        house.Network.he([4, 6, 2], seed=step).save(tmp_path / "run" / f"step_{step:06d}.npz")
    house.Network.he([4, 6, 2], seed=7).save("net.npz")
    house.Network.he([1, 3, 1], seed=0).save("one.npz")
    np.save("points.npy", np.random.default_rng(0).random((5, 4)))
    np.save("wrong.npy", np.zeros((5, 3)))
    return tmp_path


def test_explore_cli(creases, served, folder):
    arguments = [
        "net.npz",
        "points.npy",
        "--labels",
        "a b a b a",
        "--checkpoints",
        "run",
        "--beside",
        "run/step_000020.npz",
    ]
    code, out, _ = creases("explore", *arguments, "--no-browser")
    assert code == 0
    assert "net.npz: look at it at http://127.0.0.1:1/token/" in out
    (session,) = served
    assert [entry.step for entry in session.entries] == [None, None, 0, 20, 100]
    assert [entry.network.n_in for entry in session.entries] == [4] * 5
    assert session.labels == list("ababa")
    assert session.planes[1].kind == "points"


def test_explore_cli_plane(creases, served, folder):
    code, _, _ = creases("explore", "net.npz", "--box=-1:1,0,-1:1,0.5", "--no-browser")
    assert code == 0
    assert served[0].planes[1].plane.origin.tolist() == [0.0, 0.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["net.npz", "wrong.npy"], "points of 4 coordinates need"),
        (["net.npz", "none.npy"], "there is no file none.npy"),
        (["net.npz", "--labels", "a b"], "give these too"),
        (["net.npz", "points.npy", "--labels", "a b"], "2 labels for 5 points"),
        (["net.npz", "--segment", "0,0,0,0", "1,0,0,0"], "The explorer shows planes"),
        (["one.npz"], "has one input, and so no plane"),
        (["net.npz", "--checkpoints", "."], "holds no step_"),
        (["net.npz", "--checkpoints", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_explore_cli_bad_input(creases, served, folder, arguments, said):
    code, _, err = creases("explore", *arguments, "--no-browser")
    assert code == 2
    assert said in " ".join(err.split())
    assert not served


def test_explore_cli_python_opens_the_model_as_the_command_did():
    from pathlib import Path

    from creases.cli.explore import code_of
    from creases.cli.options import WeightOptions

    weights = WeightOptions(activation="relu", order="a,b", final_kink=True)
    said = "creases.load('net.pt', activation='relu', order=['a', 'b'], final_kink=True)"
    assert code_of(Path("net.pt"), weights) == said
    assert code_of(Path("net.npz"), WeightOptions()) == "creases.load('net.npz')"
