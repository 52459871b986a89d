"""STAC Items, judged by pystac."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pystac
import pytest
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.history import History
from railcount.outputs.stac import item, item_pieces
from tests.history.factories import KEY, one_pass, tile, uncounted

if TYPE_CHECKING:
    from railcount.observation import PassCount


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schemas that pystac brings along must do."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a test asked the network")

    monkeypatch.setattr("socket.socket.connect", refuse)


def validated(one: PassCount) -> pystac.Item:
    made = pystac.Item.from_dict(json.loads(json.dumps(item(one, hand=None, folder=Path()))))
    made.validate()
    return made


def test_a_pass_is_a_valid_item() -> None:
    made = validated(one_pass(tile()))
    assert made.datetime == dt.datetime(2023, 10, 5, 3, tzinfo=dt.UTC)
    assert made.bbox == [0.0, 0.0, 0.01, 0.01]
    assert made.geometry is not None
    assert made.geometry["type"] == "Polygon"
    assert made.properties["railcount:railcars"] == {"best": 3, "low": 2, "high": 5, "level": 0.9}
    assert made.properties["railcount:credit"] == "Planet Labs"
    (link,) = made.get_links("derived_from")
    assert link.href.endswith("archive/2023-10-05/a.tif")


@pytest.mark.skipif(os.sep == "\\", reason="there a backslash ends a folder")
def test_a_backslash_in_a_name_leads_to_no_other_file() -> None:
    (link,) = validated(one_pass(tile("..\\..\\<b>.tif"))).get_links("derived_from")
    assert link.href == "archive/2023-10-05/..%5C..%5C%3Cb%3E.tif"
    assert link.title == "..\\..\\<b>.tif"


def test_a_pass_without_a_count_has_nulls_and_reasons() -> None:
    made = validated(one_pass(uncounted()))
    assert made.properties["railcount:railcars"] is None
    assert made.properties["railcount:by_type"] is None
    assert made.properties["railcount:reasons"] == ["cloud over the tracks"]


def test_a_day_is_a_stretch_of_time() -> None:
    made = validated(one_pass(tile(acquired=dt.date(2023, 10, 5))))
    assert made.datetime is None
    assert made.properties["start_datetime"] == "2023-10-05T00:00:00Z"


def test_several_tiles_and_pixels() -> None:
    two = validated(one_pass(tile(), tile("b.tif")))
    assert two.geometry is not None
    assert two.geometry["type"] == "MultiPolygon"
    assert len(two.get_links("derived_from")) == 2
    assert validated(one_pass(tile(pixels=True))).geometry is None


def test_odd_names_make_addresses() -> None:
    one = one_pass(tile("<script> \udcff#?.tif"))
    assert (
        item(one, hand=None, folder=Path())["links"][0]["href"]
        == "archive/2023-10-05/%3Cscript%3E%20%FF%23%3F.tif"
    )
    validated(one)


def test_undated_passes_are_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    told: Any = SimpleNamespace(hand=None)
    both = [(told, one_pass(tile(acquired=None))), (told, one_pass(tile()))]
    with caplog.at_level(logging.WARNING):
        text = "".join(item_pieces(both, folder=Path()))
    assert len(json.loads(text)["features"]) == 1
    assert "has no date and is left out" in caplog.text


def test_export_writes_a_collection(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with History.open(path) as history:
        for record in (tile(), uncounted(acquired=dt.datetime(2023, 9, 28, 3, tzinfo=dt.UTC))):
            history.record_tile(record, key=KEY)
            history.record_pass(one_pass(record), key=KEY)
        (_, counted) = history.summaries()
        history.add_hand_count(counted.id, best=4, low=3, high=5, who="Ana", why="by eye")
    target = tmp_path / "passes.stac.json"
    result = CliRunner().invoke(cli, ["history", "export", "--history", str(path), "-o", str(target)])
    assert result.exit_code == 0, result.output
    collection = pystac.ItemCollection.from_file(str(target))
    assert [one.properties["railcount:status"] for one in collection] == ["uncountable", "counted"]
    for one in collection:
        one.validate()
    blind, seen = (one.properties["railcount:hand"] for one in collection)
    assert blind is None
    assert (seen["best"], seen["low"], seen["high"], seen["who"], seen["why"]) == (4, 3, 5, "Ana", "by eye")


def test_links_are_seen_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = item(one_pass(tile()), hand=None, folder=tmp_path / "results" / "stac")
    assert one["links"][0]["href"] == "../../archive/2023-10-05/a.tif"
