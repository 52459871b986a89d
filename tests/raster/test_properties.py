"""Whatever a file says of itself, and wherever its lines lie: a result or an error in words."""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path
from typing import get_args

import numpy as np
import pyproj
from affine import Affine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rasterio.errors import RasterioError

from railcount import scan_tile
from railcount.counts import STATUSES_WITH_COUNT, Status
from railcount.errors import InputError
from railcount.outputs import csv as csv_output
from railcount.outputs import geojson as geojson_output
from railcount.outputs import json as json_output
from railcount.raster.grid import Grid
from railcount.tracks.vector import read_lines

from . import factories

SHAPE = {"n_bands": 3, "rows": 24, "cols": 40}
CRS = ("EPSG:32652", "EPSG:4326", "EPSG:2227", "EPSG:3857", "EPSG:4978", "EPSG:3031", "EPSG:27700", None)
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1, 1),
    st.sampled_from([0.0, 0.5, -0.5, 1e-300, 1e300, 633_000.0, 4_697_000.0, 180.0]),
)
TEXTS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=40
)
DATES = st.one_of(TEXTS, st.datetimes().map(lambda when: when.strftime("%Y:%m:%d %H:%M:%S")))
TAGS = st.dictionaries(
    st.sampled_from(
        ["TIFFTAG_DATETIME", "TIFFTAG_COPYRIGHT", "AREA_OR_POINT", "SIMULATED", "TIFFTAG_IMAGEDESCRIPTION"]
    ),
    DATES,
)
IMAGERY = st.dictionaries(
    st.sampled_from(["ACQUISITIONDATETIME", "CLOUDCOVER", "SATELLITEID"]), DATES, max_size=3
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    transform=st.tuples(*[NUMBERS] * 6),
    crs=st.sampled_from(CRS),
    tags=TAGS,
    imagery=IMAGERY,
    nodata=st.one_of(st.none(), st.floats()),
    descriptions=st.lists(TEXTS, max_size=3),
    dtype=st.sampled_from(["uint8", "float32"]),
)
@example((0.5, 0, 633_000, 0, -0.5, 4_697_000), CRS[0], {}, {"CLOUDCOVER": "nan"}, None, [], "uint8")
@example((1e-9, 0, 633_000, 0, -0.5, 4_697_000), CRS[0], {}, {}, None, [], "uint8")
def test_metadata(transform, crs, tags, imagery, nodata, descriptions, dtype):  # noqa: PLR0917
    bands = factories.picture(**SHAPE, dtype=dtype)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.tif"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                factories.write_tif(
                    path,
                    bands,
                    crs=crs,
                    transform=Affine(*transform),
                    tags=tags,
                    imagery=imagery,
                    descriptions=descriptions,
                    nodata=None if dtype == "uint8" and not _fits(nodata) else nodata,
                )
        except (RasterioError, ValueError, OverflowError):
            return  # no file to read
        count = scan_tile(path, baseline=False)
    assert count.status in set(get_args(Status)) - {"crashed", "timeout"}, count.reasons
    assert count.status == "counted" or count.reasons
    assert all(reason.isprintable() for reason in count.reasons)
    assert (count.railcars is None) == (count.status not in STATUSES_WITH_COUNT)
    json.loads(json_output.dumps([count]), parse_constant=_refuse)
    json.loads(geojson_output.dumps([count]), parse_constant=_refuse)
    csv_output.dumps([count])


def _fits(nodata):
    return nodata is not None and 0 <= nodata <= 255 and nodata == int(nodata)


def _refuse(word):
    raise AssertionError(word)


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.integers(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)
POSITIONS = st.lists(st.lists(NUMBERS, min_size=2, max_size=3), max_size=6)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(["LineString", "MultiLineString", "Polygon", ["LineString"], {}, None]),
    coordinates=st.one_of(POSITIONS, st.lists(POSITIONS, max_size=3), ANYTHING),
    crs=st.one_of(st.none(), st.sampled_from(CRS), st.text(max_size=20)),
    properties=ANYTHING,
    wrapped=st.booleans(),
    pixels=st.booleans(),
)
@example("LineString", [[0, 0], [1e300, 1e300]], None, {}, True, True)
@example("LineString", [[130.6, 42.4], [130.6, 42.4]], None, {}, True, False)
@example("LineString", [[-1e9, 5], [1e9, 5]], None, {}, True, True)
def test_lines(kind, coordinates, crs, properties, wrapped, pixels):  # noqa: PLR0917
    document = {"type": kind, "coordinates": coordinates}
    if wrapped:
        document = {"type": "Feature", "properties": properties, "geometry": document}
        document = {"type": "FeatureCollection", "features": [document]}
    if crs is not None:
        document["crs"] = {"type": "name", "properties": {"name": crs}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.geojson"
        path.write_text(json.dumps(document), encoding="utf-8")
        try:
            tracks = read_lines(path, grid=_grid(pixels))
        except InputError as error:
            words = str(error)
        else:
            words = None
    if words is not None:
        assert words.isprintable()
        return
    for track in tracks:
        assert np.isfinite(track.line_px).all()
        assert len(track.line_px) > 1
        assert (np.abs(track.line_px - [500, 400]) < 2000).all()  # cut at the tile's edge


def _grid(pixels):
    crs = None if pixels else pyproj.CRS.from_epsg(32652)
    transform = Affine.identity() if pixels else Affine(0.5, 0, 633_000, 0, -0.5, 4_697_000)
    return Grid(width=1000, height=800, transform=transform, crs=crs, local_from_pixel=np.eye(2) * 0.5)
