"""Sun and shadows against hand calculation."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from railcount.simulate.canvas import Canvas
from railcount.simulate.light import cast_shadows, slope_light, sun_position, to_sun


@pytest.mark.parametrize(
    ("when", "lon", "lat", "azimuth", "elevation"),
    [
        # At the equinox's noon the sun stands due south at 90 degrees less the latitude.
        (datetime(2023, 3, 20, 12, 7, tzinfo=UTC), 0.0, 45.0, 180.0, 45.0),
        # At the June solstice's noon it stands 23.44 degrees higher.
        (datetime(2023, 6, 21, 12, 2, tzinfo=UTC), 0.0, 45.0, 180.0, 68.44),
        # Due west of Greenwich noon comes an hour later for every 15 degrees.
        (datetime(2023, 12, 22, 18, 58, tzinfo=UTC), -105.0, 40.0, 180.0, 26.56),
    ],
)
def test_sun_position(when: datetime, lon: float, lat: float, azimuth: float, elevation: float) -> None:
    found = sun_position(when, lon_deg=lon, lat_deg=lat)
    assert found[0] == pytest.approx(azimuth, abs=1.0)
    assert found[1] == pytest.approx(elevation, abs=0.2)


def test_morning_sun_is_in_the_east() -> None:
    azimuth, elevation = sun_position(datetime(2023, 10, 5, 0, 0, tzinfo=UTC), lon_deg=130.6, lat_deg=42.4)
    assert 110 < azimuth < 150
    assert 15 < elevation < 40


@pytest.mark.parametrize("azimuth", [0.0, 45.0, 90.0, 110.0, 180.0, 200.0, 270.0, 315.0, 333.0])
@pytest.mark.parametrize("elevation", [20.0, 45.0])
def test_a_pole_casts_a_thin_line_away_from_the_sun(azimuth: float, elevation: float) -> None:
    height = np.zeros((301, 301), dtype=np.float32)
    height[150, 150] = 8.0
    shadow = cast_shadows(height, 0.2, to_sun(azimuth, elevation))
    rows, cols = np.nonzero(shadow)
    length = 8.0 / np.tan(np.deg2rad(elevation)) / 0.2
    away = np.array([-np.sin(np.deg2rad(azimuth)), np.cos(np.deg2rad(azimuth))])
    along = (cols - 150) * away[0] + (rows - 150) * away[1]
    across = (cols - 150) * away[1] - (rows - 150) * away[0]
    assert along.max() == pytest.approx(length, abs=1.5)
    assert along.min() > 0
    assert np.abs(across).max() <= 1.0
    assert rows.size >= 0.65 * length


def test_what_is_higher_than_the_ray_is_lit() -> None:
    height = np.zeros((60, 60), dtype=np.float32)
    height[40:44, :] = 3.0
    height[30:34, :] = 2.9
    shadow = cast_shadows(height, 0.5, to_sun(180.0, 45.0))
    # 3 m at 45 degrees reach 6 pixels: the ground up to the next wall, not its top.
    assert shadow[36:40, 30].all()
    assert not shadow[30:34, 30].any()
    assert not shadow[44:, 30].any()


def test_slopes_towards_the_sun_are_brighter() -> None:
    sun, east = to_sun(180.0, 45.0), np.array([1.0, 0.0])
    # Heading east, the right-hand side is south: a roof that falls southwards faces the sun.
    assert float(slope_light(sun, east, 0.0, 0.0)) == pytest.approx(1.0)
    assert float(slope_light(sun, east, 0.0, -1.0)) == pytest.approx(np.sqrt(2), abs=1e-5)
    assert float(slope_light(sun, east, 0.0, 1.0)) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("azimuth", "heading"),
    [
        (20, 100),
        (20, 45),
        (40, 100),
        (40, 150),
        (130, 10),
        (130, 45),
        (130, 100),
        (230, 100),
        (230, 150),
        (310, 10),
    ],
)
def test_thin_walls_do_not_leak(azimuth: int, heading: int) -> None:
    along = np.array([np.sin(np.deg2rad(heading)), -np.cos(np.deg2rad(heading))])
    canvas = Canvas(width_m=50, height_m=50, step_m=0.125, margin_m=0, bands=1)
    centre = np.array([25.0, 25.0])
    wall = canvas.rectangle(centre, along, 30.0, 0.13)
    canvas.paint(wall, np.ones(1, dtype=np.float32), height_m=3.0)
    sun = to_sun(azimuth, 40.0)
    right = np.array([-along[1], along[0]])
    across = float(sun[:2] @ right) / sun[2] * 3.0
    assert abs(across) > 1.0
    shadow = cast_shadows(canvas.height, 0.125, sun)
    # A band inside the parallelogram that the wall must shade, away from its ends and rim.
    inner = canvas.rectangle(centre - sun[:2] / sun[2] * 1.5, along, 16.0, abs(across) * 0.5)
    assert shadow.reshape(-1)[inner.index].all()
