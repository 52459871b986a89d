"""Text for outputs: Unicode that every program reads, credits and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, overload

if TYPE_CHECKING:
    import datetime as dt

    from railcount.history import Summary
    from railcount.observation import PassCount
    from railcount.raster.acquisition import Acquisition
    from railcount.records import TileRecord

    Taken: TypeAlias = Acquisition | TileRecord | PassCount | Summary
    """What knows when it was taken and whom to credit."""

SIMULATED = "simulated"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


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


def day_words(day: dt.date) -> str:
    """``5 October 2023``, in English whatever the machine's language."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment_words(taken: Taken | None, *, utc_offset_h: float | None = None) -> str | None:
    """``5 October 2023, 02:11 UTC (11:11 local time, UTC+9)``; the day alone where no more is known.

    ``utc_offset_h`` is local time minus UTC in hours, None where it is not known.
    """
    from datetime import UTC, datetime, timedelta

    if taken is None or taken.acquired is None:
        return None
    when = taken.acquired
    if not isinstance(when, datetime):
        return day_words(when)
    utc = when.astimezone(UTC) if when.tzinfo is not None else when.replace(tzinfo=UTC)
    words = f"{day_words(utc)}, {utc:%H:%M} UTC"
    if utc_offset_h is None:
        return words
    local = utc + timedelta(hours=utc_offset_h)
    day = "" if local.date() == utc.date() else f"{day_words(local)}, "
    hours, minutes = divmod(round(abs(utc_offset_h) * 60), 60)
    zone = f"UTC{'-' if utc_offset_h < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")
    return f"{words} ({day}{local:%H:%M} local time, {zone})"
