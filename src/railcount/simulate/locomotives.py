"""Locomotives as seen from above: no two builders' roofs are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from railcount.simulate.art import Art
    from railcount.simulate.consist import Placed

CAB_PAINTS = ("white", "light_grey", "cream", "yellow", "red", "orange")
"""Cabs often stand out, so that they are seen from afar."""


def locomotive(art: Art, car: Placed) -> None:
    """A full-width body: cabs at the ends, grilles, fans and exhausts on the roof, or what takes current."""
    v, rng = car.vehicle, art.rng
    body = art.paint_of(car.paint)
    roof = (
        body
        if rng.random() < 0.3
        else art.paint_of(str(rng.choice(["grey", "grime", "black", "light_grey"])))
    )
    art.fill(art.everywhere(), body, v.height_m - 0.5)
    art.relief = (0.4 * (1 - (2 * art.v / v.width_m) ** 4) + 0 * art.u).astype(np.float32)
    livery(art, base_m=v.height_m - 0.5)
    art.fill(art.box((-v.body_m / 2 + 2.2, v.body_m / 2 - 2.2), (-1.1, 1.1)), roof, v.height_m - 0.5)
    cab = art.paint_of(str(rng.choice(CAB_PAINTS))) if rng.random() < 0.4 else body
    for end in (-1.0, 1.0):
        art.fill((end * art.u > v.body_m / 2 - 2.2) & (np.abs(art.v) < 1.2), cab, v.height_m - 0.45)
        nose = (end * art.u > v.body_m / 2 - 0.9) & (np.abs(art.v) < 9)
        art.fill(nose, body * 1.1, 2.6)
    for _ in range(int(rng.integers(3, 8))):
        at, size = rng.uniform(-0.35, 0.35) * v.body_m, rng.uniform(0.35, 1.2)
        across = rng.uniform(-0.5, 0.5)
        art.fill(
            art.box((at - size, at + size), (across - 0.45, across + 0.45)),
            roof * rng.uniform(0.3, 1.9),
            v.height_m + 0.1,
        )
    if rng.random() < 0.4:
        current(art, top_m=v.height_m)
    else:
        fans(art, (-0.32 * v.body_m, 0.32 * v.body_m), top_m=v.height_m - 0.1)


def locomotive_hood(art: Art, car: Placed) -> None:
    """A narrow hood with walkways beside it and one cab."""
    v, rng = car.vehicle, art.rng
    body = art.paint_of(car.paint)
    art.fill(art.everywhere(), art.paint_of(str(rng.choice(["grime", "grime", "grey", "black"]))) * 1.3, 1.6)
    flip = 1.0 if rng.random() < 0.5 else -1.0
    u = art.u * flip
    half_v = rng.uniform(0.8, 1.15)
    art.fill((np.abs(u) < v.body_m / 2 - 0.8) & (np.abs(art.v) < half_v), body, v.height_m - 0.4)
    livery(art, base_m=v.height_m - 0.4, half_v=half_v)
    cab_at = v.body_m / 2 - rng.uniform(3.2, 4.5) if rng.random() < 0.8 else rng.uniform(-2.0, 1.0)
    cab = (u > cab_at) & (u < cab_at + rng.uniform(2.0, 2.8)) & (np.abs(art.v) < v.width_m / 2 - 0.05)
    art.fill(cab, art.paint_of(str(rng.choice([*CAB_PAINTS, "grey", car.paint]))), v.height_m)
    nose = (u > max(cab_at, 0.0) + 2.3) & (np.abs(u) < v.body_m / 2 - 0.8) & (np.abs(art.v) < 0.8)
    art.fill(nose & ~cab, body, 3.2)
    fans(art, (-0.42 * v.body_m, 0.1 * v.body_m), top_m=v.height_m - 0.35, flip=flip)
    grille = (u > -v.body_m * 0.42) & (u < -v.body_m * 0.3) & (np.abs(art.v) < 0.85)
    art.fill(grille, body * 0.5, v.height_m - 0.38)
    if rng.random() < 0.4:
        rails = np.abs(np.abs(art.v) - (v.width_m / 2 - 0.08)) < 0.05
        art.fill(rails & (np.abs(art.u) < v.body_m / 2), art.paint_of("white"), 2.6)


def livery(art: Art, *, base_m: float, half_v: float = 9.0) -> None:
    """A second colour over one end or the middle, or a band along the body; often none."""
    rng = art.rng
    paint = art.paint_of(str(rng.choice([*CAB_PAINTS, "dark_blue", "black", "green"])))
    kind, at = rng.random(), rng.uniform(0.1, 0.35) * art.length_m
    body = np.abs(art.v) < half_v
    if kind < 0.2:
        art.fill(body & (art.u * rng.choice([-1.0, 1.0]) > at), paint, base_m)
    elif kind < 0.35:
        art.fill(body & (np.abs(art.u) < at), paint, base_m)
    elif kind < 0.5:
        band = rng.uniform(0.15, 0.5)
        art.fill(
            body & (np.abs(np.abs(art.v) - min(half_v, art.width_m / 2) + band) < band / 2), paint, base_m
        )


def fans(art: Art, between: tuple[float, float], *, top_m: float, flip: float = 1.0) -> None:
    """A row of round fans of one size: dark, or light with a dark rim."""
    rng = art.rng
    n, radius = int(rng.integers(1, 7)), rng.uniform(0.4, 0.75)
    inner = art.paint_of(str(rng.choice(["black", "black", "grey", "light_grey", "white"])))
    first, last = np.sort(rng.uniform(*between, 2)) if n > 1 else between
    spread = max(last - first, 1.8 * radius * (n - 1))
    for at in first + spread * (np.arange(n) + 0.5 * (n == 1)) / max(n - 1, 1):
        r = np.hypot(art.u * flip - at, art.v)
        art.fill(r < radius, art.paint_of("black"), top_m)
        art.fill(r < 0.75 * radius, inner, top_m)


def current(art: Art, *, top_m: float) -> None:
    """Pantographs, a busbar and insulators."""
    rng = art.rng
    metal = art.paint_of(str(rng.choice(["grey", "light_grey", "red", "black"])))
    art.fill(
        (np.abs(art.v - rng.uniform(-0.4, 0.4)) < 0.07) & (np.abs(art.u) < 0.33 * art.length_m), metal, top_m
    )
    for at in rng.choice([-1.0, 1.0], size=int(rng.integers(1, 3)), replace=False) * rng.uniform(0.25, 0.36):
        u = art.u - at * art.length_m
        arms = (np.abs(np.abs(art.v) - 0.5 * np.abs(u)) < 0.08) & (np.abs(u) < 1.4)
        art.fill(arms | ((np.abs(u) < 0.18) & (np.abs(art.v) < 0.95)), metal, top_m + 0.3)
    for at in rng.uniform(-0.3, 0.3, int(rng.integers(2, 7))) * art.length_m:
        art.fill(
            np.hypot(art.u - at, art.v - rng.uniform(-0.7, 0.7)) < 0.2, art.paint_of("red_brown"), top_m + 0.2
        )
