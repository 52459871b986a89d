"""Which days a count is set against: the time before it, or the same season of the years before it."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from railcount.errors import InputError

WINDOW_YEARS = 5
SEASON_DAYS = 45
"""To either side of the day of the year."""
MAX_GAP_DAYS = 365
"""Of a stretch about which nothing is known: a yard has seasons."""

Span = tuple[dt.date, dt.date]
"""First and last day, both included."""

_LENGTH = re.compile(r"^([1-9]\d{0,4})([ymd])$", re.ASCII)
_UNITS = {"y": "years", "m": "months", "d": "days"}


@dataclass(frozen=True, kw_only=True)
class Window:
    """How far to look back, and whether at the same season only.

    Exactly one of the lengths is not 0.
    """

    years: int = 0
    months: int = 0
    days: int = 0
    season: bool = False
    """Only days within SEASON_DAYS of the image's day of the year, in any year of the window."""

    def __post_init__(self) -> None:
        """Check the length."""
        lengths = (self.years, self.months, self.days)
        if min(lengths) < 0 or sum(n > 0 for n in lengths) != 1:
            raise InputError(f"a window has one length above 0, got {self}")

    @classmethod
    def parse(cls, text: str, *, season: bool = False) -> Window:
        """``5y``, ``18m`` or ``400d``. Raises InputError for anything else."""
        found = _LENGTH.match(text)
        if found is None:
            raise InputError(f"a window must be like 5y, 18m or 400d (years, months, days), got {text!r:.40}")
        return cls(season=season, **{_UNITS[found[2]]: int(found[1])})

    def before(self, day: dt.date) -> Span:
        """The first and the last day of the window: so long before ``day``, to the day before it.

        A day that the earlier month lacks becomes that month's last. Raises InputError for a day too
        early to have such a window.
        """
        try:
            if self.days:
                first = day - dt.timedelta(days=self.days)
            else:
                months = day.year * 12 + day.month - 1 - 12 * self.years - self.months
                year, month = months // 12, months % 12 + 1
                first = dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
            return first, day - dt.timedelta(days=1)
        except (ValueError, OverflowError, IndexError) as error:
            raise InputError(f"{day} is too early to look back {self.length}") from error

    @property
    def length(self) -> str:
        """In words: ``5 years``."""
        name, n = next((name, n) for name in _UNITS.values() if (n := getattr(self, name)))
        return f"1 {name[:-1]}" if n == 1 else f"{n} {name}"

    @property
    def max_gap_days(self) -> int:
        """The longest stretch without knowledge; a season that comes once a year leaves longer ones."""
        return MAX_GAP_DAYS + (2 * SEASON_DAYS if self.season else 0)

    def in_season(self, first: dt.date, last: dt.date, *, day: dt.date) -> bool:
        """True where both days are near ``day`` of the year, or the window has no season."""
        return not self.season or (_off_season(first, day) <= SEASON_DAYS >= _off_season(last, day))


FIVE_YEARS = Window(years=WINDOW_YEARS)


def window_before(day: dt.date, *, years: int = WINDOW_YEARS) -> Span:
    """`Window.before` for a number of years."""
    return Window(years=years).before(day)


def n_days(span: Span) -> int:
    """Days of a span."""
    return (span[1] - span[0]).days + 1


def _off_season(one: dt.date, day: dt.date) -> int:
    """Days from ``one`` to the nearest anniversary of ``day``."""
    return min(abs((one - _anniversary(day, year)).days) for year in (one.year - 1, one.year, one.year + 1))


def _anniversary(day: dt.date, year: int) -> dt.date:
    year = min(max(year, dt.MINYEAR), dt.MAXYEAR)
    return dt.date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))
