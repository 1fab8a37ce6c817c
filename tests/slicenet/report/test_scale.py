import numpy as np
import pytest
import torch

from slicenet.calibration import Threshold
from slicenet.report.scale import PARTS, calibrated, uncalibrated
from tests.slicenet.report.conftest import calibration


@pytest.mark.parametrize("asked", ["fpr:0.01", "fpr:0.0123", "value:2.2", "value:40"])
def test_above_a_knot_lies_what_a_mask_at_that_threshold_marks(asked):
    healthy = calibration()
    value = healthy.value(Threshold.parse(asked))
    scale = calibrated(healthy, value)
    # Right at the threshold too, in the precision of a map.
    scores = np.abs(np.random.default_rng(0).normal(size=5000) * 2).astype(np.float32)
    scores[:3] = value, np.nextafter(np.float32(value), 9), np.nextafter(np.float32(value), 0)
    expected = (torch.from_numpy(scores) > value).numpy()
    np.testing.assert_array_equal(scale.levels(scores) > scale.asked, expected)


def test_every_threshold_is_the_one_of_its_rate():
    healthy = calibration()
    scale = calibrated(healthy, None)
    assert scale.rates[0] == pytest.approx(0.2)
    assert scale.rates[-1] == pytest.approx(1e-4)
    for rate, knot in zip(scale.rates, scale.knots[: len(scale.rates)], strict=True):
        assert knot == healthy.value(Threshold("fpr", rate))
    assert list(scale.knots) == sorted(scale.knots)
    assert len(scale.knots) < 255


def test_a_score_is_known_from_its_level_and_its_part_of_it():
    scale = calibrated(calibration(), 2.0)
    scores = np.linspace(0, 12, 4000).astype(np.float32)
    edges = scale.edges(0.0, 12.0)
    levels, parts = scale.levels(scores).astype(int), scale.parts(scores, edges)
    width = edges[levels + 1] - edges[levels]
    found = edges[levels] + (parts + 0.5) / PARTS * width
    assert (np.abs(found - scores) <= width / PARTS + 1e-6).all()


def test_without_a_calibration_no_rate_is_told():
    scores = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    scale = uncalibrated(scores, 1.0)
    assert scale.rates == ()
    assert scale.knots[scale.asked] == 1.0
    np.testing.assert_array_equal(scale.levels(scores) > scale.asked, scores > 1.0)
    assert uncalibrated(np.zeros(5, np.float32), None).thresholds > 1
