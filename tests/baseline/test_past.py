"""A past that grows answers as one that is looked through each time."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from railcount.baseline import Observation, compare
from railcount.baseline.past import Past
from railcount.counts import Interval

from .factories import TUMANGANG, measured, samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

FIRST = dt.date(2010, 1, 1)
ZONES = ("yard",)


def same(past: Past, observations: Sequence[Observation], *, day: dt.date, best: int) -> None:
    """Hold one answer against that of `compare`."""
    count = Interval(best=best, low=max(best - 2, 0), high=best + 2)
    wanted = compare(count, date=day, observations=observations, zones=ZONES, baseline="counts")
    assert past.compare(count, day=day, baseline="counts") == replace(wanted, observations=(), not_used=())


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Of the kinds that there are; days and numbers often alike."""
    first = FIRST + dt.timedelta(days=draw(st.integers(0, 12)) * draw(st.sampled_from([1, 30, 200])))
    statement = draw(st.sampled_from(["image", "image", "image", "period_maximum"]))
    length = 0 if draw(st.booleans()) else draw(st.integers(0, 30 if statement == "image" else 900))
    numbers = draw(
        st.sampled_from([(1, 2, 3), (None, 5, None), (None, None, 4), (7, None, None), (None,) * 3])
    )
    low, best, high = numbers
    return Observation(
        first=first,
        last=first + dt.timedelta(days=length),
        low=low,
        best=best,
        high=high,
        statement=statement,
        zone=draw(st.sampled_from([None, "yard", "shed"])),
        unit=draw(st.sampled_from(["cars", "cars", "trains"])),
        method=draw(st.sampled_from(["measured", "published", "hand"])),
        source=draw(st.sampled_from(["a", "b"])),
    )


@settings(max_examples=150, deadline=None)
@given(
    known=st.lists(observations(), max_size=25),
    steps=st.lists(
        st.tuples(st.integers(0, 4), st.none() | observations(), st.integers(0, 4000), st.integers(0, 9)),
        max_size=12,
    ),
)
def test_as_if_looked_through_each_time(
    known: list[Observation], steps: list[tuple[int, Observation | None, int, int]]
) -> None:
    """Passes come, change and go, and days are asked for in any order."""
    past, passes = Past(known, zones=ZONES), {}
    for n_pass, one, days, best in steps:
        name = f"pass-{n_pass}"
        passes[name] = None if one is None else replace(one, id=name)
        past.put(name, passes[name])
        together = [*known, *(one for one in passes.values() if one is not None)]
        same(past, together, day=FIRST + dt.timedelta(days=days), best=best)


def test_the_samples_one_after_the_other() -> None:
    known = list(TUMANGANG.observations)
    past = Past(known, zones=ZONES)
    for one in samples():
        same(past, known, day=one.first, best=one.best or 0)
        past.put(one.id, one)
        known.append(one)
    same(past, known, day=dt.date(2024, 1, 1), best=40)


def test_a_question_looks_at_the_days_alone_that_the_window_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an answer costs does not grow with the history."""
    days = [FIRST + dt.timedelta(days=n) for n in range(3000)]
    past = Past([measured(day, day.day) for day in days])
    count = Interval(best=20, low=20, high=20)
    past.compare(count, day=days[-2], baseline="counts")
    looked: list[dt.date] = []
    most = Observation.most.fget
    assert most is not None

    def watched(one: Observation) -> int | None:
        looked.append(one.first)
        return most(one)

    monkeypatch.setattr(Observation, "most", property(watched))
    past.compare(count, day=days[-1], baseline="counts")
    assert len(looked) < 10
    looked.clear()
    compare(count, date=days[-1], observations=[measured(day, day.day) for day in days])
    assert len(looked) > 1000, "the watch would see it"
