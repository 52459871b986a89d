"""Rows of the table: what was measured, what it may be, and whether it holds."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Unit = Literal["x", "s", "ms", "MB"]

_DIGITS = {"x": 2, "s": 2, "ms": 1, "MB": 0}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure beside its budget."""

    part: str
    what: str
    unit: Unit
    value: float | None = None
    """None where it was not measured; ``note`` says why."""
    budget: float | None = None
    """None where there is none: the figure is shown for what it is."""
    at_least: bool = False
    """The budget is the least the figure may be, not the most."""
    note: str = ""
    details: dict[str, float] = field(default_factory=dict)
    """What the figure comes from, in the unit that the name ends in."""

    @property
    def holds(self) -> bool | None:
        """Whether the budget is kept; None where there is no figure or no budget."""
        if self.value is None or self.budget is None:
            return None
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    @property
    def words(self) -> tuple[str, str, str]:
        """Measured, budget, verdict, as the table shows them."""
        measured = self.note or "not measured"
        if self.value is not None:
            measured = _figure(self.value, self.unit) + (f" ({self.note})" if self.note else "")
        budget = "none"
        if self.budget is not None:
            budget = f"{'at least' if self.at_least else 'at most'} {_plain(self.budget)} {self.unit}"
        verdict = {True: "yes", False: "NO", None: ""}[self.holds]
        return measured, budget, verdict


def _figure(value: float, unit: Unit) -> str:
    return f"{value:.{_DIGITS[unit]}f} {unit}"


def _plain(value: float) -> str:
    return f"{value:g}"


def ratio_of_medians(above: Sequence[float], below: Sequence[float]) -> float:
    """Median over median. Raises ValueError where there is nothing to divide by."""
    if not above or not below or (least := statistics.median(below)) <= 0:
        raise ValueError("a ratio needs measurements, and a yardstick above 0")
    return statistics.median(above) / least


def as_json(row: Row) -> dict[str, Any]:
    """The row with its verdict."""
    return {**asdict(row), "holds": row.holds}


def from_json(values: Mapping[str, Any]) -> Row:
    """The row of ``as_json``; the verdict is judged again."""
    return Row(**{name: value for name, value in values.items() if name != "holds"})


def merged(earlier: Iterable[Row], now: Iterable[Row], *, order: Sequence[str]) -> list[Row]:
    """Rows by part in the given order; a part that was measured now replaces what was known of it."""
    now = list(now)
    fresh = {row.part for row in now}
    kept = [row for row in earlier if row.part not in fresh and row.part in order] + now
    return sorted(kept, key=lambda row: order.index(row.part))


def table(rows: Iterable[Row]) -> str:
    """Columns of text for a terminal."""
    lines = [("what", "measured", "budget", "holds"), *((row.what, *row.words) for row in rows)]
    sizes = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(size) for cell, size in zip(line, sizes, strict=True)).rstrip() for line in lines
    )


def markdown(rows: Iterable[Row]) -> str:
    """The same as a Markdown table."""
    lines = ["| what | measured | budget | holds |", "|---|---:|---:|---|"]
    lines += [f"| {' | '.join((row.what, *row.words))} |" for row in rows]
    return "\n".join(lines)


def details(rows: Iterable[Row]) -> str:
    """What each figure comes from, as a Markdown list."""
    lines = []
    for row in rows:
        if row.details:
            said = ", ".join(f"{name} {_detail(name, value)}" for name, value in row.details.items())
            lines.append(f"- {row.what}: {said}")
    return "\n".join(lines)


def _detail(name: str, value: float) -> str:
    return f"{value:.0f}" if name.endswith("MB") or name.startswith("n ") else f"{value:.3g}"
