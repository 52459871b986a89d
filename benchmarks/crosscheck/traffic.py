"""Which cars stand where: strings of coupled cars, blocks of one design."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from stock import draw_design, locomotive

if TYPE_CHECKING:
    from canvas import Rng
    from kinds import Plan
    from layout import Track
    from stock import Design


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """One car on the canvas."""

    design: Design
    place: tuple[float, float, float]
    """Middle x and y in metres, heading in radians."""
    coupled: tuple[float, float, float, float] | None
    """From the end of this body to the next one's, where it is coupled to it."""

    def outline(self, lean: tuple[float, float]) -> np.ndarray:
        """(4, 2) canvas metres: the body's rectangle, moved by half the displacement of its roof."""
        x, y, heading = self.place
        c, s = np.cos(heading), np.sin(heading)
        along = np.array([c, s]) * self.design.length / 2
        across = np.array([-s, c]) * self.design.width / 2
        middle = np.array([x, y]) + np.array(lean) * self.design.height / 2
        corners = [along + across, along - across, -along - across, across - along]
        return middle + np.array(corners)


def occupy(track: Track, plan: Plan, *, fill: float, fleet: list[Design], rng: Rng) -> list[Standing]:
    """Cars along one track until about ``fill`` of its clear part is taken."""
    if fill <= 0.0:
        return []
    standing: list[Standing] = []
    mean_car = 16.0
    string_m = plan.string * mean_car
    mean_gap = max(string_m * (1 - fill) / fill, 3.0)
    s = float(rng.uniform(0, min(mean_gap, 120.0)))
    while s < track.s[-1]:
        n = 1 + int(rng.geometric(1.0 / plan.string)) - 1 if plan.string > 1.2 else 1
        s = _couple(track, plan, s, n=max(n, 1), fleet=fleet, standing=standing, rng=rng)
        s += 2.5 + float(rng.exponential(max(mean_gap - 2.5, 0.5)))
    return standing


def _couple(
    track: Track, plan: Plan, s: float, *, n: int, fleet: list[Design], standing: list[Standing], rng: Rng
) -> float:
    """One string from ``s`` on; returns where it ends."""
    designs: list[Design] = []
    if rng.random() < plan.engines:
        designs += [locomotive(rng)] * int(rng.choice([1, 1, 2]))
    while len(designs) < n:
        design = fleet[int(rng.integers(len(fleet)))] if rng.random() < 0.6 else draw_design(plan.stock, rng)
        designs += [design] * min(int(rng.geometric(1.0 / plan.block)), n - len(designs))
    car_snow = float(rng.uniform(*plan.car_snow)) if plan.car_snow[1] else 0.0
    before: Standing | None = None
    for design in designs:
        end = s + design.length
        clear = np.interp([s - 1.0, end + 1.0], track.s, track.clear.astype(float)).min() > 0.9
        if end > track.s[-1]:
            return end
        if not clear:
            s, before = s + 4.0, None
            continue
        own = replace(design, snow=np.clip(car_snow + rng.normal(0, 0.1), 0, 1) if car_snow else 0.0)
        here = Standing(design=own, place=track.chord(s, end), coupled=None)
        if before is not None:
            a, b = track.at(s - design.coupling), track.at(s)
            standing[-1] = replace(before, coupled=(float(a[0]), float(a[1]), float(b[0]), float(b[1])))
        standing.append(here)
        before = here
        s = end + design.coupling
    return s
