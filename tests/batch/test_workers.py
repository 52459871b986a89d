"""Worker processes: a job that crashes, hangs or eats memory costs itself alone; nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from railcount.batch.workers import Ended, Pool, PoolError
from railcount.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from railcount.batch.distributed import Cluster

OBEY = f"{__package__}.fake_tasks:obey"


def all_of(pool: Pool | Cluster, *jobs: dict[str, Any], so_far: Sequence[object] = ()) -> dict[object, Ended]:
    """Every job's end, by its number; each job is handed out as soon as a worker is free."""
    waiting = list(enumerate(jobs))
    ended: dict[object, Ended] = {}
    until = time.monotonic() + 60
    while len(ended) < len(jobs) + len(so_far):
        assert time.monotonic() < until
        while waiting and pool.n_free:
            number, job = waiting.pop(0)
            pool.submit(number, job)
        ended |= {one.job: one for one in pool.wait(5)}
    return ended


def alive(pid: int) -> bool:
    """A process that runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # a system without /proc, or the process ended just now
        return not Path("/proc/self").exists()


@pytest.fixture(scope="module")
def shared() -> Iterator[Pool]:
    """One worker for jobs that leave it alive, or do not mind."""
    with Pool(1, task=OBEY, settings={"a": 1}, time_limit_s=20, memory_limit_bytes=200 * 2**20) as pool:
        yield pool


def test_one_process_does_many_jobs(shared: Pool) -> None:
    ended = all_of(shared, *({"do": "answer", "say": n} for n in range(5)))
    assert [ended[n].outcome for n in range(5)] == ["done"] * 5
    values = [ended[n].value or {} for n in range(5)]
    assert [value["said"] for value in values] == list(range(5))
    assert values[0]["settings"] == {"a": 1}
    assert len({value["pid"] for value in values}) == 1
    assert values[0]["pid"] != os.getpid()


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({"do": "signal", "name": "SIGSEGV"}, "ended by SIGSEGV"),
        ({"do": "signal", "name": "SIGKILL"}, "ended by SIGKILL, as the system does when memory runs out"),
        ({"do": "exit", "code": 7}, "ended with exit code 7"),
        ({"do": "exit", "code": 0}, "ended with exit code 0"),
        ({"do": "die_in_mid_answer"}, "ended by SIGKILL"),
    ],
)
def test_a_death_costs_one_job(shared: Pool, job: dict[str, Any], words: str) -> None:
    ended = all_of(shared, {"do": "answer"}, job, {"do": "answer"})
    assert [ended[n].outcome for n in range(3)] == ["done", "crashed", "done"]
    assert words in (ended[1].reason or "")
    assert (ended[0].value or {})["pid"] != (ended[2].value or {})["pid"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits a process's memory")
def test_memory_is_limited_and_given_back(shared: Pool) -> None:
    eat = {"do": "eat", "n_bytes": 400 * 2**20}
    ended = all_of(shared, eat, {"do": "eat", "n_bytes": 2**20})
    assert (ended[0].outcome, ended[1].outcome) == ("failed", "done")
    assert "within the limit of 200 MB" in (ended[0].reason or "")
    assert shared.notices == []


def test_what_libraries_print_is_no_answer(shared: Pool) -> None:
    ended = all_of(shared, {"do": "chatter"}, {"do": "answer", "say": 2})
    assert ended[0].value == {}
    assert (ended[1].value or {})["said"] == 2


def test_workers_use_one_thread_each(shared: Pool) -> None:
    (ended,) = all_of(shared, {"do": "environment"}).values()
    assert ended.value == {"threads": "1", "numpy": False}


def test_a_hang_is_ended_and_the_others_go_on() -> None:
    with Pool(2, task=OBEY, time_limit_s=1) as pool:
        began = time.monotonic()
        ended = all_of(pool, {"do": "sleep", "s": 50}, {"do": "answer"}, {"do": "answer"}, {"do": "answer"})
        assert time.monotonic() - began < 20
    assert [ended[n].outcome for n in range(4)] == ["timeout", "done", "done", "done"]
    assert ended[0].reason == "it took more than the time limit of 1 s"


def test_starting_up_is_not_counted_as_working() -> None:
    """The limit is of a job; a worker that has yet to start has not begun with it."""
    with Pool(1, task=OBEY, time_limit_s=0.02) as pool:
        ended = all_of(pool, {"do": "answer"})
    assert ended[0].outcome == "done"


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"

    def interrupted() -> None:
        with Pool(2, task=OBEY) as pool:
            pool.submit("a", {"do": "hold", "pid_file": str(pid_file)})
            while not pid_file.exists() or not pid_file.read_text():
                assert pool.wait(0.05) == []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not alive(int(pid_file.read_text()))


def test_drop_kills_what_runs_and_names_it() -> None:
    with Pool(2, task=OBEY) as pool:
        pool.submit("long", {"do": "sleep", "s": 50})
        assert pool.wait(0.3) == []
        assert pool.drop() == ["long"]
        assert pool.n_free == 2
        assert pool.wait(1) == []


def test_unusable_settings_are_said_once() -> None:
    with Pool(1, task=OBEY.replace("obey", "unusable"), settings={"file": "x"}) as pool:
        pool.submit(1, {})
        with pytest.raises(InputError, match="no file x"):
            pool.wait(30)


def test_workers_that_cannot_start_end_the_pool() -> None:
    with Pool(1, task=OBEY.replace("obey", "dead_on_arrival")) as pool:
        pool.submit(1, {})
        with pytest.raises(PoolError, match=r"ended with exit code 9; its last words: cannot load the lib"):
            pool.wait(30)


def test_too_many_jobs_are_refused() -> None:
    with Pool(1, task=OBEY) as pool:
        pool.submit(1, {"do": "answer"})
        with pytest.raises(InputError):
            pool.submit(2, {"do": "answer"})
    with pytest.raises(InputError):
        Pool(0, task=OBEY)


PARENT = """
import sys
sys.path[:0] = {path!r}
from railcount.batch.workers import Pool
with Pool(1, task={task!r}) as pool:
    pool.submit(1, {{"do": "hold", "pid_file": sys.argv[1]}})
    pool.wait()
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path, end: signal.Signals) -> None:
    pid_file = tmp_path / "pid"
    root = str(Path(__file__).parents[2])
    program = PARENT.format(path=[root], task=OBEY)
    with subprocess.Popen([sys.executable, "-c", program, str(pid_file)]) as parent:
        until = time.monotonic() + 30
        while not pid_file.exists() or not pid_file.read_text():
            assert time.monotonic() < until
            time.sleep(0.05)
        parent.send_signal(end)
    worker = int(pid_file.read_text())
    until = time.monotonic() + 5
    while alive(worker):
        assert time.monotonic() < until
        time.sleep(0.05)
