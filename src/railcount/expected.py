"""The table of what the tiles of a folder should give: ``expected.csv``.

Required columns, in any order: ``tile`` (path within the folder, forward slashes), ``count`` (empty where
the tile has none), ``tolerance`` (how far a count may lie from it) and ``status``. Optional: ``tracks``
(path of a file with the tile's track lines). Other columns, lines that begin with ``#`` and empty lines are
kept as they are when the table is rewritten.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, get_args

from railcount.counts import STATUSES_WITH_COUNT, Status
from railcount.errors import InputError, MissingInput
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FILE_NAME = "expected.csv"
REQUIRED = ("tile", "count", "tolerance", "status")
MAX_BYTES = 20_000_000
"""Over 100,000 rows; anything bigger is some other file."""
MAX_PIECES = 500_000
"""Rows, comments and empty lines."""

_STATUSES: tuple[Status, ...] = get_args(Status)
_NUMBER = re.compile(r"\d{1,6}", re.ASCII)
_DRIVE = re.compile(r"[A-Za-z]:/")
_BOM = "\ufeff"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one tile should give."""

    tile: str
    """Within the folder, with forward slashes."""
    count: int | None
    """None where the status is one without a count."""
    status: Status
    tolerance: int = 0
    tracks: str | None = None
    """Within the folder; None where the tracks are to be found in the pixels."""
    line: int = 0
    """Where the row begins in the file, from 1; 0 for a row that is in no file yet."""


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """A record, a comment or an empty line, as it stands in the file."""

    text: str
    line: int
    cells: tuple[str, ...] | None
    """None for comments and empty lines."""
    row: Row | None = None
    """None for the header too."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The table, and what is needed to write it again with all that was around its rows."""

    path: Path
    rows: tuple[Row, ...] = ()
    columns: tuple[str, ...] = REQUIRED
    pieces: tuple[_Piece, ...] = ()

    def rewritten(self, changed: Mapping[str, Row | None], *, added: Sequence[Row] = ()) -> bytes:
        """The file with rows changed (by tile; None takes a row out) and others added at its end.

        Of a changed row only count and status are written: its tolerance and other cells stay.
        Raises InputError for an added tile whose name the table cannot hold.
        """
        lines = [one.text for one in self.pieces] or [self._line({name: name for name in self.columns})]
        for number, one in enumerate(self.pieces):
            if one.row is None or one.cells is None or one.row.tile not in changed:
                continue
            new = changed[one.row.tile]
            cells = dict(zip(self.columns, one.cells, strict=True))
            lines[number] = "" if new is None else self._line(cells | _result_cells(new))
        for row in added:
            _check_name(row.tile, where=f"{self.path}: the new row of {one_line(row.tile)}")
            if lines[-1] and not lines[-1].endswith(("\n", "\r")):
                lines[-1] += self._end
            cells = dict.fromkeys(self.columns, "")
            cells |= {"tile": row.tile, "tolerance": str(row.tolerance)} | _result_cells(row)
            lines.append(self._line(cells))
        try:
            return "".join(lines).encode("utf-8")
        except UnicodeEncodeError:
            raise InputError(f"{self.path} cannot hold a name that is not UTF-8: rename the tile") from None

    @property
    def _end(self) -> str:
        """How lines end in this file."""
        first = self.pieces[0].text if self.pieces else ""
        return "\r\n" if first.endswith("\r\n") else "\n"

    def _line(self, cells: Mapping[str, str]) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator=self._end).writerow([cells[name] for name in self.columns])
        line = text.getvalue()
        # Unquoted it would be read as a comment.
        return f'"{line.replace(",", chr(34) + ",", 1)}' if line.startswith("#") else line


def _result_cells(row: Row) -> dict[str, str]:
    return {"count": "" if row.count is None else str(row.count), "status": row.status}


def read_expected(folder: str | os.PathLike[str], *, missing_ok: bool = False) -> Expected:
    """The table of a folder; an empty one where there is none and ``missing_ok``.

    Raises MissingInput where there is none or no such folder, and InputError that names the line for what is
    not usable.
    """
    from railcount.raster.paths import read_head

    if not os.path.isdir(folder):
        raise MissingInput(f"a folder of tiles is required, and {one_line(folder)} is none")
    path = Path(folder) / FILE_NAME
    try:
        data = read_head(path, n_bytes=MAX_BYTES + 1, refused=InputError, unreadable=InputError)
    except MissingInput:
        if missing_ok:
            return Expected(path=path)
        raise MissingInput(
            f"{one_line(path)} does not exist; --update writes it from what the tiles give"
        ) from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} is over {MAX_BYTES} bytes: not a table of expected counts")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error}") from error
    pieces = list(_pieces(text, path=path))
    head = next((one for one in pieces if one.cells is not None), None)
    columns = _columns(head.cells if head and head.cells else (), path=path)
    pieces = [
        one if one.cells is None or one is head else _with_row(one, columns=columns, path=path)
        for one in pieces
    ]
    rows = tuple(one.row for one in pieces if one.row is not None)
    _check_once(rows, path=path)
    return Expected(path=path, rows=rows, columns=columns, pieces=tuple(pieces))


