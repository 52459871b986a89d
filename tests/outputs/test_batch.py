"""The document of a batch and its lines."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from railcount.batch.planning import LeftOut
from railcount.observation import PassCount
from railcount.outputs import batch
from railcount.outputs.json import result, schema
from railcount.records import record_of

from . import factories


def check(text: str) -> dict[str, Any]:
    """The document, when it satisfies its schema."""
    loaded: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(batch.schema())
    jsonschema.validate(loaded, batch.schema(), cls=jsonschema.Draft202012Validator)
    return loaded


def test_the_schema_says_of_a_tile_what_that_of_a_scan_says() -> None:
    mine, scans = batch.schema()["$defs"], schema()["$defs"]
    assert {name: mine[name] for name in scans} == scans


def test_an_empty_batch() -> None:
    document = check("".join(batch.document(passes=[], results=[], passed_over=[])))
    assert (document["passes"], document["results"], document["passed_over"]) == ([], [], [])


@pytest.mark.parametrize("count", factories.every_status(), ids=lambda count: count.status)
def test_a_record_gives_what_its_scan_gives(count: Any) -> None:
    record = record_of(count)
    document = check("".join(batch.document(passes=[], results=[record, record], passed_over=[])))
    assert len(document["results"]) == 2
    expected = result(count)
    told = document["results"][0]
    assert set(told) == set(expected)
    assert told | {"tracks": 0, "comparison": 0} == expected | {"tracks": 0, "comparison": 0}
    if expected["tracks"] is not None:
        assert {k: v for k, v in told["tracks"].items() if k != "each"} == {
            k: v for k, v in expected["tracks"].items() if k != "each"
        }


def test_a_pass_and_what_was_passed_over() -> None:
    count = factories.counted()
    record = replace(record_of(count), doubts=("the name says 2023-10-01",))
    one = PassCount(
        id="p",
        status="counted",
        tiles=(record,),
        acquired=record.acquired,
        site=record.site,
        railcars=record.railcars,
        by_type=record.by_type,
        visible_fraction=0.9,
    )
    nothing = replace(one, status="uncountable", railcars=None, by_type={}, reasons=("cloud",))
    left = LeftOut(tile="a\udcff.tif", kind="passed_over", reason="a quality mask")
    passes = [(one, count.comparison), (nothing, None)]
    document = check("".join(batch.document(passes=passes, results=[], passed_over=[left])))
    assert document["passes"][0]["reasons"] == ["the name says 2023-10-01"]
    assert document["passes"][1]["by_type"] is None
    assert document["passed_over"] == [{"path": "a\\udcff.tif", "reason": "a quality mask"}]


def test_what_was_not_counted_is_grouped_when_long() -> None:
    told = batch.Uncounted()
    assert list(told.lines()) == []
    for n in reversed(range(batch.MOST_LINES)):
        told.add(f"{n:02}.tif", status="refused", reason="too coarse")
    assert len(list(told.lines())) == 1 + batch.MOST_LINES
    told.add("z.tif", status="failed", reason="bad\x1b")
    assert list(told.lines()) == [
        "Not counted:",
        "      20 x refused: too coarse (00.tif, 01.tif, 02.tif and 17 more)",
        "       1 x failed: bad\\x1b (z.tif)",
    ]


def test_a_thousand_reasons_do_not_make_a_thousand_lines() -> None:
    told = batch.Uncounted()
    for n in range(1000):
        told.add(f"{n}.tif", status="failed", reason=f"byte {n} is wrong")
    lines = list(told.lines())
    assert len(lines) == 2 + batch.MOST_REASONS
    assert lines[-1].split() == ["800", "x", "for", "other", "reasons"]
