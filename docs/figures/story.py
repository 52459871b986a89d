"""The simulated yard of the pictures, and what every stage makes of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from railcount.cars.error import with_error
from railcount.cars.lengths import load_stock
from railcount.cars.split import split
from railcount.counts import TileCount
from railcount.occupancy import measure
from railcount.outputs.picture import Stretch, stretch_of
from railcount.pipeline import count_cars
from railcount.raster import open_tile
from railcount.simulate import Ground, Layout, Lineside, RenderedScene, Scene, Sensor, Stock, Sun, render
from railcount.simulate.write import write_scene
from railcount.tracks.find import corridors, find_tracks
from railcount.tracks.rows import centre_odds, trace_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.cars.split import Split
    from railcount.occupancy import Evidence
    from railcount.raster.tile import Pixels, Tile
    from railcount.tracks.corridor import Corridor

    Array = NDArray[np.float64]

SEED = 4
STOCK = "any"
SCENE = Scene(
    name="method",
    width_px=680,
    height_px=170,
    gsd_m=0.5,
    layout=Layout(kind="curved", n_tracks=6, spacing_m=(4.6, 5.4), azimuth_deg=83.0, radius_m=1100.0),
    sun=Sun(elevation_deg=50.0, azimuth_deg=160.0),
    ground=Ground(ballast="grey", season="autumn", surroundings="dirt", weeds=0.1),
    stock=Stock(
        fill=0.5,
        n_locomotives=1,
        families=("russian", "chinese"),
        covered=0.5,
        loaded=0.6,
        block_n=6.0,
        like=0.7,
        camouflage=0.5,
    ),
    lineside=Lineside(
        masts=10,
        platforms=0,
        canopies=0,
        buildings=3,
        roads=1,
        trucks=2,
        piles=0,
        trees=12,
        gantries=0,
        wires=False,
    ),
    sensor=Sensor(resolution_m=0.9, off_nadir_deg=6.0, jpeg_quality=100, contrast=0.8, snr=120.0),
)
WINDOW_M = 150.0
"""Length of strip in the pictures of evidence and split."""
AROUND_M = 22.0
"""What is shown of a corridor beyond its outermost tracks."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Story:
    """The yard and what every stage made of it."""

    drawn: RenderedScene
    tile: Tile
    pixels: Pixels
    count: TileCount
    evidence: tuple[Evidence, ...]
    rows: Split
    alone: Array
    """Probability of each total, without the model error."""
    stretch: Stretch


def tell() -> Story:
    """Draw the yard and count it."""
    drawn = render(SCENE, seed=SEED)
    with tempfile.TemporaryDirectory() as folder:
        tile = open_tile(write_scene(drawn, folder).image)
        pixels = tile.read()
    network = find_tracks(pixels, grid=tile.grid)
    blank = TileCount(
        tile="simulated", sha256=None, status="counted", acquisition=tile.acquisition, grid=tile.grid
    )
    count = count_cars(replace(blank, network=network), pixels, network, stock=STOCK)
    evidence = measure(count.strips)
    rows = split(count.strips, evidence, stock=load_stock(STOCK))
    assert count.error_share is not None  # its cars are told apart
    return Story(
        drawn=drawn,
        tile=tile,
        pixels=pixels,
        count=count,
        evidence=evidence,
        rows=replace(rows, counts=with_error(rows.counts, share=count.error_share)),
        alone=rows.counts,
        stretch=stretch_of(pixels.bands, pixels.valid),
    )


def yard_corridor(story: Story) -> tuple[Corridor, Array]:
    """The strongest direction's corridor and its log-odds (blocks, v), cut to what lies around the tracks."""
    whole = corridors(story.pixels, grid=story.tile.grid)[0]
    odds = centre_odds(whole)
    v = np.concatenate([row.v for row in trace_rows(odds, step_m=whole.step_m)])
    around = AROUND_M / whole.step_m
    low, high = max(0, int(v.min() - around)), min(len(whole.valid), int(v.max() + around))
    part = replace(
        whole,
        bands=whole.bands[:, low:high],
        valid=whole.valid[low:high],
        first_v_m=whole.first_v_m + low * whole.step_m,
    )
    return part, odds[:, low:high]


def busiest(story: Story) -> tuple[int, float]:
    """The strip with the most cars, and where its busiest window begins (m)."""
    n = [sum(c.row == r for c in story.rows.cars) for r in range(len(story.count.strips))]
    row = int(np.argmax(n))
    strip = story.count.strips[row]
    ends = np.array([[c.start, c.end] for c in story.rows.cars if c.row == row], float) * strip.step_m
    starts = np.arange(0, max(strip.length_m - WINDOW_M, 0) + 1, 5.0)
    mixed = [  # a window that holds cars and empty track
        -abs(
            float(np.clip(np.minimum(ends[:, 1], s + WINDOW_M) - np.maximum(ends[:, 0], s), 0, None).sum())
            - 0.75 * WINDOW_M
        )
        for s in starts
    ]
    return row, float(starts[int(np.argmax(mixed))])
