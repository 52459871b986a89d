"""Cars of several tiles that are one car: seen twice, or cut by a seam."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from railcount.observation.ground import ASIDE_M, PARALLEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.counts import Kind
    from railcount.observation.ground import Footprint, Frame, Placed
    from railcount.records import CarRecord

    Array = NDArray[np.float64]

SAME_SHARE = 0.5
"""Of the shorter body, under the other one: then both are one car, seen in two tiles."""
CLEARER = 0.1
"""Difference in the visible share of two tiles beyond which the clearer one is believed where both looked."""
FARTHEST_M = 34.0
"""Between the middles of two bodies that have to do with each other: the longest is 30 m."""
LONGEST_HIDDEN_M = 8.0
"""Between two pieces at a seam: tracks that were found end a few metres before the tile's edge."""
SHORTEST_M, LONGEST_M = 7.0, 30.0
"""Of a body."""
COUPLING_M = 1.14
"""Body to body of coupled gondolas."""
STUB_M = 3.5
"""A quarter of a mean body: less of a car at a tile's edge is not counted as one."""
LONGEST_COUPLING_M = 3.0
"""Body to body in one train; half a metre more than inside a tile, as two tiles differ by so much."""
END_SPREAD_M = 0.35
"""Standard deviation of where a body is seen to end."""
LENGTH_SPREAD_M = 0.5
"""The same for a length, as a car of the same type may show."""
EVEN_SHARE = 0.1
"""Weight of any length at all, once many whole cars are seen."""
CARS_TO_TRUST = 5.0
STEP_M = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """What is known of a tile besides its cars."""

    footprint: Footprint
    visible: float
    """Share of its track that was seen."""
    samples: Array
    """(n, 2): points on its tracks, a metre apart."""


