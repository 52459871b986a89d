"""``railcount baseline``: what a site has shown before a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from railcount.cli import options, past

if TYPE_CHECKING:
    from datetime import date

    from railcount.baseline import Method
    from railcount.sites import Site


@click.command(cls=options.Command)
@click.argument("site_name", metavar="SITE", type=options.SITE)
@click.option(
    "--date",
    "day",
    type=options.DateType(),
    help="Day to look back from, local time; the last day with a count if not given.",
)
@past.window
@past.season
@click.option("--zone", metavar="ZONE", help="Counts of this zone of the site, and those of no zone.")
@click.option("--exclude-published", is_flag=True, help="Leave out what others published.")
@click.option("--exclude-measured", is_flag=True, help="Leave out what railcount measured.")
@past.history
@click.option("--no-history", is_flag=True, help="Use the site's published counts alone.")
@options.form("table", "json")
@options.verbosity
def baseline(  # noqa: PLR0917
    site_name: str,
    day: date | None,
    window: str,
    season: bool,
    zone: str | None,
    exclude_published: bool,
    exclude_measured: bool,
    history: str | None,
    no_history: bool,
    form: str,
) -> None:
    """Show what SITE has shown before a day: every count with its source, and what they say together.

    SITE is a name, a site file or its folder. A count of the day itself is set against the days
    before. Counts come from the site's published ones and from the history; without --history that is
    the default one, where there is one.

    \b
    Examples:
      railcount baseline tumangang --date 2023-10-05
      railcount baseline tumangang --date 2024-12-03 --window 3y --no-history
      railcount baseline tumangang --season --zone freight-yard --format json
    """
    from railcount import sites
    from railcount.baseline.describe import describe, last_day
    from railcount.errors import InputError
    from railcount.outputs.baseline import dumps, render

    if no_history and history is not None:
        raise click.UsageError("give --history or --no-history, not both")
    length = past.window_of(window, season=season)
    site = sites.load(site_name)
    zones = _zones(site, zone)
    without: list[Method] = []
    without += ["published"] if exclude_published else []
    without += ["measured"] if exclude_measured else []
    known = past.NOTHING if no_history else past.read(history, site)
    observations = (*site.observations, *known.observations)
    on = day or last_day(observations, zones=zones, without=without)
    if on is None:
        raise InputError(f"no count of {site.name} is known; --date says which day to look back from")
    found = describe(
        observations, day=on, zones=zones, baseline=site.baseline, window=length, without=without
    )
    words = [known.words] if known.words else []
    counts = [one for one in (*found.selection.used, found.observation) if one is not None]
    if zone is not None and any(one.zone is None for one in counts):
        all_tracks = "are of all tracks in the image"
        words.append(f"Counts of no zone, such as railcount's own, {all_tracks}, not of {zone} alone.")
    if form == "json":
        options.print_text(dumps(found, site=site, zones=zones, words=words))
    else:
        options.print_text(render(found, site=site, words=words, width=options.terminal_width()))


def _zones(site: Site, zone: str | None) -> tuple[str, ...]:
    """The zones whose counts are used; a usage error for one that the site does not have."""
    if zone is None:
        return site.baseline_zones
    if site.zone(zone) is None:
        known = ", ".join(one.id for one in site.zones) or "none"
        raise click.BadParameter(f"{site.name} has no zone {zone!r}; it has: {known}", param_hint="--zone")
    return (zone,)
