"""A tile read cell by cell gives what it gives when read whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from railcount import mosaic, survey
from railcount.pipeline import scan_tile
from railcount.raster.safety import DEFAULT_DRIVERS
from railcount.records import record_of
from railcount.tracks import search
from railcount.tracks.find import network_of

SAMPLES = Path(__file__).parents[1] / "sample_tiles"
TILE = SAMPLES / "2023-10-05" / "20231005_021100_ssc3_u0001_simulated_visual.tif"
TRACKS = TILE.with_name(f"{TILE.stem}_tracks.geojson")


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "WHOLE_BELOW_PX", 1000)
    monkeypatch.setattr(mosaic, "SMALLEST_CELL_PX", 150)
    monkeypatch.setattr(mosaic, "CELL_M", 75.0)


def test_given_tracks_count_the_same_in_cells_and_whole(request: pytest.FixtureRequest) -> None:
    whole = record_of(scan_tile(TILE, tracks=TRACKS, baseline=False))
    request.getfixturevalue("cells")
    parts = record_of(scan_tile(TILE, tracks=TRACKS, baseline=False))
    assert parts == whole


@pytest.mark.usefixtures("cells")
def test_cells_are_read_when_asked_and_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from railcount.raster import open_tile

    tile = open_tile(TILE)
    ground = survey.mosaic_of(tile, drivers=DEFAULT_DRIVERS)
    assert not ground.whole
    whole = tile.read()
    rng = np.random.default_rng(1)
    at = rng.uniform([-20, -20], [tile.grid.width + 20, tile.grid.height + 20], (500, 2))
    monkeypatch.setattr(mosaic, "KEPT_BYTES", 1)
    bands, valid = ground.sample(at)
    expected, usable = whole.sample(at)
    np.testing.assert_array_equal(valid, usable)
    np.testing.assert_allclose(bands[:, valid], expected[:, valid], rtol=1e-5)
    assert len(ground._kept) == 1


@pytest.mark.usefixtures("cells")
def test_the_coarse_look_finds_the_yard_and_nothing_beside_it() -> None:
    from railcount.raster import open_tile

    tile = open_tile(TILE)
    ground = survey.mosaic_of(tile, drivers=DEFAULT_DRIVERS)
    look = search.coarse(ground)
    scale = look.cell_px * tile.grid.gsd_m
    areas = search.areas_of(look.tensor, limit=1.0, first=np.zeros(2), cell_m=scale)
    lines = scan_tile(TILE, tracks=TRACKS, baseline=False).network
    assert lines is not None
    on = np.floor(np.concatenate([t.line_px.mean(axis=0)[None] for t in lines.tracks]) / look.cell_px).astype(
        int
    )
    assert (areas.support[on[:, 1], on[:, 0]] > search.CLEAR_SUPPORT).all()
    assert np.median(areas.support) < search.CLEAR_SUPPORT
    pieces = search.find_in(ground)
    assert len(network_of(pieces, grid=tile.grid).tracks) >= 0.8 * len(lines.tracks)


@pytest.mark.usefixtures("cells")
@pytest.mark.parametrize(("value", "status"), [(0, "no_data"), (90, "no_data"), (None, "uncountable")])
def test_a_large_tile_that_shows_nothing_is_not_a_yard_without_cars(
    tmp_path: Path, value: int | None, status: str
) -> None:
    from railcount.raster import open_tile
    from railcount.raster.write import write_geotiff

    noise = np.random.default_rng(3).integers(60, 120, (3, 400, 500))
    bands = (noise if value is None else np.full((3, 400, 500), value)).astype(np.uint8)
    write_geotiff(
        tmp_path / "blank.tif",
        bands,
        grid=open_tile(TILE).grid.part(col=200_000, row=0, width=500, height=400),
    )
    result = scan_tile(tmp_path / "blank.tif", baseline=False)
    assert result.status == status
    assert result.railcars is None
