"""A history as a table, rows, JSON and GeoJSON; long ones in pieces, since an archive does not end."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from railcount import __version__
from railcount.counts import Interval
from railcount.errors import InputError
from railcount.outputs.batch import pass_dict, result_dict
from railcount.outputs.columns import car_cells, history_car
from railcount.outputs.csv import defuse
from railcount.outputs.json import rounded, to_line
from railcount.outputs.observations import as_json, number, origin
from railcount.outputs.text import credit_line, plain, time_text
from railcount.review import review_of
from railcount.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from railcount.history import StoredCount, Summary
    from railcount.observation import PassCount
    from railcount.records import CarRecord
    from railcount.review import Decision, Review

_BOUNDS = ("best", "low", "high")
COLUMNS = (
    *("pass", "day", "acquired", "site", "zone", "status", "simulated"),
    *(f"railcars_{bound}" for bound in _BOUNDS),
    *(f"hand_{bound}" for bound in _BOUNDS),
    *("hand_who", "hand_why"),
    *(f"locomotives_{bound}" for bound in _BOUNDS),
    *("trains", "occupied_m", "length_m", "visible_fraction", "tiles_n", "first_tile", "sensor", "credit"),
    *("reasons", "key"),
)
"""Of a row a pass. Empty is unknown, never 0. railcars: the machine's count; hand: the analyst's."""
INTEGERS = frozenset(
    ("trains", "tiles_n", *(f"{name}_{b}" for name in ("railcars", "hand", "locomotives") for b in _BOUNDS))
)
COUNT_COLUMNS = (
    *("count", "site", "first", "last", "statement", "zone", "unit", "low", "best", "high", "qualifier"),
    *("sensor", "source", "url", "method", "pass", "visible_fraction", "simulated", "notes"),
    *("who", "at", "why"),
)
"""Of a row a published or hand count."""
FLOATS = frozenset({"occupied_m", "length_m", "visible_fraction"})


def row(one: Summary) -> dict[str, Any]:
    """One pass's cells by column, texts escaped."""
    hand = one.hand.observation if one.hand else None
    cells: dict[str, Any] = {
        "pass": one.id,
        "day": None if one.day is None else one.day.isoformat(),
        "acquired": time_text(one),
        "site": one.site,
        "zone": one.zone,
        "status": one.status,
        "simulated": "yes" if one.simulated else "no",
        "hand_who": one.hand.who if one.hand else None,
        "hand_why": one.hand.why if one.hand else None,
        "trains": one.trains,
        "occupied_m": rounded(one.occupied_m, 1),
        "length_m": rounded(one.length_m, 1),
        "visible_fraction": rounded(one.visible_fraction, 3),
        "tiles_n": one.n_tiles,
        "first_tile": one.first_tile,
        "sensor": one.sensor,
        "credit": credit_line(one),
        "reasons": " | ".join(one.reasons),
        "key": one.key,
    }
    for name, numbers in (("railcars", one.railcars), ("hand", hand), ("locomotives", one.locomotives)):
        cells |= {f"{name}_{bound}": getattr(numbers, bound, None) for bound in _BOUNDS}
    cells = {name: cells[name] for name in COLUMNS}
    return {name: escape(value) if isinstance(value, str) else value for name, value in cells.items()}


def count_row(one: StoredCount) -> dict[str, Any]:
    """One published or hand count's cells by column."""
    cells = {
        "count": one.id,
        "site": plain(one.site),
        **as_json(one.observation),
        "who": plain(one.who),
        "at": None if one.at is None else one.at.isoformat(),
        "why": plain(one.why),
    }
    cells["pass"] = cells.pop("id")
    cells = {name: cells[name] for name in COUNT_COLUMNS}
    return {name: escape(value) if isinstance(value, str) else value for name, value in cells.items()}


