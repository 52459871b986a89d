"""TIFF files written byte by byte, each with one thing wrong or odd in it.

All show the same small picture with a place on the ground: what is odd is all there is to stumble over.
"""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COLS, ROWS, BANDS = 96, 64, 3
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, DOUBLE, LONG8, IFD8 = 1, 2, 3, 4, 5, 7, 12, 16, 18
_FORMAT = {BYTE: "B", ASCII: "B", SHORT: "H", LONG: "I", UNDEFINED: "B", DOUBLE: "d", LONG8: "Q", IFD8: "Q"}

WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, SAMPLES, ROWS_PER_STRIP, COUNTS, PLANAR = (
    256, 257, 258, 259, 262, 273, 277, 278, 279, 284,
)  # fmt: skip
PREDICTOR, TILE_WIDTH, TILE_LENGTH, TILES, TILE_COUNTS, SUB_IFDS = 317, 322, 323, 324, 325, 330
DATE, ARTIST, COPYRIGHT, COLORMAP, EXTRA, SAMPLE_FORMAT, JPEG_TABLES = 306, 315, 33432, 320, 338, 339, 347
PIXEL_SCALE, TIE_POINT, MATRIX, GEO_KEYS, GEO_DOUBLES, GEO_ASCII = 33550, 33922, 34264, 34735, 34736, 34737
GDAL_METADATA, GDAL_NODATA, EXIF, RPC = 42112, 42113, 34665, 50844

DEFLATE, LZW, JPEG, PACKBITS, CCITT = 8, 5, 7, 32773, 4
UTM_52N = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32652)


@dataclass
class Tiff:
    """One directory and its pixels; values are numbers, or bytes as they stand."""

    tags: dict[int, tuple[int, Any]] = field(default_factory=dict)
    pixels: bytes = b""
    big: bool = False
    more: list[tuple[int, int, Any]] = field(default_factory=list)
    """Entries that stand after the others, whatever their order."""
    next_ifd: int = 0

    def __post_init__(self) -> None:
        if not self.pixels:
            self.pixels = picture().tobytes()
        usual: dict[int, tuple[int, Any]] = {
            WIDTH: (LONG, (COLS,)), LENGTH: (LONG, (ROWS,)), BITS: (SHORT, (8,) * BANDS),
            COMPRESSION: (SHORT, (1,)), PHOTOMETRIC: (SHORT, (2,)), SAMPLES: (SHORT, (BANDS,)),
            ROWS_PER_STRIP: (LONG, (ROWS,)), PLANAR: (SHORT, (1,)),
            STRIPS: (LONG8 if self.big else LONG, (self.head_size,)),
            COUNTS: (LONG8 if self.big else LONG, (len(self.pixels),)),
            PIXEL_SCALE: (DOUBLE, (0.5, 0.5, 0.0)), TIE_POINT: (DOUBLE, (0, 0, 0, 633_000, 4_697_000, 0)),
            GEO_KEYS: (SHORT, UTM_52N),
        }  # fmt: skip
        self.tags = {**usual, **self.tags}

    @property
    def head_size(self) -> int:
        """Bytes before the pixels."""
        return 16 if self.big else 8

    @property
    def ifd_at(self) -> int:
        """Where the directory begins."""
        return (self.head_size + len(self.pixels) + 15) // 8 * 8

    def to_bytes(self) -> bytes:
        """The file."""
        entries = [
            (tag, kind, value) for tag, (kind, value) in sorted(self.tags.items()) if value is not None
        ]
        entries += self.more
        count, entry, offset = ("<Q", "<HHQ", "<Q") if self.big else ("<H", "<HHI", "<I")
        room = struct.calcsize(offset)
        after = self.ifd_at + struct.calcsize(count) + len(entries) * (struct.calcsize(entry) + room) + room
        rows, values = b"", b""
        for tag, kind, value in entries:
            data = value if isinstance(value, bytes) else struct.pack(f"<{len(value)}{_FORMAT[kind]}", *value)
            n = len(data) // struct.calcsize(_FORMAT.get(kind, "B"))
            rows += struct.pack(entry, tag, kind, n)
            if len(data) <= room:
                rows += data.ljust(room, b"\0")
            else:
                rows += struct.pack(offset, after + len(values))
                values += data + b"\0" * (len(data) % 2)
        head = struct.pack("<2sHHHQ", b"II", 43, 8, 0, self.ifd_at) if self.big else b"II*\0"
        head += b"" if self.big else struct.pack("<I", self.ifd_at)
        body = (head + self.pixels).ljust(self.ifd_at, b"\0")
        return body + struct.pack(count, len(entries)) + rows + struct.pack(offset, self.next_ifd) + values


