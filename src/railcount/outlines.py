"""Car outlines from GeoJSON files, brought into one metric plane.

The files are read with the standard library and trusted with nothing: size, types, numbers and rings
are checked before any geometry is made.
"""

from __future__ import annotations

import json
import math
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from railcount.counts import STATUSES_WITH_COUNT, Interval
from railcount.documents import most_values
from railcount.errors import InputError, MissingInput
from railcount.text import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_BYTES = 128 * 2**20
"""Of a GeoJSON file; 100,000 cars take about 50 MB."""
MAX_FEATURES = 200_000
MAX_VALUES = 6_000_000
"""Numbers, lists and properties; parsed they take about 100 bytes each."""
MAX_RING_POSITIONS = 10_000
MAX_OUTLINE_DEG = 0.01
"""Longer than any vehicle: 0.01 degrees of latitude are 1.1 km. What spans more is not in degrees."""
MAX_PIXEL = 1e7
"""Pixel coordinates beyond this are not pixels."""
WGS84 = "OGC:CRS84"
PIXELS = "pixels"

_CRS_NAME = re.compile(r"^(?:urn:ogc:def:crs:)?(EPSG|OGC):(?:[\d.]*:)?([A-Za-z0-9]{1,10})$")


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """One vehicle's outline in a metric plane (or in pixels, where that is all there is)."""

    polygon: shapely.Geometry
    """Polygon, or multipolygon where the ring crossed itself; its area is above zero."""
    locomotive: bool = False
    visible_fraction: float = 1.0
    """0-1: how much of the vehicle the image shows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OutlineFile:
    """The outlines of one file, in the file's own coordinates."""

    path: Path
    frame: str | None
    """``pixels``, a CRS such as ``OGC:CRS84``, or None for a file without outlines and without a CRS."""
    rings: tuple[NDArray[np.float64], ...]
    """(n, 2) each: x or longitude, y or latitude; closed."""
    locomotive: tuple[bool, ...]
    visible_fraction: tuple[float, ...]
    railcars: Interval | None = None
    """The file's own total, where it states one in a top-level member ``railcars``."""
    no_count: str | None = None
    """Why the file holds no count: statuses and reasons, where its member ``railcount`` says that no tile
    was counted. Such a file has no outlines, and that is no count of 0."""
    n_tiles_without_count: int = 0
    """Of the tiles in ``railcount``, where others were counted."""
    outlined: bool = True
    """False where the count is an occupied length over a mean car length, which has no outlines."""


def read(path: str | Path, *, pixels: bool | None = None) -> OutlineFile:
    """Read a GeoJSON FeatureCollection of Polygon outlines.

    A MultiPolygon of one part is taken as its Polygon; holes are filled. The coordinates are pixels
    with ``pixels=True``, degrees or the CRS of the file's ``crs`` member with ``pixels=False``; with
    None the file decides: its ``crs`` member, else degrees (RFC 7946) where all values are possible
    degrees and no outline spans more than MAX_OUTLINE_DEG, else pixels. A vehicle is about 0.0002
    degrees long and at least two pixels, so the two cannot be confused.

    Raises MissingInput and InputError, with the number of the feature that is wrong.
    """
    path = Path(path)
    document = _load(path)
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise InputError(f"{path}: a GeoJSON FeatureCollection is required, with a list 'features'")
    if len(features) > MAX_FEATURES:
        raise InputError(f"{path}: {len(features)} features; at most {MAX_FEATURES} are read")
    rings, locomotive, visible = [], [], []
    for number, feature in enumerate(features):
        where = f"{path}: feature {number}"
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise InputError(f"{where} is not a GeoJSON Feature")
        properties = feature.get("properties") or {}
        if not isinstance(properties, dict):
            raise InputError(f"{where}: 'properties' must be an object")
        rings.append(_ring(feature.get("geometry"), where=where))
        locomotive.append(properties.get("kind") == "locomotive")
        visible.append(_fraction(properties.get("visible_fraction"), where=where))
    return OutlineFile(
        path=path,
        frame=_frame(document.get("crs"), rings, pixels=pixels, where=str(path)),
        rings=tuple(rings),
        locomotive=tuple(locomotive),
        visible_fraction=tuple(visible),
        railcars=_interval(document.get("railcars"), where=str(path)),
        **_told(document.get("railcount")),
    )


