"""The commands of ``railcount history`` that change it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from railcount.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from railcount.history import History, Summary

_COUNT = options.WholeNumber(0, 1_000_000)


@contextmanager
def existing(path: str | None) -> Iterator[History]:
    """A history to write to; a mistyped name must not make a new one."""
    from railcount.history import History, default_path
    from railcount.history.place import check_file

    check_file(Path(path) if path is not None else default_path())
    with History.open(path) as opened:
        yield opened


def _entered(command: Callable[..., None]) -> Callable[..., None]:
    for made in (
        click.option("--why", metavar="TEXT", help="Why it was counted by hand."),
        click.option("--who", metavar="NAME", help="Who counted.  [default: your user name]"),
    ):
        command = made(command)
    return command


def user_name() -> str:
    """Of the user who runs this."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _signature(who: str | None, why: str | None) -> dict[str, Any]:
    from datetime import UTC, datetime

    return {"who": who or user_name(), "at": datetime.now(UTC).replace(microsecond=0), "why": why}


@click.command("import", cls=options.Command)
@click.argument("table", type=options.INPUT, metavar="FILE.csv")
@click.option("--site", required=True, type=options.SITE, help="Site that the counts are of.")
@click.option(
    "--method", type=click.Choice(["published", "hand"]), default="published", show_default=True,
    help="Printed by others, or counted by you: those stand for the machine's of their day.",
)  # fmt: skip
@options.history
@_entered
@options.verbosity
def import_counts(
    *, table: str, site: str, method: str, history_path: str | None, who: str | None, why: str | None
) -> None:
    """Add counts from a table such as a site's published_counts.csv.

    Columns: when (2023-10-05, or a month or period) and best, or low and high; source, unless --method
    is hand; statement (image), unit (cars), zone, qualifier, sensor, url and notes may be left out. A
    row that is there already is not added again.

    \b
    Example: railcount history import counts.csv --site tumangang --method hand
    """
    from dataclasses import replace

    from railcount import sites
    from railcount.history import History
    from railcount.sites.history import read_counts

    place, is_hand = sites.load(site), method == "hand"
    signature = _signature(who, why)
    zones = [zone.id for zone in place.zones]
    read = read_counts(Path(table), zones=zones, source=signature["who"] if is_hand else "")
    rows = [replace(one, method="hand") if is_hand else one for one in read]
    with History.open(history_path) as opened:
        n_new = opened.add_counts(place.name, rows, **signature)
    options.note(f"{n_new} added, {len(rows) - n_new} there already")


@click.command(cls=options.Command, short_help="Count a pass yourself; the machine's count is kept.")
@click.argument("which", metavar="PASS|DATE")
@click.option("--count", "best", required=True, type=_COUNT, metavar="N", help="Railcars, no locomotives.")
@click.option("--low", type=_COUNT, metavar="L", help="At least; N if not given.")
@click.option("--high", type=_COUNT, metavar="H", help="At most; N if not given.")
@options.history
@_entered
@options.verbosity
def hand(
    *,
    which: str,
    best: int,
    low: int | None,
    high: int | None,
    history_path: str | None,
    who: str | None,
    why: str | None,
) -> None:
    """Count a pass yourself: your count stands for the machine's, which is kept.

    A day will do where the history has one pass of it. The count that you give last stands.

    \b
    Example: railcount history hand 2023-10-05 --count 73 --why "two under cloud"
    """
    with existing(history_path) as opened:
        one = the_pass(opened, which)
        opened.add_hand_count(one.id, best=best, low=low, high=high, **_signature(who, why))
    machine = "no count" if one.railcars is None else f"{one.railcars.best}"
    options.note(f"{one.id}: {best} by hand, in place of the machine's {machine}")


@click.command(cls=options.Command, short_help="Remove a pass and all that belongs to it, or one count.")
@click.argument("which", metavar="PASS|DATE|count-N")
@options.history
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.verbosity
def remove(which: str, history_path: str | None, yes: bool) -> None:
    """Remove a pass with its tiles, cars, hand counts and decisions, or one count of list --counts.

    A batch over a folder that still has the images counts them again.

    \b
    Example: railcount history remove tumangang-20231005T0211Z-simulated --yes
    """
    from railcount.text import escape

    with existing(history_path) as opened:
        number = which.removeprefix("count-")
        is_count = which != number and number.isascii() and number.isdigit()
        if not is_count:
            which = the_pass(opened, which).id
        n = 0 if is_count else sum(1 for _ in opened.counts(pass_id=which))
        what = which + (f" and {n} hand count{'s' if n > 1 else ''} of it" if n else "")
        if not yes:
            n = 0 if is_count else len(opened.reviews().decisions(which))
            decided = f", and {n} decision{'s' if n > 1 else ''} about its cars," if n else ""
            click.confirm(f"Remove {escape(what)}{decided} for good?", abort=True, err=True)
        if is_count:
            opened.remove_count(int(number))
        else:
            opened.remove(which)
    options.note(f"removed {what}")


def the_pass(opened: History, which: str) -> Summary:
    """The one pass of a name or a day. Raises InputError where there is none, or are several."""
    from railcount.errors import InputError
    from railcount.raster.names import day_in

    day = day_in(which)
    chosen: dict[str, Any] = {"pass_id": which} if day is None else {"since": day, "until": day}
    found = list(opened.summaries(**chosen))
    if len(found) > 1:
        names = ", ".join(one.id for one in found)
        raise InputError(f"the history has {len(found)} passes of {which}; give one of: {names:.1000}")
    if not found:
        what = f"pass {which!r:.80}" if day is None else f"pass of {day}"
        raise InputError(f"there is no {what}; 'railcount history list' shows them")
    return found[0]


@click.command(cls=options.Command, short_help="Bring a history of an older railcount up to date.")
@options.history
@options.verbosity
def upgrade(history_path: str | None) -> None:
    """Bring a history of an older railcount up to date; make a backup first.

    \b
    Example: railcount history upgrade
    """
    with existing(history_path):
        pass
