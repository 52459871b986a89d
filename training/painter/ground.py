"""The ground of a scene, the beds of its tracks, and the rails."""

from __future__ import annotations

import numpy as np

from .canvas import earth, green, smooth_noise


def terrain(canvas):
    """Soil, gravel, grass and their patches over everything."""
    rng, noise = canvas.rng, canvas.noise
    tone = np.zeros(canvas.shape, np.float32)
    for layer, weight in zip(noise, rng.uniform(0.0, 1.0, len(noise)) * [0.5, 0.8, 0.8, 1, 1], strict=True):
        tone += layer * np.float32(weight)
    tone *= rng.uniform(0.03, 0.16) / tone.std()
    base = earth(rng, 0.12, 0.6) if rng.random() < 0.7 else green(rng)
    canvas.colour[:] = base[:, None, None] * (1 + tone)
    for _ in range(rng.integers(0, 4)):
        field = smooth_noise(rng, canvas.shape, rng.uniform(15, 60) / canvas.step_m)
        field = field + rng.uniform(0, 0.6) * noise[3] + rng.uniform(0, 0.5) * noise[2] + 0.2 * noise[1]
        alpha = np.clip((field - rng.uniform(-0.5, 1.5)) * rng.uniform(0.5, 3), 0, 1) * rng.uniform(0.3, 1)
        patch = green(rng) if rng.random() < 0.5 else earth(rng, 0.08, 0.6)
        canvas.colour += alpha * (patch[:, None, None] * (1 + 1.3 * tone) - canvas.colour)


def stripe(canvas, line, half_m, colour, *, opacity=1.0, ragged=0.3, grain=0.1):
    """A band along a line with ragged edges: a path, a ditch, a road, weeds."""
    for part, inside, _, v in canvas.pieces(line, half_m + 1.0):
        rough = ragged * canvas.grain(2, v.shape) if ragged else 0.0
        alpha = canvas.soft(half_m - np.abs(v) + rough) * inside * opacity
        canvas.blend(part, alpha, np.asarray(colour)[:, None, None] * (1 + grain * canvas.grain(1, v.shape)))


def aside(line, offset):
    """The line, moved to the right."""
    d = np.gradient(line, axis=0)
    d /= np.maximum(np.hypot(*d.T), 1e-6)[:, None]
    return line + offset * np.stack([-d[:, 1], d[:, 0]], -1)


