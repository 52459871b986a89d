"""Pictures by which an analyst checks a count: every car by eye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.files import check_target
from railcount.outputs.furniture import credit_words, draw_credit, draw_legend, draw_north, draw_scale
from railcount.outputs.picture import FAINT, INK, KIND_COLOURS, LIGHT, Page, stretch_of, text_width, wrapped
from railcount.outputs.stripsheet import DOUBTFUL, MAX_ROWS, NOT_COUNTED, Row, draw_rows, rows_of
from railcount.outputs.table import headline, track_length_m
from railcount.outputs.text import SIMULATED, credit_line, moment_words
from railcount.raster.tile import Window

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.counts import Car, Stretch, TileCount
    from railcount.raster.grid import Grid
    from railcount.raster.tile import Tile
    from railcount.tracks.network import TrackNetwork

WIDTH_PX = 1600
MARGIN_PX = 20
MAX_IMAGE_HEIGHT_PX = 1400
AROUND_TRACKS_M = 40.0
"""What is shown of a large tile around its tracks."""
_LINE_PX = 21.0
_LABEL_STEPS, _LABEL_STEP_PX = 12, 8.0
_LEGEND_PX = 30.0
_TEXT_PX = WIDTH_PX - 2 * MARGIN_PX
_HEAD_PX, _SMALL_PX = 17, 13


@dataclass(frozen=True, kw_only=True)
class View:
    """A window of the tile, drawn to scale: one metre is as long across as down."""

    window: Window
    grid: Grid
    left: float
    top: float
    px_per_m: float

    @property
    def _scale(self) -> NDArray[np.float64]:
        """Page pixels per tile pixel along columns and rows."""
        return np.asarray(np.hypot(*self.grid.local_from_pixel) * self.px_per_m)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) on the page."""
        wide, high = self._scale * [self.window.width, self.window.height]
        return (self.left, self.top, self.left + float(wide), self.top + float(high))

    def place(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tile pixel coordinates (..., 2) to page coordinates (..., 2)."""
        origin = np.array([self.window.col, self.window.row], dtype=np.float64)
        return np.asarray((pixels - origin) * self._scale + [self.left, self.top], dtype=np.float64)


def view_of(grid: Grid, *, window: Window, left: float, top: float) -> View:
    """The window as large as the page's width and the greatest height of an image allow."""
    per_col, per_row = np.hypot(*grid.local_from_pixel)
    wide_m, high_m = window.width * per_col, window.height * per_row
    px_per_m = min((WIDTH_PX - 2 * MARGIN_PX) / wide_m, MAX_IMAGE_HEIGHT_PX / high_m)
    return View(window=window, grid=grid, left=left, top=top, px_per_m=float(px_per_m))


def draw_overlay(
    count: TileCount, tile: Tile, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write a PNG: the tile with its tracks and cars, and below it the straightened tracks.

    Cars are outlined in the colour of their kind; each train's number and length stand at
    its head, and on the straightened tracks each car has its number, ``train.position``.
    Of a large tile only the surroundings of the tracks are shown. The same count gives the
    same bytes.

    Raises OutputExists and OutputError, and what ``tile.read`` raises.
    """
    check_target(path, overwrite=overwrite)
    overlay_page(count, tile).save(path, overwrite=overwrite)


def overlay_page(count: TileCount, tile: Tile) -> Page:
    """The picture that ``draw_overlay`` writes. Raises what ``tile.read`` raises."""
    window = _window_of(tile.grid, count.network)
    pixels = tile.read(window)
    stretch = stretch_of(pixels.bands, pixels.valid)
    captions = _captions(count, whole=window == _whole(tile.grid))
    view = view_of(tile.grid, window=window, left=MARGIN_PX, top=MARGIN_PX + _LINE_PX * len(captions) + 8)
    rows = _rows(count)
    sheet_top = view.box[3] + _LEGEND_PX
    heading = _sheet_heading(rows)
    height = sheet_top + (32 if rows else 0) + sum(row.height_px for row in rows[:MAX_ROWS]) + MARGIN_PX / 2
    page = Page(width=WIDTH_PX, height=int(np.ceil(height)))
    _draw_captions(page, captions)
    page.image(stretch.to_rgb(pixels.bands, pixels.valid), box=view.box)
    if count.network is not None:
        lines = [view.place(track.line_px) for track in count.network.tracks]
        page.lines(lines, colour="white", width=0.9, alpha=0.55, clip=view.box)
    _draw_stretches(page, count.stretches, view=view)
    _draw_cars(page, count.cars, view=view)
    _draw_furniture(page, view=view, credit=credit_line(count.acquisition))
    doubtful = sum(car.confidence < DOUBTFUL for car in count.cars)
    notes = [f"dashed: confidence below {DOUBTFUL} ({doubtful})"] if doubtful else []
    notes += ["at the head of each train: its number and its vehicles"] if count.cars else []
    _draw_legend(page, count, top=view.box[3] + _LEGEND_PX / 2, notes=notes)
    if rows:
        page.text((MARGIN_PX, sheet_top + 14), heading, size=13, bold=True)
        draw_rows(page, rows[:MAX_ROWS], left=MARGIN_PX, top=sheet_top + 30, stretch=stretch)
    return page


def draw_strips(count: TileCount, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a PNG of the straightened tracks alone, each from its beginning to its end.

    Every vehicle is numbered ``train.position``; one of a confidence below DOUBTFUL is hatched.
    Needs the count's ``strips``: without any the picture says that there are none. The same count
    gives the same bytes.

    Raises OutputExists and OutputError.
    """
    check_target(path, overwrite=overwrite)
    strips_page(count).save(path, overwrite=overwrite)


def strips_page(count: TileCount) -> Page:
    """The picture that ``draw_strips`` writes."""
    captions = [*_captions(count, whole=True)]
    if (credit := credit_line(count.acquisition)) and credit != SIMULATED:  # the captions say that much
        captions.append((credit_words(credit), False))
    rows = _rows(count)
    top = MARGIN_PX + _LINE_PX * len(captions) + 8
    legend = _LEGEND_PX if count.cars or count.stretches else 0
    sheet_top = top + legend
    height = sheet_top + 32 + sum(row.height_px for row in rows[:MAX_ROWS]) + MARGIN_PX / 2
    page = Page(width=WIDTH_PX, height=int(np.ceil(height)))
    _draw_captions(page, captions)
    _draw_legend(page, count, top=top + _LEGEND_PX / 2)
    page.text((MARGIN_PX, sheet_top + 14), _sheet_heading(rows), size=13, bold=True)
    if rows:
        # One stretch for all strips, so that their greys can be compared.
        bands = np.concatenate([s.bands.reshape(len(s.bands), 1, -1) for s in count.strips], axis=2)
        valid = np.concatenate([s.valid.reshape(1, -1) for s in count.strips], axis=1)
        draw_rows(page, rows[:MAX_ROWS], left=MARGIN_PX, top=sheet_top + 30, stretch=stretch_of(bands, valid))
    return page


def draw_tracks_preview(
    network: TrackNetwork, tile: Tile, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write a PNG of the whole tile with its tracks, each with its name at both ends.

    Raises OutputExists and OutputError, and what ``tile.read`` raises.
    """
    check_target(path, overwrite=overwrite)
    pixels = tile.read()
    stretch = stretch_of(pixels.bands, pixels.valid)
    total_m = sum(track_length_m(track, grid=tile.grid) for track in network.tracks)
    n = len(network.tracks)
    title = f"{n} track{'' if n == 1 else 's'} ({network.source}), {total_m:.0f} m"
    captions = [(line, True) for line in wrapped(title, width=_TEXT_PX, size=_HEAD_PX, bold=True)]
    for sentence in (tile.path.name + _simulated(tile.acquisition.simulated), *network.reasons):
        captions += [(line, False) for line in wrapped(sentence, width=_TEXT_PX, size=_SMALL_PX)]
    top = MARGIN_PX + _LINE_PX * len(captions) + 8
    view = view_of(tile.grid, window=_whole(tile.grid), left=MARGIN_PX, top=top)
    page = Page(width=WIDTH_PX, height=int(np.ceil(view.box[3] + MARGIN_PX)))
    _draw_captions(page, captions)
    page.image(stretch.to_rgb(pixels.bands, pixels.valid), box=view.box)
    lines = [view.place(track.line_px) for track in network.tracks]
    page.lines(lines, colour=KIND_COLOURS["gondola"], width=1.4, halo=True, clip=view.box)
    for track, line in zip(network.tracks, lines, strict=True):
        for end, across in ((line[0], "left"), (line[-1], "right")):
            at = (float(np.clip(end[0], *view.box[::2])), float(np.clip(end[1], *view.box[1::2])))
            page.text(at, track.id, size=12, bold=True, across=across, colour=LIGHT, halo=True)
    _draw_furniture(page, view=view, credit=credit_line(tile.acquisition))
    page.save(path, overwrite=overwrite)


def _whole(grid: Grid) -> Window:
    return Window(0, 0, grid.width, grid.height)


def _window_of(grid: Grid, network: TrackNetwork | None) -> Window:
    """The tile, or of a tile that would be shrunk the part around its tracks."""
    whole = _whole(grid)
    if network is None or not network.tracks or grid.width <= WIDTH_PX:
        return whole
    points = np.concatenate([track.line_px for track in network.tracks])
    around = AROUND_TRACKS_M / grid.gsd_m
    size = [grid.width, grid.height]
    low = np.clip(np.floor(points.min(axis=0) - around), 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + around), 0, size).astype(int)
    if np.any(high <= low):
        return whole
    return Window(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))


def _rows(count: TileCount) -> list[Row]:
    return rows_of(
        count.strips,
        count.cars,
        count.stretches,
        width_px=WIDTH_PX - 2 * MARGIN_PX,
        is_counted=count.railcars is not None,
    )


def _simulated(simulated: bool) -> str:
    return f" - {SIMULATED} image" if simulated else ""


def _captions(count: TileCount, *, whole: bool) -> list[tuple[str, bool]]:
    """Lines above the picture; True = bold."""
    acquisition = count.acquisition
    sensor = acquisition.sensor if acquisition else None
    parts = [
        moment_words(acquisition, utc_offset_h=count.utc_offset_h) or "date not known",
        *(part for part in (count.site, count.zone, sensor) if part and part.lower() != SIMULATED),
        *([f"{count.grid.gsd_m:.2f} m pixels"] if count.grid else []),
        count.tile if whole else f"{count.tile} (the part around the tracks)",
    ]
    facts = ", ".join(parts) + _simulated(acquisition is not None and acquisition.simulated)
    lines = [(line, True) for line in wrapped(headline(count), width=_TEXT_PX, size=_HEAD_PX, bold=True)]
    for sentence in (facts, *count.reasons):
        lines += [(line, False) for line in wrapped(sentence, width=_TEXT_PX, size=_SMALL_PX)]
    return lines


def _sheet_heading(rows: list[Row]) -> str:
    if not rows:
        return "No track was straightened"
    if rows[0].found == NOT_COUNTED:
        return "Straightened tracks: nothing was counted on them"
    text = "Straightened tracks: marks at both ends of every vehicle, numbered train.position"
    if any(row.stretches for row in rows):
        text = "Straightened tracks: marks around every stretch on which vehicles stand, with its length"
    if any(car.confidence < DOUBTFUL for row in rows for car in row.cars):
        text += f"; hatched and ? where the confidence is below {DOUBTFUL}"
    if len(rows) > MAX_ROWS:
        text += f" (the first {MAX_ROWS} of {len(rows)} rows)"
    return text


def _draw_captions(page: Page, captions: list[tuple[str, bool]]) -> None:
    for i, (line, bold) in enumerate(captions):
        at = (MARGIN_PX, MARGIN_PX + _LINE_PX * (i + 0.4))
        page.text(at, line, size=_HEAD_PX if bold else _SMALL_PX, bold=bold, colour=INK if bold else FAINT)


def _draw_cars(page: Page, cars: tuple[Car, ...], *, view: View) -> None:
    for is_doubtful in (False, True):
        some = [car for car in cars if (car.confidence < DOUBTFUL) == is_doubtful]
        outlines = [view.place(np.concatenate([car.outline_px, car.outline_px[:1]])) for car in some]
        colours = [KIND_COLOURS[car.kind] for car in some]
        page.lines(outlines, colour=colours, width=1.3, halo=True, clip=view.box, dashed=is_doubtful)
    taken: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    trains: dict[int, list[Car]] = {}
    for car in cars:
        trains.setdefault(car.train, []).append(car)
    for number, vehicles in trains.items():
        ordered = sorted(vehicles, key=lambda car: car.start_m)
        middles = [view.place(car.outline_px.mean(axis=0)) for car in ordered]
        ends = view.place(ordered[0].outline_px)
        along = middles[-1] - middles[0] if len(middles) > 1 else ends[1] - ends[0]
        along = along / max(float(np.hypot(*along)), 1e-9)
        half = float(np.ptp(ends @ along)) / 2
        label = f"{number}: {len(vehicles)}"
        size = np.array([text_width(label, size=12, bold=True) + 14, 15.0])
        reach = half + 4 + float(np.abs(along) @ size) / 2
        at = _free_place(middles[0] - along * reach, -along, size=size, view=view, taken=taken)
        taken.append((at, size))
        page.text(
            (float(at[0]), float(at[1])), label, size=12, bold=True, across="center", colour=LIGHT, halo=True
        )


def _free_place(
    at: NDArray[np.float64],
    away: NDArray[np.float64],
    *,
    size: NDArray[np.float64],
    view: View,
    taken: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> NDArray[np.float64]:
    """A label's middle: at ``at`` or further ``away``, where no label is; else ``at``, within the picture."""
    box = np.array(view.box)
    low, high = box[:2] + size / 2, box[2:] - size / 2
    for step in range(_LABEL_STEPS):
        place = np.clip(at + away * step * _LABEL_STEP_PX, low, high)
        if not any(np.all(np.abs(place - other) < (size + its) / 2) for other, its in taken):
            return place
    return np.clip(at, low, high)


def _draw_stretches(page: Page, stretches: tuple[Stretch, ...], *, view: View) -> None:
    outlines = [view.place(np.concatenate([s.outline_px, s.outline_px[:1]])) for s in stretches]
    page.lines(outlines, colour=KIND_COLOURS["unknown"], width=1.6, halo=True, clip=view.box)


def _draw_legend(page: Page, count: TileCount, *, top: float, notes: Sequence[str] = ()) -> None:
    x = float(MARGIN_PX)
    if count.stretches:
        page.rectangle((x, top - 6, x + 20, top + 6), colour=KIND_COLOURS["unknown"])
        words = f"{len(count.stretches)} occupied stretches of track: cars are not told apart"
        page.text((x + 26, top), words, size=12.5)
        return
    draw_legend(page, count.cars, left=x, middle=top, right=WIDTH_PX - MARGIN_PX, notes=notes)


def _draw_furniture(page: Page, *, view: View, credit: str | None) -> None:
    """Scale bar, north arrow and credit, on the image."""
    draw_scale(page, view.box, px_per_m=view.px_per_m)
    draw_credit(page, view.box, credit)
    if view.grid.crs is not None:
        corner = np.array([view.window.col, view.window.row], dtype=np.float64)
        # Local y points south.
        x, y = view.place(corner + view.grid.to_pixel(np.array([0.0, -1.0]))) - view.place(corner)
        draw_north(page, view.box, north=(float(x), float(y)))
