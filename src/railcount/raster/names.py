"""What a file's name says: vendor, time, sensor, kind of product."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

from railcount.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

Vendor = Literal["skysat", "planetscope", "maxar", "pleiades", "pleiades_neo", "spot"]
Kind = Literal["image", "quality_mask", "not_rgb"]

FIRST_YEAR, LAST_YEAR = 1972, 2099
"""Civil Earth observation begins with Landsat 1; a date outside is a mistake."""


def day_in(text: str) -> date | None:
    """The day that is written as YYYY-MM-DD; None for any other text."""
    try:
        return date.fromisoformat(text) if len(text) == len("2023-10-05") else None
    except ValueError:
        return None


def image_day(given: date | str) -> date:
    """A day, also written as YYYY-MM-DD; InputError where it is none on which an image can be taken."""
    day = day_in(given) if isinstance(given, str) else given
    if day is None:
        raise InputError(f"{given!r} is not a day; write it as 2023-10-05")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InputError(f"{day} is no day of an image; the years {FIRST_YEAR} to {LAST_YEAR} are")
    return day


@dataclass(frozen=True, kw_only=True)
class NameInfo:
    """What a name says; None where it says nothing."""

    vendor: Vendor | None = None
    acquired: datetime | date | None = None
    """UTC (aware) where a vendor's name holds the time, else a date."""
    sensor: str | None = None
    kind: Kind = "image"
    scene: str | None = None
    """The vendor's name of the whole scene: tiles of one scene share it."""
    tile: tuple[int, int] | None = None
    """(row, column) of a tile cut from a scene, from 1."""


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FLAGS = re.IGNORECASE | re.ASCII
_SKYSAT = re.compile(r"(?P<scene>(\d{8})_(\d{6})_(?P<sensor>ssc?\d+(d\d+)?)(_u?\d+)?)(?![0-9a-z])", _FLAGS)
_PLANETSCOPE = re.compile(
    r"(?P<scene>(\d{8})_(\d{6})(_\d{1,2})?_(?P<sensor>[0-9a-f]{3,4}))_(?:1A|1B|2A|2B|3A|3B)(_|\.|$)", _FLAGS
)
_MAXAR = re.compile(r"(\d{2})([A-Z]{3})(\d{2})(\d{6})-([PMS]\w{3})(_R\d+C\d+)?-(?P<order>[\w-]+)", _FLAGS)
_AIRBUS = re.compile(
    r"(?:IMG|DIM|PREVIEW)_(?P<sensor>PHR1[AB]|PNEO\d|SPOT[67])_[\w-]*?(?<!\d)(\d{8})(\d{6})\d?(?!\d)", _FLAGS
)
_TILE = re.compile(r"_R(\d{1,4})C(\d{1,4})(?=[_.-]|$)", _FLAGS)
_QUALITY = re.compile(r"(?:^|[_.-])udm2?(?:[_.-]|$)", _FLAGS)
_COLOURS = re.compile(r"_(?:RGB|NED)$", _FLAGS)
_NED = re.compile(r"_NED(?=[_.]|$)", _FLAGS)
_PLAIN_DATE = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)", re.ASCII)


def parse_name(name: str) -> NameInfo:
    """Read a file's name (without folders). Never raises.

    Known are SkySat, PlanetScope, Maxar, Pleiades, Pleiades Neo and SPOT names, whose times are UTC;
    in others a date written YYYY-MM-DD, YYYY_MM_DD or YYYYMMDD counts.
    """
    readers: tuple[Callable[[str], NameInfo | None], ...] = (_skysat, _planetscope, _maxar, _airbus)
    for read in readers:
        info = read(name)
        if info is not None:
            return info
    quality = bool(_QUALITY.search(name))
    return NameInfo(acquired=date_in(name), kind="quality_mask" if quality else "image", tile=_tile(name))


def date_in(text: str) -> date | None:
    """The first valid date written YYYY-MM-DD, YYYY_MM_DD or YYYYMMDD in a text."""
    for year, _, month, day in _PLAIN_DATE.findall(text):
        found = _date(year, month, day)
        if found is not None:
            return found
    return None


def _date(year: str | int, month: str | int, day: str | int) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def _when(day: str, time: str) -> datetime | date | None:
    """From YYYYMMDD and hhmmss; the date alone where the time is impossible."""
    found = _date(day[:4], day[4:6], day[6:8])
    if found is None:
        return None
    hour, minute, second = int(time[:2]), int(time[2:4]), int(time[4:6])
    if hour > 23 or minute > 59 or second > 59:
        return found
    return datetime(found.year, found.month, found.day, hour, minute, second, tzinfo=UTC)


def _tile(name: str) -> tuple[int, int] | None:
    match = _TILE.search(name)
    return (int(match[1]), int(match[2])) if match else None


def _kind(name: str) -> Kind:
    return "quality_mask" if _QUALITY.search(name) else "image"


def _skysat(name: str) -> NameInfo | None:
    match = _SKYSAT.match(name)
    if match is None:
        return None
    return NameInfo(
        vendor="skysat",
        acquired=_when(match[2], match[3]),
        sensor=f"SkySat {match['sensor'].upper()}",
        kind=_kind(name),
        scene=match["scene"],
    )


def _planetscope(name: str) -> NameInfo | None:
    match = _PLANETSCOPE.match(name)
    if match is None:
        return None
    return NameInfo(
        vendor="planetscope",
        acquired=_when(match[2], match[3]),
        sensor=f"PlanetScope {match['sensor'].lower()}",
        kind=_kind(name),
        scene=match["scene"],
    )


def _maxar(name: str) -> NameInfo | None:
    match = _MAXAR.match(name)
    if match is None or match[2].upper() not in _MONTHS:
        return None
    month = _MONTHS.index(match[2].upper()) + 1
    return NameInfo(
        vendor="maxar",
        acquired=_when(f"20{match[1]}{month:02d}{match[3]}", match[4]),
        kind=_kind(name),
        scene=f"{match[1]}{match[2]}{match[3]}{match[4]}-{match[5]}-{match['order']}",
        tile=_tile(name),
    )


def _airbus(name: str) -> NameInfo | None:
    match = _AIRBUS.match(name)
    if match is None:
        return None
    sensor = match["sensor"].upper()
    vendor: Vendor = (
        "pleiades_neo" if sensor.startswith("PNEO") else "pleiades" if sensor.startswith("PHR") else "spot"
    )
    not_rgb = vendor == "pleiades_neo" and _NED.search(name) is not None
    stem = name.rsplit(".", 1)[0]
    return NameInfo(
        vendor=vendor,
        acquired=_when(match[2], match[3]),
        sensor=sensor,
        kind="not_rgb" if not_rgb else _kind(name),
        scene=_COLOURS.sub("", _TILE.sub("", stem)),
        tile=_tile(name),
    )
