"""A history whose n-th operation fails, for n = 1, 2, 3 and on until a batch passes."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from railcount.batch.parameters import Parameters
from railcount.batch.planning import LeftOut
from railcount.batch.run import Batch, Counted
from railcount.batch.workers import Ended
from railcount.errors import HistoryError
from railcount.history import History

from . import fake_tasks

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|BEGIN|COMMIT)", re.IGNORECASE)


class Failing:
    """A connection whose n-th statement that writes fails."""

    def __init__(self, real: sqlite3.Connection, *, n: int) -> None:
        self.real = real
        self.left = n

    def _count(self, sql: str) -> None:
        if WRITES.match(sql):
            self.left -= 1
            if self.left == 0:
                raise sqlite3.OperationalError("database or disk is full")

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        self._count(sql)
        return self.real.execute(sql, *given)

    def executemany(self, sql: str, *given: Any) -> sqlite3.Cursor:
        self._count(sql)
        return self.real.executemany(sql, *given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class Here:
    """An engine that does each job at once, in this process."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self._work = fake_tasks.stub(Parameters().words())
        self._jobs: dict[Hashable, dict[str, Any]] = {}

    @property
    def n_running(self) -> int:
        return len(self._jobs)

    @property
    def n_free(self) -> int:
        return 1 - len(self._jobs)

    def submit(self, job: Hashable, argument: dict[str, Any]) -> None:
        self._jobs[job] = argument

    def wait(self, timeout_s: float | None = None) -> list[Ended]:
        done = [Ended(job=job, outcome="done", value=self._work(given)) for job, given in self._jobs.items()]
        self._jobs.clear()
        return done

    def drop(self) -> list[Hashable]:
        lost = list(self._jobs)
        self._jobs.clear()
        return lost


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    for name, acquired in (("a", "2023-10-05"), ("b", "2023-10-05"), ("c", "2023-10-06")):
        (folder / f"{name}.tif").write_text(json.dumps({"name": name, "acquired": acquired}))
        os.utime(folder / f"{name}.tif", (1e9, 1e9))
    return folder


def counted(archive: Path, path: Path, *, n: int = 0) -> bool:
    """Run a batch; whether the n-th operation came, and failed it."""
    with History.open(path) as history:
        failing = Failing(history._connection, n=n)
        history._connection = failing  # type: ignore[assignment]
        batch = Batch(archive, history=history, parameters=Parameters(), engine=Here())
        events = []
        told = ""
        try:
            events += batch.events()
        except HistoryError as error:
            told = str(error)
        finally:
            history._connection = failing.real
        if told:
            assert "disk is full" in told
            return True
        assert failing.left > 0 or n == 0, "a failure that nobody told"
        assert not any(isinstance(event, LeftOut) for event in events)
        assert n > 0 or sum(isinstance(event, Counted) for event in events) in {0, 1, 2, 3}
        return False


def test_whatever_operation_fails_the_next_run_makes_it_whole(archive: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.sqlite"
    assert not counted(archive, whole)
    with History.open(whole, readonly=True) as history:
        wanted = history.digest()
    n = 1
    while True:
        path = tmp_path / f"{n}.sqlite"
        failed = counted(archive, path, n=n)
        with History.open(path, readonly=True) as history:
            assert history.check() == [], n
        assert not counted(archive, path)
        with History.open(path, readonly=True) as history:
            assert history.digest() == wanted, n
        if not failed:
            break
        n += 1
    assert n > 20
