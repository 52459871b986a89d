"""``railcount review``: correct a pass car by car, on a page in your browser."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from railcount.cli import options
from railcount.cli.history_edit import existing, the_pass, user_name

if TYPE_CHECKING:
    from railcount.history import History
    from railcount.observation import PassCount
    from railcount.outputs.review.session import Session


@click.command(cls=options.Command)
@click.argument("tile", required=False, type=options.INPUT)
@options.history
@click.option(
    "--pass", "which", metavar="PASS|DATE",
    help="The pass to review, or the day of which there is one.  [default: the last one]",
)  # fmt: skip
@click.option("--who", metavar="NAME", help="Who reviews.  [default: your user name]")
@click.option("--why", metavar="TEXT", default="", help="Why it is counted by hand; the page asks, too.")
@click.option(
    "--port", type=options.WholeNumber(0, 65535), default=0, metavar="N",
    help="Port of the page.  [default: a free one]",
)  # fmt: skip
@options.time_limit
@options.memory_limit
@click.option("--open", "opens", is_flag=True, help="Open the page in your browser.")
@options.verbosity
def review(
    *,
    tile: str | None,
    history_path: str | None,
    which: str | None,
    who: str | None,
    why: str,
    port: int,
    time_limit: float,
    memory_limit: int,
    opens: bool,
) -> None:
    """Correct the count of a pass, car by car, on a page in your browser.

    The doubtful cars come first. Each decision is kept in the history at once; the count that you enter
    at the end stands for the machine's, which stays beside it. The page answers on this machine alone, to
    the address that is printed, which works once. Ctrl-C ends it.

    Reviewed is the pass of TILE, which is counted first where the history does not hold it (to count it with
    options, use 'railcount batch TILE'); else PASS, else the last pass that has a count.

    \b
    Examples:
      railcount review yard.tif --history counts.sqlite
      railcount review --history counts.sqlite --who Ana
    """
    from railcount.outputs.review.session import Session

    if tile is not None and which is not None:
        raise click.UsageError("TILE and --pass exclude each other")
    one = (
        _chosen(history_path, which)
        if tile is None
        else _of_tile(tile, history_path, time_limit_s=time_limit, memory_limit_mb=memory_limit)
    )
    session = Session(one, history=history_path, who=who or user_name(), why=why)
    _serve(session, port=port, opens=opens)


def _chosen(path: str | None, which: str | None) -> PassCount:
    from railcount.errors import InputError

    with existing(path) as opened:
        if which is not None:
            return _whole(opened, the_pass(opened, which).id)
        counted = [one for one in opened.summaries() if one.railcars is not None and one.day is not None]
        if not counted:
            raise InputError("the history has no pass with a count and a date; count a TILE")
        return _whole(opened, counted[-1].id)


def _whole(opened: History, pass_id: str) -> PassCount:
    from railcount.errors import InputError

    found = next(opened.passes(pass_id=pass_id), None)
    if found is None:
        raise InputError(f"there is no pass {pass_id!r:.80}; 'railcount history list' shows them")
    return found


def _of_tile(tile: str, path: str | None, **limits: Any) -> PassCount:
    """The pass of a tile, its pixels taken from where the tile lies now."""
    import hashlib

    from railcount.errors import InputError
    from railcount.history import History
    from railcount.raster.limits import Limits
    from railcount.raster.paths import absolute_path, read_head

    where = absolute_path(tile)
    read_head(where)  # what is no file is said here
    Limits().check_file(where.stat().st_size)
    with where.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with History.open(path) as opened:
        pass_id = opened.pass_holding(sha256)
        if pass_id is None:
            _count(tile, opened, **limits)
            pass_id = opened.pass_holding(sha256)
        if pass_id is None:
            raise InputError(f"{tile} was counted and is in no pass; 'railcount history check' says why")
        one = _whole(opened, pass_id)
    for each in one.tiles:
        if each.sha256 == sha256 and not each.footprint:
            raise InputError(f"{tile} could not be opened ({each.status}): {'; '.join(each.reasons)}")
    tiles = [replace(each, tile=tile) if each.sha256 == sha256 else each for each in one.tiles]
    return replace(one, tiles=tuple(tiles))


def _count(tile: str, history: History, *, time_limit_s: float, memory_limit_mb: int) -> None:
    """As a batch of this one file does."""
    from railcount.batch.parameters import Parameters
    from railcount.batch.planning import LeftOut
    from railcount.batch.run import Batch
    from railcount.batch.task import NAME
    from railcount.batch.workers import Pool
    from railcount.errors import InputError

    options.note(f"counting {tile}")
    parameters = Parameters()
    with Pool(
        1,
        task=NAME,
        settings=parameters.for_workers().words(),
        time_limit_s=time_limit_s,
        memory_limit_bytes=memory_limit_mb * 2**20,
    ) as engine:
        for event in Batch(Path(tile), history=history, parameters=parameters, engine=engine).events():
            if isinstance(event, LeftOut):
                raise InputError(f"{event.tile} cannot be counted: {event.reason}")


def _serve(session: Session, *, port: int, opens: bool) -> None:
    """Answer until Ctrl-C; then say what the review came to."""
    from railcount.outputs.review.server import ReviewServer

    def tell_next(address: str) -> None:
        with suppress(OSError):  # the page is what counts
            click.echo(f"railcount: opened; to open it again: {address}", err=True)

    with ReviewServer(session, port=port, opened=tell_next) as server:
        click.echo(f"railcount: open {server.address}", err=True)
        click.echo("railcount: Ctrl-C ends the review; every decision is kept at once", err=True)
        if opens:
            import webbrowser

            webbrowser.open(server.address)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    options.print_text(f"{session.result()}\n")
