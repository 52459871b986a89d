"""The images in a folder: found by their names alone, in order, one at a time.

Nothing is opened here: a name says whether a file is an image, a quality mask or neither, and the file
system whether it is still being written. What is left out is yielded with the reason, but for the files
that lie beside every image (metadata, overviews, lines, tables), about which there is nothing to say.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import time
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from railcount.errors import InputError, MissingInput
from railcount.raster.names import parse_name
from railcount.text import escape, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from railcount.raster.names import NameInfo

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = (".tif", ".tiff", ".jp2", ".ntf")
UNFINISHED_SUFFIXES = (".part", ".partial", ".crdownload", ".download", ".tmp")
"""What browsers and copying programs call a file until it is whole."""
SIDECAR_SUFFIXES = (
    *(".json", ".geojson", ".xml", ".imd", ".rpb", ".rpc", ".til", ".att", ".eph", ".geo", ".aux", ".ovr"),
    *(".msk", ".tfw", ".j2w", ".prj", ".kml", ".gpkg", ".shp", ".shx", ".dbf", ".cpg", ".csv", ".txt"),
    *(".md", ".pdf", ".html", ".toml", ".yaml", ".yml", ".jpg", ".jpeg", ".png", ".sha256", ".md5"),
)
"""Metadata, overviews, quicklooks, lines, tables: beside an image, and none themselves."""
CLOCKS_APART_S = 60.0
"""A file modified later than now, by less than this, is being written on a machine whose clock is ahead."""

_named = lru_cache(maxsize=8192)(parse_name)
"""A name is read for its pairing and for itself; reading takes 10 us."""
_MASK_WORD = re.compile(r"[_.-]udm(2?)(?=[_.-]|$)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Found:
    """An image, and the quality mask beside it."""

    path: Path
    size: int
    """Bytes."""
    mtime_ns: int
    valid: Path | None = None
    """The quality mask of the same scene in the same folder, if there is one."""
    valid_size: int = 0
    valid_mtime_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """A file or folder that holds no image to count, or none yet."""

    path: Path
    reason: str


def walk(folder: Path, *, settle_s: float = 2.0) -> Iterator[Found | PassedOver]:
    """The images below ``folder`` in the order of their names, folder by folder.

    Files modified less than ``settle_s`` seconds before the walk began are passed over as still being
    written; 0 takes all. A link to a file inside the folder is followed, one to a folder never. A file in
    place of the folder is the only item, whatever it is called. Names that are not UTF-8 are yielded
    like all others.

    Raises MissingInput where ``folder`` does not exist, InputError where it cannot be asked for.
    """
    folder = Path(folder)
    now = time.time()
    try:
        status = os.stat(folder)
    except FileNotFoundError:
        raise MissingInput(f"{one_line(folder)} does not exist; a folder with images is required") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{one_line(folder)} cannot be read: {_words(error)}") from None
    if not stat.S_ISDIR(status.st_mode):
        return iter([_only(folder, status, now=now, settle_s=settle_s)])
    return _below(folder, now=now, settle_s=settle_s)


def duplicates(items: Iterable[tuple[Path, str]]) -> dict[Path, Path]:
    """Files with the same content: each but the first by name, and that first.

    ``items`` are paths with the digest of their content; the order of the items does not matter.
    """
    first: dict[str, Path] = {}
    again: dict[Path, Path] = {}
    for path, digest in sorted(items, key=lambda item: (item[0].parts, item[1])):
        kept = first.setdefault(digest, path)
        if kept != path:
            again[path] = kept
    return again


def _below(top: Path, *, now: float, settle_s: float) -> Iterator[Found | PassedOver]:
    """Depth first, in the order of the names; memory is that of one listing a level."""
    look = _Look(inside=os.path.realpath(top), now=now, settle_s=settle_s)
    levels: list[Iterator[_Folder | Found | PassedOver]] = [look.into(top)]
    while levels:
        item = next(levels[-1], None)
        if item is None:
            levels.pop()
        elif isinstance(item, _Folder):
            levels.append(look.into(item.path))
        else:
            yield item


def _only(path: Path, status: os.stat_result, *, now: float, settle_s: float) -> Found | PassedOver:
    """The one file that was named: whatever its name, for it was asked for."""
    look = _Look(inside=os.path.realpath(path.parent), now=now, settle_s=settle_s)
    if not stat.S_ISREG(status.st_mode):
        return PassedOver(path=path, reason=_NOT_REGULAR)
    if reason := _no_picture(_named(path.name)):
        return PassedOver(path=path, reason=reason)
    try:
        beside = sorted(os.listdir(path.parent))
    except OSError:
        beside = []
    return look.at(path, status, mask=_pairs([*beside, path.name])[0].get(path.name))


_NOT_REGULAR = "not a regular file (a pipe, a socket or a device)"
_BEING_WRITTEN = "it is still being written"


@dataclass(frozen=True, kw_only=True)
class _Folder:
    path: Path


@dataclass(frozen=True, kw_only=True)
class _Look:
    """How files are judged, the same in the whole walk."""

    inside: str
    """Where links must not lead out of, without links itself."""
    now: float
    settle_s: float

    def into(self, folder: Path) -> Iterator[_Folder | Found | PassedOver]:
        """What lies directly in a folder, in the order of the names."""
        try:
            with os.scandir(folder) as listing:
                names = sorted(entry.name for entry in listing)
        except OSError as error:
            yield PassedOver(path=folder, reason=f"the folder cannot be read: {_words(error)}")
            return
        masks, alone = _pairs(names)
        for name in names:
            path = folder / name
            if name.startswith("."):
                yield PassedOver(path=path, reason="hidden")
                continue
            try:
                status = os.lstat(path)
            except OSError as error:
                yield PassedOver(path=path, reason=_words(error))
                continue
            if stat.S_ISDIR(status.st_mode):
                yield _Folder(path=path)
            elif item := self._file(path, status, mask=masks.get(name), alone=name in alone):
                yield item

    def _file(
        self, path: Path, status: os.stat_result, *, mask: str | None, alone: bool
    ) -> Found | PassedOver | None:
        """One name that is no folder; None where there is nothing to say about it."""
        suffix = path.suffix.lower()
        if stat.S_ISLNK(status.st_mode):
            target = self._linked(path)
            if isinstance(target, PassedOver):
                return target if suffix in IMAGE_SUFFIXES or os.path.isdir(path) else None
            status = target
        if suffix in UNFINISHED_SUFFIXES:
            reason: str | None = f"{_BEING_WRITTEN}: its name ends in {suffix}"
        elif not stat.S_ISREG(status.st_mode):
            reason = _NOT_REGULAR
        elif suffix not in IMAGE_SUFFIXES:
            if suffix not in SIDECAR_SUFFIXES:
                logger.debug("passed over, not an image by its name: %s", escape(str(path)))
            return None
        else:
            info = _named(path.name)
            if info.kind == "quality_mask" and not alone:
                return None  # told with its image
            reason = _no_picture(info)
        return PassedOver(path=path, reason=reason) if reason else self.at(path, status, mask=mask)

    def _linked(self, path: Path) -> os.stat_result | PassedOver:
        """What a link leads to, where that is a file inside the folder."""
        try:
            target = os.path.realpath(path, strict=True)
            status = os.stat(target)
        except OSError as error:
            return PassedOver(path=path, reason=f"a link that leads nowhere: {_words(error)}")
        if Path(self.inside) not in (Path(target), *Path(target).parents):
            return PassedOver(path=path, reason="a link that leads out of the folder")
        if stat.S_ISDIR(status.st_mode):
            return PassedOver(path=path, reason="a link to a folder, which is found where it is")
        return status

    def at(self, path: Path, status: os.stat_result, *, mask: str | None) -> Found | PassedOver:
        """An image, unless it or its mask is still being written."""
        if reason := self._unsettled(path, status):
            return PassedOver(path=path, reason=reason)
        found = Found(path=path, size=status.st_size, mtime_ns=status.st_mtime_ns)
        if mask is None:
            return found
        of_mask = self._mask(path.parent / mask)
        if isinstance(of_mask, str):
            return PassedOver(path=path, reason=f"its quality mask {one_line(mask)}: {of_mask}")
        return replace(
            found,
            valid=path.parent / mask,
            valid_size=of_mask.st_size,
            valid_mtime_ns=of_mask.st_mtime_ns,
        )

    def _mask(self, path: Path) -> os.stat_result | str:
        """What the file system says of a quality mask, or why it cannot be used now."""
        try:
            status = os.lstat(path)
        except OSError as error:
            return _words(error)
        if stat.S_ISLNK(status.st_mode):
            target = self._linked(path)
            if isinstance(target, PassedOver):
                return target.reason
            status = target
        if not stat.S_ISREG(status.st_mode):
            return _NOT_REGULAR
        return self._unsettled(path, status) or status

    def _unsettled(self, path: Path, status: os.stat_result) -> str | None:
        """Why a file is taken to be still written; None where it is not."""
        if self.settle_s <= 0:
            return None
        age_s = self.now - status.st_mtime
        if -CLOCKS_APART_S < age_s < self.settle_s:
            return f"{_BEING_WRITTEN}: modified {max(age_s, 0.0):.1f} s before the walk began"
        try:
            again = os.stat(path)
        except OSError as error:
            return f"it was there and is not any more: {_words(error)}"
        if (again.st_size, again.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
            return f"{_BEING_WRITTEN}: it grows"
        return None


def _no_picture(info: NameInfo) -> str | None:
    """Why an image by its suffix is none to count in; None where it is one."""
    if info.kind == "quality_mask":
        return "a quality mask without an image beside it"
    if info.kind == "not_rgb":
        return "near infrared, red edge and deep blue of Pleiades Neo: no picture in red, green and blue"
    return None


def _pairs(names: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """The quality mask of each image among the names of a folder, and the masks that are of none."""
    masks: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        if "udm" in name.lower() and _is_image(name) and _named(name).kind == "quality_mask":
            masks.setdefault(_scene(name), []).append(name)
    if not masks:
        return {}, set()
    paired: dict[str, str] = {}
    for name in names:
        if _is_image(name) and _named(name).kind == "image":
            fitting = next((masks[key] for key in _scenes(name) if key in masks), None)
            if fitting is not None:
                paired[name] = min(fitting, key=partial(_unlike, image=name))
    used = {_scene(mask) for mask in paired.values()}
    return paired, {name for key, several in masks.items() if key not in used for name in several}


def _is_image(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES)


def _scene(mask: str) -> tuple[str, ...]:
    """What a mask and its image have in common."""
    info = _named(mask)
    if info.scene is not None:
        return (info.scene.lower(), str(info.tile))
    return (_words_of(_MASK_WORD.sub("", mask.rpartition(".")[0])),)


def _scenes(image: str) -> Iterator[tuple[str, ...]]:
    """Scenes whose mask is this image's, the nearest first."""
    info = _named(image)
    if info.scene is not None:
        yield (info.scene.lower(), str(info.tile))
        yield (info.scene.lower(), str(None))
    words = _words_of(image.rpartition(".")[0])
    while words:
        yield (words,)
        words = words.rpartition("_")[0]


def _words_of(stem: str) -> str:
    return re.sub(r"[.-]", "_", stem.lower())


def _unlike(mask: str, *, image: str) -> tuple[bool, bool, str]:
    """How little a mask fits among those of the image's scene: clipped alike, and udm2 before udm."""
    word = _MASK_WORD.search(mask)
    return (
        ("_clip" in mask.lower()) != ("_clip" in image.lower()),
        word is None or word[1] != "2",
        mask,
    )


def _words(error: BaseException) -> str:
    return one_line(getattr(error, "strerror", None) or error)
