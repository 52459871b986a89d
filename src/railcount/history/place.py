"""Where a history lies, and what can be told of a file before SQLite opens it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from railcount.errors import HistoryError, MissingInput
from railcount.files import can_write
from railcount.history.schema import APPLICATION_ID, VERSION
from railcount.text import escape

VARIABLE = "RAILCOUNT_HISTORY"
FILE_NAME = "history.sqlite"
WAY_OUT = "name another file with --history; 'railcount batch --no-history' counts without one"

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_CHUNK = 2**20
_NETWORK = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "afs", "ceph", "lustre", "gpfs"),
        *("beegfs", "glusterfs", "davfs", "vboxsf", "vmhgfs"),
    )
)
"""File systems whose memory maps are not shared between machines, as write-ahead logging needs."""


def default_path() -> Path:
    """The history used where none is named: RAILCOUNT_HISTORY, else one in the user's data folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("railcount", appauthor=False) / FILE_NAME


def shown(path: Path) -> str:
    """The path as it is put into a message."""
    return escape(str(path))


def uri(path: Path, *, mode: str) -> str:
    """The path as SQLite's URI: any character and any byte may be in it."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def refused(path: Path, reason: str) -> HistoryError:
    """An error that says what is wrong with the file, and the way out."""
    return HistoryError(f"the history {shown(path)} {reason}; {WAY_OUT}")


def check_file(path: Path) -> None:
    """Look at an existing file's head, without SQLite, which may write beside a file that it opens.

    Raises MissingInput where there is no file; HistoryError where it is no regular file, not
    SQLite, another application's, from a newer railcount, or cut short.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise refused(path, "is not a regular file")
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingInput(f"there is no history at {shown(path)}: 'railcount batch' makes one") from error
    except HistoryError:
        raise
    except (OSError, ValueError) as error:
        raise refused(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not head:
        raise refused(path, "is empty, and not a history that railcount made")
    if head[:16] != _MAGIC or len(head) < _HEADER_BYTES:
        raise refused(path, "is not an SQLite file")
    if int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise refused(path, "is another program's SQLite file")
    check_version(path, int.from_bytes(head[60:64], "big"))
    if not has_log(path):
        size = int.from_bytes(head[16:18], "big")
        whole = int.from_bytes(head[28:32], "big") * (65536 if size == 1 else size)
        if found.st_size < whole:
            raise refused(path, f"is damaged: it has {found.st_size} of {whole} bytes")


def read_through(path: Path) -> None:
    """Read a file once from end to end, so that the system has it at hand when its pages are asked for.

    SQLite goes through them in the order of its trees: of 130 MB that a disk had to bring that took 8 s.
    To be called before SQLite opens the file: closing any other descriptor of it drops SQLite's locks.
    """
    try:
        with path.open("rb", buffering=0) as file:
            while file.read(_CHUNK):
                pass
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error


def check_version(path: Path, version: int) -> None:
    """Raise HistoryError for a layout that this railcount does not know yet."""
    if version > VERSION:
        raise refused(
            path, f"was written by a newer railcount (layout {version}; this one knows up to {VERSION})"
        )


def has_log(path: Path) -> bool:
    """A write-ahead log with something in it: the file alone is not the whole history."""
    try:
        return os.stat(f"{os.fspath(path)}-wal").st_size > 0
    except OSError:
        return False


def can_be_immutable(path: Path) -> bool:
    """True where nobody like us can be writing: neither folder nor file takes writes, and no log waits, nor a
    journal by which a write that was cut off is to be taken back."""
    waits = has_log(path) or os.path.exists(f"{os.fspath(path)}-journal")
    return not (can_write(path.parent) or can_write(path) or waits)


def on_network(path: Path) -> bool:
    """True where the file system is known to be a network's; told on Linux alone."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        real = os.path.realpath(path.parent)
    except (OSError, ValueError):
        return False
    return _file_system(mounts, real) in _NETWORK


def _file_system(mounts: str, folder: str) -> str:
    """The kind of file system that holds an absolute folder; "fuse.nfs" and the like lose their prefix."""
    best, kind = "", ""
    for line in mounts.splitlines():
        words = line.split(" ")
        if "-" not in words[5:-1]:
            continue
        point = words[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        # Of mounts on one point the last hides the others.
        if inside and len(point) >= len(best):
            best, kind = point, words[words.index("-", 5) + 1]
    is_remote = kind in {"fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.davfs2"}
    return "nfs" if is_remote else kind.removeprefix("fuse.").removesuffix("-fuse")