def picture() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(rows, cols, bands) of noise."""
    return np.random.default_rng(1).integers(5, 250, (ROWS, COLS, BANDS), dtype=np.uint8)


def text(words: bytes) -> tuple[int, bytes]:
    """An ASCII value."""
    return ASCII, words


def odd_tiffs() -> Iterator[tuple[str, bytes]]:
    """Name and content of each."""
    for name, tags in TAGS.items():
        yield name, Tiff(tags=tags).to_bytes()
    for name, make in MADE.items():
        yield name, make()


def _compressed(code: int, data: bytes, tags: dict[int, tuple[int, Any]] | None = None) -> bytes:
    return Tiff(tags={COMPRESSION: (SHORT, (code,)), **(tags or {})}, pixels=data).to_bytes()


def _metadata(*items: bytes, head: bytes = b"") -> dict[int, tuple[int, Any]]:
    return {GDAL_METADATA: text(head + b"<GDALMetadata>" + b"".join(items) + b"</GDALMetadata>\0")}


def _keys(*more: int, n: int | None = None) -> tuple[int, tuple[int, ...]]:
    n_more = len(more) // 4 if n is None else n
    return SHORT, (1, 1, 0, 3 + n_more, *UTM_52N[4:], *more)


def _tiled(cols: int, rows: int) -> dict[int, tuple[int, Any]]:
    return {
        STRIPS: (LONG, None), COUNTS: (LONG, None), ROWS_PER_STRIP: (LONG, None),
        TILE_WIDTH: (LONG, (cols,)), TILE_LENGTH: (LONG, (rows,)),
        TILES: (LONG, (8,)), TILE_COUNTS: (LONG, (COLS * ROWS * BANDS,)),
    }  # fmt: skip


_LAUGHS = b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)  # b is ten times a, c ten times b, ...
_PE = (
    b'ESRI PE String = PROJCS["x",GEOGCS["y",DATUM["d",SPHEROID["s",6378137,298.257223563]],PRIMEM["g",0],'
    b'UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["Central_Meridian",129],'
    b'PARAMETER["Scale_Factor",0.9996],PARAMETER["False_Easting",500000],UNIT["Meter",1]%s]|'
)


def _pe(more: bytes) -> dict[int, tuple[int, Any]]:
    words = _PE % more
    keys = (1, 1, 0, 4, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32767, 3073, GEO_ASCII, len(words), 0)
    return {GEO_KEYS: (SHORT, keys), GEO_ASCII: text(words + b"\0")}


def _plane(*, scale: float = 0.9996, unit_m: float = 1.0) -> dict[int, tuple[int, Any]]:
    """A projection in numbers: Transverse Mercator on 129 degrees."""
    keys = (
        1024,
        0,
        1,
        1,
        1025,
        0,
        1,
        1,
        2048,
        0,
        1,
        4326,
        3072,
        0,
        1,
        32767,
        3074,
        0,
        1,
        32767,
        3075,
        0,
        1,
        1,
    )
    keys += (3076, 0, 1, 32767, 3077, GEO_DOUBLES, 1, 2, 3080, GEO_DOUBLES, 1, 0, 3092, GEO_DOUBLES, 1, 1)
    return {
        GEO_KEYS: (SHORT, (1, 1, 0, len(keys) // 4, *keys)),
        GEO_DOUBLES: (DOUBLE, (129.0, scale, unit_m)),
    }


def _degrees(lon: float, lat: float) -> dict[int, tuple[int, Any]]:
    """A place on the Earth in pixels of half a metre."""
    return {
        GEO_KEYS: (SHORT, (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)),
        PIXEL_SCALE: (DOUBLE, (6e-6, 4.5e-6, 0)), TIE_POINT: (DOUBLE, (0, 0, 0, lon, lat, 0)),
    }  # fmt: skip


TAGS: dict[str, dict[int, tuple[int, Any]]] = {
    "plain": {},
    "strips_over_each_other": {
        ROWS_PER_STRIP: (LONG, (1,)), STRIPS: (LONG, tuple(range(8, 8 + ROWS))), COUNTS: (LONG, (288,) * ROWS)
    },
    "strips_of_half_the_rows": {
        ROWS_PER_STRIP: (LONG, (1,)), STRIPS: (LONG, (8,) * 32), COUNTS: (LONG, (288,) * 32)
    },
    "planar_over_each_other": {
        PLANAR: (SHORT, (2,)), STRIPS: (LONG, (8, 9, 10)), COUNTS: (LONG, (COLS * ROWS,) * 3)
    },
    "sub_ifds_200000": {SUB_IFDS: (LONG, (8,) * 200_000)},
    "plane": _plane(),
    "plane_of_scale_0": _plane(scale=0.0),
    "plane_of_scale_inf": _plane(scale=float("inf")),
    "plane_in_units_of_nan": _plane(unit_m=float("nan")),
    "plane_in_units_of_1e_308": _plane(unit_m=1e-308),
    "degrees_over_180": _degrees(179.9997, 10.0),
    "degrees_over_540": _degrees(541.0, 42.0),
    "degrees_at_the_pole": _degrees(0.0, 90.0),
    "strip_of_0_bytes": {COUNTS: (LONG, (0,))},
    "strip_of_0_rows": {ROWS_PER_STRIP: (LONG, (0,))},
    "strip_of_all_rows": {ROWS_PER_STRIP: (LONG, (2**32 - 1,))},
    "strip_behind_the_end": {STRIPS: (LONG, (2**32 - 2,))},
    "strips_missing": {STRIPS: (LONG, None), COUNTS: (LONG, None)},
    "planar_with_one_strip": {PLANAR: (SHORT, (2,))},
    "planar_7": {PLANAR: (SHORT, (7,))},
    "tiles_of_17": _tiled(17, 13),
    "tiles_of_0": _tiled(0, 0),
    "tiles_of_2_31": _tiled(2**31, 2**31),
    "tile_too_few": _tiled(16, 16),
    "bits_of_all_kinds": {BITS: (SHORT, (8, 16, 32))},
    "bits_0": {BITS: (SHORT, (0, 0, 0))},
    "bits_of_one_band": {BITS: (SHORT, (8,))},
    "samples_65535": {SAMPLES: (SHORT, (65535,))},
    "samples_0": {SAMPLES: (SHORT, (0,))},
    "extra_samples": {EXTRA: (SHORT, (65535,) * 9)},
    "sample_format_9": {SAMPLE_FORMAT: (SHORT, (9, 9, 9))},
    "float_of_8_bits": {SAMPLE_FORMAT: (SHORT, (3, 3, 3))},
    "predictor_3_of_bytes": {PREDICTOR: (SHORT, (3,)), COMPRESSION: (SHORT, (DEFLATE,))},
    "palette_cut": {
        PHOTOMETRIC: (SHORT, (3,)), COLORMAP: (SHORT, (1, 2, 3)), SAMPLES: (SHORT, (1,)), BITS: (SHORT, (8,)),
    },
    "ycbcr_without_subsampling": {PHOTOMETRIC: (SHORT, (6,)), 530: (SHORT, (0, 0))},
    "photometric_65535": {PHOTOMETRIC: (SHORT, (65535,))},
    "escapes": {
        DATE: text(b"\x1b[2J2023:10:05 02:11:00\0\x1b]0;x\x07\0"),
        COPYRIGHT: text(b"\x1b[31mred\x07\xff\xfe\x00behind\0"),
        ARTIST: text("\u202ertl \u009b31m".encode() + b"\xc3"),
    },
    "text_without_end": {COPYRIGHT: text(b"x" * 40), DATE: text(b"2023:10:05 02:11:00" * 3)},
    "text_of_16_mb": {COPYRIGHT: text(b"\x1b" * 2**24 + b"\0")},
    "date_of_another_kind": {DATE: (DOUBLE, (1e308, float("nan")))},
    "date_impossible": {DATE: text(b"9999:99:99 99:99:99\0")},
    "scale_nan": {PIXEL_SCALE: (DOUBLE, (float("nan"), float("inf"), 0.0))},
    "scale_1e308": {PIXEL_SCALE: (DOUBLE, (1e308, 1e308, 1e308))},
    "scale_tiny": {PIXEL_SCALE: (DOUBLE, (5e-324, 5e-324, 0.0))},
    "tie_point_cut": {TIE_POINT: (DOUBLE, (0, 0, 0))},
    "tie_point_far": {TIE_POINT: (DOUBLE, (0, 0, 0, 1e300, -1e300, 0))},
    "tie_points_many": {
        TIE_POINT: (DOUBLE, tuple(range(6 * 5000))), PIXEL_SCALE: (DOUBLE, None),
    },
    "matrix_flat": {MATRIX: (DOUBLE, (1.0,) * 16), PIXEL_SCALE: (DOUBLE, None), TIE_POINT: (DOUBLE, None)},
    "keys_out_of_range": {
        GEO_KEYS: _keys(3076, GEO_ASCII, 65535, 65535, 2057, 34736, 9, 65535, 65535, 0, 1, 1)
    },
    "keys_65535": {GEO_KEYS: _keys(n=65532)},
    "keys_cut": {GEO_KEYS: (SHORT, (1, 1, 0))},
    "crs_65535": {GEO_KEYS: (SHORT, (*UTM_52N[:-1], 65535))},
    "crs_geocentric": {GEO_KEYS: (SHORT, (1, 1, 0, 2, 1024, 0, 1, 3, 2048, 0, 1, 4978))},
    "crs_vertical": {GEO_KEYS: (SHORT, (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 5773))},
    "crs_text_bomb": _pe(b",PARAMETER" + b'["x",1],A[' * 3000 + b"1" + b"]" * 3000),
    "crs_text_of_escapes": _pe(b',AUTHORITY["\x1b[2J","\xff\xfe"]'),
    "crs_names_a_grid": _pe(b',EXTENSION["PROJ4","+proj=tmerc +lon_0=129 +nadgrids=./marker.gsb +units=m"]'),
    "metadata_entities": _metadata(
        b'<Item name="a">&k;</Item>', head=b'<!DOCTYPE a [<!ENTITY a "ha">' + _LAUGHS + b"]>"
    ),
    "metadata_deep": _metadata(b"<a>" * 50_000),
    "metadata_of_8_mb": _metadata(b'<Item name="TIFFTAG_COPYRIGHT">' + b"\x1b&lt;" * 2_000_000 + b"</Item>"),
    "metadata_lies": _metadata(
        b'<Item name="SCALE" sample="0" role="scale">nan</Item>',
        b'<Item name="OFFSET" sample="0" role="offset">1e999</Item>',
        b'<Item name="COLORINTERP" sample="9" role="colorinterp">Alpha</Item>',
        b'<Item name="RAILCOUNT_SUN_AZIMUTH_DEG">1e400</Item>',
        b'<Item name="ACQUISITIONDATETIME" domain="IMAGERY">\xff\xfe</Item>',
    ),
    "nodata_1e999": {GDAL_NODATA: text(b"-1e999\0")},
    "nodata_of_digits": {GDAL_NODATA: text(b"9" * 100_000 + b"\0")},
    "nodata_no_number": {GDAL_NODATA: text(b"\x1b\xff\0")},
    "exif_is_the_image": {EXIF: (LONG, (8,)), SUB_IFDS: (LONG, (8, 8, 8))},
    "rpc_nan": {RPC: (DOUBLE, (float("nan"),) * 92), PIXEL_SCALE: (DOUBLE, None), TIE_POINT: (DOUBLE, None)},
    "rpc_cut": {RPC: (DOUBLE, (1.0,) * 3)},
    "bits_1_of_colours": {BITS: (SHORT, (1, 1, 1))},
    "bits_7": {BITS: (SHORT, (7, 7, 7))},
    "float16": {BITS: (SHORT, (16,) * 3), SAMPLE_FORMAT: (SHORT, (3, 3, 3)), LENGTH: (LONG, (ROWS // 2,))},
    "float24": {BITS: (SHORT, (24,) * 3), SAMPLE_FORMAT: (SHORT, (3, 3, 3)), LENGTH: (LONG, (ROWS // 3,))},
    "float64_of_noise": {BITS: (SHORT, (64,) * 3), SAMPLE_FORMAT: (SHORT, (3,) * 3), LENGTH: (LONG, (8,))},
    "int64": {BITS: (SHORT, (64,) * 3), SAMPLE_FORMAT: (SHORT, (2, 2, 2)), LENGTH: (LONG, (ROWS // 8,))},
    "complex_of_whole_numbers": {BITS: (SHORT, (32,) * 3), SAMPLE_FORMAT: (SHORT, (5,) * 3)},
    "bits_65535": {BITS: (SHORT, (65535,) * 3)},
    "mask_alone": {254: (LONG, (4,)), PHOTOMETRIC: (SHORT, (4,))},
    "cmyk_of_three": {PHOTOMETRIC: (SHORT, (5,)), 332: (SHORT, (2,)), 334: (SHORT, (9,))},
    "cielab": {PHOTOMETRIC: (SHORT, (8,))},
    "log_luv": {PHOTOMETRIC: (SHORT, (32845,)), COMPRESSION: (SHORT, (34676,))},
    "colour_filters": {PHOTOMETRIC: (SHORT, (32803,))},
    "min_is_white_in_colours": {PHOTOMETRIC: (SHORT, (0,))},
    "orientation_5": {274: (SHORT, (5,))},
    "fill_order_2": {266: (SHORT, (2,))},
    "all_alpha": {EXTRA: (SHORT, (2, 2, 2))},
    "width_2_31": {WIDTH: (LONG, (2**31 - 1,)), LENGTH: (LONG, (1,))},
    "width_0": {WIDTH: (LONG, (0,))},
    "compression_65000": {COMPRESSION: (SHORT, (65000,))},
    "scale_negative": {PIXEL_SCALE: (DOUBLE, (-0.5, -0.5, 0.0))},
    "scale_and_matrix": {MATRIX: (DOUBLE, (0.0, 9.0, 0, 1, 9.0, 0.0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1))},
    "crs_of_degrees_with_metres": {GEO_KEYS: (SHORT, (1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326))},
    "crs_in_unknown_units": {GEO_KEYS: _keys(3076, 0, 1, 9099)},
    "crs_model_lies": {GEO_KEYS: (SHORT, (1, 1, 0, 2, 1024, 0, 1, 2, 3072, 0, 1, 32652))},
    "crs_pole": {
        GEO_KEYS: (SHORT, (*UTM_52N[:-1], 3031)), TIE_POINT: (DOUBLE, (0, 0, 0, -10.0, 10.0, 0)),
    },
    "keys_of_version_9": {GEO_KEYS: (SHORT, (9, 9, 9, 3, *UTM_52N[4:]))},
    "keys_of_doubles_nan": {
        GEO_KEYS: (SHORT, (1, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 32767, 3080, 34736, 1, 0)),
        34736: (DOUBLE, (float("nan"),)),
    },
}  # fmt: skip
"""Name to the tags that differ from a plain file's."""


