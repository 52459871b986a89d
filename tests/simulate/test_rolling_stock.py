"""The table of rolling stock against published figures, and every vehicle drawn once."""

from __future__ import annotations

import pytest

from railcount.counts import KINDS
from railcount.simulate import Cut, Layout, Lineside, Scene, Sensor, Stock, render
from railcount.simulate.bodies import BODIES
from railcount.simulate.rolling_stock import FAMILIES, vehicles

# Length over couplers, width, height in metres, from the operators' data sheets.
PUBLISHED = {
    "gondola_12_132": (13.92, 3.16, 3.8),
    "tank_4_axle": (12.02, 3.0, 4.6),
    "container_flat": (15.02, 2.81, 1.3),
    "boxcar_p62": (16.44, 3.30, 4.77),
    "boxcar_p70": (17.07, 3.30, 4.77),
    "flat_nx70a": (13.97, 3.18, 1.22),
    "gondola_chip": (23.2, 3.25, 4.7),
    "coach_25g": (26.6, 3.11, 4.43),
    "loco_m62": (17.55, 3.0, 4.6),
}


def test_lengths_are_those_published() -> None:
    table = vehicles()
    for name, (length, width, height) in PUBLISHED.items():
        assert (table[name].length_m, table[name].width_m, table[name].height_m) == (length, width, height)


@pytest.mark.parametrize("name", list(vehicles()))
def test_every_vehicle_makes_sense(name: str) -> None:
    vehicle = vehicles()[name]
    assert vehicle.kind in KINDS
    assert vehicle.shape in BODIES
    assert set(vehicle.families) <= set(FAMILIES)
    assert 0.8 <= vehicle.length_m - vehicle.body_m <= 1.8
    assert 2.4 <= vehicle.width_m <= 3.5
    assert vehicle.floor_m <= vehicle.height_m <= 6.0


@pytest.mark.parametrize("name", list(vehicles()))
def test_every_vehicle_can_be_drawn_with_every_load(name: str) -> None:
    loads = ("empty", "bulk", "tarpaulin", "container")
    if vehicles()[name].kind == "locomotive" or vehicles()[name].shape not in ("gondola", "flat"):
        loads = ("empty",)
    cuts = tuple(
        Cut(track=str(k + 1), vehicle=name, load=None if load == "empty" else load, start_m=50.0)
        for k, load in enumerate(loads)
    )
    scene = Scene(
        width_px=100,
        height_px=60,
        layout=Layout(n_tracks=4, spacing_m=5.0, azimuth_deg=90.0, shift_m=0.0, n_crossovers=0),
        lineside=Lineside(masts=0, gantries=0, buildings=0, roads=0, trees=0),
        sensor=Sensor(bit_depth=16, snr=500.0),
        stock=Stock(n_locomotives=0, fill=0.0, cuts=cuts, camouflage=0.0),
    )
    drawn = render(scene, seed=2)
    assert [car.vehicle for car in drawn.cars] == [name] * len(loads)
