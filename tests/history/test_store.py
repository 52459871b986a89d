"""What is kept comes back as it was, and as often as it is kept."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from railcount.baseline import Observation
from railcount.counts import Interval
from railcount.errors import HistoryError, InputError
from railcount.history import History, KnownFile, Neighbourhood
from railcount.history.coding import CAR_COLUMNS
from railcount.history.counts import _OBSERVED
from railcount.records import CarRecord

from .factories import KEY, NOON, car, one_pass, tile, uncounted

HOSTILE = "bad\x1b[2J \udcff\ud800\u202e\n'; DROP TABLE tiles; --\0.tif"
"""A name from a stranger: terminal codes, stray bytes, a lone surrogate, right-to-left, SQL, NUL."""


def test_columns_hold_every_field() -> None:
    """A field that is added to these types needs a column, and a step in MIGRATIONS."""
    assert {field.name for field in fields(CarRecord)} == set(CAR_COLUMNS)
    assert {field.name for field in fields(Observation)} == {*_OBSERVED, "id"}


@pytest.mark.parametrize(
    "record",
    [
        tile(),
        tile(n=0),
        uncounted(),
        tile(acquired=dt.date(2023, 10, 5), simulated=True, doubts=("name says 2022",)),
        tile(acquired=None, site=None, credit=HOSTILE, sensor=HOSTILE, reasons=(HOSTILE,)),
        replace(tile(), tile=HOSTILE, site=HOSTILE, cars=(car(0, track=HOSTILE, heading_deg=None),)),
        tile(status="degraded", registration_m=(1.5, -2.25)),
    ],
)
def test_a_tile_and_its_pass_come_back(history: History, record: Any) -> None:
    history.record_tile(record, key=KEY)
    assert history.tile(record.sha256, key=KEY) == record
    assert list(history.records()) == [record]
    one = one_pass(record, pass_id=HOSTILE)
    history.record_pass(one, key=KEY)
    assert list(history.passes()) == [one]
    assert list(history.passes(pass_id=HOSTILE)) == [one]
    (line,) = history.summaries()
    assert (line.id, line.railcars, line.sensor, line.first_tile) == (
        HOSTILE,
        record.railcars,
        record.sensor,
        record.tile,
    )
    assert history.check() == []
    assert all(text.isascii() for text in history.dump())


def test_recording_again_changes_nothing(history: History) -> None:
    record = tile()
    one = one_pass(record)
    for _ in range(2):
        history.record_tile(record, key=KEY)
        history.record_pass(one, key=KEY)
        history.remember_parameters(KEY, {"site": None})
        digests = {history.digest()}
    assert len(list(history.records())) == 1
    history.record_tile(record, key=KEY)
    assert {history.digest()} == digests


def test_a_result_is_replaced(history: History) -> None:
    history.record_tile(tile(n=3), key=KEY)
    before = history.digest()
    history.record_tile(tile(n=4), key=KEY)
    assert [record.railcars for record in history.records()] == [Interval(best=4, low=3, high=6)]
    assert history.digest() != before


def test_the_digest_does_not_depend_on_the_order_of_work(tmp_path: Path) -> None:
    records = [tile(f"{k}.tif", n=k) for k in range(6)]
    digests = set()
    for order in (records, records[::-1]):
        with History.open(tmp_path / f"{order[0].railcars}.sqlite") as history:
            for record in order:
                history.begin(record.sha256 or "", key=KEY)
                history.record_tile(record, key=KEY)
                history.record_pass(one_pass(record, pass_id=record.tile), key=KEY)
            digests.add(history.digest())
    assert len(digests) == 1


def test_the_digest_does_not_depend_on_where_the_archive_lies(tmp_path: Path) -> None:
    digests = set()
    for folder in ("/a/2023-10-05", "/b\udcff/2023-10-05"):
        with History.open(tmp_path / f"{len(folder)}.sqlite") as history:
            history.record_tile(tile(folder=folder), key=KEY)
            assert history.check() == []
            digests.add(history.digest())
    assert len(digests) == 1


def test_a_pass_grows_and_shrinks(history: History) -> None:
    a, b = tile("a.tif"), uncounted("b.tif")
    for record in (a, b):
        history.record_tile(record, key=KEY)
    history.record_pass(one_pass(a), key=KEY)
    history.record_pass(one_pass(a, b), key=KEY)
    (found,) = history.passes()
    assert found.tiles == (a, b)
    assert history.members(KEY) == {found.id: frozenset({a.sha256, b.sha256})}
    history.record_pass(one_pass(a), key=KEY)
    assert history.members(KEY) == {found.id: frozenset({a.sha256})}


def test_a_pass_needs_its_tiles(history: History) -> None:
    with pytest.raises(InputError, match="must be recorded before"):
        history.record_pass(one_pass(tile()), key=KEY)
    assert list(history.passes()) == []


def test_other_parameters_count_anew_and_the_last_result_is_current(history: History) -> None:
    record, other = tile(n=3), tile(n=5)
    history.record_tile(record, key="old")
    history.record_pass(one_pass(record), key="old")
    assert history.finished("new") == set()
    history.record_tile(other, key="new")
    # Another date by other parameters: the same image is another pass then, and the old one goes out of use.
    renamed = one_pass(other, pass_id="tumangang-2023-10-06")
    history.record_pass(renamed, key="new")
    assert list(history.passes()) == [renamed]
    assert [one.railcars for one in history.passes(key="old")] == [record.railcars]
    assert [one.best for one in history.observations("tumangang")] == [5]
    history.record_pass(one_pass(record), key="old")
    assert [one.railcars for one in history.passes()] == [record.railcars]


def test_passes_are_chosen_by_site_and_day(history: History) -> None:
    for k, day in enumerate((dt.date(2023, 1, 1), dt.date(2023, 1, 2), None)):
        record = tile(f"{k}.tif", acquired=day, site="khasan-yard" if k == 1 else "tumangang")
        history.record_tile(record, key=KEY)
        history.record_pass(one_pass(record, pass_id=f"pass {k}"), key=KEY)

    def chosen(**given: Any) -> list[str]:
        ids = [one.id for one in history.passes(**given)]
        assert ids == [one.id for one in history.summaries(**given)]
        return ids

    assert chosen() == ["pass 0", "pass 1", "pass 2"]
    assert chosen(site="tumangang") == ["pass 0", "pass 2"]
    assert chosen(since=dt.date(2023, 1, 2)) == ["pass 1"]
    assert chosen(until=dt.date(2023, 1, 1)) == ["pass 0"]


def test_days_are_those_of_the_site(history: History) -> None:
    late = NOON.replace(hour=20)
    record, elsewhere = tile(acquired=late), tile("b.tif", acquired=late, site=None)
    for one in (record, elsewhere):
        history.record_tile(one, key=KEY)
        history.record_pass(one_pass(one), key=KEY)
    assert [str(one.day) for one in history.summaries()] == ["2023-10-05", "2023-10-06"]
    history.record_pass(one_pass(elsewhere), key=KEY, day=dt.date(2023, 10, 4))
    assert [str(one.day) for one in history.summaries()] == ["2023-10-04", "2023-10-06"]


def test_a_tile_without_content_is_declined(history: History) -> None:
    with pytest.raises(InputError, match="no content hash"):
        history.record_tile(tile(sha256=None), key=KEY)


def test_numbers_that_are_none_are_declined(history: History) -> None:
    with pytest.raises(InputError, match="finite numbers"):
        history.record_tile(tile(gsd_m=float("nan")), key=KEY)
    assert list(history.records()) == []


def test_a_hanging_tile_is_final_the_second_time(history: History) -> None:
    record = uncounted(status="timeout")
    sha256 = record.sha256 or ""
    assert history.begin(sha256, key=KEY) == 1
    history.record_tile(record, key=KEY)
    assert history.finished(KEY) == set()
    assert history.begin(sha256, key=KEY) == 2
    history.record_tile(replace(record, status="crashed"), key=KEY)
    assert history.finished(KEY) == {sha256}
    # Counted with more time after all.
    history.record_tile(tile("b.tif"), key=KEY)
    assert history.finished(KEY) == {sha256}


def test_a_killed_batch_blames_no_tile(history: History) -> None:
    """Attempts that nobody saw fail are known, but do not set a tile aside."""
    for n in (1, 2, 3):
        assert history.begin("a" * 64, key=KEY) == 1
        assert history.interrupted(KEY) == {"a" * 64: n}
    history.end("a" * 64, key=KEY)
    assert history.interrupted(KEY) == {}
    history.begin("a" * 64, key=KEY)
    history.end("a" * 64, key=KEY, failed=True)
    assert (history.interrupted(KEY), history.begin("a" * 64, key=KEY)) == ({}, 2)


def test_finished_is_per_parameters(history: History) -> None:
    history.record_tile(tile(), key="one")
    history.record_tile(uncounted(status="refused"), key="two")
    assert history.finished("one") == {tile().sha256}
    assert history.finished("two") == {uncounted().sha256}
    assert [record.status for record in history.records(key="two")] == ["refused"]


def test_records_of_many_tiles(history: History) -> None:
    records = [tile(f"{k}.tif", n=1) for k in range(150)]
    for record in records:
        history.record_tile(record, key="one")
        history.record_tile(record, key="two")
    assert len(list(history.records())) == 300
    found = list(history.records(key="two"))
    assert sorted(found, key=lambda r: r.tile) == sorted(records, key=lambda r: r.tile)


def test_known_files(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = os.fsdecode(b"stray \xff #?%.tif")
    names = ["a/1.tif", "a/b/2.tif", "a b/3.tif", f"a/{odd}", "ab/4.tif"]
    history.remember_files((tmp_path / name, k, 10 + k, f"{k}" * 64) for k, name in enumerate(names))
    assert history.known_file(tmp_path / "a" / odd) == KnownFile(3, 13, "3" * 64)
    below = dict(history.known_files(tmp_path / "a"))
    assert set(below) == {tmp_path / "a" / "1.tif", tmp_path / "a" / "b" / "2.tif", tmp_path / "a" / odd}
    monkeypatch.chdir(tmp_path)
    assert history.known_file("a/1.tif") == KnownFile(0, 10, "0" * 64)
    assert Path("a/b/2.tif") in dict(history.known_files("a"))
    assert set(dict(history.known_files("."))) == {Path(name) for name in names}
    history.remember_files([("a/1.tif", 7, 8, "9" * 64)])
    assert history.known_file("a/1.tif") == KnownFile(7, 8, "9" * 64)
    assert dict(history.known_files("nowhere")) == {}
    assert len(dict(history.known_files("/"))) == len(names)


def test_more_known_files_than_are_read_at_once(history: History) -> None:
    history.remember_files((f"/x/{k:05}.tif", k, k, "a" * 64) for k in range(2500))
    found = dict(history.known_files("/x"))
    assert len(found) == 2500
    assert found[Path("/x/01000.tif")].size == 1000


def test_remember_files_is_all_or_nothing(history: History) -> None:
    def items() -> Any:
        yield ("/x/a.tif", 1, 1, "a" * 64)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        history.remember_files(items())
    assert history.known_file("/x/a.tif") is None


def test_remove_takes_all_of_a_pass(history: History) -> None:
    a, b = tile("a.tif"), tile("b.tif")
    for record in (a, b):
        history.record_tile(record, key=KEY)
    history.record_pass(one_pass(a, b, pass_id="one"), key=KEY)
    history.record_pass(one_pass(b, pass_id="two"), key=KEY)
    history.add_hand_count("one", best=9)
    assert history.remove("one") == 1
    assert [one.id for one in history.passes()] == ["two"]
    assert history.finished(KEY) == {b.sha256}
    assert list(history.counts()) == []
    assert history.check() == []
    with pytest.raises(InputError, match="no pass one"):
        history.remove("one")


def test_backup_is_one_file_with_everything(history: History, tmp_path: Path) -> None:
    history.record_tile(tile(), key=KEY)
    target = tmp_path / "copy.sqlite"
    history.backup(target)
    assert not list(tmp_path.glob("copy.sqlite-*"))
    assert target.read_bytes()[18:20] == b"\1\1", "a rollback journal, so that it can be read anywhere"
    with History.open(target, readonly=True) as copy:
        assert copy.digest() == history.digest()
    with pytest.raises(FileExistsError):
        history.backup(target)


def test_a_readonly_history_is_not_written_to(history: History, path: Path) -> None:
    with History.open(path, readonly=True) as reader:
        for attempt in (
            lambda: reader.record_tile(tile(), key=KEY),
            lambda: reader.begin("a" * 64, key=KEY),
            lambda: reader.claim().__enter__(),
            lambda: reader.add_counts("x", []),
        ):
            with pytest.raises(HistoryError, match="to be read alone"):
                attempt()


def test_reading_beside_a_writer(history: History, path: Path) -> None:
    history.record_tile(tile("a.tif"), key=KEY)
    with History.open(path, readonly=True) as reader:
        assert len(reader.finished(KEY)) == 1
        connection = history._connection
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM tiles")
        assert len(reader.finished(KEY)) == 1, "what is not committed is not seen, and nobody waits"
        connection.execute("ROLLBACK")
        history.record_tile(tile("b.tif"), key=KEY)
        assert len(reader.finished(KEY)) == 2


def test_writing_while_reading_in_pieces(history: History, path: Path) -> None:
    """An iterator holds no transaction open: others, and the reader itself, may write meanwhile."""
    for k in range(130):
        history.record_tile(tile(f"{k}.tif", n=0), key=KEY)
    with History.open(path) as other:
        for k, record in enumerate(history.records(key=KEY)):
            other.begin(record.sha256 or "", key="other")
            history.begin(record.sha256 or "", key=f"{k}")
    assert len(history.interrupted("other")) == 130


def test_foreign_keys_are_on(history: History) -> None:
    history.record_tile(tile(), key=KEY)
    history.record_pass(one_pass(tile()), key=KEY)
    with pytest.raises(sqlite3.IntegrityError):
        history._connection.execute("DELETE FROM tiles")


def test_parameters_are_kept_in_words(history: History) -> None:
    history.remember_parameters(KEY, {"site": "tumangang", "gsd_m": None})
    assert history.parameters() == {KEY: {"site": "tumangang", "gsd_m": None}}


def test_what_a_pass_costs_does_not_grow_with_the_history(history: History) -> None:
    """In steps of SQLite's machine, which no clock has a part in."""

    def n_steps(first: int, last: int) -> int:
        for n in range(first, last):
            day = NOON - dt.timedelta(days=3 * n)
            record = tile(f"{n}.tif", n=1, acquired=day)
            history.record_tile(record, key=KEY)
            steps = 0

            def count() -> int:
                nonlocal steps
                steps += 1
                return 0

            where = Neighbourhood(day.date())
            history._connection.set_progress_handler(count, 1)
            assert len(list(history.nearby(where, key=KEY))) == 1
            history.regroup([(one_pass(record), day.date())], where=where, key=KEY)
            assert len(history.observations("tumangang", pass_id=one_pass(record).id)) == 1
            history._connection.set_progress_handler(None, 0)
        return steps

    few = n_steps(0, 3)
    assert n_steps(3, 150) < 1.2 * few
