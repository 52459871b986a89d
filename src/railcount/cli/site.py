"""``railcount site``: list, show, make and check sites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from railcount.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from railcount.sites import Site

    _BoxParameter = click.ParamType[tuple[float, float, float, float]]
else:
    _BoxParameter = click.ParamType


class BoxType(_BoxParameter):
    """West, south, east and north, separated by commas."""

    name = "W,S,E,N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float, float, float]:
        """Text to four degrees; a usage error for anything else."""
        from railcount.errors import InputError
        from railcount.sites.loading import check_box

        try:
            west, south, east, north = (float(part) for part in str(value).split(","))
            return check_box((west, south, east, north))
        except (ValueError, InputError):
            self.fail(
                f"{value!r:.80} is no box; write west,south,east,north in degrees, such as "
                "130.595,42.408,130.641,42.430",
                param,
                ctx,
            )


@click.group(cls=options.Group)
@options.verbosity
def site() -> None:
    """List, show, make and check sites.

    A site is a folder: where a yard is, its zones, its tracks and what hides them, each with the days
    on which it holds, and what was counted there. The folder of your own is named by the environment
    variable RAILCOUNT_SITES; tiles find their site by position.

    \b
    Examples:
      railcount site list
      railcount site show tumangang
      railcount site init muttenz --bbox 7.63,47.52,7.67,47.54 --utc-offset 1
      railcount site validate muttenz
    """


@site.command("list")
@options.verbosity
def list_sites() -> None:
    """List the sites that can be called by name.

    \b
    Example:
      railcount site list
    """
    from railcount import sites
    from railcount.sites.catalogue import overlaps
    from railcount.text import escape

    known = sites.entries()
    good = [entry.site for entry in known if entry.site is not None]
    lines = []
    for entry in known:
        if entry.site is None:
            lines.append(f"{entry.name:<16} wrong: {entry.error}")
            continue
        one = entry.site
        n = len(one.observations)
        counts = "1 published row" if n == 1 else f"{n} published rows"
        where = str(entry.path.parent) if entry.own else "shipped"
        lines.append(f"{one.name:<16} {one.title}; {counts}; {where}")
        lines += [
            f"{'':<16} its box overlaps that of {other.name}; the smaller wins"
            for other in overlaps(one, good)
        ]
    options.print_text("\n".join(map(escape, lines)) + "\n")


@site.command()
@click.argument("name", metavar="NAME|FILE", type=options.SITE)
@options.verbosity
def show(name: str) -> None:
    """Show what is known of a site.

    \b
    Example:
      railcount site show tumangang
    """
    from railcount import sites
    from railcount.outputs.observations import Folder

    fold = Folder(options.terminal_width())
    lines = [
        line
        for label, text in _facts(sites.load(name))
        for line in fold(f"{label:<10} {text}".rstrip(), "", " " * 11)
    ]
    options.print_text("\n".join(lines) + "\n")


def _facts(one: Site) -> Iterator[tuple[str, str]]:
    west, south, east, north = one.box
    yield "site", f"{one.name}: {one.title}"
    yield "box", f"{west:g} to {east:g} E, {south:g} to {north:g} N"
    yield "metres", f"{one.crs}; local time is UTC{one.utc_offset_h:+g} h; rolling stock {one.stock}"
    yield "compared", f"{one.baseline}; zones: {', '.join(one.baseline_zones) or 'the whole site'}"
    for zone in one.zones:
        reach = "a polygon" if zone.reach_m is None else f"{zone.reach_m:g} m around"
        yield (
            "zone",
            f"{zone.id}: {zone.title}; {reach} {zone.point[0]:.4f}, {zone.point[1]:.4f}, known to "
            f"{zone.uncertainty_m:g} m. {zone.certainty}",
        )
    for tracks in one.tracks:
        yield "tracks", f"{tracks.path.name}{_days(tracks.since, tracks.until)}"
    if not one.tracks:
        yield "tracks", "no lines: they are found in the pixels"
    for roof in one.occluders:
        size = f"{roof.length_m:g} m x {roof.width_m:g} m"
        yield "hidden", f"{roof.id}: {roof.title}, {size}{_days(roof.since, roof.until)}. {roof.certainty}"
    if one.observations:
        first = min(seen.first for seen in one.observations)
        last = max(seen.last for seen in one.observations)
        yield "counts", f"{len(one.observations)} published rows from {first} to {last}"
    else:
        yield "counts", "none published"
    for caveat in one.caveats:
        yield "note", caveat


def _days(since: object, until: object) -> str:
    return (f", since {since}" if since else "") + (f", until {until}" if until else "")


@site.command()
@click.argument("name")
@click.option("--bbox", "box", type=BoxType(), required=True, help="Box of the site, in degrees.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The folder to make.  [default: NAME in the folder that RAILCOUNT_SITES names, else here]",
)
@click.option(
    "--utc-offset",
    "utc_offset_h",
    type=options.Number(-12, 14),
    metavar="HOURS",
    help="Local time minus UTC; taken from the longitude if not given.",
)
@click.option("--crs", metavar="EPSG:N", help="Metres at the site; the zone of UTM if not given.")
@click.option("--title", metavar="TEXT", help="Name to show.")
@options.verbosity
def init(  # noqa: PLR0917
    name: str,
    box: tuple[float, float, float, float],
    output: Path | None,
    utc_offset_h: float | None,
    crs: str | None,
    title: str | None,
) -> None:
    """Make the folder of a new site, with examples to fill in.

    \b
    Example:
      railcount site init basel-sbb --bbox 7.57,47.53,7.61,47.56 --utc-offset 1 --title "Basel SBB"
    """
    from railcount.sites.catalogue import own_folder
    from railcount.sites.loading import check_name
    from railcount.sites.making import make_site

    check_name(name)
    folder = output if output is not None else (own_folder() or Path()) / name
    made = make_site(name, box=box, folder=folder, title=title, crs=crs, utc_offset_h=utc_offset_h)
    options.print_text(f"{made}\n")
    options.note(f"now fill in {made.name}; 'railcount site validate {folder}' checks it")


@site.command(short_help="Check a site file and all that it names.")
@click.argument("name", metavar="NAME|FILE", type=options.SITE)
@options.verbosity
@click.pass_context
def validate(ctx: click.Context, name: str) -> None:
    """Check a site, its file or folder, and all that it names; exit code 1 where something is wrong.

    \b
    Example:
      railcount site validate muttenz
    """
    from railcount.cli.main import EXIT_ERROR
    from railcount.sites.catalogue import file_of
    from railcount.sites.checking import check_site
    from railcount.text import escape

    found = check_site(file_of(name))
    lines = [f"wrong: {error}" for error in found.errors] + [f"note: {note}" for note in found.notes]
    if not found.errors and found.site is not None:
        one = found.site
        zones = "1 zone" if len(one.zones) == 1 else f"{len(one.zones)} zones"
        files = "1 file of tracks" if len(one.tracks) == 1 else f"{len(one.tracks)} files of tracks"
        rows = "1 row" if len(one.observations) == 1 else f"{len(one.observations)} rows"
        lines.append(f"{one.name} is valid: {zones}, {files}, {rows} of counts")
    options.print_text("\n".join(map(escape, lines)) + "\n")
    ctx.exit(EXIT_ERROR if found.errors else 0)
