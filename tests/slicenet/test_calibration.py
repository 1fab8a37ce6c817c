import json

import numpy as np
import pytest
from scipy.stats import norm

from slicenet.calibration import RATES, Calibration, Calibrator, Threshold
from slicenet.errors import CheckpointError, ConfigError


def calibrated(subjects=30, voxels=200_000, seed=0):
    rng = np.random.default_rng(seed)
    calibrator = Calibrator()
    for index in range(subjects):
        calibrator.add(rng.standard_normal(voxels).astype(np.float32), float(index))
    return calibrator.finish()


@pytest.mark.parametrize(
    ("text", "kind", "number"), [("fpr:0.01", "fpr", 0.01), ("value:-3", "value", -3.0)]
)
def test_a_threshold_is_read(text, kind, number):
    assert Threshold.parse(text) == Threshold(kind, number)


@pytest.mark.parametrize("text", ["0.01", "fpr:", "fpr:2", "q:0", "best:0.1", "value:nan", "fpr:x"])
def test_what_is_no_threshold_is_refused(text):
    with pytest.raises(ConfigError, match="expected fpr:RATE"):
        Threshold.parse(text)


def test_thresholds_of_normal_scores_are_the_normal_quantiles():
    calibration = calibrated()
    for rate in (1e-3, 1e-2, 2e-2, 5e-2, 0.3):
        wanted = norm.isf(rate)
        assert calibration.value(Threshold("fpr", rate)) == pytest.approx(wanted, abs=0.02)
    by_quantile = calibration.value(Threshold("q", 0.98))
    assert by_quantile == pytest.approx(calibration.value(Threshold("fpr", 0.02)))


def test_the_rate_on_the_calibrating_voxels_is_never_above_the_one_asked():
    rng = np.random.default_rng(1)
    subjects = [np.round(rng.gamma(2, 1 + i / 5, 50_000), 1).astype(np.float32) for i in range(6)]
    calibrator = Calibrator()
    for scores in subjects:
        calibrator.add(scores, 0.0)
    calibration = calibrator.finish()
    for name, value in calibration.thresholds().items():
        rate = np.mean([(scores > value).mean() for scores in subjects])
        assert rate <= float(name.removeprefix("fpr")) * 1.02


def test_every_subject_counts_alike_whatever_its_size():
    rng = np.random.default_rng(2)
    parts = rng.standard_normal(200_000), 3 + rng.standard_normal(20_000)
    calibrator = Calibrator()
    for scores in parts:
        calibrator.add(scores.astype(np.float32), 0.0)
    value = calibrator.finish().value(Threshold("fpr", 0.05))
    assert np.mean([(scores > value).mean() for scores in parts]) == pytest.approx(0.05, abs=0.002)


def test_intervals_hold_the_threshold_and_widen_with_fewer_subjects():
    def widths(subjects):
        rng = np.random.default_rng(3)
        calibrator = Calibrator()
        for _ in range(subjects):
            calibrator.add(
                (rng.standard_normal(20_000) * rng.uniform(0.5, 1.5)).astype(np.float32), 0.0
            )
        found = calibrator.finish()
        for value, (low, high) in zip(found.thresholds().values(), found.intervals, strict=True):
            assert low <= value <= high
        return [high - low for low, high in found.intervals]

    assert all(few > many for few, many in zip(widths(5), widths(80), strict=True))


def test_a_p_value_counts_the_volume_itself():
    calibration = calibrated(19, voxels=1000)
    assert calibration.p_value(1e9) == 1 / 20
    assert calibration.p_value(-1e9) == 1
    assert calibration.p_value(9.5) == 10 / 20


def test_several_volumes_of_one_subject_are_no_more_evidence_than_one():
    scores = [np.random.default_rng(seed).standard_normal(50_000) for seed in range(6)]
    once, thrice = Calibrator(), Calibrator()
    for subject, one in enumerate(scores):
        once.add(one, float(subject))
        for _ in range(3):
            thrice.add(one, float(subject), f"p{subject}")
    one, three = once.finish(), thrice.finish()
    assert three.subjects == 6
    assert three.curve == pytest.approx(one.curve, abs=0.01)
    assert np.array(three.intervals) == pytest.approx(np.array(one.intervals), abs=0.01)
    assert three.p_value(3.5) == one.p_value(3.5) == pytest.approx(3 / 7)


def test_of_a_p_value_each_subject_is_an_equal_part_however_many_volumes_it_has():
    calibrator = Calibrator()
    for score, subject in zip((3.0, 9.0, 1.0, 2.0, 5.0), "abbba", strict=True):
        calibrator.add(np.arange(10.0), score, subject)
    calibration = calibrator.finish()
    # At least as strange as 2.5: both volumes of the one, and a third of the other's.
    assert calibration.p_value(2.5) == pytest.approx((1 + 1 + 1 / 3) / 3)
    assert calibration.p_value(0.0) == 1.0
    assert calibration.subjects == 2


def test_a_calibration_without_weights_counts_volumes_alike():
    table = calibrated(4, 1000).to_table() | {"subjects": 2}
    del table["weights"]
    assert Calibration.from_table(table).p_value(2.5) == (1 + 1 / 2) / 3


def test_volume_scores_are_sorted_however_few_the_subjects():
    for subjects in (("p7",) * 3, ("p7", "p8", "p8")):
        calibrator = Calibrator()
        for subject, score in zip(subjects, (3.0, 1.0, 2.0), strict=True):
            calibrator.add(np.arange(10.0), score, subject)
        assert calibrator.finish().volume_scores == (1.0, 2.0, 3.0)


def test_rates_beyond_what_was_calibrated_are_refused():
    with pytest.raises(ConfigError, match="calibrated from"):
        calibrated(4, 1000).value(Threshold("fpr", 1e-7))


def test_a_calibration_survives_its_way_through_json():
    calibration = calibrated(5, 1000)
    assert Calibration.from_table(json.loads(json.dumps(calibration.to_table()))) == calibration
    assert len(calibration.intervals) == len(RATES)


@pytest.mark.parametrize("table", [{}, {"subjects": "x"}, {"subjects": 1, "curve": 3}])
def test_a_damaged_calibration_is_refused(table):
    with pytest.raises(CheckpointError, match="not readable"):
        Calibration.from_table(table)


def test_nothing_to_calibrate_with_is_refused():
    with pytest.raises(CheckpointError, match="no healthy volume"):
        Calibrator().finish()


def test_intervals_are_those_of_drawing_subjects_with_replacement():
    random = np.random.default_rng(5)
    scores = [random.standard_normal(4000) * random.uniform(0.5, 1.5) for _ in range(8)]
    calibrator = Calibrator()
    for one in scores:
        calibrator.add(one, 0.0)
    low, high = calibrator.finish().intervals[2]
    rate = RATES[2]
    drawn = []
    for _ in range(1000):
        chosen = np.concatenate([scores[one] for one in random.integers(8, size=8)])
        drawn.append(np.quantile(chosen, 1 - rate))
    assert (low, high) == pytest.approx(np.quantile(drawn, (0.025, 0.975)), rel=0.04)