def to_plane(*files: OutlineFile) -> tuple[tuple[Outline, ...], ...]:
    """The outlines of several files in one plane.

    Degrees and projected coordinates go to an azimuthal equidistant plane in metres around the middle
    of all outlines (scale error below 1e-6 within 10 km); pixels stay pixels.

    Raises InputError where one file is in pixels and another is not.
    """
    frames = {file.frame for file in files if file.frame is not None}
    if PIXELS in frames and len(frames) > 1:
        told = ", ".join(f"{file.path}: {file.frame or 'no outlines'}" for file in files)
        raise InputError(
            f"outlines in pixels cannot be set against outlines on the ground ({told}); "
            "write both with the same --gsd, or both without"
        )
    if PIXELS in frames or not frames:
        return tuple(_outlines(file, file.rings) for file in files)
    degrees = {
        id(file): [_transform(ring, source=file.frame or WGS84, target=WGS84) for ring in file.rings]
        for file in files
    }
    every = [ring for rings in degrees.values() for ring in rings]
    if not every:
        return tuple(() for _ in files)
    lon, lat = np.concatenate(every).mean(axis=0)
    plane = f"+proj=aeqd +lat_0={lat:.9f} +lon_0={lon:.9f} +datum=WGS84 +units=m"
    return tuple(
        _outlines(file, [_transform(ring, source=WGS84, target=plane) for ring in degrees[id(file)]])
        for file in files
    )


def read_plane(*paths: str | Path, pixels: bool | None = None) -> tuple[tuple[Outline, ...], ...]:
    """`read` every path, then `to_plane`."""
    return to_plane(*(read(path, pixels=pixels) for path in paths))


