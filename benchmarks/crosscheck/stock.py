"""Designs of railcars: what a block of equal cars has in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from canvas import pick, rgb

if TYPE_CHECKING:
    from collections.abc import Callable

    from canvas import Floats, Rng

RUST = [(112, 72, 52), (94, 62, 48), (128, 84, 60), (84, 60, 50)]
GREYS = [(120, 122, 124), (150, 150, 148), (98, 98, 98), (170, 170, 166)]
DARK = [(44, 44, 46), (58, 56, 55), (36, 36, 38), (66, 62, 58)]
WHITES = [(222, 222, 218), (205, 206, 204), (236, 236, 232), (190, 190, 186)]
PAINTS = [
    (60, 84, 120),
    (58, 96, 76),
    (140, 60, 48),
    (168, 140, 60),
    (70, 70, 74),
    (120, 50, 44),
    (50, 70, 100),
    (90, 110, 110),
]
BOXES = [
    *PAINTS,
    (170, 70, 50),
    (200, 200, 196),
    (36, 76, 130),
    (200, 120, 50),
    (150, 150, 150),
    (60, 110, 90),
]
LIVERIES = [(170, 50, 40), (60, 100, 60), (50, 80, 140), (190, 150, 50), (70, 70, 72), (200, 90, 40)]
TARPS = [(70, 100, 80), (60, 80, 120), (110, 112, 110), (86, 84, 76), (150, 150, 146), (48, 60, 58)]
LOADS: dict[str, tuple[int, int, int]] = {
    "coal": (34, 34, 36),
    "ore": (104, 66, 50),
    "sand": (170, 152, 118),
    "gravel": (132, 130, 126),
    "scrap": (98, 84, 74),
    "logs": (150, 118, 80),
    "chips": (182, 148, 96),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """One design, as it comes out of the works and as its block is loaded."""

    shape: str
    """Which painter draws it."""
    kind: str
    """As railcount names kinds."""
    covered: bool
    length: float
    """Body, without couplers."""
    width: float
    height: float
    coupling: float
    """Between the bodies of two such cars."""
    body: Floats
    """Sides and rims."""
    top: Floats
    """Roof, tank or load."""
    load: str = ""
    """What lies in it; empty for nothing."""
    fill: float = 0.0
    """Height of the load, share of the body's."""
    detail: int = 0
    """Which variant of fittings."""
    dirt: float = 0.15
    snow: float = 0.0
    """Share of the top under snow."""


def _make(rng: Rng, **known: object) -> Design:
    given = {
        "coupling": rng.uniform(0.8, 1.6),
        "detail": int(rng.integers(4)),
        "dirt": rng.uniform(0.05, 0.3),
        **known,
    }
    return Design(**given)  # type: ignore[arg-type]


def boxcar(rng: Rng, *, white: bool = False) -> Design:
    """A closed van with a slightly arched roof."""
    roofs = WHITES if white else [*GREYS, *RUST, *DARK[:2], *WHITES[:2], *PAINTS[:3]]
    length = float(rng.choice([13.9, 14.7, 15.5, 16.1, 17.0, 18.4, 21.0]))
    return _make(
        rng,
        shape="van",
        kind="covered",
        covered=True,
        length=length,
        width=rng.uniform(2.8, 3.3),
        height=rng.uniform(4.0, 4.8),
        body=pick(WHITES if white and rng.random() < 0.5 else [*RUST, *PAINTS, *GREYS], rng),
        top=pick(roofs, rng),
    )


def gondola(rng: Rng, *, load: str | None = None) -> Design:
    """An open well, empty or loaded."""
    if load is None:
        load = str(rng.choice(["", "", "", "coal", "ore", "sand", "gravel", "scrap", "logs", "chips"]))
    body = pick([*RUST, *DARK, *PAINTS[:4], *GREYS[:2]], rng)
    colour = pick([LOADS[load]], rng, tone=0.15) if load else pick([*RUST, *DARK, (130, 112, 90)], rng)
    return _make(
        rng,
        shape="well",
        kind="gondola",
        covered=False,
        length=float(rng.choice([11.6, 12.7, 12.8, 13.4, 14.2, 15.8, 18.5])),
        width=rng.uniform(2.8, 3.2),
        height=rng.uniform(2.4, 3.8),
        body=body,
        top=colour,
        load=load,
        fill=rng.uniform(0.55, 1.0) if load else 0.0,
    )


def coal_car(rng: Rng) -> Design:
    """A gondola or open hopper of a coal train, mostly loaded; the block is all alike."""
    hopper = rng.random() < 0.5
    loaded = rng.random() < 0.8
    design = gondola(rng, load="coal" if loaded else "")
    body = pick([*DARK, *GREYS, (110, 80, 60)], rng)
    shape = "hopper" if hopper and not loaded else "well"
    top = design.top if loaded else pick([*DARK, (80, 76, 72)], rng)
    length = float(rng.choice([12.7, 12.8, 14.2, 15.0, 15.7]))
    return replace(design, shape=shape, body=body, top=top, length=length, height=rng.uniform(3.2, 3.8))


def dark_car(rng: Rng) -> Design:
    """Coal, black tanks, dark wells."""
    if rng.random() < 0.2:
        return tank(rng, dark=True)
    design = coal_car(rng)
    return replace(design, body=pick(DARK, rng), dirt=0.1)


def grey_car(rng: Rng) -> Design:
    """Whatever it is, it has the grey of ballast."""
    design = [boxcar, gondola, covered_hopper, flat][int(rng.choice(4, p=[0.35, 0.3, 0.25, 0.1]))](rng)
    return replace(design, top=pick(GREYS, rng, tone=0.15), body=pick(GREYS, rng, tone=0.15))


