"""Passes with their tiles and cars."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from railcount.counts import Interval
from railcount.errors import InputError
from railcount.history.coding import (
    CAR_COLUMNS,
    car_cells,
    car_from,
    cell,
    moment,
    moment_text,
    pass_from,
    pass_text,
    text,
    tile_from,
)
from railcount.history.rows import Summary
from railcount.text import one_line

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from railcount.counts import Status
    from railcount.history.counts import HandCounts
    from railcount.observation import PassCount

_COLUMNS = (
    *("id", "key", "current", "day", "acquired", "site", "zone", "status", "simulated", "sensor", "credit"),
    *("length_m", "visible_fraction", "railcars_best", "railcars_low", "railcars_high"),
    *("locomotives_best", "locomotives_low", "locomotives_high", "trains", "occupied_m", "record"),
)
_ORDER = "ORDER BY day IS NULL, day, acquired, id, key"
_LINES_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which passes are meant."""

    site: str | None = None
    since: date | None = None
    until: date | None = None
    """Both included; a pass without a date is not meant where either is given."""
    key: str | None = None
    """None: of each pass the result that was recorded last."""
    pass_id: str | None = None

    def where(self) -> tuple[str, dict[str, Any]]:
        """A condition on ``passes``, and its values."""
        parts = ["current = 1" if self.key is None else "key = :key"]
        if self.site is not None:
            parts.append("site = :site")
        if self.since is not None:
            parts.append("day >= :since")
        if self.until is not None:
            parts.append("day <= :until")
        if self.pass_id is not None:
            parts.append("id = :pass_id")
        values = {
            "key": self.key,
            "site": cell(self.site),
            "since": moment_text(self.since),
            "until": moment_text(self.until),
            "pass_id": cell(self.pass_id),
        }
        return " AND ".join(parts), values


def record_pass(connection: sqlite3.Connection, one: PassCount, *, key: str, day: date | None) -> None:
    """Keep a pass in place of an earlier result of it; its tiles are there. Inside a transaction."""
    contents = [tile.sha256 for tile in one.tiles]
    for tile in one.tiles:
        if tile.sha256 is None or not _has_tile(connection, tile.sha256, key=key):
            raise InputError(
                f"pass {one_line(one.id)}: its tile {one_line(tile.tile)} must be recorded before it"
            )
    old = connection.execute("SELECT n FROM passes WHERE id = ? AND key = ?", (cell(one.id), key)).fetchone()
    values = dict(zip(_COLUMNS, _cells(one, key=key, day=day), strict=True))
    if old is None:
        marks = ", ".join("?" * len(_COLUMNS))
        n = connection.execute(
            f"INSERT INTO passes ({', '.join(_COLUMNS)}) VALUES ({marks})", tuple(values.values())
        ).lastrowid
    else:
        (n,) = old
        sets = ", ".join(f"{name} = ?" for name in _COLUMNS)
        connection.execute(f"UPDATE passes SET {sets} WHERE n = ?", (*values.values(), n))
        connection.execute("DELETE FROM pass_tiles WHERE pass = ?", (n,))
        connection.execute("DELETE FROM cars WHERE pass = ?", (n,))
    connection.executemany(
        "INSERT INTO pass_tiles VALUES (?, ?, ?, ?)",
        ((n, position, sha256, key) for position, sha256 in enumerate(contents)),
    )
    connection.executemany(
        f"INSERT INTO cars VALUES (?, ?, {', '.join('?' * len(CAR_COLUMNS))})",
        ((n, number, *car_cells(car)) for number, car in enumerate(one.cars)),
    )
    _supersede(connection, n=n, key=key)


