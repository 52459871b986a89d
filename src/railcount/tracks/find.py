"""Tracks found in the pixels, where nothing is known of the yard."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from railcount.beside import side_by_side
from railcount.tracks.corridor import (
    OVERLAP_M,
    Corridor,
    Working,
    main_directions,
    orientation,
    parts_of,
    reference_curve,
    run_on,
    runs_aslant,
    straighten_corridor,
)
from railcount.tracks.directions import turn
from railcount.tracks.neighbours import look_along, neighbours, recentred, row_line
from railcount.tracks.network import Track, TrackNetwork
from railcount.tracks.rows import Row, centre_odds, prolonged, trace_rows
from railcount.tracks.unexplained import only, strongest, unexplained, unsearched, without

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Pixels
    from railcount.tracks.areas import Areas

    Array = NDArray[np.float64]
    Curve = tuple[Array, Array]
    """Points (n, 2) in local metres and headings (n,) in radians."""

SAME_TRACK_M = 2.2
"""Lines from two directions that are nearer than this are one track."""
SHORTEST_M = 30.0
LONGEST_JOIN_M = 60.0
JOIN_ASIDE_M = 1.2
MOST_TURN = np.deg2rad(8.0)
ASIDE_M = (-40.0, 40.0)
"""Searched to both sides of where a track runs on."""
BESIDE_M = 15.0
"""Two or three spacings: a track so near shows that there was a search."""
SAME_CURVE = np.deg2rad(1.5)
"""Over the 100 m of some cars that is 2.6 m, half a track spacing."""
MOST_MORE = 2
"""Searches in directions of what no track explains."""
MOST_KNOWN = 0.5
"""Of the way on."""
ASLANT_ODDS = -1.0
"""Of a centre line, at most, where the picture runs aslant of the corridor: in a curve, lines would run from
track to track. Tens of metres of it end a line, a crossing does not."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A stretch of track."""

    line: Array
    """(n, 2) local metres."""
    odds: float
    """Mean log-odds of a centre line along it."""


def corridors(pixels: Pixels, *, grid: Grid) -> list[Corridor]:
    """Where tracks may run, straightened along each of the tile's main directions, the strongest first."""
    work = Working.of(pixels, grid=grid)
    return _corridors(work, work.slope.areas(work), _main_curves(work, *orientation(work)))


def _main_curves(work: Working, angle: Array, weight: Array) -> list[tuple[float, Curve]]:
    """The tile's main directions (rad), the strongest first, and the curve along each.

    Beside a strong direction others seem to stand out, of which the curve is the strong one's again: once.
    """
    directions = main_directions(angle, weight)
    curves = side_by_side([partial(reference_curve, angle, weight, d, work) for d in directions])
    kept: list[tuple[float, Curve]] = []
    for direction, curve in zip(directions, curves, strict=True):
        if not any(_same(curve, other) for _, other in kept):
            kept.append((direction, curve))
    return kept


def _same(curve: Curve, other: Curve) -> bool:
    """Whether two curves run in the same direction everywhere."""
    nearest = cKDTree(other[0]).query(curve[0])[1]
    return bool(np.abs(turn(curve[1], other[1][nearest])).max() < SAME_CURVE)


def _corridors(work: Working, areas: Areas, curves: list[tuple[float, Curve]]) -> list[Corridor]:
    found = side_by_side([partial(parts_of, work, areas, direction, *curve) for direction, curve in curves])
    return [corridor for parts in found for corridor in parts]


def find_tracks(pixels: Pixels, *, grid: Grid) -> TrackNetwork:
    """Tracks in the pixels; empty, with the reason, where there are none."""
    return network_of(find_pieces(pixels, grid=grid), grid=grid)


