"""What of the tracks was seen, and what a count says of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from railcount.contrast import contrast, featureless
from railcount.counts import Interval, TileCount
from railcount.pipeline import count_cars, scan_tile
from railcount.raster.quality import Quality
from railcount.raster.write import write_geotiff
from railcount.seen import Seen, could_hold
from railcount.sites import Occluder
from railcount.strips import straighten
from railcount.tracks.network import TrackNetwork
from railcount.tracks.vector import write_lines
from railcount.visibility import View, look
from tests.test_scan import given, pixels_of, yard

if TYPE_CHECKING:
    from pathlib import Path

    from railcount.raster.tile import Pixels
    from railcount.simulate import RenderedScene


@pytest.fixture(scope="module")
def drawn() -> RenderedScene:
    return yard()


@pytest.fixture(scope="module")
def empty() -> RenderedScene:
    return yard(n_railcars=0)


def counted(
    drawn: RenderedScene, view: View | Pixels, *, network: TrackNetwork | None = None, **changes: Any
) -> TileCount:
    """``network`` as given unless said."""
    seen = view if isinstance(view, View) else look(view, grid=drawn.grid)
    blank = TileCount(tile="drawn", sha256=None, status="counted", grid=drawn.grid, **changes)
    return count_cars(blank, seen.pixels, network or given(drawn), stock="any", view=seen)


def without(pixels: Pixels, hidden: np.ndarray) -> Pixels:
    return replace(pixels, valid=pixels.valid & ~hidden)


def columns(drawn: RenderedScene, first: int, last: int) -> np.ndarray:
    hidden = np.zeros(drawn.valid.shape, dtype=bool)
    hidden[:, first:last] = True
    return hidden


def test_all_is_seen_in_a_clear_yard(drawn: RenderedScene) -> None:
    result = counted(drawn, pixels_of(drawn))
    assert result.tracks is not None
    assert result.status == "counted"
    assert result.tracks.visible_fraction > 0.98
    assert [t.id for t in result.tracks.each] == [t.id for t in drawn.tracks]
    assert all(t.visible_fraction > 0.98 for t in result.tracks.each)
    assert sum(t.length_m for t in result.tracks.each) == pytest.approx(result.tracks.length_m)


@pytest.mark.parametrize("source", ["given", "found"])
def test_an_unseen_part_lowers_the_fraction_and_lifts_the_high_end(drawn: RenderedScene, source: str) -> None:
    network = TrackNetwork(tracks=given(drawn).tracks, source=source)  # type: ignore[arg-type]
    whole = counted(drawn, pixels_of(drawn), network=network)
    part = counted(drawn, without(pixels_of(drawn), columns(drawn, 380, 560)), network=network)
    assert part.status == "degraded"
    assert part.tracks is not None
    assert part.tracks.visible_fraction == pytest.approx(0.68, abs=0.05)
    assert "lower bound" in part.reasons[0]
    assert part.railcars is not None
    assert whole.railcars is not None
    assert part.railcars.best < whole.railcars.best
    assert part.railcars.low <= part.railcars.best
    assert part.railcars.high >= len(drawn.railcars)
    fits = 4 * 95 / 12  # four tracks of 95 m full of the shortest cars
    assert part.railcars.high <= whole.railcars.high + fits


def test_below_half_is_uncountable(drawn: RenderedScene) -> None:
    result = counted(drawn, without(pixels_of(drawn), columns(drawn, 200, 560)))
    assert result.status == "uncountable"
    assert result.railcars is None
    assert "of the tracks can be seen" in result.reasons[-1]


def test_each_track_says_how_much_of_it_was_seen(drawn: RenderedScene) -> None:
    line = drawn.tracks[1].line_px
    y, x = np.indices(drawn.valid.shape)
    along = line[-1] - line[0]
    across = (x + 0.5 - line[0, 0]) * along[1] - (y + 0.5 - line[0, 1]) * along[0]
    hidden = np.abs(across / np.hypot(*along)) * drawn.grid.gsd_m < 2.0
    result = counted(drawn, without(pixels_of(drawn), hidden))
    assert result.tracks is not None
    fractions = [t.visible_fraction for t in result.tracks.each]
    assert fractions[1] < 0.05
    assert min(fractions[0], fractions[2], fractions[3]) > 0.9


@pytest.mark.parametrize("source", ["given", "found"])
def test_outlines_drawn_on_the_cars_are_no_empty_yard(drawn: RenderedScene, source: str) -> None:
    """Rings of invalid pixels on every car leave the empty track alone to be seen."""
    from skimage.draw import polygon, polygon_perimeter

    hidden = np.zeros(drawn.valid.shape, dtype=bool)
    inner = hidden.copy()
    for car in drawn.railcars:
        x, y = car.outline_px.T
        hidden[polygon_perimeter(y, x, shape=hidden.shape, clip=True)] = True
        inner[polygon(y, x, hidden.shape)] = True
    from scipy.ndimage import binary_dilation

    hidden = binary_dilation(hidden, iterations=2)
    tracks = given(drawn).tracks
    if source == "found":  # what would be found there: the emptiest track
        tracks = (min(tracks, key=lambda t: sum(c.track == t.id for c in drawn.railcars)),)
    network = TrackNetwork(tracks=tracks, source=source)  # type: ignore[arg-type]
    result = counted(drawn, without(pixels_of(drawn), hidden), network=network)
    assert result.status in {"degraded", "uncountable"}
    assert result.tracks is not None
    assert result.tracks.visible_fraction < 0.8
    if result.railcars is not None:
        assert result.railcars.high >= 0.9 * len(drawn.railcars)


def seen_of(**changes: Any) -> Seen:
    from railcount.contrast import Contrast

    made = Seen(
        each=(),
        length_m=4000.0,
        seen_m=3000.0,
        fraction=0.75,
        small_holes=0.0,
        shaded=(),
        sheltered_m=(),
        contrast=Contrast(coherence=0.9, relative=0.1, n_pairs=1000),
    )
    return replace(made, **changes)


def test_what_the_unseen_could_hold() -> None:
    lengths = {"car_m": 15.0, "shortest_m": 12.0}
    none = could_hold(seen_of(), occupied_m=0.0, **lengths)
    half = could_hold(seen_of(), occupied_m=1500.0, **lengths)
    full = could_hold(seen_of(), occupied_m=3000.0, **lengths)
    # Beta(1, 21): 13 % of 1000 m; about 67 % of it; nearly all
    assert none == pytest.approx(9, abs=1)
    assert half == pytest.approx(45, abs=3)
    assert full == pytest.approx(66, abs=2)
    assert could_hold(seen_of(small_holes=1.0), occupied_m=0.0, **lengths) == 84


# --- nothing to see ---------------------------------------------------------------------------------------


def night(pixels: Pixels, *, rng: np.random.Generator) -> Pixels:
    """A faint rest of the yard, read noise, and lamps."""
    shape = pixels.bands.shape
    lamps = np.zeros(shape[1:])
    lamps[rng.integers(0, shape[1], 12), rng.integers(0, shape[2], 12)] = 9000.0
    image = 0.01 * pixels.bands + 4 + rng.normal(0, 1.5, shape) + gaussian_filter(lamps, 3)
    return replace(pixels, bands=np.clip(np.round(image), 0, 255).astype(np.float32))


def white(pixels: Pixels, *, rng: np.random.Generator) -> Pixels:
    """Snow over rails and cars alike, drifting, with noise."""
    drift = gaussian_filter(rng.normal(0, 1, pixels.bands.shape[1:]), 16)
    image = 222 + 3 * drift / drift.std() + rng.normal(0, 2, pixels.bands.shape)
    return replace(pixels, bands=np.clip(np.round(image), 0, 255).astype(np.float32))


def fog(pixels: Pixels, *, rng: np.random.Generator) -> Pixels:
    image = 150 + 0.004 * pixels.bands + rng.normal(0, 1.5, pixels.bands.shape)
    return replace(pixels, bands=np.clip(np.round(image), 0, 255).astype(np.float32))


@pytest.mark.parametrize("change", [night, white, fog])
def test_nothing_to_see_is_no_zero(drawn: RenderedScene, change: Any) -> None:
    pixels = change(pixels_of(drawn), rng=np.random.default_rng(3))
    result = counted(drawn, View(pixels=pixels))
    assert result.status == "uncountable"
    assert result.railcars is None
    assert "stands out of the noise" in result.reasons[-1]
    nothing = counted(drawn, View(pixels=pixels), network=TrackNetwork(tracks=(), source="found"))
    assert nothing.status == "uncountable"
    assert nothing.railcars is None


def test_an_empty_yard_stands_out(empty: RenderedScene, drawn: RenderedScene) -> None:
    for scene in (empty, drawn):
        pixels = pixels_of(scene)
        strips = straighten(pixels, given(scene), grid=scene.grid)
        measured = contrast(strips, [s.valid.all(axis=0) for s in strips], gsd_m=scene.grid.gsd_m)
        assert measured.coherence > 0.6
        assert measured.relative > 0.03
        assert not featureless(pixels, grid=scene.grid)
    assert counted(empty, pixels_of(empty)).status == "counted"


def test_noise_alone_has_no_coherence(empty: RenderedScene) -> None:
    noise = np.random.default_rng(0).normal(90, 10, empty.bands.shape).astype(np.float32)
    pixels = replace(pixels_of(empty), bands=noise)
    strips = straighten(pixels, given(empty), grid=empty.grid)
    measured = contrast(strips, [s.valid.all(axis=0) for s in strips], gsd_m=empty.grid.gsd_m)
    assert abs(measured.coherence) < 0.1
    assert featureless(pixels, grid=empty.grid)


# --- shadow -----------------------------------------------------------------------------------------------


def shaded(pixels: Pixels, *, light: float) -> Pixels:
    """A soft shadow 120 m wide over the middle of the tile."""
    dark = np.zeros(pixels.valid.shape)
    dark[:, 160:400] = 1.0
    factor = 1 - (1 - light) * gaussian_filter(dark, 14)
    return replace(pixels, bands=(pixels.bands * factor).astype(np.float32))


def test_cars_in_a_cloud_shadow_are_counted_and_flagged(drawn: RenderedScene) -> None:
    pixels = shaded(pixels_of(drawn), light=0.5)
    result = counted(drawn, pixels)
    assert result.status == "degraded"
    assert any("shadow of a cloud" in reason for reason in result.reasons)
    inside = [c for c in result.cars if 190 < c.outline_px[:, 0].mean() < 370]
    outside = [c for c in result.cars if not 140 < c.outline_px[:, 0].mean() < 420]
    assert inside
    assert outside
    assert all("in_shadow" in c.flags for c in inside)
    assert not any("in_shadow" in c.flags for c in outside)


def test_no_shadow_in_a_clear_yard(drawn: RenderedScene, empty: RenderedScene) -> None:
    for scene in (drawn, empty):
        result = counted(scene, pixels_of(scene))
        assert not any("in_shadow" in c.flags for c in result.cars)
        assert not any("shadow" in reason for reason in result.reasons)


def test_a_shadow_too_dark_to_see_hides(drawn: RenderedScene) -> None:
    pixels = shaded(pixels_of(drawn), light=0.01)
    noise = np.random.default_rng(1).normal(0, 3, pixels.bands.shape)
    result = counted(drawn, replace(pixels, bands=(pixels.bands + noise).astype(np.float32)))
    assert result.tracks is not None
    assert result.tracks.visible_fraction < 0.75


def test_the_shadow_of_a_quality_mask_hides_nothing(drawn: RenderedScene) -> None:
    quality = Quality(usable=np.ones(drawn.valid.shape, bool), shadow=columns(drawn, 100, 300), covered=1.0)
    view = look(shaded(pixels_of(drawn), light=0.5), grid=drawn.grid, quality=quality)
    assert view.hidden.n_masked == 0
    assert view.pixels.valid.all()
    assert view.shadow is not None
    assert view.shadow[:, 100:300].all()


# --- quality mask and roofs -------------------------------------------------------------------------------


def test_a_quality_mask_through_scan(drawn: RenderedScene, tmp_path: Path) -> None:
    tile, lines, mask = tmp_path / "yard.tif", tmp_path / "lines.geojson", tmp_path / "mask.tif"
    write_geotiff(tile, drawn.bands, drawn.grid, nodata=None, tags={}, imagery={})
    write_lines(given(drawn), lines, grid=drawn.grid)
    write_geotiff(mask, (~columns(drawn, 420, 560))[None].astype(np.uint8), drawn.grid)
    plain = scan_tile(tile, tracks=lines, baseline=False)
    masked = scan_tile(tile, tracks=lines, valid=mask, baseline=False)
    assert plain.railcars is not None
    assert masked.railcars is not None
    assert masked.tracks is not None
    assert masked.status == "degraded"
    assert masked.tracks.visible_fraction == pytest.approx(0.75, abs=0.05)
    assert "quality mask rules out 25%" in masked.reasons[0]
    assert all(c.outline_px[:, 0].mean() < 424 for c in masked.cars)
    assert any(c.outline_px[:, 0].mean() > 430 for c in plain.cars)


def roof(drawn: RenderedScene, *, uncertainty_m: float) -> Occluder:
    middle = drawn.grid.to_lonlat(np.array([[drawn.grid.width / 2, drawn.grid.height / 2]]))[0]
    return Occluder(
        id="roof",
        title="A roof over the tracks",
        point=(float(middle[0]), float(middle[1])),
        length_m=80.0,
        width_m=40.0,
        heading_deg=104.0,
        since=date(2024, 12, 1),
        until=None,
        uncertainty_m=uncertainty_m,
        certainty="Drawn.",
        source="This test.",
    )


@pytest.mark.parametrize("uncertainty_m", [5.0, 150.0])
def test_what_lies_under_a_roof_is_not_seen(drawn: RenderedScene, uncertainty_m: float) -> None:
    view = look(pixels_of(drawn), grid=drawn.grid, occluders=[roof(drawn, uncertainty_m=uncertainty_m)])
    result = counted(drawn, view)
    assert result.status == "degraded"
    assert result.tracks is not None
    assert result.tracks.visible_fraction == pytest.approx(1 - 80 / 296, abs=0.05)
    said = next(reason for reason in result.reasons if "roof" in reason)
    assert "hides 3" in said  # 4 tracks x 80 m = 320 m
    assert "since 2024-12-01" in said
    # a car that is seen near a roof of uncertain place stays seen
    assert view.pixels.valid.all() == (uncertainty_m > 10)


@pytest.mark.parametrize(("day", "hides"), [("2024-11-30", False), ("2024-12-01", True), (None, False)])
def test_roofs_have_dates(drawn: RenderedScene, tmp_path: Path, day: str | None, hides: bool) -> None:
    tile, site = tmp_path / "yard.tif", tmp_path / "site.toml"
    write_geotiff(tile, drawn.bands, drawn.grid, nodata=None, tags={}, imagery={})
    lon, lat = roof(drawn, uncertainty_m=5.0).point
    site.write_text(
        f"""name = "drawn"
title = "Drawn"
crs = "EPSG:32652"
utc_offset_h = 9
box = [{lon - 0.1}, {lat - 0.1}, {lon + 0.1}, {lat + 0.1}]
[[occluders]]
id = "roof"
title = "A roof over the tracks"
point = [{lon}, {lat}]
length_m = 80
width_m = 40
heading_deg = 104
since = 2024-12-01
uncertainty_m = 5
certainty = "Drawn."
source = "This test."
"""
    )
    lines = tmp_path / "lines.geojson"
    write_lines(given(drawn), lines, grid=drawn.grid)
    result = scan_tile(
        tile,
        tracks=lines,
        site=str(site),
        date=date.fromisoformat(day) if day else None,
        baseline=False,
    )
    assert any("roof" in reason for reason in result.reasons) == hides
    assert isinstance(result.railcars, Interval)
