"""Options that several commands share, each declared once."""

from __future__ import annotations

import inspect
import logging
import math
import os
import sys
from contextlib import suppress
from dataclasses import fields
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, Any, get_args

import click

from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.decorators import FC
    from click.shell_completion import CompletionItem

    # Generic in recent versions of click only.
    _DayParameter = click.ParamType[date]
    _DriversParameter = click.ParamType[tuple[Driver, ...]]
    _SiteParameter = click.ParamType[str]
else:
    _DayParameter = _DriversParameter = _SiteParameter = click.ParamType


class Command(click.Command):
    """Its --help ends with the examples, below the options, where the docstring ends with them."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        words, mark, examples = inspect.cleandoc(attributes.get("help") or "").partition("\b\nExample")
        super().__init__(*args, **(attributes | {"help": words, "epilog": mark + examples}))


class Group(Command, click.Group):
    """A group whose commands and whose own --help end so too."""

    command_class = Command


class DateType(_DayParameter):
    """A day as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Text to a day; a usage error for anything else."""
        from railcount.raster.names import day_in

        if isinstance(value, date):
            return value
        day = day_in(value)
        if day is None:
            self.fail(f"{value!r} is not a day; write it as 2023-10-05", param, ctx)
        return day


class ImageDayType(DateType):
    """A day on which an image can have been taken."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """As `DateType`; a usage error for a day before the first civil satellite too."""
        from railcount.errors import InputError
        from railcount.raster.names import image_day

        try:
            return image_day(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


class SiteType(_SiteParameter):
    """A site by its name, its file or folder; the library looks for it. A shell completes it."""

    name = "NAME|FILE"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names first; files where no name begins so."""
        from click.shell_completion import CompletionItem

        from railcount import sites
        from railcount.errors import MissingInput

        try:
            names = sites.names()
        except MissingInput:  # RAILCOUNT_SITES is wrong, which the command itself says
            names = ()
        fitting = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return [*fitting, CompletionItem(incomplete, type="file")]


class WholeNumber(click.IntRange):
    """A whole number within a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to a number; a usage error for anything else."""
        try:
            int(value)
        except ValueError:
            self.fail(f"{value!r:.80} is not a whole number", param, ctx)
        return super().convert(value, param, ctx)


class Number(click.FloatRange):
    """A number within a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Text to a number; a usage error for anything else, nan too."""
        try:
            is_number = not math.isnan(float(value))
        except ValueError:
            is_number = False
        if not is_number:
            self.fail(f"{value!r:.80} is not a number", param, ctx)
        return super().convert(value, param, ctx)


def _to_metres(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """A finite length; a usage error for anything else."""
    if value is not None and math.isinf(value):
        raise click.BadParameter(f"{value} is not a number of metres")
    return value


INPUT = click.Path(path_type=str)
"""An input is checked by the library, which can say more about it than click."""

OUTPUT = click.Path(path_type=str, dir_okay=True)
SITE = SiteType()
STOCKS = ("any", "european", "north-american", "russian-chinese")
"""Of cars/stock.toml, whose reader takes longer to load than --help may take."""


class _ClickHandler(logging.Handler):
    """Log lines to the stderr of the moment, escaped; the lines of a traceback are indented below.

    Where they cannot be written (a full disk, a terminal that is gone) the work goes on without them.
    """

    def emit(self, record: logging.LogRecord) -> None:
        from railcount.cli import progress
        from railcount.text import escape

        with suppress(OSError):
            progress.make_way()
            click.echo(f"railcount: {escape(record.getMessage())}", err=True)
            if record.exc_info:
                for line in logging.Formatter().formatException(record.exc_info).splitlines():
                    click.echo(f"  {escape(line)}", err=True)


_HANDLER = _ClickHandler()


def _set_verbosity(ctx: click.Context, param: click.Parameter, value: int) -> None:
    meta = ctx.find_root().meta
    meta["railcount.verbosity"] = meta.get("railcount.verbosity", 0) + (
        value if param.name == "verbose" else -value
    )
    level = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}.get(
        max(meta["railcount.verbosity"], -1), logging.DEBUG
    )
    logger = logging.getLogger("railcount")
    logger.setLevel(level)
    if _HANDLER not in logger.handlers:
        logger.addHandler(_HANDLER)


def verbosity(command: FC) -> FC:
    """-v and -q, counted, the same for all commands, before or after the command's name."""
    for name, words in (
        ("quiet", "Errors alone on stderr: no notes, no progress."),
        ("verbose", "Say more on stderr; -vv for the details of an error."),
    ):
        command = click.option(
            f"-{name[0]}",
            f"--{name}",
            name,
            count=True,
            expose_value=False,
            callback=_set_verbosity,
            help=words,
        )(command)
    return command


def note(text: str) -> None:
    """A line on stderr that is no error: -q leaves it out."""
    from railcount.text import escape

    logging.getLogger("railcount.cli").warning("%s", escape(text))


