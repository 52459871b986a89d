"""``railcount compare``: a count against the site's last five years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from railcount.baseline import LEVELS
from railcount.cli import options, past

if TYPE_CHECKING:
    from datetime import date

    from railcount.baseline import Comparison
    from railcount.counts import Interval
    from railcount.sites import Site

FAIL_LEVELS = tuple(level for level in LEVELS if level != "insufficient_history")
MAX_COUNT = 1_000_000

_COUNT = options.WholeNumber(0, MAX_COUNT)


@click.command(cls=options.Command)
@click.option("--site", "site_name", required=True, type=options.SITE, help="Site, such as tumangang.")
@click.option("--date", "day", required=True, type=options.DateType(), help="Day of the image, local time.")
@click.option(
    "--count", "best", required=True, type=_COUNT, metavar="N", help="Railcars, without locomotives."
)
@click.option("--low", type=_COUNT, metavar="L", help="Low end of the count's 90 % interval; N if not given.")
@click.option(
    "--high", type=_COUNT, metavar="H", help="High end of the count's 90 % interval; N if not given."
)
@options.form("table", "json")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_LEVELS),
    metavar="LEVEL",
    help=f"Exit with 4 where the count reaches LEVEL: {', '.join(FAIL_LEVELS)}.",
)
@past.window
@past.season
@past.history
@options.verbosity
@click.pass_context
def compare(  # noqa: PLR0917
    ctx: click.Context,
    site_name: str,
    day: date,
    best: int,
    low: int | None,
    high: int | None,
    form: str,
    fail_on: str | None,
    window: str,
    season: bool,
    history: str | None,
) -> None:
    """Set a count against what the site has shown in the years before.

    The site's published counts are used, and with --history what railcount measured there, too.

    Prints the level (unprecedented, record, elevated, normal, quiet or insufficient_history), why,
    and every observation of the window, used or not.

    \b
    Examples:
      railcount compare --site tumangang --date 2023-10-05 --count 73
      railcount compare --site tumangang --date 2024-07-01 --count 73 --low 70 --high 76
      railcount compare --site tumangang --date 2024-12-10 --count 90 --window 2y --season
    """
    from railcount import sites
    from railcount.counts import Interval
    from railcount.outputs.json import to_text

    count = Interval(best=best, low=best if low is None else low, high=best if high is None else high)
    if not count.low <= count.best <= count.high:
        raise click.UsageError(
            f"--low must not exceed --count, nor --count --high; got {count.low}, {best} and {count.high}"
        )
    site = sites.load(site_name)
    comparison = site.compare(
        count,
        acquired=day,
        extra=past.read(history, site).observations if history is not None else (),
        window=past.window_of(window, season=season),
    )
    if form == "json":
        options.print_text(to_text(_document(site, day, count, comparison)))
    else:
        lines = _table(site, day, count, comparison, width=options.terminal_width())
        options.print_text("\n".join(lines) + "\n")
    if fail_on is not None and LEVELS.index(comparison.level) >= LEVELS.index(fail_on):
        from railcount.cli.main import EXIT_FAIL_ON

        ctx.exit(EXIT_FAIL_ON)


def _document(site: Site, day: date, count: Interval, comparison: Comparison) -> dict[str, Any]:
    from railcount import __version__
    from railcount.outputs.observations import as_json, comparison_json, interval_json

    return {
        "schema_version": 1,
        "railcount_version": __version__,
        "site": site.name,
        "date": day.isoformat(),
        "railcars": {**interval_json(count), "level": None},  # nobody said with which probability
        "comparison": comparison_json(comparison),
        "observations": [as_json(one) for one in comparison.observations],
        "not_used": [{**as_json(one), "reason": reason} for one, reason in comparison.not_used],
        "caveats": list(site.caveats_on(day)),
    }


def _table(site: Site, day: date, count: Interval, comparison: Comparison, *, width: int) -> list[str]:
    from railcount.outputs.observations import Folder, listed

    fold = Folder(width)
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
        made = "" if one.method == "published" else f" [{one.method}]"
        lines += fold(f"{listed(one)}{made}", "  ", "      ")
    if comparison.not_used:
        lines += ["", "In the window, not used"]
        for one, reason in comparison.not_used:
            lines += fold(listed(one, reason=reason), "  ", "      ")
    if caveats := site.caveats_on(day):
        lines += ["", "Bear in mind"]
        for caveat in caveats:
            lines += fold(caveat, "  ", "  ")
    return lines


def _figures(comparison: Comparison) -> list[str]:
    ratio, median, n = comparison.ratio_to_max, comparison.median, comparison.n_dated
    figures = [
        ("window", f"{comparison.window[0]} to {comparison.window[1]}"),
        ("maximum", "none" if comparison.max is None else f"{comparison.max}"),
        ("ratio", "none" if ratio is None else f"{ratio:.2f} x the maximum"),
        ("median", "none" if median is None else f"{median:g} of {n} dated count{'s' if n != 1 else ''}"),
    ]
    return [f"{label:<8} {text}" for label, text in figures]
