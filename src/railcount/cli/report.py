"""``railcount report``: a site's history as one page to look at, send and print; two passes as a picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from railcount.cli import guard, options, past
from railcount.cli.progress import working

if TYPE_CHECKING:
    from datetime import date

    from railcount.history import History
    from railcount.observation import PassCount
    from railcount.outputs.pair import Side
    from railcount.sites import Site


def _two(ctx: click.Context, param: click.Parameter, value: tuple[str, str] | None) -> tuple[str, str] | None:
    """Both of a pair; a usage error where the second is an option."""
    if value is not None and value[1].startswith("-"):
        raise click.BadParameter(f"two are compared, A and B; after {value[0]!r} came the option {value[1]}")
    return value


@click.command(cls=options.Command)
@options.history
@click.option("--site", "site_name", type=options.SITE, help="The site of the report.")
@click.option(
    "--compare",
    "pair",
    nargs=2,
    is_eager=True,  # before a missing -o is complained of, which may have been taken for B
    callback=_two,
    metavar="A B",
    help="Draw two passes beside each other instead: tiles, or passes of the history by name or day.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=options.OUTPUT,
    metavar="FILE",
    help="The page, .html; with --compare the picture, .png.",
)
@click.option(
    "--date", "until", type=options.DateType(), help="The report of that day: later ones are left out."
)
@options.overwrite
@options.verbosity
def report(
    *,
    history_path: str | None,
    site_name: str | None,
    pair: tuple[str, str] | None,
    output: str,
    until: date | None,
    overwrite: bool,
) -> None:
    """Write a site's history as one HTML file: headline, time line, kinds, map, every pass.

    The file holds everything that it shows and opens without a network. The map is of the last pass with
    a count; its pixels are shown where the image still lies where it was counted.

    With --compare it is a picture instead: two passes over one place at one scale, with both counts and
    their intervals. Tiles are counted for it; passes are taken from the history.

    \b
    Examples:
      railcount report --history counts.sqlite --site tumangang -o report.html
      railcount report --history counts.sqlite --compare 2023-09-14 2023-10-05 -o pair.png
      railcount report --compare before.tif after.tif -o before_after.png
    """
    from railcount.files import check_target
    from railcount.history import default_path

    suffixes = {".html", ".htm"} if pair is None else {".png"}
    if Path(output).suffix.lower() not in suffixes:
        wanted = ".html" if pair is None else ".png"
        raise click.BadParameter(f"it must end in {wanted}, not {Path(output).name!r}", param_hint="--output")
    options.check_not_input(output, history_path or str(default_path()), *(pair or ()))
    check_target(output, overwrite=overwrite)
    if pair is not None:
        if until is not None:
            raise click.UsageError("--date is of the page; with --compare name the two passes")
        _draw_pair(pair, output, history_path=history_path, site_name=site_name, overwrite=overwrite)
    elif site_name is None:
        raise click.UsageError("give --site NAME, or --compare A B")
    else:
        _write_page(output, history_path=history_path, site_name=site_name, until=until, overwrite=overwrite)


def _write_page(
    output: str, *, history_path: str | None, site_name: str, until: date | None, overwrite: bool
) -> None:
    from railcount import sites
    from railcount.files import write_bytes
    from railcount.history import History
    from railcount.outputs.report import render
    from railcount.outputs.report.facts import gather
    from railcount.outputs.report.scene import scene_of

    site = sites.load(site_name)
    known = past.read(history_path, site)
    with History.open(history_path, readonly=True) as opened:
        summaries = list(opened.summaries(site=site.name))
        by_type = {one.id: one.by_type for one in opened.passes(site=site.name)}
        facts = gather(
            site,
            summaries=summaries,
            by_type=by_type,
            known=known.observations,
            words=known.words,
            until=until,
        )
        scene = None
        if facts.latest is not None:
            scene = next((scene_of(one) for one in opened.passes(pass_id=facts.latest.id)), None)
    write_bytes(output, render(facts, scene=scene).encode("utf-8"), overwrite=overwrite)


def _draw_pair(
    pair: tuple[str, str], output: str, *, history_path: str | None, site_name: str | None, overwrite: bool
) -> None:
    from railcount.history import History
    from railcount.outputs.pair import Side
    from railcount.text import escape

    guarded = guard.begin(time_limit_s=600.0, memory_limit_bytes=4096 * 2**20)
    is_tile = [Path(which).is_file() for which in pair]
    sides: list[Side] = []
    for number, which in enumerate(pair):
        if is_tile[number]:
            with working(f"counting {Path(which).name} ..."):
                one = guarded.step(f"count {number}", partial(_count, which, site_name))
            sides.append(Side(one=one))
        else:
            with History.open(history_path, readonly=True) as opened:
                sides.append(_stored(opened, which, site_name=site_name))
    site = _site(site_name, sides)
    days = [str(_day(side.one)) for side in sides]
    title = f"{site.title if site else 'Two passes'}: {days[0]} and {days[1]}"

    def work() -> None:
        from railcount.outputs.pair import draw_pair

        before, after = sides
        draw_pair(
            before,
            after,
            output,
            title=escape(title),
            utc_offset_h=site.utc_offset_h if site else None,
            overwrite=overwrite,
        )

    with working(f"drawing {Path(output).name} ..."):
        guarded.step("draw", work)


def _count(tile: str, site_name: str | None) -> PassCount:
    """A tile as a pass of its own."""
    from railcount.observation import group, merge
    from railcount.pipeline import scan_tile
    from railcount.records import record_of

    ((name, records),) = group([record_of(scan_tile(tile, site=site_name, baseline=False))])
    return merge(records, id=name)


def _stored(opened: History, which: str, *, site_name: str | None) -> Side:
    """A pass of the history by its name or, where it is the only one with a count, by its day."""
    from railcount.errors import InputError
    from railcount.outputs.history import by_hand
    from railcount.outputs.pair import Side
    from railcount.raster.names import day_in

    found = list(opened.summaries(pass_id=which))
    if not found:
        day = day_in(which)
        if day is None:
            msg = f"{which!r:.80} is no tile and no pass of the history; 'railcount history list' shows them"
            raise InputError(msg)
        site = None if site_name is None else _named(site_name)
        found = list(opened.summaries(since=day, until=day, site=site))
        found = [one for one in found if one.railcars is not None] or found
        if not found:
            what = f"pass of {day}" if site is None else f"pass of {site} of {day}"
            raise InputError(f"the history has no {what}; 'railcount history list' shows what it has")
    if len(found) != 1:
        names = ", ".join(one.id for one in found)
        raise InputError(f"the history has {len(found)} passes of {which}; name one of: {names:.1000}")
    (line,) = found
    (one,) = opened.passes(pass_id=line.id)
    return Side(one=one, by_hand=by_hand(line.hand) if line.hand else None)


def _named(site_name: str) -> str:
    from railcount import sites

    return sites.load(site_name).name


def _site(site_name: str | None, sides: list[Side]) -> Site | None:
    """The site that was named, else the one that both passes are of, where it is known here."""
    from railcount import sites
    from railcount.errors import MissingInput

    names = {side.one.site for side in sides}
    wanted = site_name or (names.pop() if len(names) == 1 else None)
    try:
        return None if wanted is None else sites.load(wanted)
    except MissingInput:
        if site_name is not None:
            raise
        return None


def _day(one: PassCount) -> date | str:
    from datetime import datetime

    if one.acquired is None:
        return "no date"
    return one.acquired.date() if isinstance(one.acquired, datetime) else one.acquired
