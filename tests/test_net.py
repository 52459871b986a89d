"""The numpy network against convolution written out."""

from __future__ import annotations

import numpy as np
import pytest

from railcount import net
from railcount.net import Layer, Net, load_net


def layer(rng: np.random.Generator, shape: tuple[int, int, int, int], **fields: object) -> Layer:
    given = {
        "stride_rows": 1,
        "dilation_cols": 1,
        "pad_rows": 0,
        "rectify": False,
        "residual": False,
    } | fields
    return Layer(
        rng.normal(size=shape).astype(np.float32), rng.normal(size=shape[0]).astype(np.float32), **given
    )  # type: ignore[arg-type]


def convolved(x: Layer, image: np.ndarray) -> np.ndarray:
    n_out, n_in, k_rows, k_cols = x.weight.shape
    pad = (k_cols - 1) // 2 * x.dilation_cols
    padded = np.pad(image, ((0, 0), (x.pad_rows,) * 2, (pad,) * 2))
    rows = (padded.shape[1] - k_rows) // x.stride_rows + 1
    out = np.zeros((n_out, rows, image.shape[2]))
    for o in range(n_out):
        for r in range(rows):
            for c in range(image.shape[2]):
                for i in range(n_in):
                    for kr in range(k_rows):
                        for kc in range(k_cols):
                            pixel = padded[i, r * x.stride_rows + kr, c + kc * x.dilation_cols]
                            out[o, r, c] += x.weight[o, i, kr, kc] * pixel
        out[o] += x.bias[o]
    return out


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ((3, 2, 3, 5), {"pad_rows": 1}),
        ((2, 2, 2, 3), {"stride_rows": 2}),
        ((2, 2, 1, 3), {"dilation_cols": 3}),
    ],
)
def test_layer(shape: tuple[int, int, int, int], fields: dict[str, int]) -> None:
    rng = np.random.default_rng(0)
    one = layer(rng, shape, **fields)
    image = rng.normal(size=(2, 6, 11)).astype(np.float32)
    np.testing.assert_allclose(Net((one,))(image), convolved(one, image), rtol=1e-4, atol=1e-4)


def test_rectify_and_residual() -> None:
    rng = np.random.default_rng(1)
    one = layer(rng, (2, 2, 3, 3), pad_rows=1, rectify=True, residual=True)
    image = rng.normal(size=(2, 4, 7)).astype(np.float32)
    expected = np.maximum(convolved(one, image) + image, 0)
    np.testing.assert_allclose(Net((one,))(image), expected, rtol=1e-4, atol=1e-4)


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    both = Net((layer(rng, (2, 2, 1, 5)), layer(rng, (1, 2, 1, 3), dilation_cols=2)))
    image = rng.normal(size=(2, 1, 40)).astype(np.float32)
    whole = both(image)
    monkeypatch.setattr(net, "BUFFER_FLOATS", 7)
    np.testing.assert_allclose(both(image), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["cars", "coarse", "kinds", "rows"])
def test_shipped_networks_load(name: str) -> None:
    assert len(load_net(name).layers) > 3


@pytest.mark.parametrize("name", ["cars", "kinds", "rows"])
def test_an_answer_depends_on_what_is_in_reach_and_on_nothing_else(name: str) -> None:
    net = load_net(name)
    image = np.random.default_rng(0).normal(size=(net.layers[0].weight.shape[1], 16, 400)).astype(np.float32)
    image[3:] = np.abs(image[3:])
    other = image.copy()
    other[..., 200] += 5.0
    changed = np.flatnonzero((np.abs(net(other) - net(image)) > 1e-6).any(axis=(0, 1)))
    assert changed.min() >= 200 - net.reach
    assert changed.max() <= 200 + net.reach
    assert changed.max() - changed.min() > net.reach
