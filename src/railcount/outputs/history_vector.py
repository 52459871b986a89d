"""A history as a GeoPackage: cars, tracks and a table of passes."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from railcount.files import replacing
from railcount.geopackage import check_whole
from railcount.outputs.columns import HISTORY_CARS, HISTORY_TRACKS, history_car, table_cells
from railcount.outputs.history import COLUMNS, FLOATS, INTEGERS, OneFrame, row
from railcount.outputs.json import rounded
from railcount.outputs.styles import N_STYLES, add_styles
from railcount.outputs.vector import LON_LAT, fields_of, wkb, write_layer

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from railcount.history import Summary
    from railcount.observation import PassCount
    from railcount.outputs.vector import Fields

PASSES_AT_ONCE = 200
"""In memory."""

_PASSES: dict[str, type] = {
    name: int if name in INTEGERS else float if name in FLOATS else str for name in COLUMNS
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
            write_layer(temporary, "passes", None, None, fields_of(rows, _PASSES), crs=None)
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
    rows = [
        table_cells(
            {
                "pass": one.id,
                "tile": tile.tile,
                "id": track.id,
                "length_m": track.length_m,
                "visible_fraction": rounded(track.visible_fraction, 3),
                "confidence": track.confidence,
            }
        )
        for one, tile, track in tracks
    ]
    write_layer(path, "tracks", "LineString", wkb(lines), fields_of(rows, HISTORY_TRACKS), crs=crs)
    return {"railcars": len(cars[0]), "tracks": len(tracks)}


def car_table(passes: Sequence[PassCount]) -> tuple[NDArray[np.object_], Fields]:
    """Outlines as WKB and the columns of the passes' vehicles."""
    import shapely

    cars = [(one, car) for one in passes for car in one.cars]
    rows = [table_cells(history_car(one, car)) for one, car in cars]
    return wkb([shapely.Polygon(car.ring) for _, car in cars]), fields_of(rows, HISTORY_CARS)
