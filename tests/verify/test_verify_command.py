"""``railcount verify``: verdicts, exit codes, and what --update writes. Counting is a stand-in but once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner, Result
from rasterio.windows import Window

from railcount import verify as verifying
from railcount.cli.main import cli
from railcount.counts import Interval, Status, TileCount
from railcount.expected import read_expected

HEAD = "tile,count,tolerance,status\n"
SAMPLES = Path(__file__).resolve().parents[2] / "sample_tiles"
Found = dict[str, int | Status]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    """What each tile gives, by its name: a count, or a status without one."""
    given: Found = {}

    def scan_tile(path: Path, **how: Any) -> TileCount:
        assert how["baseline"] is False
        value = given[path.name]
        if isinstance(value, str):
            return TileCount(tile=str(path), sha256=None, status=value, reasons=(f"it is {value}",))
        cars = Interval(best=value, low=max(value - 1, 0), high=value + 1)
        return TileCount(tile=str(path), sha256=None, status="counted", railcars=cars)

    monkeypatch.setattr("railcount.pipeline.scan_tile", scan_tile)
    return given


def tiles(folder: Path, *names: str, table: str | None = None) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"II*\x00")
    if table is not None:
        (folder / "expected.csv").write_text(table, encoding="utf-8")
    return folder


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, ["verify", *map(str, args)])


def document(*args: object) -> tuple[int, dict[str, Any]]:
    result = run(*args, "--format", "json")
    return result.exit_code, json.loads(result.stdout)


def test_all_as_expected(tmp_path: Path, found: Found) -> None:
    found |= {"a.tif": 75, "b.tif": "uncountable", "c.TIF": 0}
    tiles(tmp_path, "a.tif", "x/y/b.tif", "c.TIF")
    tiles(tmp_path, table=HEAD + "c.TIF,0,0,counted\na.tif,73,2,counted\nx/y/b.tif,,,uncountable\n")
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "tile       expected  counted     difference  status       verdict",
        "c.TIF             0  0 (0-1)              0  counted      as expected",
        "a.tif        73 +-2  75 (74-76)          +2  counted      as expected",
        "x/y/b.tif         -  -                    -  uncountable  as expected",
        "",
        "3 tiles, all as expected.",
    ]
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("row", "gives", "verdict"),
    [
        ("a.tif,73,0,counted", 74, "count_differs"),
        ("a.tif,73,2,counted", 70, "count_differs"),
        ("a.tif,73,2,degraded", 73, "status_differs"),
        ("a.tif,73,2,counted", "uncountable", "status_differs"),
        ("a.tif,,,uncountable", 0, "status_differs"),
        ("a.tif,,,uncountable", "no_data", "status_differs"),
        ("b.tif,1,1,counted", 1, "tile_missing"),
    ],
)
def test_a_difference_is_exit_code_4(
    tmp_path: Path, found: Found, row: str, gives: int | Status, verdict: str
) -> None:
    found["a.tif"] = gives
    tiles(tmp_path, "a.tif", table=HEAD + row + "\n")
    code, said = document(tmp_path)
    assert (code, said["tiles"][0]["verdict"]) == (4, verdict)


def test_a_tile_that_the_table_does_not_name(tmp_path: Path, found: Found) -> None:
    found |= {"a.tif": 1, "new.tif": "refused"}
    tiles(tmp_path, "a.tif", "new.tif", "a_udm2.tif", "a.txt", table=HEAD + "a.tif,1,0,counted\n")
    result = run(tmp_path)
    assert result.exit_code == 4
    assert result.stdout.splitlines()[2:] == [
        "new.tif         -  -                 -  refused  not in the table",
        "",
        "new.tif: it is refused",
        f"1 of 2 tiles differs from {tmp_path / 'expected.csv'}: 1 x not in the table.",
    ]


def test_the_document(tmp_path: Path, found: Found) -> None:
    found |= {"a.tif": 3}
    tiles(tmp_path, "a.tif", table=HEAD + "a.tif,1,1,counted\nb.tif,,,no_data\n")
    code, said = document(tmp_path)
    assert code == 4
    assert (said["n_tiles"], said["n_different"], said["updated"]) == (2, 2, None)
    assert said["tiles"][0] == {
        "tile": "a.tif",
        "verdict": "count_differs",
        "difference": 2,
        "expected": {"count": 1, "tolerance": 1, "status": "counted"},
        "measured": {
            "status": "counted",
            "railcars": {"best": 3, "low": 2, "high": 4, "level": 0.9},
            "reasons": [],
        },
    }
    assert said["tiles"][1]["measured"] is None


def test_update_writes_what_differs_and_nothing_else(tmp_path: Path, found: Found) -> None:
    found |= {"a.tif": 74, "b.tif": 9, "new.tif": 2}
    table = "# mine\nnote,tile,count,tolerance,status\nkeep,a.tif,73,1,counted\n,b.tif,5,3,counted\n"
    tiles(tmp_path, "a.tif", "b.tif", "new.tif", table=table + ",c.tif,,,no_data\n")
    result = run(tmp_path, "--update")
    assert result.exit_code == 0, result.output
    assert "1 row changed, 1 row added, 1 row removed" in result.stdout
    assert (tmp_path / "expected.csv").read_text() == (
        "# mine\nnote,tile,count,tolerance,status\nkeep,a.tif,73,1,counted\n,b.tif,9,3,counted\n"
        ",new.tif,2,0,counted\n"
    )
    assert run(tmp_path).exit_code == 0
    before = (tmp_path / "expected.csv").stat().st_mtime_ns
    again = run(tmp_path, "--update")
    assert (again.exit_code, (tmp_path / "expected.csv").stat().st_mtime_ns) == (0, before)
    assert "left as it was" in again.stdout


def test_update_makes_a_table(tmp_path: Path, found: Found) -> None:
    found |= {"a.tif": 0, "b.tif": 2}
    tiles(tmp_path, "b.tif", "1/a.tif")
    assert run(tmp_path, "--update").exit_code == 0
    assert (tmp_path / "expected.csv").read_text() == HEAD + "1/a.tif,0,0,counted\nb.tif,2,0,counted\n"


@pytest.mark.parametrize(("row", "code"), [("a.tif,1,0,counted", 3), ("a.tif,,0,no_data", 0), ("", 3)])
def test_update_says_where_a_count_was_lost(tmp_path: Path, found: Found, row: str, code: int) -> None:
    found["a.tif"] = "uncountable"
    tiles(tmp_path, "a.tif", table=HEAD + row + "\n")
    assert run(tmp_path, "--update").exit_code == code
    assert "a.tif,,0,uncountable" in (tmp_path / "expected.csv").read_text()


def test_a_name_that_no_table_can_hold_is_told_before_counting(tmp_path: Path, found: Found) -> None:
    tiles(tmp_path, "a\\b.tif")  # a stand-in that knows no tile would raise KeyError
    result = run(tmp_path, "--update")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "forward slashes" in result.stderr
    assert not (tmp_path / "expected.csv").exists()


def test_nothing_to_verify_does_not_pass(tmp_path: Path) -> None:
    for args, words in (
        ((tmp_path,), "--update writes it"),
        ((tmp_path, "--update"), "nothing to verify"),
        ((tmp_path / "none",), "a folder of tiles is required"),
        ((tiles(tmp_path / "empty", "x.txt", table=HEAD),), "nothing to verify"),
    ):
        result = run(*args)
        assert (result.exit_code, result.stdout) == (1, "")
        assert words in result.stderr


def test_a_wrong_row_is_an_error_before_anything_is_counted(tmp_path: Path, found: Found) -> None:
    tiles(tmp_path, "a.tif", table=HEAD + "../a.tif,1,0,counted\n")
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "line 2: tile must stay in the folder" in result.stderr


def test_names_are_shown_safely(tmp_path: Path, found: Found) -> None:
    found["a\x1b[2J.tif"] = 1
    tiles(tmp_path, "a\x1b[2J.tif", table=HEAD)
    result = run(tmp_path)
    assert result.exit_code == 4
    assert "\x1b" not in result.output


def test_tracks_of_a_row_are_used_and_options_reach_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def scan_tile(path: Path, **how: Any) -> TileCount:
        asked.update(how)
        return TileCount(tile=str(path), sha256=None, status="no_data")

    monkeypatch.setattr("railcount.pipeline.scan_tile", scan_tile)
    table = "tile,count,tolerance,status,tracks\na.tif,,,no_data,lines/a.geojson\n"
    tiles(tmp_path, "a.tif", "lines/a.geojson", table=table)
    result = run(tmp_path, "--gsd", "0.3", "--stock", "european", "--max-pixels", "77")
    assert result.exit_code == 0, result.output
    assert asked["tracks"] == tmp_path / "lines/a.geojson"
    assert (asked["gsd_m"], asked["stock"], asked["limits"].max_pixels) == (0.3, "european", 77)


def test_workers_give_what_one_process_gives(tmp_path: Path) -> None:
    tiles(tmp_path, "a.tif", "b.tif", table=HEAD + "a.tif,,,failed\nb.tif,,,failed\nc.tif,1,0,counted\n")
    jobs = verifying.jobs_of(tmp_path, read_expected(tmp_path))
    alone = list(verifying.run(jobs))
    assert list(verifying.run(jobs, n_workers=2)) == alone
    assert [one.verdict for one in alone] == ["as_expected", "as_expected", "tile_missing"]


def test_a_real_tile_with_no_tolerance(tmp_path: Path) -> None:
    (source_path,) = SAMPLES.glob("2023-10-05/*_visual.tif")
    with rasterio.open(source_path) as source:
        window, t = Window(300, 60, 500, 300), source.transform
        moved = Affine(t.a, 0.0, t.c + window.col_off * t.a, 0.0, t.e, t.f + window.row_off * t.e)
        profile = source.profile | {"width": window.width, "height": window.height, "transform": moved}
        with rasterio.open(tmp_path / "crop.tif", "w", **profile) as target:
            target.write(source.read(window=window))
    assert run(tmp_path, "--update").exit_code == 0
    (row,) = read_expected(tmp_path).rows
    assert row.count is not None
    assert row.count > 5
    assert row.tolerance == 0
    table = tmp_path / "expected.csv"
    table.write_text(table.read_text().replace(f",{row.count},0,", f",{row.count + 1},0,"))
    code, said = document(tmp_path)
    assert (code, said["tiles"][0]["difference"]) == (4, -1)
