import pytest
import torch

from slicenet.simulation.draws import Draws
from slicenet.simulation.looks import Scene, paint
from slicenet.simulation.settings import LOOKS, SimulationSettings
from slicenet.simulation.space import space_of

SHAPE = (48, 60)


def draws(seed=0):
    return Draws(torch.Generator().manual_seed(seed), torch.device("cpu"))


def scene(count=6, sequences=1, shape=SHAPE):
    voxels = torch.randn(count, sequences, *shape, generator=torch.Generator().manual_seed(1))
    brain = torch.zeros(count, *shape, dtype=torch.bool)
    brain[(slice(None), *(slice(4, size - 4) for size in shape))] = True
    voxels = voxels * brain[:, None]
    centres = torch.tensor([[size // 2 for size in shape]]).repeat(count, 1)
    space = space_of(brain, (1.5,) * len(shape))
    return Scene(space, voxels, brain, centres, torch.arange(count), voxels, brain)


def amid(one):
    soft = torch.zeros(one.brain.shape)
    soft[(slice(None), *(slice(size // 3, size // 2) for size in one.space.shape))] = 1
    return soft


def look(kind, one, seed=0, **changes):
    settings = SimulationSettings(looks=(kind,), mixed=0.0, **changes)
    return painted(one, amid(one), settings, seed)


def painted(one, soft, settings, seed=0):
    target, weight = paint(draws(seed), one, soft, settings)
    return torch.lerp(one.voxels, target, weight)


@pytest.mark.parametrize("kind", LOOKS)
@pytest.mark.parametrize("shape", [SHAPE, (20, 24, 16)])
def test_every_look_changes_the_lesion_and_nothing_around_it(kind, shape):
    one = scene(shape=shape)
    seen, inside = look(kind, one), amid(one)[:, None] > 0
    assert torch.isfinite(seen).all()
    assert torch.allclose(seen.where(~inside, 0), one.voxels.where(~inside, 0))
    changes = [
        float((after - before)[where].abs().mean())
        for before, after, where in zip(one.voxels, seen, inside, strict=True)
    ]
    # Foreign tissue may happen to end before it reaches a lesion.
    assert sum(change > 0.05 for change in changes) >= (4 if kind == "foreign" else 6)


def test_half_a_weight_is_half_a_change():
    one = scene()
    settings = SimulationSettings(looks=("shifted",), mixed=0.0)
    whole = painted(one, amid(one), settings) - one.voxels
    half = painted(one, 0.5 * amid(one), settings) - one.voxels
    assert torch.allclose(half, 0.5 * whole, atol=1e-5)


def test_shifts_are_within_the_strengths_asked_for_and_of_both_signs():
    one = scene(300, shape=(24, 24))
    change = look("shifted", one, strengths=(0.8, 1.6)) - one.voxels
    means = (change[:, 0] * amid(one)).sum((1, 2)) / amid(one).sum((1, 2))
    assert 0.4 * (means > 0).sum() < (means < 0).sum() < 2.5 * (means > 0).sum()
    # Half to all of it, give or take what is uneven.
    assert means.abs().min() > 0.8 * 0.5 * 0.5
    assert means.abs().max() < 1.6 * 1.6
    assert 0.6 < means.abs().median() < 1.1


def detail(images, one):
    middle = images[:, :, 18:22, 22:28]
    return (middle - middle.mean((2, 3), keepdim=True)).square().mean().sqrt()


def test_blur_takes_detail_away_and_sharpening_adds_some():
    one = scene(40)
    assert detail(look("blurred", one), one) < 0.7 * detail(one.voxels, one)
    assert detail(look("sharpened", one), one) > 1.3 * detail(one.voxels, one)


def test_foreign_tissue_is_the_tissue_of_another_sample():
    one = scene(5)
    levels = torch.arange(5.0)[:, None, None, None] * one.brain[:, None] * 10
    told = Scene(one.space, levels, one.brain, one.centres, one.rows, levels, one.brain)
    painted = look("foreign", told)
    place = (slice(None), 0, *(int(size) for size in one.centres[0] - 1))
    opacity_free = painted[place]
    assert all(abs(float(after) - 10 * row) > 4 for row, after in enumerate(opacity_free))
    assert painted.min() >= 0
    assert painted.max() <= 40


def test_foreign_tissue_keeps_its_grain():
    one = scene(40)
    # Voxels are copied, so no look from elsewhere is smoother than the rest; what is blended is.
    assert 0.6 < detail(look("foreign", one), one) / detail(one.voxels, one) < 1.05


def test_a_batch_of_one_lends_to_itself():
    one = scene(1)
    assert (look("foreign", one) - one.voxels)[amid(one)[:, None] > 0].abs().mean() > 0.1


def test_texture_owes_nothing_to_what_was_there_but_what_shines_through():
    one = scene(60)
    painted = look("grained", one)
    where = amid(one)[0] > 0
    shares = []
    for before, after in zip(one.voxels[:, 0, where], painted[:, 0, where], strict=True):
        shares.append(float(torch.corrcoef(torch.stack((before, after)))[0, 1]))
    assert min(shares) < 0.5
    assert painted[:, 0, where].mean(1).std() > 0.5


def test_sequences_change_each_by_their_own_and_some_not_at_all():
    one = scene(200, sequences=2, shape=(24, 24))
    change = (look("shifted", one, absent=0.3) - one.voxels).flatten(2)
    means = change.sum(2)
    silent = (means == 0).float().mean(0)
    # Never both: of 0.3, the 0.09 where the other is silent as well are lesions in both.
    assert ((silent > 0.13) & (silent < 0.29)).all()
    assert (means != 0).any(1).all()
    both = means[(means != 0).all(1)]
    assert 0.3 < (both[:, 0].sign() == both[:, 1].sign()).float().mean() < 0.7


def test_one_sequence_is_never_left_out():
    one = scene(100, shape=(24, 24))
    assert ((look("shifted", one, absent=1.0) - one.voxels).flatten(1).abs().sum(1) > 0).all()


def test_two_looks_come_one_upon_the_other():
    one = scene(100)
    settings = SimulationSettings(looks=("blurred", "grained"), mixed=1.0)
    single = SimulationSettings(looks=("blurred", "grained"), mixed=0.0)
    twice, once = (painted(one, amid(one), s) for s in (settings, single))
    changed = (twice - once).abs().flatten(1).sum(1) > 0
    assert changed.float().mean() > 0.9
