from slicenet.backends.histeq import HistEq
from slicenet.cache import Cache
from slicenet.frame import FrameSettings


def test_training_changes_nothing_but_the_calibration(make_brain, tmp_path):
    fresh = HistEq(frame=FrameSettings(spacing=(4.0, 4.0, 4.0))).build()
    before = fresh.score(make_brain(9)).scores
    fresh.fit([make_brain(0), make_brain(1)], cache=Cache(tmp_path))
    assert (fresh.score(make_brain(9)).scores == before).all()
    assert before.max() <= 0.5
