"""Published and hand counts, and what a site's observations are with them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from railcount import sites
from railcount.counts import Interval
from railcount.errors import InputError

from .factories import KEY, NOON, observation, one_pass, tile, uncounted

if TYPE_CHECKING:
    from railcount.history import History
    from railcount.records import TileRecord

DAY = dt.date(2023, 10, 5)
SITE = "tumangang"


def keep(history: History, record: TileRecord, *, pass_id: str) -> None:
    history.record_tile(record, key=KEY)
    history.record_pass(one_pass(record, pass_id=pass_id), key=KEY)


def seen(history: History, **given: Any) -> list[tuple[str, str, int | None]]:
    return [(str(one.first), one.method, one.best) for one in history.observations(SITE, **given)]


def test_a_pass_is_an_observation(history: History) -> None:
    record = tile(n=40, status="degraded", reasons=("haze",))
    keep(history, record, pass_id="p")
    (one,) = history.observations(SITE)
    assert (one.first, one.last, one.low, one.best, one.high) == (DAY, DAY, 39, 40, 42)
    assert (one.method, one.unit, one.statement, one.zone) == ("measured", "cars", "image", "freight-yard")
    assert (one.id, one.visible_fraction, one.simulated, one.sensor) == ("p", 0.97, False, "SSC3")
    assert "a.tif" in one.source
    assert one.notes == "degraded; haze"
    assert history.observations("khasan") == ()


def test_the_source_is_the_files_name_whole(history: History) -> None:
    keep(history, tile("2023-10-05/odd\\name.tif"), pass_id="p")
    (one,) = history.observations(SITE)
    assert one.source == r"railcount, odd\name.tif"


def test_days_are_the_sites(history: History) -> None:
    keep(history, tile(acquired=NOON.replace(hour=20)), pass_id="p")
    site = sites.load(SITE)
    assert [one.first for one in history.observations(site)] == [dt.date(2023, 10, 6)]
    west = replace(site, utc_offset_h=-8.0)
    assert [one.first for one in history.observations(west)] == [DAY]


def test_a_pass_without_a_count_has_no_numbers(history: History) -> None:
    keep(history, uncounted(), pass_id="p")
    (one,) = history.observations(SITE)
    assert not one.has_count
    assert one.notes == "uncountable; cloud over the tracks"


def test_a_pass_without_a_date_is_left_out(history: History) -> None:
    keep(history, tile(acquired=None), pass_id="p")
    assert history.observations(SITE) == ()
    with pytest.raises(InputError, match="no date"):
        history.add_hand_count("p", best=3)


def test_passes_of_one_day_stay_apart(history: History) -> None:
    keep(history, tile("a.tif", n=4), pass_id="a")
    keep(history, tile("b.tif", n=6), pass_id="b")
    assert seen(history) == [("2023-10-05", "measured", 4), ("2023-10-05", "measured", 6)]


def test_a_hand_count_stands_for_the_machines_of_its_pass(history: History) -> None:
    keep(history, tile("a.tif", n=4), pass_id="a")
    keep(history, tile("b.tif", n=6), pass_id="b")
    before = next(history.passes(pass_id="a"))
    history.add_hand_count("a", best=9, low=8, high=12, who="Ana", at=NOON, why="shadow")
    assert seen(history) == [("2023-10-05", "hand", 9), ("2023-10-05", "measured", 6)]
    by_hand = history.observations(SITE)[0]
    assert (by_hand.low, by_hand.high, by_hand.zone, by_hand.id) == (8, 12, "freight-yard", "a")
    (stored,) = history.counts(pass_id="a")
    assert (stored.who, stored.at, stored.why, stored.site) == ("Ana", NOON, "shadow", SITE)
    assert next(history.passes(pass_id="a")) == before, "the machine's count is kept"
    lines = {one.id: one for one in history.summaries()}
    assert lines["a"].railcars == Interval(best=4, low=3, high=6)
    assert lines["a"].hand == stored
    assert lines["b"].hand is None


def test_the_hand_count_given_last_stands(history: History) -> None:
    keep(history, tile(), pass_id="a")
    for n in (9, 8, 9):
        history.add_hand_count("a", best=n)
        assert seen(history) == [("2023-10-05", "hand", n)]
    assert len(list(history.counts())) == 2
    last = list(history.counts())[-1]
    history.remove_count(last.id)
    assert seen(history) == [("2023-10-05", "hand", 8)]
    with pytest.raises(InputError, match="no count"):
        history.remove_count(last.id)


def test_a_hand_count_survives_a_recount(history: History) -> None:
    keep(history, tile(n=4), pass_id="a")
    history.add_hand_count("a", best=9)
    history.record_tile(tile(n=5), key="new")
    history.record_pass(one_pass(tile(n=5), pass_id="a"), key="new")
    assert seen(history) == [("2023-10-05", "hand", 9)]


def test_a_hand_count_of_a_day_stands_for_its_passes(history: History) -> None:
    keep(history, tile("a.tif", n=4), pass_id="a")
    keep(history, tile("b.tif", n=6, zone="khasan"), pass_id="b")
    keep(history, tile("c.tif", n=7, acquired=dt.date(2023, 10, 7)), pass_id="c")
    history.add_counts(SITE, [observation(zone="freight-yard", method="hand", best=73)])
    assert seen(history) == [
        ("2023-10-05", "hand", 73),
        ("2023-10-05", "measured", 6),
        ("2023-10-07", "measured", 7),
    ]
    history.add_counts(SITE, [observation(zone=None, method="hand", best=75)])
    assert seen(history) == [
        ("2023-10-05", "hand", 75),
        ("2023-10-05", "hand", 73),
        ("2023-10-07", "measured", 7),
    ]


def test_other_counts_replace_nothing(history: History) -> None:
    """Published ones, those of trains or of a set, and those of a month."""
    keep(history, tile(n=4), pass_id="a")
    month = {"first": dt.date(2023, 10, 1), "last": dt.date(2023, 10, 31)}
    others = [
        observation(),
        observation(method="hand", unit="trains"),
        observation(method="hand", unit="set"),
        replace(observation(method="hand"), **month),
    ]
    assert history.add_counts(SITE, others) == 4
    assert ("2023-10-05", "measured", 4) in seen(history)
    assert len(seen(history)) == 5


def test_the_same_row_twice_is_one(history: History) -> None:
    rows = [observation(), observation(zone="complex"), observation()]
    assert history.add_counts(SITE, rows, who="Ana", at=NOON) == 2
    assert history.add_counts(SITE, rows, who="Ben", at=NOON.replace(year=2024), why="again") == 0
    assert history.add_counts("khasan", rows) == 2
    assert [one.who for one in history.counts(site=SITE)] == ["Ana", "Ana"]


def test_counts_come_back_as_they_were(history: History) -> None:
    rows = [
        observation(qualifier="about", url="https://example.org/a", notes="stray \udcff", sensor="SSC3"),
        observation(low=None, best=None, high=None),
        observation(first=dt.date(2018, 10, 1), statement="period_maximum", low=0, best=None, high=20),
        observation(method="hand", visible_fraction=0.5, simulated=True, id="of a pass"),
    ]
    history.add_counts(SITE, rows)
    assert [one.observation for one in history.counts()] == rows


def test_a_measured_count_cannot_be_added(history: History) -> None:
    rows = [observation(), observation(method="measured")]
    with pytest.raises(InputError, match="measured"):
        history.add_counts(SITE, rows)
    assert list(history.counts()) == [], "all or none"


def test_real_and_simulated_are_not_mixed(history: History) -> None:
    keep(history, tile("real.tif", n=4), pass_id="real")
    keep(history, tile("drawn.tif", n=6, simulated=True), pass_id="drawn")
    keep(history, tile("drawn2.tif", n=7, simulated=True), pass_id="drawn2")
    history.add_counts(SITE, [observation(dt.date(2023, 1, 1), best=72)])
    history.add_hand_count("drawn2", best=8)
    assert seen(history) == [("2023-01-01", "published", 72), ("2023-10-05", "measured", 4)]
    drawn = history.observations(SITE, simulated=True)
    assert [(one.method, one.best, one.simulated) for one in drawn] == [
        ("hand", 8, True),
        ("measured", 6, True),
    ]
    # A count of the real yard on that day says nothing of a drawn one.
    history.add_counts(SITE, [observation(method="hand")])
    assert ("2023-10-05", "measured", 6) in seen(history, simulated=True)
    assert seen(history) == [("2023-01-01", "published", 72), ("2023-10-05", "hand", 73)]


def test_a_pass_whose_numbers_are_out_of_order_is_declined(history: History) -> None:
    record = tile()
    history.record_tile(record, key=KEY)
    with pytest.raises(InputError, match="low <= best"):
        history.record_pass(one_pass(record, railcars=Interval(best=3, low=4, high=5)), key=KEY)


def test_a_hand_count_of_no_pass(history: History) -> None:
    with pytest.raises(InputError, match="no pass"):
        history.add_hand_count("nowhere", best=1)


def test_a_hand_count_of_a_pass_without_a_site(history: History) -> None:
    keep(history, tile(site=None, zone=None), pass_id="somewhere")
    history.add_hand_count("somewhere", best=9)
    assert [one.hand.observation.best for one in history.summaries() if one.hand] == [9]


def test_a_hand_count_outlives_the_name_of_its_pass(history: History) -> None:
    """Another tile comes, and the pass begins earlier and is called otherwise: the day's count stands."""
    keep(history, tile(n=4), pass_id="a")
    for n in (8, 9):
        history.add_hand_count("a", best=n)
    history.record_tile(tile(n=5), key="new")
    history.record_pass(one_pass(tile(n=5), pass_id="renamed"), key="new")
    assert seen(history) == [("2023-10-05", "hand", 9)]
    assert [one.hand.observation.best for one in history.summaries() if one.hand] == [9]
    history.record_pass(one_pass(tile(n=4), pass_id="a"), key=KEY)
    assert seen(history) == [("2023-10-05", "hand", 9)]
