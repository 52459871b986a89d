"""Two passes over one place beside each other: before and after, at one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.errors import InputError
from railcount.files import check_target
from railcount.outputs.furniture import draw_credit, draw_legend, draw_north, draw_scale
from railcount.outputs.overlay import MARGIN_PX, WIDTH_PX
from railcount.outputs.picture import FAINT, INK, KIND_COLOURS, NO_DATA_RGB, Page, wrapped
from railcount.outputs.report.scene import Plane, box_of, mosaic, open_tiles
from railcount.outputs.stripsheet import DOUBTFUL
from railcount.outputs.text import SIMULATED, credit_line, moment_words
from railcount.text import escape

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.observation import PassCount

    Array = NDArray[np.float64]

BETWEEN_PX = 20
MAX_HEIGHT_PX = 1000
"""Of one image."""
STACKED_FROM = 3.0
"""A place so many times as wide as high is shown one above the other, else its cars would be lines."""
_CAPTION_PX, _REASON_PX, _LEGEND_PX = 54.0, 17.0, 34.0
_REASON_LINES = 3
_REASON_SIZE_PX = 12


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two passes."""

    one: PassCount
    by_hand: str | None = None
    """The analyst's numbers that stand in place of the machine's."""


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """Where a pass is drawn."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom of its image on the page."""
    ground: Array
    """West, south, east, north in metres."""
    px_per_m: float

    def place(self, metres: Array) -> Array:
        """(n, 2) metres east and north to places on the page."""
        west, _, _, north = self.ground
        return np.asarray((metres - [west, north]) * [self.px_per_m, -self.px_per_m] + self.box[:2])


def draw_pair(
    before: Side,
    after: Side,
    path: str | os.PathLike[str],
    *,
    title: str,
    utc_offset_h: float | None = None,
    overwrite: bool = False,
) -> None:
    """Write a PNG of two passes, north up and at one scale, with their counts and intervals as captions.

    Pixels are shown of tiles that lie where they were counted, as they were; else the cars and tracks alone,
    and the caption says so. ``utc_offset_h`` is local time minus UTC at the place. The same passes and files
    give the same bytes.

    Raises InputError where the two do not show one place; OutputExists and OutputError.
    """
    check_target(path, overwrite=overwrite)
    plane, ground = _ground(before.one, after.one)
    wide_m, high_m = ground[2:] - ground[:2]
    stacked = wide_m > STACKED_FROM * high_m
    room = WIDTH_PX - 2 * MARGIN_PX - (0 if stacked else BETWEEN_PX)
    width = room if stacked else room // 2
    px_per_m = float(min(width / wide_m, MAX_HEIGHT_PX / high_m))
    image = [wide_m * px_per_m, high_m * px_per_m]
    shown = [_picture(side.one, plane=plane, ground=ground, px_per_m=px_per_m) for side in (before, after)]
    notes = [
        _notes(side, words, width=width) for side, (_, words) in zip((before, after), shown, strict=True)
    ]
    head = [_CAPTION_PX + _REASON_PX * len(lines) for lines in notes]
    if not stacked:
        head = [max(head)] * 2
    top = MARGIN_PX + 36.0
    tops = [top, top + head[0] + image[1] + BETWEEN_PX] if stacked else [top, top]
    lefts = [MARGIN_PX] * 2 if stacked else [MARGIN_PX, MARGIN_PX + width + BETWEEN_PX]
    bottom = tops[1] + head[1] + image[1]
    page = Page(width=WIDTH_PX, height=int(np.ceil(bottom + _LEGEND_PX + MARGIN_PX / 2)))
    page.text((MARGIN_PX, MARGIN_PX + 8), title, size=19, bold=True)
    for k, side in enumerate((before, after)):
        y = tops[k] + head[k]
        panel = _Panel(box=(lefts[k], y, lefts[k] + image[0], y + image[1]), ground=ground, px_per_m=px_per_m)
        _draw_captions(page, side, notes[k], at=(lefts[k], tops[k]), utc_offset_h=utc_offset_h)
        _draw_panel(page, side.one, shown[k][0], plane=plane, panel=panel)
    cars = (*before.one.cars, *after.one.cars)
    told = [_change(before, after)]
    if any(car.confidence < DOUBTFUL for car in cars):
        told.append(f"dashed: confidence below {DOUBTFUL}")
    middle, right = bottom + _LEGEND_PX / 2 + 2, WIDTH_PX - MARGIN_PX
    notes_below = [text for text in told if text]
    draw_legend(page, cars, left=MARGIN_PX, middle=middle, right=right, notes=notes_below, numbers=False)
    page.save(path, overwrite=overwrite)


