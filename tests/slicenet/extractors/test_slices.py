import gc
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from slicenet.errors import ConfigError, VolumeError
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.depth import DepthSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.neighbourhood import NeighbourhoodSettings
from slicenet.extractors.planes import view
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.volume import Volume
from slicenet.watch import silent

SETTINGS = SliceSettings(
    backbone=BackboneSettings(name="test_resnet", weights="random", precision="float32"),
    neighbourhood=NeighbourhoodSettings(width=96),
    finetune=FinetuneSettings(method="none"),
)


def ball(shape=(64, 48, 12), radius=0.8, sequences=1, spacing=(2.0, 2.0, 2.0), seed=0):
    """Noise in an ellipsoid, at median 0 and quartile range 1 or so."""
    generator = torch.Generator().manual_seed(seed)
    axes = torch.meshgrid(*[torch.linspace(-1, 1, size) for size in shape], indexing="ij")
    brain = torch.stack(axes).square().sum(0) < radius**2
    voxels = torch.randn(sequences, *shape, generator=generator)
    return Volume(voxels * brain, brain, np.diag([*spacing, 1.0]), "ball")


def full(shape=(64, 48, 12), sequences=1):
    volume = ball(shape, 9.0, sequences)
    assert volume.brain.all()
    return volume


def column():
    """A disc of brain in the middle of every slice."""
    volume = full((160, 160, 6))
    axis = torch.linspace(-1, 1, 160)
    brain = ((axis[:, None].square() + axis.square()) < 0.3**2)[:, :, None].expand(160, 160, 6)
    return replace(volume, voxels=volume.voxels * brain, brain=brain)


def extracted(volume, settings=SETTINGS):
    extractor = SliceExtractor(settings)
    extractor.fit([volume], silent)
    return extractor.extract(volume)


def published(volume, extractor):
    """Whole slices through timm at once, unfolded patches, slabs of three; [N, C]."""
    pictures = ((volume.voxels.clamp(-3, 3) + 3) / 6 * volume.brain)[0].movedim(2, 0)
    pictures = pictures[:, None].expand(-1, 3, -1, -1)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    with torch.no_grad():
        layers = extractor.backbone.network((pictures - mean) / deviation)
    size, cells = layers[0].shape[2:], []
    for layer in layers:
        patches = F.unfold(layer, 3, padding=1).unflatten(2, layer.shape[2:])
        grown = F.interpolate(patches, size, mode="bilinear").movedim(1, -1)
        cells.append(F.adaptive_avg_pool1d(grown.flatten(0, 2), 48).unflatten(0, grown.shape[:3]))
    joined = torch.cat(cells, -1)  # [S, h, w, C]
    return F.avg_pool1d(joined.movedim(0, -1).flatten(0, 2), 3, 3).unflatten(
        0, (*size, 96)
    )  # [h, w, C, slabs]


def test_features_of_a_full_box_are_the_published_ones():
    volume, extractor = full(), SliceExtractor(SETTINGS)
    features = extractor.extract(volume)
    assert features.inside.shape == (8, 6, 4)
    assert features.inside.all()
    wanted = published(volume, extractor).movedim(2, -1)[features.inside]
    assert torch.allclose(features.vectors, wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("margin", "limit"), [(16, 0.5), (32, 0.1), (1000, 1e-3)])
def test_cropping_to_the_brain_and_a_margin_changes_little(margin, limit):
    volume, extractor = column(), SliceExtractor(replace(SETTINGS, margin=margin))
    features = extractor.extract(volume)
    wanted = published(volume, extractor).movedim(2, -1)[features.inside]
    error = (features.vectors - wanted).square().mean().sqrt()
    assert error < limit * wanted.std(0).mean()


def test_the_batch_changes_nothing_but_what_the_crop_does():
    volume = full()
    whole = extracted(volume)
    for batch in (1, 5):
        other = extracted(volume, replace(SETTINGS, batch=batch))
        assert torch.allclose(other.vectors, whole.vectors, atol=1e-4)


def test_102_a_batch_beyond_memory_is_seen_in_parts(monkeypatch):
    whole, look = extracted(full()), Backbone.look

    def starved(backbone, pictures):
        if len(pictures) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return look(backbone, pictures)

    monkeypatch.setattr(Backbone, "look", starved)
    assert torch.allclose(extracted(full()).vectors, whole.vectors, atol=1e-5)


def test_vectors_stand_in_the_order_of_the_lattice():
    volume = ball()
    features = extracted(volume)
    lattice = torch.zeros(*features.inside.shape, 96)
    lattice[features.inside] = features.vectors
    half = replace(volume, brain=volume.brain & (torch.arange(12) < 6))
    lower = extracted(half, replace(SETTINGS, margin=1000, least=0.01))
    upper = extracted(volume, replace(SETTINGS, margin=1000, least=0.01))
    seen = torch.zeros(*upper.inside.shape, 96)
    seen[upper.inside] = upper.vectors
    assert torch.allclose(lower.vectors, seen[lower.inside], atol=1e-4)
    assert (lattice[~features.inside] == 0).all()


def test_only_slices_with_brain_are_looked_at_and_only_where_it_is():
    volume = ball((128, 128, 24), 0.4)
    extractor, sizes = SliceExtractor(replace(SETTINGS, batch=3, margin=8)), []
    extractor.backbone.register_forward_pre_hook(
        lambda module, inputs: sizes.append(tuple(inputs[0].shape))
    )
    extractor.extract(volume)
    shown = int(volume.brain.any(0).any(0).sum())
    assert sum(size[0] for size in sizes) <= shown
    assert max(size[0] for size in sizes) == 3
    assert all(size[2] <= 96 and size[3] <= 96 for size in sizes)


