"""Soil, ballast, sleepers, rails, stains, weeds, snow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from canvas import bar, noise, pick, rgb, vary

if TYPE_CHECKING:
    from canvas import Canvas, Floats, Rng
    from layout import Track

PIECE_M = 9.0
GAUGE_M = 1.5
"""Between the middles of the rail heads."""
SOILS = [(134, 124, 106), (120, 112, 96), (146, 138, 122), (108, 104, 92), (150, 132, 108)]
GRASSES = [(84, 98, 62), (100, 108, 72), (72, 86, 56), (120, 118, 82)]
BALLASTS = {
    "grey": [(146, 144, 140), (130, 130, 128), (158, 156, 150), (120, 118, 114)],
    "brown": [(128, 114, 98), (116, 104, 90), (138, 124, 104), (106, 96, 86)],
    "dark": [(74, 72, 70), (62, 60, 58), (86, 80, 74), (54, 53, 52)],
    "light": [(164, 160, 152), (172, 166, 156), (158, 152, 142)],
}


@dataclass(frozen=True, kw_only=True)
class Bed:
    """How the tracks of a yard are laid."""

    tone: str = "grey"
    spread: float = 0.12
    """From track to track."""
    weeds: float = 0.3
    """0-1."""
    stains: float = 0.35
    snow: float = 0.0
    """0-1: share of the ground under snow."""


def soil(canvas: Canvas, *, rng: Rng, green: float, along: float) -> None:
    """Open ground: earth and grass in patches, with wheel marks along the yard."""
    shape = canvas.height.shape
    px = canvas.px
    earth, other, grass = pick(SOILS, rng), pick(SOILS, rng), pick(GRASSES, rng)
    mix = noise(shape, scale_px=14 / px, rng=rng) + 0.6 * noise(shape, scale_px=4 / px, rng=rng)
    share = 1 / (1 + np.exp(-1.5 * mix))[..., None]
    canvas.albedo[:] = earth * share + other * (1 - share)
    plants = 0.6 * noise(shape, scale_px=40 / px, rng=rng) + 0.5 * noise(shape, scale_px=8 / px, rng=rng)
    plants += 0.4 * noise(shape, scale_px=2 / px, rng=rng) + 0.35 * noise(shape, scale_px=0.7 / px, rng=rng)
    cover = np.clip(0.5 + 0.45 * (plants + 3.0 * (green - 0.5)), 0, 0.9)[..., None]
    canvas.albedo += (grass - canvas.albedo) * cover
    grain = 0.09 * noise(shape, scale_px=1, rng=rng) + 0.1 * noise(shape, scale_px=0.7 / px, rng=rng)
    grain += 0.06 * _streaks(canvas, along, rng=rng)
    canvas.albedo *= np.exp(grain)[..., None]


def _streaks(canvas: Canvas, along: float, *, rng: Rng) -> Floats:
    """Noise drawn out along the yard."""
    rows, cols = canvas.height.shape
    y = (np.arange(rows, dtype=np.float32) * canvas.px)[:, None]
    x = (np.arange(cols, dtype=np.float32) * canvas.px)[None, :]
    across = y * np.float32(np.cos(along)) - x * np.float32(np.sin(along))
    lines = rng.normal(size=1500)
    return np.interp(across + 500, np.arange(1500) * 0.9, lines).astype(np.float32)


def lay(canvas: Canvas, tracks: list[Track], *, bed: Bed, half_m: float, rng: Rng) -> None:
    """Ballast first, of all tracks, then what lies on it, so that tracks may cross and join."""
    base = pick(BALLASTS[bed.tone], rng, tone=0.08)
    second = pick(BALLASTS[bed.tone if rng.random() < 0.5 else "brown"], rng)
    split = rng.integers(0, len(tracks) + 1) if tracks else 0
    for number, track in enumerate(tracks):
        colour = vary(base if number < split else second, rng, tone=bed.spread, hue=0.01)
        _ballast(canvas, track, colour=colour, half_m=half_m, bed=bed, rng=rng)
    new = rng.random() < 0.5
    for track in tracks:
        _superstructure(canvas, track, concrete=rng.random() < (0.5 if new else 0.1), bed=bed, rng=rng)


def _along(
    canvas: Canvas, track: Track, *, half_m: float
) -> list[tuple[tuple[slice, slice], tuple[Floats, ...], Floats, Floats]]:
    """The track in short pieces: window, indices of its pixels, metres along, metres across."""
    pieces = []
    for start in np.arange(0.0, track.s[-1], PIECE_M):
        a, b = track.at(start), track.at(min(start + PIECE_M, track.s[-1]))
        length = float(np.hypot(*(b - a)))
        if length < 0.05:
            continue
        heading = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
        x, y = (a + b) / 2
        patch = canvas.patch(float(x), float(y), heading=heading, half_u=length / 2 + 0.3, half_v=half_m)
        if patch is None:
            continue
        inside = (patch.u >= -length / 2) & (patch.u < length / 2) & (np.abs(patch.v) <= half_m)
        index = np.nonzero(inside)
        if len(index[0]):
            s = (start + length / 2 + patch.u[index]).astype(np.float32)
            pieces.append((patch.window, index, s, patch.v[index]))
    return pieces


def _wander(track: Track, *, scale_m: float, rng: Rng) -> tuple[Floats, Floats]:
    """Smooth noise along a track, as knots and values."""
    knots = np.arange(0.0, track.s[-1] + 2 * scale_m, scale_m)
    return knots, rng.normal(size=len(knots))


def _ballast(canvas: Canvas, track: Track, *, colour: Floats, half_m: float, bed: Bed, rng: Rng) -> None:
    drift, fine = _wander(track, scale_m=30, rng=rng), _wander(track, scale_m=4, rng=rng)
    between = rng.uniform(0.95, 1.15)
    edge = rng.uniform(0.98, 1.12)
    for window, index, s, t in _along(canvas, track, half_m=half_m + 0.8):
        view = canvas.albedo[window]
        ragged = half_m * edge + 0.2 * np.interp(s, *fine)
        alpha = np.clip((ragged - np.abs(t)) / 0.7 + 0.5, 0, 0.94)[:, None]
        tone = np.exp(0.08 * np.interp(s, *drift) + 0.1 * rng.standard_normal(len(s)))
        tone *= np.where(np.abs(t) > 1.6, between, 1.0)
        ground = view[index]
        view[index] = ground + (colour * tone[:, None].astype(np.float32) - ground) * alpha


def _superstructure(canvas: Canvas, track: Track, *, concrete: bool, bed: Bed, rng: Rng) -> None:
    px = canvas.px
    wood = pick(
        [(150, 146, 138), (164, 160, 150)] if concrete else [(78, 66, 54), (92, 78, 64), (66, 58, 52)], rng
    )
    visible = rng.uniform(0.5, 1.0)
    pitch = rng.uniform(0.58, 0.66)
    bright = rng.random() < 0.45
    rail = pick([(168, 166, 162), (188, 188, 186)] if bright else [(104, 82, 66), (88, 74, 64)], rng)
    oil, weeds, cover = (_wander(track, scale_m=scale, rng=rng) for scale in (7, 5, 9))
    oiliness = bed.stains * rng.uniform(0.2, 1.5)
    weediness = bed.weeds * rng.uniform(0.0, 1.6) ** 2
    green = pick([(96, 104, 66), (110, 110, 76), (120, 112, 84)], rng)
    for window, index, s, t in _along(canvas, track, half_m=2.3):
        view = canvas.albedo[window]
        colour = view[index]
        stain = oiliness * np.clip(0.7 + 0.5 * np.interp(s, *oil), 0, 1.6) * np.exp(-((t / 0.62) ** 2))
        sleeper = bar(((s / pitch) % 1 - 0.5) * pitch, 0.125, px) * bar(t, 1.28, px)
        sleeper *= visible * np.clip(0.9 + 0.3 * np.interp(s, *cover), 0, 1)
        colour = colour + (wood - colour) * sleeper[:, None]
        colour *= np.exp(-stain)[:, None].astype(np.float32)
        if weediness > 0.05:
            growth = np.interp(s, *weeds) + 0.5 * rng.standard_normal(len(s)) + 1.6 * (weediness - 0.9)
            colour += (green - colour) * np.clip(growth, 0, 0.75)[:, None].astype(np.float32)
        if bed.snow:
            lies = np.clip(0.5 + np.interp(s, *cover) * 0.35 + 2.2 * (bed.snow - 0.45), 0, 0.97)
            lies *= np.where(np.abs(np.abs(t) - GAUGE_M / 2) < 0.2, 0.35, 1.0)
            white = rgb(226, 232, 240) * (1 + 0.05 * rng.standard_normal(len(s)))[:, None].astype(np.float32)
            colour += (white - colour) * lies[:, None].astype(np.float32)
        for side in (-0.5, 0.5):
            foot = 0.5 * bar(t - side * GAUGE_M, 0.12, px)[:, None]
            colour = colour + (rgb(58, 50, 44) - colour) * foot
            head = bar(t - side * GAUGE_M, 0.04, px)[:, None]
            colour = colour + (rail - colour) * head
        view[index] = colour


def snow_cover(canvas: Canvas, *, share: float, rng: Rng, above_m: float = 0.0) -> None:
    """Snow over all that is painted so far and at least this high, thin where the wind was."""
    shape = canvas.height.shape
    lumps = noise(shape, scale_px=9 / canvas.px, rng=rng) + 0.5 * noise(
        shape, scale_px=2 / canvas.px, rng=rng
    )
    cover = np.clip(0.5 + 0.7 * (lumps + 4.5 * (share - 0.4)), 0.0, 0.97)
    cover = cover * (canvas.height >= above_m)
    white = rgb(232, 238, 246) * np.exp(0.03 * noise(shape, scale_px=1 / canvas.px, rng=rng))[..., None]
    canvas.albedo += (white - canvas.albedo) * cover[..., None]


def road(canvas: Canvas, track: Track, *, half_m: float, colour: Floats, lanes: bool, rng: Rng) -> None:
    """A strip along a line: service road, street, highway; ``lanes`` draws marks."""
    worn = _wander(track, scale_m=12, rng=rng)
    for window, index, s, t in _along(canvas, track, half_m=half_m + 0.5):
        view = canvas.albedo[window]
        alpha = np.clip((half_m - np.abs(t)) / 0.3 + 0.5, 0, 1)[:, None]
        tone = np.exp(0.06 * np.interp(s, *worn) + 0.04 * rng.standard_normal(len(s)))
        tone *= 1 - 0.1 * np.exp(-(((np.abs(np.abs(t) % 3.6 - 1.8) - 0.8) / 0.3) ** 2))
        paint = colour * tone[:, None].astype(np.float32)
        if lanes:
            mark = bar((np.abs(t) + 1.8) % 3.6 - 1.8, 0.08, canvas.px) * ((s % 12) < 4)
            mark = np.maximum(mark, bar(np.abs(t) - half_m + 0.5, 0.08, canvas.px))
            paint = paint + (rgb(225, 225, 220) - paint) * (0.8 * mark)[:, None]
        view[index] += (paint - view[index]) * alpha
