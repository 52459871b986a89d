"""Figures over many scenes, from the records of the grid."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.counts import Interval
from railcount.evaluate import IOUS, Agreement, Estimate, Score, summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    Record = dict[str, Any]

N_RESAMPLES = 2000
NORMAL_90 = 1.645
"""Half the width of the central 90 % of a normal distribution, in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One mode over the scenes of one factor (or of several)."""

    n_scenes: int
    statuses: dict[str, int]
    n_counted: int
    """Scenes with a count; what follows is over these alone."""
    n_truth: int
    agreements: tuple[Agreement, ...]
    """In the order of IOUS, over the scenes whose cars are told apart."""
    strict_f1: float | None
    """F1 at IoU 0.3 with all cars of the scenes without a count as missed."""
    mean_absolute_error: Estimate | None
    """Cars a scene; 95 % percentile bootstrap over scenes."""
    bias: Estimate | None
    total_error: float | None
    """Sum of the errors over the sum of the truth."""
    coverage: Estimate | None
    """Of the 90 % intervals of the total; Clopper-Pearson."""
    mean_width: float | None
    """Of those intervals, high less low, cars."""
    relative_width: float | None
    """``mean_width`` over 2 x 1.645 x the standard deviation of the errors, that at least 1 car."""
    false_per_km: float | None
    """Predictions on no vehicle, per km of true track that stands empty."""

    @property
    def f1(self) -> float | None:
        """At IoU 0.3; None where no car is told apart."""
        return self.agreements[0].f1


def read_records(path: Path, *, code: str | None = None) -> list[Record]:
    """The last record of every scene, of one state of the code (that of the last line, if not given).

    A line cut short by an interruption is passed over.
    """
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    if not records:
        return []
    wanted = code or records[-1]["code"]
    last = {(r["factor"], r["seed"]): r for r in records if r["code"] == wanted}
    return list(last.values())


def figures(records: Sequence[Record], *, mode: str) -> Figures:
    """A mode's figures over the given records."""
    pairs = [(r["truth"], r["modes"][mode]) for r in records]
    counted = [(truth, one) for truth, one in pairs if "railcars" in one]
    scores = [_score(truth, one) for truth, one in counted]
    outlined = [s for s, (_, one) in zip(scores, counted, strict=True) if one["outlined"]]
    together = summarise(outlined)
    errors = np.array([one["error"] for _, one in counted], dtype=np.float64)
    widths = np.array([one["railcars"][2] - one["railcars"][0] for _, one in counted], dtype=np.float64)
    n_truth = sum(truth["n"] for truth, _ in counted)
    empty_km = sum(truth["empty_km"] for truth, _ in counted)
    near = together.agreements[0]
    without = sum(truth["n"] for truth, one in pairs if not one.get("outlined"))
    strict = Agreement(
        min_iou=IOUS[0], n_matched=near.n_matched, n_false=near.n_false, n_missed=near.n_missed + without
    )
    needed = max(2 * NORMAL_90 * float(errors.std(ddof=1)), 1.0) if len(errors) > 1 else None
    return Figures(
        n_scenes=len(pairs),
        statuses=dict(Counter(one["status"] for _, one in pairs).most_common()),
        n_counted=len(counted),
        n_truth=n_truth,
        agreements=together.agreements,
        strict_f1=strict.f1,
        mean_absolute_error=bootstrap(np.abs(errors)),
        bias=bootstrap(errors),
        total_error=float(errors.sum() / n_truth) if n_truth else None,
        coverage=summarise(scores).coverage,
        mean_width=float(widths.mean()) if len(widths) else None,
        relative_width=float(widths.mean() / needed) if needed else None,
        false_per_km=sum(one["false_on_empty"] for _, one in counted) / empty_km if empty_km else None,
    )


def _score(truth: Record, one: Record) -> Score:
    low, best, high = one["railcars"]
    return Score(
        name="",
        n_predicted=one["predicted"],
        n_truth=truth["n"],
        n_ignored=truth["n_ignored"],
        agreements=tuple(
            _agreement(min_iou, one["predicted"], matched, truth["n"])
            for min_iou, matched in zip(IOUS, one["matched"], strict=True)
        ),
        interval=Interval(best=best, low=low, high=high),
    )


def _agreement(min_iou: float, predicted: int, matched: int, truth: int) -> Agreement:
    return Agreement(
        min_iou=min_iou, n_matched=matched, n_false=predicted - matched, n_missed=truth - matched
    )


def bootstrap(values: np.ndarray[Any, np.dtype[np.float64]]) -> Estimate | None:
    """The mean with its 95 % percentile bootstrap interval (Efron 1979); the scenes are drawn again.

    The same values give the same interval. None without values.
    """
    if not len(values):
        return None
    if len(values) < 2:
        return Estimate(value=float(values.mean()), low=None, high=None)
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (N_RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(value=float(values.mean()), low=float(low), high=float(high))


def yardstick(records: Iterable[Record], *, name: str, variant: str) -> tuple[Agreement, ...]:
    """One variant of a yardstick over the records, at each IoU."""
    sums = np.zeros(2 + len(IOUS), dtype=int)
    for record in records:
        sums += [record["truth"]["n"], *record["yardsticks"][name][variant]]
    truth, predicted, *matched = (int(x) for x in sums)
    return tuple(_agreement(u, predicted, m, truth) for u, m in zip(IOUS, matched, strict=True))


def best_variant(records: Sequence[Record], *, name: str) -> str:
    """The variant of a yardstick with the highest F1 (IoU 0.3) over all cars of the records."""
    variants = records[0]["yardsticks"][name]
    return max(map(str, variants), key=lambda v: yardstick(records, name=name, variant=v)[0].f1 or 0.0)


def confusion(records: Iterable[Record]) -> dict[tuple[str, str], int]:
    """(true kind, said kind) -> cars."""
    total: Counter[tuple[str, str]] = Counter()
    for record in records:
        for key, n in record.get("kinds", {}).items():
            true, said = key.split(">")
            total[true, said] += n
    return dict(total)


def covered(records: Iterable[Record], *, mode: str) -> tuple[Score, ...]:
    """The covered cars of every scene with a count: truth, best and interval, as scores without outlines."""
    scores = []
    for record in records:
        ends, truth = record["modes"][mode].get("covered"), record["truth"]
        if ends is not None:
            scores.append(
                Score(
                    name=record["factor"],
                    n_predicted=ends[1],
                    n_truth=truth["covered"],
                    n_ignored=truth["covered_ignored"],
                    agreements=tuple(_agreement(u, 0, 0, 0) for u in IOUS),
                    interval=Interval(best=ends[1], low=ends[0], high=ends[2]),
                )
            )
    return tuple(scores)
