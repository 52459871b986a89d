"""Tracks that their rails do not show but the cars on them do.

Dark cars on dark ballast, or a yard full to the last track, leave little of a track to see. Where a line is
doubtful, the network that counts cars tells whether they stand a little aside of it. And tracks lie in
parallel, so beside every track that was found there is a place where the next one would be, and that network
tells whether cars stand there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.special import softmax

from railcount.occupancy import SURE_BODY, at_a_glance, measure
from railcount.strips import STEP_M, straighten
from railcount.tracks.corridor import BLOCK
from railcount.tracks.network import Track, TrackNetwork
from railcount.tracks.rows import (
    CLEAR_SCORE,
    KEEP_APART_M,
    LOGIT_LIMIT,
    NEIGHBOUR_M,
    RUN_ON_BLOCKS,
    Row,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Sampled
    from railcount.tracks.corridor import Corridor

    Array = NDArray[np.float64]
    Look = Callable[[list[Array]], list[Array]]
    """For each line (n, 2) in local metres: the log-odds of car body at every STEP_M along it."""

LEAST_CARS_M = 25.0
"""Of surely seen car body on a line: two cars. A single truck is shorter."""
BEYOND_CARS_M = 100.0
"""The same, beyond a place without cars: walls and roofs beside a yard can look like two."""
LEAST_MEAN = 1.75
"""Mean log-odds of what there is rather car body than not. The yard's edge and shadows, a little like one all
along, have less; trains that hide their track have 3."""
GLANCED = 0.5
"""Part of those, of what is rather car body than not, that a glance must show for a look."""
AROUND_CARS_M = 20.0
"""Of a line, kept beyond its first and its last car."""
ASIDE_M = 1.5
"""A row is centred within this: half of the tightest spacing, less a little."""
CROWDED_M = 3.0
"""A place is not centred so near to a track that was found: there that track's cars show, or their shadow."""
MOST_CROWDED = 0.1
"""Part of a place's blocks that may be so near."""
USUAL_M = 4.8
"""From centre to centre, in yards."""
UNUSUAL = 0.1
"""Log-odds for a metre less or more: where nothing shows a track, the usual place is asked for."""
DOUBTFUL = 1.7
"""Mean log-odds of a line, below which its cars have a say in where it runs. Rails that show are right."""
STAY = 1.2
"""Log-odds of a block that another place must have more than the line's own. The network knows a car 1 m
aside of the line nearly as well, and what it knows best may lean or be a shadow: a near line stays."""
CARS_BLOCKS = 15
"""Over which what speaks for a place is averaged: 60 m, four cars."""
DECIDED = 3.0
"""Independent blocks among those, in a line's decision for a place."""
MOVED_SMOOTH_BLOCKS = 4.0
LEAST_MOVE = 0.15
"""Part of the farthest that a line would move at a first look, to look closer."""
PASSED_BLOCKS = 25
"""Of a place without cars, beyond which one more is asked for: 100 m. Beyond short ones were false cars."""
LEAST_BLOCKS = 8
"""Of free ground beside a track, 4 m each: less has no room for what is asked for."""


