"""``railcount report``: a site's history as one page to look at, send and print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from railcount.cli import options, past

if TYPE_CHECKING:
    from datetime import date


@click.command()
@options.history
@click.option("--site", "site_name", required=True, metavar="NAME|FILE", help="The site of the report.")
@click.option(
    "-o", "--output", required=True, type=options.OUTPUT, metavar="FILE.html", help="The page to write."
)
@click.option(
    "--date", "until", type=options.DateType(), help="The report of that day: later ones are left out."
)
@options.overwrite
@options.verbosity
def report(
    *, history_path: str | None, site_name: str, output: str, until: date | None, overwrite: bool
) -> None:
    """Write a site's history as one HTML file: headline, time line, kinds, map, every pass.

    The file holds everything that it shows and opens without a network. The map is of the last pass with
    a count; its pixels are shown where the image still lies where it was counted.

    \b
    Example: railcount report --history counts.sqlite --site tumangang -o report.html
    """
    from railcount import sites
    from railcount.files import check_target, write_bytes
    from railcount.history import History, default_path
    from railcount.outputs.report import render
    from railcount.outputs.report.facts import gather
    from railcount.outputs.report.scene import scene_of

    if Path(output).suffix.lower() not in {".html", ".htm"}:
        raise click.BadParameter(f"it must end in .html, not {Path(output).name!r}", param_hint="--output")
    options.check_not_input(output, history_path or str(default_path()))
    check_target(output, overwrite=overwrite)
    site = sites.load(site_name)
    known = past.read(history_path, site)
    with History.open(history_path, readonly=True) as opened:
        summaries = list(opened.summaries(site=site.name))
        by_type = {one.id: one.by_type for one in opened.passes(site=site.name)}
        facts = gather(
            site,
            summaries=summaries,
            by_type=by_type,
            known=known.observations,
            words=known.words,
            until=until,
        )
        scene = None
        if facts.latest is not None:
            scene = next((scene_of(one) for one in opened.passes(pass_id=facts.latest.id)), None)
    write_bytes(output, render(facts, scene=scene).encode("utf-8"), overwrite=overwrite)
