"""The history: one SQLite file that is right after every step, whoever is killed meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from railcount import __version__
from railcount.errors import HistoryError, InputError, OutputError
from railcount.files import replacing
from railcount.history import connecting, counts, dumping, lock, passes, tiles, work
from railcount.history.coding import compact
from railcount.history.passes import Chosen, day_of
from railcount.history.place import default_path, refused, shown
from railcount.history.reviews import Reviews
from railcount.text import one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime
    from types import TracebackType

    from railcount.baseline import Observation
    from railcount.history.rows import KnownFile, Neighbourhood, Result, StoredCount, Summary
    from railcount.observation import PassCount
    from railcount.records import TileRecord
    from railcount.sites import Site

_T = TypeVar("_T")


class History:
    """An open history. A context manager; for one thread, and never carried over a fork.

    Every method raises HistoryError where the file turns out damaged or the disk full, and
    HistoryBusy where another process writes for longer than 30 s.
    """

    def __init__(self, connection: sqlite3.Connection, *, path: Path, readonly: bool) -> None:
        """Use ``open``."""
        self._connection = connection
        self.path = path
        self.readonly = readonly

    @classmethod
    def open(
        cls, path: str | os.PathLike[str] | None = None, *, readonly: bool = False, again: bool = False
    ) -> History:
        """Open a history; without a path the default one.

        Makes it where it is missing, and brings an older layout up to date, unless ``readonly``. A
        read-only history can be read beside a writer. One to write to is looked through for damage,
        unless it is opened ``again``, by who has had that done.

        Raises HistoryError for a file that is no history, is damaged or from a newer railcount, and
        leaves that file as it is; MissingInput for a missing one that is to be read.
        """
        given = default_path() if path is None else Path(path)
        if readonly:
            return cls(connecting.open_readonly(given), path=given, readonly=True)
        if path is None:
            try:
                given.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise refused(given, f"cannot be made: {error.strerror}") from error
        return cls(connecting.open_writable(given, again=again), path=given, readonly=False)

    def __enter__(self) -> History:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        self._connection.close()

    @contextmanager
    def claim(self, purpose: str = "railcount batch") -> Iterator[None]:
        """Hold the history until the block ends, so that one batch writes at a time.

        Raises HistoryBusy that names the holder. The system frees it when its holder is killed.
        """
        self._must_write()
        with lock.claimed(self.path, purpose=purpose):
            yield

    # -- files and tiles ------------------------------------------------------------------------

    def known_file(self, path: str | os.PathLike[str]) -> KnownFile | None:
        """What a file was when it was last read; None where it is not known."""
        with self._explained():
            return tiles.known_file(self._connection, path)

    def known_files(self, folder: str | os.PathLike[str]) -> Iterator[tuple[Path, KnownFile]]:
        """All known files below a folder, each spelled as ``folder / ...``; ``dict`` of it is a table."""
        return self._each(tiles.known_files(self._connection, Path(folder)))

    def remember_files(self, items: Iterable[tuple[str | os.PathLike[str], int, int, str]]) -> None:
        """Keep (path, size, mtime_ns, sha256) of files, all or none."""
        with self._writing():
            tiles.remember_files(self._connection, items)

    def remember_parameters(self, key: str, words: Mapping[str, Any]) -> None:
        """Keep what a parameter key stands for, in values that JSON has."""
        with self._writing():
            self._connection.execute(
                "INSERT OR REPLACE INTO parameters VALUES (?, ?, ?)", (key, compact(dict(words)), __version__)
            )

    def parameters(self) -> dict[str, dict[str, Any]]:
        """Parameter keys and what they stand for."""
        import json

        with self._explained():
            rows = self._connection.execute("SELECT key, words FROM parameters ORDER BY key").fetchall()
            return {key: json.loads(words) for key, words in rows}

    def finished(self, key: str) -> set[str]:
        """Content hashes of the tiles that need not be counted again with these parameters."""
        with self._explained():
            return tiles.finished(self._connection, key=key)

    def tile(self, sha256: str, *, key: str) -> TileRecord | None:
        """The result of a content with these parameters, final or not."""
        with self._explained():
            return tiles.tile(self._connection, sha256, key=key)

    def record_tile(self, record: TileRecord, *, key: str, context: str = "") -> None:
        """Keep a result, in place of an earlier one of the same content and parameters.

        ``context`` is a digest of what lies beside the file and enters the result; ``results`` gives it
        back. One transaction. Ends the attempt. ``timeout`` and ``crashed`` are final the second time, every
        other status at once. Raises InputError for a record without a content hash.
        """
        with self._writing():
            tiles.record_tile(self._connection, record, key=key, context=context)

    def begin(self, sha256: str, *, key: str) -> int:
        """Note that a tile is handed out; returns the number of the attempt, 1 for the first.

        Counted are attempts that were seen to fail, by ``end`` or a recorded ``timeout`` or ``crashed``. A
        batch that is killed has not seen its tiles fail: those are in ``interrupted``.
        """
        with self._writing():
            return tiles.begin(self._connection, sha256, key=key)

    def end(self, sha256: str, *, key: str, failed: bool = False) -> None:
        """The tile came back without a record; ``failed``: its worker hung or died."""
        with self._writing():
            tiles.end(self._connection, sha256, key=key, failed=failed)

    def interrupted(self, key: str) -> dict[str, int]:
        """Tiles that never came back, and how often: hand them out last, since one may be the reason."""
        with self._explained():
            return tiles.interrupted(self._connection, key=key)

    def records(self, *, key: str | None = None) -> Iterator[TileRecord]:
        """All tiles' results by content hash, with one parameter key or all; few in memory at a time."""
        return self._each(tiles.records(self._connection, key=key))

    # -- what a batch still has to do ------------------------------------------------------------

    def results(self, key: str) -> dict[str, Result]:
        """``finished`` with the status and the context of each: content hash to them, without records."""
        with self._explained():
            return work.results(self._connection, key=key)

    def unjoined(self) -> list[tuple[str, Neighbourhood]]:
        """Parameter keys and neighbourhoods whose tiles have changed since they were joined to passes."""
        with self._explained():
            return work.unjoined(self._connection)

    def nearby(self, where: Neighbourhood, *, key: str) -> Iterator[TileRecord]:
        """Finished tiles, not gone, that can belong to passes of a neighbourhood."""
        return self._each(work.nearby(self._connection, where, key=key))

    def is_unjoined(self, where: Neighbourhood, *, key: str) -> bool:
        """Whether ``unjoined`` holds a neighbourhood."""
        with self._explained():
            return work.is_unjoined(self._connection, where, key=key)

    def fresh(self, where: Neighbourhood, *, key: str) -> set[str]:
        """Content hashes of ``nearby`` that were recorded since they were last joined."""
        with self._explained():
            return work.fresh(self._connection, where, key=key)

    def tiles_of(self, pass_id: str, *, key: str) -> frozenset[str]:
        """Content hashes of the tiles of a pass; empty where there is no such pass."""
        with self._explained():
            return work.members(self._connection, pass_id, key=key)

    def regroup(
        self, made: Sequence[tuple[PassCount, date | None]], *, where: Neighbourhood, key: str
    ) -> int:
        """Keep passes, each with its day at the site, in place of all that hold any of their tiles.

        Passes whose tiles are all gone go too, and the neighbourhood is joined. One transaction. Returns
        how many passes went.
        """
        with self._writing():
            for one, day in made:
                day_there = day_of(one) if day is None else day
                passes.record_pass(self._connection, one, key=key, day=day_there)
            return work.settle(self._connection, [one for one, _ in made], where=where, key=key)

    # -- passes ---------------------------------------------------------------------------------

    def record_pass(self, one: PassCount, *, key: str, day: date | None = None) -> None:
        """Keep a pass whose tiles are recorded; it becomes the current result of these images.

        ``day`` is the day at the site (`Site.local_day`); without it the site is looked up by name, and
        where it is not known the day is UTC's. Raises InputError for a tile that is not recorded.
        """
        with self._writing():
            day = day_of(one) if day is None else day
            passes.record_pass(self._connection, one, key=key, day=day)

    def passes(
        self,
        *,
        site: str | None = None,
        since: date | None = None,
        until: date | None = None,
        key: str | None = None,
        pass_id: str | None = None,
    ) -> Iterator[PassCount]:
        """Passes with tiles and cars, by day and time: of each the result that was recorded last.

        ``since`` and ``until`` are days at the site, both included; ``key`` takes the results with these
        parameters instead.
        """
        chosen = Chosen(site=site, since=since, until=until, key=key, pass_id=pass_id)
        return self._each(passes.passes(self._connection, chosen))

    def summaries(
        self,
        *,
        site: str | None = None,
        since: date | None = None,
        until: date | None = None,
        key: str | None = None,
        pass_id: str | None = None,
    ) -> Iterator[Summary]:
        """The same passes as lines, with the hand count that stands for each: quick."""
        chosen = Chosen(site=site, since=since, until=until, key=key, pass_id=pass_id)
        hands = counts.HandCounts(self.counts())
        return self._each(passes.summaries(self._connection, chosen, hands=hands))

    def members(self, key: str) -> dict[str, frozenset[str]]:
        """Current passes with these parameters, and the content hashes of their tiles."""
        with self._explained():
            return dict(passes.members(self._connection, key=key))

    def pass_holding(self, sha256: str) -> str | None:
        """The id of the current pass that holds a tile of this content; None where none does."""
        with self._explained():
            return passes.holding(self._connection, sha256)

    def remove(self, pass_id: str) -> int:
        """Remove a pass with its cars, hand counts, decisions and tiles.

        Returns how many tiles' results went. Raises InputError where there is no such pass.
        """
        with self._writing(lasting=True):
            if not passes.exists(self._connection, pass_id):
                raise InputError(f"there is no pass {one_line(pass_id)}; 'railcount history list' shows them")
            return passes.remove(self._connection, pass_id)

    # -- counts that others made ----------------------------------------------------------------

    def add_counts(
        self,
        site: str,
        observations: Iterable[Observation],
        *,
        who: str | None = None,
        at: datetime | None = None,
        why: str | None = None,
    ) -> int:
        """Keep published or hand counts of a site, all or none; returns how many were not there yet.

        A hand count of all cars of one day stands for the machine's counts of that day, in its zone or,
        without one, in the whole site. Raises InputError for a method ``measured``.
        """
        with self._writing(lasting=True):
            return counts.add_counts(self._connection, observations, site=site, who=who, at=at, why=why)

    def add_hand_count(
        self,
        pass_id: str,
        *,
        best: int,
        low: int | None = None,
        high: int | None = None,
        who: str | None = None,
        at: datetime | None = None,
        why: str | None = None,
        notes: str = "",
    ) -> None:
        """Keep the analyst's count of a pass, which stands for the machine's; that one stays too.

        Raises InputError where there is no such pass, it has no date, or the numbers are not in order.
        """
        from railcount.baseline import Observation

        one = next(self.summaries(pass_id=pass_id), None)
        if one is None:
            raise InputError(f"there is no pass {one_line(pass_id)}; 'railcount history list' shows them")
        if one.day is None:
            raise InputError(f"pass {one_line(pass_id)} has no date; count its tiles with --date first")
        observed = Observation(
            first=one.day,
            last=one.day,
            low=best if low is None else low,
            best=best,
            high=best if high is None else high,
            zone=one.zone,
            sensor=one.sensor or "",
            source=who or "hand count",
            method="hand",
            notes=notes,
            id=one.id,
            visible_fraction=one.visible_fraction,
            simulated=one.simulated,
        )
        with self._writing(lasting=True):
            counts.add_counts(self._connection, [observed], site=one.site, who=who, at=at, why=why)

    def counts(self, *, site: str | None = None, pass_id: str | None = None) -> Iterator[StoredCount]:
        """Published and hand counts in the order of their entry."""
        return self._each(counts.counts(self._connection, site=site, pass_id=pass_id))

    def reviews(self) -> Reviews:
        """What analysts decided about single cars of passes."""
        return Reviews(self._connection, reading=self._explained, writing=lambda: self._writing(lasting=True))

    def remove_count(self, count_id: int) -> None:
        """Remove a published or hand count. Raises InputError where there is none of this number."""
        with self._writing(lasting=True):
            gone = self._connection.execute("DELETE FROM counts WHERE n = ?", (count_id,)).rowcount
            if not gone:
                raise InputError(
                    f"there is no count {count_id}; 'railcount history list --counts' shows them"
                )

    def observations(
        self, site: Site | str, *, simulated: bool = False, pass_id: str | None = None
    ) -> tuple[Observation, ...]:
        """What was seen at a site, by day: railcount's own counts, published ones and hand counts.

        Each pass is one observation, two of a day too, with the interval it has; one without a count has
        no numbers; one without a date is left out. A hand count stands for the machine's of its pass.

        Real and drawn images are never mixed: asked for ``simulated``, passes of drawn images and the
        hand counts of those are given and nothing else; else everything but those. Days are those
        of the site; given by name, those that were stored with the passes. With ``pass_id`` no other
        pass is looked at.
        """
        name = site if isinstance(site, str) else site.name

        def day(one: Summary) -> date | None:
            if isinstance(site, str) or one.acquired is None:
                return one.day
            return site.local_day(one.acquired)

        return counts.observations(
            self.counts(site=name),
            self.summaries(site=name, pass_id=pass_id),
            simulated=simulated,
            day_of=day,
        )

    # -- the whole ------------------------------------------------------------------------------

    def backup(self, target: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Copy the history, beside a writer too: whole or not at all, as one file.

        Raises OutputExists and OutputError as ``files.replacing`` does.
        """
        with self._explained(), replacing(target, overwrite=overwrite) as temporary:
            try:
                with closing(connecting.connect(temporary, mode="rwc")) as copy:
                    self._connection.backup(copy)
                    # A copy of a write-ahead history would want its log beside it.
                    copy.execute("PRAGMA journal_mode = DELETE")
            except sqlite3.OperationalError as error:
                if connecting.is_busy(error):
                    raise
                # The history is only read: what damage SQLite finds in it is no OperationalError.
                raise OutputError(f"{target} could not be written: {one_line(error)}") from error

    def check(self) -> list[str]:
        """What is wrong with the history, a sentence each; empty where nothing is."""
        return dumping.check(self._connection)

    def dump(self) -> Iterator[str]:
        """All results as canonical lines of JSON, but for attempts, known files and clocks."""
        return self._each(dumping.dump(self._connection))

    def digest(self) -> str:
        """SHA-256 of ``dump``: an interrupted and resumed batch gives that of an uninterrupted one."""
        with self._explained():
            return dumping.digest(self._connection)

    # -- how ------------------------------------------------------------------------------------

    def _explained(self) -> AbstractContextManager[None]:
        return connecting.explained(self.path)

    @contextmanager
    def _writing(self, *, lasting: bool = False) -> Iterator[None]:
        self._must_write()
        with self._explained(), connecting.transaction(self._connection, lasting=lasting):
            yield

    def _must_write(self) -> None:
        if self.readonly:
            raise HistoryError(f"the history {shown(self.path)} was opened to be read alone")

    def _each(self, rows: Iterator[_T]) -> Iterator[_T]:
        with self._explained():
            try:
                yield from rows
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                if isinstance(error, HistoryError | InputError):
                    raise
                raise refused(
                    self.path, f"holds something that cannot be read ({one_line(error)}); check it"
                ) from error
