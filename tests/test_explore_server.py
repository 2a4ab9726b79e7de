"""The page's server answers its own page, and nobody else."""

import json
import struct
import threading
import urllib.error
import urllib.request

import pytest

import creases
from creases.errors import DomainError
from creases.explore.session import Session

pytest.importorskip("uvicorn")
pytest.importorskip("httpx")
testclient = pytest.importorskip("starlette.testclient")

from creases.explore import server  # noqa: E402

TOKEN, PORT = "a-token", 4321
OWN = f"http://127.0.0.1:{PORT}"
VIEW = {"plane": 1, "centre": [0, 0], "half": [1, 1]}


@pytest.fixture(scope="module")
def client():
    session = Session([creases.Network.he([2, 8, 8, 1], seed=0)])
    return testclient.TestClient(server.app_of(session, TOKEN, PORT), base_url=OWN)


def asked(client, question, given, path=TOKEN, **headers):
    kept = {name.replace("_", "-"): value for name, value in {"origin": OWN, **headers}.items() if value is not None}
    return client.post(f"/{path}/ask/{question}", json=given, headers=kept)


def test_explore_server_gives_the_page_and_what_it_loads(client):
    for name, kind in (("", "text/html"), ("page.js", "text/javascript"), ("explore.css", "text/css")):
        response = client.get(f"/{TOKEN}/{name}")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(kind)
    assert client.get(f"/{TOKEN}/server.py").status_code == 404
    assert client.get(f"/{TOKEN}/..%2Fserver.py").status_code == 404


def test_explore_server_allows_itself_only(client):
    for response in (client.get(f"/{TOKEN}/"), client.get("/"), asked(client, "hello", {})):
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "http" not in policy
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in response.headers


def test_explore_server_answers_a_view(client):
    data = asked(client, "view", VIEW).content
    (length,) = struct.unpack("<I", data[:4])
    facts = json.loads(data[4 : 4 + length])
    network = creases.Network.he([2, 8, 8, 1], seed=0)
    assert facts["regions"] == creases.count(network, creases.Box([-1, -1], [1, 1])).regions


@pytest.mark.parametrize("path", ["", "another", "a-token2", "A-TOKEN", "a-toke", "é"])
def test_explore_server_refuses_a_wrong_token(client, path):
    assert client.get(f"/{path}/").status_code == 403
    assert asked(client, "view", VIEW, path=path).status_code == 403


@pytest.mark.parametrize(
    "host", ["example.com", f"example.com:{PORT}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.2:{PORT}"]
)
def test_explore_server_refuses_a_foreign_host(client, host):
    """A name of somebody else's that leads to this machine (DNS rebinding) is not answered."""
    assert client.get(f"/{TOKEN}/", headers={"host": host}).status_code == 403
    assert asked(client, "view", VIEW, host=host).status_code == 403


@pytest.mark.parametrize("origin", ["http://example.com", "null", "http://127.0.0.1:1", f"https://127.0.0.1:{PORT}"])
def test_explore_server_refuses_a_foreign_origin(client, origin):
    assert asked(client, "view", VIEW, origin=origin).status_code == 403
    assert client.get(f"/{TOKEN}/", headers={"origin": origin}).status_code == 403


def test_explore_server_refuses_a_question_without_origin(client):
    assert asked(client, "view", VIEW, origin=None).status_code == 403


def test_explore_server_says_what_is_wrong(client):
    wrong = asked(client, "view", {**VIEW, "half": [0, 1]})
    assert wrong.status_code == 400
    assert "finite numbers from" in wrong.json()["error"]
    # What JSON has not, Python reads: it is refused by its value.
    for number in ("NaN", "Infinity"):
        body = json.dumps(VIEW).replace("[1, 1]", f"[{number}, 1]")
        response = client.post(f"/{TOKEN}/ask/view", content=body, headers={"origin": OWN})
        assert response.status_code == 400
        assert "two finite numbers" in response.json()["error"]
    assert asked(client, "view", {**VIEW, "turn": 0, "pane": "x"}).status_code == 200
    assert (
        client.post(f"/{TOKEN}/ask/view", content=b"{", headers={"origin": OWN}).json()["error"]
        == "A question is JSON."
    )
    assert client.post(f"/{TOKEN}/ask/view", content=b"[" * 50_000, headers={"origin": OWN}).status_code == 400
    assert client.post(f"/{TOKEN}/ask/view", content=b" " * 70_000, headers={"origin": OWN}).status_code == 413
    assert client.get(f"/{TOKEN}/ask/view").status_code == 405


def test_explore_server_says_when_a_newer_view_has_come(client):
    assert asked(client, "view", {**VIEW, "pane": "late", "turn": 7}).status_code == 200
    older = asked(client, "view", {**VIEW, "pane": "late", "turn": 6})
    assert (older.status_code, older.content) == (204, b"")


def test_explore_server_listens_on_the_loopback(monkeypatch):
    """The real one, on a free port of 127.0.0.1, with a token that is new each time."""
    import uvicorn

    servers, addresses, ready = [], [], threading.Event()
    made = uvicorn.Server

    def watched(config):
        servers.append(made(config))
        servers[-1].install_signal_handlers = lambda: None
        return servers[-1]

    monkeypatch.setattr(uvicorn, "Server", watched)
    session = Session([creases.Network.he([2, 4, 1], seed=0)])

    def run():
        server.serve(session, 0, lambda address: (addresses.append(address), ready.set()))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    address = addresses[0]
    assert address.startswith("http://127.0.0.1:")
    assert len(address.split("/")[3]) >= 32
    with urllib.request.urlopen(address, timeout=20) as page:
        assert b"Creases" in page.read()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address[: address.rindex("/", 0, -1)] + "/guess/", timeout=20)
    port = int(address.split(":")[2].split("/")[0])
    with pytest.raises(DomainError, match=f"Port {port} cannot be listened on"):
        server.serve(session, port)
    # As Ctrl-C does: views that are being computed are given up, or the server would wait for them.
    servers[0].handle_exit(2, None)
    assert session._stopped
    thread.join(20)
    assert not thread.is_alive()
