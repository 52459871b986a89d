"""Jobs side by side: the same results with any number of threads, and errors where they are asked for."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from railcount import beside

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = beside.n_threads()
    beside.use_threads(request.param)
    yield request.param
    beside.use_threads(before)


def fails() -> int:
    raise LookupError("this one")


def test_results_keep_their_order(threads: int) -> None:
    assert beside.side_by_side([lambda k=k: k * k for k in range(7)]) == [k * k for k in range(7)]


def test_an_error_comes_out(threads: int) -> None:
    with pytest.raises(LookupError, match="this one"):
        beside.side_by_side([lambda: 1, fails])


def test_jobs_within_jobs_keep_to_the_threads(threads: int) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def job() -> int:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return 1

    assert beside.side_by_side([lambda: sum(beside.side_by_side([job] * 4))] * 3) == [4] * 3
    assert most[0] == threads


def test_a_thread_without_work_helps_within_the_jobs_that_are_left(threads: int) -> None:
    if threads == 1:
        pytest.skip("there is no other thread")
    short_is_done = threading.Event()

    def long() -> bool:
        assert short_is_done.wait(20)
        for _ in range(100):  # the other thread may not be back at once
            both = threading.Barrier(2, timeout=0.2)
            try:
                beside.side_by_side([both.wait, both.wait])
            except threading.BrokenBarrierError:
                continue
            return True
        return False

    assert beside.side_by_side([long, lambda: short_is_done.set() or True]) == [True, True]


def test_threads_are_there_again_after_an_error(threads: int) -> None:
    with pytest.raises(LookupError):
        beside.side_by_side([fails, fails])
    both = threading.Barrier(threads, timeout=20)
    beside.side_by_side([both.wait] * threads)


def test_meanwhile(threads: int) -> None:
    with beside.meanwhile() as start:
        doing, failing = start(threading.get_ident), start(fails)
    assert (doing.result() != threading.get_ident()) == (threads > 1)
    with pytest.raises(LookupError, match="this one"):
        failing.result()


def test_one_at_least(threads: int) -> None:
    beside.use_threads(0)
    assert beside.n_threads() == 1
