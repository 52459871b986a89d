"""The whole pipeline on a simulated yard: the count, and what must not change it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from shapely import Polygon

from railcount.counts import TileCount
from railcount.evaluate import match
from railcount.pipeline import count_cars, locate_tracks, scan_tile
from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels
from railcount.raster.write import write_geotiff
from railcount.simulate import Layout, Lineside, RenderedScene, Scene, Sensor, Stock, Sun, Weather, render
from railcount.tracks.find import find_tracks
from railcount.tracks.mask import write_mask
from railcount.tracks.network import Track, TrackNetwork
from railcount.tracks.vector import write_lines


def yard(*, n_railcars: int = 30, seed: int = 41) -> RenderedScene:
    scene = Scene(
        width_px=560,
        height_px=360,
        layout=Layout(kind="straight", n_tracks=4, spacing_m=4.8, azimuth_deg=104.0),
        sun=Sun(elevation_deg=60.0, azimuth_deg=160.0),
        stock=Stock(n_railcars=n_railcars, n_locomotives=0, camouflage=0.0, edge_cars=False),
        lineside=Lineside(canopies=0),
        weather=Weather(snow=0.0, haze=0.0, cloud=0.0, wet=0.0),
        sensor=Sensor(off_nadir_deg=0.0, resolution_m=0.6, jpeg_quality=100),
    )
    return render(scene, seed=seed)


@pytest.fixture(scope="module")
def drawn() -> RenderedScene:
    return yard()


@pytest.fixture(scope="module")
def empty() -> RenderedScene:
    return yard(n_railcars=0)


def pixels_of(drawn: RenderedScene) -> Pixels:
    return Pixels(bands=drawn.bands.astype(np.float32), valid=drawn.valid, names=("red", "green", "blue"))


def given(drawn: RenderedScene) -> TrackNetwork:
    return TrackNetwork(tracks=tuple(Track(id=t.id, line_px=t.line_px) for t in drawn.tracks), source="given")


def counted(pixels: Pixels, network: TrackNetwork, grid: Grid) -> TileCount:
    blank = TileCount(tile="drawn", sha256=None, status="counted", grid=grid)
    return count_cars(blank, pixels, network, stock="any")


def n_right(result: TileCount, drawn: RenderedScene) -> int:
    truth = [Polygon(c.outline_px) for c in drawn.railcars]
    return len(match([Polygon(c.outline_px) for c in result.cars], truth, min_iou=0.3).pairs)


def best(result: TileCount) -> int:
    assert result.railcars is not None
    return result.railcars.best


def test_tracks_given(drawn: RenderedScene) -> None:
    """Of the first yard a tank wagon of two sections, and dark track between two trains, are read as cars."""
    n, held = 0, 0
    for one in (drawn, yard(seed=43), yard(seed=44)):
        result = counted(pixels_of(one), given(one), one.grid)
        truth = len(one.railcars)
        n += best(result) - truth
        assert n_right(result, one) >= truth - 1
        assert result.railcars is not None
        held += result.railcars.low <= truth <= result.railcars.high
    assert n == pytest.approx(0, abs=4)
    assert held >= 2


def test_tracks_found(drawn: RenderedScene) -> None:
    n = 0
    for one in (drawn, yard(seed=43)):
        network = find_tracks(pixels_of(one), grid=one.grid)
        result = counted(pixels_of(one), network, one.grid)
        n += best(result) - len(one.railcars)
        assert n_right(result, one) >= 0.9 * len(one.railcars)
    assert n == pytest.approx(0, abs=4)


@pytest.mark.parametrize("found", [False, True])
def test_an_empty_yard_has_no_cars(empty: RenderedScene, found: bool) -> None:
    pixels = pixels_of(empty)
    network = find_tracks(pixels, grid=empty.grid) if found else given(empty)
    result = counted(pixels, network, empty.grid)
    assert network.tracks
    assert best(result) == 0
    assert result.railcars is not None
    assert result.railcars.low == 0


TURNS = {
    "quarter": lambda a: np.rot90(a, 1, axes=(-2, -1)),
    "half": lambda a: np.rot90(a, 2, axes=(-2, -1)),
    "mirrored": lambda a: a[..., ::-1],
    "flipped": lambda a: a[..., ::-1, :],
}


def turned_line(line: np.ndarray, name: str, grid: Grid) -> np.ndarray:
    x, y = line.T
    w, h = grid.width, grid.height
    return np.stack(
        {"quarter": (y, w - x), "half": (w - x, h - y), "mirrored": (w - x, y), "flipped": (x, h - y)}[name],
        -1,
    )


@pytest.mark.parametrize("name", list(TURNS))
def test_turns_and_flips_keep_the_count(drawn: RenderedScene, name: str) -> None:
    pixels = pixels_of(drawn)
    bands = np.ascontiguousarray(TURNS[name](pixels.bands))
    turned = Pixels(bands=bands, valid=np.ascontiguousarray(TURNS[name](pixels.valid)), names=pixels.names)
    grid = Grid(
        width=bands.shape[2],
        height=bands.shape[1],
        transform=Affine.identity(),
        crs=None,
        local_from_pixel=np.eye(2) / 2,
    )
    tracks = tuple(Track(id=t.id, line_px=turned_line(t.line_px, name, drawn.grid)) for t in drawn.tracks)
    network = TrackNetwork(tracks=tracks, source="given")
    whole = counted(pixels, given(drawn), drawn.grid)
    assert best(counted(turned, network, grid)) == pytest.approx(
        best(whole), abs=0 if name != "mirrored" else 1
    )


def test_a_shift_keeps_the_count(drawn: RenderedScene) -> None:
    pixels = pixels_of(drawn)
    network = TrackNetwork(
        tracks=tuple(Track(id=t.id, line_px=t.line_px + np.array([7.0, 4.0])) for t in drawn.tracks),
        source="given",
    )
    moved = Pixels(
        bands=np.pad(pixels.bands, ((0, 0), (4, 0), (7, 0))),
        valid=np.pad(pixels.valid, ((4, 0), (7, 0))),
        names=pixels.names,
    )
    grid = replace(drawn.grid, width=drawn.grid.width + 7, height=drawn.grid.height + 4)
    assert best(counted(moved, network, grid)) == best(counted(pixels, given(drawn), drawn.grid))


def test_a_crop_that_cuts_no_car_keeps_the_count(drawn: RenderedScene) -> None:
    corners = np.concatenate([c.outline_px for c in drawn.railcars])
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 40, 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 40, [drawn.grid.width, drawn.grid.height])
    pixels = pixels_of(drawn)
    part = Pixels(
        bands=pixels.bands[:, low[1] : high[1], low[0] : high[0]],
        valid=pixels.valid[low[1] : high[1], low[0] : high[0]],
        names=pixels.names,
    )
    grid = replace(drawn.grid, width=int(high[0] - low[0]), height=int(high[1] - low[1]))
    network = TrackNetwork(
        tracks=tuple(Track(id=t.id, line_px=t.line_px - low) for t in drawn.tracks), source="given"
    )
    whole = counted(pixels, given(drawn), drawn.grid)
    assert best(counted(part, network, grid)) == pytest.approx(best(whole), abs=1)


def test_what_tracks_saves_reads_back_with_the_same_count_give_or_take_one(
    drawn: RenderedScene, tmp_path: Path
) -> None:
    tile = tmp_path / "yard.tif"
    write_geotiff(tile, drawn.bands, drawn.grid, nodata=None, tags={}, imagery={})
    opened, network = locate_tracks(tile)
    first = scan_tile(tile, baseline=False)
    assert first.tracks is not None
    assert first.tracks.source == "found"
    for name in ("tracks.geojson", "tracks.gpkg"):
        write_lines(network, tmp_path / name, grid=opened.grid)
        again = scan_tile(tile, tracks=tmp_path / name, baseline=False)
        assert again.tracks is not None
        assert again.tracks.source == "given"
        assert best(again) == pytest.approx(best(first), abs=1)  # given lines are moved onto the image
    write_mask(network, tmp_path / "mask.tif", grid=opened.grid)
    masked = scan_tile(tile, tracks=tmp_path / "mask.tif", baseline=False)
    assert masked.tracks is not None
    assert masked.tracks.source == "mask"
    assert best(masked) == pytest.approx(best(first), abs=1)


def test_bit_depth_and_haze_change_little(drawn: RenderedScene) -> None:
    pixels = pixels_of(drawn)
    whole = best(counted(pixels, given(drawn), drawn.grid))
    scaled = replace(pixels, bands=pixels.bands * 7.0 + 300.0)
    assert best(counted(scaled, given(drawn), drawn.grid)) == whole


def test_too_coarse_is_refused(drawn: RenderedScene, tmp_path: Path) -> None:
    coarse = replace(drawn.grid, transform=drawn.grid.transform @ Affine.scale(10.0))
    write_geotiff(tmp_path / "a.tif", drawn.bands, coarse, nodata=None, tags={}, imagery={})
    result = scan_tile(tmp_path / "a.tif")
    assert result.status == "refused"
    assert "coarse" in result.reasons[-1]
    assert result.railcars is None


def test_a_line_drawn_twice_counts_once(drawn: RenderedScene, tmp_path: Path) -> None:
    tile = tmp_path / "yard.tif"
    write_geotiff(tile, drawn.bands, drawn.grid, nodata=None, tags={}, imagery={})
    once, twice = tmp_path / "once.geojson", tmp_path / "twice.geojson"
    write_lines(given(drawn), once, grid=drawn.grid)
    both = (*given(drawn).tracks, *(Track(id=f"{t.id} again", line_px=t.line_px + 0.3) for t in drawn.tracks))
    write_lines(TrackNetwork(tracks=both, source="given"), twice, grid=drawn.grid)
    first, second = (scan_tile(tile, tracks=path, baseline=False) for path in (once, twice))
    assert best(second) == best(first)
    assert second.status == "degraded"
    assert "on top of others" in second.reasons[0]


@pytest.mark.parametrize("shape", [(3, 3), (1, 5000), (5000, 1), (7, 9000), (20, 300)])
def test_tiny_and_thin_tiles_are_not_counted(
    shape: tuple[int, int], drawn: RenderedScene, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(1, 255, (3, *shape), dtype=np.uint8)
    grid = replace(drawn.grid, width=shape[1], height=shape[0])
    write_geotiff(tmp_path / "a.tif", noise, grid, nodata=None, tags={}, imagery={})
    result = scan_tile(tmp_path / "a.tif", baseline=False)
    assert result.status == "uncountable"
    assert result.railcars is None


def test_values_next_to_nothing_do_no_harm(tmp_path: Path, drawn: RenderedScene) -> None:
    pixels = replace(pixels_of(drawn), bands=(drawn.bands * 1e-42).astype(np.float32))
    assert isinstance(find_tracks(pixels, grid=drawn.grid), TrackNetwork)


def test_an_unforeseen_error_costs_one_tile(
    monkeypatch: pytest.MonkeyPatch, drawn: RenderedScene, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    write_geotiff(tmp_path / "a.tif", drawn.bands, drawn.grid, nodata=None, tags={}, imagery={})
    monkeypatch.setattr("railcount.pipeline.locate", broken)
    result = scan_tile(tmp_path / "a.tif")
    assert result.status == "crashed"
    assert "ZeroDivisionError" in result.reasons[0]


def test_the_sites_own_lines_come_before_the_pixels(tmp_path: Path) -> None:
    tile, lines = sample_with_lines()
    (tmp_path / "lines.geojson").write_bytes(lines.read_bytes())
    (tmp_path / "site.toml").write_text(
        'name = "mine"\ntitle = "Mine"\ncrs = "EPSG:32652"\nutc_offset_h = 9\n'
        "box = [130.5, 42.3, 130.7, 42.5]\n"
        '[[tracks]]\nfile = "lines.geojson"\nsince = 2020-01-01\n',
        encoding="utf-8",
    )
    result = scan_tile(tile, site=str(tmp_path), baseline=False)
    given = scan_tile(tile, tracks=lines, baseline=False)
    assert result.tracks is not None
    assert result.tracks.source == "site"
    assert result.railcars is not None
    assert given.railcars is not None
    # The lines come by another way, so they differ far behind the point, and an end of the interval by one.
    assert result.railcars.best == given.railcars.best
    assert result.railcars.high == pytest.approx(given.railcars.high, abs=1)


def test_lines_of_another_time_are_not_used(tmp_path: Path) -> None:
    tile, lines = sample_with_lines()
    (tmp_path / "lines.geojson").write_bytes(lines.read_bytes())
    (tmp_path / "site.toml").write_text(
        'name = "mine"\ntitle = "Mine"\ncrs = "EPSG:32652"\nutc_offset_h = 9\n'
        "box = [130.5, 42.3, 130.7, 42.5]\n"
        '[[tracks]]\nfile = "lines.geojson"\nsince = 2024-01-01\n',
        encoding="utf-8",
    )
    result = scan_tile(tile, site=str(tmp_path), baseline=False)
    assert result.tracks is not None
    assert result.tracks.source == "found"


def test_a_tile_without_image_is_of_its_site(tmp_path: Path, drawn: RenderedScene) -> None:
    write_geotiff(tmp_path / "black.tif", np.zeros_like(drawn.bands), drawn.grid)
    result = scan_tile(tmp_path / "black.tif")
    assert (result.status, result.site, result.utc_offset_h) == ("no_data", "tumangang", 9.0)


def test_a_tile_outside_the_box_of_the_site_that_was_named(tmp_path: Path) -> None:
    tile, lines = sample_with_lines()
    said = {}
    for box in ("[130.62, 42.418, 130.7, 42.5]", "[7.63, 47.52, 7.67, 47.54]"):
        (tmp_path / "site.toml").write_text(
            f'name = "mine"\ntitle = "Mine"\ncrs = "EPSG:32632"\nutc_offset_h = 1\nbox = {box}\n',
            encoding="utf-8",
        )
        result = scan_tile(tile, tracks=lines, site=str(tmp_path), baseline=False)
        said[box] = (result.status, result.reasons)
    (status, before), (same, reasons) = said.values()
    assert (same, reasons[:-1]) == (status, before)
    assert reasons[-1].startswith("the tile lies outside the box of mine")
    in_pixels = scan_tile(tile, tracks=lines, site=str(tmp_path), baseline=False, gsd_m=0.5)
    assert not any("box" in reason for reason in in_pixels.reasons)


def sample_with_lines() -> tuple[Path, Path]:
    (tile,) = (Path(__file__).parents[1] / "sample_tiles" / "2022-11-03").glob("*.tif")
    return tile, tile.with_name(f"{tile.stem}_tracks.geojson")


def test_what_is_unsure_everywhere_is_not_counted_on_lines_that_were_found(
    drawn: RenderedScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a limit that no car reaches; lines that were given are tracks all the same."""
    monkeypatch.setattr("railcount.occupancy.LEAST_SURE", np.inf)
    network = TrackNetwork(
        tracks=tuple(replace(track, confidence=0.8) for track in given(drawn).tracks), source="found"
    )
    assert best(counted(pixels_of(drawn), network, drawn.grid)) == 0
    assert best(counted(pixels_of(drawn), replace(network, source="given"), drawn.grid)) > 0


def test_trains_beside_which_second_lines_were_found_are_not_counted_twice(drawn: RenderedScene) -> None:
    """2.1 m beside; here and there the second line alone reads a piece of ground as a car."""
    tracks = given(drawn).tracks
    beside = tuple(replace(t, id=f"{t.id}b", line_px=t.line_px + 1.5 / drawn.grid.gsd_m) for t in tracks)
    once, twice = (
        best(counted(pixels_of(drawn), TrackNetwork(tracks=some, source="found"), drawn.grid))
        for some in (tracks, tracks + beside)
    )
    assert 0 < once <= twice < 1.25 * once
