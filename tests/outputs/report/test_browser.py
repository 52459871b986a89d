"""The report in a headless Chromium: it opens from a file, complains of nothing, and can be used.

Skipped where Debian's chromium and chromium-driver are not installed; nothing is downloaded.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from railcount.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="needs a browser: apt-get install chromium chromium-driver",
    ),
    # Of selenium itself, whose sockets close when Python likes.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for word in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--window-size=1200,900", f"--user-data-dir={tmp_path / 'profile'}",
    ):  # fmt: skip
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, history: Path) -> Any:
    target = history.parent / "report.html"
    words = ["report", "--history", str(history), "--site", "tumangang", "-o", str(target)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    browser.get(target.as_uri())
    return browser


def one(page: Any, selector: str) -> Any:
    return page.find_element("css selector", selector)


def press(page: Any, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(page).send_keys(*keys).perform()


def test_opens_without_a_complaint_and_runs_nobody_elses_script(page: Any) -> None:
    assert page.get_log("browser") == []
    assert page.execute_script("return window.hacked") is None
    assert page.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)") == []
    assert one(page, "#timeline svg").is_displayed()
    assert one(page, "#kinds svg").is_displayed()
    assert len(page.find_elements("css selector", "#map path.car")) == 3


def test_lines_are_drawn_in_the_legend_as_in_the_chart(page: Any) -> None:
    drawn = page.execute_script(
        "const chart = echarts.getInstanceByDom(document.getElementById('timeline'));"
        "const { legend, series } = chart.getOption();"
        "return legend[0].data.map((name) => [name, series.find((s) => s.name === name.name)])"
        ".filter(([, line]) => line)"
        ".map(([name, line]) => [line.lineStyle.type, name.icon.split('Z').length - 1])"
    )
    assert drawn
    assert {tuple(one) for one in drawn} <= {("dotted", 4), ("dashed", 2)}


def test_tracks_can_be_seen_where_the_image_is_gone(page: Any, history: Path, image: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    def colours() -> set[str]:
        lines = page.find_elements("css selector", "#map path:not(.car)")
        return {line.get_attribute("stroke") for line in lines}

    assert "#ffffff" in colours()
    image.unlink()
    target = history.parent / "gone.html"
    words = ["report", "--history", str(history), "--site", "tumangang", "-o", str(target)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    page.get(target.as_uri())
    WebDriverWait(page, 60).until(lambda _: colours())  # the map is drawn when the page is there already
    assert "#888" in colours()
    assert "#ffffff" not in colours()


def test_a_click_on_a_car_shows_its_card(page: Any) -> None:
    assert not one(page, "#car").is_displayed()
    car = page.find_elements("css selector", "#map path.car")[0]
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", car)
    car.click()
    text = one(page, "#card").text
    assert "Car 1.1: gondola" in text
    assert "14.0 m" in text
    assert "0.90" in text
    assert page.execute_script("return document.getElementById('crop-image').naturalWidth") > 80
    assert one(page, "#crop-image").get_attribute("alt") == "straightened track around car 1.1"


def test_cars_by_keyboard(page: Any) -> None:
    car = page.find_elements("css selector", "#map path.car")[1]
    page.execute_script("arguments[0].focus()", car)
    press(page, "\ue007")
    assert one(page, "#car-name").text == "Car 1.2: gondola"
    one(page, "#doubtful").click()
    assert one(page, "#car-name").text == "Car 1.3: gondola"


def test_the_time_line_says_its_counts_to_mouse_and_keyboard(page: Any) -> None:
    page.execute_script("document.getElementById('timeline').focus()")
    press(page, "\ue014")
    assert one(page, "#said").text.startswith("2019-06-01: 8 (7-9) cars")
    assert "8 (7-9) cars" in one(page, "#timeline .tip").text
    seen = []
    for _ in range(12):
        press(page, "\ue014")
        seen.append(one(page, "#said").text)
    assert any("not counted" in text for text in seen)
    assert any("<script>window.hacked=1</script>" in text for text in seen)
    assert page.execute_script("return window.hacked") is None
    assert page.get_log("browser") == []


def test_layers_are_switched(page: Any) -> None:
    page.execute_script(
        "[...document.querySelectorAll('.leaflet-control-layers-selector')]"
        ".find((box) => box.parentElement.textContent.trim() === 'cars').click()"
    )
    assert page.find_elements("css selector", "#map path.car") == []


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_nothing_sticks_out(page: Any, width: int) -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.refresh()
    assert page.execute_script("return document.documentElement.scrollWidth") == width
    for table in page.find_elements("css selector", ".scroll"):
        page.execute_script("arguments[0].closest('details')?.setAttribute('open', '')", table)
        wide, seen = page.execute_script("return [arguments[0].scrollWidth, arguments[0].clientWidth]", table)
        assert wide == seen, table.get_attribute("aria-label")
    day, hour = (one(page, f"#passes tbody th {name}").rect for name in (".day", "small"))
    assert hour["x"] > day["x"] + day["width"]  # apart, though the line break between them is gone
    cell = one(page, "#passes td.count")
    words = page.execute_script("return getComputedStyle(arguments[0], '::before').content", cell)
    assert words == '"railcars "'


def test_a_root_axis_draws_counts_at_their_roots(page: Any) -> None:
    def heights() -> dict[str, float]:
        """Of the marks of railcount's counts of 8 and 3 and the published 73 above the axis, in pixels."""
        return dict(
            page.execute_script(
                "const chart = echarts.getInstanceByDom(document.getElementById('timeline'));"
                "const series = chart.getOption().series.filter((s) => s.type === 'scatter');"
                "const zero = chart.convertToPixel('grid', [0, 0])[1];"
                "return series.flatMap((s) => s.data.map((d) =>"
                " [String(d.p.y), zero - chart.convertToPixel('grid', d.value)[1]]))"
            )
        )

    plain = heights()
    assert plain["73"] / plain["8"] == pytest.approx(73 / 8, rel=0.01)
    button = one(page, "#root")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    rooted = heights()
    assert rooted["73"] / rooted["8"] == pytest.approx((73 / 8) ** 0.5, rel=0.01)
    labels = [text.text for text in page.find_elements("css selector", "#timeline svg text")]
    assert {"0", "5", "20", "50"} <= set(labels)
    assert page.get_log("browser") == []


def test_dark_mode_is_dark(page: Any) -> None:
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    colour = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(20, 23, 27)"


def test_prints(page: Any) -> None:
    import base64

    printed = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert printed.startswith(b"%PDF-")
    assert page.get_log("browser") == []
