"""``railcount evaluate`` as a user meets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from railcount.cli.evaluate import evaluate
from railcount.errors import InputError, MissingInput

if TYPE_CHECKING:
    from pathlib import Path


def cars(path: Path, *starts: float, **members: Any) -> str:
    features = [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 0], [x + 28, 0], [x + 28, 6], [x, 6], [x, 0]]],
            },
        }
        for x in starts
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **members}))
    return str(path)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(evaluate, arguments, catch_exceptions=False)


def test_two_files(tmp_path: Path) -> None:
    result = run(cars(tmp_path / "p.geojson", 0, 30), cars(tmp_path / "t.geojson", 0, 30, 60, 90), "--pixels")
    assert result.exit_code == 0
    row = result.stdout.splitlines()[1].split()
    assert row == ["t", "4", "2", "-2", "|", "1.000", "0.500", "0.667", "|", "1.000", "0.500", "0.667"]
    assert result.stderr == ""


def test_folders(tmp_path: Path) -> None:
    interval = {"best": 1, "low": 0, "high": 2}
    cars(tmp_path / "p" / "a.geojson", 0, railcars=interval)
    cars(tmp_path / "p" / "b.geojson", 0, 30)
    cars(tmp_path / "p" / "extra.geojson", 0)
    cars(tmp_path / "t" / "a.geojson", 0)
    cars(tmp_path / "t" / "b.geojson", 0)
    result = run(str(tmp_path / "p"), str(tmp_path / "t"), "--format", "json")
    assert result.exit_code == 0
    assert "extra.geojson: no truth" in result.stderr
    document = json.loads(result.stdout)
    assert [image["name"] for image in document["images"]] == ["a", "b"]
    assert [image["interval_holds_truth"] for image in document["images"]] == [True, None]
    assert document["summary"]["agreements"][0]["f1"] == pytest.approx(0.8)
    assert document["summary"]["bias"]["value"] == 0.5
    assert document["summary"]["coverage"]["value"] == 1.0


def test_truth_without_prediction_ends_with_3(tmp_path: Path) -> None:
    cars(tmp_path / "p" / "a.geojson", 0)
    cars(tmp_path / "t" / "a.geojson", 0)
    cars(tmp_path / "t" / "b.geojson", 0)
    result = run(str(tmp_path / "p"), str(tmp_path / "t"))
    assert result.exit_code == 3
    assert "b.geojson: no prediction" in result.stderr


def told(status: str, **more: Any) -> dict[str, Any]:
    """The member that scan writes."""
    return {"results": [{"status": status, "reasons": ["pixels of 5.00 m are too coarse"], **more}]}


def test_a_tile_without_a_count_is_no_count_of_0(tmp_path: Path) -> None:
    cars(tmp_path / "p" / "a.geojson", 0, 30, railcount=told("counted"))
    cars(tmp_path / "p" / "b.geojson", railcount=told("refused"))
    cars(tmp_path / "t" / "a.geojson", 0)
    cars(tmp_path / "t" / "b.geojson", 0, 30, 60)
    result = run(str(tmp_path / "p"), str(tmp_path / "t"), "--format", "json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    apart = document["images"][1]
    assert (apart["n_truth"], apart["n_predicted"], apart["count_error"]) == (3, None, None)
    assert apart["no_count"] == "refused: pixels of 5.00 m are too coarse"
    summary = document["summary"]
    assert (summary["n_images"], summary["n_uncounted"], summary["n_truth_uncounted"]) == (1, 1, 3)
    assert summary["mean_absolute_error"]["value"] == 1.0
    assert summary["agreements"][0]["n_missed"] == 0
    table = run(str(tmp_path / "p"), str(tmp_path / "t")).stdout
    assert "b          3     -     - | no count, refused: pixels of 5.00 m are too coarse" in table
    assert table.endswith("kept apart: 1 without a count, with 3 true railcars\n")


def test_an_empty_prediction_that_was_counted_is_0(tmp_path: Path) -> None:
    result = run(
        cars(tmp_path / "p.geojson", railcount=told("counted")), cars(tmp_path / "t.geojson", 0), "--pixels"
    )
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split()[:4] == ["t", "1", "0", "-1"]


def test_some_tiles_without_a_count_are_said(tmp_path: Path) -> None:
    some = {"results": told("counted")["results"] + told("no_data")["results"]}
    result = run(
        cars(tmp_path / "p.geojson", 0, railcount=some), cars(tmp_path / "t.geojson", 0, 30), "--pixels"
    )
    assert result.exit_code == 0
    assert "1 of its tiles have no count" in result.stderr
    assert result.stdout.splitlines()[1].split()[:4] == ["t", "2", "1", "-1"]


def test_a_count_by_length_has_a_total_and_no_outlines(tmp_path: Path) -> None:
    predicted = cars(
        tmp_path / "p.geojson",
        railcars={"best": 3, "low": 1, "high": 6},
        railcount=told("degraded", regime="occupied_length"),
    )
    truth = cars(tmp_path / "t.geojson", 0, 30)
    result = run(predicted, truth, "--pixels")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split()[:4] == ["t", "2", "3", "+1"]
    assert "no outlines" in result.stdout
    assert "intervals that hold the truth 1.00" in result.stdout
    document = json.loads(run(predicted, truth, "--pixels", "--format", "json").stdout)
    assert document["images"][0]["agreements"] == []
    assert document["summary"]["agreements"][0]["f1"] is None


@pytest.mark.parametrize(
    "member", [3, [], {"results": 3}, {"results": [3]}, {"results": [{"status": ["x"]}]}]
)
def test_a_member_that_is_odd_does_no_harm(tmp_path: Path, member: Any) -> None:
    result = run(
        cars(tmp_path / "p.geojson", 0, railcount=member), cars(tmp_path / "t.geojson", 0), "--pixels"
    )
    assert result.exit_code in {0, 3}


def test_folder_against_file_and_no_partner(tmp_path: Path) -> None:
    file = cars(tmp_path / "p" / "a.geojson", 0)
    with pytest.raises(InputError, match="is not a folder"):
        run(str(tmp_path / "p"), file)
    cars(tmp_path / "t" / "b.geojson", 0)
    with pytest.raises(InputError, match="has the name"):
        run(str(tmp_path / "p"), str(tmp_path / "t"))


@pytest.mark.parametrize("path", ["a" * 5000, "/proc/self/mem"])
def test_a_file_that_cannot_be_read(path: str) -> None:
    with pytest.raises((InputError, MissingInput)):
        run(path, path)
