"""Text for outputs: Unicode that every program reads, credits and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from railcount.history import Summary
    from railcount.observation import PassCount
    from railcount.raster.acquisition import Acquisition
    from railcount.records import TileRecord

    Taken = Acquisition | TileRecord | PassCount | Summary
    """What knows when it was taken and whom to credit."""

SIMULATED = "simulated"


@overload
def plain(text: str) -> str: ...
@overload
def plain(text: None) -> None: ...
def plain(text: str | None) -> str | None:
    """``text`` as Unicode that every program can read: stray bytes of a file name become escapes."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


def credit_line(taken: Taken | None) -> str | None:
    """The credit that goes with every output; it says so where the image was drawn."""
    if taken is None:
        return None
    credit = plain(taken.credit) or None
    if not taken.simulated:
        return credit
    if credit is None:
        return SIMULATED
    return credit if SIMULATED in credit.lower() else f"{credit} ({SIMULATED})"


def time_text(taken: Taken | None) -> str | None:
    """``2023-10-05T02:11:00Z`` where the time is known, else ``2023-10-05``; None without a date."""
    from datetime import UTC, datetime

    if taken is None or taken.acquired is None:
        return None
    when = taken.acquired
    if not isinstance(when, datetime):
        return when.isoformat()
    if when.tzinfo is not None:
        when = when.astimezone(UTC)
    return when.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
