"""One Acquisition from everything that a file and its surroundings say."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from railcount.raster.acquisition import Acquisition
from railcount.raster.names import date_in, parse_name
from railcount.raster.sidecars import (
    Facts,
    cloud_fraction,
    merge,
    number,
    parse_when,
    sidecar_facts,
    text,
)
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from railcount.raster.acquisition import AcquiredFrom

_WORDS: dict[AcquiredFrom, str] = {
    "option": "the option",
    "tiff_tag": "the TIFF tag",
    "imagery_metadata": "the IMAGERY metadata",
    "sidecar": "the sidecar",
    "file_name": "the file name",
    "folder": "the folder",
}
_DISAGREE = timedelta(days=1)


def acquisition_of(
    path: Path,
    *,
    acquired: datetime | date | None,
    tags: Mapping[str, str],
    imagery: Mapping[str, str],
    notes: tuple[str, ...] = (),
) -> Acquisition:
    """Everything known of how an image was taken, each fact from the first source that has it.

    The sources, in order: the caller's ``acquired``, the TIFF's ``tags``, GDAL's ``imagery`` domain,
    the vendors' sidecars beside ``path``, its name, and its nearest parent folder named by a date.
    """
    if isinstance(acquired, datetime):
        acquired = acquired.astimezone(UTC) if acquired.tzinfo else acquired.replace(tzinfo=UTC)
    name = parse_name(path.name)
    sources: dict[AcquiredFrom, Facts] = {
        "option": Facts(acquired=acquired),
        "tiff_tag": _from_tags(tags),
        "imagery_metadata": _from_imagery(imagery),
        "sidecar": sidecar_facts(path, name),
        "file_name": Facts(acquired=name.acquired, sensor=name.sensor),
        "folder": Facts(acquired=folder_date(path)),
    }
    merged = Facts()
    for facts in sources.values():
        merged = merge(merged, facts)
    acquired_from = next((source for source, facts in sources.items() if facts.acquired is not None), None)
    known = {field.name: getattr(merged, field.name) for field in fields(Facts) if field.name != "notes"}
    return Acquisition(
        **known,
        acquired_from=acquired_from,
        simulated=_is_true(tags.get("RAILCOUNT_SIMULATED")),
        notes=notes + merged.notes,
        doubts=_disagreements(sources, acquired_from),
    )


def _is_true(value: str | None) -> bool:
    return value is not None and value.strip().lower() not in {"", "0", "no", "false"}


def _from_tags(tags: Mapping[str, str]) -> Facts:
    stamp = tags.get("TIFFTAG_DATETIME")
    acquired = parse_when(stamp) if stamp else None
    notes: tuple[str, ...] = ()
    if stamp and stamp.strip() and acquired is None:
        notes = (f"the TIFF tag DateTime is not a date: {one_line(stamp, max_length=40)!r}",)
    if isinstance(acquired, datetime) and acquired.strftime("%H%M%S") == "000000":
        acquired = acquired.date()  # midnight stands for an unknown time
    azimuth = number(tags.get("RAILCOUNT_SUN_AZIMUTH_DEG"), low=-360, high=360)
    return Facts(
        acquired=acquired,
        sun_azimuth_deg=None if azimuth is None else azimuth % 360,
        sun_elevation_deg=number(tags.get("RAILCOUNT_SUN_ELEVATION_DEG"), low=-90, high=90),
        credit=text(tags.get("TIFFTAG_COPYRIGHT")) or text(tags.get("TIFFTAG_ARTIST")),
        notes=notes,
    )


def _from_imagery(imagery: Mapping[str, str]) -> Facts:
    """GDAL's IMAGERY domain; its CLOUDCOVER is in percent, 999 for unknown."""
    return Facts(
        acquired=parse_when(imagery.get("ACQUISITIONDATETIME", "")),
        cloud_cover=cloud_fraction(imagery.get("CLOUDCOVER"), percent=True),
        sensor=text(imagery.get("SATELLITEID")),
    )


def folder_date(path: Path) -> date | None:
    """The date that the nearest folder above a file is named by."""
    return next((found for found in (_date_at_start(folder.name) for folder in path.parents) if found), None)


def named_date(path: Path) -> tuple[datetime | date | None, AcquiredFrom | None]:
    """When an image was taken, by its name or its folders alone, and which: for one that cannot be opened."""
    if (named := parse_name(path.name).acquired) is not None:
        return named, "file_name"
    day = folder_date(path)
    return day, None if day is None else "folder"


def _date_at_start(folder: str) -> date | None:
    found = date_in(folder)
    written = () if found is None else (f"{found:%Y-%m-%d}", f"{found:%Y%m%d}")
    return found if folder.startswith(written) and written else None


def _day(when: datetime | date) -> date:
    return when.date() if isinstance(when, datetime) else when


def _disagreements(
    sources: Mapping[AcquiredFrom, Facts], acquired_from: AcquiredFrom | None
) -> tuple[str, ...]:
    if acquired_from is None:
        return ()
    used = sources[acquired_from].acquired
    others = [
        f"{_WORDS[source]} says {_day(facts.acquired)}"
        for source, facts in sources.items()
        if facts.acquired is not None and used is not None and _far(facts.acquired, used)
    ]
    if not others or used is None:
        return ()
    return (f"the date {_day(used)} is from {_WORDS[acquired_from]}, but {' and '.join(others)}",)


def _far(one: datetime | date, other: datetime | date) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime) and one.tzinfo and other.tzinfo:
        return abs(one - other) > _DISAGREE
    return abs(_day(one) - _day(other)) > _DISAGREE
