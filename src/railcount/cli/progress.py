"""How far a long command is: one line on a terminal's stderr that is written over and over."""

from __future__ import annotations

import shutil
import sys
import time

REDRAW_S = 0.2


class Progress:
    """Counts steps; shows nothing where stderr is no terminal."""

    def __init__(self, noun: str) -> None:
        """``noun``: what is counted, in the plural."""
        self._noun = noun
        self._shown = sys.stderr is not None and sys.stderr.isatty()
        self._n_total = self._n_done = 0
        self._n_slow = self._n_slow_done = 0
        self._began = time.monotonic()
        self._drawn = 0.0
        self._width = 0

    def begin(self, *, n_total: int, n_slow: int) -> None:
        """So many steps in all; ``n_slow`` of them take time."""
        self._n_total, self._n_slow = n_total, n_slow
        self._began = time.monotonic()

    def step(self, *, slow: bool) -> None:
        """One step more."""
        self._n_done += 1
        self._n_slow_done += slow
        if self._shown and time.monotonic() - self._drawn >= REDRAW_S:
            self._draw()

    def clear(self) -> None:
        """Take the line away, so that others can be printed."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0
            self._drawn = 0.0

    def _draw(self) -> None:
        text = f"{self._n_done:,} of {max(self._n_total, self._n_done):,} {self._noun}"
        left = max(self._n_slow - self._n_slow_done, 0)
        if left and self._n_slow_done:
            per_step_s = (time.monotonic() - self._began) / self._n_slow_done
            text += f", about {duration(left * per_step_s)} left"
        text = text[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)
        self._drawn = time.monotonic()


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
