"""Track layouts: centre lines in local metres (x east, y south)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.errors import InputError
from railcount.simulate.dice import pick, pick_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.simulate.scene import Layout

SWITCH = 9.0
"""Turnouts are 1:9, the usual yard turnout (angle 6.34 degrees)."""
SWITCH_RADIUS_M = 250.0
"""Radius through a turnout and into the ladder's tracks (UIC small yard turnouts are 190-300 m)."""
FOULING_M = 3.9
"""Centre distance at which vehicles on converging tracks pass each other."""
POINT_STEP_M = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """The centre line of a track."""

    id: str
    points: NDArray[np.float64]
    """(n, 2) local metres, about POINT_STEP_M apart."""
    free: tuple[tuple[float, float], ...]
    """Ranges along the line, in metres from its first point, where vehicles can stand."""

    @property
    def along_m(self) -> NDArray[np.float64]:
        """(n,) metres along the line of each point."""
        return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.points, axis=0).T))])

    def at(self, s: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Points at s metres along the line, straight on beyond its ends."""
        s = np.asarray(s, dtype=np.float64)
        along = self.along_m
        x = np.interp(s, along, self.points[:, 0])
        y = np.interp(s, along, self.points[:, 1])
        out = np.stack([x, y], axis=-1)
        for over, end, inner in ((s - along[-1], -1, -2), (-s, 0, 1)):
            unit = self.points[end] - self.points[inner]
            unit = unit / np.hypot(*unit)
            out = out + np.maximum(over, 0.0)[..., None] * unit
        return out


def lay_tracks(
    layout: Layout, rng: np.random.Generator, *, width_m: float, height_m: float, margin_m: float
) -> tuple[Line, ...]:
    """Centre lines of all tracks, reaching ``margin_m`` beyond the frame.

    Raises InputError where the values contradict one another.
    """
    n = pick_whole(rng, layout.n_tracks, 5, 12)
    azimuth = np.deg2rad(pick(rng, layout.azimuth_deg, 0.0, 180.0))
    spacing = pick(rng, layout.spacing_m, 3.8, 6.0)
    jitter = rng.uniform(-0.12, 0.12, max(n - 1, 0))
    shift = pick(rng, layout.shift_m, -0.1 * height_m, 0.1 * height_m)
    radius = pick(rng, layout.radius_m, 250.0, 900.0)
    lead_start = pick(rng, layout.lead_start, 0.02, 0.25)
    n_through = pick_whole(rng, layout.n_through, 0, max(n - 4, 0))
    n_cross = pick_whole(rng, layout.n_crossovers, 0, 1)
    if layout.kind == "empty" or n == 0:
        return ()
    gaps = np.maximum(spacing + jitter, 3.6 if spacing >= 3.6 else spacing)
    if layout.spacings_m is not None:
        if len(layout.spacings_m) != n - 1:
            raise InputError(
                f"layout.spacings_m must hold {n - 1} gaps for {n} tracks, not {len(layout.spacings_m)}"
            )
        gaps = np.asarray(layout.spacings_m, dtype=np.float64)
    across = np.concatenate([[0.0], np.cumsum(gaps)])
    across = across - across[-1] / 2 + shift
    half = 0.5 * float(np.hypot(width_m, height_m)) + margin_m
    if layout.kind == "ladder":
        tracks = _ladder(across, half=half, start=-half + 2 * half * lead_start, n_through=n_through)
    elif layout.kind == "curved":
        turn = 1.0 if rng.random() < 0.5 else -1.0
        tracks = [_arc(turn, radius, y, half) for y in across]
    else:
        tracks = [_resample(np.array([[-half, y], [half, y]])) for y in across]
    ids = [str(number + 1) for number in range(len(tracks))]
    free: list[list[tuple[float, float]]] = [[(0.0, _length(points))] for points in tracks]
    if layout.kind == "ladder":
        free = _ladder_free(tracks, across, n_through)
    elif n_cross and n > 1:
        tracks, ids, free = _cross_over(tracks, ids, free, across, n_cross=n_cross, rng=rng)
    # The layout is drawn with x along the tracks and y to their right; turn it to the azimuth.
    along = np.array([np.sin(azimuth), -np.cos(azimuth)])
    right = np.array([np.cos(azimuth), np.sin(azimuth)])
    centre = np.array([width_m / 2, height_m / 2])
    return tuple(
        Line(id=name, points=centre + points[:, :1] * along + points[:, 1:] * right, free=tuple(ranges))
        for name, points, ranges in zip(ids, tracks, free, strict=True)
    )


def _length(points: NDArray[np.float64]) -> float:
    return float(np.sum(np.hypot(*np.diff(points, axis=0).T)))


def _resample(points: NDArray[np.float64]) -> NDArray[np.float64]:
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    s = np.linspace(0.0, along[-1], max(int(np.ceil(along[-1] / POINT_STEP_M)), 1) + 1)
    return np.stack([np.interp(s, along, points[:, 0]), np.interp(s, along, points[:, 1])], axis=1)


def _arc(turn: float, radius: float, y: float, half: float) -> NDArray[np.float64]:
    """A circle about (0, turn * radius), through (0, y), as far as a third of a turn."""
    r = radius - turn * y
    reach = min(half / radius, 2.1)
    angle = np.linspace(-reach, reach, max(int(2 * reach * r / POINT_STEP_M), 2))
    return np.stack([r * np.sin(angle), turn * (radius - r * np.cos(angle))], axis=1)


def fillet(points: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """A polyline with its corners rounded to ``radius``, sampled finely."""
    out = [points[0]]
    for before, corner, after in zip(points[:-2], points[1:-1], points[2:], strict=True):
        a, b = before - corner, after - corner
        a, b = a / np.hypot(*a), b / np.hypot(*b)
        turn = np.pi - np.arccos(np.clip(a @ b, -1, 1))
        if turn < 1e-6:
            continue
        reach = radius * np.tan(turn / 2)
        centre = corner + (a + b) / np.hypot(*(a + b)) * radius / np.cos(turn / 2)
        first, last = corner + a * reach - centre, corner + b * reach - centre
        for f in np.linspace(0, 1, max(int(radius * turn / POINT_STEP_M), 2)):
            arm = first * np.sin((1 - f) * turn) + last * np.sin(f * turn)
            out.append(centre + arm / np.sin(turn))
    out.append(points[-1])
    return _resample(np.array(out))


def _ladder(
    across: NDArray[np.float64], *, half: float, start: float, n_through: int
) -> list[NDArray[np.float64]]:
    """Tracks that leave a lead; the lead itself is the first branching track's other leg."""
    tracks = []
    base = across[0]
    half_turn = np.tan(np.arctan(1 / SWITCH) / 2)
    last = len(across) - n_through - 1
    for k, y in enumerate(across):
        if k == 0 or k > last:
            tracks.append(_resample(np.array([[-half, y], [half, y]])))
            continue
        x = start + (y - base) * SWITCH
        radius = min(SWITCH_RADIUS_M, 0.45 * (y - base) * SWITCH / half_turn)
        reach = 1.05 * radius * half_turn
        begin = np.array([x - reach, y - reach / SWITCH])
        end = np.array([max(half, x + 2 * reach), y])
        ahead = [np.array([start - reach - 5, base]), np.array([start, base])] if k == last else [begin]
        tracks.append(fillet(np.array([*ahead, [x, y], end]), radius))
    return tracks


def _ladder_free(
    tracks: list[NDArray[np.float64]], across: NDArray[np.float64], n_through: int
) -> list[list[tuple[float, float]]]:
    """Where each track of a ladder is clear of every other."""
    from scipy.spatial import cKDTree

    free: list[list[tuple[float, float]]] = []
    for k, points in enumerate(tracks):
        others = np.concatenate([t for j, t in enumerate(tracks) if j != k] or [np.full((1, 2), 1e9)])
        distance, _ = cKDTree(others).query(points)
        gaps = np.diff(across)
        near = min([*gaps[max(k - 1, 0) : k + 1], FOULING_M])
        free.append(_runs(distance >= near - 0.05))
    return free


def _runs(good: NDArray[np.bool_]) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(np.int8), [0]])))
    return [(a * POINT_STEP_M, (b - 1) * POINT_STEP_M) for a, b in edges.reshape(-1, 2) if b - a > 24]


