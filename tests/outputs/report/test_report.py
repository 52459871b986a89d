"""The report as a file: what it says, what it loads, and that nothing in it is anybody else's script."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from railcount.cli.main import cli
from railcount.history import History
from railcount.outputs.report.scene import MAX_CROPS
from railcount.raster import open_tile
from railcount.records import places
from tests.history.factories import KEY, car, one_pass, tile

from .conftest import EVIL, write_tile

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 6_000_000


def made(history: Path, *more: str, name: str = "report.html") -> str:
    target = history.parent / name
    words = ["report", "--history", str(history), "--site", "tumangang", "-o", str(target), *more]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    return target.read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


class Elements(HTMLParser):
    """Every element with its attributes, and the text of the headings."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_headline_has_count_interval_and_level(history: Path) -> None:
    page = made(history)
    heading = re.search(r"<h1>(.*?)</h1>", page)
    assert heading
    assert heading[1].startswith(
        "5 October 2023: 3 railcars counted by railcount at Tumangang (North Korea), between 2 and 5 with a "
        "probability of 90%; "
    )
    assert "five-year maximum: 73" in heading[1]


def test_a_hand_count_has_the_level_of_its_row_too(history: Path) -> None:
    with History.open(history) as opened:
        last = list(opened.summaries())[-1]
        opened.add_hand_count(last.id, best=99, low=99, high=99, who="Ana", why="by eye")
    page = made(history)
    heading = re.search(r"<h1>(.*?)</h1>", page)
    assert heading
    assert "99 railcars counted by hand" in heading[1]
    assert "unprecedented" in heading[1]
    (row,) = re.findall(r"<tr.*by hand: 99.*", page)
    assert "99 cars, Ana: by eye<" in row
    assert '<td data-label="level">unprecedented</td>' in row


def test_what_files_and_tags_say_stays_text(history: Path) -> None:
    page = made(history)
    elements = Elements(page)
    scripts = [attributes for tag, attributes in elements.found if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}, {}, {}]
    assert {a.get("id") for tag, a in elements.found if tag == "img"} == {"crop-image"}
    assert "window.hacked=1" in elements.text
    inert = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert inert
    assert "<" not in inert[1]
    assert EVIL not in page


def test_the_policy_allows_the_pages_own_scripts_alone(history: Path) -> None:
    page = made(history)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    words = policy[1].replace("&#39;", "'")
    assert words.startswith("default-src 'none'; script-src 'sha256-")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert re.findall(r"'sha256-([^']*)'", words) == digests
    assert "unsafe-eval" not in words
    for tag, attributes in Elements(page).found:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("src") is None or str(attributes["src"]).startswith("data:")


def test_a_pass_without_a_count_is_no_zero(history: Path) -> None:
    page = made(history)
    points = data_of(page)["timeline"]["points"]
    own = [p for p in points if p["day"] == "2023-09-28" and p["series"] == "railcount"]
    assert [(p["y"], p["low"], p["high"]) for p in own] == [(None, None, None)]
    assert '<span class="status uncountable">uncountable</span>' in page
    assert "cloud over the tracks" in page


def test_timeline_holds_every_source_the_maximum_and_the_gaps(history: Path) -> None:
    told = data_of(made(history))["timeline"]
    assert {"railcount", "VOA Korean", "38 North", EVIL} <= {p["series"] for p in told["points"]}
    assert told["max"]["max"] == 73
    assert told["periods"][0]["most"] == 20
    assert told["gaps"][0]["days"] > 365
    published = next(p for p in told["points"] if p["series"] == EVIL)
    assert (published["low"], published["y"], published["high"]) == (70, 73, 76)


def picture(address: str) -> Any:
    kind, text = address.split(",", 1)
    assert kind == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))).astype(int)


def is_red(pixel: Any) -> bool:
    return bool(pixel[0] > 180 and pixel[1] < 90)


