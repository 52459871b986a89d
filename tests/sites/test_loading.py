"""Site files that a user wrote."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from railcount import sites
from railcount.errors import InputError, MissingInput

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
name = "muttenz"
title = "Muttenz"
crs = "EPSG:2056"
utc_offset_h = 1
box = [7.6, 47.5, 7.7, 47.6]
baseline_zones = ["yard"]
published_counts = "counts.csv"

[[zones]]
id = "yard"
title = "Yard"
ring = [[7.6, 47.5], [7.7, 47.5], [7.7, 47.6]]
uncertainty_m = 5
certainty = "measured"
source = "map"

[[occluders]]
id = "roof"
title = "Roof"
point = [7.65, 47.55]
length_m = 100
width_m = 20
heading_deg = 90
since = 2020-01-01
until = 2021-01-01
uncertainty_m = 5
certainty = "measured"
source = "map"

[[tracks]]
file = "old.geojson"
until = 2019-12-31

[[tracks]]
file = "new.geojson"
since = 2020-01-01
"""
HEADER = "when,statement,zone,unit,low,best,high,qualifier,sensor,source,url,notes\n"
ROW = "2020-05-01,image,yard,cars,,5,,,,me,,\n"


def write(folder: Path, toml: str = GOOD, csv: str = HEADER + ROW) -> Path:
    (folder / "counts.csv").write_text(csv)
    path = folder / "site.toml"
    path.write_text(toml)
    return path


def test_good_file_by_path_and_by_folder(tmp_path: Path) -> None:
    path = write(tmp_path)
    for given in (path, str(path), tmp_path):
        site = sites.load(given)
        assert (site.name, site.stock, len(site.observations)) == ("muttenz", "any", 1)
    zone = site.zone_at(7.69, 47.51)
    assert zone is not None
    assert zone.id == "yard"
    assert site.zone_at(7.61, 47.59) is None
    assert len(site.occluders_on(dt.date(2021, 1, 1))) == 1
    assert site.occluders_on(dt.date(2021, 1, 2)) == ()


