"""``railcount batch``."""

from __future__ import annotations

import os
import signal
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from railcount.cli import options
from railcount.cli.progress import Progress
from railcount.cli.scan import FAIL_LEVELS
from railcount.counts import STATUSES_WITH_COUNT

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from types import FrameType

    from railcount.baseline import Comparison
    from railcount.batch.distributed import Cluster
    from railcount.batch.parameters import Parameters
    from railcount.batch.planning import LeftOut
    from railcount.batch.run import Batch, Event
    from railcount.batch.workers import Pool
    from railcount.history import History, Summary
    from railcount.observation import PassCount
    from railcount.raster.limits import Driver, Limits
    from railcount.records import TileRecord

GRACE_S = 3.0
"""What tiles that are being counted get when the batch is interrupted; it ends within 5 s in all."""


def _n_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@click.command(cls=options.Command)
@click.argument("folder", type=options.INPUT)
@options.history
@click.option("--no-history", is_flag=True, help="Keep nothing; everything is counted each time.")
@click.option(
    "--jobs",
    type=options.WholeNumber(min=1),
    default=_n_cores,
    show_default="one a core",
    metavar="N",
    help="Tiles counted at once, each in a process of its own.",
)
@options.time_limit
@options.memory_limit
@click.option("--fail-fast", is_flag=True, help="Stop at the first tile that is found to have no count.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_LEVELS),
    metavar="LEVEL",
    help=f"Exit with 4 where a pass reaches LEVEL: {', '.join(FAIL_LEVELS)}.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What is printed: lines as they come, or one document at the end.",
)
@click.option("-o", "--output", type=options.OUTPUT, metavar="FILE.json", help="Also write the document.")
@click.option("--recount", is_flag=True, help="Count again what was counted before.")
@click.option("--retry", is_flag=True, help="Count again what crashed, hung, failed or was refused before.")
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Count on a Dask cluster, such as tcp://10.0.0.5:8786, that sees the same files.",
)
@options.tracks
@options.mask
@options.site
@options.day
@options.stock
@options.gsd
@options.overwrite
@options.verbosity
@options.reading
@click.pass_context
def batch(ctx: click.Context, /, **given: Any) -> None:
    """Count all images in FOLDER and keep the results.

    Prints one line a pass: its tiles joined, each car once. What was counted before is not counted again
    unless the image, its metadata or an option has changed: run it again when images have come, or to go
    on after it was interrupted, at whatever moment. Exit code: 0 every tile has a count, 1 error,
    2 usage, 3 at least one tile has no count, 4 the --fail-on level was reached, 130 interrupted.

    \b
    Examples:
      railcount batch sample_tiles --no-history
      railcount batch sample_tiles --history counts.sqlite --jobs 2 -o counts.json
    """
    asked = _Asked(**given)
    asked.check()
    with ExitStack() as stack:
        history = stack.enter_context(_history(asked))
        code = _run(asked, history)
    ctx.exit(code)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The command line."""

    folder: str
    history_path: str | None
    no_history: bool
    jobs: int
    time_limit: float
    memory_limit: int
    fail_fast: bool
    fail_on: str | None
    form: str
    output: str | None
    recount: bool
    retry: bool
    scheduler: str | None
    tracks: str | None
    mask: str | None
    site: str | None
    date: dt.date | None
    stock: str | None
    gsd_m: float | None
    overwrite: bool
    limits: Limits
    drivers: tuple[Driver, ...]

    @property
    def wants_document(self) -> bool:
        return self.form == "json" or self.output is not None

    def check(self) -> None:
        """Refuse what cannot work, before anything is counted."""
        from railcount.files import check_target

        if self.no_history and self.history_path is not None:
            raise click.UsageError("--history and --no-history exclude each other")
        if self.output is not None:
            if Path(self.output).suffix.lower() != ".json":
                raise click.BadParameter("the document's name must end in .json", param_hint="--output")
            options.check_not_input(self.output, self.tracks, self.mask, self.site, self.history_path)
            check_target(self.output, overwrite=self.overwrite)

    def parameters(self) -> Parameters:
        """What the results depend on."""
        from railcount.batch.parameters import Parameters

        return Parameters(
            tracks=None if self.tracks is None else Path(self.tracks),
            mask=None if self.mask is None else Path(self.mask),
            site=self.site,
            stock=self.stock,
            date=self.date,
            gsd_m=self.gsd_m,
            limits=self.limits,
            drivers=self.drivers,
        )

    def engine(self, parameters: Parameters) -> Pool | Cluster:
        """Who counts. Processes start when there is something to count."""
        from railcount.batch.task import NAME

        how: dict[str, Any] = {
            "task": NAME,
            "settings": parameters.for_workers().words(),
            "time_limit_s": self.time_limit,
            "memory_limit_bytes": self.memory_limit * 2**20,
        }
        if self.scheduler is not None:
            from railcount.batch.distributed import Cluster

            return Cluster(self.scheduler, **how)
        from railcount.batch.workers import Pool

        return Pool(self.jobs, **how)


@contextmanager
def _history(asked: _Asked) -> Iterator[History]:
    """The history; one that is thrown away where none is wanted."""
    from railcount.history import History, default_path

    if not asked.no_history:
        is_first = asked.history_path is None and not default_path().exists()
        with History.open(asked.history_path) as history:
            yield history
            if is_first:
                options.note(f"kept in {history.path}; 'railcount history list' shows it")
        return
    with (
        tempfile.TemporaryDirectory(prefix="railcount-") as folder,
        History.open(Path(folder) / "history.sqlite") as history,
    ):
        yield history


def _run(asked: _Asked, history: History) -> int:
    """The batch from its first event to its exit code."""
    from railcount.batch.run import Batch

    parameters = asked.parameters()
    with asked.engine(parameters) as engine:
        running = Batch(
            Path(asked.folder),
            history=history,
            parameters=parameters,
            engine=engine,
            recount=asked.recount,
            retry=asked.retry,
        )
        watch = _Watch(asked, history=history, key=running.key)
        with _stopping(running) as signals, watch.progress:
            for event in running.events():
                watch.see(event)
                if asked.fail_fast and watch.has_failed:
                    running.stop()
        for notice in engine.notices:
            options.note(notice)
    if signals:
        kept = "nothing is kept (--no-history)" if asked.no_history else "what was counted is kept"
        click.echo(f"railcount: interrupted; {kept}: run the same command again to go on", err=True)
        return _code("EXIT_INTERRUPTED")
    if asked.form == "table":
        watch.close()
    if asked.wants_document:
        _write(asked, history, running, watch)
    if asked.fail_on is not None and _reaches(asked.fail_on, history, running, watch):
        return _code("EXIT_FAIL_ON")
    return _code("EXIT_NO_COUNT") if watch.n_without else 0


def _code(name: str) -> int:
    from railcount.cli import main

    code: int = getattr(main, name)
    return code


@contextmanager
def _stopping(running: Batch) -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM stop the batch in good order, the second at once; the signals that came."""
    came: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        running.stop(grace_s=0.0 if came else GRACE_S)
        came.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A tile of this folder with a result."""

    tile: str
    sha256: str


class _Watch:
    """What the events tell, shown as it comes."""

    def __init__(self, asked: _Asked, *, history: History, key: str) -> None:
        from railcount.outputs.batch import Uncounted

        self.progress = Progress("tiles")
        self.has_failed = False
        self.n_without = 0
        self.seen: list[_Seen] = []
        """Where the passes of the folder are asked for afterwards; in the order of their results."""
        self.left_out: list[LeftOut] = []
        self._keeps = asked.wants_document or asked.fail_on is not None
        self._lines = asked.form == "table"
        self._history, self._key = history, key
        self._tally: dict[str, int] = {}
        self._uncounted = Uncounted()
        self._n_before = self._n_passes = self._n_undated = 0

    def see(self, event: Event) -> None:
        """One event."""
        from railcount.batch.planning import LeftOut
        from railcount.batch.run import Begun, Counted, Joined, Kept

        if isinstance(event, Begun):
            self.progress.begin(n_total=event.n_tiles, n_slow=event.n_new)
        elif isinstance(event, Counted):
            self.progress.step(slow=True)
            self._result(event.record, fresh=True)
        elif isinstance(event, Kept):
            self.progress.step(slow=False)
            self._n_before += 1
            if event.status in STATUSES_WITH_COUNT:
                self._tile(event.tile, event.sha256, event.status)
            elif (record := self._history.tile(event.sha256, key=self._key)) is not None:
                self._result(replace(record, tile=event.tile), fresh=False)
        elif isinstance(event, LeftOut):
            self._leave_out(event)
        elif isinstance(event, Joined):
            self._pass(event.one, event.comparison, is_again=event.is_again)

    def _result(self, record: TileRecord, *, fresh: bool) -> None:
        self._tile(record.tile, record.sha256 or "", record.status)
        if record.status not in STATUSES_WITH_COUNT:
            self.has_failed = self.has_failed or fresh
            self.n_without += 1
            self._uncounted.add(record.tile, status=record.status, reason="; ".join(record.reasons))

    def _tile(self, tile: str, sha256: str, status: str) -> None:
        self._tally[status] = self._tally.get(status, 0) + 1
        if self._keeps:
            self.seen.append(_Seen(tile=tile, sha256=sha256))

    def _leave_out(self, event: LeftOut) -> None:
        words = event.kind.replace("_", " ")
        self._uncounted.add(event.tile, status=words, reason=event.reason)
        if event.kind == "skipped":
            self.progress.step(slow=False)
            self._tally["skipped"] = self._tally.get("skipped", 0) + 1
        if self._keeps:
            self.left_out.append(event)

    def _pass(self, one: PassCount, comparison: Comparison | None, *, is_again: bool) -> None:
        from railcount.outputs.batch import pass_line

        self._n_passes += not is_again
        self._n_undated += one.acquired is None and one.railcars is not None and not is_again
        if self._lines:
            self.progress.clear()
            options.print_text(pass_line(one, comparison, is_again=is_again) + "\n")

    def close(self) -> None:
        """What was not counted and why, and a sentence."""
        from railcount.batch.walk import IMAGE_SUFFIXES

        for line in self._uncounted.lines():
            options.print_text(line + "\n")
        n_tiles = sum(self._tally.values())
        parts = ", ".join(f"{n:,} {status}" for status, n in sorted(self._tally.items()))
        text = f"{n_tiles:,} {'tile' if n_tiles == 1 else 'tiles'}"
        text += f": {parts}" if n_tiles else " found: there is nothing to count"
        if not n_tiles and not self._uncounted.n:
            text += f" (names must end in {', '.join(IMAGE_SUFFIXES)})"
        if self._n_before:
            text += f"; {self._n_before:,} as before"
        if n_tiles:
            text += f"; {self._n_passes:,} {'pass' if self._n_passes == 1 else 'passes'} new or changed"
        options.print_text(text + "\n")
        if self._n_undated:
            tiles = f"{self._n_undated:,} {'tile has' if self._n_undated == 1 else 'tiles have'}"
            options.note(f"{tiles} no date: neither joined with others nor compared; --date gives one")


def _summaries(history: History, running: Batch, watch: _Watch) -> Iterator[Summary]:
    """The passes that hold a tile of this folder, by date."""
    seen = {one.sha256 for one in watch.seen}
    ids = {pass_id for pass_id, contents in history.members(running.key).items() if contents & seen}
    return (one for one in history.summaries(key=running.key) if one.id in ids)


def _reaches(level: str, history: History, running: Batch, watch: _Watch) -> bool:
    from railcount.baseline import LEVELS

    order: tuple[str, ...] = LEVELS
    compared = (running.passes.compare(one) for one in _summaries(history, running, watch))
    return any(one is not None and order.index(one.level) >= order.index(level) for one in compared)


def _write(asked: _Asked, history: History, running: Batch, watch: _Watch) -> None:
    """The document, piece by piece: records are read one at a time."""
    from railcount.files import replacing

    def pieces() -> Iterator[str]:
        from railcount.outputs.batch import document

        return document(
            passes=_passes(history, running, watch),
            results=_results(history, running, watch),
            passed_over=(one for one in watch.left_out if one.kind == "passed_over"),
        )

    if asked.output is not None:
        with (
            replacing(asked.output, overwrite=asked.overwrite) as temporary,
            temporary.open("w", encoding="ascii", newline="\n") as file,
        ):
            file.writelines(pieces())
    if asked.form == "json":
        for piece in pieces():
            options.print_text(piece)


def _passes(history: History, running: Batch, watch: _Watch) -> Iterator[tuple[PassCount, Comparison | None]]:
    for summary in list(_summaries(history, running, watch)):
        for one in history.passes(key=running.key, pass_id=summary.id):
            yield one, running.passes.compare(one)


def _results(history: History, running: Batch, watch: _Watch) -> Iterator[TileRecord]:
    from railcount.records import TileRecord

    found: list[_Seen | LeftOut] = [*watch.seen, *(one for one in watch.left_out if one.kind == "skipped")]
    for one in sorted(found, key=lambda one: Path(one.tile).parts):
        if isinstance(one, _Seen):
            record = history.tile(one.sha256, key=running.key)
            if record is not None:
                yield replace(record, tile=one.tile)
        else:
            yield TileRecord(tile=one.tile, sha256=one.sha256, status="skipped", reasons=(one.reason,))
