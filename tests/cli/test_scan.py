"""``railcount scan`` with a scan that is made up: options, outputs, exit codes."""

from __future__ import annotations

import csv
import io
import json
import logging
import sys
from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.errors import InputError, TileUnreadable
from railcount.raster.limits import Limits

from ..outputs import factories

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from railcount.counts import TileCount


class Scan:
    """Stands in for railcount.pipeline: gives the counts in turn and notes what it was asked."""

    def __init__(self) -> None:
        self.counts: list[TileCount] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def scan_tile(self, path: str, **options: Any) -> TileCount:
        self.asked.append((path, options))
        made = self.counts.pop(0) if self.counts else factories.counted()
        return replace(made, tile=path)

    def run(self, *args: object) -> Result:
        return CliRunner().invoke(cli, ["scan", *map(str, args)])


@pytest.fixture
def scan(monkeypatch: pytest.MonkeyPatch) -> Scan:
    fake = Scan()
    module = ModuleType("railcount.pipeline")
    module.scan_tile = fake.scan_tile  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "railcount.pipeline", module)
    return fake


def test_table(scan: Scan) -> None:
    result = scan.run("a.tif")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "73 railcars (70-76, 90 %) on 3 of 5 tracks" in result.stdout
    assert "\x1b" not in result.stdout
    assert scan.asked == [
        (
            "a.tif",
            {
                "tracks": None,
                "mask": None,
                "valid": None,
                "site": None,
                "date": None,
                "stock": None,
                "gsd_m": None,
                "baseline": True,
                "past": None,
                "limits": Limits(),
                "drivers": ("tiff",),
            },
        )
    ]


def test_every_option_reaches_the_library(scan: Scan) -> None:
    scan.run(
        *[
            "a.tif",
            "--tracks",
            "t.geojson",
            "--mask",
            "m.tif",
            "--valid",
            "v.tif",
            "--site",
            "tumangang",
            "--date",
            "2023-10-05",
        ],
        *["--stock", "european", "--gsd", "0.3", "--no-baseline"],
        *["--max-pixels", "1000", "--max-bands", "4", "--max-block-bytes", "2000", "--max-bytes", "3000"],
        *["--drivers", "tiff,jp2", "--drivers", "nitf", "--drivers", "tiff"],
    )
    assert scan.asked[0][1] == {
        "tracks": "t.geojson",
        "mask": "m.tif",
        "valid": "v.tif",
        "site": "tumangang",
        "date": date(2023, 10, 5),
        "stock": "european",
        "gsd_m": 0.3,
        "baseline": False,
        "past": None,
        "limits": Limits(max_pixels=1000, max_bands=4, max_block_bytes=2000, max_bytes=3000),
        "drivers": ("tiff", "jp2", "nitf"),
    }


