"""Tiles of one pass joined: each car once."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from railcount.counts import Interval
from railcount.errors import InputError
from railcount.observation import PassCount, joining, lines, merge
from railcount.observation.ground import Footprint
from railcount.records import StretchRecord, TileRecord

from .factories import BODY_M, GAP_M, MOMENT, Train, Yard, interval, row_of_tiles, tile_of

WIDE = (-300.0, -60.0, 300.0, 60.0)
ONE_TRAIN = Yard(trains=(Train(track=1, start_m=-35.0),))


def best(one: PassCount) -> int:
    assert one.railcars is not None
    return one.railcars.best


def whole(yard: Yard) -> PassCount:
    return merge([tile_of(yard, WIDE)], id="p")


def counts(one: PassCount) -> dict[str, Any]:
    return {
        name: getattr(one, name)
        for name in ("status", "railcars", "locomotives", "covered", "trains", "occupied_m", "by_type")
    }


def same_places(some: PassCount, other: PassCount) -> bool:
    """Whether all cars have the same outlines, give or take a few centimetres."""

    def middles(one: PassCount) -> list[tuple[float, ...]]:
        return sorted(
            tuple(sum(axis) / len(axis) for axis in zip(*car.ring, strict=True)) for car in one.cars
        )

    a, b = middles(some), middles(other)
    return len(a) == len(b) and all(p == pytest.approx(q, abs=5e-7) for p, q in zip(a, b, strict=True))


def test_one_tile_gives_its_own_counts() -> None:
    tile = tile_of(ONE_TRAIN, WIDE)
    one = merge([tile], id="p")
    assert counts(one) == {name: getattr(tile, name) for name in counts(one)}
    assert (one.id, one.tiles, one.cars, one.acquired, one.site) == (
        "p",
        (tile,),
        tile.cars,
        MOMENT,
        "tumangang",
    )
    assert (one.length_m, one.visible_fraction, one.reasons) == (tile.length_m, 1.0, ())


def test_a_tile_that_comes_twice_counts_once() -> None:
    tile = tile_of(ONE_TRAIN, WIDE)
    assert merge([tile, tile], id="p") == merge([tile], id="p")
    copy = replace(tile, tile="archive/copy/a.tif")
    both = merge([tile, copy], id="p")
    assert counts(both) == counts(merge([tile], id="p"))
    assert both.tiles == (tile, copy)


def test_a_pass_has_a_tile() -> None:
    with pytest.raises(InputError, match="at least one tile"):
        merge([], id="p")


CUTS = {
    "in the gap": -35.0 + BODY_M + GAP_M / 2,
    "in half": -35.0 + BODY_M / 2,
    "a third": -35.0 + BODY_M / 3,
    "a stub": -35.0 + 2.0,
    "a stub at the other end": -35.0 + BODY_M - 2.0,
    "at the end of a body": -35.0 + BODY_M,
    "before the train": -80.0,
}


@pytest.mark.parametrize("name", list(CUTS))
def test_a_seam_anywhere_costs_no_car(name: str) -> None:
    tiles = row_of_tiles(ONE_TRAIN, [-300.0, CUTS[name], 300.0])
    joined = merge(tiles, id="p")
    assert best(joined) == 5
    assert joined.trains == 1
    assert [(car.train, car.position) for car in joined.cars] == [(1, n) for n in range(1, 6)]
    assert {car.track for car in joined.cars} == {"line 2"}
    stub = "stub" in name
    assert joined.occupied_m == pytest.approx(
        5 * BODY_M + 4 * GAP_M - (2.0 if stub and "other" not in name else 0.0), abs=2.1
    )
    assert joined.length_m == pytest.approx(4 * 600.0, abs=15)
    assert joined.visible_fraction == 1.0


def test_a_car_in_two_pieces_is_put_together() -> None:
    joined = merge(row_of_tiles(ONE_TRAIN, [-300.0, CUTS["a third"], 300.0]), id="p")
    seam = joined.cars[0]
    assert "seam" in seam.flags
    assert "cut" not in seam.flags
    assert seam.length_m == pytest.approx(BODY_M, abs=0.05)
    assert same_places(joined, whole(ONE_TRAIN))
    assert joined.occupied_m == pytest.approx(5 * BODY_M + 4 * GAP_M, abs=0.1)


def test_two_whole_cars_that_meet_at_a_seam_stay_two() -> None:
    joined = merge(row_of_tiles(ONE_TRAIN, [-300.0, CUTS["in the gap"], 300.0]), id="p")
    assert best(joined) == 5
    assert not any("seam" in car.flags for car in joined.cars)


@pytest.mark.parametrize("overlap_m", [2.0, 6.0, 13.0, 40.0])
@pytest.mark.parametrize("name", list(CUTS))
def test_overlapping_tiles(name: str, overlap_m: float) -> None:
    tiles = row_of_tiles(ONE_TRAIN, [-300.0, CUTS[name], 300.0], overlap_m=overlap_m)
    joined = merge(tiles, id="p")
    assert best(joined) == 5
    assert joined.trains == 1
    assert joined.length_m == pytest.approx(4 * (600.0 + overlap_m), abs=15)
    if overlap_m > BODY_M:
        assert not any("cut" in car.flags for car in joined.cars)
        assert same_places(joined, whole(ONE_TRAIN))


def test_neighbouring_tracks_are_never_mixed() -> None:
    yard = Yard(
        trains=(Train(track=0, start_m=-40.0), Train(track=1, start_m=-40.0), Train(track=2, start_m=-33.0)),
        spacing_m=3.6,
        n_tracks=3,
    )
    for overlap_m in (0.0, 9.0, 30.0):
        joined = merge(row_of_tiles(yard, [-300.0, -2.0, 300.0], overlap_m=overlap_m), id="p")
        assert best(joined) == 15
        assert joined.trains == 3
        assert {(car.track, car.train) for car in joined.cars} == {
            ("line 1", 1),
            ("line 2", 2),
            ("line 3", 3),
        }


def test_tracks_found_apart_may_lie_a_little_aside() -> None:
    yard = Yard(
        trains=(Train(track=0, start_m=-40.0), Train(track=1, start_m=-40.0)), spacing_m=3.6, n_tracks=2
    )
    aside = replace(yard, lat=yard.lat + 0.6 / 111_000)
    west = tile_of(yard, (-300.0, -60.0, 10.0, 60.0), "yard_R1C1.tif")
    east = tile_of(aside, (-20.0, -60.0, 300.0, 60.0), "yard_R1C2.tif")
    assert best(merge([west, east], id="p")) == 10
    abutting = tile_of(aside, (10.0, -60.0, 300.0, 60.0), "yard_R1C2.tif")
    assert best(merge([west, abutting], id="p")) == 10


@pytest.mark.parametrize("apart_m", [-0.5, 0.5])
def test_a_car_in_the_middle_of_the_overlap_counts_once(apart_m: float) -> None:
    """Where each tile places it a little further into itself, or a little out of itself."""
    yard = Yard(trains=(Train(track=1, start_m=-BODY_M / 2, lengths_m=(BODY_M,)),))
    aside = replace(yard, trains=(replace(yard.trains[0], start_m=-BODY_M / 2 + apart_m),))
    west = tile_of(yard, (-300.0, -60.0, 40.0 + apart_m / 2, 60.0), "yard_R1C1.tif")
    east = tile_of(aside, (-40.0 + apart_m / 2, -60.0, 300.0, 60.0), "yard_R1C2.tif")
    joined = merge([west, east], id="p")
    assert (best(joined), joined.trains) == (1, 1)


def test_long_cars_and_pairs_of_short_ones_are_told_apart() -> None:
    """25.6 m are two halves of a coach among coaches, and two gondolas among gondolas."""
    for length, n in ((25.6, 4), (12.25, 8)):
        yard = Yard(trains=(Train(track=1, start_m=-45.0, lengths_m=(length,) * n),))
        seam = -45.0 + 25.6 / 2 if n == 4 else -45.0 + 12.25 + GAP_M / 2
        joined = merge(row_of_tiles(yard, [-300.0, seam, 300.0]), id="p")
        assert best(joined) == n


def test_the_error_that_all_cars_share_is_that_of_each_tile() -> None:
    full = tuple(Train(track=n, start_m=-250.0, lengths_m=(BODY_M,) * 30) for n in range(4))
    tiles = row_of_tiles(Yard(n_tracks=4, trains=full), (-300.0, -100.0, 100.0, 300.0))
    clear, doubtful, before_it_was_kept = (
        merge([replace(tile, error_share=share) for tile in tiles], id="p").railcars
        for share in (0.02, 0.05, None)
    )
    assert clear is not None
    assert doubtful is not None
    assert before_it_was_kept is not None
    assert clear.best == doubtful.best == before_it_was_kept.best
    assert clear.low > doubtful.low >= before_it_was_kept.low > 0
    assert clear.high < doubtful.high <= before_it_was_kept.high


def test_four_tiles_that_meet_on_a_car() -> None:
    yard = Yard(trains=(Train(track=1, start_m=-35.0), Train(track=2, start_m=-20.0)), azimuth_deg=128.0)
    x, y = yard.ground(-35.0 + BODY_M / 2, 1)
    boxes = [(-300.0, y, x, 300.0), (x, y, 300.0, 300.0), (-300.0, -300.0, x, y), (x, -300.0, 300.0, y)]
    tiles = [tile_of(yard, box, f"yard_R{n // 2 + 1}C{n % 2 + 1}.tif") for n, box in enumerate(boxes)]
    joined = merge(tiles, id="p")
    assert best(joined) == 10
    assert joined.trains == 2


def test_a_train_over_many_tiles_is_one() -> None:
    yard = Yard(trains=(Train(track=1, start_m=-200.0, lengths_m=(BODY_M,) * 28),))
    joined = merge(row_of_tiles(yard, [-300.0, -100.0, -20.0, 55.0, 130.0, 300.0]), id="p")
    assert (best(joined), joined.trains) == (28, 1)
    assert [car.position for car in joined.cars] == list(range(1, 29))


def test_one_tile_alone_sees_a_car_in_the_overlap() -> None:
    """The tile in which the place lies deeper inside is believed."""
    west = tile_of(ONE_TRAIN, (-300.0, -60.0, 60.0, 60.0), "yard_R1C1.tif")
    missed = replace(ONE_TRAIN, trains=())
    east = tile_of(missed, (20.0, -60.0, 300.0, 60.0), "yard_R1C2.tif")
    assert best(merge([west, east], id="p")) == 5
    shallow = tile_of(ONE_TRAIN, (-300.0, -60.0, 36.0, 60.0), "yard_R1C1.tif")
    deep = tile_of(missed, (-100.0, -60.0, 300.0, 60.0), "yard_R1C2.tif")
    assert best(merge([shallow, deep], id="p")) < 5
    clouded = replace(deep, visible_fraction=0.6)
    assert best(merge([shallow, clouded], id="p")) == 5
    blind = replace(deep, tracks=(), length_m=0.0)
    assert best(merge([shallow, blind], id="p")) == 5


def test_versions_of_one_image_count_once() -> None:
    yard = Yard(trains=(Train(track=1, start_m=-35.0), Train(track=3, start_m=10.0)))
    visual = tile_of(yard, WIDE, "20231005_021100_ssc3_visual.tif", gsd_m=0.8)
    sharp = tile_of(yard, WIDE, "20231005_021100_ssc3_pansharpened.tif", gsd_m=0.5, railcars=interval(11))
    joined = merge([visual, sharp], id="p")
    assert joined.railcars == interval(11)
    assert joined.tiles == (sharp, visual)
    assert joined.status == "counted"
    (said,) = joined.reasons
    assert said.startswith("20231005_021100_ssc3_visual.tif shows the same ground as")
    degraded = replace(sharp, status="degraded", reasons=("noise",))
    assert best(merge([visual, degraded], id="p")) == 10


def test_a_version_without_a_count_is_not_missed() -> None:
    good = tile_of(ONE_TRAIN, WIDE, "a_pansharpened.tif")
    bad = replace(
        tile_of(ONE_TRAIN, WIDE, "a_visual.tif"), status="failed", railcars=None, cars=(), tracks=()
    )
    joined = merge([good, bad], id="p")
    assert (joined.status, best(joined), joined.reasons) == ("counted", 5, ())


def without_count(
    tile: TileRecord, *, status: Any = "uncountable", reason: str = "cloud", **more: Any
) -> TileRecord:
    changes: dict[str, Any] = {
        "status": status, "reasons": (reason,), "railcars": None, "locomotives": None, "covered": None,
        "trains": None, "occupied_m": None, "by_type": {}, "cars": (), "tracks": (), "length_m": 0.0,
        "source": None, "visible_fraction": None,
    }  # fmt: skip
    return replace(tile, **(changes | more))


def test_a_tile_without_a_count_degrades_the_pass() -> None:
    left, middle, right = row_of_tiles(ONE_TRAIN, [-300.0, -100.0, 120.0, 300.0])
    joined = merge([left, middle, without_count(right)], id="p")
    assert (joined.status, best(joined)) == ("degraded", 5)
    assert joined.visible_fraction == pytest.approx(420 / 600, abs=0.02)
    assert "yard_R1C3.tif: cloud" in joined.reasons
    assert any("lower bound" in reason for reason in joined.reasons)
    assert joined.railcars is not None
    assert joined.railcars.high > interval(5).high
    assert joined.tiles[2].status == "uncountable"


def test_half_a_pass_is_not_enough() -> None:
    left, right = row_of_tiles(ONE_TRAIN, [-300.0, 45.0, 300.0])
    joined = merge([without_count(left), right], id="p")
    assert joined.status == "uncountable"
    assert (joined.railcars, joined.cars, joined.trains) == (None, (), None)
    assert any("tracks of this pass" in reason for reason in joined.reasons)


def test_what_is_hidden_counts_by_its_track_where_that_is_known() -> None:
    left, right = row_of_tiles(ONE_TRAIN, [-300.0, 45.0, 300.0])
    little = without_count(left, source="given", length_m=100.0, visible_fraction=0.2)
    joined = merge([little, right], id="p")
    assert joined.status == "degraded"
    assert joined.visible_fraction == pytest.approx(4 * 255 / (4 * 255 + 100), abs=0.01)


def test_a_tile_beside_the_yard_is_not_missed() -> None:
    """Searched in clear sight, no track found, and none leads into it."""
    yard = tile_of(ONE_TRAIN, WIDE, "yard_R1C1.tif")
    field = tile_of(ONE_TRAIN, (-300.0, 60.0, 300.0, 180.0), "yard_R2C1.tif")
    joined = merge(
        [yard, without_count(field, source="found", visible_fraction=1.0, reason="no tracks")], id="p"
    )
    assert (joined.status, best(joined), joined.visible_fraction) == ("counted", 5, 1.0)
    assert joined.reasons == ("yard_R2C1.tif: no tracks",)
    hidden = without_count(field, source="found", visible_fraction=0.2, reason="no tracks, cloud")
    assert merge([yard, hidden], id="p").status == "degraded"
    ahead = tile_of(ONE_TRAIN, (300.0, -60.0, 420.0, 60.0), "yard_R1C2.tif")
    leads_in = merge([yard, without_count(ahead, source="found", visible_fraction=1.0)], id="p")
    assert leads_in.status == "degraded"
    assert leads_in.visible_fraction == pytest.approx(600 / 720, abs=0.01)


def test_track_that_one_tile_followed_and_the_next_did_not() -> None:
    yard = replace(ONE_TRAIN, trains=(Train(track=1, start_m=-80.0),))
    west, east = row_of_tiles(yard, [-300.0, 0.0, 300.0])
    lost = replace(east, source="found", tracks=east.tracks[:2], length_m=600.0)
    joined = merge([replace(west, source="found"), lost], id="p")
    assert joined.status == "degraded"
    assert joined.visible_fraction == pytest.approx(1800 / 2400, abs=0.02)
    (said,) = joined.reasons
    assert "lead from one tile into another" in said
    assert joined.railcars is not None
    assert joined.railcars.high > interval(5).high


def test_lines_moved_otherwise_in_one_tile() -> None:
    west, east = row_of_tiles(ONE_TRAIN, [-400.0, -28.0, 300.0], registration_m=(0.5, 1.0))
    assert merge([west, east], id="p").status == "counted"
    astray = replace(east, registration_m=(1.9, -8.9))
    joined = merge([west, astray], id="p")
    assert (joined.status, best(joined)) == ("degraded", 5)
    (said,) = joined.reasons
    assert said.startswith("yard_R1C2.tif: its lines were moved 10.0 m otherwise than those of yard_R1C1.tif")
    assert joined.railcars is not None
    assert joined.railcars.low <= 1
    assert joined.railcars.high > 30


def test_an_empty_part_of_the_scene_is_no_track() -> None:
    left, right = row_of_tiles(ONE_TRAIN, [-300.0, 45.0, 300.0])
    joined = merge([without_count(left, status="no_data", reason="all pixels are nodata"), right], id="p")
    assert joined.visible_fraction == 1.0
    assert joined.railcars is not None
    assert joined.status == "counted"


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        (("failed",), "failed"),
        (("refused", "refused"), "refused"),
        (("no_data", "uncountable"), "uncountable"),
        (("failed", "timeout"), "timeout"),
        (("skipped", "no_data"), "no_data"),
    ],
)
def test_a_pass_whose_tiles_failed(statuses: tuple[Any, ...], told: str) -> None:
    tiles = [
        without_count(tile_of(ONE_TRAIN, WIDE, f"{n}.tif"), status=status, reason=f"reason {n}")
        for n, status in enumerate(statuses)
    ]
    joined = merge(tiles, id="p")
    assert joined.status == told
    assert (joined.railcars, joined.locomotives, joined.trains, joined.occupied_m) == (None,) * 4
    assert len(joined.reasons) == len(tiles)


def test_facts_of_a_pass() -> None:
    west, east = row_of_tiles(ONE_TRAIN, [-300.0, 0.0, 300.0])
    joined = merge(
        [
            replace(east, credit="Planet", sensor="SkySat SSC3", zone="yard", doubts=("dates differ",)),
            replace(
                west,
                credit="Maxar",
                zone="station",
                simulated=True,
                acquired=MOMENT + dt.timedelta(seconds=9),
            ),
        ],
        id="p",
    )
    assert (joined.credit, joined.sensor, joined.zone) == ("Maxar; Planet", "SkySat SSC3", None)
    assert joined.simulated
    assert joined.acquired == MOMENT
    assert joined.reasons == ("yard_R1C2.tif: dates differ",)
    assert joined.status == "counted"
    assert [tile.tile for tile in joined.tiles] == [west.tile, east.tile]


def test_reasons_name_the_tile_unless_all_have_them() -> None:
    tiles = row_of_tiles(ONE_TRAIN, [-300.0, 0.0, 300.0], status="degraded", reasons=("snow",))
    assert merge(tiles, id="p").reasons == ("snow",)
    one = [replace(tiles[0], reasons=("snow", "haze")), tiles[1]]
    joined = merge(one, id="p")
    assert joined.reasons == ("snow", "yard_R1C1.tif: haze")
    assert joined.status == "degraded"


def test_kinds_are_counted_apart() -> None:
    yard = Yard(
        trains=(
            Train(track=0, start_m=-60.0, lengths_m=(16.4,) * 2, kind="locomotive"),
            Train(track=1, start_m=-35.0, kind="covered"),
            Train(track=2, start_m=-35.0, kind="tank", lengths_m=(11.0,) * 4),
        )
    )
    joined = merge(row_of_tiles(yard, [-300.0, -50.0, -20.0, 300.0]), id="p")
    assert joined.by_type == {"covered": 5, "locomotive": 2, "tank": 4}
    assert best(joined) == 9
    assert joined.locomotives is not None
    assert joined.covered is not None
    assert (joined.locomotives.best, joined.covered.best) == (2, 5)


def test_cars_not_told_apart_are_added_up() -> None:
    def coarse(tile: TileRecord, *, n: int, metres: float) -> TileRecord:
        return replace(
            tile, status="degraded", regime="occupied_length", reasons=("coarse",), cars=(), covered=None,
            locomotives=None, railcars=Interval(best=n, low=n // 2, high=3 * n), occupied_m=metres, trains=2,
            by_type={"unknown": n},
        )  # fmt: skip

    west, east = row_of_tiles(ONE_TRAIN, [-300.0, 0.0, 300.0])
    joined = merge([coarse(west, n=10, metres=140.0), coarse(east, n=6, metres=84.0)], id="p")
    assert joined.railcars == Interval(best=16, low=8, high=48)
    assert (joined.occupied_m, joined.by_type, joined.cars) == (224.0, {"unknown": 16}, ())
    assert (joined.locomotives, joined.covered, joined.trains) == (None, None, 4)
    overlapping = [
        coarse(tile_of(ONE_TRAIN, (-300.0, -60.0, 100.0, 60.0), "a.tif"), n=12, metres=160.0),
        coarse(tile_of(ONE_TRAIN, (-100.0, -60.0, 300.0, 60.0), "b.tif"), n=12, metres=160.0),
    ]
    half = merge(overlapping, id="p")
    assert best(half) == pytest.approx(18, abs=1)  # 12, and half of 12
    assert half.occupied_m == pytest.approx(240.0, abs=2)


def coarse_tile(yard: Yard, box: tuple[float, float, float, float], name: str) -> TileRecord:
    """As pixels of 2 m show it: the trains of `tile_of` as stretches."""
    tile = tile_of(yard, box, name)
    stretches = []
    for train in yard.trains:
        part = yard.inside(train.track, box)
        (start, _), (_, end) = train.cars()[0], train.cars()[-1]
        if part is not None and min(end, part[1]) - max(start, part[0]) >= 8.0:
            ends = (max(start, part[0]), min(end, part[1]))
            line = tuple(yard.place(yard.ground(at, train.track)) for at in ends)
            stretches.append(StretchRecord(track=f"line {train.track + 1}", line=line))
    n = len(tile.cars)
    return replace(
        tile, status="degraded", regime="occupied_length", cars=(), covered=None, locomotives=None,
        trains=len(stretches), stretches=tuple(stretches), railcars=Interval(best=n, low=n, high=n),
        by_type={"unknown": n},
    )  # fmt: skip


@pytest.mark.parametrize("azimuth", [90.0, 62.0])
@pytest.mark.parametrize("overlap_m", [0.0, 30.0, 90.0])
def test_a_stretch_over_a_seam_is_one_train(azimuth: float, overlap_m: float) -> None:
    """One over both seams, one that ends at a seam 9 m before the next on its track, one beside them."""
    yard = Yard(
        azimuth_deg=azimuth,
        trains=(
            Train(track=0, start_m=-120.0, lengths_m=(BODY_M,) * 18),
            Train(track=1, start_m=-68.62),
            Train(track=1, start_m=9.0),
            Train(track=2, start_m=30.0, lengths_m=(BODY_M,) * 8),
        ),
    )
    ends = [-300.0, 0.0, 80.0, 300.0]
    tiles = [
        coarse_tile(yard, (west, -300.0, east + overlap_m, 300.0), f"{west}.tif")
        for west, east in pairwise(ends)
    ]
    assert sum(tile.trains or 0 for tile in tiles) > 4
    assert merge(tiles, id="p").trains == 4
    assert merge(tiles[:1], id="p").trains == tiles[0].trains
    kept = [TileRecord.from_dict(json.loads(json.dumps(tile.to_dict()))) for tile in tiles]
    assert merge(kept, id="p").trains == 4


def test_tiles_in_pixels_are_passes_of_their_own() -> None:
    tile = tile_of(ONE_TRAIN, WIDE, crs=None)
    assert best(merge([tile], id="p")) == 5
    with pytest.raises(InputError, match="place on Earth"):
        merge([tile, replace(tile, tile="b.tif", sha256="b")], id="p")


def test_a_yard_across_the_date_line_and_in_the_south() -> None:
    for lon, lat in ((180.0, -41.0), (-179.9999, 65.0)):
        yard = replace(ONE_TRAIN, lon=lon, lat=lat)
        tiles = [
            replace(
                tile,
                footprint=tuple(((x + 180) % 360 - 180, y) for x, y in tile.footprint),
                cars=tuple(
                    replace(car, ring=tuple(((x + 180) % 360 - 180, y) for x, y in car.ring))
                    for car in tile.cars
                ),
                tracks=tuple(
                    replace(t, line=tuple(((x + 180) % 360 - 180, y) for x, y in t.line)) for t in tile.tracks
                ),
            )
            for tile in row_of_tiles(yard, [-300.0, CUTS["in half"], 300.0], overlap_m=3.0)
        ]
        assert best(merge(tiles, id="p")) == 5


def test_the_work_of_a_pass_grows_with_its_tiles_not_with_their_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: Counter[str] = Counter()

    def counted(holder: object, name: str) -> None:
        plain = getattr(holder, name)

        def look(*given: Any) -> Any:
            looks[name] += 1
            return plain(*given)

        monkeypatch.setattr(holder, name, look)

    for holder, name in ((joining, "_same_image"), (lines, "_links"), (Footprint, "clipped")):
        counted(holder, name)
    yard = Yard(trains=tuple(Train(track=t, start_m=-290.0 + 80 * k) for t in range(4) for k in range(7)))
    cuts = [-300.0 + 15 * n for n in range(41)]
    tiles = [
        tile_of(yard, (a, south, b, south + 15.0), f"R{south:.0f}C{n}.tif")
        for n, (a, b) in enumerate(pairwise(cuts))
        for south in (-30.0, -15.0, 0.0, 15.0)
    ]
    assert merge(tiles, id="p").status == "counted"
    assert all(0 < n < 40 * len(tiles) for n in looks.values()), looks
