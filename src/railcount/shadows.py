"""To which side of their tracks a tile's cars throw their shadows.

A shadow beside a track is the mark of a car on that track only if it lies on the side away from the sun;
on the other side it is a neighbour's. All cars of a tile have one sun, so the cars that are plain to see
tell the side for those that are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from railcount.strips import Strip

    Array = NDArray[np.float64]

BESIDE_M = (1.9, 3.1)
"""From the track's centre: past the body's side (1.65 m), within the shadow of a body 3 m high under a sun of
up to 65 degrees, and not yet on a neighbour 4.1 m away."""
PIECE_M = 10.0
"""Of a body, as one witness: a car or most of it."""
LEAST_PIECES = 4
LEAST_T = 3.0
"""Of the mean difference against its standard error. Below, nothing is said of the side."""
ENOUGH_T = 8.0
LEAST_ACROSS = 0.25
"""Part of the shadow's direction that points across the track. With less the shadow falls into the gaps."""


def right_of(direction: Array) -> Array:
    """(n, 2): unit vectors to the right of travel, in local metres (x east, y south)."""
    return np.stack([-direction[:, 1], direction[:, 0]], axis=-1)


def shadow_sides(strip: Strip, shadow: Array | None) -> NDArray[np.float32]:
    """(along,): 1 where shadows fall to the right of travel, -1 to the left, 0 where it cannot be said.

    ``shadow`` is the direction (2,) in which they fall, in local metres (x east, y south).
    """
    if shadow is None:
        return np.zeros(len(strip.direction), dtype=np.float32)
    across = right_of(strip.direction) @ shadow
    return np.asarray(np.where(np.abs(across) > LEAST_ACROSS, np.sign(across), 0.0), dtype=np.float32)


def towards(sun_azimuth_deg: float) -> Array:
    """(2,): in which direction shadows fall under a sun at that azimuth, clockwise from north."""
    sun = np.radians(sun_azimuth_deg)
    return np.array([-np.sin(sun), np.cos(sun)])


def shadow_direction(seen: Iterable[tuple[Strip, Array, NDArray[np.bool_]]]) -> Array | None:
    """The direction (2,) in which the shadows of a tile fall, or None where the cars do not tell.

    ``seen`` gives strips with their brightness (across, along) in rows from left to right of travel, and
    where along them a car surely stands. It is read until the answer is clear. Of parallel tracks only
    the side is known, so the direction is then across them.
    """
    normals: list[Array] = []
    darker: list[float] = []
    for strip, brightness, body in seen:
        for normal, difference in _pieces(strip, brightness, body):
            normals.append(normal)
            darker.append(difference)
        direction, t = _consensus(np.array(normals).reshape(-1, 2), np.array(darker))
        if t > ENOUGH_T:
            return direction
    return direction if normals and t > LEAST_T else None


def _pieces(strip: Strip, brightness: Array, body: NDArray[np.bool_]) -> list[tuple[Array, float]]:
    """Of every piece of a body: the vector to its right, and how much darker it is there than to its left."""
    n_rows = brightness.shape[0]
    y = (np.arange(n_rows) + 0.5) * 2 * strip.half_width_m / n_rows - strip.half_width_m
    beside = (np.abs(y) > BESIDE_M[0]) & (np.abs(y) < BESIDE_M[1])
    darker = brightness[beside & (y < 0)].mean(axis=0) - brightness[beside & (y > 0)].mean(axis=0)
    size = round(PIECE_M / strip.step_m)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], body.astype(np.int8), [0]])))
    right = right_of(strip.direction)
    out = []
    for start, end in edges.reshape(-1, 2):
        for a in range(start, end - size // 2, size):
            piece = slice(a, min(a + size, end))
            out.append((right[piece].mean(axis=0), float(darker[piece].mean())))
    return out


def _consensus(normals: Array, darker: Array) -> tuple[Array, float]:
    """The unit direction that explains best what is darker, and its t value (0: nothing known)."""
    if len(darker) < LEAST_PIECES:
        return np.zeros(2), 0.0
    # Least squares with a ridge, so that what parallel tracks leave open becomes 0.
    steepest = np.linalg.solve(normals.T @ normals + 0.1 * len(darker) * np.eye(2), normals.T @ darker)
    length = float(np.hypot(*steepest))
    if length == 0:
        return np.zeros(2), 0.0
    direction = np.asarray(steepest / length, dtype=np.float64)
    agreed = darker * np.sign(normals @ direction)
    return direction, float(agreed.mean() / max(agreed.std(ddof=1) / np.sqrt(len(agreed)), 1e-9))
