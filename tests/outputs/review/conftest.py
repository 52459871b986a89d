"""The report's history, and a server of its last pass with a count."""

from __future__ import annotations

import http.client
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from railcount.history import History
from railcount.outputs.review.server import ReviewServer
from railcount.outputs.review.session import Session
from tests.outputs.report.conftest import history, image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from railcount.observation import PassCount

__all__ = ["history", "image"]


def last_pass(history: Path) -> PassCount:
    with History.open(history) as opened:
        return next(one for one in reversed(list(opened.passes())) if one.cars)


@pytest.fixture
def session(history: Path) -> Session:
    return Session(last_pass(history), history=history, who="Ana")


@pytest.fixture
def server(session: Session) -> Iterator[ReviewServer]:
    made = ReviewServer(session)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@dataclass(kw_only=True)
class Answer:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(kw_only=True)
class Client:
    """A browser's part, headers as they are given."""

    server: ReviewServer
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"") -> Answer:
        """Exactly these headers."""
        connection = http.client.HTTPConnection(*self.server.server_address, timeout=30)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body)
        with connection.getresponse() as answer:
            made = Answer(status=answer.status, headers=dict(answer.getheaders()), body=answer.read())
        connection.close()
        return made

    def get(self, path: str, **more: str | None) -> Answer:
        """Below the server's own path, with the cookie and the right Host unless told otherwise."""
        return self._ask("GET", path, {}, b"", more)

    def post(self, path: str, value: Any, **more: str | None) -> Answer:
        """A change, with the right Origin unless told otherwise. Bytes are sent as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        own = {
            "Origin": f"http://{self.server.host}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }
        return self._ask("POST", path, own, body, more)

    def _ask(
        self, method: str, path: str, own: dict[str, str], body: bytes, more: dict[str, str | None]
    ) -> Answer:
        told = {name.replace("_", "-"): value for name, value in more.items()}
        headers: dict[str, str | None] = {"Host": self.server.host, **self.headers, **own, **told}
        sent = [(name, value) for name, value in headers.items() if value is not None]
        return self.raw(method, path if path.startswith("/") else f"{self.server.path}{path}", sent, body)


@pytest.fixture
def stranger(server: ReviewServer) -> Client:
    """Somebody without a cookie."""
    return Client(server=server)


@pytest.fixture
def client(stranger: Client) -> Client:
    """The browser that brought the token."""
    answer = stranger.get(stranger.server.address.removeprefix(f"http://{stranger.server.host}"))
    assert answer.status == 303
    return Client(server=stranger.server, headers={"Cookie": answer.headers["Set-Cookie"].partition(";")[0]})
