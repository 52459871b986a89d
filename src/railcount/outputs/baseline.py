"""A site's past, as a table to read and as JSON."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from railcount import __version__
from railcount.baseline.remarks import change_words
from railcount.outputs.json import rounded, to_text
from railcount.outputs.observations import (
    Folder,
    as_json,
    comparison_json,
    interval_json,
    listed,
    quality,
)
from railcount.outputs.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from railcount.baseline.change import ChangePoint
    from railcount.baseline.describe import Baseline
    from railcount.baseline.figures import Figures
    from railcount.baseline.windows import Span
    from railcount.sites import Site

SCHEMA_VERSION = 1
_TITLES = {"published": "Published", "measured": "Measured", "hand": "Counted by hand"}
_DASH = "-"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every document satisfies."""
    text = files("railcount.outputs").joinpath("baseline.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def document(past: Baseline, *, site: Site, zones: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """Everything as plain lists and dicts; ``words`` come before those of the baseline itself."""
    chance, step = past.chance, past.step
    return {
        "schema_version": SCHEMA_VERSION,
        "railcount_version": __version__,
        "site": site.name,
        "title": plain(site.title),
        "date": past.day.isoformat(),
        "zones": list(zones),
        "window": _span(past.selection.span),
        "season": past.selection.window.season,
        "railcars": interval_json(past.count) if past.count else None,
        "observation": as_json(past.observation) if past.observation else None,
        "comparison": comparison_json(past.comparison) if past.comparison else None,
        "chance": None
        if chance is None
        else {
            "best": rounded(chance.best, 4),
            "low": rounded(chance.low, 4),
            "n_as_high": chance.n_as_high,
            "n_days": chance.n_days,
        },
        "since_last": None
        if step is None
        else {
            "date": step.since.isoformat(),
            "count": rounded(step.count, 1),
            "difference": rounded(step.difference, 1),
            "days": step.days,
            "certain": step.certain,
            "n_uncounted": step.n_uncounted,
        },
        "change": _change(past.change),
        "figures": {
            "all": _figures(past.figures),
            **{method: _figures(one) for method, one in past.by_method.items()},
        },
        "observations": [as_json(one) for one in past.selection.used],
        "not_used": [{**as_json(one), "reason": reason} for one, reason in past.selection.not_used],
        "words": [plain(one) for one in (*words, *past.words)],
        "caveats": [plain(one) for one in site.caveats_on(past.day)],
    }


def dumps(past: Baseline, *, site: Site, zones: Sequence[str], words: Sequence[str]) -> str:
    """The document as JSON text."""
    return to_text(document(past, site=site, zones=zones, words=words))


def render(past: Baseline, *, site: Site, words: Sequence[str], width: int) -> str:
    """The past as text to read, each line at most ``width`` wide."""
    fold = Folder(width)
    lines = fold(_headline(past, site=site))
    if past.comparison is not None:
        lines += ["", *fold(past.comparison.why)]
    lines += ["", *_table(past), ""]
    for label, text in _judgement(past):
        lines += fold(f"{label:<10} {text}", "", " " * 11)
    for method in past.by_method:
        used = [one for one in past.selection.used if one.method == method]
        lines += ["", _TITLES[method]]
        for one in used:
            lines += fold(listed(one), "  ", "      ")
    if past.selection.not_used:
        lines += ["", "In the window, not used"]
        for one, reason in past.selection.not_used:
            lines += fold(listed(one, reason=reason), "  ", "      ")
    if notes := [*words, *past.words, *site.caveats_on(past.day)]:
        lines += ["", "Bear in mind"]
        for note in notes:
            lines += fold(note, "  ", "  ")
    return "\n".join(lines) + "\n"


def _headline(past: Baseline, *, site: Site) -> str:
    where = f"{site.title}, {past.day}"
    if past.count is None or past.observation is None or past.comparison is None:
        return f"{where}: no count of this day is known; what the days before it show"
    count = past.count
    interval = f" ({count.low}-{count.high})" if count.low < count.high else ""
    made = ", ".join(part for part in (past.observation.method, quality(past.observation)) if part)
    level = past.comparison.level.replace("_", " ")
    return f"{where}: {count.best}{interval} railcars ({made}): {level}"


def _table(past: Baseline) -> list[str]:
    """The figures of all counts, and of each kind for itself, beside each other."""
    columns = [("all", past.figures), *past.by_method.items()] if len(past.by_method) > 1 else []
    columns = columns or [("", past.figures)]
    first, last = past.selection.span
    season = ", this season of each year" if past.selection.window.season else ""
    rows = [
        ("dated counts", [f"{one.n_dated}" for _, one in columns]),
        ("on days", [f"{one.n_days}" for _, one in columns]),
        ("maximum", [_number(one.max) for _, one in columns]),
        ("median", [_number(one.median) for _, one in columns]),
        ("90th percentile", [_number(one.p90) for _, one in columns]),
        ("10th to 90th", [_number(one.spread) for _, one in columns]),
        ("empty days", [_share(one.zero_share) for _, one in columns]),
        ("longest gap", [f"{one.longest_gap_days} d" for _, one in columns]),
    ]
    lines = [f"window           {first} to {last}{season}"]
    if len(columns) > 1:
        lines.append(" " * 17 + "".join(f"{name:>11}" for name, _ in columns))
        return lines + [f"{label:<17}" + "".join(f"{cell:>11}" for cell in cells) for label, cells in rows]
    return lines + [f"{label:<17}{cells[0]}" for label, cells in rows]


def _judgement(past: Baseline) -> Iterator[tuple[str, str]]:
    comparison, chance, step = past.comparison, past.chance, past.step
    if comparison is not None and comparison.ratio_to_max is not None:
        yield "ratio", f"{comparison.ratio_to_max:.2f} x the maximum"
    if chance is not None:
        up_to = f" (up to {chance.low:.1%} with the low end)" if chance.low > chance.best else ""
        days = "1 earlier day is" if chance.n_as_high == 1 else f"{chance.n_as_high} earlier days are"
        yield (
            "chance",
            f"{chance.best:.1%}{up_to} of a count this high, were all days alike: {days} as high, of "
            f"{chance.n_days}",
        )
    if step is not None:
        sure = "" if step.certain else ", within the doubt of the two counts"
        between = f"; {step.n_uncounted} not counted in between" if step.n_uncounted else ""
        yield (
            "last count",
            f"{step.count:g} on {step.since}: {step.difference:+g} in {step.days} days{sure}{between}",
        )
    yield "change", change_words(past.change)


def _number(value: float | None) -> str:
    return _DASH if value is None else f"{value:g}"


def _share(value: float | None) -> str:
    return _DASH if value is None else f"{value:.0%}"


def _span(span: Span | None) -> list[str] | None:
    return None if span is None else [day.isoformat() for day in span]


def _figures(one: Figures) -> dict[str, Any]:
    return {
        "n": one.n,
        "n_dated": one.n_dated,
        "n_days": one.n_days,
        "first": None if one.first is None else one.first.isoformat(),
        "last": None if one.last is None else one.last.isoformat(),
        "max": one.max,
        "median": rounded(one.median, 2),
        "p10": rounded(one.p10, 2),
        "p90": rounded(one.p90, 2),
        "spread": rounded(one.spread, 2),
        "zero_share": rounded(one.zero_share, 4),
        "longest_gap": _span(one.longest_gap),
    }


def _change(change: ChangePoint) -> dict[str, Any]:
    return {
        "status": change.status,
        "n_days": change.n_days,
        "chance": rounded(change.chance, 4),
        "between": _span(change.between),
        "probability": rounded(change.probability, 3),
        "range": _span(change.range),
        "before": rounded(change.before, 2),
        "after": rounded(change.after, 2),
        "n_before": change.n_before,
        "n_after": change.n_after,
        "why": change_words(change),
    }