tracks = click.option(
    "--tracks",
    type=INPUT,
    metavar="FILE",
    help="Track lines (GeoJSON or GeoPackage) instead of finding them in the pixels.",
)
mask = click.option(
    "--mask", type=INPUT, metavar="FILE", help="Raster whose non-zero pixels are the track region."
)
valid = click.option(
    "--valid",
    type=INPUT,
    metavar="FILE",
    help="Quality mask of the tile: Planet's udm2, or a raster whose non-zero pixels are usable.",
)
site = click.option("--site", type=SITE, help="Site with its own tracks and history, such as tumangang.")
day = click.option(
    "--date",
    type=ImageDayType(),
    help="Day of the image; overrides what the file and its name say.",
)
stock = click.option(
    "--stock",
    type=click.Choice(STOCKS),
    help="Rolling stock: the table of car lengths to expect.  [default: the site's, else any]",
)
gsd = click.option(
    "--gsd",
    "gsd_m",
    type=Number(min=0, min_open=True),
    callback=_to_metres,
    metavar="METRES",
    help="Size of a pixel, for a raster without a usable CRS; results are then in pixels. "
    "Overrules a CRS, and says so.",
)


def form(*choices: str) -> Callable[[FC], FC]:
    """--format, the first choice being the default; as ``form``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="What is printed.",
    )


time_limit = click.option(
    "--time-limit",
    type=Number(min=0, min_open=True),
    default=600.0,
    show_default=True,
    metavar="S",
    help="Seconds after which a tile is given up.",
)
memory_limit = click.option(
    "--memory-limit",
    type=WholeNumber(min=1),
    default=4096,
    show_default=True,
    metavar="MB",
    help="Memory that a tile may take besides the program.",
)
history = click.option(
    "--history",
    "history_path",
    type=INPUT,
    metavar="FILE",
    help="The history.  [default: RAILCOUNT_HISTORY, else one in your data folder]",
)
overwrite = click.option("--overwrite", is_flag=True, help="Replace output files that exist.")


class DriversType(_DriversParameter):
    """Kinds of file, separated by commas."""

    name = "KIND[,KIND]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Driver, ...]:
        """Text to kinds; a usage error for anything else."""
        known = {name: name for name in get_args(Driver)}
        kinds = [word.strip().lower() for word in value.split(",")] if isinstance(value, str) else list(value)
        if not kinds or not set(kinds) <= set(known):
            self.fail(f"{value!r} must be of {', '.join(known)}, separated by commas", param, ctx)
        return tuple(known[kind] for kind in kinds)


_LIMITS = {
    "max_pixels": "Refuse a file of more pixels, columns times rows.",
    "max_bands": "Refuse a file of more bands.",
    "max_block_bytes": "Refuse a file whose blocks, decoded, are larger.",
    "max_bytes": "Refuse a file whose bands, decoded, are larger in all, or which is twice as large itself.",
}
"""Field of Limits to its help."""


def reading(command: Callable[..., None]) -> Callable[..., None]:
    """What files may be read and how much they may ask for: as ``limits`` and ``drivers``, last in --help."""

    @wraps(command)
    def with_limits(*args: Any, drivers: tuple[tuple[Driver, ...], ...], **given: Any) -> None:
        limits = Limits(**{name: given.pop(name) for name in _LIMITS})
        chosen = tuple(dict.fromkeys(kind for kinds in drivers for kind in kinds))
        command(*args, limits=limits, drivers=chosen or DEFAULT_DRIVERS, **given)

    defaults = {field.name: field.default for field in fields(Limits)}
    made: Callable[..., None] = click.option(
        "--drivers",
        type=DriversType(),
        multiple=True,
        help=f"Kinds of file to read: {', '.join(get_args(Driver))}.  [default: {','.join(DEFAULT_DRIVERS)}]",
    )(with_limits)
    for name, words in reversed(_LIMITS.items()):
        made = click.option(
            f"--{name.replace('_', '-')}",
            type=WholeNumber(min=1),
            default=defaults[name],
            show_default=True,
            metavar="N",
            help=words,
        )(made)
    return made


def terminal_width() -> int:
    """Columns of the terminal, or 80 where the output goes elsewhere."""
    import shutil

    return shutil.get_terminal_size((80, 24)).columns if _on_terminal() else 80


def colour_wanted() -> bool:
    """On a terminal whose user has not set NO_COLOR (no-color.org)."""
    return _on_terminal() and not os.environ.get("NO_COLOR")


def _on_terminal() -> bool:
    # Where stdout is closed (>&-) Python has None.
    return sys.stdout is not None and sys.stdout.isatty()


def print_text(text: str) -> None:
    """A result to stdout; letters that its encoding lacks become escapes.

    Raises OutputError where stdout is closed or full; a broken pipe is left to click.
    """
    from railcount.errors import OutputError

    if sys.stdout is None:
        raise OutputError("the result could not be printed: standard output is closed")
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_stdout()
        raise OutputError(f"the result could not be printed: {error.strerror or error}") from error


def drop_stdout() -> None:
    """Let what could not be printed go: Python would try it again at its end, and complain again."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def check_not_input(output: str | os.PathLike[str], *inputs: str | None) -> None:
    """Raise InputError where an output would replace a file that is read, which --overwrite is not for."""
    from railcount.errors import InputError

    for path in inputs:
        if path is not None and _same_file(output, path):
            raise InputError(f"the output {output} is also the input {path}; choose another name")


def _same_file(a: str | os.PathLike[str], b: str) -> bool:
    try:
        return os.path.realpath(a) == os.path.realpath(b) or os.path.samefile(a, b)
    except (OSError, ValueError):
        return False
