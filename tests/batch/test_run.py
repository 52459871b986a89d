"""A batch from folder to history, with a stub in place of the scan."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from railcount.batch.parameters import Parameters
from railcount.batch.planning import LeftOut, context_of
from railcount.batch.run import Batch, Begun, Counted, Event, Joined, Kept, Stopped
from railcount.batch.workers import Pool
from railcount.counts import Interval
from railcount.errors import HistoryBusy, MissingInput
from railcount.history import History

if TYPE_CHECKING:
    from collections.abc import Callable

TASK = f"{__package__}.fake_tasks:stub"
LONG_AGO = time.time() - 1000


def put(folder: Path, name: str, *, at: float = LONG_AGO, **told: Any) -> Path:
    """A file that the stub reads; its content is its own unless ``told`` has a ``same``."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": told.pop("same", name), **told}))
    os.utime(path, (at, at))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder for images."""
    (tmp_path / "archive").mkdir()
    return tmp_path / "archive"


def run(
    archive: Path,
    *,
    n: int = 2,
    parameters: Parameters | None = None,
    watch: Callable[[Batch, Event], None] | None = None,
    time_limit_s: float = 20,
    history: Path | None = None,
    **how: Any,
) -> list[Event]:
    """One run over the folder; the history lies beside it."""
    parameters = parameters or Parameters()
    events = []
    with (
        History.open(history or archive.parent / "history.sqlite") as opened,
        Pool(n, task=TASK, settings=parameters.words(), time_limit_s=time_limit_s) as pool,
    ):
        batch = Batch(archive, history=opened, parameters=parameters, engine=pool, **how)
        for event in batch.events():
            events.append(event)
            if watch is not None:
                watch(batch, event)
        assert pool.n_running == 0
    return events


def counted(events: list[Event]) -> list[str]:
    return [os.path.basename(e.record.tile) for e in events if isinstance(e, Counted)]


def passes(events: list[Event]) -> list[tuple[str, int]]:
    """Id and number of tiles of the passes that were told."""
    return [(e.one.id, len(e.one.tiles)) for e in events if isinstance(e, Joined)]


def statuses(events: list[Event]) -> dict[str, str]:
    return {os.path.basename(e.record.tile): e.record.status for e in events if isinstance(e, Counted)}


def stored(archive: Path) -> list[tuple[str, int | None, list[str]]]:
    """Current passes of the history: id, count, contents' names."""
    with History.open(archive.parent / "history.sqlite", readonly=True) as history:
        assert history.check() == []
        return [
            (p.id, p.railcars and p.railcars.best, [os.path.basename(t.tile) for t in p.tiles])
            for p in history.passes()
        ]


def test_tiles_are_counted_and_joined_in_the_order_of_their_names(archive: Path) -> None:
    put(archive, "2023-10-06/c.tif", acquired="2023-10-06")
    put(archive, "2023-10-05/b.tif", acquired="2023-10-05", s=0.5)
    put(archive, "2023-10-05/a.tif", acquired="2023-10-05")
    put(archive, "2023-10-05/notes.txt")
    events = run(archive)
    assert events[0] == Begun(n_tiles=3, n_new=3)
    assert sorted(counted(events)) == ["a.tif", "b.tif", "c.tif"]
    found = passes(events)
    assert [n for _, n in found] == [2, 1], "the first pass comes first, though it took longer"
    assert [tiles for *_, tiles in stored(archive)] == [["a.tif", "b.tif"], ["c.tif"]]


def test_a_second_run_does_nothing(archive: Path) -> None:
    put(archive, "a.tif")
    put(archive, "b.tif", status="uncountable", reasons=["cloud"])
    run(archive)
    before = (archive.parent / "history.sqlite").read_bytes()
    events = run(archive)
    assert events[0] == Begun(n_tiles=2, n_new=0)
    assert [type(event) for event in events[1:]] == [Kept, Kept]
    assert [event.status for event in events if isinstance(event, Kept)] == ["counted", "uncountable"]
    assert (archive.parent / "history.sqlite").read_bytes() == before


def test_a_parameter_that_changes_recounts(archive: Path) -> None:
    put(archive, "a.tif")
    run(archive)
    assert counted(run(archive, parameters=Parameters(gsd_m=0.3))) == ["a.tif"]
    assert counted(run(archive, parameters=Parameters(gsd_m=0.3))) == []
    assert counted(run(archive)) == []
    assert counted(run(archive, recount=True)) == ["a.tif"]


