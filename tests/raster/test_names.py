"""What file names say."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from railcount.raster import parse_name
from railcount.raster.names import NameInfo, date_in

# examples from the vendors' own naming conventions
SKYSAT = "20221003_011846_ssc2_u0001_pansharpened_clip.tif"
PLANETSCOPE = "20190403_005542_1_0f3c_3B_AnalyticMS.tif"
MAXAR = "24APR01083715-M2AS_R1C1-050209502010_01_P001.TIF"
PLEIADES = "IMG_PHR1A_PMS_201504110803030_ORT_1659046101-001_R1C1.TIF"
NEO = "IMG_PNEO3_STD_202601250555400_PMS-FS_ORT_0a1b2c3d-0000_RGB_R2C1.JP2"


@pytest.mark.parametrize(
    ("name", "vendor", "when", "sensor", "tile"),
    [
        (SKYSAT, "skysat", datetime(2022, 10, 3, 1, 18, 46, tzinfo=UTC), "SkySat SSC2", None),
        (PLANETSCOPE, "planetscope", datetime(2019, 4, 3, 0, 55, 42, tzinfo=UTC), "PlanetScope 0f3c", None),
        (MAXAR, "maxar", datetime(2024, 4, 1, 8, 37, 15, tzinfo=UTC), None, (1, 1)),
        (PLEIADES, "pleiades", datetime(2015, 4, 11, 8, 3, 3, tzinfo=UTC), "PHR1A", (1, 1)),
        (NEO, "pleiades_neo", datetime(2026, 1, 25, 5, 55, 40, tzinfo=UTC), "PNEO3", (2, 1)),
        ("tumangang_2023-10-05.tif", None, date(2023, 10, 5), None, None),
        ("yard20231005_R3C12.tif", None, date(2023, 10, 5), None, (3, 12)),
        ("yard.tif", None, None, None, None),
    ],
)
def test_names(name, vendor, when, sensor, tile):
    info = parse_name(name)
    assert (info.vendor, info.acquired, info.sensor, info.tile) == (vendor, when, sensor, tile)
    assert type(info.acquired) is type(when)
    assert info.kind == "image"


def test_tiles_of_a_scene_share_its_name():
    assert parse_name(MAXAR).scene == parse_name(MAXAR.replace("R1C1", "R2C7")).scene
    assert parse_name(PLEIADES).scene == "IMG_PHR1A_PMS_201504110803030_ORT_1659046101-001"
    assert parse_name(NEO).scene == parse_name(NEO.replace("RGB", "NED")).scene


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("20221003_011846_ssc2_u0001_udm2_clip.tif", "quality_mask"),
        ("20190403_005542_1_0f3c_3B_AnalyticMS_DN_udm.tif", "quality_mask"),
        ("20190403_005542_1_0f3c_3B_udm2.tif", "quality_mask"),
        (NEO.replace("RGB", "NED"), "not_rgb"),
        ("sudm2land_visual.tif", "image"),
        ("Ned_yard.tif", "image"),
    ],
)
def test_products_that_are_no_image(name, kind):
    assert parse_name(name).kind == kind


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("20221303_011846_ssc2_u0001_visual.tif", None),
        ("20221003_256199_ssc2_u0001_visual.tif", date(2022, 10, 3)),
        ("24XYZ01083715-M2AS-050209502010_01_P001.TIF", None),
        ("24FEB31083715-M2AS-050209502010_01_P001.TIF", None),
        ("scene_99999999.tif", None),
        ("scene_18000101.tif", None),
        ("1234567890123.tif", None),
        ("20230229_20230301.tif", date(2023, 3, 1)),
    ],
)
def test_impossible_dates_say_nothing(name, when):
    assert parse_name(name).acquired == when


@given(st.text())
def test_never_raises(name):
    assert isinstance(parse_name(name), NameInfo)


@given(
    st.sampled_from([SKYSAT, PLANETSCOPE, MAXAR, PLEIADES, NEO]),
    st.lists(st.tuples(st.integers(0, 40), st.characters()), max_size=6),
)
def test_never_raises_near_the_vendors_names(name, changes):
    for place, character in changes:
        name = name[:place] + character + name[place + 1 :]
    assert isinstance(parse_name(name), NameInfo)


@given(st.dates(date(1972, 1, 1), date(2099, 12, 31)), st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%Y_%m_%d"]))
def test_every_date_is_found(day, form):
    assert date_in(f"yard {day.strftime(form)} x") == day
