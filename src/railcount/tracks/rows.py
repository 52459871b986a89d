"""Track rows in a straightened corridor: where a centre line is likely, and the lines through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solveh_banded
from scipy.ndimage import uniform_filter

from railcount.net import both_ways, load_net
from railcount.tracks.corridor import BLOCK, brightness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from railcount.tracks.corridor import Corridor

    Array = NDArray[np.float64]

SURROUNDINGS_M = 40.0
ROWS_AT_ONCE = 128
"""Of a corridor, worked on at once: a few megabytes."""
SHIFT_COST = 4.0
"""Of a row by which a line that runs along the corridor moves from block to block: 0.5 m in 4 m. A corridor
follows the yard, and so do most tracks. Where dark cars hide one, a cheaper line would wander to the next."""
BEND_COST = 10.0
"""Where a line leaves the corridor's direction to the right or the left, and where it comes back to it: at a
switch, in a fan, where a curve is another. One that is aslant all along has no bend."""
ASIDE_COST = 0.25
"""Of a block there, whether the line moves a row in it, as steep as a 1:8 switch, or not. All three were
chosen together: cars of two renderers with a line through them, false lines, and cars of two real yards."""
PRIOR = 1.5
"""Added to the network's log-odds: a third of what it learned from were look-alikes without any track and
pictures too coarse to show one, and it expects as many. Chosen on scenes of another renderer: recall of
dark yards against false tracks on real roads."""
LOGIT_LIMIT = 3.0
KEEP_APART_M = 2.0
"""Two lines nearer than this are one track: the tightest spacing is 3.6 m."""
LEAST_SCORE = 20.0
"""Sum of log-odds along a line: about 30 m of clear track, more of a doubtful one."""
NEIGHBOUR = 0.7
"""Added to the log-odds beside a track that was found: tracks lie in parallel."""
CLEAR_SCORE = 60.0
"""Of a line that says so: 80 m of clear track. Lanes of roads are shorter or doubtful."""
NEIGHBOUR_M = (3.4, 6.6)
"""From centre to centre: 3.6 m on transshipment tracks, 4.1 to 5.3 m in yards, more beside a platform."""
SMOOTH_BLOCKS = 4.0
RUN_ON_BLOCKS = 8
"""Blocks whose direction a line keeps where it runs on unseen."""


def block_view(corridor: Corridor) -> NDArray[np.float32]:
    """(channels, blocks, v): what the network sees of a corridor.

    Brightness against its surroundings and in the tile, two differences of colour, texture along
    the track, validity.
    """
    rows, n = corridor.valid.shape[0], corridor.valid.shape[1] // BLOCK
    low, middle, high = corridor.tone or _tone(brightness(corridor.bands)[corridor.valid])
    scale = max((high - low) / 2.56, 1e-6)
    around = _surroundings(corridor, n)
    view = np.empty((6, rows, n), dtype=np.float32)
    for part, values, seen in _parts(corridor, n):
        mean, unit = around[:, part, :, None], around[0, part, :, None] + np.float32(0.05 * scale)
        contrast = np.clip((values[0] - mean[1]) / unit, -4, 4) * seen
        share = seen.mean(axis=-1)
        per_block = 1.0 / (BLOCK * np.maximum(share, 0.25))
        view[0, part] = contrast.sum(axis=-1) * per_block
        tone = np.arcsinh((values[0] - np.float32(middle)) * np.float32(1.5 / scale))
        view[1, part] = (tone * seen).sum(axis=-1) * per_block
        for k in (1, 2):
            tint = np.clip((values[k] - mean[k + 1]) / unit, -4, 4)
            view[k + 1, part] = (tint * seen).sum(axis=-1) * per_block
        view[4, part] = contrast.std(axis=-1)
        view[5, part] = share
    return np.ascontiguousarray(view.transpose(0, 2, 1))


def _parts(corridor: Corridor, n: int) -> Iterator[tuple[slice, NDArray[np.float32], NDArray[np.float32]]]:
    """Some rows after the other, in blocks: brightness and two differences of colour (3, rows, n, BLOCK), and
    validity (rows, n, BLOCK) as 0 or 1."""
    for top in range(0, len(corridor.valid), ROWS_AT_ONCE):
        part = slice(top, min(top + ROWS_AT_ONCE, len(corridor.valid)))
        b = corridor.bands[:, part, : n * BLOCK]
        level = brightness(b)
        values = np.zeros((3, *level.shape), dtype=np.float32)
        values[0] = level
        if len(b) >= 3:
            values[1], values[2] = (b[0] - b[2]) / 2, (2 * b[1] - b[0] - b[2]) / 4
        seen = corridor.valid[part, : n * BLOCK].astype(np.float32)
        yield part, values.reshape(3, -1, n, BLOCK), seen.reshape(-1, n, BLOCK)


def _surroundings(corridor: Corridor, n: int) -> NDArray[np.float32]:
    """(4, rows, n): spread of the brightness around each block, and means of it and of two colours.

    Blocks, not pixels, are averaged: over 40 m it is the same.
    """
    rows = corridor.valid.shape[0]
    size = round(SURROUNDINGS_M / corridor.step_m)
    window = size, max(1, round(size / BLOCK))
    sums = np.empty((4, rows, n), dtype=np.float32)
    for part, values, seen in _parts(corridor, n):
        sums[0, part] = seen.sum(axis=-1)
        sums[1:, part] = (values * seen).sum(axis=-1)
    weight = np.maximum(uniform_filter(sums[0], window), 1e-6 * BLOCK)
    out = np.empty((4, rows, n), dtype=np.float32)
    for k in (1, 2, 3):
        out[k] = uniform_filter(sums[k], window) / weight
    for part, values, seen in _parts(corridor, n):
        sums[0, part] = ((values[0] - out[1, part, :, None]) ** 2 * seen).sum(axis=-1)
    out[0] = np.sqrt(np.maximum(uniform_filter(sums[0], window) / weight, 0))
    return out


def _tone(seen: NDArray[np.float32]) -> tuple[float, float, float]:
    if not seen.size:
        return 0.0, 0.0, 1.0
    low, middle, high = np.percentile(seen, [10, 50, 90]).tolist()
    return low, middle, high


def centre_odds(corridor: Corridor) -> Array:
    """(blocks, v): log-odds that a track's centre line passes there; the same read from either end."""
    view = block_view(corridor)
    odds = both_ways(load_net("rows"), view)[0] + np.float32(PRIOR)
    odds[view[-1] < 0.5] = 0.0
    return np.asarray(odds, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Row:
    """A line through the corridor: v (in rows) at consecutive blocks from ``first``."""

    first: int
    v: Array
    score: float


def trace_rows(odds: Array, *, step_m: float) -> list[Row]:
    """Lines of the greatest sum of log-odds, one after the other, each keeping its distance.

    One that is long and clear makes a parallel one beside it more likely.
    """
    score = np.clip(odds, -LOGIT_LIMIT, LOGIT_LIMIT)
    beside = np.zeros(score.shape, dtype=np.bool_)
    taken = np.zeros(score.shape, dtype=np.bool_)
    apart = round(KEEP_APART_M / step_m)
    near, far = (round(m / step_m) for m in NEIGHBOUR_M)
    rows: list[Row] = []
    while True:
        row = _best_row(score)
        if row is None or row.score < LEAST_SCORE:
            return rows
        rows.append(_centred(row, odds))
        for i, v in enumerate(row.v.astype(int), start=row.first):
            taken[i, max(0, v - apart) : v + apart + 1] = True
            if row.score <= CLEAR_SCORE:
                continue
            for band in (slice(v + near, v + far + 1), slice(max(0, v - far), max(0, v - near + 1))):
                score[i, band] += NEIGHBOUR * ~beside[i, band]
                beside[i, band] = True
        score[taken] = -LOGIT_LIMIT


def _best_row(score: Array) -> Row | None:
    """The path with the greatest sum (dynamic programming); it may begin and end anywhere.

    It runs along the corridor, to its right or to its left; of every block and row the best of each are kept.
    """
    if not score.size:
        return None
    blocks, n = score.shape
    ways = _ways()
    best = np.empty((blocks, len(ways), n))
    best[0] = score[0]
    before = np.full((len(ways), n + 2), -np.inf)  # beyond the sides there is no path
    for i in range(1, blocks):
        before[:, 1:-1] = best[i - 1]
        best[i] = 0.0  # it begins here
        for steps, out in zip(ways, best[i], strict=True):
            for came, shift, cost in steps:
                np.maximum(out, before[came, 1 - shift : n + 1 - shift] - cost, out=out)
        best[i] += score[i]
    i, now, v = (int(k) for k in np.unravel_index(int(best.argmax()), best.shape))
    total, path = float(best[i, now, v]), [v]
    while i:
        gain, came, at = max(
            (float(best[i - 1, came, v - shift]) - cost, came, v - shift)
            for came, shift, cost in ways[now]
            if 0 <= v - shift < n
        )
        if gain <= 0:
            break
        i, now, v = i - 1, came, at
        path.append(v)
    return Row(i, np.array(path[::-1], dtype=float), total)


def _ways() -> list[list[tuple[int, int, float]]]:
    """Of a path along the corridor, to the right and to the left: its steps from the block before. Each says
    in which of the three it was, the rows it moved, and what that costs."""
    along = [(0, 0, 0.0), (0, 1, SHIFT_COST), (0, -1, SHIFT_COST), (1, 0, BEND_COST), (2, 0, BEND_COST)]
    return [
        along,
        *(
            [(0, shift, BEND_COST), (side, 0, ASIDE_COST), (side, shift, ASIDE_COST)]
            for side, shift in ((1, 1), (2, -1))
        ),
    ]


def _centred(row: Row, odds: Array) -> Row:
    """The row moved to the centre of the likely band, and smoothed."""
    p = 1 / (1 + np.exp(-np.clip(odds, -8, 8)))
    reach = 2
    v = row.v.copy()
    weight = np.zeros(len(v))
    for i, centre in enumerate(row.v.astype(int)):
        lo, hi = max(0, centre - reach), min(odds.shape[1], centre + reach + 1)
        w = p[row.first + i, lo:hi]
        weight[i] = w.sum()
        v[i] = (w * np.arange(lo, hi)).sum() / max(w.sum(), 1e-9)
    return Row(row.first, _smooth(v, weight + 1e-3), row.score)


def prolonged(row: Row, corridor: Corridor) -> Row:
    """The row run on straight, at both ends, through what cannot be seen: a track does not end at a cloud."""
    share = corridor.valid[:, : corridor.valid.shape[1] // BLOCK * BLOCK]
    share = share.reshape(share.shape[0], -1, BLOCK).mean(axis=-1)
    reach = min(len(row.v) - 1, RUN_ON_BLOCKS)
    if reach < 1:
        return row

    def ahead(first: int, v: float, slope: float, way: int) -> list[float]:
        out: list[float] = []
        block = first + way
        while 0 <= block < share.shape[1]:
            v += slope
            r = round(v)
            if not 0 <= r < share.shape[0] or share[r, block] >= 0.5:
                break
            out.append(v)
            block += way
        return out

    after = ahead(row.first + len(row.v) - 1, row.v[-1], (row.v[-1] - row.v[-1 - reach]) / reach, 1)
    before = ahead(row.first, row.v[0], (row.v[0] - row.v[reach]) / reach, -1)
    v = np.concatenate([before[::-1], row.v, after])
    return Row(row.first - len(before), v, row.score)


def _smooth(v: Array, weight: Array) -> Array:
    """Whittaker smoother of second differences: straight where nothing is seen."""
    n = len(v)
    if n < 4:
        return v
    stiff = SMOOTH_BLOCKS**4 * float(weight.mean())
    inner = np.ones(n - 2)
    bands = np.zeros((3, n))
    bands[2] = weight
    for k, factor in enumerate((1.0, -2.0, 1.0)):
        bands[2, k : n - 2 + k] += stiff * factor**2 * inner
    bands[1, 1 : n - 1] += -2.0 * stiff
    bands[1, 2:n] += -2.0 * stiff
    bands[0, 2:] += stiff
    return np.asarray(solveh_banded(bands, weight * v))
