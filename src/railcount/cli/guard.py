"""A command that goes on in a child process, so that a reader's crash costs one tile and not the command.

GDAL's codecs are not memory-safe, and a library call that does not return cannot be interrupted from
within. So before anything heavy is loaded the command forks: the child does all the work, in steps, and
the parent only watches. A step that dies or takes too long is given up; a new child then goes on with the
next, and has the results of the earlier ones. Forking costs 2 ms, where a fresh interpreter costs 400.

Without fork (Windows), and where a command is called from Python, everything stays in one process.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from railcount.cli import progress
from railcount.errors import TileLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

T = TypeVar("T")

GRACE_S = 3.0
"""What a child gets to end in after Ctrl-C; the command ends within 5 s in all."""
_LOOK_S = 0.2
_HEAD = 9
"""Bytes before a message: its kind and its length."""
_ASKED_TO_END = (signal.SIGINT, signal.SIGTERM) + ((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ())

enabled = False
"""Set by the program's entry point: only a process of its own may fork."""


class Steps:
    """What the child does, piece by piece."""

    def __init__(self, ended: dict[str, bytes | TileLost] | None = None, pipe: int | None = None) -> None:
        self._ended = ended or {}
        self._pipe = pipe

    def step(self, name: str, work: Callable[[], T]) -> T:
        """What ``work`` returns, or returned to an earlier child.

        Names are unique. Raises TileLost where an earlier child ended in this step, and whatever
        ``work`` raises.
        """
        known = self._ended.get(name)
        if isinstance(known, TileLost):
            raise known
        if known is not None:
            kept: T = pickle.loads(known)
            return kept
        self._say(b"<", name.encode("utf-8"))
        value: Any = None
        is_done = False
        try:
            value = work()
            is_done = True
        finally:
            self._say(b">", pickle.dumps(value) if is_done and self._pipe is not None else b"")
        made: T = value
        return made

    def _say(self, kind: bytes, data: bytes) -> None:
        if self._pipe is None:
            return
        left = memoryview(kind + len(data).to_bytes(_HEAD - 1, "big") + data)
        while left:
            left = left[os.write(self._pipe, left) :]


def begin(*, time_limit_s: float | None, memory_limit_bytes: int | None) -> Steps:
    """Go on in a child process. In the parent this never returns: it ends as the child does.

    A step may take ``time_limit_s``, the child ``memory_limit_bytes`` besides the program.
    """
    if not enabled or not hasattr(os, "fork"):
        return Steps()
    ended: dict[str, bytes | TileLost] = {}
    while True:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        reads, writes = _pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(reads)
            _settle(parent, memory_limit_bytes)
            return Steps(ended, writes)
        os.close(writes)
        with _Watch(pid, reads, ended, time_limit_s=time_limit_s) as watch:
            code = watch.attend()
        if code is not None:
            raise SystemExit(code)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are no standard streams, though one of these may be closed (``>&-``)."""
    import fcntl

    low = os.pipe()
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in low]
    for end in low:
        os.close(end)
    return ends[0], ends[1]


def _settle(parent: int, memory_limit_bytes: int | None) -> None:
    """In the child: end with the parent, leave Ctrl-C to it, and take no more memory than allowed."""
    from railcount.batch.worker import die_with_parent, limit_memory

    die_with_parent()
    if os.getppid() != parent:
        os._exit(1)

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the parent passes it on, once
    _keep_stderr()
    limit_memory(memory_limit_bytes)


def _keep_stderr() -> None:
    """Keep standard error for what Python writes. Libraries in C write there what a file brings, as it is."""
    import fcntl

    try:
        said = sys.stderr.fileno() if sys.stderr is not None else -1
    except (OSError, ValueError):
        return  # not a descriptor
    if said != 2:
        return
    kept = fcntl.fcntl(said, fcntl.F_DUPFD_CLOEXEC, 3)
    sys.stderr = open(  # noqa: SIM115
        kept, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors
    )
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, said)
    os.close(nowhere)


@dataclass(kw_only=True)
class _Asked:
    """A signal that asks the command to end."""

    number: int | None = None
    since: float = 0.0


@dataclass
class _Watch:
    """The parent's view of one child."""

    pid: int
    reads: int
    ended: dict[str, bytes | TileLost]
    time_limit_s: float | None = field(kw_only=True)

    def __post_init__(self) -> None:
        self._asked = _Asked()
        self._step: str | None = None
        self._began = 0.0
        self._heard = bytearray()
        self._is_late = False

    def __enter__(self) -> _Watch:
        self._before = {number: signal.signal(number, self._stop) for number in _ASKED_TO_END}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self.reads)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        is_first = self._asked.number is None
        if is_first:
            self._asked.number, self._asked.since = number, time.monotonic()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM if is_first else signal.SIGKILL)

    def attend(self) -> int | None:
        """Wait for the child's end; the command's exit code, or None where another child shall go on."""
        while self._is_open():
            self._end_in_time()
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            progress.wipe()
        if self._asked.number is not None:
            return self._interrupted(code)
        if self._step is None:
            return code if code >= 0 else self._gone(code)
        self.ended[self._step] = self._died(code)
        return None

    def _is_open(self) -> bool:
        """Listen for a moment; False at the end of what the child says."""
        ready, _, _ = select.select([self.reads], [], [], _LOOK_S)
        if not ready:
            return True
        data = os.read(self.reads, 1 << 20)
        self._heard += data
        while len(self._heard) >= _HEAD:
            n = int.from_bytes(self._heard[1:_HEAD], "big")
            if len(self._heard) < _HEAD + n:
                break
            self._hear(bytes(self._heard[:1]), bytes(self._heard[_HEAD : _HEAD + n]))
            del self._heard[: _HEAD + n]
        return bool(data)

    def _hear(self, kind: bytes, data: bytes) -> None:
        if kind == b"<":
            self._step, self._began = data.decode("utf-8"), time.monotonic()
        elif self._step is not None:
            if data:
                self.ended[self._step] = data
            self._step = None

    def _end_in_time(self) -> None:
        now = time.monotonic()
        if self._asked.number is not None:
            if now - self._asked.since > GRACE_S:
                os.kill(self.pid, signal.SIGKILL)
        elif self._step is not None and self.time_limit_s is not None and not self._is_late:
            self._is_late = now - self._began > self.time_limit_s
            if self._is_late:
                os.kill(self.pid, signal.SIGKILL)

    def _died(self, code: int) -> TileLost:
        from railcount.batch.workers import how_it_ended

        if self._is_late:
            return TileLost(f"it took more than the time limit of {self.time_limit_s:g} s", "timeout")
        return TileLost(f"the process that read it was {how_it_ended(code)}", "crashed")

    def _gone(self, code: int) -> int:
        from railcount.batch.workers import how_it_ended

        click.echo(f"railcount: the process that did the work was {how_it_ended(code)}", err=True)
        return 1

    def _interrupted(self, code: int) -> int:
        """After Ctrl-C its exit code, unless all was done before; after another signal its end."""
        number = self._asked.number
        if number is None or (self._step is None and code >= 0 and code != 130):
            return code
        if code < 0:
            click.echo("railcount: interrupted", err=True)
        if number != signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        return 130
