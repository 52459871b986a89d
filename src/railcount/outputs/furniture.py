"""What stands on every picture of the ground: scale bar, north arrow, credit, and the legend below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from railcount.counts import KINDS
from railcount.outputs.picture import FAINT, KIND_COLOURS, LIGHT, text_width
from railcount.outputs.text import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.counts import Car
    from railcount.outputs.picture import Page
    from railcount.records import CarRecord

    Box = tuple[float, float, float, float]
    """Left, top, right, bottom on the page."""


def draw_scale(page: Page, box: Box, *, px_per_m: float) -> None:
    """A bar of a round number of metres, at the lower left."""
    left, _, right, bottom = box
    length_m = round_length((right - left) / px_per_m / 5)
    a, b = left + 16, left + 16 + length_m * px_per_m
    page.rectangle((a - 2, bottom - 20, b + 2, bottom - 11), colour="black", alpha=0.75)
    page.rectangle((a, bottom - 18, b, bottom - 13), colour=LIGHT)
    page.text(
        ((a + b) / 2, bottom - 29),
        f"{length_m:g} m",
        size=13,
        bold=True,
        across="center",
        colour=LIGHT,
        halo=True,
    )


def round_length(about_m: float) -> float:
    """The largest of 1, 2, 5 x 10^n metres that is not longer."""
    power = 10.0 ** np.floor(np.log10(about_m))
    return float(max(step * power for step in (1, 2, 5) if step * power <= about_m * (1 + 1e-9)))


def draw_north(page: Page, box: Box, *, north: tuple[float, float]) -> None:
    """An arrow at the upper right; ``north`` is its direction on the page, x right and y down."""
    along = np.asarray(north) / np.hypot(*north)
    side = np.array([-along[1], along[0]])
    centre = np.array([box[2] - 40, box[1] + 46])
    tip, tail = centre + 22 * along, centre - 14 * along
    arrow = [np.array([tail, tip]), np.array([tip - 9 * along - 6 * side, tip, tip - 9 * along + 6 * side])]
    page.lines(arrow, colour="black", width=5.0, alpha=0.6)
    page.lines(arrow, colour=LIGHT, width=2.4)
    x, y = centre - 25 * along
    page.text((float(x), float(y)), "N", size=14, bold=True, across="center", colour=LIGHT, halo=True)


def draw_credit(page: Page, box: Box, credit: str | None) -> None:
    """Whom the image is to be credited to, at the lower right."""
    if credit:
        words = credit_words(credit)
        page.text(
            (box[2] - 10, box[3] - 15), words, size=12, bold=True, across="right", colour=LIGHT, halo=True
        )


def credit_words(credit: str) -> str:
    """``Image: Planet Labs``, and ``simulated image`` where nobody took one."""
    return f"{SIMULATED} image" if credit == SIMULATED else f"Image: {credit[:120]}"


def draw_legend(
    page: Page,
    cars: Sequence[Car | CarRecord],
    *,
    left: float,
    middle: float,
    right: float,
    notes: Sequence[str] = (),
    numbers: bool = True,
) -> None:
    """Which kind is in which colour, and how many are, in one line; then ``notes``, as room allows."""
    tally = {kind: sum(car.kind == kind for car in cars) for kind in KINDS}
    x = left
    for kind, n in tally.items():
        if n:
            page.rectangle((x, middle - 6, x + 20, middle + 6), colour=KIND_COLOURS[kind])
            x = _say(page, f"{n} {kind}" if numbers else kind, x=x + 26, middle=middle)
    for words in notes:
        if x + text_width(words, size=12.5) <= right:
            x = _say(page, words, x=x, middle=middle, colour=FAINT)


def _say(page: Page, words: str, *, x: float, middle: float, colour: str = "black") -> float:
    """Where the next words may begin."""
    page.text((x, middle), words, size=12.5, colour=colour)
    return x + text_width(words, size=12.5) + 20
