"""Targets against what was measured."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from factors import FACTORS, FIRST_SEED
from tables import markdown, number
from tally import figures, yardstick

if TYPE_CHECKING:
    from collections.abc import Callable

    from tally import Figures, Record

    Records = dict[str, list[Record]]

COARSER_M = 0.8
"""Pixels beyond this are no part of the targets, which are for 0.5 m."""
CLEAR_F1 = 0.985
CLEAR_TOTAL = 0.02
ALONE_F1 = 0.95
TOGETHER_F1 = 0.88
FALSE_PER_KM = 0.3
MARGIN = 2.0
LOSS = 0.02
COVERAGE = (0.85, 0.95)
RELATIVE_WIDTH = 2.0
MAY_BE_HIDDEN = ("cloud", "cloud-heavy", "canopy")
"""Factors that hide cars: a scene without a count is no failure here, and targets hold for the others."""
N_NAMED = 6
"""Factors named in a line, at most."""


def is_coarse(name: str) -> bool:
    """True for factors whose pixels are coarser than COARSER_M."""
    return FACTORS[name].scene(FIRST_SEED).gsd_m > COARSER_M


def summary(by_factor: Records, *, otsu: str) -> str:
    """The table of targets, each with what was measured and whether it is met."""
    fine = {name: mine for name, mine in by_factor.items() if not is_coarse(name)}
    with_cars = {n: mine for n, mine in fine.items() if any(r["truth"]["n"] for r in mine)}
    alone = {n: m for n, m in with_cars.items() if FACTORS[n].group not in ("reference", "combination")}
    together = {n: m for n, m in with_cars.items() if FACTORS[n].group == "combination"}
    rows: list[list[str]] = []
    for mode in ("given", "found"):
        if "clear" in fine:
            rows += _clear(figures(fine["clear"], mode=mode), mode=mode)
        for title, target, some in (("alone", ALONE_F1, alone), ("three at once", TOGETHER_F1, together)):
            rows += _each(some, f"nuisances {title}, F1, {mode}", target=target, mode=mode)
    for mode in ("displaced", "found"):
        rows += _loss(with_cars, mode=mode)
    for mode in ("given", "found"):
        rows += _false(fine, mode=mode)
    rows += _margin(with_cars, otsu=otsu)
    rows += _intervals(with_cars)
    rows += _coarse({name: mine for name, mine in by_factor.items() if is_coarse(name)})
    return markdown(["target", "wanted", "measured", "met"], rows, left=4)


def _row(target: str, wanted: str, measured: str, *, met: bool) -> list[str]:
    return [target, wanted, measured, "yes" if met else "**no**"]


def _clear(f: Figures, *, mode: str) -> list[list[str]]:
    if f.f1 is None or f.total_error is None:
        return []
    return [
        _row(f"clear, F1, {mode}", f">= {CLEAR_F1}", number(f.f1), met=f.f1 >= CLEAR_F1),
        _row(
            f"clear, total, {mode}",
            f"within {CLEAR_TOTAL:.0%}",
            f"{f.total_error:+.1%}",
            met=abs(f.total_error) <= CLEAR_TOTAL,
        ),
    ]


def _each(some: Records, title: str, *, target: float, mode: str) -> list[list[str]]:
    """Every factor has to reach the target; cars of scenes without a count are missed."""
    if not some:
        return []
    values = {}
    for name, mine in some.items():
        f = figures(mine, mode=mode)
        values[name] = f.f1 if name in MAY_BE_HIDDEN else f.strict_f1
    return [_list(values, title, wanted=f">= {target} each", good=lambda v: v >= target, worst=min)]


def _list(
    values: dict[str, float | None],
    title: str,
    *,
    wanted: str,
    good: Callable[[float], bool],
    worst: Callable[[list[float]], float],
    digits: int = 3,
) -> list[str]:
    """So many of so many factors reach a target, and which do not, the worst first."""
    known = {name: v for name, v in values.items() if v is not None}
    bad = {name: v for name, v in known.items() if not good(v)}
    order = sorted(bad, key=lambda name: bad[name], reverse=worst is max)
    told = f"{len(known) - len(bad)} of {len(values)} factors"
    if len(known) < len(values):
        told += f"; no count: {', '.join(n for n in values if n not in known)}"
    if order:
        told += "; not: " + ", ".join(f"{name} {number(bad[name], digits)}" for name in order[:N_NAMED])
        told += f" and {len(order) - N_NAMED} more" if len(order) > N_NAMED else ""
    elif known:
        told += f"; worst {number(worst(list(known.values())), digits)}"
    silent = values.keys() - known.keys() - set(MAY_BE_HIDDEN)
    return _row(title, wanted, told, met=not bad and not silent)


def _loss(some: Records, *, mode: str) -> list[list[str]]:
    """F1 lost against tracks given, over the scenes that have a count then.

    Where such a scene has none in this mode, all its cars are missed.
    """
    loss: dict[str, float | None] = {}
    for name, mine in some.items():
        counted = [r for r in mine if r["modes"]["given"].get("outlined")]
        given, other = figures(counted, mode="given").f1, figures(counted, mode=mode).strict_f1
        loss[name] = None if given is None or other is None else given - other
    title = f"F1 lost against tracks given, {mode}"
    return [_list(loss, title, wanted=f"<= {LOSS} each", good=lambda v: v <= LOSS, worst=max)]


def _false(some: Records, *, mode: str) -> list[list[str]]:
    every = figures(list(chain(*some.values())), mode=mode).false_per_km
    if every is None:
        return []
    values = {name: figures(mine, mode=mode).false_per_km for name, mine in some.items()}
    title = f"false cars per km of empty track, {mode}"
    row = _list(
        values, title, wanted=f"<= {FALSE_PER_KM}", good=lambda v: v <= FALSE_PER_KM, worst=max, digits=2
    )
    row[2] = f"{number(every, 2)} over all; {row[2]}"
    row[3] = "yes" if every <= FALSE_PER_KM else "**no**"
    return [row]


def _margin(some: Records, *, otsu: str) -> list[list[str]]:
    """How much of what the plain script gets wrong is left."""
    records = list(chain(*some.values()))
    ours, plain = (
        figures(records, mode="given").strict_f1,
        yardstick(records, name="otsu", variant=otsu)[0].f1,
    )
    if ours is None or plain is None:
        return []
    ratio = (1 - plain) / max(1 - ours, 1e-9)
    told = f"{number(ours)} against {number(plain)}: 1 - F1 is {ratio:.1f} times smaller"
    return [
        _row(
            "F1 against the plain script, given",
            f"1 - F1 {MARGIN:g} times smaller",
            told,
            met=ratio >= MARGIN,
        )
    ]


def _intervals(some: Records) -> list[list[str]]:
    rows = []
    for mode in ("given", "found"):
        every = figures(list(chain(*some.values())), mode=mode).coverage
        if every is None:
            continue
        known = {name: figures(mine, mode=mode).coverage for name, mine in some.items()}
        values = {name: c.value for name, c in known.items() if c is not None}
        low = sorted((name for name, v in values.items() if v < COVERAGE[0]), key=lambda name: values[name])
        high = [name for name, v in values.items() if v > COVERAGE[1]]
        told = f"{every.value:.0%} over all; {len(values) - len(low) - len(high)} of {len(values)} factors"
        told += f", {len(high)} above, {len(low)} below"
        if low:
            told += ": " + ", ".join(f"{name} {values[name]:.0%}" for name in low[:N_NAMED])
            told += f" and {len(low) - N_NAMED} more" if len(low) > N_NAMED else ""
        wanted = f"{COVERAGE[0]:.0%} to {COVERAGE[1]:.0%} of each factor's scenes"
        rows.append(_row(f"90 % interval holds the truth, {mode}", wanted, told, met=not low and not high))
    if "clear" in some:
        width = figures(some["clear"], mode="given").relative_width
        if width is not None:
            rows.append(
                _row(
                    "width of the 90 % interval, clear, given",
                    f"<= {RELATIVE_WIDTH:g} x what is needed",
                    f"{width:.2f} x",
                    met=width <= RELATIVE_WIDTH,
                )
            )
    return rows


def _coarse(some: Records) -> list[list[str]]:
    """Where cars are hardly told apart: the total, and whether its interval is honest."""
    rows = []
    for name, mine in some.items():
        f = figures(mine, mode="given")
        wanted = f"interval holds the truth in >= {COVERAGE[0]:.0%}"
        if f.coverage is None or f.total_error is None:
            told = ", ".join(f"{n} {status}" for status, n in f.statuses.items())
            rows.append(_row(f"{name}, given", wanted, f"no count: {told}", met=False))
            continue
        told = (
            f"{f.coverage.value:.0%}; total {f.total_error:+.1%}, mean width {number(f.mean_width, 1)} cars"
        )
        rows.append(_row(f"{name}, given", wanted, told, met=f.coverage.value >= COVERAGE[0]))
    return rows
