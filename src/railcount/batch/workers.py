"""A pool of worker processes in which a job may crash, hang or eat memory, and costs itself alone.

Each worker is a fresh interpreter (never a fork: GDAL does not survive one) that imports the task
once and then does one job after the other. The parent hands a worker one job at a time and waits for
it no longer than the time limit; a worker that dies or is killed is replaced. Nothing here knows
what the jobs are.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from railcount.errors import InputError, RailcountError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from types import TracebackType
    from typing import Self

logger = logging.getLogger(__name__)

Outcome = Literal["done", "failed", "timeout", "crashed"]
"""done: the task answered; failed: it had not enough memory; timeout: it was killed at the time limit;
crashed: its process died."""

START_LIMIT_S = 120.0
"""For a worker to import its task; on a cold disk that takes tens of seconds."""
MAX_FALSE_STARTS = 3
"""Workers in a row that end before they are ready."""
_LAST_LINES = 20

_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; from railcount.batch.worker import main; main()"  # with -P
)
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""The pool is what runs in parallel; read when numpy is imported."""


class PoolError(RailcountError, RuntimeError):
    """Workers cannot be started at all."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How one job ended."""

    job: Hashable
    outcome: Outcome
    value: dict[str, Any] | None = None
    """The task's answer where ``outcome`` is done."""
    reason: str | None = None
    """Why there is no answer; the same words for the same cause."""


class Pool:
    """Worker processes that do jobs; a context manager that leaves no process behind.

    ``task`` is ``module:function``: called once in each worker with ``settings``, it returns the function
    that turns a job's argument into its answer. Settings, arguments and answers are plain JSON. A task
    that raises a RailcountError while it is set up makes ``wait`` raise InputError with its words.
    """

    def __init__(
        self,
        n_workers: int,
        *,
        task: str,
        settings: dict[str, Any] | None = None,
        time_limit_s: float | None = None,
        memory_limit_bytes: int | None = None,
        die_with_parent: bool = True,
    ) -> None:
        """Start nothing yet: a worker starts when a job comes for it.

        ``die_with_parent`` must be False where the thread that hands out jobs may end before the pool.
        """
        if n_workers < 1:
            raise InputError(f"at least 1 worker is required, got {n_workers}")
        self.n_workers = n_workers
        self.notices: list[str] = []
        """What cannot be done on this system, each sentence once."""
        self._start: dict[str, Any] = {
            "task": task,
            "settings": settings or {},
            "memory_bytes": memory_limit_bytes,
            "die_with_parent": die_with_parent,
            "talk": logger.isEnabledFor(logging.DEBUG),
        }
        self._time_limit_s = time_limit_s
        self._memory_limit_bytes = memory_limit_bytes
        self._inbox: SimpleQueue[tuple[_Worker, bytes | None]] = SimpleQueue()
        self._workers: list[_Worker] = []
        self._false_starts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def n_running(self) -> int:
        """Jobs handed out that have not ended."""
        return sum(worker.job is not None for worker in self._workers)

    @property
    def n_free(self) -> int:
        """How many more jobs can be handed out now."""
        return self.n_workers - self.n_running

    def submit(self, job: Hashable, argument: dict[str, Any]) -> None:
        """Hand out a job under a name; at most ``n_free``. Raises PoolError where no process can be made."""
        if job is None or self.n_free < 1:
            raise InputError("a job needs a name and a free worker")
        worker = next((one for one in self._workers if one.job is None), None)
        if worker is None:
            worker = self._new()
        worker.job, worker.argument = job, argument
        if worker.ready:
            self._hand_over(worker)

    def wait(self, timeout_s: float | None = None) -> list[Ended]:
        """The jobs that ended, waiting for the first of them at most ``timeout_s``; empty where none did.

        Raises PoolError where workers cannot be started, InputError where the task refuses its settings.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        ended: list[Ended] = []
        while not ended and self.n_running:
            ended += self._received(until)
            ended += self._overdue()
            if until is not None and time.monotonic() >= until:
                break
        return ended

    def drop(self) -> list[Hashable]:
        """Kill what is running; the names of the jobs that are lost."""
        lost = [worker for worker in self._workers if worker.job is not None]
        for worker in lost:
            worker.kill()
            self._discard(worker)
        return [worker.job for worker in lost]

    def close(self) -> None:
        """Kill every worker and wait for its end; what still runs is lost."""
        for worker in self._workers:
            worker.kill()
        while self._workers:
            self._discard(self._workers[-1])

    def _received(self, until: float | None) -> list[Ended]:
        """What the next message ends, waiting for it no longer than the nearest deadline."""
        deadlines = [worker.deadline for worker in self._workers if worker.deadline is not None]
        nearest = min([*deadlines, *([until] if until is not None else [])], default=None)
        wait_s = None if nearest is None else max(nearest - time.monotonic(), 0.0)
        try:
            worker, line = self._inbox.get(timeout=wait_s)
        except Empty:
            return []
        if worker not in self._workers:  # killed meanwhile
            return []
        if line is None or not line.endswith(b"\n"):
            return self._died(worker)
        return self._answered(worker, json.loads(line))

    def _answered(self, worker: _Worker, message: dict[str, Any]) -> list[Ended]:
        if "unusable" in message:
            raise InputError(message["unusable"])
        if "ready" in message:
            self._false_starts = 0
            worker.ready, worker.deadline = True, None
            if message["ready"] is not None and message["ready"] not in self.notices:
                self.notices.append(message["ready"])
            if worker.job is not None:
                self._hand_over(worker)
            return []
        job, worker.job, worker.deadline = worker.job, None, None
        if "memory" in message:
            self._discard(worker)  # what it could not finish may hold memory still
            return [Ended(job=job, outcome="failed", reason=self._no_memory())]
        return [Ended(job=job, outcome="done", value=message["value"])]

    def _died(self, worker: _Worker) -> list[Ended]:
        """The end of a worker that nobody killed: its job's too, unless it was not yet handed over."""
        code, last = self._discard(worker)
        how = how_it_ended(code)
        logger.debug("a worker was %s; its last words: %s", how, last or "none")
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= MAX_FALSE_STARTS:
                words = f"; its last words: {last[-1]}" if last else ""
                raise PoolError(f"a worker process cannot be started: it was {how}{words}")
            if worker.job is not None:
                again = self._new()
                again.job, again.argument = worker.job, worker.argument
            return []
        if worker.job is None:
            return []
        return [Ended(job=worker.job, outcome="crashed", reason=f"the process that counted it was {how}")]

    def _overdue(self) -> list[Ended]:
        ended = []
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.deadline is None or now < worker.deadline or not self._inbox.empty():
                continue
            if not worker.ready:
                raise PoolError(f"a worker process was not ready within {START_LIMIT_S:.0f} s")
            worker.kill()
            self._discard(worker)
            reason = f"it took more than the time limit of {self._time_limit_s:g} s"
            ended.append(Ended(job=worker.job, outcome="timeout", reason=reason))
        return ended

    def _new(self) -> _Worker:
        worker = _Worker(self._inbox)
        self._workers.append(worker)
        worker.deadline = time.monotonic() + START_LIMIT_S
        worker.send(self._start)
        return worker

    def _hand_over(self, worker: _Worker) -> None:
        if self._time_limit_s is not None:
            worker.deadline = time.monotonic() + self._time_limit_s
        worker.last_words.clear()
        worker.send(worker.argument)

    def _discard(self, worker: _Worker) -> tuple[int, list[str]]:
        """Kill, reap and forget; its exit code and what it said last on standard error."""
        self._workers.remove(worker)
        return worker.end(), list(worker.last_words)

    def _no_memory(self) -> str:
        n_mb = (self._memory_limit_bytes or 0) // 2**20
        limit = f" within the limit of {n_mb} MB" if self._memory_limit_bytes else ""
        return f"not enough memory for it{limit}: cut the image to the yard, or allow more"


