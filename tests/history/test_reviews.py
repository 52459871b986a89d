"""Decisions in the history: kept at once, taken back but not lost, gone with their pass."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.errors import HistoryError, InputError
from railcount.history import History, schema
from railcount.review import Decision, review_of

from .factories import KEY, car, one_pass, tile

if TYPE_CHECKING:
    from pathlib import Path

AT = dt.datetime(2026, 11, 26, 4, 30, tzinfo=dt.UTC)
REJECT = Decision(action="reject", ring=car(0).ring, who="Ana \udcff", at=AT)
SPLIT = Decision(action="split", ring=car(1).ring, parts=2, who="Ana", at=AT)
ADD = Decision(action="add", ring=((1.5, 2.25), (1.5, 3.0), (2.0, 3.0)), kind="tank")


@pytest.fixture
def history(history: History) -> History:
    history.record_tile(tile(), key=KEY)
    history.record_pass(one_pass(tile(), pass_id="one"), key=KEY)
    return history


def test_decisions_come_back_as_they_were(history: History) -> None:
    for one in (REJECT, SPLIT, ADD):
        history.reviews().decide("one", one)
    assert history.reviews().decisions("one") == (REJECT, SPLIT, ADD)
    assert history.reviews().decisions("two") == ()
    assert history.check() == []


def test_undo_takes_back_the_last_that_stands_and_loses_nothing(history: History) -> None:
    reviews = history.reviews()
    for one in (REJECT, SPLIT):
        reviews.decide("one", one)
    assert reviews.undo("one") == SPLIT
    assert reviews.decisions("one") == (REJECT,)
    reviews.decide("one", ADD)
    assert reviews.undo("one") == ADD
    assert reviews.undo("one") == REJECT
    assert reviews.undo("one") is None
    assert reviews.decisions("one") == ()
    assert sum('"decision"' in line for line in history.dump()) == 3


def test_another_connection_sees_a_decision_at_once(history: History, path: Path) -> None:
    history.reviews().decide("one", REJECT)
    with History.open(path, readonly=True) as other:
        assert other.reviews().decisions("one") == (REJECT,)
        with pytest.raises(HistoryError, match="read alone"):
            other.reviews().decide("one", REJECT)


def test_of_no_pass(history: History) -> None:
    with pytest.raises(InputError, match="no pass two"):
        history.reviews().decide("two", REJECT)


def test_decisions_go_with_their_pass_and_stay_with_a_new_count(history: History) -> None:
    history.reviews().decide("one", REJECT)
    history.record_pass(one_pass(tile(), pass_id="one"), key=KEY)
    assert history.reviews().decisions("one") == (REJECT,)
    history.remove("one")
    assert history.reviews().decisions("one") == ()


def test_the_pass_that_holds_a_content(history: History) -> None:
    assert history.pass_holding(tile().sha256 or "") == "one"
    assert history.pass_holding("0" * 64) is None
    history.record_tile(tile(), key="new")
    history.record_pass(one_pass(tile(), pass_id="renamed"), key="new")
    assert history.pass_holding(tile().sha256 or "") == "renamed"


def test_a_damaged_decision_is_found(history: History) -> None:
    history.reviews().decide("one", REJECT)
    history._connection.execute("UPDATE decisions SET ring = 'no'")
    assert history.check() == ["1 decisions about cars cannot be read"]


def test_layout_1_gets_the_table(path: Path) -> None:
    """A history as the layout before decisions wrote it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        schema.migrate(connection, steps=schema.MIGRATIONS[:1])
        assert schema.version_of(connection) == 1
    with pytest.raises(HistoryError, match="history upgrade"):
        History.open(path, readonly=True)
    with History.open(path) as history:
        assert history.reviews().decisions("one") == ()
        assert history.check() == []


def test_show_says_what_a_review_came_to(history: History, path: Path) -> None:
    def shown() -> str:
        result = CliRunner().invoke(cli, ["history", "show", "one", "--history", str(path)])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "review" not in shown()
    for one in (SPLIT, ADD, REJECT):
        history.reviews().decide("one", one)
    words = "review    4 railcars after 3 decisions: 1 rejected, 1 split, 1 added; last by Ana \\udcff at"
    assert words in shown()
    assert "not entered as the count" in shown()
    history.add_hand_count("one", best=4, who="Ana", at=AT, why="by eye")
    assert words in shown()
    assert "entered" not in shown()
    assert "by hand   4, in place of the machine's" in shown()
    assert "railcars  3 (2-5)" in shown()
    history.add_hand_count("one", best=5, low=4, high=6, who="Ana", at=AT, why="by eye")
    assert "; 5 (4-6) was entered instead" in " ".join(shown().split())


def test_a_car_added_and_rejected_is_in_the_tally(history: History) -> None:
    gone = Decision(action="reject", ring=ADD.ring)
    (one,) = history.passes()
    assert review_of(one, (ADD, gone)).tally == {"added and rejected": 1}


def test_remove_says_what_goes(history: History, path: Path) -> None:
    history.reviews().decide("one", REJECT)
    result = CliRunner().invoke(cli, ["history", "remove", "one", "--history", str(path)], input="n\n")
    assert "Remove one, and 1 decision about its cars, for good?" in result.stderr
    assert history.reviews().decisions("one") == (REJECT,)