_LERC_1 = b"CntZImage " + struct.pack(
    "<4id3i154x", 11, 8, ROWS, COLS, 0.5, 1_925_407_999, 1_025_699_969, -1_134_333_483
)  # a head that leads its decoder through 2 * 10**18 tiles, or astray


_LERC_2 = b"Lerc2 " + struct.pack("<iI7i3d500x", 4, 0, 2**30, 2**30, 1, 2**30, 8, 2**31 - 1, 1, 0.5, 0, 255)


def _cut_in_the_directory() -> bytes:
    tiff = Tiff()
    return tiff.to_bytes()[: tiff.ifd_at + 30]


def _circle() -> bytes:
    tiff = Tiff()
    tiff.next_ifd = tiff.ifd_at
    return tiff.to_bytes()


def _wild(**how: Any) -> Callable[[], bytes]:
    return lambda: Tiff(big=True, tags={**how.get("tags", {})}).to_bytes()


def _entries_2_60() -> bytes:
    tiff = Tiff(big=True)
    data = bytearray(tiff.to_bytes())
    struct.pack_into("<Q", data, tiff.ifd_at, 2**60)
    return bytes(data)


def _twice() -> bytes:
    return Tiff(
        more=[(WIDTH, LONG, (COLS * 9,)), (LENGTH, LONG, (1,)), (COPYRIGHT, ASCII, b"b\0")]
    ).to_bytes()


