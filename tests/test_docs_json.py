"""docs/JSON.md: what the program writes, down to the last field and column, is explained there.

The documents and files are small ones, made of results drawn by hand.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from railcount.baseline import LEVELS
from railcount.cli.main import EXIT_ERROR, EXIT_FAIL_ON, EXIT_INTERRUPTED, EXIT_NO_COUNT, cli
from railcount.counts import KINDS, Interval, Status, TileCount
from railcount.history import History
from railcount.outputs import columns, csv
from railcount.outputs import history as past_output
from railcount.outputs.json import schema
from railcount.outputs.write import write_counts
from railcount.review import Decision
from railcount.tracks.vector import write_lines
from railcount.verify import Verdict

from .history import factories as past
from .outputs import factories

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "JSON.md").read_text(encoding="utf-8")
SCHEMAS = ROOT / "src" / "railcount" / "outputs"
RFC_7946 = {"type", "features", "geometry", "coordinates", "properties"}
"""Members that every GeoJSON has."""
INTERVAL = {"best", "low", "high", "level"}
FLAGS = {"cut", "split_by_pitch", "low_contrast", "in_shadow", "length_unusual", "seam"}
QGIS = "layer_styles"
"""Its columns are those that QGIS asks for."""


def section(*names: str) -> str:
    """The text under some headings, each up to the next heading."""
    found = []
    for name in names:
        (text,) = re.findall(rf"^##+ {name}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
        found.append(text)
    return "\n".join(found)


def explained(*names: str) -> set[str]:
    """What stands between backticks in some sections."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", section(*names), flags=re.DOTALL)))


def keys(value: Any) -> set[str]:
    """The names of all fields in a document, at any depth."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    return set(value).union(*map(keys, value.values())) if isinstance(value, dict) else set()


def loaded(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def layers(path: Path) -> set[str]:
    """The layers of a GeoPackage, and their columns."""
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("select table_name from gpkg_contents")}
        held = [connection.execute(f'select * from "{name}"').description for name in names - {QGIS}]
    return names | {column[0] for one in held for column in one}


def printed(*words: str | Path, code: int = 0) -> Any:
    """What a command prints with --format json."""
    result = CliRunner().invoke(cli, [*map(str, words), "--format", "json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A pass with a hand count and a review, one without a count, and a published count."""
    path = tmp_path / "history.sqlite"
    full = past.tile(
        registration_m=(1.0, -2.0), registration_score=0.8, covered=Interval(best=1, low=0, high=2)
    )
    late = past.uncounted(acquired=dt.date(2024, 6, 17), site=None, simulated=True)
    with History.open(path) as opened:
        for one, name in ((full, "one"), (late, "two")):
            opened.record_tile(one, key=past.KEY)
            opened.record_pass(past.one_pass(one, pass_id=name), key=past.KEY)
        opened.add_hand_count("one", best=4, low=3, high=5, who="Ana", why="shadow")
        opened.add_counts("tumangang", [past.observation()])
        kind: Any = {"action": "kind", "kind": "tank"}
        for n, action in enumerate(({"action": "reject"}, {"action": "split", "parts": 2}, kind)):
            opened.reviews().decide("one", Decision(ring=past.car(n).ring, who="Ana", **action))
    return path


def exported(history: Path, suffix: str) -> Path:
    """The history in a file of this suffix."""
    target = history.parent / f"out{suffix}"
    result = CliRunner().invoke(cli, ["history", "export", "-o", str(target), "--history", str(history)])
    assert result.exit_code == 0, result.output
    return target


def test_the_json_shown_satisfies_the_schema() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    jsonschema.validate(json.loads(block), schema(), cls=jsonschema.Draft202012Validator)


def test_a_name_that_is_not_there_is_missed() -> None:
    assert {"hand_who", "key", "first_tile"} <= explained("history list")
    assert {"hand_who", "key", "first_tile"} & explained("verify") == set()
    assert keys({"a": [{"b": 1}, {"c": {"d": None}}]}) == {"a", "b", "c", "d"}


