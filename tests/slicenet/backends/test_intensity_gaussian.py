from slicenet.backends.intensity_gaussian import IntensityGaussian
from slicenet.cache import Cache
from slicenet.frame import FrameSettings
from slicenet.scorers.gaussian import GaussianSettings


def test_covariances_may_be_shared_or_of_each_place(make_brain, tmp_path):
    frame = FrameSettings(spacing=(4.0, 4.0, 4.0))
    for settings in (GaussianSettings(), GaussianSettings(covariance="position", components=4)):
        detector = IntensityGaussian(frame=frame, gaussian=settings).build()
        detector.fit([make_brain(seed) for seed in range(6)], cache=Cache(tmp_path))
        calm, strange = (
            detector.score(make_brain(9, lesion=sick)).volume_score for sick in (False, True)
        )
        assert strange > calm
