"""docs/CI.md: its workflow is YAML with the commands that exist, its table can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from railcount.cli.main import COMMANDS, cli
from railcount.expected import read_expected

TEXT = (Path(__file__).parents[1] / "docs" / "CI.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_workflow_has_the_shape_of_yaml() -> None:
    """As far as can be told without a reader of YAML: indents in steps of two, keys or list items alone."""
    depths = [0]
    for line in block("yaml").splitlines():
        assert re.fullmatch(r"(  )*(- )?[\w-]+:( \S.*)?", line), line
        depth = (len(line) - len(line.lstrip(" "))) // 2
        assert depth <= depths[-1] + 2, line
        depths.append(depth)
    assert re.search(r"^    steps:$", block("yaml"), re.MULTILINE)


def test_the_workflow_is_yaml() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    workflow = yaml.safe_load(block("yaml"))
    steps = workflow["jobs"]["counts"]["steps"]
    assert all("uses" in step or "run" in step for step in steps)
    assert [step["run"].split()[:2] for step in steps if "run" in step][1] == ["railcount", "verify"]


def test_the_commands_and_their_options_exist() -> None:
    lines = re.findall(r"railcount ([a-z]+)((?: [^\n`>|]+)?)", block("yaml") + block("sh"))
    assert [name for name, _ in lines].count("verify") >= 3
    for name, rest in lines:
        assert name in COMMANDS
        shown = CliRunner().invoke(cli, [name, "--help"]).stdout
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in shown, (name, option)
    assert re.search(r"run: python -m pip install \./railcount$", block("yaml"), re.MULTILINE)


def test_the_table_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "expected.csv").write_text(block("csv"), encoding="utf-8")
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "yard.geojson").touch()
    assert [(row.count, row.tolerance) for row in read_expected(tmp_path).rows] == [(73, 2), (None, 0)]


def test_the_exit_codes_are_those_of_the_help() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    assert told == {0, 1, 2, 3, 4, 130}
