"""The canvas: surface colour and height at about 0.1 m, painted before any light falls on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from railcount.simulate.layout import Line


@dataclass(frozen=True, kw_only=True, eq=False)
class Floating:
    """A thing that hangs in the air: a gantry's beam, a wire, a roof on posts."""

    rows: slice
    cols: slice
    alpha: NDArray[np.float32]
    """(rows, cols): how much it hides, 0-1."""
    colour: NDArray[np.float32]
    """(bands, 1, 1) or (bands, rows, cols) reflectance."""
    height_m: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """The canvas pixels inside a turned rectangle."""

    index: NDArray[np.intp]
    """(n,) flat indices into the canvas."""
    u: NDArray[np.float32]
    """(n,) metres along the rectangle from its centre."""
    v: NDArray[np.float32]
    """(n,) metres across it, to the right."""

    def where(self, inside: NDArray[np.bool_]) -> Patch:
        """The part where ``inside`` (n,) is True."""
        return Patch(index=self.index[inside], u=self.u[inside], v=self.v[inside])


class Canvas:
    """Reflectance, height and slope maps over the frame and a margin around it."""

    def __init__(
        self, *, width_m: float, height_m: float, step_m: float, margin_m: float, bands: int
    ) -> None:
        self.step_m = step_m
        self.pad = round(margin_m / step_m)
        """Canvas pixels of margin on every side."""
        self.origin_m = -self.pad * step_m
        """Local x and y of the canvas's outer corner."""
        self.shape = (round(height_m / step_m) + 2 * self.pad, round(width_m / step_m) + 2 * self.pad)
        self.bands = bands
        self.albedo = np.zeros((bands, *self.shape), dtype=np.float32)
        self.height = np.zeros(self.shape, dtype=np.float32)
        self.direct = np.ones(self.shape, dtype=np.float32)
        """Direct light on the surface over that on flat ground, by its slope."""
        self.floating: list[Floating] = []
        self._albedo = self.albedo.reshape(bands, -1)
        self._height = self.height.reshape(-1)
        self._direct = self.direct.reshape(-1)

    def window(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[slice, slice] | None:
        """Rows and columns that cover a box in local metres; None outside the canvas."""
        c0, r0 = np.floor((low - self.origin_m) / self.step_m).astype(int)
        c1, r1 = np.ceil((high - self.origin_m) / self.step_m).astype(int)
        r0, r1 = max(r0, 0), min(r1, self.shape[0])
        c0, c1 = max(c0, 0), min(c1, self.shape[1])
        if r1 <= r0 or c1 <= c0:
            return None
        return slice(r0, r1), slice(c0, c1)

    def centres(self, rows: slice, cols: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Local x (1, cols) and y (rows, 1) of pixel centres."""
        x = (np.arange(cols.start, cols.stop) + 0.5) * self.step_m + self.origin_m
        y = (np.arange(rows.start, rows.stop) + 0.5) * self.step_m + self.origin_m
        return x[None, :].astype(np.float32), y[:, None].astype(np.float32)

    def rectangle(
        self, centre: NDArray[np.float64], along: NDArray[np.float64], length_m: float, width_m: float
    ) -> Patch:
        """Pixels of a rectangle about ``centre`` whose length runs along the unit vector ``along``."""
        right = np.array([-along[1], along[0]])
        reach = np.abs(along) * length_m / 2 + np.abs(right) * width_m / 2
        found = self.window(centre - reach, centre + reach)
        if found is None:
            empty = np.zeros(0, dtype=np.float32)
            return Patch(index=np.zeros(0, dtype=np.intp), u=empty, v=empty)
        rows, cols = found
        x, y = self.centres(rows, cols)
        dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
        u = dx * np.float32(along[0]) + dy * np.float32(along[1])
        v = dx * np.float32(right[0]) + dy * np.float32(right[1])
        inside = (np.abs(u) <= length_m / 2) & (np.abs(v) <= width_m / 2)
        r, c = np.nonzero(inside)
        return Patch(index=(r + rows.start) * self.shape[1] + c + cols.start, u=u[inside], v=v[inside])

    def along(self, line: Line, half_width_m: float, *, chunk_m: float = 10.0) -> Iterator[Patch]:
        """Pixels within ``half_width_m`` of a line, piece by piece: u along it, v to its right."""
        points, s = line.points, line.along_m
        per = max(round(chunk_m / max(float(s[-1]) / (len(points) - 1), 1e-6)), 1)
        for a in range(0, len(points) - 1, per):
            b = min(a + per, len(points) - 1)
            p, q = points[a], points[b]
            chord = q - p
            size = float(np.hypot(*chord))
            t = chord / size
            piece = self.rectangle((p + q) / 2, t, size + 0.5 * self.step_m, 2 * half_width_m + 0.4)
            if piece.index.size == 0:
                continue
            local = points[a : b + 1] - (p + q) / 2
            across = local @ np.array([-t[1], t[0]])
            if np.max(np.abs(across)) < 0.005:
                u, v = piece.u + np.float32((s[a] + s[b]) / 2), piece.v
            else:
                ahead = local @ t
                slope = np.gradient(across, ahead)
                off = np.interp(piece.u, ahead, across)
                tilt = np.interp(piece.u, ahead, slope)
                cos = 1 / np.sqrt(1 + tilt**2)
                v = ((piece.v - off) * cos).astype(np.float32)
                u = (np.interp(piece.u, ahead, s[a : b + 1]) + (piece.v - off) * tilt * cos).astype(
                    np.float32
                )
            keep = np.abs(v) <= half_width_m
            yield Patch(index=piece.index[keep], u=u[keep], v=v[keep])

    def paint(
        self,
        patch: Patch,
        colour: NDArray[np.float32],
        *,
        height_m: float | NDArray[np.float32] | None = None,
        direct: float | NDArray[np.float32] | None = None,
        alpha: float | NDArray[np.float32] | None = None,
    ) -> None:
        """Cover a patch with ``colour`` (bands,) or (bands, n); ``alpha`` lets what is below through."""
        colour = colour[:, None] if colour.ndim == 1 else colour
        if alpha is None:
            self._albedo[:, patch.index] = colour
        else:
            below = self._albedo[:, patch.index]
            self._albedo[:, patch.index] = below + (colour - below) * alpha
        if height_m is not None:
            self._height[patch.index] = height_m
        if direct is not None:
            self._direct[patch.index] = direct

    def raise_to(self, patch: Patch, height_m: float | NDArray[np.float32]) -> None:
        """Heighten what is lower than ``height_m``."""
        self._height[patch.index] = np.maximum(self._height[patch.index], height_m)

    def darken(self, patch: Patch, factor: float | NDArray[np.float32]) -> None:
        """Multiply the colour of a patch."""
        self._albedo[:, patch.index] *= factor


def lattice_noise(
    rng: np.random.Generator, shape: tuple[int, int], cell: float | tuple[float, float]
) -> NDArray[np.float32]:
    """Smooth noise (rows, cols), mean 0, deviation about 1, with bumps of about ``cell`` pixels."""
    cells = (cell, cell) if isinstance(cell, int | float) else cell
    small = rng.standard_normal([int(n / c) + 3 for n, c in zip(shape, cells, strict=True)], dtype=np.float32)
    for axis in (0, 1):
        n, c = shape[axis], cells[axis]
        at = np.arange(n, dtype=np.float32) / c + np.float32(rng.random())
        low = at.astype(np.intp)
        f = (at - low).astype(np.float32)
        f = f * f * (3 - 2 * f)
        f = f[:, None] if axis == 0 else f[None, :]
        a, b = np.take(small, low, axis=axis), np.take(small, low + 1, axis=axis)
        b -= a
        b *= f
        b += a
        small = b
    # Bilinear blending of independent values keeps about (13/35)^(1/2) of their variance per axis.
    small *= np.float32(1.35)
    return small


def fractal_noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: Sequence[float], fall: float = 0.7
) -> NDArray[np.float32]:
    """Noise with bumps of several sizes, the biggest first and strongest; deviation about 1."""
    total = np.zeros(shape, dtype=np.float32)
    power = 0.0
    for k, cell in enumerate(cells):
        total += np.float32(fall**k) * lattice_noise(rng, shape, cell)
        power += fall ** (2 * k)
    total /= np.float32(np.sqrt(power))
    return total