def test_a_pass_grows(archive: Path) -> None:
    put(archive, "2023-10-05/a.tif", n=3)
    ((first, _),) = passes(run(archive))
    put(archive, "2023-10-05/b.tif", n=4)
    events = run(archive)
    assert counted(events) == ["b.tif"]
    assert passes(events) == [(first, 2)]
    assert len(stored(archive)) == 1


def test_a_pass_grows_however_its_folder_is_spelled(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(archive, "2023-10-05/a.tif", acquired="2023-10-05")
    ((first, _),) = passes(run(archive))
    put(archive, "2023-10-05/b.tif", acquired="2023-10-05")
    monkeypatch.chdir(archive)
    assert passes(run(Path("."), history=archive.parent / "history.sqlite")) == [(first, 2)]


def test_a_pass_in_two_folders_is_told_again(archive: Path) -> None:
    put(archive, "one/a.tif")
    put(archive, "three/a.tif", acquired="2023-10-05T08:00:00+00:00")
    put(archive, "two/b.tif")
    events = [event for event in run(archive, n=1) if isinstance(event, Joined)]
    assert [(len(e.one.tiles), e.is_again) for e in events] == [(1, False), (1, False), (2, True)]
    assert events[0].one.id == events[2].one.id


def test_a_recount_that_was_killed_is_joined_by_the_next_run(archive: Path) -> None:
    """What was recorded and not joined is found, though neither the tile nor its pass is new."""
    path = put(archive, "a.tif")
    run(archive)
    with History.open(archive.parent / "history.sqlite") as history:
        (record,) = history.records()
        key = Parameters().key()
        changed = replace(record, railcars=Interval(best=9, low=9, high=9))
        history.record_tile(changed, key=key, context=context_of(path))
    events = run(archive)
    assert counted(events) == []
    assert [best for _, best, _ in stored(archive)] == [9]


def test_a_replaced_file_is_counted_anew_and_its_old_result_leaves_the_pass(archive: Path) -> None:
    put(archive, "2023-10-05/a.tif", n=3)
    put(archive, "2023-10-05/b.tif", n=4)
    run(archive)
    put(archive, "2023-10-05/b.tif", n=5, acquired="2023-11-01", at=LONG_AGO + 5)
    events = run(archive)
    assert counted(events) == ["b.tif"]
    assert [(n, tiles) for _, n, tiles in stored(archive)] == [(3, ["a.tif"]), (5, ["b.tif"])]
    assert sorted(n for _, n in passes(events)) == [1, 1]


def test_a_pass_whose_only_file_was_replaced_goes(archive: Path) -> None:
    put(archive, "a.tif", acquired="2023-10-05")
    run(archive)
    put(archive, "a.tif", acquired="2023-11-01", at=LONG_AGO + 5)
    run(archive)
    assert len(stored(archive)) == 1


def test_results_of_deleted_files_stay(archive: Path) -> None:
    put(archive, "a.tif")
    put(archive, "b.tif", acquired="2023-11-01")
    run(archive)
    (archive / "a.tif").unlink()
    assert passes(run(archive)) == []
    assert len(stored(archive)) == 2


def test_what_lies_beside_an_image_counts(archive: Path) -> None:
    put(archive, "a.tif")
    put(archive, "b.tif")
    run(archive)
    put(archive, "a_metadata.json")
    assert counted(run(archive)) == ["a.tif"]
    put(archive, "a_metadata.json", at=LONG_AGO + 9, other=1)
    assert counted(run(archive)) == ["a.tif"]
    (archive / "b.tif").rename(archive / "b_2023-10-07.tif")
    assert counted(run(archive)) == ["b_2023-10-07.tif"]
    assert counted(run(archive)) == []


def test_a_quality_mask_counts(archive: Path) -> None:
    put(archive, "20231005_021100_ssc3_u0001_visual.tif")
    mask = put(archive, "20231005_021100_ssc3_u0001_udm2.tif")
    run(archive)
    assert counted(run(archive)) == []
    put(archive, mask.name, at=LONG_AGO + 9, other=1)
    assert counted(run(archive)) == ["20231005_021100_ssc3_u0001_visual.tif"]


def test_duplicates_by_content_are_set_aside(archive: Path) -> None:
    put(archive, "a.tif", same="x")
    put(archive, "copy/a.tif", same="x")
    events = run(archive)
    assert counted(events) == ["a.tif"]
    (left,) = (event for event in events if isinstance(event, LeftOut))
    assert left.kind == "skipped"
    assert left.tile.endswith(os.path.join("copy", "a.tif"))
    assert f"its content is that of {archive / 'a.tif'}" in left.reason


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ({"signal": "SIGSEGV"}, "crashed", "ended by SIGSEGV"),
        ({"s": 30}, "timeout", "time limit of 1 s"),
    ],
)
def test_a_tile_that_dies_or_hangs_twice_is_set_aside(
    archive: Path, told: dict[str, Any], status: str, words: str
) -> None:
    put(archive, "a.tif", **told)
    put(archive, "b.tif")
    events = run(archive, time_limit_s=1)
    assert statuses(events) == {"a.tif": status, "b.tif": "counted"}
    (reason, aside) = next(e.record.reasons for e in events if isinstance(e, Counted) and e.record.reasons)
    assert words in reason
    assert "tried twice" in aside
    assert counted(run(archive)) == [], "it is not tried a third time"
    assert counted(run(archive, retry=True, time_limit_s=1)) == ["a.tif"]