def _load(path: Path) -> dict[str, Any]:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise MissingInput(f"{path} does not exist") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be opened: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is not a regular file")
    if status.st_size > MAX_BYTES:
        raise InputError(f"{path} has {status.st_size} bytes; at most {MAX_BYTES} are read")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if most_values(data) > MAX_VALUES:
        raise InputError(f"{path} holds more than {MAX_VALUES:,} values: evaluate it in parts")
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: a GeoJSON object is required, this is a {type(document).__name__}")
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _number(value: object) -> float | None:
    """The value as a finite float; None for anything else (a bool is no number)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _ring(geometry: object, *, where: str) -> NDArray[np.float64]:
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise InputError(f"{where}: a Polygon is required for every outline")
    polygon = geometry.get("coordinates")
    if geometry["type"] == "MultiPolygon":
        if not isinstance(polygon, list) or len(polygon) != 1:
            raise InputError(f"{where}: a MultiPolygon must have one part, one vehicle a feature")
        polygon = polygon[0]
    if not isinstance(polygon, list) or not polygon or not isinstance(polygon[0], list):
        raise InputError(f"{where}: 'coordinates' must be a list of rings")
    ring = polygon[0]
    if not 4 <= len(ring) <= MAX_RING_POSITIONS:
        raise InputError(f"{where}: a ring has 4 to {MAX_RING_POSITIONS} positions, this one {len(ring)}")
    positions = []
    for position in ring:
        if not isinstance(position, list) or not 2 <= len(position) <= 4:
            raise InputError(f"{where}: a position is a list of 2 or 3 numbers")
        x, y = _number(position[0]), _number(position[1])
        if x is None or y is None:
            raise InputError(f"{where}: a position holds something that is not a finite number")
        positions.append((x, y))
    if positions[0] != positions[-1]:
        raise InputError(f"{where}: the ring is not closed (its last position must repeat the first)")
    return np.array(positions, dtype=np.float64)


def _fraction(value: object, *, where: str) -> float:
    if value is None:
        return 1.0
    number = _number(value)
    if number is None or not 0.0 <= number <= 1.0:
        raise InputError(
            f"{where}: 'visible_fraction' must be a number from 0 to 1, got {quoted(value, max_length=40)}"
        )
    return number


def _interval(value: object, *, where: str) -> Interval | None:
    if value is None:
        return None
    value = value if isinstance(value, dict) else {}
    numbers = [value.get(key) for key in ("low", "best", "high")]
    counts = [n for n in numbers if isinstance(n, int) and not isinstance(n, bool) and n >= 0]
    if len(counts) != 3 or not counts[0] <= counts[1] <= counts[2]:
        raise InputError(f"{where}: 'railcars' must hold whole numbers low <= best <= high")
    level = _number(value.get("level", 0.9))
    if level is None or not 0.0 < level < 1.0:
        raise InputError(f"{where}: 'railcars.level' must lie between 0 and 1")
    return Interval(best=counts[1], low=counts[0], high=counts[2], level=level)


def _told(railcount: object) -> dict[str, Any]:
    """What the member ``railcount``, as ``scan`` writes it, says of counts that outlines cannot show."""
    results = railcount.get("results") if isinstance(railcount, dict) else None
    tiles = [r for r in results if isinstance(r, dict)] if isinstance(results, list) else []
    without = [tile for tile in tiles if tile.get("status") not in STATUSES_WITH_COUNT]
    if tiles and len(without) == len(tiles):
        said = dict.fromkeys(_why(tile) for tile in without)
        return {"no_count": "; ".join(said), "n_tiles_without_count": len(without)}
    counted = [tile for tile in tiles if tile not in without]
    by_length = bool(counted) and all(tile.get("regime") == "occupied_length" for tile in counted)
    return {"n_tiles_without_count": len(without), "outlined": not by_length}


def _why(tile: dict[str, Any]) -> str:
    reasons = tile.get("reasons")
    last = one_line(reasons[-1]) if isinstance(reasons, list) and reasons else ""
    return ": ".join(word for word in (one_line(tile.get("status")), last) if word)


def _frame(
    crs: object, rings: Sequence[NDArray[np.float64]], *, pixels: bool | None, where: str
) -> str | None:
    every = np.concatenate(rings) if rings else np.zeros((0, 2))
    if pixels:
        if len(every) and np.abs(every).max() > MAX_PIXEL:
            raise InputError(f"{where}: coordinates up to {np.abs(every).max():.3g} are not pixels")
        return PIXELS
    if crs is not None:
        return _crs_name(crs, where=where)
    if not rings:
        return None if pixels is None else WGS84
    possible = bool(np.all(np.abs(every) <= (180.0, 90.0)))
    span = max(float(np.ptp(ring, axis=0).max()) for ring in rings)
    if possible and span <= MAX_OUTLINE_DEG:
        return WGS84
    if pixels is None and np.abs(every).max() <= MAX_PIXEL:
        return PIXELS
    raise InputError(
        f"{where}: the coordinates are not longitude and latitude of vehicles (an outline spans {span:.3g}, "
        f"values reach {np.abs(every).max():.6g}); pass --pixels, or name the CRS in the member 'crs'"
    )


def _crs_name(crs: object, *, where: str) -> str:
    named = crs.get("properties") if isinstance(crs, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    # Only codes are taken: PROJ strings and paths could make PROJ open files.
    found = _CRS_NAME.match(name) if isinstance(name, str) else None
    if found is None:
        raise InputError(f"{where}: the member 'crs' must name a CRS such as urn:ogc:def:crs:EPSG::32652")
    code = f"{found[1]}:{found[2]}"
    try:
        known = CRS.from_user_input(code)
    except CRSError as error:
        raise InputError(f"{where}: the CRS {code} is not known to PROJ") from error
    if not (known.is_geographic or known.is_projected):
        raise InputError(f"{where}: the CRS {code} is neither geographic nor projected")
    return code


def _transform(ring: NDArray[np.float64], *, source: str, target: str) -> NDArray[np.float64]:
    if source == target:
        return ring
    try:
        x, y = _transformer(source, target).transform(ring[:, 0], ring[:, 1], errcheck=True)
    except ProjError as error:
        raise InputError(f"coordinates lie outside the CRS {source}: {error}") from error
    return np.column_stack([x, y])


_TRANSFORMERS: dict[tuple[str, str], Transformer] = {}


def _transformer(source: str, target: str) -> Transformer:
    key = (source, target)
    if key not in _TRANSFORMERS:
        if len(_TRANSFORMERS) > 64:
            _TRANSFORMERS.clear()
        _TRANSFORMERS[key] = Transformer.from_crs(source, target, always_xy=True)
    return _TRANSFORMERS[key]


def _outlines(file: OutlineFile, rings: Sequence[NDArray[np.float64]]) -> tuple[Outline, ...]:
    outlines = []
    for number, ring in enumerate(rings):
        polygon = shapely.Polygon(ring)
        if not polygon.is_valid:
            polygon = shapely.make_valid(polygon)
        if not polygon.area > 0.0:
            raise InputError(f"{file.path}: feature {number} has no area")
        outlines.append(
            Outline(
                polygon=polygon,
                locomotive=file.locomotive[number],
                visible_fraction=file.visible_fraction[number],
            )
        )
    return tuple(outlines)
