"""Training examples from drawn scenes: strips with the truth of every column."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from lookalikes import stray_lines

from railcount.cars.kinds import KINDS
from railcount.net import load_net
from railcount.occupancy import views
from railcount.strips import straighten
from railcount.tracks.find import dense, find_tracks, new_part
from railcount.tracks.network import Track, TrackNetwork

if TYPE_CHECKING:
    from railcount.raster.grid import Grid
    from railcount.raster.tile import Pixels

LONGEST_GAP_M = 2.6
DECOY_M = 3.0
"""From a true track, for what was found to be no track: half of a wide spacing."""


TRIED, MISTAKEN = 16, 3
"""Stray lines of a picture that are looked at, and of these the worst that are learned from."""


@dataclass
class Truth:
    """One vehicle: outline in local metres and kind."""

    outline: np.ndarray
    kind: str


@dataclass
class Drawn:
    """A picture and what is true of it."""

    pixels: Pixels
    grid: Grid
    tracks: list[np.ndarray]
    """Lines (n, 2) in pixels; none in a look-alike."""
    cars: list[Truth]
    shadow: np.ndarray
    """(2,): the direction in which shadows fall, in local metres."""


def label(strip, cars, grid):
    """(2, along): state (0 empty, 1 body, 2 gap, -1 ignore) and kind of every column."""
    centre = grid.to_local(strip.centre_px)
    n = len(centre)
    state, kind = np.zeros(n, int), np.full(n, -1)
    spans = []
    for car in cars:
        middle = car.outline.mean(axis=0)
        i = int(np.argmin(((centre - middle) ** 2).sum(axis=1)))
        d = strip.direction[i]
        right = np.array([-d[1], d[0]])
        if abs((middle - centre[i]) @ right) > 1.6 or np.hypot(*(middle - centre[i])) > 14:
            continue
        along = (car.outline - centre[i]) @ d / strip.step_m + i + 0.5
        a, b = sorted((along[along < along.mean()].mean(), along[along > along.mean()].mean()))
        spans.append((a, b, car.kind, abs((middle - centre[i]) @ right)))
    spans.sort()
    for a, b, k, off in spans:
        lo, hi = max(0, round(a)), min(n, round(b))
        state[lo:hi] = 1 if off < 1.0 and k != "hidden" else -1
        kind[lo:hi] = KINDS.index(k) if k in KINDS else -1
    for (_, b, *_), (c, *_) in pairwise(spans):
        if 0 <= c - b < LONGEST_GAP_M / strip.step_m:
            lo, hi = round(b), round(c)
            if hi <= lo:
                hi = lo + 1
            state[max(lo, 0) : min(hi, n)] = 2
    return np.stack([state, kind])


def shifted(track, grid, *, rng, offset, wobble):
    """The track's line, moved sideways by an offset (m) that drifts along it."""
    line = grid.to_local(track)
    s = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0, s[-1], max(2, int(s[-1] / 5)))
    line = np.stack([np.interp(at, s, line[:, k]) for k in (0, 1)], -1)
    d = np.gradient(line, axis=0)
    d /= np.hypot(*d.T)[:, None]
    off = offset + wobble * np.sin(at / rng.uniform(30, 120) + rng.uniform(0, 6.28))
    return grid.to_pixel(line + off[:, None] * np.stack([-d[:, 1], d[:, 0]], -1))


def decoys(pixels, grid, tracks):
    """Lines that the present finder takes for tracks and that are none."""
    true = [grid.to_local(t) for t in tracks]
    found = [grid.to_local(t.line_px) for t in find_tracks(pixels, grid=grid).tracks]
    parts = [new_part(dense(line), true, apart_m=DECOY_M) for line in found]
    return [grid.to_pixel(part) for part in parts if part is not None]


def mistaken(pixels, grid, tracks, *, rng, shadow):
    """Straight lines anywhere, clear of the tracks: those on which the present network sees most cars."""
    true = [grid.to_local(t) for t in tracks]
    tried = [grid.to_local(line) for line in stray_lines(rng, grid, TRIED)]
    for line in true:
        along = line[-1] - line[0]
        right = np.array([-along[1], along[0]]) / np.hypot(*along)
        tried += [line[[0, -1]] + right * rng.choice([-1, 1]) * rng.uniform(3, 60) for _ in range(2)]
    parts = [new_part(dense(line), true, apart_m=DECOY_M) for line in tried]
    lines = [grid.to_pixel(part) for part in parts if part is not None]
    net = TrackNetwork(tracks=tuple(Track(id=str(i), line_px=x) for i, x in enumerate(lines)), source="given")
    strips = straighten(pixels, net, grid=grid)
    cars = load_net("cars")
    wrong = []
    for view in views(strips, shadow=shadow):
        empty, body, _ = cars(view)[:3, 0]
        wrong.append(((body > empty) & (view[4, 5:11].mean(axis=0) > 0.6)).sum())
    worst = sorted(range(len(wrong)), key=lambda i: -wrong[i])[:MISTAKEN]
    return [lines[i] for i in worst if wrong[i] > 0]


