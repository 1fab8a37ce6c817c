"""The log density that healthy vectors are pulled up to and strange ones pushed away from."""

from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

KINDS = ("quantile", "fixed", "random")


@final
@dataclass(frozen=True)
class BoundarySettings:
    """Settings of `Boundary`."""

    kind: str = "quantile"  # of the healthy; or `fixed`, or `random`: that of any healthy vector
    quantile: float = 0.05  # as published
    memory: float = 0.9  # share of the last quantile in the next; 0 as published
    fixed: float = 0.0  # where `fixed` puts it, in nats per channel

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: have {', '.join(KINDS)}, got {self.kind}")
        if not (0 < self.quantile < 1 and 0 <= self.memory < 1):
            raise ValueError("quantile must lie between 0 and 1, and memory not reach 1")


@final
@dataclass(frozen=True, eq=False)
class Boundary:
    """All that one batch leaves to the next."""

    settings: BoundarySettings = BoundarySettings()
    level: Tensor | None = None  # in nats per channel; none before the first healthy vector

    def after(self, healthy: Tensor, generator: torch.Generator) -> "Boundary":
        """The boundary once log densities [N] were seen; no gradient passes through it."""
        settings, healthy = self.settings, healthy.detach()
        if not len(healthy):
            return self
        if settings.kind == "fixed":
            return replace(self, level=healthy.new_tensor(settings.fixed))
        if settings.kind == "random":
            at = torch.randint(len(healthy), (), generator=generator, device=generator.device)
            return replace(self, level=healthy[at.to(healthy.device)])
        # The published quantile is one of the values: none is interpolated.
        now = healthy.kthvalue(max(1, int(settings.quantile * len(healthy)))).values
        before = now if self.level is None else self.level
        return replace(self, level=now.lerp(before, settings.memory))
