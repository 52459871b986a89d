"""Given lines are moved onto the image's tracks; lines that fit stay, and a doubtful match is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS
from scipy.spatial import cKDTree

from railcount.counts import Interval, TileCount, TrackSummary
from railcount.doubt import doubted
from railcount.outputs.json import result as as_json
from railcount.pipeline import count_cars, scan_tile
from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels
from railcount.raster.write import write_geotiff
from railcount.simulate import Layout, Lineside, RenderedScene, Scene, Sensor, Stock, Sun, Weather, render
from railcount.tracks import register
from railcount.tracks.find import dense
from railcount.tracks.network import Registration, Track, TrackNetwork
from railcount.tracks.register import registered
from railcount.tracks.ribbon import BLOCK_M, Ribbon, ribbons
from railcount.tracks.vector import write_lines

if TYPE_CHECKING:
    from pathlib import Path

AZIMUTH_DEG = 104.0
SPACING_M = 4.8


def yard(**layout: object) -> RenderedScene:
    scene = Scene(
        width_px=560,
        height_px=360,
        layout=replace(Layout(n_tracks=4, spacing_m=SPACING_M, azimuth_deg=AZIMUTH_DEG), **layout),  # type: ignore[arg-type]
        sun=Sun(elevation_deg=60.0, azimuth_deg=160.0),
        stock=Stock(n_railcars=30, n_locomotives=0, camouflage=0.0, edge_cars=False),
        lineside=Lineside(canopies=0),
        weather=Weather(snow=0.0, haze=0.0, cloud=0.0, wet=0.0),
        sensor=Sensor(off_nadir_deg=0.0, resolution_m=0.6, jpeg_quality=100),
    )
    return render(scene, seed=41)


@pytest.fixture(scope="module")
def drawn() -> RenderedScene:
    return yard()


def pixels_of(drawn: RenderedScene) -> Pixels:
    return Pixels(bands=drawn.bands.astype(np.float32), valid=drawn.valid, names=("red", "green", "blue"))


def lines_of(drawn: RenderedScene, shift_m: tuple[float, float] = (0.0, 0.0)) -> TrackNetwork:
    grid = drawn.grid
    tracks = tuple(
        Track(id=t.id, line_px=grid.to_pixel(grid.to_local(t.line_px) + np.array(shift_m)))
        for t in drawn.tracks
    )
    return TrackNetwork(tracks=tracks, source="given")


def aside_m(network: TrackNetwork, drawn: RenderedScene) -> list[float]:
    """Mean distance of each line, inside the tile, to the track it is meant for."""
    grid = drawn.grid
    true = {t.id: cKDTree(dense(grid.to_local(t.line_px))) for t in drawn.tracks}
    out = []
    for track in network.tracks:
        points = dense(grid.to_local(track.line_px))
        px = grid.to_pixel(points)
        inside = ((px >= 4) & (px <= [grid.width - 4, grid.height - 4])).all(axis=-1)
        out.append(float(true[track.id].query(points[inside])[0].mean()))
    return out


def across(metres: float) -> tuple[float, float]:
    """Local metres to the right of the yard's direction."""
    a = np.deg2rad(AZIMUTH_DEG)
    return float(metres * np.cos(a)), float(metres * np.sin(a))


def test_lines_that_fit_stay(drawn: RenderedScene) -> None:
    given = lines_of(drawn)
    placed = registered(given, pixels_of(drawn), grid=drawn.grid)
    assert placed.registration is not None
    assert (placed.registration.east_m, placed.registration.south_m) == (0.0, 0.0)
    assert placed.registration.sure
    assert placed.reasons == ()
    assert max(aside_m(placed, drawn)) < 0.3


