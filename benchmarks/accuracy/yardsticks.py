"""What railcount is measured against, on the same scenes with the true tracks.

``otsu``: the script an analyst would write with scikit-image in an afternoon. ``threshold``: railcount's
own evidence of cars, but one threshold in the place of the model that reads it as a row of cars.
Both are given their best setting over the whole grid afterwards, so all settings are returned here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.affinity import rotate, scale
from skimage.draw import polygon as fill
from skimage.filters import threshold_otsu
from skimage.measure import label, regionprops
from skimage.morphology import disk, opening

from railcount.cars.describe import outline
from railcount.occupancy import measure
from railcount.strips import straighten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Pixels
    from railcount.tracks.network import TrackNetwork

    Corners = NDArray[np.float64]
    """(4, 2) in pixel coordinates."""

BODY_WIDTH_M = 3.2
"""Width of the true track mask: rolling stock is 2.8 to 3.3 m wide."""
OPENING_M = 0.5
"""Radius of the element of the opening."""
AREA_M2 = (15.0, 100.0)
"""Of a car: 2.8 x 8 m less what shadow takes, to 3.3 x 29 m."""
SHORTEST_M, LONGEST_M = 5.0, 30.0
"""Of a run of columns: half a car at the tile's edge; the longest car."""
THRESHOLDS = tuple(float(x) for x in np.arange(-3.0, 4.01, 0.5))
"""Log-odds of car body against everything else."""


def otsu_cars(pixels: Pixels, network: TrackNetwork, *, grid: Grid) -> dict[str, list[Corners]]:
    """Otsu on grey inside the track mask, opening, label, area filter, oriented boxes.

    Three variants by what is taken as car: what is ``brighter`` than the threshold, ``darker``, or
    ``different`` from the mask's median.
    """
    grey = pixels.bands[:3].mean(axis=0)
    mask = track_mask(network, grid=grid) & pixels.valid
    if not mask.any():
        return {"brighter": [], "darker": [], "different": []}
    middle = np.abs(grey - np.median(grey[mask]))
    limit = threshold_otsu(grey[mask])
    return {
        "brighter": _boxes(mask & (grey > limit), grid=grid),
        "darker": _boxes(mask & (grey <= limit), grid=grid),
        "different": _boxes(mask & (middle > threshold_otsu(middle[mask])), grid=grid),
    }


def track_mask(network: TrackNetwork, *, grid: Grid) -> NDArray[np.bool_]:
    """(rows, cols): True where a car's body can stand."""
    mask = np.zeros((grid.height, grid.width), dtype=bool)
    for track in network.tracks:
        band = shapely.LineString(track.line_px).buffer(BODY_WIDTH_M / 2 / grid.gsd_m, cap_style="flat")
        for part in shapely.get_parts(band):
            x, y = np.asarray(part.exterior.coords).T
            rows, cols = fill(y - 0.5, x - 0.5, shape=mask.shape)
            mask[rows, cols] = True
    return mask


def _boxes(likely: NDArray[np.bool_], *, grid: Grid) -> list[Corners]:
    radius = round(OPENING_M / grid.gsd_m)
    cleaned = opening(likely.astype(np.uint8), disk(radius)) if radius else likely.astype(np.uint8)
    cars = []
    for region in regionprops(label(cleaned, connectivity=1)):
        if AREA_M2[0] <= region.area * grid.gsd_m**2 <= AREA_M2[1]:
            centres = region.coords[:, ::-1] + 0.5
            box = shapely.MultiPoint(centres).minimum_rotated_rectangle
            if box.area > 0:
                cars.append(_grown(box))
    return cars


def _grown(box: shapely.Polygon) -> Corners:
    """The box around pixel centres, as the box around the pixels: half a pixel more on every side."""
    corners = np.asarray(box.exterior.coords)[:4]
    sides = np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[2] - corners[1]))
    turned = np.arctan2(*(corners[1] - corners[0])[::-1])
    upright = rotate(box, -turned, use_radians=True)
    wider = scale(upright, 1 + 1 / max(sides[0], 1e-6), 1 + 1 / max(sides[1], 1e-6))
    back = rotate(wider, turned, origin=upright.centroid, use_radians=True)
    return np.asarray(back.exterior.coords)[:4]


def threshold_cars(pixels: Pixels, network: TrackNetwork, *, grid: Grid) -> dict[str, list[Corners]]:
    """Columns whose log-odds of body pass a threshold; each run of them as long as a car is a car."""
    strips = straighten(pixels, network, grid=grid)
    cars: dict[str, list[Corners]] = {f"{limit:+.1f}": [] for limit in THRESHOLDS}
    for strip, evidence in zip(strips, measure(strips), strict=True):
        # Both are log-likelihood ratios against empty track; body against empty track or gap:
        odds = evidence.body - np.logaddexp(0.0, evidence.gap)
        for limit in THRESHOLDS:
            above = np.concatenate([[0], (evidence.seen & (odds > limit)).astype(np.int8), [0]])
            for start, end in np.flatnonzero(np.diff(above)).reshape(-1, 2):
                if SHORTEST_M <= (end - start) * strip.step_m <= LONGEST_M:
                    cars[f"{limit:+.1f}"].append(outline(strip, int(start), int(end), grid=grid))
    return cars