def write_csv(rows: Iterable[dict[str, Any]], out: TextIO, *, columns: Iterable[str]) -> None:
    """A header and the rows, safe to open in a spreadsheet."""
    writer = csv.DictWriter(out, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    for cells in rows:
        writer.writerow({name: _cell(value) for name, value in cells.items()})


def _cell(value: Any) -> Any:
    """A value for a spreadsheet: yes and no as in the other columns, text that is no formula."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return defuse(value) if isinstance(value, str) else value


def detail(
    summary: Summary,
    one: PassCount,
    counts: Iterable[StoredCount],
    decisions: Sequence[Decision] = (),
) -> dict[str, Any]:
    """Everything about a pass: tiles, cars, reasons, credit, hand counts, what a review came to."""
    told = pass_dict(one, None)
    told.pop("comparison")
    tiles = [result_dict(tile) for tile in one.tiles]
    for tile in tiles:
        tile.pop("comparison")
    return {
        **told,
        "day": None if summary.day is None else summary.day.isoformat(),
        "simulated": one.simulated,
        "key": summary.key,
        "hand": None if summary.hand is None else count_row(summary.hand),
        "counts": [count_row(stored) for stored in counts],
        "review": _review(review_of(one, decisions)) if decisions else None,
        "tiles": tiles,
        "cars": [{**car_cells(car), "ring": [list(point) for point in car.ring]} for car in one.cars],
    }


def _review(review: Review) -> dict[str, Any]:
    last = review.last
    return {
        "railcars": review.railcars,
        "decisions": review.n_decisions,
        "unused": review.n_unused,
        "outlines": review.tally,
        "last_who": plain(last.who) if last else None,
        "last_at": last.at.isoformat() if last and last.at else None,
    }


def review_words(review: Review) -> str:
    """``72 railcars after 14 decisions: 11 accepted, 2 rejected, 1 added``."""
    cars = "railcar" if review.railcars == 1 else "railcars"
    decisions = "decision" if review.n_decisions == 1 else "decisions"
    text = f"{review.railcars} {cars} after {review.n_decisions} {decisions}"
    if review.tally:
        text += ": " + ", ".join(f"{n} {word}" for word, n in review.tally.items())
    if review.n_unused:
        text += f"; {review.n_unused} about cars that a later count does not have"
    return text


def _review_line(review: Review, hand: StoredCount | None) -> str:
    text, last = review_words(review), review.last
    if last is not None and last.who:
        text += f"; last by {last.who}"
    if last is not None and last.at:
        text += f" at {last.at.isoformat()}"
    if hand is None:
        return f"{text}; not entered as the count"
    return (
        text if hand.observation.best == review.railcars else f"{text}; {by_hand(hand)} was entered instead"
    )


class OneFrame:
    """Passes through passes whose places are all in degrees or all in pixels."""

    def __init__(self) -> None:
        self.pixels: bool | None = None
        """None until a pass has a place."""

    def __call__(self, passes: Iterable[PassCount]) -> Iterator[PassCount]:
        """The passes; InputError at the first that does not fit those before it."""
        for one in passes:
            frames = {tile.crs is None for tile in one.tiles if tile.footprint}
            frames |= set() if self.pixels is None else {self.pixels}
            if len(frames) > 1:
                raise InputError(
                    f"some tiles up to pass {escape(one.id)} have a CRS and some have none, and one file "
                    "cannot hold degrees and pixels; choose with --site, --since and --until"
                )
            self.pixels = next(iter(frames), None)
            yield one


def geojson_pieces(passes: Iterable[PassCount]) -> Iterator[str]:
    """The cars of all passes as GeoJSON (RFC 7946), piece by piece.

    Raises InputError where some passes have a CRS and some have none.
    """
    yield f'{{\n"type": "FeatureCollection",\n"railcount_version": {to_line(__version__)},\n"features": ['
    frame, between = OneFrame(), "\n"
    for one in frame(passes):
        for car in one.cars:
            yield f"{between}{to_line(_feature(one, car))}"
            between = ",\n"
    name = "pixel, x right, y down" if frame.pixels else "WGS 84 lon/lat"
    yield f'\n],\n"coordinate_frame": {to_line(name)}\n}}\n'


def _feature(one: PassCount, car: CarRecord) -> dict[str, Any]:
    ring = counter_clockwise(car.ring)
    closed = [list(point) for point in (*ring, ring[0])]
    return {
        "type": "Feature",
        "properties": history_car(one, car),
        "geometry": {"type": "Polygon", "coordinates": [closed]},
    }


def counter_clockwise(ring: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Corners in the order that has positive area, the first corner kept."""
    x0, y0 = ring[0]
    # Relative to a corner: in degrees a car is 1e-8 of the whole.
    near = [(x - x0, y - y0) for x, y in ring]
    twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(near, [*near[1:], near[0]], strict=True))
    return ring if twice_area >= 0 else (ring[0], *ring[:0:-1])


