import numpy as np
import pytest
import torch
from scipy.stats import entropy

from slicenet.errors import ConfigError
from slicenet.extractors.foretelling import ForetellingSettings
from slicenet.extractors.lattice import touching
from slicenet.extractors.orders import OrderSettings
from slicenet.extractors.prior import PriorSettings
from slicenet.extractors.token_grids import TokenGrid
from slicenet.extractors.tokeniser import TokeniserSettings
from slicenet.extractors.tokenising import TokenisingSettings
from slicenet.extractors.vqvae import READ, VqVaeExtractor, VqVaeSettings
from slicenet.savepoint import Savepoint
from slicenet.watch import silent

SHAPE = (20, 24, 8)
WIDTH, CODES = 8, 12


def settings(**changes):
    tiny = {
        "read": READ,
        "finer": 2,
        "network": TokeniserSettings(levels=2, width=WIDTH, blocks=1, codes=CODES),
        "learn": TokenisingSettings(steps=12, batch=4, rate=2e-3, average=0.9),
        "prior": PriorSettings(width=16, layers=1, heads=2),
        "foretell": ForetellingSettings(steps=12, batch=8, rate=2e-3),
        "order": OrderSettings(count=2),
    }
    return VqVaeSettings(**{**tiny, **changes})


@pytest.fixture(scope="module")
def framed(make_brain):
    def make(seed, sequences=1):
        volume = make_brain(seed, shape=SHAPE, sequences=sequences)
        volume.voxels.sub_(100).div_(5).mul_(volume.brain)
        return volume

    return make


@pytest.fixture(scope="module")
def fitted(framed):
    torch.manual_seed(0)
    told = []

    def watch(stage, done, total, **values):
        told.append((stage, done, total, values))

    extractor = VqVaeExtractor(settings())
    extractor.fit([framed(seed) for seed in range(6)], watch)
    extractor.told = told
    return extractor


@pytest.fixture(scope="module")
def described(fitted, framed):
    volume = framed(9)
    found = fitted.extract(volume)
    names = [name for name in READ for _ in range(WIDTH if name == "latent" else 1)]
    channels = {
        name: found.vectors[:, [index for index, own in enumerate(names) if own == name]]
        for name in READ
    }
    return volume, found, channels


def slices_of(volume):
    return volume.voxels.clamp(-4, 4).movedim(3, 0)


def by_token(fitted, volume):
    """Latents and tokens of a volume in the plainest way, all slices at once."""
    with torch.no_grad():
        latents = fitted.tokeniser.encoder(slices_of(volume))  # [S, C, x, y]
    codes = fitted.tokeniser.codebook.codes
    tokens = torch.cdist(latents.movedim(1, 3).reshape(-1, WIDTH), codes).argmin(1)
    return latents.movedim(1, 3), tokens.reshape(SHAPE[2], 5, 6)


def test_cells_are_parts_of_tokens_that_hold_brain(described):
    volume, found, channels = described
    assert torch.equal(found.inside, touching(volume.brain, (2, 2, 1)))
    assert found.vectors.shape == (int(found.inside.sum()), 5 + WIDTH)
    assert torch.isfinite(found.vectors).all()
    assert all(channels[name].shape[1] == 1 for name in READ if name != "latent")


def test_the_grid_of_tokens_can_be_read_from_the_map(fitted, described):
    volume, found, channels = described
    _, tokens = by_token(fitted, volume)
    lattice = found.lattice(channels["token"][:, 0])[::2, ::2]
    seen = found.inside[::2, ::2]
    assert torch.equal(lattice[seen].long(), tokens.movedim(0, 2)[seen])
    assert channels["token"].half().float().equal(channels["token"])


