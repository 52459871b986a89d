"""The pictures: right colours in the right places, honest words, the same bytes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from railcount.errors import OutputExists
from railcount.outputs import furniture, overlay, picture, stripsheet
from railcount.raster.tile import Window
from railcount.tracks.network import TrackNetwork

from . import factories

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def drawn() -> Any:
    return factories.tile()


def near(image: Any, colour: str) -> Any:
    return np.all(np.abs(image[..., :3] - np.array(to_rgb(colour))) < 0.12, axis=-1)


def test_overlay_shows_every_car_and_says_what_it_is(tmp_path: Path, drawn: Any, words: list[str]) -> None:
    count = factories.counted(with_strips=True, utc_offset_h=9.0)
    overlay.draw_overlay(count, drawn, tmp_path / "a.png")
    image = imread(tmp_path / "a.png")
    assert image.shape[1] == 1600
    view = overlay.view_of(drawn.grid, window=Window(0, 0, 640, 360), left=20, top=20 + 2 * 21 + 8)
    for car in count.cars:
        # The long side nearest to the viewer lies free of shadow and of labels.
        a, b = view.place(car.outline_px[:2])
        side = np.linspace(a, b, 60).round().astype(int)
        block = np.stack([image[y - 2 : y + 3, x - 2 : x + 3] for x, y in side])
        assert near(block, picture.KIND_COLOURS[car.kind]).any(axis=(1, 2)).mean() > 0.5, car.kind
    text = "\n".join(words)
    assert "73 railcars (70-76, 90 %)" in text
    assert "5 October 2023, 02:11 UTC (11:11 local time, UTC+9), tumangang" in text
    assert "simulated image" in text
    assert "Drawn by hand for tests (simulated)" in text
    assert {"N", "50 m", "1: 10", "2: 8", "3: 6", "4: 6", "11 gondola"} <= set(words)
    assert {f"{car.train}.{car.position}" for car in count.cars} <= set(words)


def test_strip_marks_stand_at_the_ends_of_each_car(tmp_path: Path, drawn: Any) -> None:
    count = factories.counted(with_strips=True)
    rows = stripsheet.rows_of(count.strips, count.cars, width_px=1560)
    page = picture.Page(width=1600, height=400)
    stretch = picture.stretch_of(drawn.pixels.bands, drawn.pixels.valid)
    stripsheet.draw_rows(page, rows[:1], left=20, top=0, stretch=stretch)
    page.save(tmp_path / "rows.png")
    image = imread(tmp_path / "rows.png")
    top = stripsheet.NUMBER_PX + 4
    for car in rows[0].cars:
        for end in (car.start_m, car.end_m):
            x = int(20 + stripsheet.LABEL_PX + end * stripsheet.PX_PER_M)
            colour = picture.KIND_COLOURS[car.kind]
            assert near(image[top : top + 4, x - 2 : x + 3], colour).any(), (car.position, end)


def test_long_strips_wrap_before_a_car() -> None:
    count = factories.counted(with_strips=True)
    rows = stripsheet.rows_of(count.strips, count.cars, width_px=700)
    longest_m = (700 - stripsheet.LABEL_PX) / stripsheet.PX_PER_M
    for strip in count.strips:
        own = [row for row in rows if row.strip is strip]
        assert own[0].start_m == 0
        assert own[-1].end_m == strip.length_m
        assert all(a.end_m == b.start_m for a, b in pairwise(own))
        assert all(0 < row.end_m - row.start_m <= longest_m + 1e-9 for row in own)
    for car in count.cars:
        whole = [r for r in rows if car in r.cars and r.start_m <= car.start_m and car.end_m <= r.end_m]
        assert len(whole) == 1


def test_same_count_same_bytes(tmp_path: Path, drawn: Any) -> None:
    for name in ("a.png", "b.png"):
        overlay.draw_overlay(factories.counted(with_strips=True), drawn, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("status", ["degraded", "empty", "uncountable"])
def test_other_results(tmp_path: Path, drawn: Any, words: list[str], status: str) -> None:
    made = {
        "degraded": factories.degraded(),
        "empty": factories.empty(),
        "uncountable": factories.without_count("uncountable", opened=True),
    }[status]
    overlay.draw_overlay(made, drawn, tmp_path / "a.png")
    text = " ".join(words)
    expected = {
        "degraded": "TIFFFillStrip",
        "empty": "0 railcars (0-1, 90 %)",
        "uncountable": "No count: uncountable Too much cloud",
    }[status]
    assert all(part in text for part in expected.split(" Too"))


def test_labels_of_trains_do_not_cover_each_other() -> None:
    view = overlay.view_of(factories.grid(), window=Window(0, 0, 640, 360), left=20, top=50)
    size, away = np.array([40.0, 15.0]), np.array([-1.0, 0.0])
    first = np.array([500.0, 300.0])
    second = overlay._free_place(np.array([510.0, 304.0]), away, size=size, view=view, taken=[(first, size)])
    assert second[0] <= first[0] - 40
    corner = overlay._free_place(np.array([0.0, 0.0]), away, size=size, view=view, taken=[])
    assert corner.tolist() == [40.0, 57.5]


def doubtful(count: Any, *, train: int) -> Any:
    cars = tuple(replace(car, confidence=0.3) if car.train == train else car for car in count.cars)
    return replace(count, cars=cars)


def test_doubtful_cars_are_dashed(tmp_path: Path, drawn: Any, words: list[str]) -> None:
    sure = factories.counted()
    overlay.draw_overlay(sure, drawn, tmp_path / "sure.png")
    assert not any("dashed" in word for word in words)
    overlay.draw_overlay(doubtful(sure, train=3), drawn, tmp_path / "doubtful.png")
    assert "dashed: confidence below 0.5 (6)" in words
    colour = picture.KIND_COLOURS["tank"]
    many, fewer = (near(imread(tmp_path / f"{name}.png"), colour).sum() for name in ("sure", "doubtful"))
    assert 0.4 * many < fewer < 0.8 * many


def test_strip_chart_numbers_every_car_and_hatches_the_doubtful(tmp_path: Path, words: list[str]) -> None:
    sure = factories.counted(with_strips=True, utc_offset_h=9.0)
    overlay.draw_strips(sure, tmp_path / "sure.png")
    assert {f"{car.train}.{car.position}" for car in sure.cars} <= set(words)
    assert {f"track {n}" for n in range(1, 6)} <= set(words)
    assert {"10 vehicles", "14 vehicles", "none found", "0 m", "150 m"} <= set(words)
    text = "\n".join(words)
    assert "73 railcars (70-76, 90 %)" in text
    assert "Image: Drawn by hand for tests (simulated)" in text
    assert "hatched" not in text
    words.clear()
    overlay.draw_strips(doubtful(sure, train=3), tmp_path / "doubtful.png")
    assert "3.1?" in words
    assert any("hatched and ? where the confidence is below 0.5" in word for word in words)
    plain, hatched = (imread(tmp_path / f"{name}.png") for name in ("sure", "doubtful"))
    changed = np.abs(plain[:260, :, :3] - hatched[:260, :, :3]).max(axis=-1) > 0.1
    assert changed.sum() > 2000
    again = tmp_path / "again.png"
    overlay.draw_strips(sure, again)
    assert again.read_bytes() == (tmp_path / "sure.png").read_bytes()
    with pytest.raises(OutputExists):
        overlay.draw_strips(sure, again)


def test_strip_chart_without_strips_or_cars(tmp_path: Path, words: list[str]) -> None:
    overlay.draw_strips(factories.without_count("failed"), tmp_path / "failed.png")
    assert {"No count: failed", "No track was straightened"} <= set(words)
    words.clear()
    strips = factories.counted(with_strips=True).strips
    overlay.draw_strips(replace(factories.by_length(), strips=strips), tmp_path / "length.png")
    assert "3 occupied stretches of track: cars are not told apart" in words
    assert {"204 m", "2 stretches", "1 stretch"} <= set(words)
    assert "Straightened tracks: marks around every stretch on which vehicles stand, with its length" in words
    words.clear()
    unseen = replace(factories.without_count("uncountable", opened=True), strips=strips)
    overlay.draw_strips(unseen, tmp_path / "unseen.png")
    assert {"not counted", "Straightened tracks: nothing was counted on them"} <= set(words)
    assert "none found" not in words


def test_a_row_before_the_first_stretch_of_its_track_names_stretches_too() -> None:
    count = factories.counted(with_strips=True)
    late = replace(factories.by_length().stretches[0], track="1", start_m=200.0, end_m=300.0)
    rows = stripsheet.rows_of(count.strips[:1], (), (late,), width_px=700)
    assert rows[0].end_m < late.start_m
    assert {row.found for row in rows} == {"1 stretch"}


def test_pixels_have_no_north_and_hostile_names_no_effect(tmp_path: Path, words: list[str]) -> None:
    count = factories.counted(crs=None, tile="두만강 $\\frac$ \x1b[2J.tif")
    overlay.draw_overlay(count, factories.tile(crs=None), tmp_path / "a.png")
    assert "N" not in words
    assert any(r"\x1b[2J.tif" in word and "$\\frac$" in word for word in words)


@pytest.mark.parametrize(("turned", "expected"), [(False, (0, -1)), (True, (-1, 0))])
def test_north(turned: bool, expected: tuple[float, float], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_lines: list[Any] = []
    monkeypatch.setattr(picture.Page, "lines", lambda self, lines, **options: drawn_lines.extend(lines))
    grid = factories.grid(turned=turned)
    view = overlay.view_of(grid, window=Window(0, 0, 640, 360), left=0, top=0)
    overlay._draw_furniture(picture.Page(width=100, height=100), view=view, credit=None)
    tail, tip = drawn_lines[0]
    np.testing.assert_allclose((tip - tail) / np.hypot(*(tip - tail)), expected, atol=1e-9)


def test_a_large_tile_shows_the_part_around_its_tracks() -> None:
    grid = replace(factories.grid(), width=9000, height=7000)
    network = TrackNetwork(tracks=factories.tracks(), source="found")
    window = overlay._window_of(grid, network)
    assert window.col == 0
    assert window.width == pytest.approx(15 + 610 + 80, abs=2)
    assert overlay._window_of(grid, None) == Window(0, 0, 9000, 7000)
    assert overlay._window_of(grid, TrackNetwork(tracks=(), source="found")) == Window(0, 0, 9000, 7000)


def test_stretch() -> None:
    ramp = np.linspace(0, 1000, 40_000, dtype=np.float32).reshape(1, 200, 200)
    valid = np.ones((200, 200), bool)
    valid[0] = False
    rgb = picture.stretch_of(ramp, valid).to_rgb(ramp, valid)
    assert rgb.shape == (200, 200, 3)
    assert tuple(rgb[0, 0]) == picture.NO_DATA_RGB
    assert (rgb[1:] == 0).all(axis=-1).mean() == pytest.approx(0.02, abs=0.005)
    assert (rgb[1:] == 255).all(axis=-1).mean() == pytest.approx(0.02, abs=0.005)
    nothing = picture.stretch_of(ramp, np.zeros_like(valid))
    assert nothing.to_rgb(ramp, np.zeros_like(valid))[3, 3].tolist() == list(picture.NO_DATA_RGB)
    flat = np.full((4, 5, 5), 7, np.float32)
    assert picture.stretch_of(flat, np.ones((5, 5), bool)).to_rgb(flat, np.ones((5, 5), bool)).max() == 0


def test_shrunk_averages_blocks() -> None:
    rgb = np.zeros((4, 7, 3), np.uint8)
    rgb[:2, :2] = [[[0], [100]], [[100], [200]]]
    small = picture.shrunk(rgb, step=2)
    assert small.shape == (2, 3, 3)
    assert small[0, 0].tolist() == [100, 100, 100]


@pytest.mark.parametrize(("about", "length"), [(61, 50), (50, 50), (19, 10), (2.5, 2), (1234, 1000)])
def test_scale_bar_is_round(about: float, length: float) -> None:
    assert furniture.round_length(about) == length


def test_preview(tmp_path: Path, drawn: Any, words: list[str]) -> None:
    network = TrackNetwork(tracks=factories.tracks(), source="found", reasons=("Weak.",))
    overlay.draw_tracks_preview(network, drawn, tmp_path / "p.png")
    assert words.count("3") == 2
    assert {"5 tracks (found), 1532 m", "yard.tif - simulated image", "Weak."} <= set(words)
    with pytest.raises(OutputExists):
        overlay.draw_tracks_preview(network, drawn, tmp_path / "p.png")
    nothing = TrackNetwork(tracks=(), source="found", reasons=("No parallel rows.",))
    overlay.draw_tracks_preview(nothing, drawn, tmp_path / "p.png", overwrite=True)
    assert {"0 tracks (found), 0 m", "No parallel rows."} <= set(words)


def test_overlay_of_occupied_length_draws_stretches_and_says_so(
    tmp_path: Path, drawn: Any, words: list[str]
) -> None:
    count = factories.by_length()
    overlay.draw_overlay(count, drawn, tmp_path / "a.png")
    overlay.draw_overlay(replace(count, stretches=()), drawn, tmp_path / "b.png")
    assert "3 occupied stretches of track: cars are not told apart" in words
    with_them, without = (
        near(imread(tmp_path / f), picture.KIND_COLOURS["unknown"]).sum() for f in ("a.png", "b.png")
    )
    assert with_them > without + 500
