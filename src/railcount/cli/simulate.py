"""``railcount simulate``: draw a yard with exact truth."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("scene", type=click.Path(path_type=Path))
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="What the scene leaves open is drawn from it.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the files.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def simulate(scene: Path, seed: int, folder: Path, overwrite: bool) -> None:
    """Draw the yard that the TOML file SCENE describes: a simulated GeoTIFF with its truth.

    Writes NAME_simulated_seedN.tif, the outlines of its railcars (..._truth.geojson) and its
    track lines (..._tracks.geojson). The same scene and seed give the same picture.

    Example:

        railcount simulate sample_tiles/scenes/2023-10-05.toml --seed 5 -o drawn
    """
    from railcount.simulate import load_scene, render
    from railcount.simulate.write import write_scene

    written = write_scene(render(load_scene(scene), seed=seed), folder, overwrite=overwrite)
    for path in (written.image, written.cars, written.tracks):
        click.echo(path)