def examples(pixels, grid, tracks, cars, *, rng, shadow, strays=True, others=()):
    """Views and labels of a scene: its tracks (a little displaced) and lines that are no tracks.

    ``shadow`` is the direction (2,) in which shadows fall; ``others`` are lines that must come out empty.
    """
    lines = [
        shifted(t, grid, rng=rng, offset=rng.normal(0, 0.25), wobble=abs(rng.normal(0, 0.12))) for t in tracks
    ]
    n_tracks = len(lines)
    for t in tracks if strays else ():
        if rng.random() < 0.35:
            lines.append(
                shifted(t, grid, rng=rng, offset=rng.choice([-1, 1]) * rng.uniform(1.9, 2.9), wobble=0.1)
            )
    for _ in range(max(1, n_tracks // 4) if strays else 0):
        t = tracks[rng.integers(len(tracks))]
        lines.append(shifted(t, grid, rng=rng, offset=rng.choice([-1, 1]) * rng.uniform(6, 70), wobble=0.1))
    lines += [shifted(t, grid, rng=rng, offset=rng.normal(0, 0.25), wobble=0.1) for t in others]
    net = TrackNetwork(tracks=tuple(Track(id=str(i), line_px=x) for i, x in enumerate(lines)), source="given")
    strips = straighten(pixels, net, grid=grid)
    keep = [i for i, s in enumerate(strips) if s.valid.mean() > 0.3 and s.bands.shape[2] > 100]
    strips = [strips[i] for i in keep]
    seen = views(strips, shadow=shadow)
    labels = [label(s, cars, grid) for s in strips]
    for i, s, lab in zip(keep, strips, labels, strict=True):
        if i >= n_tracks:
            lab[0][lab[0] == -1] = 0
        half = s.valid[11:21].mean(axis=0) > 0.6
        lab[0][~half] = -1
    return [(v.astype(np.float16), lab.astype(np.int8)) for v, lab in zip(seen, labels, strict=True)]


def row_examples(pixels, grid, tracks, *, rng):
    """Views of the scene's corridors and where the tracks' centre lines run in them."""
    from scipy.spatial import cKDTree

    from railcount.tracks.corridor import (
        BLOCK,
        Working,
        main_directions,
        orientation,
        reference_curve,
        straighten_corridor,
    )
    from railcount.tracks.rows import block_view

    work = Working.of(pixels, grid=grid)
    angle, weight = orientation(work)
    out = []
    for direction in main_directions(angle, weight):
        points, heading = reference_curve(angle, weight, direction + rng.normal(0, 0.01), work)
        turn = rng.normal(0, 0.025)
        middle = points[len(points) // 2]
        c, s = np.cos(turn), np.sin(turn)
        points = (points - middle) @ np.array([[c, s], [-s, c]]) + middle
        corridor = straighten_corridor(work, points, heading + turn)
        view = block_view(corridor)
        target = np.zeros(view.shape[1:])
        tree = cKDTree(corridor.points)
        v_axis = corridor.first_v_m + np.arange(view.shape[2]) * corridor.step_m
        for line in tracks:
            local = grid.to_local(line)
            s_ = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(local, axis=0).T))])
            at = np.arange(0, s_[-1], 1.0)
            if len(at) < 2:
                continue
            local = np.stack([np.interp(at, s_, local[:, q]) for q in (0, 1)], -1)
            _, i = tree.query(local)
            v = ((local - corridor.points[i]) * corridor.normal[i]).sum(axis=1)
            along = np.gradient(i.astype(float)) * corridor.step_m
            ok = (np.abs(along) > 0.95) & (i > 0) & (i < len(corridor.points) - 1)
            for b in np.unique(i[ok] // BLOCK):
                if b < len(target):
                    d = v_axis - np.median(v[ok & (i // BLOCK == b)])
                    target[b] = np.maximum(target[b], np.exp(-0.5 * (d / 0.4) ** 2))
        out.append((view.astype(np.float16), target.astype(np.float16)))
    return out