def _unsorted() -> bytes:
    tiff = Tiff()
    entries = sorted(tiff.tags.items(), reverse=True)
    tiff.tags = {}
    tiff.more = [(tag, kind, value) for tag, (kind, value) in entries if value is not None]
    return tiff.to_bytes()


def _jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xd9"


_WIDE = b"\xff\xc2\0\x11\x08\xff\xdc\xff\xdc\3\1\x11\0\2\x11\0\3\x11\0"
"""A frame of 65,500 x 65,500 pixels."""


def _scans() -> bytes:
    """A progressive picture of 2000 x 1500, gone over 20,000 times for nothing."""
    made = io.BytesIO()
    Image.new("L", (2000, 1500)).save(made, "JPEG", progressive=True)
    start = made.getvalue().split(b"\xff\xda")
    scan = b"\xff\xda\0\x08\1\1\0\0\0\1"
    size = {WIDTH: (LONG, (2000,)), LENGTH: (LONG, (1500,)), ROWS_PER_STRIP: (LONG, (1500,))}
    gray = {BITS: (SHORT, (8,)), SAMPLES: (SHORT, (1,)), PHOTOMETRIC: (SHORT, (1,))}
    return _compressed(JPEG, b"\xff\xda".join(start[:2]) + scan * 20_000 + b"\xff\xd9", size | gray)


