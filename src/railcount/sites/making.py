"""A new site's folder: readable, with comments where the analyst goes on, and valid as it stands."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from railcount.errors import InputError, OutputError, OutputExists
from railcount.files import os_words
from railcount.sites.history import COLUMNS
from railcount.sites.loading import FILE_NAME, check_box, check_crs, check_name, read_site
from railcount.text import escape

if TYPE_CHECKING:
    from pathlib import Path

COUNTS_NAME = "published_counts.csv"

_TOML = """\
# {title}
#
# Positions are longitude, latitude in WGS84 degrees. Check this file with
#     railcount site validate {name}/{file}
# Lines that begin with # are examples: take the # away and fill them in. README.md says more.

name = "{name}"
title = "{title}"
# Metres at the site: the zone of UTM that it lies in, unless another was given.
crs = "{crs}"
# Local time minus UTC, in hours: it decides of which day an image is. {offset_note}
utc_offset_h = {offset}
# Rolling stock to expect: any, russian-chinese, european or north-american.
stock = "any"
# West, south, east, north: a tile whose middle lies in it is of this site.
box = [{box}]
# What the counts are, in words; they stand in {counts}, beside this file.
baseline = "counts of railcars at {title}"
published_counts = "{counts}"
# Zones whose counts may be set against each other; all where the line is missing.
# baseline_zones = ["yard"]
# Sentences that belong beside every comparison.
caveats = []

# A named part of the site: a point with a reach in metres, or a polygon.
#
# [[zones]]
# id = "yard"
# title = "The freight yard"
# ring = [[{west}, {south}], [{east}, {south}], [{east}, {north}], [{west}, {north}]]
# uncertainty_m = 25
# certainty = "How the position is known"
# source = "Where it is from"

# Track lines, each file with the days on which the layout was so; leave out what is not known.
#
# [[tracks]]
# file = "tracks.geojson"
# since = 2020-01-01
# until = 2024-06-30

# What hides tracks from above, from a day on.
#
# [[occluders]]
# id = "canopy"
# title = "Canopy over the platforms"
# point = [{lon}, {lat}]
# length_m = 300
# width_m = 25
# heading_deg = 90
# since = 2024-12-01
# uncertainty_m = 25
# certainty = "How it is known"
# source = "Where it is from"
"""

_README = """\
# {title}

A site of railcount: a folder with a description, counts, and the lines of its tracks.

- `site.toml`: position, zones, what hides tracks, files of tracks. Examples stand in it behind `#`.
- `published_counts.csv`: what others counted. One row a count:
  - `when`: `2023-10-05`, `2023-12` where only the month is known, `2018-10/2023-09` for a period;
  - `statement`: `image`, `period_maximum` (no image of the period showed more) or `period_total`;
  - `zone`: an id from `site.toml`, or empty;
  - `unit`: `cars` (all that stood there), `set` (a part of them), `trains` or `metres`;
  - `low`, `best`, `high`: whole numbers; all empty where something was seen but not counted;
  - `qualifier`: the words around the number; `sensor`, `source` (required), `url`, `notes`.
- track lines: GeoJSON or GeoPackage, any CRS. `railcount tracks TILE -o tracks.geojson` writes what it
  finds in an image; correct that in QGIS, put it here, and name it under `[[tracks]]` with the days on
  which it holds.

Use the site with `--site {name}`, with the folder above this one in the environment variable
`RAILCOUNT_SITES`; tiles whose middle lies in the box find it then by themselves. Or name the folder:
`--site path/to/{name}`.
"""


def make_site(
    name: str,
    *,
    box: tuple[float, float, float, float],
    folder: Path,
    title: str | None = None,
    crs: str | None = None,
    utc_offset_h: float | None = None,
) -> Path:
    """Make the folder of a new site and return the path of its ``site.toml``.

    ``box`` is west, south, east, north in degrees; ``crs`` is the UTM zone of its middle unless given;
    ``utc_offset_h`` is taken from the longitude unless given. The folder appears whole or not at all.

    Raises OutputExists where something of that name exists, InputError for what is no site.
    """
    check_name(name)
    box = check_box(box)
    crs = check_crs(crs or utm_of((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
    title = name if title is None else title.strip()
    if not title or not title.isprintable() or len(title) > 200:
        raise InputError(f"a title must be one line of text, at most 200 letters, got {title!r:.60}")
    if os.path.lexists(folder):
        raise OutputExists(f"{folder} exists; choose another folder")
    if not folder.absolute().parent.is_dir():
        raise OutputError(f"the folder {folder.absolute().parent} does not exist; make it first")
    temporary = folder.with_name(f".{folder.name[:100]}.{os.getpid()}.tmp")
    try:
        temporary.mkdir()
        texts = _texts(name, box=box, title=title, crs=crs, utc_offset_h=utc_offset_h)
        for file, text in texts.items():
            (temporary / file).write_text(text, encoding="utf-8")
        read_site(temporary / FILE_NAME)
        if os.path.lexists(folder):  # a rename would replace an empty folder
            raise OutputExists(f"{folder} was made by another program meanwhile; choose another folder")
        temporary.rename(folder)
    except OSError as error:
        if isinstance(error, OutputExists):
            raise
        raise OutputError(f"{folder} could not be made: {os_words(error)}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder / FILE_NAME


def utm_of(lon: float, lat: float) -> str:
    """The EPSG code of the UTM zone of a point, near the poles of UPS; Norway's exceptions are kept."""
    if lat > 84 or lat < -80:
        return "EPSG:32661" if lat > 0 else "EPSG:32761"
    zone = min(int((lon + 180) // 6) + 1, 60)
    if 56 <= lat < 64 and 3 <= lon < 12:
        zone = 32
    elif 72 <= lat <= 84 and 0 <= lon < 42:
        zone = 31 if lon < 9 else 33 if lon < 21 else 35 if lon < 33 else 37
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def _texts(
    name: str,
    *,
    box: tuple[float, float, float, float],
    title: str,
    crs: str,
    utc_offset_h: float | None,
) -> dict[str, str]:
    """The files of the folder."""
    west, south, east, north = (f"{value:.7f}".rstrip("0").rstrip(".") for value in box)
    offset = round((box[0] + box[2]) / 30) if utc_offset_h is None else utc_offset_h
    values = {
        "name": name,
        "title": title.replace("\\", "\\\\").replace('"', '\\"'),
        "crs": crs,
        "offset": f"{min(max(offset, -12), 14):g}",
        "offset_note": "Taken from the longitude: check it." if utc_offset_h is None else "",
        "box": ", ".join((west, south, east, north)),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "lon": f"{(box[0] + box[2]) / 2:.6f}",
        "lat": f"{(box[1] + box[3]) / 2:.6f}",
        "file": FILE_NAME,
        "counts": COUNTS_NAME,
    }
    toml = "\n".join(line.rstrip() for line in _TOML.format(**values).splitlines()) + "\n"
    return {
        FILE_NAME: toml,
        COUNTS_NAME: ",".join(COLUMNS) + "\n",
        "README.md": _README.format(name=name, title=escape(title)),
    }
