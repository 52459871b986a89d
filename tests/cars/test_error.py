"""What the model itself may be wrong by: more where the network doubts more, and in coarse pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from railcount.cars.error import FOUND_SHARE, LEAST_SHARE, PIXEL_SHARES, doubt, error_share, with_error
from railcount.occupancy import Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.regimes import Regime
    from railcount.tracks.network import TrackSource


def test_model_error_widens_and_keeps_the_middle() -> None:
    counts = np.zeros(120)
    counts[100] = 1.0
    wide = with_error(counts, share=0.03)
    number = np.arange(len(wide))
    assert wide.sum() == pytest.approx(1.0)
    assert (number * wide).sum() == pytest.approx(100.0, abs=0.01)
    assert np.sqrt(((number - 100) ** 2 * wide).sum()) == pytest.approx(3.06, abs=0.1)


def test_an_empty_yard_stays_empty() -> None:
    np.testing.assert_array_equal(with_error(np.array([0.98, 0.02]), share=0.04), [0.98, 0.02])


def test_few_cars_are_never_negative() -> None:
    wide = with_error(np.array([0.0, 1.0]), share=0.04)
    assert wide.sum() == pytest.approx(1.0)
    assert wide.min() >= 0


def share(
    *, regime: Regime = "cars", gsd_m: float = 0.5, unsure: float = 0.0, source: TrackSource = "given"
) -> float:
    return error_share(regime, gsd_m=gsd_m, doubt=unsure, source=source)


def test_the_error_grows_with_the_doubt() -> None:
    shares = [share(unsure=unsure) for unsure in (0.0, 0.05, 0.1, 0.2)]
    assert shares[0] == LEAST_SHARE
    assert shares == sorted(shares)
    assert shares[-1] > 3 * shares[0]


def test_found_tracks_add_to_the_error() -> None:
    assert share(source="found") == pytest.approx(np.hypot(LEAST_SHARE, FOUND_SHARE))


def test_the_error_grows_with_the_pixel() -> None:
    shares = [share(regime="pitch", gsd_m=gsd) for gsd in (0.81, 0.9, 1.2, 1.5)]
    assert share(gsd_m=0.8) < shares[0]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(np.hypot(LEAST_SHARE, PIXEL_SHARES["coarsest"]))
    assert shares[1] < sum(PIXEL_SHARES.values()) / 2


def test_pixels_resampled_from_unknown_ones_have_the_largest_error() -> None:
    assert share(regime="pitch", gsd_m=0.5) == share(regime="pitch", gsd_m=1.5)


def evidence(body: NDArray[np.float64]) -> Evidence:
    seen = np.ones(len(body), dtype=bool)
    return Evidence(body=body, gap=body, seen=seen, view=np.zeros((6, 16, len(body)), dtype=np.float32))


def test_doubt_is_that_of_columns_between_empty_and_occupied() -> None:
    sure = np.concatenate([np.full(400, 4.0), np.full(4000, -4.0)])
    unsure = np.concatenate([sure, np.zeros(200)])
    assert doubt([evidence(sure)], step_m=0.25) == pytest.approx(0.0, abs=1e-9)
    assert doubt([evidence(unsure)], step_m=0.25) == pytest.approx(200 * 0.232 / 564.7, rel=0.01)


def test_doubt_of_a_hidden_stretch_does_not_count() -> None:
    body = np.concatenate([np.full(400, 2.0), np.zeros(400)])
    half = Evidence(body=body, gap=body, seen=body > 0, view=np.zeros((6, 16, 800), dtype=np.float32))
    assert doubt([half], step_m=0.25) == doubt([evidence(body[:400])], step_m=0.25)


def test_no_track_has_no_doubt() -> None:
    assert doubt([], step_m=0.25) == 0.0
