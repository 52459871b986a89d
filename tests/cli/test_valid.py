"""``--valid``: end to end on small tiles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.raster.write import write_geotiff
from railcount.tracks.vector import write_lines

from ..raster import factories
from ..test_scan import given, yard

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

ROWS, COLS = 120, 200


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, args)))


@pytest.fixture
def tile(tmp_path: Path) -> Path:
    return factories.write_tif(tmp_path / "tile.tif", factories.picture(rows=ROWS, cols=COLS))


def mask(path: Path, *, hidden: int, **options: object) -> Path:
    """0 in the first ``hidden`` columns."""
    values = np.ones((1, ROWS, COLS), np.uint8)
    values[:, :, :hidden] = 0
    return factories.write_tif(path, values, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("hidden", "status"), [(0.0, "counted"), (0.3, "degraded"), (0.6, "uncountable")])
def test_the_hidden_part_is_not_seen(tmp_path: Path, hidden: float, status: str) -> None:
    drawn = yard()
    tile, lines, valid = (tmp_path / name for name in ("tile.tif", "lines.geojson", "valid.tif"))
    write_geotiff(tile, drawn.bands, drawn.grid)
    write_lines(given(drawn), lines, grid=drawn.grid)
    usable = np.ones((1, drawn.grid.height, drawn.grid.width), np.uint8)
    usable[:, :, : round(hidden * drawn.grid.width)] = 0
    write_geotiff(valid, usable, drawn.grid)
    done = run("scan", tile, "--tracks", lines, "--valid", valid, "--format", "json", "--no-baseline")
    (result,) = json.loads(done.stdout)["results"]
    assert done.exit_code == (3 if status == "uncountable" else 0)
    assert result["status"] == status
    for track in result["tracks"]["each"]:
        assert track["visible_fraction"] == pytest.approx(1 - hidden, abs=0.06)
    said = any(f"the quality mask rules out {hidden:.0%}" in reason for reason in result["reasons"])
    assert said == bool(hidden)


def test_it_belongs_to_one_tile(tile: Path) -> None:
    done = run("scan", tile, tile, "--valid", mask(tile.with_name("m.tif"), hidden=0))
    assert done.exit_code == 2
    assert "2 tiles were given" in done.stderr


def test_in_pixel_coordinates_it_has_the_size_of_the_tile(tile: Path) -> None:
    small = factories.write_tif(tile.with_name("m.tif"), np.ones((1, 60, 100), np.uint8), crs=None)
    done = run("scan", tile, "--gsd", 0.5, "--valid", small)
    assert done.exit_code == 1
    assert "200 x 120 pixels, not 100 x 60" in done.stderr
    assert run("scan", tile, "--gsd", 0.5, "--valid", mask(small, hidden=0, crs=None)).exit_code in {0, 3}


@pytest.mark.parametrize("command", ["scan", "tracks"])
def test_a_bad_mask_is_one_line(tile: Path, command: str) -> None:
    missing = run(command, tile, "--valid", tile.with_name("none.tif"))
    assert missing.exit_code == 1
    assert "none.tif" in missing.stderr
    wrong = run(command, tile, "--valid", tile)
    assert wrong.exit_code == 1
    assert wrong.stderr.count("\n") == 1
    assert "the quality mask tile.tif is not usable" in wrong.stderr


def test_an_output_never_replaces_it(tile: Path) -> None:
    valid = mask(tile.with_name("m.tif"), hidden=0)
    before = valid.read_bytes()
    done = run("tracks", tile, "--valid", valid, "-o", valid, "--overwrite")
    assert done.exit_code != 0
    assert valid.read_bytes() == before
