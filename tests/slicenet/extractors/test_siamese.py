from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.elsewhere import Elsewhere, ElsewhereSettings
from slicenet.errors import ConfigError
from slicenet.extractors import siamese
from slicenet.extractors.lattice import touching
from slicenet.extractors.patch_coder import CoderSettings
from slicenet.extractors.siamese import SiameseExtractor, SiameseSettings
from slicenet.extractors.twinning import TwinSettings
from slicenet.watch import silent

SHAPE = (16, 20, 12)
LEARN = TwinSettings(steps=3, batch=8, settle=4)
BOTH = SiameseSettings(learn=LEARN, read=("latent", "residual"), cell=6.0)  # 2 voxels
DEEP = replace(BOTH, coder=CoderSettings(dimensions=3))


def fitted(settings, make_brain, shape=SHAPE):
    torch.manual_seed(0)
    extractor = SiameseExtractor(settings)
    extractor.fit([make_brain(s, shape=shape, sequences=2) for s in range(3)], silent)
    return extractor


@pytest.mark.parametrize("settings", [BOTH, DEEP, replace(BOTH, cell=9.0), replace(BOTH, core=1)])
def test_a_vector_is_the_latent_and_the_error_of_the_patch_around_its_cell(
    settings, make_brain, monkeypatch
):
    monkeypatch.setattr(siamese, "VOXELS", 5000)  # patches of several parts
    extractor, volume = fitted(settings, make_brain), make_brain(9, shape=SHAPE, sequences=2)
    found = extractor.extract(volume)
    steps = tuple(size // cells for size, cells in zip(SHAPE, found.inside.shape, strict=True))
    assert torch.equal(found.inside, touching(volume.brain, steps))
    assert found.vectors.shape == (int(found.inside.sum()), 17)
    low, high = extractor.low[:, None, None, None], extractor.high[:, None, None, None]
    flat, rim = settings.coder.dimensions == 2, (7, 7, 0 if settings.coder.dimensions == 2 else 7)
    padded = torch.from_numpy(np.pad(volume.voxels.numpy(), [(0, 0), *[(r, r) for r in rim]]))
    for row, cell in list(enumerate(found.inside.nonzero().tolist()))[::25]:
        centre = [at * step + step // 2 for at, step in zip(cell, steps, strict=True)]
        cut = [slice(at, at + 2 * r + 1) for at, r in zip(centre, rim, strict=True)]
        patch = ((padded[:, *cut] - low) / (high - low)).squeeze(-1 if flat else 0)[None]
        with torch.no_grad():
            latent = extractor.coder.encode(patch)
            rebuilt = extractor.coder.decode(latent)
        edge = slice(7 - settings.core // 2, 8 + settings.core // 2)
        wrong = (patch - rebuilt)[(..., *[edge] * (patch.ndim - 2))].double().numpy()
        residual = np.sqrt(np.mean(np.sum(wrong[0] ** 2, 0)))
        assert torch.allclose(found.vectors[row, :16], latent[0], atol=1e-4)
        assert found.vectors[row, 16].item() == pytest.approx(residual, rel=1e-4)


def test_what_is_read_stands_alone_or_side_by_side_and_changes_nothing_of_what_is_learnt(
    make_brain,
):
    extractor, volume = fitted(BOTH, make_brain), make_brain(9, shape=SHAPE, sequences=2)
    both = extractor.extract(volume).vectors
    for read, wanted in ((("latent",), both[:, :16]), (("residual",), both[:, 16:])):
        torch.manual_seed(0)
        other = SiameseExtractor(replace(BOTH, read=read))
        assert other.lessons() == extractor.lessons()
        other.load_state_dict(extractor.state_dict())
        assert torch.equal(other.extract(volume).vectors, wanted)
    assert SiameseExtractor(DEEP).lessons() != extractor.lessons()


def test_the_range_is_the_mean_over_healthy_brains_of_their_outer_quantiles(make_brain):
    extractor = fitted(BOTH, make_brain)
    brains = [make_brain(s, shape=SHAPE, sequences=2) for s in range(3)]
    ends = [np.quantile(b.voxels[:, b.brain].half().float().numpy(), (0.01, 0.99), 1)
            for b in brains]  # fmt: skip
    low, high = np.mean(ends, 0)
    assert np.allclose(extractor.low.numpy(), low, rtol=1e-5)
    assert np.allclose(extractor.high.numpy(), high, rtol=1e-5)


def test_copies_of_a_brain_from_elsewhere_are_not_its_twins(make_brain):
    once = Elsewhere([make_brain(0, shape=SHAPE)], ElsewhereSettings(times=1))
    with pytest.raises(ConfigError, match="two subjects"):
        SiameseExtractor(BOTH).fit(once, silent)
    named = [replace(make_brain(s, shape=SHAPE), subject="p1") for s in range(2)]
    with pytest.raises(ConfigError, match="two subjects"):
        SiameseExtractor(BOTH).fit(named, silent)


def test_the_size_of_a_patch_is_told_before_training(make_brain, told):
    volumes = [make_brain(s, shape=SHAPE) for s in range(2)]
    SiameseExtractor(BOTH).fit(volumes, told)
    assert {"stage": "patches", "done": 1, "total": 1, "voxels": 15, "mm": 45.0} in told.told


def test_patches_in_two_dimensions_take_pictures_and_in_three_refuse_them(make_brain):
    picture = (24, 20, 1)
    extractor = fitted(BOTH, make_brain, picture)
    found = extractor.extract(make_brain(9, shape=picture, sequences=2))
    assert found.inside.shape == (12, 10, 1)
    assert torch.isfinite(found.vectors).all()
    with pytest.raises(ConfigError, match="three dimensions"):
        fitted(DEEP, make_brain, picture)


@pytest.mark.parametrize(
    "wrong",
    [{"read": ()}, {"read": ("residual", "latent")}, {"read": ("logit",)}, {"core": 4},
     {"core": 17}, {"cell": 0.0}, {"least": 0.0}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        SiameseSettings(**wrong)
