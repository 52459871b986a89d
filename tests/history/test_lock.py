"""One writer at a time, and what a killed one leaves behind."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from railcount.errors import HistoryBusy, HistoryError
from railcount.history import History, connecting, lock

from .factories import KEY, tile

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(os.name != "posix", reason="kill -9 is a matter of POSIX")

HOLD = """
import sys, time
from railcount.history import History
with History.open(sys.argv[1]) as history, history.claim("a test"):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """A process that has claimed the history."""
    running = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "held\n"
    return running


def kill(running: subprocess.Popen[Any]) -> None:
    running.send_signal(signal.SIGKILL)
    running.wait(timeout=30)
    if running.stdout is not None:
        running.stdout.close()


@POSIX
def test_the_second_writer_learns_who_the_first_is(history: History, path: Path) -> None:
    running = holder(path)
    try:
        with pytest.raises(HistoryBusy) as raised, history.claim():
            pass
        assert f"a test, process {running.pid} on " in str(raised.value)
        # A count by hand is one short transaction, and need not wait for the batch.
        history.record_tile(tile(), key=KEY)
    finally:
        kill(running)
    with history.claim():
        assert f"process {os.getpid()} on " in (lock.holder(path) or "")
    assert lock.holder(path) is None


def test_one_process_cannot_claim_twice(history: History) -> None:
    with history.claim(), pytest.raises(HistoryBusy, match=f"process {os.getpid()} "), history.claim():
        pass
    with history.claim():
        pass


def test_a_full_disk_is_an_error_of_the_history(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("railcount.history.lock.os.write", full)
    said = pytest.raises(HistoryError, match=r"cannot be locked.*No space left")
    with said, history.claim("railcount batch"):
        pass
    monkeypatch.undo()
    with history.claim("railcount batch"):
        pass


def test_a_claim_ends_with_its_block(history: History) -> None:
    with pytest.raises(RuntimeError), history.claim():
        raise RuntimeError
    with history.claim():
        pass


def test_another_file_of_the_locks_name_is_left_alone(history: History, path: Path) -> None:
    other = path.with_name(f"{path.name}.lock")
    other.write_text("dear diary")
    with pytest.raises(HistoryError, match="another file"), history.claim():
        pass
    assert other.read_text() == "dear diary"


@pytest.mark.parametrize(
    "said", [b"", b"{", b'{"railcount":', b'{"railcount":1}', b"\xff\xfe", b"x" * 10_000]
)
def test_a_strange_lock_names_nobody(path: Path, said: bytes) -> None:
    lock.lock_path(path).write_bytes(said)
    assert lock.holder(path) is None
    assert "another process" in lock.busy_words(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_instead_of_a_lock_is_not_waited_for(path: Path) -> None:
    os.mkfifo(lock.lock_path(path))
    assert lock.holder(path) is None


def test_a_holders_name_cannot_act_on_a_terminal(path: Path) -> None:
    lock.lock_path(path).write_bytes(b'{"railcount":"x\\u001b[2J","pid":1,"host":"\\n","since":"now"}')
    assert (lock.holder(path) or "").isprintable()


def test_who_waits_too_long_learns_for_whom(
    history: History, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "BUSY_TIMEOUT_S", 0.05)
    with History.open(path) as other, history.claim():
        history._connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryBusy, match=f"process {os.getpid()} "):
            other.record_tile(tile(), key=KEY)
        history._connection.execute("ROLLBACK")
        other.record_tile(tile(), key=KEY)


def test_a_transaction_holds_the_file_from_its_start(
    history: History, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that reads first and writes then could otherwise find that another was faster, and fail."""
    monkeypatch.setattr(connecting, "BUSY_TIMEOUT_S", 0.05)
    with (
        History.open(path) as other,
        connecting.transaction(history._connection),
        pytest.raises(HistoryBusy),
    ):
        other.begin("a" * 64, key=KEY)


WRITE = """
import sys
sys.path.insert(0, sys.argv[2])
from dataclasses import replace
from railcount.history import History
from tests.history.factories import KEY, one_pass, tile
record = tile(n=60)
def numbered(k):
    return replace(record, tile=f"{k}.tif", sha256=f"{k:064x}")
with History.open(sys.argv[1]) as history, history.claim():
    done = len(history.finished(KEY))
    if done:
        history.record_pass(one_pass(numbered(done - 1), pass_id=f"{done - 1}.tif"), key=KEY)
    print("ready", flush=True)
    for k in range(done, 100_000):
        made = numbered(k)
        history.begin(made.sha256, key=KEY)
        history.record_tile(made, key=KEY)
        history.record_pass(one_pass(made, pass_id=made.tile), key=KEY)
"""


@POSIX
def test_killed_while_writing(path: Path, request: pytest.FixtureRequest) -> None:
    """At any moment: the file is sound, and holds the first results, without a gap."""
    dice, n_before = random.Random(4), 0
    for _ in range(4):
        arguments = [sys.executable, "-c", WRITE, str(path), str(request.config.rootpath)]
        running = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        time.sleep(dice.uniform(0.02, 0.3))
        kill(running)
        with History.open(path, readonly=True) as history:
            assert history.check() == []
            n = len(history.finished(KEY))
            assert history.finished(KEY) == {f"{k:064x}" for k in range(n)}
            passes = {one.id for one in history.summaries()}
            assert passes in ({f"{k}.tif" for k in range(n)}, {f"{k}.tif" for k in range(n - 1)})
            assert set(history.interrupted(KEY)) <= {f"{n:064x}"}
        assert n >= n_before
        n_before = n
    assert n_before > 0
