"""What lies beside a yard, and scenes without any track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scenery
from canvas import Canvas, pick, rgb, vary
from ground import road
from layout import Axis, Track, parallel

if TYPE_CHECKING:
    from canvas import Floats, Rng
    from kinds import Plan
    from light import Light


def _lines(canvas: Canvas, axis: Axis, t: float) -> list[Track]:
    return parallel(axis, [t], size_m=canvas.size_m)


def lanes(canvas: Canvas, axis: Axis, middles: list[float], *, snow: float, rng: Rng) -> None:
    """Service lanes in the wide gaps between tracks."""
    for t in middles:
        for line in _lines(canvas, axis, t):
            colour = pick([(150, 146, 138), (136, 128, 114), (120, 118, 116)], rng)
            colour = colour if not snow else vary(rgb(190, 192, 196), rng)
            road(canvas, line, half_m=rng.uniform(1.2, 2.4), colour=colour, lanes=False, rng=rng)


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A belt of land along the yard and what is on it."""

    what: str
    middle_m: float
    depth_m: float


DEPTHS_M = {
    "road": 9.0,
    "trees": 10.0,
    "roofs": 32.0,
    "lot": 34.0,
    "trailers": 40.0,
    "containers": 40.0,
    "fields": 60.0,
}


def zone(canvas: Canvas, across: list[float], plan: Plan, *, rng: Rng) -> list[Strip]:
    """Belts on both sides, outwards to the edge; the first of ``plan.beside`` is next to the tracks."""
    reach = float(np.hypot(*canvas.size_m)) / 2
    strips = []
    for side in (-1, 1):
        t = (across[0] if side < 0 else across[-1]) + side * rng.uniform(5.0, 10.0)
        first = plan.beside[0] if plan.beside[0] in ("trailers", "containers") else ""
        while abs(t) < reach:
            choice = str(rng.choice([*plan.beside, "fields", *(["fields"] if plan.crowd < 1 else [])]))
            what, first = first or choice, ""
            depth = DEPTHS_M[what] * rng.uniform(0.8, 1.3)
            strips.append(Strip(what=what, middle_m=t + side * depth / 2, depth_m=depth))
            t += side * (depth + rng.uniform(1.0, 6.0))
    return strips


def draw(
    canvas: Canvas, axis: Axis, strips: list[Strip], plan: Plan, *, light: Light, rng: Rng, flat: bool
) -> None:
    """Paint the belts that are flat (before the snow falls), or those that stand up."""
    reach = float(np.hypot(*canvas.size_m)) / 2
    for strip in strips:
        if (strip.what in ("road", "fields")) != flat:
            continue
        if strip.what == "road":
            colour, lanes_marked = pick(scenery.ASPHALTS, rng), rng.random() < 0.5
            for line in _lines(canvas, axis, strip.middle_m):
                road(canvas, line, half_m=rng.uniform(2.5, 4.0), colour=colour, lanes=lanes_marked, rng=rng)
        elif strip.what == "fields":
            scenery.parcels(canvas, axis, strip.middle_m, depth=strip.depth_m, reach=reach, rng=rng)
        else:
            _row(
                canvas,
                axis,
                strip.what,
                strip.middle_m,
                reach=reach,
                depth=strip.depth_m,
                crowd=plan.crowd,
                light=light,
                rng=rng,
            )


