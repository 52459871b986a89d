"""The room of rasters: opening files that strangers made, their grid, and how they were taken.

``open_tile(path)`` is the way in. Names are lazy: importing this package loads the standard
library alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from railcount.raster.limits import Limits
    from railcount.raster.names import NameInfo, parse_name
    from railcount.raster.opening import RasterTile, open_tile
    from railcount.raster.tile import Pixels, Tile, Window

__all__ = ["Limits", "NameInfo", "Pixels", "RasterTile", "Tile", "Window", "open_tile", "parse_name"]

_HOMES = {
    "Limits": "limits",
    "NameInfo": "names",
    "Pixels": "tile",
    "RasterTile": "opening",
    "Tile": "tile",
    "Window": "tile",
    "open_tile": "opening",
    "parse_name": "names",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
