"""``railcount compare`` as an analyst meets it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from railcount.cli.compare import compare
from railcount.errors import MissingInput


def run(*arguments: str, site: str = "tumangang") -> Any:
    return CliRunner().invoke(compare, ["--site", site, *arguments], catch_exceptions=False)


def test_seventy_three_in_october_2023() -> None:
    result = run("--date", "2023-10-05", "--count", "73")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "2023-10-05: unprecedented" in result.stdout
    assert "3.65 x the maximum" in result.stdout
    assert "2018-10-01 to 2023-09-30  maximum 20" in result.stdout
    for used in ("2022-10-28  7 cars", "2022-11-03  12 cars", "2022-11-05  11 cars", "2023-09-14  0 cars"):
        assert used in result.stdout
    unused = result.stdout.split("not used")[1]
    assert "2023-09-28  freight-yard" in unused
    assert "2022-11-04  3 cars of a set" in unused


def test_seventy_three_in_july_2024() -> None:
    result = run("--date", "2024-07-01", "--count", "73", "--low", "70", "--high", "76", "--format", "json")
    document = json.loads(result.stdout)
    comparison = document["comparison"]
    assert document["railcars"] == {"best": 73, "low": 70, "high": 76, "level": None}
    assert (comparison["level"], comparison["max"], comparison["ratio_to_max"]) == ("normal", 255, 0.29)
    assert "255" in comparison["why"]
    assert "2024-06-17" in comparison["why"]


def test_json_follows_the_contract() -> None:
    comparison = json.loads(run("--date", "2023-10-05", "--count", "73", "--format", "json").stdout)[
        "comparison"
    ]
    assert list(comparison) == ["baseline", "window", "n", "max", "median", "ratio_to_max", "level", "why"]
    assert comparison["window"] == ["2018-10-05", "2023-10-04"]
    assert (comparison["n"], comparison["max"], comparison["median"], comparison["ratio_to_max"]) == (
        6,
        20,
        8,
        3.65,
    )


def test_one_count_is_not_said_in_the_plural() -> None:
    result = run("--date", "2024-12-10", "--count", "90", "--window", "2y", "--season")
    assert "median   225 of 1 dated count\n" in result.stdout


def test_thin_history_is_said_in_words() -> None:
    result = run("--date", "2018-11-14", "--count", "3")
    assert result.exit_code == 0
    assert "insufficient history" in result.stdout
    assert "too thin to judge 3 railcars" in " ".join(result.stdout.split())


def test_canopy_is_mentioned_from_its_day_on() -> None:
    assert "Canopy" in run("--date", "2024-12-10", "--count", "50").stdout
    assert "Canopy" not in run("--date", "2024-11-30", "--count", "50").stdout


@pytest.mark.parametrize(
    ("day", "level", "code"),
    [
        ("2023-10-05", "unprecedented", 4),
        ("2023-10-05", "normal", 4),
        ("2024-07-01", "elevated", 0),
        ("2024-07-01", "normal", 4),
        ("2018-11-14", "quiet", 0),
    ],
)
def test_fail_on(day: str, level: str, code: int) -> None:
    result = run("--date", day, "--count", "73", "--fail-on", level)
    assert result.exit_code == code
    assert "73" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--date", "2023-10-05"),
        ("--count", "73"),
        ("--date", "5.10.2023", "--count", "73"),
        ("--date", "2023-02-30", "--count", "73"),
        ("--date", "2023-10-05", "--count", "-1"),
        ("--date", "2023-10-05", "--count", "7.5"),
        ("--date", "2023-10-05", "--count", "73", "--low", "74"),
        ("--date", "2023-10-05", "--count", "73", "--high", "72"),
        ("--date", "2023-10-05", "--count", "73", "--fail-on", "insufficient_history"),
    ],
)
def test_usage_errors(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_unknown_site_names_the_known_ones() -> None:
    with pytest.raises(MissingInput, match="tumangang"):
        run("--date", "2023-10-05", "--count", "73", site="atlantis")


def test_lines_fit_the_width_when_piped() -> None:
    assert max(map(len, run("--date", "2024-07-01", "--count", "73").stdout.splitlines())) <= 80
