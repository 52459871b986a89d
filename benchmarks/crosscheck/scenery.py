"""What stands in and around a yard, and what is taken for one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from canvas import Canvas, bar, noise, pick, rgb, vary
from ground import GRASSES, SOILS
from stock import BOXES, DARK, GREYS, RUST, WHITES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from canvas import Rng
    from layout import Axis, Track
    from light import Light

ROOFS = [*GREYS, *WHITES, (150, 90, 70), (120, 70, 60), (80, 80, 84), (170, 150, 130), (96, 110, 120)]
GLASS = [(196, 204, 204), (180, 190, 190), (208, 214, 212), (168, 182, 178)]
ASPHALTS = [(110, 110, 110), (92, 92, 94), (128, 126, 122), (146, 142, 136)]
CARS = [*WHITES, *DARK, *GREYS, (150, 30, 28), (40, 60, 110), (180, 180, 184)]


def masts(canvas: Canvas, axis: Axis, tracks: list[Track], *, gantries: bool, rng: Rng) -> None:
    """Poles of the overhead line between tracks, or portals across them, in rows."""
    across = sorted(t.offset_m for t in tracks)
    gaps = [(a + b) / 2 for a, b in pairwise(across) if b - a > 4.4]
    places = [across[0] - 2.6, *gaps, across[-1] + 2.6]
    if not gantries:
        places = [places[int(k)] for k in rng.integers(0, len(places), size=min(3, len(places)))]
    pitch, lattice = rng.uniform(48, 66), rng.random() < 0.6
    reach = np.hypot(*canvas.size_m) / 2
    for s in np.arange(-reach + rng.uniform(0, pitch), reach, pitch):
        spots = axis.place(np.full(len(places), s), np.array(places))
        for x, y in spots:
            _pole(canvas, float(x), float(y), height=rng.uniform(7.0, 8.5))
        if gantries:
            _beam(canvas, spots[0], spots[-1], lattice=lattice)


def _pole(canvas: Canvas, x: float, y: float, *, height: float) -> None:
    canvas.box(x, y, heading=0.0, size=(1.0, 1.0), colour=rgb(150, 148, 142))
    side = max(0.32, 2.05 * canvas.px)
    canvas.box(x, y, heading=0.0, size=(side, side), colour=rgb(150, 152, 150), height=height)


def _beam(canvas: Canvas, a: np.ndarray, b: np.ndarray, *, lattice: bool) -> None:
    x, y = (a + b) / 2
    length, heading = float(np.hypot(*(b - a))), float(np.arctan2(b[1] - a[1], b[0] - a[0]))
    patch = canvas.patch(float(x), float(y), heading=heading, half_u=length / 2, half_v=0.8)
    if patch is None:
        return
    half = 0.35 if lattice else 0.14
    cover = bar(np.abs(patch.v) - half, 0.06, canvas.px)
    if lattice:
        cross = np.abs(((patch.u + patch.v) / 0.9) % 1.0 - 0.5) < 0.12
        cover = np.maximum(cover, 0.8 * cross * (np.abs(patch.v) < half))
    cover = cover * (np.abs(patch.u) < length / 2)
    view = canvas.overhead[patch.window]
    np.maximum(view, cover.astype(np.float32), out=view)


def clutter(canvas: Canvas, axis: Axis, places: list[float], *, n: int, rng: Rng) -> None:
    """Small things between tracks: signals, cabinets, piles of sleepers, people's huts."""
    reach = np.hypot(*canvas.size_m) / 2
    for _ in range(n):
        s, t = rng.uniform(-reach, reach), places[int(rng.integers(len(places)))] + rng.normal(0, 0.3)
        (x, y), turn = axis.place(np.array([s]), t)[0], axis.heading + axis.curvature * s
        size = [(0.6, 0.6), (1.2, 0.6), (2.5, 1.0), (0.4, 0.4)][int(rng.integers(4))]
        colour = pick([*WHITES, *RUST, *GREYS, (190, 170, 60)], rng)
        canvas.box(float(x), float(y), heading=turn, size=size, colour=colour, height=rng.uniform(0.3, 1.6))


