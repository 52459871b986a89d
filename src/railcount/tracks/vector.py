"""Track lines from and to vector files: GeoJSON and GeoPackage, in any CRS.

With a grid that has no CRS, coordinates are the tile's pixels (x right, y down).
"""

from __future__ import annotations

import json
import math
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from railcount.documents import most_values
from railcount.errors import InputError, OutputError
from railcount.files import replacing
from railcount.geopackage import check_whole
from railcount.raster.paths import read_head
from railcount.text import one_line
from railcount.tracks.clip import clip_to_raster
from railcount.tracks.geopackage import EXPORT, LAYER, LINES_ONLY, read_layer
from railcount.tracks.network import Track
from railcount.wkt import only_describes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.tracks.network import TrackNetwork

MAX_BYTES = 50 * 2**20
"""Of a file of lines: a country's railways fit, a mistake does not."""
MAX_VERTICES = 500_000
MAX_LINES = 5000
"""Within a tile, as they are cut at its edge."""
CLOSEST_M = 1.0
"""Lines as long in all as if they lay over the whole tile so close: tracks lie 3.6 m apart at least."""
MAX_VALUES = 10 * MAX_VERTICES
"""Of a GeoJSON file: numbers, lists, properties. A vertex is four; parsed they take 100 bytes each."""
MOST = 1e12
"""Of a coordinate, in any unit."""
MARGIN_M = 20.0
"""Lines are kept this far outside the raster: registration may still move them."""
LONG_M = 500.0
"""Longer straight pieces get vertices in between when the file's CRS is not the raster's: over 500 m a
straight line in degrees lies up to 5 mm from one in metres (L^2 tan(lat) / 8 R)."""
_WRITE_STEP_M = 100.0
"""Vertices are written at most this far apart, where the same error is 0.2 mm."""
_ID_FIELDS = ("id", "track", "name")
_CRS_NAME = re.compile(
    r"(urn:ogc:def:crs:\w+:[\w.]*:\w+|\w+:\w+|https?://www\.opengis\.net/def/crs/[\w./]+)\Z"
)


class _Line(NamedTuple):
    """A line as it stands in a file."""

    id: str | None
    xy: NDArray[np.float64]


def read_lines(path: str | os.PathLike[str], *, grid: Grid) -> tuple[Track, ...]:
    """Track lines from a GeoJSON or GeoPackage file, in the pixel coordinates of ``grid``.

    Lines are cut at the raster's edge plus 20 m, so lines far away give an empty tuple. Ids come
    from a property ``id``, ``track`` or ``name``, else from the order; parts of one line get
    ``.1``, ``.2``. A GeoJSON's old ``crs`` member is honoured.

    Raises MissingInput, or InputError that says what is wrong with the file.
    """
    where = Path(path)
    data = read_head(where, n_bytes=MAX_BYTES + 1, refused=InputError, unreadable=InputError)
    name = one_line(where.name)
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES // 2**20} MB: cut it to the yard")
    crs: str | None
    if data.startswith(b"SQLite format 3\x00"):
        crs, lines = _read_geopackage(data, name=name)
    else:
        crs, lines = _read_geojson(data, name=name)
    if not lines:
        raise InputError(
            f"{name} holds no lines: draw the tracks in QGIS and save them, or do without --tracks"
        )
    if sum(len(line.xy) for line in lines) > MAX_VERTICES:
        raise InputError(f"{name} holds more than {MAX_VERTICES:,} vertices: cut it to the yard")
    vertices = np.concatenate([line.xy for line in lines])
    if not np.isfinite(vertices).all():
        raise InputError(
            f"{name} has coordinates that are not numbers (NaN or infinite): draw these lines anew"
        )
    if (np.abs(vertices) > MOST).any():
        raise InputError(
            f"{name} has coordinates that no CRS reaches (beyond {MOST:g}): draw these lines anew"
        )
    pixels = _PixelsFrom(crs, grid=grid, name=name).lines([line.xy for line in lines])
    return _tracks(map(_Line, (line.id for line in lines), pixels), grid=grid, file=name)


