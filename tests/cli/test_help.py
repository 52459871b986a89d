"""Every command's --help, subcommands too: it ends with examples, whose options exist."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from railcount.cli.main import COMMANDS, cli
from railcount.cli.options import STOCKS, Number, WholeNumber

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def walk(command: click.Command, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it."""
    yield names, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), name)
            assert found is not None
            yield from walk(found, *names, name)


TREE = dict(walk(cli))


def shown(names: tuple[str, ...]) -> str:
    """The help as it is printed, without wrapped lines."""
    result = CliRunner().invoke(cli, [*names, "--help"], terminal_width=250, max_content_width=250)
    assert result.exit_code == 0
    return result.stdout


def test_the_walk_sees_groups_and_their_commands() -> None:
    assert {(), ("scan",), ("history",), ("history", "export"), ("site", "init")} <= set(TREE)
    assert len(TREE) > len(COMMANDS) + 10


@pytest.mark.parametrize("names", TREE, ids=" ".join)
def test_help_ends_with_examples_whose_options_exist(names: tuple[str, ...]) -> None:
    last = shown(names).rstrip().split("\n\n")[-1]
    assert re.match(r"  Examples?:\s", last), last
    lines = re.findall(r"railcount .*", last)
    assert lines
    for line in lines:
        words = shlex.split(line)[1:]
        assert words[: len(names)] == list(names), line
        called = max((n for n in range(len(words) + 1) if tuple(words[:n]) in TREE), default=0)
        command = TREE[tuple(words[:called])]
        known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
        assert not isinstance(command, click.Group), line
        assert {word for word in words if word.startswith("-")} <= known, line
        # click's own reading, too: arguments that are missing, values that are none
        command.make_context(words[called - 1], words[called:])


@pytest.mark.parametrize("names", [n for n, c in TREE.items() if isinstance(c, click.Group)], ids=" ".join)
def test_no_summary_of_a_command_is_cut_at_80_columns(names: tuple[str, ...]) -> None:
    listed = CliRunner().invoke(cli, [*names, "--help"], terminal_width=80).stdout.partition("Commands:\n")[2]
    cut = [line for line in listed.partition("\n\n")[0].splitlines() if line.endswith("...")]
    assert cut == []


@pytest.mark.parametrize("names", TREE, ids=" ".join)
def test_every_option_says_what_it_is_for(names: tuple[str, ...]) -> None:
    silent = [p.opts for p in TREE[names].params if isinstance(p, click.Option) and not p.help]
    assert silent == []


@pytest.mark.parametrize("names", TREE, ids=" ".join)
def test_every_command_takes_verbose_and_quiet(names: tuple[str, ...]) -> None:
    flags = {flag for param in TREE[names].params for flag in param.opts}
    assert {"-v", "--verbose", "-q", "--quiet"} <= flags


def test_quiet_leaves_notes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAILCOUNT_HISTORY", str(tmp_path / "none.sqlite"))
    said = CliRunner().invoke(cli, ["history", "list"])
    assert "railcount: no history yet at" in said.stderr
    assert CliRunner().invoke(cli, ["history", "list", "-q"]).stderr == ""
    made = ["site", "init", "x", "--bbox", "7.63,47.52,7.67,47.54", "-o"]
    assert "now fill in" in CliRunner().invoke(cli, [*made, str(tmp_path / "loud")]).stderr
    assert CliRunner().invoke(cli, ["-q", *made, str(tmp_path / "still")]).stderr == ""


@pytest.mark.parametrize("names", TREE, ids=" ".join)
def test_numbers_are_of_the_types_that_say_what_is_wrong(names: tuple[str, ...]) -> None:
    raw = (click.types.IntParamType, click.types.FloatParamType)
    wrong = [
        p.opts
        for p in TREE[names].params
        if isinstance(p.type, raw) and not isinstance(p.type, (Number, WholeNumber)) and not p.count
    ]
    assert wrong == []


def test_help_names_the_stocks() -> None:
    from railcount.cars.lengths import stock_names

    assert tuple(sorted(stock_names())) == STOCKS
    assert f"[{'|'.join(STOCKS)}]" in shown(("scan",))


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("scan --site t", ["tumangang", "t"]),
        ("history list --site ", ["khasan", "tumangang", ""]),
        ("baseline k", ["khasan", "k"]),
        ("site validate k", ["khasan", "k"]),
        ("batch --stock e", ["european"]),
    ],
)
def test_a_shell_completes_sites_and_stocks(
    line: str, given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    *words, begun = line.split(" ")
    monkeypatch.delenv("RAILCOUNT_SITES", raising=False)
    found = ShellComplete(cli, {}, "railcount", "_RAILCOUNT_COMPLETE").get_completions(words, begun)
    assert [one.value for one in found] == given
    monkeypatch.setenv("RAILCOUNT_SITES", "none")
    ShellComplete(cli, {}, "railcount", "_RAILCOUNT_COMPLETE").get_completions(words, begun)
