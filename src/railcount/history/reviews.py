"""What analysts decided about single cars, each decision kept as it is made; taken back, it stays as such."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from railcount.errors import InputError
from railcount.history import passes
from railcount.history.coding import cell, compact, moment_text, text
from railcount.review import Decision
from railcount.text import one_line

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from contextlib import AbstractContextManager

_COLUMNS = ("action", "ring", "kind", "parts", "who", "at")


class Reviews:
    """The decisions of an open history. Made by ``History.reviews``; raises as that does."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        reading: Callable[[], AbstractContextManager[None]],
        writing: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Use ``History.reviews``."""
        self._connection = connection
        self._reading = reading
        self._writing = writing

    def decisions(self, pass_id: str) -> tuple[Decision, ...]:
        """Those about a pass that were not taken back, in the order in which they were made."""
        with self._reading():
            return decisions(self._connection, pass_id)

    def decide(self, pass_id: str, decision: Decision) -> None:
        """Keep a decision: it is on the disk when this returns. Raises InputError where there is no such
        pass."""
        with self._writing():
            if not passes.exists(self._connection, pass_id):
                raise InputError(f"there is no pass {one_line(pass_id)}; 'railcount history list' shows them")
            self._connection.execute(
                f"INSERT INTO decisions (pass_id, {', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    cell(pass_id),
                    decision.action,
                    compact([list(point) for point in decision.ring]),
                    decision.kind,
                    decision.parts,
                    cell(decision.who),
                    moment_text(decision.at),
                ),
            )

    def undo(self, pass_id: str) -> Decision | None:
        """Take back the last decision about a pass that stands; None where there is none."""
        with self._writing():
            row = self._connection.execute(
                f"SELECT n, {', '.join(_COLUMNS)} FROM decisions WHERE pass_id = ? AND undone = 0 "
                "ORDER BY n DESC LIMIT 1",
                (cell(pass_id),),
            ).fetchone()
            if row is None:
                return None
            self._connection.execute("UPDATE decisions SET undone = 1 WHERE n = ?", (row[0],))
            return _decision(*row[1:])


def decisions(connection: sqlite3.Connection, pass_id: str) -> tuple[Decision, ...]:
    """Decisions about a pass that stand, in order. Raises ValueError or InputError for damaged ones."""
    rows = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM decisions WHERE pass_id = ? AND undone = 0 ORDER BY n",
        (cell(pass_id),),
    ).fetchall()
    return tuple(_decision(*row) for row in rows)


def unreadable(connection: sqlite3.Connection) -> int:
    """How many decisions cannot be read."""
    wrong = 0
    for row in connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM decisions"):
        try:
            _decision(*row)
        except (ValueError, TypeError):
            wrong += 1
    return wrong


def _decision(*cells: Any) -> Decision:
    given = dict(zip(_COLUMNS, cells, strict=True))
    given["ring"] = tuple((float(x), float(y)) for x, y in json.loads(given["ring"]))
    given["who"] = text(given["who"])
    given["at"] = None if given["at"] is None else datetime.fromisoformat(given["at"])
    return Decision(**given)
