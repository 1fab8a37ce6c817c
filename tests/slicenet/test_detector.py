import time
from dataclasses import replace
from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
import torch

from slicenet.backends.zscore import ZScore
from slicenet.cache import Cache
from slicenet.detector import Detector, MapSettings
from slicenet.drift import DriftSettings, steady
from slicenet.errors import ConfigError
from slicenet.extractors.intensity import IntensityExtractor, IntensitySettings
from slicenet.features import Extractor, FeatureMap
from slicenet.frame import Frame, FrameSettings
from slicenet.images.write import write_map
from slicenet.resampling import smooth_inside
from slicenet.scorers.zscore import ZScoreScorer, ZScoreSettings
from slicenet.scoring import Scorer
from slicenet.simulation import SimulationSettings
from slicenet.simulation.settings import JitterSettings

TURNS = [
    np.array([axes, flips]).T
    for axes in permutations(range(3))
    for flips in product((1, -1), repeat=3)
]
GRIDS = {  # shape, spacing in mm, angle of the axes to the world's
    "plain": ((44, 52, 40), (3, 3, 3), 0),
    "oblique": ((44, 52, 40), (3, 3, 3), 30),
    "flat": ((60, 72, 16), (1.5, 1.5, 6), 0),
    "thin": ((100, 120, 12), (0.5, 0.5, 6), 30),
    "slice": ((60, 72, 1), (2, 2, 5), 0),
}
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


def test_a_volume_described_before_is_judged_as_it_scores(detector, make_brain, tmp_path):
    volumes = [make_brain(7), make_brain(8, lesion=True)]
    for _ in range(2):  # described, then taken from the cache
        described = detector.maps(volumes, cache=Cache(tmp_path))
        for features, volume in zip(described, volumes, strict=True):
            found, wanted = detector.judge(features, volume), detector.score(volume)
            assert torch.allclose(found.scores, wanted.scores, 1e-2, 0.1)  # half precision
            assert found.volume_score == pytest.approx(wanted.volume_score, rel=1e-2)


@pytest.fixture(scope="module", params=sorted(GRIDS))
def straight(request, detector, make_brain, tmp_path_factory):
    """A scan on one of GRIDS, and the map of it as stored."""
    shape, spacing, angle = GRIDS[request.param]
    volume, folder = make_brain(5, shape=shape), tmp_path_factory.mktemp("turns")
    turn = nib.eulerangles.euler2mat(z=np.radians(angle))
    affine = nib.affines.from_matvec(turn @ np.diag(spacing), (-50, -60, -40))
    image = nib.Nifti1Image(volume.voxels[0].numpy(), affine)
    nib.save(image, folder / "scan.nii.gz")
    detector.score(folder / "scan.nii.gz").write(folder / "map.nii.gz")
    return image, nib.load(folder / "map.nii.gz")


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_49_the_map_of_a_turned_scan_is_the_turned_map(detector, straight, turn, tmp_path):
    image, wanted = (one.as_reoriented(turn) for one in straight)
    nib.save(image, tmp_path / "scan.nii.gz")
    detector.score(tmp_path / "scan.nii.gz").write(tmp_path / "map.nii.gz")
    found = nib.load(tmp_path / "map.nii.gz")
    assert np.allclose(found.affine, wanted.affine, atol=1e-5)
    assert np.abs(np.asarray(found.dataobj) - np.asarray(wanted.dataobj)).max() < 1e-4
    assert np.asarray(found.dataobj).any()


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


def test_a_map_by_its_own_level_leaves_the_volume_score_alone(make_brain, tmp_path):
    drift = DriftSettings("level")
    settings = replace(SETTINGS, map=MapSettings(drift=drift))
    plain, own = SETTINGS.build(), settings.build()
    for made in (plain, own):
        made.fit([make_brain(seed) for seed in range(4)], cache=Cache(tmp_path))
    before, after = (made.score(make_brain(7, lesion=True)) for made in (plain, own))
    assert after.volume_score == before.volume_score
    assert torch.equal(after.scores, steady(before.scores, before.brain, drift))
    assert not torch.equal(after.scores, before.scores)


class Learner(Extractor):
    """Counts how often it has learnt the mean of the volumes."""

    learns = True
    fits = 0

    def __init__(self, settings=1):
        super().__init__()
        self.settings = settings
        self.register_buffer("mean", torch.zeros(()))

    def fit(self, volumes, watch, savepoint):
        Learner.fits += 1
        time.sleep(0.1)
        self.mean = torch.stack([volume.voxels.mean() for volume in volumes]).mean()

    def extract(self, volume):
        return FeatureMap(volume.voxels[0][volume.brain][:, None] - self.mean, volume.brain)


def test_two_scorers_of_one_extractor_wait_for_its_learning_once(make_brain, tmp_path):
    cache, brains = Cache(tmp_path), [make_brain(seed) for seed in range(4)]

    def fitted(extractor, volumes):
        finish = MapSettings()
        made = Detector(Frame(SETTINGS.frame), extractor, ZScoreScorer(ZScoreSettings()), finish)
        made.fit(volumes, cache=cache)
        return made

    first, again = fitted(Learner(), brains), fitted(Learner(), brains)
    assert Learner.fits == 1
    assert first.saved == 0
    assert 0.1 <= again.saved < 10
    assert torch.equal(first.extractor.mean, again.extractor.mean)
    assert torch.equal(first.score(brains[0]).scores, again.score(brains[0]).scores)
    fitted(Learner(), brains[:3])
    fitted(Learner(settings=2), brains)
    assert Learner.fits == 3
    # An extractor may divide volumes by their subjects: whose they are is part of the lesson.
    fitted(Learner(), [replace(brain, subject="one") for brain in brains])
    assert Learner.fits == 4


class Listener(Scorer):
    """Keeps what it is shown."""

    lesions = SimulationSettings(
        mean=1.0, least=1, smallest=12.0, jitter=JitterSettings(*[0.0] * 6)
    )
    settings = None

    def fit(self, maps, watch):
        self.walks = [list(maps), list(maps)]

    def score(self, features):
        return features.vectors[:, 0]


def test_a_scorer_that_asks_sees_simulated_lesions_beside_the_healthy(make_brain, tmp_path):
    scorer, finish = Listener(), MapSettings()
    extractor = IntensityExtractor(IntensitySettings())
    made = Detector(Frame(SETTINGS.frame), extractor, scorer, finish)
    made.fit([make_brain(seed) for seed in range(3)], cache=Cache(tmp_path))
    for walk in scorer.walks:
        healthy, lesioned = walk[:3], walk[3:]
        assert all(features.strange is None for features in healthy)
        assert all(len(features.strange) == len(features.vectors) for features in lesioned)
        lesioned = [features for features in lesioned if features.strange.any()]
        assert len(lesioned) >= 2  # one that cannot be seen is none
        for sick in lesioned:
            # Its healthy twin is the one that it shares most cells with, to the last bit.
            change = min(
                ((sick.vectors - well.vectors).abs().amax(1).float() for well in healthy),
                key=lambda change: change.median(),
            )
            assert change[~sick.strange].median() == 0
            assert change[sick.strange].median() > 0.1
    assert torch.equal(scorer.walks[0][4].vectors, scorer.walks[1][4].vectors)
