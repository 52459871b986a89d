"""Real pixels whose right answer is known; skipped where they are not at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from railcount.scan import scan_tile

REAL = Path(__file__).resolve().parents[2] / "shared" / "real"

pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason="the folder of real imagery is not beside the project"
)

LOOK_ALIKES = sorted((REAL / "ucmerced").glob("*.tif"))
WITH_LINES = sorted((REAL / "ucmerced").glob("*.tracks.geojson"))
EMPTY_TRACKS = sorted((REAL / "muttenz").glob("*empty_tracks*.tif"))


KNOWN_TO_FAIL = {
    "freeway68": "lanes of a wide road are taken for tracks, and a long truck on one for a railcar"
}


def _look_alike(path: Path) -> object:
    marks = (
        [pytest.mark.xfail(reason=KNOWN_TO_FAIL[path.stem], strict=True)]
        if path.stem in KNOWN_TO_FAIL
        else []
    )
    return pytest.param(path, marks=marks, id=path.stem)


@pytest.mark.parametrize("path", [_look_alike(path) for path in LOOK_ALIKES])
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
