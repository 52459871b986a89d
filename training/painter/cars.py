"""Roofs and loads, painted car by car in the car's own frame: u along it, v to its right."""

from __future__ import annotations

import numpy as np

from .canvas import earth, hue, paint_of


class Roof:
    """A car's cells while it is painted: colour (3, h, w), height, opacity."""

    def __init__(self, canvas, car, centre, along):
        self.found = canvas.window(centre, along, car.length / 2, car.width / 2)
        if self.found is None:
            return
        self.canvas, self.car = canvas, car
        self.rng, self.same = canvas.rng, np.random.default_rng(car.style)
        self.part, self.u, self.v = self.found
        self.a, self.b = np.abs(self.u), np.abs(self.v)
        self.colour = np.broadcast_to(car.paint[:, None, None], (3, *self.u.shape)).astype(np.float32).copy()
        self.z = np.full(self.u.shape, car.height, np.float32)
        self.edge = np.minimum(car.length / 2 - self.a, car.width / 2 - self.b)
        self.alpha = canvas.soft(self.edge)

    def lay(self, distance, colour, opacity=1.0):
        """Colour what has a positive distance."""
        cover = self.canvas.soft(distance) * opacity
        self.colour += cover * (np.asarray(colour, np.float32)[:, None, None] - self.colour)

    def shade(self, distance, factor):
        """Make lighter or darker what has a positive distance."""
        self.colour *= 1 + (factor - 1) * self.canvas.soft(distance)

    def grain(self, size=1):
        """Noise of that scale over the car."""
        return self.canvas.grain(size, self.u.shape)

    def weather(self):
        """Dirt, rust and streaks."""
        rng = self.rng
        self.colour *= 1 + rng.uniform(0, 0.1) * self.grain(1) + rng.uniform(0, 0.05) * self.grain(0)
        if rng.random() < 0.3:
            rust = np.clip(self.grain(2) - rng.uniform(-0.3, 1.2), 0, 1) * rng.uniform(0.2, 0.9)
            tone = (
                np.array([0.34, 0.19, 0.12]) * rng.uniform(0.6, 1.3) if rng.random() < 0.7 else hue(rng, 0.1)
            )
            self.colour += rust * (tone[:, None, None] - self.colour)
        if rng.random() < 0.3:
            self.shade(rng.uniform(0.1, 0.5) - np.abs(self.v - rng.normal(0, 0.6)), rng.uniform(0.6, 1.4))

    def done(self):
        """Put it onto the canvas."""
        self.canvas.blend(self.part, self.alpha, np.clip(self.colour, 0.01, 1.2))
        side = np.clip(self.car.paint * self.rng.uniform(0.5, 1.0), 0.02, 1)
        self.canvas.raise_to(self.part, (self.edge > 0) & (self.alpha > 0), self.z, side)


def ribbed(r):
    """Boxcar: ribs across, a ridge, patchwork or corroded sheets, a darker or lighter rim."""
    pitch, deep = r.same.uniform(0.8, 2.4), r.same.choice([0, 0.08, 0.2])
    r.colour *= 1 + deep * np.sign(np.sin(2 * np.pi * r.u / pitch) - 0.6)
    if r.same.random() < 0.4:  # patchwork
        sheet = np.floor((r.u + 40) / (pitch * 1.7)).astype(int)
        r.colour *= r.same.uniform(0.55, 1.45, 80)[sheet % 80]
    if r.same.random() < 0.5:
        r.lay(0.3 - r.b, r.car.paint * r.same.uniform(0.5, 1.5))
    if r.same.random() < 0.4:
        r.shade(0.25 - r.edge, r.same.uniform(0.5, 1.3))
    r.z += 0.25 * (1 - 2 * r.b / r.car.width)


def smooth(r):
    """A curved or flat roof of one piece, perhaps of two tones."""
    r.z -= r.same.uniform(0, 1.2) * (2 * r.b / r.car.width) ** 2
    if r.same.random() < 0.4:
        r.colour *= 1 + r.same.uniform(0.05, 0.25) * np.sign(r.u if r.same.random() < 0.5 else r.v)
    r.shade(0.12 - r.a, r.same.choice([1.0, 0.5, 1.4]))


