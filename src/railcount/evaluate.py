"""How good a count is, against outlines known to be true.

What is compared: railcars with railcars. Locomotives are taken out on both sides first, so a railcar
predicted on a true locomotive is false, and a railcar predicted as a locomotive is a miss.

What is ignored: a true vehicle of which the image shows less than half (``visible_fraction``) can
neither be missed nor found. A prediction that belongs to it is taken out too: one whose area lies to
at least half on the ignored outline and that is no match (IoU 0.3) of a counted railcar. Each ignored
outline excuses one prediction; a second one on it is false.

What is kept apart: a prediction that says it has no count (refused, uncountable ...) is no count of 0.
It takes no part in any figure; how many there are, and how many true railcars they held, is told. A count
by occupied length has a total but no outlines: it takes part in the errors of the count alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import beta, t

from railcount.errors import InputError
from railcount.outlines import Outline, read, to_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.counts import Interval

IOUS = (0.3, 0.5)
"""Thresholds reported: 0.3 says that the car was found, 0.5 that it was outlined as well."""
MIN_VISIBLE_FRACTION = 0.5
CONFIDENCE = 0.95
"""Of the intervals for the mean error, the bias and the coverage."""


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Which prediction is which truth, one to one."""

    pairs: tuple[tuple[int, int, float], ...]
    """(index of the prediction, index of the truth, IoU), in the order of the predictions."""
    unmatched_predicted: tuple[int, ...]
    unmatched_truth: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Found, false and missed at one threshold."""

    min_iou: float
    n_matched: int
    n_false: int
    n_missed: int

    @property
    def precision(self) -> float | None:
        """Share of the predictions that are true; None without predictions."""
        return _share(self.n_matched, self.n_matched + self.n_false)

    @property
    def recall(self) -> float | None:
        """Share of the truth that was found; None without truth."""
        return _share(self.n_matched, self.n_matched + self.n_missed)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where both sides are empty."""
        return _share(2 * self.n_matched, 2 * self.n_matched + self.n_false + self.n_missed)


@dataclass(frozen=True, kw_only=True)
class Score:
    """One image."""

    name: str
    n_predicted: int
    """Railcars, without the ignored ones; the total where the prediction has one but no outlines."""
    n_truth: int
    n_ignored: int
    """True railcars left out because the image shows less than half of them."""
    agreements: tuple[Agreement, ...]
    """In the order of IOUS; empty where the prediction has no outlines to set against the truth."""
    interval: Interval | None = None
    """The interval that came with the prediction."""
    no_count: str | None = None
    """Why the prediction holds no count, where it says so; then ``n_predicted`` is 0 and means nothing."""
    n_tiles_without_count: int = 0
    """Tiles of the prediction that were not counted while others were: their cars are missed."""

    @property
    def count_error(self) -> int | None:
        """Predicted less true; positive where too many were counted. None without a count."""
        return None if self.no_count is not None else self.n_predicted - self.n_truth

    @property
    def covered(self) -> bool | None:
        """True where the interval holds the truth; an ignored car may be counted or not.

        None without an interval.
        """
        if self.interval is None:
            return None
        return self.interval.low <= self.n_truth + self.n_ignored and self.n_truth <= self.interval.high


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure over many images with its 95 % interval; the ends are None with fewer than two images."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Many images; all but the last two figures are of those with a count."""

    n_images: int
    n_predicted: int
    n_truth: int
    agreements: tuple[Agreement, ...]
    """Over the cars of all images together, not the mean of the images."""
    mean_absolute_error: Estimate | None
    """Cars per image; Student's t, cut at 0. None without images."""
    bias: Estimate | None
    """Mean of predicted less true, cars per image; Student's t."""
    n_intervals: int
    """Images whose prediction came with an interval."""
    coverage: Estimate | None
    """Share of those intervals that hold the truth; Clopper-Pearson. None without intervals."""
    n_uncounted: int
    """Images whose prediction holds no count."""
    n_truth_uncounted: int
    """True railcars in those."""


