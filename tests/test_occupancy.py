"""The morphological foreground: what is kept as a blob."""

from __future__ import annotations

import numpy as np

from railcount.occupancy import NARROWEST_GAP_M, SHORTEST_BLOB_M, foreground

STEP_M = 0.25


def row(*spans_m: tuple[float, float]) -> np.ndarray:
    out = np.zeros(240, dtype=bool)
    for start, end in spans_m:
        out[round(start / STEP_M) : round(end / STEP_M)] = True
    return out


def test_a_car_stays_and_a_person_goes() -> None:
    kept = foreground(row((10, 23), (40, 40 + SHORTEST_BLOB_M - 1)), step_m=STEP_M)
    np.testing.assert_array_equal(kept, row((10, 23)))


def test_a_wire_is_closed_and_a_coupler_gap_stays_open() -> None:
    wire = foreground(row((10, 16), (16 + NARROWEST_GAP_M / 2, 23)), step_m=STEP_M)
    np.testing.assert_array_equal(wire, row((10, 23)))
    coupled = row((10, 22.75), (24, 36.75))
    np.testing.assert_array_equal(foreground(coupled, step_m=STEP_M), coupled)
