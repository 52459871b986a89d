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