def properties(schema: Any) -> set[str]:
    """The names of all fields in a schema, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(properties, schema))
    if not isinstance(schema, dict):
        return set()
    own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
    return own.union(*map(properties, schema.values()))


@pytest.mark.parametrize("kind", ["scan", "batch", "baseline"])
def test_every_field_of_the_schema_is_explained(kind: str) -> None:
    wanted = json.loads((SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8"))
    # Shared fields are explained once.
    assert properties(wanted) - explained(kind, *(["scan"] if kind != "scan" else [])) == set()


def test_statuses_levels_and_exit_codes_are_explained() -> None:
    assert set(get_args(Status)) | set(LEVELS) <= set(re.findall(r"`(\w+)`", PAGE))
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert told == {0, EXIT_ERROR, 2, EXIT_NO_COUNT, EXIT_FAIL_ON, EXIT_INTERRUPTED}


def test_compare() -> None:
    made = printed("compare", "--site", "tumangang", "--date", "2023-10-05", "--count", "73")
    assert made["observations"]
    assert made["not_used"]
    assert set(made) - explained("compare") == set()
    assert keys(made) - explained("compare", "baseline", "scan") == set()


def test_lists_of_a_history(history: Path) -> None:
    passes = printed("history", "list", "--history", history)
    counts = printed("history", "list", "--counts", "--history", history)
    assert list(passes["passes"][0]) == list(past_output.COLUMNS)
    assert set(counts["counts"][0]) == set(past_output.COUNT_COLUMNS)
    assert keys(passes) | keys(counts) <= explained("history list")


def test_a_pass_of_a_history(history: Path) -> None:
    made = printed("history", "show", "2023-10-05", "--history", history)
    (one,) = made["passes"]
    assert keys(one["review"]) - explained("history show") == set()
    assert one["hand"]
    assert made["counts"]
    own = {"passes", "day", "simulated", "key", "hand", "counts", "review", "tiles", "cars", "ring"}
    assert own <= keys(made) & explained("history show")
    shared = ("history list", "batch", "scan", "baseline", "Cars")
    assert keys(made) - explained("history show", *shared) == set()
    assert keys(loaded(exported(history, ".json"))) == keys(made)


@pytest.mark.parametrize("truth", [True, False])
def test_evaluate(tmp_path: Path, truth: bool) -> None:
    (target,) = (ROOT / "sample_tiles" / "2023-10-05").glob("*_truth.geojson")
    predicted = target if truth else tmp_path / "cars.geojson"
    if not truth:
        write_counts([factories.without_count("uncountable")], predicted)
    assert (
        keys(printed("evaluate", predicted, target, code=0 if truth else 3)) - explained("evaluate") == set()
    )


@pytest.mark.parametrize("words", [("--update",), ()])
def test_verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    def scan_tile(path: Path, **_: Any) -> TileCount:
        cars = Interval(best=3, low=2, high=4)
        return TileCount(tile=str(path), sha256=None, status="counted", railcars=cars)

    monkeypatch.setattr("railcount.pipeline.scan_tile", scan_tile)
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).write_bytes(b"II*\x00")
    (tmp_path / "expected.csv").write_text("tile,count,tolerance,status\na.tif,9,1,counted\n", "utf-8")
    made = printed("verify", tmp_path, *words, code=0 if words else EXIT_FAIL_ON)
    assert (made["updated"] is None) == (not words)
    assert (keys(made) | set(get_args(Verdict))) - INTERVAL - explained("verify") == set()


def test_files_of_scan(tmp_path: Path) -> None:
    counts = [factories.counted()]
    for suffix in ("geojson", "gpkg", "parquet"):
        write_counts(counts, tmp_path / f"cars.{suffix}")
    made = loaded(tmp_path / "cars.geojson")
    held = parquet.read_schema(tmp_path / "cars.parquet")
    assert set(made) - RFC_7946 - explained("Files of scan") == set()
    assert keys(made["features"]) - RFC_7946 - explained("Cars") == set()
    page = explained("Files of scan", "Cars", "Tracks", "Tiles")
    assert layers(tmp_path / "cars.gpkg") - page == set()
    assert {*held.names, *map(bytes.decode, held.metadata)} - {"geo"} - page == set()
    for part, names in (("Cars", columns.SCAN_CARS), ("Tracks", columns.SCAN_TRACKS), ("Tiles", csv.COLUMNS)):
        assert set(names) - explained(part) == set()
    assert explained("Cars") >= FLAGS


def test_files_of_a_history(history: Path) -> None:
    page = explained("Files of history export", "Files of scan", "Cars", "Tracks", "history list")
    cars = loaded(exported(history, ".geojson"))
    assert set(cars) - RFC_7946 - explained("Files of history export") == set()
    assert keys(cars["features"]) - RFC_7946 - explained("Cars", "Files of history export") == set()
    assert layers(exported(history, ".gpkg")) - page == set()
    assert set(parquet.read_schema(exported(history, ".parquet")).names) - page == set()
    (head, *_) = exported(history, ".csv").read_text("utf-8").splitlines()
    assert set(head.split(",")) - explained("history list") == set()


def test_stac_items(history: Path) -> None:
    made = loaded(exported(history, ".stac.json"))
    assert len(made["features"]) == 2
    assert keys(made) - RFC_7946 - INTERVAL - {*KINDS} - explained("Files of history export") == set()


def test_lines_and_truths(tmp_path: Path) -> None:
    count = factories.counted()
    assert count.network is not None
    assert count.grid is not None
    page = explained("Files of tracks and simulate")
    for suffix in ("geojson", "gpkg"):
        write_lines(count.network, tmp_path / f"lines.{suffix}", grid=count.grid, credit="Planet Labs")
    assert keys(loaded(tmp_path / "lines.geojson")) - RFC_7946 - page == set()
    assert layers(tmp_path / "lines.gpkg") - {"fid", "geom", "lines"} - page == set()
    for name in ("truth", "tracks"):
        (path,) = (ROOT / "sample_tiles" / "2023-10-05").glob(f"*_{name}.geojson")
        assert keys(loaded(path)) - RFC_7946 - page == set()
