"""What a history says a batch still has to do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from railcount.history import History, Neighbourhood, Result

from .records import pass_of, tile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def ids(history: History) -> list[str]:
    return [one.id for one in history.passes(key="k")]


def test_results_say_status_and_context(history: History) -> None:
    one = tile()
    keep(history, one, context="c")
    assert history.results("k") == {one.sha256: Result("counted", "c")}
    assert history.results("other") == {}


def test_a_tile_is_loose_until_a_pass_holds_it(history: History) -> None:
    one, two = tile("a.tif"), tile("b.tif", acquired=None)
    keep(history, one, two)
    assert history.loose("k") == {one.sha256: DAY, two.sha256: Neighbourhood(None, "archive")}
    history.regroup([pass_of(one)], key="k")
    assert list(history.loose("k")) == [two.sha256]


def test_neighbours_are_of_the_day_and_those_beside_it_or_of_the_folder(history: History) -> None:
    day = dt.date(2023, 10, 5)
    dated = [tile(f"{n}.tif", acquired=day + dt.timedelta(days=n)) for n in (-2, -1, 0, 1, 2)]
    midnight = tile("late.tif", acquired=dt.datetime(2023, 10, 6, 23, 59, 59, tzinfo=dt.UTC))
    undated = [tile("u.tif", acquired=None), tile("deeper/u.tif", acquired=None, content="x")]
    keep(history, *dated, midnight, *undated)
    names = {record.tile for record in history.nearby(DAY, key="k")}
    assert names == {"archive/-1.tif", "archive/0.tif", "archive/1.tif", "archive/late.tif"}
    beside = history.nearby(Neighbourhood(None, "archive/deeper"), key="k")
    assert [record.tile for record in beside] == ["archive/deeper/u.tif"]


def test_a_content_that_was_replaced_is_stale(history: History) -> None:
    old, other, new = tile("a.tif"), tile("b.tif"), tile("a.tif", content="new")
    keep(history, old, other)
    history.regroup([pass_of(old, other)], key="k")
    assert history.stale() == {}
    keep(history, new)
    assert history.stale() == {"k": {DAY}}
    assert set(history.loose("k")) == {new.sha256}
    assert {record.sha256 for record in history.nearby(DAY, key="k")} == {other.sha256, new.sha256}
    history.regroup([pass_of(other, new)], key="k")
    assert history.stale() == {}


def test_a_content_with_another_file_or_a_deleted_one_stays(history: History) -> None:
    one, again = tile("a.tif"), tile("b.tif", content="a.tif")
    keep(history, one, again)
    history.regroup([pass_of(again)], key="k")
    keep(history, tile("a.tif", content="new"))
    assert history.stale() == {}
    keep(history, tile("b.tif", content="newer"))
    assert history.stale() == {"k": {DAY}}
    keep(history, tile("c.tif", content="a.tif"))
    assert history.stale() == {}, "it is back"


def test_passes_that_lost_their_tiles_go(history: History) -> None:
    one, two = tile("a.tif"), tile("b.tif")
    keep(history, one, two)
    history.regroup([pass_of(one, id="one"), pass_of(two, id="two")], key="k")
    history.regroup([pass_of(one, two, id="both")], key="k")
    assert ids(history) == ["both"]
    keep(history, tile("a.tif", content="new a"), tile("b.tif", content="new b"))
    history.regroup([], key="k")
    assert ids(history) == []
    assert history.check() == []
