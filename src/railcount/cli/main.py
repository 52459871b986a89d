"""``railcount``: the group of commands, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import errno
import logging
import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from railcount import __version__
from railcount.cli import guard
from railcount.cli.options import Group, drop_stdout, verbosity

# The networks multiply small matrices: on a busy machine, threads that wait for each other cost more
# than they give. Must be set before numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# PROJ would fetch the grids that a tile's CRS names. Shifts between datums are within metres without them.
os.environ["PROJ_NETWORK"] = "OFF"

COMMANDS = {
    "scan": "Count the railcars in a tile.",
    "batch": "Count a folder and keep the results.",
    "tracks": "Show and save the tracks of a tile.",
    "compare": "Set a count against the years before it.",
    "history": "Look at what was counted, export it, add counts of others.",
    "review": "Correct a count car by car, in your browser.",
    "report": "Write a site's history as one page to look at.",
    "baseline": "Show what a site has shown before.",
    "site": "List, show, make and check sites.",
    "verify": "Count a folder of tiles and compare with what it should give.",
    "evaluate": "Score outlines against known ones.",
    "simulate": "Draw a yard with its truth.",
}
"""Command to summary. Each lives in the module of its name, which loads when it is called."""

EXIT_ERROR = 1
EXIT_NO_COUNT = 3
EXIT_FAIL_ON = 4
EXIT_INTERRUPTED = 130


class LazyGroup(Group):
    """Commands by module name, loaded when called; turns the library's errors into exit codes."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, and what may have been meant where there is no such command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            near = get_close_matches(args[0], COMMANDS, n=1)
            if not near and os.path.exists(args[0]):
                near = [f"{'batch' if os.path.isdir(args[0]) else 'scan'} {args[0]}"]
            if not near:
                raise
            ctx.fail(f"No such command {args[0]!r}. Did you mean 'railcount {near[0]}'?")

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command; None where there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"railcount.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, so that --help loads none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; errors that railcount raises on purpose end here.

        A reader that closes its end of the pipe is dealt with by click: no message, exit code 1.
        """
        from railcount.errors import RailcountError

        try:
            return super().invoke(ctx)
        except RailcountError as error:
            from railcount.text import escape

            logging.getLogger("railcount.cli").debug("the error in detail:", exc_info=True)
            click.echo(f"railcount: {escape(str(error) or type(error).__name__)}", err=True)
            ctx.exit(EXIT_ERROR)
        except KeyboardInterrupt:
            click.echo("railcount: interrupted", err=True)
            ctx.exit(EXIT_INTERRUPTED)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="railcount")
@verbosity
def cli() -> None:
    """Count railcars in satellite images of rail yards, and say whether the count is unusual.

    Works offline, on imagery that you already have.

    \b
    Example: railcount scan tile.tif --site tumangang
    """


def main() -> None:
    """Entry point."""
    guard.enabled = True
    try:
        cli(prog_name="railcount")
    except OSError as error:
        # Of --help and --version, which click prints, and of the line that says an error.
        if error.errno not in {errno.ENOSPC, errno.EIO}:
            raise
        drop_stdout()
        click.echo(f"railcount: {error.strerror}", err=True)
        sys.exit(EXIT_ERROR)
