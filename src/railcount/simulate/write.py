"""Writing a drawn scene: picture, cars and tracks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from railcount.errors import OutputError
from railcount.files import check_target, replacing
from railcount.raster.write import Compression, write_geotiff
from railcount.simulate.scene import check_name
from railcount.simulate.truth import cars_geojson, tracks_geojson

if TYPE_CHECKING:
    from railcount.simulate.render import RenderedScene

RENDERER_VERSION = "1"
"""Raised whenever a scene and seed come to give another picture."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """The files of one drawn scene."""

    image: Path
    cars: Path
    tracks: Path


def image_tags(drawn: RenderedScene) -> dict[str, str]:
    """TIFF tags that say what the picture is: simulated, from what, and under which sun."""
    scene = drawn.scene
    tags = {
        "TIFFTAG_IMAGEDESCRIPTION": (
            f"simulated image, not a photograph: scene {scene.name!r}, seed {drawn.seed}, "
            "by railcount simulate"
        ),
        "TIFFTAG_SOFTWARE": f"railcount simulate, renderer {RENDERER_VERSION}",
        "RAILCOUNT_SIMULATED": "yes",
        "RAILCOUNT_SCENE": scene.name,
        "RAILCOUNT_SEED": str(drawn.seed),
        "RAILCOUNT_NUMPY": np.__version__,
        "RAILCOUNT_SUN_AZIMUTH_DEG": f"{drawn.sun_azimuth_deg:.2f}",
        "RAILCOUNT_SUN_ELEVATION_DEG": f"{drawn.sun_elevation_deg:.2f}",
        "RAILCOUNT_OFF_NADIR_DEG": f"{drawn.off_nadir_deg:.2f}",
        "RAILCOUNT_VIEW_AZIMUTH_DEG": f"{drawn.view_azimuth_deg:.2f}",
        "RAILCOUNT_RESOLUTION_M": f"{drawn.resolution_m:.3f}",
    }
    if scene.acquired_utc is not None:
        tags["TIFFTAG_DATETIME"] = scene.acquired_utc.strftime("%Y:%m:%d %H:%M:%S")
    return tags


def write_scene(
    drawn: RenderedScene,
    folder: str | Path,
    *,
    stem: str | None = None,
    compression: Compression = "deflate",
    jpeg_quality: int = 88,
    overwrite: bool = False,
) -> Written:
    """Write ``<stem>.tif``, ``<stem>_truth.geojson`` and ``<stem>_tracks.geojson`` into a folder.

    The folder is made where it is missing. ``stem`` is ``<scene>_simulated_seed<seed>`` where left out.
    Raises InputError for a stem that is not a plain file name, OutputExists where one of the files exists
    and ``overwrite`` is False, OutputError.
    """
    folder = Path(folder)
    if stem is None:
        stem = f"{drawn.scene.name}_simulated_seed{drawn.seed}"
    else:
        check_name(stem)
    written = Written(
        image=folder / f"{stem}.tif",
        cars=folder / f"{stem}_truth.geojson",
        tracks=folder / f"{stem}_tracks.geojson",
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} could not be made: {error}") from error
    for path in (written.image, written.cars, written.tracks):
        check_target(path, overwrite=overwrite)
    imagery = {"CLOUDCOVER": f"{100 * drawn.cloud_cover:.0f}", "SATELLITEID": "SIMULATED"}
    if drawn.scene.acquired_utc is not None:
        imagery["ACQUISITIONDATETIME"] = drawn.scene.acquired_utc.strftime("%Y-%m-%d %H:%M:%S")
    # Together: where the picture fails, its truth is not there either.
    with replacing(written.cars, overwrite=overwrite) as cars:
        cars.write_bytes(cars_geojson(drawn).encode("utf-8"))
        with replacing(written.tracks, overwrite=overwrite) as tracks:
            tracks.write_bytes(tracks_geojson(drawn).encode("utf-8"))
            write_geotiff(
                written.image,
                drawn.bands,
                drawn.grid,
                nodata=None if drawn.valid.all() else 0,
                tags=image_tags(drawn),
                imagery=imagery,
                compression=compression,
                jpeg_quality=jpeg_quality,
                overwrite=overwrite,
            )
    return written
