"""A batch: a folder counted into a history, as events that the caller watches.

It can be killed at any moment and run again: what was counted stays counted, and what it leads to is
what an uninterrupted run leads to. Only this process writes the history, one short transaction a step.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from railcount.batch.passes import Passes, neighbourhood_of
from railcount.batch.planning import Job, LeftOut, Plan, Same
from railcount.counts import STATUSES_WITH_COUNT
from railcount.raster.acquire import named_date
from railcount.raster.paths import CHANGED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Hashable, Iterator
    from pathlib import Path
    from typing import Any

    from railcount.baseline import Comparison
    from railcount.batch.parameters import Parameters
    from railcount.batch.workers import Ended
    from railcount.counts import Status
    from railcount.history import History, Neighbourhood
    from railcount.observation import PassCount
    from railcount.records import TileRecord

logger = logging.getLogger(__name__)

ATTEMPTS = 2
"""A tile whose process died or hung so often is set aside."""
LOOK_S = 0.2
"""How often the run looks up from waiting, to see whether it is to stop."""


class Engine(Protocol):
    """Who does the jobs: `railcount.batch.workers.Pool` or `railcount.batch.distributed.Cluster`."""

    notices: list[str]

    @property
    def n_running(self) -> int:
        """Jobs handed out that have not ended."""

    @property
    def n_free(self) -> int:
        """How many more can be handed out now."""

    def submit(self, job: Hashable, argument: dict[str, Any]) -> None:
        """Hand out a job under a name."""

    def wait(self, timeout_s: float | None = None) -> list[Ended]:
        """The jobs that ended, waiting for the first."""

    def drop(self) -> list[Hashable]:
        """Give up what is running."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What there is to do."""

    n_tiles: int
    n_new: int
    """Of these, about so many are to be counted."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A tile has its result; final."""

    record: TileRecord


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A tile has its result from an earlier run."""

    tile: str
    sha256: str
    status: Status


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A pass, with the tiles that have come so far."""

    one: PassCount
    comparison: Comparison | None
    is_again: bool
    """It was given before in this run, with fewer tiles."""


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """The run was stopped: the tiles that were being counted then are lost, all else is kept."""

    n_lost: int


Event = Begun | Counted | Kept | LeftOut | Joined | Stopped


@dataclass(kw_only=True)
class _Unit:
    """Tiles that are likely of one pass."""

    n_open: int = 0
    """Handed out or waiting to be."""
    where: dict[Neighbourhood, None] = field(default_factory=dict)
    """Where their passes are, in the order in which they were found."""


