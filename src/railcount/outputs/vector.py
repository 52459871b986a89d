"""A GeoPackage with the vehicles, the tracks, and a table of the tiles."""

from __future__ import annotations

import re
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.errors import InputError, OutputError
from railcount.files import replacing
from railcount.geopackage import check_whole
from railcount.outputs.columns import SCAN_CARS, SCAN_TRACKS, scan_car, table_cells
from railcount.outputs.csv import COLUMNS, TEXT_COLUMNS, row
from railcount.outputs.geojson import to_lon_lat
from railcount.outputs.json import rounded
from railcount.outputs.table import track_length_m
from railcount.text import escape, one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from railcount.counts import TileCount
    from railcount.raster.grid import Grid

    Fields = dict[str, np.ma.MaskedArray[Any, Any]]

TIME = "1970-01-01T00:00:00.000Z"
"""Put where a GeoPackage wants the time of its making, so that the same count gives the same bytes."""
LON_LAT = "EPSG:4326"
"""WGS 84, longitude first."""
_LOCK = threading.Lock()
_INTEGERS = re.compile(
    r"(railcars|locomotives|covered)_(best|low|high)|type_\w+|trains|tracks_n|comparison_(n|max)"
)
_DTYPES: dict[type, Any] = {str: np.object_, int: np.int64, float: np.float64, bool: np.bool_}


