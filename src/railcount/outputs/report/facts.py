"""What a report says, as plain values: the headline, the time line, the passes, the published counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence  # noqa: TC003  # dataclass fields
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from railcount.baseline.describe import describe, interval_of, last_day
from railcount.counts import KINDS, STATUSES_WITH_COUNT
from railcount.outputs.observations import listed, number, origin
from railcount.outputs.text import credit_line, day_words, time_text
from railcount.text import escape

if TYPE_CHECKING:
    from railcount.baseline import Comparison, Method, Observation
    from railcount.baseline.describe import Baseline
    from railcount.counts import Interval, Kind
    from railcount.history import StoredCount, Summary
    from railcount.sites import Site

_NOT_OURS: tuple[Method, ...] = ("published",)
GAP_DAYS = 180
"""Longer stretches without a dated count are shaded in the time line."""
_DAY_MS = 86_400_000
_EPOCH = dt.date(1970, 1, 1)
_METHODS = {"measured": "railcount", "hand": "counted by hand"}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the page says, but for the map."""

    site: Site
    simulated: bool
    """The passes are of drawn images."""
    headline: str
    basis: str
    """Why the level is what it is; empty without a comparison."""
    level: str | None
    latest: Summary | None
    """The pass that the map shows."""
    timeline: dict[str, Any]
    kinds: dict[str, Any]
    passes: Sequence[dict[str, Any]]
    others: Sequence[dict[str, Any]]
    """Counts that railcount did not make."""
    notes: Sequence[str]
    credits: Sequence[str]
    keys: Sequence[str]
    """Parameter keys that the passes were counted with."""
    until: dt.date | None
    """Nothing after this day is told; None: all is."""


def gather(
    site: Site,
    *,
    summaries: Sequence[Summary],
    by_type: dict[str, dict[Kind, int]],
    known: Sequence[Observation],
    words: str,
    until: dt.date | None = None,
) -> Facts:
    """``known`` are the history's observations of the site, ``by_type`` the kinds of each pass by its id.

    Passes of drawn images are used only where there are none of real ones. What is of a day after
    ``until``, or of no known day, is left out.
    """
    if until is not None:
        summaries = [one for one in summaries if one.day is not None and one.day <= until]
        known = [one for one in known if one.last <= until]
        site = replace(site, observations=tuple(one for one in site.observations if one.last <= until))
    simulated = not any(not one.simulated for one in summaries)
    chosen = [one for one in summaries if one.simulated == simulated]
    simulated = simulated and bool(chosen)
    observations = (*site.observations, *known)
    day = last_day(observations, zones=site.baseline_zones, without=_NOT_OURS)
    past = None
    if day is not None:
        past = describe(observations, day=day, zones=site.baseline_zones, baseline=site.baseline)
    latest = _latest(chosen, past)
    others = [one for one in observations if one.method == "published" or not one.id]
    return Facts(
        site=site,
        simulated=simulated,
        headline=_headline(site, past, simulated=simulated),
        basis=past.comparison.why if past and past.comparison else "",
        level=past.comparison.level if past and past.comparison else None,
        latest=latest,
        timeline=_timeline(observations, past=past, zones=site.baseline_zones),
        kinds=_kinds(chosen, by_type),
        passes=[_pass_row(one, site=site, known=known, by_type=by_type) for one in reversed(chosen)],
        others=[_other_row(one) for one in sorted(others, key=lambda one: one.last, reverse=True)],
        notes=_notes(site, past, words),
        credits=sorted({credit for one in chosen if (credit := credit_line(one))}),
        keys=sorted({one.key for one in chosen}),
        until=until,
    )


def range_words(interval: Interval) -> str:
    """``73 (70-76)``, the number alone where both ends are equal."""
    if interval.low == interval.high:
        return str(interval.best)
    return f"{interval.best} ({interval.low}\N{EN DASH}{interval.high})"


def _latest(chosen: Sequence[Summary], past: Baseline | None) -> Summary | None:
    """The pass of the headline's count, else the last one."""
    wanted = past.observation.id if past and past.observation else None
    counted = [one for one in chosen if one.railcars is not None]
    named = [one for one in chosen if one.id == wanted]
    return next(iter(reversed(named or counted or chosen)), None)


def _headline(site: Site, past: Baseline | None, *, simulated: bool) -> str:
    if past is None or past.count is None or past.observation is None:
        return f"No pass over {site.title} has a count."
    count, made = past.count, past.observation.method
    cars = "railcar" if count.best == 1 else "railcars"
    by = "counted by hand" if made == "hand" else "counted by railcount"
    interval = f", between {count.low} and {count.high}" if count.low < count.high else ""
    if interval and made == "measured":
        interval += f" with a probability of {count.level:.0%}"
    where = f" in a simulated image of {site.title}" if simulated else f" at {site.title}"
    text = f"{day_words(past.day)}: {count.best} {cars} {by}{where}{interval}"
    told = past.comparison
    if told is None:
        return f"{text}."
    level = told.level.replace("_", " ")
    if told.ratio_to_max is not None and told.level in {"unprecedented", "record"}:
        level += f", {told.ratio_to_max:.2f} times the five-year maximum of {told.max}"
    elif told.max is not None:
        level += f" (five-year maximum: {told.max})"
    return f"{text}; {level}."


