import dataclasses
import math

import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.flows.anomalies import NoiseSettings
from slicenet.flows.conditional import ConditionalFlow, FlowSettings
from slicenet.flows.push_pull import LOSSES, PushPullSettings
from slicenet.savepoint import Savepoint
from slicenet.scorers.condition import place_codes
from slicenet.scorers.flow_training import CourseSettings, Lessons, learn, rate_at
from slicenet.scorers.tokens import read_corpus
from slicenet.watch import silent

LATTICE = (4, 4, 4)
BRIEF = CourseSettings(steps=12, batch=128, look=4)


def maps(count=6):
    """Vectors around a mean that depends on the cell."""
    generator = torch.Generator().manual_seed(0)
    inside = torch.ones(LATTICE, dtype=torch.bool)
    level = torch.linspace(-1, 1, 64)[:, None]
    return [
        FeatureMap(level + 0.3 * torch.randn(64, 4, generator=generator), inside)
        for _ in range(count)
    ]


def lessons(loss="spp", strange="noise", seed=0, given=None):
    corpus = read_corpus(given or maps(), 0)
    place = place_codes("volume", LATTICE)
    whole = torch.zeros(len(corpus.means), 0)
    return Lessons(
        corpus, corpus.mean.float(), corpus.spread.float(), place, whole, loss, strange,
        NoiseSettings(sigma=0.5), seed,
    )  # fmt: skip


def flow():
    return ConditionalFlow(4, 128, FlowSettings(blocks=2))


@pytest.mark.parametrize("unit", ["spread", "absolute"])
def test_the_unit_of_noise_is_that_of_vectors_before_they_are_standardised(unit):
    wide = [FeatureMap(10 * one.vectors, one.inside) for one in maps()]
    made = dataclasses.replace(lessons(given=wide), noise=NoiseSettings(unit, 0.08))
    among, _ = made.divide(0.0)
    healthy, _, fakes, _ = made.batch(0, among, 20_000)
    drawn = ((fakes - healthy) * made.spread).std(0)
    wanted = 0.08 * (made.spread if unit == "spread" else torch.ones(4))
    torch.testing.assert_close(drawn, wanted, rtol=0.03, atol=0)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains_to_finite_numbers(loss):
    seen = []
    made = flow()
    learn(
        made, lessons(loss), PushPullSettings(loss=loss), BRIEF,
        lambda stage, done, total, **values: seen.append((done, values)),
    )  # fmt: skip
    assert [done for done, _ in seen] == list(range(1, 13))
    assert all(math.isfinite(values["loss"]) for _, values in seen)
    assert [done for done, values in seen if "held" in values] == [4, 8, 12]
    assert not any(parameter.requires_grad for parameter in made.parameters())


def test_the_same_seed_gives_the_same_flow_to_the_last_bit():
    states = []
    for seed in (0, 0, 1):
        made = flow()
        learn(made, lessons(seed=seed), PushPullSettings(), BRIEF, silent)
        states.append(made.state_dict())
    same = [all(torch.equal(states[0][k], other[k]) for k in states[0]) for other in states[1:]]
    assert same == [True, False]


@pytest.mark.parametrize(("loss", "first", "at"), [("spp", 0, 2), ("spp", 5, 9), ("none", 0, 12)])
def test_stopped_it_goes_on_to_the_same_bits(loss, first, at, tmp_path):
    course = dataclasses.replace(BRIEF, likelihood_first=first)
    told = {}

    def learnt(name, savepoint=Savepoint(), stop=0):
        told[name] = []

        def watch(stage, done, total, **values):
            told[name].append((done, values))
            if done == stop:
                raise KeyboardInterrupt

        made = flow()
        learn(made, lessons(loss), PushPullSettings(loss=loss), course, watch, savepoint)
        return made.state_dict()

    whole = learnt("whole")
    with pytest.raises(KeyboardInterrupt):
        learnt("stopped", Savepoint(tmp_path / "kept.safetensors", every=0), stop=at)
    state = learnt("again", Savepoint(tmp_path / "kept.safetensors"))
    assert told["again"] == told["whole"][at - 1 :]  # the last step was not kept
    assert all(torch.equal(state[name], held) for name, held in whole.items())


