import numpy as np
import pytest
import torch

from slicenet.backends.zscore import ZScore
from slicenet.cache import Cache
from slicenet.detector import MapSettings
from slicenet.errors import ConfigError
from slicenet.frame import FrameSettings
from slicenet.images.write import write_map
from slicenet.resampling import smooth_inside

SETTINGS = ZScore(frame=FrameSettings(spacing=(4.0, 4.0, 4.0)))


@pytest.fixture(scope="module")
def detector(make_brain, tmp_path_factory):
    made = SETTINGS.build()
    made.fit([make_brain(seed) for seed in range(4)], cache=Cache(tmp_path_factory.mktemp("cache")))
    made.calibrate([make_brain(seed) for seed in range(10, 14)])
    return made


def test_a_path_and_the_volume_behind_it_score_alike(detector, make_brain, tmp_path):
    volume = make_brain(7)
    write_map(tmp_path / "scan.nii.gz", volume.voxels[0].numpy(), volume.grid)
    by_path = detector.score(tmp_path / "scan.nii.gz")
    assert torch.allclose(by_path.scores, detector.score(volume).scores, atol=1e-4)
    assert by_path.name == "scan"


def test_the_map_carries_the_calibration_and_the_volume_score(detector, make_brain):
    healthy, sick = detector.score(make_brain(7)), detector.score(make_brain(7, lesion=True))
    assert sick.volume_score > healthy.volume_score
    assert sick.p_value == 1 / 5
    assert sick.volume_score == pytest.approx(sick.worst(0.01))


def test_fitting_again_forgets_the_calibration(make_brain, tmp_path):
    made = SETTINGS.build()
    made.fit([make_brain(0), make_brain(1)], cache=Cache(tmp_path))
    made.calibrate([make_brain(2)])
    made.fit([make_brain(0), make_brain(1)], cache=Cache(tmp_path))
    assert made.calibration is None


def test_smoothing_is_a_gaussian_of_millimetres_inside_the_brain(detector, make_brain):
    plain, volume = detector, make_brain(3)
    smoothed = ZScore(frame=SETTINGS.frame, map=MapSettings(smooth=8.0)).build()
    smoothed.scorer = plain.scorer
    framed = plain.frame.enter(volume)
    features = plain.extractor.extract(framed)
    lattice = features.lattice(plain.scorer.score(features))
    wanted = smooth_inside(lattice[None], features.inside, (2.0, 2.0, 2.0))[0]
    assert torch.allclose(smoothed._smooth(lattice, features), wanted, atol=1e-5)


def test_progress_is_told_for_every_volume(make_brain, tmp_path):
    told = []
    made = SETTINGS.build()
    volumes = [make_brain(0), make_brain(1)]
    made.fit(volumes, lambda stage, done, total: told.append((stage, done, total)), Cache(tmp_path))
    made.calibrate(volumes, lambda stage, done, total: told.append((stage, done, total)))
    assert told == [
        ("describe", 1, 2),
        ("describe", 2, 2),
        ("calibrate", 1, 2),
        ("calibrate", 2, 2),
    ]


def test_the_outside_of_the_brain_is_zero_and_nothing_is_nan(detector, make_brain):
    anomalies = detector.score(make_brain(5))
    assert (anomalies.scores[~anomalies.brain] == 0).all()
    assert np.isfinite(anomalies.scores.numpy()).all()


@pytest.mark.parametrize("wrong", [{"smooth": -1.0}, {"share": 0.0}, {"share": 1.5}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        MapSettings(**wrong)
