import ast
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from slicenet.backends import BACKENDS
from slicenet.checkpoint import settings_table
from slicenet.errors import ConfigError
from slicenet.extractors import optimising
from slicenet.extractors.optimising import SCHEDULES, Descent, Part, check_budget, factor
from slicenet.watch import silent


@dataclass(frozen=True)
class Plan:
    steps: int = 40
    batch: int = 2
    decay: float = 0.0
    clip: float = 1.0
    schedule: str = "cosine"


def slope(start=5.0):
    """A network of one number."""
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, start)
    return network


def cosine(optimiser):
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 20)


def cycle(optimiser):
    # Torch counts the last step as one more, and its peak from there.
    return torch.optim.lr_scheduler.OneCycleLR(optimiser, 1.0, total_steps=21, pct_start=7 / 21)


@pytest.mark.parametrize("make", [cosine, cycle])
def test_the_rates_are_those_of_torchs_own_schedules(make):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=1.0, momentum=0.9)
    schedule = make(optimiser)
    for step in range(20):
        wanted = optimiser.param_groups[0]["lr"]
        assert factor(make.__name__, step, 20) == pytest.approx(wanted, abs=1e-5)
        optimiser.step()
        schedule.step()


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_no_rate_is_above_the_settings_or_nothing(schedule, steps):
    rates = [factor(schedule, step, steps) for step in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)
    assert max(rates) > 0.9 or schedule == "cycle"


def test_a_descent_takes_its_steps_and_finds_the_bottom(told):
    network, plan = slope(), Plan(steps=200, clip=100.0)
    descent = Descent("finetune.edc", [Part(network, 0.2)], plan, told)
    for _ in descent.steps():
        descent.learn((network.weight - 2).square().sum(), extra=3.0)
    assert network.weight.item() == pytest.approx(2, abs=1e-2)
    assert [step["done"] for step in told.told] == list(range(1, 201))
    assert told.told[0] | {"loss": 9.0} == told.told[0]
    assert {step["extra"] for step in told.told} == {3.0}


def tables(table, path=""):
    """Dotted names of all tables with a rate."""
    if any("rate" in name for name in table):
        yield path
    for name, inner in table.items():
        if isinstance(inner, dict):
            yield from tables(inner, f"{path}.{name}")


def test_whoever_is_told_to_lower_rates_finds_them_in_the_settings():
    told = set()
    for path in Path(optimising.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                place = {"Descent": 0, "learn_scores": 6}.get(call.func.id)
                name = None if place is None else call.args[place]
                told |= {name.value} if isinstance(name, ast.Constant) else set()
    known = [path for made in BACKENDS.values() for path in tables(settings_table(made()))]
    assert len(told) > 5
    assert [name for name in told if not any(path.endswith(f".{name}") for path in known)] == []


def test_a_stage_goes_by_a_name_of_its_own_where_that_says_more(told):
    network = slope()
    for stage in ("", "prior"):
        Descent("vqvae.foretell", [Part(network, 0.1)], Plan(), told, stage).learn(
            network.weight.sum()
        )
    assert [step["stage"] for step in told.told] == ["vqvae", "prior"]


def test_every_part_has_its_own_rate():
    quick, slow = slope(), slope()
    descent = Descent("finetune.edc", [Part(quick, 0.1), Part(slow, 0.001)], Plan(), silent)
    descent.learn((quick.weight + slow.weight).sum())
    # The first step of Adam is as long as its rate.
    assert 5 - quick.weight.item() == pytest.approx(0.1, rel=1e-3)
    assert 5 - slow.weight.item() == pytest.approx(0.001, rel=1e-3)


def root(weight):
    """0, and no slope there."""
    return (weight - weight).sum().sqrt()


@pytest.mark.parametrize(
    "spoil",
    [lambda weight: weight.sum() * float("nan"), lambda weight: weight.sum().exp() ** 99, root],
)
def test_h109_what_is_no_number_ends_it_and_names_the_step(spoil):
    network = slope()
    descent = Descent("finetune.joint", [Part(network, 0.1)], Plan(), silent)
    descent.learn(network.weight.sum())
    before = network.weight.item()
    with pytest.raises(ConfigError, match=r"joint diverged at step 2 of 40") as raised:
        descent.learn(spoil(network.weight))
    assert raised.value.code == "E_DIVERGED"
    assert network.weight.item() == before


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"batch": 1}, {"clip": 0.0}, {"decay": -1.0}, {"schedule": "linear"}],
)
def test_impossible_budgets_are_refused(wrong):
    with pytest.raises(ConfigError):
        check_budget(Plan(**wrong), 0.1)
    with pytest.raises(ConfigError):
        check_budget(Plan(), 0.1, 0.0)
