"""A tile counted from Python: the result that shows itself in a notebook.

A front door beside the command line, and like it allowed to know the outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from railcount.counts import TileCount

if TYPE_CHECKING:
    import datetime as dt
    import os

    from PIL.Image import Image

    StrPath = str | os.PathLike[str]

WIDTH = 100
"""Columns of the text in a notebook's cell."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scan(TileCount):
    """A `TileCount` that can be looked at: in a notebook's cell, as a picture, as features."""

    reading: dict[str, Any] = field(default_factory=dict)
    """Options that the tile was opened with: `plot` opens it again."""

    def __repr__(self) -> str:
        """The answer in one line."""
        from railcount.outputs.table import headline
        from railcount.text import escape

        return f"<{escape(self.tile)}: {headline(self)}>"

    def _repr_html_(self) -> str:
        """What ``railcount scan`` prints; names and tags stay text."""
        from html import escape

        from railcount.outputs.table import render

        return f"<pre>{escape(render([self], width=WIDTH))}</pre>"

    def plot(self, *, strips: bool = False) -> Image:
        """The picture of ``--overlay``, 1600 px wide; with ``strips`` that of ``--strips``.

        A notebook shows the image that comes back; its ``save(path)`` keeps it.

        Raises TileError and MissingInput where the tile can no longer be read.
        """
        from railcount.outputs.overlay import overlay_page, strips_page
        from railcount.raster import open_tile

        if strips:
            return strips_page(self).to_image()
        return overlay_page(self, open_tile(self.tile, **self.reading)).to_image()

    def to_geojson(self) -> dict[str, Any]:
        """What ``--format geojson`` prints, as a dict: a feature a vehicle, the counts in ``railcount``.

        Longitude and latitude (WGS 84); pixels where the tile has no CRS.
        """
        from railcount.outputs.geojson import collection

        return collection([self])

    def to_geopandas(self) -> Any:
        """The vehicles as a GeoDataFrame: rows, columns and CRS of the GeoPackage's layer ``railcars``.

        Without a count it has no rows: look at ``status``. Raises InputError without geopandas.
        """
        from railcount.errors import InputError

        try:
            import geopandas
        except ImportError:
            msg = "to_geopandas needs geopandas: pip install geopandas, or use to_geojson"
            raise InputError(msg) from None
        from shapely import from_wkb

        from railcount.outputs.vector import LON_LAT, car_table, crs_of

        crs = crs_of([self])
        shapes, columns = car_table([self], shared=crs != LON_LAT)
        values = {name: one.tolist() for name, one in columns.items()}
        return geopandas.GeoDataFrame(values, geometry=from_wkb(shapes), crs=crs)


def scan(
    path: StrPath,
    *,
    tracks: StrPath | None = None,
    mask: StrPath | None = None,
    valid: StrPath | None = None,
    site: str | None = None,
    date: dt.date | str | None = None,
    stock: str | None = None,
    gsd: float | None = None,
    baseline: bool = True,
) -> Scan:
    """Count the railcars of one tile; the options mean what those of ``railcount scan`` mean.

    ``tracks`` is a file of lines, ``mask`` a raster of the track region, ``valid`` a quality mask, ``site`` a
    name or a file, ``date`` the day of the image (a date, or text such as 2023-10-05), ``stock`` a table of
    car lengths, ``gsd`` the size of a pixel in metres for a raster without a usable CRS. Without ``baseline``
    the count is not compared.

    A tile that cannot be counted is a result too: ``status`` and ``reasons`` say why, and ``railcars`` is
    None. Raises InputError and MissingInput for options that are not usable.
    """
    from railcount.pipeline import scan_tile
    from railcount.raster.names import image_day

    day = image_day(date) if date is not None else None
    count = scan_tile(
        path,
        tracks=tracks,
        mask=mask,
        valid=valid,
        site=site,
        date=day,
        stock=stock,
        gsd_m=gsd,
        baseline=baseline,
    )
    known = {one.name: getattr(count, one.name) for one in fields(TileCount)}
    return Scan(**known, reading={"gsd_m": gsd, "acquired": day})
