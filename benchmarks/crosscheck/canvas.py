"""The ground seen from above before light and sensor: reflectance and height on a fine grid.

Everything is painted in metres (x to the right, y down) through `Canvas.patch`, a turned rectangle
with its own axes (u along, v across).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Rng = np.random.Generator

DISPLAY_GAMMA = 2.2


def rgb(*display: float) -> Floats:
    """Reflectance of a colour given as it would look on a screen (0-255)."""
    return (np.asarray(display, dtype=np.float32) / 255.0) ** DISPLAY_GAMMA


def vary(colour: Floats, rng: Rng, *, tone: float = 0.1, hue: float = 0.03) -> Floats:
    """A colour like the given one: lighter or darker, and a little off in hue."""
    factor = np.exp(rng.normal(0.0, tone)) * np.exp(rng.normal(0.0, hue, size=3))
    return np.clip(colour * factor, 0.004, 0.9).astype(np.float32)


def pick(colours: list[tuple[int, int, int]], rng: Rng, *, tone: float = 0.12) -> Floats:
    """One of some screen colours, varied."""
    return vary(rgb(*colours[int(rng.integers(len(colours)))]), rng, tone=tone)


def noise(shape: tuple[int, int], *, scale_px: float, rng: Rng) -> Floats:
    """Smooth noise of about unit variance whose lumps are ``scale_px`` wide; (rows, cols)."""
    if scale_px <= 1.0:
        return rng.standard_normal(shape, dtype=np.float32)
    small = tuple(max(int(np.ceil(n / scale_px)) + 3, 4) for n in shape)
    lumps = Image.fromarray(rng.standard_normal(small, dtype=np.float32))
    span = (0.6, 0.6, 0.6 + shape[1] / scale_px, 0.6 + shape[0] / scale_px)
    size = (shape[1], shape[0])
    return 1.5 * np.asarray(lumps.resize(size, Image.Resampling.BILINEAR, box=span), dtype=np.float32)


def bar(distance: Floats, half: float, px: float) -> Floats:
    """Coverage (0-1) by a bar of half width ``half`` of pixels ``distance`` away from its middle."""
    full = np.clip((half - np.abs(distance)) / px + 0.5, 0.0, 1.0)
    return np.minimum(full, min(1.0, 2.0 * half / px)).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A part of the canvas in the axes of a thing that stands there."""

    window: tuple[slice, slice]
    u: Floats
    """Metres along, 0 in the middle; (rows, cols) of the window."""
    v: Floats
    """Metres across."""


@dataclass(kw_only=True, eq=False)
class Canvas:
    """Reflectance and height, and a thin layer overhead (gantries, wires)."""

    px: float
    """Metres per fine pixel."""
    albedo: Floats
    """(rows, cols, 3), linear."""
    height: Floats
    """(rows, cols), metres above ground."""
    overhead: Floats
    """(rows, cols), coverage by what hangs at ``overhead_m``."""
    overhead_m: float = 7.2

    @classmethod
    def blank(cls, width_m: float, height_m: float, *, px: float) -> Canvas:
        """An empty, flat, dark one."""
        shape = (round(height_m / px), round(width_m / px))
        return cls(
            px=px,
            albedo=np.full((*shape, 3), 0.15, np.float32),
            height=np.zeros(shape, np.float32),
            overhead=np.zeros(shape, np.float32),
        )

    @property
    def size_m(self) -> tuple[float, float]:
        """Width, height."""
        return self.height.shape[1] * self.px, self.height.shape[0] * self.px

    def patch(self, x: float, y: float, *, heading: float, half_u: float, half_v: float) -> Patch | None:
        """The rectangle around (x, y) whose u axis has this heading (radians, x towards y).

        None where it lies outside.
        """
        c, s = np.cos(heading), np.sin(heading)
        reach = (abs(s) * half_u + abs(c) * half_v, abs(c) * half_u + abs(s) * half_v)
        rows, cols = (
            slice(
                int(np.clip(np.floor((middle - r) / self.px) - 1, 0, n)),
                int(np.clip(np.ceil((middle + r) / self.px) + 1, 0, n)),
            )
            for middle, r, n in zip((y, x), reach, self.height.shape, strict=True)
        )
        if rows.start >= rows.stop or cols.start >= cols.stop:
            return None
        dx = ((np.arange(cols.start, cols.stop) + 0.5) * self.px - x).astype(np.float32)[None, :]
        dy = ((np.arange(rows.start, rows.stop) + 0.5) * self.px - y).astype(np.float32)[:, None]
        u, v = dx * np.float32(c) + dy * np.float32(s), dy * np.float32(c) - dx * np.float32(s)
        return Patch(window=(rows, cols), u=u, v=v)

    def put(
        self, patch: Patch, alpha: Floats, colour: Floats, *, height: Floats | float | None = None
    ) -> None:
        """Cover the ground with a colour; where a height is given it replaces the one there."""
        a = alpha[..., None]
        under = self.albedo[patch.window]
        self.albedo[patch.window] = under + (colour - under) * a
        if height is not None:
            solid = alpha >= 0.5
            below = self.height[patch.window]
            self.height[patch.window] = np.where(solid, height, below)

    def box(
        self,
        x: float,
        y: float,
        *,
        heading: float,
        size: tuple[float, float],
        colour: Floats,
        height: float | None = None,
        grain: float = 0.0,
        rng: Rng | None = None,
    ) -> None:
        """A plain rectangle of ``size`` (along, across), mottled by ``grain``."""
        patch = self.patch(x, y, heading=heading, half_u=size[0] / 2 + 0.3, half_v=size[1] / 2 + 0.3)
        if patch is None:
            return
        alpha = bar(patch.u, size[0] / 2, self.px) * bar(patch.v, size[1] / 2, self.px)
        paint: Floats = np.broadcast_to(colour, (*alpha.shape, 3))
        if grain and rng is not None:
            mottle = noise(alpha.shape, scale_px=1.5 / self.px, rng=rng) + noise(
                alpha.shape, scale_px=1.0, rng=rng
            )
            paint = paint * np.exp(grain * mottle)[..., None]
        self.put(patch, alpha, paint, height=height)
