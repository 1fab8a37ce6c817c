import hashlib
import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from slicenet.cache import ENDING, PARTLY, Cache
from slicenet.detector import Detector, MapSettings
from slicenet.extractors.intensity import IntensityExtractor, IntensitySettings
from slicenet.features import Extractor, FeatureMap
from slicenet.frame import Frame, FrameSettings
from slicenet.learning import Framed, Walked, fill, fit_extractor, identities, learn
from slicenet.scorers.positions import PositionSettings
from slicenet.scoring import Scorer
from slicenet.simulation import SimulationSettings
from slicenet.watch import silent

KEY = hashlib.sha256(b"row").hexdigest()
COARSE = FrameSettings(spacing=(4.0, 4.0, 4.0))


class Pupil(nn.Module):
    """Learns a row of numbers, as many as it is told."""

    def __init__(self):
        super().__init__()
        self.register_buffer("numbers", torch.empty(0))

    def fit(self, savepoint, stop=0):
        known = savepoint.load()
        told = [] if known is None else known[0]["numbers"].tolist()
        for number in range(len(told), 5):
            if stop and number == stop:
                raise KeyboardInterrupt
            told.append(float(number))
            state = {"numbers": torch.tensor(told)}, {}
            savepoint.part("row").keep(lambda kept=state: kept)
            savepoint.keep(lambda kept=state: kept)
        self.numbers = torch.tensor(told)


def test_what_was_stopped_goes_on_and_leaves_nothing_behind(tmp_path):
    cache, pupil, told = Cache(tmp_path), Pupil(), []
    with pytest.raises(KeyboardInterrupt):
        learn(pupil, lambda savepoint: pupil.fit(savepoint, stop=3), "row", cache, silent)
    assert len(list(tmp_path.glob(f"??/*{PARTLY}"))) == 1

    def fit(savepoint):
        told.append(savepoint.load()[0]["numbers"].tolist())
        pupil.fit(savepoint)

    assert learn(pupil, fit, "row", cache, silent) == 0
    assert told == [[0.0, 1.0, 2.0]]
    assert pupil.numbers.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert not list(tmp_path.glob("??/*.partly*"))


def test_what_was_learnt_is_learnt_once_and_its_seconds_are_told(tmp_path):
    cache, first, again, stages = Cache(tmp_path), Pupil(), Pupil(), []

    def fit(savepoint):
        time.sleep(0.2)
        first.fit(savepoint)

    assert learn(first, fit, "row", cache, silent, earlier=lambda: 5.0) == 0
    cache.savepoint(KEY).keep(lambda: ({}, {}))  # as if killed before it was cleared
    spared = learn(again, None, "row", cache, lambda stage, *_: stages.append(stage))
    assert 5.2 <= spared < 7
    assert torch.equal(again.numbers, first.numbers)
    assert stages == ["learnt before"]
    assert not list(tmp_path.glob("??/*.partly*"))


def test_a_savepoint_stays_where_nothing_else_could_be_kept(tmp_path):
    cache, pupil = Cache(tmp_path, limit=1e-9), Pupil()
    learn(pupil, pupil.fit, "row", cache, silent)
    assert cache.savepoint(KEY).load()[0]["numbers"].tolist() == pupil.numbers.tolist()


def test_another_lesson_is_another_matter(tmp_path):
    cache, pupil = Cache(tmp_path), Pupil()
    learn(pupil, pupil.fit, "row", cache, silent)
    with pytest.raises(ZeroDivisionError):
        learn(pupil, lambda savepoint: 1 / 0, "column", cache, silent)


class Lector(Pupil):
    """An extractor of which only the lesson counts."""

    learns = True

    def lessons(self):
        return "row"

    def fit(self, framed, watch, savepoint):
        self.numbers = torch.ones(1)
        watch("fit", 1, 1)


def test_behind_another_frame_the_same_brains_are_another_lesson(tmp_path):
    told = []
    for spacing in (4.0, 8.0, 8.0):
        frame, cache = Frame(FrameSettings(spacing=(spacing,) * 3)), Cache(tmp_path)
        fit_extractor(frame, Lector(), [], "p1", lambda stage, *_: told.append(stage), cache)
    assert told == ["fit", "fit", "learnt before"]


