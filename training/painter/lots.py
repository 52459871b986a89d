"""Pictures without railcars: rows of things of a like size and shape that a counter could fall for."""

from __future__ import annotations

import numpy as np

from .canvas import earth, green, hue, paint_of
from .ground import stripe
from .things import building, road, tree, unit, vehicle


def frame(canvas, angle):
    """Directions along and across, and half of the reach each needs to cover the picture."""
    d = unit(angle)
    return d, np.array([-d[1], d[0]]), np.array([canvas.width_m, canvas.height_m]) / 2


class Field:
    """An oblong part of the picture in which something stands in rows."""

    def __init__(self, canvas):
        rng = self.rng = canvas.rng
        self.canvas = canvas
        self.d, self.n, half = frame(canvas, rng.uniform(0, np.pi))
        self.size = 2 * half
        self.middle = half * rng.uniform(0.3, 1.7, 2)
        self.u, self.v = rng.uniform(30, 160), rng.uniform(20, 100)
        found = canvas.window(self.middle, self.d, self.u, self.v)
        if found:
            part, u, v = found
            edge = np.minimum(self.u - np.abs(u), self.v - np.abs(v))
            canvas.height[part][edge > -2] = 0
            if rng.random() < 0.8 or (edge > 0).mean() < 0.9:
                tone = earth(rng, 0.08, 0.55)[:, None, None]
                canvas.blend(part, canvas.soft(edge), tone * (1 + 0.05 * canvas.grain(2, u.shape)))

    def slots(self, pitch_u, pitch_v, p, *, jitter=0.1):
        """The middles of a lattice that are within and taken."""
        for v in np.arange(-self.v + pitch_v / 2, self.v, pitch_v):
            for u in np.arange(-self.u + pitch_u / 2, self.u, pitch_u):
                at = self.middle + self.d * u + self.n * v + self.rng.normal(0, jitter, 2)
                inside = (
                    (at > -9).all() and at[0] < self.canvas.width_m + 9 and at[1] < self.canvas.height_m + 9
                )
                if inside and self.rng.random() < p:
                    yield at, u, v


def homes(f):
    """Mobile homes or narrow houses, aslant or square to their lanes, trees between."""
    rng, long, wide = f.rng, f.rng.uniform(10, 22), f.rng.uniform(3.6, 7)
    turn = f.rng.choice([0, 0.35, -0.5])
    d = f.n * np.cos(turn) + f.d * np.sin(turn)
    for at, _, _ in f.slots(wide + rng.uniform(1.5, 7), long + rng.uniform(3, 12), 0.9, jitter=0.3):
        building(f.canvas, at, d, long * rng.uniform(0.75, 1.05), wide, height=rng.uniform(2.6, 4))
        if rng.random() < 0.3:
            tree(f.canvas, at + rng.normal(0, 8, 2), rng.uniform(1, 4), green(rng, 0.05, 0.15))
        if rng.random() < 0.3:
            vehicle(f.canvas, at + f.n * (long / 2 + 3), f.d, what="car")


def parked(f, what=None, long=None):
    """Vehicles side by side, or end to end."""
    rng = f.rng
    what = rng.choice(["car", "bus", "lorry", "trailer", "trailer", "van"]) if what is None else what
    long = {"car": 5.2, "van": 7.0, "bus": 13.0}.get(what, 16.5)
    d = f.n * np.cos(t := rng.choice([0, 0.5, -0.3, 0])) + f.d * np.sin(t)
    wide = (2.6 if what == "car" else rng.uniform(3.1, 4.6)) / np.cos(t)
    if rng.random() < 0.35:
        d, pitch = f.d, (long + rng.uniform(0.6, 4), rng.uniform(3.2, 6))
    else:
        pitch = (wide, long + rng.uniform(0.5, 12))
    for at, _, _ in f.slots(*pitch, rng.uniform(0.4, 1.0)):
        vehicle(f.canvas, at, d, what=what)


def stacks(f):
    """Containers end to end in rows, stacked one to five high."""
    rng, long = f.rng, f.rng.choice([6.06, 12.19])
    row, high = rng.uniform(2.5, 3.0), rng.integers(1, 6)
    same = rng.random() < 0.2
    paint, lane = paint_of(rng), int(rng.integers(2, 9))
    for at, _, v in f.slots(long + rng.uniform(0.2, 0.7), row, rng.uniform(0.6, 1), jitter=0.05):
        if int(np.floor((v + f.v) / row)) % (lane + 2) < lane:
            if not same:
                paint = paint_of(rng, light=rng.random() < 0.15)
            tiers = rng.integers(1, high + 1)
            f.canvas.box(at, f.d, long, 2.44, height=2.6 * tiers, colour=paint, grain=0.06)


