"""A history with a real file, names that a browser would run, and a pass without a count."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
from affine import Affine

from railcount.counts import Interval
from railcount.history import History
from railcount.raster import open_tile
from railcount.records import places
from tests.history.factories import KEY, car, observation, one_pass, tile, uncounted

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

EVIL = "<script>window.hacked=1</script><img src=x onerror=window.hacked=2>"
FIRST_COL, FIRST_ROW = 40, 50
"""Of the car that is painted red: 28 x 6 pixels of half a metre."""


def write_tile(path: Path, pixels: NDArray[np.uint8]) -> None:
    """(3, rows, cols) of half a metre at Tumangang."""
    _, rows, cols = pixels.shape
    where = Affine(0.5, 0.0, 633_000.0, 0.0, -0.5, 4_697_600.0)
    with rasterio.open(
        path, "w", driver="GTiff", width=cols, height=rows, count=3, dtype="uint8", crs="EPSG:32652",
        transform=where, photometric="RGB",
    ) as target:  # fmt: skip
        target.write(pixels)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A grey tile of 200 x 120 pixels with one red car."""
    path = tmp_path / "a.tif"
    pixels = np.full((3, 120, 200), 90, dtype=np.uint8)
    pixels += np.arange(120, dtype=np.uint8)[None, :, None] % 7
    pixels[:, FIRST_ROW : FIRST_ROW + 6, FIRST_COL : FIRST_COL + 28] = np.array([230, 20, 20])[:, None, None]
    write_tile(path, pixels)
    return path


@pytest.fixture
def history(tmp_path: Path, image: Path) -> Path:
    """Three passes: one without a count, one of 2019, and one of the image's three cars."""
    grid = open_tile(image).grid

    def ring(col: float, row: float) -> tuple[tuple[float, float], ...]:
        corners = np.array([[col, row], [col + 28, row], [col + 28, row + 6], [col, row + 6]])
        return places(corners, grid=grid)

    cars = tuple(
        car(n, ring=ring(FIRST_COL + 31 * n, FIRST_ROW), confidence=0.9 - 0.3 * n, length_m=14.0)
        for n in range(3)
    )
    whole = np.array([[0, 0], [200, 0], [200, 120], [0, 120]], dtype=float)
    line = places(np.array([[0.0, 53.0], [200.0, 53.0]]), grid=grid)
    one = tile(
        tile=str(image), sha256=hashlib.sha256(image.read_bytes()).hexdigest(), cars=cars,
        footprint=places(whole, grid=grid), credit=f"Planet {EVIL}", reasons=(EVIL,), status="degraded",
    )  # fmt: skip
    one = replace(one, tracks=(replace(one.tracks[0], line=line),))
    early = tile(
        "early.tif", acquired=dt.datetime(2019, 6, 1, 3, tzinfo=dt.UTC),
        railcars=Interval(best=8, low=7, high=9), by_type={"tank": 8},
    )  # fmt: skip
    lost = uncounted(f"{EVIL.replace('/', '_')}.tif", acquired=dt.datetime(2023, 9, 28, 3, tzinfo=dt.UTC))
    path = tmp_path / "history.sqlite"
    with History.open(path) as opened:
        for record in (early, lost, one):
            opened.record_tile(record, key=KEY)
            opened.record_pass(one_pass(record), key=KEY)
        opened.add_counts("tumangang", [observation(dt.date(2023, 6, 1), source=EVIL, notes=EVIL)])
    return path
