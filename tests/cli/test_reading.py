"""Options that say which files may be read: end to end, on files that are small but over a limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.raster.limits import Driver
from railcount.raster.safety import GDAL_DRIVERS

from ..raster import factories

if TYPE_CHECKING:
    from pathlib import Path

# 80 x 60 pixels with 3 bands of 8 bit: strips of 34 rows, GDAL's choice for this width.
OVER = [
    ("--max-pixels", 4800),
    ("--max-bands", 3),
    ("--max-block-bytes", 80 * 34 * 3),
    ("--max-bytes", 14_400),
]


def scan(*args: object) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(cli, ["scan", *map(str, args), "--format", "json"])
    assert result.exit_code in {0, 3}, result.output
    (tile,) = json.loads(result.stdout)["results"]
    return result.exit_code, tile


@pytest.mark.parametrize(("option", "needed"), OVER)
def test_a_file_over_a_limit_is_refused_and_the_message_names_the_way_out(
    tmp_path: Path, option: str, needed: int
) -> None:
    path = factories.write_tif(tmp_path / "a.tif", factories.picture(), interleave="pixel")
    code, tile = scan(path, option, needed - 1)
    assert (code, tile["status"], tile["railcars"]) == (3, "refused", None)
    assert f"the limit is {needed - 1:,}" in tile["reasons"][0]
    assert tile["reasons"][0].endswith(f"raise the limit with {option}")
    assert scan(path, option, needed)[1]["status"] not in {"refused", "failed"}


def test_a_kind_of_file_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    path = factories.write_tif(tmp_path / "a.jp2", driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES")
    code, tile = scan(path)
    assert (code, tile["status"]) == (3, "refused")
    assert tile["reasons"][0].endswith("ask for it with --drivers tiff,jp2")
    assert scan(path, "--drivers", "tiff,jp2")[1]["status"] not in {"refused", "failed"}
    assert scan(path, "--drivers", "nitf", "--drivers", "jp2")[1]["status"] not in {"refused", "failed"}


def test_the_picture_is_drawn_under_the_same_limits(tmp_path: Path) -> None:
    path = factories.write_tif(tmp_path / "a.jp2", driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES")
    scan(path, "--drivers", "jp2", "--overlay", tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 0


def test_tracks_takes_the_same_options(tmp_path: Path) -> None:
    path = factories.write_tif(tmp_path / "a.tif")
    result = CliRunner().invoke(cli, ["tracks", str(path), "--max-pixels", "4799"])
    assert result.exit_code == 1
    assert result.stderr.strip().endswith("raise the limit with --max-pixels")
    assert CliRunner().invoke(cli, ["tracks", str(path), "--max-pixels", "4800"]).exit_code == 0


def test_dates_that_disagree_reach_programs_and_leave_the_status(tmp_path: Path) -> None:
    tags = {"TIFFTAG_DATETIME": "2023:10:05 02:11:00"}
    alone = scan(factories.write_tif(tmp_path / "a.tif", tags=tags))
    named = scan(factories.write_tif(tmp_path / "20221003_011846_ssc8_u0001_visual.tif", tags=tags))
    assert (named[0], named[1]["status"]) == (alone[0], alone[1]["status"])
    (more,) = set(named[1]["reasons"]) - set(alone[1]["reasons"])
    assert more == "the date 2023-10-05 is from the TIFF tag, but the file name says 2022-10-03"


def test_every_kind_has_its_gdal_driver() -> None:
    assert set(GDAL_DRIVERS) == set(get_args(Driver))


@pytest.mark.parametrize("command", ["scan", "tracks"])
def test_they_stand_last_in_help(command: str) -> None:
    text = CliRunner().invoke(cli, [command, "--help"]).stdout
    shown = [text.index(f"  {option} ") for option, _ in OVER] + [text.index("  --drivers ")]
    assert shown == sorted(shown)
    assert text.index("  --overwrite ") < shown[0]