def tree(canvas: Canvas, x: float, y: float, *, light: Light, rng: Rng) -> None:
    """A crown of leaves, lit from the sun's side."""
    radius, tall = rng.uniform(1.8, 5.0), rng.uniform(4.0, 11.0)
    patch = canvas.patch(x, y, heading=0.0, half_u=radius * 1.3, half_v=radius * 1.3)
    if patch is None:
        return
    lumps = noise(patch.v.shape, scale_px=1.1 / canvas.px, rng=rng)
    far = np.hypot(patch.u, patch.v) / radius + 0.16 * lumps
    dome = np.sqrt(np.clip(1 - far**2, 0, 1))
    sx, sy, _ = light.to_sun
    shade = 0.75 + 0.55 * (patch.u * sx + patch.v * sy) / radius + 0.22 * lumps
    colour = pick([(62, 82, 44), (52, 70, 42), (76, 92, 54), (90, 96, 60)], rng)
    paint = colour * np.clip(shade, 0.25, 1.7)[..., None].astype(np.float32)
    canvas.put(
        patch, (far < 1).astype(np.float32), paint, height=(tall * (0.45 + 0.55 * dome)).astype(np.float32)
    )


def roof(
    canvas: Canvas,
    x: float,
    y: float,
    *,
    heading: float,
    size: tuple[float, float],
    light: Light,
    rng: Rng,
    colours: Sequence[tuple[int, int, int]] = ROOFS,
) -> None:
    """A flat or a pitched roof; the ridge runs along."""
    patch = canvas.patch(x, y, heading=heading, half_u=size[0] / 2 + 0.3, half_v=size[1] / 2 + 0.3)
    if patch is None:
        return
    alpha = bar(patch.u, size[0] / 2, canvas.px) * bar(patch.v, size[1] / 2, canvas.px)
    colour, tall = pick(list(colours), rng), rng.uniform(3.0, 7.5)
    paint = (
        np.broadcast_to(colour, (*alpha.shape, 3))
        * np.exp(
            0.05 * noise(alpha.shape, scale_px=1, rng=rng)
            + 0.08 * noise(alpha.shape, scale_px=3 / canvas.px, rng=rng)
        )[..., None]
    )
    height = np.full(alpha.shape, tall, np.float32)
    if rng.random() < 0.6:
        slope = rng.uniform(0.15, 0.6)
        height += slope * (size[1] / 2 - np.abs(patch.v))
        sx, sy, sz = light.to_sun
        across = (sy * np.cos(heading) - sx * np.sin(heading)) * np.sign(patch.v) * slope
        paint = paint * np.clip((sz + across) / max(sz, 0.3), 0.35, 1.6)[..., None].astype(np.float32)
    else:
        edge = 1 - bar(patch.u, size[0] / 2 - 0.4, canvas.px) * bar(patch.v, size[1] / 2 - 0.4, canvas.px)
        paint = paint * (1 + 0.25 * edge)[..., None]
        for _ in range(int(size[0] * size[1] / 150)):
            u, v = rng.uniform(-0.45, 0.45, 2) * size
            vent = bar(patch.u - u, rng.uniform(0.4, 1.2), canvas.px) * bar(patch.v - v, 0.6, canvas.px)
            paint = paint + (rgb(170, 170, 170) - paint) * (0.8 * vent)[..., None]
    canvas.put(patch, alpha, paint.astype(np.float32), height=height)


def motor_car(canvas: Canvas, x: float, y: float, *, heading: float, rng: Rng) -> None:
    """A passenger car on the ground."""
    long, wide = rng.uniform(3.9, 4.9), rng.uniform(1.7, 1.9)
    colour = pick(CARS, rng)
    canvas.box(x, y, heading=heading, size=(long, wide), colour=colour, height=0.9)
    dx, dy = np.cos(heading) * 0.2, np.sin(heading) * 0.2
    canvas.box(
        x - dx, y - dy, heading=heading, size=(long * 0.55, wide * 0.86), colour=rgb(40, 44, 50), height=1.4
    )
    canvas.box(x - dx, y - dy, heading=heading, size=(long * 0.33, wide * 0.8), colour=colour, height=1.45)


