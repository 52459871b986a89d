"""A batch of real tiles, small ones: the task, the command, and what a scan of the same tile says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from rasterio.windows import Window

from railcount.batch.parameters import Parameters
from railcount.batch.task import scan_one
from railcount.cli.main import cli
from railcount.errors import InputError, MissingInput
from railcount.outputs.batch import schema

from ..raster.factories import write_tif

ROOT = Path(__file__).parents[2]


def crop(target: Path, *, left: int, width: int = 160, height: int = 120) -> Path:
    """A part of a sample tile, with its tags."""
    (path,) = (ROOT / "sample_tiles" / "2023-10-05").glob("*.tif")
    with rasterio.open(path) as source:
        t = source.transform
        moved = Affine(t.a, 0.0, t.c + left * t.a, 0.0, t.e, t.f + 180 * t.e)
        profile = source.profile | {"width": width, "height": height, "transform": moved}
        with rasterio.open(target, "w", **profile) as made:
            made.write(source.read(window=Window(left, 180, width, height)))
            made.update_tags(**source.tags())
    return target


def test_the_task_gives_what_a_scan_gives(tmp_path: Path) -> None:
    tile = crop(tmp_path / "a.tif", left=450)
    work = scan_one(Parameters().words())
    told = work({"path": str(tile), "tile": "a.tif", "valid": None})
    assert told["status"] == "counted"
    assert told["tile"] == "a.tif"
    scanned = json.loads(CliRunner().invoke(cli, ["scan", str(tile), "--format", "json"]).stdout)
    assert told["railcars"] == scanned["results"][0]["railcars"]
    assert told["sha256"] == scanned["results"][0]["sha256"]


@pytest.mark.parametrize(
    "given",
    [
        {"tracks": Path("nowhere.geojson")},
        {"mask": Path("nowhere.tif")},
        {"site": "nowhere"},
        {"stock": "nonsense"},
    ],
)
def test_parameters_that_fit_no_tile_are_refused_at_once(given: dict[str, Any]) -> None:
    with pytest.raises((MissingInput, InputError)):
        scan_one(Parameters(**given).words())


def test_parameters_that_do_not_fit_one_tile_cost_that_tile(tmp_path: Path) -> None:
    lines = tmp_path / "lines.geojson"
    lines.write_text('{"type": "FeatureCollection", "features": []}')
    work = scan_one(Parameters(tracks=lines).words())
    told = work({"path": str(write_tif(tmp_path / "a.tif")), "tile": "a", "valid": None})
    assert told["status"] == "failed"
    assert told["reasons"]


def test_a_batch_of_real_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    day = Path("archive") / "2023-10-05"
    day.mkdir(parents=True)
    crop(day / "20231005_021100_ssc3_u0001_visual_R1C1.tif", left=380)
    crop(day / "20231005_021100_ssc3_u0001_visual_R1C2.tif", left=460)
    (day / "broken.tif").write_bytes(b"no image")
    # The sample's own moment is in its tags, so these are of one pass.
    args = ["batch", "archive", "--no-history", "--jobs", "2", "--format", "json"]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 3
    assert done.stderr == ""
    document = json.loads(done.stdout)
    jsonschema.validate(document, schema(), cls=jsonschema.Draft202012Validator)
    one, two, broken = document["results"]
    assert (one["status"], two["status"], broken["status"]) == ("counted", "counted", "refused")
    (joined,) = (p for p in document["passes"] if p["site"] == "tumangang")
    assert len(joined["tiles"]) == 2
    both = one["railcars"]["best"] + two["railcars"]["best"]
    assert max(one["railcars"]["best"], two["railcars"]["best"]) < joined["railcars"]["best"] < both
    assert joined["comparison"]["level"] == "unprecedented"