def sheds(f):
    """Long roofs: warehouses, garages, greenhouses, chicken houses, canopies."""
    rng, long, wide = f.rng, f.rng.uniform(25, 140), f.rng.choice([3.0, 6, 12, 20]) * f.rng.uniform(0.9, 1.4)
    for at, _, _ in f.slots(long + rng.uniform(2, 12), wide + rng.uniform(0.8, 14), 0.9):
        building(f.canvas, at, f.d, long, wide, height=rng.uniform(2.5, 8))


def boats(f):
    """A harbour: dark water, jetties, hulls side by side."""
    rng = f.rng
    found = f.canvas.window(f.middle, f.d, f.u, f.v)
    if found:
        part, u, v = found
        f.canvas.blend(part, f.canvas.soft(np.minimum(f.u - np.abs(u), f.v - np.abs(v))), hue(rng, 0.1, 0.2))
    long = rng.uniform(7, 14)
    for at, _, _ in f.slots(rng.uniform(3.4, 5), long * 1.3 + 2, 0.8, jitter=0.2):
        f.canvas.box(at, f.n, long, long / 3.6, height=1.3, colour=hue(rng, rng.uniform(0.5, 0.95)))
        f.canvas.box(at, f.n, long * 0.4, long / 5, height=2, colour=hue(rng, rng.uniform(0.1, 0.9)))


def panels(f):
    """Solar panels in long dark rows."""
    rng, wide = f.rng, f.rng.uniform(2, 4.5)
    long, tone = rng.uniform(8, 80), np.array([0.06, 0.08, 0.16]) * rng.uniform(0.7, 2.2)
    for at, _, _ in f.slots(long + rng.uniform(0.5, 4), wide + rng.uniform(1.5, 6), 0.97, jitter=0.02):
        f.canvas.box(at, f.d, long, wide, height=1.6, colour=tone, grain=0.1)


def furrows(f):
    """A field with rows, or hay bales and swaths."""
    found = f.canvas.window(f.middle, f.d, f.u, f.v)
    if found:
        part, u, v = found
        rng = f.rng
        edge = np.minimum(f.u - np.abs(u), f.v - np.abs(v))
        tone = green(rng) if rng.random() < 0.5 else earth(rng, 0.15, 0.5)
        wave = np.sin(2 * np.pi * (v + 0.5 * f.canvas.grain(3, u.shape)) / rng.uniform(1.2, 8))
        rows = 1 + rng.uniform(0.05, 0.35) * wave + 0.08 * f.canvas.grain(1, u.shape)
        f.canvas.blend(part, f.canvas.soft(edge), tone[:, None, None] * rows)


def hedges(f):
    """Lines of hedge, a canal or fences."""
    rng = f.rng
    for v in np.arange(-f.v, f.v, rng.uniform(8, 40)):
        ends = [f.middle + f.n * v - f.d * f.u, f.middle + f.n * v + f.d * f.u]
        line = np.linspace(*ends, 60)
        if rng.random() < 0.3:
            stripe(f.canvas, line, rng.uniform(1, 8), hue(rng, rng.uniform(0.05, 0.25), 0.15), ragged=0.5)
        else:
            for at in line[:: int(rng.integers(1, 3))]:
                tree(f.canvas, at, rng.uniform(0.9, 2.2), green(rng, 0.05, 0.18))


def highway(f):
    """A road of many lanes with lorries, straight or bent."""
    rng, x = f.rng, np.arange(-220.0, 221.0, 2.0)
    y = x**2 / (2 * rng.uniform(250, 3000)) * rng.choice([-1, 0, 1])
    line = f.middle + x[:, None] * f.d + y[:, None] * f.n
    road(
        f.canvas, line, rng.uniform(3.5, 16), traffic=rng.uniform(0.005, 0.04), lorries=rng.uniform(0.1, 0.9)
    )


def heaps(f):
    """A storage lot: pipes, timber, scrap and pallets in rows."""
    rng, long = f.rng, f.rng.uniform(3, 18)
    for at, _, _ in f.slots(long + rng.uniform(0.5, 5), rng.uniform(2.5, 7), 0.8, jitter=0.3):
        colour = earth(rng, 0.1, 0.6) if rng.random() < 0.7 else paint_of(rng)
        f.canvas.box(at, f.d, long * rng.uniform(0.6, 1), rng.uniform(1.2, 3), height=rng.uniform(0.6, 3),
                     colour=colour, grain=rng.uniform(0.05, 0.4))  # fmt: skip


ALL = (homes, homes, parked, parked, parked, stacks, stacks, sheds, sheds, boats, panels, furrows, hedges,
       highway, highway, heaps)  # fmt: skip


def lots(canvas):
    """One to five such fields over the terrain."""
    rng = canvas.rng
    for _ in range(rng.integers(1, 6)):
        ALL[rng.integers(len(ALL))](Field(canvas))
