"""Where railcars can stand: lines that were given, a mask, or what is found in the pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from railcount.errors import InputError
from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits
from railcount.text import one_line
from railcount.tracks.clip import clip_to_raster
from railcount.tracks.find import dense, find_tracks, network_of, new_part
from railcount.tracks.mask import lines_from_mask, read_marked
from railcount.tracks.network import Track, TrackNetwork
from railcount.tracks.register import registered
from railcount.tracks.search import find_in
from railcount.tracks.vector import read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from railcount.mosaic import Mosaic
    from railcount.raster.grid import Grid
    from railcount.tracks.marked import Marked

DOUBLE_M = 1.0
"""Lines nearer than this are one track: bodies are 3 m wide, track centres 3.6 m apart at least."""
_MOST_NAMED = 5
RASTER_SUFFIXES = (".tif", ".tiff")


def locate(
    mosaic: Mosaic,
    *,
    tracks: Path | None = None,
    mask: Path | None = None,
    limits: Limits | None = None,
    drivers: Sequence[Driver] = DEFAULT_DRIVERS,
) -> TrackNetwork:
    """The tile's tracks, from the first source there is: lines, a mask, the pixels.

    Lines, and those that a mask shows, are moved onto the image.

    ``tracks`` may also name a mask that ``railcount tracks`` wrote. ``limits`` and ``drivers`` hold
    for masks. Raises InputError for lines or masks that cannot be used.
    """
    if tracks is not None and mask is not None:
        raise InputError("give --tracks or --mask, not both: each says where the tracks are")
    grid = mosaic.grid
    if tracks is not None and tracks.suffix.lower() in RASTER_SUFFIXES:
        tracks, mask = None, tracks
    if tracks is not None:
        lines = read_lines(tracks, grid=grid)
        if not lines:
            reason = f"no line of {one_line(tracks.name)} crosses the tile"
            return TrackNetwork(tracks=(), source="given", reasons=(reason,))
        network = registered(without_doubles(lines, grid=grid), mosaic, grid=grid)
        return inside(network, name=tracks.name, grid=grid)
    if mask is not None:
        shape = (grid.height, grid.width)
        region = read_marked(mask, grid=grid, tile_shape=shape, limits=limits, drivers=drivers)
        return _from_mask(mosaic, region, name=mask.name)
    if mosaic.whole:
        return find_tracks(mosaic.view().pixels, grid=grid)
    return network_of(find_in(mosaic), grid=grid)


def without_doubles(lines: tuple[Track, ...], *, grid: Grid) -> TrackNetwork:
    """Given lines, each without what runs on top of an earlier one: a car counts once.

    Lines that share a lead up to their switches lose the shared part; a line drawn twice is left out.
    """
    kept: list[Track] = []
    doubles: list[str] = []
    for track in lines:
        whole = dense(grid.to_local(track.line_px))
        part = new_part(whole, [grid.to_local(t.line_px) for t in kept], apart_m=DOUBLE_M, shortest_m=0.0)
        if part is None:
            doubles.append(one_line(track.id, max_length=80))
        elif len(part) == len(whole):
            kept.append(track)
        else:
            kept.append(replace(track, line_px=grid.to_pixel(part)))
    reasons = [f"line {name} runs on top of others and is left out" for name in doubles[:_MOST_NAMED]]
    if len(doubles) > _MOST_NAMED:
        reasons.append(f"{len(doubles) - _MOST_NAMED} more lines run on top of others and are left out")
    return TrackNetwork(tracks=tuple(kept), source="given", reasons=tuple(reasons))


def inside(network: TrackNetwork, *, name: str, grid: Grid) -> TrackNetwork:
    """Lines cut at the tile's edge, beyond which nothing tells what stands there.

    A row of cars is then read up to the edge, and a car that the edge cuts is known to be cut. ``name`` is
    the file's.
    """
    if not network.tracks:
        return network
    kept: list[Track] = []
    for track in network.tracks:
        pieces = clip_to_raster(track.line_px, grid=grid, margin_m=0.0)
        for part, piece in enumerate(pieces, 1):
            part_id = track.id if len(pieces) == 1 else f"{track.id}.{part}"
            kept.append(replace(track, id=part_id, line_px=piece))
    reasons = network.reasons
    if not kept:
        reasons = (*reasons, f"no line of {one_line(name)} crosses the tile")
    return replace(network, tracks=tuple(kept), reasons=reasons)


def _from_mask(mosaic: Mosaic, region: Marked, *, name: str) -> TrackNetwork:
    """Centre lines where the mask shows bands one track wide; else the finder inside the mask."""
    if not len(region.keys):
        reason = f"no pixel of {name} marks a track here"
        return TrackNetwork(tracks=(), source="mask", reasons=(reason,))
    grid = mosaic.grid
    lines = lines_from_mask(region, grid=grid)
    if lines:
        network = registered(TrackNetwork(tracks=lines, source="mask"), mosaic, grid=grid)
        return inside(network, name=name, grid=grid)
    if not mosaic.whole:
        raise InputError(
            f"{name} shows no band as wide as one track, and in so large a tile tracks are not searched "
            "in a mask: give lines with --tracks, or cut the tile to the yard"
        )
    pixels = mosaic.view().pixels
    found = find_tracks(replace(pixels, valid=pixels.valid & (region.whole() > 0)), grid=grid)
    return replace(found, source="mask")
