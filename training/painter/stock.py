"""What stands on the tracks: types of cars with their sizes, and how they are put together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import paint_of


@dataclass
class Type:
    """A design: how its roof is painted, its kind, body length and width, height, gap to the next (m)."""

    look: str
    kind: str
    length: tuple[float, float]
    width: tuple[float, float]
    height: tuple[float, float]


TYPES = {
    "boxcar": Type("ribbed", "covered", (12.5, 19.0), (2.8, 3.25), (3.9, 5.0)),
    "long boxcar": Type("ribbed", "covered", (20.0, 27.5), (2.9, 3.2), (4.5, 5.3)),
    "sliding wall": Type("smooth", "covered", (13.0, 23.0), (2.6, 3.0), (3.8, 4.4)),
    "covered hopper": Type("hatches", "covered", (11.0, 18.5), (2.9, 3.25), (4.2, 4.8)),
    "trough hopper": Type("trough", "covered", (13.0, 19.5), (2.9, 3.25), (4.4, 4.9)),
    "cement": Type("domes", "covered", (9.0, 12.5), (2.8, 3.2), (4.0, 4.6)),
    "autorack": Type("autorack", "covered", (25.0, 28.0), (2.9, 3.15), (5.2, 5.8)),
    "coil": Type("hoods", "covered", (10.5, 16.0), (2.6, 3.0), (2.4, 3.4)),
    "tank": Type("tank", "tank", (9.5, 18.5), (2.5, 3.2), (4.0, 4.8)),
    "gondola": Type("gondola", "gondola", (11.5, 15.5), (2.8, 3.2), (2.4, 3.7)),
    "long gondola": Type("gondola", "gondola", (15.5, 22.0), (2.7, 3.1), (2.0, 3.6)),
    "hopper": Type("hopper", "gondola", (9.0, 16.5), (2.8, 3.2), (3.2, 4.2)),
    "flat": Type("flat", "flat", (12.0, 20.0), (2.6, 3.1), (1.1, 1.4)),
    "long flat": Type("flat", "flat", (20.0, 27.5), (2.6, 3.0), (1.1, 1.4)),
    "centre beam": Type("beam", "flat", (18.0, 24.0), (2.7, 3.1), (1.1, 1.3)),
    "skeleton": Type("skeleton", "flat", (12.5, 26.0), (2.3, 2.9), (1.0, 1.3)),
    "container flat": Type("boxed", "covered", (12.5, 26.5), (2.4, 2.8), (1.1, 1.3)),
    "well": Type("well", "flat", (13.0, 23.0), (2.7, 3.1), (1.0, 1.2)),
    "coach": Type("coach", "coach", (18.0, 26.4), (2.8, 3.2), (3.8, 4.6)),
    "hood unit": Type("hood", "locomotive", (14.0, 22.5), (2.8, 3.2), (4.2, 4.8)),
    "cab unit": Type("cab", "locomotive", (14.0, 21.0), (2.8, 3.15), (4.0, 4.8)),
}
FREIGHT = tuple(k for k, t in TYPES.items() if t.kind not in ("coach", "locomotive"))
POOLS = (
    ("boxcar", "long boxcar", "covered hopper", "trough hopper", "tank", "long gondola", "centre beam",
     "autorack", "hopper", "well", "container flat", "long flat", "coil"),
    ("sliding wall", "tank", "gondola", "long gondola", "flat", "skeleton", "container flat", "hopper",
     "boxcar", "cement", "coil", "covered hopper"),
    ("gondola", "gondola", "gondola", "tank", "tank", "boxcar", "covered hopper", "cement", "flat",
     "container flat", "hopper", "trough hopper"),
    FREIGHT,
)  # fmt: skip


@dataclass
class Car:
    """One vehicle as it will be painted; style holds the seeds and colours a block shares."""

    type: Type
    length: float
    width: float
    height: float
    paint: np.ndarray
    style: int


def block(rng, name, n):
    """Cars of one type: alike in size, and more or less in colour and roof."""
    t = TYPES[name]
    size = [rng.uniform(*r) for r in (t.length, t.width, t.height)]
    light = (t.look in ("hatches", "trough", "domes", "smooth", "autorack") and rng.random() < 0.55) or (
        t.look in ("tank", "ribbed", "coach") and rng.random() < 0.3
    )
    paint, style = paint_of(rng, light=light), int(rng.integers(1 << 30))
    vary, mixed = rng.uniform(0, 0.15), rng.random() < 0.4
    out = []
    for _ in range(n):
        if mixed:
            paint, style = paint_of(rng, light=light or rng.random() < 0.1), int(rng.integers(1 << 30))
            if rng.random() < 0.4:
                size = [rng.uniform(*r) for r in (t.length, t.width, t.height)]
        faded = np.clip(paint * rng.normal(1, vary), 0.02, 1)
        out.append(Car(t, *size, faded, style))
    return out


def consist(rng, pool, n):
    """A row of n coupled cars: one type, blocks of types, or any mix; perhaps locomotives ahead."""
    out = []
    if rng.random() < 0.15:
        out += block(rng, rng.choice(["hood unit", "cab unit"]), int(rng.integers(1, 4)))
    if rng.random() < 0.04:
        out += block(rng, "coach", int(rng.integers(1, 12)))
    typical = (1.0, rng.uniform(2, 12), 60)[rng.choice(3, p=[0.25, 0.5, 0.25])]
    while len(out) < n:
        out += block(rng, rng.choice(pool), int(np.ceil(rng.exponential(typical))))
    return out[:n] if rng.random() < 0.9 else out[n - 1 :: -1]


def placed(rng, line, pool, fill):
    """Cars on a track: (car, middle, direction), in groups that stand 2 to 100 m apart."""
    s = np.arange(len(line.points)) * 1.0
    steps = np.hypot(*np.diff(line.points, axis=0).T)
    s[1:] = np.cumsum(steps)
    out, at = [], rng.uniform(0, 80) if rng.random() < 0.6 else 0.0
    usual_gap = rng.uniform(0.7, 1.6)
    where = np.cumsum(np.concatenate([[0], ~line.free]))
    while at < s[-1]:
        n = int(rng.choice([1, rng.integers(1, 5), rng.integers(3, 25), rng.integers(10, 61)]))
        gap = np.clip(usual_gap + rng.normal(0, 0.12), 0.6, 1.9)
        for car in consist(rng, pool, n):
            a, b = at, at + car.length
            if b > s[-1]:
                return out
            i, j = np.searchsorted(s, [a, b])
            j = min(j + 1, len(s) - 1)
            if where[j] - where[max(i - 1, 0)]:
                at += 6.0
                continue
            inset = 0.18 * car.length
            p, q = (
                np.array([np.interp(c, s, line.points[:, k]) for k in (0, 1)]) for c in (a + inset, b - inset)
            )
            d = (q - p) / np.hypot(*(q - p))
            if rng.random() < 0.5:
                d = -d
            out.append((car, (p + q) / 2, d))
            at = b + gap + (rng.uniform(1, 4) if rng.random() < 0.02 else 0)
        at += rng.uniform(2, 20) if rng.random() < 0.4 else rng.exponential(100 * (1 - fill) + 4) + 4
    return out
