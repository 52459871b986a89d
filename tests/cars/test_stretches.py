"""Occupied length and the number of cars that it holds."""

from __future__ import annotations

import numpy as np
import pytest

from railcount.cars.describe import interval
from railcount.cars.lengths import COUPLED_GAP_M, Stock, load_stock, stock_names
from railcount.cars.stretches import (
    Occupied,
    best_count,
    count_distribution,
    mean_length_m,
    occupied_probability,
    read_stretches,
    runs,
    tile_means,
)
from railcount.counts import Stretch
from railcount.occupancy import Evidence
from railcount.raster.georef import grid_from_gsd
from railcount.strips import Strip
from railcount.tracks.network import Track

GONDOLAS = Stock(name="gondolas", lengths_m=(13.92,), weights=(1.0,), spread_m=0.35)


def occupied(length_m: float, *, error_m: float, n: int = 1) -> Occupied:
    one = Stretch(track="1", start_m=0.0, end_m=1.0, confidence=1.0, outline_px=np.zeros((4, 2)))
    return Occupied(stretches=(one,) * n, length_m=length_m, error_m=error_m)


def test_one_known_length_and_no_error_give_the_number() -> None:
    train = occupied(50 * 13.92 - COUPLED_GAP_M, error_m=0.0)
    assert best_count(train, stock=GONDOLAS) == 50
    found = interval(count_distribution(train, stock=GONDOLAS), best=50)
    assert (found.low, found.high) == (50, 50)


def test_the_error_of_the_length_widens_the_interval() -> None:
    train = occupied(50 * 13.92 - COUPLED_GAP_M, error_m=139.2)
    found = interval(count_distribution(train, stock=GONDOLAS), best=50)
    # 10 cars of standard error: 1.645 of them on each side
    assert (found.low, found.high) == pytest.approx((34, 66), abs=1)


def test_unknown_stock_holds_every_usual_mean_length() -> None:
    train = occupied(1000.0, error_m=10.0)
    found = interval(count_distribution(train, stock=load_stock("any")), best=58)
    assert found.low <= 1000 / 20
    assert found.high >= 1000 / 13.92
    assert found.high <= 1000 / 12


@pytest.mark.parametrize("name", stock_names())
def test_tile_means_keep_the_mean(name: str) -> None:
    stock = load_stock(name)
    means, chance = tile_means(stock)
    assert chance.sum() == pytest.approx(1.0)
    assert (means * chance).sum() == pytest.approx(mean_length_m(stock), abs=0.05)
    assert len(np.unique(means)) == len(means)


def test_an_empty_yard_is_zero_with_doubt() -> None:
    nothing = Occupied(stretches=(), length_m=0.0, error_m=8.0)
    assert best_count(nothing, stock=load_stock("any")) == 0
    found = interval(count_distribution(nothing, stock=load_stock("any")), best=0)
    assert found.low == 0
    assert 0 <= found.high <= 1


def test_runs_close_short_gaps_and_drop_short_blobs() -> None:
    p = np.zeros(400)
    p[0:60] = 0.9
    p[70:140] = 0.9  # 10 columns apart: one stretch
    p[200:210] = 0.9  # too short
    p[300:400] = 0.6
    assert runs(p, shortest=32) == [(0, 140), (300, 400)]
    assert runs(p[::-1], shortest=32) == [(0, 100), (260, 400)]
    assert runs(np.zeros(5), shortest=32) == []


def test_a_gap_is_occupied_and_the_unseen_is_not() -> None:
    body, gap = np.array([-4.0, 3.0, -3.0, 0.0]), np.array([-8.0, 0.0, 3.0, 0.0])
    seen = np.array([True, True, True, False])
    view = np.zeros((6, 16, 4), np.float32)
    p = occupied_probability(Evidence(body=body, gap=gap, seen=seen, view=view))
    assert p[0] < 0.05
    assert p[1] > 0.9
    assert p[2] > 0.9
    assert p[3] == 0.0


def straight_strip(*, length_m: float) -> Strip:
    n = int(length_m / 0.25)
    centre = np.stack([(np.arange(n) + 0.5) * 0.25, np.full(n, 20.0)], axis=-1) / 3.0
    return Strip(
        track=Track(id="7", line_px=centre[[0, -1]]),
        bands=np.zeros((1, 32, n), np.float32),
        valid=np.ones((32, n), bool),
        step_m=0.25,
        half_width_m=4.0,
        centre_px=centre,
        direction=np.tile([1.0, 0.0], (n, 1)),
    )


def evidence_of(body: np.ndarray) -> Evidence:
    view = np.zeros((6, 16, len(body)), np.float32)
    return Evidence(body=body, gap=body - 9.0, seen=np.ones(len(body), bool), view=view)


def test_a_stretch_lies_on_its_track_and_has_its_length() -> None:
    strip, body = straight_strip(length_m=300.0), np.full(1200, -9.0)
    body[200:1000] = 9.0
    found = read_stretches(
        [strip], [evidence_of(body)], grid=grid_from_gsd(width=100, height=14, gsd_m=3.0), error_share=0.1
    )
    (stretch,) = found.stretches
    assert (stretch.track, stretch.start_m, stretch.end_m) == ("7", 50.0, 250.0)
    assert found.length_m == 200.0
    assert found.error_m == pytest.approx(np.hypot(20.0, 15.0), abs=1.0)
    low, high = stretch.outline_px.min(axis=0) * 3.0, stretch.outline_px.max(axis=0) * 3.0
    np.testing.assert_allclose([low, high], [[50.0, 18.45], [250.0, 21.55]], atol=0.3)


def test_evidence_that_says_nothing_gives_a_wide_interval() -> None:
    strip, grid = straight_strip(length_m=1000.0), grid_from_gsd(width=334, height=14, gsd_m=3.0)
    doubt = read_stretches([strip], [evidence_of(np.full(4000, -0.5))], grid=grid)
    assert doubt.stretches == ()
    stock = load_stock("any")
    found = interval(count_distribution(doubt, stock=stock), best=best_count(doubt, stock=stock))
    assert found.low == 0
    assert found.high > 25
