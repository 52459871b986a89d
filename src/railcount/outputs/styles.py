"""How QGIS draws a GeoPackage of railcount's: a style for each layer, kept in the file itself.

QGIS reads the table ``layer_styles``, and in it QML alone. Cars are coloured by kind as in the pictures,
each train has one label (its number and its vehicles), tracks are thin lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from railcount.counts import KINDS
from railcount.outputs.picture import KIND_COLOURS
from railcount.outputs.vector import TIME, column, write_layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_COLUMNS = (
    *("f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName", "styleQML"),
    *("styleSLD", "useAsDefault", "description", "owner", "ui", "update_time"),
)
"""Of the table, as QGIS makes it."""

N_STYLES = 2
"""Of the layers ``railcars`` and ``tracks``."""


def add_styles(path: Path, *, train_of: Sequence[str]) -> None:
    """Add the styles of ``railcars`` and ``tracks`` to a GeoPackage.

    ``train_of`` are the columns that say together which train a car is in. Raises OutputError.
    """
    rows = [
        {
            "f_table_name": layer,
            "f_geometry_column": "geom",
            "styleName": "railcount",
            "styleQML": qml,
            "useAsDefault": True,
            "description": "Cars by kind, a label a train" if layer == "railcars" else "Tracks",
            "update_time": TIME,
        }
        for layer, qml in (("railcars", _cars(train_of)), ("tracks", _tracks()))
    ]
    fields = {
        name: column([row.get(name, "") for row in rows], kind=bool if name == "useAsDefault" else str)
        for name in _COLUMNS
    }
    write_layer(path, "layer_styles", None, None, fields, crs=None)


def _cars(train_of: Sequence[str]) -> str:
    categories = "".join(
        f'<category value="{kind}" symbol="{n}" label="{kind}" render="true"/>'
        for n, kind in enumerate(KINDS)
    )
    symbols = "".join(_fill(n, KIND_COLOURS[kind]) for n, kind in enumerate(KINDS))
    renderer = (
        '<renderer-v2 type="categorizedSymbol" attr="kind" forceraster="0" symbollevels="0">'
        f"<categories>{categories}</categories><symbols>{symbols}</symbols></renderer-v2>"
    )
    group = "||'|'||".join(f'"{name}"' for name in train_of)
    expression = (
        'CASE WHEN "position" = 1 THEN to_string("train") || \': \' || '
        f'to_string(count("fid", group_by:={group})) END'
    )
    return _qml(renderer + _labels(expression), geometry=2)


def _labels(expression: str) -> str:
    return (
        '<labeling type="simple"><settings calloutType="simple">'
        f'<text-style fieldName={quoteattr(expression)} isExpression="1" fontFamily="Sans Serif" '
        'fontSize="9" fontSizeUnit="Point" fontWeight="75" textColor="32,32,32,255" textOpacity="1">'
        '<text-buffer bufferDraw="1" bufferSize="1" bufferSizeUnits="MM" bufferColor="255,255,255,255" '
        'bufferOpacity="0.9"/></text-style>'
        '<placement placement="0" dist="2" distUnits="MM" quadOffset="4" polygonPlacementFlags="2"/>'
        '<rendering drawLabels="1" displayAll="0" obstacle="0" scaleVisibility="0"/>'
        "</settings></labeling>"
    )


def _tracks() -> str:
    layer = _layer("SimpleLine", line_color="70,70,70,255", line_width="0.3", line_width_unit="MM")
    symbol = f'<symbol type="line" name="0" alpha="0.7">{layer}</symbol>'
    return _qml(f'<renderer-v2 type="singleSymbol"><symbols>{symbol}</symbols></renderer-v2>', geometry=1)


def _fill(n: int, colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    layer = _layer(
        "SimpleFill",
        color=f"{red},{green},{blue},255",
        style="solid",
        outline_color="32,32,32,255",
        outline_style="solid",
        outline_width="0.15",
        outline_width_unit="MM",
    )
    return f'<symbol type="fill" name="{n}" alpha="1">{layer}</symbol>'


def _layer(kind: str, **options: str) -> str:
    """A symbol's layer, with its options in the ways of QGIS 3.22 and later and of those before."""
    new = "".join(f'<Option type="QString" name="{name}" value="{v}"/>' for name, v in options.items())
    old = "".join(f'<prop k="{name}" v="{v}"/>' for name, v in options.items())
    return f'<layer class="{kind}" enabled="1" pass="0"><Option type="Map">{new}</Option>{old}</layer>'


def _qml(content: str, *, geometry: int) -> str:
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22.0" styleCategories="Symbology|Labeling" labelsEnabled="1">'
        f"{content}<layerGeometryType>{geometry}</layerGeometryType></qgis>\n"
    )
