"""What a batch has to count: the images of a folder against what the history knows of them.

A file that has the size and the time of change that it had when it was last read is not read again,
unless it was read so soon after it changed that a second change could have gone unseen.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from railcount.batch.parameters import content_digest
from railcount.batch.walk import Found, PassedOver, walk
from railcount.errors import HistoryError, InputError, TileRefused
from railcount.raster.acquire import folder_date
from railcount.raster.limits import Limits
from railcount.raster.names import parse_name
from railcount.raster.paths import CHANGED, read_head
from railcount.raster.sidecars import MAX_BYTES, sidecar_names
from railcount.text import one_line

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from railcount.counts import Status
    from railcount.history import History, KnownFile

SETTLE_S = 2.0
"""How old the last change of a file must be for it to be whole, and for its time to tell it from a later
one: file systems keep times to 2 s at worst."""
SUSPECT_AFTER = 3
"""A tile that was out when a batch died so often comes last: it may be why."""
TRIED_AGAIN: tuple[Status, ...] = ("timeout", "crashed", "failed", "refused")
"""What ``retry`` counts again: it may come out otherwise on a better day."""

_NEVER_NS = -1
"""A time of change that no file has: its content must be read again."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A tile to count."""

    path: Path
    """Absolute."""
    size: int
    mtime_ns: int
    tile: str
    """The path as it was given."""
    valid: Path | None
    sha256: str
    context: str
    unit: int
    """Tiles that are likely of one pass are of one unit; units come one after the other."""


