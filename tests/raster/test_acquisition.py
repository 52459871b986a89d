"""When and how a tile was taken, and which source said so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from railcount.raster import open_tile
from railcount.raster.sidecars import cloud_fraction, parse_when

from . import factories

SKYSAT = "20221003_011846_ssc2_u0001_visual.tif"
MAXAR = "24APR01083715-M2AS_R1C1-050209502010_01_P001.TIF"
PLEIADES = "IMG_PHR1A_PMS_201504110803030_ORT_1659046101-001_R1C1.TIF"
STAMP = {"TIFFTAG_DATETIME": "2023:10:05 02:11:00"}


def acquisition(path, acquired=None, **options):
    return open_tile(factories.write_tif(path, **options), acquired=acquired).acquisition


def test_nothing_known(tmp_path):
    found = acquisition(tmp_path / "a.tif")
    assert found.acquired is None
    assert found.acquired_from is None
    assert found.notes == ()
    assert not found.simulated


def test_the_stated_order(tmp_path):
    folder = tmp_path / "2020-01-01"
    folder.mkdir()
    sidecar = folder / SKYSAT.replace(".tif", ".json")
    assert acquisition(folder / "a.tif").acquired == date(2020, 1, 1)
    assert acquisition(folder / "a.tif").acquired_from == "folder"
    assert acquisition(folder / SKYSAT).acquired_from == "file_name"
    sidecar.write_text(json.dumps({"properties": {"datetime": "2022-10-03T01:18:46.5Z"}}))
    assert acquisition(folder / SKYSAT).acquired_from == "sidecar"
    imagery = {"ACQUISITIONDATETIME": "2022-10-03 01:18:46"}
    assert acquisition(folder / SKYSAT, imagery=imagery).acquired_from == "imagery_metadata"
    found = acquisition(folder / SKYSAT, imagery=imagery, tags=STAMP)
    assert found.acquired_from == "tiff_tag"
    assert found.acquired == datetime(2023, 10, 5, 2, 11, tzinfo=UTC)
    found = acquisition(folder / SKYSAT, date(2019, 1, 2), imagery=imagery, tags=STAMP)
    assert (found.acquired, found.acquired_from) == (date(2019, 1, 2), "option")


def test_sources_that_disagree_are_told(tmp_path):
    found = acquisition(tmp_path / SKYSAT, tags=STAMP)
    assert found.acquired == datetime(2023, 10, 5, 2, 11, tzinfo=UTC)
    (doubt,) = found.doubts
    assert "2023-10-05" in doubt
    assert "the file name says 2022-10-03" in doubt
    assert found.notes == ()
    close = {"TIFFTAG_DATETIME": "2022:10:04 00:30:00"}
    assert acquisition(tmp_path / SKYSAT, tags=close).doubts == ()


def test_tags(tmp_path):
    tags = STAMP | {
        "RAILCOUNT_SUN_AZIMUTH_DEG": "160.5", "RAILCOUNT_SUN_ELEVATION_DEG": "38",
        "RAILCOUNT_SIMULATED": "yes", "TIFFTAG_COPYRIGHT": "(c) A\nB", "TIFFTAG_ARTIST": "C",
    }  # fmt: skip
    found = acquisition(tmp_path / "a.tif", tags=tags)
    assert (found.sun_azimuth_deg, found.sun_elevation_deg) == (160.5, 38)
    assert found.simulated
    assert found.credit == "(c) A\\nB"


@pytest.mark.parametrize(
    "stamp", ["0000:00:00 00:00:00", "yesterday", "2023:13:05 01:00:00", "9999:01:01 00:00:00"]
)
def test_tags_that_are_no_date_are_told(tmp_path, stamp):
    found = acquisition(tmp_path / "a.tif", tags={"TIFFTAG_DATETIME": stamp})
    assert found.acquired is None
    assert any("not a date" in note for note in found.notes)


def test_midnight_is_a_date_without_a_time(tmp_path):
    found = acquisition(tmp_path / "a.tif", tags={"TIFFTAG_DATETIME": "2023:10:05 00:00:00"})
    assert found.acquired == date(2023, 10, 5)
    assert not isinstance(found.acquired, datetime)


@pytest.mark.parametrize(
    ("folder", "day"),
    [
        ("2023-10-05/x", date(2023, 10, 5)),
        ("2020-01-01/20231005", date(2023, 10, 5)),
        ("20231005_pass2/r", date(2023, 10, 5)),
        ("batch-20231005", None),
        ("2023-13-45", None),
    ],
)
def test_the_nearest_dated_folder(tmp_path, folder, day):
    (tmp_path / folder).mkdir(parents=True)
    assert acquisition(tmp_path / folder / "a.tif").acquired == day


def test_imagery_domain(tmp_path):
    imagery = {"ACQUISITIONDATETIME": "2010-04-01 12:00:00", "SATELLITEID": "WV02", "CLOUDCOVER": "12"}
    found = acquisition(tmp_path / "a.tif", imagery=imagery)
    assert found.acquired == datetime(2010, 4, 1, 12, tzinfo=UTC)
    assert (found.sensor, found.cloud_cover) == ("WV02", 0.12)
    assert acquisition(tmp_path / "b.tif", imagery=imagery | {"CLOUDCOVER": "999"}).cloud_cover is None


def test_planet_json(tmp_path):
    (tmp_path / "20221003_011846_ssc2_u0001_metadata.json").write_text(
        json.dumps(
            {
                "acquired": "2022-10-03T01:18:46.25Z", "gsd": 0.72, "cloud_cover": 0.05,
                "satellite_id": "SSC2",
                "sun_azimuth": 152.1, "sun_elevation": 39.9, "view_angle": -12.3,
            }
        )
    )  # fmt: skip
    found = acquisition(tmp_path / SKYSAT)
    assert found.acquired_from == "sidecar"
    assert found.acquired == datetime(2022, 10, 3, 1, 18, 46, tzinfo=UTC)
    assert (found.sensor_gsd_m, found.cloud_cover, found.off_nadir_deg) == (0.72, 0.05, 12.3)
    assert (found.sun_azimuth_deg, found.sun_elevation_deg, found.sensor) == (152.1, 39.9, "SSC2")


def test_stac_item(tmp_path):
    properties = {
        "datetime": "2022-10-03T10:18:46+09:00", "eo:cloud_cover": 4, "view:sun_azimuth": 150,
        "view:sun_elevation": 40, "view:off_nadir": 9.5, "gsd": 0.5, "platform": "x1",
        "providers": [{"name": "Somebody"}, {"name": "Another"}],
    }  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps({"type": "Feature", "properties": properties}))
    found = acquisition(tmp_path / "a.tif")
    assert found.acquired == datetime(2022, 10, 3, 1, 18, 46, tzinfo=UTC)
    assert (found.cloud_cover, found.off_nadir_deg, found.credit) == (0.04, 9.5, "Somebody, Another")


def test_maxar_imd(tmp_path):
    (tmp_path / "24APR01083715-M2AS-050209502010_01_P001.IMD").write_text(
        'version = "28.4";\nBEGIN_GROUP = IMAGE_1\n\tsatId = "WV03";\n'
        "\tfirstLineTime = 2024-04-01T08:37:15.187025Z;\n\tmeanCollectedGSD = 0.331;\n\tmeanSunAz = 170.1;\n"
        "\tmeanSunEl = 51.2;\n\tmeanOffNadirViewAngle = 22.7;\n"
        "\tcloudCover = -999.000;\nEND_GROUP = IMAGE_1\n"
    )
    found = acquisition(tmp_path / MAXAR)
    assert found.acquired_from == "sidecar"
    assert (found.sensor, found.sensor_gsd_m, found.cloud_cover) == ("WV03", 0.331, None)
    assert (found.sun_azimuth_deg, found.sun_elevation_deg, found.off_nadir_deg) == (170.1, 51.2, 22.7)


DIMAP = """<?xml version="1.0"?><Dimap_Document xmlns:x="urn:x">
<Production_Information><x:COPYRIGHT>(c) Somebody 2015</x:COPYRIGHT></Production_Information>
<CLOUD_COVERAGE unit="percent">3</CLOUD_COVERAGE><Strip_Source><MISSION>PHR</MISSION>
<MISSION_INDEX>1A</MISSION_INDEX><IMAGING_DATE>2015-04-11</IMAGING_DATE>
<IMAGING_TIME>08:03:03.1Z</IMAGING_TIME></Strip_Source>
<L><SUN_AZIMUTH unit="deg">150</SUN_AZIMUTH><SUN_ELEVATION>50</SUN_ELEVATION></L>
<L><SUN_AZIMUTH>151</SUN_AZIMUTH><SUN_ELEVATION>51</SUN_ELEVATION><VIEWING_ANGLE>-8</VIEWING_ANGLE></L>
<L><SUN_AZIMUTH>152</SUN_AZIMUTH><SUN_ELEVATION>52</SUN_ELEVATION></L></Dimap_Document>"""


def test_dimap(tmp_path):
    (tmp_path / "DIM_PHR1A_PMS_201504110803030_ORT_1659046101-001.XML").write_text(DIMAP)
    found = acquisition(tmp_path / PLEIADES)
    assert found.acquired == datetime(2015, 4, 11, 8, 3, 3, tzinfo=UTC)
    assert (found.sensor, found.cloud_cover, found.credit) == ("PHR1A", 0.03, "(c) Somebody 2015")
    assert (found.sun_azimuth_deg, found.sun_elevation_deg, found.off_nadir_deg) == (151, 51, 8)


@pytest.mark.parametrize(
    ("suffix", "content", "words"),
    [
        (".XML", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "entities"),
        (".XML", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>".encode("utf-16"), "entities"),
        (".XML", b"<a><b></a>", "damaged"),
        (".XML", b'<?xml version="1.0" encoding="rot13"?><a/>', "damaged"),
        (".json", b"{nothing", "not JSON"),
        (".json", b"[" * 100_000, "not JSON"),
        (".IMD", b"x" * (5 * 2**20 + 1), "larger than 5 MB"),
    ],
)
def test_sidecars_that_cannot_be_used_are_told(tmp_path, suffix, content, words):
    (tmp_path / f"a{suffix}").write_bytes(content)
    found = acquisition(tmp_path / "a.tif")
    assert any(words in note for note in found.notes)
    assert found.acquired is None


def test_a_credit_is_one_line_however_many_are_named(tmp_path):
    providers = [{"name": "Somebody"}] * 100_000
    (tmp_path / "a.json").write_text(json.dumps({"properties": {"providers": providers}}))
    credit = acquisition(tmp_path / "a.tif").credit
    assert credit is not None
    assert credit.startswith("Somebody, Somebody")
    assert len(credit) <= 300


def test_a_sidecar_may_be_anything(tmp_path):
    import os

    os.mkfifo(tmp_path / "a.XML")
    (tmp_path / "a.json").write_text("[1, 2]")
    (tmp_path / "a.IMD").write_bytes(b"\xff\x00 = ;;;")
    found = acquisition(tmp_path / "a.tif")
    assert any("not a regular file" in note for note in found.notes)


def test_an_option_without_zone_is_utc(tmp_path):
    found = acquisition(tmp_path / "a.tif", datetime(2023, 10, 5, 2))
    assert found.acquired == datetime(2023, 10, 5, 2, tzinfo=UTC)
    korea = timezone(timedelta(hours=9))
    found = acquisition(tmp_path / "a.tif", datetime(2023, 10, 5, 11, tzinfo=korea))
    assert found.acquired == datetime(2023, 10, 5, 2, tzinfo=UTC)
    assert found.acquired.utcoffset() == timedelta(0)


@given(st.datetimes(datetime(1972, 1, 2), datetime(2099, 12, 30)), st.integers(-14, 14))
def test_times_are_read_back(when, hours):
    when = when.replace(microsecond=0, tzinfo=timezone(timedelta(hours=hours)))
    assert parse_when(when.isoformat()) == when
    assert parse_when(when.strftime("%Y:%m:%d %H:%M:%S")) == when.replace(tzinfo=UTC)


@given(st.one_of(st.text(), st.from_regex(r"\A\d{4}[:-]\d\d[:-]\d\d[T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?\Z")))
def test_no_text_breaks_the_reader(text):
    parse_when(text)


@pytest.mark.parametrize("value", ["99", 999, "-999", "nan", "", None, "much"])
def test_unknown_cloud(value):
    assert cloud_fraction(value, percent=True) is None
    assert cloud_fraction(value, percent=False) is None
