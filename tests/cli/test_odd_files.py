"""Odd files through the commands: one status with its reason each, and nothing else happens."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import odd_files

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs limits of time and memory"
)

BADINPUT = Path(__file__).resolve().parents[3] / "shared" / "badinput"
"""Of other projects' test suites and fuzzers; not shipped."""
READ = ("--drivers", "tiff,jp2,nitf", "--time-limit", "60")
WITHOUT_COUNT = {"uncountable", "no_data", "refused", "failed"}


@pytest.fixture(scope="module", params=["odd", "of others"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files, old enough to be finished."""
    made = tmp_path_factory.mktemp("inputs")
    if request.param == "odd":
        files = {f"{name}.tif": data for name, data in odd_files.odd_tiffs()}
    elif BADINPUT.is_dir():
        paths = [path for path in BADINPUT.iterdir() if path.suffix not in {".csv", ".md"}]
        files = {path.name: path.read_bytes() for path in paths}
        assert len(files) == 53
    else:
        pytest.skip("the folder of damaged rasters is not here")
    for name, data in files.items():
        (made / name).write_bytes(data)
        os.utime(made / name, (1e9, 1e9))
    return made


def state(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.iterdir()}


def run(*words: object, cwd: Path, codes: Sequence[int]) -> str:
    """Standard output; what every command promises is checked."""
    done = subprocess.run(
        [sys.executable, "-m", "railcount", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert done.returncode in codes, done.stderr[-500:]
    said = done.stdout + b"\n" + done.stderr
    assert b"Traceback" not in said
    assert all(line.isprintable() for line in said.decode("utf-8").splitlines())
    assert done.stdout or done.stderr
    return done.stdout.decode("utf-8")


def strict(text: str) -> list[dict[str, Any]]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    results: list[dict[str, Any]] = json.loads(text, parse_constant=refuse)["results"]
    return results


def test_scan(folder: Path, tmp_path: Path) -> None:
    before = state(folder)
    tiles = sorted(folder.iterdir())
    results = strict(run("scan", *tiles, *READ, "--format", "json", cwd=tmp_path, codes=[3]))
    assert [one["tile"] for one in results] == [*map(str, tiles)]
    for one in results:
        assert one["reasons"] or one["status"] == "counted", one
        assert one["status"] in WITHOUT_COUNT | {"counted", "degraded"}, one
        assert (one["railcars"] is None) == (one["status"] in WITHOUT_COUNT), one
    assert state(folder) == before
    assert list(tmp_path.iterdir()) == []
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1_000_000


def test_batch(folder: Path, tmp_path: Path) -> None:
    before = state(folder)
    words = ("batch", folder, "--history", "h.sqlite", "--jobs", "2", *READ)
    results = strict(run(*words, "--format", "json", cwd=tmp_path, codes=[3]))
    assert len(results) > 30
    assert {one["status"] for one in results} <= WITHOUT_COUNT | {"counted", "degraded", "skipped"}
    assert state(folder) == before
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} <= {"h.sqlite", "h.sqlite.lock"}
    assert run("history", "check", "--history", "h.sqlite", cwd=tmp_path, codes=[0]) == "sound\n"


def test_tracks(folder: Path, tmp_path: Path) -> None:
    """Of every fifth, since each is a command."""
    before = state(folder)
    for path in sorted(folder.iterdir())[::5]:
        run("tracks", path, *READ, "-o", f"{path.name}.geojson", cwd=tmp_path, codes=[0, 1])
    assert state(folder) == before
