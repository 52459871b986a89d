"""The side of the shadows, from strips made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from railcount.shadows import shadow_direction, shadow_sides, towards
from railcount.strips import Strip
from railcount.tracks.network import Track

STEP_M, N = 0.25, 800
CARS = [(40 + 60 * k, 90 + 60 * k) for k in range(10)]


def strip(heading_deg: float, *, bend_deg: float = 0.0) -> Strip:
    """A track that runs towards a heading, clockwise from east on the picture, and turns on its way."""
    angle = np.radians(heading_deg + np.linspace(0, bend_deg, N))
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return Strip(
        track=Track(id="1", line_px=np.zeros((2, 2))),
        bands=np.zeros((1, 32, N), dtype=np.float32),
        valid=np.ones((32, N), dtype=np.bool_),
        step_m=STEP_M,
        half_width_m=4.0,
        centre_px=np.cumsum(direction, axis=0),
        direction=direction,
    )


def seen(track: Strip, shadow: np.ndarray, *, depth: float = 1.0) -> tuple[Strip, np.ndarray, np.ndarray]:
    """Cars whose shadow is dark on the side to which it falls, on ground with noise."""
    rng = np.random.default_rng(0)
    brightness = rng.normal(0, 0.3, (16, N))
    body = np.zeros(N, dtype=np.bool_)
    for start, end in CARS:
        body[start:end] = True
    right = np.stack([-track.direction[:, 1], track.direction[:, 0]], axis=-1) @ shadow
    for column in np.flatnonzero(body):
        rows = slice(11, 16) if right[column] > 0 else slice(0, 5)
        brightness[rows, column] -= depth * abs(right[column])
    return track, brightness, body


@pytest.mark.parametrize("heading", [0, 65, 180, 290])
@pytest.mark.parametrize("azimuth", [110.0, 180.0, 250.0])
def test_the_side_is_found_whichever_way_the_track_is_read(heading: float, azimuth: float) -> None:
    shadow = towards(azimuth)
    track = strip(heading)
    found = shadow_direction([seen(track, shadow)])
    assert found is not None
    np.testing.assert_array_equal(shadow_sides(track, found), shadow_sides(track, shadow))
    assert set(shadow_sides(strip(heading + 180), found)) == {-shadow_sides(track, found)[0]}


def test_a_bend_tells_the_whole_direction() -> None:
    shadow = towards(200.0)
    found = shadow_direction([seen(strip(0, bend_deg=90), shadow)])
    assert found is not None
    assert found @ shadow > 0.95


def test_no_shadow_no_side() -> None:
    track = strip(30)
    assert shadow_direction([seen(track, towards(180.0), depth=0.0)]) is None
    assert not shadow_sides(track, None).any()


def test_too_few_cars_tell_nothing() -> None:
    track, brightness, body = seen(strip(0), towards(180.0))
    body[CARS[2][0] :] = False
    assert shadow_direction([(track, brightness, body)]) is None
    assert shadow_direction([]) is None


def test_shadows_along_the_track_have_no_side() -> None:
    assert not shadow_sides(strip(90), towards(180.0)).any()


def test_shadows_fall_away_from_the_sun() -> None:
    np.testing.assert_allclose(towards(90.0), [-1, 0], atol=1e-12)  # sun in the east, shadows to the west
    np.testing.assert_allclose(towards(180.0), [0, -1], atol=1e-12)  # in the south, to the north
