"""What a page is told, and what becomes of what it sends."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from railcount.errors import InputError
from railcount.history import History
from railcount.outputs.review.session import Session
from tests.history.factories import KEY, car, one_pass, tile, uncounted

from .conftest import last_pass

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def by_name(session: Session) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in session.state()["vehicles"]}


def pixels(picture: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def is_red(pixel: NDArray[np.uint8]) -> bool:
    r, g, b = (int(v) for v in pixel)
    return r > 150 and g < 90 and b < 90


def middle(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return rgb[rgb.shape[0] // 2, rgb.shape[1] // 2]


def test_the_doubtful_come_first(session: Session) -> None:
    told = session.state()["vehicles"]
    assert [one["name"] for one in told] == ["1.3", "1.2", "1.1"]
    assert [one["doubtful"] for one in told] == [True, True, False]
    assert [one["confidence"] for one in told] == [0.3, 0.6, 0.9]
    assert told[0]["flags"] == ["in shadow", "seam"]


def test_each_decision_is_in_the_history_when_it_is_answered(session: Session, history: Path) -> None:
    cars = by_name(session)
    steps: list[tuple[dict[str, Any], int]] = [
        ({"action": "reject", "car": cars["1.3"]["id"]}, 2),
        ({"action": "split", "car": cars["1.2"]["id"], "parts": 3}, 4),
        ({"action": "kind", "car": cars["1.1"]["id"], "kind": "locomotive"}, 3),
        ({"action": "accept", "car": cars["1.3"]["id"]}, 4),
    ]
    for n, (asked, railcars) in enumerate(steps, start=1):
        assert session.decide(asked)["railcars"] == railcars
        with History.open(history, readonly=True) as opened:
            last = opened.reviews().decisions(last_pass(history).id)
        assert (len(last), last[-1].action, last[-1].who) == (n, asked["action"], "Ana")
    again = Session(last_pass(history), history=history, who="Ben")
    assert again.state() == {**session.state(), "who": "Ben"}
    assert "4 railcars after 4 decisions" in again.state()["said"]


def test_undo_goes_back_over_earlier_sittings(session: Session, history: Path) -> None:
    cars = by_name(session)
    session.decide({"action": "reject", "car": cars["1.3"]["id"]})
    again = Session(last_pass(history), history=history, who="Ben")
    again.decide({"action": "reject", "car": cars["1.2"]["id"]})
    told = again.undo({})
    assert (told["railcars"], told["undone"]) == (2, cars["1.2"]["id"])
    assert again.undo({})["railcars"] == 3
    with pytest.raises(InputError, match="no decision"):
        again.undo({})


def test_a_car_is_added_where_it_was_put(session: Session, history: Path) -> None:
    x, y = np.mean(by_name(session)["1.1"]["ring"], axis=0).tolist()
    ring = [[x - 22, y - 1.5], [x - 22, y + 1.5], [x - 8, y + 1.5], [x - 8, y - 1.5]]
    told = session.decide({"action": "add", "ring": ring, "kind": "tank"})
    added = {one["name"]: one for one in told["vehicles"]}["added"]
    assert told["railcars"] == 4
    assert np.allclose(added["ring"], ring, atol=0.02)
    assert (added["kind"], added["length_m"], added["confidence"]) == ("tank", 14.0, None)
    with pytest.raises(InputError, match="stands there already"):
        session.decide({"action": "add", "ring": ring, "kind": "tank"})
    told = session.decide({"action": "reject", "car": added["id"]})
    assert told["railcars"] == 3
    assert "added" not in [one["name"] for one in told["vehicles"]]


def test_the_count_is_entered_beside_the_machines(session: Session, history: Path) -> None:
    session.decide({"action": "reject", "car": by_name(session)["1.3"]["id"]})
    assert session.result() == "2 railcars after 1 decision: 1 rejected; not entered as the count"
    told = session.enter({"best": 2, "low": 2, "high": 3, "why": "  a shed  "})
    assert told["entered"] == 2
    assert "; entered as 2 (2-3) by Ana at 20" in session.result()
    assert session.result().endswith(": a shed")
    with History.open(history, readonly=True) as opened:
        (one,) = opened.summaries(pass_id=last_pass(history).id)
    assert one.railcars is not None
    assert one.hand is not None
    assert (one.railcars.best, one.hand.observation.best, one.hand.observation.high) == (3, 2, 3)
    assert (one.hand.who, one.hand.why) == ("Ana", "a shed")
    assert one.hand.at is not None
    assert abs(dt.datetime.now(dt.UTC) - one.hand.at) < dt.timedelta(hours=1)
    assert one.hand.observation.notes == "review: 2 railcars after 1 decision: 1 rejected"
    session.undo({})
    assert session.result().startswith("3 railcars after 0 decisions; entered as 2 (2-3) by Ana at 20")


def test_pictures_are_of_the_place(session: Session) -> None:
    """The first car is painted red."""
    cars = by_name(session)
    x, y = np.mean(cars["1.1"]["ring"], axis=0)
    for width in (40, 80, 160):
        rgb = pixels(session.view(x, y, width))
        assert rgb.shape[1] / rgb.shape[0] == pytest.approx(1.5, abs=0.02)
        assert is_red(middle(rgb))
        assert not is_red(rgb[5, 5])
    # 10 m north of it there is none, and 5 m east of its middle there still is.
    assert not is_red(middle(pixels(session.view(x, y + 10, 40))))
    assert is_red(middle(pixels(session.view(x + 5, y, 40))))
    assert is_red(middle(pixels(session.strip(cars["1.1"]["id"]))))
    assert not is_red(middle(pixels(session.strip(cars["1.2"]["id"]))))


def test_beyond_the_image_it_is_grey(session: Session) -> None:
    x, y = np.mean(by_name(session)["1.1"]["ring"], axis=0)
    rgb = pixels(session.view(x, y + 500, 80)).reshape(-1, 3)
    assert np.ptp(rgb, axis=0).max() <= 4


def test_without_the_image_there_are_decisions_still(history: Path, image: Path) -> None:
    image.unlink()
    session = Session(last_pass(history), history=history, who="Ana")
    setting = session.setting()
    assert setting["has_pictures"] is False
    assert "a.tif is not shown" in setting["words"][0]
    assert session.decide({"action": "reject", "car": by_name(session)["1.3"]["id"]})["railcars"] == 2


def test_a_first_tile_that_could_not_be_opened_does_not_move_the_map(session: Session, history: Path) -> None:
    one = last_pass(history)
    lost = tile("0.tif", status="failed", crs=None, gsd_m=None, footprint=(), cars=(), tracks=())
    more = Session(replace(one, tiles=(lost, *one.tiles)), history=history, who="Ana")
    assert np.allclose(by_name(more)["1.1"]["ring"], by_name(session)["1.1"]["ring"])


def test_texts_of_strangers_are_escaped(history: Path) -> None:
    name = "\x1b[2J\u202e<b>"
    record = tile("evil.tif", credit=name, cars=(car(0, track=name, flags=(name,)),), n=1)
    with History.open(history) as opened:
        opened.record_tile(record, key=KEY)
        opened.record_pass(one_pass(record, pass_id=name), key=KEY)
        (one,) = opened.passes(pass_id=name)
    state = Session(one, history=history, who=name, why=name).state()
    (vehicle,) = state["vehicles"]
    texts = [state["pass"], state["credit"], state["who"], vehicle["track"], vehicle["flags"][0]]
    assert all(text.isprintable() for text in texts)


def test_cars_in_pixels_and_passes_without_a_count(history: Path) -> None:
    plain = tile("p.tif", pixels=True, site=None, footprint=((0, 0), (900, 0), (900, 500), (0, 500)))
    cloudy = uncounted("c.tif", acquired=dt.date(2022, 2, 2))
    with History.open(history) as opened:
        for record, name in ((plain, "pixels"), (cloudy, "cloudy")):
            opened.record_tile(record, key=KEY)
            opened.record_pass(one_pass(record, pass_id=name), key=KEY)
        passes = {one.id: one for one in opened.passes()}
    for name, before in (("pixels", 3), ("cloudy", 0)):
        session = Session(passes[name], history=history, who="Ana")
        west, south, *_ = (float(v) for v in session.pictures.box)
        ring = [[west, south], [west, south + 3], [west + 14, south + 3], [west + 14, south]]
        assert session.state()["railcars"] == before
        told = session.decide({"action": "add", "ring": ring, "kind": "unknown"})
        assert told["railcars"] == before + 1
        (added,) = (one for one in told["vehicles"] if one["name"] == "added")
        assert np.allclose(added["ring"], ring, atol=0.02)


def test_a_pass_without_a_date_is_not_reviewed(history: Path) -> None:
    record = tile("u.tif", acquired=None, site=None)
    with History.open(history) as opened:
        opened.record_tile(record, key=KEY)
        opened.record_pass(one_pass(record, pass_id="undated"), key=KEY)
        (one,) = opened.passes(pass_id="undated")
    with pytest.raises(InputError, match="has no date"):
        Session(one, history=history, who="Ana")


def test_a_pass_that_went_meanwhile(session: Session, history: Path) -> None:
    with History.open(history) as opened:
        opened.remove(last_pass(history).id)
    with pytest.raises(InputError, match="no longer in the history"):
        session.state()
