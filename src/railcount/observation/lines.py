"""The tracks of a pass: which lines of several tiles are one track, and how much track there is in all."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from railcount.observation.ground import ASIDE_M, PARALLEL, box_of, neighbours

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from railcount.observation.ground import Footprint, Frame
    from railcount.records import TileRecord

    Array = NDArray[np.float64]

Name = tuple[int, str]
"""Number of the tile, and the track's id in it."""

STEP_M = 1.0
NEAR_M = 1.5
"""Lines of one track in two tiles lie nearer than this, those of neighbouring tracks 3.6 m apart."""
LEAST_ALONG_M = 10.0
"""That two lines must run together to be one track."""
REACH_M = 12.0
"""A line that ends so near before another's start, and straight towards it, goes on there."""
END_WEIGHT = 5
"""Of lines that go on in each other, in metres run together."""
CAR_WEIGHT = 13
"""Of a car that stands on both."""
FOLLOWED_M = 60.0
"""From a tile's edge: a straight line leaves a curve of 300 m by 6 m there."""
LEADS_IN_M = 30.0
"""A track that ends so near before a tile is taken to lead into it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """The tracks of one tile, sampled inside its footprint."""

    ids: tuple[str, ...]
    points: Array
    """(n, 2) a metre apart, all tracks after each other."""
    heading: Array
    """(n, 2) unit vectors along the track."""
    track: NDArray[np.intp]
    """(n,): number of the track of each point."""
    length_m: Array
    """(tracks,): as the tile says."""
    visible: Array
    """(tracks,): as the tile says, 0-1."""

    @classmethod
    def of(cls, record: TileRecord, *, frame: Frame, footprint: Footprint) -> Lines:
        """Of a tile's tracks; lines that run on beyond the tile end at its edge."""
        points, heading, track = [np.zeros((0, 2))], [np.zeros((0, 2))], [np.zeros(0, dtype=np.intp)]
        for k, one in enumerate(record.tracks):
            at, way = sampled(frame.metres(one.line))
            inside = footprint.inside_m(at) >= -STEP_M if len(at) else np.zeros(0, dtype=np.bool_)
            points.append(at[inside])
            heading.append(way[inside])
            track.append(np.full(int(inside.sum()), k, dtype=np.intp))
        return cls(
            ids=tuple(one.id for one in record.tracks),
            points=np.concatenate(points),
            heading=np.concatenate(heading),
            track=np.concatenate(track),
            length_m=np.array([one.length_m for one in record.tracks]),
            visible=np.array([one.visible_fraction for one in record.tracks]),
        )

    def ends(self) -> Iterable[tuple[int, Array, Array]]:
        """Track, place, and the way on, of both ends of every track."""
        for k in range(len(self.ids)):
            mine = np.flatnonzero(self.track == k)
            if len(mine) > 1:
                yield k, self.points[mine[0]], -self.heading[mine[0]]
                yield k, self.points[mine[-1]], self.heading[mine[-1]]


def sampled(line: Array) -> tuple[Array, Array]:
    """Points about STEP_M apart on a polyline (n, 2), its ends included, and the unit direction at each."""
    if len(line) < 2:
        return np.zeros((0, 2)), np.zeros((0, 2))
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    if at[-1] <= 0:
        return np.zeros((0, 2)), np.zeros((0, 2))
    where = np.linspace(0.0, at[-1], int(np.ceil(at[-1] / STEP_M)) + 1)
    points = np.stack([np.interp(where, at, line[:, k]) for k in (0, 1)], axis=-1)
    ahead = np.roll(points, -2, axis=0) - np.roll(points, 2, axis=0)
    if len(points) > 4:
        ahead[:2], ahead[-2:] = points[2] - points[0], points[-1] - points[-3]
    else:
        ahead[:] = points[-1] - points[0]
    return points, ahead / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]


def own_share(lines: Sequence[Lines], footprints: Sequence[Footprint], order: Sequence[int]) -> list[Array]:
    """For each tile, the share of each of its tracks that no tile before it in ``order`` has."""
    shares: list[Array] = [np.zeros(len(one.ids)) for one in lines]
    before: dict[int, cKDTree] = {}
    near = neighbours([one.box for one in footprints], within_m=2 * STEP_M)
    for n in order:
        one = lines[n]
        fresh = np.ones(len(one.points), dtype=np.bool_)
        for other in near[n]:
            if len(one.points) and other in before:
                far, _ = before[other].query(one.points, distance_upper_bound=ASIDE_M + STEP_M / 2)
                fresh &= ~(np.isfinite(far) & (footprints[other].inside_m(one.points) > 0))
        for k in range(len(one.ids)):
            mine = one.track == k
            shares[n][k] = float(fresh[mine].mean()) if mine.any() else 1.0
        if len(one.points):
            before[n] = cKDTree(one.points)
    return shares


