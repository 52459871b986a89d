"""`railcount.scan`: a result that shows itself in a notebook."""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import fields, replace
from datetime import date
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.image import imread

import railcount
from railcount.cli.scan import scan as command
from railcount.counts import TileCount
from railcount.errors import InputError
from railcount.notebook import Scan
from railcount.outputs import geojson, overlay

from .outputs import factories

if TYPE_CHECKING:
    from pathlib import Path

NAME = "<script>alert(1)</script>&\x1b[2J.tif"


def scanned(count: TileCount, **reading: Any) -> Scan:
    return Scan(**{one.name: getattr(count, one.name) for one in fields(TileCount)}, reading=reading)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the library was asked for, by a scan that is made up."""
    heard: list[dict[str, Any]] = []

    def scan_tile(path: Any, **options: Any) -> TileCount:
        heard.append({"path": path, **options})
        return factories.counted(with_strips=True)

    monkeypatch.setattr("railcount.pipeline.scan_tile", scan_tile)
    return heard


def test_options_are_those_of_the_command_and_reach_the_library(asked: list[dict[str, Any]]) -> None:
    options = {"tracks": "t.geojson", "mask": "m.tif", "valid": "v.tif", "site": "tumangang"}
    result = railcount.scan("a.tif", **options, date="2023-10-05", stock="any", gsd=0.3, baseline=False)
    day = date(2023, 10, 5)
    assert asked == [
        {"path": "a.tif", **options, "date": day, "stock": "any", "gsd_m": 0.3, "baseline": False}
    ]
    assert result.reading == {"gsd_m": 0.3, "acquired": day}
    assert (result.railcars, result.tile) == (factories.counted().railcars, "sample/yard.tif")
    known = {flag.lstrip("-") for one in command.params for flag in (*one.opts, *one.secondary_opts)}
    taken = set(inspect.signature(railcount.scan).parameters) - {"path", "baseline"}
    assert taken <= known
    assert "no-baseline" in known


@pytest.mark.parametrize("day", ["5 Oct 2023", "2023-13-01", "1900-01-01", date(1900, 1, 1)])
def test_a_day_that_is_none_is_refused(asked: list[dict[str, Any]], day: Any) -> None:
    with pytest.raises(InputError, match=r"is not a day|is no day of an image"):
        railcount.scan("a.tif", date=day)
    assert asked == []


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("count", factories.every_status(), ids=lambda count: count.status)
def test_html_says_what_the_command_prints_and_hostile_names_stay_text(count: TileCount) -> None:
    taken = count.acquisition and replace(count.acquisition, credit=NAME, sensor=NAME)
    hostile = replace(count, tile=NAME, site=NAME, zone=NAME, reasons=(NAME,), acquisition=taken)
    page = Tags()
    page.feed(scanned(hostile)._repr_html_())
    page.close()
    assert page.tags == ["pre"]
    assert r"<script>alert(1)</script>&\x1b[2J.tif" in page.text
    assert "\x1b" not in page.text
    shown = "73 railcars (70-76, 90 %)" if count.railcars == factories.counted().railcars else ""
    assert shown in page.text
    assert "\x1b" not in repr(scanned(hostile))


def test_repr_is_the_headline() -> None:
    assert repr(scanned(factories.counted())).startswith("<sample/yard.tif: 73 railcars (70-76, 90 %) on 3")


def test_plot_is_the_overlay_and_opens_the_tile_as_it_was_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, opened = factories.tile(), []

    def open_tile(path: str, **options: Any) -> Any:
        opened.append((path, options))
        return drawn

    monkeypatch.setattr("railcount.raster.open_tile", open_tile, raising=False)
    result = scanned(factories.counted(with_strips=True), gsd_m=0.5, acquired=None)
    overlay.draw_overlay(result, drawn, tmp_path / "a.png")  # type: ignore[arg-type]
    overlay.draw_strips(result, tmp_path / "s.png")
    for image, name in ((result.plot(), "a.png"), (result.plot(strips=True), "s.png")):
        assert np.array_equal(np.asarray(image), (imread(tmp_path / name)[..., :3] * 255).round())
    assert opened == [("sample/yard.tif", {"gsd_m": 0.5, "acquired": None})]


def test_geojson_is_that_of_the_command() -> None:
    result = scanned(factories.counted())
    assert result.to_geojson() == json.loads(geojson.dumps([factories.counted()]))


@pytest.mark.parametrize("crs", ["EPSG:32652", None])
def test_geopandas_has_the_vehicles_in_their_place(crs: str | None) -> None:
    pytest.importorskip("geopandas")
    result = scanned(factories.counted(crs=crs))
    frame = result.to_geopandas()
    assert len(frame) == len(result.cars) == 30
    assert (frame.crs is None) == (crs is None)
    assert frame.crs is None or frame.crs == crs
    assert list(frame["kind"]) == [car.kind for car in result.cars]
    area = [car.length_m * car.width_m for car in result.cars]
    assert np.allclose(frame.area * (1 if crs else factories.GSD_M**2), area, rtol=0.01)


def test_geopandas_without_a_count_is_empty() -> None:
    pytest.importorskip("geopandas")
    frame = scanned(factories.without_count("refused")).to_geopandas()
    assert len(frame) == 0
    assert {"kind", "confidence", "geometry"} <= set(frame.columns)


def test_without_geopandas_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(InputError, match="pip install geopandas"):
        scanned(factories.counted()).to_geopandas()


def test_the_whole_way_on_a_file(tmp_path: Path) -> None:
    result = railcount.scan(tmp_path / "none.tif")
    assert (result.status, result.railcars) == ("failed", None)
    assert "none.tif" in result._repr_html_()