@pytest.mark.parametrize("shift", [(6.0, -7.0), (-2.5, 1.0), across(SPACING_M), across(-2 * SPACING_M)])
def test_displaced_lines_come_back(drawn: RenderedScene, shift: tuple[float, float]) -> None:
    placed = registered(lines_of(drawn, shift), pixels_of(drawn), grid=drawn.grid)
    assert max(aside_m(placed, drawn)) < 0.7
    moved = placed.registration
    assert moved is not None
    assert moved.score > 0.5
    back = np.array([moved.east_m, moved.south_m]) + shift
    normal = np.array(across(1.0))
    assert abs(back @ normal) < 0.7  # along straight tracks a shift hardly shows


def test_a_shift_along_the_track_leaves_no_end_uncovered(drawn: RenderedScene) -> None:
    a = np.deg2rad(AZIMUTH_DEG)
    grid = drawn.grid
    cut = tuple(
        replace(t, line_px=np.clip(t.line_px, [-1e9, -1e9], [grid.width - 16.0, 1e9]))
        for t in lines_of(drawn, (-8 * np.sin(a), 8 * np.cos(a))).tracks
    )
    placed = registered(TrackNetwork(tracks=cut, source="given"), pixels_of(drawn), grid=grid)
    assert all(t.line_px[:, 0].max() >= grid.width - 1 for t in placed.tracks)


def test_the_count_is_that_of_exact_lines(drawn: RenderedScene, tmp_path: Path) -> None:
    tile, lines = tmp_path / "yard.tif", tmp_path / "lines.geojson"
    write_geotiff(tile, drawn.bands, grid=drawn.grid)
    write_lines(lines_of(drawn, (7.0, 6.0)), lines, grid=drawn.grid)
    exact = count_cars(
        TileCount(tile="t", sha256=None, status="counted", grid=drawn.grid),
        pixels_of(drawn),
        lines_of(drawn),
        stock="any",
    )
    result = scan_tile(tile, tracks=lines, baseline=False)
    assert exact.railcars is not None
    assert result.railcars is not None
    assert abs(result.railcars.best - exact.railcars.best) <= 1
    told = as_json(result)["tracks"]["registration"]
    assert np.hypot(told["east_m"], told["south_m"]) > 4.0


def test_lines_on_nothing_are_not_counted(drawn: RenderedScene) -> None:
    grid = drawn.grid
    middle = np.array([grid.width, grid.height]) / 2
    turned = tuple(
        replace(t, line_px=(t.line_px - middle) @ np.array([[0, 1.0], [-1, 0]]) + middle)
        for t in lines_of(drawn).tracks
    )
    placed = registered(TrackNetwork(tracks=turned[:1], source="given"), pixels_of(drawn), grid=grid)
    assert placed.tracks == ()
    assert "nothing that looks like a track" in placed.reasons[0]
    blank = TileCount(tile="t", sha256=None, status="counted", grid=grid)
    result = count_cars(blank, pixels_of(drawn), placed, stock="any")
    assert result.status == "uncountable"
    assert result.railcars is None


def ladder_of_rows(
    *, lines_at: list[float], rows_at: list[float], crs: str | None
) -> tuple[Ribbon, TrackNetwork, Pixels, Grid]:
    """Rows of likely places (m across, along x) in an image that shows nothing, and lines beside them."""
    n = 40
    v = np.arange(160)
    odds = np.full((160, n), -3.0)
    for y in rows_at:
        odds[np.abs(v * 0.5 - y) <= 0.5] = 2.0
    ribbon = Ribbon(
        odds=odds,
        seen=np.ones(odds.shape, dtype=bool),
        at=np.concatenate([np.stack([np.arange(n), np.full(n, y / 0.5)], axis=-1) for y in lines_at]),
        heading=np.tile([1.0, 0.0], (n * len(lines_at), 1)),
        line=np.repeat(np.arange(len(lines_at)), n),
        block=np.tile(np.arange(n), len(lines_at)),
    )
    size = (160, round(n * BLOCK_M / 0.5))
    grid = Grid(
        width=size[1],
        height=size[0],
        transform=Affine.identity(),
        crs=None if crs is None else CRS.from_user_input(crs),
        local_from_pixel=np.eye(2) * 0.5,
    )
    tracks = tuple(
        Track(id=str(i), line_px=np.array([[0.0, y / 0.5], [size[1], y / 0.5]]))
        for i, y in enumerate(lines_at)
    )
    pixels = Pixels(
        bands=np.zeros((1, *size), dtype=np.float32), valid=np.ones(size, dtype=bool), names=("gray",)
    )
    return ribbon, TrackNetwork(tracks=tracks, source="given"), pixels, grid