@dataclass(frozen=True, kw_only=True, eq=False)
class End:
    """One end of a body."""

    at: Array
    """(2,)"""
    cut: bool
    """True where the body may go on."""
    spare_m: float
    """Track that was seen beyond it, where it is cut."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Body:
    """One car of the pass."""

    main: Placed
    """What is told of the car is told by this one."""
    parts: tuple[int, ...]
    """Numbers of all cars of tiles that are this one, the main one first."""
    ends: tuple[End, End]
    joined: bool = False
    """True where it was put together from pieces."""
    doubt: float = 0.0
    """Probability that putting it together, or leaving it apart from its neighbour, is wrong."""

    @property
    def length_m(self) -> float:
        """From end to end."""
        return float(np.hypot(*(self.ends[1].at - self.ends[0].at)))

    @property
    def cut(self) -> bool:
        """True where either end is."""
        return self.ends[0].cut or self.ends[1].cut


def _ends(car: Placed) -> tuple[End, End]:
    return (
        End(at=car.back, cut=car.cut_back, spare_m=car.spare_back_m),
        End(at=car.front, cut=car.cut_front, spare_m=car.spare_front_m),
    )


def join_cars(cars: Sequence[Placed], scenes: Sequence[Scene]) -> tuple[Body, ...]:
    """Each car once, in the order of ``cars``.

    Two outlines of different tiles that cover each other by half are one car: of these an uncut one is
    kept before a cut one, then that of the tile in which it lies deeper inside, then the surer. Where
    both tiles looked and one alone saw a car, the one in which the place lies deeper inside (or which
    saw clearly more of its track) is believed: keeping all that either saw would count every false
    car of both. Pieces cut by a seam are put together where that is more likely than two cars.
    """
    if not cars:
        return ()
    pairs = _Pairs.of(cars)
    twins: dict[int, list[int]] = {n: [] for n in range(len(cars))}
    for i, j in pairs.same():
        twins[i].append(j)
        twins[j].append(i)
    lost = _lost(cars, scenes)
    order = sorted(
        (n for n in range(len(cars)) if twins[n] or not lost[n]),
        key=lambda n: (cars[n].n_cut, lost[n], -round(cars[n].record.confidence, 3), cars[n].tile, n),
    )
    bodies: dict[int, Body] = {}
    for n in order:
        covered_by = next((t for t in sorted(twins[n]) if t in bodies), None)
        if covered_by is None:
            bodies[n] = Body(main=cars[n], parts=(n,), ends=_ends(cars[n]))
        else:
            bodies[covered_by] = _with_twin(bodies[covered_by], cars[n], number=n)
    return _seamed(bodies, pairs)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """Cars of different tiles that run along each other on one track."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    overlap_m: Array
    """Of the two bodies along the track; negative: the gap between them."""
    shorter_m: Array

    @classmethod
    def of(cls, cars: Sequence[Placed]) -> _Pairs:
        centre = np.array([car.centre for car in cars])
        axis = np.array([car.axis for car in cars])
        length = np.array([car.length_m for car in cars])
        tile = np.array([car.tile for car in cars])
        pairs = cKDTree(centre).query_pairs(FARTHEST_M, output_type="ndarray")
        pairs = pairs[tile[pairs[:, 0]] != tile[pairs[:, 1]]]
        i, j = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].T
        along_first = (length[i] >= length[j])[:, None]
        along = np.where(along_first, axis[i], axis[j])
        apart = centre[j] - centre[i]
        aside = np.abs(along[:, 0] * apart[:, 1] - along[:, 1] * apart[:, 0])
        cosine = np.abs((axis[i] * axis[j]).sum(axis=1))
        reach = np.where(along_first[:, 0], length[i] + cosine * length[j], cosine * length[i] + length[j])
        overlap = reach / 2 - np.abs((along * apart).sum(axis=1))
        kept = (aside < ASIDE_M) & (cosine > PARALLEL) & (overlap > -LONGEST_HIDDEN_M)
        return cls(
            first=i[kept],
            second=j[kept],
            overlap_m=overlap[kept],
            shorter_m=np.minimum(length[i], length[j])[kept],
        )

    def same(self) -> list[tuple[int, int]]:
        """Pairs that are one car seen twice."""
        one = self.overlap_m >= SAME_SHARE * self.shorter_m
        return [(int(a), int(b)) for a, b in zip(self.first[one], self.second[one], strict=True)]


def _lost(cars: Sequence[Placed], scenes: Sequence[Scene]) -> list[bool]:
    """For each car, whether another tile that looked at its place is to be believed before its own."""
    centre = np.array([car.centre for car in cars])
    tile = np.array([car.tile for car in cars])
    lost = [False] * len(cars)
    for other, scene in enumerate(scenes):
        if not len(scene.samples):
            continue
        inside = np.flatnonzero(scene.footprint.inside_m(centre) > 0)
        inside = inside[tile[inside] != other]
        if not len(inside):
            continue
        far, _ = cKDTree(scene.samples).query(centre[inside])
        for n in inside[far < ASIDE_M + 0.1].tolist():
            own = cars[n].tile
            lost[n] = lost[n] or _believed(other, own, scenes, centre[n])
    return lost


def _believed(one: int, other: int, scenes: Sequence[Scene], point: Array) -> bool:
    """Whether tile ``one`` is believed before tile ``other`` about a point that lies in both."""
    a, b = scenes[one], scenes[other]
    if abs(a.visible - b.visible) > CLEARER:
        return a.visible > b.visible
    mine, its = a.footprint.depth_m(point, b.footprint), b.footprint.depth_m(point, a.footprint)
    return (-round(mine, 2), one) < (-round(its, 2), other) if np.isfinite(mine + its) else mine > its


