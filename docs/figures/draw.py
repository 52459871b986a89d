"""Draws the pictures of docs/METHOD.md: ``python docs/figures/draw.py [FOLDER]``.

One simulated yard, the same every time, taken through the stages; one picture per stage. Without FOLDER the
pictures beside this script are replaced. Everything shown is simulated, and every picture says so.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from PIL import Image
from sheet import BLUE, DIVERGING, MARGIN_PX, ORANGE, VERMILION, WIDTH_PX, Sheet, grey, picture, write_small
from story import WINDOW_M, Story, busiest, tell, yard_corridor

from railcount.counts import KINDS
from railcount.outputs.picture import FAINT, INK, KIND_COLOURS, Page
from railcount.outputs.stripsheet import draw_rows, rows_of
from railcount.tracks.corridor import BLOCK, Working, main_directions, orientation, reference_curve
from railcount.tracks.rows import LOGIT_LIMIT, trace_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HERE = Path(__file__).resolve().parent
SCALE = 2
"""Page pixels per tile pixel: whole, so that no pixel is invented."""
N_ROWS = 5
"""Of straightened track in the last picture."""


def tile_box(story: Story, top: float) -> tuple[float, float, float, float]:
    """Where the tile is drawn on a page."""
    wide, high = story.tile.grid.width * SCALE, story.tile.grid.height * SCALE
    return (MARGIN_PX, top, MARGIN_PX + wide, top + high)


def draw_tile(story: Story, path: Path) -> None:
    """Stage 1: what comes in."""
    box = tile_box(story, 40)
    sheet = Sheet("1  The tile", height=int(box[3]) + 34)
    axes = sheet.axes(box, frame=False)
    grid = story.tile.grid
    picture(
        axes,
        story.stretch.to_rgb(story.pixels.bands, story.pixels.valid),
        extent=(0, grid.width, grid.height, 0),
    )
    length = 50 / grid.gsd_m
    axes.plot([12, 12 + length], [grid.height - 9] * 2, color="white", lw=5, solid_capstyle="butt")
    axes.plot([12, 12 + length], [grid.height - 9] * 2, color="black", lw=2.5, solid_capstyle="butt")
    axes.text(12 + length / 2, grid.height - 13, "50 m", ha="center", va="bottom", fontsize=9, color="white")
    size = f"{grid.width * grid.gsd_m:.0f} x {grid.height * grid.gsd_m:.0f} m, {grid.gsd_m:g} m pixels"
    truth = f"drawn with {len(story.drawn.railcars)} railcars and {len(story.drawn.locomotives)} locomotive"
    sheet.words(MARGIN_PX, box[3] + 16, f"{size}; {truth}; the scene of all pictures", colour=FAINT)
    sheet.save(path)


def draw_direction(story: Story, path: Path) -> None:
    """Stage 2: the direction of every place, the reference curve, and the corridor along it."""
    work = Working.of(story.pixels, grid=story.tile.grid)
    angle, weight = orientation(work)
    direction = main_directions(angle, weight)[0]
    points, _ = reference_curve(angle, weight, direction, work)
    corridor, _ = yard_corridor(story)
    box = tile_box(story, 66)
    rows, cols = corridor.valid.shape
    scale = (WIDTH_PX - 2 * MARGIN_PX) / cols
    lower = (MARGIN_PX, box[3] + 36, WIDTH_PX - MARGIN_PX, box[3] + 36 + rows * scale)
    sheet = Sheet("2  Direction field and corridor", height=int(lower[3]) + MARGIN_PX)
    sheet.words(
        MARGIN_PX,
        48,
        "Sticks: the direction along which the image changes least; thick and dark where it is clear. "
        "Blue: the curve laid through it.",
        colour=FAINT,
    )
    axes = sheet.axes(box, frame=False)
    rgb = story.stretch.to_rgb(work.bands, work.valid)
    h, w = work.valid.shape
    picture(axes, grey(rgb), extent=(0, w, h, 0))
    step, reach = 12, 4.5
    yy, xx = np.mgrid[step // 2 : h : step, step // 2 : w : step]
    at, clear = angle[yy, xx].ravel(), np.clip(weight[yy, xx].ravel(), 0, 1)
    middle = np.stack([xx.ravel(), yy.ravel()], axis=-1)
    arm = reach * np.stack([np.cos(at), np.sin(at)], axis=-1)
    sticks = np.stack([middle - arm, middle + arm], axis=1)
    paint = np.tile([0.45, 0.15, 0.0, 1.0], (len(clear), 1))
    paint[:, 3] = 0.15 + 0.85 * clear
    axes.add_collection(LineCollection(list(sticks), colors=paint, linewidths=0.6 + 2.2 * clear))
    curve = (points - work.origin) / work.step_m
    axes.plot(curve[:, 0], curve[:, 1], color="white", lw=4.5)
    axes.plot(curve[:, 0], curve[:, 1], color=BLUE, lw=2.5)
    axes.set_xlim(0, w)
    axes.set_ylim(h, 0)
    sheet.words(
        MARGIN_PX,
        box[3] + 19,
        "The corridor: the tile sampled along parallels of that curve (the part around the tracks)",
        bold=True,
    )
    axes = sheet.axes(lower, frame=False)
    picture(axes, story.stretch.to_rgb(corridor.bands, corridor.valid), extent=(0, cols, rows, 0))
    sheet.save(path)


def draw_odds(story: Story, path: Path) -> None:
    """Stage 3: the row network's log-odds and the lines traced through them."""
    corridor, odds = yard_corridor(story)
    lines = trace_rows(odds, step_m=corridor.step_m)
    rows, _ = corridor.valid.shape
    cols = odds.shape[0] * BLOCK
    high = rows * (WIDTH_PX - 2 * MARGIN_PX) / cols
    upper = (MARGIN_PX, 66, WIDTH_PX - MARGIN_PX, 66 + high)
    lower = (MARGIN_PX, upper[3] + 36, WIDTH_PX - MARGIN_PX, upper[3] + 36 + high)
    sheet = Sheet("3  Where a centre line runs", height=int(lower[3]) + 62)
    sheet.words(
        MARGIN_PX, 48, "The corridor, and the lines of the greatest sum of log-odds in it", colour=FAINT
    )
    whole = sheet.axes(upper, frame=False)
    rgb = story.stretch.to_rgb(corridor.bands, corridor.valid)
    picture(whole, grey(rgb[:, :cols]), extent=(0, cols, rows, 0))
    sheet.words(
        MARGIN_PX,
        upper[3] + 19,
        "Log-odds of a centre line, per block of 4 m by 0.5 m, cut off where the tracing cuts them off",
        bold=True,
    )
    axes = sheet.axes(lower, frame=False)
    shown = picture(
        axes, odds.T, extent=(0, cols, rows, 0), cmap=DIVERGING, vmin=-LOGIT_LIMIT, vmax=LOGIT_LIMIT
    )
    for panel in (whole, axes):
        for row in lines:
            u, v = block_middles(row.first, len(row.v)), row.v + 0.5
            if panel is whole:
                panel.plot(u, v, color="white", lw=3.4)
                panel.plot(u, v, color=BLUE, lw=1.8)
            else:
                panel.plot(u, v, color="black", lw=1.2, ls=(0, (4, 4)))
        panel.set_xlim(0, cols)
        panel.set_ylim(rows, 0)
    bar = sheet.figure.colorbar(
        shown,
        cax=sheet.axes((WIDTH_PX / 2 - 250, lower[3] + 12, WIDTH_PX / 2 + 250, lower[3] + 26)),
        orientation="horizontal",
    )
    bar.ax.tick_params(labelsize=9)
    sheet.words(MARGIN_PX, lower[3] + 20, "purple: no centre line")
    sheet.words(WIDTH_PX / 2 + 280, lower[3] + 20, "orange: centre line;  dashes: traced")
    sheet.save(path, scale=True)


