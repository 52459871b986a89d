"""What must hold of any yard, however it is cut."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from railcount.observation import PassCount, group, merge

from .factories import BODY_M, GAP_M, Train, Yard, row_of_tiles, tile_of

if TYPE_CHECKING:
    import random

    from railcount.records import TileRecord

QUICK = settings(max_examples=25, deadline=None, derandomize=True)
ENDS = (-320.0, 320.0)


@st.composite
def yards(draw: st.DrawFn) -> Yard:
    """Trains of one type of car on some of a few tracks."""
    length = draw(st.sampled_from([BODY_M, 15.3, 10.9, 22.0]))
    n_tracks = draw(st.integers(1, 4))
    trains = []
    for track in range(n_tracks):
        at = draw(st.floats(-250, -50))
        for _ in range(draw(st.integers(0, 2))):
            n = draw(st.integers(1, 7))
            if at + n * (length + GAP_M) > 250:
                break
            trains.append(Train(track=track, start_m=at, lengths_m=(length,) * n))
            at += n * (length + GAP_M) + draw(st.floats(12, 80))
    return Yard(
        trains=tuple(trains),
        n_tracks=n_tracks,
        spacing_m=draw(st.sampled_from([3.6, 4.8])),
        azimuth_deg=draw(st.sampled_from([90.0, 84.0, 104.0, 270.0])),
        reach_m=300.0,
    )


@st.composite
def tiles(draw: st.DrawFn, *, yard: Yard | None = None) -> tuple[Yard, list[TileRecord]]:
    """A yard and two to five tiles of it, side by side or overlapping."""
    yard = draw(yards()) if yard is None else yard
    blocks = draw(st.lists(st.integers(-4, 3), min_size=1, max_size=4, unique=True))
    cuts = sorted(60.0 * block + draw(st.floats(0, 30)) for block in blocks)
    overlap_m = draw(st.one_of(st.just(0.0), st.floats(0.5, 45.0)))
    return yard, row_of_tiles(yard, [ENDS[0], *cuts, ENDS[1]], overlap_m=overlap_m, half_m=150.0)


def numbers(one: PassCount) -> tuple[object, ...]:
    return (
        one.status, one.railcars, one.locomotives, one.covered, one.trains, one.occupied_m, one.by_type,
        one.length_m, one.visible_fraction, one.reasons,
    )  # fmt: skip


@QUICK
@given(tiles())
def test_cutting_changes_no_count(case: tuple[Yard, list[TileRecord]]) -> None:
    yard, parts = case
    joined = merge(parts, id="p")
    assert joined.railcars is not None
    assert joined.railcars.best == yard.n_cars == len(joined.cars)
    assert joined.railcars.low <= yard.n_cars <= joined.railcars.high
    assert joined.trains == len(yard.trains)


@QUICK
@given(tiles())
def test_numbers_of_trains_and_cars_run_through(case: tuple[Yard, list[TileRecord]]) -> None:
    cars = merge(case[1], id="p").cars
    assert [(car.train, car.position) for car in cars] == sorted({(car.train, car.position) for car in cars})
    for train in {car.train for car in cars}:
        mine = [car for car in cars if car.train == train]
        assert [car.position for car in mine] == list(range(1, len(mine) + 1))
        assert len({car.track for car in mine}) == 1


@QUICK
@given(tiles(), st.randoms(use_true_random=False))
def test_order_does_not_matter(case: tuple[Yard, list[TileRecord]], dice: random.Random) -> None:
    parts = list(case[1])
    expected = merge(parts, id="p")
    dice.shuffle(parts)
    assert merge(parts, id="p") == expected
    assert group(parts) == group(case[1])


@QUICK
@given(tiles())
def test_tiles_that_come_twice_change_nothing(case: tuple[Yard, list[TileRecord]]) -> None:
    parts = case[1]
    assert merge([*parts, *parts], id="p") == merge(parts, id="p")
    copies = [replace(one, tile=f"copy/{one.tile}") for one in parts]
    both = merge([*copies, *parts], id="p")
    assert numbers(both)[:9] == numbers(merge(parts, id="p"))[:9]


@QUICK
@given(yards())
def test_one_tile_gives_its_own_counts(yard: Yard) -> None:
    tile = tile_of(yard, (ENDS[0], -150.0, ENDS[1], 150.0))
    one = merge([tile], id="p")
    assert (one.railcars, one.covered, one.trains, one.cars) == (
        tile.railcars,
        tile.covered,
        tile.trains,
        tile.cars,
    )


@QUICK
@given(tiles(), st.floats(-100, 100))
def test_moving_everything_changes_nothing(case: tuple[Yard, list[TileRecord]], east_deg: float) -> None:
    def moved(one: TileRecord) -> TileRecord:
        return replace(
            one,
            footprint=tuple((x + east_deg, y) for x, y in one.footprint),
            cars=tuple(replace(c, ring=tuple((x + east_deg, y) for x, y in c.ring)) for c in one.cars),
            tracks=tuple(replace(t, line=tuple((x + east_deg, y) for x, y in t.line)) for t in one.tracks),
        )

    here, there = merge(case[1], id="p"), merge([moved(one) for one in case[1]], id="p")
    assert numbers(here)[:5] == numbers(there)[:5]
    assert [(c.track, c.train, c.position, c.flags) for c in here.cars] == [
        (c.track, c.train, c.position, c.flags) for c in there.cars
    ]


@QUICK
@given(tiles())
def test_a_tile_without_a_count_never_narrows(case: tuple[Yard, list[TileRecord]]) -> None:
    parts = case[1]
    blind = replace(parts[-1], status="failed", railcars=None, cars=(), tracks=(), length_m=0.0, source=None)
    joined, rest = merge([*parts[:-1], blind], id="p"), merge(parts[:-1], id="p")
    assert joined.status in ("degraded", "uncountable")
    if joined.railcars is not None and rest.railcars is not None:
        assert joined.railcars.best == rest.railcars.best
        assert joined.railcars.high >= rest.railcars.high
