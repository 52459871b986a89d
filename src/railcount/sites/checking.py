"""What is wrong with a site's folder, and what is merely unusual: for whoever wrote it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from railcount.errors import RailcountError
from railcount.sites.catalogue import entries, overlaps
from railcount.sites.loading import FILE_NAME, read_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from railcount.raster.grid import Grid
    from railcount.sites.place import Site

LARGE_DEG = 1.0
"""Of a box's longer side: no yard is so large."""
OFFSET_OFF_H = 3.5
"""Between local time and the sun's: no country has more."""
LINES_GRID_M = 10.0


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was found; without errors the site can be used."""

    site: Site | None
    """None where the file cannot be read."""
    errors: tuple[str, ...]
    """Each begins with the file and the key."""
    notes: tuple[str, ...]


def check_site(path: Path) -> Findings:
    """Look at a site file, or the folder of one, and at all that it names."""
    file = path / FILE_NAME if path.is_dir() else path
    try:
        site = read_site(file)
    except RailcountError as error:
        return Findings(site=None, errors=(str(error),), notes=())
    crs_error = _crs_error(site)
    errors = [f"{file}: {crs_error}"] if crs_error else []
    notes: list[str] = []
    for k, tracks in enumerate(site.tracks):
        try:
            if not crs_error and not _n_lines(tracks.path, site=site):
                notes.append(f"tracks[{k}].file: no line of {tracks.path.name} lies in the box")
        except RailcountError as error:
            errors.append(f"{file}: tracks[{k}].file: {error}")
    notes += [*_about_place(site, file=file), *_about_tracks(site), *_about_counts(site)]
    return Findings(site=site, errors=tuple(errors), notes=tuple(notes))


def _crs_error(site: Site) -> str | None:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_user_input(site.crs)
    except CRSError:
        return f"crs: {site.crs} is not known"
    if not crs.is_projected or any(axis.unit_name != "metre" for axis in crs.axis_info):
        return f"crs: {site.crs} ({crs.name}) is not in metres; take the zone of UTM that the site lies in"
    return None


def _n_lines(path: Path, *, site: Site) -> int:
    """Lines of the file that cross the box. Raises as `railcount.tracks.vector.read_lines`."""
    from railcount.tracks.vector import read_lines

    return len(read_lines(path, grid=_grid(site)))


def _grid(site: Site) -> Grid:
    """A coarse grid over the site's box."""
    import numpy as np
    from affine import Affine
    from pyproj import CRS, Transformer

    from railcount.raster.grid import Grid

    crs = CRS.from_user_input(site.crs)
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    west, south, east, north = to_metres.transform_bounds(*site.box)
    return Grid(
        width=max(1, round((east - west) / LINES_GRID_M)),
        height=max(1, round((north - south) / LINES_GRID_M)),
        transform=Affine(LINES_GRID_M, 0.0, west, 0.0, -LINES_GRID_M, north),
        crs=crs,
        local_from_pixel=np.eye(2) * LINES_GRID_M,
    )


def _about_place(site: Site, *, file: Path) -> Iterator[str]:
    west, south, east, north = site.box
    if max(east - west, north - south) > LARGE_DEG:
        yield f"box: {east - west:g} x {north - south:g} degrees is large for a yard"
    off = abs(site.utc_offset_h - (west + east) / 30)
    if min(off, 24 - off) > OFFSET_OFF_H:
        sun = f"{(west + east) / 30:.0f}"
        yield f"utc_offset_h: {site.utc_offset_h:g} is far from what the longitude suggests, {sun}"
    if file.name == FILE_NAME and file.absolute().parent.name != site.name:
        yield f"name: the folder is called {file.absolute().parent.name}, the site {site.name}"
    for k, zone in enumerate(site.zones):
        if not site.contains(*zone.point):
            yield f"zones[{k}]: the middle of {zone.id} lies outside the box"
    for k, one in enumerate(site.occluders):
        if not site.contains(*one.point):
            yield f"occluders[{k}]: {one.id} lies outside the box"
    known = [entry.site for entry in entries() if entry.site is not None]
    for other in overlaps(site, known):
        smaller = min((site, other), key=lambda one: (one.area_deg2, one.name))
        yield f"box: overlaps that of {other.name}; a tile in both is taken for {smaller.name}, the smaller"


def _about_tracks(site: Site) -> Iterator[str]:
    def key(k: int) -> tuple[dt.date, dt.date]:
        one = site.tracks[k]
        return one.since or dt.date.min, one.until or dt.date.max

    order = sorted(range(len(site.tracks)), key=key)
    for a, b in pairwise(order):
        if key(b)[0] <= key(a)[1]:
            yield f"tracks[{a}], tracks[{b}]: both hold on {key(b)[0]}; of two the one further down is used"


def _about_counts(site: Site) -> Iterator[str]:
    if not site.zones:
        yield "zones: there are none, so all counts are of the whole site"
    if not site.observations:
        yield "published_counts: no count is known, so nothing can be compared until a history holds some"
