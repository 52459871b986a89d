"""Errors of the library: one root, and each is also the builtin it specialises.

A message says what was required, what came, and what to do next. The command
line turns it into one line on stderr and an exit code, in one place.
"""

from __future__ import annotations


class RailcountError(Exception):
    """Root of every error that railcount raises on purpose."""


class InputError(RailcountError, ValueError):
    """An argument, option or small input file is not usable as it stands."""


class MissingInput(RailcountError, FileNotFoundError):
    """A named input does not exist."""


class OutputExists(RailcountError, FileExistsError):
    """The target exists and ``overwrite`` was not asked for."""


class OutputError(RailcountError, OSError):
    """An output could not be written; nothing was left half done."""


class TileError(RailcountError):
    """A tile that ends without a count; ``status`` is the status it ends with."""

    status = "failed"


class TileRefused(TileError, ValueError):
    """The tile was looked at and declined, with the reason and the way out."""

    status = "refused"


class TileUnreadable(TileError, OSError):
    """The file is damaged: its pixels or its header cannot be read."""

    status = "failed"


class TileLost(TileError):
    """The process that read the tile died, or took too long: ``status`` is ``crashed`` or ``timeout``."""

    def __init__(self, reason: str, status: str) -> None:
        super().__init__(reason)
        self.status = status


class TileEmpty(TileError, ValueError):
    """All pixels are nodata, zero or constant: there is nothing to count in."""

    status = "no_data"


class HistoryError(RailcountError, OSError):
    """The history file cannot be used as it stands; it was left as it is."""


class HistoryBusy(HistoryError):
    """Another process holds the history; the message names it."""
