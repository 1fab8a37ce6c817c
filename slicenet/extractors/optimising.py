"""One way down the gradient, for every method that fine-tunes a backbone."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, final

import torch
from torch import Tensor, nn

from slicenet import stopping
from slicenet.errors import ConfigError
from slicenet.savepoint import Savepoint, State, below, packed, unpack
from slicenet.watch import Watch

SCHEDULES = ("cosine", "cycle", "constant")
WARM = 0.3  # share of a cycle in which the rate rises, from a
START = 0.04  # share of what the settings say
BESIDE = "beside."  # names in a savepoint


class Budget(Protocol):
    """What the settings of every method say of its descent."""

    @property
    def steps(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def decay(self) -> float: ...
    @property
    def clip(self) -> float: ...
    @property
    def schedule(self) -> str: ...


def check_budget(budget: Budget, *rates: float) -> None:
    """Refuse settings with which nothing could be learnt."""
    if budget.steps < 1 or budget.batch < 2:
        raise ConfigError("steps count from 1 and batch from 2", "E_SETTING")
    if min(*rates, budget.clip) <= 0 or budget.decay < 0:
        raise ConfigError("rates and clip must be positive, decay not negative", "E_SETTING")
    if budget.schedule not in SCHEDULES:
        raise ConfigError(
            f"schedule: have {', '.join(sorted(SCHEDULES))}; got {budget.schedule!r}", "E_SETTING"
        )


def factor(schedule: str, step: int, steps: int) -> float:
    """What the rates are multiplied by in a step, counted from 0: at most 1."""
    if schedule == "constant":
        return 1.0
    if schedule == "cosine":
        return _wave(step / steps)
    rising = WARM * steps
    if step < rising:
        return START + (1 - START) * (1 - _wave(step / rising))
    return _wave((step - rising) / (steps - rising))


@final
@dataclass(frozen=True, eq=False)
class Part:
    """A network that learns at a rate of its own."""

    network: nn.Module
    rate: float


@final
class Descent:
    """AdamW over a few networks, for a fixed number of steps; nothing is ever selected."""

    def __init__(
        self,
        name: str,
        parts: Sequence[Part],
        budget: Budget,
        watch: Watch,
        stage: str = "",
        savepoint: Savepoint = Savepoint(),
    ) -> None:
        """`name` is that of its settings, whose first part also tells what is done, or `stage`.

        What an earlier run has left in its part of the savepoint is where it goes on.
        """
        self.step = 0
        self._name, self._budget, self._watch = name, budget, watch
        self._stage = stage or name.partition(".")[0]
        groups = [{"params": list(part.network.parameters()), "lr": part.rate} for part in parts]
        self._parameters = [one for group in groups for one in group["params"]]  # type: ignore[attr-defined]
        self._optimiser = torch.optim.AdamW(groups, weight_decay=budget.decay)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda step: factor(budget.schedule, step, budget.steps)
        )
        self._networks = nn.ModuleList(part.network for part in parts)
        self._beside: Callable[[], Mapping[str, Tensor]] = dict
        self._left: dict[str, Tensor] = {}
        self._savepoint = savepoint.part(stage or name)
        if known := self._savepoint.load():
            self._resume(known)

    def steps(self) -> Iterator[int]:
        """The steps that are left; whatever ends the run after one, the next goes on there."""
        with stopping.deferred():
            while self.step < self._budget.steps:
                yield self.step
                self._savepoint.offer(self._state)
            self._savepoint.keep(self._state)

    def carry(self, beside: Callable[[], Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
        """Keep what `beside` tells along with the networks; what an earlier run has left of it."""
        self._beside = beside
        return self._left

    def learn(self, loss: Tensor, **values: float) -> None:
        """One step down the gradient of `loss`, told with the `values` beside it."""
        self._optimiser.zero_grad(set_to_none=True)
        if torch.isfinite(loss):
            loss.backward()
        self.follow(loss, **values)

    def follow(self, loss: Tensor, **values: float) -> None:
        """One step down the gradient of `loss` that the weights hold already."""
        length = nn.utils.clip_grad_norm_(self._parameters, self._budget.clip)
        # A loss can be a number where its gradient is none, at the root of 0 for one.
        if not torch.isfinite(loss) or not torch.isfinite(length):
            raise ConfigError(
                f"{self._name} diverged at step {self.step + 1} of {self._budget.steps} "
                f"(loss {loss.item():.4g}, gradient {length.item():.4g})", "E_DIVERGED",
                f"lower the rates of {self._name}",
            )  # fmt: skip
        self._optimiser.step()
        self._schedule.step()
        self.step += 1
        self._watch(self._stage, self.step, self._budget.steps, loss=loss.item(), **values)

    def _state(self) -> State:
        """All that decides the next step, for a savepoint."""
        tensors = packed(self._networks, self._optimiser)
        tensors |= {f"{BESIDE}{name}": held for name, held in self._beside().items()}
        return tensors, {"step": self.step}

    def _resume(self, state: State) -> None:
        tensors, values = state
        device = self._parameters[0].device
        unpack(tensors, self._networks, self._optimiser)
        self._left = {name: held.to(device) for name, held in below(BESIDE, tensors).items()}
        self.step = values["step"]
        self._schedule.last_epoch = self.step
        for group, rate in zip(self._optimiser.param_groups, self._schedule.base_lrs, strict=True):
            group["lr"] = rate * factor(self._budget.schedule, self.step, self._budget.steps)


def _wave(share: float) -> float:
    """From 1 down to 0, along half a wave."""
    return 0.5 * (1 + math.cos(math.pi * share))
