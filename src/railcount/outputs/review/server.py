"""The web server of a review: for one browser on this machine, and for nobody else.

The address that is given out holds a token that works once. Whoever brings it gets a cookie, which is
sent back for one path alone, and from then on only the cookie counts. A request is answered when its
Host is the server's own address (a name that a stranger points at this machine is not), a change is
made when its Origin is too, and the page may load nothing but what comes from here.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import socketserver
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from railcount.errors import InputError, RailcountError
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from railcount.outputs.review.session import Session

logger = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
MAX_BODY_BYTES = 16_384
IDLE_S = 20.0
"""After which a connection that says nothing is closed."""
COOKIE = "railcount-review"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FILES = {
    "": ("review.html", "text/html; charset=utf-8"),
    "review.js": ("review.js", "text/javascript; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
}


@dataclass(frozen=True, kw_only=True)
class _Answer:
    body: bytes
    kind: str
    status: HTTPStatus = HTTPStatus.OK


class _Declined(Exception):  # noqa: N818  # it is no error of this program
    def __init__(self, status: HTTPStatus, words: str) -> None:
        super().__init__(words)
        self.status = status


class ReviewServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens as soon as it is made; ``serve_forever`` answers. A context manager that closes.

    Threads wait for browsers; one at a time works on decisions, and one on pictures.
    """

    daemon_threads = True
    # Elsewhere it would let another program listen at the same address.
    allow_reuse_address = sys.platform != "win32"

    def __init__(
        self, session: Session, *, port: int = 0, opened: Callable[[str], None] = lambda _address: None
    ) -> None:
        """``port`` 0: any that is free. ``opened`` is called with the next address when one was used.

        Raises InputError where the port cannot be had.
        """
        self.session = session
        self.lock = threading.Lock()
        self.pictures_lock = threading.Lock()
        self.secret = secrets.token_urlsafe(32)
        self.path = f"/{secrets.token_urlsafe(9)}/"
        self._opened = opened
        self._token = secrets.token_urlsafe(32)
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            raise InputError(f"port {port} cannot be used ({error.strerror}); choose another one") from error
        self.host = f"{ADDRESS}:{self.server_address[1]}"

    @property
    def address(self) -> str:
        """To open in a browser, once."""
        return f"http://{self.host}/?token={self._token}"

    def take(self, token: str) -> bool:
        """True for the token of ``address``, which is another one from then on."""
        with self.lock:
            if not _same(token, self._token):
                return False
            self._token = secrets.token_urlsafe(32)
        self._opened(self.address)
        return True

    def server_close(self) -> None:
        """Close; a decision that is being kept is kept first."""
        with self.lock:
            super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no error; anything else is logged."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            logger.exception("a request failed")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode("ascii"))


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    timeout = IDLE_S
    server_version = "railcount"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, work: Callable[[], _Answer | str]) -> None:
        """Send what ``work`` gives: an answer, or a path to go to with the cookie."""
        self._sent = self._received()
        try:
            self._check_host()
            done = work()
        except _Declined as declined:
            done = _text(declined.status, str(declined))
        except InputError as error:
            done = _text(HTTPStatus.BAD_REQUEST, str(error))
        except RailcountError as error:  # a busy history, a full disk
            done = _text(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        if isinstance(done, str):
            self.send_response(HTTPStatus.SEE_OTHER)
            self.send_header("Location", done)
            cookie = f"{COOKIE}={self.server.secret}; Path={done}; HttpOnly; SameSite=Strict"
            self.send_header("Set-Cookie", cookie)
            done = _Answer(body=b"", kind="text/plain; charset=utf-8")
        else:
            self.send_response(done.status)
        self._send_rest(done)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library declines, said as everything else is."""
        answer = _text(HTTPStatus(code), message or HTTPStatus(code).phrase)
        self.send_response(answer.status)
        self._send_rest(answer)

    def _send_rest(self, answer: _Answer) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    # -- who may ask ------------------------------------------------------------------------------

    def _check_host(self) -> None:
        if self.headers.get_all("Host") != [self.server.host]:
            raise _Declined(
                HTTPStatus.MISDIRECTED_REQUEST, f"this server answers as {self.server.host} alone"
            )

    def _check_cookie(self) -> None:
        try:
            sent = SimpleCookie("; ".join(self.headers.get_all("Cookie", []))).get(COOKIE)
        except CookieError:
            sent = None
        if sent is None or not _same(sent.value, self.server.secret):
            raise _Declined(HTTPStatus.FORBIDDEN, "open the address that railcount printed last")

    def _check_origin(self) -> None:
        if self.headers.get_all("Origin") != [f"http://{self.server.host}"]:
            raise _Declined(HTTPStatus.FORBIDDEN, "changes come from this server's own page alone")

    # -- what is asked ----------------------------------------------------------------------------

    def _get(self) -> _Answer | str:
        path, query = self._target()
        if path == "/":
            tokens = parse_qs(query).get("token", [])
            if len(tokens) == 1 and self.server.take(tokens[0]):
                return self.server.path
            raise _Declined(HTTPStatus.FORBIDDEN, "open the address that railcount printed last")
        name = self._own(path)
        if name in _FILES:
            file, kind = _FILES[name]
            return _Answer(body=files(__package__).joinpath(file).read_bytes(), kind=kind)
        if name in {"setting", "state"}:
            with self.server.lock:
                return _json(getattr(self.server.session, name)())
        return self._picture(name)

    def _picture(self, name: str) -> _Answer:
        session = self.server.session
        # A lock of their own: no decision waits for pictures.
        with self.server.pictures_lock:
            match name.split("/"):
                case ["strip", car]:
                    return _Answer(body=session.strip(car), kind="image/jpeg")
                case ["view", x, y, width_m]:
                    place = [_number(text) for text in (x, y, width_m)]
                    return _Answer(body=session.view(*place), kind="image/jpeg")
        raise _Declined(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _post(self) -> _Answer:
        name = self._own(self._target()[0])
        self._check_origin()
        session = self.server.session
        changes = {"decide": session.decide, "undo": session.undo, "enter": session.enter}
        if name not in changes:
            raise _Declined(HTTPStatus.NOT_FOUND, "there is nothing here")
        asked = self._body()
        with self.server.lock:
            return _json(changes[name](asked))

    def _target(self) -> tuple[str, str]:
        """Path and query; a whole address, as for a proxy, is none."""
        if not self.path.startswith("/"):
            raise _Declined(HTTPStatus.BAD_REQUEST, "a path was expected")
        parts = urlsplit(f"http://{self.server.host}{self.path}")
        return parts.path, parts.query

    def _own(self, path: str) -> str:
        """What is asked for below the server's own path."""
        self._check_cookie()
        if not path.startswith(self.server.path):
            raise _Declined(HTTPStatus.NOT_FOUND, "there is nothing here")
        return path.removeprefix(self.server.path)

    def _received(self) -> bytes | None:
        """What was sent along, read also where it is then declined: a connection that is closed before is
        broken. None where it has no length, or too much of it."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 10):
            return None
        return self.rfile.read(int(length)) if int(length) <= MAX_BODY_BYTES else None

    def _body(self) -> dict[str, Any]:
        if self._sent is None:
            words = f"a length of at most {MAX_BODY_BYTES} bytes was expected"
            raise _Declined(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words)
        if self.headers.get_content_type() != "application/json":
            raise _Declined(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "application/json was expected")
        try:
            asked = json.loads(self._sent)
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            raise _Declined(HTTPStatus.BAD_REQUEST, "a JSON object was expected")
        return asked

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as in the standard library
        """To the log, with tokens left out."""
        logger.debug("%s", one_line((format % args).partition("?token=")[0]))


def _json(value: dict[str, Any]) -> _Answer:
    text = json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return _Answer(body=text.encode("ascii"), kind="application/json")


def _text(status: HTTPStatus, words: str) -> _Answer:
    return _Answer(
        body=f"{one_line(words)}\n".encode("utf-8", "backslashreplace"),
        kind="text/plain; charset=utf-8",
        status=status,
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"a number was expected, not {text!r:.40}") from None
