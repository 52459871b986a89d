"""What a pass shows in all: how much of its track was seen, and what stood there."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from railcount.cars.error import ERROR_CARS
from railcount.observation.bodies import Scene, join_cars
from railcount.observation.ground import Footprint, neighbours, place_cars
from railcount.observation.intervals import Part, added, combined
from railcount.observation.lines import LEADS_IN_M, REACH_M, STEP_M, Lines, leading_in_m, own_share
from railcount.observation.stretches import n_trains
from railcount.observation.trains import in_trains, occupied_m
from railcount.seen import DEGRADED_BELOW, UNCOUNTABLE_BELOW, fullest_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.counts import Interval
    from railcount.observation import PassCount
    from railcount.observation.ground import Frame
    from railcount.records import CarRecord, TileRecord

    Array = NDArray[np.float64]

CAR_M = 14.0
"""Over couplers, where the cars of the pass do not tell: the conventional wagon."""
UNKNOWN_ERROR_SHARE = 0.06
"""Of a count kept before it was kept with it: that of most tiles then."""
SHORTEST_TRACK_M = 30.0
"""Less track in a tile is not found there, and holds two cars."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """The tiles of a pass on the ground, and what of their track was seen."""

    counted: tuple[TileRecord, ...]
    missed: tuple[TileRecord, ...]
    """Tiles without a count, whose ground no other tile shows."""
    frame: Frame | None
    footprints: tuple[Footprint | None, ...]
    """Of the counted tiles."""
    lines: tuple[Lines, ...]
    """Of the counted tiles."""
    shares: tuple[float, ...]
    """Of each counted tile's track, what no tile before it (clearer, then by name) has."""
    length_m: float
    """Of track, what tiles share once."""
    seen_m: float
    unseen_m: float
    """Of known and of expected track."""
    expected_m: tuple[float, ...] = ()
    """Of track in each of ``missed``."""
    not_found_m: float = 0.0
    """Of track that leads into counted tiles and was not found there."""

    @classmethod
    def of(
        cls, counted: tuple[TileRecord, ...], missed: tuple[TileRecord, ...], *, frame: Frame | None
    ) -> View:
        """Measure the tracks of a pass."""
        footprints = tuple(_footprint(one, frame) for one in counted)
        lines: tuple[Lines, ...] = ()
        tracks = [np.ones(len(one.tracks)) for one in counted]
        solid = [f for f in footprints if f is not None]
        if frame is not None and len(solid) == len(footprints):
            lines = tuple(
                Lines.of(one, frame=frame, footprint=f) for one, f in zip(counted, solid, strict=True)
            )
            order = sorted(
                range(len(counted)), key=lambda n: (_by_length(counted[n]), -_visible(counted[n]), n)
            )
            tracks = own_share(lines, solid, order)
        lengths = [_own(one, share) for one, share in zip(counted, tracks, strict=True)]
        length_m = sum(own for own, _ in lengths)
        seen_m = sum(own * _visible(one) for one, (own, _) in zip(counted, lengths, strict=True))
        view = cls(
            counted=counted,
            missed=missed,
            frame=frame,
            footprints=footprints,
            lines=lines,
            shares=tuple(share for _, share in lengths),
            length_m=length_m + sum(one.length_m for one in missed),
            seen_m=seen_m,
            unseen_m=length_m - seen_m,
        )
        expected, not_found = view._expected_m(), view._not_found_m()
        unseen_m = view.unseen_m + sum(expected) + not_found
        return replace(view, expected_m=expected, not_found_m=not_found, unseen_m=unseen_m)

    def _expected_m(self) -> tuple[float, ...]:
        """Track that each tile without a count is expected to have, where it does not say.

        At least what leads into it from the other tiles. Where nobody looked, or the ground is hidden, it
        is taken to have as much track as the ground of the others.
        """
        ground = [f for f in self.footprints if f is not None]
        area = sum(f.area_m2 for f in ground)
        known = sum(one.length_m for one in self.counted)
        out = []
        for one in self.missed:
            footprint = _footprint(one, self.frame)
            if one.length_m or one.status in ("no_data", "skipped"):
                out.append(one.length_m)
            elif footprint is None:
                out.append(known / len(self.counted))
            else:
                near = [n for n, f in enumerate(ground) if f.is_near(footprint, LEADS_IN_M + 2 * STEP_M)]
                beside = [ground[n] for n in near]
                own = footprint.area_m2 - sum(footprint.shared_m2(other) for other in beside)
                likely = known / area * max(own, 0.0) * _hidden(one) if area else 0.0
                # where there are lines, every counted tile has its ground
                lines = [self.lines[n] for n in near] if self.lines else []
                out.append(max(likely, leading_in_m(footprint, lines, beside)))
        return tuple(out)

    def _not_found_m(self) -> float:
        """Track that leads from one counted tile into another, which found none there."""
        total = 0.0
        if not self.lines:
            return total
        solid = [f for f in self.footprints if f is not None]  # all, where there are lines
        near = neighbours([f.box for f in solid], within_m=REACH_M + 2 * STEP_M)
        for n, (one, footprint) in enumerate(zip(self.counted, solid, strict=True)):
            if one.length_m:
                others, beside = [self.lines[m] for m in near[n]], [solid[m] for m in near[n]]
                total += leading_in_m(footprint, others, beside, own=self.lines[n], within_m=REACH_M)
        return total

    @property
    def visible_fraction(self) -> float | None:
        """Of known and expected track, what a counted tile shows; of the ground, where there is no track."""
        if self.seen_m + self.unseen_m > 0:
            return round(self.seen_m / (self.seen_m + self.unseen_m), 4)
        ground = [_footprint(one, self.frame) for one in self.missed if one.status != "no_data"]
        shown = sum(f.area_m2 for f in self.footprints if f is not None)
        hidden = sum(f.area_m2 for f in ground if f is not None)
        if not hidden:
            told = [one.visible_fraction for one in self.counted if one.visible_fraction is not None]
            return min(told, default=None)
        return round(shown / (shown + hidden), 4)

    @property
    def doubtful(self) -> bool:
        """Whether a tile without a count may have a part in the yard, or much track was not found.

        Not a tile without image, nor one that was searched in clear sight without finding a track, and
        into which none leads.
        """
        return bool(self.said) or any(
            expected >= SHORTEST_TRACK_M or one.length_m or _hidden(one) > 1 - DEGRADED_BELOW
            for one, expected in zip(self.missed, self.expected_m, strict=True)
            if one.status != "no_data"
        )

    @property
    def uncountable(self) -> str | None:
        """Why the pass has no count though tiles of it have."""
        fraction = self.visible_fraction
        if not self.missed or fraction is None or fraction >= UNCOUNTABLE_BELOW:
            return None
        return (
            f"only {fraction:.0%} of the tracks of this pass can be seen: "
            f"{_n(len(self.missed), 'of its tiles has', 'of its tiles have')} no count"
        )

    @property
    def said(self) -> tuple[str, ...]:
        """What makes the count doubtful besides the tiles' own reasons."""
        if not self.lacks_track:
            return ()
        why = ""
        if self.not_found_m >= SHORTEST_TRACK_M:
            why = f" ({self.not_found_m:.0f} m lead from one tile into another and were not found there)"
        return (
            f"only {self.visible_fraction:.0%} of the tracks of this pass can be seen{why}: the count is a "
            "lower bound, and the interval reaches up to what the rest could hold",
        )

    @property
    def lacks_track(self) -> bool:
        """Whether much track is missing that is not among what the counted tiles say they did not see."""
        fraction = self.visible_fraction
        lacking = sum(self.expected_m) + self.not_found_m
        return fraction is not None and fraction < DEGRADED_BELOW and lacking >= SHORTEST_TRACK_M

    @cached_property
    def scenes(self) -> tuple[Scene, ...]:
        """What `join_cars` needs of each tile."""
        return tuple(
            Scene(footprint=f, visible=_visible(one), samples=lines.points)
            for one, f, lines in zip(self.counted, self.footprints, self.lines, strict=True)
            if f is not None
        )


