"""The same jobs on other machines: workers of Dask distributed do them, this process hears of it.

A Dask worker does each job in a worker process of its own, as `railcount.batch.workers.Pool` does
here, so the limits of time and memory hold there too. When a Dask worker is lost the scheduler gives
its jobs to another. The images are read where they are counted: all machines must see them, and files
that the settings name, under the same absolute paths.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import railcount
from railcount.batch.workers import Ended, Pool, PoolError
from railcount.errors import InputError, RailcountError
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Hashable
    from types import TracebackType
    from typing import Self

logger = logging.getLogger(__name__)

CONNECT_LIMIT_S = 15.0
IDLE_LIMIT_S = 60.0
"""After so long without a job a Dask worker ends its worker processes, should the client not say so."""
JOBS_A_THREAD = 2
"""Handed out for each thread of the cluster: one in work, one on its way."""
_LOOK_S = 0.5
"""How often the connection is looked at while waiting."""


class Cluster:
    """A pool of jobs on a Dask cluster; what it offers is that of `railcount.batch.workers.Pool`."""

    def __init__(
        self,
        address: str,
        *,
        task: str,
        settings: dict[str, Any],
        time_limit_s: float | None = None,
        memory_limit_bytes: int | None = None,
    ) -> None:
        """Connect to a scheduler, such as ``tcp://10.0.0.5:8786``.

        Raises InputError where Dask distributed is not installed, PoolError where nobody answers.
        """
        try:
            from distributed import Client
        except ImportError:
            raise InputError(
                "--scheduler needs Dask distributed: pip install 'railcount[distributed]'"
            ) from None
        connect: Any = Client
        try:
            self._client = connect(address, timeout=CONNECT_LIMIT_S, set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            raise PoolError(f"no Dask scheduler answers at {address}: {one_line(error)}") from error
        self.notices: list[str] = []
        self._setup = {
            "version": railcount.__version__,
            "task": task,
            "settings": settings,
            "time_limit_s": time_limit_s,
            "memory_limit_bytes": memory_limit_bytes,
        }
        self._jobs: dict[Hashable, Any] = {}
        self._inbox: SimpleQueue[Hashable] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def n_running(self) -> int:
        """Jobs handed out that have not ended."""
        return len(self._jobs)

    @property
    def n_free(self) -> int:
        """How many more jobs can be handed out now; a cluster may grow and shrink."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        n_threads: int = sum(worker["nthreads"] for worker in workers)
        return max(JOBS_A_THREAD * max(n_threads, 1) - self.n_running, 0)

    def submit(self, job: Hashable, argument: dict[str, Any]) -> None:
        """Hand out a job under a name."""
        future = self._client.submit(do_there, self._setup, argument, pure=False)
        self._jobs[job] = future
        future.add_done_callback(lambda _: self._inbox.put(job))

    def wait(self, timeout_s: float | None = None) -> list[Ended]:
        """The jobs that ended, waiting for the first of them at most ``timeout_s``.

        Raises PoolError where the scheduler is gone, InputError where the task refuses its settings.
        """
        left_s = timeout_s
        while self._jobs:
            pause_s = _LOOK_S if left_s is None else min(_LOOK_S, left_s)
            try:
                return self._ended(self._inbox.get(timeout=pause_s))
            except Empty:
                if self._client.status != "running":
                    raise PoolError("the Dask scheduler is gone") from None
            if left_s is not None:
                left_s -= pause_s
                if left_s <= 0:
                    break
        return []

    def drop(self) -> list[Hashable]:
        """Cancel what is running; the names of the jobs that are lost."""
        lost = list(self._jobs)
        with suppress(Exception):  # whatever a cluster says that may be gone
            self._client.cancel(list(self._jobs.values()), force=True)
        self._jobs.clear()
        return lost

    def close(self) -> None:
        """End the worker processes on all machines, and the connection."""
        self.drop()
        with suppress(Exception):
            self._client.run(end_processes)
        with suppress(Exception):
            self._client.close(timeout=5)

    def _ended(self, job: Hashable) -> list[Ended]:
        future = self._jobs.pop(job, None)
        if future is None:  # dropped
            return []
        if future.status == "finished":
            answer = future.result()
            if "unusable" in answer:
                raise InputError(answer["unusable"])
            return [Ended(job=job, **answer)]
        if future.status != "error":
            raise PoolError("the Dask scheduler is gone, or has dropped a job")
        error = future.exception()
        if isinstance(error, RailcountError):
            raise error
        logger.debug("job %s on the cluster: %r", job, error)
        reason = f"the Dask workers that counted it were lost ({type(error).__name__})"
        return [Ended(job=job, outcome="crashed", reason=reason)]


class _Kept:
    """A pool of one worker process that a thread of a Dask worker keeps from job to job."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self.setup = setup
        self.lock = threading.Lock()
        self.timer: threading.Timer | None = None
        # The thread that starts the process may end before it: it must not take the process with it.
        self.pool = Pool(
            1,
            task=setup["task"],
            settings=setup["settings"],
            time_limit_s=setup["time_limit_s"],
            memory_limit_bytes=setup["memory_limit_bytes"],
            die_with_parent=False,
        )

    def do(self, argument: dict[str, Any]) -> Ended:
        with self.lock:
            if self.timer is not None:
                self.timer.cancel()
            self.pool.submit("job", argument)
            (ended,) = self.pool.wait()
            self.timer = threading.Timer(IDLE_LIMIT_S, self.close)
            self.timer.daemon = True
            self.timer.start()
            return ended

    def close(self) -> None:
        if self.lock.acquire(timeout=5.0):
            self.pool.close()
            self.lock.release()


_THREAD = threading.local()
_KEPT: list[_Kept] = []


def do_there(setup: dict[str, Any], argument: dict[str, Any]) -> dict[str, Any]:
    """On a Dask worker: do one job in a process of its own and say how it ended."""
    if setup["version"] != railcount.__version__:
        here = railcount.__version__
        return {"unusable": f"a Dask worker has railcount {here}, {setup['version']} is required"}
    kept: _Kept | None = getattr(_THREAD, "kept", None)
    if kept is None or kept.setup != setup:
        if kept is not None:
            kept.close()
            _KEPT.remove(kept)
        kept = _THREAD.kept = _Kept(setup)
        _KEPT.append(kept)
    try:
        ended = kept.do(argument)
    except InputError as error:
        return {"unusable": str(error)}
    return {"outcome": ended.outcome, "value": ended.value, "reason": ended.reason}


def end_processes() -> None:
    """On a Dask worker: end the worker processes that its threads keep."""
    for kept in list(_KEPT):
        kept.close()
