"""Whom the server answers, and what it declines."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any

import pytest

from railcount.errors import InputError
from railcount.history import History
from railcount.outputs.review.server import MAX_BODY_BYTES, POLICY, ReviewServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from railcount.outputs.review.session import Session

    from .conftest import Client

PATHS = ("", "review.js", "review.css", "setting", "state", "strip/x", "view/0/0/80")


def target(server: ReviewServer) -> str:
    return server.address.removeprefix(f"http://{server.host}")


def kept(history: Path) -> int:
    """Decisions and hand counts in the history."""
    with History.open(history, readonly=True) as opened:
        n_counts = sum(1 for one in opened.counts() if one.observation.method == "hand")
        return n_counts + sum(len(opened.reviews().decisions(one.id)) for one in opened.summaries())


def test_listens_on_this_machine_alone(server: ReviewServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.host == f"127.0.0.1:{server.server_address[1]}"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", server.address)


def test_a_port_that_is_taken(server: ReviewServer, session: Session) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        ReviewServer(session, port=server.server_address[1])


def test_a_token_works_once_and_the_next_is_told(session: Session, stranger: Client) -> None:
    told: list[str] = []
    server = stranger.server
    server._opened = told.append
    first = target(server)
    answer = stranger.get(first)
    assert (answer.status, answer.headers["Location"]) == (303, server.path)
    assert answer.headers["Set-Cookie"].endswith(f"; Path={server.path}; HttpOnly; SameSite=Strict")
    assert told == [server.address]
    assert target(server) != first
    assert stranger.get(first).status == 403
    assert stranger.get(target(server)).status == 303
    assert len(told) == 2


def test_without_the_token(stranger: Client) -> None:
    before = stranger.server.address
    token = target(stranger.server).partition("=")[2]
    for query in ("", "?token=", "?token=x", "?token=%ff", "?x=1", "?token={0}&token={0}", "?token={0}x"):
        answer = stranger.get("/" + query.format(token))
        assert (answer.status, "Set-Cookie" in answer.headers) == (403, False), query
    assert stranger.server.address == before


def test_without_the_cookie(stranger: Client) -> None:
    for path in PATHS:
        for cookie in (None, "", "railcount-review=", "railcount-review=x", "x;;=\x7f", "a=b"):
            answer = stranger.get(path, Cookie=cookie)
            assert (answer.status, b"railcar" in answer.body) == (403, False), (path, cookie)


def test_with_the_cookie(client: Client) -> None:
    assert [client.get(path).status for path in PATHS] == [200, 200, 200, 200, 200, 400, 200]


HOSTS: tuple[Callable[[int], list[str]], ...] = (
    lambda port: [],
    lambda port: ["127.0.0.1"],
    lambda port: [f"127.0.0.1:{port + 1}"],
    lambda port: [f"localhost:{port}"],
    lambda port: [f"evil.example:{port}"],
    lambda port: [f"127.0.0.1:{port}", f"127.0.0.1:{port}"],
    lambda port: [f"127.0.0.1:{port}", f"evil.example:{port}"],
)


def test_no_other_host_is_answered(client: Client) -> None:
    server = client.server
    cookie = ("Cookie", client.headers["Cookie"])
    sent = [
        ("Origin", f"http://{server.host}"),
        ("Content-Type", "application/json"),
        ("Content-Length", "2"),
    ]
    for hosts in HOSTS:
        names = [("Host", name) for name in hosts(server.server_address[1])]
        for path in (target(server), server.path, f"{server.path}state"):
            answer = client.raw("GET", path, [*names, cookie])
            assert (answer.status, "Set-Cookie" in answer.headers) == (421, False), names
        answer = client.raw("POST", f"{server.path}undo", [*names, cookie, *sent], b"{}")
        assert answer.status == 421, names


ORIGINS = (None, "null", "http://evil.example", "http://127.0.0.1", "http://localhost:{0}", "https://{1}")


def test_changes_come_from_the_own_page_alone(client: Client, history: Path) -> None:
    server = client.server
    asked = {"action": "reject", "car": client.get("state").json["vehicles"][0]["id"]}
    count = {"best": 1, "low": 1, "high": 1}
    for origin in ORIGINS:
        given = origin and origin.format(server.server_address[1], server.host)
        assert client.post("decide", asked, Origin=given).status == 403, origin
        assert client.post("enter", count, Origin=given).status == 403, origin
        assert kept(history) == 0
    assert client.post("decide", asked).status == 200
    assert client.post("undo", {}, Origin="null").status == 403
    assert client.post("enter", count).status == 200
    assert kept(history) == 2


def test_changes_need_the_cookie(stranger: Client, history: Path) -> None:
    assert stranger.post("enter", {"best": 1, "low": 1, "high": 1}).status == 403
    assert kept(history) == 0


BODIES: tuple[tuple[bytes, dict[str, Any], int], ...] = (
    (b"{}", {"Content_Type": "text/plain"}, 415),
    (b"{}", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
    (b"", {"Content_Length": None}, 413),
    (b"", {"Content_Length": str(MAX_BODY_BYTES + 1)}, 413),
    (b"", {"Content_Length": "9" * 30}, 413),
    (b"", {"Content_Length": "-1"}, 413),
    (b"", {"Content_Length": "0x2"}, 413),
    (b"", {}, 400),
    (b"{", {}, 400),
    (b"[]", {}, 400),
    (b"null", {}, 400),
    (b"\xff\xfe", {}, 400),
    (b"[" * MAX_BODY_BYTES, {}, 400),
)


def test_bodies_that_are_none(client: Client) -> None:
    for body, more, status in BODIES:
        assert client.post("undo", body, **more).status == status, (body[:10], more)
    assert client.get("state").status == 200


DECISIONS: tuple[dict[str, Any], ...] = (
    {},
    {"action": "accept"},
    {"action": "accept", "car": "no"},
    {"action": "accept", "car": 7},
    {"action": "merge", "car": "{}"},
    {"action": ["accept"], "car": "{}"},
    {"action": "kind", "car": "{}"},
    {"action": "kind", "car": "{}", "kind": "ship"},
    {"action": "kind", "car": "{}", "kind": {}},
    {"action": "split", "car": "{}"},
    {"action": "split", "car": "{}", "parts": 1},
    {"action": "split", "car": "{}", "parts": 10},
    {"action": "split", "car": "{}", "parts": 2.0},
    {"action": "split", "car": "{}", "parts": True},
    {"action": "split", "car": "{}", "parts": "2"},
    {"action": "add"},
    {"action": "add", "kind": "tank", "ring": "here"},
    {"action": "add", "kind": "tank", "ring": [[0, 0], [1, 0], [1, 1]]},
    {"action": "add", "kind": "tank", "ring": [[0, 0], [1, 0], [1, 1], [0, True]]},
    {"action": "add", "kind": "tank", "ring": [[0, 0], [1, 0], [1, 1], [0, float("nan")]]},
    {"action": "add", "kind": "tank", "ring": [[0, 0], [1, 0], [1, 1], [0, float("inf")]]},
    {"action": "add", "kind": "tank", "ring": [[1e6, 0], [1e6, 3], [1e6 + 9, 3], [1e6 + 9, 0]]},
    {"action": "add", "kind": "tank", "ring": [[0, 0], [0, 3], [90, 3], [90, 0]]},
    {"action": "add", "ring": [[0, 20], [0, 23], [9, 23], [9, 20]]},
)


def test_decisions_that_are_none(client: Client, history: Path) -> None:
    car = client.get("state").json["vehicles"][0]["id"]
    for asked in DECISIONS:
        answer = client.post("decide", {k: car if v == "{}" else v for k, v in asked.items()})
        assert (answer.status, len(answer.text) < 400) == (400, True), (asked, answer.text)
    assert kept(history) == 0


COUNTS: tuple[dict[str, Any], ...] = (
    {},
    {"best": 3},
    {"best": 3, "low": 4, "high": 5},
    {"best": -1, "low": -1, "high": -1},
    {"best": 3.5, "low": 3, "high": 4},
    {"best": "3", "low": 3, "high": 3},
    {"best": 10**9, "low": 3, "high": 10**9},
    {"best": 3, "low": 3, "high": 3, "why": "x" * 501},
    {"best": 3, "low": 3, "high": 3, "why": 7},
)


def test_counts_that_are_none(client: Client, history: Path) -> None:
    for asked in COUNTS:
        assert client.post("enter", asked).status == 400, asked
    assert kept(history) == 0


REQUESTS = (
    ("GET", "{0}nothing", 404),
    ("GET", "{0}../server.py", 404),
    ("GET", "{0}server.py", 404),
    ("GET", "{0}%2e%2e/session.py", 404),
    ("GET", "{0}decide", 404),
    ("GET", "/favicon.ico", 404),
    ("GET", "/else/state", 404),
    ("GET", "http://evil.example{0}state", 400),
    ("GET", "{0}view/0/0", 404),
    ("GET", "{0}view/a/0/80", 400),
    ("GET", "{0}view/nan/0/80", 400),
    ("GET", "{0}view/0/0/81", 400),
    ("GET", "{0}view/0/1e9/80", 400),
    ("GET", "{0}strip/nobody", 400),
    ("POST", "{0}nothing", 404),
    ("POST", "/", 404),
    ("PUT", "{0}state", 501),
    ("OPTIONS", "{0}decide", 501),
    ("TRACE", "{0}", 501),
    ("GET", "/" + "x" * 70_000, 414),
)


def test_what_is_not_there(client: Client) -> None:
    server = client.server
    headers = [("Host", server.host), ("Cookie", client.headers["Cookie"])]
    headers += [("Origin", f"http://{server.host}"), ("Content-Type", "application/json")]
    headers += [("Content-Length", "0")]
    for method, path, status in REQUESTS:
        answer = client.raw(method, path.format(server.path), headers)
        assert answer.status == status, (method, path)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Content-Security-Policy"] == POLICY


def test_every_answer_lets_the_page_load_nothing_from_elsewhere(client: Client, stranger: Client) -> None:
    for answer in (client.get(""), client.get("state"), stranger.get("/"), client.get("view/0/0/80")):
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"].strip() == "railcount"
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY
    assert re.findall(r"(?:src|href)=\"(.*?)\"", client.get("").text) == ["data:,", "review.css", "review.js"]


def test_a_connection_that_says_nothing_holds_nobody_up(client: Client) -> None:
    with socket.create_connection(client.server.server_address[:2]):
        assert client.get("state").status == 200


def test_a_history_that_cannot_be_used_is_said(client: Client, history: Path) -> None:
    whole = history.read_bytes()
    history.write_bytes(b"no history at all")
    answer = client.post("undo", {})
    assert (answer.status, "is not an SQLite file" in answer.text) == (503, True)
    history.write_bytes(whole)
    assert client.get("state").status == 200


def test_the_log_has_no_token(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="railcount"):
        client.get(target(client.server))
    assert "GET /" in caplog.text
    assert "token" not in caplog.text
