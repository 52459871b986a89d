"""Paths and first bytes of files that strangers made, before any other library sees them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from railcount.errors import MissingInput, TileRefused, TileUnreadable
from railcount.text import one_line

if TYPE_CHECKING:
    from railcount.errors import RailcountError


CHANGED = "it changed while it was read"
"""The reason of a file whose result would be of no content that it ever had."""


def stamp(path: Path) -> tuple[int, int, int]:
    """Size, time of change and number of a file: another stamp, and it may have another content.

    Raises TileUnreadable.
    """
    try:
        now = os.stat(path)
    except OSError as error:
        raise TileUnreadable(f"{one_line(path)} cannot be read: {_os_words(error)}") from None
    return now.st_size, now.st_mtime_ns, now.st_ino


def absolute_path(path: str | os.PathLike[str]) -> Path:
    """The path made absolute, so that GDAL takes no part of it for a scheme or an option.

    Symbolic links are kept. Raises TileRefused for names that cannot be handed to GDAL.
    """
    text = os.path.abspath(os.fspath(path))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise TileRefused(f"the name {one_line(text)} is not valid UTF-8: rename the file") from None
    if text.startswith("/vsi"):
        raise TileRefused(f"{one_line(text)} names a virtual file system: copy the file to a plain folder")
    return Path(text)


def read_head(
    path: Path,
    *,
    n_bytes: int = 16,
    refused: type[RailcountError] = TileRefused,
    unreadable: type[RailcountError] = TileUnreadable,
) -> bytes:
    """First bytes of a regular file (all of them where it is shorter), without ever blocking.

    Raises MissingInput, ``refused`` for what is not a regular file, or ``unreadable``.
    """
    name = one_line(path)
    try:
        # without O_NONBLOCK a FIFO would block for ever
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise MissingInput(f"{name} does not exist") from None
    except (OSError, ValueError) as error:
        raise unreadable(f"{name} cannot be opened: {_os_words(error)}") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            way_out = "; 'railcount batch' counts the images in a folder" if refused is TileRefused else ""
            raise refused(f"{name} is a folder, not a file{way_out}")
        if not stat.S_ISREG(mode):
            raise refused(f"{name} is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(n_bytes)
    except OSError as error:
        raise unreadable(f"{name} cannot be read: {_os_words(error)}") from None
    finally:
        os.close(descriptor)


def _os_words(error: BaseException) -> str:
    return one_line(getattr(error, "strerror", None) or error)
