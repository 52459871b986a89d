"""``railcount scan``."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from railcount.cli import guard, options, past
from railcount.cli.progress import Progress, working
from railcount.errors import InputError, MissingInput, TileLost
from railcount.text import escape

if TYPE_CHECKING:
    from datetime import date

    from railcount.counts import TileCount
    from railcount.raster.limits import Driver, Limits

FAIL_LEVELS = ("quiet", "normal", "elevated", "record", "unprecedented")


@click.command(cls=options.Command)
@click.argument("tiles", metavar="TILE...", nargs=-1, required=True, type=options.INPUT)
@options.tracks
@options.mask
@options.valid
@options.site
@options.day
@options.stock
@options.gsd
@options.form("table", "json", "geojson", "csv")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=options.OUTPUT,
    metavar="FILE",
    help="Also write FILE; .json, .geojson, .gpkg, .parquet or .csv says the format. "
    "May be given several times.",
)
@click.option(
    "--overlay",
    type=options.OUTPUT,
    metavar="FILE.png",
    help="Picture to check every car by eye; for several tiles a folder that exists.",
)
@click.option(
    "--strips",
    type=options.OUTPUT,
    metavar="FILE.png",
    help="Picture of all tracks straightened, each car numbered; for several tiles a folder that exists.",
)
@past.history
@click.option("--no-baseline", is_flag=True, help="Count only; do not compare.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_LEVELS),
    metavar="LEVEL",
    help=f"Exit with 4 where a tile reaches LEVEL: {', '.join(FAIL_LEVELS)}.",
)
@options.overwrite
@options.time_limit
@options.memory_limit
@options.verbosity
@options.reading
@click.pass_context
def scan(  # noqa: PLR0917
    ctx: click.Context,
    tiles: tuple[str, ...],
    tracks: str | None,
    mask: str | None,
    valid: str | None,
    site: str | None,
    date: date | None,
    stock: str | None,
    gsd_m: float | None,
    form: str,
    outputs: tuple[str, ...],
    overlay: str | None,
    strips: str | None,
    history: str | None,
    no_baseline: bool,
    fail_on: str | None,
    overwrite: bool,
    time_limit: float,
    memory_limit: int,
    limits: Limits,
    drivers: tuple[Driver, ...],
) -> None:
    """Count the railcars in each TILE and compare the count with the years before.

    Prints one answer a tile. Exit code: 0 every tile has a count, 1 error, 2 usage,
    3 at least one tile has no count, 4 the --fail-on level was reached.

    \b
    Examples:
      railcount scan sample_tiles/2023-10-05/*.tif
      railcount scan yard.tif --tracks yard_tracks.geojson -o cars.geojson
      railcount scan yard.tif --valid yard_udm2.tif
      railcount scan crop.tif --gsd 0.3 --date 2023-10-05 --overlay crop.png --strips crop_strips.png
    """
    inputs = (*tiles, tracks, mask, valid, site)
    if valid is not None and len(tiles) > 1:
        raise click.BadParameter(
            f"a quality mask belongs to one image, and {len(tiles)} tiles were given; scan them apart",
            param_hint="--valid",
        )
    _check_outputs(outputs, inputs=inputs, overwrite=overwrite)
    pictures = _pictures(tiles, overlay, option="--overlay", inputs=inputs, overwrite=overwrite)
    sheets = _pictures(tiles, strips, option="--strips", inputs=inputs, overwrite=overwrite)
    if set(pictures) & set(sheets):
        raise click.BadParameter("it is the file of --overlay too", param_hint="--strips")
    guarded = guard.begin(time_limit_s=time_limit, memory_limit_bytes=memory_limit * 2**20)
    if history is not None:
        past.check(history)
    reading = {"gsd_m": gsd_m, "limits": limits, "drivers": drivers}
    counting = {
        "tracks": tracks,
        "mask": mask,
        "valid": valid,
        "site": site,
        "date": date,
        "stock": stock,
        "baseline": not no_baseline,
        "past": None if history is None else (lambda site: past.read(history, site).observations),
    }
    counts: list[TileCount] = []
    unusable: list[str] = []
    word = working(f"counting {Path(tiles[0]).name} ...") if len(tiles) == 1 else nullcontext()
    with Progress("tiles") as progress, word:
        progress.begin(n_total=len(tiles), n_slow=len(tiles))
        for number, tile in enumerate(tiles):
            keeps = bool(pictures or sheets)
            try:
                count = _count(tile, guarded, number=number, keep_strips=keeps, options=counting | reading)
            except (InputError, MissingInput) as error:  # its lines or its mask, or an option
                count = _failed(tile, str(error))
                unusable.append(str(error))
            counts.append(count)
            progress.step(slow=True)
    from railcount.outputs.write import write_counts

    has_results = len(unusable) < len(counts)
    if not has_results:  # what is there stays
        outputs, pictures, sheets = (), [], []
    for number, path in enumerate(outputs):
        guarded.step(f"write {number}", partial(write_counts, counts, path, overwrite=overwrite))
    is_lost = False
    for number, (count, picture) in enumerate(zip(counts, pictures, strict=False)):
        is_lost |= _draw(
            count, picture, guarded, number=number, reading=reading | {"acquired": date}, overwrite=overwrite
        )
    for number, (count, sheet) in enumerate(zip(counts, sheets, strict=False)):
        guarded.step(f"strips {number}", partial(_draw_strips, count, sheet, overwrite=overwrite))
    if has_results or form != "table":
        _show(counts, form=form)
    for reason in dict.fromkeys(unusable):
        click.echo(f"railcount: {escape(reason)}", err=True)
    ctx.exit(_exit_code(counts, fail_on=fail_on, is_error=bool(unusable)) or int(is_lost))


def _count(
    tile: str, guarded: guard.Steps, *, number: int, keep_strips: bool, options: dict[str, Any]
) -> TileCount:
    """One tile's result; strips take memory, and only pictures show them."""

    def work() -> TileCount:
        from railcount.pipeline import scan_tile

        count = scan_tile(tile, **options)
        return count if keep_strips else replace(count, strips=())

    try:
        return guarded.step(f"scan {number}", work)
    except TileLost as lost:
        return _failed(tile, str(lost), status=lost.status)


def _failed(tile: str, reason: str, *, status: Any = "failed") -> TileCount:
    from railcount.counts import TileCount

    return TileCount(tile=tile, sha256=None, status=status, reasons=(reason,))


def _check_outputs(outputs: tuple[str, ...], *, inputs: tuple[str | None, ...], overwrite: bool) -> None:
    """Refuse outputs that cannot work before any counting."""
    from railcount.files import check_target
    from railcount.outputs.write import format_of

    for path in outputs:
        try:
            format_of(path)
        except InputError as error:
            raise click.BadParameter(str(error), param_hint="--output") from error
        options.check_not_input(path, *inputs)
        check_target(path, overwrite=overwrite)


def _pictures(
    tiles: tuple[str, ...],
    target: str | None,
    *,
    option: str,
    inputs: tuple[str | None, ...],
    overwrite: bool,
) -> list[Path]:
    """The picture's path for each tile; refused here where it cannot be written."""
    from railcount.files import check_target

    if target is None:
        return []
    if len(tiles) == 1 and not Path(target).is_dir():
        if Path(target).suffix.lower() != ".png":
            raise click.BadParameter("the picture's name must end in .png", param_hint=option)
        pictures = [Path(target)]
    elif Path(target).is_dir():
        ending = "_strips.png" if option == "--strips" else ".png"
        pictures = [Path(target) / f"{Path(tile).stem}{ending}" for tile in tiles]
    else:
        raise click.BadParameter(
            f"for several tiles it must be a folder that exists; {target!r} is none", param_hint=option
        )
    if len(set(pictures)) < len(pictures):
        raise click.BadParameter(
            "two tiles have the same name, so their pictures would too; scan them apart", param_hint=option
        )
    for picture in pictures:
        options.check_not_input(picture, *inputs)
        check_target(picture, overwrite=overwrite)
    return pictures


def _draw(
    count: TileCount,
    picture: Path,
    guarded: guard.Steps,
    *,
    number: int,
    reading: dict[str, Any],
    overwrite: bool,
) -> bool:
    """The picture of one tile, opened with the options it was counted with; True where drawing died."""
    from railcount.errors import TileError, TileUnreadable

    def work() -> None:
        from railcount.outputs.overlay import draw_overlay
        from railcount.raster import open_tile

        tile = open_tile(count.tile, **reading)
        if count.sha256 is not None and tile.sha256 != count.sha256:
            raise TileUnreadable("it changed since it was counted")
        draw_overlay(count, tile, picture, overwrite=overwrite)

    try:
        guarded.step(f"draw {number}", work)
    except (TileError, MissingInput) as error:
        # The tile's status already says why it cannot be read; the other tiles go on.
        click.echo(f"railcount: no picture for {escape(count.tile)}: {escape(str(error))}", err=True)
        return isinstance(error, TileLost)
    return False


def _draw_strips(count: TileCount, sheet: Path, *, overwrite: bool) -> None:
    from railcount.outputs.overlay import draw_strips

    draw_strips(count, sheet, overwrite=overwrite)


def _show(counts: list[TileCount], *, form: str) -> None:
    from railcount.outputs.table import render
    from railcount.outputs.write import to_text

    if form != "table":
        options.print_text(to_text(counts, form=form))
        return
    options.print_text(render(counts, width=options.terminal_width(), colour=options.colour_wanted()))


def _exit_code(counts: list[TileCount], *, fail_on: str | None, is_error: bool) -> int:
    """An alarm comes before an error, and that before a missing count: the caller asked to be told."""
    from railcount.baseline import LEVELS
    from railcount.cli.main import EXIT_ERROR, EXIT_FAIL_ON, EXIT_NO_COUNT
    from railcount.counts import STATUSES_WITH_COUNT

    if fail_on is not None:
        order: tuple[str, ...] = LEVELS
        levels = [order.index(count.comparison.level) for count in counts if count.comparison is not None]
        if any(level >= order.index(fail_on) for level in levels):
            return EXIT_FAIL_ON
    if is_error:
        return EXIT_ERROR
    return EXIT_NO_COUNT if any(count.status not in STATUSES_WITH_COUNT for count in counts) else 0
