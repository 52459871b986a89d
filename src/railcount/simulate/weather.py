"""Snow and wet on the ground; haze, cloud and cloud shadow in the air; the footprint's edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.simulate.canvas import Canvas, fractal_noise
from railcount.simulate.dice import Dice, pick
from railcount.simulate.ground import track_distance
from railcount.simulate.paints import colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.simulate.layout import Line
    from railcount.simulate.scene import Weather

AIRLIGHT = (0.40, 0.44, 0.50, 0.36)
"""Light that haze scatters to the camera, in units of direct light on flat ground."""
PATH_LIGHT = (0.012, 0.020, 0.034, 0.006)
"""The same for clear air (Rayleigh), which makes real shadows bluish and never black."""
CLOUD_LIGHT = (0.92, 0.93, 0.95, 0.9)


@dataclass(frozen=True, kw_only=True)
class Sky:
    """The weather with everything settled."""

    snow: float
    haze: float
    cloud: float
    wet: float


def settle_sky(weather: Weather, dice: Dice) -> Sky:
    """Draw what the scene leaves open: mostly fair weather."""
    rng = dice.stream("weather")
    hazy = 0.25 * float(rng.random()) ** 2
    return Sky(
        snow=pick(rng, weather.snow, 0.0, 0.0),
        haze=pick(rng, weather.haze, hazy, hazy),
        cloud=pick(rng, weather.cloud, 0.0, 0.0),
        wet=pick(rng, weather.wet, 0.0, 0.3),
    )


def lay_snow(canvas: Canvas, lines: Sequence[Line], sky: Sky, dice: Dice) -> None:
    """Darken wet ground; cover what is painted so far with snow, thinner and dirtier on the tracks."""
    if sky.wet > 0:
        canvas.albedo *= np.float32(1 - 0.35 * sky.wet)
    if sky.snow <= 0:
        return
    rng = dice.stream("snow")
    k = max(round(0.5 / canvas.step_m), 1)
    m = k * canvas.step_m
    distance = track_distance(canvas, lines, k)
    noise = fractal_noise(rng, distance.shape, [30 / m, 8 / m, 2 / m, 1 / m], 0.8)
    bed = np.clip(1.5 - distance, 0, 1)
    depth = 2.6 * sky.snow - 0.9 + 0.45 * noise - bed * float(rng.uniform(0.3, 0.9))
    cover = np.clip(depth * 0.9 + 0.3, 0, 0.97).astype(np.float32)
    clean, dirty = colour("snow", canvas.bands), colour("snow_dirty", canvas.bands)
    soiled = np.clip(np.exp(-distance / 3.0) * 0.7 + 0.12 * noise, 0, 1).astype(np.float32)
    wide = _spread(cover, k, canvas.shape)
    # Tall things (buildings, trees) keep more snow than their walls; roofs are covered like the ground.
    for b in range(canvas.bands):
        white = _spread(clean[b] + (dirty[b] - clean[b]) * soiled, k, canvas.shape)
        white -= canvas.albedo[b]
        white *= wide
        canvas.albedo[b] += white


def _spread(field: NDArray[np.float32], k: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    return np.repeat(np.repeat(field, k, axis=0), k, axis=1)[: shape[0], : shape[1]].astype(np.float32)


def add_air(radiance: NDArray[np.float32], sky: Sky, dice: Dice, *, sample_m: float) -> NDArray[np.float32]:
    """Put haze, cloud shadow and cloud into ``radiance`` (bands, rows, cols), in place.

    Returns how much cloud hides of each sample, (rows, cols), 0-1.
    """
    rng = dice.stream("air")
    shape = (radiance.shape[1], radiance.shape[2])
    hidden = np.zeros(shape, dtype=np.float32)
    veil = np.float32(1 - sky.haze)
    billow = hidden
    if sky.cloud > 0:
        hidden = _cloud(rng, shape, sky.cloud, sample_m)
        size = max(shape)
        billow = (
            0.72 + 0.28 * hidden + 0.06 * fractal_noise(rng, shape, [size / 8, size / 25, size / 70], 0.7)
        )
        shade = 1 - 0.5 * np.roll(hidden, rng.integers(-shape[0] // 3, shape[0] // 3), axis=0)[:, ::-1]
        radiance *= shade.astype(np.float32)
    uneven = (
        1 + 0.1 * fractal_noise(rng, (shape[0] // 8 + 2, shape[1] // 8 + 2), [40, 20])
        if sky.haze > 0.05
        else None
    )
    for b in range(len(radiance)):
        radiance[b] *= veil
        if uneven is None:
            radiance[b] += np.float32(sky.haze * AIRLIGHT[b])
        else:
            radiance[b] += np.float32(sky.haze * AIRLIGHT[b]) * _spread(uneven.astype(np.float32), 8, shape)
        radiance[b] += np.float32(PATH_LIGHT[b])
        if sky.cloud > 0:
            radiance[b] += (CLOUD_LIGHT[b] * billow - radiance[b]) * hidden
    return hidden


def _cloud(
    rng: np.random.Generator, shape: tuple[int, int], part: float, sample_m: float
) -> NDArray[np.float32]:
    """Cloud whose thick half covers ``part`` of the samples."""
    size = max(shape)
    cells = [
        size / 2,
        size / 5,
        size / 11,
        size / 23,
        max(size / 60, 3),
        max(size / 130, 2),
        max(3 / sample_m, 2),
    ]
    field = fractal_noise(rng, shape, cells, 0.62)
    level = float(np.quantile(field, 1 - part)) if part < 1 else float(field.min()) - 0.5
    thick = np.clip((field - level) / 1.1 + 0.5, 0, 1)
    return np.asarray(thick * thick * (3 - 2 * thick), dtype=np.float32)


def footprint(rng: np.random.Generator, shape: tuple[int, int], outside: float) -> NDArray[np.bool_]:
    """True inside the image's footprint (rows, cols), whose slanted edges leave ``outside`` of the tile."""
    if outside <= 0:
        return np.ones(shape, dtype=bool)
    angle = np.deg2rad(float(rng.choice([0, 90])) + float(rng.uniform(4, 20)))
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    across = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
    one_side = float(rng.uniform(0.2, 0.8))
    low, high = np.quantile(across, [outside * one_side, 1 - outside * (1 - one_side)])
    return np.asarray((across >= low) & (across <= high))