def matched(
    monkeypatch: pytest.MonkeyPatch,
    *,
    lines_at: list[float],
    rows_at: list[float],
    crs: str | None = "EPSG:32652",
) -> TrackNetwork:
    ribbon, network, pixels, grid = ladder_of_rows(lines_at=lines_at, rows_at=rows_at, crs=crs)
    monkeypatch.setattr(register, "ribbons", lambda *_, **__: [ribbon])
    return registered(network, pixels, grid=grid)


def test_the_outermost_row_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    placed = matched(monkeypatch, lines_at=[36.0, 41.0, 46.0], rows_at=[31.0, 36.0, 41.0])
    assert placed.registration is not None
    assert placed.registration.south_m == pytest.approx(-5.0, abs=0.3)
    assert placed.registration.sure


def test_two_equal_matches_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    placed = matched(monkeypatch, lines_at=[36.5, 41.5, 46.5], rows_at=[34.0, 39.0, 44.0, 49.0])
    assert placed.registration is not None
    assert not placed.registration.sure
    assert placed.registration.score < 0.5
    assert "about equally well" in placed.reasons[0]


def test_fewer_lines_than_tracks_go_to_the_nearest_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    placed = matched(monkeypatch, lines_at=[38.0], rows_at=[31.0, 36.0, 41.0, 46.0])
    assert placed.registration is not None
    assert placed.registration.south_m == pytest.approx(-2.0, abs=0.3)
    assert not placed.registration.sure
    assert "more tracks than lines" in placed.reasons[0]


def test_lines_that_fit_stay_among_equal_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    placed = matched(monkeypatch, lines_at=[36.0], rows_at=[31.0, 36.0, 41.0, 46.0])
    assert placed.registration is not None
    assert (placed.registration.east_m, placed.registration.south_m) == (0.0, 0.0)
    assert placed.reasons == ()


def test_a_line_is_bent_onto_its_track(monkeypatch: pytest.MonkeyPatch) -> None:
    ribbon, network, pixels, grid = ladder_of_rows(
        lines_at=[26.0, 36.0, 50.0], rows_at=[26.0, 36.0], crs=None
    )
    odds = ribbon.odds.copy()
    along = np.arange(odds.shape[1])
    bow = 50.0 + 1.2 * np.sin(2 * np.pi * along / along[-1])
    odds[np.abs(np.arange(160)[:, None] * 0.5 - bow) <= 0.5] = 2.0
    monkeypatch.setattr(register, "ribbons", lambda *_, **__: [replace(ribbon, odds=odds)])
    placed = registered(network, pixels, grid=grid)
    bent = grid.to_local(placed.tracks[2].line_px)
    for x, y in ((40.0, 51.2), (120.0, 48.8)):
        assert np.interp(x, bent[:, 0], bent[:, 1]) == pytest.approx(y, abs=0.65)  # 1.2 m off before
    straight = grid.to_local(placed.tracks[0].line_px)
    assert np.abs(straight[:, 1] - 26.0).max() < 0.3


def test_coarse_pixels_and_hidden_lines_are_left_alone(drawn: RenderedScene) -> None:
    given = lines_of(drawn, (5.0, 5.0))
    coarse = replace(drawn.grid, local_from_pixel=np.eye(2) * 3.0)
    assert registered(given, pixels_of(drawn), grid=coarse) is given
    hidden = replace(pixels_of(drawn), valid=np.zeros_like(drawn.valid))
    assert registered(given, hidden, grid=drawn.grid) is given


