"""Commands as child processes: how long they take and how much memory they hold at most.

Nothing but the standard library is imported in the process that measures: a child's peak memory
counts from its fork on, so it is never less than what its parent held (measured: a parent of 300 MB gives
every child a peak of 300 MB).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MB = 1e6
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in which the system counts ru_maxrss."""


class CommandError(Exception):
    """A command that is measured ended as it should not."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """One run of a command."""

    seconds: float
    """On the wall's clock, start-up included."""
    cpu_s: float
    peak_mb: float
    """Of the largest process of those that the command started, itself included."""
    own_mb: float
    """Of the command's own process, as last asked for, a quarter of a second before its end or less.
    0 where the system does not tell."""
    code: int
    out: str
    err: str
    killed: bool
    """It held more memory than it may."""


def run(
    command: Sequence[str | Path], *, max_mb: float | None = None, allowed: Sequence[int] = (0,)
) -> Finished:
    """Run a command to its end. Above ``max_mb`` it is killed, which is a result.

    Raises CommandError for an exit code that is not one of ``allowed``.
    """
    words = [str(word) for word in command]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
        watch = _Watch(child, max_mb=max_mb)
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
        finally:
            watch.stop()
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    done = Finished(
        seconds=seconds,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mb=usage.ru_maxrss * _PEAK_UNIT / _MB,
        own_mb=watch.peak_mb,
        code=child.returncode,
        out=texts[0],
        err=texts[1],
        killed=watch.killed,
    )
    if not done.killed and done.code not in allowed:
        last = done.err.strip().splitlines()[-1:] or ["it said nothing"]
        raise CommandError(f"{' '.join(words)} ended with exit code {done.code}: {last[0]}")
    return done


class _Watch:
    """Asks a child four times a second what it holds, and kills one that holds too much."""

    def __init__(self, child: subprocess.Popen[bytes], *, max_mb: float | None) -> None:
        self.killed = False
        self.peak_mb = 0.0
        self._child, self._max_mb = child, max_mb
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.25):
            held = _held(self._child.pid)
            if "VmHWM" not in held:
                return
            self.peak_mb = held["VmHWM"]
            if self._max_mb is not None and held["VmRSS"] > self._max_mb:
                self.killed = True
                os.kill(self._child.pid, signal.SIGKILL)  # Popen.kill would reap it, and its figures be lost
                return

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()


def _held(pid: int) -> dict[str, float]:
    """Resident memory of a process in MB: VmRSS now, VmHWM at most so far. Empty where nobody tells."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if line.startswith(("VmRSS:", "VmHWM:")))
    return {name: int(value.split()[0]) * 1024 / _MB for name, value in pairs}
