"""``railcount history``: look at what was counted, and take it elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from railcount.cli import history_edit, options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

    from railcount.history import History, StoredCount, Summary
    from railcount.observation import PassCount

SUFFIXES = (".csv", ".json", ".geojson", ".gpkg", ".parquet", ".stac.json")
FORMATS = ("table", "json", "csv")


@click.group(cls=options.Group)
@options.verbosity
def history() -> None:
    """Look at the history of counts, export it, and add published counts and your own.

    One SQLite file holds it: FILE of --history, else RAILCOUNT_HISTORY, else one in your data folder.

    \b
    Examples:
      railcount history list --site tumangang --since 2023-01-01
      railcount history show 2023-10-05
      railcount history export -o counts.csv
    """


def _in_order(ctx: click.Context, param: click.Parameter, since: date | None) -> date | None:
    """``--since``, looked at after ``--until``; a usage error where it is the later day."""
    until = ctx.params.get("until")
    if since is not None and until is not None and since > until:
        raise click.BadParameter(f"{since} is after --until {until}")
    return since


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    for made in (
        click.option("--until", type=options.DateType(), is_eager=True, help="Last day, local time."),
        click.option("--since", type=options.DateType(), callback=_in_order, help="First day, local time."),
        click.option("--site", type=options.SITE, help="Only passes of this site."),
        options.history,
    ):
        command = made(command)
    return command


@contextmanager
def _reading(path: str | None) -> Iterator[History]:
    from railcount.history import History

    with History.open(path, readonly=True) as opened:
        yield opened


def _site_name(site: str | None, opened: History | None) -> str | None:
    """The name under which a site's passes are kept: that in a site file, else the text itself.

    Raises MissingInput where neither a site nor the history is known by it.
    """
    if site is None:
        return None
    from railcount import sites
    from railcount.errors import MissingInput

    try:
        return sites.load(site).name
    except MissingInput as error:  # passes may be of a site that is gone
        if opened is None or not _holds(opened, site):
            raise
        options.note(str(error))
        return site


def _holds(opened: History, site: str) -> bool:
    """Whether the history has a pass or a count of a site of this name."""
    return any(True for _ in chain(opened.summaries(site=site), opened.counts(site=site)))


@history.command("list", short_help="List the passes by date, with both counts.")
@_chosen
@click.option("--counts", is_flag=True, help="List the published and hand counts instead.")
@options.form(*FORMATS)
@options.verbosity
def list_passes(
    *,
    history_path: str | None,
    site: str | None,
    since: date | None,
    until: date | None,
    counts: bool,
    form: str,
) -> None:
    """List the passes by date, with the machine's count and yours beside it.

    \b
    Example: railcount history list --site tumangang --format csv
    """
    from railcount.history import default_path

    if history_path is None and not default_path().exists():
        _site_name(site, None)
        options.note(f"no history yet at {default_path()}")
        _print_passes((), form=form) if not counts else _print_counts((), form=form)
        return
    with _reading(history_path) as opened:
        name = _site_name(site, opened)
        if counts:
            _print_counts(_in_time(opened.counts(site=name), since=since, until=until), form=form)
        else:
            _print_passes(opened.summaries(site=name, since=since, until=until), form=form)


def _in_time(
    counts: Iterable[StoredCount], *, since: date | None, until: date | None
) -> Iterator[StoredCount]:
    for one in counts:
        is_after = since is None or one.observation.last >= since
        if is_after and (until is None or one.observation.first <= until):
            yield one


def _print_passes(summaries: Iterable[Summary], *, form: str) -> None:
    from railcount.outputs import history as output

    if form == "table":
        options.print_text(output.table(summaries))
    else:
        _print_rows((output.row(one) for one in summaries), form=form, name="passes", columns=output.COLUMNS)


def _print_counts(counts: Iterable[StoredCount], *, form: str) -> None:
    from railcount.outputs import history as output

    if form == "table":
        options.print_text(output.counts_table(counts))
        return
    rows = (output.count_row(one) for one in counts)
    _print_rows(rows, form=form, name="counts", columns=output.COUNT_COLUMNS)


def _print_rows(rows: Iterable[dict[str, Any]], *, form: str, name: str, columns: Iterable[str]) -> None:
    import io

    from railcount.outputs import history as output
    from railcount.outputs.json import pieces

    if form == "json":
        for part in pieces(**{name: rows}):
            options.print_text(part)
        return
    out = io.StringIO()
    output.write_csv(rows, out, columns=columns)
    options.print_text(out.getvalue())


@history.command()
@click.argument("which", metavar="PASS|DATE")
@options.history
@options.form("table", "json")
@options.verbosity
def show(which: str, history_path: str | None, form: str) -> None:
    """Show all that is known of a pass, or of the passes of a day.

    Tiles, reasons, credit, parameters, hand counts and what a review came to; with --format json the
    cars too.

    \b
    Example: railcount history show 2023-10-05
    """
    from railcount.errors import InputError
    from railcount.outputs import history as output
    from railcount.outputs.json import pieces
    from railcount.raster.names import day_in

    day = day_in(which)
    chosen: dict[str, Any] = {"pass_id": which} if day is None else {"since": day, "until": day}
    with _reading(history_path) as opened:
        if day is None:
            stored = list(opened.counts(pass_id=which))
        else:
            stored = list(_in_time(opened.counts(), since=day, until=day))
        summaries = list(opened.summaries(**chosen))
        if not summaries and not stored:
            what = (
                f"no pass and no count of {day}" if day else f"no pass {which!r:.80}, which is no day either"
            )
            raise InputError(f"the history has {what}; 'railcount history list' shows what it has")
        passes = _with_cars(opened, summaries)
        others = [one for one in stored if not one.observation.id]
        decided = opened.reviews().decisions
        if form == "json":
            details = (output.detail(s, one, _of(stored, s), decided(s.id)) for s, one in passes)
            for part in pieces(passes=details, counts=map(output.count_row, others)):
                options.print_text(part)
            return
        blocks = [output.card(s, one, _of(stored, s), decided(s.id)) for s, one in passes]
        if others:
            blocks.append(output.counts_table(others))
        options.print_text("\n".join(blocks))


def _with_cars(opened: History, summaries: Iterable[Summary]) -> Iterator[tuple[Summary, PassCount]]:
    """Each line with its pass, one at a time; one that a batch removes meanwhile is left out."""
    for one in summaries:
        for whole in opened.passes(pass_id=one.id):
            yield one, whole


def _of(counts: Iterable[StoredCount], one: Summary) -> list[StoredCount]:
    return [stored for stored in counts if stored.observation.id == one.id]


@history.command()
@click.option(
    "-o", "--output", required=True, type=options.OUTPUT, metavar="FILE",
    help="To .csv (a row a pass), .json (all), .geojson (cars), .gpkg (cars, tracks, passes), "
    ".parquet (cars) or .stac.json (a STAC Item a pass).",
)  # fmt: skip
@_chosen
@options.overwrite
@options.verbosity
def export(
    *,
    output: str,
    history_path: str | None,
    site: str | None,
    since: date | None,
    until: date | None,
    overwrite: bool,
) -> None:
    """Write the passes to a file for other programs.

    \b
    Example: railcount history export -o counts.csv --site tumangang
    """
    from railcount.files import check_target
    from railcount.history import default_path

    if not output.lower().endswith(SUFFIXES):
        msg = f"it must end in {', '.join(SUFFIXES)}, not {Path(output).name!r}"
        raise click.BadParameter(msg, param_hint="--output")
    options.check_not_input(output, history_path or str(default_path()))
    check_target(output, overwrite=overwrite)
    with _reading(history_path) as opened:
        chosen = {"site": _site_name(site, opened), "since": since, "until": until}
        _export(opened, chosen, output, overwrite=overwrite)


def _export(opened: History, chosen: dict[str, Any], target: str, *, overwrite: bool) -> None:
    from railcount.files import replacing
    from railcount.outputs import history as output
    from railcount.outputs.json import pieces

    suffix = Path(target).suffix.lower()
    summaries = opened.summaries(**chosen)
    if suffix == ".gpkg":
        from railcount.outputs.history_vector import write_geopackage

        write_geopackage(summaries, opened.passes(**chosen), target, overwrite=overwrite)
        return
    if suffix == ".parquet":
        from railcount.outputs.parquet import write_passes

        write_passes(opened.passes(**chosen), target, overwrite=overwrite)
        return
    with (
        replacing(target, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        if suffix == ".csv":
            output.write_csv(map(output.row, summaries), file, columns=output.COLUMNS)
        elif target.lower().endswith(".stac.json"):
            from railcount.outputs.stac import item_pieces

            both = _with_cars(opened, summaries)
            file.writelines(item_pieces(both, folder=Path(target).parent))
        elif suffix == ".geojson":
            file.writelines(output.geojson_pieces(opened.passes(**chosen)))
        else:
            details = (
                output.detail(one, whole, opened.counts(pass_id=one.id), opened.reviews().decisions(one.id))
                for one, whole in _with_cars(opened, summaries)
            )
            counts = _in_time(
                opened.counts(site=chosen["site"]), since=chosen["since"], until=chosen["until"]
            )
            others = (output.count_row(one) for one in counts if not one.observation.id)
            file.writelines(pieces(passes=details, counts=others))


@history.command(short_help="Copy the history to one file.")
@click.argument("target", type=options.OUTPUT, metavar="FILE")
@options.history
@options.overwrite
@options.verbosity
def backup(target: str, history_path: str | None, overwrite: bool) -> None:
    """Copy the history to one file, whole or not at all, also while a batch is writing.

    \b
    Example: railcount history backup history_backup.sqlite
    """
    from railcount.history import default_path

    options.check_not_input(target, history_path or str(default_path()))
    with _reading(history_path) as opened:
        opened.backup(target, overwrite=overwrite)


@history.command()
@options.history
@click.option("--digest", is_flag=True, help="Print a digest of all results: equal for equal histories.")
@options.verbosity
@click.pass_context
def check(ctx: click.Context, history_path: str | None, digest: bool) -> None:
    """Look for damage; exits with 1 where something is wrong.

    \b
    Example: railcount history check
    """
    from railcount.cli.main import EXIT_ERROR
    from railcount.text import escape

    with _reading(history_path) as opened:
        wrong = opened.check()
        for sentence in wrong:
            click.echo(f"railcount: {escape(sentence)}", err=True)
        if wrong:
            click.echo("railcount: restore a backup, or start anew with another --history FILE", err=True)
            ctx.exit(EXIT_ERROR)
        options.print_text(f"{opened.digest()}\n" if digest else "sound\n")


for _command in (history_edit.import_counts, history_edit.hand, history_edit.remove, history_edit.upgrade):
    history.add_command(_command)