def hatches(r):
    """Covered hopper: rows of round or square hatches, walkways along the edges."""
    rows, pitch = r.same.choice([1, 2, 2]), r.same.uniform(1.2, 3.5)
    size, tone = r.same.uniform(0.25, 0.5), r.same.choice([0.4, 0.7, 1.35])
    du = (r.u + 50) % pitch - pitch / 2
    dv = r.b - r.same.uniform(0.5, 0.9) if rows == 2 else r.b
    far = np.hypot(du, dv) if r.same.random() < 0.6 else np.maximum(np.abs(du), np.abs(dv))
    r.shade(size - far, tone)
    if r.same.random() < 0.5:
        r.shade(0.3 - np.abs(r.b - r.car.width / 2 + 0.3), r.same.choice([0.5, 0.7, 1.25]))
    r.z -= 0.5 * (2 * r.b / r.car.width) ** 2


def trough(r):
    """Covered hopper with one long trough hatch, open platforms at the ends."""
    r.shade(
        np.minimum(r.same.uniform(0.25, 0.45) - r.b, r.car.length / 2 - 1.4 - r.a), r.same.uniform(0.5, 1.5)
    )
    pitch = r.same.uniform(1.5, 4)
    r.shade(0.1 - np.abs((r.u + 50) % pitch - pitch / 2), r.same.choice([0.6, 0.8, 1.2]))
    _ends(r, r.same.uniform(0.4, 1.3))


def _ends(r, deep, tone=0.08):
    """Low dark platforms at both ends."""
    out = r.a - (r.car.length / 2 - deep)
    r.lay(out, hue(r.same, tone * 1.5))
    r.z = np.where(out > 0, 1.2, r.z)


def domes(r):
    """Cement and powder cars: two to four bulging vessels."""
    n = int(r.same.integers(2, 5))
    pitch = r.car.length / n
    du = np.abs((r.u + r.car.length / 2) % pitch - pitch / 2) / (pitch / 2)
    bulge = np.sqrt(np.clip(1 - du**2 * 0.9, 0.02, 1)) * np.sqrt(
        np.clip(1 - (r.b / r.car.width * 2) ** 2, 0.02, 1)
    )
    r.z = (r.car.height * (0.4 + 0.6 * bulge)).astype(np.float32)
    r.shade(r.same.uniform(0.3, 0.5) - np.hypot(du * pitch / 2, r.v), r.same.choice([0.5, 1.3]))
    r.colour *= 0.6 + 0.4 * bulge


def autorack(r):
    """Long, pale, with fine ribs."""
    pitch = r.same.uniform(0.6, 1.6)
    r.colour *= 1 + r.same.uniform(0.0, 0.12) * np.sin(2 * np.pi * r.u / pitch)
    r.shade(r.b - r.car.width / 2 + 0.35, r.same.uniform(0.5, 1.2))
    r.z -= 0.4 * (2 * r.b / r.car.width) ** 2