class Batch:
    """One run over a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        history: History,
        parameters: Parameters,
        engine: Engine,
        recount: bool = False,
        retry: bool = False,
    ) -> None:
        """``recount`` counts everything again, ``retry`` what failed; the engine is the caller's to close."""
        self._folder = folder
        self._history = history
        self._engine = engine
        self._parameters = parameters
        self._again = {"recount": recount, "retry": retry}
        self.key = parameters.key()
        """Under which the history keeps the results."""
        self.passes = Passes(history, key=self.key, site=parameters.site)
        self._stop = threading.Event()
        self._grace_s = 0.0
        self._waiting: deque[Job] = deque()
        self._running: dict[Hashable, Job] = {}
        self._units: dict[int, _Unit] = {}
        self._attempts: dict[str, int] = {}
        self._given: set[str] = set()
        self._is_walked = False

    def stop(self, *, grace_s: float = 0.0) -> None:
        """Hand out no more, and give what is running so long to end. From a signal handler or a thread."""
        self._grace_s = grace_s
        self._stop.set()

    def events(self) -> Iterator[Event]:
        """Run, once. What an event tells is in the history when it comes.

        Raises MissingInput where there is no such folder, HistoryBusy where another batch holds the
        history, PoolError where there are no workers, InputError for parameters that cannot be used.
        """
        with self._history.claim("railcount batch"):
            self._history.remember_parameters(self.key, self._parameters.words())
            limits = self._parameters.limits
            plan = Plan(self._folder, history=self._history, key=self.key, limits=limits, **self._again)
            survey = plan.survey(pause=self._stop.wait)
            yield Begun(n_tiles=survey.n_tiles, n_new=survey.n_new)
            steps = plan.steps()
            while not self._stop.is_set():
                yield from self._hand_out(steps)
                if not self._running:
                    break
                yield from self._take(LOOK_S)
            if self._stop.is_set():
                yield from self._wind_up()
            else:
                yield from self._join_units()
                yield from self._join_rest()

    def _hand_out(self, steps: Iterator[Job | Same | LeftOut | None]) -> Iterator[Event]:
        """Keep all workers busy, and one job ready for the next that is free."""
        while not self._stop.is_set():
            if self._waiting and self._engine.n_free:
                self._submit(self._waiting.popleft())
            elif self._waiting or self._is_walked:
                return
            else:
                yield from self._step(steps)
                yield from self._join_units()

    def _step(self, steps: Iterator[Job | Same | LeftOut | None]) -> Iterator[Event]:
        """Look at one file more."""
        try:
            step = next(steps)
        except StopIteration:
            self._is_walked = True
            return
        if step is None:
            if self._running:
                yield from self._take(0.0)
        elif isinstance(step, LeftOut):
            yield step
        elif isinstance(step, Same):
            self._units.setdefault(step.unit, _Unit())
            yield Kept(tile=step.tile, sha256=step.sha256, status=step.status)
        else:
            self._units.setdefault(step.unit, _Unit()).n_open += 1
            self._waiting.append(step)

    def _submit(self, job: Job) -> None:
        self._attempts[job.sha256] = self._history.begin(job.sha256, key=self.key)
        self._running[job.sha256] = job
        valid = None if job.valid is None else str(job.valid)
        self._engine.submit(job.sha256, {"path": str(job.path), "tile": job.tile, "valid": valid})

    def _take(self, timeout_s: float) -> Iterator[Event]:
        """What the workers have done meanwhile."""
        for ended in self._engine.wait(timeout_s):
            yield from self._ended(self._running.pop(ended.job), ended)

    def _ended(self, job: Job, ended: Ended) -> Iterator[Event]:
        attempt = self._attempts.pop(job.sha256)
        record = _record_of(job, ended, date=self._parameters.date)
        if record is None:
            self._history.end(job.sha256, key=self.key)
            self._units[job.unit].n_open -= 1
            reason = "it changed while it was counted: run the batch again"
            yield LeftOut(tile=job.tile, kind="passed_over", reason=reason)
            return
        if record.status in {"timeout", "crashed"}:
            if attempt < ATTEMPTS:
                logger.info("%s: %s; it is tried again", job.tile, "; ".join(record.reasons))
                self._history.record_tile(record, key=self.key, context=job.context)
                self._waiting.append(job)
                return
            aside = "it was tried twice and is set aside; --retry tries it again"
            record = replace(record, reasons=(*record.reasons, aside))
        self._history.record_tile(record, key=self.key, context=job.context)
        unit = self._units[job.unit]
        unit.where[neighbourhood_of(record)] = None
        unit.n_open -= 1
        logger.info("%s: %s", job.tile, record.status)
        yield Counted(record=record)
        yield from self._join_units()

    def _join_units(self) -> Iterator[Event]:
        """Passes of the units that are complete, in the order of the walk."""
        while self._units:
            number = next(iter(self._units))
            unit = self._units[number]
            may_grow = number == next(reversed(self._units)) and not self._is_walked
            if unit.n_open or may_grow:
                return
            del self._units[number]
            for where in unit.where:
                yield from self._join(where)

    def _join(self, where: Neighbourhood) -> Iterator[Event]:
        for one, comparison in self.passes.join(where):
            yield Joined(one=one, comparison=comparison, is_again=one.id in self._given)
            self._given.add(one.id)

    def _join_rest(self) -> Iterator[Event]:
        """What no unit of this run led to: left by a run that was killed, or by files that were replaced."""
        for key, where in self._history.unjoined():
            if key == self.key:
                yield from self._join(where)
            else:  # made again where they lost a tile, though nobody asked for these parameters
                for _ in self.passes.join(where, key=key):
                    pass

    def _wind_up(self) -> Iterator[Event]:
        until = time.monotonic() + self._grace_s
        while self._running and (left_s := until - time.monotonic()) > 0:
            yield from self._take(min(left_s, LOOK_S))
        lost = self._engine.drop()
        for sha256 in lost:
            self._history.end(str(sha256), key=self.key)
        yield Stopped(n_lost=len(lost))


def _record_of(job: Job, ended: Ended, *, date: dt.date | None) -> TileRecord | None:
    """What became of a tile; None where it is another file by now.

    The date of one that could not be opened is ``date``, else what its name or its folders say.
    """
    record = _answer(job, ended)
    if record is None:
        return None
    record = replace(record, folder=str(job.path.parent))
    if record.acquired is not None or record.status in STATUSES_WITH_COUNT:
        return record
    acquired, source = named_date(job.path) if date is None else (date, "option")
    return replace(record, acquired=acquired, acquired_from=source)


def _answer(job: Job, ended: Ended) -> TileRecord | None:
    from railcount.records import TileRecord

    if ended.value is None:
        status: Status = "crashed" if ended.outcome == "done" else ended.outcome
        return TileRecord(
            tile=job.tile, sha256=job.sha256, status=status, reasons=(ended.reason or "it gave no answer",)
        )
    record = TileRecord.from_dict(ended.value)
    if record.sha256 is None and CHANGED not in record.reasons and _is_as_it_was(job):
        return replace(record, sha256=job.sha256)
    return record if record.sha256 == job.sha256 else None


def _is_as_it_was(job: Job) -> bool:
    try:
        now = os.stat(job.path)
    except OSError:
        return False
    return (now.st_size, now.st_mtime_ns) == (job.size, job.mtime_ns)
