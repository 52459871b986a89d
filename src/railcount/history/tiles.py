"""Files that are known, tiles that are counted, and attempts that ended badly."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from railcount.errors import InputError
from railcount.history import work
from railcount.history.coding import cell, moment_text, tile_from, tile_text
from railcount.history.rows import KnownFile
from railcount.observation.grouping import Item
from railcount.text import one_line

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from railcount.records import TileRecord

MAX_FAILURES = 2
"""A tile whose worker hung or died so often is set aside."""
TRIED_AGAIN = ("timeout", "crashed")
"""Statuses that may be the machine's fault: kept for good only the second time."""

_FILES_AT_ONCE = 1000
_RECORDS_AT_ONCE = 64


def _key(path: str | os.PathLike[str]) -> bytes:
    return os.fsencode(os.path.abspath(path))


def known_file(connection: sqlite3.Connection, path: str | os.PathLike[str]) -> KnownFile | None:
    """What the file was when it was last read."""
    row = connection.execute(
        "SELECT size, mtime_ns, sha256 FROM files WHERE path = ?", (_key(path),)
    ).fetchone()
    return None if row is None else KnownFile(*row)


def known_files(connection: sqlite3.Connection, folder: Path) -> Iterator[tuple[Path, KnownFile]]:
    """Every known file below the folder, spelled with it, by path."""
    start = _key(folder).rstrip(os.fsencode(os.sep)) + os.fsencode(os.sep)
    end = start[:-1] + bytes([start[-1] + 1])
    last = start
    while True:
        rows = connection.execute(
            "SELECT path, size, mtime_ns, sha256 FROM files WHERE path > ? AND path < ? "
            "ORDER BY path LIMIT ?",
            (last, end, _FILES_AT_ONCE),
        ).fetchall()
        for path, *rest in rows:
            yield Path(folder, os.fsdecode(path[len(start) :])), KnownFile(*rest)
        if len(rows) < _FILES_AT_ONCE:
            return
        last = rows[-1][0]


def remember_files(
    connection: sqlite3.Connection, items: Iterable[tuple[str | os.PathLike[str], int, int, str]]
) -> None:
    """Keep (path, size, mtime_ns, sha256); what was known of a path is replaced. Inside a transaction.

    A content that no file has any more, since another took its place, is gone: its results stay, but
    belong to no pass. A file that was deleted keeps its results.
    """
    for path, size, mtime_ns, sha256 in items:
        before = connection.execute("SELECT sha256 FROM files WHERE path = ?", (_key(path),)).fetchone()
        connection.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET "
            "size = excluded.size, mtime_ns = excluded.mtime_ns, sha256 = excluded.sha256",
            (_key(path), size, mtime_ns, sha256),
        )
        if connection.execute("UPDATE tiles SET gone = 0 WHERE sha256 = ? AND gone = 1", (sha256,)).rowcount:
            _unjoin(connection, sha256, key=None)
        if before is not None and before[0] != sha256:
            _lose(connection, before[0])


def _lose(connection: sqlite3.Connection, sha256: str) -> None:
    """The results of a content are gone, unless another file has it."""
    if connection.execute("SELECT 1 FROM files WHERE sha256 = ?", (sha256,)).fetchone() is None:
        connection.execute("UPDATE tiles SET gone = 1 WHERE sha256 = ?", (sha256,))
        _unjoin(connection, sha256, key=None)


def _unjoin(connection: sqlite3.Connection, sha256: str, *, key: str | None) -> None:
    """Where a result is found its passes must be made again; ``key`` None: with all parameters."""
    rows = connection.execute(
        "SELECT key, day FROM tiles WHERE sha256 = :sha256 AND (:key IS NULL OR key = :key)",
        {"sha256": sha256, "key": key},
    ).fetchall()
    for its_key, day in rows:
        work.mark(connection, work.neighbourhood(day, sha256), key=its_key)


def finished(connection: sqlite3.Connection, *, key: str) -> set[str]:
    """Contents with a result that stays."""
    rows = connection.execute("SELECT sha256 FROM tiles WHERE key = ? AND final = 1", (key,))
    return {sha256 for (sha256,) in rows}


