"""Metadata files that vendors put beside an image: read on purpose, by name, and by us alone."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from railcount.errors import InputError, MissingInput
from railcount.raster.names import FIRST_YEAR, LAST_YEAR
from railcount.raster.paths import read_head
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from railcount.raster.names import NameInfo

MAX_BYTES = 5 * 2**20
_UNKNOWN_CLOUD = {99.0, 999.0}
"""Planet and GDAL's IMAGERY domain write unknown cloud cover so."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one source says of an acquisition; None where it says nothing."""

    acquired: datetime | date | None = None
    sun_azimuth_deg: float | None = None
    sun_elevation_deg: float | None = None
    off_nadir_deg: float | None = None
    cloud_cover: float | None = None
    sensor: str | None = None
    sensor_gsd_m: float | None = None
    credit: str | None = None
    notes: tuple[str, ...] = ()


_STAMP = re.compile(
    r"(\d{4})[-:/]?(\d{2})[-:/]?(\d{2})"
    r"(?:[T ]?(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE | re.ASCII,
)


def parse_when(text: object) -> datetime | date | None:
    """A time in UTC, or a date, from ISO 8601 or TIFF's ``YYYY:MM:DD hh:mm:ss``; None for anything else."""
    match = _STAMP.fullmatch(one_line(text))
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return None
    try:
        if hour is None:
            return date(int(year), int(month), int(day))
        offset = zone if zone and zone[0] in "+-" else "+0000"
        stamp = f"{year}-{month}-{day} {hour}:{minute}:{second or '00'} {offset.replace(':', '')}"
        return datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def number(value: object, *, low: float, high: float) -> float | None:
    """A finite number within bounds, else None."""
    try:
        found = float(one_line(value))
    except ValueError:
        return None
    return found if math.isfinite(found) and low <= found <= high else None


def cloud_fraction(value: object, *, percent: bool) -> float | None:
    """Cloud cover as a fraction; None where it is unknown (99, 999, negative)."""
    found = number(value, low=0, high=100)
    if found is None or found in _UNKNOWN_CLOUD:
        return None
    return round(found / 100, 6) if percent or found > 1 else found


def text(value: object) -> str | None:
    """A non-empty printable line, else None."""
    line = one_line(value).strip(' "') if isinstance(value, (str, int, float)) else ""
    return line or None


def sidecar_facts(path: Path, name: NameInfo) -> Facts:
    """Facts of the first sidecars found beside an image, an earlier one before a later one.

    Looked for, by name: ``*_metadata.json`` (Planet), ``.json`` (STAC), ``.IMD`` and ``.XML``
    (Maxar), ``DIM_*.XML`` (Airbus), ``*_metadata.xml`` (Planet). A sidecar that cannot be read
    gives a note.
    """
    merged = Facts()
    for candidate in sidecar_names(path.name, name):
        facts = _read(path.with_name(candidate))
        if facts is not None:
            merged = merge(merged, facts)
    return merged


def merge(first: Facts, second: Facts) -> Facts:
    """``first``, with what it does not say taken from ``second``."""
    gaps = {
        key: value
        for key, value in vars(second).items()
        if key != "notes" and value is not None and getattr(first, key) is None
    }
    return replace(first, notes=first.notes + second.notes, **gaps)


def sidecar_names(file_name: str, name: NameInfo) -> Iterator[str]:
    """Names that a sidecar of an image can have, in its folder; ``name`` is what the image's own says."""
    stem = file_name.rsplit(".", 1)[0]
    stems = list(dict.fromkeys(filter(None, (stem, name.scene, re.sub(r"_R\d+C\d+(?=[_-]|$)", "", stem)))))
    for one in stems:
        yield f"{one}_metadata.json"
        yield f"{one}_metadata.xml"
        for suffix in ("json", "IMD", "imd", "XML", "xml"):
            yield f"{one}.{suffix}"
        if one.upper().startswith("IMG_"):
            for suffix in ("XML", "xml"):
                yield f"DIM_{one[4:]}.{suffix}"


def _read(path: Path) -> Facts | None:
    """Facts of a sidecar; None where there is none or it says nothing we know."""
    try:
        data = read_head(path, n_bytes=MAX_BYTES + 1, refused=InputError, unreadable=InputError)
        if len(data) > MAX_BYTES:
            raise InputError(f"it is larger than {MAX_BYTES // 2**20} MB")
        reader = {".json": _read_json, ".imd": _read_imd}.get(path.suffix.lower(), _read_xml)
        return reader(data)
    except MissingInput:
        return None
    except InputError as error:
        return Facts(notes=(f"the sidecar {one_line(path.name)} was not used: {error}",))