def summed(told: PassCount, view: View) -> PassCount:
    """The pass with its cars and totals."""
    if len(view.counted) == 1:
        return _alone(told, view)
    assert view.frame is not None  # the caller has looked: several tiles have places
    placed = [
        car
        for n, (one, scene) in enumerate(zip(view.counted, view.scenes, strict=True))
        for car in place_cars(one, tile=n, frame=view.frame, footprint=scene.footprint)
    ]
    bodies = join_cars(placed, view.scenes)
    row = in_trains(bodies, placed, lines=view.lines, frame=view.frame)
    told = replace(
        told,
        cars=row.cars,
        trains=row.n_trains,
        occupied_m=round(occupied_m(row), 2),
        by_type=dict(sorted(Counter(car.kind for car in row.cars).items())),
    )
    variance = sum(body.doubt * (1 - body.doubt) for body in bodies)
    mine = [
        [placed[body.parts[0]].record for body in bodies if body.main.tile == n]
        for n in range(len(view.counted))
    ]
    return _with_lengths(_with_intervals(told, view, mine, variance=variance), view)


def _alone(told: PassCount, view: View) -> PassCount:
    """A pass of which one tile alone has a count: that count."""
    (one,) = view.counted
    more = _could_hold(view, occupied=one.occupied_m or 0.0, cars=one.cars)
    return replace(
        told,
        railcars=_raised(one.railcars, more),
        locomotives=one.locomotives,
        covered=_raised(one.covered, more),
        trains=one.trains,
        occupied_m=one.occupied_m,
        by_type=dict(one.by_type),
        cars=one.cars,
    )


