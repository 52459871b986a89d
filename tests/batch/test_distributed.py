"""Jobs on a Dask cluster of two worker processes: the same ends as here, also when one of them is killed."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

import railcount
from railcount.batch.distributed import Cluster
from railcount.batch.workers import PoolError
from railcount.errors import InputError

from .test_workers import all_of

if TYPE_CHECKING:
    from collections.abc import Iterator

distributed = pytest.importorskip("distributed")

OBEY = f"{__package__}.fake_tasks:obey"


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    """Two worker processes of one thread."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def test_jobs_end_there_as_they_do_here(machines: Any) -> None:
    with Cluster(
        machines.scheduler_address, task=OBEY, settings={"a": 1}, time_limit_s=2, memory_limit_bytes=2**28
    ) as there:
        ended = all_of(
            there,
            {"do": "answer", "say": 7},
            {"do": "signal", "name": "SIGSEGV"},
            {"do": "sleep", "s": 50},
            {"do": "eat", "n_bytes": 2**29},
            {"do": "answer", "say": 8},
        )
    assert [ended[n].outcome for n in (0, 1, 2, 4)] == ["done", "crashed", "timeout", "done"]
    assert ended[3].outcome in {"failed", "done"}  # done where the system limits no memory
    assert (ended[0].value or {})["said"] == 7
    assert (ended[0].value or {})["settings"] == {"a": 1}
    assert ended[1].reason == "the process that counted it was ended by SIGSEGV"


def test_a_worker_that_is_killed_costs_nothing(machines: Any) -> None:
    jobs = [{"do": "sleep", "s": 0.3}, *({"do": "answer", "say": n} for n in range(1, 10))]
    with Cluster(machines.scheduler_address, task=OBEY, settings={}, time_limit_s=20) as there:
        there.submit("first", {"do": "answer"})
        there.submit("slow", {"do": "sleep", "s": 1})
        first = there.wait(20) + there.wait(20)
        assert {one.job for one in first} == {"first", "slow"}
        there.submit("again", {"do": "sleep", "s": 1})
        os.kill(next(iter(machines.workers.values())).pid, signal.SIGKILL)
        ended = all_of(there, *jobs, so_far=["again"])
    assert all(one.outcome == "done" for one in ended.values())
    assert [(ended[n].value or {})["said"] for n in range(1, 10)] == list(range(1, 10))


def test_what_cannot_be_used_is_said(machines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cluster(
        machines.scheduler_address, task=OBEY.replace("obey", "unusable"), settings={"file": "x"}
    ) as there:
        there.submit(1, {})
        with pytest.raises(InputError, match="no file x"):
            there.wait(30)
    monkeypatch.setattr(railcount, "__version__", "99")
    with Cluster(machines.scheduler_address, task=OBEY, settings={}) as there:
        there.submit(1, {"do": "answer"})
        with pytest.raises(InputError, match="99 is required"):
            there.wait(30)


def test_a_scheduler_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("railcount.batch.distributed.CONNECT_LIMIT_S", 1.0)
    with pytest.raises(PoolError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        Cluster("tcp://127.0.0.1:9", task=OBEY, settings={})
