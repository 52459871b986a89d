"""``railcount evaluate``: predicted outlines against true ones."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from railcount.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.evaluate import Agreement, Estimate, Score, Summary


@click.command(cls=options.Command)
@click.argument("predicted", type=click.Path(path_type=Path))
@click.argument("truth", type=click.Path(path_type=Path))
@click.option("--pixels", is_flag=True, help="The coordinates are pixels, not longitude and latitude.")
@options.form("table", "json")
@options.verbosity
@click.pass_context
def evaluate(ctx: click.Context, predicted: Path, truth: Path, pixels: bool, form: str) -> None:
    """Score predicted car outlines against true ones.

    PREDICTED and TRUTH are two GeoJSON files, or two folders whose .geojson files have the same names.
    Locomotives (kind "locomotive") do not count as railcars. True cars with visible_fraction below 0.5
    are left out, and so are the predictions that lie on them. A prediction that says that its tile has no
    count (refused, uncountable ...) is kept apart: it is no count of 0.

    Ends with exit code 3 where a truth has no prediction, or a prediction no count.

    \b
    Example:
      railcount evaluate cars.geojson truth.geojson
    """
    from railcount.evaluate import pair_folders, score_files, summarise

    missing: tuple[Path, ...] = ()
    pairs: Sequence[tuple[Path, Path]] = ((predicted, truth),)
    # Path.is_dir raises for a name that is too long; what such a name lacks is said by the reader.
    if os.path.isdir(predicted) or os.path.isdir(truth):
        pairs, extra, missing = pair_folders(predicted, truth)
        for path in extra:
            options.note(f"{path}: no truth of this name, left out")
        for path in missing:
            options.note(f"{path}: no prediction of this name, left out")
    scores = [score_files(*pair, pixels=True if pixels else None) for pair in pairs]
    summary = summarise(scores)
    if form == "json":
        options.print_text(json.dumps(_document(scores, summary), indent=2) + "\n")
    else:
        options.print_text(_table(scores, summary) + "\n")
    for one in scores:
        if one.no_count is None and one.n_tiles_without_count:
            words = f"{one.n_tiles_without_count} of its tiles have no count: their cars are missed here"
            options.note(f"{one.name}: {words}")
    if missing or summary.n_uncounted:
        ctx.exit(3)


def _document(scores: Sequence[Score], summary: Summary) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "images": [
            {
                "name": one.name,
                "no_count": one.no_count,
                "n_predicted": None if one.no_count is not None else one.n_predicted,
                "n_truth": one.n_truth,
                "n_ignored": one.n_ignored,
                "count_error": one.count_error,
                "interval_holds_truth": one.covered,
                "agreements": [_agreement(a) for a in one.agreements],
            }
            for one in scores
        ],
        "summary": {
            "n_images": summary.n_images,
            "n_predicted": summary.n_predicted,
            "n_truth": summary.n_truth,
            "agreements": [_agreement(a) for a in summary.agreements],
            "mean_absolute_error": _estimate(summary.mean_absolute_error),
            "bias": _estimate(summary.bias),
            "n_intervals": summary.n_intervals,
            "coverage": _estimate(summary.coverage),
            "n_uncounted": summary.n_uncounted,
            "n_truth_uncounted": summary.n_truth_uncounted,
        },
    }


def _agreement(agreement: Agreement) -> dict[str, Any]:
    return {
        "min_iou": agreement.min_iou,
        "n_matched": agreement.n_matched,
        "n_false": agreement.n_false,
        "n_missed": agreement.n_missed,
        "precision": agreement.precision,
        "recall": agreement.recall,
        "f1": agreement.f1,
    }


def _estimate(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _table(scores: Sequence[Score], summary: Summary) -> str:
    from railcount.text import escape

    width = max(5, *(len(escape(one.name)) for one in scores))
    head = f"{'image':<{width}}  {'truth':>5} {'found':>5} {'error':>5}"
    for agreement in summary.agreements:
        head += f" | IoU {agreement.min_iou:.1f}: {'prec':>5} {'recall':>6} {'F1':>5}"
    lines = [head]
    for one in scores:
        if one.count_error is None:
            lines.append(
                f"{escape(one.name):<{width}}  {one.n_truth:>5}     -     - | no count, {one.no_count}"
            )
            continue
        counts = f"{one.n_truth:>5} {one.n_predicted:>5} {one.count_error:>+5d}"
        lines.append(f"{escape(one.name):<{width}}  {counts}{_columns(one.agreements)}")
    if len(scores) > 1:
        error = summary.n_predicted - summary.n_truth
        counts = f"{summary.n_truth:>5} {summary.n_predicted:>5} {error:>+5d}"
        lines.append(f"{'all':<{width}}  {counts}{_columns(summary.agreements)}")
        lines.append(f"mean absolute error per image {_spoken(summary.mean_absolute_error)}")
        lines.append(f"bias per image                {_spoken(summary.bias, sign='+')}")
    if summary.coverage is not None:
        lines.append(f"intervals that hold the truth {_spoken(summary.coverage)} of {summary.n_intervals}")
    if summary.n_uncounted:
        n, cars = summary.n_uncounted, summary.n_truth_uncounted
        lines.append(f"kept apart: {n} without a count, with {cars} true railcars")
    return "\n".join(lines)


def _columns(agreements: Sequence[Agreement]) -> str:
    text = "" if agreements else " | no outlines: cars were not told apart"
    for one in agreements:
        text += f" |          {_ratio(one.precision):>5} {_ratio(one.recall):>6} {_ratio(one.f1):>5}"
    return text


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _spoken(estimate: Estimate | None, *, sign: str = "") -> str:
    if estimate is None:
        return "-"
    text = f"{estimate.value:{sign}.2f}"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} (95 % interval {estimate.low:{sign}.2f} to {estimate.high:{sign}.2f})"