def _read_geojson(data: bytes, *, name: str) -> tuple[str | None, list[_Line]]:
    """CRS (None: the standard's longitude and latitude) and lines."""

    if most_values(data) > MAX_VALUES:
        raise InputError(f"{name} holds more than {MAX_VALUES:,} values: cut it to the yard")

    def no_constant(text: str) -> float:
        raise InputError(f"{name} has {text} for a number: {EXPORT}")

    try:
        document = json.loads(data, parse_constant=no_constant)
    except InputError:
        raise
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise InputError(f"{name} is neither GeoJSON nor GeoPackage: {EXPORT}") from None
    if not isinstance(document, dict) or "type" not in document:
        raise InputError(f"{name} is JSON but not GeoJSON, it has no 'type': {EXPORT}")
    lines: list[_Line] = []
    for number, feature in enumerate(_features(document, name=name), 1):
        where = f"{name}, feature {number}"
        if not isinstance(feature, dict):
            raise InputError(f"{where} is not an object: {EXPORT}")
        properties = feature.get("properties")
        properties = dict(properties) if isinstance(properties, dict) else {}
        geometry = feature.get("geometry", feature if "coordinates" in feature else None)
        if geometry is None:
            continue
        parts = _geojson_parts(geometry, where=where)
        lines.extend(_named(_id_of(properties, feature.get("id")), parts))
    return _legacy_crs(document, name=name), lines


def _features(document: dict[str, Any], *, name: str) -> list[Any]:
    if document["type"] != "FeatureCollection":
        return [document]
    features = document.get("features")
    if not isinstance(features, list):
        raise InputError(f"{name} is a FeatureCollection without a list of features: {EXPORT}")
    return features


def _geojson_parts(geometry: Any, *, where: str) -> list[NDArray[np.float64]]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("LineString", "MultiLineString"):  # it can be a list, which no set takes
        raise InputError(f"{where} is a {one_line(kind)}: {LINES_ONLY}")
    coordinates = geometry.get("coordinates")
    parts = [coordinates] if kind == "LineString" else coordinates
    if not isinstance(parts, list):
        raise InputError(f"{where} has no list of coordinates: {EXPORT}")
    arrays = []
    for part in parts:
        try:
            array = np.array([point[:2] for point in part], dtype=np.float64).reshape(-1, 2)
        except (TypeError, ValueError, KeyError, OverflowError):
            raise InputError(f"{where} has coordinates that are not pairs of numbers: {EXPORT}") from None
        if len(array):
            arrays.append(array)
    return arrays


def _legacy_crs(document: dict[str, Any], *, name: str) -> str | None:
    """The member ``crs`` of GeoJSON before RFC 7946, still written by GDAL and QGIS."""
    crs = document.get("crs")
    if crs is None:
        return None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    text = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(text, str):
        raise InputError(f"{name} has a 'crs' member that names no CRS: {EXPORT}")
    if not _CRS_NAME.match(text):  # a PROJ string could name other files
        raise InputError(f"{name} has a 'crs' member of an unknown form, {one_line(text)}: {EXPORT}")
    return None if text.upper().endswith("CRS84") else text


def _read_geopackage(data: bytes, *, name: str) -> tuple[str, list[_Line]]:
    """CRS ("" where undefined) and lines of the one layer that has lines."""
    crs, features = read_layer(data, name=name, fields=_ID_FIELDS, max_vertices=MAX_VERTICES)
    return crs, [line for values, parts in features for line in _named(_id_of(values, None), parts)]


def _id_of(properties: dict[str, Any], default: Any) -> str | None:
    lowered = {str(key).lower(): value for key, value in properties.items()}
    for value in [lowered.get(field) for field in _ID_FIELDS] + [default]:
        if isinstance(value, (float, np.floating)):
            if math.isfinite(value):
                return f"{float(value):g}"
        elif value is not None and not isinstance(value, (dict, list, bool)) and str(value).strip():
            return one_line(value, max_length=80)
    return None


def _named(name: str | None, parts: list[NDArray[np.float64]]) -> list[_Line]:
    if name is None or len(parts) == 1:
        return [_Line(name, part) for part in parts]
    return [_Line(f"{name}.{number}", part) for number, part in enumerate(parts, 1)]