@pytest.mark.parametrize(
    ("name", "date", "acquired", "acquired_from"),
    [
        ("2023-10-04/2023-10-05_a.tif", None, dt.date(2023, 10, 5), "file_name"),
        ("2023-10-04/more/a.tif", None, dt.date(2023, 10, 4), "folder"),
        ("2023-10-04/a.tif", dt.date(2023, 10, 6), dt.date(2023, 10, 6), "option"),
        ("a.tif", None, None, None),
    ],
)
def test_the_date_of_a_tile_that_was_never_opened(
    archive: Path, name: str, date: dt.date | None, acquired: dt.date | None, acquired_from: str | None
) -> None:
    put(archive, name, signal="SIGSEGV")
    (record,) = [e.record for e in run(archive, parameters=Parameters(date=date)) if isinstance(e, Counted)]
    assert (record.status, record.acquired, record.acquired_from) == ("crashed", acquired, acquired_from)


def test_a_tile_that_was_never_opened_is_of_the_pass_of_its_folder_where_its_name_says_so(
    archive: Path,
) -> None:
    put(archive, "2023-10-05/yard_R1C1.tif", acquired="2023-10-05")
    put(archive, "2023-10-05/yard_R1C2.tif", signal="SIGSEGV")
    put(archive, "2023-10-05/whatever.tif", signal="SIGSEGV")
    run(archive)
    assert sorted(tiles for *_, tiles in stored(archive)) == [
        ["whatever.tif"],
        ["yard_R1C1.tif", "yard_R1C2.tif"],
    ]


def test_a_tile_that_dies_once_is_counted(archive: Path, tmp_path: Path) -> None:
    put(archive, "a.tif", once=str(tmp_path / "flag"))
    assert statuses(run(archive)) == {"a.tif": "counted"}


def test_a_file_that_changes_while_it_is_counted_is_left_for_the_next_run(archive: Path) -> None:
    put(archive, "a.tif", change=1)
    events = run(archive)
    assert counted(events) == []
    (left,) = (event for event in events if isinstance(event, LeftOut))
    assert "changed while it was counted" in left.reason
    assert counted(run(archive)) == ["a.tif"]


def test_a_file_too_large_to_be_hashed_is_passed_over(archive: Path) -> None:
    put(archive, "a.tif")
    path = put(archive, "b.tif")
    os.truncate(path, 2**40)  # sparse
    os.utime(path, (LONG_AGO, LONG_AGO))
    events = run(archive)
    assert counted(events) == ["a.tif"]
    (left,) = (event for event in events if isinstance(event, LeftOut))
    assert "has 1,099,511,627,776 bytes" in left.reason


def test_a_file_that_was_just_written_is_waited_for_and_read_again(archive: Path) -> None:
    put(archive, "a.tif", at=time.time())
    assert counted(run(archive)) == ["a.tif"]
    path = put(archive, "b.tif", at=time.time() + 3000)  # from a machine whose clock is ahead
    assert counted(run(archive)) == ["b.tif"]
    status = path.stat()
    put(archive, "b.tif", same="c.tif", at=status.st_mtime)
    assert path.stat().st_size == status.st_size
    assert counted(run(archive)) == ["b.tif"], "the same size and time, but read too soon to trust"


