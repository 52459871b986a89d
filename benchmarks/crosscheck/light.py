"""Sun, shadow and slanting view over a height field, by shifting the whole field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from canvas import Canvas, Floats

UNDERFRAME_M = 1.05
"""Below this, the side of a vehicle is wheels and shade."""


@dataclass(frozen=True, kw_only=True)
class Light:
    """Where the sun and the satellite stand; azimuths in degrees clockwise from north (up)."""

    sun_azimuth: float
    sun_elevation: float
    view_azimuth: float
    """Direction in which tall things lean in the image."""
    view_deg: float
    """From the vertical."""
    diffuse: float
    """Share of the light on open, level ground that comes from the sky."""

    @property
    def to_sun(self) -> tuple[float, float, float]:
        """Unit vector x, y (down), z."""
        a, e = np.radians(self.sun_azimuth), np.radians(self.sun_elevation)
        return float(np.sin(a) * np.cos(e)), float(-np.cos(a) * np.cos(e)), float(np.sin(e))

    @property
    def lean(self) -> tuple[float, float]:
        """Metres of displacement in x and y per metre of height."""
        a, t = np.radians(self.view_azimuth), np.tan(np.radians(self.view_deg))
        return float(np.sin(a) * t), float(-np.cos(a) * t)


def shift(field: Floats, dx: int, dy: int, fill: float = 0.0) -> Floats:
    """result[y, x] = field[y + dy, x + dx]."""
    rows, cols = field.shape[:2]
    out = np.full_like(field, fill)
    if abs(dx) >= cols or abs(dy) >= rows:
        return out
    y0, y1 = max(0, -dy), min(rows, rows - dy)
    x0, x1 = max(0, -dx), min(cols, cols - dx)
    out[y0:y1, x0:x1] = field[y0 + dy : y1 + dy, x0 + dx : x1 + dx]
    return out


def shadow_height(height: Floats, light: Light, *, px: float) -> Floats:
    """How high the shadow of other things reaches at each pixel; steps double, so a few suffice."""
    x, y, _ = light.to_sun
    flat = float(np.hypot(x, y))
    if flat < 1e-6:
        return np.full_like(height, -1.0)
    x, y, fall = x / flat, y / flat, float(px * np.tan(np.radians(light.sun_elevation)))  # float32 stays
    farthest = float(height.max()) / fall + 1
    reach, n = height, 1
    while n < farthest:
        reach = np.maximum(reach, shift(reach, round(n * x), round(n * y)) - n * fall)
        n *= 2
    return shift(reach, round(x), round(y)) - fall


def illuminate(canvas: Canvas, light: Light) -> Floats:
    """Radiance (rows, cols, 3) as the satellite sees it, level sunlit white being 1."""
    px, height = canvas.px, canvas.height
    shadow = shadow_height(height, light, px=px)
    sun_colour = np.array([1.04, 1.0, 0.93], np.float32) * (1.0 - light.diffuse)
    sky_colour = np.array([0.88, 1.0, 1.2], np.float32) * light.diffuse
    lit = np.clip((height - shadow) / 0.12 + 1.0, 0.0, 1.0)
    lit *= 1.0 - _overhead_shadow(canvas, light)
    open_sky = _openness(height, px=px)
    radiance = canvas.albedo * (lit[..., None] * sun_colour + open_sky[..., None] * sky_colour)
    radiance = _look(canvas, light, radiance, shadow, open_sky=open_sky, colours=(sun_colour, sky_colour))
    dx, dy = (round(k * canvas.overhead_m / px) for k in light.lean)
    wires = shift(canvas.overhead, -dx, -dy)[..., None]
    return radiance * (1 - wires) + wires * np.float32(0.3)


def _overhead_shadow(canvas: Canvas, light: Light) -> Floats:
    """Shade of gantries and wires, on the ground and on what stands on it."""
    if not canvas.overhead.any():
        return np.zeros_like(canvas.height)
    x, y, z = light.to_sun
    layers = []
    for level in (0.0, 3.6):
        far = (canvas.overhead_m - level) / z
        layers.append(shift(canvas.overhead, round(far * x / canvas.px), round(far * y / canvas.px)))
    return 0.85 * np.where(canvas.height > 2.0, layers[1], layers[0])


def _openness(height: Floats, *, px: float) -> Floats:
    """Share of the sky that is open: less beside and between tall things."""
    rows, cols = height.shape
    step = max(round(0.5 / px), 1)
    small = height[: rows // step * step, : cols // step * step]
    small = small.reshape(rows // step, step, cols // step, step).mean(axis=(1, 3))
    around = gaussian_filter(small, 1.8 / (step * px))
    wide = Image.fromarray(around).resize((cols, rows), Image.Resampling.BILINEAR)
    return np.exp(-0.32 * np.maximum(np.asarray(wide) - height, 0.0)).astype(np.float32)


def _look(
    canvas: Canvas,
    light: Light,
    radiance: Floats,
    shadow: Floats,
    *,
    open_sky: Floats,
    colours: tuple[Floats, Floats],
) -> Floats:
    """What a ray from the satellite meets first: tops displaced by their height, and sides."""
    px, height = canvas.px, canvas.height
    lean = np.array(light.lean)
    slant = float(np.hypot(*lean))
    n_steps = int(np.ceil(float(height.max()) * slant / px))
    if slant < 1e-3 or n_steps < 1:
        return radiance
    rise = px / slant
    unit = lean / slant
    met = np.zeros(height.shape, np.int16)
    for k in range(1, n_steps + 1):
        dx, dy = (round(k * c) for c in unit)
        met[shift(height, -dx, -dy, -1.0) >= (k - 0.5) * rise] = k
    rows, cols = (a.astype(np.int32) for a in np.nonzero(met))
    k = met[rows, cols]
    from_rows = np.clip(rows - np.rint(k * unit[1]).astype(np.int32), 0, height.shape[0] - 1)
    from_cols = np.clip(cols - np.rint(k * unit[0]).astype(np.int32), 0, height.shape[1] - 1)
    at = k * rise
    top = height[from_rows, from_cols]
    is_side = top - at > max(rise, 0.15)
    seen = radiance[from_rows, from_cols]
    x, y, z = light.to_sun
    facing = max(0.0, -(x * unit[0] + y * unit[1])) / max(z, 0.2)
    lit = facing * (shadow[from_rows, from_cols] <= at)
    sky = 0.55 * open_sky[rows, cols] * np.where(at < UNDERFRAME_M, 0.35, 1.0)
    lit = lit * np.where(at < UNDERFRAME_M, 0.35, 1.0)
    side = canvas.albedo[from_rows, from_cols] * (
        lit[:, None].astype(np.float32) * colours[0] + sky[:, None].astype(np.float32) * colours[1]
    )
    out = radiance.copy()
    out[rows, cols] = np.where(is_side[:, None], side, seen)
    return out
