import torch

from slicenet.backends.zscore import ZScore
from slicenet.cache import Cache
from slicenet.extractors.intensity import IntensitySettings
from slicenet.frame import FrameSettings
from slicenet.scorers.zscore import ZScoreSettings


def test_bright_and_dark_lesions_are_told_apart_by_polarity(make_brain, tmp_path):
    frame, cell = FrameSettings(spacing=(4.0, 4.0, 4.0)), IntensitySettings(cell=4.0)
    peaks = {}
    for side in ("bright", "dark"):
        detector = ZScore(frame, cell, ZScoreSettings(polarity=side)).build()
        detector.fit([make_brain(seed) for seed in range(6)], cache=Cache(tmp_path))
        scores = detector.score(make_brain(9, lesion=True)).scores
        peaks[side] = scores[24:30, 24:30, 16:22].mean()
    assert peaks["bright"] > 2
    assert torch.isclose(peaks["bright"], -peaks["dark"])
