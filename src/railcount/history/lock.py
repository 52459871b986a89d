"""One writer at a time, held by a lock that the system frees when its holder dies."""

from __future__ import annotations

import json
import logging
import os
import platform
import stat
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from railcount.errors import HistoryBusy, HistoryError
from railcount.history.place import refused, shown
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG = logging.getLogger(__name__)
_MAX_BYTES = 4096
_MARK = b'{"railcount":'
"""How every lock file of ours begins."""


def lock_path(history: Path) -> Path:
    """The lock of a history, beside the file that the path leads to."""
    real = Path(os.path.realpath(history))
    return real.with_name(f"{real.name}.lock")


@contextmanager
def claimed(history: Path, *, purpose: str) -> Iterator[None]:
    """Hold the history for writing until the block ends.

    Raises HistoryBusy that names the holder. The lock file stays behind: removing it would
    let two processes each hold a lock on a file of the same name.
    """
    path = lock_path(history)
    descriptor = _opened(path, history=history)
    try:
        if not _locked(descriptor):
            raise HistoryBusy(busy_words(history))
        try:
            _say(
                descriptor,
                {"railcount": purpose, "pid": os.getpid(), "host": platform.node(), "since": _now()},
            )
        except OSError as error:  # a full disk, mostly: then nothing could be kept either
            raise refused(history, f"cannot be locked: {shown(path)}: {error.strerror}") from error
        try:
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def busy_words(history: Path) -> str:
    """That the history is in use, and by whom."""
    who = holder(history)
    return (
        f"the history {shown(history)} is in use by {who or 'another process'}; "
        "wait for it to end, or name another file with --history"
    )


def holder(history: Path) -> str | None:
    """Who the lock file says holds the history; None where it says nothing. It may be gone by now."""
    try:
        path = lock_path(history)
        if not path.is_file():  # a pipe would be waited for
            return None
        with path.open("rb") as file:
            said = file.read(_MAX_BYTES)
        if not said.startswith(_MARK):
            return None
        told = json.loads(said)
        return one_line(f"{told['railcount']}, process {told['pid']} on {told['host']} since {told['since']}")
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _opened(path: Path, *, history: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        raise refused(history, f"cannot be locked: {shown(path)}: {error.strerror}") from error
    try:
        ours = stat.S_ISREG(os.fstat(descriptor).st_mode)
        ours = ours and os.pread(descriptor, len(_MARK), 0) in {b"", _MARK} if hasattr(os, "pread") else ours
        if not ours:
            raise HistoryError(f"{shown(path)} is where railcount locks the history, but it is another file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _say(descriptor: int, words: dict[str, object]) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(words, separators=(",", ":")).encode("ascii"))


if sys.platform == "win32":
    import msvcrt

    _FAR = 2**20
    """A byte beyond what is written, so that others can read who holds it."""

    def _locked(descriptor: int) -> bool:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            # Some network file systems have no locks. Every transaction is still whole by itself.
            _LOG.warning("the history's folder has no locks (%s): run one batch at a time", error.strerror)
        return True
