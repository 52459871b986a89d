"""A review from its start to the corrected number in ``history show``, in a headless Chromium.

Skipped where Debian's chromium and chromium-driver are not installed; nothing is downloaded.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from railcount.cli.main import cli
from tests.outputs.report.conftest import EVIL
from tests.outputs.report.test_browser import browser, one, press, pytestmark

from .conftest import last_pass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["browser", "pytestmark"]

ENTER, RIGHT = "\ue007", "\ue014"


@dataclass(kw_only=True)
class Running:
    """The command as an analyst starts it."""

    process: subprocess.Popen[str]

    def address(self) -> str:
        """The next one that it prints."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\S+", line):
                return found[0]
        raise AssertionError("it ended without an address")

    def end(self) -> tuple[int, str, str]:
        """Ctrl-C: exit code, standard output and the rest of standard error."""
        self.process.send_signal(signal.SIGINT)
        out, error = self.process.communicate(timeout=60)
        return self.process.returncode, out, error


@pytest.fixture
def running(history: Path) -> Iterator[Running]:
    words = ["review", "--history", str(history), "--who", "Ana", "--why", "a shed"]
    process = subprocess.Popen(
        [sys.executable, "-m", "railcount", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    with process:
        yield Running(process=process)
        process.kill()


@pytest.fixture
def page(running: Running, browser: Any) -> Any:
    visit(browser, running.address())
    return browser


def visit(browser: Any, address: str) -> None:
    browser.get(address)
    until(browser, lambda: browser.execute_script("return document.body.dataset.ready") == "yes")


def until(page: Any, is_so: Any) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(page, 60, poll_frequency=0.05).until(lambda _: is_so())


def says(page: Any, words: str) -> None:
    """Wait for a message."""
    until(page, lambda: words in one(page, "#message").text)


def do(page: Any, key: str, words: str) -> None:
    press(page, key)
    says(page, words)


def test_from_the_start_to_the_number_in_history_show(page: Any, running: Running, history: Path) -> None:
    assert one(page, "h1").text == "3 railcars machine: 3 (2-5)"
    assert one(page, "#name").text == "Car 1.3: gondola"
    do(page, "r", "Rejected 1.3")
    assert one(page, "#name").text == "Car 1.2: gondola"
    do(page, "s", "Split 1.2 in 2")
    do(page, "3", "Car 1.2 is tank")
    assert one(page, "#fate").text == "split in 2, now tank"
    do(page, "a", "Accepted 1.2")
    do(page, "a", "Every car is decided")
    press(page, "n")
    until(page, lambda: page.find_elements("css selector", "#view .ghost"))
    do(page, ENTER, "Added a car")
    do(page, "4", "is flat")
    do(page, "u", "Took back: kind")
    assert one(page, "#name").text == "Car added: unknown"
    assert one(page, "#railcars").text == "4 railcars"
    press(page, "c")
    until(page, lambda: page.switch_to.active_element.get_attribute("id") == "best")
    assert one(page, "#why").get_attribute("value") == "a shed"
    press(page, ENTER)
    says(page, "Entered: 4")
    assert one(page, "#entered").text.startswith("Entered as 4 by Ana at 20")
    assert page.get_log("browser") == []
    code, out, _ = running.end()
    assert code == 0
    assert re.match(r"4 railcars after 6 decisions: .*; entered as 4 by Ana at 20\S+: a shed\n$", out)
    shown = CliRunner().invoke(cli, ["history", "show", last_pass(history).id, "--history", str(history)])
    assert "railcars  3 (2-5)" in shown.stdout
    assert "by hand   4, in place of the machine's" in shown.stdout
    assert "review    4 railcars after 6 decisions: 1 accepted, 1 rejected, 1 split" in shown.stdout
    assert re.search(r"count-\d+ .* 4 cars, .*Ana.*\[by Ana, at 20\S+, a shed\]", shown.stdout)
    words = ["history", "show", last_pass(history).id, "--history", str(history), "--format", "json"]
    (detail,) = json.loads(CliRunner().invoke(cli, words).stdout)["passes"]
    assert detail["hand"]["best"] == detail["review"]["railcars"] == 4
    assert detail["review"]["decisions"] == 6
    assert detail["railcars"]["best"] == 3


def test_nothing_is_lost_when_the_browser_closes(page: Any, running: Running, history: Path) -> None:
    do(page, "r", "Rejected 1.3")
    # As good as closed: the page is gone, and its cookie with it.
    page.get("about:blank")
    page.execute_cdp_cmd("Network.clearBrowserCookies", {})
    address = running.address()
    visit(page, address)
    assert one(page, "#railcars").text == "2 railcars"
    assert one(page, "#name").text == "Car 1.2: gondola"
    do(page, "u", "Took back: reject")
    assert one(page, "#railcars").text == "3 railcars"
    assert one(page, "#name").text == "Car 1.3: gondola"
    page.execute_cdp_cmd("Network.clearBrowserCookies", {})
    page.get(address)
    assert one(page, "body").text == "open the address that railcount printed last"
    code, out, _ = running.end()
    assert (code, out) == (0, "3 railcars after 0 decisions; not entered as the count\n")


def test_keys_that_come_fast_each_find_their_car(page: Any) -> None:
    press(page, "r", "a", "r", "n", ENTER, "2")
    says(page, "is covered")
    assert one(page, "#railcars").text == "2 railcars"
    assert "1 accepted, 2 rejected, 1 added" in one(page, "#said").text


def test_pictures_are_there_and_names_are_text(page: Any) -> None:
    until(
        page, lambda: page.execute_script("return document.getElementById('strip-image').naturalWidth") > 80
    )
    assert one(page, "#strip-image").get_attribute("alt") == "straightened track around car 1.3"
    until(page, lambda: len(page.find_elements("css selector", "#view image")) == 1)
    assert len(page.find_elements("css selector", "#view polygon.car")) == 3
    assert EVIL in one(page, "#caption").text
    assert page.execute_script("return window.hacked") is None
    elsewhere = page.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
    start = re.match(r"http://127\.0\.0\.1:\d+/[\w-]+/", page.current_url)
    assert start
    assert all(name.startswith((start[0], "data:")) for name in elsewhere)
    assert page.get_log("browser") == []


def test_by_mouse(page: Any) -> None:
    page.find_elements("css selector", "#list button")[1].click()
    until(page, lambda: one(page, "#name").text == "Car 1.2: gondola")
    one(page, "[data-do=reject]").click()
    says(page, "Rejected 1.2")
    one(page, "[data-kind=tank]").click()
    says(page, "is tank")
    one(page, "[data-do=add]").click()
    until(page, lambda: one(page, "#place").is_displayed())
    one(page, "[data-do=leave]").click()
    until(page, lambda: one(page, "#choose").is_displayed())
    one(page, "[data-do=undo]").click()
    says(page, "Took back: kind")


def test_what_was_not_kept_is_said(page: Any, running: Running) -> None:
    running.end()
    do(page, "r", "this was not kept")
    assert one(page, "#railcars").text == "3 railcars"


def test_letters_in_the_form_are_letters_and_the_page_fits(page: Any) -> None:
    one(page, "#why").clear()
    one(page, "#why").send_keys("arsnu 12")
    assert one(page, "#why").get_attribute("value") == "arsnu 12"
    assert "No decision" not in one(page, "#message").text
    assert one(page, "#railcars").text == "3 railcars"
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    colour = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(20, 23, 27)"
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert page.execute_script("return document.documentElement.scrollWidth") == 390
