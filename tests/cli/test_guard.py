"""Commands whose readers crash, hang or eat memory: the tile is lost, the command is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import os, signal, sys, time, types
from pathlib import Path

def scan_tile(path, **options):
    from railcount.counts import TileCount
    with open("log", "a") as log:
        print("scan", path, os.getpid(), file=log)
    if path in {"hang", "deaf"}:
        if path == "deaf":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        time.sleep(60)
    if path == "memory":
        bytearray(2**40)
    if path == "loud":
        import logging
        os.write(2, b"of a library: \\x1b[2J")
        logging.getLogger("railcount").warning("of ours")
    if path == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path == "exit":
        os._exit(0)
    if path.startswith("good"):
        from railcount.counts import Interval
        one = Interval(best=1, low=0, high=2)
        return TileCount(
            tile=path, sha256=None, status="counted", railcars=one, locomotives=one, covered=one, trains=1
        )
    return TileCount(tile=path, sha256=None, status="failed", reasons=("as it is",))

def draw_overlay(count, tile, picture, **options):
    if "bad" in count.tile:
        os.kill(os.getpid(), signal.SIGSEGV)
    Path(picture).write_bytes(b"")

fake = types.ModuleType("railcount.pipeline")
fake.scan_tile = scan_tile
sys.modules["railcount.pipeline"] = fake
fake = types.ModuleType("railcount.outputs.overlay")
fake.draw_overlay = draw_overlay
sys.modules["railcount.outputs.overlay"] = fake
fake = types.ModuleType("railcount.raster.opening")
fake.open_tile = lambda path, **_: path
sys.modules["railcount.raster.opening"] = fake
from railcount.cli.main import main
main()
"""


def start(folder: Path, *words: str, **how: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )


def run(folder: Path, *words: str) -> tuple[int, Any, str]:
    with start(folder, *words, "--format", "json") as process:
        out, err = process.communicate(timeout=30)
    return process.returncode, json.loads(out)["results"], err


def log(folder: Path) -> list[list[str]]:
    path = folder / "log"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Any, *, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_what_a_lost_process_wrote_on_the_terminal_is_wiped(tmp_path: Path) -> None:
    ours, its = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "scan", "segv"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=its
    ) as process:
        os.close(its)
        assert process.wait(timeout=30) == 3
    said = os.read(ours, 1000)
    os.close(ours)
    assert (said.strip(), said.count(b"\r")) == (b"", 2)


def test_a_crash_costs_its_tile(tmp_path: Path) -> None:
    code, results, err = run(tmp_path, "scan", "a", "segv", "b", "exit", "c")
    assert (code, err) == (3, "")
    assert [(one["tile"], one["status"]) for one in results] == [
        ("a", "failed"),
        ("segv", "crashed"),
        ("b", "failed"),
        ("exit", "crashed"),
        ("c", "failed"),
    ]
    assert results[1]["reasons"] == ["the process that read it was ended by SIGSEGV"]
    assert results[3]["reasons"] == ["the process that read it was ended with exit code 0"]
    # what was counted before is not counted again, and each crash cost one process
    assert [words[1] for words in log(tmp_path)] == ["a", "segv", "b", "exit", "c"]
    assert len({words[2] for words in log(tmp_path)}) == 3


def test_what_libraries_print_by_themselves_is_not_shown(tmp_path: Path) -> None:
    code, results, err = run(tmp_path, "scan", "loud")
    assert (code, len(results), err) == (3, 1, "railcount: of ours\n")


def test_a_hang_ends_at_the_time_limit(tmp_path: Path) -> None:
    code, results, _ = run(tmp_path, "scan", "hang", "b", "--time-limit", "0.5")
    assert code == 3
    assert [one["status"] for one in results] == ["timeout", "failed"]
    assert results[0]["reasons"] == ["it took more than the time limit of 0.5 s"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not limit memory")
def test_memory_is_limited(tmp_path: Path) -> None:
    with start(tmp_path, "scan", "memory", "--memory-limit", "100") as process:
        out, err = process.communicate(timeout=30)
    # the drawn reader lets the error through; the real one makes it a status
    assert process.returncode == 1
    assert out == ""
    assert "MemoryError" in err


def test_a_crash_while_drawing_costs_its_picture(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    code, _, err = run(tmp_path, "scan", "bad.tif", "c.tif", "-o", "out.csv", "--overlay", "pictures")
    assert code == 3
    assert err == "railcount: no picture for bad.tif: the process that read it was ended by SIGSEGV\n"
    assert (tmp_path / "pictures" / "c.png").exists()
    assert (tmp_path / "out.csv").exists()
    assert [words[1] for words in log(tmp_path)] == ["bad.tif", "c.tif"]


def test_a_picture_that_was_asked_for_and_is_missing_is_an_error(tmp_path: Path) -> None:
    code, results, err = run(tmp_path, "scan", "good_bad", "--overlay", "a.png")
    assert (code, results[0]["status"]) == (1, "counted")
    assert "no picture" in err
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("tile", ["hang", "deaf"])
@pytest.mark.parametrize("whole_group", [False, True])
def test_ctrl_c(tmp_path: Path, tile: str, whole_group: bool) -> None:
    with start(tmp_path, "scan", tile, start_new_session=True) as process:
        assert until(lambda: log(tmp_path))
        began = time.monotonic()
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert time.monotonic() - began < 5
    assert (process.returncode, out, err) == (130, "", "railcount: interrupted\n")
    assert not running(int(log(tmp_path)[0][2]))


def test_terminated(tmp_path: Path) -> None:
    with start(tmp_path, "scan", "hang") as process:
        assert until(lambda: log(tmp_path))
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == -signal.SIGTERM
    assert not running(int(log(tmp_path)[0][2]))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and prctl")
def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    with start(tmp_path, "scan", "hang") as process:
        assert until(lambda: log(tmp_path))
        process.kill()
        process.wait()
        assert until(lambda: not running(int(log(tmp_path)[0][2])), seconds=5)


def test_closed_streams(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" scan a segv -o out.json <&- >&- 2>&-', sys.executable, PROGRAM],
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 1  # nowhere to print to
    results = json.loads((tmp_path / "out.json").read_text())["results"]
    assert [one["status"] for one in results] == ["failed", "crashed"]