def trailer(canvas: Canvas, x: float, y: float, *, heading: float, rng: Rng, cab: bool = False) -> None:
    """A semi-trailer, with its tractor where ``cab``."""
    long = float(rng.choice([12.2, 13.6, 13.6, 14.6, 16.1]))
    colour = pick([*WHITES, *WHITES, *BOXES], rng)
    canvas.box(x, y, heading=heading, size=(long, 2.55), colour=colour, height=3.95, grain=0.04, rng=rng)
    if cab:
        dx, dy = np.cos(heading) * (long / 2 + 1.9), np.sin(heading) * (long / 2 + 1.9)
        canvas.box(x + dx, y + dy, heading=heading, size=(2.2, 2.45), colour=pick(BOXES, rng), height=3.2)
        dx, dy = np.cos(heading) * (long / 2 + 0.4), np.sin(heading) * (long / 2 + 0.4)
        canvas.box(x + dx, y + dy, heading=heading, size=(0.9, 1.0), colour=rgb(50, 50, 50), height=1.0)


def container_block(
    canvas: Canvas, x: float, y: float, *, heading: float, rows: int, columns: int, rng: Rng
) -> None:
    """Containers set side by side and end to end, one to four high."""
    long = float(rng.choice([6.06, 12.19, 12.19]))
    across = rng.uniform(2.6, 3.0)
    main = pick(BOXES, rng)
    c, s = np.cos(heading), np.sin(heading)
    for i in range(columns):
        for j in range(rows):
            if rng.random() < 0.12:
                continue
            u, v = (i - (columns - 1) / 2) * (long + 0.4), (j - (rows - 1) / 2) * across
            colour = vary(main, rng, tone=0.08) if rng.random() < 0.45 else pick(BOXES, rng)
            place = x + u * c - v * s, y + u * s + v * c
            tall = 2.6 * int(rng.integers(1, 4))
            canvas.box(
                *place, heading=heading, size=(long, 2.44), colour=colour, height=tall, grain=0.05, rng=rng
            )


def furrows(canvas: Canvas, *, heading: float, pitch: float, strength: float, rng: Rng) -> None:
    """Parallel stripes over the whole picture, as plough and tramlines leave them."""
    w, h = canvas.size_m
    patch = canvas.patch(w / 2, h / 2, heading=heading, half_u=w + h, half_v=w + h)
    if patch is None:
        return
    wobble = noise(canvas.height.shape, scale_px=25 / canvas.px, rng=rng)
    phase = (patch.v + 0.12 * wobble) / pitch
    wave = np.cos(2 * np.pi * phase) + 0.5 * np.cos(2 * np.pi * phase * 3 + 1)
    tram = np.abs((patch.v % 18.0) - 9.0)
    wave -= 2.0 * (np.abs(tram - 0.9) < 0.25)
    canvas.albedo *= np.exp(strength * wave)[..., None]


def parcels(canvas: Canvas, axis: Axis, middle: float, *, depth: float, reach: float, rng: Rng) -> None:
    """Fields, meadows, waste land: one after the other, each with its own tone and rows."""
    s = -reach
    while s < reach:
        long = float(rng.uniform(30, 160))
        x, y = (float(k) for k in axis.place(np.array([s + long / 2]), middle)[0])
        heading = axis.heading + axis.curvature * (s + long / 2)
        s += long
        if rng.random() < 0.4:
            continue
        patch = canvas.patch(x, y, heading=heading, half_u=long / 2, half_v=depth / 2)
        if patch is None:
            continue
        alpha = 0.8 * bar(patch.u, long / 2 - 1, canvas.px) * bar(patch.v, depth / 2 - 0.5, canvas.px)
        colour = pick([*SOILS, *GRASSES, (88, 104, 66), (160, 150, 118)], rng)
        rows = patch.v if rng.random() < 0.6 else patch.u
        texture = rng.uniform(0, 0.09) * np.cos(2 * np.pi * rows / rng.uniform(0.8, 5.0))
        texture = texture + 0.1 * noise(alpha.shape, scale_px=1.2 / canvas.px, rng=rng)
        canvas.put(patch, alpha, colour * np.exp(texture)[..., None].astype(np.float32))
