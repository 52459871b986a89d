"""``railcount history`` as an analyst meets it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from pyogrio import list_layers, raw

from railcount.cli.history import history as group
from railcount.cli.main import cli
from railcount.history import History
from railcount.outputs.columns import HISTORY_CARS, HISTORY_TRACKS

from .factories import KEY, car, observation, one_pass, tile, uncounted

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "when,statement,zone,unit,low,best,high,qualifier,sensor,source,url,notes\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a history that is the default one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAILCOUNT_HISTORY", str(tmp_path / "history.sqlite"))
    with History.open() as opened:
        a, b = tile("a.tif", n=40), uncounted("b.tif")
        late = uncounted("c.tif", acquired=dt.date(2024, 6, 17), site=None, simulated=True)
        for record in (a, b, late):
            opened.record_tile(record, key=KEY)
        opened.record_pass(one_pass(a, b, pass_id="one"), key=KEY)
        opened.record_pass(one_pass(late, pass_id="two"), key=KEY)
        opened.add_hand_count("one", best=43, low=42, high=44, who="Ana", why="shadow")
        opened.add_counts("tumangang", [observation(qualifier="about")])
    return tmp_path


def run(*arguments: str, code: int = 0, given: str | None = None) -> Any:
    result = CliRunner().invoke(cli, ["history", *arguments], input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_list(folder: Path) -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["day", "site", "railcars", "by", "hand", "status", "tiles", "pass"]
    assert re.sub(" +", " ", lines[1]) == "2023-10-05 tumangang 40 (39-42) 43 (42-44) counted 2 one"
    assert re.sub(" +", " ", lines[2]) == "2024-06-17 - no count - uncountable 1 two (simulated)"
    assert len(run("list", "--site", "tumangang").stdout.splitlines()) == 2
    assert len(run("list", "--since", "2024-01-01").stdout.splitlines()) == 2
    assert run("list", "--until", "2023-10-04").stdout == "no passes\n"
    backwards = run("list", "--since", "2023-10-05", "--until", "2023-10-04", code=2)
    assert "2023-10-05 is after --until 2023-10-04" in backwards.stderr
    run("list", "--until", "2023-10-05", "--since", "2023-10-05")


def test_a_site_that_is_nowhere_and_one_that_is_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["list"], ["list", "--counts"], ["export", "-o", "o.csv"]):
        unknown = run(*words, "--site", "tumangan", code=1)
        assert unknown.stdout == ""
        assert "no site 'tumangan'; give one of: khasan, tumangang" in unknown.stderr
    with History.open() as opened:
        record = tile("d.tif", site="gone")
        opened.record_tile(record, key=KEY)
        opened.record_pass(one_pass(record, pass_id="three"), key=KEY)
        opened.add_counts("sold", [observation()])
    gone = run("list", "--site", "gone")
    assert gone.stdout.splitlines()[1].endswith("three")
    assert "no site 'gone'" in gone.stderr
    assert "VOA" in run("list", "--site", "sold", "--counts").stdout
    monkeypatch.setenv("RAILCOUNT_HISTORY", "none.sqlite")
    assert "no site 'gone'" in run("list", "--site", "gone", code=1).stderr


def test_list_as_rows(folder: Path) -> None:
    (one, two) = rows(run("list", "--format", "csv").stdout)
    assert (one["pass"], one["railcars_best"], one["hand_best"], one["hand_who"]) == (
        "one",
        "40",
        "43",
        "Ana",
    )
    assert (two["railcars_best"], two["hand_best"], two["credit"]) == ("", "", "Planet Labs (simulated)")
    assert two["reasons"] == "cloud over the tracks"
    document = json.loads(run("list", "--format", "json").stdout)
    assert [p["railcars_low"] for p in document["passes"]] == [39, None]
    assert document["schema_version"] == 1


def test_list_counts(folder: Path) -> None:
    lines = run("list", "--counts").stdout.splitlines()
    assert re.match(r"count-1  2023-10-05  tumangang  hand  43 \(42-44\) cars", lines[0])
    assert "of pass one  [by Ana, shadow]" in lines[0]
    assert 'published  73 (70-76) cars ("about"), VOA' in lines[1]
    (_, published) = rows(run("list", "--counts", "--format", "csv").stdout)
    assert (published["best"], published["qualifier"], published["pass"]) == ("73", "about", "")
    assert published["simulated"] == "no"
    assert len(json.loads(run("list", "--counts", "--format", "json").stdout)["counts"]) == 2
    assert run("list", "--counts", "--site", "khasan").stdout == "no published or hand counts\n"


def test_list_without_a_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAILCOUNT_HISTORY", str(tmp_path / "none.sqlite"))
    result = run("list")
    assert result.stdout == "no passes\n"
    assert "no history yet" in result.stderr
    assert json.loads(run("list", "--format", "json").stdout)["passes"] == []
    assert "there is no history" in run("list", "--history", str(tmp_path / "typo.sqlite"), code=1).stderr
    for words in (
        ["show", "x"],
        ["check"],
        ["remove", "x", "--yes"],
        ["hand", "x", "--count", "1"],
        ["upgrade"],
    ):
        assert "there is no history" in run(*words, code=1).stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("which", ["one", "2023-10-05"])
def test_show(folder: Path, which: str) -> None:
    text = run("show", which).stdout
    for words in (
        "acquired  2023-10-05T03:00:00Z",
        "railcars  40 (39-42)",
        "by hand   43 (42-44), in place of the machine's",
        "credit    Planet Labs",
        "seen      97% of 812 m of track",
        "archive/2023-10-05/a.tif: counted, 40 (39-42)",
        "archive/2023-10-05/b.tif: uncountable, no count",
        "cloud over the tracks",
        "[by Ana, shadow]",
    ):
        assert words in text
    # A published count is of a day, and of no pass.
    assert ("VOA" in text) == (which != "one")


def test_show_as_json(folder: Path) -> None:
    document = json.loads(run("show", "2023-10-05", "--format", "json").stdout)
    (one,) = document["passes"]
    assert one["railcars"] == {"best": 40, "low": 39, "high": 42, "level": 0.9}
    assert (one["hand"]["best"], one["hand"]["who"]) == (43, "Ana")
    assert [t["status"] for t in one["tiles"]] == ["counted", "uncountable"]
    assert len(one["cars"]) == 40
    assert one["cars"][0]["ring"][0] == [130.62, 42.4187]
    assert [count["source"] for count in document["counts"]] == ["VOA"]


def test_show_what_is_not_there(folder: Path) -> None:
    for which in ("three", "1999-01-01", "2023-13-45", "'; DROP TABLE passes"):
        assert "history list" in run("show", which, code=1).stderr


def test_export_csv(folder: Path) -> None:
    run("export", "-o", "out.csv")
    text = (folder / "out.csv").read_text("utf-8")
    assert text == run("list", "--format", "csv").stdout
    run("export", "-o", "out.csv", code=1)
    run("export", "-o", "out.csv", "--overwrite", "--site", "tumangang")
    assert [one["pass"] for one in rows((folder / "out.csv").read_text("utf-8"))] == ["one"]


def test_export_json(folder: Path) -> None:
    run("export", "-o", "out.json")
    document = json.loads((folder / "out.json").read_text("utf-8"))
    assert [one["id"] for one in document["passes"]] == ["one", "two"]
    assert [len(one["cars"]) for one in document["passes"]] == [40, 0]
    assert [one["simulated"] for one in document["passes"]] == [False, True]
    assert [len(one["counts"]) for one in document["passes"]] == [1, 0]
    assert len(document["counts"]) == 1


def test_export_geojson(folder: Path) -> None:
    run("export", "-o", "out.geojson")
    document = json.loads((folder / "out.geojson").read_text("utf-8"))
    assert len(document["features"]) == 40
    feature = document["features"][2]
    assert list(feature["properties"]) == list(HISTORY_CARS)
    assert feature["properties"]["pass"] == "one"
    assert feature["properties"]["acquired"] == "2023-10-05T03:00:00Z"
    assert feature["properties"]["credit"] == "Planet Labs"
    shape = shapely.geometry.shape(feature["geometry"])
    assert shape.is_valid
    assert shape.exterior.is_ccw
    assert set(shape.exterior.coords) == set(car(2).ring)
    assert document["coordinate_frame"] == "WGS 84 lon/lat"


def test_export_geopackage(folder: Path) -> None:
    run("export", "-o", "out.gpkg")
    assert list_layers(folder / "out.gpkg")[:, 0].tolist() == ["railcars", "tracks", "passes", "layer_styles"]

    def read(layer: str) -> tuple[Any, Any, dict[str, Any]]:
        meta, _, shapes, columns = raw.read(folder / "out.gpkg", layer=layer)
        return meta["crs"], shapes, dict(zip(meta["fields"], columns, strict=True))

    crs, shapes, cars = read("railcars")
    assert crs == "EPSG:4326"
    assert set(shapely.get_coordinates(shapely.from_wkb(shapes[3])).ravel()) == {
        v for p in car(3).ring for v in p
    }
    assert cars["pass"].tolist() == ["one"] * 40
    assert list(cars) == list(HISTORY_CARS)
    assert np.isnan(cars["covered"][0])  # it cannot be told
    assert cars["covered"].tolist()[1:3] == [True, False]
    assert (cars["site"][0], cars["credit"][0]) == ("tumangang", "Planet Labs")
    _, lines, tracks = read("tracks")
    assert list(tracks) == list(HISTORY_TRACKS)
    assert shapely.get_coordinates(shapely.from_wkb(lines[0])).tolist() == [[1, 2], [3, 4]]
    assert len(lines) == 3
    _, _, passes = read("passes")
    assert passes["pass"].tolist() == ["one", "two"]
    assert passes["hand_best"].tolist()[0] == 43
    first = (folder / "out.gpkg").read_bytes()
    run("export", "-o", "out.gpkg", "--overwrite")
    assert (folder / "out.gpkg").read_bytes() == first


@pytest.mark.parametrize("target", ["out.geojson", "out.gpkg", "out.parquet"])
def test_degrees_and_pixels_do_not_mix(folder: Path, target: str) -> None:
    record = tile("p.tif", pixels=True, acquired=dt.date(2020, 1, 1), site=None)
    with History.open() as opened:
        opened.record_tile(record, key=KEY)
        opened.record_pass(one_pass(record, pass_id="pixels"), key=KEY)
    assert "degrees and pixels" in run("export", "-o", target, code=1).stderr
    assert not (folder / target).exists()
    run("export", "-o", target, "--until", "2020-12-31")
    assert (folder / target).stat().st_size > 0


def test_export_of_nothing(folder: Path) -> None:
    for target in ("o.csv", "o.json", "o.geojson", "o.gpkg", "o.parquet"):
        run("export", "-o", target, "--site", "khasan")
    assert json.loads((folder / "o.geojson").read_text("utf-8"))["features"] == []
    assert len(list_layers(folder / "o.gpkg")) == 4


@pytest.mark.parametrize("target", ["out.txt", "out", ".csv/x"])
def test_export_to_something_else(folder: Path, target: str) -> None:
    run("export", "-o", target, code=2)


def test_no_output_replaces_the_history(folder: Path) -> None:
    before = (folder / "history.sqlite").read_bytes()
    (folder / "link.csv").symlink_to("history.sqlite")
    assert "also the input" in run("export", "-o", "link.csv", "--overwrite", code=1).stderr
    assert "also the input" in run("backup", "history.sqlite", "--overwrite", code=1).stderr
    assert (folder / "history.sqlite").read_bytes() == before


def test_import_twice(folder: Path) -> None:
    line = "2024-06-17,image,complex,cars,255,255,255,,SkySat,CSIS,https://example.org,\n"
    (folder / "c.csv").write_text(HEADER + line, "utf-8")
    arguments = ("import", "c.csv", "--site", "tumangang")
    assert "1 added, 0 there already" in run(*arguments).stderr
    assert "0 added, 1 there already" in run(*arguments).stderr
    with History.open(readonly=True) as opened:
        assert [one.best for one in opened.observations("tumangang") if one.source == "CSIS"] == [255]


def test_import_by_hand(folder: Path) -> None:
    (folder / "c.csv").write_text(f"{HEADER}2023-10-05,image,,cars,70,71,72,,,me,,\n", "utf-8")
    run("import", "c.csv", "--site", "tumangang", "--method", "hand", "--who", "Ben", "--why", "by eye")
    with History.open(readonly=True) as opened:
        stored = list(opened.counts())[-1]
    assert (stored.observation.method, stored.who, stored.why) == ("hand", "Ben", "by eye")
    assert stored.at is not None
    assert stored.at.tzinfo is not None


def test_import_of_a_table_with_the_least(folder: Path) -> None:
    (folder / "c.csv").write_text("when,best\n2023-10-07,71\n", "utf-8")
    assert "source must say" in run("import", "c.csv", "--site", "tumangang", code=1).stderr
    run("import", "c.csv", "--site", "tumangang", "--method", "hand", "--who", "Ben")
    with History.open(readonly=True) as opened:
        observed = list(opened.counts())[-1].observation
    assert (observed.source, observed.best, observed.unit, observed.statement) == ("Ben", 71, "cars", "image")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", HEADER + "2023-10-05,image,atlantis,cars,1,1,1,,,x,,\n"])
def test_import_of_something_else(folder: Path, text: str) -> None:
    (folder / "c.csv").write_text(text, "utf-8")
    before = run("check", "--digest").stdout
    assert "c.csv" in run("import", "c.csv", "--site", "tumangang", code=1).stderr
    assert run("check", "--digest").stdout == before


def test_hand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "claire")
    run("hand", "one", "--count", "50")
    assert "  50  " in run("list").stdout.splitlines()[1]
    assert "by claire" in run("list", "--counts").stdout
    assert "0 <= low" in run("hand", "one", "--count", "5", "--low", "6", code=1).stderr
    assert "no pass" in run("hand", "three", "--count", "5", code=1).stderr
    run("hand", "one", "--count", "-5", code=2)


def test_a_day_names_its_only_pass(folder: Path) -> None:
    said = run("hand", "2023-10-05", "--count", "50").stderr
    assert said == "railcount: one: 50 by hand, in place of the machine's 40\n"
    assert "  50  " in run("list").stdout.splitlines()[1]
    assert "there is no pass of 2023-10-06" in run("hand", "2023-10-06", "--count", "5", code=1).stderr
    with History.open() as opened:
        other = tile("d.tif", n=4)
        opened.record_tile(other, key=KEY)
        opened.record_pass(one_pass(other, pass_id="three"), key=KEY)
    said = run("remove", "2023-10-05", "--yes", code=1).stderr
    assert "2 passes of 2023-10-05; give one of: one, three" in said
    run("remove", "three", "--yes")
    assert run("remove", "2023-10-05", "--yes").stderr == "railcount: removed one and 2 hand counts of it\n"


def test_remove_asks(folder: Path) -> None:
    result = run("remove", "one", code=1, given="n\n")
    assert "Remove one and 1 hand count of it for good?" in result.stderr
    assert "Remove" not in result.stdout
    assert "one" in run("list").stdout
    run("remove", "one", given="y\n")
    run("remove", "two", "--yes")
    assert run("list").stdout == "no passes\n"
    run("remove", "count-2", "--yes")
    assert run("list", "--counts").stdout == "no published or hand counts\n"
    for which in ("one", "count-2", "count-x"):
        assert "there is no" in run("remove", which, "--yes", code=1).stderr


def test_backup_and_check(folder: Path) -> None:
    run("backup", "copy.sqlite")
    run("backup", "copy.sqlite", code=1)
    run("backup", "copy.sqlite", "--overwrite")
    assert run("check").stdout == "sound\n"
    digest = run("check", "--digest").stdout
    assert re.fullmatch(r"[0-9a-f]{64}\n", digest)
    assert run("check", "--digest", "--history", "copy.sqlite").stdout == digest


def test_check_exits_with_1(folder: Path) -> None:
    with History.open() as opened:
        opened._connection.execute("UPDATE tiles SET record = '{}' WHERE path LIKE '%a.tif'")
    result = run("check", code=1)
    assert result.stdout == ""
    assert "cannot be read" in result.stderr
    assert "restore a backup" in result.stderr


def test_upgrade(folder: Path) -> None:
    before = run("check", "--digest").stdout
    run("upgrade")
    assert run("check", "--digest").stdout == before


NASTY = "=cmd|'/c calc'!A0\x1b[2J\u202e\udcff.tif"


def test_hostile_names(folder: Path) -> None:
    record = tile(
        NASTY, acquired=dt.date(2022, 1, 1), site=None, sensor=NASTY, credit=NASTY, reasons=(NASTY,)
    )
    with History.open() as opened:
        opened.record_tile(record, key=KEY)
        opened.record_pass(one_pass(record, pass_id=NASTY), key=KEY)
        opened.add_hand_count(NASTY, best=1, who=NASTY, why=NASTY)
    for words in (
        ["list"],
        ["list", "--counts"],
        ["show", "2022-01-01"],
        ["show", NASTY],
        ["list", "--format", "csv"],
    ):
        text = run(*words).stdout
        assert "calc" in text
        assert all(c.isprintable() or c == "\n" for c in text), words
    for target in ("o.csv", "o.json", "o.geojson", "o.gpkg", "o.parquet"):
        run("export", "-o", target)
    nasty = rows((folder / "o.csv").read_text("utf-8"))[0]
    assert nasty["pass"].startswith("'=cmd")
    assert nasty["hand_who"].startswith("'=cmd")
    assert json.loads((folder / "o.json").read_text("utf-8"))["passes"][0]["id"].startswith("=cmd")
    run("remove", NASTY, "--yes")


def test_a_history_of_an_odd_name(folder: Path) -> None:
    odd = os.fsdecode(b"h ?#% \xff.sqlite")
    run("backup", odd)
    assert len(run("list", "--history", odd).stdout.splitlines()) == 3


def test_every_command_shows_an_example_that_parses() -> None:
    for name, command in group.commands.items():
        text = run(name, "--help").stdout
        assert f"Example: railcount history {name} " in f"{text.replace(chr(10), ' ')} ", name
        assert command.get_short_help_str()