def _dictionary() -> bytes:
    """The head of the block says how much memory its reader needs."""
    data = bytearray(lzma.compress(picture().tobytes(), check=lzma.CHECK_NONE))
    end = 12 + (data[12] + 1) * 4 - 4
    data[16] = 40
    data[end : end + 4] = struct.pack("<I", zlib.crc32(data[12:end]))
    return bytes(data)


def _tables(data: bytes) -> dict[int, tuple[int, Any]]:
    return {JPEG_TABLES: (UNDEFINED, data)}


def _pages() -> bytes:
    """The picture, and 20,000 directories behind it, each of one tag."""
    tiff = Tiff()
    data = tiff.to_bytes()
    start = len(data) + len(data) % 2
    tiff.next_ifd = start
    page = struct.pack("<HHHII", 1, WIDTH, LONG, 1, 1)
    n = 20_000
    pages = b"".join(page + struct.pack("<I", start + 18 * (k + 1) if k < n - 1 else 0) for k in range(n))
    return tiff.to_bytes().ljust(start, b"\0") + pages


def _mask_of_another_size() -> bytes:
    """A second directory that says it is the mask."""
    tiff = Tiff()
    first = tiff.to_bytes()
    tiff.next_ifd = (len(first) + 7) // 8 * 8
    first = tiff.to_bytes().ljust(tiff.next_ifd, b"\0")
    tags = [
        (254, LONG, 4), (WIDTH, LONG, 7), (LENGTH, LONG, 5), (BITS, SHORT, 1), (COMPRESSION, SHORT, 1),
        (PHOTOMETRIC, SHORT, 4), (STRIPS, LONG, 8), (SAMPLES, SHORT, 1), (ROWS_PER_STRIP, LONG, 5),
        (COUNTS, LONG, 5),
    ]  # fmt: skip
    rows = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return first + struct.pack("<H", len(tags)) + rows + struct.pack("<I", 0)


