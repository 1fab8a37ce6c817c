import numpy as np
import pytest
import torch

from slicenet.flows.boundary import Boundary, BoundarySettings


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def level(boundary: Boundary) -> float:
    assert boundary.level is not None
    return float(boundary.level)


@pytest.mark.parametrize(("count", "place"), [(100, 5), (119, 5), (120, 6), (19, 1), (1, 1)])
def test_the_published_boundary_is_one_of_the_healthy_by_rank(count, place):
    values = np.random.default_rng(count).normal(size=count)
    boundary = Boundary(BoundarySettings(memory=0.0)).after(torch.from_numpy(values), seeded())
    assert level(boundary) == np.sort(values)[place - 1]


def test_the_quantile_is_averaged_over_batches_from_the_first_on():
    batches = np.random.default_rng(0).normal(size=(7, 40))
    boundary, expected = Boundary(), None
    for batch in batches:
        boundary = boundary.after(torch.from_numpy(batch), seeded())
        now = np.sort(batch)[1]
        expected = now if expected is None else 0.9 * expected + 0.1 * now
        assert level(boundary) == pytest.approx(expected)


def test_without_memory_each_batch_stands_for_itself():
    first = Boundary(BoundarySettings(memory=0.0)).after(torch.zeros(40), seeded())
    assert level(first.after(torch.ones(40), seeded())) == 1


def test_a_fixed_boundary_is_where_it_was_put():
    boundary = Boundary(BoundarySettings(kind="fixed", fixed=-1.5))
    assert level(boundary.after(torch.randn(40, generator=seeded()), seeded())) == -1.5


def test_a_random_boundary_is_any_of_the_healthy_and_a_function_of_the_generator():
    healthy = torch.arange(10.0)
    boundary, draw = Boundary(BoundarySettings(kind="random")), seeded()
    levels = [level(boundary.after(healthy, draw)) for _ in range(200)]
    assert set(levels) == set(healthy.tolist())
    again = seeded()
    assert [level(boundary.after(healthy, again)) for _ in range(200)] == levels


@pytest.mark.parametrize("kind", ["quantile", "fixed", "random"])
def test_a_batch_without_healthy_vectors_changes_nothing(kind):
    boundary = Boundary(BoundarySettings(kind=kind))
    assert boundary.after(torch.empty(0), seeded()).level is None
    seen = boundary.after(torch.ones(3), seeded())
    assert level(seen.after(torch.empty(0), seeded())) == level(seen)


@pytest.mark.parametrize("kind", ["quantile", "fixed", "random"])
def test_no_gradient_passes_through_the_boundary(kind):
    healthy = torch.ones(30, requires_grad=True)
    boundary = Boundary(BoundarySettings(kind=kind)).after(healthy, seeded())
    assert boundary.level is not None
    assert not boundary.level.requires_grad


def test_what_was_seen_stays_with_who_saw_it():
    boundary = Boundary()
    boundary.after(torch.ones(3), seeded())
    assert boundary.level is None


@pytest.mark.parametrize("wrong", [{"kind": "mean"}, {"quantile": 0.0}, {"memory": 1.0}])
def test_settings_of_no_boundary_are_refused(wrong):
    with pytest.raises(ValueError, match=r"kind: have|must lie between"):
        BoundarySettings(**wrong)