def hoods(r):
    """Coil car: separate hoods with dark joints, or one telescopic."""
    pitch = (r.car.length - 1.5) / (n := int(r.same.integers(1, 6)))
    du = (r.u + 60 * pitch + r.car.length / 2 - 0.75) % pitch
    r.shade(0.15 - np.minimum(du, pitch - du), 0.35)
    which = np.clip((r.u + r.car.length / 2) // pitch, 0, n).astype(int)
    r.colour *= r.same.uniform(0.7, 1.3, n + 1)[which]
    r.z -= r.same.uniform(0.2, 0.9) * (2 * r.b / r.car.width) ** 2
    _ends(r, 0.7)


def tank(r):
    """A cylinder with a bright line, dome, walkway, bands, and dark frames at its ends."""
    radius = r.car.width / 2 * r.same.uniform(0.82, 0.98)
    end = r.car.length / 2 - r.same.uniform(0.3, 1.2)
    shape = np.sqrt(np.clip(1 - (r.v / radius) ** 2, 0, 1))
    deck = (r.b > radius) | (r.a > end)
    r.z = np.where(deck, 1.1, r.car.height - 1.3 + 1.3 * shape).astype(np.float32)
    r.colour *= 0.45 + 0.55 * shape
    shift = r.canvas.glint * radius * 0.45
    r.colour += r.same.uniform(0, 0.35) * np.exp(-0.5 * ((r.v - shift) / 0.22) ** 2)
    if r.same.random() < 0.4:
        r.lay(
            r.same.uniform(0.5, 2.5) - r.a, hue(r.same, r.same.uniform(0.05, 0.3)), r.same.uniform(0.3, 0.9)
        )
    if r.same.random() < 0.7:
        r.lay(0.3 - r.b, hue(r.same, r.same.uniform(0.05, 0.7)), r.same.uniform(0.2, 0.8))
    r.lay(r.same.uniform(0.4, 0.9) - np.hypot(r.u, r.v), hue(r.same, r.same.uniform(0.05, 0.6)), 0.8)
    if r.same.random() < 0.3:
        r.shade(0.5 - np.abs(r.a - end * 0.55), r.same.uniform(0.4, 1.5))
    frame = hue(r.same, r.same.uniform(0.04, 0.2))
    r.lay(np.maximum(r.a - end, r.b - radius), frame)


LOADS = ((0.04, 0.09), (0.1, 0.25), (0.25, 0.5), (0.5, 0.85))


def gondola(r):
    """Open from above: empty, with a heap whose ends show the floor, or full of scrap, pipes, timber."""
    wall = r.same.uniform(0.12, 0.3)
    inside = r.edge - wall
    depth = r.car.height - 1.2
    floor = r.car.paint * r.same.uniform(0.25, 0.9) if r.same.random() < 0.6 else earth(r.same, 0.06, 0.45)
    r.z = np.where(inside > 0, 1.2, r.z).astype(np.float32)
    r.lay(inside, floor)
    how = r.same.random()
    if how < 0.35 or r.rng.random() < 0.08:
        r.shade(0.15 - np.abs((r.u + 50) % 3.1 - 1.5), r.same.uniform(0.6, 1.3))
        return
    heaps, reach = int(r.same.integers(1, 4)), r.car.length / 2 - r.same.uniform(0.2, 1.6)
    du = np.abs((r.u + reach) % (2 * reach / heaps) - reach / heaps) / (reach / heaps)
    fill = (
        r.same.uniform(0.4, 1.25) * (1 - du**4 * 0.5 * (heaps > 1)) * (1 - 0.3 * (r.b / r.car.width * 2) ** 2)
    )
    rough = r.same.uniform(0.02, 0.35)
    loaded = np.minimum(inside, reach - r.a)
    top = 1.2 + depth * fill + rough * r.grain(1)
    r.z = np.where(loaded > 0, np.clip(top, 1.2, 6), r.z).astype(np.float32)
    if how < 0.8:
        load = earth(r.same, *LOADS[r.same.choice(4, p=[0.45, 0.25, 0.2, 0.1])])
    else:
        load = np.array([0.33, 0.22, 0.15]) * r.same.uniform(0.6, 1.6)
    r.lay(loaded, load)
    if how >= 0.8:  # timber, pipes, scrap
        pitch = r.same.uniform(0.25, 0.6)
        stripes = np.sin(2 * np.pi * r.v / pitch) if r.same.random() < 0.6 else r.grain(1)
        r.colour *= 1 + r.same.uniform(0.1, 0.4) * stripes * (loaded > 0)
    else:
        r.colour *= 1 + rough * r.grain(1) * (loaded > 0)


def hopper(r):
    """Open hopper: as a gondola, with ridges across and sloping ends."""
    gondola(r)
    pitch = r.car.length / int(r.same.integers(2, 6))
    if r.same.random() < 0.6:
        r.lay(
            0.15 - np.abs((r.u + r.car.length / 2) % pitch - pitch / 2),
            r.car.paint * r.same.uniform(0.6, 1.2),
        )
    if r.same.random() < 0.5:
        r.shade(r.a - r.car.length / 2 + 1.2, r.same.uniform(0.5, 1.4))


def sheeted(r):
    """A gondola under a tarpaulin: folds, sagging, bows across."""
    r.colour[:] = paint_of(r.same, light=r.same.random() < 0.3)[:, None, None]
    pitch = r.same.uniform(1.0, 3.0)
    r.z += 0.15 * np.cos(2 * np.pi * r.u / pitch) + 0.1 * r.grain(1) - 0.3 * (r.b / r.car.width * 2) ** 2
    r.colour *= (
        1 + r.same.uniform(0, 0.15) * np.cos(2 * np.pi * r.u / pitch) + r.same.uniform(0, 0.1) * r.grain(1)
    )


def flat(r):
    """An empty deck of planks or steel, sometimes with stakes or gaps that show the underframe."""
    deck = earth(r.same, 0.08, 0.5) if r.same.random() < 0.6 else r.car.paint
    r.lay(r.edge + 1, deck)
    r.colour *= 1 + r.same.uniform(0, 0.12) * np.sin(2 * np.pi * r.u / r.same.uniform(0.4, 2.0))
    r.shade(0.15 - r.edge, r.same.uniform(0.5, 1.4))
    if r.same.random() < 0.3:
        r.shade(0.3 - r.b, r.same.uniform(0.5, 1.3))
    if r.rng.random() < 0.15:  # something stands on it
        size = r.rng.uniform(1, r.car.length / 2 - 0.5)
        here = np.minimum(size - np.abs(r.u - r.rng.normal(0, 1)), r.car.width / 2 - 0.3 - r.b)
        r.lay(here, paint_of(r.rng))
        r.z = np.where(here > 0, r.rng.uniform(1.6, 3.8), r.z).astype(np.float32)


def beam(r):
    """Centre-beam flat: a thin wall along the middle between bulkheads, empty or with wrapped lumber."""
    r.lay(0.2 - r.b, r.car.paint * 1.3)
    r.lay(r.a - r.car.length / 2 + 0.5, r.car.paint)
    r.z = np.where((r.b < 0.2) | (r.a > r.car.length / 2 - 0.5), 4.3, r.z).astype(np.float32)
    r.shade(r.b - 0.25, 0.7)


def skeleton(r):
    """A frame of two sills and cross members through which the track is seen."""
    sill = np.maximum(
        r.same.uniform(0.15, 0.4) - np.abs(r.b - r.same.choice([0.0, 0.7, 1.1])), 0.3 - r.a % 4.2
    )
    sill = np.maximum(sill, r.a - r.car.length / 2 + r.same.uniform(0.5, 2))
    r.alpha = r.alpha * np.maximum(r.canvas.soft(sill), r.same.uniform(0, 0.7))
    r.z = np.where(sill > 0, r.z, 0.6).astype(np.float32)


def containers(r, base, tiers, *, from_end, to_end, there):
    """Containers end to end between two places along the car; returns the number set down."""
    at, n = from_end, 0
    size = r.same.choice([6.06, 12.19, 12.19, 13.7, 7.45])
    while at + min(size, 6.06) <= to_end + 0.05:
        long = size if at + size <= to_end + 0.05 else 6.06
        if r.rng.random() < there:
            here = np.minimum(long / 2 - np.abs(r.u - at - long / 2), 1.22 - r.b)
            colour = paint_of(r.rng, light=r.rng.random() < 0.2)
            pitch = r.same.uniform(0.4, 1.2)
            r.lay(here, colour)
            r.colour *= 1 + 0.05 * np.sin(2 * np.pi * r.u / pitch) * (here > 0)
            r.alpha = np.maximum(r.alpha * (1 - r.canvas.soft(here)), r.canvas.soft(here))
            r.z = np.where(here > 0, base + 2.6 * tiers, r.z).astype(np.float32)
            n += 1
        at += long + 0.15
    return n


def boxed(r):
    """A container flat with its load, full or half."""
    (flat if r.same.random() < 0.5 else skeleton)(r)
    half = r.car.length / 2 - 0.2
    if not containers(r, 1.2, 1, from_end=-half, to_end=half, there=r.same.uniform(0.5, 1)):
        containers(r, 1.2, 1, from_end=-min(half, 6.15), to_end=min(half, 6.15), there=1.0)


def well(r):
    """A well car: high dark ends, a deep well, empty or with one or two tiers."""
    inner = r.car.length / 2 - r.same.uniform(1.2, 2.2)
    r.lay(np.minimum(inner - r.a, r.car.width / 2 - 0.25 - r.b), hue(r.same, r.same.uniform(0.03, 0.3)))
    r.z = np.where((r.a < inner) & (r.b < 1.2), 0.4, r.z).astype(np.float32)
    if r.load:
        tiers, reach = int(r.same.choice([1, 2, 2])), min(inner, 6.2)
        n = containers(r, 0.4, tiers, from_end=-reach, to_end=reach, there=1.0)
        r.kind = "covered" if n else "flat"


def coach(r):
    """A passenger car: smooth roof, vents or air conditioners, ribbed or grey."""
    r.z -= 0.8 * (2 * r.b / r.car.width) ** 2
    pitch = r.same.uniform(2, 6)
    r.shade(np.minimum(0.6 - np.abs((r.u + 60) % pitch - pitch / 2), 0.5 - r.b), r.same.uniform(0.5, 1.5))
    r.shade(r.b - r.car.width / 2 + 0.4, r.same.uniform(0.6, 1.1))


def hood(r):
    """A hood unit: narrow long hood between walkways, cab near one end, fans and grilles."""
    second = paint_of(r.same)
    walk = np.where(r.same.random() < 0.5, r.car.paint * 0.5, earth(r.same, 0.05, 0.3))
    cab_at = r.car.length * r.same.uniform(-0.38, -0.2)
    cab = np.minimum(r.same.uniform(1.0, 1.5) - np.abs(r.u - cab_at), r.edge + 0.02)
    body = np.minimum(r.same.uniform(0.8, 1.2) - r.b, r.car.length / 2 - 1.2 - r.a)
    r.lay(r.edge + 1, walk)
    r.lay(body, r.car.paint)
    fans = np.hypot((r.u - r.car.length * 0.3) % 1.6 - 0.8, r.v)
    r.lay(np.minimum(0.65 - fans, r.u - r.car.length * 0.12), hue(r.same, 0.08))
    r.lay(0.5 - np.hypot(r.u - r.car.length * 0.02, r.v), hue(r.same, 0.05))
    r.lay(cab, second)
    r.z = np.where(np.maximum(cab, body) > 0, r.z, 1.5).astype(np.float32)


def cab(r):
    """A locomotive as wide as its frame, cabs at both ends; pantographs and boxes, or grilles and fans."""
    second = paint_of(r.same)
    r.lay(r.a - r.car.length / 2 + r.same.uniform(1, 3), second)
    r.z -= 0.5 * (2 * r.b / r.car.width) ** 2
    for _ in range(r.same.integers(3, 9)):
        at, tone = r.same.uniform(-0.4, 0.4) * r.car.length, r.same.choice([0.05, 0.1, 0.3, 0.6])
        size = r.same.uniform(0.3, 1.3, 2)
        r.lay(np.minimum(size[0] - np.abs(r.u - at), size[1] - r.b), hue(r.same, tone), 0.8)


LOOKS = {f.__name__: f for f in (
    ribbed, smooth, hatches, trough, domes, autorack, hoods, tank, gondola, hopper, flat, beam, skeleton,
    boxed, well, coach, hood, cab)}  # fmt: skip


def paint_car(canvas, car, centre, along, *, tarpaulins=0.0):
    """Paint a car; its kind and height for the truth, or None where it is out of the picture."""
    r = Roof(canvas, car, centre, along)
    if r.found is None:
        return None
    r.kind, r.load = car.type.kind, canvas.rng.random() < 0.65
    if car.type.look in ("gondola", "hopper") and r.rng.random() < tarpaulins:
        sheeted(r)
        r.kind = "covered"
    else:
        LOOKS[car.type.look](r)
    r.weather()
    r.done()
    return r.kind, float(np.percentile(r.z[r.edge > 0], 90)) if (r.edge > 0).any() else 0.0
