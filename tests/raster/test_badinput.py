"""Files that other projects' test suites and fuzzers made: an answer or a railcount error, nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "badinput"

PROGRAM = """
import json, sys, time, warnings
from pathlib import Path
warnings.simplefilter("error")
from railcount.errors import RailcountError
from railcount.raster import open_tile
for path in sys.argv[1:]:
    for gsd_m in (None, 0.5):
        for drivers in (("tiff",), ("tiff", "jp2", "nitf")):
            start = time.monotonic()
            try:
                tile = open_tile(path, gsd_m=gsd_m, drivers=drivers)
                tile.read()
                words = " ".join(tile.reasons) + tile.sha256
                status = "ok"
            except RailcountError as error:
                words, status = str(error), type(error).__name__
            print(json.dumps([path, status, words, time.monotonic() - start]))
# Not getrusage: what it says begins with the size of the process that started this one.
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
print(json.dumps(next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)))
"""


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the folder of damaged rasters is not here")
def test_damaged_files_end_in_words():
    paths = sorted(path for path in FOLDER.iterdir() if path.suffix not in {".csv", ".md"})
    assert len(paths) == 53
    before = {path: path.stat().st_mtime_ns for path in FOLDER.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    *lines, peak_kb = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 4 * 53
    for path, status, words, seconds in lines:
        assert words.isprintable(), path
        assert words, path
        assert seconds < 20, path
        assert status in {"ok", "TileRefused", "TileUnreadable", "TileEmpty"}, (path, status)
    assert peak_kb < 1_000_000
    assert {path: path.stat().st_mtime_ns for path in FOLDER.iterdir()} == before
    answered = {Path(path).name for path, status, *_ in lines if status == "ok"}
    # what is a sound image must open: 8-bit gray, RPC only, 16-bit RGBA, JPEG
    for name in ("gdal__byte_rpc.tif", "gdal__offscale_byte.tif", "libtiff.net__doc-1211625-8-1.tiff"):
        assert name in answered
