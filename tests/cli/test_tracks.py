"""``railcount tracks`` with tracks that are made up."""

from __future__ import annotations

import json
import sqlite3
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import rasterio
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.errors import TileRefused
from railcount.tracks.network import TrackNetwork

from ..outputs import factories

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

NETWORK = TrackNetwork(tracks=factories.tracks(), source="found")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    def locate_tracks(path: str, **options: Any) -> Any:
        calls.append(options)
        if path == "bad.tif":
            msg = "pixels of 4 m are too coarse"
            raise TileRefused(msg)
        return factories.tile(reasons=("band 4 is damaged",) if path == "odd.tif" else ()), NETWORK

    module = ModuleType("railcount.pipeline")
    module.locate_tracks = locate_tracks  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "railcount.pipeline", module)
    return calls


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, ["tracks", *map(str, args)])


def test_list(asked: list[dict[str, Any]]) -> None:
    result = run("a.tif", "--mask", "m.tif", "--gsd", "0.5")
    assert result.exit_code == 0
    assert result.stdout.startswith("5 tracks (found), 1532 m\n  1: 306 m, confidence 0.95\n")
    assert asked[0]["mask"] == "m.tif"
    assert asked[0]["gsd_m"] == 0.5


def test_what_is_wrong_with_the_tile_goes_to_stderr(asked: list[dict[str, Any]]) -> None:
    assert run("odd.tif").stderr == "railcount: band 4 is damaged\n"
    assert run("a.tif").stderr == ""


def test_files_and_preview(asked: list[dict[str, Any]], tmp_path: Path) -> None:
    names = ["t.geojson", "t.gpkg", "t.tif"]
    outputs = [arg for name in names for arg in ("-o", tmp_path / name)]
    result = run("a.tif", *outputs, "--preview", tmp_path / "t.png")
    assert result.exit_code == 0, result.stderr
    starts = [b"{", b"SQLite format 3", b"II*\0", b"\x89PNG"]
    for name, start in zip([*names, "t.png"], starts, strict=True):
        assert (tmp_path / name).read_bytes().startswith(start), name
    again = run("a.tif", "--preview", tmp_path / "t.png")
    assert again.exit_code == 1
    assert "exists" in again.stderr
    assert len(asked) == 1


def test_every_output_carries_the_credit_and_says_simulated(
    asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    credit = "Drawn by hand for tests (simulated)"
    names = ["t.geojson", "t.gpkg", "t.tif"]
    result = run("a.tif", *[arg for name in names for arg in ("-o", tmp_path / name)])
    assert f"credit    {credit}" in result.stdout
    assert json.loads((tmp_path / "t.geojson").read_text())["credit"] == credit
    with sqlite3.connect(tmp_path / "t.gpkg") as store:
        assert set(store.execute("SELECT credit FROM tracks")) == {(credit,)}
    store.close()
    with rasterio.open(tmp_path / "t.tif") as mask:
        assert mask.tags()["TIFFTAG_COPYRIGHT"] == credit


@pytest.mark.parametrize("args", [["-o", "t.shp"], ["--preview", "t.gif"], ["--gsd", "0"]])
def test_usage_errors(asked: list[dict[str, Any]], args: list[str]) -> None:
    assert run("a.tif", *args).exit_code == 2
    assert asked == []


def test_a_refused_tile_is_an_error(asked: list[dict[str, Any]]) -> None:
    result = run("bad.tif")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "railcount: pixels of 4 m are too coarse\n"


@pytest.mark.parametrize("option", ["-o", "--preview"])
def test_an_output_that_is_an_input_is_refused(
    asked: list[dict[str, Any]], tmp_path: Path, option: str
) -> None:
    tile, link = tmp_path / "a.png", tmp_path / "b.tif"
    tile.write_bytes(b"pixels")
    link.symlink_to(tile)
    result = run(tile, option, tile if option == "--preview" else link, "--overwrite")
    assert result.exit_code == 1
    assert f"is also the input {tile}" in result.stderr
    assert (asked, tile.read_bytes()) == ([], b"pixels")
