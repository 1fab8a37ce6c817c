import pytest
import scipy.stats
import torch

from slicenet.simulation.draws import Draws


def draws(seed=0):
    return Draws(torch.Generator().manual_seed(seed), torch.device("cpu"))


@pytest.mark.parametrize(
    ("drawn", "law"),
    [
        (lambda d: d.uniform((5000,), -2.0, 3.0), scipy.stats.uniform(-2, 5)),
        (lambda d: d.log_uniform((5000,), 2.0, 40.0), scipy.stats.loguniform(2, 40)),
        (lambda d: d.normal((5000,)), scipy.stats.norm()),
    ],
)
def test_numbers_follow_the_law_they_are_named_after(drawn, law):
    assert scipy.stats.kstest(drawn(draws()).numpy(), law.cdf).pvalue > 0.01


def test_chances_and_signs_come_as_often_as_asked():
    assert abs(float(draws().chance((20000,), 0.2).float().mean()) - 0.2) < 0.01
    signs = draws().signs((20000,))
    assert set(signs.tolist()) == {-1.0, 1.0}
    assert abs(float(signs.mean())) < 0.03


def test_counts_are_those_of_what_happens_on_its_own():
    drawn = draws().counts((20000,), 3.0)
    shares = torch.bincount(drawn, minlength=8)[:8] / len(drawn)
    assert torch.allclose(
        shares.double(), torch.tensor(scipy.stats.poisson(3.0).pmf(range(8))), atol=0.01
    )
    assert (draws().counts((50,), 0.0) == 0).all()


def test_whole_numbers_stay_below_their_end_and_reach_all_under_it():
    ends = torch.tensor([1, 3, 0]).repeat(1000)
    drawn = draws().below(ends).view(-1, 3)
    assert [set(column.tolist()) for column in drawn.T] == [{0}, {0, 1, 2}, {0}]


def test_equal_generators_give_equal_numbers_and_the_global_stream_is_left_alone():
    before = torch.random.get_rng_state()
    assert torch.equal(draws(3).normal((4, 5)), draws(3).normal((4, 5)))
    assert not torch.equal(draws(3).normal((4, 5)), draws(4).normal((4, 5)))
    assert torch.equal(torch.random.get_rng_state(), before)
