"""What a newcomer types, and that the answer says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from railcount.cli.main import cli

SAMPLES = Path(__file__).parents[2] / "sample_tiles"
WRONG = {
    "scna yard.tif": (2, "Did you mean 'railcount scan'?"),
    "yard.tif": (2, "Did you mean 'railcount scan yard.tif'?"),
    "images": (2, "Did you mean 'railcount batch images'?"),
    "nonsense": (2, "No such command 'nonsense'"),
    "scan images": (3, "batch"),
    "scan yard.tif --tracks none.geojson": (1, "none.geojson does not exist"),
    "scan yard.tif --site tumangan": (1, "give one of: khasan, tumangang"),
    "scan yard.tif --date 5.10.2023": (2, "write it as 2023-10-05"),
    "scan yard.tif --gsd half": (2, "'half' is not a number"),
    "scan yard.tif --gsd 0": (2, "0.0 is not in the range x>0"),
    "scan yard.tif --time-limit nan": (2, "'nan' is not a number"),
    "scan yard.tif --stock russian": (2, "russian-chinese"),
    "scan yard.tif -o cars.xyz": (2, ".geojson"),
    "scan yard.tif --overlay c.jpg": (2, "end in .png"),
    "scan yard.tif --history none.sqlite": (1, "there is no history at none.sqlite"),
    "tracks yard.tif -o lines.shp": (2, ".geojson"),
    "batch none": (1, "a folder with images is required"),
    "history show 2023-01-01 --history none.sqlite": (1, "there is no history at none.sqlite"),
    "report --site tumangang -o report.pdf": (2, "must end in .html"),
    "report --compare 2023-05-30 -o pair.png": (2, "two are compared, A and B"),
    "compare --site tumangang --count 73": (2, "--date"),
    "compare --site tumangang --count 73 --date 2023-13-05": (2, "'2023-13-05' is not a day; write it"),
    "compare --site tumangang --date 2023-10-05 --count 7x": (2, "'7x' is not a whole number"),
    "compare --site tumangang --date 2023-10-05 --count -1": (2, "-1 is not in the range 0<=x<=1000000"),
    "compare --site tumangang --date 2023-10-05 --count 7 --low 9": (2, "--low must not exceed --count"),
    "baseline nowhere": (1, "give one of: khasan, tumangang"),
    "baseline tumangang --window 5": (2, "5y, 18m or 400d"),
    "review none.tif": (1, "does not exist"),
    "site init x --bbox 1,2,3": (2, "write west,south,east,north"),
    "verify images": (1, "--update writes it"),
    "simulate none.toml -o drawn": (1, "none.toml"),
}


@pytest.mark.parametrize("line", WRONG)
def test_the_answer_says_what_to_do(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "yard.tif").symlink_to(next((SAMPLES / "2023-09-14").glob("*.tif")))
    code, words = WRONG[line]
    result = CliRunner().invoke(cli, line.split())
    assert result.exit_code == code
    assert words in " ".join(result.output.split())
    assert "Traceback" not in result.output
