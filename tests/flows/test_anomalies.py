import pytest
import torch

from slicenet.flows.anomalies import NoiseSettings, noisy


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


VECTORS = 5 * torch.randn(20_000, 3, generator=seeded(9))
SPREAD = torch.tensor([0.1, 1.0, 10.0])


def deviation(settings: NoiseSettings) -> torch.Tensor:
    return (noisy(VECTORS, SPREAD, settings, seeded()) - VECTORS).std(0)


def test_sigma_is_the_same_share_of_the_unit_in_every_channel():
    torch.testing.assert_close(
        deviation(NoiseSettings()) / SPREAD, torch.full((3,), 0.5), rtol=0.03, atol=0
    )


def test_noise_is_gaussian_and_independent_of_the_vector_and_between_channels():
    noise = noisy(VECTORS, SPREAD, NoiseSettings(), seeded()) - VECTORS
    together = torch.corrcoef(torch.cat((noise, VECTORS), 1).T)
    assert float((together - torch.eye(6))[:3].abs().max()) < 0.03
    standard = (noise / noise.std(0)).pow(4).mean(0)
    torch.testing.assert_close(standard, torch.full((3,), 3.0), rtol=0.1, atol=0)


def test_mixed_scales_grow_by_a_tenth_and_are_drawn_alike_often_a_vector_at_a_time():
    wide = torch.zeros(2000, 4000)
    settings = NoiseSettings(sigma=0.2, scales=4)
    per_vector = noisy(wide, torch.ones(4000), settings, seeded()).std(1)
    steps = (per_vector / 0.2).log() / torch.tensor(1.1).log()
    assert float((steps - steps.round()).abs().max()) < 0.45
    assert float((steps - steps.round()).abs().mean()) < 0.12
    shares = torch.bincount(steps.round().long(), minlength=4) / 2000
    torch.testing.assert_close(shares, torch.full((4,), 0.25), rtol=0, atol=0.05)


def test_noise_is_a_function_of_its_generator_alone():
    torch.manual_seed(1)
    first = noisy(VECTORS, SPREAD, NoiseSettings(), seeded(3))
    torch.manual_seed(2)
    assert torch.equal(noisy(VECTORS, SPREAD, NoiseSettings(), seeded(3)), first)
    assert not torch.equal(noisy(VECTORS, SPREAD, NoiseSettings(), seeded(4)), first)


def test_the_vectors_keep_their_kind_and_their_numbers():
    before = VECTORS.clone().bfloat16()
    assert noisy(before, SPREAD, NoiseSettings(), seeded()).dtype == torch.bfloat16
    assert torch.equal(before, VECTORS.bfloat16())


def test_no_vectors_stay_none():
    assert noisy(VECTORS[:0], SPREAD, NoiseSettings(), seeded()).shape == (0, 3)


@pytest.mark.parametrize("wrong", [{"unit": "voxels"}, {"sigma": 0.0}, {"scales": 0}])
def test_settings_of_no_noise_are_refused(wrong):
    with pytest.raises(ValueError, match=r"unit: have|must be positive"):
        NoiseSettings(**wrong)
