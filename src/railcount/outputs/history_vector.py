"""A history as a GeoPackage: cars, tracks and a table of passes."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.files import replacing
from railcount.geopackage import check_whole
from railcount.outputs.history import COLUMNS, FLOATS, INTEGERS, OneFrame, row
from railcount.outputs.styles import N_STYLES, add_styles
from railcount.outputs.text import time_text
from railcount.outputs.vector import LON_LAT, column, wkb, write_layer
from railcount.text import escape

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from railcount.history import Summary
    from railcount.observation import PassCount

PASSES_AT_ONCE = 200
"""In memory."""

_CARS: dict[str, type] = {
    "pass": object,
    "acquired": object,
    "track": object,
    "train": np.int32,
    "position": np.int32,
    "kind": object,
    "covered": object,
    "length_m": np.float64,
    "width_m": np.float64,
    "heading_deg": np.float64,
    "confidence": np.float64,
    "flags": object,
}
_TRACKS: dict[str, type] = {
    "pass": object,
    "tile": object,
    # "id" is what --tracks reads a line's name from.
    "id": object,
    "length_m": np.float64,
    "visible_fraction": np.float64,
    "confidence": np.float64,
}
_PASSES: dict[str, type] = {
    name: np.int64 if name in INTEGERS else np.float64 if name in FLOATS else object for name in COLUMNS
}


def write_geopackage(
    summaries: Iterable[Summary],
    passes: Iterable[PassCount],
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> None:
    """Write the layers ``railcars`` (polygons), ``tracks`` (lines) and ``passes`` (a row a pass).

    QGIS finds their style in the file.

    Coordinates are longitude and latitude (WGS 84), or pixels where no pass has a CRS. Raises
    InputError where some have one and some have none; OutputExists and OutputError as
    ``files.replacing`` does.
    """
    frame = OneFrame()
    n_rows: Counter[str] = Counter()
    with replacing(path, overwrite=overwrite) as temporary:
        rest = frame(passes)
        while some := list(islice(rest, PASSES_AT_ONCE)):
            if frame.pixels is not None:
                n_rows.update(_add(temporary, some, crs=None if frame.pixels else LON_LAT))
        if frame.pixels is None:
            n_rows.update(_add(temporary, (), crs=LON_LAT))
        lines = iter(summaries)
        while True:
            rows = [row(one) for one in islice(lines, PASSES_AT_ONCE)]
            write_layer(temporary, "passes", None, None, _fields(rows, _PASSES), crs=None)
            n_rows.update(passes=len(rows))
            if len(rows) < PASSES_AT_ONCE:
                break
        add_styles(temporary, train_of=("pass", "train"))
        check_whole(temporary, n_rows={**n_rows, "layer_styles": N_STYLES})


def _add(path: Path, passes: Sequence[PassCount], *, crs: str | None) -> dict[str, int]:
    """Add the layers' rows; how many to each."""
    import shapely

    cars = car_table(passes)
    write_layer(path, "railcars", "Polygon", *cars, crs=crs)
    tracks = [
        (one, tile, track)
        for one in passes
        for tile in one.tiles
        for track in tile.tracks
        if len(track.line) > 1
    ]
    lines = [shapely.LineString(track.line) for *_, track in tracks]
    rows: list[dict[str, Any]] = [
        {
            "pass": escape(one.id),
            "tile": escape(tile.tile),
            "id": escape(track.id),
            "length_m": track.length_m,
            "visible_fraction": track.visible_fraction,
            "confidence": track.confidence,
        }
        for one, tile, track in tracks
    ]
    write_layer(path, "tracks", "LineString", wkb(lines), _fields(rows, _TRACKS), crs=crs)
    return {"railcars": len(cars[0]), "tracks": len(tracks)}


def car_table(passes: Sequence[PassCount]) -> tuple[NDArray[np.object_], dict[str, Any]]:
    """Outlines as WKB and the columns of the passes' vehicles."""
    import shapely

    cars = [(one, car) for one in passes for car in one.cars]
    rows: list[dict[str, Any]] = [
        {
            **{name: getattr(car, name, None) for name in _CARS},
            "pass": escape(one.id),
            "acquired": time_text(one),
            "track": escape(car.track),
            "covered": {True: "yes", False: "no", None: None}[car.covered],
            "flags": escape(", ".join(car.flags)),
        }
        for one, car in cars
    ]
    return wkb([shapely.Polygon(car.ring) for _, car in cars]), _fields(rows, _CARS)


def _fields(rows: Sequence[dict[str, Any]], kinds: dict[str, type]) -> dict[str, Any]:
    return {name: column([cells[name] for cells in rows], kind=kind) for name, kind in kinds.items()}
