"""Levels, windows and what counts as history."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from railcount.baseline import LEVELS, Comparison, Observation, compare, window_before
from railcount.counts import Interval
from railcount.errors import InputError

DAY = dt.date(2023, 10, 5)
FIRST, LAST = dt.date(2018, 10, 5), dt.date(2023, 10, 4)


def seen(day: dt.date | str, best: int | None, **fields: Any) -> Observation:
    day = dt.date.fromisoformat(day) if isinstance(day, str) else day
    return Observation(first=day, last=day, best=best, **fields)


def said(first: str, last: str, high: int, **fields: Any) -> Observation:
    return Observation(
        first=dt.date.fromisoformat(first),
        last=dt.date.fromisoformat(last),
        high=high,
        statement="period_maximum",
        **fields,
    )


def series(*counts: int) -> list[Observation]:
    """Counts spread evenly over the window, no gap longer than a year for 5 and more."""
    step = (LAST - FIRST).days / (len(counts) - 1)
    return [seen(FIRST + dt.timedelta(days=round(k * step)), n) for k, n in enumerate(counts)]


def judge(
    best: int, observations: list[Observation], *, low: int | None = None, **options: Any
) -> Comparison:
    count = Interval(best=best, low=best if low is None else low, high=best)
    return compare(count, date=options.pop("date", DAY), observations=observations, **options)


TEN = series(0, 0, 1, 2, 3, 4, 5, 6, 8, 20)  # median 3.5, 10th percentile 0, 90th 8
BUSY = series(5, 6, 7, 8, 9, 10, 11, 12, 13, 14)


@pytest.mark.parametrize(
    ("observations", "best", "low", "level"),
    [
        (TEN, 21, 21, "unprecedented"),
        (TEN, 21, 20, "record"),
        (TEN, 73, 70, "unprecedented"),
        (TEN, 73, 0, "record"),
        (TEN, 20, 20, "elevated"),
        (TEN, 9, 9, "elevated"),
        (TEN, 9, 0, "elevated"),
        (TEN, 8, 8, "normal"),
        (TEN, 1, 1, "normal"),
        (TEN, 0, 0, "quiet"),
        (BUSY, 6, 6, "normal"),
        (BUSY, 5, 5, "quiet"),
        (BUSY, 0, 0, "quiet"),
        # A yard that is always empty: 0 is no quiet, one car is more than ever.
        (series(*[0] * 10), 0, 0, "normal"),
        (series(*[0] * 10), 1, 1, "unprecedented"),
        (series(*[0] * 10), 1, 0, "record"),
        # Mostly empty: 0 is the median, so it is normal.
        (series(0, 0, 0, 0, 0, 0, 0, 0, 3, 9), 0, 0, "normal"),
        (series(0, 0, 0, 0, 0, 0, 0, 0, 3, 9), 4, 4, "elevated"),
        # All alike.
        (series(*[7] * 10), 7, 7, "normal"),
        (series(*[7] * 10), 6, 6, "quiet"),
        # Nine days are enough, eight are not.
        (series(*range(9)), 9, 9, "unprecedented"),
        (series(*range(8)), 9, 9, "insufficient_history"),
        ([], 0, 0, "insufficient_history"),
    ],
)
def test_levels(observations: list[Observation], best: int, low: int, level: str) -> None:
    comparison = judge(best, observations, low=low)
    assert comparison.level == level
    assert str(best) in comparison.why


def test_figures() -> None:
    comparison = judge(73, TEN)
    assert (comparison.n, comparison.n_dated, comparison.max, comparison.median) == (10, 10, 20, 3.5)
    assert comparison.ratio_to_max == 3.65
    assert comparison.window == (FIRST, LAST)
    assert "3.65 x" in comparison.why
    assert "20 on 2023-10-04" in comparison.why


def test_maximum_of_zero_has_no_ratio() -> None:
    comparison = judge(5, series(*[0] * 10))
    assert (comparison.max, comparison.ratio_to_max) == (0, None)


def test_doubt_in_the_earlier_count_leaves_a_record_open() -> None:
    doubtful = [*TEN[:-1], Observation(first=LAST, last=LAST, low=15, best=20, high=26)]
    assert judge(25, doubtful).level == "record"
    assert judge(27, doubtful).level == "unprecedented"
    assert judge(25, doubtful).max == 20


@pytest.mark.parametrize(
    ("day", "first"),
    [
        ("2023-10-05", "2018-10-05"),
        ("2024-02-29", "2019-02-28"),
        ("2025-02-28", "2020-02-28"),
        ("2025-03-01", "2020-03-01"),
        ("2020-02-29", "2015-02-28"),
    ],
)
def test_window(day: str, first: str) -> None:
    window = window_before(dt.date.fromisoformat(day))
    assert window == (dt.date.fromisoformat(first), dt.date.fromisoformat(day) - dt.timedelta(days=1))


def test_window_of_a_leap_day_may_reach_a_leap_day() -> None:
    assert window_before(dt.date(2024, 2, 29), years=4)[0] == dt.date(2020, 2, 29)


def test_no_window_before_the_calendar() -> None:
    with pytest.raises(InputError, match="too early"):
        window_before(dt.date(5, 1, 1))


@pytest.mark.parametrize(
    ("day", "inside"),
    [("2018-10-04", False), ("2018-10-05", True), ("2023-10-04", True), ("2023-10-05", False)],
)
def test_window_edges(day: str, inside: bool) -> None:
    comparison = judge(3, [*TEN, seen(day, 99)])
    assert (comparison.max == 99) is inside
    assert comparison.n == 10 + inside


def test_observations_of_the_day_itself_and_later_are_not_seen() -> None:
    later = [seen("2023-10-05", 500), seen("2023-12-01", 500), said("2023-10-05", "2024-01-01", 500)]
    assert judge(73, [*TEN, *later]) == judge(73, TEN)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (seen("2022-01-01", None), "no count"),
        (seen("2022-01-01", 99, unit="trains"), "trains"),
        (seen("2022-01-01", 99, unit="metres"), "metres"),
        (seen("2022-01-01", 99, unit="set"), "part of the cars"),
        (seen("2022-01-01", 99, zone="station"), "zone station"),
        (seen("2022-01-01", 99, statement="period_total"), "sum over"),
        (Observation(first=dt.date(2018, 10, 1), last=dt.date(2018, 10, 31), best=99), "may lie outside"),
    ],
)
def test_what_is_listed_but_not_used(other: Observation, reason: str) -> None:
    comparison = judge(3, [*TEN, other], zones=("yard",))
    assert comparison.max == 20
    assert other not in comparison.observations
    ((listed, why),) = comparison.not_used
    assert listed is other
    assert reason in why


def test_counts_that_disagree_are_both_kept() -> None:
    pair = [seen("2022-11-04", 3, source="a"), seen("2022-11-04", 12, source="b")]
    assert [one for one in judge(3, [*TEN, *pair]).observations if one.first == dt.date(2022, 11, 4)] == pair


def test_many_counts_of_one_day_are_one_day() -> None:
    many = [seen("2022-11-04", n) for n in range(20)]
    comparison = judge(3, [*series(1, 2, 3, 4, 5), *many])
    assert comparison.level == "insufficient_history"
    assert "6 of the 9 days" in comparison.why


def test_a_gap_of_more_than_a_year() -> None:
    dense = [seen(dt.date(2021, 1, 1) + dt.timedelta(days=30 * k), k) for k in range(30)]
    comparison = judge(50, dense)
    assert comparison.level == "insufficient_history"
    assert "2018-10-05 to 2020-12-31, 819 days" in comparison.why


@pytest.mark.parametrize(("gap", "enough"), [(365, True), (366, False)])
def test_longest_gap_allowed(gap: int, enough: bool) -> None:
    start = FIRST + dt.timedelta(days=gap)
    days = [start + dt.timedelta(days=100 * k) for k in range(20)]
    comparison = judge(50, [seen(day, 1) for day in days if day <= LAST])
    assert (comparison.level != "insufficient_history") is enough


PERIOD = said("2018-10-01", "2023-09-30", 20)


def test_period_bounds_the_maximum_and_counts_as_watched() -> None:
    comparison = judge(73, [PERIOD])
    assert comparison.level == "unprecedented"
    assert (comparison.n, comparison.n_dated, comparison.max, comparison.median) == (1, 0, 20, None)
    assert judge(20, [PERIOD]).level == "normal"
    assert judge(0, [PERIOD]).level == "normal"


def test_dated_count_above_the_bound_wins() -> None:
    assert judge(25, [PERIOD, seen("2021-01-01", 30)]).max == 30


def test_period_has_no_place_in_the_median() -> None:
    assert judge(5, [PERIOD, seen("2021-01-01", 2), seen("2022-01-01", 4)]).median == 3.0


def test_period_over_nine_tenths_bounds_the_90th_percentile() -> None:
    # 2018-12-05 to 2023-12-04: the period covers 1761 of 1826 days (96 %), one count above it.
    busy = [PERIOD, seen("2023-10-05", 73)]
    assert judge(21, busy, date=dt.date(2023, 12, 5)).level == "elevated"
    assert judge(20, busy, date=dt.date(2023, 12, 5)).level == "normal"
    # 2019-07-01 to 2024-06-30: 85 %, so nothing is known of the 90th percentile.
    busy.append(seen("2024-06-17", 255))
    assert judge(21, busy, date=dt.date(2024, 7, 1)).level == "normal"


def test_short_period_is_thin_history() -> None:
    comparison = judge(73, [said("2022-10-01", "2023-09-30", 20)])
    assert comparison.level == "insufficient_history"
    assert "cover 20%" in comparison.why


def test_periods_that_overlap_cover_their_days_once() -> None:
    half_year = [said("2022-10-01", "2023-03-31", n, source=f"{n}") for n in range(20)]
    comparison = judge(73, [*half_year, said("2022-12-01", "2022-12-31", 5)])
    assert comparison.level == "insufficient_history"
    assert "cover 10% of it" in comparison.why
    assert "2018-10-05 to 2022-09-30" in comparison.why


def test_period_that_only_touches_the_window_bounds_it() -> None:
    assert judge(3, [*TEN, said("2015-01-01", "2018-10-05", 40)]).max == 40
    assert judge(3, [*TEN, said("2015-01-01", "2018-10-04", 40)]).max == 20


@pytest.mark.parametrize(
    ("fields", "typical", "most", "ceiling"),
    [
        ({"low": 30, "high": 50}, 40.0, 50, 50),
        ({"low": 30, "best": 35, "high": 50}, 35.0, 35, 50),
        ({"low": 8}, 8.0, 8, 8),
        ({"high": 12}, None, 12, 12),
        ({"best": 0}, 0.0, 0, 0),
        ({}, None, None, None),
    ],
)
def test_partly_known_counts(
    fields: dict[str, int], typical: float | None, most: int | None, ceiling: int | None
) -> None:
    one = Observation(first=DAY, last=DAY, **fields)
    assert (one.typical, one.most, one.ceiling, one.has_count) == (typical, most, ceiling, bool(fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"last": dt.date(2023, 10, 4)},
        {"last": dt.date(2023, 11, 5)},
        {"low": 3, "best": 2},
        {"best": 3, "high": 2},
        {"low": 3, "high": 2},
        {"best": -1},
    ],
)
def test_observation_out_of_order(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Observation(**{"first": DAY, "last": DAY, **fields})


@pytest.mark.parametrize(("low", "best", "high"), [(5, 4, 6), (3, 4, 3), (-1, 0, 1)])
def test_count_out_of_order(low: int, best: int, high: int) -> None:
    with pytest.raises(InputError):
        compare(Interval(best=best, low=low, high=high), date=DAY, observations=[])


days = st.dates(min_value=dt.date(2018, 1, 1), max_value=dt.date(2024, 6, 1))
dated = st.builds(seen, days, st.integers(0, 40))
periods = st.builds(
    lambda first, n, high: Observation(
        first=first, last=first + dt.timedelta(days=n), high=high, statement="period_maximum"
    ),
    days,
    st.integers(0, 2500),
    st.integers(0, 40),
)
histories = st.lists(st.one_of(dated, dated, dated, periods), max_size=25)


@settings(max_examples=150, deadline=None)
@given(histories, st.one_of(dated, periods), st.integers(0, 60))
def test_one_more_observation_never_lowers_the_maximum(
    observations: list[Observation], extra: Observation, best: int
) -> None:
    before = judge(best, observations).max
    after = judge(best, [*observations, extra]).max
    assert before is None or (after is not None and after >= before)


@settings(max_examples=150, deadline=None)
@given(histories, st.integers(0, 8))
def test_level_rises_with_the_count(observations: list[Observation], doubt: int) -> None:
    ranks = [LEVELS.index(judge(best, observations, low=max(best - doubt, 0)).level) for best in range(0, 50)]
    assert ranks == sorted(ranks)


@settings(max_examples=100, deadline=None)
@given(histories, st.randoms(use_true_random=False), st.integers(0, 50))
def test_order_does_not_matter(observations: list[Observation], random: Any, best: int) -> None:
    shuffled = list(observations)
    random.shuffle(shuffled)
    one, other = judge(best, observations), judge(best, shuffled)
    assert (one.level, one.max, one.median, one.n, one.why) == (
        other.level,
        other.max,
        other.median,
        other.n,
        other.why,
    )


@settings(max_examples=100, deadline=None)
@given(histories, st.integers(0, 50))
def test_unprecedented_means_above_every_count_used(observations: list[Observation], best: int) -> None:
    comparison = judge(best, observations)
    above = all(best > (one.ceiling or 0) for one in comparison.observations)
    if comparison.level != "insufficient_history":
        assert (comparison.level == "unprecedented") == above


def test_too_few_days_do_not_pass_for_normal_in_silence() -> None:
    busy = [said("2018-10-01", "2023-09-30", 20), seen("2023-10-05", 73), seen("2024-06-17", 255)]
    comparison = judge(73, busy, date=dt.date(2024, 7, 1))
    assert comparison.level == "normal"
    assert "2 days with a count are too few to tell normal from elevated (it needs 9)" in comparison.why
    assert "say of 85% of these days that no more than 20 stood there" in comparison.why
    below = judge(15, busy, date=dt.date(2024, 7, 1))
    assert "too few to tell normal from elevated" in below.why
    assert "high for the place" not in below.why


def test_a_bound_over_nine_tenths_needs_no_such_words() -> None:
    assert "too few" not in judge(20, [PERIOD]).why


def test_a_day_with_many_counts_weighs_no_more() -> None:
    many = [seen("2022-11-04", 20, source=f"{n}") for n in range(12)]
    comparison = judge(9, [*TEN, *many])
    assert comparison.median == 4.0
    assert (comparison.n_dated, comparison.n_days) == (22, 11)
    assert "22 dated counts on 11 days" in comparison.why


@settings(max_examples=100, deadline=None)
@given(histories, st.integers(0, 50))
def test_four_years_later_the_answer_is_the_same(observations: list[Observation], best: int) -> None:
    """Four years hold the same leap day, so that windows are as long."""
    move = dt.timedelta(days=1461)
    later = [replace(one, first=one.first + move, last=one.last + move) for one in observations]
    here, there = judge(best, observations), judge(best, later, date=DAY + move)
    assert (here.level, here.max, here.median, here.n) == (there.level, there.max, there.median, there.n)


@settings(max_examples=100, deadline=None)
@given(histories, st.integers(0, 50), st.integers(1, 3000), st.integers(0, 500))
def test_what_is_older_than_the_window_changes_nothing(
    observations: list[Observation], best: int, days: int, count: int
) -> None:
    old = seen(FIRST - dt.timedelta(days=days), count)
    assert judge(best, [*observations, old]) == judge(best, observations)
