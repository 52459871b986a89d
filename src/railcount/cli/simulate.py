"""``railcount simulate``: draw a yard with exact truth."""

from __future__ import annotations

from pathlib import Path

import click

from railcount.cli import options
from railcount.cli.progress import working


@click.command(cls=options.Command)
@click.argument("scene", type=options.INPUT)
@click.option(
    "--seed",
    type=options.WholeNumber(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="What the scene leaves open is drawn from it.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=options.OUTPUT,
    required=True,
    metavar="FOLDER",
    help="Folder for the files; made where it is missing.",
)
@options.overwrite
@options.verbosity
def simulate(scene: str, seed: int, folder: str, overwrite: bool) -> None:
    """Draw the yard that the TOML file SCENE describes: a simulated GeoTIFF with its truth.

    Writes NAME_simulated_seedN.tif, the outlines of its vehicles (..._truth.geojson) and its
    track lines (..._tracks.geojson), and prints their paths. The same scene and seed give the
    same picture. Everything that SCENE does not fix is drawn from the seed; a number may also be
    given as a [low, high] range. The scenes of the sample tiles show how one is written.

    \b
    Example: railcount simulate sample_tiles/scenes/2023-10-05.toml --seed 17 -o drawn
    """
    from railcount.simulate import load_scene, render
    from railcount.simulate.write import write_scene

    with working(f"drawing {Path(scene).name} ..."):
        written = write_scene(render(load_scene(scene), seed=seed), folder, overwrite=overwrite)
    for path in (written.image, written.cars, written.tracks):
        options.print_text(f"{path}\n")
