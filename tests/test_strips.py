"""Straightening: what lies on the track lies in the middle of its strip."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels
from railcount.strips import STEP_M, resample_line, straighten
from railcount.tracks.network import Track, TrackNetwork


def grid(width: int, height: int, gsd_m: float) -> Grid:
    return Grid(
        width=width, height=height, transform=Affine.identity(), crs=None, local_from_pixel=np.eye(2) * gsd_m
    )


def arc(radius_m: float, gsd_m: float) -> np.ndarray:
    angle = np.linspace(0.2, 1.2, 60)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1) * radius_m / gsd_m


def painted(line_px: np.ndarray, shape: tuple[int, int], gsd_m: float) -> Pixels:
    """Brightness = distance from the line, metres."""
    rows, cols = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    at, knots = np.linspace(0, 1, 4000), np.linspace(0, 1, len(line_px))
    fine = np.stack([np.interp(at, knots, line_px[:, k]) for k in (0, 1)])
    distance = np.full(shape, np.inf)
    for x, y in fine.T[::4]:
        distance = np.minimum(distance, np.hypot(cols - x, rows - y))
    image = (distance * gsd_m).astype(np.float32)
    return Pixels(bands=image[None], valid=np.ones(shape, dtype=bool), names=("gray",))


@pytest.mark.parametrize("gsd_m", [0.3, 0.5, 0.8])
def test_a_curve_becomes_a_straight_row(gsd_m: float) -> None:
    line = arc(100.0, gsd_m)
    side = int(110 / gsd_m)
    pixels = painted(line, (side, side), gsd_m)
    network = TrackNetwork(tracks=(Track(id="1", line_px=line),), source="given")
    (strip,) = straighten(pixels, network, grid=grid(side, side, gsd_m))
    expected = np.abs(strip.across_m)
    seen = strip.valid.all(axis=0)
    profile = strip.bands[0][:, seen].mean(axis=1)
    np.testing.assert_allclose(profile, expected, atol=0.3 * gsd_m + 0.1)
    assert strip.length_m == pytest.approx(100.0, abs=0.5)


def test_y_points_to_the_right_of_travel() -> None:
    line = np.array([[10.0, 50.0], [90.0, 50.0]])
    image = np.zeros((100, 100), dtype=np.float32)
    image[52:60] = 1.0  # south of a line that runs east
    pixels = Pixels(bands=image[None], valid=np.ones_like(image, dtype=bool), names=("gray",))
    network = TrackNetwork(tracks=(Track(id="1", line_px=line),), source="given")
    (strip,) = straighten(pixels, network, grid=grid(100, 100, 0.5))
    assert strip.bands[0][strip.across_m > 1.5].mean() > 0.8
    assert strip.bands[0][strip.across_m < 0.5].max() == 0.0


def test_outside_the_tile_is_not_valid() -> None:
    line = np.array([[-40.0, 50.0], [60.0, 50.0]])
    pixels = Pixels(
        bands=np.ones((1, 100, 100), dtype=np.float32), valid=np.ones((100, 100), dtype=bool), names=("gray",)
    )
    network = TrackNetwork(tracks=(Track(id="1", line_px=line),), source="given")
    (strip,) = straighten(pixels, network, grid=grid(100, 100, 0.5))
    assert strip.valid.mean() == pytest.approx(0.6, abs=0.02)


def test_points_lie_at_equal_steps() -> None:
    line = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    points, direction = resample_line(line, step=STEP_M)
    assert len(points) == round(7 / STEP_M)
    gaps = np.hypot(*np.diff(points, axis=0).T)
    assert np.all(gaps <= STEP_M + 1e-9)
    np.testing.assert_allclose(np.hypot(*direction.T), 1.0)


@pytest.mark.parametrize("gsd_m", [0.3, 0.9])
def test_a_strip_knows_the_size_of_the_pixels_it_was_read_from(gsd_m: float) -> None:
    line = np.array([[5.0, 40.0], [195.0, 40.0]])
    pixels = painted(line, (80, 200), gsd_m)
    network = TrackNetwork(tracks=(Track(id="1", line_px=line),), source="given")
    (strip,) = straighten(pixels, network, grid=grid(200, 80, gsd_m))
    assert strip.pixel_m == pytest.approx(gsd_m, rel=0.01)


def test_a_strip_lies_aside_of_its_track() -> None:
    line = np.array([[10.0, 50.0], [90.0, 50.0]])
    pixels = painted(line, (100, 100), 0.5)
    network = TrackNetwork(tracks=(Track(id="1", line_px=line),), source="given")
    (strip,) = straighten(pixels, network, grid=grid(100, 100, 0.5), aside_m=np.array([1.0]))
    np.testing.assert_allclose(strip.centre_px[:, 1], 52.0)
    profile = strip.bands[0].mean(axis=1)
    np.testing.assert_allclose(profile, np.abs(strip.across_m + 1.0), atol=0.3)
