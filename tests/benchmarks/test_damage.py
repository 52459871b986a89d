"""Damaged tiles by the hundred through scan, as `benchmarks/robustness/damage.py` counts thousands."""

from __future__ import annotations

import random
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROBUSTNESS = Path(__file__).parents[2] / "benchmarks" / "robustness"


@pytest.fixture
def damage(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROBUSTNESS))
    yield import_module("damage")
    sys.modules.pop("damage", None)


def test_every_damaged_tile_ends_in_words() -> None:
    command = [sys.executable, str(ROBUSTNESS / "damage.py"), "--cases", "200", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 crashed; broken promises: none" in done.stdout


def test_the_same_seed_gives_the_same_damage(damage: ModuleType) -> None:
    good = {"a": bytes(range(256)) * 20, "b": b"II*\0" + bytes(3000)}
    one, other = ([damage.damaged(good, dice=dice) for _ in range(50)] for dice in map(random.Random, (7, 7)))
    assert one == other
    assert sum(data not in good.values() for _, data in one) > 40


def test_a_broken_promise_is_seen(
    damage: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\0")
    answers = {
        '{"results": [{"status": "failed", "reasons": []}]}': "failed without a reason",
        '{"results": [{"status": "timeout", "reasons": ["slow"]}]}': "timeout",
        '{"results": [{"status": "failed", "reasons": ["a\\u001b[2J"]}]}': "failed",
        '{"results": [{"status": "failed", "reasons": ["x"], "gsd_m": NaN}]}': "NaN is not JSON",
        '{"results": []}': "0 results of 1 files",
        "": "exit code 3",
    }
    for text, words in answers.items():
        done = subprocess.CompletedProcess([], 3, text.encode(), b"")
        monkeypatch.setattr(damage, "run", lambda _, done=done: (done, 1000))
        _, _, broken, _ = damage.scan([path], folder=tmp_path, more=[])
        assert any(words in line for line in broken), text


def test_the_memory_is_that_of_the_command(damage: ModuleType) -> None:
    words = "import sys; held = b'x' * 600_000_000; print('out', end=''); sys.exit('err')"
    done, most_kb = damage.run([sys.executable, "-c", words])
    assert (done.returncode, done.stdout, done.stderr) == (1, b"out", b"err\n")
    assert most_kb > 580_000  # more than this process holds, which counts for its children
