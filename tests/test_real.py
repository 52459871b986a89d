"""Real pixels whose right answer is known; skipped where they are not at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from railcount.pipeline import scan_tile

REAL = Path(__file__).resolve().parents[2] / "shared" / "real"

pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason="the folder of real imagery is not beside the project"
)

LOOK_ALIKES = sorted((REAL / "ucmerced").glob("*.tif"))
WITH_LINES = sorted((REAL / "ucmerced").glob("*.tracks.geojson"))
EMPTY_TRACKS = sorted((REAL / "muttenz").glob("*empty_tracks*.tif"))


@pytest.mark.parametrize("path", LOOK_ALIKES, ids=lambda path: path.stem)
def test_look_alikes_hold_no_railcars(path: Path) -> None:
    result = scan_tile(path, gsd_m=0.3)
    assert result.railcars is not None
    assert result.railcars.best == 0


@pytest.mark.parametrize("lines", WITH_LINES, ids=lambda p: p.name.split(".")[0])
def test_real_tracks_without_cars(lines: Path) -> None:
    tile = lines.with_name(lines.name.replace(".tracks.geojson", ".tif"))
    result = scan_tile(tile, gsd_m=0.3, tracks=lines)
    assert result.railcars is not None
    assert result.railcars.best == 0


@pytest.mark.parametrize("path", EMPTY_TRACKS, ids=lambda p: p.stem)
def test_empty_tracks(path: Path) -> None:
    result = scan_tile(path, stock="european")
    assert result.railcars is not None
    assert result.railcars.best == 0