def tile(connection: sqlite3.Connection, sha256: str, *, key: str) -> TileRecord | None:
    """The result of a content."""
    row = connection.execute(
        "SELECT record FROM tiles WHERE sha256 = ? AND key = ?", (sha256, key)
    ).fetchone()
    return None if row is None else tile_from(row[0])


def record_tile(connection: sqlite3.Connection, record: TileRecord, *, key: str, context: str = "") -> None:
    """Keep a result in place of an earlier one; ends the attempt. Inside a transaction."""
    if record.sha256 is None:
        raise InputError(
            f"{one_line(record.tile)} has no content hash, by which a history knows a tile; do not record it"
        )
    failed = record.status in TRIED_AGAIN
    n_failed = end(connection, record.sha256, key=key, failed=failed)
    final = not failed or n_failed >= MAX_FAILURES
    if final:
        connection.execute("DELETE FROM attempts WHERE key = ? AND sha256 = ?", (key, record.sha256))
    _unjoin(connection, record.sha256, key=key)
    connection.execute(
        "INSERT INTO tiles "
        "(sha256, key, final, context, status, day, acquired, site, simulated, path, record) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256, key) DO UPDATE SET "
        "final = excluded.final, fresh = 1, context = excluded.context, status = excluded.status, "
        "day = excluded.day, acquired = excluded.acquired, site = excluded.site, "
        "simulated = excluded.simulated, path = excluded.path, record = excluded.record",
        (
            record.sha256,
            key,
            int(final),
            context,
            record.status,
            moment_text(Item(record).day),
            moment_text(record.acquired),
            cell(record.site),
            int(record.simulated),
            cell(record.tile),
            tile_text(record),
        ),
    )
    _unjoin(connection, record.sha256, key=key)


def begin(connection: sqlite3.Connection, sha256: str, *, key: str) -> int:
    """Count an attempt before it is made; returns its number among those that failed: 1 for the first."""
    connection.execute(
        "INSERT INTO attempts VALUES (?, ?, 1, 0) "
        "ON CONFLICT (key, sha256) DO UPDATE SET handed_out = handed_out + 1",
        (sha256, key),
    )
    return _n_failed(connection, sha256, key=key) + 1


def end(connection: sqlite3.Connection, sha256: str, *, key: str, failed: bool) -> int:
    """End an attempt; returns how many have failed so far."""
    connection.execute(
        "UPDATE attempts SET handed_out = 0, failed = failed + ? WHERE key = ? AND sha256 = ?",
        (int(failed), key, sha256),
    )
    if failed:
        connection.execute("INSERT OR IGNORE INTO attempts VALUES (?, ?, 0, 1)", (sha256, key))
    connection.execute(
        "DELETE FROM attempts WHERE key = ? AND sha256 = ? AND failed = 0 AND handed_out = 0", (key, sha256)
    )
    return _n_failed(connection, sha256, key=key)


def _n_failed(connection: sqlite3.Connection, sha256: str, *, key: str) -> int:
    row = connection.execute(
        "SELECT failed FROM attempts WHERE key = ? AND sha256 = ?", (key, sha256)
    ).fetchone()
    return 0 if row is None else int(row[0])


def interrupted(connection: sqlite3.Connection, *, key: str) -> dict[str, int]:
    """Contents that were handed out and never came back, and how often: their batch died meanwhile."""
    return dict(
        connection.execute(
            "SELECT sha256, handed_out FROM attempts WHERE key = ? AND handed_out > 0 ORDER BY sha256", (key,)
        )
    )


def records(connection: sqlite3.Connection, *, key: str | None) -> Iterator[TileRecord]:
    """All results, of one parameter key or of all, by content; few in memory at a time."""
    last = ("", "")
    while True:
        rows = connection.execute(
            "SELECT sha256, key, record FROM tiles WHERE (sha256, key) > (?, ?) AND (? IS NULL OR key = ?) "
            "ORDER BY sha256, key LIMIT ?",
            (*last, key, key, _RECORDS_AT_ONCE),
        ).fetchall()
        for *_, stored in rows:
            yield tile_from(stored)
        if len(rows) < _RECORDS_AT_ONCE:
            return
        last = rows[-1][:2]
