"""A file that changes while it is read has no count: its pixels may be of two contents."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from railcount import pipeline
from railcount.batch.planning import Job
from railcount.batch.run import _record_of
from railcount.batch.workers import Ended
from railcount.errors import TileEmpty, TileUnreadable
from railcount.raster.paths import CHANGED
from railcount.records import record_of

from .raster import factories

if TYPE_CHECKING:
    from collections.abc import Callable

    from railcount.mosaic import Mosaic


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def written_over(path: Path) -> None:
    """The size stays."""
    path.write_bytes(path.read_bytes())


def replaced(path: Path) -> None:
    """By a file of its size and time."""
    other = path.with_suffix(".other")
    shutil.copy2(path, other)
    other.replace(path)


def gone(path: Path) -> None:
    path.unlink()


CHANGES = pytest.mark.parametrize("change", [grown, written_over, replaced, gone])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = factories.write_tif(tmp_path / "a.tif")
    os.utime(made, (1e9, 1e9))
    return Path(made)


def meanwhile(
    monkeypatch: pytest.MonkeyPatch,
    path: Path,
    change: Callable[[Path], None],
    *,
    then: Exception | None = None,
) -> None:
    """Change the file between its opening and the last of it."""
    whole = pipeline.mosaic_of

    def mosaic_of(*args: Any, **how: Any) -> Mosaic:
        made = whole(*args, **how)
        change(path)
        if then is not None:
            raise then
        return made

    monkeypatch.setattr(pipeline, "mosaic_of", mosaic_of)


@CHANGES
def test_scan(path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]) -> None:
    before = pipeline.scan_tile(path)
    assert before.sha256 is not None
    assert CHANGED not in before.reasons
    meanwhile(monkeypatch, path, change)
    count = pipeline.scan_tile(path)
    assert (count.status, count.sha256, count.railcars) == ("failed", None, None)
    assert count.reasons[-1] == CHANGED


def test_scan_of_what_has_no_count_either(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is being copied looks empty: that it changes is why."""
    meanwhile(monkeypatch, path, grown, then=TileEmpty("all pixels are zero"))
    count = pipeline.scan_tile(path)
    assert (count.status, count.sha256) == ("failed", None)
    assert count.reasons == (CHANGED,)


@CHANGES
def test_tracks(path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]) -> None:
    pipeline.locate_tracks(path)
    meanwhile(monkeypatch, path, change)
    with pytest.raises(TileUnreadable, match=CHANGED):
        pipeline.locate_tracks(path)


def test_batch_keeps_no_result_of_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its size and time are what they were."""
    meanwhile(monkeypatch, path, replaced)
    value = record_of(pipeline.scan_tile(path)).to_dict()
    status = path.stat()
    job = Job(
        path=path, size=status.st_size, mtime_ns=status.st_mtime_ns, tile="a.tif", valid=None,
        sha256="0" * 64, context="", unit=1,
    )  # fmt: skip
    assert _record_of(job, Ended(job="0" * 64, outcome="done", value=value), date=None) is None
