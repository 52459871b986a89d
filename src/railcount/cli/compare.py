"""``railcount compare``: a count against the site's last five years."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import click

from railcount.baseline import LEVELS
from railcount.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from railcount.baseline import Comparison, Observation
    from railcount.counts import Interval
    from railcount.sites import Site

FAIL_LEVELS = tuple(level for level in LEVELS if level != "insufficient_history")
MAX_COUNT = 1_000_000

_COUNT = click.IntRange(0, MAX_COUNT)
_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option("--site", "site_name", required=True, metavar="NAME|FILE", help="Site, such as tumangang.")
@click.option(
    "--date", "day", required=True, type=_DAY, metavar="YYYY-MM-DD", help="Day of the image, local time."
)
@click.option(
    "--count", "best", required=True, type=_COUNT, metavar="N", help="Railcars, without locomotives."
)
@click.option("--low", type=_COUNT, metavar="L", help="Low end of the count's 90 % interval; N if not given.")
@click.option(
    "--high", type=_COUNT, metavar="H", help="High end of the count's 90 % interval; N if not given."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
    help="What is printed.",
)  # fmt: skip
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_LEVELS),
    metavar="LEVEL",
    help=f"Exit with 4 where the count reaches LEVEL: {', '.join(FAIL_LEVELS)}.",
)
@options.verbosity
@click.pass_context
def compare(  # noqa: PLR0917
    ctx: click.Context,
    site_name: str,
    day: datetime,
    best: int,
    low: int | None,
    high: int | None,
    form: str,
    fail_on: str | None,
) -> None:
    """Set a count against what the site has shown in the five years before.

    Prints the level (unprecedented, record, elevated, normal, quiet or insufficient_history), why,
    and every observation of the window, used or not.

    \b
    Examples:
      railcount compare --site tumangang --date 2023-10-05 --count 73
      railcount compare --site tumangang --date 2024-07-01 --count 73 --low 70 --high 76
    """
    from railcount import sites
    from railcount.counts import Interval

    count = Interval(best=best, low=best if low is None else low, high=best if high is None else high)
    if not count.low <= count.best <= count.high:
        raise click.UsageError(f"--low {count.low} --count {best} --high {count.high} are not in order")
    site = sites.load(site_name)
    on = day.date()
    comparison = site.compare(count, acquired=on)
    if form == "json":
        document = _document(site, on, count, comparison)
        options.print_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        lines = _table(site, on, count, comparison, width=options.terminal_width())
        options.print_text("\n".join(lines) + "\n")
    if fail_on is not None and LEVELS.index(comparison.level) >= LEVELS.index(fail_on):
        from railcount.cli.main import EXIT_FAIL_ON

        ctx.exit(EXIT_FAIL_ON)


def _document(site: Site, day: date, count: Interval, comparison: Comparison) -> dict[str, Any]:
    from railcount import __version__

    ratio = comparison.ratio_to_max
    return {
        "schema_version": 1,
        "railcount_version": __version__,
        "site": site.name,
        "date": day.isoformat(),
        "railcars": {"best": count.best, "low": count.low, "high": count.high, "level": count.level},
        "comparison": {
            "baseline": comparison.baseline,
            "window": [one.isoformat() for one in comparison.window],
            "n": comparison.n,
            "max": comparison.max,
            "median": comparison.median,
            "ratio_to_max": None if ratio is None else round(ratio, 2),
            "level": comparison.level,
            "why": comparison.why,
        },
        "observations": [_as_json(one) for one in comparison.observations],
        "not_used": [{**_as_json(one), "reason": reason} for one, reason in comparison.not_used],
        "caveats": list(_caveats(site, day)),
    }


def _as_json(one: Observation) -> dict[str, Any]:
    return {
        "first": one.first.isoformat(),
        "last": one.last.isoformat(),
        "statement": one.statement,
        "zone": one.zone,
        "unit": one.unit,
        "low": one.low,
        "best": one.best,
        "high": one.high,
        "qualifier": one.qualifier,
        "sensor": one.sensor,
        "source": one.source,
        "url": one.url,
        "method": one.method,
        "notes": one.notes,
    }


def _caveats(site: Site, day: date) -> Iterable[str]:
    yield from site.caveats
    for occluder in site.occluders_on(day):
        size = f"{occluder.length_m:g} m x {occluder.width_m:g} m"
        yield f"{occluder.title} ({size}, since {occluder.since}): what stands under it is not seen."


def _table(site: Site, day: date, count: Interval, comparison: Comparison, *, width: int) -> list[str]:
    from railcount.text import escape

    def fold(text: str, indent: str = "", more: str = "") -> list[str]:
        # A narrow terminal still gets words: below 40 columns the lines are longer than it is.
        return textwrap.wrap(
            escape(text), max(width, 40), initial_indent=indent, subsequent_indent=more or indent,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip

    interval = f" ({count.low}-{count.high})" if count.low < count.high else ""
    level = comparison.level.replace("_", " ")
    lines = fold(f"{count.best}{interval} railcars at {site.title} on {day}: {level}")
    lines += ["", *fold(comparison.why), ""]
    lines += _figures(comparison)
    lines += [
        "",
        "Rests on" if comparison.observations else "Rests on nothing: no usable count in the window.",
    ]
    for one in comparison.observations:
        lines += fold(f"{one.when}  {_number(one)}, {_origin(one)}", "  ", "      ")
    if comparison.not_used:
        lines += ["", "In the window, not used"]
        for one, reason in comparison.not_used:
            number = f"{_number(one)}, " if one.has_count else ""
            lines += fold(f"{one.when}  {number}{_origin(one)}: {reason}", "  ", "      ")
    caveats = list(_caveats(site, day))
    if caveats:
        lines += ["", "Bear in mind"]
        for caveat in caveats:
            lines += fold(caveat, "  ", "  ")
    return lines


def _figures(comparison: Comparison) -> list[str]:
    ratio, median = comparison.ratio_to_max, comparison.median
    figures = [
        ("window", f"{comparison.window[0]} to {comparison.window[1]}"),
        ("maximum", "none" if comparison.max is None else f"{comparison.max}"),
        ("ratio", "none" if ratio is None else f"{ratio:.2f} x the maximum"),
        ("median", "none" if median is None else f"{median:g} of {comparison.n_dated} dated counts"),
    ]
    return [f"{label:<8} {text}" for label, text in figures]


def _number(one: Observation) -> str:
    """``73 (70-73) cars ("about")``, the number alone where all three are equal."""
    known = [n for n in (one.low, one.best, one.high) if n is not None]
    if not known:
        return "not counted"
    if one.statement == "period_maximum":
        text = f"maximum {one.most}"
    elif known[0] == known[-1]:
        text = f"{known[0]}"
    else:
        text = f"{one.most} ({known[0]}-{known[-1]})"
    words = {"cars": "cars", "set": "cars of a set", "trains": "trains", "metres": "m"}[one.unit]
    if set(known) == {1} and one.unit in {"cars", "trains"}:
        words = words[:-1]
    return f"{text} {words}" + (f' ("{one.qualifier}")' if one.qualifier else "")


def _origin(one: Observation) -> str:
    parts = [one.zone or "", one.source, one.sensor]
    return ", ".join(part for part in parts if part)
