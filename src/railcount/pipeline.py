"""One tile from path to count: the stages in order."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from railcount.cars.lengths import COUPLED_GAP_M, Stock, load_stock
from railcount.cars.totals import by_length, car_by_car
from railcount.centring import centred
from railcount.contrast import featureless
from railcount.counts import Interval, TileCount, TrackSummary
from railcount.doubt import doubted
from railcount.errors import MissingInput, RailcountError, TileEmpty, TileError, TileRefused, TileUnreadable
from railcount.exclusion import one_each
from railcount.mosaic import Mosaic
from railcount.occupancy import believed, measure
from railcount.raster import open_tile
from railcount.raster.paths import CHANGED
from railcount.raster.safety import DEFAULT_DRIVERS
from railcount.regimes import COARSEST_M, regime_of, too_coarse
from railcount.seen import UNCOUNTABLE_BELOW, doubts, flagged, see, uncountable, widened
from railcount.strips import straighten
from railcount.survey import mosaic_of
from railcount.tracks.locate import locate
from railcount.visibility import View

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from railcount.baseline import Observation
    from railcount.raster.grid import Grid
    from railcount.raster.limits import Limits
    from railcount.raster.opening import RasterTile
    from railcount.raster.safety import Driver
    from railcount.raster.tile import Pixels, Tile
    from railcount.regimes import Regime
    from railcount.sites import Site
    from railcount.sites.place import Position
    from railcount.tracks.network import TrackNetwork

    StrPath = str | os.PathLike[str]
    Past = Callable[[Site], Sequence[Observation]]

logger = logging.getLogger(__name__)

SMALLEST_TILE_M = 30.0
"""Of the shorter side: less than two cars are long."""
DEFAULT_STOCK = "any"
NOT_IN_A_LARGE_TILE = (
    "no tracks were found by a coarse look at a tile so large, which cannot tell cloud or snow from ground "
    "without tracks: give their lines with --tracks, or cut the image to the yard"
)
"""Why nothing is counted there."""


def scan_tile(
    path: StrPath,
    *,
    tracks: StrPath | None = None,
    mask: StrPath | None = None,
    site: str | None = None,
    date: date | datetime | None = None,
    stock: str | None = None,
    gsd_m: float | None = None,
    valid: StrPath | None = None,
    baseline: bool = True,
    past: Past | None = None,
    limits: Limits | None = None,
    drivers: Sequence[Driver] = DEFAULT_DRIVERS,
) -> TileCount:
    """Count the railcars of one tile and compare the count with the site's past.

    ``valid`` is a quality mask of this tile: Planet's udm2, or a raster whose non-zero pixels are usable.
    ``past`` gives what was counted at a site besides what others published, as a history keeps it.

    A tile that cannot be counted is a result with a status and reasons; only options that are
    not usable raise (InputError, MissingInput).
    """
    from railcount import sites

    known = sites.load(site) if site is not None else None
    load_stock(stock or DEFAULT_STOCK)
    name = str(path)
    tile: RasterTile | None = None
    try:
        tile = open_tile(path, gsd_m=gsd_m, acquired=date, limits=limits, drivers=drivers)
        result = _scan_open(
            tile,
            name=name,
            known=known,
            tracks=tracks,
            mask=mask,
            valid=valid,
            stock=stock,
            baseline=baseline,
            past=past,
            limits=limits,
            drivers=drivers,
        )
        tile.check_unchanged()
    except TileError as error:
        return _uncounted(name, tile, error, known=known)
    except MissingInput as error:
        if tile is not None:  # not the tile is missing, but its lines or mask
            raise
        return TileCount(tile=name, sha256=None, status="failed", reasons=(str(error),))
    except RailcountError:
        raise
    except MemoryError:
        reason = "not enough memory for this tile: cut the image to the yard"
        return TileCount(tile=name, sha256=None, status="failed", reasons=(reason,))
    except Exception as error:  # one tile's trouble must not cost the others
        logger.debug("unexpected error in %s", name, exc_info=True)
        kind = type(error).__name__
        reason = f"an error that railcount did not foresee ({kind}); -vv shows where: please report it"
        return TileCount(tile=name, sha256=None, status="crashed", reasons=(reason,))
    return result


def _scan_open(
    tile: RasterTile,
    *,
    name: str,
    known: Site | None,
    tracks: StrPath | None,
    mask: StrPath | None,
    valid: StrPath | None,
    stock: str | None,
    baseline: bool,
    past: Past | None,
    limits: Limits | None,
    drivers: Sequence[Driver],
) -> TileCount:
    """The stages after opening."""
    elsewhere = _elsewhere(tile, known)
    known = known or _site_of(tile)
    result = TileCount(
        tile=name,
        sha256=None,
        status="counted",
        acquisition=tile.acquisition,
        site=known.name if known else None,
        utc_offset_h=known.utc_offset_h if known else None,
        grid=tile.grid,
    )
    regime = regime_of(tile.grid.gsd_m, sensor_gsd_m=tile.acquisition.sensor_gsd_m)
    if regime is None:
        reason = too_coarse(tile.grid.gsd_m)
        return replace(result, sha256=tile.sha256, status="refused", reasons=(*tile.reasons, reason))
    result = replace(result, regime=regime)
    given = tracks is not None or mask is not None or _site_lines(tile, known) is not None
    if regime == "occupied_length" and not given:
        reason = _cannot_find(tile.grid)
        return replace(result, sha256=tile.sha256, status="uncountable", reasons=(*tile.reasons, reason))
    logger.info("%s: %d x %d pixels of %.2f m", name, tile.grid.width, tile.grid.height, tile.grid.gsd_m)
    with tile.held_open():
        mosaic = mosaic_of(tile, site=known, valid=valid, limits=limits, drivers=drivers)
        network = _located(tile, mosaic, site=known, tracks=tracks, mask=mask, limits=limits, drivers=drivers)
        logger.info("%s: %d tracks, %s", name, len(network.tracks), network.source)
        rolling = stock or (known.stock if known else DEFAULT_STOCK)
        result = count_on(replace(result, network=network), mosaic, network, stock=rolling)
        if mosaic.hidden.n_pixels and not mosaic.hidden.n_image:
            raise TileEmpty("no pixel near the tracks is usable: all are nodata, masked or zero")
    reasons = (*tile.reasons, *_resampled(tile, regime), *result.reasons)
    if reasons and result.status == "counted":
        result = replace(result, status="degraded")
    result = replace(result, sha256=tile.sha256, reasons=(*reasons, *elsewhere))
    if baseline and known is not None and result.railcars is not None:
        result = _compared(result, known, past=past)
    return result


def locate_tracks(
    path: StrPath,
    *,
    tracks: StrPath | None = None,
    mask: StrPath | None = None,
    site: str | None = None,
    date: date | datetime | None = None,
    gsd_m: float | None = None,
    valid: StrPath | None = None,
    limits: Limits | None = None,
    drivers: Sequence[Driver] = DEFAULT_DRIVERS,
) -> tuple[Tile, TrackNetwork]:
    """The tile and its tracks, as ``scan_tile`` would use them.

    Raises TileError where the tile cannot be read, InputError for options that are not usable.
    """
    from railcount import sites

    tile = open_tile(path, gsd_m=gsd_m, acquired=date, limits=limits, drivers=drivers)
    regime = regime_of(tile.grid.gsd_m)
    if regime is None:
        raise TileRefused(too_coarse(tile.grid.gsd_m))
    known = sites.load(site) if site is not None else _site_of(tile)
    given = tracks is not None or mask is not None or _site_lines(tile, known) is not None
    if regime == "occupied_length" and not given:
        raise TileRefused(_cannot_find(tile.grid))
    with tile.held_open():
        mosaic = mosaic_of(tile, site=known, valid=valid, limits=limits, drivers=drivers)
        network = _located(tile, mosaic, site=known, tracks=tracks, mask=mask, limits=limits, drivers=drivers)
    tile.check_unchanged()
    return tile, network


def _resampled(tile: Tile, regime: Regime) -> tuple[str, ...]:
    """A reason where the sensor's own pixels, not the tile's, decide the regime."""
    if regime == regime_of(tile.grid.gsd_m):
        return ()
    return (
        f"the sensor's own pixels are {tile.acquisition.sensor_gsd_m:.2f} m, resampled to "
        f"{tile.grid.gsd_m:.2f} m: cars are told apart by their pitch",
    )


def count_cars(
    result: TileCount, pixels: Pixels, network: TrackNetwork, *, stock: str, view: View | None = None
) -> TileCount:
    """Fill in what stands on the tracks: ``result`` needs its grid.

    ``view`` says what of the pixels is hidden and by what; without it nothing is but what is invalid.
    """
    grid = result.grid
    assert grid is not None  # set by every caller that has a tile
    mosaic = Mosaic.of(view or View(pixels=pixels), grid=grid)
    return count_on(
        replace(result, regime=result.regime or regime_of(grid.gsd_m)), mosaic, network, stock=stock
    )


def count_on(result: TileCount, mosaic: Mosaic, network: TrackNetwork, *, stock: str) -> TileCount:
    """Fill in what stands on the tracks: ``result`` needs its grid and its regime."""
    grid, regime = mosaic.grid, result.regime
    assert regime is not None  # too coarse a tile is refused before
    strips = straighten(mosaic, network, grid=grid)
    sun = result.acquisition.sun_azimuth_deg if result.acquisition else None
    evidence = measure(strips, sun_azimuth_deg=sun, coarse=regime == "occupied_length")
    if network.source != "found" and regime != "occupied_length":
        moved = centred(strips, evidence, mosaic, grid=grid)
        if moved is not None:
            strips, evidence = moved, measure(moved, sun_azimuth_deg=sun)
    if network.source == "found":
        evidence = one_each(strips, believed(strips, evidence))
    seen = see(strips, [e.seen for e in evidence], mosaic, found=network.source == "found")
    summary = TrackSummary(
        source=network.source,
        n=len(strips),
        length_m=seen.length_m,
        visible_fraction=seen.fraction,
        registration=network.registration,
        each=seen.each,
    )
    result = replace(result, tracks=summary, strips=strips, reasons=network.reasons)
    if not strips:
        return _without_tracks(result, network, mosaic)
    if reason := uncountable(seen, mosaic.hidden):
        return replace(result, status="uncountable", reasons=(*network.reasons, reason))
    rolling = load_stock(stock)
    if regime == "occupied_length":
        result = by_length(result, evidence, stock=rolling)
    else:
        result = car_by_car(result, evidence, stock=rolling)
        result = replace(result, cars=flagged(result.cars, seen))
    if said := doubts(seen, mosaic.hidden):
        result = replace(result, status="degraded", reasons=(*result.reasons, *said))
    car_m = _car_m(result, rolling)
    result = widened(result, seen, car_m=car_m, shortest_m=min(rolling.lengths_m))
    return doubted(result, car_m=car_m)


def _car_m(result: TileCount, stock: Stock) -> float:
    """Mean length over couplers: of the cars counted where there are some, else of the table."""
    if len(result.cars) >= 5:
        return float(np.mean([car.length_m for car in result.cars])) + COUPLED_GAP_M
    return float(np.average(stock.lengths_m, weights=stock.weights))


def _cannot_find(grid: Grid) -> str:
    return (
        f"tracks cannot be found in pixels of {grid.gsd_m:.1f} m, only up to {COARSEST_M['pitch']:g} m: "
        "give their lines with --tracks or their region with --mask"
    )


def _without_tracks(result: TileCount, network: TrackNetwork, mosaic: Mosaic) -> TileCount:
    """No tracks, no railcars: a count of 0 where enough of the tile was searched in vain.

    Without track, the visible fraction is that of the ground.
    """
    found = network.source == "found"
    blank = found and mosaic.whole and featureless(mosaic.view().pixels, grid=mosaic.grid)
    if result.tracks is not None:
        shown = 0.0 if blank else 1.0 - mosaic.hidden.fraction
        result = replace(result, tracks=replace(result.tracks, visible_fraction=shown))
    if not found:
        return replace(result, status="uncountable")
    reason = _in_vain(result, mosaic, blank=blank) if mosaic.whole else NOT_IN_A_LARGE_TILE
    if reason:
        return replace(result, status="uncountable", reasons=(reason,))
    none = Interval(best=0, low=0, high=0)
    return replace(
        result, status="degraded", railcars=none, locomotives=none, covered=none, trains=0, occupied_m=0.0
    )


def _in_vain(result: TileCount, mosaic: Mosaic, *, blank: bool) -> str | None:
    """Why no tracks found does not mean that there are none; None where it does."""
    grid = mosaic.grid
    sides_m = np.array([grid.width, grid.height]) * grid.gsd_m
    if mosaic.hidden.fraction > 1 - UNCOUNTABLE_BELOW:
        return f"no tracks were found, and much of the tile is hidden{mosaic.hidden.because}"
    if blank:
        return (
            "no tracks were found, and nothing in the tile stands out of the noise (night, fog, a blank "
            "image or snow over everything)"
        )
    if result.site is not None:
        return f"no tracks were found, though {result.site} has some: they cannot be seen in this image"
    if result.regime != "cars":
        return (
            "no tracks were found, and in pixels so coarse they may be missed: give their lines with --tracks"
        )
    if sides_m.min() < SMALLEST_TILE_M:
        return f"the tile shows {sides_m[0]:.0f} x {sides_m[1]:.0f} m: too little to find a track in"
    return None


def _uncounted(name: str, tile: RasterTile | None, error: TileError, *, known: Site | None) -> TileCount:
    """The result without a count. That the file changed explains every other reason, and has no content."""
    changed = tile is not None and not tile.is_as_it_was
    site = known or (_site_of(tile) if tile else None)
    if changed:
        error = TileUnreadable(CHANGED)
    return TileCount(
        tile=name,
        sha256=tile.sha256 if tile and not changed else None,
        status=error.status,  # type: ignore[arg-type]  # each TileError names one of the statuses
        reasons=(*(tile.reasons if tile else ()), str(error)),
        acquisition=tile.acquisition if tile else None,
        site=site.name if tile and site else None,
        utc_offset_h=site.utc_offset_h if tile and site else None,
        grid=tile.grid if tile else None,
    )


def _path(path: StrPath | None) -> Path | None:
    return None if path is None else Path(path)


def _corners(tile: Tile) -> list[Position]:
    """Longitude and latitude of the tile's corners, in order around it. Raises InputError without a CRS."""
    w, h = tile.grid.width, tile.grid.height
    corners = tile.grid.to_lonlat(np.array([[0, 0], [w, 0], [w, h], [0, h]], dtype=np.float64))
    return [(float(lon), float(lat)) for lon, lat in corners]