def _row(
    canvas: Canvas,
    axis: Axis,
    what: str,
    middle: float,
    *,
    reach: float,
    depth: float,
    crowd: float,
    light: Light,
    rng: Rng,
) -> None:
    """Lots, blocks or trees one after the other along the yard."""
    s = -reach + float(rng.uniform(0, 60))
    while s < reach:
        long = float(rng.uniform(18, 70)) if what != "trees" else float(rng.uniform(3, 14))
        x, y = (float(k) for k in axis.place(np.array([s + long / 2]), middle)[0])
        heading = axis.heading + axis.curvature * (s + long / 2)
        if what == "trees":
            for _ in range(int(rng.integers(1, 5))):
                dx, dy = rng.normal(0, depth / 3, 2)
                scenery.tree(canvas, x + float(dx), y + float(dy), light=light, rng=rng)
        elif what == "roofs":
            size = (long * 0.9, float(rng.uniform(8, depth * 0.8)))
            scenery.roof(canvas, x, y, heading=heading, size=size, light=light, rng=rng)
        else:
            lot(canvas, x, y, what, heading=heading, size=(long, depth * 0.92), rng=rng)
        s += long + float(rng.exponential((8 if what == "trees" else 30) / max(crowd, 0.2)))


def lot(
    canvas: Canvas, x: float, y: float, what: str, *, heading: float, size: tuple[float, float], rng: Rng
) -> None:
    """A paved lot of motor cars, trailers or containers in rows."""
    canvas.box(x, y, heading=heading, size=size, colour=pick(scenery.ASPHALTS, rng), grain=0.05, rng=rng)
    c, s = np.cos(heading), np.sin(heading)
    if what == "containers":
        _stacks(canvas, x, y, heading=heading, size=size, rng=rng)
        return
    along = what == "trailers" and rng.random() < 0.35
    deep = {"lot": 5.2, "trailers": 16.5}[what] if not along else 3.4
    pitch = {"lot": 2.5, "trailers": float(rng.uniform(3.2, 3.9))}[what] if not along else 17.5
    aisle = {"lot": 6.5, "trailers": 14.0}[what] if not along else 0.4
    full, v, number = rng.uniform(0.4, 0.95), -size[1] / 2 + deep / 2 + 0.5, 0
    while v < size[1] / 2 - deep / 2:
        for u in np.arange(-size[0] / 2 + pitch, size[0] / 2 - pitch / 2, pitch):
            turn = heading + (0.0 if along else np.pi / 2)
            if what == "lot" or rng.random() < 0.3:
                mark = u - pitch / 2
                at = x + mark * c - v * s, y + mark * s + v * c
                canvas.box(*at, heading=turn, size=(deep, 0.12), colour=rgb(200, 200, 196))
            if rng.random() < full:
                at = x + u * c - v * s, y + u * s + v * c
                wobble = turn + float(rng.normal(0, 0.02))
                if what == "lot":
                    scenery.motor_car(canvas, *at, heading=wobble, rng=rng)
                else:
                    scenery.trailer(canvas, *at, heading=wobble, rng=rng)
        number += 1
        v += deep + (0.3 if number % 2 else aisle)


