"""One scene with its truth in green and a count in red.

python benchmarks/crosscheck/look.py mixed 1 --mode given -o look.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import rasterio
from files import SceneFiles, default_cache, pixels_of, scene_files
from PIL import Image, ImageDraw

TRUE, PREDICTED, LINE = (60, 230, 60), (255, 50, 40), (70, 150, 255)
ENGINE = (255, 220, 0)
"""A locomotive, true or predicted, is crossed in this colour."""


def overlay(files: SceneFiles, *, predicted: Path | None, lines: bool, zoom: int) -> Image.Image:
    """The scene enlarged, with outlines drawn on it."""
    with rasterio.open(files.image) as file:
        pixels = np.moveaxis(file.read(), 0, 2)
    if pixels.dtype != np.uint8:
        pixels = np.clip(pixels / np.percentile(pixels, 99.5) * 255, 0, 255).astype(np.uint8)
    picture = Image.fromarray(pixels)
    picture = picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    given = files.lines("given")
    if lines and given is not None and given.exists():
        _outlines(draw, given, files.image, colour=LINE, zoom=zoom)
    _outlines(draw, files.truth, files.image, colour=TRUE, zoom=zoom)
    if predicted is not None:
        _outlines(draw, predicted, files.image, colour=PREDICTED, zoom=zoom)
    return picture


def _outlines(
    draw: ImageDraw.ImageDraw, path: Path, image: Path, *, colour: tuple[int, int, int], zoom: int
) -> None:
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        shape = feature["geometry"]
        ring = shape["coordinates"][0] if shape["type"] == "Polygon" else shape["coordinates"]
        points = [tuple(p) for p in zoom * pixels_of(ring, image)]
        draw.line(points, fill=colour, width=1)
        if feature["properties"].get("kind") == "locomotive":
            draw.line([points[0], points[2]], fill=ENGINE, width=1)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind")
    parser.add_argument("seed", type=int)
    parser.add_argument("--mode", help="given, found or displaced: show the newest count that judge.py made")
    parser.add_argument("--lines", action="store_true", help="show the true centre lines in blue")
    parser.add_argument("--zoom", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    files = scene_files(asked.kind, asked.seed, cache=asked.cache)
    counts = sorted(files.folder.glob(f"predicted_{asked.mode}_*.geojson"), key=lambda p: p.stat().st_mtime)
    if asked.mode and not counts:
        parser.error(f"no count of mode {asked.mode} in {files.folder}: run judge.py first")
    newest = counts[-1] if asked.mode else None
    overlay(files, predicted=newest, lines=asked.lines, zoom=asked.zoom).save(asked.output)


if __name__ == "__main__":
    main()
