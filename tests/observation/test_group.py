"""Which tiles are of one pass."""

from __future__ import annotations

import datetime as dt
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from railcount.observation import group, pass_key

from .factories import MOMENT, Train, Yard, row_of_tiles, tile_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from railcount.records import TileRecord

YARD = Yard(trains=(Train(track=1, start_m=-35.0),))
BOX = (-300.0, -60.0, 300.0, 60.0)
DAY = dt.date(2023, 10, 5)
PLEIADES = "IMG_PHR1A_PMS_201504110803030_ORT_1659046101-001_R1C{}.TIF"


def tile(
    name: str = "a.tif", *, folder: str = "archive/2023-10-05", at: Any = MOMENT, **changes: Any
) -> TileRecord:
    return replace(tile_of(YARD, BOX, name, acquired=at, **changes), tile=f"{folder}/{name}")


def moved(record: TileRecord, *, north_m: float) -> TileRecord:
    up = north_m / 111_000
    return replace(record, footprint=tuple((x, y + up) for x, y in record.footprint))


def unopened(name: str, *, folder: str = "archive/2023-10-05", status: Any = "failed") -> TileRecord:
    """A tile that could not be opened."""
    bare = type(tile())(tile=f"{folder}/{name}", sha256="ab" * 32, status=status, reasons=("damaged",))
    return bare


def ids(records: Iterable[TileRecord]) -> list[str]:
    return [name for name, _ in group(records)]


def later(seconds: float) -> dt.datetime:
    return MOMENT + dt.timedelta(seconds=seconds)


def test_tiles_of_a_scene_are_one_pass() -> None:
    tiles = row_of_tiles(YARD, [-300.0, -100.0, 100.0, 300.0], sensor="SkySat SSC3")
    assert group(reversed(tiles)) == [("tumangang-20231005T0211Z-ssc3", tuple(tiles))]


