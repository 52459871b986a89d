"""What is parked beside a yard: automobiles by the thousand, semi-trailers in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from railcount.simulate.art import Art, stamp
from railcount.simulate.layout import Line
from railcount.simulate.paints import CONTAINERS, colour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.simulate.canvas import Canvas
    from railcount.simulate.site import Site

BODY_M = (4.7, 1.85, 1.5)
"""Length, width and height of an automobile."""
PAINTS = ("white", "white", "light_grey", "grey", "grey", "black", "black", "dark_blue", "red", "red_brown")
GLASS_M = (0.9, 1.7)
"""Windscreens lie between these distances from the middle."""
TRAILER_M = (13.6, 2.55, 4.0)
"""Length, width and height of a European semi-trailer (directive 96/53/EC); American ones are 16.2 m long."""
TRAILER_PAINTS = (*CONTAINERS, "white", "white", "white", "light_grey", "cream", "tarp_green")


def lot(canvas: Canvas, site: Site, rng: np.random.Generator) -> None:
    """A paved rectangle along the tracks, filled with rows of automobiles."""
    place = None
    for shrink in (1.0, 0.7, 0.5, 0.35):
        length, width = shrink * rng.uniform(90, 260), shrink * rng.uniform(30, 110)
        place = site.spot(rng, length, width, near_m=(4, 90), turn_deg=1.5)
        if place is not None:
            break
    if place is None:
        return
    centre, along = place
    turned = rng.random() < 0.5  # automobiles along the tracks or across them
    pitch = float(rng.uniform(2.4, 2.9))
    deep = float(rng.uniform(4.9, 5.6))
    block, aisle = deep * int(rng.integers(1, 5)), float(rng.uniform(0.3, 8.0))
    there = float(rng.uniform(0.4, 1.0))
    paints = np.stack([colour(name, canvas.bands, rng, spread=0.15) for name in PAINTS], axis=1)
    paving = colour(str(rng.choice(["asphalt", "asphalt", "concrete", "dirt"])), canvas.bands, rng)
    which = rng.integers(0, len(PAINTS), 65_536)
    full = rng.random(65_536) < there
    ends = np.stack([centre - along * length / 2, centre + along * length / 2])
    steps = np.linspace(0, 1, max(int(length), 2))[:, None]
    line = Line(id="lot", points=ends[0] + steps * (ends[1] - ends[0]), free=())
    for patch in canvas.along(line, width / 2):
        grain = rng.normal(1.0, 0.07, patch.index.size).astype(np.float32)
        canvas.paint(patch, paving[:, None] * grain, height_m=0.0, direct=1.0)
        x, y = (patch.v + width / 2, patch.u) if turned else (patch.u, patch.v + width / 2)
        stripe = y % (block + aisle)
        i, j = np.floor(x / pitch), np.floor(y / (block + aisle)) * 8 + np.floor(stripe / deep)
        number = (i * 631 + j * 7919).astype(np.int64) % 65_536
        a, b = x % pitch - pitch / 2, stripe % deep - deep / 2
        car = (
            (np.abs(a) < BODY_M[1] / 2) & (np.abs(b) < BODY_M[0] / 2) & (stripe < block - 0.1) & full[number]
        )
        glass = (np.abs(b) > GLASS_M[0]) & (np.abs(b) < GLASS_M[1])
        tone = np.where(glass, 0.35, 1.0).astype(np.float32)
        height = np.where(np.abs(b) < GLASS_M[0], BODY_M[2], 0.9).astype(np.float32)
        canvas.paint(patch.where(car), paints[:, which[number[car]]] * tone[car], height_m=height[car])


def trailer_row(canvas: Canvas, site: Site, rng: np.random.Generator, sun: NDArray[np.float64]) -> None:
    """Semi-trailers without tractors on a paved strip along the tracks, end to end or side by side."""
    n = int(rng.integers(3, 14))
    length = float(rng.choice([12.0, TRAILER_M[0], TRAILER_M[0], 16.2]))
    in_line = rng.random() < 0.6
    pitch = length + float(rng.uniform(0.6, 5.0)) if in_line else TRAILER_M[1] + float(rng.uniform(0.5, 1.4))
    extent = (n * pitch, TRAILER_M[1] + 0.6) if in_line else (length + 0.6, n * pitch)
    place = site.spot(rng, *extent, near_m=(2.8, 45), turn_deg=1.0)
    if place is None:
        return
    centre, along = place
    paving = colour(str(rng.choice(["asphalt", "asphalt", "concrete", "dirt"])), canvas.bands, rng)
    patch = canvas.rectangle(centre, along, extent[0] + 2.0, extent[1] + 1.4)
    grain = rng.normal(1.0, 0.07, patch.index.size).astype(np.float32)
    canvas.paint(patch, paving[:, None] * grain, height_m=0.0, direct=1.0)
    step = along if in_line else np.array([-along[1], along[0]])
    there = float(rng.uniform(0.5, 1.0))
    same = str(rng.choice(TRAILER_PAINTS))
    alike = float(rng.random())
    for k in range(n):
        if rng.random() > there:
            continue
        art = Art(length, TRAILER_M[1], canvas.bands, rng)
        paint = same if rng.random() < alike else str(rng.choice(TRAILER_PAINTS))
        art.fill(np.ones(art.shape, dtype=bool), art.paint_of(paint), TRAILER_M[2])
        art.soil(float(rng.uniform(0, 0.4)))
        aside = rng.normal(0, 0.1, 2)
        stamp(canvas, art, centre + step * pitch * (k - (n - 1) / 2) + aside, along, sun)
