"""What a batch still has to do: tiles to count, and passes to make of those that are counted."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from railcount.history.coding import cell, tile_from
from railcount.history.rows import Neighbourhood, Result

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from railcount.observation import PassCount
    from railcount.records import TileRecord

_DAY = timedelta(days=1)


def neighbourhood(day: str | None, sha256: str) -> Neighbourhood:
    """Where a tile's pass is found; ``day`` as it is stored."""
    return Neighbourhood(None, sha256) if day is None else Neighbourhood(date.fromisoformat(day))


def results(connection: sqlite3.Connection, *, key: str) -> dict[str, Result]:
    """Contents with a result that stays."""
    rows = connection.execute("SELECT sha256, status, context FROM tiles WHERE key = ? AND final = 1", (key,))
    return {sha256: Result(*rest) for sha256, *rest in rows}


def mark(connection: sqlite3.Connection, where: Neighbourhood, *, key: str) -> None:
    """The tiles of a neighbourhood must be joined to passes again. Inside a transaction."""
    connection.execute("INSERT OR IGNORE INTO unjoined VALUES (?, ?, ?)", (key, *_cells(where)))


def unjoined(connection: sqlite3.Connection) -> list[tuple[str, Neighbourhood]]:
    """Parameter keys and neighbourhoods whose tiles must be joined again."""
    rows = connection.execute("SELECT key, day, sha256 FROM unjoined ORDER BY key, day, sha256")
    return [(key, neighbourhood(day or None, sha256)) for key, day, sha256 in rows]


def _cells(where: Neighbourhood) -> tuple[str, str]:
    return ("" if where.day is None else where.day.isoformat(), where.sha256 or "")


def is_unjoined(connection: sqlite3.Connection, where: Neighbourhood, *, key: str) -> bool:
    """True where the tiles of a neighbourhood must be joined again."""
    found = connection.execute(
        "SELECT 1 FROM unjoined WHERE key = ? AND day = ? AND sha256 = ?", (key, *_cells(where))
    )
    return found.fetchone() is not None


def nearby(connection: sqlite3.Connection, where: Neighbourhood, *, key: str) -> Iterator[TileRecord]:
    """Finished tiles, not gone, of the neighbourhood, in no order."""
    condition, values = _nearby(where, key=key)
    for (stored,) in connection.execute(f"SELECT record FROM tiles WHERE {condition}", values):
        yield tile_from(stored)


def fresh(connection: sqlite3.Connection, where: Neighbourhood, *, key: str) -> set[str]:
    """Contents of those that no pass holds as they are."""
    condition, values = _nearby(where, key=key)
    rows = connection.execute(f"SELECT sha256 FROM tiles WHERE {condition} AND fresh = 1", values)
    return {sha256 for (sha256,) in rows}


def _nearby(where: Neighbourhood, *, key: str) -> tuple[str, tuple[str | None, ...]]:
    if where.day is None:
        return "key = ? AND sha256 = ? AND final = 1 AND gone = 0", (key, where.sha256)
    # A pass can last over midnight.
    days = (where.day - _DAY).isoformat(), (where.day + _DAY).isoformat()
    return "key = ? AND day BETWEEN ? AND ? AND final = 1 AND gone = 0", (key, *days)


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
            connection.execute("UPDATE tiles SET fresh = 0 WHERE sha256 = ? AND key = ?", (tile.sha256, key))
    n_gone += connection.execute(
        # Left to itself SQLite goes through all tiles of the key.
        "DELETE FROM passes WHERE n IN "
        "(SELECT pass FROM tiles INDEXED BY tiles_gone JOIN pass_tiles USING (sha256, key) "
        "WHERE key = :key AND gone = 1) AND NOT EXISTS (SELECT 1 FROM pass_tiles JOIN tiles "
        "USING (sha256, key) WHERE pass = passes.n AND gone = 0)",
        {"key": key},
    ).rowcount
    connection.execute("DELETE FROM unjoined WHERE key = ? AND day = ? AND sha256 = ?", (key, *_cells(where)))
    return n_gone
