"""The straightened tracks, wrapped into rows, with a mark at each end of every car."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.outputs.picture import FAINT, INK, KIND_COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.counts import Car, Stretch
    from railcount.outputs.picture import Page
    from railcount.outputs.picture import Stretch as GreyStretch
    from railcount.strips import Strip

PX_PER_M = 4.5
"""A 14 m car is 63 px long: its gap to the next is 5 px, and a number fits over it."""
LABEL_PX = 92
NUMBER_PX = 15
SPACE_PX = 21
"""Below a row: the metres along the track."""
TICK_M = 10
TICK_LABEL_M = 50
MAX_ROWS = 600
"""Agg draws pages up to 65536 px high; a row takes about 75."""
DOUBTFUL = 0.5
"""Cars below this confidence are hatched, or dashed, and carry a question mark."""
NOT_COUNTED = "not counted"
"""Beside a track of a tile without a count: that nothing was found there would sound like an empty track."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A piece of a strip, from ``start_m`` to ``end_m``, with the cars that touch it."""

    strip: Strip
    start_m: float
    end_m: float
    cars: tuple[Car, ...]
    stretches: tuple[Stretch, ...]
    found: str
    """How many vehicles on the whole track, or stretches where vehicles are not told apart."""

    @property
    def height_px(self) -> float:
        """On the page, with the numbers above and the space below."""
        return NUMBER_PX + 2 * self.strip.half_width_m * PX_PER_M + SPACE_PX


def rows_of(
    strips: Sequence[Strip],
    cars: Sequence[Car],
    stretches: Sequence[Stretch] = (),
    *,
    width_px: float,
    is_counted: bool = True,
) -> list[Row]:
    """Strips cut into rows that fit; a row ends before a car rather than in it."""
    longest_m = (width_px - LABEL_PX) / PX_PER_M
    rows = []
    for strip in strips:
        own = sorted((car for car in cars if car.track == strip.track.id), key=lambda car: car.start_m)
        occupied = [one for one in stretches if one.track == strip.track.id]
        start_m = 0.0
        while start_m < strip.length_m - strip.step_m / 2:
            end_m = min(start_m + longest_m, strip.length_m)
            if end_m < strip.length_m:
                # Half a metre of track stays with the car.
                cut = [car.start_m - 0.5 for car in own if car.start_m - 0.5 < end_m < car.end_m + 0.5]
                end_m = min([end_m, *(at for at in cut if at > start_m + longest_m / 2)])
            touching = tuple(car for car in own if car.end_m > start_m and car.start_m < end_m)
            rows.append(
                Row(
                    strip=strip,
                    start_m=start_m,
                    end_m=end_m,
                    cars=touching,
                    stretches=tuple(one for one in occupied if one.end_m > start_m and one.start_m < end_m),
                    found=_found(len(own), len(occupied)) if is_counted else NOT_COUNTED,
                )
            )
            start_m = end_m
    return rows


def draw_rows(page: Page, rows: Sequence[Row], *, left: float, top: float, stretch: GreyStretch) -> None:
    """Draw the rows one under the other."""
    for row in rows:
        _draw_row(page, row, left=left, top=top, stretch=stretch)
        top += row.height_px


def _draw_row(page: Page, row: Row, *, left: float, top: float, stretch: GreyStretch) -> None:
    strip = row.strip
    first, last = round(row.start_m / strip.step_m), round(row.end_m / strip.step_m)
    x0, y0 = left + LABEL_PX, top + NUMBER_PX
    middle = y0 + strip.half_width_m * PX_PER_M
    box = (x0, y0, x0 + (row.end_m - row.start_m) * PX_PER_M, y0 + 2 * strip.half_width_m * PX_PER_M)
    page.image(stretch.to_rgb(strip.bands[:, :, first:last], strip.valid[:, first:last]), box=box)
    page.text((left, middle - 7), f"track {_short(strip.track.id)}", size=12, bold=True)
    page.text((left, middle + 8), _below_name(row), size=10.5, colour=FAINT)
    _draw_metres(page, row, x0=x0, bottom=box[3])
    for one in row.stretches:
        _draw_stretch(page, one, row=row, x0=x0, box=box)
    for car in row.cars:
        _draw_car(page, car, row=row, x0=x0, middle=middle, box=box)


def _below_name(row: Row) -> str:
    if row.start_m > 0:
        return f"from {row.start_m:.0f} m"
    return row.found


def _found(n_cars: int, n_stretches: int) -> str:
    if n_stretches:
        return f"{n_stretches} stretch{'es' if n_stretches > 1 else ''}"
    return f"{n_cars} vehicle{'s' if n_cars > 1 else ''}" if n_cars else "none found"


def _draw_metres(page: Page, row: Row, *, x0: float, bottom: float) -> None:
    """Marks along the track under the row."""
    for at in range(math.ceil(row.start_m / TICK_M) * TICK_M, math.floor(row.end_m) + 1, TICK_M):
        x = _crisp(x0 + (at - row.start_m) * PX_PER_M)
        is_named = at % TICK_LABEL_M == 0
        tick = np.array([[x, bottom + 1], [x, bottom + (5 if is_named else 3)]])
        page.lines([tick], colour=FAINT, width=1.0)
        if is_named:
            page.text((x, bottom + 11), f"{at} m", size=9.5, colour=FAINT, across="center" if at else "left")


def _draw_stretch(
    page: Page, one: Stretch, *, row: Row, x0: float, box: tuple[float, float, float, float]
) -> None:
    """Marks at both ends of where vehicles stand, and a line beside them."""
    a, b = (_crisp(x0 + (at - row.start_m) * PX_PER_M) for at in (one.start_m, one.end_m))
    top, bottom = box[1] + 1.5, box[3] - 1.5
    ring = np.array([[a, top], [b, top], [b, bottom], [a, bottom], [a, top]])
    page.lines([ring], colour=KIND_COLOURS["unknown"], width=2.0, halo=True, clip=box)
    centre = (max(a, box[0]) + min(b, box[2])) / 2
    page.text(
        (centre, box[1] - 2), f"{one.end_m - one.start_m:.0f} m", size=10.5, across="center", down="bottom"
    )


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
    is_doubtful = car.confidence < DOUBTFUL
    if is_doubtful and max(a, box[0]) < min(b, box[2]):
        for upper_y, lower_y in ((top, upper), (lower, bottom)):
            within = (max(a, box[0]), upper_y, min(b, box[2]), lower_y)
            page.hatch(within, colour=KIND_COLOURS[car.kind])
    page.lines(marks, colour=KIND_COLOURS[car.kind], width=2.0, halo=True, clip=box)
    centre = (a + b) / 2
    if box[0] <= centre <= box[2]:
        doubt = "?" if is_doubtful else ""
        number = f"{car.train}.{car.position}{doubt}"
        page.text((centre, top - 2), number, size=10.5, colour=INK, across="center", down="bottom")


def _crisp(at: float) -> float:
    """The middle of a pixel, where a thin line is not smeared over two."""
    return float(np.floor(at)) + 0.5


def _short(name: str) -> str:
    return name if len(name) <= 7 else f"{name[:6]}…"
