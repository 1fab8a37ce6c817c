from dataclasses import replace

import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.flows.relaxation import LadderSettings
from slicenet.scorers.categorical_learning import CategoricalCourse, divide
from slicenet.scorers.categorical_networks import CategoricalNetworkSettings
from slicenet.scorers.fields import Atlas, Field
from slicenet.scorers.gnsm import GnsmScorer, GnsmSettings
from slicenet.scorers.mixture import MixtureScorer, MixtureSettings
from slicenet.watch import silent

SHAPE = (10, 11, 9)
TINY = GnsmSettings(
    ladder=LadderSettings(levels=3), network=CategoricalNetworkSettings(12, (1, 2)),
    course=CategoricalCourse(steps=150, batch=2, rate=5e-3), window=8,
    mixture=MixtureSettings((1, 2)),
)  # fmt: skip


def tokens(seed, strange=False, fields=1):
    """A token grid: slabs along x whose codes follow from their place, a few of them shifted."""
    draw = torch.Generator().manual_seed(seed)
    x, y, z = torch.meshgrid(*(torch.arange(size) for size in SHAPE), indexing="ij")
    codes = (x + int(torch.randint(2, (), generator=draw))) // 3 + 4 * (y > 5)
    rare = torch.rand(SHAPE, generator=draw) < 0.02
    codes = torch.where(rare, torch.randint(8, SHAPE, generator=draw), codes)
    if strange:
        codes[4:7, 2:5, 3:6] = 7
    inside = (x - 5).square() + (y - 5).square() + (z - 4).square() < 28
    first = codes[inside].float()
    other = [(codes[inside] % 3).float() for _ in range(fields - 1)]
    return FeatureMap(torch.stack((first, *other), 1), inside)


def fitted(settings=TINY, seed=0, fields=1):
    torch.manual_seed(seed)
    scorer = GnsmScorer(settings)
    torch.rand(3)  # what else draws must not matter
    scorer.fit([tokens(volume, fields=fields) for volume in range(8)], silent)
    return scorer


@pytest.fixture(scope="module")
def scorer():
    return fitted()


def block(features):
    mask = torch.zeros(SHAPE, dtype=torch.bool)
    mask[4:7, 2:5, 3:6] = True
    return mask[features.inside]


def test_tokens_out_of_place_are_strange_and_no_others(scorer):
    sick = tokens(50, strange=True)
    found, before = scorer.score(sick), scorer.score(tokens(50))
    inside = block(sick)
    assert found[inside].mean() > found[~inside].mean() + 2 * found[~inside].std()
    assert found[inside].mean() > 3 * before[inside].mean()


def test_a_score_is_the_mean_of_the_lengths_which_are_shares(scorer):
    features = tokens(51, strange=True)
    lengths = scorer.lengths(features)
    assert lengths.shape == (len(features.vectors), 3)
    assert lengths.min() >= 0
    assert lengths.max() <= 1
    assert torch.allclose(scorer.score(features), lengths.mean(1))


def test_a_code_that_training_never_saw_is_as_strange_as_any(scorer):
    healthy, late = tokens(52), tokens(52)
    cell = int(block(late).nonzero()[4])
    late.vectors[cell] = 300
    assert scorer.score(late)[cell] > scorer.score(healthy).quantile(0.99)


def test_the_rest_of_a_lattice_changes_no_score_far_away(scorer):
    one, two = tokens(53), tokens(53)
    x = two.inside.nonzero()[:, 0]
    two.vectors[x == 9] = 7
    far = x < 9 - sum(TINY.network.dilations)
    assert torch.allclose(scorer.score(one)[far], scorer.score(two)[far], atol=1e-6)


def test_the_mixture_judges_the_lengths():
    scorer = fitted(GnsmSettings(**{**vars(TINY), "judge": "mixture"}))
    features = tokens(54, strange=True)
    lengths = FeatureMap(scorer.lengths(features), features.inside)
    assert torch.equal(scorer.score(features), scorer.density.score(lengths))
    inside = block(features)
    assert scorer.score(features)[inside].mean() > scorer.score(features)[~inside].mean()


