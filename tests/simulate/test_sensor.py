"""The sensor's blur, halo, noise and compression do what their names say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from railcount.simulate.scene import Sensor
from railcount.simulate.sensor import Camera, compress, digitise, expose, settle

GSD_M = 0.5


@pytest.fixture
def camera() -> Camera:
    sensor = Sensor(resolution_m=0.5, pansharpen=False, halo=0.0, snr=1000.0, jpeg_quality=100)
    return settle(sensor, np.random.default_rng(1), gsd_m=GSD_M)


def edge(camera: Camera) -> np.ndarray:
    """The picture of a sharp edge, its mean row."""
    radiance = np.full((3, 80, 160), 0.1, dtype=np.float32)
    radiance[:, :, 80:] = 0.5
    seen = expose(radiance, camera, np.random.default_rng(2), gsd_m=GSD_M, fine=2)
    return seen.mean(axis=(0, 1))


def rise_px(profile: np.ndarray) -> float:
    """Pixels from 10 to 90 % of an edge."""
    at = np.interp([0.14, 0.46], profile[20:60], np.arange(40))
    return float(at[1] - at[0])


def test_a_coarser_sensor_blurs_more(camera: Camera) -> None:
    sharp, soft = (rise_px(edge(replace(camera, resolution_m=r))) for r in (0.5, 1.5))
    # 10-90 % of a Gaussian edge is 2.56 sigma; the pixel's own width adds in squares.
    assert sharp == pytest.approx(np.hypot(2.56 * 0.42, 0.8), abs=0.35)
    assert soft == pytest.approx(np.hypot(2.56 * 0.42 * 3, 0.8), abs=0.5)


def test_halo_overshoots_on_both_sides_of_an_edge(camera: Camera) -> None:
    plain, halo = edge(camera), edge(replace(camera, halo=0.8))
    assert plain.max() < 0.51
    assert halo.max() > 0.53
    assert halo.min() < plain.min() - 0.02


def test_noise_follows_the_ratio_asked_for(camera: Camera) -> None:
    flat = np.full((1, 200, 200), 0.3, dtype=np.float32)
    for snr in (20.0, 80.0):
        seen = expose(flat, replace(camera, snr=snr), np.random.default_rng(3), gsd_m=GSD_M, fine=2)
        # Shot noise with a floor: the root of 1.2 at mean brightness.
        assert float(seen.mean() / seen.std()) == pytest.approx(snr / np.sqrt(1.2), rel=0.1)


def test_pan_sharpened_colour_is_coarser_than_brightness(camera: Camera) -> None:
    radiance = np.full((3, 80, 160), 0.3, dtype=np.float32)
    # Left red, right blue, both equally bright: only colour changes.
    radiance[0, :, :80], radiance[2, :, :80] = 0.5, 0.1
    radiance[0, :, 80:], radiance[2, :, 80:] = 0.1, 0.5
    spread = []
    for pansharpen in (False, True):
        one = replace(camera, pansharpen=pansharpen, colour_shift_px=(0.0, 0.0))
        seen = expose(radiance, one, np.random.default_rng(2), gsd_m=GSD_M, fine=2)
        spread.append(rise_px(seen[2].mean(axis=0)))
    assert spread[1] > 2 * spread[0]


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_compression_loses_more_at_lower_quality(bands: int) -> None:
    picture = np.random.default_rng(4).uniform(40, 200, (bands, 45, 61)).astype(np.float32)
    losses = [float(np.abs(compress(picture, quality) - picture).mean()) for quality in (100, 95, 60, 20)]
    assert losses[0] == 0
    assert losses[1] < losses[2] < losses[3]
    assert compress(picture, 30).shape == picture.shape
    flat = np.full((bands, 16, 16), 90.0, dtype=np.float32)
    assert np.abs(compress(flat, 90) - flat).max() < 2


def test_cloud_does_not_darken_the_ground(camera: Camera) -> None:
    ground = np.random.default_rng(5).uniform(0.1, 0.4, (3, 60, 60)).astype(np.float32)
    cloudy = ground.copy()
    cloudy[:, :, 40:] = 1.5
    everywhere = np.ones((60, 60), dtype=bool)
    clear = np.zeros((60, 60), dtype=bool)
    clear[:, :40] = True
    one = replace(camera, saturation=1.0)
    plain = digitise(ground, one, np.random.default_rng(6), valid=everywhere, clear=everywhere)
    under = digitise(cloudy, one, np.random.default_rng(6), valid=everywhere, clear=clear)
    assert abs(float(np.median(plain[:, :, :40])) - float(np.median(under[:, :, :40]))) < 6
    assert np.median(under[:, :, 40:]) == 255