def _supersede(connection: sqlite3.Connection, *, n: int | None, key: str) -> None:
    """Results of the same pass or the same images with other parameters are no longer the current ones."""
    connection.execute(
        "UPDATE passes SET current = 0 WHERE current = 1 AND key <> :key AND ("
        "id = (SELECT id FROM passes WHERE n = :n) OR n IN (SELECT theirs.pass FROM pass_tiles AS theirs "
        "JOIN pass_tiles AS mine ON mine.sha256 = theirs.sha256 WHERE mine.pass = :n))",
        {"key": key, "n": n},
    )


def _has_tile(connection: sqlite3.Connection, sha256: str, *, key: str) -> bool:
    found = connection.execute("SELECT 1 FROM tiles WHERE sha256 = ? AND key = ?", (sha256, key)).fetchone()
    return found is not None


def _cells(one: PassCount, *, key: str, day: date | None) -> tuple[Any, ...]:
    cars, engines = one.railcars, one.locomotives
    for interval in (cars, engines):
        if interval is not None and not 0 <= interval.low <= interval.best <= interval.high:
            raise InputError(f"pass {one_line(one.id)}: 0 <= low <= best <= high is required, got {interval}")
    return (
        cell(one.id),
        key,
        1,
        moment_text(day),
        moment_text(one.acquired),
        cell(one.site),
        cell(one.zone),
        one.status,
        int(one.simulated),
        cell(one.sensor),
        cell(one.credit),
        one.length_m,
        one.visible_fraction,
        *((cars.best, cars.low, cars.high) if cars else (None,) * 3),
        *((engines.best, engines.low, engines.high) if engines else (None,) * 3),
        one.trains,
        one.occupied_m,
        pass_text(one),
    )


def day_of(one: PassCount) -> date | None:
    """The day at the pass's site; UTC's where the site is not known."""
    from railcount import sites
    from railcount.errors import RailcountError

    if one.acquired is None:
        return None
    if one.site is not None:
        try:
            return sites.load(one.site).local_day(one.acquired)
        except RailcountError:
            pass
    return utc_day(one.acquired)


def utc_day(acquired: datetime | date) -> date:
    """The day in UTC; a day stays as it is."""
    if not isinstance(acquired, datetime):
        return acquired
    return acquired.date() if acquired.tzinfo is None else acquired.astimezone(UTC).date()


def passes(connection: sqlite3.Connection, chosen: Chosen) -> Iterator[PassCount]:
    """Whole passes by day and time, one in memory at a time; those without a date come last."""
    where, values = chosen.where()
    for (n,) in connection.execute(f"SELECT n FROM passes WHERE {where} {_ORDER}", values).fetchall():
        row = connection.execute("SELECT record FROM passes WHERE n = ?", (n,)).fetchone()
        if row is None:
            continue
        tiles = connection.execute(
            "SELECT tiles.record FROM pass_tiles JOIN tiles USING (sha256, key) WHERE pass = ? "
            "ORDER BY pass_tiles.position",
            (n,),
        ).fetchall()
        cars = connection.execute(
            f"SELECT {', '.join(CAR_COLUMNS)} FROM cars WHERE pass = ? ORDER BY number", (n,)
        ).fetchall()
        yield pass_from(row[0], tiles=[tile_from(r) for (r,) in tiles], cars=[car_from(r) for r in cars])


def summaries(connection: sqlite3.Connection, chosen: Chosen, *, hands: HandCounts) -> Iterator[Summary]:
    """Passes as lines, by day and time, each with the hand count that stands for it."""
    where, values = chosen.where()
    found = connection.execute(f"SELECT n FROM passes WHERE {where} {_ORDER}", values).fetchall()
    for start in range(0, len(found), _LINES_AT_ONCE):
        some = [n for (n,) in found[start : start + _LINES_AT_ONCE]]
        rows = connection.execute(
            f"SELECT {', '.join(_COLUMNS)}, (SELECT count(*) FROM pass_tiles WHERE pass = n), (SELECT path "
            "FROM pass_tiles JOIN tiles USING (sha256, key) WHERE pass = passes.n AND position = 0) "
            f"FROM passes WHERE n IN ({', '.join('?' * len(some))}) {_ORDER}",
            some,
        ).fetchall()
        for row in rows:
            cells = dict(zip((*_COLUMNS, "n_tiles", "first_tile"), row, strict=True))
            yield _summary(cells, hands=hands)


