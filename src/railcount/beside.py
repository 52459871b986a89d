"""Work side by side within one process: numpy, scipy, hashing and GDAL let go of Python's lock meanwhile.

Results do not depend on how many threads there are. A batch keeps to one: its workers are what runs in
parallel there.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    T = TypeVar("T")

MOST_THREADS = 2
"""More would hold more memory at once, and the longest parts are halves."""

_limit = {"threads": min(MOST_THREADS, os.cpu_count() or 1)}
_spare = {"threads": threading.Semaphore(_limit["threads"] - 1)}


def n_threads() -> int:
    """How many threads this process uses."""
    return _limit["threads"]


def use_threads(n: int) -> None:
    """Let this process use ``n`` threads from now on, at least 1."""
    _limit["threads"] = max(n, 1)
    _spare["threads"] = threading.Semaphore(_limit["threads"] - 1)


def side_by_side(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """The jobs' results, in their order. Raises what the first of them raises.

    Jobs may have jobs of their own: a thread that has nothing left to do helps those that still have.
    """
    spare, n_helpers = _spare["threads"], 0
    while n_helpers < len(jobs) - 1 and spare.acquire(blocking=False):
        n_helpers += 1
    if not n_helpers:
        return [job() for job in jobs]
    done: list[Future[T]] = [Future()] * len(jobs)
    left, ending = enumerate(jobs), iter(range(n_helpers))

    def work() -> None:
        try:
            for k, job in left:
                done[k] = _at_once(job)
        finally:
            if next(ending, None) is not None:  # the last one to end goes on in the caller's place
                spare.release()

    with ThreadPoolExecutor(n_helpers) as pool:
        for _ in range(n_helpers):
            pool.submit(work)
        work()
    return [one.result() for one in done]


@contextmanager
def meanwhile() -> Iterator[Callable[[Callable[[], T]], Future[T]]]:
    """A function that starts a job beside what the block does; at its end all jobs are done.

    With one thread the job is done at once.
    """
    if n_threads() == 1:
        yield _at_once
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


def _at_once(job: Callable[[], T]) -> Future[T]:
    done: Future[T] = Future()
    try:
        done.set_result(job())
    except Exception as error:  # raised where the result is asked for, as with a thread
        done.set_exception(error)
    return done