def _pieces(text: str, *, path: Path) -> Iterator[_Piece]:
    """The file's records, comments and empty lines in order; their texts joined are the file."""
    lines = iter(io.StringIO(text, newline=""))
    taken: list[str] = []
    number, n_pieces = 1, 0

    def following() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    for first in lines:
        taken[:] = [first]
        bare = first.removeprefix(_BOM) if number == 1 else first
        cells: tuple[str, ...] | None = None
        if bare.strip() and not bare.startswith("#"):
            try:
                cells = tuple(next(csv.reader(itertools.chain([bare], following()), strict=True)))
            except csv.Error as error:
                raise InputError(f"{path}, line {number}: {error}") from error
        yield _Piece(text="".join(taken), line=number, cells=cells)
        number += len(taken)
        if (n_pieces := n_pieces + 1) > MAX_PIECES:
            raise InputError(f"{path} has more than {MAX_PIECES:,} lines: not a table of expected counts")


def _columns(cells: Sequence[str], *, path: Path) -> tuple[str, ...]:
    missing = [name for name in REQUIRED if name not in cells]
    if missing:
        raise InputError(
            f"{path}: the columns {', '.join(REQUIRED)} are required; missing: {', '.join(missing)}; "
            f"got {one_line(', '.join(cells)) or 'none'}"
        )
    twice, often = Counter(cells).most_common(1)[0]
    if often > 1:
        raise InputError(f"{path}: the column {one_line(twice)} stands there twice")
    return tuple(cells)


def _with_row(piece: _Piece, *, columns: Sequence[str], path: Path) -> _Piece:
    where = f"{path}, line {piece.line}"
    found = piece.cells or ()
    if len(found) != len(columns):
        raise InputError(f"{where}: {len(columns)} cells are required, got {len(found)}")
    cells = dict(zip(columns, found, strict=True))
    status = _status(cells["status"].strip(), where=where)
    count = _number(cells, "count", where=where)
    if (count is not None) != (status in STATUSES_WITH_COUNT):
        wanted = "needs a count" if count is None else "has no count: leave it empty"
        raise InputError(f"{where}: the status {status} {wanted}")
    tolerance = _number(cells, "tolerance", where=where)
    if tolerance is None and count is not None:
        raise InputError(
            f"{where}: tolerance must say how far a count may lie from {count}, 0 for not at all"
        )
    tile = inside(cells["tile"], folder=path.parent, column="tile", where=where)
    tracks = None
    if cells.get("tracks"):
        tracks = inside(cells["tracks"], folder=path.parent, column="tracks", where=where)
        if not os.path.isfile(path.parent / tracks):
            raise InputError(f"{where}: there is no file {one_line(tracks)} in the folder")
    row = Row(tile=tile, count=count, status=status, tolerance=tolerance or 0, tracks=tracks, line=piece.line)
    return _Piece(text=piece.text, line=piece.line, cells=piece.cells, row=row)


def _status(text: str, *, where: str) -> Status:
    for one in _STATUSES:
        if text == one:
            return one
    raise InputError(f"{where}: status must be one of {', '.join(_STATUSES)}, got {text!r:.60}")


def _number(cells: Mapping[str, str], column: str, *, where: str) -> int | None:
    text = cells[column].strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise InputError(f"{where}: {column} must be a whole number from 0 to 999999, got {text!r:.60}")
    return int(text)


def inside(text: str, *, folder: Path, column: str, where: str) -> str:
    """A path within the folder, in one spelling; raises InputError that begins with ``where`` for others."""
    if not text:
        raise InputError(f"{where}: {column} must name a file in the folder")
    _check_name(text, where=f"{where}: {column}")
    top, target = os.path.realpath(folder), os.path.realpath(folder / text)
    if os.path.commonpath([top, target]) != top:
        raise InputError(f"{where}: {column} must stay in the folder, and {one_line(text)} leads out of it")
    return PurePosixPath(text).as_posix()


def _check_name(text: str, *, where: str) -> None:
    path = PurePosixPath(text)
    if "\\" in text or "\0" in text:
        raise InputError(f"{where} must be written with forward slashes alone, got {one_line(text)}")
    if path.is_absolute() or _DRIVE.match(text):
        raise InputError(f"{where} must be relative to the folder, got {one_line(text)}")
    if ".." in path.parts:
        raise InputError(f"{where} must stay in the folder, got {one_line(text)}")


def _check_once(rows: Iterable[Row], *, path: Path) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        if row.tile in seen:
            raise InputError(
                f"{path}, line {row.line}: {one_line(row.tile)} stands in line {seen[row.tile]} already"
            )
        seen[row.tile] = row.line
