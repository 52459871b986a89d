"""A history file opened: made where it is missing, brought up to date, never harmed where it is not one."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from railcount.errors import HistoryBusy, HistoryError, MissingInput, OutputError, OutputExists
from railcount.files import can_write, replacing
from railcount.history import place, schema
from railcount.history.lock import busy_words
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOG = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 30.0
MAX_CELL_BYTES = 2**26
"""Of one text. A tile's record has some hundred bytes a car; a schema can ask for a gigabyte."""


def open_writable(path: Path, *, again: bool = False) -> sqlite3.Connection:
    """Open for writing, made or migrated where needed; looked through for damage unless ``again``.

    Raises HistoryError; HistoryBusy where it is held.
    """
    try:
        place.check_file(path)
    except MissingInput:
        create(path)
        place.check_file(path)
    if not can_write(path):
        raise place.refused(path, "may not be written to")
    if not again:
        place.read_through(path)
    with explained(path):
        if place.has_log(path):
            # Whoever closes a writable file last writes the log into it: not into one of a newer railcount.
            with closing(connect(path, mode="ro")) as connection:
                _check_tables(connection, path=path)
                if not again:
                    _check_pages(connection, path=path)
                    again = True
        connection = connect(path, mode="rw")
        try:
            _check_tables(connection, path=path)
            if not again:
                _check_pages(connection, path=path)
            _set_journal(connection, path=path)
            connection.execute("PRAGMA foreign_keys = OFF")
            before = schema.migrate(connection)
            if before < schema.VERSION:
                _LOG.info("%s: brought from layout %d to %d", place.shown(path), before, schema.VERSION)
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
    return connection


def open_readonly(path: Path) -> sqlite3.Connection:
    """Open for reading, beside a writer too. Raises MissingInput or HistoryError."""
    place.check_file(path)
    with explained(path):
        connection = connect(path, mode="ro")
        try:
            try:
                _check_tables(connection, path=path)
            except sqlite3.OperationalError as error:
                connection.close()
                if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK and can_write(path):
                    # Whoever wrote was killed. SQLite takes back what was not finished where it may write.
                    with closing(connect(path, mode="rw")) as writer:
                        _check_tables(writer, path=path)
                    connection = connect(path, mode="ro")
                elif place.can_be_immutable(path):
                    # Reading a write-ahead log wants to write beside the file. Where nobody can, nobody does.
                    connection = connect(path, mode="ro&immutable=1")
                else:
                    raise
                _check_tables(connection, path=path)
            version = schema.version_of(connection)
            if version < schema.VERSION:
                raise HistoryError(
                    f"the history {place.shown(path)} has the older layout {version}; "
                    "run 'railcount history upgrade' to bring it up to date"
                )
        except BaseException:
            connection.close()
            raise
    return connection


def create(path: Path) -> None:
    """Make an empty history, whole or not at all; one that another process made meanwhile is kept."""
    if not path.parent.is_dir():
        raise place.refused(path, f"cannot be made: there is no folder {place.shown(path.parent)}")
    if not can_write(path.parent):
        raise place.refused(path, "cannot be made: its folder may not be written to")
    try:
        with (
            explained(path),
            replacing(path) as temporary,
            closing(connect(temporary, mode="rwc")) as connection,
        ):
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            schema.migrate(connection)
            if not place.on_network(path):
                connection.execute("PRAGMA journal_mode = WAL")
    except OutputExists:
        return
    except OutputError as error:
        raise place.refused(path, f"cannot be made: {one_line(error)}") from error


def connect(path: Path, *, mode: str) -> sqlite3.Connection:
    """A bare connection in autocommit; ``mode`` as in SQLite's URI: ro, rw, rwc."""
    connection = sqlite3.connect(
        place.uri(path, mode=mode), uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None
    )
    # A file may come from a stranger: what its schema defines must not call functions.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL_BYTES)
    return connection


def _check_tables(connection: sqlite3.Connection, *, path: Path) -> None:
    """Read the schema: raises HistoryError where it is newer, a table is missing, or a trigger is there."""
    version = schema.version_of(connection)
    place.check_version(path, version)
    made = connection.execute(
        "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'trigger')"
    ).fetchall()
    found = {name for name, kind in made if kind == "table"}
    if strange := [name for name, kind in made if kind == "trigger"]:
        # Run by what is written, it changes other rows, or has no end.
        raise place.refused(path, f"has a trigger, {one_line(strange[0])}, and railcount makes none")
    if version == schema.VERSION and not found >= schema.TABLES:
        missing = ", ".join(sorted(schema.TABLES - found))
        raise place.refused(path, f"is damaged: it has no table {missing}")


def _check_pages(connection: sqlite3.Connection, *, path: Path) -> None:
    """Go through all pages of the file: raises HistoryError where one is damaged.

    SQLite notices damage only where it comes to it, and until then would write beside it. Of 10,000 tiles
    with 40 cars each, 130 MB, this takes 0.1 s of processor time, and to read the file.
    """
    (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise place.refused(path, f"is damaged: {one_line(said.removeprefix('*** in database main ***'))}")


def _set_journal(connection: sqlite3.Connection, *, path: Path) -> None:
    """Write-ahead log where the file system allows it, else a rollback journal.

    With the log, NORMAL: a killed process loses nothing, and a power cut at worst the last
    tiles, which are counted again. A rollback journal wants FULL for the same.
    """
    wanted = "delete" if place.on_network(path) else "wal"
    mode = _journal(connection)
    if mode != wanted:
        # Fails while others have the file open; whoever opens it next tries again.
        with suppress(sqlite3.OperationalError):
            connection.execute(f"PRAGMA journal_mode = {wanted}")
        mode = _journal(connection)
    if mode != "wal":
        _LOG.warning(
            "%s is where write-ahead logging is not possible; a rollback journal is used, and who reads "
            "waits for who writes",
            place.shown(path),
        )
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")


def _journal(connection: sqlite3.Connection) -> str:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    return str(mode).lower()


@contextmanager
def transaction(connection: sqlite3.Connection, *, lasting: bool = False) -> Iterator[None]:
    """All or nothing. ``lasting``: on the disk when it returns, for what nobody can compute again."""
    (usual,) = connection.execute("PRAGMA synchronous").fetchone()
    if lasting:
        connection.execute("PRAGMA synchronous = FULL")
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    finally:
        if lasting:
            connection.execute(f"PRAGMA synchronous = {usual}")


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the file."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors as errors that say what is wrong with the history and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        words = one_line(error)
        if is_busy(error):
            raise HistoryBusy(busy_words(path)) from error
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise place.refused(path, f"is damaged: {words}") from error
        if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError | sqlite3.IntegrityError):
            # A mistake of this program.
            raise
        raise place.refused(path, f"cannot be used: {words}") from error
