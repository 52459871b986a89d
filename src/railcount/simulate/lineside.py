"""Things beside and above the tracks that are not railcars, though some look it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from railcount.simulate.art import TEXEL_M, Art, stamp
from railcount.simulate.bodies import bulk, tarpaulin
from railcount.simulate.canvas import Canvas, Patch, fractal_noise, lattice_noise
from railcount.simulate.dice import Dice, pick_whole
from railcount.simulate.lots import lot, trailer_row
from railcount.simulate.paints import CONTAINERS, TARPS, colour
from railcount.simulate.site import Site, offset_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.simulate.layout import Line
    from railcount.simulate.scene import Lineside


def build(
    canvas: Canvas,
    lines: Sequence[Line],
    wanted: Lineside,
    *,
    yard: Dice,
    dice: Dice,
    sun: NDArray[np.float64],
) -> None:
    """Everything on the ground beside the tracks, in the order in which it claims its place.

    What is built or grows comes from ``yard``; what comes and goes, such as goods and trucks, from ``dice``.
    """
    rng, goods = yard.stream("lineside"), dice.stream("goods")
    counts = {
        "platforms": pick_whole(rng, wanted.platforms, 0, 1),
        "canopies": pick_whole(rng, wanted.canopies, 0, 0),
        "roads": pick_whole(rng, wanted.roads, 0, 2),
        "buildings": pick_whole(rng, wanted.buildings, 0, 14),
        "trucks": pick_whole(goods, wanted.trucks, 0, 12),
        "ground_containers": pick_whole(goods, wanted.ground_containers, 0, 16),
        "piles": pick_whole(goods, wanted.piles, 0, 10),
        "hedges": pick_whole(rng, wanted.hedges, 0, 2),
        "fences": pick_whole(rng, wanted.fences, 0, 2),
        "trees": pick_whole(rng, wanted.trees, 0, 80),
    }
    site = Site(canvas, lines)
    for _ in range(counts["platforms"]):
        platform(canvas, site, rng)
    roads = [road for _ in range(counts["roads"]) if (road := _road(canvas, site, rng)) is not None]
    lots = yard.stream("lots")
    for _ in range(wanted.lots):
        lot(canvas, site, lots)
    trailers = yard.stream("trailers")
    for _ in range(wanted.trailer_rows):
        trailer_row(canvas, site, trailers, sun)
    for _ in range(counts["hedges"]):
        _hedge(canvas, site, rng)
    for _ in range(counts["fences"]):
        _fence(canvas, site, rng)
    for _ in range(counts["buildings"]):
        _building(canvas, site, rng, sun)
    for _ in range(counts["trees"]):
        _tree(canvas, site, rng)
    if counts["trucks"]:
        _trucks(canvas, site, goods, sun, roads=roads, n=counts["trucks"])
    if counts["ground_containers"]:
        _ground_containers(canvas, site, goods, sun, counts["ground_containers"])
    for _ in range(counts["piles"]):
        _pile(canvas, site, goods, sun)


def platform(canvas: Canvas, site: Site, rng: np.random.Generator) -> None:
    """A long low slab beside an outer track."""
    width = float(rng.uniform(3.5, 9.0))
    line = site.beside(rng, 1.75 + width / 2)
    if line is None:
        return
    total = line.along_m[-1]
    length = float(rng.uniform(60, 260))
    start = float(rng.uniform(0.15, 0.6)) * total
    slab = colour(str(rng.choice(["concrete", "asphalt", "dirt"])), canvas.bands, rng)
    for patch in canvas.along(line, width / 2):
        part = patch.where((patch.u > start) & (patch.u < start + length))
        edge = np.abs(part.v) > width / 2 - 0.4
        grain = rng.normal(1.0, 0.08, part.index.size).astype(np.float32)
        canvas.paint(part, slab[:, None] * np.where(edge, 1.3, 1.0).astype(np.float32) * grain, height_m=1.1)
    middle = line.at(start + length / 2)
    rows, cols = site.cells(middle, site.along, length, width)
    site.taken[rows, cols] = True


def _road(canvas: Canvas, site: Site, rng: np.random.Generator) -> Line | None:
    width = float(rng.uniform(5, 9))
    line = site.beside(rng, float(rng.uniform(5, 45)) + width / 2)
    if line is None:
        return None
    surface = colour(str(rng.choice(["asphalt", "asphalt", "dirt", "concrete"])), canvas.bands, rng)
    marks = rng.random() < 0.5
    for patch in canvas.along(line, width / 2):
        wear = 1 + 0.12 * np.cos(patch.v * 2 * np.pi / 1.9)
        grain = rng.normal(1.0, 0.07, patch.index.size)
        canvas.paint(patch, (surface[:, None] * wear * grain).astype(np.float32), height_m=0.0, direct=1.0)
        if marks:
            dash = patch.where((np.abs(patch.v) < 0.09) & (patch.u % 9 < 3))
            canvas.paint(dash, colour("white", canvas.bands) * 0.8)
    site.take_line(line, width)
    return line


def _building(canvas: Canvas, site: Site, rng: np.random.Generator, sun: NDArray[np.float64]) -> None:
    shed = rng.random() < 0.35
    length = float(rng.uniform(30, 110) if shed else rng.uniform(6, 24))
    width = float(rng.uniform(10, 24) if shed else rng.uniform(4, 12))
    place = site.spot(rng, length, width, near_m=(6, 200), turn_deg=3 if shed else 12)
    if place is None:
        return
    centre, along = place
    art = Art(length, width, canvas.bands, rng)
    eaves = float(rng.uniform(3, 9))
    paint = art.paint_of(
        str(
            rng.choice(["grey", "light_grey", "rust", "red_brown", "blue", "white", "concrete", "dark_green"])
        ),
        0.25,
    )
    art.fill(np.ones(art.shape, dtype=bool), paint, eaves)
    if rng.random() < 0.65:
        pitch = float(rng.uniform(0.1, 0.6))
        art.relief = (pitch * (width / 2 - np.abs(art.v)) + 0 * art.u).astype(np.float32)
        ribs = np.abs((art.u / rng.uniform(0.7, 3.0)) % 1.0 - 0.5) > 0.45
        art.relief += np.where(ribs, 0.04, 0).astype(np.float32)
    else:
        rim = ~art.box((-length / 2 + 0.3, length / 2 - 0.3), (-width / 2 + 0.3, width / 2 - 0.3))
        art.fill(rim, paint * 1.2, eaves + 0.5)
        for _ in range(int(rng.integers(0, 6))):
            u, v = rng.uniform(-0.4, 0.4, 2) * (length, width)
            art.fill(
                art.box((u - 0.8, u + 0.8), (v - 0.6, v + 0.6)), paint * rng.uniform(0.5, 1.6), eaves + 1.0
            )
    sheets = rng.normal(1.0, 0.06, 512)[np.floor(art.u / rng.uniform(0.9, 6.0)).astype(int) % 512]
    art.colour *= sheets[None].astype(np.float32)
    art.soil(float(rng.uniform(0, 0.5)))
    stamp(canvas, art, centre, along, sun)


def _truck(
    canvas: Canvas,
    centre: NDArray[np.float64],
    along: NDArray[np.float64],
    rng: np.random.Generator,
    sun: NDArray[np.float64],
) -> None:
    length = float(rng.choice([6.0, 8.5, 12.0, 15.5, 16.5]))
    art = Art(length, 2.5, canvas.bands, rng)
    cab = art.paint_of(str(rng.choice(["white", "red", "blue", "orange", "grey"])))
    art.fill(np.abs(art.v) + 0 * art.u < 1.1, art.paint_of("grime"), 1.0)
    art.fill(art.box((length / 2 - 2.0, length / 2), (-1.2, 1.2)), cab, 2.9)
    bed = art.box((-length / 2, length / 2 - 2.6), (-1.25, 1.25))
    style = int(rng.integers(3))
    if style == 0:
        art.fill(bed, art.paint_of(str(rng.choice(CONTAINERS))), 4.0)
    elif style == 1:
        art.fill(bed, cab * 0.8, 2.2)
        bulk(
            art,
            bed & (np.abs(art.v) < 1.1),
            str(rng.choice(["coal", "sand", "gravel", "timber"])),
            brim_m=2.4,
            floor_m=1.3,
        )
    else:
        art.fill(bed, art.paint_of(str(rng.choice(["white", "cream", "grey", "blue"]))), 3.8)
    art.soil(float(rng.uniform(0, 0.4)))
    stamp(canvas, art, centre, along, sun)


def _trucks(
    canvas: Canvas,
    site: Site,
    rng: np.random.Generator,
    sun: NDArray[np.float64],
    *,
    roads: list[Line],
    n: int,
) -> None:
    """Some drive on the roads nose to tail; the rest are parked side by side, or by the tracks."""
    parked = None
    for number in range(n):
        if roads and rng.random() < 0.6:
            road = roads[int(rng.integers(len(roads)))]
            lane = float(rng.choice([-1.8, 1.8]))
            at = float(rng.uniform(0.1, 0.9)) * road.along_m[-1]
            side = offset_line(road, lane)
            ahead = side.at(at + 1) - side.at(at)
            _truck(canvas, side.at(at), ahead / np.hypot(*ahead) * (1 if lane > 0 else -1), rng, sun)
            continue
        if parked is None or number % 6 == 0:
            parked = site.spot(rng, 17.0, 18.0, near_m=(4, 60), turn_deg=6)
        if parked is None:
            continue
        centre, along = parked
        right = np.array([-along[1], along[0]])
        _truck(canvas, centre + right * ((number % 6) - 2.5) * 3.1, along, rng, sun)


def _box(
    canvas: Canvas,
    centre: NDArray[np.float64],
    along: NDArray[np.float64],
    rng: np.random.Generator,
    sun: NDArray[np.float64],
    *,
    length: float,
    high: int,
    paint: str,
) -> None:
    art = Art(length, 2.44, canvas.bands, rng)
    everywhere = np.ones(art.shape, dtype=bool)
    art.fill(everywhere, art.paint_of(paint, 0.2), 2.59 * high)
    art.relief = (np.where(np.abs((art.u / 0.28) % 1.0 - 0.5) > 0.25, 0.018, 0.0) + 0 * art.v).astype(
        np.float32
    )
    art.soil(float(rng.uniform(0, 0.4)))
    stamp(canvas, art, centre, along, sun)


def _ground_containers(
    canvas: Canvas, site: Site, rng: np.random.Generator, sun: NDArray[np.float64], n: int
) -> None:
    """Rows of containers, end to end along the tracks or side by side."""
    left = n
    while left > 0:
        size = min(left, int(rng.integers(1, 9)))
        left -= size
        length = float(rng.choice([6.06, 12.19]))
        in_line = rng.random() < 0.5
        extent = (size * (length + 0.4), 2.6) if in_line else (length, size * 2.7)
        place = site.spot(rng, *extent, near_m=(3.5, 40), turn_deg=2)
        if place is None:
            continue
        centre, along = place
        right = np.array([-along[1], along[0]])
        same = str(rng.choice(CONTAINERS))
        for k in range(size):
            step = along * (length + 0.4) if in_line else right * 2.7
            paint = same if rng.random() < 0.4 else str(rng.choice(CONTAINERS))
            high = int(rng.choice([1, 1, 2]))
            _box(
                canvas,
                centre + step * (k - (size - 1) / 2),
                along,
                rng,
                sun,
                length=length,
                high=high,
                paint=paint,
            )


def _pile(canvas: Canvas, site: Site, rng: np.random.Generator, sun: NDArray[np.float64]) -> None:
    """Goods under sheets, stacks of sleepers or rails, heaps of coal or gravel."""
    style = int(rng.integers(3))
    length, width = float(rng.uniform(4, 28)), float(rng.uniform(2.5, 9))
    place = site.spot(rng, length, width, near_m=(3.5, 45), turn_deg=8)
    if place is None:
        return
    centre, along = place
    art = Art(length, width, canvas.bands, rng)
    if style == 0:
        tarpaulin(
            art,
            str(rng.choice(TARPS)),
            base_m=float(rng.uniform(1, 3)),
            bulge_m=0.5,
            half_u=length / 2 - 0.3,
            half_v=width / 2 - 0.2,
        )
    elif style == 1:
        stacks = np.abs((art.u / 2.9) % 1.0 - 0.5) < 0.46
        art.fill(
            stacks & (np.abs(art.v) < width / 2),
            art.paint_of(str(rng.choice(["sleeper_wood", "rust", "timber", "concrete"]))),
            float(rng.uniform(0.6, 1.8)),
        )
        art.colour *= (1 + 0.25 * np.sin(art.v * 2 * np.pi / 0.3)).astype(np.float32)
    else:
        cone = np.clip(1 - (2 * art.u / length) ** 2 - (2 * art.v / width) ** 2, 0, None)
        grain = fractal_noise(rng, art.shape, [2 / TEXEL_M, 0.6 / TEXEL_M, 0.2 / TEXEL_M])
        where = cone + 0.08 * grain > 0.06
        art.fill(where, art.paint_of(str(rng.choice(["coal", "gravel", "sand", "ore"]))), 0.0)
        art.relief = np.where(where, 0.35 * width * np.sqrt(cone) * 0.8 + 0.05 * grain, 0).astype(np.float32)
    stamp(canvas, art, centre, along, sun)


def _leaves(
    canvas: Canvas,
    patch: Patch,
    height: NDArray[np.float32],
    rng: np.random.Generator,
    paint: NDArray[np.float32],
) -> None:
    """Foliage: every clump leans its own way to the light."""
    light = np.clip(rng.normal(1.05, 0.35, patch.index.size), 0.15, 1.8).astype(np.float32)
    canvas.paint(patch, paint, height_m=height, direct=light)


def _hedge(canvas: Canvas, site: Site, rng: np.random.Generator) -> None:
    width, top = float(rng.uniform(1.0, 3.5)), float(rng.uniform(0.8, 4.0))
    line = site.beside(rng, float(rng.uniform(2.5, 23)) + width / 2)
    if line is None:
        return
    site.take_line(line, 1.2 * width)
    bumps = lattice_noise(rng, (int(line.along_m[-1] / 0.5) + 2, 1), (4.0, 1.0))[:, 0]
    dark = colour("tree", canvas.bands, rng)
    for patch in canvas.along(line, width):
        at = np.interp(patch.u / 0.5, np.arange(bumps.size), bumps).astype(np.float32)
        half = width / 2 * (1 + 0.35 * at)
        part = np.abs(patch.v) < half * (at > -0.9)
        height = np.clip(top * (1 + 0.2 * at[part]) + rng.normal(0, 0.25, int(part.sum())), 0.2, None)
        _leaves(canvas, patch.where(part), height.astype(np.float32), rng, dark)


def _tree(canvas: Canvas, site: Site, rng: np.random.Generator) -> None:
    radius = float(rng.uniform(1.2, 4.5))
    centre = rng.random(2) * (canvas.shape[1], canvas.shape[0]) * canvas.step_m + canvas.origin_m
    if not site.take(centre, site.along, 1.5 * radius, 1.5 * radius, clear_m=3.0 + 0.4 * radius):
        return
    patch = canvas.rectangle(centre, np.array([1.0, 0.0]), 2 * radius, 2 * radius)
    angle = np.arctan2(patch.v, patch.u)
    rim = radius * (
        0.8 + 0.1 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.1 * np.sin(7 * angle + rng.uniform(0, 6))
    )
    off = np.hypot(patch.u, patch.v)
    part = (off < rim) & (rng.random(patch.index.size) > 0.12 * (off / radius))
    dome = radius * 1.6 * np.sqrt(np.clip(1 - (off[part] / radius) ** 2, 0, 1)) + 1.5
    height = (dome + rng.normal(0, 0.35, dome.size)).astype(np.float32)
    _leaves(canvas, patch.where(part), height, rng, colour("tree", canvas.bands, rng, spread=0.25))


def _fence(canvas: Canvas, site: Site, rng: np.random.Generator) -> None:
    line = site.beside(rng, float(rng.uniform(4, 30)))
    if line is None:
        return
    site.take_line(line, 0.6)
    wall = rng.random() < 0.5
    paint = colour("concrete" if wall else "grime", canvas.bands, rng)
    for patch in canvas.along(line, 0.2):
        solid = np.abs(patch.v) < 0.1
        if not wall:
            # Wire between posts lets most of the light through.
            solid &= ((patch.u % 3.0) < 0.15) | (rng.random(patch.index.size) < 0.25)
        canvas.paint(patch.where(solid), paint, height_m=2.2 if wall else 1.8)
