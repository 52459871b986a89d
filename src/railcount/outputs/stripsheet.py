"""The straightened tracks, wrapped into rows, with a mark at each end of every car."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.outputs.picture import FAINT, INK, KIND_COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.counts import Car
    from railcount.outputs.picture import Page, Stretch
    from railcount.strips import Strip

PX_PER_M = 4.5
"""A 14 m car is 63 px long: its gap to the next is 5 px, and a number fits over it."""
LABEL_PX = 92
NUMBER_PX = 15
SPACE_PX = 7
MAX_ROWS = 600
"""Agg draws pages up to 65536 px high; a row takes about 60."""
DOUBTFUL = 0.5
"""Cars below this confidence carry a question mark."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A piece of a strip, from ``start_m`` to ``end_m``, with the cars that touch it."""

    strip: Strip
    start_m: float
    end_m: float
    cars: tuple[Car, ...]

    @property
    def height_px(self) -> float:
        """On the page, with the numbers above and the space below."""
        return NUMBER_PX + 2 * self.strip.half_width_m * PX_PER_M + SPACE_PX


def rows_of(strips: Sequence[Strip], cars: Sequence[Car], *, width_px: float) -> list[Row]:
    """Strips cut into rows that fit; a row ends before a car rather than in it."""
    longest_m = (width_px - LABEL_PX) / PX_PER_M
    rows = []
    for strip in strips:
        own = sorted((car for car in cars if car.track == strip.track.id), key=lambda car: car.start_m)
        start_m = 0.0
        while start_m < strip.length_m - strip.step_m / 2:
            end_m = min(start_m + longest_m, strip.length_m)
            if end_m < strip.length_m:
                # Half a metre of track stays with the car.
                cut = [car.start_m - 0.5 for car in own if car.start_m - 0.5 < end_m < car.end_m + 0.5]
                end_m = min([end_m, *(at for at in cut if at > start_m + longest_m / 2)])
            touching = tuple(car for car in own if car.end_m > start_m and car.start_m < end_m)
            rows.append(Row(strip=strip, start_m=start_m, end_m=end_m, cars=touching))
            start_m = end_m
    return rows


def draw_rows(page: Page, rows: Sequence[Row], *, left: float, top: float, stretch: Stretch) -> None:
    """Draw the rows one under the other."""
    for row in rows:
        _draw_row(page, row, left=left, top=top, stretch=stretch)
        top += row.height_px


def _draw_row(page: Page, row: Row, *, left: float, top: float, stretch: Stretch) -> None:
    strip = row.strip
    first, last = round(row.start_m / strip.step_m), round(row.end_m / strip.step_m)
    x0, y0 = left + LABEL_PX, top + NUMBER_PX
    middle = y0 + strip.half_width_m * PX_PER_M
    box = (x0, y0, x0 + (row.end_m - row.start_m) * PX_PER_M, y0 + 2 * strip.half_width_m * PX_PER_M)
    page.image(stretch.to_rgb(strip.bands[:, :, first:last], strip.valid[:, first:last]), box=box)
    page.text((left, middle - 7), f"track {_short(strip.track.id)}", size=12, bold=True)
    page.text((left, middle + 8), f"from {row.start_m:.0f} m", size=10.5, colour=FAINT)
    for car in row.cars:
        _draw_car(page, car, row=row, x0=x0, middle=middle, box=box)


def _draw_car(
    page: Page, car: Car, *, row: Row, x0: float, middle: float, box: tuple[float, float, float, float]
) -> None:
    """Marks beside the body, never on it: the pixels that decide must stay visible."""
    a, b = (_crisp(x0 + (at - row.start_m) * PX_PER_M) for at in (car.start_m, car.end_m))
    upper, lower = (
        _crisp(middle + (car.offset_m + side * (car.width_m / 2 + 0.4)) * PX_PER_M) for side in (-1.0, 1.0)
    )
    top, bottom = box[1], box[3]
    marks = [
        np.array([[a, top], [a, upper], [b, upper], [b, top]]),
        np.array([[a, bottom], [a, lower], [b, lower], [b, bottom]]),
    ]
    page.lines(marks, colour=KIND_COLOURS[car.kind], width=2.0, halo=True, clip=box)
    centre = (a + b) / 2
    if box[0] <= centre <= box[2]:
        doubt = "?" if car.confidence < DOUBTFUL else ""
        number = f"{car.train}.{car.position}{doubt}"
        page.text((centre, top - 2), number, size=10.5, colour=INK, across="center", down="bottom")


def _crisp(at: float) -> float:
    """The middle of a pixel, where a thin line is not smeared over two."""
    return float(np.floor(at)) + 0.5


def _short(name: str) -> str:
    return name if len(name) <= 7 else f"{name[:6]}…"
