"""A simulated scene cut into tiles: joined, they give what the whole gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from affine import Affine

from railcount.observation import PassCount, group, merge
from railcount.pipeline import scan_tile
from railcount.raster.write import write_geotiff
from railcount.records import TileRecord, record_of
from railcount.simulate import Layout, RenderedScene, Scene, Stock, render
from railcount.simulate.write import Written, image_tags, write_scene

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WIDTH, HEIGHT = 400, 320
MOMENT = datetime(2023, 10, 5, 2, 11, tzinfo=UTC)
Cut = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last."""
CUTS: dict[str, Sequence[Cut]] = {
    "two side by side": [(0, HEIGHT, 0, 187), (0, HEIGHT, 187, WIDTH)],
    "three that overlap": [(0, HEIGHT, 0, 150), (0, HEIGHT, 120, 270), (0, HEIGHT, 262, WIDTH)],
    "four around a corner": [
        (0, 171, 0, 208), (0, 171, 208, WIDTH), (171, HEIGHT, 0, 208), (171, HEIGHT, 208, WIDTH)
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn() -> RenderedScene:
    scene = Scene(
        width_px=WIDTH,
        height_px=HEIGHT,
        acquired=MOMENT,
        layout=Layout(kind="straight", n_tracks=4, spacing_m=4.8, azimuth_deg=124.0),
        stock=Stock(n_railcars=44, n_locomotives=0),
    )
    return render(scene, seed=5)


@pytest.fixture(scope="module")
def written(drawn: RenderedScene, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_scene(drawn, tmp_path_factory.mktemp("whole"), stem="yard_simulated")


@pytest.fixture(scope="module")
def whole(written: Written) -> PassCount:
    return merge([scanned(written.image, written)], id="whole")


def scanned(image: Path, written: Written) -> TileRecord:
    return record_of(scan_tile(image, tracks=written.tracks))


def cut_out(drawn: RenderedScene, cut: Cut, path: Path) -> Path:
    top, bottom, left, right = cut
    a, b, _, d, e, _ = drawn.grid.transform[:6]
    x, y = drawn.grid.to_world(np.array([left, top], dtype=np.float64))
    grid = replace(
        drawn.grid, width=right - left, height=bottom - top, transform=Affine(a, b, float(x), d, e, float(y))
    )
    imagery = {"ACQUISITIONDATETIME": f"{MOMENT:%Y-%m-%d %H:%M:%S}", "SATELLITEID": "SIMULATED"}
    bands = drawn.bands[:, top:bottom, left:right]
    write_geotiff(path, bands, grid, tags=image_tags(drawn), imagery=imagery)
    return path


@pytest.mark.parametrize("name", list(CUTS))
def test_a_scene_cut_into_tiles(
    name: str, drawn: RenderedScene, written: Written, whole: PassCount, tmp_path: Path
) -> None:
    tiles = [
        scanned(cut_out(drawn, cut, tmp_path / f"yard_simulated_R1C{n}.tif"), written)
        for n, cut in enumerate(CUTS[name], 1)
    ]
    ((pass_id, parts),) = group(tiles)
    assert pass_id == "tumangang-20231005T0211Z-simulated"
    joined = merge(parts, id=pass_id)
    assert joined.railcars is not None
    assert whole.railcars is not None
    apart = abs(joined.railcars.best - whole.railcars.best)
    assert whole.railcars.low <= joined.railcars.best <= whole.railcars.high
    assert joined.railcars.low <= whole.railcars.best <= joined.railcars.high
    assert apart <= 2, [tile.railcars for tile in tiles]
    assert joined.railcars.best == sum(car.kind != "locomotive" for car in joined.cars)
    assert joined.occupied_m == pytest.approx(whole.occupied_m, rel=0.06)
    assert joined.length_m == pytest.approx(whole.length_m, rel=0.06)
    added_up = sum(tile.railcars.best for tile in tiles if tile.railcars)
    assert added_up > joined.railcars.best or "overlap" not in name