def _site_of(tile: Tile) -> Site | None:
    """The known site that the tile shows."""
    from railcount import sites

    return None if tile.grid.crs is None else sites.locate_footprint(_corners(tile))


def _elsewhere(tile: Tile, named: Site | None) -> tuple[str, ...]:
    """A reason where the tile shows nothing of the box of the site that was named."""
    if named is None or tile.grid.crs is None:
        return ()
    (west, south), (east, north) = np.min(_corners(tile), axis=0), np.max(_corners(tile), axis=0)
    box = named.box
    if not (west > box[2] or east < box[0] or south > box[3] or north < box[1]):
        return ()
    return (
        f"the tile lies outside the box of {named.name}, the site that was named: it shows another place",
    )


def _site_lines(tile: Tile, site: Site | None) -> Path | None:
    """The site's own track lines of the tile's day; without a day, those of the last layout."""
    if site is None:
        return None
    moment = tile.acquisition.acquired
    return site.tracks_on(None if moment is None else site.local_day(moment))


def _located(
    tile: Tile,
    mosaic: Mosaic,
    *,
    site: Site | None,
    tracks: StrPath | None,
    mask: StrPath | None,
    limits: Limits | None,
    drivers: Sequence[Driver],
) -> TrackNetwork:
    """The tile's tracks: lines or a mask that were given, the site's lines, or what the pixels show."""
    lines = None if tracks is not None or mask is not None else _site_lines(tile, site)
    if lines is None:
        return locate(mosaic, tracks=_path(tracks), mask=_path(mask), limits=limits, drivers=drivers)
    network = locate(mosaic, tracks=lines, limits=limits, drivers=drivers)
    if network.tracks or regime_of(tile.grid.gsd_m) == "occupied_length":
        return replace(network, source="site")
    return locate(mosaic, limits=limits, drivers=drivers)  # none of the site's lines is in the tile


def _compared(result: TileCount, site: Site, *, past: Past | None) -> TileCount:
    """The count set against the site's past; without a date it says that it cannot be."""
    acquired = result.acquisition.acquired if result.acquisition else None
    assert result.railcars is not None  # the caller has looked
    if acquired is None:
        reason = "the tile has no date, so its count cannot be compared; --date YYYY-MM-DD gives one"
        return replace(result, reasons=(*result.reasons, reason))
    earlier = past(site) if past is not None else ()
    return replace(result, comparison=site.compare(result.railcars, acquired=acquired, extra=earlier))
