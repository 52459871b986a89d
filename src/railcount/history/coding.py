"""Records and passes to the texts and cells of the store, and back."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from railcount.counts import Interval
from railcount.errors import InputError
from railcount.observation import PassCount
from railcount.records import CarRecord, TileRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Cell = str | bytes | int | float | None

_APART = ("tiles", "cars")
"""Fields of a pass that have tables of their own."""
_INTERVALS = ("railcars", "locomotives", "covered")

CAR_COLUMNS = (
    *("track", "train", "position", "kind", "covered", "length_m", "width_m", "heading_deg"),
    *("confidence", "flags", "ring"),
)
"""Fields of a CarRecord, in the order of the table ``cars``."""


def cell(text: str | None) -> str | bytes | None:
    """A text as SQLite takes it: one with stray bytes (lone surrogates in Python) becomes a BLOB."""
    if text is None:
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text(value: Any) -> str | None:
    """The text of ``cell``."""
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def compact(value: Any) -> str:
    """Strict JSON in ASCII, as short as it gets. Raises InputError for what JSON cannot say."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"a history keeps finite numbers, texts, lists and tables alone: {error}") from error


def moment_text(moment: datetime | date | None) -> str | None:
    """ISO 8601; ``moment`` reads it."""
    return None if moment is None else moment.isoformat()


def moment(text: str | None) -> datetime | date | None:
    """A time where there is one, else a day."""
    if text is None:
        return None
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def tile_text(record: TileRecord) -> str:
    """A record as compact JSON."""
    return compact(record.to_dict())


def tile_from(stored: str) -> TileRecord:
    """The record of ``tile_text``. Raises ValueError, KeyError or TypeError where it is not one."""
    return TileRecord.from_dict(json.loads(stored))


def pass_text(one: PassCount) -> str:
    """A pass as compact JSON, without its tiles and cars."""
    names = [field.name for field in fields(PassCount) if field.name not in _APART]
    return compact({name: plain(getattr(one, name)) for name in names})


def pass_from(stored: str, *, tiles: Sequence[TileRecord], cars: Sequence[CarRecord]) -> PassCount:
    """The pass of ``pass_text``. Raises ValueError, KeyError or TypeError where it is not one."""
    given = {name: _frozen(value) for name, value in json.loads(stored).items()}
    for name in _INTERVALS:
        given[name] = interval(given.get(name))
    given["acquired"] = moment(given["acquired"])
    return PassCount(**given, tiles=tuple(tiles), cars=tuple(cars))


def interval(values: dict[str, Any] | None) -> Interval | None:
    """An interval from its fields."""
    return None if values is None else Interval(**values)


def plain(value: Any) -> Any:
    """Plain lists, dicts, texts and numbers."""
    if isinstance(value, Interval):
        return {field.name: getattr(value, field.name) for field in fields(Interval)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return dict(value) if isinstance(value, dict) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def car_cells(car: CarRecord) -> tuple[Cell, ...]:
    """A car's cells in the order of CAR_COLUMNS."""
    return (
        cell(car.track),
        car.train,
        car.position,
        car.kind,
        None if car.covered is None else int(car.covered),
        car.length_m,
        car.width_m,
        car.heading_deg,
        car.confidence,
        compact(list(car.flags)),
        compact([list(point) for point in car.ring]),
    )


def car_from(cells: Iterable[Any]) -> CarRecord:
    """The car of ``car_cells``."""
    given = dict(zip(CAR_COLUMNS, cells, strict=True))
    given["track"] = text(given["track"])
    given["covered"] = None if given["covered"] is None else bool(given["covered"])
    given["flags"] = tuple(json.loads(given["flags"]))
    given["ring"] = tuple((float(x), float(y)) for x, y in json.loads(given["ring"]))
    if not all(map(math.isfinite, chain(*given["ring"]))):
        raise ValueError("an outline has no end")
    return CarRecord(**given)