class _PixelsFrom:
    """Coordinates of a file to pixel coordinates of a grid."""

    def __init__(self, crs: str | None, *, grid: Grid, name: str) -> None:
        self.grid = grid
        self.name = name
        self.transformer: Any = None
        self.standard = crs is None
        if grid.crs is None:
            return
        from pyproj import CRS, Transformer
        from pyproj.exceptions import ProjError

        if crs == "":
            raise InputError(f"{name} has no CRS: set one (in QGIS: layer properties, source)")
        code = crs or "OGC:CRS84"
        if not _CRS_NAME.match(code) and not only_describes(code):
            raise InputError(
                f"{name} has a CRS that may lead to other files, {one_line(code, max_length=80)}: save the "
                "lines in a CRS with an EPSG code"
            )
        try:
            source = CRS.from_user_input(code)
            if source.is_bound and source.source_crs is not None:
                source = source.source_crs
            self.transformer = Transformer.from_crs(source, grid.crs, always_xy=True)
        except ProjError as error:
            raise InputError(
                f"{name} has a CRS that is not understood, {one_line(error)}: {EXPORT}"
            ) from None
        self.geographic = source.is_geographic
        self.same = source.equals(grid.crs)

    def lines(self, lines: list[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
        """Each line (n, 2) in pixels; all at once, since each call of PROJ takes longer than a line."""
        if self.transformer is None:
            yield from lines
            return
        vertices = np.concatenate(lines)
        if self.geographic and (np.abs(vertices) > [360.0, 90.0]).any():
            raise InputError(
                f"{self.name} has coordinates beyond 90 or 360 degrees and names no other CRS: "
                "save it with its CRS (GeoPackage), or as WGS84 longitude and latitude"
            )
        ends = np.cumsum([len(line) for line in lines])
        for xy, pixels in zip(lines, np.split(self._convert(vertices), ends[:-1]), strict=True):
            curved = xy if self.same else _densify(xy, pixels, grid=self.grid, step_m=LONG_M)
            yield pixels if curved is xy else self._convert(curved)

    def _convert(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.standard:
            pixels = self.grid.from_lonlat(xy)
        else:
            x, y = self.transformer.transform(xy[:, 0], xy[:, 1])
            pixels = self.grid.from_world(np.stack([np.asarray(x), np.asarray(y)], axis=-1))
        if not np.isfinite(pixels).all():
            raise InputError(
                f"{self.name} has coordinates outside the area of the raster's CRS: is its own CRS right?"
            )
        return pixels


def _densify(
    xy: NDArray[np.float64], pixels: NDArray[np.float64], *, grid: Grid, step_m: float
) -> NDArray[np.float64]:
    """``xy`` with vertices added where two stand more than ``step_m`` apart on the ground."""
    lengths = np.linalg.norm(np.diff(grid.to_local(pixels), axis=0), axis=1)
    n_pieces = np.clip(np.ceil(lengths / step_m), 1, 1000).astype(np.int64)
    if (n_pieces == 1).all():
        return xy
    position = np.concatenate([np.arange(n) / n + i for i, n in enumerate(n_pieces)] + [[len(xy) - 1.0]])
    knots = np.arange(len(xy))
    return np.stack([np.interp(position, knots, xy[:, axis]) for axis in (0, 1)], axis=-1)


def _tracks(lines: Iterable[_Line], *, grid: Grid, file: str) -> tuple[Track, ...]:
    tracks: list[Track] = []
    n_m, most_m = 0.0, _most_m(grid)
    taken: set[str] = set()
    copies: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        pieces = clip_to_raster(line.xy, grid=grid, margin_m=MARGIN_M)
        for part, piece in enumerate(pieces, 1):
            wanted = line.id or str(number)
            wanted = wanted if len(pieces) == 1 else f"{wanted}.{part}"
            name = wanted
            while name in taken:
                copies[wanted] = copies.get(wanted, 1) + 1
                name = f"{wanted}-{copies[wanted]}"
            taken.add(name)
            tracks.append(Track(id=name, line_px=piece))
            n_m += float(np.linalg.norm(np.diff(grid.to_local(piece), axis=0), axis=1).sum())
        if len(tracks) > MAX_LINES or n_m > most_m:
            raise InputError(
                f"{file} has more lines within the tile than tracks can lie there ({MAX_LINES:,} lines, "
                f"{most_m / 1000:,.0f} km): leave out what is no track"
            )
    return tuple(tracks)


def _most_m(grid: Grid) -> float:
    """Length of all lines within a tile and its margin, above which they are no tracks."""
    across_m, down_m = (
        side * float(np.linalg.norm(step)) + 2 * MARGIN_M
        for side, step in zip((grid.width, grid.height), grid.local_from_pixel.T, strict=True)
    )
    return across_m * down_m / CLOSEST_M


def write_lines(
    network: TrackNetwork,
    path: str | os.PathLike[str],
    *,
    grid: Grid,
    credit: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write the tracks as GeoJSON (``.geojson``, ``.json``) or GeoPackage (``.gpkg``).

    GeoJSON holds WGS84 longitude and latitude (RFC 7946), GeoPackage the raster's own CRS; without
    a CRS both hold pixel coordinates. The same network gives the same bytes. ``credit`` is the image's,
    and says where it is simulated: a member of the GeoJSON, a column of the GeoPackage.

    Raises InputError for another suffix, OutputExists, OutputError.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in {".geojson", ".json", ".gpkg"}:
        raise InputError(f"tracks are written as .geojson, .json or .gpkg, not {one_line(suffix)!r}")
    with replacing(target, overwrite=overwrite) as temporary:
        if suffix == ".gpkg":
            _write_geopackage(network, temporary, grid=grid, credit=credit)
        else:
            text = json.dumps(
                _to_geojson(network, grid=grid, credit=credit), ensure_ascii=False, allow_nan=False, indent=1
            )
            temporary.write_text(text + "\n", encoding="utf-8")


def _to_geojson(network: TrackNetwork, *, grid: Grid, credit: str | None) -> dict[str, Any]:
    features = []
    for track in network.tracks:
        line = track.line_px
        if grid.crs is None:
            coordinates = [[round(x, 6) for x in point] for point in line.tolist()]
        else:
            line = _densify(line, line, grid=grid, step_m=_WRITE_STEP_M)
            # 9 decimals of a degree are 0.1 mm
            coordinates = [[round(x, 9) for x in point] for point in grid.to_lonlat(line).tolist()]
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "id": track.id,
                    "source": network.source,
                    "confidence": round(track.confidence, 3),
                },
                "geometry": {"type": "LineString", "coordinates": coordinates},
            }
        )
    named = {} if credit is None else {"credit": credit}
    return {"type": "FeatureCollection", **named, "features": features}


def _write_geopackage(network: TrackNetwork, path: Path, *, grid: Grid, credit: str | None) -> None:
    import pyogrio
    import shapely

    tracks = network.tracks
    lines = [shapely.LineString(grid.to_world(track.line_px)) for track in tracks]
    columns = {
        "id": np.array([track.id for track in tracks], dtype=object),
        "source": np.array([network.source for _ in tracks], dtype=object),
        "confidence": np.array([round(track.confidence, 3) for track in tracks], dtype=np.float64),
    }
    if credit is not None:
        columns["credit"] = np.array([credit for _ in tracks], dtype=object)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        # GeoPackage keeps the time of its last change: a fixed one gives the same bytes every time
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "1970-01-01T00:00:00.000Z"})
        try:
            pyogrio.raw.write(
                path,
                shapely.to_wkb(np.array(lines, dtype=object)),
                list(columns.values()),
                list(columns),
                geometry_type="LineString",
                crs=grid.crs.to_wkt() if grid.crs is not None and grid.crs_name is None else _authority(grid),
                layer=LAYER,
                driver="GPKG",
                # Older programs complain of 1.4, which GDAL would write.
                dataset_options={"VERSION": "1.2"},
            )
        except RuntimeError as error:  # pyogrio's errors are RuntimeErrors
            raise OutputError(f"the GeoPackage could not be written: {one_line(error)}") from error
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    check_whole(path, n_rows={LAYER: len(tracks)})


def _authority(grid: Grid) -> str | None:
    if grid.crs is None:
        return None
    authority = grid.crs.to_authority()
    return ":".join(authority) if authority else str(grid.crs.to_wkt())