@dataclass(frozen=True, kw_only=True)
class Same:
    """A tile whose earlier result still holds."""

    tile: str
    sha256: str
    status: Status
    unit: int


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A file that is not counted."""

    tile: str
    kind: Literal["passed_over", "skipped"]
    """passed_over: no image to count, or none yet; skipped: an image with the content of another."""
    reason: str
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Survey:
    """How much there is to do, before anything is read."""

    n_tiles: int
    n_new: int
    """Of these, about so many have no result: what lies beside an image is not looked at."""


class Plan:
    """Goes through a folder, in the order of its names, once."""

    def __init__(
        self,
        folder: Path,
        *,
        history: History,
        key: str,
        limits: Limits | None = None,
        recount: bool = False,
        retry: bool = False,
    ) -> None:
        """``recount`` lets no earlier result hold, ``retry`` none of TRIED_AGAIN."""
        self._folder = folder
        self._history = history
        self._limits = limits or Limits()
        self._known = dict(history.known_files(folder))
        results = {} if recount else history.results(key)
        self._results = {
            sha256: one for sha256, one in results.items() if not (retry and one.status in TRIED_AGAIN)
        }
        self._suspects = {c for c, n in history.interrupted(key).items() if n >= SUSPECT_AFTER}
        self._first: dict[bytes, str] = {}
        self._unit = 0

    def survey(self, *, pause: Callable[[float], object] = time.sleep) -> Survey:
        """Count the files; waits until those that were just written are old enough to be taken for whole.

        Raises MissingInput where there is no such folder.
        """
        n_tiles = n_new = 0
        newest_ns = 0
        for item in walk(self._folder, settle_s=0.0):
            if isinstance(item, Found):
                n_tiles += 1
                sha256 = self._remembered(item.path, size=item.size, mtime_ns=item.mtime_ns)
                n_new += sha256 not in self._results
                newest_ns = max(newest_ns, item.mtime_ns)
        age_s = time.time() - newest_ns / 1e9
        if 0 <= age_s < SETTLE_S:
            pause(SETTLE_S - age_s + 0.01)
        return Survey(n_tiles=n_tiles, n_new=n_new)

    def steps(self) -> Iterator[Job | Same | LeftOut | None]:
        """Every file; None between the pieces of a long one, for the caller to look after other things."""
        late: list[Found] = []
        together: tuple[object, ...] | None = None
        for item in walk(self._folder, settle_s=SETTLE_S):
            if isinstance(item, PassedOver):
                yield LeftOut(tile=str(item.path), kind="passed_over", reason=item.reason)
                continue
            if (mine := _likely_together(item.path)) != together:
                together, self._unit = mine, self._unit + 1
            known = self._known.get(item.path)
            if known is not None and known.sha256 in self._suspects:
                late.append(item)
                continue
            yield from self._step(item)
        for item in late:
            self._unit += 1
            yield from self._step(item)

    def _step(self, item: Found) -> Generator[Job | Same | LeftOut | None]:
        tile = str(item.path)
        try:
            sha256 = yield from self._content(item.path, size=item.size, mtime_ns=item.mtime_ns)
            mask = ""
            if item.valid is not None:
                mask = yield from self._content(
                    item.valid, size=item.valid_size, mtime_ns=item.valid_mtime_ns
                )
        except HistoryError:
            raise  # an OSError too, but not the tile's: a full disk must not pass for an unreadable tile
        except OSError as error:
            reason = f"it cannot be read: {error.strerror or error}"
            yield LeftOut(tile=tile, kind="passed_over", reason=reason)
            return
        except TileRefused as error:
            yield LeftOut(tile=tile, kind="passed_over", reason=str(error))
            return
        first = self._first.setdefault(bytes.fromhex(sha256), tile)
        if first != tile:
            reason = f"its content is that of {one_line(first)}, which is counted"
            yield LeftOut(tile=tile, kind="skipped", reason=reason, sha256=sha256)
            return
        context = context_of(item.path, mask=mask)
        earlier = self._results.get(sha256)
        if earlier is not None and earlier.context == context:
            yield Same(tile=tile, sha256=sha256, status=earlier.status, unit=self._unit)
            return
        yield Job(
            path=item.path.absolute(),
            size=item.size,
            mtime_ns=item.mtime_ns,
            tile=tile,
            valid=None if item.valid is None else item.valid.absolute(),
            sha256=sha256,
            context=context,
            unit=self._unit,
        )

    def _remembered(self, path: Path, *, size: int, mtime_ns: int) -> str | None:
        """The content of a file that has not changed."""
        known: KnownFile | None = self._known.get(path)
        if known is None and path == self._folder:  # a single file
            known = self._history.known_file(path)
        return known.sha256 if known is not None and known[:2] == (size, mtime_ns) else None

    def _content(self, path: Path, *, size: int, mtime_ns: int) -> Generator[None, None, str]:
        """The digest of a file's content, read only where it must be.

        Raises OSError, TileRefused for a file that is too large.
        """
        remembered = self._remembered(path, size=size, mtime_ns=mtime_ns)
        if remembered is not None:
            return remembered
        self._limits.check_file(size)
        began_ns = time.time_ns()
        for digest in content_digest(path, n_bytes=8 * 2**20):
            if digest is None:
                yield None
        assert digest is not None  # the last step
        now = os.stat(path)
        if (now.st_size, now.st_mtime_ns) != (size, mtime_ns):
            raise OSError(CHANGED)
        settled = began_ns - mtime_ns >= SETTLE_S * 1e9
        self._history.remember_files([(path, size, mtime_ns if settled else _NEVER_NS, digest)])
        return digest


def context_of(path: Path, *, mask: str = "") -> str:
    """Digest of everything besides an image's content that enters its result.

    Its name and the date of its folder, which may say when it was taken, the sidecars beside it, and its
    quality mask's content, ``mask``.
    """
    parts = [path.name, str(_date_of(path.parent)), mask]
    names = _names_in(path.parent)
    for name in sidecar_names(path.name, _parsed(path.name)):
        if name in names:
            parts.append(f"{name} {_sidecar_digest(path.with_name(name))}")
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


_parsed = lru_cache(maxsize=4)(parse_name)


@lru_cache(maxsize=4)
def _date_of(folder: Path) -> dt.date | None:
    return folder_date(folder.absolute() / "tile")


@lru_cache(maxsize=4)
def _listing(folder: Path, changed_ns: int) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def _names_in(folder: Path) -> frozenset[str]:
    """What lies in a folder; listed once for its tiles."""
    try:
        return _listing(folder, os.stat(folder).st_mtime_ns)
    except OSError:
        return frozenset()


def _sidecar_digest(path: Path) -> str:
    try:
        data = read_head(path, n_bytes=MAX_BYTES + 1, refused=InputError, unreadable=InputError)
    except (InputError, OSError):
        return "unreadable"
    return hashlib.sha256(data).hexdigest()


def _likely_together(path: Path) -> tuple[object, ...]:
    """What tiles of one pass have in common by name: their folder and day."""
    acquired = _parsed(path.name).acquired
    return path.parent, None if acquired is None else (acquired.year, acquired.month, acquired.day)
