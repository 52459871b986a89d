"""Coordinate systems that strangers wrote as text (WKT): whether PROJ would open other files for them.

Even a text without a transformation can name a grid or a chain of PROJ's steps: in a method's name, in an
EXTENSION, in a REMARK. So what may stand in one is listed, and nothing else is handed on.
"""

from __future__ import annotations

import re

MAX_LETTERS = 20_000
_STRING = re.compile(r'"(?:[^"=\[\]\u201c\u201d]|towgs84=)*"')
"""GDAL names a datum after its seven parameters. No other name needs an equals sign; steps of PROJ do."""
_REST = re.compile(r"[\w\s\[\],.+-]+", re.ASCII)
_WORD = re.compile(r"\w+(?=\s*\[)")
_WORDS = {
    *("PROJCS", "GEOGCS", "DATUM", "SPHEROID", "TOWGS84", "PRIMEM", "UNIT", "AXIS", "AUTHORITY"),
    *("PROJECTION", "PARAMETER", "PROJCRS", "GEOGCRS", "GEODCRS", "BASEGEOGCRS", "BASEGEODCRS", "ELLIPSOID"),
    *("ENSEMBLE", "MEMBER", "ENSEMBLEACCURACY", "LENGTHUNIT", "ANGLEUNIT", "SCALEUNIT"),
    *("METHOD", "CONVERSION", "CS", "ORDER", "MERIDIAN", "ID", "SCOPE", "AREA", "BBOX", "USAGE"),
    *("DYNAMIC", "FRAMEEPOCH", "ANCHOR", "ANCHOREPOCH"),
}
"""Of places on the ground, old and new; not EXTENSION, REMARK, PARAMETERFILE, DERIVINGCONVERSION and more."""


def only_describes(wkt: str) -> bool:
    """Whether a text is one WKT that describes a CRS by names and numbers alone."""
    if len(wkt) > MAX_LETTERS:
        return False
    bare = _STRING.sub("", wkt.strip())
    words = {word.upper() for word in _WORD.findall(bare)}
    return _REST.fullmatch(bare) is not None and words <= _WORDS and _is_one(bare)


def _is_one(bare: str) -> bool:
    """Whether the first bracket is closed by the last letter."""
    depth = 0
    for at, letter in enumerate(bare, 1):
        depth += (letter == "[") - (letter == "]")
        if depth < 0 or (depth == 0 and letter == "]" and at < len(bare)):
            return False
    return depth == 0 and bare.endswith("]")
