import signal

import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.flows.relaxation import (
    LadderSettings,
    Rung,
    expected,
    gumbel,
    strangeness,
    target,
)
from slicenet.savepoint import Savepoint
from slicenet.scorers.categorical_learning import (
    CategoricalCourse,
    check_categories,
    check_held,
    descend,
    disagreement,
    divide,
    given,
    kinds_of,
    known,
    lengths,
    misses,
    norms,
    points,
)
from slicenet.stopping import Stopped, stoppable
from slicenet.watch import silent

KINDS = [3, 5]
LADDER = LadderSettings()


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def codes(count=40):
    return [torch.randint(kinds, (count,), generator=draw(kinds)) for kinds in KINDS]


def noisy(rung):
    true = given(codes(), KINDS, LADDER, rung)
    return true, points(true + torch.randn(true.shape, generator=draw()), KINDS, rung)


def test_a_field_has_one_category_more_than_was_seen():
    seen = [torch.tensor([[0.0, 4.0], [2.0, 1.0]]), torch.tensor([[1.0, 0.0]]), torch.zeros(0, 2)]
    assert kinds_of(seen) == [4, 6]
    late = torch.tensor([[3.0, 5.0], [99.0, 6.0], [1.0, 2.0]])
    assert known(late, [4, 6]).tolist() == [[3, 5], [3, 5], [1, 2]]


@pytest.mark.parametrize("wrong", [[[0.5]], [[-1.0]], [[512.0]]])
def test_what_names_no_category_is_refused(wrong):
    with pytest.raises(ConfigError) as caught:
        check_categories([torch.zeros(3, 1), torch.zeros(0, 1), torch.tensor(wrong)])
    assert caught.value.code == "E_LABELS"


@pytest.mark.parametrize(("count", "share", "left"), [(10, 0.2, 2), (4, 0.01, 1), (3, 0.99, 2)])
def test_what_is_divided_is_each_on_one_side(count, share, left):
    one, two = divide(range(count), share, 0)
    assert sorted(one + two) == list(range(count))
    assert len(two) == left
    assert (one, two) == (sorted(one), sorted(two))
    assert divide(range(count), share, 0) == (one, two)
    assert {tuple(divide(range(count), share, seed)[1]) for seed in range(40)} != {tuple(two)}


def test_all_that_an_owner_has_is_on_one_side():
    owners = [0, 1, 0, 2, 3, 2, 4, 5, 0, 1, 2, 3, 4, 5]
    for seed in range(8):
        one, two = divide(owners, 0.3, seed)
        _, alone = divide(range(6), 0.3, seed)
        assert two == [place for place, owner in enumerate(owners) if owner in alone]
        assert sorted(one + two) == list(range(14))


def test_what_cannot_be_divided_is_refused():
    with pytest.raises(ConfigError, match="one each"):
        divide([0, 0, 0], 0.5, 0)
    for share in (0.0, 1.0):
        with pytest.raises(ConfigError, match="held"):
            check_held(share)


@pytest.mark.parametrize("rung", [Rung(4.0, 1.0), Rung(1.0, 4.0)])
def test_every_field_is_relaxed_on_its_own(rung):
    true, seen = noisy(rung)
    assert true.shape == (40, 8)
    for part in seen.split(KINDS, 1):
        assert torch.allclose(part.exp().sum(1), torch.ones(40))
    alone = given(codes()[1:], KINDS[1:], LADDER, rung)
    assert torch.equal(true[:, 3:], alone)


@pytest.mark.parametrize("rung", [Rung(4.0, 1.0), Rung(1.0, 4.0)])
def test_the_disagreement_is_the_divergence_of_torch_from_the_target(rung):
    true, seen = noisy(rung)
    belief = torch.randn(true.shape, generator=draw(3))
    wanted = 0.0
    for mine, point, whole in zip(*(one.split(KINDS, 1) for one in (belief, seen, true)),
                                  strict=True):  # fmt: skip
        log = expected(mine, point, LADDER.floor, rung).log()
        aim = target(whole, point, rung.points)
        wanted += torch.nn.functional.kl_div(log, aim, reduction="none").sum(1) / 2
    found = disagreement(belief, seen, true, KINDS, LADDER, rung)
    assert torch.allclose(found, wanted, atol=1e-5)
    sure = torch.cat([torch.nn.functional.one_hot(one, kinds) * 500.0
                      for one, kinds in zip(codes(), KINDS, strict=True)], 1)  # fmt: skip
    assert disagreement(sure, seen, true, KINDS, LADDER, rung).abs().max() < 1e-4