def test_what_a_token_stands_for_is_in_all_its_cells(fitted, described):
    volume, found, channels = described
    latents, tokens = by_token(fitted, volume)
    x, y, z = found.inside.nonzero().T
    own = latents[z, x // 2, y // 2]
    assert torch.allclose(channels["latent"], own, atol=1e-5)
    distance = (own - fitted.tokeniser.codebook.codes[tokens[z, x // 2, y // 2]]).norm(dim=1)
    assert torch.allclose(channels["distance"][:, 0], distance, atol=1e-4)


def test_the_residual_is_that_of_the_brain_of_a_cell(fitted, described):
    volume, found, channels = described
    _, tokens = by_token(fitted, volume)
    with torch.no_grad():
        given = fitted.tokeniser.restore(tokens)
    off = (slices_of(volume) - given).abs()[:, 0].movedim(0, 2).numpy()
    for row in (0, 57, len(found.vectors) - 1):
        x, y, z = found.inside.nonzero()[row].tolist()
        here = np.s_[2 * x : 2 * x + 2, 2 * y : 2 * y + 2, z]
        wanted = off[here][volume.brain.numpy()[here]].mean()
        assert np.isclose(float(channels["residual"][row, 0]), wanted, atol=1e-4)


def test_what_is_restored_nowhere_is_off_nowhere(fitted, framed):
    before = fitted.limit.clone()
    try:
        fitted.limit.fill_(1e9)
        last = fitted.extract(framed(9)).vectors[:, READ.index("restored")]
    finally:
        fitted.limit.copy_(before)
    assert (last == 0).all()


def test_a_restoration_is_off_near_what_is_improbable(described):
    _, _, channels = described
    assert (channels["surprise"] > 0).all()
    assert channels["restored"].min() >= 0
    # The mask ends 4 deviations of 5 mm from a token of 12 mm, far beyond which little is left.
    high = channels["restored"][:, 0].topk(20).values.mean()
    assert channels["restored"].median() < 0.2 * high


def test_as_many_healthy_tokens_are_improbable_as_the_settings_say(fitted):
    stage, *_, values = fitted.told[-1]
    assert stage == "prior"
    assert values["limit"] == pytest.approx(float(fitted.limit))
    assert values["limit"] > values["nats"] > 0


@pytest.mark.parametrize(("people", "spared"), [(5, 1), (4, 0)])
def test_the_prior_learns_nothing_from_any_session_of_those_who_are_spared(people, spared):
    draw, inside = torch.Generator().manual_seed(0), torch.ones(SHAPE[2], 5, 6, dtype=torch.bool)
    drawn = torch.randint(CODES, (2, 2 * people, *inside.shape), generator=draw)
    subjects = [f"p{place % people}" for place in range(2 * people)]  # two sessions of everybody

    def taught(changed=()):
        torch.manual_seed(0)
        extractor = VqVaeExtractor(settings())
        extractor.build(1)
        tokens = [drawn[int(place in changed), place] for place in range(2 * people)]
        grids = [TokenGrid(own, inside) for own in tokens]
        extractor._foretell(grids, subjects, silent, Savepoint())
        return extractor

    def alike(one, other):
        pairs = zip(one.prior.parameters(), other.prior.parameters(), strict=True)
        return all(torch.equal(*pair) for pair in pairs)

    plain = taught()
    sessions = [{place, place + people} for place in range(people)]
    unheard = [own for own in sessions if alike(taught(own), plain)]
    assert len(unheard) == spared
    assert all(taught({place}).limit != plain.limit for own in unheard for place in own)


def test_the_perplexity_of_all_healthy_tokens_is_told(fitted, framed):
    values = next(values for stage, *_, values in fitted.told if stage == "tokens")
    grids = [fitted.tokens(framed(seed)) for seed in range(6)]
    every = torch.cat([grid.tokens[grid.inside] for grid in grids])
    truth = np.exp(entropy(np.bincount(every, minlength=CODES)))
    assert values["perplexity"] == pytest.approx(truth)


def test_another_instance_takes_what_was_learnt(fitted, framed):
    torch.manual_seed(5)
    other = VqVaeExtractor(settings())
    other.load_state_dict(fitted.state_dict())
    assert torch.equal(other.extract(framed(9)).vectors, fitted.extract(framed(9)).vectors)


def test_there_is_a_prior_only_where_one_is_read(framed):
    torch.manual_seed(0)
    plain = VqVaeExtractor(settings(read=("token",)))
    plain.fit([framed(0), framed(1)], silent)
    assert not [name for name in plain.state_dict() if name.startswith("prior")]
    assert not any(parameter.requires_grad for parameter in plain.parameters())


def test_what_is_read_changes_nothing_of_what_is_learnt_but_the_prior():
    torch.manual_seed(0)
    one, other = (VqVaeExtractor(settings(read=read)) for read in (("residual",), ("latent",)))
    with_prior = VqVaeExtractor(settings(read=("surprise",)))
    assert one.lessons() == other.lessons() != with_prior.lessons()
    assert with_prior.lessons() == VqVaeExtractor(settings(read=("restored",))).lessons()
    torch.manual_seed(1)
    assert VqVaeExtractor(settings(read=("residual",))).lessons() != one.lessons()


def test_several_sequences_share_their_tokens(framed):
    torch.manual_seed(0)
    extractor = VqVaeExtractor(settings(read=("residual", "token")))
    volumes = [framed(seed, sequences=4) for seed in range(2)]
    extractor.fit(volumes, silent)
    found = extractor.extract(volumes[0])
    assert found.vectors.shape[1] == 2
    with torch.no_grad():
        tokens = extractor.tokens(volumes[0]).tokens
        off = slices_of(volumes[0]) - extractor.tokeniser.restore(tokens)
    root = off.square().mean(1).sqrt().movedim(0, 2)
    kept = touching(volumes[0].brain, (2, 2, 1), 1.0)
    whole = torch.nn.functional.avg_pool3d(root[None], (2, 2, 1))[0][kept]
    assert torch.allclose(found.lattice(found.vectors[:, 0])[kept], whole, atol=1e-4)


def test_a_picture_is_one_slice(make_brain):
    torch.manual_seed(0)
    extractor = VqVaeExtractor(settings())
    pictures = [make_brain(seed, shape=(20, 24, 1)) for seed in range(5)]
    extractor.fit(pictures, silent)
    found = extractor.extract(pictures[0])
    assert found.inside.shape == (10, 12, 1)
    assert torch.isfinite(found.vectors).all()


def test_a_frame_of_part_tokens_is_refused(fitted, make_brain):
    with pytest.raises(ConfigError, match="not whole cells of 4"):
        fitted.extract(make_brain(0, shape=(22, 24, 8)))
    with pytest.raises(ConfigError, match="not whole cells of 4"):
        VqVaeExtractor(settings()).fit([make_brain(0, shape=(22, 24, 8))], silent)


@pytest.mark.parametrize(
    "wrong", [{"read": ()}, {"read": ("logit",)}, {"finer": 3}, {"finer": 0}, {"least": 0.0}]
)
def test_what_cannot_be_read_is_refused(wrong):
    with pytest.raises(ConfigError):
        settings(**wrong)
