"""Odd files through the commands: one status with its reason each, and nothing else happens."""

from __future__ import annotations

import json
import os
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
END = "\x1e\n"
PROGRAM = """
import json, sys
from pathlib import Path
from railcount.cli.main import cli
codes = []
for words in json.load(sys.stdin):
    try:
        cli(words, prog_name="railcount")
    except SystemExit as end:
        codes.append(end.code)
    for stream in (sys.stdout, sys.stderr):
        print(end="\x1e\\n", file=stream, flush=True)
# Not getrusage: what it says begins with the size of the process that started this one.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps([*codes, int(peak.split()[1])]), file=sys.stderr)
"""
"""Many commands in one process, which ends with their exit codes and its peak of memory in KB."""
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


def run(*commands: Sequence[object], cwd: Path, codes: Sequence[int]) -> list[str]:
    """Standard output of each, one after the other in one process; what all promise is checked."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([[*map(str, words)] for words in commands]).encode("utf-8"),
        cwd=cwd,
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr[-2000:]
    assert done.returncode == 0, done.stderr[-500:]
    said = [stream.decode("utf-8").split(END) for stream in (done.stdout, done.stderr)]
    *ended, peak_kb = json.loads(said[1].pop())
    assert [code for code in ended if code not in codes] == [], done.stderr[-500:]
    assert peak_kb < 1_000_000
    for out, err in zip(*said, strict=False):
        assert all(line.isprintable() for line in (out + err).splitlines())
    assert [*map(bool, map("".join, zip(*said, strict=False)))] == [True] * len(commands)
    return said[0][:-1]


def strict(text: str) -> list[dict[str, Any]]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    results: list[dict[str, Any]] = json.loads(text, parse_constant=refuse)["results"]
    return results


def test_scan(folder: Path, tmp_path: Path) -> None:
    before = state(folder)
    tiles = sorted(folder.iterdir())
    (out,) = run(["scan", *tiles, *READ, "--format", "json"], cwd=tmp_path, codes=[3])
    results = strict(out)
    assert [one["tile"] for one in results] == [*map(str, tiles)]
    for one in results:
        assert one["reasons"] or one["status"] == "counted", one
        assert one["status"] in WITHOUT_COUNT | {"counted", "degraded"}, one
        assert (one["railcars"] is None) == (one["status"] in WITHOUT_COUNT), one
    assert state(folder) == before
    assert list(tmp_path.iterdir()) == []


def test_batch(folder: Path, tmp_path: Path) -> None:
    before = state(folder)
    batch = ["batch", folder, "--history", "h.sqlite", "--jobs", "1", *READ, "--format", "json"]
    out, said = run(batch, ["history", "check", "--history", "h.sqlite"], cwd=tmp_path, codes=[3, 0])
    results = strict(out)
    assert len(results) > 30
    assert {one["status"] for one in results} <= WITHOUT_COUNT | {"counted", "degraded", "skipped"}
    assert said == "sound\n"
    assert state(folder) == before
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} <= {"h.sqlite", "h.sqlite.lock"}


def test_tracks(folder: Path, tmp_path: Path) -> None:
    before = state(folder)
    commands = [["tracks", path, *READ, "-o", f"{path.name}.geojson"] for path in sorted(folder.iterdir())]
    run(*commands, cwd=tmp_path, codes=[0, 1])
    assert state(folder) == before