def test_the_mixture_is_of_maps_that_taught_nothing():
    short = {"course": CategoricalCourse(steps=20, batch=1), "judge": "mixture", "held": 0.25}
    settings, maps = GnsmSettings(**{**vars(TINY), **short}), [tokens(seed) for seed in range(8)]
    taught, left = divide(range(8), 0.25, seed=3)

    def learnt(maps):
        torch.manual_seed(3)
        scorer = GnsmScorer(settings)
        scorer.fit(maps, silent)
        return scorer

    scorer = learnt(maps)
    kinds = scorer.kinds.tolist()
    fields = [Field.of(maps[one].vectors, maps[one].inside, kinds) for one in taught]
    assert torch.equal(scorer.counts, Atlas.of(fields, kinds).counts)
    torch.manual_seed(3)
    wanted = MixtureScorer(TINY.mixture)
    wanted.fit([FeatureMap(scorer.lengths(maps[at]), maps[at].inside) for at in left], silent)
    assert torch.equal(scorer.density.means, wanted.means)
    # Other brains there: another density, of the same network.
    other = learnt([tokens(70 + at) if at in left else one for at, one in enumerate(maps)])
    before, after = scorer.state_dict(), other.state_dict()
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert changed
    assert all(name.startswith("density.") for name in changed)


def test_a_copy_of_a_map_teaches_nothing_where_the_map_teaches_nothing():
    short = {"course": CategoricalCourse(steps=2, batch=1), "judge": "mixture", "held": 0.25}
    torch.manual_seed(0)
    scorer = GnsmScorer(GnsmSettings(**{**vars(TINY), **short}))
    whose = "abcd" * 2
    maps = [replace(tokens(seed), subject=own) for seed, own in enumerate(whose)]
    scorer.fit(maps, silent)
    taught, _ = divide([0, 1, 2, 3] * 2, 0.25, seed=0)
    assert len({whose[place] for place in taught}) == 3
    kinds = scorer.kinds.tolist()
    fields = [Field.of(maps[one].vectors, maps[one].inside, kinds) for one in taught]
    assert torch.equal(scorer.counts, Atlas.of(fields, kinds).counts)


def test_one_map_cannot_teach_both_a_network_and_a_mixture():
    with pytest.raises(ConfigError, match="one each"):
        GnsmScorer(GnsmSettings(**{**vars(TINY), "judge": "mixture"})).fit([tokens(0)], silent)


def test_several_fields_share_one_score():
    short = GnsmSettings(**{**vars(TINY), "course": CategoricalCourse(steps=5, batch=1)})
    scorer = fitted(short, fields=2)
    assert scorer.kinds.tolist() == [9, 4]
    found = scorer.score(tokens(55, fields=2))
    assert torch.isfinite(found).all()


def test_another_instance_takes_what_was_learnt(scorer):
    other = GnsmScorer(TINY)
    other.load_state_dict(scorer.state_dict())
    assert torch.equal(other.score(tokens(56)), scorer.score(tokens(56)))


def test_the_seed_of_the_build_decides_what_is_learnt():
    short = GnsmSettings(**{**vars(TINY), "course": CategoricalCourse(steps=3, batch=1)})
    one, two, other = (fitted(short, seed).network.leave.weight for seed in (4, 4, 5))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_no_cell_has_no_score(scorer):
    empty = FeatureMap(torch.zeros(0, 1), torch.zeros(SHAPE, dtype=torch.bool))
    assert scorer.score(empty).shape == (0,)


def test_features_that_are_no_categories_are_refused():
    inside = torch.ones(4, 1, 1, dtype=torch.bool)
    with pytest.raises(ConfigError, match="name categories"):
        GnsmScorer(TINY).fit([FeatureMap(torch.rand(4, 2), inside)], silent)


@pytest.mark.parametrize("wrong", [{"judge": "x"}, {"window": 0}, {"held": 0.0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        GnsmSettings(**wrong)
