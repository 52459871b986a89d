"""The tables of a history, and the steps from one layout to the next.

A text that SQLite cannot hold, since a stranger's file name or tag has stray bytes in it, is kept as
a BLOB; see `railcount.history.coding.cell`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

APPLICATION_ID = 0x52434E54
"""``RCNT``: tells a history from other programs' SQLite files."""

_FIRST = (
    """CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID""",
    # What a parameter key stands for. Keys are digests; words say it to people, as JSON.
    """CREATE TABLE parameters (
        key TEXT PRIMARY KEY, words TEXT NOT NULL, railcount_version TEXT NOT NULL
    ) WITHOUT ROWID""",
    # Which content a file had when it was last looked at, so that it need not be read to be known.
    # path is the absolute path as the system's bytes.
    """CREATE TABLE files (
        path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL
    ) WITHOUT ROWID""",
    # Finds out whether a content is anywhere still.
    """CREATE INDEX files_by_content ON files (sha256)""",
    # A result: content and parameters decide it. final: not to be counted again. context: digest of what
    # lies beside the file and enters the result. gone: its file has another content now. fresh: not
    # yet joined to a pass as it is. day: that by which
    # tiles are joined, in UTC, also where the name alone says it.
    """CREATE TABLE tiles (
        n INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, key TEXT NOT NULL, final INTEGER NOT NULL,
        context TEXT NOT NULL DEFAULT '', gone INTEGER NOT NULL DEFAULT 0, fresh INTEGER NOT NULL DEFAULT 1,
        status TEXT NOT NULL, day TEXT, acquired TEXT, site TEXT, simulated INTEGER NOT NULL,
        path TEXT NOT NULL, record TEXT NOT NULL,
        UNIQUE (sha256, key)
    )""",
    # Records are long: this answers what is finished without touching them.
    """CREATE INDEX tiles_finished ON tiles (key, final, sha256, status, context, gone)""",
    """CREATE INDEX tiles_by_day ON tiles (key, day)""",
    """CREATE INDEX tiles_gone ON tiles (key, sha256) WHERE gone = 1""",
    # Days, or tiles without a date, which must be joined to passes again. day and sha256 are empty where
    # they do not apply.
    """CREATE TABLE unjoined (
        key TEXT NOT NULL, day TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (key, day, sha256)
    ) WITHOUT ROWID""",
    """CREATE TABLE attempts (
        sha256 TEXT NOT NULL, key TEXT NOT NULL, handed_out INTEGER NOT NULL, failed INTEGER NOT NULL,
        PRIMARY KEY (key, sha256)
    ) WITHOUT ROWID""",
    # current: counted last, of all parameters. record: what has no column, as JSON.
    """CREATE TABLE passes (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL, key TEXT NOT NULL, current INTEGER NOT NULL,
        day TEXT, acquired TEXT, site TEXT, zone TEXT, status TEXT NOT NULL, simulated INTEGER NOT NULL,
        sensor TEXT, credit TEXT, length_m REAL NOT NULL, visible_fraction REAL,
        railcars_best INTEGER, railcars_low INTEGER, railcars_high INTEGER,
        locomotives_best INTEGER, locomotives_low INTEGER, locomotives_high INTEGER,
        trains INTEGER, occupied_m REAL, record TEXT NOT NULL,
        UNIQUE (id, key)
    )""",
    """CREATE INDEX passes_by_day ON passes (day, acquired, id)""",
    """CREATE TABLE pass_tiles (
        pass INTEGER NOT NULL REFERENCES passes (n) ON DELETE CASCADE, position INTEGER NOT NULL,
        sha256 TEXT NOT NULL, key TEXT NOT NULL,
        PRIMARY KEY (pass, position),
        FOREIGN KEY (sha256, key) REFERENCES tiles (sha256, key)
    ) WITHOUT ROWID""",
    """CREATE INDEX pass_tiles_by_tile ON pass_tiles (sha256, key)""",
    # ring: [[longitude, latitude], ...] in degrees, WGS 84, not closed; flags: a list.
    """CREATE TABLE cars (
        pass INTEGER NOT NULL REFERENCES passes (n) ON DELETE CASCADE, number INTEGER NOT NULL,
        track TEXT NOT NULL, train INTEGER NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL,
        covered INTEGER, length_m REAL NOT NULL, width_m REAL NOT NULL, heading_deg REAL,
        confidence REAL NOT NULL, flags TEXT NOT NULL, ring TEXT NOT NULL,
        PRIMARY KEY (pass, number)
    ) WITHOUT ROWID""",
    # Counts that railcount did not make: published ones, and the analyst's own, of a pass or a day.
    """CREATE TABLE counts (
        n INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT NOT NULL UNIQUE, pass_id TEXT,
        site TEXT, zone TEXT, first TEXT NOT NULL, last TEXT NOT NULL,
        low INTEGER, best INTEGER, high INTEGER, unit TEXT NOT NULL, statement TEXT NOT NULL,
        qualifier TEXT NOT NULL, sensor TEXT NOT NULL, source TEXT NOT NULL, url TEXT,
        method TEXT NOT NULL, notes TEXT NOT NULL,
        visible_fraction REAL, simulated INTEGER NOT NULL, who TEXT, at TEXT, why TEXT
    )""",
    """CREATE INDEX counts_by_site ON counts (site, first)""",
)

_SECOND = (
    # What analysts decided about single cars of a pass. A car is known by its ring, so that decisions
    # outlive a new count of the same outlines. undone: taken back; the row stays.
    """CREATE TABLE decisions (
        n INTEGER PRIMARY KEY AUTOINCREMENT, pass_id TEXT NOT NULL, action TEXT NOT NULL, ring TEXT NOT NULL,
        kind TEXT, parts INTEGER, who TEXT, at TEXT, undone INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE INDEX decisions_by_pass ON decisions (pass_id, n)""",
)

MIGRATIONS: tuple[Sequence[str], ...] = (_FIRST, _SECOND)
"""Statements that lead from layout ``n``, their place in this table, to layout ``n + 1``. Layout 0 is an
empty file. Never change a step that was published; add one."""

VERSION = len(MIGRATIONS)
"""The layout that this railcount writes; a file says its own in ``PRAGMA user_version``."""

TABLES = frozenset(
    (
        *("meta", "parameters", "files", "tiles", "unjoined", "attempts", "passes", "pass_tiles", "cars"),
        *("counts", "decisions"),
    )
)


def version_of(connection: sqlite3.Connection) -> int:
    """The layout of the open file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(connection: sqlite3.Connection, *, steps: Sequence[Sequence[str]] | None = None) -> int:
    """Bring the open file to the last layout, all steps in one transaction; returns the layout it had.

    Foreign keys must be off: a step may build a table anew. Whoever comes second finds nothing to do.
    """
    steps = MIGRATIONS if steps is None else steps
    connection.execute("BEGIN IMMEDIATE")
    try:
        before = version_of(connection)
        for step in steps[before:]:
            for statement in step:
                connection.execute(statement)
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            # A step that loses rows is a mistake of this program, and must not be kept.
            raise AssertionError("a migration broke a reference between tables")
        if before < len(steps):
            connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return before
