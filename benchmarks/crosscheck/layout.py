"""Where tracks lie: parallel, bent, fanned out from a ladder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from canvas import Rng
    from numpy.typing import NDArray

STEP_M = 2.0
BEYOND_M = 45.0
"""Tracks go on outside the canvas, so that cars enter it at any part of their length."""
CLEAR_M = 3.55
"""Cars stand on a track only where its neighbours are this far away."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """A centre line on the canvas."""

    points: NDArray[np.float64]
    """(n, 2) metres, about STEP_M apart."""
    s: NDArray[np.float64]
    """(n,) metres along."""
    clear: NDArray[np.bool_]
    """(n,) cars can stand there."""
    offset_m: float
    """From the axis of the yard, where the track is straight."""

    def at(self, s: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions (..., 2)."""
        return np.stack([np.interp(s, self.s, self.points[:, k]) for k in (0, 1)], axis=-1)

    def chord(self, start: float, end: float) -> tuple[float, float, float]:
        """Middle and heading of a stiff body between two places; it hangs from its bogies."""
        inset = 0.16 * (end - start)
        a, b = self.at(start + inset), self.at(end - inset)
        middle = (a + b) / 2
        return float(middle[0]), float(middle[1]), float(np.arctan2(b[1] - a[1], b[0] - a[0]))


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The line that a yard follows: an arc (or a straight line) through a point."""

    x: float
    y: float
    heading: float
    curvature: float = 0.0
    """1/m."""

    def place(self, s: NDArray[np.float64], t: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Points ``s`` along and ``t`` across (to the right of travel); (n, 2)."""
        angle = self.heading + self.curvature * s
        if abs(self.curvature) < 1e-6:
            x, y = self.x + s * np.cos(self.heading), self.y + s * np.sin(self.heading)
        else:
            x = self.x + (np.sin(angle) - np.sin(self.heading)) / self.curvature
            y = self.y - (np.cos(angle) - np.cos(self.heading)) / self.curvature
        return np.stack([x - t * np.sin(angle), y + t * np.cos(angle)], axis=-1)


def offsets(
    n: int, *, spacing: tuple[float, float], rng: Rng, lanes: bool = True
) -> tuple[list[float], list[float]]:
    """Distances of ``n`` tracks from the axis, and the middles of wide gaps (service lanes)."""
    usual = rng.uniform(*spacing)
    across, lane_middles = [0.0], []
    for _ in range(n - 1):
        gap = usual + rng.normal(0.0, 0.04)
        if lanes and rng.random() < 0.14:
            gap = usual + rng.uniform(2.0, 6.5)
            lane_middles.append(across[-1] + gap / 2)
        across.append(across[-1] + gap)
    middle = across[-1] / 2
    return [t - middle for t in across], [t - middle for t in lane_middles]


def parallel(axis: Axis, across: list[float], *, size_m: tuple[float, float]) -> list[Track]:
    """Tracks beside each other."""
    reach = np.hypot(*size_m) / 2 + BEYOND_M
    s = np.arange(-reach, reach, STEP_M)
    tracks = []
    for t in across:
        track = _track(axis.place(s, t), np.ones(len(s), dtype=bool), t, size_m=size_m)
        if track is not None:
            tracks.append(track)
    return tracks


def ladder(axis: Axis, across: list[float], *, size_m: tuple[float, float], rng: Rng) -> list[Track]:
    """Tracks that leave a slanting lead one after the other, by turnouts of 1:7 to 1:10."""
    reach = np.hypot(*size_m) / 2 + BEYOND_M
    s = np.arange(-reach, reach, STEP_M)
    slope = 1.0 / rng.uniform(7.0, 10.0)
    begin = rng.uniform(-0.42, -0.2) * size_m[0]
    lead = across[0] + np.maximum(s - begin, 0.0) * slope
    tracks = []
    soft = rng.uniform(1.2, 2.2)
    levels = [*across, across[-1] + 30.0]
    for number, t in enumerate(across):
        line = _soft_min(lead, np.full_like(s, t), soft)
        if number == 0:
            line = np.full_like(s, t)
        leaves = begin + (t - across[0]) / slope - 32.0
        keep = (s >= leaves) if number else np.ones(len(s), dtype=bool)
        apart = np.minimum(lead - line, levels[number + 1] - line)
        clear = (np.abs(lead - line) > CLEAR_M) & (apart > CLEAR_M - 0.6)
        track = _track(axis.place(s, line)[keep], clear[keep], t, size_m=size_m)
        if track is not None:
            tracks.append(track)
    return tracks


def _soft_min(a: NDArray[np.float64], b: NDArray[np.float64], soft: float) -> NDArray[np.float64]:
    """The smaller one, rounded off where they meet."""
    h = np.maximum(soft - np.abs(a - b), 0.0) / soft
    return np.minimum(a, b) - h * h * soft / 4


def _track(
    points: NDArray[np.float64], clear: NDArray[np.bool_], offset: float, *, size_m: tuple[float, float]
) -> Track | None:
    """The longest part of a line near the canvas; None where there is none."""
    w, h = size_m
    near = (
        (points[:, 0] > -BEYOND_M)
        & (points[:, 0] < w + BEYOND_M)
        & (points[:, 1] > -BEYOND_M)
        & (points[:, 1] < h + BEYOND_M)
    )
    edges = np.flatnonzero(np.diff(np.r_[0, near.astype(int), 0]))
    if len(edges) == 0:
        return None
    start, stop = max(zip(edges[::2], edges[1::2], strict=True), key=lambda run: run[1] - run[0])
    if stop - start < 10:
        return None
    points = points[start:stop]
    s = np.r_[0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    return Track(points=points, s=s, clear=clear[start:stop], offset_m=offset)
