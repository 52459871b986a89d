"""Are the stated chances of a baseline right? Histories are drawn, and what is said of them is counted.

    python benchmarks/baseline/calibration.py            # about five minutes
    python benchmarks/baseline/calibration.py --write    # the same, and the tables into docs/BASELINE.md

Everything drawn here is a row of numbers: no image is simulated. The same command gives the same tables.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import nbinom, norm

from railcount.baseline import Observation
from railcount.baseline.change import change_point
from railcount.baseline.figures import chance
from railcount.baseline.selection import DayCount
from railcount.counts import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Draw = Callable[[np.random.Generator, int], NDArray[np.int64]]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "BASELINE.md"
START = dt.date(2019, 1, 1)
LEVELS = (0.2, 0.1, 0.05)


def negative_binomial(mean: float, k: float) -> Draw:
    """Counts whose variance is ``mean + mean ** 2 / k``."""
    return lambda dice, n: dice.negative_binomial(k, k / (k + mean), n)


def with_zeros(draw: Draw, share: float) -> Draw:
    """The same, and empty on a share of days."""
    return lambda dice, n: np.where(dice.random(n) < share, 0, draw(dice, n))


def spells(mean: float, k: float, correlation: float) -> Draw:
    """Negative binomial counts that follow each other: a Gaussian AR(1) process underneath."""

    def draw(dice: np.random.Generator, n: int) -> NDArray[np.int64]:
        state = np.empty(n)
        state[0] = dice.standard_normal()
        for i in range(1, n):
            state[i] = correlation * state[i - 1] + np.sqrt(1 - correlation**2) * dice.standard_normal()
        return np.asarray(nbinom.ppf(norm.cdf(state), k, k / (k + mean)), dtype=np.int64)

    return draw


def trend(first: float, last: float, k: float) -> Draw:
    """Negative binomial counts whose mean grows evenly."""

    def draw(dice: np.random.Generator, n: int) -> NDArray[np.int64]:
        means = np.linspace(first, last, n)
        return dice.negative_binomial(k, k / (k + means))

    return draw


ALIKE: dict[str, Draw] = {
    "always empty": lambda dice, n: np.zeros(n, dtype=np.int64),
    "Poisson, mean 0.3": lambda dice, n: dice.poisson(0.3, n),
    "Poisson, mean 20": lambda dice, n: dice.poisson(20, n),
    "negative binomial, mean 7, k 1": negative_binomial(7, 1),
    "the same, 60 % of days empty": with_zeros(negative_binomial(7, 1), 0.6),
    "negative binomial, mean 60, k 0.3": negative_binomial(60, 0.3),
    "rounded log-normal, median 5": lambda dice, n: np.floor(dice.lognormal(np.log(5), 1.2, n)).astype(
        np.int64
    ),
}
NOT_ALIKE: dict[str, Draw] = {
    "spells, correlation 0.3": spells(7, 1, 0.3),
    "spells, correlation 0.6": spells(7, 1, 0.6),
    "spells, correlation 0.9": spells(7, 1, 0.9),
    "trend, mean 3 to 20": trend(3, 20, 2),
}
CHANGES: dict[str, tuple[float, float, float, int, int]] = {
    "7 to 66, k 1.5, 16 days and 2": (7, 66, 1.5, 16, 2),
    "7 to 66, k 3, 16 days and 2": (7, 66, 3, 16, 2),
    "7 to 66, k 3, 12 days and 4": (7, 66, 3, 12, 4),
    "0.3 to 8, k 1, 12 days and 4": (0.3, 8, 1, 12, 4),
    "5 to 15, k 2, 15 days and 10": (5, 15, 2, 15, 10),
    "30 to 5, k 3, 10 days and 10": (30, 5, 3, 10, 10),
}


def days_of(counts: NDArray[np.int64]) -> tuple[DayCount, ...]:
    """A count a month."""
    days = []
    for i, count in enumerate(counts.tolist()):
        day = START + dt.timedelta(days=30 * i)
        one = Observation(first=day, last=day, best=count)
        days.append(DayCount(first=day, last=day, value=float(count), observation=one))
    return tuple(days)


def fitted_chance(past: NDArray[np.int64], count: int) -> float:
    """The yardstick: the tail of a negative binomial fitted by its moments."""
    mean = past.mean() + 1e-9
    extra = past.var(ddof=1) - mean
    if extra <= 0:
        return float(1 - norm.cdf((count - 0.5 - mean) / np.sqrt(mean)))
    k = mean**2 / extra
    return float(nbinom.sf(count - 1, k, k / (k + mean)))


def chance_table(*, n_histories: int, seed: int) -> list[str]:
    """How often a count reaches a stated chance of 20, 10 and 5 %."""
    lines = [
        "| all that is drawn | days before | said <= 20% | <= 10% | <= 5% "
        "| fitted: <= 20% | <= 10% | <= 5% |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, draw in (ALIKE | NOT_ALIKE).items():
        for n in (9, 19, 60):
            dice = np.random.default_rng([seed, n, len(name)])
            said, fitted = [], []
            for _ in range(n_histories):
                counts = draw(dice, n + 1)
                best = int(counts[-1])
                found = chance(Interval(best=best, low=best, high=best), days=days_of(counts[:-1]))
                said.append(found.best if found else 1.0)
                fitted.append(fitted_chance(counts[:-1], best))
            cells = [
                f"{np.mean(np.array(p) <= level + 1e-9):.1%}" for p in (said, fitted) for level in LEVELS
            ]
            lines.append(f"| {name} | {n} | {' | '.join(cells)} |")
    return lines


def false_alarm_table(*, n_histories: int, seed: int) -> list[str]:
    """How often a change is found where there is none."""
    lines = [
        "| all that is drawn | 9 days | 18 days | 40 days |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, draw in (ALIKE | NOT_ALIKE).items():
        cells = []
        for n in (9, 18, 40):
            dice = np.random.default_rng([seed, n, len(name)])
            found = [change_point(days_of(draw(dice, n))).status == "found" for _ in range(n_histories)]
            cells.append(f"{np.mean(found):.1%}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def dating_table(*, n_histories: int, seed: int) -> list[str]:
    """How often a true change is found, and where."""
    lines = [
        "| mean before and after | found | most probable gap is right | its stated probability "
        "| 90 % range holds the change | width of the range, gaps |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, (before, after, k, n_before, n_after) in CHANGES.items():
        dice = np.random.default_rng([seed, len(name)])
        found = []
        for _ in range(n_histories):
            counts = np.concatenate(
                [
                    with_zeros(negative_binomial(before, k), 0.1)(dice, n_before),
                    with_zeros(negative_binomial(after, k), 0.1)(dice, n_after),
                ]
            )
            one = change_point(days_of(counts))
            if one.status == "found":
                found.append(one)
        true = START + dt.timedelta(days=30 * n_before)
        right = np.mean([one.between is not None and one.between[1] == true for one in found])
        said = np.mean([one.probability for one in found])
        holds = np.mean([one.range is not None and one.range[0] < true <= one.range[1] for one in found])
        wide = np.mean([((one.range[1] - one.range[0]).days + 1) / 30 for one in found if one.range])
        shares = " | ".join(f"{share:.0%}" for share in (len(found) / n_histories, right, said, holds))
        lines.append(f"| {name} | {shares} | {wide:.1f} |")
    return lines


def main() -> int:
    """Draw, count, print; with --write put the tables into the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--histories", type=int, default=3000, help="for the chance of a count; a tenth for the rest"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    given = parser.parse_args()
    fewer = max(given.histories // 10, 10)
    tables = {
        "chance": chance_table(n_histories=given.histories, seed=given.seed),
        "alarms": false_alarm_table(n_histories=fewer, seed=given.seed),
        "dating": dating_table(n_histories=fewer, seed=given.seed),
    }
    for name, lines in tables.items():
        print(f"{name}\n\n" + "\n".join(lines) + "\n")
    if given.write:
        page = PAGE.read_text(encoding="utf-8")
        for name, lines in tables.items():
            n = given.histories if name == "chance" else fewer
            block = "\n".join(
                [f"<!-- {name}:begin -->", f"{n} histories a cell.", "", *lines, f"<!-- {name}:end -->"]
            )
            page, n_replaced = re.subn(
                f"<!-- {name}:begin -->.*?<!-- {name}:end -->", lambda _, b=block: b, page, flags=re.DOTALL
            )
            if n_replaced != 1:
                sys.exit(f"{PAGE} has no place for the table {name}")
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
