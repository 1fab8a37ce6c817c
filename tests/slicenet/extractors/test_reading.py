from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from slicenet.errors import ConfigError
from slicenet.extractors.backbone import BackboneSettings
from slicenet.extractors.decoder import DecoderSettings
from slicenet.extractors.depth import DepthSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.neighbourhood import NeighbourhoodSettings
from slicenet.extractors.planes import view
from slicenet.extractors.segmentation import SegmentationSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.volume import Volume
from slicenet.watch import silent

SETTINGS = SliceSettings(
    backbone=BackboneSettings(name="test_resnet", weights="random", precision="float32"),
    neighbourhood=NeighbourhoodSettings(width=96),
)


def ball(radius=0.8):
    generator = torch.Generator().manual_seed(0)
    shape = (64, 48, 12)
    axes = torch.meshgrid(*[torch.linspace(-1, 1, size) for size in shape], indexing="ij")
    brain = torch.stack(axes).square().sum(0) < radius**2
    voxels = torch.randn(1, *shape, generator=generator)
    return Volume(voxels * brain, brain, np.diag([2.0, 2.0, 2.0, 1.0]), "ball")


def reading(read, **changes):
    tuning = FinetuneSettings(
        method="lesions", each=8, decoder=DecoderSettings(width=8),
        lesions=SegmentationSettings(steps=2, batch=4, settle=1),
    )  # fmt: skip
    return replace(SETTINGS, read=read, finetune=tuning, margin=1000, **changes)


@pytest.mark.parametrize("read", [("intensity",), ("encoder", "logit")])
def test_no_power_mean_of_what_may_be_negative(read):
    reading(("encoder", "decoder"), depth=DepthSettings(merge="power"))
    with pytest.raises(ConfigError, match="never negative"):
        reading(read, depth=DepthSettings(merge="power"))


@pytest.fixture(scope="module")
def tuned():
    torch.manual_seed(3)
    extractor = SliceExtractor(reading(("intensity", "encoder", "decoder", "logit")))
    extractor.fit([ball()], silent)
    return extractor


def test_the_decoder_and_its_answer_come_on_its_own_finer_lattice(tuned):
    volume = ball()
    features = tuned.extract(volume)
    assert features.inside.shape == (16, 12, 4)
    assert features.vectors.shape[1] == 1 + 96 + 8 + 1
    seen = view(volume, "axial", 4)
    with torch.no_grad():
        layers = tuned.backbone.look(seen.pictures(list(range(12)), tuned.settings.picture))
        decoded, logit = tuned.decoder(layers)
    for found, wanted in ((features.vectors[:, -1:], logit), (features.vectors[:, 97:-1], decoded)):
        slabs_mean = wanted.unflatten(0, (4, 3)).mean(1)  # [slabs, C, h, w]
        wanted = slabs_mean.permute(2, 3, 0, 1)[features.inside]
        assert torch.allclose(found, wanted, atol=1e-4)


def test_intensities_are_the_mean_of_the_brain_in_each_cell(tuned):
    volume = ball()
    found = tuned.extract(volume)
    grey = ((volume.voxels[0].clamp(-3, 3) + 3) / 6).double().numpy()
    brain = volume.brain.numpy()
    for row, (x, y, z) in list(enumerate(found.inside.nonzero().tolist()))[::37]:
        means = []
        for slice_index in range(3 * z, 3 * z + 3):
            place = np.s_[4 * x : 4 * x + 4, 4 * y : 4 * y + 4, slice_index]
            values = grey[place][brain[place]]
            means.append(values.mean() if len(values) else 0.0)
        assert found.vectors[row, 0].item() == pytest.approx(np.mean(means), abs=1e-3)


def test_each_part_alone_is_that_part_of_all(tuned):
    everything = tuned.extract(ball()).vectors
    for read, part in ((("logit",), slice(105, 106)), (("decoder",), slice(97, 105))):
        alone = SliceExtractor(reading(read))
        alone.load_state_dict(tuned.state_dict())
        assert torch.allclose(alone.extract(ball()).vectors, everything[:, part], atol=1e-5)


def test_on_a_finer_lattice_answers_are_interpolated_and_intensities_those_of_its_cells(tuned):
    fine = SliceExtractor(reading(("intensity", "logit"), finer=2))
    fine.load_state_dict(tuned.state_dict())
    volume = ball(9.0)
    found = fine.extract(volume)
    assert found.inside.shape == (32, 24, 4)
    seen = view(volume, "axial", 2)
    with torch.no_grad():
        layers = tuned.backbone.look(seen.pictures(list(range(12)), tuned.settings.picture))
        logit = F.interpolate(tuned.decoder(layers)[1], (32, 24), mode="bilinear")
    wanted = logit.unflatten(0, (4, 3)).mean(1)[:, 0].permute(1, 2, 0)
    assert torch.allclose(found.lattice(found.vectors[:, 1]), wanted, atol=1e-4)
    grey = (volume.voxels[0].clamp(-3, 3) + 3) / 6
    mean = F.avg_pool3d(grey[None], (2, 2, 3))[0]
    assert torch.allclose(found.lattice(found.vectors[:, 0]), mean, atol=1e-4)


@pytest.mark.parametrize("finer", [0, 3])
def test_a_cell_is_parted_into_whole_pixels(finer):
    with pytest.raises(ConfigError, match="finer"):
        SliceExtractor(reading(("logit",), finer=finer))


def test_learnt_attention_looks_where_the_decoder_finds_most(tuned):
    learnt = SliceExtractor(reading(("decoder", "logit"), depth=DepthSettings(merge="learnt")))
    learnt.load_state_dict(tuned.state_dict())
    single = SliceExtractor(reading(("decoder", "logit"), depth=DepthSettings(kernel=1, stride=1)))
    single.load_state_dict(tuned.state_dict())
    volume = ball(9.0)
    slices = single.extract(volume).vectors.view(16, 12, 4, 3, 9)
    weight = slices[..., -1:].softmax(3)
    wanted = (slices * weight).sum(3).flatten(0, 2)
    assert torch.allclose(learnt.extract(volume).vectors, wanted, atol=1e-4)


def test_fine_tuning_changes_the_backbone_and_leaves_it_frozen_and_at_rest(tuned):
    torch.manual_seed(3)
    untouched = SliceExtractor(reading(("encoder",)))
    pairs = zip(tuned.backbone.parameters(), untouched.backbone.parameters(), strict=True)
    assert any(not torch.equal(one, other) for one, other in pairs)
    assert not any(module.training for module in tuned.backbone.network.modules())
    assert tuned.learns
    assert "nothing but what it is fine-tuned on" in tuned.notices[0].message


def test_what_only_a_decoder_can_tell_is_refused_without_one():
    with pytest.raises(ConfigError, match="in this order"):
        SliceSettings(read=("logit", "encoder"))
    with pytest.raises(ConfigError, match="learnt"):
        SliceSettings(depth=DepthSettings(merge="learnt"), finetune=FinetuneSettings(method="none"))