class _Worker:
    """One process with the threads that read what it says."""

    def __init__(self, inbox: SimpleQueue[tuple[_Worker, bytes | None]]) -> None:
        self.job: Hashable | None = None
        self.argument: dict[str, Any] = {}
        self.ready = False
        self.deadline: float | None = None
        self.last_words: deque[str] = deque(maxlen=_LAST_LINES)
        path = [folder or os.getcwd() for folder in sys.path]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, *path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ | dict.fromkeys(_ONE_THREAD, "1"),
            )
        except OSError as error:
            raise PoolError(f"a worker process cannot be started: {error}") from error
        self._threads = [
            threading.Thread(target=self._listen, args=(inbox,), daemon=True),
            threading.Thread(target=self._overhear, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def send(self, message: dict[str, Any]) -> None:
        """Messages are short: a pipe holds them, so this does not wait. A dead worker is seen elsewhere."""
        assert self._process.stdin is not None  # asked for
        with suppress(OSError):
            self._process.stdin.write(json.dumps(message).encode("ascii") + b"\n")
            self._process.stdin.flush()

    def kill(self) -> None:
        """At once; ``end`` must follow."""
        self._process.kill()

    def end(self) -> int:
        """Reap the process, by force where it still runs; its exit code."""
        with suppress(subprocess.TimeoutExpired):
            # One whose pipe has ended is on its way out, and its own code says more than ours.
            self._process.wait(timeout=0.2)
        self._process.kill()
        code = self._process.wait()
        for thread in self._threads:
            thread.join(timeout=1.0)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        return code

    def _listen(self, inbox: SimpleQueue[tuple[_Worker, bytes | None]]) -> None:
        assert self._process.stdout is not None  # asked for
        with suppress(ValueError):
            for line in self._process.stdout:
                inbox.put((self, line))
        inbox.put((self, None))

    def _overhear(self) -> None:
        assert self._process.stderr is not None  # asked for
        with suppress(ValueError):
            while line := self._process.stderr.readline(1000):
                words = line.decode("utf-8", "backslashreplace").rstrip()
                self.last_words.append(words)
                logger.debug("a worker says: %s", words)


def how_it_ended(code: int) -> str:
    """``ended by SIGSEGV``, ``ended with exit code 7``."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"ended by {name}{hint}"
