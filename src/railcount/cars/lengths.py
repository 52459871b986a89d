"""How long railcars are: the prior over body lengths, from the table of rolling stock."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUPLED_GAP_M = 1.14
"""Body to body of two coupled gondolas 12-132: 13.92 m over couplers, 12.78 m of body."""
SHORTEST_BODY_M = 7.0
LONGEST_BODY_M = 30.0
ANY_LENGTH_SHARE = 0.08
"""Share of the prior spread evenly over all lengths: types that the table does not know."""


@dataclass(frozen=True, kw_only=True)
class Stock:
    """The rolling stock of a region."""

    name: str
    lengths_m: tuple[float, ...]
    """Over couplers."""
    weights: tuple[float, ...]
    spread_m: float
    """Standard deviation of a measured length around the table's."""

    def body_prior(self, body_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of each body length in an evenly spaced grid ``body_m`` (n,); sums to 1."""
        inside = (body_m >= SHORTEST_BODY_M) & (body_m <= LONGEST_BODY_M)
        table = np.zeros_like(body_m)
        for length, weight in zip(self.lengths_m, self.weights, strict=True):
            z = (body_m + COUPLED_GAP_M - length) / self.spread_m
            table += weight * np.exp(-0.5 * z**2)
        table *= inside
        even = inside / max(int(inside.sum()), 1)
        return np.asarray((1 - ANY_LENGTH_SHARE) * table / table.sum() + ANY_LENGTH_SHARE * even)


def _table() -> dict[str, Any]:
    return tomllib.loads(files("railcount.cars").joinpath("stock.toml").read_text(encoding="utf-8"))


def stock_names() -> tuple[str, ...]:
    """The names that ``load_stock`` takes."""
    return tuple(_table())


def load_stock(name: str) -> Stock:
    """The rolling stock of a region; InputError for a name that is not in the table."""
    table = _table()
    if name not in table:
        raise InputError(f"--stock must be one of {', '.join(table)}; got {name!r}")
    row = table[name]
    return Stock(
        name=name,
        lengths_m=tuple(row["lengths_m"]),
        weights=tuple(row["weights"]),
        spread_m=float(row["spread_m"]),
    )