def joined_tracks(lines: Sequence[Lines], shared_cars: Iterable[tuple[Name, Name]]) -> dict[Name, int]:
    """The number of the pass's track that each tile's track is a part of, by first tile and track.

    Tracks are joined that run on each other, that go on in each other at a seam, or that bear the same
    car; never two of one tile.
    """
    weight = Counter(shared_cars)
    for pair in weight:
        weight[pair] *= CAR_WEIGHT
    boxes = [box_of(one.points) if len(one.points) else None for one in lines]
    near = neighbours(boxes, within_m=REACH_M + NEAR_M)
    for i, j in ((i, j) for i, others in enumerate(near) for j in others if i < j):
        for (a, b), w in _links(lines[i], lines[j]).items():
            weight[(i, lines[i].ids[a]), (j, lines[j].ids[b])] += w
    every = [(n, one) for n, each in enumerate(lines) for one in each.ids]
    members: dict[Name, set[Name]] = {name: {name} for name in every}
    for (one, other), _ in sorted(weight.items(), key=lambda item: (-item[1], item[0])):
        if one not in members or other not in members:
            continue
        if {n for n, _ in members[one]} & {n for n, _ in members[other]}:
            continue
        both = members[one] | members[other]
        members |= dict.fromkeys(both, both)
    number: dict[Name, int] = {}
    n_tracks = 0
    for name in every:
        if name not in number:
            number |= dict.fromkeys(members[name], n_tracks)
            n_tracks += 1
    return number


def _links(a: Lines, b: Lines) -> dict[tuple[int, int], int]:
    """Pairs of tracks of two tiles that may be one, with metres run together."""
    out: Counter[tuple[int, int]] = Counter()
    if not len(a.points) or not len(b.points):
        return out
    far, at = cKDTree(b.points).query(a.points, distance_upper_bound=NEAR_M + STEP_M / 2)
    near = np.flatnonzero(np.isfinite(far))
    near = near[np.abs((a.heading[near] * b.heading[at[near]]).sum(axis=1)) > PARALLEL]
    out.update(zip(a.track[near].tolist(), b.track[at[near]].tolist(), strict=True))
    out = Counter({pair: n for pair, n in out.items() if n * STEP_M >= LEAST_ALONG_M})
    ends = list(b.ends())
    for k, point, way in a.ends():
        for m, other, back in ends:
            apart = other - point
            ahead = float(apart @ way)
            aside = abs(float(apart[0] * way[1] - apart[1] * way[0]))
            if (
                -LEAST_ALONG_M - STEP_M <= ahead < REACH_M
                and aside < NEAR_M
                and float(way @ -back) > PARALLEL
            ):
                out[k, m] += END_WEIGHT
    return out


def track_names(number: dict[Name, int]) -> dict[int, str]:
    """The id of each joined track: the tiles' own where all agree on them, else its number from 1."""
    said = defaultdict(set)
    for (_, name), k in number.items():
        said[k].add(name)
    own = [next(iter(names)) for names in said.values() if len(names) == 1]
    if len(own) == len(said) == len(set(own)):
        return {k: next(iter(names)) for k, names in said.items()}
    return {k: str(k + 1) for k in said}


def leading_in_m(
    tile: Footprint,
    lines: Iterable[Lines],
    footprints: Iterable[Footprint],
    *,
    own: Lines | None = None,
    within_m: float = LEADS_IN_M,
) -> float:
    """Metres of track to be expected in a tile, from the tracks of others that lead straight into it.

    A track leads in that ends ``within_m`` of the tile or less, and heads for it. What the tile's ``own``
    lines follow, and what lies in ``footprints``, does not count. Of the tile with most such track: what
    leads in from one side leads out at the other.
    """
    tree = cKDTree(own.points) if own is not None and len(own.points) else None
    most = 0.0
    for one in lines:
        total = 0.0
        for _, point, way in one.ends():
            inside = tile.clipped(point, point + way)
            if inside is None or not -STEP_M <= inside[0] <= within_m:
                continue
            at = point + np.arange(max(inside[0], 0.0), inside[1], STEP_M)[:, None] * way
            if tree is not None and _followed(at, tree):
                continue
            seen = np.zeros(len(at), dtype=np.bool_)
            for other in footprints:
                seen |= other.inside_m(at) > STEP_M
            total += float((~seen).sum()) * STEP_M
        most = max(most, total)
    return most


def _followed(at: Array, tree: cKDTree) -> bool:
    """Whether lines run on where a track leads in; farther on it may bend."""
    far, _ = tree.query(at[: round(FOLLOWED_M / STEP_M)])
    return bool((far < ASIDE_M + STEP_M / 2).sum() * STEP_M >= LEAST_ALONG_M)
