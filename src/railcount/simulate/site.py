"""Where there is room beside the tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from railcount.simulate.ground import track_distance
from railcount.simulate.layout import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.simulate.canvas import Canvas

CELL_M = 0.5


class Site:
    """Free ground: tracks keep their distance, and what is built keeps others off."""

    def __init__(self, canvas: Canvas, lines: Sequence[Line]) -> None:
        self.canvas = canvas
        self.lines = list(lines)
        self.k = max(round(CELL_M / canvas.step_m), 1)
        self.cell_m = self.k * canvas.step_m
        self.distance = track_distance(canvas, lines, self.k)
        self.taken: NDArray[np.bool_] = np.zeros(self.distance.shape, dtype=bool)
        longest = max(lines, key=lambda line: len(line.points), default=None)
        if longest is None:
            self.along = np.array([1.0, 0.0])
        else:
            chord = longest.points[-1] - longest.points[0]
            self.along = chord / np.hypot(*chord)

    def cells(
        self, centre: NDArray[np.float64], along: NDArray[np.float64], length_m: float, width_m: float
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the coarse grid under a rectangle."""
        n_u = max(int(length_m / self.cell_m), 1) + 1
        n_v = max(int(width_m / self.cell_m), 1) + 1
        right = np.array([-along[1], along[0]])
        u = (np.linspace(-0.5, 0.5, n_u) * length_m)[:, None, None] * along
        v = (np.linspace(-0.5, 0.5, n_v) * width_m)[None, :, None] * right
        at = ((centre + u + v).reshape(-1, 2) - self.canvas.origin_m) / self.cell_m
        cells = np.floor(at).astype(np.intp)
        rows, cols = cells[:, 1], cells[:, 0]
        n_rows, n_cols = self.distance.shape[:2]
        good = (rows >= 0) & (rows < n_rows) & (cols >= 0) & (cols < n_cols)
        return rows[good], cols[good]

    def take(
        self,
        centre: NDArray[np.float64],
        along: NDArray[np.float64],
        length_m: float,
        width_m: float,
        *,
        clear_m: float = 3.0,
    ) -> bool:
        """Reserve a rectangle ``clear_m`` from any track centre; False where it is not free."""
        rows, cols = self.cells(centre, along, length_m, width_m)
        if rows.size == 0 or (self.distance[rows, cols] < clear_m).any() or self.taken[rows, cols].any():
            return False
        self.taken[rows, cols] = True
        return True

    def take_line(self, line: Line, width_m: float) -> None:
        """Reserve a band along a line."""
        for at in np.arange(0, line.along_m[-1], 2.0):
            rows, cols = self.cells(line.at(at), self.along, 2.5, width_m)
            self.taken[rows, cols] = True

    def spot(
        self,
        rng: np.random.Generator,
        length_m: float,
        width_m: float,
        *,
        near_m: tuple[float, float],
        turn_deg: float = 4.0,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """A free place for a rectangle, ``near_m`` from the tracks, along them within ``turn_deg``."""
        rows, cols = self.distance.shape
        for _ in range(40):
            cell = rng.random(2) * (cols, rows)
            off = self.distance[int(cell[1]), int(cell[0])]
            angle = np.deg2rad(rng.normal(0, turn_deg))
            if not near_m[0] <= off <= near_m[1]:
                continue
            c, s = np.cos(angle), np.sin(angle)
            along = np.array([c * self.along[0] - s * self.along[1], s * self.along[0] + c * self.along[1]])
            centre = cell * self.cell_m + self.canvas.origin_m
            if self.take(centre, along, length_m + 0.6, width_m + 0.6, clear_m=2.4):
                return centre, along
        return None

    def beside(self, rng: np.random.Generator, off_m: float) -> Line | None:
        """A free line parallel to an outermost track, ``off_m`` outside it; None where there is none."""
        full = [line for line in self.lines if len(line.points) > 200]
        if not full:
            return None
        for line in (full[0], full[-1]) if rng.random() < 0.5 else (full[-1], full[0]):
            for side in (-1.0, 1.0):
                moved = offset_line(line, side * off_m)
                at = ((moved.points - self.canvas.origin_m) / self.cell_m).astype(int)
                rows, cols = self.distance.shape
                good = (at[:, 0] >= 0) & (at[:, 0] < cols) & (at[:, 1] >= 0) & (at[:, 1] < rows)
                if not good.any() or self.taken[at[good, 1], at[good, 0]].mean() > 0.03:
                    continue
                if (self.distance[at[good, 1], at[good, 0]] > off_m - 1.2).mean() > 0.97:
                    return moved
        return None


def offset_line(line: Line, off_m: float) -> Line:
    """The line moved to its right by ``off_m``."""
    step = np.gradient(line.points, axis=0)
    step /= np.hypot(step[:, 0], step[:, 1])[:, None]
    right = np.stack([-step[:, 1], step[:, 0]], axis=1)
    return Line(id=f"{line.id}{off_m:+.1f}", points=line.points + off_m * right, free=())
