"""The tiles of a folder counted again and set against what they should give."""

from __future__ import annotations

import logging
import os
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from railcount.counts import STATUSES_WITH_COUNT
from railcount.errors import InputError, MissingInput
from railcount.expected import Row
from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence

    from railcount.batch.workers import Ended
    from railcount.expected import Expected
    from railcount.records import TileRecord

Verdict = Literal["as_expected", "count_differs", "status_differs", "not_in_table", "tile_missing"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Scanning:
    """How the tiles are counted, the same for all; the fields are those of ``railcount.scan_tile``."""

    site: str | None = None
    stock: str | None = None
    gsd_m: float | None = None
    limits: Limits | None = None
    drivers: tuple[Driver, ...] = DEFAULT_DRIVERS


@dataclass(frozen=True, kw_only=True)
class Job:
    """One tile to count."""

    tile: str
    """Within the folder."""
    path: Path
    row: Row | None
    """None for a tile that the table does not name."""
    tracks: Path | None
    valid: Path | None
    """The quality mask beside the tile."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One tile, what it should give and what it gave."""

    tile: str
    expected: Row | None
    """None where the table does not name the tile."""
    measured: TileRecord | None
    """None where the tile is missing."""

    @property
    def verdict(self) -> Verdict:
        """How the two compare. A status is the same or it differs: ``degraded`` is not ``counted``."""
        if self.expected is None:
            return "not_in_table"
        if self.measured is None:
            return "tile_missing"
        if self.measured.status != self.expected.status:
            return "status_differs"
        if self.difference is not None and abs(self.difference) > self.expected.tolerance:
            return "count_differs"
        return "as_expected"

    @property
    def difference(self) -> int | None:
        """Railcars counted less railcars expected; None where one of the two is no count."""
        if self.expected is None or self.expected.count is None:
            return None
        if self.measured is None or self.measured.railcars is None:
            return None
        return self.measured.railcars.best - self.expected.count

    @property
    def lost(self) -> bool:
        """The tile is there and has no count, and nobody expected that."""
        if self.measured is None or self.measured.status in STATUSES_WITH_COUNT:
            return False
        return self.expected is None or self.expected.count is not None


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """The table as it should be written after a run, and what that changes."""

    data: bytes
    n_changed: int
    n_added: int
    n_removed: int

    @property
    def anything(self) -> bool:
        """Whether the table changes at all."""
        return bool(self.n_changed or self.n_added or self.n_removed)


def jobs_of(folder: str | os.PathLike[str], expected: Expected) -> tuple[Job, ...]:
    """What there is to count: the table's tiles in its order, then those of the folder that it does not name.

    Raises InputError where there is nothing to count: a run that looks at nothing must not pass for one that
    found no difference.
    """
    top = Path(folder)
    found = dict(_tiles(top))
    rows = {row.tile: row for row in expected.rows}
    if not rows and not found:
        raise InputError(f"there are no tiles in {one_line(top)}, and none in its table: nothing to verify")
    return tuple(
        _job(tile, top=top, row=rows.get(tile), valid=found.get(tile))
        for tile in (*rows, *sorted(found.keys() - rows.keys()))
    )


def _tiles(top: Path) -> Iterator[tuple[str, Path | None]]:
    """Images in the folder at any depth, each with the quality mask beside it."""
    from railcount.batch.walk import Found, walk

    # What was checked out a moment ago is whole all the same.
    for item in walk(top, settle_s=0.0):
        if isinstance(item, Found):
            yield item.path.relative_to(top).as_posix(), item.valid
        else:
            logger.info("passed over %s: %s", one_line(item.path), item.reason)


def _job(tile: str, *, top: Path, row: Row | None, valid: Path | None) -> Job:
    tracks = top / row.tracks if row is not None and row.tracks is not None else None
    return Job(tile=tile, path=top / tile, row=row, tracks=tracks, valid=valid)


def run(jobs: Sequence[Job], *, scanning: Scanning | None = None, n_workers: int = 1) -> Generator[Outcome]:
    """Count the tiles; outcomes in the order of the jobs, each as soon as those before it are done.

    With several workers each is a process: one that dies costs its tile (``crashed``), not the run.
    Raises InputError where a row's tracks or an option cannot be used.
    """
    how = scanning or Scanning()
    missing = {job.tile for job in jobs if not os.path.lexists(job.path)}
    there = [job for job in jobs if job.tile not in missing]
    if n_workers > 1 and len(there) > 1:
        records = _in_workers(there, scanning=how, n_workers=n_workers)
    else:
        records = (count(job, scanning=how) for job in there)
    with closing(records):
        for job in jobs:
            record = None if job.tile in missing else next(records)
            logger.info("%s: %s", job.tile, "missing" if record is None else record.status)
            yield Outcome(tile=job.tile, expected=job.row, measured=record)


def count(job: Job, *, scanning: Scanning) -> TileRecord:
    """What one tile gives. Raises as ``run`` does."""
    from railcount.pipeline import scan_tile
    from railcount.records import record_of

    try:
        result = scan_tile(
            job.path,
            tracks=job.tracks,
            valid=job.valid,
            site=scanning.site,
            stock=scanning.stock,
            gsd_m=scanning.gsd_m,
            limits=scanning.limits,
            drivers=scanning.drivers,
            baseline=False,  # a published count that comes in must not change what is verified
        )
    except (InputError, MissingInput) as error:
        raise InputError(f"{one_line(job.tile)}: {error}") from error
    return record_of(result)


def _in_workers(jobs: Sequence[Job], *, scanning: Scanning, n_workers: int) -> Generator[TileRecord]:
    """Records in the order of the jobs."""
    from railcount.batch.workers import Pool

    waiting = deque(enumerate(jobs))
    done: dict[Hashable, TileRecord] = {}
    settings = {**vars(scanning), "limits": vars(scanning.limits or Limits())}
    with Pool(min(n_workers, len(jobs)), task=f"{__name__}:task", settings=settings) as pool:
        for number in range(len(jobs)):
            while number not in done:
                while waiting and pool.n_free:
                    key, job = waiting.popleft()
                    pool.submit(key, _as_words(job))
                done |= {ended.job: _record(ended, jobs) for ended in pool.wait()}
            yield done.pop(number)


def _as_words(job: Job) -> dict[str, Any]:
    """A job as plain JSON; file names that are not UTF-8 survive its escapes."""
    paths = {name: getattr(job, name) for name in ("path", "tracks", "valid")}
    return {"tile": job.tile} | {name: None if p is None else str(p) for name, p in paths.items()}


def task(settings: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The task of `railcount.batch.workers.Pool`: the settings are those of ``Scanning``."""
    limits, drivers = Limits(**settings["limits"]), tuple(settings["drivers"])
    scanning = Scanning(**{**settings, "limits": limits, "drivers": drivers})

    def work(words: dict[str, Any]) -> dict[str, Any]:
        paths = {name: words[name] and Path(words[name]) for name in ("path", "tracks", "valid")}
        try:
            return {"record": count(Job(tile=words["tile"], row=None, **paths), scanning=scanning).to_dict()}
        except InputError as error:
            return {"unusable": str(error)}

    return work


def _record(ended: Ended, jobs: Sequence[Job]) -> TileRecord:
    """The answer of a worker, or what became of it."""
    from railcount.records import TileRecord

    if ended.value is None:
        assert ended.outcome != "done"  # a worker that is done has answered
        tile = str(jobs[ended.job].path) if isinstance(ended.job, int) else ""
        return TileRecord(tile=tile, sha256=None, status=ended.outcome, reasons=(ended.reason or "",))
    if "unusable" in ended.value:
        raise InputError(ended.value["unusable"])
    return TileRecord.from_dict(ended.value["record"])


def check_names(expected: Expected, jobs: Iterable[Job]) -> None:
    """Raise InputError where the table could not name a new tile: before it is counted, not after."""
    new = [Row(tile=job.tile, count=None, status="skipped") for job in jobs if job.row is None]
    expected.rewritten({}, added=new)


def rewritten(expected: Expected, outcomes: Iterable[Outcome]) -> Rewritten:
    """The table with what differs put right by what was measured.

    Rows that hold stay as they are, so that a count within its tolerance does not drift from run to run.
    Tolerances stay; a new row's is 0.
    """
    changed: dict[str, Row | None] = {}
    added: list[Row] = []
    for one in outcomes:
        if one.verdict == "as_expected":
            continue
        if one.measured is None:
            changed[one.tile] = None
            continue
        railcars = one.measured.railcars
        row = Row(
            tile=one.tile, count=None if railcars is None else railcars.best, status=one.measured.status
        )
        if one.expected is None:
            added.append(row)
        else:
            changed[one.tile] = row
    n_removed = sum(row is None for row in changed.values())
    return Rewritten(
        data=expected.rewritten(changed, added=added),
        n_changed=len(changed) - n_removed,
        n_added=len(added),
        n_removed=n_removed,
    )
