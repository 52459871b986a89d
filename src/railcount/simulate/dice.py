"""Random draws: named streams, so that a new draw in one place moves nothing elsewhere."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.simulate.scene import Span


class Dice:
    """Streams of random numbers by name, from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> np.random.Generator:
        """A generator that depends on the seed and the name alone."""
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence([self.seed, zlib.crc32(name.encode())]))
        )


def pick(rng: np.random.Generator, value: Span, low: float, high: float) -> float:
    """``value`` where it is fixed, else drawn from its range or from (low, high).

    Draws once in every case, so that fixing a value leaves later draws alone.
    """
    u = float(rng.random())
    if isinstance(value, tuple):
        low, high = value
    elif value is not None:
        return float(value)
    return low + (high - low) * u


def pick_whole(rng: np.random.Generator, value: int | None, low: int, high: int) -> int:
    """``value``, or a whole number from low to high, both included."""
    u = int(rng.integers(low, high + 1))
    return u if value is None else value


def pick_flag(rng: np.random.Generator, value: bool | None, chance: float) -> bool:
    """``value``, or True with the given chance."""
    u = bool(rng.random() < chance)
    return u if value is None else value


def pick_name(
    rng: np.random.Generator, value: str | None, names: Sequence[str], weights: Sequence[float] | None = None
) -> str:
    """``value``, or one of the names."""
    p = None if weights is None else np.asarray(weights, dtype=float) / float(np.sum(weights))
    u = names[int(rng.choice(len(names), p=p))]
    return u if value is None else value
