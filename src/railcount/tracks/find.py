"""Tracks found in the pixels, where nothing is known of the yard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from railcount.tracks.corridor import (
    Corridor,
    Working,
    main_directions,
    orientation,
    reference_curve,
    straighten_corridor,
)
from railcount.tracks.network import Track, TrackNetwork
from railcount.tracks.rows import BLOCK, Row, centre_odds, prolonged, trace_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Pixels

    Array = NDArray[np.float64]

SAME_TRACK_M = 2.0


def corridors(pixels: Pixels, *, grid: Grid) -> list[Corridor]:
    """The tile straightened along each of its main directions, the strongest first."""
    work = Working.of(pixels, grid=grid)
    angle, weight = orientation(work)
    out = []
    for direction in main_directions(angle, weight):
        points, heading = reference_curve(angle, weight, direction, work)
        out.append(straighten_corridor(work, points, heading))
    return out


def find_tracks(pixels: Pixels, *, grid: Grid) -> TrackNetwork:
    """Tracks in the pixels; empty, with the reason, where there are none."""
    lines: list[tuple[Array, float]] = []
    for corridor in corridors(pixels, grid=grid):
        for row in trace_rows(centre_odds(corridor), step_m=corridor.step_m):
            line = _line(prolonged(row, corridor), corridor)
            if not any(_same(line, other) for other, _ in lines):
                lines.append((line, row.score / len(row.v)))
    lines.sort(key=lambda x: _order(x[0]))
    tracks = tuple(
        Track(id=str(i + 1), line_px=grid.to_pixel(line), confidence=float(1 / (1 + np.exp(-score))))
        for i, (line, score) in enumerate(lines)
    )
    reasons = () if tracks else ("no tracks were found: nothing here runs like a row of rails or railcars",)
    return TrackNetwork(tracks=tracks, source="found", reasons=reasons)


def _line(row: Row, corridor: Corridor) -> Array:
    """Local metres of a row, from the first block's start to the last one's end."""
    at = row.first + np.arange(len(row.v))
    u = np.concatenate([[at[0] * BLOCK - 0.5], (at + 0.5) * BLOCK - 0.5, [(at[-1] + 1) * BLOCK - 0.5]])
    v = np.concatenate([[row.v[0]], row.v, [row.v[-1]]])
    return corridor.to_local(u, v)


def _same(line: Array, other: Array) -> bool:
    """True where most of a line runs on top of another."""
    d = np.sqrt(((line[:, None] - other[None]) ** 2).sum(axis=-1)).min(axis=1)
    return bool((d < SAME_TRACK_M + 2.0).mean() > 0.5)


def _order(line: Array) -> tuple[float, float]:
    """Tracks are numbered from the north-west."""
    middle = line[len(line) // 2]
    return float(middle[1]), float(middle[0])
