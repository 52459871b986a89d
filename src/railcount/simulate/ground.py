"""The ground: soil and ballast, sleepers and rails, weeds, oil and snow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.simulate.canvas import Canvas, Patch, fractal_noise, lattice_noise
from railcount.simulate.dice import Dice, pick, pick_name
from railcount.simulate.paints import colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.simulate.layout import Line
    from railcount.simulate.scene import Ground

GAUGES_M = (1.435, 1.52)
"""Standard and Russian gauge, between the rails' inner sides."""
SLEEPER_LENGTH_M = 2.6
SLEEPER_PITCH_M = (0.55, 0.65)
RAIL_WIDTH_M = 0.15
"""The foot of a rail as seen from above; the bright running surface is 0.07."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Soil:
    """What the ground of a scene is made of."""

    ballast: NDArray[np.float32]
    """(bands,) mean reflectance of the ballast."""
    between: NDArray[np.float32]
    around: NDArray[np.float32]
    fields: bool
    """Whether the surroundings are parcels of several crops."""
    weeds: float
    rust: float
    plants: NDArray[np.float32]


def settle_soil(ground: Ground, dice: Dice, bands: int) -> Soil:
    """Draw what the scene leaves open."""
    rng = dice.stream("soil")
    kind = pick_name(rng, ground.ballast, ["light", "grey", "brown", "dark", "oily"], [2, 4, 3, 2, 1])
    ballast = colour(f"ballast_{kind}", bands, rng, spread=0.15)
    weeds = pick(rng, ground.weeds, 0.0, 0.5)
    rust = pick(rng, ground.rust, 0.3, 1.0)
    season = pick_name(rng, ground.season, ["summer", "autumn", "winter", "spring"], [4, 2, 1, 2])
    surroundings = pick_name(rng, ground.surroundings, ["grass", "dirt", "paved", "fields"], [3, 3, 2, 2])
    plant = {"summer": "grass", "spring": "weeds", "autumn": "dry_grass", "winter": "dry_grass"}[season]
    names = {"grass": plant, "dirt": "dirt", "paved": "asphalt", "fields": "bare_field"}
    filler = pick_name(
        rng, None, ["dirt", "dark_dirt", f"ballast_{kind}", f"ballast_{kind}", "ballast_brown"]
    )
    between = 0.5 * colour(filler, bands, rng) + 0.5 * ballast
    around = colour(names[surroundings], bands, rng, spread=0.2)
    return Soil(
        ballast=ballast,
        between=between,
        around=around,
        fields=surroundings == "fields",
        weeds=weeds,
        rust=rust,
        plants=colour(plant, bands, rng),
    )


def track_distance(canvas: Canvas, lines: Sequence[Line], k: int) -> NDArray[np.float32]:
    """Metres to the nearest track centre on a grid ``k`` canvas pixels coarse."""
    from scipy.ndimage import distance_transform_edt

    rows, cols = -(-canvas.shape[0] // k), -(-canvas.shape[1] // k)
    free = np.ones((rows, cols), dtype=bool)
    cell = canvas.step_m * k
    for line in lines:
        at = ((line.points - canvas.origin_m) / cell).astype(int)
        good = (at[:, 0] >= 0) & (at[:, 0] < cols) & (at[:, 1] >= 0) & (at[:, 1] < rows)
        free[at[good, 1], at[good, 0]] = False
    if free.all():
        return np.full((rows, cols), 1e3, dtype=np.float32)
    return np.asarray(distance_transform_edt(free) * cell, dtype=np.float32)


def lay_ground(canvas: Canvas, lines: Sequence[Line], soil: Soil, dice: Dice) -> None:
    """Paint the whole canvas with soil: ballast near the tracks, other ground further off."""
    rng = dice.stream("ground")
    k = max(round(0.5 / canvas.step_m), 1)
    distance = track_distance(canvas, lines, k)
    small = distance.shape
    m = k * canvas.step_m
    blotches = fractal_noise(rng, small, [40 / m, 12 / m, 4 / m, 1.5 / m], 0.75)
    patches = fractal_noise(rng, small, [25 / m, 8 / m, 2.5 / m], 0.8)
    # The yard's surface ends raggedly 3-8 m beyond the outermost track.
    edge = float(rng.uniform(4, 8))
    yard = 1 / (1 + np.exp(np.clip((distance - edge - 1.5 * blotches) / 0.7, -30, 30)))
    weeds = 1 / (1 + np.exp(-(patches - 2.2 + 2.6 * soil.weeds) * 4)) * np.clip(soil.weeds * 2, 0, 0.85)
    parcels = _parcels(dice.stream("parcels"), small, m, canvas.bands, soil) if soil.fields else None
    stripe = np.clip((distance - 1.6) / 0.8, 0, 1)
    weeds = weeds * (0.35 + 0.65 * stripe)
    tone = np.exp(0.13 * blotches)
    lay = []
    for b in range(canvas.bands):
        inner = soil.ballast[b] + (soil.between[b] - soil.ballast[b]) * stripe * (
            0.6 + 0.4 * np.tanh(patches)
        )
        inner = inner * tone
        inner = inner + (soil.plants[b] - inner) * weeds
        outer = soil.around[b] * np.exp(0.22 * blotches + 0.12 * patches)
        if parcels is None:
            outer = outer + (soil.plants[b] - outer) * np.clip(0.5 + patches, 0, 1) * 0.5
        else:
            outer = parcels[b] * np.exp(0.12 * blotches)
        lay.append((inner * yard + outer * (1 - yard)).astype(np.float32))
    grain = _grain(rng, canvas)
    for b in range(canvas.bands):
        wide = np.repeat(np.repeat(lay[b], k, axis=0), k, axis=1)[: canvas.shape[0], : canvas.shape[1]]
        np.multiply(wide, grain, out=canvas.albedo[b])


def _parcels(
    rng: np.random.Generator, shape: tuple[int, int], cell_m: float, bands: int, soil: Soil
) -> NDArray[np.float32]:
    """Fields of several crops with furrows, (bands, rows, cols)."""
    angle = float(rng.uniform(0, np.pi))
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) * np.float32(cell_m)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    cuts_u = np.cumsum(rng.uniform(30, 160, 40)) + float(u.min())
    cuts_v = np.cumsum(rng.uniform(12, 60, 120)) + float(v.min())
    number = np.searchsorted(cuts_u, u) * 131 + np.searchsorted(cuts_v, v)
    crops = ("crop", "bare_field", "dry_grass", "grass", "dirt")
    table = np.stack(
        [colour(crops[int(rng.integers(5))], bands, rng, spread=0.2) for _ in range(257)], axis=1
    )
    table[:, ::3] = soil.plants[:, None]
    furrows = 1 + 0.12 * np.sin(v * (2 * np.pi / float(rng.uniform(1.4, 3.0))))
    return np.asarray(table[:, number % 257] * furrows, dtype=np.float32)


def _grain(rng: np.random.Generator, canvas: Canvas) -> NDArray[np.float32]:
    """Stones and tufts: brightness from pixel to pixel and over half a metre."""
    grain = rng.standard_normal(canvas.shape, dtype=np.float32)
    grain *= np.float32(rng.uniform(0.10, 0.2))
    half = lattice_noise(rng, canvas.shape, 0.6 / canvas.step_m)
    half *= np.float32(rng.uniform(0.03, 0.08))
    grain += half
    np.clip(grain, -0.6, 0.9, out=grain)
    grain += 1
    return grain


def lay_track(canvas: Canvas, line: Line, soil: Soil, dice: Dice) -> None:
    """Bed, sleepers and rails of one track."""
    rng = dice.stream(f"track {line.id}")
    gauge = GAUGES_M[int(rng.random() < 0.6)]
    pitch = float(rng.uniform(*SLEEPER_PITCH_M))
    concrete = bool(rng.random() < 0.25)
    sleeper = colour("sleeper_concrete" if concrete else "sleeper_wood", canvas.bands, rng)
    rust = colour("rust", canvas.bands, rng)
    sleeper = sleeper + (rust - sleeper) * np.float32(0.25 * soil.rust)
    rail = colour("rail", canvas.bands, rng) + (rust - colour("rail", canvas.bands)) * np.float32(
        0.5 * soil.rust
    )
    buried = float(rng.uniform(0.0, 0.45))
    worn = bool(rng.random() < 0.5)
    top = colour("rail_top", canvas.bands, rng) * np.float32(rng.uniform(0.5, 1.0))
    stain = float(rng.uniform(0.1, 0.5))
    long_noise = rng.standard_normal(400).astype(np.float32)
    per_sleeper = rng.normal(1.0, 0.18, 4096).astype(np.float32)
    for patch in canvas.along(line, 1.9):
        u, v = patch.u, patch.v
        drift = np.interp(u / 6.0, np.arange(400), long_noise).astype(np.float32)
        bed = np.clip(1.15 - np.abs(v) / 1.9, 0, 1) * np.clip(stain + 0.12 * drift, 0, 0.6)
        brown = 0.6 * rust + 0.4 * sleeper
        canvas.paint(patch, brown, alpha=bed)
        number = np.floor(u / pitch).astype(np.intp)
        phase = u / pitch - number
        wood = (phase < 0.25 / pitch) & (np.abs(v) < SLEEPER_LENGTH_M / 2)
        seen = np.clip(1 - buried - 0.25 * drift[wood], 0.1, 1.0)
        shade = per_sleeper[number[wood] % 4096]
        canvas.paint(patch.where(wood), sleeper[:, None] * shade, alpha=seen)
        _rails(canvas, patch, gauge, rail, top if worn else None)


def _rails(
    canvas: Canvas, patch: Patch, gauge: float, rail: NDArray[np.float32], top: NDArray[np.float32] | None
) -> None:
    at = np.abs(np.abs(patch.v) - gauge / 2 - RAIL_WIDTH_M / 4)
    # A rail is narrower than two canvas pixels: cover pixels by the part of them that it fills.
    cover = np.clip((RAIL_WIDTH_M / 2 + canvas.step_m / 2 - at) / canvas.step_m, 0, 1).astype(np.float32)
    on = cover > 0
    canvas.paint(patch.where(on), rail, alpha=cover[on])
    canvas.raise_to(patch.where(cover > 0.5), 0.17)
    if top is not None:
        bright = np.clip((0.035 + canvas.step_m / 2 - at) / canvas.step_m, 0, 1).astype(np.float32)
        on = bright > 0
        canvas.paint(patch.where(on), top, alpha=bright[on] * 0.7)