def block_middles(first: int, n: int) -> Array:
    """Corridor columns of the middles of consecutive blocks."""
    return np.asarray((first + np.arange(n) + 0.5) * BLOCK, dtype=float)


def draw_strips(story: Story, path: Path) -> None:
    """Stage 4: track space."""
    strips = story.count.strips
    longest = max(s.bands.shape[2] for s in strips)
    scale = (WIDTH_PX - 2 * MARGIN_PX - 70) / longest
    high = round(strips[0].bands.shape[1] * scale)
    across = 1.6 * high
    sheet = Sheet("4  Track space: one strip per track", height=int(66 + len(strips) * (across + 10)) + 40)
    sheet.words(
        MARGIN_PX,
        48,
        "x: metres along the track; y: 4 m to either side of its centre line (drawn 1.6 times as high)",
        colour=FAINT,
    )
    for i, strip in enumerate(strips):
        top = 66 + i * (across + 10)
        n = strip.bands.shape[2]
        axes = sheet.axes((MARGIN_PX + 70, top, MARGIN_PX + 70 + n * scale, top + across))
        rgb = story.stretch.to_rgb(strip.bands, strip.valid)
        picture(axes, rgb, extent=(0, strip.length_m, strip.half_width_m, -strip.half_width_m))
        axes.set_axis_off()
        sheet.words(MARGIN_PX, top + across / 2, f"track {strip.track.id}", bold=True)
    ruler = sheet.axes((MARGIN_PX + 70, top + across + 4, MARGIN_PX + 70 + longest * scale, top + across + 5))
    ruler.set_xlim(0, longest * strips[0].step_m)
    ruler.set_yticks([])
    sheet.words(MARGIN_PX, top + across + 16, "metres")
    sheet.save(path)


