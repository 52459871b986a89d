"""What a site has shown before, and how a count compares with it."""

from __future__ import annotations

from railcount.baseline.levels import LEVELS, MIN_DAYS, Comparison, Level, compare
from railcount.baseline.observations import (
    METHODS,
    STATEMENTS,
    UNITS,
    Method,
    Observation,
    Statement,
    Unit,
)
from railcount.baseline.windows import FIVE_YEARS, MAX_GAP_DAYS, WINDOW_YEARS, Window, window_before

__all__ = [
    "FIVE_YEARS",
    "LEVELS",
    "MAX_GAP_DAYS",
    "METHODS",
    "MIN_DAYS",
    "STATEMENTS",
    "UNITS",
    "WINDOW_YEARS",
    "Comparison",
    "Level",
    "Method",
    "Observation",
    "Statement",
    "Unit",
    "Window",
    "compare",
    "window_before",
]
