"""Parked automobiles and semi-trailers beside the tracks."""

from __future__ import annotations

import numpy as np
import pytest

from railcount.simulate import Layout, Lineside, Scene, Stock, render


def yard(**parked: int) -> Scene:
    bare = Lineside(
        platforms=0,
        buildings=0,
        roads=0,
        trucks=0,
        ground_containers=0,
        piles=0,
        hedges=0,
        trees=0,
        **parked,
    )
    return Scene(
        width_px=240,
        height_px=200,
        layout=Layout(kind="straight", n_tracks=1, azimuth_deg=90.0, n_crossovers=0),
        stock=Stock(n_railcars=0, n_locomotives=0),
        lineside=bare,
    )


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("parked", [{"lots": 3}, {"trailer_rows": 12}], ids=["lots", "trailers"])
def test_what_is_parked_stands_beside_the_tracks_and_is_no_railcar(parked: dict[str, int], seed: int) -> None:
    without, with_parked = render(yard(), seed=seed), render(yard(**parked), seed=seed)
    assert not with_parked.cars
    line = with_parked.tracks[0].line_px
    share = np.linspace(0, 1, 200)[:, None]
    points = line[0] + share * (line[-1] - line[0])  # the track is straight
    inside = points[(points > 0).all(axis=1) & (points < [240, 200]).all(axis=1)].astype(int)
    one, other = without.bands[0].astype(float), with_parked.bands[0].astype(float)

    def alike(a: np.ndarray, b: np.ndarray) -> float:  # whatever the stretch to 8 bit
        return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

    on_track = inside[:, 1], inside[:, 0]
    assert alike(one[on_track], other[on_track]) > 0.9
    assert alike(one, other) < 0.8


def test_nothing_is_parked_unless_asked_for() -> None:
    assert Lineside().lots == Lineside().trailer_rows == 0