def _with_twin(body: Body, car: Placed, *, number: int) -> Body:
    """The same car seen again; where both are cut at opposite ends, they make the whole together."""
    body = replace(body, parts=(*body.parts, number))
    if not (car.n_cut and body.cut):
        return body
    back, front = body.ends
    along = (front.at - back.at) / max(body.length_m, 1e-9)
    low, high = sorted(_ends(car), key=lambda end: float((end.at - back.at) @ along))
    before, beyond = -float((low.at - back.at) @ along), float((high.at - front.at) @ along)
    # the seen-again must itself be cut where this one goes on: else it is another reading of the same piece
    if back.cut and before > END_SPREAD_M and high.cut:
        back, body = low, replace(body, joined=True)
    if front.cut and beyond > END_SPREAD_M and low.cut:
        front, body = high, replace(body, joined=True)
    return replace(body, ends=(back, front))


def _seamed(bodies: dict[int, Body], pairs: _Pairs) -> tuple[Body, ...]:
    """Pieces that meet at a seam put together where that is more likely than two cars."""
    prior = length_prior([body.length_m for body in bodies.values() if not body.cut])
    home = {part: n for n, body in bodies.items() for part in body.parts}
    ways = set()
    near = pairs.overlap_m < SAME_SHARE * pairs.shorter_m
    for i, j in zip(pairs.first[near].tolist(), pairs.second[near].tolist(), strict=True):
        a, b = sorted((home.get(i, -1), home.get(j, -1)))
        if 0 <= a < b and (facing := _facing(bodies[a], bodies[b])) is not None:
            ways.add((-facing.one_car(prior), a, b))
    now = {n: n for n in bodies}
    """Where a body went when it was put together with another."""
    for _, i, j in sorted(ways):
        a, b = _followed(now, i), _followed(now, j)
        facing = None if a == b else _facing(bodies[a], bodies[b])
        if facing is None:
            continue
        likely = facing.one_car(prior)
        if likely > 0.5 and facing.whole_m <= LONGEST_M + END_SPREAD_M:
            bodies[a] = _put_together(bodies[a], bodies.pop(b), facing, doubt=1 - likely)
            now[b] = a
        else:
            bodies[a] = replace(bodies[a], doubt=max(bodies[a].doubt, likely))
    return tuple(bodies[n] for n in sorted(bodies))


def _followed(now: dict[int, int], n: int) -> int:
    while now[n] != n:
        n = now[n]
    return n


@dataclass(frozen=True, kw_only=True)
class _Facing:
    """Two bodies that look at each other with cut ends."""

    ends: tuple[int, int]
    """Which end of each it is that looks at the other."""
    first_m: float
    second_m: float
    gap_m: float
    """Between them; negative where they run over each other."""
    seen_m: float
    """Of the gap: that much was looked at and no body seen."""

    @property
    def whole_m(self) -> float:
        """Of one car made of both."""
        return self.first_m + self.gap_m + self.second_m

    def one_car(self, prior: Array) -> float:
        """Probability that both are one car."""
        return one_car(self.first_m, self.second_m, self.gap_m, seen_m=self.seen_m, prior=prior)


def _facing(a: Body, b: Body) -> _Facing | None:
    apart = np.array([[float(np.hypot(*(one.at - other.at))) for other in b.ends] for one in a.ends])
    far = np.unravel_index(int(apart.argmax()), (2, 2))
    ends = 1 - int(far[0]), 1 - int(far[1])
    at_a, at_b = a.ends[ends[0]], b.ends[ends[1]]
    gap_m = float(apart.max()) - a.length_m - b.length_m
    if not (at_a.cut and at_b.cut) or gap_m > LONGEST_HIDDEN_M:
        return None
    return _Facing(
        ends=ends,
        first_m=a.length_m,
        second_m=b.length_m,
        gap_m=gap_m,
        seen_m=min(at_a.spare_m + at_b.spare_m, max(gap_m, 0.0)),
    )


