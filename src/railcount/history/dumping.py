"""A history as canonical text, and whether it is sound."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any

from railcount.errors import RailcountError
from railcount.history import reviews, schema
from railcount.history.coding import CAR_COLUMNS, car_from, compact, pass_from, tile_from
from railcount.history.counts import counts
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SENTENCES = 100
"""Of one kind; more of the same say no more."""

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, RailcountError)

_DUMPED = (
    ("parameters", "SELECT key, words, railcount_version FROM parameters ORDER BY key"),
    (
        "tile",
        "SELECT key, sha256, final, json_remove(record, '$.folder') FROM tiles ORDER BY key, sha256",
    ),
    ("pass", "SELECT id, key, current, day, record FROM passes ORDER BY id, key"),
    (
        "pass_tile",
        "SELECT id, passes.key, pass_tiles.position, sha256 FROM pass_tiles JOIN passes ON n = pass "
        "ORDER BY id, passes.key, pass_tiles.position",
    ),
    (
        "car",
        f"SELECT id, key, number, {', '.join(f'cars.{name}' for name in CAR_COLUMNS)} "
        "FROM cars JOIN passes ON n = pass ORDER BY id, key, number",
    ),
    (
        "count",
        "SELECT identity, site, pass_id, zone, first, last, low, best, high, unit, statement, qualifier, "
        "sensor, source, url, method, notes, visible_fraction, simulated, who, why FROM counts "
        "ORDER BY identity",
    ),
    (
        "decision",
        "SELECT pass_id, action, ring, kind, parts, who, undone FROM decisions ORDER BY pass_id, n",
    ),
)


def dump(connection: sqlite3.Connection) -> Iterator[str]:
    """All results as lines of JSON in an order of their own, however they came to be there.

    Left out: attempts, the table of known files (which saves reading, and says nothing of a yard), the
    absolute folders of tiles, the times at which hand counts and decisions were made, and numbers that
    SQLite hands out.
    """
    for name, query in _DUMPED:
        for row in connection.execute(query):
            yield compact([name, *(["bytes", v.hex()] if isinstance(v, bytes) else v for v in row)])


def digest(connection: sqlite3.Connection) -> str:
    """SHA-256 of ``dump``: equal for equal histories."""
    total = hashlib.sha256()
    # One state of the history, whoever writes meanwhile.
    connection.execute("BEGIN")
    try:
        for line in dump(connection):
            total.update(line.encode("ascii") + b"\n")
    finally:
        connection.execute("ROLLBACK")
    return total.hexdigest()


def check(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the history, a sentence each; empty where nothing is."""
    wrong: list[str] = []
    try:
        found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({MAX_SENTENCES})")]
        wrong += [f"the file is damaged: {one_line(words)}" for words in found if words != "ok"]
        if (version := schema.version_of(connection)) != schema.VERSION:
            wrong.append(f"its layout is {version}, and {schema.VERSION} is required")
        for table, *_, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(MAX_SENTENCES):
            wrong.append(f"a row of {table} points at a row of {parent} that is not there")
        wrong += _unreadable_tiles(connection)
        wrong += _unreadable_passes(connection)
        wrong += _unreadable_counts(connection)
        if n_wrong := reviews.unreadable(connection):
            wrong.append(f"{n_wrong} decisions about cars cannot be read")
    except sqlite3.DatabaseError as error:
        wrong.append(f"the file is damaged: {one_line(error)}")
    return wrong


def _unreadable_tiles(connection: sqlite3.Connection) -> list[str]:
    wrong: list[str] = []
    for sha256, status, stored in connection.execute("SELECT sha256, status, record FROM tiles"):
        try:
            record = tile_from(stored)
            if (record.sha256, record.status) != (sha256, status):
                wrong.append(f"the record of tile {one_line(sha256)} is that of another tile")
        except _UNREADABLE as error:
            wrong.append(f"the record of tile {one_line(sha256)} cannot be read: {_said(error)}")
        if len(wrong) >= MAX_SENTENCES:
            break
    return wrong


def _unreadable_passes(connection: sqlite3.Connection) -> list[str]:
    wrong: list[str] = []
    for n, pass_id, best, stored in connection.execute("SELECT n, id, railcars_best, record FROM passes"):
        cars = connection.execute(f"SELECT {', '.join(CAR_COLUMNS)} FROM cars WHERE pass = ?", (n,))
        try:
            one = pass_from(stored, tiles=(), cars=[car_from(row) for row in cars])
            if best != (one.railcars.best if one.railcars else None):
                wrong.append(f"pass {_name(pass_id)} has two different counts")
        except _UNREADABLE as error:
            wrong.append(f"the record of pass {_name(pass_id)} cannot be read: {_said(error)}")
        if len(wrong) >= MAX_SENTENCES:
            break
    return wrong


def _unreadable_counts(connection: sqlite3.Connection) -> list[str]:
    try:
        for _ in counts(connection):
            pass
    except _UNREADABLE as error:
        return [f"a published or hand count cannot be read: {_said(error)}"]
    return []


def _said(error: Exception) -> str:
    kind = "not JSON" if isinstance(error, json.JSONDecodeError) else type(error).__name__
    return one_line(f"{kind}: {error}")


def _name(pass_id: Any) -> str:
    return one_line(pass_id)
