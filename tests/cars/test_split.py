"""The rows of a tile: total, interval, and the lengths that the tile shows."""

from __future__ import annotations

import numpy as np
import pytest

from railcount.cars.lengths import LONGEST_BODY_M, load_stock, stock_names
from railcount.cars.split import MODEL_ERROR_SHARE, PITCH_ERROR_SHARES, model_error_share, with_model_error
from railcount.errors import InputError


def test_model_error_widens_and_keeps_the_middle() -> None:
    counts = np.zeros(120)
    counts[100] = 1.0
    wide = with_model_error(counts, share=0.03, cars=0.6)
    number = np.arange(len(wide))
    assert wide.sum() == pytest.approx(1.0)
    assert (number * wide).sum() == pytest.approx(100.0, abs=0.01)
    assert np.sqrt(((number - 100) ** 2 * wide).sum()) == pytest.approx(3.06, abs=0.1)


def test_an_empty_yard_stays_empty() -> None:
    np.testing.assert_array_equal(with_model_error(np.array([0.98, 0.02])), [0.98, 0.02])


def test_few_cars_are_never_negative() -> None:
    wide = with_model_error(np.array([0.0, 1.0]))
    assert wide.sum() == pytest.approx(1.0)
    assert wide.min() >= 0


@pytest.mark.parametrize("name", stock_names())
def test_every_stock_is_a_prior_over_bodies(name: str) -> None:
    body_m = np.arange(0, LONGEST_BODY_M + 0.25, 0.25)
    prior = load_stock(name).body_prior(body_m)
    assert prior.sum() == pytest.approx(1.0)
    assert prior[body_m < 7].sum() == 0.0
    assert prior[(body_m >= 8) & (body_m <= 29)].min() > 0


def test_unknown_stock_names_the_known() -> None:
    with pytest.raises(InputError, match="russian-chinese"):
        load_stock("martian")


def test_the_model_s_error_grows_with_the_pixel() -> None:
    shares = [model_error_share("pitch", gsd_m=gsd) for gsd in (0.81, 0.9, 1.2, 1.5)]
    assert MODEL_ERROR_SHARE == model_error_share("cars", gsd_m=0.8) < shares[0]
    assert shares == sorted(shares)
    assert shares[-1] == PITCH_ERROR_SHARES["coarsest"]
    assert shares[1] < (PITCH_ERROR_SHARES["finest"] + PITCH_ERROR_SHARES["coarsest"]) / 2


def test_pixels_resampled_from_unknown_ones_have_the_largest_error() -> None:
    assert model_error_share("pitch", gsd_m=0.5) == PITCH_ERROR_SHARES["coarsest"]