def test_statistics_take_any_size_and_weights_must_fit():
    fill(pupil := Pupil(), {"numbers": torch.ones(7)})
    assert pupil.numbers.tolist() == [1.0] * 7
    with pytest.raises(RuntimeError, match="size mismatch"):
        fill(nn.Linear(2, 3), {"weight": torch.ones(4, 2), "bias": torch.ones(3)})


def test_volumes_are_told_apart_by_what_they_hold_and_whose_they_are(make_brain):
    one, two = make_brain(0), make_brain(1)
    assert identities([one, two]) == identities([make_brain(0), make_brain(1)])
    lists = ([one], [two], [one, two], [two, one])
    assert len(set(map(identities, lists))) == 4
    assert identities([replace(one, subject="a")]) != identities([replace(one, subject="b")])


def test_what_is_framed_or_walked_can_be_walked_again():
    framed = Framed(lambda volume: -volume, [1, 2, 3])
    assert [list(framed), list(framed), len(framed)] == [[-1, -2, -3], [-1, -2, -3], 3]
    both = Walked([1, 2], [3])
    assert [list(both), list(both), list(Walked([1]))] == [[1, 2, 3], [1, 2, 3], [1]]


class Studious(Scorer):
    """Counts how often it has learnt the mean of the maps."""

    learns = True
    fits = 0
    settings = None

    def __init__(self, seed=0):
        super().__init__()
        self.seed = seed
        self.register_buffer("mean", torch.empty(0))

    def fit(self, maps, watch, savepoint):
        Studious.fits += 1
        time.sleep(0.1)
        self.mean = torch.stack([features.vectors.mean(0).float() for features in maps]).mean(0)

    def score(self, features):
        return (features.vectors.float() - self.mean).abs().sum(1)


def test_a_scorer_learns_the_same_lesson_once_and_all_that_was_spared_is_told(make_brain, tmp_path):
    cache, brains = Cache(tmp_path), [make_brain(seed) for seed in range(4)]

    def fitted(scorer, volumes, frame=COARSE):
        extractor = IntensityExtractor(IntensitySettings())
        made = Detector(Frame(frame), extractor, scorer, MapSettings())
        made.fit(volumes, cache=cache)
        return made

    first, again = fitted(Studious(), brains), fitted(Studious(), brains)
    assert Studious.fits == 1
    assert first.saved == 0
    described = again.maps(brains, cache=cache)
    assert len(list(described)) == 4
    assert 0.1 + described.saved <= again.saved < 10
    assert torch.equal(first.scorer.mean, again.scorer.mean)
    assert torch.equal(first.score(brains[0]).scores, again.score(brains[0]).scores)
    state = again.state_dict()
    assert all(torch.equal(held, state[name]) for name, held in first.state_dict().items())
    fitted(Studious(seed=1), brains)
    fitted(Studious(), brains[:3])
    assert Studious.fits == 3
    fitted(
        Studious(), brains, FrameSettings(spacing=(8.0, 8.0, 8.0))
    )  # other maps of the same brains
    assert Studious.fits == 4


class Slow(Extractor):
    """Counts what it describes, and takes its time."""

    settings = None
    described = 0

    def fit(self, volumes, watch):
        pass

    def extract(self, volume):
        Slow.described += 1
        time.sleep(0.05)
        return FeatureMap(volume.voxels[0][volume.brain][:, None], volume.brain)


@pytest.mark.parametrize("places", ["none", "z"])
def test_what_is_known_needs_no_maps_that_have_made_room(make_brain, tmp_path, places):
    cache, brains = Cache(tmp_path), [make_brain(seed) for seed in range(4)]
    Slow.described = 0

    def fitted():
        scorer, finish = Studious(), MapSettings(position=PositionSettings(places))
        scorer.lesions = SimulationSettings(least=1)
        made = Detector(Frame(COARSE), Slow(), scorer, finish)
        made.fit(brains, cache=cache)
        return made

    first, kept = fitted(), fitted()
    assert Slow.described == 8  # healthy and lesioned
    assert first.saved == 0
    assert kept.saved >= 0.1 + 8 * 0.05
    for path in tmp_path.glob(f"??/*{ENDING}"):
        path.unlink()
    gone = fitted()
    again = 4 * (places == "z")  # what is usual at a place is not known from before
    assert Slow.described == 8 + again
    assert gone.saved <= kept.saved - again * 0.05
    assert again or gone.saved == kept.saved
    state = gone.state_dict()
    assert all(torch.equal(held, state[name]) for name, held in first.state_dict().items())