def _ground(before: PassCount, after: PassCount) -> tuple[Plane, Array]:
    """Metres that both are drawn in, and the surroundings of the tracks of both."""
    placed = [any(tile.footprint for tile in one.tiles) for one in (before, after)]
    if not all(placed):
        lost = after if placed[0] else before
        why = lost.reasons or [reason for tile in lost.tiles for reason in tile.reasons] or [lost.status]
        msg = f"a pair needs two images that could be opened; {escape(lost.id)} could not: {escape(why[0])}"
        raise InputError(msg)
    plane = Plane.of(before)
    if plane.is_pixels != Plane.of(after).is_pixels:
        msg = "a pair needs two images with a CRS, or two without; one has one and the other has none"
        raise InputError(msg)
    feet = [
        plane.metres([point for tile in one.tiles for point in tile.footprint]) for one in (before, after)
    ]
    low = np.maximum(feet[0].min(axis=0), feet[1].min(axis=0))
    high = np.minimum(feet[0].max(axis=0), feet[1].max(axis=0))
    if np.any(high <= low):
        away = float(np.hypot(*(feet[1].mean(axis=0) - feet[0].mean(axis=0))))
        msg = f"a pair needs two images of one place; these lie {away / 1000:.1f} km apart"
        raise InputError(msg)
    boxes = [box_of(one, plane) for one in (before, after)]
    return plane, np.concatenate(
        [np.minimum(boxes[0][:2], boxes[1][:2]), np.maximum(boxes[0][2:], boxes[1][2:])]
    )


def _picture(
    one: PassCount, *, plane: Plane, ground: Array, px_per_m: float
) -> tuple[NDArray[np.uint8] | None, list[str]]:
    opened, words = open_tiles(one.tiles)
    if not opened:
        return None, words
    step = max(min(tile.grid.gsd_m for tile, _ in opened), 1 / px_per_m)
    return mosaic(opened, plane=plane, box=ground, step=step)[0], words


def count_words(side: Side) -> str:
    """The count with its interval, or that there is none."""
    one = side.one
    if one.railcars is None:
        text = f"No count: {one.status}"
    else:
        n = one.railcars
        cars = "railcar" if n.best == 1 else "railcars"
        text = f"{n.best} {cars} ({n.low}-{n.high}, {n.level * 100:.0f} %)"
        if one.trains:
            text += f", {one.trains} {'train' if one.trains == 1 else 'trains'}"
    return f"{text}; counted by hand: {side.by_hand}" if side.by_hand else text


def _change(before: Side, after: Side) -> str:
    """What the two intervals allow to say; nothing without two of them."""
    a, b = before.one.railcars, after.one.railcars
    if a is None or b is None:
        return ""
    if a.low <= b.high and b.low <= a.high:
        return "the intervals overlap: the counts alone show no change"
    return "the intervals do not overlap: " + ("more" if b.best > a.best else "fewer") + " cars in the second"


def _notes(side: Side, words: Sequence[str], *, width: float) -> list[str]:
    """Reasons and what is not shown, in a few lines of the panel's width."""
    sentences = [escape(reason) for reason in side.one.reasons] + list(words)
    lines = [line for sentence in sentences for line in wrapped(sentence, width=width, size=_REASON_SIZE_PX)]
    return lines if len(lines) <= _REASON_LINES else [*lines[: _REASON_LINES - 1], "..."]


def _draw_captions(
    page: Page, side: Side, notes: Sequence[str], *, at: tuple[float, float], utc_offset_h: float | None
) -> None:
    x, y = at
    when = moment_words(side.one, utc_offset_h=utc_offset_h) or "date not known"
    what = f"{when} - {SIMULATED} image" if side.one.simulated else when
    page.text((x, y + 10), count_words(side), size=17, bold=True, colour=INK)
    page.text((x, y + 33), what, size=13.5, colour=FAINT)
    for n, line in enumerate(notes):
        page.text((x, y + 33 + _REASON_PX * (n + 1)), line, size=_REASON_SIZE_PX, colour=FAINT)


def _draw_panel(
    page: Page, one: PassCount, rgb: NDArray[np.uint8] | None, *, plane: Plane, panel: _Panel
) -> None:
    blank = np.full((2, 2, 3), NO_DATA_RGB, dtype=np.uint8)
    page.image(blank if rgb is None else rgb, box=panel.box)
    lines = [
        panel.place(plane.metres(track.line)) for tile in one.tiles for track in tile.tracks if track.line
    ]
    page.lines(lines, colour="white", width=0.9, alpha=0.55, clip=panel.box)
    for is_doubtful in (False, True):
        some = [car for car in one.cars if (car.confidence < DOUBTFUL) == is_doubtful]
        rings = [panel.place(plane.metres((*car.ring, car.ring[0]))) for car in some]
        colours = [KIND_COLOURS[car.kind] for car in some]
        page.lines(rings, colour=colours, width=1.3, halo=True, clip=panel.box, dashed=is_doubtful)
    draw_scale(page, panel.box, px_per_m=panel.px_per_m)
    draw_credit(page, panel.box, credit_line(one))
    if not plane.is_pixels:
        draw_north(page, panel.box, north=(0.0, -1.0))
