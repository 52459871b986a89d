"""Tables of car lengths as priors."""

from __future__ import annotations

import numpy as np
import pytest

from railcount.cars.lengths import LONGEST_BODY_M, load_stock, stock_names
from railcount.errors import InputError


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