def strip_axes(sheet: Sheet, story: Story, *, top: float, start_m: float, row: int) -> tuple[Axes, float]:
    """The window of a strip, and the bottom of its box."""
    strip = story.count.strips[row]
    a = round(start_m / strip.step_m)
    b = min(a + round(WINDOW_M / strip.step_m), strip.bands.shape[2])
    left, right = MARGIN_PX + 60, WIDTH_PX - MARGIN_PX
    bottom = top + 1.2 * strip.bands.shape[1] * (right - left) / (WINDOW_M / strip.step_m)
    axes = sheet.axes((left, top, right, bottom), frame=False)
    rgb = story.stretch.to_rgb(strip.bands[:, :, a:b], strip.valid[:, a:b])
    half = strip.half_width_m
    picture(axes, rgb, extent=(a * strip.step_m, b * strip.step_m, half, -half))
    axes.set_xlim(start_m, start_m + WINDOW_M)
    return axes, bottom


def draw_evidence(story: Story, path: Path) -> None:
    """Stage 5: what the car network says of every column."""
    row, start_m = busiest(story)
    strip, evidence = story.count.strips[row], story.evidence[row]
    sheet = Sheet("5  Evidence of every column", height=556)
    sheet.words(MARGIN_PX, 48, f"track {strip.track.id}, {WINDOW_M:.0f} m of it", colour=FAINT)
    _, bottom = strip_axes(sheet, story, top=66, start_m=start_m, row=row)
    x = (np.arange(len(evidence.body)) + 0.5) * strip.step_m
    curves = (
        (evidence.body, "body against empty track", BLUE),
        (evidence.gap - evidence.body, "gap against body", VERMILION),
    )
    top = bottom + 34
    for values, name, colour in curves:
        sheet.words(MARGIN_PX + 60, top - 14, f"log-odds: {name}", bold=True, colour=colour)
        axes = sheet.axes((MARGIN_PX + 60, top, WIDTH_PX - MARGIN_PX, top + 130))
        axes.fill_between(x, 0, values, where=values > 0, color=colour, alpha=0.35, lw=0, step="mid")
        axes.fill_between(x, 0, values, where=values <= 0, color="#999999", alpha=0.25, lw=0, step="mid")
        axes.plot(x, values, color=colour, lw=1.2)
        axes.axhline(0, color=INK, lw=0.7)
        axes.set_xlim(start_m, start_m + WINDOW_M)
        axes.set_ylim(-4.6, 4.6)
        axes.set_yticks([-4, 0, 4])
        top += 184
    sheet.words(MARGIN_PX + 60, sheet.height - 18, "metres along the track", colour=FAINT)
    sheet.save(path)


def draw_split(story: Story, path: Path) -> None:
    """Stage 6: the reading that is right about most cars."""
    row, start_m = busiest(story)
    strip = story.count.strips[row]
    sheet = Sheet("6  The row of cars that is right about most", height=372)
    sheet.words(
        MARGIN_PX,
        48,
        "Brackets: cars. Bars: the probability that a car begins and ends here; below it its length.",
        colour=FAINT,
    )
    axes, bottom = strip_axes(sheet, story, top=90, start_m=start_m, row=row)
    bars = sheet.axes((MARGIN_PX + 60, bottom + 24, WIDTH_PX - MARGIN_PX, bottom + 144))
    for car in (c for c in story.rows.cars if c.row == row):
        a, b = car.start * strip.step_m, car.end * strip.step_m
        for y, edge in ((-2.1, -4.0), (2.1, 4.0)):
            for colour, width in (("black", 4.2), (ORANGE, 2.2)):
                axes.plot([a, a, b, b], [edge, y, y, edge], color=colour, lw=width)
        bars.bar((a + b) / 2, car.probability, width=b - a - 0.3, color=BLUE, alpha=0.8)
        if not car.coupled and start_m <= a <= start_m + WINDOW_M:
            axes.text(a, -strip.half_width_m - 0.4, "train begins", fontsize=9, ha="left", va="bottom")
        if start_m < a + 2 and b - 2 < start_m + WINDOW_M:
            words, paint = f"{car.probability:.2f}\n{b - a:.1f} m", "white" if car.probability > 0.62 else INK
            bars.text((a + b) / 2, 0.5, words, ha="center", va="center", fontsize=9, color=paint)
    axes.set_ylim(strip.half_width_m, -strip.half_width_m)
    bars.set_xlim(start_m, start_m + WINDOW_M)
    bars.set_ylim(0, 1)
    bars.set_yticks([0, 0.5, 1])
    sheet.words(MARGIN_PX + 60, sheet.height - 18, "metres along the track", colour=FAINT)
    sheet.save(path)


