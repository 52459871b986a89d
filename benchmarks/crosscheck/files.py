"""Scenes as files: GeoTIFF, truth, lines; kept in a cache, drawn again when the renderer changes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from kinds import KINDS
from pyproj import Transformer
from rasterio.transform import Affine, from_origin
from render import Picture, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CRS = "EPSG:32652"
CORNER_M = (469_000.0, 4_697_000.0)
"""Easting and northing of the picture's upper left corner."""
FARTHEST_M = 10.0
"""Displaced lines are off by up to this, as lines of a map are."""
BEYOND_M = 20.0
"""Displaced lines go on outside the picture."""
DRAWN_BY = (
    "bodies", "canvas", "files", "ground", "kinds", "layout", "light", "render", "scenery", "sensor", "stock",
    "surroundings", "traffic",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SceneFiles:
    """Where one scene lies."""

    folder: Path

    @property
    def image(self) -> Path:
        """The GeoTIFF."""
        return self.folder / "scene.tif"

    @property
    def truth(self) -> Path:
        """Outlines, as ``railcount evaluate`` reads them."""
        return self.folder / "truth.geojson"

    def lines(self, mode: str) -> Path | None:
        """Track lines of a mode; None where they are to be found, or there are none."""
        return None if mode == "found" else self.folder / f"tracks_{mode}.geojson"

    def predicted(self, mode: str, label: str) -> Path:
        """Where a count goes; ``label`` tells one version of the counter from another."""
        return self.folder / f"predicted_{mode}_{label}.geojson"


def default_cache() -> Path:
    """The folder where scenes are kept."""
    return Path(tempfile.gettempdir()) / f"railcount-crosscheck-{os.getuid()}"


def version() -> str:
    """Of the code that draws and writes."""
    digest = hashlib.sha256()
    for name in DRAWN_BY:
        digest.update(name.encode() + b"\0" + (Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:10]


def scene_files(kind: str, seed: int, *, cache: Path) -> SceneFiles:
    """The scene's files, drawn now unless they are there."""
    if kind not in KINDS:
        msg = f"no kind {kind!r}; there are {', '.join(KINDS)}"
        raise ValueError(msg)
    folder = cache / version() / f"{kind}-{seed}"
    files = SceneFiles(folder=folder)
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        write(render(kind, seed), files)
        (folder / "done").touch()
    return files


def write(picture: Picture, files: SceneFiles) -> None:
    """The picture, its truth and its lines, straight and displaced."""
    rows, cols = picture.image.shape[:2]
    grid = from_origin(*CORNER_M, picture.gsd_m, picture.gsd_m)
    profile = {"driver": "GTiff", "height": rows, "width": cols, "count": 3, "dtype": picture.image.dtype}
    more = {"crs": CRS, "transform": grid, "compress": "deflate", "tiled": True, "photometric": "RGB"}
    with rasterio.open(files.image, "w", **profile, **more) as file:
        file.write(np.moveaxis(picture.image, 2, 0))
    cars = [
        _feature(
            "Polygon",
            [_ground(np.vstack([car.polygon_px, car.polygon_px[:1]]), grid)],
            kind=car.kind,
            covered=car.covered,
            visible_fraction=car.visible_fraction,
        )
        for car in picture.cars
    ]
    _dump(cars, files.truth)
    if not picture.tracks_px:
        return
    rng = np.random.default_rng([picture.seed, len(picture.cars)])
    far, where = FARTHEST_M * rng.random() / picture.gsd_m, 2 * np.pi * rng.random()
    shift = np.array([far * np.cos(where), far * np.sin(where)])
    for mode in ("given", "displaced"):
        lines = picture.tracks_px
        if mode == "displaced":
            lines = tuple(_longer(line, BEYOND_M / picture.gsd_m, (cols, rows)) + shift for line in lines)
        features = [
            _feature("LineString", _ground(line, grid), id=f"T{number + 1}")
            for number, line in enumerate(lines)
        ]
        path = files.lines(mode)
        if path is not None:
            _dump(features, path)


def _longer(line: NDArray[np.float64], by: float, size: tuple[int, int]) -> NDArray[np.float64]:
    """The line, going on where it leaves the picture."""
    for end, inner in ((0, 1), (-1, -2)):
        if ((line[end] <= 0.5) | (line[end] >= np.array(size) - 0.5)).any():
            out = (line[end] - line[inner]) / np.hypot(*(line[end] - line[inner]))
            tip = (line[end] + by * out)[None]
            line = np.vstack([tip, line]) if end == 0 else np.vstack([line, tip])
    return line


def _ground(pixels: NDArray[np.float64], grid: Affine) -> list[list[float]]:
    x, y = grid.c + pixels[:, 0] * grid.a, grid.f + pixels[:, 1] * grid.e
    lon, lat = Transformer.from_crs(CRS, "OGC:CRS84", always_xy=True).transform(x, y)
    return np.stack([lon, lat], axis=1).round(8).tolist()


def pixels_of(positions: Sequence[Sequence[float]], image: Path) -> NDArray[np.float64]:
    """Longitude and latitude to pixels of the image; (n, 2)."""
    with rasterio.open(image) as file:
        grid = file.transform
    lon, lat = np.array(positions)[:, :2].T
    x, y = Transformer.from_crs("OGC:CRS84", CRS, always_xy=True).transform(lon, lat)
    return np.stack([(x - grid.c) / grid.a, (y - grid.f) / grid.e], axis=1)


def _feature(shape: str, coordinates: list[Any], **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": shape, "coordinates": coordinates},
    }


def _dump(features: list[dict[str, Any]], path: Path) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