class Trackwork:
    """How the tracks of a scene look: one taste per group, with whims of single tracks."""

    def __init__(self, canvas):
        rng = self.rng = canvas.rng
        self.canvas = canvas
        self.bed = earth(rng, 0.1, 0.62)
        self.own_bed = rng.uniform(0, 0.3)
        self.half = rng.uniform(1.6, 3.2)
        self.rail = rng.choice([0.0, 0.35, 0.8, 1.0])
        self.rail_tone = rng.choice([0.06, 0.18, 0.4, 0.75]) * rng.uniform(0.7, 1.3)
        self.rail_colour = np.array([1.15, 0.95, 0.8]) if rng.random() < 0.5 else np.ones(3)
        self.sleepers = rng.choice([0.0, 0.12, 0.3]) * rng.choice([-1, -1, 1])
        self.oil = rng.uniform(0, 0.5) if rng.random() < 0.6 else 0.0
        self.weeds = rng.choice([0, 0, 0.15, 0.5])
        self.gauge = rng.choice([1.435, 1.435, 1.52]) / 2 + 0.035

    def beds(self, lines):
        """Ballast under every track and stripes between them."""
        rng, canvas = self.rng, self.canvas
        for line in lines:
            tone = self.bed * rng.normal(1, self.own_bed * 0.4)
            if rng.random() < self.own_bed * 0.5:
                tone = earth(rng, 0.08, 0.6)
            stripe(canvas, line.points, self.half, np.clip(tone, 0.03, 0.9), grain=rng.uniform(0.03, 0.16))
        p_between = rng.choice([0.0, 0.1, 0.5])
        for line in lines:
            if rng.random() < p_between:
                colour = green(rng) if rng.random() < 0.4 else earth(rng, 0.06, 0.7)
                stripe(canvas, aside(line.points, rng.choice([-1, 1]) * rng.uniform(2.0, 2.6)),
                       rng.uniform(0.2, 0.9), colour, opacity=rng.uniform(0.3, 1))  # fmt: skip

    def track(self, line, *, ghost=1.0):
        """Sleepers, oil, weeds and rails of one track."""
        rng, canvas = self.rng, self.canvas
        oil = self.oil * rng.uniform(0, 1.4) * ghost
        weeds = rng.uniform(0.2, 0.9) if rng.random() < self.weeds else 0.0
        leaf = green(rng)
        rail = self.rail * rng.uniform(0.5, 1.0) * ghost
        tone = np.clip(self.rail_colour * self.rail_tone * rng.uniform(0.8, 1.2), 0.02, 1.0)
        sleepers = self.sleepers * ghost if rng.random() < 0.9 else -0.2
        pitch, half_sleeper, wide = rng.uniform(0.52, 0.68), rng.uniform(1.15, 1.4), rng.uniform(0.5, 1.1)
        inner = rng.normal(0, 0.08)
        patchy, fleck = rng.uniform(0.3, 1), rng.uniform(-1, 1.0)
        for part, inside, s, v in canvas.pieces(line.points, 2.4):
            a = np.abs(v)
            factor = 1 - oil * np.exp(-0.5 * (v / wide) ** 2) * (1 + patchy * canvas.grain(3, v.shape) * 0.4)
            factor += inner * (a < 0.7)
            if sleepers:
                factor += sleepers * canvas.soft(half_sleeper - a) * np.sin(2 * np.pi * s / pitch)
                factor += 0.5 * sleepers * canvas.soft(half_sleeper - a)
            canvas.stain(part, np.where(inside, np.clip(factor, 0.2, 1.8), 1))
            if weeds:
                alpha = np.clip(canvas.grain(2, v.shape) - fleck, 0, 1) * weeds * canvas.soft(2.0 - a)
                canvas.blend(part, alpha * inside, leaf)
            if rail:
                off = np.abs(a - self.gauge)
                cover = np.clip((0.075 + canvas.step_m / 2 - off) / canvas.step_m, 0, 1)
                cover *= min(1.0, 0.15 / canvas.step_m)
                canvas.blend(part, cover * rail * inside, tone)
                canvas.stain(
                    part, 1 - 0.25 * rail * inside * canvas.soft(0.22 - np.abs(a - self.gauge - 0.2))
                )

    def spills(self, lines, n):
        """Heaps' remains, oil pools and coal dust about the tracks."""
        rng, canvas = self.rng, self.canvas
        for _ in range(n):
            line = lines[rng.integers(len(lines))].points
            i = rng.integers(len(line) - 2)
            found = canvas.window(line[i], line[i + 1] - line[i], rng.uniform(3, 40), rng.uniform(1, 3))
            if found is None:
                continue
            part, u, v = found
            fade = np.exp(-2 * (u / np.abs(u).max()) ** 2 - 2 * (v / np.abs(v).max()) ** 2)
            alpha = np.clip(fade * (1 + canvas.grain(2, u.shape)) - 0.3, 0, 1) * rng.uniform(0.2, 0.9)
            canvas.blend(part, alpha, earth(rng, 0.04, 0.7))


def snowed(canvas, *, roofs):
    """Snow over the ground, thin on tracks and (by chance) on roofs."""
    rng = canvas.rng
    depth = rng.uniform(0.4, 1.0)
    cover = np.clip(depth + 0.25 * canvas.noise[2] + 0.15 * canvas.noise[0], 0, 1)
    dark = canvas.colour.mean(0)
    cover = cover * np.where(dark < 0.12, rng.uniform(0.3, 1), 1)
    cover = np.where(canvas.height > 0.9, cover * roofs, cover)
    canvas.colour += cover * (np.float32(rng.uniform(0.75, 0.95)) - canvas.colour)
