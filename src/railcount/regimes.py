"""What the size of a pixel allows: cars one by one, cars by their pitch, or the occupied length alone."""

from __future__ import annotations

from typing import Literal

Regime = Literal["cars", "pitch", "occupied_length"]
REGIMES: tuple[Regime, ...] = ("cars", "pitch", "occupied_length")

COARSEST_M: dict[Regime, float] = {"cars": 0.8, "pitch": 1.5, "occupied_length": 4.0}
"""Largest pixel of each regime. Two coupled gondolas leave 1.14 m open: more than one pixel up to 0.8 m,
even after the sensor's blur. Up to 1.5 m the gap is a faint dip once every car length, which a row of
them shows together. Beyond, only the contrast between occupied and empty track is left; a track
(3.6-6 m from the next) needs more than one pixel across, so 4 m is the end."""

WORDS: dict[Regime, str] = {
    "cars": "cars told apart one by one",
    "pitch": "cars told apart by their pitch: the gaps between them are narrower than a pixel",
    "occupied_length": "cars not told apart: occupied length over a mean car length",
}
_SLACK = 1.001
"""A pixel of 0.8000004 m, from degrees or feet, is 0.8 m."""


def regime_of(gsd_m: float, *, sensor_gsd_m: float | None = None) -> Regime | None:
    """The regime for pixels of ``gsd_m`` metres; None where they are too coarse for any.

    ``sensor_gsd_m`` is the sensor's own sampling distance: pixels resampled finer than that show no more
    than the sensor saw. It can turn ``cars`` into ``pitch`` and no more: it is a line in a sidecar, while
    the pixels are a fact (PlanetScope states 3.7-4.2 m for pixels of 3 m).
    """
    for regime in REGIMES:
        if gsd_m <= COARSEST_M[regime] * _SLACK:
            resampled = sensor_gsd_m is not None and sensor_gsd_m > COARSEST_M["cars"] * _SLACK
            return "pitch" if regime == "cars" and resampled else regime
    return None


def too_coarse(gsd_m: float) -> str:
    """Why pixels of ``gsd_m`` metres are refused."""
    return (
        f"pixels of {gsd_m:.2f} m are too coarse: cars are told apart up to {COARSEST_M['cars']:g} m, "
        f"by their pitch up to {COARSEST_M['pitch']:g} m, and occupied track is measured up to "
        f"{COARSEST_M['occupied_length']:g} m"
    )
