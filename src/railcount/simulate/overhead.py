"""Things above the tracks: masts, gantries, wires and canopies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from railcount.simulate.canvas import Canvas, Floating, Patch
from railcount.simulate.dice import Dice, pick_flag, pick_whole
from railcount.simulate.paints import colour
from railcount.simulate.site import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.simulate.layout import Line
    from railcount.simulate.scene import Lineside


def hang(canvas: Canvas, lines: Sequence[Line], wanted: Lineside, dice: Dice) -> None:
    """Masts, gantries, wires and canopies: what stands between or hangs above the vehicles."""
    rng = dice.stream("overhead")
    site = Site(canvas, lines)
    n_masts = pick_whole(rng, wanted.masts, 0, 30)
    n_gantries = pick_whole(rng, wanted.gantries, 0, 2)
    wires = pick_flag(rng, wanted.wires, 0.35)
    n_canopies = pick_whole(rng, wanted.canopies, 0, 0)
    if not lines:
        return
    for _ in range(n_masts):
        _mast(canvas, site, rng)
    for _ in range(n_gantries):
        _gantry(canvas, site, rng)
    if wires:
        _wires(canvas, lines, rng)
    for _ in range(n_canopies):
        _canopy(canvas, site, rng)


def _mast(canvas: Canvas, site: Site, rng: np.random.Generator) -> None:
    """A pole between two tracks or beside them, with an arm."""
    line = site.lines[int(rng.integers(len(site.lines)))]
    at = float(rng.uniform(0, line.along_m[-1]))
    off = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(2.05, 2.9))
    here, ahead = line.at(at), line.at(at + 1)
    along = (ahead - here) / np.hypot(*(ahead - here))
    right = np.array([-along[1], along[0]])
    foot = here + right * off
    rows, cols = site.cells(foot, along, 0.1, 0.1)
    if rows.size == 0 or site.distance[rows[0], cols[0]] < 1.9:
        return
    paint = colour(str(rng.choice(["grey", "concrete", "grime"])), canvas.bands, rng)
    top = float(rng.uniform(6, 13))
    canvas.paint(canvas.rectangle(foot, along, 0.3, 0.3), paint, height_m=top)
    canvas.paint(canvas.rectangle(foot, along, 0.9, 0.9), paint * 1.2, alpha=0.5)
    if rng.random() < 0.7:
        arm = canvas.rectangle(foot - right * off / 2, along, 0.12, abs(off))
        _float(canvas, arm, paint, height_m=min(top - 0.5, 7.0), alpha=0.7)


def _gantry(canvas: Canvas, site: Site, rng: np.random.Generator) -> None:
    """A lattice beam on posts across all tracks."""
    line = site.lines[len(site.lines) // 2]
    at = float(rng.uniform(0.2, 0.8)) * line.along_m[-1]
    here, ahead = line.at(at), line.at(at + 1)
    along = (ahead - here) / np.hypot(*(ahead - here))
    right = np.array([-along[1], along[0]])
    offs = np.array(
        [
            np.dot(other.points[np.argmin(np.hypot(*(other.points - here).T))] - here, right)
            for other in site.lines
        ]
    )
    low, high = offs.min() - 3.0, offs.max() + 3.0
    paint = colour(str(rng.choice(["grey", "light_grey", "green", "grime"])), canvas.bands, rng)
    width, top = float(rng.uniform(0.5, 1.1)), float(rng.uniform(7, 9.5))
    beam = canvas.rectangle(here + right * (low + high) / 2, right, high - low, width)
    zig = np.abs(((beam.u / 1.6) % 1.0) * 2 - 1) * width - width / 2
    bars = (np.abs(beam.v) > width / 2 - 0.13) | (np.abs(beam.v - zig) < 0.12)
    _float(canvas, beam.where(bars), paint, height_m=top, alpha=0.9)
    for end in (low, high):
        canvas.paint(canvas.rectangle(here + right * end, along, 0.5, 0.4), paint, height_m=top)


def _wires(canvas: Canvas, lines: Sequence[Line], rng: np.random.Generator) -> None:
    """Contact wires: a hundredth of a metre thick, seen as faint threads; their shadows are fainter."""
    dark = colour("grime", canvas.bands)
    for line in lines:
        if rng.random() < 0.75:
            for patch in canvas.along(line, canvas.step_m * 0.75):
                canvas.paint(patch, dark, alpha=0.12)


def _canopy(canvas: Canvas, site: Site, rng: np.random.Generator) -> None:
    """A roof on posts that hides tracks below it."""
    line = site.lines[int(rng.integers(len(site.lines)))]
    length, width = float(rng.uniform(60, 300)), float(rng.uniform(6, 26))
    at = float(rng.uniform(0.25, 0.75)) * line.along_m[-1]
    here, ahead = line.at(at - 5), line.at(at + 5)
    along = (ahead - here) / np.hypot(*(ahead - here))
    roof = canvas.rectangle(here, along, length, width)
    paint = colour(str(rng.choice(["light_grey", "blue", "grey", "rust"])), canvas.bands, rng)
    ribs = 1 + 0.1 * (np.abs((roof.u / 1.1) % 1.0 - 0.5) > 0.4)
    sides = np.where(roof.v > 0, 1.08, 0.92)
    _float(
        canvas,
        roof,
        (paint[:, None] * ribs * sides).astype(np.float32),
        height_m=float(rng.uniform(6, 9)),
        alpha=1.0,
    )


def _float(
    canvas: Canvas, patch: Patch, paint: NDArray[np.float32], *, height_m: float, alpha: float
) -> None:
    """Hang the pixels of a patch at a height."""
    if patch.index.size == 0:
        return
    rows, cols = np.divmod(patch.index, canvas.shape[1])
    r, c = slice(rows.min(), rows.max() + 1), slice(cols.min(), cols.max() + 1)
    cover = np.zeros((r.stop - r.start, c.stop - c.start), dtype=np.float32)
    cover[rows - r.start, cols - c.start] = alpha
    tint = np.zeros((canvas.bands, *cover.shape), dtype=np.float32)
    tint[:, rows - r.start, cols - c.start] = paint[:, None] if paint.ndim == 1 else paint
    canvas.floating.append(Floating(rows=r, cols=c, alpha=cover, colour=tint, height_m=height_m))