def recentred(rows: Sequence[Row], odds: Array, corridor: Corridor, *, look: Look, glance: Look) -> list[Row]:
    """The rows, those that are doubtful moved aside to where the odds and the cars on them say most.

    A glance at the own place and the farthest ones tells where to look at all places. ``odds``, ``look`` and
    ``glance`` are those of `neighbours`.
    """
    asides = _asides(corridor)
    limited = np.clip(odds, -LOGIT_LIMIT, LOGIT_LIMIT)

    def moves(some: list[Row], asides: Array, look: Look) -> list[Array]:
        shown = _shown(some, corridor, asides, look=look)
        return [_move(row, limited, asides, cars) for row, cars in zip(some, shown, strict=True)]

    doubtful = [row for row in rows if row.score / len(row.v) < DOUBTFUL]
    first = moves(doubtful, asides[[0, len(asides) // 2, -1]], glance)
    wrong = [
        row
        for row, aside in zip(doubtful, first, strict=True)
        if np.abs(aside).max() > LEAST_MOVE * asides[-1]
    ]
    aside_of = {id(row): aside for row, aside in zip(wrong, moves(wrong, asides, look), strict=True)}
    return [Row(row.first, row.v + aside_of.get(id(row), 0.0), row.score) for row in rows]


def _move(row: Row, limited: Array, asides: Array, bodies: list[Array]) -> Array:
    """(blocks,): how far aside a row moves, of ``asides`` on which the cars show as ``bodies``."""
    at = row.first + np.arange(len(row.v))
    places = np.rint(row.v + asides[:, None]).astype(int)
    says = limited[at, np.clip(places, 0, limited.shape[1] - 1)]
    says += [_per_block(np.maximum(body, 0), len(row.v)) for body in bodies]
    says[asides != 0] -= STAY
    says = uniform_filter1d(says, min(CARS_BLOCKS, len(row.v)), axis=1, mode="nearest")
    aside = asides @ softmax(DECIDED * says, axis=0)
    return np.asarray(gaussian_filter1d(aside, MOVED_SMOOTH_BLOCKS, mode="nearest"))


def neighbours(
    rows: Sequence[Row],
    odds: Array,
    corridor: Corridor,
    *,
    look: Look,
    glance: Look,
    taken_by: Sequence[Row] = (),
) -> list[Row]:
    """Rows beside those of ``rows`` that are clear, and beside those again, on which cars stand.

    Beyond a long place without cars, an empty track or a lane, one more is asked for.

    ``odds`` (blocks, v) are those of a centre line. ``glance`` says where to ``look`` for cars, of which it
    misses few. The ground of ``taken_by`` is not asked for.
    """
    apart, crowded_px = (round(m / corridor.step_m) for m in (KEEP_APART_M, CROWDED_M))
    taken = _unseen(corridor, odds.shape)
    crowded = taken.copy()
    for row in (*rows, *taken_by):
        _take(taken, row, apart)
        _take(crowded, row, crowded_px)
    out: list[Row] = []
    last = [(row, True) for row in rows if row.score > CLEAR_SCORE]
    while last:
        places: list[_Place] = []
        for row, is_track in last:
            for place in _places(row, odds, taken, step_m=corridor.step_m):
                places.append(_Place(place, beside=is_track))
                _take(taken, place, apart)
        likely = _with_cars(places, corridor, glance=glance)
        middles = _centred([places[i].row for i in likely], corridor, look=glance, crowded=crowded)
        for i, row in zip(likely, middles, strict=True):
            places[i] = places[i]._replace(row=row)
        parts = _occupied_parts(places, likely, corridor, look=look)
        new = _centred(list(parts.values()), corridor, look=look)
        for row in new:
            _take(crowded, row, crowded_px)
        out += new
        passed = [
            place.row
            for i, place in enumerate(places)
            if place.beside and i not in parts and len(place.row.v) >= PASSED_BLOCKS
        ]
        last = [(row, True) for row in new] + [(row, False) for row in passed]
    return out


class _Place(NamedTuple):
    """Where a track may lie."""

    row: Row
    beside: bool
    """A track; else beside a place without cars."""

    @property
    def least_m(self) -> float:
        """Of car body there, for a track."""
        return LEAST_CARS_M if self.beside else BEYOND_CARS_M


def _unseen(corridor: Corridor, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(blocks, v): True where most of the corridor is not in the image."""
    blocks = shape[0]
    seen = corridor.valid[:, : blocks * BLOCK].reshape(shape[1], blocks, BLOCK).mean(axis=-1)
    return np.asarray(seen.T < 0.5)


def row_line(row: Row, corridor: Corridor) -> Array:
    """Local metres (n, 2) of a row, from the first block's start to the last one's end."""
    at = row.first + np.arange(len(row.v))
    u = np.concatenate([[at[0] * BLOCK - 0.5], (at + 0.5) * BLOCK - 0.5, [(at[-1] + 1) * BLOCK - 0.5]])
    v = np.concatenate([[row.v[0]], row.v, [row.v[-1]]])
    return corridor.to_local(u, v)


def _take(taken: NDArray[np.bool_], row: Row, apart: int) -> None:
    for i, v in enumerate(np.rint(row.v).astype(int), start=row.first):
        taken[i, max(0, v - apart) : v + apart + 1] = True


def _places(row: Row, odds: Array, taken: NDArray[np.bool_], *, step_m: float) -> Iterator[Row]:
    """Where a row goes on, and the likeliest parallels of it on either side: on free ground, long enough."""
    blocks, n = odds.shape
    at = np.arange(blocks)
    whole = _run_on(row, blocks)
    near, far = (round(m / step_m) for m in NEIGHBOUR_M)
    limited = np.clip(odds, -LOGIT_LIMIT, LOGIT_LIMIT)
    for asides in ((0,), range(near, far + 1), range(-far, -near + 1)):
        best: tuple[float, Array, NDArray[np.bool_]] | None = None
        for aside in asides:
            v = whole + aside
            r = np.rint(v).astype(int)
            inside = (r >= 0) & (r < n)
            r = np.clip(r, 0, n - 1)
            free = inside & ~taken[at, r]
            if free.sum() < LEAST_BLOCKS:
                continue
            unusual = abs(abs(aside) * step_m - USUAL_M) if aside else 0.0
            score = float(limited[at, r][free].mean()) - UNUSUAL * unusual
            if best is None or score > best[0]:
                best = score, v, free
        if best is not None:
            score, v, free = best
            for start, end in np.flatnonzero(np.diff(np.concatenate([[0], free.astype(int), [0]]))).reshape(
                -1, 2
            ):
                if end - start >= LEAST_BLOCKS:
                    yield Row(int(start), v[start:end], score)


def _run_on(row: Row, blocks: int) -> Array:
    """(blocks,): v of a row, run on straight at both ends as it runs there."""
    at = row.first + np.arange(len(row.v))
    reach = min(RUN_ON_BLOCKS, len(row.v) - 1)
    slopes = [(row.v[reach] - row.v[0]) / max(reach, 1), (row.v[-1] - row.v[-1 - reach]) / max(reach, 1)]
    every = np.arange(blocks)
    v = np.interp(every, at, row.v)
    before, after = every < at[0], every > at[-1]
    v[before] += slopes[0] * (every[before] - at[0])
    v[after] += slopes[1] * (every[after] - at[-1])
    return np.asarray(v)


def _with_cars(places: Sequence[_Place], corridor: Corridor, *, glance: Look) -> list[int]:
    """Those on which a glance shows enough for a look."""
    shown = glance([row_line(place.row, corridor) for place in places])
    return [
        i
        for i, (place, body) in enumerate(zip(places, shown, strict=True))
        if np.count_nonzero(body > 0) * STEP_M >= GLANCED * place.least_m
    ]


def _occupied_parts(
    places: Sequence[_Place], likely: Sequence[int], corridor: Corridor, *, look: Look
) -> dict[int, Row]:
    """Of each of the likely places on which enough stands, the part around its cars."""
    shown = look([row_line(places[i].row, corridor) for i in likely])
    parts = {
        i: _occupied(places[i].row, body, least_m=places[i].least_m, step_m=corridor.step_m)
        for i, body in zip(likely, shown, strict=True)
    }
    return {i: part for i, part in parts.items() if part is not None}


def _occupied(row: Row, body: Array, *, least_m: float, step_m: float) -> Row | None:
    """The part of a row around its cars; None where too little stands there. The score is the sum."""
    at_m = np.flatnonzero(body > SURE_BODY) * STEP_M
    if len(at_m) * STEP_M < least_m or body[body > 0].mean() < LEAST_MEAN:
        return None
    block_m = BLOCK * step_m
    first = max(0, int((at_m[0] - AROUND_CARS_M) / block_m))
    last = min(len(row.v), int((at_m[-1] + AROUND_CARS_M) / block_m) + 1)
    return Row(row.first + first, row.v[first:last], row.score * (last - first))


def _centred(
    rows: list[Row], corridor: Corridor, *, look: Look, crowded: NDArray[np.bool_] | None = None
) -> list[Row]:
    """Rows moved across to the middle of where cars show on them, but not onto ``crowded`` (blocks, v)."""
    asides = _asides(corridor)
    out = []
    for row, shown in zip(rows, _shown(rows, corridor, asides, look=look), strict=True):
        weight = np.array([np.maximum(body, 0).sum() for body in shown])
        if crowded is not None:
            at = row.first + np.arange(len(row.v))
            v = np.rint(row.v + asides[:, None]).astype(int).clip(0, crowded.shape[1] - 1)
            weight *= crowded[at, v].mean(axis=1) < MOST_CROWDED
        out.append(Row(row.first, row.v + weight @ asides / max(weight.sum(), 1e-9), row.score))
    return out


def _asides(corridor: Corridor) -> Array:
    """Rows of the corridor by which a line is moved aside to look for its cars."""
    return np.arange(-ASIDE_M, ASIDE_M + 0.1, 0.5) / corridor.step_m


def _shown(rows: list[Row], corridor: Corridor, asides: Array, *, look: Look) -> list[list[Array]]:
    """For each row: the log-odds of car body along it, moved by each of ``asides``."""
    moved = [Row(row.first, row.v + aside, row.score) for row in rows for aside in asides]
    shown = look([row_line(row, corridor) for row in moved])
    return [shown[i : i + len(asides)] for i in range(0, len(shown), len(asides))]


def _per_block(body: Array, blocks: int) -> Array:
    """(blocks,): means of what is given at equal steps along a row."""
    per_block = -(-len(body) // blocks)
    at = (np.arange(blocks * per_block) + 0.5) / (blocks * per_block)
    even = np.interp(at, (np.arange(len(body)) + 0.5) / len(body), body)
    return np.asarray(even.reshape(blocks, per_block).mean(axis=1))


def look_along(lines: list[Array], pixels: Sampled, *, grid: Grid, glance: bool = False) -> list[Array]:
    """For each line (n, 2, local metres): log-odds of car body at every STEP_M along it, or a glance's."""
    if not lines:
        return []
    tracks = tuple(
        Track(id=str(i), line_px=grid.to_pixel(line), confidence=0.0) for i, line in enumerate(lines)
    )
    strips = straighten(pixels, TrackNetwork(tracks=tracks, source="found"), grid=grid)
    return at_a_glance(strips) if glance else [evidence.body for evidence in measure(strips)]