def test_memory_holds_a_few_slices_however_many_there_are():
    volume, extractor = full((32, 32, 24)), SliceExtractor(replace(SETTINGS, batch=4))
    seen, held = view(volume, "axial", 8), []
    windows = {index: range(3 * index, 3 * index + 3) for index in range(8)}
    for _, slices in extractor._stream(seen, windows):
        shapes = (thing.shape for thing in gc.get_objects() if type(thing) is torch.Tensor)
        held.append(sum(shape == slices.shape[1:] for shape in shapes))
    assert max(held) <= 4 + 3
    assert len(held) == 8


@pytest.mark.parametrize("depth", [DepthSettings(5, 1), DepthSettings(1, 2), DepthSettings(4, 3)])
def test_kernel_and_stride_shape_the_lattice(depth):
    features = extracted(ball(), replace(SETTINGS, depth=depth))
    assert features.inside.shape == (8, 6, 12 // depth.stride)
    assert len(features.vectors) == int(features.inside.sum())


def test_a_slab_of_one_slice_is_that_slice():
    volume = full((64, 48, 6))
    single = extracted(volume, replace(SETTINGS, depth=DepthSettings(1, 1)))
    slabs = extracted(volume)
    slices = single.vectors.view(8, 6, 6, 96)
    wanted = torch.stack([slices[:, :, :3].mean(2), slices[:, :, 3:].mean(2)], 2)
    assert torch.allclose(slabs.vectors.view(8, 6, 2, 96), wanted, atol=1e-4)


def test_three_planes_fuse_on_the_axial_lattice():
    volume = ball((64, 48, 24), spacing=(1.0, 1.0, 2.0))
    axial = extracted(volume)
    joined = extracted(volume, replace(SETTINGS, planes="joined"))
    averaged = extracted(volume, replace(SETTINGS, planes="averaged"))
    assert torch.equal(joined.inside, axial.inside)
    assert torch.equal(joined.vectors[:, :96], axial.vectors)
    assert torch.allclose(joined.vectors.unflatten(1, (3, 96)).mean(1), averaged.vectors, atol=1e-5)


def test_a_turned_brain_has_its_planes_turned():
    # Of a cube with equal cells on all axes, the sagittal view is the axial one of the turned cube.
    settings = replace(SETTINGS, planes="joined", depth=DepthSettings(3, 8), margin=1000)
    volume = ball((48, 48, 48))
    order = (1, 2, 0)
    turned = replace(
        volume, voxels=volume.voxels.permute(0, 2, 3, 1), brain=volume.brain.permute(order)
    )
    one, two = extracted(volume, settings), extracted(turned, settings)
    lattice = torch.zeros(*one.inside.shape, 96)
    lattice[one.inside] = one.vectors[:, 192:]
    wanted = lattice.permute(*order, 3)[two.inside]
    assert torch.allclose(two.vectors[:, :96], wanted, atol=1e-4)


@pytest.mark.parametrize("count", [2, 3])
def test_further_sequences_are_seen(count):
    volume = ball(sequences=count)
    features = extracted(volume)
    first = extracted(replace(volume, voxels=volume.voxels[:1]))
    assert features.vectors.shape == first.vectors.shape
    assert not torch.allclose(features.vectors, first.vectors)
    with pytest.raises(VolumeError, match="4 sequences"):
        extracted(ball(sequences=4))


def test_a_box_of_parts_of_cells_is_refused_with_sizes_that_would_do():
    with pytest.raises(ConfigError, match=r"50 voxels along y .* of 8; 48 or 56 would be"):
        extracted(ball((64, 50, 12)))
    with pytest.raises(ConfigError, match="along z"):
        extracted(ball((64, 48, 13)))


def test_a_box_of_odd_cells_is_padded_inside():
    assert extracted(ball((56, 40, 12))).inside.shape == (7, 5, 4)


def test_tensors_of_another_build_bring_its_features():
    volume = ball()
    torch.manual_seed(1)
    one = SliceExtractor(SETTINGS)
    torch.manual_seed(2)
    two = SliceExtractor(SETTINGS)
    assert not torch.equal(one.extract(volume).vectors, two.extract(volume).vectors)
    two.load_state_dict(one.state_dict())
    assert torch.equal(one.extract(volume).vectors, two.extract(volume).vectors)


def test_a_random_backbone_is_noticed_and_a_trained_one_is_not():
    assert [notice.code for notice in SliceExtractor(SETTINGS).notices] == ["W_RANDOM_WEIGHTS"]
    trained = replace(SETTINGS, backbone=replace(SETTINGS.backbone, weights="imagenet"))
    assert SliceExtractor(trained).notices == ()


def test_a_single_voxel_of_brain_is_enough():
    volume = ball()
    brain = torch.zeros_like(volume.brain)
    brain[3, 4, 5] = True
    features = extracted(replace(volume, brain=brain))
    assert features.vectors.shape == (1, 96)
    assert features.inside.nonzero().tolist() == [[0, 0, 1]]


@pytest.mark.parametrize(
    "wrong", [{"planes": "oblique"}, {"least": 0.0}, {"batch": 0}, {"margin": -1}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        SliceSettings(**wrong)


def test_planes_that_are_averaged_learn_what_joined_ones_learn():
    names = ("axial", "averaged", "joined")
    lessons = {one: SliceExtractor(replace(SETTINGS, planes=one)).lessons() for one in names}
    assert lessons["averaged"] == lessons["joined"] != lessons["axial"]
