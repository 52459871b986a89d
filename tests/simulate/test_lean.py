"""Seen aslant: tall things move away from the sensor by their height."""

from __future__ import annotations

import numpy as np
import pytest

from railcount.simulate import Cut, Layout, Lineside, Scene, Sensor, Stock, Sun, Weather, render
from railcount.simulate.lean import displace, lean_per_metre


@pytest.mark.parametrize(
    ("azimuth", "row", "col"), [(180.0, -1, 0), (0.0, 1, 0), (90.0, 0, -1), (270.0, 0, 1)]
)
def test_a_block_leans_away_from_the_sensor(azimuth: float, row: int, col: int) -> None:
    height = np.zeros((100, 100), dtype=np.float32)
    height[40:60, 40:60] = 5.0
    shine = np.where(height > 0, 1.0, 0.0).astype(np.float32)
    displace([shine], height, lean_per_metre(20.0, azimuth) / 0.2, wall=0.5)
    rows, cols = np.nonzero(shine == 1.0)
    moved = 5.0 * np.tan(np.deg2rad(20.0)) / 0.2
    assert rows.mean() - 49.5 == pytest.approx(row * moved, abs=1.0)
    assert cols.mean() - 49.5 == pytest.approx(col * moved, abs=1.0)
    # The side that the sensor sees stands where the block's foot was.
    foot = (50 - 9 * row, 50 - 9 * col)
    assert shine[foot] == 0.5


def test_from_above_nothing_moves() -> None:
    height = np.full((10, 10), 3.0, dtype=np.float32)
    shine = np.random.default_rng(1).random((10, 10), dtype=np.float32)
    before = shine.copy()
    displace([shine], height, lean_per_metre(0.0, 77.0), wall=0.3)
    assert np.array_equal(shine, before)


def test_outlines_follow_the_roofs() -> None:
    def picture(azimuth: float, n: int):
        return render(
            Scene(
                width_px=200,
                height_px=100,
                layout=Layout(n_tracks=1, azimuth_deg=90.0, shift_m=0.0),
                sun=Sun(azimuth_deg=90.0, elevation_deg=70.0),
                weather=Weather(haze=0.0, wet=0.0),
                lineside=Lineside(
                    masts=0, gantries=0, platforms=0, buildings=0, roads=0, trucks=0, ground_containers=0,
                    piles=0, hedges=0, fences=0, trees=0, wires=False,
                ),
                stock=Stock(
                    n_railcars=n,
                    n_locomotives=0,
                    camouflage=0.0,
                    cuts=(Cut(vehicle="hopper_19_752", colour="white", start_m=70.0),) * n,
                ),
                sensor=Sensor(
                    bit_depth=16, resolution_m=0.5, pansharpen=False, halo=0.0, snr=300.0,
                    off_nadir_deg=25.0, view_azimuth_deg=azimuth,
                ),
            ),
            seed=3,
        )  # fmt: skip

    for azimuth, side in ((180.0, -1), (0.0, 1)):
        with_car, without = picture(azimuth, 1), picture(azimuth, 0)
        bright = with_car.bands.astype(float).mean(axis=0) - without.bands.mean(axis=0)
        rows = np.nonzero(bright > 0.7 * np.percentile(bright, 99.7))[0] + 0.5
        outline = with_car.cars[0].outline_px[:, 1]
        assert outline.mean() - 50 == pytest.approx(side * 4.6 * np.tan(np.deg2rad(25)) / 0.5, abs=0.3)
        assert outline.min() - 1.0 <= np.median(rows) <= outline.max() + 1.0