def test_disagreeing_dates_are_told(archive: Path) -> None:
    put(archive, "a.tif", doubts=["the file name says 2023-10-04"])
    (joined,) = (event for event in run(archive) if isinstance(event, Joined))
    assert joined.one.tiles[0].doubts == ("the file name says 2023-10-04",)


def test_a_stopped_run_goes_on_where_it_was(archive: Path) -> None:
    for n in range(8):
        put(archive, f"{n}.tif", acquired=f"2023-10-0{n + 1}", s=0.3)

    def stop(batch: Batch, event: Event) -> None:
        if isinstance(event, Counted):
            batch.stop(grace_s=5)

    first = run(archive, watch=stop)
    assert first[-1] == Stopped(n_lost=0)
    assert 1 <= len(counted(first)) <= 3
    second = run(archive)
    assert sorted(counted(first) + counted(second)) == [f"{n}.tif" for n in range(8)]
    whole = archive.parent / "whole.sqlite"
    run(archive, history=whole)
    with History.open(whole) as one, History.open(archive.parent / "history.sqlite") as other:
        assert one.digest() == other.digest()


def test_a_run_that_is_stopped_at_once_loses_what_runs(archive: Path) -> None:
    put(archive, "a.tif", s=30)
    put(archive, "b.tif")

    def stop(batch: Batch, event: Event) -> None:
        if isinstance(event, Counted):
            batch.stop()

    began = time.monotonic()
    assert run(archive, watch=stop)[-1] == Stopped(n_lost=1)
    assert time.monotonic() - began < 10
    with History.open(archive.parent / "history.sqlite") as history:
        assert history.interrupted(Parameters().key()) == {}, "we ended it, so it is not to blame"
    put(archive, "a.tif", s=0)
    assert counted(run(archive)) == ["a.tif"]


def test_a_tile_that_was_out_when_batches_died_comes_last(archive: Path) -> None:
    path = put(archive, "a.tif")
    put(archive, "b.tif")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with History.open(archive.parent / "history.sqlite") as history:
        history.remember_files([(path, path.stat().st_size, path.stat().st_mtime_ns, sha256)])
        for _ in range(3):
            history.begin(sha256, key=Parameters().key())
    assert counted(run(archive, n=1)) == ["b.tif", "a.tif"]
    with History.open(archive.parent / "history.sqlite") as history:
        assert history.interrupted(Parameters().key()) == {}


def test_only_one_batch_at_a_time(archive: Path) -> None:
    put(archive, "a.tif")
    refused = []

    def second(batch: Batch, event: Event) -> None:
        if isinstance(event, Begun):
            with pytest.raises(HistoryBusy) as error:
                run(archive)
            refused.append(str(error.value))

    run(archive, watch=second)
    assert f"process {os.getpid()}" in refused[0]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="nowhere"):
        run(tmp_path / "nowhere")


def test_unusable_parameters_end_the_run(archive: Path) -> None:
    put(archive, "a.tif")
    with pytest.raises(MissingInput, match="lines"):
        run(archive, parameters=Parameters(tracks=archive / "lines.geojson"))


def test_passes_are_compared_with_those_before(archive: Path) -> None:
    for month in range(1, 13):
        put(archive, f"2022-{month:02}-01.tif", acquired=f"2022-{month:02}-01", site="tumangang", n=4)
    put(archive, "2023-01-01.tif", acquired="2023-01-01", site="tumangang", n=90)
    levels = [e.comparison and e.comparison.level for e in run(archive) if isinstance(e, Joined)]
    assert levels[-1] == "unprecedented"
    assert "unprecedented" not in levels[:-1]
    put(archive, "2023-01-03.tif", acquired="2023-01-03", site="tumangang", n=95)
    (last,) = (e for e in run(archive) if isinstance(e, Joined))
    assert last.comparison is not None
    assert last.comparison.max == 90, "the pass that an earlier run measured"


def test_one_name_with_stray_bytes(archive: Path) -> None:
    name = os.fsdecode(b"\xff.tif")
    try:
        put(archive, name, same="x")
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    assert counted(run(archive)) == [name]
    assert counted(run(archive)) == []
