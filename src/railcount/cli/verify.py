"""``railcount verify``: do the tiles of a folder still give what they should?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from railcount.cli import options
from railcount.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from railcount.counts import Interval
    from railcount.raster.limits import Driver, Limits
    from railcount.verify import Outcome, Rewritten

_HEADER = ("tile", "expected", "counted", "difference", "status", "verdict")
_WORDS = {
    "as_expected": "as expected",
    "count_differs": "count differs",
    "status_differs": "status differs",
    "not_in_table": "not in the table",
    "tile_missing": "tile missing",
}
_MOST_REASONS = 3


@click.command(cls=options.Command)
@click.argument("folder", type=options.INPUT)
@click.option(
    "--update",
    is_flag=True,
    help="Rewrite the rows of expected.csv that differ; add new tiles, take out missing ones.",
)
@click.option(
    "--jobs",
    "n_workers",
    type=options.WholeNumber(1, 256),
    default=1,
    show_default=True,
    metavar="N",
    help="Tiles that are counted at once, each in a process.",
)
@options.form("table", "json")
@options.site
@options.stock
@options.gsd
@options.verbosity
@options.reading
@click.pass_context
def verify(  # noqa: PLR0917
    ctx: click.Context,
    folder: str,
    update: bool,
    n_workers: int,
    form: str,
    site: str | None,
    stock: str | None,
    gsd_m: float | None,
    limits: Limits,
    drivers: tuple[Driver, ...],
) -> None:
    """Count the tiles in FOLDER, at any depth, and set the counts against its expected.csv.

    The table's columns: tile (path within FOLDER, forward slashes), count (railcars; empty where the
    tile cannot be counted), tolerance (how far a count may lie from it), status, and where lines are to
    be used tracks (path within FOLDER). Other columns and lines that begin with # are left alone. Quality
    masks are not tiles. Tiles that the table does not name and rows without a tile are differences too.

    Exit code: 0 all as expected, 1 error, 2 usage, 4 there are differences. With --update:
    0 written, 3 written, but a tile has no count that nobody expected to have none.

    \b
    Examples:
      railcount verify tiles --update
      railcount verify tiles
    """
    from railcount import verify as verifying
    from railcount.expected import read_expected

    expected = read_expected(folder, missing_ok=update)
    how = verifying.Scanning(site=site, stock=stock, gsd_m=gsd_m, limits=limits, drivers=drivers)
    jobs = verifying.jobs_of(folder, expected)
    if update:
        verifying.check_names(expected, jobs)
    outcomes = []
    with Progress("tiles") as progress:
        progress.begin(n_total=len(jobs), n_slow=len(jobs))
        for outcome in verifying.run(jobs, scanning=how, n_workers=n_workers):
            outcomes.append(outcome)
            progress.step(slow=True)
    change = verifying.rewritten(expected, outcomes) if update else None
    if change is not None and change.anything:
        from railcount.files import write_bytes

        write_bytes(expected.path, change.data, overwrite=True)
    if form == "json":
        options.print_text(json.dumps(_document(folder, outcomes, change), indent=2) + "\n")
    else:
        options.print_text(_table(outcomes, path=expected.path, change=change))
    ctx.exit(_exit_code(outcomes, change))


def _exit_code(outcomes: Sequence[Outcome], change: Rewritten | None) -> int:
    from railcount.cli.main import EXIT_FAIL_ON, EXIT_NO_COUNT

    if change is not None:
        return EXIT_NO_COUNT if any(one.lost for one in outcomes) else 0
    return 0 if all(one.verdict == "as_expected" for one in outcomes) else EXIT_FAIL_ON


def _table(outcomes: Sequence[Outcome], *, path: Path, change: Rewritten | None) -> str:
    from railcount.text import escape

    rows = [_HEADER, *(_cells(one) for one in outcomes)]
    sizes = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = [
        "  ".join(
            cell.rjust(size) if i in (1, 3) else cell.ljust(size)
            for i, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.append("")
    for one in outcomes:
        if one.verdict != "as_expected" and one.measured is not None:
            reasons = one.measured.reasons[:_MOST_REASONS]
            lines += [f"{escape(one.tile)}: {escape(reason)}" for reason in reasons]
    lines.append(escape(_closing(outcomes, path=str(path), change=change)))
    return "\n".join(lines) + "\n"


def _cells(one: Outcome) -> tuple[str, ...]:
    from railcount.text import escape

    wanted, got = one.expected, one.measured
    expected = "-" if wanted is None or wanted.count is None else str(wanted.count)
    if expected != "-" and wanted is not None and wanted.tolerance:
        expected += f" +-{wanted.tolerance}"
    counted = "-" if got is None else _counted(got.railcars)
    difference = "-" if one.difference is None else f"{one.difference:+d}" if one.difference else "0"
    verdict = _WORDS[one.verdict]
    if one.verdict == "status_differs" and wanted is not None:
        verdict += f" (expected {wanted.status})"
    return escape(one.tile), expected, counted, difference, got.status if got else "-", verdict


def _counted(railcars: Interval | None) -> str:
    return "-" if railcars is None else f"{railcars.best} ({railcars.low}-{railcars.high})"


def _closing(outcomes: Sequence[Outcome], *, path: str, change: Rewritten | None) -> str:
    differ = [one for one in outcomes if one.verdict != "as_expected"]
    tiles = "1 tile" if len(outcomes) == 1 else f"{len(outcomes)} tiles"
    if change is not None:
        if not change.anything:
            return f"{tiles}, all as expected; {path} is left as it was."
        parts = ((change.n_changed, "changed"), (change.n_added, "added"), (change.n_removed, "removed"))
        said = ", ".join(f"{n} {'row' if n == 1 else 'rows'} {word}" for n, word in parts if n)
        return f"{tiles}; {path} rewritten: {said}."
    if not differ:
        return f"{tiles}, all as expected."
    tally: dict[str, int] = {}
    for one in differ:
        tally[_WORDS[one.verdict]] = tally.get(_WORDS[one.verdict], 0) + 1
    said = ", ".join(f"{n} x {words}" for words, n in tally.items())
    return f"{len(differ)} of {tiles} {'differs' if len(differ) == 1 else 'differ'} from {path}: {said}."


def _document(folder: str, outcomes: Sequence[Outcome], change: Rewritten | None) -> dict[str, Any]:
    from railcount import __version__

    n_differ = sum(one.verdict != "as_expected" for one in outcomes)
    updated = None
    if change is not None:
        updated = {"changed": change.n_changed, "added": change.n_added, "removed": change.n_removed}
    return {
        "schema_version": 1,
        "railcount_version": __version__,
        "folder": _plain(folder),
        "n_tiles": len(outcomes),
        "n_different": n_differ,
        "updated": updated,
        "tiles": [_as_json(one) for one in outcomes],
    }


def _as_json(one: Outcome) -> dict[str, Any]:
    wanted, got = one.expected, one.measured
    expected = measured = None
    if wanted is not None:
        expected = {"count": wanted.count, "tolerance": wanted.tolerance, "status": wanted.status}
    if got is not None:
        cars = got.railcars
        railcars = None
        if cars is not None:
            railcars = {"best": cars.best, "low": cars.low, "high": cars.high, "level": cars.level}
        measured = {
            "status": got.status,
            "railcars": railcars,
            "reasons": [_plain(reason) for reason in got.reasons],
        }
    return {
        "tile": _plain(one.tile),
        "verdict": one.verdict,
        "difference": one.difference,
        "expected": expected,
        "measured": measured,
    }


def _plain(text: str) -> str:
    from railcount.outputs.text import plain

    return plain(text)
