"""Which texts of coordinate systems are handed to PROJ."""

from __future__ import annotations

import pytest
from pyproj import CRS

from railcount.wkt import only_describes

ELLIPSOID = 'ELLIPSOID["WGS 84",6378137,298.257223563]'
BASE = f'BASEGEOGCRS["x",DATUM["d",{ELLIPSOID}]]'
PLANE = 'CS[Cartesian,2],AXIS["e",east],AXIS["n",north],LENGTHUNIT["metre",1]'
DEGREES = 'CS[ellipsoidal,2],AXIS["lat",north],AXIS["lon",east],ANGLEUNIT["degree",0.0174532925199433]'
DATUM = 'DATUM["d",SPHEROID["WGS 84",6378137,298.257223563]]'
GEOGCS = f'GEOGCS["x",{DATUM},PRIMEM["g",0],UNIT["degree",0.0174532925199433]]'
TM = (
    'PROJECTION["Transverse_Mercator"],PARAMETER["central_meridian",129],PARAMETER["scale_factor",0.9996],'
    'PARAMETER["false_easting",500000],UNIT["metre",1]'
)
STEPS = "PROJ-based operation method: +proj=pipeline +step +proj=hgridshift +grids={file}"
TRICKS = {
    "derived": f'GEOGCRS["a",{BASE},DERIVINGCONVERSION["c",METHOD["{STEPS}"]],{DEGREES}]',
    "steps": f'PROJCRS["a",{BASE},CONVERSION["c",METHOD["{STEPS}"]],{PLANE}]',
    "method": f'PROJCRS["a",{BASE},CONVERSION["c",METHOD["PROJ hgridshift grids={{file}}"]],{PLANE}]',
    "parameter": (
        f'GEOGCRS["a",{BASE},DERIVINGCONVERSION["c",METHOD["NTv2",ID["EPSG",9615]],'
        f'PARAMETERFILE["Latitude and longitude difference file","{{file}}"]],{DEGREES}]'
    ),
    "extension": f'PROJCS["a",{GEOGCS},{TM}]'.replace("]]", '],EXTENSION["PROJ4_GRIDS","{file}"]]', 1),
    "proj4": f'PROJCS["a",{GEOGCS},{TM},EXTENSION["PROJ4","+proj=utm +zone=52 +nadgrids={{file}}"]]',
    "remark": (
        f'PROJCRS["a",{BASE},CONVERSION["c",METHOD["custom_proj4"]],{PLANE},'
        'REMARK["PROJ CRS string: +proj=hgridshift +ellps=WGS84 +grids={file}"]]'
    ),
    "heights": (
        f'COMPD_CS["c",PROJCS["a",{GEOGCS},{TM}],VERT_CS["v",VERT_DATUM["e",2005,'
        'EXTENSION["PROJ4_GRIDS","{file}"]],UNIT["metre",1]]]'
    ),
    "string": "+proj=utm +zone=52 +nadgrids={file} +type=crs",
    "init": "+init={file}:1",
    "json": '{{"type": "ProjectedCRS", "name": "{file}"}}',
    "printed quotes": f'PROJCS["a",{GEOGCS},{TM},UNIT["m\u201d,EXTENSION[\u201cPROJ4_GRIDS",1]]',
    "two": f"{GEOGCS},{GEOGCS}",
    "open": f'PROJCS["a",{GEOGCS},{TM}',
    "path": "{file}",
    "empty": "",
}
"""Each with ``{file}`` where another file is named."""


@pytest.mark.parametrize("trick", TRICKS)
def test_tricks(trick: str) -> None:
    assert not only_describes(TRICKS[trick].format(file="/tmp/marker"))


@pytest.mark.parametrize("code", ["EPSG:32652", "EPSG:2056", "EPSG:4267", "EPSG:5514", "ESRI:102028"])
@pytest.mark.parametrize("version", ["WKT2_2019", "WKT2_2015", "WKT1_GDAL", "WKT1_ESRI"])
def test_what_programs_write(code: str, version: str) -> None:
    for pretty in (False, True):
        text = CRS.from_user_input(code).to_wkt(version, pretty=pretty)
        assert only_describes(text), text


def test_a_text_without_end() -> None:
    assert not only_describes('PROJCS["' + "x" * 20_000 + '"]')
    assert not only_describes("[" * 20_000)
    assert not only_describes('"towgs84=' * 2000)
