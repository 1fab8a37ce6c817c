from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.backbone import BackboneSettings
from slicenet.extractors.compression import CompressionSettings
from slicenet.extractors.dagmm import CompressingSettings, DagmmExtractor, DagmmSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.neighbourhood import NeighbourhoodSettings
from slicenet.extractors.patches import PatchSettings
from slicenet.extractors.segmentation import SegmentationSettings
from slicenet.extractors.slices import SliceSettings
from slicenet.flows.mixtures import Sums
from slicenet.savepoint import Savepoint
from slicenet.watch import silent

SHAPE = (24, 28, 18)
TINY = DagmmSettings(
    patches=PatchSettings((4, 4, 2), (2, 2, 2)),
    slices=SliceSettings(
        backbone=BackboneSettings(name="test_resnet", weights="random", precision="float32"),
        neighbourhood=NeighbourhoodSettings(width=24),
        finetune=FinetuneSettings(method="none"),
    ),
    compression=CompressionSettings(hidden=(12,), code=2, components=2),
    learn=CompressingSettings(steps=60, batch=128, each=300, rate=3e-3),
)


def fitted(make_brain, settings=TINY, seed=0, watch=silent, shape=SHAPE):
    torch.manual_seed(seed)
    made = DagmmExtractor(settings)
    torch.rand(3)  # what else draws must not matter
    made.fit([make_brain(seed, shape=shape) for seed in range(3)], watch)
    return made


@pytest.fixture(scope="module")
def extractor(make_brain):
    return fitted(make_brain)


def test_every_cell_has_its_code_and_its_residuals(extractor, make_brain):
    volume = make_brain(9, shape=SHAPE)
    found, source = extractor.extract(volume), extractor.source.extract(volume)
    assert torch.equal(found.inside, source.inside)
    assert found.vectors.shape == (len(source.vectors), TINY.compression.latents)
    standard = extractor.network.standard(source.vectors)
    assert torch.allclose(found.vectors, extractor.network(standard)[1], atol=1e-6)


def test_the_mixture_is_that_of_all_training_latents(extractor, make_brain):
    vectors = [extractor.extract(make_brain(seed, shape=SHAPE)).vectors for seed in range(3)]
    latents = torch.cat(vectors)
    members = extractor.network.memberships(latents)
    wanted = Sums.of(latents, members).mixture(TINY.compression.ridge)
    found = extractor.network.mixture()
    assert torch.allclose(found.weights, wanted.weights)
    assert torch.allclose(found.means, wanted.means)
    assert torch.allclose(found.factors, wanted.factors, rtol=1e-5)
    assert not extractor.network.training


def test_the_rest_of_a_volume_changes_no_energy(extractor, make_brain):
    # Half of the brain goes strange; the patches of the other half are as they were.
    reader = DagmmExtractor(replace(TINY, read="energy"))
    reader.load_state_dict(extractor.state_dict())
    volume = make_brain(9, shape=SHAPE)
    sick = replace(volume, voxels=volume.voxels.clone())
    sick.voxels[:, 12:] += 500 * volume.brain[12:]
    one, two = (reader.extract(seen) for seen in (volume, sick))
    left = one.inside.nonzero()[:, 0] < 5
    assert torch.allclose(one.vectors[left], two.vectors[left], rtol=1e-6)
    assert two.vectors[~left].mean() > one.vectors[~left].mean() + 10


def test_what_is_read_does_not_change_what_is_learnt(make_brain, extractor):
    torch.manual_seed(0)
    assert DagmmExtractor(replace(TINY, read="energy")).lessons() == extractor.lessons()
    torch.manual_seed(1)
    assert DagmmExtractor(TINY).lessons() != extractor.lessons()


def test_settings_of_a_source_that_is_not_used_do_not_change_what_is_learnt(extractor):
    def lessons(**changes):
        torch.manual_seed(0)
        return DagmmExtractor(replace(TINY, **changes)).lessons()

    wider, finer = PatchSettings((5, 5, 1)), replace(TINY.slices, least=0.7)
    assert lessons(slices=finer) == lessons() != lessons(patches=wider)
    sliced = {"source": "slices"}
    assert lessons(**sliced, patches=wider) == lessons(**sliced) != lessons(**sliced, slices=finer)


@pytest.mark.parametrize("most", [90, 200, 899, 900, 901])
def test_of_many_volumes_fewer_vectors_are_kept_the_first_that_were_drawn(make_brain, most):
    made = DagmmExtractor(replace(TINY, learn=replace(TINY.learn, vectors=most)))
    volumes = [make_brain(seed, shape=SHAPE) for seed in range(9)]
    share = min(300, -(-most // 9))
    wanted = [made._drawn(index, volume)[:share] for index, volume in enumerate(volumes)]
    assert torch.equal(made._gather(volumes), torch.cat(wanted))
    assert made._gather(volumes[:3]).shape[0] == 3 * min(300, -(-most // 3))


def test_a_source_that_was_stopped_goes_on_where_it_was(make_brain, tmp_path):
    learn = SegmentationSettings(steps=8, batch=4, settle=0)
    tuned = FinetuneSettings(method="lesions", each=4, lesions=learn)
    settings = replace(TINY, source="slices", slices=replace(TINY.slices, finetune=tuned))
    volumes, path, steps = [make_brain(s, shape=(32, 32, 18)) for s in range(2)], tmp_path / "s", []

    def watch(stage, done, total, **values):
        if stage == "finetune":
            steps.append(done)
            if len(steps) == 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DagmmExtractor(settings).fit(volumes, watch, Savepoint(path, every=0))
    DagmmExtractor(settings).fit(volumes, watch, Savepoint(path, every=0))
    assert steps == [1, 2, 3, 4, 5, 5, 6, 7, 8]


def test_it_comes_to_rebuild_what_is_healthy(make_brain, told):
    settings = replace(TINY, learn=replace(TINY.learn, steps=400))
    fitted(make_brain, settings, watch=told)
    losses = [step["loss"] for step in told.told if step["stage"] == "dagmm"]
    assert len(losses) == 400
    assert np.mean(losses[-20:]) < 0.7 * np.mean(losses[:20])


def test_tokens_of_slices_are_compressed_alike(make_brain):
    settings = replace(TINY, source="slices")
    shape = (32, 32, 18)
    made = fitted(make_brain, settings, shape=shape)
    volume = make_brain(9, shape=shape)
    found = made.extract(volume)
    assert int(made.channels) == made.source.extract(volume).vectors.shape[1] == 24
    assert found.vectors.shape[1] == settings.compression.latents
    other = DagmmExtractor(settings)
    other.load_state_dict(made.state_dict())
    assert torch.equal(other.extract(volume).vectors, found.vectors)


def test_the_seed_of_the_build_decides_what_is_learnt(make_brain):
    short = replace(TINY, learn=replace(TINY.learn, steps=5))
    one, two, other = (fitted(make_brain, short, seed).network.frozen for seed in (4, 4, 5))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("wrong", [{"source": "x"}, {"read": "x"}])
def test_what_does_not_exist_is_refused(wrong):
    with pytest.raises(ConfigError, match="have"):
        DagmmSettings(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"each": 1}, {"vectors": 1}, {"energy": -1.0}, {"penalty": -1.0}, {"steps": 0}]
)
def test_impossible_budgets_are_refused(wrong):
    with pytest.raises(ConfigError):
        CompressingSettings(**wrong)