def find_pieces(pixels: Pixels, *, grid: Grid) -> list[Piece]:
    """Stretches of track in the pixels, none on top of another.

    Searched along the tile's main directions, then where what was found runs on: a yard that turns far has
    more directions than stand out. Then, where there are tracks, in what else runs far and clearly.
    """
    work = Working.of(pixels, grid=grid)
    if min(work.valid.shape) * work.step_m < SHORTEST_M:
        return []
    angle, weight = orientation(work)
    search = _Search(pixels, grid, work, angle, weight)
    areas, explained = work.slope.areas(work), 0
    curves = _main_curves(work, angle, weight)
    first = _corridors(work, areas, curves)
    search.along(first)
    areas = unsearched(areas, first)
    for _ in range(MOST_MORE if search.pieces else 0):
        areas = unexplained(areas, [dense(p.line) for p in search.pieces[explained:]])
        explained = len(search.pieces)
        direction = strongest(areas)
        if direction is None:
            break
        here = only(areas, direction)
        there = weight * here.around(work.origin, work.step_m, work.valid.shape)
        curve = reference_curve(angle, there, direction, work)
        if not any(_same(curve, other) for _, other in curves):
            search.along(parts_of(work, here, direction, *curve))
        areas = without(areas, direction)
    return search.pieces


@dataclass(frozen=True, eq=False)
class _Search:
    """A picture, and the stretches of track found in it so far."""

    pixels: Pixels
    grid: Grid
    work: Working
    angle: Array
    """(rows, cols) of the working picture: the direction in which it runs (rad)."""
    weight: Array
    """How clearly, 0 to 1."""
    pieces: list[Piece] = field(default_factory=list)

    def along(self, corridors: list[Corridor]) -> None:
        """Search corridors, then on from every end of what is new there."""
        ends = self._in(corridors)
        while ends:
            curve = self._onward(ends.pop(0))
            beyond = straighten_corridor(self.work, *curve, across_m=ASIDE_M) if curve is not None else None
            ends += self._in([beyond]) if beyond is not None else []

    def _in(self, corridors: list[Corridor]) -> list[Array]:
        """Search corridors. The new pieces' lines, each twice: once from either end."""
        before = len(self.pieces)
        found = side_by_side([partial(self._rows, corridor) for corridor in corridors])
        for corridor, rows in zip(corridors, found, strict=True):
            known = [p.line for p in self.pieces]
            for row in rows:
                whole = _within(row_line(prolonged(row, corridor), corridor), grid=self.grid)
                line = new_part(whole, known)
                if line is not None:
                    self.pieces.append(Piece(line, row.score / len(row.v)))
        return [line for piece in self.pieces[before:] for line in (piece.line, piece.line[::-1])]

    def _rows(self, corridor: Corridor) -> list[Row]:
        odds = centre_odds(corridor)
        aslant = runs_aslant(corridor, self.angle, self.weight, self.work)
        odds = np.where(aslant, np.minimum(odds, ASLANT_ODDS), odds)
        rows = trace_rows(odds, step_m=corridor.step_m)
        look = partial(look_along, pixels=self.pixels, grid=self.grid)
        glance = partial(look, glance=True)
        moved = recentred(rows, odds, corridor, look=look, glance=glance)
        return moved + neighbours(moved, odds, corridor, look=look, glance=glance, taken_by=rows)

    def _onward(self, line: Array) -> Curve | None:
        """The curve along which the picture runs on beyond the end of a line.

        None where it does not, or where tracks beside it were found.
        """
        points, heading = run_on(self.angle, self.weight, line, self.work)
        beyond = points[round(OVERLAP_M / self.work.step_m) :]
        if len(beyond) * self.work.step_m < SHORTEST_M:  # most lines end at the tile's edge
            return None
        known = cKDTree(np.concatenate([dense(p.line) for p in self.pieces]))
        return None if (known.query(beyond)[0] < BESIDE_M).mean() > MOST_KNOWN else (points, heading)


def network_of(pieces: list[Piece], *, grid: Grid) -> TrackNetwork:
    """Stretches joined to tracks; the network is empty, with the reason, where there are none."""
    found = sorted(joined(pieces), key=lambda p: _order(p.line))
    tracks = tuple(
        Track(id=str(i + 1), line_px=grid.to_pixel(p.line), confidence=float(1 / (1 + np.exp(-p.odds))))
        for i, p in enumerate(found)
    )
    reasons = () if tracks else ("no tracks were found: nothing here runs like a row of rails or railcars",)
    return TrackNetwork(tracks=tracks, source="found", reasons=reasons)


