"""The simulation behind docs/BASELINE.md, in small; the page has what the whole one measured."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def calibration() -> ModuleType:
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location(
        "baseline_calibration", ROOT / "benchmarks" / "baseline" / "calibration.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def cells(lines: list[str]) -> dict[str, list[float]]:
    """First column to the percentages of its row."""
    return {
        line.split("|")[1].strip(): [float(one) for one in re.findall(r"([\d.]+)%", line)]
        for line in lines[2:]
    }


def test_stated_chances_hold_where_days_are_alike(
    calibration: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "NOT_ALIKE", {})
    for name, shares in cells(calibration.chance_table(n_histories=300, seed=2)).items():
        # Three standard errors of 300 histories.
        assert all(share <= limit for share, limit in zip(shares[:3], (27, 15.5, 9), strict=True)), name


def test_changes_are_rarely_found_where_there_is_none(
    calibration: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: calibration.ALIKE[name] for name in ("Poisson, mean 0.3", "the same, 60 % of days empty")}
    monkeypatch.setattr(calibration, "ALIKE", few)
    monkeypatch.setattr(calibration, "NOT_ALIKE", {})
    for shares in cells(calibration.false_alarm_table(n_histories=60, seed=2)).values():
        assert max(shares) <= 15


def test_the_page_has_its_tables() -> None:
    page = (ROOT / "docs" / "BASELINE.md").read_text(encoding="utf-8")
    for name in ("chance", "alarms", "dating"):
        (block,) = re.findall(rf"<!-- {name}:begin -->(.*?)<!-- {name}:end -->", page, re.DOTALL)
        assert "histories a cell" in block
        assert block.count("\n|") > 6
    alike = page.split("<!-- chance:begin -->")[1].split("| spells")[0]
    for row in re.findall(r"^\| [A-Za-z].*%.*\|$", alike, re.MULTILINE):
        said = [float(one) for one in re.findall(r"([\d.]+)%", row)][:3]
        assert said[2] <= 6.5, row
