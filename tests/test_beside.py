"""Jobs side by side: the same results with any number of threads, and errors where they are asked for."""

from __future__ import annotations

import threading
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


def test_meanwhile(threads: int) -> None:
    with beside.meanwhile() as start:
        doing, failing = start(threading.get_ident), start(fails)
    assert (doing.result() != threading.get_ident()) == (threads > 1)
    with pytest.raises(LookupError, match="this one"):
        failing.result()


def test_one_at_least(threads: int) -> None:
    beside.use_threads(0)
    assert beside.n_threads() == 1
