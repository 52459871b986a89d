"""A batch on a Dask cluster of two processes gives what it gives here, one of them killed midway too."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from railcount.batch.distributed import Cluster
from railcount.batch.parameters import Parameters
from railcount.batch.run import Batch, Counted, Joined
from railcount.history import History

from .test_run import TASK, put, run

if TYPE_CHECKING:
    from pathlib import Path

distributed = pytest.importorskip("distributed")


def test_the_same_history_though_a_worker_is_killed(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    for n in range(16):
        day = f"2023-10-{n // 2 + 1:02}"
        put(archive, f"{day}/{n}.tif", acquired=day, site="tumangang", n=n, s=0.1)
    put(archive, "bad.tif", signal="SIGSEGV", acquired="2023-12-01")
    told: list[Any] = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as machines:
        settings = Parameters().words()
        with (
            History.open(tmp_path / "there.sqlite") as history,
            Cluster(machines.scheduler_address, task=TASK, settings=settings, time_limit_s=20) as there,
        ):
            batch = Batch(archive, history=history, parameters=Parameters(), engine=there)
            for event in batch.events():
                told.append(event)
                if sum(isinstance(one, Counted) for one in told) == 4 and isinstance(event, Counted):
                    os.kill(next(iter(machines.workers.values())).pid, signal.SIGKILL)
            there_digest = history.digest()
    assert len({one.record.tile for one in told if isinstance(one, Counted)}) == 17
    assert sum(isinstance(one, Counted) for one in told) == 17, "none twice"
    assert len({one.one.id for one in told if isinstance(one, Joined)}) == 9
    run(archive, history=tmp_path / "here.sqlite")
    with History.open(tmp_path / "here.sqlite") as here:
        assert here.digest() == there_digest
        assert here.check() == []
