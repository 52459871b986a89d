"""Write a man page for every command: ``python docs/man.py FOLDER``.

Everything comes from the commands' own help, so a page says what --help says.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from railcount import __version__
from railcount.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator


def walk(command: click.Command, above: click.Context | None = None) -> Iterator[click.Context]:
    """Every command in the context in which it is called."""
    name = command.name if above else "railcount"
    context = click.Context(command, parent=above, info_name=name, help_option_names=["-h", "--help"])
    yield context
    if isinstance(command, click.Group):
        for one in command.list_commands(context):
            found = command.get_command(context, one)
            if found is not None:
                yield from walk(found, context)


def text(words: str) -> str:
    """Words as roff takes them: nothing in them is a command."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in escaped.splitlines())


def page(context: click.Context) -> str:
    """One command's page, without a date: the same command gives the same page."""
    command = context.command
    title = context.command_path.replace(" ", "-")
    summary, *paragraphs = (command.help or "").replace("\b\n", "").split("\n\n")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f'.TH {text(title).upper()} 1 "" "railcount {__version__}" "railcount"']
    lines += [".SH NAME", f"{text(title)} \\- {text(' '.join(summary.split()))}"]
    lines += [".SH SYNOPSIS", f".B {text(context.command_path)}", text(usage)]
    if said := [text(one) for one in paragraphs if one.strip()]:
        lines += [".SH DESCRIPTION", "\n.PP\n".join(said)]
    records = [one.get_help_record(context) for one in command.get_params(context)]
    lines += [".SH OPTIONS", *entries([record for record in records if record and record[1]])]
    if isinstance(command, click.Group):
        found = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        summaries = [(name, one.get_short_help_str(200)) for name, one in found if one is not None]
        lines += [".SH COMMANDS", *entries(summaries)]
    _, _, examples = (command.epilog or "").partition(":")
    shown = [text(line.strip()) for line in examples.splitlines() if line.strip()]
    lines += [".SH EXAMPLES", ".nf", *shown, ".fi"]
    if context.parent is not None:
        lines += [".SH SEE ALSO", f".BR {text(context.parent.command_path.replace(' ', '-'))} (1)"]
    return "\n".join(lines) + "\n"


def entries(records: list[tuple[str, str]]) -> list[str]:
    """A list of terms with their words."""
    return [line for term, words in records for line in (".TP", f".B {text(term)}", text(words))]


def main(folder: Path) -> None:
    """Write ``railcount.1``, ``railcount-scan.1`` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{one.command_path.replace(' ', '-')}.1": page(one) for one in walk(cli)}
    for name, words in pages.items():
        (folder / name).write_text(words, encoding="utf-8")
    print(f"{len(pages)} pages in {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/man.py FOLDER")
    main(Path(sys.argv[1]))
