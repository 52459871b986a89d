"""What a history says a batch still has to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from railcount.history import History, Neighbourhood, Result

from .records import pass_of, tile, without_count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from railcount.observation import PassCount
    from railcount.records import TileRecord

DAY = Neighbourhood(dt.date(2023, 10, 5))


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """An empty one."""
    with History.open(tmp_path / "h.sqlite") as opened:
        yield opened


def keep(history: History, *tiles: TileRecord, context: str = "") -> None:
    for one in tiles:
        assert one.sha256 is not None
        history.remember_files([(one.tile, 1, 1, one.sha256)])
        history.record_tile(one, key="k", context=context)


def join(history: History, *passes: PassCount) -> int:
    return history.regroup([(one, None) for one in passes], where=DAY, key="k")


def ids(history: History) -> list[str]:
    return [one.id for one in history.passes(key="k")]


def test_results_say_status_and_context(history: History) -> None:
    one = tile()
    keep(history, one, context="c")
    assert history.results("k") == {one.sha256: Result("counted", "c")}
    assert history.results("other") == {}


def test_what_was_counted_waits_to_be_joined(history: History) -> None:
    one, two = tile("a.tif"), tile("b.tif", acquired=None)
    keep(history, one, two)
    alone = Neighbourhood(None, two.sha256)
    assert history.unjoined() == [("k", alone), ("k", DAY)]
    assert history.is_unjoined(DAY, key="k")
    assert history.fresh(DAY, key="k") == {one.sha256}
    join(history, pass_of(one))
    assert history.unjoined() == [("k", alone)]
    assert not history.is_unjoined(DAY, key="k")
    assert history.fresh(DAY, key="k") == set()
    assert history.tiles_of("p", key="k") == {one.sha256}
    assert history.tiles_of("p", key="other") == frozenset()


def test_a_new_result_touches_where_the_old_one_was(history: History) -> None:
    one = tile("a.tif")
    keep(history, one)
    join(history, pass_of(one))
    keep(history, replace(one, acquired=dt.date(2020, 1, 1)))
    assert history.unjoined() == [("k", Neighbourhood(dt.date(2020, 1, 1))), ("k", DAY)]


def test_neighbours_are_of_the_day_and_those_beside_it(history: History) -> None:
    day = dt.date(2023, 10, 5)
    dated = [tile(f"{n}.tif", acquired=day + dt.timedelta(days=n)) for n in (-2, -1, 0, 1, 2)]
    midnight = tile("late.tif", acquired=dt.datetime(2023, 10, 6, 23, 59, 59, tzinfo=dt.UTC))
    keep(history, *dated, midnight)
    names = {record.tile for record in history.nearby(DAY, key="k")}
    assert names == {"archive/-1.tif", "archive/0.tif", "archive/1.tif", "archive/late.tif"}


def test_a_tile_without_a_date_is_alone_unless_its_name_has_one(history: History) -> None:
    undated, other = tile("u.tif", acquired=None), tile("v.tif", acquired=None)
    broken = without_count("20231005_021100_ssc3_u0001_visual.tif", status="failed", acquired=None)
    keep(history, undated, other, broken)
    alone = history.nearby(Neighbourhood(None, undated.sha256), key="k")
    assert [record.tile for record in alone] == [undated.tile]
    assert [record.tile for record in history.nearby(DAY, key="k")] == [broken.tile]


def test_a_content_that_was_replaced_is_gone(history: History) -> None:
    old, other = tile("a.tif"), tile("b.tif")
    keep(history, old, other)
    join(history, pass_of(old, other))
    new = tile("a.tif", content="new", acquired=dt.date(2020, 1, 1))
    assert new.sha256 is not None
    history.remember_files([(new.tile, 2, 2, new.sha256)])
    assert history.unjoined() == [("k", DAY)]
    assert {record.sha256 for record in history.nearby(DAY, key="k")} == {other.sha256}


def test_a_content_with_another_file_or_a_deleted_one_stays(history: History) -> None:
    one, again = tile("a.tif"), tile("b.tif", content="a.tif")
    keep(history, one, again)
    join(history, pass_of(again))
    assert one.sha256 is not None

    def now_holds(name: str, content: str) -> None:
        sha256 = tile(content=content).sha256
        assert sha256 is not None
        history.remember_files([(f"archive/{name}", 3, 3, sha256)])

    now_holds("a.tif", "new")
    assert history.unjoined() == []
    now_holds("b.tif", "newer")
    assert history.unjoined() == [("k", DAY)]
    join(history)
    now_holds("c.tif", "a.tif")
    assert history.unjoined() == [("k", DAY)], "it is back"
    assert [record.sha256 for record in history.nearby(DAY, key="k")] == [one.sha256]


def test_passes_that_lost_their_tiles_go(history: History) -> None:
    one, two = tile("a.tif"), tile("b.tif")
    keep(history, one, two)
    assert join(history, pass_of(one, id="one"), pass_of(two, id="two")) == 0
    assert join(history, pass_of(one, two, id="both")) == 2
    assert ids(history) == ["both"]
    keep(history, tile("a.tif", content="new a"), tile("b.tif", content="new b"))
    assert join(history) == 1
    assert ids(history) == []
    assert history.check() == []