@pytest.mark.parametrize("later", [1, 5, 11])  # steps from the best look to where it is stopped
def test_stopped_after_its_best_it_still_ends_when_and_where_it_would_have(later, tmp_path):
    course = CourseSettings(steps=4000, batch=64, look=5, patience=3, rate=3e-2, warmup=0.0)

    def learnt(savepoint=Savepoint(), stop=0):
        told, made = [], flow()

        def watch(stage, done, total, **values):
            told.append((done, values.get("held")))
            if done == stop:
                raise KeyboardInterrupt

        learn(made, lessons("none"), PushPullSettings(loss="none"), course, watch, savepoint)
        return made.state_dict(), told

    whole, told = learnt()
    best = next(done for done, held in told if held == told[-1][1])
    with pytest.raises(KeyboardInterrupt):
        learnt(Savepoint(tmp_path / "kept.safetensors", every=0), stop=best + later)
    state, again = learnt(Savepoint(tmp_path / "kept.safetensors"))
    assert again == told[best + later - 1 :]
    assert all(torch.equal(state[name], held) for name, held in whole.items())


def test_it_stops_when_the_held_out_gain_nothing_and_keeps_the_best():
    held = []
    made = flow()
    course = CourseSettings(steps=4000, batch=64, look=10, patience=2, rate=3e-2, warmup=0.0)

    def watch(stage, done, total, **values):
        held.extend([values["held"]] if "held" in values else [])

    taught = lessons("none")
    learn(made, taught, PushPullSettings(loss="none"), course, watch)
    assert len(held) < 400
    assert held[-1] == held[-2] == held[-3] == max(held)
    _, indices = taught.divide(course.held)
    vectors, condition = taught.of(taught.corpus.healthy, indices)
    assert made.log_density(vectors, condition).mean().item() == pytest.approx(held[-1], abs=1e-5)


def test_subjects_held_out_teach_nothing_by_any_of_their_volumes():
    whose = "abcdefa" + "abcdefb"  # copies come after all others, and sessions anywhere
    given = [
        dataclasses.replace(one, subject=own) for one, own in zip(maps(14), whose, strict=True)
    ]
    taught = lessons(given=given)
    volume = taught.corpus.healthy.volume
    learnt, held = (
        {whose[place] for place in volume[part].tolist()} for part in taught.divide(0.3)
    )
    assert len(held) == 2
    assert not learnt & held
    assert learnt | held == set("abcdef")
    # As those of one volume each are divided.
    alone = lessons()
    chosen = alone.corpus.healthy.volume[alone.divide(0.3)[1]].unique()
    assert {"abcdef"[place] for place in chosen.tolist()} == held
    few = [
        dataclasses.replace(one, subject=own) for one, own in zip(maps(8), "abcd" * 2, strict=True)
    ]
    assert len(lessons(given=few).divide(0.3)[1]) == 0


def test_volumes_held_out_teach_nothing_and_few_volumes_hold_out_none():
    taught = lessons()
    learnt, held = taught.divide(0.3)
    volume = taught.corpus.healthy.volume
    assert set(volume[learnt].tolist()) | set(volume[held].tolist()) == set(range(6))
    assert not set(volume[learnt].tolist()) & set(volume[held].tolist())
    assert len(lessons(given=maps(4)).divide(0.3)[1]) == 0
    assert len(taught.divide(0.0)[1]) == 0


def test_strange_vectors_are_noise_at_the_same_place_or_cells_of_lesions():
    lesioned = maps(1)[0]
    marks = torch.arange(64) == 5
    given = [*maps(), FeatureMap(lesioned.vectors + 9, lesioned.inside, marks)]
    among = torch.arange(6 * 64)
    healthy, codes, fakes, places = lessons(given=given).batch(0, among, 50)
    assert torch.equal(codes, places)
    assert 0.35 < (fakes - healthy).std() < 0.65
    _, _, fakes, places = lessons(strange="lesions", given=given).batch(0, among, 50)
    assert (places == place_codes("volume", LATTICE)[5]).all()
    assert fakes.min() > 5
    assert len(lessons(strange="both", given=given).batch(0, among, 50)[2]) == 100


def test_the_rate_rises_then_falls_along_half_a_cosine():
    course = CourseSettings(steps=100, warmup=0.1, rate=2.0)
    assert rate_at(4, course) == 1.0
    assert rate_at(10, course) == 2.0
    assert rate_at(55, course) == pytest.approx(1.0)
    assert rate_at(99, course) < 0.01
    flat = CourseSettings(steps=100, warmup=0.0, schedule="constant", rate=2.0)
    assert {rate_at(step, flat) for step in range(100)} == {2.0}


def test_h109_a_loss_that_is_no_number_ends_it_and_names_the_step():
    broken = maps()
    broken[2].vectors[:] = float("nan")
    with pytest.raises(ConfigError, match="step 1 of 12"):
        learn(flow(), lessons("none", given=broken), PushPullSettings(), BRIEF, silent)
