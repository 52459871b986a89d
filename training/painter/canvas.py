"""What is painted on: a colour, a height and an owner for every fine cell of the ground."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import zoom

MARGIN_M = 10.0
"""Around the picture, for what leans or throws its shadow into it."""
SCALES_M = (0.0, 0.8, 2.5, 8.0, 30.0)


def smooth_noise(rng, shape, cells):
    """Unit normal noise that varies over about so many cells."""
    if cells <= 1:
        return rng.standard_normal(shape, dtype=np.float32)
    small = rng.standard_normal([int(n / cells) + 3 for n in shape], dtype=np.float32)
    wide = zoom(small, cells, order=1, grid_mode=True, mode="nearest")
    out = wide[: shape[0], : shape[1]]
    return out / max(float(out.std()), 1e-6)


class Canvas:
    """Cells of ``step_m``; positions are metres (x right, y down) from the picture's corner."""

    def __init__(self, rng, width_m, height_m, step_m):
        self.rng, self.step_m = rng, step_m
        self.width_m, self.height_m = width_m, height_m
        self.shape = tuple(round((n + 2 * MARGIN_M) / step_m) for n in (height_m, width_m))
        self.colour = np.full((3, *self.shape), 0.3, np.float32)
        self.height = np.zeros(self.shape, np.float32)
        self.owner = np.zeros(self.shape, np.int32)
        self.sides = [np.full(3, 0.2)]
        self.noise = [smooth_noise(rng, self.shape, s / step_m) for s in SCALES_M]

    def axes(self):
        """The x of every column (1, w) and the y of every row (h, 1)."""
        x, y = (
            (np.arange(n, dtype=np.float32) + 0.5) * self.step_m - MARGIN_M
            for n in (self.shape[1], self.shape[0])
        )
        return x[None], y[:, None]

    def window(self, centre, along, half_u, half_v):
        """The cells about an oblong: slices, and their u (along) and v (to the right); None if outside."""
        d = np.asarray(along, float) / np.hypot(*along)
        reach = np.abs(d) * half_u + np.abs(d[::-1]) * half_v + 2 * self.step_m
        low = np.floor((np.asarray(centre) - reach + MARGIN_M) / self.step_m).astype(int)
        high = np.ceil((np.asarray(centre) + reach + MARGIN_M) / self.step_m).astype(int)
        low, high = np.maximum(low, 0), np.minimum(high, self.shape[::-1])
        if (high <= low + 1).any():
            return None
        x = (np.arange(low[0], high[0], dtype=np.float32) + 0.5) * self.step_m - MARGIN_M - centre[0]
        y = (np.arange(low[1], high[1], dtype=np.float32) + 0.5) * self.step_m - MARGIN_M - centre[1]
        u = x[None] * d[0] + y[:, None] * d[1]
        v = -x[None] * d[1] + y[:, None] * d[0]
        return (slice(low[1], high[1]), slice(low[0], high[0])), u, v

    def soft(self, distance):
        """How much of a cell lies inside, from its distance (m) to the edge, positive inside."""
        return np.clip(distance / self.step_m + 0.5, 0, 1)

    def taken(self, at):
        """Whether something stands there already."""
        col, row = ((np.asarray(at) + MARGIN_M) / self.step_m).astype(int)
        inside = 0 <= col < self.shape[1] and 0 <= row < self.shape[0]
        return bool(inside and self.height[row, col] > 0.3)

    def grain(self, size, shape):
        """A piece of noise of the scale with that number, from anywhere."""
        bank = self.noise[size]
        i, j = (int(self.rng.integers(0, max(1, n - m))) for n, m in zip(bank.shape, shape, strict=True))
        out = bank[i : i + shape[0], j : j + shape[1]]
        return out if out.shape == tuple(shape) else np.resize(bank, shape)

    def blend(self, part, alpha, colour):
        """Lay a colour (3,) or (3, h, w) over a part, as opaque as alpha."""
        colour = np.asarray(colour, np.float32)
        if colour.ndim == 1:
            colour = colour[:, None, None]
        here = self.colour[:, *part]
        here += alpha[None] * (colour - here)

    def stain(self, part, factor):
        """Make a part lighter or darker."""
        self.colour[:, *part] *= factor

    def raise_to(self, part, inside, height, side):
        """Set the height where inside, and the colour of what can be seen of the sides."""
        self.sides.append(np.asarray(side, float))
        np.copyto(self.height[part], np.asarray(height, np.float32), where=inside)
        self.owner[part][inside] = len(self.sides) - 1

    def box(self, centre, along, length, width, *, height, colour, side=None, grain=0.05):
        """A plain block with a mottled top."""
        found = self.window(centre, along, length / 2, width / 2)
        if found is None:
            return
        part, u, v = found
        edge = np.minimum(length / 2 - np.abs(u), width / 2 - np.abs(v))
        top = np.asarray(colour)[:, None, None] * (1 + grain * self.grain(1, u.shape))
        self.blend(part, self.soft(edge), top)
        side = np.asarray(colour) * self.rng.uniform(0.5, 1.0) if side is None else side
        if height > 0:
            self.raise_to(part, edge > 0, height, side)

    def pieces(self, line, half_m, piece_m=12.0):
        """Along a line: (slices, inside, s, v) of every piece of it, s from its beginning."""
        step = np.diff(line, axis=0)
        s = np.concatenate([[0], np.cumsum(np.hypot(*step.T))])
        if s[-1] < 1:
            return
        at = np.linspace(0, s[-1], max(2, int(np.ceil(s[-1] / piece_m)) + 1))
        points = np.stack([np.interp(at, s, line[:, k]) for k in (0, 1)], -1)
        for k in range(len(points) - 1):
            a, b = points[k], points[k + 1]
            half = np.hypot(*(b - a)) / 2
            found = self.window((a + b) / 2, b - a, half + 0.02 * half_m, half_m)
            if found is not None:
                part, u, v = found
                long = half + 0.02 + 0.015 * half_m
                yield part, (np.abs(u) <= long) & (np.abs(v) < half_m), u + (at[k] + half), v


