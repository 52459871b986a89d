"""Real pixels whose right answer is known; skipped where they are not at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from railcount.pipeline import scan_tile
from tests.raster.factories import write_tif

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


@pytest.mark.parametrize("gsd_m", [0.3, 0.5])
def test_a_small_yard(tmp_path: Path, gsd_m: float) -> None:
    """100 m by 100 m with about 18 railcars, on whose picture somebody drew thin boxes; made coarser."""
    with Image.open(REAL / "muttenz" / "tile_010m_with_detection_overlay.png") as opened:
        fine = np.moveaxis(np.asarray(opened.convert("RGB"), dtype=np.float64), -1, 0)
    k = gsd_m / 0.1
    soft = gaussian_filter(fine, (0, 0.4 * k, 0.4 * k))
    coarse = zoom(soft, (1, 1 / k, 1 / k), order=1, grid_mode=True, mode="nearest")
    path = write_tif(tmp_path / "a.tif", coarse.clip(0, 255).astype(np.uint8), crs=None)
    result = scan_tile(path, gsd_m=gsd_m, stock="european")
    assert result.railcars is not None
    assert 13 <= result.railcars.best <= 20
