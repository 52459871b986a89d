"""A site file and the tables beside it, read with every key checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from railcount.documents import load_toml
from railcount.errors import InputError
from railcount.sites.fields import Fields, beside, read_text
from railcount.sites.history import read_counts
from railcount.sites.place import Occluder, Site, SiteTracks, Zone

if TYPE_CHECKING:
    from pathlib import Path

    from railcount.baseline import Observation

FILE_NAME = "site.toml"
MAX_EXTENT_M = 1_000_000.0

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

_ID = re.compile(r"^[a-z][a-z0-9_-]{0,63}$")
_CRS = re.compile(r"^EPSG:\d{4,6}$", re.ASCII)


def read_site(path: Path) -> Site:
    """A site from its file. Raises MissingInput, or InputError that names the file and the key."""
    try:
        table = load_toml(read_text(path))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not TOML: {error}") from error
    top = Fields(table, where=str(path))
    zones = _zones(top)
    ids = [zone.id for zone in zones]
    site = Site(
        name=_id(top, "name"),
        title=top.text("title"),
        crs=_crs(top),
        utc_offset_h=top.number("utc_offset_h", low=-12, high=14),
        stock=top.text("stock", default="any"),
        box=_box(top),
        baseline=top.text("baseline", default="published counts"),
        baseline_zones=_known(top, "baseline_zones", ids),
        zones=zones,
        occluders=tuple(_occluder(fields) for fields in top.tables("occluders")),
        tracks=tuple(_tracks(fields, path=path) for fields in top.tables("tracks")),
        caveats=top.texts("caveats"),
        observations=_observations(top, path=path, zones=ids),
    )
    top.close()
    return site


def check_name(value: str) -> str:
    """The name of a site. Raises InputError."""
    if _ID.match(value) is None:
        raise InputError(f"a site's name must be of lower-case letters, digits, - and _, got {value!r:.60}")
    return value


def check_crs(value: str) -> str:
    """The code of a CRS. Raises InputError."""
    if _CRS.match(value) is None:
        raise InputError(f"a CRS must be a code such as EPSG:32652, got {value!r:.60}")
    return value


def check_box(box: Box) -> Box:
    """West, south, east, north in degrees. Raises InputError."""
    west, south, east, north = box
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(f"a box must be west,south,east,north in degrees, got {', '.join(map(str, box))}")
    return box


def _id(fields: Fields, key: str) -> str:
    value = fields.text(key)
    if _ID.match(value) is None:
        raise fields.wrong(key, "a lower-case name of letters, digits, - and _", value)
    return value


def _crs(top: Fields) -> str:
    value = top.text("crs")
    if _CRS.match(value) is None:
        raise top.wrong("crs", "a code such as EPSG:32652", value)
    return value


def _box(top: Fields) -> Box:
    west, south, east, north = top.numbers("box", 4)
    try:
        return check_box((west, south, east, north))
    except InputError:
        raise top.wrong("box", "[west, south, east, north] in degrees", [west, south, east, north]) from None


def _known(top: Fields, key: str, ids: list[str]) -> tuple[str, ...]:
    """Zones by id; all where the key is missing."""
    if not top.has(key):
        return tuple(ids)
    values = top.texts(key)
    if any(value not in ids for value in values):
        raise top.wrong(key, f"of the zones {', '.join(ids)}", list(values))
    return values


def _zones(top: Fields) -> tuple[Zone, ...]:
    zones: list[Zone] = []
    for fields in top.tables("zones"):
        zone_id = _id(fields, "id")
        if any(zone.id == zone_id for zone in zones):
            raise fields.wrong("id", "unique", zone_id)
        ring = fields.ring("ring") if fields.has("ring") else ()
        middle = _middle(ring) if ring else fields.position("point")
        zones.append(
            Zone(
                id=zone_id,
                title=fields.text("title"),
                point=middle,
                reach_m=None if ring else fields.number("reach_m", low=1, high=MAX_EXTENT_M),
                ring=ring,
                uncertainty_m=fields.number("uncertainty_m", low=0, high=MAX_EXTENT_M),
                certainty=fields.text("certainty"),
                source=fields.text("source"),
            )
        )
        fields.close()
    return tuple(zones)


def _middle(ring: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _occluder(fields: Fields) -> Occluder:
    since, until = fields.day("since"), fields.day("until")
    if since is None:
        raise fields.wrong("since", "a date such as 2024-12-01, without quotes", None)
    if until is not None and until < since:
        raise fields.wrong("until", "not before since", until)
    occluder = Occluder(
        id=_id(fields, "id"),
        title=fields.text("title"),
        point=fields.position("point"),
        length_m=fields.number("length_m", low=0.1, high=MAX_EXTENT_M),
        width_m=fields.number("width_m", low=0.1, high=MAX_EXTENT_M),
        heading_deg=fields.number("heading_deg", low=0, high=360),
        since=since,
        until=until,
        uncertainty_m=fields.number("uncertainty_m", low=0, high=MAX_EXTENT_M),
        certainty=fields.text("certainty"),
        source=fields.text("source"),
    )
    fields.close()
    return occluder


def _tracks(fields: Fields, *, path: Path) -> SiteTracks:
    since, until = fields.day("since"), fields.day("until")
    if since is not None and until is not None and until < since:
        raise fields.wrong("until", "not before since", until)
    tracks = SiteTracks(path=beside(path, fields.text("file"), key="tracks.file"), since=since, until=until)
    fields.close()
    return tracks


def _observations(top: Fields, *, path: Path, zones: list[str]) -> tuple[Observation, ...]:
    if not top.has("published_counts"):
        return ()
    table = beside(path, top.text("published_counts"), key="published_counts")
    return read_counts(table, zones=zones)
