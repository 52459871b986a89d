"""The documentation runs: README's blocks, and the examples in every command's help.

Lines that set up an environment or run the tests are left to ``.ci/run``, which executes
README's test command as it stands.
"""

from __future__ import annotations

import datetime as dt
import glob
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from rasterio.windows import Window

import railcount
from railcount.cli.main import COMMANDS, cli
from railcount.counts import Interval
from railcount.history import History
from railcount.outputs.table import headline

from .history import factories as past
from .outputs import factories

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "sample_tiles" / "README.md"])
}
README = PAGES["README.md"]
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


def test_the_first_command_sets_up_and_scans_and_two_more_make_a_report() -> None:
    lines = blocks("sh")[0].strip().splitlines()
    assert [bool(SET_UP.search(line)) for line in lines] == [True, False, False]
    assert "railcount scan" in lines[0]
    assert lines[-1].endswith("-o report.html")


def test_the_first_command_runs_on_the_whole_tile(clone: Path) -> None:
    code, output = run(commands(blocks("sh")[0])[0])
    assert code == 0, output


@pytest.mark.parametrize("name", ["README.md", "docs/GUIDE.md", "docs/BATCH.md", "docs/SITES.md"])
def test_commands_of_a_page_run_in_their_order(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAILCOUNT_SITES", str(folder))
    for number, block in enumerate(blocks("sh", text=PAGES[name])):
        # what an earlier block wrote, the reader of a later one may not have
        fresh = folder / f"block{number}" if name == "README.md" else folder
        fresh.mkdir(exist_ok=True)
        if fresh != folder:
            (fresh / "sample_tiles").symlink_to(folder / "sample_tiles")
            monkeypatch.chdir(fresh)
        for command in commands(block):
            code, output = run(command)
            assert code == 0, f"{command}\n{output}"


def called(text: str) -> list[str]:
    """Every railcount command line of a page: in blocks and between backticks."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    fenced = "\n".join(block for kind, block in fences if kind in {"", "sh", "bash", "yaml"})
    lines = re.findall(r"(?:^|[ /])railcount ((?:[a-z-]).*)", fenced.replace("\\\n", " "))
    return lines + re.findall(r"`railcount ([^`]+)`", text)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_and_option_that_a_page_names_exists(name: str) -> None:
    for line in called(PAGES[name]):
        command: click.Command = cli
        words = re.split(r"[\s|>]+", line.split(" #")[0])
        while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z]+", words[0]):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert given <= known | {"--help", "--version", "-h"}, line


def test_the_commands_of_pages_are_seen() -> None:
    assert called("```sh\nx/railcount scan a --b\n```\n`railcount batch c`") == ["scan a --b", "batch c"]
    assert sum(len(called(text)) for text in PAGES.values()) > 40


def test_readme_python_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("README.md", "docs/API.md"):
        (block,) = blocks("python", text=PAGES[name])
        exec(compile(block, name, "exec"), {})
        assert "counted" in capsys.readouterr().out


def test_readme_explains_the_headline_that_scan_prints() -> None:
    """The README's words are those of a headline, whatever count the weights of the day give."""
    count = factories.counted()
    assert count.tracks is not None
    assert count.comparison is not None
    words = r"^(\d+) railcars \((\d+)-(\d+), 90 %\) on 6 of (\d+) tracks, 9 trains, (\d+) m"
    (said,) = re.findall(words, README, re.MULTILINE)
    best, low, high, n_tracks, metres = map(int, said)
    cars = tuple(replace(car, track=str(i % 6), kind="tank") for i, car in enumerate(count.cars))
    shown = replace(
        count,
        cars=cars,
        railcars=Interval(best=best, low=low, high=high),
        comparison=replace(count.comparison, ratio_to_max=best / 20),
        trains=9,
        occupied_m=float(metres),
        tracks=replace(count.tracks, n=n_tracks),
    )
    assert f"```\n{headline(shown)}\n```" in README
    assert f"- **{best}** is the best count" in README
    assert f"between **{low}** and **{high}**" in README
    assert f"**{metres} m** is the length" in README


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


def anchors(text: str) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("name", PAGES)
def test_links_and_paths_exist(name: str) -> None:
    text, here = PAGES[name], (ROOT / name).parent
    for target in re.findall(r"\]\(([^)\s:]+)\)|<img src=\"([^\"]+)\"", text):
        path, _, anchor = "".join(target).partition("#")
        found = (here / path).resolve() if path else ROOT / name
        assert found.exists(), target
        assert not anchor or anchor in anchors(found.read_text(encoding="utf-8")), target
    named = re.findall(r"`((?:src|tests|sample_tiles|benchmarks|docs)/[\w/.-]*)`", text)
    for path in set(named) - {"tests/tiles"}:  # of the reader's own repository
        assert (ROOT / path).exists(), path


def test_pictures_say_that_they_are_simulated_and_are_small() -> None:
    for name in ("overlay", "strips", "pair", "report"):
        assert (ROOT / "docs" / "figures" / f"{name}.jpg").stat().st_size < 400_000
    shown = [
        line
        for text in PAGES.values()
        for line in text.splitlines()
        if re.search(r"figures/[a-z]+\.jpg", line)
    ]
    assert len(shown) >= 4
    assert all("simulated" in line for line in shown)


def test_the_reference_is_that_of_the_docstrings() -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "api.py", "--check"], check=True)
    assert all(
        f"\n## {name}\n" in PAGES["docs/API.md"] for name in railcount.__all__ if name != "__version__"
    )


def test_every_command_gets_a_man_page(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "man.py", tmp_path], check=True, capture_output=True)
    pages = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert {
        "railcount.1",
        "railcount-history-export.1",
        *(f"railcount-{name}.1" for name in COMMANDS),
    } <= set(pages)
    for name, text in pages.items():
        assert ".SH NAME" in text, name
        assert ".SH EXAMPLES\n.nf\nrailcount " in text, name
        assert not re.search(r"^\.(?!TH|SH|B|BR|TP|PP|nf|fi)", text, re.MULTILINE), name
    assert "\\-\\-tracks FILE" in pages["railcount-scan.1"]


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
