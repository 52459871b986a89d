"""What the commands about a site's past share: how far to look back, and where the counts come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from railcount.cli.options import INPUT

if TYPE_CHECKING:
    from railcount.baseline import Observation, Window
    from railcount.sites import Site

window = click.option(
    "--window",
    default="5y",
    show_default=True,
    metavar="LENGTH",
    help="How far to look back: years, months or days, such as 5y, 18m, 400d.",
)
season = click.option(
    "--season", is_flag=True, help="Only counts of the same season: 45 days to either side of the day."
)
history = click.option(
    "--history", type=INPUT, metavar="FILE", help="Use what railcount measured and keeps in this history."
)


@dataclass(frozen=True, kw_only=True)
class Past:
    """What a history holds about a site."""

    observations: tuple[Observation, ...]
    words: str
    """What was read, or left out, in a sentence."""


def window_of(text: str, *, season: bool) -> Window:
    """The window that was asked for; a usage error for anything else."""
    from railcount.baseline import Window
    from railcount.errors import InputError

    try:
        return Window.parse(text, season=season)
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="--window") from error


def check(path: str) -> None:
    """Raise what ``read`` would, before the work that needs it later."""
    from railcount.history import History

    with History.open(path, readonly=True):
        pass


def read(path: str | None, site: Site) -> Past:
    """The observations of a history; of the default one where none is named and there is one.

    Counts in drawn images are used only where the site has none in real ones, and then it is said.
    Raises HistoryError and MissingInput.
    """
    from railcount.history import History, default_path

    if path is None and not default_path().exists():
        return Past(
            observations=(),
            words="No history was named and none is kept: these are the site's published counts alone.",
        )
    with History.open(path, readonly=True) as known:
        real = known.observations(site)
        drawn = known.observations(site, simulated=True)
    if not real and not drawn:
        return Past(
            observations=(),
            words="The history holds nothing about this site: these are its published counts alone.",
        )
    if not drawn:
        return Past(observations=real, words="")
    if any(one.method == "measured" for one in real):
        counts = "1 count" if len(drawn) == 1 else f"{len(drawn)} counts"
        return Past(observations=real, words=f"{counts} in simulated images are left out.")
    return Past(observations=(*real, *drawn), words="")


NOTHING = Past(observations=(), words="These are the site's published counts alone, as asked for.")