def test_no_tile_is_lost_and_none_comes_twice() -> None:
    tiles = [
        tile(f"{n}.tif", at=later(n * 100 + (n // 3) * 900), site=None if n % 2 else "x") for n in range(20)
    ]
    tiles += [tile("no_date.tif", at=None), tile("pixels.tif", crs=None), unopened("broken.tif")]
    parted = [one.tile for _, some in group(tiles) for one in some]
    assert sorted(parted) == sorted(one.tile for one in tiles)
    assert len(set(ids(tiles))) == len(ids(tiles))


@pytest.mark.parametrize(("seconds", "n"), [(0, 1), (40, 1), (240, 1), (301, 2), (5400, 2), (86400, 2)])
def test_moments_within_minutes(seconds: float, n: int) -> None:
    assert len(group([tile("a.tif"), tile("b.tif", at=later(seconds))])) == n


def test_a_pass_over_midnight() -> None:
    late = dt.datetime(2023, 10, 5, 23, 59, 50, tzinfo=dt.UTC)
    tiles = [tile("a.tif", at=late), tile("b.tif", at=late + dt.timedelta(seconds=20))]
    assert ids(tiles) == ["tumangang-20231005T2359Z"]


def test_an_id_does_not_change_with_more_tiles() -> None:
    tiles = row_of_tiles(YARD, [-300.0, -100.0, 100.0, 300.0], sensor="PHR1A")
    assert ids(tiles[2:]) == ids(tiles[1:]) == ids(tiles) == ["tumangang-20231005T0211Z-phr1a"]
    frames = [replace(one, acquired=later(7 * n)) for n, one in enumerate(tiles)]
    assert ids(frames[1:]) == ids(frames)


def test_sensors() -> None:
    assert len(group([tile("a.tif", sensor="SkySat SSC3"), tile("b.tif", sensor="SkySat SSC2")])) == 2
    assert ids([tile("a.tif", sensor="SkySat SSC3"), tile("b.tif", sensor="SkySat ssc3d2")]) == [
        "tumangang-20231005T0211Z-ssc3"
    ]
    one_unknown = group([tile("a.tif", sensor="SkySat SSC3"), tile("b.tif")])
    assert [(name, len(some)) for name, some in one_unknown] == [("tumangang-20231005T0211Z-ssc3", 2)]
    between = [
        tile("a.tif", sensor="SkySat SSC3"),
        tile("b.tif", at=later(200)),
        tile("c.tif", at=later(240), sensor="PlanetScope 0f3c"),
    ]
    assert [(name, len(some)) for name, some in group(between)] == [
        ("tumangang-20231005T0211Z-ssc3", 1),
        ("tumangang-20231005T0214Z-0f3c", 2),
    ]


def test_sites_are_kept_apart() -> None:
    assert ids([tile("a.tif"), tile("b.tif", site="khasan")]) == [
        "khasan-20231005T0211Z",
        "tumangang-20231005T0211Z",
    ]


@pytest.mark.parametrize(("north_m", "n"), [(60.0, 1), (2500.0, 1), (3500.0, 2), (50_000.0, 2)])
def test_without_a_site_footprints_lie_near(north_m: float, n: int) -> None:
    tiles = [tile("a.tif", site=None), moved(tile("b.tif", site=None), north_m=north_m)]
    assert len(group(tiles)) == n


def test_places_name_passes_without_a_site() -> None:
    tiles = [tile("a.tif", site=None, sensor="PHR1B"), moved(tile("b.tif", site=None), north_m=9000.0)]
    assert ids(tiles) == ["42.42n130.62e-20231005T0211Z-phr1b", "42.50n130.62e-20231005T0211Z"]
    south = replace(YARD, lon=-71.5, lat=-33.0)
    assert ids([tile_of(south, BOX, site=None, acquired=DAY)]) == ["33.00s71.50w-20231005"]


def test_two_places_do_not_bridge_the_time_between_them() -> None:
    tiles = [
        tile("a.tif", site=None),
        moved(tile("b.tif", site=None, at=later(200)), north_m=20_000.0),
        tile("c.tif", site=None, at=later(400)),
    ]
    assert len(group(tiles)) == 3


def test_where_only_the_day_is_known() -> None:
    same_folder = [tile("a.tif", at=DAY), tile("b.tif", at=DAY)]
    assert ids(same_folder) == ["tumangang-20231005"]
    elsewhere = [tile("a.tif", at=DAY), tile("b.tif", at=DAY, folder="other/2023-10-05")]
    assert ids(elsewhere) == ["tumangang-20231005", "tumangang-20231005-2"]
    assert ids(reversed(elsewhere)) == ids(elsewhere)
    same_scene = [
        tile(PLEIADES.format(1), at=DAY, folder="a"),
        tile(PLEIADES.format(2), at=DAY, folder="b"),
    ]
    assert len(group(same_scene)) == 1
    assert len(group([tile("a.tif", at=DAY), tile("b.tif", at=DAY - dt.timedelta(days=1))])) == 2


def test_a_folder_is_known_however_it_was_given() -> None:
    a, b = tile("a.tif", at=DAY), tile("b.tif", at=DAY, folder="elsewhere")
    assert len(group([replace(a, folder="/x"), replace(b, folder="/x")])) == 1
    b = replace(b, tile="archive/2023-10-05/b.tif")
    assert len(group([a, b])) == len(group([replace(a, folder="/x"), b])) == 1
    assert len(group([replace(a, folder="/x"), replace(b, folder="/y")])) == 2


def test_a_day_is_not_joined_to_a_moment_but_by_the_scene() -> None:
    assert len(group([tile("a.tif"), tile("b.tif", at=DAY)])) == 2
    scene = [tile(PLEIADES.format(1)), tile(PLEIADES.format(2), at=DAY, folder="elsewhere")]
    assert len(group(scene)) == 1


def test_tiles_without_a_date() -> None:
    one, other = tile("a.tif", at=None), tile("b.tif", at=None)
    assert one.sha256 is not None
    assert other.sha256 is not None
    assert ids([one, other]) == sorted([f"undated-{one.sha256[:8]}", f"undated-{other.sha256[:8]}"])
    again = replace(one, tile="copy/a.tif")
    assert [len(some) for _, some in group([one, again])] == [2]


def test_tiles_in_pixels() -> None:
    one = tile("a.tif", crs=None)
    assert one.sha256 is not None
    assert ids([one, tile("b.tif")]) == [
        "tumangang-20231005T0211Z",
        f"tumangang-20231005T0211Z-{one.sha256[:8]}",
    ]
    assert ids([replace(one, site=None)]) == [f"unplaced-20231005T0211Z-{one.sha256[:8]}"]


def test_a_tile_that_could_not_be_opened_goes_with_its_scene() -> None:
    good = tile(PLEIADES.format(1), at=dt.datetime(2015, 4, 11, 8, 3, 3, tzinfo=dt.UTC))
    broken = unopened(PLEIADES.format(2), folder="elsewhere")
    assert [len(some) for _, some in group([good, broken])] == [2]
    assert ids([broken]) == ["unplaced-20150411T0803Z-abababab"]


def test_a_tile_that_could_not_be_opened_goes_with_its_folder_and_day() -> None:
    good, broken = tile("yard_2023-10-05_b.tif", at=DAY), unopened("yard_2023-10-05_a.tif")
    assert [len(some) for _, some in group([good, broken])] == [2]
    apart = unopened("yard_2023-10-06_a.tif")
    assert len(group([good, apart])) == 2
    assert ids([unopened("yard.tif")]) == ["undated-abababab"]


def test_a_tile_without_image_has_no_site_yet_is_of_the_pass() -> None:
    good = tile("R1C1.tif", sensor="PHR1A")
    blank = tile("R1C2.tif", site=None, status="no_data", railcars=None)
    assert [len(some) for _, some in group([good, blank])] == [2]
    assert len(group([good, replace(blank, sensor="PHR1B")])) == 2
    assert len(group([good, moved(blank, north_m=9000.0)])) == 2
    assert len(group([good, replace(blank, acquired=later(600))])) == 2


def test_the_order_does_not_matter() -> None:
    tiles = [
        tile(f"{n}.tif", at=DAY if n % 5 == 0 else later(130 * (n % 7)), sensor=(None, "A", "B")[n % 3],
             site=None if n % 4 else "x", folder=f"f{n % 2}")
        for n in range(40)
    ]  # fmt: skip
    expected = group(tiles)
    for seed in range(5):
        random.Random(seed).shuffle(tiles)
        assert group(tiles) == expected


def test_pass_keys() -> None:
    one = tile("a.tif", sensor="SkySat SSC3")
    assert pass_key(one) == ("tumangang", "20231005T0211Z", "ssc3")
    assert "-".join(filter(None, pass_key(one))) == ids([one])[0]
    assert pass_key(unopened("a.tif")) == (None, None, None)


def test_many_tiles_are_grouped_quickly() -> None:
    plain = tile("a.tif")
    tiles = [
        replace(plain, tile=f"archive/{n}.tif", site=None if n % 2 else "x", acquired=later(4000 * (n // 4)))
        for n in range(8000)
    ]
    began = time.process_time()
    assert len(group(tiles)) == 4000
    assert time.process_time() - began < 10  # measured 0.9 s
