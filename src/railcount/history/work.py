"""What a batch still has to do: tiles to count, and passes to make of those that are counted."""

from __future__ import annotations

import posixpath
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from railcount.history.coding import cell, text, tile_from
from railcount.history.passes import utc_day
from railcount.history.rows import Neighbourhood, Result

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from railcount.observation import PassCount
    from railcount.records import TileRecord

_DAY = timedelta(days=1)


def neighbourhood_of(record: TileRecord) -> Neighbourhood:
    """Where the other tiles of a tile's pass are."""
    return neighbourhood(record.acquired, record.tile)


def neighbourhood(acquired: datetime | date | None, path: str) -> Neighbourhood:
    """Where tiles of one pass with a tile of this time and path are."""
    if acquired is None:
        return Neighbourhood(None, posixpath.dirname(path.replace("\\", "/")))
    return Neighbourhood(utc_day(acquired))


def results(connection: sqlite3.Connection, *, key: str) -> dict[str, Result]:
    """Contents with a result that stays."""
    rows = connection.execute("SELECT sha256, status, context FROM tiles WHERE key = ? AND final = 1", (key,))
    return {sha256: Result(*rest) for sha256, *rest in rows}


def mark(connection: sqlite3.Connection, where: Neighbourhood, *, key: str) -> None:
    """The tiles of a neighbourhood must be joined to passes again. Inside a transaction."""
    connection.execute("INSERT OR IGNORE INTO unjoined VALUES (?, ?, ?)", (key, *_cells(where)))


def unjoined(connection: sqlite3.Connection) -> list[tuple[str, Neighbourhood]]:
    """Parameter keys and neighbourhoods whose tiles must be joined again."""
    rows = connection.execute("SELECT key, day, folder FROM unjoined ORDER BY key, day, folder")
    return [
        (key, Neighbourhood(date.fromisoformat(day), None) if day else Neighbourhood(None, text(folder)))
        for key, day, folder in rows
    ]


def _cells(where: Neighbourhood) -> tuple[Any, Any]:
    return ("" if where.day is None else where.day.isoformat(), cell(where.folder or ""))


def nearby(connection: sqlite3.Connection, where: Neighbourhood, *, key: str) -> Iterator[TileRecord]:
    """Finished tiles, not gone, of the neighbourhood, in no order."""
    if where.day is not None:
        # A pass can last over midnight.
        for (stored,) in connection.execute(
            "SELECT record FROM tiles WHERE key = ? AND acquired >= ? AND acquired < ? "
            "AND final = 1 AND gone = 0",
            (key, (where.day - _DAY).isoformat(), (where.day + 2 * _DAY).isoformat()),
        ):
            yield tile_from(stored)
        return
    undated = connection.execute("SELECT n, path FROM tiles WHERE key = ? AND acquired IS NULL", (key,))
    for n, path in undated.fetchall():
        if neighbourhood(None, text(path) or "") == where:
            for (stored,) in connection.execute(
                "SELECT record FROM tiles WHERE n = ? AND final = 1 AND gone = 0", (n,)
            ):
                yield tile_from(stored)


def members(connection: sqlite3.Connection, pass_id: str, *, key: str) -> frozenset[str]:
    """The contents of a pass's tiles; empty where there is no such pass."""
    rows = connection.execute(
        "SELECT sha256 FROM pass_tiles JOIN passes ON n = pass WHERE id = ? AND passes.key = ?",
        (cell(pass_id), key),
    )
    return frozenset(sha256 for (sha256,) in rows)


def settle(
    connection: sqlite3.Connection, kept: Iterable[PassCount], *, where: Neighbourhood, key: str
) -> int:
    """Remove passes that hold tiles of the kept ones, or gone tiles alone; the neighbourhood is joined.

    Returns how many went. Counts made by hand stay: they name a pass, which may come again. Inside a
    transaction.
    """
    n_gone = 0
    for one in kept:
        for tile in one.tiles:
            n_gone += connection.execute(
                "DELETE FROM passes WHERE key = :key AND id <> :id AND n IN "
                "(SELECT pass FROM pass_tiles WHERE sha256 = :sha256 AND key = :key)",
                {"key": key, "id": cell(one.id), "sha256": tile.sha256},
            ).rowcount
    n_gone += connection.execute(
        "DELETE FROM passes WHERE n IN (SELECT pass FROM tiles JOIN pass_tiles USING (sha256, key) "
        "WHERE key = :key AND gone = 1) AND NOT EXISTS (SELECT 1 FROM pass_tiles JOIN tiles "
        "USING (sha256, key) WHERE pass = passes.n AND gone = 0)",
        {"key": key},
    ).rowcount
    connection.execute("DELETE FROM unjoined WHERE key = ? AND day = ? AND folder = ?", (key, *_cells(where)))
    return n_gone