def length_prior(lengths: Sequence[float]) -> Array:
    """Density per metre of body lengths at ``STEP_M * n``, from the whole cars of the pass.

    Any length from SHORTEST_M to LONGEST_M keeps a share: all of it without whole cars, EVEN_SHARE with
    many.
    """
    at = np.arange(round(2 * LONGEST_M / STEP_M) + 1) * STEP_M
    even = ((at >= SHORTEST_M) & (at <= LONGEST_M)) / (LONGEST_M - SHORTEST_M)
    n = len(lengths)
    if not n:
        return np.asarray(even)
    z = (at[:, None] - np.asarray(lengths)[None]) / LENGTH_SPREAD_M
    seen = np.exp(-0.5 * z**2).sum(axis=1) / (n * LENGTH_SPREAD_M * np.sqrt(2 * np.pi))
    share = (1 - EVEN_SHARE) * n / (n + CARS_TO_TRUST)
    return np.asarray(share * seen + (1 - share) * even)


def one_car(first_m: float, second_m: float, gap_m: float, *, seen_m: float, prior: Array) -> float:
    """Probability that two pieces at a seam are one car and not two.

    A seam that falls anywhere on a row of cars of the pitch P falls on a body with the density
    prior(whole) / P, where whole is the length of both pieces and the gap between them. If they are two
    cars, whole is the length of both and the coupling, and the seam need not lie between them: a stub
    shorter than STUB_M is not read as a car, and with the coupling before it is swallowed by the one that
    it follows; and either car may be longer than its piece by a part of the gap. So two cars have the
    integral over the first length of prior(first) prior(second) / P, with first + coupling + second =
    whole. What was seen of the gap speaks against one car, which should be body there, by the likelihood
    of ends so far off.
    """
    whole = first_m + second_m + gap_m
    together = float(_density(prior, whole)) * float(np.exp(-0.5 * min(seen_m / END_SPREAD_M, 6.0) ** 2))
    low = max(first_m - COUPLING_M - STUB_M, 0.0)
    first = np.arange(low, first_m + max(gap_m, 0.0) + STUB_M, STEP_M)
    two = float((_density(prior, first) * _density(prior, whole - COUPLING_M - first)).sum()) * STEP_M
    return together / (together + two) if together + two > 0 else 0.0


def _density(prior: Array, length_m: Array | float) -> Array:
    return np.asarray(np.interp(length_m, np.arange(len(prior)) * STEP_M, prior, left=0.0, right=0.0))


def _put_together(a: Body, b: Body, facing: _Facing, *, doubt: float) -> Body:
    """One body from two pieces; the longer one tells what it is."""
    told = a if a.length_m >= b.length_m else b
    far_a, far_b = a.ends[1 - facing.ends[0]], b.ends[1 - facing.ends[1]]
    return Body(
        main=told.main,
        parts=(*a.parts, *b.parts) if told is a else (*b.parts, *a.parts),
        ends=(far_a, far_b) if facing.ends[0] else (far_b, far_a),
        joined=True,
        doubt=max(doubt, a.doubt, b.doubt),
    )


def record_of_body(body: Body, cars: Sequence[Placed], *, frame: Frame) -> CarRecord:
    """What is told of a car; its track, train and position are still those of its tile."""
    told = body.main.record
    if not body.joined:
        return told
    pieces = sorted((cars[n] for n in body.parts), key=lambda car: (-car.length_m, car.tile))
    kind: Kind = next((car.record.kind for car in pieces if car.record.kind != "unknown"), "unknown")
    covered = next((car.record.covered for car in pieces if car.record.covered is not None), None)
    flags = Counter(flag for car in pieces for flag in car.record.flags)
    if not body.cut:
        flags.pop("cut", None)
    flags.pop("length_unusual", None)
    back, front = body.ends[0].at, body.ends[1].at
    along = (front - back) / body.length_m
    right = np.array([along[1], -along[0]]) * told.width_m / 2
    ring = np.stack([back - right, back + right, front + right, front - right])
    sure = sum(car.record.confidence * car.length_m for car in pieces) / sum(car.length_m for car in pieces)
    return replace(
        told,
        kind=kind,
        covered=covered,
        length_m=round(body.length_m, 2),
        confidence=round(min(sure, 1 - body.doubt), 3),
        flags=(*sorted(flags), "seam"),
        ring=frame.places(ring),
    )
