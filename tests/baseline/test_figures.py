"""Figures of a window, chance of a count, change since the last pass."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from railcount.baseline import FIVE_YEARS, Observation, Window
from railcount.baseline.figures import chance, figures, step
from railcount.baseline.selection import select
from railcount.counts import Interval
from railcount.errors import InputError

from .factories import day, measured, seen

DAY = day("2023-10-05")
COUNTS = [0, 0, 0, 0, 0, 0, 1, 2, 3, 20]
TEN = [seen(dt.date(2019, 1, 1) + dt.timedelta(days=150 * k), n) for k, n in enumerate(COUNTS)]


def chosen(*observations: Observation, on: dt.date = DAY, window: Window = FIVE_YEARS):  # type: ignore[no-untyped-def]
    return select(observations, day=on, window=window)


def exactly(best: int) -> Interval:
    return Interval(best=best, low=best, high=best)


def test_figures_by_hand() -> None:
    one = figures(chosen(*TEN))
    assert (one.n, one.n_dated, one.n_days, one.max) == (10, 10, 10, 20)
    assert (one.median, one.p10, one.p90, one.spread) == (0.0, 0.0, 3.0, 3.0)
    assert one.zero_share == 0.6
    assert (one.first, one.last) == (TEN[0].first, TEN[-1].first)


def test_spread_is_not_zero_where_most_days_are_empty() -> None:
    mostly = [seen(dt.date(2019, 1, 1) + dt.timedelta(days=90 * k), 0 if k < 16 else 9) for k in range(19)]
    assert figures(chosen(*mostly)).spread == 9.0


def test_below_nine_days_there_are_no_percentiles() -> None:
    one = figures(chosen(*TEN[:8]))
    assert (one.p10, one.p90, one.spread) == (None, None, None)
    assert one.median == 0.0


def test_nothing() -> None:
    one = figures(chosen())
    assert (one.n, one.max, one.median, one.zero_share, one.first) == (0, None, None, None, None)
    assert one.longest_gap == (dt.date(2018, 10, 5), dt.date(2023, 10, 4))


def test_images_without_a_count_are_no_zeros() -> None:
    blind = [seen(dt.date(2022, 1, 1) + dt.timedelta(days=k), None) for k in range(30)]
    with_them, without = figures(chosen(*TEN, *blind)), figures(chosen(*TEN))
    assert with_them == without
    assert chance(exactly(1), days=chosen(*TEN, *blind).days) == chance(exactly(1), days=chosen(*TEN).days)
    assert len(chosen(*TEN, *blind).uncounted) == 30


def test_a_day_counts_once_with_its_highest() -> None:
    many = [seen("2022-01-01", n, source=str(n)) for n in (3, 8, 5)]
    (one,) = chosen(*many).days
    assert (one.value, one.observation.source) == (8.0, "8")
    assert figures(chosen(*many)).n_days == 1


def test_the_same_row_from_two_tables_is_one() -> None:
    assert chosen(*TEN, *TEN) == chosen(*TEN)


def test_of_equal_counts_of_a_day_the_measured_one_stands() -> None:
    (one,) = chosen(seen("2022-01-01", 8, source="z"), measured("2022-01-01", 8)).days
    assert one.observation.method == "measured"


@pytest.mark.parametrize(("best", "expected"), [(21, 1 / 11), (20, 2 / 11), (1, 5 / 11), (0, 1.0)])
def test_chance(best: int, expected: float) -> None:
    found = chance(exactly(best), days=chosen(*TEN).days)
    assert found is not None
    assert found.best == pytest.approx(expected)


def test_chance_of_the_low_end_is_never_smaller() -> None:
    found = chance(Interval(best=21, low=2, high=30), days=chosen(*TEN).days)
    assert found is not None
    assert (found.best, found.low) == pytest.approx((1 / 11, 4 / 11))
    assert chance(exactly(3), days=()) is None


def test_step() -> None:
    blind = [seen("2022-05-01", None), seen("2022-06-01", None)]
    found = step(Interval(best=25, low=22, high=26), day=DAY, selection=chosen(*TEN, *blind))
    assert found is not None
    last = TEN[-1].first
    assert (found.since, found.count, found.difference) == (last, 20.0, 5.0)
    assert found.days == (DAY - last).days
    assert found.certain
    assert found.n_uncounted == 0, "both lie before the last count"
    later = chosen(*TEN, seen("2023-09-01", None))
    again = step(Interval(best=25, low=20, high=26), day=DAY, selection=later)
    assert again is not None
    assert (again.certain, again.n_uncounted) == (False, 1)
    assert step(exactly(3), day=DAY, selection=chosen()) is None


@pytest.mark.parametrize(
    ("text", "first"),
    [("5y", "2018-10-05"), ("18m", "2022-04-05"), ("400d", "2022-08-31"), ("1m", "2023-09-05")],
)
def test_windows(text: str, first: str) -> None:
    assert Window.parse(text).before(DAY) == (day(first), dt.date(2023, 10, 4))


@pytest.mark.parametrize("text", ["", "5", "0y", "-1y", "5 y", "1.5y", "y", "5w", "\u0665y", "999999y"])
def test_windows_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="like 5y"):
        Window.parse(text)


def test_window_before_the_calendar() -> None:
    for text in ("99999d", "99999m", "99999y"):
        with pytest.raises(InputError, match="too early"):
            Window.parse(text).before(dt.date(100, 1, 1))
    with pytest.raises(InputError, match="one length"):
        Window(years=1, days=2)


def test_months_of_different_length() -> None:
    assert Window(months=1).before(dt.date(2023, 3, 31))[0] == dt.date(2023, 2, 28)


@pytest.mark.parametrize(
    ("when", "inside"),
    [
        ("2022-10-05", True),
        ("2022-08-21", True),
        ("2022-08-20", False),
        ("2022-11-19", True),
        ("2022-11-20", False),
        ("2020-04-05", False),
    ],
)
def test_season(when: str, inside: bool) -> None:
    selection = chosen(seen(when, 5), window=Window(years=5, season=True))
    assert bool(selection.used) is inside
    if not inside:
        assert [reason for _, reason in selection.not_used] == ["another season"]


def test_season_across_the_turn_of_the_year() -> None:
    selection = chosen(
        seen("2021-11-25", 1), seen("2021-02-10", 2), seen("2021-07-01", 3),
        on=day("2023-01-01"), window=Window(years=5, season=True),
    )  # fmt: skip
    assert [one.best for one in selection.used] == [2, 1]


def test_a_season_may_leave_out_the_rest_of_the_year() -> None:
    autumns = [seen(dt.date(year, 10, d), 3) for year in range(2018, 2023) for d in (8, 20)]
    from railcount.baseline import compare

    found = compare(exactly(4), date=DAY, observations=autumns, window=Window(years=5, season=True))
    assert found.level == "unprecedented"


days = st.dates(min_value=dt.date(2016, 1, 1), max_value=dt.date(2023, 12, 31))
rows = st.builds(seen, days, st.one_of(st.none(), st.integers(0, 60)))


@settings(max_examples=150, deadline=None)
@given(st.lists(rows, max_size=25), st.randoms(), st.booleans())
def test_order_does_not_matter(observations: list[Observation], random: object, season: bool) -> None:
    shuffled = list(observations)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    window = Window(years=5, season=season)
    assert chosen(*observations, window=window) == chosen(*shuffled, window=window)


@settings(max_examples=150, deadline=None)
@given(st.lists(rows, max_size=25), rows)
def test_what_lies_outside_the_window_changes_nothing(
    observations: list[Observation], other: Observation
) -> None:
    if FIVE_YEARS.before(DAY)[0] <= other.first < DAY:
        return
    assert chosen(*observations, other) == chosen(*observations)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_higher_counts_never_have_a_higher_chance(counts: list[int], one: int, other: int) -> None:
    past = chosen(*[seen(dt.date(2020, 1, 1) + dt.timedelta(days=k), n) for k, n in enumerate(counts)]).days
    low, high = sorted([one, other])
    lower, higher = chance(exactly(low), days=past), chance(exactly(high), days=past)
    assert lower is not None
    assert higher is not None
    assert 1 / (len(counts) + 1) <= higher.best <= lower.best <= 1