def _stacks(
    canvas: Canvas, x: float, y: float, *, heading: float, size: tuple[float, float], rng: Rng
) -> None:
    c, s = np.cos(heading), np.sin(heading)
    v = -size[1] / 2
    while v < size[1] / 2 - 4:
        rows = int(rng.integers(1, 7))
        deep = rows * 3.0
        if v + deep > size[1] / 2:
            return
        columns = max(int(size[0] // 13.5), 1)
        at = x - (v + deep / 2) * s, y + (v + deep / 2) * c
        scenery.container_block(canvas, *at, heading=heading, rows=rows, columns=columns, rng=rng)
        v += deep + rng.uniform(4, 12)


def cover(canvas: Canvas, what: str, *, light: Light, rng: Rng) -> None:
    """Fill a scene that has no track."""
    w, h = canvas.size_m
    heading = float(rng.uniform(-0.5, 0.5))
    axis = Axis(x=w / 2, y=h / 2, heading=heading)
    half = float(np.hypot(w, h)) / 2
    if what == "plough":
        pitch = float(rng.choice([0.75, 1.5, 3.0, 4.4, 5.0]))
        scenery.furrows(canvas, heading=heading, pitch=pitch, strength=rng.uniform(0.05, 0.2), rng=rng)
    elif what == "highway":
        _highway(canvas, axis, half=half, light=light, rng=rng)
    elif what in ("greenhouse", "roofs", "housing"):
        _buildings(canvas, axis, what, half=half, light=light, rng=rng)
    else:
        t = -half
        while t < half:
            depth = float(rng.uniform(35, 90))
            _row(canvas, axis, what, t + depth / 2, reach=half, depth=depth, crowd=3.0, light=light, rng=rng)
            t += depth + float(rng.uniform(6, 20))
            _verge(canvas, axis, t - 5, light=light, rng=rng)


def _verge(canvas: Canvas, axis: Axis, t: float, *, light: Light, rng: Rng) -> None:
    """A street with trees."""
    for line in _lines(canvas, axis, t):
        road(canvas, line, half_m=3.2, colour=pick(scenery.ASPHALTS, rng), lanes=rng.random() < 0.6, rng=rng)
        for s in np.arange(0, line.s[-1], float(rng.uniform(14, 40))):
            x, y = line.at(float(s + rng.normal(0, 3)))
            scenery.tree(canvas, float(x) + 6, float(y) + 5, light=light, rng=rng)


def _highway(canvas: Canvas, axis: Axis, *, half: float, light: Light, rng: Rng) -> None:
    """Two carriageways with lorries and motor cars, and a feeder road."""
    colour: Floats = pick(scenery.ASPHALTS, rng)
    for side, t in ((1, -8.5), (-1, 8.5), (1, float(rng.uniform(30, 80)))):
        for line in _lines(canvas, axis, t):
            road(canvas, line, half_m=5.6, colour=colour, lanes=True, rng=rng)
            for lane in (-3.6, 0.0, 3.6):
                s = float(rng.uniform(0, 40))
                while s < line.s[-1]:
                    x, y = line.at(s)
                    turn = axis.heading + (0.0 if side > 0 else np.pi)
                    x, y = float(x - lane * np.sin(turn)), float(y + lane * np.cos(turn))
                    if lane * side > -1 and rng.random() < 0.55:
                        scenery.trailer(canvas, x, y, heading=turn, rng=rng, cab=True)
                    else:
                        scenery.motor_car(canvas, x, y, heading=turn, rng=rng)
                    s += 20 + float(rng.exponential(25))
    for _ in range(60):
        x, y = (float(rng.uniform(0, k)) for k in canvas.size_m)
        if abs(-(x - axis.x) * np.sin(axis.heading) + (y - axis.y) * np.cos(axis.heading)) > 26:
            scenery.tree(canvas, x, y, light=light, rng=rng)


def _buildings(canvas: Canvas, axis: Axis, what: str, *, half: float, light: Light, rng: Rng) -> None:
    """Greenhouses wall to wall, halls, or rows of houses along streets."""
    deep, long, gap = {
        "greenhouse": (8.0, 60.0, 0.0),
        "roofs": (22.0, 50.0, 7.0),
        "housing": (9.5, 13.0, 5.0),
    }[what]
    deep *= float(rng.uniform(0.7, 1.2))
    colours = scenery.GLASS if what == "greenhouse" else scenery.ROOFS
    t, number = -half, 0
    while t < half:
        s = -half
        while s < half:
            size = (long * float(rng.uniform(0.6, 1.3)), deep)
            x, y = (float(k) for k in axis.place(np.array([s + size[0] / 2]), t + deep / 2)[0])
            if rng.random() < 0.9:
                scenery.roof(
                    canvas, x, y, heading=axis.heading, size=size, light=light, rng=rng, colours=colours
                )
            s += size[0] + gap * float(rng.uniform(0.5, 2.0)) + (1.0 if what == "greenhouse" else 0.0)
        number += 1
        t += deep + gap
        if what != "greenhouse" and number % 2 == 0:
            _verge(canvas, axis, t + 5, light=light, rng=rng)
            t += 12.0
        elif what == "greenhouse" and number % 9 == 0:
            t += 8.0
