"""Bodies of the rolling stock as seen from above."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from railcount.simulate.art import TEXEL_M, Art
from railcount.simulate.canvas import fractal_noise, lattice_noise
from railcount.simulate.locomotives import locomotive, locomotive_hood
from railcount.simulate.paints import CONTAINERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from railcount.simulate.consist import Placed


def gondola(art: Art, car: Placed) -> None:
    """Walls with posts around a well, a load or a tarpaulin."""
    v = car.vehicle
    half_u, half_v, wall = v.body_m / 2, v.width_m / 2, 0.17
    body = art.paint_of(car.paint)
    art.fill(art.everywhere(), body * 0.9, v.height_m)
    rim = ~art.box((-half_u + wall * 0.6, half_u - wall * 0.6), (-half_v + wall * 0.6, half_v - wall * 0.6))
    art.fill(rim, body * art.rng.uniform(1.0, 1.35), v.height_m)
    inside = art.box((-half_u + wall, half_u - wall), (-half_v + wall, half_v - wall))
    posts = (np.abs((art.u / 1.75) % 1.0 - 0.5) > 0.46) & ~inside & (np.abs(art.v) > half_v - 0.1)
    art.fill(posts, body * 1.3, v.height_m)
    if car.load == "tarpaulin":
        tarpaulin(art, car.cargo, base_m=v.height_m, bulge_m=art.rng.uniform(-0.25, 0.7))
        return
    if car.load == "bulk":
        bulk(art, inside, car.cargo, brim_m=v.height_m, floor_m=v.floor_m)
        return
    floor = (art.paint_of("floor") * 0.6 + body * 0.4).astype(np.float32)
    art.fill(inside, floor, v.floor_m)
    if car.load == "container":
        containers(art, car, base_m=v.floor_m, inset_m=wall)
        return
    # Hatches in the floor, sills between them, and leftovers of the last load.
    hatch = inside & (np.abs((art.u / 1.83) % 1.0 - 0.5) > 0.455)
    art.fill(hatch, floor * 0.75, v.floor_m + 0.03)
    sill = inside & (np.abs(art.v) < 0.2)
    art.fill(sill, floor * 1.15, v.floor_m + 0.12)
    rest = lattice_noise(art.rng, art.shape, (1.5 / TEXEL_M, 0.8 / TEXEL_M)) > art.rng.uniform(0.8, 2.2)
    art.fill(
        inside & rest,
        art.paint_of(str(art.rng.choice(["coal", "ore", "sand", "snow_dirty"]))),
        v.floor_m + 0.05,
    )
    if art.rng.random() < 0.4:
        brace = inside & (np.abs(np.abs(art.u) - v.body_m / 6) < 0.08)
        art.fill(brace, body * 1.1, v.height_m - 0.2)


def bulk(art: Art, inside: NDArray[np.bool_], kind: str, *, brim_m: float, floor_m: float) -> None:
    """A load in a well: heaps of coal or ore, planks, scrap."""
    rng = art.rng
    paint = art.paint_of(kind, 0.18)
    if kind == "timber":
        logs = np.abs(np.sin(np.pi * (art.v / rng.uniform(0.18, 0.4))))
        stacks = np.abs((art.u / rng.choice([3.0, 4.2, 6.2])) % 1.0 - 0.5) < 0.485
        top = brim_m + rng.uniform(-0.3, 0.6)
        art.fill(inside, paint * (0.5 + 0.7 * logs).astype(np.float32), top)
        art.fill(inside & ~stacks, paint * 0.25, floor_m)
        return
    if kind == "scrap":
        lumps = fractal_noise(rng, art.shape, [0.7 / TEXEL_M, 0.3 / TEXEL_M])
        art.fill(inside, paint * np.exp(0.45 * lumps), brim_m - 0.4)
        art.relief = np.where(inside, 0.15 * lumps, art.relief).astype(np.float32)
        return
    level = brim_m - rng.uniform(0.0, min(1.6, brim_m - floor_m - 0.2))
    n_heaps = int(rng.integers(1, 5))
    heaps = np.cos(2 * np.pi * n_heaps * art.u / art.length_m + rng.uniform(0, 6)) * rng.uniform(0.05, 0.35)
    ridge = np.cos(np.pi * art.v / art.width_m) * rng.uniform(0.1, 0.6)
    grain = fractal_noise(rng, art.shape, [0.8 / TEXEL_M, 0.3 / TEXEL_M, 0.12 / TEXEL_M], 0.6)
    # A side wall's inside stays in sight above a low load.
    art.fill(inside, paint * np.exp(0.13 * grain), level)
    art.relief = np.where(inside, heaps + ridge + 0.035 * grain, art.relief).astype(np.float32)


def tarpaulin(
    art: Art,
    name: str,
    *,
    base_m: float,
    bulge_m: float,
    half_u: float | None = None,
    half_v: float | None = None,
) -> None:
    """A sheet over the load: sags or bulges, wrinkles, ropes, seams between sheets, ragged ends."""
    rng = art.rng
    half_u = art.length_m / 2 - rng.uniform(0.0, 0.25) if half_u is None else half_u
    half_v = art.width_m / 2 if half_v is None else half_v
    wave = lattice_noise(rng, art.shape, (1.1 / TEXEL_M, 1.2 / TEXEL_M))
    ends = half_u + 0.1 * wave
    where = (np.abs(art.u) < ends) & (np.abs(art.v) <= half_v)
    paint = art.paint_of(name, 0.2)
    faded = lattice_noise(rng, art.shape, (2.5 / TEXEL_M, 1.5 / TEXEL_M))
    art.fill(where, paint * np.exp(0.12 * faded), base_m)
    crates = rng.random() < 0.5
    arch = np.clip(1 - (art.v / half_v) ** 2, 0, 1)
    if crates:
        # Stacked crates push the sheet up in steps.
        steps = lattice_noise(rng, art.shape, (1.4 / TEXEL_M, 1.0 / TEXEL_M))
        shape = bulge_m * arch**0.4 + 0.16 * np.tanh(2 * steps)
    else:
        shape = bulge_m * arch + 0.1 * lattice_noise(rng, art.shape, (2.2 / TEXEL_M, 1.5 / TEXEL_M))
    folds = lattice_noise(rng, art.shape, (0.35 / TEXEL_M, 1.3 / TEXEL_M))
    fine = lattice_noise(rng, art.shape, (0.5 / TEXEL_M, 0.3 / TEXEL_M))
    relief = shape + 0.035 * folds + 0.02 * fine
    art.relief = np.where(where, relief, art.relief).astype(np.float32)
    pitch = rng.uniform(0.9, 2.4)
    if rng.random() < 0.6:
        ropes = where & (np.abs((art.u / pitch) % 1.0 - 0.5) < 0.03)
        art.colour = np.where(ropes[None], art.colour * 0.6 + 0.05, art.colour).astype(np.float32)
    n_sheets = int(rng.integers(1, 4))
    for k in range(1, n_sheets):
        at = -half_u + 2 * half_u * k / n_sheets
        other = where & (art.u > at)
        art.colour = np.where(other[None], art.colour * rng.uniform(0.82, 1.2), art.colour).astype(np.float32)


def boxcar(art: Art, car: Placed) -> None:
    """An arched roof with ribs and seams, perhaps a running board and hatches."""
    v, rng = car.vehicle, art.rng
    body = art.paint_of(car.paint)
    roof = (
        body
        if rng.random() < 0.45
        else art.paint_of(str(rng.choice(["grey", "light_grey", "rust", "grime"])))
    )
    rise = rng.uniform(0.15, 0.5)
    art.fill(art.everywhere(), roof, v.height_m - rise)
    art.relief = (rise * (1 - (2 * art.v / v.width_m) ** 2) + 0 * art.u).astype(np.float32)
    pitch = v.body_m / round(v.body_m / rng.uniform(0.8, 1.9))
    phase = np.abs((art.u / pitch) % 1.0 - 0.5)
    art.relief += np.where(phase > 0.44, 0.05, 0.0).astype(np.float32)
    panels = np.floor(art.u / pitch).astype(int)
    shade = rng.normal(1.0, 0.05, 64)[panels % 64]
    art.colour *= shade[None].astype(np.float32)
    eaves = np.abs(art.v) > v.width_m / 2 - 0.14
    art.fill(art.everywhere() & eaves, body * 0.8, v.height_m - rise - 0.1)
    if rng.random() < 0.35:
        board = (np.abs(art.v) < 0.3) & (np.abs(art.u) < v.body_m / 2)
        art.fill(board, roof * rng.uniform(0.6, 1.5), v.height_m + 0.1)
    for _ in range(int(rng.choice([0, 0, 2, 4]))):
        at = rng.uniform(-0.45, 0.45) * v.body_m
        art.fill(art.box((at - 0.3, at + 0.3), (-0.3, 0.3)), roof * 0.7, v.height_m + 0.12)
    if rng.random() < 0.25:
        patch = art.box((rng.uniform(-7, 0), rng.uniform(0, 7)), (-9, 9))
        art.colour = np.where(patch[None], art.colour * rng.uniform(0.7, 1.3), art.colour).astype(np.float32)


def autorack(art: Art, car: Placed) -> None:
    """A long corrugated roof with a bright ridge."""
    boxcar(art, car)
    flute = np.abs((art.u / 0.55) % 1.0 - 0.5) > 0.4
    art.relief += np.where(flute, 0.03, 0.0).astype(np.float32)


def tank(art: Art, car: Placed) -> None:
    """A cylinder on a frame: light from one side, a bright ridge, walkway, dome and ladders."""
    v, rng = car.vehicle, art.rng
    frame = art.paint_of("grime")
    ends = art.box((-v.body_m / 2, v.body_m / 2), (-1.2, 1.2))
    art.fill(ends, frame, v.floor_m)
    shells = 2 if v.body_m > 20 else 1
    radius = min(v.width_m / 2, 1.5)
    paint = art.paint_of(car.paint)
    for k in range(shells):
        length = v.body_m / shells - (0.5 if shells == 1 else 0.9)
        middle = (k - (shells - 1) / 2) * v.body_m / shells
        # Dished ends: the radius shrinks over the last half metre.
        beyond = np.clip((np.abs(art.u - middle) - (length / 2 - 0.45)) / 0.45, 0, 1)
        r = radius * np.sqrt(np.clip(1 - beyond**2, 0, 1))
        inside = np.abs(art.v) < r - 0.01
        rise = np.sqrt(np.clip(r**2 - art.v**2, 0, None))
        art.fill(inside, paint, v.height_m - radius)
        art.relief = np.where(inside, rise, art.relief).astype(np.float32)
        spill = inside & (np.abs(art.u - middle) < rng.uniform(0.3, 1.2)) & (np.abs(art.v) < 1.2)
        if rng.random() < 0.7:
            art.colour = np.where(spill[None], art.colour * rng.uniform(0.35, 0.8), art.colour).astype(
                np.float32
            )
        band_pitch = length / rng.integers(3, 6)
        bands = inside & (np.abs(((art.u - middle) / band_pitch) % 1.0 - 0.5) < 0.035)
        art.colour = np.where(bands[None], art.colour * 0.75, art.colour).astype(np.float32)
        ridge = inside & (np.abs(art.v) < rng.uniform(0.18, 0.32))
        if rng.random() < 0.7:
            art.fill(
                ridge & (np.abs(art.u - middle) < length / 2 - rng.uniform(0, 2)),
                art.paint_of("grey") * 1.2,
                v.height_m + 0.1 - radius,
            )
        walk = art.box((middle - 1.1, middle + 1.1), (-0.85, 0.85)) & inside
        if rng.random() < 0.6:
            art.fill(walk, art.paint_of(str(rng.choice(["grey", "light_grey", "grime"]))), v.height_m + 0.05)
            art.relief = np.where(walk, 0, art.relief).astype(np.float32)
        dome = ((art.u - middle) ** 2 + art.v**2) < 0.45**2
        art.fill(dome, paint * 0.8, v.height_m + 0.2)
        art.relief = np.where(dome, 0, art.relief).astype(np.float32)
    art.height = np.where(art.relief > 0, v.height_m - radius, art.height).astype(np.float32)


def flat(art: Art, car: Placed) -> None:
    """A deck of planks or bare beams; containers with gaps, or a sheeted load."""
    v, rng = car.vehicle, art.rng
    half_u, half_v = v.body_m / 2, v.width_m / 2
    frame = art.paint_of(car.paint) * 0.8
    skeleton = rng.random() < 0.35
    if skeleton:
        for at in (-0.75, 0.75):
            art.fill(art.box((-half_u, half_u), (at - 0.2, at + 0.2)), frame, v.height_m)
        art.fill(art.box((-half_u, half_u), (-0.15, 0.15)), frame, v.height_m)
        cross = (np.abs((art.u / (v.body_m / 5)) % 1.0 - 0.5) > 0.44) & (np.abs(art.v) < half_v)
        art.fill(cross, frame, v.height_m)
        art.fill(np.abs(art.u) + 0 * art.v > half_u - 0.6, frame, v.height_m)
    else:
        art.fill(art.everywhere(), art.paint_of("planks") if rng.random() < 0.6 else frame, v.height_m)
        planks = rng.normal(1.0, 0.14, 256)[np.floor(art.u / 0.2).astype(int) % 256]
        art.colour *= planks[None].astype(np.float32)
        edge = np.abs(art.v) > half_v - 0.15
        art.fill(art.everywhere() & edge, frame, v.height_m)
        pockets = edge & (np.abs((art.u / 1.6) % 1.0 - 0.5) > 0.46)
        art.fill(pockets, frame * 0.5, v.height_m)
    if car.load == "container":
        containers(art, car, base_m=v.height_m)
    elif car.load == "tarpaulin":
        tarpaulin(
            art,
            car.cargo,
            base_m=v.height_m + rng.uniform(1.0, 2.3),
            bulge_m=rng.uniform(0.0, 0.5),
            half_u=half_u - rng.uniform(0.1, 0.7),
            half_v=min(half_v, 1.45) - rng.uniform(0.0, 0.15),
        )
    elif car.load == "bulk":
        load = art.box((-half_u + 0.5, half_u - 0.5), (-half_v + 0.15, half_v - 0.15))
        bulk(art, load, "timber", brim_m=v.height_m + rng.uniform(1, 2), floor_m=v.height_m)


def frame(art: Art, car: Placed) -> None:
    """An empty container carrier: side sills, and between them plates, bars and holes down to the track."""
    v, rng = car.vehicle, art.rng
    half_u, half_v = v.body_m / 2, v.width_m / 2
    paint = art.paint_of(car.paint) * rng.uniform(0.6, 1.1)
    sill, outer = float(rng.uniform(0.15, 0.4)), half_v - float(rng.uniform(0.0, 0.4))
    across = np.abs(art.v) < outer
    ends = (np.abs(art.u) > half_u - 0.5) & across
    art.fill((across & (np.abs(art.v) > outer - sill)) | ends, paint, v.height_m)
    if rng.random() < 0.5:
        art.fill(art.box((-half_u, half_u), (-0.15, 0.15)), paint, v.height_m)
    at = -half_u
    while at < half_u:
        end = at + float(rng.uniform(0.4, 2.5))
        part, what = (art.u > at) & (art.u < end) & across, rng.random()
        if what < 0.35:
            art.fill(part, paint * rng.uniform(0.5, 1.5), v.height_m - float(rng.uniform(0, 0.3)))
        elif what < 0.65:
            bars = (art.u / rng.uniform(0.3, 0.8)) % 1.0 < 0.4
            art.fill(part & bars, paint * rng.uniform(0.7, 1.3), v.height_m)
        at = end


def containers(art: Art, car: Placed, *, base_m: float, inset_m: float = 0.1) -> None:
    """One to three boxes, each of its own colour; a place may stay empty."""
    v, rng = car.vehicle, art.rng
    usable = v.body_m - 2 * inset_m
    choices = [
        c
        for c in ([12.19], [6.06, 6.06], [6.06], [12.19, 6.06], [6.06, 6.06, 6.06])
        if sum(c) + 0.1 * len(c) <= usable
    ]
    fitting = [c for c in choices if sum(c) > 0.55 * usable] or choices
    boxes = fitting[int(rng.integers(len(fitting)))]
    slack = usable - sum(boxes)
    at = -usable / 2 + slack * (0.5 if len(boxes) == 1 else 0.0)
    gap = slack / max(len(boxes) - 1, 1) if len(boxes) > 1 else 0.0
    first = True
    for length in boxes:
        paint = car.cargo if first else str(rng.choice(CONTAINERS))
        first = False
        where = art.box((at, at + length), (-1.22, 1.22))
        top = base_m + float(rng.choice([2.44, 2.59, 2.9]))
        art.fill(where, art.paint_of(paint, 0.2), top)
        ribs = np.where(np.abs((art.u / 0.28) % 1.0 - 0.5) > 0.25, 0.018, 0.0) + 0 * art.v
        art.relief = np.where(where, ribs, art.relief).astype(np.float32)
        rim = where & ~art.box((at + 0.1, at + length - 0.1), (-1.12, 1.12))
        art.colour = np.where(rim[None], art.colour * 0.8, art.colour).astype(np.float32)
        at += length + gap


def covered_hopper(art: Art, car: Placed) -> None:
    """A roof with a row of round or square hatches and walkways."""
    v, rng = car.vehicle, art.rng
    paint = art.paint_of(car.paint)
    art.fill(art.everywhere(), paint, v.height_m - 0.35)
    art.relief = (0.35 * (1 - np.abs(2 * art.v / v.width_m) ** 2.5) + 0 * art.u).astype(np.float32)
    trough = rng.random() < 0.4
    n = int(rng.integers(4, 7))
    for k in range(n):
        at = (k + 0.5) / n * v.body_m - v.body_m / 2
        round_hatch = (art.u - at) ** 2 + art.v**2 < 0.42**2
        if not trough:
            art.fill(round_hatch, paint * 0.6, v.height_m + 0.08)
    if trough:
        art.fill(
            art.box((-v.body_m / 2 + 0.6, v.body_m / 2 - 0.6), (-0.35, 0.35)), paint * 0.72, v.height_m + 0.06
        )
    for side in (-1.0, 1.0):
        walk = art.box(
            (-v.body_m / 2, v.body_m / 2), (min(side * 0.75, side * 1.05), max(side * 0.75, side * 1.05))
        )
        art.fill(walk, paint * 1.15, v.height_m - 0.05)
    ends = np.abs(art.u) + 0 * art.v > v.body_m / 2 - 0.9
    art.fill(ends, art.paint_of("grime"), 1.3)
    art.relief = np.where(ends, 0, art.relief).astype(np.float32)


def coach(art: Art, car: Placed) -> None:
    """A smooth long roof with vents."""
    v, rng = car.vehicle, art.rng
    roof = art.paint_of(str(rng.choice(["grey", "light_grey", car.paint])))
    art.fill(art.everywhere(), roof, v.height_m - 0.55)
    art.relief = (0.55 * (1 - (2 * art.v / v.width_m) ** 2) + 0 * art.u).astype(np.float32)
    side = np.abs(art.v) > v.width_m / 2 - 0.25
    art.colour = np.where((side & art.everywhere())[None], art.paint_of(car.paint), art.colour).astype(
        np.float32
    )
    for k in range(int(rng.integers(6, 14))):
        at = (k + 0.5) / 12 * v.body_m - v.body_m / 2
        art.fill(art.box((at - 0.25, at + 0.25), (-0.25, 0.25)), roof * 0.6, v.height_m + 0.05)


BODIES: dict[str, Callable[[Art, Placed], None]] = {
    "gondola": gondola,
    "boxcar": boxcar,
    "autorack": autorack,
    "tank": tank,
    "flat": flat,
    "frame": frame,
    "covered_hopper": covered_hopper,
    "coach": coach,
    "locomotive": locomotive,
    "locomotive_hood": locomotive_hood,
}
