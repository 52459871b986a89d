"""Sun, shade and an aslant view, by walking over the height of every cell."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter


def shifted_from(field, dx, dy, fill):
    """The field as seen from every cell at (col + dx, row + dy)."""
    out = np.full_like(field, fill)
    h, w = field.shape
    if abs(dx) < w and abs(dy) < h:
        a, b = slice(max(0, -dy), h - max(0, dy)), slice(max(0, -dx), w - max(0, dx))
        c, d = slice(max(0, dy), h - max(0, -dy)), slice(max(0, dx), w - max(0, -dx))
        out[a, b] = field[c, d]
    return out


def in_shadow(height, step_m, shadow, elevation):
    """How far below the sun's lowest free ray every cell lies (m), 0 where the sun shines."""
    top = float(height.max())
    slope = np.tan(elevation)
    below = np.zeros_like(height)
    last = None
    for t in np.arange(step_m, min(top / slope, 32.0), step_m):
        at = tuple(np.rint(-shadow * t / step_m).astype(int))
        if at != last:
            np.maximum(below, shifted_from(height, *at, 0) - height - np.float32(t * slope), out=below)
        last = at
    return below


def relief(height, step_m, sun, elevation):
    """How much more or less light slopes get than level ground; cliffs are left alone."""
    gy, gx = np.gradient(height, step_m)
    steep = np.maximum(np.abs(gx), np.abs(gy)) > 1.9
    lit = np.sin(elevation) - np.cos(elevation) * (gx * sun[0] + gy * sun[1])
    lit = lit / np.sqrt(1 + gx * gx + gy * gy) / np.sin(elevation)
    lit = np.clip(lit, 0.1, 1.0 / np.sin(elevation))
    return np.where(steep, 1.0, lit).astype(np.float32)


def lit(canvas, shadow, elevation, *, direct, sky_tint):
    """The colours under the sun (``direct`` of the light) and the sky (the rest)."""
    height = canvas.height
    below = in_shadow(height, canvas.step_m, shadow, elevation)
    sun = np.clip(1 - below / 0.25, 0, 1) * relief(height, canvas.step_m, -shadow, elevation)
    low = np.minimum(height, 6)
    around = gaussian_filter(low, 1.2 / canvas.step_m, truncate=2) - low
    sky = 1 / (1 + 0.55 * np.clip(around, 0, None))
    tint = np.asarray(sky_tint, np.float32)[:, None, None]
    return canvas.colour * (direct * sun + (1 - direct) * sky * tint)


def leaning(canvas, seen, lean, shadow, *, direct):
    """The picture from aslant: what is h metres high appears ``h * lean`` aside, and hides what is there."""
    size = float(np.hypot(*lean))
    top = float(canvas.height.max())
    if size * top < 0.4 * canvas.step_m:
        return seen
    h, w = canvas.shape
    source = np.arange(h * w, dtype=np.int64).reshape(h, w)
    found, side = np.zeros((h, w), bool), np.zeros((h, w), bool)
    levels = np.arange(top, 0.1, -max(0.12, 0.6 * canvas.step_m / size))
    cells = np.arange(h * w, dtype=np.int64).reshape(h, w)
    for z in levels:
        dx, dy = (round(-c * z / canvas.step_m) for c in lean)
        there = shifted_from(canvas.height, dx, dy, 0)
        hit = (there >= z) & ~found
        source[hit] = cells[hit] + dy * w + dx
        side |= hit & (there > z + max(0.35, 1.2 * canvas.step_m / size))
        found |= hit
    out = seen.reshape(3, -1)[:, source]
    facing = -(lean @ -shadow) / size
    brightness = (1 - direct) * 0.7 + direct * max(0.0, facing)
    walls = np.array(canvas.sides, np.float32)[canvas.owner.ravel()[source[side]]]
    out[:, side] = walls.T * brightness
    return out
