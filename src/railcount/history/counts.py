"""Counts that railcount did not make, and what a site's observations are when they are set beside its own."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from railcount.baseline import METHODS, Observation
from railcount.errors import InputError
from railcount.history.coding import cell, compact, moment_text, text
from railcount.history.rows import StoredCount
from railcount.text import escape

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator

    from railcount.history.rows import Summary

_OBSERVED = (
    *("zone", "first", "last", "low", "best", "high", "unit", "statement"),
    *("qualifier", "sensor", "source", "url", "method", "notes", "visible_fraction", "simulated"),
)
"""Fields of an Observation that have a column of their name; its ``id`` is in ``pass_id``."""
_COLUMNS = ("pass_id", "site", *_OBSERVED, "who", "at", "why")
_IDENTITY = ("pass_id", "site", *_OBSERVED)
"""Two rows alike in these are one; who entered it, when and why does not make it another count."""


def add_counts(
    connection: sqlite3.Connection,
    observations: Iterable[Observation],
    *,
    site: str | None,
    who: str | None = None,
    at: datetime | None = None,
    why: str | None = None,
) -> int:
    """Keep counts; a row that is there already stays one. Returns how many are new. Inside a transaction.

    Of a pass, the count that was entered last stands: entered again, it is the last again.
    """
    n_new = 0
    for one in observations:
        if one.method not in METHODS or one.method == "measured":
            raise InputError(
                "counts that are added are published or made by hand, and railcount's own are passes; "
                f"got the method {one.method!r:.40}"
            )
        row = _cells(one, site=site, pass_id=one.id or None, who=who, at=at, why=why)
        identity = _identity(row)
        if one.id:
            n_new -= connection.execute("DELETE FROM counts WHERE identity = ?", (identity,)).rowcount
        marks = ", ".join("?" * (len(_COLUMNS) + 1))
        n_new += connection.execute(
            f"INSERT OR IGNORE INTO counts (identity, {', '.join(_COLUMNS)}) VALUES ({marks})",
            (identity, *row.values()),
        ).rowcount
    return n_new


def _cells(one: Observation, **given: Any) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(one, name) for name in _OBSERVED} | given
    return {name: _cell(row[name]) for name in _COLUMNS}


def _cell(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return moment_text(value)
    return cell(value) if isinstance(value, str) else value


def _identity(row: dict[str, Any]) -> str:
    words = [v.hex() if isinstance(v, bytes) else v for v in (row[name] for name in _IDENTITY)]
    return hashlib.sha256(compact(words).encode("ascii")).hexdigest()


def counts(
    connection: sqlite3.Connection, *, site: str | None = None, pass_id: str | None = None
) -> Iterator[StoredCount]:
    """Published and hand counts in the order of entry."""
    rows = connection.execute(
        f"SELECT n, {', '.join(_COLUMNS)}, "
        "EXISTS (SELECT 1 FROM passes WHERE id = pass_id AND current = 1) FROM counts "
        "WHERE (:site IS NULL OR site = :site) AND (:pass_id IS NULL OR pass_id = :pass_id) ORDER BY n",
        {"site": cell(site), "pass_id": cell(pass_id)},
    ).fetchall()
    for row in rows:
        yield _stored(dict(zip(("n", *_COLUMNS, "has_pass"), row, strict=True)))


def _stored(row: dict[str, Any]) -> StoredCount:
    observed: dict[str, Any] = {name: text(row[name]) for name in _OBSERVED}
    if not all(isinstance(row[name], int | None) for name in ("low", "best", "high")):
        raise ValueError("a count is no whole number")
    observed["id"], observed["simulated"] = text(row["pass_id"]) or "", bool(row["simulated"])
    observed["first"], observed["last"] = (date.fromisoformat(row[name]) for name in ("first", "last"))
    return StoredCount(
        id=row["n"],
        site=text(row["site"]),
        observation=Observation(**observed),
        who=text(row["who"]),
        at=None if row["at"] is None else datetime.fromisoformat(row["at"]),
        why=text(row["why"]),
        has_pass=bool(row["has_pass"]),
    )


class HandCounts:
    """Which hand count stands for which pass.

    One whose pass is gone, or goes by another name since earlier tiles of it came, is a count of its day.
    """

    def __init__(self, stored: Iterable[StoredCount]) -> None:
        """``stored`` in the order of entry: of a pass or a day the last one stands."""
        self._of_pass: dict[str, StoredCount] = {}
        self._of_day: dict[tuple[Any, ...], StoredCount] = {}
        for one in stored:
            observed = one.observation
            if not one.replaces_a_machine:
                continue
            if observed.id:
                self._of_pass[observed.id] = one
            if not one.has_pass:
                self._of_day[one.site, observed.first, observed.simulated, observed.zone] = one

    def standing_for(
        self, pass_id: str, *, site: str | None, day: date | None, zone: str | None, simulated: bool
    ) -> StoredCount | None:
        """The hand count of the pass itself, else of its day, in its zone or the whole site; else None.

        Drawn images have hand counts of their own.
        """
        if pass_id in self._of_pass and self._of_pass[pass_id].has_pass:
            return self._of_pass[pass_id]
        of_zone = self._of_day.get((site, day, simulated, zone))
        return of_zone or self._of_day.get((site, day, simulated, None))

    def stands_alone(self, one: StoredCount) -> bool:
        """True for a count that is an observation by itself, and of its pass the last one."""
        return not one.has_pass and self._of_pass.get(one.observation.id, one) is one


def observations(
    stored: Iterable[StoredCount],
    summaries: Iterable[Summary],
    *,
    simulated: bool,
    day_of: Callable[[Summary], date | None],
) -> tuple[Observation, ...]:
    """A site's observations by day, of real images or of drawn ones, never of both.

    Published counts, hand counts of days, and of every pass the hand count that stands for it, else the
    machine's.
    """
    stored = tuple(stored)
    hands = HandCounts(stored)
    found: list[Observation] = []
    for one in summaries:
        day = day_of(one)
        if one.simulated != simulated or day is None:
            continue
        hand = hands.standing_for(one.id, site=one.site, day=day, zone=one.zone, simulated=one.simulated)
        if hand is None:
            found.append(measured(one, day=day))
        elif hand.has_pass:
            found.append(hand.observation)
    alone = (one.observation for one in stored if hands.stands_alone(one))
    found += [one for one in alone if one.simulated == simulated]
    return tuple(sorted(found, key=_order))


def _order(one: Observation) -> tuple[Any, ...]:
    return (one.first, one.last, one.zone or "", one.method, one.source, one.most or 0)


def measured(one: Summary, *, day: date) -> Observation:
    """A pass as an observation: without numbers where it has no count."""
    numbers = one.railcars
    more = f" and {one.n_tiles - 1} more" if one.n_tiles > 1 else ""
    name = (one.first_tile or "").rpartition("/")[2]
    return Observation(
        first=day,
        last=day,
        low=numbers.low if numbers else None,
        best=numbers.best if numbers else None,
        high=numbers.high if numbers else None,
        zone=one.zone,
        sensor=escape(one.sensor or ""),
        source=f"railcount, {escape(name)}{more}",
        method="measured",
        notes=escape("; ".join([one.status, *one.reasons] if one.status != "counted" else one.reasons)),
        id=one.id,
        visible_fraction=one.visible_fraction,
        simulated=one.simulated,
    )