def tarped(rng: Rng) -> Design:
    """A gondola under a cloth."""
    design = gondola(rng, load="")
    return replace(design, shape="cloth", kind="covered", covered=True, top=pick(TARPS, rng), height=3.6)


def hopper(rng: Rng) -> Design:
    """An open hopper, empty: sloping ends, cross ridges."""
    design = gondola(rng, load="")
    body = pick([*GREYS, *RUST, *DARK], rng)
    return replace(design, shape="hopper", height=rng.uniform(3.0, 3.8), body=body)


def tank(rng: Rng, *, dark: bool = False) -> Design:
    """A cylinder on a frame."""
    colours = DARK if dark else [*DARK, *DARK, *WHITES, *GREYS, (64, 84, 130), (70, 100, 80), (150, 120, 70)]
    return _make(
        rng,
        shape="tank",
        kind="tank",
        covered=True,
        length=float(rng.choice([10.8, 11.2, 12.4, 13.8, 15.4, 16.8, 18.0])),
        width=rng.uniform(2.6, 3.2),
        height=rng.uniform(4.0, 4.7),
        body=pick(DARK, rng),
        top=pick(colours, rng),
    )


def covered_hopper(rng: Rng) -> Design:
    """For grain or cement: hatches and a walkway on the roof."""
    return _make(
        rng,
        shape="silo",
        kind="covered",
        covered=True,
        length=float(rng.choice([11.0, 12.0, 13.5, 15.8, 17.1, 18.3])),
        width=rng.uniform(2.9, 3.2),
        height=rng.uniform(4.2, 4.8),
        body=pick([*GREYS, *WHITES, (150, 140, 120)], rng),
        top=pick([*GREYS, *WHITES, (160, 150, 130), (128, 116, 104)], rng),
    )


def flat(rng: Rng) -> Design:
    """Empty: a deck of wood or steel, or a skeleton that shows the ground."""
    return _make(
        rng,
        shape=str(rng.choice(["deck", "deck", "skeleton"])),
        kind="flat",
        covered=False,
        length=float(rng.choice([12.8, 13.4, 14.6, 18.4, 19.7, 24.0])),
        width=rng.uniform(2.7, 3.15),
        height=rng.uniform(1.15, 1.35),
        body=pick([*RUST, *DARK], rng),
        top=pick([(128, 108, 86), (104, 92, 78), (92, 72, 60), (120, 118, 114), (70, 64, 60)], rng),
    )


def container_flat(rng: Rng) -> Design:
    """A flat with one to three containers."""
    return _make(
        rng,
        shape="boxes",
        kind="covered",
        covered=True,
        length=float(rng.choice([13.4, 14.0, 18.4, 19.7, 25.3])),
        width=rng.uniform(2.5, 2.8),
        height=rng.uniform(3.6, 4.1),
        body=pick([*RUST, *DARK], rng),
        top=pick(BOXES, rng),
    )


def autorack(rng: Rng) -> Design:
    """A long, closed carrier of motor cars."""
    return _make(
        rng,
        shape="rack",
        kind="covered",
        covered=True,
        length=rng.uniform(26.6, 27.6),
        width=rng.uniform(2.95, 3.2),
        height=rng.uniform(5.0, 5.8),
        body=pick([(190, 170, 90), (150, 90, 70), *WHITES, *GREYS], rng),
        top=pick([*WHITES, *GREYS, (150, 130, 110)], rng),
    )


def coach(rng: Rng) -> Design:
    """For passengers: long, smooth, with ventilators."""
    return _make(
        rng,
        shape="coach",
        kind="coach",
        covered=True,
        length=rng.uniform(23.4, 25.7),
        width=rng.uniform(2.85, 3.1),
        height=rng.uniform(4.0, 4.4),
        body=pick([(60, 90, 60), (60, 70, 110), (130, 50, 44), *WHITES], rng),
        top=pick([*GREYS, *DARK, *WHITES[:2], (100, 110, 100)], rng),
        coupling=rng.uniform(0.8, 1.0),
    )


def locomotive(rng: Rng) -> Design:
    """Diesel (hood or full body) or electric."""
    detail = int(rng.integers(4))
    return _make(
        rng,
        shape="engine",
        kind="locomotive",
        covered=True,
        length=rng.uniform(15.8, 21.5),
        width=rng.uniform(2.8, 3.1),
        height=rng.uniform(4.1, 4.7),
        body=pick(LIVERIES, rng),
        top=pick([*GREYS, *DARK, (120, 60, 50), (80, 90, 80)], rng),
        detail=detail,
    )


MAKERS: dict[str, Callable[[Rng], Design]] = {
    "boxcar": boxcar,
    "white_boxcar": lambda rng: boxcar(rng, white=True),
    "gondola": gondola,
    "coal": coal_car,
    "dark": dark_car,
    "grey": grey_car,
    "tarped": tarped,
    "hopper": hopper,
    "tank": tank,
    "covered_hopper": covered_hopper,
    "flat": flat,
    "containers": container_flat,
    "autorack": autorack,
    "coach": coach,
    "locomotive": locomotive,
}
MIXED = {
    "boxcar": 2.0,
    "gondola": 3.0,
    "tarped": 0.8,
    "hopper": 1.0,
    "coal": 0.6,
    "tank": 2.0,
    "covered_hopper": 1.5,
    "flat": 0.8,
    "containers": 1.3,
    "autorack": 0.3,
    "coach": 0.2,
}


def draw_design(weights: dict[str, float], rng: Rng) -> Design:
    """One design by the weights of its makers."""
    names = sorted(weights)
    odds = np.array([weights[name] for name in names])
    return MAKERS[str(rng.choice(names, p=odds / odds.sum()))](rng)


SNOW = rgb(236, 240, 246)
