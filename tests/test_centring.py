"""Strips lie on the cars where these lean, or where lines lie beside them."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from railcount import centring
from railcount.centring import ASIDES_M, FARTHEST_M, MOST_OWN_M, centred, middles
from railcount.occupancy import BACKGROUND, Evidence
from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels
from railcount.strips import Strip, straighten
from railcount.tracks.network import Track, TrackNetwork

EASTWARD = np.tile([0.0, 1.0], (4, 1))
"""Four lines eastward: to their right is south."""
FULL, NONE = 300.0, 0.0


def plateau(middle_m: float, shown: float = FULL) -> list[float]:
    """What a line shows whose cars stand there: seen alike within 0.8 m."""
    return [shown * (abs(aside - middle_m) < 0.8) for aside in ASIDES_M]


def test_all_move_as_the_cars_lean_and_lines_without_cars_too() -> None:
    shown = np.array([plateau(0.75), plateau(0.75), plateau(0.75), plateau(0.75, NONE)])
    assert middles(np.zeros(4), shown, EASTWARD) == pytest.approx([0.75] * 4, abs=0.05)


def test_the_lean_is_one_direction_in_the_image() -> None:
    """Two lines eastward and two westward, whose right is north."""
    shown = np.array([plateau(0.75), plateau(0.75), plateau(-0.75), plateau(-0.75)])
    right = EASTWARD * np.array([1.0, 1.0, -1.0, -1.0])[:, None]
    assert middles(np.zeros(4), shown, right) == pytest.approx([0.75, 0.75, -0.75, -0.75], abs=0.05)


def test_a_line_drawn_beside_its_cars_moves_by_itself() -> None:
    shown = np.array([plateau(0.0), plateau(0.0), plateau(0.0), plateau(0.75)])
    moved = middles(np.zeros(4), shown, EASTWARD)
    assert moved[3] > moved[0] + 0.2
    assert moved[:3] == pytest.approx(0.15, abs=0.15)


def test_the_next_tracks_cars_do_not_draw_a_line_to_them() -> None:
    beside = [0.0, 0.0, 0.0, 0.0, FULL]
    moved = middles(np.zeros(4), np.array([plateau(0.0)] * 3 + [beside]), EASTWARD)
    assert moved[3] - moved[0] < 0.1


def test_moves_are_bounded() -> None:
    far = [0.0, 0.0, 0.0, 0.0, FULL]
    assert middles(np.full(4, 2.4), np.array([far] * 4), EASTWARD).max() == FARTHEST_M
    one = np.array([plateau(0.0, 1e9)] * 3 + [[0.0, 0.0, 1e6, 1e6, 1e6]])
    moved = middles(np.array([0.0, 0.0, 0.0, 1.5]), one, EASTWARD)
    assert moved[3] - moved[0] == pytest.approx(MOST_OWN_M, abs=0.01)


def test_less_than_a_car_moves_nothing() -> None:
    aside = np.array([0.1, 0.2, 0.0, 0.0])
    shown = np.array([plateau(0.75, 10.0)] * 4)
    assert middles(aside, shown, EASTWARD) is aside


GRID = Grid(width=400, height=120, transform=Affine.identity(), crs=None, local_from_pixel=np.eye(2) / 2)
Y_PX = (30.0, 60.0, 90.0)
HALF_BODY_M = 1.5


def scene(lean_m: float) -> Pixels:
    """Three trains eastward, drawn as bright bands, to the south of their tracks by ``lean_m``."""
    image = np.zeros((GRID.height, GRID.width), dtype=np.float32)
    rows = np.arange(GRID.height) + 0.5
    for y in Y_PX:
        image[np.abs(rows - y - lean_m * 2) < HALF_BODY_M * 2, 100:300] = 1.0
    return Pixels(bands=image[None], valid=np.ones_like(image, dtype=bool), names=("gray",))


def like_a_network(strips: list[Strip]) -> list[np.ndarray]:
    """Of each column: 4 where the band's share of the body's rows is most, less where it is beside."""
    shares = [s.bands[0][np.abs(s.across_m) < HALF_BODY_M].mean(axis=0) for s in strips]
    return [8.0 * share - 4.0 for share in shares]


def strips_of(pixels: Pixels) -> tuple[tuple[Strip, ...], list[Evidence]]:
    lines = [np.array([[0.0, y], [400.0, y]]) for y in Y_PX]
    tracks = tuple(Track(id=str(k), line_px=line) for k, line in enumerate(lines))
    strips = straighten(pixels, TrackNetwork(tracks=tracks, source="given"), grid=GRID)
    empty = np.zeros((6, 16, strips[0].bands.shape[2]), dtype=np.float32)
    evidence = [
        Evidence(body=body, gap=body - BACKGROUND, seen=np.ones(len(body), dtype=np.bool_), view=empty)
        for body in like_a_network(list(strips))
    ]
    return strips, evidence


@pytest.fixture(autouse=True)
def plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centring, "at_a_glance", like_a_network)


@pytest.mark.parametrize("lean_m", [-1.2, 1.2])
def test_strips_follow_their_cars(lean_m: float) -> None:
    pixels = scene(lean_m)
    strips, evidence = strips_of(pixels)
    new = centred(strips, evidence, pixels, grid=GRID)
    assert new is not None
    assert [strip.track for strip in new] == [strip.track for strip in strips]
    for strip, was in zip(new, strips, strict=True):
        np.testing.assert_allclose((strip.centre_px - was.centre_px)[:, 1] / 2, lean_m, atol=0.35)


def test_strips_on_their_cars_stay() -> None:
    pixels = scene(0.0)
    strips, evidence = strips_of(pixels)
    assert centred(strips, evidence, pixels, grid=GRID) is None


def test_strips_stay_where_a_move_shows_little_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centring, "LEAST_GAIN", 100.0)
    pixels = scene(1.2)
    strips, evidence = strips_of(pixels)
    assert centred(strips, evidence, pixels, grid=GRID) is None


def test_strips_without_cars_stay() -> None:
    pixels = Pixels(
        bands=np.zeros((1, GRID.height, GRID.width), dtype=np.float32),
        valid=np.ones((GRID.height, GRID.width), dtype=bool),
        names=("gray",),
    )
    strips, evidence = strips_of(pixels)
    assert centred(strips, evidence, pixels, grid=GRID) is None