def _summary(row: dict[str, Any], *, hands: HandCounts) -> Summary:
    # Levels and reasons are not worth a column.
    record = json.loads(row["record"])
    pass_id, site, zone = text(row["id"]) or "", text(row["site"]), text(row["zone"])
    day = moment(row["day"])
    status: Status = row["status"]
    simulated = bool(row["simulated"])
    return Summary(
        id=pass_id,
        key=row["key"],
        day=day,
        acquired=moment(row["acquired"]),
        site=site,
        zone=zone,
        status=status,
        simulated=simulated,
        sensor=text(row["sensor"]),
        credit=text(row["credit"]),
        n_tiles=row["n_tiles"],
        first_tile=text(row["first_tile"]),
        length_m=row["length_m"],
        visible_fraction=row["visible_fraction"],
        railcars=_interval(record["railcars"]),
        locomotives=_interval(record["locomotives"]),
        trains=row["trains"],
        occupied_m=row["occupied_m"],
        reasons=tuple(record["reasons"]),
        hand=hands.standing_for(pass_id, site=site, day=day, zone=zone, simulated=simulated),
    )


def _interval(values: dict[str, Any] | None) -> Interval | None:
    return None if values is None else Interval(**values)


def members(connection: sqlite3.Connection, *, key: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Every current pass of a parameter key with the contents of its tiles."""
    rows = connection.execute(
        "SELECT id, sha256 FROM passes LEFT JOIN pass_tiles ON pass = n "
        "WHERE passes.key = ? AND current = 1 ORDER BY id",
        (key,),
    ).fetchall()
    found: dict[str, set[str]] = {}
    for pass_id, sha256 in rows:
        found.setdefault(text(pass_id) or "", set()).update({sha256} - {None})
    for pass_id, contents in found.items():
        yield pass_id, frozenset(contents)


def remove(connection: sqlite3.Connection, pass_id: str) -> int:
    """Remove a pass under all parameters, its cars, hand counts, decisions, and tiles of no other pass.

    Returns how many tiles went. Inside a transaction.
    """
    stored = cell(pass_id)
    tiles = connection.execute(
        "SELECT DISTINCT pass_tiles.sha256, pass_tiles.key FROM pass_tiles JOIN passes ON n = pass "
        "WHERE id = ?",
        (stored,),
    ).fetchall()
    connection.execute("DELETE FROM passes WHERE id = ?", (stored,))
    connection.execute("DELETE FROM counts WHERE pass_id = ?", (stored,))
    connection.execute("DELETE FROM decisions WHERE pass_id = ?", (stored,))
    n_removed = 0
    for sha256, key in tiles:
        n_removed += connection.execute(
            "DELETE FROM tiles WHERE sha256 = ? AND key = ? AND NOT EXISTS "
            "(SELECT 1 FROM pass_tiles WHERE pass_tiles.sha256 = ? AND pass_tiles.key = ?)",
            (sha256, key, sha256, key),
        ).rowcount
    return n_removed


def exists(connection: sqlite3.Connection, pass_id: str) -> bool:
    """True where the pass is in the history, with whatever parameters."""
    found = connection.execute("SELECT 1 FROM passes WHERE id = ?", (cell(pass_id),)).fetchone()
    return found is not None


def holding(connection: sqlite3.Connection, sha256: str) -> str | None:
    """The current pass that holds a content, the one recorded last where there are several; else None."""
    row = connection.execute(
        "SELECT id FROM passes JOIN pass_tiles ON pass = n WHERE current = 1 AND sha256 = ? "
        "ORDER BY n DESC LIMIT 1",
        (sha256,),
    ).fetchone()
    return None if row is None else text(row[0])
