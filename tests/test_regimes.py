"""What the size of a pixel allows, and what a tile's result says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import jsonschema
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from railcount.cars.lengths import load_stock
from railcount.cars.stretches import mean_length_m
from railcount.counts import TileCount
from railcount.errors import TileRefused
from railcount.occupancy import measure
from railcount.outputs import json as out
from railcount.pipeline import count_cars, locate_tracks, scan_tile
from railcount.raster.georef import grid_from_gsd
from railcount.raster.tile import Pixels
from railcount.raster.write import write_geotiff
from railcount.records import record_of
from railcount.regimes import Regime, regime_of, too_coarse
from railcount.simulate import (
    Ground,
    Layout,
    Lineside,
    RenderedScene,
    Scene,
    Sensor,
    Stock,
    Sun,
    Weather,
    render,
)
from railcount.tracks.network import Track, TrackNetwork
from railcount.tracks.vector import write_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from railcount.occupancy import Evidence
    from railcount.strips import Strip


def yard(*, gsd_m: float, n_railcars: int = 40) -> RenderedScene:
    scene = Scene(
        width_px=int(330 / gsd_m),
        height_px=int(210 / gsd_m),
        gsd_m=gsd_m,
        layout=Layout(kind="straight", n_tracks=5, spacing_m=5.2, azimuth_deg=104.0),
        sun=Sun(elevation_deg=55.0, azimuth_deg=160.0),
        stock=Stock(
            n_railcars=n_railcars, n_locomotives=0, camouflage=0.0, edge_cars=False, families=("russian",)
        ),
        lineside=Lineside(canopies=0),
        weather=Weather(snow=0.0, haze=0.0, cloud=0.0, wet=0.0),
        sensor=Sensor(off_nadir_deg=0.0, resolution_m=gsd_m, jpeg_quality=100),
    )
    return render(scene, seed=950_000)


def saved(drawn: RenderedScene, folder: Path) -> tuple[Path, Path]:
    """The tile and its true lines."""
    tile, lines = folder / "yard.tif", folder / "lines.geojson"
    write_geotiff(tile, drawn.bands, drawn.grid, nodata=None, tags={}, imagery={})
    network = TrackNetwork(
        tracks=tuple(Track(id=t.id, line_px=t.line_px) for t in drawn.tracks), source="given"
    )
    write_lines(network, lines, grid=drawn.grid)
    return tile, lines


@pytest.mark.parametrize(
    ("gsd_m", "regime"),
    [
        (0.3, "cars"),
        (0.8, "cars"),
        (0.8000004, "cars"),
        (0.81, "pitch"),
        (1.5, "pitch"),
        (1.51, "occupied_length"),
        (4.0, "occupied_length"),
        (4.1, None),
    ],
)
def test_the_regime_follows_the_pixel(gsd_m: float, regime: Regime | None) -> None:
    assert regime_of(gsd_m) == regime


def test_the_sensor_can_only_turn_cars_into_pitch() -> None:
    assert regime_of(0.5, sensor_gsd_m=0.7) == "cars"
    assert regime_of(0.5, sensor_gsd_m=0.9) == "pitch"
    assert regime_of(0.5, sensor_gsd_m=30.0) == "pitch"
    assert regime_of(1.2, sensor_gsd_m=0.4) == "pitch"
    assert regime_of(3.0, sensor_gsd_m=4.2) == "occupied_length"


def test_a_resampled_tile_says_that_the_sensor_decides(tmp_path: Path) -> None:
    tile, lines = saved(yard(gsd_m=0.6), tmp_path)
    (tmp_path / "yard_metadata.json").write_text('{"properties": {"gsd": 0.93}}', encoding="utf-8")
    result = scan_tile(tile, tracks=lines, baseline=False)
    assert result.regime == "pitch"
    assert result.status == "degraded"
    assert "0.93 m, resampled to 0.60 m" in " ".join(result.reasons)


def test_by_pitch_coupled_cars_are_flagged_and_the_interval_is_wider(tmp_path: Path) -> None:
    tile, lines = saved(yard(gsd_m=0.85), tmp_path)
    result = scan_tile(tile, tracks=lines, baseline=False)
    assert result.regime == "pitch"
    alone = {t for t in {c.train for c in result.cars} if sum(c.train == t for c in result.cars) == 1}
    assert len(result.cars) > 10
    assert len({c.train for c in result.cars}) < len(result.cars)
    for car in result.cars:
        assert ("split_by_pitch" in car.flags) == (car.train not in alone)
    assert result.railcars is not None
    assert result.railcars.high - result.railcars.low > 0.2 * result.railcars.best
    jsonschema.validate(out.document([result]), out.schema(), cls=jsonschema.Draft202012Validator)


def test_one_by_one_no_car_is_flagged(tmp_path: Path) -> None:
    tile, lines = saved(yard(gsd_m=0.6), tmp_path)
    result = scan_tile(tile, tracks=lines, baseline=False)
    assert result.regime == "cars"
    assert not any("split_by_pitch" in car.flags for car in result.cars)


def test_occupied_length_needs_lines_and_tells_no_cars(tmp_path: Path) -> None:
    tile, lines = saved(yard(gsd_m=3.0), tmp_path)
    result = scan_tile(tile, tracks=lines, baseline=False)
    assert result.regime == "occupied_length"
    assert result.status == "degraded"
    assert result.cars == ()
    assert (result.locomotives, result.covered) == (None, None)
    assert result.railcars is not None
    assert set(result.by_type) <= {"unknown"}
    assert "do not tell cars apart" in result.reasons[-1]
    jsonschema.validate(out.document([result]), out.schema(), cls=jsonschema.Draft202012Validator)
    alone = scan_tile(tile, baseline=False)
    assert alone.status == "uncountable"
    assert alone.railcars is None
    assert "--tracks" in alone.reasons[-1]
    with pytest.raises(TileRefused, match="cannot be found"):
        locate_tracks(tile)
    assert locate_tracks(tile, tracks=lines)[1].source == "given"


@pytest.mark.parametrize(("gsd_m", "lower_bound"), [(2.0, False), (3.0, True)])
def test_occupied_length_beyond_2_m_is_a_lower_bound(tmp_path: Path, gsd_m: float, lower_bound: bool) -> None:
    drawn = yard(gsd_m=gsd_m)
    tile, lines = saved(drawn, tmp_path)
    result = scan_tile(tile, tracks=lines, baseline=False)
    assert result.railcars is not None
    assert result.tracks is not None
    assert result.railcars.low <= len(drawn.railcars) <= result.railcars.high
    assert ("lower bound" in result.reasons[-1]) == lower_bound
    kept = record_of(result).stretches
    assert [one.track for one in kept] == [one.track for one in result.stretches]
    assert result.grid is not None
    for one, stretch in zip(kept, result.stretches, strict=True):
        line = result.grid.to_local(result.grid.from_lonlat(np.array(one.line)))
        assert np.hypot(*np.diff(line, axis=0).T).sum() == pytest.approx(
            stretch.end_m - stretch.start_m, abs=1
        )
    full = result.tracks.length_m / mean_length_m(load_stock("any"))
    assert (result.railcars.high >= int(full)) == lower_bound


@pytest.mark.parametrize("gsd_m", [2.0, 3.0])
def test_an_empty_yard_has_no_occupied_length(tmp_path: Path, gsd_m: float) -> None:
    scene = replace(yard(gsd_m=gsd_m, n_railcars=0).scene, ground=Ground(), sensor=Sensor())
    tile, lines = saved(render(scene, seed=1_200_001), tmp_path)
    result = scan_tile(tile, tracks=lines, baseline=False)
    assert result.railcars is not None
    assert result.railcars.best == 0


def test_the_sun_of_the_metadata_reaches_the_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = yard(gsd_m=0.6)
    tile, lines = saved(drawn, tmp_path)
    tile.unlink()
    write_geotiff(
        tile, drawn.bands, drawn.grid, nodata=None, tags={"RAILCOUNT_SUN_AZIMUTH_DEG": "160.0"}, imagery={}
    )
    asked: list[dict[str, object]] = []

    def measured(strips: Sequence[Strip], **options: object) -> tuple[Evidence, ...]:
        asked.append(options)
        return measure(strips)

    monkeypatch.setattr("railcount.pipeline.measure", measured)
    scan_tile(tile, tracks=lines, baseline=False)
    assert asked[0] == {"sun_azimuth_deg": 160.0, "coarse": False}
    assert all(options["sun_azimuth_deg"] == 160.0 for options in asked)


def rough(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Ground with bumps of all sizes: a blank picture would not be looked at."""
    noise = np.random.default_rng(0).normal(size=shape)
    bumps = sum(gaussian_filter(noise, size) * size for size in (1, 3, 9))
    return np.asarray(100 + 30 * bumps[None], dtype=np.float32)


@pytest.mark.parametrize(("gsd_m", "status"), [(0.5, "degraded"), (1.2, "uncountable")])
def test_no_tracks_found_by_pitch_is_not_zero(gsd_m: float, status: str) -> None:
    grid = grid_from_gsd(width=120, height=120, gsd_m=gsd_m)
    pixels = Pixels(bands=rough((120, 120)), valid=np.ones((120, 120), bool), names=("gray",))
    blank = TileCount(tile="drawn", sha256=None, status="counted", grid=grid)
    result = count_cars(blank, pixels, TrackNetwork(tracks=(), source="found"), stock="any")
    assert result.status == status
    assert (result.railcars is None) == (status == "uncountable")


def test_beyond_four_metres_is_refused_with_the_reason() -> None:
    assert too_coarse(5.0) == (
        "pixels of 5.00 m are too coarse: cars are told apart up to 0.8 m, by their pitch up to 1.5 m, "
        "and occupied track is measured up to 4 m"
    )
