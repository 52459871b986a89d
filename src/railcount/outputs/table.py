"""A result as text that a person likes to read."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from railcount.counts import KINDS, STATUSES_WITH_COUNT
from railcount.outputs.text import SIMULATED, credit_line, time_text
from railcount.regimes import WORDS
from railcount.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from railcount.baseline import Comparison
    from railcount.counts import Car, Interval, TileCount, TrackSeen, TrackSummary
    from railcount.raster.grid import Grid
    from railcount.tracks.network import Registration, Track, TrackNetwork

MIN_WIDTH = 40
HIDDEN_BELOW = 0.5
"""Seen fraction of a track."""
MOST_NAMED = 12
"""Hidden tracks; of more only the number is said."""
_LABEL_WIDTH = 10
_YEARS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DAYS_A_YEAR = 365.25
_BOLD, _RED, _YELLOW, _RESET = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[0m"


def render(counts: Sequence[TileCount], *, width: int = 80, colour: bool = False) -> str:
    """All results, one block a tile, no line longer than ``width`` columns (at least 40).

    ``colour`` adds ANSI codes; without it the text holds no escape sequence at all.
    """
    width = max(width, MIN_WIDTH)
    blocks = ["\n".join(_block(count, width=width, colour=colour)) for count in counts]
    if len(counts) > 1:
        tally = {count.status: 0 for count in counts}
        for count in counts:
            tally[count.status] += 1
        parts = ", ".join(f"{n} {status}" for status, n in tally.items())
        blocks.append("\n".join(_wrap(f"{len(counts)} tiles: {parts}", width=width)))
    return "\n\n".join(blocks) + "\n"


def headline(count: TileCount) -> str:
    """The answer in one sentence, on one line, escaped."""
    if count.status not in STATUSES_WITH_COUNT or count.railcars is None:
        return f"No count: {count.status}"
    text = f"{_plural(count.railcars.best, 'railcar')} ({_range(count.railcars, with_level=True)})"
    if count.regime == "occupied_length":
        text = f"about {text} by occupied length"
    if count.tracks is not None:
        used = len({car.track for car in count.cars if car.kind != "locomotive"})
        used = used or len({stretch.track for stretch in count.stretches})
        if used:
            text += f" on {used} of {_plural(count.tracks.n, 'track')}"
        elif count.railcars.best == 0:
            text += f" on {_plural(count.tracks.n, 'track')}"
    if count.trains:
        text += f", {_plural(count.trains, 'train')}"
    if count.occupied_m:
        text += f", {count.occupied_m:.0f} m"
    return f"{text}; {escape(_verdict(count.comparison))}"


def _verdict(comparison: Comparison | None) -> str:
    if comparison is None:
        return "not compared"
    if comparison.level == "insufficient_history":
        return f"too little history to compare ({_plural(comparison.n, 'observation')})"
    years = round((comparison.window[1] - comparison.window[0]).days / _DAYS_A_YEAR)
    span = f"{_YEARS[years]}-year" if 0 < years < len(_YEARS) else f"{years}-year"
    if not comparison.ratio_to_max:
        return f"{comparison.level}: the {span} maximum is {comparison.max}"
    return f"{comparison.level}: {comparison.ratio_to_max:.2f} x the {span} maximum of {comparison.max}"


def _block(count: TileCount, *, width: int, colour: bool) -> list[str]:
    lines = _wrap(escape(count.tile), width=width)
    lines += _wrap(_origin(count), width=width, indent="  ")
    lines += ["", *_paint(_wrap(headline(count), width=width), count=count, colour=colour), ""]
    if count.status in STATUSES_WITH_COUNT:
        rows = _track_rows(count)
        if rows:
            lines += [*_columns(rows, width=width), ""]
        lines += _facts(count, width=width)
    elif count.tracks is not None and (hidden := _hidden_tracks(count.tracks)):
        lines += _fact("hidden", escape(hidden), width=width)
    lines += _reasons(count, width=width)
    return lines


def _origin(count: TileCount) -> str:
    acquisition = count.acquisition
    when = time_text(acquisition)
    parts = [
        f"{when} (from {_words(acquisition.acquired_from)})" if when and acquisition else "date not known"
    ]
    parts += [escape(part) for part in (count.site, count.zone) if part]
    if count.grid is not None:
        parts.append(f"{count.grid.gsd_m:.2f} m pixels")
    if acquisition is not None and acquisition.sensor and acquisition.sensor.lower() != SIMULATED:
        parts.append(escape(acquisition.sensor))
    if acquisition is not None and acquisition.simulated:
        parts.append(f"{SIMULATED} image")
    return ", ".join(parts)


def _facts(count: TileCount, *, width: int) -> list[str]:
    facts: list[tuple[str, str]] = []
    if count.regime is not None:
        facts.append(("regime", WORDS[count.regime]))
    kinds = [f"{count.by_type[k]} {k}" for k in KINDS if k != "locomotive" and count.by_type.get(k)]
    if kinds and count.regime != "occupied_length":
        facts.append(("types", ", ".join(kinds)))
    if count.covered is not None and count.covered.high:
        facts.append(("covered", f"{count.covered.best} ({_range(count.covered)}) hide their load"))
    if count.locomotives is not None and count.locomotives.high:
        facts.append(("locos", f"{count.locomotives.best} ({_range(count.locomotives)}), not in the count"))
    flags = sorted({flag for car in count.cars for flag in car.flags})
    if flags:
        tally = ((flag, sum(flag in car.flags for car in count.cars)) for flag in flags)
        facts.append(("flagged", ", ".join(f"{n} {_words(flag)}" for flag, n in tally)))
    if count.tracks is not None:
        facts.append(("tracks", _track_fact(count)))
        if hidden := _hidden_tracks(count.tracks):
            facts.append(("hidden", hidden))
    if count.comparison is not None:
        facts.append(("compared", f"{count.comparison.why} Baseline: {count.comparison.baseline}."))
    credit = credit_line(count.acquisition)
    if credit:
        facts.append(("credit", credit))
    return [line for label, text in facts for line in _fact(label, escape(text), width=width)]


def _track_fact(count: TileCount) -> str:
    summary = count.tracks
    if summary is None:
        return ""
    text = (
        f"{summary.n} {_words(summary.source)}, {summary.length_m:.0f} m, "
        f"{100 * summary.visible_fraction:.0f} % seen"
    )
    moved = summary.registration
    if moved is not None:
        text += f", {_move(moved)}"
    return text


def _hidden_tracks(summary: TrackSummary) -> str:
    """The tracks of which less than half was seen, the worst first; empty where there are none."""
    worst = sorted((t for t in summary.each if t.visible_fraction < HIDDEN_BELOW), key=_by_sight)
    named = [f"{track.id} ({100 * track.visible_fraction:.0f} % seen)" for track in worst[:MOST_NAMED]]
    more = [f"{len(worst) - MOST_NAMED} more"] if len(worst) > MOST_NAMED else []
    return f"{'track' if len(worst) == 1 else 'tracks'} {', '.join(named + more)}" if worst else ""


def _by_sight(track: TrackSeen) -> float:
    return track.visible_fraction


def _move(moved: Registration) -> str:
    return (
        f"moved {moved.east_m:+.1f} m east and {moved.south_m:+.1f} m south to fit (match {moved.score:.2f})"
    )


def _reasons(count: TileCount, *, width: int) -> list[str]:
    label = "warning" if count.status in STATUSES_WITH_COUNT else "why"
    taken = count.acquisition
    notes = (*taken.doubts, *taken.notes) if taken else ()
    said = [(label, reason) for reason in count.reasons]
    said += [("note", note) for note in notes if note not in count.reasons]
    return [line for name, text in said for line in _fact(name, escape(text), width=width)]


@dataclass(frozen=True, kw_only=True)
class _TrackRow:
    track: str
    cars: int
    locomotives: int
    trains: int
    standing_m: float
    least_sure: float


def _track_rows(count: TileCount) -> list[_TrackRow]:
    by_track: dict[str, list[Car]] = {}
    if count.network is not None:
        by_track = {track.id: [] for track in count.network.tracks}
    for car in count.cars:
        by_track.setdefault(car.track, []).append(car)
    return [_track_row(name, cars) for name, cars in by_track.items() if cars]


def _track_row(name: str, cars: list[Car]) -> _TrackRow:
    trains: dict[int, list[Car]] = {}
    for car in cars:
        trains.setdefault(car.train, []).append(car)
    locomotives = sum(car.kind == "locomotive" for car in cars)
    return _TrackRow(
        track=escape(name),
        cars=len(cars) - locomotives,
        locomotives=locomotives,
        trains=len(trains),
        standing_m=sum(max(c.end_m for c in t) - min(c.start_m for c in t) for t in trains.values()),
        least_sure=min(car.confidence for car in cars),
    )


def _columns(rows: Iterable[_TrackRow], *, width: int) -> list[str]:
    """Right-aligned columns; the last ones are left out where the width is too small."""
    header = ["track", "railcars", "locos", "trains", "standing", "least sure car"]
    body = [
        [
            textwrap.shorten(row.track, 16, placeholder="...") if len(row.track) > 16 else row.track,
            str(row.cars),
            str(row.locomotives or "-"),
            str(row.trains),
            f"{row.standing_m:.0f} m",
            f"{row.least_sure:.2f}",
        ]
        for row in rows
    ]
    sizes = [max(len(line[i]) for line in [header, *body]) for i in range(len(header))]
    shown = len(header)
    while shown > 2 and 2 + sum(sizes[:shown]) + 2 * (shown - 1) > width:
        shown -= 1
    return [
        "  " + "  ".join(cell.rjust(size) for cell, size in zip(line[:shown], sizes[:shown], strict=True))
        for line in [header, *body]
    ]


def _fact(label: str, text: str, *, width: int) -> list[str]:
    return _wrap(text, width=width, first=f"{label:<{_LABEL_WIDTH}}", indent=" " * _LABEL_WIDTH)


def _wrap(text: str, *, width: int, indent: str = "", first: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width=width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    ) or [(first or indent).rstrip()]


def _paint(lines: list[str], *, count: TileCount, colour: bool) -> list[str]:
    if not colour:
        return lines
    code = _BOLD
    if count.status not in STATUSES_WITH_COUNT:
        code += _YELLOW
    elif count.comparison is not None and count.comparison.level in {"unprecedented", "record"}:
        code += _RED
    return [f"{code}{line}{_RESET}" for line in lines]


def _range(interval: Interval, *, with_level: bool = False) -> str:
    text = f"{interval.low}-{interval.high}"
    return f"{text}, {100 * interval.level:.0f} %" if with_level else text


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _words(name: str | None) -> str:
    return (name or "").replace("_", " ").replace("tiff", "TIFF")


def render_tracks(network: TrackNetwork, *, grid: Grid, credit: str | None = None, width: int = 80) -> str:
    """The tracks of a tile with their lengths, no line longer than ``width`` columns (at least 40).

    ``credit`` is the image's, and says where it is simulated.
    """
    width = max(width, MIN_WIDTH)
    lengths_m = [track_length_m(track, grid=grid) for track in network.tracks]
    total = f", {sum(lengths_m):.0f} m" if lengths_m else ""
    lines = [f"{_plural(len(lengths_m), 'track')} ({_words(network.source)}){total}"]
    for track, length_m in zip(network.tracks, lengths_m, strict=True):
        text = f"{escape(track.id)}: {length_m:.0f} m, confidence {track.confidence:.2f}"
        lines += _wrap(text, width=width, indent="  ")
    moved = network.registration
    if moved is not None:
        lines += _fact(
            "lines",
            _move(moved),
            width=width,
        )
    for reason in network.reasons:
        lines += _fact("warning" if network.tracks else "why", escape(reason), width=width)
    if credit is not None:
        lines += _fact("credit", escape(credit), width=width)
    return "\n".join(lines) + "\n"


def track_length_m(track: Track, *, grid: Grid) -> float:
    """Metres of a track's line that lie on the tile."""
    import numpy as np

    from railcount.tracks.clip import clip_to_raster

    pieces = clip_to_raster(track.line_px, grid=grid, margin_m=0.0)
    steps = [np.diff(grid.to_local(piece), axis=0) for piece in pieces]
    return float(sum(np.hypot(*step.T).sum() for step in steps))
