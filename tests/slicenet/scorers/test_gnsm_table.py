import pytest
import torch
from sklearn.metrics import roc_auc_score

from slicenet.errors import ConfigError
from slicenet.flows.relaxation import LadderSettings
from slicenet.scorers.categorical_learning import CategoricalCourse, divide
from slicenet.scorers.categorical_networks import CategoricalNetworkSettings
from slicenet.scorers.gnsm_table import CategoricalTable, CategoricalTableSettings

TINY = CategoricalTableSettings(
    ladder=LadderSettings(levels=3), network=CategoricalNetworkSettings(24, (1, 1)),
    course=CategoricalCourse(steps=800, batch=128, rate=1e-2),
)  # fmt: skip


def rows(seed, count=600, odd=False):
    """The third field follows from the first two, but in odd rows; each field alone is usual."""
    draw = torch.Generator().manual_seed(seed)
    a, b, free = (torch.randint(k, (count,), generator=draw) for k in (4, 3, 3))
    shift = 1 + torch.randint(4, (count,), generator=draw) if odd else 0
    return torch.stack((a, b, (a + b + shift) % 5, free), 1)


def fitted(settings=TINY, seed=0):
    torch.manual_seed(seed)
    table = CategoricalTable(settings)
    table.fit(rows(1))
    return table


@pytest.fixture(scope="module")
def table():
    return fitted()


def test_rows_whose_fields_contradict_each_other_are_strange(table):
    found = torch.cat((table.score(rows(2, 200)), table.score(rows(3, 200, odd=True))))
    assert roc_auc_score([0] * 200 + [1] * 200, found.numpy()) > 0.95


def test_every_row_is_judged_alone(table):
    odd = rows(3, 20, odd=True)
    together = table.score(torch.cat((odd, rows(4, 30))))[:20]
    assert torch.allclose(table.score(odd), together, atol=1e-4)


def test_a_category_that_comes_later_is_strange(table):
    late = rows(5, 100)
    late[:, 0] = 17
    assert table.score(late).mean() > table.score(rows(5, 100)).quantile(0.95)


def test_what_a_table_has_learnt_can_be_kept(table):
    other = CategoricalTable(TINY)
    other.load_state_dict(table.state_dict())
    assert torch.equal(other.score(rows(6)), table.score(rows(6)))


def test_a_table_that_has_learnt_nothing_can_be_kept_too(table):
    unfitted, other = CategoricalTable(TINY).state_dict(), CategoricalTable(TINY)
    other.load_state_dict(unfitted)
    assert other.network is None
    other.load_state_dict(table.state_dict())
    assert torch.equal(other.score(rows(6)), table.score(rows(6)))
    other.load_state_dict(unfitted)
    assert other.network is None


def test_what_is_built_or_loaded_lies_where_the_table_does(table):
    built, loaded = (CategoricalTable(TINY).to("meta") for _ in range(2))
    built.build([5, 4])
    with pytest.warns(UserWarning, match="is a no-op"):  # numbers have no place there
        loaded.load_state_dict(table.state_dict())
    for one in (built, loaded):
        assert {tensor.device.type for tensor in one.state_dict().values()} == {"meta"}


def test_the_seed_of_the_build_decides_what_is_learnt():
    short = CategoricalTableSettings(TINY.ladder, TINY.network, CategoricalCourse(3, 8))
    one, two, other = (fitted(short, seed).network.leave.weight for seed in (4, 4, 5))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_the_mixture_is_of_rows_that_taught_nothing():
    short = CategoricalTableSettings(TINY.ladder, TINY.network, CategoricalCourse(20, 8), held=0.3)
    healthy, found = rows(1), []
    _, left = divide(range(len(healthy)), 0.3, seed=2)
    assert len(left) == 180
    other = healthy.clone()
    other[left] = rows(9)[left]
    for one in (healthy, other):
        torch.manual_seed(2)
        table = CategoricalTable(short)
        table.fit(one)
        found.append(table)
    before, after = (table.state_dict() for table in found)
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert changed
    assert all(name.startswith("density.") for name in changed)
    lengths = found[0].lengths(healthy[left]).double()
    assert torch.allclose(before["density.standard.mean"], lengths.mean(0), rtol=1e-5)


def test_a_row_that_names_no_category_is_refused_wherever_it_is():
    _, left = divide(range(10), 0.2, 0)
    wrong = rows(1, 10).float()
    wrong[left[0]] = 0.5
    torch.manual_seed(0)
    with pytest.raises(ConfigError, match="name categories"):
        CategoricalTable(TINY).fit(wrong)


def test_a_share_that_leaves_nothing_is_refused():
    with pytest.raises(ConfigError, match="held"):
        CategoricalTableSettings(held=1.0)


@pytest.mark.parametrize("wrong", [torch.zeros(1, 3), torch.zeros(4), torch.rand(5, 2)])
def test_what_is_no_table_of_categories_is_refused(wrong):
    with pytest.raises(ConfigError):
        CategoricalTable(TINY).fit(wrong)