def _read_json(data: bytes) -> Facts | None:
    """STAC item or Planet's item metadata."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError("it is not JSON") from None
    if not isinstance(document, dict):
        return None
    nested = document.get("properties")
    found: Mapping[str, Any] = nested if isinstance(nested, dict) else document
    acquired = parse_when(found.get("datetime") or found.get("acquired") or found.get("start_datetime") or "")
    cloud = cloud_fraction(found.get("eo:cloud_cover"), percent=True)
    if cloud is None:
        cloud = cloud_fraction(found.get("cloud_cover"), percent=False)
    return Facts(
        acquired=acquired,
        sun_azimuth_deg=_azimuth(_first(found, "view:sun_azimuth", "sun_azimuth")),
        sun_elevation_deg=number(_first(found, "view:sun_elevation", "sun_elevation"), low=-90, high=90),
        off_nadir_deg=_angle(_first(found, "view:off_nadir", "view_angle")),
        cloud_cover=cloud,
        sensor=text(_first(found, "platform", "satellite_id")),
        sensor_gsd_m=number(found.get("gsd"), low=0.01, high=1000),
        credit=_stac_credit(document, found),
    )


def _stac_credit(document: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    stated = text(_first(found, "copyright", "attribution", "credit"))
    providers = found.get("providers", document.get("providers"))
    if stated or not isinstance(providers, list):
        return stated
    names = [text(one.get("name")) for one in providers if isinstance(one, dict)]
    return text(", ".join(filter(None, names)))


def _first(found: Mapping[str, Any], *keys: str) -> Any:
    return next((found[key] for key in keys if found.get(key) is not None), None)


def _azimuth(value: object) -> float | None:
    found = number(value, low=-360, high=360)
    return None if found is None else found % 360


def _angle(value: object) -> float | None:
    found = number(value, low=-90, high=90)
    return None if found is None else abs(found)


def _read_imd(data: bytes) -> Facts | None:
    """Maxar's IMD: lines of ``key = value;`` in groups."""
    found: dict[str, list[str]] = {}
    for line in data.decode("utf-8", errors="replace").splitlines():
        key, _, rest = line.partition("=")
        value = rest.strip().removesuffix(";").strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if rest and not set(value) & set('";'):
            found.setdefault(key.strip().upper(), []).append(value.strip())
    return _from_keys(found)


def _read_xml(data: bytes) -> Facts | None:
    return _from_keys(_xml_texts(data))


def _xml_texts(data: bytes) -> dict[str, list[str]]:
    """Texts of an XML document by upper-case local tag. Document types and entities are refused."""
    found: dict[str, list[str]] = {}
    stack: list[list[str]] = []

    def refuse(*_: object) -> None:
        raise InputError("its XML declares a document type or entities")

    def start(tag: str, attributes: dict[str, str]) -> None:
        stack.append([])

    def end(tag: str) -> None:
        words = "".join(stack.pop()).strip()
        if words:
            found.setdefault(tag.rsplit(":", 1)[-1].upper(), []).append(words)

    def characters(words: str) -> None:
        stack[-1].append(words)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an encoding unknown to Python
        if isinstance(error, InputError):
            raise
        raise InputError(f"its XML is damaged: {one_line(error)}") from None
    return found


_TIME_KEYS = ("FIRSTLINETIME", "EARLIESTACQTIME", "ACQUISITIONDATETIME", "ACQUISITIONDATE", "BEGINPOSITION")


def _from_keys(found: Mapping[str, list[str]]) -> Facts | None:
    """Facts from the keys of Maxar's IMD and XML, Airbus's DIMAP and Planet's XML."""

    def one(read: Callable[[str], float | None], *keys: str) -> float | None:
        for key in keys:
            values = [value for value in map(read, found.get(key, ())) if value is not None]
            if values:
                return values[len(values) // 2]  # DIMAP gives top, centre, bottom
        return None

    def words(*keys: str) -> str | None:
        return next((text(found[key][0]) for key in keys if found.get(key)), None)

    cloud = one(lambda value: cloud_fraction(value, percent=True), "CLOUD_COVERAGE", "CLOUDCOVERPERCENTAGE")
    if cloud is None:
        cloud = one(lambda value: cloud_fraction(value, percent=False), "CLOUDCOVER")
    facts = Facts(
        acquired=_time_of(found),
        sun_azimuth_deg=one(_azimuth, "MEANSUNAZ", "SUNAZ", "SUN_AZIMUTH", "ILLUMINATIONAZIMUTHANGLE"),
        sun_elevation_deg=one(
            lambda value: number(value, low=-90, high=90),
            "MEANSUNEL", "SUNEL", "SUN_ELEVATION", "ILLUMINATIONELEVATIONANGLE",
        ),
        off_nadir_deg=one(
            _angle, "MEANOFFNADIRVIEWANGLE", "OFFNADIRVIEWANGLE", "VIEWING_ANGLE", "INCIDENCE_ANGLE",
            "INCIDENCEANGLE",
        ),
        cloud_cover=cloud,
        sensor=_sensor_of(found, words),
        sensor_gsd_m=one(
            lambda value: number(value, low=0.01, high=1000), "MEANCOLLECTEDGSD", "COLLECTEDGSD",
            "GSD_ACROSS_TRACK",
        ),
        credit=words("COPYRIGHT", "COPYRIGHT_TEXT"),
    )  # fmt: skip
    return facts if facts != Facts() else None


def _time_of(found: Mapping[str, list[str]]) -> datetime | date | None:
    for key in _TIME_KEYS:
        for value in found.get(key, ()):
            when = parse_when(value)
            if when is not None:
                return when
    day = (found.get("IMAGING_DATE") or [""])[0]
    time = (found.get("IMAGING_TIME") or [""])[0]
    return parse_when(f"{day}T{time}") or parse_when(day)


def _sensor_of(found: Mapping[str, list[str]], words: Callable[..., str | None]) -> str | None:
    satellite = words("SATID", "SERIALIDENTIFIER")
    if satellite:
        return satellite
    mission, index = words("MISSION"), words("MISSION_INDEX")
    return f"{mission or ''}{index or ''}" or None
