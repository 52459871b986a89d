"""The data of the first site that ships with railcount."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from railcount import sites
from railcount.counts import Interval

if TYPE_CHECKING:
    from railcount.baseline import Observation

SHARED = Path(__file__).resolve().parents[3] / "shared" / "domain" / "published_counts.csv"
SITE = sites.load("tumangang")


def usable() -> list[Observation]:
    return [
        one
        for one in SITE.observations
        if one.unit == "cars" and one.has_count and one.zone in SITE.baseline_zones
    ]


def test_it_ships() -> None:
    assert "tumangang" in sites.names()
    assert (SITE.crs, SITE.utc_offset_h, SITE.stock) == ("EPSG:32652", 9, "russian-chinese")


def test_which_rows_are_counts_of_the_yard() -> None:
    assert [(one.when, one.most) for one in usable()] == [
        ("2018-10-01 to 2023-09-30", 20),
        ("2022-10-28", 7),
        ("2022-11-03", 12),
        ("2022-11-05", 11),
        ("2022-11-30", 8),
        ("2023-09-14", 0),
        ("2023-10-05", 73),
        ("2024-06-17", 255),
        ("2024-12-03", 225),
    ]


def test_views_from_the_ground_are_parts() -> None:
    ground = [one for one in SITE.observations if "ground" in one.sensor]
    assert len(ground) == 2
    assert all(one.unit == "set" for one in ground)


def test_counts_that_disagree_are_kept_with_their_units() -> None:
    november = {one.first: (one.best, one.unit) for one in SITE.observations if one.first.month == 11}
    assert november[dt.date(2022, 11, 3)] == (12, "cars")
    assert november[dt.date(2022, 11, 4)] == (3, "set")


def test_images_that_could_not_be_counted_are_kept() -> None:
    without = [one.first for one in SITE.observations if not one.has_count]
    assert without == [dt.date(2023, 9, 28), dt.date(2023, 10, 1)]


def test_every_row_has_a_source_and_an_address() -> None:
    assert all(one.source and one.url and one.url.startswith("https://") for one in SITE.observations)
    assert all(one.method == "published" for one in SITE.observations)
    firsts = [one.first for one in SITE.observations]
    assert firsts == sorted(firsts)


def test_addresses_and_numbers_are_those_of_the_collection() -> None:
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not here")
    with SHARED.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["site"].startswith("Tumangang")]
    known = {row["source_url"] for row in rows} | {
        part for row in rows for part in row["notes"].split() if part.startswith("https://beyondparallel")
    }
    assert {one.url for one in SITE.observations} <= known
    best = {(row["date"], int(row["count_best"])) for row in rows if row["count_best"]}
    for one in usable():
        if one.statement == "image":
            assert (str(one.first), one.best) in best


@pytest.mark.parametrize(
    ("lon", "lat", "zone"),
    [
        (130.6222, 42.4187, "freight-yard"),
        (130.6081, 42.4214, "station"),
        (130.6411, 42.4152, "crossing"),
        (130.600, 42.410, "complex"),
        (130.700, 42.410, None),
    ],
)
def test_zone_at(lon: float, lat: float, zone: str | None) -> None:
    found = SITE.zone_at(lon, lat)
    assert (found.id if found else None) == zone


def test_every_position_says_how_certain_it_is() -> None:
    for zone in SITE.zones:
        assert zone.uncertainty_m > 0
        assert zone.certainty
        assert zone.source
        assert SITE.contains(*zone.point)
    yard = SITE.zone("freight-yard")
    assert yard is not None
    assert yard.uncertainty_m == 400
    assert "nferred" in yard.certainty


def test_yard_lies_where_the_reports_put_it() -> None:
    from railcount.sites.place import distance_m

    station, yard = SITE.zone("station"), SITE.zone("freight-yard")
    assert station is not None
    assert yard is not None
    assert distance_m(station.point, yard.point) == pytest.approx(1200, abs=50)


def test_canopy_has_a_day() -> None:
    assert SITE.occluders_on(dt.date(2024, 11, 30)) == ()
    (canopy,) = SITE.occluders_on(dt.date(2024, 12, 1))
    assert (canopy.length_m, canopy.width_m, canopy.until) == (348, 26, None)


def test_canopy_outline_measures_what_it_says() -> None:
    import numpy as np
    import shapely
    from pyproj import Geod

    ring = SITE.occluders[0].outline()
    lon, lat = np.array(ring).T
    area, _ = Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)
    assert abs(area) == pytest.approx(348 * 26, rel=1e-3)
    azimuths, _, lengths = Geod(ellps="WGS84").inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    assert sorted(lengths) == pytest.approx([26, 26, 348, 348], rel=1e-3)
    long_side = azimuths[int(np.argmax(lengths))] % 180
    assert long_side == pytest.approx(104, abs=0.1)
    assert shapely.Polygon(ring).is_valid


def test_locate() -> None:
    found = sites.locate(130.6222, 42.4187)
    assert found is SITE
    khasan = sites.locate(130.64528, 42.42806)
    assert khasan is not None
    assert khasan.name == "khasan", "across the border"
    assert sites.locate(0.0, 0.0) is None


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (dt.datetime(2023, 10, 4, 14, 59, tzinfo=dt.UTC), "2023-10-04"),
        (dt.datetime(2023, 10, 4, 15, 0, tzinfo=dt.UTC), "2023-10-05"),
        (dt.datetime(2023, 10, 4, 15, 0), "2023-10-05"),
        (dt.date(2023, 10, 5), "2023-10-05"),
    ],
)
def test_days_are_local(moment: dt.datetime | dt.date, day: str) -> None:
    assert str(SITE.local_day(moment)) == day


def test_compare_takes_the_local_day() -> None:
    evening = dt.datetime(2023, 10, 4, 23, 30, tzinfo=dt.UTC)
    comparison = SITE.compare(Interval(best=73, low=70, high=76), acquired=evening)
    assert comparison.window == (dt.date(2018, 10, 5), dt.date(2023, 10, 4))
    assert (comparison.level, comparison.ratio_to_max) == ("unprecedented", 3.65)
