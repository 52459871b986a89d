"""``railcount baseline`` as an analyst meets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from click.testing import CliRunner

from railcount.baseline.describe import Baseline, describe
from railcount.cli.main import cli
from railcount.outputs.baseline import document, render, schema

from .factories import TUMANGANG, day, measured, samples, seen

if TYPE_CHECKING:
    from pathlib import Path

    from railcount.baseline import Observation


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["baseline", *arguments], catch_exceptions=False)


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No history of whoever runs the tests."""
    monkeypatch.setenv("RAILCOUNT_HISTORY", str(tmp_path / "none.sqlite"))


def whole(*extra: Observation, on: str = "2023-10-05", **options: Any) -> Baseline:
    return describe((*TUMANGANG.observations, *extra), day=day(on), zones=TUMANGANG.baseline_zones, **options)


def checked(past: Baseline) -> dict[str, Any]:
    made = document(past, site=TUMANGANG, zones=TUMANGANG.baseline_zones, words=["A sentence."])
    jsonschema.validate(made, schema(), cls=jsonschema.Draft202012Validator)
    return made


def test_published_counts_alone() -> None:
    result = run("tumangang", "--date", "2023-10-05")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "73 (70-73) railcars (published): unprecedented" in text
    assert "3.65 x the maximum" in text
    assert "these are the site's published counts alone" in text
    assert "2 images were seen but not counted (2023-09-28, 2023-10-01)" in text
    assert "Only 5 days of the window have a count" in text
    assert "cannot be told from 6 days" in text
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_a_day_that_was_counted_is_not_among_those_that_were_not() -> None:
    blind = [seen("2023-09-28", None), seen("2023-10-01", None)]
    past = describe([*blind, seen("2023-10-01", 71, method="hand")], day=day("2023-10-05"))
    (told,) = (words for words in past.words if "not counted" in words)
    assert told.startswith("1 image was seen but not counted (2023-09-28)")


def test_json_satisfies_the_schema() -> None:
    for arguments in (
        ("--date", "2023-10-05"),
        (),
        ("--date", "2018-01-01"),
        ("--season", "--window", "3y"),
        ("--zone", "freight-yard", "--date", "2024-01-01"),
        ("--exclude-published", "--date", "2024-01-01"),
    ):
        result = run("tumangang", "--format", "json", *arguments)
        assert result.exit_code == 0
        jsonschema.validate(json.loads(result.stdout), schema(), cls=jsonschema.Draft202012Validator)


def test_counts_of_no_zone_are_not_taken_for_those_of_one(tmp_path: Path) -> None:
    said = "are of all tracks in the image, not of station alone"
    asked = ("tumangang", "--date", "2023-10-05", "--zone", "station")
    assert said not in " ".join(run(*asked).stdout.split())
    (tmp_path / "mine.csv").write_text("when,best\n2023-10-01,7\n")
    imported = ["history", "import", str(tmp_path / "mine.csv"), "--site", "tumangang", "--method", "hand"]
    assert CliRunner().invoke(cli, imported).exit_code == 0
    assert said in " ".join(run(*asked).stdout.split())
    assert said not in " ".join(run(*asked[:3]).stdout.split())


def test_the_last_day_with_a_count_is_looked_at() -> None:
    made = json.loads(run("tumangang", "--format", "json").stdout)
    assert (made["date"], made["railcars"]["best"]) == ("2024-12-03", 225)
    assert made["change"]["status"] == "found"
    assert made["change"]["between"] == ["2023-09-15", "2023-10-05"]


def test_a_day_without_a_count() -> None:
    result = run("tumangang", "--date", "2023-11-01")
    assert "no count of this day is known" in " ".join(result.stdout.split())
    made = json.loads(run("tumangang", "--date", "2023-11-01", "--format", "json").stdout)
    assert (made["railcars"], made["comparison"], made["chance"], made["since_last"]) == (None,) * 4
    assert made["figures"]["all"]["max"] == 73


def test_measured_and_published_apart_and_together() -> None:
    made = checked(whole(*samples()))
    assert set(made["figures"]) == {"all", "published", "measured"}
    assert made["figures"]["published"]["max"] == 20
    assert made["figures"]["measured"]["max"] == made["figures"]["all"]["max"] == 59
    assert made["observation"]["method"] == "measured"
    assert made["railcars"]["best"] == 73
    assert made["chance"] == {"best": 0.0556, "low": 0.0556, "n_as_high": 0, "n_days": 17}
    assert made["since_last"]["date"] == "2023-09-22"
    assert made["since_last"]["n_uncounted"] == 2
    assert any("from simulated images" in one for one in made["words"])


def test_the_rise_is_dated() -> None:
    change = checked(whole(*samples()))["change"]
    assert change["status"] == "found"
    assert change["between"] == ["2023-09-15", "2023-09-22"]
    later = checked(whole(*samples(), on="2024-12-03"))["change"]
    assert later["range"] == ["2023-09-15", "2023-09-22"]
    assert later["probability"] > 0.9


def test_what_is_left_out_is_listed() -> None:
    made = checked(whole(*samples(), without=("published",)))
    assert set(made["figures"]) == {"all", "measured"}
    assert {one["reason"] for one in made["not_used"] if one["method"] == "published"} == {
        "published counts are left out"
    }
    made = checked(whole(*samples(), without=("measured",)))
    assert (made["railcars"]["best"], made["observation"]["method"]) == (73, "published")


def test_a_hand_count_is_what_is_judged() -> None:
    hand = seen("2023-10-05", 70, method="hand", source="me")
    past = whole(*samples(), hand)
    assert past.observation == hand
    assert past.comparison is not None
    assert "hand" in render(past, site=TUMANGANG, words=(), width=80)


def test_later_counts_are_never_seen() -> None:
    later = [measured("2023-10-05", 400, id="other"), measured("2023-10-06", 500), seen("2024-01-01", 3)]
    base = whole(*samples())
    past = whole(*samples(), *later[1:])
    assert checked(past) == checked(base)


def test_gaps_and_crowds_are_said() -> None:
    crowd = [measured(f"2023-09-{n:02}", 3) for n in range(1, 13)]
    early = [measured("2018-11-01", 2), measured("2019-09-01", 1)]
    past = describe([*crowd, *early], day=day("2023-10-05"))
    text = " ".join(past.words)
    assert "too thin" in text
    assert "2019-09-02 to 2023-08-31" in text
    assert "11 of the 14 days with a count lie between" in text


def test_an_empty_past() -> None:
    past = describe([], day=day("2023-10-05"))
    assert past.words == ("No count from 2018-10-05 to 2023-10-04 is known.",)
    checked(past)
    assert "no count of this day" in render(past, site=TUMANGANG, words=(), width=200)


def test_nothing_that_a_terminal_would_act_on() -> None:
    past = whole(measured("2022-01-01", 3, source="evil\x1b[31m\u202e.tif"))
    text = render(past, site=TUMANGANG, words=(), width=80)
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("tumangang", "--window", "5"),
        ("tumangang", "--zone", "moon"),
        ("tumangang", "--date", "yesterday"),
        ("tumangang", "--history", "x", "--no-history"),
        (),
    ],
)
def test_usage_errors(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_history_that_is_not_there(tmp_path: Path) -> None:
    result = run("tumangang", "--history", str(tmp_path / "no.sqlite"))
    assert result.exit_code == 1
    assert "no.sqlite" in result.stderr
    assert result.stderr.count("\n") == 1