def test_no_belief_is_better_than_the_true_chances():
    rung, draws = Rung(6.0, 1.0), draw(7)
    chances = torch.tensor([0.6, 0.3, 0.1])
    drawn = torch.multinomial(chances, 40_000, True, generator=draws)
    true = given([drawn], [3], LADDER, rung)
    seen = points(true + gumbel(true, draws), [3], rung)

    def loss(belief):
        whole = belief.log().expand(len(drawn), 3)
        return disagreement(whole, seen, true, [3], LADDER, rung).mean()

    best = loss(chances)
    for other in ([0.3, 0.6, 0.1], [0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.34, 0.33, 0.33]):
        assert best < loss(torch.tensor(other))


def test_the_norm_of_several_fields_is_the_root_mean_square_of_their_shares():
    rung = Rung(4.0, 1.0)
    true, seen = noisy(rung)
    belief = torch.randn(true.shape, generator=draw(3))
    total = 0.0
    for mine, point in zip(belief.split(KINDS, 1), seen.split(KINDS, 1), strict=True):
        told = expected(mine, point, LADDER.floor, rung)
        total += strangeness(told, LADDER.floor, rung).square() / 2
    found = norms(belief, seen, KINDS, LADDER, rung)
    assert torch.allclose(found, total.sqrt(), atol=1e-5)


def certain(seen, level):
    """An answer that is sure of the last category of every field."""
    last = torch.zeros(sum(KINDS))
    last[[2, 7]] = 500.0
    return last.expand(len(seen), -1)


def test_lengths_are_0_where_the_answer_is_right_and_1_where_it_is_wrong():
    rows = torch.tensor([[2, 4], [0, 1], [2, 0]]).T.unbind()
    found = lengths(certain, rows, KINDS, LADDER)
    assert found.shape == (3, LADDER.levels)
    wanted = torch.tensor([0.0, 1.0, 0.5**0.5])[:, None].expand(3, LADDER.levels)
    assert torch.allclose(found, wanted, atol=2e-3)


def test_nothing_is_missed_where_the_answer_is_right():
    rows, device = torch.tensor([[2, 4], [0, 1]]).T.unbind(), torch.device("cpu")
    for level in range(LADDER.levels):
        right, wrong = misses(certain, rows, KINDS, LADDER, level, draw(), device)
        assert right.item() == pytest.approx(0, abs=1e-4)
        assert wrong > 0.01


def test_a_descent_finds_the_bottom_and_freezes_it():
    network = torch.nn.Linear(1, 1, bias=False)
    settings = CategoricalCourse(steps=300, rate=0.1)
    descend(network, lambda _: (network.weight - 2).square().sum(), settings, silent)
    assert network.weight.item() == pytest.approx(2, abs=1e-2)
    assert not network.weight.requires_grad


@pytest.mark.parametrize("at", [2, 7, 12])
def test_a_descent_that_was_stopped_goes_on_to_the_same_bits(at, tmp_path):
    settings = CategoricalCourse(steps=12, rate=0.1)

    def learnt(savepoint=Savepoint(), stop=0):
        torch.manual_seed(0)
        network, seen = torch.nn.Linear(2, 1), []

        def watch(stage, done, total, **values):
            seen.append(done)
            if done == stop:
                raise KeyboardInterrupt

        def loss(step):
            return (network(torch.randn(4, 2, generator=draw(step))) - 2).square().sum()

        descend(network, loss, settings, watch, savepoint)
        return network.state_dict(), seen

    whole, _ = learnt()
    with pytest.raises(KeyboardInterrupt):
        learnt(Savepoint(tmp_path / "kept.safetensors", every=0), stop=at)
    state, seen = learnt(Savepoint(tmp_path / "kept.safetensors"))
    assert seen == list(range(at, 13))  # the step at which it was stopped was not kept
    assert all(torch.equal(state[name], held) for name, held in whole.items())


def test_what_is_no_number_ends_it_and_names_the_step():
    network = torch.nn.Linear(1, 1)
    with pytest.raises(ConfigError, match="step 1 of 1200") as caught:
        descend(network, lambda _: network.weight.sum() * float("nan"), CategoricalCourse(), silent)
    assert caught.value.code == "E_DIVERGED"


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}, {"rate": 0.0}, {"clip": 0.0}])
def test_impossible_courses_are_refused(wrong):
    with pytest.raises(ConfigError):
        CategoricalCourse(**wrong)


def test_100_who_is_asked_to_stop_in_a_step_keeps_that_step(tmp_path):
    network, point = torch.nn.Linear(1, 1), Savepoint(tmp_path / "kept.safetensors", every=1000)

    def watch(stage, done, total, **values):
        if done == 3:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Stopped), stoppable():
        descend(network, lambda _: network.weight.sum(), CategoricalCourse(steps=9), watch, point)
    assert point.load()[1]["step"] == 3
