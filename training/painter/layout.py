"""Where tracks run: groups of parallel lines with ladders, single lines, spurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d


@dataclass
class Line:
    """A track in metres, sampled every metre, and the parts of it where cars may stand."""

    points: np.ndarray
    free: np.ndarray
    group: int


def bent(rng, length):
    """A gentle curve y(x) about the middle: straight, an arc, or an S."""
    x = np.arange(-length / 2, length / 2, 1.0)
    how = rng.random()
    if how < 0.5:
        return x, np.zeros_like(x)
    if how < 0.8:
        return x, x**2 / (2 * rng.uniform(300, 2500)) * rng.choice([-1, 1])
    return x, rng.uniform(3, 18) * np.tanh(x / rng.uniform(40, 120))


def group_of(rng, number, *, middle, angle, n, length):
    """Parallel tracks that may run together at either end."""
    x, y = bent(rng, length)
    even = rng.uniform(3.9, 5.2) if rng.random() < 0.85 else rng.uniform(3.6, 6.0)
    apart = np.where(rng.random(n) < 0.8, even, even + rng.uniform(0.2, 6, n))
    offset = np.concatenate([[0], np.cumsum(apart[1:])])
    offset -= 0.0 if rng.random() < 0.5 else offset[n // 2]
    spread = np.tan(np.radians(rng.uniform(5.5, 9.5)))
    starts = [-length, length]
    if n > 1:
        for end, p in ((0, 0.35), (1, 0.35)):
            if rng.random() < p:
                starts[end] = (-1, 1)[end] * rng.uniform(0.1, 0.45) * length
    slope = np.arctan(np.gradient(y))
    heading = angle + slope
    c, s = np.cos(angle), np.sin(angle)
    base = np.stack([x * c - y * s, x * s + y * c], -1) + middle
    normal = np.stack([-np.sin(heading), np.cos(heading)], -1)
    lines = []
    for o in offset:
        room = np.minimum((x - starts[0]) * spread, (starts[1] - x) * spread)
        off = gaussian_filter1d(np.sign(o) * np.clip(room, 0, abs(o)), 6)
        on = room > max(0.0, abs(o) - even - 0.5) if o else np.ones(len(x), bool)
        free = (room > abs(o) + 1.5) if o else (room > even * 1.3)
        if rng.random() < 0.12:  # ends at a buffer stop
            end = rng.uniform(-0.4, 0.4) * length
            on &= x < end if rng.random() < 0.5 else x > end
        if on.sum() > 30:
            points = base + off[:, None] * normal
            lines.append(Line(points[on], free[on], number))
    return lines


def crossings(lines):
    """Cars stand only where no track of another group is near."""
    for one in lines:
        for other in lines:
            if other.group != one.group:
                d = ((one.points[:, None, ::1] - other.points[None, ::4]) ** 2).sum(-1).min(axis=1)
                one.free &= d > 3.7**2


def layout(rng, size):
    """The tracks of a scene."""
    size = np.asarray(size)
    long = float(np.hypot(*size)) + 30
    angle = rng.uniform(0, np.pi) if rng.random() < 0.6 else rng.choice([0, np.pi / 2]) + rng.normal(0, 0.12)
    how = rng.random()
    counts = (
        [int(rng.integers(1, 4))] if how < 0.1
        else [int(rng.integers(4, 13))] if how < 0.4
        else [int(rng.integers(10, 31))] if how < 0.65
        else [int(n) for n in rng.integers(1, 12, rng.integers(2, 6))]
    )  # fmt: skip
    lines, across = [], rng.uniform(-25, 5) - 2.2 * sum(counts)
    for k, n in enumerate(counts):
        turn = angle + (rng.normal(0, 0.08) if k else 0)
        if k and rng.random() < 0.2:
            turn += rng.uniform(-0.6, 0.6)
        normal = np.array([-np.sin(angle), np.cos(angle)])
        middle = size / 2 + normal * across
        lines += group_of(rng, k, middle=middle, angle=turn, n=n, length=long)
        across += n * 4.7 + rng.uniform(4, 40)
    crossings(lines)
    kept = []
    for line in lines:
        p = line.points
        inside = ((p > -22) & (p < size + 22)).all(axis=1)
        if inside.sum() > 30:
            run = np.flatnonzero(inside)
            part = slice(run[0], run[-1] + 1)
            kept.append(Line(p[part], line.free[part], line.group))
    return kept
