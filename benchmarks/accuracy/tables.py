"""The tables of the accuracy report, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from factors import FACTORS
from measure import MODES
from tally import confusion, covered, figures, yardstick

from railcount.counts import KINDS
from railcount.evaluate import summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tally import Record

    from railcount.evaluate import Estimate

    Records = dict[str, list[Record]]

NONE = "–"  # noqa: RUF001


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """A table; the first ``left`` columns are text, the others figures."""
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def number(value: float | None, digits: int = 3) -> str:
    """A figure; a dash where there is none."""
    if value is None:
        return NONE
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def ranged(estimate: Estimate | None, digits: int = 2) -> str:
    """A figure with its interval."""
    if estimate is None:
        return NONE
    if estimate.low is None or estimate.high is None:
        return number(estimate.value, digits)
    return (
        f"{number(estimate.value, digits)} [{number(estimate.low, digits)}, {number(estimate.high, digits)}]"
    )


def overview_table(by_factor: Records, *, otsu: str, threshold: str) -> str:
    """F1 of every mode and yardstick by factor."""
    rows = []
    for name, mine in by_factor.items():
        f1 = [figures(mine, mode=mode).f1 for mode in MODES]
        sticks = [
            yardstick(mine, name=which, variant=variant)[0].f1
            for which, variant in (("otsu", otsu), ("threshold", threshold))
        ]
        if any(r["truth"]["n"] for r in mine):
            cars = str(sum(r["truth"]["n"] for r in mine))
            rows.append([name, cars, *(number(v) for v in (*f1, *sticks))])
    return markdown(["factor", "cars", *MODES, "plain script", "single threshold"], rows)


def mode_table(by_factor: Records, *, mode: str) -> str:
    """Everything about one mode by factor."""
    head = ["factor", "counted", "precision", "recall", "F1", "F1 (0.5)", "error, cars", "bias, cars"]
    head += ["coverage", "width", "relative", "false/km"]
    rows = []
    for name, mine in by_factor.items():
        f = figures(mine, mode=mode)
        near, far = f.agreements
        rows.append(
            [
                name,
                f"{f.n_counted}/{f.n_scenes}",
                number(near.precision),
                number(near.recall),
                number(near.f1),
                number(far.f1),
                ranged(f.mean_absolute_error),
                ranged(f.bias),
                ranged(f.coverage),
                number(f.mean_width, 1),
                number(f.relative_width, 2),
                number(f.false_per_km, 2),
            ]
        )
    return markdown(head, rows)


def status_table(by_factor: Records) -> str:
    """Where any scene has no count: what was said of how many."""
    rows = []
    for name, mine in by_factor.items():
        told = [figures(mine, mode=mode) for mode in MODES]
        if any(f.n_counted < f.n_scenes for f in told):
            rows.append(
                [name, *(", ".join(f"{n} {status}" for status, n in f.statuses.items()) for f in told)]
            )
    return markdown(["factor", *MODES], rows, left=1 + len(MODES)) if rows else "There are none."


def kinds_table(records: Sequence[Record]) -> str:
    """True kind by said kind, and the share that is right of those for which a kind is said."""
    pairs = confusion(records)
    rows = []
    for true in KINDS:
        n = [pairs.get((true, said), 0) for said in KINDS]
        if sum(n):
            told = sum(n) - pairs.get((true, "unknown"), 0)
            right = number(pairs.get((true, true), 0) / told) if told else NONE
            rows.append([true, *map(str, n), right])
    return markdown(["true kind", *KINDS, "right, where said"], rows) if rows else "No car was matched."


def covered_part(by_factor: Records) -> str:
    """How well the number of covered cars and its interval hold."""
    rows = []
    for mode in MODES:
        scores = covered([r for mine in by_factor.values() for r in mine], mode=mode)
        s = summarise(scores)
        widths = [one.interval.high - one.interval.low for one in scores if one.interval is not None]
        width = number(sum(widths) / len(widths), 1) if widths else NONE
        rows.append(
            [
                mode,
                str(s.n_images),
                str(s.n_truth),
                str(s.n_predicted),
                ranged(s.mean_absolute_error),
                ranged(s.bias),
                ranged(s.coverage),
                width,
            ]
        )
    head = ["mode", "scenes", "true", "said", "error, cars", "bias, cars", "coverage", "width"]
    return (
        "The number of covered cars (closed, under a tarpaulin, or containers) and its 90 % interval, over "
        "all scenes with a count. Intervals of error and bias: Student's t.\n\n" + markdown(head, rows)
    )


def factor_table(by_factor: Records) -> str:
    """What each factor is."""
    return markdown(
        ["factor", "group", "scene"],
        [[name, FACTORS[name].group, FACTORS[name].about] for name in by_factor],
        left=3,
    )