def table(summaries: Iterable[Summary]) -> str:
    """A line a pass: day, site, count, hand count, status, tiles, the pass's name. A hand count in use
    stands beside the machine's."""
    header = ("day", "site", "railcars", "by hand", "status", "tiles", "pass")
    lines = [header, *(_cells(one) for one in summaries)]
    if len(lines) == 1:
        return "no passes\n"
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    return "".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def _cells(one: Summary) -> tuple[str, ...]:
    return (
        "no date" if one.day is None else one.day.isoformat(),
        escape(one.site or "-"),
        range_text(one.railcars),
        "-" if one.hand is None else by_hand(one.hand),
        one.status,
        str(one.n_tiles),
        escape(one.id) + (" (simulated)" if one.simulated else ""),
    )


def by_hand(hand: StoredCount) -> str:
    """The numbers of a hand count."""
    one = hand.observation
    if one.best is None or one.low is None or one.high is None:
        return number(one)
    return range_text(Interval(best=one.best, low=one.low, high=one.high))


def entered_words(hand: StoredCount) -> str:
    """A hand count with who, when and why: ``entered as 72 (70-74) by Ana at 2026-...: by eye``."""
    text = f"entered as {by_hand(hand)}"
    text += f" by {hand.who}" if hand.who else ""
    text += f" at {hand.at.isoformat()}" if hand.at else ""
    return f"{text}: {hand.why}" if hand.why else text


def range_text(interval: Interval | None) -> str:
    """``72 (70-74)``, the number alone where both ends are equal; ``no count``."""
    if interval is None:
        return "no count"
    if interval.low == interval.high:
        return str(interval.best)
    return f"{interval.best} ({interval.low}-{interval.high})"


def counts_table(counts: Iterable[StoredCount]) -> str:
    """A line a published or hand count."""
    lines = [f"{_count_line(one)}\n" for one in counts]
    return "".join(lines) or "no published or hand counts\n"


def _count_line(one: StoredCount) -> str:
    observed = one.observation
    entered = [
        f"by {one.who}" if one.who else "",
        f"at {one.at.isoformat()}" if one.at else "",
        one.why or "",
    ]
    parts = [
        f"count-{one.id}",
        observed.when,
        one.site or "-",
        observed.method,
        f"{number(observed)}, {origin(observed)}",
        f"of pass {observed.id}" if observed.id else "",
        f"[{', '.join(filter(None, entered))}]" if any(entered) else "",
    ]
    return escape("  ".join(part for part in parts if part))


def card(
    summary: Summary,
    one: PassCount,
    counts: Iterable[StoredCount],
    decisions: Sequence[Decision] = (),
) -> str:
    """Everything about a pass for people, without its cars one by one."""
    facts = [
        ("acquired", time_text(one) or "no date"),
        ("day", "-" if summary.day is None else f"{summary.day} at the site"),
        ("site", one.site or "-"),
        ("zone", one.zone or "-"),
        ("sensor", one.sensor or "-"),
        ("status", one.status),
        ("railcars", range_text(one.railcars)),
        ("by hand", "-" if summary.hand is None else f"{by_hand(summary.hand)}, in place of the machine's"),
        *([("review", _review_line(review_of(one, decisions), summary.hand))] if decisions else []),
        ("engines", range_text(one.locomotives)),
        ("kinds", ", ".join(f"{n} {kind}" for kind, n in sorted(one.by_type.items())) or "-"),
        ("trains", "-" if one.trains is None else str(one.trains)),
        ("occupied", "-" if one.occupied_m is None else f"{one.occupied_m:.0f} m of track"),
        ("seen", _seen(one)),
        ("credit", credit_line(one) or "-"),
        ("key", summary.key),
    ]
    lines = [escape(one.id) + (" (simulated)" if one.simulated else "")]
    lines += [f"  {label:<9} {escape(text)}" for label, text in facts]
    lines += [f"  reason    {escape(reason)}" for reason in one.reasons]
    lines += [f"  count     {_count_line(stored)}" for stored in counts]
    for tile in one.tiles:
        lines.append(f"  tile      {escape(tile.tile)}: {tile.status}, {range_text(tile.railcars)}")
        lines += [f"              {escape(words)}" for words in (*tile.reasons, *tile.doubts)]
        lines.append(f"              sha256 {tile.sha256}")
    return "\n".join(lines) + "\n"


def _seen(one: PassCount) -> str:
    if one.visible_fraction is None:
        return f"{one.length_m:.0f} m of track"
    return f"{one.visible_fraction:.0%} of {one.length_m:.0f} m of track"
