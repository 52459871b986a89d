"""What runs far in a picture and is explained by no track found so far."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import rotate

from railcount.simulate import Layout, Scene, Stock, render
from railcount.tracks.areas import CELL_M, N_DIRECTIONS, Areas
from railcount.tracks.corridor import Corridor
from railcount.tracks.find import dense, find_tracks
from railcount.tracks.unexplained import LONG_M, only, strongest, unexplained, unsearched, without
from tests.test_scan import pixels_of

SLANT = 3 * np.pi / N_DIRECTIONS
SHAPE = (40, 60)


def areas() -> Areas:
    """One row of cells along x, and one that slants."""
    support, direction = np.zeros(SHAPE), np.zeros(SHAPE)
    support[5, :] = 0.6
    cols = np.arange(5, 55)
    rows = np.rint(10 + (cols - 5) * np.tan(SLANT)).astype(int)
    support[rows, cols], direction[rows, cols] = 0.55, SLANT
    return Areas(support=support, direction=direction, first=np.array([4.0, 4.0]), cell_m=CELL_M)


def along_x() -> np.ndarray:
    return dense(np.array([[0.0, 4.0 + 5 * CELL_M], [60 * CELL_M, 4.0 + 5 * CELL_M]]))


def test_what_a_line_runs_along_is_explained() -> None:
    both = unexplained(areas(), [])
    assert {0.0, SLANT} == set(both.direction[both.support > 0])
    assert strongest(both) == 0.0
    rest = unexplained(areas(), [along_x()])
    assert set(rest.direction[rest.support > 0]) == {SLANT}
    assert strongest(rest) == pytest.approx(SLANT)
    assert strongest(without(rest, SLANT)) is None


def test_a_line_across_explains_nothing() -> None:
    x = 4.0 + 30 * CELL_M
    across = dense(np.array([[x, 0.0], [x, 40 * CELL_M]]))
    assert (unexplained(areas(), [across]).support > 0).sum() == (areas().support > 0).sum()


def test_what_is_short_or_unclear_is_left_out() -> None:
    one = areas()
    n = int(LONG_M / CELL_M)
    short, faint = np.zeros(SHAPE), one.support * 0.5
    short[5, :n] = 0.6
    assert strongest(unexplained(replace(one, support=short), [])) is None
    assert strongest(unexplained(replace(one, support=faint), [])) is None
    short[5, : n + 1] = 0.6
    assert strongest(unexplained(replace(one, support=short), [])) == 0.0


def test_only_one_direction() -> None:
    assert set(areas().direction[only(areas(), SLANT).support > 0]) == {SLANT}


def test_pixels_around_cells() -> None:
    near = only(areas(), 0.0).around(np.array([0.25, 0.25]), 0.5, (640, 960))
    assert near.shape == (640, 960)
    rows = np.flatnonzero(near.any(axis=1)) * 0.5
    assert rows.min() == pytest.approx(3 * CELL_M, abs=CELL_M)
    assert rows.max() == pytest.approx(8 * CELL_M, abs=CELL_M)


def test_a_siding_aslant_to_the_yard_is_found() -> None:
    """Part of the picture shows rows of cars that run 15 degrees off the main ones."""
    scene = Scene(name="yard", width_px=900, height_px=700, layout=Layout(n_tracks=8), stock=Stock(fill=0.6))
    yard = render(scene, seed=3)
    side = render(replace(scene, layout=Layout(n_tracks=2)), seed=3)
    pixels = pixels_of(yard)
    pixels.bands[:, :, :230] = rotate(side.bands, 15.0, axes=(2, 1), reshape=False, order=1, mode="reflect")[
        :, :, 335:565
    ]
    found = find_tracks(pixels, grid=yard.grid).tracks
    ways = [track.line_px[-1] - track.line_px[0] for track in found]
    headings = np.rad2deg([np.arctan2(way[1], way[0]) for way in ways]) % 180
    aslant = [h for h in headings if abs(abs(h - np.median(headings)) - 15) < 3]
    assert len(aslant) >= 2
    assert len(headings) - len(aslant) >= 6


def test_where_a_corridor_was_searched() -> None:
    x = np.arange(0.0, 60 * CELL_M, 0.5)
    corridor = Corridor(
        bands=np.zeros((1, 40, len(x)), dtype=np.float32),
        valid=np.ones((40, len(x)), dtype=bool),
        points=np.stack([x, np.full(len(x), 5 * CELL_M)], axis=-1),
        normal=np.tile([0.0, 1.0], (len(x), 1)),
        first_v_m=-8.0,
    )
    rest = unsearched(areas(), [corridor])
    assert set(rest.direction[rest.support > 0]) == {SLANT}
    beside = replace(corridor, first_v_m=20.0)
    assert (unsearched(areas(), [beside]).support[5] > 0).all()
