"""Seen aslant: what is tall leans away from the sensor, shows a side wall and hides what lies behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST_M = 0.3
"""What is lower stays where it is: at 25 degrees off nadir that is 0.14 m."""


def lean_per_metre(off_nadir_deg: float, view_azimuth_deg: float) -> NDArray[np.float64]:
    """How far a point moves for each metre of its height, (2,) local x and y.

    ``view_azimuth_deg`` is the direction from the ground to the sensor, clockwise from north. An orthoimage
    on the ground's height leaves everything above it displaced, away from the sensor.
    """
    azimuth = np.deg2rad(view_azimuth_deg)
    return float(np.tan(np.deg2rad(off_nadir_deg))) * np.array([-np.sin(azimuth), np.cos(azimuth)])


def wall_light(sun: NDArray[np.float64], lean: NDArray[np.float64]) -> float:
    """Light on the walls that the sensor sees over light on flat ground, roughly."""
    size = float(np.hypot(*lean))
    if size == 0:
        return 1.0
    facing = float(-(lean @ sun[:2]) / size)
    # A wall out of the sun has half a sky, which is about a quarter of full light.
    return float(np.clip(facing / sun[2], 0.0, 1.0) * 0.75 + 0.25)


def displace(
    shine: list[NDArray[np.float32]],
    height: NDArray[np.float32],
    lean_px: NDArray[np.float64],
    *,
    wall: float,
) -> None:
    """Move what is tall, in place: each of ``shine`` is (rows, cols), as is ``height`` in metres.

    ``lean_px`` is ``lean_per_metre`` in pixels. Columns of every height are laid down slice by slice from
    the ground upwards, so that the higher slice hides the lower.
    """
    reach = float(np.abs(lean_px).max())
    if reach * float(height.max()) < 0.5:
        return
    index = np.flatnonzero(height > LOWEST_M)
    index = index[np.argsort(-height.reshape(-1)[index], kind="stable")]
    tall = -height.reshape(-1)[index]
    rows, cols = np.divmod(index, height.shape[1])
    sources = [band.reshape(-1)[index] for band in shine]
    thick = 1.0 / reach
    for k in range(int(-tall[0] / thick) + 1 if tall.size else 0):
        n = int(np.searchsorted(tall, -k * thick, side="right"))
        top = int(np.searchsorted(tall, -(k + 1) * thick, side="right"))
        # Tops go to the slice that they end in; what rises further shows its wall here.
        r = rows[:n] + round(lean_px[1] * k * thick)
        c = cols[:n] + round(lean_px[0] * k * thick)
        good = (r >= 0) & (r < height.shape[0]) & (c >= 0) & (c < height.shape[1])
        target = r[good] * height.shape[1] + c[good]
        light = np.where(np.arange(n) < top, np.float32(wall), np.float32(1.0))[good]
        for band, source in zip(shine, sources, strict=True):
            band.reshape(-1)[target] = source[:n][good] * light
