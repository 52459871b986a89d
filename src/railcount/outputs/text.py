"""Text for outputs: Unicode that every program reads, credits and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from datetime import date, datetime

    from railcount.observation import PassCount
    from railcount.raster.acquisition import Acquisition
    from railcount.records import TileRecord

    Taken = Acquisition | TileRecord | PassCount
    """What knows when it was taken and whom to credit."""

SIMULATED = "simulated"


@overload
def plain(text: str) -> str: ...
@overload
def plain(text: None) -> None: ...
def plain(text: str | None) -> str | None:
    """``text`` as Unicode that every program can read: stray bytes of a file name become escapes."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


def credit_line(acquisition: Acquisition | None) -> str | None:
    """The credit that goes with every output; it says so where the image was drawn."""
    return None if acquisition is None else credit_of(acquisition.credit, simulated=acquisition.simulated)


def credit_of(credit: str | None, *, simulated: bool) -> str | None:
    """The same of a credit by itself."""
    credit = plain(credit) or None
    if not simulated:
        return credit
    if credit is None:
        return SIMULATED
    return credit if SIMULATED in credit.lower() else f"{credit} ({SIMULATED})"


def time_text(acquisition: Acquisition | None) -> str | None:
    """``2023-10-05T02:11:00Z`` where the time is known, else ``2023-10-05``; None without a date."""
    return None if acquisition is None else moment_text(acquisition.acquired)


def moment_text(when: datetime | date | None) -> str | None:
    """The same of a time or a day by itself."""
    from datetime import UTC, datetime

    if when is None:
        return None
    if not isinstance(when, datetime):
        return when.isoformat()
    if when.tzinfo is not None:
        when = when.astimezone(UTC)
    return when.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