def match(
    predicted: Sequence[shapely.Geometry], truth: Sequence[shapely.Geometry], *, min_iou: float
) -> Matching:
    """The best one-to-one matching of polygons of one metric plane.

    Only pairs with IoU >= ``min_iou`` may match. Of all matchings the one with the most pairs is
    taken, and among those the one with the largest sum of IoU. Raises InputError unless
    0 < ``min_iou`` <= 1.
    """
    if not 0.0 < min_iou <= 1.0:
        raise InputError(f"min_iou must lie above 0 and at most at 1, got {min_iou}")
    rows, columns, iou = _candidates(predicted, truth)
    keep = iou >= min_iou
    pairs = _assign(rows[keep], columns[keep], iou[keep], shape=(len(predicted), len(truth)))
    matched_rows, matched_columns = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    return Matching(
        pairs=pairs,
        unmatched_predicted=tuple(i for i in range(len(predicted)) if i not in matched_rows),
        unmatched_truth=tuple(j for j in range(len(truth)) if j not in matched_columns),
    )


def score(
    predicted: Sequence[Outline],
    truth: Sequence[Outline],
    *,
    name: str = "",
    interval: Interval | None = None,
) -> Score:
    """Score one image; see the module's text for locomotives and for what is ignored."""
    counted = [o.polygon for o in truth if not o.locomotive and o.visible_fraction >= MIN_VISIBLE_FRACTION]
    ignored = [o for o in truth if o.visible_fraction < MIN_VISIBLE_FRACTION]
    cars = [o.polygon for o in predicted if not o.locomotive]
    excused = _excused(cars, counted, [o.polygon for o in ignored])
    cars = [car for number, car in enumerate(cars) if number not in excused]
    agreements = []
    for min_iou in IOUS:
        matching = match(cars, counted, min_iou=min_iou)
        agreements.append(
            Agreement(
                min_iou=min_iou,
                n_matched=len(matching.pairs),
                n_false=len(matching.unmatched_predicted),
                n_missed=len(matching.unmatched_truth),
            )
        )
    return Score(
        name=name,
        n_predicted=len(cars),
        n_truth=len(counted),
        n_ignored=sum(not o.locomotive for o in ignored),
        agreements=tuple(agreements),
        interval=interval,
    )


def score_files(predicted: str | Path, truth: str | Path, *, pixels: bool | None = None) -> Score:
    """Score one GeoJSON file against another; ``pixels`` as in `railcount.outlines.read`.

    The interval is the top-level member ``railcars`` of the predicted file, where there is one.
    Raises MissingInput and InputError.
    """
    predicted_file, truth_file = read(predicted, pixels=pixels), read(truth, pixels=pixels)
    predicted_outlines, truth_outlines = to_plane(predicted_file, truth_file)
    total = predicted_file.railcars
    one = score(predicted_outlines, truth_outlines, name=Path(truth).stem, interval=total)
    one = replace(one, n_tiles_without_count=predicted_file.n_tiles_without_count)
    if predicted_file.no_count is not None:
        return replace(one, no_count=predicted_file.no_count, agreements=(), interval=None, n_predicted=0)
    if not predicted_file.outlined and not predicted_outlines and total is not None:
        return replace(one, agreements=(), n_predicted=total.best)
    return one


def pair_folders(
    predicted: str | Path, truth: str | Path
) -> tuple[tuple[tuple[Path, Path], ...], tuple[Path, ...], tuple[Path, ...]]:
    """GeoJSON files of two folders by path and stem, in order of name.

    Returns (pairs of predicted and truth, predictions without truth, truths without prediction).
    Raises InputError where a folder is missing or no file has a partner.
    """
    found = []
    for folder in (Path(predicted), Path(truth)):
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder")
        files = sorted(path for path in folder.rglob("*.geojson") if path.is_file())
        found.append({path.relative_to(folder): path for path in files})
    ours, theirs = found
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        raise InputError(f"no .geojson file of {predicted} has the name of one in {truth}")
    return (
        tuple((ours[name], theirs[name]) for name in both),
        tuple(ours[name] for name in sorted(ours.keys() - theirs.keys())),
        tuple(theirs[name] for name in sorted(theirs.keys() - ours.keys())),
    )


