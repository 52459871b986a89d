"""Since when traffic is different."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from railcount.baseline.change import MIN_DAYS, ChangePoint, change_point
from railcount.baseline.remarks import change_words
from railcount.baseline.selection import DayCount, by_day

from .factories import day, samples, seen

START = dt.date(2019, 1, 1)


def row(*counts: int, start: dt.date = START, every: int = 30) -> tuple[DayCount, ...]:
    """A count every so many days."""
    return by_day(seen(start + dt.timedelta(days=every * k), n) for k, n in enumerate(counts))


def test_a_clear_rise() -> None:
    found = change_point(row(0, 3, 0, 5, 2, 0, 4, 1, 40, 55, 38, 60))
    assert found.status == "found"
    assert found.between == (START + dt.timedelta(days=211), START + dt.timedelta(days=240))
    assert (found.before, found.after, found.n_before, found.n_after) == (1.5, 47.5, 8, 4)
    assert found.probability is not None
    assert found.probability > 0.95
    assert found.range == found.between
    assert "rose" in change_words(found)


def test_a_clear_fall() -> None:
    found = change_point(row(40, 55, 38, 60, 44, 1, 0, 2, 0, 0, 3))
    assert (found.n_before, found.n_after) == (5, 6)
    assert "fell" in change_words(found)


@pytest.mark.parametrize(
    "counts",
    [
        [0] * 20,
        [7] * 20,
        [3, 0, 12, 0, 5, 8, 0, 2, 20, 0, 6, 1, 9, 0, 4],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 80],
    ],
)
def test_no_change(counts: list[int]) -> None:
    found = change_point(row(*counts))
    assert found.status == "none"
    assert found.between is None
    assert found.chance is not None
    assert found.chance > 0.05
    assert "No change found" in change_words(found)


def test_too_few_days() -> None:
    found = change_point(row(*[0] * 4, *[90] * (MIN_DAYS - 5)))
    assert found == ChangePoint(status="too_few", n_days=MIN_DAYS - 1)
    assert "cannot be told from 7 days" in change_words(found)
    assert change_point(row(*[0] * 4, *[90] * 4)).status == "found"


def test_the_rise_at_tumangang_is_dated_after_13_september_2023() -> None:
    counted = by_day(one for one in samples() if one.has_count)
    found = change_point(counted)
    assert found.status == "found"
    assert found.between == (day("2023-09-15"), day("2023-09-22"))
    assert found.before is not None
    assert found.after == 66.0


def test_one_high_count_is_no_change_yet() -> None:
    counted = by_day(one for one in samples() if one.has_count and one.first < day("2023-10-01"))
    assert change_point(counted).status == "none"


def test_it_is_the_same_every_time() -> None:
    counts = row(3, 0, 12, 0, 5, 8, 0, 2, 20, 0, 6, 30, 25, 41)
    assert change_point(counts) == change_point(counts)


def test_very_high_counts() -> None:
    found = change_point(row(*[10] * 6, *[999_999] * 6))
    assert found.status == "found"
    assert np.isfinite(found.probability or np.nan)


def test_a_day_known_to_a_month() -> None:
    from railcount.baseline import Observation

    counts = list(row(*[1, 0, 2, 1, 0, 1, 30, 40, 35, 33]))
    first, last = dt.date(2019, 6, 30), dt.date(2019, 7, 20)
    counts[6] = DayCount(
        first=first, last=last, value=30.0, observation=Observation(first=first, last=last, best=30)
    )
    found = change_point(counts)
    assert found.between == (START + dt.timedelta(days=151), last)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 80), min_size=8, max_size=16), st.integers(-700, 700))
def test_all_days_later_move_the_answer_by_as_much(counts: list[int], days: int) -> None:
    move = dt.timedelta(days=days)
    here, there = change_point(row(*counts)), change_point(row(*counts, start=START + move))
    assert (here.status, here.chance, here.probability) == (there.status, there.chance, there.probability)
    for one, other in ((here.between, there.between), (here.range, there.range)):
        assert (None if one is None else (one[0] + move, one[1] + move)) == other


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 80), min_size=8, max_size=16))
def test_answers_are_in_order(counts: list[int]) -> None:
    found = change_point(row(*counts))
    if found.status != "found":
        return
    assert found.between is not None
    assert found.range is not None
    assert found.range[0] <= found.between[0] <= found.between[1] <= found.range[1]
    assert found.n_before + found.n_after == len(counts) == found.n_days
    assert 0 < (found.probability or 0) <= 1
