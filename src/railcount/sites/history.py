"""The table of counts that others published about a site, as a CSV file.

Columns, in any order: ``when`` (``2023-10-05``, ``2023-12``, or ``2018-10/2023-09`` with both ends
included), ``statement``, ``zone``, ``unit``, ``low``, ``best``, ``high``, ``qualifier``, ``sensor``,
``source``, ``url``, ``notes``; their meaning is that of `railcount.baseline.Observation`. Needed are
``when`` and one of the numbers; a ``statement`` that is not there is ``image``, a ``unit`` is ``cars``.
Empty low, best and high say that something was seen but not counted.
"""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import io
import re
from typing import TYPE_CHECKING, TypeVar

from railcount.baseline import STATEMENTS, UNITS, Observation
from railcount.errors import InputError
from railcount.sites.fields import read_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

COLUMNS = (
    *("when", "statement", "zone", "unit", "low", "best", "high"),
    *("qualifier", "sensor", "source", "url", "notes"),
)
NUMBERS = ("low", "best", "high")
DEFAULTS = {"statement": "image", "unit": "cars"}
MAX_ROWS = 20_000

_WHEN = re.compile(r"^(\d{4})-(\d\d)(?:-(\d\d))?$", re.ASCII)
_COUNT = re.compile(r"^\d{1,6}$", re.ASCII)
_T = TypeVar("_T", bound=str)


def read_counts(path: Path, *, zones: Collection[str], source: str = "") -> tuple[Observation, ...]:
    """The observations of the table, in its order; ``source`` where a row names none.

    Raises InputError with file, line and column.
    """
    rows = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    observations: list[Observation] = []
    try:
        header = next(rows, [])
        if not _is_enough(header):
            raise InputError(
                f"{path}: the columns must be of {', '.join(COLUMNS)}, with when and one of "
                f"{', '.join(NUMBERS)} among them; got {', '.join(header):.200}"
            )
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            if len(observations) >= MAX_ROWS:
                raise InputError(f"{where}: at most {MAX_ROWS} rows are read")
            if len(row) != len(header):
                raise InputError(f"{where}: {len(header)} cells are required, got {len(row)}")
            cells = dict.fromkeys(COLUMNS, "") | dict(zip(header, row, strict=True))
            cells |= {name: cells[name] or value for name, value in {**DEFAULTS, "source": source}.items()}
            observations.append(_observation(cells, zones=zones, where=where))
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {error}") from error
    return tuple(observations)


def _is_enough(header: Sequence[str]) -> bool:
    columns = set(header)
    return (
        len(columns) == len(header)
        and columns <= set(COLUMNS)
        and "when" in columns
        and not columns.isdisjoint(NUMBERS)
    )


def _observation(cells: dict[str, str], *, zones: Collection[str], where: str) -> Observation:
    first, last = parse_when(cells["when"], where=where)
    zone = cells["zone"] or None
    if zone is not None and zone not in zones:
        raise InputError(f"{where}: zone must be one of {', '.join(sorted(zones))}, got {zone!r:.60}")
    if cells["url"] and not cells["url"].startswith(("https://", "http://")):
        raise InputError(f"{where}: url must start with https:// or http://, got {cells['url']!r:.60}")
    if not cells["source"].strip():
        raise InputError(f"{where}: source must say who published the count")
    unit = _one_of(cells, "unit", UNITS, where=where)
    statement = _one_of(cells, "statement", STATEMENTS, where=where)
    low, best, high = (_count(cells, column, where=where) for column in ("low", "best", "high"))
    try:
        return Observation(
            first=first,
            last=last,
            low=low,
            best=best,
            high=high,
            unit=unit,
            statement=statement,
            zone=zone,
            qualifier=cells["qualifier"],
            sensor=cells["sensor"],
            source=cells["source"],
            url=cells["url"] or None,
            method="published",
            notes=cells["notes"],
        )
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def parse_when(text: str, *, where: str) -> tuple[dt.date, dt.date]:
    """First and last day of a day, a month or a period. Raises InputError that begins with ``where``."""
    parts = text.split("/")
    try:
        if len(parts) > 2:
            raise ValueError
        return _span(parts[0])[0], _span(parts[-1])[1]
    except ValueError:
        wanted = "2023-10-05, 2023-12 or 2018-10/2023-09"
        raise InputError(f"{where}: when must be like {wanted}, got {text!r:.60}") from None


def _span(text: str) -> tuple[dt.date, dt.date]:
    found = _WHEN.match(text)
    if found is None:
        raise ValueError
    year, month = int(found[1]), int(found[2])
    if found[3] is not None:
        day = dt.date(year, month, int(found[3]))
        return day, day
    first = dt.date(year, month, 1)
    return first, dt.date(year, month, calendar.monthrange(year, month)[1])


def _count(cells: dict[str, str], column: str, *, where: str) -> int | None:
    if not cells[column]:
        return None
    if _COUNT.match(cells[column]) is None:
        raise InputError(f"{where}: {column} must be a whole number or empty, got {cells[column]!r:.60}")
    return int(cells[column])


def _one_of(cells: dict[str, str], column: str, allowed: Sequence[_T], *, where: str) -> _T:
    for one in allowed:
        if cells[column] == one:
            return one
    raise InputError(f"{where}: {column} must be one of {', '.join(allowed)}, got {cells[column]!r:.60}")