def hue(rng, value, cast=0.06):
    """A muted colour of about that brightness."""
    return np.clip(value * (1 + rng.normal(0, cast, 3)), 0.01, 1.0)


EARTHS = ((1.12, 1.0, 0.84), (1.05, 1.0, 0.93), (1.0, 1.0, 1.0), (1.2, 0.97, 0.75), (0.97, 1.0, 1.04))
GREENS = ((0.75, 1.0, 0.55), (0.95, 1.0, 0.6), (0.8, 1.0, 0.75), (1.1, 1.0, 0.62))


def earth(rng, low, high):
    """Gravel, soil, concrete or asphalt."""
    return np.array(EARTHS[rng.integers(len(EARTHS))]) * rng.uniform(low, high) * (1 + rng.normal(0, 0.02, 3))


def green(rng, low=0.08, high=0.25):
    """Grass, weeds or leaves."""
    return np.array(GREENS[rng.integers(len(GREENS))]) * rng.uniform(low, high)


PAINTS = (
    ((0.42, 0.16, 0.1), 4), ((0.3, 0.16, 0.11), 4), ((0.24, 0.17, 0.14), 3), ((0.55, 0.55, 0.53), 5),
    ((0.75, 0.75, 0.73), 4), ((0.38, 0.38, 0.38), 3), ((0.06, 0.06, 0.07), 4), ((0.14, 0.14, 0.14), 3),
    ((0.6, 0.5, 0.2), 2), ((0.7, 0.55, 0.08), 1), ((0.1, 0.2, 0.4), 2), ((0.1, 0.28, 0.16), 2),
    ((0.25, 0.38, 0.5), 1), ((0.6, 0.14, 0.1), 1), ((0.62, 0.56, 0.45), 2), ((0.75, 0.35, 0.1), 1),
)  # fmt: skip


def paint_of(rng, *, light=None):
    """A car's paint, faded; ``light`` forces a pale one."""
    if light:
        return hue(rng, rng.uniform(0.5, 0.92), 0.03)
    weight = np.array([w for _, w in PAINTS], float)
    base = np.array(PAINTS[rng.choice(len(PAINTS), p=weight / weight.sum())][0])
    grey = base.mean()
    return np.clip((base + rng.uniform(0, 0.6) * (grey - base)) * rng.uniform(0.7, 1.4), 0.02, 1.0)