def test_one_faint_track_among_clear_ones_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An analyst's line on a track that the network does not see is not moved to one that it sees."""
    placed = matched(monkeypatch, lines_at=[36.0], rows_at=[26.0, 31.0, 41.0, 46.0])
    assert placed.registration is not None
    assert (placed.registration.east_m, placed.registration.south_m) == (0.0, 0.0)
    assert not placed.registration.sure


def test_lines_in_the_image_s_own_pixels_are_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    """They were drawn on this image, so that they fit elsewhere too says nothing against them."""
    placed = matched(monkeypatch, lines_at=[36.0], rows_at=[26.0, 31.0, 41.0, 46.0], crs=None)
    assert placed.registration is not None
    assert (placed.registration.east_m, placed.registration.south_m) == (0.0, 0.0)
    assert placed.registration.sure
    assert placed.reasons == ()


def test_every_direction_has_its_ribbon(drawn: RenderedScene) -> None:
    lines = [
        np.array([[0.0, 60.0], [280.0, 60.0]]),
        np.array([[0.0, 66.0], [280.0, 66.0]]),
        np.array([[100.0, 0.0], [160.0, 180.0]]),
    ]
    around = ribbons(pixels_of(drawn), lines, grid=drawn.grid, reach_m=14.0)
    assert sorted(sorted(set(r.line.tolist())) for r in around) == [[0, 1], [2]]
    for r in around:  # the reference line lies where it says
        assert np.isfinite(r.odds).all()
        assert r.at[:, 1].min() * 0.5 >= 27.0


def test_a_doubtful_place_opens_the_interval() -> None:
    summary = TrackSummary(
        source="given",
        n=2,
        length_m=600.0,
        visible_fraction=1.0,
        registration=Registration(east_m=5.0, south_m=0.0, score=0.3, sure=False),
    )
    count = Interval(best=12, low=11, high=13)
    result = TileCount(tile="t", sha256=None, status="counted", tracks=summary, railcars=count)
    opened = doubted(result, car_m=15.0)
    assert opened.railcars == Interval(best=12, low=0, high=40)
    assert opened.status == "degraded"
    sure = replace(
        result, tracks=replace(summary, registration=Registration(east_m=5.0, south_m=0.0, score=0.9))
    )
    assert doubted(sure, car_m=15.0) is sure


def test_a_count_on_doubtful_lines_is_not_a_confident_one(drawn: RenderedScene) -> None:
    moved = Registration(east_m=2.0, south_m=0.0, score=0.2, sure=False)
    network = replace(lines_of(drawn), registration=moved, reasons=("doubt",))
    blank = TileCount(tile="t", sha256=None, status="counted", grid=drawn.grid)
    result = count_cars(blank, pixels_of(drawn), network, stock="any")
    assert result.status == "degraded"
    assert result.railcars is not None
    assert result.railcars.low == 0
    assert result.railcars.high > result.railcars.best + 5


@pytest.mark.parametrize(("on_lines", "moved_m"), [(2.0, 0.0), (0.2, 2.4)])
def test_where_tracks_are_hidden_cars_on_the_lines_keep_them(
    drawn: RenderedScene, monkeypatch: pytest.MonkeyPatch, on_lines: float, moved_m: float
) -> None:
    across = np.deg2rad(AZIMUTH_DEG)
    given = lines_of(drawn, tuple(2.4 * np.array([np.cos(across), np.sin(across)])))

    def faint(*args: object, **kwargs: object) -> list[Ribbon]:
        return [replace(r, odds=r.odds - 8.0) for r in ribbons(*args, **kwargs)]  # type: ignore[arg-type]

    def cars(network: TrackNetwork, shifts: list[np.ndarray], *_: object, **__: object) -> np.ndarray:
        return np.array([on_lines if not shift.any() else 0.0 for shift in shifts])

    monkeypatch.setattr(register, "ribbons", faint)
    monkeypatch.setattr(register, "_bodies", cars)
    found = registered(given, pixels_of(drawn), grid=drawn.grid).registration
    assert found is not None
    assert np.hypot(found.east_m, found.south_m) == pytest.approx(moved_m, abs=0.8)
