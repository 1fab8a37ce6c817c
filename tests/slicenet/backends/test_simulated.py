import torch

from slicenet.backends.simpleslicenet import SimpleSliceNet
from slicenet.backends.simulated import Simulated
from slicenet.cache import Cache
from slicenet.config import overlay

TUNING = {
    "frame": {"spacing": [4, 4, 4]},
    "slices": {
        "backbone": {"name": "test_resnet", "weights": "random", "precision": "float32"},
        "neighbourhood": {"width": 24},
        "finetune": {"each": 4, "decoder": {"width": 8}, "lesions": {"steps": 2, "settle": 1}},
    },
}


def test_the_score_is_what_the_network_answers_and_it_learns_once_for_both(make_brain, tmp_path):
    volumes, cache, told = [make_brain(seed) for seed in range(2)], Cache(tmp_path), []

    def watch(stage, done, total, **values):
        told.append(stage)

    torch.manual_seed(0)
    flow = {"course": {"steps": 2, "batch": 64}, "flow": {"blocks": 1}}
    first = overlay(SimpleSliceNet(), TUNING | {"flow": flow}).build()
    first.fit(volumes, watch, cache)
    assert "finetune" in told
    told.clear()
    second = overlay(Simulated(), TUNING).build()
    second.fit(volumes, watch, cache)
    assert "finetune" not in told
    assert "learnt before" in told
    framed = second.frame.enter(volumes[0])
    features = second.extractor.extract(framed)
    assert features.vectors.shape[1] == 1
    assert torch.equal(second.scorer.score(features), features.vectors[:, 0])
