"""The style that a GeoPackage brings along."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from pyogrio import raw

from railcount.counts import KINDS
from railcount.outputs.picture import KIND_COLOURS
from railcount.outputs.vector import write_geopackage

from . import factories

if TYPE_CHECKING:
    from pathlib import Path


def styles(path: Path) -> dict[str, ET.Element]:
    meta, _, _, columns = raw.read(path, layer="layer_styles")
    cells = dict(zip(meta["fields"], columns, strict=True))
    # What QGIS asks for: the default style of a layer with this geometry column, in no schema.
    assert cells["f_table_schema"].tolist() == ["", ""]
    assert cells["f_geometry_column"].tolist() == ["geom", "geom"]
    assert [bool(one) for one in cells["useAsDefault"]] == [True, True]
    texts = [str(text).partition("\n")[2] for text in cells["styleQML"]]
    return dict(zip(cells["f_table_name"].tolist(), map(ET.fromstring, texts), strict=True))


def test_cars_are_coloured_by_kind_and_trains_have_a_label(tmp_path: Path) -> None:
    target = tmp_path / "cars.gpkg"
    write_geopackage([factories.counted()], target)
    found = styles(target)
    assert list(found) == ["railcars", "tracks"]
    cars = found["railcars"]
    assert {c.get("value"): c.get("symbol") for c in cars.iter("category")} == {
        kind: str(n) for n, kind in enumerate(KINDS)
    }
    colours = {
        symbol.get("name"): option.get("value")
        for symbol in cars.iter("symbol")
        for option in symbol.iter("Option")
        if option.get("name") == "color"
    }
    for n, kind in enumerate(KINDS):
        rgb = tuple(int(KIND_COLOURS[kind][k : k + 2], 16) for k in (1, 3, 5))
        assert colours[str(n)] == "{},{},{},255".format(*rgb)
    (label,) = cars.iter("text-style")
    assert label.get("isExpression") == "1"
    assert '"tile"||\'|\'||"train"' in str(label.get("fieldName"))
    assert cars.get("labelsEnabled") == "1"