def write_geopackage(
    counts: Sequence[TileCount], path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write the layers ``railcars`` (polygons), ``tracks`` (lines) and ``tiles`` (a row per tile).

    QGIS finds their style in the file.

    Coordinates are in the tiles' CRS where they share one, in WGS 84 where they do not, and
    in pixels (x right, y down) without a CRS.

    Raises InputError where some tiles have a CRS and some have none; OutputExists and
    OutputError as ``files.replacing`` does.
    """
    from railcount.outputs.styles import N_STYLES, add_styles

    crs = crs_of(counts)
    shared = crs != LON_LAT
    with replacing(path, overwrite=overwrite) as temporary:
        cars, tracks = car_table(counts, shared=shared), _track_table(counts, shared=shared)
        write_layer(temporary, "railcars", "Polygon", *cars, crs=crs)
        write_layer(temporary, "tracks", "LineString", *tracks, crs=crs)
        write_layer(temporary, "tiles", None, None, _tile_table(counts), crs=None)
        add_styles(temporary, train_of=("tile", "train"))
        n_rows = {
            "railcars": len(cars[0]),
            "tracks": len(tracks[0]),
            "tiles": len(counts),
            "layer_styles": N_STYLES,
        }
        check_whole(temporary, n_rows=n_rows)


def crs_of(counts: Sequence[TileCount]) -> str | None:
    """The CRS of the tiles as WKT where they share one, LON_LAT where they do not, None without any.

    Raises InputError where some have one and some have none.
    """
    grids = [count.grid for count in counts if count.grid is not None]
    names = {grid.crs.to_wkt() if grid.crs is not None else None for grid in grids}
    if None in names and len(names) > 1:
        msg = "tiles in one file must all have a CRS or all have none; write them to separate files"
        raise InputError(msg)
    return names.pop() if len(names) == 1 else LON_LAT if names else None


def car_table(counts: Sequence[TileCount], *, shared: bool) -> tuple[NDArray[np.object_], Fields]:
    """Outlines as WKB and the columns of the vehicles; in the tiles' CRS where ``shared``, else LON_LAT."""
    import shapely

    shapes, rows = [], []
    for count in counts:
        for car, grid in ((car, _grid(count)) for car in count.cars):
            shapes.append(shapely.Polygon(_place(car.outline_px, grid=grid, shared=shared)))
            rows.append(table_cells(scan_car(count, car)))
    return wkb(shapes), fields_of(rows, SCAN_CARS)


def _track_table(counts: Sequence[TileCount], *, shared: bool) -> tuple[NDArray[np.object_], Fields]:
    import shapely

    shapes, rows = [], []
    for count in counts:
        seen = {one.id: one.visible_fraction for one in count.tracks.each} if count.tracks else {}
        for track in count.network.tracks if count.network is not None else ():
            grid = _grid(count)
            shapes.append(shapely.LineString(_place(track.line_px, grid=grid, shared=shared)))
            cells = {
                "tile": count.tile,
                "id": track.id,
                "length_m": rounded(track_length_m(track, grid=grid), 2),
                "visible_fraction": rounded(seen.get(track.id), 3),
                "confidence": rounded(track.confidence, 3),
            }
            rows.append(table_cells(cells))
    return wkb(shapes), fields_of(rows, SCAN_TRACKS)


def _tile_table(counts: Sequence[TileCount]) -> Fields:
    return fields_of([row(count) for count in counts], {name: _tile_type(name) for name in COLUMNS})


def _tile_type(name: str) -> type:
    if name in TEXT_COLUMNS:
        return str
    return int if _INTEGERS.fullmatch(name) else float


def _grid(count: TileCount) -> Grid:
    if count.grid is None:
        msg = f"{escape(count.tile)} has vehicles or tracks but no grid to place them on"
        raise InputError(msg)
    return count.grid


def _place(pixels: NDArray[np.float64], *, grid: Grid, shared: bool) -> NDArray[np.float64]:
    return grid.to_world(pixels) if shared else to_lon_lat(pixels, grid=grid)


def fields_of(rows: Sequence[dict[str, Any]], kinds: dict[str, type]) -> Fields:
    """The columns of some rows, in the order of ``kinds``."""
    return {name: column([cells[name] for cells in rows], kind=kind) for name, kind in kinds.items()}


def column(values: Sequence[Any], *, kind: type) -> np.ma.MaskedArray[Any, Any]:
    """A column of str, int, float or bool; None is masked and becomes NULL."""
    unknown = [value is None for value in values]
    known = [kind() if value is None else value for value in values]
    data: NDArray[Any] = np.array(known, dtype=_DTYPES[kind])
    return np.ma.MaskedArray(data, mask=np.array(unknown, dtype=bool))


def wkb(shapes: Sequence[Any]) -> NDArray[np.object_]:
    """Shapes as GDAL takes them."""
    import shapely

    made = np.empty(len(shapes), dtype=object)
    made[:] = [shapely.to_wkb(shape) for shape in shapes]
    return made


def write_layer(
    path: Path,
    layer: str,
    geometry_type: str | None,
    shapes: NDArray[np.object_] | None,
    fields: Fields,
    *,
    crs: str | None,
) -> None:
    """Add rows to a layer of a GeoPackage; the file and the layer are made where they are missing.

    ``geometry_type`` and ``shapes`` are None for a table without geometry. Raises OutputError.
    """
    import pyogrio
    from pyogrio.errors import DataSourceError, FeatureError, FieldError, GeometryError

    with _quiet_gdal():
        try:
            pyogrio.raw.write(
                path,
                shapes,
                [one.data for one in fields.values()],
                list(fields),
                field_mask=[one.mask for one in fields.values()],
                geometry_type=geometry_type,
                crs=crs,
                layer=layer,
                driver="GPKG",
                append=path.exists(),
                # Older programs complain of 1.4, which GDAL would write.
                dataset_options=None if path.exists() else {"VERSION": "1.2"},
            )
        except (DataSourceError, FeatureError, FieldError, GeometryError) as error:
            # GDAL quotes pages of SQL before it says why.
            msg = f"the layer {layer} could not be written: {one_line(str(error).rpartition('failed: ')[2])}"
            raise OutputError(msg) from error


@contextmanager
def _quiet_gdal() -> Iterator[None]:
    """One writer at a time, at a fixed time, without the warning about a missing CRS."""
    import pyogrio

    with _LOCK, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": TIME})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