def _with_intervals(
    told: PassCount, view: View, mine: Sequence[Sequence[CarRecord]], *, variance: float
) -> PassCount:
    """Fill in the totals of the tiles whose cars are told apart."""
    tiles = [n for n, one in enumerate(view.counted) if not _by_length(one)]
    more = _could_hold(view, occupied=told.occupied_m or 0.0, cars=told.cars)
    said: dict[str, Interval | None] = {}
    for name, counts in (
        ("railcars", _is_railcar),
        ("locomotives", _is_locomotive),
        ("covered", _is_covered),
    ):
        parts = [
            part
            for n in tiles
            if (part := _part(view, n, name, sum(map(counts, mine[n])), cars=mine[n])) is not None
        ]
        best = sum(part.best for part in parts)
        said[name] = None
        if parts and len(parts) == len(tiles):
            said[name] = combined(
                parts,
                best=best,
                error_cars=0.0 if name == "locomotives" else ERROR_CARS,
                variance=0.0 if name == "locomotives" else variance,
                more=0 if name == "locomotives" else more,
            )
    return replace(told, railcars=said["railcars"], locomotives=said["locomotives"], covered=said["covered"])


def _part(view: View, n: int, name: str, best: int, *, cars: Sequence[CarRecord]) -> Part | None:
    one = view.counted[n]
    interval: Interval | None = getattr(one, name)
    if interval is None:
        return None
    share = UNKNOWN_ERROR_SHARE if one.error_share is None else one.error_share
    return Part(
        told=interval,
        best=best,
        share=view.shares[n],
        error_share=share if name == "railcars" else 0.0,
        doubt=sum(car.confidence * (1 - car.confidence) for car in cars),
    )


def _with_lengths(told: PassCount, view: View) -> PassCount:
    """Add the tiles in whose pixels cars are not told apart."""
    parts, occupied = [], 0.0
    for one, share in zip(view.counted, view.shares, strict=True):
        if _by_length(one) and one.railcars is not None:
            best = round(one.railcars.best * share)
            parts.append(Part(told=one.railcars, best=best, share=share, error_share=0.0))
            occupied += (one.occupied_m or 0.0) * share
    if not parts:
        return told
    by_length = added(parts)
    cars = told.railcars
    railcars = by_length if cars is None else _sum(cars, by_length)
    by_type = Counter(told.by_type)
    by_type["unknown"] += by_length.best
    return replace(
        told,
        railcars=railcars,
        locomotives=None,
        covered=None,
        trains=(told.trains or 0) + _trains_by_length(view),
        occupied_m=round((told.occupied_m or 0.0) + occupied, 2),
        by_type=dict(sorted((+by_type).items())),
    )


def _trains_by_length(view: View) -> int:
    """Trains in the tiles whose cars are not told apart, one over a seam once where their places are kept."""
    coarse = {n: one for n, one in enumerate(view.counted) if _by_length(one)}
    if (
        view.frame is not None
        and view.lines
        and all(one.stretches or not one.trains for one in coarse.values())
    ):
        finer = [f for n, f in enumerate(view.footprints) if n not in coarse and f is not None]
        return n_trains(coarse, lines=view.lines, frame=view.frame, finer=finer)
    return round(sum((one.trains or 0) * view.shares[n] for n, one in coarse.items()))


def _could_hold(view: View, *, occupied: float, cars: Sequence[CarRecord]) -> int:
    """Cars that the track of tiles without a count could hold, as `railcount.seen.could_hold` reckons."""
    if not view.lacks_track:
        return 0
    unseen_m = sum(view.expected_m) + view.not_found_m
    lengths = [car.length_m for car in cars]
    car_m = float(np.mean(lengths)) + 1.14 if len(lengths) >= 5 else CAR_M
    return math.ceil(unseen_m * fullest_share(seen_m=view.seen_m, occupied_m=occupied) / car_m)


def _raised(interval: Interval | None, more: int) -> Interval | None:
    return None if interval is None else replace(interval, high=interval.high + more)


def _sum(a: Interval, b: Interval) -> Interval:
    return replace(a, best=a.best + b.best, low=a.low + b.low, high=a.high + b.high)


def _own(one: TileRecord, tracks: Array) -> tuple[float, float]:
    """Metres of a tile's track that no tile before it has, and their share of it."""
    lengths = np.array([track.length_m for track in one.tracks])
    total = float(lengths.sum())
    if total <= 0:
        return one.length_m, 1.0
    share = float((lengths * tracks).sum()) / total
    return float(one.length_m * share), share


def _footprint(one: TileRecord, frame: Frame | None) -> Footprint | None:
    if frame is None or not one.footprint or one.crs is None:
        return None
    return Footprint.of(frame.metres(one.footprint))


def _visible(one: TileRecord) -> float:
    return 1.0 if one.visible_fraction is None else one.visible_fraction


def _hidden(one: TileRecord) -> float:
    """Share of the ground of a tile without tracks on which nobody could look."""
    return 1.0 - one.visible_fraction if one.source is not None and one.visible_fraction is not None else 1.0


def _by_length(one: TileRecord) -> bool:
    return one.regime == "occupied_length"


def _is_locomotive(car: CarRecord) -> bool:
    return car.kind == "locomotive"


def _is_railcar(car: CarRecord) -> bool:
    return car.kind != "locomotive"


def _is_covered(car: CarRecord) -> bool:
    return bool(car.covered)


def _n(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
