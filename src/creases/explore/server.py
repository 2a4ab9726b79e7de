"""The server of the page, for this machine only.

It listens only on 127.0.0.1. Every address begins with a random token; requests without it get no information. Requests
from other pages are refused: by the Host header (a foreign name that resolves to this machine would differ), and by the
Origin that a browser sends. The page may not load anything from elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

from creases.errors import CreasesError, DomainError, need_modules
from creases.explore.answers import Superseded
from creases.explore.session import Session

__all__ = ["address_of", "app_of", "serve"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LOOPBACK = "127.0.0.1"
# The host names that a browser on this machine may use.
HOSTS = (LOOPBACK, "localhost")
TOKEN_BYTES = 24
# The largest size of a request in bytes.
MOST_BYTES = 1 << 16
STATIC = {"": "text/html", "page.js": "text/javascript", "explore.css": "text/css"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Passes on requests of the page itself, and adds the headers to every response.

    app : the application. token : the beginning of all addresses. port : the port on which it listens.
    """

    def __init__(self, app: Any, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._hosts = {f"{host}:{port}" for host in HOSTS}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        refused = "only pages of its own are answered" if scope["type"] != "http" else self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, send_guarded)
        elif scope["type"] == "http":
            from starlette.responses import PlainTextResponse

            await PlainTextResponse(refused, status_code=403)(scope, receive, send_guarded)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, scope: Scope) -> str | None:
        """The reason why a request is refused; None if it is not."""
        headers = scope["headers"]
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return "This server answers to its own address only."
        if any(origin not in self._origins for origin in origins) or (scope["method"] == "POST" and len(origins) != 1):
            return "This server answers its own page only."
        said = scope["path"].removeprefix("/").split("/")[0]
        if not secrets.compare_digest(said.encode("utf-8", "replace"), self._token.encode()):
            return "The address lacks the token that `creases explore` has printed."
        return None


def app_of(session: Session, token: str, port: int) -> Guard:
    """The application that answers the requests of a session. Raises MissingExtraError without starlette."""
    need_modules("explore", "The explorer's page", "starlette", "uvicorn", "matplotlib")
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    static = {name: files("creases.explore").joinpath("static", name or "page.html").read_bytes() for name in STATIC}

    async def page(request: Request) -> Response:
        name = request.path_params.get("name", "")
        if name not in static:
            return Response("There is no such file.", status_code=404, media_type="text/plain")
        return Response(static[name], media_type=STATIC[name])

    async def answer(request: Request) -> Response:
        question, body = request.path_params["question"], b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return JSONResponse({"error": f"A question has {MOST_BYTES} bytes at most."}, status_code=413)
        try:
            given = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            return JSONResponse({"error": "A question is JSON."}, status_code=400)
        try:
            session.announce(question, given)
            return await asyncio.get_running_loop().run_in_executor(worker, answered, question, given)
        except Superseded:
            return Response(status_code=204)  # not an error, which a browser would write to its console
        except (CreasesError, MemoryError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    # A single thread for all answers, because each thread that cuts keeps its own memory.
    worker = ThreadPoolExecutor(1, "explorer")

    def answered(question: str, given: Any) -> Response:
        return Response(session.answer(question, given).as_bytes(), media_type="application/octet-stream")

    routes = [
        Route("/{token}/", page),
        Route("/{token}/{name}", page),
        Route("/{token}/ask/{question}", answer, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), token, port)


def address_of(token: str, port: int) -> str:
    """The address to open in a browser."""
    return f"http://{LOOPBACK}:{port}/{token}/"


def serve(session: Session, port: int = 0, ready: Callable[[str], None] | None = None) -> None:
    """Serve the page until Ctrl-C.

    port : 0 for a free one. ready : called with the address when the server listens.
    Raises DomainError if the port is taken, MissingExtraError without starlette and uvicorn.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    need_modules("explore", "The explorer's page", "starlette", "uvicorn", "matplotlib")
    import uvicorn

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        try:
            listening.bind((LOOPBACK, port))
        except OSError as error:
            raise DomainError(f"Port {port} cannot be listened on: {error.strerror}. Leave --port out.") from error
        number = listening.getsockname()[1]
        app = app_of(session, token, number)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, ws="none")
        server: Any = uvicorn.Server(config)
        handle_exit = server.handle_exit

        def stopped(*signal: Any) -> None:
            # The server waits for answers in progress.
            session.stop()
            handle_exit(*signal)

        server.handle_exit = stopped
        listening.listen()
        if ready is not None:
            ready(address_of(token, number))
        server.run(sockets=[listening])
