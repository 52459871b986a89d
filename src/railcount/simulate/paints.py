"""Colours: reflectance in red, green, blue and near infrared, 0-1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Estimates from field spectra of like materials (soil, gravel, rust, paint, vegetation: ECOSTRESS and
# USGS spectral libraries), rounded; every use varies them.
REFLECTANCE: dict[str, tuple[float, float, float, float]] = {
    "ballast_light": (0.36, 0.34, 0.31, 0.40),
    "ballast_grey": (0.23, 0.225, 0.22, 0.26),
    "ballast_brown": (0.23, 0.185, 0.145, 0.29),
    "ballast_dark": (0.12, 0.112, 0.105, 0.14),
    "ballast_oily": (0.055, 0.05, 0.047, 0.07),
    "sleeper_wood": (0.11, 0.085, 0.065, 0.17),
    "sleeper_concrete": (0.30, 0.285, 0.26, 0.34),
    "rail": (0.13, 0.09, 0.065, 0.20),
    "rail_top": (0.45, 0.45, 0.46, 0.50),
    "rust": (0.20, 0.105, 0.06, 0.30),
    "dirt": (0.27, 0.22, 0.165, 0.34),
    "dark_dirt": (0.14, 0.115, 0.09, 0.20),
    "asphalt": (0.13, 0.13, 0.13, 0.15),
    "concrete": (0.36, 0.35, 0.32, 0.40),
    "grass": (0.07, 0.10, 0.045, 0.42),
    "weeds": (0.10, 0.12, 0.055, 0.38),
    "dry_grass": (0.25, 0.215, 0.15, 0.36),
    "crop": (0.06, 0.11, 0.04, 0.48),
    "bare_field": (0.22, 0.165, 0.115, 0.30),
    "tree": (0.055, 0.085, 0.038, 0.40),
    "tree_bare": (0.13, 0.11, 0.09, 0.22),
    "snow": (0.85, 0.87, 0.90, 0.80),
    "snow_dirty": (0.50, 0.49, 0.47, 0.50),
    "black": (0.045, 0.045, 0.047, 0.06),
    "grey": (0.24, 0.245, 0.25, 0.27),
    "light_grey": (0.45, 0.45, 0.44, 0.48),
    "white": (0.72, 0.72, 0.70, 0.75),
    "cream": (0.58, 0.53, 0.40, 0.62),
    "red_brown": (0.18, 0.085, 0.06, 0.26),
    "red": (0.38, 0.065, 0.05, 0.48),
    "orange": (0.50, 0.20, 0.06, 0.56),
    "yellow": (0.55, 0.43, 0.08, 0.60),
    "green": (0.09, 0.16, 0.085, 0.24),
    "dark_green": (0.05, 0.085, 0.05, 0.17),
    "blue": (0.06, 0.17, 0.42, 0.35),
    "dark_blue": (0.05, 0.075, 0.16, 0.18),
    "tarp_green": (0.085, 0.115, 0.065, 0.28),
    "tarp_grey": (0.32, 0.325, 0.33, 0.36),
    "coal": (0.04, 0.039, 0.04, 0.05),
    "ore": (0.19, 0.11, 0.075, 0.26),
    "gravel": (0.30, 0.285, 0.26, 0.34),
    "sand": (0.42, 0.345, 0.235, 0.50),
    "scrap": (0.16, 0.12, 0.095, 0.22),
    "timber": (0.38, 0.28, 0.17, 0.50),
    "grain": (0.44, 0.35, 0.19, 0.55),
    "grime": (0.10, 0.085, 0.07, 0.15),
    "floor": (0.13, 0.10, 0.08, 0.19),
    "planks": (0.24, 0.20, 0.155, 0.34),
}

PAINTS = {
    "gondola": ("red_brown", "red_brown", "grey", "green", "rust", "black", "dark_blue"),
    "boxcar": ("red_brown", "green", "dark_green", "grey", "rust", "light_grey", "blue"),
    "tank": ("black", "grey", "white", "light_grey", "dark_blue", "rust", "cream"),
    "flat": ("red_brown", "grey", "black", "rust"),
    "frame": ("light_grey", "light_grey", "grey", "rust", "red_brown", "dark_blue"),
    "covered_hopper": ("light_grey", "grey", "white", "green", "cream", "rust"),
    "autorack": ("light_grey", "white", "cream", "grey"),
    "coach": ("green", "dark_blue", "grey", "red", "cream"),
    "locomotive": ("green", "red", "dark_blue", "grey", "orange", "blue", "dark_green", "cream"),
    "locomotive_hood": ("green", "red", "dark_blue", "black", "orange", "yellow", "blue", "grey", "white"),
}
"""Usual paints of each shape of body."""

TARPS = ("blue", "blue", "green", "tarp_green", "grey", "black", "dark_blue", "tarp_grey", "white", "orange")
CONTAINERS = (
    "red_brown",
    "blue",
    "dark_blue",
    "green",
    "orange",
    "grey",
    "white",
    "red",
    "rust",
    "light_grey",
)
BULK = ("coal", "ore", "gravel", "sand", "scrap", "timber", "grain")


def colour(
    name: str, bands: int, rng: np.random.Generator | None = None, *, spread: float = 0.12
) -> NDArray[np.float32]:
    """(bands,) reflectance of a material, varied in brightness and a little in hue where ``rng`` is given."""
    value = np.array(REFLECTANCE[name], dtype=np.float64)
    if rng is not None:
        value = value * np.exp(rng.normal(0, spread) + rng.normal(0, spread * 0.3, 4))
    if bands == 1:
        return np.array([value[:3].mean()], dtype=np.float32)
    return np.asarray(np.clip(value[:bands], 0.01, 0.95), dtype=np.float32)
