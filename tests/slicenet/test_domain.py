from dataclasses import replace

import pytest
import torch

from slicenet.backends.histeq import HistEq
from slicenet.backends.zscore import ZScore
from slicenet.cache import Cache
from slicenet.frame import FrameSettings

FEW = {"shape": (22, 26, 20), "spacing": 6.0}  # voxels
SETTINGS = ZScore(frame=FrameSettings(spacing=(8.0, 8.0, 8.0)))


def test_c58_an_input_of_another_contrast_is_said_to_be_unlike_the_cohort(make_brain, tmp_path):
    made, cache = SETTINGS.build(), Cache(tmp_path)
    made.fit([make_brain(seed, **FEW) for seed in range(8)], cache=cache)
    made.calibrate([make_brain(seed, **FEW) for seed in range(10, 14)])
    healthy, turned = make_brain(30, **FEW), make_brain(31, **FEW)
    turned = replace(turned, voxels=(turned.voxels.max() - turned.voxels) * turned.brain)
    assert made.score(healthy).volume.notices == ()
    anomalies = made.score(turned)
    (notice,) = anomalies.volume.notices
    assert notice.code == "W_DOMAIN"
    assert "healthy31: unlike the 12 healthy brains of this model in contrast" in notice.message
    assert any(one.unlike for one in anomalies.readings)
    described = made.maps([turned], cache=cache)  # judged without its voxels, all the same
    judged = made.judge(next(iter(described)), turned)
    assert (judged.volume.notices, judged.readings) == ((notice,), anomalies.readings)


@pytest.mark.parametrize("backend", [SETTINGS, HistEq(frame=SETTINGS.frame)])
def test_what_was_described_before_teaches_the_same_domain(backend, make_brain, tmp_path):
    learnt = []
    for _ in range(2):  # the second time, features come from the cache
        made = backend.build()
        made.fit([make_brain(seed, **FEW) for seed in range(4)], cache=Cache(tmp_path))
        learnt.append(made.domain.state_dict())
    assert len(learnt[0]["fitted"]) == 4
    assert all(torch.equal(learnt[0][name], learnt[1][name]) for name in learnt[0])
