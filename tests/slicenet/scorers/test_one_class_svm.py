import numpy as np
import pytest
import torch
from sklearn.svm import OneClassSVM

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers.one_class_svm import OneClassSvmScorer, OneClassSvmSettings
from slicenet.scorers.search import ROWS
from slicenet.watch import silent

INSIDE = torch.rand(4, 5, 6, generator=torch.Generator().manual_seed(7)) > 0.3
COUNT = int(INSIDE.sum())
SCALE = torch.tensor([1.0, 3.0, 10.0, 0.1])


def brain(seed, shift=0.0, count=COUNT):
    noise = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    inside = INSIDE if count == COUNT else torch.ones(count, 1, 1, dtype=torch.bool)
    return FeatureMap((noise + shift) * SCALE + 50, inside)


def fitted(settings, volumes=5, seed=0):
    torch.manual_seed(seed)
    scorer = OneClassSvmScorer(settings)
    scorer.fit([brain(volume) for volume in range(volumes)], silent)
    return scorer


@pytest.mark.parametrize("gamma", [0.0, 0.7])
def test_one_machine_decides_as_that_of_scikit_learn(gamma):
    settings = OneClassSvmSettings(members=1, each=5 * COUNT, nu=0.2, gamma=gamma)
    scorer = fitted(settings)
    healthy = torch.cat([scorer.standard(brain(volume).vectors) for volume in range(5)])
    peer = OneClassSVM(nu=0.2, gamma=gamma or "scale", tol=1e-8).fit(healthy.double().numpy())
    for shift in (0.0, 3.0):
        new = brain(9, shift)
        wanted = -peer.decision_function(scorer.standard(new.vectors).double().numpy())
        assert np.allclose(scorer.score(new).numpy(), wanted, atol=1e-4)


def test_the_score_is_minus_the_mean_decision_of_all_machines():
    machines = []
    real = OneClassSVM.fit

    def remember(self, *arguments):
        machines.append(self)
        return real(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OneClassSVM, "fit", remember)
        scorer = fitted(OneClassSvmSettings(members=3, each=60))
    assert [machine.shape_fit_ for machine in machines] == [(60, 4)] * 3
    new = brain(9, shift=1.0, count=ROWS + 30)
    standard = scorer.standard(new.vectors).double().numpy()
    wanted = -np.mean([machine.decision_function(standard) for machine in machines], 0)
    assert np.allclose(scorer.score(new).numpy(), wanted, atol=1e-5)
    assert len(scorer.support) == sum(len(machine.support_) for machine in machines)


def test_the_width_of_the_kernel_is_that_which_scikit_learn_calls_scale():
    scorer = fitted(OneClassSvmSettings(members=1, each=5 * COUNT, standardise=False))
    healthy = torch.cat([brain(volume).vectors for volume in range(5)]).double()
    wide = 1 / (4 * (healthy - healthy.mean(0)).numpy().var())
    assert np.allclose(scorer.gamma.numpy(), wide)


def test_about_the_allowed_share_of_the_healthy_lies_beyond():
    scorer = fitted(OneClassSvmSettings(members=1, each=5 * COUNT, nu=0.1), volumes=5)
    beyond = torch.cat([scorer.score(brain(volume)) for volume in range(5)]) > 0
    assert 0.05 < beyond.float().mean() < 0.15
    assert scorer.score(brain(9, shift=8.0)).min() > 0


def test_fewer_vectors_than_machines_want_are_shared_out():
    scorer = OneClassSvmScorer(OneClassSvmSettings())
    scorer.fit([brain(0, count=3)], silent)
    assert torch.isfinite(scorer.score(brain(1, count=3))).all()


def test_a_constant_channel_and_twins_keep_scores_finite():
    same = FeatureMap(torch.ones(COUNT, 4), INSIDE)
    scorer = OneClassSvmScorer(OneClassSvmSettings())
    scorer.fit([same, same], silent)
    assert torch.isfinite(scorer.score(brain(9))).all()


def test_the_machines_follow_from_the_seed_of_the_build():
    settings = OneClassSvmSettings(members=2, each=40)
    one, two, other = (fitted(settings, seed=seed).support for seed in (4, 4, 5))
    assert torch.equal(one, two)
    assert one.shape != other.shape or not torch.equal(one, other)


def test_no_vector_has_no_score():
    empty = FeatureMap(torch.zeros(0, 4), torch.zeros_like(INSIDE))
    assert fitted(OneClassSvmSettings()).score(empty).shape == (0,)


@pytest.mark.parametrize(
    "wrong", [{"members": 0}, {"each": 1}, {"nu": 0.0}, {"nu": 1.1}, {"gamma": -1.0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        OneClassSvmSettings(**wrong)


@pytest.mark.parametrize("gamma", [0.0, 0.4])
def test_by_position_the_machine_of_a_place_decides_as_that_of_scikit_learn(gamma):
    settings = OneClassSvmSettings(scope="position", nu=0.3, gamma=gamma, around=(0, 0, 0), least=6)
    scorer = fitted(settings, volumes=8)
    every = torch.stack([scorer.standard(brain(volume).vectors) for volume in range(8)])
    for shift in (0.0, 3.0):
        new = brain(9, shift)
        scores = scorer.score(new)
        queries = scorer.standard(new.vectors).double().numpy()
        for row in range(0, COUNT, 7):
            peer = OneClassSVM(nu=0.3, gamma=gamma or "scale", tol=1e-8)
            peer.fit(every[:, row].double().numpy())
            # With coefficients that sum to 1, as in the papers, and not to those allowed outside.
            wanted = -peer.decision_function(queries[row : row + 1])[0] / (0.3 * 8)
            assert scores[row].item() == pytest.approx(wanted, abs=1e-4)


def test_by_position_what_lies_around_a_cell_is_healthy_for_it_too():
    # Eight vectors make a narrow boundary, those of nine cells a wider one.
    settings = [OneClassSvmSettings(scope="position", around=(reach, reach, 0), least=3)
                for reach in (0, 1)]  # fmt: skip
    alone, around = (fitted(one, volumes=8) for one in settings)
    assert len(around.support) > len(alone.support)
    outside = [(scorer.score(brain(9)) > 0).float().mean() for scorer in (alone, around)]
    assert outside[1] < outside[0]


def test_the_machines_of_a_patient_are_of_that_brain_alone():
    settings = OneClassSvmSettings(scope="patient", members=2, each=30, nu=0.2)
    scorer = fitted(settings)
    assert not scorer.support.numel()
    patient = brain(9, shift=8.0)
    machines = []
    real = OneClassSVM.fit

    def remember(self, vectors, *arguments):
        machines.append((self, vectors))
        return real(self, vectors, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OneClassSVM, "fit", remember)
        scores = scorer.score(patient)
    own = scorer.standard(patient.vectors).double().numpy()
    assert [len(vectors) for _, vectors in machines] == [30, 30]
    drawn = np.concatenate([vectors for _, vectors in machines])
    assert len(np.unique(drawn, axis=0)) == 60
    assert np.isin(drawn, own).all()
    wanted = -np.mean([machine.decision_function(own) for machine, _ in machines], 0)
    assert np.allclose(scores.numpy(), wanted, atol=1e-5)
    assert torch.equal(scorer.score(patient), scores)
    # All of it is far from any healthy brain, and nothing from itself.
    assert (scores > 0).float().mean() < 0.5


@pytest.mark.parametrize("wrong", [{"scope": "brain"}, {"around": (1, 1)}, {"least": 1}])
def test_a_scope_that_is_none_is_refused(wrong):
    with pytest.raises(ConfigError):
        OneClassSvmSettings(**wrong)