def _image(form: str, *, size: tuple[int, int] = (COLS, ROWS), mode: str = "RGB", **how: Any) -> bytes:
    """The picture, or a part, as another kind of file."""
    made = io.BytesIO()
    Image.fromarray(picture()).convert(mode).resize(size).save(made, form, **how)
    return made.getvalue()


def _ghost() -> bytes:
    """The head of a cloud-optimized file, with sizes and an order that are not true."""
    words = b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    words += b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n"
    words += b"MASK_INTERLEAVED_WITH_IMAGERY=YES\n"
    head = b"GDAL_STRUCTURAL_METADATA_SIZE=999999 bytes\n" + words
    return Tiff(pixels=head + picture().tobytes()).to_bytes()


def _pyramid_in_a_circle() -> bytes:
    """Smaller images that are the image itself, and each other."""
    tiff = Tiff()
    tiff.tags[SUB_IFDS] = (LONG, (tiff.ifd_at,) * 50)
    tiff.next_ifd = tiff.ifd_at + 2
    return tiff.to_bytes()


def _other(head: bytes) -> Callable[[], bytes]:
    """The beginning of another kind of file."""
    return lambda: head + picture().tobytes()[:3000]


_DEFLATED = zlib.compress(picture().tobytes())

MADE: dict[str, Callable[[], bytes]] = {
    "cut_in_the_directory": _cut_in_the_directory,
    "directories_in_a_circle": _circle,
    "bigtiff": _wild(),
    "bigtiff_strip_at_2_63": _wild(tags={STRIPS: (LONG8, (2**63,))}),
    "bigtiff_count_2_64": _wild(tags={COUNTS: (LONG8, (2**64 - 1,))}),
    "bigtiff_sub_ifd_wild": _wild(tags={SUB_IFDS: (IFD8, (2**63 + 1, 1))}),
    "bigtiff_entries_2_60": _entries_2_60,
    "tags_twice": _twice,
    "tags_unsorted": _unsorted,
    "predictor_lies": lambda: _compressed(
        DEFLATE, _DEFLATED, {PREDICTOR: (SHORT, (2,)), BITS: (SHORT, (24,) * 3)}
    ),
    "predictor_99": lambda: _compressed(DEFLATE, _DEFLATED, {PREDICTOR: (SHORT, (99,))}),
    "deflate_cut": lambda: _compressed(DEFLATE, _DEFLATED[:500]),
    "deflate_too_long": lambda: _compressed(DEFLATE, zlib.compress(bytes(2**26))),
    "lzw_of_noise": lambda: _compressed(LZW, picture().tobytes()),
    "packbits_over_the_end": lambda: _compressed(PACKBITS, b"\x81\xff" * 10_000),
    "ccitt_of_noise": lambda: _compressed(CCITT, picture().tobytes()),
    "jpeg_tables_of_noise": lambda: _compressed(JPEG, _jpeg(), _tables(picture().tobytes()[:600])),
    "jpeg_tables_cut": lambda: _compressed(
        JPEG, _jpeg(b"\xff\xda\0\2"), _tables(b"\xff\xd8\xff\xdb\0\x43")
    ),
    "jpeg_of_65500": lambda: _compressed(JPEG, _jpeg(_WIDE)),
    "webp_of_noise": lambda: _compressed(50001, picture().tobytes()),
    "zstd_of_noise": lambda: _compressed(50000, b"\x28\xb5\x2f\xfd" + picture().tobytes()),
    "lerc_of_noise": lambda: _compressed(34887, b"Lerc2 " + picture().tobytes(), {50674: (LONG, (4, 0))}),
    "lerc_of_version_1": lambda: _compressed(34887, _LERC_1, {50674: (LONG, (2, 0))}),
    "webp_of_another_size": lambda: _compressed(50001, _image("WEBP", size=(2000, 1500))),
    "webp_cut": lambda: _compressed(50001, _image("WEBP")[:200]),
    "jpeg_sound": lambda: _compressed(JPEG, _image("JPEG"), {PHOTOMETRIC: (SHORT, (6,))}),
    "jpeg_gray_in_colours": lambda: _compressed(JPEG, _image("JPEG", mode="L")),
    "jpeg_cmyk_in_colours": lambda: _compressed(JPEG, _image("JPEG", mode="CMYK")),
    "jpeg_larger": lambda: _compressed(JPEG, _image("JPEG", size=(3000, 2000), progressive=True)),
    "jpeg_smaller": lambda: _compressed(JPEG, _image("JPEG", size=(16, 8))),
    "jpeg_cut": lambda: _compressed(JPEG, _image("JPEG")[:700]),
    "jpeg_of_old": lambda: _compressed(
        6, _image("JPEG"), {512: (SHORT, (1,)), 513: (LONG, (8,)), 514: (LONG, (9,))}
    ),
    "jpeg_of_20000_scans": _scans,
    "lzma_dictionary_of_4_gb": lambda: _compressed(34925, _dictionary()),
    "zstd_window_of_3_tb": lambda: _compressed(50000, b"\x28\xb5\x2f\xfd\0\xf8" + bytes(100)),
    "lerc_2_of_2_60": lambda: _compressed(34887, _LERC_2, {50674: (LONG, (4, 0))}),
    "lzma_cut": lambda: _compressed(34925, lzma.compress(picture().tobytes())[:300]),
    "lzma_too_long": lambda: _compressed(34925, lzma.compress(bytes(2**26))),
    "jxl_of_noise": lambda: _compressed(50002, b"\xff\x0a" + picture().tobytes()),
    "thunderscan": lambda: _compressed(32809, picture().tobytes(), {BITS: (SHORT, (4,) * 3)}),
    "ccitt_4_of_noise": lambda: _compressed(
        CCITT, picture().tobytes(), {BITS: (SHORT, (1,)), SAMPLES: (SHORT, (1,)), PHOTOMETRIC: (SHORT, (0,))}
    ),
    "packbits_cut": lambda: _compressed(PACKBITS, b"\x05abc"),
    "lzw_cut": lambda: _compressed(LZW, b"\x80\x00\x20"),
    "predictor_of_floats_cut": lambda: _compressed(
        DEFLATE, _DEFLATED[:9000],
        {PREDICTOR: (SHORT, (3,)), BITS: (SHORT, (32,) * 3), SAMPLE_FORMAT: (SHORT, (3,) * 3)},
    ),
    "deflate_of_palette": lambda: _compressed(
        DEFLATE, _DEFLATED,
        TAGS["palette_cut"] | {BITS: (SHORT, (2,)), COLORMAP: (SHORT, (7,) * 12)},
    ),
    "ghost_head_that_lies": _ghost,
    "pyramid_in_a_circle": _pyramid_in_a_circle,
    "bigtiff_offsets_of_4": lambda: b"II+\0\4\0\0\0" + _wild()()[8:],
    "version_44": lambda: b"II,\0" + Tiff().to_bytes()[4:],
    "big_endian_head": lambda: b"MM\0*" + Tiff().to_bytes()[4:],
    "png": lambda: _image("PNG"),
    "jpeg_file": lambda: _image("JPEG"),
    "gif": lambda: _image("GIF"),
    "jpeg2000": lambda: _image("JPEG2000"),
    "jpeg2000_cut": lambda: _image("JPEG2000")[:400],
    "jpeg2000_of_2_32": lambda: _image("JPEG2000").replace(struct.pack(">II", ROWS, COLS), b"\xff" * 8),
    "nitf_of_noise": _other(b"NITF02.10"),
    "nitf_of_blanks": lambda: b"NITF02.10" + b" " * 5000,
    "nsif_of_zeros": lambda: b"NSIF01.00" + b"0" * 5000,
    "zip": _other(b"PK\3\4"),
    "gzip": _other(b"\x1f\x8b\x08"),
    "hdf5": _other(b"\x89HDF\r\n\x1a\n"),
    "netcdf": _other(b"CDF\1"),
    "pdf": _other(b"%PDF-1.7\n%\xff"),
    "elf": _other(b"\x7fELF"),
    "head_alone": lambda: b"II*\0",
    "one_byte": lambda: b"I",
    "20000_pages": _pages,
    "mask_of_another_size": _mask_of_another_size,
}  # fmt: skip
"""Name to what makes the file."""
