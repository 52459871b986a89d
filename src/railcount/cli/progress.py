"""How far a long command is, or what it is at: one line on a terminal's stderr, which is wiped in the end."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

REDRAW_S = 0.2
LONG_S = 1.5
"""What takes no longer needs no word."""

_standing: list[Progress | _Word] = []
"""Whose line stands on the terminal: one, or none."""


def make_way() -> None:
    """Take the line away, so that others can be printed."""
    for line in tuple(_standing):
        line.clear()


def wipe() -> None:
    """Blank the line, which a process that is gone may have written."""
    if _is_wanted():
        sys.stderr.write("\r" + " " * _room() + "\r")
        sys.stderr.flush()


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show ``text`` while what is done within takes long; nothing where `Progress` shows nothing."""
    word = _Word(text)
    timer = threading.Timer(LONG_S, word.draw)
    timer.daemon = True
    if _is_wanted():
        with suppress(RuntimeError):  # no memory for a thread: the work is what counts
            timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if timer.ident is not None:
            timer.join()
        word.clear()


class _Word:
    """A line that stays as it is; drawn by a thread of its own."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lock = threading.Lock()

    def draw(self) -> None:
        from railcount.text import escape

        text = escape(self._text)
        columns = accumulate(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
        fitting = sum(column <= _room() for column in columns)
        with self._lock, suppress(OSError):
            sys.stderr.write("\r" + text[:fitting])
            sys.stderr.flush()
            _standing[:] = [self]

    def clear(self) -> None:
        with self._lock:
            if self in _standing:
                wipe()
                _standing.remove(self)


class Progress:
    """Counts steps, in a ``with``; shows nothing where stderr is no terminal, with -q, and of one step."""

    def __init__(self, noun: str) -> None:
        """``noun``: what is counted, in the plural."""
        self._noun = noun
        self._shown = _is_wanted()
        self._n_total = self._n_done = 0
        self._n_slow = self._n_slow_done = 0
        self._began = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def begin(self, *, n_total: int, n_slow: int) -> None:
        """So many steps in all; ``n_slow`` of them take time."""
        self._n_total, self._n_slow = n_total, n_slow
        self._began = time.monotonic()
        self._shown = self._shown and n_total > 1
        if self._shown and n_slow:
            self._draw()

    def step(self, *, slow: bool) -> None:
        """One step more."""
        self._n_done += 1
        self._n_slow_done += slow
        if self._shown and time.monotonic() - self._drawn >= REDRAW_S:
            self._draw()

    def clear(self) -> None:
        """Take the line away; the next step draws it again."""
        if self in _standing:
            wipe()
            _standing.remove(self)
            self._drawn = 0.0

    def _draw(self) -> None:
        text = f"{self._n_done:,} of {max(self._n_total, self._n_done):,} {self._noun}"
        left = max(self._n_slow - self._n_slow_done, 0)
        if left and self._n_slow_done:
            per_step_s = (time.monotonic() - self._began) / self._n_slow_done
            text += f", about {duration(left * per_step_s)} left"
        # All of the line: one of a process that is gone may stand there.
        sys.stderr.write("\r" + text[: _room()].ljust(_room()))
        sys.stderr.flush()
        _standing[:] = [self]
        self._drawn = time.monotonic()


def _is_wanted() -> bool:
    is_loud = logging.getLogger("railcount").isEnabledFor(logging.WARNING)
    return is_loud and sys.stderr is not None and sys.stderr.isatty()


def _room() -> int:
    """Columns; the last stays free, in which some terminals begin a new line."""
    return max(shutil.get_terminal_size().columns - 1, 1)


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``: as much as an estimate is good for."""
    if seconds < 60:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"
