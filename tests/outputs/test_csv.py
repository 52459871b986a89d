"""A row per tile, which a spreadsheet shows and does not execute."""

from __future__ import annotations

import csv as stdlib_csv
import io

import pytest

from railcount.outputs import csv

from . import factories


def rows(text: str) -> list[dict[str, str]]:
    return list(stdlib_csv.DictReader(io.StringIO(text)))


def test_values() -> None:
    first, second = rows(csv.dumps([factories.counted(), factories.without_count("uncountable")]))
    assert (first["railcars_best"], first["railcars_low"], first["railcars_high"]) == ("73", "70", "76")
    assert first["comparison_ratio_to_max"] == "3.65"
    assert first["type_gondola"] == "11"
    assert first["credit"].endswith("(simulated)")
    assert second["status"] == "uncountable"
    assert second["reasons"] == "Too much cloud: 31 % seen."
    for column in ("railcars_best", "trains", "type_gondola", "occupied_m", "comparison_level"):
        assert second[column] == ""


def test_every_status_is_one_line() -> None:
    counts = factories.every_status()
    assert len(csv.dumps(counts).splitlines()) == 1 + len(counts)


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_formulas_are_defused(start: str) -> None:
    (row,) = rows(csv.dumps([factories.counted(tile=f"{start}cmd|' /C calc'!A0")]))
    assert row["tile"] == f"'{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("start", ["\t=1", "\r=1", "\n=1", "\x1b[0m"])
def test_control_characters_are_escaped(start: str) -> None:
    text = csv.dumps([factories.counted(tile=start + ".tif")])
    (row,) = rows(text)
    assert row["tile"].startswith("\\")
    assert len(text.splitlines()) == 2


def test_defuse_itself() -> None:
    assert csv.defuse("\tx") == "'\tx"
    assert csv.defuse("\rx") == "'\rx"
    assert csv.defuse("\uff1dx") == "'\uff1dx"  # full-width =
    assert csv.defuse("a=b") == "a=b"
    assert csv.defuse("") == ""
