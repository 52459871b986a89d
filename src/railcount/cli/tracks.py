"""``railcount tracks``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from railcount.cli import guard, options
from railcount.cli.progress import working

if TYPE_CHECKING:
    from datetime import date

    from railcount.raster.limits import Driver, Limits
    from railcount.raster.tile import Tile
    from railcount.tracks.network import TrackNetwork

LINE_SUFFIXES = (".geojson", ".gpkg")
MASK_SUFFIXES = (".tif", ".tiff")


@click.command(cls=options.Command)
@click.argument("tile", type=options.INPUT)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=options.OUTPUT,
    metavar="FILE",
    help="Lines to .geojson or .gpkg, a mask to .tif. May be given several times.",
)
@click.option(
    "--preview", type=options.OUTPUT, metavar="FILE.png", help="Picture of the tile with its tracks."
)
@options.tracks
@options.mask
@options.valid
@options.site
@options.day
@options.gsd
@options.overwrite
@options.time_limit
@options.memory_limit
@options.verbosity
@options.reading
def tracks(  # noqa: PLR0917
    tile: str,
    outputs: tuple[str, ...],
    preview: str | None,
    tracks: str | None,
    mask: str | None,
    valid: str | None,
    site: str | None,
    date: date | None,
    gsd_m: float | None,
    overwrite: bool,
    time_limit: float,
    memory_limit: int,
    limits: Limits,
    drivers: tuple[Driver, ...],
) -> None:
    """Find the tracks in TILE, list them, and save them to be looked at and corrected.

    Correct what it saved in QGIS and pass it back with scan --tracks.

    \b
    Example: railcount tracks yard.tif -o yard_tracks.geojson --preview yard_tracks.png
    """
    _check_outputs(outputs, preview=preview, inputs=(tile, tracks, mask, valid, site), overwrite=overwrite)
    guarded = guard.begin(time_limit_s=time_limit, memory_limit_bytes=memory_limit * 2**20)

    def work() -> tuple[Tile, TrackNetwork]:
        from railcount.pipeline import locate_tracks

        return locate_tracks(
            tile,
            tracks=tracks,
            mask=mask,
            site=site,
            date=date,
            gsd_m=gsd_m,
            valid=valid,
            limits=limits,
            drivers=drivers,
        )

    with working(f"locating the tracks of {Path(tile).name} ..."):
        opened, network = guarded.step("locate", work)
    for reason in opened.reasons:
        options.note(reason)
    for number, path in enumerate(outputs):
        guarded.step(f"write {number}", partial(_write, network, opened, path, overwrite=overwrite))
    if preview is not None:
        from railcount.outputs.overlay import draw_tracks_preview

        guarded.step("preview", partial(draw_tracks_preview, network, opened, preview, overwrite=overwrite))
    from railcount.outputs.table import render_tracks
    from railcount.outputs.text import credit_line

    text = render_tracks(
        network,
        grid=opened.grid,
        credit=credit_line(opened.acquisition),
        width=options.terminal_width(),
    )
    options.print_text(text)


def _check_outputs(
    outputs: tuple[str, ...], *, preview: str | None, inputs: tuple[str | None, ...], overwrite: bool
) -> None:
    from railcount.files import check_target

    for path in outputs:
        if Path(path).suffix.lower() not in LINE_SUFFIXES + MASK_SUFFIXES:
            msg = f"it must end in {', '.join(LINE_SUFFIXES + MASK_SUFFIXES)}, not {Path(path).name!r}"
            raise click.BadParameter(msg, param_hint="--output")
        options.check_not_input(path, *inputs)
        check_target(path, overwrite=overwrite)
    if preview is not None:
        if Path(preview).suffix.lower() != ".png":
            raise click.BadParameter("the picture's name must end in .png", param_hint="--preview")
        options.check_not_input(preview, *inputs)
        check_target(preview, overwrite=overwrite)


def _write(network: TrackNetwork, tile: Tile, path: str, *, overwrite: bool) -> None:
    from railcount.outputs.text import credit_line

    credit = credit_line(tile.acquisition)
    if Path(path).suffix.lower() in MASK_SUFFIXES:
        from railcount.tracks.mask import write_mask

        write_mask(network, path, grid=tile.grid, credit=credit, overwrite=overwrite)
        return
    from railcount.tracks.vector import write_lines

    write_lines(network, path, grid=tile.grid, credit=credit, overwrite=overwrite)