@pytest.mark.parametrize(
    "args",
    [
        ["--gsd", "0"],
        ["--gsd", "nan"],
        ["--gsd", "inf"],
        ["--gsd", "-1"],
        ["--gsd", "half"],
        ["--date", "2023-13-01"],
        ["--date", "20231005"],
        ["--format", "xml"],
        ["--fail-on", "insufficient_history"],
        ["--max-pixels", "0"],
        ["--max-bytes", "4G"],
        ["--drivers", "png"],
        ["--drivers", ""],
        ["-o", "out.shp"],
        ["--overlay", "out.jpg"],
    ],
)
def test_bad_options_are_usage_errors_before_any_count(scan: Scan, args: list[str]) -> None:
    result = scan.run("a.tif", *args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert scan.asked == []


def test_stdout_holds_the_result_alone(scan: Scan) -> None:
    scan.counts = [factories.counted(), factories.without_count("refused")]
    document = json.loads(scan.run("a.tif", "b.tif", "--format", "json").stdout)
    assert [r["tile"] for r in document["results"]] == ["a.tif", "b.tif"]
    assert [r["status"] for r in document["results"]] == ["counted", "refused"]
    assert len(json.loads(scan.run("a.tif", "--format", "geojson").stdout)["features"]) == 30
    rows = list(csv.DictReader(io.StringIO(scan.run("a.tif", "b.tif", "--format", "csv").stdout)))
    assert [row["tile"] for row in rows] == ["a.tif", "b.tif"]


@pytest.mark.parametrize("status", factories.STATUSES_WITHOUT_COUNT)
def test_a_tile_without_a_count_is_exit_code_3(scan: Scan, status: str) -> None:
    scan.counts = [factories.counted(), factories.without_count(status)]
    assert scan.run("a.tif", "b.tif").exit_code == 3


def test_degraded_is_counted(scan: Scan) -> None:
    scan.counts = [factories.degraded()]
    assert scan.run("a.tif").exit_code == 0


@pytest.mark.parametrize(
    ("level", "fail_on", "code"),
    [
        ("unprecedented", "unprecedented", 4),
        ("unprecedented", "elevated", 4),
        ("record", "unprecedented", 0),
        ("normal", "elevated", 0),
        ("insufficient_history", "quiet", 0),
        (None, "quiet", 0),
    ],
)
def test_fail_on(scan: Scan, level: Any, fail_on: str, code: int) -> None:
    comparison = replace(factories.COMPARISON, level=level) if level else None
    scan.counts = [factories.counted(comparison=comparison)]
    assert scan.run("a.tif", "--fail-on", fail_on).exit_code == code


def test_an_alarm_comes_before_a_missing_count(scan: Scan) -> None:
    scan.counts = [factories.without_count("refused"), factories.counted()]
    assert scan.run("a.tif", "b.tif", "--fail-on", "record").exit_code == 4


def test_a_bad_option_of_the_library_is_exit_code_1(
    scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, **options: Any) -> None:
        msg = "no site is called nowhere; there is tumangang"
        raise InputError(msg)

    monkeypatch.setattr(sys.modules["railcount.pipeline"], "scan_tile", refuse)
    result = scan.run("a.tif", "--site", "nowhere")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "railcount: no site is called nowhere; there is tumangang\n"
    (tmp_path / "a.csv").write_text("old")
    words = ["b.tif", "--site", "nowhere", "-o", tmp_path / "a.csv", "--overwrite"]
    result = scan.run("a.tif", *words, "--format", "json")
    assert result.exit_code == 1
    assert [(one["tile"], one["status"], one["reasons"]) for one in json.loads(result.stdout)["results"]] == [
        (name, "failed", ["no site is called nowhere; there is tumangang"]) for name in ("a.tif", "b.tif")
    ]
    assert result.stderr == "railcount: no site is called nowhere; there is tumangang\n"
    assert (tmp_path / "a.csv").read_text() == "old"


def test_lines_that_do_not_fit_one_tile_do_not_cost_the_others(
    scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan_tile(path: str, **options: Any) -> TileCount:
        if path == "b.tif":
            raise InputError("the mask has another size")
        return scan.scan_tile(path, **options)

    monkeypatch.setattr(sys.modules["railcount.pipeline"], "scan_tile", scan_tile)
    words = ["a.tif", "b.tif", "c.tif", "--mask", "m.tif", "-o", tmp_path / "a.json"]
    result = scan.run(*words)
    assert (result.exit_code, result.stderr) == (1, "railcount: the mask has another size\n")
    assert result.stdout.count("73 railcars") == 2
    results = json.loads((tmp_path / "a.json").read_text())["results"]
    assert [one["status"] for one in results] == ["counted", "failed", "counted"]
    assert scan.run(*words, "--overwrite", "--fail-on", "record").exit_code == 4


def test_outputs_go_to_files_and_the_table_to_stdout(scan: Scan, tmp_path: Path) -> None:
    files = [tmp_path / f"out.{end}" for end in ("json", "geojson", "csv", "gpkg", "parquet")]
    result = scan.run("a.tif", *(arg for file in files for arg in ("-o", file)))
    assert result.exit_code == 0
    assert "73 railcars" in result.stdout
    assert all(file.stat().st_size > 500 for file in files)
    again = scan.run("a.tif", "-o", files[0])
    assert again.exit_code == 1
    assert "exists; choose another name or give --overwrite" in again.stderr
    assert len(scan.asked) == 1, "the count must not be made and then lost"
    assert scan.run("a.tif", "-o", files[0], "--overwrite").exit_code == 0


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for the drawing; tiles called bad cannot be opened."""
    pictures: list[str] = []

    def open_tile(path: str, **options: Any) -> Any:
        if "bad" in path:
            msg = "the header is damaged\x07"
            raise TileUnreadable(msg)
        changed = {"sha256": "ef" * 32} if "changed" in path else {}
        return replace(factories.tile(), **changed)

    def draw_overlay(count: Any, tile: Any, path: Path, *, overwrite: bool) -> None:
        pictures.append(f"{count.tile} {path.name} {overwrite}")

    monkeypatch.setattr("railcount.raster.open_tile", open_tile, raising=False)
    monkeypatch.setattr("railcount.outputs.overlay.draw_overlay", draw_overlay)
    return pictures


def test_one_overlay(scan: Scan, drawn: list[str], tmp_path: Path) -> None:
    assert scan.run("a.tif", "--overlay", tmp_path / "a.png").exit_code == 0
    assert drawn == ["a.tif a.png False"]
    result = scan.run("changed.tif", "--overlay", tmp_path / "b.png")
    assert (result.exit_code, drawn) == (0, ["a.tif a.png False"])
    assert result.stderr == "railcount: no picture for changed.tif: it changed since it was counted\n"


def test_overlays_of_several_tiles_go_to_a_folder(scan: Scan, drawn: list[str], tmp_path: Path) -> None:
    scan.counts = [factories.counted(), factories.without_count("failed")]
    result = scan.run("x/a.tif", "bad.tif", "--overlay", tmp_path, "--overwrite")
    assert result.exit_code == 3
    assert drawn == ["x/a.tif a.png True"]
    assert result.stderr == "railcount: no picture for bad.tif: the header is damaged\\x07\n"
    assert scan.run("a.tif", "b.tif", "--overlay", tmp_path / "no.png").exit_code == 2
    same = scan.run("x/a.tif", "y/a.tif", "--overlay", tmp_path)
    assert same.exit_code == 2
    assert "same name" in same.stderr


def test_a_real_overlay(scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("railcount.raster.open_tile", lambda path, **o: factories.tile(), raising=False)
    assert scan.run("a.tif", "--overlay", tmp_path / "a.png").exit_code == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_strips_go_to_a_picture_of_their_own(scan: Scan, drawn: list[str], tmp_path: Path) -> None:
    scan.counts = [factories.counted(with_strips=True), factories.without_count("failed")]
    result = scan.run("x/a.tif", "bad.tif", "--overlay", tmp_path, "--strips", tmp_path)
    assert result.exit_code == 3
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == ["a_strips.png", "bad_strips.png"]
    assert (tmp_path / "a_strips.png").read_bytes().startswith(b"\x89PNG")
    assert drawn == ["x/a.tif a.png False"]
    asked = len(scan.asked)
    assert "exists" in scan.run("a.tif", "--strips", tmp_path / "a_strips.png").stderr
    assert scan.run("a.tif", "--strips", tmp_path / "a.jpg").exit_code == 2
    same = scan.run("a.tif", "--strips", tmp_path / "b.png", "--overlay", tmp_path / "b.png")
    assert (same.exit_code, len(scan.asked)) == (2, asked)


def test_letters_that_stdout_lacks_are_escaped(scan: Scan) -> None:
    result = CliRunner(charset="ascii").invoke(cli, ["scan", "두.tif"])
    assert result.exit_code == 0
    assert r"\ub450.tif" in result.stdout


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([], [], ["warned"]),
        (["-v"], [], ["told", "warned"]),
        (["--verbose"], [], ["told", "warned"]),
        ([], ["--quiet"], []),
        ([], ["-v"], ["told", "warned"]),
        (["-v"], ["-v"], ["whispered", "told", "warned"]),
        ([], ["-q"], []),
        (["-v"], ["-q"], ["warned"]),
    ],
)
def test_verbosity(
    scan: Scan, monkeypatch: pytest.MonkeyPatch, before: list[str], after: list[str], said: list[str]
) -> None:
    log = logging.getLogger("railcount.anything")

    def talk(path: str, **options: Any) -> TileCount:
        log.debug("whispered\x1b")
        log.info("told\x1b")
        log.warning("warned\x1b")
        return factories.counted()

    monkeypatch.setattr(sys.modules["railcount.pipeline"], "scan_tile", talk)
    result = CliRunner().invoke(cli, [*before, "scan", *after, "a.tif"])
    assert result.stderr.splitlines() == [f"railcount: {word}\\x1b" for word in said]
    assert "73 railcars" in result.stdout


@pytest.mark.parametrize("option", ["-o", "--overlay", "--strips"])
def test_an_output_that_is_an_input_is_refused(scan: Scan, tmp_path: Path, option: str) -> None:
    given = tmp_path / ("mine.geojson" if option == "-o" else "a.png")
    given.write_bytes(b"mine")
    result = scan.run("a.tif", "--tracks", given, option, given, "--overwrite")
    assert result.exit_code == 1
    assert f"the output {given} is also the input {given}" in result.stderr
    assert (scan.asked, given.read_bytes()) == ([], b"mine")


def test_a_history_tells_what_was_counted_before(scan: Scan, tmp_path: Path) -> None:
    from railcount.history import History
    from railcount.sites import load

    with History.open(tmp_path / "h.sqlite"):
        pass
    scan.run("a.tif", "--history", str(tmp_path / "h.sqlite"))
    assert scan.asked[0][1]["past"](load("tumangang")) == ()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.mkdir(), "is not a regular file; name another file with --history"),
        (lambda path: path.write_text("text"), "is not an SQLite file"),
        (lambda path: None, "there is no history at"),
    ],
)
def test_a_history_that_cannot_be_read_is_said_before_counting(
    scan: Scan, tmp_path: Path, make: Callable[[Path], object], words: str
) -> None:
    make(tmp_path / "h.sqlite")
    result = scan.run("a.tif", "--history", tmp_path / "h.sqlite")
    assert (result.exit_code, scan.asked) == (1, [])
    assert words in result.stderr


def test_a_history_of_a_newer_railcount_is_said_before_counting(scan: Scan, tmp_path: Path) -> None:
    import sqlite3

    from railcount.history import History

    History.open(tmp_path / "h.sqlite").close()
    with sqlite3.connect(tmp_path / "h.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    result = scan.run("a.tif", "--history", tmp_path / "h.sqlite")
    assert (result.exit_code, scan.asked) == (1, [])
    assert "newer railcount" in result.stderr