def summarise(scores: Sequence[Score]) -> Summary:
    """What many images say together. Intervals take the images as independent draws."""
    apart = [one for one in scores if one.no_count is not None]
    scores = [one for one in scores if one.no_count is None]
    outlined = [one for one in scores if one.agreements]
    errors = np.array([one.count_error for one in scores], dtype=np.float64)
    covered = [one.covered for one in scores if one.covered is not None]
    agreements = tuple(
        Agreement(
            min_iou=min_iou,
            n_matched=sum(one.agreements[k].n_matched for one in outlined),
            n_false=sum(one.agreements[k].n_false for one in outlined),
            n_missed=sum(one.agreements[k].n_missed for one in outlined),
        )
        for k, min_iou in enumerate(IOUS)
    )
    return Summary(
        n_images=len(scores),
        n_predicted=sum(one.n_predicted for one in scores),
        n_truth=sum(one.n_truth for one in scores),
        agreements=agreements,
        mean_absolute_error=_mean(np.abs(errors), floor=0.0),
        bias=_mean(errors, floor=-math.inf),
        n_intervals=len(covered),
        coverage=_proportion(sum(covered), len(covered)),
        n_uncounted=len(apart),
        n_truth_uncounted=sum(one.n_truth for one in apart),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _candidates(
    predicted: Sequence[shapely.Geometry], truth: Sequence[shapely.Geometry]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Pairs that touch: index of the prediction, index of the truth, IoU."""
    a, b = np.array(predicted, dtype=object), np.array(truth, dtype=object)
    if not len(a) or not len(b):
        none = np.zeros(0, dtype=np.intp)
        return none, none, np.zeros(0)
    columns, rows = shapely.STRtree(a).query(b, predicate="intersects")
    common = shapely.area(shapely.intersection(a[rows], b[columns]))
    union = shapely.area(a[rows]) + shapely.area(b[columns]) - common
    return rows, columns, common / union


def _assign(
    rows: NDArray[np.intp], columns: NDArray[np.intp], gain: NDArray[np.float64], *, shape: tuple[int, int]
) -> tuple[tuple[int, int, float], ...]:
    """Most pairs first, then the largest sum of gain (each at most 1), exactly.

    The candidates fall apart into small groups of overlapping outlines; each is solved densely.
    """
    n_rows, n_columns = shape
    if not len(rows):
        return ()
    n_nodes = n_rows + n_columns
    graph = coo_array((np.ones(len(rows)), (rows, columns + n_rows)), shape=(n_nodes, n_nodes))
    _, label = connected_components(graph, directed=False)
    group = label[rows]
    order = np.argsort(group, kind="stable")
    pairs = []
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        own_rows, i = np.unique(rows[members], return_inverse=True)
        own_columns, j = np.unique(columns[members], return_inverse=True)
        # One more pair must outweigh every sum of gains, hence the group's size; no candidate is 0.
        size = min(len(own_rows), len(own_columns))
        weight = np.zeros((len(own_rows), len(own_columns)))
        weight[i, j] = size + 1.0 + gain[members]
        value = np.zeros_like(weight)
        value[i, j] = gain[members]
        for r, c in zip(*linear_sum_assignment(weight, maximize=True), strict=True):
            if weight[r, c] > 0.0:
                pairs.append((int(own_rows[r]), int(own_columns[c]), float(value[r, c])))
    return tuple(sorted(pairs))


def _excused(
    cars: Sequence[shapely.Geometry],
    counted: Sequence[shapely.Geometry],
    ignored: Sequence[shapely.Geometry],
) -> set[int]:
    """Predictions that belong to an ignored outline."""
    matched = {pair[0] for pair in match(cars, counted, min_iou=IOUS[0]).pairs}
    free = [number for number in range(len(cars)) if number not in matched]
    if not free or not ignored:
        return set()
    a, b = np.array([cars[k] for k in free], dtype=object), np.array(ignored, dtype=object)
    columns, rows = shapely.STRtree(a).query(b, predicate="intersects")
    inside = shapely.area(shapely.intersection(a[rows], b[columns])) / shapely.area(a[rows])
    keep = inside >= 0.5
    pairs = _assign(rows[keep], columns[keep], np.minimum(inside[keep], 1.0), shape=(len(a), len(b)))
    return {free[pair[0]] for pair in pairs}


def _mean(values: NDArray[np.float64], *, floor: float) -> Estimate | None:
    if not len(values):
        return None
    mean = float(values.mean())
    if len(values) < 2:
        return Estimate(value=mean, low=None, high=None)
    error_of_mean = float(values.std(ddof=1)) / len(values) ** 0.5
    half = float(t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1)) * error_of_mean
    return Estimate(value=mean, low=max(mean - half, floor), high=mean + half)


def _proportion(part: int, whole: int) -> Estimate | None:
    """Clopper and Pearson (1934): exact, so never too narrow with few images."""
    if not whole:
        return None
    tail = (1.0 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, part, whole - part + 1)) if part else 0.0
    high = float(beta.ppf(1.0 - tail, part + 1, whole - part)) if part < whole else 1.0
    return Estimate(value=part / whole, low=low, high=high)
