"""Light: where the sun stands, what its rays miss, and what the sky adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from railcount.simulate.canvas import Canvas, Floating

SKY_COLOUR = (0.78, 0.95, 1.3, 0.45)
"""Light of a clear sky over the sun's, red green blue nir, each over their mean: shadows are bluish."""
SUN_COLOUR = (1.07, 1.0, 0.91, 1.1)
"""Light of the sun itself: with the sky's share, white paper on flat ground is about white."""
MAX_DIRECT = 3.0
"""Most that a slope facing a low sun gains over flat ground."""


def sun_position(when: datetime, *, lon_deg: float, lat_deg: float) -> tuple[float, float]:
    """Azimuth (clockwise from north) and elevation of the sun in degrees, good to about 0.1 degree.

    Low-precision formulae of the Astronomical Almanac, section C ("low precision formulas for the Sun").
    """
    days = when.timestamp() / 86400.0 + 2440587.5 - 2451545.0
    mean_longitude = np.deg2rad((280.460 + 0.9856474 * days) % 360)
    anomaly = np.deg2rad((357.528 + 0.9856003 * days) % 360)
    longitude = mean_longitude + np.deg2rad(1.915) * np.sin(anomaly) + np.deg2rad(0.020) * np.sin(2 * anomaly)
    tilt = np.deg2rad(23.439 - 0.0000004 * days)
    right_ascension = np.arctan2(np.cos(tilt) * np.sin(longitude), np.cos(longitude))
    declination = np.arcsin(np.sin(tilt) * np.sin(longitude))
    sidereal_h = (18.697374558 + 24.06570982441908 * days) % 24
    hour_angle = np.deg2rad(sidereal_h * 15 + lon_deg) - right_ascension
    lat = np.deg2rad(lat_deg)
    elevation = np.arcsin(
        np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(hour_angle)
    )
    azimuth = np.arctan2(
        -np.sin(hour_angle),
        np.tan(declination) * np.cos(lat) - np.sin(lat) * np.cos(hour_angle),
    )
    return float(np.rad2deg(azimuth) % 360), float(np.rad2deg(elevation))


def to_sun(azimuth_deg: float, elevation_deg: float) -> NDArray[np.float64]:
    """Unit vector towards the sun: x east, y south, z up."""
    a, e = np.deg2rad(azimuth_deg), np.deg2rad(elevation_deg)
    return np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])


def slope_light(
    sun: NDArray[np.float64],
    along: NDArray[np.float64],
    slope_u: NDArray[np.float32] | float,
    slope_v: NDArray[np.float32] | float,
) -> NDArray[np.float32]:
    """Lambert's direct light on a slope over that on flat ground.

    ``slope_u`` and ``slope_v`` are the rise per metre along the unit vector ``along`` and to its right.
    """
    su = float(sun[0] * along[0] + sun[1] * along[1])
    sv = float(-sun[0] * along[1] + sun[1] * along[0])
    facing = sun[2] - su * np.asarray(slope_u) - sv * np.asarray(slope_v)
    norm = np.sqrt(1 + np.asarray(slope_u) ** 2 + np.asarray(slope_v) ** 2)
    return np.asarray(np.clip(facing / norm / sun[2], 0.0, MAX_DIRECT), dtype=np.float32)


def cast_shadows(height: NDArray[np.float32], step_m: float, sun: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True where something nearer the sun stands in its rays, (rows, cols).

    One pass: a line's shadow height is the larger of its own height and its sunward
    neighbour's shadow height less the drop of a ray over one step. Lines are shifted by whole pixels
    as a drawn line steps, so that thin masts stay thin.
    """
    x, y, z = sun
    swap = abs(x) > abs(y)
    field = height.T if swap else height
    main, side = (x, y) if swap else (y, x)
    if abs(main) < 1e-9:
        return np.zeros(height.shape, dtype=bool)
    field = np.ascontiguousarray(field)
    n, m = field.shape
    slant = float(side / abs(main))
    drop = np.float32(z / abs(main) * step_m)
    order = range(n) if main < 0 else range(n - 1, -1, -1)
    shadow = np.zeros((n, m), dtype=bool)
    ray = np.full(m, -1e3, dtype=np.float32)
    moved = 0
    for k, row in enumerate(order):
        # The ray that reaches a pixel came over the pixel `slant` aside of it, one line nearer the sun.
        total = round(k * slant)
        shift, moved = total - moved, total
        if shift:
            ray = np.roll(ray, -shift)
            if shift > 0:
                ray[-shift:] = -1e3
            else:
                ray[:-shift] = -1e3
        ray -= drop
        line = field[row]
        shadow[row] = ray > line + 0.02
        np.maximum(ray, line, out=ray)
        # Where the ray steps aside, a wall one pixel thick that runs slantwise would let it through.
        aside = round((k + 1) * slant) - total
        if aside > 0:
            np.maximum(ray[aside:], line[:-aside], out=ray[aside:])
        elif aside < 0:
            np.maximum(ray[:aside], line[-aside:], out=ray[:aside])
    return np.ascontiguousarray(shadow.T) if swap else shadow


def floating_shadow(
    canvas: Canvas, thing: Floating, sun: NDArray[np.float64], lit: NDArray[np.float32]
) -> None:
    """Take from ``lit`` (rows, cols) what a hanging thing keeps from the surfaces below it."""
    reach = thing.height_m / sun[2] / canvas.step_m
    rows, cols = thing.rows, thing.cols
    dr, dc = -sun[1] * reach, -sun[0] * reach
    r0 = max(int(np.floor(rows.start + min(dr, 0))), 0)
    r1 = min(int(np.ceil(rows.stop + max(dr, 0))), canvas.shape[0])
    c0 = max(int(np.floor(cols.start + min(dc, 0))), 0)
    c1 = min(int(np.ceil(cols.stop + max(dc, 0))), canvas.shape[1])
    if r1 <= r0 or c1 <= c0:
        return
    gap = (thing.height_m - canvas.height[r0:r1, c0:c1]) / np.float32(sun[2] * canvas.step_m)
    r = np.arange(r0, r1)[:, None] + np.rint(gap * np.float32(sun[1])).astype(np.intp) - rows.start
    c = np.arange(c0, c1)[None, :] + np.rint(gap * np.float32(sun[0])).astype(np.intp) - cols.start
    inside = (r >= 0) & (r < thing.alpha.shape[0]) & (c >= 0) & (c < thing.alpha.shape[1]) & (gap > 0)
    part = lit[r0:r1, c0:c1]
    part[inside] *= 1 - thing.alpha[r[inside], c[inside]]


def sky_view(height: NDArray[np.float32], step_m: float) -> NDArray[np.float32]:
    """Part of the sky seen from each pixel (rows, cols), roughly: less beside and between tall things."""
    from scipy.ndimage import gaussian_filter

    k = max(round(0.5 / step_m), 1)
    rows, cols = height.shape[0] // k * k, height.shape[1] // k * k
    small = height[:rows, :cols].reshape(rows // k, k, cols // k, k).mean(axis=(1, 3))
    near = gaussian_filter(small, 1.2 / (k * step_m))
    near = np.repeat(np.repeat(near, k, axis=0), k, axis=1)
    full = np.zeros_like(height)
    full[:rows, :cols] = near
    # A surface `d` below the mean height of its 3 m surroundings loses sky as in a ditch of that depth.
    full -= height
    np.maximum(full, 0, out=full)
    full *= np.float32(0.35)
    full += 1
    np.reciprocal(full, out=full)
    return full