def _cross_over(
    tracks: list[NDArray[np.float64]],
    ids: list[str],
    free: list[list[tuple[float, float]]],
    across: NDArray[np.float64],
    *,
    n_cross: int,
    rng: np.random.Generator,
) -> tuple[list[NDArray[np.float64]], list[str], list[list[tuple[float, float]]]]:
    """Join neighbouring tracks by 1:9 links, and keep vehicles off the switches."""
    tracks, ids, free = list(tracks), list(ids), [list(ranges) for ranges in free]
    n = len(across)
    for number in range(n_cross):
        k = int(rng.integers(0, n - 1))
        where = float(rng.uniform(0.2, 0.8))
        a, b = (k, k + 1) if rng.random() < 0.5 else (k + 1, k)
        gap = abs(across[k + 1] - across[k])
        run = gap * SWITCH + 12.0
        first = tracks[a][int(where * (len(tracks[a]) - 1))]
        after = np.argmin(np.hypot(*(tracks[b] - first - _heading(tracks[a], where) * run).T))
        last = tracks[b][after]
        head_a, head_b = _heading(tracks[a], where), _heading(tracks[b], after / (len(tracks[b]) - 1))
        f = np.linspace(0, 1, 60)[:, None]
        h = run
        link = (
            (2 * f**3 - 3 * f**2 + 1) * first
            + (f**3 - 2 * f**2 + f) * head_a * h
            + (3 * f**2 - 2 * f**3) * last
            + (f**3 - f**2) * head_b * h
        )
        tracks.append(_resample(link))
        ids.append(f"x{number + 1}")
        free.append([])
        for t, at in (
            (a, where * _length(tracks[a])),
            (b, _length(tracks[b]) * after / (len(tracks[b]) - 1)),
        ):
            lo, hi = (at - 2, at + run * 0.8) if t == a else (at - run * 0.8, at + 2)
            free[t] = [r for s, e in free[t] for r in ((s, min(e, lo)), (max(s, hi), e)) if r[1] - r[0] > 12]
    return tracks, ids, free


def _heading(points: NDArray[np.float64], where: float) -> NDArray[np.float64]:
    i = min(int(where * (len(points) - 1)), len(points) - 2)
    unit = points[i + 1] - points[i]
    return np.asarray(unit / np.hypot(*unit))
