"""A vehicle's picture: colour and height on its own little grid, ready to be stamped on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from railcount.simulate.canvas import Canvas, lattice_noise
from railcount.simulate.light import slope_light
from railcount.simulate.paints import colour

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from railcount.simulate.consist import Placed

TEXEL_M = 0.08
"""Grid of a vehicle's picture: finer than the canvas, so that turning it loses nothing."""


class Art:
    """Maps over a vehicle, (n_u, n_v): u along it, v across it, in metres from its centre."""

    def __init__(self, length_m: float, width_m: float, bands: int, rng: np.random.Generator) -> None:
        self.length_m, self.width_m, self.bands, self.rng = length_m, width_m, bands, rng
        n_u, n_v = max(int(length_m / TEXEL_M), 4), max(int(width_m / TEXEL_M), 4)
        self.shape = (n_u, n_v)
        self.u = ((np.arange(n_u) + 0.5) / n_u - 0.5)[:, None] * length_m
        self.v = ((np.arange(n_v) + 0.5) / n_v - 0.5)[None, :] * width_m
        self.colour = np.zeros((bands, n_u, n_v), dtype=np.float32)
        self.height = np.zeros((n_u, n_v), dtype=np.float32)
        self.relief = np.zeros((n_u, n_v), dtype=np.float32)
        """Smooth part of the height, whose slopes catch the light."""
        self.solid = np.zeros((n_u, n_v), dtype=bool)
        """Where the vehicle covers the ground."""

    def paint_of(self, name: str, spread: float = 0.12) -> NDArray[np.float32]:
        """A varied colour (bands, 1, 1)."""
        return colour(name, self.bands, self.rng, spread=spread)[:, None, None]

    def everywhere(self) -> NDArray[np.bool_]:
        """All texels."""
        return np.ones(self.shape, dtype=bool)

    def box(self, u: tuple[float, float], v: tuple[float, float]) -> NDArray[np.bool_]:
        """Texels of a rectangle."""
        return (self.u >= u[0]) & (self.u <= u[1]) & (self.v >= v[0]) & (self.v <= v[1])

    def fill(
        self, where: NDArray[np.bool_], paint: NDArray[np.float32], height_m: float | NDArray[np.float32]
    ) -> None:
        """Lay a colour and a height over some texels."""
        self.colour = np.where(where[None], paint, self.colour).astype(np.float32)
        self.height = np.where(where, height_m, self.height).astype(np.float32)
        self.solid |= where

    def mottle(self, strength: float, cell_m: tuple[float, float] = (0.8, 0.4)) -> None:
        """Uneven weathering."""
        noise = lattice_noise(self.rng, self.shape, (cell_m[0] / TEXEL_M, cell_m[1] / TEXEL_M))
        self.colour *= np.exp(strength * noise).astype(np.float32)

    def soil(self, grime: float) -> None:
        """Dirt in streaks across the body, and a general film."""
        dirt = colour("grime", self.bands, self.rng)[:, None, None]
        streaks = lattice_noise(self.rng, self.shape, (0.25 / TEXEL_M, 2.0 / TEXEL_M))
        patches = lattice_noise(self.rng, self.shape, (1.6 / TEXEL_M, 0.7 / TEXEL_M))
        amount = np.clip(grime * (0.55 + 0.25 * streaks + 0.35 * patches), 0, 0.9).astype(np.float32)
        self.colour += (dirt - self.colour) * amount


def draw_vehicle(
    canvas: Canvas,
    car: Placed,
    sun: NDArray[np.float64],
    ground: NDArray[np.float32],
    *,
    camouflage: float,
    snow: float,
) -> None:
    """Stamp a vehicle on the canvas.

    ``ground`` (bands,) is the ballast's colour, towards which ``camouflage`` (0-1) draws the body;
    ``snow`` is the part of its top that is white.
    """
    from railcount.simulate.bodies import BODIES

    rng = np.random.default_rng(car.seed)
    vehicle = car.vehicle
    art = Art(vehicle.body_m, vehicle.width_m, canvas.bands, rng)
    body: Callable[[Art, Placed], None] = BODIES[vehicle.shape]
    body(art, car)
    art.soil(car.grime)
    art.mottle(0.05)
    if camouflage > 0:
        art.colour += np.float32(camouflage) * (ground[:, None, None] - art.colour)
    if snow > 0:
        _snow(art, snow)
    _couplers(canvas, car)
    stamp(canvas, art, car.centre, car.along, sun)


def stamp(
    canvas: Canvas,
    art: Art,
    centre: NDArray[np.float64],
    along: NDArray[np.float64],
    sun: NDArray[np.float64],
) -> None:
    """Copy a picture to the canvas, turned to ``along``, with the light its relief catches."""
    patch = canvas.rectangle(centre, along, art.length_m, art.width_m)
    if patch.index.size == 0:
        return
    slope_u, slope_v = np.gradient(art.relief, TEXEL_M)
    light = slope_light(sun, along, slope_u, slope_v)
    i = np.clip(((patch.u / art.length_m + 0.5) * art.shape[0]).astype(np.intp), 0, art.shape[0] - 1)
    j = np.clip(((patch.v / art.width_m + 0.5) * art.shape[1]).astype(np.intp), 0, art.shape[1] - 1)
    keep = art.solid[i, j]
    i, j, patch = i[keep], j[keep], patch.where(keep)
    canvas.paint(patch, art.colour[:, i, j], height_m=art.height[i, j] + art.relief[i, j], direct=light[i, j])


def _couplers(canvas: Canvas, car: Placed) -> None:
    """Buffers and draw gear beyond the body, low and dark."""
    over = (car.vehicle.length_m - car.vehicle.body_m) / 2
    dark = colour("grime", canvas.bands)
    for end in (-1.0, 1.0):
        at = car.centre + car.along * end * (car.vehicle.body_m + over) / 2
        patch = canvas.rectangle(at, car.along, over, 0.35)
        canvas.paint(patch, dark, height_m=1.1)
        beam = canvas.rectangle(
            car.centre + car.along * end * (car.vehicle.body_m / 2 + 0.08), car.along, 0.16, 2.4
        )
        canvas.paint(beam, dark * 0.8, height_m=1.1)


def _snow(art: Art, amount: float) -> None:
    """Snow on roofs and loads, blown off the edges."""
    white = colour("snow", art.bands)[:, None, None]
    noise = lattice_noise(art.rng, art.shape, (1.2 / TEXEL_M, 0.6 / TEXEL_M))
    edge = 1 - (2 * np.abs(art.v) / art.width_m) ** 4
    cover = np.clip((amount * 1.6 - 0.35) + 0.3 * noise, 0, 0.97) * edge * (art.relief > -0.5)
    art.colour += ((white - art.colour) * cover).astype(np.float32)
