"""Files that appear whole or not at all, and never over another without leave."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from railcount.errors import OutputError, OutputExists, RailcountError
from railcount.text import escape, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_BESIDE = ("-journal", "-wal", "-shm", ".aux.xml")
"""Ends of files that SQLite and GDAL put beside the one they write."""
_FULL = {errno.ENOSPC, errno.EDQUOT}
_LITTLE_BYTES = 2**20
"""Of a disk that may have been full when a writer failed which does not say why."""


class _NamedError(OutputError):
    """Says of which file it is."""


def check_target(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """The path, when a file can be put there.

    Asked before a long count, so that its result is not lost for a typing error.

    Raises OutputExists where it is taken and ``overwrite`` is False, OutputError where
    its folder is missing or may not be written to, or the path is a folder, a pipe, a device or too long.
    """
    target = Path(path)
    try:
        os.lstat(target)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            msg = f"the name of the output is too long: {target}"
            raise OutputError(msg) from None
    if target.is_dir():
        msg = f"an output must be a file, but {target} is a folder; add a file name"
        raise OutputError(msg)
    if target.exists() and not target.is_file():
        # It would be replaced, and who waits at the other end of a pipe would wait for ever.
        msg = f"an output must be a file, but {target} is a pipe or a device; choose another name"
        raise OutputError(msg)
    if not overwrite and os.path.lexists(target):
        msg = f"{target} exists; choose another name or give --overwrite"
        raise OutputExists(msg)
    if not target.parent.is_dir():
        msg = f"the folder {target.parent} for {target.name} does not exist; make it first"
        raise OutputError(msg)
    if not can_write(target.parent):
        msg = f"the folder {target.parent} for {target.name} may not be written to; choose another"
        raise OutputError(msg)
    return target


def can_write(path: Path) -> bool:
    """True where this process may write to the file or into the folder."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


@contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary path beside the target; it becomes the target when the block ends well.

    When the block fails nothing is left behind and a file that was there stays. The
    temporary name ends as the target does, since writers choose a format by the suffix.

    Raises OutputExists and OutputError as ``check_target`` does, and OutputError for any
    OSError in the block and for a name that a writer cannot encode; it names the target, and
    the disk where that is full.
    """
    target = check_target(path, overwrite=overwrite)
    temporary = target.with_name(f".{target.stem[:100]}.{os.getpid()}.tmp{target.suffix}")
    try:
        yield temporary
        _publish(temporary, target, overwrite=overwrite)
    except _NamedError:
        raise
    except OutputError as error:
        raise _NamedError(_failed(target, str(error))) from error
    except RailcountError:
        raise
    except UnicodeEncodeError as error:
        # GDAL takes names in UTF-8 only.
        reason = "its name is not UTF-8" if _is_not_utf8(target) else one_line(error)
        msg = f"{escape(str(target))} could not be written: {reason}"
        raise OutputError(msg) from error
    except OSError as error:
        raise _NamedError(_failed(target, os_words(error))) from error
    finally:
        for leftover in (temporary, *(Path(f"{temporary}{end}") for end in _BESIDE)):
            with suppress(OSError):
                leftover.unlink()


def os_words(error: OSError) -> str:
    """What the system says, in words."""
    return "the disk is full" if error.errno in _FULL else error.strerror or one_line(error)


def _failed(target: Path, words: str) -> str:
    """Of which file, and whether for want of room: not every writer says so."""
    if str(target) not in words:
        words = f"{target} could not be written: {words}"
    with suppress(OSError):
        free = shutil.disk_usage(target.parent).free
        if free < _LITTLE_BYTES and "full" not in words:
            words += f"; is the disk full? It has {free // 1024} KB left"
    return words


def _is_not_utf8(path: Path) -> bool:
    try:
        str(path.absolute()).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _publish(temporary: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, target)
        return
    try:
        # A link, unlike a rename, fails where somebody has taken the name meanwhile.
        os.link(temporary, target)
    except FileExistsError as error:
        msg = f"{target} was made by another program meanwhile; choose another name or give --overwrite"
        raise OutputExists(msg) from error
    except OSError:
        # Some file systems have no links.
        os.replace(temporary, target)


def write_bytes(path: str | os.PathLike[str], data: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all; raises as ``replacing`` does."""
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)