def draw_total(story: Story, path: Path) -> None:
    """Stage 7: the distribution of the total, and its interval."""
    p, alone = story.rows.counts, story.alone
    interval, n_locomotives = story.count.railcars, len(story.drawn.locomotives)
    assert interval is not None  # the scene has tracks
    sheet = Sheet("7  The total and its 90 % interval", height=430)
    sheet.words(
        MARGIN_PX,
        48,
        "Probability of each number of vehicles on all tracks: bars with the model error, outline without it",
        colour=FAINT,
    )
    axes = sheet.axes((MARGIN_PX + 60, 74, WIDTH_PX - MARGIN_PX, 350))
    n = np.arange(len(p))
    below, above = np.cumsum(p) - p, np.cumsum(p)
    inside = (above >= 0.05) & (below < 0.95)
    axes.bar(n, p, width=0.8, color=np.where(inside, BLUE, "#bbbbbb"))
    axes.stairs(alone, np.arange(len(alone) + 1) - 0.5, color="black", lw=1.4)
    seen = np.flatnonzero(p > 2e-4)
    truth = len(story.drawn.railcars) + n_locomotives
    lo, hi = min(seen[0], truth) - 1, max(seen[-1], truth) + 1
    axes.set_xlim(lo - 0.5, hi + 0.5)
    top = 1.18 * float(max(p.max(), alone.max()))
    axes.set_ylim(0, top)
    axes.axvline(truth, color=VERMILION, lw=2.4, ls=(0, (4, 2)))
    axes.text(truth + 0.12, 0.93 * top, f"drawn: {truth}", color=VERMILION, fontsize=10, fontweight="bold")
    axes.text(lo, 0.93 * top, f"read most probably: {len(story.rows.cars)} vehicles", color=INK, fontsize=10)
    axes.set_xticks(np.arange(lo, hi + 1))
    sheet.words(MARGIN_PX + 60, 384, "number of vehicles (railcars and locomotives)", colour=FAINT)
    words = f"said: {interval.best} railcars ({interval.low}-{interval.high}, {100 * interval.level:.0f} %)"
    sheet.words(
        MARGIN_PX + 60, 410, f"Blue: the central 90 %.  After locomotives are taken off, {words}", bold=True
    )
    sheet.save(path)


def draw_kinds(story: Story, path: Path) -> None:
    """Stage 8: outlines by kind, on the tile and on the straightened tracks."""
    box = tile_box(story, 66)
    count = story.count
    rows = [r for r in rows_of(count.strips, count.cars, width_px=WIDTH_PX - 2 * MARGIN_PX) if r.cars][
        :N_ROWS
    ]
    page = Page(width=WIDTH_PX, height=int(box[3] + 76 + sum(r.height_px for r in rows)))
    page.text((MARGIN_PX, 20), "8  Cars and their kinds - simulated", size=17, bold=True)
    x = float(MARGIN_PX)
    for kind in KINDS:
        n = sum(car.kind == kind for car in count.cars)
        if n:
            page.rectangle((x, 42, x + 22, 54), colour=KIND_COLOURS[kind])
            page.text((x + 28, 48), f"{n} {kind}", size=13)
            x += 60 + 8.5 * len(f"{n} {kind}")
    page.image(story.stretch.to_rgb(story.pixels.bands, story.pixels.valid), box=box)
    outlines = [
        np.concatenate([c.outline_px, c.outline_px[:1]]) * SCALE + [box[0], box[1]] for c in count.cars
    ]
    page.lines(outlines, colour=[KIND_COLOURS[c.kind] for c in count.cars], width=2.0, halo=True, clip=box)
    page.text(
        (MARGIN_PX, box[3] + 22),
        f"Cars on the straightened tracks, numbered train.position (the first {len(rows)} rows with cars)",
        size=14,
        bold=True,
    )
    draw_rows(page, rows, left=MARGIN_PX, top=box[3] + 40, stretch=story.stretch)
    with tempfile.TemporaryDirectory() as folder:
        page.save(Path(folder) / "page.png")
        with Image.open(Path(folder) / "page.png") as drawn:
            write_small(drawn, path, colours=52)


PICTURES = {
    "1_tile": draw_tile,
    "2_direction": draw_direction,
    "3_odds": draw_odds,
    "4_strips": draw_strips,
    "5_evidence": draw_evidence,
    "6_split": draw_split,
    "7_total": draw_total,
    "8_kinds": draw_kinds,
}


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    folder.mkdir(parents=True, exist_ok=True)
    story = tell()
    for name, draw in PICTURES.items():
        path = folder / f"{name}.png"
        draw(story, path)
        print(path, f"{path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
