"""Finding a site: those that ship with railcount and the user's own, by name, by file and by position.

The user's own lie in the folder that the environment variable RAILCOUNT_SITES names, a folder each.
One of them stands for a shipped site of the same name.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from railcount.errors import MissingInput, RailcountError
from railcount.sites.loading import FILE_NAME, read_site
from railcount.sites.place import distance_m, holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from railcount.sites.place import Position, Site

logger = logging.getLogger(__name__)

VARIABLE = "RAILCOUNT_SITES"
MAX_OWN = 1000
"""Folders of the user's that are looked at."""

_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A site that can be called by its name."""

    path: Path
    """Of its ``site.toml``."""
    own: bool
    """The user's."""
    site: Site | None
    """None where the file is wrong."""
    error: str | None = None

    @property
    def name(self) -> str:
        """The site's; its folder's where the file is wrong."""
        return self.site.name if self.site else self.path.parent.name


def own_folder() -> Path | None:
    """The folder of the user's sites; None where none is named. Raises MissingInput for one that is none."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise MissingInput(f"{VARIABLE} names {named!r:.200}, which is no folder; set it to one, or unset it")
    return folder


def entries() -> tuple[Entry, ...]:
    """All sites by name, the user's wrong ones too. Raises MissingInput as `own_folder` does."""
    found: dict[str, Entry] = {}
    for name in _shipped_names():
        found[name] = Entry(path=_HERE / name / FILE_NAME, own=False, site=_shipped(name))
    folder = own_folder()
    for path in sorted(folder.glob(f"*/{FILE_NAME}"))[:MAX_OWN] if folder else ():
        try:
            entry = Entry(path=path, own=True, site=_remembered(path, _stamp(path.parent)))
        except RailcountError as error:
            entry = Entry(path=path, own=True, site=None, error=str(error))
        before = found.get(entry.name)
        if before is None or not before.own:
            found[entry.name] = entry
        else:
            _warn_once(f"{path} has the name of {before.path}, {entry.name}, and is passed over")
    return tuple(found[name] for name in sorted(found))


def names() -> tuple[str, ...]:
    """Names of the sites that can be called by name."""
    return tuple(entry.name for entry in entries())


def load(name_or_path: str | Path) -> Site:
    """A site by its name, or from a site file, or from a folder that holds a ``site.toml``.

    Raises MissingInput where there is no such site, InputError that names the key that is wrong.
    """
    known = {entry.name: entry for entry in entries()}
    if name_or_path in known and (site := known[str(name_or_path)].site) is not None:
        return site
    return read_site(_file(name_or_path, known))


def file_of(name_or_path: str | Path) -> Path:
    """The file that `load` would read, right or wrong. Raises MissingInput where there is none."""
    return _file(name_or_path, {entry.name: entry for entry in entries()})


def _file(name_or_path: str | Path, known: Mapping[str, Entry]) -> Path:
    if name_or_path in known:
        return known[str(name_or_path)].path
    path = Path(name_or_path)
    try:
        path = path / FILE_NAME if path.is_dir() else path
        exists = path.exists()
    except (OSError, ValueError):
        exists = False
    if not exists:
        raise MissingInput(
            f"no site {str(name_or_path)!r:.80}; give one of: {', '.join(known)}, or the path of a site file"
        )
    return path


def locate(lon: float, lat: float) -> Site | None:
    """The site in whose box the point (WGS84 degrees) lies; None where there is none.

    Of boxes that overlap the smaller wins, and a log line says so once.
    """
    inside = [site for site in _usable() if site.contains(lon, lat)]
    if not inside:
        return None
    first, *others = sorted(inside, key=lambda site: (site.area_deg2, site.name))
    if others:
        _warn_once(
            f"the boxes of {', '.join(site.name for site in (first, *others))} overlap: "
            f"tiles in both are taken for {first.name}, whose box is the smaller"
        )
    return first


def locate_footprint(corners: Sequence[Position]) -> Site | None:
    """The site of a tile, by its corners as (longitude, latitude), in order around it, not closed.

    First the site in whose box the tile's middle lies. A tile may reach far beyond the yard, so its
    middle may lie in no box though the yard is in it: then the site of which a zone that counts are
    compared in has its point in the tile; of several the one whose point is nearest to the middle.
    """
    if not corners:
        return None
    lon = sum(x for x, _ in corners) / len(corners)
    lat = sum(y for _, y in corners) / len(corners)
    if (site := locate(lon, lat)) is not None:
        return site

    def far(site: Site) -> float:
        return min(distance_m(point, (lon, lat)) for point in _points(site, corners))

    return min(in_sight(corners), key=lambda site: (far(site), site.area_deg2, site.name), default=None)


def in_sight(corners: Sequence[Position]) -> tuple[Site, ...]:
    """Sites of which a zone that counts are compared in has its point in the tile, by name.

    Where there are several, the tile's cars are of more than one yard. Corners as `locate_footprint`.
    """
    return tuple(site for site in _usable() if _points(site, corners))


def _points(site: Site, corners: Sequence[Position]) -> list[Position]:
    ring = (*corners, *corners[:1])
    zones = [zone for zone in site.zones if zone.id in site.baseline_zones]
    return [zone.point for zone in zones if holds(ring, *zone.point)]


def own_files(name_or_path: str | Path | None) -> tuple[Path, ...]:
    """The user's files that say what is at a site: its description and its track lines.

    Empty for a shipped site. Without a name: those of all sites in RAILCOUNT_SITES, since a tile may be
    of any. Raises as `load`.
    """
    known = {entry.name: entry for entry in entries()}
    if name_or_path is None:
        chosen = [(entry.path, entry.site) for entry in known.values() if entry.own and entry.site]
    elif name_or_path in known:
        entry = known[str(name_or_path)]
        chosen = [(entry.path, load(entry.name))] if entry.own else []
    else:
        path = Path(name_or_path)
        chosen = [(path / FILE_NAME if path.is_dir() else path, load(path))]
    return tuple(path for file, site in chosen for path in (file, *(one.path for one in site.tracks)))


def overlaps(site: Site, others: Iterable[Site]) -> tuple[Site, ...]:
    """Sites of another name whose boxes share ground with this one."""
    west, south, east, north = site.box

    def shares(other: Site) -> bool:
        w, s, e, n = other.box
        return other.name != site.name and west < e and w < east and south < n and s < north

    return tuple(filter(shares, others))


def _usable() -> list[Site]:
    """Every site whose file is right; of the others a log line says once that they are passed over."""
    sites = []
    for entry in entries():
        if entry.site is None:
            _warn_once(f"a site of {VARIABLE} is passed over: {entry.error}")
        else:
            sites.append(entry.site)
    return sites


@lru_cache(maxsize=1)
def _shipped_names() -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in _HERE.glob(f"*/{FILE_NAME}")))


@lru_cache(maxsize=64)
def _shipped(name: str) -> Site:
    return read_site(_HERE / name / FILE_NAME)


@lru_cache(maxsize=MAX_OWN)
def _remembered(path: Path, stamp: tuple[tuple[str, int, int], ...]) -> Site:
    """A site file that was read before and has not changed: a batch asks for every tile."""
    return read_site(path)


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of the tables in a site's folder."""
    found = []
    for path in sorted(folder.glob("*.toml")) + sorted(folder.glob("*.csv")):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((path.name, status.st_size, status.st_mtime_ns))
    return tuple(found)


def _once() -> Callable[[str], None]:
    said: set[str] = set()

    def warn(text: str) -> None:
        if text not in said:
            said.add(text)
            logger.warning("%s", text)

    return warn


_warn_once = _once()
