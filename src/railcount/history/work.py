"""What a batch still has to do: tiles that no pass holds yet, and passes that hold tiles they should not."""

from __future__ import annotations

import posixpath
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from railcount.history.coding import cell, moment, text, tile_from
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


def loose(connection: sqlite3.Connection, *, key: str) -> dict[str, Neighbourhood]:
    """Finished tiles in no pass, with their neighbourhood."""
    rows = connection.execute(
        "SELECT sha256, acquired, path FROM tiles WHERE key = ? AND final = 1 AND gone = 0 AND NOT EXISTS ("
        "SELECT 1 FROM pass_tiles WHERE pass_tiles.sha256 = tiles.sha256 AND pass_tiles.key = tiles.key)",
        (key,),
    )
    return {sha256: _neighbourhood(*rest) for sha256, *rest in rows}


def stale(connection: sqlite3.Connection) -> dict[str, set[Neighbourhood]]:
    """By parameter key, the neighbourhoods of tiles that are gone and still in a current pass."""
    rows = connection.execute(
        "SELECT tiles.key, tiles.acquired, tiles.path FROM tiles JOIN pass_tiles USING (sha256, key) "
        "JOIN passes ON passes.n = pass WHERE gone = 1 AND current = 1"
    )
    found: dict[str, set[Neighbourhood]] = {}
    for key, *rest in rows:
        found.setdefault(key, set()).add(_neighbourhood(*rest))
    return found


def _neighbourhood(acquired: str | None, path: Any) -> Neighbourhood:
    return neighbourhood(moment(acquired), text(path) or "")


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
        if _neighbourhood(None, path) == where:
            for (stored,) in connection.execute(
                "SELECT record FROM tiles WHERE n = ? AND final = 1 AND gone = 0", (n,)
            ):
                yield tile_from(stored)


def drop_displaced(connection: sqlite3.Connection, kept: Iterable[PassCount], *, key: str) -> None:
    """Remove passes with these parameters that hold tiles of the kept ones, or gone tiles alone.

    Counts made by hand stay: they name a pass, which may come again. Inside a transaction.
    """
    for one in kept:
        for tile in one.tiles:
            connection.execute(
                "DELETE FROM passes WHERE key = :key AND id <> :id AND n IN "
                "(SELECT pass FROM pass_tiles WHERE sha256 = :sha256 AND key = :key)",
                {"key": key, "id": cell(one.id), "sha256": tile.sha256},
            )
    connection.execute(
        "DELETE FROM passes WHERE key = :key AND n IN (SELECT pass FROM pass_tiles JOIN tiles USING "
        "(sha256, key) WHERE gone = 1 AND key = :key) AND NOT EXISTS (SELECT 1 FROM pass_tiles JOIN tiles "
        "USING (sha256, key) WHERE pass = passes.n AND gone = 0)",
        {"key": key},
    )
