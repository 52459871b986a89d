"""GDAL kept on a short lead: what is checked before it sees a file, and what it may do then.

Measured with rasterio 1.4 on GDAL 3.10: ``http:x.tif`` is taken for a URL, a FIFO blocks for ever,
a VRT may be named ``.tif``, sidecars and a GeoTIFF's own metadata can name other files to follow,
and far more than RasterioIOError comes out.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from railcount.errors import RailcountError, TileRefused, TileUnreadable
from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits
from railcount.raster.paths import read_head
from railcount.raster.tags import check_boxes, check_tags
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = [
    "DEFAULT_DRIVERS",
    "GDAL_DRIVERS",
    "GDAL_FAILURES",
    "Driver",
    "guarded",
    "opened",
    "sniff_driver",
    "tidy_warnings",
]

GDAL_DRIVERS: dict[Driver, str] = {"tiff": "GTiff", "jp2": "JP2OpenJPEG", "nitf": "NITF"}

_MAGIC: tuple[tuple[bytes, Driver], ...] = (
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"NITF", "nitf"),
    (b"NSIF", "nitf"),
)
_FOREIGN = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"<VRT", "a VRT, a list of other files"),
    (b"<?xml", "an XML file"),
    (b"SQLite", "an SQLite or GeoPackage file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89HDF", "an HDF5 file"),
)
_ENV: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no sidecar is looked for
    "GDAL_PAM_ENABLED": "NO",  # no .aux.xml is read, none is written
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",  # nothing is fetched, whatever a file names
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_CACHEMAX": 128 * 2**20,
    "GDAL_TIFF_INTERNAL_MASK": "YES",
    "GTIFF_IGNORE_READ_ERRORS": "NO",
    "GDAL_NUM_THREADS": "1",
}
GDAL_FAILURES = (
    RasterioError,
    CPLE_BaseError,
    OSError,
    ValueError,  # UnicodeError too
    MemoryError,
    OverflowError,
    LookupError,
    TypeError,
    AttributeError,
    SystemError,
)
"""What rasterio raises for damaged files. Use only around calls of rasterio."""

_MAX_WARNINGS = 5


def sniff_driver(
    path: Path, *, drivers: Sequence[Driver] = DEFAULT_DRIVERS, limits: Limits | None = None
) -> Driver:
    """The driver for a file, from its first bytes.

    Raises MissingInput, TileRefused (not one of ``drivers``, or its tags are too large or name other files)
    or TileUnreadable (empty or zeros, no right to read).
    """
    head = read_head(path)
    if not head:
        raise TileUnreadable("the file is empty (0 bytes)")
    for magic, driver in _MAGIC:
        if head.startswith(magic):
            if driver in drivers:
                if driver == "tiff":
                    check_tags(path, limits=limits)
                elif driver == "jp2":
                    check_boxes(path, limits=limits)
                return driver
            raise TileRefused(
                f"the file is of the kind {driver!r}, and only {', '.join(drivers)} is read: "
                f"ask for it with --drivers {','.join([*drivers, driver])}"
            )
    if not any(head):
        raise TileUnreadable(
            "it holds only zeros at its start: it was not yet copied whole, or it is damaged; copy it again"
        )
    kind = next((words for magic, words in _FOREIGN if head.startswith(magic)), "not a known image format")
    raise TileRefused(f"a TIFF file was expected, this is {kind}: convert it to GeoTIFF with gdal_translate")


class _Collector(logging.Filter):
    """Keeps this thread's GDAL warnings and lets none of them reach the user's handlers."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines
        self.thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        if threading.get_ident() != self.thread or record.levelno < logging.WARNING:
            return True
        self.lines.append(record.getMessage())
        return False


@contextmanager
def guarded(*, doing: str, collected: list[str] | None = None) -> Iterator[None]:
    """Run calls of rasterio with network and sidecars off.

    GDAL's warnings are appended to ``collected``. Whatever rasterio raises becomes TileUnreadable,
    with ``doing`` (such as "read its pixels") in the message; railcount's own errors pass.
    """
    lines: list[str] = []
    collector = _Collector(lines)
    logger = logging.getLogger("rasterio._env")
    level = logger.level
    logger.addFilter(collector)
    if logger.getEffectiveLevel() > logging.WARNING:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings(), _unreadable_warnings(lines), rasterio.Env(**_ENV):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            yield
    except RailcountError:
        raise
    except MemoryError as error:
        raise TileUnreadable(f"not enough memory to {doing}: {one_line(error)}") from None
    except GDAL_FAILURES as error:
        raise TileUnreadable(f"cannot {doing}: {_failure_words(error)}") from None
    finally:
        logger.removeFilter(collector)
        logger.setLevel(level)
        if collected is not None:
            collected.extend(tidy_warnings(lines))


@contextmanager
def _unreadable_warnings(lines: list[str]) -> Iterator[None]:
    """Keep warnings that quote bytes which are no text: rasterio would print a traceback for each.

    It raises where nothing can catch it, so both of Python's hooks for that are held meanwhile.
    """
    before, before_print = sys.unraisablehook, sys.excepthook

    def keep(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, UnicodeDecodeError):
            lines.append(_as_words(unraisable.exc_value.object))
        else:
            before(unraisable)

    def keep_quiet(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if not isinstance(error, UnicodeDecodeError):
            before_print(kind, error, traceback)

    sys.unraisablehook, sys.excepthook = keep, keep_quiet
    try:
        yield
    finally:
        sys.unraisablehook, sys.excepthook = before, before_print


def _as_words(text: bytes) -> str:
    return text.decode("utf-8", errors="backslashreplace")


def _failure_words(error: BaseException) -> str:
    words = one_line(error)
    cause = error.__cause__ or error.__context__
    if isinstance(cause, CPLE_BaseError) and one_line(cause) not in words:
        # rasterio's own line is then only "Read failed. See previous exception for details."
        words = one_line(cause) if words.startswith("Read failed") else f"{words} ({one_line(cause)})"
    return words or type(error).__name__


def tidy_warnings(lines: Sequence[str]) -> list[str]:
    """GDAL's log lines as sentences: each once, at most five, the rest counted."""
    unique: list[str] = []
    for line in lines:
        text = one_line(line)
        body = text.split(": ", 1)[1] if text.startswith("CPLE_") and ": " in text else text
        body = body.removeprefix("CPLE_AppDefined in ")
        if not any(body.endswith(known) or known.endswith(body) for known in unique):
            unique.append(body)
    kept = [f"GDAL warned: {line}" for line in unique[:_MAX_WARNINGS]]
    if len(unique) > _MAX_WARNINGS:
        kept.append(f"GDAL gave {len(unique) - _MAX_WARNINGS} more warnings")
    return kept


@contextmanager
def opened(path: Path, *, driver: Driver, overviews: bool = False, n_threads: int = 1) -> Iterator[Any]:
    """A dataset opened by one named driver; call inside ``guarded``.

    With ``overviews`` False the file's overviews cannot be followed (a file's metadata can place
    them in another file or at a URL). But then a missing geotransform reads as uninitialised memory
    (rasterio 1.4), so the georeferencing is read with ``overviews`` True, where no pixel is.

    ``n_threads`` decode a TIFF's blocks; GDAL's warnings of damaged ones are lost where there are several.
    """
    options: dict[str, Any] = {} if overviews else {"OVERVIEW_LEVEL": "NONE"}
    if n_threads > 1 and driver == "tiff":
        options["NUM_THREADS"] = n_threads
    with rasterio.open(str(path), driver=GDAL_DRIVERS[driver], sharing=False, **options) as dataset:
        yield dataset
