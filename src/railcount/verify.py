"""The tiles of a folder counted again and set against what they should give."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from railcount.counts import STATUSES_WITH_COUNT
from railcount.errors import InputError, MissingInput
from railcount.expected import Row
from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from railcount.expected import Expected
    from railcount.records import TileRecord

Verdict = Literal["as_expected", "count_differs", "status_differs", "not_in_table", "tile_missing"]

_SUFFIXES = (".tif", ".tiff")


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
    scanning: Scanning


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


def jobs_of(
    folder: str | os.PathLike[str], expected: Expected, *, scanning: Scanning | None = None
) -> tuple[Job, ...]:
    """What there is to count: the table's tiles in its order, then those of the folder that it does not name.

    Raises InputError where there is nothing to count: a run that looks at nothing must not pass for one that
    found no difference.
    """
    top = Path(folder)
    found = dict(_tiles(top))
    rows = {row.tile: row for row in expected.rows}
    if not rows and not found:
        raise InputError(f"there are no tiles in {one_line(top)}, and none in its table: nothing to verify")
    how = scanning or Scanning()
    return tuple(
        _job(tile, top=top, row=rows.get(tile), valid=found.get(tile), scanning=how)
        for tile in (*rows, *sorted(found.keys() - rows.keys()))
    )


def _tiles(top: Path) -> Iterator[tuple[str, Path | None]]:
    """Images in the folder at any depth, each with the quality mask beside it."""
    from railcount.raster.names import parse_name

    for path in top.rglob("*"):
        if path.suffix.lower() not in _SUFFIXES or parse_name(path.name).kind == "quality_mask":
            continue
        yield path.relative_to(top).as_posix(), None


def _job(tile: str, *, top: Path, row: Row | None, valid: Path | None, scanning: Scanning) -> Job:
    tracks = top / row.tracks if row is not None and row.tracks is not None else None
    return Job(tile=tile, path=top / tile, row=row, tracks=tracks, valid=valid, scanning=scanning)


def run(jobs: Sequence[Job], *, n_workers: int = 1) -> Iterator[Outcome]:
    """Count the tiles; outcomes in the order of the jobs, each as soon as those before it are done.

    Raises InputError where a row's tracks or an option cannot be used.
    """
    if n_workers <= 1 or len(jobs) <= 1:
        yield from map(check, jobs)
        return
    # Not by fork: GDAL does not survive it.
    pool = ProcessPoolExecutor(min(n_workers, len(jobs)), mp_context=get_context("spawn"))
    try:
        yield from pool.map(check, jobs)
    finally:
        pool.shutdown(cancel_futures=True)


def check(job: Job) -> Outcome:
    """Count one tile and set it against its row. Raises as ``run`` does."""
    if not os.path.lexists(job.path):
        return Outcome(tile=job.tile, expected=job.row, measured=None)
    from railcount.records import record_of
    from railcount.scan import scan_tile

    how = job.scanning
    try:
        count = scan_tile(
            job.path,
            tracks=job.tracks,
            valid=job.valid,
            site=how.site,
            stock=how.stock,
            gsd_m=how.gsd_m,
            limits=how.limits,
            drivers=how.drivers,
            baseline=False,  # a published count that comes in must not change what is verified
        )
    except (InputError, MissingInput) as error:
        raise InputError(f"{one_line(job.tile)}: {error}") from error
    return Outcome(tile=job.tile, expected=job.row, measured=record_of(count))


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