def test_cars_lie_on_their_pixels(history: Path) -> None:
    scene = data_of(made(history))["scene"]
    crop = picture(scene["cars"][0]["crop"])
    middle = crop[crop.shape[0] // 2, crop.shape[1] // 2]
    assert is_red(middle)
    whole = picture(scene["picture"])
    west, south, east, north = scene["box"]
    ring = np.array(scene["cars"][0]["ring"])
    x, y = ring.mean(axis=0)
    col = int((x - west) / (east - west) * whole.shape[1])
    row = int((north - y) / (north - south) * whole.shape[0])
    assert is_red(whole[row, col])
    assert not is_red(whole[row + 12, col])
    assert np.ptp(ring[:, 0]) == pytest.approx(14.0, abs=0.4)


def test_a_file_that_is_not_the_counted_one_is_not_shown(history: Path, image: Path) -> None:
    image.write_bytes(image.read_bytes() + b"\0")
    page = made(history)
    scene = data_of(page)["scene"]
    assert scene["picture"] is None
    assert [car["crop"] for car in scene["cars"]] == [None, None, None]
    assert "it is not the file that was counted" in page


def test_a_file_that_is_gone_is_not_shown(
    history: Path, image: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image.unlink()
    page = made(history)
    assert "a.tif is not shown" in caplog.text
    assert data_of(page)["scene"]["picture"] is None
    assert "a.tif is not shown" in page
    assert len(data_of(page)["scene"]["cars"]) == 3


def test_same_history_same_bytes_and_small(history: Path) -> None:
    page = made(history)
    assert made(history, name="again.html") == page
    assert len(page.encode()) < MAX_BYTES


def test_sixty_passes_over_a_busy_yard_stay_below_six_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "noise.tif"
    noise = np.random.default_rng(5).integers(0, 255, (3, 2400, 2400), dtype=np.uint8)
    write_tile(path, noise)
    grid = open_tile(path).grid
    cars = []
    for n in range(700):
        col, row = 50 + 60 * (n % 35), 60 + 100 * (n // 35)
        corners = np.array([[col, row], [col + 28, row], [col + 28, row + 6], [col, row + 6]])
        cars.append(car(n, ring=places(corners, grid=grid), confidence=n / 700))
    whole = places(np.array([[0, 0], [2400, 0], [2400, 2400], [0, 2400]], dtype=float), grid=grid)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    last = tile(tile=str(path), sha256=digest, footprint=whole, cars=tuple(cars), tracks=())
    with History.open(tmp_path / "history.sqlite") as opened:
        for n in range(59):
            one = tile(f"{n}.tif", acquired=dt.datetime(2019, 1, 1, 3, tzinfo=dt.UTC) + dt.timedelta(25 * n))
            opened.record_tile(one, key=KEY)
            opened.record_pass(one_pass(one), key=KEY)
        opened.record_tile(last, key=KEY)
        opened.record_pass(one_pass(last), key=KEY)
    page = made(tmp_path / "history.sqlite")
    assert len(data_of(page)["scene"]["cars"]) == 700
    assert sum(one["crop"] is not None for one in data_of(page)["scene"]["cars"]) == MAX_CROPS
    assert data_of(page)["scene"]["cars"][0]["crop"]
    assert data_of(page)["scene"]["cars"][-1]["crop"] is None
    assert len(page.encode()) < MAX_BYTES


def test_an_existing_report_is_kept(history: Path) -> None:
    made(history)
    target = history.parent / "report.html"
    words = ["report", "--history", str(history), "--site", "tumangang", "-o", str(target)]
    assert CliRunner().invoke(cli, words).exit_code == 1
    assert CliRunner().invoke(cli, [*words, "--overwrite"]).exit_code == 0


def test_another_suffix_is_a_usage_error(history: Path) -> None:
    result = CliRunner().invoke(
        cli, ["report", "--history", str(history), "--site", "tumangang", "-o", "report.pdf"]
    )
    assert result.exit_code == 2
    assert "must end in .html" in result.output


def test_a_site_without_passes_still_has_its_published_counts(history: Path) -> None:
    target = history.parent / "khasan.html"
    words = ["report", "--history", str(history), "--site", "khasan", "-o", str(target)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    page = target.read_text(encoding="utf-8")
    assert "No pass over" in page
    assert "The history holds no pass of this site." in page


def test_the_report_of_a_day_knows_nothing_later(history: Path) -> None:
    page = made(history, "--date", "2019-12-31")
    assert "1 June 2019: 8 railcars" in page
    assert "As of 2019-12-31" in page
    told = data_of(page)["timeline"]
    assert {p["day"] for p in told["points"]} == {"2019-06-01"}
    assert told["periods"] == []
    assert "2023-09-28" not in page
    nothing = made(history, "--date", "2001-01-01", name="nothing.html")
    assert "No pass over" in nothing
    assert data_of(nothing)["timeline"]["points"] == []