def _ms(day: dt.date) -> int:
    return (day - _EPOCH).days * _DAY_MS


def _timeline(
    observations: Sequence[Observation], *, past: Baseline | None, zones: Sequence[str]
) -> dict[str, Any]:
    used = [one for one in observations if one.unit == "cars" and _in(one, zones)]
    images = sorted((one for one in used if one.statement == "image"), key=lambda one: one.first)
    points = [_point(one) for one in images]
    periods = [
        {"from": _ms(one.first), "to": _ms(one.last), "most": one.most, "label": escape(listed(one))}
        for one in used
        if one.statement == "period_maximum" and one.most is not None
    ]
    line = None
    if past is not None and past.comparison is not None and past.comparison.max is not None:
        line = {
            "from": _ms(past.comparison.window[0]),
            "to": _ms(past.day),
            "max": past.comparison.max,
        }
    counted = sorted({day for one in images if one.has_count for day in (one.first, one.last)})
    gaps = [
        {"from": _ms(a), "to": _ms(b), "days": (b - a).days}
        for a, b in pairwise(counted)
        if (b - a).days > GAP_DAYS
    ]
    return {"points": points, "periods": periods, "max": line, "gaps": gaps, "gap_days": GAP_DAYS}


def _in(one: Observation, zones: Sequence[str]) -> bool:
    return one.zone is None or one.zone in zones


def _point(one: Observation) -> dict[str, Any]:
    source = _METHODS.get(one.method) or (one.source or "published")
    low = one.low if one.low is not None else one.typical
    high = one.high if one.high is not None else one.most
    return {
        "x": (_ms(one.first) + _ms(one.last)) // 2,
        "y": one.typical if one.typical is not None else one.most,
        "low": low,
        "high": high,
        "day": one.when,
        "said": escape(number(one)),
        "series": escape(source),
        "method": one.method,
        "from": escape(origin(one)),
        "notes": escape(one.notes),
        "simulated": one.simulated,
        "id": escape(one.id),
    }


def _kinds(chosen: Sequence[Summary], by_type: dict[str, dict[Kind, int]]) -> dict[str, Any]:
    counted = [one for one in chosen if one.railcars is not None and one.day is not None]
    present = [kind for kind in KINDS if any(by_type.get(one.id, {}).get(kind) for one in counted)]
    return {
        "days": [str(one.day) for one in counted],
        "kinds": {kind: [by_type.get(one.id, {}).get(kind, 0) for one in counted] for kind in present},
    }


def _pass_row(
    one: Summary, *, site: Site, known: Sequence[Observation], by_type: dict[str, dict[Kind, int]]
) -> dict[str, Any]:
    told: Comparison | None = None
    hand = one.hand.observation if one.hand else None
    stands = one.railcars if hand is None or hand.typical is None else interval_of(hand)
    if stands is not None and one.day is not None:
        told = site.compare(stands, acquired=one.day, extra=known, exclude={one.id})
    kinds = by_type.get(one.id, {})
    return {
        "id": escape(one.id),
        "day": str(one.day) if one.day else "no date",
        "time": time_text(one) or "",
        "status": one.status,
        "has_count": one.status in STATUSES_WITH_COUNT,
        "railcars": range_words(one.railcars) if one.railcars else "no count",
        "hand": _by_hand(one.hand) if one.hand else "",
        "level": told.level.replace("_", " ") if told else "",
        "locomotives": range_words(one.locomotives) if one.locomotives else "",
        "kinds": ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds.get(kind)),
        "seen": "" if one.visible_fraction is None else f"{one.visible_fraction:.0%}",
        "tile": escape((one.first_tile or "").rpartition("/")[2]),
        "n_tiles": one.n_tiles,
        "reasons": [escape(reason) for reason in one.reasons],
    }


def _by_hand(hand: StoredCount) -> str:
    """``74 (73-75), Ana: one in the shadow``."""
    text = number(hand.observation)
    text += f", {hand.who}" if hand.who else ""
    return escape(f"{text}: {hand.why}" if hand.why else text)


def _other_row(one: Observation) -> dict[str, Any]:
    url = one.url if one.url and one.url.startswith(("https://", "http://")) else None
    return {
        "when": one.when,
        "said": escape(number(one)),
        "source": escape(one.source or one.method),
        "url": url,
        "sensor": escape(one.sensor),
        "zone": escape(one.zone or "whole site"),
        "notes": escape(one.notes),
    }


def _notes(site: Site, past: Baseline | None, words: str) -> list[str]:
    told = [words] if words else []
    told += list(past.words) if past else []
    told += list(site.caveats_on(past.day) if past else site.caveats)
    return [escape(one) for one in dict.fromkeys(told)]
