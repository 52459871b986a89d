"""Typed access to the tables of a site file; an error names the file and the key."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from railcount.errors import InputError, MissingInput
from railcount.text import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 4 * 2**20
"""Of a site file or its table of counts."""
MAX_TABLES = 1000


class Fields:
    """One TOML table. Each key is taken once; `close` refuses keys that nobody asked for."""

    def __init__(self, table: dict[str, Any], *, where: str, prefix: str = "") -> None:
        """``where`` is the file, ``prefix`` the key of this table with a dot."""
        self._left = dict(table)
        self._where = where
        self._prefix = prefix

    def wrong(self, key: str, required: str, value: object) -> InputError:
        """An error that names the key, what is required and what came."""
        came = "nothing" if value is None else quoted(value)
        return InputError(f"{self._where}: {self._prefix}{key} must be {required}, got {came}")

    def has(self, key: str) -> bool:
        """True where the key is there and not yet taken."""
        return key in self._left

    def text(self, key: str, *, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self._left.pop(key, default)
        if not isinstance(value, str) or not (value.strip() or value == default):
            raise self.wrong(key, "a text", value)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where the key is missing."""
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise self.wrong(key, "a list of texts", value)
        return tuple(value)

    def number(self, key: str, *, low: float, high: float) -> float:
        """A finite number from ``low`` to ``high``."""
        value = self._left.pop(key, None)
        number = _number(value)
        if number is None or not low <= number <= high:
            raise self.wrong(key, f"a number from {low:g} to {high:g}", value)
        return number

    def numbers(self, key: str, n: int) -> tuple[float, ...]:
        """A list of ``n`` finite numbers."""
        value = self._left.pop(key, None)
        numbers = [_number(one) for one in value] if isinstance(value, list) else []
        good = tuple(one for one in numbers if one is not None)
        if len(good) != n or len(numbers) != n:
            raise self.wrong(key, f"a list of {n} numbers", value)
        return good

    def position(self, key: str) -> tuple[float, float]:
        """``[longitude, latitude]`` in degrees."""
        lon, lat = self.numbers(key, 2)
        if abs(lon) > 180 or abs(lat) > 90:
            raise self.wrong(key, "[longitude, latitude] in degrees", [lon, lat])
        return lon, lat

    def ring(self, key: str) -> tuple[tuple[float, float], ...]:
        """A list of at least 3 positions; closed where it is open."""
        value = self._left.pop(key, None)
        if not isinstance(value, list) or not 3 <= len(value) <= 1000:
            raise self.wrong(key, "a list of 3 to 1000 positions", value)
        inner = Fields(
            {str(k): one for k, one in enumerate(value)}, where=self._where, prefix=f"{self._prefix}{key}."
        )
        ring = [inner.position(str(k)) for k in range(len(value))]
        return tuple(ring if ring[0] == ring[-1] else [*ring, ring[0]])

    def day(self, key: str) -> dt.date | None:
        """A TOML date, written without quotes; None where the key is missing."""
        value = self._left.pop(key, None)
        if value is not None and (isinstance(value, dt.datetime) or not isinstance(value, dt.date)):
            raise self.wrong(key, "a date such as 2024-12-01, without quotes", value)
        return value

    def tables(self, key: str) -> Iterator[Fields]:
        """An array of tables; nothing where the key is missing."""
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.wrong(key, f"a list of tables, written [[{key}]]", value)
        if len(value) > MAX_TABLES:
            raise self.wrong(key, f"at most {MAX_TABLES} tables", len(value))
        for k, one in enumerate(value):
            yield Fields(one, where=self._where, prefix=f"{self._prefix}{key}[{k}].")

    def close(self) -> None:
        """Refuse what is left: a misspelt key must not pass unseen."""
        if self._left:
            keys = ", ".join(f"{self._prefix}{key}" for key in sorted(self._left))
            raise InputError(f"{self._where}: unknown key {one_line(keys)}")


def read_text(path: Path) -> str:
    """The text of a small regular UTF-8 file. Raises MissingInput or InputError."""
    if not path.exists():
        raise MissingInput(f"{path} does not exist")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} has {path.stat().st_size} bytes; at most {MAX_BYTES} are read")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}") from error


def beside(path: Path, name: str, *, key: str) -> Path:
    """A file that lies beside ``path``; a site file cannot point anywhere else."""
    if Path(name).name != name or name in {"", ".", ".."} or "\\" in name or "\0" in name:
        raise InputError(f"{path}: {key} must be the name of a file beside it, got {name!r:.60}")
    return path.parent / name


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