def _within(line: Array, *, grid: Grid) -> Array:
    """The line without the ends that run on beyond the tile."""
    px = grid.to_pixel(line)
    inside = np.flatnonzero(((px >= 0) & (px <= [grid.width, grid.height])).all(axis=-1))
    if not len(inside):
        return line[:0]
    return line[max(inside[0] - 1, 0) : inside[-1] + 2]


def new_part(
    line: Array, others: list[Array], *, apart_m: float = SAME_TRACK_M, shortest_m: float = SHORTEST_M
) -> Array | None:
    """The longest part of a line (n, 2) that does not run on top of others; None where it is too short."""
    if others and len(line):
        tree = cKDTree(np.concatenate([dense(o) for o in others]))
        free = tree.query(line)[0] > apart_m
        edges = np.flatnonzero(np.diff(np.concatenate([[0], free.astype(int), [0]])))
        runs = edges.reshape(-1, 2)
        if not len(runs):
            return None
        start, end = runs[np.argmax(runs[:, 1] - runs[:, 0])]
        line = line[start:end]
    return line if len(line) > 1 and _length(line) >= shortest_m else None


def joined(pieces: list[Piece]) -> list[Piece]:
    """Pieces that go on in each other made one, the nearest ends first."""
    pieces = list(pieces)
    while len(pieces) > 1:
        ways = [
            (gap, i, j, a, b)
            for i, j in _near_ends(pieces)
            for p, q in [(pieces[i].line, pieces[j].line)]
            for a, b in ((p, q), (p, q[::-1]), (p[::-1], q), (p[::-1], q[::-1]))
            if (gap := _gap(a, b)) is not None
        ]
        if not ways:
            return pieces
        _, i, j, a, b = min(ways, key=lambda w: w[0])
        share = _length(a) / (_length(a) + _length(b))
        odds = share * pieces[i].odds + (1 - share) * pieces[j].odds
        pieces[i] = Piece(np.concatenate([a, b]), odds)
        del pieces[j]
    return pieces


def _near_ends(pieces: list[Piece]) -> list[tuple[int, int]]:
    """Pairs of pieces of which an end of one lies near to an end of the other."""
    ends = np.concatenate([p.line[[0, -1]] for p in pieces])
    pairs = cKDTree(ends).query_pairs(LONGEST_JOIN_M)
    return sorted({(a // 2, b // 2) for a, b in pairs if a // 2 < b // 2})


def _gap(a: Array, b: Array) -> float | None:
    """Metres from the end of ``a`` to the start of ``b``; None where ``b`` does not go on from ``a``."""
    step = b[0] - a[-1]
    gap = float(np.hypot(*step))
    if gap > LONGEST_JOIN_M:
        return None
    leave, arrive = _heading(a[::-1]) * -1, _heading(b)
    ahead = float(step @ leave)
    aside = abs(float(leave[0] * step[1] - leave[1] * step[0]))
    if leave @ arrive < np.cos(MOST_TURN) or ahead < -JOIN_ASIDE_M or aside > JOIN_ASIDE_M + 0.04 * gap:
        return None
    return gap


def _heading(line: Array) -> Array:
    """Unit vector from a line's start over its first 20 m or so."""
    far = line[min(len(line) - 1, 5)] - line[0]
    return np.asarray(far / max(float(np.hypot(*far)), 1e-9))


def dense(line: Array) -> Array:
    """The line with a point at least every metre."""
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0, s[-1], int(s[-1]) + 2)
    return np.stack([np.interp(at, s, line[:, k]) for k in (0, 1)], axis=-1)


def _length(line: Array) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _order(line: Array) -> tuple[float, float]:
    """Tracks are numbered from the north-west."""
    middle = line[len(line) // 2]
    return float(middle[1]), float(middle[0])
