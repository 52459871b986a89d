"""The JSON contract: the schema holds every status, and the bytes are stable and strict."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import jsonschema
import pytest

from railcount.baseline import LEVELS
from railcount.outputs import json as out
from railcount.raster.acquisition import Acquisition

from . import factories


def check(document: dict[str, Any]) -> None:
    jsonschema.validate(document, out.schema(), cls=jsonschema.Draft202012Validator)


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(out.schema())


@pytest.mark.parametrize("count", factories.every_status(), ids=lambda c: f"{c.status}-{c.sha256 is None}")
def test_every_status_satisfies_the_schema(count: Any) -> None:
    check(json.loads(out.dumps([count])))


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_satisfies_the_schema(level: Any) -> None:
    comparison = replace(factories.COMPARISON, level=level, max=None, median=None, ratio_to_max=None)
    check(out.document([factories.counted(comparison=comparison)]))


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"},
        {"railcars": None},
        {"railcars": 73},
        {"sha256": None},
        {"status": "uncountable", "reasons": ["Cloud."]},
        {"status": "degraded", "reasons": []},
        {"acquired": "2023-10-05T02:11:00"},
        {"extra": 1},
    ],
)
def test_schema_refuses(change: dict[str, Any]) -> None:
    document = out.document([factories.counted()])
    document["results"][0] |= change
    with pytest.raises(jsonschema.ValidationError):
        check(document)


def test_doubts_about_the_date_are_reasons_and_change_no_status() -> None:
    doubt = "the date 2023-10-05 is from the TIFF tag, but the file name says 2022-10-03"
    count = factories.counted(
        reasons=("One.",), acquisition=Acquisition(doubts=(doubt,), notes=("Colours.",))
    )
    result = out.result(count)
    assert (result["status"], result["reasons"]) == ("counted", ["One.", doubt])
    check(out.document([count]))


def test_no_count_is_null_never_zero() -> None:
    result = out.result(factories.without_count("uncountable", opened=True))
    for name in ("railcars", "locomotives", "trains", "occupied_m", "by_type", "covered", "comparison"):
        assert result[name] is None


def test_values_of_the_contract() -> None:
    result = out.result(factories.counted())
    assert result["acquired"] == "2023-10-05T02:11:00Z"
    assert result["acquired_from"] == "tiff_tag"
    assert (result["crs"], result["gsd_m"], result["occupied_m"]) == ("EPSG:32652", 0.5, 965.0)
    assert result["railcars"] == {"best": 73, "low": 70, "high": 76, "level": 0.9}
    assert result["comparison"]["window"] == ["2018-10-05", "2023-10-04"]
    assert result["comparison"]["ratio_to_max"] == 3.65
    assert out.result(factories.counted(crs=None))["crs"] is None
    assert out.result(factories.degraded())["tracks"]["registration"] == {
        "east_m": 2.25,
        "south_m": -1.5,
        "score": 0.71,
    }


def test_same_count_same_bytes_and_only_ascii() -> None:
    first, again = (out.dumps([factories.counted(tile="두만강/\x1b[31m.tif")]) for _ in range(2))
    assert first == again
    assert first.isascii()
    assert "\x1b" not in first
    assert json.loads(first)["results"][0]["tile"] == "두만강/\x1b[31m.tif"


def test_stray_bytes_of_a_path_stay_readable() -> None:
    path = b"yard\xff.tif".decode("utf-8", "surrogateescape")
    tile = json.loads(out.dumps([factories.counted(tile=path)]))["results"][0]["tile"]
    assert tile == "yard\\udcff.tif"
    tile.encode("utf-8")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_not_a_number_is_null(value: float) -> None:
    assert out.rounded(value, 2) is None
    with pytest.raises(ValueError, match="JSON"):
        out.to_text({"x": value})
    comparison = replace(factories.COMPARISON, ratio_to_max=value)
    assert out.result(factories.counted(comparison=comparison))["comparison"]["ratio_to_max"] is None


def test_negative_zero_is_zero() -> None:
    assert str(out.rounded(-0.001, 1)) == "0.0"


@pytest.mark.parametrize(
    ("acquisition", "credit"),
    [
        (None, None),
        (Acquisition(), None),
        (Acquisition(credit="Image (c) 2023 Somebody"), "Image (c) 2023 Somebody"),
        (Acquisition(simulated=True), "simulated"),
        (Acquisition(simulated=True, credit="Painter"), "Painter (simulated)"),
        (Acquisition(simulated=True, credit="Simulated by railcount"), "Simulated by railcount"),
    ],
)
def test_credit_says_simulated(acquisition: Acquisition | None, credit: str | None) -> None:
    assert out.result(factories.counted(acquisition=acquisition))["credit"] == credit


def test_a_day_without_a_time() -> None:
    acquisition = Acquisition(acquired=date(2023, 10, 5), acquired_from="folder")
    assert out.result(factories.counted(acquisition=acquisition))["acquired"] == "2023-10-05"


def test_each_track_says_what_was_seen_of_it() -> None:
    tracks = out.result(factories.counted())["tracks"]
    assert [t["id"] for t in tracks["each"]] == [t.id for t in factories.tracks()]
    assert tracks["each"][0] == {
        "id": "1",
        "length_m": 306.0,
        "visible_fraction": 0.98,
        "confidence": 0.95,
    }
    assert "each" in out.schema()["$defs"]["tracks"]["required"]