@pytest.mark.parametrize(
    ("day", "name"), [("2019-12-31", "old"), ("2020-01-01", "new"), ("2024-01-01", "new"), (None, "new")]
)
def test_tracks_have_dates(tmp_path: Path, day: str | None, name: str) -> None:
    site = sites.load(write(tmp_path))
    assert site.tracks_on(dt.date.fromisoformat(day) if day else None) == tmp_path / f"{name}.geojson"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('name = "muttenz"', "", "name must be a text, got nothing"),
        ('name = "muttenz"', 'name = "../x"', "name must be a lower-case"),
        ('title = "Muttenz"', "title = 3", "title must be a text"),
        ('"EPSG:2056"', '"+proj=utm"', "crs must be a code"),
        ("utc_offset_h = 1", "utc_offset_h = true", "utc_offset_h must be a number"),
        ("utc_offset_h = 1", "utc_offset_h = nan", "utc_offset_h must be a number"),
        ("utc_offset_h = 1", "utc_offset_h = 30", "utc_offset_h must be a number from -12 to 14"),
        ("[7.6, 47.5, 7.7, 47.6]", "[7.7, 47.5, 7.6, 47.6]", "box must be"),
        ("[7.6, 47.5, 7.7, 47.6]", '[7.7, 47.5, "a", 47.6]', "box must be a list of 4 numbers"),
        ('["yard"]', '["shed"]', "baseline_zones must be of the zones yard"),
        (
            'published_counts = "counts.csv"',
            'published_counts = "../counts.csv"',
            "published_counts must be the name",
        ),
        (
            'published_counts = "counts.csv"',
            'published_counts = "/etc/passwd"',
            "published_counts must be the name",
        ),
        ('id = "yard"', 'id = "Yard 1"', r"zones\[0\].id must be"),
        ("ring = [[7.6, 47.5], ", "ring = [", r"zones\[0\].ring must be a list of 3"),
        ("[7.7, 47.6]]", "[7.7, 147.6]]", r"zones\[0\].ring.2 must be \[longitude"),
        ("uncertainty_m = 5", "uncertainty_m = -5", r"zones\[0\].uncertainty_m must be"),
        (
            "since = 2020-01-01\nuntil = 2021",
            'since = "2020-01-01"\nuntil = 2021',
            r"occluders\[0\].since must be a date",
        ),
        ("since = 2020-01-01\nuntil = 2021", "until = 2021", r"occluders\[0\].since must be a date"),
        ("until = 2021-01-01", "until = 2019-01-01", r"occluders\[0\].until must be not before"),
        ("length_m = 100", "length_m = inf", r"occluders\[0\].length_m must be"),
        ("heading_deg = 90", "heading_deg = 90\nheigth_m = 5", r"unknown key occluders\[0\].heigth_m"),
        ("utc_offset_h = 1", "utc_offset_h = 1\nstok = 'x'", "unknown key stok"),
        ('file = "old.geojson"', 'file = "a/b.geojson"', "tracks.file must be the name"),
        ("utc_offset_h = 1", "utc_offset_h = ", "is not TOML"),
    ],
)
def test_wrong_key_is_named(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(InputError, match=key) as caught:
        sites.load(path)
    assert "site.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("csv", "told"),
    [
        ("", "columns must be"),
        ("date,count\n", "columns must be"),
        (HEADER + "2020-05-01,image\n", "line 2: 12 cells are required, got 2"),
        (HEADER + ROW.replace("2020-05-01", "5/2020"), "line 2: when must be"),
        (HEADER + ROW.replace("2020-05-01", "2020-02-30"), "line 2: when must be"),
        (HEADER + ROW.replace("2020-05-01", "0000-01"), "line 2: when must be"),
        (HEADER + ROW.replace("2020-05-01", "2020-05/2020-04"), "line 2: an observation ends before"),
        (HEADER + ROW.replace("2020-05-01", "2020-05/2021-04"), "line 2: an image cannot span"),
        (HEADER + ROW + ROW.replace("image", "photo"), "line 3: statement must be one of"),
        (HEADER + ROW.replace("yard", "shed"), "line 2: zone must be one of yard"),
        (HEADER + ROW.replace("cars", "wagons"), "line 2: unit must be one of"),
        (HEADER + ROW.replace(",5,", ",-5,"), "line 2: best must be a whole number"),
        (HEADER + ROW.replace(",5,", ",\u0665,"), "line 2: best must be a whole number"),
        (HEADER + ROW.replace(",,5,", ",9,5,"), "line 2: 0 <= low <= best"),
        (HEADER + ROW.replace(",me,", ",,"), "line 2: source must say"),
        (HEADER + ROW.replace(",me,,", ",me,javascript:x,"), "line 2: url must start"),
        (HEADER + '"2020', "line 2"),
    ],
)
def test_wrong_row_is_named(tmp_path: Path, csv: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        sites.load(write(tmp_path, csv=csv))
    assert "counts.csv" in str(caught.value)


def test_nearest_point_zone_wins_over_others_that_reach(tmp_path: Path) -> None:
    point = """
[[zones]]
id = "{id}"
title = "Point"
point = [{lon}, 47.55]
reach_m = 5000
uncertainty_m = 5
certainty = "measured"
source = "map"
"""
    zones = point.format(id="a", lon=7.64) + point.format(id="b", lon=7.66)
    site = sites.load(write(tmp_path, GOOD + zones))
    found = [site.zone_at(lon, 47.55) for lon in (7.645, 7.655)]
    assert [zone.id for zone in found if zone] == ["a", "b"]


def test_repeated_zone(tmp_path: Path) -> None:
    block = GOOD[GOOD.index("[[zones]]") : GOOD.index("[[occluders]]")]
    with pytest.raises(InputError, match=r"zones\[1\].id must be unique"):
        sites.load(write(tmp_path, GOOD + block))


@pytest.mark.parametrize("name", ["nowhere", "nowhere.toml", "", "a\0b", "x" * 5000])
def test_no_such_site(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingInput, match="give one of: khasan, tumangang"):
        sites.load(name)


def test_counts_file_missing_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path)
    (tmp_path / "counts.csv").unlink()
    with pytest.raises(MissingInput, match=r"counts\.csv"):
        sites.load(path)
    monkeypatch.setattr("railcount.sites.fields.MAX_BYTES", 10)
    with pytest.raises(InputError, match="at most 10"):
        sites.load(path)


def test_sites_and_baseline_load_the_standard_library_alone() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from railcount import sites; sites.load('tumangang')\n"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "print(sorted(new - {'railcount'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
