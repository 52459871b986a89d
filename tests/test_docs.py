"""The documentation runs: README's blocks, and the examples in every command's help.

Lines that set up an environment or run the tests are left to ``.ci/run``, which executes
README's test command as it stands.
"""

from __future__ import annotations

import datetime as dt
import glob
import json
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from rasterio.windows import Window

from railcount.cli.main import COMMANDS, cli
from railcount.history import History
from railcount.outputs.json import schema
from railcount.outputs.table import headline

from .history import factories as past
from .outputs import factories

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SET_UP = re.compile(r"python3 -m venv|\S*pip install|\S*python -m pytest")


def blocks(kind: str, *, text: str = README) -> list[str]:
    """The fenced blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """The single commands of a shell block, without those that set up or test."""
    joined = text.replace("\\\n", " ")
    parts = [part.strip() for line in joined.splitlines() for part in line.split("&&")]
    return [part for part in parts if part and not SET_UP.match(part)]


def run(command: str) -> tuple[int, str]:
    """A railcount command line, as a shell would run it in the current folder."""
    program, *words = shlex.split(command)
    assert Path(program).name == "railcount", command
    args = [match for word in words for match in (sorted(glob.glob(word)) if "*" in word else [word])]
    result = CliRunner().invoke(cli, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def sample(end: str) -> Path:
    (found,) = (ROOT / "sample_tiles" / "2023-10-05").glob(f"*_visual{end}")
    return found


def crop(target: Path) -> None:
    """The middle of the sample tile, tags and all: large enough to count in, and quick."""
    window = Window(300, 60, 500, 300)
    with rasterio.open(sample(".tif")) as source:
        t = source.transform
        profile = source.profile | {
            "width": window.width,
            "height": window.height,
            "transform": Affine(t.a, 0.0, t.c + window.col_off * t.a, 0.0, t.e, t.f + window.row_off * t.e),
        }
        with rasterio.open(target, "w", **profile) as made:
            made.write(source.read(window=window))
            made.update_tags(**source.tags())


@pytest.fixture(scope="module")
def small_samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample tiles' folder with a crop in the tile's place."""
    folder = tmp_path_factory.mktemp("small") / "sample_tiles"
    shutil.copytree(ROOT / "sample_tiles", folder, ignore=shutil.ignore_patterns("*.tif"))
    crop(folder / sample(".tif").relative_to(ROOT / "sample_tiles"))
    return folder


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in that looks like a clone's root."""
    (tmp_path / "sample_tiles").symlink_to(ROOT / "sample_tiles")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_samples: Path) -> Path:
    """A clone's root whose sample tile is small, for commands that need not see all of it."""
    (tmp_path / "sample_tiles").symlink_to(small_samples)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_is_something_to_run() -> None:
    assert len(blocks("sh")) >= 4
    assert len(commands("\n".join(blocks("sh")))) >= 6
    assert commands("python3 -m venv x && x/pip install . && \\\n x/railcount scan a") == [
        "x/railcount scan a"
    ]


def test_the_first_command_runs_on_the_whole_tile(clone: Path) -> None:
    (command,) = commands(blocks("sh")[0])
    code, output = run(command)
    assert code == 0, output


@pytest.mark.parametrize("block", blocks("sh")[1:])
def test_readme_commands_run(block: str, folder: Path) -> None:
    for command in commands(block):
        code, output = run(command)
        assert code == 0, f"{command}\n{output}"


def test_readme_python_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})
    assert "counted" in capsys.readouterr().out


def test_readme_json_satisfies_the_schema() -> None:
    (block,) = blocks("json")
    jsonschema.validate(json.loads(block), schema(), cls=jsonschema.Draft202012Validator)


def test_readme_explains_the_headline_that_scan_prints() -> None:
    count = factories.counted()
    assert count.tracks is not None
    five = tuple(replace(car, track=str(i % 5), kind="tank") for i, car in enumerate(count.cars))
    shown = replace(count, cars=five, trains=6, tracks=replace(count.tracks, n=8))
    assert f"```\n{headline(shown)}\n```" in README


def test_readme_names_every_command_and_no_other() -> None:
    table = README.split("## Commands")[1].split("```")[0]
    assert re.findall(r"^\| `(\w+)", table, re.MULTILINE) == list(COMMANDS)


def test_ci_runs_the_readme_test_command() -> None:
    (block,) = re.findall(r"<!-- test command -->\s*```sh\n(.*?)```", README, re.DOTALL)
    assert block in blocks("sh")
    assert "pip install" in block
    assert "-m pytest" in block
    assert "<!-- test command -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_links_and_paths_exist(text: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`((?:src|tests|sample_tiles|benchmarks)/[\w/.-]*)`", text):
        assert (ROOT / path).exists(), path


def examples(name: str) -> list[str]:
    """The example command lines in a command's help."""
    text = CliRunner().invoke(cli, [name, "--help"], terminal_width=200).stdout
    return re.findall(rf"railcount {name} .*", text.split("Example", 1)[1].split("Options:")[0])


def all_usable(tile: Path, mask: Path) -> None:
    """Write a quality mask of a tile that rules nothing out."""
    with rasterio.open(tile) as source:
        profile = source.profile | {"count": 1, "dtype": "uint8", "photometric": "minisblack", "nodata": None}
    profile.pop("compress", None)
    with rasterio.open(mask, "w", **profile) as target:
        target.write(np.ones((1, target.height, target.width), np.uint8))


def interrupted(*_: object) -> None:
    """What Ctrl-C does to whatever runs."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", COMMANDS)
def test_help_examples_run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for target in ("yard.tif", "crop.tif"):
        shutil.copy(next((folder / "sample_tiles" / "2023-10-05").glob("*.tif")), folder / target)
    if name == "scan":
        shutil.copy(sample("_tracks.geojson"), folder / "yard_tracks.geojson")
        all_usable(folder / "yard.tif", folder / "yard_udm2.tif")
    if name == "history":
        monkeypatch.setenv("RAILCOUNT_HISTORY", str(folder / "history.sqlite"))
        with History.open() as history:
            history.record_tile(past.tile(), key=past.KEY)
            history.record_pass(past.one_pass(past.tile()), key=past.KEY)
    if name == "report":
        early = past.tile("early.tif", acquired=dt.datetime(2023, 9, 14, 3, tzinfo=dt.UTC))
        with History.open(folder / "counts.sqlite") as history:
            for one in (early, past.tile()):
                history.record_tile(one, key=past.KEY)
                history.record_pass(past.one_pass(one), key=past.KEY)
        for target in ("before.tif", "after.tif"):
            shutil.copy(folder / "yard.tif", folder / target)
    if name == "review":  # Ctrl-C at once
        monkeypatch.setattr("railcount.outputs.review.server.ReviewServer.serve_forever", interrupted)
    if name == "verify":
        (folder / "tiles").mkdir()
        shutil.copy(folder / "yard.tif", folder / "tiles")
    if name == "evaluate":
        for target in ("cars.geojson", "truth.geojson"):
            shutil.copy(sample("_truth.geojson"), folder / target)
    found = examples(name)
    assert found
    for command in found:
        code, output = run(command)
        assert code == 0, f"{command}\n{output}"
